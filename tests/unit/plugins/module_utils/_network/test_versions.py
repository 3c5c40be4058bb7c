# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._network.versions import find_too_new

if t.TYPE_CHECKING:
    Definition = dict[str, t.Any]

BRIDGE: Definition = {"name": "lab", "forward": {"mode": "bridge"}, "bridge": {"name": "br0"}}
VLAN: Definition = {"tags": [{"id": 42}]}
OVS: Definition = {"type": "openvswitch"}


def hostdev(**driver: str) -> Definition:
    return {"name": "lab", "forward": {"mode": "hostdev", "pf": {"dev": "eth0"}, "driver": driver}}


@pytest.mark.parametrize(
    ("definition", "option", "since"),
    [
        ({"name": "lab", "title": "A lab"}, "title", "9.7.0"),
        ({"name": "lab", "description": "A lab"}, "description", "9.7.0"),
        ({"name": "lab", "domain": {"name": "a", "local_only": True, "register": True}}, "domain.register", "10.1.0"),
        (hostdev(model="mlx5_vfio_pci"), "forward.driver.model", "10.0.0"),
        ({"name": "lab", "dns": {"forwarders": [{"addr": "::1", "port": 53}]}}, "dns.forwarders.port", "12.0.0"),
        ({"name": "lab", "forward": {"mode": "open"}}, "forward.mode 'open' without an address in ips", "10.8.0"),
        (hostdev(name="xen"), "forward.driver.name 'xen'", "10.0.0"),
        ({**BRIDGE, "vlan": VLAN}, "vlan on a bridge of the host", "11.0.0"),
        ({**BRIDGE, "portgroups": [{"name": "dmz", "vlan": VLAN}]}, "portgroups 'dmz', vlan on a bridge of the host", "11.0.0"),
    ],
)
def test_each_version_is_said_until_it_is_there(definition: Definition, option: str, since: str) -> None:
    older = f"{int(since.partition('.')[0]) - 1}.99.0"
    sentence = (
        f"{option}: needs libvirt {since} or later, and the libvirt of this host is {older}; leave it out, or upgrade libvirt."
    )
    assert find_too_new(definition, older) == [sentence]
    assert find_too_new(definition, older, {"name": "lab"}) == [sentence]
    assert find_too_new(definition, since) == []
    # what the stored definition has already is libvirt's own matter
    assert find_too_new(definition, older, definition) == []


@pytest.mark.parametrize(
    "definition",
    [
        {"name": "lab", "forward": {"mode": "nat", "nat": {"ipv6": True}}, "port": {"isolated": True}},
        hostdev(name="vfio"),
        {**BRIDGE, "vlan": VLAN, "virtualport": OVS},
        {**BRIDGE, "portgroups": [{"name": "dmz", "vlan": VLAN, "virtualport": OVS}]},
        {**BRIDGE, "portgroups": [{"name": "dmz"}]},
    ],
)
def test_the_oldest_libvirt_knows_the_rest(definition: Definition) -> None:
    assert find_too_new(definition, "7.0.0") == []


def test_another_value_of_what_was_there_is_said() -> None:
    assert find_too_new({"name": "lab", "title": "new"}, "7.0.0", {"name": "lab", "title": "old"}) != []


def dhcp(**dhcp: t.Any) -> Definition:
    return {"name": "lab", "ips": [{"address": "10.0.0.1", "prefix": 8, "dhcp": dhcp}]}


@pytest.mark.parametrize(
    ("definition", "last", "sentence"),
    [
        (
            dhcp(ranges=[{"start": "10.0.1.0", "end": "10.1.0.9"}, {"start": "10.2.0.0", "end": "10.2.255.255"}]),
            "9.0.0",
            "ips 10.0.0.1, dhcp.ranges: 10.0.1.0 to 10.1.0.9 differ in more than their last two numbers, which the libvirt 9.0.0 "
            "of this host refuses; make it two ranges.",
        ),
        (
            {"name": "lab", "forward": {"mode": "nat", "nat": {"address": {"start": "10.0.1.0", "end": "10.1.0.9"}}}},
            "9.0.0",
            "forward.nat.address: 10.0.1.0 to 10.1.0.9 differ in more than their last two numbers, which the libvirt 9.0.0 of "
            "this host refuses; make it smaller.",
        ),
        (
            dhcp(hosts=[{"name": "1a", "ip": "10.0.0.2"}, {"name": "a1", "ip": "10.0.0.3"}]),
            "7.0.0",
            "dhcp.hosts: '1a' begins with a digit, which the libvirt 7.0.0 of this host refuses; choose a name that begins with "
            "a letter.",
        ),
    ],
)
def test_what_old_versions_are_known_to_refuse(definition: Definition, last: str, sentence: str) -> None:
    assert find_too_new(definition, last) == [sentence]
    assert find_too_new(definition, last, definition) == []
    assert find_too_new(definition, "11.3.0") == []
