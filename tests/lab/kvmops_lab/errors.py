# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""The one exception of the lab."""

from __future__ import annotations


class LabError(Exception):
    """Something the lab cannot do: a full sentence that says what, why and, where there is one, the cure."""
