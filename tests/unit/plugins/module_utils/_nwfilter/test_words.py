# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Rules in plain words: what they say, and what is said of those that are none."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.words import End, Sentence, parse_rule

BOTH = ("in", "out")


def net(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(text)


# seed 004-l: the first nine are Anka's own examples
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("block out to 1.1.1.1 from any", Sentence(False, directions=("out",), target=End(net("1.1.1.1")))),
        ("block out to 1.1.1.1 port 53", Sentence(False, directions=("out",), target=End(net("1.1.1.1"), (53, 53)))),
        ("block in to port 22", Sentence(False, directions=("in",), target=End(None, (22, 22)))),
        ("block out from port 68 to port 67", Sentence(False, "", ("out",), End(None, (68, 68)), End(None, (67, 67)))),
        ("block in from any port 67 to any port 68", Sentence(False, "", ("in",), End(None, (67, 67)), End(None, (68, 68)))),
        ("block any from port 67 to port 68", Sentence(False, "", BOTH, End(None, (67, 67)), End(None, (68, 68)))),
        ("block any", Sentence(False, directions=BOTH)),
        ("block local", Sentence(False, special="local")),
        ("pass out from all", Sentence(True, directions=("out",))),
        ("pass in from 10.20.30.40", Sentence(True, directions=("in",), source=End(net("10.20.30.40")))),
        ("pass in", Sentence(True, directions=("in",))),
        ("block in port 22", Sentence(False, directions=("in",), target=End(None, (22, 22)))),
        ("PASS  Out\tTO 2001:DB8::/32 Proto TCP", Sentence(True, "", ("out",), End(), End(net("2001:db8::/32")), "tcp")),
        ("pass any proto udp port 8000-8080", Sentence(True, "", BOTH, End(), End(None, (8000, 8080)), "udp")),
        ("block out to 0.0.0.0/0", Sentence(False, directions=("out",))),
        ("block guests", Sentence(False, special="guests")),
        ("pass guests", Sentence(True, special="guests")),
        ("block arp", Sentence(False, special="arp")),
    ],
)
def test_what_rules_say(text: str, sentence: Sentence) -> None:
    assert parse_rule(text, label="rules[0]") == sentence


ADDRESS = "any, an address such as 198.51.100.7, or a subnet such as 198.51.100.0/24"
PORT = "a port from 1 to 65535, or two with a hyphen between them, the lower one first"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", " ends where pass or block should follow; add it."),
        ("   ", " ends where pass or block should follow; add it."),
        ("deny any", ": 'deny', its word 1, cannot be there; write pass or block."),
        ("# block any", ": '#', its word 1, cannot be there; write pass or block."),
        ("block", " ends where in, out or any, or one of local, guests, arp should follow; add it."),
        ("block sideways", ": 'sideways', its word 2, cannot be there; write in, out or any, or one of local, guests, arp."),
        ("block local now", ": 'now', its word 3, cannot be there; write nothing behind 'local'."),
        ("pass arp", " says nothing: ARP passes unless it is blocked; leave the rule out."),
        ("block in quick", ": 'quick', its word 3, cannot be there; write from, to, port or proto."),
        ("block in to", f" ends where {ADDRESS} should follow; add it."),
        ("block in to from any", ": 'from', its word 4, cannot be there; write an address or a port behind 'to'."),
        ("block in to 1.1.1.300", f": '1.1.1.300', its word 4, cannot be there; write {ADDRESS}."),
        ("block in to example.org", f": 'example.org', its word 4, cannot be there; write {ADDRESS}."),
        ("block in to fe80::1%eth0", f": 'fe80::1%eth0', its word 4, cannot be there; write {ADDRESS}."),
        (
            "block in to 10.0.0.1/24",
            ": '10.0.0.1/24', its word 4, cannot be there; write 10.0.0.0/24 for the subnet, or the address alone.",
        ),
        ("block in to any port", f" ends where {PORT} should follow; add it."),
        ("block in to any port 0", f": '0', its word 6, cannot be there; write {PORT}."),
        ("block in to any port 65536", f": '65536', its word 6, cannot be there; write {PORT}."),
        ("block in to any port 99-22", f": '99-22', its word 6, cannot be there; write {PORT}."),
        ("block in to any port ssh", f": 'ssh', its word 6, cannot be there; write {PORT}."),
        ("block in to any to any", ": 'to', its word 5, cannot be there; write only one 'to'."),
        ("block in to any port 1 port 2", ": 'port', its word 7, cannot be there; write the port behind its address."),
        ("block in proto tcp proto udp", ": 'proto', its word 5, cannot be there; write only one 'proto'."),
        ("block in proto", " ends where one of tcp, udp, sctp, icmp, icmpv6 should follow; add it."),
        ("block in proto ospf", ": 'ospf', its word 4, cannot be there; write one of tcp, udp, sctp, icmp, icmpv6."),
        (
            "block in from 10.0.0.1 to fd00::1",
            " has addresses of IPv4 and of IPv6, and no packet has both; write a rule for each.",
        ),
        (
            "block in from fd00::1 proto icmp",
            " has addresses of IPv6, which has no icmp; correct the addresses or the protocol.",
        ),
        (
            "block in from 10.0.0.1 proto icmpv6",
            " has addresses of IPv4, which has no icmpv6; correct the addresses or the protocol.",
        ),
        ("block in port 1 proto icmp", " has ports, and icmp has none; leave them out, or say proto tcp or proto udp."),
    ],
)
def test_what_is_no_rule(text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_rule(text, label="rules[3]")
    assert str(caught.value) == f"rules[3]: '{text}'{said}"


WORDS = "pass block in out any from to port proto tcp 22 1-9 10.0.0.1 fd00::/8 local % '"


@given(st.lists(st.sampled_from(WORDS.split()), max_size=9))
def test_each_text_is_a_rule_or_an_error_with_a_sentence(words: list[str]) -> None:
    text, said = " ".join(words), ""
    try:
        parse_rule(text, label="rules[0]")
    except InputError as error:
        said = str(error)
    assert not said or (said.startswith(f"rules[0]: '{text}'") and said.endswith("."))
