# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The options of the modules that manage a host's bridge."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._values import AUTO

__all__ = ["BRIDGE_OPTIONS", "TRANSACTION_OPTIONS"]


def _family(*methods: str) -> dict[str, t.Any]:
    return {
        "type": "dict",
        "options": {
            "method": {"type": "str", "choices": list(methods), "required": True},
            "addresses": {"type": "list", "elements": "str"},
            "gateway": {"type": "str"},
        },
    }


BRIDGE_OPTIONS: dict[str, t.Any] = {
    "name": {"type": "str", "default": "br0"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "uplink": {"type": "str", "default": AUTO},
    "backend": {"type": "str", "choices": [AUTO, "ifupdown", "netplan", "networkd", "networkmanager"], "default": AUTO},
    "mac": {"type": "str"},
    "mtu": {"type": "int"},
    "stp": {"type": "bool", "default": False},
    "forward_delay": {"type": "int"},
    "ipv4": _family("dhcp", "static", "none"),
    "ipv6": _family("auto", "dhcp", "static", "none"),
    "dns": {
        "type": "dict",
        "options": {"servers": {"type": "list", "elements": "str"}, "search": {"type": "list", "elements": "str"}},
    },
    "confirm_timeout": {"type": "int"},
    "confirm_host": {"type": "str"},
    "check_gateway": {"type": "bool", "default": True},
    "force": {"type": "bool", "default": False},
    "lock_timeout": {"type": "int", "default": 60},
}

TRANSACTION_OPTIONS: dict[str, t.Any] = {
    "id": {"type": "str"},
    "state": {"type": "str", "choices": ["confirmed", "reverted", "shown"], "default": "shown"},
}
