# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""A NIC in words: for a diff, and for a result. Nothing here touches a host."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._format import tree
from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import render_xml, type_of
from ansible_collections.kvmops.network.plugins.module_utils._nic.network_changes import reserved_for
from ansible_collections.kvmops.network.plugins.module_utils._nic.options import NO_OPTIONS

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import SeenAddress
    from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import NicState
    from ansible_collections.kvmops.network.plugins.module_utils._nic.network_changes import NetworkChange
    from ansible_collections.kvmops.network.plugins.module_utils._nic.plan import NicPlan

    Definition = dict[str, t.Any]

__all__ = ["describe_addresses", "describe_nic", "make_diff"]


def describe_nic(domain: str, state: NicState, *, addresses: Sequence[SeenAddress], waits: Sequence[str]) -> dict[str, t.Any]:
    """Return a NIC as the modules' results show it: what runs where it runs, and else what is stored."""
    nic = state.live or state.shown
    stored = state.shown
    definition = _without_unsayable(tree.without_rest(stored.definition))
    return {
        "domain": domain,
        "mac": nic.mac,
        "alias": stored.alias,
        "type": type_of(nic.definition),
        "source": tree.without_rest(nic.definition.get("source", {})),
        "bridge": nic.bridge,
        "device": nic.device,
        "model": nic.definition.get("model"),
        "link": nic.definition.get("link", "up"),
        "plugged": state.live is not None,
        "persistent": state.stored is not None,
        "addresses": describe_addresses(addresses, state.macs),
        "pending": bool(waits),
        "pending_changes": list(waits),
        "definition": {option: value for option, value in definition.items() if option not in ("mac", "alias")},
        "xml": render_xml(stored.definition),
    }


def _without_unsayable(data: t.Any, where: str = "") -> t.Any:
    """Return what a task can say of a definition; the rest of it is in the XML."""
    if isinstance(data, list):
        return [_without_unsayable(value, where) for value in data]
    if not isinstance(data, dict):
        return data
    found = {
        option: _without_unsayable(data[option], f"{where}{option}.") for option in data if f"{where}{option}" not in NO_OPTIONS
    }
    return {option: value for option, value in found.items() if value != {}}


def describe_addresses(addresses: Iterable[SeenAddress], macs: Iterable[str]) -> list[dict[str, t.Any]]:
    """Return the addresses that were seen at MAC addresses, each with all who saw it."""
    found: dict[tuple[str, int], list[str]] = {}
    for each in addresses:
        if each.mac in macs:
            # what a neighbour table shows has no length of its own, libvirt says 0
            known = next((key for key in found if key[0] == each.address), None)
            if known is None:
                found[each.address, each.prefix] = [each.origin]
                continue
            origins = found.pop(known)
            key = known if known[1] else (each.address, each.prefix)
            found[key] = origins if each.origin in origins else [*origins, each.origin]
    return [
        {"address": address, "prefix": prefix or None, "origins": origins} for (address, prefix), origins in sorted(found.items())
    ]


def make_diff(plan: NicPlan, networks: Sequence[NetworkChange]) -> dict[str, str]:
    """Return the texts before and after the plan: what is stored, what runs, and what the networks reserve."""
    label = f"guest {plan.guest}, NIC {plan.mac}"
    macs = {mac for state in (plan.before, plan.after) if state is not None for mac in state.macs}
    before = [line for change in networks for line in _reservations(change.name, change.before.stored or {}, plan.guest, macs)]
    after = [line for change in networks for line in _reservations(change.name, change.stored, plan.guest, macs)]
    return {
        "before_header": label,
        "after_header": label,
        "before": _describe(plan.before, (), before),
        "after": _describe(plan.after, plan.waits, after),
    }


def _describe(state: NicState | None, waits: Sequence[str], reservations: list[str]) -> str:
    lines = [] if state is not None else ["state: absent"]
    for label, nic in (("stored", state.stored), ("running", state.live)) if state is not None else ():
        if nic is not None:
            lines += [f"{label}:", render_xml(nic.definition).rstrip()]
    if waits:
        lines.append(f"waits for the guest's next start: {', '.join(waits)}")
    return "\n".join([*lines, *reservations]) + "\n"


def _reservations(network: str, definition: Definition, guest: str, macs: set[str]) -> list[str]:
    lines = []
    for mac in sorted(macs):
        for host in reserved_for(definition, guest, mac):
            words = " ".join(str(host[option]) for option in ("ip", "name", "mac", "id") if option in host)
            lines.append(f"reserved by the network {network}: {words}")
    return lines
