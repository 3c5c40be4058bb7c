# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""How each difference between what is wanted, what is stored and what runs takes effect. Nothing here touches a host."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._network.definition import carry_identity
from ansible_collections.kvmops.network.plugins.module_utils._network.live import differences
from ansible_collections.kvmops.network.plugins.module_utils._network.outage import FOREVER, of_updates

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from ansible_collections.kvmops.network.plugins.module_utils._network.live import Update
    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState, Plan

__all__ = ["Effect", "find_effects", "seconds"]

# The option that an update of a section is about.
_OPTIONS = {
    "dhcp host": "ips {address}.dhcp.hosts",
    "dhcp range": "ips {address}.dhcp.ranges",
    "dns host": "dns.hosts",
    "dns srv": "dns.srv",
    "dns txt": "dns.txt",
    "forward interface": "forward",
    "portgroup": "portgroups",
    "title": "title",
    "description": "description",
    "metadata": "metadata",
}


class Effect(t.NamedTuple):
    """What becomes of a difference: `option` by its name, `way` how it takes effect, and what that costs guests, in seconds."""

    option: str
    way: t.Literal["nothing", "live update", "next start", "restart"]
    reason: str
    outage: float | None


def find_effects(before: NetworkState, plan: Plan) -> list[Effect]:
    """Return how the differences between what is there and what is wanted take effect; none for a network that comes or goes."""
    target = plan.after.stored
    if target is None or not before.exists:
        return []
    found = {option for each in before.definitions for option in differences(each, carry_identity(target, each))}
    return [_effect(option, before, plan) for option in sorted(found)]


def _effect(option: str, before: NetworkState, plan: Plan) -> Effect:
    if before.live is None or plan.after.live is None:
        return Effect(option, "nothing", "the network starts with it" if plan.does("start") else "the network does not run", 0.0)
    if plan.does("stop"):
        return Effect(option, "restart", "a running network takes it only when it is started anew", seconds(plan.outage))
    if _concerns(option, plan.pending):
        return Effect(option, "next start", plan.waits, 0.0)
    updates = [step.update for step in plan.steps if step.update is not None and _is_about(step.update, option)]
    if updates:
        return Effect(option, "live update", "libvirt changes it in a running network", min(plan.outage, of_updates(updates)))
    reason = "the running network has it"
    if _concerns(option, differences(plan.after.live, carry_identity(plan.after.stored or {}, plan.after.live))):
        reason = "a running network does not feel it, and shows it from its next start on"
    return Effect(option, "nothing", reason, 0.0)


def seconds(outage: float) -> float | None:
    """Return an outage as a result shows it: None until somebody plugs the guests in again."""
    return None if outage == FOREVER else outage


def _is_about(update: Update, option: str) -> bool:
    return _concerns(option, [_OPTIONS[update.section].format(address=update.address)])


def _concerns(option: str, others: Iterable[str]) -> bool:
    """Say whether an option, a part of it, or what it is a part of, is among others."""
    return any(option == other or option.startswith(f"{other}.") or other.startswith(f"{option}.") for other in others)
