# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Asking addresses, with real sockets on this machine's loopback, and with an ARP socket that is made by hand."""

from __future__ import annotations

import socket
import struct
import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.facts import Probe
from ansible_collections.kvmops.network.plugins.module_utils._edge import probes
from ansible_collections.kvmops.network.plugins.module_utils._edge.probes import Target, pings, probe_targets

ANSWER = "127.0.0.1"
LOOPBACK = Target(ANSWER, "lo", "02:00:00:00:00:01", "127.0.0.2")
GUEST = Target("192.168.122.9", "virbr0", "52:54:00:00:00:01", "192.168.122.1")


@pytest.fixture
def open_port() -> t.Iterator[int]:
    with socket.socket() as server:
        server.bind((ANSWER, 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as server:
        server.bind((ANSWER, 0))
        port: int = server.getsockname()[1]
        return port


def ping(code: int) -> t.Any:
    return lambda _command: (code, "", "")


def test_how_ping_is_called() -> None:
    commands: list[list[str]] = []
    assert pings(lambda command: (commands.append(command), (0, "", ""))[1], "192.0.2.1", timeout=3) is True
    assert commands == [["ping", "-n", "-q", "-c", "1", "-w", "3", "192.0.2.1"]]
    assert pings(ping(1), "192.0.2.1", timeout=3) is False
    assert pings(ping(2), "192.0.2.1", timeout=3) is False


def test_a_host_without_ping(open_port: int) -> None:
    def missing(_command: list[str]) -> tuple[int, str, str]:
        raise FileNotFoundError

    assert probe_targets(missing, [LOOPBACK], [open_port], timeout=3) == {ANSWER: Probe(None, True, {open_port: "open"})}


def test_nobody_to_ask() -> None:
    assert probe_targets(ping(0), [], [22], timeout=3) == {}


def test_ports(open_port: int, closed_port: int) -> None:
    found = probe_targets(ping(1), [LOOPBACK], [open_port, closed_port], timeout=3)
    assert found == {ANSWER: Probe(False, True, {open_port: "open", closed_port: "closed"})}
    assert found[ANSWER].answers
    # one who refuses is there
    assert probe_targets(ping(1), [LOOPBACK], [closed_port], timeout=3)[ANSWER].answers


# --- who tells his MAC address ------------------------------------------------------------------------------------------------


def arp(operation: int, address: str) -> bytes:
    header = b"\x52\x54\x00\x00\x00\x01" + b"\x52\x54\x00\x00\x00\x09" + struct.pack("!H", 0x0806)
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + b"\x52\x54\x00\x00\x00\x09" + socket.inet_aton(address)
    return header + body + b"\x52\x54\x00\x00\x00\x01" + socket.inet_aton("192.168.122.1")


class Wire:
    """A raw socket on which frames come in, and then nothing more."""

    frames: t.ClassVar[list[bytes]] = []
    sent: t.ClassVar[list[bytes]] = []
    bound: t.ClassVar[list[tuple[str, int]]] = []

    def __init__(self, *kind: int) -> None:
        assert kind == (socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
        self._left = list(Wire.frames)

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def bind(self, place: tuple[str, int]) -> None:
        Wire.bound.append(place)

    def send(self, frame: bytes) -> None:
        Wire.sent.append(frame)

    def settimeout(self, seconds: float) -> None:
        assert 0 < seconds <= 3

    def recv(self, _size: int) -> bytes:
        if not self._left:
            raise socket.timeout
        return self._left.pop(0)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> type[Wire]:
    monkeypatch.setattr(probes.socket, "socket", Wire)
    monkeypatch.setattr(Wire, "frames", [])
    monkeypatch.setattr(Wire, "sent", [])
    monkeypatch.setattr(Wire, "bound", [])
    return Wire


@pytest.mark.parametrize(
    ("frames", "there"),
    [
        ([], False),
        ([arp(2, GUEST.address)], True),
        ([arp(2, "192.168.122.8"), b"short", arp(1, GUEST.address)], False),  # others, and its own question
        ([arp(1, GUEST.address), arp(2, GUEST.address)], True),
    ],
)
def test_who_is_silent_may_still_be_there(wire: type[Wire], frames: list[bytes], there: bool) -> None:
    wire.frames.extend(frames)
    assert probe_targets(ping(1), [GUEST], [], timeout=3) == {GUEST.address: Probe(False, there, {})}
    assert wire.bound == [("virbr0", 0)]
    (frame,) = wire.sent
    assert len(frame) == 42
    assert frame[:14] == b"\xff" * 6 + bytes.fromhex("525400000001") + b"\x08\x06"
    assert frame[14:] == (
        bytes.fromhex("0001080006040001")
        + bytes.fromhex("525400000001")
        + bytes([192, 168, 122, 1])
        + bytes(6)
        + bytes([192, 168, 122, 9])
    )


def test_who_answers_is_not_asked_again(wire: type[Wire]) -> None:
    assert probe_targets(ping(0), [GUEST], [], timeout=3) == {GUEST.address: Probe(True, True, {})}
    assert wire.sent == []


def test_only_root_may_ask_and_ipv6_has_no_arp(wire: type[Wire], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_kind: int) -> t.NoReturn:
        raise PermissionError

    six = Target("fd00::9", "virbr0", "52:54:00:00:00:01", "fd00::1")
    assert probe_targets(ping(1), [six], [], timeout=3) == {"fd00::9": Probe(False, None, {})}
    assert wire.sent == []
    monkeypatch.setattr(probes.socket, "socket", refuse)
    assert probe_targets(ping(1), [GUEST], [], timeout=3) == {GUEST.address: Probe(False, None, {})}
