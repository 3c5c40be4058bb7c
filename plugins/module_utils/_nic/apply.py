# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Doing what is planned for guests and networks: step by step, then a look at what is there, or everything is put back."""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import LibvirtError
from ansible_collections.kvmops.network.plugins.module_utils._edge.signals import uninterrupted
from ansible_collections.kvmops.network.plugins.module_utils._errors import ApplyError, NetworkError
from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import (
    Nic,
    carry_generated,
    nics_of_document,
    render_xml,
    same_place,
)
from ansible_collections.kvmops.network.plugins.module_utils._nic.domain_document import has_nics, replace_nics
from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import NicState, read_guest
from ansible_collections.kvmops.network.plugins.module_utils._nic.live import find_differences, inherited_from, stored_differences
from ansible_collections.kvmops.network.plugins.module_utils._nic.plan import own_part
from ansible_collections.kvmops.network.plugins.module_utils._undo import say_put_back, take_back

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import Guests
    from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import GuestState
    from ansible_collections.kvmops.network.plugins.module_utils._nic.joint_plan import GuestPlan
    from ansible_collections.kvmops.network.plugins.module_utils._nic.plan import Networking, NicPlan

    Definition = dict[str, t.Any]
    Undo = tuple[str, t.Callable[[], None]]

# What libvirt and QEMU say when a guest can take no NIC while it runs, and what to do; source: virDomainPCIAddressReserveNextAddr
# in libvirt, qdev_device_add in QEMU.
_HINTS = {
    "No more available PCI": "the running guest has no free place for another NIC; run the task while it is off, or give it more "
    "controllers of model pcie-root-port",
    "does not support hotplug": "the guest's machine takes no NICs while it runs; run the task while it is off, or give "
    "it the feature acpi",
}

# What says where a NIC is plugged in.
_MOVING = ("type", "source", "vlan", "virtualport")

__all__ = ["GuestOutcome", "NotReleasedError", "apply_guest"]


class NotReleasedError(NetworkError):
    """The guest has not let go of a NIC in time."""


@dataclass
class GuestOutcome:
    """What is there now: the NICs in the order of the plans, and what of each waits for the guest's next start."""

    nics: list[NicState | None] = field(default_factory=list)
    waits: list[tuple[str, ...]] = field(default_factory=list)


def apply_guest(guests: Guests, plan: GuestPlan, networking: Networking, *, detach_timeout: float) -> GuestOutcome:
    """Do what is planned for one guest.

    New NICs are plugged in first, so that the place on the guest's bus that libvirt chose for them can be stored. If a step
    fails, all is put back. Raises ApplyError with the reason, and with what could not be put back.
    """
    work = _Work(guests, plan, networking, detach_timeout)
    doing = ""
    try:
        with uninterrupted():
            for nic in plan.plans:
                doing = f"attach {nic.mac}"
                if nic.live_action == "attach":
                    work.attach(nic)
            doing = "define"
            work.define()
        for nic in plan.plans:
            doing = f"{nic.live_action} {nic.mac}"
            with uninterrupted():
                work.change_running(nic)
        doing = "verify"
        return _look(guests, plan, networking)
    except NotReleasedError as error:
        raise ApplyError(str(error)) from None
    except NetworkError as error:
        failure = f"The guest '{plan.guest.name}': '{doing}' failed: {error.reason}."
        raise ApplyError(f"{failure} {say_put_back(work.put_back())}") from None


class _Work:
    """The steps for one guest, and how to take them back."""

    def __init__(self, guests: Guests, plan: GuestPlan, networking: Networking, timeout: float) -> None:
        self._guests = guests
        self._plan = plan
        self._name = plan.guest.name
        self._networking = networking
        self._timeout = timeout
        self._undo: list[Undo] = []
        self._places: dict[str, str | None] = {}

    def put_back(self) -> list[str]:
        """Take the steps back, the last one first. Return what could not be, and why."""
        return take_back(self._undo)

    def attach(self, nic: NicPlan) -> None:
        """Plug in a NIC that the running guest has not, and keep where on the guest's bus it is."""
        wanted = _live(nic)
        stored = nic.after.stored if nic.after is not None else None
        self._attach(wanted, stored.address if stored is not None else None)
        self._undo.append((f"the NIC {wanted.mac} is plugged in", lambda: self._detach(wanted)))
        record = self._guests.read(self._name)
        shown = nics_of_document(record.live_xml, running=True) if record is not None and record.live_xml else []
        self._places[wanted.mac] = next((each.address for each in shown if each.mac == wanted.mac), None)

    def define(self) -> None:
        """Store the guest's NICs as they shall be, all at once."""
        plans = [nic for nic in self._plan.plans if nic.defines]
        if not plans:
            return
        guest, text = self._plan.guest, self._guests.read_whole(self._name)
        stored = [state.stored for state in guest.nics if state.stored is not None]
        if not has_nics(text, stored):
            raise LibvirtError("somebody else changed the NICs of the guest meanwhile; run the task again")
        changed: dict[int, Nic | None] = {}
        added: list[Nic] = []
        for nic in plans:
            after = nic.after.stored if nic.after is not None else None
            if after is not None and after.address is None:
                after = replace(after, address=self._places.get(after.mac))
            before = nic.before.stored if nic.before is not None else None
            if before is not None:
                changed[next(number for number, each in enumerate(stored) if each is before)] = after
            elif after is not None:
                added.append(after)
        try:
            self._guests.define(replace_nics(text, changed=changed, added=added))
        except LibvirtError:
            if not self._places:
                raise
            # the place of a NIC that was just plugged in may be taken by a device that comes with the guest's next start
            without = [replace(nic, address=None) for nic in added]
            self._guests.define(replace_nics(text, changed=changed, added=without))
        self._undo.append(("its stored definition", lambda: self._guests.define(text)))

    def change_running(self, nic: NicPlan) -> None:
        """Do what is planned for a NIC that the guest runs with."""
        before = nic.before.live if nic.before is not None else None
        if before is None or nic.live_action in (None, "attach"):
            return
        if nic.live_action == "update":
            wanted = _live(nic)
            own = own_part(before.definition, wanted.definition, self._networking)
            self._update(nic.mac, own, list(_updates(before.definition, own, wanted.definition)) or [wanted.definition])
            return
        old = replace(before, definition=own_part(before.definition, {}, self._networking))
        self._detach(before)
        self._undo.append((f"the NIC {before.mac} is unplugged", lambda: self._attach(old, old.address)))
        if nic.live_action == "replug":
            wanted = _live(nic)
            self._attach(wanted, before.address)
            self._undo.append((f"the NIC {wanted.mac} is plugged in", lambda: self._detach(wanted)))

    def _update(self, mac: str, own: Definition, updates: list[Definition]) -> None:
        if not same_place(own, updates[-1]):
            # as with a real cable, so that the guest notices that it is somewhere else and asks for an address there
            unplugged = [{**definition, "link": "down"} for definition in [own, *updates[:-1]]]
            updates = [*unplugged, updates[-1]]
        for former, definition in zip([own, *updates], updates):
            self._guests.update(self._name, render_xml(definition))
            undo = functools.partial(self._guests.update, self._name, render_xml(former))
            self._undo.append((f"the NIC {mac}", undo))

    def _attach(self, nic: Nic, address: str | None) -> None:
        """Plug in a NIC, at a place of the guest's bus if it can be had."""
        if address is not None:
            try:
                self._guests.attach(self._name, render_xml(nic.definition, address=address))
            except LibvirtError:
                pass
            else:
                return
        try:
            self._guests.attach(self._name, render_xml(nic.definition))
        except LibvirtError as error:
            hint = next((hint for words, hint in _HINTS.items() if words in str(error)), None)
            if hint is None:
                raise
            raise LibvirtError(f"{hint} ({error.reason})") from None

    def _detach(self, nic: Nic) -> None:
        def is_gone(text: str) -> bool:
            return all(each.mac != nic.mac for each in nics_of_document(text, running=True))

        definition: Definition = {
            option: value for option, value in nic.definition.items() if option in ("type", "source", "mac")
        }
        if not self._guests.detach(
            self._name, render_xml(definition, address=nic.address), is_gone=is_gone, timeout=self._timeout
        ):
            raise NotReleasedError(
                f"The guest '{self._name}' has not released the NIC {nic.mac} within {self._timeout:g} seconds: it may be "
                "booting, hanging, or without support for unplugging. What is stored is as asked for. The NIC goes when the "
                "guest releases it or stops; run the task again then, or give it more time with detach_timeout."
            )


def _updates(running: Definition, own: Definition, wanted: Definition) -> Iterator[Definition]:
    """Yield what a running NIC is changed to, one after the other.

    libvirt does parts of an update in turn, and does not take them back when a later one fails; so what may fail has an update of
    its own. The bandwidth is last, but where there is one already it moves with the NIC: libvirt 7.0 crashes when all of it goes.
    """
    moving = _MOVING if "bandwidth" not in running else (*_MOVING, "bandwidth")
    groups = moving, (own.keys() | wanted.keys()) - {"filterref", "bandwidth"}, ("filterref",), ("bandwidth",)
    current = own
    for group in groups:
        following = {option: value for option, value in current.items() if option not in group}
        following.update((option, wanted[option]) for option in group if option in wanted)
        if following != current and (group is not moving or following.get("source") != current.get("source")):
            yield following
            current = following


def _live(nic: NicPlan) -> Nic:
    """Return the NIC as it shall run."""
    live = nic.after.live if nic.after is not None else None
    if live is None:
        raise ValueError("a NIC that is not plugged in is not changed there")
    return live


def _look(guests: Guests, plan: GuestPlan, networking: Networking) -> GuestOutcome:
    """Return what libvirt shows now. Raises LibvirtError if it is not what was wanted."""
    record = guests.read(plan.guest.name)
    now: GuestState | None = read_guest(record) if record is not None else None
    outcome = GuestOutcome()
    for nic in plan.plans:
        found = next((each for each in now.nics if nic.mac in each.macs), None) if now is not None else None
        outcome.nics.append(found if nic.after is not None else None)
        outcome.waits.append(_verify(nic, found, networking))
    return outcome


def _verify(nic: NicPlan, found: NicState | None, networking: Networking) -> tuple[str, ...]:
    """Return what waits: what was planned to wait, and what libvirt left as it was without a word."""
    if nic.after is None:
        if found is not None and nic.steps:
            raise LibvirtError(f"libvirt said that it was done, but the NIC {nic.mac} is still there")
        return ()
    wanted = nic.after.stored.definition if nic.after.stored is not None else None
    actual = found.stored.definition if found is not None and found.stored is not None else None
    if wanted is not None and actual is not None:
        wanted = carry_generated(wanted, actual)
    if nic.defines and wanted != actual:
        differing = ", ".join(stored_differences(wanted or {}, actual or {}))
        raise LibvirtError(f"libvirt keeps another definition of the NIC {nic.mac} than was asked for: {differing}")
    live = found.live if found is not None else None
    if nic.after.live is None or live is None:
        if nic.after.live is not None:
            raise LibvirtError(f"libvirt said that it was done, but the guest runs without the NIC {nic.mac}")
        return nic.waits
    target = wanted if wanted is not None else nic.after.live.definition
    return tuple(sorted(find_differences(live.definition, target, inherited_from(target, networking.networks))))
