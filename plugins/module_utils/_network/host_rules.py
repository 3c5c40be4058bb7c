# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What a network must fulfil on the host where it shall be, given what is there already. Nothing here touches the host."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._network.definition import (
    bridge_of,
    mode_of,
    owns_bridge,
    subnets_of,
)
from ansible_collections.kvmops.network.plugins.module_utils._network.subnets import find_overlaps, read_allowed
from ansible_collections.kvmops.network.plugins.module_utils._network.topics.forward import pci_places

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Host
    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState
    from ansible_collections.kvmops.network.plugins.module_utils._network.surroundings import Surroundings

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
    surroundings: Surroundings,
    *,
    starts: bool,
    allow_overlap: Iterable[str],
) -> Conflicts:
    """Return what stands against the network.

    Looked at is what the task introduces: what the definition has and the network does not run with (or, where it does not run,
    does not have), or all of it if the task `starts` the network.
    """
    known: Definition = {} if starts else before.live or before.stored or {}
    refused = list(_identity_conflicts(before, definition, surroundings))
    if bridge_of(definition) != bridge_of(known) or mode_of(definition) != mode_of(known):
        refused += _bridge_conflicts(definition, surroundings)
    if surroundings.host is not None and definition.get("forward") != known.get("forward"):
        refused += _uplink_conflicts(definition, surroundings.host)
    if definition.get("mac") != known.get("mac"):
        refused += _mac_conflicts(definition, surroundings)
    introduced = [subnet for subnet in subnets_of(definition) if subnet not in subnets_of(known)]
    names, subnets = read_allowed(allow_overlap)
    overlaps, warned = find_overlaps(
        introduced, surroundings.occupancy, own=before.name, allowed_networks=names, allowed_subnets=subnets
    )
    return Conflicts(refused=tuple(refused), overlaps=tuple(overlaps), warnings=tuple(warned))


def _identity_conflicts(before: NetworkState, definition: Definition, surroundings: Surroundings) -> Iterator[str]:
    wanted = definition.get("uuid")
    current = (before.definition or {}).get("uuid")
    if wanted is None or wanted == current:
        return
    if current is not None:
        yield (
            f"uuid: '{wanted}' is wanted, but the network '{before.name}' has {current}, and libvirt cannot change it; leave "
            "uuid out, or remove the network first with state: absent."
        )
    other = surroundings.other_holder("uuid", wanted, than=before.name)
    if other is not None:
        yield f"uuid: '{wanted}' is the UUID of the network '{other}'; choose another, or leave uuid out."


def _bridge_conflicts(definition: Definition, surroundings: Surroundings) -> Iterator[str]:
    name, host = bridge_of(definition), surroundings.host
    if name is None:
        return
    other = surroundings.other_holder("bridge", name, than=definition["name"])
    if owns_bridge(definition) and other is not None:
        yield f"bridge.name: '{name}' is the bridge of the network '{other}' already; choose another name."
        return
    if host is None:
        return
    link = host.links.get(name)
    if owns_bridge(definition):
        if link is not None and name not in surroundings.made:
            yield f"bridge.name: '{name}' is an interface of this host already; choose another name, or remove the interface."
    elif name in surroundings.made - surroundings.kept:
        yield (
            f"bridge.name: '{name}' is a bridge that libvirt made for a network, and this task takes it away; forward.mode "
            "'bridge' needs a bridge that the host has, name another one."
        )
    elif definition.get("virtualport", {}).get("type") != "openvswitch" and (link is None or link.kind != "bridge"):
        what = "is not a bridge" if link is not None else "does not exist on this host"
        yield f"bridge.name: '{name}' {what}; forward.mode 'bridge' needs a bridge that the host has, make it first."


def _uplink_conflicts(definition: Definition, host: Host) -> Iterator[str]:
    forward = definition.get("forward", {})
    # what has no meaning in the mode need not be there
    pf = {} if owns_bridge(definition) else forward.get("pf", {})
    uplinks = [entry["dev"] for entry in (forward, pf, *forward.get("interfaces", [])) if "dev" in entry]
    for place in pci_places(definition):
        if place not in host.virtual_functions:
            there = ", ".join(sorted(host.virtual_functions)) or "this host has none"
            yield f"forward.addresses: {place} is no virtual function of this host; choose from those that are ({there})."
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


def _mac_conflicts(definition: Definition, surroundings: Surroundings) -> Iterator[str]:
    mac, host = definition.get("mac"), surroundings.host
    if mac is None:
        return
    other = surroundings.other_holder("mac", mac, than=definition["name"])
    if other is not None:
        yield f"mac: '{mac}' is the MAC address of the network '{other}'; choose another, or leave mac out."
        return
    for link in host.links.values() if host is not None else ():
        if link.mac == mac and link.name not in surroundings.made and link.master not in surroundings.made:
            yield f"mac: '{mac}' is the MAC address of '{link.name}' on this host; choose another, or leave mac out."
            return
