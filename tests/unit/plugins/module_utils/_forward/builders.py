# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Forwards, requests and hosts that these tests are made from."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.kvmops.network.plugins.module_utils._forward.files import Programs, wanted_files
from ansible_collections.kvmops.network.plugins.module_utils._forward.forward import Forward
from ansible_collections.kvmops.network.plugins.module_utils._forward.host import ForwardHost
from ansible_collections.kvmops.network.plugins.module_utils._forward.options import FORWARD_OPTIONS
from ansible_collections.kvmops.network.plugins.module_utils._forward.ports import Ports
from ansible_collections.kvmops.network.plugins.module_utils._forward.request import ForwardRequest
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nic import builders as nics

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from ansible_collections.kvmops.network.plugins.module_utils._forward.plan import Plan
    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState
    from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import GuestState

MAC, MAC2 = nics.MAC, nics.MAC2
PROGRAMS = Programs(python="/usr/bin/python3", proxy="/usr/lib/systemd/systemd-socket-proxyd", keeper="# the keeper\n")
_DHCP = "<dhcp><range start='{0}.100' end='{0}.199'/>{1}</dhcp>"


def ports(text: str) -> Ports:
    """Return ports."""
    return Ports.from_option("ports", text)


def forward(name: str = "web", host_ports: str = "8080", guest_ports: str | None = None, **values: t.Any) -> Forward:
    """Return a forward into the guest web on the network default."""
    usual = Forward(
        name=name,
        protocols=("tcp",),
        host_address="",
        host_ports=ports(host_ports),
        domain="web",
        network="default",
        bridge="virbr0",
        subnet="192.168.122.0/24",
        address="192.168.122.10",
        guest_ports=ports(guest_ports or host_ports),
        method="rules",
    )
    return replace(usual, **values)


def forward6(name: str = "six", host_ports: str = "8080", guest_ports: str | None = None, **values: t.Any) -> Forward:
    """Return a forward for IPv6."""
    return forward(name, host_ports, guest_ports, **{"address": "fd00:7a::10", "subnet": "fd00:7a::/64", **values})


def options(**values: t.Any) -> dict[str, t.Any]:
    """Return the options of a task, as Ansible hands them over."""
    usual = {name: spec.get("default") for name, spec in FORWARD_OPTIONS.items()}
    return {**usual, "name": "web", "domain": "web", "host_port": "8080", **values}


def request(**values: t.Any) -> ForwardRequest:
    """Return what a task asks for."""
    return ForwardRequest.from_options(options(**values))


def network(
    name: str = "default",
    mode: str = "nat",
    *hosts: str,
    prefix: str = "192.168.122",
    bridge: str = "virbr0",
    more: str = "",
    dhcp: bool = True,
    active: bool = True,
) -> NetworkState:
    """Return a network with a subnet, where DHCP gives the addresses from 100 to 199 to anybody; `hosts` are reservations."""
    kind = f"<forward mode='{mode}'/>" if mode != "none" else ""
    given = _DHCP.format(prefix, "".join(hosts)) if dhcp else ""
    content = f"{kind}<bridge name='{bridge}'/><ip address='{prefix}.1' prefix='24'>{given}</ip>{more}"
    return nics.network(name, content, active=active)


def reserved(address: str, mac: str = MAC, name: str = "") -> str:
    """Return the reservation of an address."""
    called = f" name='{name}'" if name else ""
    return f"<host mac='{mac}' ip='{address}'{called}/>"


def guest(*networks: str, name: str = "web", running: bool = True) -> GuestState:
    """Return a guest with a NIC on each network."""
    found = []
    for number, each in enumerate(networks or ("default",), 1):
        definition = nics.on(each, mac=f"52:54:00:aa:00:{number:02x}")
        found.append(nics.both(definition) if running else nics.stored(definition))
    return nics.guest(*found, name=name, running=running)


def host(*networks: NetworkState, forwards: Iterable[Forward] = (), **more: t.Any) -> ForwardHost:
    """Return a host with the guest web, on which all is as forwards say that there are."""
    known = {each.name: each for each in forwards}
    found = {state.name: state for state in (networks or (network(),))}
    texts = wanted_files(known, PROGRAMS)
    files: dict[str, bytes | None] = {path: text.encode() for path, text in texts.items()}
    usual: dict[str, t.Any] = {"guest": guest(), "programs": PROGRAMS, "files": files, "listeners": ()}
    return ForwardHost(networks=found, forwards=known, **{**usual, **more})


def after(plan: Plan, before: ForwardHost) -> ForwardHost:
    """Return the host after a plan has been carried out."""
    files = {**before.files, **{change.path: change.after for change in plan.files}}
    forwards = {name: each for name, each in before.forwards.items() if name != plan.name}
    if plan.after is not None:
        forwards[plan.name] = plan.after
    networks = dict(before.networks)
    for change in plan.networks:
        state = networks[change.name]
        networks[change.name] = replace(state, stored=change.stored, live=change.stored if state.active else None)
    return replace(
        before,
        files={path: content for path, content in files.items() if content is not None},
        forwards=forwards,
        networks=networks,
        idle=(),
        faults=(),
    )
