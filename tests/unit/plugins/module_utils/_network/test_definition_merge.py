# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What a task's options become together with what is there."""

from __future__ import annotations

import copy
import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import (
    definition_from_options,
    merge_definitions,
    normalise,
)

if t.TYPE_CHECKING:
    Definition = dict[str, t.Any]

UUID = "1b4f0c34-3a39-4a26-a21f-6f0a3b1e0a6e"
MAC = "52:54:00:00:00:01"
RANGE = {"start": "192.168.101.100", "end": "192.168.101.254"}
BUILDER = {"mac": "52:54:00:aa:00:01", "name": "builder", "ip": "192.168.101.10"}
TESTER = {"mac": "52:54:00:aa:00:02", "ip": "192.168.101.11"}
RECORD = {"ip": "192.168.101.1", "hostnames": ["gateway"]}

CURRENT: Definition = {
    "name": "lab",
    "uuid": UUID,
    "mac": MAC,
    "forward": {"mode": "nat", "dev": "eth0", "nat": {"ipv6": True}},
    "bridge": {"name": "virbr101", "stp": False},
    "mtu": 9000,
    "domain": {"name": "lab.example", "local_only": True},
    "dns": {"forward_plain_names": False, "hosts": [RECORD]},
    "ips": [{"address": "192.168.101.1", "prefix": 24, "dhcp": {"ranges": [RANGE], "hosts": [BUILDER, TESTER]}}],
}
CARRIED = {"name": "lab", "uuid": UUID, "mac": MAC, "bridge": {"name": "virbr101"}}
ADDRESS: Definition = {"address": "192.168.101.1", "prefix": 24}


def merged(*, replace: bool = False, purge_hosts: bool = False, **options: t.Any) -> Definition:
    given = definition_from_options({"name": "lab", **options})
    untouched = copy.deepcopy((CURRENT, given))
    result = merge_definitions(CURRENT, given, replace=replace, purge_hosts=purge_hosts)
    assert (CURRENT, given) == untouched
    return result


def but(**changes: t.Any) -> Definition:
    """Return the current definition with some parts changed, or removed (None)."""
    return {key: value for key, value in {**CURRENT, **changes}.items() if value is not None}


def test_the_example_is_in_normal_form() -> None:
    assert normalise(CURRENT) == CURRENT


def test_a_new_network_has_what_is_given() -> None:
    given = definition_from_options({"name": "lab", "forward": {"mode": "none"}, "bridge": {"stp": True}, "mtu": 1500})
    for replace in (False, True):
        assert merge_definitions(None, given, replace=replace, purge_hosts=False) == {"name": "lab", "mtu": 1500}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"mtu": 1400}, but(mtu=1400)),
        ({"bridge": {"stp": True}}, but(bridge={"name": "virbr101"})),
        ({"bridge": {"delay": 2}}, but(bridge={"name": "virbr101", "stp": False, "delay": 2})),
        ({"mac": "52:54:00:00:00:02"}, but(mac="52:54:00:00:00:02")),
        ({"forward": {"mode": "nat"}}, CURRENT),
        ({"forward": {"mode": "nat", "dev": "eth1"}}, but(forward={"mode": "nat", "dev": "eth1", "nat": {"ipv6": True}})),
        ({"domain": {"name": "other.example"}}, but(domain={"name": "other.example", "local_only": True})),
        # the mode changes: what belongs to the old one is dropped, the rest stays
        ({"forward": {"mode": "route"}}, but(forward={"mode": "route"})),
        ({"forward": {"mode": "none"}}, but(forward=None)),
        # a list is the whole list; reservations follow the host's address within their subnet
        (
            {"ips": [{"address": "fd00::1", "prefix": 64}, {"address": "192.168.101.254", "prefix": 24}]},
            but(
                ips=[
                    {"address": "192.168.101.254", "prefix": 24, "dhcp": {"hosts": [BUILDER, TESTER]}},
                    {"address": "fd00::1", "prefix": 64},
                ]
            ),
        ),
        (
            {"ips": [{"address": "192.168.101.254", "prefix": 24, "dhcp": {"hosts": [{**TESTER, "name": "t"}]}}]},
            but(ips=[{"address": "192.168.101.254", "prefix": 24, "dhcp": {"hosts": [{**TESTER, "name": "t"}, BUILDER]}}]),
        ),
        # an entry is found by its address, and what it omits is left
        ({"ips": [{"address": "192.168.101.1"}]}, CURRENT),
        (
            {"ips": [{"address": "192.168.101.1", "dhcp": {"ranges": []}}]},
            but(ips=[{**ADDRESS, "dhcp": {"hosts": [BUILDER, TESTER]}}]),
        ),
        (
            {"ips": [{"address": "192.168.101.1", "netmask": "255.255.0.0"}]},
            but(ips=[{**CURRENT["ips"][0], "prefix": 16}]),
        ),
    ],
)
def test_merging_leaves_what_is_omitted(options: Definition, expected: Definition) -> None:
    assert merged(**options) == normalise(expected)


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("ips", [[], [{"address": "192.168.102.1", "prefix": 24}], [{"address": "192.168.101.1", "prefix": 29}]])
def test_reservations_are_not_lost_with_their_subnet(ips: list[Definition], replace: bool) -> None:
    if ips and ips[0]["address"] == "192.168.101.1":
        # the address stays, and so do they; that they lie outside of the subnet is the rules' concern
        assert merged(replace=replace, ips=ips)["ips"][0]["dhcp"]["hosts"] == [BUILDER, TESTER]
        return
    with pytest.raises(InputError) as caught:
        merged(replace=replace, ips=ips)
    assert str(caught.value) == (
        "ips: the reservations of 52:54:00:aa:00:01 (192.168.101.10), 52:54:00:aa:00:02 (192.168.101.11) have no address in "
        "their subnet any more and would be lost; keep one, or say purge_hosts: true if they shall go."
    )
    assert merged(replace=replace, purge_hosts=True, ips=ips).get("ips", []) == ips


@pytest.mark.parametrize("replace", [False, True])
def test_metadata_of_others_stays(replace: bool) -> None:
    def owned(owner: str, text: str) -> str:
        return f'<o:x xmlns:o="urn:{owner}">{text}</o:x>'

    current = {"name": "lab", "metadata": [owned("a", "1"), owned("b", "1")]}
    given = {"name": "lab", "metadata": [owned("b", "2"), owned("c", "1")]}
    result = merge_definitions(current, given, replace=replace, purge_hosts=False)
    assert result["metadata"] == [owned("a", "1"), owned("b", "2"), owned("c", "1")]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"mtu": 1400, "ips": [ADDRESS]},
            {**CARRIED, "mtu": 1400, "dns": {"hosts": [RECORD]}, "ips": [{**ADDRESS, "dhcp": {"hosts": [BUILDER, TESTER]}}]},
        ),
        (
            {"ips": [{"address": "192.168.101.1", "prefix": 24}]},
            {**CARRIED, "dns": {"hosts": [RECORD]}, "ips": [{**ADDRESS, "dhcp": {"hosts": [BUILDER, TESTER]}}]},
        ),
        (
            {
                "ips": [
                    {
                        "address": "192.168.101.1",
                        "prefix": 24,
                        "dhcp": {"hosts": [{"mac": BUILDER["mac"], "ip": "192.168.101.12"}]},
                    }
                ]
            },
            {
                **CARRIED,
                "dns": {"hosts": [RECORD]},
                "ips": [{**ADDRESS, "dhcp": {"hosts": [{"mac": BUILDER["mac"], "ip": "192.168.101.12"}, TESTER]}}],
            },
        ),
    ],
)
def test_replacing_leaves_identity_and_reservations(options: Definition, expected: Definition) -> None:
    assert merged(replace=True, **options) == expected


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize(
    ("options", "hosts"),
    [
        ({"dhcp": {}}, [BUILDER, TESTER]),
        ({"dhcp": {"hosts": []}}, [BUILDER, TESTER]),
        (
            {"dhcp": {"hosts": [{"mac": "52:54:00:AA:00:03", "ip": "192.168.101.13"}]}},
            [BUILDER, TESTER, {"mac": "52:54:00:aa:00:03", "ip": "192.168.101.13"}],
        ),
    ],
)
def test_reservations_that_are_not_mentioned_stay(replace: bool, options: Definition, hosts: list[Definition]) -> None:
    result = merged(replace=replace, ips=[{**ADDRESS, **options}])
    assert sorted(result["ips"][0]["dhcp"]["hosts"], key=str) == sorted(hosts, key=str)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        # purged is only where the task says something
        ({"mtu": 9000}, CURRENT),
        ({"ips": [{"address": "192.168.101.1"}]}, but(ips=[{**ADDRESS, "dhcp": {"ranges": [RANGE]}}])),
        (
            {"ips": [{"address": "192.168.101.1", "dhcp": {"hosts": [{"mac": BUILDER["mac"]}]}}]},
            but(ips=[{**ADDRESS, "dhcp": {"ranges": [RANGE], "hosts": [BUILDER]}}]),
        ),
        ({"dns": {"forward_plain_names": False}}, but(dns={"forward_plain_names": False})),
        (
            {"dns": {"hosts": [{"ip": "192.168.101.1", "hostnames": ["gw", "gateway"]}]}},
            but(dns={"forward_plain_names": False, "hosts": [{"ip": "192.168.101.1", "hostnames": ["gw", "gateway"]}]}),
        ),
    ],
)
def test_purging_leaves_what_is_mentioned(options: Definition, expected: Definition) -> None:
    assert merged(purge_hosts=True, **options) == expected


def test_replacing_purges_everything() -> None:
    result = merged(replace=True, purge_hosts=True, mtu=1400)
    assert result == {**CARRIED, "mtu": 1400}


def test_a_reservation_is_found_by_id_or_name_where_it_has_no_mac() -> None:
    current = {
        "name": "lab",
        "ips": [
            {
                "address": "fd00::1",
                "prefix": 64,
                "dhcp": {"hosts": [{"id": "00:04:01", "ip": "fd00::2"}, {"name": "b", "ip": "fd00::3"}]},
            }
        ],
    }
    hosts = [{"id": "00:04:01", "ip": "fd00::12"}, {"name": "b", "ip": "fd00::13"}]
    given = definition_from_options({"name": "lab", "ips": [{"address": "fd00::1", "dhcp": {"hosts": hosts}}]})
    result = merge_definitions(current, given, replace=False, purge_hosts=False)
    assert result["ips"][0]["dhcp"]["hosts"] == hosts


@pytest.mark.parametrize("replace", [False, True])
def test_a_network_on_the_hosts_bridge_keeps_nothing_of_its_own_bridge(replace: bool) -> None:
    current = {key: CURRENT[key] for key in ("name", "uuid", "mac", "forward", "bridge")}
    given = definition_from_options({"name": "lab", "forward": {"mode": "bridge", "dev": "eth0"}})
    result = merge_definitions(current, given, replace=replace, purge_hosts=False)
    assert result == {"name": "lab", "uuid": UUID, "forward": {"mode": "bridge", "dev": "eth0"}}


@pytest.mark.parametrize("replace", [False, True])
def test_a_network_with_a_bridge_of_its_own_does_not_keep_the_hosts(replace: bool) -> None:
    current = {"name": "lab", "uuid": UUID, "forward": {"mode": "bridge"}, "bridge": {"name": "br0"}}
    given = definition_from_options({"name": "lab", "forward": {"mode": "nat"}})
    result = merge_definitions(current, given, replace=replace, purge_hosts=False)
    assert result == {"name": "lab", "uuid": UUID, "forward": {"mode": "nat"}}


def test_a_mac_address_that_is_given_is_never_dropped() -> None:
    # the rules refuse it then, which they can only do if they see it
    result = merged(replace=True, purge_hosts=True, forward={"mode": "bridge", "dev": "eth0"}, mac="52:54:00:00:00:02")
    assert result["mac"] == "52:54:00:00:00:02"


def test_what_an_isolated_network_cannot_have_is_never_dropped() -> None:
    forward = {"mode": "none", "dev": "eth0"}
    assert merged(forward=forward)["forward"] == forward
