# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The options of a task about a port forward; they are documented in plugins/modules/libvirt_port_forward.py."""

from __future__ import annotations

import typing as t

__all__ = ["FORWARD_OPTIONS"]

FORWARD_OPTIONS: dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "protocols": {"type": "list", "elements": "str", "choices": ["tcp", "udp"], "default": ["tcp"]},
    "host_address": {"type": "str"},
    "host_port": {"type": "str"},
    "host_port_range": {"type": "str", "default": "10000-19999"},
    "domain": {"type": "str"},
    "network": {"type": "str"},
    "address": {"type": "str"},
    "guest_port": {"type": "str"},
    "method": {"type": "str", "choices": ["auto", "rules", "open", "proxy"], "default": "auto"},
    "lock_timeout": {"type": "int", "default": 60},
}
