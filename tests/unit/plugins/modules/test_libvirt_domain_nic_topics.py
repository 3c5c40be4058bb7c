# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Each part of a NIC's definition on a guest that is off, from nothing to nothing."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

import libvirt
import pytest

from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import Result
from ansible_collections.kvmops.network.tests.unit.plugins.support.nics import (
    LIBVIRT,
    Options,
    define_guest,
    define_network,
    hide_made_up_targets,
    interfaces,
    knows_passt,
    make_nic,
    nic_facts,
    nic_task,
    step,
    world,
)

OTHERS = (
    make_nic("52:54:00:00:00:a1", "network='lab'"),
    make_nic("52:54:00:00:00:a2", "bridge='br7'", kind="bridge", alias="other"),
)
MAC = "52:54:00:00:00:01"
UUID = "1b4f0c34-3a39-4a26-a21f-6f0a3b1e0a6e"

NETWORK: Options = {"source": {"network": "lab"}}
BRIDGE: Options = {"source": {"bridge": "br0"}}
DIRECT: Options = {"source": {"dev": "eth1"}}
USER: Options = {"type": "user"}
PASST: Options = {"type": "user", "backend": {"type": "passt"}}
ETHERNET: Options = {"type": "ethernet"}

# What libvirt shows of the places that the NICs are plugged into.
SHOWN: dict[str, set[str]] = {
    "network": {"@type=network", "source/@network=lab"},
    "bridge": {"@type=bridge", "source/@bridge=br0"},
    "direct": {"@type=direct", "source/@dev=eth1", "source/@mode=bridge"},
    "user": {"@type=user"},
    "ethernet": {"@type=ethernet"},
}


@dataclass(frozen=True)
class Topic:
    """One part of a definition, and what libvirt's own document has to show of it.

    `same` says the second thing in other words, `none` that there shall be nothing of it; what is then still
    shown is `none_shown`, and `carried` is what `definition: replace` leaves.
    """

    first: Options
    first_shown: set[str]
    second: Options
    second_shown: set[str]
    same: tuple[Options, ...] = ()
    none: Options | None = None
    none_shown: set[str] = field(default_factory=set)
    carried: set[str] = field(default_factory=set)
    base: Options = field(default_factory=lambda: NETWORK)
    base_shown: set[str] = field(default_factory=lambda: SHOWN["network"])
    hides: set[str] = field(default_factory=set)


def on_off(*names: str) -> Topic:
    """Return the topic of details of the driver that are up to QEMU, and on or off where somebody says so."""
    return Topic(
        first={"driver": dict.fromkeys(names, True)},
        first_shown={f"driver/@{name}=on" for name in names},
        second={"driver": dict.fromkeys(names, False)},
        second_shown={f"driver/@{name}=off" for name in names},
        same=({"driver": {names[-1]: False}},),
    )


def offloads(side: str, *names: str) -> Topic:
    """Return the topic of what is on unless somebody says off."""
    return Topic(
        first={"driver": {side: dict.fromkeys(names, False)}},
        first_shown={f"driver/{side}/@{name}=off" for name in names},
        second={"driver": {side: {name: name not in ("ecn", "ufo") for name in names}}},
        second_shown={f"driver/{side}/@ecn=off", f"driver/{side}/@ufo=off"},
        none={"driver": {side: {"ecn": True, "ufo": True}}},
    )


TOPICS: dict[str, Topic] = {
    "model": Topic(
        first={"model": "e1000e"},
        first_shown={"model/@type=e1000e"},
        second={"model": "rtl8139"},
        second_shown={"model/@type=rtl8139"},
        carried={"model/@type=rtl8139"},
        hides={"model/@type=virtio"},
    ),
    "link": Topic(
        first={"link": "down"},
        first_shown={"link/@state=down"},
        second={"link": "up", "mtu": 1400},
        second_shown={"mtu/@size=1400"},
    ),
    "mtu": Topic(first={"mtu": 1400}, first_shown={"mtu/@size=1400"}, second={"mtu": 9000}, second_shown={"mtu/@size=9000"}),
    "bandwidth": Topic(
        first={"bandwidth": {"inbound": {"average": 1000, "peak": 2000, "burst": 64}}},
        first_shown={
            "bandwidth/inbound/@average=1000",
            "bandwidth/inbound/@peak=2000",
            "bandwidth/inbound/@burst=64",
        },
        second={"bandwidth": {"inbound": {"average": 500, "peak": 2000, "burst": 64}, "outbound": {"average": 7}}},
        second_shown={
            "bandwidth/inbound/@average=500",
            "bandwidth/inbound/@peak=2000",
            "bandwidth/inbound/@burst=64",
            "bandwidth/outbound/@average=7",
        },
        same=({"bandwidth": {"outbound": {"average": 7}}}, {"bandwidth": {}}, {"bandwidth": {"inbound": {"burst": 64}}}),
    ),
    "vlan": Topic(
        base={**BRIDGE, "virtualport": {"type": "openvswitch", "parameters": {"interfaceid": UUID}}},
        base_shown=SHOWN["bridge"] | {"virtualport/@type=openvswitch", f"virtualport/parameters/@interfaceid={UUID}"},
        first={"vlan": {"tags": [{"id": 42}]}},
        first_shown={"vlan/tag/@id=42"},
        second={"vlan": {"tags": [{"id": 43}, {"id": 42, "native_mode": "untagged"}]}},
        second_shown={
            "vlan/@trunk=yes",
            "vlan/tag[0]/@id=42",
            "vlan/tag[0]/@nativeMode=untagged",
            "vlan/tag[1]/@id=43",
        },
        same=({"vlan": {"trunk": True, "tags": [{"id": 42, "native_mode": "untagged"}, {"id": 43}]}},),
        none={"vlan": {"tags": []}},
    ),
    "virtualport of Open vSwitch": Topic(
        base=BRIDGE,
        base_shown=SHOWN["bridge"],
        first={"virtualport": {"type": "openvswitch", "parameters": {"interfaceid": UUID}}},
        first_shown={"virtualport/@type=openvswitch", f"virtualport/parameters/@interfaceid={UUID}"},
        second={"virtualport": {"type": "openvswitch", "parameters": {"interfaceid": UUID, "profileid": "menial"}}},
        second_shown={
            "virtualport/@type=openvswitch",
            f"virtualport/parameters/@interfaceid={UUID}",
            "virtualport/parameters/@profileid=menial",
        },
        same=({"virtualport": {"parameters": {"interfaceid": UUID.upper()}}},),
    ),
    "virtualport of 802.1Q": Topic(
        base=DIRECT,
        base_shown=SHOWN["direct"],
        first={
            "virtualport": {
                "type": "802.1Qbg",
                "parameters": {"managerid": 11, "typeid": 1193047, "typeidversion": 2, "instanceid": UUID},
            }
        },
        first_shown={
            "virtualport/@type=802.1Qbg",
            "virtualport/parameters/@managerid=11",
            "virtualport/parameters/@typeid=1193047",
            "virtualport/parameters/@typeidversion=2",
            f"virtualport/parameters/@instanceid={UUID}",
        },
        second={"virtualport": {"type": "802.1Qbh", "parameters": {"profileid": "finance"}}},
        second_shown={"virtualport/@type=802.1Qbh", "virtualport/parameters/@profileid=finance"},
    ),
    "filterref": Topic(
        first={"filterref": {"filter": "clean-traffic", "parameters": [{"name": "IP", "value": "10.0.0.1"}]}},
        first_shown={
            "filterref/@filter=clean-traffic",
            "filterref/parameter/@name=IP",
            "filterref/parameter/@value=10.0.0.1",
        },
        second={
            "filterref": {
                "filter": "clean-traffic-gateway",
                "parameters": [
                    {"name": "GATEWAY_MAC", "value": "52:54:00:00:00:99"},
                    {"name": "IP", "value": "10.0.0.2"},
                    {"name": "IP", "value": "10.0.0.1"},
                ],
            }
        },
        second_shown={
            "filterref/@filter=clean-traffic-gateway",
            "filterref/parameter[0]/@name=GATEWAY_MAC",
            "filterref/parameter[0]/@value=52:54:00:00:00:99",
            "filterref/parameter[1]/@name=IP",
            "filterref/parameter[1]/@value=10.0.0.1",
            "filterref/parameter[2]/@name=IP",
            "filterref/parameter[2]/@value=10.0.0.2",
        },
        same=({"filterref": {"filter": "clean-traffic-gateway"}},),
        none={"filterref": {"filter": "clean-traffic-gateway", "parameters": []}},
        none_shown={"filterref/@filter=clean-traffic-gateway"},
    ),
    "port": Topic(
        first={"port": {"isolated": True}},
        first_shown={"port/@isolated=yes"},
        second={"port": {"isolated": False}},
        second_shown={"port/@isolated=no"},
    ),
    "trust_guest_rx_filters": Topic(
        base=DIRECT,
        base_shown=SHOWN["direct"],
        first={"trust_guest_rx_filters": True},
        first_shown={"@trustGuestRxFilters=yes"},
        second={"trust_guest_rx_filters": False, "link": "down"},
        second_shown={"link/@state=down"},
    ),
    "boot": Topic(
        first={"boot": {"order": 2}},
        first_shown={"boot/@order=2"},
        second={"boot": {"order": 3}},
        second_shown={"boot/@order=3"},
    ),
    "target": Topic(
        first={"target": {"dev": "tap-web"}},
        first_shown={"target/@dev=tap-web"},
        second={"target": {"dev": "tap-web2"}},
        second_shown={"target/@dev=tap-web2"},
        same=({"target": {"managed": True}},),
    ),
    "target that is made outside": Topic(
        base=ETHERNET,
        base_shown=SHOWN["ethernet"],
        first={"target": {"dev": "tap-web", "managed": False}},
        first_shown={"target/@dev=tap-web", "target/@managed=no"},
        second={"target": {"dev": "vnet7", "managed": False}},
        second_shown={"target/@dev=vnet7", "target/@managed=no"},
        same=({"target": {"managed": False}},),
    ),
    "rom": Topic(
        first={"rom": {"bar": True, "file": "/usr/share/a.rom"}},
        first_shown={"rom/@bar=on", "rom/@file=/usr/share/a.rom"},
        second={"rom": {"bar": False, "file": "/usr/share/b & <c>.rom"}},
        second_shown={"rom/@bar=off", "rom/@file=/usr/share/b & <c>.rom"},
        same=({"rom": {"enabled": True}},),
    ),
    "rom switched off": Topic(
        first={"rom": {"enabled": False}},
        first_shown={"rom/@enabled=no"},
        second={"rom": {"enabled": True}, "mtu": 1400},
        second_shown={"mtu/@size=1400"},
    ),
    "coalesce": Topic(
        first={"coalesce": {"rx": {"frames": {"max": 7}}}},
        first_shown={"coalesce/rx/frames/@max=7"},
        second={"coalesce": {"rx": {"frames": {"max": 9}}}},
        second_shown={"coalesce/rx/frames/@max=9"},
        none={"coalesce": {"rx": {"frames": {"max": 0}}}},
    ),
    "ips": Topic(
        base=USER,
        base_shown=SHOWN["user"],
        first={"ips": [{"address": "10.0.2.9", "prefix": 24}]},
        first_shown={"ip/@address=10.0.2.9", "ip/@family=ipv4", "ip/@prefix=24"},
        second={"ips": [{"address": "FD00:0::9", "prefix": 64}, {"address": "10.0.2.8"}]},
        second_shown={
            "ip[0]/@address=10.0.2.8",
            "ip[0]/@family=ipv4",
            "ip[1]/@address=fd00::9",
            "ip[1]/@family=ipv6",
            "ip[1]/@prefix=64",
        },
        same=({"ips": [{"address": "10.0.2.8"}, {"address": "fd00::9"}]},),
        none={"ips": []},
    ),
    "driver of the kernel": Topic(
        first={"driver": {"name": "vhost", "queues": 4, "rx_queue_size": 512, "tx_queue_size": 1024, "txmode": "iothread"}},
        first_shown={
            "driver/@name=vhost",
            "driver/@queues=4",
            "driver/@rx_queue_size=512",
            "driver/@tx_queue_size=1024",
            "driver/@txmode=iothread",
        },
        second={"driver": {"name": "qemu", "queues": 1, "rx_queue_size": 256, "tx_queue_size": 256, "txmode": "timer"}},
        second_shown={"driver/@name=qemu", "driver/@rx_queue_size=256", "driver/@tx_queue_size=256", "driver/@txmode=timer"},
        same=({"driver": {"name": "qemu"}}, {"driver": {}}),
    ),
    "flags of the driver": on_off("ioeventfd", "event_idx", "iommu", "ats", "packed"),
    "offloads of the host": offloads("host", "csum", "gso", "tso4", "tso6", "ecn", "ufo", "mrg_rxbuf"),
    "offloads of the guest": offloads("guest", "csum", "tso4", "tso6", "ecn", "ufo"),
    # --- what it is plugged into
    "port group": Topic(
        base={},
        base_shown={"@type=network", "source/@network=lab"},
        first={"source": {"network": "lab", "portgroup": "fast"}},
        first_shown={"source/@portgroup=fast"},
        second={"source": {"network": "lab", "portgroup": "slow"}},
        second_shown={"source/@portgroup=slow"},
        same=({"type": "network"}, {"source": {"portgroup": "slow"}}, {"source": {"network": "lab"}}),
        carried={"source/@portgroup=slow"},
    ),
    **{
        f"macvtap of mode {mode}": Topic(
            base={},
            base_shown={"@type=direct", "source/@dev=eth1"},
            first={"source": {"dev": "eth1"}},
            first_shown={"source/@mode=bridge"},
            second={"source": {"dev": "eth1", "mode": mode}},
            second_shown={f"source/@mode={mode}"},
            same=({"type": "direct", "source": {"dev": "eth1"}}, {"source": {"mode": mode}}),
            carried={f"source/@mode={mode}"},
        )
        for mode in ("vepa", "private", "passthrough")
    },
    "another interface of the host": Topic(
        base={},
        base_shown={"@type=direct"},
        first={"source": {"dev": "eth1", "mode": "vepa"}},
        first_shown={"source/@dev=eth1", "source/@mode=vepa"},
        second={"source": {"dev": "eth2"}},
        second_shown={"source/@dev=eth2", "source/@mode=bridge"},
        carried={"source/@dev=eth2", "source/@mode=bridge"},
    ),
    "from a network to a bridge": Topic(
        base={},
        base_shown=set(),
        first={"source": {"network": "lab", "portgroup": "fast"}},
        first_shown=SHOWN["network"] | {"source/@portgroup=fast"},
        second={"source": {"bridge": "br0"}},
        second_shown=SHOWN["bridge"],
        same=({"type": "bridge"},),
        carried=SHOWN["bridge"],
    ),
    "from a tap made outside to a user's network": Topic(
        base={},
        base_shown=set(),
        first={"type": "ethernet", "target": {"dev": "tap-web", "managed": False}},
        first_shown={"@type=ethernet", "target/@dev=tap-web", "target/@managed=no"},
        second={"type": "user", "ips": [{"address": "10.0.2.9"}]},
        second_shown={"@type=user", "ip/@address=10.0.2.9", "ip/@family=ipv4"},
        carried={"@type=user"},
    ),
    "from one network to another": Topic(
        base={},
        base_shown={"@type=network"},
        first={"source": {"network": "lab", "portgroup": "fast"}},
        first_shown={"source/@network=lab", "source/@portgroup=fast"},
        second={"source": {"network": "lab2"}},
        second_shown={"source/@network=lab2"},
        carried={"source/@network=lab2"},
    ),
}

# What a newer libvirt has: the version, the topic, and what an older one is refused with.
NEWER: dict[str, tuple[int, Topic, str]] = {
    "driver.page_per_vq": (
        7_009_000,
        on_off("page_per_vq"),
        "driver.page_per_vq: needs libvirt 7.9.0 or later",
    ),
    "driver.rss": (8_003_000, on_off("rss"), "driver.rss: needs libvirt 8.3.0 or later"),
    "driver.rss_hash_report": (
        8_003_000,
        on_off("rss_hash_report"),
        "driver.rss_hash_report: needs libvirt 8.3.0 or later",
    ),
    "backend": (
        9_000_000,
        Topic(
            base=USER,
            base_shown=SHOWN["user"],
            first={"backend": {"type": "passt"}},
            first_shown={"backend/@type=passt"},
            second={"backend": {"type": "passt", "log_file": "/var/log/passt.log"}, "source": {"dev": "eth0"}},
            second_shown={"backend/@type=passt", "backend/@logFile=/var/log/passt.log", "source/@dev=eth0"},
        ),
        "backend.type: needs libvirt 9.0.0 or later",
    ),
    "port_forwards": (
        9_000_000,
        Topic(
            base=PASST,
            base_shown=SHOWN["user"] | {"backend/@type=passt"},
            first={"port_forwards": [{"proto": "tcp", "address": "127.0.0.1", "ranges": [{"start": 2222, "to": 22}]}]},
            first_shown={
                "portForward/@proto=tcp",
                "portForward/@address=127.0.0.1",
                "portForward/range/@start=2222",
                "portForward/range/@to=22",
            },
            second={
                "port_forwards": [
                    {"proto": "udp", "dev": "eth0"},
                    {
                        "proto": "tcp",
                        "ranges": [{"start": 90, "end": 99, "exclude": True}, {"start": 80, "end": 89, "exclude": False}],
                    },
                ]
            },
            second_shown={
                "portForward[0]/@proto=tcp",
                "portForward[0]/range[0]/@start=80",
                "portForward[0]/range[0]/@end=89",
                "portForward[0]/range[1]/@start=90",
                "portForward[0]/range[1]/@end=99",
                "portForward[0]/range[1]/@exclude=yes",
                "portForward[1]/@proto=udp",
                "portForward[1]/@dev=eth0",
            },
            same=(
                {
                    "port_forwards": [
                        {"proto": "tcp", "ranges": [{"start": 80, "end": 89}, {"start": 90, "end": 99, "exclude": True}]},
                        {"proto": "udp", "dev": "eth0"},
                    ]
                },
            ),
            none={"port_forwards": []},
        ),
        "port_forwards: needs libvirt 9.0.0 or later",
    ),
}


@pytest.fixture
def host(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> libvirt.virConnect:
    """Return a host with networks that do not run, and a guest that is off with two NICs of somebody else."""
    hide_made_up_targets(monkeypatch)
    define_network(driver, "lab", "<portgroup name='fast'/><portgroup name='slow'/>")
    define_network(driver, "lab2")
    define_guest(driver, "web", *OTHERS, disk="<boot order='1'/>")
    return driver


def climb(driver: libvirt.virConnect, topic: Topic, *, definition: str) -> None:
    """Create, again, change, again, the same in another way, omit, none of it, remove."""
    beginning = world(driver)
    others = [set(map(str, each.itertext())) for each in interfaces(driver)]
    identity = {"mac": MAC, "alias": "lan"}
    always = topic.base_shown | {f"mac/@address={MAC}", "alias/@name=ua-lan"}
    always |= set() if topic.hides else {"model/@type=virtio"}

    def run(options: Options, *, changed: bool, **other: t.Any) -> Result:
        return step(driver, changed=changed, **{**identity, "definition": definition, **topic.base, **options, **other})

    # create, and again
    created = run(topic.first, changed=True)
    assert created.data["actions"] == ["define: the NIC is not in the guest's definition"]
    assert nic_facts(driver) == always | topic.first_shown
    assert run(topic.first, changed=False).diff is None
    # change, and again
    changed = run(topic.second, changed=True)
    assert [action.partition(":")[0] for action in changed.data["actions"]] == ["define"]
    assert nic_facts(driver) == always | topic.second_shown
    run(topic.second, changed=False)
    # the same in other words, or in another order
    for same in topic.same if definition == "merge" else ():
        run(same, changed=False)
    # omitted: left alone, or back to libvirt's default
    if definition == "merge":
        step(driver, changed=False, alias="lan")
        step(driver, changed=False, mac=MAC.upper(), **topic.base)
    else:
        run({}, changed=not topic.second_shown <= topic.carried)
        assert nic_facts(driver) == always | topic.carried
        run(topic.second, changed=not topic.second_shown <= topic.carried)
    # none of it
    if topic.none is not None:
        step(driver, changed=True, alias="lan", **topic.none)
        assert nic_facts(driver) == always | topic.none_shown
        step(driver, changed=False, alias="lan", **topic.none)
    assert [set(map(str, each.itertext())) for each in interfaces(driver)[:-1]] == others
    # removed
    gone = step(driver, changed=True, alias="lan", state="absent")
    assert gone.data["actions"] == ["define: the NIC shall be absent"]
    assert world(driver) == beginning
    assert step(driver, changed=False, alias="lan", state="absent").data["nic"] is None


@pytest.mark.parametrize("definition", ["merge", "replace"])
@pytest.mark.parametrize("topic", TOPICS.values(), ids=TOPICS)
def test_from_nothing_to_nothing(host: libvirt.virConnect, topic: Topic, definition: str) -> None:
    climb(host, topic, definition=definition)


@pytest.mark.parametrize(("since", "topic", "message"), NEWER.values(), ids=NEWER)
def test_what_a_newer_libvirt_has(host: libvirt.virConnect, since: int, topic: Topic, message: str) -> None:
    before = world(host)
    if since > LIBVIRT:
        for check in (True, False):
            refused = nic_task(check=check, **topic.base, **topic.first)
            assert refused.failed
            assert refused.msg.startswith(message)
    elif "passt" in str(topic) and not knows_passt(host):
        refused = nic_task(**topic.base, **topic.first)
        assert refused.msg.startswith(
            "The guest 'web': 'define' failed: XML error: Invalid value for attribute 'type' in element"
        )
        assert refused.msg.endswith("'passt'. Everything was put back as it was.")
    else:
        climb(host, topic, definition="merge")
        climb(host, topic, definition="replace")
    assert world(host) == before
