# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""A change that waits, on the disk: what is written before what, and who decides."""

from __future__ import annotations

import json
import os
import stat
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._bridge import transaction as texts
from ansible_collections.kvmops.network.plugins.module_utils._bridge.goal import Goal
from ansible_collections.kvmops.network.plugins.module_utils._bridge.plan import make_plan
from ansible_collections.kvmops.network.plugins.module_utils._bridge.subject import subject_of
from ansible_collections.kvmops.network.plugins.module_utils._bridge.transaction import Transaction
from ansible_collections.kvmops.network.plugins.module_utils._edge import transaction as edge
from ansible_collections.kvmops.network.plugins.module_utils._errors import ApplyError, RequirementError
from ansible_collections.kvmops.network.plugins.module_utils._file_changes import FileChange
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._bridge.builders import BACKENDS, host, request

GOAL = Goal(bridge="br0", uplink="eth0", bridged=True, mac="52:54:00:12:34:56", mtu=1500, addresses=("192.0.2.10/24",))
REVERT = "kvmops-network-revert-3f9a01c2"
APPLY = "kvmops-network-apply-3f9a01c2"


class Place:
    """The folder of the transaction and the units under a temporary folder, and each command with what was on the disk then."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "var/lib/kvmops-network/transaction"
        self.unit = root / "etc/systemd/system/kvmops-network-revert.service"
        self.link = root / "etc/systemd/system/sysinit.target.wants/kvmops-network-revert.service"
        self.booted = root / "run/kvmops-network-armed"
        self.commands: list[list[str]] = []
        self.fails_at = ""
        self.seen_by_commands: list[set[str]] = []

    def run(self, command: list[str]) -> tuple[int, str, str]:
        self.commands.append(command)
        self.seen_by_commands.append(self.files)
        if self.fails_at and any(self.fails_at in word for word in command):
            return 1, "", "Failed to start transient service unit: no.\n"
        return 0, "", ""

    @property
    def files(self) -> set[str]:
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()}

    @property
    def state(self) -> edge.State:
        found = edge.read_state(str(self.folder))
        assert found is not None
        return found

    def change(self) -> Transaction:
        """Return the change of a plan, its files under the temporary folder."""
        found = host()
        subject, _paths = subject_of(request(), found, BACKENDS)
        made = make_plan(request(), found, subject, BACKENDS["networkd"]).transaction("3f9a01c2", request(), BACKENDS["networkd"])
        (self.root / "etc/changed").write_bytes(b"old")
        (self.root / "etc/changed").chmod(0o640)
        files = (
            FileChange(f"{self.root}/etc/changed", before=b"old", after=b"new"),
            FileChange(f"{self.root}/etc/new", before=None, after=b"new", private=True),
        )
        return replace(made, files=files)

    def start(self) -> None:
        edge.start(self.run, self.change(), GOAL, check_gateway=True)


def read_only(monkeypatch: pytest.MonkeyPatch, *paths: Path) -> None:
    """Have nothing removed there, whether it is there or not."""
    unlink = os.unlink

    def refuse(path: str, **more: t.Any) -> None:
        if any(str(path).startswith(str(one)) for one in paths):
            raise OSError(30, "Read-only file system")
        unlink(path, **more)

    monkeypatch.setattr(os, "unlink", refuse)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    found = Place(tmp_path)
    (tmp_path / "etc").mkdir()
    for module in (texts, edge):
        monkeypatch.setattr(module, "FOLDER", str(found.folder))
        monkeypatch.setattr(module, "BOOT_UNIT_PATH", str(found.unit))
        monkeypatch.setattr(module, "BOOT_UNIT_LINK", str(found.link))
        monkeypatch.setattr(module, "BOOTED", str(found.booted))
    monkeypatch.setattr(edge, "_POLL", 0.0)
    return found


class TestStart:
    """The way back is armed, then the change begins."""

    def test_what_is_on_the_disk(self, place: Place) -> None:
        place.start()
        assert place.files == {
            *("apply", "revert", "apply.batch", "revert.batch", "plan.json", "armed"),
            *("before/0", "after/0", "after/1"),
        }
        modes = {name: stat.S_IMODE((place.folder / name).stat().st_mode) for name in place.files}
        # a file that is there keeps its mode
        assert modes == {**dict.fromkeys(place.files, 0o600), "before/0": 0o640, "after/0": 0o640, "after/1": 0o600}
        assert stat.S_IMODE(place.folder.stat().st_mode) == 0o700
        assert place.unit.read_text() == texts.boot_unit()
        assert place.link.resolve() == place.unit
        assert stat.S_IMODE(place.unit.stat().st_mode) == 0o644
        assert place.booted.read_bytes() == b""
        assert f"ConditionPathExists=!{place.booted}" in place.unit.read_text().splitlines()

    def test_the_commands(self, place: Place) -> None:
        place.start()
        assert place.commands == [
            [
                *("systemd-run", "--quiet", "--collect", f"--unit={REVERT}", "--on-active=60"),
                *("--timer-property=AccuracySec=100ms", "/bin/sh", f"{place.folder}/revert", "timeout"),
            ],
            ["systemd-run", "--quiet", "--collect", f"--unit={APPLY}", "/bin/sh", f"{place.folder}/apply"],
        ]

    def test_everything_is_on_the_disk_before_the_first_command(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        order: list[str] = []
        fsync, unsynchronised = os.fsync, set[str]()

        def note(descriptor: int) -> None:
            path = os.readlink(f"/proc/self/fd/{descriptor}")
            order.append(path)
            fsync(descriptor)

        def run(command: list[str]) -> tuple[int, str, str]:
            order.append(command[0])
            return 0, "", ""

        monkeypatch.setattr(os, "fsync", note)
        edge.start(run, place.change(), GOAL, check_gateway=True)
        first = order.index("systemd-run")
        before = order[:first]
        for path in (*place.folder.rglob("*"), place.unit):
            if path.is_file() and str(path) not in before:
                unsynchronised.add(str(path))
        assert unsynchronised == set()
        # each folder after the files in it; `armed` after all that it needs, and its folder last
        for folder in (place.folder / "before", place.folder / "after", place.unit.parent, place.folder.parent, place.folder):
            at = max(index for index, path in enumerate(before) if path == str(folder))
            inside = [index for index, path in enumerate(before) if os.path.dirname(path) == str(folder) and path in before]
            assert all(index < at for index in inside if not Path(before[index]).is_dir()), folder
        assert str(place.link.parent) in before
        assert before[-2:] == [f"{place.folder}/armed", str(place.folder)]
        # systemd may start the unit for the boot as soon as it is there
        assert before.index(str(place.booted)) < before.index(str(place.unit))
        assert "systemd-run" not in before

    def test_it_is_armed_when_a_command_runs(self, place: Place) -> None:
        place.start()
        assert all("armed" in seen for seen in place.seen_by_commands)

    def test_what_was_left_by_the_last_change_goes(self, place: Place) -> None:
        place.folder.mkdir(parents=True)
        for name in ("confirmed", "seen", "why", "applied"):
            (place.folder / name).touch()
        place.unit.parent.mkdir(parents=True)
        place.unit.write_text("old")
        place.start()
        assert place.files & {"confirmed", "seen", "why", "applied"} == set()
        assert place.unit.read_text() == texts.boot_unit()

    @pytest.mark.parametrize("unit", [REVERT, APPLY])
    def test_a_task_that_systemd_does_not_take_leaves_nothing_armed(self, place: Place, unit: str) -> None:
        place.fails_at = f"--unit={unit}"
        with pytest.raises(RequirementError) as caught:
            place.start()
        assert str(caught.value) == (
            f"systemd on this host did not take the task {unit} (Failed to start transient service unit: no). Without it there "
            "is no way back, so nothing was changed."
        )
        assert not place.unit.exists()
        assert not place.link.is_symlink()
        assert not place.state.is_open
        assert place.commands[-1] == ["systemctl", "stop", f"{REVERT}.timer"]

    def test_without_systemd_nothing_is_armed(self, place: Place) -> None:
        def run(command: list[str]) -> tuple[int, str, str]:
            if command[0] == "systemd-run":
                raise FileNotFoundError(2, "No such file or directory")
            return 0, "", ""

        with pytest.raises(RequirementError, match=r"\(systemd-run: No such file or directory\)"):
            edge.start(run, place.change(), GOAL, check_gateway=True)
        assert not place.state.is_open
        assert not place.unit.exists()

    @pytest.mark.parametrize("fails_at", ["plan.json", "/armed", "kvmops-network-revert.service", "kvmops-network-armed"])
    def test_a_disk_that_is_full_leaves_nothing_armed(self, place: Place, monkeypatch: pytest.MonkeyPatch, fails_at: str) -> None:
        fsync = os.fsync

        def full(descriptor: int) -> None:
            if os.readlink(f"/proc/self/fd/{descriptor}").endswith(fails_at):
                raise OSError(28, "No space left on device")
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(RequirementError) as caught:
            place.start()
        assert str(caught.value) == (
            f"The way back cannot be written to {place.folder}: No space left on device. Nothing was changed."
        )
        assert not any(command[0] == "systemd-run" for command in place.commands)
        assert not place.unit.exists()
        found = edge.read_state(str(place.folder))
        assert found is None or not found.is_open

    @pytest.mark.parametrize(("folder", "fails_at"), [("etc", "kvmops-network-revert.service"), ("var", "plan.json")])
    def test_a_disk_that_can_only_be_read_is_said(
        self, place: Place, monkeypatch: pytest.MonkeyPatch, folder: str, fails_at: str
    ) -> None:
        fsync = os.fsync

        def refuse(descriptor: int) -> None:
            if os.readlink(f"/proc/self/fd/{descriptor}").endswith(fails_at):
                read_only(monkeypatch, place.root / folder)
                raise OSError(30, "Read-only file system")
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", refuse)
        with pytest.raises(RequirementError) as caught:
            place.start()
        assert str(caught.value) == (
            f"The way back cannot be written to {place.folder}: Read-only file system. Nothing was changed."
        )
        assert place.commands == [["systemctl", "stop", f"{REVERT}.timer"]]


class TestState:
    """What is there to be read."""

    def test_what_was_started(self, place: Place) -> None:
        place.start()
        found = place.state
        assert (found.id, found.bridge, found.state, found.applied, found.is_open) == ("3f9a01c2", "br0", "armed", False, True)
        assert found.goal == GOAL
        assert found.check_gateway
        assert 55 < found.left <= 60
        assert (found.why, found.failure, found.log, found.seen, found.unfinished) == ("", "", "", "", "")

    def test_what_another_version_wrote(self, place: Place) -> None:
        place.start()
        plan = json.loads((place.folder / "plan.json").read_text())
        plan["goal"]["of_a_later_version"] = [1]
        del plan["goal"]["routed"]
        (place.folder / "plan.json").write_text(json.dumps(plan))
        assert place.state.goal == GOAL

    @pytest.mark.parametrize(
        ("name", "is_open"), [("armed", True), ("reverting", True), ("confirmed", False), ("reverted", False)]
    )
    def test_states(self, place: Place, name: str, is_open: bool) -> None:
        place.start()
        (place.folder / "armed").rename(place.folder / name)
        (place.folder / "applied").touch()
        (place.folder / "why").write_text("timeout\n")
        (place.folder / "failure").write_text("run networkctl reload\n")
        (place.folder / "log").write_bytes(b"10:00:00 a\n\xff\n")
        (place.folder / "seen").write_text("br0 UP\n")
        (place.folder / "unfinished").write_text("run networkctl back\nrun networkctl reload\n")
        found = place.state
        assert (found.state, found.is_open, found.applied) == (name, is_open, True)
        assert (found.why, found.failure, found.seen) == ("timeout", "run networkctl reload", "br0 UP\n")
        assert found.unfinished == "run networkctl back\nrun networkctl reload\n"
        assert found.log == "10:00:00 a\n�\n"

    def test_the_time_that_is_left_is_never_less_than_none(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        place.start()
        now = edge._now
        monkeypatch.setattr(edge, "_now", lambda: now() + 1000)
        assert place.state.left == 0.0

    def test_nothing_is_there(self, place: Place) -> None:
        assert edge.read_state(str(place.folder)) is None
        place.folder.mkdir(parents=True)
        assert edge.read_state(str(place.folder)) is None
        (place.folder / "plan.json").write_text(json.dumps({"id": "1"}))  # begun, and never armed
        assert edge.read_state(str(place.folder)) is None

    def test_what_cannot_be_read_is_said(self, place: Place) -> None:
        (place.folder / "plan.json").mkdir(parents=True)
        with pytest.raises(RequirementError) as caught:
            edge.read_state(str(place.folder))
        assert str(caught.value) == (
            f"{place.folder}/plan.json cannot be read: Is a directory. Run the task as root (become: true)."
        )


class TestConfirm:
    """The change lasts."""

    def test_it_is_confirmed(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        place.start()
        order: list[str] = []
        monkeypatch.setattr(os, "sync", lambda: order.append("sync"))
        rename, fsync = os.rename, os.fsync

        def note(*paths: str) -> None:
            order.append("rename")
            rename(*paths)

        def synchronise(descriptor: int) -> None:
            order.append(os.readlink(f"/proc/self/fd/{descriptor}"))
            fsync(descriptor)

        monkeypatch.setattr(os, "rename", note)
        monkeypatch.setattr(os, "fsync", synchronise)
        edge.confirm(place.run, place.state)
        # what was written is there already, and other files of the host may take long
        assert order == ["rename", str(place.folder), str(place.link.parent), str(place.unit.parent)]
        assert place.state.state == "confirmed"
        assert not place.unit.exists()
        assert not place.link.is_symlink()
        assert place.commands[2:] == [["systemctl", "stop", f"{REVERT}.timer"]]

    def test_no_copy_of_a_file_stays(self, place: Place) -> None:
        place.start()
        edge.confirm(place.run, place.state)
        assert [path for path in place.folder.iterdir() if path.is_dir()] == []
        assert place.files == {"apply", "revert", "apply.batch", "revert.batch", "plan.json", "confirmed"}

    def test_the_copies_are_there_until_it_is_decided(self, place: Place) -> None:
        place.start()
        edge.confirm(place.run, place.state)
        assert {"before/0", "confirmed"} <= place.seen_by_commands[-1]

    def test_a_unit_that_cannot_be_removed(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        """It does nothing when nothing is armed."""
        place.start()
        read_only(monkeypatch, place.root / "etc")
        edge.confirm(place.run, place.state)
        assert place.state.state == "confirmed"
        assert place.unit.exists()

    def test_the_way_back_began_first(self, place: Place) -> None:
        place.start()
        state = place.state
        (place.folder / "armed").rename(place.folder / "reverting")
        with pytest.raises(ApplyError) as caught:
            edge.confirm(place.run, state)
        assert str(caught.value) == "The change of br0 was too late to be confirmed: its way back has begun."
        assert place.state.state == "reverting"
        assert place.unit.exists()
        assert len(place.commands) == 2
        assert "before/0" in place.files


class TestRevert:
    """The change is taken back now."""

    def test_it_is_waited_for(self, place: Place) -> None:
        place.start()
        found = place.state

        def run(command: list[str]) -> tuple[int, str, str]:
            (place.folder / "armed").rename(place.folder / "reverted")
            return place.run(command)

        edge.revert(run, found, timeout=5)
        assert place.commands[2:] == [
            ["systemd-run", "--quiet", "--collect", f"--unit={REVERT}-asked", "/bin/sh", f"{place.folder}/revert", "asked"]
        ]

    def test_it_takes_too_long(self, place: Place) -> None:
        place.start()
        with pytest.raises(ApplyError) as caught:
            edge.revert(place.run, place.state, timeout=0)
        assert str(caught.value) == (
            f"The way back has not come to its end within 0 seconds. See {place.folder}/log on the host."
        )

    def test_systemd_does_not_take_it(self, place: Place) -> None:
        place.start()
        place.fails_at = "asked"
        with pytest.raises(RequirementError, match=f"did not take the task {REVERT}-asked"):
            edge.revert(place.run, place.state, timeout=5)
        assert place.state.state == "armed"


def test_the_clock_goes_on_while_nobody_looks() -> None:
    first: t.Final = edge._now()
    assert edge._now() >= first > 0
