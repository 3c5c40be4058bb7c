# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Which part of an IPv6 address has to be written down, because it does not follow from the MAC address."""

from __future__ import annotations

from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Address
from ansible_collections.kvmops.network.plugins.module_utils._bridge.token import token_of
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._bridge.builders import address, device, leased


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        ((), ""),
        ((leased("2001:db8::5054:ff:fe12:3456/64"),), ""),  # from the MAC address 52:54:00:12:34:56
        ((leased("2001:db8::1234:5678:9abc:def0/64"),), "::1234:5678:9abc:def0"),
        ((leased("2001:db8::10/64"),), "::10"),
        # given for good, by a DHCP server, and for a day: nothing that a token makes
        ((address("2001:db8::10/64"),), ""),
        ((leased("2001:db8::10/128"),), ""),
        ((address("2001:db8::77/64", dynamic=True, temporary=True), leased("2001:db8::10/64")), "::10"),
        ((address("fe80::10/64"), leased("192.0.2.10/24")), ""),
    ],
)
def test_tokens(addresses: tuple[Address, ...], expected: str) -> None:
    assert token_of(device("eth0", *addresses)) == expected


@given(own=st.integers(1, 2**64 - 1))
def test_a_token_makes_the_same_address(own: int) -> None:
    prefix = int(IPv6Address("2001:db8:1:2::"))
    found = token_of(device("eth0", leased(f"{IPv6Address(prefix + own)}/64")))
    assert int(IPv6Address(found or "::5054:ff:fe12:3456")) == own
