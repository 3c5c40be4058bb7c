# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""A host with guests that can be broken in many ways, as it would be read: what does not work in it is what would be seen.

Two guests are on the network default, `web` with another NIC on the host's own bridge plain. What is broken at a guest is broken
at `web`.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass
from ipaddress import ip_interface, ip_network
from pathlib import Path

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.facts import Facts, GuestFacts, Probe
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.firewall import Chain, Ruleset
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.iptables import parse_iptables
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.nftables import parse_nftables
from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import GuestNic, NetworkRecord
from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import GuestRecord, SeenAddress
from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Host, Link, Route
from ansible_collections.kvmops.network.plugins.module_utils._network.state import read_state
from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import read_guest

FIXTURES = Path(__file__).parent / "fixtures"
DEFAULT = """
<network><name>default</name>{forward}<bridge name='virbr0' stp='on' delay='0'/>
<ip address='192.168.122.1' netmask='255.255.255.0'>
  {dhcp}</ip></network>
"""
DHCP = "<dhcp><range start='192.168.122.2' end='192.168.122.254'/></dhcp>"
WEB, DB, PLAIN = "52:54:00:00:00:01", "52:54:00:00:00:02", "52:54:00:00:00:03"
WEB_IP, DB_IP, PLAIN_IP = "192.168.122.11", "192.168.122.12", "10.99.0.2"
DEVICES = {WEB: "vnet0", DB: "vnet1", PLAIN: "vnet2"}

# Docker's policy, in a table in which libvirt has no rules where it uses nftables.
DOCKER = """
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
COMMIT
"""


def captured_iptables(name: str = "iptables-backend.iptables-1.8.11.txt") -> list[Chain]:
    return parse_iptables((FIXTURES / name).read_text(), "ip")


def captured_nftables(name: str = "nftables-backend.nftables-1.1.3.json") -> list[Chain]:
    return parse_nftables(json.loads((FIXTURES / name).read_text()))


def strict(hook: str, *rules: t.Any, name: str = "") -> Chain:
    """Return a chain of a table of its own that lets nothing through but what its rules do."""
    return Chain("inet", "strict", name or hook, hook=hook, policy="drop", rules=rules)


@dataclass(frozen=True)
class World:
    """A host, with what is broken. `backend` is the firewall that libvirt uses."""

    broken: frozenset[str] = frozenset()
    backend: str = "iptables"

    def has(self, *faults: str) -> bool:
        """Say whether any of these things is broken."""
        return not self.broken.isdisjoint(faults)

    # --- what is seen of networks -------------------------------------------------------------------------------------------

    def _network(self) -> NetworkRecord:
        xml = DEFAULT.format(
            forward="<forward mode='nat'/>",
            dhcp="" if self.has("no_dhcp") else DHCP,
        )
        return NetworkRecord(
            "default",
            stored_xml=None if self.has("network_transient") else xml,
            live_xml=None if self.has("network_inactive") else xml,
            autostart=not self.has("autostart_off", "network_transient"),
        )

    def _nic_xml(self, mac: str, *, running: bool) -> str:
        bridge = "virbr0" if mac != PLAIN else "plain"
        source = f"<source network='default'{' bridge=' + repr(bridge) if running else ''}/>"
        if mac == PLAIN:
            source = "<source bridge='plain'/>"
        down = mac == WEB and (self.has("link_down") if running else self.has("link_wished_down"))
        down = down or (mac == WEB and self.has("link_wished_down"))
        return (
            f"<interface type='{'bridge' if mac == PLAIN else 'network'}'><mac address='{mac}'/>{source}"
            + (f"<target dev='{DEVICES[mac]}'/>" if running else "")
            + ("<link state='down'/>" if down else "")
            + ("<filterref filter='clean-traffic'/>" if mac == WEB and self.has("filtered") else "")
            + "<model type='virtio'/></interface>"
        )

    def _guest(self, name: str, *macs: str) -> GuestRecord:
        def xml(*, running: bool) -> str:
            nics = "".join(self._nic_xml(mac, running=running) for mac in macs)
            return f"<domain type='kvm'><name>{name}</name><uuid/><devices>{nics}</devices></domain>"

        live = None if name == "web" and self.has("guest_off") else xml(running=True)
        return GuestRecord(name, stored_xml=xml(running=False), live_xml=live)

    def _nic(self, guest: str, mac: str) -> GuestNic:
        network, bridge = (None, "plain") if mac == PLAIN else ("default", "virbr0")
        return GuestNic(guest=guest, mac=mac, network=network, bridge=bridge, device=DEVICES[mac])

    # --- what is seen of the kernel -----------------------------------------------------------------------------------------

    def _links(self) -> dict[str, Link]:
        def link(name: str, kind: str, address: str = "", *, master: str | None = None, up: bool = True) -> Link:
            addresses = (ip_interface(address),) if address else ()
            stp = True if kind == "bridge" else None
            return Link(name, None, kind, master, False, addresses, stp=stp, up=up)

        gone = self.has("network_inactive", "bridge_missing")
        plug = None if gone or self.has("guests_unplugged") else "virbr0"
        links = [link("eth0", "veth", "10.77.0.5/24"), link("plain", "bridge", "10.99.0.1/24")]
        if not gone:
            address = "" if self.has("address_missing") else "192.168.122.1/24"
            links.append(link("virbr0", "bridge", address, up=not self.has("bridge_down")))
        links += [link("vnet0", "tun", master=plug), link("vnet1", "tun", master=None if gone else "virbr0")]
        links.append(link("vnet2", "tun", master=None if self.has("off_the_plain_bridge") else "plain"))
        if self.has("guest_off"):
            links = [each for each in links if each.name not in ("vnet0", "vnet2")]
        return {each.name: each for each in links}

    def _host(self) -> Host:
        taken = [Route(ip_network("192.168.122.0/25"), "eth0", False, "main")] if self.has("subnet_taken") else []
        near = Route(ip_network("10.77.0.0/24"), "eth0", True, "main")
        return Host(self._links(), routes=(near, *taken))

    def _ruleset(self) -> Ruleset:
        chains = captured_iptables() if self.backend == "iptables" else captured_nftables()
        if self.has("firewall_rules_missing", "network_inactive"):
            chains = [Chain(**{**vars(chain), "rules": ()}) for chain in chains] if self.backend == "iptables" else []
        if self.has("firewall_drops"):
            chains.append(strict("forward"))
        if self.has("dhcp_dropped"):
            chains.append(strict("input", *_accept_all_but_dhcp()))
        if self.has("bridged_frames_filtered"):
            chains.append(strict("forward", *_accept_all_but_plain(), name="plain"))
        return Ruleset(chains)

    # --- what is seen of guests ---------------------------------------------------------------------------------------------

    def _reached(self, mac: str) -> bool:
        if mac == PLAIN:
            return not self.has("off_the_plain_bridge", "guest_paused")
        if self.has("network_inactive", "bridge_missing", "bridge_down", "address_missing", "subnet_taken"):
            return False
        own = (
            "guests_unplugged",
            "link_down",
            "link_wished_down",
            "guest_paused",
            "guest_unreachable",
            "guest_silent",
            "no_lease",
        )
        return mac != WEB or not self.has(*own, "no_dhcp")

    def _seen(self, mac: str, address: str) -> list[SeenAddress]:
        if mac == PLAIN:
            return [SeenAddress(mac, address, 0, "arp")]
        if self.has("network_inactive") or (mac == WEB and self.has("no_lease", "no_dhcp", "filtered")):
            return []
        return [SeenAddress(mac, address, 24, "lease")]

    def _probe(self, mac: str) -> Probe:
        if self._reached(mac):
            return Probe(ping=True, neighbour=True, ports={22: "closed" if self.has("port_closed") and mac == WEB else "open"})
        return Probe(ping=False, neighbour=self.has("guest_silent"), ports={22: "silent"})

    def facts(self) -> Facts:
        """Return what is read of the host."""
        records = [self._guest("web", WEB, PLAIN), self._guest("db", DB)]
        places = {WEB: ("web", WEB_IP), PLAIN: ("web", PLAIN_IP), DB: ("db", DB_IP)}
        there = {mac: place for mac, place in places.items() if not (place[0] == "web" and self.has("guest_off"))}
        seen = {mac: self._seen(mac, address) for mac, (_guest, address) in there.items()}
        host = self._host()
        no_way = self.has("network_inactive", "bridge_missing", "address_missing")
        near = {mac for mac in seen if seen[mac] and (mac == PLAIN or not no_way)}
        return Facts(
            networks={"default": read_state("default", self._network())},
            guests=tuple(
                GuestFacts(
                    read_guest(record),
                    paused=record.name == "web" and self.has("guest_paused"),
                    seen=tuple(each for mac, found in seen.items() if places[mac][0] == record.name for each in found),
                    sent={mac: 0 if self.has("mute") else 7 for mac in there if places[mac][0] == record.name},
                )
                for record in records
            ),
            nics=tuple(self._nic(guest, mac) for mac, (guest, _address) in there.items()),
            host=host,
            servers=frozenset() if self.has("dnsmasq_down", "network_inactive") else frozenset({"default"}),
            leases={"default": 253 if self.has("pool_full") else 2},
            forwarding={4: not self.has("forwarding_off"), 6: False},
            filters_bridges={4: True, 6: True},
            firewall=self._ruleset(),
            backend="nftables" if self.backend == "nftables" else "",
            default_devices=("eth0",),
            probes={places[mac][1]: self._probe(mac) for mac in near},
            outside_answers=False if self.has("outside_unreachable") else None,
        )


def _accept_all_but_dhcp() -> list[t.Any]:
    text = "*strict\n:input - [0:0]\n-A input -p udp -m udp ! --dport 67 -j ACCEPT\n-A input ! -p udp -j ACCEPT\nCOMMIT\n"
    return list(parse_iptables(text, "ip")[0].rules)


def _accept_all_but_plain() -> list[t.Any]:
    text = "*strict\n:forward - [0:0]\n-A forward ! -i plain -j ACCEPT\nCOMMIT\n"
    return list(parse_iptables(text, "ip")[0].rules)
