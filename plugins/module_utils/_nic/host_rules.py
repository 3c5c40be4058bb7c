# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What a NIC meets on its host: networks, bridges, interfaces, filters, and other NICs. Nothing here touches a host."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._format.since import version_number
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import (
    bridge_of,
    mode_of,
    own_bridge_of,
    owns_bridge,
)
from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import place_of, type_of, without_no

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Host
    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState
    from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import GuestState

    Definition = dict[str, t.Any]

__all__ = [
    "boot_conflicts",
    "filter_conflicts",
    "mac_conflicts",
    "missing_for",
    "network_conflicts",
    "place_conflicts",
    "place_warnings",
    "vlan_conflicts",
]

_LINUX_VLANS = (11, 0, 0)


def network_conflicts(definition: Definition, networks: Mapping[str, NetworkState], *, running: bool) -> Iterator[str]:
    """Check the network of a NIC. `running` says that it shall be plugged in now."""
    if type_of(definition) != "network":
        return
    definition = without_no(definition)
    name = place_of(definition) or ""
    state = networks.get(name)
    if state is None:
        names = ", ".join(sorted(networks)) or "none"
        yield (
            f"source.network: the network '{name}' does not exist on this host; correct the name, or make it first. There "
            f"are: {names}."
        )
        return
    if running and not state.active:
        yield f"source.network: the network '{name}' does not run, and the guest does; start the network first."
    network = state.live if running and state.live is not None else state.definition or {}
    groups = [group["name"] for group in network.get("portgroups", [])]
    group = definition["source"].get("portgroup")
    if group is not None and group not in groups:
        there = ", ".join(groups) or "none"
        yield f"source.portgroup: the network '{name}' has no port group '{group}'; correct the name. It has: {there}."
    mode, bridge = mode_of(network), bridge_of(network)
    on_bridge = owns_bridge(network) or (mode == "bridge" and bridge is not None)
    if "vlan" in definition and owns_bridge(network):
        yield f"vlan: the bridge of the network '{name}' (mode '{mode}') has no VLANs; leave it out."
    if "virtualport" in definition and owns_bridge(network):
        yield f"virtualport: the bridge of the network '{name}' (mode '{mode}') has no virtual ports; leave it out."
    if not on_bridge:
        for option in ("port", "filterref", *(("vlan",) if mode not in ("passthrough", "hostdev") else ())):
            if option in definition:
                yield f"{option}: is for NICs on a bridge, and the network '{name}' (mode '{mode}') has none; leave it out."
    if "floor" in definition.get("bandwidth", {}).get("inbound", {}) and "inbound" not in network.get("bandwidth", {}):
        yield (
            f"bandwidth.inbound: floor is a share of the network's own bandwidth.inbound, and '{name}' has none; give the "
            "network one, or leave floor out."
        )


def place_conflicts(definition: Definition, host: Host, networks: Mapping[str, NetworkState], *, running: bool) -> Iterator[str]:
    """Check the bridge or the interface of the host that a NIC is plugged into."""
    kind, name = type_of(definition), place_of(definition)
    if name is None or kind not in ("bridge", "direct"):
        return
    link = host.links.get(name)
    if link is None:
        if running:
            option = "bridge" if kind == "bridge" else "dev"
            names = ", ".join(sorted(each.name for each in host.links.values() if _fits(kind, each.kind, each.name))) or "none"
            yield (
                f"source.{option}: '{name}' does not exist on this host; correct the name, or make it first. There are: {names}."
            )
        return
    openvswitch = definition.get("virtualport", {}).get("type") == "openvswitch"
    if kind == "bridge" and link.kind not in ("bridge", "openvswitch") and not openvswitch:
        yield (
            f"source.bridge: '{name}' is an interface of this host, but no bridge; name a bridge, or use source.dev for a "
            "macvtap."
        )
    if kind == "direct":
        master = host.links.get(link.master or "")
        if master is not None and master.kind == "bridge":
            yield (
                f"source.dev: '{name}' is a port of the bridge '{master.name}' and cannot carry a macvtap as well; use "
                f"source.bridge '{master.name}'."
            )
        if link.wireless:
            yield (
                f"source.dev: '{name}' is a Wi-Fi interface, whose access point takes frames from the host's own MAC address "
                "only; use a network of mode 'nat' instead."
            )
    owner = next((state.name for state in networks.values() if own_bridge_of(state.live or {}) == name), None)
    if kind == "direct" and owner is not None:
        yield f"source.dev: '{name}' is the bridge of the network '{owner}'; use source.network '{owner}'."


def _fits(kind: str, link_kind: str, name: str) -> bool:
    return link_kind == "bridge" if kind == "bridge" else name != "lo" and link_kind not in ("bridge", "tun", "macvtap")


def place_warnings(
    definition: Definition, host: Host | None, networks: Mapping[str, NetworkState], *, running: bool
) -> Iterator[str]:
    """Say what will keep a guest that is off from starting."""
    kind, name = type_of(definition), place_of(definition)
    if running or name is None:
        return
    if kind == "network" and name in networks and not networks[name].active:
        yield f"The network '{name}' does not run: the guest cannot start before it does."
    if kind in ("bridge", "direct") and host is not None and name not in host.links:
        yield f"'{name}' does not exist on this host: the guest cannot start before it does."


def filter_conflicts(definition: Definition, filters: Sequence[str] | None) -> Iterator[str]:
    """Check that the filter is there."""
    name = definition.get("filterref", {}).get("filter")
    if filters is not None and name is not None and name not in filters:
        yield (
            f"filterref.filter: the filter '{name}' does not exist on this host; correct the name. There are: "
            f"{', '.join(filters)}."
        )


def missing_for(
    definition: Definition, networks: Mapping[str, NetworkState], filters: Sequence[str] | None
) -> dict[str, list[str]]:
    """Return what has to be made before the NIC: the network and the filter that it names and that are not there."""
    name, wanted = place_of(definition), definition.get("filterref", {}).get("filter")
    return {
        "missing_networks": [name] if type_of(definition) == "network" and name is not None and name not in networks else [],
        "missing_filters": [wanted] if filters is not None and wanted is not None and wanted not in filters else [],
    }


def vlan_conflicts(
    definition: Definition, host: Host | None, networks: Mapping[str, NetworkState], version: str
) -> Iterator[str]:
    """Check that the bridge of a NIC can have VLANs in this libvirt; Open vSwitch always could."""
    if "vlan" not in definition or "virtualport" in definition or version_number(version) >= _LINUX_VLANS:
        return
    kind, name = type_of(definition), place_of(definition) or ""
    if kind == "network" and name in networks:
        network = networks[name].definition or {}
        on_linux = mode_of(network) == "bridge" and bridge_of(network) is not None and "virtualport" not in network
    else:
        on_linux = kind == "bridge" and (host is None or name not in host.links or host.links[name].kind == "bridge")
    if on_linux:
        yield (
            f"vlan: libvirt has VLANs on the bridges of Linux since 11.0.0, and this one is {version}; leave it out, and plug "
            "the guest into a bridge over a VLAN interface of the host."
        )


def boot_conflicts(guest: GuestState, definitions: Sequence[Definition], definition: Definition) -> Iterator[str]:
    """Check a NIC's place in the order of boot. `definitions` are those of all of the guest's NICs afterwards."""
    order = definition.get("boot", {}).get("order")
    if order is None:
        return
    if guest.boots_by_kind:
        yield (
            f"boot.order: the definition of the guest '{guest.name}' says by kinds of devices what it boots from (<os><boot "
            "dev=…/>), and libvirt takes one of the two only; leave boot out, or remove the other with 'virsh edit'."
        )
    others = sum(each.get("boot", {}).get("order") == order for each in definitions)
    if order in guest.boot_orders or others > 1:
        yield f"boot.order: {order} is the place of another device of the guest '{guest.name}'; choose another number."


def mac_conflicts(
    owner: tuple[str, str],
    mac: str,
    holders: Mapping[str, Sequence[tuple[str, str]]],
    networks: Mapping[str, NetworkState],
    host: Host | None,
) -> Iterator[str]:
    """Check that nobody else on the host has a NIC's MAC address.

    `owner` is the guest and a word for the NIC; `holders` are all who have an address afterwards.
    """
    others = [holder for holder in holders.get(mac, []) if holder != owner]
    for guest, _nic in others[:1]:
        whose = "another NIC of this guest has" if guest == owner[0] else f"a NIC of the guest '{guest}' has"
        yield f"mac: '{mac}' is the address that {whose}; give another one."
    network = next((state.name for state in networks.values() if any(each.get("mac") == mac for each in state.definitions)), None)
    if network is not None:
        yield f"mac: '{mac}' is the address of the network '{network}'; give another one."
        return
    link = next((each for each in host.links.values() if each.mac == mac), None) if host is not None and not others else None
    if link is not None and link.kind not in ("macvtap", "macvlan"):
        yield f"mac: '{mac}' is the address of '{link.name}' on this host; give another one."
