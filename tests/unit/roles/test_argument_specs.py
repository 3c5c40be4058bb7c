# SPDX-FileCopyrightText: The kvmops.network authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A role's argument specification, its defaults, its tasks and its documentation say the same. No tool checks this."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml

ROLES = Path(__file__).parents[3] / "roles"
VERSION = yaml.safe_load((ROLES.parent / "galaxy.yml").read_text())["version"]
RUNTIME = yaml.safe_load((ROLES.parent / "meta" / "runtime.yml").read_text())["requires_ansible"]
ATTRIBUTES = {"check_mode", "diff_mode", "idempotent", "platform"}

Options = dict[str, t.Any]


def roles() -> list[Path]:
    return sorted(path for path in ROLES.glob("*") if path.is_dir())


def name_of(role: Path) -> str:
    return role.name


every_role = pytest.mark.parametrize("role", roles(), ids=name_of)


def read(path: Path) -> t.Any:
    return yaml.safe_load(path.read_text())


def specification(role: Path) -> Options:
    specifications: Options = read(role / "meta" / "argument_specs.yml")["argument_specs"]
    assert list(specifications) == ["main"]
    return dict(specifications["main"])


def documented_defaults(role: Path) -> Options:
    options = specification(role)["options"]
    return {name: option["default"] for name, option in options.items() if "default" in option}


def disagreements(documented: Options, actual: Options) -> list[str]:
    """Return where the defaults in the specification and those in defaults/main.yml differ."""
    found = [f"{name}: only in the specification" for name in documented if name not in actual]
    found += [f"{name}: only in defaults/main.yml" for name in actual if name not in documented]
    found += [
        f"{name}: {documented[name]!r} in the specification, {actual[name]!r} in defaults/main.yml"
        for name in documented
        if name in actual and (type(documented[name]), documented[name]) != (type(actual[name]), actual[name])
    ]
    if not found and list(documented) != list(actual):
        found.append(f"another order: {list(documented)} in the specification, {list(actual)} in defaults/main.yml")
    return found


def with_suboptions(options: Options, prefix: str = "") -> t.Iterator[tuple[str, Options]]:
    for name, option in options.items():
        yield prefix + name, option
        yield from with_suboptions(option.get("options", {}), f"{prefix}{name}.")


def public_names(role: Path) -> set[str]:
    """Return the role's own public variables that its YAML files use or set."""
    texts = [path.read_text() for folder in ("defaults", "handlers", "tasks", "vars") for path in (role / folder).glob("*.yml")]
    return set(re.findall(rf"(?<![\w.]){role.name}_\w+", "\n".join(texts)))


def test_there_are_roles() -> None:
    assert roles()


@pytest.mark.parametrize(
    ("documented", "actual", "found"),
    [
        ({"a": 1, "b": []}, {"a": 1, "b": []}, []),
        ({"a": 1}, {"a": 2}, ["a: 1 in the specification, 2 in defaults/main.yml"]),
        ({"a": True}, {"a": 1}, ["a: True in the specification, 1 in defaults/main.yml"]),
        ({"a": 1}, {}, ["a: only in the specification"]),
        ({}, {"a": 1}, ["a: only in defaults/main.yml"]),
        ({"a": 1, "b": 1}, {"b": 1, "a": 1}, ["another order: ['a', 'b'] in the specification, ['b', 'a'] in defaults/main.yml"]),
    ],
)
def test_a_disagreement_is_seen(documented: Options, actual: Options, found: list[str]) -> None:
    assert disagreements(documented, actual) == found


@every_role
def test_specification_and_defaults_agree(role: Path) -> None:
    assert disagreements(documented_defaults(role), read(role / "defaults" / "main.yml") or {}) == []


@every_role
def test_every_option_is_described(role: Path) -> None:
    options = specification(role)["options"]
    for name, option in with_suboptions(options):
        assert option.get("description"), name
        assert option.get("type"), name
        assert not ("default" in option and option.get("required")), name
    for name, option in options.items():
        assert name.startswith(f"{role.name}_"), name
        assert "version_added" in option, name


@every_role
def test_every_public_variable_is_documented(role: Path) -> None:
    main = specification(role)
    results = set(re.findall(rf"C\(({role.name}_\w+)\)", " ".join(main["description"])))
    assert public_names(role) - results == set(main["options"])


@every_role
def test_the_role_says_what_it_supports(role: Path) -> None:
    main = specification(role)
    assert set(main["attributes"]) == ATTRIBUTES
    for name, attribute in main["attributes"].items():
        assert attribute["description"], name
        assert attribute["support"] in ("full", "partial", "none"), name
        assert attribute["support"] != "partial" or attribute["details"], name
    for key in ("short_description", "description", "author", "version_added"):
        assert main[key], key


@every_role
def test_no_version_is_in_the_future(role: Path) -> None:
    main = specification(role)
    versions = [main["version_added"], *(option["version_added"] for option in main["options"].values())]
    assert all(tuple(map(int, version.split("."))) <= tuple(map(int, VERSION.split("."))) for version in versions)


@every_role
def test_the_readme_shows_an_example_and_where_the_variables_are(role: Path) -> None:
    text = (role / "README.md").read_text()
    assert f"\n# {role.name}\n" in text
    assert f"- role: kvmops.network.{role.name}" in text
    assert f"`ansible-doc --type role kvmops.network.{role.name}`" in text
    assert set(re.findall(rf"{role.name}_\w+", text)) <= public_names(role) | set(specification(role)["options"])


@every_role
def test_the_examples_use_variables_that_there_are(role: Path) -> None:
    main = specification(role)
    (play,) = yaml.safe_load(main["examples"])
    (entry,) = play["roles"]
    assert entry.pop("role") == f"kvmops.network.{role.name}"
    assert entry
    assert set(entry) <= set(main["options"])


@every_role
def test_the_metadata_name_the_collections_ansible(role: Path) -> None:
    information = read(role / "meta" / "main.yml")["galaxy_info"]
    assert f">={information['min_ansible_version']}.0" == RUNTIME
    assert information["license"] == "GPL-3.0-or-later"
