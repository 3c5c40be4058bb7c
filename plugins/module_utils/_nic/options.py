# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The options of a NIC task. Those of the definition are the fields of the format; all are documented in
plugins/doc_fragments/_nic.py.
"""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._format.arguments import argument_spec
from ansible_collections.kvmops.network.plugins.module_utils._nic.elements import INTERFACE

__all__ = ["DEFINITION_OPTIONS", "ENTRY_OPTIONS", "NICS_OPTIONS", "NIC_OPTIONS", "NO_OPTIONS"]

# What a definition can say and a task cannot. It is kept where it is.
NO_OPTIONS: dict[str, str] = {
    "managed": "it is about devices of the host that are handed to guests",
    "script": "libvirt runs it as root of the host",
    "downscript": "libvirt runs it as root of the host",
    "tune": "it is a detail of QEMU's, and has no effect since QEMU's default is unlimited",
    "teaming": "it is about devices of the host that are handed to guests",
    "acpi": "it is a part of the guest's machine",
    "ips.family": "it follows from the address",
    "ips.peer": "it is for containers",
    "backend.tap": "it is for hosts with device nodes of their own",
    "backend.vhost": "it is for hosts with device nodes of their own",
    "boot.loadparm": "it is for IBM Z only",
    "bandwidth.outbound.floor": "libvirt has it for what comes in only",
}

DEFINITION_OPTIONS: dict[str, t.Any] = argument_spec(INTERFACE, leave_out=NO_OPTIONS)

RESERVATION_OPTIONS: dict[str, t.Any] = {
    "ipv4": {"type": "str"},
    "ipv6": {"type": "str"},
    "hostname": {"type": "str"},
    "duid": {"type": "str"},
}

# What is said of one NIC.
ENTRY_OPTIONS: dict[str, t.Any] = {
    "domain": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "definition": {"type": "str", "choices": ["merge", "replace"], "default": "merge"},
    **DEFINITION_OPTIONS,
    "reservation": {"type": "dict", "options": RESERVATION_OPTIONS},
    "replug": {"type": "str", "choices": ["never", "always"], "default": "never"},
    "wait_for_address": {"type": "bool", "default": False},
}

_TIMES: dict[str, t.Any] = {
    "address_timeout": {"type": "int", "default": 60},
    "detach_timeout": {"type": "int", "default": 30},
    "lock_timeout": {"type": "int", "default": 60},
}

NIC_OPTIONS: dict[str, t.Any] = {**ENTRY_OPTIONS, **_TIMES}

NICS_OPTIONS: dict[str, t.Any] = {
    "nics": {"type": "list", "elements": "dict", "required": True, "options": ENTRY_OPTIONS},
    "prune": {"type": "bool", "default": False},
    **_TIMES,
}
