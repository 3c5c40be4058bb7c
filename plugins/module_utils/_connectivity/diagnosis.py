# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""From what was read of a host to what is wrong with it. Nothing here touches a host.

What is wrong is found from the host outwards to the guests: networks, their bridges, what passes through the host, NICs. What is
seen at a guest in the end is a finding of its own only where nothing that was found before brings it about.
"""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.findings import Finding
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.guest_checks import (
    add_symptoms,
    check_guest,
    check_plugs,
)
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.network_checks import check_network
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.traffic_checks import check_forwarding, check_traffic
from ansible_collections.kvmops.network.plugins.module_utils._forward.health import find_problems

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.kvmops.network.plugins.module_utils._connectivity.facts import Facts, Request

__all__ = ["diagnose"]


def diagnose(facts: Facts, request: Request) -> list[Finding]:
    """Return what is wrong with a host, from the inside out."""
    networks = [state for name, state in sorted(facts.networks.items()) if request.wants_network(name)]
    findings = [*_missing_names(facts, request)]
    for network in networks:
        findings += check_network(facts, network)
    findings += check_forwarding(facts, networks)
    findings += check_traffic(facts, networks)
    findings += check_plugs(facts, request, networks)
    for guest in facts.guests:
        if request.wants_guest(guest.name):
            findings += check_guest(guest, request)
    add_symptoms(facts, request, findings)
    findings += _check_forwards(facts, request)
    findings += _check_outside(facts, request)
    return findings


def _missing_names(facts: Facts, request: Request) -> Iterator[Finding]:
    for name in sorted(set(request.networks or ()) - set(facts.networks)):
        yield Finding(
            about="network_missing",
            subject=f"network {name}",
            cause=f"There is no network '{name}' on this host",
            cure="make it with the module kvmops.network.libvirt_network, or correct the name",
        )
    for name in sorted(set(request.guests or ()) - {guest.name for guest in facts.guests}):
        yield Finding(
            about="guest_missing",
            subject=f"guest {name}",
            cause=f"There is no guest '{name}' on this host",
            cure="make it, or correct the name",
        )


def _check_forwards(facts: Facts, request: Request) -> Iterator[Finding]:
    """Yield what is wrong with ports of the host that lead into guests, but for what is told of the network or guest itself."""
    guests = {guest.name: guest.state for guest in facts.guests}
    for forward in facts.forwards:
        if not request.wants_network(forward.network) or (forward.domain and not request.wants_guest(forward.domain)):
            continue
        for problem in find_problems(
            forward, networks=facts.networks, guests=guests, faults=facts.forward_faults, idle=facts.forward_idle
        ):
            if not problem.elsewhere:
                yield Finding(
                    about="forward_broken",
                    subject=f"port forward {forward.name}",
                    cause=f"The port forward '{forward.name}' ({forward}) is not as it was made: {_begun(problem.cause)}",
                    cure=problem.cure,
                    guests=(forward.domain,) if forward.domain else (),
                )


def _begun(sentence: str) -> str:
    """Return a sentence as it stands in the middle of another one."""
    return sentence[:1].lower() + sentence[1:]


def _check_outside(facts: Facts, request: Request) -> Iterator[Finding]:
    if facts.outside_answers is not False:
        return
    if facts.default_devices:
        devices = ", ".join(facts.default_devices)
        cause = f"The host itself gets no answer from {request.outside} (its default route is through {devices})"
        cure = "put the host's own uplink right, on which all guests depend"
    else:
        cause = f"The host itself has no default route, and gets no answer from {request.outside}"
        cure = "put the host's own network right, on which all guests depend"
    yield Finding(about="outside_unreachable", subject="host", cause=cause, cure=cure)
