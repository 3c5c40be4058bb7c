# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Wrong input in what only some networks need: devices, switches, bandwidth, records, booting, and texts of others.

Each has its sentence, in check mode and for real, and nothing is changed.
"""

from __future__ import annotations

import re
import typing as t

import libvirt
import pytest

from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import network_task, snapshot
from ansible_collections.kvmops.network.tests.unit.plugins.support.shapes import (
    IP,
    IP6,
    NAT,
    PF,
    Options,
    bridge,
    dns,
    hostdev,
    ovs,
)

RANGE: Options = {"start": "192.168.101.100", "end": "192.168.101.199"}
UU = "1b4f0c34-3a39-4a26-a21f-6f0a3b1e0a6e"


def ip(**options: t.Any) -> Options:
    return {"ips": [{**IP, **options}]}


def dhcp(**options: t.Any) -> Options:
    return ip(dhcp=options)


WRONG: dict[str, tuple[Options, str]] = {
    # --- devices
    "hostdev by the name of an interface": (
        hostdev(dev="eth1"),
        "forward.interfaces: 'eth1' is a name; forward.mode 'hostdev' takes addresses or pf instead.",
    ),
    "hostdev by the names of interfaces": (
        hostdev(interfaces=[{"dev": "eth1"}, {"dev": "eth2"}]),
        "forward.interfaces: 'eth1' is a name; forward.mode 'hostdev' takes addresses or pf instead.",
    ),
    "addresses beside a physical function": (
        hostdev(pf=PF, addresses=[{"bus": "4"}]),
        "forward: pf and addresses say in several ways which devices guests get; give one of them.",
    ),
    "interfaces beside a physical function": (
        {"forward": {"mode": "passthrough", "pf": PF, "interfaces": [{"dev": "eth1"}]}},
        "forward: interfaces and pf say in several ways which devices guests get; give one of them.",
    ),
    "addresses without hostdev": (
        {"forward": {"mode": "passthrough", "addresses": [{"bus": "4"}]}},
        "forward.addresses: has a meaning with forward.mode 'hostdev' only, and the mode is 'passthrough'; leave it out.",
    ),
    "managed without hostdev": (
        {"forward": {"mode": "passthrough", "dev": "eth1", "managed": True}},
        "forward.managed: has a meaning with forward.mode 'hostdev' only, and the mode is 'passthrough'; leave it out.",
    ),
    "a physical function of an isolated network": (
        {"forward": {"mode": "none", "pf": PF}},
        "forward.pf: has no meaning with forward.mode 'none', where guests get no device of the host; leave it out.",
    ),
    "an address twice": (
        hostdev(addresses=[{"bus": "0x0a", "function": "1"}, {"bus": "10", "slot": "0", "function": "0x1"}]),
        "forward.addresses: 0000:0a:00.1 is there 2 times; leave one.",
    ),
    "an address that says nothing": (
        hostdev(addresses=[{}]),
        "forward.addresses[0]: says nothing; give one of its options, or leave it out.",
    ),
    "a bus in hexadecimal without 0x": (
        hostdev(addresses=[{"bus": "1f"}]),
        "forward.addresses[0].bus: '1f' is not a number from 0 to 0xff; give one such as '0x1f'.",
    ),
    "a slot that is too high": (
        hostdev(addresses=[{"bus": "1", "slot": "32"}]),
        "forward.addresses[0].slot: '32' is not a number from 0 to 0x1f; give one such as '0x1f'.",
    ),
    "a function that is too high": (
        hostdev(addresses=[{"bus": "1", "function": 8}]),
        "forward.addresses[0].function: '8' is not a number from 0 to 0x7; give one such as '0x7'.",
    ),
    "a domain that is too high": (
        hostdev(addresses=[{"domain": "0x10000"}]),
        "forward.addresses[0].domain: '0x10000' is not a number from 0 to 0xffff; give one such as '0x1f'.",
    ),
    "an address of another kind": (
        hostdev(addresses=[{"type": "usb"}]),
        "value of type must be one of: pci, got: usb found in forward -> addresses",
    ),
    "an unknown driver": (
        hostdev(pf=PF, driver={"name": "uio"}),
        "value of name must be one of: kvm, vfio, xen, got: uio found in forward -> driver",
    ),
    "a physical function without a name": (hostdev(pf={}), "missing required arguments: dev found in forward -> pf"),
    "a physical function with an odd name": (
        hostdev(pf={"dev": "a b"}),
        "forward.pf: 'a b' has characters that no interface name may have; use letters, digits, '-', '_' and '.'.",
    ),
    "an interface twice": (
        {"forward": {"mode": "vepa", "interfaces": [{"dev": "eth1"}, {"dev": "eth1"}]}},
        "forward.interfaces: eth1 is there twice; leave one.",
    ),
    "a nat network that leaves by two interfaces": (
        {"forward": {"mode": "nat", "interfaces": [{"dev": "eth1"}, {"dev": "eth2"}]}, "ips": [IP]},
        "forward.interfaces: forward.mode 'nat' leaves by one interface, not by 2; give one, or none.",
    ),
    "an open network that leaves by two interfaces": (
        {"forward": {"mode": "open", "interfaces": [{"dev": "eth1"}, {"dev": "eth2"}]}, "ips": [IP]},
        "forward.interfaces: cannot be enforced with forward.mode 'open'; leave them out, or use 'route' with one.",
    ),
    "a host's bridge and a physical function": (
        {"forward": {"mode": "bridge", "pf": PF}, "bridge": {"name": "br0"}},
        "forward.pf: given beside bridge.name 'br0'; with forward.mode 'bridge' give one of the two.",
    ),
    # --- bridge
    "a bridge of a macvtap network": (
        {"forward": {"mode": "private", "dev": "eth1"}, "bridge": {"name": "br0"}},
        "bridge.name: cannot be set with forward.mode 'private', there is no bridge; leave it out.",
    ),
    "a zone of a macvtap network": (
        {"forward": {"mode": "vepa", "dev": "eth1"}, "bridge": {"zone": "work"}},
        "bridge.zone: cannot be set with forward.mode 'vepa', there is no bridge; leave it out.",
    ),
    "a zone of a host's bridge": (
        {"forward": {"mode": "bridge"}, "bridge": {"name": "br0", "zone": "work"}},
        "bridge.zone: cannot be set with forward.mode 'bridge', the bridge is the host's own; leave it out.",
    ),
    "a MAC table of a macvtap network": (
        {"forward": {"mode": "vepa", "dev": "eth1"}, "bridge": {"mac_table_manager": "libvirt"}},
        "bridge.mac_table_manager: cannot be set with forward.mode 'vepa', there is no bridge; leave it out.",
    ),
    "a zone with a space": (
        {"bridge": {"zone": "at work"}},
        "bridge.zone: 'at work' is no name of a zone; use letters, digits, '-' and '_'.",
    ),
    "an unknown MAC table manager": (
        {"bridge": {"mac_table_manager": "guest"}},
        "value of mac_table_manager must be one of: kernel, libvirt, got: guest found in bridge",
    ),
    # --- texts
    "a title of two lines": ({"title": "one\ntwo"}, "title: has a line break; say it on one line, and the rest in description."),
    "metadata that is no XML": (
        {"metadata": ["note"]},
        "metadata[0]: 'note' is not one XML element (…); give one such as <note xmlns='https://example.org/note'>…</note>.",
    ),
    "metadata of two elements": (
        {"metadata": ["<a xmlns='urn:a'/><b xmlns='urn:b'/>"]},
        "metadata[0]: '<a xmlns='urn:a'/><b xmlns='urn:b'/>' is not one XML element (…); give one such "
        "as <note xmlns='https://example.org/note'>…</note>.",
    ),
    "metadata without a namespace": (
        {"metadata": ["<note>text</note>"]},
        "metadata[0]: '<note>text</note>' has no namespace, and libvirt would drop it; give one such as "
        "<note xmlns='https://example.org/note'>…</note>.",
    ),
    "metadata twice in one namespace": (
        {"metadata": ["<a xmlns='urn:a'/>", "<b xmlns='urn:a'/>"]},
        "metadata[1]: another element has the namespace 'urn:a' already; put both into one.",
    ),
    "metadata with a document type": (
        {"metadata": ["<!DOCTYPE a [<!ENTITY x 'y'>]><a xmlns='urn:a'>&x;</a>"]},
        "metadata[0]: '<!DOCTYPE a [<!ENTITY x 'y'>]><a xmlns='urn:a'>&x;</a>' has a document type declaration; remove it.",
    ),
    "metadata with a control character": (
        {"metadata": ["<a xmlns='urn:a'>\x07</a>"]},
        "metadata[0]: '<a xmlns='urn:a'>\x07</a>' is not one XML element (…); give one such as <note "
        "xmlns='https://example.org/note'>…</note>.",
    ),
    # --- dns
    "a domain that is registered but not local": (
        {"domain": {"name": "lab.example", "register": True}},
        "domain.register: needs domain.local_only as well; add 'local_only: true', or leave register out.",
    ),
    "a port of a DNS forwarder without an address": (
        dns(forwarders=[{"domain": "a.example", "port": 5353}]),
        "dns.forwarders: port 5353 needs addr; add the address of the server, or leave port out.",
    ),
    "a port of a DNS forwarder that is too high": (
        dns(forwarders=[{"addr": "192.0.2.53", "port": 65536}]),
        "dns.forwarders[0].port: '65536' is not a whole number from 1 to 65535.",
    ),
    "TXT without a value": (dns(txt=[{"name": "a"}]), "missing required arguments: value found in dns -> txt"),
    "TXT with a name of two words": (
        dns(txt=[{"name": "a b", "value": "c"}]),
        "dns.txt: 'a b' is not a DNS name; use letters, digits, '-' and '.'.",
    ),
    "TXT with two lines": (
        dns(txt=[{"name": "a", "value": "b\nc"}]),
        "dns.txt[0].value: 'b\nc' has a tab or a line break; give a text on one line.",
    ),
    "TXT twice": (dns(txt=[{"name": "a", "value": "b"}, {"name": "a", "value": "b"}]), "dns.txt: a b is there twice; leave one."),
    "SRV without a protocol": (dns(srv=[{"service": "ldap"}]), "missing required arguments: protocol found in dns -> srv"),
    "SRV with an unknown protocol": (
        dns(srv=[{"service": "ldap", "protocol": "sctp"}]),
        "value of protocol must be one of: tcp, udp, got: sctp found in dns -> srv",
    ),
    "SRV with a dot in the service": (
        dns(srv=[{"service": "_ldap._tcp", "protocol": "tcp"}]),
        "dns.srv '_ldap._tcp': service has characters that none has; use letters, digits, '-', '_', '+', '/' and '*'.",
    ),
    "SRV with a service that is too long": (
        dns(srv=[{"service": "a" * 483, "protocol": "tcp"}]),
        "dns.srv 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa': service has 483 characters; libvirt allows "
        "482, choose a shorter one.",
    ),
    "SRV with a port and no target": (
        dns(srv=[{"service": "ldap", "protocol": "tcp", "port": 389}]),
        "dns.srv 'ldap': port 389 needs a target; add the host that serves it, or leave port out.",
    ),
    "SRV with a weight and no target": (
        dns(srv=[{"service": "ldap", "protocol": "tcp", "weight": 1}]),
        "dns.srv 'ldap': weight 1 needs a target; add the host that serves it, or leave weight out.",
    ),
    "SRV with a port that is too high": (
        dns(srv=[{"service": "ldap", "protocol": "tcp", "target": "dc", "port": 65536}]),
        "dns.srv[0].port: '65536' is not a whole number from 0 to 65535.",
    ),
    "SRV with a domain of two words": (
        dns(srv=[{"service": "ldap", "protocol": "tcp", "domain": "a b"}]),
        "dns.srv: 'a b' is not a DNS name; use letters, digits, '-' and '.'.",
    ),
    "records of a DNS server that is off": (
        dns(enable=False, txt=[{"name": "a", "value": "b"}]),
        "dns.enable: 'false', but there are records or forwarders as well; leave them out (purge_hosts: "
        "true removes records that the network has already), or enable DNS.",
    ),
    "a line for dnsmasq with a line break": (
        {"dnsmasq_options": ["log-queries\nlog-dhcp"]},
        "dnsmasq_options[0]: 'log-queries\nlog-dhcp' has a tab or a line break; give a text on one line.",
    ),
    # --- addresses
    "local reverse look-ups of an odd prefix": (
        ip(prefix=20, local_ptr=True),
        "ips 192.168.101.1, local_ptr: libvirt cannot say the domain of reverse look-ups for a prefix of"
        " 20; choose 8, 16 or 24, or leave local_ptr out.",
    ),
    "local reverse look-ups of an odd IPv6 prefix": (
        {"ips": [{**IP6, "prefix": 62, "local_ptr": True}]},
        "ips fd00:101::1, local_ptr: libvirt cannot say the domain of reverse look-ups for a prefix of "
        "62; choose a multiple of 4 below 128, or leave local_ptr out.",
    ),
    "TFTP on IPv6": (
        {"ips": [{**IP6, "tftp": {"root": "/srv"}}]},
        "ips fd00:101::1, tftp: libvirt has no TFTP on IPv6; give it with an IPv4 address, or leave it out.",
    ),
    "TFTP without a directory": (
        ip(tftp={"root": ""}),
        "ips[0].tftp.root: '' is empty or has a tab or a line break; give a text on one line.",
    ),
    "BOOTP alone": (
        dhcp(bootp={"file": "pxelinux.0"}),
        "ips 192.168.101.1, dhcp.bootp: has a meaning with ranges or hosts only, and libvirt would drop it; add one of them.",
    ),
    "BOOTP on IPv6": (
        {"ips": [{**IP6, "dhcp": {"bootp": {"file": "a"}, "ranges": [{"start": "fd00:101::2", "end": "fd00:101::9"}]}}]},
        "ips fd00:101::1, dhcp.bootp: has a meaning for IPv4 only, and libvirt would drop it; leave it out.",
    ),
    "BOOTP without a file": (
        dhcp(ranges=[RANGE], bootp={"server": "192.168.101.5"}),
        "missing required arguments: file found in ips -> dhcp -> bootp",
    ),
    "BOOTP from a name": (
        dhcp(ranges=[RANGE], bootp={"file": "a", "server": "tftp.example"}),
        "ips[0].dhcp.bootp.server: 'tftp.example' is not an IP address; give one such as 192.168.101.1 or fd00:101::1.",
    ),
    "BOOTP from an IPv6 address": (
        dhcp(ranges=[RANGE], bootp={"file": "a", "server": "fd00::5"}),
        "ips 192.168.101.1, dhcp.bootp.server: fd00::5 is no IPv4 address; guests boot over IPv4, give one.",
    ),
    "a lease of a minute": (
        dhcp(ranges=[{**RANGE, "lease": {"expiry": 1}}]),
        "ips 192.168.101.1, dhcp.ranges, lease: 1 minutes is less than two minutes; give more, or 0 for ever.",
    ),
    "a lease of 119 seconds": (
        dhcp(hosts=[{"mac": "52:54:00:00:00:01", "ip": "192.168.101.9", "lease": {"expiry": 119, "unit": "seconds"}}]),
        "ips 192.168.101.1, dhcp.hosts, lease: 119 seconds is less than two minutes; give more, or 0 for ever.",
    ),
    "a lease in days": (
        dhcp(ranges=[{**RANGE, "lease": {"expiry": 1, "unit": "days"}}]),
        "value of unit must be one of: seconds, minutes, hours, got: days found in ips -> dhcp -> ranges -> lease",
    ),
    "a lease without a time": (
        dhcp(ranges=[{**RANGE, "lease": {"unit": "hours"}}]),
        "missing required arguments: expiry found in ips -> dhcp -> ranges -> lease",
    ),
    "a negative lease": (
        dhcp(ranges=[{**RANGE, "lease": {"expiry": -1}}]),
        "ips[0].dhcp.ranges[0].lease.expiry: '-1' is not a whole number from 0 to 18446744073709551615.",
    ),
    # --- NICs
    "a virtual port without a type": (
        bridge(virtualport={"parameters": {"profileid": "a"}}),
        "virtualport.type: missing; give one of 802.1Qbg, 802.1Qbh, openvswitch, midonet.",
    ),
    "a virtual port of an unknown type": (
        bridge(virtualport={"type": "vxlan"}),
        "value of type must be one of: 802.1Qbg, 802.1Qbh, openvswitch, midonet, got: vxlan found in virtualport",
    ),
    "parameters of another type": (
        bridge(virtualport={"type": "openvswitch", "parameters": {"managerid": 1, "instanceid": UU}}),
        "virtualport.parameters: instanceid is none of the type 'openvswitch', which has interfaceid, "
        "profileid; leave it out. virtualport.parameters: managerid is none of the type 'openvswitch', "
        "which has interfaceid, profileid; leave it out.",
    ),
    "a MidoNet port without its UUID": (
        bridge(virtualport={"type": "midonet"}),
        "virtualport.parameters: the type 'midonet' needs interfaceid; add the UUID of the port.",
    ),
    "a profile with a long name": (
        ovs(portgroups=[{"name": "a", "virtualport": {"type": "openvswitch", "parameters": {"profileid": "p" * 40}}}]),
        "portgroups 'a', virtualport.parameters: profileid 'pppppppppppppppppppppppppppppppppppppppp' "
        "has 40 bytes; libvirt allows 39, choose a shorter one.",
    ),
    "a manager that is too high": (
        {"forward": {"mode": "vepa", "dev": "eth1"}, "virtualport": {"type": "802.1Qbg", "parameters": {"managerid": 256}}},
        "virtualport.parameters.managerid: '256' is not a whole number from 0 to 255.",
    ),
    "an instance that is no UUID": (
        {"forward": {"mode": "vepa", "dev": "eth1"}, "virtualport": {"type": "802.1Qbg", "parameters": {"instanceid": "a"}}},
        "virtualport.parameters.instanceid: 'a' is not a UUID; give one such as 1b4f0c34-3a39-4a26-a21f-6f0a3b1e0a6e.",
    ),
    "a peak without an average": (
        {"bandwidth": {"inbound": {"peak": 5}}},
        "bandwidth.inbound: peak 5 needs average; add the average rate, or leave peak out.",
    ),
    "a burst without an average": (
        {"bandwidth": {"outbound": {"average": 0, "burst": 5}}},
        "bandwidth.outbound: burst 5 needs average; add the average rate, or leave burst out.",
    ),
    "a burst that is too large": (
        {"bandwidth": {"inbound": {"average": 5, "burst": 2**22}}},
        "bandwidth.inbound: burst 4194304 is more than the 4194303 KiB that are possible; choose less.",
    ),
    "a floor": (
        {"bandwidth": {"inbound": {"average": 5, "floor": 1}}},
        "Unsupported parameters for (basic.py) module: bandwidth.inbound.floor. Supported parameters "
        "include: average, burst, peak.",
    ),
    "a negative average": (
        {"bandwidth": {"inbound": {"average": -1}}},
        "bandwidth.inbound.average: '-1' is not a whole number from 0 to 18014398509481984.",
    ),
    "an average that is too large for the schema": (
        {"bandwidth": {"inbound": {"average": 2**54 + 1}}},
        "bandwidth.inbound.average: '18014398509481985' is not a whole number from 0 to 18014398509481984.",
    ),
    "bandwidth of a macvtap network": (
        {"forward": {"mode": "private", "dev": "eth1"}, "bandwidth": {"inbound": {"average": 5}}},
        "bandwidth: cannot be set with forward.mode 'private' without a bridge; give it to the guests' NICs.",
    ),
    "bandwidth of a hostdev network's port group": (
        {**hostdev(pf=PF), "portgroups": [{"name": "a", "bandwidth": {"inbound": {"average": 5}}}]},
        "portgroups 'a', bandwidth: cannot be set with forward.mode 'hostdev' without a bridge; give it to the guests' NICs.",
    ),
    "a VLAN on libvirt's own bridge": (
        {"vlan": {"tags": [{"id": 42}]}},
        "vlan: is for bridges of Open vSwitch (virtualport.type 'openvswitch'), bridges of the host, and"
        " virtual functions (forward.mode 'hostdev' or 'passthrough'), and the mode is 'none'; leave it "
        "out.",
    ),
    "a VLAN of a nat network": (
        {"forward": NAT, "ips": [IP], "vlan": {"tags": [{"id": 42}]}},
        "vlan: is for bridges of Open vSwitch (virtualport.type 'openvswitch'), bridges of the host, and"
        " virtual functions (forward.mode 'hostdev' or 'passthrough'), and the mode is 'nat'; leave it "
        "out.",
    ),
    "a VLAN of a macvtap network": (
        {"forward": {"mode": "vepa", "dev": "eth1"}, "vlan": {"tags": [{"id": 42}]}},
        "vlan: is for bridges of Open vSwitch (virtualport.type 'openvswitch'), bridges of the host, and"
        " virtual functions (forward.mode 'hostdev' or 'passthrough'), and the mode is 'vepa'; leave it "
        "out.",
    ),
    "a VLAN of a port group on libvirt's own bridge": (
        {"portgroups": [{"name": "a", "vlan": {"tags": [{"id": 42}]}}]},
        "portgroups 'a', vlan: is for bridges of Open vSwitch (virtualport.type 'openvswitch'), bridges "
        "of the host, and virtual functions (forward.mode 'hostdev' or 'passthrough'), and the mode is "
        "'none'; leave it out.",
    ),
    "a VLAN beside a port group's own virtual port": (
        ovs(portgroups=[{"name": "a", "vlan": {"tags": [{"id": 42}]}, "virtualport": {"parameters": {"profileid": "a"}}}]),
        "portgroups 'a', virtualport.type: 'openvswitch' is needed beside a vlan; add it, or leave one of the two out.",
    ),
    "a trunk without tags": (
        ovs(vlan={"trunk": True, "tags": []}),
        "vlan.tags: missing; give one VLAN at least, or leave vlan out.",
    ),
    "a VLAN that is too high": (
        ovs(vlan={"tags": [{"id": 4096}]}),
        "vlan.tags[0].id: '4096' is not a whole number from 0 to 4095.",
    ),
    "a VLAN twice": (ovs(vlan={"tags": [{"id": 1}, {"id": 1}]}), "vlan.tags: 1 is there twice; leave one."),
    "two native VLANs": (
        ovs(vlan={"tags": [{"id": 1, "native_mode": "tagged"}, {"id": 2, "native_mode": "untagged"}]}),
        "vlan.tags: 2 have native_mode; frames without a tag belong to one VLAN, leave one.",
    ),
    "an unknown native mode": (
        ovs(vlan={"tags": [{"id": 1, "native_mode": "native"}]}),
        "value of native_mode must be one of: tagged, untagged, got: native found in vlan -> tags",
    ),
    "port groups of the same name": ({"portgroups": [{"name": "a"}, {"name": "a"}]}, "portgroups: a is there twice; leave one."),
    "two default port groups": (
        {"portgroups": [{"name": "a", "default": True}, {"name": "b", "default": True}]},
        "portgroups: 'a' and 'b' are both the default; choose one.",
    ),
    "a port group with a space": (
        {"portgroups": [{"name": "a b"}]},
        "portgroups: 'a b' cannot name a port group; use letters, digits, '-', '_', '.', ':' and '/'.",
    ),
    "a port group without a name": ({"portgroups": [{"default": True}]}, "missing required arguments: name found in portgroups"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input(driver: libvirt.virConnect, name: str) -> None:
    options, sentence = WRONG[name]
    driver.networkDefineXML("<network><name>other</name></network>")
    before = snapshot(driver)
    for check in (True, False):
        result = network_task(check=check, name="lab", **options)
        assert result.failed
        assert not result.changed
        # what the parser says depends on its version
        assert re.sub(r"\(.*?, line 1, column [0-9]+\)", "(…)", result.msg) == sentence
        assert "exception" not in result.data
        assert snapshot(driver) == before


def test_the_table_is_long_enough() -> None:
    assert len(WRONG) >= 90
