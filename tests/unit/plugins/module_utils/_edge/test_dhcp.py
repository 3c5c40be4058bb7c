# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Giving back a lease. That dnsmasq understands it is shown by the scenario `nic`."""

from __future__ import annotations

import socket

from ansible_collections.kvmops.network.plugins.module_utils._edge.dhcp import release_lease, release_message


def test_the_message_says_whose_lease_of_which_server_is_given_back() -> None:
    message = release_message(mac="52:54:00:6b:3c:58", address="192.168.101.10", server="192.168.101.1")
    assert len(message) == 300
    assert message[:4] == bytes([1, 1, 6, 0])
    assert message[12:16] == socket.inet_aton("192.168.101.10")
    assert message[16:28] == bytes(12)
    assert message[28:44] == bytes.fromhex("5254006b3c58") + bytes(10)
    assert message[44:236] == bytes(192)
    assert message[236:240] == bytes([99, 130, 83, 99])
    assert message[240:].rstrip(b"\0") == bytes([53, 1, 7, 54, 4, 192, 168, 101, 1, 255])


def test_each_message_has_an_identifier_of_its_own() -> None:
    messages = {release_message(mac="52:54:00:6b:3c:58", address="10.0.0.2", server="10.0.0.1")[4:8] for _number in range(8)}
    assert len(messages) > 1


def test_a_bridge_that_is_gone_is_no_error() -> None:
    release_lease(bridge="no-such-bridge", mac="52:54:00:6b:3c:58", address="192.0.2.10", server="192.0.2.1")
