# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.kvmops.network.plugins.filter.guest_mac import FilterModule

MACHINE = "0123456789abcdef0123456789abcdef"

guest_mac = FilterModule().filters()["guest_mac"]


# seed 004-15, 004-19: the values are those of the modules' own test
@pytest.mark.parametrize(
    ("machine_id", "alias", "mac"),
    [
        (MACHINE, "lan", "52:54:00:14:25:51"),
        (MACHINE, "network default", "52:54:00:e9:35:ac"),
        # as a file has it
        (MACHINE + "\n", "lan", "52:54:00:14:25:51"),
        (MACHINE[::-1], "network default", "52:54:00:b2:5b:6d"),
    ],
)
def test_it_is_what_the_modules_make(machine_id: str, alias: str, mac: str) -> None:
    assert guest_mac("web", machine_id, alias) == mac


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("web", "kvm1", "lan"), "'kvm1' is no machine-id; give the 32 hexadecimal digits that the host has in /etc/machine-id"),
        (("web", "", "lan"), "'' is no machine-id;"),
        (("web", MACHINE.upper(), "lan"), f"'{MACHINE.upper()}' is no machine-id;"),
        (("web", MACHINE, ""), "'' is no name of a NIC; give its alias, or 'network NAME' for a NIC without one."),
        (("web", MACHINE, 7), "7 is no name of a NIC;"),
        (("", MACHINE, "lan"), "'' is no name of a guest; give the one that libvirt knows it by."),
        (("a/b", MACHINE, "lan"), "'a/b' is no name of a guest;"),
        (("a\n", MACHINE, "lan"), "'a\\n' is no name of a guest;"),
        ((7, MACHINE, "lan"), "7 is no name of a guest;"),
    ],
)
def test_each_mistake_has_its_sentence(arguments: tuple[t.Any, ...], sentence: str) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        guest_mac(*arguments)
    assert str(caught.value).startswith(sentence)
