# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Sections and keys: what is parsed, what is rendered, and that nothing is lost between."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._bridge.ini import (
    Section,
    first,
    merged,
    parse,
    render,
    without,
)

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9 .-]{0,10}[A-Za-z0-9]", fullmatch=True)
KEYS = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,10}", fullmatch=True)
# what a value of one line can be: nothing at its ends that is stripped, no backslash that would join the next line
VALUES = st.from_regex(r"([!-\[\]-~]([ -\[\]-~]{0,20}[!-\[\]-~])?)?", fullmatch=True)
SECTIONS = st.lists(
    st.builds(Section, NAMES, st.lists(st.tuples(KEYS, VALUES), min_size=1, max_size=4).map(tuple)), max_size=4
).map(tuple)


@given(sections=SECTIONS, comment=st.sampled_from(["", "one", "one\n\ntwo"]))
def test_what_was_rendered_is_parsed_to_the_same(sections: tuple[Section, ...], comment: str) -> None:
    text = render(sections, comment=comment)
    assert parse(text) == sections
    assert render(parse(text), comment=comment) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("Name=lost\n[Match]\nName=eth0\n", (Section("Match", (("Name", "eth0"),)),)),
        ("[Match]\n# Name=eth1\n; Name=eth2\n\n  Name = eth0  \n", (Section("Match", (("Name", "eth0"),)),)),
        ("[Network]\nDNS=\nDNS=192.0.2.1\n", (Section("Network", (("DNS", ""), ("DNS", "192.0.2.1"))),)),
        (
            "[Address]\nAddress=192.0.2.1/24\n[Address]\n",
            (Section("Address", (("Address", "192.0.2.1/24"),)), Section("Address")),
        ),
        ("[Route]\nnonsense\nGateway=192.0.2.1", (Section("Route", (("Gateway", "192.0.2.1"),)),)),
        ("[Network]\nDomains=a=b\n", (Section("Network", (("Domains", "a=b"),)),)),
        # systemd.syntax(7): a comment between the parts of a line is passed over
        ("[Network]\nDNS=192.0.2.1 \\\n# why\n  192.0.2.2\n", (Section("Network", (("DNS", "192.0.2.1 192.0.2.2"),)),)),
        ("[Network]\nDNS=192.0.2.1 \\", (Section("Network", (("DNS", "192.0.2.1"),)),)),
        ("[Network]\r\nDHCP=yes\r\n", (Section("Network", (("DHCP", "yes"),)),)),
    ],
)
def test_texts(text: str, expected: tuple[Section, ...]) -> None:
    assert parse(text) == expected


def test_rendered() -> None:
    sections = (Section("Match", (("Name", "eth0"),)), Section("Link"), Section("Network", (("DHCP", "yes"), ("DNS", "::1"))))
    assert render(sections) == "[Match]\nName=eth0\n\n[Network]\nDHCP=yes\nDNS=::1\n"
    assert render(sections, comment="a\n\nb").startswith("# a\n#\n# b\n\n[Match]\n")


def test_sections() -> None:
    sections = parse("[A]\nx=1\n[B]\ny=2\n[A]\nx=3\nz=4\n")
    assert first(sections, "A") == Section("A", (("x", "1"), ("x", "3"), ("z", "4")))
    assert first(sections, "A").values("x") == ["1", "3"]
    assert first(sections, "C") == Section("C")
    assert without(sections, "A", "C") == (Section("B", (("y", "2"),)),)
    assert first(sections, "A").keeping(lambda key, value: key == "x" and value != "1") == Section("A", (("x", "3"),))


def test_entries_are_added_to_the_last_section_of_their_name() -> None:
    sections = parse("[A]\nx=1\n[B]\ny=2\n[A]\nx=3\n")
    found = merged(sections, Section("A", (("n", "5"),)))
    assert found == (*sections[:2], Section("A", (("x", "3"), ("n", "5"))))
    assert merged(sections, Section("C", (("n", "5"),))) == (*sections, Section("C", (("n", "5"),)))
