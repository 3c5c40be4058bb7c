# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Signals that would end the module wait until steps that belong together are done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.signals import uninterrupted

ENDINGS = {signal.SIGHUP, signal.SIGINT, signal.SIGTERM}


@pytest.fixture
def received() -> t.Iterator[list[int]]:
    """Return the signals that came, in order."""
    came: list[int] = []
    before = {each: signal.signal(each, lambda number, _frame: came.append(number)) for each in ENDINGS}
    yield came
    for each, handler in before.items():
        signal.signal(each, handler)


def blocked() -> set[int]:
    return set(signal.pthread_sigmask(signal.SIG_BLOCK, ()))


@pytest.mark.parametrize("number", sorted(ENDINGS))
def test_a_signal_waits_until_the_end(received: list[int], number: int) -> None:
    with uninterrupted():
        os.kill(os.getpid(), number)
        assert received == []
        assert blocked() >= ENDINGS
    assert received == [number]
    assert not blocked() & ENDINGS


def test_others_do_not_wait() -> None:
    with uninterrupted():
        assert not blocked() & {signal.SIGALRM, signal.SIGCHLD, signal.SIGUSR1}


def test_after_an_error_signals_come_again(received: list[int]) -> None:
    def fail() -> None:
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGTERM)
            raise ValueError("step")

    with pytest.raises(ValueError, match="step"):
        fail()
    assert received == [signal.SIGTERM]


def test_within_another_one_it_does_not_end_the_outer(received: list[int]) -> None:
    with uninterrupted():
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGHUP)
        assert received == []
    assert received == [signal.SIGHUP]


def test_what_was_blocked_before_stays_so() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        with uninterrupted():
            pass
        assert signal.SIGHUP in blocked()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


PROGRAM = """
import os, signal
from ansible_collections.kvmops.network.plugins.module_utils._edge.signals import uninterrupted
with uninterrupted():
    os.kill(os.getpid(), signal.SIGTERM)
    print("done", flush=True)
print("went on", flush=True)
"""


def test_the_module_ends_when_the_steps_are_done() -> None:
    path = os.pathsep.join(entry for entry in sys.path if entry)
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path}
    )
    assert (ended.stdout, ended.stderr, ended.returncode) == ("done\n", "", -signal.SIGTERM)
