# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What of a network's definition the libvirt of a host is too old for. Nothing here touches a host.

Which version was the first to know something is in elements.py. libvirt drops what it does not know, or says that a document does
not fit its schema.
"""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._format.codecs import Choice
from ansible_collections.kvmops.network.plugins.module_utils._format.tree import Entries, Fields, Group, Value
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import mode_of
from ansible_collections.kvmops.network.plugins.module_utils._network.elements import NETWORK

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    Definition = dict[str, t.Any]
    Need = tuple[str, str, str]  # an option, what it says, and the version that it needs

__all__ = ["find_too_new"]


def find_too_new(definition: Definition, version: str, known: Definition | None = None) -> list[str]:
    """Return what needs a later libvirt than that of the host, a sentence each; both definitions are in normal form.

    What is in the `known` definition already is left out: libvirt keeps it.
    """
    had = set(_needs(known)) if known is not None else set()
    return [
        f"{option}: needs libvirt {since} or later, and the libvirt of this host is {version}; leave it out, or upgrade libvirt."
        for option, value, since in _needs(definition)
        if _number(since) > _number(version) and (option, value, since) not in had
    ]


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _needs(definition: Definition) -> Iterator[Need]:
    yield from _fields_need(NETWORK, definition, "")
    if mode_of(definition) == "open" and "ips" not in definition:
        yield "forward.mode 'open' without an address in ips", "", "10.8.0"
    if mode_of(definition) == "bridge" and "virtualport" not in definition:
        # Source: networkValidate in libvirt
        for scope, holder in [
            ("", definition),
            *((f"portgroups '{one.get('name')}', ", one) for one in definition.get("portgroups", [])),
        ]:
            if "vlan" in holder and "virtualport" not in holder:
                yield f"{scope}vlan on a bridge of the host", str(holder["vlan"]), "11.0.0"


def _fields_need(fields: Fields, data: Definition, where: str) -> Iterator[Need]:
    for field in fields:
        value = data.get(field.option)
        if value is None:
            continue
        name = f"{where}.{field.option}" if where else field.option
        if field.since:
            yield name, str(value), field.since
        if isinstance(field, Value) and isinstance(field.codec, Choice):
            yield from ((f"{name} '{value}'", "", since) for word, since in field.codec.since if word == value)
        elif isinstance(field, Group):
            yield from _fields_need(field.fields, value, name)
        elif isinstance(field, Entries) and not isinstance(field.item, Value):
            for entry in value:
                yield from _fields_need(field.item, entry, name)
