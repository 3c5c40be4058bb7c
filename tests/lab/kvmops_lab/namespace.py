# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""Network namespaces, and the one way in which the lab calls `ip`: always inside one of its own namespaces."""

from __future__ import annotations

import ctypes
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import command
from .errors import LabError

_NAMED = Path("/run/netns")
_CLONE_NEWNET = 0x40000000  # <linux/sched.h>; os.setns is there from Python 3.12 on


def exists(name: str) -> bool:
    """False also for the empty file that stays behind when the machine is rebooted and /run is on disk."""
    try:
        return (_NAMED / name).stat().st_dev != _NAMED.stat().st_dev
    except FileNotFoundError:
        return False


def create(name: str) -> None:
    with suppress(FileNotFoundError):
        if not exists(name):
            (_NAMED / name).unlink()
    command.output(["ip", "netns", "add", name])
    ip(name, "link", "set", "lo", "up")


def delete(name: str) -> None:
    if exists(name):
        command.output(["ip", "netns", "delete", name])
    with suppress(FileNotFoundError):
        (_NAMED / name).unlink()


def named(prefix: str) -> list[str]:
    if not _NAMED.is_dir():
        return []
    return sorted(path.name for path in _NAMED.iterdir() if path.name.startswith(prefix))


def ip(name: str, *arguments: str) -> None:
    command.output(["ip", "-n", name, *arguments])


def ip_json(name: str, *arguments: str) -> list[dict[str, Any]]:
    text = command.output(["ip", "-n", name, "-json", *arguments])
    found: list[dict[str, Any]] = [entry for entry in json.loads(text or "[]") if entry]
    return found


def has_link(name: str, link: str) -> bool:
    return command.attempt(["ip", "-n", name, "link", "show", "dev", link]).returncode == 0


def inside(name: str) -> list[str]:
    """What to put before a command so that it runs in the namespace, with everything else as it is."""
    return ["nsenter", f"--net={_NAMED / name}", "--"]


def is_current(name: str) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.stat("/proc/self/ns/net"), os.stat(_NAMED / name))
    return False


def enter_that_of(process: str) -> None:
    """Go into the network namespace of a process, with this one and what it starts."""
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        with open(f"/proc/{process}/ns/net", "rb") as namespace:
            if libc.setns(namespace.fileno(), _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    except OSError as error:
        raise LabError(f"The network namespace of process {process} cannot be entered: {error.strerror}.") from None
