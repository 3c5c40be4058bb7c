# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Which address of its network a guest gets. Nothing here touches a host."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._guest.addresses import choose_address
from ansible_collections.kvmops.network.plugins.module_utils._guest.request import AUTO, NONE
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import mode_of, owns_bridge, subnet_of
from ansible_collections.kvmops.network.plugins.module_utils._network.dhcp_hosts import key_of, places_in
from ansible_collections.kvmops.network.plugins.module_utils._network.mark import read_claims
from ansible_collections.kvmops.network.plugins.module_utils._nic.reservation import Reservation

if t.TYPE_CHECKING:
    from collections.abc import Collection

    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState

    Definition = dict[str, t.Any]

__all__ = ["owners_of", "reservation_for"]


def reservation_for(
    address: str | None, *, name: str, macs: Collection[str], network: NetworkState | None, new: bool
) -> Reservation | None:
    """Return what the network shall reserve for the guest; None: it stays as it is.

    `macs` are the NIC's addresses, by which a reservation that somebody else made for it is known. A new guest for which nothing
    is said gets an address where its network gives addresses.
    """
    if network is None:
        return None  # said of the NIC
    stored = network.stored or {}
    entry = _home_subnet(stored) if stored and owns_bridge(stored) else None
    if address is None and not (new and entry is not None):
        return None
    if address == NONE:
        return Reservation()
    if address not in (None, AUTO):
        return Reservation(ipv4=address, hostname=name)
    if entry is None:
        raise InputError(
            f"address: the network '{network.name}' (mode '{mode_of(stored)}') has no IPv4 subnet of its own to choose "
            "from; give an address, or none."
        )
    chosen = choose_address(
        name,
        str(subnet_of(entry)),
        owners_of(network, name=name, macs=macs),
        gateway=entry["address"],
        ranges=entry.get("dhcp", {}).get("ranges", []),
    )
    return Reservation(ipv4=chosen, hostname=name)


def _home_subnet(definition: Definition) -> Definition | None:
    """Return the entry of the network's first IPv4 subnet."""
    return next((entry for entry in definition.get("ips", []) if ":" not in entry["address"]), None)


def owners_of(network: NetworkState, *, name: str, macs: Collection[str]) -> dict[str, str | None]:
    """Return who has which address of a network: the guest itself has what is reserved for its NIC."""
    claims = {(claim.key, claim.ip): claim for claim in read_claims(network.stored or {})}
    owners: dict[str, str | None] = {}
    for definition in (network.live or {}, network.stored or {}):
        for _address, host in places_in(definition):
            claim = claims.get((key_of(host), host.get("ip", "")))
            own = key_of(host) in macs if claim is None else claim.domain == name and claim.mac in macs
            if "ip" in host:
                owners[host["ip"]] = name if own else None
    return owners
