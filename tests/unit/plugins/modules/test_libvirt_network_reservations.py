# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Reservations have other owners too: what a task does not mention stays, unless it says purge_hosts."""

from __future__ import annotations

import re
import typing as t

import libvirt
import pytest

from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import apply, dump, network_task, predict

NAT: dict[str, t.Any] = {"mode": "nat"}
RANGE = {"start": "192.168.101.100", "end": "192.168.101.254"}
A = {"mac": "52:54:00:00:00:0a", "ip": "192.168.101.10", "name": "a"}
B = {"mac": "52:54:00:00:00:0b", "ip": "192.168.101.11"}
C = {"mac": "52:54:00:00:00:0c", "ip": "192.168.101.12"}

# Somebody else's, made without our own code.
XML = """
<network><name>lab</name><forward mode='nat'/><bridge name='virbr7'/>
  <dns><host ip='192.168.101.1'><hostname>gateway</hostname></host></dns>
  <ip address='192.168.101.1' prefix='24'><dhcp>
    <range start='192.168.101.100' end='192.168.101.254'/>
    <host mac='52:54:00:00:00:0a' name='a' ip='192.168.101.10'/>
    <host mac='52:54:00:00:00:0b' ip='192.168.101.11'/>
  </dhcp></ip>
</network>
"""


def ips(*hosts: dict[str, t.Any], **dhcp: t.Any) -> list[dict[str, t.Any]]:
    return [{"address": "192.168.101.1", "prefix": 24, "dhcp": {**dhcp, "hosts": list(hosts)}}]


def reserved(driver: libvirt.virConnect) -> list[str]:
    """Return what is reserved, as libvirt writes it."""
    return re.findall(r"<host (mac=.*|id=.*|ip=.*)/?>", dump(driver, "lab"))


A_SHOWN = "mac='52:54:00:00:00:0a' name='a' ip='192.168.101.10'/"
B_SHOWN = "mac='52:54:00:00:00:0b' ip='192.168.101.11'/"
C_SHOWN = "mac='52:54:00:00:00:0c' ip='192.168.101.12'/"
GATEWAY = "ip='192.168.101.1'"


@pytest.fixture
def lab(driver: libvirt.virConnect) -> libvirt.virConnect:
    driver.networkDefineXML(XML).create()
    return driver


@pytest.mark.parametrize(
    ("options", "left"),
    [
        # merge: nothing said of them
        ({"mtu": 1400}, [GATEWAY, A_SHOWN, B_SHOWN]),
        # one more
        ({"ips": ips(C)}, [GATEWAY, A_SHOWN, B_SHOWN, C_SHOWN]),
        ({"ips": ips(C, A)}, [GATEWAY, A_SHOWN, B_SHOWN, C_SHOWN]),
        # a change to one
        ({"ips": ips({"mac": "52:54:00:00:00:0B", "name": "b"})}, [GATEWAY, A_SHOWN, B_SHOWN.replace("ip", "name='b' ip")]),
        ({"ips": ips({**B, "ip": "192.168.101.20"})}, [GATEWAY, A_SHOWN, B_SHOWN.replace(".11", ".20")]),
        # replace: what the entry omits is gone, but no other entry
        (
            {"definition": "replace", "forward": NAT, "ips": ips({"mac": A["mac"], "ip": A["ip"]})},
            [GATEWAY, A_SHOWN.replace(" name='a'", ""), B_SHOWN],
        ),
        ({"definition": "replace", "forward": NAT, "ips": ips(C)}, [GATEWAY, A_SHOWN, B_SHOWN, C_SHOWN]),
        # purged
        ({"purge_hosts": True, "ips": ips(C)}, [GATEWAY, C_SHOWN]),
        ({"purge_hosts": True, "ips": ips(A)}, [GATEWAY, A_SHOWN]),
        ({"purge_hosts": True, "ips": ips()}, [GATEWAY]),
        ({"purge_hosts": True, "definition": "replace", "forward": NAT, "ips": ips(B)}, [B_SHOWN]),
        ({"purge_hosts": True, "dns": {"hosts": []}}, [A_SHOWN, B_SHOWN]),
        (
            {"purge_hosts": True, "ips": ips(A, B), "dns": {"hosts": [{"ip": "192.168.101.1", "hostnames": ["x"]}]}},
            [GATEWAY, A_SHOWN, B_SHOWN],
        ),
    ],
)
def test_what_is_left(lab: libvirt.virConnect, options: dict[str, t.Any], left: list[str]) -> None:
    predicted, real = predict(name="lab", **options), apply(name="lab", **options)
    assert real.changed
    assert predicted.diff == real.diff
    assert predicted.network == real.network
    assert reserved(lab) == left
    for again in (predict, apply):
        assert not again(name="lab", **options).changed


def test_the_range_stays_when_a_reservation_is_added(lab: libvirt.virConnect) -> None:
    apply(name="lab", ips=[{"address": "192.168.101.1", "dhcp": {"hosts": [C]}}])
    assert "<range start='192.168.101.100' end='192.168.101.254'/>" in dump(lab, "lab")


@pytest.mark.usefixtures("lab")
def test_what_is_purged_is_in_the_diff() -> None:
    diff = apply(name="lab", purge_hosts=True, ips=ips(A, ranges=[RANGE]), dns={"enable": True}).diff
    assert diff is not None
    gone = {line.strip() for line in set(diff["before"].splitlines()) - set(diff["after"].splitlines())}
    assert gone == {
        "<dns>",
        '<host ip="192.168.101.1">',
        "<hostname>gateway</hostname>",
        "</host>",
        "</dns>",
        '<host mac="52:54:00:00:00:0b" ip="192.168.101.11"/>',
    }


def test_an_address_moves_to_another_guest_only_when_the_old_one_is_named(lab: libvirt.virConnect) -> None:
    moved = {"mac": C["mac"], "ip": A["ip"]}
    refused = network_task(name="lab", ips=ips(moved))
    assert refused.msg == (
        "ips 192.168.101.1, dhcp.hosts: ip 192.168.101.10 is reserved twice, for '52:54:00:00:00:0a' and for "
        "'52:54:00:00:00:0c'; "
        "change one, or remove what the task does not mention with purge_hosts."
    )
    apply(name="lab", ips=ips(moved, B), purge_hosts=True)
    assert reserved(lab) == [GATEWAY, B_SHOWN, C_SHOWN.replace(".12", ".10")]


def test_ipv6_reservations(driver: libvirt.virConnect) -> None:
    first = {"id": "00:03:00:01:52:54:00:00:00:0A", "ip": "FD00::0A"}
    second = {"name": "b", "ip": "fd00::b"}
    entry = {"address": "fd00::1", "prefix": 64, "dhcp": {"hosts": [first]}}
    apply(name="lab", forward=NAT, ips=[entry])
    added = {**entry, "dhcp": {"hosts": [second]}}
    apply(name="lab", ips=[added])
    assert "<host id='00:03:00:01:52:54:00:00:00:0A' ip='fd00::a'/>" in dump(driver, "lab")
    assert "<host name='b' ip='fd00::b'/>" in dump(driver, "lab")
    assert not apply(name="lab", ips=[entry]).changed
    # libvirt takes a family once, so that dual stack has the reservation at the right address
    apply(name="lab", ips=[added, {"address": "192.168.101.1", "prefix": 24, "dhcp": {"hosts": [A]}}])
    assert re.search(r"<ip address='192\.168\.101\.1' prefix='24'>\s*<dhcp>\s*<host mac='52:54:00:00:00:0a'", dump(driver, "lab"))
