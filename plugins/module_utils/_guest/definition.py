# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""A guest's document: what is read of it, and what is changed in it. All else in it stays as it is. Nothing here "
"touches a host."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._format import document
from ansible_collections.kvmops.network.plugins.module_utils._guest.mark import Mark, read_mark, write_mark

try:
    from lxml import etree
except ImportError:
    pass  # said by document.LXML_IMPORT_ERROR, and checked before anything here is called

if t.TYPE_CHECKING:
    from lxml.etree import _Element as Element

__all__ = [
    "DISK",
    "ISO",
    "SEED",
    "GuestDefinition",
    "StoredDisk",
    "change_document",
    "files_of",
    "read_definition",
    "without_uuid",
]

# The names by which the guest's drives are found again; libvirt keeps names that begin so.
DISK, ISO, SEED = "ua-kvmops-disk", "ua-kvmops-iso", "ua-kvmops-seed"
_FACTORS = {"": 1, "b": 0, "k": 1, "kib": 1, "m": 2**10, "mib": 2**10, "g": 2**20, "gib": 2**20, "t": 2**30, "tib": 2**30}
_PREFIXES = {"virtio": "vd", "sata": "sd", "scsi": "sd", "ide": "hd", "usb": "sd"}


@dataclass(frozen=True)
class StoredDisk:
    """The guest's disk, as its document names it."""

    path: str
    format: str
    bus: str


@dataclass(frozen=True)
class GuestDefinition:
    """What a task can say of a guest's document. `memory` is in KiB; what is "" or None is not there."""

    vcpus: int
    memory: int
    kernel: str = ""
    initrd: str = ""
    cmdline: str = ""
    iso: str = ""
    seed: str = ""
    disk: StoredDisk | None = None
    mark: Mark | None = None

    @property
    def boot(self) -> tuple[str, str, str, str]:
        """What it boots from, but for its disk."""
        return self.kernel, self.initrd, self.cmdline, self.iso


def read_definition(text: str, name: str) -> GuestDefinition:
    """Return what a guest's document says."""
    root = document.parse_document(text, root="domain")
    drives = {_alias(each): each for each in root.iterfind("devices/disk")}
    disk = drives.get(DISK)
    return GuestDefinition(
        vcpus=_vcpus(root),
        memory=_memory(root),
        kernel=root.findtext("os/kernel") or "",
        initrd=root.findtext("os/initrd") or "",
        cmdline=root.findtext("os/cmdline") or "",
        iso=_file(drives.get(ISO)),
        seed=_file(drives.get(SEED)),
        disk=StoredDisk(_file(disk), _attribute(disk, "driver", "type"), _attribute(disk, "target", "bus"))
        if disk is not None
        else None,
        mark=read_mark(root, name),
    )


def files_of(text: str) -> set[str]:
    """Return the files that a guest has as its drives, with the image that its disk has only the differences from."""
    root = document.parse_document(text, root="domain")
    mark = read_mark(root, root.findtext("name", ""))
    files = {element.get("file", "") for element in root.iterfind("devices/disk//source")}
    if mark is not None and mark.image_use == "backing":
        files.add(mark.image)
    return files - {""}


def change_document(text: str, wanted: GuestDefinition, *, name: str) -> str:
    """Return the document with what is wanted in it. Raises InputError where other parts of it stand against that."""
    root = document.parse_whole(text)
    now = read_definition(text, name)
    if wanted.vcpus != now.vcpus:
        _set_vcpus(root, wanted.vcpus)
    if wanted.memory != now.memory:
        _set_memory(root, wanted.memory)
    system = root.find("os")
    if system is None:
        system = etree.SubElement(root, "os")
    for tag in ("kernel", "initrd", "cmdline"):
        _set_boot(system, tag, getattr(wanted, tag))
    devices = root.find("devices")
    if devices is None:
        devices = etree.SubElement(root, "devices")
    if wanted.disk is not None and wanted.disk != now.disk:
        _set_drive(root, devices, DISK, wanted.disk.path, format_=wanted.disk.format, bus=wanted.disk.bus)
    for alias, path in ((ISO, wanted.iso), (SEED, wanted.seed)):
        _set_drive(root, devices, alias, path, format_="raw", bus=_bus_of_cdroms(root), cdrom=True)
    if wanted.mark is not None and wanted.mark != now.mark:
        write_mark(root, wanted.mark)
    return etree.tostring(root, encoding="unicode")


def without_uuid(text: str) -> str:
    """Return a document without what is made anew at each time."""
    root = document.parse_document(text, root="domain")
    for element in root.findall("uuid"):
        root.remove(element)
    return document.pretty_text(root)


def _vcpus(root: Element) -> int:
    element = root.find("vcpu")
    return int(element.get("current") or element.text or "1") if element is not None else 1


def _memory(root: Element) -> int:
    element = root.find("memory")
    if element is None:
        return 0
    unit = (element.get("unit") or "").lower()
    amount = int(element.text or "0")
    return amount * _FACTORS[unit] if _FACTORS.get(unit) else amount // 2**10


def _set_vcpus(root: Element, count: int) -> None:
    if root.find("cpu/topology") is not None or root.find("cpu/numa") is not None or root.find("vcpus") is not None:
        raise InputError(
            "vcpus: the guest's definition spreads its processors over sockets, cores or NUMA nodes; change them with "
            "'virsh edit', or leave vcpus out."
        )
    element = root.find("vcpu")
    if element is None:
        element = etree.SubElement(root, "vcpu")
    element.attrib.pop("current", None)
    element.text = str(count)


def _set_memory(root: Element, amount: int) -> None:
    if root.find("maxMemory") is not None or root.find("cpu/numa") is not None:
        raise InputError(
            "memory: the guest's definition spreads its memory over NUMA nodes or slots; change it with 'virsh edit', or leave "
            "memory out."
        )
    for tag in ("memory", "currentMemory"):
        element = root.find(tag)
        if element is None and tag == "memory":
            element = etree.SubElement(root, tag)
        if element is not None:
            element.set("unit", "KiB")
            element.text = str(amount)


def _set_boot(system: Element, tag: str, text: str) -> None:
    element = system.find(tag)
    if not text:
        if element is not None:
            system.remove(element)
        return
    if element is None:
        element = etree.SubElement(system, tag)
    element.text = text


def _set_drive(root: Element, devices: Element, alias: str, path: str, *, format_: str, bus: str, cdrom: bool = False) -> None:
    """Have a drive with this file, or none where there is no path."""
    drive = next((each for each in devices.iterfind("disk") if _alias(each) == alias), None)
    if drive is not None and not path:
        devices.remove(drive)
        return
    if drive is not None:
        source = drive.find("source")
        if source is None:
            source = etree.SubElement(drive, "source")
        source.set("file", path)
        return
    if not path:
        return
    drive = etree.Element("disk", type="file", device="cdrom" if cdrom else "disk")
    etree.SubElement(drive, "driver", name="qemu", type=format_)
    etree.SubElement(drive, "source", file=path)
    etree.SubElement(drive, "target", dev=_free_target(root, bus), bus=bus)
    if cdrom:
        etree.SubElement(drive, "readonly")
    etree.SubElement(drive, "alias", name=alias)
    others = devices.findall("disk")
    emulator = devices.find("emulator")
    last = others[-1] if others else emulator
    devices.insert(devices.index(last) + 1 if last is not None else 0, drive)


def _free_target(root: Element, bus: str) -> str:
    taken = {element.get("dev") for element in root.iterfind("devices/disk/target")}
    names = (_PREFIXES.get(bus, "sd") + chr(ord("a") + number) for number in range(26))
    free = next((name for name in names if name not in taken), None)
    if free is None:
        raise InputError(f"disk.bus: the guest has no free place for another drive on the bus {bus}; remove one.")
    return free


def _bus_of_cdroms(root: Element) -> str:
    """Return what CD-ROM drives of the guest's machine are on: only the old PC has IDE, and only PCs have SATA."""
    kind = root.find("os/type")
    machine, arch = (kind.get("machine", ""), kind.get("arch", "")) if kind is not None else ("", "")
    if "q35" in machine:
        return "sata"
    return "ide" if arch in ("", "i686", "x86_64") else "scsi"


def _alias(drive: Element) -> str:
    return _attribute(drive, "alias", "name")


def _attribute(drive: Element, tag: str, name: str) -> str:
    element = drive.find(tag)
    return element.get(name, "") if element is not None else ""


def _file(drive: Element | None) -> str:
    return _attribute(drive, "source", "file") if drive is not None else ""
