# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What is to be seen on the host when the change is right, and what is missing of it."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass, fields

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Device, Links

__all__ = ["Goal", "Shortfall", "shortfalls"]

_FAMILY = {4: "IPv4", 6: "IPv6"}


@dataclass(frozen=True)
class Goal:
    """The bridge over its uplink, or the uplink alone where `bridged` is false; `forward_delay` in hundredths of seconds.

    `addresses` are those that the link in use has by configuration, `leased` the IP versions of which a server gives it one,
    `gateways` the configured default gateways, `routed` the IP versions that have a default route.
    """

    bridge: str
    uplink: str
    bridged: bool
    mac: str = ""
    mtu: int = 0
    stp: bool = False
    forward_delay: int = 0
    addresses: tuple[str, ...] = ()
    leased: tuple[int, ...] = ()
    gateways: tuple[str, ...] = ()
    routed: tuple[int, ...] = ()

    @property
    def carrier(self) -> str:
        """The link that has the addresses."""
        return self.bridge if self.bridged else self.uplink

    def to_json(self) -> dict[str, t.Any]:
        """Return it as values that JSON has."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, t.Any]) -> Goal:
        """Return what `to_json` returned, here or in another version of this collection."""
        names = {field.name for field in fields(cls)} & set(values)
        known: dict[str, t.Any] = {n: tuple(values[n]) if isinstance(values[n], list) else values[n] for n in names}
        return cls(**known)


@dataclass(frozen=True)
class Shortfall:
    """Something that is not as it should be. `waits` says that it comes by itself, from a server on the network."""

    text: str
    waits: bool = False


def shortfalls(goal: Goal, links: Links) -> list[Shortfall]:
    """Return what is missing of the goal, each as the sentence of an operator."""
    uplink = links.devices.get(goal.uplink)
    if uplink is None:
        return [Shortfall(f"the interface {goal.uplink} is gone")]
    bridge = links.devices.get(goal.bridge)
    if not goal.bridged:
        found = [Shortfall(f"{goal.uplink} is still a port of {uplink.master}")] if uplink.master == goal.bridge else []
        return found + _missing_addresses(goal, uplink, links)
    if bridge is None or not bridge.is_bridge:
        return [Shortfall(f"there is no bridge {goal.bridge}")]
    return _wrong_links(goal, bridge, uplink) + _missing_addresses(goal, bridge, links)


def _wrong_links(goal: Goal, bridge: Device, uplink: Device) -> list[Shortfall]:
    found = []
    if uplink.master != goal.bridge:
        found.append(f"{goal.uplink} is no port of {goal.bridge}")
    found += [f"{device.name} is down" for device in (bridge, uplink) if not device.up]
    for name, is_now, wanted in (
        ("MAC address", bridge.mac, goal.mac),
        ("MTU", str(bridge.mtu), str(goal.mtu)),
        ("STP", _on(bridge.stp), _on(goal.stp)),
    ):
        if is_now != wanted:
            found.append(f"{name} of {goal.bridge} is {is_now}, not {wanted}")
    # without STP the delay is of no effect, and NetworkManager does not set it then
    if goal.stp and bridge.is_root and bridge.forward_delay != goal.forward_delay:
        found.append(f"forward delay of {goal.bridge} is {bridge.forward_delay / 100:g} s, not {goal.forward_delay / 100:g} s")
    if uplink.mtu != goal.mtu:
        found.append(f"MTU of {goal.uplink} is {uplink.mtu}, not {goal.mtu}")
    own = [address.text for address in uplink.given(4) + uplink.given(6) if uplink.master == goal.bridge]
    if own:
        found.append(f"the port {goal.uplink} has addresses of its own: {', '.join(own)}")
    return [Shortfall(text) for text in found]


def _missing_addresses(goal: Goal, carrier: Device, links: Links) -> list[Shortfall]:
    there = {address.text for address in carrier.addresses}
    found = [Shortfall(f"{carrier.name} does not have {text}") for text in goal.addresses if text not in there]
    leased = [version for version in goal.leased if not any(a.dynamic for a in carrier.given(version))]
    routeless = [version for version in goal.routed if links.default_route(carrier.name, versions=(version,)) is None]
    found += [
        Shortfall(f"no server has given {carrier.name} an {_FAMILY[version]} address yet", waits=True) for version in leased
    ]
    routes = {route.gateway for route in links.routes if route.is_default and route.device == carrier.name}
    found += [Shortfall(f"{carrier.name} has no default route via {text}") for text in goal.gateways if text not in routes]
    return found + [Shortfall(f"{carrier.name} has no {_FAMILY[version]} default route yet", waits=True) for version in routeless]


def _on(value: bool) -> str:
    return "on" if value else "off"
