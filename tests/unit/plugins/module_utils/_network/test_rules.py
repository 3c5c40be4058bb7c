# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Each rule says its sentence where it has to, and only there. Those that options can break are in the modules' tests too."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._network.definition import definition_from_xml
from ansible_collections.kvmops.network.plugins.module_utils._network.rules import find_oddities, find_problems
from ansible_collections.kvmops.network.plugins.module_utils._network.topics.names import interface_problem

if t.TYPE_CHECKING:
    Definition = dict[str, t.Any]

IP = "<ip address='192.168.101.1' prefix='24'/>"
NAT = f"<forward mode='nat'/>{IP}"
VLAN = "<vlan><tag id='42'/></vlan>"
NO_VLAN = (
    "vlan: is for bridges of Open vSwitch (virtualport.type 'openvswitch'), bridges of the host, and virtual functions "
    "(forward.mode 'hostdev' or 'passthrough'), and the mode is"
)
NO_DNSMASQ = (
    "{option}: cannot be set with forward.mode 'bridge', where the network is the host's own; leave it out, or say "
    "definition: replace{more} if the network has it from before."
)
NO_TARGET = "is not a DNS name; use letters, digits, '-', '_' and '.'."
HOSTDEV_ONLY = "has a meaning with forward.mode 'hostdev' only, and the mode is"
TOO_LONG = "has 16 characters, and the kernel allows 15; choose a shorter name"
ODD = "has characters that no interface name may have; use letters, digits, '-', '_' and '.'"


def problems(content: str) -> list[str]:
    return find_problems(definition_from_xml(f"<network><name>lab</name>{content}</network>"))


def oddities(content: str) -> list[str]:
    return find_oddities(definition_from_xml(f"<network><name>lab</name>{content}</network>"))


def dhcp(content: str, address: str = "192.168.101.1", prefix: int = 24) -> str:
    family = "ipv6" if ":" in address else "ipv4"
    return f"<forward mode='nat'/><ip family='{family}' address='{address}' prefix='{prefix}'><dhcp>{content}</dhcp></ip>"


@pytest.mark.parametrize(
    "content",
    [
        "",
        NAT,
        "<bridge name='abcdefghijklmno'/>",  # 15 characters
        "<bridge name='virbr-0_1.7'/>",
        "<bridge name='a\\b'/>",
        "<forward mode='bridge'/><bridge name='br0'/>",
        "<forward mode='bridge' dev='eth0'/>",
        "<forward mode='bridge'><interface dev='eth0'/><interface dev='eth1'/></forward>",
        "<forward mode='private' dev='eth0'/>",
        "<forward mode='hostdev'><pf dev='eth0'/></forward>",
        f"<forward mode='nat' dev='eth0'/>{IP}",
        f"<forward mode='nat'><nat><port start='5' end='6'/><address start='1.1.1.1' end='1.1.1.1'/></nat></forward>{IP}",
        f"<forward mode='route' dev='eth0'/>{IP}",
        f"<forward mode='open'/>{IP}",
        "<forward mode='open'/>",
        f"{NAT}<mtu size='68'/>",
        f"{NAT}<mtu size='65535'/>",
        "<mtu size='1280'/><ip family='ipv6' address='fd00::1' prefix='64'/>",
        "<mac address='52:54:00:00:00:01'/>",
        # addresses at the very ends of what is possible
        "<ip address='10.0.0.0' prefix='31'/>",
        "<ip address='10.0.0.1' prefix='32'/>",
        "<ip address='10.0.0.1' prefix='1'/>",
        "<ip address='10.0.0.254' prefix='24'/>",
        "<ip family='ipv6' address='fd00::ffff:ffff:ffff:ffff' prefix='64'/>",
        "<ip family='ipv6' address='fe80::1' prefix='64'/>",
        dhcp("<range start='192.168.101.1' end='192.168.101.254'/>"),
        dhcp("<range start='192.168.101.5' end='192.168.101.5'/>"),
        dhcp("<range start='10.1.0.0' end='10.1.255.255'/>", "10.0.0.1", 8),  # 65536 addresses
        dhcp("<range start='fd00::1:0' end='fd00::1:ffff'/>", "fd00::1", 64),
        dhcp("<range start='fd00::1' end='fd00::9'/>", "fd00::1", 80),
        # one DHCP server for each family
        "<ip address='10.0.0.1' prefix='24'><dhcp><range start='10.0.0.2' end='10.0.0.9'/></dhcp></ip>"
        "<ip family='ipv6' address='fd00::1' prefix='64'><dhcp><range start='fd00::2' end='fd00::9'/></dhcp></ip>"
        "<ip address='10.0.1.1' prefix='24'/>",
        dhcp("<host mac='52:54:00:00:00:01' ip='192.168.101.2'/><host name='a' ip='192.168.101.3'/>"),
        dhcp("<host mac='52:54:00:00:00:01' name='a' ip='192.168.101.2'/><host mac='52:54:00:00:00:02' ip='192.168.101.3'/>"),
        dhcp("<host id='00:03:00:01:52:54:00:6b:3c:58' ip='fd00::2'/><host name='b.c_d' ip='fd00::3'/>", "fd00::1", 64),
        dhcp("<host id='0:1:0:1:18:aa:62:fe:0:16:3e:44:55:66' ip='fd00::2'/>", "fd00::1", 64),
        dhcp("<host id='00:02:00:00:ab:11:1a:17:2c:aa:13:b6:4a:d6' ip='fd00::2'/>", "fd00::1", 64),
        dhcp(f"<host id='00:04{':7f' * 16}' ip='fd00::2'/>", "fd00::1", 64),
        "<dns enable='no' forwardPlainNames='no'/>",
        "<dns><forwarder domain='a.example'/><forwarder addr='10.0.0.1'/></dns>",
        "<domain name='lab-1.example'/>",
        f"{NAT}<route address='10.9.0.0' prefix='16' gateway='192.168.101.2' metric='7'/>",
        f"{NAT}<route address='0.0.0.0' prefix='0' gateway='192.168.101.2'/>",
        # devices of the host
        "<forward mode='vepa'><pf dev='eth0'/></forward>",
        "<forward mode='bridge'><pf dev='eth0'/></forward>",
        "<forward mode='hostdev' managed='yes'><driver name='vfio'/><address type='pci' bus='1'/></forward>",
        f"<forward mode='route'><interface dev='eth0'/></forward>{IP}",
        # VLANs
        f"<forward mode='passthrough' dev='eth0'/>{VLAN}",
        f"<forward mode='hostdev'><pf dev='eth0'/></forward><portgroup name='a'>{VLAN}</portgroup>",
        f"<forward mode='bridge'/><bridge name='br0'/><portgroup name='a'>{VLAN}</portgroup>",
        # nobody is on the network without its default port group, whose switch knows them
        f"<forward mode='bridge'/><bridge name='br0'/><virtualport type='802.1Qbh'/>{VLAN}"
        "<portgroup name='a' default='yes'><virtualport type='openvswitch'/></portgroup>",
        # the ends of what is possible
        f"<bandwidth><inbound average='{2**54}' peak='1' burst='{2**22 - 1}'/></bandwidth>",
        "<forward mode='bridge'/><bridge name='ovsbr0'/><virtualport type='openvswitch'>"
        f"<parameters profileid='{'p' * 39}'/></virtualport>",
        dhcp("<range start='192.168.101.2' end='192.168.101.3'><lease expiry='2'/></range>"),
        dhcp("<range start='192.168.101.2' end='192.168.101.3'><lease expiry='120' unit='seconds'/></range>"),
        dhcp("<range start='192.168.101.2' end='192.168.101.3'><lease expiry='0' unit='seconds'/></range>"),
        dhcp("<range start='192.168.101.2' end='192.168.101.3'><lease expiry='1' unit='hours'/></range>"),
        f"<dns><srv service='{'a' * 482}' protocol='tcp'/><srv service='x_-+/*' protocol='udp' target='.'/></dns>",
        *(f"<ip address='10.0.0.1' prefix='{prefix}' localPtr='yes'/>" for prefix in (8, 16, 24)),
        *(f"<ip family='ipv6' address='fd00::1' prefix='{prefix}' localPtr='yes'/>" for prefix in (4, 60, 124)),
        "<dns enable='no'/><ip address='10.0.0.1' prefix='20' localPtr='yes'/>",
        "<ip address='10.0.0.1' prefix='24'/><ip address='10.0.1.1' prefix='24'/>",
        "<forward mode='bridge'/><bridge name='br0'/><port isolated='yes'/>",
        "<portgroup name='a.b-c_d:e/f'/>",
    ],
)
def test_what_is_right(content: str) -> None:
    assert problems(content) == []
    assert oddities(content) == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        # names
        ("<bridge name='abcdefghijklmnop'/>", f"bridge.name: 'abcdefghijklmnop' {TOO_LONG}."),
        (
            "<bridge name='ééééé-éééé'/>",
            "bridge.name: 'ééééé-éééé' has 19 characters, and the kernel allows 15; choose a shorter name.",
        ),
        ("<bridge name='virbr%d'/>", f"bridge.name: 'virbr%d' {ODD}."),
        ("<bridge name='a/b'/>", f"bridge.name: 'a/b' {ODD}."),
        ("<bridge name='..'/>", f"bridge.name: '..' {ODD}."),
        (f"<forward mode='nat' dev='a b'/>{IP}", f"forward.dev: 'a b' {ODD}."),
        (
            "<forward mode='bridge'><interface dev='a:1'/><interface dev='eth1'/></forward>",
            f"forward.interfaces: 'a:1' {ODD}.",
        ),
        ("<forward mode='hostdev'><pf dev='p:1'/></forward>", f"forward.pf: 'p:1' {ODD}."),
        (
            "<mac address='53:54:00:00:00:01'/>",
            "mac: '53:54:00:00:00:01' is a multicast address; the second digit of a NIC's MAC address is even.",
        ),
        (
            "<mac address='00:00:00:00:00:00'/>",
            "mac: '00:00:00:00:00:00' is no NIC's address; choose one such as 52:54:00:6b:3c:58.",
        ),
        ("<domain name='a_b'/>", "domain.name: 'a_b' is not a DNS name; use letters, digits, '-' and '.'."),
        (
            "<dns><forwarder domain='a b'/></dns>",
            "dns.forwarders: 'a b' is not a DNS name; use letters, digits, '-' and '.'.",
        ),
        (
            "<dns><host ip='10.0.0.1'><hostname>a</hostname><hostname>b,c</hostname></host></dns>",
            "dns.hosts: 'b,c' is not a DNS name; use letters, digits, '-' and '.'.",
        ),
        (
            dhcp("<host mac='52:54:00:00:00:01' name='-a' ip='192.168.101.2'/>"),
            "dhcp.hosts: '-a' is not a host name; use letters, digits, '-', '_' and '.', and begin with a letter.",
        ),
        # the forward mode
        (
            f"<forward mode='route'><nat ipv6='yes'/></forward>{IP}",
            "forward.nat: has a meaning with forward.mode 'nat' only, and the mode is 'route'; leave one of them out.",
        ),
        (
            f"<forward mode='open' dev='eth0'/>{IP}",
            "forward.dev: 'eth0' cannot be enforced with forward.mode 'open'; leave it out, or use 'route'.",
        ),
        (
            "<forward mode='none' dev='eth0'/>",
            "forward.dev: 'eth0' cannot be enforced with forward.mode 'none'; leave it out, or use 'route'.",
        ),
        *(
            (
                f"<forward mode='{mode}'/>",
                f"ips: missing; forward.mode '{mode}' needs an address of the host, such as 192.168.101.1 with prefix 24.",
            )
            for mode in ("nat", "route")
        ),
        (
            f"<forward mode='nat'><nat><address start='1.1.1.2' end='1.1.1.1'/></nat></forward>{IP}",
            "forward.nat.address: start 1.1.1.2 is after end 1.1.1.1; swap them.",
        ),
        (
            f"<forward mode='nat'><nat><address start='1.1.1.2'/></nat></forward>{IP}",
            "forward.nat.address: end is missing; give both ends.",
        ),
        (
            f"<forward mode='nat'><nat><address start='fd00::1' end='fd00::2'/></nat></forward>{IP}",
            "forward.nat.address: fd00::1 to fd00::2 is no range of IPv4 addresses; give two of one family.",
        ),
        (
            f"<forward mode='nat'><nat><port start='9' end='8'/></nat></forward>{IP}",
            "forward.nat.port: start 9 is after end 8; swap them.",
        ),
        (
            f"<forward mode='nat'><nat><port start='9' end='9'/></nat></forward>{IP}",
            "forward.nat.port: start and end are both 9, and libvirt needs two ports at least; choose a range.",
        ),
        (
            f"<forward mode='nat'><nat><address start='10.0.0.1' end='10.1.0.1'/></nat></forward>{IP}",
            "forward.nat.address: 10.0.0.1 to 10.1.0.1 has more than 65536 addresses, which libvirt refuses; choose a smaller "
            "range.",
        ),
        (
            "<forward mode='bridge' dev='eth0'/><bridge name='br0'/>",
            "forward.dev: given beside bridge.name 'br0'; with forward.mode 'bridge' give one of the two.",
        ),
        (
            "<forward mode='bridge'/><bridge name='br0' delay='3'/>",
            "bridge.delay: cannot be set with forward.mode 'bridge', the bridge is the host's own; leave it out.",
        ),
        (
            "<forward mode='vepa' dev='eth0'/><bridge stp='off'/>",
            "bridge.stp: cannot be set with forward.mode 'vepa', there is no bridge; leave it out.",
        ),
        *(
            (
                f"<forward mode='bridge'/><bridge name='br0'/>{content}",
                f"{option}: cannot be set with forward.mode 'bridge', where the network is the host's own; leave it out, or say "
                f"definition: replace{', purge_hosts: true' if option == 'dns' else ''} if the network has it from before.",
            )
            for option, content in (
                ("ips", IP),
                ("dns", "<dns><txt name='a' value='b'/></dns>"),
                ("domain", "<domain name='a'/>"),
                ("mtu", "<mtu size='1500'/>"),
                ("mac", "<mac address='52:54:00:00:00:01'/>"),
            )
        ),
        ("<mtu size='67'/>", "mtu: '67' is not possible; choose a value from 68 to 65535 bytes."),
        ("<mtu size='65536'/>", "mtu: '65536' is not possible; choose a value from 68 to 65535 bytes."),
        (
            "<mtu size='1279'/><ip family='ipv6' address='fd00::1' prefix='64'/>",
            "mtu: '1279' is not possible with an IPv6 address; choose a value from 1280 to 65535 bytes.",
        ),
        # addresses
        (f"{IP}{IP}", "ips 192.168.101.1: is there twice; leave one."),
        ("<ip address='10.0.0.1' prefix='0'/>", "ips 10.0.0.1: prefix 0 is the whole internet; choose the prefix of a subnet."),
        # DHCP
        (
            "<ip address='10.0.0.1' prefix='24'><dhcp><range start='10.0.0.2' end='10.0.0.9'/></dhcp></ip>"
            "<ip address='10.0.1.1' prefix='24'><dhcp><range start='10.0.1.2' end='10.0.1.9'/></dhcp></ip>",
            "ips 10.0.1.1: DHCP for IPv4 is on 10.0.0.1 already, and libvirt serves one subnet of each family; leave "
            "dhcp out of one.",
        ),
        (
            dhcp("<range start='fd00::1' end='fd00::9'/>", "fd00::1", 48),
            "ips fd00::1: DHCP for IPv6 needs a prefix of 64 or longer, and it is 48; choose 64.",
        ),
        (
            dhcp("<range start='192.168.100.2' end='192.168.101.9'/>"),
            "ips 192.168.101.1, dhcp.ranges: 192.168.100.2 is outside of the subnet 192.168.101.0/24; choose one from "
            "192.168.101.1 to "
            "192.168.101.254.",
        ),
        (
            dhcp("<range start='192.168.101.0' end='192.168.101.9'/>"),
            "ips 192.168.101.1, dhcp.ranges: 192.168.101.0 is no host's address in 192.168.101.0/24; choose one from "
            "192.168.101.1 to "
            "192.168.101.254.",
        ),
        (
            dhcp("<range start='192.168.101.5' end='192.168.101.255'/>"),
            "ips 192.168.101.1, dhcp.ranges: 192.168.101.255 is no host's address in 192.168.101.0/24; choose one from "
            "192.168.101.1 "
            "to 192.168.101.254.",
        ),
        (
            dhcp("<range start='192.168.101.9' end='192.168.101.8'/>"),
            "ips 192.168.101.1, dhcp.ranges: start 192.168.101.9 is after end 192.168.101.8; swap them.",
        ),
        (
            dhcp("<range start='192.168.101.9' end='fd00::8'/>"),
            "ips 192.168.101.1, dhcp.ranges: 192.168.101.9 to fd00::8 is no range of IPv4 addresses; give two of one family.",
        ),
        (
            dhcp("<range start='192.168.101.9'/>"),
            "ips 192.168.101.1, dhcp.ranges: end is missing; give both ends.",
        ),
        (
            dhcp("<range start='10.0.1.0' end='10.1.1.0'/>", "10.0.0.1", 8),
            "ips 10.0.0.1, dhcp.ranges: 10.0.1.0 to 10.1.1.0 has more than 65536 addresses, which libvirt refuses; "
            "choose a smaller "
            "one.",
        ),
        (
            dhcp("<range start='fd00::fff0' end='fd00::1:8'/>", "fd00::1", 64),
            "ips fd00::1, dhcp.ranges: fd00::fff0 to fd00::1:8 differ in more than their last four digits, which "
            "libvirt refuses; make "
            "it two ranges.",
        ),
        # reservations
        (
            dhcp("<host mac='53:54:00:00:00:01' ip='192.168.101.2'/>"),
            "dhcp.hosts: '53:54:00:00:00:01' is a multicast address; the second digit of a NIC's MAC address is even.",
        ),
        (
            dhcp("<host mac='52:54:00:00:00:01'/>"),
            "ips 192.168.101.1, dhcp.hosts: '52:54:00:00:00:01' has no ip; add the address that it gets.",
        ),
        (
            dhcp("<host ip='192.168.101.2'/>"),
            "ips 192.168.101.1, dhcp.hosts: '192.168.101.2' is for no guest; add mac.",
        ),
        (
            dhcp("<host ip='fd00::2'/>", "fd00::1", 64),
            "ips fd00::1, dhcp.hosts: 'fd00::2' is for no guest; add mac or id.",
        ),
        (
            dhcp("<host id='00:03:00:01:52:54:00:6b:3c:58' ip='192.168.101.2'/>"),
            "ips 192.168.101.1, dhcp.hosts: '00:03:00:01:52:54:00:6b:3c:58' is given by id; IPv4 knows guests by mac.",
        ),
        (
            dhcp("<host mac='52:54:00:00:00:01' ip='fd00::2'/>", "fd00::1", 64),
            "ips fd00::1, dhcp.hosts: '52:54:00:00:00:01' is given by mac; IPv6 knows guests by id, IPv4 by mac.",
        ),
        (
            dhcp("<host id='52:54:00:00:00:01' ip='fd00::2'/>", "fd00::1", 64),
            "ips fd00::1, dhcp.hosts: '52:54:00:00:00:01' is not a DHCP unique identifier; give one such as "
            "00:03:00:01:52:54:00:6b:3c:58.",
        ),
        # DNS
        (
            "<dns enable='no'><host ip='10.0.0.1'><hostname>a</hostname></host></dns>",
            "dns.enable: 'false', but there are records or forwarders as well; leave them out (purge_hosts: true "
            "removes records that "
            "the network has already), or enable DNS.",
        ),
        ("<dns><host ip='10.0.0.1'/></dns>", "dns.hosts: 10.0.0.1 has no hostnames; give one at least."),
        # routes
        (
            f"{NAT}<route address='10.9.0.1' prefix='16' gateway='192.168.101.2'/>",
            "routes 10.9.0.1: is a host's address in 10.9.0.0/16; give the subnet's, 10.9.0.0.",
        ),
        (
            f"{NAT}<route address='10.9.0.0' prefix='16' gateway='192.168.101.2' metric='0'/>",
            "routes 10.9.0.0: metric 0 is not possible; choose 1 or more.",
        ),
        (
            f"{NAT}<route address='10.9.0.0' prefix='16'/>",
            "routes 10.9.0.0: has no gateway; give the guest's address that leads there.",
        ),
        (
            f"{NAT}<route address='10.9.0.0' prefix='16' gateway='192.168.102.2'/>",
            "routes 10.9.0.0: gateway 192.168.102.2 is in no subnet of the network (192.168.101.0/24); choose a guest's address.",
        ),
        (
            "<route address='10.9.0.0' prefix='16' gateway='192.168.102.2'/>",
            "routes 10.9.0.0: gateway 192.168.102.2 is in no subnet of the network (the network has no address at all); choose a "
            "guest's address.",
        ),
        *(
            (
                f"<dns><srv service='ldap' protocol='tcp' target='{target}'/></dns>{IP}",
                f"dns.srv 'ldap': target '{target}' {NO_TARGET}",
            )
            for target in ("a,b", "ä")
        ),
        ("<forward mode='none'><driver name='vfio'/></forward>", f"forward.driver: {HOSTDEV_ONLY} 'none'; leave it out."),
        # what the kernel takes of IPv4 it does not take of IPv6
        *(
            (
                f"<ip family='ipv6' address='{address}' prefix='64'/>",
                f"ips {address}: cannot be the address of a host; choose one such as fd00:101::1.",
            )
            for address in ("::1", "::", "ff02::77")
        ),
        # what options cannot say, or say otherwise; test_libvirt_network_bad_details.py has the rest
        ("<domain localOnly='yes'/>", "domain.name: missing, and libvirt would drop the rest; give the domain's name."),
        (
            "<bandwidth><inbound average='5' floor='1'/></bandwidth>",
            "bandwidth.inbound: libvirt takes floor in a guest's definition only; leave it out.",
        ),
        (
            "<portgroup name='a'><bandwidth><outbound floor='1'/></bandwidth></portgroup>",
            "portgroups 'a', bandwidth.outbound: libvirt takes floor in a guest's definition only; leave it out.",
        ),
        (
            "<portgroup name='a'/><portgroup name='b'/><portgroup name='a'/>",
            "portgroups: 'a' is there 2 times; give each a name of its own.",
        ),
        ("<portgroup default='yes'/>", "portgroups: one has no name; give each a name of its own."),
        ("<vlan trunk='yes'/>", "vlan.tags: missing; give one VLAN at least, or leave vlan out."),
        (f"<forward mode='bridge' dev='eth0'/><virtualport type='802.1Qbg'/>{VLAN}", f"{NO_VLAN} 'bridge'; leave it out."),
        (
            f"<forward mode='passthrough' dev='eth0'/><portgroup name='a'>{VLAN}<virtualport type='openvswitch'/></portgroup>",
            f"portgroups 'a', {NO_VLAN} 'passthrough'; leave it out.",
        ),
        (
            f"<forward mode='bridge'/><bridge name='br0'/>{VLAN}<portgroup name='a'><virtualport type='802.1Qbh'/></portgroup>",
            "portgroups 'a', virtualport.type: 'openvswitch' is needed beside a vlan; add it, or leave one of the two out.",
        ),
        (
            "<ip address='10.0.0.1' prefix='32' localPtr='yes'/>",
            "ips 10.0.0.1, local_ptr: libvirt cannot say the domain of reverse look-ups for a prefix of 32; choose 8, 16 or 24, "
            "or leave local_ptr out.",
        ),
    ],
)
def test_what_is_wrong(content: str, sentence: str) -> None:
    assert problems(content) == [sentence]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            dhcp("<host mac='52:54:00:00:00:01' name='a,b' ip='192.168.101.2'/>"),
            "dhcp.hosts: 'a,b' is not a host name; use letters, digits, '-', '_' and '.'.",
        ),
        ("<forward mode='bridge'/>", "bridge.name: missing; forward.mode 'bridge' needs the name of a bridge that the host has."),
        *(
            (
                f"<ip address='{address}' prefix='24'/>",
                f"ips {address}: cannot be the address of a host; choose one such as 192.168.101.1.",
            )
            for address in ("224.0.0.1", "127.0.0.1")
        ),
        (
            "<ip address='10.0.0.0' prefix='24'/>",
            "ips 10.0.0.0: is no host's address in 10.0.0.0/24; choose one from 10.0.0.1 to 10.0.0.254.",
        ),
        (
            "<ip address='10.0.0.255' prefix='24'/>",
            "ips 10.0.0.255: is no host's address in 10.0.0.0/24; choose one from 10.0.0.1 to 10.0.0.254.",
        ),
        (
            "<ip family='ipv6' address='fd00::' prefix='64'/>",
            "ips fd00::: is no host's address in fd00::/64; choose one from fd00::1 to fd00::ffff:ffff:ffff:ffff.",
        ),
        (
            dhcp("<host mac='52:54:00:00:00:01' ip='192.168.102.2'/>"),
            "ips 192.168.101.1, dhcp.hosts: 192.168.102.2 is outside of the subnet 192.168.101.0/24; choose one from "
            "192.168.101.1 to "
            "192.168.101.254.",
        ),
        (
            dhcp("<host mac='52:54:00:00:00:01' ip='192.168.101.255'/>"),
            "ips 192.168.101.1, dhcp.hosts: 192.168.101.255 is no host's address in 192.168.101.0/24; choose one from "
            "192.168.101.1 to "
            "192.168.101.254.",
        ),
        (
            dhcp("<host mac='52:54:00:00:00:01' ip='192.168.101.1'/>"),
            "ips 192.168.101.1, dhcp.hosts: 192.168.101.1 for '52:54:00:00:00:01' is the host's own address; choose another.",
        ),
        (
            dhcp("<host mac='52:54:00:00:00:01' ip='192.168.101.2'/><host mac='52:54:00:00:00:02' ip='192.168.101.2'/>"),
            "ips 192.168.101.1, dhcp.hosts: ip 192.168.101.2 is reserved twice, for '52:54:00:00:00:01' and for "
            "'52:54:00:00:00:02'; "
            "change one, or remove what the task does not mention with purge_hosts.",
        ),
        (
            dhcp("<host mac='52:54:00:00:00:01' ip='192.168.101.2'/><host mac='52:54:00:00:00:01' ip='192.168.101.3'/>"),
            "ips 192.168.101.1, dhcp.hosts: mac 52:54:00:00:00:01 is reserved twice, for '52:54:00:00:00:01' and for "
            "'52:54:00:00:00:01'; change one, or remove what the task does not mention with purge_hosts.",
        ),
        (
            dhcp("<host mac='52:54:00:00:00:01' name='a' ip='192.168.101.2'/><host name='a' ip='192.168.101.3'/>"),
            "ips 192.168.101.1, dhcp.hosts: name a is reserved twice, for '52:54:00:00:00:01' and for 'a'; change one, "
            "or remove what "
            "the task does not mention with purge_hosts.",
        ),
        (
            f"{NAT}<route address='10.9.0.0' prefix='16' gateway='192.168.101.1'/>",
            "routes 10.9.0.0: gateway 192.168.101.1 is the host's own address; choose a guest's address.",
        ),
        (
            "<forward mode='bridge'/><bridge name='br0'/><dns forwardPlainNames='no'/>",
            NO_DNSMASQ.format(option="dns", more=", purge_hosts: true"),
        ),
        (
            dhcp("<host mac='00:00:00:00:00:00' ip='192.168.101.2'/>"),
            "dhcp.hosts: '00:00:00:00:00:00' is no NIC's address; choose one such as 52:54:00:6b:3c:58.",
        ),
        *(
            (
                f"<forward mode='{mode}'><driver name='vfio'/></forward>{rest}",
                f"forward.driver: has a meaning with forward.mode 'hostdev' only, and the mode is '{mode}'; leave it out.",
            )
            for mode, rest in (("nat", IP), ("open", IP), ("bridge", "<bridge name='br0'/>"))
        ),
        *(
            (
                f"<forward mode='{mode}'><pf dev='eth0'/></forward>{IP}",
                f"forward.pf: has no meaning with forward.mode '{mode}', where guests get no device of the host; leave it out.",
            )
            for mode in ("nat", "route", "open")
        ),
        *(
            (
                f"<dns><srv service='ldap' protocol='tcp' target='{target}'/></dns>{rest}",
                f"dns.srv 'ldap': target '{target}' {NO_TARGET}",
            )
            for target, rest in (("a,b", ""), ("ä", ""), ("a b", IP), ("-a", IP), ("a;b", IP))
        ),
    ],
)
def test_what_is_odd(content: str, sentence: str) -> None:
    assert problems(content) == []
    assert oddities(content) == [sentence]


@pytest.mark.parametrize("name", ["a/b", "/", " lab", "lab ", "lab\t", ".", ".."])
def test_names_that_no_network_can_have(name: str) -> None:
    assert find_problems({"name": name}) == [f"name: '{name}' cannot name a network; leave out '/' and white space at the ends."]


def test_a_name_may_be_as_long_as_a_file_of_libvirts() -> None:
    assert find_problems({"name": "n" * 246}) == []
    assert find_problems({"name": "n" * 247}) == [
        f"name: '{'n' * 20}…' has 247 bytes; libvirt allows 246, choose a shorter name."
    ]


@pytest.mark.parametrize("name", ["lab", "l", "red nat", "réseau", "a.b", "..a", "wso-net-3332a2"])
def test_names_that_a_network_can_have(name: str) -> None:
    assert find_problems({"name": name}) == []


def test_options_that_were_not_completed() -> None:
    definition = {
        "name": "lab",
        "ips": [{"address": "10.0.0.1"}, {"address": "fd00::1"}],
        "routes": [{"address": "10.9.0.0", "gateway": "10.0.0.2"}],
    }
    assert find_problems(definition) == [
        "ips 10.0.0.1: has neither prefix nor netmask; add 'prefix: 24' or what it is.",
        "ips fd00::1: has neither prefix nor netmask; add 'prefix: 64' or what it is.",
        "routes 10.9.0.0: has neither prefix nor netmask; add one.",
    ]


def test_everything_is_said_at_once() -> None:
    assert len(problems("<bridge name='a/b'/><mtu size='1'/><mac address='53:54:00:00:00:01'/>")) == 3


@pytest.mark.parametrize(
    ("name", "problem"),
    [("virbr101", None), ("a" * 15, None), ("a" * 16, TOO_LONG), ("", ODD), (".", ODD), ("a b", ODD), ("a\n", ODD)],
)
def test_names_of_interfaces(name: str, problem: str | None) -> None:
    # seed 003-15, 003-53, 003-54
    assert interface_problem(name) == problem
