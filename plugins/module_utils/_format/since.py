# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What of a format the libvirt of a host is too old for: it drops what it does not know, or says that the schema does not fit."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._format.codecs import Choice
from ansible_collections.kvmops.network.plugins.module_utils._format.tree import Entries, Fields, Group, Value

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Data = dict[str, t.Any]
    Need = tuple[str, str, str]  # an option, what it says, and the version that it needs

__all__ = ["needs_of", "too_new", "version_number"]


def version_number(version: str) -> tuple[int, ...]:
    """Return a version like "9.0.0" as numbers that can be compared."""
    return tuple(int(part) for part in version.split("."))


def too_new(needs: Iterable[Need], version: str) -> list[str]:
    """Return those of the needs that a version does not fulfil, a sentence each."""
    return [
        f"{option}: needs libvirt {since} or later, and the libvirt of this host is {version}; leave it out, or upgrade libvirt."
        for option, _value, since in needs
        if version_number(since) > version_number(version)
    ]


def needs_of(fields: Fields, data: Data, where: str = "") -> Iterator[Need]:
    """List what of the data needs a version: the fields and words that are marked with `since`."""
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
            yield from needs_of(field.fields, value, name)
        elif isinstance(field, Entries) and not isinstance(field.item, Value):
            for entry in value:
                yield from needs_of(field.item, entry, name)
