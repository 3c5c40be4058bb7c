# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Waiting for addresses, which libvirt's test driver makes up for guests that run."""

from __future__ import annotations

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import Guests
from ansible_collections.kvmops.network.tests.unit.plugins.support.nics import (
    Options,
    apply_nic,
    apply_nics,
    define_guest,
    define_network,
    hide_made_up_targets,
    make_nic,
    nic_task,
    nics_task,
    reserved,
    world,
)

LAN, WAN, DB = (f"52:54:00:00:00:{number:02x}" for number in (1, 2, 3))


@pytest.fixture
def host(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> libvirt.virConnect:
    """Return a host with two guests that run; the network does not, so that what it reserves is only stored."""
    hide_made_up_targets(monkeypatch)
    define_network(driver, "lab", "<ip address='192.168.101.1' prefix='24'/>")
    define_guest(
        driver,
        "web",
        make_nic(LAN, "network='lab'", alias="lan"),
        make_nic(WAN, "bridge='br0'", kind="bridge", alias="wan"),
        running=True,
    )
    define_guest(driver, "db", make_nic(DB, "network='lab'", alias="lan"), running=True)
    return driver


def forget_addresses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let nobody see any address. Return who was asked."""
    asked: list[str] = []

    def see(_self: Guests, _name: str, origin: str) -> list[object]:
        asked.append(origin)
        return []

    monkeypatch.setattr(Guests, "addresses", see)
    return asked


@pytest.mark.parametrize("alias", ["lan", "wan"])
def test_an_address_that_is_there_is_returned_at_once(host: libvirt.virConnect, alias: str) -> None:
    before = world(host)
    result = apply_nic(alias=alias, wait_for_address=True, address_timeout=0)
    assert not result.changed
    [seen] = result.data["nic"]["addresses"]
    assert seen["address"].startswith("192.168.")
    assert seen["prefix"] == 24
    assert set(seen["origins"]) == {"lease", "agent", "arp"}
    assert world(host) == before


def test_one_that_does_not_come_is_missed_with_what_was_seen(host: libvirt.virConnect) -> None:
    task: Options = {"alias": "lan", "reservation": {"ipv4": "192.168.101.10"}, "wait_for_address": True, "address_timeout": 0}
    assert apply_nic(check=True, **task).changed
    result = nic_task(**task)
    [seen] = {each["address"] for each in result.data["nic"]["addresses"]}
    assert result.msg == (
        f"The guest 'web' has not got 192.168.101.10 on its NIC {LAN} within 0 seconds. Seen was {seen} (lease); {seen} (agent); "
        f"{seen} (arp). Is the old lease still valid, and was it renewed in the guest?"
    )
    # what is reserved stays: it comes with the next lease
    assert (result.failed, result.changed) == (True, True)
    assert reserved(host) == [f"192.168.101.10 {LAN}"]
    assert nic_task(**task).changed is False


def test_none_at_all(host: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    before = world(host)
    asked = forget_addresses(monkeypatch)
    result = nic_task(alias="lan", wait_for_address=True, address_timeout=0)
    assert result.msg == (
        f"The guest 'web' has not got an address on its NIC {LAN} within 0 seconds. Nothing was seen: no lease, no agent, nobody "
        "who answers. Has the guest booted, does it ask for an address on this NIC, and does a DHCP server answer there?"
    )
    assert not result.changed
    assert set(asked) == {"lease", "agent", "arp"}
    assert world(host) == before


@pytest.mark.usefixtures("host")
def test_nobody_waits_in_check_mode_or_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = forget_addresses(monkeypatch)
    for options in ({"check": True, "wait_for_address": True}, {}):
        result = apply_nic(alias="lan", **options)
        assert result.data["nic"]["addresses"] == []
    # the guest itself is not asked, which would take time where its agent hangs
    assert "agent" not in asked


def test_the_others_are_done_before_anybody_is_waited_for(host: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    nics: list[Options] = [
        {"alias": "lan", "wait_for_address": True, "reservation": {"ipv4": "192.168.101.10"}},
        {"domain": "db", "alias": "lan", "reservation": {"ipv4": "192.168.101.11"}},
    ]
    result = nics_task(*nics, address_timeout=0)
    assert result.failed
    assert [each["status"] for each in result.data["nics"]] == ["failed", "changed"]
    assert result.msg.endswith("and was it renewed in the guest? The NICs of 'db' are as asked for.")
    assert reserved(host) == [f"192.168.101.10 {LAN}", f"192.168.101.11 {DB}"]
    forget_addresses(monkeypatch)
    assert not apply_nics(nics[1]).changed
