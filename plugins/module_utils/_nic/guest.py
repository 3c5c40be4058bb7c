# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""A guest and its NICs, as libvirt has stored them and as they run. Nothing here touches a host."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, NetworkError
from ansible_collections.kvmops.network.plugins.module_utils._format import document
from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import Nic, nics_of_document

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import GuestRecord

__all__ = ["GuestState", "NicState", "read_guest"]


@dataclass(frozen=True)
class NicState:
    """A NIC as it is stored and as it runs; None where it is not."""

    stored: Nic | None = None
    live: Nic | None = None

    @property
    def shown(self) -> Nic:
        """What the NIC is known by: as it is stored, else as it runs. There is one of the two."""
        for nic in (self.stored, self.live):
            if nic is not None:
                return nic
        raise ValueError("a NIC is stored, or it runs")

    @property
    def macs(self) -> set[str]:
        """Its MAC addresses: two where a change of the address waits for the guest's next start."""
        return {nic.mac for nic in (self.stored, self.live) if nic is not None}


@dataclass(frozen=True)
class GuestState:
    """A guest. `persistent` says that its definition is stored; a guest that is neither stored nor running is not there.

    `boot_orders` are the places in the order of boot that other devices than NICs have, and `boots_by_kind` says that the
    definition names kinds of devices instead, which excludes such places.
    """

    name: str
    persistent: bool
    running: bool
    nics: tuple[NicState, ...]
    boot_orders: frozenset[int] = frozenset()
    boots_by_kind: bool = False

    @property
    def bridges(self) -> dict[str, str | None]:
        """The MAC addresses of the NICs that are plugged in, and the bridge of each."""
        return {nic.live.mac: nic.live.bridge for nic in self.nics if nic.live is not None}


def read_guest(record: GuestRecord) -> GuestState:
    """Return a guest from what libvirt shows of it."""
    stored = _read_nics(record.name, record.stored_xml, running=False)
    live = _read_nics(record.name, record.live_xml, running=True)
    root = document.parse_document(record.stored_xml or record.live_xml or "", root="domain")
    places = [
        int(boot.get("order", "0"))
        for device in root.iterfind("devices/*")
        if device.tag != "interface"
        for boot in device.iterfind("boot")
    ]
    return GuestState(
        name=record.name,
        persistent=record.stored_xml is not None,
        running=record.live_xml is not None,
        nics=tuple(_pair(stored, live)),
        boot_orders=frozenset(places),
        boots_by_kind=root.find("os/boot") is not None,
    )


def _read_nics(name: str, text: str | None, *, running: bool) -> list[Nic]:
    if text is None:
        return []
    try:
        return nics_of_document(text, running=running)
    except InputError as error:
        raise NetworkError(
            f"The guest '{name}' of this host has a definition that cannot be understood: {error} Correct it with 'virsh edit "
            f"{name}'."
        ) from None


def _pair(stored: list[Nic], live: list[Nic]) -> list[NicState]:
    """Put together what is one NIC: what has the same MAC address, else the same name, else the same place on the guest's bus."""
    left = list(live)
    partners: dict[int, Nic] = {}
    keys: tuple[Callable[[Nic], str | None], ...] = (lambda nic: nic.mac, lambda nic: nic.alias, lambda nic: nic.address)
    for key in keys:
        for index, nic in enumerate(stored):
            value = key(nic)
            match = next((other for other in left if key(other) == value), None) if value and index not in partners else None
            if match is not None:
                partners[index] = match
                left.remove(match)
    paired = [NicState(stored=nic, live=partners.get(index)) for index, nic in enumerate(stored)]
    return paired + [NicState(live=nic) for nic in left]
