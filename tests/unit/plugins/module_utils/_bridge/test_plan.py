# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What is to be done on a host, and that nothing is left to do after it."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._bridge.goal import shortfalls
from ansible_collections.kvmops.network.plugins.module_utils._bridge.host import Host
from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Device, Links
from ansible_collections.kvmops.network.plugins.module_utils._bridge.networkd import Networkd
from ansible_collections.kvmops.network.plugins.module_utils._bridge.plan import Plan, make_plan
from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Identity, Record, path_of
from ansible_collections.kvmops.network.plugins.module_utils._bridge.request import Request
from ansible_collections.kvmops.network.plugins.module_utils._bridge.subject import subject_of
from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._bridge.builders import (
    BACKENDS,
    DHCP,
    MAC,
    ORIGIN_PATH,
    STATIC,
    address,
    bridge,
    bridged_links,
    default_route,
    device,
    family,
    host,
    leased,
    links,
    management,
    record,
    request,
    static_links,
    tap,
)

RECORD_PATH = "/var/lib/kvmops-network/bridges/br0.json"
OWNED = [f"/etc/systemd/network/0-kvmops-br0{tail}" for tail in (".netdev", ".network", "-port.network")]
LOSES = (
    "The host loses 192.0.2.10/24, and connections to that end. If the controller uses it, confirm_host has to say where the "
    "host is then."
)
LEASED = links(device("eth0", leased("192.0.2.10/24")), routes=(default_route(protocol="dhcp", metric=1024),))


def plan_for(found: Host, **options: t.Any) -> Plan:
    wanted = request(**options)
    subject, _paths = subject_of(wanted, found, BACKENDS)
    return make_plan(wanted, found, subject, None if subject is None else BACKENDS[subject.backend])


def made(before: Host, plan: Plan) -> Host:
    """Return the host after the plan: its files are in place, and the links are as it says."""
    assert plan.record is not None
    assert plan.after is not None
    files = {**before.files, **{change.path: change.after for change in plan.files}}
    records = {name: kept for name, kept in before.records.items() if name != plan.record.name}
    content = files.get(path_of(plan.record.name))
    if content is not None:
        records[plan.record.name] = Record.from_text(content.decode(), path="x")
    return Host(links=moved(before.links, plan), records=records, files=files)


def moved(before: Links, plan: Plan) -> Links:
    after = plan.after
    assert after is not None
    master = after.bridge if after.bridged else ""
    port = replace(before.devices[after.uplink], mtu=after.uplink_mtu, master=master, up=True, addresses=())
    there = before.devices.get(after.bridge, bridge(after.bridge))
    over = replace(there, mac=after.mac or there.mac, mtu=after.mtu or there.mtu, stp=after.stp, up=True)
    over = replace(over, forward_delay=after.forward_delay)
    # the back end adds what its files say
    fixed = tuple(address(text) for text in plan.expected.addresses)
    given = tuple(leased("192.0.2.77/24") if version == 4 else leased("2001:db8::77/64") for version in plan.expected.dhcp)
    kept = () if plan.forward is None or plan.forward.fresh else there.addresses
    carried = tuple({a.text: a for a in (*after.addresses, *kept, *fixed, *given)}.values())
    routes = tuple(replace(route, device=after.carrier) for route in after.routes)
    known = [route.gateway for route in routes]
    routes += tuple(default_route(text, after.carrier) for text in plan.expected.gateways if text not in known)
    if plan.forward is not None and not plan.forward.fresh:
        routes += before.routes
    found = dict(before.devices)
    found[after.uplink] = replace(port, addresses=() if after.bridged else carried)
    found[after.bridge] = replace(over, addresses=carried if after.bridged else ())
    if not after.bridged and not any(one.master == after.bridge for one in found.values()):
        del found[after.bridge]
    return Links(devices=found, routes=routes)


def present(text: str = STATIC, found: Links | None = None, **options: t.Any) -> Host:
    """Return a host on which the bridge was made."""
    before = host(found or (LEASED if text == DHCP else static_links()), text)
    return made(before, plan_for(before, **options))


class TestFresh:
    """There is no bridge yet."""

    def test_the_steps(self) -> None:
        plan = plan_for(host())
        assert list(plan.steps) == [
            "make the bridge br0 with the MAC address 52:54:00:12:34:56",
            "make eth0 its port",
            "move 192.0.2.10/24 from eth0 to br0",
            "move the route to default from eth0 to br0",
            *(f"write {path}" for path in (*OWNED, RECORD_PATH)),
            "have systemd-networkd follow its files",
        ]
        assert plan.reasons == ("br0 is not there yet",)
        assert plan.outage == "Connections stay; the addresses move in one step, within a fraction of a second."
        assert plan.changed

    def test_the_layouts(self) -> None:
        plan = plan_for(host(), mtu=1400)
        assert plan.before is not None
        assert plan.after is not None
        assert (plan.before.bridged, plan.after.bridged) == (False, True)
        assert (plan.after.mac, plan.after.mtu, plan.after.uplink_mtu) == (MAC, 1400, 1400)
        assert plan.before.addresses == plan.after.addresses == (address("192.0.2.10/24"),)

    def test_the_record(self) -> None:
        identity = Identity(dhcp4="01525400123456", token="::1")
        routes = (default_route(metric=300), default_route(metric=200), default_route("2001:db8::1", metric=5))
        found = host(links(device("eth0", address("192.0.2.10/24")), routes=routes), management=management(identity=identity))
        made_from = plan_for(found).record
        assert made_from == record(identity=identity, metrics={"4": 200, "6": 5})

    def test_a_lease_is_asked_for_again(self) -> None:
        plan = plan_for(host(LEASED, DHCP))
        assert plan.goal is not None
        assert plan.goal.leased == (4,)
        assert plan.goal.addresses == ()
        assert plan.after is not None
        assert (plan.after.addresses, plan.after.routes) == ((), ())
        assert plan.outage.startswith("Connections stay, but the host may be without an address until the DHCP server")

    @pytest.mark.parametrize(
        ("own", "options", "leases"),
        [
            # DHCP=yes in a network where nobody gives IPv6 addresses, or none of IPv4
            ((leased("192.0.2.10/24"),), {}, (4,)),
            ((leased("2001:db8::10/64"),), {}, (6,)),
            ((leased("192.0.2.10/24"), leased("2001:db8::10/64")), {}, (4, 6)),
            ((leased("192.0.2.10/24"),), {"ipv6": family("dhcp")}, (4, 6)),
            ((), {}, (4,)),
        ],
    )
    def test_only_leases_that_somebody_gives_are_waited_for(
        self, own: tuple[t.Any, ...], options: dict[str, t.Any], leases: tuple[int, ...]
    ) -> None:
        found = links(device("eth0", *own), routes=(default_route(protocol="dhcp"),))
        plan = plan_for(host(found, DHCP.replace("ipv4", "yes")), **options)
        assert plan.goal is not None
        assert plan.goal.leased == leases
        back = plan_for(made(host(found, DHCP.replace("ipv4", "yes")), plan), state="absent")
        assert back.goal is not None

    def test_addresses_that_somebody_added_go_along(self) -> None:
        eth0 = device("eth0", address("192.0.2.10/24"), address("192.0.2.99/24"), leased("192.0.2.98/24"), address("fe80::1/64"))
        plan = plan_for(host(links(eth0, routes=(default_route(),))))
        assert plan.after is not None
        assert [a.text for a in plan.after.addresses] == ["192.0.2.10/24", "192.0.2.99/24"]
        assert plan.goal is not None
        assert plan.goal.addresses == ("192.0.2.10/24",)

    def test_addresses_and_routes_of_a_family_that_is_configured_anew_stay_behind(self) -> None:
        eth0 = device("eth0", address("192.0.2.10/24"), address("2001:db8::10/64"))
        found = links(eth0, routes=(default_route(), default_route("2001:db8::1")))
        plan = plan_for(host(found), ipv4=family("static", "198.51.100.7/24", gateway="198.51.100.1"))
        assert plan.after is not None
        assert [a.text for a in plan.after.addresses] == ["2001:db8::10/64"]
        assert [route.gateway for route in plan.after.routes] == ["2001:db8::1"]
        assert plan.goal is not None
        assert (plan.goal.addresses, plan.goal.gateways) == (("198.51.100.7/24",), ("198.51.100.1",))

    def test_an_address_that_stays_the_same_goes_along(self) -> None:
        plan = plan_for(host(), ipv4=family("static", "192.0.2.10/24", gateway="192.0.2.1"))
        assert plan.after is not None
        assert [a.text for a in plan.after.addresses] == ["192.0.2.10/24"]

    def test_an_address_of_another_interface_is_refused(self) -> None:
        eth1 = device("eth1", address("198.51.100.7/24"))
        found = host(links(*static_links().devices.values(), eth1, routes=(default_route(),)))
        with pytest.raises(RefusedError, match=r"^ipv4\.addresses: 198\.51\.100\.7/25 is an address of eth1 on"):
            plan_for(found, ipv4=family("static", "198.51.100.7/25"))
        assert plan_for(found, ipv4=family("static", "192.0.2.10/25")).changed  # the uplink's own

    def test_stp_takes_its_time(self) -> None:
        plan = plan_for(host(), stp=True, forward_delay=4)
        assert plan.outage == "With STP nothing passes the bridge for 8 seconds or so."
        assert plan.goal is not None
        assert (plan.goal.stp, plan.goal.forward_delay) == (True, 400)

    def test_the_transaction(self) -> None:
        found = plan_for(host()).transaction("3f9a01c2", request(confirm_timeout=90), BACKENDS["networkd"])
        assert (found.id, found.window, found.carrier, found.leased) == ("3f9a01c2", 90, "eth0", ())
        assert found.bridge == ("br0", MAC)
        assert (found.new_bridge, found.old_bridge) == ("br0", "")
        assert "address replace 192.0.2.10/24 brd + dev br0" in found.apply_batch
        assert "address replace 192.0.2.10/24 brd + dev eth0" in found.revert_batch
        assert [change.path for change in found.files] == [*OWNED, RECORD_PATH]
        assert all(change.before is None for change in found.files)
        assert [change.private for change in found.files] == [False, False, False, True]

    def test_the_addresses_that_the_way_back_waits_for(self) -> None:
        short = leased("2001:db8::99/64")
        own = (leased("192.0.2.10/24"), address("192.0.2.9/24"), leased("2001:db8::10/64"), replace(short, temporary=True))
        found = host(links(device("eth0", *own), routes=(default_route(protocol="dhcp"),)), DHCP)
        change = plan_for(found).transaction("1", request(), BACKENDS["networkd"])
        assert change.leased == ("192.0.2.10/24", "2001:db8::10/64")

    def test_an_uplink_of_another_bridge_is_refused(self) -> None:
        """The other bridge is gone, or its port fell out."""
        found = host(records={"br9": record(name="br9"), "br8": record(name="br8", uplink="eth8")})
        with pytest.raises(RefusedError) as caught:
            plan_for(found)
        assert str(caught.value) == "uplink: eth0 is the uplink of br9. Take that back first (state: absent)."
        assert plan_for(replace(found, records={"br8": found.records["br8"]})).changed

    def test_a_text_that_is_no_utf8_is_written_as_it_was(self) -> None:
        odd = STATIC + "Domains=caf\udce9.test\n"
        files = plan_for(host(management=management(odd))).files
        [bridge_file] = [change for change in files if change.path == OWNED[1]]
        assert bridge_file.after is not None
        assert b"Domains=caf\xe9.test\n" in bridge_file.after


class Taking(Networkd):
    """A back end that goes on with leases, as NetworkManager does."""

    takes_leases_over = True


class Nameless(Networkd):
    """A back end that knows no name servers, as ifupdown."""

    sets_name_servers = False


def test_a_back_end_that_knows_no_name_servers_says_where_they_are_to_be_named() -> None:
    found, wanted = host(LEASED, DHCP), request(ipv4=family("static", "192.0.2.10/24", gateway="192.0.2.1"))
    subject, _paths = subject_of(wanted, found, {"networkd": Nameless()})
    assert make_plan(wanted, found, subject, Nameless()).warnings == (
        "With static IPv4 addresses no DHCP server names the name servers; name them in /etc/resolv.conf on the host.",
    )


class TestLeasesThatGoAlong:
    """With a back end that takes them over."""

    def after(self, found: Links, text: str = DHCP, **options: t.Any) -> tuple[list[str], list[str]]:
        backends = {"networkd": Taking()}
        subject, _paths = subject_of(request(**options), host(found, text), backends)
        plan = make_plan(request(**options), host(found, text), subject, backends["networkd"])
        assert plan.after is not None
        return [a.text for a in plan.after.addresses], [route.gateway for route in plan.after.routes]

    def test_a_lease_and_its_route(self) -> None:
        assert self.after(LEASED) == (["192.0.2.10/24"], ["192.0.2.1"])

    def test_not_those_of_a_family_that_is_configured_anew(self) -> None:
        own = (leased("192.0.2.10/24"), leased("2001:db8::10/64"))
        found = links(device("eth0", *own), routes=(default_route(protocol="dhcp"), default_route("fe80::1", protocol="ra")))
        assert self.after(found) == (["192.0.2.10/24", "2001:db8::10/64"], ["192.0.2.1", "fe80::1"])
        for method in ("auto", "dhcp"):
            assert self.after(found, ipv6=family(method)) == self.after(found)
        assert self.after(found, ipv4=family("none")) == (["2001:db8::10/64"], ["fe80::1"])
        assert self.after(found, ipv6=family("none")) == (["192.0.2.10/24"], ["192.0.2.1"])
        assert self.after(found, ipv6=family("static", "2001:db8::7/64")) == (["192.0.2.10/24"], ["192.0.2.1"])

    def test_of_default_routes_only_the_configured_one(self) -> None:
        eth0 = device("eth0", address("192.0.2.10/24"))
        found = links(eth0, routes=(default_route("192.0.2.1"), default_route("192.0.2.9", protocol="dhcp")))
        assert self.after(found, STATIC) == (["192.0.2.10/24"], ["192.0.2.1"])


class TestAdoption:
    """A bridge of that name is left with nothing but guests' interfaces."""

    @pytest.mark.parametrize("own", [(address("192.0.2.10/24"),), (address("2001:db8::10/64"),), (leased("192.0.2.10/24"),), ()])
    def test_it_becomes_the_new_one_and_the_way_back_leaves_it(self, own: tuple[t.Any, ...]) -> None:
        before = links(device("eth0", *own), bridge(mac="52:54:00:00:00:99"), tap(), routes=(default_route(),))
        plan = plan_for(host(before))
        assert plan.before is not None
        assert not plan.before.bridged
        found = plan.transaction("1", request(), BACKENDS["networkd"])
        assert found.revert_batch[0] == "link set dev eth0 nomaster"
        assert f"link set dev br0 address {MAC}" in found.apply_batch
        assert found.leased == tuple(a.text for a in own if a.dynamic)

    def test_other_ports_or_addresses_are_refused(self) -> None:
        for taken in (device("eth1", master="br0"), tap()):
            over = bridge("br0", *(() if taken.kind != "tun" else (address("198.51.100.1/24"),)))
            with pytest.raises(RefusedError, match=r"^name: the bridge br0 is there already, with"):
                plan_for(host(links(*static_links().devices.values(), over, taken, routes=(default_route(),))))


class TestUnchanged:
    """The bridge is there, as wanted."""

    @pytest.mark.parametrize("text", [STATIC, DHCP])
    def test_there_is_nothing_to_do(self, text: str) -> None:
        plan = plan_for(present(text))
        assert not plan.changed
        assert plan.files == ()
        assert plan.reasons == ()
        assert plan.record is not None
        assert plan.before == plan.after

    def test_guests_do_not_matter(self) -> None:
        found = present()
        assert not plan_for(replace(found, links=Links({**found.links.devices, "vnet0": tap()}, found.links.routes))).changed

    def test_a_lease_that_is_on_its_way_is_waited_for(self) -> None:
        found = present(DHCP)
        devices = {name: replace(one, addresses=()) for name, one in found.links.devices.items()}
        assert not plan_for(replace(found, links=Links(devices))).changed

    def test_there_is_no_transaction(self) -> None:
        with pytest.raises(ValueError, match="there is nothing to do"):
            plan_for(present()).transaction("1", request(), BACKENDS["networkd"])

    def test_the_uplinks_own_file_may_change_or_go(self) -> None:
        found = present()
        for content in (b"[Match]\nName=eth0\n[Network]\nDHCP=yes\n", None):
            assert not plan_for(replace(found, files={**found.files, ORIGIN_PATH: content})).changed


def changed_device(found: Host, name: str, **values: t.Any) -> Host:
    devices = {**found.links.devices, name: replace(found.links.devices[name], **values)}
    return replace(found, links=Links(devices, found.links.routes))


class TestDrift:
    """Something of the bridge is not as it was made."""

    @pytest.mark.parametrize(
        ("name", "values", "reason"),
        [
            ("eth0", {"master": ""}, "eth0 is no port of br0"),
            ("eth0", {"up": False}, "eth0 is down"),
            ("eth0", {"mtu": 1400}, "MTU of eth0 is 1400, not 1500"),
            ("br0", {"up": False}, "br0 is down"),
            ("br0", {"mtu": 1400}, "MTU of br0 is 1400, not 1500"),
            ("br0", {"mac": "52:54:00:00:00:99"}, "MAC address of br0 is 52:54:00:00:00:99, not 52:54:00:12:34:56"),
            ("br0", {"stp": True}, "STP of br0 is on, not off"),
            ("br0", {"addresses": ()}, "br0 does not have 192.0.2.10/24"),
        ],
    )
    def test_it_is_put_right(self, name: str, values: dict[str, t.Any], reason: str) -> None:
        broken = changed_device(present(), name, **values)
        plan = plan_for(broken)
        assert plan.reasons == (reason,)
        gained = ["192.0.2.10/24"] if values == {"addresses": ()} else []
        assert (list(plan.gained), plan.lost) == (gained, ())
        assert list(plan.steps) == [
            "put br0 right",
            *(f"give br0 the address {text}" for text in gained),
            "have systemd-networkd follow its files",
        ]
        assert plan.outage == "Connections stay, and so do guests' interfaces on the bridge."
        assert plan.files == ()
        assert plan.forward is not None
        assert plan.backward is not None
        assert (plan.forward.to_bridge, plan.forward.fresh) == (plan.backward.to_bridge, plan.backward.fresh) == (True, False)
        assert plan.after is not None
        assert not plan.after.addresses
        repaired = made(broken, plan)
        assert not plan_for(repaired).changed

    def test_a_bridge_that_is_gone_is_made_again(self) -> None:
        found = present()
        devices = {"eth0": replace(found.links.devices["eth0"], master="")}
        plan = plan_for(replace(found, links=Links(devices)))
        assert plan.reasons == ("there is no bridge br0",)
        assert plan.after is not None
        assert plan.after.bridged

    def test_a_file_that_was_edited_is_written_again(self) -> None:
        found = present()
        for path in (*OWNED, RECORD_PATH):
            for content in (b"edited", None):
                plan = plan_for(replace(found, files={**found.files, path: content}))
                assert list(plan.steps) == ["put br0 right", f"write {path}", "have systemd-networkd follow its files"]
                assert plan.reasons == (f"{path} is {'missing' if content is None else 'not as wanted'}",)
                [change] = plan.files
                assert (change.before, change.after) == (content, found.files[path])

    def test_the_way_back_of_a_repair_keeps_the_bridge(self) -> None:
        broken = changed_device(present(), "br0", mtu=1400)
        found = plan_for(broken).transaction("1", request(), BACKENDS["networkd"])
        assert (found.new_bridge, found.old_bridge, found.carrier) == ("", "", "br0")
        assert "link set dev br0 mtu 1400 up" in found.revert_batch

    def test_an_uplink_that_is_gone_is_said(self) -> None:
        found = present()
        with pytest.raises(RefusedError) as caught:
            plan_for(replace(found, links=links(bridge())))
        assert str(caught.value) == (
            "The uplink eth0 of br0 is gone. Put the interface back, or see to it that it has its name again. If it is gone for "
            f"good, take the bridge down by hand: its files are {', '.join([*OWNED, RECORD_PATH])}."
        )

    def test_a_back_end_that_is_not_there_is_said(self) -> None:
        found = host(records={"br0": record(backend="netplan")})
        with pytest.raises(RefusedError) as caught:
            subject_of(request(), found, BACKENDS)
        assert str(caught.value) == "br0 was made with netplan, for which there is no back end here."


SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "mac": st.sampled_from(["52:54:00:00:00:07", "52:54:00:AA:BB:CC"]),
        "mtu": st.sampled_from([1400, 9000]),
        "stp": st.booleans(),
        "ipv4": st.sampled_from([family("dhcp"), family("none"), family("static", "198.51.100.7/24", gateway="198.51.100.1")]),
        "ipv6": st.sampled_from([family("auto"), family("dhcp"), family("static", "2001:db8::7/64", gateway="fe80::1")]),
        "dns": st.sampled_from([{"servers": ["192.0.2.53"], "search": None}, {"servers": [], "search": ["lan.test"]}]),
    },
)


@given(text=st.sampled_from([STATIC, DHCP]), first=SETTINGS, second=SETTINGS)
def test_after_a_plan_nothing_is_left_to_do(text: str, first: dict[str, t.Any], second: dict[str, t.Any]) -> None:
    found = present(text, **first)
    plan = plan_for(found, **first)
    assert (plan.steps, plan.reasons) == ((), ())
    assert plan.goal is not None
    assert shortfalls(plan.goal, found.links) == []
    again = plan_for(found, **second)
    if again.changed:
        found = made(found, again)
        assert not plan_for(found, **second).changed


class TestChangedSetting:
    """The task asks for something else than before."""

    def test_the_uplinks_mac_address_comes_back_when_no_other_is_asked_for(self) -> None:
        found = present()
        plan = plan_for(found, mac="52:54:00:00:00:07")
        edited = f"{OWNED[0]} is not as wanted"
        assert plan.reasons == ("MAC address of br0 is 52:54:00:12:34:56, not 52:54:00:00:00:07", edited)
        assert [change.path for change in plan.files] == [OWNED[0]]
        changed = made(found, plan)
        assert not plan_for(changed, mac="52:54:00:00:00:07").changed
        assert plan_for(changed).reasons == ("MAC address of br0 is 52:54:00:00:00:07, not 52:54:00:12:34:56", edited)

    def test_an_mtu_that_the_uplink_cannot_have(self) -> None:
        found = present()
        uplink = replace(found.links.devices["eth0"], max_mtu=1500)
        small = replace(found, links=replace(found.links, devices={**found.links.devices, "eth0": uplink}))
        with pytest.raises(InputError) as caught:
            plan_for(small, mtu=1501)
        assert str(caught.value) == "mtu: '1501' is more than eth0 can have, which is 1500."
        assert plan_for(small, mtu=1400).changed

    def test_an_address(self) -> None:
        found = present()
        plan = plan_for(found, ipv4=family("static", "198.51.100.7/24"))
        assert plan.reasons == ("br0 does not have 198.51.100.7/24", f"{OWNED[1]} is not as wanted")
        assert [change.path for change in plan.files] == [OWNED[1]]
        assert (plan.gained, plan.lost) == (("198.51.100.7/24",), ("192.0.2.10/24",))
        assert list(plan.steps) == [
            "put br0 right",
            "give br0 the address 198.51.100.7/24",
            "take away the address 192.0.2.10/24",
            f"write {OWNED[1]}",
            "have systemd-networkd follow its files",
        ]
        assert plan.outage == LOSES

    def test_the_address_of_a_new_bridge(self) -> None:
        plan = plan_for(host(), ipv4=family("static", "198.51.100.7/24"))
        assert (plan.gained, plan.lost, plan.outage) == (("198.51.100.7/24",), ("192.0.2.10/24",), LOSES)
        assert list(plan.steps)[2:4] == ["give br0 the address 198.51.100.7/24", "take away the address 192.0.2.10/24"]

    def test_addresses_stay_where_the_back_end_is_not_asked_anew(self) -> None:
        """A record that is written again says nothing to networkd; a file of its own makes it look at the addresses again."""
        found = present()
        bridged = found.links.devices["br0"]
        found = changed_device(found, "br0", addresses=(*bridged.addresses, address("192.0.2.99/24")))
        assert not plan_for(found).changed
        assert plan_for(replace(found, files={**found.files, RECORD_PATH: None})).lost == ()
        assert plan_for(replace(found, files={**found.files, OWNED[1]: None})).lost == ("192.0.2.99/24",)

    @pytest.mark.parametrize("there", [False, True])
    def test_what_a_static_family_does_without(self, there: bool) -> None:
        found = present(DHCP) if there else host(LEASED, DHCP)
        static = family("static", "192.0.2.10/24")
        no_route = "ipv4.gateway is not given, and the host loses its IPv4 default route."
        no_names = "With static IPv4 addresses no DHCP server names the name servers; name them in dns.servers."
        if there:
            found = replace(found, links=replace(found.links, routes=(default_route(link="br0", protocol="dhcp"),)))
        assert plan_for(found, ipv4=static).warnings == (no_route, no_names)
        names = {"servers": [], "search": None}
        assert plan_for(found, ipv4=static, dns=names).warnings == (no_route,)
        assert plan_for(found, ipv4={**static, "gateway": "192.0.2.1"}, dns=names).warnings == ()
        assert plan_for(found, ipv4={**static, "gateway": "192.0.2.1"}).warnings == (no_names,)
        for method in ("dhcp", "none"):
            assert plan_for(found, ipv4=family(method), mtu=1400).warnings == ()
        # the other family has no route and no lease to lose
        assert plan_for(found, ipv6=family("static", "2001:db8::7/64")).warnings == ()

    def test_a_static_family_of_a_bridge_that_is_gone(self) -> None:
        found = present(STATIC, ipv4=family("static", "192.0.2.10/24"))
        gone = replace(found, links=links(device("eth0")))
        plan = plan_for(gone, ipv4=family("static", "192.0.2.10/24"))
        assert plan.reasons == ("there is no bridge br0",)
        assert (plan.warnings, plan.lost, plan.gained) == ((), (), ("192.0.2.10/24",))


class TestAbsent:
    """The uplink gets its own configuration back."""

    def test_the_steps(self) -> None:
        plan = plan_for(present(), state="absent")
        assert list(plan.steps) == [
            "take eth0 out of br0",
            "move 192.0.2.10/24 from br0 to eth0",
            "move the route to default from br0 to eth0",
            "remove br0",
            *(f"remove {path}" for path in (*OWNED, RECORD_PATH)),
            "have systemd-networkd follow its files",
        ]
        assert plan.reasons == ("state: absent",)
        assert all(change.after is None and change.before is not None for change in plan.files)
        assert plan.warnings == ()

    def test_an_address_that_only_the_bridge_has_is_lost(self) -> None:
        found = present()
        bridge_now = replace(found.links.devices["br0"], addresses=(address("198.51.100.7/24"),))
        other = replace(found, links=replace(found.links, devices={**found.links.devices, "br0": bridge_now}))
        plan = plan_for(other, state="absent")
        assert plan.lost == ("198.51.100.7/24",)
        assert "take away the address 198.51.100.7/24" in plan.steps
        assert plan.outage.startswith("The host loses 198.51.100.7/24, and connections to that end.")

    @pytest.mark.parametrize("text", [STATIC, DHCP])
    def test_there_and_back_is_as_before(self, text: str) -> None:
        there = present(text)
        plan = plan_for(there, state="absent")
        assert plan.goal is not None
        assert not plan.goal.bridged
        back = made(there, plan)
        assert shortfalls(plan.goal, back.links) == []
        assert back.records == {}
        assert {path for path, content in back.files.items() if content is not None} == {ORIGIN_PATH}
        assert not plan_for(back, state="absent").changed
        assert back.links.devices["eth0"].master == ""
        assert "br0" not in back.links.devices

    def test_the_transaction(self) -> None:
        found = plan_for(present(), state="absent").transaction("1", request(), BACKENDS["networkd"])
        assert (found.new_bridge, found.old_bridge, found.carrier) == ("", "br0", "br0")
        assert found.bridge == ("br0", MAC)  # so that the way back can make it again
        assert found.apply_batch[0] == "link set dev eth0 nomaster"
        assert "link set dev eth0 master br0" in found.revert_batch

    def test_guests_are_not_cut_off(self) -> None:
        found = present()
        crowded = replace(found, links=Links({**found.links.devices, "vnet0": tap(), "vnet1": tap("vnet1")}, found.links.routes))
        with pytest.raises(RefusedError) as caught:
            plan_for(crowded, state="absent")
        assert str(caught.value) == (
            "br0 has other ports than eth0: vnet0, vnet1, which would be cut off. Stop or move the guests that they belong to, "
            "or say force: true."
        )
        plan = plan_for(crowded, state="absent", force=True)
        assert plan.changed
        assert plan.warnings == ("br0 stays, without an uplink, for vnet0, vnet1, until the next boot.",)
        # and a second run finds nothing to do, but says what is left
        again = plan_for(made(crowded, plan), state="absent")
        assert not again.changed
        assert again.warnings == (
            "The bridge br0 is left, with vnet0, vnet1 plugged in and no uplink; it is gone after the next boot.",
        )

    def test_the_uplinks_file_comes_back_where_it_is_gone(self) -> None:
        found = present()
        plan = plan_for(replace(found, files={**found.files, ORIGIN_PATH: None}), state="absent")
        [change] = [change for change in plan.files if change.path == ORIGIN_PATH]
        assert (change.before, change.after) == (None, STATIC.encode())
        # what somebody wrote there meanwhile stays
        plan = plan_for(replace(found, files={**found.files, ORIGIN_PATH: b"newer"}), state="absent")
        assert ORIGIN_PATH not in [change.path for change in plan.files]

    @pytest.mark.parametrize("path", ["/run/systemd/network/10-netplan.network", "/usr/lib/systemd/network/80-a.network", ""])
    def test_a_file_of_somebody_else_is_not_written(self, path: str) -> None:
        kept = record(origin=replace(record().origin, path=path))
        found = host(bridged_links(), records={"br0": kept}, files={})
        assert path not in [change.path for change in plan_for(found, state="absent").files]

    def test_a_bridge_that_is_gone_already(self) -> None:
        found = present()
        devices: dict[str, Device] = {"eth0": replace(found.links.devices["eth0"], master="")}
        plan = plan_for(replace(found, links=Links(devices)), state="absent")
        assert [change.path for change in plan.files] == [*OWNED, RECORD_PATH]
        found_change = plan.transaction("1", request(), BACKENDS["networkd"])
        # whatever is there of it when the change is made
        assert (found_change.old_bridge, found_change.bridge) == ("br0", ("br0", ""))

    def test_a_bridge_that_lost_its_uplink_goes_as_well(self) -> None:
        found = changed_device(changed_device(present(), "eth0", master=""), "br0", addresses=())
        change = plan_for(found, state="absent").transaction("1", request(), BACKENDS["networkd"])
        assert (change.old_bridge, change.new_bridge, change.bridge) == ("br0", "", ("br0", MAC))

    def test_the_uplinks_file_is_followed_as_it_is_now(self) -> None:
        found = present()
        newer = STATIC.replace("192.0.2.10/24", "192.0.2.20/24").replace("Gateway=192.0.2.1", "Gateway=192.0.2.254")
        shorter = STATIC.replace("Gateway=192.0.2.1\nDNS=192.0.2.1\n", "")
        for text, addresses, gateways in (
            (STATIC, ("192.0.2.10/24",), ("192.0.2.1",)),
            (newer, ("192.0.2.20/24",), ("192.0.2.254",)),
            (shorter, ("192.0.2.10/24",), ()),
            ("", (), ()),
        ):
            plan = plan_for(replace(found, files={**found.files, ORIGIN_PATH: text.encode()}), state="absent")
            assert plan.goal is not None
            assert (plan.goal.addresses, plan.goal.gateways) == (addresses, gateways)
            assert plan.goal.routed == ((4,) if gateways else ())
            assert plan.record == found.records["br0"]
        dhcp = plan_for(replace(found, files={**found.files, ORIGIN_PATH: DHCP.encode()}), state="absent")
        assert dhcp.goal is not None
        assert (dhcp.goal.addresses, dhcp.goal.leased) == ((), ())

    def test_what_overrides_parts_of_the_uplinks_file_still_does(self) -> None:
        part = "[Network]\nAddress=192.0.2.30/24\n"
        kept = record(origin=replace(record().origin, text=f"{STATIC}\n{part}"))
        found = host(bridged_links(), records={"br0": kept})
        plan = plan_for(found, state="absent")
        assert plan.goal is not None
        assert plan.goal.addresses == ("192.0.2.10/24", "192.0.2.30/24")

    def test_nothing_there_is_nothing_to_do(self) -> None:
        plan = plan_for(host(), state="absent")
        assert (plan.record, plan.steps, plan.warnings) == (None, (), ())

    @pytest.mark.parametrize(
        "taken",
        [
            (device("br0", kind="dummy"),),
            (bridge(), device("eth1", master="br0")),
            (bridge("br0", address("198.51.100.1/24")),),
            (bridge("br0", address("2001:db8:9::1/64")), tap()),
        ],
    )
    def test_what_was_not_made_here_is_not_removed(self, taken: tuple[Device, ...]) -> None:
        with pytest.raises(RefusedError, match=r"^name: there is an interface br0 on this host that was not made by host_bridge"):
            plan_for(host(links(*static_links().devices.values(), *taken)), state="absent")


def test_the_files_that_a_plan_has_to_know() -> None:
    assert subject_of(request(), host(), BACKENDS)[1] == [*OWNED, RECORD_PATH, ORIGIN_PATH]
    assert subject_of(request(), host(records={"br0": record()}), BACKENDS)[1] == [*OWNED, RECORD_PATH, ORIGIN_PATH]
    assert subject_of(request(state="absent"), host(), BACKENDS) == (None, [])
    kept = record(origin=replace(record().origin, path=""))
    assert subject_of(request(), host(records={"br0": kept}), BACKENDS)[1] == [*OWNED, RECORD_PATH]


def test_a_manager_whose_configuration_cannot_be_read_is_said() -> None:
    for known in (None, replace(management(), backend="netplan")):
        with pytest.raises(RefusedError) as caught:
            subject_of(Request(name="br0", state="present"), host(management=known), BACKENDS)
        assert str(caught.value) == "networkd manages eth0, and has no configuration for it that could be read."
