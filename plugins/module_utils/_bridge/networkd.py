# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""systemd-networkd: three files make the bridge. They come before the uplink's own file, which stays as it is.

Reference: systemd.network(5), systemd.netdev(5).
"""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._bridge.addresses import (
    normal_address,
    normal_interface,
    version_of,
)
from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import (
    BeforeOthers,
    Expected,
    comment_for,
    written_mtu,
)
from ansible_collections.kvmops.network.plugins.module_utils._bridge.ini import Section, first, parse, render, without
from ansible_collections.kvmops.network.plugins.module_utils._bridge.networkd_servers import (
    with_identity,
    with_token,
    without_dns_of_others,
)
from ansible_collections.kvmops.network.plugins.module_utils._errors import RefusedError

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import Command, Move
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Record
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.request import Family, Request

__all__ = ["Networkd"]

_FOLDER = "/etc/systemd/network"

# networkd takes the first file that matches a link, in the order of their names; a hyphen comes before all digits.
_PREFIX = "0-kvmops-"

# What of a link's configuration is about addresses and goes to the bridge; all else is about the wire and stays with the port.
_BRIDGE_SECTIONS = (
    "Address",
    "DHCP",
    "DHCPPrefixDelegation",
    "DHCPServer",
    "DHCPServerStaticLease",
    "DHCPv4",
    "DHCPv6",
    "IPv6AcceptRA",
    "IPv6AddressLabel",
    "IPv6PREF64Prefix",
    "IPv6Prefix",
    "IPv6PrefixDelegation",
    "IPv6RoutePrefix",
    "IPv6SendRA",
    "MobileNetwork",
    "Neighbor",
    "Network",
    "NextHop",
    "Route",
    "RoutingPolicyRule",
)
_PORT_KEYS = ("VLAN", "LLDP", "EmitLLDP")
_BRIDGE_LINK_KEYS = ("RequiredForOnline", "RequiredFamilyForOnline")
_LINK_KEYS = ("IncomingInterface", "OutgoingInterface")
_EXCLUSIVE_KEYS = ("MACVLAN", "MACVTAP", "IPVLAN", "IPVTAP", "Bridge", "Bond", "BatmanAdvanced")

_DHCP_OF = {
    "yes": (4, 6),
    "true": (4, 6),
    "both": (4, 6),
    "1": (4, 6),
    "on": (4, 6),
    "ipv4": (4,),
    "v4": (4,),
    "ipv6": (6,),
    "v6": (6,),
}
_DHCP_WORD: dict[tuple[int, ...], str] = {(4, 6): "yes", (4,): "ipv4", (6,): "ipv6", (): "no"}

_RELOAD = """\
# have networkd know its files
systemctl start systemd-networkd.service && networkctl reload || :
"""
_MAKE_BRIDGE = f"""\
{_RELOAD}\
tries=20
while [ $tries -gt 0 ] && [ ! -d "/sys/class/net/$1" ]; do sleep 0.1; tries=$((tries - 1)); done
:
"""

_RELEASE_PORT = """\
# networkd puts a port back that leaves a bridge, as long as it does not know better
[ "$(readlink "/sys/class/net/$1/master")" = "../$2" ] || exit 0
ip link set dev "$1" nomaster && networkctl reconfigure "$1"
"""


class Networkd(BeforeOthers):
    """The back end systemd-networkd."""

    name = "networkd"
    title = "systemd-networkd"
    tools = ("networkctl",)
    takes_leases_over = False

    def files(self, record: Record, request: Request) -> dict[str, str]:
        """Return the text of each file that makes the bridge, by path."""
        origin = parse(record.origin.text)
        _check_order(record)
        _check_origin(record, origin)
        comment = comment_for(record, record.origin.path or record.origin.name)
        device, bridge, port = self.owned_paths(record)
        return {
            device: render(_make_device(record, request), comment=comment),
            bridge: render(_make_bridge(record, request, origin), comment=comment),
            port: render(_make_port(record, request, origin), comment=comment),
        }

    def owned_paths(self, record: Record) -> list[str]:
        """Return the paths of the bridge's device, of its addresses and of its port."""
        stem = f"{_FOLDER}/{_PREFIX}{record.name}"
        return [f"{stem}.netdev", f"{stem}.network", f"{stem}-port.network"]

    def early_paths(self, move: Move, _changed: t.Sequence[str]) -> list[str]:
        """Return the path of the bridge's device, and on the way back all.

        networkd takes no bridge for its own that it did not make itself; and it puts a port back into a bridge, and takes its
        addresses, as long as it does not know that the port shall leave.
        """
        paths = self.owned_paths(move.record)
        return paths[:1] if move.to_bridge else paths

    def expected(self, record: Record, request: Request) -> Expected:
        """Return what the bridge's configuration says of its addresses."""
        sections = _make_bridge(record, request, parse(record.origin.text))
        network = first(sections, "Network")
        addresses = _in_force(network.values("Address")) + first(sections, "Address").values("Address")
        routes = [section for section in sections if section.name == "Route" and _is_main(section)]
        gateways = _in_force(network.values("Gateway")) + [gateway for route in routes for gateway in _default_gateways(route)]
        return Expected(
            addresses=tuple(text for text in map(_normal_interface, addresses) if text),
            dhcp=_dhcp_versions(network),
            gateways=tuple(text for text in map(normal_address, gateways) if text),
        )

    def prepare(self, move: Move) -> list[Command]:
        """Return the command that makes networkd make the bridge, which has no addresses and no port yet, or let go of it."""
        if not move.fresh:
            return []
        return [("sh", "-c", _MAKE_BRIDGE if move.to_bridge else _RELOAD, "prepare", move.record.name)]

    def activate(self, move: Move) -> list[Command]:
        """Return the commands that make networkd follow its files.

        `reload` configures each link anew whose file is another one than before, and leaves foreign ports alone.
        """
        record = move.record
        follow: list[Command] = [("systemctl", "start", "systemd-networkd.service"), ("networkctl", "reload")]
        if not move.to_bridge:
            return [*follow, ("sh", "-c", _RELEASE_PORT, "release", record.uplink, record.name)]
        if move.fresh:
            return follow
        return [*follow, *(("networkctl", "reconfigure", name) for name in (record.name, record.uplink))]


def _check_order(record: Record) -> None:
    name = record.origin.path.rpartition("/")[2]
    if name and name <= f"{_PREFIX}{record.name}-port.network" and not name.startswith(f"{_PREFIX}{record.name}"):
        raise RefusedError(
            f"The file {record.origin.path} comes before {_PREFIX}{record.name}-port.network in the order of names, so that "
            f"networkd would still take it for {record.uplink}. Rename it, to 10-{record.uplink}.network for instance."
        )


def _check_origin(record: Record, origin: tuple[Section, ...]) -> None:
    network = first(origin, "Network")
    for key in _EXCLUSIVE_KEYS:
        if network.values(key):
            raise RefusedError(
                f"{record.origin.path} has {key}={network.values(key)[-1]} for {record.uplink}, which cannot be a bridge's "
                "port as well. Take that out, or put it on the bridge afterwards."
            )


def _make_device(record: Record, request: Request) -> list[Section]:
    return [
        Section("NetDev", (("Name", record.name), ("Kind", "bridge"), ("MACAddress", record.mac))),
        Section("Bridge", (("STP", "yes" if request.stp else "no"), ("ForwardDelaySec", str(request.forward_delay)))),
    ]


def _make_port(record: Record, request: Request, origin: tuple[Section, ...]) -> list[Section]:
    kept = without(origin, "Match", *_BRIDGE_SECTIONS)
    link = first(kept, "Link").dropping(*_BRIDGE_LINK_KEYS, "MTUBytes")
    network = first(origin, "Network").keeping(lambda key, _value: key in _PORT_KEYS)
    return [
        Section("Match", (("Name", record.uplink), *_bound_to_mac(origin))),
        link.adding(*_mtu_entries(record, request)),
        Section("Network", (("Bridge", record.name), ("LinkLocalAddressing", "no"), *network.entries)),
        *without(kept, "Link"),
    ]


def _bound_to_mac(origin: tuple[Section, ...]) -> tuple[tuple[str, str], ...]:
    """Return what of a configuration says that it is for one NIC, whatever its name at the next boot."""
    return first(origin, "Match").keeping(lambda key, _value: key in ("MACAddress", "PermanentMACAddress")).entries


def _over_bridge(section: Section, record: Record) -> Section:
    """Return the section with the bridge's name where it names the uplink: in rules of routes, and as an address's zone."""
    zone = re.compile(rf"%{re.escape(record.uplink)}(?![\w.-])")
    entries = [
        (key, record.name if key in _LINK_KEYS and value == record.uplink else zone.sub(f"%{record.name}", value))
        for key, value in section.entries
    ]
    return Section(section.name, tuple(entries))


def _make_bridge(record: Record, request: Request, origin: tuple[Section, ...]) -> list[Section]:
    link = first(origin, "Link").keeping(lambda key, _value: key in _BRIDGE_LINK_KEYS)
    rest = [section for section in origin if section.name in _BRIDGE_SECTIONS and section.name != "Network"]
    network = first(origin, "Network").dropping(*_PORT_KEYS, *_EXCLUSIVE_KEYS)
    sections = tuple(_over_bridge(section, record) for section in (network, *rest))
    for family in (request.ipv4, request.ipv6):
        if family is not None:
            sections = _with_family(sections, family)
    sections = _with_dns(sections, request)
    dhcp = _dhcp_versions(first(sections, "Network"))
    sections = with_identity(sections, record.identity, dhcp)
    sections = with_token(sections, record.identity.token)
    return [Section("Match", (("Name", record.name),)), link.adding(*_mtu_entries(record, request)), *sections]


def _mtu_entries(record: Record, request: Request) -> tuple[tuple[str, str], ...]:
    mtu = written_mtu(record, request)
    return () if mtu is None else (("MTUBytes", str(mtu)),)


def _with_family(sections: tuple[Section, ...], family: Family) -> tuple[Section, ...]:
    version = family.version
    kept = [section for section in sections if version not in _versions_of(section)]
    network = first(kept, "Network").keeping(
        lambda key, value: not (key in ("Address", "Gateway") and version_of(value) == version)
    )
    dhcp = sorted({*_dhcp_versions(network)} - {version} | ({version} if family.method == "dhcp" else set()))
    entries = [("DHCP", _DHCP_WORD[tuple(dhcp)])]
    entries += [("Address", address) for address in family.addresses]
    entries += [("Gateway", family.gateway)] if family.gateway else []
    if version == 6:
        network = network.dropping("IPv6AcceptRA")
        entries.append(("IPv6AcceptRA", "yes" if family.method in ("auto", "dhcp") else "no"))
    network = network.dropping("DHCP").adding(*entries)
    return (network, *without(kept, "Network"))


def _versions_of(section: Section) -> set[int]:
    """Return the IP versions that a section is about: one of an address, or of a default route."""
    values = {"Address": section.values("Address"), "Route": _default_gateways(section)}.get(section.name, [])
    return {version_of(value) for value in values}


def _with_dns(sections: tuple[Section, ...], request: Request) -> tuple[Section, ...]:
    network = first(sections, "Network")
    for key, values in (("DNS", request.dns.servers), ("Domains", request.dns.search)):
        if values is not None:
            network = network.dropping(key).adding(*[(key, value) for value in values])
    sections = (network, *without(sections, "Network"))
    return sections if request.dns.servers is None else without_dns_of_others(sections)


def _dhcp_versions(network: Section) -> tuple[int, ...]:
    return _DHCP_OF.get(network.last("DHCP").lower(), ())


def _in_force(values: list[str]) -> list[str]:
    """Return the values after the last empty one, which takes back those before it."""
    empty = [at for at, value in enumerate(values) if not value]
    return values[empty[-1] + 1 :] if empty else values


def _is_main(route: Section) -> bool:
    return route.last("Table") in ("", "main", "254")


def _default_gateways(route: Section) -> list[str]:
    destinations = route.values("Destination")
    return [] if destinations and destinations[-1] not in ("0.0.0.0/0", "::/0") else route.values("Gateway")


def _normal_interface(text: str) -> str:
    found = normal_interface(text)
    return "" if found and ipaddress.ip_interface(found).ip.is_unspecified else found  # 0.0.0.0/24 is any free subnet
