# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""From what a task says of a guest to how its document shall be. Nothing here touches a host."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._guest.definition import GuestDefinition, StoredDisk
from ansible_collections.kvmops.network.plugins.module_utils._guest.mark import Mark
from ansible_collections.kvmops.network.plugins.module_utils._guest.options import NEW
from ansible_collections.kvmops.network.plugins.module_utils._guest.sizes import GIB, KIB, MIB, read_size

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._guest.request import GuestRequest

__all__ = ["changed_guest", "differences", "disk_path", "new_guest", "newest_size"]


def disk_path(request: GuestRequest, *, format_: str) -> str:
    """Return the file of a guest's disk."""
    return f"{request.disk.directory or NEW['directory']}/{request.name}.{format_}"


def newest_size() -> int:
    """Return how large the disk of a new guest is for which nothing is said, in bytes."""
    return read_size("disk.size", NEW["size"], unit=GIB, least=MIB)


def new_guest(request: GuestRequest) -> GuestDefinition:
    """Return how a guest shall be that is not there yet."""
    format_ = request.disk.format or NEW["format"]
    disk = StoredDisk(disk_path(request, format_=format_), format_, request.disk.bus or NEW["bus"])
    return GuestDefinition(
        vcpus=request.vcpus or NEW["vcpus"],
        memory=request.memory or read_size("memory", NEW["memory"], unit=MIB, least=MIB) // KIB,
        kernel=request.kernel or "",
        initrd=request.initrd or "",
        cmdline=request.cmdline or "",
        iso=request.iso or "",
        disk=disk,
        mark=Mark(
            name=request.name,
            os_variant=request.os_variant or NEW["os_variant"],
            arguments=request.arguments or (),
            image=request.image or "",
            image_use=(request.image_use or NEW["use"]) if request.image is not None else "",
            disk=disk.path,
        ),
    )


def changed_guest(request: GuestRequest, stored: GuestDefinition) -> GuestDefinition:
    """Return how a guest shall be that is there. Raises InputError for what is settled when a guest is made."""
    _check_settled(request, stored)
    wanted = replace(stored, vcpus=request.vcpus or stored.vcpus, memory=request.memory or stored.memory)
    if request.kernel is not None:
        wanted = replace(wanted, kernel=request.kernel, initrd=request.initrd or "", cmdline=request.cmdline or "", iso="")
    if request.iso is not None:
        wanted = replace(wanted, kernel="", initrd="", cmdline="", iso=request.iso)
    return wanted


def _check_settled(request: GuestRequest, stored: GuestDefinition) -> None:
    mark, disk = stored.mark, stored.disk
    said: dict[str, t.Any] = {
        "os_variant": request.os_variant,
        "arguments": request.arguments,
        "image": request.image,
        "image_use": request.image_use,
        "disk.directory": request.disk.directory,
        "disk.format": request.disk.format,
        "disk.bus": request.disk.bus,
        "disk.size": request.disk.size,
        "configuration": request.configuration,
    }
    named = [option for option, value in said.items() if value is not None]
    if mark is None or disk is None:
        if named:
            what = "was not made by this module" if mark is None else "has lost the disk that it was made with"
            raise InputError(
                f"{named[0]}: the guest '{request.name}' {what}, so that it cannot be compared; leave {named[0]} out, or choose "
                "another name."
            )
        return
    there: dict[str, t.Any] = {
        "os_variant": mark.os_variant,
        "arguments": mark.arguments,
        "image": mark.image,
        "image_use": mark.image_use,
        "disk.directory": mark.disk.rpartition("/")[0] or "/",
        "disk.format": disk.format,
        "disk.bus": disk.bus,
    }
    for option, value in there.items():
        if said[option] is not None and said[option] != value:
            raise InputError(
                f"{option}: {_text(said[option])} is asked for, and the guest '{request.name}' was made with {_text(value)}; "
                f"that is settled when a guest is made. Leave it as it is, or make the guest anew."
            )


def differences(one: GuestDefinition, other: GuestDefinition) -> list[str]:
    """Return the options of a task in which two definitions differ."""
    names = ("vcpus", "memory", "kernel", "initrd", "cmdline", "iso")
    found = [name for name in names if getattr(one, name) != getattr(other, name)]
    return found + (["configuration"] if one.seed != other.seed else [])


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return repr(" ".join(value)) if value else "none"
    return repr(value) if value else "none"
