# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What the edge reads of a host for port forwards; what it changes is tested with the modules."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge import forwards
from ansible_collections.kvmops.network.plugins.module_utils._errors import ApplyError
from ansible_collections.kvmops.network.plugins.module_utils._file_changes import FileChange
from ansible_collections.kvmops.network.plugins.module_utils._forward import keeper
from ansible_collections.kvmops.network.plugins.module_utils._forward.files import KEEPER_UNIT, RULES


def test_the_keeper_is_copied_as_it_is() -> None:
    assert forwards.find_programs().keeper == Path(keeper.__file__).read_text()


@pytest.mark.parametrize(
    ("active", "enabled", "idle"),
    [
        ("active", "enabled", []),
        ("inactive", "enabled", [KEEPER_UNIT]),
        ("active", "disabled", [KEEPER_UNIT]),
        ("activating", "enabled", [KEEPER_UNIT]),
        ("failed", "masked", [KEEPER_UNIT]),
    ],
)
def test_units_that_do_not_run_or_not_at_boot(active: str, enabled: str, idle: list[str]) -> None:
    answers = {"is-active": active, "is-enabled": enabled}
    files = {f"/etc/systemd/system/{KEEPER_UNIT}": b"", "/etc/systemd/system/kvmops-port-forward-a.socket": None}
    assert forwards.read_idle(lambda command: (0, f"{answers[command[1]]}\n", ""), files) == idle


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b'{"revision": "x"}'])
def test_rules_that_cannot_be_understood(content: bytes) -> None:
    assert forwards.read_faults(lambda _command: (0, '{"nftables": []}', ""), {RULES: content}) == [RULES]


def test_no_rules_are_not_looked_for() -> None:
    def run(command: list[str]) -> tuple[int, str, str]:
        raise AssertionError(command)

    assert forwards.read_faults(run, {}) == forwards.read_faults(run, {RULES: None}) == []


def test_nft_that_prints_something_else() -> None:
    wanted = {"revision": "x", "own": [], "passing": {}, "bridges": []}
    assert forwards.read_faults(lambda _command: (0, "oops", ""), {RULES: json.dumps(wanted).encode()}) == [RULES]


def test_files_are_written_and_removed(tmp_path: Path) -> None:
    new, old = tmp_path / "folder/new", tmp_path / "old"
    old.write_text("old")
    forwards.change_files([FileChange(str(new), None, b"new"), FileChange(str(old), b"old", None)])
    assert (new.read_text(), new.stat().st_mode & 0o777, old.exists()) == ("new", 0o644, False)


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(ApplyError) as caught:
        forwards.change_files([FileChange(f"{tmp_path}/file", None, b"new")])
    assert str(caught.value) == f"{tmp_path}/file could not be written: Is a directory"
