# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.


"""From what a task asks for to an interface that is so, and back where that fails."""

from __future__ import annotations

import time
import typing as t
from dataclasses import replace

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kvmops.network.plugins.module_utils._edge import macvtap
from ansible_collections.kvmops.network.plugins.module_utils._errors import ApplyError, NetworkError, RequirementError
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.backend import RELOADS
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.keeping import BACKENDS, kept_by, wanted_tap
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.plan import link_changes, make_plan
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.request import Request
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.survey import foreign_lines, read_host, read_interface_of
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.view import describe, make_diff
from ansible_collections.kvmops.network.plugins.module_utils._module import command_runner, only_writer, run_module

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Run
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.host import Host, Parent
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.plan import Plan

__all__ = ["run_interface_task"]

_SETTLING_TIME = 10  # seconds
_POLL = 0.1  # seconds
_NO_SUCH_KIND = "Unknown device type"  # what the kernel says through ip


def run_interface_task(options: dict[str, t.Any]) -> t.NoReturn:
    """Run the module that manages a macvtap or macvlan interface."""
    run_module(AnsibleModule(argument_spec=options, supports_check_mode=True), _manage)


def _manage(module: AnsibleModule) -> dict[str, t.Any]:
    request = Request.from_options(module.params)
    with only_writer(module):
        return _change(module, request)


def _change(module: AnsibleModule, request: Request) -> dict[str, t.Any]:
    run = command_runner(module)
    host = read_host(run, request)
    plan = make_plan(request, host, tap_differs=_tap_differs(request, host))
    for sentence in plan.warnings:
        module.warn(sentence)
    result: dict[str, t.Any] = {
        "changed": plan.changed,
        "actions": plan.steps,
        "recreated": bool(plan.links.recreated),
        "backend": plan.backend,
    }
    if module._diff and plan.changed:
        result["diff"] = make_diff(plan, host.found, host.node)
    after = _apply(run, plan, host) if plan.changed and not module.check_mode else host
    result["interface"] = _describe(plan, after, predicted=module.check_mode)
    return result


def _tap_differs(request: Request, host: Host) -> bool:
    """Say whether others may open the device node than the task says. Raises InputError for users that are not there."""
    tap = wanted_tap(request, host.files)
    if tap is None:
        return False
    owner, group = macvtap.ids_of(tap)
    node = host.node
    return node is not None and (node.owner, node.group, node.mode) != (owner, group, tap.mode)


def _describe(plan: Plan, host: Host, *, predicted: bool) -> dict[str, t.Any] | None:
    interface = plan.wanted if predicted and plan.changed else host.found
    if interface is None:
        return None
    device = host.links.devices.get(interface.name) if not plan.links.recreated or not predicted else None
    if predicted and not interface.mac:
        interface = replace(interface, mac=host.links.devices[interface.parent].mac)
    node = host.node if device is not None else None
    if predicted and node is not None and plan.tap is not None:
        owner, group = macvtap.ids_of(plan.tap)
        node = replace(node, owner=owner, group=group, mode=plan.tap.mode)
    result = describe(interface, device=device, node=node)
    if predicted and host.found is not None and interface.broadcast_queue != host.found.broadcast_queue:
        result["effective_bcqueuelen"] = None  # the kernel finds it
    return result


def _apply(run: Run, plan: Plan, host: Host) -> Host:
    """Do what is planned, and return the host as it is then.

    Raises ApplyError, or RequirementError where the kernel has no such interfaces; all is put back.
    """
    try:
        macvtap.run_all(run, plan.release)
        macvtap.change_files(plan.files)
        macvtap.run_all(run, plan.reload)
        macvtap.carry_out(run, plan.links.actions)
        macvtap.run_all(run, plan.follow)
        if plan.wanted is not None and plan.wanted.kind == "macvtap":
            macvtap.give_node(plan.request.name, plan.tap)
        return _settle(run, plan, host.parent)
    except NetworkError as error:
        if _NO_SUCH_KIND in str(error):
            error = RequirementError(
                f"The kernel of this host has no {plan.request.kind} (kernels for clouds leave it out). Install one that has, on "
                "Debian the package linux-image-amd64, and boot it."
            )
        left = _put_back(run, plan, host)
        what = f"What could not be put back: {left}" if left else "All is as it was before."
        raise type(error)(f"{error} {what}") from None


def _settle(run: Run, plan: Plan, parent: Parent) -> Host:
    """Return the host once those who follow their files have done so. Raises ApplyError where that is not as wanted.

    What somebody else gave the parent, networkd takes away when it configures that again; it is put back.
    """
    deadline = time.monotonic() + _SETTLING_TIME
    while True:
        host = read_interface_of(run, plan.request.name)
        left = link_changes(host.found, plan.wanted).changes
        there = set(foreign_lines(parent.name, host.links)) if parent.foreign else set()
        gone = [line for line in parent.foreign if line not in there]
        if gone:
            macvtap.carry_out(run, gone)
        elif not left and (plan.backend != "networkd" or host.settled):
            return host
        if time.monotonic() > deadline:
            what = ", ".join(change.text for change in left) or "networkd is still at work on it"
            raise ApplyError(f"{plan.request.name} did not stay as it was made; what would have to be done again: {what}.")
        time.sleep(_POLL)


def _put_back(run: Run, plan: Plan, host: Host) -> str:
    """Bring the host back to what it was before, as far as that can be done; return the sentences of what could not."""
    problems = []
    back = [replace(change, before=change.after, after=change.before) for change in plan.files]
    kept = kept_by(plan.request.name, host.files)
    follow = kept.follow(plan.request.name, addressed=True) if kept is not None else []
    made = BACKENDS.get(plan.backend)
    steps: list[t.Callable[[], None]] = [
        # who has just learnt of the interface would make it again
        lambda: macvtap.run_all(run, made.release(plan.request.name)) if made is not None and made is not kept else None,
        lambda: macvtap.change_files(back),
        lambda: macvtap.run_all(run, plan.reload),
        lambda: _make_by_manager(run, plan, host) if kept is not None and kept.makes_it_itself else None,
        lambda: macvtap.carry_out(run, link_changes(read_interface_of(run, plan.request.name).found, host.found).actions),
        lambda: macvtap.run_all(run, [*(command for command in plan.follow if command in RELOADS.values()), *follow]),
    ]
    for step in steps:
        try:
            step()
        except NetworkError as error:
            problems.append(str(error))
    return " ".join(problems)


def _make_by_manager(run: Run, plan: Plan, host: Host) -> None:
    """Have the manager that kept the interface make it again, and wait for it."""
    if host.found is None:
        return
    macvtap.run_all(run, plan.follow)
    deadline = time.monotonic() + _SETTLING_TIME
    while read_interface_of(run, plan.request.name).found is None and time.monotonic() < deadline:
        time.sleep(_POLL)
