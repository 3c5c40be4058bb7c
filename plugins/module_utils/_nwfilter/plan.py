# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What has to be done so that a network filter is as a task wants it. Nothing here touches a host."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.usage import filters_within, referring_to, users_of

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.model import Filter
    from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.request import FilterRequest
    from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.usage import Use

__all__ = ["Plan", "Step", "make_plan"]


@dataclass(frozen=True)
class Step:
    """One thing to do, and why."""

    action: t.Literal["define", "undefine"]
    reason: str

    def __str__(self) -> str:
        return f"{self.action}: {self.reason}"


@dataclass(frozen=True)
class Plan:
    """The steps, and the filter before and after them; None where there is none."""

    name: str
    before: Filter | None
    after: Filter | None
    steps: tuple[Step, ...] = ()


def make_plan(request: FilterRequest, filters: Mapping[str, Filter], uses: Sequence[Use]) -> Plan:
    """Return what to do. Raises InputError or RefusedError for what cannot be, or would do harm."""
    before = filters.get(request.name)
    if request.state == "absent":
        return _plan_absent(request.name, before, filters, uses)
    wanted = request.definition
    if wanted is None:
        if before is None:
            raise InputError(
                f"The filter '{request.name}' does not exist, and the task does not say what it does; give rules, filters or "
                "xml, or correct the name."
            )
        return Plan(request.name, before, before)
    _check_references(wanted, filters)
    if before is None:
        return Plan(request.name, None, wanted, (Step("define", "the filter does not exist"),))
    if wanted.uuid is not None and wanted.uuid != before.uuid:
        raise InputError(
            f"xml: the document's <uuid> is '{wanted.uuid}', and the filter '{request.name}' has {before.uuid}; leave <uuid> out."
        )
    after = replace(wanted, uuid=before.uuid)
    if after == before:
        return Plan(request.name, before, before)
    return Plan(request.name, before, after, (Step("define", _say_change(before, after, filters, uses)),))


def _say_change(before: Filter, after: Filter, filters: Mapping[str, Filter], uses: Sequence[Use]) -> str:
    parts = [
        word
        for word, differs in (
            ("rules", before.rules != after.rules),
            ("filters", before.references != after.references),
            ("chain", (before.chain, before.priority) != (after.chain, after.priority)),
        )
        if differs
    ]
    felt = [str(use) for use in users_of(after.name, filters, uses) if use.running]
    differs = f"{' and '.join(parts)} {'differ' if parts != ['chain'] else 'differs'}"
    return f"{differs}, in force at once for {', '.join(felt)}" if felt else differs


def _check_references(wanted: Filter, filters: Mapping[str, Filter]) -> None:
    missing = sorted({reference.filter for reference in wanted.references} - set(filters))
    if missing:
        raise InputError(
            f"filters: there is no filter {', '.join(repr(name) for name in missing)} on this host; correct the name, or make it "
            f"first. There are: {', '.join(sorted(filters)) or 'none'}.",
            missing_filters=missing,
        )
    if wanted.name in filters_within(wanted, filters):
        through = sorted(
            reference.filter
            for reference in wanted.references
            if wanted.name in filters_within(filters[reference.filter], filters)
        )
        raise InputError(
            f"filters: '{through[0]}' refers to '{wanted.name}' itself, and filters cannot go in a circle; leave it out."
        )


def _plan_absent(name: str, before: Filter | None, filters: Mapping[str, Filter], uses: Sequence[Use]) -> Plan:
    if before is None:
        return Plan(name, None, None)
    nics = [str(use) for use in uses if use.filter == name]
    others = [f"the filter '{other}'" for other in referring_to(name, filters)]
    if nics or others:
        raise RefusedError(
            f"The filter '{name}' is in use by {', '.join([*nics, *others])}, and cannot go before that ends: give them another "
            "filter, or none, first."
        )
    return Plan(name, before, None, (Step("undefine", "the filter shall be absent"),))
