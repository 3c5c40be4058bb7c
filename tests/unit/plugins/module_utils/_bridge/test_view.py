# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What an operator is shown: the bridge as it is, and the diff, without secrets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._bridge.plan import Plan, make_plan
from ansible_collections.kvmops.network.plugins.module_utils._bridge.subject import subject_of
from ansible_collections.kvmops.network.plugins.module_utils._bridge.view import describe_bridge, make_diff
from ansible_collections.kvmops.network.plugins.module_utils._file_changes import FileChange
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._bridge.builders import (
    BACKENDS,
    DHCP,
    MAC,
    STATIC,
    address,
    bridge,
    bridged_links,
    default_route,
    device,
    family,
    host,
    leased,
    links,
    record,
    request,
    static_links,
    tap,
)

LEASED = links(device("eth0", leased("192.0.2.10/24")), routes=(default_route(protocol="dhcp"),))


def fresh_plan(text: str | None = None) -> Plan:
    found = host() if text is None else host(LEASED, text)
    subject, _paths = subject_of(request(), found, BACKENDS)
    return make_plan(request(), found, subject, BACKENDS["networkd"])


def test_a_bridge_as_it_is() -> None:
    own = (address("192.0.2.10/24"), address("fe80::1/64"))
    found = bridged_links(tap(), carried=own, stp=True, forward_delay=1500, mtu=9000)
    assert describe_bridge(record(), found) == {
        "name": "br0",
        "uplink": "eth0",
        "backend": "networkd",
        "exists": True,
        "mac": MAC,
        "mtu": 9000,
        "stp": True,
        "forward_delay": 15.0,
        "ports": ["eth0", "vnet0"],
        "addresses": ["192.0.2.10/24"],
        "gateway": "192.0.2.1",
    }


def test_a_bridge_that_is_not_there() -> None:
    assert describe_bridge(record(mtu=1400), static_links()) == {
        "name": "br0",
        "uplink": "eth0",
        "backend": "networkd",
        "exists": False,
        "mac": MAC,
        "mtu": 1400,
        "stp": False,
        "forward_delay": 0.0,
        "ports": [],
        "addresses": [],
        "gateway": None,
    }


def test_a_default_route_without_a_gateway() -> None:
    found = links(device("eth0"), bridge(), routes=(replace(default_route(link="br0"), gateway=""),))
    assert describe_bridge(record(), found)["gateway"] is None


def test_the_diff_of_a_new_bridge() -> None:
    texts, *files = make_diff(fresh_plan(), static_links())
    assert texts == {
        "before_header": "links of br0",
        "after_header": "links of br0",
        "before": "eth0: no port of a bridge\neth0: 192.0.2.10/24\neth0: route default via 192.0.2.1 proto static\n",
        "after": "eth0: port of br0\nbr0: MAC address 52:54:00:12:34:56, MTU 1500, STP off\n"
        "br0: 192.0.2.10/24\nbr0: route default via 192.0.2.1 proto static\n"
        "connection: Connections stay; the addresses move in one step, within a fraction of a second.\n",
    }
    # what is remembered says nothing new
    assert [one["before_header"] for one in files] == [
        "/etc/systemd/network/0-kvmops-br0.netdev (not there)",
        "/etc/systemd/network/0-kvmops-br0.network (not there)",
        "/etc/systemd/network/0-kvmops-br0-port.network (not there)",
    ]
    assert all(one["before"] == "" and one["after"].startswith("# Written by") for one in files)


def test_the_diff_says_what_a_server_gives() -> None:
    texts = make_diff(fresh_plan(DHCP), LEASED)[0]
    assert "br0: IPv4 address from a DHCP server\n" in texts["after"]


def test_the_diff_of_something_that_is_put_right() -> None:
    found = host(bridged_links(mtu=1400, forward_delay=1500), records={"br0": record()})
    subject, paths = subject_of(request(), found, BACKENDS)
    assert subject is not None
    files = {path: text.encode() for path, text in BACKENDS["networkd"].files(record(), request()).items()}
    found = replace(found, files={**dict.fromkeys(paths), **files, paths[3]: record().to_text().encode()})
    [texts] = make_diff(make_plan(request(), found, subject, BACKENDS["networkd"]), found.links)
    kept = "br0: 192.0.2.10/24\nbr0: route default via 192.0.2.1 proto static\n"
    assert texts["before"] == (
        f"eth0: port of br0\nbr0: MAC address {MAC}, MTU 1400, STP off\n{kept}wrong: MTU of br0 is 1400, not 1500\n"
    )
    assert texts["after"] == (
        f"eth0: port of br0\nbr0: MAC address {MAC}, MTU 1500, STP off\n{kept}"
        "connection: Connections stay, and so do guests' interfaces on the bridge.\n"
    )


@pytest.mark.parametrize("gateway", ["198.51.100.1", None])
def test_the_diff_of_another_address(gateway: str | None) -> None:
    found = host(bridged_links(carried=(address("192.0.2.10/24"), address("2001:db8::10/64"))), records={"br0": record()})
    subject, _paths = subject_of(request(), found, BACKENDS)
    wanted = request(ipv4=family("static", "198.51.100.7/24", gateway=gateway))
    plan = make_plan(wanted, found, subject, BACKENDS["networkd"])
    assert plan.lost == ("192.0.2.10/24", "2001:db8::10/64")  # networkd has no configuration for the latter
    texts = make_diff(plan, found.links)[0]
    assert texts["after"] == (
        f"eth0: port of br0\nbr0: MAC address {MAC}, MTU 1500, STP off\nbr0: 198.51.100.7/24\n"
        + (f"br0: default route via {gateway}\n" if gateway else "")
        + f"connection: {plan.outage}\n"
    )
    assert "wrong: br0 does not have 198.51.100.7/24\n" in texts["before"]
    assert "br0: 192.0.2.10/24\n" in texts["before"]


def test_the_diff_of_a_new_bridge_with_another_address() -> None:
    eth0 = device("eth0", address("192.0.2.10/24"), address("2001:db8::10/64"))
    before = links(eth0, routes=(default_route(), default_route("2001:db8::1")))
    found = host(before, STATIC + "Address=2001:db8::10/64\nGateway=2001:db8::1\n")
    subject, _paths = subject_of(request(), found, BACKENDS)
    wanted = request(ipv4=family("static", "198.51.100.7/24", gateway="198.51.100.1"))
    plan = make_plan(wanted, found, subject, BACKENDS["networkd"])
    assert make_diff(plan, before)[0]["after"] == (
        f"eth0: port of br0\nbr0: MAC address {MAC}, MTU 1500, STP off\n"
        "br0: 2001:db8::10/64\nbr0: route default via 2001:db8::1 proto static\n"
        f"br0: 198.51.100.7/24\nbr0: default route via 198.51.100.1\nconnection: {plan.outage}\n"
    )


def test_nothing_to_do_has_no_diff() -> None:
    assert make_diff(Plan(record=None, goal=None), static_links()) == []


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("psk=hunter2", "psk=(hidden)"),
        ("password=hunter2", "password=(hidden)"),
        ("private-key-password = hunter2", "private-key-password =(hidden)"),
        ("802-1x.phase2-private-key-password=hunter2", "802-1x.phase2-private-key-password=(hidden)"),
        ("Password=hunter2", "Password=(hidden)"),
        ("leap-password=hunter2", "leap-password=(hidden)"),
        ("secrets=hunter2", "secrets=(hidden)"),
        ("wep-key0=hunter2", "wep-key0=(hidden)"),
        ("PrivateKey=hunter2", "PrivateKey=(hidden)"),
        ("mka-cak=hunter2", "mka-cak=(hidden)"),
        ("          password: hunter2", "          password:(hidden)"),
        ('#kvmops-br0    "home": {password: "hunter2"}', '#kvmops-br0    "home": {password:(hidden)'),
        ('  "client-key-password": hunter2', '  "client-key-password":(hidden)'),
        ("#kvmops-br0       key: hunter2", "#kvmops-br0       key: (hidden)"),
        ("      private: hunter2", "      private: (hidden)"),
        ("    key-management: psk", "    key-management: psk"),
        ("    dhcp4: true", "    dhcp4: true"),
        ("DNS=192.0.2.1", "DNS=192.0.2.1"),
        ("method=auto", "method=auto"),
        ("dns-search=spinning.test", "dns-search=spinning.test"),
        ("proxy-mapping=a", "proxy-mapping=a"),
    ],
)
def test_secrets_are_not_shown(line: str, shown: str) -> None:
    text = f"[section]\n{line}\nnext=value\n".encode()
    plan = replace(fresh_plan(), files=(FileChange("/etc/x", before=text, after=None), FileChange("/etc/y", None, text)))
    _links, removed, written = make_diff(plan, static_links())
    assert removed == {
        "before_header": "/etc/x",
        "after_header": "/etc/x (removed)",
        "before": f"[section]\n{shown}\nnext=value\n",
        "after": "",
    }
    assert written["after"] == removed["before"]


def test_a_file_that_is_no_text_is_shown_as_far_as_it_is_one() -> None:
    plan = replace(fresh_plan(), files=(FileChange("/etc/x", before=b"caf\xe9\n", after=b""),))
    assert make_diff(plan, static_links())[1]["before"] == "caf�\n"
