# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Addresses that networks reserve for NICs: they come, move and go with them, and those of others stay."""

from __future__ import annotations

import typing as t

import libvirt
import pytest

from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import apply, network_info
from ansible_collections.kvmops.network.tests.unit.plugins.support.nics import (
    Options,
    apply_nic,
    apply_nics,
    define_guest,
    define_network,
    hide_made_up_targets,
    make_nic,
    nic_task,
    reserved,
    step,
    steps,
    world,
)

WEB, DB = "52:54:00:00:00:01", "52:54:00:00:00:02"
WEB6, DB6 = f"00:03:00:01:{WEB}", f"00:03:00:01:{DB}"
PRINTER = "192.168.101.77 52:54:00:00:00:77 printer"
LAB = """
<forward mode='nat'/><bridge name='virbr1'/>
<ip address='192.168.101.1' prefix='24'><dhcp>
  <range start='192.168.101.100' end='192.168.101.254'/><host mac='52:54:00:00:00:77' name='printer' ip='192.168.101.77'/>
</dhcp></ip>
<ip family='ipv6' address='fd00:101::1' prefix='64'/>
"""
# The same as a task says it.
LAB_OPTIONS: Options = {
    "name": "lab",
    "state": "inactive",
    "forward": {"mode": "nat"},
    "bridge": {"name": "virbr1"},
    "ips": [
        {
            "address": "192.168.101.1",
            "prefix": 24,
            "dhcp": {"ranges": [{"start": "192.168.101.100", "end": "192.168.101.254"}]},
        },
        {"address": "fd00:101::1", "prefix": 64},
    ],
}


@pytest.fixture
def host(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> libvirt.virConnect:
    """Return a host with two networks that do not run, one with somebody's reservation, and two guests that are off in it."""
    hide_made_up_targets(monkeypatch)
    define_network(driver, "lab", LAB)
    define_network(driver, "lab2", "<bridge name='virbr2'/><ip address='192.168.102.1' prefix='24'/>")
    define_guest(driver, "web", make_nic(WEB, "network='lab'", alias="lan"))
    define_guest(driver, "db", make_nic(DB, "network='lab'", alias="lan"))
    return driver


def lan(ipv4: str | None = None, *, domain: str = "web", **options: t.Any) -> Options:
    """Return a NIC with what is reserved for it."""
    return {"domain": domain, "alias": "lan", "reservation": {"ipv4": ipv4, **options}}


def with_printer(*entries: str) -> list[str]:
    """Return all that the network reserves."""
    return sorted([PRINTER, *entries])


def test_from_nothing_to_nothing(host: libvirt.virConnect) -> None:
    before = world(host)
    task = lan("192.168.101.10", hostname="web")
    made = step(host, changed=True, **task)
    assert made.data["actions"] == [f"reserve: 192.168.101.10 on the network 'lab' for {WEB}"]
    assert made.diff is not None
    assert made.diff["after"].endswith(f"\nreserved by the network lab: 192.168.101.10 web {WEB}\n")
    assert made.diff["before"] == made.diff["after"].replace(f"reserved by the network lab: 192.168.101.10 web {WEB}\n", "")
    assert reserved(host) == with_printer(f"192.168.101.10 {WEB} web")
    step(host, changed=False, **task)
    # omitted, and whatever else is changed of the NIC
    step(host, changed=False, alias="lan")
    step(host, changed=True, alias="lan", definition="replace", mtu=1400)
    assert reserved(host) == with_printer(f"192.168.101.10 {WEB} web")
    # renamed
    renamed = step(host, changed=True, **lan("192.168.101.10", hostname="shop"))
    assert renamed.data["actions"] == [f"reserve: 192.168.101.10 on the network 'lab' for {WEB}"]
    assert reserved(host) == with_printer(f"192.168.101.10 {WEB} shop")
    # what is given is the whole reservation
    step(host, changed=True, **lan("192.168.101.10"))
    assert reserved(host) == with_printer(f"192.168.101.10 {WEB}")
    # another address
    moved = step(host, changed=True, **lan("192.168.101.11"))
    assert moved.data["actions"] == [
        f"reserve: 192.168.101.11 on the network 'lab' for {WEB}",
        f"release: 192.168.101.10 on the network 'lab', no longer for {WEB}",
    ]
    assert reserved(host) == with_printer(f"192.168.101.11 {WEB}")
    # none
    none = step(host, changed=True, **lan())
    assert none.data["actions"] == [f"release: 192.168.101.11 on the network 'lab', no longer for {WEB}"]
    step(host, changed=False, **lan())
    step(host, changed=True, alias="lan", definition="replace")
    assert world(host) == before


def test_ipv6(host: libvirt.virConnect) -> None:
    before = world(host)
    step(host, changed=True, **lan("192.168.101.10", ipv6="FD00:101:0::10", hostname="web"))
    both = with_printer(f"192.168.101.10 {WEB} web", f"fd00:101::10 {WEB6} web")
    assert reserved(host) == both
    step(host, changed=False, **lan("192.168.101.10", ipv6="fd00:101::10", hostname="web"))
    # a guest that calls itself otherwise
    duid = "00:04:1B:4F:0C:34:3A:39:4A:26:A2:1F:6F:0A:3B:1E:0A:6E"
    step(host, changed=True, **lan(ipv6="fd00:101::10", duid=duid))
    assert reserved(host) == with_printer(f"fd00:101::10 {duid.lower()}")
    step(host, changed=False, **lan(ipv6="fd00:101::10", duid=duid.lower()))
    # with its own MAC address, what was made from it changes, and what was given does not
    step(host, changed=True, alias="lan", mac=DB.replace("02", "99"))
    assert reserved(host) == with_printer(f"fd00:101::10 {duid.lower()}")
    step(host, changed=True, mac=WEB, **lan(ipv6="fd00:101::10"))
    assert reserved(host) == with_printer(f"fd00:101::10 {WEB6}")
    step(host, changed=True, alias="lan", mac=DB.replace("02", "99"))
    assert reserved(host) == with_printer("fd00:101::10 00:03:00:01:52:54:00:00:00:99")
    step(host, changed=True, mac=WEB, **lan())
    assert world(host) == before


def test_it_moves_with_the_nic_to_a_new_mac(host: libvirt.virConnect) -> None:
    new = "52:54:00:00:00:99"
    apply_nic(**lan("192.168.101.10", hostname="web"))
    moved = step(host, changed=True, alias="lan", mac=new)
    assert moved.data["actions"] == [
        f"reserve: 192.168.101.10 on the network 'lab' for {new}",
        f"release: 192.168.101.10 on the network 'lab', no longer for {WEB}",
        "define: mac shall change",
    ]
    assert reserved(host) == with_printer(f"192.168.101.10 {new} web")
    step(host, changed=False, mac=new, **lan("192.168.101.10", hostname="web"))
    # and with another address at once
    step(host, changed=True, mac=WEB, **lan("192.168.101.11"))
    assert reserved(host) == with_printer(f"192.168.101.11 {WEB}")


LEAVES = {
    "absent": ({"state": "absent"}, "the NIC is gone"),
    "absent, and none is said": ({"state": "absent", "reservation": {}}, "the NIC is gone"),
    "to another network": ({"source": {"network": "lab2"}}, "the NIC leaves it"),
    "to a bridge": ({"source": {"bridge": "br0"}}, "the NIC leaves it"),
    "to a bridge, and none is said": ({"source": {"bridge": "br0"}, "reservation": {}}, "the NIC leaves it"),
}


@pytest.mark.parametrize(("task", "reason"), LEAVES.values(), ids=LEAVES)
def test_it_goes_when_the_nic_leaves_the_network(host: libvirt.virConnect, task: Options, reason: str) -> None:
    apply_nic(**lan("192.168.101.10"))
    gone = step(host, changed=True, alias="lan", **task)
    assert gone.data["actions"][0] == f"release: 192.168.101.10 on the network 'lab', {reason}"
    assert gone.actions == ["release", "define"]
    assert reserved(host) == [PRINTER]
    step(host, changed=False, alias="lan", **task)


def test_it_moves_with_the_nic_to_another_network(host: libvirt.virConnect) -> None:
    apply_nic(**lan("192.168.101.10"))
    task = {**lan("192.168.102.10"), "source": {"network": "lab2"}}
    moved = step(host, changed=True, **task)
    assert sorted(action.partition(":")[0] for action in moved.data["actions"]) == ["define", "release", "reserve"]
    assert moved.data["actions"][-1] == "define: source shall change"
    assert (reserved(host), reserved(host, "lab2")) == ([PRINTER], [f"192.168.102.10 {WEB}"])
    step(host, changed=False, **task)


def test_a_new_nic_has_it_from_the_beginning(host: libvirt.virConnect) -> None:
    task: Options = {"alias": "second", "source": {"network": "lab"}, "reservation": {"ipv4": "192.168.101.20"}}
    made = step(host, changed=True, **task)
    mac = made.data["nic"]["mac"]
    assert made.data["actions"] == [
        f"reserve: 192.168.101.20 on the network 'lab' for {mac}",
        "define: the NIC is not in the guest's definition",
    ]
    assert reserved(host) == with_printer(f"192.168.101.20 {mac}")
    step(host, changed=False, **task)


def test_two_guests_swap(host: libvirt.virConnect) -> None:
    first = [lan("192.168.101.10", hostname="a"), lan("192.168.101.11", hostname="b", domain="db")]
    second = [lan("192.168.101.11", hostname="b"), lan("192.168.101.10", hostname="a", domain="db")]
    for nics, macs in ((first, (WEB, DB)), (second, (DB, WEB)), (first, (WEB, DB))):
        swapped = steps(host, *nics, changed=True)
        assert [each["status"] for each in swapped.data["nics"]] == ["changed", "changed"]
        assert reserved(host) == [f"192.168.101.10 {macs[0]} a", f"192.168.101.11 {macs[1]} b", PRINTER]
        steps(host, *nics, changed=False)
    # one by one, they are in each other's way
    before = world(host)
    for check in (True, False):
        assert nic_task(check=check, **second[0]).msg == (
            f"reservation: 192.168.101.11 is reserved for another one on the network 'lab' ({DB} b 192.168.101.11); choose "
            "another address, or remove that reservation."
        )
    assert world(host) == before


def test_guests_swap_both_families_in_a_ring(host: libvirt.virConnect) -> None:
    define_guest(host, "mail", make_nic("52:54:00:00:00:03", "network='lab'", alias="lan"))
    guests = ("web", "db", "mail")

    def ring(shift: int) -> list[Options]:
        places = [10 + (number + shift) % 3 for number in range(3)]
        return [
            lan(f"192.168.101.{place}", ipv6=f"fd00:101::{place}", hostname=f"h{place}", domain=guest)
            for guest, place in zip(guests, places)
        ]

    for shift in (0, 1, 2, 0):
        steps(host, *ring(shift), changed=True)
        steps(host, *ring(shift), changed=False)
    assert len(reserved(host)) == 7
    steps(host, *(lan(domain=guest) for guest in guests), changed=True)
    assert reserved(host) == [PRINTER]


def test_what_is_pruned_takes_it_along(host: libvirt.virConnect) -> None:
    apply_nics(lan("192.168.101.10"), lan("192.168.101.11", domain="db"))
    pruned = steps(host, {"alias": "new", "source": {"network": "lab2"}}, prune=True, changed=True)
    assert pruned.data["nics"][1]["actions"] == [
        "release: 192.168.101.10 on the network 'lab', the NIC is gone",
        "define: the NIC is not in the list",
    ]
    # the other guest is not in the list
    assert reserved(host) == with_printer(f"192.168.101.11 {DB}")


def test_one_that_goes_makes_room_for_another(host: libvirt.virConnect) -> None:
    apply_nic(**lan("192.168.101.10"))
    steps(host, {"alias": "lan", "state": "absent"}, lan("192.168.101.10", domain="db"), changed=True)
    assert reserved(host) == with_printer(f"192.168.101.10 {DB}")


def test_what_somebody_else_made_stays_his(host: libvirt.virConnect) -> None:
    # the very same is there already
    task = {"alias": "printer", "mac": "52:54:00:00:00:77", "source": {"network": "lab"}}
    made = step(host, changed=True, reservation={"ipv4": "192.168.101.77", "hostname": "printer"}, **task)
    assert made.data["actions"] == ["define: the NIC is not in the guest's definition"]
    step(host, changed=True, alias="printer", state="absent")
    assert reserved(host) == [PRINTER]


def test_a_guest_that_was_made_anew_has_nothing_of_the_old_one(host: libvirt.virConnect) -> None:
    apply_nics(lan("192.168.101.10"), lan("192.168.101.11", domain="db"))
    host.lookupByName("web").undefine()
    define_guest(host, "web", make_nic("52:54:00:00:00:99", "network='lab'", alias="lan"))
    # of a guest that is not in the task, nothing is touched
    step(host, changed=True, domain="db", alias="lan", mtu=1400)
    assert len(reserved(host)) == 3
    step(host, changed=True, **lan("192.168.101.10"))
    assert reserved(host) == ["192.168.101.10 52:54:00:00:00:99", f"192.168.101.11 {DB}", PRINTER]


def test_one_that_was_removed_by_hand_is_made_again(host: libvirt.virConnect) -> None:
    apply_nic(**lan("192.168.101.10"))
    network = host.networkLookupByName("lab")
    network_xml = network.XMLDesc(0)
    host.networkDefineXML(network_xml.replace(f"<host mac='{WEB}' ip='192.168.101.10'/>", ""))
    assert reserved(host) == [PRINTER]
    step(host, changed=True, **lan("192.168.101.10"))
    assert reserved(host) == with_printer(f"192.168.101.10 {WEB}")


def test_tasks_of_the_network_leave_it_alone(host: libvirt.virConnect) -> None:
    nics = [lan("192.168.101.10", hostname="web"), lan("192.168.101.11", ipv6="fd00:101::11", domain="db")]
    apply(definition="replace", purge_hosts=True, **LAB_OPTIONS)
    apply_nics(*nics)
    theirs = reserved(host)
    assert theirs == [f"192.168.101.10 {WEB} web", f"192.168.101.11 {DB}", f"fd00:101::11 {DB6}"]
    # as a site's playbook does, again and again
    for _run in range(2):
        for definition in ("merge", "replace"):
            assert not apply(definition=definition, **LAB_OPTIONS).changed
            assert not apply_nics(*nics).changed
    # a change of the network, and a reservation that it has itself
    own = {"mac": "52:54:00:00:00:77", "ip": "192.168.101.77"}
    ips: list[dict[str, t.Any]] = [{**LAB_OPTIONS["ips"][0], "dhcp": {"hosts": [own]}}, LAB_OPTIONS["ips"][1]]
    changed: Options = {**LAB_OPTIONS, "mtu": 1400, "ips": ips}
    assert apply(definition="replace", **changed).changed
    assert reserved(host) == sorted([*theirs, "192.168.101.77 52:54:00:00:00:77"])
    assert not apply_nics(*nics).changed
    assert not apply(definition="replace", **changed).changed
    # the owner of each is still known
    steps(host, {"alias": "lan", "state": "absent"}, lan(domain="db"), changed=True)
    assert reserved(host) == ["192.168.101.77 52:54:00:00:00:77"]
    assert not apply(definition="replace", **changed).changed
    [shown] = [each for each in network_info() if each["name"] == "lab"]
    assert "metadata" not in shown["definition"]


def test_a_network_that_loses_its_subnet_is_told_so(host: libvirt.virConnect) -> None:
    apply_nic(**lan("192.168.101.10"))
    text = host.networkLookupByName("lab").XMLDesc(0)
    host.networkDefineXML(text.replace("192.168.101.", "192.168.103."))
    before = world(host)
    assert nic_task(**lan("192.168.101.10")).msg.startswith("reservation: 192.168.101.10 is in no subnet of the network 'lab'")
    assert world(host) == before
    step(host, changed=True, **lan("192.168.103.11"))
