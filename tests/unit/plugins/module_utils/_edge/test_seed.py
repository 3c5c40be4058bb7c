# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""A CD-ROM is made and read back; where there is no xorriso, something takes its place."""

from __future__ import annotations

import os
import shutil
import subprocess
import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.seed import read_seed, write_seed
from ansible_collections.kvmops.network.plugins.module_utils._errors import ApplyError

if t.TYPE_CHECKING:
    from pathlib import Path

FILES = {"meta-data": b"instance-id: x\n", "network-config": b"{}\n", "user-data": b"#cloud-config\n{}\n"}


class Cabinet:
    """In the place of xorriso, where it is not installed: it keeps the files that it is given."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def __call__(self, command: list[str]) -> tuple[int, str, str]:
        if command[0] == "xorrisofs":
            assert command[command.index("-V") + 1] == "cidata"
            self._files = {name: _read(os.path.join(command[-1], name)) for name in os.listdir(command[-1])}
            _write(command[command.index("-o") + 1], b"CD-ROM")
        else:
            assert command[command.index("-indev") + 1].startswith("stdio:/")
            os.mkdir(command[-1])
            for name, content in self._files.items():
                _write(os.path.join(command[-1], name), content)
        return 0, "Volume Id    : cidata\n", ""


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _write(path: str, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)


def _run(command: list[str]) -> tuple[int, str, str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def run() -> t.Any:
    return _run if shutil.which("xorriso") else Cabinet()


def test_it_is_read_as_it_was_written(run: t.Any, tmp_path: Path) -> None:
    path = tmp_path / "folder/it's a $(seed).iso"
    assert read_seed(run, str(path)) is None
    write_seed(run, str(path), FILES)
    assert read_seed(run, str(path)) == FILES
    assert path.stat().st_mode & 0o777 == 0o600
    write_seed(run, str(path), {**FILES, "user-data": b"other"})
    assert read_seed(run, str(path)) == {**FILES, "user-data": b"other"}
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_what_is_none_has_no_files(tmp_path: Path) -> None:
    path = tmp_path / "seed.iso"
    path.write_text("no CD-ROM")
    run = _run if shutil.which("xorriso") else lambda _command: (0, "Volume Id    : ISOIMAGE\n", "")
    assert read_seed(run, str(path)) == {}


def test_what_fails_says_why(tmp_path: Path) -> None:
    def refuse(_command: list[str]) -> tuple[int, str, str]:
        return 5, "", "xorriso : FAILURE : no space.\n"

    with pytest.raises(ApplyError, match=r"^The CD-ROM .*seed\.iso could not be made: xorriso : FAILURE : no space$"):
        write_seed(refuse, str(tmp_path / "seed.iso"), FILES)
    assert list(tmp_path.iterdir()) == []
