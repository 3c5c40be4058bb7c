# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The guide to guests' NICs shows the table that is held against libvirt."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.kvmops.network.tests.unit.plugins.support.nic_table import render

GUIDE = Path(__file__).parents[3] / "docs/docsite/rst/guest_nics_guide.rst"


def test_the_guide_shows_the_table() -> None:
    assert render() in GUIDE.read_text(encoding="utf-8")
