# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""A guest from nothing to nothing: each step predicted, made, and made again."""

from __future__ import annotations

import json
import os
import subprocess
import typing as t

import libvirt
import pytest

from ansible_collections.kvmops.network.tests.unit.plugins.support.guests import (
    Host,
    alter_virt_install,
    apply_guest,
    guest_task,
    make_host,
    step,
)
from ansible_collections.kvmops.network.tests.unit.plugins.support.nics import define_guest, reserved

if t.TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def host(driver: libvirt.virConnect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """Return a host whose network is stored and does not run: the test driver forgets what is stored of one that runs."""
    alter_virt_install(monkeypatch)
    return make_host(driver, tmp_path)


@pytest.fixture
def running(driver: libvirt.virConnect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """Return a host whose network runs."""
    alter_virt_install(monkeypatch)
    return make_host(driver, tmp_path, running=True)


def test_a_new_guest_has_what_the_documents_say(
    driver: libvirt.virConnect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alter_virt_install(monkeypatch, always=False)
    host = make_host(driver, tmp_path)
    result = step(host, changed=True, **host.new, state="present")
    assert result.actions == ["make disk", "reserve", "define"]
    assert result.data["domain_name"] == "wso-3332a2"
    assert result.data["ip_address"] == "192.168.100.229"
    assert result.data["network_name"] == "guests"
    assert result.data["bridge_name"] == "virbr100"
    root = host.document()
    assert root.findtext("vcpu") == "2"
    assert root.findtext("memory") == str(2 * 1024 * 1024)
    assert root.findtext("os/kernel") == host.path("vmlinuz")
    [nic] = root.findall("devices/interface")
    assert nic.find("model[@type='virtio']") is not None
    assert nic.find("source[@network='guests']") is not None
    assert [each.get("address") for each in nic.findall("mac")] == [result.data["mac"]]
    assert reserved(host.driver, "guests") == [f"192.168.100.229 {result.data['mac']} wso-3332a2"]
    disk = json.loads(_info(host.path("disks/wso-3332a2.qcow2")))
    assert (disk["format"], disk["virtual-size"]) == ("qcow2", 10 * 2**30)
    assert result.data["guest"]["state"] == "stopped"


def test_it_runs_stops_and_goes(running: Host) -> None:
    assert step(running, changed=True, **running.new).actions == ["make disk", "reserve", "define", "start"]
    assert running.driver.lookupByName("wso-3332a2").isActive()
    step(running, changed=False, **running.new)
    step(running, changed=False, name="wso-3332a2")
    assert step(running, changed=True, name="wso-3332a2", state="stopped").actions == ["stop"]
    assert step(running, changed=True, name="wso-3332a2").actions == ["start"]
    assert step(running, changed=True, name="wso-3332a2", state="absent").actions == ["stop", "undefine"]
    assert running.see()[1].keys() >= {"disks/wso-3332a2.qcow2"}
    gone = step(running, changed=True, name="wso-3332a2", state="absent", remove_disk=True, disk=running.disk)
    assert gone.actions == ["remove"]
    assert "disks/wso-3332a2.qcow2" not in running.see()[1]
    assert gone.data["guest"] is None


def test_a_paused_guest_goes_on(running: Host) -> None:
    apply_guest(**running.new)
    running.driver.lookupByName("wso-3332a2").suspend()
    assert apply_guest(name="wso-3332a2", check=True).actions == ["resume"]
    assert apply_guest(name="wso-3332a2").actions == ["resume"]
    assert running.driver.lookupByName("wso-3332a2").state()[0] == libvirt.VIR_DOMAIN_RUNNING


def test_autostart(host: Host) -> None:
    assert step(host, changed=True, **host.new, state="present", autostart=True).actions[-1] == "autostart on"
    assert host.driver.lookupByName("wso-3332a2").autostart()
    step(host, changed=False, name="wso-3332a2", state="present")
    assert step(host, changed=True, name="wso-3332a2", state="present", autostart=False).actions == ["autostart off"]


def test_absent_takes_its_reservation_and_files_and_nothing_else(host: Host) -> None:
    define_guest(host.driver, "neighbour")
    (host.folder / "configuration").mkdir()
    (host.folder / "configuration/neighbour-netconfig.sh").write_text("somebody's")
    before = host.see()
    apply_guest(**host.new, state="present", configuration=host.configuration)
    assert reserved(host.driver, "guests")
    gone = step(host, changed=True, name="wso-3332a2", state="absent")
    assert gone.actions[:2] == ["undefine", "release"]
    world, files = host.see()
    del files["disks/wso-3332a2.qcow2"]
    assert reserved(host.driver, "guests") == []
    assert (world["guests"], files) == (before[0]["guests"], before[1])


def test_the_disk_of_before_is_taken_with_what_is_on_it(host: Host) -> None:
    apply_guest(**host.new, state="present")
    apply_guest(name="wso-3332a2", state="absent")
    disk = host.folder / "disks/wso-3332a2.qcow2"
    content = disk.read_bytes()
    result = step(host, changed=True, name="wso-3332a2", disk=host.disk, network="guests", state="present")
    assert result.actions == ["reserve", "define"]
    assert any("is there already" in warning for warning in apply_guest(name="x1", **_like(host, "x1")).own_warnings)
    assert disk.read_bytes() == content


def _like(host: Host, name: str) -> dict[str, t.Any]:
    _make(host.path(f"disks/{name}.qcow2"))
    return {"disk": host.disk, "state": "present"}


def test_changes_are_stored_and_wait_for_the_next_start(running: Host) -> None:
    apply_guest(**running.new)
    changed = step(running, changed=True, name="wso-3332a2", memory="4GiB", vcpus=3)
    assert changed.data["guest"]["pending_changes"] == ["vcpus", "memory"]
    assert any("takes effect when the guest is stopped and started" in warning for warning in changed.own_warnings)
    later = step(running, changed=False, name="wso-3332a2", memory="4096", vcpus=3)
    assert later.data["guest"]["pending_changes"] == ["vcpus", "memory"]
    step(running, changed=True, name="wso-3332a2", state="stopped")
    assert step(running, changed=True, name="wso-3332a2").data["guest"]["pending_changes"] == []
    root = running.document()
    assert (root.findtext("vcpu"), root.findtext("memory")) == ("3", str(4 * 1024 * 1024))


def test_a_mac_address_waits_for_the_next_start(running: Host) -> None:
    apply_guest(**running.new)
    task = {"name": "wso-3332a2", "network": "guests", "mac": "52:54:00:00:00:99"}
    changed = step(running, changed=True, **task)
    assert changed.data["guest"]["pending_changes"] == ["mac"]
    assert any("runs with another mac than is stored" in warning for warning in changed.own_warnings)
    step(running, changed=True, name="wso-3332a2", state="stopped")
    assert step(running, changed=True, **task).data["guest"]["pending_changes"] == []


def test_what_it_boots_from_changes(host: Host) -> None:
    apply_guest(**host.new, initrd=host.path("initrd"), cmdline="console=ttyS0 a=b", state="present")
    root = host.document()
    assert (root.findtext("os/initrd"), root.findtext("os/cmdline")) == (host.path("initrd"), "console=ttyS0 a=b")
    step(host, changed=True, name="wso-3332a2", state="present", iso=host.path("install.iso"))
    root = host.document()
    assert root.find("os/kernel") is None
    assert _cdroms(root) == [host.path("install.iso")]
    step(host, changed=True, name="wso-3332a2", state="present", iso=host.path("other.iso"))
    assert _cdroms(host.document()) == [host.path("other.iso")]
    step(host, changed=True, **{**host.new, "state": "present"})
    root = host.document()
    assert (root.findtext("os/kernel"), root.find("os/cmdline"), _cdroms(root)) == (host.path("vmlinuz"), None, [])


def test_a_copy_of_an_image_and_a_difference_from_one(host: Host) -> None:
    copy = {"name": "copy", "state": "present", "disk": {**host.disk, "size": "1"}, "image": host.path("small.qcow2")}
    step(host, changed=True, **copy)
    info = json.loads(_info(host.path("disks/copy.qcow2")))
    assert (info["virtual-size"], "backing-filename" in info) == (2**30, False)
    step(host, changed=True, name="thin", state="present", disk=host.disk, image=host.path("large.qcow2"), image_use="backing")
    info = json.loads(_info(host.path("disks/thin.qcow2")))
    assert (info["virtual-size"], info["backing-filename"]) == (12 * 2**30, host.path("large.qcow2"))
    raw = {"name": "raw", "state": "present", "disk": {**host.disk, "format": "raw", "size": "64MiB", "bus": "sata"}}
    step(host, changed=True, **raw, image=host.path("small.qcow2"))
    target = host.document("raw").find("devices/disk/target")
    assert target is not None
    assert (target.get("dev"), target.get("bus")) == ("sda", "sata")


def test_a_disk_on_which_another_one_builds_is_kept(host: Host) -> None:
    apply_guest(name="golden", state="present", disk=host.disk, image=host.path("small.qcow2"))
    golden = host.path("disks/golden.qcow2")
    apply_guest(name="thin", state="present", disk=host.disk, image=golden, image_use="backing")
    for check in (True, False):
        result = guest_task(check=check, name="golden", state="absent", remove_disk=True)
        assert result.msg == (
            f"remove_disk: {golden} is a disk of the guest 'thin', or its disk builds on it; leave it to that one."
        )
    apply_guest(name="thin", state="absent", remove_disk=True)
    apply_guest(name="golden", state="absent", remove_disk=True)
    assert not os.path.exists(golden)


def test_addresses_that_meet_are_told_apart_and_kept(host: Host) -> None:
    def addresses() -> list[str]:
        return [
            apply_guest(**{**host.new, "name": name}, state="present", address="auto").data["ip_address"]
            for name in ("test-vm", "wso-test")
        ]

    assert addresses() == ["192.168.100.22", "192.168.100.23"]
    assert addresses() == ["192.168.100.22", "192.168.100.23"]
    apply_guest(name="test-vm", state="absent")
    # the one that is left stays where it is
    assert apply_guest(**{**host.new, "name": "wso-test"}, state="present", address="auto").data["ip_address"] == "192.168.100.23"


def test_an_address_of_ones_own_and_none(host: Host) -> None:
    assert step(host, changed=True, **host.new, state="present", address="192.168.100.9").data["ip_address"] == "192.168.100.9"
    step(host, changed=False, **host.new, state="present")
    assert step(host, changed=True, **host.new, state="present", address="192.168.100.10").actions == ["reserve", "release"]
    assert step(host, changed=True, **host.new, state="present", address="none").data["ip_address"] is None
    assert step(host, changed=True, **host.new, state="present", address="auto").data["ip_address"] == "192.168.100.229"


def test_the_nic_is_isolated_and_has_a_mac_of_its_own(host: Host) -> None:
    step(host, changed=True, **host.new, state="present", isolated=True, mac="52:54:00:AA:BB:CC")
    nic = host.document().find("devices/interface")
    assert nic is not None
    assert nic.find("port[@isolated='yes']") is not None
    assert nic.find("mac[@address='52:54:00:aa:bb:cc']") is not None
    assert step(host, changed=True, **host.new, state="present", isolated=False).actions == ["define NIC"]


def test_the_configuration_is_compared_by_what_it_says(host: Host) -> None:
    task = {**host.new, "state": "present", "configuration": host.configuration}
    made = step(host, changed=True, **task)
    script = host.folder / "configuration/wso-3332a2-netconfig.sh"
    assert "address=192.168.100.229" in script.read_text()
    assert script.stat().st_mode & 0o777 == 0o755
    script.write_text("somebody wrote this")
    assert step(host, changed=True, **task).actions == ["write"]
    moved = step(host, changed=True, **task, address="192.168.100.5")
    assert "write" in moved.actions
    assert "address=192.168.100.5" in script.read_text()
    if host.configuration["seed"]:
        assert "make CD-ROM" in moved.actions
        assert made.data["guest"]["seed"] == host.path("configuration/wso-3332a2-cidata.iso")
        assert _cdroms(host.document()) == [made.data["guest"]["seed"]]
        without = step(host, changed=True, **{**task, "configuration": {**host.configuration, "seed": False}})
        assert without.actions == ["remove", "define"]
        assert _cdroms(host.document()) == []


def test_an_address_in_the_second_subnet_has_its_gateway(host: Host) -> None:
    network = host.driver.networkLookupByName("guests")
    text = network.XMLDesc(0).replace("</network>", "<ip address='10.9.0.1' prefix='16'/></network>")
    host.driver.networkDefineXML(text)
    apply_guest(**host.new, state="present", address="10.9.1.2", configuration=host.configuration)
    script = (host.folder / "configuration/wso-3332a2-netconfig.sh").read_text()
    assert "\naddress=10.9.1.2\nprefix=16\nnetmask=255.255.0.0\ngateway=10.9.0.1\n" in script


def test_somebody_elses_guest_can_be_started_and_changed(host: Host) -> None:
    define_guest(host.driver, "web")
    step(host, changed=True, name="web", memory="16MiB", state="present")
    assert step(host, changed=True, name="web").data["guest"]["managed"] is False
    assert "was not made by this module" in guest_task(name="web", state="absent").msg
    step(host, changed=True, name="web", state="absent", force=True)


def _cdroms(root: t.Any) -> list[str]:
    return [each.find("source").get("file") for each in root.findall("devices/disk[@device='cdrom']")]


def _info(path: str) -> str:
    return subprocess.run(["qemu-img", "info", "--output=json", path], check=True, stdout=subprocess.PIPE, text=True).stdout


def _make(path: str) -> None:
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, "10G"], check=True)
