# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Where a forward leads: the network of a guest, and the address that the guest keeps there. Nothing here touches a host."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._forward.forward import BRIDGE_NAME
from ansible_collections.kvmops.network.plugins.module_utils._guest.addresses import choose_address
from ansible_collections.kvmops.network.plugins.module_utils._guest.addressing import owners_of
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import bridge_of, mode_of, owns_bridge, subnet_of
from ansible_collections.kvmops.network.plugins.module_utils._network.dhcp_hosts import home_of, places_in
from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import place_of, source_text, type_of
from ansible_collections.kvmops.network.plugins.module_utils._nic.network_changes import Holding, reserved_for
from ansible_collections.kvmops.network.plugins.module_utils._nic.reservation import Reservation

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._forward.host import ForwardHost
    from ansible_collections.kvmops.network.plugins.module_utils._forward.request import ForwardRequest
    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState
    from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import GuestState, NicState

    Definition = dict[str, t.Any]

__all__ = ["Target", "find_target"]


@dataclass(frozen=True)
class Target:
    """An address in a network of this host's libvirt. `mode` is the network's.

    `holding` is the NIC for which the address has yet to be reserved, None where it is, or DHCP gives no addresses there. `now`
    are other addresses that the guest has got there, and `leased_to` is the MAC address of another one that has this address.
    """

    network: str
    mode: str
    bridge: str
    subnet: str
    address: str
    holding: Holding | None = None
    now: tuple[str, ...] = ()
    leased_to: str = ""


def find_target(request: ForwardRequest, host: ForwardHost) -> Target:
    """Return where a forward leads. Raises InputError or RefusedError where that cannot be said, or could change by itself."""
    if host.guest is not None:
        return _of_guest(request, host, host.guest)
    state = host.networks.get(request.network)
    if state is None or state.definition is None:
        names = ", ".join(sorted(host.networks)) or "none"
        raise InputError(f"network: '{request.network}' does not exist. The networks of this host are: {names}.")
    definition = _behind_host(state)
    entry = _home(definition, request.address, request.network)
    _check_kept(entry, definition, request.address, request.network)
    return _target(request.network, definition, entry, request.address)


def _target(network: str, definition: Definition, entry: Definition, address: str) -> Target:
    return Target(network, mode_of(definition), bridge_of(definition) or "", str(subnet_of(entry)), address)


def _behind_host(state: NetworkState) -> Definition:
    """Return the definition of a network whose guests are behind this host."""
    definition = state.stored if state.stored is not None else state.live or {}
    if not owns_bridge(definition):
        raise InputError(
            f"network: '{state.name}' is of mode '{mode_of(definition)}', whose guests have addresses of the LAN and are reached "
            "there without a forward; name a network of mode nat, route or open, or an isolated one."
        )
    bridge = bridge_of(definition)
    if bridge is None:
        raise InputError(f"network: '{state.name}' has no bridge yet; start it once, so that libvirt gives it one.")
    if not BRIDGE_NAME.fullmatch(bridge):
        raise InputError(
            f"network: the bridge of '{state.name}' is called {bridge!r}, which no rule of the firewall can have in it; give it "
            "a name of letters, digits, '-', '_' and '.' with libvirt_network."
        )
    return definition


def _home(definition: Definition, address: str, network: str) -> Definition:
    entry = home_of(definition, address)
    subnets = ", ".join(str(subnet_of(each)) for each in definition.get("ips", [])) or "none"
    if entry is None:
        raise InputError(f"address: {address} is in no subnet of the network '{network}', whose subnets are: {subnets}.")
    subnet = subnet_of(entry)
    ends = (subnet.network_address, subnet.broadcast_address) if subnet.version == 4 else (subnet.network_address,)
    if ipaddress.ip_address(address) in ends:
        raise InputError(f"address: {address} is the first or the last address of {subnet}, which no guest can have.")
    if address == entry["address"]:
        raise InputError(f"address: {address} is the host's own address in the network '{network}'; give that of a guest.")
    return entry


def _check_kept(entry: Definition, definition: Definition, address: str, network: str) -> None:
    """Refuse an address that DHCP may give to somebody else."""
    reserved = {host.get("ip") for _address, host in places_in(definition)}
    if address not in reserved and _handed_out(entry, address):
        raise RefusedError(
            f"address: DHCP may give {address} to any guest of the network '{network}', and then the forward would lead there. "
            "Name the guest with domain, so that the address is reserved for it, or reserve it with libvirt_network."
        )


def _handed_out(entry: Definition, address: str) -> bool:
    wanted = ipaddress.ip_address(address)
    ranges = entry.get("dhcp", {}).get("ranges", [])
    ends = [(ipaddress.ip_address(each["start"]), ipaddress.ip_address(each["end"])) for each in ranges]
    return any(first.version == wanted.version and int(first) <= int(wanted) <= int(last) for first, last in ends)


# --- a guest --------------------------------------------------------------------------------------------------------------------


def _of_guest(request: ForwardRequest, host: ForwardHost, guest: GuestState) -> Target:
    nic, state = _find_nic(request, host, guest)
    definition = _behind_host(state)
    version = request.version
    entry = _home(definition, request.address, state.name) if request.address else _first_entry(definition, version, state.name)
    kept = [each for each in reserved_for(definition, guest.name, nic.shown.mac) if "ip" in each]
    own = [each["ip"] for each in kept if ipaddress.ip_address(each["ip"]).version == version]
    if "dhcp" not in entry:
        if not request.address:
            raise InputError(
                f"address: the network '{state.name}' gives no addresses by DHCP; say which one the guest '{guest.name}' has."
            )
        return _target(state.name, definition, entry, request.address)
    leases = _leases(host, nic, entry)
    address = request.address or next(iter(own), "") or _choose(request, state, guest, nic, entry, leases)
    found = replace(
        _target(state.name, definition, entry, address),
        now=tuple(each for each in leases if each != address),
        leased_to=_holder(host, nic, address),
    )
    if address in own:
        return found
    others: dict[int, str] = {ipaddress.ip_address(each["ip"]).version: each["ip"] for each in kept}
    others[version] = address
    reservation = Reservation(
        ipv4=others.get(4), ipv6=others.get(6), hostname=next((each["name"] for each in kept if "name" in each), None)
    )
    holding = Holding(guest.name, nic.shown.mac, state.name, reservation)
    return replace(found, holding=holding)


def _find_nic(request: ForwardRequest, host: ForwardHost, guest: GuestState) -> tuple[NicState, NetworkState]:
    """Return the guest's NIC that is on a network of libvirt's, and the network."""
    found = [
        (nic, host.networks[place])
        for nic in guest.nics
        for place in [place_of(nic.shown.definition) or ""]
        if type_of(nic.shown.definition) == "network" and place in host.networks and request.network in ("", place)
    ]
    if not request.network:
        found = [each for each in found if owns_bridge(each[1].definition or {})] or found
    has = ", ".join(f"{nic.shown.mac} on {source_text(nic.shown.definition)}" for nic in guest.nics) or "none"
    if not found:
        which = f"the network '{request.network}'" if request.network else "a network of libvirt's"
        raise InputError(
            f"domain: the guest '{guest.name}' has no NIC on {which}, which is how a forward would reach it. Its NICs are: {has}."
        )
    if len(found) > 1:
        raise InputError(
            f"domain: the guest '{guest.name}' has several NICs that a forward could lead to ({has}); say which is meant with "
            "network, or give network and address instead of domain."
        )
    return found[0]


def _first_entry(definition: Definition, version: int, network: str) -> Definition:
    for entry in definition.get("ips", []):
        if subnet_of(entry).version == version:
            found: Definition = entry
            return found
    raise InputError(f"network: '{network}' has no IPv{version} subnet, so that its guests have no such address.")


def _leases(host: ForwardHost, nic: NicState, entry: Definition) -> list[str]:
    """Return the addresses that the guest has got by DHCP in a subnet."""
    subnet = subnet_of(entry)
    found = [address for mac in sorted(nic.macs) for address in (host.leases or {}).get(mac, ())]
    return [address for address in found if ipaddress.ip_address(address) in subnet]


def _holder(host: ForwardHost, nic: NicState, address: str) -> str:
    """Return the MAC address of another one that has an address, and keeps it until its lease ends, whatever is reserved."""
    leases = sorted((host.leases or {}).items())
    return next((mac for mac, held in leases if address in held and mac not in nic.macs), "")


def _choose(
    request: ForwardRequest, state: NetworkState, guest: GuestState, nic: NicState, entry: Definition, leases: list[str]
) -> str:
    """Return the address to reserve: the one that the guest has, or a free one."""
    owners = owners_of(state, name=guest.name, macs=nic.macs)
    held = [address for address in leases if owners.get(address, guest.name) == guest.name]
    if held:
        return held[0]
    if request.version == 6:
        raise InputError(
            f"address: nothing is reserved for the guest '{guest.name}' among the IPv6 addresses of the network '{state.name}'; "
            "give the one that it shall have."
        )
    ranges = entry.get("dhcp", {}).get("ranges", [])
    return choose_address(guest.name, str(subnet_of(entry)), owners, gateway=entry["address"], ranges=ranges)
