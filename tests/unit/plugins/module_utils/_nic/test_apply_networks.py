# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Changes of networks' reservations are carried out as they are planned, and put back where one fails."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import LibvirtError, NetworkRecord
from ansible_collections.kvmops.network.plugins.module_utils._errors import ApplyError
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import definition_from_xml, render_xml
from ansible_collections.kvmops.network.plugins.module_utils._network.dhcp_hosts import LiveChange
from ansible_collections.kvmops.network.plugins.module_utils._network.state import read_state
from ansible_collections.kvmops.network.plugins.module_utils._nic.apply_networks import apply_networks, put_back_networks
from ansible_collections.kvmops.network.plugins.module_utils._nic.network_changes import Holding, plan_reservations
from ansible_collections.kvmops.network.plugins.module_utils._nic.reservation import Reservation
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nic.dhcp_model import UpdateError, entries, update
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nic.test_network_changes_properties import (
    Scenario,
    attempt,
    carry_out,
    scenarios,
)

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._network.live import Update
    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState
    from ansible_collections.kvmops.network.plugins.module_utils._nic.network_changes import NetworkChange

FAILURE = "operation failed: the disk\n  is full."


class Daemon:
    """A daemon with networks, one of whose changes fails."""

    def __init__(self, networks: dict[str, NetworkState], *, fails_at: int | None = None, goes_on_failing: bool = False) -> None:
        self.records = {
            name: NetworkRecord(
                name=name,
                stored_xml=render_xml(state.stored) if state.stored is not None else None,
                live_xml=render_xml(state.live) if state.live is not None else None,
                autostart=state.autostart,
            )
            for name, state in networks.items()
        }
        self.done: list[str] = []
        self._fails_at = fails_at
        self._goes_on = goes_on_failing

    def _step(self, text: str) -> None:
        number = len(self.done)
        self.done.append(text)
        if self._fails_at is not None and (number == self._fails_at or (self._goes_on and number > self._fails_at)):
            raise LibvirtError(FAILURE)

    def read_network(self, name: str) -> NetworkRecord:
        return self.records[name]

    def define_network(self, xml: str, *, validate: bool) -> None:
        assert not validate
        name = definition_from_xml(xml)["name"]
        self._step(f"define {name}")
        self.records[name] = replace(self.records[name], stored_xml=xml)

    def update_network(self, name: str, change: Update) -> None:
        self._step(f"{change.verb} {name}")
        record = self.records[name]
        element = etree.fromstring(change.xml)
        host: dict[str, t.Any] = dict(element.attrib)
        lease = element.find("lease")
        if lease is not None:
            host["lease"] = {"expiry": int(lease.get("expiry")), "unit": lease.get("unit")}
        assert record.live_xml is not None
        try:
            changed = update(definition_from_xml(record.live_xml), LiveChange(change.verb, change.address, host))
        except UpdateError as error:
            raise LibvirtError(str(error)) from None
        self.records[name] = replace(record, live_xml=render_xml(changed))

    @property
    def shown(self) -> dict[str, tuple[t.Any, t.Any]]:
        """Return what is stored and what runs."""
        found = {}
        for name, record in self.records.items():
            state = read_state(name, record)
            found[name] = (state.stored, entries(state.live) if state.live is not None else None)
        return found


def run(daemon: Daemon, changes: list[NetworkChange]) -> None:
    apply_networks(t.cast("t.Any", daemon), changes, dict(daemon.records))


@settings(max_examples=40)
@given(st.booleans().flatmap(lambda drift: scenarios(drift=drift)))
def test_what_is_planned_is_done_and_can_be_put_back(scenario: Scenario) -> None:
    changes = attempt(scenario)
    daemon = Daemon(scenario.networks)
    before, records = daemon.shown, dict(daemon.records)
    run(daemon, changes)
    assert daemon.shown == Daemon(carry_out(scenario.networks, changes)).shown
    # and no more than that
    assert len(daemon.done) == sum(
        len(change.first) + (change.stored != change.before.stored) + len(change.then) for change in changes
    )
    assert put_back_networks(t.cast("t.Any", daemon), changes, records) == []
    assert daemon.shown == before


@settings(max_examples=40)
@given(scenarios(), st.integers(0, 4))
def test_where_a_step_fails_everything_is_put_back(scenario: Scenario, number: int) -> None:
    changes = attempt(scenario)
    daemon = Daemon(scenario.networks, fails_at=number)
    before = daemon.shown
    try:
        run(daemon, changes)
    except ApplyError as error:
        message = str(error)
    else:
        return
    assert message.endswith("could not be changed: operation failed: the disk is full. Everything was put back as it was.")
    assert daemon.shown == before


def change_of(scenario: Scenario) -> list[NetworkChange]:
    holding = Holding("web", "52:54:00:00:00:01", "one", Reservation(ipv4="10.0.1.11"))
    return plan_reservations(scenario.networks, [holding], {"web": {holding.mac}})


@pytest.fixture
def daemon() -> Daemon:
    network = definition_from_xml(
        "<network><name>one</name><bridge name='virbr1'/><ip address='10.0.1.1' prefix='24'>"
        "<dhcp><range start='10.0.1.100' end='10.0.1.200'/></dhcp></ip></network>"
    )
    record = NetworkRecord(name="one", stored_xml=render_xml(network), live_xml=render_xml(network), autostart=True)
    return Daemon({"one": read_state("one", record)}, fails_at=1, goes_on_failing=True)


def test_what_cannot_be_put_back_is_said(daemon: Daemon) -> None:
    networks = {name: read_state(name, record) for name, record in daemon.records.items()}
    changes = change_of(Scenario(networks, (), {}))
    with pytest.raises(ApplyError) as caught:
        run(daemon, changes)
    assert daemon.done == ["define one", "add one", "define one"]
    assert str(caught.value) == (
        "The reservations of the network 'one' could not be changed: operation failed: the disk is full. Not everything could be "
        "put back: the network 'one' (operation failed: the disk is full)."
    )
