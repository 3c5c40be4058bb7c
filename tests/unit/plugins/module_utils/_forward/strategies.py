# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Forwards that a host could have."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._forward.forward import Forward
from ansible_collections.kvmops.network.plugins.module_utils._forward.ports import Ports

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", fullmatch=True)
# networks by name: mode, bridge, subnets by version of IP, and an address in each
NETWORKS: dict[str, tuple[str, str, dict[int, tuple[str, str]]]] = {
    "default": ("nat", "virbr0", {4: ("192.168.122.0/24", "192.168.122.")}),
    "lab": ("open", "virbr7", {4: ("10.7.0.0/16", "10.7.0."), 6: ("fd00:7a::/64", "fd00:7a::")}),
    "inside": ("none", "virbr8", {4: ("10.8.0.0/24", "10.8.0."), 6: ("fd00:8::/64", "fd00:8::")}),
}
HOST_ADDRESSES = {4: ["", "", "127.0.0.1", "203.0.113.4", "203.0.113.5"], 6: ["", "2001:db8::4", "2001:db8::5"]}


@st.composite
def forwards(draw: st.DrawFn, name: str = "web") -> Forward:
    """Return a forward."""
    network = draw(st.sampled_from(sorted(NETWORKS)))
    mode, bridge, subnets = NETWORKS[network]
    version = draw(st.sampled_from(sorted(subnets)))
    subnet, start = subnets[version]
    methods = {"nat": ["rules"], "open": ["rules", "open"], "none": ["proxy"]}[mode]
    method = draw(st.sampled_from([*methods, "proxy"]))
    first, guest_first = draw(st.integers(1, 65500)), draw(st.integers(1, 65500))
    count = draw(st.sampled_from([1, 1, 2, 16]))
    same = draw(st.booleans())
    host_ports = Ports(first, first + count - 1)
    protocols = [("tcp",)] if method == "proxy" else [("tcp",), ("udp",), ("tcp", "udp")]
    return Forward(
        name=name,
        protocols=draw(st.sampled_from(protocols)),
        host_address=draw(st.sampled_from(HOST_ADDRESSES[version])),
        host_ports=host_ports,
        domain=draw(st.sampled_from(["", "web"])),
        network=network,
        bridge=bridge,
        subnet=subnet,
        address=f"{start}{draw(st.integers(20, 29))}",
        guest_ports=host_ports if same else Ports(guest_first, guest_first + count - 1),
        method=method,
    )


@st.composite
def sets_of_forwards(draw: st.DrawFn, most: int = 4) -> dict[str, Forward]:
    """Return forwards by name that can be there at the same time."""
    found: dict[str, Forward] = {}
    for name in draw(st.lists(NAMES, max_size=most, unique=True)):
        new = replace(draw(forwards()), name=name)
        if not any(other.meets(new.protocols, new.host_address, new.host_ports, new.version) for other in found.values()):
            found[name] = new
    return found


def ports(most: int = 45535) -> t.Any:
    """Return ports, one or several."""
    pairs = st.tuples(st.integers(1, most), st.integers(1, most))
    return pairs.map(lambda ends: Ports(min(ends), max(ends)))
