# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The keeper of the rules, with the real nft and iptables in a network namespace of its own."""

from __future__ import annotations

import os
import subprocess
import typing as t
from pathlib import Path

import pytest

if "KVMOPS_UNIT_ON_A_LAB_HOST" not in os.environ:
    pytest.skip("only lab hosts have the firewall's programs for sure", allow_module_level=True)

from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._forward.keeper_cases import Cases, Place, inside


@pytest.fixture
def namespace() -> t.Iterator[list[str]]:
    """Return how a command begins that runs in the namespace."""
    held = subprocess.Popen(["unshare", "--net", "sleep", "600"])
    try:
        yield ["nsenter", "--net", f"--target={held.pid}"]
    finally:
        held.kill()
        held.wait()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, namespace: list[str]) -> Place:
    inside(tmp_path, monkeypatch)
    own = Path("/proc/self/ns/net").readlink()

    def run(command: list[str]) -> tuple[int, str, str]:
        done = subprocess.run([*namespace, *command], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    # the process has to be in its namespace before
    while run(["readlink", "/proc/self/ns/net"])[1].strip() in ("", str(own)):
        pass
    return Place(tmp_path, run)


class TestOnTheKernel(Cases):
    """What it does."""
