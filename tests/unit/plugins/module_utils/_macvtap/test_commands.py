# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What makes and changes an interface: the lines for `ip -batch` word for word, and why one has to be made anew."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._macvtap.commands import (
    Action,
    Setting,
    changes,
    creation,
    reasons_to_recreate,
)
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.interface import Ipv6
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._macvtap.builders import MAC, OFF, ON, interface, over

MODES = ("bridge", "vepa", "private", "passthru", "source")
ADDRESS, OTHER, V6 = "192.0.2.250/24", "192.0.2.251/24", "2001:db8::1/64"
ROUTE, V6_ROUTE = over("198.51.100.0/24"), over("2001:db8:1::/64", metric=1024)
FAR = over("172.16.0.0/12", gateway="192.0.2.99")
NEW_MAC = "52:54:00:7a:00:02"
SOURCES = ("02:00:00:00:00:01", "02:00:00:00:00:02")


def ipv6(*, disabled: int, follows: int = 0) -> list[Action]:
    folder = "net/ipv6/conf/mv0"
    return [Setting(f"{folder}/accept_ra", str(follows)), Setting(f"{folder}/disable_ipv6", str(disabled))]


MAKE = f"link add name mv0 link eth1 mtu 1500 address {MAC} type"
UP = "link set dev mv0 up"

CREATIONS: dict[str, tuple[dict[str, t.Any], list[Action]]] = {
    **{
        f"mode {mode}": ({"mode": mode}, [f"{MAKE} macvtap mode {mode}", *ipv6(disabled=1), UP])
        for mode in MODES
        if mode != "passthru"
    },
    "macvlan": ({"kind": "macvlan"}, [f"{MAKE} macvlan mode bridge", *ipv6(disabled=1), UP]),
    "passthru takes the parent's address": (
        {"mode": "passthru", "mac": ""},
        ["link add name mv0 link eth1 mtu 1500 type macvtap mode passthru", *ipv6(disabled=1), UP],
    ),
    "passthru with an address": (
        {"mode": "passthru", "flags": ("nopromisc",)},
        [
            "link add name mv0 link eth1 mtu 1500 type macvtap mode passthru nopromisc",
            f"link set dev mv0 address {MAC}",
            *ipv6(disabled=1),
            UP,
        ],
    ),
    "with sources": (
        {"mode": "source", "flags": ("nodst",), "source_macs": SOURCES},
        [
            f"{MAKE} macvtap mode source nodst",
            f"link set dev mv0 type macvtap macaddr set {SOURCES[0]} {SOURCES[1]}",
            *ipv6(disabled=1),
            UP,
        ],
    ),
    "the parent's MTU": (
        {"mtu": 0},
        [f"link add name mv0 link eth1 address {MAC} type macvtap mode bridge", *ipv6(disabled=1), UP],
    ),
    "queues": (
        {"queues": (4, 2)},
        [
            f"link add name mv0 link eth1 mtu 1500 address {MAC} numtxqueues 4 numrxqueues 2 type macvtap mode bridge",
            *ipv6(disabled=1),
            UP,
        ],
    ),
    "queue for broadcasts": (
        {"broadcast_queue": 0},
        [f"{MAKE} macvtap mode bridge bcqueuelen 0", *ipv6(disabled=1), UP],
    ),
    "an iproute2 without that queue": (
        {"broadcast_queue": None},
        [f"{MAKE} macvtap mode bridge", *ipv6(disabled=1), UP],
    ),
    "down": ({"up": False}, [f"{MAKE} macvtap mode bridge", *ipv6(disabled=1)]),
    "all multicast": (
        {"all_multicast": True},
        [f"{MAKE} macvtap mode bridge", "link set dev mv0 allmulticast on", *ipv6(disabled=1), UP],
    ),
    "no IPv6 in the kernel": ({"ipv6": None}, [f"{MAKE} macvtap mode bridge", UP]),
    "addresses and routes": (
        {"addresses": (ADDRESS, V6), "routes": (ROUTE, V6_ROUTE), "ipv6": ON},
        [
            f"{MAKE} macvtap mode bridge",
            *ipv6(disabled=0),
            f"address add {ADDRESS} dev mv0",
            f"address add {V6} dev mv0",
            UP,
            "route add 198.51.100.0/24 metric 0 proto static dev mv0",
            "route add 2001:db8:1::/64 metric 1024 proto static dev mv0",
        ],
    ),
    "what was there before, put back": (
        {"ipv6": Ipv6(disabled=False, follows_routers=True)},
        [f"{MAKE} macvtap mode bridge", *ipv6(disabled=0, follows=1), UP],
    ),
}


@pytest.mark.parametrize("name", CREATIONS)
def test_creation(name: str) -> None:
    values, expected = CREATIONS[name]
    assert creation(interface(**{"all_multicast": False, **values})) == expected


AGAIN = f"address replace {ADDRESS} dev mv0"

# found, wanted, and what is done: the text, its actions
CHANGES: dict[str, tuple[dict[str, t.Any], dict[str, t.Any], list[tuple[str, list[Action]]]]] = {
    **{
        f"from {one} to {other}": (
            {"mode": one},
            {"mode": other},
            [(f"change the mode from {one} to {other}", [f"link set dev mv0 type macvtap mode {other}"])],
        )
        for one in MODES
        for other in MODES
        if one != other and "passthru" not in (one, other)
    },
    "a flag more with source": (
        {"mode": "source"},
        {"mode": "source", "flags": ("nodst",)},
        [("change the mode from source to source nodst", ["link set dev mv0 type macvtap mode source nodst"])],
    ),
    "a flag more with passthru": (
        {"mode": "passthru"},
        {"mode": "passthru", "flags": ("nopromisc",)},
        [("change the mode from passthru to passthru nopromisc", ["link set dev mv0 type macvtap mode passthru nopromisc"])],
    ),
    "to source with sources": (
        {},
        {"mode": "source", "source_macs": SOURCES},
        [
            ("change the mode from bridge to source", ["link set dev mv0 type macvtap mode source"]),
            (
                f"let in frames from {SOURCES[0]}, {SOURCES[1]}",
                [f"link set dev mv0 type macvtap macaddr set {SOURCES[0]} {SOURCES[1]}"],
            ),
        ],
    ),
    "other sources": (
        {"mode": "source", "source_macs": SOURCES, "kind": "macvlan"},
        {"mode": "source", "source_macs": SOURCES[:1], "kind": "macvlan"},
        [(f"let in frames from {SOURCES[0]}", [f"link set dev mv0 type macvlan macaddr set {SOURCES[0]}"])],
    ),
    "no sources": (
        {"mode": "source", "source_macs": SOURCES},
        {"mode": "source"},
        [("let in frames from nobody", ["link set dev mv0 type macvtap macaddr flush"])],
    ),
    "sources that end with their mode": (
        {"mode": "source", "source_macs": SOURCES},
        {},
        [("change the mode from source to bridge", ["link set dev mv0 type macvtap mode bridge"])],
    ),
    "MAC address": (
        {},
        {"mac": NEW_MAC},
        [(f"change the MAC address from {MAC} to {NEW_MAC}", [f"link set dev mv0 address {NEW_MAC}"])],
    ),
    "MAC address with passthru": (
        {"mode": "passthru"},
        {"mode": "passthru", "mac": NEW_MAC},
        [(f"change the MAC address from {MAC} to {NEW_MAC}", [f"link set dev mv0 address {NEW_MAC}"])],
    ),
    "all multicast": (
        {"all_multicast": False},
        {},
        [("let in all multicast", ["link set dev mv0 allmulticast on"])],
    ),
    "the host's own multicast": (
        {"all_multicast": True},
        {"all_multicast": False},
        [("let in the host's own multicast alone", ["link set dev mv0 allmulticast off"])],
    ),
    "MTU": ({}, {"mtu": 1400}, [("change the MTU from 1500 to 1400", ["link set dev mv0 mtu 1400"])]),
    "queue for broadcasts": (
        {},
        {"broadcast_queue": 500},
        [
            (
                "change the queue for broadcasts from 1000 to 500 packets",
                ["link set dev mv0 type macvtap bcqueuelen 500"],
            )
        ],
    ),
    "queue for broadcasts as usual again": (
        {"broadcast_queue": 500},
        {},
        [
            (
                "change the queue for broadcasts from 500 to 1000 packets",
                ["link set dev mv0 type macvtap bcqueuelen 1000"],
            )
        ],
    ),
    "down": ({}, {"up": False}, [("take the link down", ["link set dev mv0 down"])]),
    "down, with IPv6 addresses that the kernel takes away then": (
        {"addresses": (ADDRESS, V6), "ipv6": ON},
        {"addresses": (ADDRESS, V6), "ipv6": ON, "up": False},
        [("take the link down", ["link set dev mv0 down", f"address replace {V6} dev mv0"])],
    ),
    "up": ({"up": False}, {}, [("bring the link up", ["link set dev mv0 up"])]),
    "IPv6 off": (
        {"ipv6": Ipv6(disabled=False, follows_routers=True)},
        {},
        [("turn IPv6 off on it", ipv6(disabled=1))],
    ),
    "routers are not followed": (
        {"ipv6": Ipv6(disabled=False, follows_routers=True), "addresses": (V6,)},
        {"ipv6": ON, "addresses": (V6,)},
        [("turn IPv6 on, without what routers say", ipv6(disabled=0))],
    ),
    "an IPv6 address more": (
        {},
        {"ipv6": ON, "addresses": (V6,)},
        [
            ("turn IPv6 on, without what routers say", ipv6(disabled=0)),
            (f"give it the address {V6}", [f"address replace {V6} dev mv0"]),
        ],
    ),
    "the last IPv6 address less": (
        {"ipv6": ON, "addresses": (V6,), "routes": (V6_ROUTE,)},
        {},
        [
            ("take away the route to 2001:db8:1::/64", ["route del 2001:db8:1::/64 metric 1024 dev mv0"]),
            (f"take away the address {V6}", [f"address replace {V6} dev mv0", f"address del {V6} dev mv0"]),
            ("turn IPv6 off on it", ipv6(disabled=1)),
        ],
    ),
    "an MTU that is too small for IPv6": (
        {"ipv6": ON, "addresses": (V6,)},
        {"ipv6": None, "mtu": 1000},
        [
            ("change the MTU from 1500 to 1000", ["link set dev mv0 mtu 1000"]),
            (f"take away the address {V6}", []),  # it has gone with IPv6
        ],
    ),
    "another address, the new one first": (
        {"addresses": (OTHER,)},
        {"addresses": (ADDRESS,)},
        [
            (f"give it the address {ADDRESS}", [AGAIN]),
            (f"take away the address {OTHER}", [f"address replace {OTHER} dev mv0", f"address del {OTHER} dev mv0", AGAIN]),
        ],
    ),
    "an address less, with which routes go": (
        {"addresses": (ADDRESS, OTHER), "routes": (ROUTE,)},
        {"addresses": (ADDRESS,), "routes": (ROUTE,)},
        [
            (
                f"take away the address {OTHER}",
                [
                    f"address replace {OTHER} dev mv0",  # it may have gone with another one
                    f"address del {OTHER} dev mv0",
                    AGAIN,
                ],
            ),
            ("keep the routes that stay", ["route replace 198.51.100.0/24 metric 0 proto static dev mv0"]),
        ],
    ),
    "an address less, and the way to a router is new": (
        {"addresses": (OTHER, "203.0.113.7/32"), "routes": (FAR,)},
        {"addresses": ("203.0.113.7/32",), "routes": (over("192.0.2.99/32"), FAR)},
        [
            (
                f"take away the address {OTHER}",
                [
                    f"address replace {OTHER} dev mv0",
                    f"address del {OTHER} dev mv0",
                    "address replace 203.0.113.7/32 dev mv0",
                ],
            ),
            ("give it the route to 192.0.2.99/32", ["route replace 192.0.2.99/32 metric 0 proto static dev mv0"]),
            (
                "keep the routes that stay",  # that to the router comes first
                [
                    "route replace 192.0.2.99/32 metric 0 proto static dev mv0",
                    "route replace 172.16.0.0/12 via 192.0.2.99 metric 0 proto static dev mv0",
                ],
            ),
        ],
    ),
    "an IPv6 address less, and IPv4 routes are not touched": (
        {"addresses": (ADDRESS, V6), "routes": (ROUTE,), "ipv6": ON},
        {"addresses": (ADDRESS,), "routes": (ROUTE,), "ipv6": ON},
        [(f"take away the address {V6}", [f"address replace {V6} dev mv0", f"address del {V6} dev mv0", AGAIN])],
    ),
    "an address less, and no route stays": (
        {"addresses": (ADDRESS, OTHER), "routes": (ROUTE,)},
        {"addresses": (ADDRESS,), "routes": (over("10.0.0.0/8"),)},
        [
            ("take away the route to 198.51.100.0/24", ["route del 198.51.100.0/24 metric 0 dev mv0"]),
            (f"take away the address {OTHER}", [f"address replace {OTHER} dev mv0", f"address del {OTHER} dev mv0", AGAIN]),
            ("give it the route to 10.0.0.0/8", ["route replace 10.0.0.0/8 metric 0 proto static dev mv0"]),
        ],
    ),
    "a route more": (
        {"addresses": (ADDRESS,)},
        {"addresses": (ADDRESS,), "routes": (over("198.51.100.0/24", gateway="192.0.2.9", metric=5),)},
        [
            (
                "give it the route to 198.51.100.0/24",
                ["route replace 198.51.100.0/24 via 192.0.2.9 metric 5 proto static dev mv0"],
            )
        ],
    ),
    "another router": (
        {"addresses": (ADDRESS,), "routes": (ROUTE,)},
        {"addresses": (ADDRESS,), "routes": (over("198.51.100.0/24", gateway="192.0.2.9"),)},
        [
            ("take away the route to 198.51.100.0/24", ["route del 198.51.100.0/24 metric 0 dev mv0"]),
            (
                "give it the route to 198.51.100.0/24",
                ["route replace 198.51.100.0/24 via 192.0.2.9 metric 0 proto static dev mv0"],
            ),
        ],
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_changes(name: str) -> None:
    found, wanted, expected = CHANGES[name]
    assert reasons_to_recreate(interface(**found), interface(**wanted)) == []
    done = changes(interface(**found), interface(**wanted))
    assert [(change.text, list(change.actions)) for change in done] == expected


def test_what_touches_addresses_or_routes_says_so() -> None:
    found = interface(addresses=(OTHER,), routes=(ROUTE,), up=False)
    wanted = interface(addresses=(ADDRESS,), routes=(V6_ROUTE,))
    assert [(change.text.split()[0], change.addressed) for change in changes(found, wanted)] == [
        ("take", True),
        ("give", True),
        ("take", True),
        ("bring", False),
        ("give", True),
    ]


SAME: dict[str, tuple[dict[str, t.Any], dict[str, t.Any]]] = {
    "all of it": ({}, {}),
    "MAC address of passthru": ({"mode": "passthru"}, {"mode": "passthru", "mac": ""}),
    "queue that is not shown": ({"broadcast_queue": None}, {"broadcast_queue": 1000}),
    "flag of a mode before": ({"flags": ("nodst",)}, {}),
    "MTU that is left out": ({"mtu": 1400}, {"mtu": 0}),
    "no IPv6 in the kernel": ({"ipv6": None}, {"ipv6": None}),
    "IPv6 that is not looked at": ({"ipv6": OFF}, {"ipv6": None}),
}


@pytest.mark.parametrize("name", SAME)
def test_nothing_to_do(name: str) -> None:
    found, wanted = SAME[name]
    assert reasons_to_recreate(interface(**found), interface(**wanted)) == []
    assert changes(interface(**found), interface(**wanted)) == []


REASONS: dict[str, tuple[dict[str, t.Any], dict[str, t.Any], list[str]]] = {
    "kind": ({}, {"kind": "macvlan"}, ["it is a macvtap and not a macvlan"]),
    "parent": ({}, {"parent": "eth2"}, ["it stands on eth1 and not on eth2"]),
    "no parent": ({"parent": ""}, {}, ["it stands on nothing that is here and not on eth1"]),
    "queues": ({"queues": (4, 1)}, {"queues": (2, 2)}, ["it has 4/1 queues and not 2/2"]),
    **{
        f"from {one} to {other}": ({"mode": one}, {"mode": other}, [f"its mode is {one} and not {other}"])
        for one in MODES
        for other in MODES
        if one != other and "passthru" in (one, other)
    },
    "a flag less with passthru": (
        {"mode": "passthru", "flags": ("nopromisc",)},
        {"mode": "passthru"},
        ["it has the flag nopromisc, which cannot be taken away"],
    ),
    "a flag less with source": (
        {"mode": "source", "flags": ("nodst",)},
        {"mode": "source"},
        ["it has the flag nodst, which cannot be taken away"],
    ),
    "a flag of a mode before, which would count again": (
        {"mode": "bridge", "flags": ("nodst",)},
        {"mode": "source"},
        ["it has the flag nodst, which cannot be taken away"],
    ),
    "several": (
        {"kind": "macvlan", "parent": "eth2", "mode": "passthru", "queues": (2, 2)},
        {},
        [
            "it is a macvlan and not a macvtap",
            "it stands on eth2 and not on eth1",
            "it has 2/2 queues and not 1/1",
            "its mode is passthru and not bridge",
        ],
    ),
}


@pytest.mark.parametrize("name", REASONS)
def test_reasons_to_make_it_anew(name: str) -> None:
    found, wanted, expected = REASONS[name]
    assert reasons_to_recreate(interface(**found), interface(**wanted)) == expected


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        ({"flags": ("nodst",)}, {"mode": "source", "flags": ("nodst",)}),
        ({"mode": "source", "flags": ("nodst",)}, {"mode": "vepa"}),
        ({"mac": MAC, "mtu": 1500, "up": True}, {"mac": NEW_MAC, "mtu": 1400, "up": False, "broadcast_queue": 1}),
    ],
)
def test_what_is_no_reason(found: dict[str, t.Any], wanted: dict[str, t.Any]) -> None:
    assert reasons_to_recreate(interface(**found), interface(**wanted)) == []
