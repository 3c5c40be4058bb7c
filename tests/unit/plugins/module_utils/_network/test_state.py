# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Who is plugged into a network."""

from __future__ import annotations

import re

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import GuestNic, NetworkRecord
from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Host, Link
from ansible_collections.kvmops.network.plugins.module_utils._errors import NetworkError
from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState, User
from ansible_collections.kvmops.network.plugins.module_utils._network.state import find_users, nics_of, read_state

XML = "<network><name>lab</name><bridge name='virbr7'/></network>"
LIVE = {"name": "lab", "bridge": {"name": "virbr7"}}
RUNS = NetworkState("lab", stored=LIVE, live=LIVE)


def test_a_definition_that_cannot_be_understood_is_said_with_its_network() -> None:
    # libvirt writes this delay when it was given one of 2 to the power of 64
    record = NetworkRecord("lab", XML.replace("/></", " delay='-1'/></"), None, autostart=False)
    message = (
        "The network 'lab' of this host has a definition that cannot be understood: bridge.delay: '-1' is not a whole "
        "number from 0 to "
        "9223372036854775807. Correct it with 'virsh net-edit lab'."
    )
    with pytest.raises(NetworkError, match=f"^{re.escape(message)}$"):
        read_state("lab", record)


def test_what_libvirt_found_for_a_running_network_is_not_what_it_was_given() -> None:
    stored = "<network><name>lab</name><forward mode='hostdev'><pf dev='eth0'/></forward></network>"
    live = stored.replace("</forward>", "<address type='pci' bus='6' connections='1'/></forward>")
    state = read_state("lab", NetworkRecord("lab", stored, live, autostart=False))
    assert state.live == state.stored
    assert read_state("lab", NetworkRecord("lab", live, live, autostart=False)).stored != state.stored


def nic(guest: str, *, network: str | None = None, bridge: str | None = None, device: str | None = None) -> GuestNic:
    return GuestNic(guest=guest, mac=None, network=network, bridge=bridge, device=device)


def host(*links: tuple[str, str | None]) -> Host:
    found = [Link(name=name, mac=None, kind="", master=master, wireless=False, addresses=()) for name, master in links]
    return Host(links={link.name: link for link in found}, routes=())


def test_a_network_in_normal_form() -> None:
    assert read_state("lab", None) == NetworkState("lab")
    assert read_state("lab", NetworkRecord("lab", XML, None, autostart=True)) == NetworkState("lab", stored=LIVE, autostart=True)
    assert read_state("lab", NetworkRecord("lab", None, XML, autostart=False)) == NetworkState("lab", live=LIVE)


def test_nics_are_plugged_in_by_the_networks_name_or_its_bridge() -> None:
    by_name = nic("a", network="lab", bridge="virbr7")
    by_bridge = nic("b", bridge="virbr7")
    others = [nic("c", network="other", bridge="virbr7"), nic("d", bridge="virbr8"), nic("e")]
    assert nics_of(RUNS, [by_name, by_bridge, *others]) == [by_name, by_bridge]


def test_a_network_without_a_bridge_has_no_guest_by_bridge() -> None:
    macvtap = {"name": "lab", "forward": {"mode": "bridge", "dev": "eth0"}}
    assert nics_of(NetworkState("lab", stored=macvtap, live=macvtap), [nic("a"), nic("b", network="lab")]) == [
        nic("b", network="lab")
    ]


def test_users_are_guests_and_what_else_is_on_the_bridge() -> None:
    nics = [nic("a", network="lab", device="vnet0"), nic("b", network="other", device="vnet1")]
    seen = host(("vnet0", "virbr7"), ("virbr7-nic", "virbr7"), ("veth9", "virbr7"), ("vnet1", "virbr8"), ("eth0", None))
    assert find_users(RUNS, nics, seen) == [User("guest 'a'"), User("interface 'veth9'")]
    assert find_users(RUNS, nics, None) == [User("guest 'a'")]


def test_ports_of_the_hosts_own_bridge_are_no_users() -> None:
    shared = {"name": "lab", "forward": {"mode": "bridge"}, "bridge": {"name": "br0"}}
    assert find_users(NetworkState("lab", stored=shared, live=shared), [], host(("eth0", "br0"))) == []


def test_nothing_is_plugged_into_a_network_that_does_not_run() -> None:
    assert find_users(NetworkState("lab", stored=LIVE), [nic("b", bridge="virbr7")], host(("veth9", "virbr7"))) == []
