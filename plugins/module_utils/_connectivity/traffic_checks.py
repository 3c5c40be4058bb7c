# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What keeps guests' packets from getting through the host: the kernel's settings, and its firewall.

Nothing here touches a host.
"""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.findings import (
    Finding,
    effects,
    join_words,
    of_network,
    say_list,
)
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.traffic import (
    bridged_packet,
    families_of,
    has_rules_of_libvirt,
    is_forwarded,
    needs_of,
)
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import bridge_of, mode_of, owns_bridge

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._connectivity.facts import Facts
    from ansible_collections.kvmops.network.plugins.module_utils._connectivity.firewall import Chain, Ruleset
    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState

    Definition = dict[str, t.Any]
    Lost = dict[str, dict[str, list[str]]]  # what is lost in a table: by kind, the networks or bridges whose guests lose it

__all__ = ["check_forwarding", "check_traffic"]

_SETTINGS = {4: "net.ipv4.ip_forward", 6: "net.ipv6.conf.all.forwarding"}
_WHAT = {
    "out": "what they send out",
    "dhcp": "their DHCP requests",
    "dns": "their DNS queries",
    "host": "what goes between them and the host",
}
_OWNERS = (("ufw-", "ufw"), ("DOCKER", "Docker"))
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
    _note_bridged(facts, ruleset, networks, lost)
    for table in sorted(lost):
        yield _dropped(ruleset, table, lost[table])


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


def _note_bridged(facts: Facts, ruleset: Ruleset, networks: Sequence[NetworkState], lost: Lost) -> None:
    """Note the bridges on which guests do not reach each other or the LAN, because bridged frames go through the firewall.

    Only what a policy drops counts: a rule that keeps guests of one bridge apart is somebody's wish.
    """
    if not facts.filters_bridges.get(4):
        return
    left_out = {bridge_of(state.live or {}) for state in facts.networks.values()} - {
        bridge_of(state.live or {}) for state in networks
    }
    nics = [nic.live for guest in facts.running for nic in guest.state.nics if nic.live is not None]
    for bridge in sorted({nic.bridge for nic in nics if nic.bridge is not None}):
        block = ruleset.find_block(bridged_packet(bridge))
        if block is not None and block.by_policy and bridge not in left_out:
            lost.setdefault(block.chain.table, {}).setdefault("bridged", []).append(bridge)


def _dropped(ruleset: Ruleset, table: str, lost: dict[str, list[str]]) -> Finding:
    bridges = lost.get("bridged", [])
    named = sorted({name for kind, names in lost.items() if kind != "bridged" for name in names})
    owner, cure = _owner(ruleset, table)
    what = [text for kind, text in _WHAT.items() if kind in lost]
    parts = [f"packets of guests on {say_list('network', named)} ({join_words(what)})"] if named else []
    if bridges:
        parts.append(f"what guests send each other over {say_list('bridge', bridges)} (net.bridge.bridge-nf-call-iptables is 1)")
    if not named:
        cure = "keep bridged frames out of the firewall with 'sysctl net.bridge.bridge-nf-call-iptables=0' and in /etc/sysctl.d"
    return Finding(
        about="firewall_drops" if named else "bridged_frames_filtered",
        subject="host",
        cause=f"The firewall's table {table}{owner} drops {join_words(parts)}",
        cure=cure,
        effects=effects([of_network(name) for name in lost.get("dhcp", [])], "address")
        | effects([of_network(name) for name in lost.get("host", [])], "reach"),
    )


def _owner(ruleset: Ruleset, table: str) -> tuple[str, str]:
    """Return whose a table is, where that can be seen, and what to do about it."""
    names = [name for _family, of, name in ruleset.chains if of == table]
    owners = [owner for mark, owner in _OWNERS if any(name.startswith(mark) for name in names)]
    role = "let guests through with the role kvmops.network.host_firewall (forward: true for their bridge)"
    if table == "firewalld":
        return "", role
    if not owners:
        return "", "let the guests' bridge through in it, both what comes in there and what goes out"
    if owners[0] == "ufw":
        return f" ({join_words(owners)})", role
    return " (Docker)", (
        'have Docker (28 or later) leave forwarding alone with "ip-forward-no-drop": true in /etc/docker/daemon.json, or accept '
        "the guests' bridge in the chain DOCKER-USER"
    )
