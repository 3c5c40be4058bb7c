# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""The answers as a table, and where they differ from what is promised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from .promises import PROMISED, TYPES, Answers

_TITLES = {
    "guest_to_host": "guest -> host",
    "host_to_guest": "host -> guest",
    "guest_to_outside": "guest -> outside",
    "lan_to_guest": "LAN -> guest",
    "guest_to_guest": "guest <-> guest",
    "dhcp": "DHCP from",
}
_WORDS = {True: "yes", False: "no"}


def as_text(rows: Mapping[str, Answers]) -> str:
    """Return the rows as aligned text, in the order of the document."""
    lines = [["type", "network", *_TITLES.values()]]
    for key, kind in TYPES.items():
        if key in rows:
            cells = asdict(rows[key])
            lines.append([kind.title, kind.network, *(_WORDS.get(cells[column], cells[column]) for column in _TITLES)])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)


def differences(rows: Mapping[str, Answers]) -> list[str]:
    """Return what is not as promised, a sentence each."""
    found = []
    for key, answers in rows.items():
        measured, promised = asdict(answers), asdict(PROMISED[key])
        found += [
            f"{TYPES[key].title}: {title} is {_WORDS.get(measured[column], measured[column])}, "
            f"promised is {_WORDS.get(promised[column], promised[column])}"
            for column, title in _TITLES.items()
            if measured[column] != promised[column]
        ]
    return found
