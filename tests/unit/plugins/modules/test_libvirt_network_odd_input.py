# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What libvirt takes and can hardly be meant: refused of options, and said of a document that has it, once."""

from __future__ import annotations

import typing as t

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.module_utils._network.definition import (
    definition_from_options,
    merge_definitions,
    render_xml,
)
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import (
    Result,
    apply,
    apply_all,
    network_task,
    networks_task,
    predict,
    snapshot,
)
from ansible_collections.kvmops.network.tests.unit.plugins.support.shapes import (
    IP,
    IP6,
    IS,
    MAC,
    OUT,
    PF,
    Options,
    bridge,
    dns,
    hostdev,
    hosts,
    nat,
    ovs,
    route,
)

ODD: dict[str, tuple[Options, str]] = {
    "host bridge without a name": (
        {"forward": {"mode": "bridge"}},
        "bridge.name: missing; forward.mode 'bridge' needs the name of a bridge that the host has.",
    ),
    "address of the network": ({"ips": [{**IP, "address": "192.168.101.0"}]}, f"ips 192.168.101.0: {IS}"),
    "address of all": ({"ips": [{**IP, "address": "192.168.101.255"}]}, f"ips 192.168.101.255: {IS}"),
    "multicast address": (
        {"ips": [{**IP, "address": "239.0.0.1"}]},
        "ips 239.0.0.1: cannot be the address of a host; choose one such as 192.168.101.1.",
    ),
    "reservation outside": (hosts({"mac": MAC, "ip": "192.168.102.2"}), f"ips 192.168.101.1, dhcp.hosts: 192.168.102.2 {OUT}"),
    "reservation of the host's address": (
        hosts({"mac": MAC, "ip": "192.168.101.1"}),
        "ips 192.168.101.1, dhcp.hosts: 192.168.101.1 for '52:54:00:00:00:01' is the host's own address; choose another.",
    ),
    "reservation for a name that is none": (
        hosts({"mac": MAC, "ip": "192.168.101.2", "name": "a,b"}),
        "dhcp.hosts: 'a,b' is not a host name; use letters, digits, '-', '_' and '.'.",
    ),
    "an address for two guests": (
        hosts({"mac": MAC, "ip": "192.168.101.2"}, {"mac": "52:54:00:00:00:02", "ip": "192.168.101.2"}),
        "ips 192.168.101.1, dhcp.hosts: ip 192.168.101.2 is reserved twice, for '52:54:00:00:00:01' and for "
        "'52:54:00:00:00:02'; change "
        "one, or remove what the task does not mention with purge_hosts.",
    ),
    "route through the host": (
        route(prefix=16, gateway="192.168.101.1"),
        "routes 10.9.0.0: gateway 192.168.101.1 is the host's own address; choose a guest's address.",
    ),
    "hostdev without a device": (
        hostdev(),
        "forward.addresses: missing; forward.mode 'hostdev' needs them, or forward.pf, so that guests get a device.",
    ),
    "a driver without hostdev": (
        {"forward": {"mode": "nat", "driver": {"name": "vfio"}}, "ips": [IP]},
        "forward.driver: has a meaning with forward.mode 'hostdev' only, and the mode is 'nat'; leave it out.",
    ),
    "a physical function of a nat network": (
        {"forward": {"mode": "nat", "pf": PF}, "ips": [IP]},
        "forward.pf: has no meaning with forward.mode 'nat', where guests get no device of the host; leave it out.",
    ),
    "private without an interface": (
        {"forward": {"mode": "private"}},
        "forward.dev: missing; forward.mode 'private' needs an interface of the host, or forward.pf.",
    ),
    "vepa without an interface": (
        {"forward": {"mode": "vepa", "interfaces": []}},
        "forward.dev: missing; forward.mode 'vepa' needs an interface of the host, or forward.pf.",
    ),
    "passthrough without an interface": (
        {"forward": {"mode": "passthrough"}},
        "forward.dev: missing; forward.mode 'passthrough' needs an interface of the host, or forward.pf.",
    ),
    "SRV with a comma in the target": (
        dns(srv=[{"service": "ldap", "protocol": "tcp", "target": "a,b"}]),
        "dns.srv 'ldap': target 'a,b' is not a DNS name; use letters, digits, '-', '_' and '.'.",
    ),
    "lines for dnsmasq of a host's bridge": (
        bridge(dnsmasq_options=["log-queries"]),
        "dnsmasq_options: cannot be set with forward.mode 'bridge', where the network is the host's own;"
        " leave it out, or say definition: replace if the network has it from before.",
    ),
    "two addresses in one subnet": (
        {"ips": [IP, {"address": "192.168.101.129", "prefix": 25}]},
        "ips 192.168.101.129: its subnet 192.168.101.128/25 overlaps with 192.168.101.0/24 of "
        "192.168.101.1; leave one address, or choose subnets that are apart.",
    ),
    "two IPv6 addresses in one subnet": (
        {"ips": [IP6, {"address": "fd00:101::2", "prefix": 64}]},
        "ips fd00:101::2: its subnet fd00:101::/64 overlaps with fd00:101::/64 of fd00:101::1; leave one"
        " address, or choose subnets that are apart.",
    ),
    "isolated ports of a macvtap network": (
        {"forward": {"mode": "private", "dev": "eth1"}, "port": {"isolated": True}},
        "port.isolated: is for networks with a bridge, and forward.mode 'private' has none; leave it out.",
    ),
    "isolated ports of Open vSwitch": (
        ovs(port={"isolated": True}),
        "port.isolated: is for bridges of the Linux kernel, and there is a virtualport; leave one of them out.",
    ),
    "a MAC address of zeros": (
        hosts({"mac": "00:00:00:00:00:00", "ip": "192.168.101.2"}),
        "dhcp.hosts: '00:00:00:00:00:00' is no NIC's address; choose one such as 52:54:00:6b:3c:58.",
    ),
    "an IPv4 guest's identifier": (
        hosts({"id": "00:03:00:01:52:54:00:6b:3c:58", "name": "web", "ip": "192.168.101.2"}),
        "ips 192.168.101.1, dhcp.hosts: '00:03:00:01:52:54:00:6b:3c:58' is given by id; IPv4 knows guests by mac.",
    ),
    "a name for two guests": (
        hosts(
            {"mac": MAC, "name": "web", "ip": "192.168.101.2"}, {"mac": "52:54:00:00:00:02", "name": "web", "ip": "192.168.101.3"}
        ),
        "ips 192.168.101.1, dhcp.hosts: name web is reserved twice, for '52:54:00:00:00:01' and for '52:54:00:00:00:02'; "
        "change one, or remove what the task does not mention with purge_hosts.",
    ),
    "DNS of a host's bridge that says nothing of a name": (
        bridge(dns={"enable": False}),
        "dns: cannot be set with forward.mode 'bridge', where the network is the host's own; leave it out, or say "
        "definition: replace, purge_hosts: true if the network has it from before.",
    ),
    "SRV with a space in the target": (
        nat(IP, dns={"srv": [{"service": "ldap", "protocol": "tcp", "target": "a b"}]}),
        "dns.srv 'ldap': target 'a b' is not a DNS name; use letters, digits, '-', '_' and '.'.",
    ),
    "a burst of a port group that tc cannot count": (
        {"portgroups": [{"name": "a", "bandwidth": {"inbound": {"average": 5, "burst": 2**22}}}]},
        "portgroups 'a', bandwidth.inbound: burst 4194304 is more than the 4194303 KiB that are possible; choose less.",
    ),
}

# libvirt's test driver has no dnsmasq, and drops its options.
DROPPED = {"lines for dnsmasq of a host's bridge"}


def as_document(options: Options) -> str:
    given = definition_from_options({"name": "lab", **options})
    return render_xml(merge_definitions(None, given, replace=True, purge_hosts=False))


@pytest.mark.parametrize("name", ODD)
def test_of_options_it_is_a_mistake(driver: libvirt.virConnect, name: str) -> None:
    options, sentence = ODD[name]
    for check in (True, False):
        result = network_task(check=check, name="lab", **options)
        assert (result.failed, result.msg) == (True, sentence)
    assert snapshot(driver) == {}


@pytest.mark.parametrize("name", ODD)
def test_of_a_document_it_is_said_once(driver: libvirt.virConnect, name: str) -> None:
    options, sentence = ODD[name]
    text = as_document(options)
    for run in (predict,) if name in DROPPED else (predict, apply):
        first = run(name="lab", xml=text)
        assert first.changed
        assert first.own_warnings == [sentence]
    if name in DROPPED:
        return
    before = snapshot(driver)
    assert list(before) == ["lab"]
    for run in (predict, apply):
        for task in ({"xml": text}, {"definition": "replace", **options}):
            again = run(name="lab", **task)
            assert not again.changed
            assert again.own_warnings == []
    # what is there already is no reason to speak of it when something else changes
    other = apply(name="lab", ipv6=True)
    assert (other.actions[0], other.own_warnings) == ("define", [])


def test_it_is_said_of_which_network_in_a_list(driver: libvirt.virConnect) -> None:
    lists: list[tuple[t.Callable[..., Result], bool]] = [(networks_task, True), (apply_all, False)]
    for run, check in lists:
        text = as_document({"forward": {"mode": "private"}})
        result = run({"name": "lab", "xml": text}, {"name": "other"} | nat(IP), check=check)
        assert result.own_warnings == [
            "The network 'lab': forward.dev: missing; forward.mode 'private' needs an interface of the host, or forward.pf."
        ]
    assert sorted(snapshot(driver)) == ["lab", "other"]


def test_an_oddity_that_is_there_is_not_said_when_the_network_is_started(driver: libvirt.virConnect) -> None:
    driver.networkDefineXML("<network><name>lab</name><forward mode='private'/></network>")
    started = network_task(name="lab", state="active")
    assert (started.failed, started.changed, started.own_warnings) == (False, True, [])


def test_a_reservation_that_contradicts_one_that_the_task_does_not_mention_is_refused(driver: libvirt.virConnect) -> None:
    # nobody shall find out by a warning that another guest's address is given away
    apply(name="lab", **hosts({"mac": MAC, "ip": "192.168.101.2"}))
    before = snapshot(driver)
    other = {"mac": "52:54:00:00:00:02", "ip": "192.168.101.2"}
    for check in (True, False):
        refused = network_task(check=check, name="lab", **hosts(other))
        assert refused.msg == (
            "ips 192.168.101.1, dhcp.hosts: ip 192.168.101.2 is reserved twice, for '52:54:00:00:00:01' and for "
            "'52:54:00:00:00:02'; change one, or remove what the task does not mention with purge_hosts."
        )
        assert snapshot(driver) == before
    assert apply(name="lab", purge_hosts=True, **hosts(other)).own_warnings == []
