# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The files of systemd-networkd, word for word, and what it cannot express."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._macvtap.networkd import Networkd, hands_off
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._macvtap.builders import MAC, ON, kept, over

HEAD = (
    "# Written by the Ansible module kvmops.network.macvtap_iface, for the interface mv0.\n"
    "# Changes are found and undone by its next run.\n"
    "\n"
)
NETDEV = "/etc/systemd/network/0-kvmops-mv0.netdev"
NETWORK = "/etc/systemd/network/0-kvmops-mv0.network"
ADDITION = "/etc/systemd/network/10-eth1.network.d/kvmops-mv0.conf"
QUIET = f"""{HEAD}[Match]
Name=mv0

[Link]
RequiredForOnline=no

[Network]
LinkLocalAddressing=no
IPv6AcceptRA=no
ConfigureWithoutCarrier=yes
IgnoreCarrierLoss=yes
"""


def test_a_macvtap() -> None:
    assert Networkd().files(kept()) == {
        NETDEV: f"{HEAD}[NetDev]\nName=mv0\nKind=macvtap\nMACAddress={MAC}\n\n[MACVTAP]\nMode=bridge\n",
        NETWORK: QUIET.replace("RequiredForOnline=no\n", "RequiredForOnline=no\nAllMulticast=yes\n"),
        ADDITION: f"{HEAD}[Network]\nMACVTAP=mv0\n",
    }


def test_a_macvlan_with_sources_addresses_and_routes() -> None:
    wanted = kept(
        kind="macvlan",
        mode="source",
        mtu=1400,
        source_macs=("02:00:00:00:00:01", "02:00:00:00:00:02"),
        ipv6=ON,
        addresses=("192.0.2.250/32", "2001:db8::1/64"),
        routes=(over("192.0.2.128/25"), over("2001:db8:1::/48", gateway="2001:db8::9", metric=1024)),
        network_file="70-lan.network",
    )
    assert Networkd().files(wanted) == {
        NETDEV: f"""{HEAD}[NetDev]
Name=mv0
Kind=macvlan
MACAddress={MAC}
MTUBytes=1400

[MACVLAN]
Mode=source
SourceMACAddress=02:00:00:00:00:01
SourceMACAddress=02:00:00:00:00:02
""",
        NETWORK: f"""{HEAD}[Match]
Name=mv0

[Link]
RequiredForOnline=no

[Network]
LinkLocalAddressing=ipv6
IPv6AcceptRA=no
ConfigureWithoutCarrier=yes
IgnoreCarrierLoss=yes
Address=192.0.2.250/32
Address=2001:db8::1/64

[Route]
Destination=192.0.2.128/25
Metric=0

[Route]
Destination=2001:db8:1::/48
Gateway=2001:db8::9
Metric=1024
""",
        "/etc/systemd/network/70-lan.network.d/kvmops-mv0.conf": f"{HEAD}[Network]\nMACVLAN=mv0\n",
    }


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, []),
        ({"mode": "passthru"}, ["mode: passthru (it would give the parent another MAC address)"]),
        ({"queues": (2, 2), "mode": "passthru"}, ["queues", "mode: passthru (it would give the parent another MAC address)"]),
        ({"up": False}, ["link: down"]),
    ],
)
def test_what_it_cannot_express(values: dict[str, t.Any], expected: list[str]) -> None:
    assert Networkd().unable(kept(**values)) == expected


def test_it_leaves_what_others_make_alone() -> None:
    assert hands_off("mv0") == {NETWORK: f"{HEAD}[Match]\nName=mv0\n\n[Link]\nUnmanaged=yes\n"}


def test_it_forgets_the_interface_with_its_files() -> None:
    [command] = Networkd().release("mv0")
    shell, flag, script, name = command
    assert (shell, flag, name) == ("sh", "-c", "networkd forgets mv0")
    pattern = "/etc/systemd/network/*.network.d/kvmops-mv0.conf"
    assert script.splitlines() == [
        f"rm -f {NETDEV} {NETWORK} {pattern}",
        "systemctl is-active --quiet systemd-networkd.service || exit 0",
        "networkctl reload",
    ]


@pytest.mark.parametrize("addressed", [True, False])
def test_it_follows_by_itself(addressed: bool) -> None:
    assert Networkd().follow("mv0", addressed=addressed) == []
