# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What is said of each difference: how it takes effect, why, and what that costs."""

from __future__ import annotations

import math
import typing as t
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._network.definition import normalise
from ansible_collections.kvmops.network.plugins.module_utils._network.effects import Effect, find_effects, seconds
from ansible_collections.kvmops.network.plugins.module_utils._network.live import differences
from ansible_collections.kvmops.network.plugins.module_utils._network.outage import RESTART, of_updates
from ansible_collections.kvmops.network.plugins.module_utils._network.plan import (
    NetworkState,
    Plan,
    User,
    Wanted,
    felt_by_running,
    make_plan,
)
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._network.live_model import draw_network, draw_stranger

Definition = dict[str, t.Any]

GUEST = [User("guest 'web'")]
OLD: Definition = {"name": "lab", "uuid": "u", "mac": "m", "bridge": {"name": "virbr7"}, "forward": {"mode": "nat"}}
RUNS = NetworkState("lab", stored=OLD, live=OLD, autostart=True)
HOSTS: Definition = {"dns": {"hosts": [{"ip": "10.0.0.5", "hostnames": ["web"]}]}}


def subnet(*ends: int, last: int = 90) -> Definition:
    hosts = [{"mac": f"52:54:00:00:00:{end:02x}", "ip": f"10.0.0.{end}"} for end in ends]
    ranges = [{"start": "10.0.0.50", "end": f"10.0.0.{last}"}]
    return {"ips": [{"address": "10.0.0.1", "prefix": 24, "dhcp": {"ranges": ranges, "hosts": hosts}}]}


def effects(
    before: NetworkState, wanted: Wanted, users: t.Sequence[User] = (), **more: t.Any
) -> list[tuple[str, str, float | None]]:
    plan = make_plan(before, wanted, users, **more)
    return [(effect.option, effect.way, effect.outage) for effect in find_effects(before, plan)]


@pytest.mark.parametrize(
    ("wanted", "used", "expected"),
    [
        ({**OLD, "mtu": 1400}, False, [("mtu", "restart", 0.0)]),
        ({**OLD, "mtu": 1400}, True, [("mtu", "next start", 0.0)]),
        ({**OLD, **HOSTS}, True, [("dns", "live update", 0.0)]),
        ({**OLD, **HOSTS, "mtu": 1400}, True, [("dns", "live update", 0.0), ("mtu", "next start", 0.0)]),
        ({**OLD, **HOSTS, "mtu": 1400}, False, [("dns", "restart", 0.0), ("mtu", "restart", 0.0)]),
        ({**OLD, "title": "Lab"}, True, [("title", "live update", 0.0)]),
        (OLD, True, []),
    ],
)
def test_ways(wanted: Definition, used: bool, expected: list[t.Any]) -> None:
    assert effects(RUNS, Wanted("active", definition=wanted), GUEST if used else []) == expected


def test_reasons() -> None:
    wanted = Wanted("active", definition={**OLD, "mtu": 1400, "metadata": ['<a xmlns="urn:a"></a>'], **HOSTS})
    assert find_effects(RUNS, make_plan(RUNS, wanted, GUEST)) == [
        Effect("dns", "live update", "libvirt changes it in a running network", 0.0),
        Effect("metadata", "nothing", "a running network does not feel it, and shows it from its next start on", 0.0),
        Effect("mtu", "next start", "it is in use by guest 'web'", 0.0),
    ]


def test_what_each_costs() -> None:
    before = NetworkState("lab", stored=normalise({**OLD, **subnet(9)}), live=normalise({**OLD, **subnet(9)}))
    target = normalise({**OLD, **subnet(9, 10, last=99), **HOSTS})
    always = Wanted("active", definition=target, restart="always")
    # three updates that make the firewall rules anew cost more than one restart
    assert effects(before, always, GUEST) == [
        ("dns", "restart", 0.6),
        ("ips 10.0.0.1.dhcp.hosts", "restart", 0.6),
        ("ips 10.0.0.1.dhcp.ranges", "restart", 0.6),
    ]
    in_place = Wanted("active", definition=target)
    assert effects(before, in_place, GUEST) == [
        ("dns", "live update", 0.0),
        ("ips 10.0.0.1.dhcp.hosts", "live update", 0.3),
        ("ips 10.0.0.1.dhcp.ranges", "live update", 0.6),
    ]
    plan = make_plan(before, in_place, GUEST)
    assert plan.outage == 0.9
    assert next(step.reason for step in plan.steps if step.update and step.update.is_costly) == (
        "delete dhcp range 10.0.0.50 to 10.0.0.90 of the running network, and guest 'web' may be cut off from the outside for "
        "about 0.3 s"
    )
    assert effects(before, Wanted("active", definition=normalise({**OLD, **subnet(9, 10)})), []) == [
        ("ips 10.0.0.1.dhcp.hosts", "live update", 0.0)
    ]


@pytest.mark.parametrize(
    ("forward", "outage"), [({"mode": "nat"}, 0.3), ({"mode": "route"}, 0.3), ({"mode": "open"}, 0.0), (None, 0.0)]
)
def test_where_no_rule_leads_to_the_outside_none_is_missed(forward: Definition | None, outage: float) -> None:
    base = {option: value for option, value in {**OLD, "forward": forward}.items() if value is not None}
    live, target = normalise({**base, **subnet(9)}), normalise({**base, **subnet(9, 10)})
    plan = make_plan(NetworkState("lab", stored=live, live=live), Wanted("active", definition=target), GUEST)
    assert (plan.outage, [step.action for step in plan.steps]) == (outage, ["define", "update"])


def test_what_does_not_run() -> None:
    stored = NetworkState("lab", stored=OLD)
    wanted = {**OLD, "mtu": 1400}
    for state, reason in (("active", "the network starts with it"), ("present", "the network does not run")):
        plan = make_plan(stored, Wanted(t.cast("t.Any", state), definition=wanted), [])
        assert find_effects(stored, plan) == [Effect("mtu", "nothing", reason, 0.0)]
    assert effects(NetworkState("lab"), Wanted("active", definition=wanted)) == []
    assert effects(RUNS, Wanted("absent")) == []


def test_what_runs_already() -> None:
    before = NetworkState("lab", stored=OLD, live={**OLD, "mtu": 1400})
    plan = make_plan(before, Wanted("active", definition={**OLD, "mtu": 1400}), GUEST)
    assert find_effects(before, plan) == [Effect("mtu", "nothing", "the running network has it", 0.0)]


def test_who_loses_the_connection_for_good() -> None:
    plan = make_plan(RUNS, Wanted("inactive", force=True), GUEST)
    assert (plan.outage, seconds(plan.outage)) == (math.inf, None)
    assert str(plan.steps[0]) == "stop: the network shall not run, and guest 'web' loses the connection"
    plan = make_plan(RUNS, Wanted("absent", force=True), [*GUEST, User("guest 'db'")])
    assert str(plan.steps[0]) == "stop: the network shall be absent, and guest 'db', guest 'web' lose the connection"
    assert make_plan(RUNS, Wanted("absent"), []).outage == 0.0


def plans(random: Random, restart: t.Any, users: t.Sequence[User], *, other: bool) -> tuple[NetworkState, Definition, Plan]:
    live, target = draw_network(random), draw_network(random)
    if other:
        target = draw_stranger(random, target)
    before = NetworkState("lab", stored=live, live=live)
    return before, target, make_plan(before, Wanted("active", target, purge_hosts=True, restart=restart), users)


@given(random=st.randoms(use_true_random=False), other=st.booleans(), used=st.booleans())
def test_where_a_restart_is_allowed_nothing_costs_more(random: Random, other: bool, used: bool) -> None:
    before, target, plan = plans(random, "always", GUEST if used else [], other=other)
    assert plan.outage <= (RESTART if used else 0.0)
    updates = [step.update for step in plan.steps if step.update is not None]
    if plan.does("stop"):
        # what could have been done in place as a whole would have cost more
        in_place = make_plan(before, Wanted("active", target, purge_hosts=True, restart="never"), GUEST)
        assert in_place.waits or in_place.outage > RESTART
    else:
        assert of_updates(updates) <= RESTART


@given(random=st.randoms(use_true_random=False), other=st.booleans(), restart=st.sampled_from(["if_idle", "always", "never"]))
def test_each_difference_is_told(random: Random, other: bool, restart: t.Any) -> None:
    before, target, plan = plans(random, restart, GUEST, other=other)
    found = find_effects(before, plan)
    assert [effect.option for effect in found] == differences(before.live, target)
    ways = {effect.way for effect in found}
    assert ("restart" in ways) is plan.does("stop")
    assert ("next start" in ways) is bool(plan.waits) is bool(plan.pending)
    assert ("live update" in ways) <= plan.does("update")
    if not plan.waits:
        assert felt_by_running(plan.after.live or {}) == felt_by_running(target)
