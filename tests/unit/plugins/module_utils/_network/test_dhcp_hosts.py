# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The changes of a running network's DHCP server, judged by a model of what libvirt makes of them."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._network.definition import definition_from_xml
from ansible_collections.kvmops.network.plugins.module_utils._network.dhcp_hosts import (
    LiveChange,
    LiveSteps,
    home_of,
    key_of,
    places_in,
    plan_live,
)
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nic.dhcp_model import UpdateError, entries, update

if t.TYPE_CHECKING:
    Definition = dict[str, t.Any]
    Host = dict[str, t.Any]

M1, M2, M3 = (f"52:54:00:00:00:0{number}" for number in (1, 2, 3))
V4, V6, SECOND = "10.0.1.1", "fd01::1", "10.0.2.1"


def network(*hosts: Host) -> Definition:
    """Return a network with three subnets and these entries, each in the subnet where it belongs."""
    definition: Definition = {
        "name": "lab",
        "ips": [{"address": V4, "prefix": 24}, {"address": V6, "prefix": 64}, {"address": SECOND, "prefix": 24}],
    }
    for host in hosts:
        home = home_of(definition, host["ip"])
        assert home is not None
        home.setdefault("dhcp", {}).setdefault("hosts", []).append(host)
    return definition


def v4(mac: str, end: int, name: str | None = None) -> Host:
    return {"mac": mac, "ip": f"10.0.1.{end}", **({"name": name} if name else {})}


def v6(key: str, end: int, name: str | None = None) -> Host:
    return {"id": key, "ip": f"fd01::{end}", **({"name": name} if name else {})}


def run(live: Definition, steps: LiveSteps) -> Definition:
    for change in [*steps.first, *steps.then]:
        live = update(live, change)
    return live


def test_where_an_address_belongs() -> None:
    definition = network()
    assert [home_of(definition, address) for address in ("10.0.1.9", "fd01::9", "10.0.2.9")] == definition["ips"]
    assert home_of(definition, "10.0.3.9") is None
    assert home_of(definition, "fd02::9") is None
    assert home_of({"name": "lab"}, "10.0.1.9") is None


def test_what_tells_an_entry_from_others() -> None:
    assert key_of({"mac": M1, "id": "x", "name": "n"}) == M1
    assert key_of({"id": "x", "name": "n"}) == "x"
    assert key_of({"name": "n", "ip": "10.0.1.2"}) == "n"
    assert key_of({"ip": "10.0.1.2"}) == ""


def test_the_entries_of_a_network() -> None:
    first, second = v4(M1, 11), v6("x", 11)
    assert list(places_in(network(second, first))) == [(V4, first), (V6, second)]
    assert list(places_in(definition_from_xml("<network><name>lab</name></network>"))) == []


# --- one entry ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("live", "gone", "wanted", "first", "then"),
    [
        # nothing to do
        ([], [], [], [], []),
        ([v4(M1, 11)], [], [v4(M1, 11)], [], []),
        ([v4(M1, 11)], [(M1, "10.0.1.11")], [v4(M1, 11)], [], []),
        # it comes, it goes, it went already
        ([], [], [v4(M1, 11)], [], [("add", V4, v4(M1, 11))]),
        ([v4(M1, 11, "a")], [(M1, "10.0.1.11")], [], [("delete", V4, v4(M1, 11, "a"))], []),
        ([], [(M1, "10.0.1.11")], [], [], []),
        # somebody gave it another address meanwhile
        ([v4(M1, 12)], [(M1, "10.0.1.11")], [], [], []),
        # another address, another name, no name
        ([v4(M1, 11)], [(M1, "10.0.1.11")], [v4(M1, 12)], [], [("modify", V4, v4(M1, 12))]),
        ([v4(M1, 11, "a")], [], [v4(M1, 11, "b")], [], [("modify", V4, v4(M1, 11, "b"))]),
        ([v4(M1, 11, "a")], [], [v4(M1, 11)], [], [("modify", V4, v4(M1, 11))]),
        # another key for the address
        (
            [v4(M1, 11, "a")],
            [(M1, "10.0.1.11")],
            [v4(M2, 11, "a")],
            [("delete", V4, v4(M1, 11, "a"))],
            [("add", V4, v4(M2, 11, "a"))],
        ),
        # another subnet
        (
            [v4(M1, 11)],
            [(M1, "10.0.1.11")],
            [{"mac": M1, "ip": "10.0.2.11"}],
            [("delete", V4, v4(M1, 11))],
            [("add", SECOND, {"mac": M1, "ip": "10.0.2.11"})],
        ),
        # libvirt finds no entry by its identifier
        ([v6("x", 11)], [], [v6("x", 12)], [("delete", V6, v6("x", 11))], [("add", V6, v6("x", 12))]),
        ([v6("x", 11)], [], [v6("x", 11, "a")], [("delete", V6, v6("x", 11))], [("add", V6, v6("x", 11, "a"))]),
        ([v6("x", 11)], [("x", "fd01::11")], [], [("delete", V6, v6("x", 11))], []),
        # a guest's two entries have one name
        ([v4(M1, 11, "a"), v6("x", 11, "a")], [], [v4(M1, 12, "a"), v6("x", 11, "a")], [], [("modify", V4, v4(M1, 12, "a"))]),
        ([v6("x", 11, "a")], [], [v4(M1, 11, "a")], [], [("add", V4, v4(M1, 11, "a"))]),
        # others' names and addresses are of no concern
        ([v4(M2, 12, "b"), v4(M1, 11, "a")], [], [v4(M1, 13, "c")], [], [("modify", V4, v4(M1, 13, "c"))]),
        # two that swap: neither may have what the other still has
        (
            [v4(M1, 11), v4(M2, 12)],
            [],
            [v4(M1, 12), v4(M2, 11)],
            [("delete", V4, v4(M1, 11))],
            [("modify", V4, v4(M2, 11)), ("add", V4, v4(M1, 12))],
        ),
    ],
)
def test_what_is_done(
    live: list[Host],
    gone: list[tuple[str, str]],
    wanted: list[Host],
    first: list[tuple[t.Any, str, Host]],
    then: list[tuple[t.Any, str, Host]],
) -> None:
    before = network(*live)
    steps = plan_live(before, gone, wanted)
    assert steps == LiveSteps(first=[LiveChange(*each) for each in first], then=[LiveChange(*each) for each in then])
    after = run(before, steps)
    assert all(host in [entry for _address, entry in entries(after)] for host in wanted)
    assert plan_live(after, gone, wanted) == LiveSteps()


def test_a_subnet_that_does_not_run_is_said() -> None:
    live: Definition = {"name": "lab", "ips": [{"address": V4, "prefix": 24}]}
    assert plan_live(live, [], [v6("x", 11), v4(M1, 11)]) == LiveSteps(
        then=[LiveChange("add", V4, v4(M1, 11))], homeless=["fd01::11"]
    )


@pytest.mark.parametrize(
    ("other", "wanted"),
    [
        (v4(M3, 11), v4(M1, 11)),
        (v4(M3, 19, "a"), v4(M1, 11, "a")),
        ({"name": "x", "ip": "10.0.1.11"}, v4(M1, 11)),
        (v6("y", 11), v6("x", 11)),
        (v6("y", 19, "a"), v6("x", 11, "a")),
    ],
)
def test_an_entry_in_the_way_is_said_and_nothing_is_done_to_it(other: Host, wanted: Host) -> None:
    steps = plan_live(network(other), [], [wanted])
    assert steps.clashes == [(wanted["ip"], other)]
    with pytest.raises(UpdateError):
        run(network(other), steps)
    # also where an entry would only be changed
    before = network({**wanted, "ip": wanted["ip"].replace("11", "55"), "name": "old"}, other)
    assert plan_live(before, [], [wanted]).clashes == [(wanted["ip"], other)]


def test_what_goes_is_not_in_the_way() -> None:
    before = network(v4(M3, 11, "a"))
    steps = plan_live(before, [(M3, "10.0.1.11")], [v4(M1, 11, "a")])
    assert steps.clashes == []
    assert entries(run(before, steps)) == [(V4, v4(M1, 11, "a"))]


def test_an_entry_without_an_address_on_the_wire_is_not_deleted_in_the_place_of_another() -> None:
    # libvirt takes an entry without one for any
    other = {"name": "x", "ip": "10.0.1.12"}
    before = network(other, v4(M1, 11))
    steps = plan_live(before, [(M1, "10.0.1.11")], [])
    assert entries(run(before, steps)) == [(V4, other)]
