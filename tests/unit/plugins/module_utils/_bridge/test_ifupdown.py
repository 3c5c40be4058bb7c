# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The file that makes ifupdown have the bridge, from the uplink's own stanzas: what goes where, and what is refused."""

from __future__ import annotations

import subprocess
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import Expected, Move
from ansible_collections.kvmops.network.plugins.module_utils._bridge.ifupdown import Ifupdown
from ansible_collections.kvmops.network.plugins.module_utils._bridge.interfaces_file import parse, stanzas_of
from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Identity, Origin, Record
from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._bridge.builders import MAC, family, record, request

IFUPDOWN = Ifupdown()
PATH = "/etc/network/interfaces.d/kvmops-br0"
STATIC = "auto eth0\niface eth0 inet static\n\taddress 192.0.2.10/24\n\tgateway 192.0.2.1\n"
DHCP = "allow-hotplug eth0\niface eth0 inet dhcp\n"
DUID = "000100013298e39b0277426d2cca"


def remembered(text: str = STATIC, **more: t.Any) -> Record:
    origin = Origin(name="eth0", path="/etc/network/interfaces", text=text)
    return record(**{"backend": "ifupdown", "origin": origin, **more})


def written(of: Record | str = STATIC, **options: t.Any) -> str:
    """Return the file without its comment."""
    found = IFUPDOWN.files(remembered(of) if isinstance(of, str) else of, request(**options))
    assert list(found) == [PATH]
    return "".join(line for line in found[PATH].splitlines(True) if line[0] != "#").lstrip("\n")


def port_lines(of: Record | str = STATIC, **options: t.Any) -> list[str]:
    [stanza] = stanzas_of(parse(written(of, **options)), "eth0-kvmops-br0")
    return [f"{key} {value}" for key, value in stanza.options]


def bridge_stanzas(of: Record | str = STATIC, **options: t.Any) -> list[tuple[str, ...]]:
    """Return the stanzas of the bridge, each with its method and its lines, without those that make and unmake the bridge."""
    found = []
    for stanza in stanzas_of(parse(written(of, **options)), "br0"):
        lines = [f"{key} {value}" for key, value in stanza.options]
        kept = [line for line in lines if " ip link " not in f" {line} " and "ip link set dev eth0" not in line]
        found.append((f"{stanza.family} {stanza.method}", *kept))
    return found


class TestFile:
    """The file of an uplink, one kind after the other."""

    def test_a_static_address(self) -> None:
        assert written() == (
            "mapping eth0\n\tscript grep\n\tmap eth0-kvmops-br0\n\n"
            "iface eth0-kvmops-br0 inet manual\n"
            "\tpre-up ip link set dev eth0 addrgenmode none || :\n"
            "\tup ip link set dev eth0 master br0 2>/dev/null || :\n\n"
            "auto br0\niface br0 inet static\n"
            "\tpre-up ip link add name br0 type bridge 2>/dev/null || :\n"
            f"\tpre-up ip link set dev br0 address {MAC} type bridge forward_delay 0 stp_state 0\n"
            "\tpre-up ip link set dev eth0 master br0 up || :\n"
            "\taddress 192.0.2.10/24\n\tgateway 192.0.2.1\n"
            "\tpost-down ip link set dev eth0 nomaster || :\n"
            '\tpost-down [ "$(ls /sys/class/net/br0/brif)" ] || ip link delete dev br0\n'
        )

    def test_it_says_who_wrote_it(self) -> None:
        text = IFUPDOWN.files(remembered(), request())[PATH]
        assert text.startswith("# Written by the Ansible module kvmops.network.host_bridge: eth0 as the port of br0.\n# ")
        assert "# /etc/network/interfaces.\n" in text

    def test_the_bridge_is_made_first_and_unmade_last(self) -> None:
        first, last = stanzas_of(parse(written(f"{STATIC}iface eth0 inet6 auto\n")), "br0")
        assert [key for key, _value in first.options] == ["pre-up"] * 3 + ["address", "gateway"]
        assert [key for key, _value in last.options] == ["post-down"] * 2

    def test_stp(self) -> None:
        assert "type bridge forward_delay 700 stp_state 1\n" in written(stp=True, forward_delay=7)

    def test_an_mtu_is_that_of_both(self) -> None:
        for text in (written(mtu=9000), written(remembered(mtu=9000))):
            assert "\tpre-up ip link set dev eth0 mtu 9000\n" in text
            assert "\tpre-up ip link set dev br0 mtu 9000\n" in text
        assert " mtu " not in written()

    def test_an_mtu_of_the_uplink_is_that_of_before(self) -> None:
        assert "mtu 1400" not in written(f"{STATIC}\tmtu 1400\n")

    @pytest.mark.parametrize(
        "line",
        [
            "ethernet-wol g",
            "link-speed 1000",
            "offload_tso off",
            "hardware-dma-ring-rx 4096",
            "hwaddress ether 02:00:00:00:00:01",
            "bond-slaves eth2 eth3",
            "bond_mode 1",
            "vlan-raw-device eth9",
            "up ethtool -G eth0 rx 4096",
            "post-up /sbin/ethtool -K $IFACE tso off",
            "pre-up ip link set eth0 txqueuelen 10000",
            "up /sbin/ip -4 link set eth0 promisc on",
        ],
    )
    def test_what_is_about_the_wire_stays_with_the_port(self, line: str) -> None:
        text = f"{STATIC}\t{line}\n"
        assert port_lines(text)[0] == line
        assert bridge_stanzas(text) == bridge_stanzas()

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("up ip route add 203.0.113.0/24 dev eth0", "up ip route add 203.0.113.0/24 dev br0"),
            ("post-up sysctl -w net.ipv6.conf.eth0.accept_ra=0", "post-up sysctl -w net.ipv6.conf.eth0.accept_ra=0"),
            ("down iptables -D INPUT -i eth0 -j ACCEPT", "down iptables -D INPUT -i br0 -j ACCEPT"),
            ("up arp -i eth0.7 -s a b", "up arp -i eth0.7 -s a b"),
            ("up echo xeth0 eth01 eth0-1 $IFACE", "up echo xeth0 eth01 eth0-1 $IFACE"),
            ("dns-nameservers 192.0.2.1", "dns-nameservers 192.0.2.1"),
            ("metric 7", "metric 7"),
        ],
    )
    def test_all_else_is_the_bridges(self, line: str, expected: str) -> None:
        assert bridge_stanzas(f"{STATIC}\t{line}\n")[0][-1] == expected

    def test_several_stanzas_stay_several(self) -> None:
        text = (
            f"{STATIC}iface eth0 inet static\n\taddress 192.0.2.11\n\tnetmask 255.255.255.0\niface eth0 inet6 auto\n\tprivext 2\n"
        )
        assert bridge_stanzas(text) == [
            ("inet static", "address 192.0.2.10/24", "gateway 192.0.2.1"),
            ("inet static", "address 192.0.2.11/24"),
            ("inet6 auto", "privext 2"),
        ]

    def test_of_other_interfaces_nothing_is_taken(self) -> None:
        assert bridge_stanzas(f"iface eth1 inet dhcp\n{STATIC}iface lo inet loopback\n") == bridge_stanzas()

    def test_an_uplink_without_addresses(self) -> None:
        assert bridge_stanzas("iface eth0 inet manual\n") == [("inet manual",)]


class TestLease:
    """An uplink with an address from a DHCP server."""

    def test_a_lease(self) -> None:
        assert bridge_stanzas(DHCP) == [("inet dhcp",)]

    def test_the_metric_of_dhcpcd_would_follow_the_interface(self) -> None:
        assert bridge_stanzas(remembered(DHCP, metrics={"4": 1002})) == [("inet dhcp", "metric 1002")]
        assert bridge_stanzas(remembered(f"{DHCP}\tmetric 5\n", metrics={"4": 5})) == [("inet dhcp", "metric 5")]

    def test_an_id_with_the_mac_address_in_it_stays_by_itself(self) -> None:
        identity = Identity(dhcp4=f"ff{MAC.replace(':', '')[4:]}{DUID}", dhcp6=DUID)
        assert bridge_stanzas(remembered(DHCP, identity=identity)) == [("inet dhcp",)]
        other = remembered(DHCP, identity=identity, mac="02:00:00:00:00:01")
        assert bridge_stanzas(other) == [("inet dhcp", "client ff:00:12:34:56:00:01:00:01:32:98:e3:9b:02:77:42:6d:2c:ca")]

    def test_a_part_of_an_address_that_was_chosen(self) -> None:
        text = "iface eth0 inet6 auto\n"
        found = bridge_stanzas(remembered(text, identity=Identity(token="::1:2:3:4")))
        assert found == [("inet6 auto", "up ip token set ::1:2:3:4 dev br0")]


class TestOptions:
    """What a task says of addresses."""

    def test_fixed_addresses(self) -> None:
        asked = family("static", "192.0.2.7/24", "192.0.2.8/24", gateway="192.0.2.1")
        assert bridge_stanzas(f"{DHCP}iface eth0 inet6 auto\n", ipv4=asked) == [
            ("inet6 auto",),
            ("inet static", "address 192.0.2.7/24", "gateway 192.0.2.1"),
            ("inet static", "address 192.0.2.8/24"),
        ]

    def test_a_lease(self) -> None:
        assert bridge_stanzas(ipv4=family("dhcp")) == [("inet dhcp",)]

    def test_none(self) -> None:
        assert bridge_stanzas(ipv4=family("none")) == [("inet manual",)]
        assert bridge_stanzas(ipv6=family("none"))[1:] == [("inet6 manual", "pre-up sysctl -q -w net.ipv6.conf.br0.accept_ra=0")]

    @pytest.mark.parametrize("method", ["auto", "dhcp"])
    def test_ipv6(self, method: str) -> None:
        assert bridge_stanzas(ipv6=family(method))[1:] == [(f"inet6 {method}",)]

    @pytest.mark.parametrize("dns", [{"servers": [], "search": None}, {"servers": None, "search": ["lan.test"]}])
    def test_name_servers_are_refused(self, dns: dict[str, t.Any]) -> None:
        with pytest.raises(InputError) as caught:
            written(dns=dns)
        assert str(caught.value) == (
            "dns: ifupdown itself knows no name servers. Leave dns out, and name them where this host has them: in "
            "/etc/resolv.conf, in dhclient.conf or dhcpcd.conf, or as dns-nameservers in the uplink's stanza."
        )


class TestExpected:
    """What a change is confirmed by."""

    @pytest.mark.parametrize(
        ("lines", "address"),
        [
            ("address 192.0.2.7/25", "192.0.2.7/25"),
            ("address 192.0.2.7\n netmask 255.255.255.128", "192.0.2.7/25"),
            ("address 192.0.2.7\n netmask 25", "192.0.2.7/25"),
            ("address 10.0.0.7", "10.0.0.7/8"),
            ("address 172.16.0.7", "172.16.0.7/16"),
            ("address 192.0.2.7", "192.0.2.7/24"),
        ],
    )
    def test_prefixes(self, lines: str, address: str) -> None:
        assert IFUPDOWN.expected(remembered(f"iface eth0 inet static\n {lines}\n"), request()) == Expected((address,))

    def test_both_families(self) -> None:
        text = f"{STATIC}iface eth0 inet6 static\n\taddress 2001:DB8::10\n\tgateway FE80::1\n"
        assert IFUPDOWN.expected(remembered(text), request()) == Expected(
            ("192.0.2.10/24", "2001:db8::10/64"), gateways=("192.0.2.1", "fe80::1")
        )

    @pytest.mark.parametrize(
        ("text", "versions"),
        [
            (DHCP, (4,)),
            ("iface eth0 inet6 dhcp\n", (6,)),
            ("iface eth0 inet6 auto\n", ()),
            ("iface eth0 inet6 auto\n dhcp 1\n", (6,)),
            (f"{DHCP}iface eth0 inet6 dhcp\n", (4, 6)),
        ],
    )
    def test_servers(self, text: str, versions: tuple[int, ...]) -> None:
        assert IFUPDOWN.expected(remembered(text), request()) == Expected(dhcp=versions)

    def test_what_is_no_address_is_not_waited_for(self) -> None:
        assert IFUPDOWN.expected(remembered("iface eth0 inet static\n address eth0.lan\n"), request()) == Expected()


class TestCommands:
    """What runs before and after links are moved."""

    @staticmethod
    def commands(*, to_bridge: bool, fresh: bool) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
        move = Move(record=remembered(), to_bridge=to_bridge, fresh=fresh)
        assert IFUPDOWN.early_paths(move, []) == []
        return IFUPDOWN.prepare(move), IFUPDOWN.activate(move)

    def test_a_new_bridge(self) -> None:
        [before], [after] = self.commands(to_bridge=True, fresh=True)
        assert before[3:] == ("hand-over", "eth0", "br0")
        assert after[3:7] == ("follow", "br0", "eth0", "eth0-kvmops-br0")

    def test_the_way_back(self) -> None:
        [before], [after] = self.commands(to_bridge=False, fresh=True)
        assert before[3:] == ("hand-over", "br0", "eth0")
        assert after[3:7] == ("follow", "br0", "eth0", "eth0-kvmops-br0")

    def test_a_bridge_that_is_there(self) -> None:
        [before], [after] = self.commands(to_bridge=True, fresh=False)
        assert before[3:] == ("note", "br0", PATH)
        assert after[-1] == PATH

    @pytest.mark.parametrize(("to_bridge", "fresh"), [(True, True), (True, False), (False, True)])
    def test_scripts_are_shell_and_say_what_they_do(self, to_bridge: bool, fresh: bool) -> None:
        before, after = self.commands(to_bridge=to_bridge, fresh=fresh)
        scripts = [command[2] for command in [*before, *after]] + [after[0][7]]
        for script in scripts:
            assert subprocess.run(["sh", "-n"], input=script, text=True, check=False).returncode == 0
            assert script.startswith("# ")

    @pytest.mark.parametrize(("to_bridge", "fresh"), [(True, True), (True, False), (False, True)])
    def test_ifdown_is_never_run_where_the_links_are(self, to_bridge: bool, fresh: bool) -> None:
        text = str(self.commands(to_bridge=to_bridge, fresh=fresh))
        assert text.count("ifdown --") == text.count("unshare --net ifdown --") == 1


def test_names_and_paths_are_those_of_the_bridge() -> None:
    assert IFUPDOWN.owned_paths(record(name="lan")) == ["/etc/network/interfaces.d/kvmops-lan"]
    text = IFUPDOWN.files(remembered(name="lan", uplink="enp3s0"), request(name="lan"))["/etc/network/interfaces.d/kvmops-lan"]
    assert "map enp3s0-kvmops-lan\n" in text


@given(
    st.lists(
        st.sampled_from(
            [
                "iface eth0 inet dhcp",
                "iface eth0 inet6 auto",
                "iface eth1 inet dhcp",
                " up ip a",
                " mtu 9",
                " ethernet-wol g",
                "# x",
                "",
            ]
        ),
        max_size=8,
    ).map("\n".join)
)
def test_each_file_has_one_port_and_a_bridge(text: str) -> None:
    found = parse(written(text))
    assert len(stanzas_of(found, "eth0-kvmops-br0")) == 1
    bridges = stanzas_of(found, "br0")
    assert [stanza.words[1:] for stanza in bridges] == (
        [stanza.words[1:] for stanza in stanzas_of(parse(text), "eth0")] or [("inet", "manual")]
    )
    assert bridges[0].options[0][1].startswith("ip link add name br0 ")
    assert bridges[-1].options[-1][1].endswith("ip link delete dev br0")
