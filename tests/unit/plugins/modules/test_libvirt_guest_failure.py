# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Steps that fail, and programs that are missing: what was done is taken back, and a sentence says why."""

from __future__ import annotations

import errno
import typing as t

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.module_utils import _module
from ansible_collections.kvmops.network.plugins.module_utils._edge import images, seed
from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection, LibvirtError
from ansible_collections.kvmops.network.plugins.module_utils._edge.domains import Domains
from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import Guests
from ansible_collections.kvmops.network.plugins.module_utils._errors import ApplyError
from ansible_collections.kvmops.network.plugins.module_utils._guest import apply, task
from ansible_collections.kvmops.network.tests.unit.plugins.support.guests import (
    Host,
    alter_virt_install,
    apply_guest,
    guest_task,
    make_host,
)

if t.TYPE_CHECKING:
    from pathlib import Path

BACK = "Everything was put back as it was."


@pytest.fixture
def host(driver: libvirt.virConnect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    alter_virt_install(monkeypatch)
    return make_host(driver, tmp_path)


def broken(*_arguments: object, **_options: object) -> t.NoReturn:
    raise LibvirtError("the disk is full")


@pytest.mark.parametrize(
    ("owner", "verb", "doing"),
    [
        (Guests, "define", "define"),
        (Domains, "set_autostart", "autostart on"),
        (apply, "make_image", "make disk"),
        (apply, "apply_networks", "reserve"),
        (apply, "write_file", "write"),
    ],
)
def test_a_new_guest_that_fails_leaves_nothing(
    host: Host, monkeypatch: pytest.MonkeyPatch, owner: t.Any, verb: str, doing: str
) -> None:
    before = host.see()
    with monkeypatch.context() as patch:
        patch.setattr(owner, verb, broken)
        options = {**host.new, "state": "present", "autostart": True, "configuration": host.configuration}
        result = guest_task(**options)
    assert result.failed
    assert f"The guest 'wso-3332a2': '{doing}" in result.msg
    assert result.msg.endswith(f"failed: the disk is full. {BACK}")
    assert host.see() == before


def test_a_guest_that_cannot_start_leaves_nothing(
    driver: libvirt.virConnect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alter_virt_install(monkeypatch)
    host = make_host(driver, tmp_path, running=True)
    before = host.see()
    monkeypatch.setattr(Domains, "start", broken)
    result = guest_task(**host.new, address="none", configuration=None)
    assert result.msg == f"The guest 'wso-3332a2': 'start' failed: the disk is full. {BACK}"
    assert host.see() == before


def test_what_cannot_be_put_back_is_named(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Domains, "set_autostart", broken)
    monkeypatch.setattr(Domains, "undefine", broken)
    result = guest_task(**host.new, state="present", autostart=True)
    assert result.msg.endswith("failed: the disk is full. Not everything could be put back: its definition (the disk is full).")


def test_a_change_that_fails_is_taken_back(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    apply_guest(**host.new, state="present", configuration=host.configuration)
    before = host.see()
    with monkeypatch.context() as patch:
        patch.setattr(Connection, "define_network", broken)
        options = {**host.new, "configuration": host.configuration, "memory": "1GiB", "address": "192.168.100.7"}
        result = guest_task(**options, state="present")
    assert "the disk is full" in result.msg
    assert result.msg.endswith(BACK)
    after = host.see()
    assert after[0] == before[0]
    assert after[1].keys() == before[1].keys()
    assert after[1]["configuration/wso-3332a2-netconfig.sh"] == before[1]["configuration/wso-3332a2-netconfig.sh"]


def test_a_guest_that_does_not_stop_is_switched_off_only_by_force(
    driver: libvirt.virConnect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alter_virt_install(monkeypatch)
    host = make_host(driver, tmp_path, running=True)
    apply_guest(**host.new)
    monkeypatch.setattr(libvirt.virDomain, "shutdown", lambda _domain: 0)
    before = host.see()
    result = guest_task(name="wso-3332a2", state="absent", stop_timeout=0)
    assert "has not stopped within 0 seconds after its power button was pressed" in result.msg
    assert host.see() == before
    assert apply_guest(name="wso-3332a2", state="stopped", stop_timeout=0, force=True).actions == ["stop"]
    assert not driver.lookupByName("wso-3332a2").isActive()


@pytest.mark.parametrize(
    ("program", "words", "requirement"),
    [
        ("virt-install", "Install the package virtinst", "virt-install"),
        ("qemu-img", "Install the package qemu-utils", "qemu-img"),
        ("xorriso", "Install the package xorriso", "xorriso"),
    ],
)
def test_a_program_that_is_missing(
    driver: libvirt.virConnect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, words: str, requirement: str
) -> None:
    host = make_host(driver, tmp_path)
    if program != "virt-install":
        alter_virt_install(monkeypatch)
    real = _module.command_runner

    def without(module: t.Any) -> t.Any:
        def run(command: list[str]) -> tuple[int, str, str]:
            if command[0] == program:
                raise OSError(errno.ENOENT, "No such file or directory")
            return t.cast("tuple[int, str, str]", real(module)(command))

        return run

    monkeypatch.setattr(task, "command_runner", without)
    before = host.see()
    image = {"image": host.path("small.qcow2"), "kernel": None} if program == "qemu-img" else {}
    options = {**host.new, **image, "configuration": {**host.configuration, "seed": True}, "state": "present"}
    for check in (True, False):
        result = guest_task(check=check, **options)
        assert f"{program}, which" in result.msg
        assert words in result.msg
        assert result.data["requirement"] == requirement
        assert host.see() == before


def test_libvirt_that_keeps_something_else_is_found_out(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Guests.define

    def define(self: Guests, xml: str) -> None:
        real(self, xml.replace("<vcpu>3</vcpu>", "<vcpu>1</vcpu>"))

    monkeypatch.setattr(Guests, "define", define)
    result = guest_task(**host.new, vcpus=3, state="present")
    assert "libvirt keeps another definition of the guest 'wso-3332a2' than was asked for" in result.msg


def test_a_disk_that_somebody_made_meanwhile_stays(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = host.folder / "disks/wso-3332a2.qcow2"
    real = images._run

    def run(runner: t.Any, command: list[str]) -> tuple[int, str, str]:
        if command[1] == "create":
            disk.write_text("theirs")
        return real(runner, command)

    monkeypatch.setattr(images, "_run", run)
    result = guest_task(**host.new, state="present")
    assert f"The disk {disk} could not be made: File exists" in result.msg
    assert disk.read_text() == "theirs"


def test_a_seed_that_cannot_be_made(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> t.NoReturn:
        raise ApplyError("The CD-ROM could not be made: no space")

    monkeypatch.setattr(apply, "write_seed", refuse)
    monkeypatch.setattr(seed, "_run", lambda _run, _command: (0, "", ""))
    before = host.see()
    result = guest_task(**host.new, state="present", configuration={**host.configuration, "seed": True})
    assert "could not be made: no space" in result.msg
    assert host.see() == before
