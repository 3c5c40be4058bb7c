# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""From what a task asks for to what the host has: read, say what is wanted, plan, apply, read again."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import (
    CONNECTION_OPTIONS,
    Connection,
    is_local,
    refuse_remote,
)
from ansible_collections.kvmops.network.plugins.module_utils._errors import ApplyError
from ansible_collections.kvmops.network.plugins.module_utils._guest.apply import apply_plan
from ansible_collections.kvmops.network.plugins.module_utils._guest.definition import read_definition
from ansible_collections.kvmops.network.plugins.module_utils._guest.planning import make_plan
from ansible_collections.kvmops.network.plugins.module_utils._guest.request import GuestRequest
from ansible_collections.kvmops.network.plugins.module_utils._guest.result import address_of, describe_place, main_nic
from ansible_collections.kvmops.network.plugins.module_utils._guest.survey import GuestSurvey
from ansible_collections.kvmops.network.plugins.module_utils._guest.view import describe_guest, diffs_of
from ansible_collections.kvmops.network.plugins.module_utils._module import (
    changing_host,
    command_runner,
    run_libvirt_module,
    see_links,
)
from ansible_collections.kvmops.network.plugins.module_utils._nic.arrival import await_addresses, open_eyes
from ansible_collections.kvmops.network.plugins.module_utils._nic.carry_out import NicOutcome
from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import read_guest
from ansible_collections.kvmops.network.plugins.module_utils._nic.request import NicRequest
from ansible_collections.kvmops.network.plugins.module_utils._nic.reservation import Reservation

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._guest.plan import GuestPlan

__all__ = ["run_guest_task"]


def run_guest_task(options: dict[str, t.Any]) -> t.NoReturn:
    """Run the module that manages a guest."""
    run_libvirt_module(AnsibleModule(argument_spec={**CONNECTION_OPTIONS, **options}, supports_check_mode=True), _manage)


def _manage(module: AnsibleModule) -> dict[str, t.Any]:
    refuse_remote(module.params["uri"], "a guest's disk and files are made on its own host")
    request = GuestRequest.from_options(module.params)
    with changing_host(module) as connection:
        survey = _survey(module, connection, request)
        plan = make_plan(survey, request)
        if not module.check_mode and plan.steps:
            apply_plan(survey, plan, stop_timeout=module.params["stop_timeout"])
            result = _result(_survey(module, connection, request), plan)
        else:
            result = _foreseen(survey, plan)
    # the others need not wait until the guest has its address
    error = "" if module.check_mode or not request.wait_for_address else _wait(module, plan)
    for sentence in dict.fromkeys(plan.warnings):
        module.warn(sentence)
    if plan.waits:
        module.warn(
            f"The guest '{request.name}' runs with another {', '.join(plan.waits)} than is stored: what is stored takes "
            "effect when the guest is stopped and started."
        )
    if module._diff and plan.steps:
        result["diff"] = diffs_of(plan)
    if error:
        raise ApplyError(error, **result)
    return result


def _survey(module: AnsibleModule, connection: Connection, request: GuestRequest) -> GuestSurvey:
    uri = module.params["uri"]
    return GuestSurvey(connection, lambda: see_links(module), command_runner(module), request.name, uri=uri, local=is_local(uri))


def _foreseen(survey: GuestSurvey, plan: GuestPlan) -> dict[str, t.Any]:
    """Return the result of a plan as it is, or as it would be."""
    result = _common(plan)
    if plan.after is None:
        return {**result, **describe_place(None, plan.request.name, {}), "guest": None}
    if plan.nics is not None:
        nic = plan.nics.plan_of(plan.nics.order[0]).after
    else:
        nics = survey.guest(plan.request.name).nics if plan.life is not None else ()
        nic = main_nic(nics, "lan")
    place = describe_place(nic, plan.request.name, survey.networks)
    place["ip_address"] = address_of(survey, plan)
    life = plan.life
    autostart = plan.autostart if plan.autostart is not None else life is not None and life.autostart
    guest = describe_guest(
        plan.after,
        name=plan.request.name,
        state="running" if plan.runs else "stopped",
        autostart=autostart,
        waits=plan.waits,
    )
    return {**result, **place, "guest": guest}


def _result(survey: GuestSurvey, plan: GuestPlan) -> dict[str, t.Any]:
    """Return the result of a plan that was carried out, as libvirt shows it now. Raises ApplyError if it is something else."""
    result, name = _common(plan), plan.request.name
    record, life = survey.record, survey.life
    if record is None or record.stored_xml is None or life is None:
        if plan.after is not None:
            raise ApplyError(f"libvirt said that it was done, but the guest '{name}' is not there.", **result)
        return {**result, **describe_place(None, name, {}), "guest": None}
    stored = read_definition(record.stored_xml, name)
    if plan.after is None or stored != plan.after:
        raise ApplyError(
            f"libvirt keeps another definition of the guest '{name}' than was asked for; look at it with 'virsh dumpxml {name}'.",
            **result,
        )
    alias = plan.request.nic["alias"] if plan.request.nic is not None else "lan"
    nic = main_nic(read_guest(record).nics, alias)
    guest = describe_guest(
        stored, name=name, state="running" if life.running else "stopped", autostart=life.autostart, waits=plan.waits
    )
    return {**result, **describe_place(nic, name, survey.networks), "guest": guest}


def _common(plan: GuestPlan) -> dict[str, t.Any]:
    return {"changed": bool(plan.steps), "actions": [str(step) for step in plan.steps], "domain_name": plan.request.name}


def _wait(module: AnsibleModule, plan: GuestPlan) -> str:
    """Wait for the guest's address. Return what is said if it does not come."""
    request = plan.request
    with Connection(module.params["uri"]) as connection:
        survey = _survey(module, connection, request)
        if plan.nics is None or survey.record is None:
            return ""
        nic = plan.nics.plan_of(plan.nics.order[0])
        state = main_nic(read_guest(survey.record).nics, request.nic["alias"] if request.nic is not None else "lan")
        reserved = describe_place(state, request.name, survey.networks)["ip_address"]
        wish = NicRequest(request.name, "present", {}, reservation=Reservation(ipv4=reserved), wait_for_address=True)
        eyes = open_eyes(module, survey.guests)
        [outcome] = await_addresses(eyes, [wish], [NicOutcome(nic, state)], timeout=module.params["address_timeout"])
    return outcome.error
