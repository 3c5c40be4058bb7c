# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What a task may ask, and what is refused with a sentence."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.facts import Request
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.request import read_request
from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError

NOTHING: dict[str, t.Any] = {"guests": None, "networks": None, "ports": None, "timeout": 3, "outside": None}


def ask(**options: t.Any) -> Request:
    return read_request({**NOTHING, **options})


def test_nothing_asked_is_everything() -> None:
    request = ask()
    assert request == Request()
    assert (request.wants_guest("web"), request.wants_network("default"), request.expects("web")) == (True, True, False)
    assert request.tried_ports == (22,)


def test_what_is_asked() -> None:
    request = ask(guests=["web", "db", "web"], networks=["lab"], ports=[80, 22, 80], timeout=60, outside="2001:DB8::1")
    assert request == Request(("web", "db"), ("lab",), (22, 80), "2001:db8::1", 60)
    assert (request.wants_guest("a"), request.expects("web"), request.wants_network("default")) == (False, True, False)
    assert ask(ports=[]).tried_ports == ()
    assert not ask(guests=[]).wants_guest("web")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"guests": ["web", " "]}, "guests: a name is empty; leave it out, or leave out guests for all of the host."),
        ({"networks": [""]}, "networks: a name is empty; leave it out, or leave out networks for all of the host."),
        ({"ports": [22, 0]}, "ports: '0' is no TCP port; give numbers from 1 to 65535, such as 22."),
        ({"ports": [65536]}, "ports: '65536' is no TCP port; give numbers from 1 to 65535, such as 22."),
        ({"ports": [-22]}, "ports: '-22' is no TCP port; give numbers from 1 to 65535, such as 22."),
        ({"timeout": 0}, "timeout: '0' seconds cannot be waited; give 1 to 60."),
        ({"timeout": 61}, "timeout: '61' seconds cannot be waited; give 1 to 60."),
        (
            {"outside": "example.org"},
            "outside: 'example.org' is no IP address; give one that the host shall reach, such as 192.0.2.1.",
        ),
        ({"outside": ""}, "outside: '' is no IP address; give one that the host shall reach, such as 192.0.2.1."),
        ({"outside": "-c1"}, "outside: '-c1' is no IP address; give one that the host shall reach, such as 192.0.2.1."),
        (
            {"outside": "192.0.2.1/24"},
            "outside: '192.0.2.1/24' is no IP address; give one that the host shall reach, such as 192.0.2.1.",
        ),
        (
            {"outside": "fe80::1%eth0"},
            "outside: 'fe80::1%eth0' is no IP address; give one that the host shall reach, such as 192.0.2.1.",
        ),
        ({"outside": "fe80::1"}, "outside: 'fe80::1' is not the address of a machine elsewhere; give one, such as 192.0.2.1."),
        (
            {"outside": "127.0.0.1"},
            "outside: '127.0.0.1' is not the address of a machine elsewhere; give one, such as 192.0.2.1.",
        ),
        (
            {"outside": "224.0.0.1"},
            "outside: '224.0.0.1' is not the address of a machine elsewhere; give one, such as 192.0.2.1.",
        ),
        ({"outside": "0.0.0.0"}, "outside: '0.0.0.0' is not the address of a machine elsewhere; give one, such as 192.0.2.1."),
    ],
)
def test_what_cannot_be(options: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        ask(**options)
    assert str(caught.value) == sentence
