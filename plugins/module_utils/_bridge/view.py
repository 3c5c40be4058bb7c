# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What the modules return: the bridge as it is, and a diff that an operator can read."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import FOLDER
from ansible_collections.kvmops.network.plugins.module_utils._file_changes import file_diff

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.layout import Layout
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Links
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.plan import Plan
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Record

__all__ = ["describe_bridge", "make_diff"]


def describe_bridge(record: Record, links: Links) -> dict[str, t.Any]:
    """Return a bridge that was made here, as it is on the host."""
    device = links.devices.get(record.name)
    ports = links.ports_of(record.name)
    route = links.default_route(record.name)
    return {
        "name": record.name,
        "uplink": record.uplink,
        "backend": record.backend,
        "exists": device is not None,
        "mac": device.mac if device is not None else record.mac,
        "mtu": device.mtu if device is not None else record.mtu,
        "stp": device.stp if device is not None else False,
        "forward_delay": device.forward_delay / 100 if device is not None else 0.0,
        "ports": ports,
        "addresses": [a.text for a in device.addresses if not a.is_link_local] if device is not None else [],
        "gateway": route.gateway or None if route is not None else None,
    }


def make_diff(plan: Plan, links: Links) -> list[dict[str, str]]:
    """Return the links before and after with what happens to connections, then each file."""
    record, before, after = plan.record, plan.before, plan.after
    if record is None or before is None or after is None:
        return []
    fresh = plan.forward is not None and plan.forward.fresh
    kept = after if fresh else before
    stays = [address for address in kept.addresses if address.text not in plan.lost]
    then = replace(after, addresses=tuple(stays), routes=kept.routes if fresh or not plan.lost else ())
    versions = {address.interface.version for address in stays}
    others = [gateway for gateway in plan.expected.gateways if gateway not in [route.gateway for route in then.routes]]
    servers = [version for version in plan.expected.dhcp if version not in versions]
    texts = {
        "before_header": f"links of {record.name}",
        "after_header": f"links of {record.name}",
        "before": _describe(before, port=links.devices[record.uplink].master == record.name)
        + "".join(f"wrong: {reason}\n" for reason in plan.reasons if not fresh),
        "after": _describe(then, port=after.bridged)
        + "".join(f"{after.carrier}: {text}\n" for text in plan.gained)
        + "".join(f"{after.carrier}: IPv{version} address from a DHCP server\n" for version in servers)
        + "".join(f"{after.carrier}: default route via {text}\n" for text in others if plan.lost)
        + f"connection: {plan.outage}\n",
    }
    shown = [change for change in plan.files if not change.path.startswith(f"{FOLDER}/")]  # what is remembered says nothing new
    return [texts, *[file_diff(change) for change in shown]]


def _describe(layout: Layout, *, port: bool) -> str:
    lines = [f"{layout.uplink}: {'port of ' + layout.bridge if port else 'no port of a bridge'}"]
    if layout.bridged:
        # without STP the delay has no effect
        stp = f"STP on, forward delay {layout.forward_delay / 100:g} s" if layout.stp else "STP off"
        lines.append(f"{layout.bridge}: MAC address {layout.mac}, MTU {layout.mtu}, {stp}")
    lines += [f"{layout.carrier}: {address.text}" for address in layout.addresses]
    lines += [f"{layout.carrier}: route {' '.join(route.words)}" for route in layout.routes]
    return "".join(f"{line}\n" for line in lines)
