# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What would not work on a host is refused, each time in one sentence, and what works otherwise than one thinks is said."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Device
from ansible_collections.kvmops.network.plugins.module_utils._errors import (
    InputError,
    NetworkError,
    RefusedError,
    RequirementError,
)
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.host import Parent
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.rules import (
    check_name_is_free,
    check_parent,
    check_wanted,
    warnings_of,
)
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._bridge.builders import address
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._macvtap.builders import (
    MAC,
    OFF,
    ON,
    PARENT_MAC,
    eth,
    host,
    interface,
    kernel_route,
    on_eth1,
    over,
    request,
)

LOOPBACK = Device(name="lo", index=1, mac="00:00:00:00:00:00", mtu=65536, is_ethernet=False)
TUNNEL = Device(name="tun0", index=3, mac="", mtu=1500, kind="tun", is_ethernet=False)


class TestName:
    """Only what is a macvtap or macvlan already is touched."""

    @pytest.mark.parametrize("kind", ["macvtap", "macvlan"])
    def test_free(self, kind: str) -> None:
        check_name_is_free(host(), "mv0")
        check_name_is_free(host(on_eth1(kind=kind)), "mv0")

    @pytest.mark.parametrize(
        ("kind", "what"),
        [
            ("", "a NIC"),
            ("bridge", "an interface of the kind bridge"),
            ("ipvlan", "an interface of the kind ipvlan"),
            ("tun", "an interface of the kind tun"),
        ],
    )
    def test_taken(self, kind: str, what: str) -> None:
        with pytest.raises(RefusedError) as caught:
            check_name_is_free(host(eth("mv0", kind=kind)), "mv0")
        assert str(caught.value) == f"name: mv0 is {what} on this host, which is left alone. Choose another name."


PARENTS: list[tuple[str, type[NetworkError], str, list[Device]]] = [
    (
        "eth9",
        InputError,
        "parent: there is no interface eth9 on this host. There are br0, eth1.",
        [LOOPBACK, eth("br0", kind="bridge"), eth("vnet0", kind="tun"), on_eth1("mv1")],
    ),
    (
        "wlan0",
        RefusedError,
        "parent: wlan0 is a Wi-Fi interface, and an access point takes no frames of guests from it. Use a wired one, or give the "
        "guests a NAT network.",
        [eth("wlan0", wireless=True)],
    ),
    (
        "eth2",
        RefusedError,
        "parent: eth2 is a port of br0, and an interface cannot be a bridge's port and carry macvtap. Name br0 as the parent, or "
        "another NIC.",
        [eth("eth2", master="br0"), eth("br0", kind="bridge")],
    ),
    (
        "eth2",
        RefusedError,
        "parent: eth2 is a port of bond0, and an interface is no parent then. Name bond0 as the parent, or another NIC.",
        [eth("eth2", master="bond0"), eth("bond0", kind="bond")],
    ),
    (
        "eth2",
        RefusedError,
        "parent: eth2 is a port of tun0, and an interface is no parent then. Name another.",
        [eth("eth2", master="tun0"), TUNNEL],
    ),
    (
        "eth2",
        RefusedError,
        "parent: eth2 is a port of ovs-system, and an interface is no parent then. Name another.",
        [eth("eth2", master="ovs-system")],
    ),
    ("tun0", RefusedError, "parent: tun0 is no Ethernet interface, and the kernel puts no macvtap on it.", [TUNNEL]),
    *(
        (
            "eth1",
            RefusedError,
            f"parent: eth1 carries the {kind} ip0, and the kernel puts no macvtap beside that. Remove it, or use another NIC.",
            [eth("ip0", kind=kind, below="eth1")],
        )
        for kind in ("ipvlan", "ipvtap")
    ),
]


@pytest.mark.parametrize(("parent", "error", "sentence", "devices"), PARENTS)
def test_parents_that_cannot_be(parent: str, error: type[NetworkError], sentence: str, devices: list[Device]) -> None:
    with pytest.raises(error) as caught:
        check_parent(request(parent=parent), host(*devices))
    assert caught.type is error
    assert str(caught.value) == sentence


def test_a_member_of_a_vrf_can_be_a_parent() -> None:
    check_parent(request(parent="eth2"), host(eth("eth2", master="vrf-a"), eth("vrf-a", kind="vrf", is_ethernet=False)))


def test_no_parent_at_all() -> None:
    alone = host()
    alone.links.devices.clear()
    with pytest.raises(InputError) as caught:
        check_parent(request(), alone)
    assert str(caught.value) == "parent: there is no interface eth1 on this host. There are none that could be one."


@pytest.mark.parametrize(
    "device",
    [
        eth("eth2"),
        eth("eth2", up=False),
        eth("br0", kind="bridge"),
        eth("bond0", kind="bond"),
        eth("eth1.7", kind="vlan", below="eth1"),
        on_eth1("mv1"),
    ],
    ids=lambda device: device.name,
)
def test_parents(device: Device) -> None:
    check_parent(request(parent=device.name), host(device, eth("ip0", kind="ipvlan", below="eth7")))


NO_KERNEL = (
    "The kernel of this host has no {} (kernels for clouds leave it out). Install one that has, on Debian the package "
    "linux-image-amd64, and boot it."
)

# what is wanted, what is on the host, how it is refused
UNWANTED: dict[str, tuple[dict[str, t.Any], dict[str, t.Any], type[NetworkError], str]] = {
    "a kernel without macvtap": ({}, {"lacking": ("macvtap",)}, RequirementError, NO_KERNEL.format("macvtap")),
    "a kernel without macvlan": (
        {"kind": "macvlan"},
        {"lacking": ("macvlan",)},
        RequirementError,
        NO_KERNEL.format("macvlan"),
    ),
    "an old iproute2": (
        {"broadcast_queue": 500},
        {"lacking": ("bcqueuelen",)},
        RequirementError,
        "The program ip of this host does not know bcqueuelen. Leave the option out, or install iproute2 5.11 or later.",
    ),
    "IPv6 on a host without": (
        {"addresses": ("192.0.2.1/32", "2001:db8::1/64")},
        {"has_ipv6": False},
        RefusedError,
        "addresses: IPv6 is off in the kernel of this host. Leave IPv6 addresses out.",
    ),
    "IPv6 with an MTU that is too small": (
        {"addresses": ("2001:db8::1/64",), "mtu": 1279},
        {},
        InputError,
        "mtu: '1279' is too little for IPv6, which needs 1280. Raise it, or leave IPv6 addresses out.",
    ),
    "passthru beside others": (
        {"mode": "passthru"},
        {"devices": [on_eth1("mv1"), on_eth1("mv2", kind="macvlan")]},
        RefusedError,
        "mode: with passthru an interface has eth1 for itself, and there is mv1, mv2 on it. Choose another mode, or another "
        "parent.",
    ),
    "beside passthru": (
        {},
        {"devices": [on_eth1("mv1", mode="passthru")]},
        RefusedError,
        "parent: mv1 has eth1 for itself (mode passthru). Choose another parent, or remove it first.",
    ),
    "the parent's MAC address": (
        {"mac": PARENT_MAC},
        {},
        InputError,
        f"mac: '{PARENT_MAC}' is the address of eth1, and two interfaces on one link cannot share it. Choose another one, or "
        "leave mac out.",
    ),
    "a sibling's MAC address": (
        {},
        {"devices": [on_eth1("mv1")]},
        InputError,
        f"mac: '{MAC}' is the address of mv1, and two interfaces on one link cannot share it. Choose another one, or leave mac "
        "out.",
    ),
    "MTU above the parent's": (
        {"mtu": 1501},
        {},
        InputError,
        "mtu: '1501' is more than the 1500 of eth1, below which it has to stay. Raise that first.",
    ),
    "somebody's address": (
        {"addresses": ("192.0.2.10/32",)},
        {"devices": [eth("eth2", "192.0.2.10/24")]},
        RefusedError,
        "addresses: eth2 has 192.0.2.10 already. Give the interface an address of its own.",
    ),
    "somebody's subnet": (
        {"addresses": ("192.0.2.10/32",), "routes": (over("198.51.100.0/24"),)},
        {"routes": (kernel_route("198.51.100.0/24", "eth2"),)},
        RefusedError,
        "routes: 198.51.100.0/24 is reached over eth2 already. Take that route away, or give this one another metric (the lowest "
        "is used).",
    ),
    "somebody's host": (
        {"addresses": ("192.0.2.10/32",), "routes": (over("198.51.100.7/32", metric=5),)},
        {"routes": (kernel_route("198.51.100.7", "eth2", metric=5),)},
        RefusedError,
        "routes: 198.51.100.7/32 is reached over eth2 already. Take that route away, or give this one another metric (the lowest "
        "is used).",
    ),
    "a route to the host itself": (
        {"addresses": ("192.0.2.10/32",), "routes": (over("198.51.100.7/32"),)},
        {"devices": [eth("eth2", "198.51.100.7/24")]},
        RefusedError,
        "routes: 198.51.100.7 is the host's own address on eth2. Name the addresses of guests.",
    ),
}


def world(devices: t.Sequence[Device] = (), **more: t.Any) -> t.Any:
    return host(*devices, **more)


@pytest.mark.parametrize("name", UNWANTED)
def test_what_the_kernel_would_not_take(name: str) -> None:
    values, there, error, sentence = UNWANTED[name]
    with pytest.raises(error) as caught:
        check_wanted(interface(**values), world(**there))
    assert caught.type is error
    assert str(caught.value) == sentence


GOOD: dict[str, tuple[dict[str, t.Any], dict[str, t.Any]]] = {
    "alone": ({}, {}),
    "there already": ({}, {"devices": [on_eth1()]}),
    "passthru that is there already": ({"mode": "passthru"}, {"devices": [on_eth1(mode="passthru")]}),
    "passthru with the parent's MAC address": ({"mode": "passthru", "mac": PARENT_MAC}, {}),
    "passthru beside one on another parent": ({"mode": "passthru"}, {"devices": [on_eth1("mv1", below="eth2")]}),
    "passthru on what carries a VLAN": ({"mode": "passthru"}, {"devices": [on_eth1("eth1.7", kind="vlan")]}),
    "MAC address of one on another parent": ({}, {"devices": [on_eth1("mv1", below="eth2")]}),
    "the MAC address that passthru lent to the parent": (
        {"mac": PARENT_MAC},
        {"devices": [on_eth1(mode="passthru", mac=PARENT_MAC)]},
    ),
    "no MAC address": ({"mac": ""}, {}),
    "the smallest MTU for IPv6": ({"mtu": 1280, "addresses": ("2001:db8::1/64",)}, {}),
    "a small MTU without IPv6": ({"mtu": 68, "addresses": ("192.0.2.1/32",), "ipv6": None}, {}),
    "its own addresses": (
        {"addresses": ("192.0.2.10/32",)},
        {"devices": [on_eth1(addresses=(address("192.0.2.10/32"),))]},
    ),
    "its own route": (
        {"addresses": ("192.0.2.10/32",), "routes": (over("198.51.100.0/24"),)},
        {"routes": (kernel_route("198.51.100.0/24", "mv0"),)},
    ),
    "another metric": (
        {"addresses": ("192.0.2.10/32",), "routes": (over("198.51.100.0/24", metric=5),)},
        {"routes": (kernel_route("198.51.100.0/24", "eth2"),)},
    ),
    "another table": (
        {"addresses": ("192.0.2.10/32",), "routes": (over("198.51.100.0/24"),)},
        {"routes": (kernel_route("198.51.100.0/24", "eth2", table="100"),)},
    ),
    "another subnet": (
        {"addresses": ("192.0.2.10/32",), "routes": (over("198.51.100.0/25"),)},
        {"routes": (kernel_route("198.51.100.0/24", "eth2"), kernel_route("default", "eth2"))},
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_the_kernel_takes(name: str) -> None:
    values, there = GOOD[name]
    check_wanted(interface(**values), world(**there))


def arp(value: int, name: str = "default") -> dict[str, t.Any]:
    return {"arp_ignore": {"all": 0, "default": 0, name: value}}


SHIM = {"addresses": ("192.0.2.250/32",)}
NOBODY = (
    "arp_ignore is {} on this host: it answers only those in the subnet of the address that they ask for, so that no guest "
    "reaches it over mv0. Set net.ipv4.conf.all.arp_ignore and net.ipv4.conf.mv0.arp_ignore to 0 or 1."
)
ONE = "arp_ignore is 1 on this host: guests reach it at 192.0.2.250 over mv0, and at no other address of the host."

WARNINGS: dict[str, tuple[dict[str, t.Any], dict[str, t.Any], list[str]]] = {
    "nothing": ({}, {}, []),
    "an address": (SHIM, {"devices": [eth("eth1", "192.0.2.10/24")]}, []),
    "parent that is down": (
        {},
        {"devices": [eth(up=False)]},
        ["eth1 is down, and nothing passes mv0 until it is up."],
    ),
    "both are down": ({"up": False}, {"devices": [eth(up=False)]}, []),
    "passthru with a MAC address": (
        {"mode": "passthru"},
        {},
        [f"With passthru the MAC address is that of eth1 as well, which changes from {PARENT_MAC} to it."],
    ),
    "passthru with the parent's own": ({"mode": "passthru", "mac": PARENT_MAC}, {}, []),
    "passthru without": ({"mode": "passthru", "mac": ""}, {}, []),
    "a parent that nobody configures": (
        {},
        {"parent": Parent(configured=False)},
        ["Nobody configures eth1 at boot. If nobody brings it up then, nothing passes mv0."],
    ),
    "a parent that nobody configures, and it is down": (
        {},
        {"devices": [eth(up=False)], "parent": Parent(configured=False)},
        ["eth1 is down, and nothing passes mv0 until it is up."],
    ),
    "down itself, and nobody configures the parent": ({"up": False}, {"parent": Parent(configured=False)}, []),
    "a subnet that the host is in already": (
        {"addresses": ("192.0.2.250/24",)},
        {"devices": [eth("eth1", "192.0.2.10/24")]},
        [
            "The host reaches 192.0.2.0/24 over another interface as well, and uses one of the two only, mostly the other. Give "
            "mv0 the address 192.0.2.250/32, and routes to the guests.",
        ],
    ),
    "a subnet that the host is not in": ({"addresses": ("198.51.100.1/24",)}, {"devices": [eth("eth1", "192.0.2.10/24")]}, []),
    "IPv6 is another matter": (
        {"addresses": ("2001:db8::2/64",), "ipv6": ON},
        {"devices": [eth("eth1", "2001:db8::1/64", "192.0.2.1/24")], **arp(1)},
        [],
    ),
    "arp_ignore 0": (SHIM, arp(0), []),
    "arp_ignore 1": (SHIM, arp(1), [ONE]),
    "arp_ignore 1 of everything": (SHIM, arp(1, "all"), [ONE]),
    "arp_ignore 2": (SHIM, arp(2), [NOBODY.format(2)]),
    "arp_ignore 8": (SHIM, arp(8), [NOBODY.format(8)]),
    "arp_ignore 2, and a subnet": ({"addresses": ("192.0.2.250/24",)}, arp(2), []),
    "arp_ignore 1 without an address": ({}, arp(1), []),
    "arp_ignore of the interface": (SHIM, {"devices": [on_eth1()], **arp(1, "mv0")}, [ONE]),
    "arp_ignore for new ones, and it is there": (SHIM, {"devices": [on_eth1()], "arp_ignore": {"default": 1, "mv0": 0}}, []),
    "two at once": (
        {"addresses": ("192.0.2.250/32",)},
        {"devices": [eth(up=False)], **arp(1)},
        ["eth1 is down, and nothing passes mv0 until it is up.", ONE],
    ),
}


@pytest.mark.parametrize("name", WARNINGS)
def test_warnings(name: str) -> None:
    values, there, expected = WARNINGS[name]
    assert warnings_of(interface(**{"ipv6": OFF, **values}), world(**there)) == expected
