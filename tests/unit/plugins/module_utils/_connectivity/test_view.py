# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What the module's result shows, and the report to read."""

from __future__ import annotations

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.diagnosis import diagnose
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.facts import Request
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.view import (
    describe_guests,
    describe_networks,
    make_report,
)
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._connectivity.builders import World

SOUND = """\
NETWORK  MODE  STATE   AUTOSTART  PERSISTENT  BRIDGE  HOST IS           GUESTS GET
default  nat   active  yes        yes         virbr0  192.168.122.1/24  192.168.122.2 to 192.168.122.254

GUEST  STATE    NIC                ON       LINK  ADDRESS         SEEN BY  PING  PORTS
db     running  52:54:00:00:00:02  default  up    192.168.122.12  lease    yes   22 open
web    running  52:54:00:00:00:01  default  up    192.168.122.11  lease    yes   22 open
web    running  52:54:00:00:00:03  plain    up    10.99.0.2       arp      yes   22 open

Nothing is wrong.
"""
BROKEN = """\
NETWORK  MODE  STATE   AUTOSTART  PERSISTENT  BRIDGE  HOST IS           GUESTS GET
default  nat   active  no         yes         virbr0  192.168.122.1/24  192.168.122.2 to 192.168.122.254

GUEST  STATE   NIC                ON       LINK  ADDRESS         SEEN BY  PING  PORTS
web    paused  52:54:00:00:00:01  default  up    192.168.122.11  lease    no    22 silent
web    paused  52:54:00:00:00:03  plain    up    10.99.0.2       arp      no    22 silent

WARNING The network 'default' is not started when the host boots; turn that on with 'virsh net-autostart default'.
ERROR The guest 'web' is paused, and answers nobody; let it go on with 'virsh resume web'.
"""
INACTIVE = """\
NETWORK  MODE  STATE     AUTOSTART  PERSISTENT  BRIDGE  HOST IS           GUESTS GET
default  nat   inactive  yes        yes         virbr0  192.168.122.1/24  192.168.122.2 to 192.168.122.254

GUEST  STATE  NIC  ON  LINK  ADDRESS  SEEN BY  PING  PORTS
web    off    -    -   -     -        -        -     -
"""


def report(*faults: str, request: Request) -> str:
    facts = World(frozenset(faults)).facts()
    return make_report(describe_networks(facts, request), describe_guests(facts, request), diagnose(facts, request))


# seed 000-4, 000-12, 000-13, 003-29, 003-30
def test_a_sound_host() -> None:
    assert report(request=Request()) == SOUND


def test_a_host_that_is_not_sound() -> None:
    assert report("guest_paused", "autostart_off", request=Request(guests=("web",))) == BROKEN


def test_a_guest_that_is_off_is_shown_where_it_is_named() -> None:
    text = report("guest_off", "network_inactive", request=Request(guests=("web",)))
    assert text.startswith(INACTIVE)
    assert "web" not in report("guest_off", request=Request())


def test_nothing_to_look_at() -> None:
    assert report(request=Request(guests=(), networks=())) == "Nothing is wrong.\n"


def test_a_network_in_the_result() -> None:
    request = Request()
    (sound,) = describe_networks(World().facts(), request)
    assert sound == {
        "name": "default",
        "mode": "nat",
        "active": True,
        "autostart": True,
        "persistent": True,
        "bridge": "virbr0",
        "addresses": ["192.168.122.1/24"],
        "bridge_addresses": ["192.168.122.1/24"],
        "dhcp_ranges": [{"start": "192.168.122.2", "end": "192.168.122.254"}],
        "dnsmasq": True,
    }
    (broken,) = describe_networks(World(frozenset({"address_missing", "dnsmasq_down"})).facts(), request)
    assert (broken["bridge_addresses"], broken["dnsmasq"]) == ([], False)
    (off,) = describe_networks(World(frozenset({"network_inactive"})).facts(), request)
    assert (off["active"], off["bridge"], off["dnsmasq"]) == (False, "virbr0", None)


def test_a_guest_in_the_result() -> None:
    (web,) = describe_guests(World(frozenset({"port_closed"})).facts(), Request(guests=("web",)))
    assert (web["name"], web["state"]) == ("web", "running")
    assert web["nics"][0] == {
        "mac": "52:54:00:00:00:01",
        "type": "network",
        "network": "default",
        "bridge": "virbr0",
        "device": "vnet0",
        "link": "up",
        "addresses": [
            {"address": "192.168.122.11", "prefix": 24, "origins": ["lease"], "ping": True, "ports": {"22": "closed"}},
        ],
    }
    assert (web["nics"][1]["network"], web["nics"][1]["bridge"]) == (None, "plain")
