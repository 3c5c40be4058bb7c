# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.


"""A macvtap or macvlan interface, as the kernel has it or as it shall be. Both have this shape, so that they can be compared."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass, replace

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Device, Links, Route

__all__ = [
    "IPV6_MTU",
    "KINDS",
    "PASSTHRU",
    "SOURCE",
    "Interface",
    "Ipv6",
    "RouteOver",
    "below",
    "read_interface",
    "route_metric",
    "subnet_of",
]

KINDS = ("macvlan", "macvtap")
PASSTHRU = "passthru"
SOURCE = "source"
IPV6_MTU = 1280  # bytes; RFC 8200. On a link with less the kernel has no IPv6
_FLAGS = ("nopromisc", "nodst")
_FLAG_OF = {PASSTHRU: "nopromisc", SOURCE: "nodst"}
_USUAL_METRIC = {4: 0, 6: 1024}  # what the kernel takes when none is given


@dataclass(frozen=True)
class RouteOver:
    """A route over the interface; `gateway` is "" where the subnet is reached at once. Others may lead through such a one."""

    destination: str
    gateway: str
    metric: int

    def __lt__(self, other: RouteOver) -> bool:
        return (bool(self.gateway), self.words) < (bool(other.gateway), other.words)

    @property
    def words(self) -> str:
        """The arguments of `ip route` for it, without the interface, by which it is found."""
        via = f" via {self.gateway}" if self.gateway else ""
        return f"{self.destination}{via} metric {self.metric}"

    @property
    def all_words(self) -> str:
        """The same to make it, as somebody's configuration: networkd takes others away, and gives them back."""
        return f"{self.words} proto static"


@dataclass(frozen=True)
class Ipv6:
    """What the host does with IPv6 on the interface: nothing at all, and whether it follows what routers say."""

    disabled: bool
    follows_routers: bool


@dataclass(frozen=True)
class Interface:
    """A macvtap or macvlan interface.

    `parent` is the link that it really stands on, which is never another macvlan. `mode` and `flags` are in the kernel's words.
    `mac` is "" where it is the parent's, as with passthru, and `mtu` is 0 where it is the parent's. `queues` are those to send
    with and to receive with. `broadcast_queue` is the length that was asked for, in packets, None where the kernel does not
    show it. `ipv6` is None where the kernel has none. Addresses have their prefix; link-local ones, and what the kernel
    makes by itself, are left out. `all_multicast` says that frames for all groups come in, also for those that the host has not
    joined; otherwise a guest hears nothing of its own, such as IPv6's search for neighbours.
    """

    name: str
    kind: str
    parent: str
    mode: str
    mac: str
    mtu: int
    queues: tuple[int, int] = (1, 1)
    broadcast_queue: int | None = None
    flags: tuple[str, ...] = ()
    source_macs: tuple[str, ...] = ()
    up: bool = True
    all_multicast: bool = False
    ipv6: Ipv6 | None = None
    addresses: tuple[str, ...] = ()
    routes: tuple[RouteOver, ...] = ()

    @property
    def flags_that_count(self) -> tuple[str, ...]:
        """The flags that have a meaning in its mode; the kernel keeps others from a mode before."""
        return tuple(flag for flag in self.flags if _FLAG_OF.get(self.mode) == flag)


def read_interface(device: Device, links: Links, ipv6: Ipv6 | None) -> Interface:
    """Return the interface that a link is. The link is of one of KINDS."""
    details = device.details
    addresses = tuple(sorted(address.text for address in device.moving()))
    if ipv6 is not None and any(":" in address for address in addresses):
        ipv6 = replace(ipv6, disabled=False)
    length = details.get("bcqueuelen")
    return Interface(
        name=device.name,
        kind=device.kind,
        parent=device.below,
        mode=str(details.get("mode", "")),
        mac=device.mac,
        mtu=device.mtu,
        queues=device.queues,
        broadcast_queue=int(length) if length is not None else None,
        flags=tuple(flag for flag in _FLAGS if details.get(flag)),
        source_macs=tuple(sorted(str(mac).lower() for mac in details.get("macaddr_data", []))),
        up=device.up,
        all_multicast=device.all_multicast,
        ipv6=ipv6,
        addresses=addresses,
        routes=tuple(
            sorted(RouteOver(subnet_of(r), r.gateway, r.metric) for r in links.routes_over(device.name) if r.table == "main")
        ),
    )


def below(name: str, links: Links) -> str:
    """Return the link on which the kernel puts an interface whose parent is this one: of a macvlan, what that one stands on."""
    device = links.devices[name]
    while device.kind in KINDS and device.below in links.devices:
        device = links.devices[device.below]
    return device.name


def route_metric(destination: str, metric: int | None) -> int:
    """Return the metric of a route. 0 means the usual one to the kernel."""
    return metric or _USUAL_METRIC[ipaddress.ip_network(destination).version]


def subnet_of(route: Route) -> str:
    """Return where a route of the kernel's leads, with the length of the prefix also where it is one address or everything."""
    everything = {4: "0.0.0.0/0", 6: "::/0"}[route.version]
    return str(ipaddress.ip_network(everything if route.destination == "default" else route.destination))
