# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The lines for `ip -batch`: what they say, and what a kernel has after they were carried out, once or again."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._bridge.layout import Layout, as_it_is, batch
from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Address, Links, Route, read_route
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


def made(entry: dict[str, t.Any]) -> Route:
    found = read_route({"dev": "eth0", **entry}, 6 if ":" in entry.get("gateway", entry["dst"]) else 4)
    assert found is not None
    return found


ON_LINK = made({"dst": "203.0.113.1", "scope": "link", "metric": 100})
VIA = made({"dst": "default", "gateway": "203.0.113.1", "protocol": "static", "metric": 100, "flags": ["onlink"]})
VIA6 = made({"dst": "default", "gateway": "fe80::1", "metric": 1024})

PLAIN = Layout(
    uplink="eth0", bridge="br0", bridged=False, uplink_mtu=1500, addresses=(address("192.0.2.10/24"),), routes=(VIA, ON_LINK)
)
BRIDGED = replace(PLAIN, bridged=True, mac=MAC, mtu=1500)


def test_the_way_there() -> None:
    assert batch(BRIDGED) == [
        "link set dev br0 type bridge stp_state 0",
        "link set dev br0 type bridge forward_delay 0",
        "link set dev br0 address 52:54:00:12:34:56",
        "link set dev eth0 master br0",
        "link set dev br0 mtu 1500 up",
        "link set dev eth0 mtu 1500 up",
        "address flush dev eth0 scope global",
        "address replace 192.0.2.10/24 brd + dev br0",
        "route del 203.0.113.1 metric 100 scope link dev eth0",
        "route append 203.0.113.1 metric 100 scope link dev br0",
        "route del 0.0.0.0/0 via 203.0.113.1 metric 100 proto static onlink dev eth0",
        "route append 0.0.0.0/0 via 203.0.113.1 metric 100 proto static onlink dev br0",
    ]


def test_the_way_back() -> None:
    assert batch(replace(PLAIN, addresses=(address("2001:db8::10/64"),), routes=(VIA6,))) == [
        "link set dev eth0 nomaster",
        "link set dev eth0 mtu 1500 up",
        "address flush dev br0 scope global",
        "address replace 2001:db8::10/64 nodad dev eth0",
        "route del ::/0 via fe80::1 metric 1024 dev br0",
        "route append ::/0 via fe80::1 metric 1024 dev eth0",
    ]


def test_the_order_of_stp_and_its_delay() -> None:
    # the kernel refuses a delay under two seconds while STP is on
    on = batch(replace(BRIDGED, stp=True, forward_delay=1500))
    assert on[:2] == ["link set dev br0 type bridge forward_delay 1500", "link set dev br0 type bridge stp_state 1"]
    off = batch(BRIDGED)
    assert off[:2] == ["link set dev br0 type bridge stp_state 0", "link set dev br0 type bridge forward_delay 0"]


def test_without_addresses_none_is_touched() -> None:
    assert not any(line.startswith(("address", "route")) for line in batch(replace(BRIDGED, addresses=(), routes=())))


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (address("192.0.2.10/24"), "192.0.2.10/24 brd +"),
        (address("192.0.2.10/31"), "192.0.2.10/31"),
        (address("192.0.2.10/32"), "192.0.2.10/32"),
        (address("192.0.2.130/32", peer="192.0.2.131"), "192.0.2.130 peer 192.0.2.131/32"),
        (address("192.0.2.130/24", peer="198.51.100.1"), "192.0.2.130 peer 198.51.100.1/24"),
        (address("169.254.1.1/16", scope="link"), "169.254.1.1/16 brd + scope link"),
        (address("192.0.2.10/24", metric=100, prefix_route=False), "192.0.2.10/24 brd + metric 100 noprefixroute"),
        (leased("192.0.2.10/24", 3600), "192.0.2.10/24 brd + valid_lft 3600 preferred_lft 3600"),
        (address("2001:db8::10/64"), "2001:db8::10/64 nodad"),
        (
            address("2001:db8::10/64", dynamic=True, valid_for=60, preferred_for=0),
            "2001:db8::10/64 nodad valid_lft 60 preferred_lft 0",
        ),
    ],
)
def test_the_words_that_make_an_address(found: Address, words: str) -> None:
    assert f"address replace {words} dev br0" in batch(replace(BRIDGED, addresses=(found,)))


class TestAsItIs:
    """How links lie."""

    def test_a_host_without_a_bridge(self) -> None:
        found = as_it_is(static_links(), uplink="eth0", bridge="br0")
        assert found == replace(PLAIN, routes=static_links().routes)
        assert (found.carrier, found.other) == ("eth0", "br0")

    def test_a_bridge_over_its_uplink(self) -> None:
        found = as_it_is(bridged_links(tap(), stp=True, forward_delay=1500, mtu=9000), uplink="eth0", bridge="br0")
        routes = (default_route(link="br0"),)
        assert found == replace(BRIDGED, routes=routes, stp=True, forward_delay=1500, mtu=9000)
        assert (found.carrier, found.other) == ("br0", "eth0")

    def test_addresses_that_a_server_gave_are_seen_and_link_local_ones_are_not(self) -> None:
        own = (leased("192.0.2.10/24"), address("fe80::1/64"), address("2001:db8::1/64"))
        kernel, dhcp = default_route(protocol="kernel"), default_route(protocol="dhcp")
        found = as_it_is(links(device("eth0", *own), routes=(kernel, dhcp)), uplink="eth0", bridge="br0")
        assert found.addresses == (own[0], own[2])
        assert found.routes == (dhcp,)

    @pytest.mark.parametrize("own", [(address("192.0.2.10/24"),), (address("2001:db8::10/64"),), (leased("2001:db8::10/64"),)])
    def test_a_port_that_fell_out_of_the_bridge_that_has_its_addresses(self, own: tuple[Address, ...]) -> None:
        found = links(device("eth0", address("fe80::1/64")), bridge("br0", *own))
        assert as_it_is(found, uplink="eth0", bridge="br0").bridged

    @pytest.mark.parametrize("own", [address("192.0.2.9/24"), leased("2001:db8::9/64")])
    def test_a_port_that_has_addresses_of_its_own_again(self, own: Address) -> None:
        found = links(device("eth0", own), bridge("br0", address("192.0.2.10/24")))
        layout = as_it_is(found, uplink="eth0", bridge="br0")
        assert (layout.bridged, layout.addresses) == (False, (own,))

    @pytest.mark.parametrize(
        "own", [(), (address("192.0.2.10/24"),), (address("2001:db8::10/64"),), (leased("2001:db8::10/64"),)]
    )
    def test_a_bridge_of_guests_beside_the_uplink(self, own: tuple[Address, ...]) -> None:
        found = as_it_is(links(device("eth0", *own), bridge("br0", address("fe80::2/64")), tap()), uplink="eth0", bridge="br0")
        assert not found.bridged
        assert found.addresses == own


# --- a kernel that knows just these lines ------------------------------------------------------------------------------------


@dataclass
class Kernel:
    """The links eth0 and br0 of a host, and routes over a third one, for the lines of a batch.

    `append` adds a route beside those of the same destination and metric over other links, and takes none of them away. What is
    there already is an error for it, as what is not there is for `del`; `ip -force` goes on.
    """

    master: str = ""
    settings: dict[tuple[str, str], str] = field(default_factory=dict)
    addresses: dict[str, set[str]] = field(default_factory=lambda: {"eth0": set(), "br0": set()})
    routes: list[tuple[str, ...]] = field(default_factory=list)

    def carry_out(self, line: str) -> None:
        words = line.split()
        name = words[words.index("dev") + 1]
        if words[:2] == ["address", "replace"]:
            assert name in ("eth0", "br0")
            self.addresses[name].add(words[2])
        elif words[:2] == ["address", "flush"]:
            self.addresses[name].clear()
        elif words[:2] == ["route", "del"]:
            self.routes = [route for route in self.routes if route != tuple(words[2:])]
        elif words[:2] == ["route", "append"]:
            self.routes += [tuple(words[2:])] if tuple(words[2:]) not in self.routes else []
        elif words[4:6] == ["master", "br0"] or words[4] == "nomaster":
            self.master = "br0" if words[4] == "master" else ""
        else:
            assert words[:3] == ["link", "set", "dev"]
            rest = [word for word in words[4:] if word not in ("type", "bridge", "up")]
            self.settings[name, rest[0]] = rest[1]

    def routes_over(self, name: str) -> list[str]:
        return sorted(" ".join(route[:-2]) for route in self.routes if route[-1] == name)


ADDRESSES = st.lists(
    st.one_of(
        st.builds(lambda number: address(f"192.0.2.{number}/24"), st.integers(1, 254)),
        st.builds(lambda number: leased(f"198.51.100.{number}/25"), st.integers(1, 126)),
        st.builds(lambda number: address(f"2001:db8::{number:x}/64", metric=7), st.integers(1, 65535)),
    ),
    max_size=5,
    unique_by=lambda found: found.text,
).map(tuple)
ROUTES = st.lists(
    st.builds(
        lambda number, metric: made({"dst": f"10.{number}.0.0/16", "gateway": "192.0.2.1", "metric": metric}),
        st.integers(0, 255),
        st.integers(0, 3),
    ),
    max_size=4,
    unique_by=lambda route: (route.destination, route.metric),
).map(tuple)
LAYOUTS = st.builds(
    Layout,
    uplink=st.just("eth0"),
    bridge=st.just("br0"),
    bridged=st.just(True),
    uplink_mtu=st.sampled_from([1500, 9000]),
    mac=st.just(MAC),
    mtu=st.sampled_from([1400, 1500]),
    stp=st.booleans(),
    forward_delay=st.sampled_from([200, 1500]),
    addresses=ADDRESSES,
    routes=ROUTES,
)


@given(there=LAYOUTS, times=st.lists(st.booleans(), max_size=3))
def test_each_address_is_on_one_link_after_any_run_there_and_back(there: Layout, times: list[bool]) -> None:
    """Scripts are interrupted and run again, in both directions."""
    words = sorted(" ".join(route.words) for route in there.routes)
    # the host starts with its routes over the uplink, and has the same over a link that nobody asked about
    kernel = Kernel(routes=[(*route.words, "dev", name) for route in there.routes for name in ("eth0", "eth1")])
    back = replace(there, bridged=False)
    for forward in [*times, True, True]:
        for line in batch(there if forward else back):
            kernel.carry_out(line)
    texts = {a.text for a in there.addresses}
    assert kernel.addresses == {"br0": texts, "eth0": set()}
    assert [kernel.routes_over(name) for name in ("br0", "eth0", "eth1")] == [words, [], words]
    assert kernel.master == "br0"
    assert kernel.settings["br0", "stp_state"] == str(int(there.stp))
    assert kernel.settings["br0", "forward_delay"] == str(there.forward_delay)
    for line in batch(back):
        kernel.carry_out(line)
    assert kernel.addresses == {"eth0": texts, "br0": set()}
    assert [kernel.routes_over(name) for name in ("br0", "eth0", "eth1")] == [[], words, words]
    assert kernel.master == ""


@given(there=LAYOUTS)
def test_each_address_is_named_once_and_after_it_is_taken_from_the_other_link(there: Layout) -> None:
    for layout in (there, replace(there, bridged=False)):
        lines = batch(layout)
        replaced = [line for line in lines if line.startswith("address replace ")]
        assert [line.split()[2] for line in replaced] == [a.text for a in layout.addresses]
        flushed = [at for at, line in enumerate(lines) if line.startswith("address flush")]
        assert len(flushed) == bool(layout.addresses)
        assert all(lines.index(line) > at for line in replaced for at in flushed)
        assert not any(" add " in line for line in lines)  # what is there already is no error
        routes = [line.split() for line in lines if line.startswith("route ")]
        assert [line[1] for line in routes] == ["del", "append"] * len(layout.routes)
        for gone, comes in zip(routes[::2], routes[1::2]):
            assert (gone[2:-1], gone[-1], comes[-1]) == (comes[2:-1], layout.other, layout.carrier)


def test_links_are_read_as_they_are_written() -> None:
    """A layout that was carried out is read as the same layout."""
    found: Links = bridged_links()
    assert as_it_is(found, uplink="eth0", bridge="br0") == replace(BRIDGED, routes=(default_route(link="br0"),))
