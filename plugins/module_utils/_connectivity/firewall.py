# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What a host's firewall does with a packet, as far as its rules say so for sure. Nothing here touches a host.

A rule may ask what is not known of the packet, or in a way that is not known here. Such a rule may or may not take effect, and
all that may come of it is gone into. A packet counts as lost where nothing else can come of it.
"""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Family = t.Literal["ip", "ip6"]
    Hook = t.Literal["input", "forward", "output"]
    Subnet = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
    Place = tuple[str, str, str]  # family, table and name of a chain

__all__ = ["Block", "Chain", "Match", "Packet", "Rule", "Ruleset", "Verdict"]

Subject = t.Literal[
    "family",
    "incoming",
    "outgoing",
    "source",
    "destination",
    "protocol",
    "port",
    "state",
    "translated",
    "bridged",
    "source_port",
    "anything",
]
VerdictKind = t.Literal["accept", "drop", "return", "jump", "goto", "translate", "none", "any"]

_DEEPEST = 32  # the kernel allows 16 jumps


@dataclass(frozen=True)
class Packet:
    """A packet. What is None may be anything. Interfaces are "" where it comes from the host itself or goes to it."""

    hook: Hook
    family: Family = "ip"
    incoming: str = ""
    outgoing: str = ""
    source: str | None = None
    destination: str | None = None
    protocol: str | None = None
    port: int | None = None
    state: t.Literal["new", "established"] = "new"
    bridged: bool = False
    translated: t.Literal["dnat", "snat", "not"] = "not"


@dataclass(frozen=True)
class Match:
    """A question of a rule. Values are names, numbers as pairs (first, last), or subnets, any of which will do.

    The name of an interface may end in "*". `subject` "anything" is a question that is not understood.
    """

    subject: Subject
    values: tuple[t.Any, ...] = ()
    negated: bool = False

    def answer(self, packet: Packet) -> bool | None:
        """Return the answer for a packet, None where it is not known."""
        value = None if self.subject in ("anything", "source_port") else getattr(packet, self.subject)
        if value is None:
            return None
        return any(_fits(self.subject, value, wanted) for wanted in self.values) != self.negated


def _fits(subject: str, value: t.Any, wanted: t.Any) -> bool:
    if subject in ("incoming", "outgoing"):
        return bool(value.startswith(wanted[:-1])) if wanted.endswith("*") else value == wanted
    if subject in ("source", "destination"):
        address = ipaddress.ip_address(value)
        return address.version == wanted.version and address in wanted
    if subject == "port":
        return bool(wanted[0] <= value <= wanted[1])
    return bool(value == wanted)


@dataclass(frozen=True)
class Verdict:
    """What a rule does; "any" is what is not understood, and "none" what decides nothing. `target` is a chain's name."""

    kind: VerdictKind
    target: str = ""


@dataclass(frozen=True)
class Rule:
    """A rule: all its questions have to be answered with yes."""

    matches: tuple[Match, ...]
    verdict: Verdict

    def applies(self, packet: Packet) -> bool | None:
        """Say whether it applies to a packet, None where that is not known."""
        answers = {match.answer(packet) for match in self.matches}
        if False in answers:
            return False
        return None if None in answers else True


@dataclass(frozen=True)
class Chain:
    """A chain. `hook` is where the kernel begins with it, "" where only other chains lead to it."""

    family: str
    table: str
    name: str
    hook: str = ""
    priority: int = 0
    policy: str = "accept"
    rules: tuple[Rule, ...] = ()

    @property
    def place(self) -> Place:
        """What tells it from others."""
        return self.family, self.table, self.name


@dataclass(frozen=True)
class Block:
    """Where a packet is lost: in which chain it began, and whether that is because no rule let it through."""

    chain: Chain
    by_policy: bool


class Ruleset:
    """All chains of a host."""

    def __init__(self, chains: Iterable[Chain]) -> None:
        """Keep them by their places."""
        self.chains: dict[Place, Chain] = {chain.place: chain for chain in chains}

    def find_block(self, packet: Packet) -> Block | None:
        """Return where a packet is lost for sure, None where it may get through."""
        for chain in self.beginnings(packet.hook, packet.family):
            outcomes = self._outcomes(chain, packet, 0)
            if "end" in outcomes:
                outcomes = (outcomes - {"end"}) | {"policy" if chain.policy == "drop" else "accept"}
            if outcomes and outcomes <= {"drop", "policy"}:
                return Block(chain, by_policy=outcomes == {"policy"})
        return None

    def beginnings(self, hook: str, family: str) -> list[Chain]:
        """Return the chains with which the kernel begins at a hook, in order."""
        found = [chain for chain in self.chains.values() if chain.hook == hook and chain.family in (family, "inet")]
        return sorted(found, key=lambda chain: (chain.priority, chain.place))

    def reached(self, hook: str, family: str) -> Iterator[tuple[Chain, Rule]]:
        """Return the rules that a packet may come by at a hook, with their chains."""
        waiting, known = self.beginnings(hook, family), set()
        while waiting:
            chain = waiting.pop()
            if chain.place in known:
                continue
            known.add(chain.place)
            for rule in chain.rules:
                yield chain, rule
                following = self._following(chain, rule)
                if following is not None:
                    waiting.append(following)

    def _following(self, chain: Chain, rule: Rule) -> Chain | None:
        if rule.verdict.kind not in ("jump", "goto"):
            return None
        return self.chains.get((chain.family, chain.table, rule.verdict.target))

    def _outcomes(self, chain: Chain, packet: Packet, depth: int) -> set[str]:
        """Return what can come of a packet in a chain: "accept", "drop", or "end", where it goes on after the chain."""
        found: set[str] = set()
        if depth > _DEEPEST:
            return {"accept", "drop", "end"}
        for rule in chain.rules:
            applies = rule.applies(packet)
            if applies is False:
                continue
            outcomes = self._outcomes_of(chain, rule, packet, depth)
            found |= outcomes - {"next"}
            if applies and "next" not in outcomes:
                return found
        return found | {"end"}

    def _outcomes_of(self, chain: Chain, rule: Rule, packet: Packet, depth: int) -> set[str]:
        """Return the same of one rule that applies; "next" is where the next rule is asked."""
        kind = rule.verdict.kind
        if kind in ("accept", "drop"):
            return {kind}
        if kind == "return":
            return {"end"}
        if kind == "any":
            return {"accept", "drop", "end", "next"}
        following = self._following(chain, rule)
        if following is None:
            return {"next"}
        outcomes = self._outcomes(following, packet, depth + 1)
        # whoever was sent there for good comes back to where this chain was called from
        back = "end" if kind == "goto" else "next"
        return {back if outcome == "end" else outcome for outcome in outcomes}
