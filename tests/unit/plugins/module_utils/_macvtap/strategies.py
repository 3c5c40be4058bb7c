# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Tasks that a host with eth1 and eth2 could do, and what may be on it before."""

from __future__ import annotations

import typing as t
from ipaddress import ip_interface, ip_network

from hypothesis import strategies as st

from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._macvtap.builders import OPTIONS, route_option, tap_option

MACS = [f"52:54:00:7a:00:{number:02x}" for number in range(1, 5)]
PARENT_MAC = "02:00:00:00:aa:02"  # eth1's, which an interface with passthru may have
SOURCES = [f"02:00:00:00:00:{number:02x}" for number in range(1, 4)]
# two of one subnet, one alone in its subnet, and one without a subnet; for IPv6 the same address with two prefixes as well
ADDRESSES = {
    4: ["192.0.2.1/24", "192.0.2.2/24", "203.0.113.7/32"],
    6: ["2001:db8::1/64", "2001:db8::1/128"],
}
DESTINATIONS = {4: ["10.0.0.0/8", "10.9.0.0/16", "192.0.2.99/32"], 6: ["2001:db8:9::/48", "2001:db8::99/128"]}
GATEWAYS = {4: ["192.0.2.99"], 6: ["2001:db8::99"]}


def _reached(gateway: str, addresses: list[str], routes: list[dict[str, t.Any]]) -> bool:
    at_once = [ip_network(route["destination"]) for route in routes if route["gateway"] is None]
    subnets = [*(ip_interface(text).network for text in addresses), *at_once]
    address = ip_interface(gateway).ip
    return any(address in subnet for subnet in subnets) and gateway not in [text.partition("/")[0] for text in addresses]


def _mostly(draw: st.DrawFn, before: t.Any, others: t.Sequence[t.Any]) -> t.Any:
    """Return what was before, mostly, or one of the others."""
    return before if draw(st.integers(0, 5)) else draw(st.sampled_from(others))


@st.composite
def addresses(draw: st.DrawFn, before: t.Sequence[str] = ()) -> list[str]:
    """Return addresses, none of them twice, of which some may have been there before."""
    if draw(st.integers(0, 2)) == 0:
        return []
    stay = [text for text in before if draw(st.booleans())]
    new = draw(st.lists(st.sampled_from(ADDRESSES[4] + ADDRESSES[6]), max_size=4 if not stay else 2))
    found = {ip_interface(text).ip: text for text in [*new, *stay]}
    return list(found.values())


@st.composite
def routes(draw: st.DrawFn, given: list[str], before: t.Sequence[dict[str, t.Any]] = ()) -> list[dict[str, t.Any]]:
    """Return routes that the kernel takes with these addresses, of which some may have been there before."""
    versions = sorted({ip_interface(text).version for text in given})
    found = {}
    for version in versions:
        for destination in draw(st.lists(st.sampled_from(DESTINATIONS[version]), max_size=2, unique=True)):
            found[destination] = route_option(destination, metric=draw(st.sampled_from([None, 5, 100])))
    for route in before:
        if ip_network(route["destination"]).version in versions and route["gateway"] is None and draw(st.booleans()):
            found[route["destination"]] = route
    at_once = list(found.values())
    for version in versions:
        gateways = [one for one in GATEWAYS[version] if _reached(one, given, at_once)]
        if draw(st.booleans()) and gateways:
            far = {4: "172.16.0.0/12", 6: "2001:db8:8::/48"}[version]
            found[far] = route_option(far, gateway=draw(st.sampled_from(gateways)), metric=draw(st.sampled_from([None, 7])))
    return list(found.values())


@st.composite
def options(draw: st.DrawFn, before: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
    """Return the options of a task; most of what counts for being made anew is as it was before."""
    old = before if before is not None else OPTIONS
    mode = _mostly(draw, old["mode"], ["bridge", "vepa", "private", "passthru", "passthrough", "source", "source"])
    kind = _mostly(draw, old["kind"], ["macvtap", "macvlan"])
    given = draw(addresses(old["addresses"]))
    up = draw(st.sampled_from(["up", "up", "up", "down"]))
    flags = {"source": ["nodst"], "passthru": ["nopromisc"], "passthrough": ["nopromisc"]}.get(mode, [])
    mtus = [None, 1500, 1400, 9000] if any(":" in text for text in given) else [None, 1500, 1000, 68]
    return {
        **OPTIONS,
        "kind": kind,
        "parent": _mostly(draw, old["parent"], ["eth1", "eth2"]),
        "mode": mode,
        "flags": draw(st.lists(st.sampled_from(flags), max_size=1)) if flags else [],
        "mac": draw(st.sampled_from([None, *MACS, *([PARENT_MAC] if mode.startswith("pass") else [])])),
        "source_macs": draw(st.lists(st.sampled_from(SOURCES), max_size=2)) if mode == "source" else [],
        "mtu": draw(st.sampled_from(mtus)),
        "queues": _mostly(draw, old["queues"], [1, 4]),
        "bcqueuelen": draw(st.sampled_from([1000, 1000, 500, 0])),
        "link": up,
        "addresses": given,
        "routes": draw(routes(given, old["routes"])) if up == "up" else [],
        "tap": draw(st.sampled_from([None, tap_option(mode="0660")])) if kind == "macvtap" else None,
        "backend": draw(st.sampled_from(["auto", "auto", "auto", "unit", "none"])),
    }
