# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest
from kvmops_lab import commands, domain
from kvmops_lab.cli import _parser, split_at_dashes
from kvmops_lab.errors import LabError

GUEST = domain.Guest(
    host="trixie-1",
    name="web",
    nics=(
        domain.Nic(source="default", mac="52:54:00:00:00:01"),
        domain.Nic(source="bridge:br0", mac="52:54:00:00:00:02", address="192.168.5.2/24", gateway="192.168.5.1"),
        domain.Nic(source="direct:eth1", mac="52:54:00:00:00:03", address="fd00::2/64"),
    ),
    memory=128,
    accelerator="qemu",
)


WITH_AGENT = replace(GUEST, agent=True)
ON_Q35 = replace(GUEST, machine="q35")


def rendered(guest: domain.Guest) -> ElementTree.Element:
    return ElementTree.fromstring(domain.render(guest, kernel="/k", initramfs="/i"))


def nics(*arguments: str) -> list[domain.Nic]:
    return commands.nics_from(_parser().parse_args(["guest", "start", "trixie-1", "web", *arguments]))


def test_the_definition_says_where_each_nic_is_plugged_in() -> None:
    text = domain.render(GUEST, kernel="/k", initramfs="/i")
    assert domain.sources(text) == {
        "52:54:00:00:00:01": "default",
        "52:54:00:00:00:02": "bridge:br0",
        "52:54:00:00:00:03": "direct:eth1",
    }
    assert domain.is_same(text, GUEST)


def test_static_addresses_are_on_the_kernels_command_line() -> None:
    words = (ElementTree.fromstring(domain.render(GUEST, kernel="/k", initramfs="/i")).findtext("os/cmdline") or "").split()
    assert [word for word in words if word.startswith("lab.nic=")] == [
        "lab.nic=52:54:00:00:00:02,192.168.5.2/24,192.168.5.1",
        "lab.nic=52:54:00:00:00:03,fd00::2/64",
    ]


@pytest.mark.parametrize(("guest", "channels"), [(GUEST, []), (WITH_AGENT, ["org.qemu.guest_agent.0"])])
def test_only_a_guest_with_the_agent_has_its_channel(guest: domain.Guest, channels: list[str]) -> None:
    assert [target.get("name") for target in rendered(guest).findall("devices/channel[@type='unix']/target")] == channels


@pytest.mark.parametrize(
    ("guest", "machine", "ports"),
    [(GUEST, "pc", 0), (WITH_AGENT, "pc", 0), (ON_Q35, "q35", 3 + 8), (replace(WITH_AGENT, machine="q35"), "q35", 3 + 1 + 8)],
)
def test_a_q35_has_eight_ports_more_than_devices(guest: domain.Guest, machine: str, ports: int) -> None:
    controllers = rendered(guest).findall("devices/controller[@model='pcie-root-port']")
    assert [controller.get("index") for controller in controllers] == [str(index) for index in range(1, ports + 1)]
    kind = rendered(guest).find("os/type")
    assert kind is not None
    assert kind.get("machine") == machine


@pytest.mark.parametrize("other", [WITH_AGENT, ON_Q35, replace(GUEST, nics=GUEST.nics[:2])])
def test_a_guest_is_the_same_only_with_the_same_nics_machine_and_agent(other: domain.Guest) -> None:
    text = domain.render(other, kernel="/k", initramfs="/i")
    assert domain.is_same(text, other)
    assert not domain.is_same(text, GUEST)
    assert not domain.is_same(domain.render(GUEST, kernel="/k", initramfs="/i"), other)


@pytest.mark.parametrize(("guest", "versioned"), [(GUEST, "pc-i440fx-10.0"), (ON_Q35, "pc-q35-10.0")])
def test_a_machine_is_the_same_under_the_name_that_libvirt_gives_it(guest: domain.Guest, versioned: str) -> None:
    text = domain.render(guest, kernel="/k", initramfs="/i").replace(f'machine="{guest.machine}"', f'machine="{versioned}"')
    assert versioned in text
    assert domain.is_same(text, guest)


def test_a_guest_is_a_pc_unless_another_machine_is_asked_for() -> None:
    def machine(*arguments: str) -> str:
        return commands._machine_from(_parser().parse_args(["guest", "start", "trixie-1", "web", *arguments]))

    assert machine("--network", "a") == "pc"
    assert machine("--network", "a", "--machine", "q35") == "q35"
    assert machine() == "pc"
    for arguments in (["--machine", "q35"], ["--agent"]):
        with pytest.raises(LabError, match="need one"):
            machine(*arguments)


def test_options_of_a_nic_are_those_in_its_place() -> None:
    first, second = nics("--network", "default", "lab", "--address", "dhcp", "10.0.0.2/24", "--gateway", "none", "10.0.0.1")
    assert (first.source, first.address, first.gateway) == ("default", None, None)
    assert (second.source, second.address, second.gateway) == ("lab", "10.0.0.2/24", "10.0.0.1")
    assert first.mac != second.mac
    assert [nic.mac for nic in nics("--network", "default", "lab")] == [first.mac, second.mac]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--network", "a", "--address", "10.0.0.2/24", "10.0.0.3/24"], "more --address than --network"),
        (["--network", "a", "--address", "10.0.0.256/24"], "does not appear to be an IPv4 or IPv6"),
        (["--network", "a", "--mac", "52-54-00-00-00-01"], "is no MAC address"),
        (["--network", "a", "--gateway", "10.0.0.1"], "needs an address"),
        (["--network", "tap:a"], "nothing to plug a NIC into"),
    ],
)
def test_wrong_options_get_a_sentence(arguments: list[str], sentence: str) -> None:
    with pytest.raises(LabError, match=sentence):
        nics(*arguments)


def test_what_follows_the_dashes_is_not_for_the_lab() -> None:
    assert split_at_dashes(["run", "--", "ls", "--", "-l"]) == (["run"], ["ls", "--", "-l"])
