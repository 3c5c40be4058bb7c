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
    owns_bridge,
)
from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState, User

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import GuestNic, NetworkRecord
    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Host, Link

    Definition = dict[str, t.Any]

__all__ = ["find_unplugged", "find_users", "nics_of", "read_state"]


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


def find_unplugged(network: NetworkState, nics: Iterable[GuestNic], links: Mapping[str, Link]) -> list[GuestNic]:
    """Return the NICs of running guests that belong on the bridge that libvirt makes for a network, and are not there.

    So it is after a restart of the network. A network that does not run has no bridge on which they could be. Where STP is off
    although it shall be on, a run was killed while it plugged them in, and they are all named.
    """
    definition = network.live or network.stored or {}
    if not owns_bridge(definition):
        return []
    bridge = bridge_of(definition)
    own = [nic for nic in nics if nic.network == network.name or (nic.network is None and nic.bridge in {bridge} - {None})]
    found = [nic for nic in own if nic.device in links]
    there = links.get(bridge or "")
    if there is not None and there.stp is False and definition.get("bridge", {}).get("stp", True):
        return found
    return [nic for nic in found if not network.active or not _is_plugged_in(nic, links[nic.device or ""], bridge)]


def _is_plugged_in(nic: GuestNic, link: Link, bridge: str | None) -> bool:
    return link.master == bridge and not (nic.isolated and link.isolated is False)


def find_users(network: NetworkState, nics: Iterable[GuestNic], host: Host | None) -> list[User]:
    """Return who is plugged into a running network: NICs of running guests, and what else is on its bridge."""
    plugged = nics_of(network, nics)
    bridge = own_bridge_of(network.live or {})
    users = [_user_of(nic, network, host) for nic in plugged]
    if host is not None and bridge is not None:
        known = {nic.device for nic in plugged} | {f"{bridge}-nic"}  # libvirt before 7.2 keeps a port of its own
        others = [port for port in host.ports_of(bridge) if port not in known]
        users += [User(f"interface '{port}'", "it is no guest's, and whoever put it there has to do so again") for port in others]
    return users


def _user_of(nic: GuestNic, network: NetworkState, host: Host | None) -> User:
    hindrance = ""
    if host is None:
        hindrance = "the interfaces of its host cannot be seen from here"
    elif nic.vlan:
        hindrance = "its NIC has a VLAN"
    elif (network.live or {}).get("bridge", {}).get("mac_table_manager", "kernel") != "kernel":
        hindrance = "libvirt itself keeps the MAC addresses of the bridge"
    return User(f"guest '{nic.guest}'", hindrance)
