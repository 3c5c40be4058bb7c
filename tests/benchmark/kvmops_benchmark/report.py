# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""The figures as text."""

from __future__ import annotations

import math
from collections.abc import Sequence

from kvmops_lab import table

from .figures import Section, Series, Target

# Nothing here is measured better than that.
_DIGITS = 3
_DECIMALS = 3


def render(headline: Sequence[str], sections: Sequence[Section]) -> str:
    """The whole report: what was measured where, then each section."""
    return "\n\n".join(["\n".join(headline), *(render_section(section) for section in sections)]) + "\n"


def render_section(section: Section) -> str:
    """A heading, a table of what was measured, a table of the targets."""
    parts = [f"{section.title}\n{'-' * len(section.title)}"]
    parts.append(table.render(("what", "median", "lowest", "highest"), [_row(series) for series in section.series]))
    if section.targets:
        parts.append(table.render(("target", "at most", "measured", ""), [_target_row(target) for target in section.targets]))
    if section.remarks:
        parts.append("\n".join(section.remarks))
    return "\n\n".join(parts)


def quantity(value: float, unit: str) -> str:
    """A value with as many digits as it deserves: 29.1 s, 0.883 s, 0.006 s, 1200 ms."""
    magnitude = math.floor(math.log10(abs(value))) if value else 0
    decimals = min(max(0, _DIGITS - 1 - magnitude), _DECIMALS)
    return f"{value:.{decimals}f} {unit}".rstrip()


def _row(series: Series) -> tuple[str, ...]:
    return (series.what, *(quantity(value, series.unit) for value in (series.median, series.lowest, series.highest)))


def _target_row(target: Target) -> tuple[str, ...]:
    verdict = "reached" if target.reached else "missed"
    return (target.what, f"{target.limit:g} {target.unit}".rstrip(), quantity(target.measured, target.unit), verdict)
