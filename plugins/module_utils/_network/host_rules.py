# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What a network must fulfil on the host where it shall be, given what is there already. Nothing here touches the host."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._network.definition import mode_of, owns_bridge, subnets_of
from ansible_collections.kvmops.network.plugins.module_utils._network.subnets import (
    Occupied,
    contains,
    find_overlaps,
    read_allowed,
)

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Host
    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState

    Definition = dict[str, t.Any]

__all__ = ["Conflicts", "find_conflicts"]


@dataclass(frozen=True)
class Conflicts:
    """What stands against a network on a host, as sentences: what is refused, which subnets overlap, what is only a warning."""

    refused: tuple[str, ...]
    overlaps: tuple[str, ...]
    warnings: tuple[str, ...]


def find_conflicts(
    before: NetworkState,
    definition: Definition,
    *,
    others: Iterable[NetworkState],
    host: Host | None,
    starts: bool,
    allow_overlap: Iterable[str],
) -> Conflicts:
    """Return what stands against the network.

    Looked at is what the task introduces: what the definition has and the network does not run with (or, where it does not run,
    does not have), or all of it if the task `starts` the network. `host` is None where the host cannot be seen.
    """
    neighbours = list(others)
    known: Definition = {} if starts else before.live or before.stored or {}
    refused = list(_identity_conflicts(before, definition, neighbours))
    if _bridge_name(definition) != _bridge_name(known) or mode_of(definition) != mode_of(known):
        refused += _bridge_conflicts(before, definition, neighbours, host)
    if host is not None and definition.get("forward") != known.get("forward"):
        refused += _uplink_conflicts(definition, host)
    if definition.get("mac") != known.get("mac"):
        refused += _mac_conflicts(before, definition, neighbours, host)
    introduced = [subnet for subnet in subnets_of(definition) if subnet not in subnets_of(known)]
    names, subnets = read_allowed(allow_overlap)
    overlaps, warned = find_overlaps(
        introduced, _occupied(before, neighbours, host), allowed_networks=names, allowed_subnets=subnets
    )
    return Conflicts(refused=tuple(refused), overlaps=tuple(overlaps), warnings=tuple(warned))


def _bridge_name(definition: Definition) -> str | None:
    name: str | None = definition.get("bridge", {}).get("name")
    return name


def _definitions(network: NetworkState) -> list[Definition]:
    return [definition for definition in (network.stored, network.live) if definition is not None]


def _identity_conflicts(before: NetworkState, definition: Definition, others: list[NetworkState]) -> Iterator[str]:
    wanted = definition.get("uuid")
    current = (before.definition or {}).get("uuid")
    if current and wanted and wanted != current:
        yield (
            f"uuid: '{wanted}' is wanted, but the network '{before.name}' has {current}, and libvirt cannot change it; leave "
            "uuid out, or remove the network first with state: absent."
        )
    for other in others:
        if wanted and any(each.get("uuid") == wanted for each in _definitions(other)):
            yield f"uuid: '{wanted}' is the UUID of the network '{other.name}'; choose another, or leave uuid out."


def _bridge_conflicts(
    before: NetworkState, definition: Definition, others: list[NetworkState], host: Host | None
) -> Iterator[str]:
    name = _bridge_name(definition)
    if name is None:
        return
    for other in others:
        if owns_bridge(definition) and any(_bridge_name(each) == name for each in _definitions(other)):
            yield f"bridge.name: '{name}' is the bridge of the network '{other.name}' already; choose another name."
            return
    if host is None:
        return
    link = host.links.get(name)
    if owns_bridge(definition):
        if link is not None and _bridge_name(before.live or {}) != name:
            yield f"bridge.name: '{name}' is an interface of this host already; choose another name, or remove the interface."
    elif definition.get("virtualport", {}).get("type") != "openvswitch" and (link is None or link.kind != "bridge"):
        what = "is not a bridge" if link is not None else "does not exist on this host"
        yield f"bridge.name: '{name}' {what}; forward.mode 'bridge' needs a bridge that the host has, make it first."


def _uplink_conflicts(definition: Definition, host: Host) -> Iterator[str]:
    forward = definition.get("forward", {})
    uplinks = [entry["dev"] for entry in (forward, forward.get("pf", {}), *forward.get("interfaces", [])) if "dev" in entry]
    for name in uplinks:
        link = host.links.get(name)
        if link is None:
            names = ", ".join(sorted(set(host.links) - {"lo"}))
            yield f"forward.dev: the interface '{name}' does not exist on this host; choose one of {names}."
        elif not owns_bridge(definition):
            if link.wireless:
                yield (
                    f"forward.dev: '{name}' is a Wi-Fi interface, whose access point takes frames from the host's own MAC "
                    "address only; use forward.mode 'nat' instead."
                )
            master = host.links.get(link.master or "")
            if master is not None and master.kind == "bridge":
                yield (
                    f"forward.dev: '{name}' is a port of the bridge '{master.name}' and cannot carry guests directly as well; "
                    f"use forward.mode 'bridge' with bridge.name '{master.name}'."
                )


def _mac_conflicts(before: NetworkState, definition: Definition, others: list[NetworkState], host: Host | None) -> Iterator[str]:
    mac = definition.get("mac")
    if mac is None:
        return
    for other in others:
        if any(each.get("mac") == mac for each in _definitions(other)):
            yield f"mac: '{mac}' is the MAC address of the network '{other.name}'; choose another, or leave mac out."
            return
    own = _bridge_name(before.live or {})
    for link in host.links.values() if host is not None else ():
        if link.mac == mac and own not in (link.name, link.master):
            yield f"mac: '{mac}' is the MAC address of '{link.name}' on this host; choose another, or leave mac out."
            return


def _occupied(before: NetworkState, others: list[NetworkState], host: Host | None) -> Iterator[Occupied]:
    """List what holds a subnet: the other networks, the host's addresses and its routes. The network's own bridge is left out."""
    for other in others:
        for definition in _definitions(other):
            for subnet in subnets_of(definition):
                yield Occupied(subnet, f"the network '{other.name}' ({subnet})", network=other.name)
    if host is None:
        return
    # what the networks' own bridges have is the networks', which are listed above
    bridges = {_bridge_name(each) for network in (before, *others) for each in _definitions(network) if owns_bridge(each)}
    bridges.discard(None)
    for link in host.links.values():
        if link.name in bridges:
            continue
        for address in link.addresses:
            if not address.ip.is_link_local and not address.ip.is_loopback:
                yield Occupied(address.network, f"the host's address {address} on {link.name}")
    for route in host.routes:
        through = host.links.get(route.device or "")
        if route.device in bridges or (
            route.connected
            and through is not None
            and any(contains(address.network, route.subnet) for address in through.addresses)
        ):
            continue  # the latter is said of the address already
        table = "" if route.table == "main" else f" in table {route.table}"
        device = f" through {route.device}" if route.device else ""
        owner = f"the host's route to {route.subnet}{device}{table}"
        yield Occupied(route.subnet, owner, wide=not route.connected)
