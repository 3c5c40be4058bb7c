# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The steps of a plan, done on a host; and undone if one of them fails."""

from __future__ import annotations

import difflib
import signal
import typing as t
from contextlib import contextmanager

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection, LibvirtError, NetworkRecord
from ansible_collections.kvmops.network.plugins.module_utils._errors import ApplyError, NetworkError
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import carry_identity, render_xml
from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState, Plan
from ansible_collections.kvmops.network.plugins.module_utils._network.state import read_state

if t.TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["apply_plan"]

# What ends a module from outside, a lost connection to the controller above all.
_ENDINGS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


def apply_plan(
    connection: Connection, plan: Plan, before: NetworkState, record: NetworkRecord | None, *, validate: bool
) -> NetworkState:
    """Do the steps, look whether they had their effect, and return what is there. If one fails, everything is put back.

    `record` is the network as libvirt showed it before. Raises ApplyError with the reason, and with what could not be put back.
    """
    with _uninterrupted():
        name = before.name
        doing = ""
        try:
            for step in plan.steps:
                doing = step.action
                _do(connection, step.action, name, plan.after, validate=validate)
            doing = "verify"
            return _verify(connection, plan.after)
        except NetworkError as error:
            failure = f"The network '{name}': '{doing}' failed: {_one_line(error)}"
            left = _put_back(connection, before, record)
            if left:
                raise ApplyError(f"{failure}. Not everything could be put back: {'; '.join(left)}.") from None
            raise ApplyError(f"{failure}. Everything was put back as it was.") from None


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let signals that end the module wait, so that none of them leaves a network stopped that shall run."""
    waiting = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDINGS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, waiting)


def _one_line(error: NetworkError) -> str:
    return " ".join(str(error).split()).rstrip(".")


def _do(connection: Connection, action: str, name: str, after: NetworkState, *, validate: bool) -> None:
    if action == "define":
        connection.define_network(render_xml(after.stored or {}), validate=validate)
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
    shown = actual = read_state(wanted.name, connection.read_network(wanted.name))
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
    return shown


def _put_back(connection: Connection, before: NetworkState, record: NetworkRecord | None) -> list[str]:
    """Bring a network back to what it was, as libvirt itself wrote it. Return what could not be brought back, and why."""
    left = []
    try:
        for label, step in _steps_back(connection, before, record):
            try:
                step()
            except NetworkError as error:
                left.append(f"{label} ({_one_line(error)})")
    except NetworkError as error:
        left.append(f"it can no longer be looked at ({_one_line(error)})")
    return left


def _steps_back(
    connection: Connection, before: NetworkState, record: NetworkRecord | None
) -> Iterator[tuple[str, t.Callable[[], None]]]:
    """List what has to be done, each when what comes before it is done, with what is wrong as long as it is not done."""
    name = before.name
    now = connection.read_network(name)
    runs = now is not None and now.live_xml is not None
    if runs and (record is None or read_state(name, now).live != before.live):
        yield "it runs", lambda: connection.stop_network(name)
        now = connection.read_network(name)
        runs = now is not None and now.live_xml is not None
    if record is None or record.stored_xml is None:
        if now is not None and now.stored_xml is not None:
            yield "it is stored", lambda: connection.undefine_network(name)
    else:
        stored = record.stored_xml
        if now is None or now.stored_xml != stored:
            yield "its definition is another one", lambda: connection.define_network(stored, validate=False)
        yield "autostart", lambda: connection.set_network_autostart(name, autostart=record.autostart)
    if record is not None and record.live_xml is not None and not runs:
        live = record.live_xml
        if record.stored_xml is None:
            yield "it does not run", lambda: connection.create_network(live)
        else:
            yield "it does not run", lambda: connection.start_network(name)
