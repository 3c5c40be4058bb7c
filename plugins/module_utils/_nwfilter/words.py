# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Rules in plain words, such as "block out to 198.51.100.7 port 53". Nothing here touches a host.

The grammar is that of Anka's packet filter, which is a part of ipf's:

    rule      = ("pass" | "block") (special | direction {part})
    special   = "local" | "guests" | "arp"
    direction = "in" | "out" | "any"
    part      = ("from" | "to") [address] ["port" ports] | "port" ports | "proto" protocol
    address   = "any" | "all" | an address | a subnet
    ports     = a number, or two with a hyphen between them

What is left out matches everything. A port without "from" or "to" before it is the one that the packet goes to.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError

if t.TYPE_CHECKING:
    Subnet = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
    Ports = tuple[int, int]

__all__ = ["PORTED", "PROTOCOLS", "End", "Sentence", "parse_rule"]

# What says on its own what it is about.
SPECIALS = ("local", "guests", "arp")
DIRECTIONS = {"in": ("in",), "out": ("out",), "any": ("in", "out")}
# The protocols with their families: IPv4, IPv6 or both.
PROTOCOLS = {"tcp": (4, 6), "udp": (4, 6), "sctp": (4, 6), "icmp": (4,), "icmpv6": (6,)}
PORTED = ("tcp", "udp", "sctp")
_ANY = ("any", "all")
_KEYWORDS = ("from", "to", "port", "proto")
_PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
_MOST = 65535


@dataclass(frozen=True)
class End:
    """Where a packet comes from, or where it goes; None for everywhere and every port."""

    subnet: Subnet | None = None
    ports: Ports | None = None


@dataclass(frozen=True)
class Sentence:
    """A rule. `special` is one of the words that stand alone, "" for a rule with directions."""

    passes: bool
    special: str = ""
    directions: tuple[str, ...] = ()
    source: End = End()
    target: End = End()
    protocol: str | None = None


class _Words:
    """The words of a rule, one after the other."""

    def __init__(self, label: str, text: str) -> None:
        self._label = f"{label}: '{text}'"
        self._words = text.split()
        self._place = 0

    @property
    def more(self) -> bool:
        """Whether there is another word."""
        return self._place < len(self._words)

    def peek(self) -> str:
        """Return the next word in lower case, "" at the end."""
        return self._words[self._place].lower() if self.more else ""

    def take(self) -> str:
        """Return the next word in lower case, and go on behind it."""
        word = self.peek()
        self._place += 1
        return word

    def wrong(self, expected: str) -> InputError:
        """Return what to say of the next word, or of its absence."""
        if not self.more:
            return InputError(f"{self._label} ends where {expected} should follow; add it.")
        return InputError(
            f"{self._label}: '{self._words[self._place]}', its word {self._place + 1}, cannot be there; write {expected}."
        )

    def refuse(self, sentence: str) -> InputError:
        """Return what to say of the whole rule."""
        return InputError(f"{self._label} {sentence}")


def parse_rule(text: str, *, label: str) -> Sentence:
    """Return what a rule says. Raises InputError, with what is wrong and at which word; `label` says which rule it is."""
    words = _Words(label, text)
    if words.peek() not in ("pass", "block"):
        raise words.wrong("pass or block")
    passes = words.take() == "pass"
    if words.peek() in SPECIALS:
        sentence = Sentence(passes=passes, special=words.take())
        if words.more:
            raise words.wrong(f"nothing behind '{sentence.special}'")
        if passes and sentence.special == "arp":
            raise words.refuse("says nothing: ARP passes unless it is blocked; leave the rule out.")
        return sentence
    if words.peek() not in DIRECTIONS:
        raise words.wrong(f"in, out or any, or one of {', '.join(SPECIALS)}")
    directions = DIRECTIONS[words.take()]
    sentence = Sentence(passes=passes, directions=directions, **_parse_parts(words))
    _check(words, sentence)
    return sentence


def _parse_parts(words: _Words) -> dict[str, t.Any]:
    parts: dict[str, t.Any] = {}
    while words.more:
        key = {"from": "source", "to": "target", "port": "target", "proto": "protocol"}.get(words.peek())
        if key is None:
            raise words.wrong("from, to, port or proto")
        if key in parts:
            raise words.wrong(f"only one '{words.peek()}'" if words.peek() != "port" else "the port behind its address")
        if words.peek() == "proto":
            words.take()
            if words.peek() not in PROTOCOLS:
                raise words.wrong(f"one of {', '.join(PROTOCOLS)}")
            parts[key] = words.take()
        else:
            parts[key] = _parse_end(words)
    return parts


def _parse_end(words: _Words) -> End:
    """Return an end of the way; the next word is "from", "to" or "port"."""
    subnet, ports, behind = None, None, words.peek()
    if behind != "port":
        words.take()
        if words.peek() not in _KEYWORDS:
            subnet = _parse_subnet(words)
        elif words.peek() != "port":
            raise words.wrong(f"an address or a port behind '{behind}'")
    if words.peek() == "port":
        words.take()
        ports = _parse_ports(words)
    return End(subnet, ports)


def _parse_subnet(words: _Words) -> Subnet | None:
    expected = "any, an address such as 198.51.100.7, or a subnet such as 198.51.100.0/24"
    if not words.more or "%" in words.peek():
        raise words.wrong(expected)
    if words.peek() in _ANY:
        words.take()
        return None
    try:
        subnet = ipaddress.ip_network(words.peek())
    except ValueError:
        try:
            inside = ipaddress.ip_interface(words.peek()).network
        except ValueError:
            raise words.wrong(expected) from None
        raise words.wrong(f"{inside} for the subnet, or the address alone") from None
    words.take()
    return subnet if subnet.prefixlen else None


def _parse_ports(words: _Words) -> Ports:
    found = _PORTS.fullmatch(words.peek())
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 1 <= first <= last <= _MOST:
        raise words.wrong(f"a port from 1 to {_MOST}, or two with a hyphen between them, the lower one first")
    words.take()
    return first, last


def _check(words: _Words, sentence: Sentence) -> None:
    """Refuse what no packet could be."""
    subnets = [end.subnet for end in (sentence.source, sentence.target) if end.subnet is not None]
    if len({subnet.version for subnet in subnets}) > 1:
        raise words.refuse("has addresses of IPv4 and of IPv6, and no packet has both; write a rule for each.")
    protocol = sentence.protocol
    if protocol and any(subnet.version not in PROTOCOLS[protocol] for subnet in subnets):
        version = subnets[0].version
        raise words.refuse(f"has addresses of IPv{version}, which has no {protocol}; correct the addresses or the protocol.")
    if protocol and protocol not in PORTED and (sentence.source.ports or sentence.target.ports):
        raise words.refuse(f"has ports, and {protocol} has none; leave them out, or say proto tcp or proto udp.")
