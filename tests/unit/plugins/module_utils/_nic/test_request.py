# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What a task asks for of one NIC, as far as the task alone tells."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._nic.options import ENTRY_OPTIONS
from ansible_collections.kvmops.network.plugins.module_utils._nic.request import NicRequest
from ansible_collections.kvmops.network.plugins.module_utils._nic.reservation import Reservation

MAC = "52:54:00:00:00:01"


def read(**options: t.Any) -> NicRequest:
    """Return the request of a task, its other options as Ansible fills them in."""
    defaults = {name: option.get("default") for name, option in ENTRY_OPTIONS.items()}
    return NicRequest.from_options({**defaults, "domain": "web", **options})


def test_a_task_that_says_little() -> None:
    assert read(mac=MAC) == NicRequest("web", "present", {"mac": MAC})


def test_a_task_that_says_all() -> None:
    assert read(
        source={"network": "default", "portgroup": None},
        definition="replace",
        replug="always",
        reservation={"ipv4": "10.0.0.9"},
        wait_for_address=True,
    ) == NicRequest(
        "web",
        "present",
        {"source": {"network": "default"}, "type": "network"},
        replace=True,
        replug=True,
        reservation=Reservation(ipv4="10.0.0.9"),
        wait_for_address=True,
    )


def test_a_nic_that_shall_go() -> None:
    assert read(mac=MAC, state="absent").state == "absent"
    # to have none is what it will have
    assert read(mac=MAC, state="absent", reservation={}).reservation == Reservation()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"domain": ""}, "domain: '' is no name of a guest; give one."),
        ({"domain": "  "}, "domain: '  ' is no name of a guest; give one."),
        ({"domain": "a\0b"}, "domain: 'a\0b' is no name of a guest; give one."),
        (
            {"state": "absent", "reservation": {"ipv4": "10.0.0.9"}},
            "reservation: a NIC that shall be absent has none; leave it out.",
        ),
        (
            {"state": "absent", "wait_for_address": True},
            "wait_for_address: a NIC that shall be absent gets no address; leave it out.",
        ),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, t.Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(**options)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("options", "label"),
    [
        ({"mac": MAC, "alias": "lan"}, "The NIC 'lan' of the guest 'web'"),
        ({"mac": MAC}, f"The NIC '{MAC}' of the guest 'web'"),
        ({"source": {"network": "default"}}, "A NIC of the guest 'web'"),
    ],
)
def test_how_a_nic_is_called(options: dict[str, t.Any], label: str) -> None:
    assert read(**options).label == label
