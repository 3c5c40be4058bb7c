# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Reading the network filters of a host."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import CONNECTION_OPTIONS, Connection
from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import Guests
from ansible_collections.kvmops.network.plugins.module_utils._edge.nwfilters import NetworkFilters
from ansible_collections.kvmops.network.plugins.module_utils._module import run_libvirt_module
from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.task import read_filters
from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.usage import find_uses
from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.view import describe_filter, describe_usage

__all__ = ["run_filter_reading"]


def run_filter_reading() -> t.NoReturn:
    """Run the module that reads filters."""
    options = {**CONNECTION_OPTIONS, "names": {"type": "list", "elements": "str"}}
    run_libvirt_module(AnsibleModule(argument_spec=options, supports_check_mode=True), _read)


def _read(module: AnsibleModule) -> dict[str, t.Any]:
    wanted = module.params["names"]
    with Connection(module.params["uri"]) as connection:
        filters = read_filters(NetworkFilters(connection))
        uses = find_uses(Guests(connection).read_all())
    return {
        "changed": False,
        "missing": sorted(set(wanted or ()) - set(filters)),
        "filters": [
            {**describe_filter(name, filters[name]), **describe_usage(name, filters, uses)}
            for name in sorted(filters)
            if wanted is None or name in wanted
        ],
    }
