# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""Asking a guest: the lab's side of the conversation with guest/agent, over a serial port that needs no network."""

from __future__ import annotations

import base64
import socket
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from .errors import LabError

_SEND_TIMEOUT = 30.0
_HELLO_EVERY = 0.5  # a guest that is still booting loses what it is sent


@dataclass(frozen=True)
class Answer:
    code: int
    output: str
    errors: str


class Conversation:
    """One connection to a guest's port. QEMU takes one at a time: hold the guest's lock."""

    def __init__(self, port: Path, connection: socket.socket) -> None:
        self._port = port
        self._connection = connection
        self._received = b""

    def greet(self, *, timeout: float) -> None:
        """Wait until the guest's agent listens."""
        deadline = time.monotonic() + timeout
        identity = _new_identity()
        self._send("")  # ends a line that somebody left unfinished
        while time.monotonic() < deadline:
            self._send(f"{identity} hello")
            if self._line_after(f"{identity} here", deadline=min(deadline, time.monotonic() + _HELLO_EVERY)) is not None:
                return
        raise LabError(f"The guest does not answer on {self._port} within {timeout:.0f} s.")

    def ask(self, command: str, *, timeout: float) -> Answer:
        """Run the command; the guest itself kills it after `timeout` seconds (exit code 137)."""
        identity = _new_identity()
        text = base64.b64encode(command.encode()).decode()
        self._send(f"{identity} {max(1, round(timeout))} {len(text)} {text}")
        line = self._line_after(f"{identity} answer ", deadline=time.monotonic() + timeout + 15)
        if line is None:
            raise LabError(f"The guest on {self._port} took a command and gave no answer: {command}")
        try:
            return parse_answer(line)
        except ValueError as error:
            raise LabError(f"The guest on {self._port} gave a garbled answer ({error}): {line}") from error

    def _send(self, line: str) -> None:
        self._connection.settimeout(_SEND_TIMEOUT)
        try:
            self._connection.sendall(f"{line}\n".encode())
        except OSError as error:
            raise LabError(f"The guest does not read from its port {self._port}: {error}. Is it stuck?") from error

    def _line_after(self, words: str, *, deadline: float) -> str | None:
        """The rest of the next line that begins so; None when the time is over. A guest that boots echoes what it is sent."""
        start = words.encode()
        while True:
            while b"\n" in self._received:
                line, self._received = self._received.split(b"\n", 1)
                if line.startswith(start):
                    return line[len(start) :].decode().strip()
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return None
            self._connection.settimeout(remaining)
            try:
                data = self._connection.recv(65536)
            except TimeoutError:
                return None
            if not data:
                raise LabError(f"The guest went away: its port {self._port} was closed.")
            self._received += data


def open_port(port: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(port))
    except OSError as error:
        connection.close()
        raise LabError(f"The guest's port {port} cannot be opened: {error}. Is the guest running?") from error
    return connection


def parse_answer(line: str) -> Answer:
    code, output, errors = line.split(" ")
    return Answer(code=int(code), output=_decoded(output), errors=_decoded(errors))


def _decoded(field: str) -> str:
    return base64.b64decode(field.removeprefix("=")).decode(errors="replace")


def _new_identity() -> str:
    return uuid.uuid4().hex[:12]
