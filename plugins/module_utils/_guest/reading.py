# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Guests, read only."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import CONNECTION_OPTIONS, Connection
from ansible_collections.kvmops.network.plugins.module_utils._edge.domains import Domains
from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import Guests
from ansible_collections.kvmops.network.plugins.module_utils._guest.definition import read_definition
from ansible_collections.kvmops.network.plugins.module_utils._guest.options import GUEST_OPTIONS
from ansible_collections.kvmops.network.plugins.module_utils._guest.result import describe_place, main_nic
from ansible_collections.kvmops.network.plugins.module_utils._guest.view import describe_guest
from ansible_collections.kvmops.network.plugins.module_utils._guest.wanted import differences
from ansible_collections.kvmops.network.plugins.module_utils._module import run_libvirt_module
from ansible_collections.kvmops.network.plugins.module_utils._network.state import read_state
from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import read_guest

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import GuestRecord
    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState

__all__ = ["run_guest_reading"]


def run_guest_reading() -> t.NoReturn:
    """Run the module that reads guests."""
    options = {
        **CONNECTION_OPTIONS,
        "names": {"type": "list", "elements": "str"},
        "alias": GUEST_OPTIONS["alias"],
    }
    run_libvirt_module(AnsibleModule(argument_spec=options, supports_check_mode=True), _read)


def _read(module: AnsibleModule) -> dict[str, t.Any]:
    wanted = module.params["names"]
    with Connection(module.params["uri"]) as connection:
        records = {record.name: record for record in Guests(connection).read_all()}
        networks = {name: read_state(name, record) for name, record in connection.read_networks().items()}
        domains = Domains(connection)
        chosen = [record for name, record in sorted(records.items()) if wanted is None or name in wanted]
        guests = [_describe(domains, record, networks, module.params["alias"]) for record in chosen]
    missing = sorted(set(wanted or ()) - records.keys())
    return {"changed": False, "guests": [guest for guest in guests if guest is not None], "missing": missing}


def _describe(domains: Domains, record: GuestRecord, networks: Mapping[str, NetworkState], alias: str) -> dict[str, t.Any] | None:
    """Return a guest, None if it has gone since it was listed."""
    life, text = domains.life_of(record.name), record.stored_xml or record.live_xml
    if life is None or text is None:
        return None
    definition = read_definition(text, record.name)
    waits = []
    if record.live_xml is not None and record.stored_xml is not None:
        waits = differences(read_definition(record.live_xml, record.name), definition)
    place = describe_place(main_nic(read_guest(record).nics, alias), record.name, networks)
    state = "running" if life.running else "stopped"
    return {
        **describe_guest(definition, name=record.name, state=state, autostart=life.autostart, waits=waits),
        "persistent": life.persistent,
        **place,
    }
