# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What is wrong with networks of each kind, beside those that test_diagnosis.py breaks."""

from __future__ import annotations

from ipaddress import ip_interface, ip_network

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.facts import Facts
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.network_checks import check_network, needs_server
from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import NetworkRecord
from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Host, Link, Route
from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState
from ansible_collections.kvmops.network.plugins.module_utils._network.state import read_state

MACVTAP = "<forward mode='bridge'><interface dev='eth1'/><interface dev='eth2'/></forward>"
OF_THE_HOST = "<forward mode='bridge'/><bridge name='br0'/>"
OPEN_VSWITCH = "<forward mode='bridge'/><bridge name='ovs0'/><virtualport type='openvswitch'/>"
NAT = "<forward mode='nat' dev='eth1'/><bridge name='virbr1'/><ip address='192.168.101.1' prefix='24'/>"
TWO = "<bridge name='virbr1'/><ip address='192.168.101.1' prefix='24'/><ip family='ipv6' address='fd00::1' prefix='64'/>"


def network(content: str, name: str = "lab", *, active: bool = True) -> NetworkState:
    xml = f"<network><name>{name}</name>{content}</network>"
    return read_state(name, NetworkRecord(name, xml, xml if active else None, autostart=True))


def link(name: str, kind: str = "", *addresses: str, up: bool = True) -> Link:
    return Link(name, None, kind, None, False, tuple(ip_interface(address) for address in addresses), up=up)


def sentences(state: NetworkState, *links: Link, others: tuple[NetworkState, ...] = ()) -> list[str]:
    facts = Facts(
        networks={each.name: each for each in (state, *others)},
        host=Host({each.name: each for each in links}),
        servers=frozenset({"lab"}),
    )
    return [finding.sentence for finding in check_network(facts, state)]


UP = [link(name, "veth") for name in ("eth0", "eth1", "eth2")]
OWN = link("virbr1", "bridge", "192.168.101.1/24")


@pytest.mark.parametrize(
    ("content", "links"),
    [
        (MACVTAP, UP),
        (OF_THE_HOST, [link("br0", "bridge")]),
        (OPEN_VSWITCH, [link("ovs0", "openvswitch", up=False)]),
        (OPEN_VSWITCH, []),
        (NAT, [*UP, OWN]),
        (TWO, [link("virbr1", "bridge", "192.168.101.1/24", "fd00::1/64", "fe80::1/64")]),
        ("<bridge name='virbr1'/>", [link("virbr1", "bridge")]),
        # an address with another length is there all the same
        (NAT, [*UP, link("virbr1", "bridge", "192.168.101.1/16")]),
    ],
)
def test_sound_ones(content: str, links: list[Link]) -> None:
    assert sentences(network(content), *links) == []


@pytest.mark.parametrize(
    ("content", "links", "found"),
    [
        (
            MACVTAP,
            [link("eth1", up=False)],
            [
                "The network 'lab' goes out through eth1, which is down; set it up with 'ip link set eth1 up' and in the host's "
                "own configuration.",
                "The network 'lab' goes out through eth2, which is not there; name an interface of this host in its forward.dev.",
            ],
        ),
        (
            NAT,
            [OWN],
            ["The network 'lab' goes out through eth1, which is not there; name an interface of this host in its forward.dev."],
        ),
        (
            OF_THE_HOST,
            [],
            ["The bridge br0 of the network 'lab' is not there; make it with the role kvmops.network.external_bridge."],
        ),
        (
            OF_THE_HOST,
            [link("br0", "bridge", up=False)],
            ["The bridge br0 of the network 'lab' is down; set it up with 'ip link set br0 up'."],
        ),
        (
            TWO,
            [OWN],
            [
                "The bridge virbr1 has lost the address fd00::1/64 of the network 'lab', the guests' gateway; give it back with "
                "'ip addr add fd00::1/64 dev virbr1'."
            ],
        ),
        (
            NAT,
            [*UP, OWN, link("tun0", "tun", "192.168.101.129/25")],
            [
                "The subnet 192.168.101.0/24 of the network 'lab' overlaps with the host's address 192.168.101.129/25 on tun0; "
                "give the network another subnet, or take the other away."
            ],
        ),
    ],
)
def test_what_is_wrong(content: str, links: list[Link], found: list[str]) -> None:
    assert sentences(network(content), *links) == found


def test_a_route_that_only_contains_the_subnet_does_no_harm() -> None:
    state = network(NAT)
    for text, harm in (("192.168.0.0/16", False), ("192.168.101.0/24", True), ("192.168.101.64/26", True)):
        host = Host({each.name: each for each in (*UP, OWN)}, routes=(Route(ip_network(text), "tun0", False, "main"),))
        facts = Facts(networks={"lab": state}, host=host, servers=frozenset({"lab"}))
        assert [finding.about for finding in check_network(facts, state)] == (["subnet_taken"] if harm else [])


def test_networks_that_overlap_matter_where_both_run() -> None:
    other = "<bridge name='virbr2'/><ip address='192.168.101.200' prefix='24'/>"
    assert sentences(network(NAT), *UP, OWN, others=(network(other, "parked", active=False),)) == []
    (found,) = sentences(network(NAT), *UP, OWN, others=(network(other, "twin"),))
    assert found.startswith(
        "The subnet 192.168.101.0/24 of the network 'lab' overlaps with the network 'twin' (192.168.101.0/24); "
    )


def test_a_network_that_does_not_run_has_nothing_else_to_be_wrong() -> None:
    (found,) = sentences(network(NAT, active=False))
    assert found == "The network 'lab' does not run; start it with 'virsh net-start lab'."


@pytest.mark.parametrize(
    ("content", "needed"),
    [
        ("<ip address='192.168.101.1' prefix='24'/>", True),
        ("<dns enable='no'/><ip address='192.168.101.1' prefix='24'/>", False),
        (
            "<dns enable='no'/><ip address='192.168.101.1' prefix='24'>"
            "<dhcp><range start='192.168.101.2' end='192.168.101.3'/></dhcp></ip>",
            True,
        ),
        (
            "<dns enable='no'/><ip address='192.168.101.1' prefix='24'>"
            "<dhcp><host mac='52:54:00:00:00:01' ip='192.168.101.3'/></dhcp></ip>",
            True,
        ),
        ("", False),
        (OF_THE_HOST, False),
        (MACVTAP, False),
    ],
)
def test_which_networks_have_a_dnsmasq(content: str, needed: bool) -> None:
    assert needs_server(network(content).live or {}) is needed
