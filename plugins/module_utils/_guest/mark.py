# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What this collection writes into the metadata of a guest that it made. Nothing here touches a host.

Never change this element: it is in every guest that was made once. It says what the guest was made from, where libvirt's own
document does not, and which files were made for it.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._format import document

try:
    from lxml import etree
except ImportError:
    pass  # said by document.LXML_IMPORT_ERROR, and checked before anything here is called

if t.TYPE_CHECKING:
    from lxml.etree import _Element as Element

__all__ = ["Mark", "read_mark", "write_mark"]

_NAMESPACE = "urn:kvmops:network:guest"


@dataclass(frozen=True)
class Mark:
    """What is remembered of a guest. `name` tells it from a copy that somebody made; what is "" it has not."""

    name: str
    os_variant: str = ""
    arguments: tuple[str, ...] = ()
    image: str = ""
    image_use: str = ""
    disk: str = ""
    script: str = ""
    seed: str = ""


def read_mark(root: Element, name: str) -> Mark | None:
    """Return the mark in a guest's document, None if it has none of its own."""
    element = root.find(f"metadata/{{{_NAMESPACE}}}guest")
    if element is None or element.get("name") != name:
        return None
    values = {field: element.get(field, "") for field in Mark.__dataclass_fields__ if field != "arguments"}
    return Mark(**values, arguments=tuple(json.loads(element.get("arguments", "[]"))))


def write_mark(root: Element, mark: Mark) -> None:
    """Put a mark into a guest's document, in the place of the one that is there."""
    metadata = root.find("metadata")
    if metadata is None:
        metadata = etree.Element("metadata")
        place = next((index + 1 for index, child in reversed(list(enumerate(root))) if child.tag in _BEFORE), 0)
        root.insert(place, metadata)
    for old in metadata.findall(f"{{{_NAMESPACE}}}guest"):
        metadata.remove(old)
    element = etree.SubElement(metadata, etree.QName(_NAMESPACE, "guest"), nsmap={"kvmops": _NAMESPACE})
    for field in Mark.__dataclass_fields__:
        value = getattr(mark, field)
        text = json.dumps(list(value)) if field == "arguments" else value
        if value:
            element.set(field, text)
    document_text = document.canonical_text(element)
    metadata.replace(element, document.parse_fragment(document_text))


_BEFORE = ("name", "uuid", "genid", "title", "description")
