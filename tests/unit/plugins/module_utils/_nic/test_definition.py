# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""NICs as libvirt shows them, as it stores them and as a task says them, in one normal form.

The fixtures were captured from libvirtd with QEMU on Debian 11, 12 and 13: of guests that ran, what runs and what is stored; of
others, what was given to libvirt and what it made of it.
"""

from __future__ import annotations

import typing as t

import pytest
from lxml import etree

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import (
    Nic,
    carry_generated,
    definition_from_options,
    nics_of_document,
    place_of,
    render_xml,
    same_place,
    source_text,
)
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nic.builders import (
    CAPTURED,
    MAC,
    PLACE,
    define,
    interface,
    parse,
    text_of,
)

if t.TYPE_CHECKING:
    Definition = dict[str, t.Any]

ROOTS = {version: etree.parse(str(path)).getroot() for version, path in CAPTURED.items()}
# What runs and what is stored, by what the guest was given.
PAIRS = {
    (version, nic.get("given")): (text_of(nic.find("live/interface")), text_of(nic.find("inactive/interface")))
    for version, root in ROOTS.items()
    for nic in root.iterfind("nic")
}
# What was given to libvirt and what it stored.
DEFINED = {
    (version, entry.get("given")): (text_of(entry.find("given/interface")), text_of(entry.find("stored/interface")))
    for version, root in ROOTS.items()
    for entry in root.iterfind("defined")
    if entry.find("given") is not None
}
# Where libvirt drops what it was given, or makes something up.
NOT_THE_SAME = {
    "target vnet5": "libvirt drops names of taps that are like its own",
    "target macvtap5 on direct": "libvirt drops names of taps that are like its own",
    "alias ua with :": "libvirt drops aliases with other characters",
    "alias ua with . /": "libvirt drops aliases with other characters",
    "virtualport ovs": "libvirt makes up a UUID",
    "virtualport empty on network": "libvirt makes up UUIDs",
    "unknown element": "libvirt drops it",
    "zero mac": "libvirt 11 makes up another",
    "acpi index": "libvirt 7.0 drops it",
}
# What libvirt takes, drops, and never shows.
NEVER_SHOWN = {"driver queues=0", "portid in inactive"}


def test_there_are_fixtures() -> None:
    assert list(CAPTURED) == ["11.3.0", "7.0.0", "9.0.0"]
    assert [sum(version == each for each, _given in PAIRS) for version in CAPTURED] == [22, 24, 21]
    assert [sum(version == each for each, _given in DEFINED) for version in CAPTURED] == [71, 70, 70]


# --- what libvirt shows -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", CAPTURED)
class TestPairs:
    """Running NICs beside what is stored of them."""

    @staticmethod
    def pairs(version: str) -> t.Iterator[tuple[str, Nic, Nic]]:
        for (each, given), (live, stored) in PAIRS.items():
            if each == version:
                yield given, parse(live, running=True), parse(stored)

    def test_both_are_plugged_into_the_same(self, version: str) -> None:
        for given, live, stored in self.pairs(version):
            for option in ("type", "source", "mac", "model"):
                assert live.definition.get(option) == stored.definition.get(option), given
            assert same_place(live.definition, stored.definition), given
            assert same_place(stored.definition, live.definition), given

    def test_more_is_shown_only_of_what_a_network_gives(self, version: str) -> None:
        inheriting = set()
        for given, live, stored in self.pairs(version):
            assert {option: live.definition.get(option) for option in stored.definition} == stored.definition, given
            if live.definition != stored.definition:
                inheriting.add((given, *(live.definition.keys() - stored.definition.keys())))
        fast = {("network='pgnet' portgroup='fast'", "bandwidth")} if version == "7.0.0" else set()
        assert inheriting - {("network='pgbr' portgroup='a'", "bandwidth")} == fast | {
            ("network='pgnet'", "bandwidth"),
            ("network='pgnet' portgroup='slow'", "bandwidth"),
            ("network='pgbr3' portgroup='a'", "bandwidth"),
            ("network='allnet'", "port"),
            ("network='briso'", "port"),
        }

    def test_where_it_is(self, version: str) -> None:
        for given, live, stored in self.pairs(version):
            assert live.address == stored.address == PLACE, given
            assert (stored.device, stored.bridge, stored.handle) == (None, None, None), given
            assert live.handle == "net0", given
            assert (live.device is None) == (given == "user"), given

    def test_nothing_is_unknown(self, version: str) -> None:
        for given, *nics in self.pairs(version):
            assert "_rest" not in str([nic.definition for nic in nics]), given


@pytest.mark.parametrize("version", CAPTURED)
def test_the_kinds_of_place(version: str) -> None:
    shown = {given: parse(live, running=True) for (each, given), (live, _stored) in PAIRS.items() if each == version}
    start: Definition = {"mac": MAC, "model": "virtio"}
    slow = {"inbound": {"average": 100, "peak": 200, "burst": 100}, "outbound": {"average": 50}}
    assert {
        given: (shown[given].definition, shown[given].bridge)
        for given in (
            "network='default'",
            "network='brnet'",
            "network='mvnet'",
            "network='pgnet'",
            "network='pgnet' portgroup='slow'",
            "network='allnet'",
            "bridge bridge='br0'",
            "direct dev='eth1'",
            "direct dev='eth1' mode='bridge'",
            "user",
        )
    } == {
        "network='default'": ({**start, "type": "network", "source": {"network": "default"}}, "virbr0"),
        "network='brnet'": ({**start, "type": "network", "source": {"network": "brnet"}}, "br0"),
        "network='mvnet'": ({**start, "type": "network", "source": {"network": "mvnet"}}, None),
        "network='pgnet'": ({**start, "type": "network", "source": {"network": "pgnet"}, "bandwidth": slow}, "virbr2"),
        "network='pgnet' portgroup='slow'": (
            {**start, "type": "network", "source": {"network": "pgnet", "portgroup": "slow"}, "bandwidth": slow},
            "virbr2",
        ),
        "network='allnet'": ({**start, "type": "network", "source": {"network": "allnet"}, "port": {"isolated": True}}, "virbr3"),
        "bridge bridge='br0'": ({**start, "type": "bridge", "source": {"bridge": "br0"}}, "br0"),
        "direct dev='eth1'": ({**start, "type": "direct", "source": {"dev": "eth1", "mode": "vepa"}}, None),
        "direct dev='eth1' mode='bridge'": ({**start, "type": "direct", "source": {"dev": "eth1", "mode": "bridge"}}, None),
        "user": ({**start, "type": "user"}, None),
    }


def test_what_libvirt_made_of_it_means_the_same_or_is_listed_with_a_reason() -> None:
    differ = {
        key[1] for key in DEFINED if key[1] not in NEVER_SHOWN and len({str(parse(text).definition) for text in DEFINED[key]}) > 1
    }
    assert differ == set(NOT_THE_SAME)


OTHERS = {
    "hostdev": "<interface type='hostdev' managed='yes'><mac address='52:54:00:6d:90:02'/><driver name='vfio'/><source>"
    "<address type='pci' domain='0x0000' bus='0x00' slot='0x07' function='0x0'/></source><vlan><tag id='42'/></vlan>"
    "<virtualport type='802.1Qbh'><parameters profileid='finance'/></virtualport><teaming type='transient' persistent='ua-b0'/>"
    "<alias name='ua-h'/><address type='pci' domain='0x0000' bus='0x06' slot='0x00' function='0x0'/></interface>",
    "vdpa": "<interface type='vdpa'><mac address='52:54:00:6d:90:03'/><source dev='/dev/vhost-vdpa-0'/><model type='virtio'/>"
    "</interface>",
    "vhostuser": "<interface type='vhostuser'><mac address='52:54:00:6d:90:04'/><source type='unix' path='/tmp/vhost1.sock' "
    "mode='server'><reconnect enabled='yes' timeout='10'/></source><target dev='tap1'/><model type='virtio'/>"
    "<driver queues='2' rx_queue_size='1024'/></interface>",
    "server": "<interface type='server'><mac address='52:54:00:6d:90:05'/><source address='192.0.2.1' port='5558'/>"
    "<model type='virtio'/></interface>",
    "udp": "<interface type='udp'><mac address='52:54:00:6d:90:06'/><source address='127.0.0.1' port='11115'>"
    "<local address='127.0.0.1' port='11116'/></source><model type='virtio'/></interface>",
    "ethernet": "<interface type='ethernet'><mac address='52:54:00:6d:90:07'/>"
    "<source><ip address='192.0.2.5' prefix='32'/></source><script path='/etc/qemu-ifup-mynet'/><downscript path='/etc/down'/>"
    "<target dev='mytap1' managed='no'/><tune><sndbuf>1600</sndbuf></tune><acpi index='3'/></interface>",
    "passt": "<interface type='user'><mac address='52:54:00:6d:90:08'/><source dev='eth0'/>"
    "<ip family='ipv4' address='172.17.2.4' prefix='24'/><ip family='ipv6' address='2001:db8:ac10:fd01::20'/>"
    "<portForward proto='tcp' address='2001:db8:ac10:fd01::1:10' dev='eth0'><range start='22' to='2022'/>"
    "<range start='1000' end='1050'/><range start='1020' exclude='yes'/></portForward>"
    "<portForward proto='udp'><range start='5000' end='5020' to='6000'/></portForward>"
    "<backend type='passt' logFile='/var/log/passt.log'/><model type='virtio'/></interface>",
    "driver": "<interface type='bridge'><mac address='52:54:00:6d:90:09' type='static' check='no'/><source bridge='br0'/>"
    "<virtualport type='openvswitch'><parameters profileid='menial' interfaceid='09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f'/>"
    "</virtualport><vlan trunk='yes'><tag id='42'/><tag id='123' nativeMode='untagged'/></vlan>"
    "<bandwidth><inbound average='1000' peak='5000' burst='1024'/><outbound average='128' peak='256' burst='256'/></bandwidth>"
    "<target dev='ovs-web'/><model type='virtio'/><driver name='vhost' txmode='iothread' ioeventfd='on' event_idx='off' "
    "queues='5' rx_queue_size='256' tx_queue_size='256' iommu='on' ats='on' packed='on' page_per_vq='on' rss='on' "
    "rss_hash_report='on'><host csum='off' gso='off' tso4='off' tso6='off' ecn='off' ufo='off' mrg_rxbuf='off'/>"
    "<guest csum='off' tso4='off' tso6='off' ecn='off' ufo='off'/></driver><backend tap='/dev/net/tun' vhost='/dev/vhost-net'/>"
    "<boot order='1' loadparm='2'/><rom enabled='no' bar='off' file='/etc/fake/boot.bin'/><filterref filter='clean-traffic'>"
    "<parameter name='IP' value='10.0.0.1'/><parameter name='IP' value='10.0.0.2'/></filterref><link state='down'/>"
    "<mtu size='1400'/><coalesce><rx><frames max='7'/></rx></coalesce><port isolated='yes'/></interface>",
    "unknown": "<interface type='network' colour='red'><mac address='52:54:00:6d:90:10' shine='5'/><source network='default' "
    "hue='blue'><deeper/></source><driver fast='very'/><link state='down' speed='10'/><mtu size='1400' max='9000'/>"
    "<guest dev='eth0' actual='eth7'/><new><thing with='text'>inside</thing></new></interface>",
}
# By what each was captured of; one text once.
TEXTS = {
    **{
        f"{' '.join(key)} {('live', 'stored')[number]}": text for key, texts in PAIRS.items() for number, text in enumerate(texts)
    },
    **{" ".join(key): stored for key, (_given, stored) in DEFINED.items()},
    **OTHERS,
}
ONCE = {text: label for label, text in TEXTS.items()}


@pytest.mark.parametrize("running", [False, True])
def test_what_is_written_is_read_as_the_same(running: bool) -> None:
    for text, label in ONCE.items():
        nic = parse(text, running=running)
        again = parse(render_xml(nic.definition, address=nic.address))
        assert (again.definition, again.address) == (nic.definition, nic.address), label
        assert render_xml(again.definition, address=again.address) == render_xml(nic.definition, address=nic.address), label


def atoms(text: str) -> list[str]:
    """Return each element, attribute and text of an element with its path, in order."""
    found: list[str] = []

    def walk(element: t.Any, where: str) -> None:
        where = f"{where}/{element.tag}"
        found.append(where)
        found.extend(f"{where}/@{name}={value}" for name, value in element.attrib.items())
        if element.text and element.text.strip():
            found.append(f"{where}={element.text.strip()}")
        for child in element:
            walk(child, where)

    walk(etree.fromstring(text), "")
    return sorted(found)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_nothing_is_lost_of_a_document(text: str) -> None:
    nic = parse(text)
    # the default of libvirt's, and what follows from the address
    ours = {"/interface/ip/@family=ipv4", "/interface/vlan/@trunk=yes"}
    written = set(atoms(render_xml(nic.definition, address=nic.address))) - ours
    assert written == set(atoms(text)) - ours
    # each repeated element is there as often
    assert abs(len(atoms(render_xml(nic.definition, address=nic.address))) - len(atoms(text))) <= 1


# --- the normal form ----------------------------------------------------------------------------------------------------------

PLAIN = define()


@pytest.mark.parametrize(
    "content",
    [
        "<link state='up'/>",
        "<driver/>",
        "<driver queues='1'/>",
        "<driver><host csum='on' mrg_rxbuf='on'/><guest/></driver>",
        "<bandwidth/>",
        "<bandwidth><inbound average='0'/></bandwidth>",
        "<coalesce/>",
        "<coalesce><rx><frames max='0'/></rx></coalesce>",
        "<rom enabled='yes'/>",
        "<target/>",
        "<target managed='yes'/>",
        "<alias name='net0'/>",
        "<alias name='hostdev1'/>",
        "<backend type='default'/>",
        "<vlan/>",
        "<tune/>",
        "<!-- a comment --><?pi?>",
        "<address type='pci' bus='1'/>",
    ],
)
def test_a_default_is_the_same_as_nothing(content: str) -> None:
    assert define(content) == PLAIN


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<vlan trunk='yes'><tag id='1'/><tag id='2'/></vlan>", "<vlan><tag id='2'/><tag id='1'/></vlan>"),
        ("<vlan trunk='no'><tag id='1'/></vlan>", "<vlan><tag id='1'/></vlan>"),
        (
            "<filterref filter='a'><parameter name='B' value='1'/><parameter name='A' value='1'/></filterref>",
            "<filterref filter='a'><parameter name='A' value='1'/><parameter name='B' value='1'/></filterref>",
        ),
        ("<bandwidth><inbound average='5' peak='0'/><outbound/></bandwidth>", "<bandwidth><inbound average='5'/></bandwidth>"),
        ("<ip family='ipv6' address='FD00:0::1' prefix='64'/>", "<ip address='fd00::1' prefix='64'/>"),
        ("<ip family='ipv4' address='10.0.0.1'/>", "<ip address='10.0.0.1'/>"),
        ("<driver name='qemu' queues='1'/>", "<driver name='qemu'/>"),
    ],
)
def test_what_means_the_same_is_the_same(one: str, other: str) -> None:
    assert define(one) == define(other) != PLAIN


@pytest.mark.parametrize(
    "content",
    [
        "<link state='down'/>",
        "<driver name='qemu'/>",
        "<driver name='vhost'/>",
        "<driver queues='2'/>",
        "<driver iommu='off'/>",
        "<driver><host csum='off'/></driver>",
        "<driver><guest csum='off'/></driver>",
        "<bandwidth><inbound average='1'/></bandwidth>",
        "<bandwidth><outbound average='1'/></bandwidth>",
        "<coalesce><rx><frames max='1'/></rx></coalesce>",
        "<rom enabled='no'/>",
        "<rom bar='on'/>",
        "<rom bar='off'/>",
        "<target dev='tap0'/>",
        "<target managed='no'/>",
        "<alias name='ua-'/>",
        "<alias name='ua-web'/>",
        "<backend type='passt'/>",
        "<vlan><tag id='1'/></vlan>",
        "<vlan trunk='yes'><tag id='1'/></vlan>",
        "<model type='virtio'/>",
        "<boot order='1'/>",
        "<mtu size='0'/>",
        "<port isolated='yes'/>",
        "<tune><sndbuf>0</sndbuf></tune>",
        "<acpi index='1'/>",
        "<filterref filter='a'/>",
        "<unknown/>",
    ],
)
def test_what_means_something_is_not_the_same_as_nothing(content: str) -> None:
    found = define(content)
    assert found != PLAIN
    assert {option: found[option] for option in PLAIN} == PLAIN
    assert len(found) == len(PLAIN) + 1


def test_a_mac_address_is_written_in_one_way() -> None:
    assert parse("<interface type='user'><mac address='52:54:0:AA:BB:C'/></interface>").mac == "52:54:00:aa:bb:0c"


def test_a_macvtap_without_a_mode_is_of_libvirts_mode() -> None:
    assert define(kind="direct", source="dev='eth1'") == define(kind="direct", source="dev='eth1' mode='vepa'")
    assert define(kind="direct", source="dev='eth1'") != define(kind="direct", source="dev='eth1' mode='bridge'")
    assert "mode" not in str(define(kind="user", source="dev='eth1'"))


def test_an_alias_is_shown_without_libvirts_prefix() -> None:
    nic = parse(interface("<alias name='ua-web'/>"), running=True)
    assert (nic.alias, nic.handle) == ("web", "ua-web")
    assert '<alias name="ua-web"/>' in render_xml(nic.definition)
    assert parse(interface("<alias name='net3'/>"), running=True).alias is None


def test_the_order_of_a_filters_values_of_one_name_is_kept() -> None:
    text = "<filterref filter='a'>{}</filterref>"
    values = [f"<parameter name='IP' value='10.0.0.{number}'/>" for number in (1, 2, 10)]
    assert define(text.format("".join(values)))["filterref"]["parameters"] == [
        {"name": "IP", "value": f"10.0.0.{number}"} for number in (1, 2, 10)
    ]


# --- what only a running NIC shows --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "source", "stored"),
    [
        ("bridge", "network='n' portid='09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f' bridge='br0'", "network='n'"),
        ("network", "network='n' bridge='virbr0' macTableManager='libvirt'", "network='n'"),
        ("direct", "network='n' portgroup='p' dev='eth1' mode='private'", "network='n' portgroup='p'"),
    ],
)
def test_what_a_network_is_plugged_into_is_not_the_nics(kind: str, source: str, stored: str) -> None:
    assert parse(interface(kind=kind, source=source), running=True).definition == define(source=stored)


def test_what_is_stored_is_taken_as_it_is() -> None:
    assert define(kind="direct", source="network='n' dev='eth1' mode='private'") != define(source="network='n'")
    assert parse(interface("<target dev='vnet7'/>")).definition["target"] == {"dev": "vnet7"}


@pytest.mark.parametrize("name", ["vnet7", "macvtap0", "macvlan12"])
def test_a_name_that_libvirt_chose_is_not_the_nics(name: str) -> None:
    nic = parse(interface(f"<target dev='{name}'/>"), running=True)
    assert nic.definition == PLAIN
    assert nic.device == name


def test_a_running_nic_may_have_no_name_on_the_host() -> None:
    nic = parse(interface("<target managed='no'/>", kind="ethernet"), running=True)
    assert nic.definition["target"] == {"managed": False}
    assert nic.device is None


def test_a_name_that_somebody_chose_is_the_nics() -> None:
    nic = parse(interface("<target dev='tap-web'/>"), running=True)
    assert nic.definition == {**PLAIN, "target": {"dev": "tap-web"}}
    assert nic.device == "tap-web"


def test_the_address_that_a_guest_chose_is_not_the_nics() -> None:
    text = interface().replace("/>", " currentAddress='52:54:00:00:00:99'/>", 1)
    assert parse(text, running=True).definition == PLAIN


def test_the_port_of_a_distributed_switch_is_the_nics() -> None:
    text = interface(kind="vds", source="switchid='1' portid='4' portgroupid='2' connectionid='3'")
    assert parse(text, running=True).definition == parse(text).definition


# --- a whole guest ------------------------------------------------------------------------------------------------------------


def test_the_nics_of_a_document_are_in_its_order() -> None:
    macs = [f"52:54:00:00:00:0{number}" for number in (3, 1, 2)]
    nics = "<disk/>".join(f"<interface type='user'><mac address='{mac}'/></interface>" for mac in macs)
    text = f"<domain><name>web</name><devices>{nics}</devices><metadata><interface/></metadata></domain>"
    assert [nic.mac for nic in nics_of_document(text, running=False)] == macs


def test_a_guest_without_devices_has_no_nics() -> None:
    assert nics_of_document("<domain/>", running=False) == []


def test_what_is_no_guest_is_refused() -> None:
    with pytest.raises(InputError, match="a <domain> document is needed"):
        nics_of_document("<network/>", running=False)


# --- places -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("definition", "place", "text"),
    [
        (define(), "default", "network default"),
        (define(kind="bridge", source="bridge='br0'"), "br0", "bridge br0"),
        (define(kind="direct", source="dev='eth1'"), "eth1", "direct eth1"),
        (define(kind="user", source="dev='eth1'"), None, "user"),
        (define("<target dev='tap0' managed='no'/>", kind="ethernet", source=""), "tap0", "ethernet tap0"),
        (define(kind="ethernet", source=""), None, "ethernet"),
        (define(kind="vdpa", source="dev='/dev/vhost-vdpa-0'"), None, "vdpa"),
        ({}, None, ""),
    ],
)
def test_what_a_nic_is_plugged_into(definition: Definition, place: str | None, text: str) -> None:
    assert place_of(definition) == place
    assert source_text(definition) == text


@pytest.mark.parametrize(
    ("given", "same"),
    [
        ({}, True),
        ({"type": "network"}, True),
        ({"type": "network", "source": {"network": "default"}}, True),
        ({"source": {"portgroup": "fast"}}, True),
        ({"type": "network", "source": {"network": "other"}}, False),
        ({"type": "bridge", "source": {"bridge": "default"}}, False),
        ({"type": "user"}, False),
    ],
)
def test_what_is_the_same_place(given: Definition, same: bool) -> None:
    assert same_place(PLAIN, given) is same


# --- from options -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ({"network": "a"}, "network"),
        ({"bridge": "br0"}, "bridge"),
        ({"dev": "eth1"}, "direct"),
        ({"portgroup": "p"}, None),
        ({}, None),
    ],
)
def test_the_type_follows_from_the_source(source: dict[str, str], kind: str | None) -> None:
    assert definition_from_options({"source": source}).get("type") == kind


def test_a_type_that_is_given_stands() -> None:
    assert definition_from_options({"type": "user", "source": {"dev": "eth0"}})["type"] == "user"


def test_two_places_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        definition_from_options({"source": {"dev": "eth1", "bridge": "br0"}})
    assert str(caught.value) == "source: bridge and dev are 2 places to be plugged into; give one of them."


def test_options_that_are_omitted_say_nothing() -> None:
    assert definition_from_options({"mac": None, "source": None, "link": None}) == {}


def test_options_are_canonical() -> None:
    assert definition_from_options({"mac": "52:54:00:AA:BB:CC", "alias": "ua-web", "link": "up"}) == {
        "mac": "52:54:00:aa:bb:cc",
        "alias": "web",
        "link": "up",
    }


def test_a_value_that_cannot_be_is_refused_by_the_name_of_its_option() -> None:
    with pytest.raises(InputError) as caught:
        definition_from_options({"vlan": {"tags": [{"id": 5000}]}})
    assert str(caught.value) == "vlan.tags[0].id: '5000' is not a whole number from 0 to 4095."


# --- what libvirt makes up ----------------------------------------------------------------------------------------------------

PORT = {"type": "openvswitch", "parameters": {"interfaceid": "ea8bd0ba-cd8d-482c-b79b-b80701bb0fad", "profileid": "old"}}


@pytest.mark.parametrize(
    ("wanted", "carried"),
    [
        ({}, {}),
        ({"virtualport": {"type": "openvswitch"}}, {"interfaceid": "ea8bd0ba-cd8d-482c-b79b-b80701bb0fad"}),
        (
            {"virtualport": {"type": "openvswitch", "parameters": {"profileid": "new"}}},
            {"interfaceid": "ea8bd0ba-cd8d-482c-b79b-b80701bb0fad", "profileid": "new"},
        ),
        (
            {"virtualport": {"type": "openvswitch", "parameters": {"interfaceid": "0a83e049-8789-4c43-ab52-cf361ab8c20b"}}},
            {"interfaceid": "0a83e049-8789-4c43-ab52-cf361ab8c20b"},
        ),
        ({"virtualport": {"type": "midonet", "parameters": {"profileid": "x"}}}, {"profileid": "x"}),
    ],
)
def test_a_made_up_uuid_stays(wanted: Definition, carried: Definition) -> None:
    found = carry_generated(wanted, {"virtualport": PORT})
    assert found.get("virtualport", {}).get("parameters", {}) == carried
    assert found.get("virtualport", {}).get("type") == wanted.get("virtualport", {}).get("type")


def test_where_nothing_was_made_up_nothing_is_carried() -> None:
    wanted = {"virtualport": {"type": "openvswitch"}}
    for current in (
        {},
        {"virtualport": {"type": "openvswitch"}},
        {"virtualport": {"type": "openvswitch", "parameters": {"profileid": "p"}}},
    ):
        assert carry_generated(wanted, current) == wanted
