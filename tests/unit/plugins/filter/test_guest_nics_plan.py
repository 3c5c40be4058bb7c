# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""NICs in one word, and what modules are told of them."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.kvmops.network.plugins.filter.guest_nics_plan import (
    DOCUMENTATION,
    EXAMPLES,
    FilterModule,
    guest_nics_plan,
)
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import definition_from_options
from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.translate import filter_from_words

Options = dict[str, t.Any]

FACTS: Options = {
    "ansible_default_ipv4": {"interface": "br-lan", "address": "10.77.0.5"},
    "ansible_br_lan": {"device": "br-lan", "type": "bridge"},
    "ansible_eth1": {"device": "eth1", "type": "ether"},
    "ansible_tun0": {"device": "tun0", "type": "tunnel"},
    "ansible_interfaces": ["br-lan", "eth1", "tun0"],
}


CLEAN: Options = {"filter": "clean-traffic"}


def plan(*nics: Options, presets: Options | None = None, facts: Options | None = None) -> dict[str, list[Options]]:
    return guest_nics_plan([{"domain": "web", **nic} for nic in nics], presets or {}, facts or FACTS)


def one(presets: Options | None = None, facts: Options | None = None, **nic: t.Any) -> Options:
    """Return the NIC that an entry becomes, without the guest."""
    (found,) = plan(nic, presets=presets, facts=facts)["nics"]
    assert found.pop("domain") == "web"
    return found


def refusal(*nics: Options, presets: Options | None = None, facts: Options | None = None) -> str:
    with pytest.raises(AnsibleFilterError) as caught:
        plan(*nics, presets=presets, facts=facts)
    return str(caught.value)


def test_a_shared_nic() -> None:
    # seed 004-2, 004-6, 004-a, 004-m, 004-r
    found = plan({"type": "shared"})
    assert found["networks"] == [
        {
            "name": "shared",
            "kind": "nat",
            "bridge": "virbr-shared",
            "address": "192.168.64.1",
            "prefix": 24,
            "dhcp": {"start": "192.168.64.2", "end": "192.168.64.254", "lease": {"expiry": 86400, "unit": "seconds"}},
        }
    ]
    assert found["filters"] == []
    assert found["nics"] == [{"domain": "web", "source": {"network": "shared"}, "filterref": CLEAN}]


def test_a_nic_of_the_host_alone() -> None:
    # seed 004-8, 004-b
    (network,) = plan({"type": "host"})["networks"]
    assert (network["name"], network["kind"], network["bridge"]) == ("host", "isolated", "virbr-host")
    assert (network["address"], network["dhcp"]["start"], network["dhcp"]["end"]) == (
        "192.168.128.1",
        "192.168.128.2",
        "192.168.128.254",
    )


def test_a_nic_behind_plain_nat() -> None:
    # seed 004-e
    assert plan({"type": "nat"})["networks"][0]["kind"] == "nat"
    assert one(type="nat") == {"source": {"network": "nat"}}


def test_a_cable_that_is_out() -> None:
    # seed 004-13, 004-d
    assert one(type="disconnected") == {
        "source": {"network": "shared"},
        "link": "down",
        "filterref": CLEAN,
    }


def test_a_bridge_by_its_name_and_by_the_default_route() -> None:
    # seed 004-9, 004-10, 004-c
    assert one(type="bridge", bridge="br0") == {"source": {"bridge": "br0"}}
    assert one(type="bridge", bridge="eth1") == {"source": {"dev": "eth1", "mode": "bridge"}}
    assert one(type="bridge") == one(type="bridge", bridge="auto") == {"source": {"bridge": "br-lan"}}
    on_a_nic = {**FACTS, "ansible_default_ipv4": {"interface": "eth1"}}
    assert one(type="bridge", facts=on_a_nic) == {"source": {"dev": "eth1", "mode": "bridge"}}
    assert one(type="bridge", facts={key[len("ansible_") :]: value for key, value in FACTS.items()}) == one(type="bridge")
    assert plan({"type": "bridge"})["networks"] == []


def test_vlans() -> None:
    # seed 004-h
    assert one(type="bridge", vlan=42)["vlan"] == {"tags": [{"id": 42}]}
    assert one(type="bridge", vlan={"trunk": True, "tags": [{"id": 1}, {"id": 2}]})["vlan"]["trunk"] is True
    assert "vlan" not in one(type="bridge", vlan=0)
    assert "vlan" not in one(type="shared", vlan=0)


def test_addresses_of_the_card() -> None:
    # seed 004-f, 004-15
    assert "mac" not in one(type="shared", mac="auto")
    assert one(type="shared", mac="52:54:00:00:00:01")["mac"] == "52:54:00:00:00:01"


def test_an_address_of_the_guest() -> None:
    # seed 004-14
    parameters = [{"name": "IP", "value": "192.168.64.3"}]
    nic = one(type="shared", reservation={"ipv4": "192.168.64.3"})
    assert nic["filterref"] == {"filter": "clean-traffic", "parameters": parameters}
    assert nic["reservation"] == {"ipv4": "192.168.64.3"}
    assert one(type="shared")["filterref"] == CLEAN
    assert "filterref" not in one(type="nat", reservation={"ipv4": "192.168.65.3"})


def test_a_nic_that_is_not_local() -> None:
    # seed 004-k
    found = plan({"type": "shared", "local": False}, {"type": "shared", "alias": "b", "local": False})
    assert found["filters"] == [
        {
            "name": "kvmops-shared-not-local",
            "rules": ["block arp", "block local"],
            "local": {"subnets": ["192.168.64.0/24"], "gateways": ["192.168.64.1"]},
            "filters": [{"filter": "clean-traffic"}],
        }
    ]
    assert found["nics"][0]["port"] == {"isolated": True}
    assert [nic["filterref"]["filter"] for nic in found["nics"]] == ["kvmops-shared-not-local"] * 2
    (bare,) = plan({"type": "nat", "local": False})["filters"]
    assert (bare["name"], bare["filters"]) == ("kvmops-nat-not-local", [])
    (other,) = plan({"type": "shared", "local": False, "filter": "mine"})["filters"]
    assert (other["name"], other["filters"]) == ("kvmops-shared-not-local-mine", [{"filter": "mine"}])


def test_rules_of_ones_own() -> None:
    # seed 004-l
    rules = ["pass in to port 22", "block in"]
    found = plan({"type": "shared", "alias": "lan", "filter_rules": rules})
    (own,) = found["filters"]
    assert own["name"].startswith("kvmops-web-lan-")
    assert own == {"name": own["name"], "rules": rules, "filters": [{"filter": "clean-traffic"}]}
    assert found["nics"][0]["filterref"] == {**CLEAN, "filter": own["name"]}
    again = plan({"type": "shared", "alias": "lan", "filter_rules": ["block any"]})["filters"][0]
    assert again["name"] == own["name"]


def test_rules_beside_not_local() -> None:
    inner, outer = plan({"type": "shared", "alias": "lan", "local": False, "filter_rules": ["block out to port 25"]})["filters"]
    assert inner["name"] == "kvmops-shared-not-local"
    assert outer["filters"] == [{"filter": "kvmops-shared-not-local"}]


def test_rules_that_name_what_is_local_know_it() -> None:
    for rule in ("block local", "Block GUESTS", "block arp"):
        (own,) = plan({"type": "host", "filter_rules": [rule]})["filters"]
        assert own["local"] == {"subnets": ["192.168.128.0/24"], "gateways": ["192.168.128.1"]}


def test_rules_on_a_bridge() -> None:
    found = plan({"type": "bridge", "bridge": "br0", "filter_rules": ["block out to 10.0.0.0/8"], "filter": "mine"})
    assert found["filters"][0]["filters"] == [{"filter": "mine"}]
    assert one(type="bridge", bridge="br0", filter="mine")["filterref"] == {"filter": "mine"}


def test_other_filters_and_none() -> None:
    assert "filterref" not in one(type="shared", filter="off")
    assert "filterref" not in one(type="shared", filter=False)  # what YAML makes of off
    assert one(type="shared", filter="mine")["filterref"] == {**CLEAN, "filter": "mine"}
    own = {"filter": "mine", "parameters": [{"name": "X", "value": "1"}]}
    assert one(type="shared", filterref=own)["filterref"] == own


def test_guests_with_odd_names_have_filters_too() -> None:
    names = [
        guest_nics_plan([{"domain": name, "type": "shared", "filter_rules": []}])["filters"][0]["name"]
        for name in ("a b", "a_b", "ü'$(id)", "x" * 200)
    ]
    assert len(set(names)) == 4
    for name in names:
        assert len(name) < 60
        assert filter_from_words(name, [], None).name == name
        assert name.isascii()


def test_other_options_stay_as_they_are() -> None:
    # seed 004-j
    assert one(type="shared", model="e1000e", wait_for_address=True, port={"isolated": False}, local=False) == {
        "source": {"network": "shared"},
        "model": "e1000e",
        "wait_for_address": True,
        "port": {"isolated": True},
        "filterref": {**CLEAN, "filter": "kvmops-shared-not-local"},
    }
    plain = {"source": {"bridge": "br0"}, "type": "bridge", "model": "virtio"}
    assert one(**plain) == plain
    assert one(type="user") == {"type": "user"}


def test_nics_that_shall_be_gone() -> None:
    assert one(type="shared", state="absent") == {"state": "absent", "source": {"network": "shared"}}
    assert one(type="shared", state="absent", alias="lan") == {"state": "absent", "alias": "lan"}
    assert one(type="bridge", state="absent", mac="52:54:00:00:00:01", facts={"x": 1})["mac"] == "52:54:00:00:00:01"
    assert one(type="bridge", state="absent", bridge="eth1") == {"state": "absent", "source": {"dev": "eth1"}}
    assert plan({"type": "shared", "state": "absent", "local": False})["networks"] == []


def test_what_a_site_changes() -> None:
    # seed 004-q, 004-r
    presets = {"shared": {"network": "office", "bridge": "virbr80", "address": "192.168.80.1", "lease": 1200, "filter": ""}}
    found = plan({"type": "shared", "local": False}, {"type": "disconnected"}, presets=presets)
    (network,) = found["networks"]
    assert (network["name"], network["bridge"], network["address"]) == ("office", "virbr80", "192.168.80.1")
    assert network["dhcp"] == {"start": "192.168.80.2", "end": "192.168.80.254", "lease": {"expiry": 1200, "unit": "seconds"}}
    assert found["filters"][0]["local"]["subnets"] == ["192.168.80.0/24"]
    assert found["nics"][1]["source"] == {"network": "office"}
    last = plan({"type": "host"}, presets={"host": {"address": "10.0.3.254", "prefix": 22}})["networks"][0]["dhcp"]
    assert (last["start"], last["end"]) == ("10.0.0.1", "10.0.3.253")
    given = {"start": "192.168.64.100", "end": "192.168.64.199"}
    presets = {"shared": {"address": "192.168.64.50", "dhcp": given}, "host": None}
    assert plan({"type": "shared"}, presets=presets)["networks"][0]["dhcp"]["end"] == "192.168.64.199"


def test_networks_are_those_of_libvirt() -> None:
    for kind in ("shared", "host", "nat"):
        (network,) = plan({"type": kind})["networks"]
        options = {
            "name": network["name"],
            "ips": [{"address": network["address"], "prefix": 24, "dhcp": {"ranges": [network["dhcp"]]}}],
        }
        assert definition_from_options(options)["ips"]


LOCAL = {"type": "shared", "local": False}


@pytest.mark.parametrize(
    ("nic", "sentence"),
    [
        (
            {"filter_rules": ["block any"]},
            "filter_rules: is for the types shared, host, bridge, nat, disconnected (without source); give one of them as type, "
            "or say it in the words of libvirt_domain_nic (source, port, filterref).",
        ),
        ({"type": "bridge", "source": {"bridge": "br0"}, "local": False}, "local: is for the types shared,"),
        ({"type": "network", "source": {"network": "x"}, "bridge": "auto"}, "bridge: is for the types shared,"),
        (
            {"type": "shared", "source": {"network": "x"}},
            "source: the type 'shared' says where the NIC is plugged in; leave source or type out.",
        ),
        ({"type": "shared", "vlan": 5}, "vlan: is for the type bridge, and the type is 'shared'; leave it out."),
        ({"type": "host", "bridge": "br0"}, "bridge: is for the type bridge, and the type is 'host'; leave it out."),
        (
            {"type": "disconnected", "link": "up"},
            "link: the type disconnected says that the cable is out; leave link or type out.",
        ),
        ({"type": "bridge", "bridge": "tun0"}, "bridge: 'tun0' is of the kind 'tunnel', which carries no guests;"),
        (
            {"type": "bridge", "local": False},
            "local: a bridge does not know which addresses are the guests' and the host's; say in filter_rules what to block.",
        ),
        ({"type": "bridge", "filter_rules": ["block local"]}, "filter_rules: a bridge does not know what is local;"),
        (
            {"type": "bridge", "bridge": "eth1", "filter_rules": ["block any"]},
            "filter_rules: 'eth1' is a NIC, guests get a macvtap",
        ),
        ({"type": "bridge", "bridge": "eth1", "filter": "mine"}, "filter: 'eth1' is a NIC, guests get a macvtap"),
        ({"type": "bridge", "bridge": "eth1", "filterref": {"filter": "x"}}, "filterref: 'eth1' is a NIC,"),
        ({"type": "shared", "filter": True}, "filter: 'true' is no filter; give its name, or off."),
        ({**LOCAL, "filter": "off"}, "filter: off means none at all, and local needs one; leave one of them out."),
        (
            {"type": "shared", "filter": False, "filter_rules": []},
            "filter: off means none at all, and filter_rules needs one; leave one of them out.",
        ),
        (
            {"type": "shared", "filter": "a", "filterref": {"filter": "b"}},
            "filterref: not possible beside filter, which makes one; leave one of them out.",
        ),
        ({**LOCAL, "filterref": {"filter": "b"}}, "filterref: not possible beside local: false, which makes one;"),
    ],
)
def test_wrong_entries(nic: Options, sentence: str) -> None:
    said = refusal({"type": "shared", "alias": "fine"}, nic)
    assert said.startswith(f"nics[1]: {sentence}")
    assert said.endswith(".")


def test_all_mistakes_are_said_at_once() -> None:
    said = refusal({"type": "shared", "vlan": 5}, {"type": "host", "bridge": "br0"})
    assert "nics[0]: vlan" in said
    assert "nics[1]: bridge" in said


def test_a_host_without_a_default_route() -> None:
    nobody: Options = {"ansible_interfaces": []}
    assert refusal({"type": "bridge"}, facts=nobody) == (
        "nics[0]: bridge: auto looks for the interface of the default route, and this host has none; name one."
    )


def test_nics_that_cannot_be_told_apart() -> None:
    two = [{"type": "shared", "filter_rules": [rule]} for rule in ("block in", "block out")]
    assert refusal(*two).startswith(
        "filter_rules: two NICs of one guest are told apart by neither alias nor mac, and have different"
    )
    assert len(plan({**two[0], "alias": "a"}, {**two[1], "alias": "b"})["filters"]) == 2


@pytest.mark.parametrize(
    ("presets", "sentence"),
    [
        ({"shared": {"address": "fd00::1"}}, "presets.shared: 'fd00::1/24' is no IPv4 address with its prefix;"),
        ({"host": {"prefix": 33}}, "presets.host: '192.168.128.1/33' is no IPv4 address with its prefix;"),
        ({"host": {"prefix": 30}}, "presets.host.prefix: '30' leaves no room for guests; give 29 or less."),
        ({"nat": {"lease": 60}}, "presets.nat.lease: '60' is less than the 120 seconds that dnsmasq allows; give more."),
        (
            {"nat": {"address": "192.168.65.9"}},
            "presets.nat.address: '192.168.65.9' is neither the first nor the last address",
        ),
        ({"nat": {"bridge": "virbr-host"}}, "presets: 'virbr-host' is the bridge of two types; give each one of its own."),
        ({"nat": {"network": "shared"}}, "presets: 'shared' is the network of two types; give each one of its own."),
    ],
)
def test_wrong_presets(presets: Options, sentence: str) -> None:
    said = refusal({"type": "shared"}, presets=presets)
    assert said.startswith(sentence)
    assert said.endswith(".")


def test_what_ansible_loads_and_the_example() -> None:
    assert FilterModule().filters() == {"guest_nics_plan": guest_nics_plan}
    assert yaml.safe_load(DOCUMENTATION)["name"] == "guest_nics_plan"
    (example,) = yaml.safe_load(EXAMPLES)
    assert guest_nics_plan(example["vars"]["nics"])["nics"][0]["source"] == {"network": "shared"}
