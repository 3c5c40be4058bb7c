# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""One plan over all NICs that a task is about, refused as a whole if any part of it cannot be."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, NetworkError, RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._format.since import needs_of, too_new
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import bridge_of
from ansible_collections.kvmops.network.plugins.module_utils._nic import host_rules
from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import network_of, type_of
from ansible_collections.kvmops.network.plugins.module_utils._nic.elements import INTERFACE, MADE_TYPES
from ansible_collections.kvmops.network.plugins.module_utils._nic.identity import find_nameless, find_nic, name_of
from ansible_collections.kvmops.network.plugins.module_utils._nic.leases import holders_of, plugged_into
from ansible_collections.kvmops.network.plugins.module_utils._nic.mac import make_mac
from ansible_collections.kvmops.network.plugins.module_utils._nic.network_changes import Holding, plan_reservations
from ansible_collections.kvmops.network.plugins.module_utils._nic.plan import Networking, NicPlan, Step, plan_absent, plan_present
from ansible_collections.kvmops.network.plugins.module_utils._nic.rules import find_problems
from ansible_collections.kvmops.network.plugins.module_utils._nic.schema import check_schema

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import GuestState, NicState
    from ansible_collections.kvmops.network.plugins.module_utils._nic.network_changes import NetworkChange
    from ansible_collections.kvmops.network.plugins.module_utils._nic.request import NicRequest
    from ansible_collections.kvmops.network.plugins.module_utils._nic.survey import Survey
    from ansible_collections.kvmops.network.plugins.module_utils._problems import Problems

    Definition = dict[str, t.Any]

__all__ = ["GuestPlan", "JointPlan", "make_joint_plan"]


@dataclass
class GuestPlan:
    """What happens to the NICs of one guest, in the order of the task; `nics` are all that it has afterwards."""

    guest: GuestState
    plans: list[NicPlan] = field(default_factory=list)
    nics: list[NicState] = field(default_factory=list)


@dataclass
class JointPlan:
    """What happens to the guests and to the networks' reservations.

    `order` says for each NIC of the task, and then for those that are pruned, which guest's plan it is in and where.
    """

    guests: dict[str, GuestPlan] = field(default_factory=dict)
    networks: list[NetworkChange] = field(default_factory=list)
    order: list[tuple[str, int]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def plan_of(self, place: tuple[str, int]) -> NicPlan:
        """Return the plan of one NIC."""
        return self.guests[place[0]].plans[place[1]]


def make_joint_plan(survey: Survey, requests: Sequence[NicRequest], problems: Problems, *, prune: bool) -> JointPlan:
    """Return what happens. Raises NetworkError, with a sentence for each NIC that cannot be as it is asked for."""
    plan = JointPlan()
    asked: list[NicRequest] = []
    claimed = _find_claimed(survey, requests)
    for request in requests:
        with problems.of(request.label):
            _plan_request(survey, plan, request, claimed)
            asked.append(request)
    if prune:
        _plan_pruned(plan)
    _check(survey, plan, asked, problems)
    problems.raise_any()
    _plan_networks(survey, plan, asked, problems)
    problems.raise_any()
    return plan


def _find_claimed(survey: Survey, requests: Sequence[NicRequest]) -> list[NicState]:
    """Return the NICs that parts of the task name themselves. What is wrong with one is said when its turn comes."""
    claimed = []
    for request in requests:
        try:
            found = find_nic(
                request.domain, survey.guest(request.domain).nics, request.given, made_mac=_made_mac(survey, request)
            )
        except NetworkError:
            continue
        if found is not None:
            claimed.append(found)
    return claimed


def _plan_request(survey: Survey, plan: JointPlan, request: NicRequest, claimed: list[NicState]) -> None:
    guest = survey.guest(request.domain)
    guest_plan = plan.guests.setdefault(guest.name, GuestPlan(guest, nics=list(guest.nics)))
    made_mac = _made_mac(survey, request)
    before = find_nic(guest.name, guest.nics, request.given, made_mac=made_mac)
    if before is None and request.state == "present":
        before = find_nameless(guest.name, [nic for nic in guest.nics if all(nic is not each for each in claimed)], request.given)
        claimed += [before] if before is not None else []
    if before is not None and any(each.before is before for each in guest_plan.plans):
        raise InputError(
            f"nics: two entries are about the guest's NIC {before.shown.mac}; leave one, or name two NICs by mac or alias."
        )
    if request.state == "absent":
        nic = plan_absent(guest, before, "the NIC shall be absent")
    else:
        if before is None and not guest.persistent and not guest.running:
            raise InputError(f"domain: the guest '{guest.name}' is neither defined nor running.")
        networking = Networking(survey.running_networks if guest.running else {}, survey.version)
        nic = plan_present(guest, before, request, made_mac=made_mac, networking=networking)
        twin = next((each for each in guest_plan.plans if each.after is not None and each.mac == nic.mac), None)
        if twin is not None:
            raise InputError(
                f"nics: two entries are about a NIC of the guest '{guest.name}' with the address {nic.mac}; leave one."
            )
    plan.order.append((guest.name, len(guest_plan.plans)))
    guest_plan.plans.append(nic)
    _settle(guest_plan, nic)


def _settle(guest_plan: GuestPlan, nic: NicPlan) -> None:
    """Take over into the list of the guest's NICs what a plan makes of one."""
    index = next((index for index, each in enumerate(guest_plan.nics) if each is nic.before), None)
    if index is not None:
        guest_plan.nics[index : index + 1] = [nic.after] if nic.after is not None else []
    elif nic.after is not None:
        guest_plan.nics.append(nic.after)


def _made_mac(survey: Survey, request: NicRequest) -> str:
    """Return the address of a NIC to which nobody gives one; "" where one is given, or nothing names the NIC."""
    if "mac" in request.given or not name_of(request.given):
        return ""
    return make_mac(machine_id=survey.machine_id, domain=request.domain, nic=name_of(request.given))


def _plan_pruned(plan: JointPlan) -> None:
    for name, guest_plan in plan.guests.items():
        mentioned = [each.before for each in guest_plan.plans]
        for nic in guest_plan.guest.nics:
            if all(nic is not each for each in mentioned) and type_of(nic.shown.definition) in MADE_TYPES:
                pruned = plan_absent(guest_plan.guest, nic, "the NIC is not in the list")
                plan.order.append((name, len(guest_plan.plans)))
                guest_plan.plans.append(pruned)
                _settle(guest_plan, pruned)


def _check(survey: Survey, plan: JointPlan, requests: Sequence[NicRequest], problems: Problems) -> None:
    """Refuse what cannot work, of that which the task changes."""
    for request, place in zip(requests, plan.order):
        nic = plan.plan_of(place)
        if nic.after is None:
            continue
        with problems.of(request.label):
            if nic.defines or nic.live_action in ("attach", "replug", "update"):
                plan.warnings += _check_definition(survey, plan.guests[place[0]], nic)
            if _gets_mac(nic):
                _check_mac(survey, plan, nic)


def _check_definition(survey: Survey, guest_plan: GuestPlan, nic: NicPlan) -> list[str]:
    after = nic.after.shown.definition if nic.after is not None else {}
    before = nic.before.shown.definition if nic.before is not None else None
    known = find_problems(before) if before is not None else []
    sentences = [sentence for sentence in find_problems(after) if sentence not in known]
    had = set(needs_of(INTERFACE, before)) if before is not None else set()
    sentences += too_new((need for need in needs_of(INTERFACE, after) if need not in had), survey.version)
    if sentences:
        raise InputError(" ".join(dict.fromkeys(sentences)))
    running = guest_plan.guest.running
    plugs = running and (
        nic.live_action in ("attach", "replug") or "place" in nic.waits or (nic.live_action == "update" and _moves(nic))
    )
    sentences = _place_problems(survey, after, plugs=plugs)
    if before is not None and not plugs:
        # what was so before is not what the task is about
        known = _place_problems(survey, before, plugs=False)
        sentences = [sentence for sentence in sentences if sentence not in known]
    networks = survey.networks if type_of(after) in ("network", "direct") else {}
    missing = host_rules.missing_for(after, networks, survey.filters if sentences and "filterref" in after else None)
    reasons = sum(map(len, missing.values()))
    definitions = [each.shown.definition for each in guest_plan.nics]
    sentences += host_rules.boot_conflicts(guest_plan.guest, definitions, after)
    sentences += _name_problems(before or {}, definitions, after)
    if sentences:
        raise InputError(" ".join(dict.fromkeys(sentences)), **(missing if len(sentences) == reasons else {}))
    check_schema(before, after, survey.version)
    host = survey.host if type_of(after) in ("bridge", "direct") else None
    return list(host_rules.place_warnings(after, host, networks, running=running))


def _place_problems(survey: Survey, definition: Definition, *, plugs: bool) -> list[str]:
    """Return what the host has not that a NIC is plugged into or filtered by."""
    networks = survey.networks if type_of(definition) in ("network", "direct") else {}
    sentences = list(host_rules.network_conflicts(definition, networks, running=plugs))
    if type_of(definition) in ("bridge", "direct") and survey.host is not None:
        sentences += host_rules.place_conflicts(definition, survey.host, survey.networks, running=plugs)
    sentences += host_rules.vlan_conflicts(definition, survey.host if "vlan" in definition else None, networks, survey.version)
    if "filterref" in definition:
        sentences += host_rules.filter_conflicts(definition, survey.filters)
    return sentences


def _name_problems(before: Definition, definitions: Sequence[Definition], after: Definition) -> list[str]:
    """Return whether another NIC of the guest has a name that this one gets. `definitions` are those of all of its NICs."""
    alias, device = after.get("alias"), after.get("target", {}).get("dev")
    sentences = []
    if alias not in (None, before.get("alias")) and sum(each.get("alias") == alias for each in definitions) > 1:
        sentences.append(f"alias: another NIC of the guest is called '{alias}' already; choose another name.")
    devices = [each.get("target", {}).get("dev") for each in definitions]
    if device not in (None, before.get("target", {}).get("dev")) and devices.count(device) > 1:
        sentences.append(f"target.dev: another NIC of the guest has '{device}' already; choose another name.")
    return sentences


def _moves(nic: NicPlan) -> bool:
    """Say whether a running NIC gets another source."""
    live = [
        state.live.definition.get("source") for state in (nic.before, nic.after) if state is not None and state.live is not None
    ]
    return len(live) == 2 and live[0] != live[1]


def _gets_mac(nic: NicPlan) -> bool:
    """Say whether the NIC gets an address that it has not now."""
    return nic.after is not None and not nic.after.macs <= (nic.before.macs if nic.before is not None else set())


def _check_mac(survey: Survey, plan: JointPlan, nic: NicPlan) -> None:
    holders: dict[str, list[tuple[str, str]]] = {}
    for guest in survey.everybody:
        nics = plan.guests[guest.name].nics if guest.name in plan.guests else guest.nics
        for number, each in enumerate(nics):
            for mac in each.macs:
                holder = (guest.name, "" if each is nic.after else str(number))
                holders.setdefault(mac, []).append(holder)
    conflicts = list(host_rules.mac_conflicts((nic.guest, ""), nic.mac, holders, survey.networks, survey.host))
    if conflicts:
        raise RefusedError(" ".join(conflicts))


def _plan_networks(survey: Survey, plan: JointPlan, requests: Sequence[NicRequest], problems: Problems) -> None:
    """Say what changes in the networks' reservations, and under which NIC it is said."""
    holdings: list[Holding] = []
    labels: dict[tuple[str, str], str] = {}
    places: dict[tuple[str, str], tuple[str, int]] = {}
    for index, place in enumerate(plan.order):
        nic = plan.plan_of(place)
        request = requests[index] if index < len(requests) else None
        before, after = nic.before, nic.after
        network = network_of(after.shown) if after is not None else None
        holding = Holding(
            domain=nic.guest,
            mac=nic.mac,
            network=network,
            reservation=request.reservation if request is not None and after is not None else None,
            former=frozenset(before.macs if before is not None else ()),
            running=network_of(after.live) if after is not None else None,
            present=after is not None,
        )
        if holding.mac:
            holdings.append(holding)
            places[holding.owner] = place
            labels[holding.owner] = request.label if request is not None else f"The NIC '{nic.mac}' of the guest '{nic.guest}'"
    macs = {name: {mac for each in guest_plan.nics for mac in each.macs} for name, guest_plan in plan.guests.items()}
    for holding in holdings:
        with problems.of(labels[holding.owner]):
            # alone first, so that an error is said of the NIC that it is about
            holding.check(survey.networks)
    problems.raise_any()
    plan.networks = plan_reservations(survey.networks, holdings, macs)
    for change in plan.networks:
        plan.warnings += change.warnings
        for owner, action, reason in change.actions:
            place = places.get(owner) or next(each for each in plan.order if each[0] == owner[0])
            _add_step(plan, place, Step(t.cast("t.Any", action), reason))
    _warn_of_holders(survey, plan, holdings)


def _warn_of_holders(survey: Survey, plan: JointPlan, holdings: Sequence[Holding]) -> None:
    """Name the other clients that have addresses which are reserved here, and keep them for the time of their leases."""
    plans = [each for guest_plan in plan.guests.values() for each in guest_plan.plans]
    given_up = plugged_into(*(each.before for each in plans)) - plugged_into(*(each.after for each in plans))
    for holding in holdings:
        live = survey.running_networks.get(holding.network or "")
        if live is not None and holding.reservation is not None and holding.reservation.addresses:
            leases = survey.leases(holding.network or "")
            plan.warnings += holders_of(holding, leases, given_up if survey.local else set(), bridge_of(live))


def _add_step(plan: JointPlan, place: tuple[str, int], step: Step) -> None:
    """Put a network's step where it is done: before the guest is touched."""
    plans = plan.guests[place[0]].plans
    nic = plans[place[1]]
    plans[place[1]] = replace(nic, steps=(step, *nic.steps))
