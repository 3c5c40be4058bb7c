# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Lists of networks, and what can be made of libvirt and the host around them."""

from __future__ import annotations

import re
import typing as t
from ipaddress import ip_interface, ip_network

import pytest

from ansible_collections.kvmops.network.plugins.module_utils import _module
from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection, LibvirtError
from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Host, Link, Route

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import Result

Options = dict[str, t.Any]

__all__ = ["A", "B", "C", "Options", "addresses", "break_verb", "keep_stored", "network", "record_calls", "show_host"]


def network(name: str, number: int | None = None, bridge: str | None = None, **other: t.Any) -> Options:
    """Return an entry with a subnet and a bridge, both by a number."""
    entry: Options = {"name": name, **other}
    if number is not None:
        entry["ips"] = [{"address": f"10.0.{number}.1", "prefix": 24}]
    if number is not None or bridge is not None:
        entry["bridge"] = {"name": bridge or f"virbr{number}"}
    return entry


A, B, C = network("a", 1), network("b", 2), network("c", 3)


def break_verb(monkeypatch: pytest.MonkeyPatch, verb: str, broken: str, *, skipped: int = 0) -> None:
    """Let a verb of libvirt fail once for one network, after so many times that it works."""
    real = getattr(Connection, verb)
    calls: list[str] = []

    def broken_verb(self: Connection, subject: str, *arguments: t.Any, **options: t.Any) -> None:
        if subject == broken or f"<name>{broken}</name>" in subject:
            calls.append(subject)
            if len(calls) == skipped + 1:
                raise LibvirtError("the disk is full")
        real(self, subject, *arguments, **options)

    monkeypatch.setattr(Connection, verb, broken_verb)


def addresses(result: Result) -> dict[str, list[str]]:
    """Return the addresses of each network."""
    return {
        each["name"]: [ip["address"] for ip in each["network"]["definition"].get("ips", [])] for each in result.data["networks"]
    }


_VERBS = {
    "define_network": "define",
    "create_network": "create",
    "start_network": "start",
    "stop_network": "stop",
    "undefine_network": "undefine",
    "set_network_autostart": "autostart",
}


def record_calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list to which each change is added that is asked of libvirt; "park" is a definition with a bridge's stand-in."""
    calls: list[str] = []
    inside: list[str] = []  # one verb may use another, to make up for the test driver

    def recorded(verb: str, label: str) -> None:
        real = getattr(Connection, verb)

        def record(self: Connection, subject: str, **options: t.Any) -> None:
            if not inside:
                found = re.search("<name>(.*)</name>", subject)
                what = "park" if 'bridge name="kvmops-' in subject else label
                calls.append(f"{what} {found[1] if found else subject}")
            inside.append(verb)
            try:
                real(self, subject, **options)
            finally:
                inside.pop()

        monkeypatch.setattr(Connection, verb, record)

    for verb, label in _VERBS.items():
        recorded(verb, label)
    return calls


def keep_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tasks see what earlier ones stored of a running network, which the test driver does not show."""
    stored: dict[str, str] = {}
    real = Connection.__init__

    def connect(self: Connection, uri: str) -> None:
        real(self, uri)
        self._unshown = stored

    monkeypatch.setattr(Connection, "__init__", connect)


def show_host(monkeypatch: pytest.MonkeyPatch, addresses: dict[str, str], routes: t.Sequence[str] = ()) -> list[Host]:
    """Let tasks see a host with these interfaces, and routes through a gateway. Return a list of what they have seen."""
    links = {
        name: Link(name=name, mac=None, kind="bridge", master=None, wireless=False, addresses=(ip_interface(address),))
        for name, address in addresses.items()
    }
    found = tuple(Route(subnet=ip_network(subnet), device="eth0", connected=False, table="main") for subnet in routes)
    host = Host(links=links, routes=found)
    seen: list[Host] = []

    def see(_run: object) -> Host:
        seen.append(host)
        return host

    monkeypatch.setattr(_module, "is_local", lambda _uri: True)
    monkeypatch.setattr(_module, "read_host", see)
    return seen
