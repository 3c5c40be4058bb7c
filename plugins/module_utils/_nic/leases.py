# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Leases of NICs that leave a network, and those that keep a reserved address from its NIC. Nothing here touches a host.

A network's DHCP server, dnsmasq, keeps a leased address for its client until the lease ends, whatever is reserved meanwhile.
"""

from __future__ import annotations

import time
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._network.definition import bridge_of
from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import network_of

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import NicState
    from ansible_collections.kvmops.network.plugins.module_utils._nic.network_changes import Holding

    Definition = dict[str, t.Any]
    Lease = dict[str, t.Any]
    Plugged = tuple[str, str]

__all__ = ["holders_of", "plugged_into", "server_of"]


def plugged_into(*states: NicState | None) -> set[Plugged]:
    """Return the network and the MAC address of each NIC that runs on a network."""
    lives = [state.live for state in states if state is not None and state.live is not None]
    return {(network, nic.mac) for nic in lives for network in [network_of(nic)] if network is not None}


def server_of(live: Definition) -> tuple[str, str] | None:
    """Return the bridge of a running network and the IPv4 address of its DHCP server, None where it has none."""
    bridge = bridge_of(live)
    server = next((each["address"] for each in live.get("ips", []) if "dhcp" in each and ":" not in each["address"]), None)
    return (bridge, server) if bridge is not None and server is not None else None


def holders_of(holding: Holding, leases: Iterable[Lease], given_up: set[Plugged], bridge: str | None) -> list[str]:
    """Return a warning for each address reserved for a NIC that another client has.

    `leases` are those of the NIC's network, `bridge` is that network's, and `given_up` are NICs that leave theirs.
    """
    addresses = holding.reservation.addresses if holding.reservation is not None else []
    own = {holding.mac, *holding.former} | {mac for network, mac in given_up if network == holding.network}
    return [
        f"{lease['ip']} is leased to {lease['mac']} on the network '{holding.network}' until {_time(lease['expires'])}, and the "
        f"guest '{holding.domain}' does not get it before that, unless the lease is given back: by its client, or on the host "
        f"by 'dhcp_release {bridge} {lease['ip']} {lease['mac']}' of the package dnsmasq-utils."
        for lease in leases
        if lease["mac"] and lease["mac"] not in own and lease["ip"] in addresses and ":" not in lease["ip"]
    ]


def _time(expires: int) -> str:
    """Return a time in seconds since the epoch in words; 0 is a lease that does not end."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(expires)) if expires else "it is taken away"
