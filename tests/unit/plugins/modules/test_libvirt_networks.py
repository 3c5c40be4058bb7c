# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""A list of networks in one task, with the real module and libvirt's test driver."""

from __future__ import annotations

import re
import typing as t

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection, LibvirtError
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import (
    apply,
    apply_all,
    dump,
    networks_task,
    snapshot,
    start_guest,
)

Options = dict[str, t.Any]


def network(name: str, number: int | None = None, bridge: str | None = None, **other: t.Any) -> Options:
    """Return an entry with a subnet and a bridge, both by a number."""
    entry: Options = {"name": name, **other}
    if number is not None:
        entry["ips"] = [{"address": f"10.0.{number}.1", "prefix": 24}]
    if number is not None or bridge is not None:
        entry["bridge"] = {"name": bridge or f"virbr{number}"}
    return entry


A, B, C = network("a", 1), network("b", 2), network("c", 3)


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


# --- against each other -------------------------------------------------------------------------------------------------------


def test_networks_swap_subnets_and_bridges(driver: libvirt.virConnect) -> None:
    apply_all(A, B, C)
    swapped = [network("a", 2), network("b", 3), network("c", 1)]
    assert networks_task(*swapped, check=True).statuses == {"a": "changed", "b": "changed", "c": "changed"}
    apply_all(*swapped)
    for name, number in (("a", 2), ("b", 3), ("c", 1)):
        assert f"<bridge name='virbr{number}'" in dump(driver, name)
        assert f"<ip address='10.0.{number}.1'" in dump(driver, name)
        assert driver.networkLookupByName(name).isActive()
    assert not apply_all(*swapped).changed


def test_the_place_of_a_network_that_goes_can_be_taken(driver: libvirt.virConnect) -> None:
    first = apply(**A)
    result = apply_all(network("new", 1, uuid=first.network["uuid"]), {"name": "a", "state": "absent"})
    assert result.statuses == {"new": "changed", "a": "changed"}
    assert list(snapshot(driver)) == ["new"]


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


def test_a_rename_that_fails_loses_nothing(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    apply_all(A, B)
    before = snapshot(driver)
    renamed = network("new", 1)
    break_verb(monkeypatch, "start_network", "new")
    result = networks_task(renamed, B, prune=True)
    assert result.statuses == {"new": "failed", "b": "unchanged", "a": "failed"}
    assert snapshot(driver) == before
    assert apply_all(renamed, B, prune=True).statuses == {"new": "changed", "b": "unchanged", "a": "changed"}
    assert set(snapshot(driver)) == {"new", "b"}


def test_a_network_in_use_keeps_what_another_wants(driver: libvirt.virConnect) -> None:
    apply_all(A, B)
    start_guest(driver, "guest", "a")
    before = snapshot(driver)
    result = networks_task(network("a", 2), network("b", 1))
    assert result.failed
    # a goes on running with its old bridge and subnet, so that b cannot have them
    assert "The network 'b': bridge.name: 'virbr1' is the bridge of the network 'a' already" in result.msg
    assert "The network 'a' keeps for now what it runs with: it is in use by guest 'guest'." in result.msg
    assert snapshot(driver) == before


def test_a_change_that_waits_for_guests_is_said(driver: libvirt.virConnect) -> None:
    apply_all(A, B)
    start_guest(driver, "guest", "a")
    result = apply_all({**A, "mtu": 1400}, {**B, "mtu": 1400})
    assert [each["pending_restart"] for each in result.data["networks"]] == [True, False]
    assert result.own_warnings == [
        "The definition of the network 'a' is stored, but does not take effect before the network is started anew: it is in use "
        "by guest 'guest'."
    ]


# --- prune --------------------------------------------------------------------------------------------------------------------


def test_only_what_the_module_made_is_pruned(driver: libvirt.virConnect) -> None:
    driver.networkDefineXML("<network><name>by hand</name></network>")
    apply(**C)
    apply_all(A, B)
    assert not apply_all(A).changed
    for check in (True, False):
        result = networks_task(A, prune=True, check=check)
        assert result.statuses == {"a": "unchanged", "b": "changed"}
        assert result.data["networks"][1]["actions"] == [
            "stop: it is not in the list any more",
            "undefine: it is not in the list any more",
        ]
    assert set(snapshot(driver)) == {"by hand", "a", "c"}
    assert not apply_all(A, prune=True).changed


@pytest.mark.usefixtures("driver")
def test_pruning_adopts_what_is_in_the_list() -> None:
    stopped = {**A, "state": "inactive"}
    apply(**stopped)
    apply(**B)
    adopted = apply_all(stopped, {"name": "b"}, prune=True)
    assert adopted.statuses == {"a": "changed", "b": "unchanged"}
    assert [each["actions"] for each in adopted.data["networks"]] == [["define: the definition differs"], []]
    assert not apply_all(stopped, {"name": "b"}, prune=True).changed
    assert apply_all(prune=True).statuses == {"a": "changed"}


def test_the_mark_is_no_reason_to_restart(driver: libvirt.virConnect) -> None:
    apply(**A)
    start_guest(driver, "guest", "a")
    adopted = apply_all(A, prune=True)
    assert adopted.own_warnings == []
    assert adopted.data["networks"][0]["actions"] == ["define: the definition differs"]
    assert not adopted.data["networks"][0]["pending_restart"]


def test_protected_networks_stay(driver: libvirt.virConnect) -> None:
    apply_all({**A, "name": "default"}, B, C)
    assert apply_all(prune=True, protected=["b"], check=True).statuses == {"c": "changed", "default": "changed"}
    assert apply_all(prune=True).statuses == {"b": "changed", "c": "changed"}
    assert list(snapshot(driver)) == ["default"]


def test_pruning_does_not_cut_guests_off(driver: libvirt.virConnect) -> None:
    apply_all(A, B)
    start_guest(driver, "guest", "b")
    before = snapshot(driver)
    result = networks_task({**A, "mtu": 1400}, prune=True)
    assert result.msg == (
        "The network 'b' is not in the list any more, but is in use by guest 'guest', and stopping it would cut their "
        "connection. Unplug or stop them first, name it in networks or protected, or say force: true."
    )
    assert snapshot(driver) == before
    assert apply_all(A, prune=True, force=True).statuses == {"a": "unchanged", "b": "changed"}


def test_force_for_one_is_not_force_for_others(driver: libvirt.virConnect) -> None:
    apply_all(A, B)
    start_guest(driver, "guest", "a", "b")
    gone = [{"name": "a", "state": "absent", "force": True}, {"name": "b", "state": "absent"}]
    assert networks_task(*gone).msg.startswith("The network 'b' is in use by guest 'guest'")
    assert set(snapshot(driver)) == {"a", "b"}
    assert apply_all(*gone, force=True).changed


def test_the_mark_of_another_network_is_refused(driver: libvirt.virConnect) -> None:
    apply_all(A, B)
    text = dump(driver, "a").replace("<name>a<", "<name>copy<")
    text = re.sub("<uuid>.*</uuid>|<bridge .*/>|<ip .*</ip>", "", text, flags=re.DOTALL)
    assert "urn:kvmops" in text
    for check in (True, False):
        result = networks_task({"name": "copy", "xml": text}, check=check)
        assert result.msg == (
            """The network 'copy': metadata: '<kvmops:managed xmlns:kvmops="urn:kvmops:network:managed" network="a">"""
            """</kvmops:managed>' is the mark of another network that this collection made; leave it out."""
        )
    # by hand, libvirt takes it, and then it is no mark
    driver.networkDefineXML(text)
    assert not networks_task({"name": "copy", "xml": text}).failed
    assert apply_all(A, B, prune=True).statuses == {"a": "unchanged", "b": "unchanged"}


@pytest.mark.usefixtures("driver")
def test_the_mark_survives_other_tasks() -> None:
    apply_all(A)
    apply(**{**A, "definition": "replace", "mtu": 1400})
    apply(name="a", xml="<network><name>a</name><mtu size='1300'/></network>")
    assert apply_all(prune=True).statuses == {"a": "changed"}


# --- failure ------------------------------------------------------------------------------------------------------------------


def break_verb(monkeypatch: pytest.MonkeyPatch, verb: str, broken: str, *, skipped: int = 0) -> None:
    """Let a verb of libvirt fail once for one network, after so many times that it works."""
    real = getattr(Connection, verb)
    calls: list[str] = []

    def broken_verb(self: Connection, subject: str, *arguments: t.Any, **options: t.Any) -> None:
        if subject == broken or f"<name>{broken}</name>" in subject:
            calls.append(subject)
            if len(calls) == skipped + 1:
                raise LibvirtError("the disk is full")
        real(self, subject, *arguments, **options)

    monkeypatch.setattr(Connection, verb, broken_verb)


def test_a_network_that_fails_leaves_the_others_done(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    apply_all(B)
    before = snapshot(driver)["b"]
    break_verb(monkeypatch, "start_network", "b")
    result = networks_task(A, {**B, "mtu": 1400}, C, {"name": "b2", "mtu": 1500})
    assert result.failed
    assert result.changed
    assert result.msg == (
        "The network 'b': 'start' failed: the disk is full. Everything was put back as it was. Changed as asked for: 'a', 'c', "
        "'b2'."
    )
    assert result.statuses == {"a": "changed", "b": "failed", "c": "changed", "b2": "changed"}
    failed = result.data["networks"][1]
    assert failed["msg"].startswith("The network 'b': 'start' failed")
    assert (failed["changed"], failed["actions"], failed["network"]["active"]) == (False, [], True)
    assert [each["before_header"] for each in result.data["diff"]] == ["network a", "network c", "network b2"]
    assert snapshot(driver)["b"] == before


def test_what_waits_for_a_network_that_fails_is_untouched(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    apply_all(A)
    before = snapshot(driver)
    break_verb(monkeypatch, "define_network", "a")
    result = networks_task(network("a", 9), network("b", 1))
    assert result.statuses == {"a": "failed", "b": "untouched"}
    assert result.msg == (
        "The network 'a': 'define' failed: the disk is full. Everything was put back as it was. The network 'b' was left as it "
        "was: it needs what 'a' would have given up. No other network was changed."
    )
    assert not result.changed
    assert snapshot(driver) == before


@pytest.mark.parametrize(
    ("verb", "broken"),
    [("define_network", name) for name in "abc"]
    + [("start_network", name) for name in "ab"]
    + [("stop_network", name) for name in "ab"],
)
@pytest.mark.parametrize("skipped", [0, 1])
def test_a_swap_that_fails_is_put_back_whole(
    driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch, verb: str, broken: str, skipped: int
) -> None:
    apply_all(A, {**B, "autostart": False}, {**C, "state": "inactive"})
    before = snapshot(driver)
    swapped = [network("a", 2), network("b", 3), network("c", 1, state="inactive")]
    with monkeypatch.context() as patched:
        break_verb(patched, verb, broken, skipped=skipped)
        result = networks_task(*swapped, network("d", 4))
    assert result.statuses["d"] == "changed"
    # only a definition is stored twice, the first time to give up the bridge
    assert result.failed is (skipped == 0 or verb == "define_network")
    if result.failed:
        assert {result.statuses[name] for name in "abc"} == {"failed"}
        assert "It is changed together with" in result.msg
        assert {name: state for name, state in snapshot(driver).items() if name != "d"} == before
    assert apply_all(*swapped).changed is result.failed


def test_guests_that_were_cut_off_before_the_failure_are_named(
    driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply_all(A)
    start_guest(driver, "guest", "a")
    break_verb(monkeypatch, "undefine_network", "a")
    result = networks_task({"name": "a", "state": "absent", "force": True})
    assert result.msg == (
        "The network 'a': 'undefine' failed: the disk is full. Everything was put back as it was. But guest 'guest' lost the "
        "connection when it was stopped, and has to be plugged in again. No other network was changed."
    )
    break_verb(monkeypatch, "stop_network", "a")
    result = networks_task({"name": "a", "state": "inactive", "force": True})
    assert result.msg == (
        "The network 'a': 'stop' failed: the disk is full. Everything was put back as it was. No other network was changed."
    )


def test_the_cause_is_said_before_what_came_of_it(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    apply_all(A)
    break_verb(monkeypatch, "define_network", "a")
    result = networks_task(network("b", 1), network("a", 9))
    assert result.msg.startswith("The network 'a': 'define' failed")
    assert result.statuses == {"b": "untouched", "a": "failed"}
    assert list(snapshot(driver)) == ["a"]


def test_uuids_with_the_same_beginning_are_no_trouble(driver: libvirt.virConnect) -> None:
    uuids = [f"00000000-0000-0000-0000-00000000000{number}" for number in (1, 2)]
    apply_all(network("a", 1, uuid=uuids[0]), network("b", 2, uuid=uuids[1]))
    parked: list[str] = []
    real = Connection.define_network

    def note(self: Connection, xml: str, **options: t.Any) -> None:
        parked.extend(re.findall('bridge name="(kvmops-[^"]*)"', xml))
        real(self, xml, **options)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Connection, "define_network", note)
        apply_all(network("a", 2), network("b", 1))
    assert len(set(parked)) == 2
    assert all(len(name) <= 15 for name in parked)
    assert "kvmops-" not in dump(driver, "a") + dump(driver, "b")


def test_what_could_not_be_put_back_is_said_of_each(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    apply_all(A, B)
    real = Connection.start_network

    def broken(_self: Connection, _name: str) -> None:
        raise LibvirtError("the disk is full")

    monkeypatch.setattr(Connection, "start_network", broken)
    result = networks_task(network("a", 2), network("b", 1))
    assert result.msg == (
        "The network 'a': 'start' failed: the disk is full. It is changed together with 'b', since they take what others of them "
        "give up. Not everything could be put back: the network 'a': it does not run (the disk is full); the network 'b': it "
        "does not run (the disk is full). No other network was changed."
    )
    # what is there is shown, not what was
    assert result.changed
    assert [each["network"]["active"] for each in result.data["networks"]] == [False, False]
    assert [each["changed"] for each in result.data["networks"]] == [True, True]
    monkeypatch.setattr(Connection, "start_network", real)
    assert "virbr1" in dump(driver, "a")
    assert apply_all(A, B).changed
    assert "virbr1" in dump(driver, "a")


def test_a_daemon_that_is_gone_after_a_failure_says_nothing(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    apply_all(A)

    def gone(*_arguments: t.Any, **_options: t.Any) -> None:
        raise LibvirtError("the connection is gone")

    before = snapshot(driver)
    monkeypatch.setattr(Connection, "define_network", gone)
    monkeypatch.setattr(Connection, "read_network", gone)
    result = networks_task({**A, "mtu": 1400})
    assert result.msg == (
        "The network 'a': 'define' failed: the connection is gone. Not everything could be put back: it can no longer be looked "
        "at (the connection is gone). No other network was changed."
    )
    assert result.data["networks"][0]["network"]["exists"]
    assert snapshot(driver) == before


def test_nothing_more_is_tried_when_the_daemon_is_gone(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    break_verb(monkeypatch, "define_network", "b")
    monkeypatch.setattr(Connection, "is_alive", lambda _self: False)
    result = networks_task(A, B, C)
    assert result.statuses == {"a": "changed", "b": "failed", "c": "untouched"}
    assert "The network 'c' was left as it was: libvirt's daemon does not answer any more." in result.msg
    assert set(snapshot(driver)) == {"a"}


# --- free subnets -------------------------------------------------------------------------------------------------------------


def wish(name: str, **entry: t.Any) -> Options:
    return {"name": name, "ips": [{"pool": ["10.0.0.0/22"], "prefix": 24, **entry}]}


def addresses(result: t.Any) -> dict[str, list[str]]:
    return {
        each["name"]: [ip["address"] for ip in each["network"]["definition"].get("ips", [])] for each in result.data["networks"]
    }


def test_each_gets_a_free_subnet_and_keeps_it(driver: libvirt.virConnect) -> None:
    apply(name="there", ips=[{"address": "10.0.1.1", "prefix": 25}])
    tasks = [wish("one"), network("two", 0), wish("three")]
    expected = {"one": ["10.0.2.1"], "two": ["10.0.0.1"], "three": ["10.0.3.1"]}
    predicted = networks_task(*tasks, check=True)
    assert addresses(predicted) == expected
    assert addresses(apply_all(*tasks)) == expected
    # what was in the way is gone, and another one comes first
    apply(name="there", state="absent")
    again = apply_all(wish("zero"), *reversed(tasks))
    assert again.statuses == {"zero": "changed", "one": "unchanged", "two": "unchanged", "three": "unchanged"}
    assert addresses(again) == {"zero": ["10.0.1.1"], **expected}
    assert driver.numOfNetworks() == 4


def test_a_pool_for_one_network(driver: libvirt.virConnect) -> None:
    apply(name="there", ips=[{"address": "10.0.0.1", "prefix": 24}])
    options = wish("lab", dhcp={"ranges": [{"start": "0.0.0.100", "end": "0.0.0.254"}]}, address="0.0.0.9")
    for _time in range(2):
        result = apply(**options)
        assert result.network["definition"]["ips"] == [
            {"address": "10.0.1.9", "prefix": 24, "dhcp": {"ranges": [{"start": "10.0.1.100", "end": "10.0.1.254"}]}}
        ]
    assert not result.changed
    assert "10.0.1.9" in dump(driver, "lab")


def test_two_pools_in_one_network(driver: libvirt.virConnect) -> None:
    pools = [
        {"pool": ["10.0.0.0/16"], "prefix": 24},
        {"pool": ["10.0.0.0/16"], "prefix": 24},
        {"pool": ["fd00::/48"], "prefix": 64},
    ]
    assert addresses(apply_all({"name": "a", "ips": pools})) == {"a": ["10.0.0.1", "10.0.1.1", "fd00::1"]}
    assert not apply_all({"name": "a", "definition": "replace", "ips": pools}).changed
    assert driver.numOfNetworks() == 1


def test_the_subnet_of_a_network_that_goes_is_free(driver: libvirt.virConnect) -> None:
    only = {"pool": ["10.0.1.0/24"], "prefix": 24}
    apply_all(A)
    assert networks_task({"name": "b", "ips": [only]}, check=True).failed
    result = apply_all({"name": "b", "ips": [only]}, {"name": "a", "state": "absent"})
    assert addresses(result) == {"b": ["10.0.1.1"], "a": []}
    assert list(snapshot(driver)) == ["b"]


def test_a_pool_keeps_its_subnet_when_another_address_goes(driver: libvirt.virConnect) -> None:
    manual = {"address": "10.0.0.1", "prefix": 24}
    apply_all({"name": "lab", "ips": [manual, {"pool": ["10.0.0.0/16"], "prefix": 24}]})
    assert addresses(apply_all({"name": "lab", "ips": [{"pool": ["10.0.0.0/16"], "prefix": 24}]})) == {"lab": ["10.0.1.1"]}
    assert "10.0.0.1" not in dump(driver, "lab")


def test_pools_of_one_network_keep_what_each_had(driver: libvirt.virConnect) -> None:
    apply(name="there", state="inactive", ips=[{"address": "10.0.0.1", "prefix": 24}])
    ranges = {"ranges": [{"start": "0.0.0.100", "end": "0.0.0.200"}]}
    first = {"pool": ["10.0.0.0/16"], "prefix": 24, "dhcp": ranges}
    apply_all({"name": "lab", "ips": [first]})
    apply(name="there", state="absent")
    both = {"name": "lab", "ips": [first, {"pool": ["10.0.0.0/16"], "prefix": 24}]}
    result = apply_all(both)
    for _time in range(2):
        assert [ip["address"] for ip in result.data["networks"][0]["network"]["definition"]["ips"]] == ["10.0.0.1", "10.0.1.1"]
        assert [("dhcp" in ip) for ip in result.data["networks"][0]["network"]["definition"]["ips"]] == [False, True]
        result = apply_all(both)
    assert not result.changed
    assert driver.numOfNetworks() == 1


@pytest.mark.parametrize(
    ("ips", "expected"),
    [
        ([{"address": "10.0.1.1", "prefix": 24}, {"pool": ["10.0.0.0/16"], "prefix": 24}], ["10.0.0.1", "10.0.1.1"]),
        ([{"pool": ["10.0.1.0/24"], "prefix": 24}, {"pool": ["10.0.0.0/16"], "prefix": 24}], ["10.0.0.1", "10.0.1.1"]),
        (
            [{"pool": ["10.2.0.0/24", "10.1.0.0/16"], "prefix": 24}, {"pool": ["10.1.0.0/16"], "prefix": 24}],
            ["10.1.0.1", "10.2.0.1"],
        ),
        ([{"pool": ["10.0.0.4/31"]}], ["10.0.0.5"]),
        ([{"pool": ["10.0.0.5/32"]}], ["10.0.0.5"]),
        ([{"pool": ["fd00::5/128"]}], ["fd00::5"]),
    ],
)
@pytest.mark.usefixtures("driver")
def test_pools_beside_other_addresses(ips: list[Options], expected: list[str]) -> None:
    task = {"name": "lab", "ips": ips}
    assert sorted(addresses(apply_all(task))["lab"]) == expected
    assert not apply_all(task).changed


@pytest.mark.usefixtures("driver")
def test_what_is_routed_is_not_free() -> None:
    routed = network("a", 9, routes=[{"address": "10.1.0.0", "prefix": 24, "gateway": "10.0.9.9"}])
    wished = {"name": "b", "ips": [{"pool": ["10.1.0.0/16"], "prefix": 24}]}
    assert addresses(apply_all(wished, routed))["b"] == ["10.1.1.1"]
    own = {**routed, "ips": [*routed["ips"], {"pool": ["10.1.0.0/16"], "prefix": 24}]}
    assert addresses(apply_all(own))["a"] == ["10.0.9.1", "10.1.2.1"]


def test_a_route_that_stays_is_not_free(driver: libvirt.virConnect) -> None:
    gateway = {"address": "10.0.9.1", "prefix": 24}
    apply(name="a", ips=[gateway], routes=[{"address": "10.1.0.0", "prefix": 24, "gateway": "10.0.9.9"}])
    apply(name="a", ips=[gateway, {"pool": ["10.1.0.0/16"], "prefix": 24}])
    assert "10.1.1.1" in dump(driver, "a")


def test_a_network_that_goes_asks_for_nothing(driver: libvirt.virConnect) -> None:
    only = [{"pool": ["10.0.1.0/24"]}]
    apply_all({"name": "a", "ips": only})
    result = apply_all({"name": "a", "state": "absent", "ips": only}, {"name": "b", "ips": only})
    assert addresses(result) == {"a": [], "b": ["10.0.1.1"]}
    gone = apply_all({"name": "b", "state": "absent", "ips": [{"address": "10.0.1.1", "prefix": 24}]}, {"name": "c", "ips": only})
    assert addresses(gone)["c"] == ["10.0.1.1"]
    assert list(snapshot(driver)) == ["c"]


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"pool": []}, "ips[0].pool: is empty; give a subnet at least, such as 192.168.0.0/16."),
        (
            {"pool": ["10.0.0.1/8"]},
            "ips[0].pool: '10.0.0.1/8' is not a subnet; give one such as 192.168.0.0/16 or fd00:100::/48.",
        ),
        ({"pool": ["10.0.0.0/8", "fd00::/8"]}, "ips[0].pool: holds IPv4 and IPv6 subnets; make it two entries"),
        (
            {"pool": ["10.0.0.0/24"], "prefix": 16},
            "ips[0].prefix: no subnet with the prefix 16 lies in 10.0.0.0/24; choose one from",
        ),
        (
            {"pool": ["10.0.0.0/24"], "prefix": 33},
            "ips[0].prefix: no subnet with the prefix 33 lies in 10.0.0.0/24; choose one from",
        ),
        (
            {"pool": ["10.0.0.0/8"], "netmask": "255.0.0.0"},
            "ips[0].netmask: given beside ips[0].pool; say the size of the subnet",
        ),
        (
            {"pool": ["10.0.0.0/24"], "address": "10.0.0.1"},
            "ips[0].address: '10.0.0.1' is no place in a subnet with the prefix 24",
        ),
        (
            {"pool": ["10.0.0.0/24"], "dhcp": {"hosts": [{"mac": "52:54:00:00:00:01", "ip": "10.0.0.9"}]}},
            "ips[0].dhcp.hosts[0].ip: '10.0.0.9' is no place in a subnet with the prefix 24",
        ),
        (
            {"pool": ["10.0.0.0/24"], "dhcp": {"ranges": [{"start": "0.0.0.9", "end": "0.0.0.2"}]}},
            "ips 10.0.0.1, dhcp.ranges: start 10.0.0.9 is after end 10.0.0.2; swap them.",
        ),
        (
            {"pool": ["10.7.0.0/24"]},
            "ips[0].pool: no subnet of 10.7.0.0/24 is free on this host; add another subnet to the pool.",
        ),
    ],
)
def test_a_pool_that_cannot_be(driver: libvirt.virConnect, entry: Options, sentence: str) -> None:
    apply(name="there", ips=[{"address": "10.7.0.1", "prefix": 16}])
    before = snapshot(driver)
    for check in (True, False):
        assert networks_task(A, {"name": "lab", "ips": [entry]}, check=check).msg.startswith(f"The network 'lab': {sentence}")
    assert snapshot(driver) == before
