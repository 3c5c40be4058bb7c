# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What holds for any two lists of networks, shown with the real module and libvirt's test driver."""

from __future__ import annotations

import typing as t

import libvirt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import apply_all, clear, networks_task, snapshot
from ansible_collections.kvmops.network.tests.unit.plugins.support.strategies import definitions, felt_by_running

if t.TYPE_CHECKING:
    Options = dict[str, t.Any]

examples = settings.default.max_examples
driven = settings(max_examples=examples * 3 // 5, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

NAMES = ("red", "green", "blue", "black", "white")
IDENTITY = {name: f"1b4f0c34-3a39-4a26-a21f-6f0a3b1e0a{number:02x}" for number, name in enumerate(NAMES)}


@st.composite
def networks(draw: st.DrawFn) -> list[Options]:
    """Return a list of networks, each with a bridge and subnets that no other one of the list has, out of few."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=len(NAMES)))
    numbers = draw(st.permutations(range(len(NAMES))))
    entries = []
    for name, number in zip(names, numbers):
        options = draw(definitions())
        options.pop("routes", None)
        options.pop("metadata", None)  # the one thing that replacing leaves
        # the subnets of the list are few, so that those of two lists meet
        if options.get("forward", {}).get("mode", "none") in ("none", "nat", "route", "open"):
            least = 0 if options.get("forward", {}).get("mode", "none") == "none" else 1
            places = range(draw(st.integers(least, 2)))
            options["ips"] = [
                {"address": f"10.{number}.{place}.1", "prefix": 24, **draw(_dhcp(number, place))} for place in places
            ]
            options["bridge"] = {**options.get("bridge", {}), "name": f"virbr{number}"}
            options["mac"] = f"52:54:00:00:00:{number:02x}"
        state = draw(st.sampled_from(["active", "present", "inactive"]))
        autostart = draw(st.booleans())
        if state == "active":
            options = felt_by_running(options)
        entries.append(
            {
                "name": name,
                "uuid": IDENTITY[name],
                "state": state,
                "autostart": autostart,
                "definition": "replace",
                "purge_hosts": True,
                **options,
            }
        )
    return entries


@st.composite
def _dhcp(draw: st.DrawFn, number: int, place: int) -> Options:
    if place or draw(st.booleans()):
        return {}
    hosts = draw(st.lists(st.integers(2, 99), max_size=2, unique=True))
    start = draw(st.integers(100, 200))
    return {
        "dhcp": {
            "ranges": [{"start": f"10.{number}.0.{start}", "end": f"10.{number}.0.250"}],
            "hosts": [{"mac": f"52:54:00:00:01:{host:02x}", "ip": f"10.{number}.0.{host}"} for host in hosts],
        }
    }


def settled(entries: list[Options]) -> list[Options]:
    """Return the list with what "present" leaves open said: whether a network runs does not follow from the list alone."""
    return [{**entry, "state": "inactive" if entry["state"] == "present" else entry["state"]} for entry in entries]


@driven
@given(first=networks(), second=networks())
def test_one_list_and_then_another_is_the_other_alone(
    driver: libvirt.virConnect, first: list[Options], second: list[Options]
) -> None:
    clear(driver)
    apply_all(*settled(second))
    alone = snapshot(driver)
    clear(driver)
    apply_all(*first)
    result = apply_all(*settled(second), prune=True)
    assert snapshot(driver) == alone
    assert result.statuses.keys() == {entry["name"] for entry in first + second}
    assert not apply_all(*settled(second), prune=True).changed


@driven
@given(entries=networks(), places=st.permutations(range(len(NAMES))))
def test_networks_may_swap_all_that_they_have(driver: libvirt.virConnect, entries: list[Options], places: list[int]) -> None:
    clear(driver)
    apply_all(*settled(entries))
    givers = [entries[place] for place in places if place < len(entries)]
    swapped = [{**giver, "name": entry["name"], "uuid": entry["uuid"]} for entry, giver in zip(entries, givers)]
    apply_all(*settled(swapped), prune=True)
    there = snapshot(driver)
    clear(driver)
    apply_all(*settled(swapped))
    assert snapshot(driver) == there


@driven
@given(first=networks(), second=networks(), prune=st.booleans())
def test_check_mode_foresees_the_whole_list(
    driver: libvirt.virConnect, first: list[Options], second: list[Options], prune: bool
) -> None:
    clear(driver)
    apply_all(*first)
    before = snapshot(driver)
    foreseen = networks_task(*second, prune=prune, check=True)
    assert snapshot(driver) == before
    real = networks_task(*second, prune=prune)
    assert (foreseen.failed, foreseen.msg, foreseen.changed) == (real.failed, real.msg, real.changed)
    if real.failed:
        # without pruning, what is left of the first list may be in the way
        assert not prune
        assert snapshot(driver) == before
        return
    assert foreseen.data["diff"] == real.data["diff"]
    for seen, done in zip(foreseen.data["networks"], real.data["networks"]):
        assert {**seen, "network": None} == {**done, "network": None}
        assert seen["network"]["definition"] == done["network"]["definition"]


@driven
@given(entries=networks())
def test_the_same_list_in_any_order_changes_nothing(driver: libvirt.virConnect, entries: list[Options]) -> None:
    clear(driver)
    apply_all(*entries)
    before = snapshot(driver)
    assert not apply_all(*reversed(entries), prune=True).changed
    assert snapshot(driver) == before
