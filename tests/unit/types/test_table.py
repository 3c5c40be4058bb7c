# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from textwrap import indent

import pytest
from kvmops_types.promises import PROMISED, TYPES
from kvmops_types.table import as_text, differences

GUIDE = Path(__file__).resolve().parents[3] / "docs/docsite/rst/network_types_guide.rst"


def test_the_guide_shows_the_table_that_is_promised_and_measured() -> None:
    assert indent(as_text(PROMISED), "    ") in GUIDE.read_text()


def test_each_type_has_a_promise_and_guests_of_its_own() -> None:
    assert list(PROMISED) == list(TYPES)
    guests = [guest for key, kind in TYPES.items() if key != "macvtap_shim" for guest in kind.guests]
    assert len(guests) == len(set(guests)) == 10


def test_what_is_as_promised_differs_in_nothing() -> None:
    assert differences(PROMISED) == []


@pytest.mark.parametrize(
    ("key", "column", "value", "sentence"),
    [
        ("nat", "guest_to_host", False, "NAT: guest -> host is no, promised is yes"),
        ("isolated", "guest_to_outside", True, "isolated: guest -> outside is yes, promised is no"),
        ("very_isolated", "guest_to_guest", False, "very isolated: guest <-> guest is no, promised is yes"),
        ("bridge", "lan_to_guest", False, "external bridge: LAN -> guest is no, promised is yes"),
        ("bridge", "dhcp", "host", "external bridge: DHCP from is host, promised is LAN"),
        ("macvtap", "host_to_guest", True, "macvtap: host -> guest is yes, promised is no"),
        ("macvtap_shim", "dhcp", "10.77.0.99", "macvtap with shim: DHCP from is 10.77.0.99, promised is LAN"),
    ],
)
def test_a_cell_that_is_not_as_promised_is_named(key: str, column: str, value: object, sentence: str) -> None:
    assert differences({**PROMISED, key: replace(PROMISED[key], **{column: value})}) == [sentence]


def test_only_rows_that_were_asked_are_shown_and_in_the_order_of_the_document() -> None:
    rows = {key: PROMISED[key] for key in ("macvtap", "nat")}
    assert [line.split()[0] for line in as_text(rows).splitlines()] == ["type", "NAT", "macvtap"]
