# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What was found, as the module's result and as a table to read. Nothing here touches a host."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.network_checks import needs_server
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import bridge_of, mode_of
from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import type_of
from ansible_collections.kvmops.network.plugins.module_utils._nic.view import describe_addresses

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._connectivity.facts import Facts, GuestFacts, Probe, Request
    from ansible_collections.kvmops.network.plugins.module_utils._connectivity.findings import Finding
    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState
    from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import Nic

    Row = dict[str, t.Any]

__all__ = ["describe_guests", "describe_networks", "make_report"]

_NETWORK_TITLES = ("NETWORK", "MODE", "STATE", "AUTOSTART", "PERSISTENT", "BRIDGE", "HOST IS", "GUESTS GET")
_GUEST_TITLES = ("GUEST", "STATE", "NIC", "ON", "LINK", "ADDRESS", "SEEN BY", "PING", "PORTS")


def describe_networks(facts: Facts, request: Request) -> list[Row]:
    """Return the networks as the module's result shows them."""
    return [_describe_network(facts, state) for name, state in sorted(facts.networks.items()) if request.wants_network(name)]


def _describe_network(facts: Facts, state: NetworkState) -> Row:
    definition = state.live or state.stored or {}
    bridge = bridge_of(definition)
    link = facts.host.links.get(bridge or "") if facts.host is not None else None
    served = state.live is not None and facts.servers is not None and needs_server(state.live)
    return {
        "name": state.name,
        "mode": mode_of(definition),
        "active": state.active,
        "autostart": state.autostart,
        "persistent": state.stored is not None,
        "bridge": bridge,
        "addresses": [f"{entry['address']}/{entry['prefix']}" for entry in definition.get("ips", [])],
        "bridge_addresses": [str(address) for address in link.addresses] if link is not None else [],
        "dhcp_ranges": [
            {"start": pair["start"], "end": pair["end"]}
            for entry in definition.get("ips", [])
            for pair in entry.get("dhcp", {}).get("ranges", [])
        ],
        "dnsmasq": state.name in (facts.servers or ()) if served else None,
    }


def describe_guests(facts: Facts, request: Request) -> list[Row]:
    """Return the guests that run, and those that were asked for, as the module's result shows them."""
    return [
        {
            "name": guest.name,
            "state": _state_of(guest),
            "nics": [_describe_nic(facts, guest, nic.live) for nic in guest.state.nics if nic.live is not None],
        }
        for guest in sorted(facts.guests, key=lambda guest: guest.name)
        if request.wants_guest(guest.name) and (guest.state.running or request.expects(guest.name))
    ]


def _state_of(guest: GuestFacts) -> str:
    if not guest.state.running:
        return "off"
    return "paused" if guest.paused else "running"


def _describe_nic(facts: Facts, guest: GuestFacts, nic: Nic) -> Row:
    network = facts.network_of(nic)
    return {
        "mac": nic.mac,
        "type": type_of(nic.definition),
        "network": network.name if network is not None else None,
        "bridge": nic.bridge,
        "device": nic.device,
        "link": nic.definition.get("link", "up"),
        "addresses": [
            {**each, **_describe_probe(facts.probes.get(each["address"]))} for each in describe_addresses(guest.seen, {nic.mac})
        ],
    }


def _describe_probe(probe: Probe | None) -> Row:
    if probe is None:
        return {"ping": None, "ports": {}}
    return {"ping": probe.ping, "ports": {str(port): answer for port, answer in sorted(probe.ports.items())}}


def make_report(networks: Sequence[Row], guests: Sequence[Row], findings: Sequence[Finding]) -> str:
    """Return it all as text."""
    parts = []
    if networks:
        parts.append(_table(_NETWORK_TITLES, [_network_cells(network) for network in networks]))
    if guests:
        parts.append(_table(_GUEST_TITLES, [cells for guest in guests for cells in _guest_cells(guest)]))
    sentences = [f"{finding.severity.upper()} {finding.sentence}" for finding in findings]
    return "\n".join([*parts, *(sentences or ["Nothing is wrong."])]) + "\n"


def _network_cells(network: Row) -> list[str]:
    return [
        network["name"],
        network["mode"],
        "active" if network["active"] else "inactive",
        _say(network["autostart"]),
        _say(network["persistent"]),
        network["bridge"] or "-",
        ", ".join(network["addresses"]) or "-",
        ", ".join(f"{pair['start']} to {pair['end']}" for pair in network["dhcp_ranges"]) or "-",
    ]


def _guest_cells(guest: Row) -> Iterator[list[str]]:
    if not guest["nics"]:
        yield [guest["name"], guest["state"], *["-"] * 7]
    for nic in guest["nics"]:
        first = [guest["name"], guest["state"], nic["mac"], nic["network"] or nic["bridge"] or nic["type"], nic["link"]]
        for each in nic["addresses"]:
            ports = ", ".join(f"{port} {answer}" for port, answer in each["ports"].items())
            yield [*first, each["address"], ", ".join(each["origins"]), _say(each["ping"]), ports or "-"]
        if not nic["addresses"]:
            yield [*first, *["-"] * 4]


def _say(value: bool | None) -> str:
    if value is None:
        return "-"
    return "yes" if value else "no"


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [list(titles), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(titles))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines) + "\n"
