# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The bridges that were made on this host, as they are remembered on its disk, and files that somebody asks for."""

from __future__ import annotations

import glob
import os
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import FOLDER, Record
from ansible_collections.kvmops.network.plugins.module_utils._errors import RequirementError

if t.TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["read_files", "read_records"]


def read_records(folder: str = FOLDER) -> dict[str, Record]:
    """Return what is remembered, by the names of the bridges. Raises RequirementError for a file that cannot be read."""
    records = {}
    for path in sorted(glob.glob(f"{folder}/*.json")):
        content = read_files([path])[path]
        if content is not None:
            record = Record.from_text(content.decode(errors="replace"), path=path)
            records[record.name] = record
    return records


def read_files(paths: Iterable[str]) -> dict[str, bytes | None]:
    """Return the content of files, None where there is none. Raises RequirementError for what is no file or not to be read."""
    return {path: _read_file(path) for path in paths}


def _read_file(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RequirementError(
            f"{os.path.abspath(path)} cannot be read: {error.strerror}. Run the task as root (become: true)."
        ) from None
