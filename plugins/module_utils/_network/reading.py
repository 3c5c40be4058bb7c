# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The virtual networks of a host, read only."""

from __future__ import annotations

import difflib
import ipaddress
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import CONNECTION_OPTIONS, Connection
from ansible_collections.kvmops.network.plugins.module_utils._module import run_libvirt_module
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import carry_identity, render_xml
from ansible_collections.kvmops.network.plugins.module_utils._network.plan import is_pending, what_is_pending
from ansible_collections.kvmops.network.plugins.module_utils._network.state import nics_of, read_state
from ansible_collections.kvmops.network.plugins.module_utils._network.view import make_result

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import GuestNic
    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState

    Definition = dict[str, t.Any]

__all__ = ["run_network_reading"]


def run_network_reading() -> t.NoReturn:
    """Run the module that reads networks."""
    options = {**CONNECTION_OPTIONS, "names": {"type": "list", "elements": "str"}}
    run_libvirt_module(AnsibleModule(argument_spec=options, supports_check_mode=True), _read)


def _read(module: AnsibleModule) -> dict[str, t.Any]:
    wanted = module.params["names"]
    with Connection(module.params["uri"]) as connection:
        records = connection.read_networks()
        states = [read_state(name, records[name]) for name in sorted(records) if wanted is None or name in wanted]
        nics = connection.read_guest_nics()
        leases = {state.name: connection.read_leases(state.name) or [] for state in states if state.active}
    return {
        "changed": False,
        "missing": sorted(set(wanted or ()) - set(records)),
        "networks": [_describe(state, nics, leases.get(state.name, [])) for state in states],
    }


def _describe(state: NetworkState, nics: list[GuestNic], leases: list[dict[str, t.Any]]) -> dict[str, t.Any]:
    pending = _pending_diff(state)
    effective = state.live or state.stored or {}
    return {
        **make_result(state),
        "pending_restart": bool(pending),
        "pending_changes": what_is_pending(state),
        "pending_diff": pending,
        "addresses": [_describe_address(entry) for entry in effective.get("ips", [])],
        "dhcp_ranges": [
            {"start": pair["start"], "end": pair["end"]}
            for entry in effective.get("ips", [])
            for pair in entry.get("dhcp", {}).get("ranges", [])
        ],
        "leases": leases,
        "guests": [{"name": nic.guest, "mac": nic.mac, "device": nic.device} for nic in nics_of(state, nics)],
    }


def _pending_diff(state: NetworkState) -> list[str]:
    if state.live is None or state.stored is None or not is_pending(state):
        return []
    stored = carry_identity(state.stored, state.live)
    running_lines, stored_lines = render_xml(state.live).splitlines(), render_xml(stored).splitlines()
    return list(difflib.unified_diff(running_lines, stored_lines, "running", "stored", lineterm=""))


def _describe_address(entry: Definition) -> dict[str, t.Any]:
    interface = ipaddress.ip_interface((entry["address"], entry["prefix"]))
    return {
        "address": entry["address"],
        "prefix": entry["prefix"],
        "netmask": str(interface.netmask) if interface.version == 4 else None,
        "family": f"ipv{interface.version}",
    }
