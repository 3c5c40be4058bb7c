# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Three places name the options: the argument spec, its documentation, and the format. They agree."""

from __future__ import annotations

import re
import typing as t

import pytest
import yaml

from ansible_collections.kvmops.network.plugins.doc_fragments import _libvirt, _network
from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import CONNECTION_OPTIONS
from ansible_collections.kvmops.network.plugins.module_utils._format.arguments import argument_spec
from ansible_collections.kvmops.network.plugins.module_utils._network.elements import NETWORK
from ansible_collections.kvmops.network.plugins.module_utils._network.options import (
    DEFINITION_OPTIONS,
    ENTRY_OPTIONS,
    NETWORK_OPTIONS,
    NETWORKS_OPTIONS,
    NO_OPTIONS,
)
from ansible_collections.kvmops.network.plugins.modules import libvirt_network, libvirt_network_info, libvirt_networks

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
        (libvirt_network.DOCUMENTATION, {name: NETWORK_OPTIONS[name] for name in NETWORK_OPTIONS.keys() - ENTRY_OPTIONS.keys()}),
        (libvirt_networks.DOCUMENTATION, {name: NETWORKS_OPTIONS[name] for name in NETWORKS_OPTIONS.keys() - {"networks"}}),
        (libvirt_network_info.DOCUMENTATION, INFO_OPTIONS),
        (_libvirt.ModuleDocFragment.DOCUMENTATION, CONNECTION_OPTIONS),
        (_network.ModuleDocFragment.DOCUMENTATION, ENTRY_OPTIONS),
        (
            _network.ModuleDocFragment.LIST,
            {"networks": NETWORKS_OPTIONS["networks"]},
        ),
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


@pytest.mark.parametrize(
    ("path", "option"),
    [
        *described(_network.ModuleDocFragment.DOCUMENTATION),
        *described(libvirt_network.DOCUMENTATION),
        *described(libvirt_networks.DOCUMENTATION),
    ],
)
def test_each_option_says_something_in_sentences(path: str, option: Spec) -> None:
    description = option["description"]
    for sentence in [description] if isinstance(description, str) else description:
        assert sentence.endswith("."), path


def references(documentation: str) -> set[str]:
    """Return the paths of the options that a text refers to."""
    return {re.sub(r"=.*", "", found).replace("[]", "") for found in re.findall(r"\bO\(([^)]+)\)", documentation)}


@pytest.mark.parametrize("documentation", [_network.ModuleDocFragment.DOCUMENTATION, _network.ModuleDocFragment.LIST])
def test_references_lead_to_options(documentation: str) -> None:
    found = references(documentation)
    assert found
    assert found <= {path for path, _option in described(documentation)}


def test_references_of_both_texts_are_the_same() -> None:
    below = {f"networks.{path}" for path in references(_network.ModuleDocFragment.DOCUMENTATION)}
    assert references(_network.ModuleDocFragment.LIST) == below


def test_each_field_is_an_option_or_has_a_reason_not_to_be() -> None:
    paths = {path for path, _option in described(_network.ModuleDocFragment.DOCUMENTATION)}
    everything = set(flat(argument_spec(NETWORK), "options"))
    assert everything - set(flat(DEFINITION_OPTIONS, "options")) == set(NO_OPTIONS)
    assert everything - paths == set(NO_OPTIONS) - {"name", "uuid"}


@pytest.mark.parametrize(
    ("module", "options"),
    [(libvirt_network, NETWORK_OPTIONS), (libvirt_networks, NETWORKS_OPTIONS), (libvirt_network_info, INFO_OPTIONS)],
)
def test_examples_use_known_options(module: t.Any, options: Spec) -> None:
    name = module.__name__.rpartition(".")[2]
    tasks = [task for task in yaml.safe_load(module.EXAMPLES) if f"kvmops.network.{name}" in task]
    assert tasks
    for task in tasks:
        assert set(task[f"kvmops.network.{name}"] or {}) <= {*options, *CONNECTION_OPTIONS}


def test_modules_show_a_network_in_the_same_words() -> None:
    one = yaml.safe_load(libvirt_network.RETURN)["network"]["contains"]
    several = yaml.safe_load(libvirt_networks.RETURN)["networks"]["contains"]
    assert several["network"]["contains"] == one
    for value in ("actions", "pending_restart"):
        assert {**several[value], "returned": ""} == {**yaml.safe_load(libvirt_network.RETURN)[value], "returned": ""}
