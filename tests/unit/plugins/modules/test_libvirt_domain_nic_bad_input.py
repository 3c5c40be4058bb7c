# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Wrong input: each with its sentence, in check mode and for real, and no guest and no network is changed."""

from __future__ import annotations

import typing as t

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.module_utils._format import document
from ansible_collections.kvmops.network.tests.unit.plugins.support.nics import (
    Options,
    define_guest,
    define_network,
    hide_made_up_targets,
    make_nic,
    nic_task,
    nics_task,
    world,
)

LAB = """
<forward mode='nat'/><bridge name='virbr1'/><mac address='52:54:00:00:01:01'/><portgroup name='fast'/>
<ip address='192.168.101.1' prefix='24'><dhcp>
  <range start='192.168.101.100' end='192.168.101.254'/><host mac='52:54:00:00:00:77' name='printer' ip='192.168.101.77'/>
</dhcp></ip>
<ip family='ipv6' address='fd00:101::1' prefix='64'/>
"""
UUID = "1b4f0c34-3a39-4a26-a21f-6f0a3b1e0a6e"
DUID = "00:03:00:01:52:54:00:6b:3c:58"

EMPTY = "is empty or has a tab or a line break; give a text on one line."
CONTROL = "holds a character that XML cannot hold; remove control characters."
NO_INTERFACE = "has characters that no interface name may have; use letters, digits, '-', '_' and '.'."
NO_ADDRESS = "is not an IP address; give one such as 192.168.101.1 or fd00:101::1"
NO_MAC = "is not a MAC address; give one such as 52:54:00:6b:3c:58."
NO_NAME = "cannot be the name of a NIC; use letters, digits, '-' and '_'."
NO_HOST = "is no host's name; use letters, digits, '-' and '.', a letter first."
NO_GUEST = "does not exist. The guests of this host are: db, kinds, web. Correct the name, or make the guest first."
NO_NETWORK = "does not exist on this host; correct the name, or make it first. There are: alone, lab, outside, run, tap."
NO_MODEL = "cannot name a model; use letters, digits, '-' and '_', as in virtio or e1000e."
NO_PORT = "is for NICs on a bridge, and the network 'tap' (mode 'bridge') has none; leave it out."
NOT_DIRECT = "a NIC of type 'direct' cannot have it; it is for"
THE_NICS = (
    "52:54:00:00:00:01 'lan' on network lab, 52:54:00:00:00:02 on bridge br0, 52:54:00:00:00:03 on bridge br0, 52:54:00:00:00:04 "
    "'host' on hostdev."
)
AMBIGUOUS = (
    "source: the guest 'web' has 2 NICs on bridge br0 (52:54:00:00:00:02 on bridge br0, 52:54:00:00:00:03 on bridge br0); say by "
    "mac or alias which one is meant."
)
NO_SUCH_NIC = (
    "source: missing; the guest 'web' has no such NIC, and the task does not say what a new one is plugged into. Add "
    "source.network, source.bridge or source.dev, or correct mac or alias."
)
TWO_NICS = (
    "mac: '52:54:00:00:00:02' and alias 'lan' are two NICs of the guest 'web' (52:54:00:00:00:02 on bridge br0, "
    "52:54:00:00:00:01 'lan' on network lab); name one of them."
)


def mac(number: int) -> str:
    return f"52:54:00:00:00:{number:02x}"


def new(**options: t.Any) -> Options:
    """Return a NIC that is not there yet."""
    return {"alias": "new", "source": {"network": "lab"}, **options}


def on_bridge(**options: t.Any) -> Options:
    return new(source={"bridge": "br2"}, **options)


def on_dev(**options: t.Any) -> Options:
    return new(source={"dev": "eth1"}, **options)


def on_user(**options: t.Any) -> Options:
    return {"alias": "new", "type": "user", **options}


def lan(**options: t.Any) -> Options:
    """Return a NIC that is there already."""
    return {"alias": "lan", **options}


def reservation(**options: t.Any) -> Options:
    return lan(reservation=options)


def parameter(name: str, value: str) -> Options:
    return lan(filterref={"filter": "clean-traffic", "parameters": [{"name": name, "value": value}]})


def inbound(**rate: int) -> Options:
    return {"bandwidth": {"inbound": rate}}


def port(kind: str, **parameters: t.Any) -> Options:
    return {"virtualport": {"type": kind, "parameters": parameters}}


def tags(*entries: Options | int) -> Options:
    return {"vlan": {"tags": [{"id": entry} if isinstance(entry, int) else entry for entry in entries]}}


def forward(**entry: t.Any) -> Options:
    return on_user(backend={"type": "passt"}, port_forwards=[{"proto": "tcp", **entry}])


WRONG: dict[str, tuple[Options, str]] = {
    # --- the guest
    "no guest": ({"domain": "", **new()}, "domain: '' is no name of a guest; give one."),
    "unknown guest": ({"domain": "wbe", **new()}, f"domain: the guest 'wbe' {NO_GUEST}"),
    "unknown guest whose NIC shall be absent": (
        {"domain": "wbe", "state": "absent", "alias": "lan"},
        f"domain: the guest 'wbe' {NO_GUEST}",
    ),
    "guest with a line break": ({"domain": "web\n", **new()}, f"domain: the guest 'web\n' {NO_GUEST}"),
    "guest that is XML": ({"domain": "web'/>$(id)", **new()}, f"domain: the guest 'web'/>$(id)' {NO_GUEST}"),
    # --- which NIC
    "nothing that names a NIC": (
        {"link": "down"},
        f"source: missing; say by mac, alias or source which NIC of the guest 'web' is meant. It has {THE_NICS}",
    ),
    "nothing that names a NIC that shall be absent": ({"state": "absent"}, "source: missing; say by mac, alias or source which"),
    "a name that no NIC has": ({"alias": "lna", "link": "down"}, NO_SUCH_NIC),
    "a mac that no NIC has": ({"mac": mac(0x55), "link": "down"}, NO_SUCH_NIC),
    "a source of two NICs": ({"source": {"bridge": "br0"}, "link": "down"}, AMBIGUOUS),
    "a name for one of two NICs": (
        new(source={"bridge": "br0"}),
        "alias: no NIC of the guest 'web' is called 'new', and 2 without a name are on bridge br0 (52:54:00:00:00:02 on bridge "
        "br0, 52:54:00:00:00:03 on bridge br0); give the mac of the one that is meant, or one for a new NIC.",
    ),
    "a source of two NICs, to remove one": ({"source": {"bridge": "br0"}, "state": "absent"}, AMBIGUOUS),
    "mac and alias of two NICs": ({"mac": mac(2), "alias": "lan"}, TWO_NICS),
    # --- names of NICs
    "empty alias": (new(alias=""), f"alias: '' {EMPTY}"),
    "alias with a space": (new(alias="a b"), f"alias: 'a b' {NO_NAME}"),
    "alias with a dot, which libvirt would drop": (new(alias="a.b"), f"alias: 'a.b' {NO_NAME}"),
    "alias that is a mac, which libvirt would drop": (new(alias="52:54"), f"alias: '52:54' {NO_NAME}"),
    "alias with an umlaut": (new(alias="größe"), f"alias: 'größe' {NO_NAME}"),
    "alias that is XML": (new(alias="x'/><boot order='9'/>"), f"alias: 'x'/><boot order='9'/>' {NO_NAME}"),
    "alias that is a command": (new(alias="$(reboot)"), f"alias: '$(reboot)' {NO_NAME}"),
    "alias with a line break": (new(alias="lan\n"), f"alias: 'lan\n' {EMPTY}"),
    # --- addresses of NICs
    "mac that is none": (new(mac="52:54:00"), f"mac: '52:54:00' {NO_MAC}"),
    "empty mac": (new(mac=""), f"mac: '' {NO_MAC}"),
    "mac with dashes": (new(mac="52-54-00-00-00-55"), f"mac: '52-54-00-00-00-55' {NO_MAC}"),
    "mac that is XML": (new(mac="52:54:00:00:00:55'/>"), f"mac: '52:54:00:00:00:55'/>' {NO_MAC}"),
    "mac with a line break": (new(mac=f"{mac(0x55)}\n"), f"mac: '{mac(0x55)}\n' {NO_MAC}"),
    "multicast mac": (new(mac="53:54:00:00:00:01"), "mac: '53:54:00:00:00:01' is a multicast address; the second digit of a"),
    "mac of all": (new(mac="FF:ff:ff:ff:ff:ff"), "mac: 'ff:ff:ff:ff:ff:ff' is a multicast address; the second digit of a NIC's"),
    "mac of zeros": (new(mac="0:0:0:0:0:0"), "mac: '00:00:00:00:00:00' is no NIC's address; choose one such as"),
    "mac that libvirt keeps for the host": (new(mac="fe:54:00:00:00:01"), "mac: 'fe:54:00:00:00:01' begins with fe, which"),
    # seed 004-16, 004-17
    "mac of another guest": (
        new(mac=mac(0x21)),
        f"mac: '{mac(0x21)}' is the address that a NIC of the guest 'kinds' has; give another one.",
    ),
    "mac of a guest that runs": (
        lan(mac=mac(0x11)),
        f"mac: '{mac(0x11)}' is the address that a NIC of the guest 'db' has; give another one.",
    ),
    "mac of a network": (
        new(mac="52:54:00:00:01:01"),
        "mac: '52:54:00:00:01:01' is the address of the network 'lab'; give another one.",
    ),
    # --- what it is plugged into
    "unknown network": (new(source={"network": "lba"}), f"source.network: the network 'lba' {NO_NETWORK}"),
    "network that is XML": (
        new(source={"network": "lab'/><x a='"}),
        f"source.network: the network 'lab'/><x a='' {NO_NETWORK}",
    ),
    "network with a line break": (new(source={"network": "lab\n"}), f"source.network: 'lab\n' {EMPTY}"),
    "empty network": (new(source={"network": ""}), f"source.network: '' {EMPTY}"),
    "network that does not run, and the guest does": (
        {"domain": "db", **new()},
        "source.network: the network 'lab' does not run, and the guest does; start the network first.",
    ),
    "network that does not run, for a NIC of a running guest": (
        {"domain": "db", **lan(source={"network": "lab"})},
        "source.network: the network 'lab' does not run, and the guest does; start the network first.",
    ),
    "unknown port group": (
        new(source={"network": "lab", "portgroup": "slow"}),
        "source.portgroup: the network 'lab' has no port group 'slow'; correct the name. It has: fast.",
    ),
    "port group of a network without": (
        new(source={"network": "alone", "portgroup": "fast"}),
        "source.portgroup: the network 'alone' has no port group 'fast'; correct the name. It has: none.",
    ),
    "two sources": (
        new(source={"network": "lab", "bridge": "br0"}),
        "source: network and bridge are 2 places to be plugged into; give one of them.",
    ),
    "three sources": (
        new(source={"network": "lab", "bridge": "br0", "dev": "eth1"}),
        "source: network and bridge and dev are 3 places to be plugged into; give one of them.",
    ),
    "type without its source": (new(type="bridge"), "source.bridge: missing for a NIC of type 'bridge'; add it."),
    "macvtap without an interface": (new(type="direct", source=None), "source.dev: missing for a NIC of type 'direct'; add it."),
    "type that is not made": (new(type="hostdev"), "value of type must be one of: network, bridge, direct, user, ethernet, got:"),
    "user with a network": (
        new(type="user"),
        "source.network: has no meaning for a NIC of type 'user'; leave it out, or correct type.",
    ),
    "user with an interface, without passt": (
        on_user(source={"dev": "eth0"}),
        "source.dev: says through which interface passt goes out; add backend.type 'passt', or leave it out.",
    ),
    "mode of a bridge": (
        new(source={"bridge": "br2", "mode": "vepa"}),
        "source.mode: has no meaning for a NIC of type 'bridge'; leave it out, or correct type.",
    ),
    "unknown mode": (
        new(source={"dev": "eth1", "mode": "passthru"}),
        "value of mode must be one of: vepa, bridge, private,",
    ),
    "bridge of 16 characters": (
        new(source={"bridge": "abcdefghijklmnop"}),
        "source.bridge: 'abcdefghijklmnop' has 16 characters, and the kernel allows 15; choose a shorter name.",
    ),
    "bridge that is a path": (new(source={"bridge": "../br0"}), f"source.bridge: '../br0' {NO_INTERFACE}"),
    "bridge that is a command": (new(source={"bridge": "br0;$(id)"}), f"source.bridge: 'br0;$(id)' {NO_INTERFACE}"),
    "interface with a space": (new(source={"dev": "eth 1"}), f"source.dev: 'eth 1' {NO_INTERFACE}"),
    "empty interface": (new(source={"dev": ""}), f"source.dev: '' {EMPTY}"),
    # --- what does not go together
    "mtu of a macvtap": (on_dev(mtu=1400), f"mtu: {NOT_DIRECT} network, bridge, ethernet, user. Leave it out."),
    "isolated macvtap": (on_dev(port={"isolated": True}), f"port: {NOT_DIRECT} network, bridge. Leave it out."),
    "filtered macvtap": (on_dev(filterref={"filter": "a"}), f"filterref: {NOT_DIRECT} network, bridge, ethernet. Leave it out."),
    "coalesced macvtap": (on_dev(coalesce={"rx": {"frames": {"max": 7}}}), f"coalesce: {NOT_DIRECT} network, bridge. Leave it"),
    "vlan of a macvtap": (on_dev(**tags(7)), "vlan: a macvtap has it in mode passthrough only, and the mode is 'bridge'; leave"),
    "vlan of a NAT network": (new(**tags(7)), "vlan: the bridge of the network 'lab' (mode 'nat') has no VLANs; leave it out."),
    "vlan of a macvtap's network": (new(source={"network": "tap"}, **tags(7)), f"vlan: {NO_PORT}"),
    "isolated on a macvtap's network": (new(source={"network": "tap"}, port={"isolated": True}), f"port: {NO_PORT}"),
    "filtered on a macvtap's network": (new(source={"network": "tap"}, filterref={"filter": "a"}), f"filterref: {NO_PORT}"),
    "virtual port of a NAT network": (
        new(**port("openvswitch")),
        "virtualport: the bridge of the network 'lab' (mode 'nat') has no virtual ports; leave it out.",
    ),
    "virtual port without a type": (
        on_bridge(virtualport={"parameters": {"profileid": "a"}}),
        "virtualport.type: missing for a NIC of type 'bridge'; give one of openvswitch, midonet.",
    ),
    "Open vSwitch of a macvtap": (
        on_dev(**port("openvswitch")),
        "virtualport.type: 'openvswitch' has no meaning for a NIC of type 'direct', which has 802.1Qbg, 802.1Qbh; correct it.",
    ),
    "802.1Qbh of a bridge": (
        on_bridge(**port("802.1Qbh", profileid="a")),
        "virtualport.type: '802.1Qbh' has no meaning for a NIC of type 'bridge', which has openvswitch, midonet; correct it.",
    ),
    "802.1Qbg that says nothing": (
        on_dev(**port("802.1Qbg", managerid=7, typeid=7)),
        "virtualport.parameters: the type '802.1Qbg' needs typeidversion; add it.",
    ),
    "802.1Qbh that says nothing": (
        on_dev(**port("802.1Qbh")),
        "virtualport.parameters: the type '802.1Qbh' needs profileid; add it.",
    ),
    "midonet that says nothing": (
        on_bridge(**port("midonet")),
        "virtualport.parameters: the type 'midonet' needs interfaceid; add the UUID of the port.",
    ),
    "parameter of another virtual port": (
        on_bridge(**port("openvswitch", managerid=1)),
        "virtualport.parameters: managerid is none of the type 'openvswitch', which has interfaceid, profileid; leave it out.",
    ),
    "virtual port of an id that is none": (
        on_bridge(**port("openvswitch", interfaceid="x")),
        f"virtualport.parameters.interfaceid: 'x' is not a UUID; give one such as {UUID}.",
    ),
    "virtual port with a filter": (
        on_bridge(filterref={"filter": "a"}, **port("openvswitch")),
        "filterref: is for bridges of the Linux kernel, and there is a virtualport; leave one of them out.",
    ),
    "driver of another model": (
        lan(model="e1000", driver={"queues": 2}),
        "driver: is for the model 'virtio', and the NIC has e1000; libvirt would drop it, leave it out.",
    ),
    "queues of user": (on_user(driver={"queues": 2}), "driver.queues: a NIC of type 'user' has one queue; leave it out."),
    "bandwidth of user": (on_user(**inbound(average=7)), "bandwidth: a NIC of type 'user' cannot have it; it is for network,"),
    "mtu of user": (
        on_user(mtu=1400),
        "mtu: a NIC of type 'user' has it only through passt; add backend.type 'passt', or leave it out.",
    ),
    "ports without passt": (on_user(port_forwards=[{"proto": "tcp"}]), "port_forwards: a NIC of type 'user' has it only through"),
    "log without passt": (
        on_user(backend={"log_file": "/a"}),
        "backend.log_file: a NIC of type 'user' has it only through",
    ),
    "passt on a bridge": ({"mac": mac(2), "backend": {"type": "passt"}}, "backend: a NIC of type 'bridge' cannot have it; it is"),
    "guest's address on a network": (
        lan(ips=[{"address": "10.0.0.1"}]),
        "ips: a NIC of type 'network' cannot have it; it is for",
    ),
    "device made outside, on a bridge": (
        {"mac": mac(2), "target": {"dev": "tap0", "managed": False}},
        "target.managed: false is for NICs of type 'ethernet', and the type is 'bridge'; leave it out, or set type.",
    ),
    "device made outside, without a name": (
        {"alias": "new", "type": "ethernet", "target": {"managed": False}},
        "target.dev: missing; with target.managed false, name the interface of the host that was made for the NIC.",
    ),
    "device of user": (
        on_user(target={"dev": "tap0"}),
        "target.dev: a NIC of type 'user' has no interface on the host; leave",
    ),
    # --- values
    "mtu too small": (lan(mtu=67), "mtu: '67' is not possible; choose a value from 68 to 65535 bytes."),
    "mtu too large": (lan(mtu=65536), "mtu: '65536' is not possible; choose a value from 68 to 65535 bytes."),
    "negative mtu": (lan(mtu=-1), "mtu: '-1' is not a whole number from 0 to 4294967295."),
    "peak without average": (lan(**inbound(peak=7)), "bandwidth.inbound: peak 7 needs average; add the average rate, or leave"),
    "burst too large": (
        lan(**inbound(average=7, burst=2**31)),
        "bandwidth.inbound: burst 2147483648 is more than the 4194303",
    ),
    "floor of a network without bandwidth": (
        lan(**inbound(average=7, floor=1)),
        "bandwidth.inbound: floor is a share of the network's own bandwidth.inbound, and 'lab' has none; give the network one",
    ),
    "floor of a bridge": (on_bridge(**inbound(floor=1)), "bandwidth.inbound: floor is a share of what a network has; it is for"),
    "VLAN 4096": (on_bridge(**tags(4096)), "vlan.tags[0].id: '4096' is not a whole number from 0 to 4095."),
    "a VLAN twice": (on_bridge(**tags(7, 7)), "vlan.tags: 7 is there twice; leave one."),
    "two native VLANs": (
        on_bridge(**tags({"id": 7, "native_mode": "tagged"}, {"id": 8, "native_mode": "tagged"})),
        "vlan.tags: 2 have native_mode; frames without a tag belong to one VLAN, leave one.",
    ),
    "no VLAN": (
        on_bridge(vlan={"trunk": True, "tags": []}),
        "vlan.tags: missing; give one VLAN at least, or leave vlan out.",
    ),
    "place of another device in the order of boot": (
        lan(boot={"order": 1}),
        "boot.order: 1 is the place of another device of the guest 'web'; choose another number.",
    ),
    "place 0 in the order of boot": (lan(boot={"order": 0}), "boot.order: '0' is not a whole number from 1 to 4294967295."),
    "order of boot beside kinds of devices": (
        {"domain": "kinds", **lan(boot={"order": 1})},
        "boot.order: the definition of the guest 'kinds' says by kinds of devices what it boots from (<os><boot dev=…/>), and "
        "libvirt takes one of the two only; leave boot out, or remove the other with 'virsh edit'.",
    ),
    "device named as libvirt names them": (
        lan(target={"dev": "vnet7"}),
        "target.dev: 'vnet7' is a name as libvirt chooses them, and it would drop it; choose another, such as 'tap-web'.",
    ),
    "macvtap named as libvirt names them": (on_dev(target={"dev": "macvtap0"}), "target.dev: 'macvtap0' is a name as libvirt"),
    "device of 18 characters": (lan(target={"dev": "tap-web-0123456789"}), "target.dev: 'tap-web-0123456789' has 18 characters"),
    "device that is a command": (lan(target={"dev": "$(id)"}), f"target.dev: '$(id)' {NO_INTERFACE}"),
    "device of another NIC": (
        lan(target={"dev": "tap-host"}),
        "target.dev: another NIC of the guest has 'tap-host' already; choose another name.",
    ),
    "empty model": (lan(model=""), f"model: '' {EMPTY}"),
    "model that is XML": (lan(model="virtio'/><x/>"), f"model: 'virtio'/><x/>' {NO_MODEL}"),
    "no queue": (lan(driver={"queues": 0}), "driver.queues: '0' is not a whole number from 1 to"),
    "queue of an odd size": (lan(driver={"rx_queue_size": 300}), "driver.rx_queue_size: '300' is not possible; choose 256, 512"),
    "queue too small": (lan(driver={"tx_queue_size": 128}), "driver.tx_queue_size: '128' is not possible; choose 256, 512 or"),
    "queue too large": (lan(driver={"rx_queue_size": 2048}), "driver.rx_queue_size: '2048' is not possible; choose 256, 512 or"),
    "no ROM, but a file": (
        lan(rom={"enabled": False, "file": "/a"}),
        "rom.enabled: false, but there is bar or file as well; leave one of them out (definition: replace drops what the NIC has",
    ),
    "ROM that is no path": (lan(rom={"file": "a.rom"}), "rom.file: 'a.rom' is no absolute path; begin it with '/'."),
    "ROM with a line break": (lan(rom={"file": "/a\nb"}), f"rom.file: '/a\nb' {EMPTY}"),
    "log that is no path": (on_user(backend={"type": "passt", "log_file": "a"}), "backend.log_file: 'a' is no absolute path;"),
    "filter without a name": (lan(filterref={"parameters": []}), "missing required arguments: filter found in filterref"),
    "empty filter": (lan(filterref={"filter": ""}), f"filterref.filter: '' {EMPTY}"),
    "filter that is XML": (lan(filterref={"filter": "a'/><x a='"}), "filterref.filter: 'a'/><x a='' cannot name a filter; use"),
    "parameter with a space": (parameter("I P", "1"), "filterref.parameters: 'I P' cannot name a parameter; use letters, digits"),
    "parameter that is a command": (
        parameter("IP", "$(reboot)"),
        "filterref.parameters: '$(reboot)' cannot be the value of IP; use letters, digits, '_', '.' and ':'.",
    ),
    "parameter that is XML": (parameter("IP", "1'/>"), "filterref.parameters: '1'/>' cannot be the value of IP; use letters"),
    "parameter with a line break": (parameter("IP", "1\n2"), f"filterref.parameters[0].value: '1\n2' {EMPTY}"),
    "parameter that libvirt would drop": (parameter("IP", "10.0.0.0/8"), "filterref.parameters: '10.0.0.0/8' cannot be the"),
    "address that is none": (on_user(ips=[{"address": "a"}]), f"ips[0].address: 'a' {NO_ADDRESS}."),
    "two IPv4 addresses": (
        on_user(ips=[{"address": "10.0.0.1"}, {"address": "10.0.0.2"}]),
        "ips: 2 addresses of IPv4, and a NIC has one of each family; leave one.",
    ),
    "prefix of 30": (on_user(ips=[{"address": "10.0.0.1", "prefix": 30}]), "ips 10.0.0.1: prefix 30 is not possible; choose one"),
    "prefix of 48": (on_user(ips=[{"address": "fd00::1", "prefix": 48}]), "ips fd00::1: prefix 48 is not possible; choose 64."),
    "ports reversed": (forward(ranges=[{"start": 9, "end": 8}]), "port_forwards: end 8 is before start 9; swap them."),
    "port 0": (forward(ranges=[{"start": 0}]), "port_forwards[0].ranges[0].start: '0' is not a whole number from 1 to 65535."),
    "ports behind the last one": (
        forward(ranges=[{"start": 1, "end": 10, "to": 65530}]),
        "port_forwards: 1 to 10 would end behind port 65535 of the guest; choose a smaller 'to'.",
    ),
    "ports of an interface that is none": (forward(dev="a b"), f"port_forwards.dev: 'a b' {NO_INTERFACE}"),
    # --- reservations
    "reservation outside": (
        reservation(ipv4="192.168.102.9"),
        "reservation: 192.168.102.9 is in no subnet of the network 'lab', whose subnets are: 192.168.101.0/24, fd00:101::/64; "
        "choose an address there.",
    ),
    "reservation of the network's address": (
        reservation(ipv4="192.168.101.0"),
        "reservation: the network 'lab' cannot have it. ips 192.168.101.1, dhcp.hosts: 192.168.101.0 is no host's address in",
    ),
    "reservation of the host's address": (reservation(ipv4="192.168.101.1"), "for '52:54:00:00:00:01' is the host's own address"),
    "reservation that somebody else has": (
        reservation(ipv4="192.168.101.77"),
        "reservation: 192.168.101.77 is reserved for another one on the network 'lab' (52:54:00:00:00:77 printer "
        "192.168.101.77); choose another address, or remove that reservation.",
    ),
    "reservation under a name that somebody else has": (
        reservation(ipv4="192.168.101.78", hostname="printer"),
        "reservation.hostname: 'printer' is the name of another reservation on the network 'lab' (52:54:00:00:00:77 printer "
        "192.168.101.77); choose another name.",
    ),
    "reservation for a mac that somebody else made": (
        {"alias": "new", "mac": mac(0x77), "source": {"network": "lab"}, "reservation": {"ipv4": "192.168.101.9"}},
        "reservation: the network 'lab' has a reservation for 52:54:00:00:00:77 that no task of a NIC made (52:54:00:00:00:77 "
        "printer 192.168.101.77); remove it there, or leave the reservation out here.",
    ),
    "reservation with a prefix": (
        reservation(ipv4="192.168.101.9/24"),
        f"reservation.ipv4: '192.168.101.9/24' {NO_ADDRESS}; the length of the prefix has an option of its own.",
    ),
    "empty reserved address": (reservation(ipv4=""), f"reservation.ipv4: '' {NO_ADDRESS}."),
    "reservation of the other family": (
        reservation(ipv4="fd00:101::9"),
        "reservation.ipv4: 'fd00:101::9' is an address of the other family; give it as reservation.ipv6.",
    ),
    "reservation outside of the IPv6 subnet": (reservation(ipv6="fd00:102::9"), "reservation: fd00:102::9 is in no subnet of"),
    "name without an address": (
        reservation(hostname="a"),
        "reservation: neither ipv4 nor ipv6 is given; give an address, or an empty reservation for none.",
    ),
    **{
        f"host's name that is {kind}": (
            reservation(ipv4="192.168.101.9", hostname=name),
            f"reservation.hostname: '{name}' {NO_HOST}",
        )
        for kind, name in {
            "empty": "",
            "XML": "a'/><x>",
            "a command": "$(id)",
            "one with a line break": "a\n",
            "one with an option of dnsmasq's": "a,set:x",
            "a number": "9a",
            "one with an umlaut": "größe",
        }.items()
    },
    "host's name of 64 characters": (
        reservation(ipv4="192.168.101.9", hostname=f"a.{'b' * 64}"),
        f"reservation.hostname: '{'b' * 64}' has 64 characters, and DNS allows 63 between dots; choose a shorter name.",
    ),
    "duid without an IPv6 address": (
        reservation(ipv4="192.168.101.9", duid=DUID),
        "reservation.duid: is for an IPv6 address only; add ipv6, or leave duid out.",
    ),
    "duid that is none": (
        reservation(ipv6="fd00:101::9", duid="x"),
        f"reservation.duid: 'x' is no DHCP identifier; give one such as {DUID}.",
    ),
    "reservation on the host's bridge": (
        new(source={"network": "outside"}, reservation={"ipv4": "192.168.101.9"}),
        "reservation: the network 'outside' is of mode 'bridge', and its guests get their addresses from somebody else's DHCP "
        "server; leave the reservation out, and make it there.",
    ),
    "reservation for a NIC on a bridge": (
        {"mac": mac(2), "reservation": {"ipv4": "192.168.101.9"}},
        "reservation: the NIC is on no network of libvirt's, which could reserve an address; leave it out.",
    ),
    "reservation on a network without a subnet": (
        new(source={"network": "alone"}, reservation={"ipv4": "192.168.101.9"}),
        "reservation: 192.168.101.9 is in no subnet of the network 'alone', whose subnets are: none; choose an address there.",
    ),
    "reservation for a NIC that shall be absent": (
        lan(state="absent", reservation={"ipv4": "192.168.101.9"}),
        "reservation: a NIC that shall be absent has none; leave it out.",
    ),
    # --- waiting
    "waiting for a guest that is off": (
        lan(wait_for_address=True),
        "wait_for_address: the guest 'web' is off and gets no address; start it, or leave this out.",
    ),
    "waiting for a NIC whose link is down": (
        {"domain": "db", **lan(wait_for_address=True)},
        "wait_for_address: the link of the NIC is down, so that it gets no address; leave one of the two out.",
    ),
    "waiting for a NIC that shall be absent": (
        lan(state="absent", wait_for_address=True),
        "wait_for_address: a NIC that shall be absent gets no address; leave it out.",
    ),
    **{
        f"negative {option}": (lan(**{option: -1}), f"{option}: '-1' is less than nothing; give seconds{more}.")
        for option, more in {"address_timeout": "", "detach_timeout": "", "lock_timeout": ", 0 for not waiting"}.items()
    },
}

# Where Ansible itself writes to a log that takes no such character, it fails before the module looks.
ZERO: dict[str, tuple[Options, str]] = {
    "guest": ({"domain": "web\0x", **new()}, "domain: 'web\0x' is no name of a guest; give one."),
    "alias": (new(alias="l\0"), f"alias: 'l\0' {CONTROL}"),
    "network": (new(source={"network": "l\0"}), f"source.network: 'l\0' {CONTROL}"),
    "host's name": (reservation(ipv4="192.168.101.9", hostname="a\0"), f"reservation.hostname: 'a\0' {NO_HOST}"),
}

# Entries of a list that are wrong together.
WRONG_LISTS: dict[str, tuple[list[Options], str]] = {
    "the same NIC twice": (
        [lan(), lan(link="down")],
        "The NIC 'lan' of the guest 'web': nics: two entries are about the guest's NIC 52:54:00:00:00:01; leave one, or name two "
        "NICs by mac or alias.",
    ),
    "the same NIC under two names": (
        [lan(), {"mac": mac(1)}],
        "The NIC '52:54:00:00:00:01' of the guest 'web': nics: two entries are about the guest's NIC 52:54:00:00:00:01; "
        "leave one",
    ),
    "a NIC that comes and goes": (
        [lan(state="absent"), lan(link="down")],
        "nics: two entries are about the guest's NIC 52:54:00:00:00:01",
    ),
    "the same new NIC twice": (
        [new(mac=mac(0x55)), new(mac=mac(0x55))],
        "The NIC 'new' of the guest 'web': nics: two entries are about a NIC of the guest 'web' with the address "
        "52:54:00:00:00:55; leave one.",
    ),
    "two new NICs without names on one source": (
        [{"source": {"network": "alone"}}, {"source": {"network": "alone"}}],
        "A NIC of the guest 'web': nics: two entries are about a NIC of the guest 'web' with the address 52:54:00:",
    ),
    "a mac for two guests": (
        [new(mac=mac(0x55)), {"domain": "kinds", **new(mac=mac(0x55))}],
        "The NIC 'new' of the guest 'web': mac: '52:54:00:00:00:55' is the address that a NIC of the guest 'kinds' has; give "
        "another one. The NIC 'new' of the guest 'kinds': mac: '52:54:00:00:00:55' is the address that a NIC of the guest 'web' "
        "has; give another one.",
    ),
    "a name for two NICs": (
        [{"mac": mac(2), "alias": "x"}, {"mac": mac(3), "alias": "x"}],
        "The NIC 'x' of the guest 'web': alias: another NIC of the guest is called 'x' already; choose another name.",
    ),
    "a place in the order of boot twice": (
        [lan(boot={"order": 2}), {"mac": mac(2), "boot": {"order": 2}}],
        "The NIC 'lan' of the guest 'web': boot.order: 2 is the place of another device of the guest 'web'; choose another "
        "number. The NIC '52:54:00:00:00:02' of the guest 'web': boot.order: 2 is",
    ),
    "a device twice": (
        [lan(target={"dev": "tap-x"}), {"mac": mac(2), "target": {"dev": "tap-x"}}],
        "The NIC 'lan' of the guest 'web': target.dev: another NIC of the guest has 'tap-x' already; choose another name.",
    ),
    "an address for two NICs": (
        [reservation(ipv4="192.168.101.9"), {"domain": "kinds", **reservation(ipv4="192.168.101.9")}],
        "reservation: 192.168.101.9 is reserved for another one on the network 'lab' (52:54:00:00:00:01 192.168.101.9); choose",
    ),
    "a host's name for two NICs": (
        [
            reservation(ipv4="192.168.101.8", hostname="a"),
            {"domain": "kinds", **reservation(ipv4="192.168.101.9", hostname="a")},
        ],
        "reservation.hostname: 'a' is the name of another reservation on the network 'lab' (52:54:00:00:00:01 a 192.168.101.8)",
    ),
    # all that is wrong is said at once
    "options of two": (
        [new(alias="a b"), lan(reservation={"hostname": "x"}), {"domain": " "}],
        "nics[1]: reservation: neither ipv4 nor ipv6 is given; give an address, or an empty reservation for none. nics[2]: "
        "domain: ' ' is no name of a guest; give one.",
    ),
    "all of them": (
        [lan(mtu=1), {"domain": "wbe", **lan()}, {"mac": mac(2), "alias": "a b"}],
        f"The NIC 'lan' of the guest 'wbe': domain: the guest 'wbe' {NO_GUEST} The NIC 'lan' of the guest 'web': mtu: '1' is not "
        f"possible; choose a value from 68 to 65535 bytes. The NIC 'a b' of the guest 'web': alias: 'a b' {NO_NAME}",
    ),
}


@pytest.fixture
def host(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> libvirt.virConnect:
    """Return a host with a guest of each kind: one that is off, one that runs, one that boots from kinds of devices."""
    hide_made_up_targets(monkeypatch)
    define_network(driver, "lab", LAB)
    define_network(driver, "alone", "<bridge name='virbr2'/>")
    define_network(driver, "outside", "<forward mode='bridge'/><bridge name='br0'/>")
    define_network(driver, "tap", "<forward mode='bridge'><interface dev='eth1'/></forward>")
    define_network(driver, "run", "<forward mode='nat'/><bridge name='virbr3'/><ip address='192.168.102.1'/>", running=True)
    passed = (
        f"<interface type='hostdev'><mac address='{mac(4)}'/><source><address type='pci' domain='0' bus='3' slot='1' "
        "function='0'/></source><target dev='tap-host'/><alias name='ua-host'/></interface>"
    )
    define_guest(
        driver,
        "web",
        make_nic(mac(1), "network='lab'", alias="lan"),
        make_nic(mac(2), "bridge='br0'", kind="bridge"),
        make_nic(mac(3), "bridge='br0'", kind="bridge"),
        passed,
        disk="<boot order='1'/>",
    )
    define_guest(driver, "db", make_nic(mac(0x11), "network='run'", more="<link state='down'/>", alias="lan"), running=True)
    define_guest(driver, "kinds", make_nic(mac(0x21), "network='lab'", alias="lan"), boots="<boot dev='hd'/>")
    return driver


@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG)
def test_wrong_input_is_refused(host: libvirt.virConnect, options: Options, message: str) -> None:
    before = world(host)
    for check in (True, False):
        result = nic_task(check=check, **options)
        assert result.failed
        assert message in result.msg
        assert not {"actions", "exception"} & result.data.keys()
        assert not result.changed
        assert world(host) == before


@pytest.mark.parametrize(("options", "message"), ZERO.values(), ids=ZERO)
def test_a_zero_byte_is_refused(host: libvirt.virConnect, options: Options, message: str) -> None:
    before = world(host)
    for check in (True, False):
        result = nic_task(check=check, **options)
        assert result.failed
        assert message in result.msg or "embedded null character" in result.msg
        assert "should not have happened" not in result.msg
        assert world(host) == before


def test_what_does_not_fit_the_schema_is_named(host: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    # libvirt's own schema of guests says of any part of a NIC that the devices do not fit
    before = world(host)

    def refuse(text: str, *, schema: str) -> list[str]:
        assert schema == "domain.rng"
        return ["Extra element devices in interleave"] if "<mtu" in text or "<boot" in text else []

    monkeypatch.setattr(document, "find_schema", lambda name: name)
    monkeypatch.setattr(document, "schema_problems", refuse)
    result = nic_task(**lan(mtu=1400, link="down", boot={"order": 7}))
    assert result.msg.startswith("The NIC does not fit the schema of the libvirt ")
    assert result.msg.endswith(
        " on this host: boot {'order': 7}, mtu 1400. Correct it, see https://libvirt.org/formatdomain.html#network-interfaces."
    )
    assert world(host) == before


@pytest.mark.parametrize(("nics", "message"), WRONG_LISTS.values(), ids=WRONG_LISTS)
@pytest.mark.parametrize("prune", [False, True])
def test_wrong_lists_are_refused(host: libvirt.virConnect, nics: list[Options], message: str, prune: bool) -> None:
    before = world(host)
    for check in (True, False):
        result = nics_task(*nics, check=check, prune=prune)
        assert result.failed
        assert message in result.msg
        assert not result.changed
        assert world(host) == before


@pytest.mark.parametrize("options", [new(), lan(link="down"), lan(state="absent")], ids=["new", "changed", "removed"])
def test_the_same_without_mistakes_is_done(host: libvirt.virConnect, options: Options) -> None:
    before = world(host)
    result = nic_task(**options)
    assert (result.failed, result.changed) == (False, True)
    assert world(host) != before


@pytest.mark.parametrize(
    "name", ["unknown guest", "a source of two NICs", "alias with a space", "unknown network", "mac of a network"]
)
@pytest.mark.usefixtures("host")
def test_a_list_says_as_much_of_an_entry_as_a_task_of_one_nic(name: str) -> None:
    options, message = WRONG[name]
    assert message in nics_task(options, {"domain": "kinds", **lan(link="down")}).msg
