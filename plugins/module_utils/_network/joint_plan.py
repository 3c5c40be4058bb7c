# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""One plan over all networks that a task is about, refused as a whole if any part of it cannot be."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._network.choices import choose_subnets
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import subnets_of
from ansible_collections.kvmops.network.plugins.module_utils._network.host_rules import find_conflicts
from ansible_collections.kvmops.network.plugins.module_utils._network.mark import with_mark
from ansible_collections.kvmops.network.plugins.module_utils._network.order import Change
from ansible_collections.kvmops.network.plugins.module_utils._network.plan import make_plan, must_stop
from ansible_collections.kvmops.network.plugins.module_utils._network.request import label_of
from ansible_collections.kvmops.network.plugins.module_utils._network.rules import find_new, find_oddities
from ansible_collections.kvmops.network.plugins.module_utils._network.schema import check_schema
from ansible_collections.kvmops.network.plugins.module_utils._network.subnets import contains, read_allowed
from ansible_collections.kvmops.network.plugins.module_utils._network.surroundings import make_surroundings
from ansible_collections.kvmops.network.plugins.module_utils._network.versions import find_too_new
from ansible_collections.kvmops.network.plugins.module_utils._problems import Problems, say_of

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._network.request import NetworkRequest
    from ansible_collections.kvmops.network.plugins.module_utils._network.surroundings import Surroundings
    from ansible_collections.kvmops.network.plugins.module_utils._network.survey import Survey

__all__ = ["JointPlan", "make_joint_plan"]


@dataclass(frozen=True)
class JointPlan:
    """What happens to each network, warnings, and the names of networks whose definition the schema does not know."""

    changes: list[Change]
    warnings: list[str] = field(default_factory=list)
    unvalidated: set[str] = field(default_factory=set)


def make_joint_plan(survey: Survey, requests: Sequence[NetworkRequest], *, alone: bool, adopts: bool = False) -> JointPlan:
    """Return what happens to the networks, in the order of the requests.

    `alone` says that the task is about one network only. Otherwise new networks get the mark of those that are managed together,
    and with `adopts` those that are there already get it too. Raises NetworkError, with a sentence for each network that cannot
    be as it is asked for.
    """
    problems = Problems(alone=alone)
    requests = choose_subnets(survey, requests, problems)
    problems.raise_any()
    changes = []
    for request in requests:
        with problems.of(label_of(request.name)):
            changes.append(_plan_one(survey, request, marks="no" if alone else "all" if adopts else "new"))
    problems.raise_any()
    plan = JointPlan(changes)
    affected = [pair for pair in zip(requests, changes) if pair[1].plan.does("define") or pair[1].plan.does("start")]
    if not affected:
        return plan
    after = {state.name: state for state in survey.states()}
    after.update((change.name, change.plan.after) for change in changes)
    waiting = {change.name: change.plan.waits for change in changes if change.plan.waits}
    surroundings = make_surroundings(after.values(), survey.host, made=survey.bridges)
    for request, change in affected:
        with problems.of(label_of(change.name)):
            if not _check_definition(survey, request, change):
                plan.unvalidated.add(change.name)
            warnings = [
                *_find_oddities(request, change),
                *_check_host(change, surroundings, [*request.allow_overlap, *_allowing(requests, change)], waiting),
            ]
            plan.warnings.extend(warnings if alone else [say_of(label_of(change.name), warning) for warning in warnings])
    problems.raise_any()
    return plan


def _plan_one(survey: Survey, request: NetworkRequest, *, marks: t.Literal["no", "new", "all"]) -> Change:
    before = survey.state(request.name)
    wanted = request.wanted(before, known=survey.records)
    if wanted.definition is not None and (marks == "all" or (marks == "new" and not before.exists)):
        wanted = replace(wanted, definition=with_mark(wanted.definition))
    users = survey.users(before) if must_stop(before, wanted) else []
    unplugged = survey.unplugged(before) if wanted.state in ("active", "present") else []
    return Change(before, make_plan(before, wanted, users, unplugged, version=survey.update_version))


def _check_definition(survey: Survey, request: NetworkRequest, change: Change) -> bool:
    """Refuse what the host's libvirt does not know. Return whether libvirt shall validate the definition itself."""
    definition = change.plan.after.stored or {}
    too_new = find_too_new(definition, survey.version, change.before.stored)
    if too_new:
        raise InputError(" ".join(too_new))
    return check_schema(request.xml, change.before.stored, definition, survey.version)


def _find_oddities(request: NetworkRequest, change: Change) -> list[str]:
    """Return what is new and odd in a document; of options it has been refused."""
    if request.xml is None:
        return []
    return find_new(find_oddities, change.plan.after.stored or {}, change.before.definition)


def _check_host(change: Change, surroundings: Surroundings, allowed: list[str], waiting: dict[str, str]) -> tuple[str, ...]:
    """Refuse what cannot work on this host, and return what may not be meant. `waiting` says which networks stay as they run."""
    conflicts = find_conflicts(
        change.before,
        change.plan.after.stored or {},
        surroundings,
        starts=change.plan.does("start") and not change.before.active,
        allow_overlap=allowed,
    )
    sentences = " ".join(conflicts.refused + conflicts.overlaps)
    for name, reason in waiting.items():
        if f"the network '{name}'" in sentences:
            sentences += f" The network '{name}' keeps for now what it runs with: {reason}."
    if conflicts.refused:
        raise RefusedError(sentences)
    if conflicts.overlaps:
        raise RefusedError(sentences, overlaps=list(conflicts.overlaps))
    return conflicts.warnings


def _allowing(requests: Sequence[NetworkRequest], change: Change) -> Iterator[str]:
    """Name the other networks of the task that may overlap with this one: it is enough if one of two says so."""
    subnets = subnets_of(change.plan.after.stored or {})
    for request in requests:
        if request.allow_overlap and request.name != change.name:
            names, allowed = read_allowed(request.allow_overlap)
            if change.name in names or any(contains(outer, subnet) for outer in allowed for subnet in subnets):
                yield request.name
