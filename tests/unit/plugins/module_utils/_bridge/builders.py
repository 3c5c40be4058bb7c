# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""A host with the uplink eth0, its bridges, and what a task asks for, as short as a test wants to say it."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from ipaddress import ip_interface

from ansible_collections.kvmops.network.plugins.module_utils._bridge.host import Host, Management
from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Address, Device, Links, Route
from ansible_collections.kvmops.network.plugins.module_utils._bridge.networkd import Networkd
from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Identity, Origin, Record
from ansible_collections.kvmops.network.plugins.module_utils._bridge.request import Request

MAC = "52:54:00:12:34:56"
ORIGIN_PATH = "/etc/systemd/network/10-eth0.network"
STATIC = "[Match]\nName=eth0\n\n[Network]\nAddress=192.0.2.10/24\nGateway=192.0.2.1\nDNS=192.0.2.1\n"
DHCP = "[Match]\nName=eth0\n\n[Network]\nDHCP=ipv4\n"
BACKENDS = {"networkd": Networkd()}

OPTIONS: dict[str, t.Any] = {
    "name": "br0",
    "state": "present",
    "uplink": "auto",
    "backend": "auto",
    "mac": None,
    "mtu": None,
    "stp": False,
    "forward_delay": None,
    "ipv4": None,
    "ipv6": None,
    "dns": None,
    "confirm_timeout": None,
    "confirm_host": None,
    "check_gateway": True,
    "force": False,
    "lock_timeout": 60,
}


def request(**options: t.Any) -> Request:
    """Return the request of a task with these options."""
    return Request.from_options({**OPTIONS, **options})


def family(method: str, *addresses: str, gateway: str | None = None) -> dict[str, t.Any]:
    """Return the option ipv4 or ipv6."""
    return {"method": method, "addresses": list(addresses) or None, "gateway": gateway}


def address(text: str, **more: t.Any) -> Address:
    """Return an address of a link."""
    return Address(interface=ip_interface(text), **more)


def leased(text: str, seconds: int = 3600) -> Address:
    """Return an address that a server gave for a time."""
    return address(text, dynamic=True, valid_for=seconds, preferred_for=seconds)


def device(name: str, *addresses: Address, **more: t.Any) -> Device:
    """Return a link, as a physical one has it if nothing else is said."""
    return Device(**{"name": name, "index": 2, "mac": MAC, "mtu": 1500, "addresses": addresses, **more})


def bridge(name: str = "br0", *addresses: Address, **more: t.Any) -> Device:
    """Return a bridge."""
    return device(name, *addresses, **{"index": 5, "kind": "bridge", **more})


def tap(name: str = "vnet0", master: str = "br0") -> Device:
    """Return a guest's interface on a bridge."""
    return device(name, index=9, kind="tun", mac="fe:54:00:00:00:01", master=master)


def default_route(
    gateway: str = "192.0.2.1", link: str = "eth0", protocol: str = "static", metric: int = 0, table: str = "main"
) -> Route:
    """Return a default route."""
    return Route(
        version=6 if ":" in gateway else 4,
        destination="default",
        device=link,
        gateway=gateway,
        metric=metric,
        table=table,
        protocol=protocol,
        words=("default", "via", gateway, "proto", protocol),
    )


def links(*devices: Device, routes: tuple[Route, ...] = (), shared: tuple[str, ...] = ()) -> Links:
    """Return a host's links and routes."""
    return Links(devices={one.name: one for one in devices}, routes=routes, shared=frozenset(shared))


def static_links() -> Links:
    """Return a host with a fixed address on eth0."""
    return links(device("eth0", address("192.0.2.10/24")), routes=(default_route(),))


def bridged_links(*more: Device, carried: tuple[Address, ...] = (), **changed: t.Any) -> Links:
    """Return the same after eth0 became the port of br0."""
    return links(
        device("eth0", master="br0"),
        bridge("br0", *(carried or (address("192.0.2.10/24"),)), **changed),
        *more,
        routes=(default_route(link="br0"),),
    )


def record(text: str = STATIC, **more: t.Any) -> Record:
    """Return what is remembered of br0 over eth0, with the origin's text."""
    values: dict[str, t.Any] = {
        "name": "br0",
        "uplink": "eth0",
        "backend": "networkd",
        "mac": MAC,
        "mtu": 1500,
        "origin": Origin(name="10-eth0.network", path=ORIGIN_PATH, text=text),
    }
    return Record(**{**values, **more})


def management(text: str = STATIC, path: str = ORIGIN_PATH, identity: Identity | None = None) -> Management:
    """Return that networkd configures the uplink so."""
    return Management("networkd", Origin(path.rpartition("/")[2], path, text), identity or Identity())


def host(found: Links | None = None, text: str = STATIC, **more: t.Any) -> Host:
    """Return a host that networkd configures, with no bridge of ours."""
    usual = Host(
        links=found or static_links(),
        managers=("networkd",),
        management=management(text),
        files={ORIGIN_PATH: text.encode()},
    )
    return replace(usual, **more)
