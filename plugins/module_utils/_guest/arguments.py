# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What virt-install is called with. Nothing here touches a host."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError

if t.TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["check_arguments", "virt_install_command"]

# The options of virt-install that a task may add: those that say how the machine is. What is missing here has an option of its
# own (name, memory, disks, NICs), or is about how the program runs.
_ALLOWED = frozenset(
    [
        "arch",
        "audio",
        "blkiotune",
        "boot",
        "channel",
        "clock",
        "console",
        "controller",
        "cpu",
        "cputune",
        "events",
        "features",
        "filesystem",
        "graphics",
        "hostdev",
        "input",
        "iommu",
        "iothreads",
        "keywrap",
        "launchSecurity",
        "machine",
        "memballoon",
        "memorybacking",
        "memtune",
        "numatune",
        "panic",
        "parallel",
        "pm",
        "qemu-commandline",
        "redirdev",
        "resource",
        "rng",
        "seclabel",
        "serial",
        "smartcard",
        "sound",
        "sysinfo",
        "tpm",
        "video",
        "virt-type",
        "vsock",
        "watchdog",
    ]
)


def check_arguments(arguments: Sequence[str] | None) -> tuple[str, ...] | None:
    """Return the arguments that a task adds, each option with its value as one. Raises InputError if they cannot be."""
    if arguments is None:
        return None
    checked: list[str] = []
    left = list(arguments)
    while left:
        text = left.pop(0)
        name, equals, value = text.partition("=")
        if not name.startswith("--") or name[2:] not in _ALLOWED:
            raise InputError(
                f"arguments: {text!r} is no option of virt-install that can be added here; give options that say how the machine "
                f"is, such as --graphics=none. There are: {', '.join(sorted(_ALLOWED))}."
            )
        if not equals:
            if not left:
                raise InputError(f"arguments: {text!r} has no value; write it as {text}=VALUE.")
            value = left.pop(0)
        if not value or value.startswith("-") or not value.isprintable():
            raise InputError(f"arguments: {value!r} is no value of {name}; write both as {name}=VALUE, on one line.")
        checked.append(f"{name}={value}")
    return tuple(checked)


def virt_install_command(*, uri: str, name: str, vcpus: int, memory: int, os_variant: str, arguments: Sequence[str]) -> list[str]:
    """Return the command that prints how libvirt shall define a guest. `memory` is in MiB.

    Disks and NICs are added to what it prints: virt-install would make storage pools for the one, even when it only prints, and
    the collection has rules of its own for the other.
    """
    return [
        "virt-install",
        f"--connect={uri}",
        f"--name={name}",
        f"--vcpus={vcpus}",
        f"--memory={memory}",
        f"--os-variant={os_variant}",
        "--disk=none",
        "--network=none",
        # from the disk first, so that a guest that has been installed from a CD-ROM boots what is installed
        "--boot=hd,cdrom",
        "--install=no_install=yes",
        *arguments,
        "--noautoconsole",
        "--print-xml",
    ]
