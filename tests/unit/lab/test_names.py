# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml
from kvmops_lab.errors import LabError
from kvmops_lab.host import check_name

SCENARIOS = Path(__file__).resolve().parents[3] / "extensions/molecule"
INVENTORIES = sorted(SCENARIOS.glob("*/inventory/hosts.yml"))


def test_there_are_scenarios() -> None:
    assert len(INVENTORIES) > 10


@pytest.mark.parametrize("inventory", INVENTORIES, ids=lambda path: path.parts[-3])
def test_the_lab_takes_the_names_of_a_scenario_s_hosts(inventory: Path) -> None:
    groups = yaml.safe_load(inventory.read_text())
    names = [name for group in groups.values() for name in _hosts(group)]
    assert names
    for name in names:
        check_name(name)
    assert len(set(names)) == len(names)


def _hosts(group: dict[str, t.Any]) -> list[str]:
    children = [name for child in group.get("children", {}).values() for name in _hosts(child)]
    return [*group.get("hosts", {}), *children]


@pytest.mark.parametrize("name", ["molecule-uplink-netplan-nm-static", "Upper", "1st", "", "a_b", "build-x"])
def test_a_name_that_it_does_not_take(name: str) -> None:
    with pytest.raises(LabError, match="is no name for a host"):
        check_name(name)
