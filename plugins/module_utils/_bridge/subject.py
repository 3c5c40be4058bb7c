# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Which bridge a task is about: one that is remembered, or a new one over an uplink that can become its port."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Record, path_of
from ansible_collections.kvmops.network.plugins.module_utils._bridge.uplink import (
    check_bridge_name,
    check_uplink,
    choose_backend,
    choose_uplink,
)
from ansible_collections.kvmops.network.plugins.module_utils._errors import RefusedError

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import BackEnd
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.host import Host
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.request import Request

__all__ = ["subject_of"]


def subject_of(request: Request, host: Host, backends: Mapping[str, BackEnd]) -> tuple[Record | None, list[str]]:
    """Return the bridge that the task is about, and the paths of the files that a plan has to know.

    None where there is no such bridge and none is wanted. Raises RefusedError for what cannot be done on this host.
    """
    record = host.records.get(request.name)
    if record is None and request.state == "absent":
        return None, []
    if record is None:
        record = _new_record(request, host, backends)
    elif record.backend not in backends:
        raise RefusedError(f"{record.name} was made with {record.backend}, for which there is no back end here.")
    else:
        choose_uplink(request, host.links, record)
        choose_backend(request, host.managers, backends, uplink=record.uplink, record=record)
        if record.uplink not in host.links.devices:
            owned = ", ".join([*backends[record.backend].variant(record).owned_paths(record), path_of(record.name)])
            raise RefusedError(
                f"The uplink {record.uplink} of {record.name} is gone. Put the interface back, or see to it that it has its name "
                f"again. If it is gone for good, take the bridge down by hand: its files are {owned}."
            )
    paths = [*backends[record.backend].variant(record).owned_paths(record), path_of(record.name)]
    return record, [*paths, record.origin.path] if record.origin.path else paths


def _new_record(request: Request, host: Host, backends: Mapping[str, BackEnd]) -> Record:
    links = host.links
    uplink = choose_uplink(request, links, None)
    check_uplink(links, uplink)
    check_bridge_name(links, request.name, uplink)
    for other in host.records.values():
        if other.uplink == uplink:
            raise RefusedError(f"uplink: {uplink} is the uplink of {other.name}. Take that back first (state: absent).")
    backend = choose_backend(request, host.managers, backends, uplink=uplink, record=None)
    management = host.management
    if management is None or management.backend != backend:
        raise RefusedError(f"{backend} manages {uplink}, and has no configuration for it that could be read.")
    device = links.devices[uplink]
    # the default route's where there is one, else that of the subnet; the lowest where there are several
    own = [route for route in links.routes if route.device == uplink and (route.is_default or route.protocol == "kernel")]
    metrics = {str(route.version): route.metric for route in sorted(own, key=lambda route: (route.is_default, -route.metric))}
    return Record(
        name=request.name,
        uplink=uplink,
        backend=backend,
        mac=device.mac,
        mtu=device.mtu,
        origin=management.origin,
        identity=management.identity,
        metrics=metrics,
    )
