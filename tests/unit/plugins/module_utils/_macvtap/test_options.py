# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The options are named in the argument spec and in the documentation. They agree."""

from __future__ import annotations

import re
import typing as t

import pytest
import yaml

from ansible_collections.kvmops.network.plugins.module_utils._macvtap.options import INTERFACE_OPTIONS
from ansible_collections.kvmops.network.plugins.modules import macvtap_iface, macvtap_iface_info
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._macvtap.builders import OPTIONS

Spec = dict[str, t.Any]
INFO_OPTIONS: Spec = {"name": {"type": "str"}}


def flat(options: Spec, below: str, where: str = "") -> dict[str, tuple[t.Any, ...]]:
    """Return each option's path with its type, whether it is required, its default and its choices."""
    found: dict[str, tuple[t.Any, ...]] = {}
    for name, option in options.items():
        path = f"{where}.{name}" if where else name
        facts = ("elements", "default", "choices")
        found[path] = (option.get("type", "str"), option.get("required", False), *(option.get(fact) for fact in facts))
        found.update(flat(option.get(below, {}), below, path))
    return found


@pytest.mark.parametrize(("module", "spec"), [(macvtap_iface, INTERFACE_OPTIONS), (macvtap_iface_info, INFO_OPTIONS)])
def test_documentation_and_argument_spec_agree(module: t.Any, spec: Spec) -> None:
    assert flat(yaml.safe_load(module.DOCUMENTATION)["options"], "suboptions") == flat(spec, "options")


@pytest.mark.parametrize(("module", "spec"), [(macvtap_iface, INTERFACE_OPTIONS), (macvtap_iface_info, INFO_OPTIONS)])
def test_examples_use_known_options(module: t.Any, spec: Spec) -> None:
    name = f"kvmops.network.{module.__name__.rpartition('.')[2]}"
    tasks = [task for task in yaml.safe_load(module.EXAMPLES) if name in task]
    assert tasks
    for task in tasks:
        assert set(task[name] or {}) <= set(spec)


def test_references_lead_to_options_and_values() -> None:
    paths = set(flat(INTERFACE_OPTIONS, "options"))
    for name, value in re.findall(r"\bO\(([^)=]+)(?:=([^)]+))?\)", macvtap_iface.DOCUMENTATION):
        assert name in paths
        assert not value or value in (*INTERFACE_OPTIONS[name].get("choices", []), "true", "false")


def test_the_tests_use_the_defaults() -> None:
    defaults = {name: option.get("default") for name, option in INTERFACE_OPTIONS.items()}
    assert {**defaults, "name": "mv0", "parent": "eth1"} == OPTIONS
