# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The documents of test_libvirt_network_documents.py on a real daemon: what it takes, the module takes, once and as it is.

This removes the networks of the host and makes interfaces, and so runs on lab hosts alone; tests/tools/unit_images.py says that
it is on one. No network is started.
"""

from __future__ import annotations

import functools
import os
import subprocess
import typing as t
from pathlib import Path

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.module_utils._network.definition import (
    definition_from_xml,
    mode_of,
    owns_bridge,
)
from ansible_collections.kvmops.network.plugins.module_utils._network.versions import find_too_new
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import Result, clear, network_task, snapshot

if "KVMOPS_UNIT_ON_A_LAB_HOST" not in os.environ:
    pytest.skip("only lab hosts have networks that may be removed", allow_module_level=True)

URI = "qemu:///system"
DOCUMENTS = sorted((Path(__file__).parents[1] / "documents").glob("*.xml"))
# What typed options cannot say: they tell the reservations of a network apart by MAC address.
SAID_BY_XML_ALONE = {"odd-reservations-for-one-guest"}

# What a lab host does not have.
NOT_THERE = {
    "forward-hostdev-addresses": " ".join(
        f"forward.addresses: {place} is no virtual function of this host; choose from those that are (this host has none)."
        for place in ("0000:04:00.1", "0000:10:02.0", "0001:0a:10.7")
    )
}
# The last one is what libvirt says of a range that it finds too large.
REFUSALS = (
    libvirt.VIR_ERR_XML_ERROR,
    libvirt.VIR_ERR_XML_INVALID_SCHEMA,
    libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
    libvirt.VIR_ERR_INTERNAL_ERROR,
)

Definition = dict[str, t.Any]

run = functools.partial(network_task, uri=URI, state="inactive", allow_overlap=["0.0.0.0/0", "::/0"])


@functools.cache
def definition_of(path: Path) -> Definition:
    return definition_from_xml(path.read_text(encoding="utf-8"))


def make_link(*words: str) -> None:
    subprocess.run(["ip", "link", "add", *words], check=True)


@pytest.fixture(scope="module")
def connection() -> t.Iterator[libvirt.virConnect]:
    """Return a connection to the host's daemon, without networks, and make what the documents name of a host."""
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    bridges, uplinks = set(), set()
    for definition in map(definition_of, DOCUMENTS):
        forward = definition.get("forward", {})
        if mode_of(definition) == "bridge":
            bridges |= {definition.get("bridge", {}).get("name")}
        uplinks |= {entry.get("dev") for entry in (forward, forward.get("pf", {}), *forward.get("interfaces", []))}
    uplinks -= {"nowhere0"}  # which need not be there
    there = set(os.listdir("/sys/class/net"))
    for name in sorted(bridges - there - {None}):
        make_link(name, "type", "bridge")
    for number, name in enumerate(sorted(uplinks - there - {None})):
        make_link(name, "type", "veth", "peer", "name", f"peer{number}")
    found = libvirt.open(URI)
    clear(found)
    yield found
    found.close()


@pytest.fixture
def daemon(connection: libvirt.virConnect) -> t.Iterator[libvirt.virConnect]:
    yield connection
    clear(connection)


def version_of(daemon: libvirt.virConnect) -> str:
    number = daemon.getLibVersion()
    return f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"


def define(daemon: libvirt.virConnect, text: str) -> bool:
    """Define a network with bare libvirt, and return whether it takes it."""
    try:
        if hasattr(libvirt, "VIR_NETWORK_DEFINE_VALIDATE"):  # libvirt 7.7 and later
            daemon.networkDefineXMLFlags(text, libvirt.VIR_NETWORK_DEFINE_VALIDATE)
        else:
            daemon.networkDefineXML(text)
    except libvirt.libvirtError as error:
        if error.get_error_code() not in REFUSALS:
            raise
        return False
    return True


def stored(daemon: libvirt.virConnect, definition: Definition) -> Definition:
    """Return the normal form of what libvirt has, without what it made up."""
    text = daemon.networkLookupByName(definition["name"]).XMLDesc(libvirt.VIR_NETWORK_XML_INACTIVE)
    shown = definition_from_xml(text)
    made = {"uuid", "mac"} - definition.keys()
    if owns_bridge(definition) and "name" not in definition.get("bridge", {}):
        shown["bridge"].pop("name")
        if "bridge" not in definition:
            made.add("bridge")
            assert shown["bridge"] == {}
    return {option: value for option, value in shown.items() if option not in made}


def succeed(*, changed: bool, check: bool = False, **options: t.Any) -> Result:
    result = run(check=check, **options)
    assert (result.failed, result.changed) == (False, changed), result.msg
    return result


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_on_the_daemon(daemon: libvirt.virConnect, path: Path) -> None:
    text, definition = path.read_text(encoding="utf-8"), definition_of(path)
    name = definition["name"]
    if not define(daemon, text) or stored(daemon, definition) != definition:
        # refused, or dropped in part without a word
        clear(daemon)
        for check in (True, False):
            refused = run(name=name, xml=text, check=check)
            assert refused.failed
            too_new = " ".join(find_too_new(definition, version_of(daemon)))
            assert refused.msg == (NOT_THERE.get(name) or too_new)
        assert snapshot(daemon) == {}
        return
    before = snapshot(daemon)
    # what bare libvirt defined
    succeed(changed=False, name=name, xml=text)
    assert snapshot(daemon) == before
    succeed(changed=True, name=name, state="absent")
    assert snapshot(daemon) == {}
    # what the module defines
    succeed(changed=True, check=True, name=name, xml=text)
    shown = succeed(changed=True, name=name, xml=text).network["definition"]
    assert stored(daemon, definition) == definition
    before = snapshot(daemon)
    again = daemon.networkLookupByName(name).XMLDesc(libvirt.VIR_NETWORK_XML_INACTIVE)
    succeed(changed=False, name=name, xml=text)
    succeed(changed=False, name=name, xml=again)
    if name not in SAID_BY_XML_ALONE:
        succeed(changed=False, name=name, definition="replace", **shown)
    assert snapshot(daemon) == before


def test_there_are_documents() -> None:
    assert len(DOCUMENTS) >= 90
