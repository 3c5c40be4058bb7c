# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.


"""What would not work on this host, said before anything is changed, each in a sentence."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, RefusedError, RequirementError
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.interface import IPV6_MTU, KINDS, PASSTHRU, subnet_of

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.host import Host
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.interface import Interface
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.request import Request

__all__ = ["check_name_is_free", "check_parent", "check_wanted", "warnings_of"]

_SHARING = ("ipvlan", "ipvtap")  # these and macvlan exclude each other on a link


def check_name_is_free(host: Host, name: str) -> None:
    """Raise RefusedError where something else has the name."""
    device = host.links.devices.get(name)
    if device is not None and device.kind not in KINDS:
        what = f"an interface of the kind {device.kind}" if device.kind else "a NIC"
        raise RefusedError(f"name: {name} is {what} on this host, which is left alone. Choose another name.")


def check_parent(request: Request, host: Host) -> None:
    """Raise InputError or RefusedError where the parent cannot carry the interface."""
    name, links = request.parent, host.links
    if name not in links.devices:
        known = ", ".join(sorted(d.name for d in links.devices.values() if d.is_ethernet and d.kind not in ("tun", *KINDS)))
        raise InputError(f"parent: there is no interface {name} on this host. There are {known or 'none that could be one'}.")
    device = links.devices[name]
    if device.wireless:
        raise RefusedError(
            f"parent: {name} is a Wi-Fi interface, and an access point takes no frames of guests from it. Use a wired one, or "
            "give the guests a NAT network."
        )
    master = links.devices.get(device.master)
    if device.master and (master is None or master.kind != "vrf"):
        advice = (
            f"Name {device.master} as the parent, or another NIC."
            if master is not None and master.is_ethernet
            else "Name another."
        )
        what = "cannot be a bridge's port and carry macvtap" if master is not None and master.is_bridge else "is no parent then"
        raise RefusedError(f"parent: {name} is a port of {device.master}, and an interface {what}. {advice}")
    if not device.is_ethernet:
        raise RefusedError(f"parent: {name} is no Ethernet interface, and the kernel puts no {request.kind} on it.")
    sharing = [other for other in links.devices.values() if other.below == name and other.kind in _SHARING]
    if sharing:
        raise RefusedError(
            f"parent: {name} carries the {sharing[0].kind} {sharing[0].name}, and the kernel puts no {request.kind} beside that. "
            "Remove it, or use another NIC."
        )


def check_wanted(wanted: Interface, host: Host) -> None:
    """Raise InputError, RefusedError or RequirementError where the kernel would not take the interface."""
    _check_lacking(wanted, host)
    _check_siblings(wanted, host)
    _check_mac(wanted, host)
    parent = host.links.devices[wanted.parent]
    if wanted.mtu > parent.mtu:
        raise InputError(
            f"mtu: '{wanted.mtu}' is more than the {parent.mtu} of {parent.name}, below which it has to stay. Raise that first."
        )
    _check_addresses(wanted, host)


def _check_lacking(wanted: Interface, host: Host) -> None:
    for word in host.lacking:
        if word in KINDS:
            raise RequirementError(
                f"The kernel of this host has no {word} (kernels for clouds leave it out). Install one that has, on Debian the "
                "package linux-image-amd64, and boot it."
            )
        raise RequirementError(
            f"The program ip of this host does not know {word}. Leave the option out, or install iproute2 5.11 or later."
        )
    if any(":" in address for address in wanted.addresses):
        if not host.has_ipv6:
            raise RefusedError("addresses: IPv6 is off in the kernel of this host. Leave IPv6 addresses out.")
        if wanted.mtu < IPV6_MTU:
            raise InputError(
                f"mtu: '{wanted.mtu}' is too little for IPv6, which needs {IPV6_MTU}. Raise it, or leave IPv6 addresses out."
            )


def _check_siblings(wanted: Interface, host: Host) -> None:
    siblings = host.siblings(wanted.parent, wanted.name)
    if wanted.mode == PASSTHRU and siblings:
        names = ", ".join(device.name for device in siblings)
        raise RefusedError(
            f"mode: with passthru an interface has {wanted.parent} for itself, and there is {names} on it. Choose another "
            "mode, or another parent."
        )
    for device in siblings:
        if device.details.get("mode") == PASSTHRU:
            raise RefusedError(
                f"parent: {device.name} has {wanted.parent} for itself (mode passthru). Choose another parent, or remove "
                "it first."
            )


def _check_mac(wanted: Interface, host: Host) -> None:
    if not wanted.mac or wanted.mode == PASSTHRU:
        return
    found = host.found
    # with the end of passthru the parent gets its own address back
    lent = found is not None and (found.parent, found.mode) == (wanted.parent, PASSTHRU)
    others = host.siblings(wanted.parent, wanted.name) + ([] if lent else [host.links.devices[wanted.parent]])
    for device in others:
        if device.mac == wanted.mac:
            raise InputError(
                f"mac: '{wanted.mac}' is the address of {device.name}, and two interfaces on one link cannot share it. Choose "
                "another one, or leave mac out."
            )


def _check_addresses(wanted: Interface, host: Host) -> None:
    for text in wanted.addresses:
        address = ipaddress.ip_interface(text).ip
        for device in host.links.devices.values():
            if device.name != wanted.name and any(other.interface.ip == address for other in device.addresses):
                raise RefusedError(f"addresses: {device.name} has {address} already. Give the interface an address of its own.")
    own = {str(a.interface.ip): d.name for d in host.links.devices.values() for a in d.addresses}
    for route in wanted.routes:
        destination = ipaddress.ip_network(route.destination)
        if destination.prefixlen == destination.max_prefixlen and str(destination.network_address) in own:
            raise RefusedError(
                f"routes: {destination.network_address} is the host's own address on {own[str(destination.network_address)]}. "
                "Name the addresses of guests."
            )
        for other in host.links.routes:
            same = subnet_of(other) == route.destination and other.metric == route.metric and other.table == "main"
            if same and other.device != wanted.name:
                raise RefusedError(
                    f"routes: {route.destination} is reached over {other.device} already. Take that route away, or give this one "
                    "another metric (the lowest is used)."
                )


def warnings_of(wanted: Interface, host: Host) -> list[str]:
    """Return what works otherwise than one may think, as sentences."""
    found = []
    parent = host.links.devices[wanted.parent]
    if wanted.up and not parent.up:
        found.append(f"{parent.name} is down, and nothing passes {wanted.name} until it is up.")
    elif wanted.up and not host.parent.configured:
        found.append(f"Nobody configures {parent.name} at boot. If nobody brings it up then, nothing passes {wanted.name}.")
    if wanted.mac and wanted.mode == PASSTHRU and parent.mac != wanted.mac:
        found.append(f"With passthru the MAC address is that of {parent.name} as well, which changes from {parent.mac} to it.")
    return found + _addresses_that_do_not_answer(wanted, host)


def _addresses_that_do_not_answer(wanted: Interface, host: Host) -> list[str]:
    addresses = [interface for interface in map(ipaddress.ip_interface, wanted.addresses) if interface.version == 4]
    found = []
    for interface in addresses:
        nets = [a.interface.network for d in host.links.devices.values() if d.name != wanted.name for a in d.addresses]
        if any(interface.network.overlaps(net) for net in nets if net.version == 4) and interface.network.prefixlen < 32:
            found.append(
                f"The host reaches {interface.network} over another interface as well, and uses one of the two only, mostly the "
                f"other. Give {wanted.name} the address {interface.ip}/32, and routes to the guests."
            )
    strictness = max(host.arp_ignore.get(name, 0) for name in ("all", "default" if host.found is None else wanted.name))
    if addresses and strictness == 1:
        found.append(
            f"arp_ignore is 1 on this host: guests reach it at {addresses[0].ip} over {wanted.name}, and at no other address of "
            "the host."
        )
    if addresses and strictness > 1 and any(interface.network.prefixlen == 32 for interface in addresses):
        found.append(
            f"arp_ignore is {strictness} on this host: it answers only those in the subnet of the address that they ask for, so "
            f"that no guest reaches it over {wanted.name}. Set net.ipv4.conf.all.arp_ignore and net.ipv4.conf.{wanted.name}."
            "arp_ignore to 0 or 1."
        )
    return found
