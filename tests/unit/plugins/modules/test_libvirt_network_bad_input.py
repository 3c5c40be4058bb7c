# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Wrong input: each with its sentence, in check mode and for real, and nothing is changed."""

from __future__ import annotations

import re

import libvirt
import pytest

from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import network_task, snapshot
from ansible_collections.kvmops.network.tests.unit.plugins.support.shapes import (
    IP,
    IP6,
    IS,
    MAC,
    NAT,
    OUT,
    Options,
    hosts,
    nat,
    route,
)

STOCK_UUID = "dd8fe884-6c02-601e-7551-cca97df1c5df"
OLD_UUID = "2d6e42e8-9e36-4bf7-b1f9-6c8b9e9f0b11"
NEW_UUID = "1b4f0c34-3a39-4a26-a21f-6f0a3b1e0a6e"

# What is there already: the stock network, running, and another one that does not run.
STOCK = f"""
<network><name>stock</name><uuid>{STOCK_UUID}</uuid><forward mode='nat'/><bridge name='virbr0'/><mac address='52:54:00:00:00:99'/>
  <ip address='192.168.122.1' prefix='24'><dhcp><range start='192.168.122.2' end='192.168.122.254'/></dhcp></ip></network>
"""
OLD = f"""
<network><name>old</name><uuid>{OLD_UUID}</uuid><forward mode='nat'/><bridge name='virbr7'/>
  <dns><host ip='10.7.0.1'><hostname>gateway</hostname></host></dns>
  <ip address='10.7.0.1' prefix='24'><dhcp><host mac='52:54:00:00:00:07' ip='10.7.0.7'/></dhcp></ip></network>
"""

NO_INTERFACE = "has characters that no interface name may have; use letters, digits, '-', '_' and '.'."
NO_ADDRESS = "is not an IP address; give one such as 192.168.101.1 or fd00:101::1"
NO_MAC = "is not a MAC address; give one such as 52:54:00:6b:3c:58."
NO_UUID = "is not a UUID; give one such as 1b4f0c34-3a39-4a26-a21f-6f0a3b1e0a6e."
NO_DNS = "is not a DNS name; use letters, digits, '-' and '.'."
EMPTY = "is empty or has a line break; give a text on one line."
CONTROL = "holds a character that XML cannot hold; remove control characters."


def ranges(start: str, end: str, entry: Options | None = None) -> Options:
    return nat({**(entry or IP), "dhcp": {"ranges": [{"start": start, "end": end}]}})


def xml(content: str, name: str = "lab") -> Options:
    return {"xml": f"<network><name>{name}</name>{content}</network>"}


WRONG: dict[str, tuple[Options, str]] = {
    # --- names
    "empty name": ({"name": ""}, f"name: '' {EMPTY}"),
    "name with a slash": (
        {"name": "a/b", "mtu": 1400},
        "name: 'a/b' cannot name a network; leave out '/' and white space at the ends.",
    ),
    "name with white space": (
        {"name": " a", "state": "absent"},
        "name: ' a' cannot name a network; leave out '/' and white space at",
    ),
    "name with a control character": ({"name": "a\x07", "mtu": 1400}, f"name: 'a\x07' {CONTROL}"),
    "name with a line break": ({"name": "a\nb", "mtu": 1400}, f"name: 'a\nb' {EMPTY}"),
    "unknown name": (
        {"name": "defualt"},
        "name: the network 'defualt' does not exist, and the task has no definition to create it from. The networks of "
        "this host are: "
        "old, stock. Correct the name, or add forward, ips, bridge or xml.",
    ),
    "unknown name that shall not run": ({"state": "inactive"}, "name: the network 'lab' does not exist, and the task has no"),
    # seed 003-54
    "bridge name of 16 characters": (
        {"bridge": {"name": "virbr0123456789a"}},
        "bridge.name: 'virbr0123456789a' has 16 characters, and the kernel allows 15; choose a shorter name.",
    ),
    "bridge name with a slash": ({"bridge": {"name": "a/b"}}, f"bridge.name: 'a/b' {NO_INTERFACE}"),
    "bridge name with a space": ({"bridge": {"name": "a b"}}, f"bridge.name: 'a b' {NO_INTERFACE}"),
    "bridge name that is a pattern": ({"bridge": {"name": "virbr%d"}}, f"bridge.name: 'virbr%d' {NO_INTERFACE}"),
    "empty bridge name": ({"bridge": {"name": ""}}, f"bridge.name: '' {EMPTY}"),
    "bridge name of another network": (
        {"bridge": {"name": "virbr7"}},
        "bridge.name: 'virbr7' is the bridge of the network 'old' already; choose another name.",
    ),
    "bridge name of another network, for a network that is there": (
        {"name": "old", "bridge": {"name": "virbr0"}},
        "bridge.name: 'virbr0' is the bridge of the network 'stock' already; choose another name.",
    ),
    "uplink with a space": ({"forward": {**NAT, "dev": "a b"}, "ips": [IP]}, f"forward.dev: 'a b' {NO_INTERFACE}"),
    "domain with an underscore": ({"domain": {"name": "a_b"}}, f"domain.name: 'a_b' {NO_DNS}"),
    "domain with a space": ({"domain": {"name": "a b"}}, f"domain.name: 'a b' {NO_DNS}"),
    "empty domain": ({"domain": {"name": ""}}, f"domain.name: '' {EMPTY}"),
    # --- the bridge's own
    "mtu too small": ({"mtu": 14}, "mtu: '14' is not possible; choose a value from 68 to 65535 bytes."),
    "mtu too large": ({"mtu": 100000}, "mtu: '100000' is not possible; choose a value from 68 to 65535 bytes."),
    "negative mtu": ({"mtu": -1}, "mtu: '-1' is not a whole number from 0 to 4294967295."),
    "mtu too small for IPv6": (
        {"mtu": 1279, "ips": [IP6]},
        "mtu: '1279' is not possible with an IPv6 address; choose a value from 1280 to 65535 bytes.",
    ),
    "mtu that is no number": ({"mtu": "big"}, "argument 'mtu' is of type str and we were unable to convert to int"),
    "negative delay": ({"bridge": {"delay": -1}}, "bridge.delay: '-1' is not a whole number from 0 to 9223372036854775807."),
    "mac that is none": ({"mac": "52:54:00"}, f"mac: '52:54:00' {NO_MAC}"),
    "multicast mac": (
        {"mac": "01:00:5e:00:00:01"},
        "mac: '01:00:5e:00:00:01' is a multicast address; the second digit of a NIC's MAC address is even.",
    ),
    "mac of zeros": ({"mac": "00:00:00:00:00:00"}, "mac: '00:00:00:00:00:00' is no NIC's address; choose one such as"),
    "mac of another network": (
        {"mac": "52:54:00:00:00:99"},
        "mac: '52:54:00:00:00:99' is the MAC address of the network 'stock'; choose another, or leave mac out.",
    ),
    # --- the forward mode
    "unknown mode": (
        {"forward": {"mode": "nats"}},
        "value of mode must be one of: none, nat, route, open, bridge, private, vepa, passthrough, hostdev, got: nats found in",
    ),
    "no mode": ({"forward": {"dev": "eth0"}}, "missing required arguments: mode found in forward"),
    "nat without an address": (
        {"forward": NAT},
        "ips: missing; forward.mode 'nat' needs an address of the host, such as 192.168.101.1 with prefix 24.",
    ),
    "nat options without nat": (
        {"forward": {"mode": "route", "nat": {"ipv6": True}}, "ips": [IP]},
        "forward.nat: has a meaning with forward.mode 'nat' only, and the mode is 'route'; leave one of them out.",
    ),
    "nat options of an isolated network": (
        {"forward": {"mode": "none", "nat": {"port": {"start": 1, "end": 2}}}},
        "forward.nat: has a meaning with forward.mode 'nat' only, and the mode is 'none'; leave one of them out.",
    ),
    "nat address of IPv6": (
        {"forward": {**NAT, "nat": {"address": {"start": "fd00::1", "end": "fd00::2"}}}, "ips": [IP]},
        "forward.nat.address: fd00::1 to fd00::2 is no range of IPv4 addresses; give two of one family.",
    ),
    "nat addresses reversed": (
        {"forward": {**NAT, "nat": {"address": {"start": "1.1.1.2", "end": "1.1.1.1"}}}, "ips": [IP]},
        "forward.nat.address: start 1.1.1.2 is after end 1.1.1.1; swap them.",
    ),
    "nat ports reversed": (
        {"forward": {**NAT, "nat": {"port": {"start": 2, "end": 1}}}, "ips": [IP]},
        "forward.nat.port: start 2 is after end 1; swap them.",
    ),
    "nat port zero": (
        {"forward": {**NAT, "nat": {"port": {"start": 0, "end": 1}}}, "ips": [IP]},
        "forward.nat.port.start: '0' is not a whole number from 1 to 65535.",
    ),
    "nat port without an end": (
        {"forward": {**NAT, "nat": {"port": {"start": 1}}}, "ips": [IP]},
        "missing required arguments: end found in forward -> nat -> port",
    ),
    "uplink that cannot be enforced": (
        {"forward": {"mode": "open", "dev": "eth0"}, "ips": [IP]},
        "forward.dev: 'eth0' cannot be enforced with forward.mode 'open'; leave it out, or use 'route'.",
    ),
    "uplink of an isolated network": (
        {"forward": {"mode": "none", "dev": "eth0"}},
        "forward.dev: 'eth0' cannot be enforced with forward.mode 'none'; leave it out, or use 'route'.",
    ),
    "host bridge with an uplink": (
        {"forward": {"mode": "bridge", "dev": "eth0"}, "bridge": {"name": "br0"}},
        "forward.dev: given beside bridge.name 'br0'; with forward.mode 'bridge' give one of the two.",
    ),
    **{
        f"host bridge with {option}": (
            {"forward": {"mode": "bridge"}, "bridge": {"name": "br0"}, option: value},
            f"{option}: cannot be set with forward.mode 'bridge', where the network is the host's own; leave it out, or "
            f"say definition: replace{', purge_hosts: true' if option == 'dns' else ''} if the network has it from before.",
        )
        for option, value in {
            "ips": [IP],
            "mac": MAC,
            "mtu": 1400,
            "dns": {"txt": [{"name": "a", "value": "b"}]},
            "domain": {"name": "a"},
        }.items()
    },
    "host bridge with the protocol of its own": (
        {"forward": {"mode": "bridge"}, "bridge": {"name": "br0", "stp": False}},
        "bridge.stp: cannot be set with forward.mode 'bridge', the bridge is the host's own; leave it out.",
    ),
    "host bridge for a network that has addresses": (
        {"name": "old", "forward": {"mode": "bridge"}, "bridge": {"name": "br0"}},
        "ips: cannot be set with forward.mode 'bridge', where the network is the host's own; leave it out, or say "
        "definition: replace if "
        "the network has it from before.",
    ),
    "host bridge with a mac, for a network that is there": (
        {"name": "old", "definition": "replace", "purge_hosts": True, "forward": {"mode": "bridge", "dev": "eth0"}, "mac": MAC},
        "mac: cannot be set with forward.mode 'bridge', where the network is the host's own; leave it out",
    ),
    # --- addresses
    "address that is none": ({"ips": [{"address": "192.168.101", "prefix": 24}]}, f"ips[0].address: '192.168.101' {NO_ADDRESS}."),
    "address with a prefix": (
        {"ips": [{"address": "192.168.101.1/24"}]},
        f"ips[0].address: '192.168.101.1/24' {NO_ADDRESS}; the length of the prefix has an option of its own.",
    ),
    "address with a zone": (
        {"ips": [{"address": "fe80::1%eth0", "prefix": 64}]},
        f"ips[0].address: 'fe80::1%eth0' {NO_ADDRESS}.",
    ),
    "no address": ({"ips": [{"prefix": 24}]}, "ips[0].address: missing; give the address, or a pool to choose a subnet from."),
    "prefix of 33": ({"ips": [{**IP, "prefix": 33}]}, "ips[0].prefix: '33' is more than the 32 bits of 192.168.101.1."),
    "prefix of 129": ({"ips": [{**IP6, "prefix": 129}]}, "ips[0].prefix: '129' is not a whole number from 0 to 128."),
    "negative prefix": ({"ips": [{**IP, "prefix": -1}]}, "ips[0].prefix: '-1' is not a whole number from 0 to 128."),
    "prefix of 0": (
        {"ips": [{**IP, "prefix": 0}]},
        "ips 192.168.101.1: prefix 0 is the whole internet; choose the prefix of a subnet.",
    ),
    "no prefix": (
        {"ips": [{"address": "192.168.101.1"}]},
        "ips 192.168.101.1: has neither prefix nor netmask; add 'prefix: 24' or what it is.",
    ),
    "netmask with a hole": (
        {"ips": [{"address": "192.168.101.1", "netmask": "255.0.255.0"}]},
        "ips[0].netmask: '255.0.255.0' is not an IPv4 netmask; give one such as 255.255.255.0.",
    ),
    "netmask of IPv6": (
        {"ips": [{"address": "fd00::1", "netmask": "255.255.255.0"}]},
        "ips[0].netmask: IPv6 has no netmask; give ips[0].prefix.",
    ),
    "prefix and netmask": (
        {"ips": [{**IP, "netmask": "255.255.255.0"}]},
        "ips[0].netmask: given beside ips[0].prefix; give one of the two.",
    ),
    "an address twice": ({"ips": [IP6, {**IP6, "address": "FD00:101:0::1"}]}, "ips: fd00:101::1 is there twice; leave one."),
    # --- DHCP
    "range outside": (ranges("192.168.102.2", "192.168.102.9"), f"ips 192.168.101.1, dhcp.ranges: 192.168.102.2 {OUT}"),
    "range that begins outside": (
        ranges("192.168.100.2", "192.168.101.9"),
        f"ips 192.168.101.1, dhcp.ranges: 192.168.100.2 {OUT}",
    ),
    "range from the network's address": (
        ranges("192.168.101.0", "192.168.101.9"),
        f"ips 192.168.101.1, dhcp.ranges: 192.168.101.0 {IS}",
    ),
    "range to all": (ranges("192.168.101.9", "192.168.101.255"), f"ips 192.168.101.1, dhcp.ranges: 192.168.101.255 {IS}"),
    "range reversed": (
        ranges("192.168.101.9", "192.168.101.8"),
        "ips 192.168.101.1, dhcp.ranges: start 192.168.101.9 is after end 192.168.101.8; swap them.",
    ),
    "range of the other family": (
        ranges("fd00::1", "fd00::9"),
        "ips 192.168.101.1, dhcp.ranges: fd00::1 is outside of the subnet 192.168.101.0/24",
    ),
    "range of two families": (
        ranges("192.168.101.9", "fd00::9"),
        "ips 192.168.101.1, dhcp.ranges: 192.168.101.9 to fd00::9 is no range of IPv4 addresses; give two of one family.",
    ),
    "range that is too long": (
        ranges("10.8.0.2", "10.10.0.0", {"address": "10.8.0.1", "prefix": 13}),
        "ips 10.8.0.1, dhcp.ranges: 10.8.0.2 to 10.10.0.0 has more than 65536 addresses, which libvirt refuses; choose "
        "a smaller one.",
    ),
    "range over the last four digits": (
        ranges("fd00:101::fff0", "fd00:101::1:8", IP6),
        "ips fd00:101::1, dhcp.ranges: fd00:101::fff0 to fd00:101::1:8 differ in more than their last four digits, which libvirt "
        "refuses; make it two ranges.",
    ),
    "range that is no address": (ranges("a", "192.168.101.9"), f"ips[0].dhcp.ranges[0].start: 'a' {NO_ADDRESS}."),
    "a range twice": (
        nat({**IP, "dhcp": {"ranges": [{"start": "192.168.101.2", "end": "192.168.101.9"}] * 2}}),
        "ips[0].dhcp.ranges: 192.168.101.2 192.168.101.9 is there twice; leave one.",
    ),
    "two DHCP servers": (
        {
            "forward": NAT,
            "ips": [
                {**IP, "dhcp": {"ranges": [{"start": "192.168.101.2", "end": "192.168.101.9"}]}},
                {"address": "192.168.102.1", "prefix": 24, "dhcp": {"hosts": [{"mac": MAC, "ip": "192.168.102.2"}]}},
            ],
        },
        "ips 192.168.102.1: DHCP for IPv4 is on 192.168.101.1 already, and libvirt serves one subnet of each family; "
        "leave dhcp out of "
        "one.",
    ),
    "DHCP for a wide IPv6 subnet": (
        ranges("fd00:101::2", "fd00:101::9", {**IP6, "prefix": 48}),
        "ips fd00:101::1: DHCP for IPv6 needs a prefix of 64 or longer, and it is 48; choose 64.",
    ),
    # --- reservations
    "reservation without an address": (
        hosts({"mac": MAC}),
        "ips 192.168.101.1, dhcp.hosts: '52:54:00:00:00:01' has no ip; add the address that it gets.",
    ),
    "reservation for nobody": (
        hosts({"ip": "192.168.101.2"}),
        "ips 192.168.101.1, dhcp.hosts: '192.168.101.2' is for no guest; add mac.",
    ),
    "reservation for a multicast mac": (
        hosts({"mac": "01:00:5e:00:00:01", "ip": "192.168.101.2"}),
        "dhcp.hosts: '01:00:5e:00:00:01' is a multicast address; the second digit of a NIC's MAC address is even.",
    ),
    "reservation for a mac that is none": (hosts({"mac": "a", "ip": "192.168.101.2"}), f"ips[0].dhcp.hosts[0].mac: 'a' {NO_MAC}"),
    "reservation by id in IPv4": (
        hosts({"id": "00:03:00:01:52:54:00:6b:3c:58", "ip": "192.168.101.2"}),
        "ips 192.168.101.1, dhcp.hosts: '00:03:00:01:52:54:00:6b:3c:58' is given by id; IPv4 knows guests by mac.",
    ),
    "reservation by mac in IPv6": (
        hosts({"mac": MAC, "ip": "fd00:101::2"}, entry=IP6),
        "ips fd00:101::1, dhcp.hosts: '52:54:00:00:00:01' is given by mac; IPv6 knows guests by id, IPv4 by mac.",
    ),
    "reservation by an id that is none": (
        hosts({"id": "1\u00b23", "ip": "fd00:101::2"}, entry=IP6),
        "ips fd00:101::1, dhcp.hosts: '1\u00b23' is not a DHCP unique identifier; give one such as "
        "00:03:00:01:52:54:00:6b:3c:58.",
    ),
    "a mac twice": (
        hosts({"mac": MAC, "ip": "192.168.101.2"}, {"mac": MAC.upper(), "ip": "192.168.101.3"}),
        "ips[0].dhcp.hosts: 52:54:00:00:00:01 is there twice; leave one.",
    ),
    "an address that somebody else has reserved": (
        {"name": "old", "ips": [{"address": "10.7.0.1", "dhcp": {"hosts": [{"mac": MAC, "ip": "10.7.0.7"}]}}]},
        "ips 10.7.0.1, dhcp.hosts: ip 10.7.0.7 is reserved twice, for '52:54:00:00:00:01' and for '52:54:00:00:00:07'; "
        "change one, or "
        "remove what the task does not mention with purge_hosts.",
    ),
    # --- DNS
    "records without a server": (
        {"dns": {"enable": False, "hosts": [{"ip": "10.0.0.1", "hostnames": ["a"]}]}},
        "dns.enable: 'false', but there are records or forwarders as well; leave them out",
    ),
    "no server for records that are there": (
        {"name": "old", "dns": {"enable": False}},
        "dns.enable: 'false', but there are records or forwarders as well; leave them out (purge_hosts: true removes "
        "records that the "
        "network has already), or enable DNS.",
    ),
    "record without names": (
        {"dns": {"hosts": [{"ip": "10.0.0.1", "hostnames": []}]}},
        "dns.hosts: 10.0.0.1 has no hostnames; give one",
    ),
    "record of a name that is none": (
        {"dns": {"hosts": [{"ip": "10.0.0.1", "hostnames": ["a b"]}]}},
        f"dns.hosts: 'a b' {NO_DNS}",
    ),
    "record of an address that is none": (
        {"dns": {"hosts": [{"ip": "a", "hostnames": ["a"]}]}},
        f"dns.hosts[0].ip: 'a' {NO_ADDRESS}.",
    ),
    "a record twice": (
        {"dns": {"hosts": [{"ip": "10.0.0.1", "hostnames": ["a"]}, {"ip": "10.0.0.1", "hostnames": ["b"]}]}},
        "dns.hosts: 10.0.0.1 is there twice; leave one.",
    ),
    "forwarder that is none": (
        {"dns": {"forwarders": [{}]}},
        "dns.forwarders[0]: says nothing; give one of its options, or leave it out.",
    ),
    "reservation of nothing": (hosts({}), "ips[0].dhcp.hosts[0]: says nothing; give one of its options, or leave it out."),
    # --- routes
    "route without a gateway": (
        nat(IP, routes=[{"address": "10.9.0.0", "prefix": 16}]),
        "missing required arguments: gateway found in routes",
    ),
    "route without a prefix": (route(), "routes 10.9.0.0: has neither prefix nor netmask; add one."),
    "route of a host's address": (
        route(address="10.9.0.1", prefix=16),
        "routes 10.9.0.1: is a host's address in 10.9.0.0/16; give the subnet's, 10.9.0.0.",
    ),
    "route through nowhere": (
        route(prefix=16, gateway="192.168.102.2"),
        "routes 10.9.0.0: gateway 192.168.102.2 is in no subnet of the network (192.168.101.0/24); choose a guest's address.",
    ),
    "route of metric 0": (route(prefix=16, metric=0), "routes 10.9.0.0: metric 0 is not possible; choose 1 or more."),
    "route of a negative metric": (
        route(prefix=16, metric=-1),
        "routes[0].metric: '-1' is not a whole number from 0 to 4294967295.",
    ),
    # --- documents
    "text that is no XML": ({"xml": "name: lab"}, "xml: The XML cannot be read: "),
    "empty text": ({"xml": ""}, "xml: The XML cannot be read: "),
    "document of a guest": (
        {"xml": "<domain type='kvm'><name>lab</name></domain>"},
        "xml: The XML is a <domain> document; a <network> document is needed.",
    ),
    "document type declaration": (
        {"xml": "<!DOCTYPE network><network><name>lab</name></network>"},
        "xml: The XML has a document type declaration; remove it.",
    ),
    "entity of a file": (
        {
            "xml": "<!DOCTYPE network [<!ENTITY f SYSTEM 'file:///etc/hostname'>]><network><name>lab</name><title>&f;</title></network>"
        },
        "xml: The XML has a document type declaration; remove it.",
    ),
    "document without a name": ({"xml": "<network/>"}, "xml: The XML has no <name>; add one."),
    "document with another name": (
        xml("", name="other"),
        "xml: the document's <name> is 'other', and name is 'lab'; make them equal.",
    ),
    "mistyped element": (
        xml("<bandwith><inbound average='1000'/></bandwith>"),
        "The definition does not fit the schema of the libvirt",
    ),
    "element twice": (xml("<bridge name='virbr9'/><bridge stp='off'/>"), "The definition does not fit the schema of the libvirt"),
    "mistyped attribute": (xml("<bridge nam='virbr9'/>"), "The definition does not fit the schema of the libvirt"),
    "mistyped element within another": (xml("<ip address='10.0.0.1'><dchp/></ip>"), "The definition does not fit the schema of"),
    "wrong value in a document": (xml("<mtu size='big'/>"), "xml: mtu: 'big' is not a whole number from 0 to 4294967295."),
    "wrong address in a document": (xml("<ip address='10.0.0.300'/>"), f"xml: ips[0].address: '10.0.0.300' {NO_ADDRESS}."),
    "wrong mode in a document": (
        xml("<forward mode='nats'/>"),
        "xml: forward.mode: 'nats' is none of none, nat, route, open, bridge",
    ),
    "range outside in a document": (
        xml("<ip address='10.0.0.1' prefix='24'><dhcp><range start='10.0.1.2' end='10.0.1.9'/></dhcp></ip>"),
        "ips 10.0.0.1, dhcp.ranges: 10.0.1.2 is outside of the subnet 10.0.0.0/24; choose one from 10.0.0.1 to 10.0.0.254.",
    ),
    "document beside options": (
        {**xml(""), "mtu": 1400, "bridge": {"name": "virbr9"}},
        "xml: given beside bridge, mtu; the document is the whole definition, write them into it or leave it out.",
    ),
    "document to be merged": (
        {**xml(""), "definition": "merge"},
        "definition: 'merge' is not possible with xml, where nothing is omitted; leave it out or say 'replace'.",
    ),
    "document with another uuid than the option": (
        {**xml(f"<uuid>{NEW_UUID}</uuid>"), "uuid": OLD_UUID},
        f"xml: the document's <uuid> is '{NEW_UUID}', and uuid is '{OLD_UUID}'; leave one out.",
    ),
    "document with a uuid that is none": (xml("<uuid>a</uuid>"), f"xml: uuid: 'a' {NO_UUID}"),
    "document with another uuid than the network": (
        {"name": "old", "purge_hosts": True, **xml(f"<uuid>{NEW_UUID}</uuid>", name="old")},
        f"uuid: '{NEW_UUID}' is wanted, but the network 'old' has {OLD_UUID}, and libvirt cannot change it; leave uuid "
        "out, or remove the "
        "network first with state: absent.",
    ),
    # --- identity
    "uuid that is none": ({"uuid": "a", "mtu": 1400}, f"uuid: 'a' {NO_UUID}"),
    "uuid of another network": (
        {"uuid": STOCK_UUID, "mtu": 1400},
        f"uuid: '{STOCK_UUID}' is the UUID of the network 'stock'; choose another, or leave uuid out.",
    ),
    "another uuid than the network has": (
        {"name": "old", "uuid": NEW_UUID, "mtu": 1400},
        f"uuid: '{NEW_UUID}' is wanted, but the network 'old' has {OLD_UUID}, and libvirt cannot change it; leave uuid "
        "out, or remove the "
        "network first with state: absent.",
    ),
    # --- options that say nothing by themselves
    "uuid alone": (
        {"name": "old", "uuid": OLD_UUID},
        f"uuid: '{OLD_UUID}' is given without any definition; add the definition (forward, ips, bridge …), or leave uuid out.",
    ),
    "definition alone": (
        {"name": "old", "definition": "replace"},
        "definition: 'replace' is given without any definition; add the definition (forward, ips, bridge …), or leave "
        "definition out.",
    ),
    "purge_hosts alone": (
        {"name": "old", "purge_hosts": True},
        "purge_hosts: given without any definition; say in ips or dns which reservations shall be left.",
    ),
    # --- subnets: seed 001-7
    "subnet of another network": (
        nat({"address": "192.168.122.129", "prefix": 25}),
        "The subnet 192.168.122.128/25 overlaps with the network 'stock' (192.168.122.0/24). Choose another subnet, or "
        "add 'stock' to "
        "allow_overlap if the two are never in use together.",
    ),
    "subnet of a network that does not run": (
        nat({"address": "10.0.0.1", "prefix": 8}),
        "The subnet 10.0.0.0/8 overlaps with the network 'old' (10.7.0.0/24).",
    ),
    "subnet of another network, for a network that is there": (
        {"name": "old", "purge_hosts": True, "ips": [{"address": "192.168.122.9", "prefix": 24}]},
        "The subnet 192.168.122.0/24 overlaps with the network 'stock' (192.168.122.0/24).",
    ),
    "overlap that was not allowed": (
        {**nat({"address": "192.168.122.129", "prefix": 25}), "allow_overlap": ["old", "10.0.0.0/8"]},
        "The subnet 192.168.122.128/25 overlaps with the network 'stock' (192.168.122.0/24).",
    ),
    "route into another network": (
        route(address="192.168.122.0", prefix=24),
        "The subnet 192.168.122.0/24 overlaps with the network 'stock' (192.168.122.0/24).",
    ),
    # --- what Ansible itself refuses
    "no name": ({"name": None}, "missing required arguments: name"),
    "unknown option": ({"brige": {"name": "virbr9"}}, "Unsupported parameters for"),
    "unknown option within another": ({"bridge": {"nam": "virbr9"}}, "bridge.nam"),
    "unknown state": ({"state": "started"}, "value of state must be one of: active, present, inactive, absent, got: started"),
    "text where a list is needed": ({"ips": "192.168.101.1/24"}, "could not parse JSON or key=value"),
}


# Ansible's own words, which differ between its versions.
SAID_BY_ANSIBLE = {
    "mtu that is no number",
    "no mode",
    "no name",
    "nat port without an end",
    "route without a gateway",
    "text where a list is needed",
    "unknown mode",
    "unknown option",
    "unknown option within another",
    "unknown state",
}


@pytest.fixture
def host(driver: libvirt.virConnect) -> libvirt.virConnect:
    stock = driver.networkDefineXML(STOCK)
    stock.create()
    stock.setAutostart(1)
    driver.networkDefineXML(OLD)
    return driver


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input(host: libvirt.virConnect, name: str) -> None:
    options, sentence = WRONG[name]
    task = {key: value for key, value in {"name": "lab", **options}.items() if value is not None}
    before = snapshot(host)
    for check in (True, False):
        result = network_task(check=check, **task)
        assert result.failed
        assert not result.changed
        if name in SAID_BY_ANSIBLE:
            assert sentence in result.msg
        else:
            assert result.msg.startswith(sentence)
        assert "Traceback" not in str(result.data)
        assert "should not have happened" not in result.msg
        assert "exception" not in result.data
        assert snapshot(host) == before


def test_the_table_is_long_enough() -> None:
    assert len(WRONG) >= 45


def test_overlaps_are_listed_for_playbooks(host: libvirt.virConnect) -> None:
    result = network_task(name="lab", **nat({"address": "192.168.122.129", "prefix": 25}))
    assert result.data["overlaps"] == [result.msg]
    both = network_task(name="lab", bridge={"name": "virbr0"}, **nat({"address": "192.168.122.129", "prefix": 25}))
    assert "overlaps" not in both.data
    assert "bridge.name: 'virbr0' is the bridge of the network 'stock' already" in both.msg
    assert "overlaps with the network 'stock'" in both.msg
    assert "lab" not in snapshot(host)


def test_an_overlap_is_refused_when_the_network_is_to_be_started(host: libvirt.virConnect) -> None:
    # libvirt lets it be defined, and says so only when it is started
    host.networkDefineXML(
        STOCK.replace("stock", "rival").replace(STOCK_UUID, NEW_UUID).replace("virbr0", "virbr8").replace(":99", ":98")
    )
    before = snapshot(host)
    for check in (True, False):
        result = network_task(check=check, name="rival", state="active")
        assert result.msg.startswith("The subnet 192.168.122.0/24 overlaps with the network 'stock' (192.168.122.0/24).")
        assert snapshot(host) == before
    for state in ("present", "inactive"):
        assert not network_task(name="rival", state=state).failed
    # what is allowed is up to libvirt, which does not start two networks of one subnet
    assert "'start' failed" in network_task(name="rival", state="active", allow_overlap=["stock"]).msg
    host.networkLookupByName("stock").destroy()
    assert network_task(name="rival", state="active", allow_overlap=["stock"]).changed


@pytest.mark.parametrize("allowed", ["stock", "192.168.122.0/24", "192.168.0.0/16"])
def test_an_overlap_that_is_allowed_is_no_wrong_input(host: libvirt.virConnect, allowed: str) -> None:
    result = network_task(name="lab", allow_overlap=[allowed], **nat({"address": "192.168.122.129", "prefix": 25}))
    assert not result.failed, result.msg
    assert "lab" in snapshot(host)


@pytest.mark.usefixtures("host")
def test_everything_that_is_wrong_is_said_at_once() -> None:
    result = network_task(name="lab", bridge={"name": "a/b"}, mtu=14, domain={"name": "a_b"})
    assert re.findall(r"(\S+): '", result.msg) == ["bridge.name", "domain.name", "mtu"]
