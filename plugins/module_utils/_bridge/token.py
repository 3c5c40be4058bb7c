# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The part of an IPv6 address that a host chooses itself when a router tells it the rest."""

from __future__ import annotations

import ipaddress
import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Device

__all__ = ["token_of"]

_LENGTH = 64  # of the prefix and of the host's part, RFC 4291


def token_of(device: Device) -> str:
    """Return the host's part of a link's address, such as ::1234:5678:9abc:def0, and "" where it follows from the MAC address.

    On a bridge with the same MAC address the usual part comes out the same; any other one has to be written down.
    """
    for address in device.given(6):
        if address.dynamic and not address.temporary and address.interface.network.prefixlen == _LENGTH:
            own = int(address.interface.ip) & (2**_LENGTH - 1)
            return "" if own == _from_mac(device.mac) else str(ipaddress.IPv6Address(own))
    return ""


def _from_mac(mac: str) -> int:
    """Return the part that follows from a MAC address. Source: RFC 4291, appendix A."""
    octets = bytes.fromhex(mac.replace(":", ""))
    return int.from_bytes(bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" + octets[3:], "big")
