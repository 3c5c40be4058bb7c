# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""From what was measured to what is reported, with figures that are easy to check."""

from __future__ import annotations

import pytest
from kvmops_benchmark import growth, guest_nics, many_hosts, one_host
from kvmops_benchmark.figures import SECONDS, Series
from kvmops_benchmark.play import Took


def measured(section) -> dict[str, float]:
    return {target.what: target.measured for target in section.targets}


def test_one_host_is_held_against_ping_and_the_script() -> None:
    seconds = {
        one_host.PING: 1.0,
        one_host.BARE_CREATES: 2.0,
        one_host.BARE_READS: 0.01,
        one_host.OURS_CREATES: 3.6,
        one_host.OURS_REPEATS: 1.2,
    }
    series = {what: Series(what, SECONDS, (value,)) for what, value in seconds.items()}
    section = one_host.summarise(series, remark="somewhere")
    assert measured(section) == {"nothing to do / ping": 1.2, "creates / (bare script creates + ping)": pytest.approx(1.2)}
    assert section.remarks == ("somewhere",)

    for what, value in {one_host.OTHERS_CREATE: 36.0, one_host.OTHERS_REPEAT: 24.0}.items():
        series[what] = Series(what, SECONDS, (value,))
    assert one_host.summarise(series, remark="somewhere").remarks == (
        "somewhere",
        "community.libvirt takes 10.0 times as long (creates).",
        "community.libvirt takes 20.0 times as long (nothing to do).",
    )


def test_nics_are_held_against_virsh_and_ping() -> None:
    seconds = {
        guest_nics.PING: 1.0,
        guest_nics.OURS_REPEATS: 1.6,
        guest_nics.VIRSH_ATTACHES: 0.5,
        guest_nics.OURS_ATTACHES: 1.5,
        guest_nics.VIRSH_DETACHES: 1.0,
        guest_nics.OURS_DETACHES: 3.0,
    }
    section = guest_nics.summarise({what: Series(what, SECONDS, (value,)) for what, value in seconds.items()}, remark="somewhere")
    assert measured(section) == {
        "nothing to do / ping": 1.6,
        "attaches / (virsh attaches + ping)": 1.0,
        "detaches / (virsh detaches + ping)": 1.5,
    }
    assert [target.reached for target in section.targets] == [False, True, False]
    assert [series.what for series in section.series] == list(guest_nics.SHOWN)


def test_many_hosts_cost_what_they_use_more_than_for_a_ping_each() -> None:
    pings = [Took(seconds=5.0, cpu_seconds=8.0), Took(seconds=5.0, cpu_seconds=10.0), Took(seconds=5.0, cpu_seconds=90.0)]
    ours = [Took(seconds=6.0, cpu_seconds=14.0)] * 3
    assert measured(many_hosts.summarise(pings, ours)) == {"processor time a host on top of ping": 0.2}


def test_growth_is_what_each_network_adds() -> None:
    def runs(milliseconds: float, peak: float) -> list[dict[str, float]]:
        return [{"milliseconds": milliseconds, "before": 40.0, "after": peak}]

    compares = {10: runs(15.0, 41.0), 100: runs(60.0, 45.0), 1000: runs(960.0, 79.0)}
    found = growth.summarise(compares, compares, remark="somewhere")
    assert measured(found) == {
        "a network more, from 10 to 100": 0.5,
        "a network more, from 100 to 1000": 1.0,
        "linear: the second of these / the first": 2.0,
        "peak memory, driver and all": 79.0,
    }
    assert [target.reached for target in found.targets] == [True, True, False, True]
