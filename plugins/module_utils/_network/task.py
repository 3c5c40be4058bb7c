# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""From what a task asks for to what the host has: read, say what is wanted, plan, apply, read again."""

from __future__ import annotations

import contextlib
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import CONNECTION_OPTIONS, Connection, is_local
from ansible_collections.kvmops.network.plugins.module_utils._edge.plugs import plug_in
from ansible_collections.kvmops.network.plugins.module_utils._errors import ApplyError, InputError
from ansible_collections.kvmops.network.plugins.module_utils._module import (
    changing_host,
    command_runner,
    run_libvirt_module,
    see_host,
)
from ansible_collections.kvmops.network.plugins.module_utils._network.carry_out import Outcome, carry_out, foresee
from ansible_collections.kvmops.network.plugins.module_utils._network.effects import find_effects, seconds
from ansible_collections.kvmops.network.plugins.module_utils._network.joint_plan import JointPlan, make_joint_plan
from ansible_collections.kvmops.network.plugins.module_utils._network.mark import has_mark
from ansible_collections.kvmops.network.plugins.module_utils._network.outage import FOREVER, RESTART, in_words
from ansible_collections.kvmops.network.plugins.module_utils._network.plan import is_pending, what_is_pending
from ansible_collections.kvmops.network.plugins.module_utils._network.request import NetworkRequest, label_of
from ansible_collections.kvmops.network.plugins.module_utils._network.survey import Survey
from ansible_collections.kvmops.network.plugins.module_utils._network.view import make_diff, make_result
from ansible_collections.kvmops.network.plugins.module_utils._problems import Problems

if t.TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["run_network_task", "run_networks_task"]


def run_network_task(options: dict[str, t.Any]) -> t.NoReturn:
    """Run a module that manages one network."""
    run_libvirt_module(AnsibleModule(argument_spec={**CONNECTION_OPTIONS, **options}, supports_check_mode=True), _manage_network)


def run_networks_task(options: dict[str, t.Any]) -> t.NoReturn:
    """Run a module that manages a list of networks."""
    run_libvirt_module(AnsibleModule(argument_spec={**CONNECTION_OPTIONS, **options}, supports_check_mode=True), _manage_networks)


def _manage_network(module: AnsibleModule) -> dict[str, t.Any]:
    request = NetworkRequest.from_options(module.params)
    with _opened(module) as (connection, survey):
        plan = make_joint_plan(survey, [request], alone=True)
        [outcome] = _bring_about(module, connection, survey, plan)
    if outcome.error:
        raise ApplyError(outcome.error)
    result = _make_result(outcome)
    if result["changed"] and module._diff:
        result["diff"] = make_diff(outcome.change.before, outcome.change.plan)
    return result


def _manage_networks(module: AnsibleModule) -> dict[str, t.Any]:
    requests = _read_requests(module.params)
    with _opened(module) as (connection, survey):
        pruned = _list_pruned(survey, requests, module.params)
        plan = make_joint_plan(survey, requests + pruned, alone=False, adopts=module.params["prune"])
        outcomes = _bring_about(module, connection, survey, plan)
    result = {
        "changed": any(outcome.changed for outcome in outcomes),
        "networks": [
            {"name": outcome.change.name, "status": outcome.status, "msg": outcome.error, **_make_result(outcome)}
            for outcome in outcomes
        ],
    }
    if module._diff:
        changed = [outcome.change for outcome in outcomes if outcome.status == "changed"]
        result["diff"] = [make_diff(change.before, change.plan) for change in changed]
    # what failed comes before what could not be begun because of it
    failures = sorted((outcome for outcome in outcomes if outcome.error), key=lambda outcome: outcome.status == "untouched")
    errors = list(dict.fromkeys(outcome.error for outcome in failures))
    if errors:
        raise ApplyError(" ".join([*errors, _describe_rest(outcomes)]), **result)
    return result


def _read_requests(options: t.Mapping[str, t.Any]) -> list[NetworkRequest]:
    entries = options["networks"]
    names = [entry["name"] for entry in entries]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"networks: {', '.join(repr(name) for name in twice)} is there twice; leave one entry for each network.")
    problems = Problems(alone=False)
    requests = []
    for entry in entries:
        with problems.of(label_of(entry["name"])):
            requests.append(NetworkRequest.from_options({**entry, "force": entry["force"] or options["force"]}))
    problems.raise_any()
    return requests


def _list_pruned(survey: Survey, requests: list[NetworkRequest], options: t.Mapping[str, t.Any]) -> list[NetworkRequest]:
    """Return a request that it be absent for each network that belongs to the list and is not in it any more."""
    if not options["prune"]:
        return []
    kept = {*options["protected"], *(request.name for request in requests)}
    return [
        NetworkRequest.pruning(name, force=options["force"])
        for name in sorted(set(survey.records) - kept)
        if any(has_mark(definition) for definition in survey.state(name).definitions)
    ]


@contextlib.contextmanager
def _opened(module: AnsibleModule) -> Iterator[tuple[Connection, Survey]]:
    with changing_host(module) as connection:
        yield connection, Survey(connection, lambda: see_host(module))


def _bring_about(module: AnsibleModule, connection: Connection, survey: Survey, plan: JointPlan) -> list[Outcome]:
    for sentence in plan.warnings:
        module.warn(sentence)
    outcomes = foresee(plan) if module.check_mode else carry_out(connection, survey, plan, _plugger(module, connection))
    for change in (outcome.change for outcome in outcomes if not outcome.error):
        if change.plan.waits:
            module.warn(
                f"The network '{change.name}' takes {', '.join(change.plan.pending)} from its definition only when it is started "
                f"anew: {change.plan.waits}."
            )
        if RESTART < change.plan.outage < FOREVER:
            module.warn(
                f"The network '{change.name}' changes while guests are plugged in, and they may be cut off from the outside for "
                f"{in_words(change.plan.outage)} in all. With restart: always it would be started anew, for "
                f"{in_words(RESTART)}, and the guests plugged in again."
            )
    return outcomes


def _plugger(module: AnsibleModule, connection: Connection) -> t.Callable[[str], None]:
    """Return what plugs the running guests of a network in again, by its name; of another host's nothing is known."""
    if not is_local(module.params["uri"]):
        return lambda _name: None
    return lambda name: plug_in(connection, command_runner(module), name)


def _make_result(outcome: Outcome) -> dict[str, t.Any]:
    change = outcome.change
    return {
        "changed": outcome.changed,
        "actions": [] if outcome.error else [str(step) for step in change.plan.steps],
        "differences": [] if outcome.error else [effect._asdict() for effect in find_effects(change.before, change.plan)],
        "expected_outage": 0.0 if outcome.error else seconds(change.plan.outage),
        "pending_restart": is_pending(outcome.network),
        "pending_changes": what_is_pending(outcome.network),
        "network": make_result(outcome.network),
    }


def _describe_rest(outcomes: list[Outcome]) -> str:
    changed = [f"'{outcome.change.name}'" for outcome in outcomes if outcome.status == "changed"]
    return f"Changed as asked for: {', '.join(changed)}." if changed else "No other network was changed."
