# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Which NIC a task is about, and that all else of a guest stays as it is."""

from __future__ import annotations

import re
import typing as t
from xml.etree import ElementTree

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
    nic_facts,
    nic_task,
    step,
    world,
)

LAN, WAN = "52:54:00:00:00:01", "52:54:00:00:00:02"
PLACE = "<address type='pci' domain='0x0000' bus='0x00' slot='0x05' function='0x0'/>"
# Elements that no option describes.
OWN = "<script path='/etc/qemu-ifup'/><tune><sndbuf>1600</sndbuf></tune>"
PASSED = (
    "<interface type='hostdev' managed='yes'><mac address='52:54:00:00:00:03'/><source><address type='pci' domain='0x0000' "
    "bus='0x03' slot='0x01' function='0x0'/></source></interface>"
)
VHOSTUSER = (
    "<interface type='vhostuser'><mac address='52:54:00:00:00:05'/><source type='unix' path='/tmp/vhost.sock' mode='server'/>"
    "<model type='virtio'/></interface>"
)


@pytest.fixture
def host(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> libvirt.virConnect:
    """Return a host with two guests that are off: one as virt-install made it, and one without NICs."""
    hide_made_up_targets(monkeypatch)
    define_network(driver, "lab", "<portgroup name='fast'/><ip address='192.168.101.1' prefix='24'/>")
    define_network(driver, "lab2", "<ip address='192.168.102.1' prefix='24'/>")
    define_guest(
        driver,
        "web",
        make_nic(LAN, "network='lab'", more=PLACE),
        make_nic(WAN, "bridge='br0'", kind="bridge", more=OWN),
        PASSED,
        VHOSTUSER,
    )
    define_guest(driver, "bare")
    return driver


def macs(host: libvirt.virConnect, guest: str = "web") -> list[str]:
    found = [element.find("mac") for element in interfaces(host, guest)]
    return [mac.attrib["address"] for mac in found if mac is not None]


def rest_of(host: libvirt.virConnect, guest: str = "web") -> set[str]:
    """Return what a guest's stored document says beside its NICs, secrets too."""
    flags = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
    root = ElementTree.fromstring(host.lookupByName(guest).XMLDesc(flags))
    devices = root.find("devices")
    assert devices is not None
    for element in devices.findall("interface"):
        devices.remove(element)
    return facts_of(root)


@pytest.mark.parametrize(
    "options",
    [
        {"source": {"network": "lab"}},
        {"source": {"network": "lab", "portgroup": "fast"}},
        {"source": {"bridge": "br0"}},
        {"source": {"dev": "eth1"}},
        {"source": {"dev": "eth1", "mode": "vepa"}, "link": "down"},
        {"type": "user"},
        {"type": "ethernet"},
        {"type": "ethernet", "target": {"dev": "tap-web", "managed": False}},
        {"alias": "lan", "source": {"network": "lab"}},
        {"mac": LAN.replace("01", "99"), "source": {"network": "lab"}},
        {"mac": LAN.replace("01", "99"), "alias": "lan", "source": {"network": "lab"}},
    ],
    ids=str,
)
def test_a_second_run_adds_no_second_nic(host: libvirt.virConnect, options: Options) -> None:
    task = {"domain": "bare", **options}
    step(host, changed=True, **task)
    for definition in ("merge", "replace"):
        step(host, changed=False, definition=definition, **task)
    assert len(interfaces(host, "bare")) == 1
    step(host, changed=True, state="absent", **task)
    step(host, changed=False, state="absent", **task)
    assert interfaces(host, "bare") == []


# seed 004-15, 004-19
def test_the_address_is_known_before_and_the_same_on_each_run(host: libvirt.virConnect) -> None:
    task: Options = {"alias": "new", "source": {"network": "lab2"}}
    predicted = apply_nic(check=True, **task).data["nic"]["mac"]
    assert re.fullmatch("52:54:00(:[0-9a-f]{2}){3}", predicted)
    assert apply_nic(**task).data["nic"]["mac"] == predicted == macs(host)[-1]
    apply_nic(alias="new", state="absent")
    assert apply_nic(**task).data["nic"]["mac"] == predicted
    # of another name, or another guest, it is another one; the source has no part in it where there is a name
    others = [
        apply_nic(check=True, **{**task, "alias": "newer"}),
        apply_nic(check=True, **{**task, "domain": "bare"}),
        apply_nic(check=True, domain="bare", source={"network": "lab2"}),
        apply_nic(check=True, domain="bare", source={"network": "lab"}),
    ]
    assert len({predicted, *(other.data["nic"]["mac"] for other in others)}) == 5
    elsewhere = apply_nic(check=True, domain="bare", alias="new", source={"network": "lab"})
    assert elsewhere.data["nic"]["mac"] == others[1].data["nic"]["mac"]


def test_an_alias_is_kept_as_a_user_alias(host: libvirt.virConnect) -> None:
    step(host, changed=True, alias="lan", source={"network": "lab2"})
    assert "alias/@name=ua-lan" in nic_facts(host)
    step(host, changed=False, alias="ua-lan", link="up")
    shown = apply_nic(alias="lan").data["nic"]
    assert (shown["alias"], shown["mac"]) == ("lan", macs(host)[-1])


def test_the_nic_that_virt_install_made_gets_a_name(host: libvirt.virConnect) -> None:
    before = [facts_of(element) for element in interfaces(host)]
    named = step(host, changed=True, mac=LAN, alias="lan")
    assert named.data["actions"] == ["define: alias shall change"]
    after = [facts_of(element) for element in interfaces(host)]
    assert after == [before[0] | {"alias/@name=ua-lan"}, *before[1:]]
    # and is found by it, and by what it is plugged into, from now on
    step(host, changed=False, alias="lan")
    step(host, changed=False, source={"network": "lab"})
    step(host, changed=False, mac=LAN.upper(), alias="lan", source={"network": "lab"})
    # which does not change when it gets another name
    step(host, changed=True, mac=LAN, alias="office")
    assert nic_facts(host, number=0) == before[0] | {"alias/@name=ua-office"}


def test_a_name_that_is_new_goes_to_the_nameless_nic_of_the_source(host: libvirt.virConnect) -> None:
    before = [facts_of(element) for element in interfaces(host)]
    named = step(host, changed=True, alias="lan", source={"network": "lab"})
    assert named.data["actions"] == ["define: alias shall change"]
    assert [facts_of(element) for element in interfaces(host)] == [before[0] | {"alias/@name=ua-lan"}, *before[1:]]
    # another name is another NIC then
    step(host, changed=True, alias="second", source={"network": "lab"})
    assert len(interfaces(host)) == len(before) + 1


def test_a_nic_without_a_name_is_not_removed_for_one_with_a_name(host: libvirt.virConnect) -> None:
    step(host, changed=False, alias="gone", source={"network": "lab"}, state="absent")


def test_two_new_names_are_one_nameless_nic_and_a_new_one(host: libvirt.virConnect) -> None:
    source = {"network": "lab"}
    apply_nics({"domain": "web", "alias": "a", "source": source}, {"domain": "web", "alias": "b", "source": source})
    assert [fact for element in interfaces(host) for fact in sorted(facts_of(element)) if "ua-" in fact] == [
        "alias/@name=ua-a",
        "alias/@name=ua-b",
    ]


def test_a_nic_that_another_entry_names_by_its_address_is_not_taken_for_a_nameless_one(host: libvirt.virConnect) -> None:
    source = {"network": "lab"}
    apply_nics({"domain": "web", "alias": "a", "source": source}, {"domain": "web", "mac": LAN, "link": "down"})
    assert not any("ua-" in fact for fact in nic_facts(host, number=0))


def test_a_nic_moves_by_its_name(host: libvirt.virConnect) -> None:
    step(host, changed=True, mac=LAN, alias="lan", link="down", mtu=1400)
    before = nic_facts(host, number=0)
    for source, shown in (
        ({"network": "lab2"}, {"@type=network", "source/@network=lab2"}),
        ({"bridge": "br1"}, {"@type=bridge", "source/@bridge=br1"}),
        ({"network": "lab", "portgroup": "fast"}, {"@type=network", "source/@network=lab", "source/@portgroup=fast"}),
        ({"network": "lab2"}, {"@type=network", "source/@network=lab2"}),
    ):
        moved = step(host, changed=True, alias="lan", source=source)
        assert moved.data["nic"]["mac"] == LAN
        assert nic_facts(host, number=0) == {each for each in before if not each.startswith(("@type", "source"))} | shown
        assert len(interfaces(host)) == 4
        step(host, changed=False, alias="lan", source=source)


def test_a_nic_moves_by_its_mac(host: libvirt.virConnect) -> None:
    moved = step(host, changed=True, mac=WAN, source={"network": "lab2"})
    assert moved.data["actions"] == ["define: source, type shall change"]
    assert (moved.data["nic"]["type"], moved.data["nic"]["source"]) == ("network", {"network": "lab2"})
    assert macs(host)[:2] == [LAN, WAN]


# seed 004-f
def test_a_nic_of_a_name_gets_another_address(host: libvirt.virConnect) -> None:
    new = "52:54:00:00:00:99"
    apply_nic(mac=LAN, alias="lan")
    changed = step(host, changed=True, alias="lan", mac=new)
    assert changed.data["actions"] == ["define: mac shall change"]
    assert macs(host)[:2] == [new, WAN]
    step(host, changed=False, alias="lan", mac=new)
    step(host, changed=False, alias="lan")
    # the old address is nobody's now
    assert nic_task(mac=LAN).msg.startswith("source: missing; the guest 'web' has no such NIC")
    assert apply_nic(domain="bare", mac=LAN, source={"network": "lab"}).changed


def test_two_names_are_two_nics_on_one_network(host: libvirt.virConnect) -> None:
    for alias in ("one", "two"):
        step(host, changed=True, domain="bare", alias=alias, source={"network": "lab"})
    assert len(set(macs(host, "bare"))) == 2
    refused = nic_task(domain="bare", source={"network": "lab"})
    assert refused.msg.startswith("source: the guest 'bare' has 2 NICs on network lab (52:54:00:")
    assert "'one' on network lab" in refused.msg
    # names of which one is contained in the other
    step(host, changed=True, domain="bare", alias="on", source={"network": "lab"})
    assert len(interfaces(host, "bare")) == 3
    step(host, changed=True, domain="bare", alias="one", state="absent")
    assert {fact for number in (0, 1) for fact in nic_facts(host, "bare", number) if "alias" in fact} == {
        "alias/@name=ua-two",
        "alias/@name=ua-on",
    }


def test_a_nic_whose_name_was_lost_is_found_by_its_address(host: libvirt.virConnect) -> None:
    # libvirt drops a user alias that virsh attach-interface or an old virt-manager wrote over
    apply_nic(domain="bare", alias="lan", source={"network": "lab"})
    text = host.lookupByName("bare").XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    host.defineXML(text.replace("<alias name='ua-lan'/>", ""))
    found = step(host, changed=True, domain="bare", alias="lan", source={"network": "lab"})
    assert found.data["actions"] == ["define: alias shall change"]
    assert len(interfaces(host, "bare")) == 1


def test_a_nic_that_has_the_address_and_another_name_is_another_one(host: libvirt.virConnect) -> None:
    mac = apply_nic(domain="bare", alias="lan", source={"network": "lab"}).data["nic"]["mac"]
    apply_nic(domain="bare", mac=mac, alias="office")
    refused = nic_task(domain="bare", alias="lan", source={"network": "lab"})
    assert refused.msg == f"mac: '{mac}' is the address that another NIC of this guest has; give another one."
    assert apply_nic(domain="bare", alias="lan", mac="52:54:00:00:00:99", source={"network": "lab"}).changed
    assert len(interfaces(host, "bare")) == 2


def test_of_a_guest_that_runs_the_place_that_is_stored_counts(host: libvirt.virConnect) -> None:
    define_guest(
        host,
        "busy",
        make_nic("52:54:00:00:00:77", "bridge='br0'", kind="bridge"),
        make_nic("52:54:00:00:00:78", "bridge='br0'", kind="bridge"),
        running=True,
    )
    text = host.lookupByName("busy").XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    host.defineXML(text.replace("br0", "br1", 1))
    for bridge, number in (("br1", "77"), ("br0", "78")):
        # the test driver cannot do it
        found = apply_nic(check=True, domain="busy", source={"bridge": bridge}, mtu=1400)
        assert found.data["nic"]["mac"] == f"52:54:00:00:00:{number}"


def test_the_uuid_that_libvirt_made_up_for_a_port_stays(host: libvirt.virConnect) -> None:
    define_guest(
        host,
        "switched",
        make_nic("52:54:00:00:00:77", "bridge='ovs0'", kind="bridge", more="<virtualport type='openvswitch'/>", alias="lan"),
    )
    before = nic_facts(host, "switched")
    assert any(fact.startswith("virtualport/parameters/@interfaceid=") for fact in before)
    task: Options = {"domain": "switched", "alias": "lan", "virtualport": {"type": "openvswitch"}}
    for definition in ("merge", "replace"):
        step(host, changed=False, definition=definition, **task)
    step(host, changed=True, definition="replace", link="down", **task)
    assert nic_facts(host, "switched") == before | {"link/@state=down"}


def test_what_was_moved_by_hand_is_not_taken_for_another_one(host: libvirt.virConnect) -> None:
    apply_nic(domain="bare", source={"network": "lab"})
    mac = macs(host, "bare")[0]
    text = host.lookupByName("bare").XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    host.defineXML(text.replace("network='lab'", "network='lab2'"))
    before = world(host)
    for check in (True, False):
        assert nic_task(domain="bare", source={"network": "lab"}, check=check).msg == (
            f"mac: a NIC on network lab would get {mac}, which the guest's NIC on network lab2 has; name the one that is meant "
            "by mac or alias."
        )
    assert world(host) == before


@pytest.mark.parametrize(
    "task",
    [
        {"mac": LAN, "mtu": 1400},
        {"mac": WAN, "link": "down"},
        {"mac": WAN, "definition": "replace", "filterref": {"filter": "clean-traffic"}},
        {"source": {"network": "lab"}, "state": "absent"},
        {"alias": "new", "source": {"network": "lab2"}},
    ],
    ids=str,
)
def test_all_else_of_the_guest_survives(host: libvirt.virConnect, task: Options) -> None:
    rest, before = rest_of(host), [facts_of(element) for element in interfaces(host)]
    assert "devices/graphics/@passwd=secret" in rest
    assert "metadata/{urn:somebody}note=text" in rest
    untouched = world(host)["guests"]["bare"]
    step(host, changed=True, **task)
    assert rest_of(host) == rest
    assert world(host)["guests"]["bare"] == untouched
    after = [facts_of(element) for element in interfaces(host)]
    # the NICs that the task is not about are the same, in the same order
    kept = [facts for facts in after if facts in before]
    assert kept == [facts for facts in before if facts in after]
    assert len(kept) == (4 if "alias" in task else 3)


def test_order_places_and_elements_without_an_option_stay(host: libvirt.virConnect) -> None:
    before = [facts_of(element) for element in interfaces(host)]
    assert "address/@slot=0x05" in before[0]
    assert {"script/@path=/etc/qemu-ifup", "tune/sndbuf=1600"} <= before[1]
    for definition in ("merge", "replace"):
        for mac in (LAN, WAN):
            step(host, changed=True, mac=mac, definition=definition, mtu=1400 if definition == "merge" else 9000)
    assert [facts_of(element) - {"mtu/@size=9000"} for element in interfaces(host)] == before
    step(host, changed=True, mac=WAN, definition="replace")
    step(host, changed=True, mac=LAN, definition="replace")
    assert [facts_of(element) for element in interfaces(host)] == before
    # one in the middle goes, and a new one comes last
    step(host, changed=True, mac=WAN, state="absent")
    step(host, changed=True, alias="new", source={"bridge": "br0"})
    assert macs(host)[:3] == [LAN, "52:54:00:00:00:03", "52:54:00:00:00:05"]
    assert "alias/@name=ua-new" in nic_facts(host)


@pytest.mark.parametrize("number", [2, 3])
def test_nics_of_other_types_are_kept_unharmed(host: libvirt.virConnect, number: int) -> None:
    mac, before = macs(host)[number], nic_facts(host, number=number)
    step(host, changed=False, mac=mac)
    step(host, changed=False, mac=mac, definition="replace")
    step(host, changed=True, mac=mac, alias="special")
    assert nic_facts(host, number=number) == before | {"alias/@name=ua-special"}
    step(host, changed=True, alias="special", link="down")
    assert nic_facts(host, number=number) == before | {"alias/@name=ua-special", "link/@state=down"}
    step(host, changed=True, alias="special", definition="replace")
    assert nic_facts(host, number=number) == before | {"alias/@name=ua-special"}
    # removed by its name, which has to be said
    step(host, changed=True, alias="special", state="absent")
    assert mac not in macs(host)


def test_a_guest_that_runs_takes_what_it_can_at_its_next_start(host: libvirt.virConnect) -> None:
    # the test driver changes no NIC of a running guest, and so shows that nobody tried
    host.lookupByName("web").create()
    running = [facts_of(element) for element in interfaces(host, running=True)]
    waits = step(host, changed=True, mac=LAN, mtu=1400, model="e1000e")
    assert waits.data["actions"] == ["define: model, mtu shall change"]
    assert waits.own_warnings == [
        f"The NIC {LAN} of the guest 'web' is stored as asked for, but libvirt cannot change model, mtu while the NIC is plugged "
        "in: it takes effect when the guest is started anew, or with replug: always, which takes the guest's connection away for "
        "a moment."
    ]
    shown = waits.data["nic"]
    assert (shown["pending"], shown["pending_changes"]) == (True, ["model", "mtu"])
    assert (shown["model"], shown["definition"]["model"], shown["plugged"]) == ("virtio", "e1000e", True)
    assert {"mtu/@size=1400", "model/@type=e1000e"} <= nic_facts(host, number=0)
    assert [facts_of(element) for element in interfaces(host, running=True)] == running
    again = step(host, changed=False, mac=LAN, mtu=1400, model="e1000e")
    assert again.data["nic"]["pending_changes"] == ["model", "mtu"]
    # a name is stored, and nothing waits for it
    named = step(host, changed=True, mac=WAN, alias="wan")
    assert named.data["actions"] == ["define: alias shall change"]
    assert (named.data["nic"]["pending"], named.own_warnings) == (False, [])


@pytest.mark.parametrize(
    ("task", "actions"),
    [
        ({"alias": "new", "source": {"bridge": "br2"}}, ["define", "attach"]),
        ({"mac": LAN, "link": "down"}, ["define", "update"]),
        ({"mac": LAN, "link": "down", "mtu": 1400}, ["define", "update"]),
        ({"mac": WAN, "link": "down", "mtu": 1400, "replug": "always"}, ["define", "replug"]),
        ({"mac": LAN, "state": "absent"}, ["define", "detach"]),
    ],
    ids=str,
)
def test_what_would_be_done_to_a_guest_that_runs_is_predicted(
    host: libvirt.virConnect, task: Options, actions: list[str]
) -> None:
    host.lookupByName("web").create()
    before = world(host)
    predicted = apply_nic(check=True, **task)
    assert predicted.actions == actions
    assert predicted.diff is not None
    assert "running:" in predicted.diff["before"] + predicted.diff["after"]
    assert world(host) == before


def test_a_transient_guest_is_not_stored(host: libvirt.virConnect) -> None:
    host.createXML(
        "<domain type='test'><name>gone</name><memory>8192</memory><os><type>hvm</type></os><devices>"
        f"{make_nic('52:54:00:00:00:77', 'network=' + repr('lab'))}</devices></domain>",
        0,
    )
    predicted = apply_nic(check=True, domain="gone", mac="52:54:00:00:00:77", link="down")
    assert predicted.actions == ["update"]
    assert (predicted.data["nic"]["persistent"], predicted.data["nic"]["plugged"]) == (False, True)
    assert not apply_nic(domain="gone", mac="52:54:00:00:00:77").changed


def test_the_result_says_what_is_there(host: libvirt.virConnect) -> None:
    result = apply_nic(alias="lan", source={"network": "lab", "portgroup": "fast"}, link="down", mac="52:54:00:00:00:99")
    shown: dict[str, t.Any] = result.data["nic"]
    assert {key: value for key, value in shown.items() if key != "xml"} == {
        "domain": "web",
        "mac": "52:54:00:00:00:99",
        "alias": "lan",
        "type": "network",
        "source": {"network": "lab", "portgroup": "fast"},
        "bridge": None,
        "device": None,
        "model": "virtio",
        "link": "down",
        "plugged": False,
        "persistent": True,
        "addresses": [],
        "pending": False,
        "pending_changes": [],
        "definition": {
            "type": "network",
            "source": {"network": "lab", "portgroup": "fast"},
            "model": "virtio",
            "link": "down",
        },
    }
    assert facts_of(ElementTree.fromstring(shown["xml"])) == nic_facts(host)
    assert result.data["domain"] == "web"
    assert result.own_warnings == ["The network 'lab' does not run: the guest cannot start before it does."]
    assert result.diff is not None
    assert (result.diff["before"], result.diff["before_header"]) == ("state: absent\n", "guest web, NIC 52:54:00:00:00:99")
    assert result.diff["after"] == f"stored:\n{shown['xml']}"
    assert "diff" not in nic_task(alias="lan", link="up", diff=False).data


def test_what_is_shown_can_be_written_as_a_task(host: libvirt.virConnect) -> None:
    for mac in (LAN, WAN):
        shown = apply_nic(mac=mac).data["nic"]
        for definition in ("merge", "replace"):
            step(host, changed=False, mac=mac, definition=definition, **shown["definition"])
