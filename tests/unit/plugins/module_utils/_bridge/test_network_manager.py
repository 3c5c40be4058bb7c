# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""NetworkManager's profiles for a bridge, and the commands with which it follows them."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import Expected, Move
from ansible_collections.kvmops.network.plugins.module_utils._bridge.ini import parse
from ansible_collections.kvmops.network.plugins.module_utils._bridge.network_manager import NetworkManager
from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Identity, Origin, Record
from ansible_collections.kvmops.network.plugins.module_utils._bridge.request import Dns, Family, Request
from ansible_collections.kvmops.network.plugins.module_utils._errors import RefusedError

FOLDER = "/etc/NetworkManager/system-connections"
UUID = "11111111-1111-4111-8111-111111111111"
DHCP = """\
[connection]
id=old
uuid=11111111-1111-4111-8111-111111111111
type=ethernet
interface-name=eth0
timestamp=1795780172

[ipv4]
method=auto

[ipv6]
addr-gen-mode=default
method=auto

[proxy]

[.nmmeta]
nm-generated=true
"""
STATIC = """\
[connection]
id=old
uuid=11111111-1111-4111-8111-111111111111
type=802-3-ethernet
zone=internal
permissions=user:admin:;

[match]
path=pci-0000:00:03.0;

[802-3-ethernet]
mac-address=02:77:3B:2C:00:3B
cloned-mac-address=02:77:3B:2C:00:3C
wake-on-lan=64
mtu=9000

[ethtool]
ring-rx=512

[802-1x]
eap=tls;
identity=host

[ipv4]
method=manual
address1=192.0.2.7/24,192.0.2.1
address2=192.0.2.8/24
dns=192.0.2.1;
routing-rule1=priority 5 from 0.0.0.0/0 iif eth0 table 5
route-metric=50

[ipv6]
method=manual
address1=2001:DB8::7/64
gateway=2001:db8::0001
dns=fe80::1%eth0;
"""


def record_of(text: str = DHCP, **changes: object) -> Record:
    record = Record(
        name="br0",
        uplink="eth0",
        backend="networkmanager",
        mac="02:77:3b:2c:00:3b",
        mtu=1500,
        origin=Origin(name=UUID, path=f"{FOLDER}/old.nmconnection", text=text),
        identity=Identity(dhcp4="0102773b2c003b"),
        metrics={"4": 100, "6": 1024},
    )
    return replace(record, **changes)  # type: ignore[arg-type]  # any field


def profiles_of(record: Record, **options: object) -> tuple[dict[str, dict[str, str]], dict[str, dict[str, str]]]:
    """Return the values of the bridge's profile and of its port's, by sections."""
    request = replace(Request(name="br0", state="present"), **options)  # type: ignore[arg-type]  # any field
    files = NetworkManager().files(record, request)
    bridge, port = ({section.name: dict(section.entries) for section in parse(text)} for text in files.values())
    return bridge, port


def test_the_profiles_of_an_uplink_with_dhcp() -> None:
    files = NetworkManager().files(record_of(), Request(name="br0", state="present"))
    comment = (
        "# Written by the Ansible module kvmops.network.host_bridge: eth0 as the port of br0.\n"
        "# Changes are found and undone by its next run. Without this file eth0 has the configuration of\n"
        f"# {FOLDER}/old.nmconnection.\n"
    )
    assert files == {
        f"{FOLDER}/kvmops-br0.nmconnection": f"""\
{comment}
[connection]
id=kvmops-br0
uuid=1c882479-f340-586b-b72e-c84e8c06bcbb
type=bridge
interface-name=br0
autoconnect-priority=999

[ethernet]
mtu=1500

[bridge]
stp=false
forward-delay=0
mac-address=02:77:3b:2c:00:3b

[ipv4]
method=auto
route-metric=100
dhcp-timeout=2147483647
dhcp-client-id=01:02:77:3b:2c:00:3b

[ipv6]
addr-gen-mode=default
method=auto
route-metric=1024
""",
        f"{FOLDER}/kvmops-br0-port.nmconnection": f"""\
{comment}
[connection]
id=kvmops-br0-port
uuid=e9483dda-6a54-5d5f-ae48-e9379eeacfa4
type=ethernet
interface-name=eth0
autoconnect-priority=999
master=br0
slave-type=bridge

[ethernet]
mtu=1500
""",
    }


def test_what_is_about_the_wire_stays_with_the_port() -> None:
    bridge, port = profiles_of(record_of(STATIC, mtu=9000))
    # it is for one NIC, whatever the NIC's name at the next boot
    bound = {"mac-address": "02:77:3B:2C:00:3B", "cloned-mac-address": "02:77:3B:2C:00:3C"}
    assert port["ethernet"] == {"mtu": "9000", **bound, "wake-on-lan": "64"}
    assert port["ethtool"] == {"ring-rx": "512"}
    assert port["802-1x"] == {"eap": "tls;", "identity": "host"}
    assert set(port) == {"connection", "ethernet", "ethtool", "802-1x"}
    assert set(bridge) == {"connection", "ethernet", "bridge", "ipv4", "ipv6"}
    assert bridge["ethernet"] == {"mtu": "9000"}
    assert bridge["connection"]["zone"] == "internal"
    assert "zone" not in port["connection"]
    assert "permissions" not in {**bridge["connection"], **port["connection"]}


@pytest.mark.parametrize("word", ["random", "stable", "permanent", "preserve"])
def test_a_port_takes_no_address_that_changes(word: str) -> None:
    text = DHCP.replace("[ipv4]", f"[ethernet]\ncloned-mac-address={word}\n\n[ipv4]")
    assert profiles_of(record_of(text))[1]["ethernet"] == {"mtu": "1500"}


def test_what_names_the_uplink_names_the_bridge() -> None:
    bridge, _port = profiles_of(record_of(STATIC))
    assert bridge["ipv4"]["routing-rule1"] == "priority 5 from 0.0.0.0/0 iif br0 table 5"
    assert bridge["ipv6"]["dns"] == "fe80::1%br0;"


def test_a_metric_of_the_profile_is_kept() -> None:
    bridge, _port = profiles_of(record_of(STATIC))
    assert (bridge["ipv4"]["route-metric"], bridge["ipv6"]["route-metric"]) == ("50", "1024")


def test_servers_know_the_host_as_before() -> None:
    identity = Identity(dhcp4="ff2b506735", dhcp6="0004aabb", iaid=0x00506735, token="::1:2:3:4")
    bridge, _port = profiles_of(record_of(identity=identity))
    assert bridge["ipv4"]["dhcp-client-id"] == "ff:2b:50:67:35"
    assert bridge["ipv6"] == {
        "method": "auto",
        "route-metric": "1024",
        "dhcp-duid": "00:04:aa:bb",
        "dhcp-iaid": "00:50:67:35",
        "addr-gen-mode": "eui64",
        "token": "::1:2:3:4",
    }


def test_a_static_profile_asks_nobody() -> None:
    identity = Identity(dhcp4="0102773b2c003b", dhcp6="0004aabb", iaid=7, token="::1:2:3:4")
    bridge, _port = profiles_of(record_of(STATIC, identity=identity))
    assert not {"dhcp-client-id", "dhcp-timeout", "dhcp-duid", "dhcp-iaid", "token"} & {*bridge["ipv4"], *bridge["ipv6"]}


def test_a_timeout_of_the_profile_is_kept() -> None:
    bridge, _port = profiles_of(record_of(DHCP.replace("[ipv4]", "[ipv4]\ndhcp-timeout=90")))
    assert bridge["ipv4"]["dhcp-timeout"] == "90"


def test_addresses_of_the_task_replace_those_of_the_profile() -> None:
    text = STATIC.replace("dns=192.0.2.1;", "dns=192.0.2.1;\nroute1=0.0.0.0/0,192.0.2.2\nroute2=198.51.100.0/24,192.0.2.3")
    family = Family(version=4, method="static", addresses=("203.0.113.5/24", "203.0.113.6/24"), gateway="203.0.113.1")
    bridge, _port = profiles_of(record_of(text), ipv4=family)
    assert bridge["ipv4"] == {
        "method": "manual",
        "address1": "203.0.113.5/24",
        "address2": "203.0.113.6/24",
        "gateway": "203.0.113.1",
        "dns": "192.0.2.1;",
        "route2": "198.51.100.0/24,192.0.2.3",
        "routing-rule1": "priority 5 from 0.0.0.0/0 iif br0 table 5",
        "route-metric": "50",
    }
    assert bridge["ipv6"]["address1"] == "2001:DB8::7/64"


@pytest.mark.parametrize(
    ("version", "method", "written"),
    [
        (4, "dhcp", "auto"),
        (4, "none", "disabled"),
        (6, "dhcp", "auto"),
        (6, "auto", "auto"),
        (6, "none", "link-local"),
    ],
)
def test_methods_of_the_task(version: int, method: str, written: str) -> None:
    bridge, _port = profiles_of(record_of(STATIC), **{f"ipv{version}": Family(version=version, method=method)})
    assert bridge[f"ipv{version}"]["method"] == written
    assert "address1" not in bridge[f"ipv{version}"]
    assert "gateway" not in bridge[f"ipv{version}"]


def test_name_servers_of_the_task() -> None:
    bridge, _port = profiles_of(
        record_of(STATIC), dns=Dns(servers=("192.0.2.53", "2001:db8::53", "192.0.2.54"), search=("a.test",))
    )
    assert (bridge["ipv4"]["dns"], bridge["ipv6"]["dns"]) == ("192.0.2.53;192.0.2.54", "2001:db8::53")
    assert bridge["ipv4"]["dns-search"] == "a.test"
    assert "dns-search" not in bridge["ipv6"]


@pytest.mark.parametrize("servers", [("192.0.2.53",), ()])
def test_name_servers_of_the_task_are_the_only_ones(servers: tuple[str, ...]) -> None:
    """Those that DHCP servers and routers name are not asked; a static family has none of those."""
    bridge, _port = profiles_of(record_of(DHCP), dns=Dns(servers=servers))
    assert [bridge[name].get("ignore-auto-dns") for name in ("ipv4", "ipv6")] == ["true", "true"]
    bridge, _port = profiles_of(record_of(DHCP), ipv6=Family(version=6, method="dhcp"), dns=Dns(servers=servers))
    assert bridge["ipv6"]["ignore-auto-dns"] == "true"
    static = Family(version=4, method="static", addresses=("192.0.2.7/24",))
    bridge, _port = profiles_of(record_of(DHCP), ipv4=static, dns=Dns(servers=servers))
    assert [bridge[name].get("ignore-auto-dns") for name in ("ipv4", "ipv6")] == [None, "true"]
    only_dhcpv6 = DHCP.replace("addr-gen-mode=default\nmethod=auto", "method=dhcp")
    assert profiles_of(record_of(only_dhcpv6), dns=Dns(servers=servers))[0]["ipv6"]["ignore-auto-dns"] == "true"
    text = DHCP.replace("method=auto", "method=auto\nignore-auto-dns=false")
    assert profiles_of(record_of(text), dns=Dns(servers=servers))[0]["ipv4"]["ignore-auto-dns"] == "true"


def test_without_name_servers_of_the_task_others_are_asked_as_before() -> None:
    for dns in (Dns(), Dns(search=("a.test",))):
        bridge, _port = profiles_of(record_of(DHCP), dns=dns)
        assert "ignore-auto-dns" not in {**bridge["ipv4"], **bridge["ipv6"]}
    text = DHCP.replace("method=auto", "method=auto\nignore-auto-dns=true")
    assert profiles_of(record_of(text))[0]["ipv4"]["ignore-auto-dns"] == "true"


def test_search_domains_without_ipv4() -> None:
    bridge, _port = profiles_of(record_of(STATIC), ipv4=Family(version=4, method="none"), dns=Dns(search=("a.test", "b.test")))
    assert "dns-search" not in bridge["ipv4"]
    assert bridge["ipv6"]["dns-search"] == "a.test;b.test"


def test_no_name_servers() -> None:
    bridge, _port = profiles_of(record_of(STATIC), dns=Dns(servers=()))
    assert "dns" not in {**bridge["ipv4"], **bridge["ipv6"]}


def test_settings_of_the_bridge() -> None:
    bridge, port = profiles_of(record_of(), stp=True, forward_delay=4, mtu=1400)
    assert bridge["bridge"] == {"stp": "true", "forward-delay": "4", "mac-address": "02:77:3b:2c:00:3b"}
    assert (bridge["ethernet"]["mtu"], port["ethernet"]["mtu"]) == ("1400", "1400")


class TestExpected:
    """What the bridge's profile says of its addresses."""

    @staticmethod
    def expected(text: str, **options: object) -> Expected:
        request = replace(Request(name="br0", state="present"), **options)  # type: ignore[arg-type]  # any field
        return NetworkManager().expected(record_of(text), request)

    def test_dhcp(self) -> None:
        assert self.expected(DHCP) == Expected(dhcp=(4,))

    def test_static_in_normal_form(self) -> None:
        assert self.expected(STATIC) == Expected(
            addresses=("192.0.2.7/24", "192.0.2.8/24", "2001:db8::7/64"), gateways=("192.0.2.1", "2001:db8::1")
        )

    def test_dhcp_for_ipv6_only_if_somebody_says_so(self) -> None:
        assert self.expected(DHCP.replace("addr-gen-mode=default\nmethod=auto", "method=dhcp")).dhcp == (4, 6)
        assert self.expected(DHCP, ipv6=Family(version=6, method="dhcp")).dhcp == (4, 6)

    def test_of_the_task(self) -> None:
        family = Family(version=4, method="static", addresses=("203.0.113.5/24",), gateway="203.0.113.1")
        assert self.expected(DHCP, ipv4=family) == Expected(addresses=("203.0.113.5/24",), gateways=("203.0.113.1",))

    @pytest.mark.parametrize(
        ("lines", "addresses", "gateways"),
        [
            ("addresses1=192.0.2.7;24;192.0.2.1;", ("192.0.2.7/24",), ("192.0.2.1",)),
            ("address1=192.0.2.7/24,0.0.0.0", ("192.0.2.7/24",), ()),
            ("address1=192.0.2.7/24,192.0.2.1\nnever-default=true", ("192.0.2.7/24",), ()),
            ("address1=192.0.2.7/24\nroute1=0.0.0.0/0,192.0.2.1,50", ("192.0.2.7/24",), ("192.0.2.1",)),
            ("address1=192.0.2.7/24\nroute1=198.51.100.0/24,192.0.2.1", ("192.0.2.7/24",), ()),
            ("address1=192.0.2.7/24\naddress-data=x", ("192.0.2.7/24",), ()),
        ],
    )
    def test_spellings(self, lines: str, addresses: tuple[str, ...], gateways: tuple[str, ...]) -> None:
        text = f"[connection]\ntype=ethernet\n\n[ipv4]\nmethod=manual\n{lines}\n"
        assert self.expected(text) == Expected(addresses=addresses, gateways=gateways)

    def test_a_method_without_addresses(self) -> None:
        text = "[connection]\ntype=ethernet\n\n[ipv4]\nmethod=disabled\naddress1=192.0.2.7/24,192.0.2.1\n"
        assert self.expected(text) == Expected()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (DHCP.replace("type=ethernet", "type=infiniband"), "has the type infiniband"),
        (DHCP.replace("type=ethernet", "type=ethernet\nautoconnect-priority=999"), "has the autoconnect-priority 999"),
        (DHCP.replace("method=auto\n\n[ipv6]", "method=shared\n\n[ipv6]"), r"ipv4\.method shared"),
        (DHCP.replace("default\nmethod=auto", "default\nmethod=shared"), r"ipv6\.method shared"),
        (f"{DHCP}\n[macsec]\nencrypt=true\n", r"a section \[macsec\]"),
        (f"{DHCP}\n[802-1x]\npassword=a\\\n", r"ends with a backslash \(password\)"),
    ],
)
def test_what_cannot_be_expressed_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(RefusedError, match=f"^.*old.nmconnection.*{sentence}"):
        NetworkManager().files(record_of(text), Request(name="br0", state="present"))


def test_a_profile_that_networkmanager_made_up_is_named_in_refusals() -> None:
    record = record_of(
        DHCP.replace("type=ethernet", "type=wifi"), origin=Origin(name=UUID, path="", text="[connection]\ntype=wifi\n")
    )
    with pytest.raises(RefusedError, match=f"^NetworkManager's profile {UUID} has the type wifi"):
        NetworkManager().files(record, Request(name="br0", state="present"))


class TestCommands:
    """What runs before and after links are moved."""

    @staticmethod
    def commands(*, to_bridge: bool, fresh: bool, text: str = DHCP) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
        move = Move(record=record_of(text), to_bridge=to_bridge, fresh=fresh)
        return NetworkManager().prepare(move), NetworkManager().activate(move)

    def test_a_new_bridge_is_made_while_it_is_stopped(self) -> None:
        before, after = self.commands(to_bridge=True, fresh=True)
        assert before[0] == ("systemctl", "stop", "NetworkManager.service")
        bridge, port = "1c882479-f340-586b-b72e-c84e8c06bcbb", "e9483dda-6a54-5d5f-ae48-e9379eeacfa4"
        assert before[1][3:] == ("note", "br0", "eth0", bridge, "", port, "02:77:3b:2c:00:3b")
        assert after[0][3:] == ("clear", "eth0")
        assert after[1] == ("systemctl", "start", "NetworkManager.service")
        assert after[2][3:] == ("follow", "br0", bridge, "eth0", port)

    def test_the_uplink_gets_its_own_profile_back(self) -> None:
        before, after = self.commands(to_bridge=False, fresh=True)
        assert before[0] == ("systemctl", "stop", "NetworkManager.service")
        assert before[1][3:] == ("note", "eth0", "br0", UUID, "")
        assert after[0][3:] == ("clear", "br0")
        assert after[1] == ("systemctl", "start", "NetworkManager.service")
        assert after[2][3:] == ("follow", "eth0", UUID)

    def test_a_bridge_that_is_there_goes_on_while_it_changes(self) -> None:
        before, after = self.commands(to_bridge=True, fresh=False)
        assert before == []
        assert after[0] == ("systemctl", "start", "NetworkManager.service")
        assert after[1][-2:] == (f"{FOLDER}/kvmops-br0.nmconnection", f"{FOLDER}/kvmops-br0-port.nmconnection")

    @pytest.mark.parametrize("to_bridge", [True, False])
    def test_the_kernel_goes_on_hearing_routers_if_it_did(self, to_bridge: bool) -> None:
        before, _after = self.commands(
            to_bridge=to_bridge, fresh=True, text=DHCP.replace("default\nmethod=auto", "default\nmethod=ignore")
        )
        assert before[1][7] == "1"

    @pytest.mark.parametrize(("to_bridge", "fresh"), [(True, True), (True, False), (False, True)])
    def test_scripts_are_shell_and_say_what_they_do(self, to_bridge: bool, fresh: bool) -> None:
        before, after = self.commands(to_bridge=to_bridge, fresh=fresh)
        scripts = [command[2] for command in [*before, *after] if command[:2] == ("sh", "-c")]
        assert scripts
        for script in scripts:
            assert subprocess.run(["sh", "-n"], input=script, text=True, check=False).returncode == 0
            assert script.startswith("# ")


def test_names_and_paths_are_those_of_the_bridge() -> None:
    record = record_of(name="lan")
    assert NetworkManager().owned_paths(record) == [f"{FOLDER}/kvmops-lan.nmconnection", f"{FOLDER}/kvmops-lan-port.nmconnection"]
    bridge, port = profiles_of(record)
    assert (bridge["connection"]["interface-name"], port["connection"]["master"]) == ("lan", "lan")
    assert bridge["connection"]["uuid"] != profiles_of(record_of())[0]["connection"]["uuid"]
