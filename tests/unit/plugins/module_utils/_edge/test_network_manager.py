# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What NetworkManager says of a link is understood, shown with its real output.

The fixtures come from the lab's hosts: on Debian 13 with the profile `old` on eth0, on Debian 12 with the one that NetworkManager
made up by itself. eth1 is unmanaged on both, and lo is only looked on.
"""

from __future__ import annotations

import json
from ipaddress import ip_interface
from pathlib import Path

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Address, Device
from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Identity, Origin
from ansible_collections.kvmops.network.plugins.module_utils._edge import network_manager
from ansible_collections.kvmops.network.plugins.module_utils._edge.network_manager import manages, read_management
from ansible_collections.kvmops.network.plugins.module_utils._errors import RefusedError, RequirementError

CAPTURED = sorted((Path(__file__).parent / "fixtures").glob("nmcli.*.json"))
IN_MEMORY = "/run/NetworkManager/system-connections"
SHOW_CONNECTIONS = "nmcli -t -e no -f UUID,FILENAME connection show"
SHOW_PRIORITIES = "nmcli -t -e no -f UUID,TYPE,AUTOCONNECT,AUTOCONNECT-PRIORITY,NAME connection show"
SHOW_ETH0 = "nmcli -t -e no -f GENERAL,DHCP4,DHCP6 device show eth0"


PARENTS = "nmcli -t -e no -f UUID,TYPE,NAME connection show"


class Captured:
    """A host that answers what was captured."""

    def __init__(self, path: Path) -> None:
        self.outputs: dict[str, list[object]] = json.loads(path.read_text())
        self.more: dict[str, list[object]] = {
            "nmcli --version": [0, f"nmcli tool, version {path.stem[len('nmcli.') :]}\n"],
            PARENTS: [0, "11111111-1111-4111-8111-111111111111:802-3-ethernet:uplink\n"],
        }

    def __call__(self, command: list[str]) -> tuple[int, str, str]:
        code, output = self.outputs.get(" ".join(command), self.more.get(" ".join(command), [None, ""]))
        assert isinstance(code, int)
        return code, str(output), ""

    def replace(self, command: str, old: str, new: str) -> None:
        code, output = self.outputs[command]
        assert old in str(output)
        self.outputs[command] = [code, str(output).replace(old, new)]


def device_of(name: str, *addresses: Address) -> Device:
    return Device(name=name, index=2, mac="02:77:3b:2c:00:3b", mtu=1500, addresses=addresses)


@pytest.fixture(params=CAPTURED, ids=lambda path: path.stem)
def host(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Captured:
    captured = Captured(request.param)
    monkeypatch.setattr(network_manager, "_read_profile", lambda path, _device: f"text of {path}")
    return captured


@pytest.fixture
def trixie(monkeypatch: pytest.MonkeyPatch) -> Captured:
    monkeypatch.setattr(network_manager, "_read_profile", lambda path, _device: f"text of {path}")
    return Captured(CAPTURED[1])


def test_there_are_fixtures() -> None:
    assert [path.name for path in CAPTURED] == ["nmcli.1.42.4.json", "nmcli.1.52.1.json"]


def test_a_link_with_a_profile_is_managed(host: Captured) -> None:
    assert manages(host, device_of("eth0"))


@pytest.mark.parametrize("name", ["eth1", "lo", "nope"])
def test_others_are_not(host: Captured, name: str) -> None:
    assert not manages(host, device_of(name))


def test_a_link_without_a_profile_is_not_managed(trixie: Captured) -> None:
    trixie.replace(SHOW_ETH0, "GENERAL.CON-UUID:11111111-1111-4111-8111-111111111111", "GENERAL.CON-UUID:")
    assert not manages(trixie, device_of("eth0"))


@pytest.mark.parametrize(
    ("state", "managed"),
    [("70 (connecting (getting IP configuration))", True), ("30 (disconnected)", False), ("110 (deactivating)", False)],
)
def test_a_link_that_still_asks_is_managed(trixie: Captured, state: str, managed: bool) -> None:
    trixie.replace(SHOW_ETH0, "100 (connected)", state)
    assert manages(trixie, device_of("eth0")) is managed


def test_nothing_is_managed_where_it_is_not_installed() -> None:
    def run(command: list[str]) -> tuple[int, str, str]:
        raise FileNotFoundError(command[0])

    assert not manages(run, device_of("eth0"))


def test_nothing_is_managed_where_it_does_not_run() -> None:
    assert not manages(lambda _command: (8, "", "Error: NetworkManager is not running.\n"), device_of("eth0"))


def test_a_profile_on_the_disk(trixie: Captured) -> None:
    path = "/etc/NetworkManager/system-connections/old.nmconnection"
    management = read_management(trixie, device_of("eth0"))
    assert management.backend == "networkmanager"
    assert management.origin == Origin(name="11111111-1111-4111-8111-111111111111", path=path, text=f"text of {path}")
    assert management.identity == Identity(dhcp4="0102773b2c003b")


def test_a_profile_that_it_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_manager, "_read_profile", lambda path, _device: f"text of {path}")
    management = read_management(Captured(CAPTURED[0]), device_of("eth0"))
    assert management.backend == "networkmanager"
    assert management.origin == Origin(
        name="a64985ec-4136-3d72-9022-af9adb6b2385", path="", text=f"text of {IN_MEMORY}/Wired connection 1.nmconnection"
    )
    assert management.identity == Identity(dhcp4="01027798e79a75")


def test_a_profile_of_netplan(trixie: Captured) -> None:
    trixie.replace(SHOW_CONNECTIONS, "/etc/NetworkManager/system-connections/old", f"{IN_MEMORY}/netplan-eth0")
    management = read_management(trixie, device_of("eth0"))
    assert (management.backend, management.origin.path) == ("netplan", f"{IN_MEMORY}/netplan-eth0.nmconnection")


def test_a_profile_that_is_no_keyfile(trixie: Captured) -> None:
    path = "/etc/sysconfig/network-scripts/ifcfg-eth0"
    trixie.replace(SHOW_CONNECTIONS, "/etc/NetworkManager/system-connections/old.nmconnection", path)
    with pytest.raises(RequirementError, match=f"of eth0 in {path}, which is no keyfile"):
        read_management(trixie, device_of("eth0"))


def test_a_profile_that_is_gone() -> None:
    captured = Captured(CAPTURED[1])
    captured.replace(SHOW_CONNECTIONS, "/etc/NetworkManager/system-connections/old", "/nonexistent/old")
    with pytest.raises(
        RequirementError, match=r"eth0 from /nonexistent/old\.nmconnection, which cannot be read now \(No such file"
    ):
        read_management(captured, device_of("eth0"))


def test_the_identity_for_ipv6(trixie: Captured) -> None:
    trixie.replace(
        SHOW_ETH0,
        "DHCP4.OPTION[1]:",
        "DHCP6.OPTION[1]:dhcp6_client_id = 00:04:AA:bb\nDHCP6.OPTION[2]:iaid = 00:50:67:35\nDHCP4.OPTION[1]:",
    )
    own = Address(interface=ip_interface("fd77::4443:fbbf:6222:2a4c/64"), dynamic=True)
    assert read_management(trixie, device_of("eth0", own)).identity == Identity(
        dhcp4="0102773b2c003b", dhcp6="0004aabb", iaid=0x00506735, token="::4443:fbbf:6222:2a4c"
    )


def test_without_dhcp_there_is_no_identity(trixie: Captured) -> None:
    trixie.replace(SHOW_ETH0, "dhcp_client_identifier", "something_else")
    assert read_management(trixie, device_of("eth0")).identity == Identity()


class TestPriority:
    """Another profile could be as important as the bridge's."""

    @staticmethod
    def add(host: Captured, line: str, interface: str) -> None:
        code, output = host.outputs[SHOW_PRIORITIES]
        host.outputs[SHOW_PRIORITIES] = [code, f"{output}{line}\n"]
        host.outputs["nmcli -e no -g connection.interface-name connection show uuid u2"] = [0, f"{interface}\n"]

    @pytest.mark.parametrize("interface", ["", "eth0"])
    def test_one_that_could_get_the_uplink_is_refused(self, trixie: Captured, interface: str) -> None:
        self.add(trixie, "u2:802-3-ethernet:yes:999:a name: with colons", interface)
        with pytest.raises(RefusedError, match="profile 'a name: with colons' with the autoconnect-priority 999"):
            read_management(trixie, device_of("eth0"))

    @pytest.mark.parametrize(
        ("line", "interface"),
        [
            ("u2:802-3-ethernet:yes:999:other", "eth7"),
            ("u2:802-3-ethernet:yes:998:other", "eth0"),
            ("u2:802-3-ethernet:no:999:other", "eth0"),
            ("u2:wifi:yes:999:other", ""),
            ("u2:802-3-ethernet:yes:999:kvmops-br1-port", "eth0"),
        ],
    )
    def test_others_are_not(self, trixie: Captured, line: str, interface: str) -> None:
        self.add(trixie, line, interface)
        assert read_management(trixie, device_of("eth0")).backend == "networkmanager"


@pytest.mark.parametrize("version", ["1.36.4", "1.41.9", "0.9.10"])
def test_a_version_that_is_too_old(trixie: Captured, version: str) -> None:
    trixie.more["nmcli --version"] = [0, f"nmcli tool, version {version}\n"]
    with pytest.raises(RequirementError) as caught:
        read_management(trixie, device_of("eth0"))
    short = ".".join(version.split(".")[:2])
    assert str(caught.value) == f"NetworkManager {short} is too old; the uplink can be moved with 1.42 or later."


def test_a_profile_that_stands_on_the_uplinks(trixie: Captured) -> None:
    own, uuid = "22222222-2222-4222-8222-222222222222", "11111111-1111-4111-8111-111111111111"
    trixie.more[PARENTS] = [0, f"{uuid}:802-3-ethernet:uplink\n{own}:vlan:storage: fast\n"]
    ask = f"nmcli -e no -g vlan.parent connection show uuid {own}"
    trixie.more[ask] = [0, "eth0\n"]
    assert read_management(trixie, device_of("eth0")).backend == "networkmanager"
    trixie.more[ask] = [0, f"{uuid}\n"]
    with pytest.raises(RefusedError) as caught:
        read_management(trixie, device_of("eth0"))
    assert str(caught.value) == (
        "NetworkManager's profile 'storage: fast' has the profile of eth0 as its parent, by UUID, and would lose it. Name the "
        f"interface instead: nmcli connection modify {own} vlan.parent eth0"
    )
