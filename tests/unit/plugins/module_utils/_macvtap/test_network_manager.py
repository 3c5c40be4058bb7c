# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""NetworkManager's profile, word for word, its commands, and what it cannot express."""

from __future__ import annotations

import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._macvtap.network_manager import NetworkManager
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._macvtap.builders import MAC, ON, kept, over

HEAD = (
    "# Written by the Ansible module kvmops.network.macvtap_iface, for the interface mv0.\n"
    "# Changes are found and undone by its next run.\n"
    "\n"
)
RULE = "/etc/udev/rules.d/72-kvmops-mv0.rules"
PATH = "/etc/NetworkManager/system-connections/kvmops-mv0.nmconnection"
UUID = "06ea46e0-d278-5f9f-b844-e57e4704d475"
CONNECTION = f"[connection]\nid=kvmops-mv0\nuuid={UUID}\ntype=macvlan\ninterface-name=mv0\n"


def test_a_macvtap() -> None:
    assert NetworkManager().files(kept()) == {
        PATH: f"""{HEAD}{CONNECTION}
[macvlan]
parent=eth1
mode=2
tap=true

[ethernet]
cloned-mac-address={MAC}

[ipv4]
method=disabled

[ipv6]
method=disabled
""",
        RULE: (
            "# Written by the Ansible module kvmops.network.macvtap_iface, for the interface mv0.\n"
            "# Changes are found and undone by its next run.\n"
            'ACTION=="add", SUBSYSTEM=="net", ENV{INTERFACE}=="mv0", RUN+="/usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin '
            'ip link set dev mv0 allmulticast on"\n'
        ),
    }


def test_a_macvlan_with_addresses_and_routes() -> None:
    wanted = kept(
        kind="macvlan",
        mode="passthru",
        flags=("nopromisc",),
        mac="",
        mtu=1400,
        ipv6=ON,
        addresses=("192.0.2.249/32", "192.0.2.250/32", "2001:db8::1/64"),
        routes=(
            over("192.0.2.128/25"),
            over("2001:db8:2::/48", metric=1024),
            over("2001:db8:1::/48", gateway="2001:db8::9", metric=7),
        ),
        parent="eth7",
    )
    assert NetworkManager().files(wanted) == {
        PATH: f"""{HEAD}{CONNECTION}
[macvlan]
parent=eth7
mode=4
promiscuous=false

[ethernet]
mtu=1400

[ipv4]
method=manual
address1=192.0.2.249/32
address2=192.0.2.250/32
route1=192.0.2.128/25,0.0.0.0,0

[ipv6]
method=manual
address1=2001:db8::1/64
route1=2001:db8:2::/48,::,1024
route2=2001:db8:1::/48,2001:db8::9,7
"""
    }


def test_nothing_of_ethernet() -> None:
    assert "[ethernet]" not in NetworkManager().files(kept(mode="passthru", mac=""))[PATH]


@pytest.mark.parametrize(("mode", "number"), [("vepa", 1), ("bridge", 2), ("private", 3), ("passthru", 4), ("source", 5)])
def test_modes(mode: str, number: int) -> None:
    assert f"\nmode={number}\n" in NetworkManager().files(kept(mode=mode))[PATH]


def test_each_interface_has_another_uuid() -> None:
    texts = {name: next(iter(NetworkManager().files(kept(name=name)).values())) for name in ("mv0", "mv1")}
    assert f"uuid={UUID}\n" in texts["mv0"]
    assert UUID not in texts["mv1"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, []),
        ({"mode": "source"}, []),
        ({"mode": "source", "source_macs": ("02:00:00:00:00:01",)}, ["source_macs"]),
        ({"queues": (2, 2), "source_macs": ("02:00:00:00:00:01",)}, ["queues", "source_macs"]),
        ({"mode": "passthru", "flags": ("nopromisc",)}, []),
    ],
)
def test_what_it_cannot_express(values: dict[str, t.Any], expected: list[str]) -> None:
    assert NetworkManager().unable(kept(**values)) == expected


def test_its_commands() -> None:
    load = ("nmcli", "connection", "load", PATH)
    assert NetworkManager().follow("mv0", addressed=False) == [load]
    first, again = NetworkManager().follow("mv0", addressed=True)
    assert first == load
    assert (again[:2], again[3:]) == (("sh", "-c"), ("NetworkManager follows mv0", "mv0", UUID))
    [forget] = NetworkManager().release("mv0")
    assert (forget[:2], forget[3:]) == (("sh", "-c"), ("NetworkManager forgets mv0", UUID))


class TestScripts:
    """What the scripts do, with programs that write down how they were called."""

    @pytest.fixture
    def programs(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        self.program(tmp_path, "systemctl")
        self.program(tmp_path, "nmcli")
        return tmp_path

    def program(self, folder: Path, name: str, text: str = "") -> None:
        path = folder / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>{folder}/calls\n{text}\n')
        path.chmod(0o755)

    def run(self, folder: Path, command: tuple[str, ...]) -> tuple[int, list[str]]:
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        return done.returncode, (folder / "calls").read_text().splitlines()

    def test_a_profile_is_forgotten(self, programs: Path) -> None:
        self.program(programs, "nmcli", f'case "$*" in *show) echo {UUID} ;; esac')
        code, calls = self.run(programs, NetworkManager().release("mv0")[0])
        assert code == 0
        assert calls[-1] == f"nmcli connection delete uuid {UUID}"

    def test_a_profile_that_is_not_known(self, programs: Path) -> None:
        self.program(programs, "nmcli", f'case "$*" in *show) echo {UUID}0 ;; esac')
        code, calls = self.run(programs, NetworkManager().release("mv0")[0])
        assert (code, len(calls)) == (0, 2)
        assert "delete" not in calls[-1]

    def test_it_does_not_run(self, programs: Path) -> None:
        self.program(programs, "systemctl", "exit 3")
        code, calls = self.run(programs, NetworkManager().release("mv0")[0])
        assert (code, calls) == (0, ["systemctl is-active --quiet NetworkManager.service"])

    def test_a_profile_that_cannot_be_deleted(self, programs: Path) -> None:
        self.program(programs, "nmcli", f'case "$*" in *show) echo {UUID} ;; *) exit 4 ;; esac')
        assert self.run(programs, NetworkManager().release("mv0")[0])[0] == 4

    @pytest.mark.parametrize("state", ["100 (connected (externally))", "10 (unmanaged)", ""])
    def test_what_it_only_looks_on_stays(self, programs: Path, state: str) -> None:
        self.program(programs, "nmcli", f"echo '{state}'")
        code, calls = self.run(programs, NetworkManager().follow("mv0", addressed=True)[1])
        assert (code, calls) == (0, ["nmcli -g GENERAL.STATE device show mv0"])

    def test_new_addresses_are_put_in_force(self, programs: Path) -> None:
        self.program(programs, "nmcli", "echo '100 (connected)'")
        code, calls = self.run(programs, NetworkManager().follow("mv0", addressed=True)[1])
        assert (code, calls[1:]) == (0, ["nmcli device reapply mv0"])

    @pytest.mark.parametrize(("works", "expected"), [("exit 0", 0), ("exit 3", 3)])
    def test_or_the_profile_is_brought_up(self, programs: Path, works: str, expected: int) -> None:
        self.program(
            programs, "nmcli", f"case \"$*\" in *show*) echo '100 (connected)' ;; *reapply*) exit 1 ;; *) {works} ;; esac"
        )
        code, calls = self.run(programs, NetworkManager().follow("mv0", addressed=True)[1])
        assert (code, calls[-1]) == (expected, f"nmcli connection up uuid {UUID}")
