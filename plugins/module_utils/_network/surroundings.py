# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What a network meets on its host: the other networks, and what the kernel has. Nothing here touches a host."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._network.definition import bridge_of, subnets_of
from ansible_collections.kvmops.network.plugins.module_utils._network.subnets import Occupancy, Occupied, contains

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Host
    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState

__all__ = ["Surroundings", "list_occupied", "make_surroundings"]

_Thing = t.Literal["bridge", "mac", "uuid"]


@dataclass(frozen=True)
class Surroundings:
    """Who has what. `host` is None where the host cannot be seen.

    `made` are the names of the bridges that libvirt has made for networks until now; they and what is on them are the networks'.
    `kept` are the names of the bridges that it will have made.
    """

    host: Host | None
    made: frozenset[str]
    kept: frozenset[str]
    occupancy: Occupancy
    holders: dict[tuple[_Thing, str], list[str]]

    def other_holder(self, thing: _Thing, value: str, *, than: str) -> str | None:
        """Return the name of another network that has a bridge of this name, a MAC address or a UUID."""
        return next((name for name in self.holders.get((thing, value), []) if name != than), None)


def make_surroundings(networks: Iterable[NetworkState], host: Host | None, *, made: Collection[str]) -> Surroundings:
    """Return what is there when the networks are as they are given."""
    states = list(networks)
    holders: dict[tuple[_Thing, str], list[str]] = {}
    for state in states:
        for thing, value in _things(state):
            holders.setdefault((thing, value), []).append(state.name)
    return Surroundings(
        host=host,
        made=frozenset(made),
        kept=frozenset(name for state in states for name in state.bridges),
        occupancy=Occupancy(list_occupied(states, host, made)),
        holders=holders,
    )


def _things(state: NetworkState) -> Iterator[tuple[_Thing, str]]:
    for definition in state.definitions:
        bridge = bridge_of(definition)
        if bridge is not None:
            yield "bridge", bridge
        if "mac" in definition:
            yield "mac", definition["mac"]
        if "uuid" in definition:
            yield "uuid", definition["uuid"]


def list_occupied(networks: Iterable[NetworkState], host: Host | None, made: Collection[str]) -> list[Occupied]:
    """List what holds a subnet: networks, the host's addresses and its routes. What is on bridges that libvirt made is not.

    `made` are the names of these bridges.
    """
    occupied = list(_occupied_by_networks(networks))
    if host is not None:
        occupied += _occupied_by_host(host, made)
    return occupied


def _occupied_by_networks(states: Iterable[NetworkState]) -> Iterator[Occupied]:
    for state in states:
        for definition in state.definitions:
            for subnet in subnets_of(definition):
                yield Occupied(subnet, f"the network '{state.name}' ({subnet})", network=state.name)


def _occupied_by_host(host: Host, made: Collection[str]) -> Iterator[Occupied]:
    for link in host.links.values():
        if link.name in made:
            continue
        for address in link.addresses:
            if not address.ip.is_link_local and not address.ip.is_loopback:
                yield Occupied(address.network, f"the host's address {address} on {link.name}")
    for route in host.routes:
        through = host.links.get(route.device or "")
        if route.device in made or (
            route.connected
            and through is not None
            and any(contains(address.network, route.subnet) for address in through.addresses)
        ):
            continue  # the latter is said of the address already
        table = "" if route.table == "main" else f" in table {route.table}"
        device = f" through {route.device}" if route.device else ""
        owner = f"the host's route to {route.subnet}{device}{table}"
        yield Occupied(route.subnet, owner, wide=not route.connected)
