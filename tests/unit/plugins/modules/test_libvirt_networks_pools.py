# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Networks of a list that get a free subnet, with the real module and libvirt's test driver."""

from __future__ import annotations

import typing as t

import libvirt
import pytest

from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import (
    apply,
    apply_all,
    dump,
    networks_task,
    snapshot,
)
from ansible_collections.kvmops.network.tests.unit.plugins.support.lists import A, Options, addresses, network, show_host


def wish(name: str, **entry: t.Any) -> Options:
    return {"name": name, "ips": [{"pool": ["10.0.0.0/22"], "prefix": 24, **entry}]}


def test_each_gets_a_free_subnet_and_keeps_it(driver: libvirt.virConnect) -> None:
    apply(name="there", ips=[{"address": "10.0.1.1", "prefix": 25}])
    tasks = [wish("one"), network("two", 0), wish("three")]
    expected = {"one": ["10.0.2.1"], "two": ["10.0.0.1"], "three": ["10.0.3.1"]}
    predicted = networks_task(*tasks, check=True)
    assert addresses(predicted) == expected
    assert addresses(apply_all(*tasks)) == expected
    # what was in the way is gone, and another one comes first
    apply(name="there", state="absent")
    again = apply_all(wish("zero"), *reversed(tasks))
    assert again.statuses == {"zero": "changed", "one": "unchanged", "two": "unchanged", "three": "unchanged"}
    assert addresses(again) == {"zero": ["10.0.1.1"], **expected}
    assert driver.numOfNetworks() == 4


def test_a_pool_for_one_network(driver: libvirt.virConnect) -> None:
    apply(name="there", ips=[{"address": "10.0.0.1", "prefix": 24}])
    options = wish("lab", dhcp={"ranges": [{"start": "0.0.0.100", "end": "0.0.0.254"}]}, address="0.0.0.9")
    for _time in range(2):
        result = apply(**options)
        assert result.network["definition"]["ips"] == [
            {"address": "10.0.1.9", "prefix": 24, "dhcp": {"ranges": [{"start": "10.0.1.100", "end": "10.0.1.254"}]}}
        ]
    assert not result.changed
    assert "10.0.1.9" in dump(driver, "lab")


def test_two_pools_in_one_network(driver: libvirt.virConnect) -> None:
    pools = [
        {"pool": ["10.0.0.0/16"], "prefix": 24},
        {"pool": ["10.0.0.0/16"], "prefix": 24},
        {"pool": ["fd00::/48"], "prefix": 64},
    ]
    assert addresses(apply_all({"name": "a", "ips": pools})) == {"a": ["10.0.0.1", "10.0.1.1", "fd00::1"]}
    assert not apply_all({"name": "a", "definition": "replace", "ips": pools}).changed
    assert driver.numOfNetworks() == 1


def test_the_subnet_of_a_network_that_goes_is_free(driver: libvirt.virConnect) -> None:
    only = {"pool": ["10.0.1.0/24"], "prefix": 24}
    apply_all(A)
    assert networks_task({"name": "b", "ips": [only]}, check=True).failed
    result = apply_all({"name": "b", "ips": [only]}, {"name": "a", "state": "absent"})
    assert addresses(result) == {"b": ["10.0.1.1"], "a": []}
    assert list(snapshot(driver)) == ["b"]


def test_a_pool_keeps_its_subnet_when_another_address_goes(driver: libvirt.virConnect) -> None:
    manual = {"address": "10.0.0.1", "prefix": 24}
    apply_all({"name": "lab", "ips": [manual, {"pool": ["10.0.0.0/16"], "prefix": 24}]})
    assert addresses(apply_all({"name": "lab", "ips": [{"pool": ["10.0.0.0/16"], "prefix": 24}]})) == {"lab": ["10.0.1.1"]}
    assert "10.0.0.1" not in dump(driver, "lab")


def test_pools_of_one_network_keep_what_each_had(driver: libvirt.virConnect) -> None:
    apply(name="there", state="inactive", ips=[{"address": "10.0.0.1", "prefix": 24}])
    ranges = {"ranges": [{"start": "0.0.0.100", "end": "0.0.0.200"}]}
    first = {"pool": ["10.0.0.0/16"], "prefix": 24, "dhcp": ranges}
    apply_all({"name": "lab", "ips": [first]})
    apply(name="there", state="absent")
    both = {"name": "lab", "ips": [first, {"pool": ["10.0.0.0/16"], "prefix": 24}]}
    result = apply_all(both)
    for _time in range(2):
        assert [ip["address"] for ip in result.data["networks"][0]["network"]["definition"]["ips"]] == ["10.0.0.1", "10.0.1.1"]
        assert [("dhcp" in ip) for ip in result.data["networks"][0]["network"]["definition"]["ips"]] == [False, True]
        result = apply_all(both)
    assert not result.changed
    assert driver.numOfNetworks() == 1


@pytest.mark.parametrize(
    ("ips", "expected"),
    [
        ([{"address": "10.0.1.1", "prefix": 24}, {"pool": ["10.0.0.0/16"], "prefix": 24}], ["10.0.0.1", "10.0.1.1"]),
        ([{"pool": ["10.0.1.0/24"], "prefix": 24}, {"pool": ["10.0.0.0/16"], "prefix": 24}], ["10.0.0.1", "10.0.1.1"]),
        (
            [{"pool": ["10.2.0.0/24", "10.1.0.0/16"], "prefix": 24}, {"pool": ["10.1.0.0/16"], "prefix": 24}],
            ["10.1.0.1", "10.2.0.1"],
        ),
        ([{"pool": ["10.0.0.4/31"]}], ["10.0.0.5"]),
        ([{"pool": ["10.0.0.5/32"]}], ["10.0.0.5"]),
        ([{"pool": ["fd00::5/128"]}], ["fd00::5"]),
    ],
)
@pytest.mark.usefixtures("driver")
def test_pools_beside_other_addresses(ips: list[Options], expected: list[str]) -> None:
    task = {"name": "lab", "ips": ips}
    assert sorted(addresses(apply_all(task))["lab"]) == expected
    assert not apply_all(task).changed


@pytest.mark.usefixtures("driver")
def test_what_is_routed_is_not_free() -> None:
    routed = network("a", 9, routes=[{"address": "10.1.0.0", "prefix": 24, "gateway": "10.0.9.9"}])
    wished = {"name": "b", "ips": [{"pool": ["10.1.0.0/16"], "prefix": 24}]}
    assert addresses(apply_all(wished, routed))["b"] == ["10.1.1.1"]
    own = {**routed, "ips": [*routed["ips"], {"pool": ["10.1.0.0/16"], "prefix": 24}]}
    assert addresses(apply_all(own))["a"] == ["10.0.9.1", "10.1.2.1"]


def test_a_route_that_stays_is_not_free(driver: libvirt.virConnect) -> None:
    gateway = {"address": "10.0.9.1", "prefix": 24}
    apply(name="a", ips=[gateway], routes=[{"address": "10.1.0.0", "prefix": 24, "gateway": "10.0.9.9"}])
    apply(name="a", ips=[gateway, {"pool": ["10.1.0.0/16"], "prefix": 24}])
    assert "10.1.1.1" in dump(driver, "a")


def test_a_network_that_goes_asks_for_nothing(driver: libvirt.virConnect) -> None:
    only = [{"pool": ["10.0.1.0/24"]}]
    apply_all({"name": "a", "ips": only})
    result = apply_all({"name": "a", "state": "absent", "ips": only}, {"name": "b", "ips": only})
    assert addresses(result) == {"a": [], "b": ["10.0.1.1"]}
    gone = apply_all({"name": "b", "state": "absent", "ips": [{"address": "10.0.1.1", "prefix": 24}]}, {"name": "c", "ips": only})
    assert addresses(gone)["c"] == ["10.0.1.1"]
    assert list(snapshot(driver)) == ["c"]


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"pool": []}, "ips[0].pool: is empty; give a subnet at least, such as 192.168.0.0/16."),
        (
            {"pool": ["10.0.0.1/8"]},
            "ips[0].pool: '10.0.0.1/8' is not a subnet; give one such as 192.168.0.0/16 or fd00:100::/48.",
        ),
        ({"pool": ["10.0.0.0/8", "fd00::/8"]}, "ips[0].pool: holds IPv4 and IPv6 subnets; make it two entries"),
        (
            {"pool": ["10.0.0.0/24"], "prefix": 16},
            "ips[0].prefix: no subnet with the prefix 16 lies in 10.0.0.0/24; choose one from",
        ),
        (
            {"pool": ["10.0.0.0/24"], "prefix": 33},
            "ips[0].prefix: no subnet with the prefix 33 lies in 10.0.0.0/24; choose one from",
        ),
        (
            {"pool": ["10.0.0.0/8"], "netmask": "255.0.0.0"},
            "ips[0].netmask: given beside ips[0].pool; say the size of the subnet",
        ),
        (
            {"pool": ["10.0.0.0/24"], "address": "10.0.0.1"},
            "ips[0].address: '10.0.0.1' is no place in a subnet with the prefix 24",
        ),
        (
            {"pool": ["10.0.0.0/24"], "dhcp": {"hosts": [{"mac": "52:54:00:00:00:01", "ip": "10.0.0.9"}]}},
            "ips[0].dhcp.hosts[0].ip: '10.0.0.9' is no place in a subnet with the prefix 24",
        ),
        (
            {"pool": ["10.0.0.0/24"], "dhcp": {"ranges": [{"start": "0.0.0.9", "end": "0.0.0.2"}]}},
            "ips 10.0.0.1, dhcp.ranges: start 10.0.0.9 is after end 10.0.0.2; swap them.",
        ),
        ({"pool": ["10.0.0.0/24"], "address": "0.0.0.255"}, "ips 10.0.0.255: is no host's address in 10.0.0.0/24"),
        (
            {"pool": ["10.7.0.0/24"]},
            "ips[0].pool: no subnet of 10.7.0.0/24 is free on this host; add another subnet to the pool.",
        ),
    ],
)
def test_a_pool_that_cannot_be(driver: libvirt.virConnect, entry: Options, sentence: str) -> None:
    apply(name="there", ips=[{"address": "10.7.0.1", "prefix": 16}])
    before = snapshot(driver)
    for check in (True, False):
        assert networks_task(A, {"name": "lab", "ips": [entry]}, check=check).msg.startswith(f"The network 'lab': {sentence}")
    assert snapshot(driver) == before


def test_the_bridge_of_a_network_that_goes_holds_nothing(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    only = [{"pool": ["10.0.1.0/24"]}]
    apply_all(A)
    show_host(monkeypatch, {"virbr1": "10.0.1.1/24"})
    result = apply_all({"name": "a", "state": "absent"}, {"name": "b", "ips": only})
    assert addresses(result)["b"] == ["10.0.1.1"]
    assert list(snapshot(driver)) == ["b"]


@pytest.mark.usefixtures("driver")
def test_what_the_host_has_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    show_host(monkeypatch, {"eth0": "10.0.0.5/24"}, ["10.0.1.0/24"])
    assert addresses(apply_all(wish("one"))) == {"one": ["10.0.2.1"]}


@pytest.mark.usefixtures("driver")
def test_a_pool_of_another_size_is_not_hindered_by_the_network_itself() -> None:
    pool = {"pool": ["10.0.0.0/23"]}
    assert addresses(apply_all({"name": "lab", "ips": [{**pool, "prefix": 24}]})) == {"lab": ["10.0.0.1"]}
    whole = {"name": "lab", "ips": [{**pool, "prefix": 23}]}
    result = apply_all(whole)
    assert result.data["networks"][0]["network"]["definition"]["ips"] == [{"address": "10.0.0.1", "prefix": 23}]
    assert not apply_all(whole).changed


@pytest.mark.usefixtures("driver")
def test_another_pool_does_not_get_what_the_network_has() -> None:
    pool = {"pool": ["10.0.0.0/16"], "prefix": 24}
    named = {"address": "10.0.1.1", "prefix": 24}
    for ips, expected in (
        ([pool], ["10.0.0.1"]),
        ([pool, pool], ["10.0.0.1", "10.0.1.1"]),
        # now an address of its own, by name
        ([named], ["10.0.1.1"]),
        ([{"pool": ["10.0.1.0/24", "10.0.5.0/24"], "prefix": 24}, named], ["10.0.1.1", "10.0.5.1"]),
    ):
        result = apply_all({"name": "lab", "ips": ips})
        assert sorted(addresses(result)["lab"]) == expected


def test_routes_that_do_not_stay_are_free(driver: libvirt.virConnect) -> None:
    gateway = {"address": "10.0.9.1", "prefix": 24}
    routed = network("a", 9, routes=[{"address": "10.1.0.0", "prefix": 24, "gateway": "10.0.9.9"}])
    wished = {"name": "a", "ips": [gateway, {"pool": ["10.1.0.0/16"], "prefix": 24}]}
    for task in ([{**wished, "definition": "replace"}], [{**wished, "routes": []}]):
        apply_all(routed)
        assert addresses(apply_all(*task)) == {"a": ["10.0.9.1", "10.1.0.1"]}
        apply_all({"name": "a", "state": "absent"})
    apply_all(routed)
    result = apply_all({"name": "a", "state": "absent"}, {"name": "b", "ips": [{"pool": ["10.1.0.0/24"]}]})
    assert addresses(result)["b"] == ["10.1.0.1"]
    assert list(snapshot(driver)) == ["b"]


@pytest.mark.usefixtures("driver")
def test_the_first_wish_gets_the_first_subnet() -> None:
    ranges = {"ranges": [{"start": "0.0.0.100", "end": "0.0.0.200"}]}
    pool = {"pool": ["10.0.0.0/16"], "prefix": 24}
    [found] = apply_all({"name": "lab", "ips": [{**pool, "dhcp": ranges}, pool]}).data["networks"]
    assert [ip["address"] for ip in found["network"]["definition"]["ips"] if "dhcp" in ip] == ["10.0.0.1"]


def test_a_transient_network_keeps_its_subnet_too(driver: libvirt.virConnect) -> None:
    driver.networkCreateXML(
        "<network><name>lab</name><bridge name='virbr7'/><ip address='10.0.1.1' netmask='255.255.255.0'/></network>"
    )
    assert addresses(apply_all(wish("lab"))) == {"lab": ["10.0.1.1"]}
