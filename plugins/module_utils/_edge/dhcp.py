# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Giving back a lease in the name of a client that is gone, as dnsmasq's dhcp_release does on the server's own machine."""

from __future__ import annotations

import os
import socket
import struct

__all__ = ["release_lease", "release_message"]

_SERVER_PORT = 67
_COOKIE = bytes([99, 130, 83, 99])
_LEAST = 300  # bytes, of a BOOTP message


def release_message(*, mac: str, address: str, server: str) -> bytes:
    """Return a DHCPRELEASE message (RFC 2131, 4.4.1 and 4.4.6)."""
    hardware = bytes.fromhex(mac.replace(":", ""))
    head = struct.pack("!4B4s2H4s12x16s192x", 1, 1, len(hardware), 0, os.urandom(4), 0, 0, socket.inet_aton(address), hardware)
    options = bytes([53, 1, 7, 54, 4]) + socket.inet_aton(server) + bytes([255])
    return (head + _COOKIE + options).ljust(_LEAST, b"\0")


def release_lease(*, bridge: str, mac: str, address: str, server: str) -> None:
    """Ask the DHCP server of a bridge of this host to forget a lease. Where that cannot be, it ends when its time is over."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        try:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, bridge.encode())
            sender.sendto(release_message(mac=mac, address=address, server=server), (server, _SERVER_PORT))
        except OSError:
            pass  # no right to do so, or the bridge has just gone
