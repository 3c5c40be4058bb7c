# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""A guest as libvirt's domain XML."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import uuid
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass

from .errors import LabError

_MAC = re.compile(r"^([0-9a-f]{2}:){5}[0-9a-f]{2}$")
_MARK = "kvmops-lab"

# Certificates, BPF, a test of the processor's jitter: what no guest needs, and an emulated one spends a fifth of its boot on.
_LEFT_OUT = (
    "bpf_dummy_struct_ops_init",
    "bpf_tcp_ca_kfunc_init",
    "crypto_algapi_init",
    "crypto_kdf108_init",
    "depot_debugfs_init",
    "init_encrypted",
    "jent_mod_init",
    "latency_fsnotify_init",
    "load_system_certificate_list",
    "trace_eval_init",
)

MACHINES = ("pc", "q35")
_AGENT_CHANNEL = "org.qemu.guest_agent.0"
_FREE_PORTS = 8


@dataclass(frozen=True)
class Nic:
    """`source` is a network's name, or `bridge:NAME`, or `direct:INTERFACE` for macvtap. Without an address: DHCP."""

    source: str
    mac: str
    address: str | None = None
    gateway: str | None = None


@dataclass(frozen=True)
class Guest:
    host: str
    name: str
    nics: tuple[Nic, ...]
    memory: int
    accelerator: str
    machine: str = "pc"
    agent: bool = False  # whether it has the channel that QEMU's guest agent listens on


def mac_address(host: str, guest: str, number: int) -> str:
    digest = hashlib.sha256(f"{host}/{guest}/{number}".encode()).hexdigest()
    return ":".join(["52", "54", "00", *(digest[at : at + 2] for at in range(0, 6, 2))])


def check_nic(nic: Nic) -> None:
    if not _MAC.match(nic.mac):
        raise LabError(f"{nic.mac!r} is no MAC address of the form 52:54:00:12:34:56 in small letters.")
    try:
        if nic.address is not None:
            ipaddress.ip_interface(nic.address)
        if nic.gateway is not None:
            ipaddress.ip_address(nic.gateway)
    except ValueError as error:
        raise LabError(f"{error}. An address is given like 192.168.5.10/24, `dhcp` stands for none.") from error
    if nic.gateway is not None and nic.address is None:
        raise LabError(f"The gateway {nic.gateway} needs an address beside it: a NIC with DHCP is told its gateway.")


def port_path(guest: str) -> str:
    return f"/var/lib/libvirt/qemu/{_MARK}-{guest}.port"


def console_path(guest: str) -> str:
    return f"/var/log/libvirt/qemu/{_MARK}-{guest}.console"


def kernel_command_line(guest: Guest) -> str:
    words = ["console=ttyS0", "quiet", "oops=panic", "panic=-1", "mitigations=off", f"initcall_blacklist={','.join(_LEFT_OUT)}"]
    words.append(f"lab.name={guest.name}")
    for nic in guest.nics:
        if nic.address is not None:
            words.append(",".join(["lab.nic=" + nic.mac, nic.address, *([nic.gateway] if nic.gateway else [])]))
    return " ".join(words)


def render(guest: Guest, *, kernel: str, initramfs: str) -> str:
    domain = ElementTree.Element("domain", type=guest.accelerator)
    _text(domain, "name", guest.name)
    _text(domain, "uuid", _identity(guest))
    _text(domain, "memory", str(guest.memory), unit="MiB")
    _text(domain, "vcpu", "1")
    system = ElementTree.SubElement(domain, "os")
    _text(system, "type", "hvm", arch="x86_64", machine=guest.machine)
    _text(system, "kernel", kernel)
    _text(system, "initrd", initramfs)
    _text(system, "cmdline", kernel_command_line(guest))
    ElementTree.SubElement(ElementTree.SubElement(domain, "features"), "acpi")
    # the kernel does without, and QEMU would go on waking 250 times a second for a guest that idles
    clock = ElementTree.SubElement(domain, "clock", offset="utc")
    ElementTree.SubElement(clock, "timer", name="hpet", present="no")
    devices = ElementTree.SubElement(domain, "devices")
    ElementTree.SubElement(devices, "controller", type="usb", model="none")
    ElementTree.SubElement(devices, "memballoon", model="none")
    if guest.machine == "q35":
        _root_ports(devices, count=_FREE_PORTS + len(guest.nics) + int(guest.agent))
    _serial(devices, "file", {"path": console_path(guest.name)}, port="0")
    _serial(devices, "unix", {"path": port_path(guest.name), "mode": "bind"}, port="1")
    if guest.agent:
        channel = ElementTree.SubElement(devices, "channel", type="unix")
        ElementTree.SubElement(channel, "target", type="virtio", name=_AGENT_CHANNEL)
    for nic in guest.nics:
        _interface(devices, nic)
    return ElementTree.tostring(domain, encoding="unicode")


def is_same(domain_xml: str, guest: Guest) -> bool:
    """Whether this is how the guest is defined: its NICs and where they are plugged in, its addresses, machine and agent."""
    domain = ElementTree.fromstring(domain_xml)
    return (
        sources(domain_xml) == {nic.mac: nic.source for nic in guest.nics}
        and domain.findtext("os/cmdline") == kernel_command_line(guest)
        and _machine(domain) == guest.machine
        and (domain.find(f"devices/channel/target[@name='{_AGENT_CHANNEL}']") is not None) == guest.agent
    )


def sources(domain_xml: str) -> dict[str, str]:
    """What each NIC, by its MAC address, is plugged in to."""
    result = {}
    for interface in ElementTree.fromstring(domain_xml).findall("devices/interface"):
        mac, source = interface.find("mac"), interface.find("source")
        if mac is not None and source is not None:
            kind = interface.get("type", "network")
            name = source.get(kind if kind != "direct" else "dev", "")
            result[mac.get("address", "")] = name if kind == "network" else f"{kind}:{name}"
    return result


def _identity(guest: Guest) -> str:
    """From the names, so that a guest of the lab can be defined again, and nobody else's of that name is overwritten."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{guest.name}.{guest.host}.{_MARK}"))


def _machine(domain: ElementTree.Element) -> str:
    """Libvirt replaces `pc` and `q35` by the newest machine of that kind, like pc-i440fx-10.0 and pc-q35-10.0."""
    kind = domain.find("os/type")
    return "q35" if kind is not None and "q35" in kind.get("machine", "") else "pc"


def _root_ports(devices: ElementTree.Element, *, count: int) -> None:
    """In a q35 each PCI Express device needs a port of its own; libvirt makes as many as there are devices, and none to spare."""
    ElementTree.SubElement(devices, "controller", type="pci", index="0", model="pcie-root")
    for index in range(1, count + 1):
        ElementTree.SubElement(devices, "controller", type="pci", index=str(index), model="pcie-root-port")


def _interface(devices: ElementTree.Element, nic: Nic) -> None:
    kind, _, name = nic.source.rpartition(":")
    interface = ElementTree.SubElement(devices, "interface", type=kind or "network")
    ElementTree.SubElement(interface, "mac", address=nic.mac)
    if kind == "direct":
        ElementTree.SubElement(interface, "source", dev=name, mode="bridge")
    else:
        ElementTree.SubElement(interface, "source", {kind or "network": name})
    ElementTree.SubElement(interface, "model", type="virtio")


def _serial(devices: ElementTree.Element, kind: str, source: dict[str, str], *, port: str) -> None:
    serial = ElementTree.SubElement(devices, "serial", type=kind)
    ElementTree.SubElement(serial, "source", source)
    ElementTree.SubElement(serial, "target", port=port)


def _text(parent: ElementTree.Element, name: str, text: str, **attributes: str) -> None:
    ElementTree.SubElement(parent, name, attributes).text = text


def check_sources(names: Sequence[str]) -> None:
    for name in names:
        kind = name.rpartition(":")[0]
        if kind not in ("", "bridge", "direct"):
            raise LabError(f"{name!r} is nothing to plug a NIC into: give a network's name, bridge:NAME or direct:INTERFACE.")
