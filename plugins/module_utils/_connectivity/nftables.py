# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The rules that `nft -j list ruleset` shows. Nothing here touches a host."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.firewall import Chain, Match, Rule, Verdict

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._connectivity.firewall import Subject

__all__ = ["parse_nftables"]

_FAMILIES = ("ip", "ip6", "inet")
_KEYS: dict[tuple[str, str], Subject] = {
    ("meta", "iifname"): "incoming",
    ("meta", "iif"): "incoming",
    ("meta", "oifname"): "outgoing",
    ("meta", "oif"): "outgoing",
    ("meta", "l4proto"): "protocol",
    ("meta", "nfproto"): "family",
    ("ct", "state"): "state",
    ("ct", "status"): "translated",
    ("ip", "saddr"): "source",
    ("ip6", "saddr"): "source",
    ("ip", "daddr"): "destination",
    ("ip6", "daddr"): "destination",
    ("ip", "protocol"): "protocol",
    ("ip6", "nexthdr"): "protocol",
    **{(header, "dport"): "port" for header in ("tcp", "udp", "th")},
    **{(header, "sport"): "source_port" for header in ("tcp", "udp", "th")},
}
# Who asks for something in a header asks for that header as well.
_IMPLIED: dict[str, list[Match]] = {
    "ip": [Match("family", ("ip",))],
    "ip6": [Match("family", ("ip6",))],
    "tcp": [Match("protocol", ("tcp",))],
    "udp": [Match("protocol", ("udp",))],
    "icmp": [Match("protocol", ("icmp",))],
    "icmpv6": [Match("protocol", ("icmp",))],
}
_NAMES = {"ipv6-icmp": "icmp", "icmpv6": "icmp", "ipv4": "ip", "ipv6": "ip6"}
_VERDICTS: dict[str, Verdict] = {
    "accept": Verdict("accept"),
    "drop": Verdict("drop"),
    "reject": Verdict("drop"),
    "return": Verdict("return"),
    "masquerade": Verdict("translate"),
    "snat": Verdict("translate"),
    "vmap": Verdict("any"),
    "queue": Verdict("any"),
}
# What decides nothing and asks nothing.
_SIDE_EFFECTS = ("counter", "log", "comment", "mangle", "notrack", "meter", "set", "flow", "dup")


def parse_nftables(answer: dict[str, t.Any]) -> list[Chain]:
    """Return the chains of the families of IP."""
    chains: dict[tuple[str, str, str], dict[str, t.Any]] = {}
    rules: dict[tuple[str, str, str], list[Rule]] = {}
    for entry in answer.get("nftables", []):
        chain, rule = entry.get("chain"), entry.get("rule")
        if chain is not None and chain.get("family") in _FAMILIES:
            chains[chain["family"], chain["table"], chain["name"]] = chain
        elif rule is not None and rule.get("family") in _FAMILIES:
            rules.setdefault((rule["family"], rule["table"], rule["chain"]), []).append(_read_rule(rule.get("expr", [])))
    return [
        Chain(
            family=place[0],
            table=place[1],
            name=place[2],
            hook=chain.get("hook", ""),
            priority=_read_priority(chain.get("prio", 0)),
            policy=chain.get("policy", "accept"),
            rules=tuple(rules.get(place, ())),
        )
        for place, chain in chains.items()
    ]


def _read_priority(value: t.Any) -> int:
    return value if isinstance(value, int) else 0


def _read_rule(expressions: list[dict[str, t.Any]]) -> Rule:
    matches: list[Match] = []
    verdict = Verdict("none")
    for expression in expressions:
        for word, details in expression.items():
            if word in _VERDICTS:
                verdict = _VERDICTS[word]
            elif word in ("jump", "goto"):
                verdict = Verdict("jump" if word == "jump" else "goto", details["target"])
            elif word == "match":
                matches += _read_match(details)
            elif word == "xt" and isinstance(details, dict) and details.get("type") == "target":
                # iptables' own, with a name: a refusal, or what decides nothing
                verdict = Verdict("drop") if details.get("name") == "REJECT" else verdict
            elif word not in _SIDE_EFFECTS:
                matches.append(Match("anything"))
    return Rule(tuple(matches), verdict)


def _read_match(details: dict[str, t.Any]) -> list[Match]:
    left = details.get("left")
    implied: list[Match] = []
    subject: Subject | None = None
    if isinstance(left, dict) and len(left) == 1:
        ((kind, what),) = left.items()
        if isinstance(what, dict):
            header, field = str(what.get("protocol", "")), str(what.get("field", what.get("key", "")))
            implied = _IMPLIED.get(header, []) if kind == "payload" else []
            subject = _KEYS.get((header or kind, field))
    try:
        if subject is not None and details.get("op") in ("==", "!=", "in"):
            values = _read_values(subject, details.get("right"))
            return [*implied, Match(subject, tuple(values), details["op"] == "!=")]
    except (TypeError, ValueError, KeyError):
        pass  # a named set, a range of addresses
    return [*implied, Match("anything")]


def _read_values(subject: Subject, right: t.Any) -> list[t.Any]:
    if isinstance(right, dict) and "set" in right:
        return [value for each in right["set"] for value in _read_values(subject, each)]
    if isinstance(right, list):
        return [value for each in right for value in _read_values(subject, each)]
    if isinstance(right, str) and right.startswith("@"):
        raise ValueError(right)
    if subject in ("source", "destination"):
        text = f"{right['prefix']['addr']}/{right['prefix']['len']}" if isinstance(right, dict) else right
        return [ipaddress.ip_network(text, strict=False)]
    if subject in ("port", "source_port"):
        first, last = right["range"] if isinstance(right, dict) else (right, right)
        return [(int(first), int(last))]
    if not isinstance(right, str) or (subject == "translated" and right not in ("dnat", "snat")):
        raise TypeError
    return [_NAMES.get(right, right) if subject in ("protocol", "family") else right]
