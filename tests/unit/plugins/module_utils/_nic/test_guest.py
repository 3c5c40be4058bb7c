# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""A guest's NICs, what is stored and what runs put together."""

from __future__ import annotations

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import GuestRecord
from ansible_collections.kvmops.network.plugins.module_utils._errors import NetworkError
from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import GuestState, NicState, read_guest

Key = tuple[str, str, str]  # what a NIC's MAC address and PCI slot end with, and its alias


def document(*nics: Key, more: str = "") -> str:
    interfaces = "".join(
        f"<interface type='user'><mac address='52:54:00:00:00:{mac}'/>"
        + (f"<alias name='{alias}'/>" if alias else "")
        + (f"<address type='pci' slot='0x{slot}'/>" if slot else "")
        + "</interface>"
        for mac, slot, alias in nics
    )
    return f"<domain type='kvm'><name>web</name>{more}<devices>{interfaces}</devices></domain>"


def read(stored: list[Key] | None, live: list[Key] | None, more: str = "") -> GuestState:
    texts = [document(*nics, more=more) if nics is not None else None for nics in (stored, live)]
    return read_guest(GuestRecord("web", *texts))


def pairs(guest: GuestState) -> list[tuple[str | None, str | None]]:
    return [tuple(nic.mac[-2:] if nic is not None else None for nic in (each.stored, each.live)) for each in guest.nics]


@pytest.mark.parametrize(
    ("stored", "live", "paired"),
    [
        # by the address on the wire
        ([("01", "02", "")], [("01", "02", "net0")], [("01", "01")]),
        ([("01", "02", ""), ("02", "03", "")], [("02", "03", "net1"), ("01", "02", "net0")], [("01", "01"), ("02", "02")]),
        # also where the place on the bus is that of another
        ([("01", "02", ""), ("02", "03", "")], [("01", "03", "net0"), ("02", "02", "net1")], [("01", "01"), ("02", "02")]),
        # by the name, where the address waits
        ([("09", "05", "ua-lan")], [("01", "02", "ua-lan")], [("09", "01")]),
        # by the place on the bus, where the address waits
        ([("09", "02", "")], [("01", "02", "net0")], [("09", "01")]),
        # the name counts more than the place
        (
            [("08", "02", "ua-a"), ("09", "03", "ua-b")],
            [("01", "03", "ua-a"), ("02", "02", "ua-b")],
            [("08", "01"), ("09", "02")],
        ),
        # libvirt's own aliases say nothing
        ([("09", "05", "")], [("01", "02", "net0")], [("09", None), (None, "01")]),
        # without a place there is no partner
        ([("09", "", "")], [("01", "", "net0")], [("09", None), (None, "01")]),
        # one that has a partner gets no other one
        ([("01", "02", "")], [("01", "03", "net0"), ("05", "02", "net1")], [("01", "01"), (None, "05")]),
        # only stored, only running
        ([("01", "02", ""), ("02", "03", "")], [("02", "03", "net0")], [("01", None), ("02", "02")]),
        ([], [("01", "02", "net0")], [(None, "01")]),
        # the order is that of the definition, then that in which they run
        ([("03", "04", "")], [("01", "02", ""), ("03", "04", ""), ("02", "03", "")], [("03", "03"), (None, "01"), (None, "02")]),
        # two of one address: in their order, and each has one partner at most
        ([("01", "02", ""), ("01", "03", "")], [("01", "02", ""), ("01", "03", "")], [("01", "01"), ("01", "01")]),
        ([("01", "02", "")], [("01", "02", ""), ("01", "03", "")], [("01", "01"), (None, "01")]),
        ([("01", "02", ""), ("01", "03", "")], [("01", "02", "")], [("01", "01"), ("01", None)]),
    ],
)
def test_what_is_one_nic(stored: list[Key], live: list[Key], paired: list[tuple[str | None, str | None]]) -> None:
    assert pairs(read(stored, live)) == paired


def test_a_guest_that_is_off() -> None:
    guest = read([("01", "02", "")], None)
    assert (guest.name, guest.persistent, guest.running) == ("web", True, False)
    assert pairs(guest) == [("01", None)]


def test_a_guest_that_is_not_stored() -> None:
    guest = read(None, [("01", "02", "net0")])
    assert (guest.persistent, guest.running) == (False, True)
    assert pairs(guest) == [(None, "01")]


def test_what_is_stored_and_what_runs_are_read_each_in_its_way() -> None:
    text = (
        "<domain><devices><interface type='{}'><mac address='52:54:00:00:00:01'/><source network='lab' {}/>"
        "<target dev='vnet0'/></interface></devices></domain>"
    )
    [nic] = read_guest(GuestRecord("web", text.format("network", ""), text.format("bridge", "bridge='br0'"))).nics
    assert nic.stored is not None
    assert nic.live is not None
    assert nic.live.definition == {"type": "network", "mac": "52:54:00:00:00:01", "source": {"network": "lab"}}
    assert nic.stored.definition == {**nic.live.definition, "target": {"dev": "vnet0"}}
    assert (nic.stored.device, nic.live.device, nic.live.bridge) == (None, "vnet0", "br0")


def test_the_bridges_of_what_is_plugged_in() -> None:
    text = (
        "<domain><devices><interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/></interface>"
        "<interface type='user'><mac address='52:54:00:00:00:02'/></interface></devices></domain>"
    )
    assert read_guest(GuestRecord("web", document(("03", "", "")), text)).bridges == {
        "52:54:00:00:00:01": "br0",
        "52:54:00:00:00:02": None,
    }
    assert read_guest(GuestRecord("web", text, None)).bridges == {}


def test_what_a_nic_is_known_by() -> None:
    [changing] = read([("09", "02", "")], [("01", "02", "net0")]).nics
    assert changing.shown is changing.stored
    assert changing.macs == {"52:54:00:00:00:09", "52:54:00:00:00:01"}
    [hot] = read([], [("01", "02", "net0")]).nics
    assert hot.shown is hot.live
    assert hot.macs == {"52:54:00:00:00:01"}
    [cold] = read([("01", "02", "")], None).nics
    assert cold.shown is cold.stored
    assert NicState().macs == set()


def test_what_a_guest_boots_from() -> None:
    devices = (
        "<disk><boot order='1'/></disk><interface type='user'><boot order='2'/></interface><hostdev><boot order='7'/></hostdev>"
    )
    text = f"<domain><name>web</name><os><type>hvm</type></os><devices>{devices}<disk/></devices></domain>"
    guest = read_guest(GuestRecord("web", text, None))
    assert guest.boot_orders == {1, 7}
    assert not guest.boots_by_kind
    by_kind = read([], None, more="<os><boot dev='hd'/><boot dev='network'/></os>")
    assert by_kind.boots_by_kind
    assert by_kind.boot_orders == frozenset()


def test_what_a_guest_boots_from_is_what_is_stored() -> None:
    texts = [f"<domain><name>web</name><devices><disk><boot order='{order}'/></disk></devices></domain>" for order in (1, 2)]
    assert read_guest(GuestRecord("web", texts[0], texts[1])).boot_orders == {1}
    assert read_guest(GuestRecord("web", None, texts[1])).boot_orders == {2}


def test_a_definition_that_cannot_be_understood_names_the_guest() -> None:
    text = "<domain><devices><interface type='user'><link state='sideways'/></interface></devices></domain>"
    for record in (GuestRecord("web", text, None), GuestRecord("web", None, text)):
        with pytest.raises(NetworkError) as caught:
            read_guest(record)
        assert str(caught.value) == (
            "The guest 'web' of this host has a definition that cannot be understood: link: 'sideways' is none of up, down. "
            "Correct it with 'virsh edit web'."
        )


# What libvirt takes, stores and shows; what a task may say is narrower.
@pytest.mark.parametrize(
    "content",
    [
        "<driver queues='1024'/>",
        "<driver rx_queue_size='1048576' tx_queue_size='1048576'/>",
        "<model type='foo'/>",
        "<mtu size='4294967295'/>",
        "<boot order='4294967295'/>",
        "<bandwidth><inbound average='10000000000'/></bandwidth>",
        "<backend type='vhostuser'/>",
        "<driver name='vfio'/>",
    ],
)
def test_what_libvirt_takes_can_be_understood(content: str) -> None:
    text = f"<domain><devices><interface type='network'><source network='a'/>{content}</interface></devices></domain>"
    assert len(read_guest(GuestRecord("web", text, None)).nics) == 1
