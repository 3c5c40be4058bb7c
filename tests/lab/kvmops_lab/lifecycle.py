# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""What happens to a host from its first start to its end."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from . import lan, namespace, ssh
from .errors import LabError
from .host import Host, Record, register_lab
from .locks import lock
from .trees import remove_tree

GUEST_FILES = "/srv/guest"
_BOOT_TIMEOUT = 120.0
_ADDRESS_TIMEOUT = 30.0
_STOP_TIMEOUT = 30.0


def create(host: Host, record: Record) -> None:
    """A new disk, on which nothing has been booted yet."""
    with lock(host.paths.locks, f"host-{host.name}"):
        _remove(host)
        disk = host.container.disk
        (disk / "etc").mkdir(parents=True)
        (disk / "etc/hostname").write_text(f"{host.name}\n")
        (disk / "etc/hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 {host.name}\n::1 localhost ip6-localhost\n")
        (disk / "etc/machine-id").write_text(f"{_machine_id(host)}\n")
        (disk / "etc/resolv.conf").write_text(f"nameserver {lan.ADDRESS}\n")
        ssh.ensure_key(host.paths)
        ssh.install_keys(host.paths, disk, host.name)
        register_lab(host.paths)
        host.write_record(record)
        ssh.remember_hosts(host.paths)


def start(host: Host) -> None:
    """Returns when it has booted and answers to SSH. A host that is running already only has to answer."""
    with lock(host.paths.locks, f"host-{host.name}"):
        record = host.known_record()
        if not host.is_running():
            _power_on(host, record)
        host.container.wait_until_booted(timeout=_BOOT_TIMEOUT)
        ssh.wait_until_answering(host.paths, host.name, _wait_for_address(host), timeout=_ADDRESS_TIMEOUT)


def stop(host: Host) -> None:
    """An orderly shutdown. Guests are stopped by whoever knows about guests, before."""
    with lock(host.paths.locks, f"host-{host.name}"):
        host.known_record()
        ssh.forget_connections(host.paths, host.name)
        host.container.power_off(timeout=_STOP_TIMEOUT)
        _remove_network(host)


def cut_power(host: Host) -> None:
    with lock(host.paths.locks, f"host-{host.name}"):
        host.known_record()
        ssh.forget_connections(host.paths, host.name)
        host.container.cut_power()
        _remove_network(host)


def remove(host: Host) -> None:
    """The host, its disk and whatever is left of it; nothing to do is fine."""
    with lock(host.paths.locks, f"host-{host.name}"):
        _remove(host)
        if host.paths.ssh.is_dir():
            ssh.remember_hosts(host.paths)


def _power_on(host: Host, record: Record) -> None:
    host.container.cut_power()
    _remove_network(host)
    namespace.create(host.namespace)
    lan.plug_in(host.paths, host.name, host.namespace)
    missing = [layer for layer in record.layers if not Path(layer).is_dir()]
    if missing:
        raise LabError(f"The image of host {host.name} is gone: {missing[0]}. Make the host anew: lab down {host.name}, lab up.")
    host.container.start(
        layers=[Path(layer) for layer in record.layers], read_only_binds=[(Path(record.guest_files), GUEST_FILES)]
    )


def _wait_for_address(host: Host) -> str:
    deadline = time.monotonic() + _ADDRESS_TIMEOUT
    while time.monotonic() < deadline:
        address = host.address()
        if address is not None:
            return address
        time.sleep(0.1)
    raise LabError(
        f"The host {host.name} got no address in the LAN within {_ADDRESS_TIMEOUT:.0f} s. See {lan.log_file(host.paths)}."
    )


def _remove(host: Host) -> None:
    ssh.forget_connections(host.paths, host.name)
    host.container.cut_power()
    _remove_network(host)
    remove_tree(host.folder)


def _remove_network(host: Host) -> None:
    lan.unplug(host.paths, host.name)
    namespace.delete(host.namespace)


def _machine_id(host: Host) -> str:
    """From the names, so that a host that is made anew is the same machine to the DHCP server."""
    return hashlib.sha256(f"{host.paths.prefix}/{host.name}".encode()).hexdigest()[:32]
