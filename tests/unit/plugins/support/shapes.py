# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Definitions that the tests of wrong and odd input are made from, as a task says them."""

from __future__ import annotations

import typing as t

Options = dict[str, t.Any]

__all__ = ["IP", "IP6", "IS", "MAC", "NAT", "OUT", "PF", "Options", "bridge", "dns", "hostdev", "hosts", "nat", "ovs", "route"]

IP: Options = {"address": "192.168.101.1", "prefix": 24}
IP6: Options = {"address": "fd00:101::1", "prefix": 64}
NAT: Options = {"mode": "nat"}
MAC = "52:54:00:00:00:01"
PF: Options = {"dev": "ens1f0"}
IS = "is no host's address in 192.168.101.0/24; choose one from 192.168.101.1 to 192.168.101.254."
OUT = "is outside of the subnet 192.168.101.0/24; choose one from 192.168.101.1 to 192.168.101.254."


def hostdev(**forward: t.Any) -> Options:
    """Return a network of virtual functions."""
    return {"forward": {"mode": "hostdev", **forward}}


def bridge(**options: t.Any) -> Options:
    """Return a network of a bridge that the host has."""
    return {"forward": {"mode": "bridge"}, "bridge": {"name": "br0"}, **options}


def ovs(**options: t.Any) -> Options:
    """Return a network of a bridge of Open vSwitch."""
    return bridge(virtualport={"type": "openvswitch"}, **options)


def dns(**options: t.Any) -> Options:
    """Return what a network says of DNS."""
    return {"dns": options}


def nat(entry: Options, **options: t.Any) -> Options:
    """Return a NAT network with one address."""
    return {"forward": NAT, "ips": [entry], **options}


def hosts(*entries: Options, entry: Options | None = None) -> Options:
    """Return a NAT network with reservations."""
    return nat({**(entry or IP), "dhcp": {"hosts": list(entries)}})


def route(**options: t.Any) -> Options:
    """Return a NAT network with one route."""
    return nat(IP, routes=[{"address": "10.9.0.0", "gateway": "192.168.101.2", **options}])
