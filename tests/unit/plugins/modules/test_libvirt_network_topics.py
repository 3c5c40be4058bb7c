# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Each part of a definition: create, again, change, again, the same in another way, omit, remove."""

from __future__ import annotations

import typing as t

import libvirt
import pytest

from ansible_collections.kvmops.network.tests.unit.plugins.support.ladder import Topic, climb

if t.TYPE_CHECKING:
    Options = dict[str, t.Any]

IP: dict[str, t.Any] = {"address": "192.168.101.1", "prefix": 24}
IP6: dict[str, t.Any] = {"address": "fd00:101::1", "prefix": 64}
NAT: dict[str, t.Any] = {"forward": {"mode": "nat"}, "ips": [IP]}


def with_dhcp(**dhcp: t.Any) -> Options:
    return {"ips": [{**IP, "dhcp": dhcp}]}


TOPICS = {
    # seed 001-9, 001-21
    "mode": Topic(
        omitted={"ips": [IP]},
        first={"forward": {"mode": "nat"}},
        first_shown="<forward mode='nat'/>",
        second={"forward": {"mode": "route"}},
        second_shown="<forward mode='route'/>",
        none={"forward": {"mode": "none"}},
    ),
    "uplink": Topic(
        omitted=NAT,
        first={"forward": {"mode": "nat", "dev": "eth0"}},
        first_shown="<forward dev='eth0' mode='nat'>\n    <interface dev='eth0'/>\n  </forward>",
        second={"forward": {"mode": "nat", "dev": "eth1"}},
        second_shown="<forward dev='eth1' mode='nat'>\n    <interface dev='eth1'/>\n  </forward>",
        updates=2,
    ),
    # seed 003-36
    "nat": Topic(
        omitted=NAT,
        first={"forward": {"mode": "nat", "nat": {"port": {"start": 2000, "end": 3000}}}},
        first_shown="<port start='2000' end='3000'/>",
        second={
            "forward": {
                "mode": "nat",
                "nat": {
                    "address": {"start": "198.51.100.1", "end": "198.51.100.9"},
                    "port": {"start": 1, "end": 2},
                    "ipv6": True,
                },
            }
        },
        second_shown="<nat ipv6='yes'>\n      <address start='198.51.100.1' end='198.51.100.9'/>\n"
        "      <port start='1' end='2'/>",
    ),
    # seed 001-10
    "bridge name": Topic(
        omitted={"forward": {"mode": "none"}},
        first={"bridge": {"name": "virbr101"}},
        first_shown="<bridge name='virbr101' stp='on' delay='0'/>",
        second={"bridge": {"name": "virbr102"}},
        second_shown="<bridge name='virbr102' stp='on' delay='0'/>",
        same=({"bridge": {"name": "virbr102", "stp": True, "delay": 0}},),
        carried=True,
    ),
    "bridge": Topic(
        omitted={"bridge": {"name": "virbr101"}},
        first={"bridge": {"name": "virbr101", "stp": False}},
        first_shown="<bridge name='virbr101' stp='off' delay='0'/>",
        second={"bridge": {"name": "virbr101", "stp": True, "delay": 4}},
        second_shown="<bridge name='virbr101' stp='on' delay='4'/>",
        same=({"bridge": {"name": "virbr101", "delay": 4}}, {"bridge": {"stp": True, "delay": 4}}),
        none={"bridge": {"stp": True, "delay": 0}},
    ),
    "mac": Topic(
        omitted={"bridge": {"name": "virbr101"}},
        first={"mac": "52:54:00:AA:BB:CC"},
        first_shown="<mac address='52:54:00:aa:bb:cc'/>",
        second={"mac": "52:54:00:aa:bb:cd"},
        second_shown="<mac address='52:54:00:aa:bb:cd'/>",
        same=({"mac": "52:54:00:AA:BB:CD"},),
        carried=True,
    ),
    "mtu": Topic(
        omitted=NAT,
        first={"mtu": 9000},
        first_shown="<mtu size='9000'/>",
        second={"mtu": 1400},
        second_shown="<mtu size='1400'/>",
    ),
    "domain": Topic(
        omitted=NAT,
        first={"domain": {"name": "lab.example"}},
        first_shown="<domain name='lab.example'/>",
        second={"domain": {"name": "lab.example", "local_only": True}},
        second_shown="<domain name='lab.example' localOnly='yes'/>",
    ),
    # seed 003-39
    "dns": Topic(
        omitted=NAT,
        first={"dns": {"forward_plain_names": False, "forwarders": [{"addr": "8.8.8.8"}, {"addr": "8.8.4.4"}]}},
        first_shown="<dns forwardPlainNames='no'>\n    <forwarder addr='8.8.8.8'/>\n    <forwarder addr='8.8.4.4'/>",
        second={
            "dns": {"forward_plain_names": True, "forwarders": [{"addr": "8.8.4.4"}, {"addr": "8.8.8.8", "domain": "a.example"}]}
        },
        second_shown="<forwarder addr='8.8.4.4'/>\n    <forwarder domain='a.example' addr='8.8.8.8'/>",
        none={"dns": {"forwarders": []}},
    ),
    "no dns": Topic(
        omitted=NAT,
        first={"dns": {"enable": False}},
        first_shown="<dns enable='no'/>",
        second={"dns": {"enable": False, "forward_plain_names": False}},
        second_shown="<dns enable='no' forwardPlainNames='no'/>",
        none={"dns": {"enable": True, "forward_plain_names": True}},
    ),
    # seed 001-11, 001-20
    "addresses": Topic(
        omitted={"bridge": {"name": "virbr102"}},
        first={"ips": [{"address": "192.168.102.1", "netmask": "255.255.255.0"}]},
        first_shown="<ip address='192.168.102.1' prefix='24'>",
        second={"ips": [IP, IP6]},
        second_shown="<ip family='ipv6' address='fd00:101::1' prefix='64'>",
        same=(
            {"ips": [IP6, IP]},
            {"ips": [{"address": "FD00:0101::0001", "prefix": 64}, {"address": "192.168.101.1", "netmask": "255.255.255.0"}]},
        ),
        # seed 001-27: no address of the host
        none={"ips": []},
    ),
    # seed 001-12, 001-22
    "dhcp ranges": Topic(
        omitted=NAT,
        first=with_dhcp(ranges=[{"start": "192.168.101.100", "end": "192.168.101.254"}]),
        first_shown="<range start='192.168.101.100' end='192.168.101.254'/>",
        second=with_dhcp(
            ranges=[{"start": "192.168.101.100", "end": "192.168.101.109"}, {"start": "192.168.101.20", "end": "192.168.101.29"}]
        ),
        second_shown="<range start='192.168.101.20' end='192.168.101.29'/>\n"
        "      <range start='192.168.101.100' end='192.168.101.109'/>",
        same=(
            with_dhcp(
                ranges=[
                    {"start": "192.168.101.20", "end": "192.168.101.29"},
                    {"start": "192.168.101.100", "end": "192.168.101.109"},
                ]
            ),
        ),
        none=with_dhcp(ranges=[]),
    ),
    "routes": Topic(
        omitted=NAT,
        first={"routes": [{"address": "10.9.0.0", "prefix": 16, "gateway": "192.168.101.2"}]},
        first_shown="<route address='10.9.0.0' prefix='16' gateway='192.168.101.2'/>",
        second={
            "routes": [
                {"address": "10.9.0.0", "prefix": 16, "gateway": "192.168.101.3", "metric": 7},
                {"address": "10.8.0.0", "prefix": 16, "gateway": "192.168.101.2"},
            ]
        },
        second_shown="<route address='10.8.0.0' prefix='16' gateway='192.168.101.2'/>\n"
        "  <route address='10.9.0.0' prefix='16' gateway='192.168.101.3' metric='7'/>",
        same=(
            {
                "routes": [
                    {"address": "10.8.0.0", "netmask": "255.255.0.0", "gateway": "192.168.101.2", "metric": 1},
                    {"address": "10.9.0.0", "netmask": "255.255.0.0", "gateway": "192.168.101.3", "metric": 7},
                ]
            },
        ),
        none={"routes": []},
    ),
    # seed P7
    "host bridge": Topic(
        omitted=None,
        first={"forward": {"mode": "bridge"}, "bridge": {"name": "br0"}},
        first_shown="<forward mode='bridge'/>\n  <bridge name='br0'/>",
        second={"forward": {"mode": "bridge"}, "bridge": {"name": "br1"}},
        second_shown="<bridge name='br1'/>",
    ),
    # seed P8, 002-18, L2
    "macvtap": Topic(
        omitted=None,
        first={"forward": {"mode": "bridge", "dev": "eth0"}},
        first_shown="<forward dev='eth0' mode='bridge'>\n    <interface dev='eth0'/>",
        second={"forward": {"mode": "bridge", "dev": "eth1"}},
        second_shown="<forward dev='eth1' mode='bridge'>\n    <interface dev='eth1'/>",
        updates=2,
    ),
}


@pytest.mark.parametrize("name", TOPICS)
@pytest.mark.parametrize("definition", ["merge", "replace"])
def test_ladder(driver: libvirt.virConnect, name: str, definition: str) -> None:
    climb(driver, TOPICS[name], definition=definition)
