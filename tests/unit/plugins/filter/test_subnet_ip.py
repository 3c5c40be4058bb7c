# SPDX-FileCopyrightText: The kvmops.network authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.filter.subnet_ip import FilterModule
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import definition_from_options
from ansible_collections.kvmops.network.plugins.module_utils._network.rules import find_problems

subnet_ip = FilterModule().filters()["subnet_ip"]


@pytest.mark.parametrize(
    ("subnet", "address", "prefix", "start", "end"),
    [
        ("192.168.122.0/24", "192.168.122.1", 24, "192.168.122.2", "192.168.122.254"),
        ("192.168.124.0/255.255.255.0", "192.168.124.1", 24, "192.168.124.2", "192.168.124.254"),
        ("10.0.0.128/25", "10.0.0.129", 25, "10.0.0.130", "10.0.0.254"),
        ("10.0.0.4/30", "10.0.0.5", 30, "10.0.0.6", "10.0.0.6"),
    ],
)
def test_the_host_has_the_first_address_and_guests_get_the_others(
    subnet: str, address: str, prefix: int, start: str, end: str
) -> None:
    expected = {"address": address, "prefix": prefix, "dhcp": {"ranges": [{"start": start, "end": end}]}}
    assert subnet_ip(subnet) == expected


@pytest.mark.parametrize(
    ("subnet", "sentence"),
    [
        ("192.168.122.1/24", "'192.168.122.1/24' is not an IPv4 subnet (192.168.122.1/24 has host bits set)"),
        ("fd00::/64", "'fd00::/64' is not an IPv4 subnet"),
        ("there", "'there' is not an IPv4 subnet"),
        ("", "'' is not an IPv4 subnet"),
        ("10.0.0.4/31", "'10.0.0.4/31' has no room for a host and a guest; use a prefix of 30 or less."),
        ("10.0.0.4", "'10.0.0.4' has no room for a host and a guest; use a prefix of 30 or less."),
    ],
)
def test_what_is_no_subnet_is_refused_with_a_sentence(subnet: str, sentence: str) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        subnet_ip(subnet)
    assert str(caught.value).startswith(sentence)


@given(network=st.ip_addresses(v=4), prefix=st.integers(16, 30))
def test_the_module_accepts_what_comes_out(network: ipaddress.IPv4Address, prefix: int) -> None:
    subnet = ipaddress.ip_network((network, prefix), strict=False)
    if subnet.is_multicast or subnet.is_loopback or subnet.is_unspecified:
        return
    assert find_problems(definition_from_options({"name": "a", "ips": [subnet_ip(str(subnet))]})) == []
