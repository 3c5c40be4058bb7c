# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Doing what is planned for a group of networks: step by step, then a look at what is there, or everything is put back."""

from __future__ import annotations

import difflib
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection, LibvirtError, NetworkRecord
from ansible_collections.kvmops.network.plugins.module_utils._edge.kill_point import kill_point
from ansible_collections.kvmops.network.plugins.module_utils._edge.signals import uninterrupted
from ansible_collections.kvmops.network.plugins.module_utils._errors import ApplyError, NetworkError
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import carry_identity, own_bridge_of, render_xml
from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState, Step, felt_by_running
from ansible_collections.kvmops.network.plugins.module_utils._network.rollback import parked_xml, put_back
from ansible_collections.kvmops.network.plugins.module_utils._network.state import read_state
from ansible_collections.kvmops.network.plugins.module_utils._undo import say_put_back

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from ansible_collections.kvmops.network.plugins.module_utils._network.order import Change

    Definition = dict[str, t.Any]

__all__ = ["apply_changes"]

# Networks that swap something first give up what they have.
_PHASES = (
    ("stop",),
    ("undefine",),
    ("park",),
    ("define",),
    ("update",),
    ("autostart on", "autostart off"),
    ("start",),
    ("plug in",),
)


def apply_changes(
    connection: Connection,
    changes: tuple[Change, ...],
    records: Mapping[str, NetworkRecord],
    *,
    unvalidated: Collection[str],
    plug_in: t.Callable[[str], None],
) -> list[NetworkState]:
    """Do the steps of changes that belong together, look whether they had their effect, and return what is there.

    `records` are the networks as libvirt showed them before. `unvalidated` are the names of those whose definition libvirt
    shall take although its schema does not know it. `plug_in` plugs the running guests of a network in again. If a step fails,
    all the changes are put back. Raises ApplyError with the reason, and with what could not be put back.
    """
    with uninterrupted():
        name, doing = changes[0].name, ""
        cut: list[str] = []
        try:
            for change, step in _list_steps(changes):
                kill_point()
                name, doing = change.name, str(step.update or step.action)
                if step.action == "plug in":
                    plug_in(name)
                else:
                    _do(connection, change, step, validate=name not in unvalidated)
                cut += change.plan.cuts if step.action == "stop" else ()
            doing, shown = "verify", []
            for change in changes:
                name = change.name
                shown.append(_verify(connection, change.plan.after))
        except NetworkError as error:
            failure = f"The network '{name}': '{doing}' failed: {error.reason}."
            others = [f"'{change.name}'" for change in changes if change.name != name]
            if others:
                failure += f" It is changed together with {', '.join(others)}, since they take what others of them give up."
            connection.revive()
            left = put_back(connection, [(change.before, records.get(change.name)) for change in changes], plug_in)
            back = say_put_back(left)
            lost = (
                f" But {', '.join(cut)} lost the connection when it was stopped, and has to be plugged in again." if cut else ""
            )
            raise ApplyError(f"{failure} {back}{lost}") from None
        return shown


def _list_steps(changes: tuple[Change, ...]) -> Iterator[tuple[Change, Step]]:
    if len(changes) == 1:
        yield from ((changes[0], step) for step in changes[0].plan.steps)
        return
    for phase in _PHASES:
        for change in changes:
            if "park" in phase and _is_parked(change, changes):
                yield change, Step("park", "another network gets the name of its bridge")
            yield from ((change, step) for step in change.plan.steps if step.action in phase)


def _is_parked(change: Change, changes: tuple[Change, ...]) -> bool:
    """Say whether a network has to give up the name of its bridge before it gets its new one."""
    bridge = own_bridge_of(change.before.stored or {})
    return change.plan.does("define") and any(bridge in other.plan.after.bridges for other in changes if other is not change)


def _do(connection: Connection, change: Change, step: Step, *, validate: bool) -> None:
    name, action = change.name, step.action
    if step.update is not None:
        connection.update_network(name, step.update)
    elif action == "park":
        connection.define_network(parked_xml(change.before.stored or {}), validate=False)
    elif action == "define":
        connection.define_network(render_xml(change.plan.after.stored or {}), validate=validate)
    elif action == "start":
        connection.start_network(name)
    elif action == "stop":
        connection.stop_network(name)
    elif action == "undefine":
        connection.undefine_network(name)
    else:
        connection.set_network_autostart(name, autostart=action == "autostart on")


def _verify(connection: Connection, wanted: NetworkState) -> NetworkState:
    """Return what libvirt shows now. Raises LibvirtError if it is not what was wanted."""
    actual = read_state(wanted.name, connection.read_network(wanted.name))
    for label, want, have in (
        ("active", wanted.active, actual.active),
        ("stored", wanted.stored is not None, actual.stored is not None),
        ("autostart", wanted.autostart, actual.autostart),
    ):
        if want != have:
            raise LibvirtError(f"libvirt said that it was done, but the network is {'' if have else 'not '}{label}")
    if wanted.stored is not None and actual.stored is not None:
        _verify_definition(wanted.stored, actual.stored)
    if wanted.live is not None and actual.live is not None:
        _verify_definition(felt_by_running(wanted.live), felt_by_running(actual.live))
    return actual


def _verify_definition(wanted: Definition, actual: Definition) -> None:
    want_text, have_text = render_xml(carry_identity(wanted, actual)), render_xml(actual)
    if want_text != have_text:
        lines = difflib.unified_diff(want_text.splitlines(), have_text.splitlines(), "wanted", "libvirt", lineterm="", n=0)
        raise LibvirtError("libvirt keeps another definition than was asked for: " + " | ".join(lines))
