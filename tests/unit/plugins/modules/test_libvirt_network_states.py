# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""From each state to each other, in check mode, for real, and again."""

from __future__ import annotations

import typing as t

import libvirt
import pytest

from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import apply, dump, network_task, predict, snapshot

STOCK: dict[str, t.Any] = {
    "forward": {"mode": "nat"},
    "bridge": {"name": "virbr0"},
    "ips": [
        {
            "address": "192.168.122.1",
            "netmask": "255.255.255.0",
            "dhcp": {"ranges": [{"start": "192.168.122.2", "end": "192.168.122.254"}]},
        }
    ],
}
XML = """
<network><name>default</name><forward mode='nat'/><bridge name='virbr0'/>
<ip address='192.168.122.1' netmask='255.255.255.0'><dhcp><range start='192.168.122.2' end='192.168.122.254'/></dhcp></ip>
</network>
"""

# active, persistent, autostart
Flags = t.Optional[tuple[int, int, int]]


def flags(driver: libvirt.virConnect, name: str = "default") -> Flags:
    """Return what libvirt says of the network."""
    found = snapshot(driver).get(name)
    return found[1:] if found else None


def bring_into(driver: libvirt.virConnect, state: str) -> None:
    """Make the network without our own code."""
    if state == "transient":
        driver.networkCreateXML(XML)
    elif state != "absent":
        network = driver.networkDefineXML(XML)
        if "runs" in state:
            network.create()
        if "autostart" in state:
            network.setAutostart(1)


def run_ladder(driver: libvirt.virConnect, *, expected: list[str], **task: t.Any) -> None:
    """Predict, apply, predict, apply; the second half has nothing to do."""
    before = snapshot(driver)
    predicted = predict(name="default", **task)
    assert snapshot(driver) == before
    real = apply(name="default", **task)
    for result in (predicted, real):
        assert result.actions == expected
        assert result.changed is bool(expected)
        assert (result.diff is not None) is bool(expected)
    after = snapshot(driver)
    for again in (predict, apply):
        result = again(name="default", **task)
        assert (result.actions, result.changed, result.diff) == ([], False, None)
        assert snapshot(driver) == after


@pytest.mark.parametrize(
    ("there", "task", "expected", "flags_after"),
    [
        # seed 000-1, 000-5, 000-9, 001-13: defined, started, autostarted
        ("absent", {"state": "active", **STOCK}, ["define", "autostart on", "start"], (1, 1, 1)),
        ("absent", {**STOCK}, ["define", "autostart on", "start"], (1, 1, 1)),
        ("absent", {"state": "active", "autostart": False, **STOCK}, ["define", "start"], (1, 1, 0)),
        ("absent", {"state": "present", **STOCK}, ["define", "autostart on"], (0, 1, 1)),
        ("absent", {"state": "inactive", **STOCK}, ["define"], (0, 1, 0)),
        ("absent", {"state": "inactive", "autostart": True, **STOCK}, ["define", "autostart on"], (0, 1, 1)),
        ("absent", {"state": "absent"}, [], None),
        ("absent", {"state": "absent", **STOCK}, [], None),
        # seed 000-6: it is there, but does not run
        ("stored", {"state": "active"}, ["start"], (1, 1, 0)),
        # seed 000-7: it does not start at boot
        ("stored", {"state": "active", "autostart": True}, ["autostart on", "start"], (1, 1, 1)),
        ("stored", {"state": "present"}, [], (0, 1, 0)),
        ("stored", {"state": "present", "autostart": True}, ["autostart on"], (0, 1, 1)),
        ("stored", {"state": "inactive"}, [], (0, 1, 0)),
        ("stored", {"state": "absent"}, ["undefine"], None),
        ("stored", {"state": "active", **STOCK}, ["start"], (1, 1, 0)),
        ("stored autostart", {"state": "active"}, ["start"], (1, 1, 1)),
        # seed 000-9: a second run changes nothing
        ("runs autostart", {"state": "active", "autostart": True}, [], (1, 1, 1)),
        ("runs", {"state": "active"}, [], (1, 1, 0)),
        ("runs", {"state": "active", **STOCK}, [], (1, 1, 0)),
        ("runs", {"state": "active", "definition": "replace", **STOCK}, [], (1, 1, 0)),
        ("runs", {"state": "present"}, [], (1, 1, 0)),
        # seed 001-34
        ("runs", {"state": "inactive"}, ["stop"], (0, 1, 0)),
        ("runs autostart", {"state": "inactive"}, ["stop"], (0, 1, 1)),
        # seed 001-35
        ("runs autostart", {"autostart": False}, ["autostart off"], (1, 1, 0)),
        # seed 001-36: stopped first
        ("runs autostart", {"state": "absent"}, ["stop", "undefine"], None),
        # seed P13: a transient network is made persistent
        ("transient", {"state": "active"}, ["define"], (1, 1, 0)),
        ("transient", {"state": "active", "autostart": True}, ["define", "autostart on"], (1, 1, 1)),
        ("transient", {"state": "active", **STOCK}, ["define"], (1, 1, 0)),
        ("transient", {"state": "inactive"}, ["define", "stop"], (0, 1, 0)),
        ("transient", {"state": "absent"}, ["stop"], None),
    ],
)
def test_from_each_state_to_each_other(
    driver: libvirt.virConnect, there: str, task: dict[str, t.Any], expected: list[str], flags_after: Flags
) -> None:
    bring_into(driver, there)
    run_ladder(driver, expected=expected, **task)
    assert flags(driver) == flags_after


def test_the_result_says_what_is_there(driver: libvirt.virConnect) -> None:
    result = apply(name="default", **STOCK)
    network = driver.networkLookupByName("default")
    assert {key: value for key, value in result.network.items() if key != "xml"} == {
        "name": "default",
        "uuid": network.UUIDString(),
        "exists": True,
        "active": True,
        "persistent": True,
        "autostart": True,
        "bridge": "virbr0",
        "definition": {
            "forward": {"mode": "nat"},
            "bridge": {"name": "virbr0"},
            "ips": [
                {
                    "address": "192.168.122.1",
                    "prefix": 24,
                    "dhcp": {"ranges": [{"start": "192.168.122.2", "end": "192.168.122.254"}]},
                }
            ],
        },
    }
    assert result.data["pending_restart"] is False


def test_nothing_is_shown_of_a_network_that_is_gone(driver: libvirt.virConnect) -> None:
    bring_into(driver, "runs")
    for run in (predict, apply):
        gone = run(name="default", state="absent").network
        assert (gone["exists"], gone["uuid"], gone["xml"], gone["definition"]) == (False, None, None, {})


def test_a_definition_that_does_not_fit_the_schema_may_be_started(driver: libvirt.virConnect) -> None:
    # somebody else stored it, and the task says nothing of it
    driver.networkDefineXML("<network><name>default</name><domain name='a b'/></network>")
    run_ladder(driver, state="active", expected=["start"])


def test_other_networks_are_left_alone(driver: libvirt.virConnect) -> None:
    # names of which one is contained in the other
    for name in ("defaul", "default2", "Default"):
        driver.networkDefineXML(f"<network><name>{name}</name></network>").create()
    others = snapshot(driver)
    apply(name="default", **STOCK)
    apply(name="default", mtu=1400)
    apply(name="default", state="absent")
    assert snapshot(driver) == others


@pytest.mark.usefixtures("driver")
def test_uuid_and_bridge_survive_everything() -> None:
    first = apply(name="lab", bridge={"name": "virbr7"}, mac="52:54:00:00:00:01", mtu=1400)
    for change in ({"mtu": 1500}, {"definition": "replace", "mtu": 1600}, {"state": "inactive", "mtu": 1700}):
        changed = apply(name="lab", **change)
        assert changed.changed
        assert changed.network["uuid"] == first.network["uuid"]
        assert changed.network["bridge"] == "virbr7"
        assert changed.network["definition"]["mac"] == "52:54:00:00:00:01"


def test_a_uuid_can_be_given_to_a_new_network(driver: libvirt.virConnect) -> None:
    uuid = "1B4F0C34-3A39-4A26-A21F-6F0A3B1E0A6E"
    assert apply(name="lab", uuid=uuid, mtu=1400).network["uuid"] == uuid.lower()
    assert f"<uuid>{uuid.lower()}</uuid>" in dump(driver, "lab")
    assert not apply(name="lab", uuid=uuid, mtu=1400).changed


@pytest.mark.usefixtures("driver")
def test_without_diff_none_is_made() -> None:
    result = network_task(diff=False, name="default", **STOCK)
    assert result.changed
    assert "diff" not in result.data


@pytest.mark.usefixtures("driver")
def test_a_daemon_elsewhere_is_warned_of_where_the_host_would_have_been_looked_at() -> None:
    assert apply(name="default", **STOCK).warnings == (
        "The daemon at test:///default is not this host's: its addresses, routes and interfaces are not checked.",
    )
