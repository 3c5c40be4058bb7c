# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Carrying out a plan over several guests: a guest that fails leaves the others done."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.kvmops.network.plugins.module_utils._edge.dhcp import release_lease
from ansible_collections.kvmops.network.plugins.module_utils._errors import ApplyError, NetworkError
from ansible_collections.kvmops.network.plugins.module_utils._nic.apply import GuestOutcome, apply_guest
from ansible_collections.kvmops.network.plugins.module_utils._nic.apply_networks import apply_networks, put_back_networks
from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import read_guest
from ansible_collections.kvmops.network.plugins.module_utils._nic.leases import plugged_into, server_of
from ansible_collections.kvmops.network.plugins.module_utils._nic.plan import Networking

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection
    from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import SeenAddress
    from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import NicState
    from ansible_collections.kvmops.network.plugins.module_utils._nic.joint_plan import GuestPlan, JointPlan
    from ansible_collections.kvmops.network.plugins.module_utils._nic.plan import NicPlan
    from ansible_collections.kvmops.network.plugins.module_utils._nic.survey import Survey

__all__ = ["NicOutcome", "carry_out", "foresee"]


@dataclass(frozen=True)
class NicOutcome:
    """What became of a NIC, and how it is afterwards. `error` is "" where there is none.

    `reserved` says that what networks reserve for it was changed, which the NIC itself does not show.
    """

    plan: NicPlan
    state: NicState | None
    waits: tuple[str, ...] = ()
    error: str = ""
    addresses: tuple[SeenAddress, ...] = ()
    reserved: bool = False

    @property
    def status(self) -> t.Literal["unchanged", "changed", "failed"]:
        """What is reported of it."""
        if self.error:
            return "failed"
        return "changed" if self.plan.steps else "unchanged"

    @property
    def changed(self) -> bool:
        """Whether the NIC is another one now: also one that could not be put back."""
        return bool(self.plan.steps) and (not self.error or self.reserved or self.state != self.plan.before)


def foresee(plan: JointPlan) -> list[NicOutcome]:
    """Return what would become of each NIC if all went well."""
    return [NicOutcome(nic, nic.after, nic.waits) for nic in (plan.plan_of(place) for place in plan.order)]


def carry_out(connection: Connection, survey: Survey, plan: JointPlan, *, timeout: float) -> list[NicOutcome]:
    """Make the changes, and return what became of each NIC, in the order of the plan.

    Addresses are reserved first, so that a guest gets them when its NIC comes. Raises ApplyError if that fails: nothing else has
    been begun then.
    """
    if plan.networks:
        apply_networks(connection, plan.networks, survey.network_records)
    made: dict[tuple[str, int], NicOutcome] = {}
    for name, guest_plan in plan.guests.items():
        before = plugged_into(*(nic.before for nic in guest_plan.plans))
        # a NIC with another MAC address asks as soon as it is there
        _forget_leases(connection, survey, before - plugged_into(*(nic.after or nic.before for nic in guest_plan.plans)))
        outcomes = _change_guest(survey, guest_plan, timeout=timeout)
        _forget_leases(connection, survey, before - plugged_into(*(outcome.state for outcome in outcomes)))
        made.update(((name, number), outcome) for number, outcome in enumerate(outcomes))
    results = [made[place] for place in plan.order]
    if plan.networks and results and all(outcome.error for outcome in results) and not any(each.changed for each in results):
        # nobody is there for whom something was reserved
        left = put_back_networks(connection, plan.networks, survey.network_records)
        if left:
            raise ApplyError(f"{results[0].error} Reservations could not be put back: {'; '.join(left)}.")
        return results
    # what is reserved for a guest that failed stays: another one may have what it gave up
    owners = {each.plan.guest for each in results if any(step.action in ("reserve", "release") for step in each.plan.steps)}
    return [
        replace(each, error=f"{each.error} What networks reserve for its NICs is as asked for.")
        if each.error and each.plan.guest in owners
        else each
        for each in (_with_reserved(result) for result in results)
    ]


def _with_reserved(outcome: NicOutcome) -> NicOutcome:
    return replace(outcome, reserved=any(step.action in ("reserve", "release") for step in outcome.plan.steps))


def _forget_leases(connection: Connection, survey: Survey, given_up: set[tuple[str, str]]) -> None:
    """Have DHCP servers forget the leases of NICs that leave their networks, so that their addresses are free for others."""
    for name in sorted({network for network, _mac in given_up} if survey.local else ()):
        place = server_of(survey.running_networks.get(name, {}))
        if place is None:
            continue
        for lease in connection.read_leases(name) or ():
            if (name, lease["mac"]) in given_up and ":" not in lease["ip"]:
                release_lease(bridge=place[0], mac=lease["mac"], address=lease["ip"], server=place[1])


def _change_guest(survey: Survey, plan: GuestPlan, *, timeout: float) -> list[NicOutcome]:
    if not any(nic.defines or nic.live_action for nic in plan.plans):
        return [NicOutcome(nic, nic.after, nic.waits) for nic in plan.plans]
    networking = Networking(survey.running_networks if plan.guest.running else {}, survey.version)
    try:
        outcome = apply_guest(survey.guests, plan, networking, detach_timeout=timeout)
    except ApplyError as error:
        outcome = _look_again(survey, plan)
        return [NicOutcome(nic, state, nic.waits, str(error)) for nic, state in zip(plan.plans, outcome.nics)]
    return [NicOutcome(nic, state, waits) for nic, state, waits in zip(plan.plans, outcome.nics, outcome.waits)]


def _look_again(survey: Survey, plan: GuestPlan) -> GuestOutcome:
    """Return what is there after a failure, as it was before if libvirt does not say."""
    try:
        record = survey.guests.read(plan.guest.name)
        now = read_guest(record).nics if record is not None else ()
    except NetworkError:
        now = plan.guest.nics
    macs = [(nic.after or nic.before) for nic in plan.plans]
    found = [next((each for each in now if state is not None and each.macs & state.macs), None) for state in macs]
    return GuestOutcome(nics=found)
