# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""One writer for each host: modules that change its networks take a lock."""

from __future__ import annotations

import errno
import fcntl
import os
import time
import typing as t
from contextlib import contextmanager

from ansible_collections.kvmops.network.plugins.module_utils._errors import RequirementError

if t.TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["host_lock"]

_PATH = "/run/lock/kvmops-network.lock"
_POLL = 0.1  # seconds


@contextmanager
def host_lock(timeout: int, *, path: str = _PATH) -> Iterator[None]:
    """Hold the lock during a with statement.

    Waits for `timeout` seconds at most, and raises RequirementError then, or if the lock cannot be opened. The kernel frees the
    lock when its holder ends, however it ends.
    """
    try:
        descriptor = _open(path)
    except OSError as error:
        raise RequirementError(
            f"The lock {path} cannot be opened ({error.strerror}). Run the task as root (become: true)."
        ) from None
    try:
        _acquire(descriptor, timeout, path)
        yield
    finally:
        os.close(descriptor)


def _open(path: str) -> int:
    """Open the lock for reading: that is enough for flock, and another user's lock cannot be opened otherwise."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        descriptor = os.open(path, flags | os.O_CREAT, 0o644)
        os.fchmod(descriptor, 0o644)  # whatever the umask, or the next user could not open it
        return descriptor


def _acquire(descriptor: int, timeout: int, path: str) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
        else:
            return
        if time.monotonic() >= deadline:
            raise RequirementError(
                f"Another task has been changing this host's networks for {timeout} seconds (it holds {path}). Nothing was "
                "changed. Run the task again when the other one has ended, or give it more time with lock_timeout."
            )
        time.sleep(_POLL)
