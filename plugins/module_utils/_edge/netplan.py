# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.
"""What netplan's files say of a link of this host. Nothing here changes anything."""

from __future__ import annotations

import glob
import os
import re
import typing as t
from dataclasses import replace

from ansible_collections.kvmops.network.plugins.module_utils._bridge import netplan_text
from ansible_collections.kvmops.network.plugins.module_utils._bridge.netplan import origin_text
from ansible_collections.kvmops.network.plugins.module_utils._edge.files import read_files
from ansible_collections.kvmops.network.plugins.module_utils._errors import RefusedError

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.host import Management
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Device

__all__ = ["read_management"]

# a file hides those of the same name in the folders after its own
_FOLDERS = ("/run/netplan", "/etc/netplan", "/usr/lib/netplan")
_LASTING = "/etc/netplan"
_MADE = re.compile(r"(?:\d+-)?netplan-(.+)\.(?:network|nmconnection)")


def read_management(device: Device, made: Management) -> Management:
    """Return the definition of a link that netplan has made a renderer's configuration of.

    Raises RefusedError where it cannot be taken out of its files, RequirementError where they cannot be read.
    """
    netplan_text.check_library()
    profile = made.origin.path.endswith(".nmconnection")
    name = _name_of(made.origin.path)
    networks = {path: netplan_text.parse(text, path=path) for path, text in _texts().items()}
    holders = [path for path, network in networks.items() if netplan_text.find(network, name) is not None]
    if not holders:
        raise RefusedError(
            f"{device.name} has a configuration that netplan has made ({made.origin.path}), and none of netplan's files defines "
            f"{name} any more. Run 'netplan apply' on the host, or put the definition back."
        )
    passing = [path for path in holders if not path.startswith(f"{_LASTING}/")]
    if passing:
        raise RefusedError(
            f"{passing[0]} defines {name}, and files there are made by the system, so that the definition cannot be taken out of "
            f"it for good. Copy it to {_LASTING}, where it hides the one of the same name, or write another one there."
        )
    known: dict[str, t.Any] = {"renderer": "NetworkManager" if profile else "networkd"}
    if profile:
        known["networkmanager"] = {"uuid": made.origin.name}
    text = origin_text(netplan_text.merge(networks.values()), name, like=known)
    return replace(made, origin=replace(made.origin, name=name, path=holders[-1], text=text))


def _name_of(path: str) -> str:
    found = _MADE.fullmatch(os.path.basename(path))
    return found[1] if found is not None else ""


def _texts() -> dict[str, str]:
    """Return the text of each file that counts, by path, in netplan's order."""
    found: dict[str, str] = {}
    for folder in _FOLDERS:
        for path in glob.glob(f"{folder}/*.yaml"):
            found.setdefault(os.path.basename(path), path)
    contents = read_files(found[name] for name in sorted(found))
    return {path: (content or b"").decode(errors="surrogateescape") for path, content in contents.items()}
