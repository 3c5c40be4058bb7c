# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The edge to libvirt, against its test driver."""

from __future__ import annotations

import getpass
import re
import typing as t

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge import daemon
from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import (
    Connection,
    GuestNic,
    LibvirtError,
    NetworkRecord,
    is_local,
)
from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, RequirementError
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import GUEST_XML, URI, dump

LAB = "<network><name>lab</name><bridge name='virbr7'/><ip address='10.7.0.1' prefix='24'/></network>"


@pytest.fixture
def connection(driver: libvirt.virConnect) -> t.Iterator[Connection]:
    assert driver.isAlive()
    with Connection(URI) as opened:
        yield opened


@pytest.mark.parametrize(
    ("uri", "local"),
    [
        ("qemu:///system", True),
        ("qemu:///session", True),
        ("qemu+unix:///system?socket=/run/x", True),
        ("qemu+ssh://root@host/system", False),
        ("qemu+tcp://127.0.0.1/system", False),
        ("test:///default", False),
    ],
)
def test_which_daemon_manages_this_host(uri: str, local: bool) -> None:
    assert is_local(uri) is local


def test_the_version_is_that_of_the_library(connection: Connection) -> None:
    number = libvirt.getVersion()
    assert connection.version() == f"{number // 1000000}.{number // 1000 % 1000}.{number % 1000}"


def test_a_daemon_that_comes_back_is_asked_again(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.define_network(LAB)
    before = connection.handle
    connection.revive()
    assert connection.handle is before
    real, tries = daemon._open, iter([False, False, True])

    def restarting(uri: str) -> t.Any:
        if next(tries):
            return real(uri)
        raise RequirementError("the daemon does not answer")

    class Gone:
        def isAlive(self) -> int:
            raise libvirt.libvirtError("the connection is gone")

    monkeypatch.setattr(daemon, "_open", restarting)
    monkeypatch.setattr(daemon, "_POLL", 0.0)
    monkeypatch.setattr(connection, "handle", Gone())
    assert not connection.is_alive()
    connection.revive()
    assert connection.is_alive()
    assert list(connection.read_networks()) == ["lab"]


def test_the_connection_is_lost_when_the_daemon_of_the_networks_was_restarted(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # seen with virtqemud and virtnetworkd: the former's connection to the latter is not made anew, and ours looks well
    class HalfGone:
        def isAlive(self) -> int:
            return 1

        def numOfNetworks(self) -> int:
            raise libvirt.libvirtError("internal error: client socket is closed")

    monkeypatch.setattr(connection, "handle", HalfGone())
    assert not connection.is_alive()
    connection.revive()
    assert connection.is_alive()
    assert connection.read_networks() == {}


@pytest.mark.parametrize("uri", ["network:///system", "network+ssh://root@host/system", "nwfilter:///system"])
def test_parts_of_libvirt_are_refused(uri: str) -> None:
    with pytest.raises(InputError, match=f"^uri: {re.escape(uri)} is a part of libvirt that knows no guests"):
        Connection(uri)


@pytest.mark.parametrize("daemon_named", ["virtqemud", "virtnetworkd"])
def test_the_daemon_that_libvirt_names_is_the_one_to_start(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, daemon_named: str
) -> None:
    class Part:
        def listAllNetworks(self, _flags: int) -> t.Any:
            raise libvirt.libvirtError("")

    message = f"Failed to connect socket to '/var/run/libvirt/{daemon_named}-sock': No such file or directory"
    monkeypatch.setattr(libvirt.libvirtError, "get_error_message", lambda _self: message)
    monkeypatch.setattr(connection, "handle", Part())
    sentence = (
        f"libvirt's daemon {daemon_named} does not answer at {URI} ({message}). Start it with 'systemctl start {daemon_named}', "
        "or run the role kvmops.network.hypervisor."
    )
    with pytest.raises(RequirementError, match=f"^{re.escape(sentence)}$") as caught:
        connection.read_networks()
    assert caught.value.details == {"requirement": "daemon"}


def test_a_daemon_that_stays_away_is_given_up(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_uri: str) -> t.Any:
        raise RequirementError("the daemon does not answer")

    monkeypatch.setattr(daemon, "_open", gone)
    monkeypatch.setattr(daemon, "_POLL", 0.0)
    monkeypatch.setattr(daemon, "_PATIENCE", 0.01)
    monkeypatch.setattr(Connection, "is_alive", lambda _self: False)
    connection.revive()
    assert not connection.is_alive()


def test_networks_are_read_as_they_are(driver: libvirt.virConnect, connection: Connection) -> None:
    assert connection.read_networks() == {}
    assert connection.read_network("lab") is None
    stored = driver.networkDefineXML(LAB)
    stored.setAutostart(1)
    transient = driver.networkCreateXML(LAB.replace("lab", "passing").replace("virbr7", "virbr8"))
    assert connection.read_network("lab") == NetworkRecord("lab", stored.XMLDesc(0), None, autostart=True)
    assert connection.read_network("passing") == NetworkRecord("passing", None, transient.XMLDesc(0), autostart=False)
    assert set(connection.read_networks()) == {"lab", "passing"}
    stored.create()
    # the test driver shows what runs only
    assert connection.read_network("lab") == NetworkRecord("lab", dump(driver, "lab"), dump(driver, "lab"), autostart=True)


def test_names_are_not_confused(driver: libvirt.virConnect, connection: Connection) -> None:
    driver.networkDefineXML(LAB.replace("lab", "lab2"))
    assert connection.read_network("lab") is None


def test_each_verb_does_what_it_says(driver: libvirt.virConnect, connection: Connection) -> None:
    connection.define_network(LAB)
    network = driver.networkLookupByName("lab")
    assert (network.isPersistent(), network.isActive(), network.autostart()) == (1, 0, 0)
    connection.start_network("lab")
    assert network.isActive() == 1
    connection.set_network_autostart("lab", autostart=True)
    assert network.autostart() == 1
    connection.set_network_autostart("lab", autostart=False)
    assert network.autostart() == 0
    connection.stop_network("lab")
    assert network.isActive() == 0
    connection.undefine_network("lab")
    assert connection.read_network("lab") is None
    connection.create_network(LAB)
    created = driver.networkLookupByName("lab")
    assert (created.isPersistent(), created.isActive()) == (0, 1)


@pytest.mark.parametrize("verb", ["start_network", "stop_network", "undefine_network", "read_leases"])
def test_libvirts_own_words_come_out(connection: Connection, verb: str) -> None:
    with pytest.raises(LibvirtError, match=r"^Network not found: no network with matching name 'lab'$"):
        getattr(connection, verb)("lab")


def test_a_wrong_document_is_refused_by_a_libvirt_that_validates(connection: Connection) -> None:
    wrong = "<network><name>lab</name><bandwith/></network>"
    if libvirt.getVersion() >= 7_007_000:
        with pytest.raises(LibvirtError, match="XML"):
            connection.define_network(wrong)
        assert connection.read_networks() == {}
    else:  # it drops what it does not know, which is why the modules look at its schema themselves
        connection.define_network(wrong)
        assert "bandwith" not in str(connection.read_network("lab"))


def test_nics_of_running_guests(driver: libvirt.virConnect, connection: Connection) -> None:
    nics = """
    <interface type='network'><mac address='52:54:00:00:00:01'/><source network='lab'/></interface>
    <interface type='bridge'><mac address='52:54:00:00:00:02'/><source bridge='br0'/><target dev='tap7'/></interface>
    <interface type='user'><mac address='52:54:00:00:00:03'/></interface>
    """
    driver.networkDefineXML(LAB)
    assert connection.read_guest_nics() == []
    driver.createXML(GUEST_XML.format(name="runs", nics=nics), 0)
    driver.defineXML(GUEST_XML.format(name="sleeps", nics=nics.replace("00:0", "01:0")))
    found = connection.read_guest_nics()
    assert [(nic.guest, nic.mac, nic.network, nic.bridge) for nic in found] == [
        ("runs", "52:54:00:00:00:01", "lab", None),
        ("runs", "52:54:00:00:00:02", None, "br0"),
        ("runs", "52:54:00:00:00:03", None, None),
    ]
    assert found[1] == GuestNic("runs", "52:54:00:00:00:02", None, "br0", "tap7")


def test_the_test_driver_knows_no_leases(driver: libvirt.virConnect, connection: Connection) -> None:
    driver.networkCreateXML(LAB)
    assert connection.read_leases("lab") is None


def test_what_was_stored_while_it_ran_is_there_when_it_stops(driver: libvirt.virConnect, connection: Connection) -> None:
    # libvirt's daemons do so by themselves, its test driver forgets it
    connection.define_network(LAB)
    connection.start_network("lab")
    connection.define_network(dump(driver, "lab").replace("10.7.0.1", "10.8.0.1"))
    assert "10.7.0.1" in dump(driver, "lab")
    connection.stop_network("lab")
    assert "10.8.0.1" in dump(driver, "lab")


# --- no connection --------------------------------------------------------------------------------------------------------------


START = (
    "Start it with 'systemctl start libvirtd' (or the sockets of virtqemud and virtnetworkd where libvirt is split into several "
    "daemons), or run the role kvmops.network.hypervisor."
)
NO_SOCKET = "Failed to connect socket to '/nonexistent': No such file or directory"
NO_POLKIT = "authentication unavailable: no polkit agent available to authenticate action 'org.libvirt.unix.manage'"
NO_ACCESS = "Failed to connect socket to '/var/run/libvirt/libvirt-sock': Permission denied"


@pytest.mark.parametrize(
    ("uri", "requirement", "message"),
    [
        (
            "qemu+unix:///system?socket=/nonexistent",
            "daemon",
            f"libvirt's daemon does not answer at qemu+unix:///system?socket=/nonexistent ({NO_SOCKET}). {START}",
        ),
        (
            "esx://",
            "uri",
            "There is no libvirt at esx:// (invalid argument: URI is missing the server part). Correct the option uri,",
        ),
        ("a b", "uri", "There is no libvirt at a b ("),
        ("qemu+bogus:///system", "uri", "There is no libvirt at qemu+bogus:///system ("),
    ],
)
def test_each_failure_to_connect_has_its_sentence(uri: str, requirement: str, message: str) -> None:
    with pytest.raises(RequirementError, match=f"^{re.escape(message)}") as caught:
        Connection(uri)
    assert caught.value.details == {"requirement": requirement}


@pytest.mark.parametrize("said", [NO_POLKIT, NO_ACCESS])
def test_a_missing_permission_has_its_sentence(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    # seed 001-2, 001-39: what a daemon says to a user who is neither root nor in the group libvirt
    class Refusal(libvirt.libvirtError):
        def get_error_message(self) -> str:
            return said

    def refuse(_uri: str) -> None:
        raise Refusal(said)

    monkeypatch.setattr(libvirt, "open", refuse)
    user = getpass.getuser()
    message = (
        f"The user {user} may not manage libvirt at qemu:///system ({said}). Run the task as root (become: true), or make "
        "the user a member of the group libvirt and log in anew."
    )
    with pytest.raises(RequirementError, match=f"^{re.escape(message)}$") as caught:
        Connection("qemu:///system")
    assert caught.value.details == {"requirement": "permission"}
