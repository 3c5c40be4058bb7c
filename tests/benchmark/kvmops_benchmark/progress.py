# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""A line now and then for who waits."""

from __future__ import annotations


def say(what: str) -> None:
    print(f"bench: {what}", flush=True)
