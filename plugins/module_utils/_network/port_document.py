# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.


"""The port by which a running guest's NIC is known to its network, as a document made from the NIC.

A network that is started anew knows of no guest. Source: virNetworkPortDefFormatBuf in libvirt.
"""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._format import document

try:
    from lxml import etree
except ImportError:
    pass  # said by document.LXML_IMPORT_ERROR, and checked before anything here is called

if t.TYPE_CHECKING:
    from lxml.etree import _Element as Element

__all__ = ["port_document"]

# What a port has of its NIC as it is.
_COPIED = ("bandwidth", "vlan", "virtualport", "port")


def port_document(nic: Element, *, guest: str, uuid: str, bridge: str) -> str | None:
    """Return the document of a NIC's port on a bridge, None for a NIC that libvirt gave no port."""
    source, mac = nic.find("source"), nic.find("mac")
    if source is None or mac is None or source.get("portid") is None:
        return None
    port = etree.Element("networkport")
    etree.SubElement(port, "uuid").text = source.get("portid")
    owner = etree.SubElement(port, "owner")
    etree.SubElement(owner, "name").text = guest
    etree.SubElement(owner, "uuid").text = uuid
    etree.SubElement(port, "mac", {"address": mac.get("address", "")})
    if source.get("portgroup") is not None:
        etree.SubElement(port, "group").text = source.get("portgroup")
    for name in _COPIED:
        found = nic.find(name)
        if found is not None:
            port.append(document.parse_document(etree.tostring(found).decode(), root=name))
    trusted = {"trustGuest": nic.get("trustGuestRxFilters", "no")}
    etree.SubElement(port, "rxfilters", trusted)
    etree.SubElement(port, "plug", {"type": "network", "bridge": bridge})
    return document.canonical_text(port)
