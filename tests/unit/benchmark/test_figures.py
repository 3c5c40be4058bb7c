# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
from __future__ import annotations

import pytest
from kvmops_benchmark.figures import SECONDS, TIMES, Series, Target, ratio, slope


def series(*values: float) -> Series:
    return Series("something", SECONDS, values)


def test_median_and_spread_are_those_of_the_values_in_any_order() -> None:
    measured = series(5.0, 1.0, 9.0, 2.0, 3.0)
    assert (measured.median, measured.lowest, measured.highest) == (3.0, 1.0, 9.0)


def test_the_median_of_an_even_number_lies_between() -> None:
    assert series(1.0, 2.0, 4.0, 100.0).median == 3.0


def test_a_ratio_is_one_of_medians_so_that_one_slow_round_does_not_count() -> None:
    assert ratio(series(3.0, 3.0, 90.0), series(2.0, 2.0, 2.0)) == 1.5


def test_a_ratio_to_several_is_one_to_their_sum() -> None:
    assert ratio(series(3.0), series(0.5), series(1.5)) == 1.5


def test_a_slope_leaves_out_what_every_size_costs() -> None:
    assert slope(series(50.0 + 100 * 0.25), series(50.0 + 1000 * 0.25), steps=900) == 0.25


@pytest.mark.parametrize(("measured", "reached"), [(1.49, True), (1.5, True), (1.51, False)])
def test_a_target_is_a_figure_that_may_be_reached_but_not_exceeded(measured, reached) -> None:
    assert Target("something", TIMES, 1.5, measured).reached is reached
