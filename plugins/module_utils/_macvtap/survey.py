# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.


"""The host as a plan needs to know it, read by those who know how."""

from __future__ import annotations

import glob
import os
import re
import typing as t
from dataclasses import replace

from ansible_collections.kvmops.network.plugins.module_utils._edge import ifupdown, macvtap, network_manager, networkd
from ansible_collections.kvmops.network.plugins.module_utils._edge.files import read_files
from ansible_collections.kvmops.network.plugins.module_utils._edge.links import read_all_links
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.host import Host, Parent
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.interface import KINDS, below, read_interface
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.keeping import owned_patterns
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.request import USUAL_QUEUE

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Device, Links
    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Run
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.interface import Interface
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.request import Request

__all__ = ["foreign_lines", "read_host", "read_interface_of", "read_owned_files"]

_MACHINE_ID = "/etc/machine-id"


def read_host(run: Run, request: Request) -> Host:
    """Return the host. Raises RequirementError where `ip` fails or a file cannot be read."""
    seen = read_interface_of(run, request.name)
    device = seen.links.devices.get(request.name)
    return replace(
        seen,
        parent=_parent(run, seen.links, request),
        holders=tuple(macvtap.holders_of(seen.node)) if seen.node is not None else (),
        owned=seen.found is not None and device is not None and network_manager.manages(run, device),
        lacking=_lacking(run, request),
        arp_ignore=macvtap.read_arp_ignore(("all", "default", request.name)) if request.addresses else {},
        has_ipv6=macvtap.read_ipv6("default") is not None,
        networkd=networkd.version(run),
        has_systemd=os.path.isdir("/run/systemd/system"),
        machine_id=_machine_id(),
        files=read_owned_files(request.name),
    )


def read_interface_of(run: Run, name: str) -> Host:
    """Return the host with what is there of the interface, and no more: so often as somebody waits for it."""
    links = read_all_links(run)
    device = links.devices.get(name)
    found = _found(device, links)
    return Host(
        links=links,
        found=found,
        node=macvtap.read_node(name) if found is not None else None,
        settled=device is not None and networkd.is_settled(device),
    )


def read_owned_files(name: str) -> dict[str, bytes | None]:
    """Return the content of the files that may be about an interface, None for one that is not there."""
    return read_files(path for pattern in owned_patterns(name) for path in _paths(pattern))


def _found(device: Device | None, links: Links) -> Interface | None:
    if device is None or device.kind not in KINDS:
        return None
    return read_interface(device, links, macvtap.read_ipv6(device.name))


def _parent(run: Run, links: Links, request: Request) -> Parent:
    there = links.devices.get(request.name)
    name = request.parent or (there.below if there is not None else "")
    if name not in links.devices:
        return Parent()
    device = links.devices[below(name, links)]
    managers = []
    if networkd.manages(run, device):
        managers.append("networkd")
    if network_manager.manages(run, device):
        managers.append("networkmanager")
    ours = "networkd" in managers
    return Parent(
        name=device.name,
        managers=tuple(managers),
        network_file=networkd.file_of(device) if ours else "",
        configured=bool(managers) or ifupdown.manages(device),
        foreign=tuple(foreign_lines(device.name, links)) if ours else (),
    )


def foreign_lines(name: str, links: Links) -> Iterator[str]:
    """Yield the lines of `ip` for what somebody gave a link that networkd manages, and that networkd's files do not have."""
    device = links.devices[name]
    configured = networkd.addresses_of(device)
    for address in device.moving():
        if address.text not in configured:
            yield f"address replace {address.text} dev {device.name}"
    for route in links.routes_over(device.name):
        if route.protocol != "static":  # networkd's own
            yield f"route replace {' '.join(route.words)} dev {device.name}"


def _lacking(run: Run, request: Request) -> tuple[str, ...]:
    if request.state == "absent":
        return ()
    kinds = [request.kind] if macvtap.kernel_lacks(request.kind) else []
    words = (["bcqueuelen"] if request.broadcast_queue != USUAL_QUEUE else []) + [w for w in request.flags if w == "nodst"]
    return (*kinds, *macvtap.unknown_words(run, request.kind, words))


def _machine_id() -> str:
    content = read_files([_MACHINE_ID])[_MACHINE_ID]
    text = (content or b"").decode(errors="replace").strip()
    return text if re.fullmatch(r"[0-9a-f]{32}", text) else ""


def _paths(pattern: str) -> list[str]:
    return sorted(glob.glob(pattern)) if "*" in pattern else [pattern]
