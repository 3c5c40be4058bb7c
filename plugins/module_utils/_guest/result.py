# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What a guest has afterwards: its NIC, its address, its network. It reads, and changes nothing."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._network.definition import bridge_of
from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import network_of, place_of, type_of
from ansible_collections.kvmops.network.plugins.module_utils._nic.network_changes import reserved_for

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._guest.plan import GuestPlan
    from ansible_collections.kvmops.network.plugins.module_utils._guest.survey import GuestSurvey
    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState
    from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import NicState

__all__ = ["address_of", "describe_place", "main_nic", "nic_of"]


def main_nic(nics: Sequence[NicState], alias: str) -> NicState | None:
    """Return the NIC that is shown for a guest: the one of this name, else its first one."""
    return next((nic for nic in nics if nic.shown.alias == alias), None) or next(iter(nics), None)


def nic_of(survey: GuestSurvey, plan: GuestPlan) -> str | None:
    """Return the MAC address of the guest's NIC as the plan leaves it."""
    state = _planned(survey, plan)
    return state.shown.mac if state is not None else None


def address_of(survey: GuestSurvey, plan: GuestPlan) -> str | None:
    """Return the IPv4 address that is reserved for the guest's NIC as the plan leaves it."""
    state = _planned(survey, plan)
    if state is None:
        return None
    changed = {change.name: change.stored for change in plan.nics.networks} if plan.nics is not None else {}
    name = network_of(state.shown)
    network = survey.networks.get(name or "")
    definition = changed.get(name or "") or (network.stored if network is not None else None) or {}
    hosts = reserved_for(definition, plan.request.name, state.shown.mac)
    return next((host["ip"] for host in hosts if ":" not in host.get("ip", ":")), None)


def describe_place(nic: NicState | None, domain: str, networks: Mapping[str, NetworkState]) -> dict[str, str | None]:
    """Return where a guest is: the keys `ip_address`, `network_name`, `bridge_name` and `mac`."""
    if nic is None:
        return {"ip_address": None, "network_name": None, "bridge_name": None, "mac": None}
    definition = nic.shown.definition
    name = network_of(nic.shown)
    state = networks.get(name or "")
    bridge = bridge_of(state.live or state.stored or {}) if state is not None else None
    if bridge is None and type_of(definition) == "bridge":
        bridge = place_of(definition)
    hosts = reserved_for(state.stored or {}, domain, nic.shown.mac) if state is not None else []
    address = next((host["ip"] for host in hosts if ":" not in host.get("ip", ":")), None)
    return {"ip_address": address, "network_name": name, "bridge_name": bridge, "mac": nic.shown.mac}


def _planned(survey: GuestSurvey, plan: GuestPlan) -> NicState | None:
    if plan.nics is not None:
        return plan.nics.plan_of(plan.nics.order[0]).after
    return main_nic(survey.guest(plan.request.name).nics, "lan") if plan.life is not None else None
