# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The host as a plan about forwards needs to know it, read by those who know how."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._edge import forwards
from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import is_local
from ansible_collections.kvmops.network.plugins.module_utils._edge.host_state import read_bridge_filtering
from ansible_collections.kvmops.network.plugins.module_utils._edge.listeners import read_listeners
from ansible_collections.kvmops.network.plugins.module_utils._forward.host import ForwardHost
from ansible_collections.kvmops.network.plugins.module_utils._nic.survey import Survey

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection
    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Host, Run
    from ansible_collections.kvmops.network.plugins.module_utils._forward.request import ForwardRequest

__all__ = ["ELSEWHERE", "read_forward_host"]

# why a daemon of another machine is refused
ELSEWHERE = "a forward is made on the guest's own host"


def read_forward_host(
    run: Run, connection: Connection, request: ForwardRequest, see_links: t.Callable[[], Host | None], *, uri: str
) -> tuple[ForwardHost, Survey]:
    """Return what a plan needs, and what was read of libvirt. Raises NetworkError where something cannot be read."""
    files = forwards.read_owned_files()
    if request.state == "present" or files:
        forwards.check_programs(run)
    survey = Survey(connection, lambda: None, local=is_local(uri))
    guest = survey.guest(request.domain) if request.domain else None
    links = see_links() if request.host_address else None
    host = ForwardHost(
        networks=survey.networks,
        forwards=forwards.read_forwards(files),
        files=files,
        listeners=tuple(read_listeners(run)) if request.state == "present" else (),
        programs=forwards.find_programs(),
        guest=guest,
        leases=_leases(survey) if guest is not None else None,
        addresses=_addresses(links) if links is not None else None,
        idle=tuple(forwards.read_idle(run, files)),
        faults=tuple(forwards.read_faults(run, files)),
        bridged_filtered=read_bridge_filtering().get(request.version, False),
    )
    return host, survey


def _addresses(host: Host) -> frozenset[str]:
    return frozenset(str(interface.ip) for link in host.links.values() for interface in link.addresses)


def _leases(survey: Survey) -> dict[str, tuple[str, ...]]:
    """Return the addresses that were got by DHCP, by MAC address."""
    found: dict[str, tuple[str, ...]] = {}
    for name in sorted(survey.running_networks):
        for lease in survey.leases(name):
            mac = (lease["mac"] or "").lower()
            found[mac] = (*found.get(mac, ()), lease["ip"])
    return found
