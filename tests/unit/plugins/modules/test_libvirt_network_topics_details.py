# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The parts of a definition that only some networks have: create, again, change, again, the same in another way, omit, remove."""

from __future__ import annotations

import typing as t

import libvirt
import pytest

from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import apply, dump
from ansible_collections.kvmops.network.tests.unit.plugins.support.ladder import Topic, climb

if t.TYPE_CHECKING:
    Options = dict[str, t.Any]

IP: Options = {"address": "192.168.101.1", "prefix": 24}
NAT: Options = {"forward": {"mode": "nat"}, "ips": [IP]}
RANGE: Options = {"start": "192.168.101.100", "end": "192.168.101.199"}
OVS: Options = {"forward": {"mode": "bridge"}, "bridge": {"name": "ovsbr0"}, "virtualport": {"type": "openvswitch"}}
SRIOV: Options = {"forward": {"mode": "hostdev", "pf": {"dev": "ens1f0"}}}
NOTE = "<note xmlns='https://example.org/note' by='%s'>text</note>"


def with_dhcp(**dhcp: t.Any) -> Options:
    return {"ips": [{**IP, "dhcp": dhcp}]}


def hostdev(**forward: t.Any) -> Options:
    return {"forward": {"mode": "hostdev", **forward}}


TOPICS = {
    "ipv6": Topic(
        omitted=NAT,
        first={"trust_guest_rx_filters": True},
        first_shown=" trustGuestRxFilters='yes'",
        second={"ipv6": True, "trust_guest_rx_filters": False},
        second_shown="<network ipv6='yes'>",
        none={"ipv6": False},
    ),
    "metadata": Topic(
        omitted={**NAT, "state": "inactive"},  # of a running one, libvirt's test driver forgets it
        first={"metadata": [NOTE % "us"]},
        first_shown='by="us"',
        second={"metadata": [NOTE % "them"]},
        second_shown='by="them"',
        same=({"metadata": ["<note   by='them'\nxmlns='https://example.org/note'>text</note>"]},),
        carried=True,
    ),
    "zone": Topic(
        omitted={"bridge": {"name": "virbr101"}},
        first={"bridge": {"name": "virbr101", "zone": "work"}},
        first_shown="zone='work'",
        second={"bridge": {"name": "virbr101", "zone": "home", "mac_table_manager": "libvirt"}},
        second_shown="<bridge name='virbr101' zone='home' stp='on' delay='0' macTableManager='libvirt'/>",
    ),
    "macvtap": Topic(
        omitted=None,
        first={"forward": {"mode": "vepa", "dev": "eth1"}},
        first_shown="<forward dev='eth1' mode='vepa'>\n    <interface dev='eth1'/>\n  </forward>",
        second={"forward": {"mode": "vepa", "interfaces": [{"dev": "eth3"}, {"dev": "eth2"}]}},
        second_shown="<forward dev='eth2' mode='vepa'>\n    <interface dev='eth2'/>\n    <interface dev='eth3'/>\n  </forward>",
        same=({"forward": {"mode": "vepa", "interfaces": [{"dev": "eth2"}, {"dev": "eth3"}]}},),
        updates=3,
    ),
    "a physical function in place of interfaces": Topic(
        omitted=None,
        first={"forward": {"mode": "passthrough", "interfaces": [{"dev": "eth3"}, {"dev": "eth2"}]}},
        first_shown="<interface dev='eth2'/>",
        second={"forward": {"mode": "passthrough", "pf": {"dev": "eth1"}}},
        second_shown="<forward mode='passthrough'>\n    <pf dev='eth1'/>\n  </forward>",
    ),
    "addresses in place of a physical function": Topic(
        omitted=None,
        first=hostdev(managed=True, pf={"dev": "eth1"}),
        first_shown="<forward mode='hostdev' managed='yes'>\n    <pf dev='eth1'/>\n  </forward>",
        second=hostdev(
            managed=True, driver={"name": "vfio"}, addresses=[{"bus": "0x06", "slot": 16}, {"bus": 10, "function": "1"}]
        ),
        second_shown="<forward mode='hostdev' managed='yes'>\n    <driver name='vfio'/>\n"
        "    <address type='pci' domain='0x0000' bus='0x0a' slot='0x00' function='0x1'/>\n"
        "    <address type='pci' domain='0x0000' bus='0x06' slot='0x10' function='0x0'/>\n  </forward>",
        same=(
            hostdev(
                managed=True,
                driver={"name": "vfio"},
                addresses=[{"type": "pci", "domain": "0", "bus": "0xA", "function": "0x1"}, {"bus": "06", "slot": "0x10"}],
            ),
        ),
    ),
    "txt": Topic(
        omitted=NAT,
        first={"dns": {"txt": [{"name": "a", "value": "b, c"}]}},
        first_shown="<txt name='a' value='b, c'/>",
        second={"dns": {"txt": [{"name": "b", "value": "it's <2>"}, {"name": "a", "value": ""}]}},
        second_shown="<txt name='a' value=''/>\n    <txt name='b' value='it&apos;s &lt;2&gt;'/>",
        same=({"dns": {"txt": [{"name": "a", "value": ""}, {"name": "b", "value": "it's <2>"}]}},),
        none={"dns": {"txt": []}},
        updates=3,
    ),
    "srv": Topic(
        omitted=NAT,
        first={"dns": {"srv": [{"service": "ldap", "protocol": "tcp"}]}},
        first_shown="<srv service='ldap' protocol='tcp'/>",
        second={"dns": {"srv": [{"service": "ldap", "protocol": "tcp", "target": "dc", "port": 389, "weight": 0}]}},
        second_shown="<srv service='ldap' protocol='tcp' target='dc' port='389'/>",
        same=({"dns": {"srv": [{"service": "ldap", "protocol": "tcp", "target": "dc", "port": 389, "priority": 0}]}},),
        none={"dns": {"srv": []}},
        updates=2,
    ),
    "tftp": Topic(
        omitted={"ips": [IP]},
        first={"ips": [{**IP, "tftp": {"root": "/srv/tftp"}}]},
        first_shown="<tftp root='/srv/tftp'/>",
        second={"ips": [{**IP, "tftp": {"root": "/srv/boot"}, "local_ptr": True}]},
        second_shown="<ip address='192.168.101.1' prefix='24' localPtr='yes'>\n    <tftp root='/srv/boot'/>",
    ),
    "bootp": Topic(
        omitted=with_dhcp(ranges=[RANGE]),
        first=with_dhcp(ranges=[RANGE], bootp={"file": "pxelinux.0"}),
        first_shown="<bootp file='pxelinux.0'/>",
        second=with_dhcp(ranges=[RANGE], bootp={"file": "grubx64.efi", "server": "192.168.101.5"}),
        second_shown="<bootp file='grubx64.efi' server='192.168.101.5'/>",
    ),
    "lease": Topic(
        omitted=with_dhcp(ranges=[RANGE]),
        first=with_dhcp(ranges=[{**RANGE, "lease": {"expiry": 12, "unit": "hours"}}]),
        first_shown="<lease expiry='12' unit='hours'/>",
        # in minutes, whatever the unit was
        second=with_dhcp(ranges=[{**RANGE, "lease": {"expiry": 45}}]),
        second_shown="<lease expiry='45' unit='minutes'/>",
        same=(with_dhcp(ranges=[{**RANGE, "lease": {"expiry": 2700, "unit": "seconds"}}]),),
        updates=2,
    ),
    "bandwidth": Topic(
        omitted=NAT,
        first={"bandwidth": {"inbound": {"average": 100}}},
        first_shown="<bandwidth>\n    <inbound average='100'/>\n  </bandwidth>",
        second={"bandwidth": {"inbound": {"average": 0}, "outbound": {"average": 5, "peak": 6, "burst": 7}}},
        second_shown="<bandwidth>\n    <outbound average='5' peak='6' burst='7'/>\n  </bandwidth>",
        same=({"bandwidth": {"inbound": {"average": 0, "burst": 0}, "outbound": {"average": 5, "peak": 6, "burst": 7}}},),
        none={"bandwidth": {"outbound": {"average": 0, "peak": 0, "burst": 0}}},
    ),
    "vlan of Open vSwitch": Topic(
        omitted=OVS,
        first={"vlan": {"tags": [{"id": 42}]}},
        first_shown="<vlan>\n    <tag id='42'/>\n  </vlan>",
        second={"vlan": {"trunk": True, "tags": [{"id": 47}, {"id": 42, "native_mode": "untagged"}]}},
        second_shown="<vlan trunk='yes'>\n    <tag id='42' nativeMode='untagged'/>\n    <tag id='47'/>\n  </vlan>",
        same=({"vlan": {"tags": [{"id": 42, "native_mode": "untagged"}, {"id": 47}]}},),
        none={"vlan": {"tags": []}},
    ),
    "vlan of virtual functions": Topic(
        omitted=SRIOV,
        first={"vlan": {"tags": [{"id": 42}]}},
        first_shown="<tag id='42'/>",
        second={"vlan": {"tags": [{"id": 43}]}},
        second_shown="<tag id='43'/>",
        none={"vlan": {"tags": []}},
    ),
    "virtual port of another type": Topic(
        omitted=None,
        first={
            "forward": {"mode": "vepa", "dev": "eth1"},
            "virtualport": {"type": "802.1Qbg", "parameters": {"managerid": 11, "typeid": 1}},
        },
        first_shown="<virtualport type='802.1Qbg'>\n    <parameters managerid='11' typeid='1'/>",
        second={
            "forward": {"mode": "vepa", "dev": "eth1"},
            "virtualport": {"type": "802.1Qbh", "parameters": {"profileid": "a"}},
        },
        second_shown="<virtualport type='802.1Qbh'>\n    <parameters profileid='a'/>",
    ),
    "isolated ports": Topic(
        omitted=NAT,
        first={"port": {"isolated": True}},
        first_shown="<port isolated='yes'/>",
        second={"port": {"isolated": False}, "mtu": 1400},
        second_shown="<mtu size='1400'/>",
    ),
    "port groups": Topic(
        omitted=NAT,
        first={"portgroups": [{"name": "b", "default": True}, {"name": "a", "bandwidth": {"inbound": {"average": 1}}}]},
        first_shown="<portgroup name='b' default='yes'>",
        second={"portgroups": [{"name": "a", "default": True, "trust_guest_rx_filters": True}, {"name": "b", "default": False}]},
        second_shown="<portgroup name='a' default='yes' trustGuestRxFilters='yes'>",
        none={"portgroups": []},
        updates=2,
    ),
}


@pytest.mark.parametrize("name", TOPICS)
@pytest.mark.parametrize("definition", ["merge", "replace"])
def test_ladder(driver: libvirt.virConnect, name: str, definition: str) -> None:
    climb(driver, TOPICS[name], definition=definition)


@pytest.mark.parametrize("definition", ["merge", "replace"])
def test_metadata_of_others_stays(driver: libvirt.virConnect, definition: str) -> None:
    theirs = '<app:mark xmlns:app="urn:app" by="them">text</app:mark>'
    driver.networkDefineXML(f"<network><name>lab</name><metadata>{theirs}</metadata></network>")
    apply(name="lab", state="present", definition=definition, metadata=[NOTE % "us"])
    assert theirs in dump(driver, "lab")
    assert 'by="us"' in dump(driver, "lab")
    # in its namespace, libvirt keeps one element, whatever its name
    apply(name="lab", state="present", definition=definition, metadata=["<other xmlns='urn:app'/>"])
    assert theirs not in dump(driver, "lab")
    assert '<other xmlns="urn:app"/>' in dump(driver, "lab")
    assert 'by="us"' in dump(driver, "lab")


def test_what_a_port_group_omits_is_left(driver: libvirt.virConnect) -> None:
    fast = {"name": "fast", "bandwidth": {"inbound": {"average": 1000}}}
    apply(name="lab", portgroups=[fast, {"name": "slow", "bandwidth": {"inbound": {"average": 10}}}])
    apply(name="lab", portgroups=[{"name": "fast", "bandwidth": {"outbound": {"average": 500}}}])
    assert "<inbound average='1000'/>\n      <outbound average='500'/>" in dump(driver, "lab")
    assert "slow" not in dump(driver, "lab")


def test_parameters_of_another_type_go_in_port_groups_too(driver: libvirt.virConnect) -> None:
    forward = {"mode": "private", "dev": "eth1"}
    first = {"name": "a", "virtualport": {"type": "802.1Qbg", "parameters": {"managerid": 11}}}
    apply(name="lab", forward=forward, portgroups=[first])
    apply(name="lab", portgroups=[{"name": "a", "virtualport": {"type": "802.1Qbh", "parameters": {"profileid": "p"}}}])
    assert "<virtualport type='802.1Qbh'>\n      <parameters profileid='p'/>" in dump(driver, "lab")
    assert "managerid" not in dump(driver, "lab")
