# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What `ss` prints is read as what it means."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.listeners import read_listeners
from ansible_collections.kvmops.network.plugins.module_utils._errors import RequirementError
from ansible_collections.kvmops.network.plugins.module_utils._forward.ports import Listener

FIXTURES = Path(__file__).parent / "fixtures"


def read(text: str, code: int = 0, errors: str = "") -> list[Listener]:
    commands: list[list[str]] = []

    def run(command: list[str]) -> tuple[int, str, str]:
        commands.append(command)
        return code, text, errors

    found = read_listeners(run)
    assert commands == [["ss", "-H", "-l", "-n", "-t", "-u", "-p"]]
    return found


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            'udp UNCONN 0 0 0.0.0.0%virbr0:67 0.0.0.0:* users:(("dnsmasq",pid=1,fd=3))',
            Listener("udp", ("0.0.0.0",), 67, "dnsmasq (process 1)"),
        ),
        (
            'tcp   LISTEN 0      128          [::]:22           [::]:*    users:(("sshd",pid=712,fd=4),("systemd",pid=1,fd=9))',
            Listener("tcp", ("::",), 22, "sshd (process 712)"),
        ),
        ("tcp LISTEN 0 4096 *:16509 *:*", Listener("tcp", ("::", "0.0.0.0"), 16509, "")),
        ("udp UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:*", Listener("udp", ("127.0.0.53",), 53, "")),
        ("udp UNCONN 0 0 [fe80::1]%eth0:546 [::]:*", Listener("udp", ("fe80::1",), 546, "")),
        ("udp UNCONN 0 0 [fe80::1%eth0]:546 [::]:*", Listener("udp", ("fe80::1",), 546, "")),
        ("udp UNCONN 0 0 *%virbr0:67 *:*", Listener("udp", ("::", "0.0.0.0"), 67, "")),
        ("tcp LISTEN 0 128 [::1]:631 [::]:*", Listener("tcp", ("::1",), 631, "")),
        ("tcp LISTEN 0 128 [2001:DB8::A]:80 [::]:*", Listener("tcp", ("2001:db8::a",), 80, "")),
        (
            'tcp LISTEN 0 5 127.0.0.1:5900 0.0.0.0:* users:(("qemu system (x)",pid=44,fd=3))',
            Listener("tcp", ("127.0.0.1",), 5900, "qemu system (x) (process 44)"),
        ),
    ],
)
def test_a_line(line: str, expected: Listener) -> None:
    assert read(f"{line}\n") == [expected]


@pytest.mark.parametrize(
    "line", ["", "Netid State", "u_str LISTEN 0 5 /run/x 0 * 0", "tcp LISTEN 0 5 0.0.0.0:* 0.0.0.0:*", "tcp x"]
)
def test_what_is_no_port(line: str) -> None:
    assert read(f"{line}\n") == []


def test_a_host() -> None:
    found = read((FIXTURES / "listeners.iproute2-6.1.0.txt").read_text())
    assert {(each.protocol, each.addresses, each.port, each.process.partition(" (")[0]) for each in found} == {
        ("tcp", ("127.0.0.1",), 8001, "python3"),
        ("tcp", ("0.0.0.0",), 8002, "python3"),
        ("tcp", ("::", "0.0.0.0"), 8003, "python3"),
        ("tcp", ("::",), 8004, "python3"),
        ("udp", ("127.0.0.1",), 8005, "python3"),
        ("udp", ("0.0.0.0",), 8006, "python3"),
        ("tcp", ("::1",), 8007, "python3"),
        ("udp", ("::", "0.0.0.0"), 8008, "python3"),
    }


def test_a_host_without_any() -> None:
    assert read("") == []


def test_ss_fails() -> None:
    with pytest.raises(RequirementError) as caught:
        read("", code=1, errors="Cannot open netlink socket: Protocol not supported.\n")
    assert str(caught.value) == (
        "'ss' failed on this host: Cannot open netlink socket: Protocol not supported. Install iproute2."
    )


def test_there_is_no_ss() -> None:
    def run(_command: list[str]) -> tuple[int, str, str]:
        raise FileNotFoundError(2, "No such file or directory")

    with pytest.raises(RequirementError) as caught:
        read_listeners(run)
    assert str(caught.value) == "'ss' failed on this host: No such file or directory. Install iproute2."
