# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The module with its real main(), against libvirt's test driver; what is the host's own is made up."""

from __future__ import annotations

import typing as t
from ipaddress import ip_interface

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.module_utils._connectivity import reading
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.daemons import Unit
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.facts import Probe
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.firewall import Ruleset
from ansible_collections.kvmops.network.plugins.module_utils._edge import daemon
from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Host, Link
from ansible_collections.kvmops.network.plugins.module_utils._edge.probes import Target
from ansible_collections.kvmops.network.plugins.modules import libvirt_connectivity_info
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import Result, run_main
from ansible_collections.kvmops.network.tests.unit.plugins.support.nics import (
    define_guest,
    define_network,
    hide_made_up_targets,
    make_nic,
    world,
)

MAC = "52:54:00:00:00:01"
LAB = """
<forward mode='route'/><bridge name='virbr1'/>
<ip address='192.168.101.1' prefix='24'><dhcp><range start='192.168.101.100' end='192.168.101.254'/></dhcp></ip>
"""


def look(*, check: bool = False, **options: t.Any) -> Result:
    return run_main(libvirt_connectivity_info.main, options, check=check)


def abouts(result: Result) -> list[str]:
    assert not result.failed, result.msg
    assert not result.changed
    return [finding["about"] for finding in result.data["findings"]]


@pytest.fixture
def lab(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> libvirt.virConnect:
    """Return a host with a network that runs, and starts at boot, and with a guest on it."""
    hide_made_up_targets(monkeypatch)
    define_network(driver, "lab", LAB, running=True)
    driver.networkLookupByName("lab").setAutostart(1)
    define_guest(driver, "web", make_nic(MAC, "network='lab'", more="<target dev='tap-web'/>"), running=True)
    return driver


# --- what libvirt alone shows -------------------------------------------------------------------------------------------------


def test_a_host_without_anything(driver: libvirt.virConnect) -> None:
    assert driver.listAllNetworks() == []
    result = look()
    assert (abouts(result), result.data["ok"], result.data["report"]) == ([], True, "Nothing is wrong.\n")
    assert (result.data["networks"], result.data["guests"]) == ([], [])


@pytest.mark.parametrize("check", [False, True])
def test_it_reads_only(lab: libvirt.virConnect, check: bool) -> None:
    before = world(lab)
    result = look(check=check)
    assert abouts(result) == []
    assert result.data["ok"]
    assert [network["name"] for network in result.data["networks"]] == ["lab"]
    assert [guest["name"] for guest in result.data["guests"]] == ["web"]
    assert result.own_warnings == []
    assert world(lab) == before


def test_what_is_wrong_with_networks_and_guests(lab: libvirt.virConnect) -> None:
    lab.networkLookupByName("lab").setAutostart(0)
    define_network(lab, "parked")
    lab.lookupByName("web").suspend()
    result = look()
    assert abouts(result) == ["autostart_off", "network_inactive", "autostart_off", "guest_paused"]
    assert not result.data["ok"]
    assert result.data["findings"][-1] == {
        "subject": "guest web",
        "about": "guest_paused",
        "severity": "error",
        "cause": "The guest 'web' is paused, and answers nobody",
        "cure": "let it go on with 'virsh resume web'",
        "sentence": "The guest 'web' is paused, and answers nobody; let it go on with 'virsh resume web'.",
        "guests": ["web"],
    }
    assert abouts(look(networks=["lab"], guests=[])) == ["autostart_off"]
    assert abouts(look(networks=[], guests=["web", "we", "web2"])) == ["guest_missing", "guest_missing", "guest_paused"]


@pytest.mark.usefixtures("lab")
def test_a_link_that_is_down(lab: libvirt.virConnect) -> None:
    down = make_nic("52:54:00:00:00:02", "network='lab'", more="<target dev='tap-db'/><link state='down'/>")
    define_guest(lab, "db", down, running=True)
    assert abouts(look()) == []
    assert abouts(look(guests=["db"])) == ["link_down"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"ports": [70000]}, "ports: '70000' is no TCP port; give numbers from 1 to 65535, such as 22."),
        ({"timeout": 0}, "timeout: '0' seconds cannot be waited; give 1 to 60."),
        ({"outside": "nowhere"}, "outside: 'nowhere' is no IP address; give one that the host shall reach, such as 192.0.2.1."),
        ({"guests": [""]}, "guests: a name is empty; leave it out, or leave out guests for all of the host."),
    ],
)
@pytest.mark.parametrize("check", [False, True])
def test_bad_input(options: dict[str, t.Any], sentence: str, check: bool) -> None:
    result = look(check=check, **options)
    assert result.failed
    assert result.msg == sentence


# --- a host that can be seen --------------------------------------------------------------------------------------------------


class Kernel:
    """What is the host's own."""

    def __init__(self) -> None:
        self.links = {
            "virbr1": Link("virbr1", "52:54:00:aa:00:01", "bridge", None, False, (ip_interface("192.168.101.1/24"),), stp=True),
            "tap-web": Link("tap-web", None, "tun", "virbr1", False, ()),
        }
        self.answers: Probe = Probe(True, True, {22: "closed"})
        self.firewall: tuple[Ruleset | None, str] = (None, "'nft -j list ruleset' failed: Operation not permitted")
        self.asked: list[tuple[list[Target], tuple[int, ...], int]] = []
        self.pinged: list[str] = []
        self.reaches = True

    def probe(self, _run: t.Any, targets: list[Target], ports: tuple[int, ...], *, timeout: int) -> dict[str, Probe]:
        self.asked.append((targets, ports, timeout))
        return {target.address: self.answers for target in targets}

    def ping(self, _run: t.Any, address: str, *, timeout: int) -> bool:
        self.pinged.append(f"{address} {timeout}")
        return self.reaches


@pytest.fixture
def kernel(lab: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    assert lab.isAlive()
    made_up = Kernel()
    monkeypatch.setattr(reading, "see_host", lambda _module: Host(made_up.links))
    monkeypatch.setattr(reading, "read_firewall", lambda _run: made_up.firewall)
    monkeypatch.setattr(reading, "running_servers", frozenset)
    monkeypatch.setattr(reading, "read_forwarding", lambda: {4: True})
    monkeypatch.setattr(reading, "read_bridge_filtering", dict)
    monkeypatch.setattr(reading, "read_backend", lambda: "")
    monkeypatch.setattr(reading, "read_default_devices", lambda _run: ["eth0"])
    monkeypatch.setattr(reading, "probe_targets", made_up.probe)
    monkeypatch.setattr(reading, "pings", made_up.ping)
    return made_up


# seed 003-28, 003-31, 003-32
def test_guests_are_asked_on_the_bridge_that_they_are_on(kernel: Kernel) -> None:
    result = look()
    assert abouts(result) == []
    ((targets, ports, timeout),) = kernel.asked
    assert [(target.bridge, target.mac, target.source) for target in targets] == [
        ("virbr1", "52:54:00:aa:00:01", "192.168.101.1")
    ]
    assert (ports, timeout) == ((22,), 3)
    (address,) = result.data["guests"][0]["nics"][0]["addresses"]
    assert (address["ping"], address["ports"]) == (True, {"22": "closed"})
    assert kernel.pinged == []


def test_ports_have_to_be_open_where_they_are_named(kernel: Kernel) -> None:
    assert abouts(look(ports=[22])) == ["port_closed"]
    assert abouts(look(ports=[])) == []
    assert [asked[1] for asked in kernel.asked] == [(22,), ()]


def test_a_firewall_that_cannot_be_read_is_said(kernel: Kernel) -> None:
    result = look()
    assert result.own_warnings == ["The host's firewall is not looked at: 'nft -j list ruleset' failed: Operation not permitted."]
    kernel.firewall = (Ruleset([]), "")
    result = look()
    assert result.own_warnings == []
    assert abouts(result) == ["firewall_rules_missing"]


def test_a_guest_that_does_not_answer_and_one_that_is_unplugged(kernel: Kernel) -> None:
    kernel.answers = Probe(False, False, {22: "silent"})
    assert abouts(look()) == ["guest_unreachable"]
    kernel.links["tap-web"] = Link("tap-web", None, "tun", None, False, ())
    result = look()
    assert abouts(result) == ["guests_unplugged"]
    assert result.data["findings"][0]["guests"] == ["web"]


def test_nobody_is_asked_from_a_bridge_without_an_address(kernel: Kernel) -> None:
    kernel.links["virbr1"] = Link("virbr1", "52:54:00:aa:00:01", "bridge", None, False, (), stp=True)
    assert abouts(look()) == ["address_missing"]
    assert kernel.asked[0][0] == []


def test_the_outside_is_pinged_where_that_is_asked(kernel: Kernel) -> None:
    assert abouts(look(outside="192.0.2.1", timeout=5)) == []
    kernel.reaches = False
    assert abouts(look(outside="192.0.2.1")) == ["outside_unreachable"]
    assert kernel.pinged == ["192.0.2.1 5", "192.0.2.1 3"]


# --- where libvirt is not there -----------------------------------------------------------------------------------------------


def test_a_host_without_libvirt(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    assert driver.isAlive()
    monkeypatch.setattr(daemon, "LIBVIRT_IMPORT_ERROR", "no module named libvirt")
    monkeypatch.setattr(reading, "has_libvirt", lambda: False)
    result = look()
    assert abouts(result) == ["libvirt_missing"]
    assert result.data["report"] == (
        "ERROR This host has no libvirt; make it a hypervisor with the role kvmops.network.hypervisor.\n"
    )


def test_a_daemon_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "has_libvirt", lambda: True)
    monkeypatch.setattr(reading, "read_units", lambda _run, _units: {"libvirtd.service": Unit("loaded", "failed")})
    result = look(uri="qemu+unix:///system?socket=/nowhere/libvirt-sock")
    assert abouts(result) == ["daemon_down"]
    assert result.data["findings"][0]["cause"] == "libvirt's daemon libvirtd has failed"


def test_a_wrong_uri_is_the_tasks_own() -> None:
    result = look(uri="qemu+bogus:///system")
    assert result.failed
    assert result.data["requirement"] == "uri"
