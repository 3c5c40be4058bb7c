# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What is missing of a bridge, each thing with its sentence."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._bridge.goal import Goal, Shortfall, shortfalls
from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Links
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._bridge.builders import (
    MAC,
    address,
    bridge,
    bridged_links,
    default_route,
    device,
    leased,
    links,
    static_links,
    tap,
)

BRIDGED = Goal(
    bridge="br0", uplink="eth0", bridged=True, mac=MAC, mtu=1500, addresses=("192.0.2.10/24",), gateways=("192.0.2.1",)
)
PLAIN = Goal(bridge="br0", uplink="eth0", bridged=False, addresses=("192.0.2.10/24",), gateways=("192.0.2.1",))

NO_ROUTE, NO_ROUTE6 = (f"br0 has no IPv{version} default route yet" for version in (4, 6))
NO_LEASE, NO_LEASE6 = (f"no server has given br0 an IPv{version} address yet" for version in (4, 6))


def texts(goal: Goal, found: Links) -> list[str]:
    return [short.text for short in shortfalls(goal, found)]


def goal(**more: t.Any) -> Goal:
    return Goal(**{**BRIDGED.to_json(), **more})


def test_nothing_is_missing() -> None:
    assert shortfalls(BRIDGED, bridged_links()) == []
    assert shortfalls(BRIDGED, bridged_links(tap())) == []
    assert shortfalls(PLAIN, static_links()) == []
    assert shortfalls(PLAIN, links(*static_links().devices.values(), bridge(), tap(), routes=static_links().routes)) == []


@pytest.mark.parametrize(
    ("wanted", "found", "expected"),
    [
        (BRIDGED, links(bridge()), ["the interface eth0 is gone"]),
        (PLAIN, links(bridge()), ["the interface eth0 is gone"]),
        (BRIDGED, static_links(), ["there is no bridge br0"]),
        (BRIDGED, links(device("eth0"), device("br0", kind="dummy")), ["there is no bridge br0"]),
        (
            BRIDGED,
            links(device("eth0"), bridge("br0", address("192.0.2.10/24")), routes=bridged_links().routes),
            ["eth0 is no port of br0"],
        ),
        (BRIDGED, bridged_links(up=False), ["br0 is down"]),
        (
            BRIDGED,
            links(device("eth0", master="br0", up=False), bridge("br0", address("192.0.2.10/24")), routes=bridged_links().routes),
            ["eth0 is down"],
        ),
        (
            BRIDGED,
            bridged_links(mac="52:54:00:00:00:99"),
            ["MAC address of br0 is 52:54:00:00:00:99, not 52:54:00:12:34:56"],
        ),
        (BRIDGED, bridged_links(mtu=1400), ["MTU of br0 is 1400, not 1500"]),
        (
            BRIDGED,
            links(device("eth0", master="br0", mtu=1400), bridge("br0", address("192.0.2.10/24")), routes=bridged_links().routes),
            ["MTU of eth0 is 1400, not 1500"],
        ),
        (BRIDGED, bridged_links(stp=True), ["STP of br0 is on, not off"]),
        (goal(stp=True, forward_delay=1500), bridged_links(forward_delay=1500), ["STP of br0 is off, not on"]),
        (
            goal(stp=True, forward_delay=1550),
            bridged_links(stp=True, forward_delay=1500),
            ["forward delay of br0 is 15 s, not 15.5 s"],
        ),
        (
            BRIDGED,
            links(
                device("eth0", address("192.0.2.11/24"), leased("2001:db8::11/64"), address("fe80::1/64"), master="br0"),
                bridge("br0", address("192.0.2.10/24")),
                routes=bridged_links().routes,
            ),
            ["the port eth0 has addresses of its own: 192.0.2.11/24, 2001:db8::11/64"],
        ),
        (BRIDGED, bridged_links(carried=(address("192.0.2.10/25"),)), ["br0 does not have 192.0.2.10/24"]),
        (
            BRIDGED,
            links(*bridged_links().devices.values(), routes=(default_route("192.0.2.2", "br0"), default_route())),
            ["br0 has no default route via 192.0.2.1"],
        ),
        (
            BRIDGED,
            links(*bridged_links().devices.values(), routes=(default_route(link="br0", table="100"),)),
            ["br0 has no default route via 192.0.2.1"],
        ),
        (
            goal(leased=(4, 6)),
            bridged_links(),
            [NO_LEASE, NO_LEASE6],
        ),
        (goal(leased=(4,), addresses=()), bridged_links(carried=(leased("192.0.2.10/24"),)), []),
        (goal(leased=(6,), addresses=()), bridged_links(carried=(leased("2001:db8::10/64"),)), []),
        # an IP version that had a default route has one again, whatever its gateway
        (goal(routed=(4, 6)), bridged_links(), [NO_ROUTE6]),
        (
            goal(routed=(4, 6), gateways=()),
            links(
                *bridged_links().devices.values(),
                routes=(default_route("192.0.2.9", "br0", "dhcp"), default_route("fe80::1", "br0", "ra")),
            ),
            [],
        ),
        (
            goal(routed=(4, 6), gateways=()),
            links(*bridged_links().devices.values(), routes=(default_route(), default_route("fe80::1", "br0", table="100"))),
            [NO_ROUTE, NO_ROUTE6],
        ),
        # a link-local address is given by nobody
        (
            goal(leased=(6,), addresses=()),
            bridged_links(carried=(leased("fe80::10/64"),)),
            [NO_LEASE6],
        ),
        (
            PLAIN,
            bridged_links(),
            ["eth0 is still a port of br0", "eth0 does not have 192.0.2.10/24", "eth0 has no default route via 192.0.2.1"],
        ),
    ],
)
def test_what_is_missing(wanted: Goal, found: Links, expected: list[str]) -> None:
    assert texts(wanted, found) == expected


def test_without_stp_the_delay_is_of_no_effect() -> None:
    assert shortfalls(BRIDGED, bridged_links(forward_delay=1500)) == []
    # of a bridge that is not its tree's root the kernel shows the root's
    tree = goal(stp=True, forward_delay=400)
    assert shortfalls(tree, bridged_links(stp=True, forward_delay=1500, is_root=False)) == []
    assert shortfalls(tree, bridged_links(stp=True, forward_delay=1500)) != []


def test_only_what_a_server_gives_is_waited_for() -> None:
    found = shortfalls(goal(leased=(4,), addresses=("192.0.2.9/24",)), bridged_links())
    assert found == [
        Shortfall("br0 does not have 192.0.2.9/24"),
        Shortfall("no server has given br0 an IPv4 address yet", waits=True),
    ]
    bare = links(*bridged_links().devices.values())
    assert shortfalls(goal(gateways=(), routed=(4,)), bare) == [Shortfall(NO_ROUTE, waits=True)]
    assert shortfalls(goal(routed=()), bare) == [Shortfall("br0 has no default route via 192.0.2.1")]


def test_the_carrier_has_the_addresses() -> None:
    assert (BRIDGED.carrier, PLAIN.carrier) == ("br0", "eth0")


def test_a_goal_of_another_version_of_the_collection_is_read() -> None:
    values = {**BRIDGED.to_json(), "of_tomorrow": [1]}
    del values["routed"]
    assert Goal.from_json(values) == BRIDGED


@pytest.mark.parametrize("wanted", [BRIDGED, PLAIN, goal(leased=(4, 6), routed=(4,), stp=True, forward_delay=1500)])
def test_it_comes_back_from_json_as_it_was(wanted: Goal) -> None:
    assert Goal.from_json(json.loads(json.dumps(wanted.to_json()))) == wanted
