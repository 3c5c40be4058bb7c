# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""Running programs."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .errors import LabError


def output(command: Sequence[str], *, stdin: str | None = None, env: Mapping[str, str] | None = None) -> str:
    """What the command printed; LabError with what it complained about if it failed."""
    result = attempt(command, stdin=stdin, env=env)
    if result.returncode != 0:
        complaint = (result.stderr or result.stdout).strip() or "no message"
        raise LabError(f"`{' '.join(command)}` failed with exit code {result.returncode}: {complaint}")
    return result.stdout


def attempt(
    command: Sequence[str], *, stdin: str | None = None, env: Mapping[str, str] | None = None, timeout: float | None = None
) -> subprocess.CompletedProcess[str]:
    """The result of the command, whatever it is; a command that is not there or takes too long is a result too."""
    try:
        return subprocess.run(
            command, input=stdin or "", env=env, text=True, errors="replace", capture_output=True, timeout=timeout, check=False
        )
    except FileNotFoundError:
        return subprocess.CompletedProcess(command, 127, "", f"{command[0]}: no such command")
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", f"no end after {timeout} s")


def logged(command: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> None:
    """Run something long with its output in a file; LabError with the last lines of it if it failed."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as stream:
        result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, env=env, cwd=cwd, check=False)
    if result.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise LabError(f"{command[0]} failed with exit code {result.returncode}. The end of {log}:\n{tail}")


def background(command: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None) -> None:
    """Start something that outlives this command and holds none of its file descriptors."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as stream:
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, env=env, cwd="/", start_new_session=True
        )
