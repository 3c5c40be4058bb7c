# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What this collection writes into a network's metadata. Nothing here touches a host.

Never change these elements: they are in the networks of every host that was managed once. libvirt keeps one element of each
namespace, so that each of them has a namespace of its own.
"""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._format import document

try:
    from lxml import etree
except ImportError:
    pass  # said by document.LXML_IMPORT_ERROR, and checked before anything here is called

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    Definition = dict[str, t.Any]

__all__ = [
    "RESERVATIONS",
    "Claim",
    "find_foreign_mark",
    "has_mark",
    "namespaces_of",
    "order_fragment",
    "read_claims",
    "read_order",
    "with_claims",
    "with_mark",
]

_MANAGED = "urn:kvmops:network:managed"
_SUBNETS = "urn:kvmops:network:subnets"
RESERVATIONS = "urn:kvmops:network:reservations"


class Claim(t.NamedTuple):
    """A reservation that a task made for the NIC of a guest: `key` is the MAC address or the identifier of the host's entry."""

    domain: str
    mac: str
    key: str
    ip: str


def has_mark(definition: Definition) -> bool:
    """Say whether a network belongs to what the module libvirt_networks manages. A copy under another name does not."""
    return _mark(definition["name"]) in definition.get("metadata", [])


def namespaces_of(definition: Definition) -> set[str]:
    """Return by what the elements of a network's metadata are told apart."""
    return {document.namespace_of(text) for text in definition.get("metadata", [])}


def find_foreign_mark(definition: Definition) -> str | None:
    """Return an element of the metadata that looks like the mark and is not this network's, None if there is none."""
    for text in definition.get("metadata", []):
        if document.namespace_of(text) == _MANAGED and text != _mark(definition["name"]):
            return str(text)
    return None


def with_mark(definition: Definition) -> Definition:
    """Return the definition with the mark of what libvirt_networks manages."""
    others = [text for text in definition.get("metadata", []) if document.namespace_of(text) != _MANAGED]
    return {**definition, "metadata": sorted([*others, _mark(definition["name"])])}


def _mark(name: str) -> str:
    element = etree.Element(etree.QName(_MANAGED, "managed"), nsmap={"kvmops": _MANAGED})
    element.set("network", name)
    return document.canonical_text(element)


def order_fragment(subnets: Iterable[str]) -> str:
    """Return what records which of the subnets of pools is whose: they are in the order of the wishes."""
    element = etree.Element(etree.QName(_SUBNETS, "subnets"), nsmap={"kvmops": _SUBNETS})
    element.text = " ".join(subnets)
    return document.canonical_text(element)


def read_order(definition: Definition) -> list[str]:
    """Return the subnets that `order_fragment` recorded."""
    for text in definition.get("metadata", []):
        if document.namespace_of(text) == _SUBNETS:
            return (document.parse_fragment(text).text or "").split()
    return []


def read_claims(definition: Definition) -> list[Claim]:
    """Return which of the network's reservations belong to NICs that were made by a task."""
    for text in definition.get("metadata", []):
        if document.namespace_of(text) == RESERVATIONS:
            return [
                Claim(*(element.get(name, "") for name in Claim._fields))
                for element in document.parse_fragment(text)
                if element.attrib
            ]
    return []


def with_claims(definition: Definition, claims: Iterable[Claim]) -> Definition:
    """Return the definition with these as what belongs to NICs."""
    metadata = [text for text in definition.get("metadata", []) if document.namespace_of(text) != RESERVATIONS]
    wanted = sorted(set(claims))
    if wanted:
        root = etree.Element(etree.QName(RESERVATIONS, "reservations"), nsmap={"kvmops": RESERVATIONS})
        for claim in wanted:
            etree.SubElement(root, etree.QName(RESERVATIONS, "reservation"), claim._asdict())
        metadata.append(document.canonical_text(root))
    changed = {**definition, "metadata": sorted(metadata)}
    if not metadata:
        del changed["metadata"]
    return changed
