# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""How the work grows with the number of networks: the module alone, on libvirt's test driver, without a daemon and Ansible."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from . import machine
from .errors import BenchmarkError
from .figures import MEGABYTES, MILLISECONDS, TIMES, Section, Series, Target, slope
from .progress import say

SIZES = (10, 100, 1000)

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parents[2]


def measure(folder: Path, *, rounds: int) -> Section:
    compares: dict[int, list[dict[str, float]]] = defaultdict(list)
    creates: dict[int, list[dict[str, float]]] = defaultdict(list)
    for number in range(1, rounds + 1):
        say(f"libvirt's test driver, round {number} of {rounds}")
        for size in SIZES:
            file = folder / f"test-driver-{size}.json"
            creates[size].append(_run("create", size, file))
            compares[size].append(_run("compare", size, file))
    return summarise(creates, compares, remark=f"This machine: {machine.own_versions()}")


def _run(action: str, size: int, file: Path) -> dict[str, float]:
    path = os.pathsep.join([str(_HERE.parent), str(_ROOT / ".build/collections")])
    ended = subprocess.run(
        [sys.executable, str(_HERE / "growth_process.py"), action, str(size), str(file)],
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise BenchmarkError(f"{ended.stdout}\nThe test driver with {size} networks ({action}) ended with {ended.returncode}.")
    measured: dict[str, float] = json.loads(ended.stdout)
    return measured


def summarise(creates: dict[int, list[dict[str, float]]], compares: dict[int, list[dict[str, float]]], *, remark: str) -> Section:
    """What was measured beside what was to be reached."""
    comparing = {size: _series(f"compare {size}", MILLISECONDS, "milliseconds", runs) for size, runs in compares.items()}
    small, middle, large = (comparing[size] for size in SIZES)
    first = slope(small, middle, steps=SIZES[1] - SIZES[0])
    second = slope(middle, large, steps=SIZES[2] - SIZES[1])
    peak = _series(f"compare {SIZES[2]}, peak memory", MEGABYTES, "after", compares[SIZES[2]])
    return Section(
        title="Networks on libvirt's test driver, processor time of the module's main() alone",
        series=(
            *(_series(f"create {size}", MILLISECONDS, "milliseconds", runs) for size, runs in creates.items()),
            *comparing.values(),
            _series(f"compare {SIZES[2]}, memory before (Python, libvirt, the driver)", MEGABYTES, "before", compares[SIZES[2]]),
            peak,
        ),
        targets=(
            Target(f"a network more, from {SIZES[0]} to {SIZES[1]}", MILLISECONDS, 1, first),
            Target(f"a network more, from {SIZES[1]} to {SIZES[2]}", MILLISECONDS, 1, second),
            Target("linear: the second of these / the first", TIMES, 1.25, second / first),
            Target("peak memory, driver and all", MEGABYTES, 80, peak.median),
        ),
        remarks=(remark,),
    )


def _series(what: str, unit: str, name: str, runs: list[dict[str, float]]) -> Series:
    return Series(what, unit, tuple(run[name] for run in runs))
