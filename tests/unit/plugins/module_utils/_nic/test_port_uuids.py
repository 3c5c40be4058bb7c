# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The UUIDs of virtual ports: never change how they are made up, they are in guests."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import normalise
from ansible_collections.kvmops.network.plugins.module_utils._nic.port_uuids import with_uuids
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nic.builders import on

INTERFACE, INSTANCE = "b260a1c1-fa03-5466-85a8-cb4c844b6ddd", "bee402d1-358d-5bcd-bfaf-229b9132459d"
GIVEN = "09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f"


@pytest.mark.parametrize(
    ("port", "parameters"),
    [
        ({"type": "openvswitch"}, {"interfaceid": INTERFACE}),
        ({"type": "openvswitch", "parameters": {"profileid": "p"}}, {"profileid": "p", "interfaceid": INTERFACE}),
        ({"type": "openvswitch", "parameters": {"interfaceid": GIVEN}}, {"interfaceid": GIVEN}),
        ({"type": "802.1Qbg", "parameters": {"managerid": 1}}, {"managerid": 1, "instanceid": INSTANCE}),
        # a network may say the type
        ({"parameters": {"profileid": "p"}}, {"profileid": "p", "instanceid": INSTANCE, "interfaceid": INTERFACE}),
        # one of another kind
        ({"type": "802.1Qbh", "parameters": {"profileid": "p"}}, {"profileid": "p"}),
        ({"type": "midonet"}, None),
        ({"type": "later"}, None),
    ],
)
def test_what_is_made_up(port: dict[str, t.Any], parameters: dict[str, t.Any] | None) -> None:
    found = with_uuids(on("switch", virtualport=port), domain="web")
    assert found["virtualport"].get("parameters") == parameters
    assert found["virtualport"].get("type") == port.get("type")
    assert with_uuids(found, domain="web") == found
    assert normalise(found) == found


def test_without_a_virtual_port_nothing_is_made_up() -> None:
    assert with_uuids(on("switch"), domain="web") == on("switch")


def test_guests_and_nics_differ() -> None:
    port = {"virtualport": {"type": "openvswitch"}}
    made = {
        str(with_uuids(on("switch", mac=mac, **port), domain=domain))
        for domain in ("web", "db")
        for mac in ("52:54:00:00:00:01", "52:54:00:00:00:02")
    }
    assert len(made) == 4
