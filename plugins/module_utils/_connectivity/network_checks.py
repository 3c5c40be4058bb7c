# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What is wrong with networks and their bridges. Nothing here touches a host."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.findings import (
    Finding,
    effects,
    of_bridge,
    of_network,
    say_list,
)
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import (
    bridge_of,
    mode_of,
    own_bridge_of,
    owns_bridge,
    subnets_of,
)
from ansible_collections.kvmops.network.plugins.module_utils._network.state import nics_of
from ansible_collections.kvmops.network.plugins.module_utils._network.subnets import Occupancy
from ansible_collections.kvmops.network.plugins.module_utils._network.surroundings import list_occupied

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.kvmops.network.plugins.module_utils._connectivity.facts import Facts
    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Host
    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState

    Definition = dict[str, t.Any]

__all__ = ["check_network", "gives_addresses", "made_bridges", "needs_server"]


def check_network(facts: Facts, network: NetworkState) -> Iterator[Finding]:
    """Return what is wrong with a network."""
    yield from _check_state(facts, network)
    live, host = network.live, facts.host
    if live is None or host is None:
        return
    if bridge_of(live) is None:
        yield from _check_devices(network, live, host)
        return
    found = list(_check_bridge(network, live, host))
    yield from found
    if found:
        return  # without its bridge all else is missing as well
    yield from _check_devices(network, live, host)
    if owns_bridge(live):
        yield from _check_addresses(network, live, host)
        yield from _check_subnets(facts, network)
        yield from _check_server(facts, network, live)


def _check_state(facts: Facts, network: NetworkState) -> Iterator[Finding]:
    name = network.name
    subject = f"network {name}"
    if not network.active:
        yield _inactive(facts, network)
    if network.stored is None:
        yield Finding(
            about="network_transient",
            subject=subject,
            cause=f"The network '{name}' runs without a stored definition and is gone when it stops or the host boots",
            cure="define it with the module kvmops.network.libvirt_network, which does not touch what runs",
            severity="warning",
        )
    elif not network.autostart:
        yield Finding(
            about="autostart_off",
            subject=subject,
            cause=f"The network '{name}' is not started when the host boots",
            cure=f"turn that on with 'virsh net-autostart {name}'",
            severity="warning",
        )


def _inactive(facts: Facts, network: NetworkState) -> Finding:
    name = network.name
    taken = _takers(facts, network)
    guests = {nic.guest for nic in nics_of(network, facts.nics)}
    cure = f"start it with 'virsh net-start {name}'"
    if taken:
        cure = f"give it another subnet with the module kvmops.network.libvirt_network, since {taken[0][0]} is {taken[0][1]} too"
    elif guests:
        cure = (
            "start it with the module kvmops.network.libvirt_network, which also plugs in again "
            f"{say_list('guest', guests)} ('virsh net-start' does not)"
        )
    return Finding(
        about="network_inactive",
        subject=f"network {name}",
        cause=f"The network '{name}' does not run",
        cure=cure,
        effects=effects([of_network(name)], "address", "reach"),
        guests=tuple(sorted(guests)),
    )


def _check_bridge(network: NetworkState, live: Definition, host: Host) -> Iterator[Finding]:
    """Return what is wrong with the bridge, unless it is one of Open vSwitch, which the kernel does not show as such."""
    bridge, name = bridge_of(live) or "", network.name
    if live.get("virtualport", {}).get("type") == "openvswitch":
        return
    link = host.links.get(bridge)
    places = effects([of_network(name), of_bridge(bridge)], "address", "reach")
    cure = (
        f"stop the network with 'virsh net-destroy {name}' and start it with the module kvmops.network.libvirt_network, which "
        "plugs its guests in again"
        if owns_bridge(live)
        else "make it with the role kvmops.network.external_bridge"
    )
    if link is None:
        yield Finding(
            about="bridge_missing",
            subject=f"network {name}",
            cause=f"The bridge {bridge} of the network '{name}' is not there",
            cure=cure,
            effects=places,
        )
    elif not link.up:
        yield Finding(
            about="bridge_down",
            subject=f"network {name}",
            cause=f"The bridge {bridge} of the network '{name}' is down",
            cure=f"set it up with 'ip link set {bridge} up'",
            effects=places,
        )


def _check_devices(network: NetworkState, live: Definition, host: Host) -> Iterator[Finding]:
    """Return which of the interfaces that the network goes through are missing or down."""
    forward = live.get("forward", {})
    named = [entry["dev"] for entry in (forward, *forward.get("interfaces", [])) if "dev" in entry]
    own = not owns_bridge(live)
    for device in dict.fromkeys(named):
        link = host.links.get(device)
        if link is not None and link.up:
            continue
        what = "is not there" if link is None else "is down"
        yield Finding(
            about="uplink_missing" if link is None else "uplink_down",
            subject=f"network {network.name}",
            cause=f"The network '{network.name}' goes out through {device}, which {what}",
            cure=(
                "name an interface of this host in its forward.dev"
                if link is None
                else f"set it up with 'ip link set {device} up' and in the host's own configuration"
            ),
            effects=effects([of_network(network.name)] if own else [], "address", "reach"),
        )


def _check_addresses(network: NetworkState, live: Definition, host: Host) -> Iterator[Finding]:
    bridge = bridge_of(live) or ""
    there = {address.ip for address in host.links[bridge].addresses}
    for entry in live.get("ips", []):
        if ipaddress.ip_address(entry["address"]) not in there:
            address = f"{entry['address']}/{entry['prefix']}"
            yield Finding(
                about="address_missing",
                subject=f"network {network.name}",
                cause=f"The bridge {bridge} has lost the address {address} of the network '{network.name}', the guests' gateway",
                cure=f"give it back with 'ip addr add {address} dev {bridge}'",
                effects=effects([of_network(network.name)], "address", "reach"),
            )


def _check_subnets(facts: Facts, network: NetworkState) -> Iterator[Finding]:
    for subnet, owner in _takers(facts, network)[:1]:
        yield Finding(
            about="subnet_taken",
            subject=f"network {network.name}",
            cause=f"The subnet {subnet} of the network '{network.name}' overlaps with {owner}",
            cure="give the network another subnet, or take the other away",
            effects=effects([of_network(network.name)], "reach"),
        )


def _takers(facts: Facts, network: NetworkState) -> list[tuple[str, str]]:
    """Return which of a network's subnets are somebody else's as well, and whose."""
    running = [state for state in facts.networks.values() if state.live is not None and state.name != network.name]
    occupancy = Occupancy(list_occupied(running, facts.host, made_bridges(facts)))
    return [
        (str(subnet), other.owner)
        for subnet in subnets_of(network.live or network.stored or {})
        for other in occupancy.meeting(subnet)
        if not (other.wide and other.subnet.prefixlen < subnet.prefixlen)
    ]


def made_bridges(facts: Facts) -> set[str]:
    """Return the names of the bridges that libvirt has made for networks that run."""
    return {bridge for state in facts.networks.values() for bridge in [own_bridge_of(state.live or {})] if bridge is not None}


def _check_server(facts: Facts, network: NetworkState, live: Definition) -> Iterator[Finding]:
    if facts.servers is None or network.name in facts.servers or not needs_server(live):
        return
    lost = " and ".join((["addresses"] if gives_addresses(live) else []) + (["names"] if _answers_names(live) else []))
    yield Finding(
        about="dnsmasq_down",
        subject=f"network {network.name}",
        cause=f"The dnsmasq of the network '{network.name}' does not run, and guests get no {lost}",
        cure=f"restart libvirt's daemon, which starts it: 'systemctl restart {facts.network_daemon}'",
        effects=effects([of_network(network.name)], "address"),
    )


def needs_server(live: Definition) -> bool:
    """Say whether libvirt runs a dnsmasq for a network."""
    return bool(live.get("ips")) and (gives_addresses(live) or _answers_names(live))


def gives_addresses(live: Definition) -> bool:
    """Say whether a network has a DHCP server."""
    return owns_bridge(live) and any(
        entry.get("dhcp", {}).get("ranges") or entry.get("dhcp", {}).get("hosts") for entry in live.get("ips", [])
    )


def _answers_names(live: Definition) -> bool:
    return bool(live.get("dns", {}).get("enable", True)) and mode_of(live) in ("none", "nat", "route", "open")
