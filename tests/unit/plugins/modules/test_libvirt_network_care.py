# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What is there already is treated with care: what others wrote, what libvirt takes and we would not, and what is being done."""

from __future__ import annotations

import os
import signal
import typing as t

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import apply, dump, network_task, predict

# The schema knows no such name of a TXT record and no two reservations of one address; the daemon takes both.
ODD = """
<network><name>odd</name><forward mode='nat'/><bridge name='virbr7'/>
  <dns><txt name='_dmarc.example' value='v=DMARC1'/></dns>
  <ip address='192.168.101.1' prefix='24'><dhcp>
    <host mac='52:54:00:00:00:0a' ip='192.168.101.10'/>
    <host mac='52:54:00:00:00:0b' ip='192.168.101.10'/>
  </dhcp></ip>
</network>
"""
NOTE = "<a:x xmlns:a='urn:a'>note: <a:y/>tail <!-- why --><a:z b='1'>v</a:z></a:x>"


def test_what_libvirt_took_before_is_no_reason_to_refuse_another_change(driver: libvirt.virConnect) -> None:
    driver.networkDefineXML(ODD)
    for task in (predict, apply):
        assert task(name="odd", state="present", mtu=1400).changed
    assert "_dmarc.example" in dump(driver, "odd")
    assert dump(driver, "odd").count("192.168.101.10") == 2
    assert not apply(name="odd", state="present", mtu=1400).changed


def test_a_new_mistake_beside_an_old_one_is_refused(driver: libvirt.virConnect) -> None:
    driver.networkDefineXML(ODD)
    mistyped = ODD.replace("<dns>", "<bandwith/><dns>")
    assert "bandwith" in network_task(name="odd", state="present", xml=mistyped).msg
    result = network_task(name="odd", state="present", mtu=14)
    assert result.msg == "mtu: '14' is not possible; choose a value from 68 to 65535 bytes."


def test_what_others_wrote_is_left_to_the_letter(driver: libvirt.virConnect) -> None:
    document = f"<network><name>noted</name><metadata>{NOTE}</metadata></network>"
    apply(name="noted", xml=document)
    kept = dump(driver, "noted")
    assert "note: <a:y/>tail <!-- why -->" in kept
    assert not apply(name="noted", xml=document).changed
    apply(name="noted", mtu=1400)
    assert "note: <a:y/>tail <!-- why -->" in dump(driver, "noted")
    assert not apply(name="noted", mtu=1400).changed


@pytest.mark.parametrize("check", [True, False])
def test_another_network_of_the_same_name_is_not_removed(driver: libvirt.virConnect, check: bool) -> None:
    uuid = driver.networkDefineXML("<network><name>mine</name></network>").UUIDString()
    other = "1b4f0c34-3a39-4a26-a21f-6f0a3b1e0a6e"
    result = network_task(name="mine", state="absent", uuid=other, check=check)
    assert result.msg == f"uuid: the network 'mine' has {uuid}, not '{other}'; it is another one. Correct name or uuid."
    assert dump(driver, "mine")
    assert network_task(name="mine", state="absent", uuid=uuid, check=check).changed


def test_a_signal_waits_until_the_network_runs_again(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    apply(name="lab", mtu=1400)
    seen: list[bool] = []
    previous = signal.signal(signal.SIGHUP, lambda *_: seen.append(driver.networkLookupByName("lab").isActive() == 1))
    real = Connection.stop_network

    def stop_and_lose_the_connection(self: Connection, name: str) -> None:
        real(self, name)
        os.kill(os.getpid(), signal.SIGHUP)
        assert seen == []

    monkeypatch.setattr(Connection, "stop_network", stop_and_lose_the_connection)
    try:
        apply(name="lab", mtu=9000)
    finally:
        signal.signal(signal.SIGHUP, previous)
    assert seen == [True]


def test_a_network_that_goes_while_it_is_read_is_no_failure(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    driver.networkDefineXML("<network><name>brief</name></network>")
    real: t.Callable[..., t.Any] = Connection._read_record

    def vanish(self: Connection, network: t.Any) -> t.Any:
        if network.name() == "brief":
            network.undefine()
        return real(self, network)

    monkeypatch.setattr(Connection, "_read_record", vanish)
    assert apply(name="lab", mtu=1400).changed


def test_a_daemon_of_networks_that_does_not_answer_is_said_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    class HalfThere:
        def listAllNetworks(self, _flags: int) -> t.NoReturn:
            # what libvirt raises for a socket that is not there
            libvirt.open("qemu+unix:///system?socket=/nonexistent/virtnetworkd-sock")
            raise AssertionError("nothing answers there")

        def close(self) -> None:
            pass

    real = libvirt.open
    half = HalfThere()
    monkeypatch.setattr(libvirt, "open", lambda uri: real(uri) if "nonexistent" in uri else half)
    result = network_task(name="lab", mtu=1400)
    assert "libvirt's daemon virtnetworkd does not answer at test:///default" in result.msg
    assert "'systemctl start virtnetworkd'" in result.msg
    assert result.data["requirement"] == "daemon"
