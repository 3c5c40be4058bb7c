# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Sizes of memory and of disks, as people write them. Nothing here touches a host."""

from __future__ import annotations

import re

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError

__all__ = ["GIB", "KIB", "MIB", "read_size", "size_text"]

KIB, MIB, GIB, TIB = 2**10, 2**20, 2**30, 2**40
_UNITS = {"k": KIB, "m": MIB, "g": GIB, "t": TIB}
_SIZE = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,3}))? ?(?:([KMGT])(?:iB|B)?)?", re.ASCII | re.IGNORECASE)
_MOST = 2**60


def read_size(option: str, text: str, *, unit: int, least: int) -> int:
    """Return a size in bytes. `unit` is what a number alone is counted in. Raises InputError if it cannot be."""
    example = "2048 or 2GiB" if unit == MIB else "10 or 10GiB"
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise InputError(f"{option}: {text!r} is no size; give one such as {example}.")
    whole, part, letter = found.groups()
    factor = _UNITS[letter.lower()] if letter else unit
    size = int(whole) * factor + (int(part) * factor // 10 ** len(part) if part else 0)
    if size < least:
        raise InputError(f"{option}: {text!r} is less than {size_text(least)}, the least that makes sense; give more.")
    if size > _MOST:
        raise InputError(f"{option}: {text!r} is more than any machine has; give a size such as {example}.")
    return size


def size_text(size: int) -> str:
    """Return a size in the largest unit in which it is a whole number."""
    for letter in "TGMK":
        factor = _UNITS[letter.lower()]
        if size and size % factor == 0:
            return f"{size // factor} {letter}iB"
    return f"{size} bytes"
