# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""From what a task asks for to a change of the host's network that waits for being confirmed."""

from __future__ import annotations

import secrets
import typing as t
from dataclasses import replace

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kvmops.network.plugins.module_utils._bridge import survey
from ansible_collections.kvmops.network.plugins.module_utils._bridge.plan import make_plan
from ansible_collections.kvmops.network.plugins.module_utils._bridge.request import Request
from ansible_collections.kvmops.network.plugins.module_utils._bridge.silencing import say_who_silences
from ansible_collections.kvmops.network.plugins.module_utils._bridge.subject import subject_of
from ansible_collections.kvmops.network.plugins.module_utils._bridge.view import describe_bridge, make_diff
from ansible_collections.kvmops.network.plugins.module_utils._edge import transaction
from ansible_collections.kvmops.network.plugins.module_utils._edge.files import read_files
from ansible_collections.kvmops.network.plugins.module_utils._errors import RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._module import command_runner, only_writer, run_module

__all__ = ["run_bridge_task"]


def run_bridge_task(options: dict[str, t.Any]) -> t.NoReturn:
    """Run the module that manages a host's bridge."""
    run_module(AnsibleModule(argument_spec=options, supports_check_mode=True), _manage)


def _manage(module: AnsibleModule) -> dict[str, t.Any]:
    request = Request.from_options(module.params)
    with only_writer(module):
        return _change(module, request)


def _change(module: AnsibleModule, request: Request) -> dict[str, t.Any]:
    run = command_runner(module)
    _refuse_open_window(transaction.read_state())
    host = survey.read_host(run, request)
    record, paths = subject_of(request, host, survey.BACKENDS)
    backend = survey.BACKENDS[record.backend].variant(record) if record is not None else None
    if backend is not None:
        paths += survey.read_shared_paths(backend)
    plan = make_plan(request, replace(host, files=read_files(paths)), record, backend)
    silenced = say_who_silences(run, request.name) if request.state == "present" else []
    for sentence in (*plan.warnings, *silenced):
        module.warn(sentence)
    result: dict[str, t.Any] = {"changed": plan.changed, "actions": list(plan.steps), "reasons": list(plan.reasons)}
    if plan.record is not None:
        result["bridge"] = describe_bridge(plan.record, host.links)
    if not plan.changed:
        return result
    result["outage"] = plan.outage
    if module._diff:
        result["diff"] = make_diff(plan, host.links)
    if backend is None or plan.goal is None:
        raise ValueError("a plan without a back end")
    survey.check_tools(module, backend)
    if not module.check_mode:
        change = plan.transaction(secrets.token_hex(4), request, backend)
        transaction.start(run, change, plan.goal, check_gateway=request.check_gateway)
        result["transaction"] = {"id": change.id, "confirm_timeout": change.window}
    return result


def _refuse_open_window(state: transaction.State | None) -> None:
    if state is not None and state.is_open:
        when = f"goes back by itself in {state.left:.0f} seconds" if state.state == "armed" else "is going back at this moment"
        raise RefusedError(
            f"A change of {state.bridge} on this host (transaction {state.id}) has not been confirmed, and {when}. Run the "
            "task again after that, or decide now with kvmops.network.host_bridge_transaction."
        )
