# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The addresses that a NIC's network reserves for it. Nothing here touches a host."""

from __future__ import annotations

import ipaddress
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._format.codecs import ADDRESS

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    HostEntry = dict[str, str]

__all__ = ["Reservation", "duid_of"]

_LABEL = 63  # characters; dnsmasq refuses longer parts of a name
_HOSTNAME = re.compile(r"[A-Za-z]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*", re.ASCII)
_DUID = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){3,127}")


def duid_of(mac: str) -> str:
    """Return the DHCPv6 identifier that a client makes from its MAC address (RFC 8415, DUID-LL), as libvirt writes it."""
    return "00:03:00:01:" + mac


@dataclass(frozen=True)
class Reservation:
    """The addresses and the name that a network shall reserve for a NIC. `duid` is how the guest calls itself in DHCPv6."""

    ipv4: str | None = None
    ipv6: str | None = None
    hostname: str | None = None
    duid: str | None = None

    @classmethod
    def from_options(cls, options: Mapping[str, str | None] | None) -> Reservation | None:
        """Return what a task says, None if it says nothing. Raises InputError if it cannot be."""
        if options is None:
            return None
        hostname, duid = options.get("hostname"), options.get("duid")
        reservation = cls(
            ipv4=_read_address(options, "ipv4"), ipv6=_read_address(options, "ipv6"), hostname=hostname, duid=_read_duid(duid)
        )
        if hostname is not None and (not _HOSTNAME.fullmatch(hostname) or len(hostname) > 253):
            raise InputError(
                f"reservation.hostname: '{hostname}' is no host's name; use letters, digits, '-' and '.', a letter first."
            )
        for label in hostname.split(".") if hostname is not None else ():
            if len(label) > _LABEL:
                raise InputError(
                    f"reservation.hostname: '{label}' has {len(label)} characters, and DNS allows {_LABEL} between dots; "
                    "choose a shorter name."
                )
        if not reservation.addresses and (hostname is not None or duid is not None):
            raise InputError("reservation: neither ipv4 nor ipv6 is given; give an address, or an empty reservation for none.")
        if duid is not None and reservation.ipv6 is None:
            raise InputError("reservation.duid: is for an IPv6 address only; add ipv6, or leave duid out.")
        return reservation

    @property
    def addresses(self) -> list[str]:
        """The addresses that are reserved."""
        return [address for address in (self.ipv4, self.ipv6) if address is not None]

    def entries(self, mac: str) -> list[HostEntry]:
        """Return the entries of the network's DHCP server for a NIC of this MAC address."""
        name = {"name": self.hostname} if self.hostname is not None else {}
        found: list[HostEntry] = []
        if self.ipv4 is not None:
            found.append({"mac": mac, "ip": self.ipv4, **name})
        if self.ipv6 is not None:
            found.append({"id": self.duid or duid_of(mac), "ip": self.ipv6, **name})
        return found


def _read_address(options: Mapping[str, str | None], option: str) -> str | None:
    value = options.get(option)
    if value is None:
        return None
    try:
        address: str = ADDRESS.from_option(value)
    except ValueError as error:
        raise InputError(f"reservation.{option}: '{value}' {error}.") from None
    family = f"ipv{ipaddress.ip_address(address).version}"
    if family != option:
        raise InputError(f"reservation.{option}: '{value}' is an address of the other family; give it as reservation.{family}.")
    return address


def _read_duid(value: str | None) -> str | None:
    if value is None:
        return None
    if not _DUID.fullmatch(value.lower()):
        raise InputError(f"reservation.duid: '{value}' is no DHCP identifier; give one such as 00:03:00:01:52:54:00:6b:3c:58.")
    return value.lower()
