# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

from __future__ import annotations

import typing as t

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import GuestRecord, Guests
from ansible_collections.kvmops.network.plugins.modules import libvirt_domain_nic_info
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import run_main
from ansible_collections.kvmops.network.tests.unit.plugins.support.nics import (
    apply_nic,
    define_guest,
    define_network,
    hide_made_up_targets,
    make_nic,
    nic_info,
    world,
)

LAN, WAN, OFF, USER = (f"52:54:00:00:00:{number:02x}" for number in (1, 2, 3, 4))
LAB = """
<forward mode='nat'/><bridge name='virbr1'/>
<ip address='192.168.101.1' prefix='24'><dhcp><range start='192.168.101.100' end='192.168.101.254'/>
  <host mac='52:54:00:00:00:01' name='web' ip='192.168.101.10'/></dhcp></ip>
"""
NAMELESS = "<interface type='user'><mac address='52:54:00:00:00:04'/></interface>"


@pytest.fixture
def host(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> libvirt.virConnect:
    """Return a host with a guest that runs and has two NICs, and one that is off."""
    hide_made_up_targets(monkeypatch)
    define_network(driver, "lab", LAB)
    lan = make_nic(LAN, "network='lab'", more="<target dev='tap-web'/>", alias="lan")
    wan = make_nic(WAN, "bridge='br0'", kind="bridge", more="<link state='down'/><mtu size='1400'/>")
    define_guest(driver, "web", lan, wan, running=True)
    define_guest(driver, "off", make_nic(OFF, "network='lab'", more="<tune><sndbuf>0</sndbuf></tune>"), NAMELESS)
    define_guest(driver, "bare")
    return driver


def test_a_host_without_guests(driver: libvirt.virConnect) -> None:
    assert driver.listAllDomains() == []
    assert (nic_info().data["nics"], nic_info().data["missing"]) == ([], [])


@pytest.mark.parametrize("check", [False, True])
def test_all_nics_by_guest(host: libvirt.virConnect, check: bool) -> None:
    before = world(host)
    found = nic_info(check=check)
    assert [(nic["domain"], nic["mac"], nic["alias"], nic["running"], nic["plugged"]) for nic in found.data["nics"]] == [
        ("off", OFF, None, False, False),
        ("off", USER, None, False, False),
        ("web", LAN, "lan", True, True),
        ("web", WAN, None, True, True),
    ]
    assert found.data["missing"] == []
    assert found.warnings == ()
    assert world(host) == before


@pytest.mark.parametrize(
    ("domains", "found", "missing"),
    [
        (["web"], {"web"}, []),
        (["off", "web", "off"], {"off", "web"}, []),
        (["bare"], set(), []),
        # names of which one is contained in the other, and one in another case
        (["we", "Web", "web2", "off"], {"off"}, ["Web", "we", "web2"]),
        (["", "web'/>$(id)", "a\0b"], set(), ["", "a\0b", "web'/>$(id)"]),
        ([], set(), []),
    ],
)
@pytest.mark.usefixtures("host")
def test_named_guests(domains: list[str], found: set[str], missing: list[str]) -> None:
    result = nic_info(domains=domains)
    assert {nic["domain"] for nic in result.data["nics"]} == found
    assert result.data["missing"] == missing


@pytest.mark.usefixtures("host")
def test_what_is_shown_of_a_nic_that_runs() -> None:
    lan, wan = nic_info(domains=["web"]).data["nics"]
    assert {key: value for key, value in lan.items() if key not in ("xml", "addresses", "statistics")} == {
        "domain": "web",
        "mac": LAN,
        "alias": "lan",
        "type": "network",
        "source": {"network": "lab"},
        "bridge": None,
        "device": "tap-web",
        "model": "virtio",
        "link": "up",
        "plugged": True,
        "persistent": True,
        "running": True,
        "pending": False,
        "pending_changes": [],
        "definition": {"type": "network", "source": {"network": "lab"}, "target": {"dev": "tap-web"}, "model": "virtio"},
        "reservations": [{"network": "lab", "ip": "192.168.101.10", "name": "web", "mac": LAN}],
    }
    assert (wan["link"], wan["device"], wan["source"], wan["definition"]["mtu"]) == ("down", "vnet0", {"bridge": "br0"}, 1400)
    assert (wan["reservations"], wan["statistics"]) == ([], None)


@pytest.mark.usefixtures("host")
def test_addresses_and_counters_that_the_test_driver_makes_up() -> None:
    lan, wan = nic_info(domains=["web"]).data["nics"]
    # it says the same of each origin: an address counted from the first of the network's range, and one of its own elsewhere
    origins = ["lease", "agent", "arp"]
    assert [(each["prefix"], each["origins"]) for each in lan["addresses"]] == [(24, origins)]
    assert lan["addresses"][0]["address"].startswith("192.168.")
    assert wan["addresses"] == [{"address": "192.168.0.2", "prefix": 24, "origins": origins}]
    keys = {f"{way}_{what}" for way in ("rx", "tx") for what in ("bytes", "packets", "errors", "dropped")}
    assert lan["statistics"].keys() == keys
    assert all(isinstance(number, int) and number >= 0 for number in lan["statistics"].values())


@pytest.mark.usefixtures("host")
def test_what_is_shown_of_a_nic_that_is_off() -> None:
    nic, user = nic_info(domains=["off"]).data["nics"]
    shown = ("running", "plugged", "persistent", "pending", "device", "bridge", "addresses", "statistics", "reservations")
    assert [nic[key] for key in shown] == [False, False, True, False, None, None, [], None, []]
    # what no option says is in the XML
    assert "tune" not in nic["definition"]
    assert "<sndbuf>0</sndbuf>" in nic["xml"]
    assert (user["type"], user["source"], user["model"]) == ("user", {}, None)


def test_what_waits_for_the_next_start(host: libvirt.virConnect) -> None:
    stored = host.lookupByName("web").XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    host.defineXML(stored.replace("1400", "9000").replace("<source network='lab'/>", "<source network='lab' portgroup='x'/>"))
    apply_nic(mac=WAN, alias="wan")
    lan, wan = nic_info(domains=["web"]).data["nics"]
    assert (lan["pending"], lan["pending_changes"]) == (True, ["portgroup"])
    # an alias is not changed while the guest runs, and is of no use to it
    assert (wan["pending"], wan["pending_changes"], wan["alias"]) == (True, ["mtu"], "wan")


def test_a_nic_that_gets_another_address_at_the_next_start_is_one(host: libvirt.virConnect) -> None:
    place = "<address type='pci' domain='0x0000' bus='0x00' slot='0x05' function='0x0'/>"
    old, new = "52:54:00:00:00:77", "52:54:00:00:00:78"
    define_guest(host, "busy", make_nic(old, "network='lab'", more=place), running=True)
    host.defineXML(host.lookupByName("busy").XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE).replace(old, new))
    [nic] = nic_info(domains=["busy"]).data["nics"]
    assert (nic["mac"], nic["pending_changes"], nic["plugged"], nic["persistent"]) == (old, ["mac"], True, True)
    # a task finds it by either address
    for mac in (old, new):
        assert apply_nic(check=True, domain="busy", mac=mac).data["nic"]["mac"] == old


def test_a_nic_that_is_stored_and_not_plugged_in_waits_and_the_other_way_round(host: libvirt.virConnect) -> None:
    text = host.lookupByName("web").XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    other = "<mac address='52:54:00:00:00:77'/>"
    host.defineXML(text.replace(f"<mac address='{WAN}'/>", other).replace("<mtu size='1400'/>", "").replace("br0", "br1"))
    nics = nic_info(domains=["web"]).data["nics"]
    assert [(nic["mac"], nic["plugged"], nic["persistent"], nic["pending_changes"]) for nic in nics] == [
        (LAN, True, True, []),
        ("52:54:00:00:00:77", False, True, ["plugged"]),
        (WAN, True, False, ["plugged"]),
    ]


def test_a_transient_guest(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    hide_made_up_targets(monkeypatch)
    nic = make_nic(LAN, "bridge='br0'", kind="bridge")
    xml = f"<domain type='test'><name>gone</name><memory>8192</memory><os><type>hvm</type></os><devices>{nic}</devices></domain>"
    driver.createXML(xml, 0)
    [shown] = nic_info().data["nics"]
    assert (shown["running"], shown["plugged"], shown["persistent"], shown["pending"]) == (True, True, False, False)


def test_reservations_that_tasks_made(host: libvirt.virConnect) -> None:
    define_network(host, "lab2", "<ip family='ipv6' address='fd00:102::1' prefix='64'/>")
    apply_nic(domain="off", mac=OFF, source={"network": "lab2"}, reservation={"ipv6": "fd00:102::9", "hostname": "off"})
    nic, _user = nic_info(domains=["off"]).data["nics"]
    assert nic["reservations"] == [{"network": "lab2", "ip": "fd00:102::9", "name": "off", "id": f"00:03:00:01:{OFF}"}]


def test_a_definition_that_cannot_be_understood(host: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    before = world(host)
    real = Guests.read_all

    def read(self: Guests) -> list[GuestRecord]:
        return [
            GuestRecord(each.name, (each.stored_xml or "").replace("state='down'", "state='ajar'"), None) for each in real(self)
        ]

    monkeypatch.setattr(Guests, "read_all", read)
    options: dict[str, t.Any] = {}
    result = run_main(libvirt_domain_nic_info.main, options)
    assert result.failed
    assert result.msg.startswith(
        "The guest 'web' of this host has a definition that cannot be understood: link: 'ajar' is none of up, down. Correct it"
    )
    assert not nic_info(domains=["off"]).failed
    assert world(host) == before
