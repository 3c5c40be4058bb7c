#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""How long web servers do not answer: each is asked over a new connection again and again.

away.py start FILE NAME=URL...    asks each once, so that all answer before anything is measured, and goes on in the background
away.py stop FILE                 waits until all answer again, ends that, and prints for each how long it did not answer at most
away.py ask URL...                asks each once, and prints the answers; fails with what went wrong
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import urllib.request
from pathlib import Path

_TIMEOUT = 0.5  # seconds for one question
_PAUSE = 0.2  # each question starts a process in a guest that is emulated
_PATIENCE = 60.0  # seconds until all answer again


def ask(url: str, timeout: float = 3.0) -> str:
    """Return the answer. Raises OSError if there is none."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=timeout) as answer:
        text: str = answer.read().decode()
    return text.strip()


class Watched:
    """A server that is asked until it is told to end."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self._url = url
        self.answers = 0
        self.longest = 0.0
        self.last = time.monotonic()
        self.ended_at = 0.0

    def watch(self) -> None:
        """Ask, until it has answered once after the end."""
        until = 0.0
        while True:
            begun = time.monotonic()
            if self.ended_at and not until:
                until = self.ended_at + _PATIENCE
            try:
                ask(self._url, _TIMEOUT)
            except OSError:
                if until and begun > until:
                    return
            else:
                # what was asked after the last answer and answered now was there in between
                self.longest = max(self.longest, begun - self.last)
                self.last = time.monotonic()
                self.answers += 1
                if self.ended_at and begun > self.ended_at:
                    return
            time.sleep(_PAUSE)

    def result(self) -> dict[str, str | float | int | bool]:
        """What is known at the end."""
        back = self.last > self.ended_at
        return {"name": self.name, "answers": self.answers, "longest": round(self.longest, 2), "back": back}


def start(file: Path, targets: list[str]) -> None:
    """Ask each once, then go on in the background."""
    watched = [Watched(*target.split("=", 1)) for target in targets]
    for target in targets:
        ask(target.split("=", 1)[1])
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    pid = os.fork()
    if pid:
        file.write_text(f"{pid}\n")
        return
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(null, descriptor)
    threads = [threading.Thread(target=each.watch) for each in watched]
    for each in watched:
        each.last = time.monotonic()
    for thread in threads:
        thread.start()
    signal.sigwait({signal.SIGTERM})
    for each in watched:
        each.ended_at = time.monotonic()
    for thread in threads:
        thread.join()
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(json.dumps([each.result() for each in watched]))
    unfinished.rename(_result_of(file, os.getpid()))
    os._exit(0)


def _result_of(file: Path, pid: int) -> Path:
    return file.with_suffix(f".result-{pid}")


def stop(file: Path) -> int:
    """End what `start` began, print what it found, and return the exit code."""
    pid = int(file.read_text())
    os.kill(pid, signal.SIGTERM)
    result = _result_of(file, pid)
    deadline = time.monotonic() + _PATIENCE + 10
    while not result.exists():
        if time.monotonic() > deadline:
            print("nothing was measured: the program has not ended")
            return 1
        time.sleep(0.05)
    found = json.loads(result.read_text())
    for each in found:
        fate = "" if each["back"] else ", and does not answer any more"
        print(f"{each['name']}: {each['longest']:.2f} s away in {each['answers']} answers{fate}")
    return 0 if found and all(each["back"] and each["answers"] > 1 for each in found) else 1


def main(arguments: list[str]) -> int:
    """Do what the arguments say, and return the exit code."""
    command, first, *rest = arguments
    if command == "ask":
        try:
            for url in (first, *rest):
                print(ask(url))
        except OSError as error:
            print(error)
            return 1
        return 0
    if command == "start":
        start(Path(first), rest)
        return 0
    return stop(Path(first))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
