# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
from __future__ import annotations

from pathlib import Path

import pytest
from kvmops_lab.cgroup import ControlGroup


def test_a_process_that_moves_down_while_its_group_is_read_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cgroup.procs").write_text("7\n8\n")

    def moving(path: Path) -> str:
        if path.parent == tmp_path:
            # as systemd does with itself when it begins
            (tmp_path / "init.scope").mkdir()
            (tmp_path / "init.scope/cgroup.procs").write_text("8\n")
            return "7\n"
        return path.read_bytes().decode()

    monkeypatch.setattr(Path, "read_text", moving)
    assert ControlGroup(tmp_path).processes() == [7, 8]


def test_a_group_that_has_gone_has_no_processes(tmp_path: Path) -> None:
    assert ControlGroup(tmp_path / "gone").processes() == []


def test_what_is_below_a_group_that_does_not_tell_is_seen(tmp_path: Path) -> None:
    # as a threaded group does not, here by not having the file
    (tmp_path / "below").mkdir()
    (tmp_path / "below/cgroup.procs").write_text("9\n")
    assert ControlGroup(tmp_path).processes() == [9]
