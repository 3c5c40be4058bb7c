# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The entries of a network's DHCP server, and the changes of a running one. Nothing here touches a host."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass, field

from ansible_collections.kvmops.network.plugins.module_utils._network.definition import subnet_of

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Definition = dict[str, t.Any]
    Host = dict[str, t.Any]
    Place = tuple[str, Host]  # the network's own address in the subnet, and an entry there

__all__ = ["LiveChange", "LiveSteps", "home_of", "key_of", "places_in", "plan_live"]

# What tells an entry from the others: IPv4 has MAC addresses, IPv6 has identifiers or names.
_KEYS = ("mac", "id", "name")


def key_of(host: Host) -> str:
    return next((host[option] for option in _KEYS if option in host), "")


def places_in(definition: Definition) -> Iterator[Place]:
    for entry in definition.get("ips", []):
        for host in entry.get("dhcp", {}).get("hosts", []):
            yield entry["address"], host


def home_of(definition: Definition, address: str) -> Definition | None:
    """Return the entry of `ips` in whose subnet an address lies."""
    ip = ipaddress.ip_address(address)
    for entry in definition.get("ips", []):
        subnet = subnet_of(entry)
        if ip.version == subnet.version and ip in subnet:
            found: Definition = entry
            return found
    return None


@dataclass(frozen=True)
class LiveChange:
    """One change of the DHCP server of a running network, in the subnet of the network's own address."""

    verb: t.Literal["delete", "modify", "add"]
    address: str
    host: Host


@dataclass
class LiveSteps:
    """What has to be done to a running network before its stored definition changes, and what after it.

    So a run that is killed in between can be repeated. `homeless` are addresses in whose subnet the network does not run, and
    `clashes` entries that only the running network has and that are in the way of an address.
    """

    first: list[LiveChange] = field(default_factory=list)
    then: list[LiveChange] = field(default_factory=list)
    homeless: list[str] = field(default_factory=list)
    clashes: list[tuple[str, Host]] = field(default_factory=list)


def plan_live(live: Definition, gone: Sequence[tuple[str, str]], wanted: Sequence[Host]) -> LiveSteps:
    """Return the changes, in an order in which no two entries ever have the same address, key or name.

    `gone` are keys and addresses of entries that shall not be there any more, `wanted` entries that shall. Each change makes
    libvirt write the network's firewall rules anew, so there are as few as can be.
    """
    steps = LiveSteps()
    keys = {key_of(host) for host in wanted}
    current = list(places_in(live))
    for place in list(current):
        key = key_of(place[1])
        if (key, place[1].get("ip")) in gone and key not in keys:
            current.remove(place)
            steps.first.append(LiveChange("delete", *place))
    added: list[LiveChange] = []
    for host in wanted:
        home = home_of(live, host["ip"])
        if home is None:
            steps.homeless.append(host["ip"])
            continue
        new = home["address"], host
        old = next((place for place in current if key_of(place[1]) == key_of(host)), None)
        if old == new:
            continue
        others = [place for place in current if place is not old]
        # libvirt finds an entry that it shall change by its MAC address, and whatever else meets it would be overwritten
        if old is not None and old[0] == new[0] and "mac" in host and not any(_meet(new, other) for other in others):
            current[current.index(old)] = new
            steps.then.append(LiveChange("modify", *new))
            continue
        if old is not None:
            current.remove(old)
            steps.first.append(LiveChange("delete", *old))
        added.append(LiveChange("add", *new))
    steps.clashes = [
        (each.host["ip"], other[1]) for each in added for other in current if _meet((each.address, each.host), other)
    ]
    steps.then += added
    return steps


def _meet(new: Place, other: Place) -> bool:
    """Say whether libvirt would take one entry for the other; it looks for them in one subnet only."""
    (address, host), (at, there) = new, other
    return address == at and (there.get("ip") == host["ip"] or ("name" in host and there.get("name") == host["name"]))
