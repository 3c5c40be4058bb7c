# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Waiting until a guest has its address, and saying what it really has."""

from __future__ import annotations

import ipaddress
import time
import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import SeenAddress

if t.TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import Guests
    from ansible_collections.kvmops.network.plugins.module_utils._edge.neighbours import Neighbour

    Bridges = Mapping[str, "str | None"]  # MAC addresses of NICs, and the bridge that each is plugged into; None where it is none

__all__ = ["Eyes", "Sight", "usable", "wait_for_addresses"]

_POLL = 0.5  # seconds


class Sight(t.NamedTuple):
    """What was seen at a NIC: addresses, and which of them the guest really has, as far as the host can tell."""

    addresses: list[SeenAddress]
    confirmed: set[str]


@dataclass(frozen=True)
class Eyes:
    """Where addresses of guests can be seen.

    `neighbours` returns whom the host's kernel knows, `ask` makes it look for addresses in the guests' networks, and `forget`
    makes it forget one; they are None where the daemon is that of another machine, which shows its neighbours through libvirt
    alone.
    """

    guests: Guests
    neighbours: Callable[[], list[Neighbour]] | None = None
    ask: Callable[[list[str]], None] | None = None
    forget: Callable[[Neighbour], None] | None = None

    def look(self, domain: str, bridges: Bridges, *, agent: bool) -> list[SeenAddress]:
        """Return the addresses at a guest's NICs. `agent` says whether to ask the guest, which takes time if it hangs."""
        seen = self.guests.addresses(domain, "lease") + (self.guests.addresses(domain, "agent") if agent else [])
        if self.neighbours is None:
            seen += self.guests.addresses(domain, "arp")
        else:
            seen += [SeenAddress(each.mac, each.address, 0, "arp") for each in self._near(bridges)]
        return [each for each in seen if each.mac in bridges and usable(each.address)]

    def confirm(self, seen: Sequence[SeenAddress], bridges: Bridges) -> set[str]:
        """Return which of the addresses the guest has.

        A lease says what the DHCP server gave away once. What the guest itself tells is true, and what answers when the host
        asks; where the host is another machine, all is believed.
        """
        if self.neighbours is None or self.ask is None:
            return {each.address for each in seen}
        told = {each.address for each in seen if each.origin == "agent"}
        others = sorted({each.address for each in seen} - told)
        self.ask(others)
        answered = {each.address for each in self._near(bridges) if each.answers}
        return told | (answered & set(others))

    def look_anew(self, macs: Collection[str]) -> None:
        """Have the kernel forget the addresses of NICs: it takes those that answered within the last half minute for granted."""
        if self.neighbours is None or self.forget is None:
            return
        for each in self.neighbours():
            if each.mac in macs:
                self.forget(each)

    def _near(self, bridges: Bridges) -> list[Neighbour]:
        """Return whom the kernel knows where the NICs are now: what it knows of another bridge is where they were before.

        A NIC that is on no bridge may be seen anywhere, and counts where it answers.
        """
        known = self.neighbours() if self.neighbours is not None else []
        return [
            each
            for each in known
            if each.mac in bridges and (each.answers if bridges[each.mac] is None else bridges[each.mac] == each.device)
        ]


def wait_for_addresses(eyes: Eyes, domain: str, bridges: Bridges, *, wanted: Sequence[str], timeout: float) -> tuple[Sight, bool]:
    """Look until the NIC has all the wanted addresses, or any where none is wanted. Return what was seen, and whether it has."""
    deadline = time.monotonic() + timeout
    eyes.look_anew(bridges)
    while True:
        seen = eyes.look(domain, bridges, agent=True)
        sight = Sight(seen, eyes.confirm(seen, bridges))
        if sight.confirmed >= set(wanted) and sight.confirmed:
            return sight, True
        if time.monotonic() >= deadline:
            return sight, False
        time.sleep(min(_POLL, max(0.0, deadline - time.monotonic())))


def usable(address: str) -> bool:
    """Say whether an address is one that others can reach."""
    ip = ipaddress.ip_address(address)
    return not (ip.is_link_local or ip.is_loopback or ip.is_multicast)
