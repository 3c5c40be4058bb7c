# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What the modules return, and a diff that an operator can read."""

from __future__ import annotations

import typing as t
from xml.etree import ElementTree

import pytest
import yaml

from ansible_collections.kvmops.network.plugins.module_utils._macvtap.host import Host, Node
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.interface import Ipv6
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.plan import make_plan
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.view import describe, make_diff
from ansible_collections.kvmops.network.plugins.modules import macvtap_iface, macvtap_iface_info
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._bridge.builders import address
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._macvtap.builders import (
    MAC,
    NODE,
    OURS,
    PARENT_MAC,
    host,
    interface,
    on_eth1,
    over,
    request,
    route_option,
    tap_option,
)

XML = f"""<interface type='ethernet'>
  <mac address="{MAC}"/>
  <target dev="mv0" managed='no'/>
  <model type='virtio'/>
</interface>
"""


def test_an_interface_that_is_there() -> None:
    found = interface(
        mode="source",
        flags=("nodst",),
        source_macs=("02:00:00:00:00:01",),
        queues=(4, 2),
        broadcast_queue=500,
        addresses=("192.0.2.250/32",),
        routes=(over("192.0.2.128/25"), over("10.0.0.0/8", gateway="192.0.2.9", metric=5)),
    )
    device = on_eth1(details={"usedbcqueuelen": 5000})
    assert describe(found, device=device, node=Node("/dev/tap7", owner=64055, group=107, mode=0o660)) == {
        "name": "mv0",
        "kind": "macvtap",
        "parent": "eth1",
        "mode": "source",
        "flags": ["nodst"],
        "mac": MAC,
        "source_macs": ["02:00:00:00:00:01"],
        "mtu": 1500,
        "queues": 4,
        "bcqueuelen": 500,
        "effective_bcqueuelen": 5000,
        "link": "up",
        "addresses": ["192.0.2.250/32"],
        "routes": [
            {"destination": "192.0.2.128/25", "gateway": None, "metric": 0},
            {"destination": "10.0.0.0/8", "gateway": "192.0.2.9", "metric": 5},
        ],
        "ifindex": 7,
        "tap_device": "/dev/tap7",
        "tap_mode": "0660",
        "tap_owner": 64055,
        "tap_group": 107,
        "xml": XML,
    }


def test_an_interface_that_is_not_made_yet() -> None:
    found = describe(interface(), device=None, node=None)
    unknown = {name for name, value in found.items() if value is None}
    assert unknown == {"effective_bcqueuelen", "ifindex", "tap_device", "tap_mode", "tap_owner", "tap_group"}
    assert found["xml"] == XML


def test_a_macvlan() -> None:
    found = describe(interface(kind="macvlan", up=False), device=on_eth1(kind="macvlan", details={}), node=None)
    assert (found["xml"], found["tap_device"], found["link"], found["ifindex"]) == (None, None, "down", 7)


def test_an_old_iproute2() -> None:
    device = on_eth1()
    device.details.clear()
    found = describe(interface(broadcast_queue=None), device=device, node=None)
    assert (found["bcqueuelen"], found["effective_bcqueuelen"]) == (None, None)


def test_flags_of_a_mode_before_are_not_shown() -> None:
    assert describe(interface(flags=("nodst",)), device=None, node=None)["flags"] == []


def test_the_xml_is_whole() -> None:
    for values in ({}, {"mac": ""}):
        root = ElementTree.fromstring(str(describe(interface(**values), device=None, node=None)["xml"]))
        target = root.find("target")
        assert target is not None
        assert (root.get("type"), target.attrib) == ("ethernet", {"dev": "mv0", "managed": "no"})
        assert (root.find("mac") is None) == bool(values)


def keys(contains: dict[str, t.Any]) -> set[str]:
    return set(contains)


def test_the_documentation_names_each_value() -> None:
    found = describe(interface(routes=(over("192.0.2.128/25"),)), device=on_eth1(), node=NODE)
    one = yaml.safe_load(macvtap_iface.RETURN)["interface"]["contains"]
    several = yaml.safe_load(macvtap_iface_info.RETURN)["interfaces"]["contains"]
    assert keys(one) == set(found)
    assert keys(several) == {*found, "backend", "used_by"}
    assert {name: several[name] for name in one} == one
    [route] = found["routes"]
    assert keys(one["routes"]["contains"]) == set(route)


@pytest.mark.parametrize("name", ["interface", "routes"])
def test_the_documentation_has_the_types(name: str) -> None:
    found = describe(
        interface(flags=("nodst",), mode="source", routes=(over("192.0.2.128/25", gateway="192.0.2.1"),)),
        device=on_eth1(),
        node=NODE,
    )
    contains = yaml.safe_load(macvtap_iface.RETURN)["interface"]["contains"]
    values = found["routes"][0] if name == "routes" else found
    contains = contains["routes"]["contains"] if name == "routes" else contains
    types: dict[str, type] = {"str": str, "int": int, "list": list}
    assert {key: type(value) for key, value in values.items()} == {key: types[contains[key]["type"]] for key in values}


def diff(there: Host, *, tap_differs: bool = False, **options: t.Any) -> list[dict[str, str]]:
    plan = make_plan(request(**{"mac": MAC, "backend": "none", **options}), there, tap_differs=tap_differs)
    return make_diff(plan, there.found, there.node)


SHORT = (
    f"macvtap on eth1\nmode: bridge\nMAC address: {MAC}\nMTU: 1500\nqueues: 1/1\nqueue for broadcasts: 1000\n"
    "link: up\nmulticast: all\n"
)


class TestDiff:
    """The interface before and after, then each file."""

    def test_a_new_one(self) -> None:
        assert diff(host()) == [
            {
                "before_header": "interface mv0",
                "after_header": "interface mv0",
                "before": "",
                "after": f"{SHORT}IPv6: off\n",
            }
        ]

    def test_all_that_there_is_to_say(self) -> None:
        [found] = diff(
            host(has_ipv6=True),
            kind="macvlan",
            mode="source",
            flags=["nodst"],
            source_macs=["02:00:00:00:00:01"],
            queues=4,
            bcqueuelen=0,
            addresses=["192.0.2.250/32", "2001:db8::1/64"],
            routes=[route_option("192.0.2.128/25"), route_option("10.0.0.0/8", gateway="192.0.2.200", metric=5)],
        )
        assert found["after"] == (
            f"macvlan on eth1\nmode: source nodst\nMAC address: {MAC}\nMTU: 1500\nqueues: 4/4\nqueue for broadcasts: 0\n"
            "lets in: 02:00:00:00:00:01\nlink: up\nmulticast: what the host has joined\nIPv6: on\n"
            "address: 192.0.2.250/32\naddress: 2001:db8::1/64\n"
            "route: 192.0.2.128/25 metric 0\nroute: 10.0.0.0/8 via 192.0.2.200 metric 5\n"
        )

    def test_the_parents_address(self) -> None:
        [found] = diff(host(), mode="passthru", mac=None)
        assert "\nMAC address: that of eth1\n" in found["after"]

    def test_what_somebody_did_to_it(self) -> None:
        there = host(on_eth1(up=False, mac=PARENT_MAC[:-1] + "9", addresses=(address("192.0.2.7/24"),)))
        there = Host(**{**vars(there), "found": interface(up=False, ipv6=Ipv6(disabled=False, follows_routers=True))})
        [found] = diff(there)
        assert "\nlink: down\nmulticast: all\nIPv6: on\nfollows what routers say\n" in found["before"]
        assert found["after"] == f"{SHORT}IPv6: off\n"

    def test_one_that_goes(self) -> None:
        [found] = diff(host(on_eth1()), state="absent")
        assert (found["before"], found["after"]) == (f"{SHORT}IPv6: off\n", "")

    def test_the_device_node(self) -> None:
        there = host(on_eth1(), node=NODE)
        [found, rule] = diff(there, tap=tap_option("qemu", "kvm", "0660"), tap_differs=True)
        assert found["before"].removeprefix(f"{SHORT}IPv6: off\n") == "device node: 0:0 0600\n"
        assert found["after"].removeprefix(f"{SHORT}IPv6: off\n") == "device node: qemu:kvm 0660\n"
        assert rule["before_header"] == "/etc/udev/rules.d/70-kvmops-mv0.rules (not there)"

    def test_the_device_node_of_a_new_one(self) -> None:
        [found, _rule] = diff(host(), tap=tap_option(group="kvm", mode="0660"))
        assert found["after"].endswith("\ndevice node: root:kvm 0660\n")

    def test_files(self) -> None:
        service, starts = "/etc/systemd/system/kvmops-mv0.service", "/etc/udev/rules.d/71-kvmops-mv0.rules"
        found = diff(host(on_eth1(), files={service: OURS + b"an old one\xff"}), backend="unit")
        assert [(one["before_header"], one["after_header"]) for one in found] == [
            (service, service),
            (f"{starts} (not there)", starts),
        ]
        assert (found[0]["before"], found[1]["before"]) == (f"{OURS.decode()}an old one\ufffd", "")
        assert found[0]["after"].startswith("# Written by")
        gone = diff(host(files={service: OURS}), state="absent")
        assert gone == [{"before_header": service, "after_header": f"{service} (removed)", "before": OURS.decode(), "after": ""}]
