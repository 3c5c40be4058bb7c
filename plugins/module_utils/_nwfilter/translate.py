# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""From rules in plain words to those of libvirt. Nothing here touches a host.

The rules become a chain of their own in front of what other filters accept: what passes goes on to those ("return"), so that a
filter can be put together with others, such as clean-traffic, and each of them has its say. They look at frames on the guest's
interface, in both directions and one by one: there is no connection tracking, which would need the host's bridges to show their
frames to iptables.
"""

from __future__ import annotations

import hashlib
import ipaddress
import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.model import MOST_PRIORITY, Filter, Match, Rule
from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.words import PROTOCOLS, parse_rule

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.words import End, Sentence

    Address = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
    Subnet = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

__all__ = ["Local", "filter_from_words"]

_PASS, _DROP = "return", "drop"
# After those of clean-traffic that check addresses (-710), before those that accept (-700 and later).
_CHAIN_PRIORITY = -705
_ELEMENTS = {4: "ip", 6: "ipv6"}
_WHOLE = {4: 32, 6: 128}
# Neighbour discovery is to IPv6 what ARP is to IPv4: router solicitation (133) to redirect (137).
_SOLICITATION, _ADVERTISEMENT, _NEIGHBOURS, _REDIRECT = 133, 134, (135, 136), 137
# Whom a guest reaches without naming an address of the subnet.
_BROADCAST = ipaddress.ip_network("255.255.255.255/32")
_EVERYBODY = {4: (_BROADCAST, ipaddress.ip_network("224.0.0.0/4")), 6: (ipaddress.ip_network("ff00::/8"),)}
_LINK = ipaddress.ip_network("fe80::/10")
_DNS = 53
# The ports of DHCP: the client's and the server's.
_DHCP = {4: (68, 67), 6: (546, 547)}


@dataclass(frozen=True)
class Local:
    """What "local" means: the guests' subnets, the host's addresses in them, and its other addresses."""

    subnets: tuple[Subnet, ...]
    gateways: tuple[Address, ...]
    addresses: tuple[Address, ...] = ()


def filter_from_words(name: str, texts: Sequence[str], local: Local | None) -> Filter:
    """Return the filter that rules in plain words are, the first one that matches a packet decides.

    Raises InputError with the place of a rule that is none.
    """
    rules: list[Rule] = []
    finds_neighbours = False
    for number, text in enumerate(texts):
        label = f"rules[{number}]"
        sentence = parse_rule(text, label=label)
        if sentence.special:
            if local is None:
                raise InputError(
                    f"{label}: '{text}' needs to know what is local; give the guests' subnets in local.subnets, such as "
                    "192.168.64.0/24."
                )
            rules += _SPECIALS[sentence.special](local, _PASS if sentence.passes else _DROP)
            continue
        if not sentence.passes and not finds_neighbours:
            rules += _let_neighbours_be_found(_families(sentence))
            finds_neighbours = 6 in _families(sentence)
        rules += _translate(sentence)
    if len(rules) > MOST_PRIORITY:
        raise InputError(
            f"rules: they come to {len(rules)} rules of libvirt, and a filter can have {MOST_PRIORITY}; name subnets instead of "
            "addresses."
        )
    numbered = [Rule(rule.action, rule.direction, number, rule.protocol, rule.matches) for number, rule in enumerate(rules, 1)]
    # libvirt puts rules of all filters that name one chain into it; 12 characters are the most that a chain's name has
    chain = f"mac-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return Filter(name=name, chain=chain, priority=_CHAIN_PRIORITY, rules=tuple(numbered))


def _families(sentence: Sentence) -> tuple[int, ...]:
    for end in (sentence.source, sentence.target):
        if end.subnet is not None:
            return (end.subnet.version,)
    return PROTOCOLS[sentence.protocol] if sentence.protocol else (4, 6)


def _translate(sentence: Sentence) -> Iterator[Rule]:
    action = _PASS if sentence.passes else _DROP
    has_ports = sentence.source.ports or sentence.target.ports
    protocols: tuple[str | None, ...] = ("tcp", "udp") if has_ports and not sentence.protocol else (sentence.protocol,)
    for direction in sentence.directions:
        for family in _families(sentence):
            for protocol in protocols:
                ends = [*_end("src", sentence.source), *_end("dst", sentence.target)]
                yield _rule(action, direction, family, *ends, protocol=protocol)


def _end(side: str, end: End) -> Iterator[tuple[str, str]]:
    if end.subnet is not None:
        yield from _place(side, end.subnet)
    if end.ports is not None:
        yield from _ports(side, *end.ports)


def _place(side: str, subnet: Subnet) -> Iterator[tuple[str, str]]:
    yield f"{side}ipaddr", str(subnet.network_address)
    if subnet.prefixlen < _WHOLE[subnet.version]:
        yield f"{side}ipmask", str(subnet.prefixlen)


def _ports(side: str, first: int, last: int) -> Iterator[tuple[str, str]]:
    yield f"{side}portstart", str(first)
    if last != first:
        yield f"{side}portend", str(last)


def _rule(action: str, direction: str, family: int, *matches: tuple[str, str], protocol: str | None = None) -> Rule:
    # the protocol stands between addresses and ports, as libvirt writes it
    places = [Match(*match) for match in matches if "ip" in match[0]]
    ports = [Match(*match) for match in matches if "ip" not in match[0]]
    middle = [Match("protocol", protocol)] if protocol else []
    return Rule(action, direction, protocol=_ELEMENTS[family], matches=tuple(places + middle + ports))


def _let_neighbours_be_found(families: Sequence[int]) -> Iterator[Rule]:
    if 6 in families:
        for direction in ("in", "out"):
            yield _discovery(direction, _SOLICITATION, _REDIRECT)


def _discovery(direction: str, first: int, last: int) -> Rule:
    types = [("type", str(first)), *([("typeend", str(last))] if last != first else [])]
    return _rule(_PASS, direction, 6, *types, protocol="icmpv6")


def _local(local: Local, action: str) -> Iterator[Rule]:
    """Guests and the host, but for what a guest needs to be on the network at all."""
    if action == _DROP:
        yield from _let_gateways_serve(local)
    yield from _among_guests(local, action)
    for address in local.addresses:
        if not any(address.version == subnet.version and address in subnet for subnet in local.subnets):
            yield from _with(action, ipaddress.ip_network(address))


def _guests(local: Local, action: str) -> Iterator[Rule]:
    """Guests, but not the gateways, which are the host."""
    for gateway in local.gateways:
        yield from _with(_PASS, ipaddress.ip_network(gateway))
    if action == _DROP:
        yield from _let_dhcp_in(local)
    yield from _among_guests(local, action)


def _arp(local: Local, action: str) -> Iterator[Rule]:
    """ARP, but that of the gateways."""
    for gateway in local.gateways:
        if gateway.version == 4:
            yield Rule(_PASS, "out", protocol="arp", matches=(Match("arpdstipaddr", str(gateway)),))
            yield Rule(_PASS, "in", protocol="arp", matches=(Match("arpsrcipaddr", str(gateway)),))
    for direction in ("in", "out"):
        yield Rule(action, direction, protocol="arp")


_SPECIALS: dict[str, t.Callable[[Local, str], Iterator[Rule]]] = {"local": _local, "guests": _guests, "arp": _arp}


def _let_gateways_serve(local: Local) -> Iterator[Rule]:
    yield from _let_dhcp_in(local)
    for gateway in local.gateways:
        place = ipaddress.ip_network(gateway)
        for protocol in ("udp", "tcp"):
            to, back = [*_place("dst", place), *_ports("dst", _DNS, _DNS)], [*_place("src", place), *_ports("src", _DNS, _DNS)]
            yield _rule(_PASS, "out", gateway.version, *to, protocol=protocol)
            yield _rule(_PASS, "in", gateway.version, *back, protocol=protocol)


def _let_dhcp_in(local: Local) -> Iterator[Rule]:
    for version in sorted({subnet.version for subnet in local.subnets}):
        client, server = _DHCP[version]
        ask = [*_ports("src", client, client), *_ports("dst", server, server)]
        answer = [*_ports("src", server, server), *_ports("dst", client, client)]
        if version == 4:
            servers = [ipaddress.ip_network(gateway) for gateway in local.gateways if gateway.version == 4]
            for place in (_BROADCAST, *servers):
                yield _rule(_PASS, "out", 4, *_place("dst", place), *ask, protocol="udp")
            for place in servers:
                yield _rule(_PASS, "in", 4, *_place("src", place), *answer, protocol="udp")
        else:  # between addresses of the link
            yield _rule(_PASS, "out", 6, *ask, protocol="udp")
            yield _rule(_PASS, "in", 6, *answer, protocol="udp")


def _among_guests(local: Local, action: str) -> Iterator[Rule]:
    versions = {subnet.version for subnet in local.subnets}
    if action == _DROP and 6 in versions:
        # no guest is to say that it is a router
        yield _discovery("out", _SOLICITATION, _SOLICITATION)
        yield _discovery("in", _ADVERTISEMENT, _ADVERTISEMENT)
        for direction in ("in", "out"):
            yield _discovery(direction, *_NEIGHBOURS)
    for subnet in local.subnets:
        yield from _with(action, subnet)
    for version in sorted(versions):
        for everybody in _EVERYBODY[version]:
            yield _rule(action, "out", version, *_place("dst", everybody))
    if 6 in versions:
        yield from _with(action, _LINK)
    else:  # on a network that has none, IPv6 is something between guests
        for direction in ("in", "out"):
            yield _rule(action, direction, 6)


def _with(action: str, subnet: Subnet) -> Iterator[Rule]:
    """Yield the rules about what goes to a subnet, and what comes from it."""
    yield _rule(action, "out", subnet.version, *_place("dst", subnet))
    yield _rule(action, "in", subnet.version, *_place("src", subnet))
