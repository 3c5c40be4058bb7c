# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""A network's state in words: for a diff, and for a result. Nothing here touches a host."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._format import tree
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import (
    GENERATED,
    bridge_of,
    mode_of,
    owns_bridge,
    render_xml,
)
from ansible_collections.kvmops.network.plugins.module_utils._network.plan import is_pending, what_is_pending

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState, Plan

    Definition = dict[str, t.Any]

__all__ = ["make_diff", "make_result"]


def make_result(state: NetworkState) -> dict[str, t.Any]:
    """Return a network as the modules' results show it."""
    definition = state.definition
    shown = {key: tree.without_rest(value) for key, value in (definition or {}).items() if key not in ("name", "uuid", tree.REST)}
    if definition is not None:
        shown.setdefault("forward", {"mode": mode_of(definition)})
    return {
        "name": state.name,
        "uuid": (definition or {}).get("uuid"),
        "exists": state.exists,
        "active": state.active,
        "persistent": state.stored is not None,
        "autostart": state.autostart,
        "bridge": bridge_of(state.live or definition or {}),
        "definition": shown,
        "xml": render_xml(definition) if definition is not None else None,
    }


def make_diff(before: NetworkState, plan: Plan) -> dict[str, str]:
    """Return the texts before and after the plan.

    Where the stored definition is right already, and a restart brings what runs up to it, "before" is what runs.
    """
    after = plan.after
    old, new = before.stored, after.stored
    if old == new and before.live is not None and after.live is not None and before.live != after.live:
        old = before.live
    return {
        "before_header": f"network {before.name}",
        "after_header": f"network {before.name}",
        "before": _describe(before, old if old is not None else before.live),
        "after": _describe(after, _with_generated(new)),
    }


def _describe(state: NetworkState, definition: Definition | None) -> str:
    if not state.exists:
        return "state: absent\n"
    lines = [
        f"state: {'active' if state.active else 'inactive'}",
        f"persistent: {'yes' if state.stored is not None else 'no'}",
        f"autostart: {'yes' if state.autostart else 'no'}",
    ]
    if is_pending(state):
        lines.append(f"pending restart: {', '.join(what_is_pending(state))}")
    return "\n".join(lines) + "\n" + (render_xml(definition) if definition is not None else "")


def _with_generated(definition: Definition | None) -> Definition | None:
    """Return the definition with a mark at each value that libvirt will make up."""
    if definition is None:
        return None
    marked: Definition = tree.copied(definition)
    marked.setdefault("uuid", GENERATED)
    if owns_bridge(marked):
        marked.setdefault("mac", GENERATED)
        marked.setdefault("bridge", {}).setdefault("name", GENERATED)
    return marked
