# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""The one exception of the benchmarks."""

from __future__ import annotations


class BenchmarkError(Exception):
    """A contestant failed, or did something else than it was asked: its time would mean nothing."""
