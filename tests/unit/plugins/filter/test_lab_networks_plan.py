# SPDX-FileCopyrightText: The kvmops.network authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.kvmops.network.plugins.filter.lab_networks_plan import FilterModule
from ansible_collections.kvmops.network.plugins.module_utils._network.options import NETWORK_OPTIONS

COLLECTION = Path(__file__).parents[4]
EXAMPLE = yaml.safe_load((COLLECTION / "playbooks" / "vars" / "lab_networks.yml").read_text())["lab_networks_networks"]
SPECIFICATION = yaml.safe_load((COLLECTION / "roles" / "lab_networks" / "meta" / "argument_specs.yml").read_text())
ENTRY = SPECIFICATION["argument_specs"]["main"]["options"]["lab_networks_networks"]["options"]

plan = FilterModule().filters()["lab_networks_plan"]

NAT = {"name": "a", "kind": "nat", "bridge": "br-a", "address": "10.1.0.1"}
ISOLATED = {"name": "b", "kind": "isolated", "bridge": "br-b", "address": "10.2.0.1"}
VERY_ISOLATED = {"name": "c", "kind": "very_isolated", "bridge": "br-c"}
RANGE = {"start": "10.1.0.100", "end": "10.1.0.199"}


def active(name: str, bridge: str, mode: str, ips: list[dict[str, t.Any]]) -> dict[str, t.Any]:
    return {
        "name": name,
        "state": "active",
        "autostart": True,
        "definition": "replace",
        "forward": {"mode": mode},
        "bridge": {"name": bridge},
        "ips": ips,
        "purge_hosts": False,
        "allow_overlap": [],
    }


def served(prefix: str) -> dict[str, t.Any]:
    return {"address": f"{prefix}.1", "prefix": 24, "dhcp": {"ranges": [{"start": f"{prefix}.100", "end": f"{prefix}.254"}]}}


def test_the_three_networks_of_the_document() -> None:
    """Seed 001-8 to 12, 20 to 22, 27, 28 and 37; spanning tree on and delay 0 are libvirt's defaults (seed 001-10)."""
    assert plan(EXAMPLE) == {
        "networks": [
            active("red_nat_lab", "virbr101", "nat", [served("192.168.101")]),
            active("red_aislada_dev", "virbr102", "none", [served("192.168.102")]),
            active("red_muy_aislada", "virbr103", "none", []),
        ],
        "bridges": [
            {"name": "virbr101", "forward": True, "state": "present"},
            {"name": "virbr102", "forward": False, "state": "present"},
        ],
    }


def test_dhcp_is_optional() -> None:
    """Seed 001-22."""
    assert plan([ISOLATED])["networks"][0]["ips"] == [{"address": "10.2.0.1", "prefix": 24}]


def test_an_isolated_network_without_the_host() -> None:
    """Seed 002-8."""
    network = {key: value for key, value in ISOLATED.items() if key != "address"}
    assert plan([network])["networks"][0]["ips"] == []
    assert plan([network])["bridges"] == []


def test_what_is_omitted_is_what_the_specification_says() -> None:
    """Ansible validates with the defaults of suboptions, but does not fill them in."""
    defaults = {name: option["default"] for name, option in ENTRY.items() if "default" in option}
    assert set(defaults) == {"state", "prefix", "autostart", "purge_hosts", "allow_overlap", "force"}
    assert plan([{**defaults, **NAT}]) == plan([NAT])
    assert plan([{**defaults, "name": "x", "state": "absent"}]) == plan([{"name": "x", "state": "absent"}])


def test_every_option_has_its_effect() -> None:
    network = {**NAT, "prefix": 16, "dhcp": RANGE, "autostart": False, "purge_hosts": True, "allow_overlap": ["b"]}
    expected = active("a", "br-a", "nat", [{"address": "10.1.0.1", "prefix": 16, "dhcp": {"ranges": [RANGE]}}])
    assert plan([network])["networks"] == [{**expected, "autostart": False, "purge_hosts": True, "allow_overlap": ["b"]}]
    assert plan([{"name": "x", "state": "absent", "force": True}])["networks"] == [
        {"name": "x", "state": "absent", "force": True}
    ]
    assert set(ENTRY) == {*network, "state", "force"}


def test_the_options_are_those_of_the_module() -> None:
    for network in plan([NAT, ISOLATED, VERY_ISOLATED, {"name": "x", "state": "absent"}])["networks"]:
        assert set(network) <= set(NETWORK_OPTIONS)


def test_what_is_removed_makes_room_first() -> None:
    gone = {"name": "old", "state": "absent", "bridge": "br-a"}
    result = plan([NAT, gone])
    assert [network["name"] for network in result["networks"]] == ["old", "a"]
    assert result["bridges"] == [{"name": "br-a", "forward": True, "state": "present"}]


def test_the_rules_of_a_bridge_that_goes_go_too() -> None:
    assert plan([{"name": "old", "state": "absent", "bridge": "br-o"}])["bridges"] == [
        {"name": "br-o", "forward": False, "state": "absent"}
    ]
    assert plan([{"name": "old", "state": "absent"}])["bridges"] == []


def test_nothing_to_do() -> None:
    assert plan([]) == {"networks": [], "bridges": []}


def test_the_input_is_left_alone() -> None:
    networks = [{**NAT, "dhcp": dict(RANGE)}]
    before = copy.deepcopy(networks)
    plan(networks)["networks"][0]["ips"][0]["dhcp"]["ranges"][0]["start"] = "changed"
    assert networks == before


def test_networks_that_are_never_active_together_may_overlap() -> None:
    assert len(plan([NAT, {**ISOLATED, "address": "10.1.0.2", "allow_overlap": ["a"]}])["networks"]) == 2


@pytest.mark.parametrize(
    ("networks", "sentences"),
    [
        ([{**NAT, "kind": None}], ["The network 'a': kind: missing; choose one of nat, isolated, very_isolated."]),
        ([{**NAT, "kind": "Nat"}], ["The network 'a': kind: 'Nat' is unknown; choose one of nat, isolated, very_isolated."]),
        ([{**NAT, "bridge": None}], ["The network 'a': bridge: missing;"]),
        ([{**NAT, "address": None}], ["The network 'a': address: missing; the kind nat needs the host's address"]),
        ([{**VERY_ISOLATED, "address": "10.3.0.1"}], ["The network 'c': address: cannot be given for the kind very_isolated"]),
        ([{**VERY_ISOLATED, "prefix": 24}], ["The network 'c': prefix: cannot be given"]),
        ([{**VERY_ISOLATED, "dhcp": RANGE}], ["The network 'c': dhcp: cannot be given"]),
        ([{**ISOLATED, "address": None, "dhcp": RANGE}], ["The network 'b': dhcp: means nothing without an address"]),
        ([{**ISOLATED, "address": None, "prefix": 0}], ["The network 'b': prefix: means nothing without an address"]),
        ([{**NAT, "prefix": 0}], ["The network 'a': ips 10.1.0.1: prefix 0 is the whole internet"]),
        ([{**NAT, "prefix": 33}], ["The network 'a': ips[0].prefix: '33' is more than the 32 bits of 10.1.0.1."]),
        ([{**NAT, "address": "here"}], ["The network 'a': ips[0].address: 'here' is not an IP address"]),
        ([{**NAT, "address": "10.1.0.0"}], ["The network 'a': ips 10.1.0.0: is no host's address in 10.1.0.0/24"]),
        ([{**NAT, "bridge": "b" * 16}], ["The network 'a': bridge.name: 'bbbbbbbbbbbbbbbb' has 16 characters"]),
        ([{**NAT, "name": "a/b"}], ["The network 'a/b': name: 'a/b' cannot name a network"]),
        (
            [{**NAT, "dhcp": {"start": "10.2.0.2", "end": "10.2.0.9"}}],
            ["10.2.0.2 is outside of the subnet 10.1.0.0/24", "10.2.0.9 is outside of the subnet 10.1.0.0/24"],
        ),
        ([{**NAT, "dhcp": {"start": "10.1.0.9", "end": "10.1.0.2"}}], ["start 10.1.0.9 is after end 10.1.0.2; swap them."]),
        ([NAT, {**ISOLATED, "name": "a"}], ["name: 'a' is there 2 times; give each network a name of its own."]),
        ([NAT, {**ISOLATED, "bridge": "br-a"}], ["bridge: 'br-a' is there 2 times; give each network a bridge of its own."]),
        ([NAT, {"name": "a", "state": "absent"}], ["name: 'a' is there 2 times"]),
        (
            [NAT, {**ISOLATED, "address": "10.1.0.2"}],
            ["The network 'b': The subnet 10.1.0.0/24 overlaps with the network 'a' (10.1.0.0/24)."],
        ),
        # the first network is right and would be made
        ([NAT, {**ISOLATED, "kind": "x", "bridge": ""}], ["The network 'b': kind: 'x'", "The network 'b': bridge: missing"]),
    ],
)
def test_each_mistake_has_its_sentence(networks: list[dict[str, t.Any]], sentences: list[str]) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        plan(networks)
    for sentence in sentences:
        assert sentence in str(caught.value)


def test_the_controller_needs_no_lxml() -> None:
    program = (
        "import sys; sys.modules['lxml'] = None; sys.modules['libvirt'] = None\n"
        "from ansible_collections.kvmops.network.plugins.filter.lab_networks_plan import lab_networks_plan\n"
        f"print(len(lab_networks_plan({EXAMPLE!r})['networks']))"
    )
    environment = {"PYTHONPATH": str(COLLECTION / ".build" / "collections")}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False)
    assert (done.stdout, done.stderr) == ("3\n", "")
