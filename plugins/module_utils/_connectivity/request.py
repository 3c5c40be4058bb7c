# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What a task asks, checked. Nothing here touches a host."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.facts import Request
from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._values import without_zone

__all__ = ["OPTIONS", "read_request"]

OPTIONS: dict[str, t.Any] = {
    "guests": {"type": "list", "elements": "str"},
    "networks": {"type": "list", "elements": "str"},
    "ports": {"type": "list", "elements": "int"},
    "timeout": {"type": "int", "default": 3},
    "outside": {"type": "str"},
}

_LONGEST = 60  # seconds


def read_request(params: t.Mapping[str, t.Any]) -> Request:
    """Return what the options ask. Raises InputError, which names the option, its value and what is needed."""
    return Request(
        guests=_read_names("guests", params["guests"]),
        networks=_read_names("networks", params["networks"]),
        ports=_read_ports(params["ports"]),
        outside=_read_outside(params["outside"]),
        timeout=_read_timeout(params["timeout"]),
    )


def _read_names(option: str, names: list[str] | None) -> tuple[str, ...] | None:
    if names is None:
        return None
    if any(not name.strip() for name in names):
        raise InputError(f"{option}: a name is empty; leave it out, or leave out {option} for all of the host.")
    return tuple(dict.fromkeys(names))


def _read_ports(ports: list[int] | None) -> tuple[int, ...] | None:
    for port in ports or ():
        if not 1 <= port <= 65535:
            raise InputError(f"ports: '{port}' is no TCP port; give numbers from 1 to 65535, such as 22.")
    return None if ports is None else tuple(sorted(set(ports)))


def _read_outside(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        address = ipaddress.ip_address(without_zone(text))
    except ValueError:
        raise InputError(f"outside: '{text}' is no IP address; give one that the host shall reach, such as 192.0.2.1.") from None
    if address.is_loopback or address.is_multicast or address.is_unspecified or (address.version == 6 and address.is_link_local):
        raise InputError(f"outside: '{text}' is not the address of a machine elsewhere; give one, such as 192.0.2.1.")
    return str(address)


def _read_timeout(seconds: int) -> int:
    if not 1 <= seconds <= _LONGEST:
        raise InputError(f"timeout: '{seconds}' seconds cannot be waited; give 1 to {_LONGEST}.")
    return seconds
