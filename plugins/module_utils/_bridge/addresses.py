# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Addresses as texts in the files of back ends, some of which are none."""

from __future__ import annotations

import ipaddress

__all__ = ["normal_address", "normal_interface", "version_of"]


def normal_interface(text: str) -> str:
    """Return an address with its prefix as the kernel writes it, "" for what is none."""
    try:
        return str(ipaddress.ip_interface(text))
    except ValueError:
        return ""


def normal_address(text: str) -> str:
    """Return an address without a prefix as the kernel writes it, "" for what is none, such as _dhcp4 or _ipv6ra of networkd."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def version_of(text: str) -> int:
    """Return the IP version of an address with or without a prefix, 0 for what is none."""
    try:
        return ipaddress.ip_interface(text).version
    except ValueError:
        return 0
