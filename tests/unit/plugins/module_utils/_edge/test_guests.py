# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What libvirt knows of guests, with its test driver; and unplugging, which that driver cannot, with one that is made by hand."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge import guests
from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection, LibvirtError
from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import GuestRecord, Guests, SeenAddress
from ansible_collections.kvmops.network.plugins.module_utils._errors import RequirementError
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import GUEST_XML, URI, start_guest

NIC = "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='lab'/><target dev='tap7'/></interface>"


def document(name: str, nics: str = NIC) -> str:
    return GUEST_XML.format(name=name, nics=nics)


@pytest.fixture
def world(driver: libvirt.virConnect) -> t.Iterator[Guests]:
    """Return the guests of the test driver: one that is off, one that runs, one that is not stored."""
    network = driver.networkDefineXML(
        "<network><name>lab</name><ip address='192.168.90.1' prefix='24'><dhcp><range start='192.168.90.2' end='192.168.90.9'/>"
        "</dhcp></ip></network>"
    )
    network.create()
    driver.defineXML(document("off"))
    driver.defineXML(document("runs")).create()
    start_guest(driver, "alone", "lab")
    with Connection(URI) as connection:
        yield Guests(connection)


# --- reading ------------------------------------------------------------------------------------------------------------------


def test_the_names_of_guests_are_in_order(world: Guests) -> None:
    assert world.names() == ["alone", "off", "runs"]


def test_who_is_held(world: Guests, driver: libvirt.virConnect) -> None:
    assert world.paused() == set()
    driver.lookupByName("runs").suspend()
    assert world.paused() == {"runs"}


def test_a_guest_is_read_as_it_is_stored_and_as_it_runs(world: Guests) -> None:
    for name, stored, live in (("off", True, False), ("runs", True, True), ("alone", False, True)):
        record = world.read(name)
        assert record is not None
        assert record.name == name
        assert (record.stored_xml is not None, record.live_xml is not None) == (stored, live)
        assert f"<name>{name}</name>" in (record.stored_xml or record.live_xml or "")
    running = world.read("runs")
    assert running is not None
    # a running definition has a number, and what is stored has not
    assert " id='" in (running.live_xml or "")
    assert " id='" not in (running.stored_xml or "")


def test_a_guest_that_is_not_there_is_none(world: Guests) -> None:
    assert world.read("nosuch") is None


def test_all_guests_are_read(world: Guests) -> None:
    assert sorted(world.read_all(), key=lambda record: record.name) == [world.read(name) for name in world.names()]


def test_what_is_stored_is_read_with_its_secrets(world: Guests, driver: libvirt.virConnect) -> None:
    driver.defineXML(document("vnc", "<graphics type='vnc' port='-1' passwd='s3cret'/>"))
    assert "s3cret" in world.read_whole("vnc")
    record = world.read("vnc")
    assert record is not None
    assert "s3cret" not in (record.stored_xml or "")
    assert " id='" not in world.read_whole("runs")


def test_a_guest_that_has_gone_is_said(world: Guests) -> None:
    with pytest.raises(RequirementError) as caught:
        world.read_whole("nosuch")
    assert str(caught.value) == "The guest 'nosuch' is gone."
    for change in (world.attach, world.update):
        with pytest.raises(RequirementError):
            change("nosuch", NIC)
    with pytest.raises(RequirementError):
        world.detach("nosuch", NIC, is_gone=lambda _text: True, timeout=0)


def test_a_definition_is_stored_and_what_runs_goes_on(world: Guests) -> None:
    before = world.read("runs")
    assert before is not None
    world.define(world.read_whole("runs").replace("52:54:00:00:00:01", "52:54:00:00:00:02"))
    after = world.read("runs")
    assert after is not None
    assert "52:54:00:00:00:02" in (after.stored_xml or "")
    assert after.live_xml == before.live_xml


def test_a_definition_that_cannot_be_is_an_error_of_libvirts(world: Guests) -> None:
    with pytest.raises(LibvirtError):
        world.define("<domain/>")


# --- addresses, counters, filters ---------------------------------------------------------------------------------------------


def test_addresses_of_a_running_guest(world: Guests) -> None:
    # the test driver makes them up
    for origin in ("lease", "agent", "arp"):
        [seen] = world.addresses("runs", origin)
        assert (seen.mac, seen.prefix, seen.origin) == ("52:54:00:00:00:01", 24, origin)
        assert seen.address.startswith("192.168.90.")


def test_there_are_no_addresses_of_what_does_not_run(world: Guests) -> None:
    assert world.addresses("off", "lease") == world.addresses("nosuch", "lease") == []


def test_counters(world: Guests) -> None:
    found = world.statistics("runs", "tap7")
    assert found is not None
    assert list(found) == [f"{way}_{what}" for way in ("rx", "tx") for what in ("bytes", "packets", "errors", "dropped")]
    assert all(isinstance(number, int) for number in found.values())
    assert world.statistics("runs", "tap8") is None
    assert world.statistics("off", "tap7") is None
    assert world.statistics("nosuch", "tap7") is None


def test_the_test_driver_has_no_filters(world: Guests) -> None:
    assert world.filters() is None


# --- a daemon that is made by hand ----------------------------------------------------------------------------------------------


def error(code: int, text: str = "no") -> libvirt.libvirtError:
    made = libvirt.libvirtError(text)
    made.err = (code, 0, text, 2, "", None, None, -1, -1)
    made.get_error_message = lambda: text  # type: ignore[method-assign] # as libvirt's own
    return made


@dataclass
class Daemon:
    """A daemon with one guest that lets go of its NIC after some looks, or never."""

    looks_until_gone: int | None = None
    errors: list[libvirt.libvirtError | None] = field(default_factory=list)
    active: bool = True
    there: bool = True
    requests: list[tuple[str, int]] = field(default_factory=list)
    found: dict[str, t.Any] = field(default_factory=dict)
    looks: int = 0
    now: float = 100.0

    @property
    def handle(self) -> Daemon:
        return self

    def name(self) -> str:
        return "web"

    def lookupByName(self, name: str) -> Daemon:
        assert name == "web"
        if not self.there:
            raise error(libvirt.VIR_ERR_NO_DOMAIN)
        return self

    def listAllDomains(self, _flags: int) -> list[Daemon]:
        return [self]

    def listAllNWFilters(self, _flags: int) -> list[Daemon]:
        raise error(libvirt.VIR_ERR_ACCESS_DENIED, "not allowed")

    def detachDeviceFlags(self, xml: str, flags: int) -> None:
        self.requests.append((xml, flags))
        failure = self.errors.pop(0) if self.errors else None
        if failure is not None:
            raise failure

    def isActive(self) -> bool:
        return self.active

    def isPersistent(self) -> bool:
        return False

    def XMLDesc(self, _flags: int) -> str:
        if not self.there:
            raise error(libvirt.VIR_ERR_NO_DOMAIN)
        self.looks += 1
        gone = self.looks_until_gone is not None and self.looks > self.looks_until_gone
        return "<domain/>" if gone else "<domain>NIC</domain>"

    def interfaceAddresses(self, _source: int) -> dict[str, t.Any]:
        return self.found

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Daemon:
    made = Daemon()
    monkeypatch.setattr(guests, "time", made)
    return made


def detach(daemon: Daemon, timeout: float = 1) -> bool:
    return Guests(t.cast("t.Any", daemon)).detach("web", NIC, is_gone=lambda text: "NIC" not in text, timeout=timeout)


def test_a_nic_that_a_guest_releases_is_gone(daemon: Daemon) -> None:
    daemon.looks_until_gone = 5
    assert detach(daemon)
    assert daemon.requests == [(NIC, libvirt.VIR_DOMAIN_AFFECT_LIVE)]
    assert daemon.looks == 6
    assert 100 < daemon.now < 101


def test_a_nic_that_is_gone_at_once_is_not_waited_for(daemon: Daemon) -> None:
    daemon.looks_until_gone = 0
    assert detach(daemon, timeout=0)
    assert daemon.now == 100


def test_a_nic_that_a_guest_does_not_release_is_waited_for_in_vain(daemon: Daemon) -> None:
    assert not detach(daemon, timeout=1)
    assert daemon.now == pytest.approx(101, abs=0.1)
    assert not detach(daemon, timeout=0)


def test_a_request_that_is_under_way_is_waited_for(daemon: Daemon) -> None:
    daemon.looks_until_gone = 2
    daemon.errors = [
        error(
            libvirt.VIR_ERR_INTERNAL_ERROR,
            "internal error: unable to execute QEMU command 'device_del': Device net1 is already in the process of unplug",
        )
    ]
    assert detach(daemon)


def test_a_request_that_is_refused_is_an_error(daemon: Daemon) -> None:
    daemon.errors = [error(libvirt.VIR_ERR_DEVICE_MISSING, "device not found: no device matching MAC address")]
    with pytest.raises(LibvirtError, match="device not found"):
        detach(daemon)


def test_a_guest_that_was_busy_is_asked_again(daemon: Daemon) -> None:
    missing = error(libvirt.VIR_ERR_DEVICE_MISSING, "device not found")
    # the last one: it has gone since it was looked for
    daemon.errors = [None, None, missing]
    assert not detach(daemon, timeout=5)
    assert daemon.requests == [(NIC, libvirt.VIR_DOMAIN_AFFECT_LIVE)] * 3
    daemon.looks, daemon.looks_until_gone = 0, 50
    assert detach(daemon, timeout=5)
    assert len(daemon.requests) == 5


def test_a_guest_that_ends_has_released_its_nic(daemon: Daemon) -> None:
    daemon.active = False
    assert detach(daemon)


def test_a_guest_that_goes_while_all_are_read_is_left_out(daemon: Daemon) -> None:
    here = Guests(t.cast("t.Any", daemon))
    assert here.read_all() == [GuestRecord("web", None, "<domain>NIC</domain>")]
    daemon.there = False
    assert here.read_all() == []


@pytest.mark.parametrize(
    ("found", "seen"),
    [
        ({}, []),
        ({"lo": {"addrs": None, "hwaddr": "00:00:00:00:00:00"}}, []),
        ({"tun0": {"addrs": [{"addr": "10.0.0.1", "prefix": 24, "type": 0}], "hwaddr": None}}, []),
        ({"tun0": {"addrs": [{"addr": "10.0.0.1", "prefix": 24, "type": 0}]}}, []),
        (
            {
                "eth0": {
                    "addrs": [{"addr": "10.0.0.1", "prefix": 24, "type": 0}, {"addr": "fd00::1", "prefix": 64, "type": 1}],
                    "hwaddr": "52:54:00:AA:00:01",
                }
            },
            [
                SeenAddress("52:54:00:aa:00:01", "10.0.0.1", 24, "agent"),
                SeenAddress("52:54:00:aa:00:01", "fd00::1", 64, "agent"),
            ],
        ),
    ],
)
def test_what_a_guest_tells(daemon: Daemon, found: dict[str, t.Any], seen: list[SeenAddress]) -> None:
    daemon.found = found
    assert Guests(t.cast("t.Any", daemon)).addresses("web", "agent") == seen


def test_filters_that_may_not_be_seen_are_an_error(daemon: Daemon) -> None:
    with pytest.raises(LibvirtError, match="not allowed"):
        Guests(t.cast("t.Any", daemon)).filters()
