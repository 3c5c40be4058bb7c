# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Which network is changed before which other, and which are changed together."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._network.order import Change, order_changes
from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState, Wanted, make_plan

Definition = dict[str, t.Any]


def definition(name: str, bridge: str | None = None, address: str | None = None, **other: t.Any) -> Definition:
    found: Definition = {"name": name, **other}
    if bridge:
        found["bridge"] = {"name": bridge}
    if address:
        found["ips"] = [{"address": address, "prefix": 24}]
    return found


def change(before: Definition | None, after: Definition | None, *, runs: bool = True) -> Change:
    there = before or after
    assert there is not None
    state = NetworkState(name=there["name"], stored=before, live=before if runs else None)
    wanted = Wanted(state="absent") if after is None else Wanted(state="active" if runs else "present", definition=after)
    return Change(state, make_plan(state, wanted, []))


def order(*changes: Change) -> list[str]:
    return ["+".join(each.name for each in group.changes) for group in order_changes(changes)]


def test_networks_that_need_nothing_of_each_other_stay_in_order() -> None:
    names = ["c", "a", "d", "b"]
    assert order(*(change(None, definition(name, f"br{name}", f"10.{ord(name)}.0.1")) for name in names)) == names


@pytest.mark.parametrize(
    ("given_up", "kept", "taken"),
    [
        pytest.param({"bridge": "br1"}, {"bridge": "br2"}, {"bridge": "br1"}, id="bridge"),
        pytest.param({"address": "10.1.0.1"}, {"address": "10.2.0.1"}, {"address": "10.1.0.9"}, id="subnet"),
    ],
)
def test_what_takes_waits_for_what_gives_up(given_up: Definition, kept: Definition, taken: Definition) -> None:
    giver = change(definition("giver", **given_up), definition("giver", **kept))
    taker = change(None, definition("taker", **taken))
    assert order(taker, giver) == ["giver", "taker"]
    assert order(giver, taker) == ["giver", "taker"]
    assert order_changes([taker, giver])[1].waits_for == {"giver"}


def test_a_subnet_only_matters_to_what_starts() -> None:
    giver = change(definition("giver", address="10.1.0.1"), definition("giver", address="10.2.0.1"))
    stored = change(None, definition("stored", "br1", "10.1.0.1"), runs=False)
    assert order(stored, giver) == ["stored", "giver"]


@pytest.mark.parametrize("taken", [{"bridge": "br1"}, {"address": "10.1.0.9"}, {"uuid": "u1"}], ids=["bridge", "subnet", "UUID"])
def test_a_network_that_goes_is_changed_with_what_takes_its_place(taken: Definition) -> None:
    gone = change(definition("gone", "br1", "10.1.0.1", uuid="u1"), None)
    other = change(definition("other", "br7", "10.7.0.1"), None)
    groups = order(change(None, definition("taker", **taken)), gone, other)
    assert sorted("+".join(sorted(group.split("+"))) for group in groups) == ["gone+taker", "other"]


def test_a_network_that_leaves_its_name_to_libvirt_comes_last() -> None:
    changes = [
        change(None, definition("auto")),
        change(definition("moves", "br9", "10.9.0.1"), definition("moves", "br9")),
        change(None, definition("named", "br1", "10.9.0.1")),
        change(None, {**definition("bridged"), "forward": {"mode": "bridge"}, "bridge": {"name": "br0"}}),
    ]
    assert order(*changes)[-1] == "auto"
    assert order(change(definition("auto"), definition("auto", mtu=9000)), change(None, definition("b", "br1"))) == ["auto", "b"]
    macvtap = {"name": "macvtap", "forward": {"mode": "bridge", "dev": "eth0"}}
    assert order(change(None, macvtap), change(None, definition("b", "br1"))) == ["macvtap", "b"]


def test_a_network_that_leaves_its_name_to_libvirt_comes_last_with_what_it_replaces() -> None:
    auto = change(None, definition("auto", address="10.1.0.1"))
    gone = change(definition("gone", "br1", "10.1.0.1"), None)
    named = change(None, definition("named", "br2"))
    assert order(auto, gone, named) == ["named", "gone+auto"]
    # but before what waits for it
    giver = change(definition("giver", "br3"), definition("giver", "br4"))
    swapper = change(definition("swapper", "br4"), definition("swapper", "br3", "10.1.0.9"))
    waiting = change(None, definition("waiting", "br5"))
    moved = change(definition("moved", "br5"), definition("moved", "br6"))
    assert order(auto, waiting, gone, giver, moved, swapper) == ["moved", "waiting", "gone+giver+swapper+auto"]


def test_what_runs_on_does_not_wait() -> None:
    there = definition("stays", "br7", "10.1.0.9")
    state = NetworkState("stays", stored=there, live=there)
    stays = Change(state, make_plan(state, Wanted(state="active", autostart=True), []))
    giver = change(definition("giver", address="10.1.0.1"), definition("giver", address="10.2.0.1"))
    assert order(stays, giver) == ["stays", "giver"]


def test_a_bridge_of_the_host_that_is_used_no_more_is_given_up_too() -> None:
    used = {**definition("user", "br1"), "forward": {"mode": "bridge"}}
    moved = {**definition("user", "br2"), "forward": {"mode": "bridge"}}
    owner = change(None, definition("owner", "br1"))
    assert order(owner, change(used, moved)) == ["user", "owner"]
    assert order(owner, change(used, {**used, "ipv6": True})) == ["owner", "user"]


def test_a_subnet_that_is_kept_is_not_waited_for() -> None:
    keeper = change(definition("keeper", address="10.1.0.1"), definition("keeper", address="10.1.0.2"))
    assert order(change(None, definition("taker", "br1", "10.1.0.3")), keeper) == ["taker", "keeper"]


@pytest.mark.parametrize("what", [("bridge", "br1", "br2"), ("address", "10.1.0.1", "10.2.0.1")])
def test_networks_that_swap_are_changed_together(what: tuple[str, str, str]) -> None:
    option, one, two = what
    changes = [
        change(definition("a", **{option: one}), definition("a", **{option: two})),
        change(None, definition("c", "br9")),
        change(definition("b", **{option: two}), definition("b", **{option: one})),
    ]
    assert sorted(order(*changes)) == ["a+b", "c"]


def test_a_ring_and_what_waits_for_it() -> None:
    ring = [("a", "br1", "br2"), ("b", "br2", "br3"), ("c", "br3", "br1")]
    changes = [change(definition(name, before), definition(name, after)) for name, before, after in ring]
    giver = change(definition("giver", "br4", "10.4.0.1"), definition("giver", "br6", "10.4.0.1"))
    waiting = change(definition("c2", "br5", "10.5.0.1"), definition("c2", "br4", "10.5.0.1"))
    last = change(None, definition("last", "br5"))
    found = order(last, waiting, *changes, giver)
    assert sorted(found) == ["a+b+c", "c2", "giver", "last"]
    assert [name for name in found if name != "a+b+c"] == ["giver", "c2", "last"]


def test_two_rings_that_share_a_network_are_one() -> None:
    changes = [
        change(definition("a", "br1", "10.1.0.1"), definition("a", "br2", "10.3.0.1")),
        change(definition("b", "br2"), definition("b", "br1")),
        change(definition("c", "br3", "10.3.0.1"), definition("c", "br3", "10.1.0.1")),
    ]
    assert order(*changes) == ["a+b+c"]


def test_what_is_kept_is_not_waited_for() -> None:
    keeper = change(definition("keeper", "br1"), definition("keeper", "br1", mtu=9000))
    assert order(change(None, definition("taker", "br1")), keeper) == ["taker", "keeper"]


def test_what_was_there_before_is_not_taken() -> None:
    used = {**definition("user", "br1"), "forward": {"mode": "bridge"}}
    moved = {**definition("user", "br2"), "forward": {"mode": "bridge"}}
    owner = change(definition("owner", "br1"), definition("owner", "br1", mtu=9000))
    assert order(owner, change(used, moved)) == ["owner", "user"]


def test_a_subnet_that_shrinks_is_left() -> None:
    wide = {"name": "giver", "ips": [{"address": "10.1.0.1", "prefix": 16}]}
    giver = change(wide, definition("giver", address="10.1.0.1"))
    assert order(change(None, definition("taker", "br1", "10.1.5.1")), giver) == ["giver", "taker"]


def test_a_subnet_is_left_by_what_runs() -> None:
    state = NetworkState("giver", stored=definition("giver", address="10.5.0.1"), live=definition("giver", address="10.1.0.1"))
    giver = Change(state, make_plan(state, Wanted(state="active", definition=definition("giver", address="10.2.0.1")), []))
    assert order(change(None, definition("taker", "br1", "10.1.0.1")), giver) == ["giver", "taker"]
    assert order(change(None, definition("taker", "br1", "10.5.0.1")), giver) == ["taker", "giver"]
