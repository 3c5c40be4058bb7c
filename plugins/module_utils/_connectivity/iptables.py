# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The rules that `iptables-save` shows. Nothing here touches a host."""

from __future__ import annotations

import ipaddress
import shlex
import typing as t
from dataclasses import replace

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.firewall import Chain, Match, Rule, Verdict

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._connectivity.firewall import Family, Subject

__all__ = ["parse_iptables"]

_PRIORITIES = {"raw": -300, "mangle": -150, "nat": -100, "filter": 0, "security": 50}
_OWN = ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")
_VERDICTS: dict[str, Verdict] = {
    "ACCEPT": Verdict("accept"),
    "DROP": Verdict("drop"),
    "REJECT": Verdict("drop"),
    "RETURN": Verdict("return"),
    "MASQUERADE": Verdict("translate"),
    "SNAT": Verdict("translate"),
}
_SUBJECTS: dict[str, Subject] = {
    "-i": "incoming",
    "-o": "outgoing",
    "-s": "source",
    "-d": "destination",
    "-p": "protocol",
    "--dport": "port",
    "--dports": "port",
    "--sport": "source_port",
    "--sports": "source_port",
    "--ctstate": "state",
    "--state": "state",
    "--ctstatus": "translated",
    "--physdev-is-bridged": "bridged",
}
# Modules whose questions are in _SUBJECTS, or ask nothing at all. Others ask what is not understood here.
_MODULES = ("tcp", "udp", "icmp", "icmp6", "ipv6-icmp", "conntrack", "state", "multiport", "comment", "physdev")
_PROTOCOLS = {"ipv6-icmp": "icmp", "icmpv6": "icmp"}


def parse_iptables(text: str, family: Family) -> list[Chain]:
    """Return the chains of one family."""
    chains: dict[tuple[str, str], Chain] = {}
    rules: dict[tuple[str, str], list[Rule]] = {}
    table = ""
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
        elif line.startswith(":"):
            name, policy = line[1:].split()[:2]
            chains[table, name] = _make_chain(family, table, name, policy)
        elif line.startswith("-A "):
            words = shlex.split(line)
            rules.setdefault((table, words[1]), []).append(_read_rule(words[2:]))
    return [replace(chain, rules=tuple(rules.get(place, ()))) for place, chain in chains.items()]


def _make_chain(family: str, table: str, name: str, policy: str) -> Chain:
    own = name in _OWN
    return Chain(
        family=family,
        table=table,
        name=name,
        hook=name.lower() if own else "",
        priority=100 if table == "nat" and name in ("INPUT", "POSTROUTING") else _PRIORITIES.get(table, 0),
        policy="drop" if policy == "DROP" else "accept",
    )


def _read_rule(words: list[str]) -> Rule:
    matches: list[Match] = []
    verdict = Verdict("none")
    for option, values, negated in _options(words):
        if option in ("-j", "-g"):
            verdict = _VERDICTS.get(values[0], Verdict("goto" if option == "-g" else "jump", values[0]))
            break  # what follows is how the target does it
        if option == "-m":
            if values[0] not in _MODULES:
                matches.append(Match("anything"))
        elif option != "--comment":
            matches.append(_read_match(option, values, negated))
    return Rule(tuple(matches), verdict)


def _options(words: list[str]) -> t.Iterator[tuple[str, list[str], bool]]:
    """Split a rule into its options, each with its values and whether it is negated."""
    position, negated = 0, False
    while position < len(words):
        word = words[position]
        position += 1
        if word == "!":
            negated = True
            continue
        first = position
        # a comment may begin with anything
        while position < len(words) and (
            (word == "--comment" and position == first) or not words[position].startswith(("-", "!"))
        ):
            position += 1
        yield word, words[first:position], negated
        negated = False


def _read_match(option: str, values: list[str], negated: bool) -> Match:
    subject = _SUBJECTS.get(option)
    try:
        if subject is not None:
            return Match(subject, tuple(_read_values(subject, values)), negated)
    except ValueError:
        pass  # a mask with holes, a protocol's number
    return Match("anything")


def _read_values(subject: Subject, values: list[str]) -> list[t.Any]:
    if subject == "bridged":
        return [True]
    words = values[0].split(",")
    if subject in ("incoming", "outgoing"):
        return [f"{word[:-1]}*" if word.endswith("+") else word for word in words]
    if subject in ("source", "destination"):
        return [ipaddress.ip_network(word, strict=False) for word in words]
    if subject == "protocol":
        if words[0].isdigit():
            raise ValueError
        return [_PROTOCOLS.get(word, word) for word in words]
    if subject in ("port", "source_port"):
        pairs = [word.split(":") for word in words]
        return [(int(pair[0]), int(pair[-1])) for pair in pairs]
    if subject == "translated" and not {"DNAT", "SNAT"} >= set(words):
        raise ValueError
    return [word.lower() for word in words]
