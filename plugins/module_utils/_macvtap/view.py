# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.


"""What the modules return: an interface as it is, the XML to paste, and a diff that an operator can read."""

from __future__ import annotations

import typing as t
from xml.sax.saxutils import quoteattr

from ansible_collections.kvmops.network.plugins.module_utils._file_changes import file_diff

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Device
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.host import Node
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.interface import Interface
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.plan import Plan

__all__ = ["describe", "make_diff"]


def describe(interface: Interface, *, device: Device | None, node: Node | None) -> dict[str, t.Any]:
    """Return an interface as a result has it; `device` and `node` are None for one that has not been made."""
    effective = device.details.get("usedbcqueuelen") if device is not None else None
    return {
        "name": interface.name,
        "kind": interface.kind,
        "parent": interface.parent,
        "mode": interface.mode,
        "flags": list(interface.flags_that_count),
        "mac": interface.mac,
        "source_macs": list(interface.source_macs),
        "mtu": interface.mtu,
        "queues": interface.queues[0],
        "bcqueuelen": interface.broadcast_queue,
        "effective_bcqueuelen": int(effective) if effective is not None else None,
        "link": "up" if interface.up else "down",
        "addresses": list(interface.addresses),
        "routes": [
            {"destination": route.destination, "gateway": route.gateway or None, "metric": route.metric}
            for route in interface.routes
        ],
        "ifindex": device.index if device is not None else None,
        "tap_device": node.path if node is not None else None,
        "tap_mode": f"{node.mode:04o}" if node is not None else None,
        "tap_owner": node.owner if node is not None else None,
        "tap_group": node.group if node is not None else None,
        "xml": _xml(interface),
    }


def _xml(interface: Interface) -> str | None:
    """Return the NIC of a guest that uses the device, as libvirt has it since 5.8; of a macvlan there is none."""
    if interface.kind != "macvtap":
        return None
    mac = f"  <mac address={quoteattr(interface.mac)}/>\n" if interface.mac else ""
    return (
        f"<interface type='ethernet'>\n{mac}  <target dev={quoteattr(interface.name)} managed='no'/>\n"
        "  <model type='virtio'/>\n</interface>\n"
    )


def make_diff(plan: Plan, found: Interface | None, node: Node | None) -> list[dict[str, str]]:
    """Return the interface before and after, then each file."""
    diff = []
    if plan.links.changes or plan.tap_differs:
        title = f"interface {plan.request.name}"
        now = _tap_line(node.owner, node.group, node.mode) if node is not None and plan.tap_differs else ""
        tap = plan.tap if plan.tap_differs or found is None else None
        then = _tap_line(tap.owner, tap.group, tap.mode) if tap is not None else ""
        diff.append(
            {
                "before_header": title,
                "after_header": title,
                "before": _text(found) + now,
                "after": _text(plan.wanted) + then,
            }
        )
    return diff + [file_diff(change) for change in plan.files]


def _text(interface: Interface | None) -> str:
    if interface is None:
        return ""
    lines = [
        f"{interface.kind} on {interface.parent}",
        f"mode: {' '.join((interface.mode, *interface.flags_that_count))}",
        f"MAC address: {interface.mac or 'that of ' + interface.parent}",
        f"MTU: {interface.mtu}",
        f"queues: {interface.queues[0]}/{interface.queues[1]}",
        *([f"queue for broadcasts: {interface.broadcast_queue}"] if interface.broadcast_queue is not None else []),
        *(f"lets in: {mac}" for mac in interface.source_macs),
        f"link: {'up' if interface.up else 'down'}",
        f"multicast: {'all' if interface.all_multicast else 'what the host has joined'}",
        *(["IPv6: off" if interface.ipv6.disabled else "IPv6: on"] if interface.ipv6 is not None else []),
        *(["follows what routers say"] if interface.ipv6 is not None and interface.ipv6.follows_routers else []),
        *(f"address: {address}" for address in interface.addresses),
        *(f"route: {route.words}" for route in interface.routes),
    ]
    return "".join(f"{line}\n" for line in lines)


def _tap_line(owner: object, group: object, mode: int) -> str:
    return f"device node: {owner}:{group} {mode:04o}\n"
