# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The options of a task about a network filter; they are documented in plugins/modules/libvirt_nwfilter.py."""

from __future__ import annotations

import typing as t

__all__ = ["FILTER_OPTIONS"]

_PARAMETER: dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "value": {"type": "str", "required": True},
}

_REFERENCE: dict[str, t.Any] = {
    "filter": {"type": "str", "required": True},
    "parameters": {"type": "list", "elements": "dict", "default": [], "options": _PARAMETER},
}

_LOCAL: dict[str, t.Any] = {
    "subnets": {"type": "list", "elements": "str", "required": True},
    "gateways": {"type": "list", "elements": "str"},
    "host_addresses": {"type": "bool", "default": True},
}

FILTER_OPTIONS: dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "rules": {"type": "list", "elements": "str"},
    "local": {"type": "dict", "options": _LOCAL},
    "filters": {"type": "list", "elements": "dict", "options": _REFERENCE},
    "xml": {"type": "str"},
    "lock_timeout": {"type": "int", "default": 60},
}
