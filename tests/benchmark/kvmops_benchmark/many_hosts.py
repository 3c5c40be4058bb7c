# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""Many hosts that have their networks already: what looking at them costs beside a ping of the same hosts."""

from __future__ import annotations

from pathlib import Path

from . import hosts
from .figures import SECONDS, Section, Series, Target
from .networks import write_variables
from .play import Stage, Took
from .progress import say

HOSTS = 20
NETWORKS = 20


def measure(folder: Path, ansible: Path, *, rounds: int) -> Section:
    names = tuple(f"many{number:02}" for number in range(1, HOSTS + 1))
    stage = Stage(ansible, hosts.bring_up(names, folder), write_variables(folder, NETWORKS), names, folder)
    say(f"{HOSTS} hosts, creating their networks")
    stage.play("kvmops", changes=True)
    pings, ours = [], []
    for number in range(1, rounds + 1):
        say(f"{HOSTS} hosts, round {number} of {rounds}")
        pings.append(stage.play("ping", changes=False))
        ours.append(stage.play("kvmops", changes=False))
    hosts.lab("down", *names)
    return summarise(pings, ours)


def summarise(pings: list[Took], ours: list[Took]) -> Section:
    """What was measured beside what was to be reached."""
    ping_cpu = Series("ansible.builtin.ping, processor time of all", SECONDS, tuple(took.cpu_seconds for took in pings))
    our_cpu = Series("kvmops.network, processor time of all", SECONDS, tuple(took.cpu_seconds for took in ours))
    return Section(
        title=f"{HOSTS} hosts with {NETWORKS} NAT networks each, nothing to do",
        series=(
            Series("ansible.builtin.ping", SECONDS, tuple(took.seconds for took in pings)),
            Series("kvmops.network, nothing to do", SECONDS, tuple(took.seconds for took in ours)),
            ping_cpu,
            our_cpu,
        ),
        targets=(Target("processor time a host on top of ping", SECONDS, 0.3, (our_cpu.median - ping_cpu.median) / HOSTS),),
    )
