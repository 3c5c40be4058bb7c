# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The hook by which tests kill a module: only where the environment says so, and then at once."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
from ansible_collections.kvmops.network.plugins.module_utils._edge.kill_point import kill_point
for number in (1, 2, 3):
    kill_point()
    print(number, flush=True)
"""


@pytest.mark.parametrize(
    ("variable", "printed", "code"),
    [(None, ["1", "2", "3"], 0), ("", ["1", "2", "3"], 0), ("4", ["1", "2", "3"], 0), ("1", [], -9), ("3", ["1", "2"], -9)],
)
def test_it_kills_where_it_is_told_to(variable: str | None, printed: list[str], code: int) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    if variable is not None:
        environment["KVMOPS_NETWORK_KILL_AT"] = variable
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.returncode) == (printed, code), done.stderr
