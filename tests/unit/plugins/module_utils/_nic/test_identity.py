# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Which NIC of a guest a task is about: by MAC address, by alias, by source; and when more than one may be meant."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import NicState
from ansible_collections.kvmops.network.plugins.module_utils._nic.identity import find_nameless, find_nic, name_of
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nic.builders import both, live, on, stored, wish

if t.TYPE_CHECKING:
    Definition = dict[str, t.Any]

M1, M2, M3, MADE, OTHER = (f"52:54:00:00:00:0{number}" for number in (1, 2, 3, 8, 9))

# A guest with NICs of all kinds: by their names here.
NICS: dict[str, NicState] = {
    "plain": both(on("default", mac=M1)),
    "named": both(on("groups", mac=M2, alias="lan")),
    "bridged": both({"type": "bridge", "mac": M3, "source": {"bridge": "br0"}}),
}


def find(nics: dict[str, NicState], made_mac: str = MADE, **options: t.Any) -> str | None:
    found = find_nic("web", list(nics.values()), wish(**options), made_mac=made_mac)
    return next((name for name, nic in nics.items() if nic is found), None) if found is not None else None


def refusal(nics: dict[str, NicState], made_mac: str = MADE, **options: t.Any) -> str:
    with pytest.raises(InputError) as caught:
        find(nics, made_mac, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        # by the address, whatever else is said: the rest is what the NIC shall be
        ({"mac": M1}, "plain"),
        ({"mac": M1.upper()}, "plain"),
        ({"mac": M2, "source": {"network": "default"}}, "named"),
        ({"mac": OTHER}, None),
        ({"mac": OTHER, "source": {"network": "default"}}, None),
        # an address of its own for the NIC of that name
        ({"mac": OTHER, "alias": "lan"}, "named"),
        ({"mac": M2, "alias": "lan"}, "named"),
        # a name for the NIC of that address
        ({"mac": M1, "alias": "wan"}, "plain"),
        # by the name
        ({"alias": "lan"}, "named"),
        ({"alias": "ua-lan"}, "named"),
        ({"alias": "lan", "source": {"network": "default"}}, "named"),
        ({"alias": "wan"}, None),
        ({"alias": "wan", "source": {"network": "default"}}, None),
        # by the place
        ({"source": {"network": "default"}}, "plain"),
        ({"source": {"network": "groups"}}, "named"),
        ({"source": {"network": "groups", "portgroup": "fast"}}, "named"),
        ({"source": {"bridge": "br0"}}, "bridged"),
        ({"type": "bridge"}, "bridged"),
        ({"source": {"network": "br0"}}, None),
        ({"source": {"network": "other"}}, None),
        ({"source": {"dev": "br0"}}, None),
        ({"type": "user"}, None),
    ],
)
def test_a_nic_is_found(options: Definition, found: str | None) -> None:
    assert find(NICS, **options) == found


def test_a_guest_without_nics_has_none_such() -> None:
    for options in ({"mac": M1}, {"alias": "lan"}, {"source": {"network": "default"}}):
        assert find({}, **options) is None


# --- made-up addresses --------------------------------------------------------------------------------------------------------


def test_a_nic_whose_alias_was_lost_is_found_by_the_address_that_was_made_of_it() -> None:
    nics = {**NICS, "lost": both(on("default", mac=MADE))}
    assert find(nics, alias="wan") == "lost"


def test_a_nic_of_another_name_is_another_one_whatever_its_address_is() -> None:
    assert find({"named": both(on("groups", mac=MADE, alias="lan"))}, alias="wan") is None


def test_a_name_that_is_there_counts_more_than_a_made_up_address() -> None:
    nics = {**NICS, "lost": both(on("default", mac=MADE))}
    assert find(nics, alias="lan") == "named"


def test_of_a_nic_that_is_named_by_its_place_the_made_up_address_says_nothing() -> None:
    assert find({"moved": both(on("groups", mac=MADE))}, source={"network": "default"}) is None


# --- what is stored and what runs ---------------------------------------------------------------------------------------------


def pending(before: Definition, after: Definition) -> NicState:
    """Return a NIC whose change waits for the guest's next start."""
    return NicState(stored=stored(after).stored, live=live(before).live)


def test_a_nic_whose_address_will_change_is_found_by_both() -> None:
    nics = {"changing": pending(on("default", mac=M1), on("default", mac=M2))}
    assert find(nics, mac=M1) == find(nics, mac=M2) == "changing"


def test_a_nic_that_only_runs_is_found() -> None:
    nics = {"hot": live(on("default", mac=M1)), "cold": stored(on("groups", mac=M2, alias="lan"))}
    assert find(nics, mac=M1) == "hot"
    assert find(nics, source={"network": "default"}) == "hot"
    assert find(nics, mac=M2) == find(nics, alias="lan") == find(nics, source={"network": "groups"}) == "cold"


def test_the_place_of_a_nic_that_moves_at_the_next_start_is_where_it_will_be() -> None:
    nics = {"moving": pending(on("default", mac=M1), on("groups", mac=M1)), "there": both(on("hostbridge", mac=M2))}
    assert find(nics, source={"network": "groups"}) == "moving"
    # where nothing is stored, what runs there
    assert find(nics, source={"network": "default"}) == "moving"
    nics["coming"] = stored(on("default", mac=M3))
    assert find(nics, source={"network": "default"}) == "coming"


# --- refusals -----------------------------------------------------------------------------------------------------------------


def test_two_nics_of_one_name_are_told_apart_by_mac() -> None:
    nics = {"one": both(on("default", mac=M1, alias="lan")), "other": both(on("groups", mac=M2, alias="lan"))}
    assert refusal(nics, alias="lan") == "alias: the guest 'web' has 2 NICs that are called 'lan'; give mac."


def test_two_nics_of_one_address_are_not_told_apart() -> None:
    nics = {"one": both(on("default", mac=M1)), "other": both(on("groups", mac=M1)), "third": both(on("groups", mac=M2))}
    assert refusal(nics, mac=M1) == (
        f"mac: the guest 'web' has 2 NICs with the address '{M1}' ({M1} on network default, {M1} on network groups); give one of "
        "them another address with 'virsh edit'."
    )
    assert find(nics, mac=M2) == "third"


def test_of_two_nics_of_one_address_the_alias_tells_one() -> None:
    nics = {"one": both(on("default", mac=M1)), "other": both(on("groups", mac=M1, alias="lan"))}
    assert find(nics, mac=M1, alias="lan") == "other"
    assert find(nics, alias="lan") == "other"


def test_a_mac_and_an_alias_of_two_nics_are_refused() -> None:
    assert refusal(NICS, mac=M1, alias="lan") == (
        f"mac: '{M1}' and alias 'lan' are two NICs of the guest 'web' ({M1} on network default, {M2} 'lan' on network groups); "
        "name one of them."
    )


def test_nothing_that_names_a_nic_is_refused() -> None:
    assert refusal(NICS, link="down") == (
        f"source: missing; say by mac, alias or source which NIC of the guest 'web' is meant. It has {M1} on network default, "
        f"{M2} 'lan' on network groups, {M3} on bridge br0."
    )
    assert refusal({}, source={"portgroup": "p"}).endswith("It has no NIC.")


def test_two_nics_in_one_place_are_told_apart_by_mac_or_alias() -> None:
    nics = {**NICS, "second": both(on("default", mac=OTHER, alias="wan"))}
    assert refusal(nics, source={"network": "default"}) == (
        f"source: the guest 'web' has 2 NICs on network default ({M1} on network default, {OTHER} 'wan' on network default); say "
        "by mac or alias which one is meant."
    )
    assert find(nics, mac=M1, source={"network": "default"}) == "plain"
    assert find(nics, alias="wan", source={"network": "default"}) == "second"


# --- names --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"alias": "lan", "source": {"network": "default"}}, "lan"),
        ({"source": {"network": "default"}}, "network default"),
        ({"source": {"network": "default", "portgroup": "p"}}, "network default"),
        ({"source": {"bridge": "br0"}}, "bridge br0"),
        ({"source": {"dev": "eth1"}}, "direct eth1"),
        ({"type": "user"}, "user"),
        ({}, ""),
    ],
)
def test_what_a_nic_without_an_address_is_called(options: Definition, name: str) -> None:
    assert name_of(wish(**options)) == name


# --- a name that no NIC has yet -----------------------------------------------------------------------------------------------

NAMELESS = {
    "plain": both(on("default", mac=M1)),
    "named": both(on("default", mac=M2, alias="lan")),
    "user": both({"type": "user", "mac": M3}),
}


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"alias": "wan", "source": {"network": "default"}}, "plain"),
        ({"alias": "wan", "type": "user"}, "user"),
        ({"alias": "wan", "source": {"network": "groups"}}, None),
        ({"alias": "wan", "type": "network"}, None),
        ({"alias": "wan"}, None),
        ({"alias": "wan", "mac": OTHER, "source": {"network": "default"}}, None),
        ({"source": {"network": "default"}}, None),
    ],
)
def test_a_new_name_goes_to_the_nic_without_one(options: Definition, found: str | None) -> None:
    nic = find_nameless("web", list(NAMELESS.values()), wish(**options))
    assert nic is (NAMELESS[found] if found is not None else None)


def test_of_several_without_a_name_none_gets_it() -> None:
    nics = [*NAMELESS.values(), both(on("default", mac=OTHER))]
    with pytest.raises(InputError) as caught:
        find_nameless("web", nics, wish(alias="wan", source={"network": "default"}))
    assert str(caught.value) == (
        f"alias: no NIC of the guest 'web' is called 'wan', and 2 without a name are on network default ({M1} on network "
        f"default, {OTHER} on network default); give the mac of the one that is meant, or one for a new NIC."
    )
