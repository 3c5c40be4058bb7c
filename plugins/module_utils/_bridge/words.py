# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What a plan says to the operator: steps, and what happens to the host's connections."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import BackEnd, Expected
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.layout import Layout
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Links
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Record
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.request import Request
    from ansible_collections.kvmops.network.plugins.module_utils._file_changes import FileChange

__all__ = ["outage", "steps_to_bridge", "steps_to_plain", "what_is_lost", "who_rewrites", "wrong_files"]


def steps_to_bridge(record: Record, after: Layout, *, fresh: bool, gained: Sequence[str], lost: Sequence[str]) -> list[str]:
    """Return what is done so that there is a bridge, or so that one that is there is right."""
    steps = [f"put {record.name} right"]
    if fresh:
        steps = [f"make the bridge {record.name} with the MAC address {record.mac}", f"make {record.uplink} its port"]
        steps += _address_steps(after, source=record.uplink)
    return (
        steps + [f"give {record.name} the address {text}" for text in gained] + [f"take away the address {text}" for text in lost]
    )


def steps_to_plain(record: Record, after: Layout, *, lost: Sequence[str]) -> list[str]:
    """Return what is done so that there is no bridge any more."""
    steps = [f"take {record.uplink} out of {record.name}", *_address_steps(after, source=record.name), f"remove {record.name}"]
    return steps + [f"take away the address {text}" for text in lost]


def _address_steps(after: Layout, *, source: str) -> list[str]:
    steps = [f"move {address.text} from {source} to {after.carrier}" for address in after.addresses]
    return steps + [f"move the route to {route.destination} from {source} to {after.carrier}" for route in after.routes]


def wrong_files(files: Sequence[FileChange]) -> list[str]:
    """Return what is wrong with files."""
    return [f"{change.path} is {'missing' if change.before is None else 'not as wanted'}" for change in files]


def outage(request: Request, expected: Expected, backend: BackEnd, *, fresh: bool, lost: tuple[str, ...] = ()) -> str:
    """Return what happens to the host's connections."""
    if lost:
        return (
            f"The host loses {', '.join(lost)}, and connections to that end. If the controller uses it, confirm_host has to say "
            "where the host is then."
        )
    if not fresh:
        return "Connections stay, and so do guests' interfaces on the bridge."
    if request.stp:
        return f"With STP nothing passes the bridge for {2 * request.forward_delay} seconds or so."
    if 4 in expected.dhcp and not backend.takes_leases_over:
        return "Connections stay, but the host may be without an address until the DHCP server has answered, seconds at most."
    return "Connections stay; the addresses move in one step, within a fraction of a second."


def what_is_lost(request: Request, links: Links, carrier: str, backend: BackEnd) -> list[str]:
    """Return what a family that the task configures anew does not have any more, as sentences for the operator."""
    found = []
    for family in (request.ipv4, request.ipv6):
        if family is None or family.method != "static":
            continue
        if not family.gateway and links.default_route(carrier, versions=(family.version,)) is not None:
            found.append(f"ipv{family.version}.gateway is not given, and the host loses its IPv{family.version} default route.")
        device = links.devices.get(carrier)
        leases = device is not None and any(a.dynamic for a in device.given(family.version))
        if request.dns.servers is None and leases:
            where = "dns.servers" if backend.sets_name_servers else "/etc/resolv.conf on the host"
            found.append(
                f"With static IPv{family.version} addresses no DHCP server names the name servers; name them in {where}."
            )
    return found


def who_rewrites(record: Record, backend: BackEnd) -> str:
    """Return who may write the uplink's configuration anew, on a host where cloud-init does, for a back end with shared files."""
    return (
        f"cloud-init may write {backend.title}'s files of this host again (for a new instance, or when it is told to), and "
        f"{record.uplink} would have addresses beside {record.name} until the next run of this task. Keep it from that: write "
        "'network: {config: disabled}' to /etc/cloud/cloud.cfg.d/99-disable-network-config.cfg."
    )
