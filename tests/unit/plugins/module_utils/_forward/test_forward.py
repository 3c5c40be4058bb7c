# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Forwards: when two want the same, and how they are remembered."""

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._errors import RequirementError
from ansible_collections.kvmops.network.plugins.module_utils._forward.forward import Forward, read_record, write_record
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._forward.builders import forward, forward6, ports
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._forward.strategies import sets_of_forwards

PATH = "/var/lib/kvmops-network/port-forwards/forwards.json"
UNREADABLE = (
    f"{PATH} cannot be understood: somebody changed it, or a newer version of this collection wrote it. Use that version, or "
    "remove the file and run the tasks of all forwards of this host again."
)


@given(sets_of_forwards())
def test_what_is_written_is_read(found: dict[str, Forward]) -> None:
    text = write_record(found.values())
    assert read_record(text, path=PATH) == found
    assert write_record(reversed(list(found.values()))) == text


def test_nothing_is_remembered() -> None:
    assert read_record(None, path=PATH) == {}


def damaged() -> dict[str, t.Any]:
    """Return what somebody may have made of a record."""
    good = json.loads(write_record([forward()]))
    entry = good["forwards"][0]

    def with_entry(**values: t.Any) -> dict[str, t.Any]:
        return {**good, "forwards": [{**entry, **values}]}

    return {
        "no JSON": "{",
        "empty": "",
        "a list": [],
        "a text": "forwards",
        "null": None,
        "no format": {"forwards": []},
        "a newer format": {**good, "format": 2},
        "no forwards": {"format": 1},
        "forwards that are none": {"format": 1, "forwards": 7},
        "an entry that is none": {"format": 1, "forwards": [7]},
        "an entry without a name": {"format": 1, "forwards": [{key: entry[key] for key in entry if key != "name"}]},
        "an entry with more": with_entry(colour="red"),
        "ports that are text": with_entry(host_ports="8080"),
        "ports that are texts": with_entry(host_ports={"first": "8080", "last": "8080"}),
        "ports that are none": with_entry(guest_ports={"first": 0, "last": 0}),
        "reversed ports": with_entry(guest_ports={"first": 9, "last": 8}),
        "no address": with_entry(address="nowhere"),
        "an address that is a number": with_entry(address=7),
        "a host address that is none": with_entry(host_address="x; drop"),
        "protocols that are text": with_entry(protocols="tcp"),
        "other protocols": with_entry(protocols=["icmp"]),
        "a name that breaks out": with_entry(name='web" drop'),
        "a bridge that breaks out": with_entry(bridge='virbr0" accept; #'),
        "a subnet that is none": with_entry(subnet="all }"),
        "another method": with_entry(method="magic"),
    }


@pytest.mark.parametrize("kind", damaged())
def test_a_record_that_cannot_be_understood(kind: str) -> None:
    content = damaged()[kind]
    text = content if isinstance(content, str) and kind in ("no JSON", "empty") else json.dumps(content)
    with pytest.raises(RequirementError) as caught:
        read_record(text, path=PATH)
    assert str(caught.value) == UNREADABLE


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_any_other_text_is_no_record(content: t.Any) -> None:
    with pytest.raises(RequirementError):
        read_record(json.dumps(content), path=PATH)


@pytest.mark.parametrize(
    ("protocols", "address", "text", "version", "meet"),
    [
        (("tcp",), "", "8080", 4, True),
        (("udp", "tcp"), "203.0.113.4", "8000-8100", 4, True),
        (("udp",), "", "8080", 4, False),
        (("tcp",), "", "8081", 4, False),
        (("tcp",), "", "8080", 6, False),
    ],
)
def test_who_wants_the_same_port(protocols: tuple[str, ...], address: str, text: str, version: int, meet: bool) -> None:
    assert forward(host_ports="8080").meets(protocols, address, ports(text), version) is meet


def test_two_addresses_of_the_host_do_not_meet() -> None:
    one = forward(host_address="203.0.113.4")
    assert one.meets(("tcp",), "203.0.113.4", ports("8080"), 4)
    assert not one.meets(("tcp",), "203.0.113.5", ports("8080"), 4)


@pytest.mark.parametrize(
    ("found", "reached"),
    [
        (forward(), True),
        (forward(host_address="127.0.0.1"), True),
        (forward(host_address="127.9.9.9"), True),
        (forward(host_address="203.0.113.4"), False),
        (forward(method="open"), True),
        (forward(method="proxy"), False),
        (forward6(), False),
    ],
)
def test_who_reaches_it_by_loopback(found: Forward, reached: bool) -> None:
    assert found.reached_by_loopback is reached


def test_in_words() -> None:
    assert str(forward(guest_ports="80")) == "* tcp 8080 -> 192.168.122.10:80"
    assert str(forward6(host_ports="80-81", protocols=("tcp", "udp"), host_address="2001:db8::1")) == (
        "2001:db8::1 tcp+udp 80-81 -> [fd00:7a::10]:80-81"
    )
