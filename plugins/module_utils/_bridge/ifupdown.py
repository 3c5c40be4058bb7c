# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""ifupdown: one file makes the bridge. By a mapping, the uplink's name leads to the port; its own stanzas stay as they are.

The bridge is made by commands of `ip`, which every host with ifupdown has, so that nothing has to be installed. Reference:
interfaces(5).
"""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._bridge import ifupdown_moves
from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import (
    BeforeOthers,
    Expected,
    comment_for,
    with_colons,
    written_mtu,
)
from ansible_collections.kvmops.network.plugins.module_utils._bridge.interfaces_file import Stanza, parse, render, stanzas_of
from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import Command, Move
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.interfaces_file import Entries
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Record
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.request import Family, Request

__all__ = ["FOLDER", "Ifupdown", "file_name"]

FOLDER = "/etc/network/interfaces.d"
_VERSIONS = {"inet": 4, "inet6": 6}
_FAMILIES = {4: "inet", 6: "inet6"}

# What of a stanza is about the wire and stays with the port, as options begin, and as commands do. All else is the bridge's.
_WIRE = ("bond-", "driver-", "ethernet-", "flow-control-", "hardware-", "hwaddress", "link-", "offload-", "vlan-")
_WIRE_COMMAND = re.compile(r"\S*/?(ethtool|mii-tool)\b|\S*/?ip( -\S+)* link\b")
_COMMANDS = ("pre-up", "up", "post-up", "down", "pre-down", "post-down")


class Ifupdown(BeforeOthers):
    """The back end ifupdown."""

    name = "ifupdown"
    title = "ifupdown"
    tools = ("ifup", "ifdown", "ifquery", "unshare")
    takes_leases_over = True
    sets_name_servers = False

    def files(self, record: Record, request: Request) -> dict[str, str]:
        """Return the text of the file that makes the bridge, by path."""
        if request.dns.servers is not None or request.dns.search is not None:
            raise InputError(
                "dns: ifupdown itself knows no name servers. Leave dns out, and name them where this host has them: in "
                "/etc/resolv.conf, in dhclient.conf or dhcpcd.conf, or as dns-nameservers in the uplink's stanza."
            )
        origin = parse(record.origin.text)
        [path] = self.owned_paths(record)
        port = f"{record.uplink}-kvmops-{record.name}"
        stanzas = [
            Stanza("mapping", (record.uplink,), (("script", "grep"), ("map", port))),
            Stanza("iface", (port, "inet", "manual"), _port_options(record, request, origin)),
            Stanza("auto", (record.name,)),
            *_bridge_stanzas(record, request, origin),
        ]
        return {path: render(stanzas, comment=comment_for(record, record.origin.path))}

    def owned_paths(self, record: Record) -> list[str]:
        """Return the path of the file."""
        return [f"{FOLDER}/{file_name(record.name)}"]

    def early_paths(self, _move: Move, _changed: t.Sequence[str]) -> list[str]:
        """Return no path: ifupdown reads its files when it is told to, after the move."""
        return []

    def expected(self, record: Record, request: Request) -> Expected:
        """Return what the bridge's configuration says of its addresses."""
        stanzas = _address_stanzas(record, request, parse(record.origin.text))
        static = [stanza for stanza in stanzas if stanza.method == "static"]
        dhcp = {_VERSIONS[stanza.family] for stanza in stanzas if stanza.method == "dhcp" or stanza.last("dhcp") == "1"}
        return Expected(
            addresses=tuple(text for text in map(_address_of, static) if text),
            dhcp=tuple(sorted(dhcp)),
            gateways=tuple(str(ipaddress.ip_address(text)) for stanza in static for text in stanza.values("gateway")[-1:]),
        )

    def prepare(self, move: Move) -> list[Command]:
        """Return the commands that end DHCP clients, whose addresses stay, before these are moved."""
        return ifupdown_moves.prepare(move, path=self.owned_paths(move.record)[0])

    def activate(self, move: Move) -> list[Command]:
        """Return the commands that have ifupdown follow its files."""
        return ifupdown_moves.activate(move, path=self.owned_paths(move.record)[0])


def file_name(bridge: str) -> str:
    """Return the name of the file that makes a bridge."""
    return f"kvmops-{bridge}"


def _port_options(record: Record, request: Request, origin: tuple[Stanza, ...]) -> Entries:
    """Return what is about the wire, and what makes the interface a port also where it appears after the bridge."""
    uplink = record.uplink
    own = [entry for stanza in stanzas_of(origin, uplink) for entry in stanza.options if _is_about_wire(*entry)]
    kept = tuple(dict.fromkeys(own))
    mtu = written_mtu(record, request)
    return (
        *kept,
        ("pre-up", f"ip link set dev {uplink} addrgenmode none || :"),
        *((("pre-up", f"ip link set dev {uplink} mtu {mtu}"),) if mtu else ()),
        ("up", f"ip link set dev {uplink} master {record.name} 2>/dev/null || :"),
    )


def _is_about_wire(key: str, value: str) -> bool:
    plain = key.replace("_", "-")
    return plain.startswith(_WIRE) or (plain in _COMMANDS and _WIRE_COMMAND.match(value) is not None)


def _bridge_stanzas(record: Record, request: Request, origin: tuple[Stanza, ...]) -> list[Stanza]:
    """Return the stanzas of the bridge: the first one makes it, the last one takes it down."""
    stanzas = _address_stanzas(record, request, origin) or [Stanza("iface", (record.name, "inet", "manual"))]
    first = stanzas[0]
    stanzas[0] = Stanza(first.keyword, first.words, (*_making(record, request), *first.options))
    last = stanzas[-1]
    stanzas[-1] = Stanza(last.keyword, last.words, (*last.options, *_unmaking(record)))
    return stanzas


def _making(record: Record, request: Request) -> Entries:
    bridge, mtu = record.name, written_mtu(record, request)
    # the kernel refuses a short delay while STP is on
    settings = f"forward_delay {request.forward_delay * 100} stp_state {int(request.stp)}"
    return (
        ("pre-up", f"ip link add name {bridge} type bridge 2>/dev/null || :"),
        ("pre-up", f"ip link set dev {bridge} address {record.mac} type bridge {settings}"),
        ("pre-up", f"ip link set dev {record.uplink} master {bridge} up || :"),
        *((("pre-up", f"ip link set dev {bridge} mtu {mtu}"),) if mtu else ()),
    )


def _unmaking(record: Record) -> Entries:
    # guests' interfaces stay plugged in when ifupdown is restarted
    bridge = record.name
    return (
        ("post-down", f"ip link set dev {record.uplink} nomaster || :"),
        ("post-down", f'[ "$(ls /sys/class/net/{bridge}/brif)" ] || ip link delete dev {bridge}'),
    )


def _address_stanzas(record: Record, request: Request, origin: tuple[Stanza, ...]) -> list[Stanza]:
    """Return the uplink's stanzas as the bridge's, those of a family that the task configures exchanged for others."""
    families = {family.version: family for family in (request.ipv4, request.ipv6) if family is not None}
    kept = [
        _over_bridge(stanza, record)
        for stanza in stanzas_of(origin, record.uplink)
        if _VERSIONS.get(stanza.family) not in families
    ]
    return kept + [stanza for family in families.values() for stanza in _family_stanzas(record, family)]


def _over_bridge(stanza: Stanza, record: Record) -> Stanza:
    """Return a stanza of the uplink as one of the bridge."""
    uplink = re.compile(rf"(?<![\w.:-]){re.escape(record.uplink)}(?![\w.:-])")
    options = [
        (key, uplink.sub(record.name, value) if key in _COMMANDS else value)
        for key, value in stanza.options
        if key not in ("address", "netmask", "mtu") and not _is_about_wire(key, value)
    ]
    if stanza.method == "static":
        options.insert(0, ("address", _address_of(stanza)))
    if stanza.family == "inet" and stanza.method == "dhcp":
        options += _dhcp_options(stanza, record)
    if stanza.family == "inet6" and stanza.method == "auto" and record.identity.token:
        options.append(("up", f"ip token set {record.identity.token} dev {record.name}"))
    return Stanza("iface", (record.name, stanza.family, stanza.method), tuple(options))


def _dhcp_options(stanza: Stanza | None, record: Record) -> list[tuple[str, str]]:
    """Return what keeps the metric of routes, and the client's id, which left alone would follow the interface."""
    options = []
    metric = record.metrics.get("4", 0)
    if metric and (stanza is None or not stanza.last("metric")):
        options.append(("metric", str(metric)))
    iaid = "ff" + record.mac.replace(":", "")[4:]
    if record.identity.dhcp4.startswith("ff") and not record.identity.dhcp4.startswith(iaid):
        options.append(("client", with_colons(record.identity.dhcp4)))
    return options


def _family_stanzas(record: Record, family: Family) -> list[Stanza]:
    words = (record.name, _FAMILIES[family.version])
    if family.method == "static":
        gateway = (("gateway", family.gateway),) if family.gateway else ()
        return [
            Stanza("iface", (*words, "static"), (("address", text), *(gateway if number == 0 else ())))
            for number, text in enumerate(family.addresses)
        ]
    if family.method == "none":
        deaf = (("pre-up", f"sysctl -q -w net.ipv6.conf.{record.name}.accept_ra=0"),)
        return [Stanza("iface", (*words, "manual"), deaf)] if family.version == 6 else []
    options = _dhcp_options(None, record) if family.method == "dhcp" and family.version == 4 else []
    return [Stanza("iface", (*words, family.method), tuple(options))]


def _address_of(stanza: Stanza) -> str:
    """Return the address of a static stanza with its prefix, "" for none that can be understood."""
    text, _slash, prefix = stanza.last("address").partition("/")
    try:
        address = ipaddress.ip_address(text)
        prefix = prefix or stanza.last("netmask") or str(_usual_prefix(address))
        return str(ipaddress.ip_interface(f"{address}/{prefix}"))
    except ValueError:
        return ""


def _usual_prefix(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> int:
    """Return the length that ifupdown takes where none is given: by the classes of old."""
    if address.version == 6:
        return 64
    first = int(address) >> 24
    return 8 if first < 128 else 16 if first < 192 else 24
