# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What can go wrong, each with an honest meaning.

NetworkError
├── InputError        the task asks for something that cannot be; nothing was changed; the task has to be corrected
├── RefusedError      what the task asks for would do harm here and now; nothing was changed
├── RequirementError  something that the module needs on the host is missing or does not answer; nothing was changed
└── ApplyError        a step failed after the changes had begun; the message says what was put back
"""

from __future__ import annotations

import typing as t

__all__ = ["ApplyError", "InputError", "NetworkError", "RefusedError", "RequirementError"]


class NetworkError(Exception):
    """An error of this collection, its message a full sentence for the operator.

    `details` are keys that a failed task returns beside the message, for playbooks to look at.
    """

    def __init__(self, message: str, **details: t.Any) -> None:
        super().__init__(message)
        self.details = details

    @property
    def reason(self) -> str:
        """The message on one line and without the full stop, to be a part of another sentence."""
        return " ".join(str(self).split()).rstrip(".")


class InputError(NetworkError, ValueError):
    """The task asks for something that cannot be. Nothing was changed."""


class RefusedError(NetworkError):
    """What the task asks for would do harm on this host as it is now. Nothing was changed."""


class RequirementError(NetworkError):
    """Something that the module needs on the host is missing or does not answer. Nothing was changed."""


class ApplyError(NetworkError):
    """A step failed after changes had begun. The message says what was put back."""
