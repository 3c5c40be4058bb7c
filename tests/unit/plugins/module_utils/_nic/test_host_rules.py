# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What a NIC meets on its host: each rule, what it says, and what it says nothing of."""

from __future__ import annotations

import typing as t
from ipaddress import ip_interface

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Host, Link
from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import normalise
from ansible_collections.kvmops.network.plugins.module_utils._nic.host_rules import (
    boot_conflicts,
    filter_conflicts,
    mac_conflicts,
    network_conflicts,
    place_conflicts,
    place_warnings,
    vlan_conflicts,
)
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nic.builders import MAC, NETWORKS, guest, network, on

if t.TYPE_CHECKING:
    Definition = dict[str, t.Any]

VLAN = {"vlan": {"tags": [{"id": 5}]}}
OVS = {"virtualport": {"type": "openvswitch"}}
FLOOR = {"bandwidth": {"inbound": {"floor": 5}}}


def link(name: str, kind: str = "", *, mac: str | None = None, master: str | None = None, wireless: bool = False) -> Link:
    return Link(name, mac, kind, master, wireless, (ip_interface("192.0.2.1/24"),) if name == "eth0" else ())


HOST = Host(
    {
        each.name: each
        for each in (
            link("lo"),
            link("eth0", mac="52:54:00:00:00:e0"),
            link("eth1"),
            link("eth7", master="br0"),
            link("eth8", master="ovs-system"),
            link("ovs-system", "openvswitch"),
            link("wlan0", wireless=True),
            link("br0", "bridge"),
            link("virbr0", "bridge"),
            link("ovs0", "openvswitch"),
            link("vnet0", "tun", mac="fe:54:00:00:00:01", master="virbr0"),
            link("macvtap0", "macvtap", mac="52:54:00:00:00:0a"),
            link("bond0", "bond"),
        )
    }
)


# --- networks -----------------------------------------------------------------------------------------------------------------

OFF = {**NETWORKS, "off": network("off", "<forward mode='nat'/><bridge name='virbr9'/>", active=False)}
SHAPED = {"shaped": network("shaped", "<bridge name='virbr7'/><bandwidth><inbound average='9'/></bandwidth>")}
ALL = {**OFF, **SHAPED}


@pytest.mark.parametrize(
    ("definition", "running", "sentences"),
    [
        (on("default"), True, []),
        (
            on("nosuch"),
            True,
            [
                "source.network: the network 'nosuch' does not exist on this host; correct the name, or make it first. There "
                "are: default, functions, groups, hostbridge, isolated, macvtap, off, passthrough, shaped, switch, vlans."
            ],
        ),
        (
            on("off"),
            True,
            ["source.network: the network 'off' does not run, and the guest does; start the network first."],
        ),
        (on("off"), False, []),
        (
            {**on("groups"), "source": {"network": "groups", "portgroup": "quick"}},
            False,
            ["source.portgroup: the network 'groups' has no port group 'quick'; correct the name. It has: fast, free, slow."],
        ),
        (
            {**on(), "source": {"network": "default", "portgroup": "fast"}},
            True,
            ["source.portgroup: the network 'default' has no port group 'fast'; correct the name. It has: none."],
        ),
        ({**on("groups"), "source": {"network": "groups", "portgroup": "fast"}}, True, []),
        (on(**VLAN), True, ["vlan: the bridge of the network 'default' (mode 'nat') has no VLANs; leave it out."]),
        (on("hostbridge", **VLAN), True, []),
        (on("passthrough", **VLAN), True, []),
        (on("functions", **VLAN), True, []),
        (
            on("macvtap", **VLAN),
            True,
            ["vlan: is for NICs on a bridge, and the network 'macvtap' (mode 'bridge') has none; leave it out."],
        ),
        (
            on("isolated", **OVS),
            True,
            ["virtualport: the bridge of the network 'isolated' (mode 'none') has no virtual ports; leave it out."],
        ),
        (on("switch", **OVS), True, []),
        (on("macvtap", **OVS), True, []),
        (
            on("macvtap", port={"isolated": True}, filterref={"filter": "a"}),
            True,
            [
                "port: is for NICs on a bridge, and the network 'macvtap' (mode 'bridge') has none; leave it out.",
                "filterref: is for NICs on a bridge, and the network 'macvtap' (mode 'bridge') has none; leave it out.",
            ],
        ),
        (on("hostbridge", port={"isolated": True}, filterref={"filter": "a"}), True, []),
        (
            on(**FLOOR),
            True,
            [
                "bandwidth.inbound: floor is a share of the network's own bandwidth.inbound, and 'default' has none; give the "
                "network one, or leave floor out."
            ],
        ),
        (on("shaped", **FLOOR), True, []),
        (normalise({"type": "bridge", "source": {"bridge": "nosuch"}, **VLAN}), True, []),
    ],
)
def test_networks(definition: Definition, running: bool, sentences: list[str]) -> None:
    assert list(network_conflicts(definition, ALL, running=running)) == sentences


def test_there_are_no_networks() -> None:
    assert next(network_conflicts(on(), {}, running=False)).endswith("There are: none.")


# --- bridges and interfaces ---------------------------------------------------------------------------------------------------


def bridge(name: str, **options: t.Any) -> Definition:
    return {"type": "bridge", "source": {"bridge": name}, **options}


def direct(name: str) -> Definition:
    return {"type": "direct", "source": {"dev": name, "mode": "bridge"}}


@pytest.mark.parametrize(
    ("definition", "running", "sentences"),
    [
        (bridge("br0"), True, []),
        (bridge("virbr0"), True, []),
        (bridge("ovs0"), True, []),
        (bridge("eth1", **OVS), True, []),
        (
            bridge("nosuch"),
            True,
            ["source.bridge: 'nosuch' does not exist on this host; correct the name, or make it first. There are: br0, virbr0."],
        ),
        (bridge("nosuch"), False, []),
        (
            bridge("eth1"),
            False,
            [
                "source.bridge: 'eth1' is an interface of this host, but no bridge; name a bridge, or use source.dev for a "
                "macvtap."
            ],
        ),
        (direct("eth1"), True, []),
        (direct("bond0"), True, []),
        (direct("eth8"), True, []),
        (direct("br0"), True, []),
        (
            direct("nosuch"),
            True,
            [
                "source.dev: 'nosuch' does not exist on this host; correct the name, or make it first. There are: bond0, eth0, "
                "eth1, eth7, eth8, ovs-system, ovs0, wlan0."
            ],
        ),
        (
            direct("eth7"),
            False,
            ["source.dev: 'eth7' is a port of the bridge 'br0' and cannot carry a macvtap as well; use source.bridge 'br0'."],
        ),
        (
            direct("wlan0"),
            True,
            [
                "source.dev: 'wlan0' is a Wi-Fi interface, whose access point takes frames from the host's own MAC address "
                "only; use a network of mode 'nat' instead."
            ],
        ),
        (
            direct("virbr0"),
            True,
            ["source.dev: 'virbr0' is the bridge of the network 'default'; use source.network 'default'."],
        ),
        ({"type": "user", "source": {"dev": "nosuch"}}, True, []),
        ({"type": "ethernet", "target": {"dev": "nosuch"}}, True, []),
        (on("nosuch"), True, []),
        ({"type": "bridge"}, True, []),
    ],
)
def test_places(definition: Definition, running: bool, sentences: list[str]) -> None:
    assert list(place_conflicts(definition, HOST, NETWORKS, running=running)) == sentences


@pytest.mark.parametrize(
    ("definition", "sentences"),
    [
        (on("default"), []),
        (on("off"), ["The network 'off' does not run: the guest cannot start before it does."]),
        (on("nosuch"), []),
        (bridge("br0"), []),
        (bridge("nosuch"), ["'nosuch' does not exist on this host: the guest cannot start before it does."]),
        (direct("nosuch"), ["'nosuch' does not exist on this host: the guest cannot start before it does."]),
        ({"type": "user"}, []),
    ],
)
def test_what_keeps_a_guest_from_starting(definition: Definition, sentences: list[str]) -> None:
    assert list(place_warnings(definition, HOST, ALL, running=False)) == sentences
    assert list(place_warnings(definition, HOST, ALL, running=True)) == []


def test_of_a_host_that_cannot_be_seen_nothing_is_said() -> None:
    assert list(place_warnings(bridge("nosuch"), None, ALL, running=False)) == []


# --- filters and the order of boot --------------------------------------------------------------------------------------------


def test_filters() -> None:
    wanted = on(filterref={"filter": "clean-trafic"})
    assert list(filter_conflicts(wanted, ["clean-traffic", "no-mac-spoofing"])) == [
        "filterref.filter: the filter 'clean-trafic' does not exist on this host; correct the name. There are: clean-traffic, "
        "no-mac-spoofing."
    ]
    assert list(filter_conflicts(wanted, ["clean-trafic"])) == []
    # a driver without filters
    assert list(filter_conflicts(wanted, None)) == []
    assert list(filter_conflicts(on(), [])) == []


@pytest.mark.parametrize(
    ("order", "others", "taken"),
    [(None, [], False), (1, [], False), (1, [2, None], False), (1, [1], True), (7, [], True), (8, [], False)],
)
def test_the_order_of_boot(order: int | None, others: list[int | None], taken: bool) -> None:
    def nic(place: int | None) -> Definition:
        return on(boot={"order": place}) if place is not None else on()

    wanted = nic(order)
    found = list(boot_conflicts(guest(boot_orders=frozenset({7})), [wanted, *map(nic, others)], wanted))
    assert found == (
        [f"boot.order: {order} is the place of another device of the guest 'web'; choose another number."] if taken else []
    )


def test_a_guest_that_boots_by_kinds_of_devices() -> None:
    owner = guest(boots_by_kind=True)
    assert list(boot_conflicts(owner, [], on())) == []
    assert list(boot_conflicts(owner, [], on(boot={"order": 1}))) == [
        "boot.order: the definition of the guest 'web' says by kinds of devices what it boots from (<os><boot dev=…/>), and "
        "libvirt takes one of the two only; leave boot out, or remove the other with 'virsh edit'."
    ]


# --- MAC addresses ------------------------------------------------------------------------------------------------------------

OWNER = ("web", "")
LABS = {"lab": network("lab", "<bridge name='virbr5'/><mac address='52:54:00:00:00:05'/>", active=False)}


@pytest.mark.parametrize(
    ("mac", "holders", "sentences"),
    [
        (MAC, [], []),
        (MAC, [OWNER], []),
        (MAC, [OWNER, ("web", "3")], [f"mac: '{MAC}' is the address that another NIC of this guest has; give another one."]),
        (MAC, [("db", "0"), OWNER], [f"mac: '{MAC}' is the address that a NIC of the guest 'db' has; give another one."]),
        ("52:54:00:00:00:05", [], ["mac: '52:54:00:00:00:05' is the address of the network 'lab'; give another one."]),
        ("52:54:00:00:00:e0", [], ["mac: '52:54:00:00:00:e0' is the address of 'eth0' on this host; give another one."]),
        # the host's end of a macvtap has the guest's address
        ("52:54:00:00:00:0a", [], []),
    ],
)
def test_mac_addresses(mac: str, holders: list[tuple[str, str]], sentences: list[str]) -> None:
    everybody = {mac: holders, "52:54:00:99:99:99": [("db", "1")]}
    assert list(mac_conflicts(OWNER, mac, everybody, LABS, HOST)) == sentences


def test_of_a_host_that_cannot_be_seen_only_guests_and_networks_have_addresses() -> None:
    assert list(mac_conflicts(OWNER, "52:54:00:00:00:e0", {}, LABS, None)) == []


# --- VLANs --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("definition", "has_none"),
    [
        (normalise({"type": "bridge", "source": {"bridge": "br0"}, **VLAN}), True),
        (normalise({"type": "bridge", "source": {"bridge": "coming"}, **VLAN}), True),
        (normalise({"type": "bridge", "source": {"bridge": "ovs0"}, **VLAN}), False),
        (normalise({"type": "bridge", "source": {"bridge": "br0"}, **VLAN, **OVS}), False),
        (normalise({"type": "bridge", "source": {"bridge": "br0"}}), False),
        (on("hostbridge", **VLAN), True),
        (on("switch", **VLAN), False),
        (on("passthrough", **VLAN), False),
        (normalise({"type": "direct", "source": {"dev": "eth1", "mode": "passthrough"}, **VLAN}), False),
    ],
)
def test_vlans_on_bridges_of_linux(definition: Definition, has_none: bool) -> None:
    # seed 004-h
    said = "vlan: libvirt has VLANs on the bridges of Linux since 11.0.0, and this one is 9.0.0; leave it out, and plug the guest"
    found = list(vlan_conflicts(definition, HOST, ALL, "9.0.0"))
    assert [sentence.startswith(said) for sentence in found] == [True] * has_none
    assert list(vlan_conflicts(definition, HOST, ALL, "11.0.0")) == []
