# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What a NIC meets on its host: bridges, interfaces, their MAC addresses, and filters. The host is made up."""

from __future__ import annotations

import typing as t

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.module_utils import _module
from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import Guests
from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Link
from ansible_collections.kvmops.network.tests.unit.plugins.support.nics import (
    Options,
    define_guest,
    define_network,
    hide_made_up_targets,
    make_nic,
    nic_facts,
    nic_task,
    step,
    world,
)

LAN, WAN = "52:54:00:00:00:01", "52:54:00:00:00:02"
CARD = "52:54:00:00:00:e1"


def link(name: str, kind: str = "", *, mac: str | None = None, master: str | None = None, wireless: bool = False) -> Link:
    return Link(name=name, mac=mac, kind=kind, master=master, wireless=wireless, addresses=())


LINKS = (
    link("lo"),
    link("eth0", master="br0"),
    link("eth1", mac=CARD),
    link("eth2", master="ovs-system"),
    link("wlan0", wireless=True),
    link("br0", "bridge", mac="52:54:00:00:00:b0"),
    link("virbr1", "bridge", mac="52:54:00:00:00:b1"),
    link("ovs0", "openvswitch"),
    link("vnet0", "tun", mac="fe:54:00:00:00:01"),
    link("macvtap0", "macvtap", mac="52:54:00:00:00:ee"),
)


@pytest.fixture
def host(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> libvirt.virConnect:
    """Return a host with these interfaces, two filters, a network that runs, and two guests: one runs, one is off."""
    hide_made_up_targets(monkeypatch)
    monkeypatch.setattr(_module, "is_local", lambda _uri: True)
    monkeypatch.setattr(_module, "read_links", lambda _run: {each.name: each for each in LINKS})
    monkeypatch.setattr(Guests, "filters", lambda _self: ["clean-traffic", "no-spoof"])
    define_network(driver, "lab", "<bridge name='virbr1'/><ip address='192.168.101.1' prefix='24'/>", running=True)
    define_guest(driver, "web", make_nic(LAN, "network='lab'", alias="lan"))
    define_guest(driver, "db", make_nic(WAN, "network='lab'", alias="lan"), running=True)
    return driver


def new(**options: t.Any) -> Options:
    return {"alias": "new", **options}


CARDS = "There are: eth0, eth1, eth2, ovs0, wlan0."
WRONG: dict[str, tuple[Options, str]] = {
    "no bridge": (
        new(source={"bridge": "eth1"}),
        "source.bridge: 'eth1' is an interface of this host, but no bridge; name a bridge, or use source.dev for a macvtap.",
    ),
    "port of a bridge": (
        new(source={"dev": "eth0"}),
        "source.dev: 'eth0' is a port of the bridge 'br0' and cannot carry a macvtap as well; use source.bridge 'br0'.",
    ),
    "port of a bridge, for a NIC that is there": ({"alias": "lan", "source": {"dev": "eth0"}}, "source.dev: 'eth0' is a port of"),
    "Wi-Fi": (
        new(source={"dev": "wlan0"}),
        "source.dev: 'wlan0' is a Wi-Fi interface, whose access point takes frames from the host's own MAC address only; use a "
        "network of mode 'nat' instead.",
    ),
    "bridge of a network": (
        new(source={"dev": "virbr1"}),
        "source.dev: 'virbr1' is the bridge of the network 'lab'; use source.network 'lab'.",
    ),
    "missing bridge of a guest that runs": (
        {"domain": "db", **new(source={"bridge": "br9"})},
        "source.bridge: 'br9' does not exist on this host; correct the name, or make it first. There are: br0, virbr1.",
    ),
    "missing bridge for a NIC that runs": (
        {"domain": "db", "alias": "lan", "source": {"bridge": "br9"}},
        "source.bridge: 'br9' does not exist on this host; correct the name, or make it first. There are: br0, virbr1.",
    ),
    "missing interface of a guest that runs": ({"domain": "db", **new(source={"dev": "eth9"})}, "source.dev: 'eth9' does not"),
    "missing interface for a NIC that waits for a start": (
        {"domain": "db", "alias": "lan", "source": {"dev": "eth9"}},
        "source.dev: 'eth9' does not exist on this host; correct the name, or make it first. There are: ",
    ),
    "address of a card": (
        new(source={"network": "lab"}, mac=CARD.upper()),
        f"mac: '{CARD}' is the address of 'eth1' on this host; give another one.",
    ),
    "address of a bridge": (
        {"alias": "lan", "mac": "52:54:00:00:00:b0"},
        "mac: '52:54:00:00:00:b0' is the address of 'br0' on this host; give another one.",
    ),
    "unknown filter": (
        {"alias": "lan", "filterref": {"filter": "clean"}},
        "filterref.filter: the filter 'clean' does not exist on this host; correct the name. There are: clean-traffic, no-spoof.",
    ),
}


@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_the_host_is_refused(host: libvirt.virConnect, options: Options, message: str) -> None:
    before = world(host)
    for check in (True, False):
        result = nic_task(check=check, **options)
        assert result.failed
        assert result.msg.startswith(message)
        assert world(host) == before


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (new(source={"bridge": "br0"}), "source/@bridge=br0"),
        (new(source={"bridge": "virbr1"}), "source/@bridge=virbr1"),
        (new(source={"bridge": "ovs0"}, virtualport={"type": "openvswitch"}), "source/@bridge=ovs0"),
        (new(source={"dev": "eth1"}), "source/@dev=eth1"),
        (new(source={"dev": "br0"}), "source/@dev=br0"),
        # the host's end of a macvtap has the guest's own address
        (new(source={"network": "lab"}, mac="52:54:00:00:00:ee"), "mac/@address=52:54:00:00:00:ee"),
        (new(source={"network": "lab"}, filterref={"filter": "clean-traffic"}), "filterref/@filter=clean-traffic"),
    ],
    ids=str,
)
def test_what_fits_the_host_is_done(host: libvirt.virConnect, options: Options, shown: str) -> None:
    result = step(host, changed=True, **options)
    assert result.warnings == ()
    assert shown in nic_facts(host)
    step(host, changed=False, **options)


@pytest.mark.parametrize("source", [{"bridge": "br9"}, {"dev": "eth9"}], ids=str)
def test_a_guest_that_is_off_may_be_plugged_into_what_comes_later(host: libvirt.virConnect, source: Options) -> None:
    task = new(source=source)
    name = next(iter(source.values()))
    warned = step(host, changed=True, **task)
    assert warned.warnings == (f"'{name}' does not exist on this host: the guest cannot start before it does.",)
    assert step(host, changed=False, **task).warnings == ()


def test_what_was_wrong_before_does_not_stand_in_the_way(host: libvirt.virConnect) -> None:
    # somebody else plugged them into a port of a bridge, and a network that is gone; the tasks are about something else
    twin = "<target dev='a/b'/>"
    port = make_nic("52:54:00:00:00:03", "dev='eth0' mode='vepa'", kind="direct", more=twin, alias="port")
    gone = make_nic("52:54:00:00:00:04", "network='gone'", more=f"{twin}<filterref filter='gone'/>", alias="gone")
    host.lookupByName("web").undefine()
    define_guest(host, "web", port, gone)
    for alias in ("port", "gone"):
        step(host, changed=False, alias=alias)
        step(host, changed=True, alias=alias, link="down")
        step(host, changed=True, alias=alias, mtu=None, model="e1000")
    # and these are about it
    assert nic_task(alias="gone", source={"network": "went"}).msg.startswith("source.network: the network 'went' does not exist")
    assert nic_task(alias="port", source={"dev": "wlan0"}).msg.startswith("source.dev: 'wlan0' is a Wi-Fi interface")
    for alias in ("port", "gone"):
        step(host, changed=True, alias=alias, state="absent")


def test_the_host_is_not_looked_at_for_nothing(host: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_run: object) -> None:
        raise AssertionError("nobody needs to know")

    monkeypatch.setattr(_module, "read_links", refuse)
    step(host, changed=False, alias="lan", source={"network": "lab"})
    step(host, changed=True, alias="lan", link="down")
    step(host, changed=True, alias="lan", state="absent")
