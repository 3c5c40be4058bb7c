# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""From what libvirt and the kernel show to what a plan is made from. Nothing here touches a host."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, NetworkError
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import (
    bridge_of,
    definition_from_xml,
    own_bridge_of,
)
from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState, User

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import GuestNic, NetworkRecord
    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Host

    Definition = dict[str, t.Any]

__all__ = ["find_users", "nics_of", "read_state"]


def read_state(name: str, record: NetworkRecord | None) -> NetworkState:
    """Return a network in normal form from what libvirt shows of it."""
    if record is None:
        return NetworkState(name=name)
    stored = _read_definition(name, record.stored_xml)
    same = record.live_xml == record.stored_xml
    live = stored if same else _read_definition(name, record.live_xml, running=True)
    return NetworkState(name=name, stored=stored, live=live, autostart=record.autostart)


def _read_definition(name: str, text: str | None, *, running: bool = False) -> Definition | None:
    if text is None:
        return None
    try:
        return definition_from_xml(text, running=running)
    except InputError as error:
        raise NetworkError(
            f"The network '{name}' of this host has a definition that cannot be understood: {error} Correct it with "
            f"'virsh net-edit {name}'."
        ) from None


def nics_of(network: NetworkState, nics: Iterable[GuestNic]) -> list[GuestNic]:
    """Return those NICs of running guests that are plugged into a network, by its name or by its bridge."""
    bridge = bridge_of(network.live or {})
    return [
        nic
        for nic in nics
        if nic.network == network.name or (bridge is not None and nic.network is None and nic.bridge == bridge)
    ]


def find_users(network: NetworkState, nics: Iterable[GuestNic], host: Host | None) -> list[User]:
    """Return who is plugged into a running network: NICs of running guests, and what else is on its bridge."""
    plugged = nics_of(network, nics)
    users = [User(label=f"guest '{nic.guest}'") for nic in plugged]
    bridge = own_bridge_of(network.live or {})
    if host is not None and bridge is not None:
        known = {nic.device for nic in plugged} | {f"{bridge}-nic"}  # libvirt before 7.2 keeps a port of its own
        users += [User(label=f"interface '{port}'") for port in host.ports_of(bridge) if port not in known]
    return users
