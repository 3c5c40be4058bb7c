# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""The LAN: a namespace with a bridge for the hosts, a DHCP server, and an address outside that plays the internet."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from . import command, namespace
from .cgroup import ControlGroup
from .locks import lock
from .paths import Paths

BRIDGE = "lan0"
ADDRESS = "10.77.0.1"
PREFIX_LENGTH = 24
OUTSIDE = "198.51.100.1"
OUTSIDE_NAME = "outside.test"
_MAC = "02:77:00:00:00:01"
_RANGE = "10.77.0.10,10.77.0.250,12h"
_NICS = ("eth0", "eth1")


def ensure(paths: Paths) -> None:
    """Every part that is not there is made; what is there stays."""
    with lock(paths.locks, "lan"):
        if not namespace.exists(paths.lan_namespace):
            _create_namespace(paths.lan_namespace)
        # A bridge without an address of its own has its lowest port's. Hosts that come and go would change it, and others would
        # send to the old one for half a minute, and not reach the router.
        namespace.ip(paths.lan_namespace, "link", "set", BRIDGE, "address", _MAC)
        if not _dnsmasq_group(paths).processes():
            _start_dnsmasq(paths)
        if not _outside_group(paths).processes():
            _start_outside(paths)


def remove(paths: Paths) -> None:
    with lock(paths.locks, "lan"):
        _dnsmasq_group(paths).kill()
        _outside_group(paths).kill()
        namespace.delete(paths.lan_namespace)


def plug_in(paths: Paths, host: str, namespace_name: str) -> None:
    """Two cables from the host to the bridge. The MAC addresses follow from the host's name."""
    with lock(paths.locks, "lan"):
        for number, nic in enumerate(_NICS):
            cable = _cable(host, number)
            if namespace.has_link(paths.lan_namespace, cable):
                namespace.ip(paths.lan_namespace, "link", "delete", cable)
            # fmt: off
            namespace.ip(
                namespace_name, "link", "add", nic, "address", mac_address(host, number),
                "type", "veth", "peer", "name", cable, "netns", paths.lan_namespace,
            )
            # fmt: on
            namespace.ip(paths.lan_namespace, "link", "set", cable, "master", BRIDGE, "up")


def unplug(paths: Paths, host: str) -> None:
    """Pull the cables now: a namespace without processes goes away only some time later."""
    if not namespace.exists(paths.lan_namespace):
        return
    with lock(paths.locks, "lan"):
        for number in range(len(_NICS)):
            cable = _cable(host, number)
            if namespace.has_link(paths.lan_namespace, cable):
                namespace.ip(paths.lan_namespace, "link", "delete", cable)


def mac_address(host: str, number: int) -> str:
    digest = hashlib.sha256(f"{host}/{number}".encode()).hexdigest()
    return ":".join(["02", "77", *(digest[at : at + 2] for at in range(0, 8, 2))])


def _cable(host: str, number: int) -> str:
    return f"to{hashlib.sha256(host.encode()).hexdigest()[:10]}-{number}"


def _create_namespace(name: str) -> None:
    namespace.create(name)
    namespace.ip(name, "link", "add", BRIDGE, "type", "bridge", "forward_delay", "0")
    namespace.ip(name, "address", "add", f"{ADDRESS}/{PREFIX_LENGTH}", "dev", BRIDGE)
    namespace.ip(name, "address", "add", f"{OUTSIDE}/32", "dev", "lo")
    namespace.ip(name, "link", "set", BRIDGE, "up")


def _dnsmasq_group(paths: Paths) -> ControlGroup:
    return ControlGroup.of(paths.prefix, "lan-dnsmasq")


def _outside_group(paths: Paths) -> ControlGroup:
    return ControlGroup.of(paths.prefix, "lan-outside")


def _start_dnsmasq(paths: Paths) -> None:
    """Leases go by client id where the client sends one (dnsmasq's own way), so a host that changes its id is seen."""
    paths.lan.mkdir(parents=True, exist_ok=True)
    options = [
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--user=root",
        f"--interface={BRIDGE}",
        "--except-interface=lo",
        "--bind-interfaces",
        "--no-resolv",
        "--no-hosts",
        "--no-ping",
        "--domain=lan.test",
        f"--address=/{OUTSIDE_NAME}/{OUTSIDE}",
        f"--dhcp-range={_RANGE}",
        "--dhcp-authoritative",
        f"--dhcp-leasefile={paths.lan / 'leases'}",
        "--pid-file=",
        "--log-dhcp",
        "--log-facility=-",
    ]
    program = [*namespace.inside(paths.lan_namespace), "dnsmasq", *options]
    command.background(_dnsmasq_group(paths).command(program), log=paths.logs / "lan-dnsmasq.log")


def _start_outside(paths: Paths) -> None:
    """Something that answers outside: HTTP on port 80."""
    folder = paths.lan / "www"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.html").write_text("outside\n")
    server = [sys.executable, "-m", "http.server", "--bind", OUTSIDE, "--directory", str(folder), "80"]
    program = [*namespace.inside(paths.lan_namespace), *server]
    command.background(_outside_group(paths).command(program), log=paths.logs / "lan-outside.log")


def log_file(paths: Paths) -> Path:
    return paths.logs / "lan-dnsmasq.log"
