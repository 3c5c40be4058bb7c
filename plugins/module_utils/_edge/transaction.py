# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The change of the host's own network that waits for being confirmed: on the disk, with its timer and its unit for the boot.

Everything that the way back needs is on the disk before the first change, each file and each folder synchronised.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._bridge.goal import Goal
from ansible_collections.kvmops.network.plugins.module_utils._bridge.transaction import (
    BOOT_UNIT_LINK,
    BOOT_UNIT_PATH,
    BOOTED,
    FOLDER,
    apply_unit,
    boot_unit,
    files_of,
    revert_unit,
)
from ansible_collections.kvmops.network.plugins.module_utils._edge.files import synchronise
from ansible_collections.kvmops.network.plugins.module_utils._errors import ApplyError, RequirementError

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.transaction import Transaction
    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Run

__all__ = ["State", "confirm", "read_state", "revert", "start"]

_STATES = ("armed", "reverting", "confirmed", "reverted")
_POLL = 0.1  # seconds


@dataclass(frozen=True)
class State:
    """The last change of the host's own network.

    `state` is armed, reverting, confirmed or reverted; `applied` says that the change has been made, `left` how many seconds
    there are for confirming it. `why`, `failure`, `unfinished`, `log` and `seen` are what the scripts wrote, "" for nothing.
    """

    id: str
    bridge: str
    state: str
    applied: bool
    left: float
    goal: Goal
    check_gateway: bool
    why: str
    failure: str
    log: str
    seen: str
    unfinished: str

    @property
    def is_open(self) -> bool:
        """Whether it still waits, or goes back at this moment."""
        return self.state in ("armed", "reverting")


def read_state(folder: str = FOLDER) -> State | None:
    """Return the last change, None where there was none."""
    state = next((name for name in _STATES if os.path.exists(f"{folder}/{name}")), None)
    try:
        with open(f"{folder}/plan.json", encoding="utf-8") as file:
            plan = json.load(file)
    except FileNotFoundError:
        return None
    except ValueError:
        if state not in ("armed", "reverting"):
            return None  # its folder was begun, and nothing else
        raise RequirementError(
            f"{folder}/plan.json cannot be understood, and a change of this host's network still waits there. It goes back by "
            f"itself; to have that now, run 'sh {folder}/revert' on the host."
        ) from None
    except OSError as error:
        raise RequirementError(
            f"{folder}/plan.json cannot be read: {error.strerror}. Run the task as root (become: true)."
        ) from None
    if state is None:
        return None  # its folder was begun, and nothing else
    return State(
        id=plan["id"],
        bridge=plan["bridge"],
        state=state,
        applied=os.path.exists(f"{folder}/applied"),
        left=max(0.0, plan["until"] - _now()),
        goal=Goal.from_json(plan["goal"]),
        check_gateway=plan["check_gateway"],
        why=_text(folder, "why").strip(),
        failure=_text(folder, "failure").strip(),
        log=_text(folder, "log"),
        seen=_text(folder, "seen"),
        unfinished=_text(folder, "unfinished"),
    )


def start(run: Run, transaction: Transaction, goal: Goal, *, check_gateway: bool) -> None:
    """Arm the way back, then begin the change. It goes on after this process and its connection have ended.

    Raises RequirementError if something of it cannot be armed; then nothing has been changed.
    """
    try:
        _write_down(transaction, goal, check_gateway=check_gateway)
    except OSError as error:
        with contextlib.suppress(OSError):  # it is not there, or cannot have been written
            os.unlink(f"{FOLDER}/armed")
        _disarm(run, transaction.id)
        raise RequirementError(f"The way back cannot be written to {FOLDER}: {error.strerror}. Nothing was changed.") from None
    try:
        _start_unit(run, revert_unit(transaction.id), "revert", "timeout", after=transaction.window)
        _start_unit(run, apply_unit(transaction.id), "apply")
    except RequirementError:
        os.rename(f"{FOLDER}/armed", f"{FOLDER}/reverted")
        _disarm(run, transaction.id)
        raise


def confirm(run: Run, state: State) -> None:
    """Make the change last. Raises ApplyError if the way back began first.

    What was written is on the disk already.
    """
    try:
        os.rename(f"{FOLDER}/armed", f"{FOLDER}/confirmed")
    except FileNotFoundError:
        raise ApplyError(f"The change of {state.bridge} was too late to be confirmed: its way back has begun.") from None
    synchronise(FOLDER)
    _disarm(run, state.id)
    for kept in ("before", "after"):  # files of a back end may have passwords in them
        shutil.rmtree(f"{FOLDER}/{kept}", ignore_errors=True)


def revert(run: Run, state: State, *, timeout: float) -> None:
    """Take the change back now, and wait until that is done. Raises ApplyError if it is not within so many seconds."""
    _start_unit(run, f"{revert_unit(state.id)}-asked", "revert", "asked")
    deadline = time.monotonic() + timeout
    while not os.path.exists(f"{FOLDER}/reverted"):
        if time.monotonic() > deadline:
            raise ApplyError(f"The way back has not come to its end within {timeout:.0f} seconds. See {FOLDER}/log on the host.")
        time.sleep(_POLL)


def _write_down(transaction: Transaction, goal: Goal, *, check_gateway: bool) -> None:
    parent = os.path.dirname(FOLDER)
    os.makedirs(parent, mode=0o755, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(FOLDER)
    os.makedirs(FOLDER, mode=0o700)
    plan = {
        "id": transaction.id,
        "bridge": goal.bridge,
        "until": _now() + transaction.window,
        "goal": goal.to_json(),
        "check_gateway": check_gateway,
    }
    files = {**files_of(transaction), "plan.json": json.dumps(plan, indent=2).encode()}
    for name, content in files.items():
        _write(f"{FOLDER}/{name}", content, mode=0o600)
    for number, change in enumerate(transaction.files):
        if change.before is not None:
            _copy_owner_and_mode(change.path, f"{FOLDER}/before/{number}")
        if change.after is not None and change.before is not None:
            _copy_owner_and_mode(change.path, f"{FOLDER}/after/{number}")
        elif change.after is not None:
            os.chmod(f"{FOLDER}/after/{number}", change.mode)
    _write(BOOTED, b"", mode=0o644)
    for path in (BOOT_UNIT_PATH, BOOT_UNIT_LINK):
        os.makedirs(os.path.dirname(path), exist_ok=True)
    _write(BOOT_UNIT_PATH, boot_unit().encode(), mode=0o644)
    with contextlib.suppress(FileExistsError):
        os.symlink(BOOT_UNIT_PATH, BOOT_UNIT_LINK)
    for folder in (
        f"{FOLDER}/before",
        f"{FOLDER}/after",
        os.path.dirname(BOOT_UNIT_PATH),
        os.path.dirname(BOOT_UNIT_LINK),
        parent,
        os.path.dirname(parent),
    ):
        if os.path.isdir(folder):
            synchronise(folder)
    _write(f"{FOLDER}/armed", b"", mode=0o600)
    synchronise(FOLDER)


def _copy_owner_and_mode(source: str, destination: str) -> None:
    found = os.stat(source)
    os.chown(destination, found.st_uid, found.st_gid)
    os.chmod(destination, found.st_mode & 0o7777)


def _write(path: str, content: bytes, *, mode: int) -> None:
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _start_unit(run: Run, name: str, *arguments: str, after: int = 0) -> None:
    timer = [f"--on-active={after}", "--timer-property=AccuracySec=100ms"] if after else []
    script, *rest = arguments
    command = ["systemd-run", "--quiet", "--collect", f"--unit={name}", *timer, "/bin/sh", f"{FOLDER}/{script}", *rest]
    try:
        code, _output, errors = run(command)
    except OSError as error:
        code, errors = 127, f"systemd-run: {error.strerror}"
    if code != 0:
        raise RequirementError(
            f"systemd on this host did not take the task {name} ({errors.strip().rstrip('.')}). Without it there is no way "
            "back, so nothing was changed."
        )


def _disarm(run: Run, transaction_id: str) -> None:
    run(["systemctl", "stop", f"{revert_unit(transaction_id)}.timer"])
    for path in (BOOT_UNIT_LINK, BOOT_UNIT_PATH):
        with contextlib.suppress(OSError):  # it is not there, or cannot have been written
            os.unlink(path)
            synchronise(os.path.dirname(path))


def _text(folder: str, name: str) -> str:
    try:
        with open(f"{folder}/{name}", encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def _now() -> float:
    """Seconds since the host booted: no clock that somebody sets, and none that goes on while the host is off."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
