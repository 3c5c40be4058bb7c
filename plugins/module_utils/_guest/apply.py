# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Doing what is planned for a guest: step by step, or everything is put back."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._edge.files import remove_file, write_file
from ansible_collections.kvmops.network.plugins.module_utils._edge.images import make_image, remove_image
from ansible_collections.kvmops.network.plugins.module_utils._edge.seed import write_seed
from ansible_collections.kvmops.network.plugins.module_utils._edge.signals import uninterrupted
from ansible_collections.kvmops.network.plugins.module_utils._errors import ApplyError, NetworkError
from ansible_collections.kvmops.network.plugins.module_utils._guest.definition import change_document
from ansible_collections.kvmops.network.plugins.module_utils._nic.apply_networks import apply_networks, put_back_networks
from ansible_collections.kvmops.network.plugins.module_utils._nic.carry_out import carry_out
from ansible_collections.kvmops.network.plugins.module_utils._undo import say_put_back, take_back

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.kvmops.network.plugins.module_utils._guest.plan import GuestPlan
    from ansible_collections.kvmops.network.plugins.module_utils._guest.survey import GuestSurvey

__all__ = ["apply_plan"]

_SCRIPT_MODE = 0o755
_DETACH_TIMEOUT = 30.0  # seconds; a plan of this module never unplugs a NIC


def apply_plan(survey: GuestSurvey, plan: GuestPlan, *, stop_timeout: float) -> None:
    """Do what is planned. If a step fails, what was done before is taken back. Raises ApplyError with the reason."""
    _stop(survey, plan, stop_timeout)
    work = _Work(survey, plan)
    try:
        for step in (work.files, work.networks, work.disk, work.define, work.nics, work.autostart, work.undefine):
            with uninterrupted():
                step()
        with uninterrupted():
            work.start()
    except NetworkError as error:
        back = say_put_back(work.put_back())
        raise ApplyError(f"The guest '{plan.request.name}': '{work.doing}' failed: {error.reason}. {back}") from None
    # last of all: what is gone cannot be put back
    for path in plan.removed:
        remove_image(path)


def _stop(survey: GuestSurvey, plan: GuestPlan, timeout: float) -> None:
    if plan.life_action != "stop":
        return
    name = plan.request.name
    if survey.domains.shut_down(name, timeout=timeout):
        return
    if not plan.request.force:
        raise ApplyError(
            f"The guest '{name}' has not stopped within {timeout:g} seconds after its power button was pressed: it may "
            "be booting, "
            "hanging, or deaf to it. Nothing was changed. Run the task again, give it more time with stop_timeout, or say force: "
            "true to switch it off."
        )
    survey.domains.switch_off(name)


class _Work:
    """The steps for one guest, and how to take them back."""

    def __init__(self, survey: GuestSurvey, plan: GuestPlan) -> None:
        self._survey = survey
        self._plan = plan
        self._name = plan.request.name
        self._undo: list[tuple[str, Callable[[], None]]] = []
        self.doing = ""

    def put_back(self) -> list[str]:
        """Take the steps back, the last one first. Return what could not be, and why."""
        return take_back(self._undo)

    def files(self) -> None:
        """Write the script and the CD-ROM."""
        for change in self._plan.files:
            self.doing = f"write {change.path}"
            self._undo.append((change.path, functools.partial(_write, change.path, change.before)))
            _write(change.path, change.after)
        seed = self._plan.seed
        if seed is not None:
            self.doing = f"make CD-ROM {seed.path}"
            write_seed(self._survey.run, seed.path, seed.after)
            if seed.before:
                self._undo.append((seed.path, functools.partial(write_seed, self._survey.run, seed.path, seed.before)))
            elif seed.before is None:
                self._undo.append((seed.path, functools.partial(remove_image, seed.path)))

    def networks(self) -> None:
        """Change reservations, but for those that belong to a NIC of a guest that is there: they change with the NIC."""
        plan = self._plan
        changes = plan.networks or (plan.nics.networks if plan.nics is not None and plan.life is None else [])
        if not changes:
            return
        self.doing = "reserve" if plan.life is None else "release"
        connection, records = self._survey.connection, self._survey.network_records
        apply_networks(connection, changes, records)

        def undo() -> None:
            left = put_back_networks(connection, changes, records)
            if left:
                raise ApplyError("; ".join(left))

        self._undo.append(("its reservation", undo))

    def disk(self) -> None:
        """Make the disk."""
        disk = self._plan.disk
        if disk is None:
            return
        self.doing = f"make disk {disk.wanted.path}"
        make_image(self._survey.run, disk.wanted, source=disk.source, use=disk.use)
        self._undo.append((disk.wanted.path, functools.partial(remove_image, disk.wanted.path)))

    def define(self) -> None:
        """Store the definition."""
        plan, guests = self._plan, self._survey.guests
        if not plan.defines or plan.after is None:
            return
        self.doing = "define"
        if plan.life is None:
            guests.define(plan.document)
            self._undo.append(("its definition", lambda: self._survey.domains.undefine(self._name)))
            return
        text = guests.read_whole(self._name)
        guests.define(change_document(text, plan.after, name=self._name))
        self._undo.append(("its definition", lambda: guests.define(text)))

    def nics(self) -> None:
        """Change the NIC of a guest that is there, with its reservation."""
        plan = self._plan
        if plan.nics is None or plan.life is None:
            return
        self.doing = "change NIC"
        outcomes = carry_out(self._survey.connection, self._survey, plan.nics, timeout=_DETACH_TIMEOUT)
        error = next((outcome.error for outcome in outcomes if outcome.error), "")
        if error:
            raise ApplyError(error)

    def autostart(self) -> None:
        """Say whether the guest starts at boot."""
        wanted = self._plan.autostart
        if wanted is None:
            return
        self.doing = f"autostart {'on' if wanted else 'off'}"
        self._survey.domains.set_autostart(self._name, autostart=wanted)
        if self._plan.life is not None:
            self._undo.append(("its autostart", lambda: self._survey.domains.set_autostart(self._name, autostart=not wanted)))

    def undefine(self) -> None:
        """Remove what is stored."""
        if self._plan.undefines:
            self.doing = "undefine"
            self._survey.domains.undefine(self._name)

    def start(self) -> None:
        """Start the guest, or let it go on."""
        domains, action = self._survey.domains, self._plan.life_action
        if action == "start":
            self.doing = "start"
            domains.start(self._name)
        elif action == "resume":
            self.doing = "resume"
            domains.resume(self._name)


def _write(path: str, content: bytes | None) -> None:
    try:
        if content is None:
            remove_file(path)
        else:
            write_file(path, content, mode=_SCRIPT_MODE)
    except OSError as error:
        raise ApplyError(f"{path} could not be written: {error.strerror}") from None
