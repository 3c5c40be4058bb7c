# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Subnets that a task leaves to us: a free one of a pool. Nothing here touches a host.

The choice is recorded by the network itself: an address of it that lies in the pool is kept; where there are several, the
network's metadata say which is whose. Within an entry with a pool, all addresses are said by their place in the subnet, as
0.0.0.100 and ::100 are.
"""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import subnet_of
from ansible_collections.kvmops.network.plugins.module_utils._network.mark import read_order
from ansible_collections.kvmops.network.plugins.module_utils._network.subnets import contains

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._network.definition import Subnet
    from ansible_collections.kvmops.network.plugins.module_utils._network.subnets import Occupancy

    Definition = dict[str, t.Any]

__all__ = ["Choice", "Wish", "choose_subnet", "place_entry", "read_wish", "recorded_choices"]


@dataclass(frozen=True)
class Wish:
    """A subnet of one of the pools. `prefix` None: one of the pools itself, whole."""

    label: str
    pools: tuple[Subnet, ...]
    prefix: int | None

    def fits(self, subnet: Subnet) -> bool:
        """Say whether this subnet could have been chosen."""
        if self.prefix is None:
            return subnet in self.pools
        return subnet.prefixlen == self.prefix and any(contains(pool, subnet) for pool in self.pools)

    def trial(self) -> Choice:
        """Return a subnet of the right size, to check with it what can be checked before the choice."""
        return _first_place(_subnet_at(self.pools[0], int(self.pools[0].network_address), self.prefix))


class Choice(t.NamedTuple):
    """A subnet, and the place in it of the host's address."""

    subnet: Subnet
    place: int


def _first_place(subnet: Subnet) -> Choice:
    """Return a subnet with the host's address where nobody says another one: its first that is not the subnet's own."""
    return Choice(subnet, min(1, subnet.num_addresses - 1))


def read_wish(entry: t.Mapping[str, t.Any], label: str) -> Wish:
    """Return the wish of an entry of `ips` with a `pool`, as a task gives it. Raises InputError if it cannot be."""
    if entry.get("netmask") is not None:
        raise InputError(f"{label}.netmask: given beside {label}.pool; say the size of the subnet with {label}.prefix.")
    pools = []
    for text in entry["pool"]:
        try:
            pools.append(ipaddress.ip_network(text))
        except ValueError:
            raise InputError(
                f"{label}.pool: '{text}' is not a subnet; give one such as 192.168.0.0/16 or fd00:100::/48."
            ) from None
    if not pools:
        raise InputError(f"{label}.pool: is empty; give a subnet at least, such as 192.168.0.0/16.")
    if len({pool.version for pool in pools}) > 1:
        raise InputError(f"{label}.pool: holds IPv4 and IPv6 subnets; make it two entries, each with a pool of its own.")
    prefix = entry.get("prefix")
    for pool in pools:
        if prefix is not None and not pool.prefixlen <= prefix <= pool.max_prefixlen:
            raise InputError(
                f"{label}.prefix: no subnet with the prefix {prefix} lies in {pool}; choose one from {pool.prefixlen} to "
                f"{pool.max_prefixlen}, or another pool."
            )
    return Wish(label=label, pools=tuple(pools), prefix=prefix)


def recorded_choices(
    wishes: t.Mapping[int, Wish], definition: Definition | None, *, taken: t.Container[str]
) -> dict[int, Choice]:
    """Return the choices that a network records, by the numbers of the wishes.

    `taken` are addresses of it that have been spoken for. Each wish gets the subnet that it had; beyond that, as many wishes as
    can be get one that fits (Kuhn's algorithm for matchings).
    """
    subnets = {subnet_of(entry): entry["address"] for entry in (definition or {}).get("ips", []) if entry["address"] not in taken}
    earlier = dict(zip(wishes, read_order(definition or {})))
    owners: dict[Subnet, int] = {}

    def settle(number: int, tried: set[Subnet]) -> bool:
        fitting = [subnet for subnet in subnets if wishes[number].fits(subnet) and subnet not in tried]
        for subnet in sorted(fitting, key=lambda subnet: (str(subnet) != earlier.get(number), subnet in owners)):
            tried.add(subnet)
            if subnet not in owners or settle(owners[subnet], tried):
                owners[subnet] = number
                return True
        return False

    for number in wishes:
        settle(number, set())
    return {
        number: Choice(subnet, int(ipaddress.ip_address(subnets[subnet])) - int(subnet.network_address))
        for subnet, number in owners.items()
    }


def choose_subnet(wish: Wish, occupancy: Occupancy, *, own: str) -> Choice:
    """Return the first free subnet of the pools, and its first address for the host. `own` names the network that it is for.

    One that lies in a wider route of the host is taken only if there is no other. Raises RefusedError if none is free.
    """
    for tolerant in (False, True):
        for pool in wish.pools:
            found = _first_free(pool, wish.prefix, occupancy, own, tolerant=tolerant)
            if found is not None:
                return _first_place(found)
    what = "" if wish.prefix is None else f" with the prefix {wish.prefix}"
    names = ", ".join(str(pool) for pool in wish.pools)
    raise RefusedError(f"{wish.label}.pool: no subnet{what} of {names} is free on this host; add another subnet to the pool.")


def _first_free(pool: Subnet, prefix: int | None, occupancy: Occupancy, own: str, *, tolerant: bool) -> Subnet | None:
    start, end = int(pool.network_address), int(pool.broadcast_address)
    while start <= end:
        candidate = _subnet_at(pool, start, prefix)
        in_the_way = [
            int(other.subnet.broadcast_address)
            for other in occupancy.meeting(candidate)
            if other.network != own and not (tolerant and other.wide and other.subnet.prefixlen < candidate.prefixlen)
        ]
        if not in_the_way:
            return candidate
        # none before the end of what is in the way, and subnets begin at multiples of their size
        start += -((start - max(in_the_way) - 1) // candidate.num_addresses) * candidate.num_addresses
    return None


def _subnet_at(pool: Subnet, address: int, prefix: int | None) -> Subnet:
    """Return the subnet of a pool that begins at an address, as long as the pool where no prefix is wished for."""
    length = pool.prefixlen if prefix is None else prefix
    return ipaddress.IPv4Network((address, length)) if pool.version == 4 else ipaddress.IPv6Network((address, length))


def place_entry(entry: t.Mapping[str, t.Any], label: str, choice: Choice) -> dict[str, t.Any]:
    """Return an entry of `ips`, whose addresses are places in a subnet, with the addresses that they are in the chosen one.

    Raises InputError for what is no place in it. Where the entry says no `address`, that of the choice is taken.
    """
    subnet, place = choice
    address = entry.get("address")
    placed = {
        **{option: value for option, value in entry.items() if option != "pool"},
        "address": str(subnet[place]) if address is None else _placed(address, f"{label}.address", subnet),
        "prefix": subnet.prefixlen,
    }
    dhcp = entry.get("dhcp")
    if dhcp is not None:
        placed["dhcp"] = {
            **dhcp,
            "ranges": _place_all(dhcp.get("ranges"), ("start", "end"), f"{label}.dhcp.ranges", subnet),
            "hosts": _place_all(dhcp.get("hosts"), ("ip",), f"{label}.dhcp.hosts", subnet),
        }
    return placed


def _place_all(
    entries: list[dict[str, t.Any]] | None, options: tuple[str, ...], label: str, subnet: Subnet
) -> list[dict[str, t.Any]] | None:
    if entries is None:
        return None
    return [
        {
            option: _placed(value, f"{label}[{number}].{option}", subnet) if option in options and value is not None else value
            for option, value in entry.items()
        }
        for number, entry in enumerate(entries)
    ]


def _placed(text: str, label: str, subnet: Subnet) -> str:
    try:
        place = ipaddress.ip_address(text)
    except ValueError:
        place = None
    if place is None or place.version != subnet.version or int(place) >= subnet.num_addresses:
        example = "0.0.0.100" if subnet.version == 4 else "::100"
        raise InputError(
            f"{label}: '{text}' is no place in a subnet with the prefix {subnet.prefixlen}; beside pool, say addresses by their "
            f"place in the subnet that is chosen, such as {example}."
        )
    return str(subnet[int(place)])
