# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Who answers on the host's networks, by the real output of `ip`, and asking for it.

The fixtures come from a network namespace with a bridge virbr0, by each version of iproute2: entries that were set up in each of
the kernel's states.
"""

from __future__ import annotations

import errno
import socket
import typing as t
from pathlib import Path

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge import neighbours
from ansible_collections.kvmops.network.plugins.module_utils._edge.neighbours import Neighbour, ask_for, read_neighbours
from ansible_collections.kvmops.network.plugins.module_utils._errors import RequirementError

CAPTURED = sorted((Path(__file__).parent / "fixtures").glob("neigh.iproute2-*.json"))


def test_there_are_fixtures() -> None:
    assert [path.name for path in CAPTURED] == [f"neigh.iproute2-{version}.json" for version in ("5.9.0", "6.1.0", "6.15.0")]


@pytest.mark.parametrize("path", CAPTURED, ids=lambda path: path.stem)
def test_who_is_known(path: Path) -> None:
    commands: list[list[str]] = []

    def run(command: list[str]) -> tuple[int, str, str]:
        commands.append(command)
        return 0, path.read_text(), ""

    found = read_neighbours(run)
    assert commands == [["ip", "-j", "neigh", "show"]]
    # of 192.168.122.8 nobody knows where it is
    assert sorted(found, key=str) == sorted(
        (
            Neighbour(address, f"52:54:00:6b:3c:{end}", "virbr0", answers, address == "192.168.122.9")
            for address, end, answers in (
                ("192.168.122.5", "58", True),
                ("192.168.122.6", "59", False),  # stale
                ("192.168.122.7", "5a", False),  # being asked
                ("192.168.122.9", "5c", False),  # somebody wrote it down for good
                ("fd00:122::5", "58", True),
                ("fd00:122::6", "59", False),
                ("fe80::5054:ff:fe6b:3c58", "58", True),
            )
        ),
        key=str,
    )


def test_nobody_is_known() -> None:
    for output in ("", "[]", "[{}]"):
        assert read_neighbours(lambda _command, output=output: (0, output, "")) == []


def test_a_failure_of_ip_is_said() -> None:
    with pytest.raises(RequirementError) as caught:
        read_neighbours(lambda _command: (1, "", "Cannot open netlink socket"))
    assert str(caught.value) == (
        "'ip -j neigh show' failed on this host: Cannot open netlink socket. Install iproute2 (4.14 or later)."
    )


# --- asking -------------------------------------------------------------------------------------------------------------------


class Sender:
    """A socket that sends nothing."""

    sent: t.ClassVar[list[tuple[int, bytes, tuple[str, int]]]] = []
    open: t.ClassVar[int] = 0
    error: t.ClassVar[OSError | None] = None

    def __init__(self, family: int, kind: int) -> None:
        assert kind == socket.SOCK_DGRAM
        self._family = family

    def __enter__(self) -> Sender:
        Sender.open += 1
        return self

    def __exit__(self, *_error: object) -> None:
        Sender.open -= 1

    def sendto(self, data: bytes, address: tuple[str, int]) -> None:
        Sender.sent.append((self._family, data, address))
        if Sender.error is not None:
            raise Sender.error


@pytest.fixture
def sender(monkeypatch: pytest.MonkeyPatch) -> type[Sender]:
    monkeypatch.setattr(neighbours.socket, "socket", Sender)
    monkeypatch.setattr(Sender, "sent", [])
    return Sender


def test_an_empty_datagram_goes_to_each_address(sender: type[Sender]) -> None:
    ask_for(["192.0.2.5", "2001:db8::5"])
    assert sender.sent == [
        (socket.AF_INET, b"", ("192.0.2.5", 9)),
        (socket.AF_INET6, b"", ("2001:db8::5", 9)),
    ]
    assert sender.open == 0


def test_where_there_is_no_way_the_next_is_asked(sender: type[Sender], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "error", OSError(errno.ENETUNREACH, "Network is unreachable"))
    ask_for(["192.0.2.5", "192.0.2.6"])
    assert len(sender.sent) == 2
    assert sender.open == 0


def test_it_works_with_a_real_socket() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        ask_for(["127.0.0.1"])
        ask_for([])
