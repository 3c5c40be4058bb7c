# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Which addresses a server has to give again, which routes have to come back, and which addresses the host loses."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import Expected
from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Address
from ansible_collections.kvmops.network.plugins.module_utils._bridge.moving import (
    leased_versions,
    lost_addresses,
    routed_versions,
)
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._bridge.builders import (
    address,
    bridge,
    default_route,
    device,
    family,
    leased,
    links,
    record,
    request,
)

LEASE4, LEASE6 = leased("192.0.2.10/24"), leased("2001:db8::10/64")
FIXED4, FIXED6 = address("192.0.2.10/24"), address("2001:db8::10/64")
ASKS4, ASKS_BOTH, ASKS_NOBODY = Expected(dhcp=(4,)), Expected(dhcp=(4, 6)), Expected()
STATIC4 = Expected(addresses=("192.0.2.10/24",), gateways=("192.0.2.1",))


@pytest.mark.parametrize(
    ("own", "expected", "options", "versions"),
    [
        ((LEASE4,), ASKS4, {}, (4,)),
        ((LEASE4,), ASKS_BOTH, {}, (4,)),
        ((), ASKS_BOTH, {}, (4,)),
        ((FIXED4,), STATIC4, {}, ()),
        # a router's addresses, where nobody configures IPv6 in another way
        ((LEASE4, LEASE6), ASKS4, {}, (4, 6)),
        ((FIXED4, LEASE6), STATIC4, {}, (6,)),
        ((LEASE4, LEASE6), ASKS4, {"ipv6": family("auto")}, (4, 6)),
        ((LEASE4, LEASE6), ASKS4, {"ipv6": family("none")}, (4,)),
        ((LEASE4, LEASE6), ASKS4, {"ipv6": family("static", "2001:db8::7/64")}, (4,)),
        ((LEASE4, leased("fe80::1/64")), ASKS4, {}, (4,)),
        ((LEASE4,), ASKS4, {"ipv6": family("auto")}, (4,)),
        # leases without an end look like any other address
        ((FIXED4,), ASKS4, {}, ()),
        ((FIXED4, LEASE6), ASKS_BOTH, {}, (6,)),
        ((LEASE4, FIXED6), ASKS_BOTH, {}, (4,)),
        ((LEASE4, address("192.0.2.99/24")), ASKS4, {}, (4,)),
        # what the configuration has is nobody's lease
        ((FIXED4,), replace(STATIC4, dhcp=(4,)), {}, (4,)),
        # the address that is there is the one that goes: a server has to give another
        ((FIXED4,), ASKS4, {"ipv4": family("dhcp")}, (4,)),
        ((LEASE4,), ASKS_BOTH, {"ipv6": family("dhcp")}, (4, 6)),
    ],
)
def test_the_versions_of_which_a_server_gives_an_address(
    own: tuple[Address, ...], expected: Expected, options: dict[str, t.Any], versions: tuple[int, ...]
) -> None:
    before = links(device("eth0", *own))
    after = links(device("eth0", master="br0"), bridge("br0", *own))
    for found in (before, after):
        assert leased_versions(request(**options), expected, found, record()) == versions


BOTH = (default_route(), default_route("fe80::1", protocol="ra"))


@pytest.mark.parametrize(
    ("routes", "options", "expected", "leases", "versions"),
    [
        (BOTH, {}, STATIC4, (), (4, 6)),
        (BOTH, {}, ASKS_NOBODY, (), (4, 6)),
        (BOTH[:1], {}, STATIC4, (), (4,)),
        ((), {}, STATIC4, (4, 6), ()),
        ((default_route(link="eth1"), default_route("fe80::1", table="100")), {}, STATIC4, (), ()),
        # a family that the task configures anew says itself whether it has a gateway
        (BOTH, {"ipv4": family("static", "192.0.2.7/24")}, ASKS_NOBODY, (), (6,)),
        (BOTH, {"ipv4": family("dhcp"), "ipv6": family("none")}, ASKS4, (4,), ()),
        # on the way back only what the uplink's own configuration brings
        (BOTH, {"state": "absent"}, ASKS_NOBODY, (), ()),
        (BOTH, {"state": "absent"}, STATIC4, (), (4,)),
        (BOTH, {"state": "absent"}, STATIC4, (6,), (4, 6)),
        (BOTH[:1], {"state": "absent"}, STATIC4, (6,), (4,)),
    ],
)
def test_the_versions_that_keep_a_default_route(
    routes: tuple[t.Any, ...], options: dict[str, t.Any], expected: Expected, leases: tuple[int, ...], versions: tuple[int, ...]
) -> None:
    found = links(device("eth0"), device("eth1"), routes=routes)
    assert routed_versions(found, "eth0", expected, leases, request(**options)) == versions


@pytest.mark.parametrize(
    ("own", "moving", "expected", "leases", "lost"),
    [
        ((FIXED4,), (), STATIC4, (), ()),
        ((FIXED4,), (FIXED4,), ASKS_NOBODY, (), ()),
        ((FIXED4, FIXED6), (), STATIC4, (), ("2001:db8::10/64",)),
        ((address("192.0.2.10/25"),), (), STATIC4, (), ("192.0.2.10/25",)),
        ((LEASE4, LEASE6), (), ASKS4, (4, 6), ()),
        ((LEASE4, LEASE6), (), ASKS4, (4,), ("2001:db8::10/64",)),
        ((LEASE4,), (), ASKS_NOBODY, (), ("192.0.2.10/24",)),
        # nobody is reached at these
        ((address("fe80::1/64"), replace(LEASE6, temporary=True)), (), ASKS_NOBODY, (), ()),
        # somebody's own beside a lease, and one that a server asked anew does not give
        ((LEASE4, address("192.0.2.99/24")), (), ASKS4, (4,), ("192.0.2.99/24",)),
        ((FIXED4,), (), ASKS4, (4,), ("192.0.2.10/24",)),
        # a lease without an end is given again
        ((FIXED4,), (), ASKS4, (), ()),
        ((FIXED4, FIXED6), (), ASKS4, (), ("2001:db8::10/64",)),
    ],
)
def test_the_addresses_that_the_host_loses(
    own: tuple[Address, ...],
    moving: tuple[Address, ...],
    expected: Expected,
    leases: tuple[int, ...],
    lost: tuple[str, ...],
) -> None:
    assert lost_addresses(device("eth0", *own), moving, expected=expected, leased=leases) == lost
