# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.


"""macvtap and macvlan interfaces of this host: their device nodes, who has those open, and the settings of the kernel for them.

What is changed here is an interface, its files, and who may open its device node.
"""

from __future__ import annotations

import contextlib
import glob
import grp
import os
import platform
import pwd
import stat
import tempfile
import time
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._edge.files import remove_file, write_file
from ansible_collections.kvmops.network.plugins.module_utils._edge.links import failure_of
from ansible_collections.kvmops.network.plugins.module_utils._errors import ApplyError, InputError
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.commands import Setting
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.host import Node
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.interface import Ipv6

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Run
    from ansible_collections.kvmops.network.plugins.module_utils._file_changes import FileChange
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.commands import Action
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.request import Tap

__all__ = [
    "carry_out",
    "change_files",
    "give_node",
    "holders_of",
    "ids_of",
    "kernel_lacks",
    "read_arp_ignore",
    "read_ipv6",
    "read_node",
    "run_all",
    "unknown_words",
]

_SETTINGS = "/proc/sys"
_NO_ADDRESSES = 1  # IN6_ADDR_GEN_MODE_NONE of the kernel
_NODE_TIMEOUT = 5  # seconds; udev makes it, or gives it its owner
_POLL = 0.05  # seconds


def read_node(name: str) -> Node | None:
    """Return the device node of a macvtap, None for an interface that has none."""
    for folder in glob.glob(f"/sys/class/net/{glob.escape(name)}/tap*"):
        path = f"/dev/{os.path.basename(folder)}"
        with contextlib.suppress(OSError):
            found = os.stat(path)
            return Node(path, owner=found.st_uid, group=found.st_gid, mode=stat.S_IMODE(found.st_mode))
    return None


def holders_of(node: Node) -> list[str]:
    """Return the processes that have a device node open, guests by their names."""
    found: dict[int, str] = {}
    try:
        device = os.stat(node.path).st_rdev
    except OSError:
        return []  # the guest that it was made for has ended
    for path in glob.glob("/proc/[0-9]*/fd/[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if "/tap" in os.readlink(path) and os.stat(path).st_rdev == device:
                process = path.split("/")[2]
                found[int(process)] = _describe(process)
    return [found[process] for process in sorted(found)]


def _describe(process: str) -> str:
    with open(f"/proc/{process}/cmdline", encoding="utf-8", errors="replace") as file:
        words = file.read().split("\0")
    name = words[words.index("-name") + 1] if "-name" in words[:-1] else ""
    guest = name.partition("guest=")[2].partition(",")[0] or name.partition(",")[0]
    program = os.path.basename(words[0]) or "a process"
    return f"the guest {guest} (process {process})" if guest else f"{program} (process {process})"


def read_ipv6(name: str) -> Ipv6 | None:
    """Return what the kernel does with IPv6 on an interface, None where it has no IPv6.

    networkd does not turn it off; it has the kernel make no addresses and follow no router, which is the same to everybody.
    """
    folder = f"{_SETTINGS}/net/ipv6/conf/{name}"
    disabled, follows = _number(f"{folder}/disable_ipv6"), _number(f"{folder}/accept_ra")
    if disabled is None:
        return None
    if disabled or (not follows and _number(f"{folder}/addr_gen_mode") == _NO_ADDRESSES):
        return Ipv6(disabled=True, follows_routers=False)
    return Ipv6(disabled=False, follows_routers=bool(follows))


def read_arp_ignore(names: Iterable[str]) -> dict[str, int]:
    """Return the kernel's arp_ignore for interfaces, and for "all" and "default"."""
    found = {name: _number(f"{_SETTINGS}/net/ipv4/conf/{name}/arp_ignore") for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _number(path: str) -> int | None:
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return None


def kernel_lacks(kind: str) -> bool:
    """Say whether the kernel surely has no interfaces of a kind: neither in itself nor among its modules.

    Where its modules cannot be seen, as in containers, that shows only when one is made.
    """
    folder = f"/lib/modules/{platform.release()}"
    if os.path.isdir(f"/sys/module/{kind}") or not os.path.exists(f"{folder}/modules.dep"):
        return False
    names = [f"/{kind}.ko", f"/{kind}.ko.xz", f"/{kind}.ko.zst", f"/{kind}.ko.gz"]
    for file_name in ("modules.builtin", "modules.dep"):
        with contextlib.suppress(OSError), open(f"{folder}/{file_name}", encoding="utf-8") as file:
            if any(line.partition(":")[0].strip().endswith(name) for line in file for name in names):
                return False
    return True


def unknown_words(run: Run, kind: str, words: Sequence[str]) -> list[str]:
    """Return which words of `ip link … type KIND` this host's `ip` does not know. Asks only where there are words."""
    if not words:
        return []
    _code, output, errors = run(["ip", "link", "help", kind])
    return [word for word in words if word not in output + errors]


def ids_of(tap: Tap) -> tuple[int, int]:
    """Return the numbers of a user and a group. Raises InputError for one that is not on this host."""
    try:
        owner = int(tap.owner) if tap.owner.isdigit() else pwd.getpwnam(tap.owner).pw_uid
    except KeyError:
        raise InputError(f"tap.owner: there is no user {tap.owner} on this host.") from None
    try:
        group = int(tap.group) if tap.group.isdigit() else grp.getgrnam(tap.group).gr_gid
    except KeyError:
        raise InputError(f"tap.group: there is no group {tap.group} on this host.") from None
    return owner, group


def give_node(name: str, tap: Tap | None) -> None:
    """Wait for a device node, and let it be opened by whom the task says. Raises ApplyError where there is none after a while."""
    deadline = time.monotonic() + _NODE_TIMEOUT
    node = read_node(name)
    while node is None and time.monotonic() < deadline:
        time.sleep(_POLL)
        node = read_node(name)
    if node is None:
        raise ApplyError(f"The kernel made {name}, and there is no device node /dev/tap… for it. Does udev run on this host?")
    if tap is None:
        return
    owner, group = ids_of(tap)
    try:
        os.chown(node.path, owner, group)
        os.chmod(node.path, tap.mode)
    except OSError as error:
        raise ApplyError(f"{node.path} cannot be given to {tap.owner}:{tap.group}: {error.strerror}.") from None


def carry_out(run: Run, actions: Sequence[Action]) -> None:
    """Do what changes an interface, in order: lines of `ip` together in one run of it. Raises ApplyError with what it says."""
    lines: list[str] = []
    for action in actions:
        if isinstance(action, str):
            lines.append(action)
            continue
        _run_batch(run, lines)
        lines = []
        if isinstance(action, Setting):
            _set(action)
        else:
            _remove(run, action.name)
    _run_batch(run, lines)


def _remove(run: Run, name: str) -> None:
    code, _output, errors = run(["ip", "link", "delete", "dev", name])
    if code != 0 and os.path.exists(f"/sys/class/net/{name}"):
        raise ApplyError(f"{name} cannot be removed: {' '.join(errors.split()).rstrip('.')}.")


def _set(setting: Setting) -> None:
    try:
        with open(f"{_SETTINGS}/{setting.path}", "w", encoding="ascii") as file:
            file.write(setting.value)
    except OSError as error:
        raise ApplyError(f"The kernel did not take {setting.path} = {setting.value}: {error.strerror}.") from None


def _run_batch(run: Run, lines: Sequence[str]) -> None:
    if not lines:
        return
    try:
        with tempfile.NamedTemporaryFile("w", prefix="kvmops-", suffix=".batch") as file:
            file.write("".join(f"{line}\n" for line in lines))
            file.flush()
            code, output, errors = run(["ip", "-batch", file.name])
    except OSError as error:
        raise ApplyError(f"The lines for ip cannot be written or run: {error.strerror}.") from None
    if code != 0:
        said = " ".join((errors or output).replace(file.name, "").split())
        number = said.rpartition("Command failed :")[2]
        which = f" ({lines[int(number) - 1]})" if number.isdigit() and int(number) <= len(lines) else ""
        raise ApplyError(f"ip failed{which}: {said.partition('Command failed')[0].strip().rstrip('.')}.")


def run_all(run: Run, commands: Iterable[Sequence[str]]) -> None:
    """Run commands. Raises ApplyError for the first that fails."""
    for command in commands:
        failure = failure_of(run, command)
        if failure is not None:
            shown = " ".join(command) if command[0] != "sh" else command[3]
            raise ApplyError(f"'{shown}' failed: {failure}.")


def change_files(files: Sequence[FileChange]) -> None:
    """Write and remove files. Raises ApplyError with the path of the first for which that fails."""
    for change in files:
        try:
            if change.after is None:
                remove_file(change.path)
            else:
                write_file(change.path, change.after, mode=change.mode)
        except OSError as error:
            raise ApplyError(f"{change.path} cannot be written: {error.strerror}.") from None
