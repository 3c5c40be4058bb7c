# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What holds for any definition that the options allow, shown with the real module and libvirt's test driver."""

from __future__ import annotations

import copy
import re
import typing as t

import libvirt
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import (
    Result,
    apply,
    clear,
    dump,
    network_task,
    snapshot,
)
from ansible_collections.kvmops.network.tests.unit.plugins.support.strategies import (
    definitions,
    felt_by_running,
    network_names,
    spoiled_definitions,
)

if t.TYPE_CHECKING:
    Options = dict[str, t.Any]

# The fixture is one connection for all examples of a test; each example clears it first.
examples = settings.default.max_examples
driven = settings(max_examples=examples * 3 // 5, suppress_health_check=[HealthCheck.function_scoped_fixture])

states = st.sampled_from(["active", "present", "inactive"])


def without_generated(value: t.Any) -> t.Any:
    """Return an outcome without what libvirt makes up: UUID, and MAC address and name of the bridge."""
    text = re.sub(r" *<uuid>.*</uuid>\n", "", value)
    text = re.sub(r' *<mac address="\(generated\)"/>\n', "", text)
    text = re.sub(r' name="\(generated\)"', "", text)
    return re.sub(r" *<bridge/>\n", "", text)


def outcome(result: Result) -> dict[str, t.Any]:
    """Return what check mode has to predict."""
    network = copy.deepcopy(result.network)
    network["uuid"] = None
    network["xml"] = without_generated(network["xml"] or "")
    diff = {key: without_generated(text) for key, text in (result.diff or {}).items()}
    return {
        "changed": result.changed,
        "actions": result.data["actions"],
        "pending_restart": result.data["pending_restart"],
        "network": network,
        "diff": diff,
        "warnings": result.warnings,
    }


@driven
@given(name=network_names, options=definitions(), state=states)
def test_a_second_run_changes_nothing(driver: libvirt.virConnect, name: str, options: Options, state: str) -> None:
    clear(driver)
    assert apply(name=name, state=state, **options).changed
    before = snapshot(driver)
    for definition in ("merge", "replace"):
        second = apply(name=name, state=state, definition=definition, **options)
        assert not second.changed
        assert second.diff is None
        assert second.data["actions"] == []
        assert snapshot(driver) == before


@driven
@given(first=definitions(), second=definitions(), state=states, mode=st.sampled_from(["merge", "replace"]), purge=st.booleans())
def test_check_mode_predicts_the_real_run_and_touches_nothing(
    driver: libvirt.virConnect, first: Options, second: Options, state: str, mode: str, purge: bool
) -> None:
    clear(driver)
    for task in (
        {"name": "lab", "state": state, **first},
        {"name": "lab", "definition": mode, "purge_hosts": purge, **second},
    ):
        before = snapshot(driver)
        predicted = network_task(check=True, **task)
        assert snapshot(driver) == before
        real = network_task(**task)
        assert (predicted.failed, predicted.msg) == (real.failed, real.msg)
        if real.failed:
            # what is left of the first may not fit the second
            assert mode == "merge" or not purge
            assert snapshot(driver) == before
            return
        assert outcome(predicted) == outcome(real)


@settings(driven, max_examples=examples * 3 // 2)
@given(options=spoiled_definitions())
def test_what_check_mode_accepts_works_and_what_it_refuses_changes_nothing(driver: libvirt.virConnect, options: Options) -> None:
    clear(driver)
    predicted = network_task(check=True, name="lab", **options)
    real = network_task(name="lab", **options)
    assert "should not have happened" not in real.msg
    assert (predicted.failed, predicted.msg) == (real.failed, real.msg)
    assert set(snapshot(driver)) == (set() if real.failed else {"lab"})


@driven
@given(first=definitions(), second=definitions(), state=states)
def test_replacing_leaves_nothing_of_what_was_there(
    driver: libvirt.virConnect, first: Options, second: Options, state: str
) -> None:
    if state == "active":
        first, second = felt_by_running(first) or {"mtu": 1400}, felt_by_running(second) or {"mtu": 1400}
    # UUID, bridge name and bridge MAC are carried over on purpose, so both are named
    identity = {"uuid": "1b4f0c34-3a39-4a26-a21f-6f0a3b1e0a6e"}
    task = {"name": "lab", "state": state, "definition": "replace", "purge_hosts": True, **identity}
    first = {name: value for name, value in first.items() if name != "metadata"}  # that stays
    if second.get("forward", {}).get("mode", "none") in ("none", "nat", "route", "open"):
        second = {**second, "mac": "52:54:00:00:00:01", "bridge": {**second.get("bridge", {}), "name": "virbr9"}}
    clear(driver)
    apply(**task, **second)
    alone = snapshot(driver)
    clear(driver)
    apply(**task, **first)
    apply(**task, **second)
    assert snapshot(driver) == alone


@driven
@given(options=definitions())
def test_what_is_shown_can_be_written_as_a_task(driver: libvirt.virConnect, options: Options) -> None:
    clear(driver)
    shown = apply(name="lab", **options).network["definition"]
    assume(shown)
    before = snapshot(driver)
    for definition in ("merge", "replace"):
        again = apply(name="lab", definition=definition, **shown)
        assert not again.changed
    assert snapshot(driver) == before


@driven
@given(options=definitions())
def test_text_and_xml_of_the_same_thing_are_no_difference(driver: libvirt.virConnect, options: Options) -> None:
    clear(driver)
    typed = apply(name="lab", **options)
    before = snapshot(driver)
    for text in (typed.network["xml"], dump(driver, "lab")):
        again = apply(name="lab", xml=text)
        assert not again.changed
        assert again.network == typed.network
    clear(driver)
    from_text = apply(name="lab", xml=typed.network["xml"])
    assert from_text.network == typed.network
    assert snapshot(driver) == before
    assert not apply(name="lab", definition="replace", **options).changed
