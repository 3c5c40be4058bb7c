# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Reading what a host's guests need to be connected, and saying what is wrong with it."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.daemons import UNITS, daemon_of_networks
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.diagnosis import diagnose
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.facts import Facts, GuestFacts, source_for
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.network_checks import gives_addresses
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.request import OPTIONS, read_request
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.requirement import explain_requirement
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.view import (
    describe_guests,
    describe_networks,
    make_report,
)
from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import CONNECTION_OPTIONS, Connection, check_libraries
from ansible_collections.kvmops.network.plugins.module_utils._edge.firewall import read_backend, read_firewall
from ansible_collections.kvmops.network.plugins.module_utils._edge.forwards import (
    read_faults,
    read_forwards,
    read_idle,
    read_owned_files,
)
from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import Guests
from ansible_collections.kvmops.network.plugins.module_utils._edge.host_state import (
    has_libvirt,
    read_bridge_filtering,
    read_forwarding,
    read_units,
    running_servers,
)
from ansible_collections.kvmops.network.plugins.module_utils._edge.links import read_default_devices
from ansible_collections.kvmops.network.plugins.module_utils._edge.probes import Target, pings, probe_targets
from ansible_collections.kvmops.network.plugins.module_utils._errors import RequirementError
from ansible_collections.kvmops.network.plugins.module_utils._module import command_runner, run_module, see_host
from ansible_collections.kvmops.network.plugins.module_utils._network.state import read_state
from ansible_collections.kvmops.network.plugins.module_utils._nic.arrival import open_eyes
from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import read_guest

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._connectivity.facts import Request
    from ansible_collections.kvmops.network.plugins.module_utils._connectivity.findings import Finding
    from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import GuestState
    from ansible_collections.kvmops.network.plugins.module_utils._nic.waiting import Eyes

__all__ = ["run_connectivity_reading"]


def run_connectivity_reading() -> t.NoReturn:
    """Run the module that looks at guests' connections."""
    options = {**CONNECTION_OPTIONS, **OPTIONS}
    run_module(AnsibleModule(argument_spec=options, supports_check_mode=True), _read)


def _read(module: AnsibleModule) -> dict[str, t.Any]:
    request = read_request(module.params)
    try:
        facts = _read_facts(module, request)
    except RequirementError as error:
        units = read_units(command_runner(module), UNITS)
        finding = explain_requirement(error, installed=has_libvirt(), units=units)
        if finding is None:
            raise
        return _result([], [], [finding])
    findings = diagnose(facts, request)
    return _result(describe_networks(facts, request), describe_guests(facts, request), findings)


def _result(networks: list[dict[str, t.Any]], guests: list[dict[str, t.Any]], findings: list[Finding]) -> dict[str, t.Any]:
    return {
        "changed": False,
        "ok": not findings,
        "findings": [finding.describe() for finding in findings],
        "networks": networks,
        "guests": guests,
        "report": make_report(networks, guests, findings),
    }


def _read_facts(module: AnsibleModule, request: Request) -> Facts:
    check_libraries()
    with Connection(module.params["uri"]) as connection:
        networks = {name: read_state(name, record) for name, record in connection.read_networks().items()}
        guests = Guests(connection)
        states = [read_guest(record) for record in guests.read_all()]
        eyes, paused = open_eyes(module, guests), guests.paused()
        facts = Facts(
            networks=networks,
            guests=tuple(_look_at(eyes, state, paused, wanted=request.wants_guest(state.name)) for state in states),
            nics=tuple(connection.read_guest_nics()),
            leases={
                name: len(connection.read_leases(name) or [])
                for name, state in networks.items()
                if state.live is not None and gives_addresses(state.live)
            },
        )
    return _with_host(module, request, facts)


def _look_at(eyes: Eyes, state: GuestState, paused: set[str], *, wanted: bool) -> GuestFacts:
    if not state.running or not wanted:
        return GuestFacts(state, paused=state.name in paused)
    counters = {
        nic.live.mac: eyes.guests.statistics(state.name, nic.live.device)
        for nic in state.nics
        if nic.live is not None and nic.live.device is not None
    }
    return GuestFacts(
        state,
        paused=state.name in paused,
        # who is paused keeps those waiting who ask its agent
        seen=tuple(eyes.look(state.name, state.bridges, agent=state.name not in paused)),
        sent={mac: found["rx_packets"] for mac, found in counters.items() if found is not None},
    )


def _with_host(module: AnsibleModule, request: Request, facts: Facts) -> Facts:
    """Return the facts with those of the kernel, where it is the daemon's, and with what comes of asking guests."""
    host = see_host(module)
    if host is None:
        return facts
    run = command_runner(module)
    firewall, reason = read_firewall(run)
    if firewall is None:
        module.warn(f"The host's firewall is not looked at: {reason}.")
    facts = replace(
        _with_forwards(module, facts),
        host=host,
        servers=running_servers(facts.networks),
        forwarding=read_forwarding(),
        filters_bridges=read_bridge_filtering(),
        firewall=firewall,
        backend=read_backend(),
        network_daemon=daemon_of_networks(read_units(run, UNITS)),
        default_devices=tuple(read_default_devices(run)),
    )
    probes = probe_targets(run, _targets(facts), request.tried_ports, timeout=request.timeout)
    outside = pings(run, request.outside, timeout=request.timeout) if request.outside is not None else None
    return replace(facts, probes=probes, outside_answers=outside)


def _with_forwards(module: AnsibleModule, facts: Facts) -> Facts:
    """Return the facts with the ports of the host that lead into guests."""
    run = command_runner(module)
    try:
        files = read_owned_files()
        forwards = read_forwards(files)
    except RequirementError as error:
        module.warn(f"The host's port forwards are not looked at: {error}")
        return facts
    return replace(
        facts,
        forwards=tuple(forwards[name] for name in sorted(forwards)),
        forward_faults=tuple(read_faults(run, files)),
        forward_idle=tuple(read_idle(run, files)),
    )


def _targets(facts: Facts) -> list[Target]:
    """Return the addresses of guests that the host can ask over the bridge that they are on."""
    links = facts.host.links if facts.host is not None else {}
    found: dict[str, Target] = {}
    for guest in facts.running:
        for nic in (each.live for each in guest.state.nics if each.live is not None):
            link = links.get(facts.bridge_of(nic) or "")
            if link is None:
                continue
            for address in guest.addresses_of(nic.mac):
                source = source_for(link, address)
                if source is not None:
                    found[address] = Target(address, link.name, link.mac or "", source)
    return list(found.values())
