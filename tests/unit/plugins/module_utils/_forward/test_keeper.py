# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The keeper of the rules, on a model of the kernel's firewall."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._forward import keeper
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._forward.builders import forward, forward6
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._forward.keeper_cases import (
    IN_IPTABLES,
    NAME,
    OWN,
    Cases,
    Place,
    inside,
)
from ansible_collections.kvmops.network.tests.unit.plugins.support.firewall import Firewall


@pytest.fixture
def firewall() -> Firewall:
    return Firewall()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, firewall: Firewall) -> Place:
    inside(tmp_path, monkeypatch)
    return Place(tmp_path, firewall)


class TestOnAModel(Cases):
    """What it does."""


def test_looking_changes_nothing(place: Place, firewall: Firewall) -> None:
    wanted = place.wanted(forward(), forward6())
    for others in (lambda: None, place.has_libvirt, place.has_docker):
        others()
        firewall.changes.clear()
        keeper.faults(wanted, firewall)
        assert firewall.changes == []
    keeper.put(wanted, str(place.folder), firewall)
    firewall.changes.clear()
    assert keeper.put(wanted, str(place.folder), firewall) == []
    assert firewall.changes == []


def test_each_place_is_filled_in_one_step(place: Place, firewall: Firewall) -> None:
    place.has_libvirt("ip")
    wanted = place.wanted(forward())
    firewall.changes.clear()
    keeper.put(wanted, str(place.folder), firewall)
    assert [line.split()[:2] for line in firewall.changes] == [["nft", "-f"], ["nft", "add"]]


def test_iptables_legacy(place: Place, firewall: Firewall) -> None:
    # its tables are not nft's, and the kernel says which there are
    place.has_docker()
    firewall.tables["ip", "legacy"] = firewall.tables.pop(("ip", "filter"))
    wanted = place.wanted(forward())
    assert keeper.faults(wanted, firewall) == [OWN, "route_localnet of virbr0"]
    names = place.root / "proc/net/ip_tables_names"
    names.parent.mkdir(parents=True)
    names.write_text("nat\nfilter\n")
    assert keeper.faults(wanted, firewall) == [OWN, IN_IPTABLES, "route_localnet of virbr0"]


def test_what_nft_says_is_told(place: Place, firewall: Firewall) -> None:
    firewall.failing = "nft -f"
    with pytest.raises(OSError, match=r"^'nft -f .*/rules.nft' failed: Error: the firewall is on strike$"):
        keeper.put(place.wanted(forward()), str(place.folder), firewall)
    assert firewall.tables == {}


@pytest.mark.parametrize("missing", ["iptables", "ip6tables"])
def test_our_own_table_goes_though_iptables_is_gone(place: Place, firewall: Firewall, missing: str) -> None:
    place.has_docker("iptables", "ip6tables")
    wanted = place.wanted(forward(), forward6())
    place.put(wanted)
    firewall.missing.add(missing)
    with pytest.raises(FileNotFoundError):
        keeper.remove(wanted, firewall)
    assert not place.has(f"inet {NAME}")
    assert place.localnet() == "0"


# --- the program ----------------------------------------------------------------------------------------------------------------


def test_it_runs_by_itself() -> None:
    # the host has no Ansible
    done = subprocess.run([sys.executable, "-I", keeper.__file__], capture_output=True, text=True, check=False, cwd="/")
    assert (done.returncode, done.stdout) == (2, "")
    assert "keeper.py watch" in done.stderr


@pytest.fixture
def program(place: Place, firewall: Firewall, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Have the program in the folder of its files."""
    monkeypatch.setattr(keeper, "__file__", str(place.folder / "keeper.py"))
    monkeypatch.setattr(keeper, "_run", firewall)
    return place


def test_put_and_remove(program: Place, capsys: pytest.CaptureFixture[str]) -> None:
    program.wanted(forward())
    assert keeper.main(["put"]) == 0
    assert capsys.readouterr().err == f"put there: {OWN}, route_localnet of virbr0\n"
    assert keeper.main(["put"]) == 0
    assert capsys.readouterr().err == ""
    assert program.trace() == [f"inet {NAME}"]
    assert keeper.main(["stopped"]) == 0
    assert program.trace() == []


def test_one_that_was_killed_leaves_all_to_the_next(program: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    program.wanted(forward())
    assert keeper.main(["put"]) == 0
    monkeypatch.setenv("SERVICE_RESULT", "signal")
    assert keeper.main(["stopped"]) == 0
    assert program.trace() == [f"inet {NAME}"]


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize("verb", ["put", "stopped", "watch"])
def test_without_its_files(verb: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "_listen", list)
    assert keeper.main([verb]) == 1
    assert "rules.json" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["help"], ["put", "stopped"]])
def test_other_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert keeper.main(arguments) == 2
    assert capsys.readouterr().err.startswith("The program that keeps the rules of port forwards in the kernel.")


class Enough(Exception):
    """The end of a loop that has none."""


def test_it_watches(
    program: Place, firewall: Firewall, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program.wanted(forward())

    def flush() -> None:
        firewall.tables.clear()

    deeds: list[t.Callable[[], None]] = [
        lambda: None,
        flush,
        lambda: setattr(firewall, "failing", "nft -f") or flush(),
        lambda: setattr(firewall, "failing", ""),
    ]
    waits: list[float | None] = []

    def select(
        _sockets: t.Any, _write: t.Any, _errors: t.Any, wait: float | None
    ) -> tuple[list[t.Any], list[t.Any], list[t.Any]]:
        if not deeds:
            raise Enough
        waits.append(wait)
        deeds.pop(0)()
        return [], [], []

    ready: list[str] = []
    monkeypatch.setattr(keeper, "_listen", list)
    monkeypatch.setattr(keeper, "_drain", lambda _sockets: None)
    monkeypatch.setattr(keeper, "_tell_systemd", lambda: ready.append(",".join(program.trace())))
    monkeypatch.setattr(keeper.select, "select", select)
    monkeypatch.setattr(keeper.time, "sleep", lambda _seconds: None)
    with pytest.raises(Enough):
        keeper.main(["watch"])
    assert ready == [f"inet {NAME}"]
    assert program.trace() == [f"inet {NAME}"]
    # what failed is tried again though nobody changes anything
    assert waits == [None, None, None, keeper._RETRY]
    told = capsys.readouterr().err.splitlines()
    assert told[0] == f"put there: {OWN}, route_localnet of virbr0"
    assert told[1] == told[3] == f"put there: {OWN}"
    assert "the firewall is on strike" in told[2]


def test_systemd_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = os.path.relpath(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        monkeypatch.setenv("NOTIFY_SOCKET", path)
        keeper._tell_systemd()
        assert listener.recv(100) == b"READY=1"
    monkeypatch.delenv("NOTIFY_SOCKET")
    keeper._tell_systemd()
