# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Where nothing can be read, because libvirt is not there or does not answer. Nothing here touches a host."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.daemons import (
    Unit,
    daemon_named_in,
    daemons_in_charge,
    is_up,
)
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.findings import Finding

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.kvmops.network.plugins.module_utils._errors import RequirementError

__all__ = ["explain_requirement"]


def explain_requirement(error: RequirementError, *, installed: bool, units: Mapping[str, Unit]) -> Finding | None:
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
    return _daemon_down(_culprit(units, named=daemon_named_in(str(error))), units)


def _culprit(units: Mapping[str, Unit], *, named: str | None) -> str:
    """Return which daemon does not answer: the one that is down, else the one that libvirt named, else the one that is asked."""
    daemons = daemons_in_charge(units)
    down = [name for name in daemons if not is_up(units, name)]
    if down and named not in down:
        return down[0]
    return named if named in daemons else daemons[0]


def _daemon_down(name: str, units: Mapping[str, Unit]) -> Finding:
    load, state, _enabled = units.get(f"{name}.service", Unit("loaded", "inactive"))
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
