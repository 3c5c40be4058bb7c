# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What becomes of a change of the host's own network: it is confirmed, or taken back."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kvmops.network.plugins.module_utils._bridge.goal import shortfalls
from ansible_collections.kvmops.network.plugins.module_utils._edge import transaction
from ansible_collections.kvmops.network.plugins.module_utils._edge.gateway import router_answers
from ansible_collections.kvmops.network.plugins.module_utils._edge.links import read_all_links
from ansible_collections.kvmops.network.plugins.module_utils._errors import ApplyError, InputError, RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._module import command_runner, run_module

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Run
    from ansible_collections.kvmops.network.plugins.module_utils._edge.transaction import State

__all__ = ["run_transaction_task"]

_ROUTER_TIMEOUT = 2.0  # seconds; whoever confirms asks again
_WAY_BACK_TIMEOUT = 120.0  # seconds


def run_transaction_task(options: dict[str, t.Any]) -> t.NoReturn:
    """Run the module that decides about a change."""
    run_module(AnsibleModule(argument_spec=options, supports_check_mode=True), _decide)


def _decide(module: AnsibleModule) -> dict[str, t.Any]:
    wanted, wanted_id = module.params["state"], module.params["id"]
    state = transaction.read_state()
    _check(state, wanted=wanted, wanted_id=wanted_id)
    changed = False
    if state is not None and state.is_open and wanted == "confirmed":
        changed = _confirm(module, state)
    elif state is not None and state.is_open and wanted == "reverted":
        changed = True
        if not module.check_mode:
            transaction.revert(command_runner(module), state, timeout=_WAY_BACK_TIMEOUT)
    after = transaction.read_state() if changed else state
    return {"changed": changed, "transaction": None if after is None else _describe(after)}


def _check(state: State | None, *, wanted: str, wanted_id: str | None) -> None:
    if wanted_id is not None and (state is None or state.id != wanted_id):
        last = "there was none" if state is None else f"the last one is {state.id}"
        raise InputError(f"id: there is no transaction {wanted_id} on this host; {last}.")
    if wanted == "shown":
        return
    if state is None:
        raise RefusedError("No change of this host's own network waits for anything.")
    if wanted == "confirmed" and state.state in ("reverting", "reverted"):
        verb = "has been taken back" if state.state == "reverted" else "is being taken back"
        raise RefusedError(
            f"The change of {state.bridge} {verb} ({state.why}) and cannot be confirmed.", transaction=_describe(state)
        )
    if wanted == "reverted" and state.state == "confirmed":
        raise RefusedError(
            f"The change of {state.bridge} was confirmed and cannot be taken back by this. Use host_bridge to change it again.",
            transaction=_describe(state),
        )


def _confirm(module: AnsibleModule, state: State) -> bool:
    run = command_runner(module)
    missing = _missing(run, state)
    if missing:
        raise ApplyError(
            f"The change of {state.bridge} was not confirmed: {'; '.join(missing)}. It still waits, until it goes back by "
            "itself.",
            missing=missing,
            transaction=_describe(state),
        )
    if not module.check_mode:
        transaction.confirm(run, state)
    return True


def _missing(run: Run, state: State) -> list[str]:
    if not state.applied:
        return ["it is still being made"]
    links = read_all_links(run)
    missing = [short.text for short in shortfalls(state.goal, links)]
    if missing or not state.check_gateway:
        return missing
    routes = [links.default_route(state.goal.carrier, versions=(version,)) for version in (4, 6)]
    return [
        f"the router {route.gateway} does not answer on {route.device}"
        for route in routes
        if route is not None and route.gateway and not router_answers(run, route.gateway, route.device, timeout=_ROUTER_TIMEOUT)
    ]


def _describe(state: State) -> dict[str, t.Any]:
    return {
        "id": state.id,
        "bridge": state.bridge,
        "state": state.state,
        "applied": state.applied,
        "left": round(state.left, 1),
        "why": state.why,
        "failure": state.failure,
        "unfinished": state.unfinished.splitlines(),
        "log": state.log.splitlines(),
        "seen": state.seen.splitlines(),
    }
