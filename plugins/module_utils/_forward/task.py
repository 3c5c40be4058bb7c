# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""From what a task asks for to a port forward that is so: read, say what is wanted, plan, apply, read again."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kvmops.network.plugins.module_utils._edge import forwards
from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import CONNECTION_OPTIONS, refuse_remote
from ansible_collections.kvmops.network.plugins.module_utils._edge.signals import uninterrupted
from ansible_collections.kvmops.network.plugins.module_utils._errors import ApplyError, NetworkError
from ansible_collections.kvmops.network.plugins.module_utils._file_changes import FileChange
from ansible_collections.kvmops.network.plugins.module_utils._forward.options import FORWARD_OPTIONS
from ansible_collections.kvmops.network.plugins.module_utils._forward.plan import make_plan
from ansible_collections.kvmops.network.plugins.module_utils._forward.request import ForwardRequest
from ansible_collections.kvmops.network.plugins.module_utils._forward.survey import ELSEWHERE, read_forward_host
from ansible_collections.kvmops.network.plugins.module_utils._forward.view import describe_forward, make_diff
from ansible_collections.kvmops.network.plugins.module_utils._module import (
    changing_host,
    command_runner,
    run_libvirt_module,
    see_links,
)
from ansible_collections.kvmops.network.plugins.module_utils._nic.apply_networks import apply_networks, put_back_networks
from ansible_collections.kvmops.network.plugins.module_utils._undo import say_put_back

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection
    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Run
    from ansible_collections.kvmops.network.plugins.module_utils._forward.host import ForwardHost
    from ansible_collections.kvmops.network.plugins.module_utils._forward.plan import Plan
    from ansible_collections.kvmops.network.plugins.module_utils._nic.survey import Survey

__all__ = ["run_forward_task"]


def run_forward_task() -> t.NoReturn:
    """Run the module that manages one port forward."""
    options = {**CONNECTION_OPTIONS, **FORWARD_OPTIONS}
    run_libvirt_module(AnsibleModule(argument_spec=options, supports_check_mode=True), _manage)


def _manage(module: AnsibleModule) -> dict[str, t.Any]:
    run, uri = command_runner(module), module.params["uri"]
    refuse_remote(uri, ELSEWHERE)
    request = ForwardRequest.from_options(module.params)
    with changing_host(module) as connection:
        host, survey = read_forward_host(run, connection, request, lambda: see_links(module), uri=uri)
        plan = make_plan(request, host)
        for sentence in plan.warnings:
            module.warn(sentence)
        if plan.steps and not module.check_mode:
            _apply(run, connection, survey, host, plan)
    result: dict[str, t.Any] = {
        "changed": bool(plan.steps),
        "actions": [str(step) for step in plan.steps],
        "reason": plan.reason,
        "forward": describe_forward(request.name, plan.after),
    }
    if plan.steps and module._diff:
        result["diff"] = make_diff(plan)
    return result


def _apply(run: Run, connection: Connection, survey: Survey, host: ForwardHost, plan: Plan) -> None:
    """Do what is planned. If a step fails, what was done before is taken back. Raises ApplyError with the reason."""
    after = {**host.files, **{change.path: change.after for change in plan.files}}
    with uninterrupted():
        apply_networks(connection, plan.networks, survey.network_records)
        try:
            forwards.settle(run, host.files, after, plan.files)
            left = forwards.read_faults(run, after) + forwards.read_idle(run, after)
            if left:
                raise ApplyError(f"it is not in force ({', '.join(left)})")
        except NetworkError as error:
            back = say_put_back(_put_back(run, connection, survey, host, plan))
            done = "made" if plan.after is not None else "removed"
            raise ApplyError(f"The forward '{plan.name}' could not be {done}: {error.reason}. {back}") from None


def _put_back(run: Run, connection: Connection, survey: Survey, host: ForwardHost, plan: Plan) -> list[str]:
    """Bring the host back to what it was before. Return what could not be, and why."""
    left = put_back_networks(connection, plan.networks, survey.network_records)
    try:
        now = forwards.read_owned_files()  # the step that failed may have been any
        paths = sorted({*now, *host.files})
        changes = [FileChange(path, now.get(path), host.files.get(path)) for path in paths]
        forwards.settle(run, now, host.files, [each for each in changes if each.before != each.after])
    except NetworkError as error:
        left.append(f"its files and units ({error.reason})")
    return left
