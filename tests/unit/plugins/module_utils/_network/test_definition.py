# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Documents and options that mean the same have one normal form; what means something else has another."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import (
    carry_identity,
    definition_from_options,
    definition_from_xml,
    mode_of,
    normalise,
    owns_bridge,
    render_xml,
    subnets_of,
)

if t.TYPE_CHECKING:
    Definition = dict[str, t.Any]


def network(content: str, attributes: str = "") -> Definition:
    return definition_from_xml(f"<network {attributes}><name>lab</name>{content}</network>")


# seed 001-8, 001-9, 001-10, 001-11, 001-12: the NAT network of the document, as libvirt shows it when it runs
RED_NAT_LAB = """
<network connections='2'>
  <name>red_nat_lab</name>
  <uuid>2D6E42E8-9E36-4BF7-B1F9-6C8B9E9F0B11</uuid>
  <forward mode='nat'>
    <nat>
      <port start='1024' end='65535'/>
    </nat>
  </forward>
  <bridge name='virbr101' stp='on' delay='0'/>
  <mac address='52:54:00:6B:3C:58'/>
  <ip address='192.168.101.1' netmask='255.255.255.0'>
    <dhcp>
      <range start='192.168.101.100' end='192.168.101.254'/>
    </dhcp>
  </ip>
</network>
"""


def test_the_nat_network_of_the_document() -> None:
    assert definition_from_xml(RED_NAT_LAB) == {
        "name": "red_nat_lab",
        "uuid": "2d6e42e8-9e36-4bf7-b1f9-6c8b9e9f0b11",
        "forward": {"mode": "nat"},
        "bridge": {"name": "virbr101"},
        "mac": "52:54:00:6b:3c:58",
        "ips": [
            {
                "address": "192.168.101.1",
                "prefix": 24,
                "dhcp": {"ranges": [{"start": "192.168.101.100", "end": "192.168.101.254"}]},
            }
        ],
    }


def test_a_definition_is_written_in_one_way() -> None:
    definition = {
        "routes": [{"address": "fd00:2::", "prefix": 64, "gateway": "fd00:1::2"}],
        "ips": [{"prefix": 64, "address": "fd00:1::1"}, {"address": "10.0.0.1", "prefix": 24, "local_ptr": True}],
        "dns": {"hosts": [{"ip": "10.0.0.9", "hostnames": ["b", "a"]}], "enable": True, "forwarders": [{"addr": "10.0.0.53"}]},
        "name": "lab",
        "forward": {"mode": "nat", "nat": {"port": {"start": 1, "end": 2}, "ipv6": True}, "dev": "eth0"},
        "mtu": 9000,
        "domain": {"name": "lab.example", "local_only": True},
    }
    assert (
        render_xml(definition)
        == """\
<network>
  <name>lab</name>
  <forward mode="nat" dev="eth0">
    <nat ipv6="yes">
      <port start="1" end="2"/>
    </nat>
  </forward>
  <mtu size="9000"/>
  <domain name="lab.example" localOnly="yes"/>
  <dns enable="yes">
    <forwarder addr="10.0.0.53"/>
    <host ip="10.0.0.9">
      <hostname>b</hostname>
      <hostname>a</hostname>
    </host>
  </dns>
  <ip family="ipv6" address="fd00:1::1" prefix="64"/>
  <ip address="10.0.0.1" prefix="24" localPtr="yes"/>
  <route family="ipv6" address="fd00:2::" prefix="64" gateway="fd00:1::2"/>
</network>
"""
    )


NAT = "<forward mode='nat'/><ip address='10.0.0.1' prefix='24'/>"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # what libvirt adds
        (NAT, NAT.replace("/>", "><nat><port start='1024' end='65535'/></nat></forward>", 1)),
        (NAT, NAT.replace("mode='nat'", "")),
        (NAT, f"{NAT}<bridge stp='on' delay='0'/>"),
        (NAT, f"{NAT}<dns/>"),
        (NAT, f"{NAT}<dns enable='yes' forwardPlainNames='yes'/>"),
        (NAT, f"<title/><description/>{NAT}"),
        ("<forward mode='none'/>", ""),
        ("<domain name='a'/>", "<domain name='a' localOnly='no'/>"),
        (
            "<forward mode='bridge' dev='eth0'/>",
            "<forward mode='bridge' dev='eth0'><interface dev='eth0' connections='1'/></forward>",
        ),
        ("<forward mode='bridge' dev='eth0'/>", "<forward mode='bridge'><interface dev='eth0'/></forward>"),
        (
            "<forward mode='hostdev'><address type='pci' domain='0' bus='10' slot='0' function='1'/></forward>",
            "<forward mode='hostdev'><address type='pci' bus='0x0a' function='01'/></forward>",
        ),
        (
            "<virtualport type='802.1Qbg'><parameters managerid='11' typeid='255'/></virtualport>",
            "<virtualport type='802.1Qbg'><parameters managerid='0x0b' typeid='0xFF'/></virtualport>",
        ),
        # two ways to write one thing
        ("<ip address='10.0.0.1' prefix='24'/>", "<ip family='ipv4' address='10.0.0.1' netmask='255.255.255.0'/>"),
        ("<ip family='ipv6' address='fd00::1' prefix='64'/>", "<ip address='FD00:0::0001' prefix='64'/>"),
        ("<ip address='10.0.0.1'/>", "<ip address='10.0.0.1' prefix='8'/>"),
        ("<ip address='172.16.0.1'/>", "<ip address='172.16.0.1' prefix='16'/>"),
        ("<ip address='192.168.0.1'/>", "<ip address='192.168.0.1' prefix='24'/>"),
        ("<ip address='10.0.0.1'/>", "<ip address='10.0.0.1' localPtr='no'/>"),
        ("<ip address='127.255.0.1'/>", "<ip address='127.255.0.1' prefix='8'/>"),
        ("<ip address='128.0.0.1'/>", "<ip address='128.0.0.1' prefix='16'/>"),
        ("<ip address='191.255.0.1'/>", "<ip address='191.255.0.1' prefix='16'/>"),
        ("<ip address='192.0.0.1'/>", "<ip address='192.0.0.1' prefix='24'/>"),
        ("<ip address='fd00::1'/>", "<ip address='fd00::1' prefix='64'/>"),
        ("<route address='0.0.0.0' gateway='10.0.0.2'/>", "<route address='0.0.0.0' prefix='0' gateway='10.0.0.2'/>"),
        (
            "<route family='ipv6' address='::' gateway='fd00::2'/>",
            "<route family='ipv6' address='::' prefix='0' gateway='fd00::2'/>",
        ),
        (
            "<ip address='10.0.0.1' prefix='24'/><route address='10.1.0.0' prefix='16' gateway='10.0.0.2'/>",
            "<route family='ipv4' address='10.1.0.0' netmask='255.255.0.0' gateway='10.0.0.2' metric='1'/>"
            "<ip address='10.0.0.1' prefix='24'/>",
        ),
        (
            "<ip address='10.0.0.1'><dhcp><range start='10.0.0.2' end='10.0.0.9'><lease expiry='120'/></range></dhcp></ip>",
            "<ip address='10.0.0.1'><dhcp><range start='10.0.0.2' end='10.0.0.9'><lease expiry='7200' unit='seconds'/></range>"
            "</dhcp></ip>",
        ),
        (
            "<ip address='10.0.0.1'><dhcp><host mac='52:54:00:00:00:01' ip='10.0.0.2'><lease expiry='0'/></host></dhcp></ip>",
            "<ip address='10.0.0.1'><dhcp><host mac='52:54:00:00:00:01' ip='10.0.0.2'><lease expiry='0' unit='hours'/></host>"
            "</dhcp></ip>",
        ),
        # lists without an order
        (
            "<ip address='10.0.0.1'/><ip family='ipv6' address='fd00::1'/>",
            "<ip family='ipv6' address='fd00::1'/><ip address='10.0.0.1'/>",
        ),
        (
            "<dns><host ip='10.0.0.2'><hostname>a</hostname></host><host ip='10.0.0.3'><hostname>b</hostname></host></dns>",
            "<dns><host ip='10.0.0.3'><hostname>b</hostname></host><host ip='10.0.0.2'><hostname>a</hostname></host></dns>",
        ),
        ("<vlan trunk='yes'><tag id='1'/><tag id='2'/></vlan>", "<vlan><tag id='2'/><tag id='1'/></vlan>"),
        (
            "<metadata><a xmlns='urn:a'/><b xmlns='urn:b'/></metadata>",
            "<metadata>\n <x:b xmlns:x='urn:x'/></metadata>".replace(
                "<x:b xmlns:x='urn:x'/>", "<b xmlns='urn:b'/><a xmlns='urn:a'></a>"
            ),
        ),
    ],
)
def test_the_same_thing(one: str, other: str) -> None:
    assert network(one) == network(other)


@pytest.mark.parametrize(
    "found",
    ["<address type='pci' domain='0' bus='0' slot='1' function='1'/>", "<interface dev='eth0v0' connections='1'/>"],
)
def test_only_a_running_network_shows_the_virtual_functions_that_libvirt_found(found: str) -> None:
    pf = "<network><name>lab</name><forward mode='passthrough'><pf dev='eth0'/>{}</forward></network>"
    assert definition_from_xml(pf.format(found), running=True) == definition_from_xml(pf.format(""))
    assert definition_from_xml(pf.format(found)) != definition_from_xml(pf.format(""))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (NAT, NAT.replace("nat", "route")),
        (NAT, NAT.replace("nat", "open")),
        (NAT, NAT.replace("24", "25")),
        (NAT, NAT.replace("10.0.0.1", "10.0.0.2")),
        (NAT, f"{NAT}<bridge stp='off'/>"),
        (NAT, f"{NAT}<bridge delay='1'/>"),
        (NAT, f"{NAT}<bridge zone='work'/>"),
        (NAT, f"{NAT}<bridge macTableManager='libvirt'/>"),
        (NAT, f"{NAT}<mtu size='1500'/>"),
        (NAT, f"{NAT}<dns enable='no'/>"),
        (NAT, f"{NAT}<dns forwardPlainNames='no'/>"),
        (NAT, f"{NAT}<domain name='a'/>"),
        (NAT, f"{NAT}<bandwidth><inbound average='1'/></bandwidth>"),
        (NAT, f"{NAT}<port isolated='yes'/>"),
        (NAT, f"{NAT}<portgroup name='a'/>"),
        (NAT, f"{NAT}<title>a</title>"),
        (NAT, f"{NAT}<metadata><a xmlns='urn:a'/></metadata>"),
        (NAT, f"{NAT}<unknown/>"),
        (NAT, NAT.replace("'/>", "' localPtr='yes'/>")),
        (NAT, NAT.replace("/>", "><nat><port start='1024' end='65534'/></nat></forward>", 1)),
        (NAT, NAT.replace("/>", "><nat ipv6='yes'/></forward>", 1)),
        (NAT, NAT.replace("/>", "><nat><address start='1.1.1.1' end='1.1.1.2'/></nat></forward>", 1)),
        ("<domain name='a'/>", "<domain name='a' localOnly='yes'/>"),
        ("<domain name='a'/>", "<domain name='a' register='yes'/>"),
        ("<forward mode='bridge' dev='eth0'/>", "<forward mode='bridge' dev='eth1'/>"),
        (
            "<forward mode='bridge' dev='eth0'/>",
            "<forward mode='bridge'><interface dev='eth0'/><interface dev='eth1'/></forward>",
        ),
        ("<forward mode='bridge' dev='eth0'/>", "<forward mode='vepa' dev='eth0'/>"),
        ("<vlan><tag id='1'/></vlan>", "<vlan trunk='yes'><tag id='1'/></vlan>"),
        ("<vlan><tag id='1'/></vlan>", "<vlan><tag id='1' nativeMode='untagged'/></vlan>"),
        (
            "<ip address='10.0.0.1' prefix='24'/><route address='10.1.0.0' prefix='16' gateway='10.0.0.2'/>",
            "<ip address='10.0.0.1' prefix='24'/><route address='10.1.0.0' prefix='16' gateway='10.0.0.2' metric='2'/>",
        ),
        # lists with an order: the first name answers a reverse look-up, forwarders are asked one after the other
        (
            "<dns><host ip='10.0.0.2'><hostname>a</hostname><hostname>b</hostname></host></dns>",
            "<dns><host ip='10.0.0.2'><hostname>b</hostname><hostname>a</hostname></host></dns>",
        ),
        (
            "<dns><forwarder addr='10.0.0.2'/><forwarder addr='10.0.0.3'/></dns>",
            "<dns><forwarder addr='10.0.0.3'/><forwarder addr='10.0.0.2'/></dns>",
        ),
    ],
)
def test_another_thing(one: str, other: str) -> None:
    assert network(one) != network(other)


def test_attributes_of_the_network_itself() -> None:
    assert network("", "ipv6='no' trustGuestRxFilters='no' connections='3'") == {"name": "lab"}
    assert network("", "ipv6='yes'") == {"name": "lab", "ipv6": True}
    assert network("", "trustGuestRxFilters='yes'") == {"name": "lab", "trust_guest_rx_filters": True}


def test_a_running_networks_class_ids_are_no_part_of_it() -> None:
    bandwidth = "<bandwidth{0}><inbound average='1' peak='2' burst='3'/><outbound average='4' floor='5'/></bandwidth>"
    running = network(
        bandwidth.format(" classID='3'") + f"<portgroup name='a'>{bandwidth.format(' classID=' + repr('4'))}</portgroup>"
    )
    assert running == network(bandwidth.format("") + f"<portgroup name='a'>{bandwidth.format('')}</portgroup>")
    assert running["bandwidth"]["outbound"] == {"average": 4, "floor": 5}


def test_dnsmasq_options_are_kept_in_their_order() -> None:
    text = """<network xmlns:dnsmasq='http://libvirt.org/schemas/network/dnsmasq/1.0'><name>lab</name>
    <dnsmasq:options><dnsmasq:option value='z=1'/><dnsmasq:option value='a=2'/></dnsmasq:options></network>"""
    definition = definition_from_xml(text)
    assert definition == {"name": "lab", "dnsmasq_options": ["z=1", "a=2"]}
    assert '<dnsmasq:option value="z=1"/>' in render_xml(definition)
    assert definition_from_xml(render_xml(definition)) == definition


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<network/>", "The XML has no <name>; add one."),
        ("<network><name/></network>", "name: '' is empty or has a line break; give a text on one line."),
        ("<network><name>a</name><ip prefix='24'/></network>", "ips[0].address: missing; give the address."),
        ("<network><name>a</name><route gateway='10.0.0.1'/></network>", "routes[0].address: missing; give the address."),
        (
            "<network><name>a</name><forward mode='bogus'/></network>",
            "forward.mode: 'bogus' is none of none, nat, route, open, bridge",
        ),
        ("<network><name>a</name><mtu size='big'/></network>", "mtu: 'big' is not a whole number from 0 to 4294967295."),
        ("<domain/>", "The XML is a <domain> document; a <network> document is needed."),
    ],
)
def test_documents_that_are_no_network(text: str, message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        definition_from_xml(text)


# --- from options ---------------------------------------------------------------------------------------------------------------


def test_options_are_canonical_and_keep_what_is_default_so_that_it_can_be_set_back() -> None:
    options = {
        "name": "lab",
        "bridge": {"name": None, "stp": True, "delay": 0},
        "ips": [
            {"address": "FD00::1", "prefix": 64, "netmask": None},
            {"address": "10.0.0.1", "prefix": None, "netmask": "255.0.0.0"},
        ],
    }
    assert definition_from_options(options) == {
        "name": "lab",
        "bridge": {"stp": True, "delay": 0},
        "ips": [{"address": "fd00::1", "prefix": 64}, {"address": "10.0.0.1", "prefix": 8}],
    }


def test_an_omitted_prefix_is_not_made_up_for_options() -> None:
    assert definition_from_options({"ips": [{"address": "10.0.0.1"}]}) == {"ips": [{"address": "10.0.0.1"}]}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            {"address": "10.0.0.1", "prefix": 24, "netmask": "255.255.255.0"},
            "ips[0].netmask: given beside ips[0].prefix; give one of the two.",
        ),
        ({"address": "fd00::1", "netmask": "255.255.255.0"}, "ips[0].netmask: IPv6 has no netmask; give ips[0].prefix."),
        ({"address": "10.0.0.1", "prefix": 33}, "ips[0].prefix: '33' is more than the 32 bits of 10.0.0.1."),
        ({"address": "fd00::1", "prefix": 129}, "ips[0].prefix: '129' is not a whole number from 0 to 128."),
        ({"address": "10.0.0.1", "family": "ipv6"}, "ips[0].family: 'ipv6' is not the family of 10.0.0.1; leave it out."),
    ],
)
def test_address_and_prefix_have_to_fit(entry: dict[str, t.Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        definition_from_options({"ips": [entry]})


# --- questions about a definition -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "owns"),
    [
        ("none", True),
        ("nat", True),
        ("route", True),
        ("open", True),
        ("bridge", False),
        ("private", False),
        ("vepa", False),
        ("passthrough", False),
        ("hostdev", False),
    ],
)
def test_whose_bridge_it_is(mode: str, owns: bool) -> None:
    definition = normalise({"name": "lab", "forward": {"mode": mode}})
    assert mode_of(definition) == mode
    assert owns_bridge(definition) is owns


def test_subnets_are_those_of_addresses_and_routes() -> None:
    definition = network(
        "<ip address='10.0.0.1' prefix='24'/><ip address='fd00::1' prefix='64'/>"
        "<route address='10.9.0.0' prefix='16' gateway='10.0.0.2'/>"
    )
    assert [str(subnet) for subnet in subnets_of(definition)] == ["10.0.0.0/24", "fd00::/64", "10.9.0.0/16"]
    assert subnets_of({"name": "lab"}) == []


CURRENT: Definition = {
    "name": "lab",
    "uuid": "1b4f0c34-3a39-4a26-a21f-6f0a3b1e0a6e",
    "forward": {"mode": "nat"},
    "bridge": {"name": "virbr7", "stp": False},
    "mac": "52:54:00:00:00:01",
}
OTHER_UUID = "2d6e42e8-9e36-4bf7-b1f9-6c8b9e9f0b11"


@pytest.mark.parametrize(
    ("definition", "carried"),
    [
        (
            {"name": "lab"},
            {"name": "lab", "uuid": CURRENT["uuid"], "mac": CURRENT["mac"], "bridge": {"name": "virbr7"}},
        ),
        (
            {"name": "lab", "bridge": {"stp": False}},
            {"name": "lab", "uuid": CURRENT["uuid"], "mac": CURRENT["mac"], "bridge": {"name": "virbr7", "stp": False}},
        ),
        (
            {"name": "lab", "uuid": OTHER_UUID, "mac": "52:54:00:00:00:02", "bridge": {"name": "virbr8"}},
            {"name": "lab", "uuid": OTHER_UUID, "mac": "52:54:00:00:00:02", "bridge": {"name": "virbr8"}},
        ),
        # the bridge of the host is not the one that libvirt made
        (
            {"name": "lab", "forward": {"mode": "bridge", "dev": "eth0"}},
            {"name": "lab", "uuid": CURRENT["uuid"], "forward": {"mode": "bridge", "dev": "eth0"}},
        ),
    ],
)
def test_what_libvirt_made_up_is_carried_over(definition: Definition, carried: Definition) -> None:
    before = normalise(definition)
    assert carry_identity(definition, CURRENT) == carried
    assert normalise(definition) == before


def test_the_hosts_bridge_is_not_carried_over() -> None:
    host_bridge = {"name": "lab", "forward": {"mode": "bridge"}, "bridge": {"name": "br0"}}
    assert carry_identity({"name": "lab"}, host_bridge) == {"name": "lab"}
