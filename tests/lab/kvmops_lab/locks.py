# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""Locks between lab commands. The kernel gives them back when their holder dies, however it dies."""

from __future__ import annotations

import fcntl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

_PATIENCE = 3.0  # seconds without a word


@contextmanager
def lock(directory: Path, name: str, *, shared: bool = False) -> Iterator[None]:
    """Order, so that nobody waits in a circle: lab, layer, host, guest, lan."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / name).open("w") as stream:
        mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        if not _taken_within(_PATIENCE, stream, mode):
            print(f"lab: waiting for another lab command to finish with {name}", file=sys.stderr)
            fcntl.flock(stream, mode)
        yield


@contextmanager
def free_lock(directory: Path, name: str) -> Iterator[bool]:
    """Whether nobody held the lock; it is held now if so."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / name).open("w") as stream:
        yield _taken_within(0, stream, fcntl.LOCK_EX)


def _taken_within(seconds: float, stream: TextIO, mode: int) -> bool:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(stream, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        else:
            return True
