# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Whom the firewall silences on a bridge, as real firewalls have it, and what is said about it."""

from __future__ import annotations

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.bridged import (
    find_silence,
    say_silence,
    silence_finding,
)
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.firewall import Chain, Ruleset
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.iptables import parse_iptables
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._connectivity.builders import (
    captured_iptables,
    captured_nftables,
    strict,
)

FILTERED = {4: True, 6: True}
DOCKER = "docker-20.10.iptables-1.8.9.txt"
UFW = "ufw.iptables-1.8.11.txt"
PASS = "-A FORWARD -i br0 -o br0 -j ACCEPT"


def forward(*rules: str, policy: str = "ACCEPT") -> list[Chain]:
    return parse_iptables("\n".join(["*filter", f":FORWARD {policy} [0:0]", *rules, "COMMIT"]), "ip")


def silenced(chains: list[Chain], filters: dict[int, bool] | None = None, bridge: str = "br0") -> list[tuple[str, str]]:
    found = find_silence(Ruleset(chains), FILTERED if filters is None else filters, bridge)
    return [(silence.family, silence.chain.table) for silence in found]


@pytest.mark.parametrize("name", [DOCKER, UFW])
def test_docker_and_ufw_silence_guests(name: str) -> None:
    assert silenced(captured_iptables(name)) == [("ip", "filter")]


@pytest.mark.parametrize("name", [DOCKER, UFW])
def test_a_rule_at_the_head_lets_them_pass(name: str) -> None:
    (first, *rest) = [chain for chain in captured_iptables(name) if chain.name == "FORWARD"]
    assert rest == []
    head = forward(PASS)[0].rules
    chains = [chain for chain in captured_iptables(name) if chain.name != "FORWARD"]
    assert silenced([*chains, Chain(**{**vars(first), "rules": (*head, *first.rules)})]) == []
    # which is about no other bridge
    assert silenced([*chains, Chain(**{**vars(first), "rules": (*head, *first.rules)})], bridge="br1") == [("ip", "filter")]


def test_firewalld_silences_those_on_a_bridge_in_no_zone() -> None:
    assert silenced(captured_nftables("firewalld-other-zone.nftables-1.1.3.json")) == [("ip", "firewalld"), ("ip6", "firewalld")]
    assert silenced(captured_nftables("firewalld-bridge-in-zone.nftables-1.1.3.json")) == []


@pytest.mark.parametrize(
    ("filters", "families"),
    [
        ({4: True, 6: True}, ["ip", "ip6"]),
        ({4: True, 6: False}, ["ip"]),
        ({6: True}, ["ip6"]),
        ({4: False, 6: False}, []),
        ({}, []),
    ],
)
def test_only_what_the_firewall_gets_to_see(filters: dict[int, bool], families: list[str]) -> None:
    assert [family for family, _table in silenced([strict("forward")], filters)] == families


@pytest.mark.parametrize(
    ("chains", "lost"),
    [
        (forward(policy="DROP"), True),
        (forward("-A FORWARD -j REJECT --reject-with icmp-host-prohibited"), True),
        (forward("-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "-A FORWARD -j DROP"), True),
        (forward("-A FORWARD -p icmp -j ACCEPT", policy="DROP"), True),
        # a DHCP client is not helped by what passes otherwise
        (forward("-A FORWARD -p tcp -j ACCEPT", policy="DROP"), True),
        (forward(PASS, policy="DROP"), False),
        (forward("-A FORWARD -m physdev --physdev-is-bridged -j ACCEPT", policy="DROP"), False),
        (forward("-A FORWARD -i br0 -j ACCEPT", "-A FORWARD -j REJECT"), False),
        # perhaps
        (forward("-A FORWARD -m mark --mark 0x1 -j ACCEPT", policy="DROP"), False),
        # somebody's wish
        (forward("-A FORWARD -i br0 -o br0 -j DROP"), False),
        (forward("-A FORWARD -m physdev --physdev-is-bridged -j DROP"), False),
        (forward("-A FORWARD -p udp -m udp --dport 67 -i br0 -j DROP"), False),
        ([], False),
    ],
)
def test_what_nobody_lets_through_is_lost_and_what_somebody_forbids_is_wanted(chains: list[Chain], lost: bool) -> None:
    assert silenced(chains) == ([("ip", "filter")] if lost else [])


def test_a_bridge_of_libvirts_own_has_its_dhcp_server_on_the_host() -> None:
    chains = forward("-A FORWARD -p tcp -j ACCEPT", policy="DROP")
    assert list(find_silence(Ruleset(chains), FILTERED, "virbr0", own=True)) == []
    assert list(find_silence(Ruleset([strict("forward")]), FILTERED, "virbr0", families=["ip6"], own=True)) != []


def test_the_sentence() -> None:
    ruleset = Ruleset(captured_iptables(DOCKER))
    found = list(find_silence(ruleset, FILTERED, "br0"))
    assert silence_finding(ruleset, "filter", found).sentence == (
        "The firewall's table filter (Docker) drops what guests on the bridge 'br0' send and get over it "
        "(net.bridge.bridge-nf-call-iptables is 1); let it pass with the role kvmops.network.host_firewall (bridged: true for "
        "the bridge 'br0'), or, where neither Docker nor Kubernetes runs, keep frames on bridges out of the firewall with "
        "host_firewall_bridge_filtering: disabled of the role kvmops.network.host_firewall."
    )


def test_several_bridges() -> None:
    ruleset = Ruleset([strict("forward")])
    found = [silence for name in ("br0", "br1") for silence in find_silence(ruleset, {4: True}, name)]
    assert say_silence(found) == [
        "what guests on the bridges 'br0' and 'br1' send and get over them (net.bridge.bridge-nf-call-iptables is 1)"
    ]
    assert say_silence([]) == []
