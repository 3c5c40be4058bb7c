# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Carrying out the changes of networks' reservations. A run that is killed in between can be repeated."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._edge.signals import uninterrupted
from ansible_collections.kvmops.network.plugins.module_utils._errors import ApplyError, NetworkError
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import render_xml
from ansible_collections.kvmops.network.plugins.module_utils._network.dhcp_hosts import LiveChange, places_in
from ansible_collections.kvmops.network.plugins.module_utils._network.live import update_of
from ansible_collections.kvmops.network.plugins.module_utils._network.state import read_state
from ansible_collections.kvmops.network.plugins.module_utils._undo import say_put_back

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection, NetworkRecord
    from ansible_collections.kvmops.network.plugins.module_utils._nic.network_changes import NetworkChange

__all__ = ["apply_networks", "put_back_networks"]


def apply_networks(connection: Connection, changes: Sequence[NetworkChange], records: Mapping[str, NetworkRecord]) -> None:
    """Make the changes, network by network. If one fails, all are put back. Raises ApplyError with the reason."""
    begun: list[NetworkChange] = []
    for change in changes:
        begun.append(change)
        try:
            with uninterrupted():
                _apply(connection, change)
        except NetworkError as error:
            left = put_back_networks(connection, begun, records)
            back = say_put_back(left)
            raise ApplyError(
                f"The reservations of the network '{change.name}' could not be changed: {error.reason}. {back}"
            ) from None


def _apply(connection: Connection, change: NetworkChange) -> None:
    for each in change.first:
        _change_live(connection, change.name, each)
    if change.stored != change.before.stored:
        connection.define_network(render_xml(change.stored), validate=False)
    for each in change.then:
        _change_live(connection, change.name, each)


def _change_live(connection: Connection, name: str, change: LiveChange) -> None:
    connection.update_network(name, update_of(change))


def put_back_networks(
    connection: Connection, changes: Sequence[NetworkChange], records: Mapping[str, NetworkRecord]
) -> list[str]:
    """Bring reservations back to what they were. Return what could not be brought back, and why."""

    left = []
    for change in changes:
        try:
            now = read_state(change.name, connection.read_network(change.name))
            had, has = list(places_in(change.before.live or {})), list(places_in(now.live or {}))
            if now.live is not None:
                for place in has:
                    if place not in had:
                        _change_live(connection, change.name, LiveChange("delete", *place))
                for place in had:
                    if place not in has:
                        _change_live(connection, change.name, LiveChange("add", *place))
            stored = records[change.name].stored_xml
            if stored is not None and now.stored != change.before.stored:
                connection.define_network(stored, validate=False)
        except NetworkError as error:
            left.append(f"the network '{change.name}' ({error.reason})")
    return left
