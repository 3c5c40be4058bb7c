# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What netplan's files say of a link that one of its renderers manages."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.kvmops.network.plugins.module_utils._bridge.host import Management
from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Identity, Origin
from ansible_collections.kvmops.network.plugins.module_utils._edge import netplan
from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._bridge.builders import device

ON_NETWORKD = "/run/systemd/network/10-netplan-eth0.network"
ON_NETWORK_MANAGER = "/run/NetworkManager/system-connections/netplan-eth0.nmconnection"
UUID = "626dd384-8b3d-3690-9511-192b2c79b3fd"


class Disk:
    """netplan's folders under a temporary one."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, text: str) -> str:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        return str(place)

    def read(self, path: str = ON_NETWORKD, name: str = "10-netplan-eth0.network") -> Management:
        made = Management("netplan", Origin(name, path, "[Match]\n"), Identity(dhcp4="01"))
        return netplan.read_management(device("eth0"), made)

    def definition(self, path: str = ON_NETWORKD, name: str = "10-netplan-eth0.network") -> dict[str, object]:
        found: dict[str, object] = yaml.safe_load(self.read(path, name).origin.text)["network"]["ethernets"]["eth0"]
        return found


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    monkeypatch.setattr(netplan, "_FOLDERS", tuple(f"{tmp_path}{folder}" for folder in netplan._FOLDERS))
    monkeypatch.setattr(netplan, "_LASTING", f"{tmp_path}/etc/netplan")
    return Disk(tmp_path)


def ethernet(**keys: str) -> str:
    return yaml.safe_dump({"network": {"ethernets": {"eth0": keys}}}, default_flow_style=False)


def test_what_is_remembered(disk: Disk) -> None:
    disk.write(
        "etc/netplan/50-a.yaml", "network:\n  renderer: networkd\n  ethernets:\n    eth0:\n      dhcp4: true\n    eth1: {}\n"
    )
    last = disk.write("etc/netplan/60-b.yaml", ethernet(mtu="1400"))
    disk.write("etc/netplan/70-c.yaml", "network:\n  version: 2\n")
    found = disk.read()
    assert (found.backend, found.identity) == ("netplan", Identity(dhcp4="01"))
    assert (found.origin.name, found.origin.path) == ("eth0", last)
    assert disk.definition() == {"dhcp4": True, "mtu": 1400, "renderer": "networkd"}


def test_the_profile_that_network_manager_uses(disk: Disk) -> None:
    disk.write("etc/netplan/a.yaml", "network:\n  ethernets:\n    eth0:\n      networkmanager:\n        name: x\n")
    assert disk.definition(ON_NETWORK_MANAGER, UUID) == {
        "renderer": "NetworkManager",
        "networkmanager": {"name": "x", "uuid": UUID},
    }


def test_a_file_hides_those_of_its_name(disk: Disk) -> None:
    disk.write("usr/lib/netplan/a.yaml", ethernet(dhcp4="true"))
    disk.write("etc/netplan/a.yaml", ethernet(dhcp6="true"))
    assert disk.definition() == {"dhcp6": True, "renderer": "networkd"}


@pytest.mark.parametrize("folder", ["run/netplan", "usr/lib/netplan"])
def test_a_file_that_cannot_be_changed_for_good_is_refused(disk: Disk, folder: str) -> None:
    disk.write("etc/netplan/a.yaml", ethernet(dhcp4="true"))
    path = disk.write(f"{folder}/b.yaml", ethernet(dhcp6="true"))
    with pytest.raises(RefusedError) as caught:
        disk.read()
    assert str(caught.value) == (
        f"{path} defines eth0, and files there are made by the system, so that the definition cannot be taken out of it for "
        f"good. Copy it to {disk.root}/etc/netplan, where it hides the one of the same name, or write another one there."
    )


def test_a_definition_that_is_gone(disk: Disk) -> None:
    disk.write("etc/netplan/a.yaml", "network:\n  version: 2\n")
    with pytest.raises(RefusedError) as caught:
        disk.read()
    assert str(caught.value) == (
        f"eth0 has a configuration that netplan has made ({ON_NETWORKD}), and none of netplan's files defines eth0 any more. Run "
        "'netplan apply' on the host, or put the definition back."
    )


def test_a_file_that_is_no_yaml(disk: Disk) -> None:
    path = disk.write("etc/netplan/a.yaml", "network: [\n")
    with pytest.raises(InputError) as caught:
        disk.read()
    assert str(caught.value).startswith(f"{path} cannot be understood: ")
