# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Changes of a network of a real daemon that runs and is in use: what libvirt, dnsmasq and the firewall have after them.

This removes the networks of the host and makes interfaces, and so runs on lab hosts alone; tests/tools/unit_images.py says that
it is on one.
"""

from __future__ import annotations

import functools
import os
import subprocess
import typing as t
from pathlib import Path
from random import Random

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection, LibvirtError
from ansible_collections.kvmops.network.plugins.module_utils._format.tree import copied
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import definition_from_xml, normalise
from ansible_collections.kvmops.network.plugins.module_utils._network.live import differences
from ansible_collections.kvmops.network.plugins.module_utils._network.outage import RESTART
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._network.live_model import BASE, draw_network
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import Result, clear, network_task

if "KVMOPS_UNIT_ON_A_LAB_HOST" not in os.environ:
    pytest.skip("only lab hosts have networks that may be removed", allow_module_level=True)

URI = "qemu:///system"
BRIDGE = Path("/sys/class/net/virbr9")
DNSMASQ = Path("/var/lib/libvirt/dnsmasq")

M1, M2, M3 = (f"52:54:00:00:00:0{number}" for number in (1, 2, 3))
D1, D2 = (f"00:03:00:01:{mac}" for mac in (M1, M2))
V4, OTHER, V6 = "10.9.1.1", "10.9.2.1", "fd09::1"

Definition = dict[str, t.Any]
Entry = dict[str, t.Any]

task = functools.partial(network_task, uri=URI, definition="replace", purge_hosts=True)


# Without firewall rules, which take most of the time.
OPEN: Definition = {**BASE, "forward": {"mode": "open"}}


def dns(**records: list[Entry]) -> Definition:
    return {**OPEN, "dns": records}


def dhcp(**servers: Entry) -> Definition:
    """Return a network with DHCP servers: `first`, `second` and `ipv6`."""
    kinds = dict(zip(("first", "second", "ipv6"), copied(BASE["ips"])))
    for kind, server in servers.items():
        kinds[kind]["dhcp"] = server
    return {**OPEN, "ips": list(kinds.values())}


def reserved(*hosts: tuple[str, int] | tuple[str, int, str]) -> Definition:
    """Return a network with reservations, each by MAC address, last number of the address, and name."""
    entries: list[Entry] = [
        {"mac": mac, "ip": f"10.9.1.{end}", **({"name": name[0]} if name else {})} for mac, end, *name in hosts
    ]
    return dhcp(first={"ranges": [RANGE], "hosts": entries})


def names(ip: str, *hostnames: str) -> Entry:
    return {"ip": ip, "hostnames": list(hostnames)}


RANGE: Entry = {"start": "10.9.1.10", "end": "10.9.1.20"}
RANGE_OF_OTHER: Entry = {"start": "10.9.2.10", "end": "10.9.2.20"}
SRV: Entry = {"service": "ldap", "protocol": "tcp", "target": "db", "port": 389}

# From one to the next, and back to the first.
CHANGES: dict[str, tuple[Definition, ...]] = {
    "names": (
        dns(hosts=[names("10.9.1.5", "web")]),
        dns(hosts=[names("10.9.1.5", "web", "www"), names("10.9.1.6", "db")]),
        dns(hosts=[names("10.9.1.6", "web"), names("10.9.1.5", "db")]),
        dns(hosts=[names("fd09::6", "db")]),
        OPEN,
    ),
    "texts": (
        dns(txt=[{"name": "a", "value": "v=spf1 -all"}]),
        dns(txt=[{"name": "a", "value": "it's <2>"}, {"name": "b", "value": ""}]),
        OPEN,
    ),
    "services": (
        dns(srv=[SRV]),
        dns(srv=[{**SRV, "port": 636, "priority": 10, "weight": 5}, {**SRV, "target": "web", "priority": 20}]),
        dns(srv=[{"service": "sip", "protocol": "udp", "domain": "example.org"}]),
        OPEN,
    ),
    "ranges": (
        dhcp(first={"ranges": [RANGE]}),
        dhcp(first={"ranges": [{**RANGE, "lease": {"expiry": 2, "unit": "hours"}}]}),
        dhcp(first={"ranges": [{**RANGE, "end": "10.9.1.21"}, {"start": "10.9.1.30", "end": "10.9.1.40"}]}),
        dhcp(second={"ranges": [RANGE_OF_OTHER]}, ipv6={"ranges": [{"start": "fd09::10", "end": "fd09::20"}]}),
        OPEN,
    ),
    "reservations": (
        reserved((M1, 70, "web"), (M2, 71, "db")),
        # addresses, names and both change hands
        reserved((M1, 71, "web"), (M2, 70, "db")),
        reserved((M1, 71, "db"), (M2, 70, "web")),
        reserved((M1, 70, "web"), (M2, 71, "db"), (M3, 72)),
        # another guest gets the address, and a guest another address
        reserved((M3, 70), (M2, 73, "db")),
        dhcp(first={"hosts": [{"mac": M1, "ip": "10.9.1.70", "lease": {"expiry": 3, "unit": "hours"}}]}),
        OPEN,
    ),
    "reservations by identifier": (
        dhcp(ipv6={"hosts": [{"id": D1, "ip": "fd09::70", "name": "web"}, {"id": D2, "ip": "fd09::71"}]}),
        dhcp(ipv6={"hosts": [{"id": D1, "ip": "fd09::71"}, {"id": D2, "ip": "fd09::70", "name": "web"}]}),
        dhcp(ipv6={"hosts": [{"id": D1, "ip": "fd09::72"}]}),
        OPEN,
    ),
    "the subnet that has DHCP": (
        dhcp(first={"ranges": [RANGE], "hosts": [{"mac": M1, "ip": "10.9.1.70"}]}),
        dhcp(second={"ranges": [RANGE_OF_OTHER], "hosts": [{"mac": M1, "ip": "10.9.2.70"}]}),
        dhcp(first={"hosts": [{"mac": M2, "ip": "10.9.1.70"}]}),
        OPEN,
    ),
    "port groups": (
        {**OPEN, "portgroups": [{"name": "a", "default": True}, {"name": "b"}]},
        {**OPEN, "portgroups": [{"name": "a"}, {"name": "b", "default": True}]},
        {**OPEN, "portgroups": [{"name": "b", "bandwidth": {"inbound": {"average": 100}}}, {"name": "c", "default": True}]},
        OPEN,
    ),
    "firewall rules": (
        BASE,
        {**BASE, "forward": {"mode": "nat", "dev": "eth1"}},
        {**dhcp(first={"ranges": [RANGE], "hosts": [{"mac": M1, "ip": "10.9.1.70"}]}), "forward": {"mode": "nat"}},
    ),
}


@pytest.fixture(scope="module")
def connection() -> t.Iterator[libvirt.virConnect]:
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    found = libvirt.open(URI)
    yield found
    found.close()


@pytest.fixture
def daemon(connection: libvirt.virConnect) -> t.Iterator[libvirt.virConnect]:
    """Return the connection, without networks, and with a cable for their bridges."""
    clear(connection)
    subprocess.run(["ip", "link", "add", "plugged", "type", "veth", "peer", "name", "unplugged"], check=True)
    yield connection
    subprocess.run(["ip", "link", "delete", "plugged"], check=True)
    clear(connection)


def begin(daemon: libvirt.virConnect, definition: Definition) -> libvirt.virNetwork:
    """Start the network, and plug something into its bridge."""
    result = task(**definition)
    assert not result.failed, result.msg
    assert result.actions == ["define", "autostart on", "start"]
    subprocess.run(["ip", "link", "set", "plugged", "master", BRIDGE.name], check=True)
    judge_host(definition)
    return daemon.networkLookupByName("lab")


def read(network: libvirt.virNetwork, flags: int = 0) -> Definition:
    """Return a network's definition, as it runs or as it is stored, without what libvirt made up."""
    definition = definition_from_xml(network.XMLDesc(flags), running=flags == 0)
    return {option: value for option, value in definition.items() if option not in ("uuid", "mac")}


def change(network: libvirt.virNetwork, wanted: Definition) -> Result:
    """Bring a network about, judge it, and return what the module says."""
    before = index_of_bridge()
    result = task(**wanted)
    assert not result.failed, result.msg
    assert read(network, libvirt.VIR_NETWORK_XML_INACTIVE) == wanted
    assert differences(read(network), wanted) == result.data["pending_changes"]
    assert index_of_bridge() == before
    assert set(result.actions) <= {"define", "update"}
    judge_host(read(network))
    return result


def index_of_bridge() -> str:
    """Return what a start of the network would change."""
    return (BRIDGE / "ifindex").read_text()


def judge_host(definition: Definition) -> None:
    """Compare what a network runs with to what dnsmasq and the firewall were given."""
    entries = [entry.get("dhcp", {}) for entry in definition["ips"]]
    records = definition.get("dns", {})
    assert sorted(line.split() for line in lines("addnhosts")) == sorted(
        [host["ip"], *host["hostnames"]] for host in records.get("hosts", [])
    )
    reservations = sorted(host["ip"] for entry in entries for host in entry.get("hosts", []))
    found = [next(field for field in line.split(",") if field.startswith(("10.9.", "[fd09:"))) for line in lines("hostsfile")]
    assert sorted(address.strip("[]") for address in found) == reservations
    given = lines("conf")
    ranges = [f"{each['start']},{each['end']}" for entry in entries for each in entry.get("ranges", [])]
    shown = [line.partition("=")[2] for line in given if line.startswith("dhcp-range=")]
    assert sorted(",".join(line.split(",")[:2]) for line in shown if ",static" not in line and ",ra-only" not in line) == sorted(
        ranges
    )
    assert sum(line.startswith("txt-record=") for line in given) == len(records.get("txt", []))
    assert sum(line.startswith("srv-host=") for line in given) == len(records.get("srv", []))
    pid = Path("/run/libvirt/network/lab.pid").read_text().strip()
    assert "dnsmasq" in Path(f"/proc/{pid}/cmdline").read_text()
    forward = definition["forward"]
    if forward["mode"] != "open":
        rules = subprocess.run(["iptables-save"], check=True, stdout=subprocess.PIPE, text=True).stdout
        where = f" -o {forward['dev']}" if "dev" in forward else ""
        assert f"-i {BRIDGE.name}{where} -j ACCEPT" in rules


def lines(suffix: str) -> list[str]:
    file = DNSMASQ / f"lab.{suffix}"
    return file.read_text().splitlines() if file.exists() else []


@pytest.mark.parametrize("definitions", CHANGES.values(), ids=CHANGES)
def test_changes_take_effect_at_once(daemon: libvirt.virConnect, definitions: tuple[Definition, ...]) -> None:
    first, *others = map(normalise, definitions)
    network = begin(daemon, first)
    for definition in [*others, first]:
        predicted = task(check=True, **definition)
        result = change(network, definition)
        assert result.data["actions"] == predicted.data["actions"]
        assert result.data["pending_changes"] == predicted.data["pending_changes"] == []
        # of several that make firewall rules anew, it is said that one restart would cost less
        assert [warning for warning in result.own_warnings if "With restart: always" not in warning] == []
        assert bool(result.own_warnings) is (result.data["expected_outage"] > RESTART)
        assert not task(**definition).changed


def draw(random: Random) -> Definition:
    """Return a network all of whose parts can change in place, in little time."""
    return {**draw_network(random, simple=True), "forward": {"mode": "open"}}


def test_a_walk(daemon: libvirt.virConnect) -> None:
    random = Random(7)
    wanted = draw(random)
    network = begin(daemon, wanted)
    for _step in range(25):
        # a part of another network
        other, part = draw(random), random.choice(["dns", "ips", "portgroups"])
        wanted = {option: value for option, value in {**wanted, part: other.get(part)}.items() if value is not None}
        assert change(network, normalise(wanted)).data["pending_changes"] == []


TEXTS = [{"name": "a", "value": "x"}, {"name": "a", "value": "y"}]


@pytest.mark.parametrize(
    ("before", "after", "pending"),
    [
        (dns(txt=TEXTS), dns(txt=TEXTS[:1]), ["dns.txt"]),
        (dns(srv=[SRV]), dns(srv=[SRV, {**SRV, "port": 636}]), ["dns.srv"]),
        (dns(srv=[SRV]), dns(srv=[SRV, {"service": "ldap", "protocol": "tcp"}]), ["dns.srv"]),
        (OPEN, {**OPEN, "mtu": 1400}, ["mtu"]),
        (OPEN, {**OPEN, "ips": OPEN["ips"][:2]}, ["ips fd09::1"]),
    ],
)
def test_what_cannot_change_waits(daemon: libvirt.virConnect, before: Definition, after: Definition, pending: list[str]) -> None:
    network = begin(daemon, before)
    result = change(network, {**after, "portgroups": [{"name": "a"}]})
    assert (result.actions, result.data["pending_changes"]) == (["define", "update"], pending)
    assert len(result.own_warnings) == 1


NOTE = '<a:note xmlns:a="urn:a" by="Ada">see <a:page>4</a:page></a:note>'
WORDS: Definition = {"title": "Lab <1>", "description": "Two\nlines & more."}


def test_words(daemon: libvirt.virConnect) -> None:
    network = begin(daemon, OPEN)
    # an older libvirt knows no titles, and changes metadata with the next start alone
    current = daemon.getLibVersion() >= 9_007_000
    for words, notes, updates, kept in (
        (WORDS, ['<b:note xmlns:b="urn:b"></b:note>', NOTE], 4, 2),
        ({**WORDS, "title": "Lab"}, ['<b:note xmlns:b="urn:b">x</b:note>'], 2, 2),
        # what others may have put there stays, with what is said or not
        ({}, [], 2, 2),
    ):
        wanted = normalise({**OPEN, **(words if current else {}), **({"metadata": notes} if notes else {})})
        predicted, result = task(check=True, **wanted), task(**wanted)
        assert result.data["actions"] == predicted.data["actions"]
        assert result.actions.count("update") == (updates if current else 0)
        assert result.data["expected_outage"] == 0.0
        stored, live = read(network, libvirt.VIR_NETWORK_XML_INACTIVE), read(network)
        assert len(stored["metadata"]) == kept
        assert set(notes) <= set(stored["metadata"])
        assert {**stored, "metadata": notes} == {**wanted, "metadata": notes}
        assert live == (stored if current else normalise(OPEN))
        assert not task(**wanted).changed


def test_two_families_may_share_a_name(daemon: libvirt.virConnect) -> None:
    one, two = names("10.9.1.5", "web"), names("fd09::5", "web")
    old = daemon.getLibVersion() < 9_000_000
    network = begin(daemon, dns(hosts=[one]))
    assert change(network, dns(hosts=[one, two])).data["pending_changes"] == (["dns.hosts"] if old else [])
    assert change(network, dns(hosts=[two])).data["pending_changes"] == []


def test_a_failure_is_taken_back(daemon: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(8)
    first, second = draw(random), draw(random)
    network = begin(daemon, first)
    before = read(network), network.XMLDesc(libvirt.VIR_NETWORK_XML_INACTIVE), index_of_bridge()
    updates = task(check=True, **second).actions.count("update")
    assert updates > 6
    real = Connection.update_network
    calls: list[str] = []

    def fail(self: Connection, name: str, update: t.Any) -> None:
        calls.append(name)
        if len(calls) == updates:
            raise LibvirtError("the disk is full")
        real(self, name, update)

    monkeypatch.setattr(Connection, "update_network", fail)
    result = task(**second)
    assert result.failed
    assert result.msg.endswith("failed: the disk is full. Everything was put back as it was.")
    assert (read(network), network.XMLDesc(libvirt.VIR_NETWORK_XML_INACTIVE), index_of_bridge()) == before
    judge_host(first)


@pytest.mark.parametrize("mode", ["vepa", "private", "passthrough"])
def test_interfaces_of_guests(connection: libvirt.virConnect, mode: str) -> None:
    clear(connection)
    ways: list[tuple[Entry, int]] = [
        ({"dev": "eth0"}, 2),
        ({"interfaces": [{"dev": "eth0"}, {"dev": "eth1"}]}, 1),
        ({"dev": "eth1"}, 1),
    ]
    forward: Entry = {"mode": mode, "dev": "eth1"}
    assert not task(name="lab", forward=forward).failed
    for devices, updates in ways:
        forward = {"mode": mode, **devices}
        result = task(name="lab", forward=forward)
        assert not result.failed, result.msg
        # with an update libvirt would forget which of the interfaces is taken
        way = ["stop", "start"] if mode == "passthrough" else ["update"] * updates
        assert result.actions == ["define", *way]
        assert read(connection.networkLookupByName("lab"))["forward"] == forward
    clear(connection)
