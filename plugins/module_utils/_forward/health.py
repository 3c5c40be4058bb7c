# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Why a port forward does not work as it was made. Nothing here touches a host."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._forward.files import KEEPER_UNIT, sockets_of
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import bridge_of
from ansible_collections.kvmops.network.plugins.module_utils._network.dhcp_hosts import home_of
from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import place_of
from ansible_collections.kvmops.network.plugins.module_utils._nic.network_changes import reserved_for

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._forward.forward import Forward
    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState
    from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import GuestState

__all__ = ["Problem", "find_problems"]

_CURE = "run its task again"


class Problem(t.NamedTuple):
    """A reason and what to do. `elsewhere` says that it is about a network or guest, and shows without the forward as well."""

    cause: str
    cure: str = _CURE
    elsewhere: bool = False

    def __str__(self) -> str:
        return f"{self.cause}; {self.cure}."


def find_problems(
    forward: Forward,
    *,
    networks: Mapping[str, NetworkState],
    guests: Mapping[str, GuestState],
    faults: Sequence[str],
    idle: Sequence[str],
) -> list[Problem]:
    """Return each reason. `faults` and `idle` are what is missing of rules and units on the host."""
    found = list(_of_host(forward, faults, idle))
    found += _of_network(forward, networks.get(forward.network))
    if forward.domain:
        found += _of_guest(forward, guests.get(forward.domain), networks.get(forward.network))
    return found


def _of_host(forward: Forward, faults: Sequence[str], idle: Sequence[str]) -> Iterator[Problem]:
    units = [KEEPER_UNIT] if forward.by_rules else sockets_of(forward)
    for unit in units:
        if unit in idle:
            yield Problem(f"The unit {unit} does not run, or does not at boot")
    if forward.by_rules:
        for fault in faults:
            yield Problem(f"It is missing in the firewall: {fault}")


def _of_network(forward: Forward, state: NetworkState | None) -> Iterator[Problem]:
    definition = state.definition if state is not None else None
    if state is None or definition is None:
        yield Problem(f"The network '{forward.network}' is gone", "make it again, or remove the forward")
        return
    if not state.active:
        yield Problem(f"The network '{forward.network}' does not run", "start it with libvirt_network", elsewhere=True)
    if home_of(definition, forward.address) is None:
        yield Problem(f"The network '{forward.network}' has no subnet with {forward.address} any more")
    elif bridge_of(definition) != forward.bridge:
        yield Problem(f"The bridge of the network '{forward.network}' is no longer {forward.bridge}")


def _of_guest(forward: Forward, guest: GuestState | None, state: NetworkState | None) -> Iterator[Problem]:
    if guest is None:
        yield Problem(f"The guest '{forward.domain}' is gone", "make it again, or remove the forward")
        return
    if not guest.running:
        yield Problem(f"The guest '{forward.domain}' does not run", "start it", elsewhere=True)
    definition = (state.definition if state is not None else None) or {}
    entry = home_of(definition, forward.address)
    macs = [nic.shown.mac for nic in guest.nics if place_of(nic.shown.definition) == forward.network]
    reserved = {host.get("ip") for mac in macs for host in reserved_for(definition, guest.name, mac)}
    if entry is not None and "dhcp" in entry and forward.address not in reserved:
        yield Problem(f"{forward.address} is no longer reserved for the guest '{forward.domain}', which may get another address")
