# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What `iptables-save` and `nft -j` show is understood, with the rules of libvirt and ufw on Debian 11, 12 and 13.

The fixtures come from hosts with the network default. That with ufw has libvirt's nftables rules, "deny" for all that comes in or
is routed, and SSH allowed. Those with firewalld have the bridge in the zone libvirt, and in the zone drop.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import replace
from ipaddress import ip_network

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.firewall import (
    Chain,
    Match,
    Packet,
    Rule,
    Ruleset,
    Verdict,
)
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.iptables import parse_iptables
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.nftables import parse_nftables
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._connectivity.builders import (
    FIXTURES,
    captured_iptables,
    captured_nftables,
)

OUT = Packet(hook="forward", incoming="virbr0", outgoing="eth0", source="192.168.122.2", protocol="tcp")
STRANGER = Packet(hook="forward", incoming="virbr0", outgoing="eth0", source="10.1.1.1", protocol="tcp")
IN = Packet(hook="forward", incoming="eth0", outgoing="virbr0", destination="192.168.122.2", protocol="tcp")
BACK = Packet(
    hook="forward", incoming="eth0", outgoing="virbr0", destination="192.168.122.2", protocol="tcp", state="established"
)
AMONG = Packet(hook="forward", incoming="virbr0", outgoing="virbr0", protocol="tcp", bridged=True)
DHCP = Packet(hook="input", incoming="virbr0", source="0.0.0.0", protocol="udp", port=67)
SSH = Packet(hook="input", incoming="eth0", protocol="tcp", port=22)
WEB = Packet(hook="input", incoming="eth0", protocol="tcp", port=80)


def test_there_are_fixtures() -> None:
    assert sorted(path.name for path in FIXTURES.iterdir()) == [
        "docker-20.10.iptables-1.8.9.txt",
        "firewalld-bridge-in-zone.nftables-1.1.3.json",
        "firewalld-drop.nftables-1.1.3.json",
        "firewalld-other-zone.nftables-1.1.3.json",
        "firewalld.nftables-1.1.3.json",
        "iptables-backend.ip6tables-1.8.11.txt",
        "iptables-backend.iptables-1.8.11.txt",
        "iptables-backend.iptables-1.8.7.txt",
        "iptables-backend.iptables-1.8.9.txt",
        "iptables-backend.nftables-0.9.8.json",
        "iptables-backend.nftables-1.0.6.json",
        "iptables-backend.nftables-1.1.3.json",
        "nftables-backend.nftables-1.1.3.json",
        "ufw.iptables-1.8.11.txt",
        "ufw.nftables-1.1.3.json",
    ]


def through(chains: list[Chain], packet: Packet) -> bool:
    return Ruleset(chains).find_block(packet) is None


@pytest.mark.parametrize("version", ["1.8.7", "1.8.9", "1.8.11"])
def test_libvirts_rules_by_iptables(version: str) -> None:
    chains = captured_iptables(f"iptables-backend.iptables-{version}.txt")
    assert {packet: through(chains, packet) for packet in (OUT, BACK, AMONG, DHCP, IN, STRANGER)} == {
        **dict.fromkeys((OUT, BACK, AMONG, DHCP), True),
        **dict.fromkeys((IN, STRANGER), False),
    }
    # with a policy of "drop", what libvirt's rules let through still gets through
    strict = [replace(chain, policy="drop") if chain.hook and chain.table == "filter" else chain for chain in chains]
    assert all(through(strict, packet) for packet in (OUT, BACK, AMONG, DHCP))
    assert not through(strict, SSH)


@pytest.mark.parametrize(
    "name",
    [*(f"iptables-backend.nftables-{v}.json" for v in ("0.9.8", "1.0.6", "1.1.3")), "nftables-backend.nftables-1.1.3.json"],
)
def test_libvirts_rules_by_nft(name: str) -> None:
    chains = captured_nftables(name)
    assert all(through(chains, packet) for packet in (OUT, BACK, AMONG, DHCP))
    # what is iptables' own is not understood by nft alone, and nothing is said that is not sure
    own = name.startswith("iptables-backend")
    assert through(chains, IN) is own
    assert through(chains, STRANGER) is (own and "0.9.8" in name)  # before 1.0 a refusal is not understood either


def test_ufw_by_iptables() -> None:
    chains = captured_iptables("ufw.iptables-1.8.11.txt")
    assert {packet: through(chains, packet) for packet in (SSH, BACK, OUT, DHCP, WEB)} == {
        **dict.fromkeys((SSH, BACK), True),
        **dict.fromkeys((OUT, DHCP, WEB), False),
    }
    block = Ruleset(chains).find_block(OUT)
    assert block is not None
    assert (block.chain.name, block.by_policy) == ("FORWARD", True)
    # some ICMP is let through, so that a ping proves nothing
    assert through(chains, Packet(hook="forward", incoming="virbr0", outgoing="eth0", protocol="icmp"))


def test_ufw_by_nft_alone() -> None:
    chains = captured_nftables("ufw.nftables-1.1.3.json")
    assert {chain.table for chain in chains} == {"filter", "libvirt_network"}
    assert through(chains, OUT)


def test_firewalld_with_the_bridge_in_a_zone_that_drops_everything() -> None:
    sound, broken = (captured_nftables(f"firewalld{zone}.nftables-1.1.3.json") for zone in ("", "-drop"))
    assert all(through(sound, packet) for packet in (OUT, BACK, DHCP))
    assert {packet: through(broken, packet) for packet in (OUT, DHCP, BACK)} == {OUT: False, DHCP: False, BACK: True}


# --- single rules -------------------------------------------------------------------------------------------------------------


def iptables_rule(text: str) -> Rule:
    lines = f"*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD {text}\nCOMMIT\n"
    return next(chain for chain in parse_iptables(lines, "ip") if chain.name == "FORWARD").rules[0]


NET = ip_network("192.168.122.0/24")


@pytest.mark.parametrize(
    ("text", "matches", "verdict"),
    [
        ("-i virbr0 -j ACCEPT", [Match("incoming", ("virbr0",))], "accept"),
        ("! -i virbr+ -j REJECT --reject-with icmp-port-unreachable", [Match("incoming", ("virbr*",), True)], "drop"),
        (
            "-s 192.168.122.0/24 ! -d 192.168.122.0/24 -j RETURN",
            [Match("source", (NET,)), Match("destination", (NET,), True)],
            "return",
        ),
        ("-p udp -m udp --dport 67:68 -j DROP", [Match("protocol", ("udp",)), Match("port", ((67, 68),))], "drop"),
        (
            "-p tcp -m multiport --dports 22,80:90 -j DROP",
            [Match("protocol", ("tcp",)), Match("port", ((22, 22), (80, 90)))],
            "drop",
        ),
        ("-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", [Match("state", ("related", "established"))], "accept"),
        ("-m physdev --physdev-is-bridged -j ACCEPT", [Match("bridged", (True,))], "accept"),
        ("-m physdev ! --physdev-is-bridged -j ACCEPT", [Match("bridged", (True,), True)], "accept"),
        ('-m comment --comment "-j DROP ! it" -j ACCEPT', [], "accept"),
        ("-m set --match-set docker-ext dst -j ACCEPT", [Match("anything"), Match("anything")], "accept"),
        ("-m addrtype --dst-type LOCAL -j RETURN", [Match("anything"), Match("anything")], "return"),
        ("-m conntrack --ctstatus DNAT -j ACCEPT", [Match("translated", ("dnat",))], "accept"),
        ("-m conntrack --ctstatus CONFIRMED -j ACCEPT", [Match("anything")], "accept"),
        ("-p icmp -m icmp --icmp-type 8 -j ACCEPT", [Match("protocol", ("icmp",)), Match("anything")], "accept"),
        ("-p 47 -j ACCEPT", [Match("anything")], "accept"),
        ("-s 10.0.0.0/255.0.255.0 -j DROP", [Match("anything")], "drop"),
        ("-j LIBVIRT_FWO", [], "jump"),
        ("-g elsewhere", [], "goto"),
        ('-j LOG --log-prefix "[UFW BLOCK] "', [], "jump"),
        ("-i virbr0", [Match("incoming", ("virbr0",))], "none"),
        ("-j MASQUERADE --to-ports 1024-65535", [], "translate"),
    ],
)
def test_a_rule_of_iptables(text: str, matches: list[Match], verdict: str) -> None:
    found = iptables_rule(text)
    assert list(found.matches) == matches
    assert found.verdict.kind == verdict


def test_hooks_and_priorities_of_iptables() -> None:
    text = "*nat\n:POSTROUTING ACCEPT [0:0]\n:own - [0:0]\nCOMMIT\n*filter\n:INPUT DROP [1:2]\nCOMMIT\n"
    assert [(chain.table, chain.name, chain.hook, chain.priority, chain.policy) for chain in parse_iptables(text, "ip")] == [
        ("nat", "POSTROUTING", "postrouting", 100, "accept"),
        ("nat", "own", "", -100, "accept"),
        ("filter", "INPUT", "input", 0, "drop"),
    ]
    assert parse_iptables("", "ip") == []


def nft_rule(*expressions: dict[str, t.Any]) -> Rule:
    place = {"family": "inet", "table": "own"}
    answer = {
        "nftables": [
            {"metainfo": {"version": "1.1.3"}},
            {"table": {"family": "inet", "name": "own"}},
            {"chain": {**place, "name": "forward", "type": "filter", "hook": "forward", "prio": 0, "policy": "drop"}},
            {"rule": {**place, "chain": "forward", "expr": list(expressions)}},
            {"chain": {"family": "bridge", "table": "own", "name": "forward", "hook": "forward", "policy": "drop"}},
        ]
    }
    (chain,) = parse_nftables(answer)
    assert (chain.family, chain.hook, chain.policy) == ("inet", "forward", "drop")
    return chain.rules[0]


def equal(left: dict[str, t.Any], right: t.Any, op: str = "==") -> dict[str, t.Any]:
    return {"match": {"op": op, "left": left, "right": right}}


def payload(protocol: str, field: str) -> dict[str, t.Any]:
    return {"payload": {"protocol": protocol, "field": field}}


IP = Match("family", ("ip",))
IIFNAME, STATE = {"meta": {"key": "iifname"}}, {"ct": {"key": "state"}}


@pytest.mark.parametrize(
    ("expressions", "matches", "verdict"),
    [
        ([equal(IIFNAME, "virbr0"), {"counter": {"packets": 1}}, {"accept": None}], [Match("incoming", ("virbr0",))], "accept"),
        ([equal(IIFNAME, "virbr*", "!="), {"drop": None}], [Match("incoming", ("virbr*",), True)], "drop"),
        (
            [equal({"meta": {"key": "oif"}}, {"set": ["a", "b"]}), {"reject": {"type": "icmpx"}}],
            [Match("outgoing", ("a", "b"))],
            "drop",
        ),
        ([equal({"meta": {"key": "nfproto"}}, "ipv6"), {"accept": None}], [Match("family", ("ip6",))], "accept"),
        ([equal(payload("ip", "saddr"), "192.168.122.9")], [IP, Match("source", (ip_network("192.168.122.9/32"),))], "none"),
        (
            [equal(payload("ip", "daddr"), {"prefix": {"addr": "192.168.122.0", "len": 24}})],
            [IP, Match("destination", (NET,))],
            "none",
        ),
        ([equal(payload("ip", "daddr"), {"range": ["10.0.0.1", "10.0.0.9"]})], [IP, Match("anything")], "none"),
        ([equal(payload("ip", "saddr"), "@guests")], [IP, Match("anything")], "none"),
        ([equal(payload("ip6", "hoplimit"), 1)], [Match("family", ("ip6",)), Match("anything")], "none"),
        ([equal(payload("icmpv6", "type"), "echo-request")], [Match("protocol", ("icmp",)), Match("anything")], "none"),
        ([equal({"ct": {"key": "status"}}, "dnat", "in")], [Match("translated", ("dnat",))], "none"),
        ([equal({"ct": {"key": "status"}}, "confirmed", "in")], [Match("anything")], "none"),
        ([equal(payload("udp", "dport"), 67)], [Match("protocol", ("udp",)), Match("port", ((67, 67),))], "none"),
        ([equal(payload("th", "dport"), {"set": [22, {"range": [80, 90]}]})], [Match("port", ((22, 22), (80, 90)))], "none"),
        ([equal(payload("tcp", "sport"), 22)], [Match("protocol", ("tcp",)), Match("source_port", ((22, 22),))], "none"),
        ([equal(STATE, ["established", "related"], "in")], [Match("state", ("established", "related"))], "none"),
        ([equal({"meta": {"key": "mark"}}, 5)], [Match("anything")], "none"),
        ([equal({"&": [{"meta": {"key": "mark"}}, 255]}, 5)], [Match("anything")], "none"),
        ([equal({"meta": {"key": "iif"}}, 5)], [Match("anything")], "none"),
        ([{"xt": None}, {"accept": None}], [Match("anything")], "accept"),
        ([{"xt": {"type": "match", "name": "addrtype"}}, {"drop": None}], [Match("anything")], "drop"),
        ([{"xt": {"type": "target", "name": "LOG"}}], [], "none"),
        ([{"xt": {"type": "target", "name": "REJECT"}}], [], "drop"),
        ([{"limit": {"rate": 3}}, {"drop": None}], [Match("anything")], "drop"),
        ([{"vmap": {"key": IIFNAME, "data": {"set": []}}}], [], "any"),
        ([{"jump": {"target": "own"}}], [], "jump"),
        ([{"goto": {"target": "own"}}], [], "goto"),
        ([{"return": None}], [], "return"),
        ([{"masquerade": {"port": {"range": [1024, 65535]}}}], [], "translate"),
        ([{"log": {"prefix": "x"}}], [], "none"),
    ],
)
def test_a_rule_of_nft(expressions: list[dict[str, t.Any]], matches: list[Match], verdict: str) -> None:
    found = nft_rule(*expressions)
    assert list(found.matches) == matches
    assert found.verdict.kind == verdict


def test_an_empty_answer_of_nft() -> None:
    assert parse_nftables({}) == []
    assert parse_nftables(json.loads('{"nftables": [{"metainfo": {}}]}')) == []


def test_the_captured_rules_say_what_libvirt_wrote() -> None:
    output = next(chain for chain in captured_nftables() if chain.place == ("ip", "libvirt_network", "guest_output"))
    assert output.rules == (
        Rule((IP, Match("source", (NET,)), Match("incoming", ("virbr0",))), Verdict("accept")),
        Rule((Match("incoming", ("virbr0",)),), Verdict("drop")),
    )
