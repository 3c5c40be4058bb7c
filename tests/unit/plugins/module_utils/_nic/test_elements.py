# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The table of a NIC's elements has all that libvirt's schema allows, or the reason why not is here."""

from __future__ import annotations

import functools
import typing as t
from pathlib import Path

import libvirt
from lxml import etree

from ansible_collections.kvmops.network.plugins.module_utils._format.codecs import Choice
from ansible_collections.kvmops.network.plugins.module_utils._format.tree import Entries, Fields, Group, Value
from ansible_collections.kvmops.network.plugins.module_utils._nic.elements import INTERFACE, MADE_TYPES
from ansible_collections.kvmops.network.plugins.module_utils._nic.options import DEFINITION_OPTIONS, NO_OPTIONS

SCHEMAS = Path("/usr/share/libvirt/schemas")
RNG = "{http://relaxng.org/ns/structure/1.0}"

_HOSTDEV = "a device of the host that a guest is handed"
_SOCKET = "QEMU's own networks of sockets"
_CONTAINER = "of LXC and OpenVZ containers"
_VHOSTUSER = "a switch of another program's"
_PLACE = "the place on a bus of the guest is kept beside the definition"
# What libvirt's schema allows of a NIC and the table does not have: it is kept as it is, see tree.REST.
UNKNOWN = {
    "interface/address": _PLACE,
    "interface/source/address": _HOSTDEV,
    "interface/source/@missing": _HOSTDEV,
    "interface/source/vendor": _HOSTDEV,
    "interface/source/product": _HOSTDEV,
    "interface/source/@address": _SOCKET,
    "interface/source/@port": _SOCKET,
    "interface/source/local": _SOCKET,
    "interface/source/@name": "networks of virtual machines of VirtualBox",
    "interface/source/@type": _VHOSTUSER,
    "interface/source/@path": _VHOSTUSER,
    "interface/source/reconnect": _VHOSTUSER,
    "interface/source/@switchid": "distributed switches of VMware",
    "interface/source/@portid": "the number of a port that libvirt made, and distributed switches of VMware",
    "interface/source/@portgroupid": "distributed switches of VMware",
    "interface/source/@connectionid": "distributed switches of VMware",
    "interface/source/@macTableManager": "the network's, which libvirt shows of running guests",
    "interface/source/ip": _CONTAINER,
    "interface/source/route": _CONTAINER,
    "interface/route": _CONTAINER,
    "interface/guest": _CONTAINER,
    "interface/mac/@type": "of VMware",
    "interface/mac/@check": "of VMware",
    "interface/mac/@currentAddress": "what a running guest has chosen, shown only",
    "interface/bandwidth/@classID": "libvirt's own number, of networks",
    "interface/backenddomain": "of Xen",
    "interface/driver/@model": _HOSTDEV,
}
# Of these, what only a newer libvirt's schema has.
NEWER = {"interface/mac/@currentAddress", "interface/driver/@model"}
# The schema of the oldest libvirt has less than the table.
OLD = libvirt.getVersion() < 9_000_000
NOT_IN_OLD = {
    "interface/acpi",
    "interface/backend/@type",
    "interface/backend/@logFile",
    "interface/portForward",
    "interface/driver/@rss",
    "interface/driver/@rss_hash_report",
    "interface/driver/@page_per_vq",
}
# Words that the schema has and the table has not: a document may have them, and a task cannot say them.
UNKNOWN_WORDS = {
    "interface/@type": {"server", "udp", "client", "internal", "vdpa", "vds", "null", "mcast", "hostdev", "vhostuser"},
    "interface/driver/@name": {"vfio", "kvm", "xen"},  # of hostdev
    "interface/source/@mode": {"client", "server"},  # of vhostuser
    "interface/teaming/@type": {"transient", "persistent"},  # no option
}


@functools.cache
def schema_paths() -> dict[str, set[str]]:
    """Return the path of each element and attribute that libvirt's schema allows in an interface, with its words."""
    defines: dict[str, list[t.Any]] = {}
    pending, read = ["domaincommon.rng"], set()
    while pending:
        name = pending.pop()
        if name in read:
            continue
        read.add(name)
        root = etree.parse(str(SCHEMAS / name)).getroot()
        pending += [one.get("href") for one in root.iter(f"{RNG}include")]
        for one in root.iter(f"{RNG}define"):
            defines.setdefault(one.get("name"), []).append(one)
    found: dict[str, set[str]] = {}

    def walk(node: t.Any, where: str) -> None:
        if not isinstance(node.tag, str):
            return
        if node.tag == f"{RNG}ref":
            for one in defines[node.get("name")]:
                walk(one, where)
            return
        if node.tag == f"{RNG}element":
            name = node.get("name")
            if name != "interface" and not where:
                return
            where = f"{where}/{name}".lstrip("/")
            found.setdefault(where, set())
        elif node.tag == f"{RNG}attribute":
            where = f"{where}/@{node.get('name')}"
            found.setdefault(where, set())
        elif node.tag == f"{RNG}value":
            found[where].add(node.text)
        for child in node:
            walk(child, where)

    for one in defines["interface"]:
        walk(one, "")
    return found


def known_paths(fields: Fields, where: str = "interface") -> dict[str, set[str]]:
    """Return the path of each element and attribute that the table has, with its words."""
    found: dict[str, set[str]] = {where: set()}
    for field in fields:
        if isinstance(field, Value):
            path = f"{where}/{field.path}"
            found[path] = set()
            if isinstance(field.codec, Choice):
                found[path] = set(field.codec.words)
            elif field.codec.option_type == "bool":
                found[path] = {field.codec.to_text(True), field.codec.to_text(False)}
            if "/@" in path:
                found.setdefault(path.partition("/@")[0], set())
        elif isinstance(field, (Group, Entries)):
            assert isinstance(field.fields if isinstance(field, Group) else field.item, tuple)
            found.update(
                known_paths(t.cast("Fields", field.fields if isinstance(field, Group) else field.item), f"{where}/{field.path}")
            )
    return found


def below(path: str, tops: t.Iterable[str]) -> bool:
    return any(path == top or path.startswith(f"{top}/") for top in tops)


def test_the_table_has_all_that_libvirts_schema_allows() -> None:
    known, allowed = known_paths(INTERFACE), schema_paths()
    assert len(allowed) > (170 if OLD else 190)
    assert {path for path in allowed.keys() - known.keys() if not below(path, UNKNOWN)} == set()
    assert OLD or UNKNOWN.keys() - allowed.keys() <= NEWER
    assert {path for path in known if below(path, UNKNOWN)} == set()


def test_the_table_has_all_words_that_libvirts_schema_allows() -> None:
    known, allowed = known_paths(INTERFACE), schema_paths()
    missing = {path: words - known[path] for path, words in allowed.items() if path in known and not words <= known[path]}
    assert missing.keys() == UNKNOWN_WORDS.keys()
    assert all(words <= UNKNOWN_WORDS[path] if OLD else words == UNKNOWN_WORDS[path] for path, words in missing.items())


def test_the_table_has_nothing_that_libvirts_schema_does_not_have() -> None:
    more = known_paths(INTERFACE).keys() - schema_paths().keys()
    assert {path for path in more if not (OLD and below(path, NOT_IN_OLD))} == set()


def test_a_word_that_a_document_may_have_beside_the_tables_can_be_read() -> None:
    fields = {f"interface/{field.path}": field for field in INTERFACE if isinstance(field, Value)}
    fields |= {
        f"interface/{group.path}/{field.path}": field for group in INTERFACE if isinstance(group, Group) for field in group.fields
    }
    for path, words in UNKNOWN_WORDS.items():
        for word in words:
            assert t.cast("Value", fields[path]).codec.from_text(word) == word


def test_a_task_makes_no_other_type() -> None:
    types = schema_paths()["interface/@type"]
    assert types == {*MADE_TYPES, *UNKNOWN_WORDS["interface/@type"]} or (OLD and set(MADE_TYPES) < types)
    assert DEFINITION_OPTIONS["type"]["choices"] == list(MADE_TYPES)


def option_names(fields: Fields, where: str = "") -> set[str]:
    found = set()
    for field in fields:
        found.add(where + field.option)
        if isinstance(field, Group):
            found |= option_names(field.fields, f"{where}{field.option}.")
        elif isinstance(field, Entries):
            found |= option_names(t.cast("Fields", field.item), f"{where}{field.option}.")
    return found


def spec_names(options: dict[str, t.Any], where: str = "") -> set[str]:
    found = set()
    for name, option in options.items():
        found |= {where + name} | spec_names(option.get("options", {}), f"{where}{name}.")
    return found


def test_each_field_is_an_option_or_has_a_reason_why_not() -> None:
    fields, options = option_names(INTERFACE), spec_names(DEFINITION_OPTIONS)
    assert set(NO_OPTIONS) <= fields
    assert {name for name in fields - options if not any(name == no or name.startswith(f"{no}.") for no in NO_OPTIONS)} == set()
    assert options <= fields - set(NO_OPTIONS)
