# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

from __future__ import annotations

import ipaddress
import re
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._format.codecs import (
    ADDRESS,
    FILLED,
    FILLED_LINE,
    LINE,
    LINES,
    MAC,
    NETMASK,
    ON_OFF,
    TEXT,
    UUID,
    YES_NO,
    BusNumber,
    Choice,
    Codec,
    Number,
)

BYTE = Number(0, 255)
WORDS = Choice(("tcp", "udp"))
GROWING = Choice(("tcp", "udp"), grows=True)
ANY_BASE = Number(0, 255, any_base=True)
SLOT = BusNumber(0x1F, 2)

CODECS = [
    ADDRESS,
    ANY_BASE,
    BYTE,
    FILLED,
    FILLED_LINE,
    GROWING,
    LINE,
    LINES,
    MAC,
    NETMASK,
    ON_OFF,
    SLOT,
    TEXT,
    UUID,
    WORDS,
    YES_NO,
    Number(0, 2**64 - 1),
]


@pytest.mark.parametrize(
    ("codec", "option", "canonical"),
    [
        (ADDRESS, "192.168.101.1", "192.168.101.1"),
        (ADDRESS, "FD00:0101:0000::0001", "fd00:101::1"),
        (MAC, "52:54:00:AB:CD:EF", "52:54:00:ab:cd:ef"),
        (MAC, "52:54:0:0:0:A", "52:54:00:00:00:0a"),
        (UUID, "1B4F0C34-3A39-4A26-A21F-6F0A3B1E0A6E", "1b4f0c34-3a39-4a26-a21f-6f0a3b1e0a6e"),
        (UUID, "1b4f0c343a394a26a21f6f0a3b1e0a6e", "1b4f0c34-3a39-4a26-a21f-6f0a3b1e0a6e"),
        (NETMASK, "255.255.255.0", 24),
        (NETMASK, "0.0.0.0", 0),
        (NETMASK, "255.255.255.255", 32),
        (BYTE, 0, 0),
        (BYTE, 255, 255),
        (WORDS, "udp", "udp"),
        (YES_NO, True, True),
        (FILLED, "a b", "a b"),
        (LINE, "", ""),
        (LINE, " a  b ", " a  b "),
        (FILLED_LINE, "a b", "a b"),
        (LINES, "a\r\nb\rc\n", "a\nb\nc\n"),
        (TEXT, "", ""),
        (TEXT, "a\tb\nc", "a\tb\nc"),
    ],
)
def test_options_have_one_canonical_value(codec: Codec, option: t.Any, canonical: t.Any) -> None:
    value = codec.from_option(option)
    assert value == canonical
    assert type(value) is type(canonical)


@pytest.mark.parametrize(
    ("codec", "text", "canonical"),
    [
        (YES_NO, "yes", True),
        (YES_NO, "no", False),
        (ON_OFF, "on", True),
        (ON_OFF, "off", False),
        (BYTE, "007", 7),
        (BYTE, " 7 ", 7),
        (Number(0, 2**64 - 1), "18446744073709551615", 2**64 - 1),
        (ANY_BASE, "0x1F", 31),
        (ANY_BASE, "017", 15),
        (ANY_BASE, "10", 10),
        (ANY_BASE, "0", 0),
        (SLOT, "0x1F", "0x1f"),
        (SLOT, "10", "0x0a"),
        (SLOT, "010", "0x08"),
        (SLOT, "0", "0x00"),
        (GROWING, "sctp", "sctp"),
        (LINE, "a\tb", "a\tb"),
    ],
)
def test_texts_have_one_canonical_value(codec: Codec, text: str, canonical: t.Any) -> None:
    value = codec.from_text(text)
    assert value == canonical
    assert type(value) is type(canonical)


@pytest.mark.parametrize(
    ("codec", "value", "text"),
    [
        (YES_NO, True, "yes"),
        (YES_NO, False, "no"),
        (ON_OFF, False, "off"),
        (SLOT, "0x1f", "0x1f"),
        (NETMASK, 20, "255.255.240.0"),
    ],
)
def test_canonical_values_have_one_text(codec: Codec, value: t.Any, text: str) -> None:
    assert codec.to_text(value) == text


@pytest.mark.parametrize(
    ("codec", "option", "message"),
    [
        (ADDRESS, "192.168.101.256", "is not an IP address; give one such as 192.168.101.1 or fd00:101::1"),
        (ADDRESS, "192.168.101.01", "is not an IP address; give one such as 192.168.101.1 or fd00:101::1"),
        (ADDRESS, "010.0.0.1", "is not an IP address; give one such as 192.168.101.1 or fd00:101::1"),
        (ADDRESS, "::ffff:192.168.01.1", "is not an IP address; give one such as 192.168.101.1 or fd00:101::1"),
        (ADDRESS, "fe80::1%eth0", "is not an IP address; give one such as 192.168.101.1 or fd00:101::1"),
        (
            ADDRESS,
            "192.168.101.1/24",
            "is not an IP address; give one such as 192.168.101.1 or fd00:101::1; "
            "the length of the prefix has an option of its own",
        ),
        (ADDRESS, 1, "is not an IP address; give one such as 192.168.101.1 or fd00:101::1"),
        (MAC, "52:54:00:00:00", "is not a MAC address; give one such as 52:54:00:6b:3c:58"),
        (MAC, "52-54-00-00-00-01", "is not a MAC address; give one such as 52:54:00:6b:3c:58"),
        (MAC, "52:54:00:00:00:01\n", "is not a MAC address; give one such as 52:54:00:6b:3c:58"),
        (MAC, "41135040031", "is a number, which YAML takes digits and colons for; put the MAC address in quotation marks"),
        (MAC, None, "is not a MAC address; give one such as 52:54:00:6b:3c:58"),
        (UUID, "1b4f0c34", "is not a UUID; give one such as 1b4f0c34-3a39-4a26-a21f-6f0a3b1e0a6e"),
        (UUID, "-" * 36, "is not a UUID; give one such as 1b4f0c34-3a39-4a26-a21f-6f0a3b1e0a6e"),
        (UUID, 1, "is not a UUID; give one such as 1b4f0c34-3a39-4a26-a21f-6f0a3b1e0a6e"),
        (NETMASK, "255.0.255.0", "is not an IPv4 netmask; give one such as 255.255.255.0"),
        (NETMASK, "0.0.0.255", "is not an IPv4 netmask; give one such as 255.255.255.0"),
        (NETMASK, "ffff::", "is not an IPv4 netmask; give one such as 255.255.255.0"),
        (NETMASK, "255.255.255.00", "is not an IPv4 netmask; give one such as 255.255.255.0"),
        (NETMASK, 24, "is not an IPv4 netmask; give one such as 255.255.255.0"),
        (BYTE, 256, "is not a whole number from 0 to 255"),
        (BYTE, -1, "is not a whole number from 0 to 255"),
        (BYTE, True, "is not a whole number from 0 to 255"),
        (BYTE, "1", "is not a whole number from 0 to 255"),
        (WORDS, "sctp", "is none of tcp, udp"),
        (YES_NO, "yes", "is neither true nor false"),
        (FILLED, "", "is empty or has a line break; give a text on one line"),
        (FILLED, " \t", "is empty or has a line break; give a text on one line"),
        (FILLED, "a\nb", "is empty or has a line break; give a text on one line"),
        (FILLED, "a\rb", "is empty or has a line break; give a text on one line"),
        (TEXT, "\x00", "holds a character that XML cannot hold; remove control characters"),
        (TEXT, "\x1b[0m", "holds a character that XML cannot hold; remove control characters"),
        (TEXT, "\ud800", "holds a character that XML cannot hold; remove control characters"),
        (TEXT, "\uffff", "holds a character that XML cannot hold; remove control characters"),
        (LINE, "a\tb", "has a tab or a line break; give a text on one line"),
        (LINE, "a\nb", "has a tab or a line break; give a text on one line"),
        (LINE, "a\rb", "has a tab or a line break; give a text on one line"),
        (LINE, "\x00", "holds a character that XML cannot hold; remove control characters"),
        (FILLED_LINE, " ", "is empty or has a tab or a line break; give a text on one line"),
        (LINES, 1, "is not a text"),
        (TEXT, 1, "is not a text"),
        (GROWING, "sctp", "is none of tcp, udp"),
        (SLOT, "1f", "is not a number from 0 to 0x1f; give one such as '0x1f'"),
        (SLOT, "0x20", "is not a number from 0 to 0x1f; give one such as '0x1f'"),
        (SLOT, "08", "is not a number from 0 to 0x1f; give one such as '0x1f'"),
        (SLOT, -1, "is not a number from 0 to 0x1f; give one such as '0x1f'"),
    ],
)
def test_wrong_options_end_a_sentence(codec: Codec, option: t.Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        codec.from_option(option)


@pytest.mark.parametrize(
    ("codec", "text", "message"),
    [
        (YES_NO, "on", "is neither 'yes' nor 'no'"),
        (ON_OFF, "yes", "is neither 'on' nor 'off'"),
        (BYTE, "0x10", "is not a whole number from 0 to 255"),
        (ANY_BASE, "0xg", "is not a whole number from 0 to 255"),
        (ANY_BASE, "08", "is not a whole number from 0 to 255"),
        (ANY_BASE, "0x100", "is not a whole number from 0 to 255"),
        (SLOT, "", "is not a number from 0 to 0x1f; give one such as '0x1f'"),
        (SLOT, "-0x1", "is not a number from 0 to 0x1f; give one such as '0x1f'"),
        (SLOT, "1_0", "is not a number from 0 to 0x1f; give one such as '0x1f'"),
        (BYTE, "-1", "is not a whole number from 0 to 255"),
        (BYTE, "\u0661", "is not a whole number from 0 to 255"),
        (BYTE, "9" * 5000, "is not a whole number from 0 to 255"),
    ],
)
def test_wrong_texts_end_a_sentence(codec: Codec, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        codec.from_text(text)


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: type(codec).__name__)
@given(text=st.one_of(st.text(), st.from_regex(r"[0-9a-f:.x-]{1,40}")))
def test_no_text_is_too_odd(codec: Codec, text: str) -> None:
    try:
        value = codec.from_text(text)
    except ValueError:
        return
    # what was read is written in one form, which is read again as the same
    assert codec.from_text(codec.to_text(value)) == value


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: type(codec).__name__)
@given(value=st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=3))
def test_no_option_is_too_odd(codec: Codec, value: t.Any) -> None:
    try:
        canonical = codec.from_option(value)
    except ValueError:
        return
    assert codec.from_text(codec.to_text(canonical)) == canonical


@given(address=st.ip_addresses())
def test_each_way_to_write_an_address_is_the_same(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    written = {ADDRESS.from_option(text) for text in (str(address), address.exploded, address.exploded.upper())}
    assert written == {str(address)}


@given(length=st.integers(0, 32))
def test_netmask_and_prefix_are_the_same(length: int) -> None:
    assert NETMASK.from_text(NETMASK.to_text(length)) == length
