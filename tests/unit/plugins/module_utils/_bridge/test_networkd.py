# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The three files that make networkd have the bridge, from the uplink's own: what goes where, and what is refused."""

from __future__ import annotations

import subprocess
import typing as t
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import Expected, Move
from ansible_collections.kvmops.network.plugins.module_utils._bridge.ini import parse
from ansible_collections.kvmops.network.plugins.module_utils._bridge.networkd import Networkd
from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Identity, Origin, Record
from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._bridge.builders import (
    DHCP,
    MAC,
    STATIC,
    family,
    record,
    request,
)

NETWORKD = Networkd()
PATHS = [f"/etc/systemd/network/0-kvmops-br0{tail}" for tail in (".netdev", ".network", "-port.network")]
# what networkd on Debian 13 sent: ff, the IAID, a DUID of the kind 0002 (RFC 4361)
RFC4361 = "ffb070b8a900020000ab117818a24977121d18"


def bodies(of: Record | str = STATIC, **options: t.Any) -> tuple[str, str, str]:
    """Return the three files without their comments."""
    found = NETWORKD.files(record(of) if isinstance(of, str) else of, request(**options))
    assert list(found) == PATHS
    device, bridge, port = ("".join(line for line in text.splitlines(True) if line[0] != "#") for text in found.values())
    return device.lstrip("\n"), bridge.lstrip("\n"), port.lstrip("\n")


def origin(*lines: str) -> str:
    return "\n".join(("[Match]", "Name=eth0", "", *lines, ""))


def network(*lines: str) -> str:
    return origin("[Network]", *lines)


def bridge_lines(of: Record | str, **options: t.Any) -> list[str]:
    """Return the lines of the bridge's file after its [Match] section."""
    return [line for line in bodies(of, **options)[1].splitlines() if line][2:]


class TestFiles:
    """The files of an uplink, one kind after the other."""

    def test_a_static_address(self) -> None:
        assert bodies() == (
            "[NetDev]\nName=br0\nKind=bridge\nMACAddress=52:54:00:12:34:56\n\n[Bridge]\nSTP=no\nForwardDelaySec=0\n",
            "[Match]\nName=br0\n\n[Network]\nAddress=192.0.2.10/24\nGateway=192.0.2.1\nDNS=192.0.2.1\n",
            "[Match]\nName=eth0\n\n[Network]\nBridge=br0\nLinkLocalAddressing=no\n",
        )

    def test_a_lease(self) -> None:
        assert bodies(DHCP)[1] == "[Match]\nName=br0\n\n[Network]\nDHCP=ipv4\n"

    def test_they_say_who_wrote_them(self) -> None:
        for text in NETWORKD.files(record(), request()).values():
            assert text.startswith("# Written by the Ansible module kvmops.network.host_bridge: eth0 as the port of br0.\n# ")
            assert "# /etc/systemd/network/10-eth0.network.\n" in text

    def test_stp(self) -> None:
        assert bodies(stp=True, forward_delay=7)[0].endswith("[Bridge]\nSTP=yes\nForwardDelaySec=7\n")

    def test_the_mtu_is_that_of_both(self) -> None:
        _device, bridge, port = bodies(mtu=9000)
        for text, name in ((bridge, "br0"), (port, "eth0")):
            assert text.startswith(f"[Match]\nName={name}\n\n[Link]\nMTUBytes=9000\n\n[Network]\n")
        # what the uplink had stays, and the usual one is not said
        jumbo = record(origin("[Link]", "MTUBytes=9000", "[Network]", "DHCP=ipv4"), mtu=9000)
        assert [text.count("MTUBytes=9000") for text in bodies(jumbo)] == [0, 1, 1]
        assert [text.count("MTUBytes") for text in bodies()] == [0, 0, 0]
        assert [text.count("MTUBytes=1500") for text in bodies(mtu=1500)] == [0, 1, 1]
        assert [text.count("MTUBytes=1400") for text in bodies(jumbo, mtu=1400)] == [0, 1, 1]
        assert [text.count("9000") for text in bodies(jumbo, mtu=1400)] == [0, 0, 0]

    def test_sections_of_addresses_and_routes_go_to_the_bridge_in_their_order(self) -> None:
        text = origin(
            "[Address]",
            "Address=192.0.2.10/24",
            "Label=eth0:1",
            "[Route]",
            "Gateway=192.0.2.1",
            "Metric=50",
            "[Address]",
            "Address=2001:db8::10/64",
            "[Route]",
            "Destination=10.0.0.0/8",
            "Gateway=192.0.2.9",
            "[RoutingPolicyRule]",
            "From=192.0.2.0/24",
        )
        assert bridge_lines(text) == text.splitlines()[3:]

    def test_the_wire_stays_with_the_port(self) -> None:
        text = origin(
            "[Link]",
            "MACAddress=52:54:00:12:34:56",
            "RequiredForOnline=no",
            "[Network]",
            "VLAN=eth0.7",
            "VLAN=eth0.8",
            "LLDP=yes",
            "EmitLLDP=yes",
            "DHCP=yes",
            "[SR-IOV]",
            "VirtualFunction=0",
            "[FairQueueing]",
            "PacketLimit=9",
            "[QDisc]",
            "Parent=root",
            "[TokenBucketFilter]",
            "Rate=1M",
            "[DHCPv4]",
            "UseDNS=no",
        )
        _device, bridge, port = bodies(text)
        assert bridge == ("[Match]\nName=br0\n\n[Link]\nRequiredForOnline=no\n\n[Network]\nDHCP=yes\n\n[DHCPv4]\nUseDNS=no\n")
        assert port == (
            "[Match]\nName=eth0\n\n[Link]\nMACAddress=52:54:00:12:34:56\n\n"
            "[Network]\nBridge=br0\nLinkLocalAddressing=no\nVLAN=eth0.7\nVLAN=eth0.8\nLLDP=yes\nEmitLLDP=yes\n\n"
            "[SR-IOV]\nVirtualFunction=0\n\n[FairQueueing]\nPacketLimit=9\n\n[QDisc]\nParent=root\n\n"
            "[TokenBucketFilter]\nRate=1M\n"
        )

    def test_what_names_the_uplink_names_the_bridge(self) -> None:
        text = origin(
            "[Network]",
            "DNS=fe80::1%eth0",
            "DNS=fe80::2%eth0.7",
            "DNS=fe80::3%eth01",
            "DNS=fe80::4%eth0#dns.test",
            "Domains=eth0",
            "[RoutingPolicyRule]",
            "IncomingInterface=eth0",
            "OutgoingInterface=eth0",
            "[RoutingPolicyRule]",
            "IncomingInterface=eth0.7",
            "OutgoingInterface=eth1",
        )
        assert bridge_lines(text) == [
            *("[Network]", "DNS=fe80::1%br0", "DNS=fe80::2%eth0.7", "DNS=fe80::3%eth01", "DNS=fe80::4%br0#dns.test"),
            *("Domains=eth0", "[RoutingPolicyRule]", "IncomingInterface=br0", "OutgoingInterface=br0"),
            *("[RoutingPolicyRule]", "IncomingInterface=eth0.7", "OutgoingInterface=eth1"),
        ]

    def test_the_port_is_the_nic_that_the_uplinks_file_is_for(self) -> None:
        """At the next boot another NIC may have the name."""
        text = f"[Match]\nName=en*\nMACAddress={MAC}\nPermanentMACAddress={MAC}\nType=ether\n\n[Network]\nDHCP=ipv4\n"
        _device, bridge, port = bodies(text)
        assert bridge.startswith("[Match]\nName=br0\n\n")
        assert port.startswith(f"[Match]\nName=eth0\nMACAddress={MAC}\nPermanentMACAddress={MAC}\n\n[Network]\n")

    def test_what_overrides_a_part_does_so_on_the_bridge_as_well(self) -> None:
        text = network("DNS=192.0.2.1", "DHCP=ipv4") + "\n[Network]\nDNS=\nDNS=192.0.2.2\nDHCP=yes\n"
        assert bridge_lines(text) == ["[Network]", "DNS=192.0.2.1", "DHCP=ipv4", "DNS=", "DNS=192.0.2.2", "DHCP=yes"]
        assert NETWORKD.expected(record(text), request()).dhcp == (4, 6)


# name servers of the task are the only ones
ONLY_THESE = [line for name in ("DHCPv4", "DHCPv6", "IPv6AcceptRA") for line in (f"[{name}]", "UseDNS=no")]


class TestOverrides:
    """What the task says of addresses and names."""

    @pytest.mark.parametrize(
        ("text", "options", "expected"),
        [
            (
                DHCP,
                {"ipv4": family("static", "198.51.100.7/24", gateway="198.51.100.1")},
                ["DHCP=no", "Address=198.51.100.7/24", "Gateway=198.51.100.1"],
            ),
            (STATIC, {"ipv4": family("dhcp")}, ["DNS=192.0.2.1", "DHCP=ipv4"]),
            (STATIC, {"ipv4": family("none")}, ["DNS=192.0.2.1", "DHCP=no"]),
            (network("DHCP=yes"), {"ipv4": family("none")}, ["DHCP=ipv6"]),
            (network("DHCP=yes"), {"ipv6": family("none")}, ["DHCP=ipv4", "IPv6AcceptRA=no"]),
            (network("DHCP=ipv4"), {"ipv6": family("dhcp")}, ["DHCP=yes", "IPv6AcceptRA=yes"]),
            (network("DHCP=yes", "IPv6AcceptRA=no"), {"ipv6": family("auto")}, ["DHCP=ipv4", "IPv6AcceptRA=yes"]),
            (
                network("DHCP=ipv4", "Address=2001:db8::10/64", "Gateway=2001:db8::1"),
                {"ipv6": family("static", "2001:db8::7/64", "2001:db8::8/64", gateway="fe80::1")},
                ["DHCP=ipv4", "Address=2001:db8::7/64", "Address=2001:db8::8/64", "Gateway=fe80::1", "IPv6AcceptRA=no"],
            ),
            (
                network("DHCP=true"),
                {"ipv4": family("static", "192.0.2.9/24"), "ipv6": family("none")},
                ["Address=192.0.2.9/24", "DHCP=no", "IPv6AcceptRA=no"],
            ),
            # the other family's address stays
            (
                network("Address=192.0.2.10/24", "Address=2001:db8::10/64"),
                {"ipv4": family("dhcp")},
                ["Address=2001:db8::10/64", "DHCP=ipv4"],
            ),
            (
                STATIC,
                {"dns": {"servers": ["192.0.2.53"], "search": None}},
                [*STATIC.splitlines()[4:6], "DNS=192.0.2.53", *ONLY_THESE],
            ),
            (STATIC, {"dns": {"servers": [], "search": None}}, [*STATIC.splitlines()[4:6], *ONLY_THESE]),
            (
                network("DHCP=ipv4", "Domains=old.test"),
                {"dns": {"servers": None, "search": ["a.test", "~b.test"]}},
                ["DHCP=ipv4", "Domains=a.test", "Domains=~b.test"],
            ),
        ],
    )
    def test_the_network_section(self, text: str, options: dict[str, t.Any], expected: list[str]) -> None:
        assert bridge_lines(text, **options) == ["[Network]", *expected]

    def test_what_is_said_of_others_name_servers_is_replaced(self) -> None:
        text = network("DHCP=yes") + "[DHCPv4]\nUseDNS=yes\nUseNTP=no\n[IPv6AcceptRA]\nUseDNS=yes\n"
        only = {"dns": {"servers": ["192.0.2.53"], "search": None}}
        assert bridge_lines(text, **only) == [
            *("[Network]", "DHCP=yes", "DNS=192.0.2.53", "[DHCPv4]", "UseNTP=no", "UseDNS=no"),
            *("[IPv6AcceptRA]", "UseDNS=no", "[DHCPv6]", "UseDNS=no"),
        ]
        assert bridge_lines(text, dns={"servers": None, "search": []}) == [
            *("[Network]", "DHCP=yes", "[DHCPv4]", "UseDNS=yes", "UseNTP=no", "[IPv6AcceptRA]", "UseDNS=yes"),
        ]

    def test_sections_of_the_same_family_go(self) -> None:
        text = origin(
            "[Network]",
            "LLMNR=no",
            "[Address]",
            "Address=192.0.2.10/24",
            "[Address]",
            "Address=2001:db8::10/64",
            "[Route]",
            "Gateway=192.0.2.1",
            "[Route]",
            "Destination=0.0.0.0/0",
            "Gateway=192.0.2.2",
            "[Route]",
            "Destination=10.0.0.0/8",
            "Gateway=192.0.2.9",
            "[Route]",
            "Gateway=2001:db8::1",
        )
        lines = bridge_lines(text, ipv4=family("dhcp"))
        assert lines == [
            *("[Network]", "LLMNR=no", "DHCP=ipv4"),
            *("[Address]", "Address=2001:db8::10/64"),
            *("[Route]", "Destination=10.0.0.0/8", "Gateway=192.0.2.9"),
            *("[Route]", "Gateway=2001:db8::1"),
        ]


class TestIdentity:
    """By what servers know the host, they shall know it on the bridge."""

    def lines(self, text: str = DHCP, **identity: t.Any) -> list[str]:
        return bridge_lines(record(text, identity=Identity(**identity)))

    def test_an_id_of_iaid_and_duid(self) -> None:
        assert self.lines(dhcp4=RFC4361) == [
            *("[Network]", "DHCP=ipv4", "[DHCPv4]", "ClientIdentifier=duid", "DUIDType=vendor"),
            *("DUIDRawData=00:00:ab:11:78:18:a2:49:77:12:1d:18", f"IAID={0xB070B8A9}"),
        ]

    @pytest.mark.parametrize(
        ("kind", "word"), [("0001", "link-layer-time"), ("0003", "link-layer"), ("0004", "uuid"), ("0010", "16")]
    )
    def test_each_kind_of_duid(self, kind: str, word: str) -> None:
        lines = self.lines(dhcp4=f"ff00000001{kind}0a0b0c0d")
        assert lines[4:] == [f"DUIDType={word}", "DUIDRawData=0a:0b:0c:0d", "IAID=1"]

    def test_an_id_of_the_mac_address(self) -> None:
        assert self.lines(dhcp4="01525400123456")[2:] == ["[DHCPv4]", "ClientIdentifier=mac"]

    def test_an_id_that_networkd_cannot_send(self) -> None:
        for client_id in ("00686f7374", "6b766d31", "ff00", "0152540012345678"):
            with pytest.raises(InputError) as caught:
                self.lines(dhcp4=client_id)
            assert str(caught.value) == (
                f"The uplink's DHCP client sends the id {client_id}, which systemd-networkd cannot be told to send from a "
                "bridge. Give it another one first (ClientIdentifier=mac, for instance), and reserve the host's address for "
                "that."
            )

    def test_it_takes_the_place_of_what_was_configured(self) -> None:
        text = network("DHCP=ipv4") + "[DHCP]\nUseMTU=yes\nIAID=7\n[DHCPv4]\nClientIdentifier=mac\nDUIDType=uuid\nUseDNS=no\n"
        lines = self.lines(text, dhcp4=RFC4361)
        assert lines[2:7] == ["[DHCP]", "UseMTU=yes", "[DHCPv4]", "UseDNS=no", "ClientIdentifier=duid"]
        assert sum(line.startswith(("IAID=", "DUIDType=", "DUIDRawData=", "ClientIdentifier=")) for line in lines) == 4

    def test_without_dhcp_it_is_not_needed(self) -> None:
        assert self.lines(STATIC, dhcp4="6b766d31")[0] == "[Network]"
        assert "[DHCPv4]" not in self.lines(STATIC, dhcp4=RFC4361)

    def test_dhcpv6(self) -> None:
        text = network("DHCP=yes") + "[DHCPv6]\nUseDNS=no\nDUIDType=uuid\n"
        lines = self.lines(text, dhcp6="00020000ab117818a24977121d18", iaid=7)
        assert lines[2:] == [
            *("[DHCPv6]", "UseDNS=no", "DUIDType=vendor", "DUIDRawData=00:00:ab:11:78:18:a2:49:77:12:1d:18", "IAID=7"),
        ]
        assert "[DHCPv6]" not in self.lines(network("DHCP=yes"), dhcp6="00020000ab11")

    def test_a_token(self) -> None:
        text = network("IPv6AcceptRA=yes") + "[IPv6AcceptRA]\nUseDNS=no\nToken=prefixstable\n"
        lines = self.lines(text, token="::1234:5678:9abc:def0")
        assert lines[2:] == ["[IPv6AcceptRA]", "UseDNS=no", "Token=static:::1234:5678:9abc:def0"]
        assert self.lines(token="::10")[2:] == ["[IPv6AcceptRA]", "Token=static:::10"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (STATIC, Expected(("192.0.2.10/24",), (), ("192.0.2.1",))),
        (DHCP, Expected(dhcp=(4,))),
        *((network(f"DHCP={word}"), Expected(dhcp=(4, 6))) for word in ("yes", "true", "both", "1", "on", "YES")),
        *((network(f"DHCP={word}"), Expected(dhcp=(6,))) for word in ("ipv6", "v6")),
        *((network(f"DHCP={word}"), Expected()) for word in ("no", "false", "none", "", "off")),
        (network("DHCP=yes", "DHCP=no"), Expected()),
        # as the kernel writes them
        (network("Address=2001:DB8:0::0010/64"), Expected(addresses=("2001:db8::10/64",))),
        (network("Gateway=2001:DB8::0001"), Expected(gateways=("2001:db8::1",))),
        (network("Address=192.0.2.10/255.255.255.0"), Expected(addresses=("192.0.2.10/24",))),
        # names of gateways, and addresses that networkd finds itself
        (network("Gateway=_dhcp4", "Gateway=_ipv6ra", "Gateway=dhcp"), Expected()),
        (network("Address=0.0.0.0/24", "Address=::/64"), Expected()),
        # an empty one takes back those before it
        (network("Address=192.0.2.9/24", "Address=", "Address=192.0.2.10/24"), Expected(addresses=("192.0.2.10/24",))),
        (network("Gateway=192.0.2.9", "Gateway="), Expected()),
        (
            origin("[Address]", "Address=192.0.2.10/24", "[Address]", "Address=192.0.2.11/24"),
            Expected(addresses=("192.0.2.10/24", "192.0.2.11/24")),
        ),
        (origin("[Route]", "Gateway=192.0.2.1"), Expected(gateways=("192.0.2.1",))),
        (origin("[Route]", "Gateway=192.0.2.1", "Destination=0.0.0.0/0"), Expected(gateways=("192.0.2.1",))),
        (origin("[Route]", "Gateway=2001:db8::1", "Destination=::/0", "Table=main"), Expected(gateways=("2001:db8::1",))),
        (origin("[Route]", "Gateway=192.0.2.1", "Destination=10.0.0.0/8"), Expected()),
        # it is not in the table that is looked at
        (origin("[Route]", "Gateway=192.0.2.1", "Table=100"), Expected()),
    ],
)
def test_what_is_expected(text: str, expected: Expected) -> None:
    assert NETWORKD.expected(record(text), request()) == expected


def test_what_is_expected_of_the_tasks_own_addresses() -> None:
    options = {"ipv4": family("static", "198.51.100.7/24", gateway="198.51.100.1"), "ipv6": family("dhcp")}
    found = NETWORKD.expected(record(STATIC), request(**options))
    assert found == Expected(("198.51.100.7/24",), (6,), ("198.51.100.1",))


def placed(path: str) -> Record:
    return record(STATIC, origin=Origin(path.rpartition("/")[2], path, STATIC))


@pytest.mark.parametrize("name", ["0-a.network", "0-kvmops-a.network", "0-kvmops-b.network", "+eth0.network", "!.network"])
def test_a_file_that_comes_before_ours_is_refused(name: str) -> None:
    with pytest.raises(RefusedError) as caught:
        NETWORKD.files(placed(f"/etc/systemd/network/{name}"), request())
    assert str(caught.value) == (
        f"The file /etc/systemd/network/{name} comes before 0-kvmops-br0-port.network in the order of names, so that networkd "
        "would still take it for eth0. Rename it, to 10-eth0.network for instance."
    )


@pytest.mark.parametrize(
    "path",
    [
        "/etc/systemd/network/00-first.network",
        "/etc/systemd/network/0a.network",
        "/run/systemd/network/10-netplan-eth0.network",
        "/usr/lib/systemd/network/80-ethernet.network",
        "/etc/systemd/network/eth0.network",
        "/etc/systemd/network/0-lan.network",
    ],
)
def test_a_file_that_comes_after_ours_is_none(path: str) -> None:
    assert len(NETWORKD.files(placed(path), request())) == 3


@pytest.mark.parametrize("key", ["MACVLAN", "MACVTAP", "IPVLAN", "IPVTAP", "Bridge", "Bond", "BatmanAdvanced"])
def test_an_uplink_that_is_something_else_already_is_refused(key: str) -> None:
    with pytest.raises(RefusedError) as caught:
        NETWORKD.files(record(network("DHCP=ipv4", f"{key}=other0")), request())
    assert str(caught.value) == (
        f"/etc/systemd/network/10-eth0.network has {key}=other0 for eth0, which cannot be a bridge's port as well. Take that "
        "out, or put it on the bridge afterwards."
    )


FOLLOW = [("systemctl", "start", "systemd-networkd.service"), ("networkctl", "reload")]


def test_the_commands_of_a_new_bridge_and_of_one_that_is_put_right() -> None:
    fresh, mended = (Move(record(), to_bridge=True, fresh=value) for value in (True, False))
    assert NETWORKD.activate(fresh) == FOLLOW
    assert NETWORKD.activate(mended) == [*FOLLOW, *(("networkctl", "reconfigure", name) for name in ("br0", "eth0"))]

    assert NETWORKD.prepare(mended) == []


def test_the_files_that_networkd_has_to_know_first() -> None:
    """The bridge's device, so that networkd makes it; on the way back all, so that it does not put the port back."""
    assert NETWORKD.early_paths(Move(record(), to_bridge=True, fresh=True), []) == PATHS[:1]
    assert NETWORKD.early_paths(Move(record(), to_bridge=False, fresh=True), []) == PATHS


class Scripts:
    """Runs the scripts among the commands, with networkd's tools and the kernel's links under a temporary folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "net").mkdir()
        for name in ("networkctl", "systemctl", "ip", "sleep"):
            (root / name).write_text(f'#!/bin/sh\necho "{name} $*" >>{root}/calls\n[ ! -e {root}/failing-{name} ]\n')
            (root / name).chmod(0o755)
        # after so many looks, networkd has made the bridge
        (root / "sleep").write_text(
            f"#!/bin/sh\necho x >>{root}/looks\n[ $(wc -l <{root}/looks) = 3 ] && mkdir {root}/net/br0\n:\n"
        )

    def run(self, command: tuple[str, ...]) -> list[str]:
        words = [word.replace("/sys/class/net", str(self.root / "net")) for word in command]
        done = subprocess.run(words, env={"PATH": f"{self.root}:/usr/bin:/bin"}, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        calls = self.root / "calls"
        return calls.read_text().splitlines() if calls.exists() else []


CALLS = [" ".join(command) for command in FOLLOW]


class TestScripts:
    """What the commands do that are scripts."""

    def test_the_bridge_is_waited_for(self, tmp_path: Path) -> None:
        [command] = NETWORKD.prepare(Move(record(), to_bridge=True, fresh=True))
        assert Scripts(tmp_path).run(command) == CALLS
        assert (tmp_path / "net/br0").is_dir()
        assert len((tmp_path / "looks").read_text().splitlines()) == 3

    def test_a_bridge_that_networkd_does_not_make_is_no_failure(self, tmp_path: Path) -> None:
        """`ip` makes it then."""
        scripts = Scripts(tmp_path)
        (tmp_path / "failing-networkctl").touch()
        (tmp_path / "looks").write_text("x\n" * 5)
        [command] = NETWORKD.prepare(Move(record(), to_bridge=True, fresh=True))
        assert scripts.run(command) == CALLS
        assert len((tmp_path / "looks").read_text().splitlines()) == 25

    def test_on_the_way_back_networkd_knows_it_first(self, tmp_path: Path) -> None:
        [command] = NETWORKD.prepare(Move(record(), to_bridge=False, fresh=True))
        assert Scripts(tmp_path).run(command) == CALLS
        assert not (tmp_path / "looks").exists()

    @pytest.mark.parametrize(
        ("master", "calls"),
        [("../br0", ["ip link set dev eth0 nomaster", "networkctl reconfigure eth0"]), ("../br9", []), ("", [])],
    )
    def test_a_port_that_was_put_back_is_released(self, tmp_path: Path, master: str, calls: list[str]) -> None:
        scripts = Scripts(tmp_path)
        (tmp_path / "net/eth0").mkdir()
        if master:
            (tmp_path / "net/eth0/master").symlink_to(master)
        *follow, release = NETWORKD.activate(Move(record(), to_bridge=False, fresh=True))
        assert follow == FOLLOW
        assert scripts.run(release) == calls


# --- nothing is lost ----------------------------------------------------------------------------------------------------------

# sections and keys as systemd.network(5) has them, with a value that shows where an entry came from
SECTIONS: dict[str, tuple[str, ...]] = {
    "Match": ("Name", "MACAddress", "PermanentMACAddress", "Type"),
    "Link": ("MACAddress", "ARP", "Multicast", "RequiredForOnline", "RequiredFamilyForOnline", "MTUBytes", "ActivationPolicy"),
    "Network": ("DHCPServer", "LLMNR", "DNS", "NTP", "VLAN", "LLDP", "EmitLLDP", "IPv6PrivacyExtensions", "LinkLocalAddressing"),
    "Address": ("Address", "Peer", "Label", "PreferredLifetime"),
    "Route": ("Gateway", "Destination", "Metric", "Table"),
    "DHCPv4": ("UseDNS", "RouteMetric", "Hostname", "ClientIdentifier", "IAID"),
    "DHCPv6": ("UseDNS", "PrefixDelegationHint", "DUIDType"),
    "IPv6AcceptRA": ("UseDNS", "Token"),
    "DHCPServer": ("PoolOffset",),
    "Bridge": ("Cost", "HairPin"),
    "BridgeVLAN": ("VLAN", "PVID"),
    "SR-IOV": ("VirtualFunction",),
    "FairQueueingControlledDelay": ("PacketLimit",),
    "QDisc": ("Parent",),
    "RoutingPolicyRule": ("From", "Priority"),
    "Neighbor": ("Address", "LinkLayerAddress"),
}
# ours go by name and by the NIC's address, the MTU is that of the record, and what it is known by is written anew
NO_ADDRESSES = ("Network", "LinkLocalAddressing", "no")
DROPPED = {("Match", "Name"), ("Match", "Type"), ("Link", "MTUBytes")}

ENTRIES = st.lists(
    st.sampled_from(sorted(SECTIONS)).flatmap(
        lambda name: st.tuples(st.just(name), st.lists(st.sampled_from(SECTIONS[name]), max_size=4))
    ),
    max_size=8,
)


@given(chosen=ENTRIES)
def test_each_entry_is_in_one_file_or_left_out_on_purpose(chosen: list[tuple[str, list[str]]]) -> None:
    numbers = iter(range(10000, 99999))
    wanted = [[(name, key, f"v{next(numbers)}") for key in keys] for name, keys in chosen]
    text = "".join(f"[{chosen[at][0]}]\n" + "".join(f"{key}={value}\n" for _name, key, value in w) for at, w in enumerate(wanted))
    _device, bridge, port = (parse(body) for body in bodies(text))
    found = [(section.name, key, value) for file in (bridge, port) for section in file for key, value in section.entries]
    for name, key, value in (entry for section in wanted for entry in section):
        assert found.count((name, key, value)) == (0 if (name, key) in DROPPED else 1)
    ours = [("Match", "Name", "br0"), ("Match", "Name", "eth0"), ("Network", "Bridge", "br0"), NO_ADDRESSES]
    assert sorted(entry for entry in found if not entry[2].startswith("v")) == sorted(ours)


@given(chosen=ENTRIES, own=st.sampled_from(["Address", "Route", "RoutingPolicyRule", "Neighbor"]))
def test_sections_stay_whole_and_in_order(chosen: list[tuple[str, list[str]]], own: str) -> None:
    numbers = iter(range(10000, 99999))
    text = "".join(f"[{name}]\n" + "".join(f"{key}=v{next(numbers)}\n" for key in keys) for name, keys in chosen)
    bridge = parse(bodies(text)[1])
    assert [s.entries for s in bridge if s.name == own] == [s.entries for s in parse(text) if s.name == own and s.entries]
