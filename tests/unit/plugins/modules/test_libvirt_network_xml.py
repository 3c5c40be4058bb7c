# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Whole documents, also of what has no option of its own."""

from __future__ import annotations

import libvirt
import pytest

from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import apply, dump, predict, snapshot

# seed 001-8…12, as the document's file red_nat_lab.xml has it
RED_NAT_LAB = """
<network>
  <name>red_nat_lab</name>
  <forward mode='nat'/>
  <bridge name='virbr101' stp='on' delay='0'/>
  <ip address='192.168.101.1' netmask='255.255.255.0'>
    <dhcp>
      <range start='192.168.101.100' end='192.168.101.254'/>
    </dhcp>
  </ip>
</network>
"""
TYPED = {
    "name": "red_nat_lab",
    "forward": {"mode": "nat"},
    "bridge": {"name": "virbr101"},
    "ips": [
        {
            "address": "192.168.101.1",
            "prefix": 24,
            "dhcp": {"ranges": [{"start": "192.168.101.100", "end": "192.168.101.254"}]},
        }
    ],
}

# What a task with other options leaves alone, each as libvirt writes it.
PARTS = [
    "<forward dev='eth0' mode='private'>\n    <interface dev='eth0'/>\n    <interface dev='eth1'/>\n  </forward>",
    "<forward mode='hostdev' managed='yes'>\n    <driver name='vfio'/>\n    <pf dev='eth0'/>\n  </forward>",
    "<forward mode='bridge'/>\n  <bridge name='ovsbr0'/>\n  <vlan trunk='yes'>\n    <tag id='42' nativeMode='untagged'/>\n"
    "    <tag id='47'/>\n  </vlan>\n  <virtualport type='openvswitch'/>",
    "<bridge name='virbr9' zone='work' stp='on' delay='0'/>",
    "<bridge name='virbr9' stp='on' delay='0' macTableManager='libvirt'/>",
    "<dns>\n    <txt name='note' value='a value, and more'/>\n  </dns>",
    "<dns>\n    <srv service='ldap' protocol='tcp' domain='a.example' target='dc' port='389' priority='1' weight='2'/>\n  </dns>",
    "<bandwidth>\n    <inbound average='1000' peak='5000' burst='5120'/>\n    <outbound average='128'/>\n  </bandwidth>",
    "<portgroup name='slow' default='yes'>\n    <bandwidth>\n      <inbound average='100'/>\n    </bandwidth>\n  </portgroup>",
    '<metadata>\n    <app:mark xmlns:app="urn:app" by="us">text</app:mark>\n  </metadata>',
    "<ip address='10.0.0.1' prefix='24'>\n    <tftp root='/srv/tftp'/>\n    <dhcp>\n"
    "      <range start='10.0.0.2' end='10.0.0.9'>\n        <lease expiry='1' unit='hours'/>\n      </range>\n"
    "      <bootp file='pxelinux.0'/>\n    </dhcp>\n  </ip>",
]


def test_text_and_options_of_the_same_thing_give_the_same(driver: libvirt.virConnect) -> None:
    from_text = apply(name="red_nat_lab", xml=RED_NAT_LAB)
    before = snapshot(driver)
    assert not apply(**TYPED).changed
    assert not apply(definition="replace", **TYPED).changed
    assert not predict(name="red_nat_lab", xml=RED_NAT_LAB).changed
    assert not apply(name="red_nat_lab", xml=dump(driver, "red_nat_lab")).changed
    assert snapshot(driver) == before
    apply(name="red_nat_lab", state="absent")
    from_options = apply(**TYPED)
    for result in (from_text, from_options):
        result.network["uuid"] = result.network["xml"] = None
    assert from_text.network == from_options.network


@pytest.mark.parametrize("part", PARTS)
def test_what_other_options_leave_alone(driver: libvirt.virConnect, part: str) -> None:
    document = f"<network><name>lab</name>{part}</network>"
    assert predict(name="lab", xml=document).changed
    assert apply(name="lab", xml=document).changed
    assert part in dump(driver, "lab")
    for again in (predict, apply):
        assert not again(name="lab", xml=document).changed
    # a task with options leaves it alone, unless it says replace
    if "mode='bridge'" not in part and "mode='hostdev'" not in part and "mode='private'" not in part:
        apply(name="lab", mtu=1400)
        assert part in dump(driver, "lab")
        apply(name="lab", mtu=1400, definition="replace")
        # others' metadata stays in any case
        assert (part in dump(driver, "lab")) == part.startswith("<metadata>")


def test_a_document_may_have_a_declaration_and_comments(driver: libvirt.virConnect) -> None:
    document = f"<?xml version='1.0' encoding='UTF-8'?>\n<!-- our network -->{RED_NAT_LAB}"
    assert apply(name="red_nat_lab", xml=document).changed
    assert not apply(name="red_nat_lab", xml=RED_NAT_LAB).changed
    assert driver.networkLookupByName("red_nat_lab").isActive() == 1


@pytest.mark.usefixtures("driver")
def test_a_document_is_the_whole_definition() -> None:
    apply(**TYPED, mtu=9000, domain={"name": "lab.example"})
    diff = apply(name="red_nat_lab", xml=RED_NAT_LAB).diff
    assert diff is not None
    assert set(diff["before"].splitlines()) - set(diff["after"].splitlines()) == {
        '  <mtu size="9000"/>',
        '  <domain name="lab.example"/>',
    }


@pytest.mark.usefixtures("driver")
def test_a_document_without_uuid_keeps_the_uuid_and_with_it_has_to_fit() -> None:
    uuid = apply(name="red_nat_lab", xml=RED_NAT_LAB).network["uuid"]
    changed = RED_NAT_LAB.replace("101.254", "101.253")
    assert apply(name="red_nat_lab", xml=changed).network["uuid"] == uuid
    same = RED_NAT_LAB.replace("</name>", f"</name><uuid>{uuid.upper()}</uuid>")
    assert apply(name="red_nat_lab", xml=same).network["uuid"] == uuid
