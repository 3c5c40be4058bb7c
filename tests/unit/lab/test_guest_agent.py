# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
from __future__ import annotations

import base64
import os
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import pytest
from kvmops_lab import guest_agent
from kvmops_lab.errors import LabError
from kvmops_lab.paths import SOURCE


@pytest.fixture
def port():
    """Two ends of a serial line: the lab's conversation, and the guest's."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield guest_agent.Conversation(Path("/port"), ours), theirs


@pytest.fixture
def listening(port, tmp_path):
    """The guest's own script at the other end, with a terminal setting and a busybox's `timeout` that do nothing here."""
    conversation, theirs = port
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, text in (("stty", "exit 0"), ("timeout", 'shift 3; exec "$@"')):
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    script = (SOURCE / "guest/agent").read_text().replace("/tmp", str(tmp_path))
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    with subprocess.Popen([shutil.which("sh") or "sh", "-c", script], stdin=theirs, stdout=theirs, env=environment) as agent:
        yield conversation
        agent.kill()


def test_a_command_comes_back_with_its_output_errors_and_code(listening) -> None:
    listening.greet(timeout=5)
    answer = listening.ask("printf 'a b\\n%%s' =; echo wrong >&2; exit 3", timeout=5)
    assert answer == guest_agent.Answer(code=3, output="a b\n%s", errors="wrong\n")


def test_a_line_that_was_cut_short_is_not_run(listening, tmp_path) -> None:
    command = base64.b64encode(f"touch {tmp_path}/ran".encode()).decode()
    listening._send(f"1 5 {len(command)} {command[:-4]}")
    listening.greet(timeout=5)
    assert not (tmp_path / "ran").exists()


def test_an_echo_is_not_an_answer(port) -> None:
    conversation, theirs = port

    def echo() -> None:
        while data := theirs.recv(4096):
            theirs.sendall(data)

    guest = threading.Thread(target=echo)
    guest.start()
    with pytest.raises(LabError, match="does not answer"):
        conversation.greet(timeout=0.2)
    theirs.shutdown(socket.SHUT_RD)
    guest.join()


def test_a_guest_that_goes_away_is_an_error(port) -> None:
    conversation, theirs = port
    theirs.shutdown(socket.SHUT_WR)
    with pytest.raises(LabError, match="went away"):
        conversation.greet(timeout=5)


@pytest.mark.parametrize("line", ["", "0", "0 =x", "x =YQ== =YQ==", "0 =YQ =YQ=="])
def test_a_garbled_answer_is_a_value_error(line: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        guest_agent.parse_answer(line)
