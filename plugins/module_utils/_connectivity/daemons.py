# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Which of libvirt's daemons is responsible on a host: one for all, or one for each kind of thing. Nothing here touches a host.

Reference: https://libvirt.org/daemons.html.
"""

from __future__ import annotations

import re
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["UNITS", "Unit", "daemon_named_in", "daemon_of_networks", "daemons_in_charge", "is_up"]

_WHOLE = ("libvirtd",)
_SPLIT = ("virtqemud", "virtnetworkd")  # there are more, for which this collection has no use
_SOCKET = re.compile(r"/(virt[a-z]+d)-sock")
UNITS = tuple(f"{name}.{kind}" for name in (*_WHOLE, *_SPLIT) for kind in ("service", "socket"))


class Unit(t.NamedTuple):
    """A unit in systemd's words: LoadState ("masked" or another), ActiveState and UnitFileState ("enabled" or another)."""

    load: str
    active: str
    enabled: str = ""


def daemon_named_in(message: str) -> str | None:
    """Return which of the split daemons libvirt could not reach, from its message, None where it was not one of them."""
    found = _SOCKET.search(message)
    return found[1] if found else None


def daemons_in_charge(units: Mapping[str, Unit]) -> tuple[str, ...]:
    """Return the daemons that manage guests and networks, from the units that are there.

    A host may have the files of both. Then those count that are up, else those that are enabled, else those that are allowed to
    run; where that tells nothing, the split ones, to which libvirt's own clients turn first.
    """
    for claim in (is_up, _is_enabled, _is_allowed, _is_there):
        by_one, by_many = any(claim(units, name) for name in _WHOLE), any(claim(units, name) for name in _SPLIT)
        if by_one != by_many:
            return _WHOLE if by_one else _SPLIT
    return _SPLIT if units else _WHOLE


def daemon_of_networks(units: Mapping[str, Unit]) -> str:
    """Return the name of the daemon that manages networks."""
    return daemons_in_charge(units)[-1]


def is_up(units: Mapping[str, Unit], name: str) -> bool:
    """Say whether a daemon runs, or its socket starts it when it is asked: without work it ends after two minutes."""
    return any(unit.active == "active" for unit in _units_of(units, name))


def _is_enabled(units: Mapping[str, Unit], name: str) -> bool:
    return any(unit.enabled.startswith("enabled") for unit in _units_of(units, name))


def _is_allowed(units: Mapping[str, Unit], name: str) -> bool:
    return any(unit.load != "masked" for unit in _units_of(units, name))


def _is_there(units: Mapping[str, Unit], name: str) -> bool:
    return bool(_units_of(units, name))


def _units_of(units: Mapping[str, Unit], name: str) -> list[Unit]:
    return [units[unit] for unit in (f"{name}.service", f"{name}.socket") if unit in units]
