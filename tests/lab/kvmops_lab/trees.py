# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""Removing folders that an operating system may have been at work in."""

from __future__ import annotations

import shutil
from pathlib import Path

from . import command

_MOUNTS = Path("/proc/self/mountinfo")


def remove_tree(folder: Path) -> None:
    """Nothing to do is fine. What is mounted below is unmounted first: it must not be emptied along with the folder."""
    for mount in reversed(mounts_below(folder, _MOUNTS.read_text())):
        command.output(["umount", "--lazy", "--", mount])
    if folder.exists():
        shutil.rmtree(folder)


def mounts_below(folder: Path, mountinfo: str) -> list[str]:
    """The mount points at or below a folder, in the order in which they were mounted."""
    points = [_unescaped(line.split(" ")[4]) for line in mountinfo.splitlines()]
    return [point for point in points if Path(point).is_relative_to(folder)]


def _unescaped(point: str) -> str:
    for escaped, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(escaped, character)
    return point
