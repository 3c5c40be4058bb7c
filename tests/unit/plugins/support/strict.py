# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What libvirt's daemon refuses and its test driver takes: a bridge twice, and a subnet twice among the networks that run.

This is what the daemon does, no more: networkBridgeNameValidate() compares the names of bridges with those of all other networks,
as they are stored and as they run, and networkCheckRouteCollision() looks for a route to the same IPv4 subnet at a start.
https://gitlab.com/libvirt/libvirt/-/tree/master/src/network
"""

from __future__ import annotations

import functools
import ipaddress
import typing as t
from xml.etree import ElementTree

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection, LibvirtError

__all__ = ["refuse_as_the_daemon"]


class _Network(t.NamedTuple):
    """What a document claims. `made` says that libvirt makes the bridge."""

    name: str
    bridge: str | None
    made: bool
    subnets: frozenset[ipaddress.IPv4Network]


def refuse_as_the_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the verbs of `Connection` refuse what they would refuse on a host."""
    define, create, start = Connection.define_network, Connection.create_network, Connection.start_network

    def strict_define(self: Connection, xml: str, *, validate: bool = True) -> None:
        _check_bridge(self, _read(xml))
        define(self, xml, validate=validate)

    def strict_create(self: Connection, xml: str) -> None:
        _check_bridge(self, _read(xml))
        _check_start(self, _read(xml))
        create(self, xml)

    def strict_start(self: Connection, name: str) -> None:
        record = self.read_network(name)
        if record is not None and record.stored_xml is not None:
            _check_start(self, _read(record.stored_xml))
        start(self, name)

    monkeypatch.setattr(Connection, "define_network", strict_define)
    monkeypatch.setattr(Connection, "create_network", strict_create)
    monkeypatch.setattr(Connection, "start_network", strict_start)


def _check_bridge(connection: Connection, wanted: _Network) -> None:
    if not wanted.made or wanted.bridge is None:
        return
    for record in connection.read_networks().values():
        for text in (record.stored_xml, record.live_xml):
            if record.name != wanted.name and text is not None and _read(text).bridge == wanted.bridge:
                raise LibvirtError(f"internal error: bridge name '{wanted.bridge}' already in use.")


def _check_start(connection: Connection, wanted: _Network) -> None:
    for record in connection.read_networks().values():
        if record.name == wanted.name or record.live_xml is None:
            continue
        other = _read(record.live_xml)
        if wanted.made and other.made and wanted.bridge is not None and wanted.bridge == other.bridge:
            raise LibvirtError(f"Unable to create bridge {wanted.bridge}: File exists")
        if wanted.subnets & other.subnets:
            raise LibvirtError(f"internal error: Network is already in use by interface {other.bridge}")


@functools.cache
def _read(text: str) -> _Network:
    root = ElementTree.fromstring(text)
    forward, bridge = root.find("forward"), root.find("bridge")
    mode = forward.get("mode", "nat") if forward is not None else "none"
    made = mode in ("none", "nat", "route", "open")
    return _Network(
        name=root.findtext("name", ""),
        bridge=bridge.get("name") if bridge is not None else None,
        made=made,
        subnets=frozenset(_subnets(root)) if made else frozenset(),
    )


def _subnets(root: ElementTree.Element) -> t.Iterator[ipaddress.IPv4Network]:
    for element in [*root.iterfind("ip"), *root.iterfind("route")]:
        address, length = element.get("address", ""), element.get("prefix") or element.get("netmask")
        if ":" not in address and length is not None:
            yield ipaddress.IPv4Network(f"{address}/{length}", strict=False)
