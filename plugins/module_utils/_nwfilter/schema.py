# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Whether a filter fits the schema of the libvirt that is installed on the host."""

from __future__ import annotations

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._format import document

__all__ = ["check_schema"]


def check_schema(texts: list[str], version: str) -> None:
    """Refuse documents that do not fit libvirt's schema."""
    schema = document.find_schema("nwfilter.rng")
    if schema is None:
        return
    for text in texts:
        problems = document.schema_problems(text, schema=schema)
        if problems:
            raise InputError(
                f"The filter does not fit the schema of the libvirt {version} on this host: {'; '.join(problems[:3])}. Correct "
                "it, see https://libvirt.org/formatnwfilter.html."
            )
