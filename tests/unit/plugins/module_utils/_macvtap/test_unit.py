# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The unit of systemd and the rule of udev that starts it, word for word."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._macvtap.unit import Unit
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._macvtap.builders import MAC, ON, kept, over

HEAD = (
    "# Written by the Ansible module kvmops.network.macvtap_iface, for the interface mv0.\n"
    "# Changes are found and undone by its next run.\n"
)
SERVICE = "/etc/systemd/system/kvmops-mv0.service"
RULE = "/etc/udev/rules.d/71-kvmops-mv0.rules"


def test_a_macvtap() -> None:
    assert Unit().files(kept()) == {
        SERVICE: f"""{HEAD}# It is started by udev, each time that eth1 appears.
[Unit]
Description=The macvtap mv0 on eth1
ConditionPathExists=/sys/class/net/eth1
ConditionPathExists=!/sys/class/net/mv0
Before=libvirtd.service virtqemud.service
StartLimitIntervalSec=120
StartLimitBurst=60

[Service]
Type=oneshot
ExecStart=ip link add name mv0 link eth1 address {MAC} type macvtap mode bridge
ExecStart=-ip link set dev mv0 allmulticast on
ExecStart=-/bin/sh -c 'echo 0 >/proc/sys/net/ipv6/conf/mv0/accept_ra'
ExecStart=-/bin/sh -c 'echo 1 >/proc/sys/net/ipv6/conf/mv0/disable_ipv6'
ExecStart=-ip link set dev mv0 up
# the parent may not have its MTU yet
Restart=on-failure
RestartSec=1
""",
        RULE: f"""{HEAD}ACTION=="add|move", SUBSYSTEM=="net", ENV{{INTERFACE}}=="eth1", \
RUN+="/bin/systemctl --no-block start kvmops-mv0.service"
""",
    }


def test_all_that_a_task_can_say() -> None:
    wanted = kept(
        kind="macvlan",
        mode="source",
        flags=("nodst",),
        source_macs=("02:00:00:00:00:01",),
        mtu=9000,
        queues=(4, 4),
        broadcast_queue=500,
        ipv6=ON,
        addresses=("192.0.2.250/32", "2001:db8::1/64"),
        routes=(over("192.0.2.128/25"),),
    )
    assert Unit().unable(wanted) == []
    lines = Unit().files(wanted)[SERVICE].splitlines()
    assert [line.partition("=")[2] for line in lines if line.startswith("ExecStart=")] == [
        f"ip link add name mv0 link eth1 mtu 9000 address {MAC} numtxqueues 4 numrxqueues 4 type macvlan mode source nodst "
        "bcqueuelen 500",
        "-ip link set dev mv0 type macvlan macaddr set 02:00:00:00:00:01",
        "-/bin/sh -c 'echo 0 >/proc/sys/net/ipv6/conf/mv0/accept_ra'",
        "-/bin/sh -c 'echo 0 >/proc/sys/net/ipv6/conf/mv0/disable_ipv6'",
        "-ip address add 192.0.2.250/32 dev mv0",
        "-ip address add 2001:db8::1/64 dev mv0",
        "-ip link set dev mv0 up",
        "-ip route add 192.0.2.128/25 metric 0 proto static dev mv0",
    ]


def test_only_the_interface_itself_has_to_be_made() -> None:
    # what does not go, such as a route that somebody has over another interface, hinders nothing else
    text = Unit().files(kept(addresses=("192.0.2.250/32",), routes=(over("192.0.2.128/25"),)))[SERVICE]
    first, *others = [line for line in text.splitlines() if line.startswith("Exec")]
    assert first.startswith("ExecStart=ip link add ")
    assert {line[:11] for line in others} == {"ExecStart=-"}


def test_it_waits_for_the_parent_that_the_task_names() -> None:
    # and the kernel makes the interface on what that one stands on
    files = Unit().files(kept(parent="mv1"))
    assert 'ENV{INTERFACE}=="mv1"' in files[RULE]
    assert "ConditionPathExists=/sys/class/net/mv1\n" in files[SERVICE]
    assert " link eth1 " in files[SERVICE]


@pytest.mark.parametrize("values", [{"name": "a-b.c_d"}, {"mode": "passthru", "mac": ""}])
def test_no_word_means_something_to_systemd(values: dict[str, t.Any]) -> None:
    for line in Unit().files(kept(**values))[f"/etc/systemd/system/kvmops-{values.get('name', 'mv0')}.service"].splitlines():
        if line.startswith("ExecStart="):
            assert not set(line) & set('%$\\";')


def test_nothing_else_has_to_be_done() -> None:
    assert Unit().owned_paths("mv0") == [SERVICE, RULE]
    assert Unit().release("mv0") == []
    assert Unit().follow("mv0", addressed=True) == []
