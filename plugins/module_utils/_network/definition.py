# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""A network's definition: from XML, from options, into XML, merged and in normal form. Nothing here touches a host.

The normal form is one dict in the shape of the modules' options in which two definitions are equal if, and only if, they mean the
same to libvirt. It leaves out what is libvirt's default and writes everything else in one way.
"""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._format import document, tree
from ansible_collections.kvmops.network.plugins.module_utils._network.elements import (
    DHCP_HOSTS,
    DNS_HOSTS,
    DNSMASQ_NAMESPACE,
    NETWORK,
)

try:
    from lxml import etree
except ImportError:
    pass  # said by document.LXML_IMPORT_ERROR, and checked before anything here is called

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element as Element

    Definition = dict[str, t.Any]
    Subnet = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

__all__ = [
    "GENERATED",
    "bridge_of",
    "carry_identity",
    "definition_from_options",
    "definition_from_xml",
    "lease_seconds",
    "merge_definitions",
    "mode_of",
    "normalise",
    "own_bridge_of",
    "owns_bridge",
    "render_xml",
    "reservations_of",
    "subnet_of",
    "subnets_of",
]

# What stands in a diff for a value that libvirt makes up.
GENERATED = "(generated)"

_ALL_PORTS = {"start": 1024, "end": 65535}
_SECONDS = {"hours": 3600, "minutes": 60, "seconds": 1}
_DEVICES = ("dev", "interfaces", "pf", "addresses")
_NO_DEVICE = {"type": "pci", "domain": "0x0000", "bus": "0x00", "slot": "0x00", "function": "0x0"}


def definition_from_xml(text: str, *, running: bool = False) -> Definition:
    """Return the normal form of a network document. Raises InputError if it is none.

    With `running`, it is libvirt's of a running network, which shows more than its definition has.
    """
    root = document.parse_document(text, root="network")
    _drop_runtime(root)
    definition = tree.parse(NETWORK, root)
    if not definition.get("name"):
        raise InputError("The XML has no <name>; add one.")
    _settle_subnets(definition, complete=True)
    _settle_units(definition)
    forward = definition.get("forward", {})
    if running and "pf" in forward:
        # the virtual functions that libvirt found
        forward.pop("interfaces", None)
        forward.pop("addresses", None)
    return _normalised(definition)


def definition_from_options(options: t.Mapping[str, t.Any]) -> Definition:
    """Return what a task's typed options say, in canonical values but with defaults, ready to be merged.

    Raises InputError, which names the option, its value and what is needed.
    """
    given = tree.coerce(NETWORK, options)
    _settle_subnets(given, complete=False)
    _settle_units(given)
    return given


def render_xml(definition: Definition) -> str:
    """Return the definition as a document, elements and attributes always in the same order."""
    namespaces = {"dnsmasq": DNSMASQ_NAMESPACE} if "dnsmasq_options" in definition else None
    return document.pretty_text(tree.render(NETWORK, _with_families(definition), etree.Element("network", nsmap=namespaces)))


def _with_families(definition: Definition) -> Definition:
    """Say the family of IPv6 addresses, which libvirt wants to read although the address tells it."""
    return {
        option: [{"family": "ipv6", **entry} if ":" in entry.get("address", "") else entry for entry in value]
        if option in ("ips", "routes")
        else value
        for option, value in definition.items()
    }


def merge_definitions(current: Definition | None, given: Definition, *, replace: bool, purge_hosts: bool) -> Definition:
    """Return the wanted definition in normal form.

    `current` is what is stored, in normal form, or None for a new network. UUID, bridge name and bridge MAC that `given` does not
    name are carried over. Raises InputError if reservations would be lost without `purge_hosts`.
    """
    if current is None:
        return normalise(given)
    base = tree.copied(current)
    _drop_what_is_another(base, given)
    merged = tree.merge(NETWORK, base, given, replace=replace)
    if not purge_hosts:
        _rehouse_reservations(current, merged)
    if purge_hosts and (replace or "dns" in given):
        _keep_mentioned(DNS_HOSTS, merged.get("dns", {}), given.get("dns", {}))
    if purge_hosts and (replace or "ips" in given):
        mentioned = {entry["address"]: entry.get("dhcp", {}) for entry in given.get("ips", [])}
        for entry in merged.get("ips", []):
            _keep_mentioned(DHCP_HOSTS, entry.get("dhcp", {}), mentioned.get(entry["address"], {}))
    return carry_identity(normalise(merged), current)


def _drop_what_is_another(base: Definition, given: Definition) -> None:
    """Remove from the current definition what means nothing beside what is given in its place."""
    if given.get("forward", {}).get("mode", mode_of(base)) != mode_of(base):
        # what belongs to the old mode means nothing in the new one
        owned = owns_bridge(base)
        base.pop("forward", None)
        if owns_bridge(given) != owned:
            base.pop("bridge", None)
            base.pop("mac", None)
    if any(option in given.get("forward", {}) for option in _DEVICES):
        # each of them says which devices of the host there are, and is the whole list
        for option in _DEVICES:
            base.get("forward", {}).pop(option, None)
    groups = {group.get("name"): group for group in base.get("portgroups", [])}
    scopes = [(base, given), *((groups.get(group.get("name"), {}), group) for group in given.get("portgroups", []))]
    for before, wanted in scopes:
        kind = before.get("virtualport", {}).get("type")
        if wanted.get("virtualport", {}).get("type", kind) != kind:
            # each type has parameters of its own
            before.pop("virtualport", None)


def _rehouse_reservations(current: Definition, merged: Definition) -> None:
    """Keep the reservations of an address that goes, under another address of their subnet.

    Raises InputError if there is none: nobody shall lose a reservation that the task does not mention.
    """
    entries = merged.get("ips", [])
    kept = {(_family(entry), _owner(DHCP_HOSTS, host)) for entry in entries for host in entry.get("dhcp", {}).get("hosts", [])}
    lost = []
    for gone in current.get("ips", []):
        if any(entry["address"] == gone["address"] for entry in entries):
            continue
        for host in gone.get("dhcp", {}).get("hosts", []):
            who = _family(gone), _owner(DHCP_HOSTS, host)
            if who in kept:
                continue
            home = next((entry for entry in entries if _holds(entry, host.get("ip"))), None)
            if home is None:
                lost.append(f"{who[1]} ({host.get('ip')})")
                continue
            home.setdefault("dhcp", {}).setdefault("hosts", []).append(host)
            kept.add(who)
    if lost:
        raise InputError(
            f"ips: the reservations of {', '.join(lost)} have no address in their subnet any more and would be lost; keep one, "
            "or say purge_hosts: true if they shall go."
        )


def _family(entry: dict[str, t.Any]) -> int:
    return ipaddress.ip_address(entry["address"]).version


def _holds(entry: dict[str, t.Any], address: str | None) -> bool:
    """Say whether an address lies in the subnet of an entry of `ips`."""
    if address is None or "prefix" not in entry:
        return False
    ip, subnet = ipaddress.ip_address(address), subnet_of(entry)
    return ip.version == subnet.version and ip in subnet


def _keep_mentioned(field: tree.Entries, holder: dict[str, t.Any], given: dict[str, t.Any]) -> None:
    owners = [_owner(field, host) for host in given.get("hosts", [])]
    holder["hosts"] = [host for host in holder.get("hosts", []) if _owner(field, host) in owners]


def reservations_of(definition: Definition) -> set[str]:
    """Return whom or what the definition has reservations and DNS records for."""
    owners = {_owner(DNS_HOSTS, host) for host in definition.get("dns", {}).get("hosts", [])}
    for entry in definition.get("ips", []):
        owners |= {_owner(DHCP_HOSTS, host) for host in entry.get("dhcp", {}).get("hosts", [])}
    return owners


def _owner(field: tree.Entries, host: dict[str, t.Any]) -> str:
    """Return what tells a reservation from the others, as text: a MAC address, an identifier, a name, or an address."""
    return " ".join(tree.entry_key(field, host) or ())


def carry_identity(definition: Definition, current: Definition) -> Definition:
    """Return the definition with UUID, bridge name and bridge MAC of the current one where it names none itself."""
    carried = dict(definition)
    if "uuid" in current:
        carried.setdefault("uuid", current["uuid"])
    if owns_bridge(definition) and owns_bridge(current):
        if "mac" in current:
            carried.setdefault("mac", current["mac"])
        name = current.get("bridge", {}).get("name")
        if name:
            carried["bridge"] = {"name": name, **definition.get("bridge", {})}
    return carried


def owns_bridge(definition: Definition) -> bool:
    """Say whether libvirt makes the network's bridge (as opposed to a bridge or an interface that the host has)."""
    return mode_of(definition) in ("none", "nat", "route", "open")


def bridge_of(definition: Definition) -> str | None:
    """Return the name of the network's bridge, None where it has none or libvirt has yet to choose one."""
    name: str | None = definition.get("bridge", {}).get("name")
    return name


def own_bridge_of(definition: Definition) -> str | None:
    """Return the name of the bridge that libvirt makes for the network."""
    return bridge_of(definition) if owns_bridge(definition) else None


def subnets_of(definition: Definition) -> list[Subnet]:
    """Return the subnets of the network's addresses and routes."""
    return [subnet_of(entry) for entry in definition.get("ips", []) + definition.get("routes", [])]


def subnet_of(entry: dict[str, t.Any]) -> Subnet:
    """Return the subnet of one entry of `ips` or `routes` that has its prefix."""
    return ipaddress.ip_network((entry["address"], entry["prefix"]), strict=False)


def mode_of(definition: Definition) -> str:
    """Return the network's forward mode, "none" for an isolated one."""
    mode: str = definition.get("forward", {}).get("mode", "none")
    return mode


# --- the normal form ----------------------------------------------------------------------------------------------------------


def normalise(definition: Definition) -> Definition:
    """Return the normal form of a definition."""
    return _normalised(tree.copied(definition))


def _normalised(definition: Definition) -> Definition:
    """Return the normal form of a definition that nobody else has; it is used up."""
    _normalise_forward(definition)
    for scope in [definition, *definition.get("portgroups", [])]:
        vlan = scope.get("vlan", {})
        if len(vlan.get("tags", [])) > 1:
            vlan.pop("trunk", None)  # implied by more than one tag
    for owner in _lease_owners(definition):
        owner["lease"] = _normalise_lease(owner["lease"])
    normal = tree.prune(NETWORK, definition)
    if normal.get("forward") == {"mode": "none"}:
        del normal["forward"]
    return normal


def _normalise_forward(definition: Definition) -> None:
    forward = definition.get("forward")
    if forward is None:
        return
    forward.setdefault("mode", "nat")  # libvirt's default for <forward/>
    nat = forward.get("nat", {})
    if nat.get("port") == _ALL_PORTS:
        del nat["port"]
    interfaces = {entry["dev"] for entry in forward.pop("interfaces", []) if "dev" in entry}
    if "dev" in forward:
        interfaces.add(forward.pop("dev"))
    if len(interfaces) == 1:
        forward["dev"] = interfaces.pop()
    elif interfaces:
        forward["interfaces"] = [{"dev": name} for name in sorted(interfaces)]


def lease_seconds(lease: dict[str, t.Any]) -> int:
    """Return the time of a lease in seconds, 0 where it never expires or says no time."""
    seconds: int = lease.get("expiry", 0) * _SECONDS[lease.get("unit", "minutes")]
    return seconds


def _normalise_lease(lease: dict[str, t.Any]) -> dict[str, t.Any]:
    """Write the time in the largest unit that holds it; 0 is "never expires" in each."""
    if "expiry" not in lease:
        return {}
    seconds = lease_seconds(lease)
    for unit, factor in _SECONDS.items():
        if seconds % factor == 0:
            return {"expiry": seconds // factor, "unit": unit}
    raise AssertionError("every whole number is a number of seconds")


def _settle_subnets(definition: Definition, *, complete: bool) -> None:
    """Say each subnet by address and prefix alone: netmask and family follow from them.

    With `complete`, a missing prefix becomes what libvirt assumes. Source: virSocketAddrGetIPPrefix in libvirt.
    """
    for option in ("ips", "routes"):
        for index, entry in enumerate(definition.get(option, [])):
            label = f"{option}[{index}]"
            if "address" not in entry:
                pool = "" if complete or option == "routes" else ", or a pool to choose a subnet from"
                raise InputError(f"{label}.address: missing; give the address{pool}.")
            _settle_subnet(entry, label, complete=complete)


def _settle_subnet(entry: dict[str, t.Any], label: str, *, complete: bool) -> None:
    address = ipaddress.ip_address(entry["address"])
    family = entry.pop("family", None)
    if family not in (None, f"ipv{address.version}"):
        raise InputError(f"{label}.family: '{family}' is not the family of {address}; leave it out.")
    if "netmask" in entry:
        if "prefix" in entry:
            raise InputError(f"{label}.netmask: given beside {label}.prefix; give one of the two.")
        if address.version == 6:
            raise InputError(f"{label}.netmask: IPv6 has no netmask; give {label}.prefix.")
        entry["prefix"] = entry.pop("netmask")
    if "prefix" in entry and entry["prefix"] > address.max_prefixlen:
        raise InputError(f"{label}.prefix: '{entry['prefix']}' is more than the {address.max_prefixlen} bits of {address}.")
    if complete and "prefix" not in entry:
        entry["prefix"] = _assumed_prefix(address)


def _assumed_prefix(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> int:
    if int(address) == 0:
        return 0
    if address.version == 6:
        return 64
    first = address.packed[0]
    return 8 if first < 128 else 16 if first < 192 else 24


def _settle_units(definition: Definition) -> None:
    """Say what a value has no meaning without: the unit of a time, and all parts of a device's address."""
    for owner in _lease_owners(definition):
        owner["lease"].setdefault("unit", "minutes")
    for entry in definition.get("forward", {}).get("addresses", []):
        for part, default in _NO_DEVICE.items():
            entry.setdefault(part, default)


def _lease_owners(definition: Definition) -> Iterator[dict[str, t.Any]]:
    """Yield the DHCP ranges and reservations that say how long a lease is."""
    for entry in definition.get("ips", []):
        dhcp = entry.get("dhcp", {})
        for owner in dhcp.get("ranges", []) + dhcp.get("hosts", []):
            if "lease" in owner:
                yield owner


def _drop_runtime(root: Element) -> None:
    """Remove what only a running network shows."""
    for element in [root, *root.iterfind("forward/interface"), *root.iterfind("forward/address")]:
        element.attrib.pop("connections", None)
    for element in root.iterfind(".//bandwidth"):
        element.attrib.pop("classID", None)
