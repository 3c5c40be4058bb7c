# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The guide to verify has each kind of finding, and no other."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.findings import About

GUIDE = Path(__file__).parents[3] / "docs/docsite/rst/verify_guide.rst"


def test_each_kind_of_finding_is_in_the_table() -> None:
    table = GUIDE.read_text(encoding="utf-8").partition("What is found\n")[2].partition("How the firewall is judged")[0]
    words = [word for row in re.findall(r"^    \* - (``.*)$", table, re.MULTILINE) for word in re.findall("``([a-z_]+)``", row)]
    assert sorted(words) == sorted(t.get_args(About))


def test_other_parts_name_no_kind_that_there_is_not() -> None:
    rest = GUIDE.read_text(encoding="utf-8").partition("Troubleshooting step by step")[2].partition("In a pipeline")[0]
    words = set(re.findall("``([a-z]+_[a-z_]+)``", rest)) - {"verify_outside"}
    assert words <= set(t.get_args(About))
    assert len(words) > 10
