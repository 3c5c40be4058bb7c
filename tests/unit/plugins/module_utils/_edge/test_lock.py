# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""One writer for each host, shown with a second process."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.lock import host_lock
from ansible_collections.kvmops.network.plugins.module_utils._errors import RequirementError

HOLDER = """
import fcntl, sys
lock = open(sys.argv[1], "a")
fcntl.flock(lock, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def held_by_another_process(path: Path) -> t.Iterator[subprocess.Popen[str]]:
    """Hold the lock in another process; it lets go when its input ends, or when it is killed."""
    arguments = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield holder
        holder.kill()


def test_a_free_lock_is_taken_at_once_and_again(tmp_path: Path) -> None:
    for _time in range(2):
        with host_lock(0, path=str(tmp_path / "lock")):
            pass


def test_it_waits_no_longer_than_it_was_told(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with held_by_another_process(path):
        began = time.monotonic()
        message = (
            f"Another task has been changing this host's networks for 0 seconds (it holds {path}). Nothing was changed. "
            "Run the task again when the other one has ended, or give it more time with lock_timeout."
        )
        with pytest.raises(RequirementError, match=f"^{re.escape(message)}$"), host_lock(0, path=str(path)):
            pytest.fail("two writers")
        assert time.monotonic() - began < 5


def test_it_goes_on_when_the_other_one_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    killed = threading.Event()
    with held_by_another_process(path) as holder:

        def kill() -> None:
            killed.set()
            holder.kill()

        timer = threading.Timer(0.3, kill)
        timer.start()
        with host_lock(30, path=str(path)):
            assert killed.is_set()
        timer.join()


def test_it_is_freed_after_a_failure(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    with contextlib.suppress(ZeroDivisionError), host_lock(0, path=path):
        _never = 1 / 0
    with host_lock(0, path=path):
        pass


def test_what_it_starts_does_not_hold_it(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    with contextlib.ExitStack() as stack:
        with host_lock(0, path=path):
            child = stack.enter_context(subprocess.Popen(["sleep", "60"]))
            stack.callback(child.kill)
        with host_lock(0, path=path):
            pass


def test_a_lock_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "lock"
    message = f"The lock {path} cannot be opened (No such file or directory). Run the task as root (become: true)."
    with pytest.raises(RequirementError, match=f"^{re.escape(message)}$"), host_lock(0, path=str(path)):
        pytest.fail("held a lock that is not there")


def test_it_does_not_follow_a_link(tmp_path: Path) -> None:
    # the directory of the lock is open to everybody
    victim = tmp_path / "victim"
    (tmp_path / "lock").symlink_to(victim)
    with pytest.raises(RequirementError, match="cannot be opened"), host_lock(0, path=str(tmp_path / "lock")):
        pytest.fail("followed a link")
    assert not victim.exists()


def test_a_lock_of_another_user_is_enough_to_read(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    path.chmod(0o444)
    with host_lock(0, path=str(path)):
        assert os.stat(path).st_size == 0
