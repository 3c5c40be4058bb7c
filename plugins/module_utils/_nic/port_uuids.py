# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The UUIDs of a virtual port to which nobody gave them. Nothing here touches a host.

libvirt would make them up each time that it reads a document: what it stores and what it plugs in would have different ones.
Source: virNetDevVPortProfileParse in libvirt.
"""

from __future__ import annotations

import typing as t
import uuid

if t.TYPE_CHECKING:
    Definition = dict[str, t.Any]

__all__ = ["with_uuids"]

_NAMESPACE = uuid.UUID("5c1d5b0e-3f5a-4a3c-9a4e-5a8a7d0c7b52")
# Which each type needs; a port without a type may turn out to be of either.
_NEEDED = {"openvswitch": ("interfaceid",), "802.1Qbg": ("instanceid",), None: ("instanceid", "interfaceid")}


def with_uuids(definition: Definition, *, domain: str) -> Definition:
    """Return the definition with UUIDs for its virtual port; they depend on the guest's name and the MAC address alone."""
    port = definition.get("virtualport")
    names = _NEEDED.get(port.get("type"), ()) if port is not None else ()
    if port is None or not names:
        return definition
    made = {name: str(uuid.uuid5(_NAMESPACE, f"{domain} {definition.get('mac')} {name}")) for name in names}
    return {**definition, "virtualport": {**port, "parameters": {**made, **port.get("parameters", {})}}}
