# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What `ip` says is understood, shown with its real output.

The fixtures come from a network namespace on Debian 11, 12 and 13: an uplink up0 with a macvlan mv0 on it, a bridge br0 with the
port p0, libvirt's bridge virbr101, and routes of each kind.
"""

from __future__ import annotations

import json
import re
import subprocess
from ipaddress import ip_interface, ip_network
from pathlib import Path

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge import links
from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Host, Route, read_host
from ansible_collections.kvmops.network.plugins.module_utils._errors import RequirementError

CAPTURED = sorted((Path(__file__).parent / "fixtures").glob("host.iproute2-*.json"))


def read_captured(path: Path) -> Host:
    captured = json.loads(path.read_text())
    return read_host(lambda command: (0, json.dumps(captured[" ".join(command)]), ""))


def test_there_are_fixtures() -> None:
    assert [path.name for path in CAPTURED] == [f"host.iproute2-{version}.json" for version in ("5.9.0", "6.1.0", "6.15.0")]


@pytest.mark.parametrize("path", CAPTURED, ids=lambda path: path.stem)
class TestCapturedHost:
    """What was captured, by each version of iproute2."""

    def test_links(self, path: Path) -> None:
        links = read_captured(path).links
        assert {name: (link.kind, link.master) for name, link in links.items()} == {
            "lo": ("", None),
            "up0": ("veth", None),
            "up1": ("veth", None),
            "br0": ("bridge", None),
            "p0": ("veth", "br0"),
            "p1": ("veth", None),
            "mv0": ("macvlan", None),
            "virbr101": ("bridge", None),
        }
        assert not any(link.wireless for link in links.values())

    def test_macs_are_those_of_ethernet_interfaces(self, path: Path) -> None:
        links = read_captured(path).links
        assert links["virbr101"].mac == "52:54:00:6b:3c:58"
        assert links["lo"].mac is None
        assert all(re.fullmatch("([0-9a-f]{2}:){5}[0-9a-f]{2}", link.mac or "") for link in links.values() if link.name != "lo")

    def test_which_are_up(self, path: Path) -> None:
        links = read_captured(path).links
        assert {name for name, link in links.items() if not link.up} == {"mv0"}  # one without a carrier is up as well

    def test_addresses(self, path: Path) -> None:
        links = read_captured(path).links
        # 000-7, 001-18: the bridge has the network's address
        assert links["virbr101"].addresses[0] == ip_interface("192.168.101.1/24")
        assert set(links["up0"].addresses) >= {ip_interface("198.51.100.5/24"), ip_interface("2001:db8:5::5/64")}
        # an address with a peer: the subnet is the peer's
        assert ip_interface("192.0.2.130/32") in links["p1"].addresses

    def test_ports_of_a_bridge(self, path: Path) -> None:
        host = read_captured(path)
        assert host.ports_of("br0") == ["p0"]
        assert host.ports_of("virbr101") == []
        assert host.ports_of("none") == []

    def test_routes(self, path: Path) -> None:
        routes = read_captured(path).routes
        assert set(routes) == {
            Route(subnet=ip_network(subnet), device=device, connected=connected, table=table)
            for subnet, device, connected, table in (
                ("10.0.0.0/8", "up0", False, "main"),
                ("10.96.0.0/16", "up0", False, "main"),
                ("10.97.0.0/16", None, False, "main"),  # a blackhole
                ("10.98.0.0/16", None, False, "main"),
                ("10.99.1.0/24", "up0", True, "100"),
                ("192.0.2.0/24", "br0", True, "main"),
                ("192.0.2.131/32", "p1", True, "main"),
                ("192.168.101.0/24", "virbr101", True, "main"),
                ("198.51.100.0/24", "up0", True, "main"),
                ("fd00:bb::/64", "up0", True, "100"),
                ("2001:db8:5::/64", "up0", True, "main"),
                ("fd00:aa::/48", "up0", False, "main"),
                ("fd00:cc::/64", "lo", False, "main"),  # unreachable
            )
        }


def run(command: list[str]) -> tuple[int, str, str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_this_host_can_be_read() -> None:
    host = read_host(run)
    assert ip_interface("127.0.0.1/8") in host.links["lo"].addresses


def test_virtual_functions_are_those_with_a_physical_one(tmp_path: Path) -> None:
    for place in ("0000:04:00.0", "0000:04:00.1/physfn", "0000:04:00.2/physfn"):
        (tmp_path / place).mkdir(parents=True)
    assert links._read_virtual_functions(str(tmp_path)) == {"0000:04:00.1", "0000:04:00.2"}
    assert links._read_virtual_functions(str(tmp_path / "no-bus")) == set()


def test_a_failure_of_ip_is_said() -> None:
    with pytest.raises(RequirementError) as caught:
        read_host(lambda command: run([*command[:1], "--no-such-option", *command[1:]]))
    assert str(caught.value) == (
        '\'ip -j -d addr show\' failed on this host: Option "-no-such-option" is unknown, try "ip -help". '
        "Install iproute2 (4.14 or later)."
    )


def test_a_missing_ip_is_said() -> None:
    with pytest.raises(RequirementError) as caught:
        read_host(lambda command: run(["/nonexistent/ip", *command[1:]]))
    assert str(caught.value) == (
        "'ip -j -d addr show' failed on this host: No such file or directory. Install iproute2 (4.14 or later)."
    )


def test_an_ip_without_json_is_said() -> None:
    # iproute2 before 4.14 prints text whatever it is asked for
    with pytest.raises(RequirementError, match="its answer is no JSON"):
        read_host(lambda command: run([word for word in command if word != "-j"]))


def test_no_routes_are_no_error() -> None:
    # iproute2 prints nothing at all where there is nothing
    host = read_host(lambda command: (0, "[{}]" if "addr" in command else "", ""))
    assert host == Host(links={}, routes=())


def test_through_what_packets_leave() -> None:
    commands: list[list[str]] = []
    routes = [
        {"dst": "default", "gateway": "192.0.2.1", "dev": "wlan0", "metric": 600},
        {"dst": "default", "gateway": "198.51.100.1", "dev": "eth0", "metric": 100},
        {"dst": "default", "metric": 700, "nexthops": [{"dev": "eth1"}, {"dev": "eth0"}]},
    ]

    def run(command: list[str]) -> tuple[int, str, str]:
        commands.append(command)
        return 0, json.dumps(routes), ""

    assert links.read_default_devices(run) == ["eth0", "wlan0", "eth1"]
    assert commands == [["ip", "-j", "-4", "route", "show", "default"]]
    assert links.read_default_devices(lambda _command: (0, "", "")) == []
