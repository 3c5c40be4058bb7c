# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What networkd does with a link, of the files that systemd 247, 252 and 257 had in /run on Debian 11, 12 and 13."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Identity, Origin
from ansible_collections.kvmops.network.plugins.module_utils._edge import networkd
from ansible_collections.kvmops.network.plugins.module_utils._errors import RequirementError
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._bridge.builders import device, leased

CAPTURED = {
    version: json.loads((Path(__file__).parent / f"fixtures/networkd.systemd-{version}.json").read_text())
    for version in ("247", "252", "257")
}
CLIENT_IDS = {
    "247": "ff117c8d3300020000ab114233c1bf41348205",
    "252": "ff720fbb0100020000ab110bc25c5109ddb8e1",
    "257": "ffb070b8a900020000ab117818a24977121d18",
}
ORIGIN = "/etc/systemd/network/10-eth0.network"


class Disk:
    """A host's files under a temporary folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, text: str) -> None:
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8", errors="surrogateescape")

    def capture(self, version: str) -> None:
        for path, text in CAPTURED[version]["files"].items():
            self.write(path, text.replace("NETWORK_FILE=/", f"NETWORK_FILE={self.root}/"))

    def state(self, **values: str) -> None:
        self.write("run/systemd/netif/links/2", "".join(f"{key}={value}\n" for key, value in values.items()))

    def origin(self, text: str, path: str = ORIGIN) -> None:
        self.write(path, text)
        self.state(ADMIN_STATE="configured", NETWORK_FILE=f"{self.root}{path}")


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    for name in ("_STATE", "_LEASE"):
        monkeypatch.setattr(networkd, name, f"{tmp_path}{getattr(networkd, name)}")
    monkeypatch.setattr(networkd, "_FOLDERS", tuple(f"{tmp_path}{folder}" for folder in networkd._FOLDERS))
    return Disk(tmp_path)


def runs(command: list[str]) -> tuple[int, str, str]:
    assert command == ["systemctl", "is-active", "--quiet", "systemd-networkd.service"]
    return 0, "", ""


def does_not_run(_command: list[str]) -> tuple[int, str, str]:
    return 3, "", ""


@pytest.mark.parametrize("version", CAPTURED)
class TestCaptured:
    """A host that got its address from a DHCP server."""

    def test_who_manages_what(self, disk: Disk, version: str) -> None:
        disk.capture(version)
        assert [networkd.manages(runs, device(name, index=index)) for index, name in enumerate(("lo", "eth0", "eth1"), 1)] == [
            False,
            True,
            False,
        ]
        assert not networkd.manages(does_not_run, device("eth0"))

    def test_the_configuration_and_by_what_servers_know_it(self, disk: Disk, version: str) -> None:
        disk.capture(version)
        found = networkd.read_management(device("eth0"))
        client_id = CLIENT_IDS[version]
        assert found.backend == "networkd"
        text = "[Match]\nName=eth0\n\n[Network]\nDHCP=ipv4\n"
        assert found.origin == Origin("10-eth0.network", f"{disk.root}{ORIGIN}", text)
        # both DUIDs are the same one, of 12 bytes; what systemd 247 writes of DHCPv6's is longer
        assert found.identity == Identity(client_id, client_id[10:], int(client_id[2:10], 16), "")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, False),
        ({"ADMIN_STATE": "unmanaged", "NETWORK_FILE": "/a"}, False),
        ({"ADMIN_STATE": "", "NETWORK_FILE": "/a"}, False),
        ({"ADMIN_STATE": "pending"}, False),
        ({"ADMIN_STATE": "configured", "NETWORK_FILE": ""}, False),
        ({"ADMIN_STATE": "configuring", "NETWORK_FILE": "/a"}, True),
        ({"ADMIN_STATE": "failed", "NETWORK_FILE": "/a"}, True),
    ],
)
def test_who_manages_a_link(disk: Disk, values: dict[str, str], expected: bool) -> None:
    disk.state(**values)
    assert networkd.manages(runs, device("eth0")) == expected


def test_a_link_that_networkd_never_saw(disk: Disk) -> None:
    assert disk.root.exists()
    assert not networkd.manages(runs, device("eth0"))


def test_a_host_without_systemd(disk: Disk) -> None:
    def missing(_command: list[str]) -> tuple[int, str, str]:
        raise FileNotFoundError(2, "No such file or directory")

    disk.capture("257")
    assert not networkd.manages(missing, device("eth0"))


def test_what_overrides_parts_of_the_file_is_read_after_it(disk: Disk) -> None:
    disk.origin("[Network]\nDHCP=yes\n")
    name = "10-eth0.network.d"
    disk.write(f"usr/lib/systemd/network/{name}/50-b.conf", "[Network]\nDNS=192.0.2.9\n")
    disk.write(f"etc/systemd/network/{name}/20-a.conf", "[Network]\nDNS=192.0.2.1\n")
    disk.write(f"run/systemd/network/{name}/50-b.conf", "[Network]\nDNS=192.0.2.2\n")  # instead of the one in /usr/lib
    disk.write(f"run/systemd/network/{name}/readme", "[Network]\nDNS=192.0.2.3\n")
    disk.write("etc/systemd/network/10-eth1.network.d/a.conf", "[Network]\nDNS=192.0.2.4\n")
    assert networkd.read_management(device("eth0")).origin.text == "[Network]\nDHCP=yes\n" + "".join(
        f"\n[Network]\nDNS=192.0.2.{number}\n" for number in (1, 2)
    )


def test_a_file_that_is_gone_is_said(disk: Disk) -> None:
    path = f"{disk.root}/etc/systemd/network/10-eth0.network"
    disk.state(ADMIN_STATE="configured", NETWORK_FILE=path)
    with pytest.raises(RequirementError) as caught:
        networkd.read_management(device("eth0"))
    assert str(caught.value) == (
        f"networkd configured eth0 from {path}, which cannot be read now (No such file or directory). Put it back, and run "
        "'networkctl reload'."
    )


def test_a_file_that_is_no_utf8(disk: Disk) -> None:
    disk.origin("# caf\udce9\n[Network]\nDHCP=yes\n")
    assert networkd.read_management(device("eth0")).origin.text == "# caf\udce9\n[Network]\nDHCP=yes\n"


@pytest.mark.parametrize(
    ("path", "backend"),
    [
        ("/run/systemd/network/10-netplan-eth0.network", "netplan"),
        ("/run/systemd/network/10-eth0.network", "networkd"),
        ("/etc/systemd/network/10-netplan-eth0.network", "networkd"),
    ],
)
def test_a_file_that_netplan_made(disk: Disk, monkeypatch: pytest.MonkeyPatch, path: str, backend: str) -> None:
    disk.write(path, "[Network]\nDHCP=yes\n")
    disk.state(NETWORK_FILE=path)
    read, root = networkd._read, str(disk.root)
    monkeypatch.setattr(networkd, "_read", lambda place: read(place if place.startswith(root) else root + place))
    assert networkd.read_management(device("eth0")).backend == backend


@pytest.mark.parametrize(
    ("state", "lease", "expected"),
    [
        ({}, "", Identity()),
        ({}, "ADDRESS=192.0.2.10\n", Identity()),
        ({}, "CLIENTID=0152540012AB56\n", Identity(dhcp4="0152540012ab56")),
        ({}, "CLIENTID=ff0000000a00030001525400123456\n", Identity(dhcp4="ff0000000a00030001525400123456", iaid=10)),
        ({"DHCP6_CLIENT_DUID": "DUID-EN/Vendor:0000AB11"}, "", Identity(dhcp6="00020000ab11")),
        (
            {"DHCP6_CLIENT_DUID": "DUID-LL:0001525400123456", "DHCP6_CLIENT_IAID": "0xb070b8a9"},
            "",
            Identity(dhcp6="00030001525400123456", iaid=0xB070B8A9),
        ),
        ({"DHCP6_CLIENT_DUID": "DUID-LLT:00012a"}, "", Identity(dhcp6="000100012a")),
        ({"DHCP6_CLIENT_DUID": "UUID:0a0b"}, "", Identity(dhcp6="00040a0b")),
        ({"DHCP6_CLIENT_DUID": "something:0a0b"}, "", Identity()),
        ({"DHCP6_CLIENT_DUID": "DUID-LL:nonsense"}, "", Identity()),
        # somebody gave the clients different ones
        (
            {"DHCP6_CLIENT_DUID": "DUID-LL:0001525400000000"},
            "CLIENTID=ff0000000a00030001525400\n",
            Identity(dhcp4="ff0000000a00030001525400", dhcp6="00030001525400000000", iaid=10),
        ),
    ],
)
def test_by_what_servers_know_a_link(disk: Disk, state: dict[str, str], lease: str, expected: Identity) -> None:
    disk.origin("[Network]\nDHCP=yes\n")
    disk.state(ADMIN_STATE="configured", NETWORK_FILE=f"{disk.root}{ORIGIN}", **state)
    if lease:
        disk.write("run/systemd/netif/leases/2", lease)
    assert networkd.read_management(device("eth0")).identity == expected


def test_what_routers_know_a_link_by(disk: Disk) -> None:
    disk.origin("[Network]\nIPv6AcceptRA=yes\n")
    found: t.Any = networkd.read_management(device("eth0", leased("2001:db8::7/64")))
    assert found.identity == Identity(token="::7")
