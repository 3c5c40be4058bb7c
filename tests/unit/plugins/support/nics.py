# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Guests and their NICs in libvirt's test driver: made, and judged, without our own code."""

from __future__ import annotations

import re
import typing as t
from dataclasses import replace
from xml.etree import ElementTree

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge import guests
from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import LibvirtError
from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import GuestRecord, Guests
from ansible_collections.kvmops.network.plugins.modules import libvirt_domain_nic, libvirt_domain_nic_info, libvirt_domain_nics
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import Result, run_main, snapshot

Options = dict[str, t.Any]
World = dict[str, t.Any]

__all__ = [
    "LIBVIRT",
    "Hotplug",
    "Options",
    "World",
    "apply_nic",
    "apply_nics",
    "break_guests",
    "define_guest",
    "define_network",
    "facts_of",
    "hide_made_up_targets",
    "interfaces",
    "knows_passt",
    "make_nic",
    "nic_facts",
    "nic_info",
    "nic_task",
    "nics_task",
    "reserved",
    "step",
    "steps",
    "world",
]

# What the libvirt of the test driver, the one of this process, knows.
LIBVIRT: int = libvirt.getVersion()


def knows_passt(driver: libvirt.virConnect) -> bool:
    """Say whether libvirt takes a NIC with passt. Debian 12 has the version that introduced it, built without."""
    try:
        driver.defineXML(
            _GUEST.format(name="passt", nics="<interface type='user'><backend type='passt'/></interface>", boots="", disk="")
        )
    except libvirt.libvirtError:
        return False
    driver.lookupByName("passt").undefine()
    return True


# --- running the modules --------------------------------------------------------------------------------------------------------


def nic_task(*, check: bool = False, diff: bool = True, **options: t.Any) -> Result:
    """Run the module libvirt_domain_nic, whether it fails or not."""
    return run_main(libvirt_domain_nic.main, {"domain": "web", **options}, check=check, diff=diff)


def nics_task(*nics: Options, check: bool = False, diff: bool = True, **options: t.Any) -> Result:
    """Run the module libvirt_domain_nics, whether it fails or not."""
    entries = [{"domain": "web", **nic} for nic in nics]
    return run_main(libvirt_domain_nics.main, {"nics": entries, **options}, check=check, diff=diff)


def apply_nic(**options: t.Any) -> Result:
    """Run a task about one NIC that has to succeed."""
    result = nic_task(**options)
    assert not result.failed, result.msg
    return result


def apply_nics(*nics: Options, **options: t.Any) -> Result:
    """Run a task about several NICs that has to succeed."""
    result = nics_task(*nics, **options)
    assert not result.failed, result.msg
    return result


def nic_info(*, check: bool = False, **options: t.Any) -> Result:
    """Run the module libvirt_domain_nic_info, which has to succeed."""
    result = run_main(libvirt_domain_nic_info.main, options, check=check)
    assert not result.failed, result.msg
    assert not result.changed
    return result


def step(driver: libvirt.virConnect, /, *, changed: bool, **options: t.Any) -> Result:
    """Predict and apply a task about one NIC, and compare the two."""
    return _step(driver, lambda check: apply_nic(check=check, **options), changed=changed)


def steps(driver: libvirt.virConnect, /, *nics: Options, changed: bool, **options: t.Any) -> Result:
    """Predict and apply a task about several NICs, and compare the two."""
    return _step(driver, lambda check: apply_nics(*nics, check=check, **options), changed=changed)


def _step(driver: libvirt.virConnect, run: t.Callable[[bool], Result], *, changed: bool) -> Result:
    before = world(driver)
    predicted = run(True)
    assert world(driver) == before
    real = run(False)
    assert (predicted.changed, real.changed) == (changed, changed), (real.data, before)
    assert predicted.data == real.data
    assert predicted.warnings == real.warnings
    assert (world(driver) != before) is changed
    return real


# --- guests and networks, made without our own code -----------------------------------------------------------------------------

_GUEST = """
<domain type='test'>
  <name>{name}</name>
  <title>Somebody's guest</title>
  <metadata><note xmlns='urn:somebody' by='hand'>text<more/> </note></metadata>
  <memory unit='KiB'>8192</memory>
  <vcpu>2</vcpu>
  <os><type>hvm</type>{boots}</os>
  <devices>
    <disk type='file' device='disk'><source file='/guest.img'/><target dev='vda' bus='virtio'/>{disk}</disk>
    {nics}
    <input type='tablet' bus='usb'/>
    <graphics type='vnc' passwd='secret'/>
    <memballoon model='virtio'/>
  </devices>
</domain>
"""


def make_nic(mac: str, source: str, *, kind: str = "network", more: str = "", alias: str = "") -> str:
    """Return a NIC as somebody wrote it: `source` are the attributes of its element, "network='lab'"."""
    name = f"<alias name='ua-{alias}'/>" if alias else ""
    return f"<interface type='{kind}'><mac address='{mac}'/><source {source}/><model type='virtio'/>{more}{name}</interface>"


def define_guest(
    driver: libvirt.virConnect, name: str, *nics: str, running: bool = False, boots: str = "", disk: str = ""
) -> libvirt.virDomain:
    """Store a guest, and start it if it shall run."""
    domain = driver.defineXML(_GUEST.format(name=name, nics="".join(nics), boots=boots, disk=disk))
    if running:
        domain.create()
    return domain


def define_network(driver: libvirt.virConnect, name: str, content: str = "", *, running: bool = False) -> None:
    """Store a network, and start it if it shall run. One that a running guest is in needs an address: the driver crashes else."""
    network = driver.networkDefineXML(f"<network><name>{name}</name>{content}</network>")
    if running:
        network.create()


def hide_made_up_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test driver show names of taps as other drivers do.

    It makes up testnet0 and so on for each NIC, and stores them. Other drivers make up vnet0 and so on, and do not store them.
    """
    real = libvirt.virDomain.XMLDesc

    def describe(self: libvirt.virDomain, flags: int = 0) -> str:
        text: str = real(self, flags)
        if flags & libvirt.VIR_DOMAIN_XML_INACTIVE or not self.isActive():
            return re.sub(r" *<target dev='testnet[0-9]+'/>\n", "", text)
        return re.sub("<target dev='testnet", "<target dev='vnet", text)

    monkeypatch.setattr(libvirt.virDomain, "XMLDesc", describe)


class Hotplug:
    """NICs of running guests that can be plugged in, changed and unplugged, as with QEMU; the test driver has no such thing.

    It keeps the elements as they are given, beside what libvirt adds of its own. `calls` are the verbs with the MAC addresses.
    A guest that is `busy` does not release its NICs.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take the place of libvirt from now on."""
        self.calls: list[str] = []
        self.busy = False
        self._nics: dict[str, list[ElementTree.Element]] = {}
        read = guests._read

        def read_with_ours(domain: t.Any) -> GuestRecord:
            record = read(domain)
            if record.live_xml is None:
                return record
            root = ElementTree.fromstring(record.live_xml)
            devices = root.find("devices")
            assert devices is not None
            theirs = devices.findall("interface")
            for element in theirs:
                devices.remove(element)
            devices.extend(self._nics.setdefault(record.name, theirs))
            return replace(record, live_xml=ElementTree.tostring(root, encoding="unicode"))

        def attach(_guests: Guests, name: str, xml: str) -> None:
            element = self._note("attach", xml)
            number = sum(map(len, self._nics.values()))
            if element.find("target") is None:
                ElementTree.SubElement(element, "target", dev=f"vnet{number}")
            if element.find("alias") is None:
                ElementTree.SubElement(element, "alias", name=f"net{number}")
            self._nics[name].append(element)

        def update(_guests: Guests, name: str, xml: str) -> None:
            element = self._note("update", xml)
            old = self._find(name, element)
            element.extend(each for each in old if each.tag in ("target", "alias", "address") and element.find(each.tag) is None)
            self._nics[name][self._nics[name].index(old)] = element

        def detach(_guests: Guests, name: str, xml: str, *, is_gone: object, timeout: float) -> bool:
            del is_gone, timeout
            element = self._note("detach", xml)
            if not self.busy:
                self._nics[name].remove(self._find(name, element))
            return not self.busy

        monkeypatch.setattr(guests, "_read", read_with_ours)
        for verb in (attach, update, detach):
            monkeypatch.setattr(Guests, verb.__name__, verb)

    def facts(self, guest: str = "web") -> list[set[str]]:
        """Return what the NICs of a running guest are like."""
        return [facts_of(element) for element in self._nics[guest]]

    def _note(self, verb: str, xml: str) -> ElementTree.Element:
        element = ElementTree.fromstring(xml)
        self.calls.append(f"{verb} {_mac_of(element)}")
        return element

    def _find(self, name: str, element: ElementTree.Element) -> ElementTree.Element:
        return next(each for each in self._nics[name] if _mac_of(each) == _mac_of(element))


def _mac_of(element: ElementTree.Element) -> str:
    mac = element.find("mac")
    assert mac is not None
    return mac.attrib["address"]


def break_guests(
    monkeypatch: pytest.MonkeyPatch, verb: str, *, times: int = 1, skipped: int = 0, guest: str = "web"
) -> list[str]:
    """Let a verb of `Guests` fail so many times for one guest, after so many times that it works. Return what it was told."""
    real = getattr(Guests, verb)
    calls: list[str] = []

    def broken(self: Guests, *arguments: t.Any, **options: t.Any) -> t.Any:
        if arguments[0] == guest or f"<name>{guest}</name>" in arguments[0]:
            calls.append(arguments[-1])
            if skipped < len(calls) <= skipped + times:
                raise LibvirtError("the disk is full")
        return real(self, *arguments, **options)

    monkeypatch.setattr(Guests, verb, broken)
    return calls


# --- the other side, judged without our own code --------------------------------------------------------------------------------


def world(driver: libvirt.virConnect) -> World:
    """Return all that the driver knows of guests and networks."""
    secure = libvirt.VIR_DOMAIN_XML_SECURE
    found = {
        domain.name(): (
            domain.XMLDesc(secure),
            domain.XMLDesc(secure | libvirt.VIR_DOMAIN_XML_INACTIVE),
            domain.isActive(),
            domain.isPersistent(),
        )
        for domain in driver.listAllDomains()
    }
    return {"guests": found, "networks": snapshot(driver)}


def interfaces(driver: libvirt.virConnect, guest: str = "web", *, running: bool = False) -> list[ElementTree.Element]:
    """Return the elements of a guest's NICs, as they are stored or as they run."""
    text = driver.lookupByName(guest).XMLDesc(0 if running else libvirt.VIR_DOMAIN_XML_INACTIVE)
    return ElementTree.fromstring(text).findall("devices/interface")


def facts_of(element: ElementTree.Element, where: str = "") -> set[str]:
    """Return what an element says, one text for each attribute: "source/@network=lab", "vlan/tag[1]/@id=7"."""
    found = {f"{where}@{name}={value}" for name, value in element.attrib.items()}
    if element.text and element.text.strip():
        found.add(f"{where.rstrip('/')}={element.text.strip()}")
    seen: dict[str, int] = {}
    for child in element:
        number = seen.get(child.tag, 0)
        seen[child.tag] = number + 1
        label = f"{child.tag}[{number}]" if len(element.findall(child.tag)) > 1 else child.tag
        found |= facts_of(child, f"{where}{label}/") or {f"{where}{label}"}
    return found


def nic_facts(driver: libvirt.virConnect, guest: str = "web", number: int = -1) -> set[str]:
    """Return what is stored of one of a guest's NICs, of the last one if no number says which."""
    return facts_of(interfaces(driver, guest)[number])


def reserved(driver: libvirt.virConnect, network: str = "lab") -> list[str]:
    """Return what a network reserves, one text for each entry, in order: "192.168.101.10 52:54:00:00:00:01 web"."""
    root = ElementTree.fromstring(driver.networkLookupByName(network).XMLDesc(0))
    return sorted(
        " ".join(host.attrib[name] for name in ("ip", "mac", "id", "name") if name in host.attrib)
        for host in root.iterfind("ip/dhcp/host")
    )
