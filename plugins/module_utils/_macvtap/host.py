# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.


"""The host, as a plan for a macvtap or macvlan interface needs to know it. Nothing here touches it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Device, Links
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.interface import Interface

__all__ = ["Host", "Node", "Parent"]


@dataclass(frozen=True)
class Node:
    """The device node of a macvtap: its path, and who may open it, in numbers."""

    path: str
    owner: int
    group: int
    mode: int


@dataclass(frozen=True)
class Parent:
    """What is known of the link below; its `name` is "" where there is none.

    `managers` are those of our back ends who manage it, and `network_file` is the name of the file from which networkd configures
    it. `configured` says that anybody does at boot. `foreign` are lines of `ip` for addresses and routes of a link that networkd
    manages, and that it knows nothing of.
    """

    name: str = ""
    managers: tuple[str, ...] = ()
    network_file: str = ""
    configured: bool = True
    foreign: tuple[str, ...] = ()


@dataclass(frozen=True)
class Host:
    """The host as it was read.

    `found` is the interface that the task is about, None where there is none; `holders` are the processes that have its device
    node open, and `owned` says that NetworkManager made it, and would take it away with its profile. `settled` says that
    networkd has done what its files say of it. `lacking` are words of the task that this host's `ip` or kernel does not know.
    `arp_ignore` is the kernel's setting by the names of links. `networkd` is the version of a systemd-networkd that runs, 0
    where none does. `files` has the bytes of files that may be written, by path.
    """

    links: Links
    found: Interface | None = None
    parent: Parent = field(default_factory=Parent)
    node: Node | None = None
    holders: tuple[str, ...] = ()
    owned: bool = False
    settled: bool = False
    lacking: tuple[str, ...] = ()
    arp_ignore: dict[str, int] = field(default_factory=dict)
    has_ipv6: bool = True
    networkd: int = 0
    has_systemd: bool = True
    machine_id: str = ""
    files: dict[str, bytes | None] = field(default_factory=dict)

    def siblings(self, lower: str, name: str) -> list[Device]:
        """Return the other links that take the frames of a link."""
        return [device for device in self.links.standing_on(lower) if device.name != name]
