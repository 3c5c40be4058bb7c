# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.


"""A unit of systemd that makes the interface when its parent appears, for hosts whose manager cannot.

Reference: systemd.service(5), udev(7).
"""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._macvtap.backend import commented
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.commands import Setting, creation

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.backend import Kept
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.commands import Action

__all__ = ["Unit"]


class Unit:
    """The back end that is a unit of its own."""

    name = "unit"
    makes_it_itself = False

    def unable(self, _kept: Kept) -> list[str]:
        """Return nothing: it can do all that a task can say."""
        return []

    def files(self, kept: Kept) -> dict[str, str]:
        """Return the text of the unit, and of the rule that starts it.

        The parent's unit of kind device would be the usual way, and there are none in containers.
        """
        name = kept.interface.name
        unit, rule = self.owned_paths(name)
        return {unit: _service(kept), rule: _rule(kept, unit.rpartition("/")[2])}

    def owned_paths(self, name: str) -> list[str]:
        """Return the paths of the unit and of the rule."""
        return [f"/etc/systemd/system/kvmops-{name}.service", f"/etc/udev/rules.d/71-kvmops-{name}.rules"]

    def release(self, _name: str) -> list[tuple[str, ...]]:
        """Return nothing: the unit runs for a moment only."""
        return []

    def follow(self, _name: str, *, addressed: bool) -> list[tuple[str, ...]]:
        """Return nothing: systemd and udev are told to read the files."""
        del addressed
        return []


def _service(kept: Kept) -> str:
    interface = kept.interface
    lines = "".join(f"ExecStart={_command(action)}\n" for action in creation(interface))
    return f"""\
{commented(interface.name)}# It is started by udev, each time that {kept.parent} appears.
[Unit]
Description=The {interface.kind} {interface.name} on {kept.parent}
ConditionPathExists=/sys/class/net/{kept.parent}
ConditionPathExists=!/sys/class/net/{interface.name}
Before=libvirtd.service virtqemud.service
StartLimitIntervalSec=120
StartLimitBurst=60

[Service]
Type=oneshot
{lines}# the parent may not have its MTU yet
Restart=on-failure
RestartSec=1
"""


def _command(action: Action) -> str:
    if isinstance(action, Setting):
        return f"-/bin/sh -c 'echo {action.value} >/proc/sys/{action.path}'"
    # what does not go, such as a route that somebody has over another interface, hinders nothing else
    words = str(action)
    return f"ip {words}" if words.startswith("link add ") else f"-ip {words}"


def _rule(kept: Kept, unit: str) -> str:
    match = f'ACTION=="add|move", SUBSYSTEM=="net", ENV{{INTERFACE}}=="{kept.parent}"'
    return f'{commented(kept.interface.name)}{match}, RUN+="/bin/systemctl --no-block start {unit}"\n'
