# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Whether a NIC's definition fits the schema of the libvirt that is installed on the host."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._format import document
from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import render_xml

if t.TYPE_CHECKING:
    Definition = dict[str, t.Any]

__all__ = ["check_schema"]

# The least guest that has the NIC.
_GUEST = "<domain type='qemu'><name>guest</name><memory>1024</memory><os><type>hvm</type></os><devices>{}</devices></domain>"


def check_schema(before: Definition | None, definition: Definition, version: str) -> None:
    """Refuse a definition that does not fit libvirt's schema, but for what did not fit before either."""
    schema = document.find_schema("domain.rng")
    if schema is None:
        return
    problems = document.schema_problems(_GUEST.format(render_xml(definition)), schema=schema)
    if not problems:
        return
    known = document.schema_problems(_GUEST.format(render_xml(before)), schema=schema) if before is not None else []
    if not known:
        culprits = ", ".join(_find_culprits(definition, schema)) or "; ".join(problems[:3])
        raise InputError(
            f"The NIC does not fit the schema of the libvirt {version} on this host: {culprits}. Correct it, see "
            "https://libvirt.org/formatdomain.html#network-interfaces."
        )


def _find_culprits(definition: Definition, schema: str) -> list[str]:
    """Return which options do not fit, with what they say: libvirt's schema of guests names no more than their devices."""
    place = {option: definition[option] for option in ("type", "source") if option in definition}
    parts = {option: {**place, option: definition[option]} for option in definition if option not in place}
    return [
        f"{option} {definition[option]}"
        for option, part in parts.items()
        if document.schema_problems(_GUEST.format(render_xml(part)), schema=schema)
    ]
