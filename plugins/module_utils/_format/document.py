# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""XML in and out, through lxml, without network access and without entities."""

from __future__ import annotations

import os
import re
import traceback
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError

try:
    from lxml import etree
except ImportError:
    LXML_IMPORT_ERROR: str | None = traceback.format_exc()
else:
    LXML_IMPORT_ERROR = None

if t.TYPE_CHECKING:
    from lxml.etree import _Element as Element

__all__ = [
    "LXML_IMPORT_ERROR",
    "canonical_fragment",
    "canonical_text",
    "find_schema",
    "namespace_of",
    "parse_document",
    "parse_fragment",
    "parse_whole",
    "pretty_text",
    "schema_problems",
    "split_namespace",
]


def parse_document(text: str, *, root: str) -> Element:
    """Return the root element of a document, without comments and without white space between elements.

    Raises InputError if the text is no XML or its root has another name.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_blank_text=True)
    try:
        element = etree.fromstring(_without_declaration(text).encode("utf-8"), parser)
    except (etree.XMLSyntaxError, UnicodeEncodeError, ValueError) as error:
        raise InputError(f"The XML cannot be read: {error}. Give one whole <{root}> document.") from None
    if element.getroottree().docinfo.doctype:
        raise InputError("The XML has a document type declaration; remove it.")
    _remove_comments(element)
    if element.tag != root:
        raise InputError(f"The XML is a <{element.tag!s}> document; a <{root}> document is needed.")
    return element


def parse_whole(text: str) -> Element:
    """Return the root element of a document of libvirt's, with all that is in it as it is."""
    return etree.fromstring(text.encode("utf-8"), etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))


def _without_declaration(text: str) -> str:
    """Leave out the XML declaration: the encoding that it names was a file's, and a text has none."""
    return re.sub(r"\A\s*<\?xml\s[^>]*\?>", "", text).lstrip()


def _remove_comments(element: Element) -> None:
    """Remove comments and processing instructions, but not those in what belongs to others."""
    for child in list(element):
        if isinstance(child, (etree._Comment, etree._ProcessingInstruction)):
            _remove(element, child)
        elif child.tag != _FOREIGN:
            _remove_comments(child)


def _remove(parent: Element, child: Element) -> None:
    """Remove a child, but not the text behind it."""
    before = child.getprevious()
    if before is None:
        parent.text = (parent.text or "") + (child.tail or "")
    else:
        before.tail = (before.tail or "") + (child.tail or "")
    parent.remove(child)


def canonical_text(element: Element) -> str:
    """Return the element on one line, attributes in order, so that equal elements have equal texts."""
    copy = parse_fragment(etree.tostring(element, with_tail=False))
    return etree.tostring(copy, method="c14n2").decode()


def canonical_fragment(text: str) -> str:
    """Return the canonical text of an element that someone else wrote.

    Raises ValueError with the end of a sentence if it is not one element with a namespace.
    """
    example = "give one such as <note xmlns='https://example.org/note'>…</note>"
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        element = etree.fromstring(text.encode("utf-8"), parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"is not one XML element ({error.msg}); {example}") from None
    except UnicodeEncodeError:
        raise ValueError("holds a character that XML cannot hold; remove it") from None
    if element.getroottree().docinfo.doctype:
        raise ValueError("has a document type declaration; remove it")
    if not etree.QName(element).namespace:
        raise ValueError(f"has no namespace, and libvirt would drop it; {example}")
    return canonical_text(element)


def namespace_of(text: str) -> str:
    """Return the namespace of a canonical element, "" if it has none."""
    return etree.QName(parse_fragment(text)).namespace or ""


def split_namespace(text: str) -> tuple[str, str, str] | None:
    """Return the prefix, the namespace and the rest of a canonical element, as libvirt takes metadata apart.

    None for an element that libvirt could not put together again: it has no prefix, or something in it has another namespace.
    """
    root = parse_fragment(text)
    namespace, prefix = etree.QName(root).namespace, root.prefix
    if not namespace or not prefix or any(set(element.nsmap) != {prefix} for element in root.iter(etree.Element)):
        return None
    names = [(element, etree.QName(element)) for element in root.iter(etree.Element)]
    if any(name.namespace != namespace for _element, name in names) or any(
        "}" in key for each, _name in names for key in each.attrib
    ):
        return None
    for element, name in names:
        element.tag = name.localname
    etree.cleanup_namespaces(root)
    return prefix, namespace, etree.tostring(root, encoding="unicode")


def parse_fragment(text: str | bytes) -> Element:
    """Return an element from a text that this module wrote."""
    return etree.fromstring(text, etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=True))


def pretty_text(element: Element) -> str:
    """Return the element as an indented document, but for what belongs to others, where white space may have a meaning."""
    foreign = [(parent, list(parent)) for parent in element.iterfind(_FOREIGN) if len(parent)]
    for parent, children in foreign:
        for child in children:
            parent.remove(child)
    etree.indent(element, space="  ")
    for parent, children in foreign:
        parent.text = "\n    "
        for child in children:
            child.tail = "\n    "
        parent.extend(children)
        parent[-1].tail = "\n  "
    return etree.tostring(element, encoding="unicode") + "\n"


def find_schema(name: str) -> str | None:
    """Return the file of one of libvirt's schemas, such as "network.rng", None where the host has it not."""
    return next((path for path in (f"{folder}/{name}" for folder in _FOLDERS) if os.path.exists(path)), None)


def schema_problems(text: str, *, schema: str) -> list[str]:
    """Return what one of libvirt's RELAX NG schemas says against a document; an empty list if it is valid.

    `schema` is a file. Source: libvirt's schemas lie in its data directory on every host that has the library.
    """
    validator = _load_schema(schema)
    if validator.validate(parse_fragment(_without_declaration(text))):
        return []
    return list(dict.fromkeys(entry.message for entry in validator.error_log))


# The element in whose children others keep what is theirs.
_FOREIGN = "metadata"

# Where libvirt's schemas lie; source: libvirt's packages of Debian, Fedora and SUSE, and its own default prefix.
_FOLDERS = ("/usr/share/libvirt/schemas", "/usr/local/share/libvirt/schemas")

_SCHEMAS: dict[str, t.Any] = {}


def _load_schema(path: str) -> t.Any:
    if path not in _SCHEMAS:
        _SCHEMAS[path] = etree.RelaxNG(etree.parse(os.fspath(path)))
    return _SCHEMAS[path]
