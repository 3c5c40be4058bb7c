# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Addresses that come from names: never change how, they are in guests."""

from __future__ import annotations

import ipaddress
import os
import random
import subprocess
import sys
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._guest.addresses import choose_address, hashed_address, read_subnet

SUBNET = "192.168.100.0/24"
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
SUBNETS = st.builds(
    lambda address, prefix: str(ipaddress.ip_network((address, prefix), strict=False)),
    st.ip_addresses(v=4),
    st.integers(16, 30),
)


# seed 003-8, 003-11, 003-12: 2 + (the first 8 digits of `printf %s NAME | sha256sum`) % 253
@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("wso-3332a2", 229),
        ("wso-12345678", 244),
        ("wso-abcdefgh", 103),
        ("wso-3332a2b4", 36),
        ("wso-test123", 88),
        ("wso-vm001", 55),
        ("wso-xyz", 165),
        ("wso-00006d", 2),
        ("wso-00013a", 254),
        ("test-vm", 22),
        ("wso-test", 22),
    ],
)
def test_the_address_of_a_name(name: str, last: int) -> None:
    assert hashed_address(name, SUBNET) == f"192.168.100.{last}"
    assert choose_address(name, SUBNET, {}) == f"192.168.100.{last}"


# 0xecf12f93 of printf %s wso-3332a2 | sha256sum: 2 + it % (addresses - 3)
@pytest.mark.parametrize(
    ("subnet", "address"),
    [
        ("10.0.0.0/24", "10.0.0.229"),
        ("10.0.0.0/255.255.255.0", "10.0.0.229"),
        ("10.7.0.0/16", "10.7.246.110"),
        ("10.0.0.128/25", "10.0.0.211"),
        ("10.0.0.8/29", "10.0.0.11"),
        ("10.0.0.4/30", "10.0.0.6"),
    ],
)
def test_the_rule_for_subnets_of_other_sizes(subnet: str, address: str) -> None:
    assert hashed_address("wso-3332a2", subnet) == address


@given(NAMES, SUBNETS)
def test_an_address_is_one_that_a_guest_can_have(name: str, subnet: str) -> None:
    network = ipaddress.IPv4Network(subnet)
    address = ipaddress.IPv4Address(hashed_address(name, subnet))
    assert address in network
    assert address not in (network[0], network[1], network[-1])


def test_each_process_says_the_same() -> None:
    program = (
        "from ansible_collections.kvmops.network.plugins.module_utils._guest.addresses import hashed_address\n"
        "print(hashed_address('wso-3332a2', '192.168.100.0/24'))"
    )
    for seed in ("0", "1", "2"):
        environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONHASHSEED": seed}
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False)
        assert (done.stdout, done.stderr) == ("192.168.100.229\n", "")


def test_two_names_with_one_address() -> None:
    """The first that comes has it, the second gets the next, and both keep what they have."""
    assert choose_address("wso-test", SUBNET, {"192.168.100.22": "test-vm"}) == "192.168.100.23"
    taken: dict[str, str | None] = {"192.168.100.22": "wso-test", "192.168.100.23": "test-vm"}
    assert choose_address("wso-test", SUBNET, taken) == "192.168.100.22"
    assert choose_address("test-vm", SUBNET, taken) == "192.168.100.23"
    # also when its own has become free
    assert choose_address("test-vm", SUBNET, {"192.168.100.23": "test-vm"}) == "192.168.100.23"


def test_after_the_last_address_comes_the_first() -> None:
    assert choose_address("wso-00013a", SUBNET, {"192.168.100.254": "other"}) == "192.168.100.2"


def test_what_is_reserved_for_nobody_by_name_is_taken_too() -> None:
    assert choose_address("test-vm", SUBNET, {"192.168.100.22": None}) == "192.168.100.23"


def test_reservations_of_other_subnets_do_not_count() -> None:
    taken = {"192.168.101.22": "test-vm", "fd00::22": "test-vm", "192.168.100.22": "other"}
    assert choose_address("test-vm", SUBNET, taken) == "192.168.100.23"


def test_the_gateway_is_nobodys() -> None:
    assert choose_address("test-vm", SUBNET, {}, gateway="192.168.100.22") == "192.168.100.23"
    # not even of a guest for which it was reserved
    assert choose_address("test-vm", SUBNET, {"192.168.100.22": "test-vm"}, gateway="192.168.100.22") == "192.168.100.23"
    assert choose_address("test-vm", SUBNET, {}, gateway="192.168.101.22") == "192.168.100.22"


def test_what_dhcp_hands_out_to_anybody_is_left_to_it() -> None:
    ranges = [
        {"start": "192.168.100.20", "end": "192.168.100.99"},
        {"start": "fd00::1", "end": "fd00::99"},
        {"start": "192.168.100.100", "end": "192.168.100.100"},
    ]
    assert choose_address("test-vm", SUBNET, {}, ranges=ranges) == "192.168.100.101"
    # a guest that has an address of a range already keeps it
    assert choose_address("test-vm", SUBNET, {"192.168.100.30": "test-vm"}, ranges=ranges) == "192.168.100.30"


def fill(names: list[str], taken: dict[str, str | None]) -> dict[str, str | None]:
    for name in names:
        taken[choose_address(name, SUBNET, taken)] = name
    return taken


# seed 003-10
def test_253_guests_have_253_addresses() -> None:
    names = [f"wso-{number:06x}" for number in range(253)]
    taken = fill(names, {})
    assert set(taken) == {f"192.168.100.{last}" for last in range(2, 255)}
    assert sorted(map(str, taken.values())) == names
    # recorded once, they stay, in whatever order the guests come
    again = dict(taken)
    random.Random(1).shuffle(names)
    assert fill(names, again) == taken
    with pytest.raises(RefusedError) as caught:
        choose_address("wso-0000fd", SUBNET, taken)
    assert str(caught.value) == (
        "The subnet 192.168.100.0/24 has no address left for the guest 'wso-0000fd': of the 253 that guests can have there 253 "
        "are reserved for others. Remove a guest that is no longer needed, or use a larger subnet."
    )
    # one that goes makes room
    del taken["192.168.100.77"]
    assert choose_address("wso-0000fd", SUBNET, taken) == "192.168.100.77"


@given(st.lists(NAMES, unique=True, max_size=20), st.lists(NAMES, unique=True, max_size=20), st.randoms())
def test_addresses_are_unique_and_stay(first: list[str], later: list[str], order: random.Random) -> None:
    taken = fill(first, {})
    before = dict(taken)
    everybody = list(dict.fromkeys(first + later))
    order.shuffle(everybody)
    fill(everybody, taken)
    assert before.items() <= taken.items()
    assert sorted(map(str, taken.values())) == sorted(everybody)


def test_a_range_that_leaves_nothing() -> None:
    with pytest.raises(RefusedError) as caught:
        choose_address("a", "10.0.0.0/29", {"10.0.0.6": "b"}, ranges=[{"start": "10.0.0.2", "end": "10.0.0.5"}])
    assert str(caught.value) == (
        "The subnet 10.0.0.0/29 has no address left for the guest 'a': of the 5 that guests can have there 1 are reserved for "
        "others, and DHCP hands out 10.0.0.2 to 10.0.0.5 to anybody. Remove a guest that is no longer needed, or use a larger "
        "subnet."
    )


@pytest.mark.parametrize(
    ("subnet", "sentence"),
    [
        ("here", "'here' is not an IPv4 subnet ("),
        ("", "'' is not an IPv4 subnet ("),
        ("fd00::/64", "'fd00::/64' is not an IPv4 subnet ("),
        ("192.168.100.1/24", "'192.168.100.1/24' is not an IPv4 subnet (192.168.100.1/24 has host bits set)"),
        (24, "'24' is not an IPv4 subnet ("),
        ("192.168.100.0", "The subnet '192.168.100.0' is no size for guests"),
        ("10.0.0.0/15", "The subnet '10.0.0.0/15' is no size for guests; use a prefix from 16 to 30, such as 192.168.100.0/24."),
        ("10.0.0.0/31", "The subnet '10.0.0.0/31' is no size for guests"),
    ],
)
def test_what_is_no_subnet_for_guests_is_refused(subnet: t.Any, sentence: str) -> None:
    for call in (read_subnet, lambda text: hashed_address("a", text), lambda text: choose_address("a", text, {})):
        with pytest.raises(InputError) as caught:
            call(subnet)
        assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"taken": {"here": "a"}}, "'here' is not an IP address; write it like 192.168.100.229."),
        ({"gateway": "192.168.100.1/24"}, "'192.168.100.1/24' is not an IP address"),
        (
            {"ranges": [{"start": "192.168.100.2"}]},
            "The DHCP range {'start': '192.168.100.2'} has no start or no end; give both.",
        ),
        ({"ranges": [{"start": "a", "end": "b"}]}, "'a' is not an IP address"),
        (
            {"ranges": [{"start": "192.168.100.9", "end": "192.168.100.2"}]},
            "The DHCP range's start 192.168.100.9 is after its end 192.168.100.2; swap them.",
        ),
        (
            {"ranges": [{"start": "192.168.100.9", "end": "fd00::1"}]},
            "The DHCP range's start 192.168.100.9 and end fd00::1 are not of one family; correct one of them.",
        ),
    ],
)
def test_wrong_addresses_have_their_sentences(options: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        choose_address("a", SUBNET, **{"taken": {}, **options})
    assert str(caught.value).startswith(sentence)
