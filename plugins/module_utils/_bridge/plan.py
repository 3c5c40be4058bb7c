# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What is to be done: from the host as it is, and what a task asks for, to steps with reasons, and their way back."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import Expected, Move
from ansible_collections.kvmops.network.plugins.module_utils._bridge.goal import Goal, shortfalls
from ansible_collections.kvmops.network.plugins.module_utils._bridge.layout import Layout, as_it_is, batch
from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Record, path_of
from ansible_collections.kvmops.network.plugins.module_utils._bridge.transaction import FileChange, Transaction
from ansible_collections.kvmops.network.plugins.module_utils._bridge.uplink import (
    check_bridge_name,
    check_uplink,
    choose_backend,
    choose_uplink,
)
from ansible_collections.kvmops.network.plugins.module_utils._errors import RefusedError

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import BackEnd
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.host import Host
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Address, Device, Links, Route
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.request import Request

__all__ = ["Plan", "make_plan", "subject_of"]

_PRIVATE_FOLDERS = ("/etc/NetworkManager/", "/var/lib/kvmops-network/")


@dataclass(frozen=True)
class Plan:
    """What is to be done. Without steps there is nothing to do, and the rest says how it is.

    `before` and `after` are layouts, `outage` a sentence on what happens to the host's connections.
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
            has_ipv4=any(address.interface.version == 4 for address in before.addresses),
            bridge=(after.bridge, after.mac),
            new_bridge=after.bridge if after.bridged and not before.bridged else "",
            old_bridge=before.bridge if before.bridged and not after.bridged else "",
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
            raise RefusedError(
                f"The uplink {record.uplink} of {record.name} is gone. Put the interface back, or correct its name where the "
                "host "
                "boots with another one."
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
    record = replace(record, mac=request.mac or record.mac)
    links = host.links
    _check_addresses(request, host, record)
    expected = backend.expected(record, request)
    goal = Goal(
        bridge=record.name,
        uplink=record.uplink,
        bridged=True,
        mac=record.mac,
        mtu=request.mtu or record.mtu,
        stp=request.stp,
        forward_delay=request.forward_delay * 100,
        addresses=expected.addresses,
        leased=_leased(request, expected, links, record),
        gateways=expected.gateways,
    )
    wanted: dict[str, str | None] = {**backend.files(record, request), path_of(record.name): record.to_text()}
    files = _changes(host, wanted)
    wrong = [short.text for short in shortfalls(goal, links) if not short.waits]
    before = as_it_is(links, uplink=record.uplink, bridge=record.name)
    if not files and not wrong:
        return Plan(record=record, goal=goal, before=before, after=before, expected=expected)
    moving, routes = _carried(links, record.uplink, backend, expected=expected, request=request)
    after = Layout(
        uplink=record.uplink,
        bridge=record.name,
        bridged=True,
        uplink_mtu=goal.mtu,
        mac=goal.mac,
        mtu=goal.mtu,
        stp=goal.stp,
        forward_delay=goal.forward_delay,
        addresses=_unleased(moving, goal) if fresh else (),
        routes=routes if fresh else (),
    )
    steps = _steps_to_bridge(record, after, fresh=fresh) if fresh else [f"put {record.name} right"]
    return Plan(
        record=record,
        goal=goal,
        before=before,
        after=after,
        expected=expected,
        files=files,
        steps=(*steps, *_file_steps(files), f"have {backend.title} follow its files"),
        reasons=tuple(wrong) if not fresh else (f"{record.name} is not there yet",),
        outage=_outage(request, expected, fresh=fresh),
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
    expected = backend.expected(record, plain)
    goal = Goal(
        bridge=record.name,
        uplink=record.uplink,
        bridged=False,
        addresses=expected.addresses,
        leased=_leased(plain, expected, links, record),
        gateways=expected.gateways,
    )
    wanted: dict[str, str | None] = dict.fromkeys([*backend.owned_paths(record), path_of(record.name)])
    if record.origin.path.startswith("/etc/") and host.files.get(record.origin.path) is None:
        wanted[record.origin.path] = record.origin.text
    files = _changes(host, wanted)
    before = as_it_is(links, uplink=record.uplink, bridge=record.name)
    moving, routes = _carried(links, record.name, backend, expected=expected, request=plain)
    after = Layout(
        uplink=record.uplink,
        bridge=record.name,
        bridged=False,
        uplink_mtu=record.mtu,
        addresses=_unleased(moving, goal),
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
        outage=_outage(request, expected, fresh=True),
        warnings=tuple(warnings),
        forward=Move(record=record, to_bridge=False, fresh=True),
        backward=Move(record=record, to_bridge=True, fresh=True),
    )


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


def _carried(
    links: Links, name: str, backend: BackEnd, *, expected: Expected, request: Request
) -> tuple[tuple[Address, ...], tuple[Route, ...]]:
    """Return the addresses of a link that go along with the change, and its routes."""
    device = links.devices.get(name)
    if device is None:
        return (), ()
    if backend.takes_leases_over:
        return _continued(device, links, expected, request)
    return _moving(device.moving(), expected, request), _moving_routes(links.routes_over(name), request)


def _continued(
    device: Device, links: Links, expected: Expected, request: Request
) -> tuple[tuple[Address, ...], tuple[Route, ...]]:
    """Return the addresses that the link has by its next configuration as well, and the routes that belong to them."""
    leased = {*expected.dhcp, *((6,) if request.ipv6 is None or request.ipv6.method in ("auto", "dhcp") else ())}
    addresses = tuple(
        a
        for a in (*device.given(4), *device.given(6))
        if a.text in expected.addresses or (a.dynamic and a.interface.version in leased)
    )
    versions = {address.interface.version for address in addresses}
    # a gateway that is not in the configuration is a server's or a router's
    static = {ipaddress.ip_address(text).version for text in expected.gateways}
    return addresses, tuple(
        route
        for route in links.routes_apart(device.name)
        if route.version in versions
        and not (route.is_default and route.version in static and route.gateway not in expected.gateways)
    )


def _moving(addresses: tuple[Address, ...], expected: Expected, request: Request) -> tuple[Address, ...]:
    """Return the addresses that go along: what the configuration says, and what somebody added by hand."""
    replaced = _replaced(request)
    return tuple(a for a in addresses if a.text in expected.addresses or a.interface.version not in replaced)


def _unleased(addresses: tuple[Address, ...], goal: Goal) -> tuple[Address, ...]:
    """Return the addresses without the time for which a server gave them, so that it shows when one has answered again."""
    return tuple(
        replace(a, dynamic=False, valid_for=None, preferred_for=None) if a.interface.version in goal.leased else a
        for a in addresses
    )


def _moving_routes(routes: Sequence[Route], request: Request) -> tuple[Route, ...]:
    """Return the routes that go along: none of a family that the task configures anew, the back end makes those."""
    replaced = _replaced(request)
    return tuple(route for route in routes if route.version not in replaced)


def _replaced(request: Request) -> set[int]:
    return {family.version for family in (request.ipv4, request.ipv6) if family is not None}


def _leased(request: Request, expected: Expected, links: Links, record: Record) -> tuple[int, ...]:
    """Return the IP versions of which a server has to give an address: those of which one gives any now, or that are asked for.

    `DHCP=yes` asks for both, and in most networks nobody gives one of them.
    """
    devices = [links.devices[name] for name in (record.uplink, record.name) if name in links.devices]
    given = {version for version in (4, 6) if any(a.dynamic for device in devices for a in device.given(version))}
    return tuple(version for version in expected.dhcp if version in (_replaced(request) | (given or {4})))


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


def _outage(request: Request, expected: Expected, *, fresh: bool) -> str:
    if not fresh:
        return "Connections stay, and so do guests' interfaces on the bridge."
    if request.stp:
        return f"With STP nothing passes the bridge for {2 * request.forward_delay} seconds or so."
    if 4 in expected.dhcp:
        return "Connections stay, but the host may be without an address until the DHCP server has answered, seconds at most."
    return "Connections stay; the addresses move in one step, within a fraction of a second."
