# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Frames that go from one port of a bridge to another, and the firewall that gets to see them (br_netfilter).

Nothing here touches a host.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.findings import (
    Finding,
    effects,
    join_words,
    of_bridge,
    say_list,
)
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.firewall import Packet

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._connectivity.firewall import Chain, Family, Ruleset

__all__ = ["Silence", "find_silence", "is_role_matter", "owner_of", "say_silence", "silence_finding"]

_SETTINGS: dict[Family, str] = {"ip": "net.bridge.bridge-nf-call-iptables", "ip6": "net.bridge.bridge-nf-call-ip6tables"}
_VERSIONS: tuple[tuple[Family, int], ...] = (("ip", 4), ("ip6", 6))
_OWNERS = (("ufw-", "ufw"), ("ufw6-", "ufw"), ("DOCKER", "Docker"), ("KUBE-", "Kubernetes"))
_SOMEBODY = ("nobody's-1", "nobody's-2")  # interfaces that no rule names; no interface can be called so


@dataclass(frozen=True)
class Silence:
    """A chain in which frames on a bridge are lost. `own` says whether the bridge is one of libvirt's own."""

    bridge: str
    family: Family
    chain: Chain
    own: bool = False


def find_silence(
    ruleset: Ruleset,
    filters_bridges: Mapping[int, bool],
    bridge: str,
    *,
    families: Iterable[Family] = ("ip", "ip6"),
    own: bool = False,
) -> Iterator[Silence]:
    """Return where frames on a bridge are lost because nobody lets them through, at most once for each family.

    A rule that is about this bridge, or about bridged frames, is somebody's wish: one that drops what goes between any other two
    interfaces as well is not.
    """
    for family, version in _VERSIONS:
        if family not in families or not filters_bridges.get(version):
            continue
        for packet in _packets(bridge, family, own=own):
            block = ruleset.find_block(packet)
            if block is not None and (block.by_policy or _drops_everything(ruleset, packet, block.chain)):
                yield Silence(bridge, family, block.chain, own=own)
                break


def _packets(bridge: str, family: Family, *, own: bool) -> Iterator[Packet]:
    """Return what guests on a bridge need to get over it: a connection, and where the DHCP server is beyond it, its help."""
    frame = Packet(hook="forward", family=family, incoming=bridge, outgoing=bridge, protocol="tcp", bridged=True)
    yield frame
    if own:
        return
    request = ("0.0.0.0", "255.255.255.255", 67) if family == "ip" else (None, "ff02::1:2", 547)
    yield replace(frame, protocol="udp", source=request[0], destination=request[1], port=request[2])


def _drops_everything(ruleset: Ruleset, packet: Packet, chain: Chain) -> bool:
    incoming, outgoing = _SOMEBODY
    block = ruleset.find_block(replace(packet, incoming=incoming, outgoing=outgoing, bridged=False))
    return block is not None and block.chain.place == chain.place


def say_silence(silences: Sequence[Silence]) -> list[str]:
    """Return what is lost, as parts of a sentence."""
    if not silences:
        return []
    hosts = {silence.bridge for silence in silences if not silence.own}
    own = {silence.bridge for silence in silences if silence.own}
    parts = [f"what guests on {say_list('bridge', hosts)} send and get over it"] if len(hosts) == 1 else []
    parts += [f"what guests on {say_list('bridge', hosts)} send and get over them"] if len(hosts) > 1 else []
    parts += [f"what guests send each other over {say_list('bridge', own)}"] if own else []
    settings = [setting for family, setting in _SETTINGS.items() if any(silence.family == family for silence in silences)]
    verb = "is" if len(settings) == 1 else "are"
    return [*parts[:-1], f"{parts[-1]} ({join_words(settings)} {verb} 1)"]


def silence_finding(ruleset: Ruleset, table: str, silences: Sequence[Silence]) -> Finding:
    """Return what is wrong where a table drops nothing else than frames on bridges."""
    hosts = {silence.bridge for silence in silences if not silence.own}
    return Finding(
        about="bridged_frames_filtered",
        subject="host",
        cause=f"The firewall's table {table}{owner_of(ruleset, table)} drops {join_words(say_silence(silences))}",
        cure=_cure(table, silences),
        effects=effects([of_bridge(bridge) for bridge in hosts], "address"),
    )


def owner_of(ruleset: Ruleset, table: str) -> str:
    """Return whose a table is, where that can be seen, as it follows its name in a sentence."""
    names = [name for _family, of, name in ruleset.chains if of == table]
    owners = dict.fromkeys(owner for mark, owner in _OWNERS if any(name.startswith(mark) for name in names))
    return f" ({join_words(list(owners))})" if owners else ""


def is_role_matter(chain: Chain) -> bool:
    """Say whether the role host_firewall can let frames through in a chain: it is one of iptables or of firewalld."""
    return chain.table == "firewalld" or chain.place in (("ip", "filter", "FORWARD"), ("ip6", "filter", "FORWARD"))


def _cure(table: str, silences: Sequence[Silence]) -> str:
    """Return what to do about it."""
    bridges = {silence.bridge for silence in silences}
    which = say_list("bridge", bridges)
    first = f"accept in the table {table} what both comes in and goes out on {which}"
    if all(is_role_matter(silence.chain) for silence in silences):
        first = f"let it pass with the role kvmops.network.host_firewall (bridged: true for {which})"
    return (
        f"{first}, or, where neither Docker nor Kubernetes runs, keep frames on bridges out of the firewall with "
        "host_firewall_bridge_filtering: disabled of the role kvmops.network.host_firewall"
    )
