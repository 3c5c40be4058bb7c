# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The scripts of a change and of its way back, really run by /bin/sh, with tools that only note down what they are asked for."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import time
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._bridge import transaction as texts
from ansible_collections.kvmops.network.plugins.module_utils._bridge.transaction import Transaction, files_of
from ansible_collections.kvmops.network.plugins.module_utils._file_changes import FileChange

USUAL_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ALL_MODES = ("timeout", "asked", "failed", "boot")

# Notes down what it is asked for; waits to be killed at the call that was chosen, of those that change something; fails where
# that is wanted, and has the way back begin at a call.
TOOL = """\
#!/bin/sh
name=${0##*/}
echo "$name $*" >>@ROOT@/calls
changes=yes
case "$name $*" in
    "sync "* | "sleep "* | "ip -"[!f]* | "ip route" | "bridge "* | "ip neighbour" | "systemctl --quiet"*) changes=no ;;
esac
if [ $changes = yes ] && [ -e @ROOT@/stop-at ]; then
    echo x >>@ROOT@/count
    count=0
    while read -r _; do count=$((count + 1)); done <@ROOT@/count
    read -r stop <@ROOT@/stop-at
    [ "$count" != "$stop" ] || { echo $$ >@ROOT@/reached; exec /bin/sleep 60; }
fi
[ -e "@ROOT@/slow-$name" ] && /bin/sleep 0.3
[ -e "@ROOT@/failing-$name" ] && { echo "$name failed" >&2; exit 3; }
[ -e @ROOT@/failing-calls ] && echo "$name $*" | grep -qEf @ROOT@/failing-calls && { echo "$name failed" >&2; exit 3; }
[ -e @ROOT@/take-back-at ] && echo "$name $*" | grep -qxFf @ROOT@/take-back-at && /bin/mv armed reverting
case "$name $*" in
    "ip -o address show"*)
        [ "$(grep -c "^ip -o address show" @ROOT@/calls)" -lt "$(cat @ROOT@/there-from 2>/dev/null || echo 0)" ] ||
            cat @ROOT@/addresses ;;
    "systemctl --quiet is-active"*) [ -e @ROOT@/apply-runs ] ;;
    "cp "* | "mv "* | "rm "*) exec "/bin/$name" "$@" ;;
esac
"""
# `sync` does nothing where it is hidden: that takes long, and nobody cuts the power
NETWORK_TOOLS = ("ip", "bridge", "networkctl", "systemctl", "sleep")
FILE_TOOLS = ("cp", "mv", "rm", "sync")
LEASED = ("192.0.2.10/24", "2001:db8::10/64")


class Stage:
    """A host's disk under a temporary folder: the folder of the transaction, and what it changes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "transaction"
        self.tools = root / "bin"
        self.system = root / "sys"
        self.etc = root / "etc"
        for folder in (self.folder, self.tools, self.system, self.etc):
            folder.mkdir()
        self.hide_tools(*NETWORK_TOOLS, "sync")
        self.give(*LEASED)

    def hide_tools(self, *names: str) -> None:
        for name in names:
            path = self.tools / name
            path.write_text(TOOL.replace("@ROOT@", str(self.root)))
            path.chmod(0o755)

    def give(self, *addresses: str) -> None:
        """Have `ip` say that the link has these."""
        lines = [f"2: eth0    inet{'6' if ':' in text else ''} {text} scope global \\ valid_lft forever" for text in addresses]
        (self.root / "addresses").write_text("".join(f"{line}\n" for line in lines))

    def fail(self, *calls: str) -> None:
        """Have calls fail that one of these regular expressions matches."""
        (self.root / "failing-calls").write_text("".join(f"{call}\n" for call in calls))

    def arm(self, change: Transaction) -> None:
        """Write everything down as the edge does it."""
        for name, content in files_of(change).items():
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            text = content.replace(USUAL_PATH.encode(), f"PATH={self.tools}:/usr/bin:/bin".encode())
            path.write_bytes(text.replace(b"/sys/class/net", str(self.system).encode()))
        for number, one in enumerate(change.files):
            if one.before is not None:
                Path(one.path).parent.mkdir(parents=True, exist_ok=True)
                Path(one.path).write_bytes(one.before)
                Path(one.path).chmod(0o640)
                (self.folder / f"before/{number}").chmod(0o640)
            if one.after is not None:
                (self.folder / f"after/{number}").chmod(one.mode)
        for unit in (texts.BOOT_UNIT_PATH, texts.BOOT_UNIT_LINK):
            Path(unit).touch()
        (self.folder / "armed").touch()

    def keep(self) -> None:
        """Remember what is on the disk."""
        for path in (self.folder, self.etc):
            shutil.copytree(path, self.root / f"kept-{path.name}")

    def restore(self) -> None:
        """Have that on the disk again."""
        for path in (self.folder, self.etc):
            shutil.rmtree(path)
            shutil.copytree(self.root / f"kept-{path.name}", path)
        for unit in (texts.BOOT_UNIT_PATH, texts.BOOT_UNIT_LINK):
            Path(unit).touch()

    def run(self, script: str, *arguments: str, code: int = 0) -> None:
        done = subprocess.run(["/bin/sh", str(self.folder / script), *arguments], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (code, ""), done.stderr
        failing = [path for path in self.root.iterdir() if path.name.startswith("failing-")]
        assert done.stderr == "" or failing

    def start(self, script: str, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["/bin/sh", str(self.folder / script), *arguments], start_new_session=True)

    def run_until(self, call: int, script: str, *arguments: str) -> bool:
        """Run a script, kill it at a call of a tool, and return whether it came as far."""
        for name in ("count", "reached"):
            (self.root / name).unlink(missing_ok=True)
        (self.root / "stop-at").write_text(str(call))
        with self.start(script, *arguments) as process:
            marker = self.root / "reached"
            while process.poll() is None and not (marker.exists() and marker.read_text()):
                time.sleep(0.01)
            reached = marker.exists()
            if reached:
                # all at once, as systemd does it; `timeout` may have put the tool into a group of its own
                os.killpg(process.pid, signal.SIGSTOP)
                os.kill(int(marker.read_text()), signal.SIGKILL)
                os.killpg(process.pid, signal.SIGKILL)
        (self.root / "stop-at").unlink()
        return reached

    @property
    def all_calls(self) -> list[str]:
        path = self.root / "calls"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def calls(self) -> list[str]:
        return [line for line in self.all_calls if line.split()[0] in NETWORK_TOOLS and not line.startswith("sleep")]

    @property
    def file_calls(self) -> list[str]:
        return [line.replace(str(self.etc), "@") for line in self.all_calls if line.split()[0] in FILE_TOOLS]

    @property
    def changing_calls(self) -> list[str]:
        reading = ("ip -br", "ip route", "ip -6 route", "bridge link", "ip neighbour", "ip -o address", "systemctl --quiet")
        return [line for line in self.calls if not line.startswith(reading)]

    @property
    def state(self) -> set[str]:
        names = {"armed", "reverting", "reverted", "confirmed", "applied", "failure", "unfinished"}
        return {path.name for path in self.folder.iterdir()} & names

    def text(self, name: str) -> str:
        return (self.folder / name).read_text()

    @property
    def disk(self) -> dict[str, tuple[bytes, int]]:
        """Return all that is in /etc, with the permissions."""
        found = [path for path in self.etc.rglob("*") if path.is_file()]
        return {str(path.relative_to(self.etc)): (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) for path in sorted(found)}


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    found = Stage(tmp_path)
    monkeypatch.setattr(texts, "FOLDER", str(found.folder))
    monkeypatch.setattr(texts, "BOOT_UNIT_PATH", str(tmp_path / "boot-unit"))
    monkeypatch.setattr(texts, "BOOT_UNIT_LINK", str(tmp_path / "boot-link"))
    return found


def change_on(stage: Stage, **more: t.Any) -> Transaction:
    """Return a change with a file of each kind: a new one, a changed one, one that goes, one in a folder that is not there."""
    files = (
        FileChange(f"{stage.etc}/new", before=None, after=b"new\n"),
        FileChange(f"{stage.etc}/changed", before=b"old\n", after=b"changed\n", private=True),
        FileChange(f"{stage.etc}/gone", before=b"was \x00\xff here\n", after=None),
        FileChange(f"{stage.etc}/deep/er/new", before=None, after=b""),
    )
    usual: dict[str, t.Any] = {
        "id": "3f9a01c2",
        "window": 60,
        "files": files,
        "apply_early": (f"{stage.etc}/deep/er/new",),
        "revert_early": (f"{stage.etc}/changed",),
        "apply_batch": ("link set dev eth0 master br0", "address replace 192.0.2.10/24 dev br0"),
        "apply_before": (("networkctl", "before"),),
        "apply_after": (("networkctl", "reload"),),
        "revert_batch": ("link set dev eth0 nomaster",),
        "revert_before": (("networkctl", "back"),),
        "revert_after": (("networkctl", "reload", "again"),),
        "revert_at_boot": (),
        "bridge": ("br0", "52:54:00:12:34:56"),
        "carrier": "eth0",
        "leased": LEASED,
        "new_bridge": "br0",
    }
    return Transaction(**{**usual, **more})


BEFORE = {"changed": (b"old\n", 0o640), "gone": (b"was \x00\xff here\n", 0o640)}
AFTER = {"new": (b"new\n", 0o644), "changed": (b"changed\n", 0o600), "deep/er/new": (b"", 0o644)}

MAKE_BRIDGE = "ip link add name br0 address 52:54:00:12:34:56 type bridge stp_state 0 forward_delay 0"
BACK = ["networkctl back", "ip -force -batch revert.batch", "networkctl reload again"]
STOP_TIMER = "systemctl stop kvmops-network-revert-3f9a01c2.timer"


def boot_unit_is_there() -> list[bool]:
    return [os.path.lexists(path) for path in (texts.BOOT_UNIT_PATH, texts.BOOT_UNIT_LINK)]


def test_the_change(stage: Stage) -> None:
    stage.arm(change_on(stage))
    assert stage.disk == BEFORE
    stage.run("apply")
    assert stage.disk == AFTER
    assert stage.state == {"armed", "applied"}
    assert stage.calls == ["networkctl before", MAKE_BRIDGE, "ip -force -batch apply.batch", "networkctl reload"]
    assert boot_unit_is_there() == [True, True]
    log = [line.partition(" ")[2] for line in stage.text("log").splitlines()]
    assert log[0] == "the change begins"
    assert log[-1] == "the change is made, and waits for being confirmed"
    assert f"remove {stage.etc}/gone" in log
    assert stage.text("apply.batch") == "link set dev eth0 master br0\naddress replace 192.0.2.10/24 dev br0\n"


def test_early_files_are_written_before_the_links_move_and_the_others_after(stage: Stage) -> None:
    stage.arm(change_on(stage))
    for script, first, then in (("apply", "write @/deep/er/new", "write @/new"), ("revert", "write @/changed", "remove @/new")):
        stage.run(script)
        log = [line.partition(" ")[2].replace(str(stage.etc), "@") for line in stage.text("log").splitlines()]
        order = [log.index(line) for line in (first, f"ip -force -batch {script}.batch", then)]
        assert order == sorted(order)
        (stage.folder / "log").unlink()


def test_a_change_whose_way_back_has_begun_is_not_made(stage: Stage) -> None:
    stage.arm(change_on(stage))
    (stage.folder / "armed").rename(stage.folder / "reverted")
    stage.run("apply")
    assert (stage.disk, stage.calls, stage.state) == (BEFORE, [], {"reverted"})


@pytest.mark.parametrize("mode", ALL_MODES)
@pytest.mark.parametrize("applied", [True, False])
def test_the_way_back(stage: Stage, mode: str, applied: bool) -> None:
    stage.arm(change_on(stage))
    if applied:
        stage.run("apply")
    (stage.root / "calls").unlink(missing_ok=True)
    stage.run("revert", mode)
    assert stage.disk == BEFORE
    assert stage.state == ({"reverted", "applied"} if applied else {"reverted"})
    assert stage.text("why") == f"{mode}\n"
    assert boot_unit_is_there() == [False, False]
    assert [(stage.folder / name).exists() for name in ("before", "after")] == [False, False]
    expected = [] if mode == "boot" else [*BACK, *([STOP_TIMER] if mode != "timeout" else [])]
    assert stage.changing_calls == expected


def test_at_boot_no_link_is_touched_or_looked_at(stage: Stage) -> None:
    stage.arm(change_on(stage))
    stage.run("apply")
    (stage.root / "calls").unlink()
    stage.run("revert", "boot")
    assert [line for line in stage.all_calls if not line.startswith("sync ")] == []
    assert not (stage.folder / "seen").exists()


def test_at_boot_the_back_end_is_told_of_its_files_where_it_has_to_be(stage: Stage) -> None:
    stage.arm(change_on(stage, revert_at_boot=(("networkctl", "at boot"),)))
    stage.run("apply")
    (stage.root / "calls").unlink()
    stage.run("revert", "boot")
    assert stage.disk == BEFORE
    assert [line for line in stage.all_calls if not line.startswith("sync ")] == ["networkctl at boot"]


def test_when_it_runs_it_is_not_told_as_at_boot(stage: Stage) -> None:
    stage.arm(change_on(stage, revert_at_boot=(("networkctl", "at boot"),)))
    stage.run("apply")
    stage.run("revert", "timeout")
    assert "networkctl back" in stage.calls
    assert "networkctl at boot" not in stage.calls


def test_a_folder_of_parts_of_a_file_goes_once_it_is_empty(stage: Stage) -> None:
    paths = [str(stage.etc / f"10-a.network.d/{name}.conf") for name in ("one", "two")]
    for _again in range(2):
        files = tuple(FileChange(path=path, before=None, after=b"") for path in paths)
        stage.arm(change_on(stage, files=files, apply_early=(), revert_early=()))
        stage.run("apply")
        assert sorted(str(path) for path in stage.etc.rglob("*.conf")) == paths
        stage.run("revert", "timeout")
        assert not (stage.etc / "10-a.network.d").exists()
        paths.pop()


@pytest.mark.parametrize(
    ("mode", "running", "stops"),
    [("timeout", True, True), ("asked", True, True), ("asked", False, False), ("failed", True, False)],
)
def test_a_change_that_is_still_being_made_is_stopped_first(stage: Stage, mode: str, running: bool, stops: bool) -> None:
    stage.arm(change_on(stage))
    if running:
        (stage.root / "apply-runs").touch()
    stage.run("revert", mode)
    assert ("systemctl stop kvmops-network-apply-3f9a01c2.service" in stage.calls) == stops


def test_by_hand_it_is_asked_for(stage: Stage) -> None:
    stage.arm(change_on(stage))
    stage.run("revert")
    assert stage.text("why") == "asked\n"


def test_what_the_host_saw_is_kept(stage: Stage) -> None:
    stage.arm(change_on(stage))
    stage.run("revert", "timeout")
    looked = [line for line in stage.calls if line not in stage.changing_calls]
    assert [line for line in looked if not line.startswith(("systemctl", "ip -o"))] == [
        *("ip -br link", "ip -br address", "ip route", "ip -6 route", "bridge link", "ip neighbour"),
    ]
    assert (stage.folder / "seen").exists()


@pytest.mark.parametrize("final", ["confirmed", "reverted"])
@pytest.mark.parametrize("mode", ALL_MODES)
def test_what_is_decided_is_not_taken_back(stage: Stage, final: str, mode: str) -> None:
    stage.arm(change_on(stage))
    stage.run("apply")
    (stage.folder / "armed").rename(stage.folder / final)
    (stage.root / "calls").unlink()
    stage.run("revert", mode)
    assert (stage.disk, stage.calls, stage.state) == (AFTER, [], {final, "applied"})
    assert boot_unit_is_there() == [True, True]


@pytest.mark.parametrize("tool", ["networkctl", "place"])
def test_a_step_that_fails_is_taken_back_at_once(stage: Stage, tool: str) -> None:
    stage.arm(change_on(stage))
    if tool == "networkctl":
        (stage.root / "failing-networkctl").touch()
        failure = "run networkctl before"
    else:
        (stage.folder / "after/0").unlink()
        failure = f"place after/0 {stage.etc}/new"
    stage.run("apply")
    assert ("cannot stat" in stage.text("log")) == (tool == "place")
    assert stage.text("failure") == f"{failure}\n"
    assert stage.text("why") == "failed\n"
    assert stage.state == {"reverted", "failure", *(["unfinished"] if tool == "networkctl" else [])}
    assert stage.disk == BEFORE
    assert stage.changing_calls[-1] == STOP_TIMER
    assert boot_unit_is_there() == [False, False]


def test_single_lines_for_ip_may_fail(stage: Stage) -> None:
    """What they should do is looked at before the change is confirmed. The bridge itself has to be made."""
    stage.arm(change_on(stage))
    (stage.system / "br0").mkdir()
    (stage.root / "failing-ip").touch()
    stage.run("apply")
    assert stage.state == {"armed", "applied"}
    assert MAKE_BRIDGE not in stage.calls


def test_a_bridge_that_cannot_be_made_is_taken_back(stage: Stage) -> None:
    stage.arm(change_on(stage))
    (stage.root / "failing-ip").touch()
    stage.run("apply")
    assert stage.text("failure").startswith("make_bridge br0 ")
    assert stage.disk == BEFORE


@pytest.mark.parametrize("mode", ["timeout", "boot"])
def test_steps_of_the_way_back_may_fail(stage: Stage, mode: str) -> None:
    stage.arm(change_on(stage, revert_after=(("networkctl", "first\n    line"),)))
    stage.run("apply")
    for tool in ("networkctl", "ip", "systemctl"):
        (stage.root / f"failing-{tool}").touch()
    stage.run("revert", mode)
    assert stage.disk == BEFORE
    assert boot_unit_is_there() == [False, False]
    if mode == "boot":
        assert stage.state == {"reverted", "applied"}
        return
    assert stage.state == {"reverted", "applied", "unfinished"}
    assert stage.text("unfinished") == "run networkctl back\nrun networkctl 'first\n"
    assert "not done: run networkctl back\n" in stage.text("log")


@pytest.mark.parametrize("mode", ["timeout", "boot"])
@pytest.mark.parametrize(("failing", "step"), [("cp -p before/1", "place before/1 @/changed"), ("rm -f .*/new", "remove @/new")])
def test_a_way_back_without_all_files_stays_open(stage: Stage, mode: str, failing: str, step: str) -> None:
    stage.hide_tools(*FILE_TOOLS)
    stage.arm(change_on(stage, apply_early=(), revert_early=()))
    stage.run("apply")
    (stage.root / "calls").unlink()
    stage.fail(f"^{failing}")
    stage.run("revert", mode, code=1)
    assert stage.state == {"reverting", "applied", "unfinished"}
    assert stage.text("unfinished").startswith(step.replace("@", str(stage.etc)) + "\n")
    assert stage.disk["gone"] == BEFORE["gone"]  # the others are as they were
    assert stage.changing_calls == ([] if mode == "boot" else BACK)
    assert boot_unit_is_there() == [True, True]
    assert (stage.folder / "before").exists()
    stage.fail("^never$")
    stage.run("revert", "boot")
    assert stage.disk == BEFORE
    assert stage.state == {"reverted", "applied"}
    assert boot_unit_is_there() == [False, False]


def test_a_way_back_without_an_early_file_stays_open(stage: Stage) -> None:
    stage.arm(change_on(stage))
    (stage.folder / "before/1").unlink()
    stage.run("revert", "boot", code=1)
    assert stage.text("unfinished") == f"place before/1 {stage.etc}/changed\n"
    assert stage.state == {"reverting", "unfinished"}


BLOCKED = ("log", "lock", "why", "seen", "unfinished", "applied")


@pytest.mark.parametrize("mode", ["timeout", "boot"])
def test_a_folder_that_takes_nothing_keeps_nobody_from_going_back(stage: Stage, mode: str) -> None:
    stage.arm(change_on(stage))
    stage.run("apply")
    stage.hide_tools(*FILE_TOOLS)
    (stage.root / "calls").unlink()
    for name in BLOCKED:  # as on a disk that can only be read: nothing can be written there, renamed or removed
        (stage.folder / name).unlink(missing_ok=True)
        (stage.folder / name).mkdir()
    stage.fail("^mv (armed|reverting) ", "^rm -f unfinished", "^rm -rf")
    stage.run("revert", mode)
    assert stage.disk == BEFORE
    assert stage.state == {"armed", "applied", "unfinished"}
    assert stage.changing_calls == ([] if mode == "boot" else BACK)
    assert "rm -rf before after" not in stage.file_calls  # it may have to go back again
    assert all(list((stage.folder / name).iterdir()) == [] for name in BLOCKED)


def test_a_folder_that_takes_no_log_keeps_nobody_from_the_change(stage: Stage) -> None:
    stage.arm(change_on(stage))
    (stage.folder / "log").mkdir()
    stage.run("apply")
    assert stage.disk == AFTER
    assert stage.state == {"armed", "applied"}
    assert stage.calls == ["networkctl before", MAKE_BRIDGE, "ip -force -batch apply.batch", "networkctl reload"]


CHANGE = ("networkctl before", MAKE_BRIDGE, "ip -force -batch apply.batch", "networkctl reload")


@pytest.mark.parametrize("at", range(4))
def test_a_change_ends_where_its_way_back_begins(stage: Stage, at: int) -> None:
    stage.arm(change_on(stage))
    (stage.root / "take-back-at").write_text(f"{CHANGE[at]}\n")
    stage.run("apply")
    assert stage.calls == list(CHANGE[: at + 1])
    assert stage.state == {"reverting"}
    late = {"new", "gone", "changed"}
    assert {name for name in late if stage.disk.get(name) != BEFORE.get(name)} == (late if at == 3 else set())
    assert "the change is made" not in stage.text("log")


def test_a_file_is_on_the_disk_before_the_next_step(stage: Stage) -> None:
    stage.hide_tools(*FILE_TOOLS)
    stage.arm(change_on(stage))
    stage.run("apply")
    placed = ["cp -p after/0 @/.kvmops-new", "sync @/.kvmops-new", "mv -f @/.kvmops-new @/new", "sync @"]
    at = stage.file_calls.index(placed[0])
    assert stage.file_calls[at : at + 4] == placed
    at = stage.file_calls.index("rm -f @/gone")
    assert stage.file_calls[at + 1] == "sync @"
    (stage.root / "calls").unlink()
    stage.run("revert", "timeout")
    at = stage.file_calls.index("rm -f @/deep/er/new")
    assert stage.file_calls[at + 1] == "sync @/deep/er"
    # the whole disk may be busy for long, and is nobody's business
    assert not [line for line in stage.file_calls if line.strip() == "sync"]
    assert [line for line in stage.file_calls if line.startswith(("sync", "mv reverting", "rm"))][-4:] == [
        *("mv reverting reverted", "rm -rf before after"),
        f"rm -f {texts.BOOT_UNIT_LINK} {texts.BOOT_UNIT_PATH}",
        f"sync . {stage.root} {stage.root}",
    ]


def test_what_is_not_there_is_not_removed(stage: Stage) -> None:
    stage.hide_tools(*FILE_TOOLS)
    stage.arm(change_on(stage))
    stage.run("revert", "timeout")
    assert not [line for line in stage.file_calls if "new" in line]


@pytest.mark.parametrize("call", ["cp -p", "sync", "mv -f"])
def test_a_file_that_cannot_be_written_leaves_nothing(stage: Stage, call: str) -> None:
    stage.hide_tools(*FILE_TOOLS)
    stage.arm(change_on(stage))
    stage.fail(f"^{call} .*/etc/\\.kvmops-new( |$)" if call != "cp -p" else "^cp -p after/0")
    stage.run("apply")
    assert stage.text("failure") == f"place after/0 {stage.etc}/new\n"
    assert stage.state == {"reverted", "failure"}
    assert stage.disk == BEFORE
    assert "rm -f @/.kvmops-new" in stage.file_calls


def test_a_folder_that_cannot_be_synchronised_is_a_failure(stage: Stage) -> None:
    stage.hide_tools(*FILE_TOOLS)
    stage.arm(change_on(stage))
    stage.fail("^sync .*/er$")
    stage.run("apply", code=1)
    assert stage.text("failure") == f"place after/3 {stage.etc}/deep/er/new\n"
    assert stage.text("unfinished") == f"remove {stage.etc}/deep/er/new\n"
    assert stage.state == {"reverting", "failure", "unfinished"}


def test_a_bridge_without_a_mac_address_is_not_made(stage: Stage) -> None:
    stage.arm(change_on(stage, bridge=("br0", "")))
    stage.run("apply")
    assert stage.calls == ["networkctl before", "ip -force -batch apply.batch", "networkctl reload"]
    stage.arm(change_on(stage, bridge=("br0", ""), new_bridge="", old_bridge="br0"))
    stage.run("revert", "timeout")
    assert not [line for line in stage.calls if "type bridge" in line]


def with_ports(stage: Stage, *ports: str) -> None:
    (stage.system / "br0/bridge").mkdir(parents=True)
    (stage.system / "br0/brif").mkdir()
    for port in ports:
        (stage.system / "br0/brif" / port).mkdir()


@pytest.mark.parametrize("ports", [(), ("vnet0", "vnet1")])
def test_a_bridge_goes_unless_guests_are_plugged_in(stage: Stage, ports: tuple[str, ...]) -> None:
    with_ports(stage, *ports)
    stage.arm(change_on(stage))
    stage.run("revert", "timeout")
    assert ("ip link delete dev br0" in stage.calls) == (not ports)
    assert ("keep br0, it has ports: vnet0 vnet1" in stage.text("log")) == bool(ports)


@pytest.mark.parametrize("ports", [(), ("vnet0",)])
def test_the_change_removes_an_old_bridge(stage: Stage, ports: tuple[str, ...]) -> None:
    with_ports(stage, *ports)
    stage.arm(change_on(stage, new_bridge="", old_bridge="br0"))
    stage.run("apply")
    assert ("ip link delete dev br0" in stage.calls) == (not ports)
    assert MAKE_BRIDGE not in stage.calls
    assert stage.state == {"armed", "applied"}
    shutil.rmtree(stage.system / "br0")
    stage.run("revert", "timeout")
    assert MAKE_BRIDGE in stage.calls


def test_what_is_no_bridge_is_not_deleted(stage: Stage) -> None:
    (stage.system / "br0").mkdir()
    stage.arm(change_on(stage))
    stage.run("revert", "timeout")
    assert "ip link delete dev br0" not in stage.calls


@pytest.mark.parametrize(
    ("there", "batches", "looks"),
    [
        ((*LEASED, "203.0.113.1/24"), 1, 0),
        (LEASED[:1], 2, 8),
        (LEASED[1:], 2, 8),
        (("1" + LEASED[0], LEASED[0] + "0", LEASED[1]), 2, 8),  # others with the same letters
    ],
)
def test_an_address_that_no_server_gives_again_is_put_back(
    stage: Stage, there: tuple[str, ...], batches: int, looks: int
) -> None:
    stage.arm(change_on(stage))
    stage.give(*there)
    stage.run("revert", "timeout")
    assert stage.calls.count("ip -force -batch revert.batch") == batches
    assert (stage.calls[-1] == "ip -force -batch revert.batch") == (batches == 2)
    assert stage.state == {"reverted"}
    assert [line for line in stage.all_calls if line.startswith("sleep")] == ["sleep 1.5", *["sleep 0.5"] * looks]


def test_an_address_is_waited_for_no_longer_than_needed(stage: Stage) -> None:
    stage.arm(change_on(stage, leased=LEASED[:1]))
    (stage.root / "there-from").write_text("4")
    stage.run("revert", "timeout")
    assert stage.calls.count("ip -force -batch revert.batch") == 1
    # the back end takes the old ones away at first: whoever looks at once sees those
    look = "ip -o address show dev eth0"
    after = stage.all_calls[stage.all_calls.index("networkctl reload again") + 1 : -1]
    assert after == ["sleep 1.5", *[look, "sleep 0.5"] * 3, look, look]


@pytest.mark.parametrize("after", [(), (("networkctl", "reload", "again"),)])
def test_without_leased_addresses_nothing_is_waited_for(stage: Stage, after: tuple[tuple[str, ...], ...]) -> None:
    stage.arm(change_on(stage, leased=(), revert_after=after))
    stage.give()
    stage.run("revert", "timeout")
    assert stage.calls.count("ip -force -batch revert.batch") == 1
    assert not [line for line in stage.all_calls if line.startswith(("sleep", "ip -o"))]
    assert stage.state == {"reverted"}


@pytest.mark.parametrize("mode", ["timeout", "boot"])
def test_a_way_back_that_is_killed_anywhere_and_begins_again_ends_the_same(stage: Stage, mode: str) -> None:
    stage.hide_tools(*FILE_TOOLS)
    stage.arm(change_on(stage))
    stage.run("apply")
    stage.keep()
    call = 0
    while True:
        call += 1
        stage.restore()
        if not stage.run_until(call, "revert", mode):
            break
        assert len(stage.state & {"armed", "reverting", "reverted"}) == 1
        stage.run("revert", "boot" if call % 2 else mode)
        assert stage.disk == BEFORE, call
        assert stage.state == {"reverted", "applied"}
        if stage.text("log").count("the way back is done"):
            assert boot_unit_is_there() == [False, False], call
            assert not (stage.folder / "before").exists(), call
    assert call > 8


def test_a_change_that_is_killed_anywhere_is_taken_back(stage: Stage) -> None:
    stage.hide_tools(*FILE_TOOLS)
    stage.arm(change_on(stage))
    stage.keep()
    call = 0
    while True:
        call += 1
        stage.restore()
        if not stage.run_until(call, "apply"):
            break
        for mode in ("boot", "timeout"):
            stage.run("revert", mode)
        left = {name: content for name, content in stage.disk.items() if "/.kvmops-" not in f"/{name}"}
        assert left == BEFORE, call
        assert "reverted" in stage.state
    assert call > 8


def test_of_two_ways_back_at_once_one_does_it(stage: Stage) -> None:
    stage.arm(change_on(stage))
    stage.run("apply")
    (stage.root / "calls").unlink()
    (stage.root / "slow-networkctl").touch()
    with stage.start("revert", "timeout") as one, stage.start("revert", "asked") as other:
        assert (one.wait(60), other.wait(60)) == (0, 0)
    assert [line for line in stage.changing_calls if line != STOP_TIMER] == BACK
    assert stage.disk == BEFORE
    assert stage.text("log").count("the way back begins") == 1


def test_names_are_no_commands(stage: Stage) -> None:
    odd = f"{stage.etc}/a b'c\"$(touch {stage.root}/pwned)`touch {stage.root}/pwned`;touch {stage.root}/pwned"
    Path(odd).parent.mkdir(parents=True)
    files = (FileChange(odd, before=None, after=b"x"),)
    command = ("networkctl", "$(touch pwned)", "a  b", "'\n;touch pwned")
    change = change_on(stage, files=files, apply_after=(command,), carrier="$(touch pwned)", new_bridge="$(touch pwned)")
    change = replace(change, leased=("$(touch pwned)", "a b';touch pwned"))
    stage.arm(replace(change, revert_after=(command,), bridge=("$(touch pwned)", "x y")))
    stage.run("apply")
    assert Path(odd).read_bytes() == b"x"
    stage.run("revert", "timeout")
    assert not Path(odd).exists()
    assert not list(stage.root.rglob("pwned"))


def test_the_unit_for_the_boot() -> None:
    lines = texts.boot_unit().splitlines()
    folder = "/var/lib/kvmops-network/transaction"
    for line in (
        "DefaultDependencies=no",
        f"RequiresMountsFor={folder} /etc",
        "Before=network-pre.target systemd-networkd.service NetworkManager.service networking.service",
        "ConditionPathExists=!/run/kvmops-network-armed",
        f"ConditionPathExists=|{folder}/armed",
        f"ConditionPathExists=|{folder}/reverting",
        f"ExecStart=/bin/sh {folder}/revert boot",
        "WantedBy=sysinit.target",
    ):
        assert line in lines
    assert texts.BOOT_UNIT == "kvmops-network-revert.service"
    assert f"/etc/systemd/system/sysinit.target.wants/{texts.BOOT_UNIT}" == texts.BOOT_UNIT_LINK


def test_the_names_of_the_units() -> None:
    assert (texts.apply_unit("7"), texts.revert_unit("7")) == ("kvmops-network-apply-7", "kvmops-network-revert-7")


def test_the_files_of_the_folder(stage: Stage) -> None:
    change = change_on(stage)
    files = files_of(change)
    assert {name for name in files if "/" in name} == {"after/0", "before/1", "after/1", "before/2", "after/3"}
    assert {name for name in files if "/" not in name} == {"apply", "revert", "apply.batch", "revert.batch"}
    assert files_of(replace(change, revert_batch=()))["revert.batch"] == b""
