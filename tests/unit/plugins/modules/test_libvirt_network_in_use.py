# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""A network that runs: restarted where nobody is plugged in, left alone where somebody is."""

from __future__ import annotations

import libvirt
import pytest

from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import (
    GUEST_XML,
    apply,
    dump,
    network_task,
    predict,
    snapshot,
    start_guest,
)

OPTIONS = {"name": "lab", "bridge": {"name": "virbr7"}, "mtu": 1400}
IN_USE = (
    "The network 'lab' is in use by guest 'one', guest 'two', and stopping it would cut their connection. Unplug or "
    "stop them first, "
    "or say force: true."
)
PENDING = (
    "The network 'lab' takes mtu from its definition only when it is started anew: it is in use by guest 'one', guest 'two'."
)


@pytest.fixture
def used(driver: libvirt.virConnect) -> libvirt.virConnect:
    apply(**OPTIONS)
    apply(name="other", bridge={"name": "virbr8"})
    start_guest(driver, "two", "lab", "other")
    start_guest(driver, "one", "lab", "lab")
    start_guest(driver, "elsewhere", "other")
    return driver


def test_an_idle_network_is_restarted(driver: libvirt.virConnect) -> None:
    apply(**OPTIONS)
    driver.defineXML(GUEST_XML.format(name="sleeps", nics="<interface type='network'><source network='lab'/></interface>"))
    for run in (predict, apply):
        result = run(name="lab", mtu=9000)
        assert result.data["actions"] == [
            "define: the definition differs",
            "stop: what runs differs from the definition, and no guest is plugged in",
            "start: the definition takes effect",
        ]
        assert result.data["pending_restart"] is False
        assert result.own_warnings == []
    assert "<mtu size='9000'/>" in dump(driver, "lab")


def test_an_idle_network_is_not_restarted_for_autostart(driver: libvirt.virConnect) -> None:
    apply(**OPTIONS)
    assert apply(name="lab", autostart=False).actions == ["autostart off"]
    assert driver.networkLookupByName("lab").isActive() == 1


def test_a_network_in_use_keeps_running_and_the_definition_waits(used: libvirt.virConnect) -> None:
    before = snapshot(used)
    for run in (predict, apply):
        result = run(name="lab", mtu=9000)
        assert result.actions == ["define"]
        assert result.changed
        assert result.data["pending_restart"] is True
        assert result.data["pending_changes"] == ["mtu"]
        assert result.own_warnings == [PENDING]
        assert result.diff is not None
        assert "pending restart: mtu\n" in result.diff["after"]
        assert '<mtu size="9000"/>' in result.diff["after"]
        # what runs is what ran
        assert snapshot(used) == before


def test_a_network_in_use_is_not_restarted_by_force(used: libvirt.virConnect) -> None:
    # force is for stopping and removing
    before = snapshot(used)
    assert apply(name="lab", mtu=9000, force=True).actions == ["define"]
    assert snapshot(used) == before


@pytest.mark.parametrize("state", ["inactive", "absent"])
@pytest.mark.parametrize("options", [{}, {"mtu": 9000}])
def test_a_network_in_use_is_not_stopped(used: libvirt.virConnect, state: str, options: dict[str, int]) -> None:
    before = snapshot(used)
    for check in (True, False):
        refused = network_task(check=check, name="lab", state=state, **options)
        assert refused.failed
        assert refused.msg == IN_USE
        assert snapshot(used) == before


@pytest.mark.parametrize(("state", "expected"), [("inactive", ["stop"]), ("absent", ["stop", "undefine"])])
def test_unless_it_is_forced(used: libvirt.virConnect, state: str, expected: list[str]) -> None:
    for run in (predict, apply):
        assert run(name="lab", state=state, force=True).actions == expected
    assert ("lab" in snapshot(used)) is (state == "inactive")
    assert used.networkLookupByName("other").isActive() == 1
    assert used.lookupByName("one").isActive() == 1


@pytest.mark.parametrize("state", ["inactive", "absent"])
def test_once_the_guests_are_gone_it_may_go(used: libvirt.virConnect, state: str) -> None:
    for name in ("one", "two"):
        used.lookupByName(name).destroy()
    assert apply(name="lab", state=state).changed


@pytest.mark.parametrize("options", [{}, {"state": "present"}, {"autostart": True}, OPTIONS])
def test_a_network_in_use_that_is_right_is_right(used: libvirt.virConnect, options: dict[str, object]) -> None:
    before = snapshot(used)
    result = apply(**{"name": "lab", **options})
    assert (result.changed, result.data["pending_restart"], result.own_warnings) == (False, False, [])
    assert snapshot(used) == before


def test_a_guest_that_is_plugged_into_the_bridge_is_a_user_too(driver: libvirt.virConnect) -> None:
    apply(**OPTIONS)
    nic = "<interface type='bridge'><source bridge='virbr7'/></interface>"
    driver.createXML(GUEST_XML.format(name="direct", nics=nic), 0)
    refused = network_task(name="lab", state="absent")
    assert "in use by guest 'direct'" in refused.msg


def test_a_transient_network_in_use_is_made_persistent(driver: libvirt.virConnect) -> None:
    driver.networkCreateXML("<network><name>lab</name><bridge name='virbr7'/><mtu size='1400'/></network>")
    start_guest(driver, "one", "lab")
    assert apply(name="lab", autostart=True).actions == ["define", "autostart on"]
    network = driver.networkLookupByName("lab")
    assert (network.isActive(), network.isPersistent(), network.autostart()) == (1, 1, 1)
