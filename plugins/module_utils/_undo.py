# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Taking back what was done before a step failed. Nothing here touches a host by itself."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._errors import NetworkError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Undo = tuple[str, Callable[[], None]]

__all__ = ["say_put_back", "take_back"]


def take_back(done: Sequence[Undo]) -> list[str]:
    """Undo what was done, the last thing first; each has a label. Return what could not be undone, and why."""
    left = []
    for label, undo in reversed(done):
        try:
            undo()
        except NetworkError as error:
            left.append(f"{label} ({error.reason})")
    return left


def say_put_back(left: Sequence[str]) -> str:
    """Return the sentence about what could not be put back; there may be nothing."""
    return f"Not everything could be put back: {'; '.join(left)}." if left else "Everything was put back as it was."
