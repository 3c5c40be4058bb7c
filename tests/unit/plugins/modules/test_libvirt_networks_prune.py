# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Networks that are not in the list any more, with the real module and libvirt's test driver."""

from __future__ import annotations

import re

import libvirt
import pytest

from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import (
    apply,
    apply_all,
    dump,
    networks_task,
    snapshot,
    start_guest,
)
from ansible_collections.kvmops.network.tests.unit.plugins.support.lists import A, B, C, network


def test_only_what_the_module_made_is_pruned(driver: libvirt.virConnect) -> None:
    driver.networkDefineXML("<network><name>by hand</name></network>")
    apply(**C)
    apply_all(A, B)
    assert not apply_all(A).changed
    for check in (True, False):
        result = networks_task(A, prune=True, check=check)
        assert result.statuses == {"a": "unchanged", "b": "changed"}
        assert result.data["networks"][1]["actions"] == [
            "stop: it is not in the list any more",
            "undefine: it is not in the list any more",
        ]
    assert set(snapshot(driver)) == {"by hand", "a", "c"}
    assert not apply_all(A, prune=True).changed


@pytest.mark.usefixtures("driver")
def test_pruning_adopts_what_is_in_the_list() -> None:
    stopped = {**A, "state": "inactive"}
    apply(**stopped)
    apply(**B)
    adopted = apply_all(stopped, {"name": "b"}, prune=True)
    assert adopted.statuses == {"a": "changed", "b": "unchanged"}
    assert [each["actions"] for each in adopted.data["networks"]] == [["define: the definition differs"], []]
    assert not apply_all(stopped, {"name": "b"}, prune=True).changed
    assert apply_all(prune=True).statuses == {"a": "changed"}


def test_the_mark_is_no_reason_to_restart(driver: libvirt.virConnect) -> None:
    apply(**A)
    start_guest(driver, "guest", "a")
    adopted = apply_all(A, prune=True)
    assert adopted.own_warnings == []
    actions = adopted.data["networks"][0]["actions"]
    # from libvirt 9.7 on the running network is marked too
    assert actions[1:] in ([], ["update: add metadata urn:kvmops:network:managed of the running network"])
    assert actions[0] == "define: the definition differs"
    assert not adopted.data["networks"][0]["pending_restart"]


def test_protected_networks_stay(driver: libvirt.virConnect) -> None:
    apply_all({**A, "name": "default"}, B, C)
    assert apply_all(prune=True, protected=["b"], check=True).statuses == {"c": "changed", "default": "changed"}
    assert apply_all(prune=True).statuses == {"b": "changed", "c": "changed"}
    assert list(snapshot(driver)) == ["default"]


def test_pruning_does_not_cut_guests_off(driver: libvirt.virConnect) -> None:
    apply_all(A, B)
    start_guest(driver, "guest", "b")
    before = snapshot(driver)
    result = networks_task({**A, "mtu": 1400}, prune=True)
    assert result.msg == (
        "The network 'b' is not in the list any more, but is in use by guest 'guest', and stopping it would cut their "
        "connection. Unplug or stop them first, name it in networks or protected, or say force: true."
    )
    assert snapshot(driver) == before
    assert apply_all(A, prune=True, force=True).statuses == {"a": "unchanged", "b": "changed"}


def test_force_for_one_is_not_force_for_others(driver: libvirt.virConnect) -> None:
    apply_all(A, B)
    start_guest(driver, "guest", "a", "b")
    gone = [{"name": "a", "state": "absent", "force": True}, {"name": "b", "state": "absent"}]
    assert networks_task(*gone).msg.startswith("The network 'b' is in use by guest 'guest'")
    assert set(snapshot(driver)) == {"a", "b"}
    assert apply_all(*gone, force=True).changed


def test_the_mark_of_another_network_is_refused(driver: libvirt.virConnect) -> None:
    apply_all(A, B)
    text = dump(driver, "a").replace("<name>a<", "<name>copy<")
    text = re.sub("<uuid>.*</uuid>|<bridge .*/>|<ip .*</ip>", "", text, flags=re.DOTALL)
    assert "urn:kvmops" in text
    for check in (True, False):
        result = networks_task({"name": "copy", "xml": text}, check=check)
        assert result.msg == (
            """The network 'copy': metadata: '<kvmops:managed xmlns:kvmops="urn:kvmops:network:managed" network="a">"""
            """</kvmops:managed>' is the mark of another network that this collection made; leave it out."""
        )
    # by hand, libvirt takes it, and then it is no mark
    driver.networkDefineXML(text)
    assert not networks_task({"name": "copy", "xml": text}).failed
    assert apply_all(A, B, prune=True).statuses == {"a": "unchanged", "b": "unchanged"}


@pytest.mark.usefixtures("driver")
def test_the_mark_survives_other_tasks() -> None:
    apply_all(A)
    apply(**{**A, "definition": "replace", "mtu": 1400})
    apply(name="a", xml="<network><name>a</name><mtu size='1300'/></network>")
    assert apply_all(prune=True).statuses == {"a": "changed"}


@pytest.mark.usefixtures("driver")
def test_what_was_not_made_by_a_list_is_not_marked_without_prune() -> None:
    apply(**C)
    apply_all(C)
    assert apply_all({**C, "mtu": 1400}).changed
    assert apply_all(prune=True).statuses == {}


def test_a_transient_network_with_the_mark_is_pruned(driver: libvirt.virConnect) -> None:
    apply_all(A)
    text = dump(driver, "a")
    apply_all({"name": "a", "state": "absent"})
    driver.networkCreateXML(text)
    result = apply_all(prune=True)
    assert result.data["networks"][0]["actions"] == ["stop: it is not in the list any more"]
    assert snapshot(driver) == {}


@pytest.mark.usefixtures("driver")
def test_pruned_networks_follow_by_name() -> None:
    apply_all(C, A, network("d", 4), B)
    assert list(apply_all(C, prune=True).statuses) == ["c", "a", "b", "d"]
