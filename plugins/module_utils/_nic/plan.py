# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What has to be done so that a NIC is as a task wants it. Nothing here touches a host.

A plan is made from what is there (`GuestState`), what is asked for (`NicRequest`), and the running networks. It is a list of
steps, each with its reason, and the NIC that follows from them. The stored and the running definition are both brought to the
wanted one; what libvirt cannot change while the guest runs is unplugged and plugged in again where the task says so, and waits
otherwise.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import (
    Nic,
    carry_generated,
    merge_definitions,
    normalise,
    place_of,
    source_text,
    type_of,
)
from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import NicState
from ansible_collections.kvmops.network.plugins.module_utils._nic.live import (
    changed_live,
    find_differences,
    inherited_from,
    stored_differences,
)
from ansible_collections.kvmops.network.plugins.module_utils._nic.port_uuids import with_uuids

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import GuestState
    from ansible_collections.kvmops.network.plugins.module_utils._nic.live import Networks
    from ansible_collections.kvmops.network.plugins.module_utils._nic.request import NicRequest

    Definition = dict[str, t.Any]
    LiveAction = t.Literal["attach", "update", "replug", "detach"]
    Action = t.Literal["define", "attach", "update", "replug", "detach", "reserve", "release"]

__all__ = ["Networking", "NicPlan", "Step", "own_part", "plan_absent", "plan_present"]


@dataclass(frozen=True)
class Step:
    """One thing to do, and why."""

    action: Action
    reason: str

    def __str__(self) -> str:
        return f"{self.action}: {self.reason}"


@dataclass(frozen=True)
class Networking:
    """What a plan has to know of the host: the running networks by their names, and libvirt's version."""

    networks: Networks
    version: str


@dataclass(frozen=True)
class NicPlan:
    """What happens to one NIC.

    `before` is None for a NIC that the guest has not, `after` for one that it shall not have. `live_action` is what is done to
    the running guest. `waits` names what of the running NIC stays as it is until the guest is started anew.
    """

    guest: str
    before: NicState | None
    after: NicState | None
    steps: tuple[Step, ...] = ()
    live_action: LiveAction | None = None
    waits: tuple[str, ...] = ()

    @property
    def defines(self) -> bool:
        """Whether what is stored changes."""
        return any(step.action == "define" for step in self.steps)

    @property
    def mac(self) -> str:
        """The MAC address by which the NIC is told from the others."""
        state = self.after or self.before
        return state.shown.mac if state is not None else ""


def plan_absent(guest: GuestState, before: NicState | None, reason: str) -> NicPlan:
    """Return how a NIC goes."""
    steps = []
    if before is not None and before.stored is not None:
        steps.append(Step("define", reason))
    if before is not None and before.live is not None:
        steps.append(Step("detach", reason))
    live_action: LiveAction | None = "detach" if before is not None and before.live is not None else None
    return NicPlan(guest.name, before, None, tuple(steps), live_action)


def plan_present(
    guest: GuestState, before: NicState | None, request: NicRequest, *, made_mac: str, networking: Networking
) -> NicPlan:
    """Return how a NIC comes or changes. Raises InputError if what follows from the task is no NIC."""
    wanted = merge_definitions(_current(before, networking), request.given, replace=request.replace)
    if not wanted.get("mac"):
        wanted = normalise({**wanted, "mac": made_mac})
    wanted = with_uuids(wanted, domain=guest.name)
    _check_whole(guest, before, request, wanted)
    steps: list[Step] = []
    stored = before.stored if before is not None else None
    if guest.persistent:
        address = before.shown.address if before is not None else None
        if stored is None:
            where = "is plugged in only until the guest stops" if before is not None else "is not in the guest's definition"
            steps.append(Step("define", f"the NIC {where}"))
        elif stored.definition != wanted:
            steps.append(Step("define", f"{_list(stored_differences(stored.definition, wanted))} shall change"))
        stored = Nic(wanted, address=address)
    if not guest.running:
        return NicPlan(guest.name, before, NicState(stored=stored), tuple(steps))
    running = before.live if before is not None else None
    if running is None:
        steps.append(Step("attach", "the guest runs without the NIC"))
        after = NicState(stored=stored, live=Nic(wanted))
        return NicPlan(guest.name, before, after, tuple(steps), "attach")
    return _plan_running(guest, before, running, request, wanted, stored, steps, networking)


def _current(before: NicState | None, networking: Networking) -> Definition | None:
    """Return the definition that a task is about to change: of a NIC that is not stored, without what its network adds."""
    if before is None or before.stored is not None:
        return before.shown.definition if before is not None else None
    return own_part(before.shown.definition, {}, networking)


def _plan_running(
    guest: GuestState,
    before: NicState | None,
    running: Nic,
    request: NicRequest,
    wanted: Definition,
    stored: Nic | None,
    steps: list[Step],
    networking: Networking,
) -> NicPlan:
    own = own_part(running.definition, wanted, networking)
    inherited = inherited_from(wanted, networking.networks)
    differences = find_differences(running.definition, wanted, inherited)
    possible = changed_live(differences, running.definition, wanted, networking.networks, networking.version)
    stuck = differences - possible
    action: LiveAction | None = None
    target = running.definition
    waits: set[str] = set()
    if stuck and not request.replug and not guest.persistent:
        raise RefusedError(
            f"replug: libvirt cannot change {_list(stuck)} while the NIC is plugged in, and the guest '{guest.name}' is "
            "transient, so that there is no next start to wait for; say replug: always, which takes the guest's connection "
            "away for a moment."
        )
    if stuck and request.replug:
        action, target = "replug", wanted
        steps.append(Step("replug", f"{_list(stuck)} cannot change while the NIC is plugged in"))
    else:
        waits = stuck
        if possible:
            action, target = "update", _changed(own, wanted, possible)
            steps.append(Step("update", f"{_list(possible)} of the running NIC differ{'s' if len(possible) == 1 else ''}"))
    live = Nic(target, address=running.address, device=running.device, bridge=running.bridge, handle=running.handle)
    return NicPlan(guest.name, before, NicState(stored=stored, live=live), tuple(steps), action, tuple(sorted(waits)))


def own_part(running: Definition, wanted: Definition, networking: Networking) -> Definition:
    """Return a running NIC's definition without what its network adds, unless that is wanted of the NIC itself."""
    added = carry_generated(inherited_from(running, networking.networks), running)
    return {
        option: value
        for option, value in running.items()
        if not (option in added and option not in wanted and value == added[option])
    }


def _changed(own: Definition, wanted: Definition, options: Iterable[str]) -> Definition:
    """Return the running definition with these options as they are wanted."""
    target = dict(own)
    for option in options:
        if option in ("place", "portgroup", "mode"):
            target["type"], target["source"] = wanted["type"], wanted.get("source", {})
        elif option in wanted:
            target[option] = wanted[option]
        else:
            target.pop(option, None)
    return normalise(target)


def _check_whole(guest: GuestState, before: NicState | None, request: NicRequest, wanted: Definition) -> None:
    if not type_of(wanted):
        raise InputError(
            f"source: missing; the guest '{guest.name}' has no such NIC, and the task does not say what a new one is plugged "
            "into. Add source.network, source.bridge or source.dev, or correct mac or alias."
        )
    if type_of(wanted) in ("network", "bridge", "direct") and place_of(wanted) is None:
        option = {"network": "network", "bridge": "bridge", "direct": "dev"}[type_of(wanted)]
        raise InputError(f"source.{option}: missing for a NIC of type '{type_of(wanted)}'; add it.")
    if before is None and request.given.get("mac") is None and request.given.get("alias") is None:
        twins = [nic for nic in guest.nics if nic.shown.mac == wanted["mac"]]
        if twins:
            raise InputError(
                f"mac: a NIC on {source_text(wanted)} would get {wanted['mac']}, which the guest's NIC on "
                f"{source_text(twins[0].shown.definition)} has; name the one that is meant by mac or alias."
            )


def _list(options: Iterable[str]) -> str:
    return ", ".join(sorted(options))
