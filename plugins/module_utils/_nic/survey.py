# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What there is when a task about NICs begins, each part read once, and only when it is asked for."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import Guests
from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, RequirementError
from ansible_collections.kvmops.network.plugins.module_utils._network.state import read_state
from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import read_guest

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection, NetworkRecord
    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Host
    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState
    from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import GuestState

    Definition = dict[str, t.Any]

__all__ = ["Survey"]

_MACHINE_ID = "/etc/machine-id"


class Survey:
    """A host's guests, networks, filters and links.

    `see_host` returns what the kernel shows, None where the host cannot be seen. `local` says that the daemon is this machine's.
    """

    def __init__(self, connection: Connection, see_host: t.Callable[[], Host | None], *, local: bool) -> None:
        """Begin without having read anything."""
        self._connection = connection
        self._see_host = see_host
        self.local = local
        self._guests: dict[str, GuestState] = {}
        self._leases: dict[str, list[dict[str, t.Any]]] = {}
        self.guests = Guests(connection)

    def guest(self, name: str) -> GuestState:
        """Return a guest. Raises InputError, which names those that are there, if there is none of the name."""
        if name not in self._guests:
            record = self.guests.read(name)
            if record is None:
                names = ", ".join(self.guests.names()) or "none"
                raise InputError(
                    f"domain: the guest '{name}' does not exist. The guests of this host are: {names}. Correct the name, or "
                    "make the guest first."
                )
            self._guests[name] = read_guest(record)
        return self._guests[name]

    @functools.cached_property
    def everybody(self) -> list[GuestState]:
        """All guests of the host."""
        return [self._guests.get(record.name) or read_guest(record) for record in self.guests.read_all()]

    @functools.cached_property
    def networks(self) -> dict[str, NetworkState]:
        """All networks of the host by name."""
        return {name: read_state(name, record) for name, record in self.network_records.items()}

    @functools.cached_property
    def network_records(self) -> dict[str, NetworkRecord]:
        """The networks as libvirt itself wrote them."""
        return self._connection.read_networks()

    @functools.cached_property
    def running_networks(self) -> dict[str, Definition]:
        """The definitions of the networks that run, by name."""
        return {name: state.live for name, state in self.networks.items() if state.live is not None}

    def leases(self, network: str) -> list[dict[str, t.Any]]:
        """Return the DHCP leases of a running network; none where this driver knows none."""
        if network not in self._leases:
            self._leases[network] = self._connection.read_leases(network) or []
        return self._leases[network]

    @functools.cached_property
    def version(self) -> str:
        """The daemon's version, like "9.0.0"."""
        return self._connection.version()

    @functools.cached_property
    def host(self) -> Host | None:
        """What the kernel shows."""
        return self._see_host()

    @functools.cached_property
    def filters(self) -> list[str] | None:
        """The names of the network filters, None where this driver has none."""
        return self.guests.filters()

    @functools.cached_property
    def machine_id(self) -> str:
        """What tells the daemon's host from others: its machine-id; of another machine, which shows none, its name."""
        if not self.local:
            return self._connection.hostname()
        try:
            with open(_MACHINE_ID, encoding="ascii") as file:
                identity = file.read().strip()
        except OSError:
            identity = ""
        if not identity:
            raise RequirementError(
                f"This host has no {_MACHINE_ID}, from which a NIC's MAC address is made; give mac, or run "
                "systemd-machine-id-setup."
            )
        return identity
