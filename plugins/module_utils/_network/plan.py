# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What has to be done so that a network is as a task wants it. Nothing here touches a host.

A plan is made from three things: what is there (`NetworkState`), what is wanted (`Wanted`), and who is plugged in (`User`). It is
a list of steps, each with its reason, and the state that follows from them.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.kvmops.network.plugins.module_utils._errors import RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import (
    carry_identity,
    mode_of,
    own_bridge_of,
    owns_bridge,
    reservations_of,
)
from ansible_collections.kvmops.network.plugins.module_utils._network.live import NEWEST, differences, plan_updates
from ansible_collections.kvmops.network.plugins.module_utils._network.mark import namespaces_of
from ansible_collections.kvmops.network.plugins.module_utils._network.outage import FOREVER, RESTART, in_words, of_updates

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._network.live import LivePlan, Update

    Definition = dict[str, t.Any]
    Action = t.Literal["define", "park", "update", "start", "plug in", "stop", "undefine", "autostart on", "autostart off"]

__all__ = [
    "NetworkState",
    "Plan",
    "Step",
    "User",
    "Wanted",
    "felt_by_running",
    "is_outdated",
    "is_pending",
    "make_plan",
    "must_stop",
    "wanted_definition",
    "what_is_pending",
]


# The modes in which guests are on an interface of the host that is there without the network.
_OF_THE_HOST = ("bridge", "private", "vepa")

# What a running network does not feel, so that it is never restarted for it.
_UNFELT = ("title", "description", "metadata")


@dataclass(frozen=True)
class NetworkState:
    """A network as it is. `stored` and `live` are definitions in normal form; None where there is none."""

    name: str
    stored: Definition | None = None
    live: Definition | None = None
    autostart: bool = False

    @property
    def exists(self) -> bool:
        """Whether libvirt knows the network."""
        return self.stored is not None or self.live is not None

    @property
    def active(self) -> bool:
        """Whether it runs."""
        return self.live is not None

    @property
    def definitions(self) -> tuple[Definition, ...]:
        """What is stored and what runs, as far as they are there."""
        return tuple(definition for definition in (self.stored, self.live) if definition is not None)

    @property
    def bridges(self) -> set[str]:
        """The names of the bridges that libvirt makes for it, as stored and as it runs."""
        owned = [own_bridge_of(definition) for definition in self.definitions]
        return {name for name in owned if name is not None}

    @property
    def definition(self) -> Definition | None:
        """What a task's options are merged with: what is stored, or what runs where nothing is stored."""
        return self.stored if self.stored is not None else self.live


@dataclass(frozen=True)
class Wanted:
    """A network as a task wants it. `definition` None: as it is; `autostart` None: on for a new network, else as it is.

    `restart` says when a running network may be started anew for its definition: never, if nobody uses it, or always.

    `pruned` says that it shall be absent because the task does not name it.
    """

    state: t.Literal["active", "present", "inactive", "absent"]
    definition: Definition | None = None
    autostart: bool | None = None
    force: bool = False
    purge_hosts: bool = False
    pruned: bool = False
    restart: t.Literal["if_idle", "always", "never"] = "if_idle"


@dataclass(frozen=True)
class User:
    """Something that is plugged into a network: a guest's NIC or another port of the bridge.

    `hindrance` says why it could not be plugged in again after a restart, "" where it can.
    """

    label: str
    hindrance: str = field(default="", compare=False)


@dataclass(frozen=True)
class Step:
    """One thing to do, and why; with the action "update", the one that it is."""

    action: Action
    reason: str
    update: Update | None = None

    def __str__(self) -> str:
        return f"{self.action}: {self.reason}"


@dataclass(frozen=True)
class Plan:
    """The steps, the state after them, and why the stored definition waits for the next start ("" where it does not).

    `pending` says what of it waits. `cuts` are those who lose their connection by it. `outage` is for how many seconds guests may
    be without network.
    """

    steps: tuple[Step, ...]
    after: NetworkState
    waits: str = ""
    pending: tuple[str, ...] = ()
    cuts: tuple[str, ...] = ()
    outage: float = 0.0

    def does(self, action: Action) -> bool:
        """Say whether the plan has such a step."""
        return any(step.action == action for step in self.steps)


def must_stop(before: NetworkState, wanted: Wanted) -> bool:
    """Say whether the task would like to stop the running network, so that it matters who uses it."""
    if not before.active:
        return False
    return wanted.state in ("inactive", "absent") or is_outdated(before, wanted_definition(before, wanted))


def make_plan(
    before: NetworkState, wanted: Wanted, users: Sequence[User], unplugged: Sequence[str] = (), *, version: str = NEWEST
) -> Plan:
    """Return what to do. Raises RefusedError if guests would lose their connection and the task does not force it.

    `users` is only looked at if `must_stop` says so. `version` is the daemon's. `unplugged` are guests whose NICs belong on the
    network's bridge and are not there.
    """
    labels = tuple(sorted({user.label for user in users}))
    if wanted.state in ("inactive", "absent") and before.active and labels and not wanted.force:
        pruned = "is not in the list any more, but " if wanted.pruned else ""
        raise RefusedError(
            f"The network '{before.name}' {pruned}is in use by {', '.join(labels)}, and stopping it would cut their connection. "
            f"Unplug or stop them first, {'name it in networks or protected, ' if wanted.pruned else ''}or say force: true."
        )
    if wanted.state == "absent":
        return _plan_absent(before, "it is not in the list any more" if wanted.pruned else "the network shall be absent", labels)
    target = wanted_definition(before, wanted)
    steps = list(_define_steps(before, target))
    outdated = wanted.state != "inactive" and is_outdated(before, target)
    waits = _reason_to_wait(before, wanted, target, users) if outdated else ""
    in_place = _plan_in_place(before, wanted, target, version) if wanted.state != "inactive" else None
    if in_place is not None and outdated and not waits and not _is_mild(in_place, target):
        in_place = None  # a restart is allowed, and does it all or costs less
    if in_place is not None and _reaches(in_place, target):
        waits = ""
    restarts = outdated and not waits and in_place is None
    outage = 0.0
    if in_place is not None:
        steps += [_update_step(update, labels) for update in in_place.updates]
        outage = of_updates(in_place.updates) if labels else 0.0
    if before.active and wanted.state == "inactive":
        steps.append(Step("stop", f"the network shall not run{_and_cuts(labels)}"))
        outage = FOREVER if labels else 0.0
    elif restarts:
        who = "no guest is plugged in"
        if labels:
            who = f"{', '.join(labels)} {'keep' if len(labels) > 1 else 'keeps'} the connection"
            if owns_bridge(before.live or {}):
                outage = RESTART
                who = f"{', '.join(labels)} will be plugged in again, after {in_words(outage)} without network"
        steps.append(Step("stop", f"what runs differs from the definition, and {who}"))
    autostart = _wanted_autostart(before, wanted)
    if autostart != before.autostart:
        reason = "a new network starts at boot" if wanted.autostart is None else f"the task says {_yes_no(autostart)}"
        steps.append(Step("autostart on" if autostart else "autostart off", reason))
    starts = wanted.state == "active" and not before.active
    if starts:
        steps.append(Step("start", "the network is not running"))
    elif restarts:
        steps.append(Step("start", "the definition takes effect"))
    back = sorted({*unplugged, *(labels if restarts and owns_bridge(before.live or {}) else ())})
    if back and wanted.state != "inactive" and (before.active or starts):
        steps.append(Step("plug in", f"{', '.join(back)} {'belong' if len(back) > 1 else 'belongs'} on the network's bridge"))
    if wanted.state == "inactive":
        live = None
    elif starts or restarts:
        live = target
    else:
        live = in_place.after if in_place is not None else before.live
    after = NetworkState(name=before.name, stored=target, live=live, autostart=autostart)
    return Plan(
        steps=tuple(steps),
        after=after,
        waits=waits,
        pending=tuple(what_is_pending(after)),
        cuts=labels if before.active and live is None else (),
        outage=outage,
    )


def _update_step(update: Update, labels: Sequence[str]) -> Step:
    cost = of_updates([update])
    felt = f", and {', '.join(labels)} may be cut off from the outside for {in_words(cost)}" if cost and labels else ""
    return Step("update", f"{update} of the running network{felt}", update)


def _and_cuts(labels: Sequence[str]) -> str:
    return f", and {', '.join(labels)} {'lose' if len(labels) > 1 else 'loses'} the connection" if labels else ""


def _plan_in_place(before: NetworkState, wanted: Wanted, target: Definition, version: str) -> LivePlan | None:
    """Return what of a running network can become as wanted without a start, None where a task says nothing of that."""
    if before.live is None or wanted.definition is None:
        return None
    alone = set() if wanted.purge_hosts else reservations_of(before.live) - reservations_of(before.stored or {})
    alone |= namespaces_of(before.live) - namespaces_of(before.stored or {})
    return plan_updates(before.live, carry_identity(target, before.live), kept=alone, version=version)


def _reaches(in_place: LivePlan, target: Definition) -> bool:
    """Say whether updates reach all that is wanted."""
    return felt_by_running(in_place.after) == felt_by_running(carry_identity(target, in_place.after))


def _is_mild(in_place: LivePlan, target: Definition) -> bool:
    """Say whether updates reach all that is wanted, and cost no more than a restart."""
    return _reaches(in_place, target) and of_updates(in_place.updates) <= RESTART


def _reason_to_wait(before: NetworkState, wanted: Wanted, target: Definition, users: Sequence[User]) -> str:
    """Return why a running network is not started anew although its definition differs, as the end of a sentence."""
    labels = sorted({user.label for user in users})
    if wanted.restart == "never":
        return "the task says restart: never"
    if wanted.restart == "always":
        hindered = sorted({f"{user.label} could not be plugged in again ({user.hindrance})" for user in users if user.hindrance})
        if hindered:
            return "; ".join(hindered)
        if labels and own_bridge_of(before.live or {}) != own_bridge_of(carry_identity(target, before.live or {})):
            return f"its bridge gets another name, and {', '.join(labels)} could not be plugged in again"
    elif labels and not _feels_no_restart(before.live or {}, target):
        return f"it is in use by {', '.join(labels)}"
    elif wanted.definition is None:
        return "the task says nothing of the definition, so that the network is not stopped for it"
    lost = reservations_of(before.live or {}) - reservations_of(target)
    if lost and not wanted.purge_hosts:
        return (
            f"the running network alone has the reservations of {', '.join(sorted(lost))}, which would be lost; put them into "
            "the definition, or say purge_hosts: true"
        )
    return ""


def _feels_no_restart(live: Definition, target: Definition) -> bool:
    """Say whether guests keep their connection over a restart, as on a bridge of the host or with macvtap interfaces.

    In the other modes libvirt would forget which of the host's devices are taken.
    """
    return mode_of(live) in _OF_THE_HOST and mode_of(target) in _OF_THE_HOST


def _plan_absent(before: NetworkState, reason: str, users: tuple[str, ...]) -> Plan:
    steps = []
    if before.active:
        steps.append(Step("stop", reason + _and_cuts(users)))
    if before.stored is not None:
        steps.append(Step("undefine", reason))
    return Plan(steps=tuple(steps), after=NetworkState(name=before.name), cuts=users, outage=FOREVER if users else 0.0)


def _define_steps(before: NetworkState, target: Definition) -> t.Iterator[Step]:
    if not before.exists:
        yield Step("define", "the network does not exist")
    elif before.stored is None:
        yield Step("define", "the network is transient, it would be gone after a stop")
    elif before.stored != target:
        yield Step("define", "the definition differs")


def wanted_definition(before: NetworkState, wanted: Wanted) -> Definition:
    """Return the definition that shall be stored. Raises ValueError for a network that has none and is given none."""
    if wanted.definition is not None:
        return wanted.definition
    if before.definition is None:
        raise ValueError("a network that does not exist needs a definition")
    return before.definition


def is_outdated(before: NetworkState, target: Definition) -> bool:
    """Say whether the network runs with another definition than the wanted one."""
    return before.live is not None and felt_by_running(before.live) != felt_by_running(carry_identity(target, before.live))


def is_pending(state: NetworkState) -> bool:
    """Say whether what is stored of a running network waits for its next start."""
    return state.stored is not None and is_outdated(state, state.stored)


def what_is_pending(state: NetworkState) -> list[str]:
    """Return what of a stored definition waits for the network's next start, by the names of options."""
    if state.stored is None or state.live is None:
        return []
    return differences(felt_by_running(state.live), felt_by_running(carry_identity(state.stored, state.live)))


def felt_by_running(definition: Definition) -> Definition:
    """Return the part of a definition that a running network feels."""
    return {option: value for option, value in definition.items() if option not in _UNFELT}


def _wanted_autostart(before: NetworkState, wanted: Wanted) -> bool:
    if wanted.autostart is not None:
        return wanted.autostart
    return before.autostart if before.exists else wanted.state != "inactive"


def _yes_no(value: bool) -> str:
    return "yes" if value else "no"
