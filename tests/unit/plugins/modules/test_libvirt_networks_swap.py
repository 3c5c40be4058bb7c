# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Networks of a list that take what others of it give up, with the real module and libvirt's test driver."""

from __future__ import annotations

import re
import typing as t

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import (
    apply,
    apply_all,
    clear_guests,
    dump,
    networks_task,
    snapshot,
    start_guest,
)
from ansible_collections.kvmops.network.tests.unit.plugins.support.lists import (
    A,
    B,
    C,
    break_verb,
    keep_stored,
    network,
    record_calls,
    show_host,
)


def test_networks_swap_subnets_and_bridges(driver: libvirt.virConnect) -> None:
    apply_all(A, B, C)
    swapped = [network("a", 2), network("b", 3), network("c", 1)]
    assert networks_task(*swapped, check=True).statuses == {"a": "changed", "b": "changed", "c": "changed"}
    apply_all(*swapped)
    for name, number in (("a", 2), ("b", 3), ("c", 1)):
        assert f"<bridge name='virbr{number}'" in dump(driver, name)
        assert f"<ip address='10.0.{number}.1'" in dump(driver, name)
        assert driver.networkLookupByName(name).isActive()
    assert not apply_all(*swapped).changed


def test_the_place_of_a_network_that_goes_can_be_taken(driver: libvirt.virConnect) -> None:
    first = apply(**A)
    result = apply_all(network("new", 1, uuid=first.network["uuid"]), {"name": "a", "state": "absent"})
    assert result.statuses == {"new": "changed", "a": "changed"}
    assert list(snapshot(driver)) == ["new"]


def test_a_rename_that_fails_loses_nothing(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    apply_all(A, B)
    before = snapshot(driver)
    renamed = network("new", 1)
    break_verb(monkeypatch, "start_network", "new")
    result = networks_task(renamed, B, prune=True)
    assert result.statuses == {"new": "failed", "b": "unchanged", "a": "failed"}
    assert snapshot(driver) == before
    assert apply_all(renamed, B, prune=True).statuses == {"new": "changed", "b": "unchanged", "a": "changed"}
    assert set(snapshot(driver)) == {"new", "b"}


def test_a_network_in_use_keeps_what_another_wants(driver: libvirt.virConnect) -> None:
    apply_all(A, B)
    start_guest(driver, "guest", "a")
    before = snapshot(driver)
    result = networks_task(network("a", 2), network("b", 1))
    assert result.failed
    # a goes on running with its old bridge and subnet, so that b cannot have them
    assert "The network 'b': bridge.name: 'virbr1' is the bridge of the network 'a' already" in result.msg
    assert "The network 'a' keeps for now what it runs with: it is in use by guest 'guest'." in result.msg
    # it is said where it matters
    other = networks_task(network("a", 9), network("c", 3, "virbr2"))
    assert other.msg == "The network 'c': bridge.name: 'virbr2' is the bridge of the network 'b' already; choose another name."
    assert snapshot(driver) == before


def test_uuids_with_the_same_beginning_are_no_trouble(driver: libvirt.virConnect) -> None:
    uuids = [f"00000000-0000-0000-0000-00000000000{number}" for number in (1, 2)]
    apply_all(network("a", 1, uuid=uuids[0]), network("b", 2, uuid=uuids[1]))
    parked: list[str] = []
    real = Connection.define_network

    def note(self: Connection, xml: str, **options: t.Any) -> None:
        parked.extend(re.findall('bridge name="(kvmops-[^"]*)"', xml))
        real(self, xml, **options)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Connection, "define_network", note)
        apply_all(network("a", 2), network("b", 1))
    assert len(set(parked)) == 2
    assert all(len(name) <= 15 for name in parked)
    assert "kvmops-" not in dump(driver, "a") + dump(driver, "b")


# --- in which order it is done ------------------------------------------------------------------------------------------------


def test_all_give_up_what_they_have_before_one_takes_it(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    apply_all(A, B)
    calls = record_calls(monkeypatch)
    apply_all(network("a", 2, autostart=False), network("b", 1))
    assert calls == ["stop a", "stop b", "park a", "park b", "define a", "define b", "autostart a", "start a", "start b"]
    assert driver.networkLookupByName("a").autostart() == 0


@pytest.mark.usefixtures("driver")
def test_what_goes_is_gone_before_its_place_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    apply_all(A)
    calls = record_calls(monkeypatch)
    apply_all(network("new", 1), {"name": "a", "state": "absent"})
    assert calls == ["stop a", "undefine a", "define new", "autostart new", "start new"]


@pytest.mark.usefixtures("driver")
def test_a_swap_of_subnets_leaves_the_bridges_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    apply_all(A, B)
    calls = record_calls(monkeypatch)
    apply_all(network("a", 2, "virbr1"), network("b", 1, "virbr2"))
    assert calls == ["stop a", "stop b", "define a", "define b", "start a", "start b"]


def test_only_who_stores_a_name_that_is_taken_gets_another_one(
    driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_stored(monkeypatch)
    apply_all(A, B)
    start_guest(driver, "guest", "a")
    assert apply_all(network("a", 1, "virbr7")).data["networks"][0]["pending_restart"]
    clear_guests(driver)
    calls = record_calls(monkeypatch)
    # the bridge that b takes is only that with which a runs
    apply_all(network("a", 2), network("b", 1))
    assert calls == ["stop a", "stop b", "park b", "define a", "define b", "start a", "start b"]


def test_the_bridges_that_are_swapped_are_on_the_host(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    apply_all(A, B)
    show_host(monkeypatch, {"virbr1": "10.0.1.1/24", "virbr2": "10.0.2.1/24", "virbr3": "10.0.3.1/24"})
    assert apply_all(network("a", 2), network("b", 1)).statuses == {"a": "changed", "b": "changed"}
    assert networks_task(C).msg.startswith("The network 'c': bridge.name: 'virbr3' is an interface of this host already")
    assert set(snapshot(driver)) == {"a", "b"}
