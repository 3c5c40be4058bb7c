# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What networkd tells the servers and routers of a network, and what it takes from them.

Reference: systemd.network(5).
"""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import with_colons
from ansible_collections.kvmops.network.plugins.module_utils._bridge.ini import Section, merged
from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Identity

    Sections = tuple[Section, ...]

__all__ = ["with_identity", "with_token", "without_dns_of_others"]

_IDENTITY_KEYS = ("ClientIdentifier", "DUIDType", "DUIDRawData", "IAID")

_DUID_TYPES = {1: "link-layer-time", 2: "vendor", 3: "link-layer", 4: "uuid"}  # RFC 8415, section 11


def without_dns_of_others(sections: Sections) -> Sections:
    """Return the sections such that the name servers which servers and routers name are not asked."""
    for name in ("DHCPv4", "DHCPv6", "IPv6AcceptRA"):
        kept = [section.dropping("UseDNS") if section.name == name else section for section in sections]
        sections = merged(kept, Section(name, (("UseDNS", "no"),)))
    return sections


def with_identity(sections: Sections, identity: Identity, dhcp: tuple[int, ...]) -> Sections:
    """Return the sections with what servers know the host by; `dhcp` has the IP versions of which one is asked.

    Raises InputError for a client id that networkd cannot send from a bridge.
    """
    if 4 in dhcp and identity.dhcp4:
        kept = [section.dropping(*_IDENTITY_KEYS) if section.name in ("DHCP", "DHCPv4") else section for section in sections]
        sections = merged(kept, Section("DHCPv4", _dhcp4_entries(identity.dhcp4)))
    if identity.dhcp6 and identity.iaid is not None:
        kept = [section.dropping(*_IDENTITY_KEYS) if section.name == "DHCPv6" else section for section in sections]
        sections = merged(kept, Section("DHCPv6", (*_duid_entries(identity.dhcp6), ("IAID", str(identity.iaid)))))
    return sections


def _dhcp4_entries(client_id: str) -> tuple[tuple[str, str], ...]:
    """Return the keys that make networkd send a client id, which is given in hexadecimal digits. Source: RFC 4361, RFC 2132."""
    if client_id.startswith("ff") and len(client_id) > 14:
        return (("ClientIdentifier", "duid"), *_duid_entries(client_id[10:]), ("IAID", str(int(client_id[2:10], 16))))
    if client_id.startswith("01") and len(client_id) == 14:
        return (("ClientIdentifier", "mac"),)
    raise InputError(
        f"The uplink's DHCP client sends the id {client_id}, which systemd-networkd cannot be told to send from a bridge. Give "
        "it another one first (ClientIdentifier=mac, for instance), and reserve the host's address for that."
    )


def _duid_entries(duid: str) -> tuple[tuple[str, str], ...]:
    data, kind = duid[4:], int(duid[:4], 16)
    return (
        ("DUIDType", _DUID_TYPES.get(kind, str(kind))),
        ("DUIDRawData", with_colons(data)),
    )


def with_token(sections: Sections, token: str) -> Sections:
    """Return the sections with the host's own part of its IPv6 addresses, where that does not follow from the MAC address."""
    if not token:
        return sections
    kept = [section.dropping("Token") if section.name == "IPv6AcceptRA" else section for section in sections]
    return merged(kept, Section("IPv6AcceptRA", (("Token", f"static:{token}"),)))
