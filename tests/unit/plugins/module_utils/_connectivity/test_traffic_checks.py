# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What the firewall does to networks of each kind, and whose rules they are."""

from __future__ import annotations

import re
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.facts import Facts
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.firewall import Chain, Ruleset
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.iptables import parse_iptables
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.traffic_checks import check_forwarding, check_traffic
from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import NetworkRecord
from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState
from ansible_collections.kvmops.network.plugins.module_utils._network.state import read_state
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._connectivity.builders import (
    DOCKER,
    captured_iptables,
    captured_nftables,
    strict,
)

SUBNET = "<ip address='192.168.122.1' prefix='24'><dhcp><range start='192.168.122.2' end='192.168.122.9'/></dhcp></ip>"
NAT = f"<forward mode='nat'/><bridge name='virbr0'/>{SUBNET}"
ROUTED = f"<forward mode='route'/><bridge name='virbr0'/>{SUBNET}"
OPEN = f"<forward mode='open'/><bridge name='virbr0'/>{SUBNET}"
ISOLATED = f"<bridge name='virbr0'/>{SUBNET}"
MUTE = "<bridge name='virbr0'/>"
OF_THE_HOST = "<forward mode='bridge'/><bridge name='br0'/>"
SIX = "<forward mode='nat'/><bridge name='virbr0'/><ip family='ipv6' address='fd00::1' prefix='64'/>"


def network(content: str, name: str = "default") -> NetworkState:
    xml = f"<network><name>{name}</name>{content}</network>"
    return read_state(name, NetworkRecord(name, xml, xml, autostart=True))


def found(content: str, chains: list[Chain], **facts: t.Any) -> list[str]:
    state = network(content)
    read = Facts(networks={state.name: state}, firewall=Ruleset(chains), default_devices=("eth0",), **facts)
    return [finding.sentence for finding in check_traffic(read, [state])]


def abouts(content: str, chains: list[Chain], **facts: t.Any) -> list[str]:
    names = {"libvirt's firewall rules": "rules", "The firewall's table": "drops"}
    return [next(word for start, word in names.items() if text.startswith(start)) for text in found(content, chains, **facts)]


BOTH = pytest.mark.parametrize("chains", [captured_iptables(), captured_nftables()], ids=["iptables", "nftables"])


@BOTH
@pytest.mark.parametrize("content", [NAT, ROUTED, ISOLATED, MUTE, OF_THE_HOST])
def test_with_libvirts_rules_all_is_well(content: str, chains: list[Chain]) -> None:
    assert found(content, chains) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [(NAT, ["rules"]), (ROUTED, ["rules"]), (ISOLATED, ["rules"]), (OPEN, []), (MUTE, []), (OF_THE_HOST, [])],
)
def test_without_any_rules(content: str, words: list[str]) -> None:
    assert abouts(content, []) == words
    assert abouts(content, [], backend="none") == []


@BOTH
def test_rules_that_nothing_leads_to_are_as_good_as_none(chains: list[Chain]) -> None:
    cut = [replace(chain, rules=()) if chain.hook == "forward" else chain for chain in chains]
    assert abouts(NAT, cut) == ["rules"]


@BOTH
@pytest.mark.parametrize(
    "ways",
    [("LIBVIRT_FWI", "LIBVIRT_FWX", "guest_input", "guest_cross"), ("LIBVIRT_FWO", "LIBVIRT_FWX", "guest_output", "guest_cross")],
)
def test_rules_for_one_way_are_not_enough(chains: list[Chain], ways: tuple[str, ...]) -> None:
    cut = [replace(chain, rules=()) if chain.name in ways else chain for chain in chains]
    assert abouts(NAT, cut) == ["rules"]


@BOTH
def test_without_translation(chains: list[Chain]) -> None:
    cut = [replace(chain, rules=()) if chain.name in ("LIBVIRT_PRT", "guest_nat") else chain for chain in chains]
    assert abouts(NAT, cut) == ["rules"]
    assert abouts(ROUTED, cut) == []


def test_rules_for_another_bridge() -> None:
    assert abouts(NAT.replace("virbr0", "virbr1"), captured_iptables()) == ["rules"]
    # such as the one that the kernel has forgotten, whose number is still in a rule
    assert abouts(NAT.replace("virbr0", "virbr1"), captured_nftables()) == ["rules"]


def test_ipv6_has_rules_of_its_own() -> None:
    assert abouts(SIX, captured_iptables()) == ["rules"]


# --- what drops ---------------------------------------------------------------------------------------------------------------


def test_dockers_policy_does_no_harm_where_libvirts_rules_come_before_it() -> None:
    docker = [
        replace(chain, policy="drop") if chain.place == ("ip", "filter", "FORWARD") else chain for chain in captured_iptables()
    ]
    assert found(NAT, docker) == []


def test_dockers_policy_has_the_last_word_over_libvirts_nftables() -> None:
    (sentence,) = found(NAT, [*captured_nftables(), *parse_iptables(DOCKER, "ip")])
    assert sentence == (
        "The firewall's table filter (Docker) drops packets of guests on the network 'default' (what they send out); have Docker "
        '(28 or later) leave forwarding alone with "ip-forward-no-drop": true in /etc/docker/daemon.json, or accept the guests\' '
        "bridge in the chain DOCKER-USER."
    )
    assert found(OPEN, parse_iptables(DOCKER, "ip")) == []
    assert found(ISOLATED, [*captured_nftables(), *parse_iptables(DOCKER, "ip")]) == []


def test_what_the_user_has_accepted_for_docker() -> None:
    text = DOCKER.replace("COMMIT", "-A DOCKER-USER -i virbr0 -j ACCEPT\n-A DOCKER-USER -o virbr0 -j ACCEPT\nCOMMIT")
    assert found(NAT, [*captured_nftables(), *parse_iptables(text, "ip")]) == []
    half = text.replace("-A DOCKER-USER -o virbr0 -j ACCEPT\n", "")
    assert abouts(NAT, [*captured_nftables(), *parse_iptables(half, "ip")]) == ["drops"]


# seed 001-38
def test_ufw() -> None:
    (sentence,) = found(NAT, [*captured_nftables(), *captured_iptables("ufw.iptables-1.8.11.txt")])
    assert sentence == (
        "The firewall's table filter (ufw) drops packets of guests on the network 'default' (what they send out, their DHCP "
        "requests and their DNS queries); let guests through with the role kvmops.network.host_firewall (forward: true for "
        "their bridge)."
    )


def test_firewalld() -> None:
    (sentence,) = found(NAT, [*captured_nftables(), *captured_nftables("firewalld-drop.nftables-1.1.3.json")])
    assert sentence.startswith(
        "The firewall's table firewalld drops packets of guests on the network 'default' (what they send out, their DHCP "
        "requests and their DNS queries); let guests through with the role"
    )
    assert found(NAT, [*captured_nftables(), *captured_nftables("firewalld.nftables-1.1.3.json")]) == []


def test_what_goes_between_host_and_guests() -> None:
    (sentence,) = found(ISOLATED, [*captured_nftables(), strict("output")])
    assert re.search(
        r"table strict drops packets of guests on the network 'default' \(what goes between them and the host\)", sentence
    )


@pytest.mark.parametrize(("backend", "words"), [("", ["rules"]), ("iptables", ["rules"]), ("nftables", ["rules", "drops"])])
def test_a_policy_that_only_libvirts_missing_rules_would_get_past(backend: str, words: list[str]) -> None:
    assert abouts(NAT, parse_iptables(DOCKER, "ip"), backend=backend) == words


def test_bridged_frames_matter_where_guests_are_on_the_bridge_and_a_policy_drops_them() -> None:
    # nobody is on it
    assert found(OF_THE_HOST, parse_iptables(DOCKER, "ip"), filters_bridges={4: True}) == []


def test_without_a_way_out_nothing_is_said_of_it() -> None:
    state = network(NAT)
    chains = [*captured_nftables(), *parse_iptables(DOCKER, "ip")]
    facts = Facts(networks={state.name: state}, firewall=Ruleset(chains))
    assert list(check_traffic(facts, [state])) == []
    assert list(check_traffic(replace(facts, firewall=None), [state])) == []


# --- forwarding ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "forwarding", "settings"),
    [
        (NAT, {4: True, 6: False}, []),
        (NAT, {4: False, 6: False}, ["net.ipv4.ip_forward"]),
        (ROUTED, {4: False}, ["net.ipv4.ip_forward"]),
        (OPEN, {4: False}, ["net.ipv4.ip_forward"]),
        (ISOLATED, {4: False, 6: False}, []),
        (OF_THE_HOST, {4: False}, []),
        (SIX, {4: False, 6: False}, ["net.ipv6.conf.all.forwarding"]),
        (SIX, {4: False}, []),
    ],
)
def test_who_needs_forwarding(content: str, forwarding: dict[int, bool], settings: list[str]) -> None:
    state = network(content)
    sentences = [each.sentence for each in check_forwarding(Facts(networks={}, forwarding=forwarding), [state])]
    assert [re.findall(r"\((net\S+) is 0\)", sentence)[0] for sentence in sentences] == settings
