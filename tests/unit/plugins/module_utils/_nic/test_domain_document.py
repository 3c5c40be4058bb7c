# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""A guest's stored document with other NICs in it: all else stays as it is."""

from __future__ import annotations

import re
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import Nic, nics_of_document
from ansible_collections.kvmops.network.plugins.module_utils._nic.domain_document import has_nics, replace_nics
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nic.builders import PLACE, on

# As libvirt writes it, with what others keep in it, and with comments and spaces that it would not write.
DOCUMENT = """\
<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>w\u00e9b &amp; more</name>
  <uuid>1b4f0c34-3a39-4a26-a21f-6f0a3b1e0a6e</uuid>
  <title>  two  spaces  </title>
  <metadata>
    <note:note xmlns:note="https://example.org/note" by='me'>  white
      space \t matters <note:interface type='network'/> </note:note>
    <!-- a comment of somebody's --><empty xmlns='urn:empty'/>
  </metadata>
  <memory unit='KiB'>1048576</memory>
  <!-- why: <interface> -->
  <os>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
    <boot dev='hd'/>
  </os>
  <?pi some thing?>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <source file='/var/lib/a&lt;b&gt;"c&apos;.qcow2'/>
    </disk>
    <interface type='network'>
      <mac address='52:54:00:00:00:01'/>
      <source network='default'/>
      <model type='virtio'/>
      <address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>
    </interface>
    <!-- between -->
    <interface type='hostdev' managed='yes'>
      <mac address='52:54:00:00:00:02'/>
      <source>
        <address type='pci' domain='0x0000' bus='0x00' slot='0x07' function='0x0'/>
      </source>
      <address type='pci' domain='0x0000' bus='0x06' slot='0x00' function='0x0'/>
    </interface>
    <interface type='bridge'>
      <mac address='52:54:00:00:00:03'/>
      <source bridge='br0'/>
      <model type='e1000e'/>
      <link state='down'/>
    </interface>
    <graphics type='vnc' port='-1' passwd='s3cret'/>
  </devices>
  <seclabel type='dynamic' model='dac' relabel='yes'/>
  <qemu:commandline>
    <qemu:arg value='-device'/>
    <qemu:env name='A' value='&#9;tab'/>
  </qemu:commandline>
</domain>
"""
INTERFACE = re.compile(r"\s*<interface .*?</interface>", re.DOTALL)


def nics(text: str = DOCUMENT) -> list[Nic]:
    return nics_of_document(text, running=False)


def rest(text: str) -> str:
    """Return the document without its NICs, quotes as lxml writes them."""
    return INTERFACE.sub("", etree.tostring(etree.fromstring(text), encoding="unicode"))


def macs(text: str) -> list[str]:
    return [nic.mac for nic in nics(text)]


A, B, C, D, E = (f"52:54:00:00:00:0{number}" for number in (1, 2, 3, 4, 5))
NEW, OTHER = Nic(on(mac=D), address=PLACE), Nic(on("isolated", mac=E))


@pytest.mark.parametrize(
    ("changed", "added", "after"),
    [
        ({}, [], [A, B, C]),
        ({}, [NEW], [A, B, C, D]),
        ({}, [NEW, OTHER], [A, B, C, D, E]),
        ({0: None}, [], [B, C]),
        ({2: None}, [], [A, B]),
        ({1: None}, [NEW], [A, C, D]),
        ({2: None}, [NEW], [A, B, D]),
        ({0: None, 1: None, 2: None}, [], []),
        ({0: None, 1: None, 2: None}, [NEW, OTHER], [D, E]),
        ({0: NEW}, [], [D, B, C]),
        ({2: NEW}, [OTHER], [A, B, D, E]),
        ({2: NEW, 0: OTHER}, [], [E, B, D]),
        ({0: NEW, 1: None, 2: OTHER}, [], [D, E]),
    ],
)
def test_all_else_stays(changed: dict[int, Nic | None], added: list[Nic], after: list[str]) -> None:
    text = replace_nics(DOCUMENT, changed=changed, added=added)
    assert rest(text) == rest(DOCUMENT)
    assert macs(text) == after
    # the others as they are, to the letter
    before = {nic.mac: nic for nic in nics()}
    assert [nic for nic in nics(text) if nic.mac in before] == [before[mac] for mac in after if mac in before]
    assert [nic for nic in nics(text) if nic.mac == D] == [NEW] * after.count(D)


def test_what_is_not_changed_is_not_written_anew() -> None:
    text = replace_nics(DOCUMENT, changed={}, added=[])
    assert text == etree.tostring(etree.fromstring(DOCUMENT), encoding="unicode")
    kept = INTERFACE.findall(etree.tostring(etree.fromstring(DOCUMENT), encoding="unicode"))
    assert INTERFACE.findall(replace_nics(DOCUMENT, changed={0: None}, added=[NEW]))[:2] == kept[1:]


def test_a_new_nic_comes_behind_the_others() -> None:
    devices = etree.fromstring(replace_nics(DOCUMENT, changed={}, added=[NEW, OTHER])).find("devices")
    assert [child.tag for child in devices if isinstance(child.tag, str)] == ["emulator", "disk", *["interface"] * 5, "graphics"]


def test_the_first_nic_of_a_guest() -> None:
    for text in ("<domain><devices><disk/></devices></domain>", "<domain><devices/></domain>", "<domain><name>a</name></domain>"):
        added = replace_nics(text, changed={}, added=[NEW, OTHER])
        assert macs(added) == [D, E]
        assert etree.fromstring(added).find("disk") is None
        assert (etree.fromstring(added).find("devices/disk") is not None) == ("disk" in text)


def test_what_is_unknown_of_a_nic_is_written_too() -> None:
    [first, hostdev, _last] = nics()
    text = replace_nics(DOCUMENT, changed={0: first, 1: hostdev}, added=[])
    assert nics(text) == nics()
    assert 'slot="0x07"' in text


def test_the_nics_of_a_document_are_those_that_were_read() -> None:
    assert has_nics(DOCUMENT, nics())
    assert has_nics(DOCUMENT, tuple(nics()))
    assert not has_nics(DOCUMENT, nics()[:2])
    assert not has_nics(DOCUMENT, list(reversed(nics())))
    assert not has_nics(DOCUMENT.replace("state='down'", "state='up'"), nics())
    assert not has_nics(DOCUMENT.replace("bus='0x01'", "bus='0x02'"), nics())
    # what is no NIC's may have changed
    assert has_nics(DOCUMENT.replace("s3cret", "other"), nics())


@given(
    st.lists(st.sampled_from([None, NEW, OTHER, "as it is"]), min_size=3, max_size=3),
    st.lists(st.sampled_from([NEW, OTHER]), max_size=2),
)
def test_any_change(changes: list[t.Any], added: list[Nic]) -> None:
    before = nics()
    changed = {number: nic for number, nic in enumerate(changes) if nic != "as it is"}
    text = replace_nics(DOCUMENT, changed=changed, added=added)
    wanted = [nic if nic != "as it is" else before[number] for number, nic in enumerate(changes)]
    assert nics(text) == [nic for nic in wanted if nic is not None] + added
    assert rest(text) == rest(DOCUMENT)
