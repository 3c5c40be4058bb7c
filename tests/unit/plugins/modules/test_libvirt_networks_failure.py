# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""A network of a list that fails: it is put back, and the others are done or left alone. The faults are made."""

from __future__ import annotations

import typing as t

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection, LibvirtError, NetworkRecord
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import (
    URI,
    apply_all,
    clear_guests,
    dump,
    networks_task,
    snapshot,
    start_guest,
)
from ansible_collections.kvmops.network.tests.unit.plugins.support.lists import (
    A,
    B,
    C,
    break_verb,
    keep_stored,
    network,
    record_calls,
)


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
    result = networks_task({"name": "a", "state": "inactive", "force": True, "mtu": 1400})
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


@pytest.mark.usefixtures("driver")
def test_what_waits_for_what_was_left_alone_is_left_alone_too(monkeypatch: pytest.MonkeyPatch) -> None:
    apply_all(A, B, C)
    break_verb(monkeypatch, "define_network", "a")
    result = networks_task(network("a", 9), network("b", 1), network("c", 2))
    assert result.statuses == {"a": "failed", "b": "untouched", "c": "untouched"}
    assert "The network 'c' was left as it was: it needs what 'b' would have given up." in result.msg


@pytest.mark.usefixtures("driver")
def test_each_of_those_that_are_left_alone_together_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    apply_all(A, B, C)
    break_verb(monkeypatch, "define_network", "a")
    result = networks_task(network("a", 9), network("b", 1, "virbr3"), network("c", 3, "virbr2"))
    assert result.statuses == {"a": "failed", "b": "untouched", "c": "untouched"}
    assert "The network 'b' was left as it was: it needs what 'a' would have given up." in result.msg
    assert "The network 'c' was left as it was: it needs what 'a' would have given up." in result.msg


def test_a_failure_leaves_nothing_to_wait_for(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    apply_all(A)
    start_guest(driver, "guest", "a")
    break_verb(monkeypatch, "define_network", "a")
    result = networks_task({**A, "mtu": 1400})
    assert result.failed
    assert result.own_warnings == []


def test_a_transient_network_of_a_swap_that_fails_stays_transient(
    driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply_all(A, B)
    text = dump(driver, "a")
    apply_all({"name": "a", "state": "absent"})
    driver.networkCreateXML(text)
    before = snapshot(driver)
    break_verb(monkeypatch, "start_network", "b")
    result = networks_task(network("a", 2), network("b", 1))
    assert "'start' failed: the disk is full. It is changed together with 'a'" in result.msg
    assert "Everything was put back as it was." in result.msg
    assert snapshot(driver) == before


def test_a_swap_of_what_is_only_stored_is_put_back_without_a_stop(
    driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_stored(monkeypatch)

    def read() -> dict[str, NetworkRecord]:
        with Connection(URI) as connection:
            return connection.read_networks()

    apply_all(A, B)
    start_guest(driver, "guest", "a", "b")
    apply_all(network("a", 1, "virbr11"), network("b", 2, "virbr12"))
    before = read()
    calls = record_calls(monkeypatch)
    break_verb(monkeypatch, "set_network_autostart", "b")
    result = networks_task(network("a", 1, "virbr12"), network("b", 2, "virbr11", autostart=False))
    assert result.msg == (
        "The network 'b': 'autostart off' failed: the disk is full. It is changed together with 'a', since they take what others "
        "of them give up. Everything was put back as it was. No other network was changed."
    )
    assert read() == before
    assert not [call for call in calls if call.startswith("stop")]


def test_bridges_that_were_not_swapped_are_left_alone(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    apply_all(A, B)
    before = snapshot(driver)
    calls = record_calls(monkeypatch)
    break_verb(monkeypatch, "start_network", "b")
    assert "Everything was put back" in networks_task(network("a", 2, "virbr1"), network("b", 1, "virbr2")).msg
    assert not [call for call in calls if call.startswith("park")]
    assert snapshot(driver) == before


def test_the_network_that_is_not_as_it_should_be_is_named(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    apply_all(A, B)
    before = snapshot(driver)
    monkeypatch.setattr(Connection, "set_network_autostart", lambda *_arguments, **_options: None)
    result = networks_task(network("a", 2, autostart=False), network("b", 1))
    assert result.msg.startswith("The network 'a': 'verify' failed: libvirt said that it was done, but the network is autostart.")
    assert snapshot(driver) == before


@pytest.mark.usefixtures("driver")
def test_only_what_the_task_says_is_validated(monkeypatch: pytest.MonkeyPatch) -> None:
    apply_all(A, B)
    validated: list[bool] = []
    real = Connection.define_network

    def define(self: Connection, xml: str, *, validate: bool = True) -> None:
        validated.append(validate)
        real(self, xml, validate=validate)

    monkeypatch.setattr(Connection, "define_network", define)
    break_verb(monkeypatch, "start_network", "b")
    assert "Everything was put back" in networks_task(network("a", 2), network("b", 1)).msg
    # parked, defined, parked again, as they were
    assert validated == [False, False, True, True, False, False, False, False]


def test_a_document_that_the_schema_does_not_know_is_no_reason_to_trust_others(
    driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.networkDefineXML("<network><name>odd</name><dns><txt name='_dmarc.example' value='v'/></dns></network>")
    validated: dict[bool, str] = {}
    real = Connection.define_network

    def define(self: Connection, xml: str, *, validate: bool = True) -> None:
        validated[validate] = xml
        real(self, xml, validate=validate)

    monkeypatch.setattr(Connection, "define_network", define)
    apply_all({"name": "odd", "state": "present", "mtu": 1400}, A)
    assert "<name>odd</name>" in validated[False]
    assert "<name>a</name>" in validated[True]


def test_what_ran_and_was_not_stored_runs_again(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_stored(monkeypatch)
    apply_all(A)
    start_guest(driver, "guest", "a")
    assert apply_all({**A, "mtu": 1400}).data["networks"][0]["pending_restart"]
    clear_guests(driver)
    before = dump(driver, "a")
    calls = record_calls(monkeypatch)
    break_verb(monkeypatch, "start_network", "a")
    assert "Everything was put back as it was." in networks_task({**A, "mtu": 9000}).msg
    assert calls == ["define a", "stop a", "define a", "autostart a", "create a"]
    assert dump(driver, "a") == before
