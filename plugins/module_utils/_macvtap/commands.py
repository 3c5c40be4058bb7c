# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.


"""What makes, changes and removes an interface: lines for `ip -batch`, and settings of the kernel.

Reference: ip-link(8).
"""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.kvmops.network.plugins.module_utils._macvtap.interface import PASSTHRU, SOURCE
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.request import USUAL_QUEUE

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.interface import Interface

__all__ = ["Action", "Change", "Removal", "Setting", "changes", "creation", "reasons_to_recreate"]


@dataclass(frozen=True)
class Setting:
    """A setting of the kernel: a file below /proc/sys, and its value."""

    path: str
    value: str


@dataclass(frozen=True)
class Removal:
    """That an interface goes, with its addresses and routes, if a manager has not removed it already."""

    name: str


Action = t.Union[str, Setting, Removal]


@dataclass(frozen=True)
class Change:
    """Something that is done to an interface: what the operator reads, and how. `addressed`: to addresses or routes."""

    text: str
    actions: tuple[Action, ...]
    addressed: bool = False


def creation(wanted: Interface) -> list[Action]:
    """Return what makes the interface, in an order in which it is up only when it is as wanted."""
    name = wanted.name
    words = ["link add", f"name {name}", f"link {wanted.parent}"]
    words += [f"mtu {wanted.mtu}"] if wanted.mtu else []
    words += [f"address {wanted.mac}"] if wanted.mac and wanted.mode != PASSTHRU else []
    words += [f"numtxqueues {wanted.queues[0]} numrxqueues {wanted.queues[1]}"] if wanted.queues != (1, 1) else []
    words += [f"type {wanted.kind} mode {wanted.mode}", *wanted.flags_that_count]
    words += [f"bcqueuelen {wanted.broadcast_queue}"] if wanted.broadcast_queue not in (None, USUAL_QUEUE) else []
    actions: list[Action] = [" ".join(words)]
    if wanted.mac and wanted.mode == PASSTHRU:
        actions.append(f"link set dev {name} address {wanted.mac}")
    if wanted.source_macs:
        actions.append(_source_line(wanted))
    if wanted.all_multicast:
        actions.append(_multicast_line(wanted))
    actions += _ipv6_actions(wanted)
    actions += [f"address add {address} dev {name}" for address in wanted.addresses]
    if wanted.up:
        actions.append(f"link set dev {name} up")
    return actions + [f"route add {route.all_words} dev {name}" for route in wanted.routes]


def reasons_to_recreate(found: Interface, wanted: Interface) -> list[str]:
    """Return why the kernel cannot change an interface in place, as parts of a sentence."""
    reasons = []
    if found.kind != wanted.kind:
        reasons.append(f"it is a {found.kind} and not a {wanted.kind}")
    if found.parent != wanted.parent:
        reasons.append(f"it stands on {found.parent or 'nothing that is here'} and not on {wanted.parent}")
    if found.queues != wanted.queues:
        reasons.append(f"it has {found.queues[0]}/{found.queues[1]} queues and not {wanted.queues[0]}/{wanted.queues[1]}")
    if found.mode != wanted.mode and PASSTHRU in (found.mode, wanted.mode):
        reasons.append(f"its mode is {found.mode} and not {wanted.mode}")
    left = replace(found, mode=wanted.mode).flags_that_count  # the kernel keeps those of a mode before
    reasons += [f"it has the flag {flag}, which cannot be taken away" for flag in left if flag not in wanted.flags]
    return reasons


def changes(found: Interface, wanted: Interface) -> list[Change]:
    """Return what makes an interface as wanted in place, which the kernel can unless there is a reason to make it anew."""
    dev = f"dev {found.name}"
    return [
        *(
            Change(f"take away the route to {route.destination}", (f"route del {route.words} {dev}",), True)
            for route in found.routes
            if route not in wanted.routes
        ),
        *_link_changes(found, wanted),
        *_turning_ipv6(found, wanted, on=True),
        *_address_changes(found, wanted),
        *([_going_down(found, wanted)] if found.up and not wanted.up else []),
        *_turning_ipv6(found, wanted, on=False),
        *([Change("bring the link up", (f"link set {dev} up",))] if wanted.up and not found.up else []),
        *_route_changes(found, wanted),
    ]


def _going_down(found: Interface, wanted: Interface) -> Change:
    """Return what takes the link down, with which the kernel takes IPv6 addresses away."""
    again = (f"address replace {address} dev {found.name}" for address in wanted.addresses if ":" in address)
    return Change("take the link down", (f"link set dev {found.name} down", *again))


def _link_changes(found: Interface, wanted: Interface) -> list[Change]:
    name = wanted.name
    kind = f"link set dev {name} type {wanted.kind}"
    result = []
    if (found.mode, found.flags_that_count) != (wanted.mode, wanted.flags_that_count):
        words = " ".join((wanted.mode, *wanted.flags_that_count))
        result.append(Change(f"change the mode from {found.mode} to {words}", (f"{kind} mode {words}",)))
    if found.source_macs != wanted.source_macs and wanted.mode == SOURCE:
        macs = ", ".join(wanted.source_macs) or "nobody"
        result.append(Change(f"let in frames from {macs}", (_source_line(wanted),)))
    if wanted.mac and found.mac != wanted.mac:
        line = f"link set dev {name} address {wanted.mac}"
        result.append(Change(f"change the MAC address from {found.mac} to {wanted.mac}", (line,)))
    if wanted.mtu and found.mtu != wanted.mtu:
        result.append(Change(f"change the MTU from {found.mtu} to {wanted.mtu}", (f"link set dev {name} mtu {wanted.mtu}",)))
    if found.all_multicast != wanted.all_multicast:
        text = "let in all multicast" if wanted.all_multicast else "let in the host's own multicast alone"
        result.append(Change(text, (_multicast_line(wanted),)))
    if found.broadcast_queue is not None and wanted.broadcast_queue not in (None, found.broadcast_queue):
        text = f"change the queue for broadcasts from {found.broadcast_queue} to {wanted.broadcast_queue} packets"
        result.append(Change(text, (f"{kind} bcqueuelen {wanted.broadcast_queue}",)))
    return result


def _turning_ipv6(found: Interface, wanted: Interface, *, on: bool) -> list[Change]:
    """Return the change of IPv6: on before it gets addresses, off after it has lost them."""
    if wanted.ipv6 is None or found.ipv6 == wanted.ipv6 or wanted.ipv6.disabled is on:
        return []
    text = "turn IPv6 off on it" if wanted.ipv6.disabled else "turn IPv6 on, without what routers say"
    return [Change(text, tuple(_ipv6_actions(wanted)))]


def _address_changes(found: Interface, wanted: Interface) -> list[Change]:
    """Return the changes of addresses, new ones first: with its last address an interface loses its routes."""
    dev = f"dev {found.name}"
    gained = [
        Change(f"give it the address {address}", (f"address replace {address} {dev}",), True)
        for address in wanted.addresses
        if address not in found.addresses
    ]
    # with an address the kernel takes away the others of its subnet that came later
    again = [f"address replace {address} {dev}" for address in wanted.addresses]
    without_ipv6 = found.ipv6 is not None and wanted.ipv6 is None  # with a small MTU, and they are gone
    lost = [
        Change(
            f"take away the address {address}",
            (f"address replace {address} {dev}", f"address del {address} {dev}", *again)
            if not (without_ipv6 and ":" in address)
            else (),
            True,
        )
        for address in found.addresses
        if address not in wanted.addresses
    ]
    return gained + lost


def _route_changes(found: Interface, wanted: Interface) -> list[Change]:
    """Return the changes of routes. With the last address of a version the kernel takes all of its routes away."""
    line = {route: f"route replace {route.all_words} dev {found.name}" for route in wanted.routes}
    gained = [
        Change(f"give it the route to {route.destination}", (line[route],), True)
        for route in wanted.routes
        if route not in found.routes
    ]
    lost = {ipaddress.ip_interface(address).version for address in found.addresses if address not in wanted.addresses}
    touched = [route for route in wanted.routes if ipaddress.ip_network(route.destination).version in lost]
    if any(route in found.routes for route in touched):
        gained.append(Change("keep the routes that stay", tuple(line[route] for route in touched), True))
    return gained


def _source_line(wanted: Interface) -> str:
    how = f"set {' '.join(wanted.source_macs)}" if wanted.source_macs else "flush"
    return f"link set dev {wanted.name} type {wanted.kind} macaddr {how}"


def _multicast_line(wanted: Interface) -> str:
    return f"link set dev {wanted.name} allmulticast {'on' if wanted.all_multicast else 'off'}"


def _ipv6_actions(wanted: Interface) -> list[Setting]:
    if wanted.ipv6 is None:
        return []
    folder = f"net/ipv6/conf/{wanted.name}"
    follows = Setting(f"{folder}/accept_ra", str(int(wanted.ipv6.follows_routers)))
    return [follows, Setting(f"{folder}/disable_ipv6", str(int(wanted.ipv6.disabled)))]
