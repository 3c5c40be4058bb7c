# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.


"""Files of the host: read, and written so that a power cut leaves the old one or the new one whole."""

from __future__ import annotations

import contextlib
import os
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._errors import RequirementError

if t.TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["read_files", "read_text", "remove_file", "synchronise", "write_file"]


def read_files(paths: Iterable[str]) -> dict[str, bytes | None]:
    """Return the content of files, None where there is none. Raises RequirementError for what is no file or not to be read."""
    return {path: _read_file(path) for path in paths}


def _read_file(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RequirementError(
            f"{os.path.abspath(path)} cannot be read: {error.strerror}. Run the task as root (become: true)."
        ) from None


def read_text(path: str) -> str:
    """Return the text of a file, "" where there is none or it cannot be read. What is no UTF-8 is kept as it is."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""


def write_file(path: str, content: bytes, *, mode: int) -> None:
    """Write a file and make it last, with the folder that it is in. Raises OSError."""
    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o755, exist_ok=True)
    unfinished = f"{path}.kvmops-new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(unfinished)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    os.replace(unfinished, path)
    synchronise(folder)


def remove_file(path: str) -> None:
    """Remove a file, and its folder if that is left empty and is one of additions to a file (`.d`). Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    folder = os.path.dirname(path)
    if folder.endswith(".d") and os.path.basename(os.path.dirname(folder)) == "network":
        with contextlib.suppress(OSError):  # something else is in it
            os.rmdir(folder)
            folder = os.path.dirname(folder)
    if os.path.isdir(folder):
        synchronise(folder)


def synchronise(folder: str) -> None:
    """Make a folder's list of files last."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
