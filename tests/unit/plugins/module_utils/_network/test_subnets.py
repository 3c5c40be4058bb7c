# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

from __future__ import annotations

import typing as t
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._network.subnets import (
    Occupancy,
    Occupied,
    find_overlaps,
    read_allowed,
)

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._network.subnets import Subnet


def find(
    wanted: Iterable[Subnet], held: Iterable[Occupied], names: Iterable[str] = (), subnets: Sequence[Subnet] = ()
) -> tuple[list[str], list[str]]:
    return find_overlaps(wanted, Occupancy(held), own="lab", allowed_networks=set(names), allowed_subnets=list(subnets))


@pytest.mark.parametrize(
    ("wanted", "held", "wide", "outcome"),
    [
        ("10.1.0.0/24", "10.1.0.0/24", False, "refused"),
        ("10.1.0.0/24", "10.1.0.128/25", False, "refused"),
        ("10.1.0.0/24", "10.0.0.0/8", False, "refused"),
        ("10.1.0.0/24", "10.1.1.0/24", False, "nothing"),
        ("fd00::/64", "fd00::/48", False, "refused"),
        ("fd00::/64", "10.0.0.0/8", False, "nothing"),
        # a route through a gateway: one that merely contains the subnet is a warning
        ("10.1.0.0/24", "10.0.0.0/8", True, "warned"),
        ("10.1.0.0/24", "10.1.0.0/24", True, "refused"),
        ("10.1.0.0/24", "10.1.0.0/25", True, "refused"),
        ("fd00::/64", "fd00::/48", True, "warned"),
    ],
)
def test_what_meets_what(wanted: str, held: str, wide: bool, outcome: str) -> None:
    refused, warned = find([ip_network(wanted)], [Occupied(ip_network(held), "SOMETHING", wide=wide)])
    assert (bool(refused), bool(warned)) == (outcome == "refused", outcome == "warned")


def test_the_sentences() -> None:
    held = [
        Occupied(ip_network("10.0.0.0/8"), "the host's route to 10.0.0.0/8", wide=True),
        Occupied(ip_network("10.1.0.0/16"), "the network 'b' (10.1.0.0/16)", network="b"),
        Occupied(ip_network("10.1.0.0/25"), "the host's address 10.1.0.5/25 on eth0"),
    ]
    refused, warned = find([ip_network("10.1.0.0/24")], held)
    assert refused == [
        "The subnet 10.1.0.0/24 overlaps with the network 'b' (10.1.0.0/16). Choose another subnet, or add 'b' to "
        "allow_overlap if "
        "the two are never in use together.",
        "The subnet 10.1.0.0/24 overlaps with the host's address 10.1.0.5/25 on eth0. Choose another subnet, or add "
        "'10.1.0.0/25' to "
        "allow_overlap if the two are never in use together.",
    ]
    assert warned == [
        "The subnet 10.1.0.0/24 lies inside the host's route to 10.0.0.0/8: what it would lead to there is no longer reached."
    ]


@pytest.mark.parametrize(
    ("allowed", "refused"),
    [
        ([], True),
        (["b"], False),
        (["c"], True),
        (["10.1.0.0/16"], False),
        (["10.0.0.0/8"], False),
        (["10.1.0.5/16"], False),
        (["10.1.0.0/24"], True),
        (["fd00::/8", "11.0.0.0/8"], True),
    ],
)
def test_what_is_allowed(allowed: list[str], refused: bool) -> None:
    names, subnets = read_allowed(allowed)
    held = Occupied(ip_network("10.1.0.0/16"), "the network 'b'", network="b")
    found, _warned = find([ip_network("10.1.0.0/24")], [held], names, subnets)
    assert bool(found) is refused


def test_the_same_is_said_once() -> None:
    held = Occupied(ip_network("10.1.0.0/16"), "the network 'b'", network="b")
    refused, _warned = find([ip_network("10.1.0.0/24")], [held, held])
    assert len(refused) == 1


def test_names_and_subnets_are_told_apart() -> None:
    assert read_allowed(["default", "10.20.0.0/16", "fd00::1/64", "10.0.0.0/40"]) == (
        {"default", "10.0.0.0/40"},
        [ip_network("10.20.0.0/16"), ip_network("fd00::/64")],
    )


@given(
    wanted=st.lists(st.ip_addresses().map(ip_network), max_size=3),
    held=st.lists(st.tuples(st.ip_addresses().map(ip_network), st.booleans()), max_size=3),
    allowed=st.lists(st.one_of(st.text(max_size=5), st.ip_addresses().map(str)), max_size=3),
)
def test_any_subnets_can_be_compared(wanted: list, held: list, allowed: list[str]) -> None:  # type: ignore[type-arg]
    names, subnets = read_allowed(allowed)
    occupied = [Occupied(subnet, "x", wide=wide) for subnet, wide in held]
    refused, warned = find(wanted, occupied, names, subnets)
    assert all(sentence.startswith("The subnet ") for sentence in refused + warned)


subnets_nearby = st.one_of(
    st.builds(lambda address, length: ip_network((address, length), strict=False), st.integers(0, 2**10), st.integers(18, 32)),
    st.builds(
        lambda address, length: ip_network((2**127 + address, length), strict=False), st.integers(0, 2**10), st.integers(115, 128)
    ),
)


@given(held=st.lists(subnets_nearby, max_size=12), asked=subnets_nearby)
def test_the_index_finds_what_looking_at_each_finds(held: list[Subnet], asked: Subnet) -> None:
    occupied = [Occupied(subnet, str(number)) for number, subnet in enumerate(held)]
    expected = [each for each in occupied if each.subnet.version == asked.version and each.subnet.overlaps(asked)]
    found = Occupancy(occupied).meeting(asked)
    assert sorted(each.owner for each in found) == sorted(each.owner for each in expected)


def test_a_network_does_not_meet_itself() -> None:
    subnet = ip_network("10.1.0.0/24")
    assert find([subnet], [Occupied(subnet, "the network 'lab'", network="lab")]) == ([], [])
