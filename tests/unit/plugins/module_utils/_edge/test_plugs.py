# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Guests are plugged in again as they were, by the commands that were seen to do it on a host."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field, replace

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import GuestNic, LibvirtError, NetworkRecord
from ansible_collections.kvmops.network.plugins.module_utils._edge.plugs import plug_in

XML = "<network><name>lab</name><bridge name='virbr7'{bridge}/>{more}</network>"
NICS = [
    GuestNic("web", "52:54:00:00:00:01", "lab", "virbr7", "vnet0", port_xml="<networkport>1</networkport>"),
    GuestNic(
        "db", "52:54:00:00:00:02", "lab", "virbr7", "vnet1", port_xml="<networkport>2</networkport>", isolated=True, mtu=1300
    ),
    GuestNic("old", "52:54:00:00:00:03", None, "virbr7", "vnet2"),
    GuestNic("elsewhere", "52:54:00:00:00:04", "other", "virbr8", "vnet3", port_xml="<networkport>4</networkport>"),
]


@dataclass
class Host:
    """The daemon and the kernel: who is on which bridge."""

    xml: str = XML.format(bridge="", more="")
    nics: list[GuestNic] = field(default_factory=lambda: list(NICS))
    masters: dict[str, str] = field(default_factory=lambda: {"vnet0": "", "vnet1": "", "vnet2": "", "vnet3": ""})
    ports: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    stp: int = 1
    isolated: bool | None = None
    fails: str = ""

    def read_network(self, name: str) -> NetworkRecord | None:
        assert name == "lab"
        return NetworkRecord(name, self.xml, self.xml, False)

    def read_guest_nics(self) -> list[GuestNic]:
        return self.nics

    def reclaim_port(self, name: str, xml: str) -> None:
        assert name == "lab"
        self.ports.append(xml)

    def _port(self, name: str, master: str) -> dict[str, t.Any]:
        if not master:
            return {"ifname": name}
        data = {} if self.isolated is None else {"isolated": self.isolated}
        return {"ifname": name, "master": master, "linkinfo": {"info_slave_data": data}}

    def run(self, command: list[str]) -> tuple[int, str, str]:
        if command[:2] == ["ip", "-j"]:
            links = [{"ifname": "virbr7", "mtu": 1400, "linkinfo": {"info_kind": "bridge", "info_data": {"stp_state": self.stp}}}]
            links += [self._port(name, master) for name, master in self.masters.items()]
            return 0, json.dumps(links), ""
        text = " ".join(command[1:])
        if self.fails and self.fails in text:
            return 2, "", "RTNETLINK answers: Operation not permitted\n"
        self.commands.append(text)
        if "isolated" in command:
            self.isolated = True
        if "stp_state" in command:
            self.stp = int(command[-1])
        if "master" in command:
            self.masters[command[command.index("dev") + 1]] = command[-1]
        return 0, "", ""


def plug(host: Host) -> None:
    plug_in(t.cast("t.Any", host), host.run, "lab")


def test_all_that_belong_there_are_plugged_in_while_stp_is_off() -> None:
    host = Host()
    plug(host)
    assert host.ports == ["<networkport>1</networkport>", "<networkport>2</networkport>"]
    assert host.commands == [
        "link set dev virbr7 type bridge stp_state 0",
        "link set dev vnet0 mtu 1400 master virbr7",
        "link set dev vnet0 up",
        "link set dev vnet1 mtu 1300 master virbr7",
        "link set dev vnet1 type bridge_slave isolated on",
        "link set dev vnet1 up",
        "link set dev vnet2 mtu 1400 master virbr7",
        "link set dev vnet2 up",
        "link set dev virbr7 type bridge stp_state 1",
    ]


def test_who_is_there_is_left_alone() -> None:
    host = Host(masters={"vnet0": "virbr7", "vnet1": "virbr7", "vnet2": "virbr7", "vnet3": ""})
    plug(host)
    assert (host.ports, host.commands) == ([], [])


def test_without_stp_none_is_turned_on() -> None:
    host = Host(xml=XML.format(bridge=" stp='off'", more=""), nics=NICS[:1])
    plug(host)
    assert host.commands == ["link set dev vnet0 mtu 1400 master virbr7", "link set dev vnet0 up"]


def test_where_a_run_was_killed_stp_is_on_again() -> None:
    host = Host(masters={"vnet0": "virbr7", "vnet1": "virbr7", "vnet2": "virbr7", "vnet3": ""}, stp=0)
    plug(host)
    assert host.stp == 1
    assert host.commands[-1] == "link set dev virbr7 type bridge stp_state 1"


def test_where_a_run_was_killed_an_isolated_guest_is_isolated_again() -> None:
    host = Host(masters={"vnet0": "virbr7", "vnet1": "virbr7", "vnet2": "virbr7", "vnet3": ""}, isolated=False)
    plug(host)
    assert host.ports == ["<networkport>2</networkport>"]
    assert "link set dev vnet1 type bridge_slave isolated on" in host.commands
    assert not any("vnet0" in command for command in host.commands)


def test_a_bridge_of_the_host_lost_nobody() -> None:
    host = Host(xml=XML.format(bridge="", more="<forward mode='bridge'/>"))
    plug(host)
    assert (host.ports, host.commands) == ([], [])


def test_what_fails_is_said_and_stp_is_on_again() -> None:
    host = Host(fails="vnet1 mtu")
    with pytest.raises(
        LibvirtError, match="'ip link set dev vnet1 mtu 1300 master virbr7' failed: RTNETLINK answers: Operation not permitted"
    ):
        plug(host)
    assert host.commands[-1] == "link set dev virbr7 type bridge stp_state 1"


def test_who_is_not_there_afterwards_is_named() -> None:
    host = Host(nics=[replace(NICS[0], device="vnet0")])

    def deaf(command: list[str]) -> tuple[int, str, str]:
        if "master" in command:
            return 0, "", ""
        return host.run(command)

    with pytest.raises(LibvirtError, match="guests are not on the bridge virbr7: web"):
        plug_in(t.cast("t.Any", host), deaf, "lab")
