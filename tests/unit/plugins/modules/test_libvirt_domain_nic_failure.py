# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""A step that fails: everything is put back as it was, and the sentence says so. The faults are made, but for one."""

from __future__ import annotations

import typing as t

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import LibvirtError
from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import Guests
from ansible_collections.kvmops.network.tests.unit.plugins.support.lists import break_verb
from ansible_collections.kvmops.network.tests.unit.plugins.support.nics import (
    Hotplug,
    Options,
    apply_nic,
    apply_nics,
    break_guests,
    define_guest,
    define_network,
    facts_of,
    hide_made_up_targets,
    interfaces,
    make_nic,
    nic_facts,
    nic_task,
    nics_task,
    reserved,
    world,
)

LAN, WAN, NEW, OFF = (f"52:54:00:00:00:{number:02x}" for number in (1, 2, 3, 4))
NEW_NIC: Options = {"alias": "new", "mac": NEW, "source": {"bridge": "br0"}}
BACK = "Everything was put back as it was."


@pytest.fixture
def host(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> libvirt.virConnect:
    """Return a host with a guest that runs, one that is off, and two networks that do not run."""
    hide_made_up_targets(monkeypatch)
    define_network(driver, "lab", "<ip address='192.168.101.1' prefix='24'/>")
    define_network(driver, "lab2", "<ip address='192.168.102.1' prefix='24'/>")
    lan, wan = make_nic(LAN, "network='lab'", alias="lan"), make_nic(WAN, "bridge='br0'", kind="bridge", alias="wan")
    define_guest(driver, "web", lan, wan, running=True)
    define_guest(driver, "off", make_nic(OFF, "network='lab'", alias="lan"))
    return driver


@pytest.fixture
def plugs(host: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> Hotplug:
    """Return the NICs of running guests, which can be changed."""
    assert host.isAlive()
    return Hotplug(monkeypatch)


def failed(doing: str, guest: str = "web") -> str:
    return f"The guest '{guest}': '{doing}' failed: the disk is full. {BACK}"


# --- a guest that is off --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "task", [{"alias": "lan", "mtu": 1400}, {"alias": "lan", "state": "absent"}, NEW_NIC], ids=["change", "remove", "add"]
)
def test_what_cannot_be_stored_is_as_it_was(host: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch, task: Options) -> None:
    before = world(host)
    with monkeypatch.context() as patched:
        break_guests(patched, "define", guest="off")
        result = nic_task(domain="off", **task)
    assert (result.failed, result.changed, result.msg) == (True, False, failed("define", "off"))
    assert result.actions == ["define"]
    assert world(host) == before
    # nothing stands in the way of the next try
    assert apply_nic(domain="off", **task).changed


def test_a_reservation_goes_with_what_could_not_be_stored(host: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    apply_nic(domain="off", alias="lan", reservation={"ipv4": "192.168.101.10", "hostname": "off"})
    before = world(host)
    break_guests(monkeypatch, "define", guest="off", times=3)
    for task in (
        {"alias": "lan", "mtu": 1400, "reservation": {"ipv4": "192.168.101.11"}},
        {"alias": "lan", "state": "absent"},
        {"alias": "lan", "source": {"network": "lab2"}, "reservation": {"ipv4": "192.168.102.10"}},
    ):
        assert nic_task(domain="off", **task).msg == failed("define", "off")
        assert world(host) == before


@pytest.mark.parametrize("broken", ["lab", "lab2"])
def test_a_reservation_that_cannot_be_made(host: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    apply_nic(domain="off", alias="lan", reservation={"ipv4": "192.168.101.10"})
    before = world(host)
    break_verb(monkeypatch, "define_network", broken)
    result = nic_task(domain="off", alias="lan", source={"network": "lab2"}, reservation={"ipv4": "192.168.102.10"}, link="down")
    assert result.msg == f"The reservations of the network '{broken}' could not be changed: the disk is full. {BACK}"
    assert world(host) == before


def test_what_libvirt_keeps_differently_is_noticed(host: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    before = world(host)
    real = Guests.define

    def define_another(self: Guests, xml: str) -> None:
        real(self, xml.replace("1400", "1500"))

    monkeypatch.setattr(Guests, "define", define_another)
    assert nic_task(domain="off", alias="lan", mtu=1400).msg == (
        f"The guest 'off': 'verify' failed: libvirt keeps another definition of the NIC {OFF} than was asked for: mtu. {BACK}"
    )
    assert world(host) == before


def test_what_libvirt_did_not_do_is_noticed(host: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    before = world(host)
    monkeypatch.setattr(Guests, "define", lambda _self, _xml: None)
    assert nic_task(domain="off", alias="lan", state="absent").msg == (
        f"The guest 'off': 'verify' failed: libvirt said that it was done, but the NIC {OFF} is still there. {BACK}"
    )
    assert world(host) == before


def test_a_failure_of_putting_back_is_said_too(host: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    break_guests(monkeypatch, "read", guest="off", skipped=1)
    break_guests(monkeypatch, "define", guest="off", skipped=1)
    result = nic_task(domain="off", alias="lan", mtu=1400)
    assert result.msg == (
        "The guest 'off': 'verify' failed: the disk is full. Not everything could be put back: its stored definition (the disk "
        "is full)."
    )
    assert result.changed
    assert "mtu/@size=1400" in nic_facts(host, "off")


def test_somebody_else_changes_the_nics_meanwhile(host: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    before = world(host)
    meanwhile(monkeypatch, host, f"<mac address='{OFF}'/>", f"<mac address='{NEW}'/>")
    result = nic_task(domain="off", alias="lan", mtu=1400)
    assert result.msg == (
        "The guest 'off': 'define' failed: somebody else changed the NICs of the guest meanwhile; run the task again. " + BACK
    )
    # his change stays
    assert {f"mac/@address={NEW}", "alias/@name=ua-lan"} <= nic_facts(host, "off")
    assert world(host)["guests"]["web"] == before["guests"]["web"]


def test_somebody_else_changes_something_else_meanwhile(host: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    meanwhile(monkeypatch, host, "<input type='tablet' bus='usb'/>", "<input type='mouse' bus='usb'/>")
    assert apply_nic(domain="off", alias="lan", mtu=1400).changed
    assert "<input type='mouse'" in host.lookupByName("off").XMLDesc(0)
    assert "mtu/@size=1400" in nic_facts(host, "off")


def meanwhile(monkeypatch: pytest.MonkeyPatch, host: libvirt.virConnect, old: str, new: str) -> None:
    """Let somebody change the guest that is off between the plan and what is done."""
    real = Guests.read_whole

    def read(self: Guests, name: str) -> str:
        text = real(self, name)
        assert old in text
        host.defineXML(text.replace(old, new))
        return real(self, name)

    monkeypatch.setattr(Guests, "read_whole", read)


def test_a_guest_that_vanishes_meanwhile(host: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Guests.read_whole

    def read(self: Guests, name: str) -> str:
        host.lookupByName(name).undefine()
        return real(self, name)

    monkeypatch.setattr(Guests, "read_whole", read)
    result = nic_task(domain="off", alias="lan", mtu=1400)
    assert result.msg == f"The guest 'off': 'define' failed: The guest 'off' is gone. {BACK}"
    assert result.data["nic"] is None
    assert "off" not in world(host)["guests"]


# --- a guest that runs ----------------------------------------------------------------------------------------------------------


def test_what_the_driver_cannot_do_is_put_back(host: libvirt.virConnect) -> None:
    # no fault is made here: libvirt's test driver plugs nothing in, and says so in the words of its version
    define_network(host, "run", "<ip address='192.168.103.1' prefix='24'/>", running=True)
    before = world(host)
    for task, doing in (
        ({**NEW_NIC, "source": {"network": "run"}}, f"attach {NEW}"),
        ({"alias": "lan", "link": "down", "reservation": {"ipv4": "192.168.101.10"}}, f"update {LAN}"),
        ({"alias": "wan", "state": "absent"}, f"detach {WAN}"),
        ({"alias": "wan", "mtu": 1400, "replug": "always"}, f"replug {WAN}"),
    ):
        result = nic_task(**task)
        assert result.msg.startswith(f"The guest 'web': '{doing}' failed: ")
        assert result.msg.endswith(f". {BACK}")
        assert (result.failed, result.changed) == (True, False)
        assert world(host) == before


def test_a_running_guest_is_changed_and_again(host: libvirt.virConnect, plugs: Hotplug) -> None:
    # that what follows tests the faults, and not the simulation
    lan, wan, new = {"alias": "lan", "link": "down"}, {"alias": "wan", "mtu": 1400, "replug": "always"}, NEW_NIC
    gone: Options = {"alias": "new", "state": "absent"}
    for task, calls in (
        (lan, [f"update {LAN}"]),
        (wan, [f"detach {WAN}", f"attach {WAN}"]),
        (new, [f"attach {NEW}"]),
        (gone, [f"detach {NEW}"]),
    ):
        plugs.calls.clear()
        predicted, real = apply_nic(check=True, **task), apply_nic(**task)
        assert plugs.calls == calls
        assert (predicted.data["actions"], predicted.diff) == (real.data["actions"], real.diff)
        assert real.own_warnings == []
        assert not apply_nic(**task).changed
        assert plugs.calls == calls
    assert "link/@state=down" in plugs.facts()[0]
    assert "mtu/@size=1400" in plugs.facts()[1]
    assert len(interfaces(host)) == len(plugs.facts()) == 2


@pytest.mark.parametrize(
    ("task", "verb", "doing", "calls"),
    [
        (NEW_NIC, "attach", f"attach {NEW}", []),
        (NEW_NIC, "define", "define", [f"attach {NEW}", f"detach {NEW}"]),
        ({"alias": "wan", "link": "down"}, "define", "define", []),
        ({"alias": "wan", "link": "down"}, "update", f"update {WAN}", []),
        ({"alias": "wan", "state": "absent"}, "detach", f"detach {WAN}", []),
        (
            {"alias": "wan", "mtu": 1400, "replug": "always"},
            "attach",
            f"replug {WAN}",
            [f"detach {WAN}", f"attach {WAN}"],
        ),
    ],
    ids=["attach", "define after attach", "define", "update", "detach", "plugging in anew"],
)
def test_a_step_that_fails_is_taken_back(
    host: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch, task: Options, verb: str, doing: str, calls: list[str]
) -> None:
    plugs = Hotplug(monkeypatch)
    assert not apply_nic(alias="wan").changed
    stored, running = world(host), plugs.facts()
    with monkeypatch.context() as patched:
        # a definition is tried once more without the place of the new NIC
        break_guests(patched, verb, times=2 if verb == "define" and "attach" in str(calls) else 1)
        result = nic_task(**task)
    assert (result.failed, result.changed, result.msg) == (True, False, failed(doing))
    assert plugs.calls == calls
    assert (world(host), plugs.facts()) == (stored, running)
    assert apply_nic(**task).changed


def test_a_nic_whose_move_fails_keeps_its_cable(host: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    plugs = Hotplug(monkeypatch)
    assert not apply_nic(alias="wan").changed
    stored, running = world(host), plugs.facts()
    # its link goes down first, so that the guest notices
    told = break_guests(monkeypatch, "update", skipped=1)
    result = nic_task(alias="wan", source={"bridge": "br1"})
    assert result.msg == failed(f"update {WAN}")
    assert ['state="down"' in xml for xml in told] == [True, False, False]
    assert (world(host), plugs.facts()) == (stored, running)


def test_steps_that_were_done_are_taken_back_in_turn(host: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    plugs = Hotplug(monkeypatch)
    assert not apply_nic(alias="wan").changed
    stored, running = world(host), plugs.facts()
    break_guests(monkeypatch, "detach")
    result = nics_task(
        NEW_NIC,
        {"alias": "lan", "link": "down", "reservation": {"ipv4": "192.168.101.10"}},
        {"alias": "wan", "state": "absent"},
    )
    assert result.msg == f"{failed(f'detach {WAN}')} No other guest was changed."
    assert plugs.calls == [f"attach {NEW}", f"update {LAN}", f"update {LAN}", f"detach {NEW}"]
    assert (world(host), plugs.facts()) == (stored, running)
    assert [(each["status"], each["changed"]) for each in result.data["nics"]] == [("failed", False)] * 3


def test_what_cannot_be_taken_back_is_named(host: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    plugs = Hotplug(monkeypatch)
    break_guests(monkeypatch, "define", times=2)
    plugs.busy = True
    result = nic_task(**NEW_NIC, detach_timeout=0)
    assert result.msg.startswith(
        "The guest 'web': 'define' failed: the disk is full. Not everything could be put back: the NIC "
        f"{NEW} is plugged in (The guest 'web' has not released the NIC {NEW} within 0 seconds"
    )
    assert result.changed
    assert (result.data["nic"]["plugged"], result.data["nic"]["persistent"]) == (True, False)
    assert len(interfaces(host)) == 2


def test_a_nic_that_is_not_released_stays_to_be_removed(host: libvirt.virConnect, plugs: Hotplug) -> None:
    plugs.busy = True
    result = nic_task(alias="wan", state="absent", detach_timeout=0)
    assert result.msg == (
        f"The guest 'web' has not released the NIC {WAN} within 0 seconds: it may be booting, hanging, or without support for "
        "unplugging. What is stored is as asked for. The NIC goes when the guest releases it or stops; run the task again then, "
        "or give it more time with detach_timeout."
    )
    assert result.changed
    assert len(interfaces(host)) == 1
    assert len(plugs.facts()) == 2
    plugs.busy = False
    again = apply_nic(alias="wan", state="absent")
    assert again.actions == ["detach"]
    assert len(plugs.facts()) == 1


def test_what_libvirt_did_not_plug_in_is_noticed(host: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    before = world(host)
    monkeypatch.setattr(Guests, "attach", lambda _self, _name, _xml: None)
    monkeypatch.setattr(Guests, "detach", lambda _self, _name, _xml, **_options: True)
    assert nic_task(**NEW_NIC).msg == (
        f"The guest 'web': 'verify' failed: libvirt said that it was done, but the guest runs without the NIC {NEW}. {BACK}"
    )
    assert world(host) == before


# --- several guests -------------------------------------------------------------------------------------------------------------


def test_a_guest_that_fails_leaves_the_others_done(host: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    define_guest(host, "db", make_nic(LAN.replace("01", "99"), "network='lab'", alias="lan"))
    before = world(host)
    nics: list[Options] = [{"domain": name, "alias": "lan", "mtu": 1400} for name in ("off", "web", "db")]
    nics.append({"domain": "off", "alias": "new", "source": {"bridge": "br0"}})
    with monkeypatch.context() as patched:
        break_guests(patched, "define", guest="off")
        result = nics_task(*nics)
    assert (result.failed, result.changed) == (True, True)
    assert result.msg == f"{failed('define', 'off')} The NICs of 'web', 'db' are as asked for."
    assert [(each["domain"], each["status"], each["msg"]) for each in result.data["nics"]] == [
        ("off", "failed", failed("define", "off")),
        ("web", "changed", ""),
        ("db", "changed", ""),
        ("off", "failed", failed("define", "off")),
    ]
    assert [each["before_header"] for each in result.data["diff"]] == [f"guest web, NIC {LAN}", "guest db, NIC 52:54:00:00:00:99"]
    assert world(host)["guests"]["off"] == before["guests"]["off"]
    assert "mtu/@size=1400" in nic_facts(host, "db")
    assert [each["status"] for each in apply_nics(*nics).data["nics"]] == ["changed", "unchanged", "unchanged", "changed"]


def test_reservations_are_made_where_one_guest_fails(host: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    # they may be a swap, which nobody takes back by halves
    define_guest(host, "db", make_nic(LAN.replace("01", "99"), "network='lab'", alias="lan"))
    nics: list[Options] = [
        {"domain": "off", "alias": "lan", "mtu": 1400, "reservation": {"ipv4": "192.168.101.10"}},
        {"domain": "db", "alias": "lan", "mtu": 1400, "reservation": {"ipv4": "192.168.101.11"}},
    ]
    with monkeypatch.context() as patched:
        break_guests(patched, "define", guest="off")
        result = nics_task(*nics)
    assert [each["status"] for each in result.data["nics"]] == ["failed", "changed"]
    assert result.data["nics"][0]["msg"] == f"{failed('define', 'off')} What networks reserve for its NICs is as asked for."
    assert reserved(host) == [f"192.168.101.10 {OFF}", "192.168.101.11 52:54:00:00:00:99"]
    again = apply_nics(*nics)
    assert [each["actions"] for each in again.data["nics"]] == [["define: mtu shall change"], []]


def test_all_that_fail_are_named(host: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    before = world(host)

    def refuse(*_arguments: t.Any) -> None:
        raise LibvirtError("the disk is full")

    monkeypatch.setattr(Guests, "define", refuse)
    result = nics_task(
        {"domain": "off", "alias": "lan", "mtu": 1400, "reservation": {"ipv4": "192.168.101.10"}},
        {"alias": "wan", "mtu": 1400},
    )
    assert result.msg == f"{failed('define', 'off')} {failed('define')} No other guest was changed."
    assert not result.changed
    assert world(host) == before


def test_a_guest_that_needed_nothing_is_unchanged_beside_one_that_fails(
    host: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [facts_of(element) for element in interfaces(host)]
    break_guests(monkeypatch, "define", guest="off")
    result = nics_task({"alias": "wan"}, {"domain": "off", "alias": "lan", "mtu": 1400})
    assert [each["status"] for each in result.data["nics"]] == ["unchanged", "failed"]
    assert (result.msg, result.changed) == (f"{failed('define', 'off')} No other guest was changed.", False)
    assert [facts_of(element) for element in interfaces(host)] == before
