# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What a task asks for: every option as it is understood. What is wrong with them is in test_host_bridge_bad_input.py."""

from __future__ import annotations

import typing as t
from ipaddress import IPv4Interface

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._bridge.options import BRIDGE_OPTIONS
from ansible_collections.kvmops.network.plugins.module_utils._bridge.request import Dns, Family, Request
from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._bridge.builders import OPTIONS, family, request


def test_the_defaults() -> None:
    assert {name: spec.get("default") for name, spec in BRIDGE_OPTIONS.items()} == OPTIONS
    assert request() == Request(name="br0", state="present", uplink="auto", backend="auto", window=60)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"name": "a23456789012345"}, {"name": "a23456789012345"}),
        ({"name": "br-lan_1.7"}, {"name": "br-lan_1.7"}),
        ({"state": "absent"}, {"state": "absent"}),
        ({"uplink": "eth0"}, {"uplink": "eth0"}),
        ({"backend": "networkd"}, {"backend": "networkd"}),
        ({"mac": "52:54:00:AB:CD:EF"}, {"mac": "52:54:00:ab:cd:ef"}),
        ({"mtu": 576}, {"mtu": 576}),
        ({"mtu": 65535}, {"mtu": 65535}),
        ({"stp": True}, {"stp": True, "forward_delay": 15, "window": 120}),
        ({"stp": True, "forward_delay": 2}, {"stp": True, "forward_delay": 2, "window": 120}),
        ({"stp": True, "forward_delay": 30, "confirm_timeout": 10}, {"stp": True, "forward_delay": 30, "window": 10}),
        ({"forward_delay": 0}, {"forward_delay": 0}),
        ({"forward_delay": 30}, {"forward_delay": 30}),
        ({"confirm_timeout": 3600}, {"window": 3600}),
        ({"check_gateway": False}, {"check_gateway": False}),
        ({"force": True}, {"force": True}),
        ({"dns": {"servers": None, "search": None}}, {"dns": Dns()}),
        ({"dns": {"servers": [], "search": []}}, {"dns": Dns(servers=(), search=())}),
        (
            {"dns": {"servers": ["192.0.2.1", "2001:db8::1"], "search": ["lan.test", "~.", "~corp.test", "a"]}},
            {"dns": Dns(servers=("192.0.2.1", "2001:db8::1"), search=("lan.test", "~.", "~corp.test", "a"))},
        ),
    ],
)
def test_options(options: dict[str, t.Any], expected: dict[str, t.Any]) -> None:
    usual = {"name": "br0", "state": "present", "uplink": "auto", "backend": "auto", "window": 60}
    assert request(**options) == Request(**{**usual, **expected})


@pytest.mark.parametrize(
    ("version", "options", "expected"),
    [
        (4, family("dhcp"), Family(4, "dhcp")),
        (4, family("none"), Family(4, "none")),
        (4, family("static", "192.0.2.10/24"), Family(4, "static", ("192.0.2.10/24",))),
        (4, family("static", "192.0.2.10/255.255.255.0"), Family(4, "static", ("192.0.2.10/24",))),
        (
            4,
            family("static", "192.0.2.10/24", "198.51.100.7/32", gateway="192.0.2.1"),
            Family(4, "static", ("192.0.2.10/24", "198.51.100.7/32"), "192.0.2.1"),
        ),
        # both of a point-to-point subnet are hosts, RFC 3021
        (4, family("static", "192.0.2.0/31", gateway="192.0.2.1"), Family(4, "static", ("192.0.2.0/31",), "192.0.2.1")),
        (4, {**family("dhcp"), "addresses": [], "gateway": ""}, Family(4, "dhcp")),
        (6, family("auto"), Family(6, "auto")),
        (6, family("dhcp"), Family(6, "dhcp")),
        (6, family("none"), Family(6, "none")),
        (
            6,
            family("static", "2001:DB8:0::10/64", gateway="2001:db8::0001"),
            Family(6, "static", ("2001:db8::10/64",), "2001:db8::1"),
        ),
        (6, family("static", "2001:db8::10/64", gateway="fe80::1"), Family(6, "static", ("2001:db8::10/64",), "fe80::1")),
    ],
)
def test_families(version: int, options: dict[str, t.Any], expected: Family) -> None:
    found = request(**{f"ipv{version}": options})
    assert (found.ipv4, found.ipv6) == ((expected, None) if version == 4 else (None, expected))


ODD = st.sampled_from(list("\n\r\t \"'$`(){};|&<>*?[]!#%/\\,=:~^\x00é"))


@given(before=st.text("abr0", max_size=4), odd=ODD, after=st.text("abr0", max_size=4))
def test_no_character_gets_into_a_name_that_a_shell_or_a_file_could_take_for_something_else(
    before: str, odd: str, after: str
) -> None:
    for option in ("name", "uplink"):
        with pytest.raises(InputError, match=f"^{option}: "):
            request(**{option: before + odd + after})


@given(
    option=st.sampled_from(["mac", "address4", "address6", "gateway4", "gateway6", "server", "search"]),
    tail=st.sampled_from(["\n", "%\n", "%eth0\nDHCP=yes", "%eth0", " ", "\nDHCP=yes", "$(reboot)", ";"]),
)
def test_no_line_gets_into_a_file_by_a_value(option: str, tail: str) -> None:
    options: dict[str, dict[str, t.Any]] = {
        "mac": {"mac": f"52:54:00:12:34:56{tail}"},
        "address4": {"ipv4": family("static", f"192.0.2.10/24{tail}")},
        "address6": {"ipv6": family("static", f"2001:db8::10{tail}/64")},
        "gateway4": {"ipv4": family("static", "192.0.2.10/24", gateway=f"192.0.2.1{tail}")},
        "gateway6": {"ipv6": family("static", "2001:db8::10/64", gateway=f"fe80::1{tail}")},
        "server": {"dns": {"servers": [f"fe80::1{tail}"], "search": None}},
        "search": {"dns": {"servers": None, "search": [f"lan.test{tail}"]}},
    }
    with pytest.raises(InputError):
        request(**options[option])


@given(prefix=st.integers(0, 32), number=st.integers(0, 2**32 - 1))
def test_an_address_that_is_taken_is_one_of_a_host(prefix: int, number: int) -> None:
    interface = IPv4Interface((number, prefix))
    address, network = interface.ip, interface.network
    ends = () if prefix >= 31 else (network.network_address, network.broadcast_address)
    if address in ends or address.is_multicast or address.is_loopback or address.is_unspecified:
        with pytest.raises(InputError, match=r"^ipv4\.addresses: "):
            request(ipv4=family("static", str(interface)))
    else:
        assert request(ipv4=family("static", str(interface))).ipv4 == Family(4, "static", (str(interface),))
