# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Where a forward leads: the guest's network and address, and what has to be reserved."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, NetworkError, RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._forward.host import ForwardHost
from ansible_collections.kvmops.network.plugins.module_utils._forward.target import Target, find_target
from ansible_collections.kvmops.network.plugins.module_utils._guest.addresses import hashed_address
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._forward.builders import (
    MAC,
    MAC2,
    guest,
    host,
    network,
    request,
    reserved,
)

SIX = "<ip family='ipv6' address='fd00:7a::1' prefix='64'><dhcp><host id='00:02:aa' ip='fd00:7a::9'/></dhcp></ip>"
LAN = network("lan", "nat", prefix="10.1.0", bridge="virbr1")


def target(*networks: t.Any, given: dict[str, t.Any] | None = None, **more: t.Any) -> Target:
    return find_target(request(**(given or {})), host(*networks, **more))


def at(**options: t.Any) -> dict[str, t.Any]:
    """Return the options of a task that names no guest."""
    return {"domain": None, "network": "default", **options}


# --- a guest --------------------------------------------------------------------------------------------------------------------


def test_what_is_reserved_for_the_guest() -> None:
    found = target(network("default", "nat", reserved("192.168.122.17")))
    assert found == Target("default", "nat", "virbr0", "192.168.122.0/24", "192.168.122.17")


def test_what_it_has_by_dhcp_is_reserved() -> None:
    found = target(leases={MAC: ("192.168.122.150",)})
    assert found.address == "192.168.122.150"
    assert found.now == ()
    assert found.holding is not None
    assert (found.holding.owner, found.holding.network) == (("web", MAC), "default")
    assert found.holding.reservation is not None
    assert found.holding.reservation.addresses == ["192.168.122.150"]


def test_what_follows_from_its_name_is_reserved() -> None:
    found = target()
    assert found.address == hashed_address("web", "192.168.122.0/24")
    assert found.holding is not None


@pytest.mark.parametrize("leases", [{MAC: ("10.9.9.9",)}, {MAC2: ("192.168.122.150",)}, {}])
def test_leases_of_others_and_elsewhere_do_not_count(leases: dict[str, tuple[str, ...]]) -> None:
    assert target(leases=leases).address == hashed_address("web", "192.168.122.0/24")


def test_an_address_that_another_one_has_is_told() -> None:
    leases = {MAC: ("192.168.122.150",), MAC2: ("192.168.122.20",)}
    assert target(given={"address": "192.168.122.20"}, leases=leases).leased_to == MAC2
    assert target(network("default", "nat", reserved("192.168.122.20")), leases=leases).leased_to == MAC2
    assert target(given={"address": "192.168.122.150"}, leases=leases).leased_to == ""


def test_a_lease_of_what_is_reserved_for_somebody_else_does_not_count() -> None:
    taken = network("default", "nat", reserved("192.168.122.150", "52:54:00:bb:00:01"))
    assert target(taken, leases={MAC: ("192.168.122.150",)}).address != "192.168.122.150"


def test_what_the_task_says_goes_before_both() -> None:
    lab = network("default", "nat", reserved("192.168.122.17", name="www"))
    found = target(lab, given={"address": "192.168.122.20"}, leases={MAC: ("192.168.122.17", "192.168.122.20")})
    assert (found.address, found.now) == ("192.168.122.20", ("192.168.122.17",))
    assert found.holding is not None
    assert found.holding.reservation is not None
    assert (found.holding.reservation.addresses, found.holding.reservation.hostname) == (["192.168.122.20"], "www")


def test_another_lease_is_told() -> None:
    found = target(network("default", "nat", reserved("192.168.122.17")), leases={MAC: ("192.168.122.150",)})
    assert (found.address, found.now, found.holding) == ("192.168.122.17", ("192.168.122.150",), None)


def test_the_network_that_libvirt_makes_is_meant() -> None:
    lan = network("lan", "bridge", bridge="br0", dhcp=False)
    lan.stored.pop("ips")  # type: ignore[union-attr]
    assert target(network(), lan, guest=guest("lan", "default")).network == "default"


def test_the_network_that_is_named() -> None:
    assert target(network(), LAN, given={"network": "lan"}, guest=guest("default", "lan")).bridge == "virbr1"


def test_without_dhcp_the_address_is_that_of_the_task() -> None:
    found = target(network(dhcp=False), given={"address": "192.168.122.9"})
    assert (found.address, found.holding) == ("192.168.122.9", None)


def test_ipv6() -> None:
    lab = network("default", "nat", reserved("192.168.122.17"), more=SIX)
    found = target(lab, given={"address": "fd00:7a::7"})
    assert found.subnet == "fd00:7a::/64"
    assert found.holding is not None
    assert found.holding.reservation is not None
    # what it has of IPv4 stays
    assert found.holding.reservation.addresses == ["192.168.122.17", "fd00:7a::7"]


@pytest.mark.parametrize("mode", ["nat", "route", "open", "none"])
def test_modes(mode: str) -> None:
    assert target(network("default", mode)).mode == mode


# --- an address -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["192.168.122.2", "192.168.122.99", "192.168.122.200", "192.168.122.254"])
def test_an_address_that_dhcp_gives_to_nobody(address: str) -> None:
    found = target(given=at(address=address), guest=None)
    assert (found.address, found.holding) == (address, None)


def test_one_that_is_reserved() -> None:
    lab = network("default", "nat", reserved("192.168.122.150"))
    assert target(lab, given=at(address="192.168.122.150"), guest=None).address == "192.168.122.150"


@pytest.mark.parametrize("address", ["192.168.122.100", "192.168.122.150", "192.168.122.199"])
def test_one_that_dhcp_may_give_to_anybody(address: str) -> None:
    with pytest.raises(RefusedError) as caught:
        target(given=at(address=address), guest=None)
    assert str(caught.value) == (
        f"address: DHCP may give {address} to any guest of the network 'default', and then the forward would lead there. "
        "Name the guest with domain, so that the address is reserved for it, or reserve it with libvirt_network."
    )


# --- what cannot be -------------------------------------------------------------------------------------------------------------


def bridged() -> ForwardHost:
    lan = network("lan", "bridge", bridge="br0", dhcp=False)
    for definition in lan.definitions:
        definition.pop("ips", None)
    return host(network(), lan, guest=guest("lan"))


REFUSED: dict[str, tuple[dict[str, t.Any], t.Callable[[], ForwardHost], str]] = {
    "no such network": (
        {"domain": None, "network": "nosuch", "address": "10.0.0.1"},
        lambda: host(network(), LAN, guest=None),
        "network: 'nosuch' does not exist. The networks of this host are: default, lan.",
    ),
    "no networks": (
        {"domain": None, "network": "nosuch\n$(id)", "address": "10.0.0.1"},
        lambda: ForwardHost(networks={}, forwards={}, files={}, listeners=(), programs=host().programs),
        "network: 'nosuch\n$(id)' does not exist. The networks of this host are: none.",
    ),
    "the LAN": (
        {},
        bridged,
        "network: 'lan' is of mode 'bridge', whose guests have addresses of the LAN and are reached there without a forward; "
        "name a network of mode nat, route or open, or an isolated one.",
    ),
    "another subnet": (
        at(address="10.0.0.1"),
        lambda: host(guest=None),
        "address: 10.0.0.1 is in no subnet of the network 'default', whose subnets are: 192.168.122.0/24.",
    ),
    "the first address": (
        {"address": "192.168.122.0"},
        host,
        "address: 192.168.122.0 is the first or the last address of 192.168.122.0/24, which no guest can have.",
    ),
    "the last address": (
        {"address": "192.168.122.255"},
        host,
        "address: 192.168.122.255 is the first or the last address of 192.168.122.0/24, which no guest can have.",
    ),
    "the host's own": (
        {"address": "192.168.122.1"},
        host,
        "address: 192.168.122.1 is the host's own address in the network 'default'; give that of a guest.",
    ),
    "no DHCP and no address": (
        {},
        lambda: host(network(dhcp=False)),
        "address: the network 'default' gives no addresses by DHCP; say which one the guest 'web' has.",
    ),
    "no IPv6": (
        {"host_address": "2001:db8::1"},
        host,
        "network: 'default' has no IPv6 subnet, so that its guests have no such address.",
    ),
    "IPv6 without a reservation": (
        {"host_address": "2001:db8::1"},
        lambda: host(network(more=SIX)),
        "address: nothing is reserved for the guest 'web' among the IPv6 addresses of the network 'default'; give the one that "
        "it shall have.",
    ),
    "no NIC there": (
        {"network": "lan"},
        lambda: host(network(), LAN),
        "domain: the guest 'web' has no NIC on the network 'lan', which is how a forward would reach it. Its NICs are: "
        f"{MAC} on network default.",
    ),
    "no NIC at all": (
        {},
        lambda: host(guest=guest("elsewhere")),
        "domain: the guest 'web' has no NIC on a network of libvirt's, which is how a forward would reach it. Its NICs are: "
        f"{MAC} on network elsewhere.",
    ),
    "several NICs": (
        {},
        lambda: host(network(), LAN, guest=guest("default", "lan")),
        f"domain: the guest 'web' has several NICs that a forward could lead to ({MAC} on network default, {MAC2} on network "
        "lan); say which is meant with network, or give network and address instead of domain.",
    ),
    "a bridge whose name breaks out": (
        {},
        lambda: host(network(bridge="v&quot;accept;#")),
        "network: the bridge of 'default' is called 'v\"accept;#', which no rule of the firewall can have in it; give it a name "
        "of letters, digits, '-', '_' and '.' with libvirt_network.",
    ),
    "a bridge that means many": (
        {},
        lambda: host(network(bridge="virbr*")),
        "network: the bridge of 'default' is called 'virbr*', which no rule of the firewall can have in it; give it a name of "
        "letters, digits, '-', '_' and '.' with libvirt_network.",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_refused(kind: str) -> None:
    options, make_host, sentence = REFUSED[kind]
    with pytest.raises(NetworkError) as caught:
        find_target(request(**options), make_host())
    assert str(caught.value) == sentence
    assert caught.type is InputError


def test_a_network_whose_bridge_has_no_name_yet() -> None:
    lab = network()
    definition = lab.definitions[0]
    definition["bridge"].pop("name")
    with pytest.raises(InputError) as caught:
        target(lab)
    assert str(caught.value) == "network: 'default' has no bridge yet; start it once, so that libvirt gives it one."
