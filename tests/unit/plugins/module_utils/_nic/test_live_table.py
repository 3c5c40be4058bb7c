# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The table that test_libvirt_domain_nic_daemon.py holds against libvirt is what is planned with."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._network.definition import definition_from_xml
from ansible_collections.kvmops.network.plugins.module_utils._nic import live
from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import definition_from_options, normalise
from ansible_collections.kvmops.network.tests.unit.plugins.support.nic_table import (
    NETWORKS,
    TABLE,
    VERSIONS,
    Options,
    Row,
    options_of,
)

RUNNING = {name: definition_from_xml(f"<network><name>{name}</name>{content}</network>") for name, content in NETWORKS.items()}


def definition_of(options: Options) -> dict[str, t.Any]:
    return normalise(definition_from_options(options_of(options)))


@pytest.mark.parametrize("number", range(len(VERSIONS)), ids=VERSIONS)
@pytest.mark.parametrize("row", TABLE, ids=str)
def test_as_it_is_planned(row: Row, number: int) -> None:
    fate, wanted = row.fates[number], definition_of(row.after)
    before = definition_of(row.before)
    running = {**live.inherited_from(before, RUNNING), **before}
    differences = live.find_differences(running, wanted, live.inherited_from(wanted, RUNNING))
    possible = live.changed_live(differences, running, wanted, RUNNING, VERSIONS[number])
    if fate == "live":
        assert possible == differences != set()
    elif fate == "stored":
        assert not differences
    elif fate == "replug":
        assert not possible
        assert sorted(differences) == row.pending


def test_there_is_a_row_for_each_option_that_runs() -> None:
    """What cannot be changed in place is the rest, and the table has samples of it."""
    changed_in_place = {row.option for row in TABLE if "live" in row.fates}
    assert {"source" if option == "place" else option for option in live._LIVE} == changed_in_place
