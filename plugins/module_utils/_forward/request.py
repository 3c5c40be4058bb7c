# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What a task about a port forward asks for, checked as far as that goes without looking at the host."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._forward.forward import FORWARD_NAME
from ansible_collections.kvmops.network.plugins.module_utils._forward.ports import Ports
from ansible_collections.kvmops.network.plugins.module_utils._values import without_zone

if t.TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ForwardRequest", "check_forward_name"]

_MOST_SHIFTED = 1024  # ports, each of which is an element of a map of the kernel's
_NO_PORTS = Ports(0, 0)  # of a forward that shall be absent
_MOST_PROXIED = 16  # ports, each of which has two units of systemd


@dataclass(frozen=True)
class ForwardRequest:
    """What a task says. `host_ports` None: free ones of `candidates`; `address` "": the guest's; `version` is that of IP."""

    name: str
    state: str
    protocols: tuple[str, ...] = ()
    host_address: str = ""
    host_ports: Ports | None = None
    candidates: Ports = _NO_PORTS
    domain: str = ""
    network: str = ""
    address: str = ""
    guest_ports: Ports = _NO_PORTS
    method: str = "auto"
    version: int = 4

    @classmethod
    def from_options(cls, options: Mapping[str, t.Any]) -> ForwardRequest:
        """Return what a task says. Raises InputError, which names the option, its value and what is needed."""
        name = check_forward_name("name", options["name"])
        if options["state"] == "absent":
            return cls(name, "absent")
        _check_target(options)
        host_ports = Ports.from_option("host_port", options["host_port"]) if options["host_port"] is not None else None
        guest_ports = _read_guest_ports(options, host_ports)
        host_address = _read_address("host_address", options["host_address"], host=True)
        address = _read_address("address", options["address"], host=False)
        request = cls(
            name=name,
            state="present",
            protocols=_read_protocols(options["protocols"]),
            host_address=host_address,
            host_ports=host_ports,
            candidates=Ports.from_option("host_port_range", options["host_port_range"]),
            domain=options["domain"] or "",
            network=options["network"] or "",
            address=address,
            guest_ports=guest_ports,
            method=options["method"],
            version=_read_version(options),
        )
        request.check()
        return request

    def check(self) -> None:
        """Refuse what does not go together."""
        count = len(self.guest_ports)
        if self.host_ports is not None and len(self.host_ports) != count:
            raise InputError(
                f"guest_port: '{self.guest_ports}' is {_count(count)}, and host_port '{self.host_ports}' is "
                f"{_count(len(self.host_ports))}; give as many of both."
            )
        if self.host_ports is None and len(self.candidates) < count:
            raise InputError(
                f"host_port_range: '{self.candidates}' is {_count(len(self.candidates))}, and guest_port '{self.guest_ports}' "
                f"needs {count}; give a wider range."
            )
        if self.method == "proxy":
            self.check_proxy()
        elif self.host_address == "::1":
            raise InputError("host_address: the kernel forwards nothing that is sent to ::1; use 127.0.0.1, or method: proxy.")
        elif self.host_ports != self.guest_ports and count > _MOST_SHIFTED:
            raise InputError(
                f"guest_port: {count} ports whose numbers change are too many, at most {_MOST_SHIFTED} can; use the same numbers "
                "for the host and the guest, or several forwards."
            )

    def check_proxy(self) -> None:
        """Refuse what a proxy cannot do."""
        count = len(self.guest_ports)
        if "udp" in self.protocols:
            raise InputError("protocols: a proxy passes TCP on alone; leave udp out, or choose another method.")
        if count > _MOST_PROXIED:
            raise InputError(
                f"guest_port: a proxy takes {_MOST_PROXIED} ports at most, and '{self.guest_ports}' is {_count(count)}; choose "
                "another method, or several forwards."
            )


def check_forward_name(option: str, name: str) -> str:
    """Return the name of a forward. Raises InputError where files and rules could not have it."""
    if not FORWARD_NAME.fullmatch(name):
        raise InputError(
            f"{option}: {name!r} is no name of a forward; use up to 63 letters, digits, '-', '_' and '.', and begin with a "
            "letter or a digit."
        )
    return name


def _check_target(options: Mapping[str, t.Any]) -> None:
    for option in ("domain", "network", "address", "host_address", "host_port", "guest_port"):
        if options[option] is not None and not options[option].strip():
            raise InputError(f"{option}: it is empty; give a value, or leave it out.")
    if options["domain"] is None and (options["network"] is None or options["address"] is None):
        raise InputError(
            f"The task does not say where the forward '{options['name']}' leads: give domain, or network and address."
        )


def _read_guest_ports(options: Mapping[str, t.Any], host_ports: Ports | None) -> Ports:
    if options["guest_port"] is not None:
        return Ports.from_option("guest_port", options["guest_port"])
    if host_ports is None:
        raise InputError("guest_port: is needed where host_port is left out; say which port of the guest is meant, such as 22.")
    return host_ports


def _read_protocols(protocols: list[str]) -> tuple[str, ...]:
    if not protocols:
        raise InputError("protocols: the list is empty; give tcp, udp, or both.")
    return tuple(sorted(set(protocols)))


def _read_version(options: Mapping[str, t.Any]) -> int:
    """Return the version of IP of the addresses, which can be read."""
    given = [options[option] for option in ("host_address", "address") if options[option] is not None]
    versions = {ipaddress.ip_address(each).version for each in given}
    if len(versions) > 1:
        raise InputError(
            f"host_address: '{given[0]}' and address '{given[1]}' are of different versions of IP, and a forward cannot lead "
            "from one to the other; give two of the same."
        )
    return versions.pop() if versions else 4


def _read_address(option: str, text: str | None, *, host: bool) -> str:
    """Return an address in the usual form, "" for none. The host's may be 0.0.0.0 or ::, any one of that version of IP."""
    if text is None:
        return ""
    try:
        address = ipaddress.ip_address(without_zone(text))
    except ValueError:
        raise InputError(f"{option}: '{text}' is no IP address; write it like 192.168.122.10.") from None
    if host and address.is_unspecified:
        return ""
    unusable = address.is_multicast or address.is_unspecified
    if isinstance(address, ipaddress.IPv6Address):
        unusable = unusable or address.is_link_local or address.ipv4_mapped is not None
    if unusable or address == ipaddress.ip_address("255.255.255.255") or (not host and address.is_loopback):
        raise InputError(f"{option}: '{text}' is no address that a {'host' if host else 'guest'} can be reached at.")
    return str(address)


def _count(count: int) -> str:
    return "1 port" if count == 1 else f"{count} ports"
