# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""A host with eth1, an interface on it, and what a task asks for, as short as a test wants to say it."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Device, Links, Route
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.backend import Kept
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.host import Host, Node, Parent
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.interface import Interface, Ipv6, RouteOver, read_interface
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.keeping import owned_patterns
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.request import Request
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._bridge.builders import address

MACHINE_ID = "0123456789abcdef0123456789abcdef"
PARENT_MAC = "52:54:00:00:00:01"
MAC = "52:54:00:7a:00:01"
OFF = Ipv6(disabled=True, follows_routers=False)
ON = Ipv6(disabled=False, follows_routers=False)
# how the files begin that are ours
OURS = (
    b"# Written by the Ansible module kvmops.network.macvtap_iface, for the interface mv0.\n"
    b"# Changes are found and undone by its next run.\n"
)
NETDEV = "/etc/systemd/network/0-kvmops-mv0.netdev"
NETWORK = "/etc/systemd/network/0-kvmops-mv0.network"
ADDITION = "/etc/systemd/network/10-eth1.network.d/kvmops-mv0.conf"
PROFILE = "/etc/NetworkManager/system-connections/kvmops-mv0.nmconnection"
SERVICE = "/etc/systemd/system/kvmops-mv0.service"
STARTS = "/etc/udev/rules.d/71-kvmops-mv0.rules"
HEARS = "/etc/udev/rules.d/72-kvmops-mv0.rules"
OPENS = "/etc/udev/rules.d/70-kvmops-mv0.rules"
NETWORKD = Parent("eth1", ("networkd",), "10-eth1.network")
MANAGER = Parent("eth1", ("networkmanager",))
NODE = Node("/dev/tap7", owner=0, group=0, mode=0o600)

OPTIONS: dict[str, t.Any] = {
    "name": "mv0",
    "state": "present",
    "kind": "macvtap",
    "parent": "eth1",
    "mode": "bridge",
    "flags": [],
    "mac": None,
    "source_macs": [],
    "mtu": None,
    "queues": 1,
    "bcqueuelen": 1000,
    "link": "up",
    "addresses": [],
    "routes": [],
    "tap": None,
    "backend": "auto",
    "force": False,
    "lock_timeout": 60,
}


def request(**options: t.Any) -> Request:
    """Return the request of a task with these options."""
    return Request.from_options({**OPTIONS, **options})


def route_option(destination: str, *, gateway: str | None = None, metric: int | None = None) -> dict[str, t.Any]:
    """Return an entry of the option routes."""
    return {"destination": destination, "gateway": gateway, "metric": metric}


def tap_option(owner: str = "root", group: str = "root", mode: t.Any = "0600") -> dict[str, t.Any]:
    """Return the option tap."""
    return {"owner": owner, "group": group, "mode": mode}


def interface(**values: t.Any) -> Interface:
    """Return a macvtap on eth1, as a short task wants it."""
    usual = Interface("mv0", "macvtap", "eth1", "bridge", MAC, 1500, broadcast_queue=1000, ipv6=OFF)
    return replace(usual, **{"all_multicast": values.get("kind", "macvtap") == "macvtap", **values})


def over(destination: str, *, gateway: str = "", metric: int = 0) -> RouteOver:
    """Return a route over the interface."""
    return RouteOver(destination, gateway, metric)


def kept(*, parent: str = "eth1", network_file: str = "10-eth1.network", mtu: int = 0, **values: t.Any) -> Kept:
    """Return what a back end writes down."""
    return Kept(interface(mtu=mtu, **values), parent, network_file)


def eth(name: str = "eth1", *addresses: t.Any, **more: t.Any) -> Device:
    """Return a NIC."""
    given = tuple(address(one) if isinstance(one, str) else one for one in addresses)
    return Device(**{"name": name, "index": 2, "mac": PARENT_MAC, "mtu": 1500, "addresses": given, **more})


def on_eth1(name: str = "mv0", *, kind: str = "macvtap", mode: str = "bridge", **more: t.Any) -> Device:
    """Return an interface on eth1 as it is read."""
    details = {"mode": mode, "bcqueuelen": 1000, "usedbcqueuelen": 1000, **more.pop("details", {})}
    return eth(
        name,
        **{"index": 7, "mac": MAC, "kind": kind, "below": "eth1", "details": details, "all_multicast": kind == "macvtap", **more},
    )


def kernel_route(destination: str, device: str, **more: t.Any) -> Route:
    """Return a route of the kernel's."""
    version = 6 if ":" in destination else 4
    values = {"gateway": "", "metric": 0, "table": "main", "protocol": "static", "words": (), **more}
    return Route(version=version, destination=destination, device=device, **values)


def links(*devices: Device, routes: tuple[Route, ...] = ()) -> Links:
    """Return links by name, eth1 among them."""
    return Links(devices={device.name: device for device in (eth(), *devices)}, routes=routes)


def host(*devices: Device, routes: tuple[Route, ...] = (), **more: t.Any) -> Host:
    """Return a host with eth1, which nobody manages, and these links; mv0 is found where it is one of them."""
    known = links(*devices, routes=routes)
    there = known.devices.get("mv0")
    found = read_interface(there, known, OFF) if there is not None and there.kind in ("macvtap", "macvlan") else None
    nothing: dict[str, bytes | None] = {path: None for path in owned_patterns("mv0") if "*" not in path}
    files = {**nothing, **more.pop("files", {})}
    return replace(Host(links=known, found=found, machine_id=MACHINE_ID, files=files), **more)
