# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The CD-ROM from which cloud-init takes a guest's configuration."""

from __future__ import annotations

import os
import tempfile
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._edge.files import write_file
from ansible_collections.kvmops.network.plugins.module_utils._errors import ApplyError, RequirementError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Run = Callable[[list[str]], tuple[int, str, str]]

__all__ = ["check_xorriso", "read_seed", "write_seed"]

_LABEL = "cidata"
_NOTHING: dict[str, bytes] = {}


def check_xorriso(run: Run) -> None:
    """Raise RequirementError where there is no xorriso."""
    _run(run, ["xorriso", "-version"])


def read_seed(run: Run, path: str) -> dict[str, bytes] | None:
    """Return the files of a CD-ROM, None if there is none; without any file if it is no CD-ROM of this label."""
    if not os.path.lexists(path):
        return None
    with tempfile.TemporaryDirectory(prefix="kvmops-seed-") as folder:
        target = os.path.join(folder, "files")
        reading = ["-abort_on", "FATAL", "-osirrox", "on", "-indev", f"stdio:{path}", "-pvd_info", "-extract", "/", target]
        code, output, errors = _run(run, ["xorriso", "-no_rc", *reading])
        volumes = [line.partition(":")[2].strip() for line in (output + errors).splitlines() if line.startswith("Volume Id")]
        if code != 0 or _LABEL not in volumes or not os.path.isdir(target):
            return dict(_NOTHING)
        return {name: _read(os.path.join(target, name)) for name in sorted(os.listdir(target))}


def write_seed(run: Run, path: str, files: Mapping[str, bytes]) -> None:
    """Make a CD-ROM with these files. Raises ApplyError."""
    with tempfile.TemporaryDirectory(prefix="kvmops-seed-") as folder:
        content = os.path.join(folder, "files")
        os.mkdir(content)
        for name, text in files.items():
            write_file(os.path.join(content, name), text, mode=0o644)
        made = os.path.join(folder, "seed.iso")
        code, _output, errors = _run(run, ["xorrisofs", "-quiet", "-o", made, "-V", _LABEL, "-J", "-r", content])
        if code != 0:
            raise ApplyError(f"The CD-ROM {path} could not be made: {' '.join(errors.split()).rstrip('.')}")
        try:
            write_file(path, _read(made), mode=0o600)
        except OSError as error:
            raise ApplyError(f"The CD-ROM {path} could not be written: {error.strerror}") from None


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _run(run: Run, command: list[str]) -> tuple[int, str, str]:
    try:
        return run(command)
    except OSError as error:
        raise RequirementError(
            f"{command[0]}, which makes CD-ROMs, cannot be run on this host ({error.strerror}). Install the package "
            "xorriso, or set configuration.seed to false.",
            requirement="xorriso",
        ) from None
