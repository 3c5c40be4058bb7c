# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Where nothing can be read, because libvirt is not there or does not answer. Nothing here touches a host."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.findings import Finding

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.kvmops.network.plugins.module_utils._errors import RequirementError

    Units = Mapping[str, tuple[str, str]]  # whether a unit is masked, and its state

__all__ = ["explain_requirement"]


def explain_requirement(error: RequirementError, *, installed: bool, units: Units) -> Finding | None:
    """Return what is wrong with the host, None where it is the task that is wrong."""
    requirement = error.details.get("requirement")
    if requirement not in ("library", "daemon"):
        return None
    if not installed:
        return Finding(
            about="libvirt_missing",
            subject="host",
            cause="This host has no libvirt",
            cure="make it a hypervisor with the role kvmops.network.hypervisor",
        )
    if requirement == "library":
        return Finding(
            about="library_missing",
            subject="host",
            cause="This host has libvirt, but not the Python libraries libvirt and lxml by which it is asked",
            cure="install python3-libvirt and python3-lxml, or run the role kvmops.network.hypervisor",
        )
    return _daemon_down(units)


def _daemon_down(units: Units) -> Finding:
    """Return which daemon does not run. Of those that are installed, that is the one which is neither running nor idle."""
    down = [name for name, (_load, state) in units.items() if state != "active"] or list(units)
    unit = down[0] if down else "libvirtd.service"
    load, state = units.get(unit, ("loaded", "inactive"))
    name = unit.partition(".")[0]
    cure = f"start it with 'systemctl start {name}'"
    if load == "masked":
        cure = f"allow it again with 'systemctl unmask {name}', and start it with 'systemctl start {name}'"
    elif state == "failed":
        cure = f"see with 'journalctl -u {name}' why, and start it with 'systemctl start {name}'"
    elif state == "active":
        cure = f"restart it with 'systemctl restart {name}', which spares the guests"
    says = {"active": "runs, but does not answer", "failed": "has failed"}.get(state, "does not run")
    return Finding(
        about="daemon_down",
        subject="host",
        cause=f"libvirt's daemon {name} {says}{', and is masked' if load == 'masked' else ''}",
        cure=cure,
    )
