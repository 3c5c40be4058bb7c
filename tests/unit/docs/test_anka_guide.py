# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The guide for people who come from Anka says something of each line of document 004, and names tests that there are."""

from __future__ import annotations

import re
import string
from pathlib import Path

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs/docsite/rst/anka_guide.rst").read_text(encoding="utf-8")


def rows() -> list[list[str]]:
    """Return the cells of the last table."""
    table = GUIDE.split(".. list-table::")[-1]
    return [[cell.strip() for cell in re.split(r"\n     -", row)] for row in table.split("\n   * - ")[1:]]


def test_each_line_has_a_row() -> None:
    named = re.findall(r"004-([0-9]+|[a-w])\b", " ".join(row[0] for row in rows()))
    assert sorted(named) == sorted([*map(str, range(1, 21)), *string.ascii_lowercase[: string.ascii_lowercase.index("w") + 1]])


def test_each_row_says_what_shows_it_or_why_it_is_not_here() -> None:
    for there, here, shown in rows()[1:]:
        assert shown or "not here" in here, there


def test_the_tests_that_are_named_are_there() -> None:
    for _there, _here, shown in rows()[1:]:
        for name in re.findall(r"\b(?!unit\b)([a-z_]+)\b(?=,|$)", re.sub(r"\(.*\)|;.*", "", shown)):
            assert (ROOT / "extensions/molecule" / name).is_dir(), name
        for name in re.findall(r"test_\w+\.py", shown):
            assert list((ROOT / "tests/unit").rglob(name)), name
