# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Leases that NICs leave behind, and those that keep a reserved address from its NIC."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._nic.leases import holders_of, plugged_into, server_of
from ansible_collections.kvmops.network.plugins.module_utils._nic.network_changes import Holding
from ansible_collections.kvmops.network.plugins.module_utils._nic.reservation import Reservation
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nic.builders import both, live, on, stored

M1, M2, M3 = (f"52:54:00:00:00:0{number}" for number in (1, 2, 3))
BRIDGED = {"type": "bridge", "mac": M3, "source": {"bridge": "br0"}}
SENTENCE = (
    f"10.0.1.11 is leased to {M2} on the network 'lab' until {{}}, and the guest 'web' does not get it before that, unless the "
    f"lease is given back: by its client, or on the host by 'dhcp_release virbr5 10.0.1.11 {M2}' of the package dnsmasq-utils."
)


def lease(mac: str | None, ip: str, expires: int = 0) -> dict[str, t.Any]:
    return {"mac": mac, "ip": ip, "expires": expires, "client_id": None}


def test_only_what_runs_on_a_network_has_leases() -> None:
    assert plugged_into(both(on(mac=M1)), stored(on("isolated", mac=M2)), None, live(BRIDGED)) == {("default", M1)}


def test_the_dhcp_server_of_a_network() -> None:
    address = {"address": "10.0.1.1", "prefix": 24}
    leading = {"address": "10.0.2.1", "prefix": 24}
    bridge = {"bridge": {"name": "virbr5"}}
    assert server_of({**bridge, "ips": [leading, {**address, "dhcp": {}}]}) == ("virbr5", "10.0.1.1")
    assert server_of({**bridge, "ips": [address]}) is None
    assert server_of({**bridge, "ips": [{"address": "fd01::1", "prefix": 64, "dhcp": {}}]}) is None
    assert server_of({"ips": [{**address, "dhcp": {}}]}) is None


@pytest.mark.parametrize(
    ("found", "given_up", "sentences"),
    [
        ([lease(M2, "10.0.1.11")], set(), [SENTENCE.format("it is taken away")]),
        ([lease(M2, "10.0.1.11", 1767225599)], set(), [SENTENCE.format("2025-12-31 23:59:59 UTC")]),
        # it goes with its NIC
        ([lease(M2, "10.0.1.11")], {("lab", M2)}, []),
        ([lease(M2, "10.0.1.11")], {("other", M2)}, [SENTENCE.format("it is taken away")]),
        # the NIC's own, also under its former address
        ([lease(M1, "10.0.1.11"), lease(M3, "10.0.1.11")], set(), []),
        # another address, a client that is not named by a MAC address, IPv6
        ([lease(M2, "10.0.1.12"), lease(None, "10.0.1.11"), lease(M2, "fd01::11")], set(), []),
    ],
)
def test_who_has_the_reserved_address(
    found: list[dict[str, t.Any]], given_up: set[tuple[str, str]], sentences: list[str]
) -> None:
    holding = Holding("web", M1, "lab", Reservation(ipv4="10.0.1.11", ipv6="fd01::11"), former=frozenset({M3}))
    assert holders_of(holding, found, given_up, "virbr5") == sentences


def test_nothing_is_said_where_nothing_is_reserved() -> None:
    assert holders_of(Holding("web", M1, "lab"), [lease(M2, "10.0.1.11")], set(), "virbr5") == []
