# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.


"""What a task asks for, checked as far as that goes without looking at the host."""

from __future__ import annotations

import ipaddress
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.interface import PASSTHRU, SOURCE, RouteOver, route_metric
from ansible_collections.kvmops.network.plugins.module_utils._values import (
    AUTO,
    check_address,
    check_mac,
    check_name,
    without_zone,
)

__all__ = ["USUAL_QUEUE", "Request", "Tap"]

USUAL_QUEUE = 1000  # packets; the kernel's own length of the queue for broadcasts
_PORT_FILE = "-port"  # at the end of the names of files about a bridge's port
_MTU = (68, 65535)
_QUEUES = (1, 256)
_QUEUE = (0, 2**32 - 1)
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\$?")
_LAST_USER = 2**32 - 2  # the number after it means nobody in particular to the kernel
_METRIC = (0, 2**32 - 1)


@dataclass(frozen=True)
class Tap:
    """Who may open the device node of a macvtap: names or numbers as udev takes them, and permissions. The kernel's own is so."""

    owner: str = "root"
    group: str = "root"
    mode: int = 0o600


@dataclass(frozen=True)
class Request:
    """An interface that the host shall have or not have; `mac` is "", `mtu` and `tap` None where the task leaves them out."""

    name: str
    state: str
    kind: str = "macvtap"
    parent: str = ""
    mode: str = "bridge"
    flags: tuple[str, ...] = ()
    mac: str = ""
    source_macs: tuple[str, ...] = ()
    mtu: int | None = None
    queues: int = 1
    broadcast_queue: int = USUAL_QUEUE
    up: bool = True
    addresses: tuple[str, ...] = ()
    routes: tuple[RouteOver, ...] = ()
    tap: Tap | None = None
    backend: str = AUTO
    force: bool = False

    @property
    def ip_versions(self) -> set[int]:
        """Of which versions it has addresses."""
        return {ipaddress.ip_interface(address).version for address in self.addresses}

    @classmethod
    def from_options(cls, options: dict[str, t.Any]) -> Request:
        """Return the request of a task's options. Raises InputError for what no host could do."""
        name = check_name("name", options["name"])
        if name.endswith(_PORT_FILE):
            raise InputError(f"name: '{name}' ends in {_PORT_FILE}, as the files of bridges' ports do; choose another name.")
        if options["state"] == "absent":
            return cls(name=name, state="absent", force=options["force"])
        mode = PASSTHRU if options["mode"] == "passthrough" else options["mode"]
        addresses = tuple(sorted(check_address("addresses", text) for text in options["addresses"]))
        request = cls(
            name=name,
            state="present",
            kind=options["kind"],
            parent=_check_parent(options["parent"], name),
            mode=mode,
            flags=tuple(sorted(set(options["flags"]))),
            mac=check_mac("mac", options["mac"]) if options["mac"] is not None else "",
            source_macs=tuple(sorted({check_mac("source_macs", mac) for mac in options["source_macs"]})),
            mtu=_within("mtu", options["mtu"], _MTU) if options["mtu"] is not None else None,
            queues=_within("queues", options["queues"], _QUEUES),
            broadcast_queue=_within("bcqueuelen", options["bcqueuelen"], _QUEUE),
            up=options["link"] == "up",
            addresses=addresses,
            routes=tuple(sorted(_read_route(route) for route in options["routes"])),
            tap=_read_tap(options["tap"]),
            backend=options["backend"],
            force=options["force"],
        )
        _check_together(request)
        return request


def _check_parent(parent: str | None, name: str) -> str:
    if parent is None:
        raise InputError("parent: it is missing; name the interface that this one stands on, such as eth1.")
    if parent == name:
        raise InputError(f"parent: '{parent}' is the interface itself; name the one that it stands on.")
    return check_name("parent", parent)


def _within(option: str, value: int, limits: tuple[int, int]) -> int:
    low, high = limits
    if not low <= value <= high:
        raise InputError(f"{option}: '{value}' is not from {low} to {high}.")
    return value


def _read_route(options: dict[str, t.Any]) -> RouteOver:
    text = options["destination"]
    try:
        destination = ipaddress.ip_network(without_zone(text))
    except ValueError:
        raise InputError(
            f"routes.destination: '{text}' is no subnet and no address; write it as 192.0.2.128/25 or 192.0.2.7."
        ) from None
    if destination.prefixlen == 0:
        raise InputError(f"routes.destination: '{text}' is a default route, which belongs to the host's uplink; name subnets.")
    if destination.is_multicast or destination.is_loopback or destination.is_link_local:
        raise InputError(f"routes.destination: '{text}' is nothing that guests have; name their addresses or subnets.")
    metric = options["metric"]
    return RouteOver(
        destination=str(destination),
        gateway=_read_gateway(options["gateway"], destination.version),
        metric=route_metric(str(destination), _within("routes.metric", metric, _METRIC) if metric is not None else None),
    )


def _read_gateway(text: str | None, version: int) -> str:
    if text is None:
        return ""
    try:
        gateway = ipaddress.ip_address(without_zone(text))
    except ValueError:
        raise InputError(f"routes.gateway: '{text}' is no address; write one without a prefix.") from None
    if gateway.version != version:
        raise InputError(f"routes.gateway: '{text}' is an IPv{gateway.version} address, and the destination is IPv{version}.")
    return str(gateway)


def _read_tap(options: dict[str, t.Any] | None) -> Tap | None:
    if options is None:
        return None
    given = options["mode"]
    for option in ("owner", "group"):
        if not _USER.fullmatch(options[option]) or (options[option].isdigit() and int(options[option]) > _LAST_USER):
            raise InputError(f"tap.{option}: '{options[option]}' is no name of a user or a group.")
    try:
        mode = int(given, 8) if isinstance(given, str) else -1  # what YAML makes of one without quotes, nobody can tell
    except ValueError:
        mode = -1
    if not 0 <= mode <= 0o777:
        raise InputError(f"tap.mode: '{given}' is no octal number from 0 to 0777; write it as '0660', in quotes.")
    return Tap(owner=options["owner"], group=options["group"], mode=mode)


def _check_together(request: Request) -> None:
    mode = request.mode
    if "nopromisc" in request.flags and mode != PASSTHRU:
        raise InputError(f"flags: nopromisc is for mode passthru, and the mode is {mode}; leave it out or change the mode.")
    if "nodst" in request.flags and mode != SOURCE:
        raise InputError(f"flags: nodst is for mode source, and the mode is {mode}; leave it out or change the mode.")
    if request.source_macs and mode != SOURCE:
        raise InputError(f"source_macs: they are for mode source, and the mode is {mode}; leave them out or change the mode.")
    if request.tap is not None and request.kind != "macvtap":
        raise InputError(f"tap: a {request.kind} has no device node; leave it out, or set kind: macvtap.")
    if request.routes and not request.up:
        raise InputError("routes: the kernel has no routes over an interface that is down; leave them out, or set link: up.")
    if len({ipaddress.ip_interface(text).ip for text in request.addresses}) < len(request.addresses):
        raise InputError(f"addresses: an address is given twice: {', '.join(request.addresses)}.")
    if len({(route.destination, route.metric) for route in request.routes}) < len(request.routes):
        raise InputError("routes: a destination is given twice with one metric; leave one out, or give them different metrics.")
    own = {str(interface.network): interface for interface in map(ipaddress.ip_interface, request.addresses)}
    for route in request.routes:
        if route.destination in own and route.metric in (0, 256):  # the kernel's own metrics for IPv4 and IPv6
            raise InputError(
                f"routes: {route.destination} is there by itself, with the address {own[route.destination]}; leave it out."
            )
        version = ipaddress.ip_network(route.destination).version
        if version not in request.ip_versions:
            raise InputError(
                f"routes: {route.destination} needs an IPv{version} address of this interface, from which the host sends; "
                "give one in addresses."
            )
