# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""The benchmarks are a program of their own, not part of the collection: its folder and the lab's have to be on the path."""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "benchmark"), str(TESTS / "lab")]

if sys.version_info < (3, 11):  # they run on the machine of a developer, not on a managed host
    collect_ignore_glob = ["test_*.py"]
