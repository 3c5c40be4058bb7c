# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The interface that a task wants on a host: what is left out there is filled in."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._errors import RequirementError
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.interface import Interface
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.wanted import wanted_interface
from ansible_collections.kvmops.network.plugins.module_utils._nic.mac import make_mac
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._macvtap.builders import (
    MAC,
    MACHINE_ID,
    OFF,
    ON,
    OURS,
    eth,
    host,
    on_eth1,
    over,
    request,
    route_option,
)

MADE = make_mac(machine_id=MACHINE_ID, domain="", nic="mv0")


def test_a_short_task() -> None:
    assert wanted_interface(request(), host()) == Interface(
        name="mv0",
        kind="macvtap",
        parent="eth1",
        mode="bridge",
        mac=MADE,
        mtu=1500,
        broadcast_queue=1000,
        ipv6=OFF,
        all_multicast=True,  # or a guest has no IPv6
    )


def test_a_long_task() -> None:
    found = wanted_interface(
        request(
            kind="macvlan",
            mode="source",
            flags=["nodst"],
            mac=MAC,
            source_macs=["02:00:00:00:00:01"],
            mtu=1400,
            queues=4,
            bcqueuelen=0,
            addresses=["2001:db8::1/64"],
            routes=[route_option("2001:db8:1::/64")],
        ),
        host(),
    )
    assert found == Interface(
        name="mv0",
        kind="macvlan",
        parent="eth1",
        mode="source",
        mac=MAC,
        mtu=1400,
        queues=(4, 4),
        broadcast_queue=0,
        flags=("nodst",),
        source_macs=("02:00:00:00:00:01",),
        ipv6=ON,
        addresses=("2001:db8::1/64",),
        routes=(over("2001:db8:1::/64", metric=1024),),
    )


def test_down() -> None:
    assert not wanted_interface(request(link="down"), host()).up


def test_parent_that_stands_on_another() -> None:
    found = wanted_interface(request(parent="mv1"), host(on_eth1("mv1", mtu=1300), eth(mtu=1400)))
    assert (found.parent, found.mtu) == ("eth1", 1400)


@pytest.mark.parametrize(
    ("has_ipv6", "mtu", "addresses", "expected"),
    [
        (True, None, [], OFF),
        (True, None, ["192.0.2.1/32"], OFF),
        (True, None, ["192.0.2.1/32", "2001:db8::1/64"], ON),
        (True, 1280, [], OFF),
        (True, 1279, [], None),  # the kernel has none on such a link
        (False, None, [], None),
    ],
)
def test_ipv6(has_ipv6: bool, mtu: int | None, addresses: list[str], expected: t.Any) -> None:
    assert wanted_interface(request(mtu=mtu, addresses=addresses), host(has_ipv6=has_ipv6)).ipv6 == expected


def test_ipv6_below_a_small_parent() -> None:
    assert wanted_interface(request(), host(eth(mtu=1000))).ipv6 is None


class TestMac:
    """One that stays."""

    def test_the_one_that_is_given(self) -> None:
        assert wanted_interface(request(mac=MAC, mode="passthru"), host(on_eth1(mac="52:54:00:7a:00:09"))).mac == MAC

    def test_the_one_that_it_has(self) -> None:
        assert wanted_interface(request(), host(on_eth1(mac="52:54:00:7a:00:09"), machine_id="")).mac == "52:54:00:7a:00:09"

    @pytest.mark.parametrize(
        ("path", "text"),
        [
            ("/etc/systemd/network/0-kvmops-mv0.netdev", "[NetDev]\nName=mv0\nKind=macvtap\nMACAddress={}\n"),
            ("/etc/NetworkManager/system-connections/kvmops-mv0.nmconnection", "[ethernet]\ncloned-mac-address={}\n"),
            ("/etc/systemd/system/kvmops-mv0.service", "ExecStart=ip link add name mv0 link eth1 address {} type macvtap\n"),
        ],
    )
    def test_the_one_in_its_file(self, path: str, text: str) -> None:
        # NetworkManager gives it the first one back while it is not in use
        files = {path: OURS + text.format(MAC).encode()}
        assert wanted_interface(request(), host(on_eth1(mac="52:54:00:7a:00:09"), files=files)).mac == MAC
        assert wanted_interface(request(), host(files=files)).mac == MAC
        assert wanted_interface(request(mac="52:54:00:7a:00:07"), host(files=files)).mac == "52:54:00:7a:00:07"
        assert wanted_interface(request(mode="passthru"), host(files=files)).mac == ""

    def test_none_in_its_file(self) -> None:
        files = {"/etc/systemd/system/kvmops-mv0.service": OURS}
        assert wanted_interface(request(), host(on_eth1(), files=files)).mac == MAC

    def test_of_its_own_again_after_passthru(self) -> None:
        assert wanted_interface(request(), host(on_eth1(mode="passthru"))).mac == MADE

    def test_passthru_has_the_parents(self) -> None:
        assert wanted_interface(request(mode="passthru"), host(on_eth1(), machine_id="")).mac == ""

    def test_each_name_has_another(self) -> None:
        assert wanted_interface(request(name="mv1"), host()).mac not in ("", MADE)

    def test_it_cannot_be_made(self) -> None:
        with pytest.raises(RequirementError) as caught:
            wanted_interface(request(), host(machine_id=""))
        assert str(caught.value) == (
            "mac: this host has no /etc/machine-id, from which an address could be made. Give one, or run "
            "systemd-machine-id-setup."
        )
