# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""One network, from what a task asks for to what the host has: read, say what is wanted, plan, apply, read again."""

from __future__ import annotations

import contextlib
import functools
import os
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import (
    CONNECTION_OPTIONS,
    Connection,
    is_local,
)
from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Host, read_host
from ansible_collections.kvmops.network.plugins.module_utils._edge.lock import host_lock
from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._format import document
from ansible_collections.kvmops.network.plugins.module_utils._module import run_module
from ansible_collections.kvmops.network.plugins.module_utils._network.apply import apply_plan
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import render_xml
from ansible_collections.kvmops.network.plugins.module_utils._network.host_rules import Conflicts, find_conflicts
from ansible_collections.kvmops.network.plugins.module_utils._network.plan import (
    make_plan,
    must_stop,
    wanted_definition,
)
from ansible_collections.kvmops.network.plugins.module_utils._network.request import NetworkRequest
from ansible_collections.kvmops.network.plugins.module_utils._network.state import find_users, read_state
from ansible_collections.kvmops.network.plugins.module_utils._network.versions import find_too_new
from ansible_collections.kvmops.network.plugins.module_utils._network.view import make_diff, make_result

if t.TYPE_CHECKING:
    Definition = dict[str, t.Any]

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
    see_host = functools.lru_cache(maxsize=None)(lambda: _see_host(module))
    users = find_users(before, connection.read_guest_nics(), see_host()) if must_stop(before, wanted) else []
    plan = make_plan(before, wanted, users)
    if plan.does("define") or plan.does("start"):
        definition = wanted_definition(before, wanted)
        too_new = find_too_new(definition, connection.version(), before.stored)
        if too_new:
            raise InputError(" ".join(too_new))
        validate = _check_schema(module.params["xml"], before.stored, definition, connection.version())
        others = [read_state(name, record) for name, record in records.items() if name != request.name]
        starts = plan.does("start") and not before.active
        conflicts = find_conflicts(
            before, definition, others=others, host=see_host(), starts=starts, allow_overlap=request.allow_overlap
        )
        _refuse(module, conflicts)
    else:
        validate = True
    if plan.steps and not module.check_mode:
        after = apply_plan(connection, plan, before, records.get(request.name), validate=validate)
    else:
        after = plan.after
    if plan.waits:
        module.warn(
            f"The definition of the network '{request.name}' is stored, but does not take effect before the network "
            f"is started anew: {plan.waits}."
        )
    result = {
        "changed": bool(plan.steps),
        "actions": [str(step) for step in plan.steps],
        "pending_restart": bool(plan.waits),
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


def _check_schema(xml: str | None, stored: Definition | None, definition: Definition, version: str) -> bool:
    """Refuse a definition that does not fit libvirt's schema; `xml` is the document that the task gives, if it gives one.

    What did not fit in the stored definition either is no reason to refuse a change to something else in it. Return whether
    libvirt shall validate the definition itself.
    """
    schema = next((path for path in _SCHEMAS if os.path.exists(path)), None)
    if schema is None:
        return True
    known = document.schema_problems(render_xml(stored), schema=schema) if stored is not None else []
    texts = [xml, render_xml(definition)] if xml is not None else [render_xml(definition)]
    for text in texts:
        problems = [problem for problem in document.schema_problems(text, schema=schema) if problem not in known]
        if problems:
            raise InputError(
                f"The definition does not fit the schema of the libvirt {version} on this host: {'; '.join(problems[:3])}. "
                "Correct it, see https://libvirt.org/formatnetwork.html."
            )
    return not known
