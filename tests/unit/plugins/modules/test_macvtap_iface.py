# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""macvtap_iface, from the task to an interface that is so, and macvtap_iface_info; on a model of the kernel."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._nic.mac import make_mac
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import Result
from ansible_collections.kvmops.network.tests.unit.plugins.support.macvtap_host import MACHINE_ID, MacvtapHost

MADE = make_mac(machine_id=MACHINE_ID, domain="", nic="mv0")
MAC = "52:54:00:7a:00:01"
SERVICE = "/etc/systemd/system/kvmops-mv0.service"
STARTS = "/etc/udev/rules.d/71-kvmops-mv0.rules"
OPENS = "/etc/udev/rules.d/70-kvmops-mv0.rules"
NETDEV = "/etc/systemd/network/0-kvmops-mv0.netdev"
NETWORK = "/etc/systemd/network/0-kvmops-mv0.network"
ADDITION = "/etc/systemd/network/10-eth1.network.d/kvmops-mv0.conf"
PROFILE = "/etc/NetworkManager/system-connections/kvmops-mv0.nmconnection"
TAP = {"owner": "qemu", "group": "kvm", "mode": "0660"}
SHIM: dict[str, t.Any] = {
    "kind": "macvlan",
    "addresses": ["192.0.2.250/32"],
    "routes": [{"destination": "192.0.2.128/25"}],
}


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MacvtapHost:
    return MacvtapHost(tmp_path, monkeypatch)


def by_networkd(host: MacvtapHost) -> None:
    host.networkd = 257
    host.manage(host.kernel.links["eth1"], "10-eth1.network")


def by_network_manager(host: MacvtapHost) -> None:
    host.missing.clear()
    host.managed_by_network_manager.add("eth1")


def succeeded(result: Result) -> Result:
    assert not result.failed, result.msg
    return result


# each with what the interface is then, apart from what a short task makes
TASKS: dict[str, tuple[dict[str, t.Any], dict[str, t.Any]]] = {
    "short": ({}, {}),
    "macvlan": ({"kind": "macvlan"}, {"kind": "macvlan"}),
    **{f"mode {mode}": ({"mode": mode}, {"mode": mode}) for mode in ("bridge", "vepa", "private", "source")},
    "mode passthru": ({"mode": "passthru"}, {"mode": "passthru", "mac": "02:00:00:00:aa:02"}),
    "libvirt's word": (
        {"mode": "passthrough", "flags": ["nopromisc"], "mac": MAC},
        {"mode": "passthru", "flags": ["nopromisc"], "mac": MAC},
    ),
    "sources": (
        {"mode": "source", "flags": ["nodst"], "source_macs": ["02:00:00:00:00:0B", "02:00:00:00:00:0a"]},
        {"mode": "source", "flags": ["nodst"], "source_macs": ["02:00:00:00:00:0a", "02:00:00:00:00:0b"]},
    ),
    "MAC address": ({"mac": MAC.upper()}, {"mac": MAC}),
    "MTU": ({"mtu": 1400}, {"mtu": 1400}),
    "MTU without IPv6": ({"mtu": 68}, {"mtu": 68}),
    "queues": ({"queues": 4}, {"queues": 4}),
    "queue for broadcasts": ({"bcqueuelen": 500}, {"bcqueuelen": 500}),
    "down": ({"link": "down"}, {"link": "down"}),
    "another parent": ({"parent": "eth2"}, {"parent": "eth2"}),
    "addresses and routes": (
        SHIM,
        {
            "kind": "macvlan",
            "addresses": ["192.0.2.250/32"],
            "routes": [{"destination": "192.0.2.128/25", "gateway": None, "metric": 0}],
        },
    ),
    "IPv6": (
        {"addresses": ["2001:db8::1/64"], "routes": [{"destination": "2001:db8:1::/48", "gateway": "2001:db8::9"}]},
        {
            "addresses": ["2001:db8::1/64"],
            "routes": [{"destination": "2001:db8:1::/48", "gateway": "2001:db8::9", "metric": 1024}],
        },
    ),
    "device node": ({"tap": TAP}, {}),
}

SHORT = {
    "name": "mv0",
    "kind": "macvtap",
    "parent": "eth1",
    "mode": "bridge",
    "flags": [],
    "mac": MADE,
    "source_macs": [],
    "mtu": 1500,
    "queues": 1,
    "bcqueuelen": 1000,
    "link": "up",
    "addresses": [],
    "routes": [],
}
ONLY_THEN = ("ifindex", "tap_device", "tap_mode", "tap_owner", "tap_group", "effective_bcqueuelen")


@pytest.mark.parametrize("name", TASKS)
class TestNew:
    """An interface that is not there: predicted, made, and left as it is."""

    def test_predicted_made_and_left(self, host: MacvtapHost, name: str) -> None:
        options, expected = TASKS[name]
        before = host.state()
        told = succeeded(host.task(check=True, **options))
        assert host.done == []
        assert host.state() == before
        made = succeeded(host.task(**options))
        for key in ("changed", "actions", "recreated", "backend", "diff"):
            assert told.data[key] == made.data[key]
        for result in (told, made):
            shown = result.data["interface"]
            assert {key: shown[key] for key in SHORT} == {**SHORT, **expected}
            assert not result.data["recreated"]
        assert {key: told.data["interface"][key] for key in ONLY_THEN} == dict.fromkeys(ONLY_THEN)
        assert made.data["interface"]["ifindex"] == host.kernel.links["mv0"].index
        for check in (True, False):
            again = succeeded(host.task(check=check, **options))
            assert (again.changed, again.data["actions"], host.done) == (False, [], [])
            assert again.data["interface"] == made.data["interface"]
            assert "diff" not in again.data

    def test_what_the_kernel_has(self, host: MacvtapHost, name: str) -> None:
        options, expected = TASKS[name]
        succeeded(host.task(**options))
        link = host.kernel.links["mv0"]
        wanted = {**SHORT, **expected}
        assert (link.kind, link.parent, link.mode, link.mtu) == tuple(wanted[key] for key in ("kind", "parent", "mode", "mtu"))
        assert (list(link.flags), link.mac, link.queues) == (wanted["flags"], wanted["mac"], (wanted["queues"],) * 2)
        assert (link.queue, link.up, link.addresses) == (wanted["bcqueuelen"], wanted["link"] == "up", wanted["addresses"])
        assert list(link.source_macs) == wanted["source_macs"]
        if link.mtu >= 1280:
            assert (link.disable_ipv6, link.accept_ra) == (0 if any(":" in text for text in link.addresses) else 1, 0)

    def test_and_gone_again(self, host: MacvtapHost, name: str) -> None:
        empty = host.state()
        succeeded(host.task(**TASKS[name][0]))
        told = succeeded(host.task(state="absent", check=True))
        gone = succeeded(host.task(state="absent"))
        for result in (told, gone):
            assert result.changed
            assert result.data["interface"] is None
            assert result.data["actions"] == told.data["actions"]
        assert host.state()[:2] == empty[:2]
        for check in (True, False):
            assert not succeeded(host.task(state="absent", check=check)).changed


# a task, then another one: what is said, and whether it is made anew
CHANGES: dict[str, tuple[dict[str, t.Any], dict[str, t.Any], list[str], bool]] = {
    "mode": ({}, {"mode": "vepa"}, ["change the mode from bridge to vepa"], False),
    "mode source": (
        {},
        {"mode": "source", "source_macs": [MAC]},
        ["change the mode from bridge to source", f"let in frames from {MAC}"],
        False,
    ),
    "flag": ({"mode": "source"}, {"mode": "source", "flags": ["nodst"]}, ["change the mode from source to source nodst"], False),
    "MAC address": ({}, {"mac": MAC}, [f"change the MAC address from {MADE} to {MAC}"], False),
    "MTU": ({}, {"mtu": 1400}, ["change the MTU from 1500 to 1400"], False),
    "MTU that ends IPv6": (
        {"addresses": ["2001:db8::1/64"]},
        {"mtu": 1000},
        ["change the MTU from 1500 to 1000", "take away the address 2001:db8::1/64"],
        False,
    ),
    "queue": ({}, {"bcqueuelen": 5}, ["change the queue for broadcasts from 1000 to 5 packets"], False),
    "down": ({}, {"link": "down"}, ["take the link down"], False),
    "up": ({"link": "down"}, {}, ["bring the link up"], False),
    "down with an IPv6 address": (
        {"addresses": ["2001:db8::1/64"]},
        {"addresses": ["2001:db8::1/64"], "link": "down"},
        ["take the link down"],
        False,
    ),
    "down with another prefix": (
        {"addresses": ["2001:db8::1/128"]},
        {"addresses": ["2001:db8::1/64"], "link": "down"},
        ["give it the address 2001:db8::1/64", "take away the address 2001:db8::1/128", "take the link down"],
        False,
    ),
    "addresses of one subnet": (
        {"addresses": ["198.51.100.1/24", "198.51.100.2/24"], "routes": [{"destination": "10.0.0.0/8"}]},
        {"addresses": ["198.51.100.2/24"], "routes": [{"destination": "10.0.0.0/8"}]},
        ["take away the address 198.51.100.1/24", "keep the routes that stay"],
        False,
    ),
    "no addresses": (
        {"addresses": ["198.51.100.1/24", "198.51.100.2/24", "2001:db8::1/64"]},
        {},
        [
            "take away the address 198.51.100.1/24",
            "take away the address 198.51.100.2/24",
            "take away the address 2001:db8::1/64",
            "turn IPv6 off on it",
        ],
        False,
    ),
    "routes": (
        SHIM,
        {**SHIM, "routes": [{"destination": "192.0.2.192/26"}]},
        ["take away the route to 192.0.2.128/25", "give it the route to 192.0.2.192/26"],
        False,
    ),
    "kind": (
        {},
        {"kind": "macvlan"},
        ["make mv0 anew as a macvlan on eth1, mode bridge: it is a macvtap and not a macvlan"],
        True,
    ),
    "parent": (
        {},
        {"parent": "eth2"},
        ["make mv0 anew as a macvtap on eth2, mode bridge: it stands on eth1 and not on eth2"],
        True,
    ),
    "queues": ({}, {"queues": 2}, ["make mv0 anew as a macvtap on eth1, mode bridge: it has 1/1 queues and not 2/2"], True),
    "to passthru": (
        {},
        {"mode": "passthru"},
        ["make mv0 anew as a macvtap on eth1, mode passthru: its mode is bridge and not passthru"],
        True,
    ),
    "from passthru": (
        {"mode": "passthru", "mac": MAC},
        {},
        ["make mv0 anew as a macvtap on eth1, mode bridge: its mode is passthru and not bridge"],
        True,
    ),
    "from passthru with the same MAC address": (
        {"mode": "passthru", "mac": MAC},
        {"mac": MAC},
        ["make mv0 anew as a macvtap on eth1, mode bridge: its mode is passthru and not bridge"],
        True,
    ),
    "a flag less": (
        {"mode": "source", "flags": ["nodst"]},
        {"mode": "source"},
        ["make mv0 anew as a macvtap on eth1, mode source: it has the flag nodst, which cannot be taken away"],
        True,
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_change(host: MacvtapHost, name: str) -> None:
    first, then, said, anew = CHANGES[name]
    succeeded(host.task(backend="none", **first))
    index = host.kernel.links["mv0"].index
    before = host.state()
    told = succeeded(host.task(check=True, backend="none", **then))
    assert host.state() == before
    made = succeeded(host.task(backend="none", **then))
    for result in (told, made):
        assert (result.changed, result.data["actions"], result.data["recreated"]) == (True, said, anew)
    assert told.data["diff"] == made.data["diff"]
    assert (host.kernel.links["mv0"].index != index) == anew
    same = set(SHORT) - ({"mac"} if "passthru" in str(then) else set())
    assert {key: told.data["interface"][key] for key in same} == {key: made.data["interface"][key] for key in same}
    assert not succeeded(host.task(backend="none", **then)).changed


class TestIdempotence:
    """What looks otherwise than it was asked for, and is the same."""

    def test_on_another_macvtap(self, host: MacvtapHost) -> None:
        host.make("mv1")
        for changed in (True, False, False):
            result = succeeded(host.task(parent="mv1"))
            assert (result.changed, result.data["interface"]["parent"]) == (changed, "eth1")

    def test_passthru_with_the_parents_address(self, host: MacvtapHost) -> None:
        for changed in (True, False):
            assert succeeded(host.task(mode="passthru")).changed == changed
        assert host.kernel.links["mv0"].mac == host.kernel.links["eth1"].mac

    def test_passthru_with_its_own(self, host: MacvtapHost) -> None:
        first = succeeded(host.task(mode="passthru", mac=MAC))
        [warning] = first.warnings
        assert warning == ("With passthru the MAC address is that of eth1 as well, which changes from 02:00:00:00:aa:02 to it.")
        again = succeeded(host.task(mode="passthru", mac=MAC))
        assert (again.changed, again.warnings) == (False, ())
        assert host.kernel.links["eth1"].mac == MAC
        succeeded(host.task(state="absent"))
        assert host.kernel.links["eth1"].mac == "02:00:00:00:aa:02"

    def test_the_queue_of_a_sibling(self, host: MacvtapHost) -> None:
        host.make("mv1", queue=5000)
        for changed in (True, False):
            result = succeeded(host.task())
            assert result.changed == changed
            assert (result.data["interface"]["bcqueuelen"], result.data["interface"]["effective_bcqueuelen"]) == (1000, 5000)

    def test_an_iproute2_that_shows_no_queue(self, host: MacvtapHost) -> None:
        host.kernel.shows_queue = False
        for changed in (True, False):
            result = succeeded(host.task())
            assert (result.changed, result.data["interface"]["bcqueuelen"]) == (changed, None)

    def test_the_parents_mtu_is_followed(self, host: MacvtapHost) -> None:
        succeeded(host.task())
        host.kernel.links["eth1"].mtu = 9000
        result = succeeded(host.task())
        assert result.data["actions"] == ["change the MTU from 1500 to 9000"]
        assert host.kernel.links["mv0"].mtu == 9000

    def test_what_somebody_did_is_undone(self, host: MacvtapHost) -> None:
        succeeded(host.task(**SHIM))
        link = host.kernel.links["mv0"]
        host.kernel.do("address add 192.0.2.251/32 dev mv0")
        host.kernel.do("route add 10.0.0.0/8 metric 5 dev mv0")
        link.accept_ra, link.disable_ipv6 = 1, 0
        host.write(SERVICE, f"{host.disk[SERVICE]}# something else\n")
        result = succeeded(host.task(**SHIM))
        assert result.data["actions"] == [
            "take away the route to 10.0.0.0/8",
            "take away the address 192.0.2.251/32",
            "turn IPv6 off on it",
            "keep the routes that stay",
            f"write {SERVICE}",
        ]
        assert not succeeded(host.task(**SHIM)).changed

    def test_flags_of_a_mode_before(self, host: MacvtapHost) -> None:
        succeeded(host.task(mode="source", flags=["nodst"]))
        assert succeeded(host.task()).data["recreated"] is False
        assert host.kernel.links["mv0"].flags == ("nodst",)
        result = succeeded(host.task())
        assert (result.changed, result.data["interface"]["flags"]) == (False, [])
        # and it would count again
        assert succeeded(host.task(mode="source")).data["recreated"] is True


class TestBackends:
    """What makes the interface at boot."""

    def test_a_unit(self, host: MacvtapHost) -> None:
        result = succeeded(host.task())
        assert result.data["backend"] == "unit"
        assert set(host.disk) == {SERVICE, STARTS}
        assert result.data["actions"] == ["make the macvtap mv0 on eth1, mode bridge", f"write {SERVICE}", f"write {STARTS}"]
        assert host.done == [
            f"write_file {SERVICE}",
            f"write_file {STARTS}",
            "udevadm control --reload",
            "ip -batch",
            f"link add name mv0 link eth1 mtu 1500 address {MADE} type macvtap mode bridge",
            "link set dev mv0 allmulticast on",
            "set net/ipv6/conf/mv0/accept_ra 0",
            "set net/ipv6/conf/mv0/disable_ipv6 1",
            "ip -batch",
            "link set dev mv0 up",
            "systemctl daemon-reload",
        ]

    def test_networkd(self, host: MacvtapHost) -> None:
        by_networkd(host)
        result = succeeded(host.task(**SHIM))
        assert result.data["backend"] == "networkd"
        assert set(host.disk) == {NETDEV, NETWORK, ADDITION}
        assert host.done[-1] == "networkctl reload"
        assert not succeeded(host.task(**SHIM)).changed
        # of another kind: it forgets the old one first
        result = succeeded(host.task())
        assert result.data["recreated"]
        assert host.done[0] == "networkd forgets mv0"
        assert set(host.disk) == {NETDEV, NETWORK, ADDITION}
        assert not succeeded(host.task()).changed
        succeeded(host.task(state="absent"))
        assert host.disk == {}

    def test_network_manager(self, host: MacvtapHost) -> None:
        by_network_manager(host)
        result = succeeded(host.task(**SHIM))
        assert result.data["backend"] == "networkmanager"
        assert set(host.disk) == {PROFILE}
        assert (host.root / PROFILE.lstrip("/")).stat().st_mode & 0o777 == 0o600
        assert host.done[-1] == f"nmcli connection load {PROFILE}"
        assert not succeeded(host.task(**SHIM)).changed

    def test_network_manager_made_it_at_boot(self, host: MacvtapHost) -> None:
        by_network_manager(host)
        succeeded(host.task())
        host.managed_by_network_manager.add("mv0")
        assert not succeeded(host.task()).changed
        # with its profile it takes the interface away
        told = succeeded(host.task(backend="unit", check=True))
        result = succeeded(host.task(backend="unit"))
        assert told.data["actions"] == result.data["actions"]
        assert result.data["recreated"]
        assert host.done[0] == "NetworkManager forgets mv0"
        assert set(host.disk) == {SERVICE, STARTS}
        assert not succeeded(host.task(backend="unit")).changed

    def test_another_one_takes_over(self, host: MacvtapHost) -> None:
        by_networkd(host)
        succeeded(host.task())
        result = succeeded(host.task(backend="unit"))
        assert not result.data["recreated"]
        assert set(host.disk) == {SERVICE, STARTS, NETWORK}
        assert "Unmanaged=yes" in host.disk[NETWORK]
        # and keeps it
        assert not succeeded(host.task()).changed
        succeeded(host.task(backend="none"))
        assert set(host.disk) == {NETWORK}

    def test_networkd_leaves_it_alone_before_it_is_made(self, host: MacvtapHost) -> None:
        by_networkd(host)
        succeeded(host.task(backend="unit"))
        made = next(number for number, line in enumerate(host.done) if line.startswith("link add "))
        assert host.done.index("networkctl reload") < made
        assert host.done[-1] == "systemctl daemon-reload"

    def test_it_stays_with_its_manager_without_a_cable(self, host: MacvtapHost) -> None:
        by_networkd(host)
        succeeded(host.task())
        state = host.root / f"run/systemd/netif/links/{host.kernel.links['eth1'].index}"
        state.unlink()
        result = succeeded(host.task())
        assert (result.changed, result.data["backend"]) == (False, "networkd")
        result = succeeded(host.task(mtu=1400))
        assert (result.data["backend"], result.data["recreated"]) == ("networkd", False)
        assert set(host.disk) == {NETDEV, NETWORK, ADDITION}

    def test_the_address_in_its_file_comes_first(self, host: MacvtapHost) -> None:
        by_network_manager(host)
        succeeded(host.task(mac=MAC))
        host.kernel.links["mv0"].mac = "82:00:00:00:00:01"  # NetworkManager, while it is not in use
        result = succeeded(host.task())
        assert result.data["actions"] == [f"change the MAC address from 82:00:00:00:00:01 to {MAC}"]
        assert not succeeded(host.task()).changed

    def test_nobody_brings_the_parent_up(self, host: MacvtapHost) -> None:
        warning = "Nobody configures eth1 at boot. If nobody brings it up then, nothing passes mv0."
        for manager in (None, by_network_manager):
            host.managed_by_ifupdown.clear()
            if manager is not None:
                manager(host)
            for check in (True, False):
                assert succeeded(host.task(check=check)).warnings == (() if manager is not None else (warning,))

    def test_nothing(self, host: MacvtapHost) -> None:
        host.has_systemd = False
        result = succeeded(host.task(backend="none"))
        assert (result.data["backend"], host.disk) == ("none", {})

    def test_networkd_makes_it(self, host: MacvtapHost) -> None:
        by_networkd(host)
        succeeded(host.task())
        assert host.done == [f"write_file {NETDEV}", f"write_file {NETWORK}", f"write_file {ADDITION}", "networkctl reload"]
        assert host.kernel.links["mv0"].mac == MADE
        assert not succeeded(host.task()).changed

    def test_networkd_is_not_given_what_is_there(self, host: MacvtapHost) -> None:
        by_networkd(host)
        host.make()
        result = succeeded(host.task())
        assert (result.data["backend"], result.data["recreated"]) == ("unit", False)
        result = succeeded(host.task(backend="networkd"))
        assert (result.data["backend"], result.data["recreated"]) == ("networkd", True)
        assert not succeeded(host.task()).changed

    def test_networkd_does_not_make_it(self, host: MacvtapHost) -> None:
        by_networkd(host)
        host.networkd_makes = False
        assert host.task(kind="macvlan").msg == (
            "mv0 did not stay as it was made; what would have to be done again: make the macvlan mv0 on eth1, mode bridge. All "
            "is as it was before."
        )
        assert host.disk == {}

    def test_networkd_is_waited_for(self, host: MacvtapHost) -> None:
        by_networkd(host)
        host.networkd_settles = False
        result = host.task()
        assert result.msg == (
            "mv0 did not stay as it was made; what would have to be done again: networkd is still at work on it. All is as it "
            "was before."
        )
        assert "mv0" not in host.kernel.links
        assert host.disk == {}


class TestWhatSomebodyGaveTheParent:
    """networkd takes it away when it configures the parent again."""

    LINES: t.ClassVar[tuple[str, ...]] = (
        "address replace 192.0.2.77/24 dev eth1",
        "route replace 10.0.0.0/8 metric 5 proto boot scope link dev eth1",
    )

    @pytest.fixture
    def given(self, host: MacvtapHost) -> MacvtapHost:
        by_networkd(host)
        for line in self.LINES:
            host.kernel.do(line)
        return host

    def parent(self, host: MacvtapHost) -> t.Any:
        link = host.kernel.links["eth1"]
        return set(link.addresses), set(link.routes)

    def test_a_new_interface_goes_to_the_unit(self, given: MacvtapHost) -> None:
        before = self.parent(given)
        for changed in (True, False):
            result = succeeded(given.task())
            assert (result.changed, result.data["backend"]) == (changed, "unit")
        assert self.parent(given) == before

    def test_it_is_put_back(self, host: MacvtapHost) -> None:
        by_networkd(host)
        succeeded(host.task())
        for line in self.LINES:
            host.kernel.do(line)
        before = self.parent(host)
        result = succeeded(host.task(kind="macvlan"))
        assert (result.data["backend"], result.data["recreated"]) == ("networkd", True)
        assert [line for line in host.done if line in self.LINES] == list(self.LINES)
        assert self.parent(host) == before
        assert not succeeded(host.task(kind="macvlan")).changed
        succeeded(host.task(state="absent", parent=None))
        assert [line for line in host.done if line in self.LINES] == list(self.LINES)
        assert self.parent(host) == before

    def test_what_networkd_gives_itself_is_not_meant(self, host: MacvtapHost) -> None:
        link = host.kernel.links["eth1"]
        link.addresses.append("2001:db8::5/64")
        by_networkd(host)
        host.kernel.do("route add 10.0.0.0/8 via 192.0.2.1 proto static dev eth1")
        assert succeeded(host.task()).data["backend"] == "networkd"

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("[Network]\nAddress=192.0.2.10/24\n", "networkd"),
            ("[Address]\nAddress=192.0.2.10/24\nLabel=eth1:1\n", "networkd"),
            ("[Network]\nAddress=nonsense\nAddress=192.0.2.10/24\n", "networkd"),
            ("[Network]\nDHCP=yes\n", "unit"),
            ("[Network]\nAddress=192.0.2.10/25\n", "unit"),
            ("[DHCPServer]\nAddress=192.0.2.10/24\n", "unit"),
        ],
    )
    def test_where_networkd_has_addresses(self, host: MacvtapHost, text: str, expected: str) -> None:
        by_networkd(host)
        host.write("/run/systemd/network/10-eth1.network", text)
        assert succeeded(host.task(check=True)).data["backend"] == expected

    def test_an_addition_to_the_parents_file_has_them(self, host: MacvtapHost) -> None:
        by_networkd(host)
        host.write("/run/systemd/network/10-eth1.network", "[Network]\nDHCP=no\n")
        host.write("/etc/systemd/network/10-eth1.network.d/site.conf", "[Network]\nAddress=192.0.2.10/24\n")
        assert succeeded(host.task(check=True)).data["backend"] == "networkd"

    def test_the_parents_file_is_gone(self, host: MacvtapHost) -> None:
        by_networkd(host)
        (host.root / "run/systemd/network/10-eth1.network").unlink()
        for state in ("present", "absent"):
            result = succeeded(host.task(state=state))
            assert (result.changed, result.data["backend"]) == (True, "unit" if state == "present" else "none")

    def test_what_comes_and_goes_is_not_meant(self, host: MacvtapHost) -> None:
        by_networkd(host)
        host.kernel.do("route add 10.0.0.0/8 via 192.0.2.1 proto dhcp dev eth1")
        host.kernel.links["eth1"].more["addr_info"] = [
            {"family": "inet", "local": "192.0.2.10", "prefixlen": 24, "scope": "global", "dynamic": True, "valid_life_time": 60}
        ]
        assert succeeded(host.task(check=True)).data["backend"] == "networkd"


class TestFilesOfOthers:
    """Files with the names of ours that somebody else wrote."""

    def test_they_are_left_alone(self, host: MacvtapHost) -> None:
        host.write(SERVICE, "[Unit]\n")
        host.make()
        for check in (True, False):
            told = succeeded(host.task(state="absent", check=check))
            assert told.data["actions"] == ["remove the macvtap mv0"]
        assert host.disk == {SERVICE: "[Unit]\n"}
        assert not succeeded(host.task(state="absent")).changed


class TestTap:
    """Who may open the device node."""

    def test_given_and_taken_back(self, host: MacvtapHost) -> None:
        made = succeeded(host.task(tap=TAP)).data["interface"]
        assert (made["tap_owner"], made["tap_group"], made["tap_mode"]) == (107, 36, "0660")
        assert made["tap_device"].endswith(f"/dev/tap{made['ifindex']}")
        assert not succeeded(host.task(tap=TAP)).changed
        told = succeeded(host.task(check=True))
        back = succeeded(host.task())
        for result in (told, back):
            assert result.data["actions"] == [f"remove {OPENS}", "give the device node to root:root, mode 0600"]
            shown = result.data["interface"]
            assert (shown["tap_owner"], shown["tap_group"], shown["tap_mode"]) == (0, 0, "0600")
        assert not succeeded(host.task()).changed

    def test_somebody_gave_it_to_another(self, host: MacvtapHost) -> None:
        succeeded(host.task(tap=TAP))
        node = host.node("mv0")
        assert node is not None
        Path(node.path).chmod(0o666)
        result = succeeded(host.task(tap=TAP))
        assert result.data["actions"] == ["give the device node to qemu:kvm, mode 0660"]
        before, after = result.data["diff"][0]["before"], result.data["diff"][0]["after"]
        assert set(before.splitlines()) ^ set(after.splitlines()) == {
            "device node: 107:36 0666",
            "device node: qemu:kvm 0660",
        }
        assert not succeeded(host.task(tap=TAP)).changed

    def test_without_the_option_the_hosts_own_rules_hold(self, host: MacvtapHost) -> None:
        succeeded(host.task())
        node = host.node("mv0")
        assert node is not None
        Path(node.path).chmod(0o666)
        assert not succeeded(host.task()).changed

    def test_numbers(self, host: MacvtapHost) -> None:
        made = succeeded(host.task(tap={"owner": "64055", "group": "0", "mode": "640"})).data["interface"]
        assert (made["tap_owner"], made["tap_group"], made["tap_mode"]) == (64055, 0, "0640")

    def test_a_new_node_is_given_again(self, host: MacvtapHost) -> None:
        succeeded(host.task(tap=TAP))
        made = succeeded(host.task(tap=TAP, queues=2)).data["interface"]
        assert (made["tap_owner"], made["tap_group"], made["tap_mode"]) == (107, 36, "0660")


class TestInUse:
    """A guest has the device node open."""

    @pytest.fixture
    def used(self, host: MacvtapHost) -> MacvtapHost:
        succeeded(host.task())
        host.holders = ["the guest web (process 7)"]
        return host

    def test_in_place_is_no_harm(self, used: MacvtapHost) -> None:
        assert succeeded(used.task(mtu=1400, mode="vepa")).changed
        assert used.kernel.links["mv0"].mtu == 1400

    @pytest.mark.parametrize("options", [{"state": "absent"}, {"queues": 2}])
    def test_force(self, used: MacvtapHost, options: dict[str, t.Any]) -> None:
        index = used.kernel.links["mv0"].index
        told = succeeded(used.task(force=True, check=True, **options))
        assert used.kernel.links["mv0"].index == index
        assert succeeded(used.task(force=True, **options)).data["actions"] == told.data["actions"]
        assert "mv0" not in used.kernel.links or used.kernel.links["mv0"].index != index

    @pytest.mark.parametrize("options", [{"mac": MAC}, {"link": "down"}, {"mode": "source"}])
    def test_force_in_place(self, used: MacvtapHost, options: dict[str, t.Any]) -> None:
        index = used.kernel.links["mv0"].index
        told = succeeded(used.task(force=True, check=True, **options))
        made = succeeded(used.task(force=True, **options))
        assert (made.data["actions"], made.data["recreated"], made.warnings) == (told.data["actions"], False, ())
        assert used.kernel.links["mv0"].index == index
        assert not succeeded(used.task(**options)).changed


class TestInfo:
    """macvtap_iface_info."""

    def test_nothing(self, host: MacvtapHost) -> None:
        for check in (True, False):
            assert succeeded(host.info(check=check)).data["interfaces"] == []

    def test_all_of_them(self, host: MacvtapHost) -> None:
        made = succeeded(host.task(**SHIM)).data["interface"]
        host.make("macvtap0", source_macs=(), mac=MAC)
        host.holders = ["the guest web (process 7)"]
        before = host.state()
        result = succeeded(host.info())
        found = {one["name"]: one for one in result.data["interfaces"]}
        assert not result.changed
        assert list(found) == ["macvtap0", "mv0"]
        assert found["mv0"] == {**made, "backend": "unit", "used_by": []}
        assert (found["macvtap0"]["backend"], found["macvtap0"]["used_by"]) == ("none", ["the guest web (process 7)"])
        assert f'<mac address="{MAC}"/>' in found["macvtap0"]["xml"]
        assert host.state() == before
        assert host.done == []

    def test_one_of_them(self, host: MacvtapHost) -> None:
        host.make("mv1")
        host.make("mv2")
        assert [one["name"] for one in host.info(name="mv2").data["interfaces"]] == ["mv2"]
        assert host.info(name="eth1").data["interfaces"] == []


def test_without_diff_there_is_none(host: MacvtapHost) -> None:
    assert "diff" not in host.task(check=True, diff=False).data


def test_check_mode_needs_no_lock(host: MacvtapHost) -> None:
    (host.root / "run/lock/kvmops").symlink_to("empty")  # which nobody follows
    succeeded(host.task(check=True))
    assert host.task().msg.startswith("The lock ")
