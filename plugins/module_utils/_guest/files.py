# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The files that configure a guest's network from within. Nothing here touches a host."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SeedChange", "script_path", "seed_path"]


@dataclass(frozen=True)
class SeedChange:
    """The CD-ROM of a guest as it is and as it shall be: files by their names, None where there is none."""

    path: str
    before: Mapping[str, bytes] | None
    after: Mapping[str, bytes]


def script_path(directory: str, name: str) -> str:
    """Return the file of a guest's script."""
    return f"{directory}/{name}-netconfig.sh"


def seed_path(directory: str, name: str) -> str:
    """Return the file of a guest's CD-ROM for cloud-init."""
    return f"{directory}/{name}-cidata.iso"
