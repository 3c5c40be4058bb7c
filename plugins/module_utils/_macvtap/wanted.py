# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.


"""The interface that a task wants, in the same shape as one that is there."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._errors import RequirementError
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.interface import IPV6_MTU, PASSTHRU, Interface, Ipv6, below
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.keeping import kept_mac
from ansible_collections.kvmops.network.plugins.module_utils._nic.mac import make_mac

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.host import Host
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.request import Request

__all__ = ["wanted_interface"]


def wanted_interface(request: Request, host: Host) -> Interface:
    """Return the interface that a request asks for on this host. Raises RequirementError where its MAC address cannot be made."""
    parent = below(request.parent, host.links)
    mtu = request.mtu or host.links.devices[parent].mtu
    return Interface(
        name=request.name,
        kind=request.kind,
        parent=parent,
        mode=request.mode,
        mac=_mac(request, host),
        mtu=mtu,
        queues=(request.queues, request.queues),
        broadcast_queue=request.broadcast_queue,
        flags=request.flags,
        source_macs=request.source_macs,
        up=request.up,
        all_multicast=request.kind == "macvtap",
        # without an address of its own the host has no business on an interface for guests
        ipv6=Ipv6(disabled=6 not in request.ip_versions, follows_routers=False) if host.has_ipv6 and mtu >= IPV6_MTU else None,
        addresses=request.addresses,
        routes=request.routes,
    )


def _mac(request: Request, host: Host) -> str:
    if request.mac or request.mode == PASSTHRU:
        return request.mac
    kept = kept_mac(request.name, host.files)
    if kept:
        return kept
    if host.found is not None and host.found.mode != PASSTHRU:
        return host.found.mac
    if not host.machine_id:
        raise RequirementError(
            "mac: this host has no /etc/machine-id, from which an address could be made. Give one, or run "
            "systemd-machine-id-setup."
        )
    return make_mac(machine_id=host.machine_id, domain="", nic=request.name)
