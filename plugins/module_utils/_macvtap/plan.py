# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.


"""What has to be done so that an interface is as wanted, on the host and in the files that keep it over a reboot."""

from __future__ import annotations

import fnmatch
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.kvmops.network.plugins.module_utils._errors import RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._file_changes import FileChange, file_steps
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.backend import RELOADS, is_private
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.commands import (
    Change,
    Removal,
    changes,
    creation,
    reasons_to_recreate,
)
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.interface import SOURCE
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.keeping import (
    BACKENDS,
    choose_backend,
    foreign_files,
    kept_by,
    wanted_files,
    wanted_tap,
)
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.rules import (
    check_name_is_free,
    check_parent,
    check_wanted,
    warnings_of,
)
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.wanted import wanted_interface

if t.TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.backend import BackEnd
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.commands import Action
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.host import Host
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.interface import Interface
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.request import Request, Tap

__all__ = ["Links", "Plan", "link_changes", "make_plan"]

Command = tuple[str, ...]


@dataclass(frozen=True)
class Links:
    """What is done to the interface itself; `recreated` has the reasons where it is made anew, which ends what uses it."""

    changes: tuple[Change, ...] = ()
    recreated: tuple[str, ...] = ()

    @property
    def actions(self) -> list[Action]:
        """All lines and settings in their order."""
        return [action for change in self.changes for action in change.actions]

    def left_to_make(self) -> Links:
        """Return the same where a manager makes the interface: what is there goes, and no more."""
        changes = [
            replace(change, actions=tuple(action for action in change.actions if isinstance(action, Removal)))
            for change in self.changes
        ]
        return replace(self, changes=tuple(changes))


@dataclass(frozen=True)
class Plan:
    """All that is done, in this order: `release`, the files, `reload`, the interface, `follow`, the device node.

    `wanted` is None where the interface shall be gone. `tap` says who shall be able to open the device node, None where that is
    left as it comes, and `tap_differs` that others may now.
    """

    request: Request
    wanted: Interface | None
    backend: str
    links: Links = Links()
    files: tuple[FileChange, ...] = ()
    release: tuple[Command, ...] = ()
    reload: tuple[Command, ...] = ()
    follow: tuple[Command, ...] = ()
    tap: Tap | None = None
    tap_differs: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def steps(self) -> list[str]:
        """What is done, as the operator reads it."""
        steps = [change.text for change in self.links.changes]
        steps += file_steps(self.files)
        if self.tap is not None and self.tap_differs:
            steps.append(f"give the device node to {self.tap.owner}:{self.tap.group}, mode {self.tap.mode:04o}")
        return steps

    @property
    def changed(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.steps)


def make_plan(request: Request, host: Host, *, tap_differs: bool) -> Plan:
    """Return what has to be done. `tap_differs` says that others may open the device node than the request says.

    Raises NetworkError for what would not work or would do harm, in a sentence.
    """
    check_name_is_free(host, request.name)
    theirs = foreign_files(request.name, host.files)
    if theirs and request.state == "present":
        raise RefusedError(
            f"name: {', '.join(theirs)} is there already, and this module did not write it. Choose another name, or remove it."
        )
    host = replace(host, files={path: None if path in theirs else content for path, content in host.files.items()})
    wanted, backend = None, None
    warnings: list[str] = []
    if request.state == "present":
        check_parent(request, host)
        wanted = wanted_interface(request, host)
        check_wanted(wanted, host)
        backend = choose_backend(request, wanted, host)
        warnings = warnings_of(wanted, host)
    now = kept_by(request.name, host.files)
    leaves = now is not None and now is not backend
    links = link_changes(host.found, wanted, managing=_reasons_of_managers(now, backend, host))
    _refuse_under_an_open_tap(request, host, wanted, links)
    _refuse_to_cut_off(request, host, wanted)
    made = wanted is not None and (host.found is None or bool(links.recreated))
    if made and backend is not None and backend.makes_it_itself:
        links = links.left_to_make()
    own = now.release(request.name) if now is not None and (wanted is None or made or leaves) else []
    # what lets go of an interface loses its files
    removed = now.owned_paths(request.name) if now is not None and own else []
    files = _file_changes(wanted_files(request, wanted, backend, host), host, removed)
    goes = host.found is not None and (wanted is None or bool(links.recreated))
    early, late = _reloads(files, backend, host)
    return Plan(
        request=request,
        wanted=wanted,
        backend=backend.name if backend is not None else "none",
        links=links,
        files=files,
        release=_release(request.name, own, goes=goes),
        reload=tuple(early),
        follow=(*late, *_follow(request.name, backend, host, files, links)),
        tap=wanted_tap(request, host.files),
        tap_differs=tap_differs and not links.recreated,
        warnings=tuple(warnings),
    )


def _release(name: str, own: Sequence[Command], *, goes: bool) -> tuple[Command, ...]:
    """Return how managers let go of an interface: the one that keeps it by `own` commands.

    Where the interface `goes`, NetworkManager may know a profile whose file is gone, and would make it again at once.
    """
    others = BACKENDS["networkmanager"].release(name) if goes else []
    return (*own, *(command for command in others if command not in own))


def _reloads(files: Sequence[FileChange], backend: BackEnd | None, host: Host) -> tuple[list[Command], list[Command]]:
    """Return how those whose files have changed are told, before the interface is made and after it.

    udev acts when it is made; so does networkd, where it shall leave the interface alone and does not make it itself.
    """
    commands = [command for folder, command in RELOADS.items() if any(change.path.startswith(folder) for change in files)]
    commands = [command for command in commands if host.networkd or command[0] != "networkctl"]
    before = ("udevadm",) if backend is not None and backend.makes_it_itself else ("udevadm", "networkctl")
    return [command for command in commands if command[0] in before], [c for c in commands if c[0] not in before]


def _reasons_of_managers(now: BackEnd | None, backend: BackEnd | None, host: Host) -> list[str]:
    """Return why an interface that stays is made anew for those who keep it, or shall keep it."""
    if backend is now:
        return []
    reasons = [f"{now.name} made it"] if now is not None and host.owned else []
    return reasons + ([f"{backend.name} has to make it itself"] if backend is not None and backend.makes_it_itself else [])


def link_changes(found: Interface | None, wanted: Interface | None, *, managing: list[str] | None = None) -> Links:
    """Return what makes the interface that is there the wanted one. `managing` has reasons of managers to make it anew."""
    if wanted is None:
        gone = Change(f"remove the {found.kind} {found.name}", (Removal(found.name),)) if found is not None else None
        return Links(changes=(gone,) if gone is not None else ())
    made = Change(f"make the {wanted.kind} {wanted.name} on {wanted.parent}, mode {wanted.mode}", tuple(creation(wanted)))
    if found is None:
        return Links(changes=(made,))
    reasons = reasons_to_recreate(found, wanted) + (managing or [])
    if not reasons:
        return Links(changes=tuple(changes(found, wanted)))
    again = Change(
        f"make {wanted.name} anew as a {wanted.kind} on {wanted.parent}, mode {wanted.mode}: {' and '.join(reasons)}",
        (Removal(found.name), *creation(wanted)),
    )
    return Links(changes=(again,), recreated=tuple(reasons))


def _refuse_under_an_open_tap(request: Request, host: Host, wanted: Interface | None, links: Links) -> None:
    if not host.holders or request.force or (wanted is not None and not links.recreated):
        return
    users = ", ".join(host.holders)
    if wanted is None:
        raise RefusedError(f"{request.name} is in use by {users}, which would be cut off. Stop that first, or set force: true.")
    raise RefusedError(
        f"{request.name} has to be made anew ({', '.join(links.recreated)}), and it is in use by {users}, which would be cut "
        "off. Stop that first, or set force: true."
    )


def _refuse_to_cut_off(request: Request, host: Host, wanted: Interface | None) -> None:
    """Refuse changes in place after which what has the device node open is not heard any more."""
    found = host.found
    if not host.holders or request.force or wanted is None or found is None:
        return
    cuts = []
    if wanted.mac and wanted.mac != found.mac:
        cuts.append(f"the MAC address becomes {wanted.mac}")
    if found.up and not wanted.up:
        cuts.append("the link goes down")
    fewer = set(found.source_macs) - set(wanted.source_macs)
    if wanted.mode == SOURCE and (found.mode != SOURCE or fewer):
        cuts.append("frames from some come in no more")
    if cuts:
        raise RefusedError(
            f"{request.name} is in use by {', '.join(host.holders)}, which would be cut off: {', '.join(cuts)}. Stop that first, "
            "or set force: true."
        )


def _file_changes(wanted: dict[str, str | None], host: Host, removed: Collection[str]) -> tuple[FileChange, ...]:
    """Return the files that differ, or that will be `removed` before they are written."""
    result = []
    for path, text in wanted.items():
        before = host.files.get(path)
        after = text.encode() if text is not None else None
        if before != after or (after is not None and any(fnmatch.fnmatch(path, pattern) for pattern in removed)):
            result.append(FileChange(path, before, after, private=is_private(path)))
    return tuple(result)


def _follow(name: str, backend: BackEnd | None, host: Host, files: tuple[FileChange, ...], links: Links) -> list[Command]:
    if backend is None:
        return []
    addressed = host.found is not None and any(change.addressed for change in links.changes)
    owned = backend.owned_paths(name)
    if not addressed and not any(change.path in owned for change in files):
        return []
    return backend.follow(name, addressed=addressed)
