# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The packets that guests cannot do without, and libvirt's own rules for them. Nothing here touches a host."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.firewall import Packet
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.network_checks import gives_addresses
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import bridge_of, mode_of, subnet_of

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.kvmops.network.plugins.module_utils._connectivity.firewall import Chain, Family, Ruleset

    Definition = dict[str, t.Any]

__all__ = ["Need", "families_of", "has_rules_of_libvirt", "is_forwarded", "needs_of"]

Kind = t.Literal["out", "dhcp", "dns", "host"]

_TABLE = "libvirt_network"
_CHAINS = "LIBVIRT_"


@dataclass(frozen=True)
class Need:
    """A packet, and what does not work without it."""

    kind: Kind
    packet: Packet


def is_forwarded(live: Definition) -> bool:
    """Say whether guests of a network go out through the host."""
    return mode_of(live) in ("nat", "route", "open")


def families_of(live: Definition) -> list[Family]:
    """Return the families in which a network has addresses."""
    versions = {ipaddress.ip_address(entry["address"]).version for entry in live.get("ips", [])}
    return [family for version, family in ((4, "ip"), (6, "ip6")) if version in versions]  # type: ignore[misc]  # are literals


def needs_of(live: Definition, uplink: str | None) -> Iterator[Need]:
    """Return what the guests of a running network need to send and to get.

    Out goes TCP: firewalls such as ufw let some ICMP through even where nothing else may pass.
    """
    bridge = bridge_of(live) or ""
    for entry in live.get("ips", []):
        version = ipaddress.ip_address(entry["address"]).version
        family: Family = "ip" if version == 4 else "ip6"
        guest = _some_guest(entry)
        if mode_of(live) in ("nat", "route") and uplink is not None:
            out = Packet(hook="forward", family=family, incoming=bridge, outgoing=uplink, source=guest, protocol="tcp")
            back = Packet(hook="forward", family=family, incoming=uplink, outgoing=bridge, destination=guest, protocol="tcp")
            yield Need("out", out)
            yield Need("out", replace(back, state="established"))
        if gives_addresses({**live, "ips": [entry]}):
            port, source = (67, "0.0.0.0") if version == 4 else (547, None)
            yield Need("dhcp", Packet(hook="input", family=family, incoming=bridge, source=source, protocol="udp", port=port))
        if live.get("dns", {}).get("enable", True):
            yield Need("dns", Packet(hook="input", family=family, incoming=bridge, source=guest, protocol="udp", port=53))
        yield Need("host", Packet(hook="output", family=family, outgoing=bridge, destination=guest, protocol="tcp"))
        answer = Packet(hook="input", family=family, incoming=bridge, source=guest, protocol="tcp", state="established")
        yield Need("host", answer)


def _some_guest(entry: Definition) -> str | None:
    """Return an address that a guest may have, None where the subnet has none."""
    own = ipaddress.ip_address(entry["address"])
    return next((str(address) for address in subnet_of(entry).hosts() if address != own), None)


def has_rules_of_libvirt(ruleset: Ruleset, live: Definition, family: Family) -> bool:
    """Say whether libvirt's rules for a network are there, and are come by."""
    bridge = bridge_of(live) or ""
    forward = [
        match
        for chain, rule in ruleset.reached("forward", family)
        if _is_of_libvirt(chain)
        for match in rule.matches
        if bridge in match.values
    ]
    if not {"incoming", "outgoing"} <= {match.subject for match in forward}:
        return False
    return not _is_translated(live, family) or any(
        rule.verdict.kind == "translate" and any(set(_subnets(live, family)) & set(match.values) for match in rule.matches)
        for chain, rule in ruleset.reached("postrouting", family)
        if _is_of_libvirt(chain)
    )


def _is_of_libvirt(chain: Chain) -> bool:
    return chain.table == _TABLE or chain.name.startswith(_CHAINS)


def _is_translated(live: Definition, family: Family) -> bool:
    if mode_of(live) != "nat":
        return False
    return family == "ip" or live.get("forward", {}).get("nat", {}).get("ipv6") is True


def _subnets(live: Definition, family: Family) -> list[t.Any]:
    found = [subnet_of(entry) for entry in live.get("ips", [])]
    return [subnet for subnet in found if subnet.version == (4 if family == "ip" else 6)]
