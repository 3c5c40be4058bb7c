# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What the kernel has of links, addresses and routes, in the detail that moving them from one link to another needs."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass, field

__all__ = ["Address", "Device", "Links", "Route", "read_addresses_and_links", "read_route"]

# What takes all frames of the link that it stands on, so that this link cannot be a bridge's port as well.
_TAKES_ALL = ("macvlan", "macvtap", "ipvlan", "ipvtap")
_MAIN = "main"
_NO_LIMIT = 65535  # the largest packet of IPv4
_FOREVER = 2**32 - 1  # seconds
_ROUTE_METRICS = ("mtu", "advmss", "window", "initcwnd", "initrwnd")


@dataclass(frozen=True)
class Address:
    """An address of a link. `dynamic` says that somebody gave it for a time (in seconds): a DHCP server, a router.

    Where `prefix_route` is false, the kernel makes no route to its subnet, and somebody else made one.
    """

    interface: ipaddress.IPv4Interface | ipaddress.IPv6Interface
    scope: str = "global"
    dynamic: bool = False
    temporary: bool = False
    peer: str = ""
    metric: int | None = None
    valid_for: int | None = None
    preferred_for: int | None = None
    prefix_route: bool = True

    @property
    def text(self) -> str:
        """The address with the length of its prefix."""
        return str(self.interface)

    @property
    def is_link_local(self) -> bool:
        """Whether the kernel makes it by itself."""
        return self.interface.version == 6 and self.interface.is_link_local


@dataclass(frozen=True)
class Device:
    """A link. Times are in hundredths of seconds, as the kernel has them; `below` is the link that it stands on.

    `is_root` says that a bridge is the root of its spanning tree. Of others the kernel shows the root's times. `details` are what
    `ip -j -d` says of a link of its kind, such as a macvtap's mode, and `queues` those to send with and to receive with.
    `all_multicast` says that it takes frames for all groups.
    """

    name: str
    index: int
    mac: str
    mtu: int
    kind: str = ""
    is_ethernet: bool = True
    up: bool = True
    carrier: bool = True
    master: str = ""
    below: str = ""
    wireless: bool = False
    max_mtu: int = 65535
    stp: bool = False
    forward_delay: int = 0
    is_root: bool = True
    addresses: tuple[Address, ...] = ()
    details: dict[str, t.Any] = field(default_factory=dict)
    queues: tuple[int, int] = (1, 1)
    all_multicast: bool = False

    @property
    def is_bridge(self) -> bool:
        """Whether it is one of the kernel's own bridges."""
        return self.kind == "bridge"

    def moving(self) -> tuple[Address, ...]:
        """Return the addresses that are somebody's configuration for good: neither link-local nor given for a time."""
        return tuple(address for address in self.addresses if not address.is_link_local and not address.dynamic)

    def given(self, version: int) -> tuple[Address, ...]:
        """Return the addresses of a family that it can be reached at."""
        return tuple(a for a in self.addresses if a.interface.version == version and not a.is_link_local)


@dataclass(frozen=True)
class Route:
    """A route over a link; `words` are the arguments with which `ip route` makes it, without the device."""

    version: int
    destination: str
    device: str
    gateway: str
    metric: int
    table: str
    protocol: str
    words: tuple[str, ...]

    @property
    def is_default(self) -> bool:
        """Whether it leads everywhere, by the main table."""
        return self.destination == "default" and self.table == _MAIN


@dataclass(frozen=True)
class Links:
    """All of a host's links by name, and its routes. `shared` are links that routes with several next hops lead over."""

    devices: dict[str, Device]
    routes: tuple[Route, ...] = ()
    shared: frozenset[str] = frozenset()

    def ports_of(self, bridge: str) -> list[str]:
        """Return the names of a bridge's ports."""
        return sorted(device.name for device in self.devices.values() if device.master == bridge)

    def is_left_over(self, bridge: str) -> bool:
        """Whether a bridge has no addresses, and no ports but taps of guests."""
        device = self.devices[bridge]
        return not self.ports_apart_from_taps(bridge) and not device.given(4) and not device.given(6)

    def ports_apart_from_taps(self, bridge: str) -> list[str]:
        """Return the names of a bridge's ports that are no taps of guests."""
        return [port for port in self.ports_of(bridge) if self.devices[port].kind != "tun"]

    def standing_on(self, name: str) -> list[Device]:
        """Return the links that take all frames of this one."""
        return [device for device in self.devices.values() if device.below == name and device.kind in _TAKES_ALL]

    def routes_over(self, name: str) -> list[Route]:
        """Return the routes over a link that somebody configured for good: not the kernel's own, not a server's."""
        lasting = [route for route in self.routes if route.protocol not in ("kernel", "dhcp", "ra", "redirect")]
        return [route for route in lasting if route.device == name]

    def routes_apart(self, name: str) -> list[Route]:
        """Return the routes over a link that the kernel does not make by itself for its addresses."""
        device = self.devices.get(name)
        made = {str(a.interface.network) for a in device.addresses if not a.prefix_route} if device is not None else set()
        return [
            route for route in self.routes if route.device == name and (route.protocol != "kernel" or route.destination in made)
        ]

    def default_route(self, device: str = "", *, versions: tuple[int, ...] = (4, 6)) -> Route | None:
        """Return the best default route, IPv4 before IPv6, over one device if it is named."""
        found = [r for r in self.routes if r.is_default and r.version in versions and device in ("", r.device)]
        return min(found, key=lambda route: (route.version, route.metric), default=None)


def read_addresses_and_links(entries: list[dict[str, t.Any]], wireless: t.Callable[[str], bool]) -> dict[str, Device]:
    """Return the links of what `ip -j -d address show` says."""
    names = {entry["ifindex"]: entry["ifname"] for entry in entries if "ifname" in entry}
    return {entry["ifname"]: _read_device(entry, names, wireless) for entry in entries if "ifname" in entry}


def read_route(entry: dict[str, t.Any], version: int) -> Route | None:
    """Return a route of what `ip -j route show table all` says, None for what leads to no other host.

    Routes with several next hops are among these: no link of theirs can be exchanged for another.
    """
    if entry.get("type", "unicast") != "unicast" or "dev" not in entry or "dst" not in entry:
        return None
    table = str(entry.get("table", _MAIN))
    if table == "local" or _is_own(entry["dst"]):
        return None
    words: list[str] = [entry["dst"]]
    if "via" in entry:  # of the other family, RFC 5549
        words += ["via", str(entry["via"]["family"]), str(entry["via"]["host"])]
    for key, word in (("gateway", "via"), ("prefsrc", "src"), ("metric", "metric"), ("protocol", "proto"), ("scope", "scope")):
        if key in entry and not (key == "scope" and version == 6):
            words += [word, str(entry[key])]
    for metrics in entry.get("metrics", []):
        words += [word for key in _ROUTE_METRICS if key in metrics for word in (key, str(metrics[key]))]
    if table != _MAIN:
        words += ["table", table]
    if "onlink" in entry.get("flags", []):
        words.append("onlink")
    return Route(
        version=version,
        destination=entry["dst"],
        device=entry["dev"],
        gateway=entry.get("gateway", ""),
        metric=int(entry.get("metric", 0)),
        table=table,
        protocol=str(entry.get("protocol", "")),
        words=tuple(words),
    )


def _is_own(destination: str) -> bool:
    if destination == "default":
        return False
    subnet = ipaddress.ip_network(destination, strict=False)
    return subnet.is_multicast or (subnet.version == 6 and subnet.is_link_local)


def _read_device(entry: dict[str, t.Any], names: dict[int, str], wireless: t.Callable[[str], bool]) -> Device:
    name = entry["ifname"]
    information = entry.get("linkinfo", {})
    details = information.get("info_data", {})
    flags = entry.get("flags", [])
    in_other_namespace = "link_netnsid" in entry
    below = entry.get("link") or names.get(entry.get("link_index", 0), "")
    return Device(
        name=name,
        index=int(entry["ifindex"]),
        mac=str(entry.get("address", "")).lower(),
        mtu=int(entry["mtu"]),
        kind=information.get("info_kind", ""),
        is_ethernet=entry.get("link_type") == "ether",
        up="UP" in flags,
        carrier="LOWER_UP" in flags,
        master=entry.get("master", ""),
        below="" if in_other_namespace else below,
        wireless=wireless(name),
        max_mtu=int(entry.get("max_mtu") or _NO_LIMIT),
        stp=bool(details.get("stp_state", 0)),
        forward_delay=int(details.get("forward_delay", 0)),
        is_root=details.get("root_id") == details.get("bridge_id"),
        addresses=tuple(_read_address(address) for address in entry.get("addr_info", []) if "local" in address),
        details=details,
        all_multicast="ALLMULTI" in flags,
        queues=(int(entry.get("num_tx_queues", 1)), int(entry.get("num_rx_queues", 1))),
    )


def _read_address(entry: dict[str, t.Any]) -> Address:
    # an address that was there for good, and that a router named since, has a time and is not called dynamic by the kernel
    dynamic = bool(entry.get("dynamic", False)) or entry.get("valid_life_time", _FOREVER) != _FOREVER
    return Address(
        interface=ipaddress.ip_interface(f"{entry['local']}/{entry['prefixlen']}"),
        scope=str(entry.get("scope", "global")),
        dynamic=dynamic,
        temporary=bool(entry.get("temporary", False)),
        peer=str(entry.get("address", "")),
        metric=entry.get("metric"),
        valid_for=entry.get("valid_life_time") if dynamic else None,
        preferred_for=entry.get("preferred_life_time") if dynamic else None,
        prefix_route=not entry.get("noprefixroute", False),
    )
