# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What addresses are seen at NICs, which of them a guest really has, and how long one waits for them."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import AddressOrigin, SeenAddress
from ansible_collections.kvmops.network.plugins.module_utils._edge.neighbours import Neighbour
from ansible_collections.kvmops.network.plugins.module_utils._nic import waiting
from ansible_collections.kvmops.network.plugins.module_utils._nic.waiting import Eyes, Sight, usable, wait_for_addresses

M1, M2 = "52:54:00:00:00:01", "52:54:00:00:00:02"
LEASED, TOLD, KNOWN = "192.168.122.5", "192.168.122.6", "192.168.122.7"


def seen(address: str, origin: AddressOrigin, mac: str = M1, prefix: int = 24) -> SeenAddress:
    return SeenAddress(mac, address, prefix if origin != "arp" else 0, origin)


@dataclass
class World:
    """A host and its guest; what it shows may change with the time."""

    shown: dict[AddressOrigin, list[SeenAddress]] = field(default_factory=dict)
    known: list[Neighbour] = field(default_factory=list)
    now: float = 1000.0
    asked: list[tuple[str, ...]] = field(default_factory=list)
    looked: list[tuple[str, AddressOrigin]] = field(default_factory=list)
    answering: list[Neighbour] = field(default_factory=list)
    later: dict[float, t.Callable[[World], None]] = field(default_factory=dict)

    def addresses(self, name: str, origin: AddressOrigin) -> list[SeenAddress]:
        self.looked.append((name, origin))
        return list(self.shown.get(origin, []))

    def ask(self, addresses: list[str]) -> None:
        self.asked.append(tuple(addresses))
        self.known += [each for each in self.answering if each.address in addresses and each not in self.known]

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += max(seconds, 1e-3)
        for moment in [each for each in self.later if each <= self.now]:
            self.later.pop(moment)(self)

    @property
    def here(self) -> Eyes:
        return Eyes(t.cast("t.Any", self), neighbours=lambda: list(self.known), ask=self.ask, forget=self.known.remove)

    @property
    def far(self) -> Eyes:
        return Eyes(t.cast("t.Any", self))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(
        shown={"lease": [seen(LEASED, "lease"), seen("192.168.122.9", "lease", M2)], "agent": [seen(TOLD, "agent")]},
        known=[Neighbour(KNOWN, M1, "virbr0", answers=True)],
    )
    monkeypatch.setattr(waiting, "time", made)
    return made


# --- looking ------------------------------------------------------------------------------------------------------------------


def test_all_who_see_something_are_asked(world: World) -> None:
    assert world.here.look("web", {M1: "virbr0"}, agent=True) == [seen(LEASED, "lease"), seen(TOLD, "agent"), seen(KNOWN, "arp")]
    assert world.looked == [("web", "lease"), ("web", "agent")]


def test_a_guest_is_not_asked_where_it_need_not(world: World) -> None:
    assert world.here.look("web", {M1: "virbr0"}, agent=False) == [seen(LEASED, "lease"), seen(KNOWN, "arp")]
    assert world.looked == [("web", "lease")]


def test_of_another_machine_libvirt_shows_who_is_known(world: World) -> None:
    world.shown["arp"] = [seen("192.168.122.8", "arp"), seen("192.168.122.8", "arp", M2)]
    assert world.far.look("web", {M1: "virbr0"}, agent=False) == [seen(LEASED, "lease"), seen("192.168.122.8", "arp")]
    assert world.looked == [("web", "lease"), ("web", "arp")]


def test_several_nics_are_looked_at_together(world: World) -> None:
    found = world.here.look("web", {M1: "virbr0", M2: None}, agent=False)
    assert [(each.mac, each.address) for each in found] == [(M1, LEASED), (M2, "192.168.122.9"), (M1, KNOWN)]


@pytest.mark.parametrize(
    ("bridge", "device", "answers", "visible"),
    [
        ("virbr0", "virbr0", True, True),
        ("virbr0", "virbr0", False, True),
        # what is known of another bridge is where the NIC was before
        ("virbr0", "virbr1", True, False),
        # a macvtap may be seen anywhere
        (None, "eth0", True, True),
        (None, "eth0", False, False),
    ],
)
def test_only_what_is_known_where_the_nic_is_now_is_seen(
    world: World, bridge: str | None, device: str, answers: bool, visible: bool
) -> None:
    world.known = [Neighbour(KNOWN, M1, device, answers)]
    assert (seen(KNOWN, "arp") in world.here.look("web", {M1: bridge}, agent=False)) is visible
    assert world.here.confirm([seen(KNOWN, "arp")], {M1: bridge}) == ({KNOWN} if visible and answers else set())


@pytest.mark.parametrize(
    ("address", "reachable"),
    [
        ("192.168.122.5", True),
        ("fd00::5", True),
        ("2001:db8::5", True),
        ("169.254.3.4", False),
        ("fe80::5054:ff:fe00:1", False),
        ("127.0.0.1", False),
        ("::1", False),
        ("224.0.0.251", False),
        ("ff02::1", False),
    ],
)
def test_which_addresses_others_can_reach(world: World, address: str, reachable: bool) -> None:
    assert usable(address) is reachable
    world.shown = {"agent": [seen(address, "agent")]}
    assert bool(world.far.look("web", {M1: None}, agent=True)) is reachable


# --- what is true -------------------------------------------------------------------------------------------------------------


def test_a_lease_is_true_where_somebody_answers(world: World) -> None:
    leased = [seen(LEASED, "lease")]
    assert world.here.confirm(leased, {M1: "virbr0"}) == set()
    world.known = [Neighbour(LEASED, M1, "virbr0", answers=True)]
    assert world.here.confirm(leased, {M1: "virbr0"}) == {LEASED}
    assert world.asked == [(LEASED,)] * 2


@pytest.mark.parametrize(
    "neighbour",
    [
        Neighbour(LEASED, M2, "virbr0", answers=True),  # somebody else has it
        Neighbour(LEASED, M1, "virbr0", answers=False),  # nobody answers any more
        Neighbour(KNOWN, M1, "virbr0", answers=True),  # the guest has another one
    ],
)
def test_a_lease_is_not_true_where_another_answers_or_nobody(world: World, neighbour: Neighbour) -> None:
    world.known = [neighbour]
    assert world.here.confirm([seen(LEASED, "lease")], {M1: "virbr0"}) == set()


def test_what_the_guest_tells_is_true_and_not_asked_for(world: World) -> None:
    told = [seen(TOLD, "agent"), seen(TOLD, "lease"), seen(LEASED, "lease")]
    assert world.here.confirm(told, {M1: "virbr0"}) == {TOLD}
    assert world.asked == [(LEASED,)]


def test_of_another_machine_all_is_believed(world: World) -> None:
    assert world.far.confirm([seen(LEASED, "lease"), seen(KNOWN, "arp")], {M1: "virbr0"}) == {LEASED, KNOWN}
    assert world.asked == []


# --- waiting ------------------------------------------------------------------------------------------------------------------


def wait(world: World, *wanted: str, timeout: float = 10) -> tuple[Sight, bool]:
    return wait_for_addresses(world.here, "web", {M1: "virbr0"}, wanted=wanted, timeout=timeout)


def test_what_is_there_is_not_waited_for(world: World) -> None:
    sight, came = wait(world)
    assert came
    assert sight.confirmed == {TOLD}
    assert world.now == 1000.0


def test_an_address_that_comes_is_waited_for(world: World) -> None:
    world.later[1003.2] = lambda world: world.known.append(Neighbour(LEASED, M1, "virbr0", answers=True))
    sight, came = wait(world, LEASED)
    assert came
    assert LEASED in sight.confirmed
    assert 1003.2 <= world.now <= 1004


def test_all_that_are_wanted_have_to_come(world: World) -> None:
    world.shown["agent"].append(seen("fd00::5", "agent"))
    assert wait(world, TOLD, "fd00::5")[1]
    sight, came = wait(world, TOLD, "fd00::6")
    assert not came
    assert sight.confirmed == {TOLD, "fd00::5"}
    assert world.now == 1010.0


def test_any_is_enough_where_none_is_wanted_but_none_is_not(world: World) -> None:
    world.shown, world.known = {}, []
    sight, came = wait(world)
    assert not came
    assert sight == Sight([], set())
    assert world.now == 1010.0


@pytest.mark.parametrize(("timeout", "looks"), [(0, 1), (0.4, 2), (1, 3)])
def test_there_is_a_last_look_when_the_time_is_over(world: World, timeout: float, looks: int) -> None:
    assert not wait(world, LEASED, timeout=timeout)[1]
    assert world.looked.count(("web", "lease")) == looks
    assert world.now == pytest.approx(1000 + timeout, abs=0.01)


def test_an_address_that_answered_before_the_nic_was_plugged_in_anew_does_not_count(world: World) -> None:
    world.shown["agent"] = []
    world.known = [Neighbour(LEASED, M1, "virbr0", answers=True), Neighbour("192.168.122.9", M2, "virbr0", answers=True)]
    assert not wait(world, timeout=0)[1]
    # of another one nothing is forgotten
    assert [each.mac for each in world.known] == [M2]


def test_an_address_that_answers_still_counts(world: World) -> None:
    world.shown["agent"] = []
    world.known = [Neighbour(LEASED, M1, "virbr0", answers=True)]
    world.answering = list(world.known)
    sight, came = wait(world, timeout=0)
    assert came
    assert sight.confirmed == {LEASED}


def test_of_another_machine_nothing_is_forgotten(world: World) -> None:
    assert wait_for_addresses(world.far, "web", {M1: "virbr0"}, wanted=[], timeout=0)[1]
    assert len(world.known) == 1
