# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The port of a running guest's NIC, made from the NIC as libvirt 11.3 showed it."""

from __future__ import annotations

from lxml import etree

from ansible_collections.kvmops.network.plugins.module_utils._network.port_document import port_document

NIC = """
<interface type='network'{extra}>
  <mac address='52:54:00:9f:38:02'/>
  <source network='lab1' portid='1442f8b7-68f6-4eef-b869-8c1631cf5f70' bridge='virbr77'{group}/>
  <bandwidth><inbound average='1000'/></bandwidth>
  <target dev='vnet0'/>
  <model type='virtio'/>
  <port isolated='yes'/>
</interface>
"""


def document_of(text: str) -> str | None:
    return port_document(etree.fromstring(text), guest="g1", uuid="411533de-4385-5bf9-8206-72d5d1a714cb", bridge="virbr77")


def test_what_a_port_has_of_its_nic() -> None:
    text = document_of(NIC.format(extra="", group=" portgroup='fast'"))
    assert text is not None
    port = etree.fromstring(text)
    assert [child.tag for child in port] == ["uuid", "owner", "mac", "group", "bandwidth", "port", "rxfilters", "plug"]
    assert port.findtext("uuid") == "1442f8b7-68f6-4eef-b869-8c1631cf5f70"
    assert (port.findtext("owner/name"), port.findtext("owner/uuid")) == ("g1", "411533de-4385-5bf9-8206-72d5d1a714cb")
    assert port.find("mac").attrib == {"address": "52:54:00:9f:38:02"}
    assert port.findtext("group") == "fast"
    assert port.find("bandwidth/inbound").attrib == {"average": "1000"}
    assert port.find("port").attrib == {"isolated": "yes"}
    assert port.find("rxfilters").attrib == {"trustGuest": "no"}
    assert port.find("plug").attrib == {"type": "network", "bridge": "virbr77"}


def test_whom_a_guest_may_listen_to() -> None:
    text = document_of(NIC.format(extra=" trustGuestRxFilters='yes'", group=""))
    assert text is not None
    assert 'trustGuest="yes"' in text.replace("'", '"')
    assert "<group" not in text


def test_a_nic_without_a_port() -> None:
    assert (
        document_of("<interface type='bridge'><mac address='52:54:00:9f:38:02'/><source bridge='virbr77'/></interface>") is None
    )
    assert document_of("<interface type='user'><mac address='52:54:00:9f:38:02'/></interface>") is None
