# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""A packet counts as lost only where it is sure to be lost."""

from __future__ import annotations

import itertools
import typing as t
from dataclasses import replace
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.firewall import (
    Chain,
    Match,
    Packet,
    Rule,
    Ruleset,
    Verdict,
)

ACCEPT, DROP, RETURN, NOTHING, ANY = (Verdict(kind) for kind in ("accept", "drop", "return", "none", "any"))
FROM_VIRBR0 = Match("incoming", ("virbr0",))
UNKNOWN = Match("anything")
PACKET = Packet(hook="forward", incoming="virbr0", outgoing="eth0", source="192.168.122.2", protocol="tcp")


def base(*rules: Rule, policy: str = "accept", **more: t.Any) -> Chain:
    return Chain("ip", "filter", "FORWARD", hook="forward", policy=policy, rules=rules, **more)


def named(name: str, *rules: Rule) -> Chain:
    return Chain("ip", "filter", name, rules=rules)


def to(name: str, kind: t.Any = "jump") -> Verdict:
    return Verdict(kind, name)


def rule(verdict: Verdict, *matches: Match) -> Rule:
    return Rule(matches, verdict)


@pytest.mark.parametrize(
    ("match", "answer"),
    [
        (FROM_VIRBR0, True),
        (Match("incoming", ("virbr1", "virbr0")), True),
        (Match("incoming", ("virbr",)), False),
        (Match("incoming", ("virbr*",)), True),
        (Match("incoming", ("virbr0",), negated=True), False),
        (Match("outgoing", ("virbr0",), negated=True), True),
        (Match("source", (ip_network("192.168.122.0/24"),)), True),
        (Match("source", (ip_network("10.0.0.0/8"),)), False),
        (Match("source", (ip_network("fd00::/8"),)), False),
        (Match("destination", (ip_network("10.0.0.0/8"),)), None),
        (Match("destination", (ip_network("10.0.0.0/8"),), negated=True), None),
        (Match("protocol", ("tcp",)), True),
        (Match("protocol", ("udp", "icmp")), False),
        (Match("port", ((80, 90),)), None),
        (Match("state", ("new", "untracked")), True),
        (Match("state", ("established", "related")), False),
        (Match("bridged", (True,)), False),
        (Match("family", ("ip",)), True),
        (Match("source_port", ((68, 68),)), None),
        (UNKNOWN, None),
    ],
)
def test_a_question(match: Match, answer: bool | None) -> None:
    assert match.answer(PACKET) is answer


def test_a_port_is_in_a_range() -> None:
    packet = replace(PACKET, protocol="udp", port=67)
    assert Match("port", ((67, 68),)).answer(packet) is True
    assert Match("port", ((1, 66), (68, 70))).answer(packet) is False


@pytest.mark.parametrize(
    ("chains", "lost"),
    [
        ([], None),
        ([base()], None),
        ([base(policy="drop")], "policy"),
        ([base(rule(ACCEPT, FROM_VIRBR0), policy="drop")], None),
        ([base(rule(DROP, FROM_VIRBR0))], "rule"),
        ([base(rule(DROP, Match("incoming", ("docker0",))))], None),
        # a rule that may apply
        ([base(rule(DROP, FROM_VIRBR0, UNKNOWN))], None),
        ([base(rule(ACCEPT, UNKNOWN), policy="drop")], None),
        ([base(rule(DROP, UNKNOWN), rule(DROP, FROM_VIRBR0))], "rule"),
        ([base(rule(DROP, UNKNOWN), policy="drop")], "rule"),
        # one question with no is enough
        ([base(rule(ACCEPT, UNKNOWN, Match("incoming", ("eth9",))), policy="drop")], "policy"),
        # what decides nothing
        ([base(rule(NOTHING, FROM_VIRBR0), policy="drop")], "policy"),
        ([base(rule(ANY, FROM_VIRBR0), policy="drop")], None),
        # there and back again
        ([base(rule(to("a")), policy="drop"), named("a", rule(ACCEPT, FROM_VIRBR0))], None),
        ([base(rule(to("a")), policy="drop"), named("a", rule(RETURN), rule(ACCEPT))], "policy"),
        ([base(rule(to("a")), rule(ACCEPT), policy="drop"), named("a")], None),
        ([base(rule(to("a", "goto")), rule(ACCEPT), policy="drop"), named("a")], "policy"),
        ([base(rule(to("a"), UNKNOWN), rule(ACCEPT), policy="drop"), named("a", rule(DROP))], None),
        ([base(rule(to("a")), rule(to("b")), policy="drop"), named("a", rule(RETURN, UNKNOWN)), named("b", rule(DROP))], "rule"),
        ([base(rule(to("nowhere")), policy="drop")], "policy"),
        # another hook, another family, another table
        ([Chain("ip", "filter", "INPUT", hook="input", policy="drop")], None),
        ([Chain("ip6", "filter", "FORWARD", hook="forward", policy="drop")], None),
        ([Chain("inet", "own", "forward", hook="forward", policy="drop")], "policy"),
        ([base(rule(ACCEPT)), Chain("inet", "own", "forward", hook="forward", policy="drop")], "policy"),
        ([named("FORWARD", rule(DROP))], None),
    ],
)
def test_where_a_packet_is_lost(chains: list[Chain], lost: str | None) -> None:
    block = Ruleset(chains).find_block(PACKET)
    assert (block and ("policy" if block.by_policy else "rule")) == lost


def test_a_loop_ends() -> None:
    ruleset = Ruleset([base(rule(to("a"))), named("a", rule(to("a")))])
    assert ruleset.find_block(PACKET) is None
    assert len(list(ruleset.reached("forward", "ip"))) == 2


def test_the_first_chain_that_drops_is_named() -> None:
    late = base(policy="drop", priority=10)
    early = Chain("inet", "own", "forward", hook="forward", policy="drop", priority=-10)
    block = Ruleset([late, early]).find_block(PACKET)
    assert block is not None
    assert block.chain == early


# --- never is a packet called lost that may get through -------------------------------------------------------------------------

MATCHES = [
    FROM_VIRBR0,
    UNKNOWN,
    Match("destination", (ip_network("10.0.0.0/8"),)),
    Match("destination", (ip_network("10.0.0.0/8"),), negated=True),
    Match("port", ((80, 80),)),
    Match("incoming", ("eth0",)),
]
VERDICTS = [ACCEPT, DROP, RETURN, NOTHING, to("a"), to("b"), to("b", "goto")]
rules = st.lists(st.builds(rule, st.sampled_from(VERDICTS), st.sampled_from(MATCHES), st.sampled_from(MATCHES)), max_size=4)
last_rules = st.lists(st.builds(rule, st.sampled_from(VERDICTS[:4]), st.sampled_from(MATCHES)), max_size=3)


def verdict_of(chains: dict[str, Chain], name: str, packet: Packet, knows: bool) -> str:
    """Return what becomes of a packet of which all is known, where what is not understood is answered with `knows`."""
    for each in chains[name].rules:
        answers = [match.answer(packet) if match.subject != "anything" else knows for match in each.matches]
        if not all(answers):
            continue
        kind = each.verdict.kind
        if kind in ("accept", "drop"):
            return kind
        if kind == "return":
            return "end"
        if kind in ("jump", "goto"):
            found = verdict_of(chains, each.verdict.target, packet, knows)
            if found != "end" or kind == "goto":
                return found
    return "end"


@given(
    rules, st.lists(st.builds(rule, st.sampled_from([*VERDICTS[:4], to("b")]), st.sampled_from(MATCHES)), max_size=3), last_rules
)
def test_nothing_is_called_lost_that_may_get_through(first: list[Rule], second: list[Rule], third: list[Rule]) -> None:
    chains = {"FORWARD": base(*first, policy="drop"), "a": named("a", *second), "b": named("b", *third)}
    block = Ruleset(chains.values()).find_block(PACKET)
    possible = {
        verdict_of(chains, "FORWARD", replace(PACKET, destination=destination, port=port), knows)
        for destination, port, knows in itertools.product(("10.1.1.1", "203.0.113.1"), (80, 443), (True, False))
    }
    if block is not None:
        assert "accept" not in possible
        assert not block.by_policy or possible == {"end"}
    elif len(possible) == 1:
        # what is the same whatever is not known is known, but where rules only together leave nothing open
        known = all(match.answer(PACKET) is not None for each in [*first, *second, *third] for match in each.matches)
        assert possible == {"accept"} or not known
