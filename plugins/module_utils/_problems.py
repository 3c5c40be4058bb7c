# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What is wrong with several things of a task, said at once."""

from __future__ import annotations

import typing as t
from contextlib import contextmanager

from ansible_collections.kvmops.network.plugins.module_utils._errors import NetworkError

if t.TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Problems", "say_of"]


class Problems:
    """Errors that are collected, thing by thing, and raised together."""

    def __init__(self, *, alone: bool) -> None:
        """Begin. `alone` says that the task is about one thing only, so that its errors need not name it."""
        self._alone = alone
        self._errors: list[tuple[str, NetworkError]] = []

    @contextmanager
    def of(self, label: str) -> Iterator[None]:
        """Collect the error that ends a with statement about something, such as "The network 'lab'"."""
        try:
            yield
        except NetworkError as error:
            self._errors.append((label, error))

    def raise_any(self) -> None:
        """Raise what was collected, if anything was: the first error's kind, with the sentences of all."""
        if not self._errors:
            return
        first = self._errors[0][1]
        if self._alone:
            raise first
        sentences = dict.fromkeys(say_of(label, str(error)) for label, error in self._errors)
        # what each of the errors lists is listed together
        common = set.intersection(*(set(error.details) for _label, error in self._errors))
        details = {key: [item for _label, error in self._errors for item in error.details[key]] for key in sorted(common)}
        raise type(first)(" ".join(sentences), **details)


def say_of(label: str, sentences: str) -> str:
    """Return the sentences with what they are about, where they do not begin with it."""
    return sentences if sentences.startswith(label) else f"{label}: {sentences}"
