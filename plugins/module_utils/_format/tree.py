# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""One description of an XML format, from which documents are read, written, merged and compared.

A format is a tree of fields. The data that goes with it has the shape of the modules' options: a dict with the fields' option
names as keys, scalars in their canonical form (see codecs.py), lists for what may be repeated. What is not given is not in the
dict. What a document holds beyond the description is kept under the key "_rest", so that nothing that libvirt knows is lost when
a definition is read and written again.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._format import document
from ansible_collections.kvmops.network.plugins.module_utils._format.codecs import TEXT, Codec

try:
    from lxml import etree
except ImportError:
    pass  # said by document.LXML_IMPORT_ERROR, and checked before anything here is called

if t.TYPE_CHECKING:
    from lxml.etree import _Element as Element

    Data = dict[str, t.Any]

__all__ = [
    "REST",
    "Entries",
    "Field",
    "Fields",
    "Fragments",
    "Group",
    "Value",
    "coerce",
    "copied",
    "entry_key",
    "merge",
    "parse",
    "prune",
    "render",
    "without_rest",
]

REST = "_rest"


@dataclass(frozen=True)
class Value:
    """A scalar: an attribute ("@mode"), the text of an element ("name"), or an attribute of one ("mtu/@size").

    Here and in the following, `required` says that whoever gives what holds the field gives the field as well, and `since` which
    version of the format was the first to have it ("" where it does not matter).
    """

    option: str
    path: str
    codec: Codec = TEXT
    default: t.Any = None
    required: bool = False
    since: str = ""


@dataclass(frozen=True)
class Group:
    """An element that occurs once at most and has fields of its own."""

    option: str
    path: str
    fields: Fields
    since: str = ""


@dataclass(frozen=True)
class Entries:
    """An element that may be repeated.

    `item` is what one holds: fields, or one unnamed Value. `key` names the fields that tell one entry from another; the first of
    its alternatives that an entry has counts. `ordered` says that the order has a meaning. `kept` marks reservations: entries
    that a task does not mention stay.
    """

    option: str
    path: str
    item: Fields | Value
    key: tuple[tuple[str, ...], ...] = ()
    ordered: bool = False
    kept: bool = False
    required: bool = False
    since: str = ""


@dataclass(frozen=True)
class Fragments:
    """Elements below one element that belong to others, one for each namespace, each kept as canonical text."""

    option: str
    path: str
    since: str = ""


Field = t.Union[Value, Group, Entries, Fragments]
Fields = tuple[Field, ...]


# --- reading a document -------------------------------------------------------------------------------------------------------


def parse(fields: Fields, element: Element, where: str = "") -> Data:
    """Return the data of an element. Raises InputError, which names the option, if a value is not what it should be.

    The element is used up: what is left in it afterwards is the rest.
    """
    data: Data = {}
    for field in fields:
        found = _take(field, element, where)
        if found is not None:
            data[field.option] = found
    rest = _rest_of(element)
    if rest:
        data[REST] = rest
    return data


def _take(field: Field, element: Element, where: str) -> t.Any:
    name = _join(where, field.option)
    if isinstance(field, Value):
        return _take_value(field, element, name)
    if isinstance(field, Fragments):
        parent = element.find(field.path)
        if parent is None:
            return None
        element.remove(parent)
        return sorted(document.canonical_text(child) for child in parent if isinstance(child.tag, str)) or None
    if isinstance(field, Group):
        child = element.find(field.path)
        if child is None:
            return None
        data = parse(field.fields, child, name)
        element.remove(child)
        return data
    *parents, last = _split_path(field.path)
    holder = element
    for step in parents:
        below = holder.find(step)
        if below is None:
            return None
        holder = below
    entries = []
    for index, child in enumerate(holder.findall(last)):
        label = f"{name}[{index}]"
        if isinstance(field.item, Value):
            entries.append(_take_value(field.item, child, label))
        else:
            entries.append(parse(field.item, child, label))
        holder.remove(child)
    if holder is not element and not _rest_of(holder):
        element.remove(holder)
    return [entry for entry in entries if entry is not None] or None


def _take_value(field: Value, element: Element, name: str) -> t.Any:
    tag, attribute = _locate(field.path)
    holder = element.find(tag) if tag else element
    if holder is None:
        return None
    if attribute:
        text = holder.attrib.pop(attribute, None)
    else:
        text, holder.text = holder.text or "", None
    if holder is not element and not _rest_of(holder):
        element.remove(holder)
    if text is None:
        return None
    try:
        return field.codec.from_text(text)
    except ValueError as error:
        raise InputError(f"{name}: '{text}' {error}.") from None


def _rest_of(element: Element) -> list[str]:
    """Return what is left of an element: "@name=value" for attributes, text for elements."""
    left = [f"@{name}={value}" for name, value in sorted(element.attrib.items())]
    left += [document.canonical_text(child) for child in element]
    if element.text and element.text.strip():
        left.append(f"#{element.text.strip()}")
    return left


# --- writing a document -------------------------------------------------------------------------------------------------------


def render(fields: Fields, data: Data, element: Element) -> Element:
    """Write the data into an element, and return it."""
    for field in fields:
        value = data.get(field.option)
        if value is None:
            continue
        if isinstance(field, Value):
            _put_value(field, value, element)
        elif isinstance(field, Group):
            render(field.fields, value, _descend(element, field.path))
        elif isinstance(field, Fragments):
            parent = _descend(element, field.path)
            parent.extend(document.parse_fragment(text) for text in value)
        else:
            _put_entries(field, value, element)
    for text in data.get(REST, ()):
        if text.startswith("@"):
            name, _equals, content = text[1:].partition("=")
            element.set(name, content)
        elif text.startswith("#"):
            element.text = text[1:]
        else:
            _graft(element, document.parse_fragment(text))
    return element


def _put_entries(field: Entries, entries: list[t.Any], element: Element) -> None:
    if not entries:
        return
    *parents, last = _split_path(field.path)
    holder = element
    for step in parents:
        holder = _descend(holder, step)
    for entry in entries:
        child = etree.SubElement(holder, last)
        if isinstance(field.item, Value):
            _put_value(field.item, entry, child)
        else:
            render(field.item, entry, child)


def _put_value(field: Value, value: t.Any, element: Element) -> None:
    tag, attribute = _locate(field.path)
    holder = _descend(element, tag) if tag else element
    if attribute:
        holder.set(attribute, field.codec.to_text(value))
    else:
        holder.text = field.codec.to_text(value)


def _descend(element: Element, tag: str) -> Element:
    child = element.find(tag)
    return etree.SubElement(element, tag) if child is None else child


def _graft(element: Element, extra: Element) -> None:
    """Add an unknown element; where the known part of it was written already, only what is missing there."""
    same = element.findall(str(extra.tag))
    if len(same) != 1 or any(name in same[0].attrib for name in extra.attrib):
        element.append(extra)
        return
    for name, value in extra.attrib.items():
        same[0].set(name, value)
    for child in list(extra):
        same[0].append(child)


def _locate(path: str) -> tuple[str, str]:
    """Split the path of a value into an element's tag ("" for the element itself) and an attribute ("" for the text)."""
    tag, _at, attribute = path.partition("@")
    return tag.rstrip("/"), attribute


def _split_path(path: str) -> list[str]:
    """Split at slashes, but not at those of a namespace."""
    return re.findall(r"(?:\{[^}]*\})?[^/]+", path)


# --- from options -------------------------------------------------------------------------------------------------------------


def coerce(fields: Fields, options: t.Mapping[str, t.Any], where: str = "") -> Data:
    """Return the data that a task's options say. Options that are omitted (None) are not in it.

    Raises InputError, which names the option, its value and what is needed.
    """
    known = {field.option: field for field in fields}
    data: Data = {}
    for option, value in options.items():
        if value is None:
            continue
        name = _join(where, option)
        field = known[option]
        if isinstance(field, Group):
            data[option] = coerce(field.fields, value, name)
        elif isinstance(field, Entries):
            data[option] = [_coerce_entry(field, entry, f"{name}[{index}]") for index, entry in enumerate(value)]
            _refuse_twins(field, data[option], name)
        elif isinstance(field, Value):
            data[option] = _coerce_value(field, value, name)
        else:
            data[option] = _coerce_fragments(value, name)
    return data


def _coerce_fragments(value: list[t.Any], name: str) -> list[str]:
    texts: dict[str, str] = {}
    for index, given in enumerate(value):
        try:
            text = document.canonical_fragment(given)
        except ValueError as error:
            raise InputError(f"{name}[{index}]: '{given}' {error}.") from None
        namespace = document.namespace_of(text)
        if namespace in texts:
            raise InputError(f"{name}[{index}]: another element has the namespace '{namespace}' already; put both into one.")
        texts[namespace] = text
    return sorted(texts.values())


def _coerce_entry(field: Entries, entry: t.Any, name: str) -> t.Any:
    if isinstance(field.item, Value):
        return _coerce_value(field.item, entry, name)
    given = coerce(field.item, entry, name)
    if not given:
        raise InputError(f"{name}: says nothing; give one of its options, or leave it out.")
    return given


def _coerce_value(field: Value, value: t.Any, name: str) -> t.Any:
    try:
        return field.codec.from_option(value)
    except ValueError as error:
        raise InputError(f"{name}: '{value}' {error}.") from None


def _refuse_twins(field: Entries, entries: list[t.Any], name: str) -> None:
    seen: set[t.Any] = set()
    for entry in entries:
        key = entry_key(field, entry)
        if key is not None and key in seen:
            raise InputError(f"{name}: {' '.join(str(part) for part in key)} is there twice; leave one.")
        seen.add(key)


def entry_key(field: Entries, entry: t.Any) -> tuple[t.Any, ...] | None:
    """Return what tells this entry from the others, None where nothing does."""
    if isinstance(field.item, Value):
        return (entry,)
    for names in field.key:
        if all(name in entry for name in names):
            return tuple(entry[name] for name in names)
    return None


# --- merging ------------------------------------------------------------------------------------------------------------------


def merge(fields: Fields, current: Data, given: Data, *, replace: bool) -> Data:
    """Return what shall be, from what is and what a task says.

    With `replace`, what the task omits is left out, otherwise it stays as it is. Entries that are `kept` and fragments of others
    stay in both cases; a list is otherwise the whole list.
    """
    result: Data = {} if replace else dict(current)
    if REST in given:
        result[REST] = given[REST]
    for field in fields:
        before, wanted = current.get(field.option), given.get(field.option)
        if isinstance(field, Group):
            if wanted is None and not replace:
                continue
            merged = merge(field.fields, before or {}, wanted or {}, replace=replace)
            if wanted is not None or merged:
                result[field.option] = merged
            continue
        if isinstance(field, Entries):
            if wanted is not None or field.kept:
                result[field.option] = _merge_entries(field, before or [], wanted or [], replace=replace)
        elif isinstance(field, Fragments):
            if before or wanted:
                result[field.option] = _merge_fragments(before or [], wanted or [])
        elif wanted is not None:
            result[field.option] = wanted
    return result


def _merge_fragments(before: list[str], wanted: list[str]) -> list[str]:
    """Return the fragments of a task, and those of others: each owner has one, in a namespace of its own."""
    owners = {document.namespace_of(text) for text in wanted}
    return sorted([text for text in before if document.namespace_of(text) not in owners] + wanted)


def _merge_entries(field: Entries, before: list[t.Any], wanted: list[t.Any], *, replace: bool) -> list[t.Any]:
    if isinstance(field.item, Value):
        return list(wanted)
    by_key = {entry_key(field, entry): entry for entry in before}
    by_key[None] = {}  # an entry without a key is a new one
    merged = [merge(field.item, by_key.get(entry_key(field, entry), {}), entry, replace=replace) for entry in wanted]
    if field.kept:
        mentioned = {entry_key(field, entry) for entry in wanted}
        merged = [entry for entry in before if entry_key(field, entry) not in mentioned] + merged
    return merged


def copied(data: t.Any) -> t.Any:
    """Return a copy of data all the way down; many times faster than copy.deepcopy, which has to expect anything."""
    if isinstance(data, dict):
        return {key: copied(value) for key, value in data.items()}
    return [copied(value) for value in data] if isinstance(data, list) else data


def without_rest(data: t.Any) -> t.Any:
    """Return data without what no field describes; only a document shows that."""
    if isinstance(data, dict):
        return {key: without_rest(value) for key, value in data.items() if key != REST}
    return [without_rest(value) for value in data] if isinstance(data, list) else data


# --- the normal form ----------------------------------------------------------------------------------------------------------


def prune(fields: Fields, data: Data) -> Data:
    """Return the data without what is libvirt's default or empty, lists without an order sorted."""
    result: Data = {}
    for field in fields:
        value = data.get(field.option)
        if value is None or (isinstance(field, Value) and value == field.default):
            continue
        if isinstance(field, Group):
            value = prune(field.fields, value)
        elif isinstance(field, Entries):
            value = _prune_entries(field, value)
        if value not in ({}, []):
            result[field.option] = value
    if data.get(REST):
        result[REST] = data[REST]
    return result


def _prune_entries(field: Entries, entries: list[t.Any]) -> list[t.Any]:
    fields = field.item
    if not isinstance(fields, Value):
        entries = [entry for entry in (prune(fields, entry) for entry in entries) if entry]
    if field.ordered or len(entries) < 2:
        return entries
    return sorted(entries, key=lambda entry: (_natural(str(entry)), str(entry)))


def _natural(text: str) -> list[tuple[int, str]]:
    """Return a key that sorts numbers inside a text by their value, so that .20 comes before .100."""
    parts = re.split(r"([0-9]+)", text)
    numbers = [part.lstrip("0") if index % 2 else None for index, part in enumerate(parts)]
    return [(-1, part) if number is None else (len(number), number) for part, number in zip(parts, numbers)]


def _join(where: str, option: str) -> str:
    return f"{where}.{option}" if where else option
