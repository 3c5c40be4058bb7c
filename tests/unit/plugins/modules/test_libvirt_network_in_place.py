# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""A network that runs and is in use: what libvirt can change in place takes effect at once, and nobody loses anything by it."""

from __future__ import annotations

import contextlib
import typing as t
from random import Random

import libvirt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection, LibvirtError
from ansible_collections.kvmops.network.plugins.module_utils._network import apply as apply_module
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import definition_from_xml, render_xml
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._network.live_model import (
    draw_network,
    draw_stranger,
)
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import (
    URI,
    Result,
    apply,
    apply_all,
    clear,
    clear_guests,
    dump,
    network_info,
    network_task,
    networks_task,
    predict,
    snapshot,
    start_guest,
)
from ansible_collections.kvmops.network.tests.unit.plugins.support.lists import keep_stored

if t.TYPE_CHECKING:
    Options = dict[str, t.Any]

SUBNET: Options = {"address": "10.9.1.1", "prefix": 24}
RANGE: Options = {"start": "10.9.1.10", "end": "10.9.1.20"}
LAB: Options = {
    "name": "lab",
    "forward": {"mode": "nat", "dev": "eth0"},
    "bridge": {"name": "virbr9"},
    "dns": {"hosts": [{"ip": "10.9.1.5", "hostnames": ["web"]}]},
    "ips": [{**SUBNET, "dhcp": {"ranges": [RANGE], "hosts": [{"mac": "52:54:00:00:00:01", "ip": "10.9.1.70"}]}}],
    "portgroups": [{"name": "a", "default": True}],
}
DNS_HOST: Options = {"dns": {"hosts": [{"ip": "10.9.1.6", "hostnames": ["db"]}]}}
WAITS = "The network 'lab' takes {} from its definition only when it is started anew: it is in use by guest 'one'."


def dhcp(**server: t.Any) -> Options:
    return {"ips": [{**SUBNET, "dhcp": server}]}


def reservations(count: int) -> Options:
    return dhcp(hosts=[{"mac": f"52:54:00:00:01:0{number}", "ip": f"10.9.1.8{number}"} for number in range(count)])


def updates_of(result: Result) -> list[str]:
    """Return what is changed in place, in words."""
    steps = [step for step in result.data["actions"] if step.startswith("update: ")]
    return [step[len("update: ") :].partition(" of the running network")[0] for step in steps]


def live(driver: libvirt.virConnect, name: str = "lab") -> Options:
    """Return a network's definition as it runs, without what libvirt made up."""
    definition = definition_from_xml(dump(driver, name))
    return {option: value for option, value in definition.items() if option not in ("uuid", "mac")}


@pytest.fixture(autouse=True)
def _stored(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_stored(monkeypatch)


@pytest.fixture
def idle(driver: libvirt.virConnect) -> libvirt.virConnect:
    apply(**LAB)
    return driver


@pytest.fixture
def used(idle: libvirt.virConnect) -> libvirt.virConnect:
    start_guest(idle, "one", "lab")
    return idle


@pytest.fixture
def never_stopped(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[None]:
    stopped: list[str] = []
    monkeypatch.setattr(Connection, "stop_network", lambda _self, name, *_more, **_options: stopped.append(name))
    yield
    assert stopped == []


CHANGES: dict[str, tuple[Options, list[str]]] = {
    "dns hosts": (DNS_HOST, ["add dns host 10.9.1.6"]),
    "dns txt": ({"dns": {"txt": [{"name": "a", "value": "x"}]}}, ["add dns txt a"]),
    "dns srv": ({"dns": {"srv": [{"service": "ldap", "protocol": "tcp"}]}}, ["add dns srv _ldap._tcp"]),
    "port groups": ({"portgroups": [{"name": "a", "default": False}, {"name": "b"}]}, ["modify portgroup a", "add portgroup b"]),
    "ranges": (
        dhcp(ranges=[{**RANGE, "end": "10.9.1.30"}]),
        ["delete dhcp range 10.9.1.10 to 10.9.1.20", "add dhcp range 10.9.1.10 to 10.9.1.30"],
    ),
    "a reservation": (
        dhcp(hosts=[{"mac": "52:54:00:00:00:01", "ip": "10.9.1.71"}]),
        ["modify dhcp host 10.9.1.71 for 52:54:00:00:00:01"],
    ),
    "the forward interface": (
        {"forward": {"mode": "nat", "dev": "eth1"}},
        ["delete forward interface eth0", "add forward interface eth1"],
    ),
}


@pytest.mark.usefixtures("never_stopped")
@pytest.mark.parametrize("with_guest", [True, False])
@pytest.mark.parametrize(("options", "expected"), CHANGES.values(), ids=CHANGES)
def test_a_change_takes_effect_at_once(idle: libvirt.virConnect, options: Options, expected: list[str], with_guest: bool) -> None:
    if with_guest:
        start_guest(idle, "one", "lab")
    before = snapshot(idle)
    results = []
    for run in (predict, apply):
        assert snapshot(idle) == before
        result = run(name="lab", **options)
        assert result.actions == ["define", *["update"] * len(expected)]
        assert updates_of(result) == expected
        assert (result.data["pending_restart"], result.data["pending_changes"], result.own_warnings) == (False, [], [])
        results.append((result.diff, result.network))
    assert results[0] == results[1]
    again = apply(name="lab", **options)
    assert (again.changed, again.actions, again.data["pending_restart"]) == (False, [], False)
    [shown] = network_info(names=["lab"])
    assert (shown["pending_restart"], shown["pending_changes"], shown["pending_diff"]) == (False, [], [])
    # and back
    back = apply(definition="replace", purge_hosts=True, **LAB)
    assert "update" in back.actions
    assert live(idle) == LAB


@pytest.mark.usefixtures("never_stopped")
def test_what_libvirt_cannot_change_waits_beside_what_it_can(used: libvirt.virConnect) -> None:
    task = {"name": "lab", "mtu": 1400, "bridge": {"name": "virbr9", "stp": False}, **DNS_HOST}
    pending = ["bridge.stp", "mtu"]
    results = []
    for run in (predict, apply):
        result = run(**task)
        assert updates_of(result) == ["add dns host 10.9.1.6"]
        assert result.actions == ["define", "update"]
        assert (result.data["pending_restart"], result.data["pending_changes"]) == (True, pending)
        assert result.own_warnings == [WAITS.format("bridge.stp, mtu")]
        assert result.diff is not None
        assert "pending restart: bridge.stp, mtu\n" in result.diff["after"]
        results.append((result.diff, result.network))
    assert results[0] == results[1]
    assert "<hostname>db</hostname>" in dump(used, "lab")
    assert "<mtu" not in dump(used, "lab")
    # it is known already, and still waits
    again = apply(**task)
    assert (again.changed, again.actions, again.data["pending_changes"]) == (False, [], pending)
    assert again.own_warnings == [WAITS.format("bridge.stp, mtu")]
    [shown] = network_info(names=["lab"])
    assert (shown["pending_restart"], shown["pending_changes"]) == (True, pending)
    assert [line for line in shown["pending_diff"] if "mtu" in line] == ['+  <mtu size="1400"/>']
    assert not any("db" in line for line in shown["pending_diff"] if line.startswith(("+", "-")))


@pytest.mark.usefixtures("never_stopped")
def test_two_texts_of_one_name_wait(used: libvirt.virConnect) -> None:
    before = snapshot(used)
    result = apply(name="lab", dns={"txt": [{"name": "a", "value": "x"}, {"name": "a", "value": "y"}]})
    assert (result.actions, result.data["pending_changes"]) == (["define"], ["dns.txt"])
    assert snapshot(used) == before


def test_what_waited_comes_with_the_restart(used: libvirt.virConnect) -> None:
    task = {"name": "lab", "mtu": 1400, **DNS_HOST}
    apply(**task)
    clear_guests(used)
    result = apply(**task)
    assert (result.actions, result.data["pending_changes"]) == (["stop", "start"], [])
    assert "<mtu size='1400'/>" in dump(used, "lab")


# --- nobody is there ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (reservations(2), ["update"] * 2),
        (reservations(3), ["stop", "start"]),
        # a network with a guest has all of them in place
        ({"dns": {"txt": [{"name": name, "value": ""} for name in "abcdef"]}}, ["update"] * 6),
        ({**DNS_HOST, "mtu": 1400}, ["stop", "start"]),
        ({"dns": {"txt": [{"name": "a", "value": "x"}, {"name": "a", "value": "y"}]}}, ["stop", "start"]),
    ],
)
def test_an_idle_network_takes_what_is_quickest(idle: libvirt.virConnect, options: Options, expected: list[str]) -> None:
    for run in (predict, apply):
        result = run(name="lab", **options)
        assert result.actions == ["define", *expected]
        assert result.data["pending_changes"] == []
    assert not apply(name="lab", **options).changed
    assert {**live(idle), "name": "lab"} == {"name": "lab", **result.network["definition"]}


@pytest.mark.usefixtures("never_stopped")
def test_a_network_in_use_takes_many(used: libvirt.virConnect) -> None:
    for run in (predict, apply):
        result = run(name="lab", **reservations(9))
        assert result.actions == ["define", *["update"] * 9]
        assert result.data["expected_outage"] == 2.7
        assert result.data["differences"] == [
            {
                "option": "ips 10.9.1.1.dhcp.hosts",
                "way": "live update",
                "reason": "libvirt changes it in a running network",
                "outage": 2.7,
            }
        ]
        assert result.own_warnings == [
            "The network 'lab' changes while guests are plugged in, and they may be cut off from the outside for about 2.7 s in "
            "all. With restart: always it would be started anew, for about 0.6 s, and the guests plugged in again."
        ]
    assert apply(name="lab", **reservations(9)).own_warnings == []
    assert len(live(used)["ips"][0]["dhcp"]["hosts"]) == 10


def begin(driver: libvirt.virConnect, options: Options) -> None:
    """Have one network, and forget what was stored before."""
    for record in snapshot(driver):
        assert network_task(name=record, state="absent", force=True).changed
    clear(driver)
    apply(**options)


@settings(max_examples=settings.default.max_examples // 2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(random=st.randoms(use_true_random=False), other=st.booleans())
def test_no_network_is_started_anew_without_need(driver: libvirt.virConnect, random: Random, other: bool) -> None:
    first, second = draw_network(random), draw_network(random)
    if other:
        second = draw_stranger(random, second)
    begin(driver, first)
    start_guest(driver, "one", "lab")
    task = {"definition": "replace", "purge_hosts": True, **second}
    in_use = predict(**task)
    assert set(in_use.actions) <= {"define", "update"}
    clear_guests(driver)
    idle = predict(**task)
    costly = sum("dhcp" in update or "forward interface" in update for update in updates_of(in_use))
    if first.get("forward", {}).get("mode") not in ("nat", "route"):
        costly = 0  # no rule of libvirt's leads to the outside
    if in_use.data["pending_changes"] or costly > 2:
        assert "stop" in idle.actions
        assert "update" not in idle.actions
    else:
        assert (idle.actions, updates_of(idle)) == (in_use.actions, updates_of(in_use))
    assert idle.data["expected_outage"] == 0.0
    assert in_use.data["expected_outage"] == round(0.3 * costly, 1)
    for guests in ([], ["one"]):
        begin(driver, first)
        for guest in guests:
            start_guest(driver, guest, "lab")
        expected = in_use if guests else idle
        result = apply(**task)
        assert result.data["actions"] == expected.data["actions"]
        assert result.data["pending_changes"] == expected.data["pending_changes"]
        assert (live(driver) == second) is (result.data["pending_changes"] == [])


# --- what fails ---------------------------------------------------------------------------------------------------------------

MANY: Options = {
    **DNS_HOST,
    "forward": {"mode": "nat", "dev": "eth1"},
    **dhcp(ranges=[{**RANGE, "end": "10.9.1.30"}], hosts=[{"mac": "52:54:00:00:00:02", "ip": "10.9.1.72"}]),
    "portgroups": [{"name": "b"}],
}


def fail(monkeypatch: pytest.MonkeyPatch, number: int, name: str = "lab", *, after: bool = False) -> None:
    """Let one of a network's updates fail, before libvirt does it or after it."""
    real = Connection.update_network
    calls: list[str] = []

    def broken(self: Connection, subject: str, update: t.Any) -> None:
        broken_now = subject == name and len(calls) + 1 == number
        if subject == name:
            calls.append(subject)
        if not broken_now or after:
            real(self, subject, update)
        if broken_now:
            raise LibvirtError("the disk is full")

    monkeypatch.setattr(Connection, "update_network", broken)


@pytest.mark.usefixtures("never_stopped")
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("number", range(1, 9))
def test_a_failure_is_taken_back_in_place(
    used: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch, number: int, after: bool
) -> None:
    before = snapshot(used)
    updates = updates_of(predict(name="lab", mtu=1400, **MANY))
    assert len(updates) == 8
    with monkeypatch.context() as patched:
        fail(patched, number, after=after)
        result = network_task(name="lab", mtu=1400, **MANY)
    assert result.msg == (
        f"The network 'lab': '{updates[number - 1]}' failed: the disk is full. Everything was put back as it was."
    )
    assert snapshot(used) == before
    # what is stored as well
    [shown] = network_info(names=["lab"])
    assert (shown["pending_restart"], shown["pending_changes"]) == (False, [])
    assert not apply(definition="replace", **LAB).changed
    # nothing stands in the way of the next try
    assert updates_of(apply(name="lab", **MANY)) == updates


@pytest.mark.usefixtures("used")
def test_what_cannot_be_taken_back_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    real = Connection.update_network

    def broken(self: Connection, subject: str, update: t.Any) -> None:
        calls.append(str(update))
        if len(calls) > 1:
            raise LibvirtError("the disk is full")
        real(self, subject, update)

    monkeypatch.setattr(Connection, "update_network", broken)
    result = network_task(name="lab", **DNS_HOST, portgroups=[{"name": "b"}])
    assert result.failed
    assert result.msg == (
        "The network 'lab': 'delete portgroup a' failed: the disk is full. Not everything could be put back: delete dns host "
        "10.9.1.6 (the disk is full)."
    )


@pytest.mark.usefixtures("never_stopped")
def test_one_of_several_networks_fails(used: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    other = {"name": "other", "bridge": {"name": "virbr8"}, "dns": {"hosts": [{"ip": "10.9.8.5", "hostnames": ["web"]}]}}
    apply_all(other)
    start_guest(used, "two", "other")
    before = snapshot(used)["lab"]
    fail(monkeypatch, 2)
    result = networks_task({**LAB, **MANY}, {**other, **DNS_HOST})
    assert result.statuses == {"lab": "failed", "other": "changed"}
    assert "Everything was put back as it was. Changed as asked for: 'other'." in result.msg
    assert snapshot(used)["lab"] == before
    assert "<hostname>db</hostname>" in dump(used, "other")


@pytest.mark.usefixtures("never_stopped")
def test_several_networks_at_once(used: libvirt.virConnect) -> None:
    other = {"name": "other", "bridge": {"name": "virbr8"}}
    apply_all(other)
    start_guest(used, "two", "other")
    tasks = ({**LAB, **DNS_HOST}, {**other, **DNS_HOST, "mtu": 1400})
    for check in (True, False):
        result = networks_task(*tasks, check=check)
        assert not result.failed, result.msg
        assert [each["pending_changes"] for each in result.data["networks"]] == [[], ["mtu"]]
        actions = [[step.partition(":")[0] for step in each["actions"]] for each in result.data["networks"]]
        assert actions == [["define", "update"], ["define", "update"]]
    assert all("<hostname>db</hostname>" in dump(used, name) for name in ("lab", "other"))
    assert not networks_task(*tasks).changed


class Killed(BaseException):
    """What ends a run at once, and is caught by nobody."""


@pytest.mark.usefixtures("never_stopped", "used")
@pytest.mark.parametrize("done", range(9))
def test_a_run_that_was_killed_is_completed_by_the_next(monkeypatch: pytest.MonkeyPatch, done: int) -> None:
    real = Connection.update_network
    calls: list[str] = []

    def update(self: Connection, subject: str, change: t.Any) -> None:
        if len(calls) == done:
            raise Killed
        calls.append(subject)
        real(self, subject, change)

    updates = updates_of(predict(name="lab", **MANY))
    with monkeypatch.context() as patched:
        patched.setattr(Connection, "update_network", update)
        if done < len(updates):
            with pytest.raises(Killed):
                network_task(name="lab", **MANY)
        else:
            apply(name="lab", **MANY)
    result = apply(name="lab", **MANY)
    assert result.changed is (done < len(updates))
    assert result.actions == ["update"] * (len(updates) - done)
    assert result.data["pending_changes"] == []
    assert not apply(name="lab", **MANY).changed


@settings(max_examples=settings.default.max_examples // 2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(random=st.randoms(use_true_random=False), used=st.booleans())
def test_wherever_a_run_is_killed_the_next_one_ends_right(driver: libvirt.virConnect, random: Random, used: bool) -> None:
    first, second = draw_network(random), draw_network(random)
    wanted = {"definition": "replace", "purge_hosts": True, **second}
    point = random.randint(1, 12)

    def run(*, killed: bool) -> list[t.Any]:
        begin(driver, first)
        if used:
            start_guest(driver, "one", "lab")
        if killed:
            passed: list[None] = []

            def kill_point() -> None:
                passed.append(None)
                if len(passed) == point:
                    raise Killed

            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(f"{apply_module.__name__}.kill_point", kill_point)
                with contextlib.suppress(Killed):
                    network_task(**wanted)
        done = apply(**wanted)
        assert not apply(**wanted).changed
        stored = {key: value for key, value in done.network["definition"].items() if key != "mac"}
        return [stored, live(driver), done.data["pending_changes"], done.network["active"], done.network["autostart"]]

    assert run(killed=True) == run(killed=False)


@pytest.mark.usefixtures("never_stopped")
def test_a_definition_that_somebody_stored_takes_effect(used: libvirt.virConnect) -> None:
    stored = {**definition_from_xml(dump(used, "lab")), "portgroups": [{"name": "b"}], "mtu": 1400}
    with Connection(URI) as connection:
        connection.define_network(render_xml(stored), validate=True)
    [shown] = network_info(names=["lab"])
    assert shown["pending_changes"] == ["mtu", "portgroups"]
    # a task that says nothing of the definition leaves it
    result = apply(name="lab", autostart=False)
    assert (result.actions, result.data["pending_changes"]) == (["autostart off"], ["mtu", "portgroups"])
    result = apply(name="lab", portgroups=[{"name": "b"}])
    assert updates_of(result) == ["delete portgroup a", "add portgroup b"]
    assert (result.actions, result.data["pending_changes"]) == (["update", "update"], ["mtu"])
