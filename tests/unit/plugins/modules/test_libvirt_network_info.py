# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

from __future__ import annotations

import typing as t

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection, NetworkRecord
from ansible_collections.kvmops.network.plugins.modules import libvirt_network_info
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import (
    URI,
    apply,
    dump,
    network_info,
    run_main,
    snapshot,
    start_guest,
)

# seed 000-11, 000-12, 000-13: the document's own example
DEFAULT = """
<network><name>default</name><forward mode='nat'/><bridge name='virbr0'/>
  <ip address='192.168.124.1' netmask='255.255.255.0'><dhcp><range start='192.168.124.2' end='192.168.124.254'/></dhcp></ip>
  <ip family='ipv6' address='fd00:124::1' prefix='64'/>
</network>
"""


@pytest.fixture
def host(driver: libvirt.virConnect) -> libvirt.virConnect:
    default = driver.networkDefineXML(DEFAULT)
    default.create()
    default.setAutostart(1)
    driver.networkDefineXML("<network><name>b</name></network>")
    driver.networkCreateXML("<network><name>a</name><forward mode='bridge'/><bridge name='br0'/></network>")
    return driver


def test_a_host_without_networks(driver: libvirt.virConnect) -> None:
    assert snapshot(driver) == {}
    assert network_info() == []


@pytest.mark.parametrize("check", [False, True])
def test_all_networks_by_name(host: libvirt.virConnect, check: bool) -> None:
    # seed 000-4, 001-4, 001-14, 001-32
    before = snapshot(host)
    found = network_info(check=check)
    assert [(each["name"], each["active"], each["persistent"], each["autostart"], each["exists"]) for each in found] == [
        ("a", True, False, False, True),
        ("b", False, True, False, True),
        ("default", True, True, True, True),
    ]
    assert snapshot(host) == before


def test_what_the_document_reads_out_of_the_definition(host: libvirt.virConnect) -> None:
    # seed 000-11, 000-12, 000-13, 001-33
    (default,) = network_info(names=["default"])
    assert default["uuid"] == host.networkLookupByName("default").UUIDString()
    assert default["bridge"] == "virbr0"
    assert default["addresses"] == [
        {"address": "192.168.124.1", "prefix": 24, "netmask": "255.255.255.0", "family": "ipv4"},
        {"address": "fd00:124::1", "prefix": 64, "netmask": None, "family": "ipv6"},
    ]
    assert default["dhcp_ranges"] == [{"start": "192.168.124.2", "end": "192.168.124.254"}]
    assert default["definition"]["forward"] == {"mode": "nat"}
    assert default["definition"]["ips"][0]["dhcp"] == {"ranges": [{"start": "192.168.124.2", "end": "192.168.124.254"}]}
    assert default["xml"].startswith("<network>\n  <name>default</name>\n")
    assert default["leases"] == []
    assert (default["pending_restart"], default["pending_diff"]) == (False, [])


@pytest.mark.usefixtures("host")
def test_named_networks_and_those_that_are_missing() -> None:
    result = run_main(libvirt_network_info.main, {"names": ["default", "nosuch", "b", "another"]})
    assert [each["name"] for each in result.data["networks"]] == ["b", "default"]
    assert result.data["missing"] == ["another", "nosuch"]
    none = run_main(libvirt_network_info.main, {"names": []})
    assert (none.data["networks"], none.data["missing"]) == ([], [])


def test_plugged_guests(host: libvirt.virConnect) -> None:
    start_guest(host, "two", "default", "a")
    start_guest(host, "one", "default")
    macs = {
        name: [line.split("'")[1] for line in host.lookupByName(name).XMLDesc(0).splitlines() if "<mac address=" in line]
        for name in ("one", "two")
    }
    a, b, default = network_info()
    assert sorted((guest["name"], guest["mac"]) for guest in default["guests"]) == [
        ("one", macs["one"][0]),
        ("two", macs["two"][0]),
    ]
    assert [(guest["name"], guest["mac"]) for guest in a["guests"]] == [("two", macs["two"][1])]
    assert b["guests"] == []


def test_a_network_as_the_module_left_it(driver: libvirt.virConnect) -> None:
    task: dict[str, t.Any] = {"name": "lab", "bridge": {"name": "virbr7"}, "ips": [{"address": "10.0.0.1", "prefix": 24}]}
    left = apply(**task).network
    (shown,) = network_info()
    assert {key: shown[key] for key in left} == left
    assert not apply(name="lab", xml=shown["xml"]).changed
    assert not apply(name="lab", xml=dump(driver, "lab")).changed


def test_what_waits_for_a_restart(host: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    # libvirt's test driver cannot show it
    real = Connection.read_networks

    def with_another_stored(self: Connection) -> dict[str, NetworkRecord]:
        record = real(self)["default"]
        stored = DEFAULT.replace("192.168.124.254", "192.168.124.99").replace(
            "</name>", f"</name><uuid>{host.networkLookupByName('default').UUIDString()}</uuid>"
        )
        return {"default": NetworkRecord("default", stored, record.live_xml, autostart=True)}

    monkeypatch.setattr(Connection, "read_networks", with_another_stored)
    (default,) = network_info()
    assert default["pending_restart"] is True
    assert default["pending_diff"][:2] == ["--- running", "+++ stored"]
    assert [line for line in default["pending_diff"][2:] if line[0] in "+-"] == [
        '-      <range start="192.168.124.2" end="192.168.124.254"/>',
        '+      <range start="192.168.124.2" end="192.168.124.99"/>',
    ]
    # what is in effect is what runs; the definition is what is stored
    assert default["dhcp_ranges"] == [{"start": "192.168.124.2", "end": "192.168.124.254"}]
    assert default["definition"]["ips"][0]["dhcp"]["ranges"] == [{"start": "192.168.124.2", "end": "192.168.124.99"}]


def test_leases(host: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    # libvirt's test driver has none; these are as libvirt-python returns them
    leases = [
        {
            "iface": "virbr0",
            "expirytime": 1795000000,
            "type": 0,
            "mac": mac,
            "iaid": None,
            "ipaddr": address,
            "prefix": 24,
            "hostname": hostname,
            "clientid": None,
        }
        for mac, address, hostname in (
            ("52:54:00:00:00:02", "192.168.124.20", "two"),
            ("52:54:00:00:00:01", "192.168.124.10", None),
        )
    ]
    monkeypatch.setattr(libvirt.virNetwork, "DHCPLeases", lambda _self: leases)
    a, b, default = network_info()
    assert a["leases"] == default["leases"]
    assert b["leases"] == []  # it does not run
    assert default["leases"] == [
        {
            "mac": "52:54:00:00:00:01",
            "ip": "192.168.124.10",
            "prefix": 24,
            "hostname": None,
            "client_id": None,
            "expires": 1795000000,
        },
        {
            "mac": "52:54:00:00:00:02",
            "ip": "192.168.124.20",
            "prefix": 24,
            "hostname": "two",
            "client_id": None,
            "expires": 1795000000,
        },
    ]
    assert host.networkLookupByName("default").isActive() == 1


def test_a_wrong_option_is_said() -> None:
    result = run_main(libvirt_network_info.main, {"uri": URI, "name": "default"})
    assert result.failed
    assert "Unsupported parameters for" in result.msg
