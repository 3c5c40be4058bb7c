# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Waiting until guests have their addresses, and what is said where they do not come."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import AddressOrigin, SeenAddress
from ansible_collections.kvmops.network.plugins.module_utils._edge.neighbours import Neighbour, ask_for
from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._nic.arrival import await_addresses, check_waiting, open_eyes
from ansible_collections.kvmops.network.plugins.module_utils._nic.carry_out import NicOutcome
from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import GuestState, NicState
from ansible_collections.kvmops.network.plugins.module_utils._nic.plan import NicPlan
from ansible_collections.kvmops.network.plugins.module_utils._nic.reservation import Reservation
from ansible_collections.kvmops.network.plugins.module_utils._nic.waiting import Eyes
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nic.builders import MAC, both, guest, on, request, stored

LEASE = SeenAddress(MAC, "192.168.122.5", 24, "lease")
TOLD = SeenAddress(MAC, "192.168.122.6", 24, "agent")


class Seen:
    """Guests whose addresses are seen."""

    def __init__(self, *addresses: SeenAddress) -> None:
        self._addresses = addresses

    def addresses(self, _name: str, origin: AddressOrigin) -> list[SeenAddress]:
        return [each for each in self._addresses if each.origin == origin]


def eyes(*addresses: SeenAddress, neighbours: t.Sequence[Neighbour] = ()) -> Eyes:
    return Eyes(t.cast("t.Any", Seen(*addresses)), neighbours=lambda: list(neighbours), ask=lambda _addresses: None)


def outcome(state: NicState | None = None, error: str = "") -> NicOutcome:
    nic = state if state is not None else both(on())
    return NicOutcome(NicPlan("web", nic, nic), nic, error=error)


def awaited(found: Eyes, *reserved: str, **more: t.Any) -> NicOutcome:
    reservation = Reservation(ipv4=reserved[0]) if reserved else None
    [result] = await_addresses(found, [request(wait=True, mac=MAC, reservation=reservation)], [outcome(**more)], timeout=0)
    return result


# --- what cannot come ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("owner", "nic", "message"),
    [
        (
            guest(running=False),
            stored(on()),
            "wait_for_address: the guest 'web' is off and gets no address; start it, or leave this out.",
        ),
        (
            guest(),
            both(on(link="down")),
            "wait_for_address: the link of the NIC is down, so that it gets no address; leave one of the two out.",
        ),
    ],
)
def test_what_cannot_come_is_not_waited_for(owner: GuestState, nic: NicState, message: str) -> None:
    plan = NicPlan("web", nic, nic)
    with pytest.raises(InputError) as caught:
        check_waiting(request(wait=True, mac=MAC), owner, plan)
    assert str(caught.value) == message
    # but only where it is asked for
    check_waiting(request(mac=MAC), owner, plan)
    check_waiting(request(wait=True, mac=MAC), owner, NicPlan("web", nic, None))


def test_what_may_come_is_waited_for() -> None:
    check_waiting(request(wait=True, mac=MAC), guest(), NicPlan("web", both(on()), both(on())))


# --- what came ----------------------------------------------------------------------------------------------------------------


def test_an_address_that_came_is_returned() -> None:
    result = awaited(eyes(TOLD, LEASE))
    assert (result.error, result.addresses, result.status) == ("", (TOLD,), "unchanged")


def test_of_a_nic_that_is_not_waited_for_nothing_is_asked() -> None:
    blind = t.cast("Eyes", None)
    given = [outcome(), outcome(error="failed"), NicOutcome(NicPlan("web", None, None), None), outcome()]
    requests = [request(mac=MAC), request(wait=True, mac=MAC), request(wait=True, mac=MAC)]
    # the last one is a NIC that is pruned, for which there is no request
    assert await_addresses(blind, requests, given, timeout=0) == given


def test_the_address_is_looked_for_at_what_runs() -> None:
    changing = NicState(stored=stored(on(mac="52:54:00:00:00:09")).stored, live=both(on()).live)
    assert awaited(eyes(TOLD), state=changing).addresses == (TOLD,)


START = f"The guest 'web' has not got {{}} on its NIC {MAC} within 0 seconds. "
ASLEEP = " Has the guest booted, does it ask for an address on this NIC, and does a DHCP server answer there?"


@pytest.mark.parametrize(
    ("found", "wanted", "message"),
    [
        (eyes(), (), START.format("an address") + "Nothing was seen: no lease, no agent, nobody who answers." + ASLEEP),
        (
            eyes(LEASE),
            (),
            START.format("an address") + "Seen was 192.168.122.5 (lease, but nobody answers there)." + ASLEEP,
        ),
        (
            eyes(LEASE, TOLD),
            ("192.168.122.9",),
            START.format("192.168.122.9")
            + "Seen was 192.168.122.5 (lease, but nobody answers there); 192.168.122.6 (agent). Is the old lease still valid, "
            "and was it renewed in the guest?",
        ),
    ],
)
def test_what_did_not_come_is_an_error(found: Eyes, wanted: tuple[str, ...], message: str) -> None:
    result = awaited(found, *wanted)
    assert (result.error, result.status) == (message, "failed")
    assert all(each.origin == "agent" for each in result.addresses)


# --- where one looks ----------------------------------------------------------------------------------------------------------


class Module:
    """A module on a host."""

    def __init__(self, uri: str) -> None:
        self.params = {"uri": uri}
        self.commands: list[list[str]] = []

    def run_command(self, command: list[str], *, handle_exceptions: bool) -> tuple[int, str, str]:
        assert not handle_exceptions
        self.commands.append(command)
        return 0, "[]", ""


def test_the_kernel_is_asked_on_this_machine_alone() -> None:
    module, guests = Module("qemu:///system"), t.cast("t.Any", Seen())
    found = open_eyes(t.cast("t.Any", module), guests)
    assert (found.guests, found.ask) == (guests, ask_for)
    assert found.neighbours is not None
    assert found.neighbours() == []
    assert module.commands == [["ip", "-j", "neigh", "show"]]
    assert open_eyes(t.cast("t.Any", Module("qemu+ssh://kvm2/system")), guests) == Eyes(guests)
