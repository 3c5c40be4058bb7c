# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""A free subnet of a pool, and addresses said by their place in it."""

from __future__ import annotations

import typing as t
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._network.mark import order_fragment
from ansible_collections.kvmops.network.plugins.module_utils._network.pools import (
    Choice,
    choose_subnet,
    place_entry,
    read_wish,
    recorded_choices,
)
from ansible_collections.kvmops.network.plugins.module_utils._network.subnets import Occupancy, Occupied

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._network.subnets import Subnet


def choose(pool: list[str], prefix: int | None, *held: str, wide: t.Container[str] = ()) -> str:
    wish = read_wish({"pool": pool, "prefix": prefix}, "ips[0]")
    occupied = [Occupied(ip_network(subnet), subnet, wide=subnet in wide) for subnet in held]
    found = choose_subnet(wish, Occupancy(occupied), own="lab")
    assert found.place == min(1, found.subnet.num_addresses - 1)
    return str(found.subnet)


@pytest.mark.parametrize(
    ("pool", "prefix", "held", "chosen"),
    [
        (["10.0.0.0/8"], 24, [], "10.0.0.0/24"),
        (["10.0.0.0/8"], 24, ["10.0.0.0/24"], "10.0.1.0/24"),
        (["10.0.0.0/8"], 24, ["10.0.0.5/32", "10.0.1.0/30"], "10.0.2.0/24"),
        (["10.0.0.0/8"], 24, ["10.0.0.0/16", "10.1.0.0/24"], "10.1.1.0/24"),
        (["10.0.0.0/23"], 24, ["10.0.0.0/24", "11.0.0.0/8"], "10.0.1.0/24"),
        (["10.0.0.0/24", "10.9.0.0/24"], 24, ["10.0.0.0/16"], "10.9.0.0/24"),
        (["10.9.0.0/24", "10.0.0.0/30"], None, [], "10.9.0.0/24"),
        (["10.9.0.0/24", "10.0.0.0/30"], None, ["10.9.0.77/32"], "10.0.0.0/30"),
        (["fd00::/32"], 64, ["fd00::/48", "10.0.0.0/8"], "fd00:0:1::/64"),
        (["fd00::/8"], 64, ["fd00::/9"], "fd80::/64"),
        (["10.0.0.0/8"], 30, ["10.0.0.0/30", "10.0.0.4/30", "10.0.0.12/30"], "10.0.0.8/30"),
    ],
)
def test_the_first_free_one_is_chosen(pool: list[str], prefix: int | None, held: list[str], chosen: str) -> None:
    assert choose(pool, prefix, *held) == chosen


def test_the_inside_of_a_wide_route_is_the_last_resort() -> None:
    assert choose(["10.0.0.0/8", "172.16.0.0/16"], 24, "10.0.0.0/8", wide=["10.0.0.0/8"]) == "172.16.0.0/24"
    assert choose(["10.0.0.0/8"], 24, "10.0.0.0/8", "10.0.0.0/24", wide=["10.0.0.0/8"]) == "10.0.1.0/24"


def test_a_route_to_exactly_the_subnet_is_no_wide_one() -> None:
    with pytest.raises(RefusedError):
        choose(["10.0.0.0/24"], 24, "10.0.0.0/24", wide=["10.0.0.0/24"])


@pytest.mark.parametrize(
    ("pool", "prefix", "sentence"),
    [
        (["10.0.0.0/23"], 24, "no subnet with the prefix 24 of 10.0.0.0/23 is free"),
        (["10.0.0.0/24", "10.0.1.0/24"], None, "no subnet of 10.0.0.0/24, 10.0.1.0/24 is free"),
    ],
)
def test_none_is_free(pool: list[str], prefix: int | None, sentence: str) -> None:
    with pytest.raises(RefusedError) as refused:
        choose(pool, prefix, "10.0.0.0/16")
    assert str(refused.value) == f"ips[0].pool: {sentence} on this host; add another subnet to the pool."


@pytest.mark.parametrize("subnet", ["255.255.255.0/24", "ffff:ffff:ffff:ffff::/64"])
def test_nothing_comes_after_the_last_subnet(subnet: str) -> None:
    for prefix in (None, ip_network(subnet).prefixlen + 1):
        with pytest.raises(RefusedError):
            choose([subnet], prefix, subnet)


@given(
    prefix=st.integers(24, 32),
    held=st.lists(
        st.builds(
            lambda address, length: ip_network((0x0A000000 + address, length), strict=False),
            st.integers(0, 2**10 - 1),
            st.integers(20, 32),
        ),
        max_size=12,
    ),
)
def test_the_choice_is_what_trying_one_by_one_finds(prefix: int, held: list[Subnet]) -> None:
    candidates = ip_network("10.0.0.0/22").subnets(new_prefix=prefix)
    expected = next((each for each in candidates if not any(each.overlaps(other) for other in held)), None)  # type: ignore[arg-type]
    try:
        found: str | None = choose(["10.0.0.0/22"], prefix, *map(str, held))
    except RefusedError:
        found = None
    assert found == (str(expected) if expected is not None else None)


# --- what is recorded ---------------------------------------------------------------------------------------------------------

DEFINITION = {
    "name": "lab",
    "ips": [
        {"address": "192.168.5.1", "prefix": 24},
        {"address": "10.0.7.9", "prefix": 24},
        {"address": "10.0.8.1", "prefix": 24},
    ],
}


@pytest.mark.parametrize(
    ("pool", "prefix", "taken", "subnet", "place"),
    [
        (["10.0.0.0/8"], 24, (), "10.0.7.0/24", 9),
        (["10.0.0.0/8"], 24, ("10.0.7.9",), "10.0.8.0/24", 1),
        (["10.0.8.0/24", "10.0.7.0/24"], None, (), "10.0.7.0/24", 9),
        (["10.0.0.0/8"], 25, (), None, 0),
        (["10.1.0.0/16"], 24, (), None, 0),
        (["10.0.0.0/8"], None, (), None, 0),
        (["fd00::/8"], 64, (), None, 0),
    ],
)
def test_a_recorded_choice_stands(pool: list[str], prefix: int | None, taken: t.Sequence[str], subnet: str, place: int) -> None:
    wish = read_wish({"pool": pool, "prefix": prefix}, "ips[0]")
    expected = {3: Choice(ip_network(subnet), place)} if subnet else {}
    assert recorded_choices({3: wish}, DEFINITION, taken=taken) == expected
    assert recorded_choices({3: wish}, None, taken=taken) == {}


WIDE, NARROW, OTHER = ["10.0.0.0/8"], ["10.0.7.0/24"], ["192.168.0.0/16"]


@pytest.mark.parametrize(
    ("pools", "recorded", "expected"),
    [
        # as many as can be keep one, whatever the order
        ([WIDE, NARROW], [], ["10.0.8.0/24", "10.0.7.0/24"]),
        ([NARROW, WIDE], [], ["10.0.7.0/24", "10.0.8.0/24"]),
        ([WIDE, OTHER, NARROW], [], ["10.0.8.0/24", "192.168.5.0/24", "10.0.7.0/24"]),
        ([NARROW, NARROW], [], ["10.0.7.0/24", None]),
        ([WIDE, WIDE, WIDE], [], ["10.0.7.0/24", "10.0.8.0/24", None]),
        # each keeps its own
        ([WIDE, WIDE], ["10.0.8.0/24", "10.0.7.0/24"], ["10.0.8.0/24", "10.0.7.0/24"]),
        ([WIDE, OTHER, WIDE], ["10.0.8.0/24", "192.168.5.0/24", "10.0.7.0/24"], ["10.0.8.0/24", "192.168.5.0/24", "10.0.7.0/24"]),
        # what is recorded and not there any more, or does not fit any more, is nothing to keep
        ([WIDE, WIDE], ["10.0.9.0/24", "10.0.7.0/24"], ["10.0.8.0/24", "10.0.7.0/24"]),
        ([NARROW, WIDE], ["10.0.8.0/24", "10.0.7.0/24"], ["10.0.7.0/24", "10.0.8.0/24"]),
    ],
)
def test_each_wish_keeps_its_subnet(pools: list[list[str]], recorded: list[str], expected: list[str | None]) -> None:
    definition = {**DEFINITION, "metadata": [order_fragment(recorded)]} if recorded else DEFINITION
    wishes = {number: read_wish({"pool": pool, "prefix": 24}, "ips[0]") for number, pool in enumerate(pools)}
    found = recorded_choices(wishes, definition, taken=())
    assert [str(found[number].subnet) if number in found else None for number in wishes] == expected


# --- places -------------------------------------------------------------------------------------------------------------------

ENTRY = {
    "pool": ["10.0.0.0/8"],
    "prefix": 24,
    "dhcp": {
        "ranges": [{"start": "0.0.0.100", "end": "0.0.0.254", "lease": None}],
        "hosts": [{"mac": "52:54:00:00:00:01", "ip": "0.0.0.7"}, {"mac": "52:54:00:00:00:02", "ip": None}],
    },
}


def test_places_become_addresses() -> None:
    assert place_entry(ENTRY, "ips[0]", Choice(ip_network("10.3.2.0/24"), 1)) == {
        "address": "10.3.2.1",
        "prefix": 24,
        "dhcp": {
            "ranges": [{"start": "10.3.2.100", "end": "10.3.2.254", "lease": None}],
            "hosts": [{"mac": "52:54:00:00:00:01", "ip": "10.3.2.7"}, {"mac": "52:54:00:00:00:02", "ip": None}],
        },
    }


def test_the_address_of_the_host_may_be_said() -> None:
    choice = Choice(ip_network("fd00:1::/64"), 1)
    assert place_entry({"address": "::9", "pool": []}, "ips[0]", choice) == {"address": "fd00:1::9", "prefix": 64}
    assert place_entry({"address": None, "pool": []}, "ips[0]", choice) == {"address": "fd00:1::1", "prefix": 64}


@pytest.mark.parametrize("value", ["10.3.2.100", "0.0.1.0", "::5", "a", "100"])
def test_what_is_no_place_is_refused(value: str) -> None:
    entry = {"pool": ["10.0.0.0/8"], "dhcp": {"ranges": [{"start": value, "end": "0.0.0.9"}]}}
    with pytest.raises(InputError) as refused:
        place_entry(entry, "ips[3]", Choice(ip_network("10.3.2.0/24"), 1))
    assert str(refused.value) == (
        f"ips[3].dhcp.ranges[0].start: '{value}' is no place in a subnet with the prefix 24; beside pool, say addresses by their "
        "place in the subnet that is chosen, such as 0.0.0.100."
    )
