# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""A port forward in words: for a result, and for a diff. Nothing here touches a host."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._file_changes import file_diff

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._forward.forward import Forward
    from ansible_collections.kvmops.network.plugins.module_utils._forward.plan import Plan

__all__ = ["describe_forward", "make_diff"]

_MENDING = ("write", "remove", "start", "put back")
_READ_BY_OPERATORS = (".nft", ".iptables", ".socket")


def describe_forward(name: str, forward: Forward | None) -> dict[str, t.Any]:
    """Return a forward as results show it; what one that is absent has none of is None."""
    if forward is None:
        empty = ("protocols", "host_address", "host_ports", "host_port", "domain", "network", "address", "guest_ports", "method")
        return {"name": name, "exists": False, **dict.fromkeys(empty)}
    return {
        "name": name,
        "exists": True,
        "protocols": list(forward.protocols),
        "host_address": forward.host_address or None,
        "host_ports": str(forward.host_ports),
        "host_port": forward.host_ports.first,
        "domain": forward.domain or None,
        "network": forward.network,
        "address": forward.address,
        "guest_ports": str(forward.guest_ports),
        "method": forward.method,
    }


def make_diff(plan: Plan) -> list[dict[str, str]]:
    """Return the forward before and after, and the files about it that say something to an operator."""
    header = f"port forward {plan.name}"
    mended = [step.reason for step in plan.steps if step.action in _MENDING and step.reason != str(plan.before)]
    texts = {
        "before_header": header,
        "after_header": header,
        "before": _text(plan.before, mended),
        "after": _text(plan.after, [str(step) for step in plan.steps if step.action in ("reserve", "release")]),
    }
    return [texts, *(file_diff(change) for change in plan.files if change.path.endswith(_READ_BY_OPERATORS))]


def _text(forward: Forward | None, more: list[str]) -> str:
    if forward is None:
        lines = ["state: absent"]
    else:
        shown = describe_forward(forward.name, forward)
        lines = [f"{key}: {_value(shown[key])}" for key in shown if key not in ("name", "exists", "host_port")]
    return "\n".join([*lines, *more, ""])


def _value(value: t.Any) -> str:
    if value is None:
        return "any"
    return ", ".join(value) if isinstance(value, list) else str(value)
