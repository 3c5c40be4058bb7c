#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""How long TCP connections stand still, and whether they live on: a byte each 10 ms, which the other side sends back.

gap.py server PORT                        on a host: sends back what it gets
gap.py start FILE NAME=ADDRESS:PORT...    in the LAN: connects to each, and goes on in the background
gap.py stop FILE                          ends that, and prints a line for each connection; fails if one of them ended before
gap.py count PORT                         waits for one connection, and prints a line about what came by it when it ends
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

_PAUSE = 0.01
_LEAST = 20  # answers, or pieces, below which nothing was measured
_CONNECT_TIMEOUT = 10.0
_PATIENCE = 90.0  # seconds until a guest has connected, or TCP tries again: it doubles the time it waits
_LAST_ANSWER = 20.0  # seconds for what is still under way at the end


@dataclass
class Stream:
    """A connection. Times are of the monotonic clock; `sent` and `received` are numbers of bytes."""

    name: str
    connection: socket.socket
    sent: int = 0
    received: int = 0
    last: float = field(default_factory=time.monotonic)
    longest: float = 0.0
    ended: str = ""

    def send(self) -> None:
        """Send a byte; what does not fit in the kernel's buffer waits for the next time."""
        try:
            self.sent += self.connection.send(b".")
        except BlockingIOError:
            pass
        except OSError as error:
            self.ended = str(error)

    def receive(self) -> None:
        """Count what came back, and the time since the answer before."""
        try:
            data = self.connection.recv(65536)
        except BlockingIOError:
            return
        except OSError as error:
            self.ended = str(error)
            return
        if not data:
            self.ended = "closed by the other side"
            return
        now = time.monotonic()
        self.longest = max(self.longest, now - self.last)
        self.last = now
        self.received += len(data)

    def result(self) -> dict[str, str | float | int]:
        """What is known at the end: a connection that stands still is as good as dead."""
        ended = self.ended or ("" if self.received == self.sent else "it stands still")
        longest = max(self.longest, time.monotonic() - self.last if ended else 0.0)
        return {"name": self.name, "received": self.received, "gap": round(longest, 3), "ended": ended}


def serve(port: int) -> None:
    """Send back what comes, on any number of connections."""
    selector = selectors.DefaultSelector()
    listener = socket.create_server(("", port))
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _events in selector.select():
            if key.fileobj is listener:
                connection = listener.accept()[0]
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(connection, selectors.EVENT_READ, connection)
                continue
            if not _send_back(key.data):
                selector.unregister(key.data)
                key.data.close()


def _send_back(connection: socket.socket) -> bool:
    try:
        data = connection.recv(65536)
        connection.sendall(data)
    except OSError:
        return False
    return bool(data)


def count(port: int) -> int:
    """Wait for one connection, and print how often something came by it until it ended, and how long nothing came at most."""
    with socket.create_server(("", port)) as listener:
        listener.settimeout(_PATIENCE)
        connection = listener.accept()[0]
    connection.settimeout(_PATIENCE)
    pieces, longest, last = 0, 0.0, time.monotonic()
    while True:
        try:
            data = connection.recv(65536)
        except OSError as error:
            print(f"{pieces} pieces, then nothing: {error}")
            return 1
        now = time.monotonic()
        if not data:
            break
        pieces, longest, last = pieces + 1, max(longest, now - last), now
    print(f"longest gap {longest:.2f} s in {pieces} pieces")
    return 0 if pieces >= _LEAST else 1


def start(file: Path, targets: list[str]) -> None:
    """Connect, so that it is certain that all is there before anything is measured, then go on in the background."""
    streams = [_connect(target) for target in targets]
    pid = os.fork()
    if pid:
        file.write_text(f"{pid}\n")
        return
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(null, descriptor)
    _measure(streams)
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(json.dumps([stream.result() for stream in streams]))
    unfinished.rename(_result_of(file, os.getpid()))
    os._exit(0)


def _result_of(file: Path, pid: int) -> Path:
    return file.with_suffix(f".result-{pid}")


def _connect(target: str) -> Stream:
    name, _equals, where = target.partition("=")
    address, _colon, port = where.rpartition(":")
    connection = socket.create_connection((address, int(port)), timeout=_CONNECT_TIMEOUT)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setblocking(False)
    return Stream(name, connection)


def _measure(streams: list[Stream]) -> None:
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
    selector = selectors.DefaultSelector()
    for stream in streams:
        selector.register(stream.connection, selectors.EVENT_READ, stream)
    now = time.monotonic()
    for stream in streams:
        stream.last = now
    at = now
    until = 0.0
    while until == 0.0 or time.monotonic() < until:
        if asked and until == 0.0:
            until = time.monotonic() + _LAST_ANSWER
        living = [stream for stream in streams if not stream.ended]
        if not living or (until and all(stream.received == stream.sent for stream in living)):
            return
        if until == 0.0 and time.monotonic() >= at:
            at = max(at + _PAUSE, time.monotonic())
            for stream in living:
                stream.send()
        for key, _events in selector.select(timeout=_PAUSE / 2):
            key.data.receive()
            if key.data.ended:
                selector.unregister(key.data.connection)


def stop(file: Path) -> int:
    """End what `start` began, print what it found, and return the exit code."""
    pid = int(file.read_text())
    result = _result_of(file, pid)
    if not result.exists():
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _LAST_ANSWER + 10
    while not result.exists():
        if time.monotonic() > deadline:
            print("nothing was measured: the program has not ended")
            return 1
        time.sleep(0.05)
    found = json.loads(result.read_text())
    for stream in found:
        fate = f"ended: {stream['ended']}" if stream["ended"] else "lives"
        print(f"{stream['name']}: longest gap {stream['gap']:.3f} s in {stream['received']} answers, the connection {fate}")
    return 0 if found and all(not stream["ended"] and stream["received"] >= _LEAST for stream in found) else 1


def main(arguments: list[str]) -> int:
    """Do what the arguments say, and return the exit code."""
    command, first, *rest = arguments
    if command == "server":
        serve(int(first))
    elif command == "count":
        return count(int(first))
    elif command == "start":
        start(Path(first), rest)
    else:
        return stop(Path(first))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
