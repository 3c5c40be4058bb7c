# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""One guest as a task asks for it, checked as far as the task alone tells. Nothing here touches a host."""

from __future__ import annotations

import ipaddress
import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._guest.arguments import check_arguments
from ansible_collections.kvmops.network.plugins.module_utils._guest.names import check_guest_name
from ansible_collections.kvmops.network.plugins.module_utils._guest.sizes import GIB, KIB, MIB, read_size
from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import definition_from_options

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    Definition = dict[str, t.Any]
    Options = Mapping[str, t.Any]
    Wanted = t.Literal["running", "present", "stopped", "absent"]

__all__ = ["AUTO", "NONE", "ConfigurationRequest", "DiskRequest", "GuestRequest"]

AUTO, NONE = "auto", "none"
_OS_VARIANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}", re.ASCII)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST_CMDLINE = 2048  # bytes; COMMAND_LINE_SIZE of Linux on x86
_TIMES = ("address_timeout", "stop_timeout")
# What says how a guest shall be; with state=absent there is nothing that it could be about.
_DEFINING = (
    "autostart",
    "vcpus",
    "memory",
    "os_variant",
    "arguments",
    "iso",
    "image",
    "image_use",
    "kernel",
    "initrd",
    "cmdline",
    "network",
    "mac",
    "isolated",
    "filter",
    "address",
    "configuration",
)


@dataclass(frozen=True)
class DiskRequest:
    """What a task says of the guest's disk; None: nothing."""

    directory: str | None = None
    size: int | None = None
    format: str | None = None
    bus: str | None = None

    @property
    def says_anything(self) -> bool:
        """Whether the task says anything of it."""
        return any(value is not None for value in (self.directory, self.size, self.format, self.bus))


@dataclass(frozen=True)
class ConfigurationRequest:
    """The files that configure the network within the guest."""

    directory: str
    nameservers: tuple[str, ...]
    seed: bool


@dataclass(frozen=True)
class GuestRequest:
    """One guest as a task asks for it. What is None is not said. `memory` is in KiB."""

    name: str
    state: Wanted
    autostart: bool | None = None
    vcpus: int | None = None
    memory: int | None = None
    os_variant: str | None = None
    arguments: tuple[str, ...] | None = None
    iso: str | None = None
    image: str | None = None
    image_use: str | None = None
    kernel: str | None = None
    initrd: str | None = None
    cmdline: str | None = None
    disk: DiskRequest = field(default_factory=DiskRequest)
    remove_disk: bool = False
    nic: Definition | None = None
    address: str | None = None
    configuration: ConfigurationRequest | None = None
    wait_for_address: bool = False
    force: bool = False

    @classmethod
    def from_options(cls, options: Options) -> GuestRequest:
        """Return the request of a task. Raises InputError if its options cannot be."""
        name = check_guest_name(options["name"])
        for option in _TIMES:
            if options[option] < 0:
                raise InputError(f"{option}: '{options[option]}' is less than nothing; give seconds.")
        _check_together(options)
        memory = options["memory"]
        return cls(
            name=name,
            state=options["state"],
            autostart=options["autostart"],
            vcpus=_read_vcpus(options["vcpus"]),
            memory=read_size("memory", memory, unit=MIB, least=MIB) // KIB if memory is not None else None,
            os_variant=_read_os_variant(options["os_variant"]),
            arguments=check_arguments(options["arguments"]),
            iso=_read_path(options, "iso"),
            image=_read_path(options, "image"),
            image_use=options["image_use"],
            kernel=_read_path(options, "kernel"),
            initrd=_read_path(options, "initrd"),
            cmdline=_read_cmdline(options["cmdline"]),
            disk=_read_disk(options["disk"] or {}),
            remove_disk=options["remove_disk"],
            nic=_read_nic(options),
            address=_read_address(options["address"]),
            configuration=_read_configuration(options["configuration"]),
            wait_for_address=options["wait_for_address"],
            force=options["force"],
        )

    @property
    def says_how(self) -> bool:
        """Whether the task says how the guest shall be, so that it can be made."""
        values = (self.vcpus, self.memory, self.os_variant, self.arguments, self.iso, self.image, self.kernel, self.nic)
        return any(value is not None for value in values) or self.disk.says_anything


def _check_together(options: Options) -> None:
    """Refuse options that exclude each other, and options without those that they are about."""
    state = options["state"]
    if state == "absent":
        said = next((option for option in _DEFINING if options[option] is not None), None)
        if said is not None:
            raise InputError(f"{said}: says how a guest shall be, and state is absent; leave it out.")
    elif options["remove_disk"]:
        raise InputError(f"remove_disk: is for guests that go, and state is {state}; leave it out, or say state: absent.")
    boots = [option for option in ("iso", "image", "kernel") if options[option] is not None]
    if len(boots) > 1:
        raise InputError(f"{boots[1]}: given beside {boots[0]}; a guest boots from one of iso, image and kernel; leave one.")
    for option, other in (("initrd", "kernel"), ("cmdline", "kernel"), ("image_use", "image")):
        if options[option] is not None and options[other] is None:
            raise InputError(f"{option}: is for {other}, which is not given; add {other}, or leave {option} out.")
    for option in ("mac", "isolated", "filter", "address"):
        if options[option] is not None and options["network"] is None:
            raise InputError(f"{option}: is about the guest's NIC, and network is not given; add it, or leave {option} out.")
    if options["configuration"] is not None and options["network"] is None:
        raise InputError("configuration: is made from the guest's address, and network is not given; add it.")
    if options["configuration"] is not None and options["address"] == NONE:
        raise InputError("configuration: is made from the guest's address, and address is none; leave one of the two out.")
    if options["wait_for_address"] and (options["network"] is None or state != "running"):
        raise InputError("wait_for_address: needs a network, and state: running; add them, or leave it out.")


def _read_vcpus(vcpus: int | None) -> int | None:
    if vcpus is not None and vcpus < 1:
        raise InputError(f"vcpus: '{vcpus}' is no number of processors; give 1 at least.")
    return vcpus


def _read_os_variant(text: str | None) -> str | None:
    if text is not None and not _OS_VARIANT.fullmatch(text):
        raise InputError(
            f"os_variant: {text!r} is no name of an operating system; give one that 'virt-install --osinfo list' shows, such as "
            "debian12."
        )
    return text


def _read_path(options: Options, option: str, *, label: str = "") -> str | None:
    path: str | None = options.get(option)
    label = label or option
    if path is None:
        return None
    if not path.startswith("/") or path.endswith("/") or "/../" in path:
        raise InputError(f"{label}: {path!r} is no absolute path of a file; give one such as /var/lib/libvirt/images/name.")
    if _UNPRINTABLE.search(path) or not _encodes(path):
        raise InputError(f"{label}: {path!r} holds a control character; rename the file.")
    return path


def _read_directory(label: str, path: str) -> str:
    if not path.startswith("/") or ".." in path.split("/"):
        raise InputError(f"{label}: {path!r} is no absolute path of a directory; give one such as /var/lib/libvirt/images.")
    if _UNPRINTABLE.search(path) or not _encodes(path):
        raise InputError(f"{label}: {path!r} holds a control character; choose another directory.")
    return "/" + path.strip("/")


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_cmdline(text: str | None) -> str | None:
    if text is None:
        return None
    if _UNPRINTABLE.search(text) or not _encodes(text):
        raise InputError(f"cmdline: {text!r} holds a line break or a control character; the kernel's words are on one line.")
    if len(text.encode()) >= _LONGEST_CMDLINE:
        raise InputError(
            f"cmdline: it has {len(text.encode())} bytes, and Linux reads {_LONGEST_CMDLINE - 1} of them at most; make "
            "it shorter."
        )
    return text


def _read_disk(options: Options) -> DiskRequest:
    directory, size = options.get("directory"), options.get("size")
    return DiskRequest(
        directory=_read_directory("disk.directory", directory) if directory is not None else None,
        size=read_size("disk.size", size, unit=GIB, least=MIB) if size is not None else None,
        format=options.get("format"),
        bus=options.get("bus"),
    )


def _read_nic(options: Options) -> Definition | None:
    """Return what the task says of the NIC, in the form of libvirt_domain_nic's options."""
    if options["network"] is None:
        return None
    for option in ("network", "filter"):
        if options[option] is not None and (not options[option].strip() or _UNPRINTABLE.search(options[option])):
            raise InputError(f"{option}: {options[option]!r} is empty or has a control character; give a name.")
    given: Definition = {"source": {"network": options["network"]}, "alias": options["alias"]}
    if options["mac"] is not None:
        given["mac"] = options["mac"]
    if options["isolated"] is not None:
        given["port"] = {"isolated": options["isolated"]}
    if options["filter"] is not None:
        given["filterref"] = {"filter": options["filter"]}
    try:
        return definition_from_options(given)
    except InputError as error:
        # the options of a NIC are called otherwise here
        text = str(error).replace("source.network:", "network:", 1).replace("filterref.filter:", "filter:", 1)
        raise InputError(text) from None


def _read_address(text: str | None) -> str | None:
    if text is None or text in (AUTO, NONE):
        return text
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise InputError(f"address: {text!r} is no IPv4 address; give one such as 192.168.100.20, or auto, or none.") from None


def _read_configuration(options: Options | None) -> ConfigurationRequest | None:
    if options is None:
        return None
    return ConfigurationRequest(
        directory=_read_directory("configuration.directory", options["directory"]),
        nameservers=tuple(options["nameservers"]),
        seed=options["seed"],
    )
