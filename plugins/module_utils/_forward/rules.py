# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The rules of the firewall that make forwards, as text for `nft` and for `iptables-restore`. Nothing here touches a host.

There are three places. A table of our own leads packets to guests. Two chains let them pass where libvirt, or whoever drops what
the host forwards, would not: one for the chain FORWARD of iptables, and one for the chain forward of the table that libvirt makes
with nftables. Only that base chain of libvirt's will do: those that it jumps to are written anew each time that a network
changes, and the base chain is not (libvirt's src/network/network_nftables.c).

References: nft(8), iptables-extensions(8), the kernel's Documentation/networking/ip-sysctl.rst for route_localnet.
"""

from __future__ import annotations

import hashlib
import json
import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._forward.ports import bracketed

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._forward.forward import Forward

__all__ = ["TABLE", "Rule", "Rules", "make_rules"]

TABLE = "kvmops_port_forwards"
_BASE_CHAINS = {
    "guard": "type filter hook prerouting priority -300; policy accept;",
    "prerouting": "type nat hook prerouting priority -100; policy accept;",
    "output": "type nat hook output priority -100; policy accept;",
    "forward": "type filter hook forward priority 0; policy accept;",
    "postrouting": "type nat hook postrouting priority 100; policy accept;",
}
_FAMILIES = {4: "ip", 6: "ip6"}
_LOOPBACK = "127.0.0.0/8"


@dataclass(frozen=True)
class Rule:
    """A rule of our own table. `comment` says for whom it is."""

    chain: str
    words: str
    comment: str


@dataclass(frozen=True)
class Rules:
    """All rules for the forwards of a host.

    `passing` are rules that let packets pass, by the family of addresses, in the words of nft and in those of iptables. `bridges`
    are those over which packets of the loopback interface leave.
    """

    own: tuple[Rule, ...]
    passing: dict[str, tuple[tuple[str, str], ...]]
    bridges: tuple[str, ...]

    @property
    def revision(self) -> str:
        """By what one set of rules is told from another in the kernel."""
        text = json.dumps([[(rule.chain, rule.words, rule.comment) for rule in self.own], self.passing, self.bridges])
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def table(self) -> str:
        """Return the text for `nft -f` that puts our own table in the place of what it was, in one step."""
        chains = [chain for chain in ("guard", "to_guests", *list(_BASE_CHAINS)[1:]) if any(r.chain == chain for r in self.own)]
        lines = [f"add table inet {TABLE}", f"delete table inet {TABLE}", f"table inet {TABLE} {{"]
        lines += [f"\tchain revision_{self.revision} {{", "\t}"]
        for chain in chains:
            lines += ["", f"\tchain {chain} {{"]
            lines += [f"\t\t{_BASE_CHAINS[chain]}"] if chain in _BASE_CHAINS else []
            lines += [f'\t\t{rule.words} comment "{rule.comment}"' for rule in self.own if rule.chain == chain]
            lines.append("\t}")
        return "\n".join([*lines, "}", ""])

    def iptables(self, family: str) -> str:
        """Return the text for `iptables-restore --noflush` that fills our own chain anew, in one step."""
        lines = ["*filter", f":{TABLE} - [0:0]", *(f"-A {TABLE} {words} -j ACCEPT" for _nft, words in self.passing[family])]
        return "\n".join([*lines, "COMMIT", ""])

    def to_json(self) -> dict[str, t.Any]:
        """Return what the keeper of the rules needs to know (keeper.py)."""
        return {
            "revision": self.revision,
            "own": [[rule.chain, rule.comment] for rule in self.own],
            "passing": {family: [nft for nft, _iptables in rules] for family, rules in sorted(self.passing.items())},
            "bridges": list(self.bridges),
        }


def make_rules(forwards: Iterable[Forward]) -> Rules:
    """Return the rules for forwards; those by a proxy need none."""
    found = sorted((forward for forward in forwards if forward.by_rules), key=lambda forward: forward.name)
    passing: dict[str, list[tuple[str, str]]] = {}
    for forward in found:
        passing.setdefault(_FAMILIES[forward.version], []).extend(_passing(forward))
    opened = sorted({(f.network, f.bridge, f.subnet, f.version) for f in found if f.method == "open"})
    for _network, bridge, subnet, version in opened:
        passing[_FAMILIES[version]] += _passing_of_network(bridge, subnet, _FAMILIES[version])
    own = [*_guards(found), *_ways_in(found), *_filters(found, opened), *_sources(found, opened)]
    return Rules(
        own=tuple(own),
        passing={family: tuple(rules) for family, rules in passing.items()},
        bridges=tuple(sorted({forward.bridge for forward in found if forward.reached_by_loopback})),
    )


def _guards(forwards: Sequence[Forward]) -> Iterator[Rule]:
    """Yield what keeps the host's loopback addresses from the guests, since the kernel is told to route them there."""
    for bridge in sorted({forward.bridge for forward in forwards if forward.reached_by_loopback}):
        for end in ("saddr", "daddr"):
            yield Rule("guard", f'iifname "{bridge}" ip {end} {_LOOPBACK} drop', "loopback")


def _ways_in(forwards: Sequence[Forward]) -> Iterator[Rule]:
    for forward in forwards:
        family = _FAMILIES[forward.version]
        host = f"{family} daddr {forward.host_address}" if forward.host_address else "fib daddr type local"
        if not forward.host_address:
            host = f"meta nfproto ipv{forward.version} {host}"
        for protocol in forward.protocols:
            target = _target(forward, protocol)
            yield Rule("to_guests", f"{host} {protocol} dport {forward.host_ports} dnat {family} to {target}", forward.name)
    if forwards:
        for chain in ("prerouting", "output"):
            yield Rule(chain, "jump to_guests", "all")


def _target(forward: Forward, protocol: str) -> str:
    """Return where packets are sent: the same port, another one, or each port of a range to its own."""
    if forward.host_ports == forward.guest_ports:
        return forward.address
    if len(forward.host_ports) == 1:
        return f"{bracketed(forward.address)}:{forward.guest_ports}"
    pairs = ", ".join(f"{host} : {guest}" for host, guest in forward.host_ports.pairs(forward.guest_ports))
    return f"{forward.address} : {protocol} dport map {{ {pairs} }}"


def _passing(forward: Forward) -> Iterator[tuple[str, str]]:
    """Yield what lets a forward's packets pass, and the answers."""
    family = _FAMILIES[forward.version]
    prefix = "32" if forward.version == 4 else "128"
    ports = str(forward.guest_ports)
    numbers = ports.replace("-", ":")
    for protocol in forward.protocols:
        for end, port, option in (("daddr", "dport", "-d"), ("saddr", "sport", "-s")):
            yield (
                f"ct status dnat {family} {end} {forward.address} {protocol} {port} {ports}",
                f"{option} {forward.address}/{prefix} -p {protocol} --{port} {numbers} -m conntrack --ctstate DNAT",
            )


def _passing_of_network(bridge: str, subnet: str, family: str) -> list[tuple[str, str]]:
    """Return what lets the guests of a network of mode open out, and the answers in."""
    return [
        (f'iifname "{bridge}" {family} saddr {subnet}', f"-i {bridge} -s {subnet}"),
        (
            f'oifname "{bridge}" {family} daddr {subnet} ct state established,related',
            f"-o {bridge} -d {subnet} -m conntrack --ctstate RELATED,ESTABLISHED",
        ),
    ]


def _filters(forwards: Sequence[Forward], opened: Sequence[tuple[str, str, str, int]]) -> Iterator[Rule]:
    """Yield what libvirt's own rules would do for networks of mode nat, where they are of mode open."""
    for network, bridge, subnet, version in opened:
        family = _FAMILIES[version]
        for forward in forwards:
            if forward.network == network and forward.version == version:
                for words, _iptables in _passing(forward):
                    yield Rule("forward", f"{words} accept", forward.name)
        for words in (
            f'iifname "{bridge}" oifname "{bridge}" {family} saddr {subnet} accept',
            f'oifname "{bridge}" {family} daddr {subnet} ct state established,related accept',
            f'iifname "{bridge}" {family} saddr {subnet} accept',
            f'meta nfproto ipv{version} oifname "{bridge}" reject',
            f'meta nfproto ipv{version} iifname "{bridge}" reject',
        ):
            yield Rule("forward", words, f"bridge {bridge}")


def _sources(forwards: Sequence[Forward], opened: Sequence[tuple[str, str, str, int]]) -> Iterator[Rule]:
    """Yield what gives packets the host's own address as their source.

    Those of guests on the same bridge and of the loopback interface need that, or the answers would not come this way.
    """
    near = {(forward.bridge, forward.subnet, forward.version) for forward in forwards}
    local = {forward.bridge for forward in forwards if forward.reached_by_loopback}
    for bridge, subnet, version in sorted(near):
        sources = f"{{ {_LOOPBACK}, {subnet} }}" if version == 4 and bridge in local else subnet
        yield Rule("postrouting", f'oifname "{bridge}" ct status dnat {_FAMILIES[version]} saddr {sources} masquerade', "near")
    for _network, bridge, subnet, version in opened:
        family = _FAMILIES[version]
        groups = "224.0.0.0/4" if version == 4 else "ff00::/8"
        words = f'{family} saddr {subnet} {family} daddr != {{ {groups}, {subnet} }} oifname != "{bridge}" masquerade'
        yield Rule("postrouting", words, f"bridge {bridge}")
