# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The host as a plan needs to know it, read by those who know how; and which back ends there are."""

from __future__ import annotations

import glob
import typing as t
from dataclasses import replace

from ansible_collections.kvmops.network.plugins.module_utils._bridge.host import Host
from ansible_collections.kvmops.network.plugins.module_utils._bridge.ifupdown import Ifupdown
from ansible_collections.kvmops.network.plugins.module_utils._bridge.netplan import Netplan
from ansible_collections.kvmops.network.plugins.module_utils._bridge.netplan_renderers import RENDERERS
from ansible_collections.kvmops.network.plugins.module_utils._bridge.network_manager import NetworkManager
from ansible_collections.kvmops.network.plugins.module_utils._bridge.networkd import Networkd
from ansible_collections.kvmops.network.plugins.module_utils._bridge.uplink import choose_uplink
from ansible_collections.kvmops.network.plugins.module_utils._edge import cloud_init, ifupdown, netplan, network_manager, networkd
from ansible_collections.kvmops.network.plugins.module_utils._edge.links import read_all_links
from ansible_collections.kvmops.network.plugins.module_utils._edge.records import read_records
from ansible_collections.kvmops.network.plugins.module_utils._errors import RequirementError

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import BackEnd
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.host import Management
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Device
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.request import Request
    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Run

__all__ = ["BACKENDS", "check_tools", "read_host", "read_shared_paths"]

BACKENDS: dict[str, BackEnd] = {
    backend.name: backend for backend in (Ifupdown(), Netplan(RENDERERS["networkd"]), Networkd(), NetworkManager())
}

_TOOLS = ("ip", "systemd-run", "systemctl", "timeout", "flock")


def read_host(run: Run, request: Request) -> Host:
    """Return the host, without the files that a plan asks for later. Raises RefusedError where there is no uplink."""
    links = read_all_links(run)
    records = read_records()
    record = records.get(request.name)
    host = Host(links=links, records=records, cloud_init=cloud_init.writes_network())
    if record is not None or request.state == "absent":
        return host
    uplink = links.devices[choose_uplink(request, links, None)]
    managers = _managers(run, uplink, request.name)
    return replace(host, managers=tuple(managers), management=next(iter(managers.values())) if len(managers) == 1 else None)


def _managers(run: Run, uplink: Device, bridge: str) -> dict[str, Management | None]:
    """Return who manages the uplink, with what is known of its configuration."""
    found: dict[str, Management | None] = {}
    if networkd.manages(run, uplink):
        management = _definition_of(uplink, networkd.read_management(uplink))
        found[management.backend] = management
    if network_manager.manages(run, uplink):
        management = _definition_of(uplink, network_manager.read_management(run, uplink))
        found[management.backend] = management
    if ifupdown.manages(uplink):
        # where there is another one, this is refused in any case, and with a better sentence
        found["ifupdown"] = None if found else ifupdown.read_management(run, uplink, bridge)
    return found


def _definition_of(uplink: Device, management: Management) -> Management:
    """Return who really manages the uplink, where a manager has its configuration from netplan."""
    return netplan.read_management(uplink, management) if management.backend == "netplan" else management


def read_shared_paths(backend: BackEnd) -> list[str]:
    """Return the paths of the files of a back end that others write as well."""
    return [path for pattern in backend.shared_patterns for path in sorted(glob.glob(pattern))]


def check_tools(module: AnsibleModule, backend: BackEnd) -> None:
    """Raise RequirementError where a tool is missing that the change or its way back needs."""
    missing = [tool for tool in (*_TOOLS, *backend.tools) if not module.get_bin_path(tool)]
    if missing:
        raise RequirementError(
            f"{' and '.join(missing)} cannot be found on this host. Install what is missing; nothing was changed."
        )
