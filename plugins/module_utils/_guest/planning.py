# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""From a task and what there is to the plan for one guest. It reads, and changes nothing."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import GuestRecord
from ansible_collections.kvmops.network.plugins.module_utils._edge.images import check_file
from ansible_collections.kvmops.network.plugins.module_utils._edge.virt_install import print_definition
from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, NetworkError, RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._guest.addressing import reservation_for
from ansible_collections.kvmops.network.plugins.module_utils._guest.arguments import virt_install_command
from ansible_collections.kvmops.network.plugins.module_utils._guest.configuring import plan_configuration
from ansible_collections.kvmops.network.plugins.module_utils._guest.definition import change_document
from ansible_collections.kvmops.network.plugins.module_utils._guest.disks import check_size, plan_new_disk
from ansible_collections.kvmops.network.plugins.module_utils._guest.plan import (
    GuestPlan,
    check_startable,
    plan_autostart,
    plan_life,
    refuse_removal,
    waits_of,
)
from ansible_collections.kvmops.network.plugins.module_utils._guest.wanted import (
    changed_guest,
    differences,
    disk_path,
    new_guest,
)
from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import place_of, type_of
from ansible_collections.kvmops.network.plugins.module_utils._nic.domain_document import replace_nics
from ansible_collections.kvmops.network.plugins.module_utils._nic.identity import find_nic, name_of
from ansible_collections.kvmops.network.plugins.module_utils._nic.joint_plan import make_joint_plan
from ansible_collections.kvmops.network.plugins.module_utils._nic.mac import make_mac
from ansible_collections.kvmops.network.plugins.module_utils._nic.network_changes import plan_reservations
from ansible_collections.kvmops.network.plugins.module_utils._nic.request import NicRequest
from ansible_collections.kvmops.network.plugins.module_utils._problems import Problems

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._guest.definition import GuestDefinition
    from ansible_collections.kvmops.network.plugins.module_utils._guest.request import GuestRequest
    from ansible_collections.kvmops.network.plugins.module_utils._guest.survey import GuestSurvey
    from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import GuestState

__all__ = ["make_plan"]

_PLACEHOLDER_MEMORY = 1  # MiB; the exact amount is put in afterwards


def make_plan(survey: GuestSurvey, request: GuestRequest) -> GuestPlan:
    """Return what happens. Raises NetworkError where it cannot be."""
    if request.state == "absent":
        return _plan_absent(survey, request)
    life = survey.life
    if life is not None and not life.persistent:
        raise RefusedError(
            f"The guest '{request.name}' is transient: nothing is stored of it, and it is gone when it stops. Make it persistent "
            f"with 'virsh define', or choose another name."
        )
    _check_host(survey, request)
    plan = _plan_new(survey, request) if life is None else _plan_there(survey, request)
    plan_autostart(plan)
    plan_life(plan)
    _check_start(survey, plan)
    plan.waits = waits_of(plan, survey.live) + _nic_waits(plan)
    return plan


# --- a guest that is not there --------------------------------------------------------------------------------------------------


def _plan_new(survey: GuestSurvey, request: GuestRequest) -> GuestPlan:
    if not request.says_how:
        names = ", ".join(survey.guests.names()) or "none"
        raise InputError(
            f"name: the guest '{request.name}' does not exist, and the task does not say how it shall be. Correct the "
            f"name, or say at least what it boots from. The guests of this host are: {names}."
        )
    after = new_guest(request)
    plan = GuestPlan(request, None, None, after)
    plan_new_disk(survey, plan, after)
    printed = _print(survey, request, after)
    # the NIC is planned like that of any guest which is off
    state = survey.foresee_guest(GuestRecord(request.name, change_document(printed, after, name=request.name), None))
    _plan_nic(survey, plan, state, new=True)
    plan_configuration(survey, plan)
    text = change_document(printed, plan.after or after, name=request.name)
    plan.document = replace_nics(text, changed={}, added=_new_nics(plan))
    plan.defines = True
    plan.add("define", "the guest does not exist")
    return plan


def _print(survey: GuestSurvey, request: GuestRequest, after: GuestDefinition) -> str:
    command = virt_install_command(
        uri=survey.uri,
        name=request.name,
        vcpus=after.vcpus,
        memory=max(_PLACEHOLDER_MEMORY, after.memory // 1024),
        os_variant=after.mark.os_variant if after.mark is not None else "generic",
        arguments=request.arguments or (),
    )
    return print_definition(survey.run, command, name=request.name)


def _new_nics(plan: GuestPlan) -> list[t.Any]:
    plans = plan.nics.guests[plan.request.name].plans if plan.nics is not None else []
    return [nic.after.stored for nic in plans if nic.after is not None and nic.after.stored is not None]


# --- a guest that is there ------------------------------------------------------------------------------------------------------


def _plan_there(survey: GuestSurvey, request: GuestRequest) -> GuestPlan:
    before = survey.stored
    if before is None:
        raise NetworkError(f"The guest '{request.name}' has just gone; run the task again.")
    plan = GuestPlan(request, survey.life, before, changed_guest(request, before))
    check_size(survey, plan)
    _plan_nic(survey, plan, survey.guest(request.name), new=False)
    plan_configuration(survey, plan)
    after = plan.after
    if after is not None and after != before:
        change_document(
            survey.guests.read_whole(request.name), after, name=request.name
        )  # so that what stands against it is said
        plan.defines = True
        changed = ", ".join(differences(before, after)) or "what is remembered of it"
        plan.add("define", f"{changed} shall change")
    return plan


# --- both -----------------------------------------------------------------------------------------------------------------------


def _check_host(survey: GuestSurvey, request: GuestRequest) -> None:
    for option in ("iso", "image", "kernel", "initrd"):
        path = getattr(request, option)
        if path is not None:
            check_file(option, path)
    most = survey.domains.most_vcpus() if request.vcpus is not None else 0
    if most and (request.vcpus or 0) > most:
        raise InputError(f"vcpus: {request.vcpus} are more than the {most} that a guest of this host can have; give fewer.")


def _plan_nic(survey: GuestSurvey, plan: GuestPlan, state: GuestState, *, new: bool) -> None:
    request = plan.request
    if request.nic is None:
        return
    network = survey.networks.get(request.nic["source"]["network"])
    made_mac = ""
    if "mac" not in request.nic:
        made_mac = make_mac(machine_id=survey.machine_id, domain=request.name, nic=name_of(request.nic))
    found = find_nic(request.name, state.nics, request.nic, made_mac=made_mac)
    macs = {request.nic.get("mac", made_mac)} | (found.macs if found is not None else set())
    reservation = reservation_for(request.address, name=request.name, macs=macs, network=network, new=new or found is None)
    nic = NicRequest(request.name, "present", request.nic, reservation=reservation, wait_for_address=request.wait_for_address)
    try:
        plan.nics = make_joint_plan(survey, [nic], Problems(alone=True), prune=False)
    except NetworkError as error:
        raise _renamed(error) from None
    plan.warnings += [each for each in plan.nics.warnings if not _is_about_start(each)]
    for each in plan.nics.plan_of(plan.nics.order[0]).steps:
        if not (new and each.action == "define"):
            plan.add(each.action if each.action in ("reserve", "release") else f"{each.action} NIC", each.reason)


_NIC_OPTIONS = {"place": "network", "port": "isolated", "filterref": "filter"}


def _nic_waits(plan: GuestPlan) -> list[str]:
    """Return what of the NIC takes effect only when the guest is started anew, under the names that options have here."""
    if plan.nics is None or not plan.runs or plan.life_action == "start":
        return []
    return [_NIC_OPTIONS.get(name, name) for name in plan.nics.plan_of(plan.nics.order[0]).waits]


def _is_about_start(warning: str) -> bool:
    """Say whether a warning is about a network that does not run; a guest that shall start is refused then."""
    return "the guest cannot start before it does" in warning


_NAMES = {
    "source.network: ": "network: ",
    "filterref.filter: ": "filter: ",
    "reservation: ": "address: ",
    "port.isolated: ": "isolated: ",
}


def _renamed(error: NetworkError) -> NetworkError:
    """Return what is wrong with a NIC under the names that options have here."""
    text = str(error)
    for theirs, ours in _NAMES.items():
        text = text.replace(theirs, ours)
    return type(error)(text, **error.details)


def _check_start(survey: GuestSurvey, plan: GuestPlan) -> None:
    if plan.life_action != "start":
        return
    planned = plan.nics.guests[plan.request.name].nics if plan.nics is not None else []
    nics = planned or (survey.guest(plan.request.name).nics if plan.life is not None else ())
    names = [
        place_of(nic.stored.definition) or ""
        for nic in nics
        if nic.stored is not None and type_of(nic.stored.definition) == "network"
    ]
    check_startable(plan.request.name, names, survey.networks)


def _plan_absent(survey: GuestSurvey, request: GuestRequest) -> GuestPlan:
    life, stored = survey.life, survey.stored
    plan = GuestPlan(request, life, stored, None)
    if life is not None:
        refuse_removal(request, life, stored)
        plan_life(plan)
        if life.persistent:
            plan.undefines = True
            plan.add("undefine", "the guest shall be absent")
    # also what is left of a guest that somebody else removed
    plan.networks = plan_reservations(survey.networks, [], {request.name: set()})
    for change in plan.networks:
        plan.warnings += change.warnings
        for _owner, action, reason in change.actions:
            plan.add(action, reason)
    mark = stored.mark if stored is not None else None
    gone = [path for path in (mark.script, mark.seed) if path] if mark is not None else []
    if request.remove_disk:
        gone.append(mark.disk if mark is not None else disk_path(request, format_=request.disk.format or "qcow2"))
    for path in gone:
        if _is_there(survey, path):
            plan.removed.append(path)
            plan.add("remove", path)
    return plan


def _is_there(survey: GuestSurvey, path: str) -> bool:
    survey.check_unused("remove_disk", path)
    return survey.has_file(path)
