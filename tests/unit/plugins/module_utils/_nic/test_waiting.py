# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Waiting for a guest's address, with a kernel and a guest that are made up."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import SeenAddress
from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Neighbour
from ansible_collections.kvmops.network.plugins.module_utils._nic.waiting import Eyes, wait_for_addresses

MAC, ADDRESS, BRIDGE = "52:54:00:6b:3c:58", "192.168.101.10", "virbr101"


class Kernel:
    """What a host knows of its neighbours. A guest that has the address answers when it is asked."""

    def __init__(self, *, guest_has_address: bool) -> None:
        self.known = [
            Neighbour(ADDRESS, MAC, BRIDGE, answers=True),
            Neighbour("192.168.101.11", "52:54:00:00:00:02", BRIDGE, True),
        ]
        self._guest_has_address = guest_has_address

    def ask(self, addresses: list[str]) -> None:
        if ADDRESS in addresses and self._guest_has_address and ADDRESS not in {each.address for each in self.known}:
            self.known.append(Neighbour(ADDRESS, MAC, BRIDGE, answers=True))


class Guests:
    """A daemon whose DHCP server gave the address away some time ago."""

    def addresses(self, name: str, origin: str) -> list[SeenAddress]:
        return [SeenAddress(MAC, ADDRESS, 24, "lease")] if origin == "lease" else []


def wait(kernel: Kernel) -> bool:
    eyes = Eyes(t.cast("t.Any", Guests()), neighbours=lambda: list(kernel.known), ask=kernel.ask, forget=kernel.known.remove)
    return wait_for_addresses(eyes, "web", {MAC: BRIDGE}, wanted=[], timeout=0)[1]


def test_an_address_that_answered_before_the_nic_was_plugged_in_anew_does_not_count() -> None:
    kernel = Kernel(guest_has_address=False)
    assert not wait(kernel)
    assert [each.address for each in kernel.known] == ["192.168.101.11"]


def test_an_address_that_answers_still_counts() -> None:
    assert wait(Kernel(guest_has_address=True))
