# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Which interface becomes the port and who manages it. The refusals' whole sentences are in test_host_bridge_bad_input.py."""

from __future__ import annotations

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Device, Links
from ansible_collections.kvmops.network.plugins.module_utils._bridge.uplink import (
    check_bridge_name,
    check_uplink,
    choose_backend,
    choose_uplink,
)
from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, NetworkError, RefusedError
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._bridge.builders import (
    address,
    bridge,
    default_route,
    device,
    links,
    record,
    request,
    static_links,
    tap,
)

TWO = links(device("eth0"), device("eth1"), routes=(default_route(link="eth1"),))
KNOWN = ("networkd", "networkmanager")


def test_the_uplink_is_the_one_that_is_named_or_that_the_default_route_leads_over() -> None:
    assert choose_uplink(request(), TWO, None) == "eth1"
    assert choose_uplink(request(uplink="eth0"), TWO, None) == "eth0"


def test_a_bridge_keeps_its_uplink() -> None:
    assert choose_uplink(request(), TWO, record()) == "eth0"
    assert choose_uplink(request(uplink="eth0"), TWO, record()) == "eth0"
    with pytest.raises(RefusedError, match=r"^uplink: br0 has eth0 as its uplink, and the task names eth1\. "):
        choose_uplink(request(uplink="eth1"), TWO, record())


def test_there_is_no_uplink_without_a_default_route() -> None:
    with pytest.raises(RefusedError, match="no default route"):
        choose_uplink(request(), links(device("eth0")), None)


def test_the_interfaces_that_there_are_are_listed() -> None:
    found = links(
        device("eth1"),
        device("eth0"),
        device("lo", is_ethernet=False),
        bridge(),
        tap(),
        device("wg0", kind="wireguard", is_ethernet=False),
        device("d0", kind="dummy"),
    )
    with pytest.raises(InputError, match=r"There are eth0, eth1\.$"):
        choose_uplink(request(uplink="eth7"), found, None)
    with pytest.raises(InputError, match=r"There are none that could be one\.$"):
        choose_uplink(request(uplink="eth7"), links(device("lo", is_ethernet=False)), None)


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (links(device("eth0", wireless=True)), "uplink: eth0 is a Wi-Fi interface"),
        (links(bridge("eth0")), "uplink: eth0 is a bridge already"),
        (links(device("eth0", is_ethernet=False)), "uplink: eth0 is no Ethernet interface (the kernel says so)"),
        *(
            (links(device("eth0", kind=kind)), f"uplink: eth0 is no Ethernet interface ({kind})")
            for kind in ("tun", "wireguard", "vxlan", "gre", "gretap", "ipip", "sit", "dummy", "ifb")
        ),
        *(
            (links(device("eth0", kind=kind, below="eth1")), f"uplink: eth0 is no Ethernet interface ({kind})")
            for kind in ("macvlan", "macvtap", "ipvlan", "ipvtap")
        ),
        (links(device("eth0"), shared=("eth1", "eth0")), "uplink: a route with several next hops leads over eth0, and such a"),
        (links(device("eth0", master="br9"), bridge("br9")), "uplink: eth0 is a port of the bridge br9 already"),
        (links(device("eth0", master="bond0"), device("bond0", kind="bond")), "uplink: eth0 is a port of the bond bond0 already"),
        (links(device("eth0", master="ovs-system"), device("ovs-system")), "uplink: eth0 is a port of ovs-system already"),
        (links(device("eth0", master="vrf9")), "uplink: eth0 is a port of vrf9 already"),
        *(
            (links(device("eth0"), device("mv0", kind=kind, below="eth0")), f"uplink: eth0 carries the {kind} mv0, and")
            for kind in ("macvlan", "macvtap", "ipvlan", "ipvtap")
        ),
    ],
)
def test_an_uplink_that_cannot_be_a_port(found: Links, sentence: str) -> None:
    with pytest.raises(RefusedError) as caught:
        check_uplink(found, "eth0")
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    "found",
    [
        links(device("eth0")),
        *(links(device("eth0", kind=kind)) for kind in ("bond", "team", "veth", "vlan", "virtio_net")),
        # a VLAN gets its frames before the bridge does, and the other end of a veth takes none
        links(device("eth0"), device("eth0.7", kind="vlan", below="eth0"), device("peer", kind="veth", below="eth0")),
        links(device("eth0"), device("mv0", kind="macvlan", below="eth1")),
        links(device("eth0"), device("eth1"), shared=("eth1",)),
    ],
)
def test_an_uplink_that_can_be_a_port(found: Links) -> None:
    check_uplink(found, "eth0")


@pytest.mark.parametrize(
    ("taken", "sentence"),
    [
        ((device("br0", kind="dummy"),), "name: this host has an interface br0 already, and it is no bridge."),
        ((bridge(), device("eth1", master="br0")), "name: the bridge br0 is there already, with the port eth1, and it was not"),
        (
            (bridge("br0", address("192.0.2.99/24")),),
            "name: the bridge br0 is there already, with addresses of its own, and it was not",
        ),
        ((bridge("br0", address("2001:db8::99/64")), tap()), "name: the bridge br0 is there already, with addresses of its own"),
    ],
)
def test_a_name_that_is_taken(taken: tuple[Device, ...], sentence: str) -> None:
    with pytest.raises(RefusedError) as caught:
        check_bridge_name(links(device("eth0"), *taken), "br0", "eth0")
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize("taken", [(), (bridge(),), (bridge("br0", address("fe80::1/64")), tap(), tap("vnet1"))])
def test_a_bridge_with_nothing_but_taps_may_be_taken_over(taken: tuple[Device, ...]) -> None:
    check_bridge_name(links(*static_links().devices.values(), *taken), "br0", "eth0")


def test_the_back_end_is_the_one_that_manages_the_uplink() -> None:
    for manager in KNOWN:
        for named in ("auto", manager):
            assert choose_backend(request(backend=named), [manager], KNOWN, uplink="eth0", record=None) == manager
    assert choose_backend(request(), [], KNOWN, uplink="eth0", record=record()) == "networkd"


@pytest.mark.parametrize(
    ("managers", "named", "sentence"),
    [
        (["networkd", "ifupdown"], "auto", "eth0 is managed by ifupdown and by networkd, and what one of them does the other"),
        ([], "auto", "Nobody manages eth0: neither networkd nor networkmanager has a configuration for it that is in use."),
        (["networkd"], "networkmanager", "backend: eth0 is managed by networkd, not by networkmanager."),
        (["netplan"], "auto", "eth0 is managed by netplan, for which there is no back end yet. There are networkd, networkm"),
        (["ifupdown"], "networkd", "backend: eth0 is managed by ifupdown, not by networkd."),
    ],
)
def test_a_manager_that_cannot_be_used(managers: list[str], named: str, sentence: str) -> None:
    with pytest.raises(NetworkError) as caught:
        choose_backend(request(backend=named), managers, KNOWN, uplink="eth0", record=None)
    assert str(caught.value).startswith(sentence)


def test_a_bridge_keeps_its_back_end() -> None:
    with pytest.raises(RefusedError, match=r"^backend: br0 was made with networkd, and the task names networkmanager\. "):
        choose_backend(request(backend="networkmanager"), [], KNOWN, uplink="eth0", record=record())
