# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.


"""The options of the module that manages a macvtap or macvlan interface."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._values import AUTO

__all__ = ["INTERFACE_OPTIONS"]

INTERFACE_OPTIONS: dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "kind": {"type": "str", "choices": ["macvtap", "macvlan"], "default": "macvtap"},
    "parent": {"type": "str"},
    "mode": {
        "type": "str",
        "choices": ["bridge", "vepa", "private", "passthru", "passthrough", "source"],
        "default": "bridge",
    },
    "flags": {"type": "list", "elements": "str", "choices": ["nopromisc", "nodst"], "default": []},
    "mac": {"type": "str"},
    "source_macs": {"type": "list", "elements": "str", "default": []},
    "mtu": {"type": "int"},
    "queues": {"type": "int", "default": 1},
    "bcqueuelen": {"type": "int", "default": 1000},
    "link": {"type": "str", "choices": ["up", "down"], "default": "up"},
    "addresses": {"type": "list", "elements": "str", "default": []},
    "routes": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "destination": {"type": "str", "required": True},
            "gateway": {"type": "str"},
            "metric": {"type": "int"},
        },
    },
    "tap": {
        "type": "dict",
        "options": {
            "owner": {"type": "str", "default": "root"},
            "group": {"type": "str", "default": "root"},
            "mode": {"type": "raw", "default": "0600"},
        },
    },
    "backend": {"type": "str", "choices": [AUTO, "networkd", "networkmanager", "unit", "none"], "default": AUTO},
    "force": {"type": "bool", "default": False},
    "lock_timeout": {"type": "int", "default": 60},
}
