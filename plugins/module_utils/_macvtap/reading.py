# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.


"""Reading the macvtap and macvlan interfaces of a host."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kvmops.network.plugins.module_utils._edge import macvtap
from ansible_collections.kvmops.network.plugins.module_utils._edge.links import read_all_links
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.interface import KINDS, read_interface
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.keeping import kept_by
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.survey import read_owned_files
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.view import describe
from ansible_collections.kvmops.network.plugins.module_utils._module import command_runner, run_module

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Device, Links

__all__ = ["run_interface_reading"]


def run_interface_reading() -> t.NoReturn:
    """Run the module that reads macvtap and macvlan interfaces."""
    run_module(AnsibleModule(argument_spec={"name": {"type": "str"}}, supports_check_mode=True), _read)


def _read(module: AnsibleModule) -> dict[str, t.Any]:
    links = read_all_links(command_runner(module))
    wanted = module.params["name"]
    devices = [device for _name, device in sorted(links.devices.items()) if device.kind in KINDS]
    return {"changed": False, "interfaces": [_describe(d, links) for d in devices if wanted in (None, d.name)]}


def _describe(device: Device, links: Links) -> dict[str, t.Any]:
    node = macvtap.read_node(device.name)
    backend = kept_by(device.name, read_owned_files(device.name))
    return {
        **describe(read_interface(device, links, macvtap.read_ipv6(device.name)), device=device, node=node),
        "backend": backend.name if backend is not None else "none",
        "used_by": macvtap.holders_of(node) if node is not None else [],
    }
