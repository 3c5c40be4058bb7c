# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The NICs of guests, read only."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import CONNECTION_OPTIONS, Connection
from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import Guests
from ansible_collections.kvmops.network.plugins.module_utils._module import run_libvirt_module
from ansible_collections.kvmops.network.plugins.module_utils._network.state import read_state
from ansible_collections.kvmops.network.plugins.module_utils._nic.arrival import open_eyes
from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import read_guest
from ansible_collections.kvmops.network.plugins.module_utils._nic.live import find_differences, inherited_from
from ansible_collections.kvmops.network.plugins.module_utils._nic.network_changes import reserved_for
from ansible_collections.kvmops.network.plugins.module_utils._nic.view import describe_nic

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState
    from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import GuestState, NicState
    from ansible_collections.kvmops.network.plugins.module_utils._nic.waiting import Eyes

__all__ = ["run_nic_reading"]


def run_nic_reading() -> t.NoReturn:
    """Run the module that reads NICs."""
    options = {**CONNECTION_OPTIONS, "domains": {"type": "list", "elements": "str"}}
    run_libvirt_module(AnsibleModule(argument_spec=options, supports_check_mode=True), _read)


def _read(module: AnsibleModule) -> dict[str, t.Any]:
    wanted = module.params["domains"]
    with Connection(module.params["uri"]) as connection:
        guests = Guests(connection)
        records = guests.read_all()
        networks = {name: read_state(name, record) for name, record in connection.read_networks().items()}
        chosen = sorted((each for each in records if wanted is None or each.name in wanted), key=lambda each: each.name)
        eyes = open_eyes(module, guests)
        nics = [nic for record in chosen for nic in _describe_guest(eyes, read_guest(record), networks)]
    return {"changed": False, "missing": sorted(set(wanted or ()) - {record.name for record in records}), "nics": nics}


def _describe_guest(eyes: Eyes, guest: GuestState, networks: Mapping[str, NetworkState]) -> list[dict[str, t.Any]]:
    seen = eyes.look(guest.name, guest.bridges, agent=True) if guest.running else []
    running = {name: state.live for name, state in networks.items() if state.live is not None}
    described = []
    for nic in guest.nics:
        waits = _find_waiting(guest, nic, running)
        device = nic.live.device if nic.live is not None else None
        described.append(
            {
                **describe_nic(guest.name, nic, addresses=seen, waits=waits),
                "running": guest.running,
                "statistics": eyes.guests.statistics(guest.name, device) if device is not None else None,
                "reservations": [
                    {"network": name, **{key: host[key] for key in ("ip", "name", "mac", "id") if key in host}}
                    for name, state in sorted(networks.items())
                    for host in reserved_for(state.definition or {}, guest.name, nic.shown.mac)
                ],
            }
        )
    return described


def _find_waiting(guest: GuestState, nic: NicState, running: Mapping[str, dict[str, t.Any]]) -> list[str]:
    """Return what of a NIC changes when the guest is started anew; "plugged" is whether it is there at all."""
    if not guest.running or not guest.persistent:
        return []
    if nic.stored is None or nic.live is None:
        return ["plugged"]
    wanted = nic.stored.definition
    return sorted(find_differences(nic.live.definition, wanted, inherited_from(wanted, running)))
