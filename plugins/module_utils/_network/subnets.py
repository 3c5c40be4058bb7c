# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Which subnets meet which. Nothing here touches a host."""

from __future__ import annotations

import bisect
import ipaddress
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    Subnet = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

__all__ = ["Occupancy", "Occupied", "contains", "find_overlaps", "read_allowed"]


@dataclass(frozen=True)
class Occupied:
    """A subnet that something on the host holds already.

    `owner` says in words what it is ("the address 10.0.0.5/24 of eth0"). `network` is the name of the virtual network that it
    belongs to, if any. A `wide` one only contains others, as a VPN's route to 10.0.0.0/8 does: more specific subnets inside it
    work.
    """

    subnet: Subnet
    owner: str
    network: str | None = None
    wide: bool = False


class Occupancy:
    """Subnets that something holds, to be asked which of them meet a given one.

    Two subnets are disjoint, or one lies in the other. What contains a subnet is found by trying each length of a prefix, what
    lies in it by its place in a sorted list, so that each question takes about the same time however many subnets are held.
    """

    def __init__(self, held: Iterable[Occupied]) -> None:
        """Sort what is held."""
        self._held: dict[Subnet, list[Occupied]] = {}
        self._sorted: list[tuple[int, int, int]] = []
        self._lengths: set[tuple[int, int]] = set()
        for occupied in held:
            self.add(occupied)

    def add(self, occupied: Occupied) -> None:
        """Take in one more."""
        subnet = occupied.subnet
        if subnet not in self._held:
            bisect.insort(self._sorted, _place(subnet))
            self._lengths.add((subnet.version, subnet.prefixlen))
        self._held.setdefault(subnet, []).append(occupied)

    def meeting(self, subnet: Subnet) -> list[Occupied]:
        """Return what overlaps with a subnet, the largest and first of it first."""
        found = [
            supernet
            for version, length in sorted(self._lengths)
            if version == subnet.version and length < subnet.prefixlen
            for supernet in [subnet.supernet(new_prefix=length)]
            if supernet in self._held
        ]
        first = bisect.bisect_left(self._sorted, _place(subnet))
        last = bisect.bisect_right(self._sorted, (subnet.version, int(subnet.broadcast_address), subnet.max_prefixlen))
        found += [_subnet_at(*place) for place in self._sorted[first:last]]
        return [occupied for subnet in found for occupied in self._held[subnet]]


def _place(subnet: Subnet) -> tuple[int, int, int]:
    return subnet.version, int(subnet.network_address), subnet.prefixlen


def _subnet_at(version: int, address: int, length: int) -> Subnet:
    return ipaddress.IPv4Network((address, length)) if version == 4 else ipaddress.IPv6Network((address, length))


def find_overlaps(
    wanted: Iterable[Subnet],
    occupancy: Occupancy,
    *,
    own: str,
    allowed_networks: set[str],
    allowed_subnets: list[Subnet],
) -> tuple[list[str], list[str]]:
    """Return what overlaps, as sentences: what has to be refused, and what deserves a warning. `own` names the network itself."""
    refused: list[str] = []
    warned: list[str] = []
    for subnet in wanted:
        for other in occupancy.meeting(subnet):
            if other.network == own or other.network in allowed_networks:
                continue
            if any(contains(allowed, other.subnet) for allowed in allowed_subnets):
                continue
            if other.wide and other.subnet.prefixlen < subnet.prefixlen:
                warned.append(f"The subnet {subnet} lies inside {other.owner}: what it would lead to there is no longer reached.")
            else:
                refused.append(
                    f"The subnet {subnet} overlaps with {other.owner}. Choose another subnet, or add "
                    f"'{other.network or other.subnet}' to allow_overlap if the two are never in use together."
                )
    return list(dict.fromkeys(refused)), list(dict.fromkeys(warned))


def contains(outer: Subnet, inner: Subnet) -> bool:
    """Say whether a subnet lies in another one or is the same; never if they are of two families."""
    return outer.version == inner.version and inner.subnet_of(outer)  # type: ignore[arg-type]  # versions are equal


def read_allowed(entries: Iterable[str]) -> tuple[set[str], list[Subnet]]:
    """Split what a task allows to overlap into names of networks and subnets."""
    names: set[str] = set()
    subnets: list[Subnet] = []
    for entry in entries:
        try:
            subnets.append(ipaddress.ip_network(entry, strict=False))
        except ValueError:
            names.add(entry)
    return names, subnets
