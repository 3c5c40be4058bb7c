# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Each rule for a NIC's definition: what it says, and what it just does not say anything of."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._nic import rules
from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import normalise
from ansible_collections.kvmops.network.plugins.module_utils._nic.rules import find_problems
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nic.builders import MAC, parse
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nic.test_definition import OTHERS

if t.TYPE_CHECKING:
    Definition = dict[str, t.Any]

UUID = "1b4f0c34-3a39-4a26-a21f-6f0a3b1e0a6e"
PASST = {"backend": {"type": "passt"}}
OVS = {"virtualport": {"type": "openvswitch"}}
VLAN = {"vlan": {"tags": [{"id": 5}]}}
LOST = "is a name as libvirt chooses them, and it would drop it; choose another, such as 'tap-web'."
CHARACTERS = "has characters that no interface name may have; use letters, digits, '-', '_' and '.'."


def nic(kind: str = "network", **options: t.Any) -> Definition:
    """Return a NIC of a type, with its place and the model virtio."""
    sources = {"network": {"network": "lab"}, "bridge": {"bridge": "br0"}, "direct": {"dev": "eth1", "mode": "bridge"}}
    source = {**sources.get(kind, {}), **options.pop("source", {})}
    return normalise({"type": kind, "mac": MAC, "model": "virtio", **({"source": source} if source else {}), **options})


def rates(**inbound: int) -> Definition:
    return {"bandwidth": {"inbound": inbound}}


def forward(**options: t.Any) -> Definition:
    return {**PASST, "port_forwards": [{"proto": "tcp", **options}]}


def parameter(name: str, value: str) -> Definition:
    return {"filterref": {"filter": "a", "parameters": [{"name": name, "value": value}]}}


# What is wrong, what is said of it, and the next thing to it that is right.
TABLE: list[tuple[Definition, str, Definition]] = [
    # mac
    (
        nic(mac="53:54:00:00:00:01"),
        "mac: '53:54:00:00:00:01' is a multicast address; the second digit of a NIC's MAC address is even.",
        nic(mac="52:54:00:00:00:01"),
    ),
    (
        nic(mac="00:00:00:00:00:00"),
        "mac: '00:00:00:00:00:00' is no NIC's address; choose one such as 52:54:00:6b:3c:58.",
        nic(mac="00:00:00:00:00:01"),
    ),
    (
        nic(mac="fe:54:00:00:00:01"),
        "mac: 'fe:54:00:00:00:01' begins with fe, which libvirt keeps for the host's ends of NICs; choose another, such as "
        "52:54:00:6b:3c:58.",
        nic(mac="fc:54:00:00:00:01"),
    ),
    # alias
    (nic(alias="a.b"), "alias: 'a.b' cannot be the name of a NIC; use letters, digits, '-' and '_'.", nic(alias="Lan-1_a")),
    (nic(alias="lan\n"), "alias: 'lan\n' cannot be the name of a NIC; use letters, digits, '-' and '_'.", nic(alias="lan")),
    # source
    (
        nic(source={"bridge": "br0"}),
        "source.bridge: has no meaning for a NIC of type 'network'; leave it out, or correct type.",
        nic(source={"portgroup": "p"}),
    ),
    (
        nic("bridge", source={"mode": "bridge"}),
        "source.mode: has no meaning for a NIC of type 'bridge'; leave it out, or correct type.",
        nic("direct", source={"mode": "vepa"}),
    ),
    (
        nic("ethernet", source={"dev": "eth1"}),
        "source.dev: has no meaning for a NIC of type 'ethernet'; leave it out, or correct type.",
        nic("ethernet"),
    ),
    (
        nic("bridge", source={"bridge": "a23456789012345x"}),
        "source.bridge: 'a23456789012345x' has 16 characters, and the kernel allows 15; choose a shorter name.",
        nic("bridge", source={"bridge": "a23456789012345"}),
    ),
    (nic("direct", source={"dev": "a b"}), f"source.dev: 'a b' {CHARACTERS}", nic("direct", source={"dev": "a-b"})),
    (
        nic("user", source={"dev": "eth1"}),
        "source.dev: says through which interface passt goes out; add backend.type 'passt', or leave it out.",
        nic("user", source={"dev": "eth1"}, **PASST),
    ),
    # target
    *(
        (nic(target={"dev": f"{name}1"}), f"target.dev: '{name}1' {LOST}", nic(target={"dev": f"x{name}"}))
        for name in ("vnet", "macvtap")
    ),
    (nic(target={"dev": "a/b"}), f"target.dev: 'a/b' {CHARACTERS}", nic(target={"dev": "a.b"})),
    (
        nic("network", target={"dev": "tap0", "managed": False}),
        "target.managed: false is for NICs of type 'ethernet', and the type is 'network'; leave it out, or set type.",
        nic("ethernet", target={"dev": "vnet7", "managed": False}),
    ),
    (
        nic("ethernet", target={"managed": False}),
        "target.dev: missing; with target.managed false, name the interface of the host that was made for the NIC.",
        nic("ethernet", target={"managed": True}),
    ),
    (
        nic("user", target={"dev": "tap0"}),
        "target.dev: a NIC of type 'user' has no interface on the host; leave it out.",
        nic("direct", target={"dev": "tap0"}),
    ),
    # what types have
    (
        nic("direct", mtu=1400),
        "mtu: a NIC of type 'direct' cannot have it; it is for network, bridge, ethernet, user. Leave it out.",
        nic("ethernet", mtu=1400),
    ),
    (
        nic("direct", filterref={"filter": "a"}),
        "filterref: a NIC of type 'direct' cannot have it; it is for network, bridge, ethernet. Leave it out.",
        nic("ethernet", filterref={"filter": "a"}),
    ),
    (
        nic("user", **rates(average=1)),
        "bandwidth: a NIC of type 'user' cannot have it; it is for network, bridge, direct, ethernet. Leave it out.",
        nic("direct", **rates(average=1)),
    ),
    (
        nic("ethernet", coalesce={"rx": {"frames": {"max": 1}}}),
        "coalesce: a NIC of type 'ethernet' cannot have it; it is for network, bridge. Leave it out.",
        nic("bridge", coalesce={"rx": {"frames": {"max": 1}}}),
    ),
    (
        nic("direct", port={"isolated": True}),
        "port: a NIC of type 'direct' cannot have it; it is for network, bridge. Leave it out.",
        nic("direct", port={"isolated": False}),
    ),
    (
        nic("user", **VLAN),
        "vlan: a NIC of type 'user' cannot have it; it is for network, bridge, direct. Leave it out.",
        nic("bridge", **VLAN),
    ),
    (
        nic("ethernet", **OVS),
        "virtualport: a NIC of type 'ethernet' cannot have it; it is for network, bridge, direct. Leave it out.",
        nic("bridge", **OVS),
    ),
    (
        nic("network", ips=[{"address": "10.0.0.9"}]),
        "ips: a NIC of type 'network' cannot have it; it is for user. Leave it out.",
        nic("user", ips=[{"address": "10.0.0.9"}]),
    ),
    (
        nic("network", **PASST),
        "backend: a NIC of type 'network' cannot have it; it is for user. Leave it out.",
        nic("user", **PASST),
    ),
    (
        nic("user", mtu=1400),
        "mtu: a NIC of type 'user' has it only through passt; add backend.type 'passt', or leave it out.",
        nic("user", mtu=1400, **PASST),
    ),
    (
        nic("user", port_forwards=[{"proto": "tcp"}]),
        "port_forwards: a NIC of type 'user' has it only through passt; add backend.type 'passt', or leave it out.",
        nic("user", **forward()),
    ),
    (
        nic("bridge", port={"isolated": True}, **OVS),
        "port: is for bridges of the Linux kernel, and there is a virtualport; leave one of them out.",
        nic("bridge", port={"isolated": False}, **OVS),
    ),
    (
        nic("bridge", filterref={"filter": "a"}, **OVS),
        "filterref: is for bridges of the Linux kernel, and there is a virtualport; leave one of them out.",
        nic("bridge", filterref={"filter": "a"}),
    ),
    (nic(vlan={"trunk": True}), "vlan.tags: missing; give one VLAN at least, or leave vlan out.", nic(**VLAN)),
    (
        nic("direct", **VLAN),
        "vlan: a macvtap has it in mode passthrough only, and the mode is 'bridge'; leave it out.",
        nic("direct", source={"mode": "passthrough"}, **VLAN),
    ),
    # rates
    (
        nic(**rates(peak=5)),
        "bandwidth.inbound: peak 5 needs average; add the average rate, or leave peak out.",
        nic(**rates(average=1, peak=5)),
    ),
    (
        nic(**rates(average=1, burst=2**22)),
        "bandwidth.inbound: burst 4194304 is more than the 4194303 KiB that are possible; choose less.",
        nic(**rates(average=1, burst=2**22 - 1)),
    ),
    (
        nic("bridge", **rates(average=1, floor=1)),
        "bandwidth.inbound: floor is a share of what a network has; it is for NICs of type 'network', leave it out.",
        nic(**rates(floor=1)),
    ),
    (
        nic(bandwidth={"outbound": {"average": 1, "floor": 1}}),
        "bandwidth.outbound: floor is for inbound only; leave it out.",
        nic(bandwidth={"inbound": {"floor": 1}, "outbound": {"average": 1}}),
    ),
    # virtual ports
    (
        nic(virtualport={"type": "midonet"}),
        "virtualport.parameters: the type 'midonet' needs interfaceid; add the UUID of the port.",
        nic(virtualport={"type": "midonet", "parameters": {"interfaceid": UUID}}),
    ),
    (
        nic("bridge", virtualport={"type": "openvswitch", "parameters": {"profileid": "p" * 40}}),
        f"virtualport.parameters: profileid '{'p' * 40}' has 40 bytes; libvirt allows 39, choose a shorter one.",
        nic("bridge", virtualport={"type": "openvswitch", "parameters": {"profileid": "p" * 39}}),
    ),
    (
        nic("bridge", virtualport={"parameters": {"interfaceid": UUID}}),
        "virtualport.type: missing for a NIC of type 'bridge'; give one of openvswitch, midonet.",
        nic("network", virtualport={"parameters": {"interfaceid": UUID}}),
    ),
    (
        nic("direct", **OVS),
        "virtualport.type: 'openvswitch' has no meaning for a NIC of type 'direct', which has 802.1Qbg, 802.1Qbh; correct it.",
        nic("direct", virtualport={"type": "802.1Qbh", "parameters": {"profileid": "p"}}),
    ),
    (
        nic("direct", virtualport={"type": "802.1Qbh"}),
        "virtualport.parameters: the type '802.1Qbh' needs profileid; add it.",
        nic("network", virtualport={"type": "802.1Qbh"}),
    ),
    (
        nic(vlan={"tags": [{"id": 1, "native_mode": "tagged"}, {"id": 2, "native_mode": "untagged"}]}),
        "vlan.tags: 2 have native_mode; frames without a tag belong to one VLAN, leave one.",
        nic(vlan={"tags": [{"id": 1}, {"id": 2, "native_mode": "untagged"}]}),
    ),
    # sizes and models
    (nic(mtu=67), "mtu: '67' is not possible; choose a value from 68 to 65535 bytes.", nic(mtu=68)),
    (nic(mtu=65536), "mtu: '65536' is not possible; choose a value from 68 to 65535 bytes.", nic(mtu=65535)),
    (
        nic(model="a/b"),
        "model: 'a/b' cannot name a model; use letters, digits, '-' and '_', as in virtio or e1000e.",
        nic(model="virtio-net_x"),
    ),
    (
        nic(model="e1000e", driver={"name": "vhost"}),
        "driver: is for the model 'virtio', and the NIC has e1000e; libvirt would drop it, leave it out.",
        nic(model="virtio-non-transitional", driver={"name": "vhost"}),
    ),
    *(
        (
            nic(driver={name: size}),
            f"driver.{name}: '{size}' is not possible; choose 256, 512 or 1024.",
            nic(driver={name: good}),
        )
        for name, size, good in (("rx_queue_size", 300, 256), ("tx_queue_size", 2048, 1024), ("rx_queue_size", 128, 512))
    ),
    (
        nic(driver={"queues": 257}),
        "driver.queues: '257' is more than the 256 that a NIC can have; choose less.",
        nic(driver={"queues": 256}),
    ),
    (
        nic("user", driver={"queues": 2}),
        "driver.queues: a NIC of type 'user' has one queue; leave it out.",
        nic("user", driver={"queues": 1}),
    ),
    (
        nic(rom={"enabled": False, "bar": True}),
        "rom.enabled: false, but there is bar or file as well; leave one of them out (definition: replace drops what the NIC has "
        "already).",
        nic(rom={"enabled": False}),
    ),
    (nic(rom={"file": "a.rom"}), "rom.file: 'a.rom' is no absolute path; begin it with '/'.", nic(rom={"file": "/a.rom"})),
    # filters
    (
        nic(filterref={"parameters": [{"name": "IP", "value": "10.0.0.1"}]}),
        "filterref.filter: missing; name the filter, such as clean-traffic.",
        nic(filterref={"filter": "clean-traffic"}),
    ),
    (
        nic(**parameter("A-B", "1")),
        "filterref.parameters: 'A-B' cannot name a parameter; use letters, digits and '_'.",
        nic(**parameter("A_b1", "1")),
    ),
    (
        nic(**parameter("IP", "1 2")),
        "filterref.parameters: '1 2' cannot be the value of IP; use letters, digits, '_', '.' and ':'.",
        nic(**parameter("IP", "fe80::1.a_B")),
    ),
    # the guest's addresses and ports
    (
        nic("user", ips=[{"address": "10.0.0.1"}, {"address": "10.0.0.2"}]),
        "ips: 2 addresses of IPv4, and a NIC has one of each family; leave one.",
        nic("user", ips=[{"address": "10.0.0.1"}, {"address": "fd00::2"}]),
    ),
    *(
        (
            nic("user", ips=[{"address": "10.0.0.1", "prefix": bad}]),
            f"ips 10.0.0.1: prefix {bad} is not possible; choose one from 4 to 27.",
            nic("user", ips=[{"address": "10.0.0.1", "prefix": good}]),
        )
        for bad, good in ((3, 4), (28, 27))
    ),
    (
        nic("user", ips=[{"address": "fd00::1", "prefix": 48}]),
        "ips fd00::1: prefix 48 is not possible; choose 64.",
        nic("user", ips=[{"address": "fd00::1", "prefix": 64}]),
    ),
    (
        nic("user", **forward(ranges=[{"start": 80, "end": 79}])),
        "port_forwards: end 79 is before start 80; swap them.",
        nic("user", **forward(ranges=[{"start": 80, "end": 80}])),
    ),
    (
        nic("user", **forward(ranges=[{"start": 80, "end": 90, "to": 65526}])),
        "port_forwards: 80 to 90 would end behind port 65535 of the guest; choose a smaller 'to'.",
        nic("user", **forward(ranges=[{"start": 80, "end": 90, "to": 65525}])),
    ),
    (nic("user", **forward(dev="a b")), f"port_forwards.dev: 'a b' {CHARACTERS}", nic("user", **forward(dev="eth0"))),
]


@pytest.mark.parametrize(("wrong", "sentence", "right"), TABLE, ids=[sentence[:60] for _wrong, sentence, _right in TABLE])
def test_what_is_wrong_is_said_and_what_is_right_is_not(wrong: Definition, sentence: str, right: Definition) -> None:
    assert sentence in find_problems(wrong)
    assert find_problems(right) == []


def test_each_rule_is_in_the_table() -> None:
    for rule in rules._RULES:
        assert any(sentence in list(rule(wrong)) for wrong, sentence, _right in TABLE), rule.__name__


@pytest.mark.parametrize("name", [name for name in OTHERS if name not in ("driver", "hostdev", "unknown")])
def test_nothing_is_wrong_with_documents_of_libvirts(name: str) -> None:
    assert find_problems(parse(OTHERS[name]).definition) == []


def test_all_that_is_wrong_is_said() -> None:
    found = find_problems(nic(mac="01:00:00:00:00:01", alias="a b", mtu=1, model="a b"))
    assert [sentence.split(":")[0] for sentence in found] == ["mac", "alias", "mtu", "model"]
