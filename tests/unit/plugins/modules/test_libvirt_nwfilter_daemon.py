# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Network filters of a real daemon: each is stored as it was meant, and the second run finds it so.

This makes filters, and so runs on lab hosts alone; tests/tools/unit_images.py says that it is on one.
"""

from __future__ import annotations

import functools
import os
import typing as t

import libvirt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nwfilter.packets import texts
from ansible_collections.kvmops.network.tests.unit.plugins.support import nwfilters

if "KVMOPS_UNIT_ON_A_LAB_HOST" not in os.environ:
    pytest.skip("only lab hosts have network filters that may be made", allow_module_level=True)

URI = "qemu:///system"
LOCALS: tuple[dict[str, t.Any], ...] = (
    {"subnets": ["192.168.64.0/24"]},
    {"subnets": ["192.168.64.0/24", "fd64::/64"], "gateways": ["192.168.64.254", "fd64::1"], "host_addresses": False},
)

apply = functools.partial(nwfilters.apply_filter, uri=URI)
predict = functools.partial(nwfilters.predict_filter, uri=URI)
info = functools.partial(nwfilters.filter_info, uri=URI)


@pytest.fixture
def daemon() -> t.Iterator[libvirt.virConnect]:
    """Return a connection to the daemon, without what a test made when it ends."""
    connection = libvirt.open(URI)
    yield connection
    for found in connection.listAllNWFilters():
        if found.name().startswith("unit-"):
            found.undefine()
    connection.close()


@pytest.mark.usefixtures("daemon")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rules=st.lists(st.one_of(texts(), st.sampled_from(("block local", "block guests", "block arp", "pass local"))), max_size=5),
    local=st.sampled_from(LOCALS),
    filters=st.lists(st.sampled_from(("clean-traffic", "allow-arp", "no-ip-multicast")), max_size=2, unique=True),
)
def test_stored_as_it_was_meant(rules: list[str], local: dict[str, t.Any], filters: list[str]) -> None:
    options = {"name": "unit-f", "rules": rules, "local": local, "filters": [{"filter": name} for name in filters]}
    expected = predict(**options)
    result = apply(**options)
    assert (result.changed, result.diff) == (expected.changed, expected.diff)
    assert result.own_warnings == []
    again = apply(**options)
    assert not again.changed, again.diff


@pytest.mark.usefixtures("daemon")
def test_made_changed_and_removed() -> None:
    made = apply(name="unit-f", rules=["block in to port 22"])
    assert apply(name="unit-f", rules=["block out"]).data["filter"]["uuid"] == made.data["filter"]["uuid"]
    outer = apply(name="unit-outer", filters=[{"filter": "unit-f"}])
    assert outer.changed
    refused = nwfilters.filter_task(name="unit-f", state="absent", uri=URI)
    assert refused.msg.startswith("The filter 'unit-f' is in use by the filter 'unit-outer', and cannot go before that ends")
    for name in ("unit-outer", "unit-f"):
        assert apply(name=name, state="absent").changed
        assert not apply(name=name, state="absent").changed
    assert not [each for each in info() if each["name"].startswith("unit-")]


def test_the_stock_filters_can_be_said_again(daemon: libvirt.virConnect) -> None:
    before = {each.name(): each.XMLDesc(0) for each in daemon.listAllNWFilters()}
    assert "clean-traffic" in before
    for name, document in before.items():
        assert not apply(name=name, xml=document).changed
    assert {each.name(): each.XMLDesc(0) for each in daemon.listAllNWFilters()} == before
