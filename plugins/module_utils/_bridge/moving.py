# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Which addresses and routes go along from one link to the other, and which a server has to give again."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import replace

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import BackEnd, Expected
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.goal import Goal
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Address, Device, Links, Route
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Record
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.request import Request

    Carried = tuple[tuple[Address, ...], tuple[Route, ...]]

__all__ = ["back_to_uplink", "leased_versions", "lost_addresses", "routed_versions", "to_bridge"]


def to_bridge(links: Links, goal: Goal, backend: BackEnd, *, expected: Expected, request: Request) -> Carried:
    """Return the addresses and routes of the uplink that go to the bridge.

    What somebody added by hand goes along, but not with a back end that would take it away.
    """
    uplink = links.devices[goal.uplink]
    if backend.takes_leases_over:
        addresses, routes = _continued(uplink, links, expected, request)
        return _unleased(addresses, goal), routes
    replaced = _replaced(request)
    addresses = tuple(a for a in uplink.moving() if a.text in expected.addresses or a.interface.version not in replaced)
    return addresses, tuple(route for route in links.routes_over(goal.uplink) if route.version not in replaced)


def back_to_uplink(links: Links, goal: Goal, backend: BackEnd, *, expected: Expected, request: Request) -> Carried:
    """Return the addresses and routes of the bridge that go back, those that the uplink has by its own configuration."""
    bridge = links.devices.get(goal.bridge)
    if bridge is None:
        return (), ()
    if backend.takes_leases_over:
        addresses, routes = _continued(bridge, links, expected, request)
        return _unleased(addresses, goal), routes
    addresses = tuple(address for address in bridge.moving() if address.text in expected.addresses)
    versions = {address.interface.version for address in addresses}
    return addresses, tuple(route for route in links.routes_over(goal.bridge) if route.version in versions)


def leased_versions(request: Request, expected: Expected, links: Links, record: Record) -> tuple[int, ...]:
    """Return the IP versions of which a server has to give an address: those of which one gives any now, or that are asked for.

    `DHCP=yes` asks for both, and in most networks nobody gives one of them. An address without an end that is there now is not
    waited for, as nothing would show when it was given again; but where the task asks a server anew, it may be the one that goes.
    """
    devices = [links.devices[name] for name in (record.uplink, record.name) if name in links.devices]
    given = {version for version in (4, 6) if any(a.dynamic for device in devices for a in device.given(version))}
    replaced = _replaced(request)
    hears = {6} & given if request.ipv6 is None or request.ipv6.method == "auto" else set()
    asked = {
        version
        for version in expected.dhcp
        if version in replaced or (version in (given or {4}) and version not in _for_good(devices, expected))
    }
    return tuple(sorted(asked | hears))


def routed_versions(links: Links, carrier: str, expected: Expected, leased: tuple[int, ...], request: Request) -> tuple[int, ...]:
    """Return the IP versions that have a default route now, over the link that has the addresses, and keep it."""
    there = {version for version in (4, 6) if links.default_route(carrier, versions=(version,)) is not None}
    static = {ipaddress.ip_address(text).version for text in expected.gateways}
    return tuple(sorted((there - _replaced(request)) & (static | set(leased) | (there if request.state == "present" else set()))))


def lost_addresses(device: Device, moving: Iterable[Address], *, expected: Expected, leased: tuple[int, ...]) -> tuple[str, ...]:
    """Return the addresses of a link that the host does not have any more when the configuration is followed.

    Those that go along stay, and of those that a server gave, for a time or without an end, it is taken that the same are given
    again.
    """
    stay = {*expected.addresses, *(address.text for address in moving)}
    endless = set(expected.dhcp) - set(leased)
    return tuple(
        a.text
        for a in device.addresses
        if not a.is_link_local
        and not a.temporary
        and a.text not in stay
        and a.interface.version not in (leased if a.dynamic else endless)
    )


def _for_good(devices: Iterable[Device], expected: Expected) -> set[int]:
    """Return the IP versions of which a server gave an address without an end, which looks like any other."""
    return {
        version
        for device in devices
        for version in (4, 6)
        if any(a.text not in expected.addresses for a in device.given(version))
        and not any(a.dynamic for a in device.given(version))
    }


def _continued(device: Device, links: Links, expected: Expected, request: Request) -> Carried:
    """Return the addresses that the link has by its next configuration as well, and the routes that belong to them."""
    leased = {*expected.dhcp, *((6,) if request.ipv6 is None or request.ipv6.method in ("auto", "dhcp") else ())}
    addresses = tuple(
        a
        for a in (*device.given(4), *device.given(6))
        if a.text in expected.addresses or (a.dynamic and a.interface.version in leased)
    )
    versions = {address.interface.version for address in addresses}
    # a gateway that is not in the configuration is a server's or a router's
    static = {ipaddress.ip_address(text).version for text in expected.gateways}
    return addresses, tuple(
        route
        for route in links.routes_apart(device.name)
        if route.version in versions
        and not (route.is_default and route.version in static and route.gateway not in expected.gateways)
    )


def _unleased(addresses: Iterable[Address], goal: Goal) -> tuple[Address, ...]:
    """Return the addresses without the time for which a server gave them, so that it shows when one has answered again."""
    return tuple(
        replace(a, dynamic=False, valid_for=None, preferred_for=None) if a.interface.version in goal.leased else a
        for a in addresses
    )


def _replaced(request: Request) -> set[int]:
    return {family.version for family in (request.ipv4, request.ipv6) if family is not None}
