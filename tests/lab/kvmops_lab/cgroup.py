# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""Every process that the lab leaves running lives in a control group of the lab: that is how it is found again.

Process ids in files go stale; a control group knows its processes, also after the command that started them was killed.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .errors import LabError

_MOUNTS = (Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup"))
_JOIN = 'echo $$ > "$0" && exec "$@"'


@dataclass(frozen=True)
class ControlGroup:
    path: Path

    @classmethod
    def of(cls, *names: str) -> ControlGroup:
        for mount in _MOUNTS:
            if (mount / "cgroup.procs").exists() and (mount / "cgroup.controllers").exists():
                return cls(mount.joinpath(*names))
        raise LabError("There is no version 2 control group tree in /sys/fs/cgroup: the lab needs one to keep hosts apart.")

    def command(self, command: Sequence[str]) -> list[str]:
        """The same command, run in this group."""
        self.path.mkdir(parents=True, exist_ok=True)
        return ["sh", "-c", _JOIN, str(self.path / "cgroup.procs"), *command]

    def processes(self) -> list[int]:
        return [pid for pid in self._processes_in(self.path) if pid > 0]

    def _processes_in(self, folder: Path) -> list[int]:
        """A folder's own processes come before the list of its folders: while a host begins, systemd moves them down."""
        found: list[int] = []
        with suppress(OSError):
            found += [int(line) for line in (folder / "cgroup.procs").read_text().split()]
        with suppress(OSError):
            for below in folder.iterdir():
                if below.is_dir():
                    found += self._processes_in(below)
        return found

    def kill(self, *, timeout: float = 10) -> None:
        """End all processes in it at once, as a power cut does, and remove it."""
        deadline = time.monotonic() + timeout
        while self.path.exists():
            if self.processes():
                self._kill_now()
            else:
                self._remove()
            if time.monotonic() > deadline:
                raise LabError(f"Processes {self.processes()} in {self.path} do not end, or it cannot be removed.")
            if self.path.exists():
                time.sleep(0.02)

    def _kill_now(self) -> None:
        try:
            (self.path / "cgroup.kill").write_text("1")
        except OSError:  # a kernel before 5.14, or it is gone by now
            for pid in self.processes():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _remove(self) -> None:
        for folder, _, _ in os.walk(self.path, topdown=False):
            with suppress(OSError):
                os.rmdir(folder)
