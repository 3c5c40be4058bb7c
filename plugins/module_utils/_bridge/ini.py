# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Texts of sections and keys, as systemd-networkd and NetworkManager have them: parsed into values, and rendered."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import commented

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Entries", "Section", "first", "merged", "parse", "render", "without"]

Entries = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Section:
    """One section. Its keys may repeat, and their order says what overrides what."""

    name: str
    entries: Entries = ()

    def values(self, key: str) -> list[str]:
        """Return the values of a key in their order."""
        return [value for name, value in self.entries if name == key]

    def last(self, key: str) -> str:
        """Return the last value of a key, which is the one in force, "" where there is none."""
        values = self.values(key)
        return values[-1] if values else ""

    def dropping(self, *keys: str) -> Section:
        """Return the section without the entries of some keys."""
        return self.keeping(lambda key, _value: key not in keys)

    def keeping(self, wanted: Callable[[str, str], bool]) -> Section:
        """Return the section with the entries of which `wanted(key, value)` is true."""
        return Section(self.name, tuple(entry for entry in self.entries if wanted(*entry)))

    def adding(self, *entries: tuple[str, str]) -> Section:
        """Return the section with more entries at its end."""
        return Section(self.name, (*self.entries, *entries))


def parse(text: str) -> tuple[Section, ...]:
    """Return the sections in their order; comments, and what stands before the first section, are dropped.

    A line that ends with a backslash goes on in the next one, as in systemd's files.
    """
    sections: list[tuple[str, list[tuple[str, str]]]] = []
    for line in _logical_lines(text):
        if line.startswith("[") and line.endswith("]"):
            sections.append((line[1:-1], []))
        elif sections and "=" in line:
            key, _equals, value = line.partition("=")
            sections[-1][1].append((key.strip(), value.strip()))
    return tuple(Section(name, tuple(entries)) for name, entries in sections)


def render(sections: Iterable[Section], *, comment: str = "") -> str:
    """Return the text of sections, those without entries left out, after a comment of one or more lines."""
    head = commented(comment)
    blocks = [
        f"[{section.name}]\n" + "".join(f"{key}={value}\n" for key, value in section.entries)
        for section in sections
        if section.entries
    ]
    return "\n".join([head, *blocks] if head else blocks)


def first(sections: Iterable[Section], name: str) -> Section:
    """Return the entries of all sections of a name as one section, an empty one where there is none."""
    return Section(name, tuple(entry for section in sections if section.name == name for entry in section.entries))


def without(sections: Iterable[Section], *names: str) -> tuple[Section, ...]:
    """Return the sections that have none of these names."""
    return tuple(section for section in sections if section.name not in names)


def merged(sections: Iterable[Section], extra: Section) -> tuple[Section, ...]:
    """Return the sections with the entries added to the last one of that name, which is made where there is none."""
    found = list(sections)
    for at in reversed(range(len(found))):
        if found[at].name == extra.name:
            found[at] = found[at].adding(*extra.entries)
            return tuple(found)
    return (*found, extra)


def _logical_lines(text: str) -> list[str]:
    lines: list[str] = []
    unfinished = ""
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith(("#", ";")) or (not line and not unfinished):
            continue
        if line.endswith("\\"):
            unfinished += line[:-1].rstrip() + " "
            continue
        lines.append((unfinished + line).strip())
        unfinished = ""
    return [*lines, unfinished.strip()] if unfinished.strip() else lines
