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
from ansible_collections.kvmops.network.plugins.module_utils._values import (
    AUTO,
    EXAMPLES,
    check_address,
    check_mac,
    check_name,
    without_zone,
)

__all__ = ["Dns", "Family", "Request"]

_PORT_FILE = "-port"  # at the end of the names of files about a bridge's port
_MTU = (576, 65535)
_STP_DELAY = (2, 30)  # seconds; the kernel refuses others while STP is on
_USUAL_STP_DELAY = 15
_WINDOW = (10, 3600)  # seconds
_USUAL_WINDOW = 60
_USUAL_STP_WINDOW = 120


@dataclass(frozen=True)
class Family:
    """How the bridge gets its addresses of one family, where the task does not leave it as the uplink had it.

    `method` is dhcp, static or none, for IPv6 also auto (what routers say); addresses have their prefix, such as 192.0.2.7/24.
    """

    version: int
    method: str
    addresses: tuple[str, ...] = ()
    gateway: str = ""


@dataclass(frozen=True)
class Dns:
    """Name servers and search domains, where the task does not leave them as the uplink had them."""

    servers: tuple[str, ...] | None = None
    search: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Request:
    """A bridge that the host shall have or not have. Times are seconds."""

    name: str
    state: str
    uplink: str = AUTO
    backend: str = AUTO
    mac: str = ""
    mtu: int | None = None
    stp: bool = False
    forward_delay: int = 0
    ipv4: Family | None = None
    ipv6: Family | None = None
    dns: Dns = Dns()
    window: int = _USUAL_WINDOW
    check_gateway: bool = True
    force: bool = False

    @classmethod
    def from_options(cls, options: dict[str, t.Any]) -> Request:
        """Return the request of a task's options. Raises InputError for what no host could do."""
        name = check_name("name", options["name"])
        uplink = options["uplink"]
        if uplink != AUTO:
            check_name("uplink", uplink)
        if name.endswith(_PORT_FILE):
            raise InputError(f"name: '{name}' ends in {_PORT_FILE}, as the names of ports' files do; choose another name.")
        if uplink == name:
            raise InputError(f"uplink: '{uplink}' is the bridge itself; name the interface that shall become its port.")
        stp = options["stp"]
        ipv4, ipv6 = (_read_family(version, options[f"ipv{version}"]) for version in (4, 6))
        return cls(
            name=name,
            state=options["state"],
            uplink=uplink,
            backend=options["backend"],
            mac=check_mac("mac", options["mac"]) if options["mac"] is not None else "",
            mtu=_check_mtu(options["mtu"]),
            stp=stp,
            forward_delay=_check_delay(options["forward_delay"], stp=stp),
            ipv4=ipv4,
            ipv6=ipv6,
            dns=_read_dns(options["dns"]),
            window=_check_window(options["confirm_timeout"], stp=stp),
            check_gateway=options["check_gateway"],
            force=options["force"],
        )


def _check_mtu(mtu: int | None) -> int | None:
    if mtu is not None and not _MTU[0] <= mtu <= _MTU[1]:
        raise InputError(f"mtu: '{mtu}' is not from {_MTU[0]} to {_MTU[1]}, the limits of IPv4.")
    return mtu


def _check_delay(delay: int | None, *, stp: bool) -> int:
    if delay is None:
        return _USUAL_STP_DELAY if stp else 0
    low, high = _STP_DELAY
    if stp and not low <= delay <= high:
        raise InputError(
            f"forward_delay: '{delay}' is not from {low} to {high} seconds, which is what the kernel takes with stp: true."
        )
    if not 0 <= delay <= high:
        raise InputError(f"forward_delay: '{delay}' is not from 0 to {high} seconds.")
    return delay


def _check_window(window: int | None, *, stp: bool) -> int:
    if window is None:
        return _USUAL_STP_WINDOW if stp else _USUAL_WINDOW
    low, high = _WINDOW
    if not low <= window <= high:
        raise InputError(f"confirm_timeout: '{window}' is not from {low} to {high} seconds.")
    return window


def _read_family(version: int, options: dict[str, t.Any] | None) -> Family | None:
    if options is None:
        return None
    where = f"ipv{version}"
    method = options["method"]
    addresses = tuple(check_address(f"{where}.addresses", text, version=version) for text in options["addresses"] or [])
    gateway = _read_gateway(f"{where}.gateway", version, options["gateway"], addresses)
    if method == "static" and not addresses:
        raise InputError(f"{where}.addresses: method static needs at least one address, such as {EXAMPLES[version]}.")
    if method != "static" and (addresses or gateway):
        raise InputError(
            f"{where}: addresses and gateway are for method static, and method is '{method}'; leave them out or change it."
        )
    if len({ipaddress.ip_interface(text).ip for text in addresses}) < len(addresses):
        raise InputError(f"{where}.addresses: an address is given twice: {', '.join(addresses)}.")
    return Family(version=version, method=method, addresses=addresses, gateway=gateway)


def _read_gateway(where: str, version: int, text: str | None, addresses: tuple[str, ...]) -> str:
    if not text:
        return ""
    try:
        gateway = ipaddress.ip_address(without_zone(text))
    except ValueError:
        raise InputError(f"{where}: '{text}' is no address; write one without a prefix.") from None
    if gateway.version != version:
        raise InputError(f"{where}: '{text}' is an IPv{gateway.version} address; it belongs under ipv{gateway.version}.")
    interfaces = [ipaddress.ip_interface(address) for address in addresses]
    if any(gateway == interface.ip for interface in interfaces):
        raise InputError(f"{where}: '{text}' is the bridge's own address; name the router.")
    if interfaces and not any(gateway in interface.network for interface in interfaces) and not gateway.is_link_local:
        raise InputError(
            f"{where}: '{text}' is in none of the subnets of {', '.join(addresses)}, so the bridge could not reach it."
        )
    return str(gateway)


def _read_dns(options: dict[str, t.Any] | None) -> Dns:
    if options is None:
        return Dns()
    servers, search = options["servers"], options["search"]
    for text in servers or []:
        try:
            ipaddress.ip_address(without_zone(text))
        except ValueError:
            raise InputError(f"dns.servers: '{text}' is no address.") from None
    for text in search or []:
        if not re.fullmatch(r"~\.|~?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?", text):
            raise InputError(f"dns.search: '{text}' is no domain.")
    return Dns(servers=None if servers is None else tuple(servers), search=None if search is None else tuple(search))
