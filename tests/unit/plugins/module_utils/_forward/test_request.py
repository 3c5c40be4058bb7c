# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What a task may ask for, and what it may not; the real module is asked the same in test_libvirt_port_forward_refused.py."""

from __future__ import annotations

import contextlib
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._forward.forward import FORWARD_NAME
from ansible_collections.kvmops.network.plugins.module_utils._forward.request import ForwardRequest, check_forward_name
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._forward import strategies
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._forward.builders import options, ports, request
from ansible_collections.kvmops.network.tests.unit.plugins.support.forward_inputs import WRONG_INPUTS


@pytest.mark.parametrize("kind", WRONG_INPUTS)
def test_what_is_wrong(kind: str) -> None:
    given_options, sentence = WRONG_INPUTS[kind]
    with pytest.raises(InputError) as caught:
        ForwardRequest.from_options(options(**given_options))
    assert str(caught.value) == sentence


def test_a_short_task() -> None:
    assert request() == ForwardRequest(
        name="web",
        state="present",
        protocols=("tcp",),
        host_ports=ports("8080"),
        candidates=ports("10000-19999"),
        domain="web",
        guest_ports=ports("8080"),
    )


@pytest.mark.parametrize(
    ("given_options", "expected"),
    [
        ({"protocols": ["udp", "tcp", "udp"]}, {"protocols": ("tcp", "udp")}),
        ({"host_address": "0.0.0.0"}, {"host_address": "", "version": 4}),
        ({"host_address": "::"}, {"host_address": "", "version": 6}),
        ({"host_address": "2001:DB8:0::4"}, {"host_address": "2001:db8::4", "version": 6}),
        ({"address": "FD00::000A"}, {"address": "fd00::a", "version": 6}),
        ({"address": "fd00::a", "host_address": "::"}, {"address": "fd00::a", "host_address": "", "version": 6}),
        ({"address": "10.0.0.1", "host_address": "0.0.0.0"}, {"address": "10.0.0.1", "host_address": "", "version": 4}),
        ({"host_address": "127.0.0.1"}, {"host_address": "127.0.0.1"}),
        ({"host_address": "::1", "method": "proxy"}, {"host_address": "::1", "method": "proxy", "version": 6}),
        ({"host_port": None, "guest_port": "22"}, {"host_ports": None, "guest_ports": ports("22")}),
        ({"host_port": None, "guest_port": "22-23", "host_port_range": "5-6"}, {"candidates": ports("5-6")}),
        ({"guest_port": "80"}, {"guest_ports": ports("80")}),
        ({"host_port": "1-65535"}, {"host_ports": ports("1-65535"), "guest_ports": ports("1-65535")}),
        ({"host_port": "10000-11023", "guest_port": "1-1024"}, {"guest_ports": ports("1-1024")}),
        ({"host_port": "8000-8015", "method": "proxy"}, {"host_ports": ports("8000-8015")}),
        ({"domain": None, "network": "lab", "address": "10.0.0.1"}, {"domain": "", "network": "lab", "address": "10.0.0.1"}),
    ],
)
def test_what_is_right(given_options: dict[str, t.Any], expected: dict[str, t.Any]) -> None:
    found = request(**given_options)
    assert {name: getattr(found, name) for name in expected} == expected


def test_one_that_shall_be_absent() -> None:
    assert request(state="absent", domain=None, host_port=None) == ForwardRequest("web", "absent")


@pytest.mark.parametrize("kind", [each for each in WRONG_INPUTS if each.startswith("name ")])
def test_nor_can_a_name_that_is_wrong_be_absent(kind: str) -> None:
    given_options, sentence = WRONG_INPUTS[kind]
    with pytest.raises(InputError) as caught:
        request(state="absent", **given_options)
    assert str(caught.value) == sentence


@given(strategies.NAMES)
def test_names(name: str) -> None:
    assert check_forward_name("name", name) == name


@given(st.text(max_size=70))
def test_other_names(name: str) -> None:
    if FORWARD_NAME.fullmatch(name):
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
        assert 1 <= len(name) <= 63
    else:
        with pytest.raises(InputError):
            check_forward_name("name", name)


@given(text=st.text(max_size=20), option=st.sampled_from(["host_port", "guest_port", "host_address", "address"]))
def test_any_text_is_refused_or_becomes_what_it_says(text: str, option: str) -> None:
    with contextlib.suppress(InputError):
        found = request(**{option: text})
        assert set(text) <= set("0123456789-" if "port" in option else "0123456789abcdefABCDEF.:")
        assert found.state == "present"
