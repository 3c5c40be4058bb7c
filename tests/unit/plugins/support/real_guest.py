# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Real guests of a lab host's own daemon, and what the kernel and the guest themselves show of their NICs.

Nothing here is the collection's own code: it is what that is judged by.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import subprocess
import time
import typing as t
import uuid
from pathlib import Path
from xml.etree import ElementTree

import libvirt

if t.TYPE_CHECKING:
    from xml.etree.ElementTree import Element

URI = "qemu:///system"
FILES = Path("/srv/guest")  # GUEST_FILES of tests/lab/kvmops_lab/lifecycle.py
FOLDER = Path("/var/lib/libvirt/qemu")

_UP = "lab guest is up"
_BOOT_TIMEOUT = 180.0  # seconds; ten times what it takes alone
_ROOT_PORTS = "<controller type='pci' index='0' model='pcie-root'/>"

_DOMAIN = """
<domain type='qemu'>
  <name>{name}</name>
  <memory unit='MiB'>128</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='{machine}'>hvm</type>
    <kernel>{files}/vmlinux</kernel>
    <initrd>{files}/initramfs</initrd>
    <cmdline>console=ttyS0 quiet oops=panic panic=-1 mitigations=off lab.name={name} {words}</cmdline>
  </os>
  <features><acpi/></features>
  <devices>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    {controllers}
    <serial type='file'><source path='{console}'/><target port='0'/></serial>
    <serial type='unix'><source path='{port}' mode='bind'/><target port='1'/></serial>
    {nics}
  </devices>
</domain>
"""


# A guest's kernel needs a moment to find a NIC that has been plugged in, and one to see what became of its cable.
_CARRIER = """
tries=100
while [ $tries -gt 0 ]; do
    tries=$((tries - 1))
    file=$(grep -l {mac} /sys/class/net/*/address) && ip link set "$(basename "${{file%/address}}")" up &&
        carrier=$(cat "${{file%/address}}/carrier") && [ "$carrier" = {wanted} ] && break
    sleep 0.1
done
echo "$carrier"
"""


def domain_xml(name: str, *nics: str, machine: str = "pc", ports: int = 0, words: str = "") -> str:
    """Return a guest that boots the lab's kernel, in emulation. A q35 guest has `ports` for NICs; `words` go to its kernel."""
    roots = "".join(f"<controller type='pci' index='{number}' model='pcie-root-port'/>" for number in range(1, ports + 1))
    return _DOMAIN.format(
        name=name,
        machine=machine,
        words=words,
        files=FILES,
        controllers=_ROOT_PORTS + roots if machine == "q35" else "",
        console=console_of(name),
        port=_port_of(name),
        nics="".join(nics),
    )


def console_of(name: str) -> Path:
    """Return where a guest's console is written to."""
    return FOLDER / f"unit-{name}.console"


def _port_of(name: str) -> Path:
    return FOLDER / f"unit-{name}.port"


def take_out_kvm() -> None:
    """Remove a /dev/kvm, which guests in emulation do not need.

    One that is there and does not work costs ten seconds at each definition of a guest: libvirt asks QEMU for its abilities anew.
    """
    if os.path.exists("/dev/kvm"):
        subprocess.run(["umount", "--lazy", "/dev/kvm"], check=False, stderr=subprocess.DEVNULL)
        with contextlib.suppress(FileNotFoundError):
            os.unlink("/dev/kvm")


def wait_until_up(name: str) -> None:
    """Wait until a guest's kernel runs, so that it answers when a NIC is unplugged."""
    deadline = time.monotonic() + _BOOT_TIMEOUT
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError):
            if _UP in console_of(name).read_text(errors="replace"):
                return
        time.sleep(0.1)
    raise AssertionError(f"The guest {name} did not boot: {console_of(name).read_text(errors='replace')}")


def ask(name: str, command: str) -> str:
    """Return what a shell command in the guest prints. See tests/lab/guest/agent for the protocol."""
    identity, text = uuid.uuid4().hex, base64.b64encode(command.encode()).decode()
    with socket.socket(socket.AF_UNIX) as port:
        port.settimeout(60)
        port.connect(str(_port_of(name)))
        port.sendall(f"\n{identity} 20 {len(text)} {text}\n".encode())
        received = b""
        while True:
            received += port.recv(65536)
            for line in received.split(b"\n")[:-1]:
                if line.startswith(f"{identity} answer ".encode()):
                    code, output, errors = line.decode().split()[2:]
                    assert code == "0", base64.b64decode(errors[1:]).decode()
                    return base64.b64decode(output[1:]).decode()


def carrier_is(name: str, mac: str, *, there: bool) -> bool:
    """Say whether a guest comes to see a cable in a NIC, or none."""
    return ask(name, _CARRIER.format(mac=mac, wanted=int(there))).strip() == str(int(there))


# --- what libvirt, the kernel and the guest show --------------------------------------------------------------------------------


def nics_of(domain: libvirt.virDomain, *, stored: bool = False) -> dict[str, Element]:
    """Return a guest's NICs by their MAC addresses, as they run or as they are stored. No two have one address."""
    text = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE if stored else 0)
    found: dict[str, Element] = {}
    for element in ElementTree.fromstring(text).iterfind("devices/interface"):
        mac = value_of(element, "mac@address")
        assert mac is not None
        assert mac not in found
        found[mac] = element
    return found


def value_of(element: Element, path: str) -> str | None:
    """Return an attribute, by a path such as `source@network` or `@type`; None where it is missing."""
    where, _at, attribute = path.rpartition("@")
    found = element.find(where) if where else element
    return found.get(attribute) if found is not None else None


def canonical(element: Element, path: str) -> str | None:
    """Return a part of an element as a text that is equal for what means the same; None where it is missing."""
    found = element.find(path)
    if found is None:
        return None
    return ElementTree.canonicalize(ElementTree.tostring(found, encoding="unicode"), strip_text=True)


def link_of(device: str) -> dict[str, t.Any]:
    """Return what the kernel shows of an interface; its counters and timers are left out."""
    [found] = json.loads(_output("ip", "-d", "-j", "link", "show", "dev", device))
    info = found["linkinfo"]
    return {
        **{name: found.get(name) for name in ("ifindex", "mtu", "master", "link")},
        "mode": info.get("info_data", {}).get("mode"),
        "isolated": info.get("info_slave_data", {}).get("isolated"),
    }


def shaping_of(device: str) -> str:
    """Return the traffic control of an interface."""
    return _output("tc", "qdisc", "show", "dev", device)


def rate_of(device: str) -> str:
    """Return how much an interface may send, as tc writes it."""
    return _output("tc", "class", "show", "dev", device)


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
