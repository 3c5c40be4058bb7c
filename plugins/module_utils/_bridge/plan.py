# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What is to be done: from the host as it is, and what a task asks for, to steps with reasons, and their way back."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import Expected, Move
from ansible_collections.kvmops.network.plugins.module_utils._bridge.goal import Goal, shortfalls
from ansible_collections.kvmops.network.plugins.module_utils._bridge.layout import Layout, as_it_is, batch
from ansible_collections.kvmops.network.plugins.module_utils._bridge.moving import (
    back_to_uplink,
    leased_versions,
    lost_addresses,
    routed_versions,
    to_bridge,
)
from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Record, path_of
from ansible_collections.kvmops.network.plugins.module_utils._bridge.transaction import Transaction
from ansible_collections.kvmops.network.plugins.module_utils._bridge.words import (
    outage,
    steps_to_bridge,
    steps_to_plain,
    what_is_lost,
    who_rewrites,
    wrong_files,
)
from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._file_changes import FileChange, file_steps

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import BackEnd
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.host import Host
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Links
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.request import Request

__all__ = ["Plan", "make_plan"]

_PRIVATE_FOLDERS = ("/etc/NetworkManager/", "/etc/netplan/", "/var/lib/kvmops-network/")


@dataclass(frozen=True)
class Plan:
    """What is to be done. Without steps there is nothing to do, and the rest says how it is.

    `before` and `after` are layouts, `outage` a sentence on what happens to the host's connections. `lost` and `gained` are
    addresses.
    """

    record: Record | None
    goal: Goal | None
    before: Layout | None = None
    after: Layout | None = None
    expected: Expected = field(default_factory=Expected)
    files: tuple[FileChange, ...] = ()
    steps: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    outage: str = ""
    lost: tuple[str, ...] = ()
    gained: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    forward: Move | None = None
    backward: Move | None = None

    @property
    def changed(self) -> bool:
        """Whether there is something to do."""
        return bool(self.steps)

    def transaction(self, transaction_id: str, request: Request, backend: BackEnd) -> Transaction:
        """Return what does it and what undoes it."""
        before, after, forward, backward = self.before, self.after, self.forward, self.backward
        if before is None or after is None or forward is None or backward is None:
            raise ValueError("there is nothing to do")
        changed = [change.path for change in self.files]
        return Transaction(
            id=transaction_id,
            window=request.window,
            files=self.files,
            apply_early=tuple(backend.early_paths(forward, changed)),
            apply_batch=tuple(batch(after)),
            apply_before=tuple(backend.prepare(forward)),
            apply_after=tuple(backend.activate(forward)),
            revert_early=tuple(backend.early_paths(backward, changed)),
            revert_batch=tuple(batch(before)),
            revert_before=tuple(backend.prepare(backward)),
            revert_after=tuple(backend.activate(backward)),
            revert_at_boot=backend.at_boot,
            carrier=before.carrier,
            leased=tuple(address.text for address in before.addresses if address.dynamic and not address.temporary),
            bridge=(after.bridge, after.mac or before.mac),
            new_bridge=after.bridge if after.bridged and not before.bridged and not before.mac else "",
            old_bridge="" if after.bridged else after.bridge,
        )


def make_plan(request: Request, host: Host, record: Record | None, backend: BackEnd | None) -> Plan:
    """Return what is to be done. Raises RefusedError for what would do harm."""
    if record is None or backend is None:
        return _plan_nothing(request, host)
    return (
        _plan_bridge(request, host, record, backend)
        if request.state == "present"
        else _plan_way_back(request, host, record, backend)
    )


def _plan_nothing(request: Request, host: Host) -> Plan:
    left = host.links.devices.get(request.name)
    if left is None:
        return Plan(record=None, goal=None)
    if not left.is_bridge or not host.links.is_left_over(request.name):
        raise RefusedError(
            f"name: there is an interface {request.name} on this host that was not made by host_bridge, which therefore does "
            "not remove it. Take it down with what made it."
        )
    taps = ", ".join(host.links.ports_of(request.name)) or "nothing"
    return Plan(
        record=None,
        goal=None,
        warnings=(f"The bridge {request.name} is left, with {taps} plugged in and no uplink; it is gone after the next boot.",),
    )


def _plan_bridge(request: Request, host: Host, record: Record, backend: BackEnd) -> Plan:
    fresh = request.name not in host.records
    remembered, record = record, replace(record, mac=request.mac or record.mac)
    links = host.links
    source = record.uplink if fresh else record.name
    _check_mtu(request, links, record)
    _check_addresses(request, host, record)
    expected = backend.expected(record, request)
    leased = leased_versions(request, expected, links, record)
    goal = Goal(
        bridge=record.name,
        uplink=record.uplink,
        bridged=True,
        mac=record.mac,
        mtu=request.mtu or record.mtu,
        stp=request.stp,
        forward_delay=request.forward_delay * 100,
        addresses=expected.addresses,
        leased=leased,
        gateways=expected.gateways,
        routed=routed_versions(links, source, expected, leased, request),
    )
    own = {**backend.files(record, request), path_of(record.name): remembered.to_text()}
    files = _changes(host, {**backend.taken_out(record, host.files), **own})
    wrong = [short.text for short in shortfalls(goal, links) if not short.waits]
    before = as_it_is(links, uplink=record.uplink, bridge=record.name)
    rewriting = (who_rewrites(record, backend),) if host.cloud_init and backend.shared_patterns else ()
    if not files and not wrong:
        return Plan(record=record, goal=goal, before=before, after=before, expected=expected, warnings=rewriting)
    moving, routes = to_bridge(links, goal, backend, expected=expected, request=request) if fresh else ((), ())
    after = Layout(
        uplink=record.uplink,
        bridge=record.name,
        bridged=True,
        uplink_mtu=goal.mtu,
        mac=goal.mac,
        mtu=goal.mtu,
        stp=goal.stp,
        forward_delay=goal.forward_delay,
        addresses=moving,
        routes=routes,
    )
    configured = any(change.path != path_of(record.name) for change in files)
    carrier = links.devices.get(source)
    lost = lost_addresses(carrier, moving, expected=expected, leased=leased) if carrier is not None and configured else ()
    there = {address.text for address in carrier.addresses} if carrier is not None else set()
    gained = tuple(text for text in expected.addresses if text not in there)
    steps = steps_to_bridge(record, after, fresh=fresh, gained=gained, lost=lost)
    return Plan(
        record=record,
        goal=goal,
        before=before,
        after=after,
        expected=expected,
        files=files,
        steps=(*steps, *file_steps(files), f"have {backend.title} follow its files"),
        reasons=(*wrong, *wrong_files(files)) if not fresh else (f"{record.name} is not there yet",),
        outage=outage(request, expected, backend, fresh=fresh, lost=lost),
        lost=lost,
        gained=gained,
        warnings=(*what_is_lost(request, links, source, backend), *rewriting),
        forward=Move(record=record, to_bridge=True, fresh=fresh),
        backward=Move(record=record, to_bridge=not fresh, fresh=fresh),
    )


def _plan_way_back(request: Request, host: Host, record: Record, backend: BackEnd) -> Plan:
    links = host.links
    guests = [port for port in links.ports_of(record.name) if port != record.uplink]
    if guests and not request.force:
        raise RefusedError(
            f"{record.name} has other ports than {record.uplink}: {', '.join(guests)}, which would be cut off. Stop or move "
            "the guests that they belong to, or say force: true."
        )
    plain = replace(request, ipv4=None, ipv6=None)
    expected = backend.expected(backend.as_it_is_now(record, host.files), plain)
    leased = leased_versions(plain, expected, links, record)
    goal = Goal(
        bridge=record.name,
        uplink=record.uplink,
        bridged=False,
        addresses=expected.addresses,
        leased=leased,
        gateways=expected.gateways,
        routed=routed_versions(links, record.name, expected, leased, plain),
    )
    gone: dict[str, str | None] = dict.fromkeys([*backend.owned_paths(record), path_of(record.name)])
    files = _changes(host, {**gone, **backend.put_back(record, host.files)})
    before = as_it_is(links, uplink=record.uplink, bridge=record.name)
    moving, routes = back_to_uplink(links, goal, backend, expected=expected, request=plain)
    after = Layout(
        uplink=record.uplink,
        bridge=record.name,
        bridged=False,
        uplink_mtu=record.mtu,
        addresses=moving,
        routes=routes,
    )
    carrier = links.devices.get(record.name)
    lost = lost_addresses(carrier, moving, expected=expected, leased=leased) if carrier is not None else ()
    warnings = [f"{record.name} stays, without an uplink, for {', '.join(guests)}, until the next boot."] if guests else []
    return Plan(
        record=record,
        goal=goal,
        before=before,
        after=after,
        expected=expected,
        files=files,
        steps=(*steps_to_plain(record, after, lost=lost), *file_steps(files), f"have {backend.title} follow its files"),
        reasons=("state: absent",),
        outage=outage(request, expected, backend, fresh=True, lost=lost),
        lost=lost,
        warnings=tuple(warnings),
        forward=Move(record=record, to_bridge=False, fresh=True),
        backward=Move(record=record, to_bridge=True, fresh=True),
    )


def _check_mtu(request: Request, links: Links, record: Record) -> None:
    limit = links.devices[record.uplink].max_mtu
    if request.mtu is not None and request.mtu > limit:
        raise InputError(f"mtu: '{request.mtu}' is more than {record.uplink} can have, which is {limit}.")


def _check_addresses(request: Request, host: Host, record: Record) -> None:
    others = [device for device in host.links.devices.values() if device.name not in (record.uplink, record.name)]
    taken = {str(address.interface.ip): device.name for device in reversed(others) for address in device.addresses}
    for family in (request.ipv4, request.ipv6):
        for text in family.addresses if family is not None else ():
            holder = taken.get(text.partition("/")[0])
            if family is not None and holder is not None:
                raise RefusedError(
                    f"ipv{family.version}.addresses: {text} is an address of {holder} on this host already. Choose another one."
                )


def _changes(host: Host, wanted: Mapping[str, str | None]) -> tuple[FileChange, ...]:
    changes = [
        FileChange(
            path=path,
            before=host.files.get(path),
            after=None if text is None else text.encode(errors="surrogateescape"),
            private=path.startswith(_PRIVATE_FOLDERS),
        )
        for path, text in wanted.items()
    ]
    return tuple(change for change in changes if change.before != change.after)
