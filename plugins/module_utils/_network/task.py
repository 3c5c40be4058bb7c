# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""One network, from what a task asks for to what the host has: read, say what is wanted, plan, apply, read again."""

from __future__ import annotations

import contextlib
import difflib
import os
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import (
    CONNECTION_OPTIONS,
    Connection,
    LibvirtError,
    NetworkRecord,
    is_local,
)
from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Host, read_host
from ansible_collections.kvmops.network.plugins.module_utils._edge.lock import host_lock
from ansible_collections.kvmops.network.plugins.module_utils._errors import ApplyError, InputError, NetworkError, RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._format import document
from ansible_collections.kvmops.network.plugins.module_utils._module import run_module
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import (
    carry_identity,
    render_xml,
)
from ansible_collections.kvmops.network.plugins.module_utils._network.host_rules import Conflicts, find_conflicts
from ansible_collections.kvmops.network.plugins.module_utils._network.plan import (
    NetworkState,
    Plan,
    introduces_anything,
    make_plan,
    must_stop,
    wanted_definition,
)
from ansible_collections.kvmops.network.plugins.module_utils._network.request import NetworkRequest
from ansible_collections.kvmops.network.plugins.module_utils._network.state import find_users, read_state
from ansible_collections.kvmops.network.plugins.module_utils._network.view import make_diff, make_result

__all__ = ["run_network_task"]

# Where libvirt's schemas lie; source: libvirt's packages of Debian, Fedora and SUSE, and its own default prefix.
_SCHEMAS = ("/usr/share/libvirt/schemas/network.rng", "/usr/local/share/libvirt/schemas/network.rng")


def run_network_task(options: dict[str, t.Any]) -> t.NoReturn:
    """Run a module that manages one network."""
    run_module(AnsibleModule(argument_spec={**CONNECTION_OPTIONS, **options}, supports_check_mode=True), _manage)


def _manage(module: AnsibleModule) -> dict[str, t.Any]:
    request = NetworkRequest.from_options(module.params)
    lock = contextlib.nullcontext() if module.check_mode else host_lock(module.params["lock_timeout"])
    with lock, Connection(module.params["uri"]) as connection:
        return _converge(module, connection, request)


def _converge(module: AnsibleModule, connection: Connection, request: NetworkRequest) -> dict[str, t.Any]:
    records = connection.read_networks()
    before = read_state(request.name, records.get(request.name))
    wanted = request.wanted(before, known=records)
    introduces, stops = introduces_anything(before, wanted), must_stop(before, wanted)
    host = _see_host(module) if introduces or stops else None
    if introduces:
        definition = wanted_definition(before, wanted)
        if definition != before.definition:
            _check_schema(module.params["xml"] or render_xml(definition), connection.version())
        others = [read_state(name, record) for name, record in records.items() if name != request.name]
        starts = wanted.state == "active" and not before.active
        conflicts = find_conflicts(
            before, definition, others=others, host=host, starts=starts, allow_overlap=request.allow_overlap
        )
        _refuse(module, conflicts)
    users = find_users(before, connection.read_guest_nics(), host) if stops else []
    plan = make_plan(before, wanted, users)
    if plan.steps and not module.check_mode:
        _apply(connection, plan, before, records.get(request.name))
        after = read_state(request.name, connection.read_network(request.name))
    else:
        after = plan.after
    if plan.pending_restart:
        module.warn(
            f"The definition of the network '{request.name}' is stored, but does not take effect before the network "
            f"is started anew: it is in use by {', '.join(plan.users)}."
        )
    result = {
        "changed": bool(plan.steps),
        "actions": [str(step) for step in plan.steps],
        "pending_restart": plan.pending_restart,
        "network": make_result(after),
    }
    if plan.steps and module._diff:
        result["diff"] = make_diff(before, plan)
    return result


def _see_host(module: AnsibleModule) -> Host | None:
    uri = module.params["uri"]
    if not is_local(uri):
        module.warn(f"The daemon at {uri} is not this host's: its addresses, routes and interfaces are not checked.")
        return None
    return read_host(lambda command: module.run_command(command, handle_exceptions=False))


def _refuse(module: AnsibleModule, conflicts: Conflicts) -> None:
    """Refuse what cannot work on this host, before anything is changed, and warn of what may not be meant."""
    if conflicts.refused:
        raise RefusedError(" ".join(conflicts.refused + conflicts.overlaps))
    if conflicts.overlaps:
        raise RefusedError(" ".join(conflicts.overlaps), overlaps=list(conflicts.overlaps))
    for sentence in conflicts.warnings:
        module.warn(sentence)


def _check_schema(text: str, version: str) -> None:
    schema = next((path for path in _SCHEMAS if os.path.exists(path)), None)
    problems = document.schema_problems(text, schema=schema) if schema else []
    if problems:
        raise InputError(
            f"The definition does not fit the schema of the libvirt {version} on this host: {'; '.join(problems[:3])}. Correct "
            "it, see https://libvirt.org/formatnetwork.html."
        )


# --- applying a plan ----------------------------------------------------------------------------------------------------------


def _apply(connection: Connection, plan: Plan, before: NetworkState, record: NetworkRecord | None) -> None:
    """Do the steps, and look whether they had their effect. If one fails, everything is put back as it was.

    Raises ApplyError with the reason, and with what could not be put back.
    """
    name = before.name
    doing = ""
    try:
        for step in plan.steps:
            doing = step.action
            _do(connection, step.action, name, plan.after)
        doing = "verify"
        _verify(connection, plan.after)
    except NetworkError as error:
        failure = f"The network '{name}': '{doing}' failed: {str(error).rstrip('.')}"
        try:
            _put_back(connection, before, record)
        except NetworkError as second:
            raise ApplyError(
                f"{failure}. Putting everything back failed too: {str(second).rstrip('.')}. Look at it with virsh net-list --all."
            ) from None
        raise ApplyError(f"{failure}. Everything was put back as it was.") from None


def _do(connection: Connection, action: str, name: str, after: NetworkState) -> None:
    if action == "define":
        connection.define_network(render_xml(after.stored or {}))
    elif action == "start":
        connection.start_network(name)
    elif action == "stop":
        connection.stop_network(name)
    elif action == "undefine":
        connection.undefine_network(name)
    else:
        connection.set_network_autostart(name, autostart=action == "autostart on")


def _verify(connection: Connection, wanted: NetworkState) -> None:
    """Raise LibvirtError if what libvirt shows now is not what was wanted."""
    actual = read_state(wanted.name, connection.read_network(wanted.name))
    if not connection.shows_stored and actual.active:
        actual = NetworkState(name=actual.name, stored=wanted.stored, live=actual.live, autostart=actual.autostart)
    for label, want, have in (
        ("active", wanted.active, actual.active),
        ("stored", wanted.stored is not None, actual.stored is not None),
        ("autostart", wanted.autostart, actual.autostart),
    ):
        if want != have:
            raise LibvirtError(f"libvirt said that it was done, but the network is {'' if have else 'not '}{label}")
    for want_definition, have_definition in ((wanted.stored, actual.stored), (wanted.live, actual.live)):
        if want_definition is None or have_definition is None:
            continue
        want_text, have_text = render_xml(carry_identity(want_definition, have_definition)), render_xml(have_definition)
        if want_text != have_text:
            lines = difflib.unified_diff(want_text.splitlines(), have_text.splitlines(), "wanted", "libvirt", lineterm="", n=0)
            raise LibvirtError("libvirt keeps another definition than was asked for: " + " | ".join(lines))


def _put_back(connection: Connection, before: NetworkState, record: NetworkRecord | None) -> None:
    """Bring a network back to what it was, as libvirt itself wrote it."""
    now = connection.read_network(before.name)
    if record is None:
        if now is not None and now.live_xml is not None:
            connection.stop_network(before.name)
        if now is not None and now.stored_xml is not None:
            connection.undefine_network(before.name)
        return
    runs = now is not None and now.live_xml is not None
    if record.stored_xml is not None and (now is None or now.stored_xml != record.stored_xml):
        connection.define_network(record.stored_xml)
    elif record.stored_xml is None and now is not None and now.stored_xml is not None:
        connection.undefine_network(before.name)
    if runs and read_state(before.name, now).live != before.live:
        connection.stop_network(before.name)
        runs = False
    if record.live_xml is not None and not runs:
        if record.stored_xml is not None:
            connection.start_network(before.name)
        else:
            connection.create_network(record.live_xml)
    if record.stored_xml is not None:
        connection.set_network_autostart(before.name, autostart=record.autostart)
