# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What is wrong with several networks of a task, said at once."""

from __future__ import annotations

import typing as t
from contextlib import contextmanager

from ansible_collections.kvmops.network.plugins.module_utils._errors import NetworkError

if t.TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Problems", "name_in"]


class Problems:
    """Errors that are collected, network by network, and raised together."""

    def __init__(self, *, alone: bool) -> None:
        """Begin. `alone` says that the task is about one network only, so that its errors need not name it."""
        self._alone = alone
        self._errors: list[tuple[str, NetworkError]] = []

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Collect the error that ends a with statement."""
        try:
            yield
        except NetworkError as error:
            self._errors.append((name, error))

    def raise_any(self) -> None:
        """Raise what was collected, if anything was: the first error's kind, with the sentences of all."""
        if not self._errors:
            return
        first = self._errors[0][1]
        if self._alone:
            raise first
        sentences = dict.fromkeys(name_in(name, str(error)) for name, error in self._errors)
        details = {}
        if all("overlaps" in error.details for _name, error in self._errors):
            details["overlaps"] = [sentence for _name, error in self._errors for sentence in error.details["overlaps"]]
        raise type(first)(" ".join(sentences), **details)


def name_in(name: str, sentences: str) -> str:
    """Return the sentences with the network that they are about, where they do not begin with it."""
    start = f"The network '{name}'"
    return sentences if sentences.startswith(start) else f"{start}: {sentences}"
