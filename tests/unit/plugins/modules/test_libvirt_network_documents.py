# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Documents that libvirt accepts: accepted, idempotent, and the same as typed options and in libvirt's own words.

They are those in documents/, at least one for each element, attribute and word of the format, and what libvirt's packages
install. Those whose names begin with "odd-" are taken with a warning.
"""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import libvirt
import pytest
from lxml import etree

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._format import document, tree
from ansible_collections.kvmops.network.plugins.module_utils._format.codecs import Choice
from ansible_collections.kvmops.network.plugins.module_utils._format.tree import Fields, Fragments, Group, Value
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import (
    definition_from_options,
    definition_from_xml,
    merge_definitions,
)
from ansible_collections.kvmops.network.plugins.module_utils._network.elements import DNSMASQ_NAMESPACE, NETWORK
from ansible_collections.kvmops.network.plugins.module_utils._network.rules import find_oddities, find_problems
from ansible_collections.kvmops.network.plugins.module_utils._network.versions import find_too_new
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import (
    apply,
    clear,
    dump,
    network_task,
    predict,
    snapshot,
)

SCHEMAS = Path("/usr/share/libvirt/schemas")
OURS = sorted((Path(__file__).parents[1] / "documents").glob("*.xml"))
INSTALLED = sorted(
    path for folder in ("/usr/share/libvirt/networks", "/etc/libvirt/qemu/networks") for path in Path(folder).glob("*.xml")
)
# libvirt's test driver has no dnsmasq, and drops its options.
NOT_OF_THE_DRIVER = {"dnsmasq_options"}
# What typed options cannot say: they tell the reservations of a network apart by MAC address.
SAID_BY_XML_ALONE = {"odd-reservations-for-one-guest"}


def read(path: Path) -> tuple[str, dict[str, t.Any]]:
    text = path.read_text(encoding="utf-8")
    return text, definition_from_xml(text)


def version_of(driver: libvirt.virConnect) -> str:
    number = driver.getLibVersion()
    return f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"


def define(driver: libvirt.virConnect, text: str) -> str:
    """Define a network with bare libvirt, and return what libvirt writes."""
    if hasattr(libvirt, "VIR_NETWORK_DEFINE_VALIDATE"):  # libvirt 7.7 and later
        return str(driver.networkDefineXMLFlags(text, libvirt.VIR_NETWORK_DEFINE_VALIDATE).XMLDesc(0))
    return str(driver.networkDefineXML(text).XMLDesc(0))


def without_generated(value: t.Any) -> t.Any:
    """Return a definition or a document without what libvirt makes up."""
    if isinstance(value, str):
        return re.sub(r" *<(uuid>.*</uuid|mac address=.*/)>\n", "", value)
    return {key: item for key, item in value.items() if key not in ("uuid", "mac")}


def rest_of(value: t.Any) -> list[str]:
    if isinstance(value, dict):
        return [text for key, item in value.items() for text in (item if key == tree.REST else rest_of(item))]
    return [text for item in value for text in rest_of(item)] if isinstance(value, list) else []


@pytest.fixture(params=OURS + INSTALLED, ids=lambda found: found.stem if found in OURS else str(found))
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def test_there_are_documents() -> None:
    assert len(OURS) >= 70
    names = [read(path)[1]["name"] for path in OURS]
    assert len(set(names)) == len(names)


def test_documents_that_are_installed() -> None:
    if not INSTALLED:
        daemons = [path for path in ("/usr/sbin/libvirtd", "/usr/sbin/virtnetworkd") if Path(path).exists()]
        assert daemons == []
        pytest.skip("there is no libvirt daemon here, whose packages bring some")


def test_nothing_needs_xml_and_no_rule_is_against_it(path: Path) -> None:
    _text, definition = read(path)
    assert rest_of(definition) == []
    assert find_problems(definition) == []
    assert bool(find_oddities(definition)) is path.name.startswith("odd-")


def test_typed_options_say_the_same(path: Path) -> None:
    _text, definition = read(path)
    if definition["name"] in SAID_BY_XML_ALONE:
        with pytest.raises(InputError, match="is there twice; leave one"):
            definition_from_options(definition)
        return
    given = definition_from_options(definition)
    for current in (None, {"name": definition["name"]}, definition):
        for replace in (False, True):
            assert merge_definitions(current, given, replace=replace, purge_hosts=False) == definition


def test_an_older_libvirt_is_said_and_a_newer_one_takes_it(driver: libvirt.virConnect, path: Path) -> None:
    text, definition = read(path)
    too_new = find_too_new(definition, version_of(driver))
    typed = {key: value for key, value in definition.items() if key not in ("name", "uuid")} or {"forward": {"mode": "none"}}
    for options in ({"xml": text}, *(() if definition["name"] in SAID_BY_XML_ALONE else (typed,))):
        for check in (True, False):
            clear(driver)
            result = network_task(check=check, name=definition["name"], **options)
            oddities = find_oddities(definition) if options is typed else []
            if oddities:
                assert result.msg == " ".join(oddities)
                assert snapshot(driver) == {}
            elif too_new:
                assert result.msg == " ".join(too_new)
                assert snapshot(driver) == {}
            elif check or not NOT_OF_THE_DRIVER & definition.keys():
                assert (result.failed, result.changed) == (False, True), result.msg


def accepted(driver: libvirt.virConnect, definition: dict[str, t.Any]) -> bool:
    """Say whether the driver takes and keeps all of a definition, which the test above is for where it does not."""
    return not find_too_new(definition, version_of(driver)) and not NOT_OF_THE_DRIVER & definition.keys()


def test_libvirt_takes_it_and_means_the_same(driver: libvirt.virConnect, path: Path) -> None:
    text, definition = read(path)
    if find_too_new(definition, version_of(driver)):
        return
    assert document.schema_problems(text, schema=str(SCHEMAS / "network.rng")) == []
    shown = definition_from_xml(define(driver, text))
    assert rest_of(shown) == []
    kept = {key: value for key, value in definition.items() if key not in NOT_OF_THE_DRIVER}
    assert without_generated(shown) == without_generated(kept)
    assert {key: shown.get(key) for key in kept} == kept


def test_the_module_takes_it_once_and_libvirts_own_words_are_no_difference(driver: libvirt.virConnect, path: Path) -> None:
    text, definition = read(path)
    if not accepted(driver, definition):
        return
    name = definition["name"]
    assert apply(name=name, xml=text).changed
    before = snapshot(driver)
    for again in (text, dump(driver, name)):
        for run in (predict, apply):
            second = run(name=name, xml=again)
            assert not second.changed
            assert second.diff is None
    assert snapshot(driver) == before


def test_what_bare_libvirt_defined_is_no_difference(driver: libvirt.virConnect, path: Path) -> None:
    text, definition = read(path)
    if not accepted(driver, definition):
        return
    define(driver, text)
    before = snapshot(driver)
    typed = {key: value for key, value in definition.items() if key not in ("name", "uuid")}
    by_options = {"definition": "replace", "forward": {"mode": "none"}, **typed}
    for options in ({"xml": text}, *(() if definition["name"] in SAID_BY_XML_ALONE else (by_options,))):
        result = apply(name=definition["name"], state="present", autostart=False, **options)
        assert not result.changed
        assert result.diff is None
    assert snapshot(driver) == before


def test_what_the_module_shows_can_be_said_in_typed_options(driver: libvirt.virConnect, path: Path) -> None:
    text, definition = read(path)
    if not accepted(driver, definition) or definition["name"] in SAID_BY_XML_ALONE:
        return
    name = definition["name"]
    shown = apply(name=name, xml=text).network["definition"]
    by_text = dump(driver, name)
    for mode in ("merge", "replace"):
        assert not apply(name=name, definition=mode, **shown).changed
    if find_oddities(definition):
        return  # what is there may be said, but not made in options
    clear(driver)
    uuid = {"uuid": definition["uuid"]} if "uuid" in definition else {}
    assert apply(name=name, **uuid, **shown).changed
    assert without_generated(dump(driver, name)) == without_generated(by_text)


# --- coverage -----------------------------------------------------------------------------------------------------------------


def known_paths(fields: Fields, where: str = "network") -> dict[str, set[str]]:
    """Return the path of each element and attribute of the table, with the words that it may be."""
    found: dict[str, set[str]] = {}
    below: dict[str, Fields] = {}

    def add(path: str, words: t.Iterable[str] = ()) -> None:
        element, _at, attribute = path.partition("/@")
        steps = re.findall(r"(?:\{[^}]*\})?[^/]+", element)
        for length in range(1, len(steps) + 1):
            found.setdefault("/".join(steps[:length]), set())
        found.setdefault(f"{element}/@{attribute}" if attribute else element, set()).update(words)

    for field in fields:
        path = f"{where}/{field.path}" if field.path else where
        if isinstance(field, Value):
            add(path, words_of(field))
        elif isinstance(field, Fragments):
            add(f"{path}/*")
        elif isinstance(field, Group):
            below[path] = field.fields
        elif isinstance(field.item, Value):
            add(f"{path}/{field.item.path}" if field.item.path else path)
        else:
            below[path] = field.item
    for path, held in below.items():
        add(path)
        for inner, words in known_paths(held, path).items():
            found.setdefault(inner, set()).update(words)
    return found


def words_of(field: Value) -> set[str]:
    if isinstance(field.codec, Choice):
        return set(field.codec.words)
    if field.codec.option_type == "bool":
        return {field.codec.to_text(True), field.codec.to_text(False)}
    return set()


# What no document that libvirt takes can have.
NEVER_WRITTEN = {
    "network/forward/@mode=none": "libvirt's schema writes an isolated network without forward",
    "network/vlan/@trunk=no": "libvirt's schema leaves it out instead",
    "network/portgroup/vlan/@trunk=no": "libvirt's schema leaves it out instead",
    "network/domain/@register=no": "it is the default, and libvirt before 10.1 takes no document with it",
    **{
        f"network/{scope}bandwidth/{direction}/@floor": "libvirt takes it in a guest's interface only"
        for scope in ("", "portgroup/")
        for direction in ("inbound", "outbound")
    },
}


def test_each_field_and_each_word_is_in_a_document() -> None:
    written: dict[str, set[str]] = {}

    def walk(element: t.Any, where: str) -> None:
        path = f"{where}/{element.tag}" if where != "network/metadata" else "network/metadata/*"
        written.setdefault(path.lstrip("/"), set())
        for name, value in element.attrib.items():
            written.setdefault(f"{path}/@{name}".lstrip("/"), set()).add(value)
        if path.lstrip("/") != "network/metadata/*":
            for child in element:
                walk(child, path.lstrip("/"))

    for file in OURS:
        walk(etree.fromstring(file.read_bytes(), etree.XMLParser(remove_comments=True)), "")
    missing = set()
    for known, words in known_paths(NETWORK).items():
        if known not in written:
            missing.add(known)
        missing |= {f"{known}={word}" for word in words - written.get(known, set())} if known in written else set()
    assert missing == set(NEVER_WRITTEN)


# What libvirt's schema allows in a network's document and the table does not have.
NOT_IN_THE_TABLE = {
    "network/@connections": "libvirt counts guests there while the network runs",
    "network/forward/interface/@connections": "libvirt counts guests there while the network runs",
    "network/forward/address/@connections": "libvirt counts guests there while the network runs",
    "network/bandwidth/@classID": "libvirt's own number, while the network runs",
    "network/portgroup/bandwidth/@classID": "libvirt's own number, while the network runs",
    "network/forward/address/@multifunction": "of a device of a guest; libvirt drops it here",
}

RNG = "{http://relaxng.org/ns/structure/1.0}"


def schema_paths(folder: Path) -> dict[str, set[str]]:
    """Return the path of each element and attribute that libvirt's schema allows, with the words that it may be."""
    defines: dict[str, list[t.Any]] = {}
    pending, start = ["network.rng"], None
    while pending:
        root = etree.parse(str(folder / pending.pop())).getroot()
        pending += [one.get("href") for one in root.iter(f"{RNG}include")]
        for one in root.iter(f"{RNG}define"):
            defines.setdefault(one.get("name"), []).append(one)
        start = root.find(f"{RNG}start") if start is None else start
    assert start is not None
    found: dict[str, set[str]] = {}

    def walk(node: t.Any, where: str, namespace: str) -> None:
        if not isinstance(node.tag, str):
            return
        namespace = node.get("ns", namespace)
        if node.tag == f"{RNG}ref":
            for one in defines[node.get("name")]:
                walk(one, where, namespace)
            return
        if node.tag == f"{RNG}element":
            name = node.get("name")
            where = f"{where}/{f'{{{namespace}}}{name}' if namespace and name else name or '*'}".lstrip("/")
            found.setdefault(where, set())
            if name is None:
                return
        elif node.tag == f"{RNG}attribute":
            where = f"{where}/@{node.get('name')}"
            found.setdefault(where, set())
        elif node.tag == f"{RNG}value":
            found[where].add(node.text)
        for child in node:
            walk(child, where, namespace)

    walk(start, "", "")
    return found


def test_the_table_has_all_that_libvirts_schema_allows() -> None:
    known, allowed = known_paths(NETWORK), schema_paths(SCHEMAS)
    assert {"network/ip/dhcp/host/lease/@unit", "network/dns/host/hostname", f"network/{{{DNSMASQ_NAMESPACE}}}options"} < set(
        allowed
    )
    assert len(allowed) > 130
    assert set(allowed) - set(known) == set(NOT_IN_THE_TABLE)
    for path, words in allowed.items():
        assert words <= known.get(path, words), path
