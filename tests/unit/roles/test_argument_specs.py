# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""A role's argument specification, its defaults and its tasks say the same; no tool compares them."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml

ROLES = sorted((Path(__file__).parents[3] / "roles").iterdir())
each_role = pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)


def _load(file: Path) -> dict[str, t.Any]:
    return yaml.safe_load(file.read_text()) or {} if file.exists() else {}


def _entry_points(role: Path) -> dict[str, t.Any]:
    return _load(role / "meta/argument_specs.yml")["argument_specs"]


def _options(role: Path) -> dict[str, t.Any]:
    return {name: option for entry in _entry_points(role).values() for name, option in entry.get("options", {}).items()}


@each_role
def test_defaults_are_those_of_the_specification(role: Path) -> None:
    specified = {name: option["default"] for name, option in _options(role).items() if "default" in option}
    assert _load(role / "defaults/main.yml") == specified


@each_role
def test_defaults_are_in_the_order_of_the_specification(role: Path) -> None:
    defaults = list(_load(role / "defaults/main.yml"))
    assert defaults == [name for name in _options(role) if name in defaults]


@each_role
def test_every_option_is_named_after_its_role(role: Path) -> None:
    assert [name for name in _options(role) if not name.startswith(f"{role.name}_")] == []


@each_role
def test_every_option_is_used(role: Path) -> None:
    text = "".join(file.read_text() for folder in ("tasks", "templates", "handlers") for file in role.glob(f"{folder}/**/*.*"))
    assert [name for name in _options(role) if name not in text] == []


@each_role
def test_every_entry_point_is_a_file_of_tasks(role: Path) -> None:
    assert [name for name in _entry_points(role) if not (role / f"tasks/{name}.yml").exists()] == []
