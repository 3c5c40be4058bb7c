# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What is remembered on a host's disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.files import read_files
from ansible_collections.kvmops.network.plugins.module_utils._edge.records import read_records
from ansible_collections.kvmops.network.plugins.module_utils._errors import RequirementError
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._bridge.builders import record


def test_records(tmp_path: Path) -> None:
    kept = {name: record(name=name) for name in ("br0", "br1")}
    for name, one in kept.items():
        (tmp_path / f"{name}.json").write_text(one.to_text())
    (tmp_path / ".kvmops-br2.json").write_text("begun, and not finished")
    (tmp_path / "notes.txt").write_text("nothing of ours")
    assert read_records(str(tmp_path)) == kept


def test_no_records(tmp_path: Path) -> None:
    assert read_records(str(tmp_path)) == {}
    assert read_records(str(tmp_path / "missing")) == {}


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"{}"])
def test_a_broken_record_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "br0.json").write_bytes(content)
    with pytest.raises(RequirementError, match=f"The file {tmp_path}/br0.json, in which host_bridge remembers a bridge, cannot"):
        read_records(str(tmp_path))


def test_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\x00\xff")
    (tmp_path / "empty").touch()
    paths = [f"{tmp_path}/{name}" for name in ("a", "empty", "missing", "missing/er")]
    assert read_files(paths) == dict(zip(paths, (b"\x00\xff", b"", None, None)))
    assert read_files([]) == {}


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(RequirementError) as caught:
        read_files([str(tmp_path)])
    assert str(caught.value) == f"{tmp_path} cannot be read: Is a directory. Run the task as root (become: true)."
