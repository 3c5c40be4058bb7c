# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The host, as a plan sees it."""

from __future__ import annotations

from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._macvtap.builders import eth, host, on_eth1


def test_siblings_are_those_that_take_frames_of_the_same_link() -> None:
    found = host(
        on_eth1("mv0"),
        on_eth1("mv1", kind="macvlan"),
        on_eth1("mv2", below="eth2"),
        eth("ip0", kind="ipvlan", below="eth1"),
        eth("eth1.7", kind="vlan", below="eth1"),
    )
    assert [device.name for device in found.siblings("eth1", "mv0")] == ["mv1", "ip0"]
    assert [device.name for device in found.siblings("eth2", "mv0")] == ["mv2"]
