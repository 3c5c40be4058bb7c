# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.


"""Plugging running guests into a network again that was started anew, by which they lost their place on its bridge."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import LibvirtError
from ansible_collections.kvmops.network.plugins.module_utils._edge.kill_point import kill_point
from ansible_collections.kvmops.network.plugins.module_utils._edge.links import failure_of, read_links
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import own_bridge_of
from ansible_collections.kvmops.network.plugins.module_utils._network.state import find_unplugged, read_state

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection, GuestNic
    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Run

__all__ = ["plug_in"]


def plug_in(connection: Connection, run: Run, name: str) -> None:
    """Plug in each running guest whose NIC belongs on a running network's bridge and is not there, and look whether it is then.

    libvirt gets to know the port again, and the kernel the guest's device. With STP a port would be silent for two seconds; it is
    off meanwhile. Raises LibvirtError for what is not as it should be.
    """
    network = read_state(name, connection.read_network(name))
    bridge = own_bridge_of(network.live or {})
    if bridge is None:
        return
    links = read_links(run)
    nics = find_unplugged(network, connection.read_guest_nics(), links)
    if not nics:
        return
    stp = (network.live or {}).get("bridge", {}).get("stp", True)
    if stp:
        _ip(run, "link", "set", "dev", bridge, "type", "bridge", "stp_state", "0")
    try:
        for nic in nics:
            if nic.port_xml is not None:
                kill_point()
                connection.reclaim_port(name, nic.port_xml)
            _plug(run, nic, bridge, nic.mtu or (links[bridge].mtu if bridge in links else None))
    finally:
        if stp:
            _ip(run, "link", "set", "dev", bridge, "type", "bridge", "stp_state", "1")
    left = find_unplugged(network, connection.read_guest_nics(), read_links(run))
    if left:
        raise LibvirtError(f"guests are not on the bridge {bridge}: {', '.join(sorted({nic.guest for nic in left}))}")


def _plug(run: Run, nic: GuestNic, bridge: str, mtu: int | None) -> None:
    """Bring a guest's device to the bridge, with the MTU that libvirt would give it there."""
    device = nic.device or ""
    _ip(run, "link", "set", "dev", device, *(("mtu", str(mtu)) if mtu else ()), "master", bridge)
    if nic.isolated:
        _ip(run, "link", "set", "dev", device, "type", "bridge_slave", "isolated", "on")
    _ip(run, "link", "set", "dev", device, "up")


def _ip(run: Run, *words: str) -> None:
    kill_point()
    failure = failure_of(run, ["ip", *words])
    if failure is not None:
        raise LibvirtError(f"'ip {' '.join(words)}' failed: {failure}")
