# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""What was measured, and what was to be reached."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

SECONDS = "s"
MILLISECONDS = "ms"
MEGABYTES = "MB"
TIMES = ""  # a ratio


@dataclass(frozen=True)
class Series:
    """One thing, measured once in each round."""

    what: str
    unit: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def lowest(self) -> float:
        return min(self.values)

    @property
    def highest(self) -> float:
        return max(self.values)


@dataclass(frozen=True)
class Target:
    """A figure that shall not be higher than its limit. Nothing fails because of it: times depend on the machine."""

    what: str
    unit: str
    limit: float
    measured: float

    @property
    def reached(self) -> bool:
        return self.measured <= self.limit


@dataclass(frozen=True)
class Section:
    """One benchmark: what it measured, how that compares, and what was to be reached."""

    title: str
    series: tuple[Series, ...]
    targets: tuple[Target, ...]
    remarks: tuple[str, ...] = ()


def ratio(ours: Series, *others: Series) -> float:
    """How many times as long our median is as the medians of the others together."""
    return ours.median / sum(other.median for other in others)


def slope(smaller: Series, larger: Series, *, steps: int) -> float:
    """What each of the steps from the smaller to the larger size adds."""
    return (larger.median - smaller.median) / steps
