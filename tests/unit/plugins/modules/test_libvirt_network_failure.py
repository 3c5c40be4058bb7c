# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""A step that fails: everything is put back as it was, and the sentence says so. The faults are made: libvirt has no "
"reason here."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection, LibvirtError, NetworkRecord
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import apply, network_task, snapshot, start_guest
from ansible_collections.kvmops.network.tests.unit.plugins.support.lists import record_calls

OPTIONS: dict[str, t.Any] = {"name": "lab", "bridge": {"name": "virbr7"}, "mtu": 1400}
VERBS = {
    "define": "define_network",
    "start": "start_network",
    "stop": "stop_network",
    "undefine": "undefine_network",
    "autostart on": "set_network_autostart",
    "autostart off": "set_network_autostart",
}


def fail(monkeypatch: pytest.MonkeyPatch, verb: str, *, times: int = 1) -> None:
    """Let a verb of libvirt fail, the first so many times."""
    real = getattr(Connection, VERBS[verb])
    left = [times]

    def broken(self: Connection, *arguments: t.Any, **options: t.Any) -> None:
        if left[0] > 0:
            left[0] -= 1
            raise LibvirtError("the disk is full")
        real(self, *arguments, **options)

    monkeypatch.setattr(Connection, VERBS[verb], broken)


def failed(verb: str, name: str = "lab") -> str:
    return f"The network '{name}': '{verb}' failed: the disk is full. Everything was put back as it was."


@pytest.mark.parametrize("verb", ["define", "start", "autostart on"])
def test_a_new_network_leaves_nothing_behind(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    fail(monkeypatch, verb)
    result = network_task(**OPTIONS)
    assert (result.failed, result.msg) == (True, failed(verb))
    assert snapshot(driver) == {}


@pytest.mark.parametrize(
    ("verb", "task"),
    [
        ("define", {"mtu": 9000}),
        ("stop", {"mtu": 9000}),
        ("start", {"mtu": 9000}),
        ("autostart off", {"mtu": 9000, "autostart": False}),
        ("autostart off", {"autostart": False}),
        ("stop", {"state": "inactive"}),
        ("stop", {"state": "inactive", "autostart": False, "mtu": 9000}),
        ("autostart off", {"state": "inactive", "autostart": False, "mtu": 9000}),
        ("stop", {"state": "absent"}),
        ("undefine", {"state": "absent"}),
    ],
)
def test_a_running_network_runs_on_as_it_was(
    driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch, verb: str, task: dict[str, t.Any]
) -> None:
    apply(**OPTIONS)
    before = snapshot(driver)
    with monkeypatch.context() as patched:
        fail(patched, verb)
        result = network_task(name="lab", **task)
    assert (result.failed, result.msg) == (True, failed(verb))
    assert snapshot(driver) == before
    # nothing stands in the way of the next try
    assert apply(name="lab", **task).changed


@pytest.mark.parametrize(
    ("verb", "task"),
    [
        ("define", {"mtu": 9000}),
        ("start", {"mtu": 9000}),
        ("autostart on", {"autostart": True}),
        ("start", {"autostart": True}),
        ("undefine", {"state": "absent"}),
    ],
)
def test_a_stored_network_stays_as_it_was(
    driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch, verb: str, task: dict[str, t.Any]
) -> None:
    apply(state="inactive", **OPTIONS)
    before = snapshot(driver)
    fail(monkeypatch, verb)
    assert network_task(name="lab", **task).msg == failed(verb)
    assert snapshot(driver) == before


def test_a_transient_network_stays_transient(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    driver.networkCreateXML("<network><name>lab</name><bridge name='virbr7'/></network>")
    before = snapshot(driver)
    fail(monkeypatch, "define")
    assert network_task(name="lab", autostart=True).msg == failed("define")
    assert snapshot(driver) == before


def test_a_failure_of_putting_back_is_said_too(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    apply(**OPTIONS)
    fail(monkeypatch, "start", times=2)
    result = network_task(name="lab", mtu=9000, autostart=False)
    assert result.msg == (
        "The network 'lab': 'start' failed: the disk is full. Not everything could be put back: it does not run (the disk is "
        "full)."
    )
    # all the rest is as it was
    assert driver.networkLookupByName("lab").isActive() == 0
    assert driver.networkLookupByName("lab").autostart() == 1
    assert "9000" not in driver.networkLookupByName("lab").XMLDesc(0)


def test_guests_stay_plugged_in_when_a_definition_cannot_be_stored(
    driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(**OPTIONS)
    start_guest(driver, "one", "lab")
    before = snapshot(driver)
    stopped: list[str] = []
    monkeypatch.setattr(Connection, "stop_network", lambda _self, name: stopped.append(name))
    fail(monkeypatch, "autostart off")
    assert network_task(name="lab", mtu=9000, autostart=False).msg == failed("autostart off")
    assert stopped == []
    assert snapshot(driver) == before


def test_a_guest_that_comes_meanwhile_stays_plugged_in(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    # libvirt shows the number of plugged guests in the definition of what runs, its test driver does not
    apply(**OPTIONS)
    start_guest(driver, "one", "lab")
    real = Connection.read_network

    def with_another_guest(self: Connection, name: str) -> NetworkRecord | None:
        record = real(self, name)
        assert record is not None
        assert record.live_xml is not None
        return replace(record, live_xml=record.live_xml.replace("<network>", "<network connections='2'>"))

    monkeypatch.setattr(Connection, "read_network", with_another_guest)
    stopped: list[str] = []
    monkeypatch.setattr(Connection, "stop_network", lambda _self, name: stopped.append(name))
    fail(monkeypatch, "autostart off")
    assert network_task(name="lab", mtu=9000, autostart=False).msg == failed("autostart off")
    assert stopped == []


def test_only_what_was_changed_is_put_back(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    apply(**OPTIONS)
    before = snapshot(driver)
    calls = record_calls(monkeypatch)
    fail(monkeypatch, "stop")
    assert network_task(name="lab", state="inactive").msg == failed("stop")
    assert calls == ["autostart lab"]
    calls.clear()
    fail(monkeypatch, "start")
    assert network_task(name="lab", bridge={"name": "virbr8"}).msg == failed("start")
    assert calls == ["define lab", "stop lab", "define lab", "autostart lab", "start lab"]
    assert snapshot(driver) == before


def change_what_is_read(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    """Let libvirt show another definition of what runs, after the task has begun."""
    real = Connection.read_network

    def read(self: Connection, name: str) -> NetworkRecord | None:
        record = real(self, name)
        return replace(record, live_xml=record.live_xml.replace(old, new)) if record and record.live_xml else record

    monkeypatch.setattr(Connection, "read_network", read)


def test_what_runs_differently_is_noticed(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    apply(**OPTIONS)
    before = snapshot(driver)
    change_what_is_read(monkeypatch, "9000", "1500")
    result = network_task(name="lab", mtu=9000)
    assert "'verify' failed: libvirt keeps another definition than was asked for" in result.msg
    assert snapshot(driver) == before


@pytest.mark.usefixtures("driver")
def test_a_note_that_somebody_writes_meanwhile_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    apply(**OPTIONS)
    change_what_is_read(monkeypatch, "</network>", "<metadata><x xmlns='urn:a'/></metadata></network>")
    assert apply(name="lab", autostart=False).changed


def test_what_libvirt_did_not_do_is_noticed(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "start_network", lambda _self, _name: None)
    result = network_task(**OPTIONS)
    assert result.msg == (
        "The network 'lab': 'verify' failed: libvirt said that it was done, but the network is not active. Everything "
        "was put back as "
        "it was."
    )
    assert snapshot(driver) == {}


@pytest.mark.parametrize(
    ("verb", "task", "message"),
    [
        ("stop_network", {"state": "inactive"}, "the network is active"),
        ("set_network_autostart", {"autostart": False}, "the network is autostart"),
        ("undefine_network", {"state": "absent"}, "the network is stored"),
    ],
)
def test_what_libvirt_did_not_do_to_a_network_that_is_there_is_noticed(
    driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch, verb: str, task: dict[str, t.Any], message: str
) -> None:
    apply(**OPTIONS)
    before = snapshot(driver)
    monkeypatch.setattr(Connection, verb, lambda *_arguments, **_options: None)
    result = network_task(name="lab", **task)
    assert result.msg == (
        f"The network 'lab': 'verify' failed: libvirt said that it was done, but {message}. Everything was put back as it was."
    )
    assert snapshot(driver) == before


def test_what_libvirt_keeps_differently_is_noticed(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Connection.define_network

    def define_another(self: Connection, xml: str, *, validate: bool) -> None:
        real(self, xml.replace("1400", "1500"), validate=validate)

    monkeypatch.setattr(Connection, "define_network", define_another)
    result = network_task(**OPTIONS)
    assert result.msg == (
        "The network 'lab': 'verify' failed: libvirt keeps another definition than was asked for: --- wanted | +++ libvirt | "
        '@@ -5 +5 @@ | - <mtu size="1400"/> | + <mtu size="1500"/>. Everything was put back as it was.'
    )
    assert snapshot(driver) == {}


def test_a_connection_that_is_lost_is_made_anew_to_put_back(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    apply(**OPTIONS)
    before = snapshot(driver)
    lost: list[str] = []
    real = Connection.read_network

    def lose(*_arguments: t.Any, **_options: t.Any) -> None:
        lost.append("lost")
        raise LibvirtError("the connection is gone")

    def read(self: Connection, name: str) -> NetworkRecord | None:
        assert not lost
        return real(self, name)

    monkeypatch.setattr(Connection, "stop_network", lose)
    monkeypatch.setattr(Connection, "read_network", read)
    monkeypatch.setattr(Connection, "revive", lambda _self: lost.clear())
    result = network_task(name="lab", mtu=9000)
    assert result.msg == "The network 'lab': 'stop' failed: the connection is gone. Everything was put back as it was."
    assert snapshot(driver) == before
