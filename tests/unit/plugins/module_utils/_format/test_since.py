# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What of a definition is newer than a libvirt."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._format.codecs import TEXT, Choice
from ansible_collections.kvmops.network.plugins.module_utils._format.since import needs_of, too_new, version_number
from ansible_collections.kvmops.network.plugins.module_utils._format.tree import Entries, Fragments, Group, Value

FIELDS = (
    Value("old", "@old"),
    Value("new", "@new", since="9.1.0"),
    Value("word", "@word", Choice(("a", "b"), since=(("b", "10.0.0"),))),
    Group("group", "group", (Value("inner", "@inner", since="9.2.0"),)),
    Group("whole", "whole", (Value("inner", "@inner", since="9.4.0"),), since="9.3.0"),
    Entries("list", "list", (Value("each", "@each", since="9.5.0"),)),
    Entries("texts", "texts", Value("", "@text", TEXT)),
    Fragments("others", "others", since="9.6.0"),
)


@pytest.mark.parametrize(
    ("data", "needs"),
    [
        ({}, []),
        ({"old": "x", "texts": ["y"], "unknown": 1}, []),
        ({"new": "x"}, [("new", "x", "9.1.0")]),
        ({"new": False}, [("new", "False", "9.1.0")]),
        ({"new": None}, []),
        ({"word": "a"}, []),
        ({"word": "b"}, [("word 'b'", "", "10.0.0")]),
        ({"group": {"inner": "x"}}, [("group.inner", "x", "9.2.0")]),
        ({"group": {}}, []),
        ({"whole": {"inner": 1}}, [("whole", "{'inner': 1}", "9.3.0"), ("whole.inner", "1", "9.4.0")]),
        ({"list": [{"each": 1}, {}, {"each": 2}]}, [("list.each", "1", "9.5.0"), ("list.each", "2", "9.5.0")]),
        ({"others": ["<a/>"]}, [("others", "['<a/>']", "9.6.0")]),
    ],
)
def test_what_needs_a_version(data: dict[str, t.Any], needs: list[tuple[str, str, str]]) -> None:
    assert list(needs_of(FIELDS, data)) == needs


@pytest.mark.parametrize(
    ("since", "version", "new"),
    [
        ("9.1.0", "9.0.0", True),
        ("9.1.0", "9.1.0", False),
        ("9.1.0", "9.1.1", False),
        ("9.1.0", "10.0.0", False),
        ("10.0.0", "9.9.9", True),
        ("7.0", "7.0.0", False),
    ],
)
def test_versions_are_compared_as_numbers(since: str, version: str, new: bool) -> None:
    sentence = (
        f"mtu: needs libvirt {since} or later, and the libvirt of this host is {version}; leave it out, or upgrade libvirt."
    )
    assert too_new([("mtu", "5", since)], version) == ([sentence] if new else [])


def test_a_version_in_numbers() -> None:
    assert version_number("11.3.0") == (11, 3, 0)
    assert version_number("7.0") < version_number("7.0.0") < version_number("7.0.1") < version_number("11.0")
