# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Reading the port forwards of a host."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kvmops.network.plugins.module_utils._edge import forwards
from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import CONNECTION_OPTIONS, Connection, refuse_remote
from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import Guests
from ansible_collections.kvmops.network.plugins.module_utils._forward.health import find_problems
from ansible_collections.kvmops.network.plugins.module_utils._forward.survey import ELSEWHERE
from ansible_collections.kvmops.network.plugins.module_utils._forward.view import describe_forward
from ansible_collections.kvmops.network.plugins.module_utils._module import command_runner, run_libvirt_module
from ansible_collections.kvmops.network.plugins.module_utils._network.state import read_state
from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import read_guest

__all__ = ["run_forward_reading"]


def run_forward_reading() -> t.NoReturn:
    """Run the module that reads port forwards."""
    options = {**CONNECTION_OPTIONS, "names": {"type": "list", "elements": "str"}}
    run_libvirt_module(AnsibleModule(argument_spec=options, supports_check_mode=True), _read)


def _read(module: AnsibleModule) -> dict[str, t.Any]:
    run, wanted = command_runner(module), module.params["names"]
    refuse_remote(module.params["uri"], ELSEWHERE)
    files = forwards.read_owned_files()
    known = forwards.read_forwards(files)
    faults, idle = forwards.read_faults(run, files), forwards.read_idle(run, files)
    with Connection(module.params["uri"]) as connection:
        networks = {name: read_state(name, record) for name, record in connection.read_networks().items()}
        guests = {record.name: read_guest(record) for record in Guests(connection).read_all()}
    return {
        "changed": False,
        "missing": sorted(set(wanted or ()) - set(known)),
        "forwards": [
            {
                **describe_forward(name, forward),
                "problems": [
                    str(problem) for problem in find_problems(forward, networks=networks, guests=guests, faults=faults, idle=idle)
                ],
            }
            for name, forward in sorted(known.items())
            if wanted is None or name in wanted
        ],
    }
