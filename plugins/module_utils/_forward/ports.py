# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Ports, one or a range of them, and who has them on the host. Nothing here touches a host."""

from __future__ import annotations

import ipaddress
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Listener", "Ports", "addresses_meet", "bracketed", "first_free", "in_words"]

_HIGHEST = 65535
_TEXT = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", re.ASCII)


@dataclass(frozen=True, order=True)
class Ports:
    """The ports from `first` to `last`, both included."""

    first: int
    last: int

    @classmethod
    def from_option(cls, option: str, text: str) -> Ports:
        """Return what an option says. Raises InputError where that is no port and no range of ports."""
        found = _TEXT.fullmatch(text)
        if found is None:
            raise InputError(f"{option}: '{text}' is no port; write a number such as 8080, or a range such as 8000-8010.")
        first, last = int(found[1]), int(found[2] or found[1])
        for port in (first, last):
            if not 1 <= port <= _HIGHEST:
                raise InputError(f"{option}: there is no port {port}; ports are 1 to {_HIGHEST}.")
        if first > last:
            raise InputError(f"{option}: '{text}' ends before it begins; write {last}-{first}.")
        return cls(first, last)

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"

    def __len__(self) -> int:
        return self.last - self.first + 1

    def meets(self, other: Ports) -> bool:
        """Say whether there is a port in both."""
        return self.first <= other.last and other.first <= self.last

    def pairs(self, others: Ports) -> list[tuple[int, int]]:
        """Return each port with the one that has its place in a range of the same length."""
        return list(zip(range(self.first, self.last + 1), range(others.first, others.last + 1)))


@dataclass(frozen=True)
class Listener:
    """A process that has a port of the host. `addresses` are those on which it has it: 0.0.0.0 and :: stand for any."""

    protocol: str
    addresses: tuple[str, ...]
    port: int
    process: str

    def has(self, protocols: Sequence[str], address: str, ports: Ports, version: int) -> bool:
        """Say whether it has one of the ports on an address, "" for any one of this version of IP."""
        return (
            self.protocol in protocols
            and ports.first <= self.port <= ports.last
            and any(addresses_meet(each, address or _any(version)) for each in self.addresses)
        )


def addresses_meet(one: str, other: str) -> bool:
    """Say whether what is sent to one address could be meant by the other: they are the same, or one is any."""
    first, second = ipaddress.ip_address(one), ipaddress.ip_address(other)
    return first.version == second.version and (first == second or first.is_unspecified or second.is_unspecified)


def bracketed(address: str) -> str:
    """Return an address as it stands before a colon and a port."""
    return f"[{address}]" if ":" in address else address


def _any(version: int) -> str:
    return "0.0.0.0" if version == 4 else "::"


def first_free(candidates: Ports, count: int, taken: t.Callable[[Ports], bool]) -> Ports | None:
    """Return the first ports that follow each other and that nobody has, None if there are none."""
    for first in range(candidates.first, candidates.last - count + 2):
        ports = Ports(first, first + count - 1)
        if not taken(ports):
            return ports
    return None


def in_words(protocols: Iterable[str], address: str, ports: Ports) -> str:
    """Return ports of the host as an operator reads them, such as "203.0.113.4 tcp 8080"."""
    return f"{address or '*'} {'+'.join(protocols)} {ports}"
