# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The options of a guest. Must be kept in sync with the documentation of libvirt_guest."""

from __future__ import annotations

import typing as t

__all__ = ["BUSES", "GUEST_OPTIONS", "NEW", "STATES"]

STATES = ("running", "present", "stopped", "absent")
BUSES = ("virtio", "sata", "ide")

# What a guest gets that is made anew, where the task does not say. Of one that is there, what is not said is left as it is.
NEW: dict[str, t.Any] = {
    "vcpus": 2,
    "memory": "2GiB",
    "os_variant": "generic",
    "directory": "/var/lib/libvirt/images",
    "size": "10GiB",
    "format": "qcow2",
    "bus": "virtio",
    "use": "copy",
    "alias": "lan",
}

GUEST_OPTIONS: dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": list(STATES), "default": "running"},
    "autostart": {"type": "bool"},
    "vcpus": {"type": "int"},
    "memory": {"type": "str"},
    "os_variant": {"type": "str"},
    "arguments": {"type": "list", "elements": "str"},
    "iso": {"type": "str"},
    "image": {"type": "str"},
    "image_use": {"type": "str", "choices": ["copy", "backing"]},
    "kernel": {"type": "str"},
    "initrd": {"type": "str"},
    "cmdline": {"type": "str"},
    "disk": {
        "type": "dict",
        "options": {
            "directory": {"type": "str"},
            "size": {"type": "str"},
            "format": {"type": "str", "choices": ["qcow2", "raw"]},
            "bus": {"type": "str", "choices": list(BUSES)},
        },
    },
    "remove_disk": {"type": "bool", "default": False},
    "network": {"type": "str"},
    "alias": {"type": "str", "default": "lan"},
    "mac": {"type": "str"},
    "isolated": {"type": "bool"},
    "filter": {"type": "str"},
    "address": {"type": "str"},
    "configuration": {
        "type": "dict",
        "options": {
            "directory": {"type": "str", "default": "/var/lib/kvmops-network/guests"},
            "nameservers": {"type": "list", "elements": "str", "default": ["8.8.8.8", "8.8.4.4"]},
            "seed": {"type": "bool", "default": True},
        },
    },
    "wait_for_address": {"type": "bool", "default": False},
    "address_timeout": {"type": "int", "default": 60},
    "stop_timeout": {"type": "int", "default": 60},
    "force": {"type": "bool", "default": False},
    "lock_timeout": {"type": "int", "default": 60},
}
