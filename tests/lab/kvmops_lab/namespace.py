# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""Network namespaces, and the one way in which the lab calls `ip`: always inside one of its own namespaces."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import command

_NAMED = Path("/run/netns")


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
