# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Why a forward does not work: a sentence for each reason, and none where it does."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._forward.files import KEEPER_UNIT
from ansible_collections.kvmops.network.plugins.module_utils._forward.health import find_problems
from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._forward.builders import (
    forward,
    guest,
    network,
    reserved,
)

KEPT = network("default", "nat", reserved("192.168.122.10"))
PROXY = forward(method="proxy", host_ports="80-81")
ADDRESS = forward(domain="")
TABLE = "the table 'inet kvmops_port_forwards'"

# what is otherwise than it should be, and the sentences
ILL: dict[str, tuple[dict[str, t.Any], list[str]]] = {
    "nothing": ({}, []),
    "nothing with a proxy": ({"of": PROXY}, []),
    "nothing without a guest": ({"of": ADDRESS, "guests": {}}, []),
    "nothing that is its own": ({"of": PROXY, "faults": [TABLE], "idle": [KEEPER_UNIT, "kvmops-port-forward-other.socket"]}, []),
    "the keeper": (
        {"idle": [KEEPER_UNIT]},
        ["The unit kvmops-port-forwards.service does not run, or does not at boot; run its task again."],
    ),
    "a proxy": (
        {"of": PROXY, "idle": ["kvmops-port-forward-web:81.socket"]},
        ["The unit kvmops-port-forward-web:81.socket does not run, or does not at boot; run its task again."],
    ),
    "rules": (
        {"faults": [TABLE, "route_localnet of virbr0"]},
        [
            f"It is missing in the firewall: {TABLE}; run its task again.",
            "It is missing in the firewall: route_localnet of virbr0; run its task again.",
        ],
    ),
    "no network": (
        {"networks": {}, "of": ADDRESS},
        ["The network 'default' is gone; make it again, or remove the forward."],
    ),
    "a network that is a name alone": (
        {"networks": {"default": NetworkState("default")}, "of": ADDRESS},
        ["The network 'default' is gone; make it again, or remove the forward."],
    ),
    "a network that does not run": (
        {"networks": {"default": network("default", "nat", reserved("192.168.122.10"), active=False)}},
        ["The network 'default' does not run; start it with libvirt_network."],
    ),
    "another subnet": (
        {"networks": {"default": network(prefix="192.168.99")}, "of": ADDRESS},
        ["The network 'default' has no subnet with 192.168.122.10 any more; run its task again."],
    ),
    "another bridge": (
        {"networks": {"default": network("default", "nat", reserved("192.168.122.10"), bridge="virbr9")}},
        ["The bridge of the network 'default' is no longer virbr0; run its task again."],
    ),
    "no guest": ({"guests": {}}, ["The guest 'web' is gone; make it again, or remove the forward."]),
    "a guest that does not run": (
        {"guests": {"web": guest(running=False)}},
        ["The guest 'web' does not run; start it."],
    ),
    "nothing reserved": (
        {"networks": {"default": network()}},
        ["192.168.122.10 is no longer reserved for the guest 'web', which may get another address; run its task again."],
    ),
    "reserved for another NIC": (
        {"networks": {"default": network("default", "nat", reserved("192.168.122.10", "52:54:00:bb:00:01"))}},
        ["192.168.122.10 is no longer reserved for the guest 'web', which may get another address; run its task again."],
    ),
    "a NIC elsewhere": (
        {"guests": {"web": guest("lan")}},
        ["192.168.122.10 is no longer reserved for the guest 'web', which may get another address; run its task again."],
    ),
    "no DHCP at all": ({"networks": {"default": network(dhcp=False)}}, []),
    "all at once": (
        {"idle": [KEEPER_UNIT], "faults": [TABLE], "networks": {}, "guests": {}},
        [
            "The unit kvmops-port-forwards.service does not run, or does not at boot; run its task again.",
            f"It is missing in the firewall: {TABLE}; run its task again.",
            "The network 'default' is gone; make it again, or remove the forward.",
            "The guest 'web' is gone; make it again, or remove the forward.",
        ],
    ),
}


@pytest.mark.parametrize("kind", ILL)
def test_problems(kind: str) -> None:
    given, sentences = ILL[kind]
    usual: dict[str, t.Any] = {"networks": {"default": KEPT}, "guests": {"web": guest()}, "faults": [], "idle": []}
    others = {key: value for key, value in given.items() if key != "of"}
    found = find_problems(given.get("of", forward()), **{**usual, **others})
    assert [str(problem) for problem in found] == sentences
    assert {problem.elsewhere for problem in found if "does not run;" in str(problem)} <= {True}
