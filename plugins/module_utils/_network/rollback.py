# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Bringing networks back to what they were, as libvirt itself wrote it."""

from __future__ import annotations

import functools
import hashlib
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._edge.kill_point import kill_point
from ansible_collections.kvmops.network.plugins.module_utils._errors import NetworkError
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import render_xml
from ansible_collections.kvmops.network.plugins.module_utils._network.live import plan_updates
from ansible_collections.kvmops.network.plugins.module_utils._network.plan import is_pending
from ansible_collections.kvmops.network.plugins.module_utils._network.state import read_state

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection, NetworkRecord
    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState

    Definition = dict[str, t.Any]
    Past = tuple[NetworkState, "NetworkRecord | None"]
    Step = tuple[str, t.Callable[[], None]]

__all__ = ["parked_xml", "put_back"]


def parked_xml(definition: Definition) -> str:
    """Return a network's definition with a name for its bridge that nobody else wants: one made from its UUID."""
    name = f"kvmops-{hashlib.sha256(definition['uuid'].encode()).hexdigest()[:8]}"
    return render_xml({**definition, "bridge": {**definition.get("bridge", {}), "name": name}})


def put_back(connection: Connection, pasts: Sequence[Past], plug_in: t.Callable[[str], None]) -> list[str]:
    """Bring networks back to what they were, with their guests. Return what could not be brought back, and why.

    Each phase is done for all of them before the next, since they may have swapped what only one can have.
    """
    left: list[str] = []
    parks = (_park,) if len(pasts) > 1 else ()
    for phase in (_update, _stop, _forget, *parks, _define, _start):
        for before, record in pasts:
            where = f"the network '{before.name}': " if len(pasts) > 1 else ""
            try:
                for label, step in phase(connection, before, record):
                    kill_point()
                    try:
                        step()
                    except NetworkError as error:
                        left.append(f"{where}{label} ({error.reason})")
            except NetworkError as error:
                left.append(f"{where}it can no longer be looked at ({error.reason})")
    for before, _record in pasts:
        if before.active:
            try:
                plug_in(before.name)
            except NetworkError as error:
                left.append(f"the network '{before.name}': guests that were plugged in ({error.reason})")
    return list(dict.fromkeys(left))


def _update(connection: Connection, before: NetworkState, _record: NetworkRecord | None) -> Iterator[Step]:
    """Take back what was changed of a running network in place, so that nobody on it loses anything."""
    now = read_state(before.name, connection.read_network(before.name))
    if now.live is None or before.live is None:
        return
    for update in plan_updates(now.live, before.live, version=connection.update_version()).updates:
        yield str(update), functools.partial(connection.update_network, before.name, update)


def _stop(connection: Connection, before: NetworkState, record: NetworkRecord | None) -> Iterator[Step]:
    now = connection.read_network(before.name)
    if now is not None and now.live_xml is not None and (record is None or read_state(before.name, now).live != before.live):
        yield "it runs", lambda: connection.stop_network(before.name)


def _forget(connection: Connection, before: NetworkState, record: NetworkRecord | None) -> Iterator[Step]:
    now = connection.read_network(before.name)
    if now is not None and now.stored_xml is not None and (record is None or record.stored_xml is None):
        yield "it is stored", lambda: connection.undefine_network(before.name)


def _park(connection: Connection, before: NetworkState, record: NetworkRecord | None) -> Iterator[Step]:
    """Free the name of a bridge that is not the one to which the network goes back."""
    now = connection.read_network(before.name)
    if now is None or now.stored_xml is None or record is None or record.stored_xml is None:
        return
    stored = read_state(before.name, now)
    if stored.bridges and stored.bridges != before.bridges:
        yield "its bridge", lambda: connection.define_network(parked_xml(stored.stored or {}), validate=False)


def _define(connection: Connection, before: NetworkState, record: NetworkRecord | None) -> Iterator[Step]:
    if record is None or record.stored_xml is None:
        return
    stored = record.stored_xml
    now = connection.read_network(before.name)
    if now is None or now.stored_xml != stored:
        yield "its definition is another one", lambda: connection.define_network(stored, validate=False)
    yield "autostart", lambda: connection.set_network_autostart(before.name, autostart=record.autostart)


def _start(connection: Connection, before: NetworkState, record: NetworkRecord | None) -> Iterator[Step]:
    if record is None or record.live_xml is None:
        return
    now = connection.read_network(before.name)
    if now is not None and now.live_xml is not None:
        return
    live = record.live_xml
    if before.stored is None or is_pending(before):
        # what ran was not what is stored, and libvirt keeps that
        yield "it does not run", lambda: connection.create_network(live)
    else:
        yield "it does not run", lambda: connection.start_network(before.name)
