# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What NetworkManager does with a link of this host, and by what servers know the link. Nothing here changes anything."""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._bridge.host import Management
from ansible_collections.kvmops.network.plugins.module_utils._bridge.network_manager import HIGHEST_PRIORITY
from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Identity, Origin
from ansible_collections.kvmops.network.plugins.module_utils._bridge.token import token_of
from ansible_collections.kvmops.network.plugins.module_utils._errors import RefusedError, RequirementError

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Device
    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Run

__all__ = ["manages", "read_management"]

_CONNECTED = re.compile(r"^(?:[4-9]\d|100) \((?!.*externally)")  # from preparing to connected; not what it only looks on
_HEXADECIMAL = re.compile(r"([0-9a-f]{2}:)*[0-9a-f]{2}")
_OLDEST = (1, 42)
_WITH_PARENT = ("vlan", "macvlan", "vxlan", "ip-tunnel", "macsec")
_IN_MEMORY = "/run/NetworkManager/system-connections/"


def manages(run: Run, device: Device) -> bool:
    """Return whether NetworkManager runs and has a profile for the link in use, other than one for looking on."""
    values = _show_device(run, device)
    return _CONNECTED.match(values.get("GENERAL.STATE", "")) is not None and bool(values.get("GENERAL.CON-UUID"))


def read_management(run: Run, device: Device) -> Management:
    """Return the profile of a link that NetworkManager manages.

    Raises RequirementError if it cannot be read or NetworkManager is too old, RefusedError if another one would come before those
    of the bridge, or stands on it.
    """
    values = _show_device(run, device)
    uuid = values.get("GENERAL.CON-UUID", "")
    path = _path_of(run, device, uuid)
    _check_version(run)
    _check_priorities(run, device)
    _check_parents(run, device, uuid)
    in_memory = path.startswith(_IN_MEMORY)
    by_netplan = in_memory and os.path.basename(path).startswith("netplan-")
    return Management(
        backend="netplan" if by_netplan else "networkmanager",
        origin=Origin(name=uuid, path="" if in_memory and not by_netplan else path, text=_read_profile(path, device)),
        identity=Identity(
            dhcp4=_hexadecimal(values.get("dhcp_client_identifier", "")),
            dhcp6=_hexadecimal(values.get("dhcp6_client_id", "")),
            iaid=_number(values.get("iaid", "")),
            token=token_of(device),
        ),
    )


def _show_device(run: Run, device: Device) -> dict[str, str]:
    """Return the values of a device, and the options of its DHCP leases by their own names."""
    try:
        code, output, _errors = run(["nmcli", "-t", "-e", "no", "-f", "GENERAL,DHCP4,DHCP6", "device", "show", device.name])
    except OSError:
        return {}  # it is not installed
    if code != 0:
        return {}  # it does not run, or does not know the link
    values = {}
    for line in output.splitlines():
        key, _colon, value = line.partition(":")
        if key.startswith("DHCP"):
            key, _equals, value = value.partition(" = ")
        values[key] = value
    return values


def _path_of(run: Run, device: Device, uuid: str) -> str:
    _code, output, _errors = run(["nmcli", "-t", "-e", "no", "-f", "UUID,FILENAME", "connection", "show"])
    path = dict(line.split(":", 1) for line in output.splitlines() if ":" in line).get(uuid, "")
    if not path.endswith(".nmconnection"):
        raise RequirementError(
            f"NetworkManager has the profile {uuid} of {device.name} in {path or 'no file'}, which is no keyfile. Have it "
            f"written as one first: nmcli connection migrate {uuid}"
        )
    return path


def _read_profile(path: str, device: Device) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError as error:
        raise RequirementError(
            f"NetworkManager configured {device.name} from {path}, which cannot be read now ({error.strerror}). Run the task as "
            "root (become: true), or put the file back and run 'nmcli connection reload'."
        ) from None


def _check_priorities(run: Run, device: Device) -> None:
    """Of two profiles with the highest priority, nobody knows which one a link gets at the next boot."""
    fields = "UUID,TYPE,AUTOCONNECT,AUTOCONNECT-PRIORITY,NAME"
    _code, output, _errors = run(["nmcli", "-t", "-e", "no", "-f", fields, "connection", "show"])
    for line in output.splitlines():
        uuid, kind, automatic, priority, name = (*line.split(":", 4), *[""] * 5)[:5]
        if (kind, automatic, priority) != ("802-3-ethernet", "yes", str(HIGHEST_PRIORITY)) or name.startswith("kvmops-"):
            continue
        _code, interface, _errors = run(
            ["nmcli", "-e", "no", "-g", "connection.interface-name", "connection", "show", "uuid", uuid]
        )
        if interface.strip() in ("", device.name):
            raise RefusedError(
                f"NetworkManager has the profile '{name}' with the autoconnect-priority {priority}, and {device.name} could get "
                f"that one instead of the bridge's. Lower it: nmcli connection modify {uuid} connection.autoconnect-priority 0"
            )


def _check_version(run: Run) -> None:
    """NetworkManager takes over what it finds by notes that it writes for itself, which were seen with these versions."""
    _code, output, _errors = run(["nmcli", "--version"])
    found = re.search(r"(\d+)\.(\d+)", output)
    if found is not None and (int(found[1]), int(found[2])) < _OLDEST:
        raise RequirementError(
            f"NetworkManager {found[0]} is too old; the uplink can be moved with {'.'.join(map(str, _OLDEST))} or later."
        )


def _check_parents(run: Run, device: Device, uuid: str) -> None:
    """A profile that names another one as its parent does not find it any more when that one is not in use."""
    _code, output, _errors = run(["nmcli", "-t", "-e", "no", "-f", "UUID,TYPE,NAME", "connection", "show"])
    for line in output.splitlines():
        own, kind, name = (*line.split(":", 2), "", "", "")[:3]
        if kind not in _WITH_PARENT:
            continue
        _code, parent, _errors = run(["nmcli", "-e", "no", "-g", f"{kind}.parent", "connection", "show", "uuid", own])
        if parent.strip() == uuid:
            raise RefusedError(
                f"NetworkManager's profile '{name}' has the profile of {device.name} as its parent, by UUID, and would lose "
                f"it. Name the interface instead: nmcli connection modify {own} {kind}.parent {device.name}"
            )


def _hexadecimal(text: str) -> str:
    lower = text.lower()
    return lower.replace(":", "") if _HEXADECIMAL.fullmatch(lower) else ""


def _number(text: str) -> int | None:
    """Return the IAID of a text such as 2b:50:67:35."""
    digits = _hexadecimal(text)
    return int(digits, 16) if digits else None
