# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What a task asks for: read into one shape, and refused in a sentence where no host could do it."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.request import Request, Tap
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._macvtap.builders import (
    MAC,
    OPTIONS,
    over,
    request,
    route_option,
    tap_option,
)


def test_a_short_task() -> None:
    assert Request.from_options(OPTIONS) == Request(name="mv0", state="present", parent="eth1")


def test_a_task_that_says_everything() -> None:
    found = request(
        kind="macvtap",
        mode="source",
        flags=["nodst", "nodst"],
        mac=MAC.upper(),
        source_macs=["02:00:00:00:00:0B", "02:00:00:00:00:0a", "02:00:00:00:00:0b"],
        mtu=1400,
        queues=4,
        bcqueuelen=500,
        addresses=["2001:DB8::1/64", "192.0.2.250/255.255.255.255"],
        routes=[route_option("198.51.100.7"), route_option("2001:db8:1::/48", gateway="2001:DB8::2", metric=7)],
        tap=tap_option("libvirt-qemu", "36", "0660"),
        backend="unit",
        force=True,
    )
    assert found == Request(
        name="mv0",
        state="present",
        kind="macvtap",
        parent="eth1",
        mode="source",
        flags=("nodst",),
        mac=MAC,
        source_macs=("02:00:00:00:00:0a", "02:00:00:00:00:0b"),
        mtu=1400,
        queues=4,
        broadcast_queue=500,
        up=True,
        addresses=("192.0.2.250/32", "2001:db8::1/64"),
        routes=(over("198.51.100.7/32"), over("2001:db8:1::/48", gateway="2001:db8::2", metric=7)),
        tap=Tap("libvirt-qemu", "36", 0o660),
        backend="unit",
        force=True,
    )
    assert found.ip_versions == {4, 6}


def test_the_word_of_libvirt_is_the_word_of_the_kernel() -> None:
    assert request(mode="passthrough") == request(mode="passthru")


def test_order_does_not_matter() -> None:
    routes = [route_option("198.51.100.0/24"), route_option("203.0.113.0/24")]
    addresses = ["192.0.2.1/24", "192.0.2.2/24"]
    assert request(addresses=addresses, routes=routes) == request(addresses=addresses[::-1], routes=routes[::-1])


def test_what_reaches_the_routers_comes_first() -> None:
    # the kernel takes no route over a router that it does not reach
    routes = [
        route_option("10.0.0.0/8", gateway="192.0.2.9"),
        route_option("192.0.2.9/32"),
    ]
    found = request(addresses=["192.0.2.1/32"], routes=routes).routes
    assert found == (over("192.0.2.9/32"), over("10.0.0.0/8", gateway="192.0.2.9"))


def test_of_an_absent_one_the_name_alone_counts() -> None:
    assert request(state="absent", parent=None, mtu=1, mac="nonsense") == Request(name="mv0", state="absent")
    assert request(state="absent", force=True) == Request(name="mv0", state="absent", force=True)


@pytest.mark.parametrize(
    ("destination", "metric", "expected"),
    [
        ("198.51.100.0/24", None, 0),
        ("198.51.100.0/24", 0, 0),
        ("198.51.100.0/24", 1024, 1024),
        ("2001:db8:1::/64", None, 1024),
        ("2001:db8:1::/64", 0, 1024),  # which the kernel takes for its own one
        ("2001:db8:1::/64", 2**32 - 1, 2**32 - 1),
    ],
)
def test_metrics(destination: str, metric: int | None, expected: int) -> None:
    found = request(addresses=["192.0.2.1/32", "2001:db8::1/128"], routes=[route_option(destination, metric=metric)])
    assert found.routes == (over(destination, metric=expected),)


@pytest.mark.parametrize(
    ("given", "expected"),
    [("0660", 0o660), ("660", 0o660), ("0o660", 0o660), ("0", 0), ("777", 0o777)],
)
def test_permissions(given: t.Any, expected: int) -> None:
    assert request(tap=tap_option(mode=given)).tap == Tap(mode=expected)


@pytest.mark.parametrize("owner", ["libvirt-qemu", "a.b_c-d", "host$", "0", "4294967294", "DOMAIN"])
def test_names_of_users(owner: str) -> None:
    assert request(tap=tap_option(owner, owner)).tap == Tap(owner, owner)


def test_a_route_to_the_own_subnet_with_another_metric() -> None:
    found = request(addresses=["192.0.2.250/24"], routes=[route_option("192.0.2.0/24", metric=5)])
    assert found.routes == (over("192.0.2.0/24", metric=5),)


@pytest.mark.parametrize("mtu", [68, 1280, 65535])
def test_mtu(mtu: int) -> None:
    assert request(mtu=mtu).mtu == mtu


ROUTE_TWICE = "routes: a destination is given twice with one metric; leave one out, or give them different metrics."
V4, V6 = ["192.0.2.1/32"], ["2001:db8::1/64"]

NO_PERMISSIONS: list[t.Any] = ["rw-rw----", "0888", "1777", "-1", "", True, 660, 0o660, 0, 1.5, []]

WRONG: list[tuple[dict[str, t.Any], str]] = [
    ({"name": "mv0-port"}, "name: 'mv0-port' ends in -port, as the files of bridges' ports do; choose another name."),
    (
        {"state": "absent", "name": "mv 0"},
        "name: 'mv 0' is no name for an interface that is managed here; use letters, digits, "
        "'-', '_' and '.', and not the kernel's own words.",
    ),
    ({"parent": None}, "parent: it is missing; name the interface that this one stands on, such as eth1."),
    ({"parent": "mv0"}, "parent: 'mv0' is the interface itself; name the one that it stands on."),
    ({"parent": ""}, "parent: it is empty; name an interface, such as br0."),
    ({"mac": "52-54-00-7a-00-01"}, "mac: '52-54-00-7a-00-01' is no MAC address; write it as 52:54:00:12:34:56."),
    ({"mac": ""}, "mac: '' is no MAC address; write it as 52:54:00:12:34:56."),
    ({"mac": "00:00:00:00:00:00"}, "mac: '00:00:00:00:00:00' is no address of an interface."),
    (
        {"mode": "source", "source_macs": ["03:00:00:00:00:01"]},
        "source_macs: '03:00:00:00:00:01' is a group address (its first byte is odd), which no interface can have.",
    ),
    ({"mtu": 67}, "mtu: '67' is not from 68 to 65535."),
    ({"mtu": 65536}, "mtu: '65536' is not from 68 to 65535."),
    ({"queues": 0}, "queues: '0' is not from 1 to 256."),
    ({"queues": 257}, "queues: '257' is not from 1 to 256."),
    ({"bcqueuelen": -1}, "bcqueuelen: '-1' is not from 0 to 4294967295."),
    ({"bcqueuelen": 2**32}, "bcqueuelen: '4294967296' is not from 0 to 4294967295."),
    ({"addresses": ["192.0.2.1"]}, "addresses: '192.0.2.1' has no prefix; write it as 192.0.2.10/24."),
    ({"addresses": ["127.0.0.1/8"]}, "addresses: '127.0.0.1/8' cannot be a host's address in a LAN."),
    (
        {"addresses": ["192.0.2.1/32", "192.0.2.1/24"]},
        "addresses: an address is given twice: 192.0.2.1/24, 192.0.2.1/32.",
    ),
    (
        {"addresses": ["2001:db8::1/64", "2001:0db8::0:1/64"]},
        "addresses: an address is given twice: 2001:db8::1/64, 2001:db8::1/64.",
    ),
    (
        {"addresses": V4, "routes": [route_option("198.51.100.0/33")]},
        "routes.destination: '198.51.100.0/33' is no subnet and no address; write it as 192.0.2.128/25 or 192.0.2.7.",
    ),
    (
        {"addresses": V4, "routes": [route_option("default")]},
        "routes.destination: 'default' is no subnet and no address; write it as 192.0.2.128/25 or 192.0.2.7.",
    ),
    (
        {"addresses": V4, "routes": [route_option("198.51.100.1/24")]},  # bits of a host
        "routes.destination: '198.51.100.1/24' is no subnet and no address; write it as 192.0.2.128/25 or 192.0.2.7.",
    ),
    *(
        (
            {"addresses": V4 + V6, "routes": [route_option(text)]},
            f"routes.destination: '{text}' is a default route, which belongs to the host's uplink; name subnets.",
        )
        for text in ("0.0.0.0/0", "::/0")
    ),
    *(
        (
            {"addresses": V4 + V6, "routes": [route_option(text)]},
            f"routes.destination: '{text}' is nothing that guests have; name their addresses or subnets.",
        )
        for text in ("224.0.0.0/4", "127.0.0.0/8", "169.254.0.0/16", "ff00::/8", "::1", "fe80::/64")
    ),
    (
        {"addresses": V4, "routes": [route_option("198.51.100.0/24", gateway="192.0.2.9/32")]},
        "routes.gateway: '192.0.2.9/32' is no address; write one without a prefix.",
    ),
    (
        {"addresses": V6, "routes": [route_option("2001:db8:1::/64", gateway="fe80::1%eth0\nroute add default")]},
        "routes.gateway: 'fe80::1%eth0\nroute add default' is no address; write one without a prefix.",
    ),
    (
        {"addresses": V4, "routes": [route_option("198.51.100.0/24", gateway="2001:db8::9")]},
        "routes.gateway: '2001:db8::9' is an IPv6 address, and the destination is IPv4.",
    ),
    (
        {"addresses": V4, "routes": [route_option("198.51.100.0/24", metric=-1)]},
        "routes.metric: '-1' is not from 0 to 4294967295.",
    ),
    ({"addresses": V4, "routes": [route_option("198.51.100.0/24")] * 2}, ROUTE_TWICE),
    (
        {
            "addresses": V6,
            "routes": [route_option("2001:db8:1::/64", metric=1024), route_option("2001:db8:1::/64", gateway="2001:db8::9")],
        },
        ROUTE_TWICE,
    ),
    (
        {"addresses": V6, "routes": [route_option("198.51.100.0/24")]},
        "routes: 198.51.100.0/24 needs an IPv4 address of this interface, from which the host sends; give one in addresses.",
    ),
    (
        {"addresses": V4, "routes": [route_option("2001:db8:1::/64")]},
        "routes: 2001:db8:1::/64 needs an IPv6 address of this interface, from which the host sends; give one in addresses.",
    ),
    (
        {"addresses": V4, "routes": [route_option("198.51.100.0/24")], "link": "down"},
        "routes: the kernel has no routes over an interface that is down; leave them out, or set link: up.",
    ),
    *(
        (
            {"addresses": [own], "routes": [route_option(subnet, metric=metric)]},
            f"routes: {subnet} is there by itself, with the address {own}; leave it out.",
        )
        for own, subnet, metric in (
            ("192.0.2.250/24", "192.0.2.0/24", None),
            ("2001:db8::1/64", "2001:db8::/64", 256),
        )
    ),
    (
        {"flags": ["nopromisc"]},
        "flags: nopromisc is for mode passthru, and the mode is bridge; leave it out or change the mode.",
    ),
    (
        {"flags": ["nodst"], "mode": "passthrough"},
        "flags: nodst is for mode source, and the mode is passthru; leave it out or change the mode.",
    ),
    (
        {"source_macs": [MAC], "mode": "vepa"},
        "source_macs: they are for mode source, and the mode is vepa; leave them out or change the mode.",
    ),
    ({"kind": "macvlan", "tap": tap_option()}, "tap: a macvlan has no device node; leave it out, or set kind: macvtap."),
    *(
        (
            {"tap": {**tap_option(), option: name}},
            f"tap.{option}: '{name}' is no name of a user or a group.",
        )
        for option, name in (
            ("owner", ""),
            ("owner", "-root"),
            ("owner", "$kernel"),  # which udev would replace
            ("group", ""),
            ("owner", 'root", RUN+="/bin/reboot'),
            ("group", "kvm\nRUN"),
            ("group", "a b"),
            ("group", "²"),
            ("owner", "٣"),
            ("owner", "jürgen"),
            ("owner", "4294967295"),  # which is -1, and means none to chown
            ("group", "99999999999"),
        )
    ),
    *(
        ({"tap": tap_option(mode=mode)}, f"tap.mode: '{mode}' is no octal number from 0 to 0777; write it as '0660', in quotes.")
        for mode in NO_PERMISSIONS
    ),
]


@pytest.mark.parametrize(("options", "sentence"), WRONG)
def test_wrong_input(options: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        request(**options)
    assert str(caught.value) == sentence
