# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What holds for any NIC that the options allow, shown with the real module and libvirt's test driver."""

from __future__ import annotations

import typing as t

import libvirt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import clear
from ansible_collections.kvmops.network.tests.unit.plugins.support.nic_strategies import aliases, mixed_nics, nics, unicast_macs
from ansible_collections.kvmops.network.tests.unit.plugins.support.nics import (
    Options,
    apply_nic,
    define_guest,
    define_network,
    facts_of,
    hide_made_up_targets,
    interfaces,
    make_nic,
    nic_facts,
    nic_task,
    nics_task,
    reserved,
    world,
)

# The fixture is one connection for all examples of a test; each example clears it first.
examples = settings.default.max_examples
driven = settings(max_examples=examples * 3 // 10, suppress_health_check=[HealthCheck.function_scoped_fixture])

LAN, WAN = "52:54:00:00:00:a1", "52:54:00:00:00:a2"
GUESTS = ("web", "db", "mail")
MACS = {name: f"52:54:00:00:00:{number:02x}" for number, name in enumerate(GUESTS, 1)}


@pytest.fixture
def host(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> libvirt.virConnect:
    hide_made_up_targets(monkeypatch)
    return driver


def begin(host: libvirt.virConnect) -> None:
    """Make a host with a guest that is off and has two NICs of somebody else."""
    clear(host)
    define_network(host, "lab", "<portgroup name='fast'/><portgroup name='slow'/>")
    define_network(host, "lab2")
    wan = make_nic(WAN, "bridge='br7'", kind="bridge", more="<script path='/etc/x'/><tune><sndbuf>7</sndbuf></tune>", alias="wan")
    # with names, so that no task that has one takes them for its own
    define_guest(host, "web", make_nic(LAN, "network='lab2'", more="<boot order='1'/>", alias="old"), wan)


def others(host: libvirt.virConnect) -> list[set[str]]:
    return [facts_of(element) for element in interfaces(host)[:2]]


@driven
@given(options=nics(), identity=st.fixed_dictionaries({}, optional={"mac": unicast_macs, "alias": aliases}))
def test_a_nic_comes_as_predicted_stays_and_goes(host: libvirt.virConnect, options: Options, identity: Options) -> None:
    begin(host)
    before = world(host)
    # what has no place of its own is told from the others by its name
    task = {**options, **identity} if identity else {**options, "alias": "new"}
    predicted = apply_nic(check=True, **task)
    assert world(host) == before
    real = apply_nic(**task)
    assert (predicted.data, predicted.warnings) == (real.data, real.warnings)
    assert real.changed
    assert len(interfaces(host)) == 3
    after = world(host)
    for definition in ("merge", "replace"):
        again = apply_nic(definition=definition, **task)
        assert (again.changed, again.diff, again.data["nic"]) == (False, None, real.data["nic"])
    shown = real.data["nic"]
    for definition in ("merge", "replace"):
        assert not apply_nic(mac=shown["mac"], alias=shown["alias"], definition=definition, **shown["definition"]).changed
    assert world(host) == after
    assert apply_nic(mac=shown["mac"], state="absent").changed
    assert world(host) == before


@driven
@given(options=nics(), name=aliases)
def test_an_unrelated_change_keeps_all_else(host: libvirt.virConnect, options: Options, name: str) -> None:
    begin(host)
    theirs = others(host)
    mac = apply_nic(alias="new", **options).data["nic"]["mac"]
    facts = nic_facts(host)
    assert apply_nic(mac=mac, alias=f"{name}-2").changed
    assert nic_facts(host) == facts - {"alias/@name=ua-new"} | {f"alias/@name=ua-{name}-2"}
    down = "link/@state=down"
    flipped = "up" if down in facts else "down"
    facts = {fact for fact in nic_facts(host) if not fact.startswith("link/")}
    assert apply_nic(mac=mac, link=flipped).changed
    assert nic_facts(host) == facts | ({down} if flipped == "down" else set())
    assert others(host) == theirs


@settings(driven, max_examples=examples // 2)
@given(options=mixed_nics(), mode=st.sampled_from(["merge", "replace"]), there=st.booleans())
def test_what_check_mode_accepts_works_and_what_it_refuses_changes_nothing(
    host: libvirt.virConnect, options: Options, mode: str, there: bool
) -> None:
    begin(host)
    before, theirs = world(host), others(host)
    task = {"definition": mode, **options, **({"mac": WAN} if there else {"alias": "new"})}
    predicted, real = nic_task(check=True, **task), nic_task(**task)
    assert "should not have happened" not in real.msg
    assert (predicted.failed, predicted.msg) == (real.failed, real.msg)
    if real.failed:
        assert world(host) == before
        return
    assert predicted.data == real.data
    assert not apply_nic(**task).changed
    assert others(host)[: 1 if there else 2] == theirs[: 1 if there else 2]


@driven
@given(first=nics(), second=nics())
def test_replacing_leaves_nothing_of_what_was_there(host: libvirt.virConnect, first: Options, second: Options) -> None:
    identity: Options = {"alias": "new", "mac": "52:54:00:00:00:01", "definition": "replace"}
    second = {"model": "virtio", **second}  # that stays
    begin(host)
    apply_nic(**identity, **second)
    alone = nic_facts(host)
    begin(host)
    apply_nic(**identity, **first)
    predicted, real = nic_task(check=True, **identity, **second), nic_task(**identity, **second)
    assert not real.failed, real.msg
    assert (predicted.data, predicted.warnings) == (real.data, real.warnings)
    assert nic_facts(host) == alone


@driven
@given(first=nics(), second=nics())
def test_merging_is_predicted_or_refused(host: libvirt.virConnect, first: Options, second: Options) -> None:
    begin(host)
    apply_nic(alias="new", **first)
    before = world(host)
    predicted, real = nic_task(check=True, alias="new", **second), nic_task(alias="new", **second)
    assert (predicted.data, predicted.msg) == (real.data, real.msg)
    if real.failed:
        # what is left of the first does not fit the second
        assert "should not have happened" not in real.msg
        assert world(host) == before
    else:
        assert not apply_nic(alias="new", **second).changed


@st.composite
def _wishes(draw: st.DrawFn) -> list[Options]:
    """Return a task over three guests, each of which has an address of its own or none."""
    places = draw(st.permutations([10, 11, 12, 13]))
    entries: list[Options] = []
    for guest, place in zip(GUESTS, places):
        entry: Options = {"domain": guest, "alias": "lan", "source": {"network": draw(st.sampled_from(["lab", "lab", "lab2"]))}}
        net = 101 if entry["source"]["network"] == "lab" else 102
        reservation = {
            "ipv4": f"192.168.{net}.{place}",
            "ipv6": f"fd00:{net}::{place}",
            "hostname": draw(st.sampled_from([f"h{place}", f"{guest}{place}"])),
        }
        kept = draw(st.sampled_from([(), ("ipv4",), ("ipv6",), ("ipv4", "hostname"), ("ipv4", "ipv6", "hostname")]))
        entry["reservation"] = {option: reservation[option] for option in kept}
        if draw(st.integers(0, 3)) == 0:
            entry["mac"] = MACS[guest].replace("00:00:00", "00:00:aa")
        entries.append(entry)
    return draw(st.permutations(entries))


def expected(entries: list[Options], network: str, macs: dict[str, str]) -> list[str]:
    found = [f"{'192.168.101.77' if network == 'lab' else '192.168.102.77'} 52:54:00:00:00:77 printer"]
    for entry in entries:
        if entry["source"]["network"] == network:
            wanted, mac = entry["reservation"], macs[entry["domain"]]
            name = f" {wanted['hostname']}" if "hostname" in wanted else ""
            found += [f"{wanted['ipv4']} {mac}{name}"] if "ipv4" in wanted else []
            found += [f"{wanted['ipv6']} 00:03:00:01:{mac}{name}"] if "ipv6" in wanted else []
    return sorted(found)


@settings(driven, max_examples=examples // 5)
@given(tasks=st.lists(_wishes(), min_size=2, max_size=3))
def test_reservations_are_what_the_last_task_says(host: libvirt.virConnect, tasks: list[list[Options]]) -> None:
    clear(host)
    for name, number in (("lab", 101), ("lab2", 102)):
        printer = f"<host mac='52:54:00:00:00:77' name='printer' ip='192.168.{number}.77'/>"
        subnets = f"<ip address='192.168.{number}.1' prefix='24'><dhcp>{printer}</dhcp></ip>"
        define_network(host, name, f"{subnets}<ip family='ipv6' address='fd00:{number}::1' prefix='64'/>")
    for guest in GUESTS:
        define_guest(host, guest, make_nic(MACS[guest], "network='lab'", alias="lan"))
    macs = dict(MACS)
    for entries in tasks:
        before = world(host)
        predicted = nics_task(*entries, check=True)
        assert world(host) == before
        real = nics_task(*entries)
        assert not real.failed, real.msg
        assert predicted.data == real.data
        macs.update({entry["domain"]: entry["mac"] for entry in entries if "mac" in entry})
        for network in ("lab", "lab2"):
            assert reserved(host, network) == expected(entries, network, macs)
        after = world(host)
        assert not nics_task(*reversed(entries)).changed
        assert world(host) == after
    gone: list[Options] = [{"domain": guest, "alias": "lan", "state": "absent"} for guest in GUESTS]
    assert t.cast("bool", nics_task(*gone).changed)
    assert [reserved(host, network) for network in ("lab", "lab2")] == [expected([], name, macs) for name in ("lab", "lab2")]
