# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""The lab of the benchmarks: one of its own beside the lab in KVMOPS_LAB_DIR, which nobody else uses."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kvmops_lab import paths, ssh
from kvmops_lab.cgroup import ControlGroup
from kvmops_lab.host import Host

from .errors import BenchmarkError

_LAB = Path(__file__).resolve().parents[2] / "lab" / "lab"
_LOOK = 0.5  # seconds
_QUIET = 0.05  # of a processor
_SETTLES = 20
_BARE_SCRIPT = (Path(__file__).parent / "bare_script.py").read_text()


@contextmanager
def lab_of_its_own() -> Iterator[None]:
    """An empty lab, which is empty again afterwards. What a killed run left is removed first."""
    os.environ["KVMOPS_LAB_DIR"] = f"{paths.current().state}-bench"
    lab("down")
    try:
        yield
    finally:
        lab("down")


def lab(*arguments: str, stdin: str = "") -> str:
    """What a command of the lab prints."""
    ended = subprocess.run([_LAB, *arguments], input=stdin, stdout=subprocess.PIPE, text=True, check=False)
    if ended.returncode:
        raise BenchmarkError(f"`lab {' '.join(arguments)[:100]}` ended with {ended.returncode}.\n{ended.stdout}")
    return ended.stdout


def bring_up(names: Sequence[str], folder: Path) -> Path:
    """An inventory of these hosts, which are running then, and of no others."""
    lab("up", "--name", *names)
    inventory = folder / "inventory.yml"
    inventory.write_text(lab("inventory"))
    return inventory


def bare(action: str, host: str, variables: Path) -> float:
    """The seconds that the bare script took on a host."""
    return float(lab("enter", host, "--", "python3", "-c", _BARE_SCRIPT, action, stdin=variables.read_text()))


def settle(host: str) -> None:
    """Wait until a host has dealt with what was done to it: its daemons and udev go on for a while."""
    group = Host(paths.current(), host).container.group
    for _ in range(_SETTLES):
        before = _cpu_seconds(group)
        time.sleep(_LOOK)
        if _cpu_seconds(group) - before < _QUIET * _LOOK:
            return


def forget_connections(names: Sequence[str]) -> None:
    """So that every play has to log in, as the first one of the day does."""
    for name in names:
        ssh.forget_connections(paths.current(), name)


def controller_group() -> ControlGroup:
    """What Ansible and the SSH connections that it keeps run in."""
    return ControlGroup.of(paths.current().prefix, "controller")


def cpu_seconds(names: Sequence[str]) -> float:
    """What the controller and these hosts have used so far, with all their processes."""
    groups = [controller_group(), *(Host(paths.current(), name).container.group for name in names)]
    return sum(_cpu_seconds(group) for group in groups)


def _cpu_seconds(group: ControlGroup) -> float:
    for line in (group.path / "cpu.stat").read_text().splitlines():
        name, _, value = line.partition(" ")
        if name == "usage_usec":
            return int(value) / 1_000_000
    raise BenchmarkError(f"The control group {group.path} does not count its processor time.")
