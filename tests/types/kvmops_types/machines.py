# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""A host of the lab, its guests and its LAN: what they say, and what they are lent for the time of a question."""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LAB = Path(__file__).resolve().parents[2] / "lab" / "lab"
OUTSIDE = "198.51.100.1"  # the lab's internet
LAN_SERVER = "10.77.0.1"

# How often an answer is asked for that is promised, and one that is not: emulated guests on a loaded machine may be slow, but a
# "no" is waited for in full.
TRIES = {True: 10, False: 2}


class Unexpected(Exception):
    """Something is not as promised, or cannot be found out."""


def lab(*words: str) -> str:
    """Return what the lab's command prints; Unexpected if it fails."""
    result = subprocess.run([str(LAB), *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise Unexpected(f"lab {' '.join(words)}: {(result.stderr or result.stdout).strip()}")
    return result.stdout


def _ping(target: str, promised: bool) -> str:
    """Return a command that ends with the first answer."""
    return f"for i in $(seq {TRIES[promised]}); do ping -c 1 -W 2 {target} && break; done"


def _answered(output: str) -> bool:
    """Say whether there was an answer, from what ping or busybox's printed."""
    received: list[str] = re.findall(r"(\d+) (?:packets )?received", output)
    if not received:
        raise Unexpected(f"a ping did not run: {output.strip()}")
    return received[-1] != "0"


@dataclass(frozen=True)
class Host:
    """A host of the lab."""

    name: str

    def shell(self, command: str) -> str:
        """Return what a shell command prints on the host; Unexpected if it fails."""
        return lab("enter", self.name, "--", "sh", "-c", command)

    def _first(self, command: str) -> dict[str, Any]:
        entries = [entry for entry in json.loads(self.shell(command)) if entry]
        return dict(entries[0]) if entries else {}

    def reaches(self, target: str, *, promised: bool) -> bool:
        """Say whether the host gets an answer, over whatever its routes say."""
        return _answered(self.shell(f"{_ping(target, promised)} || [ $? = 1 ]"))

    def route_to(self, target: str) -> str:
        """Return the interface over which the host's packets leave."""
        return str(self._first(f"ip -j route get {target}")["dev"])

    def lan_address(self) -> str:
        """Return the address with which the host goes out."""
        return str(self._first(f"ip -j route get {OUTSIDE}")["prefsrc"])

    def address_on(self, interface: str) -> str | None:
        """Return the host's first IPv4 address on an interface, None if it has none."""
        addresses = self._first(f"ip -j -4 address show dev {interface}").get("addr_info")
        return str(addresses[0]["local"]) if addresses else None

    def hardware_address(self, interface: str) -> str:
        """Return an interface's MAC address."""
        return self.shell(f"cat /sys/class/net/{interface}/address").strip()

    def leases(self, network: str) -> str:
        """Return what libvirt's DHCP server has handed out."""
        return self.shell(f"virsh net-dhcp-leases {network}")

    @contextmanager
    def lend(self, what: str, words: str) -> Iterator[None]:
        """Give the host an `address`, `route` or `neigh` for the time of a question; Unexpected if it has one already."""
        self.shell(f"ip {what} add {words}")
        try:
            yield
        finally:
            self.shell(f"ip {what} del {words}")


@dataclass(frozen=True)
class Guest:
    """A guest of a host."""

    host: Host
    name: str

    def ask(self, command: str) -> tuple[int, str]:
        """Return the exit code and the output of a command inside the guest."""
        answer = json.loads(lab("guest", "ask", "--json", "--timeout", "180", self.host.name, self.name, "--", command))
        return int(answer["code"]), str(answer["output"])

    def settle(self, gateway: str) -> tuple[str, str]:
        """Return its IPv4 and its MAC address, once it has both and a default route.

        DHCP of an isolated network names no gateway, and without a route a "no" means nothing. What the guest has learned of its
        neighbours in earlier questions is forgotten.
        """
        code, output = self.ask(
            "for i in $(seq 120); do ip -4 address show eth0 | grep -q inet && break; sleep 1; done; "
            f"ip route | grep -q '^default .*dev eth0' || ip route add default via {gateway} dev eth0; "
            "ip neigh flush dev eth0 >/dev/null; ip route; ip address show eth0"
        )
        address = re.search(r"inet ([0-9.]+)/", output)
        hardware = re.search(r"link/ether (\S+)", output)
        if code != 0 or address is None or hardware is None or not re.search("^default .*dev eth0", output, re.MULTILINE):
            raise Unexpected(f"{self.name} has no address or no route after two minutes: {output.strip()}")
        return address.group(1), hardware.group(1)

    def reaches(self, target: str, *, promised: bool, at: str | None = None) -> bool:
        """Say whether it gets an answer over its first NIC. With `at`, its packets go to that MAC address, so that nobody else
        answers for the target on another way.
        """
        question = _ping(f"-I eth0 {target}", promised)
        if at:
            question = f"arp -s {target} {at} || exit; {question}; arp -d {target}"
        return _answered(self.ask(question)[1])

    def dhcp_answer(self, *, promised: bool) -> tuple[str, str] | None:
        """Return the server and the address of a DHCP request that changes nothing; None if nobody answers."""
        script = '#!/bin/sh\\n[ "$1" != bound ] || echo "$serverid $ip"\\n'
        code, output = self.ask(
            f"printf '{script}' >/tmp/answer; chmod +x /tmp/answer; "
            f"udhcpc -f -n -q -i eth0 -t {TRIES[promised]} -T 2 -A 1 "
            '-x "hostname:$(hostname)" -s /tmp/answer'
        )
        words = output.split()
        if code != 0 and not words:
            return None
        server, address = words
        return server, address


def lan_reaches(target: str, *, promised: bool, at: str | None = None) -> bool:
    """Say whether the LAN's router gets an answer; `at` as with guests."""
    question = f"{_ping(target, promised)} || [ $? = 1 ]"
    if at:
        neighbour = f"{target} lladdr {at} dev lan0"
        question = f"ip neigh replace {neighbour} || exit; {question}; ip neigh del {neighbour}"
    return _answered(lab("run", "--", "sh", "-c", question))


@contextmanager
def lend_lan_route(subnet: str, via: str) -> Iterator[None]:
    """Have the LAN send packets for a host's private network to the host.

    Hosts of scenarios that run at the same time have the same networks, and the LAN has one way to each: they take turns.
    """
    words = [subnet, "via", via]
    with (_lan_folder() / f"route-{subnet.replace('/', '-')}.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        lab("run", "--", "ip", "route", "replace", *words)  # one that was left by a run that was killed
        try:
            yield
        finally:
            lab("run", "--", "ip", "route", "del", *words)


def lan_leases() -> str:
    """Return what the LAN's DHCP server has handed out."""
    return (_lan_folder() / "leases").read_text()


def _lan_folder() -> Path:
    return Path(os.environ.get("KVMOPS_LAB_DIR") or "/var/lib/kvmops-lab") / "lan"
