# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The filter guest_address, of which the addresses' own tests say more."""

from __future__ import annotations

import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.kvmops.network.plugins.filter.guest_address import FilterModule

COLLECTION = Path(__file__).parents[4]
SUBNET = "192.168.100.0/24"

guest_address = FilterModule().filters()["guest_address"]


# seed 003-8, 003-12
def test_the_address_of_a_guest() -> None:
    assert guest_address("wso-3332a2", SUBNET) == "192.168.100.229"


def test_each_option_has_its_effect() -> None:
    assert guest_address("wso-test", SUBNET, taken={"192.168.100.22": "test-vm"}) == "192.168.100.23"
    assert guest_address("wso-test", SUBNET, taken={"192.168.100.30": "wso-test"}) == "192.168.100.30"
    assert guest_address("wso-test", SUBNET, gateway="192.168.100.22") == "192.168.100.23"
    ranges = [{"start": "192.168.100.2", "end": "192.168.100.99"}]
    assert guest_address("wso-test", SUBNET, ranges=ranges) == "192.168.100.100"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("a'b", SUBNET), "The guest's name \"a'b\" cannot be a host's name;"),
        ((7, SUBNET), "The guest's name 7 is no text; put it in quotes."),
        (("a", "192.168.100.1"), "The subnet '192.168.100.1' is no size for guests;"),
        (("a", SUBNET, {"here": "b"}), "'here' is not an IP address;"),
        (("a", SUBNET, None, "there"), "'there' is not an IP address;"),
        (("a", SUBNET, ["192.168.100.22"]), "taken: ['192.168.100.22'] is no dictionary; give addresses with the guests' names."),
        (("a", SUBNET, None, None, {"start": "a"}), "ranges: {'start': 'a'} is no list of ranges with start and end."),
        (("a", SUBNET, None, None, ["a"]), "ranges: ['a'] is no list of ranges with start and end."),
        (("a", "10.0.0.4/30", {"10.0.0.6": "b"}), "The subnet 10.0.0.4/30 has no address left for the guest 'a':"),
    ],
)
def test_each_mistake_has_its_sentence(arguments: tuple[t.Any, ...], sentence: str) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        guest_address(*arguments)
    assert str(caught.value).startswith(sentence)


def test_the_controller_needs_no_lxml() -> None:
    program = (
        "import sys; sys.modules['lxml'] = None; sys.modules['libvirt'] = None\n"
        "from ansible_collections.kvmops.network.plugins.filter import (\n"
        "    guest_address, guest_bridge_name, guest_id, guest_mac, guest_network_name)\n"
        f"print(guest_address.guest_address('wso-3332a2', {SUBNET!r}))"
    )
    environment = {"PYTHONPATH": str(COLLECTION / ".build" / "collections")}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False)
    assert (done.stdout, done.stderr) == ("192.168.100.229\n", "")
