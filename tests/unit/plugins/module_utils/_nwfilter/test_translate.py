# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Rules in plain words become rules of libvirt that do the same."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._format import document
from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.model import filter_from_xml, render_xml
from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.translate import Local, filter_from_words
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nwfilter.packets import (
    Arp,
    Packet,
    packets,
    passes_by_filter,
    passes_by_words,
    texts,
)

SCHEMA = document.find_schema("nwfilter.rng")
LOCAL = Local(
    (ipaddress.ip_network("192.168.64.0/24"),),
    (ipaddress.ip_address("192.168.64.1"),),
    (ipaddress.ip_address("10.77.0.5"), ipaddress.ip_address("192.168.64.1"), ipaddress.ip_address("fd77::5")),
)
DUAL = Local(
    (ipaddress.ip_network("192.168.64.0/24"), ipaddress.ip_network("fd64::/64")),
    (ipaddress.ip_address("192.168.64.1"), ipaddress.ip_address("fd64::1")),
    (ipaddress.ip_address("10.77.0.5"), ipaddress.ip_address("fd77::5")),
)


@given(st.lists(texts(), max_size=6), packets())
def test_the_first_rule_that_matches_decides(rules: list[str], packet: Packet) -> None:
    definition = filter_from_words("f", rules, None)
    assert passes_by_filter(definition, packet) == passes_by_words(rules, packet)


@given(st.lists(texts(), max_size=6))
def test_each_filter_is_one_of_libvirt_in_normal_form(rules: list[str]) -> None:
    definition = filter_from_words("f", rules, None)
    xml = render_xml(definition)
    assert filter_from_xml(xml) == definition
    assert SCHEMA is not None
    assert document.schema_problems(xml, schema=SCHEMA) == []
    assert [rule.priority for rule in definition.rules] == list(range(1, len(definition.rules) + 1))


@pytest.mark.parametrize("local", [LOCAL, DUAL])
def test_so_is_each_rule_that_stands_alone(local: Local) -> None:
    definition = filter_from_words("f", ["block arp", "pass guests", "block local", "block guests", "pass local"], local)
    xml = render_xml(definition)
    assert filter_from_xml(xml) == definition
    assert SCHEMA is not None
    assert document.schema_problems(xml, schema=SCHEMA) == []


def test_each_filter_has_a_chain_of_its_own_that_libvirt_takes() -> None:
    chains = {filter_from_words(name, [], None).chain for name in ("a", "b", "a-very-long-name-of-a-filter")}
    assert len(chains) == 3
    assert all(chain.startswith("mac-") and len(chain) == 12 for chain in chains)
    assert filter_from_words("a", ["block any"], None).chain == filter_from_words("a", [], None).chain


def test_what_a_rule_becomes() -> None:
    # seed 004-l
    definition = filter_from_words("web", ["block in to port 22", "pass out proto tcp to 10.0.0.0/8 port 80-90"], None)
    rules = [
        (rule.action, rule.direction, rule.protocol, {match.attribute: match.value for match in rule.matches})
        for rule in definition.rules
    ]
    web = {"dstipaddr": "10.0.0.0", "dstipmask": "8", "protocol": "tcp", "dstportstart": "80", "dstportend": "90"}
    found = {"protocol": "icmpv6", "type": "133", "typeend": "137"}
    assert rules == [
        ("return", "in", "ipv6", found),
        ("return", "out", "ipv6", found),
        ("drop", "in", "ip", {"protocol": "tcp", "dstportstart": "22"}),
        ("drop", "in", "ip", {"protocol": "udp", "dstportstart": "22"}),
        ("drop", "in", "ipv6", {"protocol": "tcp", "dstportstart": "22"}),
        ("drop", "in", "ipv6", {"protocol": "udp", "dstportstart": "22"}),
        ("return", "out", "ip", web),
    ]


OWN, PEER, GATEWAY, OUTSIDE, HOST = "192.168.64.7", "192.168.64.9", "192.168.64.1", "198.51.100.1", "10.77.0.5"


# seed 004-k: who can be reached, and what always works
@pytest.mark.parametrize(
    ("packet", "by_local", "by_guests"),
    [
        (Packet("out", OWN, OUTSIDE), True, True),
        (Packet("in", OUTSIDE, OWN), True, True),
        (Packet("out", OWN, PEER, "icmp"), False, False),
        (Packet("in", PEER, OWN, "icmp"), False, False),
        (Packet("out", OWN, "192.168.64.255", "udp"), False, False),
        (Packet("out", OWN, "224.0.0.251", "udp", 5353, 5353), False, False),
        (Packet("out", OWN, "255.255.255.255", "udp", 9999, 9999), False, False),
        (Packet("out", OWN, GATEWAY, "icmp"), False, True),
        (Packet("in", GATEWAY, OWN, "tcp", 40000, 22), False, True),
        (Packet("out", OWN, GATEWAY, "tcp", 40000, 22), False, True),
        (Packet("out", OWN, HOST, "tcp", 40000, 22), False, True),
        (Packet("in", HOST, OWN, "tcp", 22, 40000), False, True),
        (Packet("out", OWN, GATEWAY, "udp", 40000, 53), True, True),
        (Packet("in", GATEWAY, OWN, "udp", 53, 40000), True, True),
        (Packet("out", OWN, GATEWAY, "tcp", 40000, 53), True, True),
        (Packet("in", PEER, OWN, "udp", 53, 40000), False, False),
        (Packet("out", "0.0.0.0", "255.255.255.255", "udp", 68, 67), True, True),
        (Packet("out", OWN, GATEWAY, "udp", 68, 67), True, True),
        (Packet("in", GATEWAY, OWN, "udp", 67, 68), True, True),
        (Packet("in", PEER, OWN, "udp", 67, 68), False, False),
        (Packet("out", OWN, PEER, "udp", 68, 67), False, False),
        # there is no IPv6 on this network but between guests
        (Packet("out", "fe80::7", "fe80::9", "icmpv6"), False, False),
        (Packet("out", "fe80::7", "ff02::1", "icmpv6", kind=134), False, False),
        (Packet("in", "fe80::9", "fe80::7"), False, False),
    ],
)
def test_what_is_local(packet: Packet, by_local: bool, by_guests: bool) -> None:
    assert passes_by_filter(filter_from_words("f", ["block local"], LOCAL), packet) is by_local
    assert passes_by_filter(filter_from_words("f", ["block guests"], LOCAL), packet) is by_guests
    passing = [filter_from_words("f", [f"pass {word}", "block any"], LOCAL) for word in ("local", "guests")]
    if not by_local and packet.version == 4:
        assert passes_by_filter(passing[0], packet)


@pytest.mark.parametrize(
    ("packet", "by_local", "by_guests"),
    [
        (Packet("out", "fd64::7", "2001:db8::1"), True, True),
        (Packet("in", "2001:db8::1", "fd64::7"), True, True),
        (Packet("out", "fd64::7", "fd64::9"), False, False),
        (Packet("in", "fd64::9", "fd64::7"), False, False),
        (Packet("out", "fe80::7", "fe80::9"), False, False),
        (Packet("out", "fd64::7", "ff02::fb", "udp", 5353, 5353), False, False),
        (Packet("out", "fd64::7", "fd64::1", "tcp", 1, 22), False, True),
        (Packet("out", "fd64::7", "fd64::1", "udp", 1, 53), True, True),
        (Packet("out", "fd64::7", "fd77::5", "tcp", 1, 22), False, True),
        (Packet("out", "fe80::7", "ff02::1:2", "udp", 546, 547), True, True),
        (Packet("in", "fe80::1", "fe80::7", "udp", 547, 546), True, True),
        (Packet("out", "fe80::7", "ff02::1:ff00:1", "icmpv6", kind=135), True, True),
        (Packet("in", "fe80::1", "ff02::1", "icmpv6", kind=134), True, True),
        (Packet("out", "fe80::7", "ff02::2", "icmpv6", kind=133), True, True),
        (Packet("out", "fe80::7", "ff02::1", "icmpv6", kind=134), False, False),
    ],
)
def test_what_is_local_with_ipv6(packet: Packet, by_local: bool, by_guests: bool) -> None:
    assert passes_by_filter(filter_from_words("f", ["block local"], DUAL), packet) is by_local
    assert passes_by_filter(filter_from_words("f", ["block guests"], DUAL), packet) is by_guests


@pytest.mark.parametrize(
    ("frame", "passes"),
    [
        (Arp("out", OWN, GATEWAY), True),
        (Arp("in", GATEWAY, OWN), True),
        (Arp("out", OWN, PEER), False),
        (Arp("in", PEER, OWN), False),
        (Arp("in", PEER, GATEWAY), False),
        (Arp("out", OWN, OWN), False),
    ],
)
def test_arp_is_hidden_on_request_only(frame: Arp, passes: bool) -> None:
    assert passes_by_filter(filter_from_words("f", ["block arp", "block any"], LOCAL), frame) is passes
    assert passes_by_filter(filter_from_words("f", ["block local", "block any"], LOCAL), frame)


@pytest.mark.parametrize("kind", [133, 135, 136, 137])
@pytest.mark.parametrize("direction", ["in", "out"])
def test_neighbours_are_always_found(kind: int, direction: str) -> None:
    solicitation = Packet(direction, "fe80::7", "ff02::1:ff00:1", "icmpv6", kind=kind)
    for rules in (["block any"], ["block any proto icmpv6"], ["block in to 10.0.0.1", "block any"]):
        assert passes_by_filter(filter_from_words("f", rules, None), solicitation)
        assert not passes_by_filter(filter_from_words("f", rules, None), solicitation._replace(kind=128)) or "10." in rules[0]


def test_rules_before_those_that_stand_alone_win() -> None:
    definition = filter_from_words("f", [f"pass any from {PEER}", f"pass any to {PEER}", "block local"], LOCAL)
    assert passes_by_filter(definition, Packet("out", OWN, PEER))
    assert passes_by_filter(definition, Packet("in", PEER, OWN))
    assert not passes_by_filter(definition, Packet("out", OWN, "192.168.64.10"))


def test_what_is_local_has_to_be_said() -> None:
    with pytest.raises(InputError) as caught:
        filter_from_words("f", ["block any", "block local"], None)
    assert str(caught.value) == (
        "rules[1]: 'block local' needs to know what is local; give the guests' subnets in local.subnets, such as 192.168.64.0/24."
    )


def test_too_many_rules() -> None:
    rules = [f"block out to 10.0.{number // 250}.{number % 250}" for number in range(1001)]
    assert len(filter_from_words("f", rules[:1000], None).rules) == 1000
    with pytest.raises(InputError) as caught:
        filter_from_words("f", rules, None)
    assert str(caught.value) == (
        "rules: they come to 1001 rules of libvirt, and a filter can have 1000; name subnets instead of addresses."
    )
