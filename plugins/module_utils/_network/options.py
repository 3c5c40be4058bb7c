# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The options of a network task. Those of the definition are the fields of the format; all are documented in
plugins/doc_fragments/_network.py.
"""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._format.arguments import argument_spec
from ansible_collections.kvmops.network.plugins.module_utils._network.elements import NETWORK

__all__ = ["DEFINITION_OPTIONS", "ENTRY_OPTIONS", "NETWORKS_OPTIONS", "NETWORK_OPTIONS", "NO_OPTIONS"]

# What a document can say and a task cannot, or says otherwise.
NO_OPTIONS: dict[str, str] = {
    "name": "it is the task's, and says nothing of the definition",
    "uuid": "it is the task's, and says nothing of the definition",
    "ips.family": "it follows from the address",
    "routes.family": "it follows from the address",
    **{
        f"{scope}bandwidth.{direction}.floor": "libvirt takes it in a guest's interface only, although its schema has it here too"
        for scope in ("", "portgroups.")
        for direction in ("inbound", "outbound")
    },
}

# What says something about the definition, so that a task with one of these may create the network.
DEFINITION_OPTIONS: dict[str, t.Any] = argument_spec(NETWORK, leave_out=NO_OPTIONS)
# What a task can say and a document cannot: it is settled when the host has been looked at.
DEFINITION_OPTIONS["ips"]["options"]["pool"] = {"type": "list", "elements": "str"}

# What is said of one network.
ENTRY_OPTIONS: dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["active", "present", "inactive", "absent"], "default": "active"},
    "autostart": {"type": "bool"},
    "definition": {"type": "str", "choices": ["merge", "replace"]},
    "xml": {"type": "str"},
    "uuid": {"type": "str"},
    **DEFINITION_OPTIONS,
    "purge_hosts": {"type": "bool", "default": False},
    "allow_overlap": {"type": "list", "elements": "str", "default": []},
    "force": {"type": "bool", "default": False},
    "restart": {"type": "str", "choices": ["if_idle", "always", "never"], "default": "if_idle"},
}

_LOCK_TIMEOUT: dict[str, t.Any] = {"lock_timeout": {"type": "int", "default": 60}}

NETWORK_OPTIONS: dict[str, t.Any] = {**ENTRY_OPTIONS, **_LOCK_TIMEOUT}

NETWORKS_OPTIONS: dict[str, t.Any] = {
    "networks": {"type": "list", "elements": "dict", "required": True, "options": ENTRY_OPTIONS},
    "prune": {"type": "bool", "default": False},
    "protected": {"type": "list", "elements": "str", "default": ["default"]},
    "force": {"type": "bool", "default": False},
    **_LOCK_TIMEOUT,
}
