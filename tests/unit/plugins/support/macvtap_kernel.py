# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""A kernel with macvtap and macvlan interfaces: it takes lines of `ip -batch`, refuses what the real one refuses, and is read
with what `ip -j` says.

What it does was seen on kernels 6.1 to 6.18, and is in drivers/net/macvlan.c, net/ipv4/devinet.c and net/ipv6/addrconf.c.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.kvmops.network.plugins.module_utils._bridge.ini import first, parse
from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Links, read_addresses_and_links, read_route
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.commands import Action, Removal, Setting
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.interface import Interface, Ipv6, read_interface

__all__ = ["Kernel", "KernelRoute", "Link", "Refused", "networkd_makes"]

KINDS = ("macvlan", "macvtap")
_FLAGS = ("nopromisc", "nodst")
_LEAST_FOR_IPV6 = 1280
_FOREVER = 4294967295


class Refused(Exception):
    """What the kernel, or `ip` before it, does not do, in its words."""


@dataclass(frozen=True)
class KernelRoute:
    """A route that somebody gave to a link."""

    destination: str
    gateway: str
    metric: int
    protocol: str = "boot"

    @property
    def version(self) -> int:
        """Its version of IP."""
        return ipaddress.ip_network(self.destination).version


@dataclass
class Link:
    """A link. `before` is the MAC address that a parent had before an interface with passthru was on it."""

    name: str
    index: int
    mac: str
    mtu: int
    kind: str = ""
    parent: str = ""
    mode: str = ""
    flags: tuple[str, ...] = ()
    source_macs: tuple[str, ...] = ()
    queues: tuple[int, int] = (1, 1)
    queue: int = 1000
    up: bool = False
    all_multicast: bool = False
    disable_ipv6: int = 0
    accept_ra: int = 1
    addr_gen_mode: int = 0
    addresses: list[str] = field(default_factory=list)
    routes: list[KernelRoute] = field(default_factory=list)
    before: str = ""
    more: dict[str, t.Any] = field(default_factory=dict)

    def given(self, version: int) -> list[str]:
        """Return the addresses of a version of IP."""
        return [text for text in self.addresses if ipaddress.ip_interface(text).version == version]

    def drop(self, version: int, *, addresses: bool) -> None:
        """Take the routes of a version of IP away, and maybe the addresses."""
        self.routes = [route for route in self.routes if route.version != version]
        if addresses:
            self.addresses = [text for text in self.addresses if ipaddress.ip_interface(text).version != version]


class Kernel:
    """All links of a host. `promotes` is its setting promote_secondaries, `shows_queue` says that its `ip` knows bcqueuelen."""

    def __init__(self, *, has_ipv6: bool = True, promotes: bool = False, shows_queue: bool = True) -> None:
        self.has_ipv6 = has_ipv6
        self.promotes = promotes
        self.shows_queue = shows_queue
        self.kinds = set(KINDS)
        self.links: dict[str, Link] = {}
        self.foreign_routes: list[dict[str, t.Any]] = []
        self._last_index = 1
        self._last_mac = 0

    # --- what is there ----------------------------------------------------------------------------------------------------

    def add(self, name: str, *addresses: str, mtu: int = 1500, **values: t.Any) -> Link:
        """Have a link that somebody made."""
        self._last_index += 1
        link = Link(
            **{"name": name, "index": self._last_index, "mac": f"02:00:00:00:aa:{self._last_index:02x}", "mtu": mtu, **values}
        )
        link.addresses += addresses
        self.links[name] = link
        return link

    def siblings(self, link: Link) -> list[Link]:
        """Return the other interfaces on its parent."""
        return [
            other for other in self.links.values() if other.kind in KINDS and other.parent == link.parent and other is not link
        ]

    def entries(self) -> list[dict[str, t.Any]]:
        """Return what `ip -j -d addr show` says."""
        return [self._entry(link) for link in self.links.values()]

    def _entry(self, link: Link) -> dict[str, t.Any]:
        up = ["UP", *(["LOWER_UP"] if link.parent not in self.links or self.links[link.parent].up else [])] if link.up else []
        entry: dict[str, t.Any] = {
            "ifindex": link.index,
            "ifname": link.name,
            "flags": ["BROADCAST", "MULTICAST", *(["ALLMULTI"] if link.all_multicast else []), *up],
            "mtu": link.mtu,
            "link_type": "ether",
            "address": link.mac,
            "num_tx_queues": link.queues[0],
            "num_rx_queues": link.queues[1],
            "addr_info": [_address_entry(text) for text in link.addresses],
        }
        if link.up and self._does_ipv6(link):
            entry["addr_info"].append(_address_entry("fe80::77:50ff:fe12:a84f/64", scope="link"))
        if link.parent:
            entry["link"] = link.parent
        if link.kind:
            entry["linkinfo"] = {"info_kind": link.kind}
        if link.kind in KINDS:
            data: dict[str, t.Any] = {"mode": link.mode, **dict.fromkeys(link.flags, True)}
            if self.shows_queue:
                used = max([link.queue, *(other.queue for other in self.siblings(link))])
                data.update(bcqueuelen=link.queue, usedbcqueuelen=used)
            if link.mode == "source":
                data.update(macaddr_count=len(link.source_macs), macaddr_data=list(reversed(link.source_macs)))
            entry["linkinfo"]["info_data"] = data
        return {**entry, **link.more}

    def route_entries(self, version: int) -> list[dict[str, t.Any]]:
        """Return what `ip -j -4 route show table all` says."""
        found = [
            {
                "dst": _short(route.destination),
                "dev": link.name,
                **({"gateway": route.gateway} if route.gateway else {"scope": "link"} if version == 4 else {}),
                **({"metric": route.metric} if route.metric else {}),
                "protocol": route.protocol,
                "flags": [],
            }
            for link in self.links.values()
            for route in link.routes
            if route.version == version
        ]
        own = [
            {"dst": str(subnet), "dev": link.name, "protocol": "kernel", "flags": [], **({"metric": 256} if version == 6 else {})}
            for link in self.links.values()
            for subnet in self._connected(link)
            if subnet.version == version and link.up
        ]
        return own + found + [entry for entry in self.foreign_routes if (":" in entry["dst"]) == (version == 6)]

    def read(self) -> Links:
        """Return the links as they are read from what `ip` says."""
        routes = [read_route(entry, version) for version in (4, 6) for entry in self.route_entries(version)]
        return Links(
            devices=read_addresses_and_links(self.entries(), lambda _name: False),
            routes=tuple(route for route in routes if route is not None),
        )

    def interface(self, name: str) -> Interface | None:
        """Return an interface as it is read."""
        if name not in self.links:
            return None
        links = self.read()
        return read_interface(links.devices[name], links, self.ipv6_of(name))

    def ipv6_of(self, name: str) -> Ipv6 | None:
        """Return what the kernel does with IPv6 on a link, None where it does none."""
        link = self.links[name]
        if not self._has_ipv6(link):
            return None
        if link.disable_ipv6 or (link.addr_gen_mode == 1 and not link.accept_ra):
            return Ipv6(disabled=True, follows_routers=False)
        return Ipv6(disabled=False, follows_routers=bool(link.accept_ra))

    # --- what is done -----------------------------------------------------------------------------------------------------

    def carry_out(self, actions: t.Iterable[Action]) -> None:
        """Do actions in their order. Raises Refused at the first that the kernel does not do."""
        for action in actions:
            if isinstance(action, Setting):
                self.set(action.path, action.value)
            elif isinstance(action, Removal):
                self.remove(action.name)
            else:
                self.do(action)

    def remove(self, name: str) -> None:
        """Remove an interface, if it is there."""
        if name in self.links:
            self.do(f"link delete dev {name}")

    def set(self, path: str, value: str) -> None:
        """Write a setting."""
        link, key = self._setting(path)
        setattr(link, key, int(value))
        if link.disable_ipv6:
            link.drop(6, addresses=True)

    def get(self, path: str) -> int | None:
        """Return a setting, None where there is none."""
        if path.startswith("net/ipv6/conf/default/"):
            return {"disable_ipv6": 0, "accept_ra": 1, "addr_gen_mode": 0}[path.rpartition("/")[2]] if self.has_ipv6 else None
        try:
            link, key = self._setting(path)
        except Refused:
            return None
        return int(getattr(link, key))

    def _setting(self, path: str) -> tuple[Link, str]:
        folder, _slash, key = path.rpartition("/")
        start, _slash, name = folder.rpartition("/")
        known = start == "net/ipv6/conf" and key in ("disable_ipv6", "accept_ra", "addr_gen_mode")
        if not known or name not in self.links or not self._has_ipv6(self.links[name]):
            raise Refused("No such file or directory")
        return self.links[name], key

    def do(self, line: str) -> None:
        """Do a line of `ip -batch`. Raises Refused."""
        words = line.split()
        what, verb, *rest = words
        if (what, verb) == ("link", "add"):
            self._link_add(rest)
        elif (what, verb) == ("link", "delete"):
            self._link_delete(self._one(rest))
        elif (what, verb) == ("link", "set"):
            self._link_set(self._one(rest[:2]), rest[2:])
        elif what == "address":
            self._address(verb, rest[0], self._one(rest[1:]))
        elif what == "route":
            self._route(verb, rest[:-2], self._one(rest[-2:]))
        else:
            raise Refused(f'Object "{what}" is unknown, try "ip help".')

    def _one(self, words: list[str]) -> Link:
        dev, name = words
        if dev != "dev":
            raise Refused(f'"{dev}" is a garbage.')
        if name not in self.links:
            raise Refused(f'Cannot find device "{name}"')
        return self.links[name]

    def _has_ipv6(self, link: Link) -> bool:
        return self.has_ipv6 and link.mtu >= _LEAST_FOR_IPV6

    def _does_ipv6(self, link: Link) -> bool:
        return self._has_ipv6(link) and not link.disable_ipv6

    def _connected(self, link: Link) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        subnets = {ipaddress.ip_interface(text).network for text in link.addresses}
        return sorted((subnet for subnet in subnets if subnet.prefixlen < subnet.max_prefixlen), key=str)

    # --- links ------------------------------------------------------------------------------------------------------------

    def _link_add(self, words: list[str]) -> None:
        at = words.index("type")
        values = dict(zip(words[:at:2], words[1:at:2]))
        kind, mode_word, mode, *more = words[at + 1 :]
        queue = int(more[more.index("bcqueuelen") + 1]) if "bcqueuelen" in more else 1000
        flags = tuple(word for word in more if word in _FLAGS)
        if "bcqueuelen" in more and not self.shows_queue:
            raise Refused(f'{kind}: unknown option "bcqueuelen"?')
        _check_flags(mode, flags)
        name, lower = values["name"], self.links.get(values["link"])
        if kind not in self.kinds:
            raise Refused("Error: Unknown device type.")
        if lower is None:
            raise Refused(f'Cannot find device "{values["link"]}"')
        if mode_word != "mode" or set(values) - {"name", "link", "mtu", "address", "numtxqueues", "numrxqueues"}:
            raise Refused("Garbage instead of arguments")
        if name in self.links:
            raise Refused("RTNETLINK answers: File exists")
        if lower.kind in KINDS:
            lower = self.links[lower.parent]
        if lower.more.get("master"):
            raise Refused("RTNETLINK answers: Device or resource busy")
        mtu = int(values.get("mtu", lower.mtu))
        others = [link for link in self.links.values() if link.kind in KINDS and link.parent == lower.name]
        if mtu > lower.mtu or (others and "passthru" in (mode, *(other.mode for other in others))):
            raise Refused("RTNETLINK answers: Invalid argument")
        if mode == "passthru" and "address" in values:
            raise Refused("the real one takes the parent's address whatever is said here")
        self._last_mac += 1
        mac = lower.mac if mode == "passthru" else values.get("address", f"82:00:00:00:00:{self._last_mac % 256:02x}")
        self.add(
            name,
            mtu=mtu,
            mac=mac,
            kind=kind,
            parent=lower.name,
            mode=mode,
            flags=flags,
            queue=queue,
            queues=(int(values.get("numtxqueues", 1)), int(values.get("numrxqueues", 1))),
        )
        if mode == "passthru":
            lower.before = lower.mac

    def _link_delete(self, link: Link) -> None:
        del self.links[link.name]
        if link.mode == "passthru":
            lower = self.links[link.parent]
            lower.mac, lower.before = lower.before, ""

    def _link_set(self, link: Link, words: list[str]) -> None:
        verb, *rest = words
        if verb == "type":
            self._change_kind(link, *rest)
        elif verb == "up":
            self._bring_up(link)
        elif verb == "down":
            link.up = False
            link.drop(4, addresses=False)
            link.drop(6, addresses=True)
        elif verb == "allmulticast":
            link.all_multicast = rest == ["on"]
        elif verb == "mtu":
            self._change_mtu(link, int(rest[0]))
        elif verb == "address":
            self._change_mac(link, rest[0])
        else:
            raise Refused(f'Error: argument "{verb}" is wrong')

    def _bring_up(self, link: Link) -> None:
        if link.mode != "passthru" and self._is_taken(link, link.mac):
            raise Refused("RTNETLINK answers: Device or resource busy")
        link.up = True

    def _is_taken(self, link: Link, mac: str) -> bool:
        return any(other.mac == mac for other in [self.links[link.parent], *self.siblings(link)])

    def _change_mac(self, link: Link, mac: str) -> None:
        if link.mode == "passthru":
            self.links[link.parent].mac = mac
        elif link.up and self._is_taken(link, mac):
            raise Refused("RTNETLINK answers: Address already in use")
        link.mac = mac

    def _change_mtu(self, link: Link, mtu: int) -> None:
        if not 68 <= mtu <= self.links[link.parent].mtu:
            raise Refused("RTNETLINK answers: Invalid argument")
        had = self._has_ipv6(link)
        link.mtu = mtu
        if self._has_ipv6(link) and not had:
            link.disable_ipv6, link.accept_ra, link.addr_gen_mode = 0, 1, 0
        if had and not self._has_ipv6(link):
            link.drop(6, addresses=True)

    def _change_kind(self, link: Link, kind: str, what: str, *words: str) -> None:
        if kind != link.kind:
            raise Refused("RTNETLINK answers: Operation not supported")
        if what == "mode":
            self._change_mode(link, *words)
        elif what == "bcqueuelen" and self.shows_queue:
            link.queue = int(words[0])
        elif what == "macaddr" and link.mode == "source" and words[0] in ("set", "flush"):
            link.source_macs = tuple(sorted(words[1:]))
        else:
            raise Refused("RTNETLINK answers: Invalid argument")

    def _change_mode(self, link: Link, mode: str, *flags: str) -> None:
        _check_flags(mode, flags)
        if mode != link.mode and "passthru" in (mode, link.mode):
            raise Refused("RTNETLINK answers: Invalid argument")
        if mode != "source":
            link.source_macs = ()
        link.mode = mode
        link.flags = tuple(flags) or link.flags  # with none of them `ip` says nothing about flags

    # --- addresses and routes ---------------------------------------------------------------------------------------------

    def _address(self, verb: str, text: str, link: Link) -> None:
        address = ipaddress.ip_interface(text)
        if address.version == 6 and not self._has_ipv6(link):
            raise Refused("RTNETLINK answers: Invalid argument")
        if verb == "del":
            self._delete_address(text, link)
            return
        if address.version == 6 and link.disable_ipv6:
            raise Refused("Error: ipv6: IPv6 is disabled on this device.")
        # of IPv6 an address is one whatever its prefix
        there = text in link.addresses or (
            address.version == 6 and address.ip in [ipaddress.ip_interface(other).ip for other in link.given(6)]
        )
        if there and verb == "add":
            raise Refused("RTNETLINK answers: File exists")
        if not there:
            link.addresses.append(text)

    def _delete_address(self, text: str, link: Link) -> None:
        if text not in link.addresses:
            raise Refused("RTNETLINK answers: Cannot assign requested address")
        address = ipaddress.ip_interface(text)
        same = [other for other in link.addresses if ipaddress.ip_interface(other).network == address.network]
        link.addresses.remove(text)
        if address.version == 4 and same[0] == text and not self.promotes:
            link.addresses = [other for other in link.addresses if other not in same]
        if address.version == 4 and not link.given(4):
            link.drop(4, addresses=False)

    def _route(self, verb: str, words: list[str], link: Link) -> None:
        destination, *rest = [str(ipaddress.ip_network(words[0])), *words[1:]]
        values = dict(zip(rest[::2], rest[1::2]))
        if set(values) - {"via", "metric", "proto", "scope"}:
            raise Refused("Garbage instead of arguments")
        metric = int(values.get("metric", 0)) or {4: 0, 6: 1024}[ipaddress.ip_network(destination).version]
        route = KernelRoute(destination, values.get("via", ""), metric, values.get("proto", "boot"))
        if verb == "del":
            self._delete_route(route, link)
            return
        if not link.up or (route.version == 6 and not self._does_ipv6(link)):
            raise Refused("Error: Device for nexthop is not up.")
        own_metric = {4: 0, 6: 256}[route.version]
        if ipaddress.ip_network(destination) in self._connected(link) and route.metric == own_metric:
            raise Refused("RTNETLINK answers: File exists")
        if route.gateway and not self._reaches(link, route.gateway):
            raise Refused("Error: Nexthop has invalid gateway.")
        same = [other for other in link.routes if (other.destination, other.metric) == (destination, route.metric)]
        if same and verb == "add":
            raise Refused("RTNETLINK answers: File exists")
        link.routes = [other for other in link.routes if other not in same] + [route]

    def _delete_route(self, route: KernelRoute, link: Link) -> None:
        found = [
            other
            for other in link.routes
            if other.destination == route.destination
            and route.gateway in ("", other.gateway)
            and (other.metric == route.metric or (route.version == 4 and route.metric == 0))
        ]
        if not found:
            raise Refused("RTNETLINK answers: No such process")
        link.routes.remove(min(found, key=lambda other: other.metric))

    def _reaches(self, link: Link, gateway: str) -> bool:
        address = ipaddress.ip_address(gateway)
        if address in [ipaddress.ip_interface(text).ip for text in link.addresses]:
            return False
        at_once = [ipaddress.ip_network(route.destination) for route in link.routes if not route.gateway]
        return any(address in subnet for subnet in [*self._connected(link), *at_once])


def networkd_makes(kernel: Kernel, name: str, files: t.Mapping[str, str]) -> None:
    """Do what systemd-networkd does for an interface that is not there, of which it has files."""
    folder = "/etc/systemd/network"
    additions = [re.fullmatch(rf"{folder}/10-(\w+)\.network\.d/kvmops-{re.escape(name)}\.conf", path) for path in files]
    parents = [found[1] for found in additions if found is not None]
    netdev = parse(files.get(f"{folder}/0-kvmops-{name}.netdev", ""))
    if name in kernel.links or not parents or not netdev:
        return
    [parent] = parents
    device, network = first(netdev, "NetDev"), parse(files[f"{folder}/0-kvmops-{name}.network"])
    kind = device.last("Kind")
    own, basics = first(netdev, kind.upper()), first(network, "Network")
    addition = first(parse(files[f"{folder}/10-{parent}.network.d/kvmops-{name}.conf"]), "Network")
    if addition.values(kind.upper()) != [name]:
        return
    mtu = f" mtu {device.last('MTUBytes')}" if device.last("MTUBytes") else ""
    mac = device.last("MACAddress")
    kernel.do(f"link add name {name} link {parent}{mtu} address {mac} type {kind} mode {own.last('Mode')}")
    if own.values("SourceMACAddress"):
        kernel.do(f"link set dev {name} type {kind} macaddr set {' '.join(own.values('SourceMACAddress'))}")
    link = kernel.links[name]
    link.accept_ra = int(basics.last("IPv6AcceptRA") != "no")
    link.all_multicast = first(network, "Link").last("AllMulticast") == "yes"
    link.addr_gen_mode = int(basics.last("LinkLocalAddressing") == "no")
    for address in basics.values("Address"):
        kernel.do(f"address add {address} dev {name}")
    kernel.do(f"link set dev {name} up")
    for section in sorted((one for one in network if one.name == "Route"), key=lambda one: one.last("Gateway") != ""):
        via = f" via {section.last('Gateway')}" if section.last("Gateway") else ""
        kernel.do(f"route add {section.last('Destination')}{via} metric {section.last('Metric')} proto static dev {name}")


def _check_flags(mode: str, flags: t.Collection[str]) -> None:
    if "nopromisc" in flags and mode != "passthru":
        raise Refused("nopromisc flag only valid in passthru mode")


def _address_entry(text: str, **more: t.Any) -> dict[str, t.Any]:
    local, _slash, length = text.partition("/")
    family = "inet6" if ":" in local else "inet"
    return {"family": family, "local": local, "prefixlen": int(length), "scope": "global", "valid_life_time": _FOREVER, **more}


def _short(destination: str) -> str:
    subnet = ipaddress.ip_network(destination)
    return str(subnet.network_address) if subnet.prefixlen == subnet.max_prefixlen else destination
