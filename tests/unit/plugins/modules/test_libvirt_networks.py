# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""A list of networks in one task, with the real module and libvirt's test driver."""

from __future__ import annotations

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection, GuestNic
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import (
    apply,
    apply_all,
    dump,
    network_task,
    networks_task,
    snapshot,
    start_guest,
)
from ansible_collections.kvmops.network.tests.unit.plugins.support.lists import A, B, C, Options, network, show_host


def test_all_in_one_task(driver: libvirt.virConnect) -> None:
    predicted = networks_task(A, {**B, "state": "inactive"}, {**C, "autostart": False}, check=True)
    assert snapshot(driver) == {}
    real = apply_all(A, {**B, "state": "inactive"}, {**C, "autostart": False})
    for result in (predicted, real):
        assert result.changed
        assert result.statuses == {"a": "changed", "b": "changed", "c": "changed"}
        assert [each["network"]["active"] for each in result.data["networks"]] == [True, False, True]
        assert [each["network"]["autostart"] for each in result.data["networks"]] == [True, False, False]
        assert [each["actions"][0] for each in result.data["networks"]] == ["define: the network does not exist"] * 3
        assert [each["after_header"] for each in result.data["diff"]] == ["network a", "network b", "network c"]
        assert result.own_warnings == []
    before = snapshot(driver)
    again = apply_all(A, {**B, "state": "inactive"}, {**C, "autostart": False})
    assert not again.changed
    assert again.statuses == {"a": "unchanged", "b": "unchanged", "c": "unchanged"}
    assert again.data["diff"] == []
    assert snapshot(driver) == before


def test_only_what_differs_is_changed(driver: libvirt.virConnect) -> None:
    apply_all(A, B, C)
    result = apply_all(A, {**B, "mtu": 1400}, C)
    assert result.statuses == {"a": "unchanged", "b": "changed", "c": "unchanged"}
    assert [each["before_header"] for each in result.data["diff"]] == ["network b"]
    assert "1400" in dump(driver, "b")


def test_an_entry_without_a_definition_needs_a_network(driver: libvirt.virConnect) -> None:
    apply(**A)
    assert apply_all({"name": "a", "autostart": False}).changed
    result = networks_task(B, {"name": "defualt"})
    assert result.failed
    assert result.msg.startswith("The network 'defualt': name: the network 'defualt' does not exist")
    assert list(snapshot(driver)) == ["a"]


def test_an_empty_list_is_nothing_to_do(driver: libvirt.virConnect) -> None:
    result = apply_all()
    assert (result.changed, result.data["networks"]) == (False, [])
    assert snapshot(driver) == {}


@pytest.mark.parametrize(
    ("entries", "sentences"),
    [
        (
            [network("a", 1), network("b", 1, "virbr2")],
            [
                "The network 'a': The subnet 10.0.1.0/24 overlaps with the network 'b' (10.0.1.0/24). ",
                "The network 'b': The subnet 10.0.1.0/24 overlaps with the network 'a' (10.0.1.0/24). ",
            ],
        ),
        (
            [network("a", 1), network("b", 2, "virbr1")],
            [
                "The network 'a': bridge.name: 'virbr1' is the bridge of the network 'b' already; choose another name.",
                "The network 'b': bridge.name: 'virbr1' is the bridge of the network 'a' already; choose another name.",
            ],
        ),
        (
            [network("a", 1, mac="52:54:00:00:00:01"), network("b", 2, mac="52:54:00:00:00:01")],
            ["The network 'a': mac: '52:54:00:00:00:01' is the MAC address of the network 'b'; choose another"],
        ),
        (
            [network("a", 1, mtu=5), network("b", ips=[{"address": "10.0.2.300"}])],
            ["The network 'b': ips[0].address: '10.0.2.300' is not an IP address"],
        ),
        (
            [network("a", 1, mtu=5), network("b", 2, mtu=6)],
            ["The network 'a': mtu: '5' is not possible; ", "The network 'b': mtu: '6' is not possible; "],
        ),
        ([A, B, A], ["networks: 'a' is there twice; leave one entry for each network."]),
    ],
)
def test_what_is_wrong_in_the_list_is_said_at_once(
    driver: libvirt.virConnect, entries: list[Options], sentences: list[str]
) -> None:
    before = snapshot(driver)
    for check in (True, False):
        result = networks_task(C, *entries, check=check)
        assert result.failed
        assert not result.changed
        for sentence in sentences:
            assert sentence in result.msg
        assert snapshot(driver) == before


@pytest.mark.usefixtures("driver")
def test_overlaps_are_listed_for_playbooks() -> None:
    result = networks_task(network("a", 1), network("b", 1, "virbr2"))
    assert [sentence[:39] for sentence in result.data["overlaps"]] == ["The subnet 10.0.1.0/24 overlaps with th"] * 2
    assert "overlaps" not in networks_task(network("a", 1), network("b", 1)).data


def test_one_of_two_allows_an_overlap(driver: libvirt.virConnect) -> None:
    other = network("b", 1, "virbr2")
    for first, second in (
        ({**A, "allow_overlap": ["b"]}, other),
        (A, {**other, "allow_overlap": ["a"]}),
        (A, {**other, "allow_overlap": ["10.0.0.0/8"]}),
    ):
        assert not networks_task(first, second, check=True).failed
    assert networks_task({**A, "allow_overlap": ["c"]}, {**other, "allow_overlap": ["10.0.2.0/24"]}, check=True).failed
    assert snapshot(driver) == {}


def test_a_change_that_waits_for_guests_is_said(driver: libvirt.virConnect) -> None:
    apply_all(A, B)
    start_guest(driver, "guest", "a")
    result = apply_all({**A, "mtu": 1400}, {**B, "mtu": 1400})
    assert [each["pending_restart"] for each in result.data["networks"]] == [True, False]
    assert result.own_warnings == [
        "The network 'a' takes mtu from its definition only when it is started anew: it is in use by guest 'guest'."
    ]


# --- what is looked at --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("driver")
def test_only_what_matters_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = Connection.read_guest_nics

    def ask(self: Connection) -> list[GuestNic]:
        asked.append("guests")
        return real(self)

    monkeypatch.setattr(Connection, "read_guest_nics", ask)
    seen = show_host(monkeypatch, {})
    apply_all(A, B)
    # guests are asked for once, whether they are where they belong, and the host only if there are some
    for entries in ((A, B), ({**A, "autostart": False}, B)):
        asked.clear()
        seen.clear()
        apply_all(*entries)
        assert (asked, seen) == (["guests"], [])
    asked.clear()
    apply_all({"name": "gone", "state": "absent"})
    assert (asked, seen) == ([], [])
    apply_all({**A, "mtu": 1400}, {"name": "b", "state": "absent"})
    assert (asked, len(seen)) == (["guests"], 1)


def test_warnings_name_the_network(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    show_host(monkeypatch, {}, ["10.0.0.0/8"])
    sentence = (
        "The subnet 10.0.1.0/24 lies inside the host's route to 10.0.0.0/8 through eth0: what it would lead to there is no "
        "longer reached."
    )
    assert networks_task(A, check=True).warnings == (f"The network 'a': {sentence}",)
    assert network_task(**A, check=True).warnings == (sentence,)
    assert snapshot(driver) == {}


def test_an_old_overlap_is_no_reason_not_to_restart(driver: libvirt.virConnect) -> None:
    apply(**A)
    wide = {**network("wide", bridge="virbr7"), "ips": [{"address": "10.0.0.1", "prefix": 16}]}
    apply(**wide, allow_overlap=["a"])
    changed = apply_all({**A, "mtu": 1400})
    assert [action.partition(":")[0] for action in changed.data["networks"][0]["actions"]] == ["define", "stop", "start"]
    apply_all({"name": "a", "state": "inactive"})
    assert "overlaps with the network 'wide'" in networks_task({"name": "a", "state": "active"}).msg
    assert not driver.networkLookupByName("a").isActive()


def test_no_list_waits_less_than_not_at_all(driver: libvirt.virConnect) -> None:
    for check in (True, False):
        result = networks_task(A, lock_timeout=-1, check=check)
        assert result.msg == "lock_timeout: '-1' is less than nothing; give seconds, 0 for not waiting."
    assert snapshot(driver) == {}
