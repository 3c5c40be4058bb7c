# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Reading the bridges that were made on a host."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kvmops.network.plugins.module_utils._bridge.view import describe_bridge
from ansible_collections.kvmops.network.plugins.module_utils._edge.links import read_all_links
from ansible_collections.kvmops.network.plugins.module_utils._edge.records import read_records
from ansible_collections.kvmops.network.plugins.module_utils._module import command_runner, run_module

__all__ = ["run_bridge_reading"]


def run_bridge_reading() -> t.NoReturn:
    """Run the module that reads bridges."""
    run_module(AnsibleModule(argument_spec={}, supports_check_mode=True), _read)


def _read(module: AnsibleModule) -> dict[str, t.Any]:
    records = read_records()
    links = read_all_links(command_runner(module))
    return {"changed": False, "bridges": [describe_bridge(records[name], links) for name in sorted(records)]}
