# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What becomes of a packet: by rules in plain words, and by the rules of libvirt that they are translated to."""

from __future__ import annotations

import ipaddress
import typing as t

from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.model import Filter, Rule
from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.words import End, Sentence, parse_rule

__all__ = ["Arp", "Packet", "packets", "passes_by_filter", "passes_by_words", "texts"]


class Packet(t.NamedTuple):
    """A packet. `kind` is the type of ICMPv6."""

    direction: str
    source: str
    target: str
    protocol: str = "tcp"
    source_port: int = 0
    target_port: int = 0
    kind: int = 128

    @property
    def version(self) -> int:
        return ipaddress.ip_address(self.source).version


class Arp(t.NamedTuple):
    """A frame of ARP."""

    direction: str
    source: str
    target: str


def passes_by_words(rules: t.Sequence[str], packet: Packet) -> bool:
    """Say whether the first rule that matches lets a packet pass, as the grammar has it."""
    for text in rules:
        sentence = parse_rule(text, label="rules[0]")
        if _is_about(sentence, packet):
            return sentence.passes
    return True


def _is_about(sentence: Sentence, packet: Packet) -> bool:
    has_ports = sentence.source.ports is not None or sentence.target.ports is not None
    return (
        packet.direction in sentence.directions
        and (sentence.protocol is None or sentence.protocol == packet.protocol)
        and _is_at(sentence.source, packet.source, packet.source_port)
        and _is_at(sentence.target, packet.target, packet.target_port)
        and (not has_ports or packet.protocol in (sentence.protocol or "tcp", sentence.protocol or "udp"))
    )


def _is_at(end: End, address: str, port: int) -> bool:
    if end.ports is not None and not end.ports[0] <= port <= end.ports[1]:
        return False
    return end.subnet is None or ipaddress.ip_address(address) in end.subnet


def passes_by_filter(definition: Filter, packet: Packet | Arp) -> bool:
    """Say whether a filter's own rules let a packet go on, as ebtables has it."""
    for rule in definition.rules:
        if rule.direction == packet.direction and _matches(rule, packet):
            return rule.action == "return"
    return True


def _matches(rule: Rule, packet: Packet | Arp) -> bool:
    wanted = {match.attribute: match.value for match in rule.matches}
    if isinstance(packet, Arp):
        addresses = {"arpsrcipaddr": packet.source, "arpdstipaddr": packet.target}
        return rule.protocol == "arp" and all(addresses[key] == value for key, value in wanted.items())
    if rule.protocol != {4: "ip", 6: "ipv6"}[packet.version]:
        return False
    checks = []
    for side, address, port in (("src", packet.source, packet.source_port), ("dst", packet.target, packet.target_port)):
        place = wanted.pop(f"{side}ipaddr", None)
        mask = wanted.pop(f"{side}ipmask", "32" if packet.version == 4 else "128")
        if place is not None:
            checks.append(ipaddress.ip_address(address) in ipaddress.ip_network(f"{place}/{mask}"))
        first = wanted.pop(f"{side}portstart", None)
        last = wanted.pop(f"{side}portend", first)
        if first is not None and last is not None:
            checks.append(int(first) <= port <= int(last))
    if "type" in wanted:
        kind = wanted.pop("type")
        last_kind = wanted.pop("typeend", kind)
        checks.append(packet.protocol == "icmpv6" and int(kind) <= packet.kind <= int(last_kind))
    if "protocol" in wanted:
        checks.append(wanted.pop("protocol") == packet.protocol)
    if wanted:
        raise AssertionError(f"{wanted} is not known here")
    return all(checks)


ADDRESSES = {4: ("10.0.0.1", "10.0.0.2", "10.0.1.1", "192.0.2.1"), 6: ("fd00::1", "fd00::2", "fd01::1", "2001:db8::1")}
SUBNETS = {4: (*ADDRESSES[4], "10.0.0.0/24", "10.0.0.0/8", "0.0.0.0/0"), 6: (*ADDRESSES[6], "fd00::/64", "fc00::/7", "::/0")}
PORTS = (22, 53, 80)


@st.composite
def packets(draw: st.DrawFn) -> Packet:
    """Return a packet that rules may be about; none of neighbour discovery."""
    version = draw(st.sampled_from((4, 6)))
    addresses, ports = st.sampled_from(ADDRESSES[version]), st.sampled_from(PORTS)
    protocol = draw(st.sampled_from(("tcp", "udp", "sctp", "icmp" if version == 4 else "icmpv6", "gre")))
    direction = draw(st.sampled_from(("in", "out")))
    return Packet(direction, draw(addresses), draw(addresses), protocol, draw(ports), draw(ports))


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Return a rule in plain words that is one."""
    version = draw(st.sampled_from((4, 6)))
    protocol = draw(st.sampled_from(("", "", "tcp", "udp", "sctp", "icmp" if version == 4 else "icmpv6")))
    parts = [f"proto {protocol}"] if protocol else []
    for side in draw(st.sampled_from(((), ("from",), ("to",), ("from", "to")))):
        place = draw(st.sampled_from(("any", "all", *SUBNETS[version])))
        ports = draw(st.sampled_from(("", "", " port 22", " port 53-80"))) if not protocol.startswith("icmp") else ""
        parts.append(f"{side} {place}{ports}")
    words = draw(st.permutations(parts))
    return " ".join([draw(st.sampled_from(("pass", "block"))), draw(st.sampled_from(("in", "out", "any"))), *words])
