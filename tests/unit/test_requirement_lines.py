# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""Every line of tests/REQUIREMENTS.md is named by a test, and tests name no others."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SUFFIXES = {".py", ".yml"}
_LINE = r"(?:[0-9]{3}-(?:[0-9]+|[a-w])|P[0-9]+)\b"


def promised_lines() -> set[str]:
    return set(re.findall(rf"^- ({_LINE}) ", (ROOT / "tests/REQUIREMENTS.md").read_text(), re.MULTILINE))


def named_lines() -> set[str]:
    named: set[str] = set()
    for folder in ("tests", "extensions"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in SUFFIXES and path != Path(__file__).resolve():
                for comment in re.findall(rf"# seed ({_LINE}(?:, {_LINE})*)", path.read_text()):
                    named.update(re.findall(_LINE, comment))
    return named


def test_each_promise_is_named_by_a_test() -> None:
    promised = promised_lines()
    assert len(promised) >= 64
    assert promised - named_lines() == set()


def test_no_test_names_a_promise_that_nobody_made() -> None:
    assert named_lines() - promised_lines() == set()
