# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""A guest's document is changed where a task says so, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._guest.definition import (
    GuestDefinition,
    StoredDisk,
    change_document,
    files_of,
    read_definition,
    without_uuid,
)
from ansible_collections.kvmops.network.plugins.module_utils._guest.mark import Mark

SOMEBODYS = """<domain type='kvm'>
  <name>web</name>
  <uuid>3ec8ce92-147d-431f-909d-b4924d66afc8</uuid>
  <metadata><note xmlns='urn:somebody' by='hand'>text<more/> </note></metadata>
  <memory unit='GiB'>1</memory>
  <vcpu current='1'>4</vcpu>
  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>
  <devices>
    <emulator>/usr/bin/kvm</emulator>
    <disk type='file' device='disk'><source file='/base.img'/><target dev='vda' bus='virtio'/></disk>
    <disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk>
    <graphics type='vnc' passwd='secret'/>
  </devices>
</domain>
"""

# what XML can hold, no more
texts = st.text(st.characters(min_codepoint=32, exclude_categories=("Cs", "Cc")), max_size=12).map(str.strip)
paths = texts.map(lambda text: f"/{text}" if text else "")
disks = st.builds(StoredDisk, paths.filter(bool), st.sampled_from(["qcow2", "raw"]), st.sampled_from(["virtio", "sata"]))
marks = st.builds(
    Mark,
    name=st.just("web"),
    os_variant=texts,
    arguments=st.lists(texts, max_size=3).map(tuple),
    image=paths,
    disk=paths,
    script=paths,
    seed=paths,
)
definitions = st.builds(
    GuestDefinition,
    vcpus=st.integers(1, 64),
    memory=st.integers(1, 2**40),
    kernel=paths,
    initrd=paths,
    cmdline=texts,
    iso=paths,
    seed=paths,
    disk=disks,
    mark=marks,
)


def test_reading() -> None:
    found = read_definition(SOMEBODYS, "web")
    assert found == GuestDefinition(vcpus=1, memory=1024 * 1024)
    assert files_of(SOMEBODYS) == {"/base.img"}
    assert "uuid" not in without_uuid(SOMEBODYS)


@given(definitions, definitions)
def test_what_is_wanted_is_there_afterwards(first: GuestDefinition, second: GuestDefinition) -> None:
    once = change_document(SOMEBODYS, first, name="web")
    assert read_definition(once, "web") == first
    # the disk is never another one
    second = replace(second, disk=first.disk)
    twice = change_document(once, second, name="web")
    assert read_definition(twice, "web") == second
    assert change_document(twice, second, name="web") == twice


@given(definitions)
def test_all_else_stays(wanted: GuestDefinition) -> None:
    root = ElementTree.fromstring(change_document(SOMEBODYS, wanted, name="web"))
    before = ElementTree.fromstring(SOMEBODYS)
    for path in ("uuid", "devices/graphics", "metadata/{urn:somebody}note", "devices/emulator"):
        assert [_canonical(each) for each in root.findall(path)] == [_canonical(each) for each in before.findall(path)]
    targets = [each.get("dev") for each in root.iterfind("devices/disk/target")]
    assert len(targets) == len(set(targets))
    assert targets[:2] == ["vda", "sda"]


def _canonical(element: ElementTree.Element) -> str:
    element.tail = None
    return ElementTree.canonicalize(ElementTree.tostring(element, encoding="unicode"))


@pytest.mark.parametrize(
    ("machine", "arch", "bus"),
    [("pc-q35-7.2", "x86_64", "sata"), ("pc-i440fx-7.2", "x86_64", "ide"), ("virt-7.2", "aarch64", "scsi")],
)
def test_cdroms_are_where_the_machine_has_them(machine: str, arch: str, bus: str) -> None:
    text = SOMEBODYS.replace("pc-q35-7.2", machine).replace("x86_64", arch)
    wanted = replace(read_definition(text, "web"), iso="/x.iso")
    target = ElementTree.fromstring(change_document(text, wanted, name="web")).find(
        "devices/disk/source[@file='/x.iso']/../target"
    )
    assert target is not None
    assert target.get("bus") == bus


@pytest.mark.parametrize(
    ("element", "changes", "option"),
    [
        ("<cpu><topology sockets='1' cores='4' threads='1'/></cpu>", {"vcpus": 2}, "vcpus"),
        ("<vcpus><vcpu id='0' enabled='yes'/></vcpus>", {"vcpus": 2}, "vcpus"),
        ("<maxMemory slots='2' unit='GiB'>8</maxMemory>", {"memory": 1}, "memory"),
        ("<cpu><numa><cell id='0' cpus='0-3' memory='1'/></numa></cpu>", {"memory": 1}, "memory"),
    ],
)
def test_what_stands_against_a_change_is_said(element: str, changes: dict[str, int], option: str) -> None:
    text = SOMEBODYS.replace("<os>", f"{element}<os>")
    wanted = replace(read_definition(text, "web"), **changes)
    with pytest.raises(InputError, match=f"^{option}: the guest's definition spreads"):
        change_document(text, wanted, name="web")


def test_a_copy_of_a_guest_has_no_mark() -> None:
    text = change_document(SOMEBODYS, replace(read_definition(SOMEBODYS, "web"), mark=Mark("web", image="/x")), name="web")
    assert read_definition(text, "web").mark == Mark("web", image="/x")
    assert read_definition(text.replace("<name>web<", "<name>copy<"), "copy").mark is None
