# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What was read of a host, and what a task asks of it. Nothing here touches a host."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass, field

from ansible_collections.kvmops.network.plugins.module_utils._network.definition import bridge_of

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.kvmops.network.plugins.module_utils._connectivity.firewall import Ruleset
    from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import GuestNic
    from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import SeenAddress
    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Host, Link
    from ansible_collections.kvmops.network.plugins.module_utils._forward.forward import Forward
    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState
    from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import Nic
    from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import GuestState

__all__ = ["Facts", "GuestFacts", "PortAnswer", "Probe", "Request", "source_for"]

PortAnswer = t.Literal["open", "closed", "silent"]


@dataclass(frozen=True)
class Request:
    """What a task asks. `guests` and `networks` are None for all, `ports` None where nobody has said that any must be open."""

    guests: tuple[str, ...] | None = None
    networks: tuple[str, ...] | None = None
    ports: tuple[int, ...] | None = None
    outside: str | None = None
    timeout: int = 3

    def wants_guest(self, name: str) -> bool:
        """Say whether a guest is looked at."""
        return self.guests is None or name in self.guests

    def wants_network(self, name: str) -> bool:
        """Say whether a network is looked at."""
        return self.networks is None or name in self.networks

    def expects(self, guest: str) -> bool:
        """Say whether a guest was named, so that nothing that is strange about it is taken for wanted."""
        return self.guests is not None and guest in self.guests

    @property
    def tried_ports(self) -> tuple[int, ...]:
        """The ports that are tried: where nobody has said, that of SSH."""
        return (22,) if self.ports is None else self.ports


@dataclass(frozen=True)
class Probe:
    """What came of asking an address: whether it answers pings and whether it answers ARP, None where nobody asked."""

    ping: bool | None = None
    neighbour: bool | None = None
    ports: Mapping[int, PortAnswer] = field(default_factory=dict)

    @property
    def answers(self) -> bool:
        """Whether somebody is there whom IP reaches; one who refuses a connection is.

        Where nobody could ping, one who tells his MAC address is taken for reached.
        """
        if self.ping is None and self.neighbour:
            return True
        return bool(self.ping) or any(answer != "silent" for answer in self.ports.values())


@dataclass(frozen=True)
class GuestFacts:
    """A guest, and what was seen of it. `sent` is how many packets came out of each of its NICs, by MAC address."""

    state: GuestState
    paused: bool = False
    seen: tuple[SeenAddress, ...] = ()
    sent: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The guest's name."""
        return self.state.name

    def addresses_of(self, mac: str) -> list[str]:
        """Return the addresses that were seen at a NIC."""
        return list(dict.fromkeys(each.address for each in self.seen if each.mac == mac))


@dataclass(frozen=True)
class Facts:
    """A host. What cannot be seen from where the task runs is None.

    `nics` are those of running guests. `servers` are the networks whose dnsmasq runs, `leases` how many addresses each network
    has given away. `forwarding` and `filters_bridges` are the kernel's settings by the version of IP. `backend` is the firewall
    that libvirt is told to use, "" where nobody told it, and `network_daemon` its daemon that sees to networks.
    `default_devices` are those through which packets leave for elsewhere. `forwards` are the ports of the host that lead into
    guests; `forward_faults` and `forward_idle` are what is missing of their rules and units.
    """

    networks: Mapping[str, NetworkState]
    guests: tuple[GuestFacts, ...] = ()
    nics: tuple[GuestNic, ...] = ()
    host: Host | None = None
    servers: frozenset[str] | None = None
    leases: Mapping[str, int] = field(default_factory=dict)
    forwarding: Mapping[int, bool] = field(default_factory=dict)
    filters_bridges: Mapping[int, bool] = field(default_factory=dict)
    firewall: Ruleset | None = None
    backend: str = ""
    network_daemon: str = "libvirtd"
    default_devices: tuple[str, ...] = ()
    probes: Mapping[str, Probe] = field(default_factory=dict)
    outside_answers: bool | None = None
    forwards: tuple[Forward, ...] = ()
    forward_faults: tuple[str, ...] = ()
    forward_idle: tuple[str, ...] = ()

    @property
    def running(self) -> list[GuestFacts]:
        """The guests that run."""
        return [guest for guest in self.guests if guest.state.running]

    def guest(self, name: str) -> GuestFacts | None:
        """Return a guest by its name."""
        return next((guest for guest in self.guests if guest.name == name), None)

    def network_of(self, nic: Nic) -> NetworkState | None:
        """Return the network that a running NIC is plugged into, by its name or by the bridge that libvirt made."""
        name = nic.definition.get("source", {}).get("network")
        if name is not None:
            return self.networks.get(name)
        return next((state for state in self.networks.values() if nic.bridge is not None and nic.bridge in state.bridges), None)

    def bridge_of(self, nic: Nic) -> str | None:
        """Return the bridge that a running NIC belongs on."""
        network = self.network_of(nic)
        return bridge_of(network.live) if network is not None and network.live is not None else nic.bridge


def source_for(link: Link, address: str) -> str | None:
    """Return the host's own address in the subnet of an address, on a bridge, None where it has none.

    What it sends there from that address goes to the bridge's ports alone.
    """
    ip = ipaddress.ip_address(address)
    return next((str(own.ip) for own in link.addresses if own.version == ip.version and ip in own.network), None)
