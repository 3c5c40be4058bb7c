# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Links, addresses and routes in the detail that moving them needs, of what `ip` said on Debian 11, 12 and 13."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import (
    Links,
    Route,
    read_addresses_and_links,
    read_route,
)
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._bridge.builders import (
    address,
    bridge,
    default_route,
    device,
    leased,
    links,
    tap,
)

FIXTURES = Path(__file__).parents[1] / "_edge/fixtures"
NAMESPACES = sorted(FIXTURES.glob("host.iproute2-*.json"))
LAB_HOSTS = sorted(FIXTURES.glob("networkd.systemd-*.json"))


def read(commands: dict[str, t.Any], wireless: t.Callable[[str], bool] = lambda _name: False) -> Links:
    routes = [
        read_route(entry, version) for version in (4, 6) for entry in commands[f"ip -j -{version} route show table all"] if entry
    ]
    devices = read_addresses_and_links([entry for entry in commands["ip -j -d addr show"] if entry], wireless)
    return Links(devices=devices, routes=tuple(route for route in routes if route is not None))


def test_there_are_fixtures() -> None:
    assert (len(NAMESPACES), len(LAB_HOSTS)) == (3, 3)


@pytest.mark.parametrize("path", NAMESPACES, ids=lambda path: path.stem)
class TestNamespace:
    """A namespace with an uplink up0, a macvlan mv0 on it, bridges, and routes of each kind."""

    def test_devices(self, path: Path) -> None:
        found = read(json.loads(path.read_text())).devices
        assert {name: (one.kind, one.master, one.below, one.is_ethernet, one.up) for name, one in found.items()} == {
            "lo": ("", "", "", False, True),
            "up0": ("veth", "", "up1", True, True),
            "up1": ("veth", "", "up0", True, True),
            "br0": ("bridge", "", "", True, True),
            "p0": ("veth", "br0", "p1", True, True),
            "p1": ("veth", "", "p0", True, True),
            "mv0": ("macvlan", "", "up0", True, False),
            "virbr101": ("bridge", "", "", True, True),
        }
        assert (found["br0"].stp, found["br0"].forward_delay, found["br0"].mtu) == (False, 1500, 1500)
        assert (found["br0"].carrier, found["virbr101"].carrier) == (True, False)
        assert found["lo"].mtu == 65536

    def test_what_stands_on_a_link(self, path: Path) -> None:
        found = read(json.loads(path.read_text()))
        assert [one.name for one in found.standing_on("up0")] == ["mv0"]  # and not the other end of the veth, which is up1
        assert found.standing_on("p0") == []
        assert found.ports_of("br0") == ["p0"]
        assert found.ports_of("virbr101") == []

    def test_addresses(self, path: Path) -> None:
        found = read(json.loads(path.read_text())).devices
        [peer] = found["p1"].given(4)
        assert (peer.text, peer.peer) == ("192.0.2.130/32", "192.0.2.131")
        assert [a.text for a in found["up0"].given(6)] == ["2001:db8:5::5/64"]
        assert not any(a.dynamic or a.temporary for one in found.values() for a in one.addresses)
        assert all(a.valid_for is None for one in found.values() for a in one.addresses)

    def test_routes(self, path: Path) -> None:
        found = read(json.loads(path.read_text()))
        assert {" ".join(route.words) for route in found.routes_over("up0") if route.version == 4} == {
            "default via 198.51.100.1",
            "10.0.0.0/8 via 198.51.100.1",
            "10.96.0.0/16 via inet6 2001:db8:5::9",
            "10.99.1.0/24 scope link table 100",
        }
        assert {" ".join(route.words) for route in found.routes_over("up0") if route.version == 6} == {
            "default via 2001:db8:5::1 metric 1024",
            "fd00:aa::/48 via 2001:db8:5::1 metric 1024",
            "fd00:bb::/64 metric 1024 table 100",
        }
        # neither the two hops of 10.98.0.0/16, nor what leads nowhere, nor what is link-local or local
        unwanted = ("10.97", "10.98", "fe80", "ff00", "127.", "fd00:cc")
        assert not any(route.destination.startswith(unwanted) for route in found.routes)
        best = found.default_route()
        assert best is not None
        assert (best.version, best.device, best.gateway) == (4, "up0", "198.51.100.1")


@pytest.mark.parametrize("path", LAB_HOSTS, ids=lambda path: path.stem)
def test_a_lab_host_with_a_lease(path: Path) -> None:
    found = read(json.loads(path.read_text())["commands"])
    eth0 = found.devices["eth0"]
    [lease] = eth0.given(4)
    assert lease.dynamic
    assert lease.valid_for is not None
    assert 42000 < lease.valid_for <= 43200
    assert lease.preferred_for == lease.valid_for
    assert eth0.moving() == ()
    assert eth0.below == ""  # its other end is in another namespace
    assert [a.is_link_local for a in eth0.addresses] == [False, True]
    assert found.routes_over("eth0") == []
    assert sorted(route.destination for route in found.routes_apart("eth0")) == ["10.77.0.1", "default"]
    best = found.default_route("eth0")
    assert best is not None
    assert " ".join(best.words) == f"default via 10.77.0.1 src {lease.interface.ip} metric 1024 proto dhcp"


@pytest.mark.parametrize(
    ("version", "entry", "words"),
    [
        (4, {"dst": "default", "gateway": "192.0.2.1", "dev": "eth0", "flags": []}, "default via 192.0.2.1"),
        (
            4,
            {"dst": "default", "gateway": "192.0.2.1", "dev": "eth0", "flags": ["onlink"], "metric": 100},
            "default via 192.0.2.1 metric 100 onlink",
        ),
        (
            4,
            {"dst": "10.0.0.0/8", "gateway": "192.0.2.1", "dev": "eth0", "prefsrc": "192.0.2.10", "protocol": "static"},
            "10.0.0.0/8 via 192.0.2.1 src 192.0.2.10 proto static",
        ),
        (4, {"dst": "10.0.0.0/8", "dev": "eth0", "scope": "link", "table": "100"}, "10.0.0.0/8 scope link table 100"),
        (
            6,
            {"dst": "fd00::/8", "dev": "eth0", "scope": "global", "metric": 1024, "table": "blue"},
            "fd00::/8 metric 1024 table blue",
        ),
        (6, {"dst": "default", "gateway": "fe80::1", "dev": "eth0", "protocol": "ra"}, "default via fe80::1 proto ra"),
        (4, {"dst": "10.0.0.0/8", "dev": "eth0", "protocol": 196}, "10.0.0.0/8 proto 196"),
        (
            4,
            {"dst": "10.0.0.0/8", "dev": "eth0", "metrics": [{"mtu": 1400, "rtt": 3, "initcwnd": 20}]},
            "10.0.0.0/8 mtu 1400 initcwnd 20",
        ),
        (
            6,
            {"dst": "default", "gateway": "fe80::1", "dev": "eth0", "metrics": [{"advmss": 1340, "window": 9}, {"initrwnd": 5}]},
            "default via fe80::1 advmss 1340 window 9 initrwnd 5",
        ),
        # of IPv4, what is link-local is somebody's: a cloud's metadata
        (4, {"dst": "169.254.0.0/16", "dev": "eth0", "scope": "link", "metric": 1000}, "169.254.0.0/16 metric 1000 scope link"),
        (
            4,
            {"dst": "169.254.169.254", "gateway": "192.0.2.1", "dev": "eth0", "protocol": "dhcp"},
            "169.254.169.254 via 192.0.2.1 proto dhcp",
        ),
        # what is no route of a link that could be moved
        (4, {"dst": "default", "nexthops": [{"gateway": "192.0.2.1", "dev": "eth0"}], "flags": []}, None),
        (4, {"type": "blackhole", "dst": "10.0.0.0/8"}, None),
        (6, {"type": "unreachable", "dst": "fd00::/8", "dev": "lo"}, None),
        (4, {"type": "local", "dst": "192.0.2.10", "dev": "eth0", "table": "local"}, None),
        (4, {"type": "broadcast", "dst": "192.0.2.255", "dev": "eth0", "table": "local"}, None),
        (6, {"dst": "ff00::/8", "dev": "eth0", "table": "local"}, None),
        (6, {"dst": "fe80::/64", "dev": "eth0", "protocol": "kernel"}, None),
        (6, {"dst": "fe80::/10", "dev": "eth0"}, None),
        (6, {"dst": "ff02::/16", "dev": "eth0"}, None),
        (4, {"dst": "224.0.0.0/4", "dev": "eth0"}, None),
    ],
)
def test_the_words_that_make_a_route(version: int, entry: dict[str, t.Any], words: str | None) -> None:
    found = read_route(entry, version)
    assert (None if found is None else " ".join(found.words)) == words
    if found is not None:
        assert (found.version, found.device, found.metric) == (version, "eth0", entry.get("metric", 0))


def test_a_default_route_of_another_table_leads_nobody() -> None:
    assert default_route(table="100").is_default is False
    found = links(device("eth0"), routes=(default_route(table="100"), default_route("2001:db8::1", metric=5)))
    best = found.default_route()
    assert best is not None
    assert best.version == 6


def test_the_best_default_route() -> None:
    routes = (
        default_route("2001:db8::1", metric=1),
        default_route("192.0.2.1", metric=100),
        default_route("198.51.100.1", "eth1", metric=50),
    )
    found = links(device("eth0"), device("eth1"), routes=routes)
    assert [found.default_route(name) for name in ("", "eth0", "eth1", "eth2")] == [routes[2], routes[1], routes[2], None]


def test_the_default_route_of_one_ip_version() -> None:
    routes = (default_route(metric=9), default_route("2001:db8::1", metric=5), default_route("2001:db8::2", "eth1", metric=1))
    found = links(device("eth0"), device("eth1"), routes=routes)
    assert [found.default_route("eth0", versions=(version,)) for version in (4, 6)] == [routes[0], routes[1]]
    assert found.default_route(versions=(6,)) == routes[2]
    assert found.default_route("eth1", versions=(4,)) is None


def test_routes_that_somebody_configured() -> None:
    routes = tuple(default_route(protocol=word) for word in ("kernel", "dhcp", "ra", "redirect", "static", "boot", ""))
    found = links(device("eth0"), routes=routes)
    assert [route.protocol for route in found.routes_over("eth0")] == ["static", "boot", ""]
    assert found.routes_over("eth1") == []
    assert [route.protocol for route in found.routes_apart("eth0")] == ["dhcp", "ra", "redirect", "static", "boot", ""]


def test_a_prefix_route_that_the_kernel_did_not_make_is_somebodys() -> None:
    route = Route(4, "192.0.2.0/24", "eth0", "", 100, "main", "kernel", ("192.0.2.0/24",))
    for own, expected in ((True, []), (False, [route])):
        found = links(device("eth0", address("192.0.2.10/24", prefix_route=own)), routes=(route,))
        assert found.routes_apart("eth0") == expected
    assert links(routes=(route,)).routes_apart("eth0") == []


def test_which_addresses_move() -> None:
    eth0 = device("eth0", address("192.0.2.10/24"), leased("192.0.2.11/24"), address("fe80::1/64"), address("2001:db8::1/64"))
    assert [a.text for a in eth0.moving()] == ["192.0.2.10/24", "2001:db8::1/64"]
    assert [a.text for a in eth0.given(4)] == ["192.0.2.10/24", "192.0.2.11/24"]
    assert [a.text for a in eth0.given(6)] == ["2001:db8::1/64"]


def test_details_of_addresses_and_links() -> None:
    entries: list[dict[str, t.Any]] = [
        {
            "ifindex": 2,
            "ifname": "eth0",
            "flags": [],
            "mtu": 9000,
            "max_mtu": 9194,
            "link_type": "ether",
            "address": "52:54:00:AB:CD:EF",
            "addr_info": [
                {"local": "192.0.2.10", "prefixlen": 24, "scope": "link", "metric": 100, "noprefixroute": True},
                {
                    "local": "2001:db8::77",
                    "prefixlen": 64,
                    "scope": "global",
                    "dynamic": True,
                    "temporary": True,
                    "valid_life_time": 600,
                    "preferred_life_time": 0,
                },
                {
                    "local": "2001:db8::99",
                    "prefixlen": 64,
                    "scope": "global",
                    "nodad": True,
                    "valid_life_time": 7199,
                    "preferred_life_time": 1799,
                },
                {"local": "192.0.2.11", "prefixlen": 24, "valid_life_time": 4294967295, "preferred_life_time": 4294967295},
                {"family": "inet6"},
            ],
        },
        {"ifindex": 3, "ifname": "mv0", "link_index": 2, "mtu": 9000, "linkinfo": {"info_kind": "macvtap"}},
        {
            "ifindex": 4,
            "ifname": "mv1",
            "link_index": 2,
            "link_netnsid": 0,
            "mtu": 9000,
            "max_mtu": 0,  # the driver says nothing
            "linkinfo": {"info_kind": "macvtap"},
        },
        {"deleted": True},
    ]
    found = read_addresses_and_links(entries, lambda name: name == "mv1")
    eth0 = found["eth0"]
    assert (eth0.mac, eth0.mtu, eth0.up, eth0.carrier, eth0.kind) == ("52:54:00:ab:cd:ef", 9000, False, False, "")
    assert eth0.addresses == (
        address("192.0.2.10/24", scope="link", metric=100, prefix_route=False),
        address("2001:db8::77/64", dynamic=True, temporary=True, valid_for=600, preferred_for=0),
        # what the kernel says of an address that was moved without its time, when a router named it again
        address("2001:db8::99/64", dynamic=True, valid_for=7199, preferred_for=1799),
        address("192.0.2.11/24"),
    )
    assert (found["mv0"].below, found["mv1"].below) == ("eth0", "")
    assert (eth0.max_mtu, found["mv0"].max_mtu, found["mv1"].max_mtu) == (9194, 65535, 65535)
    assert [name for name, one in found.items() if one.wireless] == ["mv1"]


def test_ports() -> None:
    found = links(device("eth0", master="br0"), bridge(), tap(), tap("vnet9", master="br1"))
    assert found.ports_of("br0") == ["eth0", "vnet0"]
