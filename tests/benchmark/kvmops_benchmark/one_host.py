# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""One host over SSH: its networks are created by everybody in turn, and then there is nothing to do."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from . import hosts, machine
from .figures import SECONDS, TIMES, Section, Series, Target, ratio
from .networks import write_variables
from .play import Stage
from .progress import say

HOST = "one"
NETWORKS = 20

PING = "ansible.builtin.ping"
BARE_CREATES = "bare script creates (inside its process)"
BARE_READS = "bare script reads (inside its process)"
OURS_CREATES = "kvmops.network creates"
OURS_REPEATS = "kvmops.network, nothing to do"
OTHERS_CREATE = "community.libvirt creates"
OTHERS_REPEAT = "community.libvirt, nothing to do"
SHOWN = (PING, BARE_READS, OURS_REPEATS, OTHERS_REPEAT, BARE_CREATES, OURS_CREATES, OTHERS_CREATE)


def measure(folder: Path, ansible: Path, *, rounds: int, with_others: bool) -> Section:
    """`with_others`: also with community.libvirt, which has to be installed with that Ansible."""
    variables = write_variables(folder, NETWORKS)
    stage = Stage(ansible, hosts.bring_up([HOST], folder), variables, (HOST,), folder)
    seconds: dict[str, list[float]] = defaultdict(list)
    for number in range(1, rounds + 1):  # one after the other, so that what else the machine does hits all alike
        say(f"one host, round {number} of {rounds}")
        _remove(variables)
        seconds[BARE_CREATES].append(hosts.bare("create", HOST, variables))
        seconds[BARE_READS].append(hosts.bare("read", HOST, variables))
        _remove(variables)
        seconds[OURS_CREATES].append(stage.play("kvmops", changes=True).seconds)
        hosts.settle(HOST)
        seconds[PING].append(stage.play("ping", changes=False).seconds)
        seconds[OURS_REPEATS].append(stage.play("kvmops", changes=False).seconds)
        if with_others:
            _remove(variables)
            seconds[OTHERS_CREATE].append(stage.play("community_libvirt", changes=True).seconds)
            hosts.settle(HOST)
            seconds[OTHERS_REPEAT].append(stage.play("community_libvirt", changes=False).seconds)
    remark = f"The host: {machine.versions_of(HOST)}"
    if with_others:
        remark += f"; community.libvirt {machine.collection_version(ansible, 'community', 'libvirt')}"
    hosts.lab("down", HOST)
    return summarise({what: Series(what, SECONDS, tuple(values)) for what, values in seconds.items()}, remark=remark)


def _remove(variables: Path) -> None:
    hosts.bare("remove", HOST, variables)
    hosts.settle(HOST)


def summarise(series: dict[str, Series], *, remark: str) -> Section:
    """What was measured beside what was to be reached."""
    creates = ratio(series[OURS_CREATES], series[BARE_CREATES], series[PING])
    repeats = ratio(series[OURS_REPEATS], series[PING])
    remarks = [remark]
    for label, ours, others in (("creates", OURS_CREATES, OTHERS_CREATE), ("nothing to do", OURS_REPEATS, OTHERS_REPEAT)):
        if others in series:
            remarks.append(f"community.libvirt takes {ratio(series[others], series[ours]):.1f} times as long ({label}).")
    return Section(
        title=f"One host, {NETWORKS} NAT networks, whole runs of ansible-playbook",
        series=tuple(series[what] for what in SHOWN if what in series),
        targets=(
            Target("nothing to do / ping", TIMES, 1.5, repeats),
            Target("creates / (bare script creates + ping)", TIMES, 1.3, creates),
        ),
        remarks=tuple(remarks),
    )
