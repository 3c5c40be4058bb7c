# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""An interface as it is read from what `ip -j -d` says; the links were captured with iproute2 6.15 and 5.9."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Links, read_addresses_and_links, read_route
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.interface import (
    Interface,
    RouteOver,
    below,
    read_interface,
    route_metric,
    subnet_of,
)
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._macvtap.builders import (
    OFF,
    interface,
    kernel_route,
    links,
    on_eth1,
    over,
)

WITH_SOURCES = """{"ifindex":4,"link":"eth1","ifname":"mv0","flags":["BROADCAST","MULTICAST","M-DOWN"],"mtu":1400,"qdisc":"noop",
"operstate":"DOWN","linkmode":"DEFAULT","group":"default","txqlen":500,"link_type":"ether","address":"82:2f:46:77:d5:74",
"broadcast":"ff:ff:ff:ff:ff:ff","promiscuity":0,"allmulti":0,"min_mtu":68,"max_mtu":65535,"linkinfo":{"info_kind":"macvtap",
"info_data":{"mode":"source","nodst":true,"bcqueuelen":1000,"usedbcqueuelen":1000,"macaddr_count":2,
"macaddr_data":["02:00:00:00:00:02","02:00:00:00:00:01"]}},"inet6_addr_gen_mode":"eui64","num_tx_queues":1,"num_rx_queues":1}"""
PASSTHRU = """{"ifindex":6,"link":"eth1","ifname":"mv0","flags":["BROADCAST","MULTICAST","M-DOWN"],"mtu":1500,"link_type":"ether",
"address":"02:77:78:68:39:2c","linkinfo":{"info_kind":"macvtap","info_data":{"mode":"passthru","nopromisc":true,"bcqueuelen":1000,
"usedbcqueuelen":1000}},"num_tx_queues":3,"num_rx_queues":2}"""
OLD = """{"ifindex":7,"link":"eth1","ifname":"mv9","flags":["BROADCAST","MULTICAST"],"mtu":1500,"link_type":"ether",
"address":"92:dd:60:b3:81:bd","linkinfo":{"info_kind":"macvtap","info_data":{"mode":"bridge"}},"num_tx_queues":1,
"num_rx_queues":1}"""
ETH1 = '{"ifindex":2,"ifname":"eth1","flags":["UP"],"mtu":1500,"link_type":"ether","address":"02:77:78:68:39:2c"}'


def read(text: str, routes: t.Sequence[dict[str, t.Any]] = (), **more: t.Any) -> Interface:
    entry = {**json.loads(text), **more}
    found = [read_route(route, 6 if ":" in route["dst"] else 4) for route in routes]
    known = Links(
        devices=read_addresses_and_links([json.loads(ETH1), entry], lambda _name: False),
        routes=tuple(route for route in found if route is not None),
    )
    return read_interface(known.devices[entry["ifname"]], known, OFF)


class TestCaptured:
    """What was captured."""

    def test_with_sources(self) -> None:
        assert read(WITH_SOURCES) == Interface(
            name="mv0",
            kind="macvtap",
            parent="eth1",
            mode="source",
            mac="82:2f:46:77:d5:74",
            mtu=1400,
            broadcast_queue=1000,
            flags=("nodst",),
            source_macs=("02:00:00:00:00:01", "02:00:00:00:00:02"),
            up=False,
            ipv6=OFF,
        )

    def test_passthru(self) -> None:
        assert read(PASSTHRU) == Interface(
            name="mv0",
            kind="macvtap",
            parent="eth1",
            mode="passthru",
            mac="02:77:78:68:39:2c",
            mtu=1500,
            queues=(3, 2),
            broadcast_queue=1000,
            flags=("nopromisc",),
            up=False,
            ipv6=OFF,
        )

    def test_of_an_old_iproute2(self) -> None:
        found = read(OLD)
        assert found.broadcast_queue is None
        assert (found.name, found.mode, found.flags, found.source_macs) == ("mv9", "bridge", (), ())

    def test_up(self) -> None:
        assert read(OLD, flags=["BROADCAST", "UP", "LOWER_UP"]).up

    def test_macs_are_in_lower_case(self) -> None:
        assert read(OLD, address="92:DD:60:B3:81:BD").mac == "92:dd:60:b3:81:bd"

    def test_parent_in_another_namespace(self) -> None:
        entry = {**json.loads(OLD), "link_index": 2, "link_netnsid": 0}
        assert read(json.dumps(entry)).parent == ""


class TestAddressesAndRoutes:
    """Those that count are somebody's configuration."""

    def test_addresses(self) -> None:
        given = [
            {"local": "192.0.2.7", "prefixlen": 24},
            {"local": "192.0.2.5", "prefixlen": 24, "dynamic": True},
            {"local": "192.0.2.6", "prefixlen": 24, "valid_life_time": 60},
            {"local": "2001:db8::7", "prefixlen": 64},
            {"local": "192.0.2.10", "prefixlen": 32, "valid_life_time": 4294967295},
            {"local": "fe80::7", "prefixlen": 64},
        ]
        assert read(OLD, addr_info=given).addresses == ("192.0.2.10/32", "192.0.2.7/24", "2001:db8::7/64")

    def test_routes(self) -> None:
        routes: list[dict[str, t.Any]] = [
            {"dst": "198.51.100.7", "dev": "mv9", "protocol": "static", "scope": "link"},
            {"dst": "10.0.0.0/8", "dev": "mv9", "gateway": "192.0.2.9", "metric": 5, "protocol": "boot"},
            {"dst": "2001:db8:1::/64", "dev": "mv9", "metric": 1024},
            {"dst": "default", "dev": "mv9", "gateway": "192.0.2.9"},
            {"dst": "192.0.2.0/24", "dev": "mv9", "protocol": "kernel"},
            {"dst": "192.0.3.0/24", "dev": "mv9", "protocol": "dhcp"},
            {"dst": "192.0.4.0/24", "dev": "eth1", "protocol": "static"},
            {"dst": "192.0.5.0/24", "dev": "mv9", "protocol": "static", "table": "100"},  # rules of its own lead there
        ]
        assert set(read(OLD, routes).routes) == {
            over("198.51.100.7/32"),
            over("10.0.0.0/8", gateway="192.0.2.9", metric=5),
            over("2001:db8:1::/64", metric=1024),
            over("0.0.0.0/0", gateway="192.0.2.9"),
        }


@pytest.mark.parametrize(
    ("mode", "flags", "expected"),
    [
        ("source", ("nodst",), ("nodst",)),
        ("bridge", ("nodst",), ()),
        ("passthru", ("nopromisc", "nodst"), ("nopromisc",)),
        ("source", ("nopromisc", "nodst"), ("nodst",)),
        ("private", (), ()),
    ],
)
def test_flags_of_a_mode_before_do_not_count(mode: str, flags: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert interface(mode=mode, flags=flags).flags_that_count == expected


class TestBelow:
    """The kernel puts an interface on what really sends."""

    def test_a_nic(self) -> None:
        assert below("eth1", links()) == "eth1"

    @pytest.mark.parametrize("kind", ["macvlan", "macvtap"])
    def test_another_one(self, kind: str) -> None:
        assert below("mv1", links(on_eth1("mv1", kind=kind))) == "eth1"

    def test_what_only_stands_on_something_else_is_a_parent(self) -> None:
        assert below("eth1.7", links(on_eth1("eth1.7", kind="vlan"))) == "eth1.7"

    def test_one_that_stands_on_nothing_here(self) -> None:
        assert below("mv1", links(on_eth1("mv1", below=""))) == "mv1"


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        ("default", "0.0.0.0/0"),
        ("192.0.2.7", "192.0.2.7/32"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("2001:db8::7", "2001:db8::7/128"),
    ],
)
def test_subnets(destination: str, expected: str) -> None:
    assert subnet_of(kernel_route(destination, "mv0")) == expected


def test_subnet_of_everything_in_ipv6() -> None:
    assert subnet_of(kernel_route("::/0", "mv0")) == "::/0"


@pytest.mark.parametrize(
    ("destination", "metric", "expected"),
    [("192.0.2.0/24", None, 0), ("192.0.2.0/24", 7, 7), ("2001:db8::/64", None, 1024), ("2001:db8::/64", 0, 1024)],
)
def test_metric(destination: str, metric: int | None, expected: int) -> None:
    assert route_metric(destination, metric) == expected


@pytest.mark.parametrize(
    ("route", "words"),
    [
        (RouteOver("192.0.2.128/25", "", 0), "192.0.2.128/25 metric 0"),
        (RouteOver("2001:db8::/64", "2001:db8:1::9", 7), "2001:db8::/64 via 2001:db8:1::9 metric 7"),
    ],
)
def test_words_of_a_route(route: RouteOver, words: str) -> None:
    assert route.words == words
