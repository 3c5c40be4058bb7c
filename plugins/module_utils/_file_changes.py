# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.


"""Files that a plan writes and removes, and what the operator reads of them."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FileChange", "file_diff", "file_steps"]

_WORDS = r"password|secret|psk|private-?key|wep-key|mka-cak|(?<![a-z])pin(?![a-z])"
_SECRET = re.compile(rf"([\w.-]*(?:{_WORDS})[\w.-]*[\"']?\s*[=:]).*$", re.IGNORECASE | re.MULTILINE)
# netplan's names for those of WireGuard and of tunnels
_SECRET_KEY = re.compile(r"^([\s#\w-]*\b(?:key|private|shared):\s).*$", re.MULTILINE)


@dataclass(frozen=True)
class FileChange:
    """A file as it is and as it shall be, None where there is none.

    `private` says that only root may read it.
    """

    path: str
    before: bytes | None
    after: bytes | None
    private: bool = False

    @property
    def mode(self) -> int:
        """The permissions of the file that is written."""
        return 0o600 if self.private else 0o644


def file_steps(files: Sequence[FileChange]) -> list[str]:
    """Return which files are written and removed."""
    return [f"{'remove' if change.after is None else 'write'} {change.path}" for change in files]


def file_diff(change: FileChange) -> dict[str, str]:
    """Return a file before and after, values that look like secrets hidden."""
    return {
        "before_header": change.path if change.before is not None else f"{change.path} (not there)",
        "after_header": change.path if change.after is not None else f"{change.path} (removed)",
        "before": _readable(change.before),
        "after": _readable(change.after),
    }


def _readable(content: bytes | None) -> str:
    text = "" if content is None else content.decode(errors="replace")
    return _SECRET_KEY.sub(r"\1(hidden)", _SECRET.sub(r"\1(hidden)", text))
