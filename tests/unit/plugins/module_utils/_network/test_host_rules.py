# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What stands against a network on a host, given the host."""

from __future__ import annotations

import typing as t
from ipaddress import ip_interface, ip_network

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Host, Link, Route
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import definition_from_xml
from ansible_collections.kvmops.network.plugins.module_utils._network.host_rules import Conflicts, find_conflicts
from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState
from ansible_collections.kvmops.network.plugins.module_utils._network.surroundings import make_surroundings

if t.TYPE_CHECKING:
    Definition = dict[str, t.Any]

MAC = "52:54:00:00:00:01"


def link(name: str, *addresses: str, **other: t.Any) -> Link:
    known = {"mac": None, "kind": "", "master": None, "wireless": False, **other}
    return Link(name=name, addresses=tuple(ip_interface(address) for address in addresses), **known)


def route(subnet: str, device: str | None = "eth0", *, connected: bool = True, table: str = "main") -> Route:
    return Route(subnet=ip_network(subnet), device=device, connected=connected, table=table)


def host(*parts: Link | Route) -> Host:
    links = [part for part in parts if isinstance(part, Link)]
    return Host(links={each.name: each for each in links}, routes=tuple(part for part in parts if isinstance(part, Route)))


def definition(content: str, name: str = "lab") -> Definition:
    return definition_from_xml(f"<network><name>{name}</name>{content}</network>")


def state(content: str | None, *, name: str = "lab", active: bool = False) -> NetworkState:
    if content is None:
        return NetworkState(name=name)
    there = definition(content, name)
    return NetworkState(name=name, stored=there, live=there if active else None)


def conflicts(
    content: str,
    *parts: Link | Route,
    before: NetworkState | None = None,
    others: t.Sequence[NetworkState] = (),
    starts: bool = False,
    allow: t.Sequence[str] = (),
    seen: bool = True,
) -> Conflicts:
    there = before or NetworkState(name="lab")
    return find(there, definition(content), host(*parts) if seen else None, others, starts=starts, allow=allow)


def find(
    before: NetworkState,
    wanted: Definition,
    host: Host | None = None,
    others: t.Sequence[NetworkState] = (),
    *,
    starts: bool = False,
    allow: t.Sequence[str] = (),
) -> Conflicts:
    """Return what is found when the other networks stay as they are."""
    live = [NetworkState(name=state.name, live=state.live) for state in (before, *others)]
    surroundings = make_surroundings(
        [NetworkState(name=before.name, stored=wanted, live=before.live), *others],
        host,
        made=frozenset().union(*(state.bridges for state in live)),
    )
    return find_conflicts(before, wanted, surroundings, starts=starts, allow_overlap=allow)


NONE = Conflicts(refused=(), overlaps=(), warnings=())
IP = "<ip address='192.168.122.1' prefix='24'/>"
IP6 = "<ip family='ipv6' address='fd00:122::1' prefix='64'/>"
NAT = f"<forward mode='nat'/><bridge name='virbr0'/>{IP}"


# --- subnets ---------------------------------------------------------------------------------------- seed 001-7, 001-37


@pytest.mark.parametrize(
    ("part", "owner"),
    [
        # the nested guest: its LAN is the stock network of its own host
        (link("eth0", "192.168.122.17/24"), "the host's address 192.168.122.17/24 on eth0"),
        (link("eth0", "192.168.122.200/30"), "the host's address 192.168.122.200/30 on eth0"),
        (link("eth0", "192.168.0.5/16"), "the host's address 192.168.0.5/16 on eth0"),
        (route("192.168.122.0/24", "wg0"), "the host's route to 192.168.122.0/24 through wg0"),
        (route("192.168.0.0/16", "wg0"), "the host's route to 192.168.0.0/16 through wg0"),
        (route("192.168.122.0/24", None), "the host's route to 192.168.122.0/24"),
        (
            route("192.168.122.0/26", "wg0", connected=False, table="100"),
            "the host's route to 192.168.122.0/26 through wg0 in table 100",
        ),
        (route("192.168.122.0/24", "eth0", connected=False), "the host's route to 192.168.122.0/24 through eth0"),
    ],
)
def test_a_subnet_that_the_host_has_is_refused(part: Link | Route, owner: str) -> None:
    subnet = part.subnet if isinstance(part, Route) else part.addresses[0].network
    found = conflicts(NAT, part)
    assert found == Conflicts(
        refused=(),
        overlaps=(
            f"The subnet 192.168.122.0/24 overlaps with {owner}. Choose another subnet, or add '{subnet}' to "
            "allow_overlap if the two "
            "are never in use together.",
        ),
        warnings=(),
    )
    assert conflicts(NAT, part, allow=[str(subnet)]) == NONE


def test_ipv6_is_looked_at_too() -> None:
    assert conflicts(IP6, link("eth0", "fd00:122::5/64")).overlaps != ()
    assert conflicts(IP6, link("eth0", "fd00:123::5/64")) == NONE
    assert conflicts(IP6, route("fd00:122::/64", "wg0")).overlaps != ()


def test_the_networks_own_routes_are_looked_at_too() -> None:
    routed = f"{NAT}<route address='10.9.0.0' prefix='16' gateway='192.168.122.2'/>"
    assert conflicts(routed, link("eth0", "10.9.9.9/24")).overlaps != ()


@pytest.mark.parametrize(
    "part",
    [
        link("eth0", "192.168.121.1/24"),
        link("eth0", "169.254.1.1/16", "fe80::1/64"),
        link("lo", "127.0.0.1/8", "::1/128"),
        route("192.168.121.0/24"),
    ],
)
def test_what_does_not_overlap(part: Link | Route) -> None:
    assert conflicts(f"<ip address='169.254.3.1' prefix='24'/>{NAT}", part) == NONE


def test_an_address_on_the_loopback_interface_is_the_hosts_too() -> None:
    found = conflicts(NAT, link("lo", "127.0.0.1/8", "192.168.122.9/32"))
    assert [sentence.split(".  ")[0] for sentence in found.overlaps] == list(found.overlaps)
    assert found.overlaps[0].startswith("The subnet 192.168.122.0/24 overlaps with the host's address 192.168.122.9/32 on lo.")


def test_one_cause_is_said_once() -> None:
    found = conflicts(NAT, link("eth0", "192.168.122.9/24"), route("192.168.122.0/24", "eth0"), route("192.168.122.1/32", "eth0"))
    assert len(found.overlaps) == 1


def test_what_the_network_does_not_run_with_yet_is_looked_at() -> None:
    waiting = {"name": "lab", "ips": [{"address": "10.99.0.1", "prefix": 24}]}
    before = NetworkState("lab", stored=waiting, live={"name": "lab", "ips": [{"address": "192.168.122.1", "prefix": 24}]})
    host = Host(links={"eth0": link("eth0", "10.99.0.7/16")}, routes=())
    found = find(before, waiting, host)
    assert found.overlaps[0].startswith("The subnet 10.99.0.0/24 overlaps with the host's address 10.99.0.7/16 on eth0.")


def test_a_wide_route_is_a_warning() -> None:
    # a VPN that takes all private addresses
    found = conflicts(NAT, route("192.168.0.0/16", "tun0", connected=False))
    assert found == Conflicts(
        refused=(),
        overlaps=(),
        warnings=(
            "The subnet 192.168.122.0/24 lies inside the host's route to 192.168.0.0/16 through tun0: what it would "
            "lead to there is "
            "no longer reached.",
        ),
    )


def test_another_network_is_refused_whether_it_runs_or_not() -> None:
    for active in (False, True):
        other = state("<ip address='192.168.122.129' prefix='25'/>", name="other", active=active)
        assert conflicts(NAT, others=[other]).overlaps == (
            "The subnet 192.168.122.0/24 overlaps with the network 'other' (192.168.122.128/25). Choose another "
            "subnet, or add 'other' "
            "to allow_overlap if the two are never in use together.",
        )
        assert conflicts(NAT, others=[other], allow=["other"]) == NONE


def test_another_network_that_will_be_another_is_refused_as_it_is_and_as_it_will_be() -> None:
    other = NetworkState("other", stored=definition("<ip address='10.1.0.1' prefix='24'/>"), live=definition(IP))
    assert len(conflicts(NAT, others=[other]).overlaps) == 1
    assert len(conflicts("<ip address='10.1.0.1' prefix='24'/>", others=[other]).overlaps) == 1


def test_the_bridge_of_another_network_is_not_said_twice() -> None:
    other = state("<bridge name='virbr9'/><ip address='192.168.122.129' prefix='25'/>", name="other", active=True)
    found = conflicts(NAT, link("virbr9", "192.168.122.129/25"), route("192.168.122.128/25", "virbr9"), others=[other])
    assert len(found.overlaps) == 1


@pytest.mark.parametrize("name", ["lab", "other"])
def test_a_network_without_a_bridge_hides_no_route_without_a_device(name: str) -> None:
    # libvirt's test driver chooses no names; a route through several gateways has no device
    nameless = state("<mtu size='1400'/>", name=name, active=True)
    others = [nameless] if name == "other" else []
    found = conflicts(NAT, route("192.168.122.0/24", None), before=nameless if name == "lab" else None, others=others)
    assert len(found.overlaps) == 1


def test_the_own_bridge_is_no_conflict() -> None:
    before = state(NAT, active=True)
    own = (link("virbr0", "192.168.122.1/24", kind="bridge", mac=MAC), route("192.168.122.0/24", "virbr0"))
    assert conflicts(f"{NAT}<mac address='{MAC}'/>", *own, before=before) == NONE
    assert conflicts(NAT.replace("prefix='24'", "prefix='23'"), *own, before=before) == NONE


def test_only_what_the_task_introduces_is_looked_at() -> None:
    lan = link("eth0", "192.168.122.17/24")
    before = state(NAT)
    # an old overlap is not the fault of a task that changes something else …
    assert conflicts(f"{NAT}<mtu size='1400'/>", lan, before=before) == NONE
    # … but is of one that starts the network
    assert conflicts(NAT, lan, before=before, starts=True).overlaps != ()
    # and what is added is looked at
    assert conflicts(f"{NAT}{IP6}", link("eth0", "fd00:122::5/64"), before=before).overlaps != ()


# --- names and identity ---------------------------------------------------------------------------------------------------------

UUID = "1b4f0c34-3a39-4a26-a21f-6f0a3b1e0a6e"


def test_the_uuid_of_a_network_cannot_be_changed() -> None:
    before = NetworkState("lab", stored={"name": "lab", "uuid": UUID})
    wanted = {"name": "lab", "uuid": UUID.replace("1", "2")}
    found = find(before, wanted)
    assert found.refused == (
        f"uuid: '{wanted['uuid']}' is wanted, but the network 'lab' has {UUID}, and libvirt cannot change it; leave uuid out, or "
        "remove the network first with state: absent.",
    )
    assert find(before, dict(before.stored or {})) == NONE


def test_the_uuid_of_another_network_is_refused() -> None:
    other = state(f"<uuid>{UUID}</uuid>", name="other")
    assert conflicts(f"<uuid>{UUID}</uuid>", others=[other]).refused == (
        f"uuid: '{UUID}' is the UUID of the network 'other'; choose another, or leave uuid out.",
    )


BRIDGE = "<bridge name='virbr0'/>"


@pytest.mark.parametrize("seen", [True, False])
def test_the_bridge_of_another_network_is_refused(seen: bool) -> None:
    other = state("<bridge name='virbr0'/>", name="other")
    assert conflicts(BRIDGE, link("virbr0", kind="bridge"), others=[other], seen=seen).refused == (
        "bridge.name: 'virbr0' is the bridge of the network 'other' already; choose another name.",
    )


def test_an_interface_of_the_host_is_no_free_bridge_name() -> None:
    taken = "bridge.name: 'virbr0' is an interface of this host already; choose another name, or remove the interface."
    assert conflicts(BRIDGE, link("virbr0")).refused == (taken,)
    assert conflicts(BRIDGE, link("virbr1")) == NONE
    # it is defined, but does not run: the interface is somebody else's
    assert conflicts(BRIDGE, link("virbr0"), before=state(BRIDGE), starts=True).refused == (taken,)
    # it runs: the interface is its own
    assert conflicts(BRIDGE, link("virbr0"), before=state(BRIDGE, active=True)) == NONE
    # it runs and changes its mode
    assert conflicts(NAT, link("virbr0"), before=state(BRIDGE, active=True)) == NONE


HOST_BRIDGE = "<forward mode='bridge'/><bridge name='br0'/>"


def test_the_hosts_bridge_has_to_be_there() -> None:
    assert conflicts(HOST_BRIDGE, link("br0", kind="bridge")) == NONE
    assert conflicts(HOST_BRIDGE).refused == (
        "bridge.name: 'br0' does not exist on this host; forward.mode 'bridge' needs a bridge that the host has, make it first.",
    )
    assert conflicts(HOST_BRIDGE, link("br0", kind="bond")).refused == (
        "bridge.name: 'br0' is not a bridge; forward.mode 'bridge' needs a bridge that the host has, make it first.",
    )
    assert conflicts(HOST_BRIDGE, seen=False) == NONE


def test_a_bridge_of_its_own_is_not_the_hosts() -> None:
    # the network was isolated, its bridge is gone when it becomes one of the host's
    found = conflicts(HOST_BRIDGE.replace("br0", "virbr0"), before=state(BRIDGE))
    assert found.refused == (
        "bridge.name: 'virbr0' does not exist on this host; forward.mode 'bridge' needs a bridge that the host has, "
        "make it first.",
    )


def test_two_networks_may_share_the_hosts_bridge() -> None:
    other = state(HOST_BRIDGE, name="other", active=True)
    assert conflicts(HOST_BRIDGE, link("br0", kind="bridge"), others=[other]) == NONE


def test_a_bridge_of_open_vswitch_is_no_bridge_of_the_kernel() -> None:
    assert conflicts(f"{HOST_BRIDGE}<virtualport type='openvswitch'/>", link("br0", kind="openvswitch")) == NONE


@pytest.mark.parametrize(
    ("parts", "starts", "refused"),
    [
        ([], True, "mac: '52:54:00:00:00:01' is the MAC address of 'eth0' on this host; choose another, or leave mac out."),
        ([link("virbr0", mac=MAC, kind="bridge")], False, None),
    ],
)
def test_a_mac_address_of_the_host_is_refused(parts: list[Link], starts: bool, refused: str | None) -> None:
    wanted = f"{BRIDGE}<mac address='{MAC}'/>"
    found = conflicts(wanted, *(parts or [link("eth0", mac=MAC)]), before=state(BRIDGE, active=True), starts=starts)
    assert found.refused == ((refused,) if refused else ())


def test_the_port_that_libvirt_before_7_2_keeps_in_a_bridge_has_its_mac() -> None:
    parts = (link("virbr0", mac=MAC, kind="bridge"), link("virbr0-nic", mac=MAC, kind="tun", master="virbr0"))
    assert conflicts(f"{BRIDGE}<mac address='{MAC}'/>", *parts, before=state(BRIDGE, active=True)) == NONE


@pytest.mark.parametrize("seen", [True, False])
def test_a_mac_address_of_another_network_is_refused(seen: bool) -> None:
    other = state(f"<mac address='{MAC}'/>", name="other")
    assert conflicts(f"<mac address='{MAC}'/>", others=[other], seen=seen).refused == (
        f"mac: '{MAC}' is the MAC address of the network 'other'; choose another, or leave mac out.",
    )


# --- uplinks --------------------------------------------------------------------------------------------------------------------

MACVTAP = "<forward mode='bridge' dev='eth0'/>"
ROUTED = f"<forward mode='route' dev='eth0'/>{IP}"


@pytest.mark.parametrize("content", [MACVTAP, ROUTED])
def test_an_uplink_has_to_be_there(content: str) -> None:
    assert conflicts(content, link("eth0")) == NONE
    assert conflicts(content, seen=False) == NONE
    assert conflicts(content, link("lo"), link("enp1s0"), link("br0")).refused == (
        "forward.dev: the interface 'eth0' does not exist on this host; choose one of br0, enp1s0.",
    )


def test_each_of_several_uplinks_has_to_be_there() -> None:
    several = "<forward mode='bridge'><interface dev='eth0'/><interface dev='eth1'/></forward>"
    assert conflicts(several, link("eth0"), link("eth1")) == NONE
    assert conflicts(several, link("eth0")).refused == (
        "forward.dev: the interface 'eth1' does not exist on this host; choose one of eth0.",
    )


def test_wifi_cannot_carry_guests_directly() -> None:
    assert conflicts(MACVTAP, link("eth0", wireless=True)).refused == (
        "forward.dev: 'eth0' is a Wi-Fi interface, whose access point takes frames from the host's own MAC address only; use "
        "forward.mode 'nat' instead.",
    )
    assert conflicts(ROUTED, link("eth0", wireless=True)) == NONE


def test_a_port_of_a_bridge_cannot_carry_guests_directly() -> None:
    bridge = link("br0", kind="bridge")
    assert conflicts(MACVTAP, link("eth0", master="br0"), bridge).refused == (
        "forward.dev: 'eth0' is a port of the bridge 'br0' and cannot carry guests directly as well; use forward.mode "
        "'bridge' with "
        "bridge.name 'br0'.",
    )
    assert conflicts(MACVTAP, link("eth0", master="vrf0"), link("vrf0", kind="vrf")) == NONE


def test_an_uplink_that_was_there_before_is_not_the_tasks_fault() -> None:
    assert conflicts(f"{ROUTED}<mtu size='1400'/>", before=state(ROUTED)) == NONE
    assert conflicts(ROUTED, before=state(ROUTED), starts=True).refused != ()


def test_a_bridge_that_a_network_gives_up_is_none_of_the_host() -> None:
    bridge = link("virbr1", kind="bridge")
    wanted = definition("<forward mode='bridge'/><bridge name='virbr1'/>")
    gone = make_surroundings([NetworkState("lab", stored=wanted)], host(bridge), made={"virbr1"})
    found = find_conflicts(NetworkState("lab"), wanted, gone, starts=True, allow_overlap=[])
    assert found.refused == (
        "bridge.name: 'virbr1' is a bridge that libvirt made for a network, and this task takes it away; forward.mode 'bridge' "
        "needs a bridge that the host has, name another one.",
    )
    other = state("<bridge name='virbr1'/>", name="other", active=True)
    kept = make_surroundings([NetworkState("lab", stored=wanted), other], host(bridge), made={"virbr1"})
    assert find_conflicts(NetworkState("lab"), wanted, kept, starts=True, allow_overlap=[]) == NONE


@pytest.mark.parametrize(
    ("there", "sentences"),
    [
        ({"0000:04:00.1", "0000:04:00.2"}, ()),
        (
            {"0000:04:00.2"},
            ("forward.addresses: 0000:04:00.1 is no virtual function of this host; choose from those that are (0000:04:00.2).",),
        ),
        (
            set(),
            (
                "forward.addresses: 0000:04:00.1 is no virtual function of this host; choose from those that are (this host has "
                "none).",
            ),
        ),
    ],
)
def test_devices_that_are_no_virtual_functions(there: set[str], sentences: tuple[str, ...]) -> None:
    wanted = definition("<forward mode='hostdev'><address type='pci' bus='4' function='1'/></forward>")
    seen = Host(links={}, routes=(), virtual_functions=frozenset(there))
    assert find(NetworkState(name="lab"), wanted, seen, (), starts=False, allow=()).refused == sentences


def test_a_physical_function_that_means_nothing_need_not_be_there() -> None:
    nat = "<forward mode='nat'><pf dev='eth9'/></forward><ip address='192.168.101.1' prefix='24'/>"
    assert conflicts(nat, link("eth0")).refused == ()
    assert len(conflicts("<forward mode='hostdev'><pf dev='eth9'/></forward>", link("eth0")).refused) == 1
