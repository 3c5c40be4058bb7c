# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What is there when a task begins, each part read once, and only when it is asked for."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._network.definition import own_bridge_of
from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState
from ansible_collections.kvmops.network.plugins.module_utils._network.state import find_unplugged, find_users, read_state

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection, GuestNic, NetworkRecord
    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Host
    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import User

__all__ = ["Survey"]


class Survey:
    """A host's networks, running guests and links.

    `see_host` returns what the kernel shows, None where the host cannot be seen.
    """

    def __init__(self, connection: Connection, see_host: t.Callable[[], Host | None]) -> None:
        """Read the networks, in one pass."""
        self._connection = connection
        self._see_host = see_host
        self._states: dict[str, NetworkState] = {}
        self.records: dict[str, NetworkRecord] = connection.read_networks()

    def state(self, name: str) -> NetworkState:
        """Return a network, also one that is not there."""
        if name not in self._states:
            self._states[name] = read_state(name, self.records.get(name))
        return self._states[name]

    def states(self) -> list[NetworkState]:
        """Return all networks that are there."""
        return [self.state(name) for name in self.records]

    def users(self, network: NetworkState) -> list[User]:
        """Return who is plugged into a network."""
        return find_users(network, self._nics, self.host)

    def unplugged(self, network: NetworkState) -> list[str]:
        """Return which running guests have a NIC that belongs on a network's bridge and is not there."""
        own = [nic for nic in self._nics if network.name == nic.network or nic.network is None]
        if not own or self.host is None:
            return []
        return sorted({f"guest '{nic.guest}'" for nic in find_unplugged(network, own, self.host.links)})

    @functools.cached_property
    def bridges(self) -> frozenset[str]:
        """The names of the bridges that libvirt has made and that are there now."""
        owned = [own_bridge_of(state.live) for state in self.states() if state.live is not None]
        return frozenset(name for name in owned if name is not None)

    @functools.cached_property
    def version(self) -> str:
        """The daemon's version, like "9.0.0"."""
        return self._connection.version()

    @functools.cached_property
    def update_version(self) -> str:
        """The version by which it is known what can change in a running network."""
        return self._connection.update_version()

    @functools.cached_property
    def host(self) -> Host | None:
        """What the kernel shows."""
        return self._see_host()

    @functools.cached_property
    def _nics(self) -> list[GuestNic]:
        return self._connection.read_guest_nics()
