# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""NICs of real guests on a real daemon where something comes in between: a guest that does not answer, a killed run, another run.

This removes the networks and guests of the host, and so runs on lab hosts alone; tests/tools/unit_images.py says that it is on
one.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import os
import signal
import subprocess
import typing as t
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection
from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import Guests
from ansible_collections.kvmops.network.tests.unit.plugins.support import real_guest
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import Result, clear
from ansible_collections.kvmops.network.tests.unit.plugins.support.nics import Options, facts_of, nic_task, nics_task

if "KVMOPS_UNIT_ON_A_LAB_HOST" not in os.environ:
    pytest.skip("only lab hosts have guests that may be removed", allow_module_level=True)

MAC, OTHER_MAC = "52:54:00:00:55:01", "52:54:00:00:55:02"
NETWORKS = {
    "lease": (
        "<forward mode='nat'/><bridge name='virbr-lease'/>"
        "<ip address='10.8.1.1' prefix='24'><dhcp><range start='10.8.1.100' end='10.8.1.200'/>"
        "<host mac='52:54:00:00:99:01' name='somebody' ip='10.8.1.9'/></dhcp></ip>"
        "<ip family='ipv6' address='fd00:8:1::1' prefix='64'><dhcp><range start='fd00:8:1::100' end='fd00:8:1::1ff'/></dhcp></ip>"
    ),
    # without rules of a firewall, which libvirt writes anew for each reservation
    "quick": (
        "<forward mode='open'/><bridge name='virbr-quick'/>"
        "<ip address='10.8.4.1' prefix='24'><dhcp><range start='10.8.4.100' end='10.8.4.200'/></dhcp></ip>"
    ),
    "plain": "<forward mode='nat'/><bridge name='virbr-plain'/><ip address='10.8.2.1' prefix='24'/>",
    "asleep": "<forward mode='nat'/><bridge name='virbr-asleep'/><ip address='10.8.3.1' prefix='24'/>",
}
# Where a run changes something, in whichever order.
VERBS: tuple[tuple[type, str], ...] = (
    (Guests, "attach"),
    (Guests, "update"),
    (Guests, "detach"),
    (Guests, "define"),
    (Connection, "define_network"),
    (Connection, "update_network"),
)

run = functools.partial(nic_task, uri=real_guest.URI)


class Host:
    """The host, and its guest "web", which runs."""

    def __init__(self) -> None:
        self.connection = libvirt.open(real_guest.URI)

    def define(self, name: str, *nics: str, **machine: t.Any) -> libvirt.virDomain:
        return self.connection.defineXML(real_guest.domain_xml(name, *nics, **machine))

    def start(self) -> None:
        self.connection.lookupByName("web").create()
        real_guest.wait_until_up("web")

    def restart_daemon(self) -> None:
        self.connection.close()
        subprocess.run(["systemctl", "restart", "libvirtd"], check=True)
        self.connection = libvirt.open(real_guest.URI)

    def nics(self, name: str = "web", *, stored: bool = False) -> dict[str, set[str]]:
        found = real_guest.nics_of(self.connection.lookupByName(name), stored=stored)
        return {mac: facts_of(element) for mac, element in found.items()}

    def documents(self, name: str) -> tuple[str, str]:
        domain = self.connection.lookupByName(name)
        return domain.XMLDesc(0), domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)

    def reserved(self, name: str = "lease", *, stored: bool = False) -> set[str]:
        """Return what a network reserves for NICs, but not what somebody else made: "52:54:00:00:55:01 10.8.1.50 web"."""
        network = self.connection.networkLookupByName(name)
        root = ElementTree.fromstring(network.XMLDesc(libvirt.VIR_NETWORK_XML_INACTIVE if stored else 0))
        hosts = [
            " ".join(host.attrib[key] for key in ("mac", "id", "ip", "name") if key in host.attrib)
            for host in root.iterfind("ip/dhcp/host")
        ]
        assert len(set(hosts)) == len(hosts)
        return set(hosts) - {"52:54:00:00:99:01 10.8.1.9 somebody"}


@pytest.fixture(scope="module")
def the_host() -> t.Iterator[Host]:
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    real_guest.take_out_kvm()
    host = Host()
    clear(host.connection)
    for name, content in NETWORKS.items():
        network = host.connection.networkDefineXML(f"<network><name>{name}</name>{content}</network>")
        if name != "asleep":
            network.create()
    host.define("web")
    host.start()
    yield host
    clear(host.connection)
    host.connection.close()


@pytest.fixture
def host(the_host: Host) -> t.Iterator[Host]:
    """Return the host, whose guest "web" has no NIC, and has no other guest."""
    if not the_host.connection.lookupByName("web").isActive():
        the_host.start()  # QEMU 7.2 dies now and then in emulation
    assert the_host.nics() == the_host.nics(stored=True) == {}
    yield the_host
    for domain in the_host.connection.listAllDomains():
        if domain.name() != "web":
            if domain.isActive():
                domain.destroy()
            if domain.isPersistent():
                domain.undefine()
    for mac in the_host.nics() | the_host.nics(stored=True):
        assert not run(mac=mac, state="absent").failed


def succeed(*, actions: list[str], **options: t.Any) -> Result:
    result = run(**options)
    assert not result.failed, result.msg
    assert (result.actions, result.changed) == (actions, bool(actions)), result.data
    return result


def make(**options: t.Any) -> Result:
    result = run(**options)
    assert not result.failed, result.msg
    return result


def nic_of(mac: str, network: str) -> str:
    return f"<interface type='network'><mac address='{mac}'/><source network='{network}'/><model type='virtio'/></interface>"


# --- guests that do not do what they are asked ----------------------------------------------------------------------------------


def test_a_guest_that_does_not_release_a_nic(host: Host) -> None:
    domain = host.define("paused", nic_of(MAC, "plain"))
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    task: Options = {"domain": "paused", "mac": MAC, "state": "absent"}
    result = run(**task, detach_timeout=1)
    assert result.failed
    assert result.msg == (
        f"The guest 'paused' has not released the NIC {MAC} within 1 seconds: it may be booting, hanging, or without support "
        "for unplugging. What is stored is as asked for. The NIC goes when the guest releases it or stops; run the task again "
        "then, or give it more time with detach_timeout."
    )
    assert result.changed
    assert list(host.nics("paused")) == [MAC]
    assert host.nics("paused", stored=True) == {}
    again = run(**task, detach_timeout=0)
    assert (again.failed, again.msg) == (True, result.msg.replace("within 1", "within 0"))
    # QEMU 7.2 and 10 forget what they asked of a guest that had not run at all; it goes when the guest is started anew
    domain.destroy()
    domain.create()
    assert host.nics("paused") == {}
    succeed(**task, actions=[])


def test_a_guest_that_boots(host: Host) -> None:
    """It does not hear what it is asked for before its kernel runs."""
    host.define("booting", nic_of(MAC, "plain")).create()
    succeed(domain="booting", mac=MAC, state="absent", detach_timeout=90, actions=["define", "detach"])
    assert host.nics("booting") == {}


def test_a_guest_without_a_free_port(host: Host) -> None:
    domain = host.define("full", nic_of(MAC, "plain"), machine="q35", ports=1)
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    identity: Options = {"alias": "second"}
    task = {**identity, "domain": "full", "source": {"network": "lease"}, "reservation": {"ipv4": "10.8.1.60"}}
    before = host.documents("full"), host.reserved(), host.reserved(stored=True)
    result = run(**task)
    assert result.failed
    assert "the running guest has no free place for another NIC" in result.msg
    assert "run the task while it is off, or give it more controllers of model pcie-root-port" in result.msg
    assert "Everything was put back as it was." in result.msg
    assert not result.changed
    assert (host.documents("full"), host.reserved(), host.reserved(stored=True)) == before
    domain.destroy()
    succeed(**task, actions=["reserve", "define"])
    assert len(host.nics("full", stored=True)) == 2
    succeed(**identity, domain="full", state="absent", actions=["release", "define"])


# --- runs that are killed -------------------------------------------------------------------------------------------------------


@dataclass
class Countdown:
    """The changes that are left until this process is killed."""

    left: int

    def count(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def run_and_die(options: Options, *, after: int) -> bool:
    """Run a task in a process that is killed after so many of its changes, and return whether it was.

    A detachment counts twice: when it is asked for, and when the guest has released the NIC.
    """
    child = os.fork()
    if child == 0:
        countdown = Countdown(after)
        for owner, verb in VERBS:
            setattr(owner, verb, _counted(getattr(owner, verb), verb, countdown))
        try:
            os._exit(int(run(**options).failed))
        finally:
            os._exit(70)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def _counted(real: t.Callable[..., t.Any], verb: str, countdown: Countdown) -> t.Callable[..., t.Any]:
    def counted(self: t.Any, *arguments: t.Any, **options: t.Any) -> t.Any:
        if verb == "detach":
            if countdown.left == 1:
                real(self, *arguments, **{**options, "timeout": 0})
            countdown.count()
        result = real(self, *arguments, **options)
        countdown.count()
        return result

    return counted


def reserving(network: str, address: str) -> Options:
    """Return a NIC on a network that reserves an address for it."""
    reservation = {"ipv4": address, "hostname": "web"}
    return {"alias": "nic", "mac": MAC, "source": {"network": network}, "reservation": reservation}


ON_LEASE, ON_QUICK = reserving("lease", "10.8.1.50"), reserving("quick", "10.8.4.50")
ON_PLAIN: Options = {"alias": "nic", "mac": MAC, "source": {"network": "plain"}}
GONE: Options = {"alias": "nic", "state": "absent"}

# From what to what, the MAC address then; how many changes that is.
KILLED: dict[str, tuple[Options, Options, str | None, int]] = {
    "attach": (GONE, ON_QUICK, MAC, 4),
    "move": (ON_PLAIN, {**ON_QUICK, "bandwidth": {"inbound": {"average": 500}}}, MAC, 6),
    "replug": (ON_QUICK, {**ON_QUICK, "mac": OTHER_MAC, "mtu": 1400, "replug": "always"}, OTHER_MAC, 7),
    "detach": (ON_QUICK, GONE, None, 5),
}


@pytest.mark.parametrize("case", KILLED)
def test_killed_between_steps(host: Host, case: str) -> None:
    before, after, mac, changes = KILLED[case]
    for number in itertools.count(1):
        make(**{"definition": "replace", "replug": "always", **before})
        if not run_and_die(after, after=number):
            break
        make(**after)
        live, stored = host.nics(), host.nics(stored=True)
        assert list(live) == list(stored) == ([mac] if mac is not None else [])
        if mac is not None:
            for facts in (live[mac], stored[mac]):
                assert "source/@network=quick" in facts
                assert "link/@state=down" not in facts
        expected = {f"{mac} 10.8.4.50 web"} if mac is not None else set()
        assert host.reserved("quick") == host.reserved("quick", stored=True) == expected
        assert not run(**after).changed
    assert number == changes + 1


def test_two_at_once(host: Host) -> None:
    ends = [os.pipe() for _number in range(2)]
    children = []
    for _reading, writing in ends:
        child = os.fork()
        if child == 0:
            try:
                result = run(**ON_LEASE)
                os.write(writing, json.dumps([result.failed, result.changed, result.msg]).encode())
                os._exit(0)
            finally:
                os._exit(70)
        children.append(child)
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
    results = sorted(json.loads(os.read(reading, 65536)) for reading, _writing in ends)
    for reading, writing in ends:
        os.close(reading)
        os.close(writing)
    assert results == [[False, False, ""], [False, True, ""]]
    assert list(host.nics()) == list(host.nics(stored=True)) == [MAC]
    assert host.reserved() == host.reserved(stored=True) == {f"{MAC} 10.8.1.50 web"}


def test_a_daemon_that_is_restarted(host: Host) -> None:
    make(**ON_LEASE)
    host.restart_daemon()
    succeed(**ON_LEASE, actions=[])
    succeed(**ON_LEASE, link="down", actions=["define", "update"])
    host.restart_daemon()
    succeed(**ON_LEASE, link="down", actions=[])
    assert "link/@state=down" in host.nics()[MAC]
    host.restart_daemon()
    succeed(alias="nic", state="absent", actions=["release", "define", "detach"])
    assert host.reserved() == host.reserved(stored=True) == set()


# --- reservations ---------------------------------------------------------------------------------------------------------------


def served() -> str:
    """Return what the network's DHCP server reads."""
    return Path("/var/lib/libvirt/dnsmasq/lease.hostsfile").read_text()


def test_reservations_of_a_running_network(host: Host) -> None:
    task = {**ON_LEASE, "reservation": {"ipv4": "10.8.1.51"}}
    succeed(**task, actions=["reserve", "define", "attach"])
    assert host.reserved() == host.reserved(stored=True) == {f"{MAC} 10.8.1.51"}
    assert f"{MAC},10.8.1.51" in served()
    assert not run(**task).changed
    # another address, a name
    task["reservation"] = {"ipv4": "10.8.1.52", "hostname": "web"}
    make(**task)
    assert host.reserved() == host.reserved(stored=True) == {f"{MAC} 10.8.1.52 web"}
    assert "10.8.1.51" not in served()
    assert not run(**task).changed
    # IPv6, for a client that calls itself something else
    duid = "00:01:00:01:2c:11:22:33:52:54:00:00:55:99"
    task["reservation"] = {"ipv6": "fd00:8:1::77", "duid": duid}
    make(**task)
    assert host.reserved() == host.reserved(stored=True) == {f"{duid} fd00:8:1::77"}
    assert f"id:{duid},[fd00:8:1::77]" in served()
    assert not run(**task).changed
    # when omitted, it stays; an empty one is none
    del task["reservation"]
    assert not run(**task).changed
    succeed(**task, reservation={}, actions=["release"])
    assert host.reserved() == host.reserved(stored=True) == set()
    assert "somebody" in served()


def test_two_guests_swap_their_addresses(host: Host) -> None:
    host.define("db").createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    addresses = {"web": "10.8.1.61", "db": "10.8.1.62"}
    macs = {"web": MAC, "db": OTHER_MAC}

    def task(check: bool = False) -> Result:
        entries = [
            {
                "domain": name,
                "mac": macs[name],
                "source": {"network": "lease"},
                "reservation": {"ipv4": ip, "hostname": f"n{ip[-1]}"},
            }
            for name, ip in addresses.items()
        ]
        result = nics_task(*entries, uri=real_guest.URI, check=check)
        assert not result.failed, result.msg
        return result

    for _time in range(2):
        assert task(check=True).changed
        assert task().changed
        expected = {f"{macs[name]} {ip} n{ip[-1]}" for name, ip in addresses.items()}
        assert host.reserved() == host.reserved(stored=True) == expected
        assert not task().changed
        addresses["web"], addresses["db"] = addresses["db"], addresses["web"]
    host.connection.lookupByName("db").destroy()
    make(domain="db", mac=OTHER_MAC, state="absent")


# --- guests and networks of other kinds -----------------------------------------------------------------------------------------


def test_an_address_that_is_made(host: Host) -> None:
    identity = Path("/etc/machine-id").read_text().strip()
    digest = hashlib.sha256(f"{identity}\0web\0lan".encode()).hexdigest()
    made = f"52:54:00:{digest[:2]}:{digest[2:4]}:{digest[4:6]}"
    task: Options = {"alias": "lan", "source": {"network": "plain"}}
    for _time in range(2):
        succeed(**task, actions=["define", "attach"])
        assert list(host.nics()) == list(host.nics(stored=True)) == [made]
        succeed(**task, actions=[])
        succeed(alias="lan", state="absent", actions=["define", "detach"])
    # the guest is another one, of the same name
    host.define("other")
    make(**task, domain="other")
    assert list(host.nics("other", stored=True)) != [made]


def test_a_transient_guest(host: Host) -> None:
    domain = host.connection.lookupByName("web")
    stored = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    domain.undefine()
    try:
        task: Options = {"mac": MAC, "source": {"network": "plain"}}
        succeed(**task, actions=["attach"])
        assert list(host.nics()) == [MAC]
        succeed(**task, actions=[])
        succeed(**task, link="down", actions=["update"])
        assert "link/@state=down" in host.nics()[MAC]
        refused = run(**task, mtu=1400)
        assert refused.failed
        assert refused.msg.startswith(
            "replug: libvirt cannot change mtu while the NIC is plugged in, and the guest 'web' is transient"
        )
        succeed(**task, mtu=1400, replug="always", actions=["replug"])
        assert "mtu/@size=1400" in host.nics()[MAC]
        succeed(**task, mtu=1400, actions=[])
        succeed(mac=MAC, state="absent", actions=["detach"])
        assert host.nics() == {}
        assert not host.connection.lookupByName("web").isPersistent()
    finally:
        host.connection.defineXML(stored)


def test_a_network_that_does_not_run(host: Host) -> None:
    host.define("off")
    task: Options = {"mac": MAC, "source": {"network": "asleep"}}
    result = make(domain="off", **task)
    assert result.own_warnings == ["The network 'asleep' does not run: the guest cannot start before it does."]
    host.connection.lookupByName("off").undefine()
    before = host.documents("web")
    for check in (True, False):
        refused = run(**task, check=check)
        assert refused.failed
        assert refused.msg == ("source.network: the network 'asleep' does not run, and the guest does; start the network first.")
    assert host.documents("web") == before


def test_a_network_that_was_stopped(host: Host) -> None:
    network = host.connection.networkLookupByName("asleep")
    network.create()
    make(mac=MAC, source={"network": "asleep"})
    network.destroy()
    succeed(mac=MAC, actions=[])
    before = host.documents("web")
    # a network is asked for a port each time that libvirt changes something of a NIC
    refused = run(mac=MAC, link="down")
    assert refused.failed
    assert refused.msg == (
        f"The guest 'web': 'update {MAC}' failed: Requested operation is not valid: network 'asleep' is not active. Everything "
        "was put back as it was."
    )
    assert host.documents("web") == before
    # what it is plugged into now, libvirt cannot say, so that it does not move while it is plugged in
    succeed(mac=MAC, source={"network": "plain"}, actions=["define"])
    succeed(mac=MAC, source={"network": "plain"}, replug="always", actions=["replug"])
    assert "source/@network=plain" in host.nics()[MAC]


def test_an_update_that_fails_half_way(host: Host) -> None:
    """libvirt has changed the bandwidth and the bridge already when it finds that a filter cannot be."""
    task: Options = {"mac": MAC, "source": {"network": "lease"}}
    make(**task)
    before = without_port(host.nics()[MAC])
    [device] = [fact.partition("=")[2] for fact in before if fact.startswith("target/@dev=")]
    link, shaping = real_guest.link_of(device), real_guest.shaping_of(device)
    result = run(
        mac=MAC,
        source={"network": "plain"},
        bandwidth={"inbound": {"average": 500}},
        filterref={"filter": "no-arp-ip-spoofing", "parameters": [{"name": "IP", "value": "nonsense"}]},
        port={"isolated": True},
    )
    assert result.failed
    assert result.msg.startswith(f"The guest 'web': 'update {MAC}' failed: operation failed: failed to add new filter rules")
    assert result.msg.endswith("Everything was put back as it was.")
    assert without_port(host.nics()[MAC]) == before
    assert (real_guest.link_of(device), real_guest.shaping_of(device)) == (link, shaping)
    succeed(**task, actions=[])


def without_port(facts: set[str]) -> set[str]:
    """Return what a NIC says but for the port of the network, which is another one each time that it moves."""
    return {fact for fact in facts if not fact.startswith("source/@portid=")}
