# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What guests may be called, and what is called after them."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._guest.names import (
    bridge_name,
    check_guest_name,
    guest_id,
    network_name,
    refuse_shared_bridges,
    refuse_shared_hostnames,
)
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import definition_from_options
from ansible_collections.kvmops.network.plugins.module_utils._network.rules import find_problems
from ansible_collections.kvmops.network.plugins.module_utils._nic.reservation import Reservation

GUEST_NAMES = st.from_regex(r"[A-Za-z]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?", fullmatch=True).filter(
    lambda name: not any(pair in name for pair in ("..", ".-", "-.")) and not name.lower().startswith("localhost")
)


# seed 003-14, 003-15, 003-17, 003-53
@pytest.mark.parametrize(
    ("name", "identity", "network", "bridge"),
    [
        ("wso-3332a2", "3332a2", "wso-net-3332a2", "virbr3332a2"),
        ("wso-12345678", "12345678", "wso-net-12345678", "virbr12345678"),
        # the longest that needs no cut, and the shortest that does
        ("wso-1234567890", "1234567890", "wso-net-1234567890", "virbr1234567890"),
        ("wso-12345678901", "12345678901", "wso-net-12345678901", "virbr12345678"),
        ("wso-database-of-the-shop", "database-of-the-shop", "wso-net-database-of-the-shop", "virbrdatabase"),
        # wso- is a prefix at the front alone
        ("test-wso-vm", "test-wso-vm", "wso-net-test-wso-vm", "virbrtest-wso"),
        ("wso-wso-a", "wso-a", "wso-net-wso-a", "virbrwso-a"),
        ("WSO-a", "WSO-a", "wso-net-WSO-a", "virbrWSO-a"),
        ("wso", "wso", "wso-net-wso", "virbrwso"),
        ("web.example.org", "web.example.org", "wso-net-web.example.org", "virbrweb.exam"),
        # libvirt has virbr0 to virbr256 for itself
        ("wso-0", "0", "wso-net-0", "virbr-0"),
        ("wso-7", "7", "wso-net-7", "virbr-7"),
        ("wso-256", "256", "wso-net-256", "virbr-256"),
        ("wso-007", "007", "wso-net-007", "virbr007"),
        ("wso-1000", "1000", "wso-net-1000", "virbr1000"),
    ],
)
def test_what_is_called_after_a_guest(name: str, identity: str, network: str, bridge: str) -> None:
    assert guest_id(name) == identity
    assert network_name(identity) == network
    assert bridge_name(identity) == bridge
    refuse_shared_bridges([name])


@given(GUEST_NAMES)
def test_libvirt_and_the_kernel_take_whatever_is_called_after_a_guest(name: str) -> None:
    identity = guest_id(name)
    bridge = bridge_name(identity)
    assert len(bridge) <= 15
    options = {"name": network_name(identity), "bridge": {"name": bridge}, "domain": {"name": name}}
    assert find_problems(definition_from_options(options)) == []
    assert Reservation.from_options({"ipv4": "192.168.100.2", "hostname": name}) is not None


@given(st.integers(0, 999))
def test_a_bridge_has_never_a_name_that_libvirt_gives(number: int) -> None:
    assert bridge_name(str(number)) != f"virbr{number}"


INJECTIONS = [
    "a'b",
    'a"b',
    "$(reboot)",
    "`reboot`",
    "a;reboot",
    "a b",
    "a\nb",
    "a\n",
    "a\0b",
    "a/b",
    "../../etc/passwd",
    "a\\b",
    "<name>a</name>",
    "a&amp;b",
    "a,b",
    "{{ a }}",
    "-a",
    ".a",
    "..",
    "a-",
    "a.",
    "a..b",
    "a.-b",
    "a_b",
    "1a",
    "grün",
    "wso-",
    "wso-.a",
    "\u0661a",
    "a\u0661",
]


@pytest.mark.parametrize("name", INJECTIONS)
def test_what_cannot_be_a_hosts_name_is_refused(name: str) -> None:
    with pytest.raises(InputError) as caught:
        check_guest_name(name)
    assert str(caught.value) == (
        f"The guest's name {name!r} cannot be a host's name; use letters, digits, '-' and '.', a letter first, and a letter or "
        "digit beside each '.' and at the end."
    )
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError):
        guest_id(name)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "The guest's name is empty; give one, such as wso-3332a2."),
        (
            "a" * 64,
            "The guest's name 'aaaaaaaaaaaaaaaaaaaa…' has 64 characters, and a host's name has 63 at most; choose a shorter one.",
        ),
        ("LocalHost", "The guest's name 'LocalHost' means each host itself in DNS; choose another one."),
        (3332, "The guest's name 3332 is no text; put it in quotes."),
        (None, "The guest's name None is no text; put it in quotes."),
    ],
)
def test_other_names_are_refused_too(name: t.Any, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        check_guest_name(name)
    assert str(caught.value) == sentence


def test_the_longest_name_is_accepted() -> None:
    assert check_guest_name("a" * 63) == "a" * 63


# seed 003-54
@pytest.mark.parametrize(
    ("identity", "sentence"),
    [
        ("a/b", "The name 'virbra/b' of a bridge has characters that no interface name may have"),
        ("a b", "The name 'virbra b' of a bridge has characters that no interface name may have"),
        ("grüße-an-alle", "The name 'virbrgrüße-an' of a bridge has characters that no interface name may have"),
        ("", "The name 'virbr' of a bridge has nothing of the guest in it; give the guest an id."),
    ],
)
def test_ids_that_no_bridge_can_have_are_refused(identity: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        bridge_name(identity)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (
            ["wso-abc", "x", "abc"],
            "The guests 'wso-abc' and 'abc' would both have the network 'wso-net-abc'; give one of them another name.",
        ),
        (
            ["wso-database-01", "wso-database-02"],
            "The guests 'wso-database-01' and 'wso-database-02' would both have the bridge 'virbrdatabase', since of an id "
            "that is longer than 10 characters the first 8 count; give one of them another name.",
        ),
        (
            # one is cut to what the other is
            ["wso-database", "database-for-all"],
            "The guests 'wso-database' and 'database-for-all' would both have the bridge 'virbrdatabase'",
        ),
        (["wso-7", "wso--7"], "The guests 'wso-7' and 'wso--7' would both have the bridge 'virbr-7'"),
    ],
)
def test_guests_that_would_have_one_network_or_bridge_are_refused(names: list[str], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        refuse_shared_bridges(names)
    assert str(caught.value).startswith(sentence)
    with pytest.raises(InputError):
        refuse_shared_bridges(reversed(names))


def test_guests_that_dns_does_not_tell_apart_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        refuse_shared_hostnames(["web", "db", "Web"])
    assert str(caught.value) == (
        "The guests 'web' and 'Web' differ in upper and lower case alone, which DNS does not tell apart; give one of them "
        "another name."
    )


@given(st.lists(GUEST_NAMES, max_size=20))
def test_guests_that_pass_have_networks_and_bridges_of_their_own(names: list[str]) -> None:
    try:
        refuse_shared_bridges(names)
        refuse_shared_hostnames(names)
    except InputError:
        return
    guests = set(names)
    assert len({name.lower() for name in guests}) == len(guests)
    assert len({network_name(guest_id(name)) for name in guests}) == len(guests)
    assert len({bridge_name(guest_id(name)) for name in guests}) == len(guests)


def test_a_name_that_is_there_twice_is_one_guest() -> None:
    refuse_shared_bridges(["wso-a", "wso-a"])
    refuse_shared_hostnames(["wso-a", "wso-a"])
