# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The host's links, addresses, routes and virtual functions. The one place that asks `ip`, and knows its flags for that."""

from __future__ import annotations

import ipaddress
import json
import os
import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Links, read_addresses_and_links, read_route
from ansible_collections.kvmops.network.plugins.module_utils._errors import RequirementError

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    Run = t.Callable[[list[str]], tuple[int, str, str]]
    Subnet = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

__all__ = [
    "Host",
    "Link",
    "Neighbour",
    "Route",
    "failure_of",
    "forget_neighbour",
    "read_all_links",
    "read_default_devices",
    "read_host",
    "read_links",
    "read_neighbours",
]


# Routes that lead nowhere, on purpose: the subnet is somebody's, as a cluster's address pools are.
_REFUSALS = ("blackhole", "unreachable", "prohibit")


@dataclass(frozen=True)
class Link:
    """An interface of the host. `kind` is the kernel's word ("bridge", "veth"), "" for a physical one.

    `stp` says whether STP is on, None for what is no bridge; `isolated` whether frames go to no other isolated port, None for
    what is no port; `mtu` is None where it was not shown.
    """

    name: str
    mac: str | None
    kind: str
    master: str | None
    wireless: bool
    addresses: tuple[ipaddress.IPv4Interface | ipaddress.IPv6Interface, ...]
    stp: bool | None = None
    isolated: bool | None = None
    mtu: int | None = None
    up: bool = True


@dataclass(frozen=True)
class Route:
    """A route, or the refusal of one. `connected` says that its subnet is reached without a gateway."""

    subnet: Subnet
    device: str | None
    connected: bool
    table: str


@dataclass(frozen=True)
class Host:
    """What the host's kernel knows of its networks, as far as it was asked.

    `virtual_functions` are PCI addresses such as 0000:04:00.1.
    """

    links: dict[str, Link]
    routes: tuple[Route, ...] = ()
    virtual_functions: frozenset[str] = frozenset()

    def ports_of(self, bridge: str) -> list[str]:
        """Return the names of the interfaces that are plugged into a bridge."""
        return sorted(link.name for link in self.links.values() if link.master == bridge)


@dataclass(frozen=True)
class Neighbour:
    """Who has an address on a network of the host: behind which interface, and whether it answered a moment ago.

    `written_down` says that somebody did that for good, and nobody is asked.
    """

    address: str
    mac: str
    device: str
    answers: bool
    written_down: bool = False


def failure_of(run: Run, command: Sequence[str]) -> str | None:
    """Run a command, and return on one line why it failed, None where it has not."""
    try:
        code, output, errors = run(list(command))
    except OSError as error:
        return error.strerror or ""
    return " ".join((errors or output).split()).rstrip(".") if code != 0 else None


def read_neighbours(run: Run) -> list[Neighbour]:
    """Return whom the kernel knows on the host's networks. Raises RequirementError if `ip` fails."""
    entries = _read_json(run, ["ip", "-j", "neigh", "show"])
    return [
        Neighbour(
            address=entry["dst"],
            mac=entry["lladdr"].lower(),
            device=entry.get("dev", ""),
            answers="REACHABLE" in entry.get("state", []),
            written_down=bool({"PERMANENT", "NOARP"} & set(entry.get("state", []))),
        )
        for entry in entries
        if "lladdr" in entry and "dst" in entry
    ]


def forget_neighbour(run: Run, neighbour: Neighbour) -> None:
    """Have the kernel find out anew who has an address, unless somebody wrote it down for good. Only root may."""
    run(["ip", "neigh", "flush", "to", neighbour.address, "dev", neighbour.device])


def read_host(run: Run) -> Host:
    """Ask the kernel, through `ip`. `run` runs a command and returns its exit code, output and errors.

    Raises RequirementError if `ip` fails.
    """
    links = read_links(run)
    routes = _read_json(run, ["ip", "-j", "-4", "route", "show", "table", "all"])
    routes += _read_json(run, ["ip", "-j", "-6", "route", "show", "table", "all"])
    return Host(
        links=links,
        routes=tuple(route for route in (_read_route(entry) for entry in routes) if route is not None),
        virtual_functions=_read_virtual_functions(),
    )


def read_default_devices(run: Run) -> list[str]:
    """Return the interfaces through which the host's IPv4 packets leave for elsewhere, the preferred one first.

    Raises RequirementError if `ip` fails.
    """
    entries = _read_json(run, ["ip", "-j", "-4", "route", "show", "default"])
    found = sorted(entries, key=lambda entry: int(entry.get("metric", 0)))
    hops = [hop for entry in found for hop in (entry, *entry.get("nexthops", []))]
    return list(dict.fromkeys(hop["dev"] for hop in hops if "dev" in hop))


def read_links(run: Run) -> dict[str, Link]:
    """Return the host's interfaces by name. Raises RequirementError if `ip` fails."""
    entries = _read_json(run, ["ip", "-j", "-d", "addr", "show"])
    return {entry["ifname"]: _read_link(entry) for entry in entries if entry.get("ifname")}


def read_all_links(run: Run) -> Links:
    """Return links, addresses and routes in the detail that moving them needs. Raises RequirementError if `ip` fails."""
    devices = read_addresses_and_links(_read_json(run, ["ip", "-j", "-d", "addr", "show"]), _is_wireless)
    found = [
        (entry, version)
        for version in (4, 6)
        for entry in _read_json(run, ["ip", "-j", f"-{version}", "route", "show", "table", "all"])
    ]
    routes = [read_route(entry, version) for entry, version in found]
    return Links(
        devices=devices,
        routes=tuple(route for route in routes if route is not None),
        shared=frozenset(hop["dev"] for entry, _version in found for hop in entry.get("nexthops", []) if "dev" in hop),
    )


def _is_wireless(name: str) -> bool:
    return any(os.path.exists(f"/sys/class/net/{name}/{mark}") for mark in ("wireless", "phy80211"))


def _read_virtual_functions(devices: str = "/sys/bus/pci/devices") -> frozenset[str]:
    try:
        places = os.listdir(devices)
    except OSError:
        return frozenset()  # no PCI bus
    return frozenset(place for place in places if os.path.exists(f"{devices}/{place}/physfn"))


def _read_json(run: Run, command: list[str]) -> list[dict[str, t.Any]]:
    errors = ""
    try:
        code, output, errors = run(command)
        if code != 0:
            raise ValueError
        found: list[dict[str, t.Any]] = json.loads(output or "[]")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else errors.strip().rstrip(".") or "its answer is no JSON"
        raise RequirementError(
            f"'{' '.join(command)}' failed on this host: {reason}. Install iproute2 (4.14 or later)."
        ) from None
    return [entry for entry in found if entry]


def _read_link(entry: dict[str, t.Any]) -> Link:
    name = entry["ifname"]
    addresses = [
        ipaddress.ip_interface(f"{address['local']}/{address['prefixlen']}")
        for address in entry.get("addr_info", [])
        if "local" in address
    ]
    information = entry.get("linkinfo", {})
    stp = information.get("info_data", {}).get("stp_state")
    isolated = information.get("info_slave_data", {}).get("isolated")
    return Link(
        name=name,
        mac=entry.get("address") if entry.get("link_type") == "ether" else None,
        kind=entry.get("linkinfo", {}).get("info_kind", ""),
        master=entry.get("master"),
        wireless=_is_wireless(name),
        addresses=tuple(addresses),
        stp=bool(stp) if stp is not None else None,
        isolated=bool(isolated) if isolated is not None else None,
        mtu=entry.get("mtu"),
        up="UP" in entry.get("flags", ["UP"]),
    )


def _read_route(entry: dict[str, t.Any]) -> Route | None:
    """Return a route, None for what is not one to a subnet (default, local, multicast and broadcast ones)."""
    kind = entry.get("type", "unicast")
    if kind not in ("unicast", *_REFUSALS) or entry.get("dst") in (None, "default"):
        return None
    subnet = ipaddress.ip_network(entry["dst"], strict=False)
    if subnet.prefixlen == 0 or subnet.is_multicast or subnet.is_link_local or subnet.is_loopback:
        return None
    return Route(
        subnet=subnet,
        device=entry.get("dev"),
        connected=kind == "unicast" and "gateway" not in entry and "via" not in entry and "nexthops" not in entry,
        table=str(entry.get("table", "main")),
    )
