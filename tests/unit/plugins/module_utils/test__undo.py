# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What was done is taken back in the other order, and what cannot be is named and keeps nothing else from it."""

from __future__ import annotations

from ansible_collections.kvmops.network.plugins.module_utils._errors import NetworkError
from ansible_collections.kvmops.network.plugins.module_utils._undo import say_put_back, take_back


def test_the_last_thing_goes_first() -> None:
    undone: list[str] = []

    def broken() -> None:
        raise NetworkError("The disk is full.")

    left = take_back([("one", lambda: undone.append("one")), ("two", broken), ("three", lambda: undone.append("three"))])
    assert undone == ["three", "one"]
    assert left == ["two (The disk is full)"]


def test_the_sentence() -> None:
    assert say_put_back([]) == "Everything was put back as it was."
    assert say_put_back(["one (a)", "two (b)"]) == "Not everything could be put back: one (a); two (b)."
