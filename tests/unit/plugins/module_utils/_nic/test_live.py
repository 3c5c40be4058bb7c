# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What of a running NIC differs from what is wanted, and what of that libvirt changes while the guest runs.

The table is what libvirtd did on Debian 11, 12 and 13 (7.0, 9.0, 11.3), and what must not be asked of it.
"""

from __future__ import annotations

import typing as t

import pytest
from lxml import etree

from ansible_collections.kvmops.network.plugins.module_utils._network.definition import definition_from_xml
from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import normalise
from ansible_collections.kvmops.network.plugins.module_utils._nic.live import (
    changed_live,
    find_differences,
    inherited_from,
    stored_differences,
)
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nic.builders import (
    CAPTURED,
    MAC,
    RUNNING,
    on,
    parse,
    shown,
    text_of,
)

if t.TYPE_CHECKING:
    Definition = dict[str, t.Any]

VERSIONS = ("7.0.0", "9.0.0", "11.3.0")
UUID = "ea8bd0ba-cd8d-482c-b79b-b80701bb0fad"
SLOW = {"inbound": {"average": 100, "peak": 200, "burst": 100}}


def bridge(name: str = "br0", **options: t.Any) -> Definition:
    return normalise({"type": "bridge", "mac": MAC, "model": "virtio", "source": {"bridge": name}, **options})


def direct(mode: str = "bridge", **options: t.Any) -> Definition:
    return normalise({"type": "direct", "mac": MAC, "model": "virtio", "source": {"dev": "eth1", "mode": mode}, **options})


def user(**options: t.Any) -> Definition:
    return normalise({"type": "user", "mac": MAC, "model": "virtio", **options})


def group(name: str | None, **options: t.Any) -> Definition:
    source = {"network": "groups", **({"portgroup": name} if name is not None else {})}
    return {**on("groups", **options), "source": source}


def differing(running: Definition, wanted: Definition) -> set[str]:
    return find_differences(running, wanted, inherited_from(wanted, RUNNING))


def changed(running: Definition, wanted: Definition) -> list[set[str]]:
    """Return what changes while the guest runs, by the versions."""
    return [changed_live(differing(running, wanted), running, wanted, RUNNING, version) for version in VERSIONS]


# --- what is inherited --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", CAPTURED)
def test_a_guest_that_was_just_started_runs_as_it_is_stored(version: str) -> None:
    root = etree.parse(str(CAPTURED[version])).getroot()
    networks = {name: definition_from_xml(text_of(each)) for each in root.iterfind("network") for name in [each.findtext("name")]}
    count = 0
    for each in root.iterfind("nic"):
        live, stored = (parse(text_of(each.find(f"{path}/interface")), running=path == "live") for path in ("live", "inactive"))
        inherited = inherited_from(stored.definition, networks)
        assert find_differences(live.definition, stored.definition, inherited) == set(), each.get("given")
        # and no more than that; what the NIC has itself counts more
        assert {**inherited, **stored.definition} == live.definition, each.get("given")
        count += 1
    assert count > 20


@pytest.mark.parametrize(
    ("definition", "inherited"),
    [
        (on("default"), {}),
        (group(None), {"bandwidth": SLOW}),
        (group("slow"), {"bandwidth": SLOW}),
        (group("fast"), {"bandwidth": {"inbound": {"average": 1000}}}),
        (group("free"), {}),
        (group("nosuch"), {}),
        (on("isolated"), {"port": {"isolated": True}}),
        (on("vlans"), {"vlan": {"tags": [{"id": 42}]}}),
        (on("switch"), {"virtualport": {"type": "openvswitch"}}),
        (
            {**on("switch"), "source": {"network": "switch", "portgroup": "v"}},
            {"virtualport": {"type": "openvswitch"}, "vlan": {"tags": [{"id": 7}]}},
        ),
        (on("functions"), {"type": "hostdev"}),
        (on("nosuch"), {}),
        (bridge("default"), {}),
        (user(), {}),
    ],
)
def test_what_a_network_gives(definition: Definition, inherited: Definition) -> None:
    assert inherited_from(definition, RUNNING) == inherited


def test_a_port_group_counts_more_than_its_network() -> None:
    networks = {
        "n": definition_from_xml(
            "<network><name>n</name><forward mode='bridge'/><bridge name='br0'/><vlan><tag id='1'/></vlan>"
            "<virtualport type='openvswitch'/><port isolated='yes'/><bandwidth><inbound average='9'/></bandwidth>"
            "<portgroup name='p'><vlan><tag id='2'/></vlan><virtualport><parameters profileid='x'/></virtualport></portgroup>"
            "</network>"
        )
    }
    assert inherited_from({**on("n"), "source": {"network": "n", "portgroup": "p"}}, networks) == {
        "vlan": {"tags": [{"id": 2}]},
        "virtualport": {"parameters": {"profileid": "x"}},
        "port": {"isolated": True},
    }
    # the network's own bandwidth is its bridge's
    assert inherited_from(on("n"), networks) == {
        "vlan": {"tags": [{"id": 1}]},
        "virtualport": {"type": "openvswitch"},
        "port": {"isolated": True},
    }


# --- what differs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("running", "wanted", "differences"),
    [
        (on(), on(), set()),
        (on(link="down"), on(), {"link"}),
        (on(), on(mtu=1400, model="e1000e"), {"mtu", "model"}),
        (on(), on(mac="52:54:00:00:00:09"), {"mac"}),
        # what is never compared: libvirt does not change it, a task cannot say it, or no field describes it
        (on(), on(alias="web"), set()),
        (on(acpi=3, tune={"sndbuf": 5}, script="/x", teaming={"type": "persistent"}), on(), set()),
        (on(_rest=["@colour=red"]), on(), set()),
        # places
        (on("default"), on("groups", bandwidth=SLOW), {"place", "bandwidth"}),
        (on("default"), bridge(), {"place"}),
        (bridge("br0"), bridge("br1"), {"place"}),
        (direct("vepa"), direct("private"), {"mode"}),
        (user(), user(source={"dev": "eth1"}), {"dev"}),
        (on("default"), {**on("default"), "source": {"network": "default", "portgroup": "x"}}, {"portgroup"}),
        # what the network gives
        (shown(group(None)), group(None), set()),
        (shown(group("slow")), group("fast"), {"portgroup", "bandwidth"}),
        (shown(group("slow")), group("free"), {"portgroup", "bandwidth"}),
        (shown(group("slow")), on("default"), {"place", "portgroup", "bandwidth"}),
        (group("slow", bandwidth={"inbound": {"average": 7}}), group("slow", bandwidth={"inbound": {"average": 7}}), set()),
        # the network gives something else since
        (group("slow", bandwidth={"inbound": {"average": 7}}), group("slow"), {"bandwidth"}),
        (shown(on("isolated")), on("isolated"), set()),
        (on("isolated"), on("isolated"), {"port"}),
        (shown(on("isolated")), on("default"), {"place", "port"}),
    ],
)
def test_what_differs(running: Definition, wanted: Definition, differences: set[str]) -> None:
    assert differing(running, wanted) == differences


def test_the_uuid_that_libvirt_made_up_for_a_virtual_port_is_no_difference() -> None:
    made = {"virtualport": {"type": "openvswitch", "parameters": {"interfaceid": UUID}}}
    assert differing({**on("switch"), **made}, on("switch")) == set()
    # one that a task gave is
    other = {"virtualport": {"type": "openvswitch", "parameters": {"interfaceid": UUID[::-1]}}}
    assert differing({**on("switch"), **made}, {**on("switch"), **other}) == {"virtualport"}
    # and what else there is
    profile = {"virtualport": {"parameters": {"profileid": "x"}}}
    assert differing({**on("switch"), **made}, {**on("switch"), **profile}) == {"virtualport"}


def test_a_virtual_port_has_the_networks_type_and_the_nics_parameters() -> None:
    own = {"virtualport": {"parameters": {"profileid": "x"}}}
    running = {"virtualport": {"type": "openvswitch", "parameters": {"profileid": "x", "interfaceid": UUID}}}
    assert differing({**on("switch"), **running}, {**on("switch"), **own}) == set()


def test_a_device_that_was_taken_from_a_network_is_no_difference() -> None:
    # libvirt shows such a NIC as one of type hostdev, without the name of the network
    running = parse(
        f"<interface type='hostdev' managed='yes'><mac address='{MAC}'/><driver name='vfio'/><source><address type='pci' "
        "domain='0x0000' bus='0x03' slot='0x10' function='0x1'/></source><model type='virtio'/></interface>",
        running=True,
    ).definition
    assert differing(running, on("functions")) == set()
    assert differing(running, on("functions", link="down")) == {"link"}
    assert "place" in differing(running, on("default"))
    assert "place" in differing(on("default"), on("functions"))
    assert changed(running, on("functions", link="down")) == [set()] * 3


def test_what_differs_of_what_is_stored() -> None:
    before, after = on(alias="a", _rest=["x"]), on(alias="b", link="down")
    assert stored_differences(before, after) == ["alias", "link", "other elements"]
    assert stored_differences(before, before) == []


# --- what libvirt changes -----------------------------------------------------------------------------------------------------

RATE = {"inbound": {"average": 5}}
FILTER = {"filter": "clean-traffic"}
ALWAYS, NEVER, SINCE_9, SINCE_11 = (True,) * 3, (False,) * 3, (False, True, True), (False, False, True)


@pytest.mark.parametrize(
    ("option", "one", "other", "there", "back"),
    [
        ("link", "up", "down", ALWAYS, ALWAYS),
        ("filterref", None, FILTER, ALWAYS, ALWAYS),
        ("filterref", FILTER, {**FILTER, "parameters": [{"name": "IP", "value": "10.0.0.1"}]}, ALWAYS, ALWAYS),
        ("coalesce", None, {"rx": {"frames": {"max": 8}}}, ALWAYS, ALWAYS),
        ("port", None, {"isolated": True}, ALWAYS, ALWAYS),
        # libvirt 7.0 crashes when all of it goes
        ("bandwidth", None, RATE, ALWAYS, SINCE_9),
        ("bandwidth", RATE, {"inbound": {"average": 9}, "outbound": {"average": 9}}, ALWAYS, ALWAYS),
        ("trust_guest_rx_filters", False, True, SINCE_11, SINCE_11),
        ("vlan", None, {"tags": [{"id": 5}]}, SINCE_11, SINCE_11),
        ("virtualport", None, {"type": "openvswitch"}, SINCE_11, SINCE_11),
        ("mtu", None, 1400, NEVER, NEVER),
        ("model", "virtio", "e1000e", NEVER, NEVER),
        ("driver", None, {"queues": 2}, NEVER, NEVER),
        ("boot", None, {"order": 1}, NEVER, NEVER),
        ("rom", None, {"enabled": False}, NEVER, NEVER),
        ("target", None, {"dev": "tap0"}, NEVER, NEVER),
        ("mac", MAC, "52:54:00:00:00:09", NEVER, NEVER),
        ("backend", None, {"type": "passt"}, NEVER, NEVER),
    ],
)
def test_what_libvirt_changes_of_a_port_of_a_bridge(
    option: str, one: t.Any, other: t.Any, there: tuple[bool, ...], back: tuple[bool, ...]
) -> None:
    for kind in (bridge, on):
        first, second = (normalise({**kind(), **({option: value} if value is not None else {})}) for value in (one, other))
        assert differing(first, second) == differing(second, first) == {option}
        assert [option in found for found in changed(first, second)] == list(there)
        assert [option in found for found in changed(second, first)] == list(back)
        assert all(found <= {option} for found in changed(first, second))


@pytest.mark.parametrize(
    ("running", "wanted", "found"),
    [
        (direct(), direct(link="down"), {"link"}),
        (direct(), direct(bandwidth=RATE), {"bandwidth"}),
        (direct("passthrough"), direct("passthrough", vlan={"tags": [{"id": 5}]}), set()),
        (direct(), direct("private"), set()),
        (direct(), direct("private", link="down"), {"link"}),
        (user(), user(link="down"), {"link"}),
        (user(), user(source={"dev": "eth1"}), set()),
    ],
)
def test_what_libvirt_changes_of_others(running: Definition, wanted: Definition, found: set[str]) -> None:
    assert changed(running, wanted) == [found] * 3


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["hostdev", "vdpa", "vhostuser", ""])
def test_nothing_is_changed_of_what_tasks_do_not_make(version: str, kind: str) -> None:
    running: Definition = {"type": kind, "mac": MAC}
    assert changed_live({"link", "bandwidth"}, running, {**running, "link": "down"}, RUNNING, version) == set()


# --- another place ------------------------------------------------------------------------------------------------------------

BRIDGES = {"default": on(), "hostbridge": on("hostbridge"), "br0": bridge(), "br1": bridge("br1")}
OTHERS = {"macvtap": on("macvtap"), "passthrough": on("passthrough"), "nosuch": on("nosuch"), "direct": direct(), "user": user()}


def test_a_nic_moves_from_bridge_to_bridge() -> None:
    for one in BRIDGES.values():
        for other in BRIDGES.values():
            assert changed(one, other) == [{"place"} if one != other else set()] * 3


def test_a_nic_moves_from_or_to_nothing_else() -> None:
    for other in OTHERS.values():
        for one in {**BRIDGES, **OTHERS}.values():
            assert changed(one, other) == changed(other, one) == [set()] * 3


@pytest.mark.parametrize(
    "option", ["bandwidth", "filterref", "coalesce", "port", "vlan", "virtualport", "trust_guest_rx_filters"]
)
def test_what_is_meant_for_the_new_place_waits_with_it(option: str) -> None:
    # libvirt refuses some of it for what the NIC is now, and forgets some without a word
    value = {
        "bandwidth": RATE,
        "filterref": FILTER,
        "coalesce": {"rx": {"frames": {"max": 8}}},
        "port": {"isolated": True},
        "vlan": {"tags": [{"id": 5}]},
        "virtualport": {"type": "openvswitch"},
        "trust_guest_rx_filters": True,
    }[option]
    for running in (direct(), user(), on("macvtap")):
        assert changed(running, bridge(link="down", **{option: value})) == [{"link"}] * 3
    for wanted in (direct(), user()):
        assert changed(bridge(**{option: value}), {**wanted, "link": "down"}) == [{"link"}] * 3


def test_a_nic_moves_with_what_it_is_given_there() -> None:
    wanted = bridge(bandwidth=RATE, filterref=FILTER, port={"isolated": True}, link="down")
    assert changed(on(), wanted) == [{"place", "bandwidth", "filterref", "port", "link"}] * 3


def test_what_a_network_gives_comes_with_the_place() -> None:
    assert changed(on(), on("isolated")) == changed(shown(on("isolated")), on()) == [{"place", "port"}] * 3
    assert changed(on(), group(None)) == [{"place", "bandwidth"}] * 3
    # libvirt 7.0 crashes when all of it goes
    assert changed(shown(group(None)), on()) == [set(), {"place", "bandwidth"}, {"place", "bandwidth"}]
    assert changed(shown(group(None)), on(link="down"))[0] == {"link"}
    assert changed(shown(group(None)), on(bandwidth=RATE)) == [{"place", "bandwidth"}] * 3


def test_a_port_group_is_changed_before_libvirt_10_6_only() -> None:
    wanted = group("fast")
    assert changed(on(), wanted) == [{"place", "portgroup", "bandwidth"}] * 2 + [set()]
    assert changed(shown(group("slow")), wanted) == [{"portgroup", "bandwidth"}] * 2 + [set()]
    for version, found in (("10.5.0", {"place", "portgroup", "bandwidth"}), ("10.6.0", set())):
        assert changed_live({"place", "portgroup", "bandwidth"}, on(), wanted, RUNNING, version) == found


def test_a_port_group_whose_bandwidth_goes_is_not_changed_by_libvirt_7() -> None:
    assert changed(shown(group("slow")), group("free")) == [set(), {"portgroup", "bandwidth"}, set()]


def test_what_is_said_of_the_nic_itself_does_not_wait_for_a_port_group() -> None:
    wanted = group("fast", bandwidth=RATE, link="down")
    assert changed(shown(group("slow")), wanted)[2] == {"bandwidth", "link"}


def test_a_port_group_of_a_macvtap_network_waits() -> None:
    running = {**on("macvtap"), "source": {"network": "macvtap", "portgroup": "p"}}
    assert changed(running, on("macvtap")) == [set()] * 3


def test_what_only_a_network_gives_goes_with_the_place_whatever_the_version() -> None:
    assert changed(shown(on("vlans")), on()) == [{"place", "vlan"}] * 3
    own = on("vlans", vlan={"tags": [{"id": 5}]})
    assert changed(own, on()) == [{"place"}, {"place"}, {"place", "vlan"}]


def test_from_one_kind_of_switch_to_another_a_nic_moves_since_libvirt_11() -> None:
    running = shown(on("switch"))
    running["virtualport"]["parameters"] = {"interfaceid": UUID}
    assert changed(running, on(link="down")) == [{"link"}, {"link"}, {"place", "virtualport", "link"}]
    assert changed(on(), on("switch")) == [set(), set(), {"place", "virtualport"}]


def test_what_is_wanted_of_the_nic_itself_does_not_come_with_the_place() -> None:
    wanted = on("hostbridge", vlan={"tags": [{"id": 5}]})
    assert changed(shown(on("vlans")), wanted) == [{"place"}, {"place"}, {"place", "vlan"}]


@pytest.mark.parametrize(
    ("isolates", "live", "wanted", "differs"),
    [
        (True, {"isolated": True}, {"isolated": False}, True),
        (True, {"isolated": False}, {"isolated": False}, False),
        (True, {"isolated": True}, None, False),
        (True, {"isolated": False}, None, True),
        (False, {"isolated": False}, None, False),
        (False, None, {"isolated": False}, False),
        (False, {"isolated": True}, {"isolated": False}, True),
    ],
)
def test_a_nic_can_be_taken_out_of_a_network_that_isolates(
    isolates: bool, live: dict[str, bool] | None, wanted: dict[str, bool] | None, differs: bool
) -> None:
    def nic(port: dict[str, bool] | None) -> dict[str, t.Any]:
        return {"type": "network", "source": {"network": "lab"}, **({"port": port} if port is not None else {})}

    network = {"name": "lab", **({"port": {"isolated": True}} if isolates else {})}
    found = find_differences(nic(live), nic(wanted), inherited_from(nic(wanted), {"lab": network}))
    assert (found == {"port"}) is differs
