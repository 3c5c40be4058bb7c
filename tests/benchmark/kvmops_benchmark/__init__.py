# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""Benchmarks of the collection. `tests/benchmark/bench` is the command."""
