# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
from __future__ import annotations

import pytest
from kvmops_benchmark import report
from kvmops_benchmark.figures import MILLISECONDS, SECONDS, TIMES, Section, Series, Target


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (29.1234, SECONDS, "29.1 s"),
        (0.98765, SECONDS, "0.988 s"),
        (0.0054321, SECONDS, "0.005 s"),
        (0.0, SECONDS, "0.00 s"),
        (-0.25, SECONDS, "-0.250 s"),
        (2203.4, MILLISECONDS, "2203 ms"),
        (1.0, TIMES, "1.00"),
    ],
)
def test_quantities_have_as_many_digits_as_they_deserve(value, unit, text) -> None:
    assert report.quantity(value, unit) == text


def test_the_report_has_medians_and_spread_and_says_of_each_target_whether_it_was_reached() -> None:
    section = Section(
        title="One host",
        series=(Series("ping", SECONDS, (2.0, 1.0, 4.0)), Series("a longer name", SECONDS, (3.0,))),
        targets=(Target("first", TIMES, 1.5, 1.25), Target("second", SECONDS, 0.3, 0.4)),
        remarks=("Once more.", "And again."),
    )
    assert report.render(["Today", "here"], [section]) == (
        "Today\n"
        "here\n"
        "\n"
        "One host\n"
        "--------\n"
        "\n"
        "what           median  lowest  highest\n"
        "ping           2.00 s  1.00 s  4.00 s\n"
        "a longer name  3.00 s  3.00 s  3.00 s\n"
        "\n"
        "target  at most  measured\n"
        "first   1.5      1.25      reached\n"
        "second  0.3 s    0.400 s   missed\n"
        "\n"
        "Once more.\n"
        "And again.\n"
    )
