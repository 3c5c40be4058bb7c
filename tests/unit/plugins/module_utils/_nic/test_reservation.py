# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What a task says of the addresses that a network shall reserve for a NIC."""

from __future__ import annotations

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._nic.reservation import Reservation, duid_of

MAC = "52:54:00:6b:3c:58"
DUID = f"00:03:00:01:{MAC}"
NONE = {"ipv4": None, "ipv6": None, "hostname": None, "duid": None}


def test_a_task_that_says_nothing_leaves_what_there_is() -> None:
    assert Reservation.from_options(None) is None


@pytest.mark.parametrize("options", [{}, NONE])
def test_an_empty_reservation_is_none(options: dict[str, str | None]) -> None:
    reservation = Reservation.from_options(options)
    assert reservation == Reservation()
    assert reservation is not None
    assert (reservation.addresses, reservation.entries(MAC)) == ([], [])


@pytest.mark.parametrize(
    ("options", "entries"),
    [
        ({"ipv4": "10.0.0.9"}, [{"mac": MAC, "ip": "10.0.0.9"}]),
        ({"ipv4": "10.0.0.9", "hostname": "web"}, [{"mac": MAC, "ip": "10.0.0.9", "name": "web"}]),
        ({"ipv6": "FD00:0::9"}, [{"id": DUID, "ip": "fd00::9"}]),
        ({"ipv6": "fd00::9", "duid": "00:01:00:01:AA:BB"}, [{"id": "00:01:00:01:aa:bb", "ip": "fd00::9"}]),
        (
            {"ipv4": "10.0.0.9", "ipv6": "fd00::9", "hostname": "web.example.org"},
            [
                {"mac": MAC, "ip": "10.0.0.9", "name": "web.example.org"},
                {"id": DUID, "ip": "fd00::9", "name": "web.example.org"},
            ],
        ),
    ],
)
def test_the_entries_of_a_network(options: dict[str, str], entries: list[dict[str, str]]) -> None:
    reservation = Reservation.from_options({**NONE, **options})
    assert reservation is not None
    assert reservation.entries(MAC) == entries
    assert reservation.addresses == [entry["ip"] for entry in entries]


def test_the_identifier_that_a_client_makes_of_its_address() -> None:
    assert duid_of(MAC) == "00:03:00:01:52:54:00:6b:3c:58"


LONG = "a" * 63
LONGEST = ".".join([LONG, LONG, LONG, "a" * 61])  # 253 characters


@pytest.mark.parametrize("name", ["a", "web", "Web-1", "web.example.org", "a.1", LONG, ".".join([LONG] * 3), LONGEST])
def test_names(name: str) -> None:
    reservation = Reservation.from_options({"ipv4": "10.0.0.9", "hostname": name})
    assert reservation is not None
    assert reservation.hostname == name


@pytest.mark.parametrize("name", ["", "1", "-a", "a-", "a..b", ".a", "a.", "a_b", "a b", "ä", "a\n", "a,b", "a.-b"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(InputError) as caught:
        Reservation.from_options({"ipv4": "10.0.0.9", "hostname": name})
    assert str(caught.value) == (
        f"reservation.hostname: '{name}' is no host's name; use letters, digits, '-' and '.', a letter first."
    )


@pytest.mark.parametrize("name", ["a" * 64, f"a.{'b' * 64}", f"{LONGEST}a"])
def test_a_name_that_is_too_long(name: str) -> None:
    with pytest.raises(InputError, match=r"reservation\.hostname"):
        Reservation.from_options({"ipv4": "10.0.0.9", "hostname": name})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"ipv4": "10.0.0.256"},
            "reservation.ipv4: '10.0.0.256' is not an IP address; give one such as 192.168.101.1 or fd00:101::1.",
        ),
        (
            {"ipv4": "10.0.0.9/24"},
            "reservation.ipv4: '10.0.0.9/24' is not an IP address; give one such as 192.168.101.1 or fd00:101::1; the length of "
            "the prefix has an option of its own.",
        ),
        (
            {"ipv4": "fd00::9"},
            "reservation.ipv4: 'fd00::9' is an address of the other family; give it as reservation.ipv6.",
        ),
        (
            {"ipv6": "10.0.0.9"},
            "reservation.ipv6: '10.0.0.9' is an address of the other family; give it as reservation.ipv4.",
        ),
        (
            {"hostname": "web"},
            "reservation: neither ipv4 nor ipv6 is given; give an address, or an empty reservation for none.",
        ),
        (
            {"duid": "00:01:00:01"},
            "reservation: neither ipv4 nor ipv6 is given; give an address, or an empty reservation for none.",
        ),
        (
            {"ipv4": "10.0.0.9", "duid": "00:01:00:01"},
            "reservation.duid: is for an IPv6 address only; add ipv6, or leave duid out.",
        ),
        (
            {"ipv6": "fd00::9", "duid": "00:01:00"},
            "reservation.duid: '00:01:00' is no DHCP identifier; give one such as 00:03:00:01:52:54:00:6b:3c:58.",
        ),
        (
            {"ipv6": "fd00::9", "duid": "0:1:0:1"},
            "reservation.duid: '0:1:0:1' is no DHCP identifier; give one such as 00:03:00:01:52:54:00:6b:3c:58.",
        ),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, str], message: str) -> None:
    with pytest.raises(InputError) as caught:
        Reservation.from_options({**NONE, **options})
    assert str(caught.value) == message
