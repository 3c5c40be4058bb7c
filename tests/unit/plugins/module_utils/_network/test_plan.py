# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What has to be done, for each state that a network can be in and each that it can be wanted in."""

from __future__ import annotations

import re
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._errors import RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import normalise
from ansible_collections.kvmops.network.plugins.module_utils._network.mark import Claim, with_claims
from ansible_collections.kvmops.network.plugins.module_utils._network.plan import (
    NetworkState,
    Plan,
    User,
    Wanted,
    make_plan,
    must_stop,
)

OLD: dict[str, t.Any] = {"name": "lab", "uuid": "u", "mac": "m", "bridge": {"name": "virbr7"}, "mtu": 1400}
NEW: dict[str, t.Any] = {**OLD, "mtu": 9000}
USERS = [User("guest 'b'"), User("guest 'a'"), User("guest 'a'")]

BEFORE = {
    "nothing": NetworkState("lab"),
    "stored": NetworkState("lab", stored=OLD),
    "runs": NetworkState("lab", stored=OLD, live=OLD, autostart=True),
    "transient": NetworkState("lab", live=OLD),
    "pending": NetworkState("lab", stored=NEW, live=OLD, autostart=True),
}


def plan_of(before: str, state: t.Any, *, users: t.Sequence[User] = (), **wanted: t.Any) -> Plan:
    return make_plan(BEFORE[before], Wanted(state=state, **wanted), users)


def actions(plan: Plan) -> list[str]:
    return [step.action for step in plan.steps]


@pytest.mark.parametrize(
    ("before", "state", "definition", "expected"),
    [
        # seed 001-13, 001-23, 001-29: define, then autostart, then start
        ("nothing", "active", NEW, ["define", "autostart on", "start"]),
        ("nothing", "present", NEW, ["define", "autostart on"]),
        ("nothing", "inactive", NEW, ["define"]),
        ("nothing", "absent", None, []),
        # seed 000-6
        ("stored", "active", None, ["start"]),
        ("stored", "present", None, []),
        ("stored", "inactive", None, []),
        # seed 001-36
        ("stored", "absent", None, ["undefine"]),
        ("stored", "active", NEW, ["define", "start"]),
        ("stored", "present", NEW, ["define"]),
        ("stored", "inactive", NEW, ["define"]),
        # seed 000-9
        ("runs", "active", None, []),
        ("runs", "active", OLD, []),
        ("runs", "present", None, []),
        # seed 001-34
        ("runs", "inactive", None, ["stop"]),
        # L4: stop first, then undefine
        ("runs", "absent", None, ["stop", "undefine"]),
        # a changed definition takes effect where nobody is plugged in
        ("runs", "active", NEW, ["define", "stop", "start"]),
        ("runs", "present", NEW, ["define", "stop", "start"]),
        ("runs", "inactive", NEW, ["define", "stop"]),
        # a transient network becomes persistent
        ("transient", "active", None, ["define"]),
        ("transient", "present", None, ["define"]),
        ("transient", "active", NEW, ["define", "stop", "start"]),
        ("transient", "inactive", None, ["define", "stop"]),
        ("transient", "absent", None, ["stop"]),
        # what waits for a restart gets it as soon as nobody is plugged in, from a task that speaks of it
        ("pending", "active", NEW, ["stop", "start"]),
        ("pending", "active", OLD, ["define"]),
        ("pending", "inactive", None, ["stop"]),
    ],
)
def test_steps(before: str, state: str, definition: dict[str, t.Any] | None, expected: list[str]) -> None:
    plan = plan_of(before, state, definition=definition)
    assert actions(plan) == expected
    assert plan.waits == ""
    if state == "absent":
        assert plan.after == NetworkState("lab")
    else:
        target = definition or BEFORE[before].definition
        runs = state == "active" or (state == "present" and BEFORE[before].active)
        assert (plan.after.stored, plan.after.live) == (target, target if runs else None)


@pytest.mark.parametrize(
    ("before", "state", "definition", "expected"),
    [
        ("runs", "active", NEW, ["define"]),
        ("runs", "present", NEW, ["define"]),
        ("transient", "active", NEW, ["define"]),
        # it is known already: nothing to do, and still pending
        ("pending", "active", None, []),
        ("pending", "present", NEW, []),
    ],
)
def test_a_network_in_use_keeps_running(
    before: str, state: str, definition: dict[str, t.Any] | None, expected: list[str]
) -> None:
    for force in (False, True):
        plan = plan_of(before, state, definition=definition, users=USERS, force=force)
        assert actions(plan) == expected
        assert plan.waits == "it is in use by guest 'a', guest 'b'"
        assert (plan.after.stored, plan.after.live) == (NEW, OLD)


@pytest.mark.parametrize("before", ["runs", "transient", "pending"])
@pytest.mark.parametrize("state", ["inactive", "absent"])
def test_a_network_in_use_is_not_stopped(before: str, state: str) -> None:
    message = (
        "The network 'lab' is in use by guest 'a', guest 'b', and stopping it would cut their connection. Unplug or "
        "stop them first, "
        "or say force: true."
    )
    with pytest.raises(RefusedError, match=f"^{re.escape(message)}$"):
        plan_of(before, state, users=USERS)
    forced = plan_of(before, state, users=USERS, force=True)
    assert "stop" in actions(forced)
    assert forced.waits == ""
    assert forced.after.live is None


@pytest.mark.parametrize("state", ["active", "present"])
def test_a_task_without_a_definition_restarts_nothing(state: str) -> None:
    plan = plan_of("pending", state, autostart=False)
    assert actions(plan) == ["autostart off"]
    assert plan.waits == "the task says nothing of the definition, so that the network is not stopped for it"
    assert (plan.after.stored, plan.after.live) == (NEW, OLD)


def test_reservations_of_the_running_network_alone_are_not_restarted_away() -> None:
    def serving(*hosts: dict[str, str]) -> dict[str, t.Any]:
        return {**OLD, "ips": [{"address": "192.168.101.1", "prefix": 24, "dhcp": {"hosts": list(hosts)}}]}

    known, late = {"mac": "52:54:00:00:00:01", "ip": "192.168.101.5"}, {"mac": "52:54:00:00:00:02", "ip": "192.168.101.6"}
    before = NetworkState("lab", stored=serving(known), live=serving(known, late), autostart=True)
    target = {**serving(known), "mtu": 9000}
    plan = make_plan(before, Wanted(state="active", definition=target), [])
    assert actions(plan) == ["define"]
    assert plan.waits == (
        "the running network alone has the reservations of 52:54:00:00:00:02, which would be lost; put them into the definition, "
        "or say purge_hosts: true"
    )
    for wanted in (
        Wanted(state="active", definition=target, purge_hosts=True),
        Wanted(state="active", definition={**serving(known, late), "mtu": 9000}),
    ):
        assert actions(make_plan(before, wanted, [])) == ["define", "stop", "start"]


def test_users_of_what_does_not_run_do_not_matter() -> None:
    assert actions(plan_of("stored", "absent", users=USERS)) == ["undefine"]


@pytest.mark.parametrize(
    ("before", "state", "definition", "expected"),
    [
        ("runs", "active", None, False),
        ("runs", "active", OLD, False),
        ("runs", "active", NEW, True),
        ("runs", "inactive", None, True),
        ("runs", "absent", None, True),
        ("pending", "active", None, True),
        ("pending", "active", OLD, False),
        ("stored", "inactive", NEW, False),
        ("stored", "absent", None, False),
        ("nothing", "active", NEW, False),
        ("nothing", "absent", None, False),
    ],
)
def test_when_it_matters_who_is_plugged_in(
    before: str, state: t.Any, definition: dict[str, t.Any] | None, expected: bool
) -> None:
    assert must_stop(BEFORE[before], Wanted(state=state, definition=definition)) is expected


@pytest.mark.parametrize(
    ("before", "state", "autostart", "expected"),
    [
        # seed 000-7, 001-35
        ("stored", "active", True, ["autostart on", "start"]),
        ("runs", "active", True, []),
        ("runs", "active", False, ["autostart off"]),
        ("runs", "inactive", False, ["stop", "autostart off"]),
        ("stored", "present", False, []),
        ("transient", "active", True, ["define", "autostart on"]),
    ],
)
def test_autostart_as_the_task_says(before: str, state: str, autostart: bool, expected: list[str]) -> None:
    plan = plan_of(before, state, autostart=autostart)
    assert actions(plan) == expected
    assert plan.after.autostart is autostart


@pytest.mark.parametrize(
    ("before", "state", "autostart"),
    [
        ("nothing", "active", True),
        ("nothing", "present", True),
        ("nothing", "inactive", False),
        ("stored", "active", False),
        ("transient", "active", False),
        ("runs", "active", True),
        ("runs", "inactive", True),
    ],
)
def test_autostart_when_it_is_omitted(before: str, state: str, autostart: bool) -> None:
    definition = NEW if before == "nothing" else None
    assert plan_of(before, state, definition=definition).after.autostart is autostart


def test_generated_values_of_what_runs_are_no_difference() -> None:
    wanted = {"name": "lab", "mtu": 1400}
    before = NetworkState("lab", stored=wanted, live=OLD)
    assert actions(make_plan(before, Wanted(state="active", definition=wanted), [])) == []


def test_each_step_has_its_reason() -> None:
    assert [str(step) for step in plan_of("runs", "active", definition=NEW, autostart=False).steps] == [
        "define: the definition differs",
        "stop: what runs differs from the definition, and no guest is plugged in",
        "autostart off: the task says no",
        "start: the definition takes effect",
    ]
    assert [str(step) for step in plan_of("nothing", "active", definition=NEW).steps] == [
        "define: the network does not exist",
        "autostart on: a new network starts at boot",
        "start: the network is not running",
    ]
    assert [str(step) for step in plan_of("transient", "inactive", autostart=True).steps] == [
        "define: the network is transient, it would be gone after a stop",
        "stop: the network shall not run",
        "autostart on: the task says yes",
    ]
    assert [str(step) for step in plan_of("runs", "absent").steps] == [
        "stop: the network shall be absent",
        "undefine: the network shall be absent",
    ]


def test_a_network_that_is_not_there_needs_a_definition() -> None:
    with pytest.raises(ValueError, match="a network that does not exist needs a definition"):
        plan_of("nothing", "active")


@given(
    before=st.sampled_from(sorted(BEFORE)),
    state=st.sampled_from(["active", "present", "inactive", "absent"]),
    definition=st.sampled_from([OLD, NEW]),
    autostart=st.sampled_from([None, True, False]),
    used=st.booleans(),
)
def test_once_it_is_done_nothing_is_left_to_do(
    before: str, state: t.Any, definition: dict[str, t.Any], autostart: bool | None, used: bool
) -> None:
    wanted = Wanted(state=state, definition=definition, autostart=autostart)
    users = USERS if used else []
    try:
        plan = make_plan(BEFORE[before], wanted, users)
    except RefusedError:
        assert used
        return
    again = make_plan(plan.after, wanted, users)
    if state == "absent":
        assert again.steps == ()
    else:
        assert again == Plan(steps=(), after=plan.after, waits=plan.waits, pending=plan.pending)


# --- what a running network does not feel -------------------------------------------------------------------------------------

TITLED: dict[str, t.Any] = {
    **OLD,
    "title": "Lab",
    "description": "For tests.",
    "metadata": ['<a:a xmlns:a="urn:a"></a:a>'],
}


@pytest.mark.parametrize("before", ["runs", "transient"])
@pytest.mark.parametrize(
    ("version", "updates"),
    [("9.6.0", []), ("9.7.0", ["add title", "add description", "add metadata urn:a"])],
)
def test_titles_and_metadata_cost_nobody_anything(before: str, version: str, updates: list[str]) -> None:
    wanted = Wanted(state="active", definition=TITLED)
    plan = make_plan(BEFORE[before], wanted, USERS, version=version)
    assert actions(plan)[0] == "define"
    assert not {"stop", "start"} & set(actions(plan))
    assert [str(step.update) for step in plan.steps if step.action == "update"] == updates
    assert (plan.waits, plan.outage) == ("", 0.0)
    assert plan.after.stored == TITLED
    assert plan.after.live == (TITLED if updates else OLD)
    assert not must_stop(BEFORE[before], wanted)
    assert make_plan(plan.after, wanted, USERS, version=version).steps == ()


def test_metadata_of_the_running_network_alone_stay() -> None:
    live = {**TITLED, "metadata": [*TITLED["metadata"], '<b:b xmlns:b="urn:b"></b:b>']}
    before = NetworkState("lab", stored=TITLED, live=live)
    assert make_plan(before, Wanted("active", definition=TITLED), USERS).steps == ()
    wanted = {**TITLED, "metadata": ['<b:b xmlns:b="urn:b">x</b:b>']}
    plan = make_plan(before, Wanted("active", definition=wanted), USERS)
    assert [str(step.update) for step in plan.steps[1:]] == ["delete metadata urn:a", "modify metadata urn:b"]


@pytest.mark.parametrize(
    "fragment",
    ['<a xmlns="urn:a"></a>', '<a:a xmlns:a="urn:a"><b xmlns="urn:b"></b></a:a>', '<a:a xmlns:a="urn:a" a:x="1"></a:a>'],
)
def test_metadata_that_libvirt_could_not_put_together_wait(fragment: str) -> None:
    wanted = Wanted("active", definition={**OLD, "metadata": [fragment]})
    plan = make_plan(BEFORE["runs"], wanted, USERS)
    assert (actions(plan), plan.waits) == (["define"], "")
    assert make_plan(plan.after, wanted, USERS).steps == ()


def test_what_nics_have_reserved_is_recorded_in_what_is_stored_alone() -> None:
    claimed = with_claims(OLD, [Claim("web", "52:54:00:00:00:01", "52:54:00:00:00:01", "10.0.0.2")])
    before = NetworkState("lab", stored=claimed, live=OLD)
    assert make_plan(before, Wanted("active", definition=claimed), USERS).steps == ()


def test_a_title_does_not_wait_for_what_waits() -> None:
    plan = plan_of("runs", "active", definition={**TITLED, "mtu": 9000}, users=USERS)
    assert actions(plan) == ["define", *["update"] * 3]
    assert plan.waits == "it is in use by guest 'a', guest 'b'"


def test_what_is_stored_with_another_title_is_not_pending() -> None:
    before = NetworkState("lab", stored=TITLED, live=OLD, autostart=True)
    plan = make_plan(before, Wanted(state="active", definition=TITLED), USERS)
    assert (actions(plan), plan.waits, plan.pending) == (["update"] * 3, "", ())
    assert make_plan(before, Wanted(state="active"), USERS).steps == ()


def test_what_starts_anew_shows_its_title() -> None:
    plan = plan_of("runs", "active", definition={**TITLED, "mtu": 9000})
    assert actions(plan) == ["define", "stop", "start"]
    assert plan.after.live == {**TITLED, "mtu": 9000}


# --- a restart while guests are plugged in ------------------------------------------------------------------------------------

RUNNING = NetworkState("lab", stored={**OLD, "bridge": {"name": "virbr7"}}, live={**OLD, "bridge": {"name": "virbr7"}})
BIGGER = {**OLD, "bridge": {"name": "virbr7"}, "mtu": 9000}


def actions_of(plan: Plan) -> list[str]:
    return [step.action for step in plan.steps]


def test_always_restarts_and_plugs_in_again() -> None:
    plan = make_plan(RUNNING, Wanted("active", definition=BIGGER, restart="always"), USERS)
    assert [str(step) for step in plan.steps] == [
        "define: the definition differs",
        "stop: what runs differs from the definition, and guest 'a', guest 'b' will be plugged in again, after about 0.6 s "
        "without network",
        "start: the definition takes effect",
        "plug in: guest 'a', guest 'b' belong on the network's bridge",
    ]
    assert (plan.waits, plan.pending, plan.cuts, plan.outage) == ("", (), (), 0.6)
    assert plan.after.live == plan.after.stored == BIGGER


def test_never_waits_although_nobody_is_there() -> None:
    plan = make_plan(RUNNING, Wanted("active", definition=BIGGER, restart="never"), [])
    assert (actions_of(plan), plan.waits, plan.pending) == (["define"], "the task says restart: never", ("mtu",))


def test_who_cannot_be_plugged_in_again_is_waited_for() -> None:
    plan = make_plan(RUNNING, Wanted("active", definition=BIGGER, restart="always"), [User("guest 'a'", "its NIC has a VLAN")])
    assert (actions_of(plan), plan.waits) == (["define"], "guest 'a' could not be plugged in again (its NIC has a VLAN)")
    renamed = {**BIGGER, "bridge": {"name": "virbr8"}}
    plan = make_plan(RUNNING, Wanted("active", definition=renamed, restart="always"), USERS)
    assert plan.waits == "its bridge gets another name, and guest 'a', guest 'b' could not be plugged in again"


def test_what_waits_is_done_by_always_without_a_definition() -> None:
    before = NetworkState("lab", stored=BIGGER, live=RUNNING.live)
    assert actions_of(make_plan(before, Wanted("active"), USERS)) == []
    assert actions_of(make_plan(before, Wanted("active", restart="always"), USERS)) == ["stop", "start", "plug in"]


def test_guests_on_a_bridge_of_the_host_feel_no_restart() -> None:
    live = {"name": "lab", "uuid": "u", "forward": {"mode": "bridge"}, "bridge": {"name": "br0"}}
    wanted = {**live, "bandwidth": {"inbound": {"average": 1}}}
    plan = make_plan(NetworkState("lab", stored=live, live=live), Wanted("active", definition=wanted), USERS)
    assert actions_of(plan) == ["define", "stop", "start"]
    assert "guest 'a', guest 'b' keep the connection" in plan.steps[1].reason


def test_who_lost_the_place_on_the_bridge_is_plugged_in() -> None:
    plan = make_plan(RUNNING, Wanted("active"), [], ["guest 'a'"])
    assert [str(step) for step in plan.steps] == ["plug in: guest 'a' belongs on the network's bridge"]
    # a run was killed when the network was down
    stopped = NetworkState("lab", stored=BIGGER)
    assert actions_of(make_plan(stopped, Wanted("active"), [], ["guest 'a'"])) == ["start", "plug in"]
    assert actions_of(make_plan(stopped, Wanted("present"), [], ["guest 'a'"])) == []


def test_many_costly_updates_are_done_by_one_restart_where_that_is_allowed() -> None:
    def subnet(*hosts: int) -> dict[str, t.Any]:
        entries = [{"mac": f"52:54:00:00:00:{n:02x}", "ip": f"10.0.1.{n}"} for n in hosts]
        return {"ips": [{"address": "10.0.1.1", "prefix": 24, "dhcp": {"hosts": entries}}]}

    base = {"name": "lab", "uuid": "u", "mac": "m", "bridge": {"name": "virbr7"}, "forward": {"mode": "nat"}}
    before = NetworkState("lab", stored={**base, **subnet(9)}, live={**base, **subnet(9)})
    few, many = normalise({**base, **subnet(9, 10, 11)}), normalise({**base, **subnet(9, 10, 11, 12)})
    for restart, users, definition, expected in (
        ("if_idle", USERS, many, ["define", "update", "update", "update"]),
        ("never", USERS, many, ["define", "update", "update", "update"]),
        ("always", USERS, few, ["define", "update", "update"]),
        ("always", USERS, many, ["define", "stop", "start", "plug in"]),
        ("if_idle", [], few, ["define", "update", "update"]),
        ("if_idle", [], many, ["define", "stop", "start"]),
    ):
        plan = make_plan(before, Wanted("active", definition=definition, restart=t.cast("t.Any", restart)), users)
        assert (actions_of(plan), plan.waits) == (expected, ""), (restart, expected)
