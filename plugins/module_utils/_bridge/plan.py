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
from ansible_collections.kvmops.network.plugins.module_utils._bridge.transaction import FileChange, Transaction
from ansible_collections.kvmops.network.plugins.module_utils._bridge.uplink import (
    check_bridge_name,
    check_uplink,
    choose_backend,
    choose_uplink,
)
from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, RefusedError

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import BackEnd
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.host import Host
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Links
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.request import Request

__all__ = ["Plan", "make_plan", "subject_of"]

_PRIVATE_FOLDERS = ("/etc/NetworkManager/", "/var/lib/kvmops-network/")


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
        return Transaction(
            id=transaction_id,
            window=request.window,
            files=self.files,
            apply_early=tuple(backend.early_paths(forward)),
            apply_batch=tuple(batch(after)),
            apply_before=tuple(backend.prepare(forward)),
            apply_after=tuple(backend.activate(forward)),
            revert_early=tuple(backend.early_paths(backward)),
            revert_batch=tuple(batch(before)),
            revert_before=tuple(backend.prepare(backward)),
            revert_after=tuple(backend.activate(backward)),
            carrier=before.carrier,
            leased=tuple(address.text for address in before.addresses if address.dynamic and not address.temporary),
            bridge=(after.bridge, after.mac or before.mac),
            new_bridge=after.bridge if after.bridged and not before.bridged and not before.mac else "",
            old_bridge="" if after.bridged else after.bridge,
        )


def subject_of(request: Request, host: Host, backends: Mapping[str, BackEnd]) -> tuple[Record | None, list[str]]:
    """Return the bridge that the task is about, and the paths of the files that a plan has to know.

    None where there is no such bridge and none is wanted. Raises RefusedError for what cannot be done on this host.
    """
    record = host.records.get(request.name)
    if record is None and request.state == "absent":
        return None, []
    if record is None:
        record = _new_record(request, host, backends)
    elif record.backend not in backends:
        raise RefusedError(f"{record.name} was made with {record.backend}, for which there is no back end here.")
    else:
        choose_uplink(request, host.links, record)
        choose_backend(request, host.managers, backends, uplink=record.uplink, record=record)
        if record.uplink not in host.links.devices:
            owned = ", ".join([*backends[record.backend].owned_paths(record), path_of(record.name)])
            raise RefusedError(
                f"The uplink {record.uplink} of {record.name} is gone. Put the interface back, or see to it that it has its name "
                f"again. If it is gone for good, take the bridge down by hand: its files are {owned}."
            )
    paths = [*backends[record.backend].owned_paths(record), path_of(record.name)]
    return record, [*paths, record.origin.path] if record.origin.path else paths


def make_plan(request: Request, host: Host, record: Record | None, backend: BackEnd | None) -> Plan:
    """Return what is to be done. Raises RefusedError for what would do harm."""
    if record is None or backend is None:
        return _plan_nothing(request, host)
    return (
        _plan_bridge(request, host, record, backend)
        if request.state == "present"
        else _plan_way_back(request, host, record, backend)
    )


def _new_record(request: Request, host: Host, backends: Mapping[str, BackEnd]) -> Record:
    links = host.links
    uplink = choose_uplink(request, links, None)
    check_uplink(links, uplink)
    check_bridge_name(links, request.name, uplink)
    for other in host.records.values():
        if other.uplink == uplink:
            raise RefusedError(f"uplink: {uplink} is the uplink of {other.name}. Take that back first (state: absent).")
    backend = choose_backend(request, host.managers, backends, uplink=uplink, record=None)
    management = host.management
    if management is None or management.backend != backend:
        raise RefusedError(f"{backend} manages {uplink}, and has no configuration for it that could be read.")
    device = links.devices[uplink]
    # the default route's where there is one, else that of the subnet; the lowest where there are several
    own = [route for route in links.routes if route.device == uplink and (route.is_default or route.protocol == "kernel")]
    metrics = {str(route.version): route.metric for route in sorted(own, key=lambda route: (route.is_default, -route.metric))}
    return Record(
        name=request.name,
        uplink=uplink,
        backend=backend,
        mac=device.mac,
        mtu=device.mtu,
        origin=management.origin,
        identity=management.identity,
        metrics=metrics,
    )


def _plan_nothing(request: Request, host: Host) -> Plan:
    left = host.links.devices.get(request.name)
    if left is None:
        return Plan(record=None, goal=None)
    others = [port for port in host.links.ports_of(request.name) if host.links.devices[port].kind != "tun"]
    if not left.is_bridge or others or left.given(4) or left.given(6):
        raise RefusedError(
            f"name: there is an interface {request.name} on this host that was not made by host_bridge, which therefore does "
            "not remove "
            "it. Take it down with what made it."
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
        routed=routed_versions(links, record.uplink if fresh else record.name, expected, leased, request),
    )
    wanted: dict[str, str | None] = {**backend.files(record, request), path_of(record.name): remembered.to_text()}
    files = _changes(host, wanted)
    wrong = [short.text for short in shortfalls(goal, links) if not short.waits]
    before = as_it_is(links, uplink=record.uplink, bridge=record.name)
    if not files and not wrong:
        return Plan(record=record, goal=goal, before=before, after=before, expected=expected)
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
    carrier = links.devices.get(record.uplink if fresh else record.name)
    lost = lost_addresses(carrier, moving, expected=expected, leased=leased) if carrier is not None and configured else ()
    there = {address.text for address in carrier.addresses} if carrier is not None else set()
    gained = tuple(text for text in expected.addresses if text not in there)
    steps = _steps_to_bridge(record, after, fresh=fresh) if fresh else [f"put {record.name} right"]
    steps += [f"give {record.name} the address {text}" for text in gained] + [f"take away the address {text}" for text in lost]
    return Plan(
        record=record,
        goal=goal,
        before=before,
        after=after,
        expected=expected,
        files=files,
        steps=(*steps, *_file_steps(files), f"have {backend.title} follow its files"),
        reasons=(*wrong, *_edited(files)) if not fresh else (f"{record.name} is not there yet",),
        outage=_outage(request, expected, backend, fresh=fresh, lost=lost),
        lost=lost,
        gained=gained,
        warnings=tuple(_losses(request, links, record.uplink if fresh else record.name)),
        forward=Move(record=record, to_bridge=True, fresh=fresh),
        backward=Move(record=record, to_bridge=not fresh, fresh=fresh),
    )


def _plan_way_back(request: Request, host: Host, record: Record, backend: BackEnd) -> Plan:
    links = host.links
    guests = [port for port in links.ports_of(record.name) if port != record.uplink]
    if guests and not request.force:
        raise RefusedError(
            f"{record.name} has other ports than {record.uplink}: {', '.join(guests)}, which would be cut off. Stop or move "
            "the guests "
            "that they belong to, or say force: true."
        )
    plain = replace(request, ipv4=None, ipv6=None)
    expected = backend.expected(_as_it_is_now(record, host), plain)
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
    wanted: dict[str, str | None] = dict.fromkeys([*backend.owned_paths(record), path_of(record.name)])
    if record.origin.path.startswith("/etc/") and host.files.get(record.origin.path) is None:
        wanted[record.origin.path] = record.origin.text
    files = _changes(host, wanted)
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
    warnings = [f"{record.name} stays, without an uplink, for {', '.join(guests)}, until the next boot."] if guests else []
    return Plan(
        record=record,
        goal=goal,
        before=before,
        after=after,
        expected=expected,
        files=files,
        steps=(*_steps_to_plain(record, after), *_file_steps(files), f"have {backend.title} follow its files"),
        reasons=("state: absent",),
        outage=_outage(request, expected, backend, fresh=True),
        warnings=tuple(warnings),
        forward=Move(record=record, to_bridge=False, fresh=True),
        backward=Move(record=record, to_bridge=True, fresh=True),
    )


def _losses(request: Request, links: Links, carrier: str) -> list[str]:
    """Return what a family that the task configures anew does not have any more, as sentences for the operator."""
    found = []
    for family in (request.ipv4, request.ipv6):
        if family is None or family.method != "static":
            continue
        if not family.gateway and links.default_route(carrier, versions=(family.version,)) is not None:
            found.append(f"ipv{family.version}.gateway is not given, and the host loses its IPv{family.version} default route.")
        device = links.devices.get(carrier)
        leases = device is not None and any(a.dynamic for a in device.given(family.version))
        if request.dns.servers is None and leases:
            found.append(
                f"With static IPv{family.version} addresses no DHCP server names the name servers; name them in dns.servers."
            )
    return found


def _as_it_is_now(record: Record, host: Host) -> Record:
    """Return the record with the uplink's configuration as it is, where somebody has edited the file meanwhile."""
    content = host.files.get(record.origin.path)
    text = None if content is None else content.decode(errors="surrogateescape")
    # what overrides parts of the file comes after it in what is remembered
    if text is None or record.origin.text == text or record.origin.text.startswith(f"{text}\n"):
        return record
    return replace(record, origin=replace(record.origin, text=text))


def _check_mtu(request: Request, links: Links, record: Record) -> None:
    limit = links.devices[record.uplink].max_mtu
    if request.mtu is not None and request.mtu > limit:
        raise InputError(f"mtu: '{request.mtu}' is more than {record.uplink} can have, which is {limit}.")


def _check_addresses(request: Request, host: Host, record: Record) -> None:
    for family in (request.ipv4, request.ipv6):
        for text in family.addresses if family is not None else ():
            for device in host.links.devices.values():
                if device.name not in (record.uplink, record.name) and text.partition("/")[0] in (
                    str(a.interface.ip) for a in device.addresses
                ):
                    raise RefusedError(
                        f"ipv{family.version if family else 4}.addresses: {text} is an address of {device.name} on this host "
                        "already. "
                        "Choose another one."
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


def _steps_to_bridge(record: Record, after: Layout, *, fresh: bool) -> list[str]:
    steps = [f"make the bridge {record.name} with the MAC address {record.mac}", f"make {record.uplink} its port"]
    return steps + _address_steps(after, source=record.uplink) if fresh else steps


def _steps_to_plain(record: Record, after: Layout) -> list[str]:
    return [f"take {record.uplink} out of {record.name}", *_address_steps(after, source=record.name), f"remove {record.name}"]


def _address_steps(after: Layout, *, source: str) -> list[str]:
    steps = [f"move {address.text} from {source} to {after.carrier}" for address in after.addresses]
    return steps + [f"move the route to {route.destination} from {source} to {after.carrier}" for route in after.routes]


def _file_steps(files: tuple[FileChange, ...]) -> list[str]:
    return [f"{'remove' if change.after is None else 'write'} {change.path}" for change in files]


def _edited(files: tuple[FileChange, ...]) -> list[str]:
    return [f"{change.path} is {'missing' if change.before is None else 'not as wanted'}" for change in files]


def _outage(request: Request, expected: Expected, backend: BackEnd, *, fresh: bool, lost: tuple[str, ...] = ()) -> str:
    if lost:
        return (
            f"The host loses {', '.join(lost)}, and connections to that end. If the controller uses it, confirm_host has to say "
            "where the host is then."
        )
    if not fresh:
        return "Connections stay, and so do guests' interfaces on the bridge."
    if request.stp:
        return f"With STP nothing passes the bridge for {2 * request.forward_delay} seconds or so."
    if 4 in expected.dhcp and not backend.takes_leases_over:
        return "Connections stay, but the host may be without an address until the DHCP server has answered, seconds at most."
    return "Connections stay; the addresses move in one step, within a fraction of a second."
