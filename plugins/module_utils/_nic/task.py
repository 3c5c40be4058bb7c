# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""From what a task asks for to what the guests have: read, say what is wanted, plan, apply, read again."""

from __future__ import annotations

import contextlib
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import CONNECTION_OPTIONS, Connection, is_local
from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import Guests
from ansible_collections.kvmops.network.plugins.module_utils._errors import ApplyError, InputError
from ansible_collections.kvmops.network.plugins.module_utils._module import changing_host, run_libvirt_module, see_links
from ansible_collections.kvmops.network.plugins.module_utils._nic.arrival import await_addresses, check_waiting, open_eyes
from ansible_collections.kvmops.network.plugins.module_utils._nic.carry_out import NicOutcome, carry_out, foresee
from ansible_collections.kvmops.network.plugins.module_utils._nic.joint_plan import JointPlan, make_joint_plan
from ansible_collections.kvmops.network.plugins.module_utils._nic.request import NicRequest
from ansible_collections.kvmops.network.plugins.module_utils._nic.survey import Survey
from ansible_collections.kvmops.network.plugins.module_utils._nic.view import describe_nic, make_diff
from ansible_collections.kvmops.network.plugins.module_utils._problems import Problems

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._nic.waiting import Eyes

__all__ = ["run_nic_task", "run_nics_task"]

_TIMEOUTS = ("address_timeout", "detach_timeout")


def run_nic_task(options: dict[str, t.Any]) -> t.NoReturn:
    """Run a module that manages one NIC."""
    run_libvirt_module(AnsibleModule(argument_spec={**CONNECTION_OPTIONS, **options}, supports_check_mode=True), _manage_nic)


def run_nics_task(options: dict[str, t.Any]) -> t.NoReturn:
    """Run a module that manages a list of NICs."""
    run_libvirt_module(AnsibleModule(argument_spec={**CONNECTION_OPTIONS, **options}, supports_check_mode=True), _manage_nics)


def _manage_nic(module: AnsibleModule) -> dict[str, t.Any]:
    _check_timeouts(module)
    requests = [NicRequest.from_options(module.params)]
    [result] = _manage(module, requests, Problems(alone=True), prune=False)
    status, msg = result.pop("status"), result.pop("msg")
    if not result["changed"]:
        result.pop("diff", None)
    if status == "failed":
        raise ApplyError(msg, **result)
    return result


def _manage_nics(module: AnsibleModule) -> dict[str, t.Any]:
    _check_timeouts(module)
    problems = Problems(alone=False)
    requests = []
    for number, entry in enumerate(module.params["nics"]):
        with problems.of(f"nics[{number}]"):
            requests.append(NicRequest.from_options(entry))
    problems.raise_any()
    results = _manage(module, requests, problems, prune=module.params["prune"])
    diffs = [result.pop("diff") for result in results if "diff" in result]
    result: dict[str, t.Any] = {"changed": any(each["changed"] for each in results), "nics": results}
    if module._diff:
        result["diff"] = diffs
    errors = list(dict.fromkeys(each["msg"] for each in results if each["status"] == "failed"))
    if errors:
        raise ApplyError(" ".join([*errors, _describe_rest(results)]), **result)
    return result


def _describe_rest(results: Sequence[dict[str, t.Any]]) -> str:
    changed = dict.fromkeys(f"'{each['domain']}'" for each in results if each["status"] == "changed")
    return f"The NICs of {', '.join(changed)} are as asked for." if changed else "No other guest was changed."


def _check_timeouts(module: AnsibleModule) -> None:
    for option in _TIMEOUTS:
        if module.params[option] < 0:
            raise InputError(f"{option}: '{module.params[option]}' is less than nothing; give seconds.")


def _manage(module: AnsibleModule, requests: list[NicRequest], problems: Problems, *, prune: bool) -> list[dict[str, t.Any]]:
    with _opened(module) as (connection, survey):
        plan = make_joint_plan(survey, requests, problems, prune=prune)
        for request, place in zip(requests, plan.order):
            with problems.of(request.label):
                check_waiting(request, plan.guests[place[0]].guest, plan.plan_of(place))
        problems.raise_any()
        outcomes = (
            foresee(plan) if module.check_mode else carry_out(connection, survey, plan, timeout=module.params["detach_timeout"])
        )
    for sentence in dict.fromkeys(plan.warnings):
        module.warn(sentence)
    # the others need not wait until a guest has its address
    with Connection(module.params["uri"]) as connection:
        eyes = open_eyes(module, Guests(connection))
        if not module.check_mode:
            outcomes = await_addresses(eyes, requests, outcomes, timeout=module.params["address_timeout"])
        return _make_results(module, eyes, plan, outcomes)


@contextlib.contextmanager
def _opened(module: AnsibleModule) -> Iterator[tuple[Connection, Survey]]:
    with changing_host(module) as connection:
        yield connection, Survey(connection, lambda: see_links(module), local=is_local(module.params["uri"]))


def _make_results(module: AnsibleModule, eyes: Eyes, plan: JointPlan, outcomes: Sequence[NicOutcome]) -> list[dict[str, t.Any]]:
    bridges: dict[str, dict[str, str | None]] = {}
    for outcome in outcomes:
        live = outcome.state.live if outcome.state is not None else None
        if live is not None:
            bridges.setdefault(outcome.plan.guest, {})[live.mac] = live.bridge
    seen = {domain: eyes.look(domain, nics, agent=False) for domain, nics in bridges.items()}
    results = []
    for outcome in outcomes:
        domain = outcome.plan.guest
        if outcome.waits and not outcome.error:
            _warn_of_waiting(module, outcome)
        addresses = outcome.addresses or seen.get(domain, [])
        result: dict[str, t.Any] = {
            "status": outcome.status,
            "msg": outcome.error,
            "changed": outcome.changed,
            "actions": [str(step) for step in outcome.plan.steps],
            "domain": domain,
            "nic": describe_nic(domain, outcome.state, addresses=addresses, waits=outcome.waits)
            if outcome.state is not None
            else None,
        }
        if module._diff and outcome.changed:
            result["diff"] = make_diff(outcome.plan, plan.networks)
        results.append(result)
    return results


def _warn_of_waiting(module: AnsibleModule, outcome: NicOutcome) -> None:
    module.warn(
        f"The NIC {outcome.plan.mac} of the guest '{outcome.plan.guest}' is stored as asked for, but libvirt cannot change "
        f"{', '.join(outcome.waits)} while the NIC is plugged in: it takes effect when the guest is started anew, or with "
        "replug: always, which takes the guest's connection away for a moment."
    )
