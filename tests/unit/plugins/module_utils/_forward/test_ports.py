# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Ports: as an operator writes them, and who has them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._forward.ports import (
    Listener,
    Ports,
    addresses_meet,
    first_free,
    in_words,
)
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._forward import strategies

NO_PORT = "host_port: '{}' is no port; write a number such as 8080, or a range such as 8000-8010."


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [("1", 1, 1), ("65535", 65535, 65535), ("8000-8010", 8000, 8010), ("8000-8000", 8000, 8000), ("00080", 80, 80)],
)
def test_what_can_be_written(text: str, first: int, last: int) -> None:
    assert Ports.from_option("host_port", text) == Ports(first, last)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        *(
            (text, NO_PORT.format(text))
            for text in (
                *("", " 80", "80 ", "80\n", "+80", "-80", "80-", "-", "80:90", "80,90", "8e1", "0x50", "80.0", "http", "1-2-3"),
                *(
                    "123456",
                    "99999999999999999999",
                    "\u0661\u0662",
                    "\uff18\uff10",
                    "80\x00",
                    "80;reboot",
                    "$(id)",
                    "8 0",
                    "{80}",
                ),
            )
        ),
        ("0", "host_port: there is no port 0; ports are 1 to 65535."),
        ("65536", "host_port: there is no port 65536; ports are 1 to 65535."),
        ("0-80", "host_port: there is no port 0; ports are 1 to 65535."),
        ("80-70000", "host_port: there is no port 70000; ports are 1 to 65535."),
        ("90-80", "host_port: '90-80' ends before it begins; write 80-90."),
    ],
)
def test_what_cannot(text: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        Ports.from_option("host_port", text)
    assert str(caught.value) == sentence


@given(strategies.ports())
def test_they_are_written_as_they_are_read(ports: Ports) -> None:
    assert Ports.from_option("p", str(ports)) == ports
    assert len(ports) == ports.last - ports.first + 1


@given(strategies.ports(most=40), strategies.ports(most=40))
def test_they_meet_where_one_port_is_in_both(one: Ports, other: Ports) -> None:
    both = set(range(one.first, one.last + 1)) & set(range(other.first, other.last + 1))
    assert one.meets(other) is other.meets(one) is bool(both)


def test_pairs() -> None:
    assert Ports(8000, 8002).pairs(Ports(1, 3)) == [(8000, 1), (8001, 2), (8002, 3)]


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("203.0.113.4", "203.0.113.4", True),
        ("203.0.113.4", "203.0.113.5", False),
        ("0.0.0.0", "203.0.113.5", True),
        ("::", "2001:db8::1", True),
        ("::", "203.0.113.5", False),
        ("2001:DB8::1", "2001:db8:0::1", True),
    ],
)
def test_addresses_that_meet(one: str, other: str, meet: bool) -> None:
    for pair in ((one, other), (other, one)):
        assert addresses_meet(*pair) is meet


@pytest.mark.parametrize(
    ("protocols", "address", "ports", "version", "has"),
    [
        (("tcp",), "", Ports(80, 80), 4, True),
        (("tcp",), "203.0.113.4", Ports(79, 81), 4, True),
        (("tcp",), "203.0.113.5", Ports(80, 80), 4, False),
        (("udp",), "", Ports(80, 80), 4, False),
        (("tcp", "udp"), "", Ports(80, 80), 4, True),
        (("tcp",), "", Ports(81, 90), 4, False),
        (("tcp",), "", Ports(80, 80), 6, False),
    ],
)
def test_who_has_a_port(protocols: tuple[str, ...], address: str, ports: Ports, version: int, has: bool) -> None:
    assert Listener("tcp", ("203.0.113.4",), 80, "").has(protocols, address, ports, version) is has


@pytest.mark.parametrize("version", [4, 6])
def test_a_socket_for_both_versions(version: int) -> None:
    assert Listener("tcp", ("::", "0.0.0.0"), 80, "").has(("tcp",), "", Ports(80, 80), version)


@given(strategies.ports(most=60), st.integers(1, 5), st.sets(st.integers(1, 60)))
def test_the_first_free_ones(candidates: Ports, count: int, taken: set[int]) -> None:
    found = first_free(candidates, count, lambda ports: bool(taken & set(range(ports.first, ports.last + 1))))
    possible = [
        Ports(first, first + count - 1)
        for first in range(candidates.first, candidates.last - count + 2)
        if not taken & set(range(first, first + count))
    ]
    assert found == (possible[0] if possible else None)


def test_in_words() -> None:
    assert in_words(("tcp", "udp"), "", Ports(80, 81)) == "* tcp+udp 80-81"
    assert in_words(["tcp"], "203.0.113.4", Ports(80, 80)) == "203.0.113.4 tcp 80"
