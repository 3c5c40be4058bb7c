# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""A NIC in words: in a result, and in a diff."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import SeenAddress
from ansible_collections.kvmops.network.plugins.module_utils._network.mark import Claim, with_claims
from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import Nic
from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import NicState
from ansible_collections.kvmops.network.plugins.module_utils._nic.network_changes import NetworkChange
from ansible_collections.kvmops.network.plugins.module_utils._nic.plan import NicPlan
from ansible_collections.kvmops.network.plugins.module_utils._nic.view import describe_addresses, describe_nic, make_diff
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nic.builders import (
    MAC,
    both,
    live,
    network,
    on,
    stored,
)

if t.TYPE_CHECKING:
    Definition = dict[str, t.Any]

OTHER = "52:54:00:00:00:09"
XML = f"""\
<interface type="network">
  <mac address="{MAC}"/>
  <source network="default"/>
  <model type="virtio"/>
</interface>
"""


def describe(state: NicState, *addresses: SeenAddress, waits: tuple[str, ...] = ()) -> dict[str, t.Any]:
    return describe_nic("web", state, addresses=addresses, waits=waits)


def test_a_nic_that_is_stored_and_runs() -> None:
    state = NicState(stored=Nic(on()), live=Nic(on(), device="vnet0", bridge="virbr0", handle="net0"))
    assert describe(state, SeenAddress(MAC, "192.168.122.5", 24, "lease")) == {
        "domain": "web",
        "mac": MAC,
        "alias": None,
        "type": "network",
        "source": {"network": "default"},
        "bridge": "virbr0",
        "device": "vnet0",
        "model": "virtio",
        "link": "up",
        "plugged": True,
        "persistent": True,
        "addresses": [{"address": "192.168.122.5", "prefix": 24, "origins": ["lease"]}],
        "pending": False,
        "pending_changes": [],
        "definition": {"type": "network", "source": {"network": "default"}, "model": "virtio"},
        "xml": XML,
    }


def test_a_nic_that_is_stored_alone() -> None:
    found = describe(stored(on(alias="lan", link="down", driver={"queues": 2})))
    assert (found["plugged"], found["persistent"], found["device"], found["bridge"]) == (False, True, None, None)
    assert (found["alias"], found["link"]) == ("lan", "down")
    assert found["definition"] == {
        "type": "network",
        "source": {"network": "default"},
        "model": "virtio",
        "link": "down",
        "driver": {"queues": 2},
    }


def test_a_nic_that_only_runs() -> None:
    found = describe(live(on()))
    assert (found["plugged"], found["persistent"], found["device"]) == (True, False, "vnet0")


def test_a_nic_whose_change_waits_is_shown_as_it_runs_with_what_is_stored_beside_it() -> None:
    state = NicState(stored=stored(on("isolated", mac=OTHER, model="e1000e")).stored, live=both(on()).live)
    found = describe(state, waits=("mac", "model", "place"))
    assert (found["mac"], found["source"], found["model"]) == (MAC, {"network": "default"}, "virtio")
    assert found["definition"] == {"type": "network", "source": {"network": "isolated"}, "model": "e1000e"}
    assert (found["pending"], found["pending_changes"]) == (True, ["mac", "model", "place"])
    assert OTHER in found["xml"]


def test_what_a_task_cannot_say_is_in_the_xml_alone() -> None:
    odd = {**on(acpi=3, tune={"sndbuf": 5}, boot={"order": 1, "loadparm": "2"}), "_rest": ["@colour=red"]}
    odd["source"] = {**odd["source"], "_rest": ["@hue=blue"]}
    found = describe(stored(odd))
    assert found["source"] == {"network": "default"}
    assert found["definition"] == {
        "type": "network",
        "source": {"network": "default"},
        "model": "virtio",
        "boot": {"order": 1},
    }
    for part in ('colour="red"', 'hue="blue"', 'index="3"', "<sndbuf>5</sndbuf>", 'loadparm="2"'):
        assert part in found["xml"]


# --- addresses ----------------------------------------------------------------------------------------------------------------


def seen(address: str, origin: t.Any, prefix: int = 0, mac: str = MAC) -> SeenAddress:
    return SeenAddress(mac, address, prefix, origin)


@pytest.mark.parametrize(
    ("addresses", "described"),
    [
        ([], []),
        ([seen("10.0.0.1", "arp")], [("10.0.0.1", None, ["arp"])]),
        ([seen("10.0.0.1", "arp", mac=OTHER)], []),
        ([seen("10.0.0.1", "lease", 24), seen("10.0.0.1", "arp")], [("10.0.0.1", 24, ["lease", "arp"])]),
        ([seen("10.0.0.1", "arp"), seen("10.0.0.1", "agent", 24)], [("10.0.0.1", 24, ["arp", "agent"])]),
        # the first that knows a length is believed
        ([seen("10.0.0.1", "lease", 24), seen("10.0.0.1", "agent", 16)], [("10.0.0.1", 24, ["lease", "agent"])]),
        ([seen("10.0.0.1", "arp"), seen("10.0.0.1", "arp")], [("10.0.0.1", None, ["arp"])]),
        (
            [seen("fd00::1", "agent", 64), seen("10.0.0.1", "lease", 24)],
            [("10.0.0.1", 24, ["lease"]), ("fd00::1", 64, ["agent"])],
        ),
    ],
)
def test_each_address_is_there_once(addresses: list[SeenAddress], described: list[tuple[str, int | None, list[str]]]) -> None:
    assert describe_addresses(addresses, {MAC}) == [
        {"address": address, "prefix": prefix, "origins": origins} for address, prefix, origins in described
    ]


# --- diffs --------------------------------------------------------------------------------------------------------------------


def test_a_diff_says_what_is_stored_and_what_runs() -> None:
    before, after = both(on()), both(on(link="down"))
    text = XML.replace("</interface>", '  <link state="down"/>\n</interface>')
    assert make_diff(NicPlan("web", before, after), []) == {
        "before_header": f"guest web, NIC {MAC}",
        "after_header": f"guest web, NIC {MAC}",
        "before": f"stored:\n{XML}running:\n{XML}",
        "after": f"stored:\n{text}running:\n{text}",
    }


def test_a_diff_of_a_nic_that_comes_or_goes() -> None:
    assert make_diff(NicPlan("web", None, stored(on())), [])["before"] == "state: absent\n"
    diff = make_diff(NicPlan("web", live(on()), None), [])
    assert (diff["before"], diff["after"]) == (f"running:\n{XML}", "state: absent\n")


def test_a_diff_says_what_waits() -> None:
    after = NicState(stored=stored(on(model="e1000e")).stored, live=both(on()).live)
    diff = make_diff(NicPlan("web", both(on()), after, waits=("model", "mtu")), [])
    assert diff["after"].endswith("waits for the guest's next start: model, mtu\n")
    assert "waits" not in diff["before"]


def test_a_diff_says_what_networks_reserve_for_the_nic() -> None:
    content = (
        "<ip address='10.0.1.1' prefix='24'><dhcp><host mac='52:54:00:00:00:77' ip='10.0.1.77'/>{}</dhcp></ip>"
        "<ip address='fd01::1' prefix='64'><dhcp><host id='00:02:aa' ip='fd01::7' name='six'/></dhcp></ip>"
    )
    states = [network("lab", content.format(entry)) for entry in ("", f"<host mac='{MAC}' name='web' ip='10.0.1.5'/>")]
    claimed = with_claims(states[1].stored or {}, [Claim("web", MAC, "00:02:aa", "fd01::7"), Claim("db", MAC, "x", "10.0.1.77")])
    diff = make_diff(NicPlan("web", stored(on("lab")), stored(on("lab"))), [NetworkChange("lab", states[0], claimed)])
    assert "reserved" not in diff["before"]
    assert diff["after"].splitlines()[-2:] == [
        f"reserved by the network lab: 10.0.1.5 web {MAC}",
        "reserved by the network lab: fd01::7 six 00:02:aa",
    ]
    # of one that goes and has another address, too
    gone = make_diff(NicPlan("web", stored(on("lab")), None), [NetworkChange("lab", states[1], states[0].stored or {})])
    assert gone["before"].splitlines()[-1] == f"reserved by the network lab: 10.0.1.5 web {MAC}"
    assert gone["after"] == "state: absent\n"
