# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Rules for the forward mode, and what goes with it: devices of the host, the bridge and its MTU."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._network.definition import mode_of, owns_bridge
from ansible_collections.kvmops.network.plugins.module_utils._network.topics.ranges import LARGEST_RANGE, order_problems

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    Definition = dict[str, t.Any]

__all__ = ["ODDITIES", "RULES", "pci_places"]

_MACVTAP = ("private", "vepa", "passthrough")
_KINDS = ("interfaces", "pf", "addresses")


def _forward(definition: Definition) -> Iterator[str]:
    mode, forward = mode_of(definition), definition.get("forward", {})
    if "nat" in forward and mode != "nat":
        yield f"forward.nat: has a meaning with forward.mode 'nat' only, and the mode is '{mode}'; leave one of them out."
    if "dev" in forward and mode in ("none", "open"):
        yield f"forward.dev: '{forward['dev']}' cannot be enforced with forward.mode '{mode}'; leave it out, or use 'route'."
    if mode in ("nat", "route") and "ips" not in definition:
        yield f"ips: missing; forward.mode '{mode}' needs an address of the host, such as 192.168.101.1 with prefix 24."
    address = forward.get("nat", {}).get("address")
    if address:
        disorder = list(order_problems("forward.nat.address", address, version=4))
        yield from disorder
        if not disorder and _count(address) > LARGEST_RANGE:
            yield (
                f"forward.nat.address: {address['start']} to {address['end']} has more than {LARGEST_RANGE} addresses, which "
                "libvirt refuses; choose a smaller range."
            )
    port = forward.get("nat", {}).get("port")
    if port and port.get("start", 0) > port.get("end", 65535):
        yield f"forward.nat.port: start {port.get('start')} is after end {port.get('end')}; swap them."
    elif port and port.get("start") == port.get("end"):
        # Source: iptablesForwardMasquerade and its sister for nftables in libvirt
        yield f"forward.nat.port: start and end are both {port['start']}, and libvirt needs two ports at least; choose a range."


def _count(pair: dict[str, str]) -> int:
    return int(ipaddress.ip_address(pair["end"])) - int(ipaddress.ip_address(pair["start"])) + 1


def _devices(definition: Definition) -> Iterator[str]:
    """Check which of the host's devices guests get."""
    mode, forward = mode_of(definition), definition.get("forward", {})
    uplinks = [entry["dev"] for entry in (forward, *forward.get("interfaces", [])) if "dev" in entry]
    kinds = [kind for kind in _KINDS if forward.get(kind) or (kind == "interfaces" and uplinks)]
    if len(kinds) > 1:
        yield f"forward: {' and '.join(kinds)} say in several ways which devices guests get; give one of them."
    if mode in ("nat", "route") and len(uplinks) > 1:
        yield f"forward.interfaces: forward.mode '{mode}' leaves by one interface, not by {len(uplinks)}; give one, or none."
    if mode in ("none", "open") and len(uplinks) > 1:
        yield f"forward.interfaces: cannot be enforced with forward.mode '{mode}'; leave them out, or use 'route' with one."
    if mode != "none":
        yield from _meaningless(definition, ("managed", "addresses"))
    else:
        # libvirt keeps nothing of the element then
        yield from _meaningless(definition, ("managed", "driver", "addresses"))
        yield from _meaningless_pf(definition)
    if mode == "hostdev" and uplinks:
        yield f"forward.interfaces: '{uplinks[0]}' is a name; forward.mode 'hostdev' takes addresses or pf instead."
    places = pci_places(definition)
    for place in sorted({place for place in places if places.count(place) > 1}):
        yield f"forward.addresses: {place} is there {places.count(place)} times; leave one."


def pci_places(definition: Definition) -> list[str]:
    """Return the devices that are given by their PCI addresses, as the kernel writes them."""
    return [
        ":".join(str(entry.get(part))[2:] for part in ("domain", "bus", "slot")) + f".{str(entry.get('function'))[2:]}"
        for entry in definition.get("forward", {}).get("addresses", [])
    ]


def _meaningless(definition: Definition, options: tuple[str, ...]) -> Iterator[str]:
    mode, forward = mode_of(definition), definition.get("forward", {})
    for option in options:
        if forward.get(option) and mode != "hostdev":
            yield f"forward.{option}: has a meaning with forward.mode 'hostdev' only, and the mode is '{mode}'; leave it out."


def _meaningless_pf(definition: Definition) -> Iterator[str]:
    mode = mode_of(definition)
    if "pf" in definition.get("forward", {}) and owns_bridge(definition):
        yield f"forward.pf: has no meaning with forward.mode '{mode}', where guests get no device of the host; leave it out."


def _odd_devices(definition: Definition) -> Iterator[str]:
    """Check what libvirt keeps although no guest gets anything of it."""
    mode, forward = mode_of(definition), definition.get("forward", {})
    if mode == "none":
        return
    yield from _meaningless(definition, ("driver",))
    yield from _meaningless_pf(definition)
    if any(forward.get(option) for option in ("dev", *_KINDS)):
        return
    if mode == "hostdev":
        yield "forward.addresses: missing; forward.mode 'hostdev' needs them, or forward.pf, so that guests get a device."
    elif mode in _MACVTAP:
        yield f"forward.dev: missing; forward.mode '{mode}' needs an interface of the host, or forward.pf."
    elif mode == "bridge" and "name" not in definition.get("bridge", {}):
        yield "bridge.name: missing; forward.mode 'bridge' needs the name of a bridge that the host has."


def _host_bridge(definition: Definition) -> Iterator[str]:
    """Check what a network may hold whose bridge or interface belongs to the host."""
    if owns_bridge(definition):
        return
    mode, forward, bridge = mode_of(definition), definition.get("forward", {}), definition.get("bridge", {})
    dns = () if _serves_nothing(definition) else ("dns",)
    yield from _set_for_the_host(definition, ("ips", "routes", *dns, "domain", "mtu", "mac"))
    for option in ("stp", "delay", "zone", *(() if mode == "bridge" else ("name", "mac_table_manager"))):
        if option in bridge:
            why = "the bridge is the host's own" if mode == "bridge" else "there is no bridge"
            yield f"bridge.{option}: cannot be set with forward.mode '{mode}', {why}; leave it out."
    uplink = forward.get("pf", {}).get("dev") or forward.get("dev") or forward.get("interfaces")
    if mode == "bridge" and "name" in bridge and uplink:
        option = "pf" if "pf" in forward else "dev"
        yield f"forward.{option}: given beside bridge.name '{bridge['name']}'; with forward.mode 'bridge' give one of the two."


def _serves_nothing(definition: Definition) -> bool:
    """Say whether libvirt keeps what a network of the host's says of DNS. Source: networkValidate in libvirt."""
    return not any(definition.get("dns", {}).get(records) for records in ("hosts", "txt", "srv"))


def _set_for_the_host(definition: Definition, options: tuple[str, ...]) -> Iterator[str]:
    mode = mode_of(definition)
    for option in options:
        if option in definition:
            yield (
                f"{option}: cannot be set with forward.mode '{mode}', where the network is the host's own; leave it out, or say "
                f"definition: replace{', purge_hosts: true' if option == 'dns' else ''} if the network has it from before."
            )


def _no_dnsmasq(definition: Definition) -> Iterator[str]:
    """Check what a network whose bridge or interface belongs to the host says of a DNS server that it does not have."""
    if not owns_bridge(definition):
        dns = ("dns",) if _serves_nothing(definition) else ()
        yield from _set_for_the_host(definition, (*dns, "dnsmasq_options"))


def _mtu(definition: Definition) -> Iterator[str]:
    mtu = definition.get("mtu")
    if mtu is None:
        return
    least = 1280 if any(":" in entry["address"] for entry in definition.get("ips", [])) else 68
    if not least <= mtu <= 65535:
        reason = " with an IPv6 address" if least == 1280 else ""
        yield f"mtu: '{mtu}' is not possible{reason}; choose a value from {least} to 65535 bytes."


RULES: tuple[t.Callable[[dict[str, t.Any]], t.Iterator[str]], ...] = (_forward, _devices, _host_bridge, _mtu)
ODDITIES: tuple[t.Callable[[dict[str, t.Any]], t.Iterator[str]], ...] = (_odd_devices, _no_dnsmasq)
