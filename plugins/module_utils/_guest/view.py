# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""A guest in words: for a diff, and for a result. Nothing here touches a host."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._file_changes import file_diff
from ansible_collections.kvmops.network.plugins.module_utils._guest.definition import without_uuid
from ansible_collections.kvmops.network.plugins.module_utils._guest.sizes import KIB, MIB, size_text
from ansible_collections.kvmops.network.plugins.module_utils._nic.view import make_diff

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._guest.definition import GuestDefinition
    from ansible_collections.kvmops.network.plugins.module_utils._guest.plan import GuestPlan

__all__ = ["describe_guest", "diffs_of"]


def describe_guest(
    definition: GuestDefinition, *, name: str, state: str, autostart: bool, waits: Sequence[str]
) -> dict[str, t.Any]:
    """Return a guest as the modules' results show it."""
    disk, mark = definition.disk, definition.mark
    return {
        "name": name,
        "state": state,
        "autostart": autostart,
        "vcpus": definition.vcpus,
        "memory": definition.memory * KIB // MIB,
        "os_variant": mark.os_variant if mark is not None else None,
        "iso": definition.iso or None,
        "kernel": definition.kernel or None,
        "initrd": definition.initrd or None,
        "cmdline": definition.cmdline or None,
        "disk": {"path": disk.path, "format": disk.format, "bus": disk.bus} if disk is not None else None,
        "script": (mark.script or None) if mark is not None else None,
        "seed": definition.seed or None,
        "managed": mark is not None,
        "pending_changes": list(waits),
    }


def diffs_of(plan: GuestPlan) -> list[dict[str, str]]:
    """Return the texts before and after the plan: of the guest, of its NIC, and of its files."""
    life = plan.life
    before = _lines(plan.before, state=_state(life is not None and life.running, there=plan.before is not None))
    after = _lines(plan.after, state=_state(plan.runs, there=plan.after is not None))
    if plan.before is not None or plan.autostart:
        before += _autostart(plan.before, on=life is not None and life.autostart)
        after += _autostart(plan.after, on=plan.autostart if plan.autostart is not None else life is not None and life.autostart)
    if plan.after is not None and plan.disk_size:
        after.append(f"disk size: {size_text(plan.disk_size)}")
    if plan.waits:
        after.append(f"waits for the guest's next start: {', '.join(plan.waits)}")
    texts = "\n".join(before) + "\n", "\n".join(after) + "\n"
    if plan.document:
        texts = texts[0], texts[1] + without_uuid(plan.document)
    label = f"guest {plan.request.name}"
    found = [_diff(label, *texts)] if texts[0] != texts[1] else []
    if plan.nics is not None:
        nic = make_diff(plan.nics.plan_of(plan.nics.order[0]), plan.nics.networks)
        found += [nic] if nic["before"] != nic["after"] else []
    for change in plan.networks:
        found.append(
            _diff(f"reservations of the network {change.name}", _hosts(change.before.stored or {}), _hosts(change.stored))
        )
    found += [file_diff(change) for change in plan.files]
    if plan.seed is not None:
        found.append(_diff(plan.seed.path, _files(plan.seed.before), _files(plan.seed.after)))
    found += [_diff(path, "there\n", "removed\n") for path in plan.removed]
    return found


def _diff(label: str, before: str, after: str) -> dict[str, str]:
    return {"before_header": label, "after_header": label, "before": before, "after": after}


def _state(running: bool, *, there: bool) -> str:
    return "absent" if not there else "running" if running else "stopped"


def _lines(definition: GuestDefinition | None, *, state: str) -> list[str]:
    lines = [f"state: {state}"]
    if definition is None:
        return lines
    lines += [f"vcpus: {definition.vcpus}", f"memory: {size_text(definition.memory * KIB)}"]
    for option in ("iso", "kernel", "initrd", "cmdline", "seed"):
        value = getattr(definition, option)
        if value:
            lines.append(f"{option}: {value}")
    if definition.disk is not None:
        lines.append(f"disk: {definition.disk.path} ({definition.disk.format}, {definition.disk.bus})")
    return lines


def _autostart(definition: GuestDefinition | None, *, on: bool) -> list[str]:
    return [f"autostart: {'on' if on else 'off'}"] if definition is not None else []


def _hosts(definition: dict[str, t.Any]) -> str:
    hosts = [host for entry in definition.get("ips", []) for host in entry.get("dhcp", {}).get("hosts", [])]
    return "".join(" ".join(f"{key}={host[key]}" for key in sorted(host)) + "\n" for host in hosts)


def _files(files: Mapping[str, bytes] | None) -> str:
    if files is None:
        return ""
    return "".join(f"{name}:\n{content.decode(errors='replace').rstrip()}\n" for name, content in sorted(files.items()))
