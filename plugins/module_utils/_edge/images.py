# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Files that are a guest's drives: seen, made and removed."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._errors import ApplyError, InputError, RequirementError

if t.TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[[list[str]], tuple[int, str, str]]

__all__ = [
    "Image",
    "check_directory",
    "check_file",
    "check_own_directory",
    "has_file",
    "make_image",
    "read_image",
    "remove_image",
]

_MISSING = (
    "qemu-img, which reads and makes disk images, cannot be run on this host ({}). Install the package qemu-utils (Red Hat: "
    "qemu-img, SUSE: qemu-tools)."
)


@dataclass(frozen=True)
class Image:
    """A disk image. `size` is what the guest sees, in bytes; `backing` is the image that it is a difference from, "" for none."""

    path: str
    format: str
    size: int
    backing: str = ""


def has_file(path: str) -> bool:
    """Say whether there is something of the name."""
    return os.path.lexists(path)


def check_file(option: str, path: str) -> None:
    """Refuse a path that is no file. Raises InputError."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise InputError(
            f"{option}: {path} cannot be used ({error.strerror}); correct the path, or put the file there."
        ) from None
    if not stat.S_ISREG(mode) and not stat.S_ISBLK(mode):
        raise InputError(f"{option}: {path} is no file; correct the path.")


def check_directory(option: str, path: str) -> None:
    """Refuse a path that is no directory. Raises InputError."""
    if not os.path.isdir(path):
        raise InputError(f"{option}: there is no directory {path} on this host; make it first, or choose another one.")


def check_own_directory(option: str, path: str) -> None:
    """Refuse a directory in which others could put something in the place of what is written there. Raises InputError."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(found.st_mode):
        raise InputError(f"{option}: {path} is no directory; choose another one.")
    if found.st_uid not in (0, os.geteuid()) or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise InputError(
            f"{option}: others than root can write into {path}, and so could give the guest another configuration; "
            "choose another directory, or take the right from them."
        )


def read_image(run: Run, option: str, path: str) -> Image | None:
    """Return what an image is, None if there is no file. Raises InputError for what is no image."""
    if not os.path.lexists(path):
        return None
    check_file(option, path)
    # a running guest has it open, so that it is shared
    code, output, errors = _run(run, ["qemu-img", "info", "--force-share", "--output=json", "--", path])
    if code != 0:
        raise InputError(f"{option}: {path} is no disk image ({_reason(errors)}); correct the path, or move it away.")
    found = json.loads(output)
    backing = found.get("full-backing-filename") or found.get("backing-filename") or ""
    return Image(path=path, format=found["format"], size=int(found["virtual-size"]), backing=backing)


def make_image(run: Run, wanted: Image, *, source: Image | None, use: str) -> None:
    """Make an image that is not there: empty, a copy of another one, or a difference from it. Raises ApplyError."""
    unfinished = f"{wanted.path}.kvmops-new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(unfinished)
    commands = []
    if source is None:
        commands.append(["qemu-img", "create", "-q", "-f", wanted.format, "--", unfinished, str(wanted.size)])
    elif use == "backing":
        backed = ["-b", source.path, "-F", source.format]
        commands.append(["qemu-img", "create", "-q", "-f", wanted.format, *backed, "--", unfinished, str(wanted.size)])
    else:
        commands.append(["qemu-img", "convert", "-f", source.format, "-O", wanted.format, "--", source.path, unfinished])
        commands.append(["qemu-img", "resize", "-q", "-f", wanted.format, "--", unfinished, str(wanted.size)])
    for command in commands:
        code, _output, errors = _run(run, command)
        if code != 0:
            remove_image(unfinished)
            raise ApplyError(f"The disk {wanted.path} could not be made: {_reason(errors)}")
    try:
        os.chmod(unfinished, 0o600)
        os.link(unfinished, wanted.path)  # not a rename, which would take the place of what somebody has made meanwhile
    except OSError as error:
        raise ApplyError(f"The disk {wanted.path} could not be made: {error.strerror}") from None
    finally:
        remove_image(unfinished)


def remove_image(path: str) -> None:
    """Remove a file, if it is there. Raises ApplyError."""
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    except OSError as error:
        raise ApplyError(f"{path} could not be removed: {error.strerror}") from None


def _run(run: Run, command: list[str]) -> tuple[int, str, str]:
    try:
        return run(command)
    except OSError as error:
        raise RequirementError(_MISSING.format(error.strerror), requirement="qemu-img") from None


def _reason(errors: str) -> str:
    text = " ".join(errors.split()).rstrip(".")
    return text.replace("qemu-img: ", "", 1) or "qemu-img does not say why"
