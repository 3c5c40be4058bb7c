# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What holds for any definition: by options, by document, and by a document that somebody broke."""

from __future__ import annotations

import copy
import re
import typing as t
from pathlib import Path

import libvirt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._format import tree
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import (
    definition_from_options,
    definition_from_xml,
    merge_definitions,
    normalise,
    render_xml,
    subnets_of,
)
from ansible_collections.kvmops.network.plugins.module_utils._network.elements import NETWORK
from ansible_collections.kvmops.network.plugins.module_utils._network.rules import find_problems
from ansible_collections.kvmops.network.tests.unit.plugins.support.strategies import definitions, network_names

if t.TYPE_CHECKING:
    Definition = dict[str, t.Any]

FIXTURES = Path(__file__).parent / "fixtures"
# The documents of a file, each after a comment with its name; Debian 11, 12 and 13 wrote them, and libvirt's test driver.
DUMPS: dict[str, str] = {}
for _path in sorted(FIXTURES.glob("networks.*.xml")):
    _parts = re.split(r"<!-- (.*) -->\n", _path.read_text())[1:]
    DUMPS.update({f"{_name} ({_path.stem})": _text for _name, _text in zip(_parts[::2], _parts[1::2])})

wanted = st.builds(lambda name, options: definition_from_options({"name": name, **options}), network_names, definitions())
normal = wanted.map(normalise)


# --- by options -----------------------------------------------------------------------------------------------------------------


@given(definition=normal)
def test_the_normal_form_is_final(definition: Definition) -> None:
    assert normalise(definition) == definition


@given(definition=normal)
def test_what_was_written_is_read_as_the_same(definition: Definition) -> None:
    assert definition_from_xml(render_xml(definition)) == definition


@given(definition=normal)
def test_it_is_written_in_one_way(definition: Definition) -> None:
    shuffled = copy.deepcopy(dict(reversed(list(definition.items()))))
    assert render_xml(normalise(shuffled)) == render_xml(definition)


@given(definition=normal)
def test_the_rules_have_nothing_against_what_libvirt_takes(definition: Definition) -> None:
    assert find_problems(definition) == []


@given(given_definition=wanted, replace=st.booleans(), purge=st.booleans())
def test_what_is_there_already_changes_nothing(given_definition: Definition, replace: bool, purge: bool) -> None:
    current = merge_definitions(None, given_definition, replace=replace, purge_hosts=purge)
    assert merge_definitions(current, given_definition, replace=replace, purge_hosts=purge) == current
    assert merge_definitions(current, current, replace=replace, purge_hosts=purge) == current


@given(first=wanted, second=wanted, replace=st.booleans(), purge=st.booleans())
def test_a_second_time_changes_nothing_and_nothing_is_spoiled(
    first: Definition, second: Definition, replace: bool, purge: bool
) -> None:
    current = merge_definitions(None, first, replace=False, purge_hosts=False)
    untouched = copy.deepcopy((current, second))
    try:
        once = merge_definitions(current, second, replace=replace, purge_hosts=purge)
    except InputError:
        # only where reservations would be lost
        assert not purge
        assert any(entry.get("dhcp", {}).get("hosts") for entry in current["ips"])
        return
    finally:
        assert (current, second) == untouched
    assert merge_definitions(once, second, replace=replace, purge_hosts=purge) == once


@given(first=wanted, second=wanted)
def test_replacing_and_purging_leaves_the_identity_only(first: Definition, second: Definition) -> None:
    first = {name: value for name, value in first.items() if name != "metadata"}  # that stays
    current = merge_definitions(None, first, replace=True, purge_hosts=True)
    result = merge_definitions(current, second, replace=True, purge_hosts=True)
    alone = merge_definitions(None, second, replace=True, purge_hosts=True)
    carried = {
        "uuid": result.get("uuid"),
        "mac": result.get("mac"),
        "bridge": {**alone.get("bridge", {}), "name": result.get("bridge", {}).get("name")},
    }
    assert normalise({**alone, **{key: value for key, value in carried.items() if value}}) == normalise(
        {**result, "bridge": carried["bridge"]}
    )


@given(first=wanted, second=wanted, replace=st.booleans())
def test_a_reservation_is_never_lost_while_its_address_stays(first: Definition, second: Definition, replace: bool) -> None:
    current = merge_definitions(None, first, replace=False, purge_hosts=False)
    served = {entry["address"]: entry for entry in current.get("ips", [])}
    second = {**second, "ips": [{"address": address, "prefix": served[address]["prefix"]} for address in served]}
    result = merge_definitions(current, second, replace=replace, purge_hosts=False)
    for entry in result.get("ips", []):
        before = served[entry["address"]].get("dhcp", {}).get("hosts", [])
        assert entry.get("dhcp", {}).get("hosts", []) == before
    for record in current.get("dns", {}).get("hosts", []):
        assert record["ip"] in [each["ip"] for each in result["dns"]["hosts"]]


# --- by documents that real daemons wrote ---------------------------------------------------------------------------------------


def test_there_are_documents() -> None:
    assert len(DUMPS) == 3 * 28 + 3


@pytest.mark.parametrize("name", [name for name in DUMPS if ", running" in name])
def test_a_running_network_is_no_different(name: str) -> None:
    # L1: what libvirt adds to a network that runs
    assert DUMPS[name] != ""
    assert definition_from_xml(DUMPS[name]) == definition_from_xml(DUMPS[name.replace(", running", "")])


@pytest.mark.parametrize("name", DUMPS)
def test_real_documents_are_read_whole(name: str) -> None:
    definition = definition_from_xml(DUMPS[name])
    assert normalise(definition) == definition
    assert definition_from_xml(render_xml(definition)) == definition
    assert find_problems(definition) == []
    assert tree.REST not in str(definition)


@pytest.mark.parametrize("name", DUMPS)
def test_what_is_written_of_real_documents_is_taken_by_libvirt(driver: libvirt.virConnect, name: str) -> None:
    definition = definition_from_xml(DUMPS[name])
    network = driver.networkDefineXML(render_xml(definition))
    assert definition_from_xml(network.XMLDesc(0)) == definition


# Parts of documents, right and wrong ones, to be put in the place of others.
_VALUES = "0 -1 1 33 129 65536 yes no on nat bridge hostdev none ::1 10.0.0.1 10.44.0.1/20 52:54:00:00:00:01"
_TAGS = """
    forward nat port address interface bridge mac mtu domain dns forwarder host hostname ip dhcp range lease route portgroup vlan
    tag bandwidth inbound virtualport parameters metadata x
"""
_values = st.one_of(st.sampled_from(_VALUES.split()), st.text(max_size=6))
_tags = st.sampled_from(_TAGS.split())


@st.composite
def broken(draw: st.DrawFn) -> str:
    """Return a real document in which some characters, words or lines were exchanged, doubled or lost."""
    text = draw(st.sampled_from(sorted(DUMPS.values())))
    for _time in range(draw(st.integers(1, 4))):
        kind = draw(st.integers(0, 4))
        if kind == 0:  # lines move
            lines = text.splitlines()
            line = draw(st.sampled_from(lines))
            text = text.replace(line, draw(st.sampled_from(["", line * 2, draw(st.sampled_from(lines))])), 1)
        elif kind == 1:  # another value
            parts = text.split("'")
            if len(parts) > 2:
                index = draw(st.integers(0, (len(parts) - 3) // 2)) * 2 + 1
                parts[index] = draw(_values).replace("'", "").replace("<", "").replace("&", "")
            text = "'".join(parts)
        elif kind == 2:  # another element
            old, new = draw(_tags), draw(_tags)
            text = text.replace(f"<{old} ", f"<{new} ").replace(f"</{old}>", f"</{new}>")
        elif kind == 3:  # an element more
            text = text.replace("</network>", f"<{draw(_tags)}/></network>")
        else:  # a piece is lost
            start = draw(st.integers(0, len(text)))
            text = text[:start] + text[start + draw(st.integers(0, 30)) :]
    return text


@given(text=st.one_of(broken(), st.text()))
def test_any_text_is_read_or_refused_and_the_rules_take_what_was_read(text: str) -> None:
    try:
        definition = definition_from_xml(text)
    except InputError:
        return
    assert normalise(definition) == definition
    render_xml(definition)
    subnets_of(definition)
    for problem in find_problems(definition):
        assert problem.endswith(".")
    for replace in (False, True):
        assert merge_definitions(definition, definition, replace=replace, purge_hosts=False)


def test_every_field_has_a_name_of_its_own() -> None:
    options = [field.option for field in NETWORK]
    assert len(options) == len(set(options))
