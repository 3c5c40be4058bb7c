# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Whether a definition fits the schema of the libvirt that is installed on the host."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._format import document
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import render_xml

if t.TYPE_CHECKING:
    Definition = dict[str, t.Any]

__all__ = ["check_schema"]


def check_schema(xml: str | None, stored: Definition | None, definition: Definition, version: str) -> bool:
    """Refuse a definition that does not fit libvirt's schema; `xml` is the document that the task gives, if it gives one.

    What did not fit in the stored definition either is no reason to refuse a change to something else in it. Return whether
    libvirt shall validate the definition itself.
    """
    schema = document.find_schema("network.rng")
    if schema is None:
        return True
    known = document.schema_problems(render_xml(stored), schema=schema) if stored is not None else []
    texts = [xml, render_xml(definition)] if xml is not None else [render_xml(definition)]
    for text in texts:
        problems = [problem for problem in document.schema_problems(text, schema=schema) if problem not in known]
        if problems:
            raise InputError(
                f"The definition does not fit the schema of the libvirt {version} on this host: {'; '.join(problems[:3])}. "
                "Correct it, see https://libvirt.org/formatnetwork.html."
            )
    return not known
