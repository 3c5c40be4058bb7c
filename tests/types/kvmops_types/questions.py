# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""Ask two guests of a network, their host and the LAN whom they reach.

A "no" counts only if it could have been a "yes": there is a route, the target answers on another way or to somebody else, and the
one who asks reaches somebody else. Where that is not so, Unexpected is raised.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from .machines import LAN_SERVER, OUTSIDE, Guest, Host, Unexpected, lab, lan_leases, lan_reaches, lend_lan_route
from .promises import Answers, NetworkType


@dataclass(frozen=True)
class _Subject:
    """Who is asked. The first guest asks, the second one is asked for."""

    kind: NetworkType
    promised: Answers
    host: Host
    host_in_lan: str
    host_address: str | None  # on the interface of the network
    guest: Guest
    other: Guest
    addresses: tuple[str, str]
    macs: tuple[str, str]

    @property
    def target(self) -> str:
        """The address of the guest that is asked for."""
        return self.addresses[1]


def start_guests(host: Host, kinds: Sequence[NetworkType]) -> None:
    """Boot the guests that do not run, side by side."""
    running = {guest["name"] for guest in json.loads(lab("guest", "list", "--json", host.name)) if guest["state"] == "running"}
    missing = {}
    for kind in kinds:
        for index, guest in enumerate(kind.guests):
            if guest not in running:
                address = ["--address", kind.static[index], "--gateway", kind.gateway] if kind.static else []
                missing[guest] = ["guest", "start", host.name, guest, "--network", kind.network, *address]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda words: lab(*words), missing.values()))


def examine(host: Host, kind: NetworkType, promised: Answers) -> Answers:
    """Return the row of a type."""
    with ExitStack() as lent:
        host_in_lan = host.lan_address()
        if kind.lent_address:
            lent.enter_context(host.lend("address", f"{kind.lent_address} dev {kind.interface}"))
        if kind.subnet:
            lent.enter_context(lend_lan_route(kind.subnet, host_in_lan))
        guest, other = (Guest(host, name) for name in kind.guests)
        addresses, macs = zip(guest.settle(kind.gateway), other.settle(kind.gateway), strict=True)
        subject = _Subject(
            kind=kind,
            promised=promised,
            host=host,
            host_in_lan=host_in_lan,
            host_address=host.address_on(kind.interface),
            guest=guest,
            other=other,
            addresses=addresses,
            macs=macs,
        )
        answers = _answers(subject)
        _check_that_no_could_be_yes(subject)
        return answers


def _answers(subject: _Subject) -> Answers:
    promised = subject.promised
    with ExitStack() as lent:
        if not promised.host_to_guest:
            _lend_way_to_guests(subject, lent)
        way = subject.host.route_to(subject.target)
        if way != subject.kind.interface:
            raise Unexpected(f"the host's route to {subject.other.name} is over {way}, not over {subject.kind.interface}")
        return Answers(
            guest_to_guest=subject.guest.reaches(subject.target, promised=promised.guest_to_guest),
            guest_to_host=_guest_reaches_host(subject),
            host_to_guest=subject.host.reaches(subject.target, promised=promised.host_to_guest),
            guest_to_outside=subject.guest.reaches(OUTSIDE, promised=promised.guest_to_outside),
            lan_to_guest=lan_reaches(subject.target, promised=promised.lan_to_guest),
            dhcp=_dhcp(subject),
        )


def _lend_way_to_guests(subject: _Subject, lent: ExitStack) -> None:
    """Have the host know the guests behind the interface, so that neither a route nor ARP is what is missing."""
    interface = subject.kind.interface
    for address, mac in zip(subject.addresses, subject.macs, strict=True):
        lent.enter_context(subject.host.lend("route", f"{address}/32 dev {interface}"))
        lent.enter_context(subject.host.lend("neigh", f"{address} lladdr {mac} dev {interface}"))


def _guest_reaches_host(subject: _Subject) -> bool:
    """Ask for the host's address on the interface, at the interface's MAC address: in a LAN, the host's other NICs answer for it
    as well. Where the host has no address there, another one of its addresses is asked for, over the guest's gateway.
    """
    promised = subject.promised.guest_to_host
    if subject.host_address is None:
        return subject.guest.reaches(subject.host_in_lan, promised=promised)
    return subject.guest.reaches(
        subject.host_address, promised=promised, at=subject.host.hardware_address(subject.kind.interface)
    )


def _dhcp(subject: _Subject) -> str:
    """Say who answers a DHCP request: the server says so itself, and has the address in its list of leases."""
    answer = subject.guest.dhcp_answer(promised=subject.promised.dhcp != "none")
    if answer is None:
        return "none"
    server, address = answer
    if server == LAN_SERVER:
        name, leases = "LAN", lan_leases()
    elif server == subject.host_address:
        name, leases = "host", subject.host.leases(subject.kind.network)
    else:
        return server
    mac = subject.macs[0]
    if not any(mac in line and address in line for line in leases.splitlines()):
        raise Unexpected(f"{server} gave {subject.guest.name} {address}, but has no lease of it for {mac}")
    return name


def _check_that_no_could_be_yes(subject: _Subject) -> None:
    kind, host, promised = subject.kind, subject.host, subject.promised
    controls = []
    if not promised.guest_to_outside:
        controls.append((f"the host reaches {OUTSIDE}", host.reaches(OUTSIDE, promised=True)))
    if not promised.lan_to_guest:
        target = subject.host_address or subject.host_in_lan
        controls.append((f"the LAN reaches {target}", lan_reaches(target, promised=True)))
    if not promised.guest_to_host:
        controls += _with_an_address_on_the_bridge(subject) if kind.subnet else _over_the_switch(subject)
    for claim, answer in controls:
        if not answer:
            raise Unexpected(f"{kind.title}: a 'no' means nothing, since it is not so that {claim}")


def _with_an_address_on_the_bridge(subject: _Subject) -> list[tuple[str, bool]]:
    with subject.host.lend("address", f"{subject.kind.gateway}/24 dev {subject.kind.interface}"):
        return _host_and_guest(subject, f"with {subject.kind.gateway} on {subject.kind.interface}")


def _over_the_switch(subject: _Subject) -> list[tuple[str, bool]]:
    interface, own = subject.kind.interface, str(subject.host_address)
    at = subject.host.hardware_address(interface)
    return [
        (f"the LAN reaches the host's address on {interface}", lan_reaches(own, promised=True, at=at)),
        *_host_and_guest(subject, "over the switch, by the host's other NIC,"),
    ]


def _host_and_guest(subject: _Subject, how: str) -> list[tuple[str, bool]]:
    return [
        (f"{how} the guest reaches the host", subject.guest.reaches(subject.host_in_lan, promised=True)),
        (f"{how} the host reaches the guest", subject.host.reaches(subject.target, promised=True)),
    ]
