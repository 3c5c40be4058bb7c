# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Guests made by the module libvirt_guest with libvirt's test driver: run, and judged, without our own code."""

from __future__ import annotations

import shutil
import subprocess
import typing as t
import uuid
from dataclasses import dataclass
from xml.etree import ElementTree

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge import virt_install
from ansible_collections.kvmops.network.plugins.modules import libvirt_guest, libvirt_guest_info
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import Result, run_main
from ansible_collections.kvmops.network.tests.unit.plugins.support.nics import World, world

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

Options = dict[str, t.Any]

__all__ = ["Host", "Options", "alter_virt_install", "apply_guest", "guest_info", "guest_task", "make_host", "step"]

_NETWORK = """
<network><name>guests</name><forward mode='nat'/><bridge name='virbr100'/>
<ip address='192.168.100.1' prefix='24'/></network>
"""

# What virt-install 4.1 prints for the test driver, but for what it takes from its arguments.
_PRINTED = """
<domain type="test">
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <memory>{memory}</memory>
  <currentMemory>{memory}</currentMemory>
  <vcpu>{vcpus}</vcpu>
  <os><type arch="i686">hvm</type><boot dev="hd"/><boot dev="cdrom"/></os>
  <features><pae/></features>
  <clock offset="utc"/>
  <devices>
    <emulator>/usr/bin/test-hv</emulator>
    <controller type="usb" model="ich9-ehci1"/>
    <console type="pty"/>
    <graphics type="vnc" port="-1"/>
  </devices>
</domain>
"""


@dataclass(frozen=True)
class Host:
    """A host with a network, and files that guests boot from."""

    driver: libvirt.virConnect
    folder: Path

    def path(self, name: str) -> str:
        """Return a file of the host."""
        return str(self.folder / name)

    @property
    def disk(self) -> Options:
        """Where the disks are."""
        return {"directory": str(self.folder / "disks")}

    @property
    def configuration(self) -> Options:
        """Where the files are that configure guests."""
        return {"directory": str(self.folder / "configuration"), "seed": shutil.which("xorriso") is not None}

    @property
    def new(self) -> Options:
        """The options of a guest that can be made."""
        return {"name": "wso-3332a2", "kernel": self.path("vmlinuz"), "disk": self.disk, "network": "guests"}

    def see(self) -> tuple[World, dict[str, tuple[int, bytes]]]:
        """Return all that there is: guests, networks and files."""
        found = world(self.driver)
        found["autostart"] = sorted(each.name() for each in self.driver.listAllDomains() if each.autostart())
        files = {
            str(path.relative_to(self.folder)): (path.stat().st_mode, path.read_bytes())
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }
        return found, files

    def document(self, name: str = "wso-3332a2") -> ElementTree.Element:
        """Return what is stored of a guest."""
        return ElementTree.fromstring(self.driver.lookupByName(name).XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))


def make_host(driver: libvirt.virConnect, folder: Path, *, running: bool = False) -> Host:
    """Give the test driver a network, and a folder the files of a host."""
    network = driver.networkDefineXML(_NETWORK)
    if running:
        network.create()
    (folder / "disks").mkdir()
    for name in ("vmlinuz", "initrd", "install.iso", "other.iso"):
        (folder / name).write_text(name)
    for name, arguments in {"small.qcow2": ["64M"], "large.qcow2": ["12G"]}.items():
        _make_image(folder / name, *arguments)
    _make_image(folder / "difference.qcow2", "-b", str(folder / "small.qcow2"), "-F", "qcow2")
    return Host(driver, folder)


def _make_image(path: Path, *arguments: str) -> None:
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(path), *arguments], check=True)


def alter_virt_install(monkeypatch: pytest.MonkeyPatch, *, always: bool = True) -> None:
    """Take what virt-install printed once: it takes most of the time, and the lab's hypervisors have none.

    Not `always`: only where it is not installed.
    """
    if always or shutil.which("virt-install") is None:
        monkeypatch.setattr(virt_install, "_call", _print)


def _print(_run: Callable[[list[str]], tuple[int, str, str]], command: Sequence[str]) -> tuple[int, str, str]:
    given = dict(argument[2:].split("=", 1) for argument in command[1:] if "=" in argument)
    if given["os-variant"] not in ("generic", "debian11"):
        return 1, "", f"ERROR    Unknown OS name '{given['os-variant']}'. See `--osinfo list` for valid values.\n"
    text = _PRINTED.format(name=given["name"], uuid=uuid.uuid4(), vcpus=given["vcpus"], memory=int(given["memory"]) * 1024)
    return 0, text, "WARNING  Using --osinfo generic, VM performance may suffer.\n"


def guest_task(*, check: bool = False, diff: bool = True, **options: t.Any) -> Result:
    """Run the module libvirt_guest, whether it fails or not."""
    return run_main(libvirt_guest.main, options, check=check, diff=diff)


def apply_guest(**options: t.Any) -> Result:
    """Run a task that has to succeed."""
    result = guest_task(**options)
    assert not result.failed, result.msg
    return result


def step(host: Host, *, changed: bool, **options: t.Any) -> Result:
    """Predict and apply a task, and compare the two."""
    before = host.see()
    predicted = apply_guest(check=True, **options)
    assert host.see() == before
    real = apply_guest(**options)
    assert (predicted.changed, real.changed) == (changed, changed), real.data
    assert predicted.data == real.data
    assert predicted.warnings == real.warnings
    assert (host.see() != before) is changed
    if changed:
        again = apply_guest(**options)
        assert not again.changed, again.data
        assert "diff" not in again.data
    return real


def guest_info(*, check: bool = False, **options: t.Any) -> Result:
    """Run the module libvirt_guest_info, which has to succeed."""
    result = run_main(libvirt_guest_info.main, options, check=check)
    assert not result.failed, result.msg
    assert not result.changed
    return result
