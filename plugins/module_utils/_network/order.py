# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""In which order the networks of a task are changed. Nothing here touches a host.

A network that takes the bridge's name, the UUID or the subnet that another one gives up has to wait for that one. Networks that
wait for each other, because they swap, are changed together; so are one that goes and those that take its place.
"""

from __future__ import annotations

import typing as t
from graphlib import CycleError, TopologicalSorter

from ansible_collections.kvmops.network.plugins.module_utils._network.definition import bridge_of, owns_bridge, subnets_of
from ansible_collections.kvmops.network.plugins.module_utils._network.subnets import Occupancy, Occupied

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._network.definition import Subnet
    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState, Plan

__all__ = ["Change", "Group", "order_changes"]


class Change(t.NamedTuple):
    """A network as it is, and what is done to it."""

    before: NetworkState
    plan: Plan

    @property
    def name(self) -> str:
        """The network's name."""
        return self.before.name


class Group(t.NamedTuple):
    """Changes that are made together, and the names of the networks that they wait for."""

    changes: tuple[Change, ...]
    waits_for: frozenset[str]


def order_changes(changes: Sequence[Change]) -> list[Group]:
    """Return the changes in groups, each behind those that it waits for."""
    waits = _find_waits(changes)
    leaders = {change.name: change.name for change in changes}  # the first network of the group that each is in
    removed = {change.name for change in changes if not change.plan.after.exists}
    for name, others in waits.items():
        # a network that goes comes back if the one that takes its place cannot
        for other in others & removed:
            leaders = _joined(leaders, {leaders[name], leaders[other]})
    while True:
        graph: dict[str, set[str]] = {leader: set() for leader in leaders.values()}
        for name, others in waits.items():
            graph[leaders[name]] |= {leaders[other] for other in others} - {leaders[name]}
        try:
            order = _sort_graph(graph, late={leaders[change.name] for change in changes if _leaves_name_to_libvirt(change)})
        except CycleError as error:
            leaders = _joined(leaders, set(error.args[1]))
        else:
            return [_make_group(changes, leaders, leader, waits) for leader in order]


def _sort_graph(graph: dict[str, set[str]], *, late: set[str]) -> list[str]:
    """Return the groups, each behind those that it waits for, and as many as can be before the `late` ones.

    Raises CycleError.
    """
    sorter = TopologicalSorter(graph)
    sorter.prepare()
    order: list[str] = []
    ready: list[str] = []
    while sorter.is_active():
        ready = sorted([*ready, *sorter.get_ready()], key=lambda leader: leader in late)
        order.append(ready.pop(0))
        sorter.done(order[-1])
    return order


def _joined(leaders: dict[str, str], groups: set[str]) -> dict[str, str]:
    """Return the leaders when these groups have become one."""
    first = next(leader for leader in leaders.values() if leader in groups)
    return {name: first if leader in groups else leader for name, leader in leaders.items()}


def _leaves_name_to_libvirt(change: Change) -> bool:
    """Say whether libvirt chooses the name of the bridge. It comes last, since it could be one that another network asks for."""
    definition = change.plan.after.stored or {}
    return not change.before.exists and owns_bridge(definition) and bridge_of(definition) is None


def _make_group(changes: Sequence[Change], leaders: dict[str, str], leader: str, waits: dict[str, set[str]]) -> Group:
    members = tuple(sorted((change for change in changes if leaders[change.name] == leader), key=_leaves_name_to_libvirt))
    names = {change.name for change in members}
    return Group(members, frozenset(other for name in names for other in waits[name]) - names)


def _find_waits(changes: Sequence[Change]) -> dict[str, set[str]]:
    """Return for which networks each network has to wait, itself perhaps among them."""
    givers = {thing: change.name for change in changes for thing in _held_things(change.before) - _held_things(change.plan.after)}
    left = Occupancy(
        Occupied(subnet, f"the network '{change.name}'", network=change.name)
        for change in changes
        for subnet in _left_subnets(change)
    )
    waits: dict[str, set[str]] = {}
    for change in changes:
        taken = _own_things(change.plan.after) - _own_things(change.before)
        others = {givers[thing] for thing in taken if thing in givers}
        if change.plan.does("start"):
            met = [giver for subnet in subnets_of(change.plan.after.live or {}) for giver in left.meeting(subnet)]
            others |= {giver.network for giver in met if giver.network is not None}
        waits[change.name] = others
    return waits


def _own_things(state: NetworkState) -> set[str]:
    """Return what no other network may have, stored or running: names of the bridges that libvirt makes for it, and UUIDs."""
    return state.bridges | {definition["uuid"] for definition in state.definitions if "uuid" in definition}


def _held_things(state: NetworkState) -> set[str]:
    """Return what another network cannot have as its own: that of this one, and the names of the host's bridges that it uses."""
    used = [bridge_of(definition) for definition in state.definitions]
    return _own_things(state) | {name for name in used if name is not None}


def _left_subnets(change: Change) -> Iterator[Subnet]:
    """Yield the subnets in which a network runs and will not run any more."""
    kept = subnets_of(change.plan.after.live or {})
    for subnet in subnets_of(change.before.live or {}):
        if subnet not in kept:
            yield subnet
