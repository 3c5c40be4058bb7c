#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""Kill something while a change of a host's uplink waits for being confirmed, and see whether the host comes back.

Runs in the LAN, with molecule's environment. Prints a line for each round, and fails at the first one in which the host was
not as before at all; how long it took is for who reads it.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import time
import typing as t
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

if t.TYPE_CHECKING:
    from collections.abc import Iterator

_KINDS = ("ansible", "cut", "manager", "ssh")
_CHANGE = Path(__file__).resolve().parents[2] / "extensions/molecule/uplink/change.yml"
_FOLDER = "/var/lib/kvmops-network/transaction"
_NOBODY = "10.77.0.9"
# seconds after which a host counts as lost; a DHCP client of networkd that was killed may ask again only after one minute
_PATIENCE = 150
_SERVICES = {"networkd": "systemd-networkd.service", "networkmanager": "NetworkManager.service"}

# Waits for the transaction on the host itself, to be as fast as it is, and says so by ending.
_WATCH = "for try in $(seq 3000); do [ -e {folder}/armed ] && exec sleep {delay}; sleep 0.02; done; exit 1"


@dataclass(frozen=True)
class Lab:
    """A host of the lab, in the eyes of the lab rather than of the network."""

    command: str
    host: str

    def run(self, *arguments: str) -> str:
        """Return what a command of the lab prints."""
        done = subprocess.run([self.command, *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{self.host}: lab {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def on_host(self, script: str) -> str:
        """Return what a shell script prints on the host."""
        return self.run("enter", self.host, "--", "sh", "-c", script)

    def look(self) -> list[str]:
        """Return all of the host that a change may touch."""
        return self.on_host("uplink-look").splitlines()


@contextmanager
def controller(host: str, *, timeout: int, nobody: bool) -> Iterator[subprocess.Popen[bytes]]:
    """A controller of its own that changes the host, in a process group that is killed at the end."""
    scenario = Path(os.environ["MOLECULE_SCENARIO_DIRECTORY"])
    inventories = (os.environ["LAB_INVENTORY"], str(scenario / "inventory/hosts.yml"))
    variables = [f"timeout={timeout}", *([f"nobody={_NOBODY}"] if nobody else [])]
    with open(Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / f"{host}.controller", "wb") as log:
        process = subprocess.Popen(
            [
                "ansible-playbook",
                *(f"--inventory={inventory}" for inventory in inventories),
                f"--limit={host}",
                *(f"--extra-vars={variable}" for variable in variables),
                str(_CHANGE),
            ],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def play(lab: Lab, kind: str, *, manager: str, timeout: int, delay: float) -> str:
    """Kill something of a kind, so many seconds after the way back was armed. Return what came of it."""
    before = lab.look()
    # without sshd nobody comes, also to the right address
    with controller(lab.host, timeout=timeout, nobody=kind != "ssh" or delay > 0.1) as ansible:
        began = time.monotonic()
        action = {
            "manager": f"; systemctl kill --signal=KILL {_SERVICES[manager]}",
            "ssh": "; systemctl kill --signal=KILL ssh.service; systemctl stop ssh.service",
        }.get(kind, "")
        watch = _WATCH.format(folder=_FOLDER, delay=f"{delay:.2f}")
        lab.on_host(f"({watch}) || exit 1{action}")
        if kind == "ansible":
            _kill(ansible)
        elif kind == "cut":
            lab.run("cut", lab.host)
            lab.run("start", lab.host)
        took = _wait_until_back(lab, before, until=time.monotonic() + timeout + _PATIENCE)
        _check_reachable(before)
    if kind == "ssh":
        lab.on_host("systemctl start ssh.service")
    where = "after the boot" if kind == "cut" else f"{took:.1f} s after it was armed"
    return f"{lab.host}: {kind} killed after {delay:.1f} s: back {where} ({time.monotonic() - began:.0f} s in all)"


def _wait_until_back(lab: Lab, before: list[str], *, until: float) -> float:
    """Wait until all is as before, and return how long that took in the eyes of the host."""
    while True:
        state = lab.on_host(f"stat --format '%Z.%Y.%n' {_FOLDER}/reverted 2>/dev/null || ls {_FOLDER}").split()
        now = lab.look()
        if state[0].endswith("reverted") and now == before:
            times = lab.on_host(f"stat --format '%.Z %.Y' {_FOLDER}/reverted").split()
            return float(times[0]) - float(times[1])
        if time.monotonic() > until:
            changed = [f"- {line}" for line in before if line not in now] + [f"+ {line}" for line in now if line not in before]
            log = lab.on_host(f"cat {_FOLDER}/log")
            raise RuntimeError("\n".join([f"{lab.host} is lost: {' '.join(state)}", *changed, log]))
        time.sleep(0.5)


def _check_reachable(look: list[str]) -> None:
    addresses = [line.split("local=")[1].split()[0] for line in look if line.startswith("address eth0 local=10.77.")]
    done = subprocess.run(["ping", "-c", "5", "-A", "-q", *addresses], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{addresses}: {done.stdout}")


def main() -> int:
    """Go through the rounds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("--manager", choices=sorted(_SERVICES), required=True)
    parser.add_argument("--timeout", type=int, required=True)
    parser.add_argument("--kinds", default="", help="what is killed, right after the way back was armed")
    parser.add_argument("--rounds", type=int, default=0, help="how often something is killed, at some time")
    options = parser.parse_args()
    lab = Lab(os.environ["LAB"], options.host)
    rounds = [(kind, 0.1 if kind == "ssh" else 2.0) for kind in options.kinds.split(",") if kind]
    rounds += [(random.choice(_KINDS), random.uniform(0.2, options.timeout + 1)) for _round in range(options.rounds)]
    try:
        for kind, delay in rounds:
            print(play(lab, kind, manager=options.manager, timeout=options.timeout, delay=delay), flush=True)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
