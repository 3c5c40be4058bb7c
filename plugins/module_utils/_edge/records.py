# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The bridges that were made on this host, as they are remembered on its disk."""

from __future__ import annotations

import glob

from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import FOLDER, Record
from ansible_collections.kvmops.network.plugins.module_utils._edge.files import read_files

__all__ = ["read_records"]


def read_records(folder: str = FOLDER) -> dict[str, Record]:
    """Return what is remembered, by the names of the bridges. Raises RequirementError for a file that cannot be read."""
    records = {}
    for path in sorted(glob.glob(f"{folder}/*.json")):
        content = read_files([path])[path]
        if content is not None:
            record = Record.from_text(content.decode(errors="replace"), path=path)
            records[record.name] = record
    return records
