# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The texts for nft and iptables-restore."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._forward.forward import Forward
from ansible_collections.kvmops.network.plugins.module_utils._forward.ports import Ports
from ansible_collections.kvmops.network.plugins.module_utils._forward.rules import make_rules
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._forward.builders import forward, forward6
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._forward.strategies import sets_of_forwards

ON_LAB = {"network": "lab", "bridge": "virbr7", "subnet": "10.7.0.0/16", "address": "10.7.0.5", "method": "open"}


def chain(text: str, name: str) -> list[str]:
    """Return the lines of a chain."""
    found = re.search(rf"\tchain {name} {{\n(.*?)\t}}", text, re.DOTALL)
    return [line.strip() for line in found[1].splitlines()] if found is not None else []


def test_the_whole_of_one() -> None:
    rules = make_rules([forward(guest_ports="80")])
    assert (
        rules.table().expandtabs(4)
        == f"""\
add table inet kvmops_port_forwards
delete table inet kvmops_port_forwards
table inet kvmops_port_forwards {{
    chain revision_{rules.revision} {{
    }}

    chain guard {{
        type filter hook prerouting priority -300; policy accept;
        iifname "virbr0" ip saddr 127.0.0.0/8 drop comment "loopback"
        iifname "virbr0" ip daddr 127.0.0.0/8 drop comment "loopback"
    }}

    chain to_guests {{
        meta nfproto ipv4 fib daddr type local tcp dport 8080 dnat ip to 192.168.122.10:80 comment "web"
    }}

    chain prerouting {{
        type nat hook prerouting priority -100; policy accept;
        jump to_guests comment "all"
    }}

    chain output {{
        type nat hook output priority -100; policy accept;
        jump to_guests comment "all"
    }}

    chain postrouting {{
        type nat hook postrouting priority 100; policy accept;
        oifname "virbr0" ct status dnat ip saddr {{ 127.0.0.0/8, 192.168.122.0/24 }} masquerade comment "near"
    }}
}}
"""
    )
    assert (
        rules.iptables("ip")
        == """\
*filter
:kvmops_port_forwards - [0:0]
-A kvmops_port_forwards -d 192.168.122.10/32 -p tcp --dport 80 -m conntrack --ctstate DNAT -j ACCEPT
-A kvmops_port_forwards -s 192.168.122.10/32 -p tcp --sport 80 -m conntrack --ctstate DNAT -j ACCEPT
COMMIT
"""
    )
    assert rules.to_json() == {
        "revision": rules.revision,
        "own": [
            ["guard", "loopback"],
            ["guard", "loopback"],
            ["to_guests", "web"],
            ["prerouting", "all"],
            ["output", "all"],
            ["postrouting", "near"],
        ],
        "passing": {
            "ip": [
                "ct status dnat ip daddr 192.168.122.10 tcp dport 80",
                "ct status dnat ip saddr 192.168.122.10 tcp sport 80",
            ]
        },
        "bridges": ["virbr0"],
    }


LOCAL4, LOCAL6 = "meta nfproto ipv4 fib daddr type local", "meta nfproto ipv6 fib daddr type local"


@pytest.mark.parametrize(
    ("found", "lines"),
    [
        (forward(), [f"{LOCAL4} tcp dport 8080 dnat ip to 192.168.122.10"]),
        (forward(host_address="203.0.113.4"), ["ip daddr 203.0.113.4 tcp dport 8080 dnat ip to 192.168.122.10"]),
        (forward(guest_ports="80"), [f"{LOCAL4} tcp dport 8080 dnat ip to 192.168.122.10:80"]),
        (forward(host_ports="80-89", protocols=("udp",)), [f"{LOCAL4} udp dport 80-89 dnat ip to 192.168.122.10"]),
        (
            forward(host_ports="80-81", guest_ports="8000-8001", protocols=("tcp", "udp")),
            [
                f"{LOCAL4} {protocol} dport 80-81 dnat ip to 192.168.122.10 : {protocol} dport map {{ 80 : 8000, 81 : 8001 }}"
                for protocol in ("tcp", "udp")
            ],
        ),
        (forward6(), [f"{LOCAL6} tcp dport 8080 dnat ip6 to fd00:7a::10"]),
        (forward6(guest_ports="80"), [f"{LOCAL6} tcp dport 8080 dnat ip6 to [fd00:7a::10]:80"]),
        (
            forward6(host_address="2001:db8::4", host_ports="80-81", guest_ports="90-91"),
            ["ip6 daddr 2001:db8::4 tcp dport 80-81 dnat ip6 to fd00:7a::10 : tcp dport map { 80 : 90, 81 : 91 }"],
        ),
        (forward(method="proxy"), []),
    ],
)
def test_ways_to_guests(found: Forward, lines: list[str]) -> None:
    assert chain(make_rules([found]).table(), "to_guests") == [f'{line} comment "{found.name}"' for line in lines]


@pytest.mark.parametrize(
    ("found", "guarded", "sources"),
    [
        (forward(), True, "ip saddr { 127.0.0.0/8, 192.168.122.0/24 }"),
        (forward(host_address="127.0.0.1"), True, "ip saddr { 127.0.0.0/8, 192.168.122.0/24 }"),
        (forward(host_address="203.0.113.4"), False, "ip saddr 192.168.122.0/24"),
        (forward6(), False, "ip6 saddr fd00:7a::/64"),
    ],
)
def test_loopback_is_guarded_where_it_is_routed(found: Forward, guarded: bool, sources: str) -> None:
    rules = make_rules([found])
    assert rules.bridges == (("virbr0",) if guarded else ())
    assert len(chain(rules.table(), "guard")) == (3 if guarded else 0)
    assert chain(rules.table(), "postrouting")[1:] == [f'oifname "virbr0" ct status dnat {sources} masquerade comment "near"']


def test_a_network_of_mode_open_gets_what_libvirt_makes_for_nat() -> None:
    rules = make_rules([forward(**ON_LAB), forward("ssh", "22", **{**ON_LAB, "method": "rules"}), forward("other")])
    table = rules.table()
    assert chain(table, "forward") == [
        "type filter hook forward priority 0; policy accept;",
        'ct status dnat ip daddr 10.7.0.5 tcp dport 22 accept comment "ssh"',
        'ct status dnat ip saddr 10.7.0.5 tcp sport 22 accept comment "ssh"',
        'ct status dnat ip daddr 10.7.0.5 tcp dport 8080 accept comment "web"',
        'ct status dnat ip saddr 10.7.0.5 tcp sport 8080 accept comment "web"',
        'iifname "virbr7" oifname "virbr7" ip saddr 10.7.0.0/16 accept comment "bridge virbr7"',
        'oifname "virbr7" ip daddr 10.7.0.0/16 ct state established,related accept comment "bridge virbr7"',
        'iifname "virbr7" ip saddr 10.7.0.0/16 accept comment "bridge virbr7"',
        'meta nfproto ipv4 oifname "virbr7" reject comment "bridge virbr7"',
        'meta nfproto ipv4 iifname "virbr7" reject comment "bridge virbr7"',
    ]
    assert chain(table, "postrouting")[-1] == (
        'ip saddr 10.7.0.0/16 ip daddr != { 224.0.0.0/4, 10.7.0.0/16 } oifname != "virbr7" masquerade comment "bridge virbr7"'
    )
    assert rules.iptables("ip").splitlines()[-3:-1] == [
        "-A kvmops_port_forwards -i virbr7 -s 10.7.0.0/16 -j ACCEPT",
        "-A kvmops_port_forwards -o virbr7 -d 10.7.0.0/16 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    ]


def test_nothing_is_rejected_without_a_forward_that_says_so() -> None:
    assert chain(make_rules([forward(**{**ON_LAB, "method": "rules"})]).table(), "forward") == []


def test_none() -> None:
    rules = make_rules([forward(method="proxy")])
    assert (rules.own, rules.passing, rules.bridges) == ((), {}, ())


# --- what holds for all --------------------------------------------------------------------------------------------------------

TOKEN = r"[a-z0-9_:./,;=!{}\[\]-]+"
LINE = re.compile(
    rf'\t\t(?:type [a-z]+ hook [a-z]+ priority -?\d+; policy accept;|(?:{TOKEN}|"[A-Za-z0-9_.-]+")'
    rf'(?: (?:{TOKEN}|"[A-Za-z0-9_.-]+"))* comment "[A-Za-z0-9][A-Za-z0-9_. -]*")'
)


@given(sets_of_forwards())
def test_nothing_breaks_out_of_its_place(found: dict[str, Forward]) -> None:
    text = make_rules(found.values()).table()
    assert text.count("{") == text.count("}")
    depth = 0
    for line in text.splitlines()[2:]:
        assert line.count('"') % 2 == 0
        if depth == 2 and line != "\t}":
            assert LINE.fullmatch(line), line
            assert line.count("{") == line.count("}")
        depth += line.count("{") - line.count("}")
        assert depth in (0, 1, 2)
    assert depth == 0


@given(sets_of_forwards())
def test_each_forward_is_there_once_for_each_protocol(found: dict[str, Forward]) -> None:
    lines = chain(make_rules(found.values()).table(), "to_guests")
    expected = sorted((each.name, protocol) for each in found.values() if each.by_rules for protocol in each.protocols)
    parsed = [re.fullmatch(r'.* (tcp|udp) dport ([0-9-]+) dnat ip6? to .* comment "([^"]*)"', f"{line}") for line in lines]
    assert sorted((match[3], match[1]) for match in parsed if match) == expected
    assert len(lines) == len(expected)
    for match in parsed:
        assert match is not None
        assert match[2] == str(found[match[3]].host_ports)


@given(sets_of_forwards())
def test_each_forward_passes_both_ways_in_both_tools(found: dict[str, Forward]) -> None:
    rules = make_rules(found.values())
    for family, version in (("ip", 4), ("ip6", 6)):
        expected = [each for each in found.values() if each.by_rules and each.version == version]
        assert (family in rules.passing) is bool(expected)
        for each in expected:
            for protocol in each.protocols:
                ports, length = str(each.guest_ports), {4: 32, 6: 128}[version]
                there = f"ct status dnat {family} daddr {each.address} {protocol} dport {ports}"
                back = f"ct status dnat {family} saddr {each.address} {protocol} sport {ports}"
                assert {there, back} <= {nft for nft, _iptables in rules.passing[family]}
                numbers = ports.replace("-", ":")
                for line in (
                    f"-d {each.address}/{length} -p {protocol} --dport {numbers} -m conntrack --ctstate DNAT -j ACCEPT",
                    f"-s {each.address}/{length} -p {protocol} --sport {numbers} -m conntrack --ctstate DNAT -j ACCEPT",
                ):
                    assert f"-A kvmops_port_forwards {line}\n" in rules.iptables(family)


@given(sets_of_forwards(), st.randoms())
def test_the_order_makes_no_difference(found: dict[str, Forward], random: Random) -> None:
    shuffled = list(found.values())
    random.shuffle(shuffled)
    one, other = make_rules(found.values()), make_rules(shuffled)
    assert one == other
    assert (one.revision, one.table(), one.to_json()) == (other.revision, other.table(), other.to_json())


@given(sets_of_forwards(), sets_of_forwards(most=2))
def test_the_revision_tells_one_set_of_rules_from_another(found: dict[str, Forward], more: dict[str, Forward]) -> None:
    one, other = make_rules(found.values()), make_rules({**found, **more}.values())
    assert (one.revision == other.revision) is (one == other)
    # the keeper sees no more of the rules than this
    assert re.fullmatch(r"[0-9a-f]{12}", one.revision)
    assert f"\tchain revision_{one.revision} {{" in one.table()
    assert json.loads(json.dumps(one.to_json())) == one.to_json()


@pytest.mark.parametrize(
    "changes",
    [
        {"host_ports": Ports(8081, 8081)},
        {"guest_ports": Ports(81, 81)},
        {"protocols": ("tcp", "udp")},
        {"host_address": "203.0.113.4"},
        {"address": "192.168.122.11"},
        {"bridge": "virbr1"},
        {"subnet": "192.168.0.0/16"},
        {"name": "web2"},
        {"method": "open"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_the_revision_changes_with_whatever_is_in_a_rule(changes: dict[str, object]) -> None:
    assert make_rules([replace(forward(), **changes)]).revision != make_rules([forward()]).revision


@pytest.mark.parametrize("changes", [{"domain": ""}, {"domain": "other"}, {"network": "other"}])
def test_and_with_nothing_else(changes: dict[str, str]) -> None:
    assert make_rules([replace(forward(), **changes)]).revision == make_rules([forward()]).revision
