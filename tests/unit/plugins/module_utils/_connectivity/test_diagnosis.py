# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Each thing that is broken is named, and what comes of it is not."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.diagnosis import diagnose
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.facts import Probe, Request
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.findings import Finding
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.firewall import Packet, Ruleset
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.iptables import parse_iptables
from ansible_collections.kvmops.network.plugins.module_utils._forward.files import KEEPER_UNIT
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._connectivity.builders import World, captured_iptables
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._forward.builders import forward

BACKENDS = ("iptables", "nftables")
ASK = Request(outside="198.51.100.1")

# What is named when one thing is broken, its sentence, and at which guests it is seen.
FAULTS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "network_inactive": (
        "network_inactive",
        "The network 'default' does not run; start it with the module kvmops.network.libvirt_network, which also plugs in again "
        "the guests 'db' and 'web' ('virsh net-start' does not).",
        ("db", "web"),
    ),
    "autostart_off": (
        "autostart_off",
        "The network 'default' is not started when the host boots; turn that on with 'virsh net-autostart default'.",
        (),
    ),
    "network_transient": (
        "network_transient",
        "The network 'default' runs without a stored definition and is gone when it stops or the host boots; define it with the "
        "module kvmops.network.libvirt_network, which does not touch what runs.",
        (),
    ),
    "bridge_missing": (
        "bridge_missing",
        "The bridge virbr0 of the network 'default' is not there; stop the network with 'virsh net-destroy default' and start it "
        "with the module kvmops.network.libvirt_network, which plugs its guests in again.",
        ("db", "web"),
    ),
    "bridge_down": (
        "bridge_down",
        "The bridge virbr0 of the network 'default' is down; set it up with 'ip link set virbr0 up'.",
        ("db", "web"),
    ),
    "address_missing": (
        "address_missing",
        "The bridge virbr0 has lost the address 192.168.122.1/24 of the network 'default', the guests' gateway; give it back "
        "with 'ip addr add 192.168.122.1/24 dev virbr0'.",
        ("db", "web"),
    ),
    "subnet_taken": (
        "subnet_taken",
        "The subnet 192.168.122.0/24 of the network 'default' overlaps with the host's route to 192.168.122.0/25 through eth0; "
        "give the network another subnet, or take the other away.",
        ("db", "web"),
    ),
    "dnsmasq_down": (
        "dnsmasq_down",
        "The dnsmasq of the network 'default' does not run, and guests get no addresses and names; restart libvirt's daemon, "
        "which starts it: 'systemctl restart libvirtd'.",
        (),
    ),
    "forwarding_off": (
        "forwarding_off",
        "The host forwards no IPv4 packets (net.ipv4.ip_forward is 0), and guests of the network 'default' get no further than "
        "to it; turn it on with 'sysctl net.ipv4.ip_forward=1', and find out what turned it off (a file in /etc/sysctl.d?).",
        (),
    ),
    "firewall_rules_missing": (
        "firewall_rules_missing",
        "libvirt's firewall rules for the network 'default' are gone, as after a flush of all rules; restart libvirt's daemon, "
        "which makes them anew and spares the guests: 'systemctl restart libvirtd'.",
        (),
    ),
    "firewall_drops": (
        "firewall_drops",
        "The firewall's table strict drops packets of guests on the network 'default' (what they send out), what guests on the "
        "bridge 'plain' send and get over it and what guests send each other over the bridge 'virbr0' "
        "(net.bridge.bridge-nf-call-iptables and net.bridge.bridge-nf-call-ip6tables are 1); let the guests' bridge through in "
        "it, both what comes in there and what goes out.",
        (),
    ),
    "dhcp_dropped": (
        "firewall_drops",
        "The firewall's table strict drops packets of guests on the network 'default' (their DHCP requests); let the guests' "
        "bridge through in it, both what comes in there and what goes out.",
        (),
    ),
    "bridged_frames_filtered": (
        "bridged_frames_filtered",
        "The firewall's table strict drops what guests on the bridge 'plain' send and get over it "
        "(net.bridge.bridge-nf-call-iptables and net.bridge.bridge-nf-call-ip6tables are 1); accept in the table strict what "
        "both comes in and goes out on the bridge 'plain', or, where neither Docker nor Kubernetes runs, keep frames on bridges "
        "out of the firewall with host_firewall_bridge_filtering: disabled of the role kvmops.network.host_firewall.",
        (),
    ),
    "guests_unplugged": (
        "guests_unplugged",
        "The guest 'web' is not plugged into the bridge virbr0 of the network 'default', as it is after a restart of the "
        "network; plug in again with the module kvmops.network.libvirt_network, in a task that says no more than name: default "
        "and state: active.",
        ("web",),
    ),
    "off_the_plain_bridge": (
        "guests_unplugged",
        "The guest 'web' is not plugged into the host's bridge plain, where its NIC 52:54:00:00:00:03 belongs; plug it in with "
        "'ip link set vnet2 master plain'.",
        ("web",),
    ),
    "link_down": (
        "link_down",
        "The link of the NIC 52:54:00:00:00:01 of the guest 'web' is down; set it up with 'virsh domif-setlink web vnet0 up'.",
        ("web",),
    ),
    "guest_paused": (
        "guest_paused",
        "The guest 'web' is paused, and answers nobody; let it go on with 'virsh resume web'.",
        ("web",),
    ),
    "guest_unreachable": (
        "guest_unreachable",
        "Nobody answers at 192.168.122.11, the address of the guest 'web' on its NIC 52:54:00:00:00:01; see with 'virsh console "
        "web' whether it has booted, its interface is up and has this address.",
        ("web",),
    ),
    "guest_silent": (
        "guest_silent",
        "The guest 'web' is there at 192.168.122.11, but answers neither pings nor on any port that was tried; let them through "
        "in the guest's own firewall.",
        ("web",),
    ),
    "no_lease": (
        "no_lease",
        "The guest 'web' has no address on its NIC 52:54:00:00:00:01: it sends, but has got no lease; see with 'virsh console "
        "web' whether a DHCP client runs on that interface, or give it a fixed address there.",
        ("web",),
    ),
    "outside_unreachable": (
        "outside_unreachable",
        "The host itself gets no answer from 198.51.100.1 (its default route is through eth0); put the host's own uplink right, "
        "on which all guests depend.",
        (),
    ),
}

# What is not named beside something else, since it cannot be seen then, or is there because of it.
RUNNING = {"bridge_missing", "bridge_down", "address_missing", "subnet_taken", "dnsmasq_down", "forwarding_off"}
RUNNING |= {"firewall_rules_missing", "dhcp_dropped", "guests_unplugged"}
AT_THE_GUEST = {"guest_unreachable", "guest_silent", "no_lease"}
HIDDEN: dict[str, set[str]] = {
    "network_inactive": RUNNING | AT_THE_GUEST,
    "bridge_missing": {"bridge_down", "address_missing", "subnet_taken", "dnsmasq_down", "guests_unplugged", *AT_THE_GUEST},
    "bridge_down": {"address_missing", "subnet_taken", "dnsmasq_down", *AT_THE_GUEST},
    "address_missing": AT_THE_GUEST,
    "subnet_taken": {"guest_unreachable", "guest_silent"},
    "dnsmasq_down": {"no_lease"},
    "firewall_rules_missing": {"no_lease"},
    "dhcp_dropped": {"no_lease", "bridged_frames_filtered"},
    # one table, one sentence
    "firewall_drops": {"bridged_frames_filtered", "dhcp_dropped"},
    "guests_unplugged": AT_THE_GUEST,
    "link_down": AT_THE_GUEST,
    "guest_paused": AT_THE_GUEST,
    "no_lease": {"guest_unreachable", "guest_silent"},
    "guest_silent": {"guest_unreachable"},
    "network_transient": {"autostart_off"},
}
IMPOSSIBLE = {frozenset({"network_transient", "network_inactive"})}


def named(*faults: str, backend: str = "iptables", request: Request = ASK) -> list[Finding]:
    return diagnose(World(frozenset(faults), backend).facts(), request)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_sound_host_is_silent(backend: str) -> None:
    assert named(backend=backend) == []


# seed 003-40, 003-41, 003-42, 001-37, 001-38
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_broken_is_named_and_nothing_else(fault: str, backend: str) -> None:
    about, sentence, guests = FAULTS[fault]
    found = named(fault, backend=backend)
    assert [(finding.about, finding.guests) for finding in found] == [(about, guests)]
    assert found[0].sentence == sentence
    assert found[0].severity == ("warning" if fault in ("autostart_off", "network_transient") else "error")


def seen_late(faults: set[str]) -> set[str]:
    """Return what a network that does not run keeps from being seen, and from hiding anything."""
    return HIDDEN["network_inactive"] if "network_inactive" in faults else set()


def left(faults: set[str]) -> list[str]:
    if "network_inactive" in faults and "firewall_drops" in faults:
        # of whose guests nothing is forwarded then are those on the host's bridge
        faults = faults - {"firewall_drops"} | {"bridged_frames_filtered"}
    hidden = {name for fault in faults - seen_late(faults) for name in HIDDEN.get(fault, ())}
    return sorted({FAULTS[fault][0] if fault != "off_the_plain_bridge" else fault for fault in faults - hidden})


def abouts(found: list[Finding]) -> list[str]:
    return sorted({"off_the_plain_bridge" if "host's bridge plain" in each.cause else each.about for each in found})


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(FAULTS, 2)))
def test_of_two_things_both_are_named_unless_one_comes_of_the_other(one: str, other: str, backend: str) -> None:
    if frozenset({one, other}) in IMPOSSIBLE:
        return
    assert abouts(named(one, other, backend=backend)) == left({one, other})


@given(st.sets(st.sampled_from(sorted(FAULTS)), max_size=6), st.sampled_from(BACKENDS))
def test_of_many_things_all_are_named_that_can_be_seen(faults: set[str], backend: str) -> None:
    if any(pair <= faults for pair in IMPOSSIBLE):
        return
    assert abouts(named(*faults, backend=backend)) == left(faults)


@given(st.sets(st.sampled_from(sorted(FAULTS)), max_size=6), st.sampled_from(BACKENDS))
def test_each_finding_is_one_sentence(faults: set[str], backend: str) -> None:
    for finding in named(*faults, backend=backend):
        assert re.fullmatch(r"[A-Za-z].*; [a-z].*\.", finding.sentence)
        assert "\n" not in finding.sentence
        assert "  " not in finding.sentence
        assert not finding.cause.endswith(".")
        assert not finding.cure.endswith(".")


# --- what is asked -------------------------------------------------------------------------------------------------------------


def test_only_the_networks_that_are_asked_for() -> None:
    assert named("network_inactive", request=Request(networks=("other",)))[0].about == "network_missing"
    assert abouts(named("network_inactive", request=Request(networks=()))) == []
    assert abouts(named("forwarding_off", "firewall_rules_missing", request=Request(networks=()))) == []


def test_only_the_guests_that_are_asked_for() -> None:
    for fault in ("link_down", "guest_paused", "guest_unreachable", "guests_unplugged", "off_the_plain_bridge"):
        assert named(fault, request=Request(guests=("db",))) == []
        assert len(named(fault, request=Request(guests=("web", "db")))) == 1


def test_names_that_nothing_has() -> None:
    found = named(request=Request(guests=("web", "wbe"), networks=("defualt",)))
    assert [finding.sentence for finding in found] == [
        "There is no network 'defualt' on this host; make it with the module kvmops.network.libvirt_network, or correct the "
        "name.",
        "There is no guest 'wbe' on this host; make it, or correct the name.",
    ]


def test_a_guest_that_is_off_matters_where_it_is_named() -> None:
    assert named("guest_off") == []
    (found,) = named("guest_off", request=Request(guests=("web",)))
    assert found.sentence == "The guest 'web' is off; start it with 'virsh start web'."


def test_a_link_that_is_down_by_its_definition_matters_where_the_guest_is_named() -> None:
    assert named("link_wished_down") == []
    (found,) = named("link_wished_down", request=Request(guests=("web",)))
    assert found.sentence == (
        "The link of the NIC 52:54:00:00:00:01 of the guest 'web' is down, in its stored definition as well; set it up with "
        "'virsh domif-setlink web vnet0 up', and once more with --config."
    )


def test_a_guest_without_dhcp_whose_address_nobody_knows_matters_where_it_is_named() -> None:
    assert named("no_dhcp") == []
    (found,) = named("no_dhcp", request=Request(guests=("web",)))
    assert found.sentence == (
        "The guest 'web' has no address on its NIC 52:54:00:00:00:01 that the host has seen, and the network 'default' has no "
        "DHCP server; give the guest a fixed address inside it, or the network a DHCP range."
    )


@pytest.mark.parametrize(
    ("faults", "why"),
    [
        (("pool_full",), "all 253 addresses that the network 'default' gives away are taken; make its DHCP range larger"),
        (
            ("filtered",),
            "it has got no lease, and the network filter 'clean-traffic' decides what the NIC may send; see with 'virsh",
        ),
        (("mute",), "it has not sent a single packet there; see with 'virsh console web' whether it has booted"),
    ],
)
def test_why_there_is_no_lease(faults: tuple[str, ...], why: str) -> None:
    (found,) = named("no_lease", *faults)
    assert found.about == "no_lease"
    assert f"The guest 'web' has no address on its NIC 52:54:00:00:00:01: {why}" in found.sentence


@pytest.mark.parametrize("ports", [None, ()])
def test_a_closed_port_is_no_finding_where_nobody_asked_for_it(ports: tuple[int, ...] | None) -> None:
    assert named("port_closed", request=Request(ports=ports)) == []


def test_a_closed_port_and_a_silent_one() -> None:
    (found,) = named("port_closed", request=Request(guests=("web",), ports=(22,)))
    # its other NIC, on the host's bridge, is open
    assert found.sentence == (
        "The guest 'web' answers at 192.168.122.11, but refuses connections to port 22; start in it what shall listen there, or "
        "let port 22 through in its own firewall."
    )
    silent = named(request=Request(guests=("db",), ports=(22, 80)))
    assert [finding.sentence for finding in silent] == [
        "The guest 'db' answers at 192.168.122.12, but not on port 80; let port 80 through in the guest's own firewall."
    ]


def test_frames_on_bridges_that_the_firewall_does_not_see() -> None:
    facts = World(frozenset({"bridged_frames_filtered"})).facts()
    assert diagnose(replace(facts, filters_bridges={4: False}), Request()) == []
    assert diagnose(replace(facts, filters_bridges={}), Request()) == []
    assert len(diagnose(facts, Request())) == 1


def test_a_rule_that_keeps_guests_of_a_bridge_apart_is_somebodys_wish() -> None:
    facts = World().facts()
    text = "*apart\n:forward ACCEPT [0:0]\n-A forward -i virbr0 -o virbr0 -j DROP\n-A forward -i plain -o plain -j DROP\nCOMMIT\n"
    apart = [replace(chain, hook="forward") for chain in parse_iptables(text, "ip")]
    ruleset = Ruleset([*captured_iptables(), *apart])
    among = Packet(hook="forward", incoming="virbr0", outgoing="virbr0", protocol="tcp", bridged=True)
    assert ruleset.find_block(among) is not None
    assert diagnose(replace(facts, firewall=ruleset), Request()) == []


def test_a_network_that_knows_only_whom_it_has_reserved_addresses_for() -> None:
    facts = World(frozenset({"no_lease"})).facts()
    state = facts.networks["default"]
    (entry,) = (state.live or {})["ips"]
    for mac, why in (
        ("52:54:00:00:00:99", "to those alone for whom it has reserved"),
        ("52:54:00:00:00:01", "it sends, but has got"),
    ):
        dhcp = {"hosts": [{"mac": mac, "ip": "192.168.122.9"}]}
        live = {**(state.live or {}), "ips": [{**entry, "dhcp": dhcp}]}
        (found,) = diagnose(replace(facts, networks={"default": replace(state, live=live)}), Request())
        assert why in found.sentence


def test_without_ping_who_tells_his_mac_address_is_there() -> None:
    facts = World().facts()
    for neighbour, words in ((True, []), (False, ["guest_unreachable"] * 3), (None, ["guest_unreachable"] * 3)):
        probes = {address: Probe(None, neighbour, {}) for address in facts.probes}
        assert [finding.about for finding in diagnose(replace(facts, probes=probes), Request(ports=()))] == words


def test_an_inactive_network_whose_subnet_is_taken_cannot_just_be_started() -> None:
    (found,) = named("network_inactive", "subnet_taken")
    assert found.sentence == (
        "The network 'default' does not run; give it another subnet with the module kvmops.network.libvirt_network, since "
        "192.168.122.0/24 is the host's route to 192.168.122.0/25 through eth0 too."
    )


def test_where_the_host_cannot_be_seen_only_libvirts_own_is_said() -> None:
    facts = World(frozenset({"autostart_off", "link_down", "forwarding_off", "address_missing"})).facts()
    blind = type(facts)(networks=facts.networks, guests=facts.guests, nics=facts.nics)
    assert abouts(diagnose(blind, Request())) == ["autostart_off", "link_down"]


def test_a_host_without_a_default_route() -> None:
    facts = World(frozenset({"outside_unreachable"})).facts()
    alone = type(facts)(**{**vars(facts), "default_devices": ()})
    (found,) = diagnose(alone, ASK)
    assert found.sentence == (
        "The host itself has no default route, and gets no answer from 198.51.100.1; put the host's own network right, on which "
        "all guests depend."
    )


# --- ports of the host that lead into guests ------------------------------------------------------------------------------------


def forward_sentences(request: Request = ASK, *, faults: tuple[str, ...] = (), idle: tuple[str, ...] = ()) -> list[str]:
    there = (forward("by-address", "9000", domain=""), forward("gone", "9001", domain="nobody"), forward("web", "8080"))
    facts = replace(World().facts(), forwards=there, forward_faults=faults, forward_idle=idle)
    found = diagnose(facts, request)
    assert {finding.about for finding in found} <= {"forward_broken"}
    return [finding.sentence for finding in found]


def test_forwards_are_told_of_for_what_is_not_told_otherwise() -> None:
    gone = (
        "The port forward 'gone' (* tcp 9001 -> 192.168.122.10:9001) is not as it was made: the guest 'nobody' is gone; make it "
        "again, or remove the forward."
    )
    unreserved = (
        "The port forward 'web' (* tcp 8080 -> 192.168.122.10:8080) is not as it was made: 192.168.122.10 is no longer reserved "
        "for the guest 'web', which may get another address; run its task again."
    )
    assert forward_sentences() == [gone, unreserved]
    assert forward_sentences(Request(guests=("web",))) == [unreserved]
    assert forward_sentences(Request(networks=())) == []
    missing = forward_sentences(Request(guests=("db",)), faults=("the table 'inet kvmops_port_forwards'",), idle=(KEEPER_UNIT,))
    assert missing == [
        "The port forward 'by-address' (* tcp 9000 -> 192.168.122.10:9000) is not as it was made: the unit "
        "kvmops-port-forwards.service does not run, or does not at boot; run its task again.",
        "The port forward 'by-address' (* tcp 9000 -> 192.168.122.10:9000) is not as it was made: it is missing in the firewall: "
        "the table 'inet kvmops_port_forwards'; run its task again.",
    ]
