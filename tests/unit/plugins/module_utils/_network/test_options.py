# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Three places name the options: the argument spec, its documentation, and the format. They agree."""

from __future__ import annotations

import typing as t

import pytest
import yaml

from ansible_collections.kvmops.network.plugins.doc_fragments._libvirt import ModuleDocFragment
from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import CONNECTION_OPTIONS
from ansible_collections.kvmops.network.plugins.module_utils._format.tree import Entries, Fields, Group, Value
from ansible_collections.kvmops.network.plugins.module_utils._network.elements import NETWORK
from ansible_collections.kvmops.network.plugins.module_utils._network.options import DEFINITION_OPTIONS, NETWORK_OPTIONS
from ansible_collections.kvmops.network.plugins.modules import libvirt_network, libvirt_network_info

Spec = dict[str, t.Any]

INFO_OPTIONS: Spec = {"names": {"type": "list", "elements": "str"}}


def flat(options: Spec, below: str, where: str = "") -> dict[str, tuple[t.Any, ...]]:
    """Return each option's path with its type, whether it is required, its default and its choices."""
    found: dict[str, tuple[t.Any, ...]] = {}
    for name, option in options.items():
        path = f"{where}.{name}" if where else name
        found[path] = (
            option.get("type", "str"),
            option.get("elements"),
            option.get("required", False),
            option.get("default"),
            option.get("choices"),
        )
        found.update(flat(option.get(below, {}), below, path))
    return found


@pytest.mark.parametrize(
    ("documentation", "spec"),
    [
        (libvirt_network.DOCUMENTATION, NETWORK_OPTIONS),
        (libvirt_network_info.DOCUMENTATION, INFO_OPTIONS),
        (ModuleDocFragment.DOCUMENTATION, CONNECTION_OPTIONS),
    ],
)
def test_documentation_and_argument_spec_agree(documentation: str, spec: Spec) -> None:
    assert flat(yaml.safe_load(documentation)["options"], "suboptions") == flat(spec, "options")


def described(documentation: str) -> t.Iterator[tuple[str, Spec]]:
    def walk(options: Spec, where: str) -> t.Iterator[tuple[str, Spec]]:
        for name, option in options.items():
            yield f"{where}{name}", option
            yield from walk(option.get("suboptions", {}), f"{where}{name}.")

    yield from walk(yaml.safe_load(documentation)["options"], "")


@pytest.mark.parametrize(("path", "option"), list(described(libvirt_network.DOCUMENTATION)))
def test_each_option_says_something_in_sentences(path: str, option: Spec) -> None:
    description = option["description"]
    for sentence in [description] if isinstance(description, str) else description:
        assert sentence.endswith("."), path


def test_each_definition_option_is_a_field_of_the_format() -> None:
    def check(options: Spec, fields: Fields, where: str) -> None:
        known = {field.option: field for field in fields}
        for name, option in options.items():
            field = known[name]
            if option["type"] == "dict":
                assert isinstance(field, Group), where + name
                check(option["options"], field.fields, f"{where}{name}.")
            elif option["type"] == "list":
                assert isinstance(field, Entries), where + name
                if option["elements"] == "dict":
                    assert not isinstance(field.item, Value)
                    check(option["options"], field.item, f"{where}{name}[].")
                else:
                    assert isinstance(field.item, Value)
            else:
                assert isinstance(field, Value), where + name

    check(DEFINITION_OPTIONS, NETWORK, "")


def test_only_choices_of_the_format_are_offered() -> None:
    forward = next(field for field in NETWORK if field.option == "forward")
    assert isinstance(forward, Group)
    mode = next(field for field in forward.fields if field.option == "mode")
    assert isinstance(mode, Value)
    for choice in DEFINITION_OPTIONS["forward"]["options"]["mode"]["choices"]:
        assert mode.codec.from_option(choice) == choice


@pytest.mark.parametrize("module", [libvirt_network, libvirt_network_info])
def test_examples_use_known_options(module: t.Any) -> None:
    options = {**(NETWORK_OPTIONS if module is libvirt_network else INFO_OPTIONS), **CONNECTION_OPTIONS}
    name = module.__name__.rpartition(".")[2]
    tasks = [task for task in yaml.safe_load(module.EXAMPLES) if f"kvmops.network.{name}" in task]
    assert tasks
    for task in tasks:
        assert set(task[f"kvmops.network.{name}"] or {}) <= set(options)
