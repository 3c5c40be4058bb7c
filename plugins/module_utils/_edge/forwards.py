# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The files and units of this host that make port forwards, and whether they are in force."""

from __future__ import annotations

import contextlib
import glob
import inspect
import json
import os
import sys
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._edge.files import read_files, remove_file, write_file
from ansible_collections.kvmops.network.plugins.module_utils._edge.kill_point import kill_point
from ansible_collections.kvmops.network.plugins.module_utils._edge.links import failure_of
from ansible_collections.kvmops.network.plugins.module_utils._errors import ApplyError, RequirementError
from ansible_collections.kvmops.network.plugins.module_utils._forward import keeper
from ansible_collections.kvmops.network.plugins.module_utils._forward.files import (
    FOLDER,
    KEEPER_UNIT,
    RECORD,
    RULES,
    Programs,
    keeper_unit_of,
    owned_patterns,
    proxy_sockets,
)
from ansible_collections.kvmops.network.plugins.module_utils._forward.forward import read_record

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Run
    from ansible_collections.kvmops.network.plugins.module_utils._file_changes import FileChange
    from ansible_collections.kvmops.network.plugins.module_utils._forward.forward import Forward

    Files = Mapping[str, t.Optional[bytes]]

__all__ = [
    "change_files",
    "check_programs",
    "find_programs",
    "read_faults",
    "read_forwards",
    "read_idle",
    "read_owned_files",
    "settle",
]

_PROXIES = ("/usr/lib/systemd/systemd-socket-proxyd", "/lib/systemd/systemd-socket-proxyd")
_PYTHON = "/usr/bin/python3"


def find_programs() -> Programs:
    """Return the programs that units run."""
    proxy = next((path for path in _PROXIES if os.access(path, os.X_OK)), "")
    # the name of one version is gone with an upgrade of the host, and the unit would not start any more
    same = os.path.realpath(_PYTHON) == os.path.realpath(sys.executable)
    return Programs(python=_PYTHON if same else sys.executable, proxy=proxy, keeper=inspect.getsource(keeper))


def check_programs(run: Run) -> None:
    """Raise RequirementError where the host has no systemd, or cannot make rules."""
    if not os.path.isdir("/run/systemd/system"):
        raise RequirementError("This host does not run systemd, which would make the forwards at each boot.")
    failure = failure_of(run, ["nft", "--version"])
    if failure is not None:
        raise RequirementError(f"'nft' cannot be run on this host: {failure}. Install the package nftables.")


def read_owned_files() -> dict[str, bytes | None]:
    """Return the content of all files about forwards. Raises RequirementError for one that cannot be read."""
    paths = [path for pattern in owned_patterns() for path in sorted(glob.glob(pattern)) if os.path.isfile(path)]
    return read_files(paths)


def read_forwards(files: Files) -> dict[str, Forward]:
    """Return the forwards that are remembered, by name. Raises RequirementError where the record cannot be understood."""
    content = files.get(RECORD)
    return read_record(content.decode(errors="replace") if content is not None else None, path=RECORD)


def read_faults(run: Run, files: Files) -> list[str]:
    """Return what is missing of the rules in the kernel."""
    content = files.get(RULES)
    if content is None:
        return []
    try:
        return keeper.faults(json.loads(content), run)
    except OSError:
        return ["the program nft"]
    except (ValueError, KeyError, TypeError):
        return [RULES]


def read_idle(run: Run, files: Files) -> list[str]:
    """Return the units that are there, and do not run or do not start at boot."""
    return [
        unit
        for unit in [*keeper_unit_of(files), *proxy_sockets(files)]
        for states in [(run(["systemctl", "is-active", unit])[1].strip(), run(["systemctl", "is-enabled", unit])[1].strip())]
        if states != ("active", "enabled")
    ]


def change_files(changes: Iterable[FileChange]) -> None:
    """Write and remove files. Raises ApplyError for one with which that fails."""
    for change in changes:
        kill_point()
        try:
            if change.after is None:
                remove_file(change.path)
            else:
                write_file(change.path, change.after, mode=change.mode)
        except OSError as error:
            raise ApplyError(f"{change.path} could not be written: {error.strerror}") from None


def settle(run: Run, before: Files, after: Files, changes: Iterable[FileChange]) -> None:
    """Have systemd do what the files say, from what they said before. Raises ApplyError with what it answers.

    What shall not be there any more ends while its files are still there; then the files change, and what is new begins.
    """
    had, has = [*keeper_unit_of(before), *proxy_sockets(before)], [*keeper_unit_of(after), *proxy_sockets(after)]
    changed = {change.path.rpartition("/")[2] for change in changes}
    gone = [unit for unit in had if unit not in has]
    # a proxy that is to do something else lets go of its port first
    anew = [unit for unit in proxy_sockets(before) if unit in has and {unit, _service_of(unit)} & changed]
    bridges = sorted(set(_bridges(before)) - set(_bridges(after)))
    if gone:
        _systemctl(run, "disable", "--now", *gone)
    if before.get(RULES) is not None and KEEPER_UNIT not in has:
        _end_rules(run, before)
    _stop(run, [*(_service_of(unit) for unit in gone + anew if unit != KEEPER_UNIT), *anew])
    # before, so that no bridge is left without what guards it; and after, since the keeper may have put it back in between
    _forget(bridges)
    change_files(changes)
    _forget(bridges)
    _tidy()
    if any(name.endswith((".service", ".socket")) for name in changed):
        _systemctl(run, "daemon-reload")
    if has:
        _systemctl(run, "enable", *has)
        if KEEPER_UNIT in had and KEEPER_UNIT in has and run(["systemctl", "is-active", KEEPER_UNIT])[0] == 0:
            if {KEEPER_UNIT, "keeper.py"} & changed:
                _systemctl(run, "restart", KEEPER_UNIT)
            else:
                _systemctl(run, "reload", KEEPER_UNIT)
        _systemctl(run, "start", *has)


def _bridges(files: Files) -> list[str]:
    content = files.get(RULES)
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return list(json.loads(content or "{}")["bridges"])
    return []


def _forget(bridges: Iterable[str]) -> None:
    for bridge in bridges:
        keeper.forget_bridge(bridge)


def _end_rules(run: Run, files: Files) -> None:
    """Take rules away that the keeper itself could not: its unit may have been removed, or the Python that it runs."""
    _stop(run, [KEEPER_UNIT])
    try:
        keeper.remove({"bridges": _bridges(files)}, run)
    except OSError as error:
        raise ApplyError(f"the rules could not be taken away: {error}") from None


def _service_of(socket: str) -> str:
    return f"{socket.rpartition('.')[0]}.service"


def _stop(run: Run, units: list[str]) -> None:
    if units:
        run(["systemctl", "stop", *units])
        run(["systemctl", "reset-failed", *units])


def _tidy() -> None:
    """Remove folders that are left empty."""
    for folder in (FOLDER, os.path.dirname(FOLDER)):
        with contextlib.suppress(OSError):
            os.rmdir(folder)


def _systemctl(run: Run, *words: str) -> None:
    kill_point()
    failure = failure_of(run, ["systemctl", *words])
    if failure is not None:
        raise ApplyError(f"'systemctl {' '.join(words)}' failed: {failure}")
