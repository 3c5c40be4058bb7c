# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Wrong input: each with its sentence, in check mode and for real, and no guest, network or file is changed."""

from __future__ import annotations

import typing as t

import libvirt
import pytest

from ansible_collections.kvmops.network.tests.unit.plugins.support.guests import (
    Host,
    Options,
    alter_virt_install,
    apply_guest,
    guest_task,
    make_host,
)
from ansible_collections.kvmops.network.tests.unit.plugins.support.nics import define_guest

if t.TYPE_CHECKING:
    from pathlib import Path

NO_NAME = "cannot be a host's name; use letters, digits, '-' and '.', a letter first"
NO_OS = "is no name of an operating system; give one that 'virt-install --osinfo list' shows, such as debian12."
NO_PATH = "is no absolute path of a file; give one such as /var/lib/libvirt/images/name."
NO_DIRECTORY = "is no absolute path of a directory; give one such as"
NO_ARGUMENT = "is no option of virt-install that can be added here; give options that say how the machine is"
NO_ADDRESS = "is no IPv4 address; give one such as 192.168.100.20, or auto, or none."
SETTLED = "that is settled when a guest is made. Leave it as it is, or make the guest anew."

# What is said, and the options of a guest that is not there; {folder} is the host's.
NEW: list[tuple[Options, str]] = [
    ({"name": ""}, "The guest's name is empty; give one"),
    ({"name": "a" * 64}, "has 64 characters, and a host's name has 63 at most; choose a shorter one."),
    ({"name": 'x"; reboot; "'}, NO_NAME),
    ({"name": "$(reboot)"}, NO_NAME),
    ({"name": "`reboot`"}, NO_NAME),
    ({"name": "a/../b"}, NO_NAME),
    ({"name": "<name>x</name>"}, NO_NAME),
    ({"name": "two\nlines"}, NO_NAME),
    ({"name": "--import"}, NO_NAME),
    ({"name": "a,b=c"}, NO_NAME),
    ({"name": "localhost"}, "means each host itself in DNS; choose another one."),
    ({"vcpus": 0}, "vcpus: '0' is no number of processors; give 1 at least."),
    ({"vcpus": -2}, "vcpus: '-2' is no number of processors"),
    ({"vcpus": 100000}, "vcpus: 100000 are more than the 32 that a guest of this host can have; give fewer."),
    ({"memory": "plenty"}, "memory: 'plenty' is no size; give one such as 2048 or 2GiB."),
    ({"memory": "2 GiB; reboot"}, "memory: '2 GiB; reboot' is no size"),
    ({"memory": "-1"}, "memory: '-1' is no size"),
    ({"memory": "1KiB"}, "memory: '1KiB' is less than 1 MiB, the least that makes sense; give more."),
    ({"memory": "999999999TiB"}, "memory: '999999999TiB' is more than any machine has"),
    ({"os_variant": "debian12,detect=on"}, NO_OS),
    ({"os_variant": "$(reboot)"}, NO_OS),
    ({"os_variant": "--connect"}, NO_OS),
    ({"os_variant": "nonsense12"}, "os_variant: virt-install does not know it (Unknown OS name 'nonsense12'. See"),
    ({"arguments": ["--name=other"]}, "arguments: '--name=other' " + NO_ARGUMENT),
    ({"arguments": ["--disk", "/dev/sda"]}, "arguments: '--disk' " + NO_ARGUMENT),
    ({"arguments": ["--nam=other"]}, "arguments: '--nam=other' " + NO_ARGUMENT),
    ({"arguments": ["-n", "other"]}, "arguments: '-n' " + NO_ARGUMENT),
    ({"arguments": ["reboot"]}, "arguments: 'reboot' " + NO_ARGUMENT),
    ({"arguments": ["--graphics"]}, "arguments: '--graphics' has no value; write it as --graphics=VALUE."),
    ({"arguments": ["--graphics", "--connect=x"]}, "arguments: '--connect=x' is no value of --graphics"),
    ({"arguments": ["--graphics=none\n--name=x"]}, "is no value of --graphics; write both as --graphics=VALUE, on one line."),
    ({"kernel": "vmlinuz"}, "kernel: 'vmlinuz' " + NO_PATH),
    ({"kernel": "{folder}/nothing"}, "kernel: {folder}/nothing cannot be used (No such file or directory)"),
    ({"kernel": "{folder}"}, "kernel: {folder} is no file; correct the path."),
    ({"kernel": "/a\nb"}, "kernel: '/a\\nb' holds a control character; rename the file."),
    ({"initrd": "{folder}/$(reboot)"}, "initrd: {folder}/$(reboot) cannot be used (No such file or directory)"),
    ({"kernel": None, "iso": "{folder}/x<y>&.iso"}, "iso: {folder}/x<y>&.iso cannot be used (No such file or directory)"),
    ({"cmdline": "quiet\nreboot"}, "cmdline: 'quiet\\nreboot' holds a line break or a control character"),
    ({"cmdline": "x" * 3000}, "cmdline: it has 3000 bytes, and Linux reads 2047 of them at most; make it shorter."),
    ({"kernel": None, "cmdline": "quiet"}, "cmdline: is for kernel, which is not given; add kernel, or leave cmdline out."),
    ({"iso": "{folder}/install.iso"}, "kernel: given beside iso; a guest boots from one of iso, image and kernel; leave one."),
    ({"kernel": None}, "iso: missing; the guest 'wso-3332a2' has nothing to boot from"),
    ({"image_use": "copy"}, "image_use: is for image, which is not given; add image, or leave image_use out."),
    ({"kernel": None, "image": "{folder}/vmlinuz", "disk": {"directory": "{folder}/disks", "size": "1KiB"}}, "disk.size: '1KiB'"),
    ({"kernel": None, "image": "{folder}/difference.qcow2"}, "is only the difference from {folder}/small.qcow2; make it whole"),
    (
        {"kernel": None, "image": "{folder}/large.qcow2", "disk": {"directory": "{folder}/disks", "size": "1"}},
        "disk.size: 1 GiB is less than the 12 GiB of {folder}/large.qcow2; give as much at least, or leave it out.",
    ),
    ({"disk": {"directory": "disks"}}, "disk.directory: 'disks' " + NO_DIRECTORY),
    ({"disk": {"directory": "/srv/../etc"}}, "disk.directory: '/srv/../etc' " + NO_DIRECTORY),
    ({"disk": {"directory": "{folder}/none"}}, "disk.directory: there is no directory {folder}/none on this host; make it first"),
    ({"disk": {"directory": "{folder}/disks", "size": "10 parsec"}}, "disk.size: '10 parsec' is no size; give one such as 10 or"),
    ({"network": "guets"}, "network: the network 'guets' does not exist on this host; correct the name, or make it first."),
    ({"network": "a\nb"}, "network: 'a\\nb' is empty or has a control character; give a name."),
    ({"network": None, "address": "auto"}, "address: is about the guest's NIC, and network is not given; add it"),
    (
        {"network": None, "configuration": {}},
        "configuration: is made from the guest's address, and network is not given; add it.",
    ),
    ({"mac": "52:54:00:zz"}, "mac: '52:54:00:zz' is not a MAC address"),
    ({"alias": "<lan>"}, "alias: '<lan>' cannot be the name of a NIC"),
    ({"address": "192.168.100"}, "address: '192.168.100' " + NO_ADDRESS),
    ({"address": "fd00::5"}, "address: 'fd00::5' " + NO_ADDRESS),
    ({"address": "10.9.9.9"}, "address: 10.9.9.9 is in no subnet of the network 'guests', whose subnets are: 192.168.100.0/24"),
    ({"address": "192.168.100.1"}, "192.168.100.1"),
    ({"configuration": {"directory": "x"}}, "configuration.directory: 'x' " + NO_DIRECTORY),
    ({"configuration": {"nameservers": ["dns"]}}, "configuration.nameservers: 'dns' is no IP address; give one such as 8.8.8.8."),
    ({"configuration": {}, "address": "none"}, "configuration: is made from the guest's address, and address is none"),
    ({"configuration": {"directory": "{folder}/open"}}, "configuration.directory: others than root can write into {folder}/open"),
    ({"configuration": {"directory": "{folder}/vmlinuz"}}, "configuration.directory: {folder}/vmlinuz is no directory; choose"),
    ({"wait_for_address": True}, "wait_for_address: needs a network, and state: running; add them, or leave it out."),
    ({"state": "running"}, "cannot start: its network 'guests' does not run. Make it run with libvirt_network first"),
    ({"remove_disk": True}, "remove_disk: is for guests that go, and state is present; leave it out, or say state: absent."),
    ({"stop_timeout": -1}, "stop_timeout: '-1' is less than nothing; give seconds."),
    ({"lock_timeout": -1}, "lock_timeout: '-1' is less than nothing; give seconds, 0 for not waiting."),
    ({"uri": "qemu+ssh://root@elsewhere/system"}, "is on another machine, and a guest's disk and files are made on its own host"),
    ({"state": "absent", "kernel": None, "network": None, "vcpus": 2}, "vcpus: says how a guest shall be, and state is absent"),
]

# The same for a guest that was made with `Host.new`.
THERE: list[tuple[Options, str]] = [
    (
        {"os_variant": "debian11"},
        f"os_variant: 'debian11' is asked for, and the guest 'wso-3332a2' was made with 'generic'; {SETTLED}",
    ),
    (
        {"arguments": ["--graphics=none"]},
        "arguments: '--graphics=none' is asked for, and the guest 'wso-3332a2' was made with none",
    ),
    (
        {"image": "{folder}/small.qcow2"},
        "image: '{folder}/small.qcow2' is asked for, and the guest 'wso-3332a2' was made with none",
    ),
    ({"disk": {"directory": "/srv"}}, "disk.directory: '/srv' is asked for, and the guest 'wso-3332a2' was made with"),
    ({"disk": {"format": "raw"}}, "disk.format: 'raw' is asked for"),
    ({"disk": {"bus": "sata"}}, "disk.bus: 'sata' is asked for"),
    ({"disk": {"size": "20"}}, "has 10 GiB, not 20 GiB; change it with 'qemu-img resize' while the guest is off"),
    ({"network": "guests", "mac": "52:54:00:00:00:99", "address": "192.168.100.77"}, "192.168.100.77"),
    ({"name": "web", "os_variant": "debian11"}, "os_variant: the guest 'web' was not made by this module, so that it cannot be"),
    (
        {"name": "web", "state": "absent"},
        "The guest 'web' was not made by this module, and may be somebody else's; say force: true",
    ),
    (
        {"name": "web", "state": "absent", "force": True, "remove_disk": True},
        "remove_disk: the guest 'web' was not made by this module, so that nobody knows which of its disks is meant",
    ),
    ({"name": "wbe", "state": "running"}, "name: the guest 'wbe' does not exist, and the task does not say how it shall be."),
    (
        {"name": "web2", "kernel": "{folder}/vmlinuz", "disk": {"directory": "{folder}/taken"}},
        "disk.directory: {folder}/taken/web2.qcow2 is a disk of the guest 'web', or its disk builds on it; leave it to that one.",
    ),
    (
        {"name": "text", "disk": {"directory": "{folder}/taken"}},
        "disk.format: {folder}/taken/text.qcow2 is there already and is of",
    ),
]


@pytest.fixture
def host(driver: libvirt.virConnect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    alter_virt_install(monkeypatch)
    return make_host(driver, tmp_path)


@pytest.mark.parametrize(("options", "sentence"), NEW, ids=lambda value: str(value)[:60])
def test_of_a_new_guest(host: Host, options: Options, sentence: str) -> None:
    (host.folder / "open").mkdir()
    (host.folder / "open").chmod(0o777)
    given = {**host.new, "state": "present", **_filled(options, host)}
    _refused(host, {option: value for option, value in given.items() if value is not None}, sentence)


@pytest.mark.parametrize(("options", "sentence"), THERE, ids=lambda value: str(value)[:60])
def test_of_a_guest_that_is_there(host: Host, options: Options, sentence: str) -> None:
    apply_guest(**host.new, state="present")
    taken = host.folder / "taken"
    taken.mkdir()
    (taken / "web2.qcow2").write_text("")
    (taken / "text.qcow2").write_text("no image")
    source = f"<disk type='file'><source file='{taken}/web2.qcow2'/><target dev='vdb'/></disk>"
    define_guest(host.driver, "web", source)
    clash = "<host mac='52:54:00:00:00:11' ip='192.168.100.77'/>"
    text = host.driver.networkLookupByName("guests").XMLDesc(0)
    host.driver.networkDefineXML(text.replace("</dhcp>", f"{clash}</dhcp>"))
    _refused(host, {"name": "wso-3332a2", "state": "present", **_filled(options, host)}, sentence)


def test_a_guest_with_snapshots_is_not_removed(host: Host) -> None:
    apply_guest(**host.new, state="present")
    snapshot = host.driver.lookupByName("wso-3332a2").snapshotCreateXML("<domainsnapshot><name>one</name></domainsnapshot>", 0)
    _refused(host, {"name": "wso-3332a2", "state": "absent"}, "has 1 snapshot, which would be lost; remove them first with")
    snapshot.delete()


def test_a_transient_guest_is_left_alone(host: Host) -> None:
    host.driver.createXML("<domain type='test'><name>guest</name><memory>8192</memory><os><type>hvm</type></os></domain>", 0)
    _refused(host, {"name": "guest", "state": "stopped"}, "The guest 'guest' is transient: nothing is stored of it")


def test_a_full_subnet_is_refused(host: Host) -> None:
    hosts = "".join(f"<host mac='52:54:00:00:01:{number:02x}' ip='192.168.100.{number}'/>" for number in range(2, 255))
    network = host.driver.networkLookupByName("guests")
    network.undefine()
    host.driver.networkDefineXML(
        "<network><name>guests</name><forward mode='nat'/><bridge name='virbr100'/><ip address='192.168.100.1' prefix='24'>"
        f"<dhcp>{hosts}</dhcp></ip></network>"
    )
    _refused(host, {**host.new, "state": "present"}, "has no address left for the guest 'wso-3332a2'")


def _filled(value: t.Any, host: Host) -> t.Any:
    if isinstance(value, dict):
        return {key: _filled(each, host) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, host) for each in value]
    return value.replace("{folder}", str(host.folder)) if isinstance(value, str) else value


def _refused(host: Host, options: Options, sentence: str) -> None:
    before = host.see()
    for check in (True, False):
        result = guest_task(check=check, **options)
        assert result.failed, result.data
        assert sentence.replace("{folder}", str(host.folder)) in result.msg
        assert "\n" not in result.msg
        assert "should not have happened" not in result.msg
        assert host.see() == before
