# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What is wrong with guests and their NICs. Nothing here touches a host."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.findings import (
    Finding,
    effects,
    explain,
    of_bridge,
    of_network,
    of_nic,
    say_list,
)
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.network_checks import gives_addresses
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import bridge_of
from ansible_collections.kvmops.network.plugins.module_utils._network.state import find_unplugged

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._connectivity.facts import Facts, GuestFacts, Request
    from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import GuestNic
    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Host
    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState
    from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import Nic

    Definition = dict[str, t.Any]

__all__ = ["add_symptoms", "check_guest", "check_plugs"]


def check_plugs(facts: Facts, request: Request, networks: Sequence[NetworkState]) -> Iterator[Finding]:
    """Return which NICs of running guests are not on the bridge on which they belong."""
    if facts.host is None:
        return
    nics = [nic for nic in facts.nics if request.wants_guest(nic.guest)]
    for network in networks:
        unplugged = find_unplugged(network, nics, facts.host.links) if network.active else []
        if unplugged and bridge_of(network.live or {}) in facts.host.links:
            yield _unplugged(facts.host, network, unplugged)
    yield from _check_host_bridges(facts, request)


def _unplugged(host: Host, network: NetworkState, unplugged: Sequence[GuestNic]) -> Finding:
    bridge = bridge_of(network.live or {})
    off = [nic for nic in unplugged if host.links[nic.device or ""].master != bridge]
    guests = tuple(sorted({nic.guest for nic in off or unplugged}))
    cause = f"Somebody was interrupted while plugging guests into the bridge {bridge} of the network '{network.name}' again"
    if off:
        who = say_list("guest", guests)
        cause = (
            f"{who[0].upper()}{who[1:]} {'is' if len(guests) == 1 else 'are'} not plugged into the bridge {bridge} of the "
            f"network '{network.name}', as it is after a restart of the network"
        )
    return Finding(
        about="guests_unplugged",
        subject=f"network {network.name}",
        cause=cause,
        cure="plug in again with the module kvmops.network.libvirt_network, in a task that says no more than "
        f"name: {network.name} and state: active",
        effects=effects([of_nic(nic.mac or "") for nic in off], "address", "reach"),
        guests=guests,
    )


def _check_host_bridges(facts: Facts, request: Request) -> Iterator[Finding]:
    """Return the same of bridges that the host itself has."""
    links = facts.host.links if facts.host is not None else {}
    made = {bridge for state in facts.networks.values() for bridge in state.bridges}
    for guest in facts.running:
        if not request.wants_guest(guest.name):
            continue
        for nic in (each.live for each in guest.state.nics if each.live is not None):
            bridge, link = links.get(nic.bridge or ""), links.get(nic.device or "")
            if bridge is None or bridge.name in made or bridge.kind != "bridge" or link is None or link.master == bridge.name:
                continue
            yield Finding(
                about="guests_unplugged",
                subject=f"guest {guest.name}",
                cause=f"The guest '{guest.name}' is not plugged into the host's bridge {bridge.name}, where its NIC {nic.mac} "
                "belongs",
                cure=f"plug it in with 'ip link set {link.name} master {bridge.name}'",
                effects=effects([of_nic(nic.mac)], "address", "reach"),
                guests=(guest.name,),
            )


def check_guest(guest: GuestFacts, request: Request) -> Iterator[Finding]:
    """Return what is wrong with a guest before anybody has asked it."""
    name, subject = guest.name, f"guest {guest.name}"
    if not guest.state.running:
        if request.expects(name):
            yield Finding("guest_off", subject, f"The guest '{name}' is off", f"start it with 'virsh start {name}'")
        return
    if guest.paused:
        yield Finding(
            about="guest_paused",
            subject=subject,
            cause=f"The guest '{name}' is paused, and answers nobody",
            cure=f"let it go on with 'virsh resume {name}'",
            effects=effects([of_nic(nic.live.mac) for nic in guest.state.nics if nic.live is not None], "address", "reach"),
            guests=(name,),
        )
    for nic in guest.state.nics:
        live, stored = nic.live, nic.stored
        if live is None or live.definition.get("link") != "down":
            continue
        wished = stored is not None and stored.definition.get("link") == "down"
        if wished and not request.expects(name):
            continue
        yield Finding(
            about="link_down",
            subject=subject,
            cause=f"The link of the NIC {live.mac} of the guest '{name}' is down"
            + (", in its stored definition as well" if wished else ""),
            cure=f"set it up with 'virsh domif-setlink {name} {live.device or live.mac} up'"
            + (", and once more with --config" if wished else ""),
            effects=effects([of_nic(live.mac)], "address", "reach"),
            guests=(name,),
        )


def add_symptoms(facts: Facts, request: Request, findings: list[Finding]) -> None:
    """Add what is seen at guests, each to the findings that explain it, and as one of its own where none does."""
    for guest in facts.running:
        if not request.wants_guest(guest.name):
            continue
        for nic in (each.live for each in guest.state.nics if each.live is not None):
            _add_symptoms_of(facts, request, guest, nic, findings)


def _add_symptoms_of(facts: Facts, request: Request, guest: GuestFacts, nic: Nic, findings: list[Finding]) -> None:
    network = facts.network_of(nic)
    places = [of_nic(nic.mac)] + ([of_network(network.name)] if network is not None else [])
    bridge = facts.bridge_of(nic)
    places += [of_bridge(bridge)] if bridge is not None else []
    addresses = guest.addresses_of(nic.mac)
    asked = [address for address in addresses if address in facts.probes]
    if not addresses:
        finding = _no_address(facts, request, guest, nic, network)
        symptoms = effects(places, "address")
    elif asked and not any(facts.probes[address].answers for address in asked):
        finding = _no_answer(facts, guest, nic, asked)
        symptoms = effects(places, "reach")
    elif not asked:
        finding, symptoms = None, effects(places, "reach")
    else:
        findings += _closed_ports(facts, request, guest, asked)
        return
    explained = explain(findings, guest.name, symptoms) or nic.definition.get("link") == "down"
    if finding is not None and not explained:
        findings.append(finding)


def _no_address(facts: Facts, request: Request, guest: GuestFacts, nic: Nic, network: NetworkState | None) -> Finding | None:
    """Return why a NIC has no address, None where it is not known that it should have one."""
    live = network.live if network is not None else None
    if network is None or live is None:
        return None
    name, who = guest.name, f"The guest '{guest.name}' has no address on its NIC {nic.mac}"
    subject = f"guest {name}"
    if not gives_addresses(live):
        if not request.expects(name) or not live.get("ips"):
            return None
        return Finding(
            about="no_dhcp",
            subject=subject,
            cause=f"{who} that the host has seen, and the network '{network.name}' has no DHCP server",
            cure="give the guest a fixed address inside it, or the network a DHCP range",
            guests=(name,),
        )
    cause, cure = _why_no_lease(facts, guest, nic, network.name, live)
    return Finding(about="no_lease", subject=subject, cause=f"{who}: {cause}", cure=cure, guests=(name,))


def _why_no_lease(facts: Facts, guest: GuestFacts, nic: Nic, network: str, live: Definition) -> tuple[str, str]:
    size = _pool_size(live)
    if size <= facts.leases.get(network, 0) and not _is_reserved(live, nic.mac):
        return (
            f"all {size} addresses that the network '{network}' gives away are taken"
            if size
            else f"the network '{network}' gives addresses to those alone for whom it has reserved them",
            "make its DHCP range larger, or reserve an address for the guest",
        )
    filterref = nic.definition.get("filterref", {}).get("filter")
    if filterref is not None:
        return (
            f"it has got no lease, and the network filter '{filterref}' decides what the NIC may send",
            f"see with 'virsh nwfilter-dumpxml {filterref}' whether that includes DHCP",
        )
    if guest.sent.get(nic.mac) == 0:
        return (
            "it has not sent a single packet there",
            f"see with 'virsh console {guest.name}' whether it has booted and its interface is up",
        )
    return (
        "it sends, but has got no lease",
        f"see with 'virsh console {guest.name}' whether a DHCP client runs on that interface, or give it a fixed address there",
    )


def _pool_size(live: Definition) -> int:
    return sum(
        int(ipaddress.ip_address(pair["end"])) - int(ipaddress.ip_address(pair["start"])) + 1
        for entry in live.get("ips", [])
        for pair in entry.get("dhcp", {}).get("ranges", [])
    )


def _is_reserved(live: Definition, mac: str) -> bool:
    hosts = [host for entry in live.get("ips", []) for host in entry.get("dhcp", {}).get("hosts", [])]
    return any(host.get("mac", "").lower() == mac for host in hosts)


def _no_answer(facts: Facts, guest: GuestFacts, nic: Nic, asked: Sequence[str]) -> Finding:
    name, addresses = guest.name, ", ".join(asked)
    if any(facts.probes[address].neighbour for address in asked):
        return Finding(
            about="guest_silent",
            subject=f"guest {name}",
            cause=f"The guest '{name}' is there at {addresses}, but answers neither pings nor on any port that was tried",
            cure="let them through in the guest's own firewall",
            guests=(name,),
        )
    return Finding(
        about="guest_unreachable",
        subject=f"guest {name}",
        cause=f"Nobody answers at {addresses}, the address of the guest '{name}' on its NIC {nic.mac}",
        cure=f"see with 'virsh console {name}' whether it has booted, its interface is up and has this address",
        guests=(name,),
    )


def _closed_ports(facts: Facts, request: Request, guest: GuestFacts, asked: Sequence[str]) -> Iterator[Finding]:
    """Return which ports that have to be open are not, on any address that answers."""
    name = guest.name
    there = [address for address in asked if facts.probes[address].answers]
    for port in request.ports or ():
        answers = {facts.probes[address].ports.get(port) for address in there}
        if "open" in answers:
            continue
        refused = "closed" in answers
        yield Finding(
            about="port_closed" if refused else "port_filtered",
            subject=f"guest {name}",
            cause=f"The guest '{name}' answers at {', '.join(there)}, but "
            + (f"refuses connections to port {port}" if refused else f"not on port {port}"),
            cure=(
                f"start in it what shall listen there, or let port {port} through in its own firewall"
                if refused
                else f"let port {port} through in the guest's own firewall"
            ),
            guests=(name,),
        )
