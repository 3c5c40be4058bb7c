# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The text of interfaces(5): what is read of it, and that what is written is read the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._bridge.interfaces_file import (
    Stanza,
    parse,
    render,
    stanzas_of,
)


def test_a_file_of_debian() -> None:
    text = """\
# This file describes the network interfaces available on your system
source /etc/network/interfaces.d/*

# The loopback network interface
auto lo
iface lo inet loopback

allow-hotplug eth0
iface eth0 inet static
\taddress 192.0.2.10/24
\t# by hand
\tgateway 192.0.2.1
\tup ip route add 203.0.113.0/24 via 192.0.2.1   dev eth0
"""
    assert parse(text) == (
        Stanza("source", ("/etc/network/interfaces.d/*",)),
        Stanza("auto", ("lo",)),
        Stanza("iface", ("lo", "inet", "loopback")),
        Stanza("allow-hotplug", ("eth0",)),
        Stanza(
            "iface",
            ("eth0", "inet", "static"),
            (
                ("address", "192.0.2.10/24"),
                ("gateway", "192.0.2.1"),
                ("up", "ip route add 203.0.113.0/24 via 192.0.2.1   dev eth0"),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("up a \\\n   b\n", (("up", "a     b"),)),
        ("up a\\\nb\n", (("up", "a b"),)),
        ("up a \\\n# b\n", (("up", "a  # b"),)),
        ("up a # b\n", (("up", "a # b"),)),
        ("  #up a\n\n\n up b\n", (("up", "b"),)),
        ("up a\\", (("up", "a"),)),
        ("privext\n", (("privext", ""),)),
        ("auto eth1\naddress 192.0.2.1\n", ()),
        ("source x\nup a\n", ()),
    ],
)
def test_lines(text: str, options: tuple[tuple[str, str], ...]) -> None:
    assert parse(f"address 192.0.2.9\niface eth0 inet dhcp\n{text}")[0] == Stanza("iface", ("eth0", "inet", "dhcp"), options)


def test_a_stanza_says_what_it_has() -> None:
    [stanza] = parse("iface eth0 inet6 static\n address a\n address b\n bond_mode 1\n")
    assert (stanza.name, stanza.family, stanza.method) == ("eth0", "inet6", "static")
    assert (stanza.last("address"), stanza.last("gateway"), stanza.values("bond-mode")) == ("b", "", ["1"])
    [bare] = parse("iface\n")
    assert (bare.name, bare.family, bare.method) == ("", "", "")


def test_stanzas_of_an_interface() -> None:
    found = parse("iface eth0 inet dhcp\niface eth0:1 inet static\nauto eth0\niface eth0 inet6 auto\nmapping eth0\n script x\n")
    assert [stanza.words for stanza in stanzas_of(found, "eth0")] == [("eth0", "inet", "dhcp"), ("eth0", "inet6", "auto")]


def test_what_is_written() -> None:
    stanzas = [
        Stanza("mapping", ("eth0",), (("script", "grep"), ("map", "x"))),
        Stanza("auto", ("br0",)),
        Stanza("iface", ("br0", "inet", "dhcp")),
    ]
    assert render(stanzas, comment="one\n\ntwo") == (
        "# one\n#\n# two\n\nmapping eth0\n\tscript grep\n\tmap x\n\nauto br0\niface br0 inet dhcp\n"
    )
    assert render([]) == ""


_WORD = st.text("abc0.:-/_$#'\"", min_size=1, max_size=8).filter(lambda text: not text.startswith("#"))
_KEY = st.sampled_from(["address", "gateway", "up", "post-down", "bond_mode", "x"])
_VALUE = st.lists(_WORD, max_size=3).map(" ".join)
_STANZA = st.one_of(
    st.builds(
        Stanza,
        st.sampled_from(["iface", "mapping"]),
        st.lists(_WORD, max_size=3).map(tuple),
        st.lists(st.tuples(_KEY, _VALUE), max_size=4).map(tuple),
    ),
    st.builds(Stanza, st.sampled_from(["auto", "allow-hotplug", "source"]), st.lists(_WORD, max_size=3).map(tuple)),
)


@given(st.lists(_STANZA, max_size=5).map(tuple), st.text("ab \n", max_size=12))
def test_what_is_written_is_read_the_same(stanzas: tuple[Stanza, ...], comment: str) -> None:
    assert parse(render(stanzas, comment=comment)) == stanzas


@given(st.text("aiface uto#\\\n\t 0", max_size=60))
def test_any_text_is_read(text: str) -> None:
    found = parse(text)
    assert parse(render(found)) == found
