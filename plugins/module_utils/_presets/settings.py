# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The networks of the types that NICs can have by one word, and what a site has changed of them. Nothing here touches a host."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    Settings = dict[str, t.Any]
    Network = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

__all__ = ["TYPES", "Preset", "read_presets"]

# Anka's words: https://docs.veertu.com/anka/anka-virtualization-cli/getting-started/understanding-vm-networking/
TYPES = ("shared", "host", "bridge", "nat", "disconnected")

_DAY = 86_400
_CLEAN = "clean-traffic"
# Must be kept in sync with guest_nics_presets in roles/guest_nics/meta/argument_specs.yml
_DEFAULTS: dict[str, Settings] = {
    "shared": {"kind": "nat", "bridge": "virbr-shared", "address": "192.168.64.1", "filter": _CLEAN},
    "host": {"kind": "isolated", "bridge": "virbr-host", "address": "192.168.128.1", "filter": _CLEAN},
    "nat": {"kind": "nat", "bridge": "virbr-nat", "address": "192.168.65.1", "filter": ""},
}
_COMMON: Settings = {"prefix": 24, "lease": _DAY}


@dataclass(frozen=True)
class Preset:
    """The network of a type, and the filter of NICs on it, "" for none."""

    network: str
    kind: str
    bridge: str
    interface: ipaddress.IPv4Interface
    start: str
    end: str
    lease: int
    filter: str

    @property
    def as_lab_network(self) -> dict[str, t.Any]:
        """The network in the words of the role lab_networks."""
        return {
            "name": self.network,
            "kind": self.kind,
            "bridge": self.bridge,
            "address": str(self.interface.ip),
            "prefix": self.interface.network.prefixlen,
            "dhcp": {"start": self.start, "end": self.end, "lease": {"expiry": self.lease, "unit": "seconds"}},
        }


def read_presets(changes: Mapping[str, Settings | None]) -> dict[str, Preset]:
    """Return the presets by type, with what a site has changed. Raises InputError for what cannot be."""
    presets = {name: _read(name, {**_COMMON, **defaults}, changes.get(name) or {}) for name, defaults in _DEFAULTS.items()}
    for option in ("network", "bridge"):
        values = [getattr(preset, option) for preset in presets.values()]
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise InputError(f"presets: '{twice[0]}' is the {option} of two types; give each one of its own.")
    return presets


def _read(name: str, defaults: Settings, changes: Settings) -> Preset:
    settings = {**defaults, "network": name, **{option: value for option, value in changes.items() if value is not None}}
    label = f"presets.{name}"
    try:
        interface = ipaddress.IPv4Interface(f"{settings['address']}/{settings['prefix']}")
    except ValueError:
        raise InputError(
            f"{label}: '{settings['address']}/{settings['prefix']}' is no IPv4 address with its prefix; give address such as "
            "192.168.64.1, and prefix such as 24."
        ) from None
    if settings["lease"] < 120:
        raise InputError(f"{label}.lease: '{settings['lease']}' is less than the 120 seconds that dnsmasq allows; give more.")
    start, end = _read_range(label, interface, settings.get("dhcp"))
    return Preset(
        network=settings["network"],
        kind=settings["kind"],
        bridge=settings["bridge"],
        interface=interface,
        start=start,
        end=end,
        lease=settings["lease"],
        filter=settings["filter"],
    )


def _read_range(label: str, interface: ipaddress.IPv4Interface, given: Settings | None) -> tuple[str, str]:
    """Return the first and the last address that are handed out: all but the host's, where a task says none."""
    if given is not None:
        return given["start"], given["end"]
    subnet, own = interface.network, interface.ip
    if subnet.num_addresses < 8:
        raise InputError(f"{label}.prefix: '{subnet.prefixlen}' leaves no room for guests; give 29 or less.")
    first, last = subnet.network_address + 1, subnet.broadcast_address - 1
    if own == first:
        return str(first + 1), str(last)
    if own == last:
        return str(first), str(last - 1)
    raise InputError(
        f"{label}.address: '{own}' is neither the first nor the last address of {subnet}, so that dhcp has to say what is "
        "handed out."
    )
