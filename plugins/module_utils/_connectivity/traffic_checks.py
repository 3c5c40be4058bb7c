# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What keeps guests' packets from getting through the host: the kernel's settings, and its firewall.

Nothing here touches a host.
"""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.bridged import (
    find_silence,
    owner_of,
    say_silence,
    silence_finding,
)
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.findings import (
    Finding,
    effects,
    join_words,
    of_bridge,
    of_network,
    say_list,
)
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.traffic import (
    families_of,
    has_rules_of_libvirt,
    is_forwarded,
    needs_of,
)
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import bridge_of, mode_of, owns_bridge

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._connectivity.bridged import Silence
    from ansible_collections.kvmops.network.plugins.module_utils._connectivity.facts import Facts
    from ansible_collections.kvmops.network.plugins.module_utils._connectivity.firewall import Chain, Family, Ruleset
    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState

    Definition = dict[str, t.Any]
    Lost = dict[str, dict[str, list[str]]]  # what is lost in a table: by kind, the networks whose guests lose it
    Silences = dict[str, list[Silence]]  # the bridges on which frames are lost in a table

__all__ = ["check_forwarding", "check_traffic"]

_SETTINGS = {4: "net.ipv4.ip_forward", 6: "net.ipv6.conf.all.forwarding"}
_WHAT = {
    "out": "what they send out",
    "dhcp": "their DHCP requests",
    "dns": "their DNS queries",
    "host": "what goes between them and the host",
}
_EXISTING = "filter"  # the table in which iptables, and with it libvirt, has its rules


def check_forwarding(facts: Facts, networks: Sequence[NetworkState]) -> Iterator[Finding]:
    """Return which of the kernel's settings keep guests from going out."""
    for version, family in ((4, "ip"), (6, "ip6")):
        names = [state.name for state in networks if is_forwarded(state.live or {}) and family in families_of(state.live or {})]
        if names and facts.forwarding.get(version) is False:
            setting = _SETTINGS[version]
            yield Finding(
                about="forwarding_off",
                subject="host",
                cause=f"The host forwards no IPv{version} packets ({setting} is 0), and guests of {say_list('network', names)} "
                "get no further than to it",
                cure=f"turn it on with 'sysctl {setting}=1', and find out what turned it off (a file in /etc/sysctl.d?)",
            )


def check_traffic(facts: Facts, networks: Sequence[NetworkState]) -> Iterator[Finding]:
    """Return what the firewall keeps from the guests."""
    ruleset = facts.firewall
    if ruleset is None:
        return
    own = [state for state in networks if state.live is not None and owns_bridge(state.live)]
    bare = [state.name for state in own if _lacks_rules(facts, ruleset, state.live or {})]
    if bare:
        yield _rules_missing(facts, bare)
    lost: Lost = {}
    for state in own:
        _note_lost_needs(facts, ruleset, state, lost, bare=state.name in bare)
    silences = _find_silences(facts, ruleset, networks)
    for table in sorted({*lost, *silences}):
        if table in lost:
            yield _dropped(ruleset, table, lost[table], silences.get(table, []))
        else:
            yield silence_finding(ruleset, table, silences[table])


def _lacks_rules(facts: Facts, ruleset: Ruleset, live: Definition) -> bool:
    if mode_of(live) == "open" or facts.backend == "none":
        return False
    return any(not has_rules_of_libvirt(ruleset, live, family) for family in families_of(live))


def _rules_missing(facts: Facts, names: Sequence[str]) -> Finding:
    return Finding(
        about="firewall_rules_missing",
        subject="host",
        cause=f"libvirt's firewall rules for {say_list('network', names)} are gone, as after a flush of all rules",
        cure=f"restart libvirt's daemon, which makes them anew and spares the guests: 'systemctl restart {facts.network_daemon}'",
        effects=effects([of_network(name) for name in names], "address"),
    )


def _note_lost_needs(facts: Facts, ruleset: Ruleset, state: NetworkState, lost: Lost, *, bare: bool) -> None:
    live = state.live or {}
    forward = live.get("forward", {})
    uplink = forward.get("dev") or next(iter(facts.default_devices), None)
    for need in needs_of(live, uplink):
        block = ruleset.find_block(need.packet)
        if block is None or (bare and _would_be_let_through(facts, ruleset, block.chain)):
            continue
        names = lost.setdefault(block.chain.table, {}).setdefault(need.kind, [])
        if state.name not in names:
            names.append(state.name)


def _would_be_let_through(facts: Facts, ruleset: Ruleset, chain: Chain) -> bool:
    """Say whether a chain is one in which libvirt's rules, which are missing, may let the packet through."""
    uses_nftables = facts.backend == "nftables" or any(table == "libvirt_network" for _f, table, _n in ruleset.chains)
    return chain.table == _EXISTING and not uses_nftables


def _find_silences(facts: Facts, ruleset: Ruleset, networks: Sequence[NetworkState]) -> Silences:
    """Return the bridges on which guests do not reach each other or the LAN, because bridged frames go through the firewall."""
    left_out = {bridge_of(state.live or {}) for state in facts.networks.values()} - {
        bridge_of(state.live or {}) for state in networks
    }
    own = {bridge_of(state.live): state.live for state in facts.networks.values() if state.live and owns_bridge(state.live)}
    nics = [nic.live for guest in facts.running for nic in guest.state.nics if nic.live is not None]
    found: Silences = {}
    for bridge in sorted({nic.bridge for nic in nics if nic.bridge is not None} - left_out):
        families: list[Family] = families_of(own[bridge]) if bridge in own else ["ip", "ip6"]
        for silence in find_silence(ruleset, facts.filters_bridges, bridge, families=families, own=bridge in own):
            found.setdefault(silence.chain.table, []).append(silence)
    return found


def _dropped(ruleset: Ruleset, table: str, lost: dict[str, list[str]], silences: Sequence[Silence]) -> Finding:
    named = sorted({name for names in lost.values() for name in names})
    what = [text for kind, text in _WHAT.items() if kind in lost]
    hosts = {silence.bridge for silence in silences if not silence.own}
    parts = [f"packets of guests on {say_list('network', named)} ({join_words(what)})", *say_silence(silences)]
    return Finding(
        about="firewall_drops",
        subject="host",
        cause=f"The firewall's table {table}{owner_of(ruleset, table)} drops {join_words(parts)}",
        cure=_cure(table, owner_of(ruleset, table), hosts),
        effects=effects([of_network(name) for name in lost.get("dhcp", [])], "address")
        | effects([of_network(name) for name in lost.get("host", [])], "reach")
        | effects([of_bridge(bridge) for bridge in hosts], "address"),
    )


def _cure(table: str, owner: str, hosts: set[str]) -> str:
    """Return what to do about a table of some owner, where frames on bridges of the host are lost in it as well."""
    bridged = f", bridged: true for {say_list('bridge', hosts)}" if hosts else ""
    if table == "firewalld" or "ufw" in owner:
        return f"let guests through with the role kvmops.network.host_firewall (forward: true for their bridge{bridged})"
    if "Docker" not in owner:
        return "let the guests' bridge through in it, both what comes in there and what goes out"
    return (
        'have Docker (28 or later) leave forwarding alone with "ip-forward-no-drop": true in /etc/docker/daemon.json, or accept '
        "the guests' bridge in the chain DOCKER-USER"
    )
