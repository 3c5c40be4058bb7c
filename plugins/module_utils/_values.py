# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.


"""Values of options that name or address a link of the host, checked as far as that goes without looking at the host."""

from __future__ import annotations

import ipaddress
import re

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError

__all__ = ["AUTO", "EXAMPLES", "check_address", "check_mac", "check_name", "without_zone"]

AUTO = "auto"
EXAMPLES = {4: "192.0.2.10/24", 6: "2001:db8::10/64"}
_NAME_LIMIT = 15  # bytes; IFNAMSIZ of the kernel, without the null at the end
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}")


def check_name(option: str, name: str) -> str:
    """Return the name of an interface. Raises InputError where the kernel would not take it, or `ip -batch` not as it is."""
    if not name:
        raise InputError(f"{option}: it is empty; name an interface, such as br0.")
    if len(name.encode()) > _NAME_LIMIT:
        raise InputError(
            f"{option}: '{name}' is longer than {_NAME_LIMIT} bytes, the kernel's limit for the name of an interface."
        )
    if not _NAME.fullmatch(name) or name in (".", "..", AUTO, "all", "default", "lo"):
        raise InputError(
            f"{option}: '{name}' is no name for an interface that is managed here; use letters, digits, '-', '_' and '.', "
            "and not the kernel's own words."
        )
    return name


def check_mac(option: str, mac: str) -> str:
    """Return a MAC address in lower case. Raises InputError where no interface could have it."""
    lower = mac.lower()
    if not _MAC.fullmatch(lower):
        raise InputError(f"{option}: '{mac}' is no MAC address; write it as 52:54:00:12:34:56.")
    if int(lower[:2], 16) & 1:
        raise InputError(f"{option}: '{mac}' is a group address (its first byte is odd), which no interface can have.")
    if lower == "00:00:00:00:00:00":
        raise InputError(f"{option}: '{mac}' is no address of an interface.")
    return lower


def check_address(option: str, text: str, *, version: int | None = None) -> str:
    """Return an address with its prefix, as `ip` writes it. Raises InputError where no link could have it in a LAN.

    `version` is that of IP, None where both will do.
    """
    example = EXAMPLES[version or 4]
    try:
        interface = ipaddress.ip_interface(without_zone(text))
    except ValueError:
        raise InputError(f"{option}: '{text}' is no address; write it as {example}.") from None
    if version is not None and interface.version != version:
        raise InputError(f"{option}: '{text}' is an IPv{interface.version} address; it belongs under ipv{interface.version}.")
    if "/" not in text:
        raise InputError(f"{option}: '{text}' has no prefix; write it as {example}.")
    address, network = interface.ip, interface.network
    if address.is_multicast or address.is_loopback or address.is_unspecified or (address.version == 6 and address.is_link_local):
        raise InputError(f"{option}: '{text}' cannot be a host's address in a LAN.")
    if address.version == 4 and network.prefixlen < 31 and address in (network.network_address, network.broadcast_address):
        raise InputError(f"{option}: '{text}' is the network's or the broadcast address of {network}, not one of a host.")
    return str(interface)


def without_zone(text: str) -> str:
    """Return the text. Raises ValueError where it has a zone, which Python lets be any text, one of several lines as well."""
    if "%" in text:
        raise ValueError
    return text
