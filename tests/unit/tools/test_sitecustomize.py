# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROGRAM = """
import sitecustomize, sys
sitecustomize._FOLDER = sys.argv[1]
sys.path.insert(0, sys.argv[2])
import sent
print(sent.answer())
"""


@pytest.fixture
def import_sent(tmp_path: Path, pytestconfig: pytest.Config):
    """Import a module of this source from an archive, in a Python of its own, and return what it answers."""

    def answer(source: str) -> str:
        with zipfile.ZipFile(tmp_path / "sent.zip", "w") as archive:
            archive.writestr("sent.py", source)
        program = [sys.executable, "-c", PROGRAM, str(tmp_path / "kept"), str(tmp_path / "sent.zip")]
        folder = pytestconfig.rootpath / "extensions/molecule/common/python"
        environment = {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(program, env=environment, capture_output=True, text=True, check=True).stdout.strip()

    return answer


def test_a_source_is_compiled_once_and_another_one_anew(import_sent, tmp_path):
    assert import_sent("def answer(): return 1") == "1"
    (first,) = (tmp_path / "kept").iterdir()
    written = first.stat().st_mtime_ns
    assert import_sent("def answer(): return 1") == "1"
    assert first.stat().st_mtime_ns == written
    assert import_sent("def answer(): return 2") == "2"
    assert len(list((tmp_path / "kept").iterdir())) == 2


def test_what_is_kept_is_what_runs(import_sent, tmp_path):
    import_sent("def answer(): return 1")
    (first,) = (tmp_path / "kept").iterdir()
    import_sent("def answer(): return 2")
    (second,) = set((tmp_path / "kept").iterdir()) - {first}
    first.write_bytes(second.read_bytes())
    assert import_sent("def answer(): return 1") == "2"


def test_it_compiles_where_nothing_can_be_kept(import_sent, tmp_path):
    (tmp_path / "kept").write_text("no folder")
    assert import_sent("def answer(): return 1") == "1"
