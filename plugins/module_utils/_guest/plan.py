# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What has to be done so that a guest is as a task wants it: the steps, each with its reason. Nothing here touches a host."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.kvmops.network.plugins.module_utils._errors import RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._guest.wanted import differences

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._edge.domains import Life
    from ansible_collections.kvmops.network.plugins.module_utils._edge.images import Image
    from ansible_collections.kvmops.network.plugins.module_utils._file_changes import FileChange
    from ansible_collections.kvmops.network.plugins.module_utils._guest.definition import GuestDefinition
    from ansible_collections.kvmops.network.plugins.module_utils._guest.files import SeedChange
    from ansible_collections.kvmops.network.plugins.module_utils._guest.request import GuestRequest
    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState
    from ansible_collections.kvmops.network.plugins.module_utils._nic.joint_plan import JointPlan
    from ansible_collections.kvmops.network.plugins.module_utils._nic.network_changes import NetworkChange

    LifeAction = t.Literal["start", "resume", "stop"]

__all__ = ["DiskPlan", "GuestPlan", "Step", "check_startable", "plan_autostart", "plan_life", "refuse_removal", "waits_of"]


class Step(t.NamedTuple):
    """One thing to do, and why."""

    action: str
    reason: str

    def __str__(self) -> str:
        return f"{self.action}: {self.reason}"


@dataclass(frozen=True)
class DiskPlan:
    """A disk that is made: as an empty one, or from an image."""

    wanted: Image
    source: Image | None = None
    use: str = ""


@dataclass
class GuestPlan:
    """What happens to a guest.

    `before` and `after` are what is stored of it, None where nothing is; `document` is the whole of that for a new guest.
    `networks` are the networks' reservations where no NIC's plan has them: when the guest goes. `removed` are files that go.
    """

    request: GuestRequest
    life: Life | None
    before: GuestDefinition | None
    after: GuestDefinition | None
    steps: list[Step] = field(default_factory=list)
    document: str = ""
    defines: bool = False
    nics: JointPlan | None = None
    networks: list[NetworkChange] = field(default_factory=list)
    disk: DiskPlan | None = None
    disk_size: int = 0
    files: list[FileChange] = field(default_factory=list)
    seed: SeedChange | None = None
    removed: list[str] = field(default_factory=list)
    autostart: bool | None = None
    life_action: LifeAction | None = None
    undefines: bool = False
    waits: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def runs(self) -> bool:
        """Whether the guest runs afterwards."""
        if self.undefines or self.life_action == "stop":
            return False
        return self.life_action is not None or (self.life is not None and self.life.running)

    def add(self, action: str, reason: str) -> None:
        """Add a step."""
        self.steps.append(Step(action, reason))


def plan_life(plan: GuestPlan) -> None:
    """Say whether the guest is started or stopped."""
    state, life = plan.request.state, plan.life
    running = life is not None and life.running
    if state == "running" and not running:
        plan.life_action = "start"
        plan.add("start", "the guest shall run")
    elif state == "running" and life is not None and life.paused:
        plan.life_action = "resume"
        plan.add("resume", "the guest is paused and shall run")
    elif state in ("stopped", "absent") and running:
        plan.life_action = "stop"
        plan.add("stop", "the guest shall be off" if state == "stopped" else "the guest shall be absent")


def plan_autostart(plan: GuestPlan) -> None:
    """Say whether it changes that the guest starts at boot."""
    wanted = plan.request.autostart
    now = plan.life.autostart if plan.life is not None else False
    if wanted is not None and wanted != now:
        plan.autostart = wanted
        plan.add(f"autostart {'on' if wanted else 'off'}", f"the guest shall {'' if wanted else 'not '}start when the host boots")


def check_startable(name: str, networks: Sequence[str], states: dict[str, NetworkState]) -> None:
    """Refuse to start a guest whose networks are not there or do not run. Raises RefusedError."""
    for network in networks:
        state = states.get(network)
        if state is None or not state.active:
            what = "does not exist" if state is None else "does not run"
            raise RefusedError(
                f"The guest '{name}' cannot start: its network '{network}' {what}. Make it run with libvirt_network "
                "first, or say state: present."
            )


def refuse_removal(request: GuestRequest, life: Life, stored: GuestDefinition | None) -> None:
    """Refuse to remove a guest that is somebody else's, or with which more would go. Raises RefusedError."""
    if life.snapshots:
        raise RefusedError(
            f"The guest '{request.name}' has {life.snapshots} snapshot{'s' if life.snapshots > 1 else ''}, which would be lost; "
            f"remove them first with 'virsh snapshot-delete {request.name}'."
        )
    if stored is None or stored.mark is None:
        if not request.force:
            raise RefusedError(
                f"The guest '{request.name}' was not made by this module, and may be somebody else's; say force: true to remove "
                "it all the same."
            )
        if request.remove_disk:
            raise RefusedError(
                f"remove_disk: the guest '{request.name}' was not made by this module, so that nobody knows which of "
                "its disks is meant; leave it out, and remove the disk by hand."
            )


def waits_of(plan: GuestPlan, live: GuestDefinition | None) -> list[str]:
    """Return what of the stored definition takes effect only when the guest is started anew."""
    if live is None or plan.after is None or not plan.runs or plan.life_action == "start":
        return []
    return differences(live, plan.after)
