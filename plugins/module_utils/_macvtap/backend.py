# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.


"""What keeps an interface over a reboot: whoever manages the host's network, or a unit of its own."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._macvtap.request import USUAL_QUEUE

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.interface import Interface

__all__ = ["RELOADS", "BackEnd", "Kept", "comment_for", "commented", "general_limits", "is_private"]

# How those who read the files of a folder are told that some have changed.
RELOADS: dict[str, tuple[str, ...]] = {
    "/etc/udev/rules.d/": ("udevadm", "control", "--reload"),
    "/etc/systemd/system/": ("systemctl", "daemon-reload"),
    "/etc/systemd/network/": ("networkctl", "reload"),
}


@dataclass(frozen=True)
class Kept:
    """What a back end writes down: the interface with mtu 0 where the task gave none, and the parent by the task's own name.

    `network_file` is the name of the file from which networkd configures the parent, "" where it does not.
    """

    interface: Interface
    parent: str
    network_file: str = ""


class BackEnd(t.Protocol):
    """A manager of network configuration. Nothing here looks at the host."""

    @property
    def name(self) -> str:
        """What the option calls it."""

    @property
    def makes_it_itself(self) -> bool:
        """Whether it has to make the interface, and calls the parent failed over one that is there already."""

    def unable(self, kept: Kept) -> list[str]:
        """Return what of the interface it cannot express, in the words of the options."""

    def files(self, kept: Kept) -> dict[str, str]:
        """Return the text of each file that makes the interface at boot, by path."""

    def owned_paths(self, name: str) -> list[str]:
        """Return the paths of all files that it may have written for an interface; they may be patterns."""

    def release(self, name: str) -> list[tuple[str, ...]]:
        """Return the commands by which it lets go of an interface that is removed or made anew, before that is done.

        They may remove its files, which are written again then.
        """

    def follow(self, name: str, *, addressed: bool) -> list[tuple[str, ...]]:
        """Return the commands, beside those of RELOADS, by which it follows its files.

        `addressed` says that addresses or routes of an interface that stays have changed.
        """


def comment_for(name: str) -> str:
    """Return what stands at the head of a file that is written."""
    return (
        f"Written by the Ansible module kvmops.network.macvtap_iface, for the interface {name}.\n"
        "Changes are found and undone by its next run."
    )


def commented(name: str) -> str:
    """Return that as lines of a comment."""
    return "".join(f"# {line}\n" for line in comment_for(name).splitlines())


def is_private(path: str) -> bool:
    """Say whether only root may read a file; NetworkManager takes no profile that others may read."""
    return path.endswith(".nmconnection")


def general_limits(kept: Kept) -> list[str]:
    """Return what neither of the managers can express."""
    interface = kept.interface
    found = []
    if interface.queues != (1, 1):
        found.append("queues")
    if interface.broadcast_queue not in (None, USUAL_QUEUE):
        found.append("bcqueuelen")
    if "nodst" in interface.flags:
        found.append("flags: nodst")
    if not interface.up:
        found.append("link: down")
    return found
