# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Which interface becomes the bridge's port, who manages it, and whether that can be done at all."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._values import AUTO, check_name

if t.TYPE_CHECKING:
    from collections.abc import Collection

    from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Device, Links
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Record
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.request import Request

__all__ = ["check_bridge_name", "check_uplink", "choose_backend", "choose_uplink"]

_VIRTUAL = ("ipvlan", "ipvtap", "macvlan", "macvtap", "tun", "wireguard", "vxlan", "gre", "gretap", "ipip", "sit", "dummy", "ifb")


def choose_uplink(request: Request, links: Links, record: Record | None) -> str:
    """Return the name of the uplink. Raises RefusedError where none can be found, or another one is the bridge's port."""
    if record is not None:
        if request.uplink not in (AUTO, record.uplink):
            raise RefusedError(
                f"uplink: {record.name} has {record.uplink} as its uplink, and the task names {request.uplink}. Take the "
                f"bridge back first (state: absent), then make it over {request.uplink}."
            )
        return record.uplink
    if request.uplink != AUTO:
        if request.uplink not in links.devices:
            known = ", ".join(sorted(name for name, device in links.devices.items() if _could_be(device)))
            raise InputError(
                f"uplink: there is no interface {request.uplink} on this host. There are {known or 'none that could be one'}."
            )
        return request.uplink
    route = links.default_route()
    if route is None:
        raise RefusedError("uplink: the host has no default route by which 'auto' could find its uplink. Name the interface.")
    return check_name("uplink", route.device)


def _could_be(device: Device) -> bool:
    return device.is_ethernet and not device.is_bridge and device.kind not in _VIRTUAL


def check_uplink(links: Links, name: str) -> None:
    """Raise RefusedError where the interface cannot become a bridge's port."""
    device = links.devices[name]
    if device.wireless:
        raise RefusedError(
            f"uplink: {name} is a Wi-Fi interface, and an access point takes no frames of guests from it. Use a wired one, or "
            "give the guests a NAT network."
        )
    if device.is_bridge:
        raise RefusedError(
            f"uplink: {name} is a bridge already. Guests can be plugged into it as it is, or name one of its ports."
        )
    if not _could_be(device):
        raise RefusedError(
            f"uplink: {name} is no Ethernet interface ({device.kind or 'the kernel says so'}), and cannot be a port."
        )
    if device.master:
        master = links.devices.get(device.master)
        what = f"the {master.kind} {device.master}" if master is not None and master.kind else device.master
        raise RefusedError(f"uplink: {name} is a port of {what} already. Take it out of there first.")
    if name in links.shared:
        raise RefusedError(
            f"uplink: a route with several next hops leads over {name}, and such a route cannot be moved without a gap. "
            "Replace it by one with a single next hop first."
        )
    above = links.standing_on(name)
    if above:
        raise RefusedError(
            f"uplink: {name} carries {', '.join(f'the {one.kind} {one.name}' for one in above)}, and the kernel makes no "
            "interface a bridge's port that does. Stop the guests that use it, or give them NICs on the bridge, then run this "
            "again."
        )


def check_bridge_name(links: Links, name: str, uplink: str) -> None:
    """Raise RefusedError where the name is taken. A bridge that nothing but taps of guests is left on may become the new one."""
    taken = links.devices.get(name)
    if taken is None:
        return
    if not taken.is_bridge:
        raise RefusedError(f"name: this host has an interface {name} already, and it is no bridge. Choose another name.")
    if not links.is_left_over(name):
        others = links.ports_apart_from_taps(name)
        with_what = f"the port {', '.join(others)}" if others else "addresses of its own"
        raise RefusedError(
            f"name: the bridge {name} is there already, with {with_what}, and it was not made by host_bridge, which therefore "
            "leaves it alone. Guests can use it as it is. To have it managed, take it down by hand and run this again over "
            f"{uplink}, or choose another name."
        )


def choose_backend(
    request: Request, managers: Collection[str], known: Collection[str], *, uplink: str, record: Record | None
) -> str:
    """Return the back end's name. Raises RefusedError where nobody, two, or somebody unknown manages the uplink."""
    if record is not None:
        if request.backend not in (AUTO, record.backend):
            raise RefusedError(
                f"backend: {record.name} was made with {record.backend}, and the task names {request.backend}. Take the bridge "
                "back first (state: absent)."
            )
        return record.backend
    if len(managers) > 1:
        raise RefusedError(
            f"{uplink} is managed by {' and by '.join(sorted(managers))}, and what one of them does the other undoes. Leave it "
            f"to one: take {uplink} out of the other's configuration."
        )
    if not managers:
        raise RefusedError(
            f"Nobody manages {uplink}: neither {' nor '.join(sorted(known))} has a configuration for it that is in use. Give "
            "it one, so that there is something to move."
        )
    [manager] = managers
    if request.backend not in (AUTO, manager):
        raise RefusedError(
            f"backend: {uplink} is managed by {manager}, not by {request.backend}. Leave backend out, or name {manager}."
        )
    if manager not in known:
        raise RefusedError(
            f"{uplink} is managed by {manager}, for which there is no back end yet. There are {', '.join(sorted(known))}."
        )
    return manager
