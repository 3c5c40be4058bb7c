# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Carrying out a plan over several networks: a network that fails leaves the others done or untouched."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._errors import ApplyError, NetworkError
from ansible_collections.kvmops.network.plugins.module_utils._network.apply import apply_changes
from ansible_collections.kvmops.network.plugins.module_utils._network.order import order_changes
from ansible_collections.kvmops.network.plugins.module_utils._network.state import read_state

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection
    from ansible_collections.kvmops.network.plugins.module_utils._network.joint_plan import JointPlan
    from ansible_collections.kvmops.network.plugins.module_utils._network.order import Change, Group
    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState
    from ansible_collections.kvmops.network.plugins.module_utils._network.survey import Survey

    Status = t.Literal["unchanged", "changed", "failed", "untouched"]

__all__ = ["Outcome", "carry_out", "foresee"]


class Outcome(t.NamedTuple):
    """What became of a change, and the network afterwards. `error` is "" where there is none."""

    change: Change
    status: Status
    network: NetworkState
    error: str = ""

    @property
    def changed(self) -> bool:
        """Whether the network is another one now: also one that could not be put back."""
        return self.status == "changed" or (self.status == "failed" and self.network != self.change.before)


def foresee(plan: JointPlan) -> list[Outcome]:
    """Return what would become of each change if all went well."""
    return [Outcome(change, "changed" if change.plan.steps else "unchanged", change.plan.after) for change in plan.changes]


def carry_out(connection: Connection, survey: Survey, plan: JointPlan, plug_in: t.Callable[[str], None]) -> list[Outcome]:
    """Make the changes, and return what became of each, in the order of the plan. `plug_in` plugs guests in again."""
    outcomes = {outcome.change.name: outcome for outcome in foresee(plan) if outcome.status == "unchanged"}
    for group in order_changes([change for change in plan.changes if change.plan.steps]):
        hindrance = _find_hindrance(connection, group, outcomes)
        if hindrance:
            made = [
                Outcome(change, "untouched", change.before, f"The network '{change.name}' was left as it was: {hindrance}.")
                for change in group.changes
            ]
        else:
            made = _make_changes(connection, survey, plan, group, plug_in)
        outcomes.update((outcome.change.name, outcome) for outcome in made)
    return [outcomes[change.name] for change in plan.changes]


def _find_hindrance(connection: Connection, group: Group, outcomes: dict[str, Outcome]) -> str:
    """Return why a group cannot be changed any more, as the end of a sentence."""
    missing = sorted(name for name in group.waits_for if outcomes[name].error)
    if missing:
        return f"it needs what {', '.join(repr(name) for name in missing)} would have given up"
    if any(outcome.error for outcome in outcomes.values()) and not connection.is_alive():
        return "libvirt's daemon does not answer any more"
    return ""


def _look_again(connection: Connection, before: NetworkState) -> NetworkState:
    """Return what is there after a failure, as it was before if libvirt does not say; the error says that it does not."""
    try:
        return read_state(before.name, connection.read_network(before.name))
    except NetworkError:
        return before


def _make_changes(
    connection: Connection, survey: Survey, plan: JointPlan, group: Group, plug_in: t.Callable[[str], None]
) -> list[Outcome]:
    try:
        networks = apply_changes(connection, group.changes, survey.records, unvalidated=plan.unvalidated, plug_in=plug_in)
    except ApplyError as error:
        return [Outcome(change, "failed", _look_again(connection, change.before), str(error)) for change in group.changes]
    return [Outcome(change, "changed", network) for change, network in zip(group.changes, networks)]
