# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""From the description of an XML format to the options of a module that takes it."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._format.codecs import Choice
from ansible_collections.kvmops.network.plugins.module_utils._format.tree import Entries, Field, Fields, Fragments, Group, Value

if t.TYPE_CHECKING:
    from collections.abc import Collection

    Spec = dict[str, t.Any]

__all__ = ["argument_spec"]


def argument_spec(fields: Fields, *, leave_out: Collection[str] = (), where: str = "") -> Spec:
    """Return the options of the fields as an argument spec of Ansible. `leave_out` are paths such as "ips.family"."""
    spec: Spec = {}
    for field in fields:
        path = f"{where}.{field.option}" if where else field.option
        if path not in leave_out:
            spec[field.option] = _option(field, leave_out, path)
    return spec


def _option(field: Field, leave_out: Collection[str], path: str) -> Spec:
    if isinstance(field, Group):
        return {"type": "dict", "options": argument_spec(field.fields, leave_out=leave_out, where=path)}
    if isinstance(field, Fragments):
        return {"type": "list", "elements": "str"}
    required: Spec = {"required": True} if field.required else {}
    if isinstance(field, Value):
        choices: Spec = {"choices": list(field.codec.words)} if isinstance(field.codec, Choice) else {}
        return {"type": field.codec.option_type, **choices, **required}
    return {"type": "list", **_elements(field, leave_out, path), **required}


def _elements(field: Entries, leave_out: Collection[str], path: str) -> Spec:
    if isinstance(field.item, Value):
        return {"elements": field.item.codec.option_type}
    return {"elements": "dict", "options": argument_spec(field.item, leave_out=leave_out, where=path)}
