# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Text of interfaces(5), the files of ifupdown: stanzas with their options, in their order. Nothing here reads a file."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import commented

if t.TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Entries", "Stanza", "parse", "render", "stanzas_of"]

Entries = tuple[tuple[str, str], ...]

_WITH_OPTIONS = ("iface", "mapping")
_ALONE = ("auto", "no-auto-down", "no-scripts", "rename", "source", "source-dir", "source-directory", "template")


@dataclass(frozen=True)
class Stanza:
    """One stanza: what its first line begins with, the other words of that line, and the lines below it, which may repeat."""

    keyword: str
    words: tuple[str, ...]
    options: Entries = ()

    @property
    def name(self) -> str:
        """The first word after the keyword: of `iface`, the interface."""
        return self.words[0] if self.words else ""

    @property
    def family(self) -> str:
        """The address family of `iface`, such as inet6."""
        return self.words[1] if len(self.words) > 1 else ""

    @property
    def method(self) -> str:
        """The method of `iface`, such as dhcp."""
        return self.words[2] if len(self.words) > 2 else ""

    def values(self, *keys: str) -> list[str]:
        """Return the values of options in their order; ifupdown takes a hyphen and an underscore for the same."""
        return [value for key, value in self.options if key.replace("_", "-") in keys]

    def last(self, key: str) -> str:
        """Return the last value of an option, "" where there is none."""
        values = self.values(key)
        return values[-1] if values else ""


def parse(text: str) -> tuple[Stanza, ...]:
    """Return the stanzas of a text. What no stanza begins with and stands before the first is left out."""
    stanzas: list[tuple[str, tuple[str, ...], list[tuple[str, str]]]] = []
    for line in _logical_lines(text):
        keyword, *words = line.split()
        if keyword in _WITH_OPTIONS or keyword in _ALONE or keyword.startswith("allow-"):
            stanzas.append((keyword, tuple(words), []))
        elif stanzas and stanzas[-1][0] in _WITH_OPTIONS:
            stanzas[-1][2].append((keyword, line[len(keyword) :].strip()))
    return tuple(Stanza(keyword, words, tuple(options)) for keyword, words, options in stanzas)


def render(stanzas: Iterable[Stanza], *, comment: str = "") -> str:
    """Return the text of stanzas after a comment of one or more lines. A stanza without options stands before the next one."""
    head = commented(comment)
    text = f"{head}\n" if head else ""
    for stanza in stanzas:
        text += " ".join((stanza.keyword, *stanza.words)) + "\n"
        text += "".join(f"\t{key} {value}\n" if value else f"\t{key}\n" for key, value in stanza.options)
        if stanza.keyword in _WITH_OPTIONS:
            text += "\n"
    return text.rstrip("\n") + "\n" if text else ""


def stanzas_of(stanzas: Iterable[Stanza], interface: str) -> tuple[Stanza, ...]:
    """Return the stanzas that configure an interface."""
    return tuple(stanza for stanza in stanzas if stanza.keyword == "iface" and stanza.name == interface)


def _logical_lines(text: str) -> list[str]:
    """Return the lines that say something, those joined that end with a backslash, as ifupdown does it."""
    lines: list[str] = []
    unfinished = ""
    for raw in text.split("\n"):
        if not unfinished and (not raw.strip() or raw.lstrip().startswith("#")):
            continue
        if raw.endswith("\\"):
            unfinished += raw[:-1] + " "
            continue
        line = (unfinished + raw).strip()
        unfinished = ""
        if line:
            lines.append(line)
    return [*lines, unfinished.strip()] if unfinished.strip() else lines
