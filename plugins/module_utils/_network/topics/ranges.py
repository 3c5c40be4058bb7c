# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What holds for each range of addresses."""

from __future__ import annotations

import ipaddress
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LARGEST_RANGE", "order_problems"]

LARGEST_RANGE = 65536  # addresses; source: virSocketAddrGetRange in libvirt


def order_problems(option: str, pair: dict[str, str], *, version: int | None = None) -> Iterator[str]:
    """Say what is wrong with the ends of a range of addresses."""
    missing = [name for name in ("start", "end") if name not in pair]
    if missing:
        yield f"{option}: {missing[0]} is missing; give both ends."
        return
    start, end = (ipaddress.ip_address(pair[name]) for name in ("start", "end"))
    if start.version != end.version or version not in (None, start.version):
        yield f"{option}: {start} to {end} is no range of IPv{version or start.version} addresses; give two of one family."
    elif int(start) > int(end):
        yield f"{option}: start {start} is after end {end}; swap them."
