# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What of a running network can change in place, judged by a model of what libvirt makes of the updates."""

from __future__ import annotations

import typing as t
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._format.tree import copied
from ansible_collections.kvmops.network.plugins.module_utils._network.live import LivePlan, Update, differences, plan_updates
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._network.live_model import (
    BASE,
    NEWEST,
    OLDEST,
    draw_network,
    draw_stranger,
    perform,
)

if t.TYPE_CHECKING:
    Definition = dict[str, t.Any]
    Entry = dict[str, t.Any]

M1, M2, M3 = (f"52:54:00:00:00:0{number}" for number in (1, 2, 3))
D1, D2 = (f"00:03:00:01:{mac}" for mac in (M1, M2))
V4, OTHER, V6 = "10.9.1.1", "10.9.2.1", "fd09::1"
RANGE: Entry = {"start": "10.9.1.10", "end": "10.9.1.20"}
RANGE_OF_OTHER: Entry = {"start": "10.9.2.10", "end": "10.9.2.20"}
SRV: Entry = {"service": "ldap", "protocol": "tcp", "target": "db", "port": 389}


def dns(**records: list[Entry]) -> Definition:
    return {**BASE, "dns": records}


def names(ip: str, *hostnames: str) -> Entry:
    return {"ip": ip, "hostnames": list(hostnames)}


def dhcp(servers: dict[str, Entry]) -> Definition:
    """Return a network with DHCP servers, each in the subnet of an address."""
    ips = [{**entry, **({"dhcp": servers[entry["address"]]} if entry["address"] in servers else {})} for entry in BASE["ips"]]
    return {**BASE, "ips": ips}


def reserved(*hosts: Entry) -> Definition:
    """Return a network with reservations, each in its subnet."""
    servers: dict[str, Entry] = {}
    for host in hosts:
        address = next(each for each in (V4, OTHER, V6) if host["ip"].startswith(each[:-1]))
        servers.setdefault(address, {"hosts": []})["hosts"].append(host)
    return dhcp(servers)


def v4(mac: str, end: int, **other: t.Any) -> Entry:
    return {"mac": mac, "ip": f"10.9.1.{end}", **other}


def v6(duid: str, end: int, **other: t.Any) -> Entry:
    return {"id": duid, "ip": f"fd09::{end}", **other}


def forward(mode: str, *names: str) -> Definition:
    devices: Entry = {"dev": names[0]} if len(names) == 1 else {"interfaces": [{"dev": name} for name in names]}
    network = {**BASE, "forward": {"mode": mode, **(devices if names else {})}}
    if mode not in ("nat", "route", "open"):
        network = {option: value for option, value in network.items() if option not in ("bridge", "ips")}
    return network


def groups(*entries: Entry) -> Definition:
    return {**BASE, "portgroups": list(entries)}


def plan(live: Definition, target: Definition, version: str = NEWEST, **options: t.Any) -> LivePlan:
    """Return a plan of which libvirt takes every update, and has what was planned then. Nothing that was given changes."""
    before = copied(live), copied(target)
    found = plan_updates(live, target, version=version, **options)
    assert (live, target) == before
    assert perform(live, found.updates, version) == found.after
    return found


def shown(updates: t.Iterable[Update]) -> list[str]:
    """Return the updates in words, with the network's address where they have one."""
    return [f"{update}{f' at {update.address}' if update.address else ''}" for update in updates]


# Each from the first to the second: all of it is brought about.
CHANGES: dict[str, tuple[Definition, Definition, list[str]]] = {
    "nothing": (BASE, BASE, []),
    # dns hosts
    "a name comes": (BASE, dns(hosts=[names("10.9.1.5", "web")]), ["add dns host 10.9.1.5"]),
    "a name goes": (dns(hosts=[names("10.9.1.5", "web")]), BASE, ["delete dns host 10.9.1.5"]),
    "an address gets another name": (
        dns(hosts=[names("10.9.1.5", "web"), names("10.9.1.6", "db")]),
        dns(hosts=[names("10.9.1.5", "www"), names("10.9.1.6", "db")]),
        ["delete dns host 10.9.1.5", "add dns host 10.9.1.5"],
    ),
    "another name comes first": (
        dns(hosts=[names("10.9.1.5", "web", "www")]),
        dns(hosts=[names("10.9.1.5", "www", "web")]),
        ["delete dns host 10.9.1.5", "add dns host 10.9.1.5"],
    ),
    "a name moves to another address": (
        dns(hosts=[names("10.9.1.5", "web")]),
        dns(hosts=[names("10.9.1.6", "web")]),
        ["delete dns host 10.9.1.5", "add dns host 10.9.1.6"],
    ),
    "two names change places": (
        dns(hosts=[names("10.9.1.5", "web"), names("10.9.1.6", "db")]),
        dns(hosts=[names("10.9.1.5", "db"), names("10.9.1.6", "web")]),
        ["delete dns host 10.9.1.5", "delete dns host 10.9.1.6", "add dns host 10.9.1.5", "add dns host 10.9.1.6"],
    ),
    "one of two with one name goes": (
        dns(hosts=[names("10.9.1.5", "web"), names("fd09::5", "web")]),
        dns(hosts=[names("fd09::5", "web")]),
        ["delete dns host 10.9.1.5"],
    ),
    # dns txt
    "a text changes": (
        dns(txt=[{"name": "a", "value": "x"}, {"name": "b", "value": ""}]),
        dns(txt=[{"name": "a", "value": "y"}, {"name": "b", "value": ""}]),
        ["delete dns txt a", "add dns txt a"],
    ),
    # dns srv
    "a service changes": (
        dns(srv=[SRV]),
        dns(srv=[{**SRV, "port": 636}, {"service": "sip", "protocol": "udp"}]),
        ["delete dns srv _ldap._tcp", "add dns srv _ldap._tcp", "add dns srv _sip._udp"],
    ),
    "a service becomes less": (
        dns(srv=[{**SRV, "weight": 5}]),
        dns(srv=[{"service": "ldap", "protocol": "tcp"}]),
        ["delete dns srv _ldap._tcp", "add dns srv _ldap._tcp"],
    ),
    "a service beside two that look alike": (
        dns(srv=[SRV, {**SRV, "port": 636}]),
        dns(srv=[SRV, {**SRV, "port": 636}, {"service": "sip", "protocol": "udp"}]),
        ["add dns srv _sip._udp"],
    ),
    "a service with two targets": (
        dns(srv=[SRV]),
        dns(srv=[{**SRV, "priority": 10}, {**SRV, "target": "web"}]),
        ["delete dns srv _ldap._tcp", "add dns srv _ldap._tcp", "add dns srv _ldap._tcp"],
    ),
    # ranges
    "a range grows": (
        dhcp({V4: {"ranges": [RANGE]}}),
        dhcp({V4: {"ranges": [{**RANGE, "end": "10.9.1.30"}]}}),
        ["delete dhcp range 10.9.1.10 to 10.9.1.20 at 10.9.1.1", "add dhcp range 10.9.1.10 to 10.9.1.30 at 10.9.1.1"],
    ),
    "a range has another lease": (
        dhcp({V4: {"ranges": [RANGE]}}),
        dhcp({V4: {"ranges": [{**RANGE, "lease": {"expiry": 2, "unit": "hours"}}]}}),
        ["delete dhcp range 10.9.1.10 to 10.9.1.20 at 10.9.1.1", "add dhcp range 10.9.1.10 to 10.9.1.20 at 10.9.1.1"],
    ),
    "DHCP moves to another subnet": (
        dhcp({OTHER: {"ranges": [RANGE_OF_OTHER]}}),
        dhcp({V4: {"ranges": [RANGE]}}),
        ["delete dhcp range 10.9.2.10 to 10.9.2.20 at 10.9.2.1", "add dhcp range 10.9.1.10 to 10.9.1.20 at 10.9.1.1"],
    ),
    "DHCP moves to another subnet with its reservations": (
        dhcp({V4: {"ranges": [RANGE], "hosts": [v4(M1, 70)]}}),
        dhcp({OTHER: {"ranges": [RANGE_OF_OTHER], "hosts": [{"mac": M1, "ip": "10.9.2.70"}]}}),
        [
            f"delete dhcp host 10.9.1.70 for {M1} at 10.9.1.1",
            "delete dhcp range 10.9.1.10 to 10.9.1.20 at 10.9.1.1",
            "add dhcp range 10.9.2.10 to 10.9.2.20 at 10.9.2.1",
            f"add dhcp host 10.9.2.70 for {M1} at 10.9.2.1",
        ],
    ),
    "a range of the other family": (
        BASE,
        dhcp({V6: {"ranges": [{"start": "fd09::10", "end": "fd09::20"}]}}),
        ["add dhcp range fd09::10 to fd09::20 at fd09::1"],
    ),
    # reservations
    "a reservation comes": (BASE, reserved(v4(M1, 70)), [f"add dhcp host 10.9.1.70 for {M1} at 10.9.1.1"]),
    "a reservation goes": (reserved(v4(M1, 70)), BASE, [f"delete dhcp host 10.9.1.70 for {M1} at 10.9.1.1"]),
    "a guest gets another address": (
        reserved(v4(M1, 70)),
        reserved(v4(M1, 71)),
        [f"modify dhcp host 10.9.1.71 for {M1} at 10.9.1.1"],
    ),
    "a guest gets another name and lease": (
        reserved(v4(M1, 70, name="web")),
        reserved(v4(M1, 70, name="db", lease={"expiry": 2, "unit": "hours"})),
        [f"modify dhcp host 10.9.1.70 for {M1} at 10.9.1.1"],
    ),
    "another guest gets the address": (
        reserved(v4(M1, 70)),
        reserved(v4(M2, 70)),
        [f"delete dhcp host 10.9.1.70 for {M1} at 10.9.1.1", f"add dhcp host 10.9.1.70 for {M2} at 10.9.1.1"],
    ),
    "two guests change places": (
        reserved(v4(M1, 70), v4(M2, 71)),
        reserved(v4(M1, 71), v4(M2, 70)),
        [
            f"delete dhcp host 10.9.1.70 for {M1} at 10.9.1.1",
            f"modify dhcp host 10.9.1.70 for {M2} at 10.9.1.1",
            f"add dhcp host 10.9.1.71 for {M1} at 10.9.1.1",
        ],
    ),
    "a reservation by identifier": (
        reserved(v6(D1, 70), v6(D2, 71)),
        reserved(v6(D1, 72), v6(D2, 71)),
        [f"delete dhcp host fd09::70 for {D1} at fd09::1", f"add dhcp host fd09::72 for {D1} at fd09::1"],
    ),
    # forward interfaces
    "another interface": (
        forward("nat", "eth0"),
        forward("nat", "eth1"),
        ["delete forward interface eth0", "add forward interface eth1"],
    ),
    "the first interface": (forward("nat"), forward("nat", "eth0"), ["add forward interface eth0"]),
    "no interface any more": (forward("route", "eth0"), forward("route"), ["delete forward interface eth0"]),
    "another interface for macvtap": (
        forward("vepa", "eth0", "eth1"),
        forward("vepa", "eth1", "eth2"),
        ["add forward interface eth2", "delete forward interface eth0"],
    ),
    # port groups
    "port groups": (
        groups({"name": "a"}, {"name": "b"}),
        groups({"name": "a", "trust_guest_rx_filters": True}, {"name": "c"}),
        ["delete portgroup b", "modify portgroup a", "add portgroup c"],
    ),
    "another default": (
        groups({"name": "a"}, {"name": "b", "default": True}),
        groups({"name": "a", "default": True}, {"name": "b"}),
        ["modify portgroup b", "modify portgroup a"],
    ),
    "a default that goes": (
        groups({"name": "a"}, {"name": "b", "default": True}),
        groups({"name": "a", "default": True}),
        ["delete portgroup b", "modify portgroup a"],
    ),
    "a default that comes": (
        groups({"name": "a", "default": True}),
        groups({"name": "a"}, {"name": "b", "default": True}),
        ["modify portgroup a", "add portgroup b"],
    ),
}


@pytest.mark.parametrize(("live", "target", "expected"), CHANGES.values(), ids=CHANGES)
def test_what_changes_in_place(live: Definition, target: Definition, expected: list[str]) -> None:
    found = plan(live, target)
    assert shown(found.updates) == expected
    assert found.after == target


@pytest.mark.parametrize(("live", "target", "_expected"), CHANGES.values(), ids=CHANGES)
def test_the_way_back(live: Definition, target: Definition, _expected: list[str]) -> None:
    assert plan(target, live).after == live


# Each from the first to the second: nothing of it is brought about.
TEXTS = [{"name": "a", "value": "x"}, {"name": "a", "value": "y"}]
UNREACHED: dict[str, tuple[Definition, Definition]] = {
    "another text of a name": (dns(txt=TEXTS[:1]), dns(txt=TEXTS)),
    "one text less of a name": (dns(txt=TEXTS), dns(txt=TEXTS[1:])),
    "a service that may be another one": (dns(srv=[SRV]), dns(srv=[SRV, {"service": "ldap", "protocol": "tcp"}])),
    "a service with weight beside one without": (dns(srv=[SRV]), dns(srv=[SRV, {**SRV, "weight": 5}])),
    "two ports of a service": (dns(srv=[SRV]), dns(srv=[SRV, {**SRV, "port": 636}])),
    "the first interface where the host has the bridge": (
        {"name": "lab", "forward": {"mode": "bridge"}, "bridge": {"name": "br0"}},
        {"name": "lab", "forward": {"mode": "bridge", "dev": "eth0"}},
    ),
    "two names of an address": (
        dns(hosts=[names("10.9.1.5", "web"), names("10.9.1.5", "www")]),
        dns(hosts=[names("10.9.1.5", "web")]),
    ),
    "another mode": (forward("nat", "eth0"), forward("route", "eth1")),
    "what libvirt has no update for": (BASE, {**BASE, "mtu": 1400}),
    "another subnet": (BASE, {**BASE, "ips": BASE["ips"][:2]}),
    "a reservation where the network does not run": (
        {**BASE, "ips": BASE["ips"][:2]},
        reserved(v6(D1, 70)),
    ),
    "reservations without an address": (reserved(v4(M1, 70)), dhcp({V4: {"hosts": [{"mac": M2, "name": "web"}]}})),
}


@pytest.mark.parametrize(("live", "target"), UNREACHED.values(), ids=UNREACHED)
def test_what_cannot_change_in_place(live: Definition, target: Definition) -> None:
    assert plan(live, target) == LivePlan((), live)


def test_an_old_libvirt_takes_no_name_twice() -> None:
    one, both = dns(hosts=[names("10.9.1.5", "web")]), dns(hosts=[names("10.9.1.5", "web"), names("fd09::5", "web")])
    assert shown(plan(one, both, NEWEST).updates) == ["add dns host fd09::5"]
    assert plan(one, both, OLDEST) == LivePlan((), one)
    # nor could it be put back
    assert plan(both, one, OLDEST) == LivePlan((), both)


def test_what_can_change_does_beside_what_cannot() -> None:
    live = {**dns(hosts=[names("10.9.1.5", "web")], txt=TEXTS), "mtu": 1400}
    target = {**dns(hosts=[names("10.9.1.6", "web")]), "portgroups": [{"name": "a"}]}
    found = plan(live, target)
    assert shown(found.updates) == ["delete dns host 10.9.1.5", "add dns host 10.9.1.6", "add portgroup a"]
    assert found.after == {**target, "mtu": 1400, "dns": {"hosts": [names("10.9.1.6", "web")], "txt": TEXTS}}


def test_all_sections_in_their_order() -> None:
    live = {
        **dhcp({V4: {"ranges": [RANGE], "hosts": [v4(M1, 70)]}}),
        "dns": {"hosts": [names("10.9.1.5", "web")], "txt": TEXTS[:1], "srv": [SRV]},
        "portgroups": [{"name": "a"}],
    }
    found = plan(live, {**BASE, "forward": {"mode": "nat", "dev": "eth1"}})
    assert [(update.verb, update.section, update.is_costly) for update in found.updates] == [
        ("delete", "forward interface", True),
        ("add", "forward interface", True),
        ("delete", "dns host", False),
        ("delete", "dns txt", False),
        ("delete", "dns srv", False),
        ("delete", "dhcp host", True),
        ("delete", "dhcp range", True),
        ("delete", "portgroup", False),
    ]


DOCUMENTS: dict[str, tuple[Definition, str]] = {
    "dns host": (
        dns(hosts=[names("10.9.1.5", "web", "www")]),
        '<host ip="10.9.1.5"> <hostname>web</hostname> <hostname>www</hostname> </host>',
    ),
    "dns txt": (dns(txt=[{"name": "a", "value": "it's <2>"}]), '<txt name="a" value="it\'s &lt;2&gt;"/>'),
    "dns srv": (dns(srv=[SRV]), '<srv service="ldap" protocol="tcp" target="db" port="389"/>'),
    "dhcp range": (dhcp({V4: {"ranges": [RANGE]}}), '<range start="10.9.1.10" end="10.9.1.20"/>'),
    "dhcp range with a lease": (
        dhcp({V4: {"ranges": [{**RANGE, "lease": {"expiry": 2, "unit": "hours"}}]}}),
        '<range start="10.9.1.10" end="10.9.1.20"> <lease expiry="2" unit="hours"/> </range>',
    ),
    "dhcp host": (reserved(v4(M1, 70, name="web")), f'<host mac="{M1}" name="web" ip="10.9.1.70"/>'),
    "portgroup": (
        groups({"name": "a", "default": True, "bandwidth": {"inbound": {"average": 100}}}),
        '<portgroup name="a" default="yes"> <bandwidth> <inbound average="100"/> </bandwidth> </portgroup>',
    ),
}


@pytest.mark.parametrize(("target", "expected"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_documents(target: Definition, expected: str) -> None:
    [update] = plan(BASE, target).updates
    assert " ".join(update.xml.split()) == expected


def test_the_document_of_an_interface() -> None:
    updates = plan(forward("nat", "eth0"), forward("nat", "eth1")).updates
    assert [update.xml.strip() for update in updates] == ['<interface dev="eth0"/>', '<interface dev="eth1"/>']


def test_a_name_that_goes_is_named_by_its_address_alone() -> None:
    [update] = plan(dns(hosts=[names("10.9.1.5", "web")]), BASE).updates
    assert update.xml.strip() == '<host ip="10.9.1.5"/>'


# --- what runs alone ----------------------------------------------------------------------------------------------------------


def test_kept_reservations_stay() -> None:
    live = reserved(v4(M1, 70), v4(M2, 71), v6(D1, 70))
    found = plan(live, reserved(v4(M3, 72)), kept={M2, D1})
    assert shown(found.updates) == [
        f"delete dhcp host 10.9.1.70 for {M1} at 10.9.1.1",
        f"add dhcp host 10.9.1.72 for {M3} at 10.9.1.1",
    ]
    assert found.after == perform(reserved(v4(M2, 71), v4(M3, 72), v6(D1, 70)), ())


def test_a_kept_reservation_changes_where_the_target_says_so() -> None:
    found = plan(reserved(v4(M1, 70)), reserved(v4(M1, 71)), kept={M1})
    assert found.after == reserved(v4(M1, 71))


def test_a_kept_reservation_that_has_a_wanted_address_stands_in_the_way() -> None:
    live = reserved(v4(M1, 70))
    assert plan(live, reserved(v4(M2, 70)), kept={M1}) == LivePlan((), live)


def test_kept_names_stay() -> None:
    live = dns(hosts=[names("10.9.1.5", "web"), names("10.9.1.6", "db")])
    found = plan(live, dns(hosts=[names("10.9.1.7", "mail")]), kept={"10.9.1.6"})
    assert shown(found.updates) == ["delete dns host 10.9.1.5", "add dns host 10.9.1.7"]
    assert found.after == dns(hosts=[names("10.9.1.6", "db"), names("10.9.1.7", "mail")])


def test_a_kept_name_goes_where_the_target_has_it_for_another() -> None:
    live = dns(hosts=[names("10.9.1.5", "web")])
    assert plan(live, dns(hosts=[names("10.9.1.6", "web")]), kept={"10.9.1.5"}).after == dns(hosts=[names("10.9.1.6", "web")])


# --- differences --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (BASE, BASE, []),
        (BASE, {**BASE, "mtu": 1400}, ["mtu"]),
        ({**BASE, "mtu": 9000}, {**BASE, "mtu": 1400}, ["mtu"]),
        (BASE, {**BASE, "bridge": {"name": "virbr9", "stp": False, "delay": 2}}, ["bridge.delay", "bridge.stp"]),
        (BASE, {**BASE, "forward": {"mode": "route", "dev": "eth0"}}, ["forward.mode"]),
        (BASE, {**BASE, "domain": {"name": "lan"}}, ["domain"]),
        (dns(txt=TEXTS[:1]), dns(txt=TEXTS, srv=[SRV]), ["dns.srv", "dns.txt"]),
        (BASE, {**BASE, "ips": BASE["ips"][1:]}, ["ips 10.9.1.1"]),
        ({**BASE, "ips": BASE["ips"][1:]}, BASE, ["ips 10.9.1.1"]),
        (BASE, {option: value for option, value in BASE.items() if option != "ips"}, [f"ips {each}" for each in (V4, OTHER, V6)]),
        (
            dhcp({V4: {"ranges": [RANGE]}}),
            dhcp({V4: {"hosts": [v4(M1, 70)]}}),
            ["ips 10.9.1.1.dhcp.hosts", "ips 10.9.1.1.dhcp.ranges"],
        ),
        (dhcp({V4: {"ranges": [RANGE]}}), BASE, ["ips 10.9.1.1.dhcp"]),
        (groups({"name": "a"}), groups({"name": "b"}), ["portgroups"]),
    ],
)
def test_differences(one: Definition, other: Definition, expected: list[str]) -> None:
    assert differences(one, other) == expected


# --- properties ---------------------------------------------------------------------------------------------------------------

versions = st.sampled_from([OLDEST, NEWEST])


@given(random=st.randoms(use_true_random=False), version=versions, other=st.booleans())
def test_libvirt_takes_all_and_has_what_was_planned(random: Random, version: str, other: bool) -> None:
    live, target = draw_network(random), draw_network(random)
    if other:
        target = draw_stranger(random, target)
    found = plan(live, target, version)
    assert plan(found.after, target, version) == LivePlan((), found.after)


@given(random=st.randoms(use_true_random=False), version=versions)
def test_what_was_begun_is_taken_back_in_place(random: Random, version: str) -> None:
    live, target = draw_network(random), draw_network(random)
    updates = plan(live, target, version).updates
    now = perform(live, updates[: random.randint(0, len(updates))], version)
    assert plan(now, live, version).after == live


@given(random=st.randoms(use_true_random=False), version=versions)
def test_what_runs_alone_stays(random: Random, version: str) -> None:
    live, target = draw_network(random), draw_network(random)
    owners = [host["ip"] for host in live.get("dns", {}).get("hosts", [])]
    owners += [host.get("mac", host.get("id")) for entry in live["ips"] for host in entry.get("dhcp", {}).get("hosts", [])]
    kept = {owner for owner in owners if random.choice([True, False])}
    found = plan(live, target, version, kept=kept)
    assert plan(found.after, target, version, kept=kept) == LivePlan((), found.after)


def test_a_device_for_each_guest_is_never_updated() -> None:
    live = {"name": "lab", "forward": {"mode": "passthrough", "interfaces": [{"dev": "eth1"}, {"dev": "eth2"}]}}
    wanted = {**live, "portgroups": [{"name": "fast"}]}
    plan = plan_updates(live, wanted)
    assert (plan.updates, plan.after) == ((), live)
