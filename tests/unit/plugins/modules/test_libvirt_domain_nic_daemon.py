# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The table of nic_table.py on a real daemon: what libvirt does with each change of a NIC, of a guest that is off and one that
runs.

This removes the networks and guests of the host, and so runs on lab hosts alone; tests/tools/unit_images.py says that it is on
one. The guest that runs is a real one, which releases NICs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import typing as t
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

import libvirt
import pytest

from ansible_collections.kvmops.network.tests.unit.plugins.support import nic_table, real_guest
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import Result, clear
from ansible_collections.kvmops.network.tests.unit.plugins.support.nic_table import TABLE, Fate, Options, Row, merged, options_of
from ansible_collections.kvmops.network.tests.unit.plugins.support.nics import facts_of, nic_task

if "KVMOPS_UNIT_ON_A_LAB_HOST" not in os.environ:
    pytest.skip("only lab hosts have guests that may be removed", allow_module_level=True)

# What tells the MAC addresses of the guest that runs from those of the guest that is off.
ON, OFF = ":77:", ":78:"
ROMS = ("/usr/lib/ipxe/qemu/pxe-virtio.rom", "/usr/share/qemu/pxe-virtio.rom")

# NICs that have to stay as they are, one of them with what a task cannot say. With a place in the order of boot libvirt adds no
# <boot dev='hd'/>, which would exclude such places.
BYSTANDERS = (
    "<interface type='network'><mac address='52:54:00:00:66:01'/><source network='red'/><model type='virtio'/>"
    "<driver queues='2' packed='on'/><tune><sndbuf>1600</sndbuf></tune><boot order='1'/><mtu size='1500'/></interface>",
    "<interface type='bridge'><mac address='52:54:00:00:66:02'/><source bridge='br-unit'/><model type='virtio'/>"
    "<bandwidth><inbound average='500'/></bandwidth><link state='down'/><alias name='ua-bystander'/></interface>",
)


@dataclass(frozen=True)
class Sight:
    """How the NIC is stored, how it runs, and what the kernel shows of the host's end of it; None where there is nothing."""

    stored: frozenset[str]
    live: frozenset[str] | None = None
    place: str | None = None
    device: str | None = None
    link: dict[str, t.Any] | None = None
    shaping: str | None = None
    others: tuple[frozenset[str], ...] = ()

    @property
    def is_settled(self) -> bool:
        """Whether the NIC runs as it is stored."""
        return self.live is not None and comparable(self.live) == comparable(self.stored)


def facts(nic: Element) -> frozenset[str]:
    """Return what a NIC's element says, as if it were that of the guest "on"."""
    return frozenset(fact.replace(OFF, ON) for fact in facts_of(nic))


def _the_one(nics: dict[str, Element]) -> Element:
    """Take the NIC of the table out of a guest's NICs."""
    [mac] = [mac for mac in nics if mac.replace(OFF, ON) in (nic_table.MAC, nic_table.OTHER_MAC)]
    return nics.pop(mac)


def comparable(facts: frozenset[str]) -> set[str]:
    """Return what of a NIC is not made up by libvirt when it is plugged in, and not taken from its network."""
    made_up = ["alias/@name=net", "target/@dev=vnet", "target/@dev=macvtap"]
    if any(fact.startswith("source/@network=") for fact in facts):
        made_up += ["source/@portid=", "source/@bridge=", "source/@dev=", "source/@mode=", "@type="]
    if any(fact.startswith("source/@portgroup=") for fact in facts):
        made_up += ["bandwidth/"]
    return {fact for fact in facts if not fact.startswith(tuple(made_up))}


class Host:
    """The host with its guests, "off" and "on"."""

    def __init__(self, connection: libvirt.virConnect) -> None:
        self._connection = connection
        number = connection.getLibVersion()
        self.release = {7: 0, 9: 1, 11: 2}[number // 1_000_000]

    def start(self) -> None:
        self._connection.lookupByName("on").create()
        real_guest.wait_until_up("on")

    def runs(self) -> bool:
        return bool(self._connection.lookupByName("on").isActive())

    def fate(self, row: Row) -> Fate:
        return row.fates[self.release]

    def look(self, guest: str) -> Sight:
        domain = self._connection.lookupByName(guest)
        stored = real_guest.nics_of(domain, stored=True)
        own = _the_one(stored)
        others = tuple(facts(nic) for nic in stored.values())
        if not domain.isActive():
            return Sight(facts(own), others=others)
        running = real_guest.nics_of(domain)
        nic = _the_one(running)
        device = real_guest.value_of(nic, "target@dev")
        return Sight(
            facts(own),
            facts(nic),
            place=real_guest.canonical(nic, "address"),
            device=device,
            link=real_guest.link_of(device) if device is not None else None,
            shaping=real_guest.shaping_of(device) if device is not None else None,
            others=(*others, *(facts(each) for each in running.values())),
        )

    def settle(self, guest: str, options: Options) -> Sight:
        """Let the NIC be so, whatever a row before has left, and look at it."""
        result = run(guest, options, replug="always")
        assert not result.failed, result.msg
        return self.look(guest)


def run(guest: str, options: Options, **rest: t.Any) -> Result:
    """Run a task that says the whole NIC. Two guests of a host have no MAC address in common."""
    given = options_of(options)
    if guest == "off":
        given["mac"] = given["mac"].replace(ON, OFF)
    return nic_task(uri=real_guest.URI, domain=guest, definition="replace", **given, **rest)


def succeed(guest: str, options: Options, *, actions: list[str], pending: list[str] | None = None, **rest: t.Any) -> Result:
    """Run a task that has to succeed, and to do this."""
    result = run(guest, options, **rest)
    assert not result.failed, result.msg
    assert (result.actions, result.changed) == (actions, bool(actions)), result.data
    assert result.data["nic"]["pending_changes"] == (pending or [])
    assert result.data["nic"]["pending"] is bool(pending)
    assert len(result.warnings) == bool(pending), result.warnings
    return result


def output(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout


@pytest.fixture(scope="module")
def host() -> t.Iterator[Host]:
    """Return the host, its guest "on" up, each guest with the NIC of the table and the bystanders."""
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    real_guest.take_out_kvm()
    [rom, *_others] = [rom for rom in ROMS if Path(rom).exists()]
    shutil.copy(rom, nic_table.ROM)
    links = {nic_table.BRIDGE: ["type", "bridge"]}
    links.update({name: ["type", "veth", "peer", "name", f"{name}p"] for name in nic_table.UPLINKS})
    for name, words in links.items():
        if not Path("/sys/class/net", name).exists():
            output("ip", "link", "add", name, *words)
        output("ip", "link", "set", name, "up")
    connection = libvirt.open(real_guest.URI)
    clear(connection)
    for name, content in nic_table.NETWORKS.items():
        connection.networkDefineXML(f"<network><name>{name}</name>{content}</network>").create()
    for name in ("off", "on"):
        nics = [nic if name == "on" else nic.replace(":66:", ":67:") for nic in BYSTANDERS]
        # a NIC gets an address at once with these words; it would ask for one again and again
        words = " ".join(f"lab.nic={mac},10.9.1.{9 + n}/24" for n, mac in enumerate((nic_table.MAC, nic_table.OTHER_MAC)))
        connection.defineXML(real_guest.domain_xml(name, *nics, words=words))
    found = Host(connection)
    found.start()
    yield found
    clear(connection)
    connection.close()


def expect_refusal(host: Host, guest: str, row: Row) -> None:
    before = host.look(guest)
    # what libvirt was built without shows only when it is told to
    for check in (True, False) if row.seen else (False,):
        result = run(guest, row.after, check=check)
        assert result.failed
        assert host.look(guest) == before


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_guest_off(host: Host, row: Row) -> None:
    before = host.settle("off", row.before)
    if not host.fate(row):
        expect_refusal(host, "off", row)
        return
    assert not row.shows & before.stored
    assert row.hides <= before.stored
    succeed("off", row.after, actions=["define"], check=True)
    assert host.look("off") == before
    succeed("off", row.after, actions=["define"])
    after = host.look("off")
    assert row.shows <= after.stored
    assert not row.hides & after.stored
    assert after.others == before.others
    succeed("off", row.after, actions=[])
    succeed("off", row.after, actions=[], replug="always")
    assert host.look("off") == after


def on_a_guest_that_lives(host: Host, check: t.Callable[[], None]) -> None:
    """Check something on the guest that runs, anew where the guest died meanwhile: QEMU 7.2 does so now and then in emulation."""
    if not host.runs():
        host.start()
    try:
        check()
    except AssertionError as error:
        # the rule of udev that makes a macvtap's device in a lab host may come late on a loaded machine
        if host.runs() and "cannot open macvtap tap device" not in str(error):
            raise
        if not host.runs():
            host.start()
        check()


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_guest_running(host: Host, row: Row) -> None:
    on_a_guest_that_lives(host, lambda: check_running(host, row))


def check_running(host: Host, row: Row) -> None:
    before = host.settle("on", row.before)
    assert before.live is not None
    assert before.is_settled
    check_host_side(before)
    fate = host.fate(row)
    if not fate:
        expect_refusal(host, "on", row)
        return
    assert not row.shows & before.live
    assert row.hides <= before.live
    actions = ["define", "update"] if fate == "live" else ["define"]
    pending = row.pending if fate == "replug" else []
    succeed("on", row.after, actions=actions, pending=pending, check=True)
    assert host.look("on") == before
    if not row.seen:
        return
    succeed("on", row.after, actions=actions, pending=pending)
    after = host.look("on")
    assert after.live is not None
    assert row.shows <= after.stored
    assert not row.hides & after.stored
    assert after.others == before.others
    assert (after.place, after.device) == (before.place, before.device)
    if row.name == "link":
        # what the guest itself sees of its cable
        assert real_guest.carrier_is("on", nic_table.MAC, there="link/@state=down" not in after.live)
    if fate == "live":
        assert row.shows <= after.live
        assert not row.hides & after.live
        assert after.is_settled
        check_host_side(after)
    else:
        assert (after.live, after.link, after.shaping) == (before.live, before.link, before.shaping)
    succeed("on", row.after, actions=[], pending=pending)
    succeed("on", row.after, actions=["replug"] if pending else [], replug="always", check=True)
    assert host.look("on") == after
    if pending and row.alone:
        replug(host, row.after, row.shows, row.hides)


def replug(host: Host, options: Options, shows: frozenset[str], hides: frozenset[str] = frozenset()) -> None:
    """Let the NIC be plugged in anew, for what is stored already."""
    before = host.look("on")
    succeed("on", options, actions=["replug"], replug="always")
    after = host.look("on")
    assert after.live is not None
    assert shows <= after.live
    assert not hides & after.live
    assert after.is_settled
    assert (after.stored, after.place, after.others) == (before.stored, before.place, before.others)
    check_host_side(after)
    for replugging in ("never", "always"):
        succeed("on", options, actions=[], replug=replugging)
    assert host.look("on") == after


def check_host_side(sight: Sight) -> None:
    """Compare what libvirt says of a running NIC with the kernel."""
    assert sight.live is not None
    said = {name: value for name, _equals, value in (fact.partition("=") for fact in sight.live)}
    if sight.device is None:
        assert said["@type"] == "user"
        return
    assert sight.link is not None
    assert sight.shaping is not None
    if said["@type"] == "direct":
        assert (sight.link["link"], sight.link["mode"]) == (said["source/@dev"], said["source/@mode"])
    else:
        assert sight.link["master"] == said.get("source/@bridge")
        assert sight.link["mtu"] == int(said.get("mtu/@size", 1500))
        assert bool(sight.link["isolated"]) is (said.get("port/@isolated") == "yes")
        if "filterref/@filter" in said:
            assert f"libvirt-I-{sight.device}" in output("ebtables", "--table", "nat", "--list")
    # what a guest receives is what the host sends to a tap, and what a macvtap receives
    rates = ["bandwidth/inbound/@average", "bandwidth/outbound/@average"]
    sent, received = reversed(rates) if said["@type"] == "direct" else rates
    assert ("qdisc htb" in sight.shaping) is (sent in said)
    assert ("qdisc ingress" in sight.shaping) is (received in said)


def test_many_at_once(host: Host) -> None:
    on_a_guest_that_lives(host, lambda: check_many_at_once(host))


def check_many_at_once(host: Host) -> None:
    # QEMU 5.2 ends when a NIC with these is unplugged
    fatal = ("driver.iommu", "driver.ats") if host.release == 0 else ()
    rows = [row for row in TABLE if not row.alone and host.fate(row) and row.name not in fatal]
    # an IOMMU is for cards that have no legacy form
    options = merged({"model": "virtio-non-transitional"}, *(row.after for row in rows))
    names = sorted({"model", *(name for row in rows for name in row.pending)})
    shows = frozenset[str]().union(*(row.shows for row in rows))
    host.settle("on", {})
    succeed("on", options, actions=["define"], pending=names)
    replug(host, options, shows)
    # and all of it is taken away again
    succeed("on", {}, actions=["define"], pending=names)
    replug(host, {}, frozenset(), shows)


def test_refused_when_it_is_plugged_in(host: Host) -> None:
    """What libvirt takes and QEMU does not is found out when the NIC is out already: it goes back as it was."""
    on_a_guest_that_lives(host, lambda: check_refused_when_it_is_plugged_in(host))


def check_refused_when_it_is_plugged_in(host: Host) -> None:
    before = host.settle("on", {})
    result = run("on", {"rom": {"bar": False}}, replug="always")
    assert result.failed
    assert result.msg.startswith(f"The guest 'on': 'replug {nic_table.MAC}' failed: ")
    assert result.msg.endswith("Everything was put back as it was.")
    after = host.look("on")
    assert after.live is not None
    assert (after.stored, after.place, after.others) == (before.stored, before.place, before.others)
    assert after.is_settled
    check_host_side(after)
