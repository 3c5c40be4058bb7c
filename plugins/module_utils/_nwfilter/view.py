# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""A network filter in words: for a diff, and for a result. Nothing here touches a host."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.model import render_xml
from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.usage import referring_to, users_of

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.model import Filter, Rule
    from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.plan import Plan
    from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.usage import Use

__all__ = ["describe_filter", "describe_usage", "make_diff"]

_GENERATED = "(generated)"


def describe_filter(name: str, definition: Filter | None) -> dict[str, t.Any]:
    """Return a filter as the modules' results show it."""
    exists = definition is not None
    return {
        "name": name,
        "exists": exists,
        "uuid": definition.uuid if definition is not None else None,
        "chain": definition.chain if definition is not None else None,
        "priority": definition.priority if definition is not None else None,
        "rules": [_describe_rule(rule) for rule in definition.rules] if definition is not None else [],
        "filters": [
            {"filter": each.filter, "parameters": [{"name": key, "value": value} for key, value in each.parameters]}
            for each in (definition.references if definition is not None else ())
        ],
        "xml": render_xml(definition) if definition is not None else None,
    }


def _describe_rule(rule: Rule) -> dict[str, t.Any]:
    return {
        "action": rule.action,
        "direction": rule.direction,
        "priority": rule.priority,
        "protocol": rule.protocol or None,
        "matches": {match.attribute: match.value for match in rule.matches if not match.negated},
        "matches_not": {match.attribute: match.value for match in rule.matches if match.negated},
    }


def describe_usage(name: str, filters: Mapping[str, Filter], uses: Sequence[Use]) -> dict[str, t.Any]:
    """Return who uses a filter."""
    return {
        "used_by_filters": referring_to(name, filters),
        "nics": [
            {"domain": use.guest, "mac": use.mac, "device": use.device, "running": use.running}
            for use in users_of(name, filters, uses)
        ],
    }


def make_diff(plan: Plan) -> dict[str, str]:
    """Return the texts before and after the plan."""
    return {
        "before_header": f"filter {plan.name}",
        "after_header": f"filter {plan.name}",
        "before": _describe(plan.before),
        "after": _describe(plan.after),
    }


def _describe(definition: Filter | None) -> str:
    if definition is None:
        return "state: absent\n"
    return render_xml(replace(definition, uuid=definition.uuid or _GENERATED))
