# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""NetworkManager: two profiles of the highest priority make the bridge. The uplink's own one stays as it is, and waits.

Reference: nm-settings-keyfile(5), NetworkManager.conf(5). The spelling is that of older releases, which newer ones understand;
`controller` and `port-type` make 1.42 take the port for an interface of its own, without a word.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t
import uuid

from ansible_collections.kvmops.network.plugins.module_utils._bridge.addresses import (
    normal_address,
    normal_interface,
)
from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import (
    BeforeOthers,
    Expected,
    comment_for,
    with_colons,
)
from ansible_collections.kvmops.network.plugins.module_utils._bridge.ini import Section, first, parse, render, without
from ansible_collections.kvmops.network.plugins.module_utils._bridge.network_manager_moves import (
    INFINITE,
    Profiles,
    activate,
    prepare,
)
from ansible_collections.kvmops.network.plugins.module_utils._errors import RefusedError

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import Command, Move
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Record
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.request import Family, Request

__all__ = ["BRIDGE_SECTIONS", "HIGHEST_PRIORITY", "NetworkManager", "pinned4", "pinned6"]

HIGHEST_PRIORITY = 999  # of two profiles for a link, the one with the higher autoconnect-priority is used

_FOLDER = "/etc/NetworkManager/system-connections"
_NAMESPACE = uuid.UUID("5d1d7b3c-0f0e-4c3f-9a51-8a1c4f6f5c0b")

# What of a profile is about the wire and stays with the port, what is about addresses and goes to the bridge, and what is left
# out: how the profile finds its interface (ours go by name), and what NetworkManager notes down for itself.
_PORT_SECTIONS = ("802-1x", "dcb", "ethtool", "link", "sriov", "tc")
BRIDGE_SECTIONS = ("ipv4", "ipv6", "proxy", "hostname", "user", "prefix-delegation")
_LEFT_SECTIONS = ("connection", "match", ".nmmeta")
_WIRE_SECTIONS = ("ethernet", "802-3-ethernet")
_WIRE_KEYS_LEFT = ("mac-address-blacklist", "mac-address-denylist", "generate-mac-address-mask", "mtu")
_PORT_CONNECTION_KEYS = ("auth-retries", "lldp")
_BRIDGE_CONNECTION_KEYS = (
    "dns-over-tls",
    "gateway-ping-timeout",
    "ip-ping-addresses",
    "ip-ping-addresses-require-all",
    "ip-ping-timeout",
    "llmnr",
    "mdns",
    "metered",
    "mptcp-flags",
    "mud-url",
    "secondaries",
    "stable-id",
    "wait-activation-delay",
    "zone",
)

_MAC = re.compile(r"([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}")
_ADDRESS_KEY = re.compile(r"address(es)?\d*")
_ROUTE_KEY = re.compile(r"routes?\d*")
_SEPARATOR = re.compile(r"[,;\s]+")
_EVERYWHERE = ("0.0.0.0/0", "::/0", "default")
_METHODS = {"dhcp": "auto", "auto": "auto", "static": "manual", "none": "disabled"}
_WITHOUT_ADDRESSES = ("", "disabled", "ignore", "link-local")
_ASKING = ("auto", "dhcp")


class NetworkManager(BeforeOthers):
    """The back end NetworkManager."""

    name = "networkmanager"
    title = "NetworkManager"
    tools = ("nmcli",)
    takes_leases_over = True

    def files(self, record: Record, request: Request) -> dict[str, str]:
        """Return the text of both profiles, by path."""
        origin = _parse_origin(record)
        _check_origin(record, origin)
        comment = comment_for(record, record.origin.path or f"profile {record.origin.name}")
        bridge, port = self.owned_paths(record)
        return {
            bridge: render(_make_bridge(record, request, origin), comment=comment),
            port: render(_make_port(record, request, origin), comment=comment),
        }

    def owned_paths(self, record: Record) -> list[str]:
        """Return the paths of the bridge's profile and of its port's."""
        return [f"{_FOLDER}/{_id(record, role)}.nmconnection" for role in ("bridge", "port")]

    def early_paths(self, _move: Move, _changed: t.Sequence[str]) -> list[str]:
        """Return no paths: it is stopped while links and addresses are moved."""
        return []

    def expected(self, record: Record, request: Request) -> Expected:
        """Return what the bridge's profile says of its addresses."""
        sections = _make_bridge(record, request, _parse_origin(record))
        families = [first(sections, name) for name in ("ipv4", "ipv6")]
        asks6 = families[1].last("method") == "dhcp" or (request.ipv6 is not None and request.ipv6.method == "dhcp")
        return Expected(
            addresses=tuple(text for family in families for text in _addresses(family)),
            dhcp=(*((4,) if families[0].last("method") == "auto" else ()), *((6,) if asks6 else ())),
            gateways=tuple(dict.fromkeys(text for family in families for text in _gateways(family))),
        )

    def prepare(self, move: Move) -> list[Command]:
        """Return the commands that stop NetworkManager, which leaves all as it is, and note down what it shall find."""
        ignores_routers = first(_parse_origin(move.record), "ipv6").last("method") == "ignore"
        return prepare(move, self._profiles(move.record), kernel_hears_routers=ignores_routers)

    def activate(self, move: Move) -> list[Command]:
        """Return the commands that make NetworkManager follow its files."""
        return activate(move, self._profiles(move.record))

    def _profiles(self, record: Record) -> Profiles:
        bridge, port = self.owned_paths(record)
        return Profiles(
            bridge=_uuid(record, "bridge"),
            port=_uuid(record, "port"),
            origin=record.origin.name,
            bridge_path=bridge,
            port_path=port,
        )


def _id(record: Record, role: str) -> str:
    return f"kvmops-{record.name}" if role == "bridge" else f"kvmops-{record.name}-{role}"


def _uuid(record: Record, role: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{record.name}/{record.uplink}/{role}"))


def _parse_origin(record: Record) -> tuple[Section, ...]:
    for line in record.origin.text.splitlines():
        if line.endswith("\\") and not line.startswith("#"):
            raise RefusedError(
                f"A value of {_source(record)} ends with a backslash ({line.partition('=')[0]}), and cannot be copied. Change it "
                "first."
            )
    return parse(record.origin.text)


def _source(record: Record) -> str:
    return record.origin.path or f"NetworkManager's profile {record.origin.name}"


def _check_origin(record: Record, origin: tuple[Section, ...]) -> None:
    source, connection = _source(record), first(origin, "connection")
    kind = connection.last("type")
    if kind not in _WIRE_SECTIONS:
        raise RefusedError(
            f"{source} has the type {kind or 'of none'}, and only one of type ethernet can be made a bridge's port."
        )
    priority = connection.last("autoconnect-priority") or "0"
    if priority.lstrip("+-").isdigit() and int(priority) >= HIGHEST_PRIORITY:
        raise RefusedError(
            f"{source} has the autoconnect-priority {priority}, so that no other profile could come before it. Lower it first: "
            f"nmcli connection modify {record.origin.name} connection.autoconnect-priority 0"
        )
    for name in ("ipv4", "ipv6"):
        if first(origin, name).last("method") == "shared":
            raise RefusedError(
                f"{source} shares the host's connection with the network behind {record.uplink} ({name}.method shared), which a "
                "bridge over it would open to guests. Give it another method first."
            )
    known = (*_PORT_SECTIONS, *BRIDGE_SECTIONS, *_LEFT_SECTIONS, *_WIRE_SECTIONS)
    unknown = [section.name for section in origin if section.name not in known and section.entries]
    if unknown:
        raise RefusedError(
            f"{source} has a section [{unknown[0]}], of which it is not known whether it belongs to the bridge or to its port. "
            "Take it out, and put it on one of the two afterwards."
        )


def _make_port(record: Record, request: Request, origin: tuple[Section, ...]) -> list[Section]:
    connection = first(origin, "connection").keeping(lambda key, _value: key in _PORT_CONNECTION_KEYS)
    wire = [entry for name in _WIRE_SECTIONS for entry in first(origin, name).entries if _stays_on_port(*entry)]
    return [
        Section(
            "connection",
            (
                ("id", _id(record, "port")),
                ("uuid", _uuid(record, "port")),
                ("type", "ethernet"),
                ("interface-name", record.uplink),
                ("autoconnect-priority", str(HIGHEST_PRIORITY)),
                ("master", record.name),
                ("slave-type", "bridge"),
                *connection.entries,
            ),
        ),
        Section("ethernet", (("mtu", str(request.mtu or record.mtu)), *wire)),
        *(section for section in origin if section.name in _PORT_SECTIONS),
    ]


def _stays_on_port(key: str, value: str) -> bool:
    if key == "cloned-mac-address":
        return _MAC.fullmatch(value) is not None  # others change with the profile, and are of no use to a port
    return key not in _WIRE_KEYS_LEFT


def _make_bridge(record: Record, request: Request, origin: tuple[Section, ...]) -> list[Section]:
    connection = first(origin, "connection").keeping(lambda key, _value: key in _BRIDGE_CONNECTION_KEYS)
    sections = [_over_bridge(section, record) for section in origin if section.name in BRIDGE_SECTIONS]
    ipv4, ipv6 = (first(sections, name) for name in ("ipv4", "ipv6"))
    ipv4 = ipv4 if request.ipv4 is None else _with_family(ipv4, request.ipv4)
    ipv6 = ipv6 if request.ipv6 is None else _with_family(ipv6, request.ipv6)
    ipv4, ipv6 = _with_dns(ipv4, ipv6, request)
    return [
        Section(
            "connection",
            (
                ("id", _id(record, "bridge")),
                ("uuid", _uuid(record, "bridge")),
                ("type", "bridge"),
                ("interface-name", record.name),
                ("autoconnect-priority", str(HIGHEST_PRIORITY)),
                *connection.entries,
            ),
        ),
        Section("ethernet", (("mtu", str(request.mtu or record.mtu)),)),
        Section(
            "bridge",
            (
                ("stp", "true" if request.stp else "false"),
                ("forward-delay", str(request.forward_delay)),
                ("mac-address", record.mac),
            ),
        ),
        pinned4(ipv4, record),
        pinned6(ipv6, record),
        *without(sections, "ipv4", "ipv6"),
    ]


def _over_bridge(section: Section, record: Record) -> Section:
    """Return the section with the bridge's name where it names the uplink: in rules of routes, and as an address's zone."""
    uplink = re.escape(record.uplink)
    rule, zone = re.compile(rf"\b([io]if) {uplink}(?![\w.-])"), re.compile(rf"%{uplink}(?![\w.-])")
    entries = [
        (key, rule.sub(rf"\1 {record.name}", value) if key.startswith("routing-rule") else zone.sub(f"%{record.name}", value))
        for key, value in section.entries
    ]
    return Section(section.name, tuple(entries))


def _with_family(section: Section, family: Family) -> Section:
    method = "link-local" if family.version == 6 and family.method == "none" else _METHODS[family.method]
    rest = section.keeping(
        lambda key, value: (
            key not in ("method", "gateway")
            and not _ADDRESS_KEY.fullmatch(key)
            and not (_ROUTE_KEY.fullmatch(key) and _SEPARATOR.split(value)[0] in _EVERYWHERE)
        )
    )
    entries = [("method", method)]
    entries += [(f"address{number}", text) for number, text in enumerate(family.addresses, start=1)]
    entries += [("gateway", family.gateway)] if family.gateway else []
    return Section(section.name, (*entries, *rest.entries))


def _with_dns(ipv4: Section, ipv6: Section, request: Request) -> tuple[Section, Section]:
    servers, search = request.dns.servers, request.dns.search
    if servers is not None:
        ipv4, ipv6 = (
            _only_these(family, [text for text in servers if ipaddress.ip_address(text).version == version])
            for version, family in ((4, ipv4), (6, ipv6))
        )
    if search is not None:
        on_ipv4 = ipv4.last("method") not in _WITHOUT_ADDRESSES
        ipv4 = _replacing(ipv4, "dns-search", ";".join(search) if on_ipv4 else "")
        ipv6 = _replacing(ipv6, "dns-search", "" if on_ipv4 else ";".join(search))
    return ipv4, ipv6


def _only_these(family: Section, servers: list[str]) -> Section:
    """Return the family with these name servers, and not those that servers and routers name."""
    family = _replacing(family, "dns", ";".join(servers))
    asks = family.last("method") in _ASKING
    return _replacing(family, "ignore-auto-dns", "true") if asks else family


def pinned4(section: Section, record: Record) -> Section:
    """Return what a bridge's profile says of IPv4, with what routes and servers know the uplink by."""
    section = _with_metric(section, record.metrics.get("4"))
    if section.last("method") != "auto":
        return section
    if not section.last("dhcp-timeout"):
        # else the host loses its address 45 seconds after a restart of NetworkManager, where no server answers
        section = section.adding(("dhcp-timeout", str(INFINITE)))
    return _replacing(section, "dhcp-client-id", with_colons(record.identity.dhcp4)) if record.identity.dhcp4 else section


def pinned6(section: Section, record: Record) -> Section:
    """Return the same of IPv6."""
    section, identity = _with_metric(section, record.metrics.get("6")), record.identity
    if section.last("method") not in _ASKING:
        return section
    if identity.dhcp6:
        section = _replacing(section, "dhcp-duid", with_colons(identity.dhcp6))
    if identity.dhcp6 and identity.iaid is not None:
        section = _replacing(section, "dhcp-iaid", with_colons(f"{identity.iaid:08x}"))
    if identity.token:
        section = _replacing(_replacing(section, "addr-gen-mode", "eui64"), "token", identity.token)
    return section


def _with_metric(section: Section, metric: int | None) -> Section:
    """A bridge's routes would have a worse metric than those of an Ethernet interface."""
    has_one = section.last("route-metric") not in ("", "-1")
    return section if has_one or metric is None else _replacing(section, "route-metric", str(metric))


def _replacing(section: Section, unwanted: str, value: str) -> Section:
    kept = section.dropping(unwanted)
    return kept.adding((unwanted, value)) if value else kept


def _addresses(family: Section) -> list[str]:
    if family.last("method") in _WITHOUT_ADDRESSES:
        return []
    found = [_split_address(value)[0] for key, value in family.entries if _ADDRESS_KEY.fullmatch(key)]
    return [text for text in map(normal_interface, found) if text]


def _gateways(family: Section) -> list[str]:
    if family.last("method") in _WITHOUT_ADDRESSES or family.last("never-default") in ("true", "1", "yes"):
        return []
    found = [_split_address(value)[1] for key, value in family.entries if _ADDRESS_KEY.fullmatch(key)] + family.values("gateway")
    for key, value in family.entries:
        destination, *rest = _SEPARATOR.split(value)
        if _ROUTE_KEY.fullmatch(key) and destination in _EVERYWHERE and rest:
            found.append(rest[0])
    return [text for text in map(_normal_address, found) if text]


def _split_address(value: str) -> tuple[str, str]:
    """Return an address with its prefix, and its gateway or "".

    The text is such as 192.0.2.7/24,192.0.2.1 or, as it was long ago, 192.0.2.7;24;192.0.2.1;
    """
    address, *rest = [part for part in _SEPARATOR.split(value) if part] or [""]
    if "/" not in address and rest:
        address = f"{address}/{rest.pop(0)}"
    return address, rest[0] if rest else ""


def _normal_address(text: str) -> str:
    found = normal_address(text)
    return "" if found and ipaddress.ip_address(found).is_unspecified else found
