# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What is wanted of a NIC, from what it is and what a task says: the rest stays, or with `definition: replace` goes."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import merge_definitions, normalise, render_xml
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nic.builders import define, on, parse, wish
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nic.strategies import definitions, wishes
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nic.test_definition import OTHERS

if t.TYPE_CHECKING:
    Definition = dict[str, t.Any]

UUID = "ea8bd0ba-cd8d-482c-b79b-b80701bb0fad"
# One of each that a task can say, beside what a NIC must have.
FULL = parse(OTHERS["driver"]).definition


def merge(current: Definition | None, replace: bool = False, **options: t.Any) -> Definition:
    return merge_definitions(current, wish(**options), replace=replace)


# --- a new NIC ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"source": {"network": "default"}}, {"type": "network", "source": {"network": "default"}, "model": "virtio"}),
        ({"source": {"bridge": "br0"}}, {"type": "bridge", "source": {"bridge": "br0"}, "model": "virtio"}),
        ({"source": {"dev": "eth1"}}, {"type": "direct", "source": {"dev": "eth1", "mode": "bridge"}, "model": "virtio"}),
        (
            {"source": {"dev": "eth1", "mode": "vepa"}},
            {"type": "direct", "source": {"dev": "eth1", "mode": "vepa"}, "model": "virtio"},
        ),
        ({"type": "user", "model": "e1000e"}, {"type": "user", "model": "e1000e"}),
        ({"type": "ethernet"}, {"type": "ethernet", "model": "virtio"}),
        ({"mac": "52:54:00:AA:00:01"}, {"mac": "52:54:00:aa:00:01"}),
    ],
)
def test_a_new_nic(options: Definition, wanted: Definition, replace: bool) -> None:
    assert merge(None, replace, **options) == wanted


# --- what a task does not mention ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_merging_keeps_what_is_not_mentioned(text: str) -> None:
    current = parse(text).definition
    merged = merge(current, mtu=1234)
    assert merged == {**current, "mtu": 1234, **({"_rest": current["_rest"]} if "_rest" in current else {})}
    assert merge(current) == current


@pytest.mark.parametrize(
    ("option", "value", "wanted"),
    [
        ("driver", {"queues": 2}, {**FULL["driver"], "queues": 2}),
        ("driver", {"host": {"csum": True}}, {**FULL["driver"], "host": dict.fromkeys(list(FULL["driver"]["host"])[1:], False)}),
        (
            "bandwidth",
            {"inbound": {"average": 7}},
            {**FULL["bandwidth"], "inbound": {**FULL["bandwidth"]["inbound"], "average": 7}},
        ),
        ("vlan", {"tags": [{"id": 5}]}, {"trunk": True, "tags": [{"id": 5}]}),
        ("filterref", {"filter": "b", "parameters": []}, {"filter": "b"}),
        ("rom", {"enabled": True}, {"bar": False, "file": "/etc/fake/boot.bin"}),
        ("port", {"isolated": False}, {"isolated": False}),
        ("link", "up", None),
        ("target", {"dev": "other"}, {"dev": "other"}),
    ],
)
def test_merging_changes_what_is_mentioned(option: str, value: t.Any, wanted: t.Any) -> None:
    current = {**FULL, "vlan": {"trunk": True, "tags": [{"id": 5}, {"id": 6}]}} if option == "vlan" else FULL
    merged = merge(current, **{option: value})
    assert merged.get(option) == wanted
    assert {key: part for key, part in merged.items() if key != option} == {
        key: part for key, part in normalise(current).items() if key != option
    }


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_replacing_keeps_who_and_where_the_nic_is(text: str) -> None:
    current = parse(text).definition
    merged = merge(current, replace=True, link="down")
    # what passt goes out through is no place that a NIC is plugged into
    place = () if current["type"] == "user" else ("source",)
    kept = ("mac", "alias", "type", *place, "model", "_rest", "managed", "script", "downscript", "tune", "teaming", "acpi")
    assert merged == {**{option: current[option] for option in kept if option in current}, "link": "down"}


def test_replacing_takes_away_what_is_omitted() -> None:
    merged = merge(FULL, replace=True, source={"bridge": "br0"}, driver={"name": "vhost"}, bandwidth={"inbound": {"average": 1}})
    assert merged == {
        "type": "bridge",
        "mac": FULL["mac"],
        "source": {"bridge": "br0"},
        "model": "virtio",
        "driver": {"name": "vhost"},
        "bandwidth": {"inbound": {"average": 1}},
        "_rest": FULL["_rest"],
    }


def test_what_is_unknown_survives_in_the_document() -> None:
    current = parse(OTHERS["unknown"]).definition
    for replace in (False, True):
        text = render_xml(merge(current, replace, mtu=1500))
        for part in ('colour="red"', 'shine="5"', 'hue="blue"', "<deeper/>", '<thing with="text">inside</thing>', 'speed="10"'):
            assert part in text, part


# --- another place ------------------------------------------------------------------------------------------------------------


def test_another_network_takes_nothing_along_of_the_old_place() -> None:
    current = define(source="network='groups' portgroup='fast' other='x'")
    assert merge(current, source={"network": "default"})["source"] == {"network": "default"}
    assert merge(current, source={"network": "groups"})["source"] == current["source"]
    assert merge(current, source={"portgroup": "slow"})["source"] == {**current["source"], "portgroup": "slow"}
    assert merge(current, replace=True, source={"network": "groups"})["source"] == {"network": "groups"}


def test_another_type_takes_nothing_along_that_belongs_to_the_old_one() -> None:
    passt = parse(OTHERS["passt"]).definition
    merged = merge(passt, source={"network": "default"})
    assert merged == {"type": "network", "mac": passt["mac"], "source": {"network": "default"}, "model": "virtio"}
    merged = merge(FULL, source={"network": "default"})
    assert set(FULL) - set(merged) == {"virtualport", "target", "backend"}


@pytest.mark.parametrize("replace", [False, True])
def test_a_nic_that_becomes_a_macvtap_is_of_the_mode_that_new_ones_have(replace: bool) -> None:
    assert merge(on("default"), replace, source={"dev": "eth1"})["source"] == {"dev": "eth1", "mode": "bridge"}
    vepa = define(kind="direct", source="dev='eth1' mode='vepa'")
    assert merge(vepa, replace, source={"dev": "eth2"})["source"] == {"dev": "eth2", "mode": "bridge"}


def test_the_mode_of_a_macvtap_stays_unless_the_whole_is_said() -> None:
    private = define(kind="direct", source="dev='eth1' mode='private'")
    assert merge(private, source={"dev": "eth1"}) == private
    assert merge(private, replace=True) == private
    # as of a new one, so that a task that makes one can run twice
    assert merge(private, replace=True, source={"dev": "eth1"})["source"] == {"dev": "eth1", "mode": "bridge"}


# --- virtual ports ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("replace", [False, True])
def test_a_nic_without_a_virtual_port_gets_one(replace: bool) -> None:
    merged = merge(on("default"), replace, virtualport={"type": "openvswitch"})
    assert merged["virtualport"] == {"type": "openvswitch"}


@pytest.mark.parametrize("replace", [False, True])
def test_another_type_of_virtual_port_has_parameters_of_its_own(replace: bool) -> None:
    merged = merge(FULL, replace, virtualport={"type": "midonet"})
    assert merged["virtualport"] == {"type": "midonet"}


def test_the_parameters_of_the_same_type_stay() -> None:
    assert merge(FULL, virtualport={"parameters": {"profileid": "new"}})["virtualport"] == {
        "type": "openvswitch",
        "parameters": {"profileid": "new", "interfaceid": "09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f"},
    }
    # what libvirt made up also where the whole is said
    assert merge(FULL, replace=True, virtualport={"type": "openvswitch"})["virtualport"] == {
        "type": "openvswitch",
        "parameters": {"interfaceid": "09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f"},
    }


# --- any definition, any wish -------------------------------------------------------------------------------------------------


@given(definitions(), wishes(), st.booleans())
def test_a_second_merge_changes_nothing(current: Definition, said: Definition, replace: bool) -> None:
    once = merge_definitions(current, said, replace=replace)
    assert merge_definitions(once, said, replace=replace) == once


@given(wishes(placed=True), st.booleans())
def test_a_task_that_made_a_nic_changes_nothing_when_it_runs_again(said: Definition, replace: bool) -> None:
    made = merge_definitions(None, said, replace=replace)
    assert merge_definitions(made, said, replace=replace) == made


def scalars(data: Definition, where: str = "") -> dict[str, t.Any]:
    """Return each scalar of a definition by its path."""
    found: dict[str, t.Any] = {}
    for option, value in data.items():
        found.update(scalars(value, f"{where}{option}.") if isinstance(value, dict) else {where + option: value})
    return found


@given(definitions(), wishes(), st.booleans())
def test_what_is_said_is_what_becomes_of_it(current: Definition, said: Definition, replace: bool) -> None:
    wanted = scalars(merge_definitions(current, said, replace=replace))
    said_so = scalars(normalise(said))
    # another mode than libvirt's own is what a macvtap gets that no task gave one
    if said.get("source", {}).get("mode") is None:
        said_so.pop("source.mode", None)
    assert {option: wanted.get(option) for option in said_so if option != "vlan.trunk"} == {
        option: value for option, value in said_so.items() if option != "vlan.trunk"
    }


@given(definitions(), wishes(), st.booleans())
def test_a_merge_is_a_normal_form_and_leaves_what_it_was_made_from(current: Definition, said: Definition, replace: bool) -> None:
    before = str((current, said))
    wanted = merge_definitions(current, said, replace=replace)
    assert str((current, said)) == before
    assert normalise(wanted) == wanted


@given(definitions())
def test_what_is_written_is_read_as_the_same(definition: Definition) -> None:
    assert parse(render_xml(definition)).definition == definition
