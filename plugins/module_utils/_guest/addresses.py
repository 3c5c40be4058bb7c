# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The address that a guest has because of its name. Nothing here touches a host."""

from __future__ import annotations

import hashlib
import ipaddress
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, RefusedError

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    Range = tuple[ipaddress.IPv4Address, ipaddress.IPv4Address]

__all__ = ["choose_address", "hashed_address", "read_subnet"]

_PREFIXES = range(16, 31)  # more addresses than a /16 has are never tried one by one
_FIRST = 2  # .0 is the network's, and .1 the host's


def read_subnet(text: object) -> ipaddress.IPv4Network:
    """Return a subnet that can hold guests. Raises InputError if it is none."""
    try:
        subnet = ipaddress.IPv4Network(str(text))
    except ValueError as error:
        raise InputError(f"'{text}' is not an IPv4 subnet ({error}); write it like 192.168.100.0/24.") from None
    if subnet.prefixlen not in _PREFIXES:
        raise InputError(
            f"The subnet '{text}' is no size for guests; use a prefix from {_PREFIXES[0]} to {_PREFIXES[-1]}, such as "
            "192.168.100.0/24."
        )
    return subnet


def hashed_address(name: str, subnet: str) -> str:
    """Return the address that a guest's name leads to, whatever is taken.

    It is the same in every process and on every host, now and with each later version: addresses of guests depend on it.
    """
    network = read_subnet(subnet)
    return str(network[_FIRST + _hashed(name) % _room(network)])


def choose_address(
    name: str,
    subnet: str,
    taken: Mapping[str, str | None],
    *,
    gateway: str | None = None,
    ranges: Iterable[Mapping[str, str]] = (),
) -> str:
    """Return the address for a guest: the one that is reserved for it, else the first free one from its hashed one upward.

    `taken` maps each address that is reserved to the name it is reserved for, None if it has none. `gateway` is the host's
    address, if that is not the subnet's first. `ranges` are those that DHCP hands out to anybody, as libvirt_network has them.
    After the last address the search goes on with the first. Raises RefusedError if no address is free, InputError if the
    values are wrong.
    """
    network = read_subnet(subnet)
    held = {address: owner for text, owner in taken.items() for address in _within(text, network)}
    blocked = set(_within(gateway, network) if gateway is not None else [])
    own = [address for address, owner in held.items() if owner == name and address not in blocked]
    if own:
        return str(min(own))
    handed_out = list(_read_ranges(ranges))
    start, room = _hashed(name), _room(network)
    for step in range(room):
        address = network[_FIRST + (start + step) % room]
        if address not in held and address not in blocked and not any(low <= address <= high for low, high in handed_out):
            return str(address)
    raise RefusedError(_full(name, network, held, handed_out))


def _hashed(name: str) -> int:
    return int(hashlib.sha256(name.encode()).hexdigest()[:8], 16)


def _room(network: ipaddress.IPv4Network) -> int:
    """Return how many addresses guests can have: all but the network's, the host's and the broadcast address."""
    return network.num_addresses - 3


def _read_address(text: object) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(str(text))
    except ValueError:
        raise InputError(f"'{text}' is not an IP address; write it like 192.168.100.229.") from None


def _within(text: object, network: ipaddress.IPv4Network) -> list[ipaddress.IPv4Address]:
    """Return the address if it is one of the subnet; a network's reservations are for its other subnets too."""
    address = _read_address(text)
    return [address] if isinstance(address, ipaddress.IPv4Address) and address in network else []


def _read_ranges(entries: Iterable[Mapping[str, str]]) -> Iterator[Range]:
    """Yield the IPv4 ranges; those of the other family hand out nothing that a guest could have here."""
    for entry in entries:
        if not entry.get("start") or not entry.get("end"):
            raise InputError(f"The DHCP range {dict(entry)!r} has no start or no end; give both.")
        low, high = _read_address(entry["start"]), _read_address(entry["end"])
        if low.version != high.version:
            raise InputError(f"The DHCP range's start {low} and end {high} are not of one family; correct one of them.")
        if isinstance(low, ipaddress.IPv4Address) and isinstance(high, ipaddress.IPv4Address):
            if low > high:
                raise InputError(f"The DHCP range's start {low} is after its end {high}; swap them.")
            yield low, high


def _full(
    name: str,
    network: ipaddress.IPv4Network,
    held: Mapping[ipaddress.IPv4Address, str | None],
    ranges: Iterable[Range],
) -> str:
    why = f"{len(held)} are reserved for others"
    texts = [f"{low} to {high}" for low, high in ranges]
    if texts:
        why += f", and DHCP hands out {', '.join(texts)} to anybody"
    return (
        f"The subnet {network} has no address left for the guest '{name}': of the {_room(network)} that guests can have there "
        f"{why}. Remove a guest that is no longer needed, or use a larger subnet."
    )
