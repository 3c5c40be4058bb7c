# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""NICs of several guests in one task, and those that are not in it any more."""

from __future__ import annotations

import libvirt
import pytest

from ansible_collections.kvmops.network.tests.unit.plugins.support.nics import (
    Options,
    apply_nic,
    apply_nics,
    define_guest,
    define_network,
    facts_of,
    hide_made_up_targets,
    interfaces,
    make_nic,
    nics_task,
    steps,
    world,
)

WEB, DB = "52:54:00:00:00:01", "52:54:00:00:00:02"
SPECIAL = (
    "<interface type='hostdev' managed='yes'><mac address='52:54:00:00:00:13'/><source><address type='pci' domain='0x0000' "
    "bus='0x03' slot='0x01' function='0x0'/></source></interface>",
    "<interface type='vdpa'><mac address='52:54:00:00:00:14'/><source dev='/dev/vhost-vdpa-0'/></interface>",
    "<interface type='vhostuser'><mac address='52:54:00:00:00:15'/><source type='unix' path='/tmp/vhost.sock' mode='server'/>"
    "<model type='virtio'/></interface>",
)
PRUNABLE = (
    make_nic("52:54:00:00:00:21", "network='lab'", alias="old"),
    make_nic("52:54:00:00:00:22", "bridge='br7'", kind="bridge"),
    make_nic("52:54:00:00:00:23", "dev='eth1' mode='private'", kind="direct"),
    "<interface type='user'><mac address='52:54:00:00:00:24'/></interface>",
    "<interface type='ethernet'><mac address='52:54:00:00:00:25'/></interface>",
)


@pytest.fixture
def host(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> libvirt.virConnect:
    """Return a host with two guests, each with a NIC, and a third one without, all of them off."""
    hide_made_up_targets(monkeypatch)
    define_network(driver, "lab", "<ip address='192.168.101.1' prefix='24'/>")
    define_network(driver, "lab2")
    define_guest(driver, "web", make_nic(WEB, "network='lab'", alias="lan"))
    define_guest(driver, "db", make_nic(DB, "network='lab'", alias="lan"))
    define_guest(driver, "bare")
    return driver


def shape(host: libvirt.virConnect, guest: str = "web") -> list[set[str]]:
    return [facts_of(element) for element in interfaces(host, guest)]


def test_several_guests_at_once(host: libvirt.virConnect) -> None:
    nics: list[Options] = [
        {"domain": "db", "alias": "lan", "link": "down"},
        {"alias": "lan"},
        {"domain": "bare", "alias": "a", "source": {"network": "lab"}},
        {"domain": "db", "alias": "b", "source": {"network": "lab2"}, "mac": "52:54:00:00:00:99"},
        {"domain": "bare", "alias": "gone", "state": "absent"},
        {"domain": "bare", "alias": "c", "source": {"bridge": "br0"}},
    ]
    before = world(host)["guests"]["web"]
    result = steps(host, *nics, changed=True)
    # in the order of the task
    assert [(each["domain"], each["status"], each["changed"]) for each in result.data["nics"]] == [
        ("db", "changed", True),
        ("web", "unchanged", False),
        ("bare", "changed", True),
        ("db", "changed", True),
        ("bare", "unchanged", False),
        ("bare", "changed", True),
    ]
    assert [each["nic"]["alias"] if each["nic"] else None for each in result.data["nics"]] == ["lan", "lan", "a", "b", None, "c"]
    assert [each["before_header"].split(",")[0] for each in result.data["diff"]] == [
        "guest db",
        "guest bare",
        "guest db",
        "guest bare",
    ]
    assert {each["msg"] for each in result.data["nics"]} == {""}
    assert "link/@state=down" in shape(host, "db")[0]
    assert {"mac/@address=52:54:00:00:00:99", "source/@network=lab2"} <= shape(host, "db")[1]
    assert ["source/@network=lab" in shape(host, "bare")[0], "source/@bridge=br0" in shape(host, "bare")[1]] == [True, True]
    assert world(host)["guests"]["web"] == before
    again = steps(host, *reversed(nics), changed=False)
    assert again.data["diff"] == []
    assert {each["status"] for each in again.data["nics"]} == {"unchanged"}


def test_a_list_does_what_tasks_of_one_nic_do(host: libvirt.virConnect) -> None:
    nics: list[Options] = [
        {"domain": "web", "alias": "lan", "source": {"network": "lab2"}, "mtu": 1400},
        {"domain": "bare", "source": {"network": "lab"}},
        {"domain": "db", "alias": "lan", "state": "absent"},
    ]
    before = {name: shape(host, name) for name in ("web", "db", "bare")}
    listed = apply_nics(*nics)
    together = {name: shape(host, name) for name in before}
    assert together != before
    for name, guest in (("web", make_nic(WEB, "network='lab'", alias="lan")), ("db", make_nic(DB, "network='lab'", alias="lan"))):
        host.lookupByName(name).undefine()
        define_guest(host, name, guest)
    host.lookupByName("bare").undefine()
    define_guest(host, "bare")
    for nic, entry in zip(nics, listed.data["nics"]):
        alone = apply_nic(**nic)
        assert (alone.data["nic"], alone.data["actions"]) == (entry["nic"], entry["actions"])
    assert {name: shape(host, name) for name in before} == together


def test_two_nics_change_places(host: libvirt.virConnect) -> None:
    apply_nic(alias="wan", source={"network": "lab2"}, mac="52:54:00:00:00:99")
    swapped: list[Options] = [
        {"alias": "lan", "source": {"network": "lab2"}, "mac": "52:54:00:00:00:99"},
        {"alias": "wan", "source": {"network": "lab"}, "mac": WEB},
    ]
    # an alias and another's address name two NICs
    assert nics_task(*swapped).msg.startswith(
        "The NIC 'lan' of the guest 'web': mac: '52:54:00:00:00:99' and alias 'lan' are two"
    )
    steps(host, *({**nic, "mac": None} for nic in swapped), changed=True)
    assert {"mac/@address=" + WEB, "source/@network=lab2"} <= shape(host)[0]
    assert {"mac/@address=52:54:00:00:00:99", "source/@network=lab"} <= shape(host)[1]


def test_guests_hand_an_address_on(host: libvirt.virConnect) -> None:
    # one gives its address up, and the other takes it
    steps(
        host,
        {"alias": "lan", "mac": "52:54:00:00:00:99"},
        {"domain": "db", "alias": "lan", "mac": WEB},
        changed=True,
    )
    assert "mac/@address=52:54:00:00:00:99" in shape(host)[0]
    assert f"mac/@address={WEB}" in shape(host, "db")[0]
    # one goes, and another comes with its address
    steps(
        host,
        {"alias": "lan", "state": "absent"},
        {"domain": "bare", "alias": "new", "mac": "52:54:00:00:00:99", "source": {"network": "lab"}},
        changed=True,
    )
    assert shape(host) == []
    assert "mac/@address=52:54:00:00:00:99" in shape(host, "bare")[0]


def test_prune_takes_what_is_not_in_the_list(host: libvirt.virConnect) -> None:
    host.lookupByName("web").undefine()
    define_guest(host, "web", *PRUNABLE[:2], make_nic(WEB, "network='lab'", alias="lan"), *SPECIAL, *PRUNABLE[2:])
    others = world(host)["guests"]
    kept = shape(host)[2:6]
    assert nics_task({"alias": "lan"}).changed is False
    pruned = steps(host, {"alias": "lan"}, prune=True, changed=True)
    # what is not made by this module stays unharmed
    assert shape(host) == kept
    entries = pruned.data["nics"]
    assert [(entry["status"], entry["nic"], entry["actions"]) for entry in entries[1:]] == [
        ("changed", None, ["define: the NIC is not in the list"])
    ] * 5
    assert (entries[0]["status"], entries[0]["actions"]) == ("unchanged", [])
    assert all(diff["after"] == "state: absent\n" for diff in pruned.data["diff"])
    assert len(pruned.data["diff"]) == 5
    # guests that are not named are not looked at
    assert {name: state for name, state in world(host)["guests"].items() if name != "web"} == {
        name: state for name, state in others.items() if name != "web"
    }
    steps(host, {"alias": "lan"}, prune=True, changed=False)


def test_prune_beside_all_else(host: libvirt.virConnect) -> None:
    nics: list[Options] = [
        {"alias": "new", "source": {"network": "lab2"}, "mac": WEB.replace("01", "99")},
        {"domain": "db", "source": {"network": "lab"}, "link": "down"},
        {"domain": "bare", "alias": "gone", "state": "absent"},
    ]
    pruned = steps(host, *nics, prune=True, changed=True)
    assert [entry["domain"] for entry in pruned.data["nics"]] == ["web", "db", "bare", "web"]
    assert [len(shape(host, name)) for name in ("web", "db", "bare")] == [1, 1, 0]
    steps(host, *nics, prune=True, changed=False)
    # the only entry of a guest may be one that shall be absent
    steps(host, {"alias": "nothing", "state": "absent"}, prune=True, changed=True)
    assert shape(host) == []


def test_prune_lets_a_new_nic_have_the_address_of_an_old_one(host: libvirt.virConnect) -> None:
    nics: list[Options] = [
        {"alias": "wan", "source": {"network": "lab2"}},
        {"domain": "db", "alias": "new", "mac": WEB, "source": {"network": "lab"}},
    ]
    assert "is the address that a NIC of the guest 'web' has" in nics_task(*nics).msg
    steps(host, *nics, prune=True, changed=True)
    assert [len(shape(host, name)) for name in ("web", "db")] == [1, 1]
    assert f"mac/@address={WEB}" in shape(host, "db")[0]


@pytest.mark.parametrize("prune", [False, True])
def test_an_empty_list_is_nothing_to_do(host: libvirt.virConnect, prune: bool) -> None:
    result = steps(host, prune=prune, changed=False)
    assert (result.data["nics"], result.data["diff"]) == ([], [])
