# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""A network filter of libvirt as data, and what its document says. Nothing here touches a host.

Two filters are equal if they do the same: rules of one priority keep their order, for the rest it is the priority that counts,
and the order of references means nothing.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._format import document
from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.values import canonical_value

try:
    from lxml import etree
except ImportError:
    pass  # said by document.LXML_IMPORT_ERROR, and checked before anything here is called

if t.TYPE_CHECKING:
    from lxml.etree import _Element as Element

__all__ = ["MOST_PRIORITY", "Filter", "Match", "Reference", "Rule", "check_filter_name", "filter_from_xml", "render_xml"]

MOST_PRIORITY = 1000
_PRIORITY = MOST_PRIORITY // 2  # of a rule that says none
# Source: chain_priorities in libvirt's nwfilter_conf.c; a chain's name begins with one of them.
_CHAINS = {"root": 0, "stp": -810, "mac": -800, "vlan": -750, "ipv4": -700, "ipv6": -600, "arp": -500, "rarp": -400}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_FALSE = ("0", "false")
# The order in which libvirt writes attributes, as far as it is worth keeping.
_ORDER = (
    *("srcmacaddr", "srcmacmask", "dstmacaddr", "dstmacmask", "protocolid"),
    *("arpsrcmacaddr", "arpdstmacaddr", "arpsrcipaddr", "arpsrcipmask", "arpdstipaddr", "arpdstipmask"),
    *("srcipaddr", "srcipmask", "dstipaddr", "dstipmask", "protocol"),
    *("srcportstart", "srcportend", "dstportstart", "dstportend", "type", "typeend", "code", "codeend"),
)


class Match(t.NamedTuple):
    """Something that a packet has to have, or must not have."""

    attribute: str
    value: str
    negated: bool = False


@dataclass(frozen=True)
class Rule:
    """What becomes of a packet; `protocol` is libvirt's word for what it is about, "" for all."""

    action: str
    direction: str
    priority: int = _PRIORITY
    protocol: str = ""
    matches: tuple[Match, ...] = ()
    stateless: bool = False


class Reference(t.NamedTuple):
    """Another filter that is a part of this one, with values for its variables."""

    filter: str
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Filter:
    """A filter. Its UUID says which one it is, and nothing of what it does."""

    name: str
    chain: str = "root"
    priority: int = 0
    rules: tuple[Rule, ...] = ()
    references: tuple[Reference, ...] = ()
    uuid: str | None = field(default=None, compare=False)

    def in_order(self) -> Filter:
        """Return the same filter with its parts in the order in which they count."""
        rules = sorted(self.rules, key=lambda rule: rule.priority)  # stable
        return replace(self, rules=tuple(rules), references=tuple(sorted(self.references)))


def check_filter_name(option: str, name: str) -> str:
    """Return the name of a filter. Raises InputError where no NIC could name it."""
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{option}: '{name}' cannot name a filter; begin with a letter, and use letters, digits, '_', '.' and '-'."
        )
    return name


def filter_from_xml(text: str) -> Filter:
    """Return what a document says. Raises InputError if it is none of a filter."""
    root = document.parse_document(text, root="filter")
    name = root.get("name")
    if not name:
        raise InputError("The <filter> has no name; give it one.")
    chain = root.get("chain")
    return Filter(
        name=name,
        chain=chain or "root",
        priority=_read_chain_priority(chain, root.get("priority")),
        rules=tuple(_read_rule(element) for element in root.iterfind("rule")),
        references=tuple(_read_reference(element) for element in root.iterfind("filterref")),
        uuid=(root.findtext("uuid") or "").strip().lower() or None,
    ).in_order()


def _read_chain_priority(chain: str | None, priority: str | None) -> int:
    """Return the priority of a chain; libvirt passes over that of a filter which names no chain."""
    if chain is None:
        return 0
    if priority is not None:
        return _read_integer("the priority of the <filter>", priority)
    return next((number for prefix, number in _CHAINS.items() if chain.startswith(prefix)), 0)


def _read_integer(what: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InputError(f"The XML says '{text}' for {what}, which is no number; correct it.") from None


def _read_rule(element: Element) -> Rule:
    children = [child for child in element if isinstance(child.tag, str)]
    priority = element.get("priority")
    matches = [
        Match(str(attribute), canonical_value(str(attribute), str(value)), child.get("match") == "no")
        for child in children
        for attribute, value in child.attrib.items()
        if attribute != "match"
    ]
    return Rule(
        action=element.get("action", ""),
        direction=element.get("direction", ""),
        priority=_PRIORITY if priority is None else _read_integer("the priority of a <rule>", priority),
        protocol=str(children[0].tag) if children else "",
        matches=tuple(sorted(matches, key=_match_order)),
        stateless=element.get("statematch", "").lower() in _FALSE,
    )


def _match_order(match: Match) -> tuple[bool, int, str]:
    return match.negated, _ORDER.index(match.attribute) if match.attribute in _ORDER else len(_ORDER), match.attribute


def _read_reference(element: Element) -> Reference:
    parameters = [(each.get("name", ""), each.get("value", "")) for each in element.iterfind("parameter")]
    # the values of one parameter keep their order
    return Reference(element.get("filter", ""), tuple(sorted(parameters, key=lambda pair: pair[0])))


def render_xml(definition: Filter) -> str:
    """Return the document of a filter."""
    root = etree.Element("filter", name=definition.name, chain=definition.chain)
    if definition.priority:
        root.set("priority", str(definition.priority))
    if definition.uuid is not None:
        etree.SubElement(root, "uuid").text = definition.uuid
    for rule in definition.rules:
        _render_rule(root, rule)
    for reference in definition.references:
        element = etree.SubElement(root, "filterref", filter=reference.filter)
        for name, value in reference.parameters:
            etree.SubElement(element, "parameter", name=name, value=value)
    return document.pretty_text(root)


def _render_rule(root: Element, rule: Rule) -> None:
    element = etree.SubElement(root, "rule", action=rule.action, direction=rule.direction, priority=str(rule.priority))
    if rule.stateless:
        element.set("statematch", "false")
    if not rule.protocol:
        return
    for negated in (False, True):
        matches = [match for match in rule.matches if match.negated is negated]
        if not matches and (negated or rule.matches):
            continue
        child = etree.SubElement(element, rule.protocol)
        if negated:
            child.set("match", "no")
        for match in matches:
            child.set(match.attribute, match.value)
