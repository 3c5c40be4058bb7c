# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""A guest's stored document with other NICs in it. All else in it stays as it is. Nothing here touches a host."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._format import document
from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import nics_of_document, render_element

try:
    from lxml import etree
except ImportError:
    pass  # said by document.LXML_IMPORT_ERROR, and checked before anything here is called

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lxml.etree import _Element as Element

    from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import Nic

__all__ = ["has_nics", "replace_nics"]


def has_nics(text: str, nics: Sequence[Nic]) -> bool:
    """Say whether these are the NICs of a stored document."""
    return nics_of_document(text, running=False) == list(nics)


def replace_nics(text: str, *, changed: Mapping[int, Nic | None], added: Sequence[Nic]) -> str:
    """Return the document with other NICs.

    `changed` are the NICs that take the place of those that are there, by their numbers from 0; None removes one. `added` come
    after those that are there.
    """
    root = document.parse_whole(text)
    devices = root.find("devices")
    if devices is None:
        devices = etree.SubElement(root, "devices")
    interfaces = devices.findall("interface")
    last = interfaces[-1] if interfaces else None
    for nic in added:
        element = _element(nic)
        element.tail = "\n    "
        if last is None:
            devices.append(element)
        else:
            # not addnext, with which old versions of lxml take the white space for that of both
            devices.insert(devices.index(last) + 1, element)
        last = element
    for number, replacement in changed.items():
        old = interfaces[number]
        if replacement is None:
            devices.remove(old)
        else:
            element = _element(replacement)
            element.tail = old.tail
            devices.replace(old, element)
    return etree.tostring(root, encoding="unicode")


def _element(nic: Nic) -> Element:
    return render_element(nic.definition, address=nic.address)
