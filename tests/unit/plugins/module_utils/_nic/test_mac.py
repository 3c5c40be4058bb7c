# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""MAC addresses that are made up: never change how, they are in guests."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._nic.mac import make_mac

MACHINE = "0123456789abcdef0123456789abcdef"


# The first 24 bits of `printf '%s\0%s\0%s' MACHINE DOMAIN NIC | sha256sum`.
@pytest.mark.parametrize(
    ("machine_id", "domain", "nic", "mac"),
    [
        (MACHINE, "web", "network default", "52:54:00:e9:35:ac"),
        (MACHINE, "web", "bridge br0", "52:54:00:47:eb:ba"),
        (MACHINE, "web", "lan", "52:54:00:14:25:51"),
        (MACHINE, "db", "network default", "52:54:00:5e:fc:5c"),
        (MACHINE[::-1], "web", "network default", "52:54:00:b2:5b:6d"),
        ("kvm1.example.org", "grün", "network süß", "52:54:00:cd:cb:6e"),
    ],
)
def test_what_was_made_once_is_made_again(machine_id: str, domain: str, nic: str, mac: str) -> None:
    assert make_mac(machine_id=machine_id, domain=domain, nic=nic) == mac


_names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(_names, _names, _names)
def test_any_is_an_address_that_a_guest_may_have(machine_id: str, domain: str, nic: str) -> None:
    mac = make_mac(machine_id=machine_id, domain=domain, nic=nic)
    assert mac.startswith("52:54:00:")
    assert len(mac) == 17
    assert mac == mac.lower()
    assert make_mac(machine_id=machine_id, domain=domain, nic=nic) == mac


def test_hosts_guests_and_nics_differ() -> None:
    parts = [("a", "b", "ab", "ba", "")] * 3
    macs = {make_mac(machine_id=machine, domain=domain, nic=nic) for machine, domain, nic in itertools.product(*parts)}
    assert len(macs) == 5**3
