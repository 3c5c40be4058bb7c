# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""Locks between lab commands. The kernel gives them back when their holder dies, however it dies."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def lock(directory: Path, name: str, *, shared: bool = False) -> Iterator[None]:
    """Order, so that nobody waits in a circle: lab, layer, host, guest, lan."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / name).open("w") as stream:
        mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(stream, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"lab: waiting for another lab command to finish with {name}", file=sys.stderr)
            fcntl.flock(stream, mode)
        yield
