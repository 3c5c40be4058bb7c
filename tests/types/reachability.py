#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""Ask guests on the three networks of the lab_networks example what they can reach, and compare with what is promised.

Two guests are booted on each network. Each answer comes from inside a guest. A "no" counts only if the guest has a route to the
target, and if a ping of the same guest (to its neighbour) and one to the same target (from the NAT network) is a "yes" beside it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

LAB = Path(__file__).resolve().parent.parent / "lab" / "lab"
OUTSIDE = "198.51.100.1"  # the lab's internet


@dataclass(frozen=True)
class Network:
    """A network of the example, how its guests get an address, and what they reach."""

    name: str
    bridge: str
    host: str  # an address of the host: on the network itself where the host has one there
    gateway: str
    static: tuple[str, str] | None
    reaches_host: bool
    reaches_outside: bool

    @property
    def guests(self) -> tuple[str, str]:
        """The names of its two guests."""
        return f"{self.bridge}-a", f"{self.bridge}-b"


NETWORKS = (
    Network("red_nat_lab", "virbr101", "192.168.101.1", "192.168.101.1", None, True, True),
    Network("red_aislada_dev", "virbr102", "192.168.102.1", "192.168.102.1", None, True, False),
    Network(
        "red_muy_aislada", "virbr103", "192.168.101.1", "192.168.103.1", ("192.168.103.11/24", "192.168.103.12/24"), False, False
    ),
)


class Unexpected(Exception):
    """Something is not as promised, or cannot be found out."""


def lab(*words: str) -> str:
    """Return what the lab's command prints; Unexpected if it fails."""
    result = subprocess.run([str(LAB), *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise Unexpected(f"lab {' '.join(words)}: {(result.stderr or result.stdout).strip()}")
    return result.stdout


def ask(host: str, guest: str, command: str) -> tuple[int, str]:
    """Return the exit code and the output of a command inside a guest."""
    answer = json.loads(lab("guest", "ask", "--json", host, guest, "--", command))
    return int(answer["code"]), str(answer["output"])


def start_guests(host: str) -> None:
    """Boot the guests that do not run, all at once."""
    running = {guest["name"] for guest in json.loads(lab("guest", "list", "--json", host)) if guest["state"] == "running"}
    for network in NETWORKS:
        for index, guest in enumerate(network.guests):
            if guest in running:
                continue
            address = ["--address", network.static[index], "--gateway", network.gateway] if network.static else []
            lab("guest", "start", host, guest, "--network", network.name, *address)


def address_of(host: str, guest: str) -> str:
    """Return the guest's IPv4 address, as the guest itself says; waits until it has one."""
    command = "for i in $(seq 60); do ip -4 addr show eth0 | grep -q inet && break; sleep 1; done; ip -4 -o addr show eth0"
    code, output = ask(host, guest, command)
    words = output.split()
    if code != 0 or "inet" not in words:
        raise Unexpected(f"{guest} has no address after a minute: {output.strip() or 'eth0 shows nothing'}")
    return words[words.index("inet") + 1].split("/")[0]


def reaches(host: str, guest: str, target: str) -> bool:
    """Say whether a guest that has a route to the target gets an answer from it within three seconds."""
    code, output = ask(host, guest, f"ip route get {target} >/dev/null || exit 99; ping -c 3 -A -w 3 {target}")
    if code == 99:
        raise Unexpected(f"{guest} has no route to {target}, so that a 'no' would mean nothing")
    received = output.split(" packets received")[0].rsplit(" ", 1)[-1]
    if not received.isdigit():
        raise Unexpected(f"{guest} could not ping {target}: {output.strip()}")
    return int(received) > 0


def examine(host: str, network: Network) -> dict[str, str | bool]:
    """Return a row of the table: what virsh, ip and the guests say of one network."""
    info = dict(
        line.split(":", 1) for line in lab("enter", host, "--", "virsh", "net-info", network.name).splitlines() if ":" in line
    )
    bridge = lab("enter", host, "--", "ip", "-4", "-o", "addr", "show", network.bridge).split()
    first, second = network.guests
    address = address_of(host, first)
    # DHCP of an isolated network names no gateway; a route is given so that a "no" is one
    ask(host, first, f"ip route | grep -q ^default || ip route add default via {network.gateway}")
    return {
        "network": network.name,
        "state": "active" if info["Active"].strip() == "yes" else "inactive",
        "autostart": info["Autostart"].strip(),
        "bridge": network.bridge,
        "bridge_address": bridge[bridge.index("inet") + 1] if "inet" in bridge else "none",
        "guest_address": address,
        "host": reaches(host, first, network.host),
        "outside": reaches(host, first, OUTSIDE),
        "neighbour": reaches(host, first, address_of(host, second)),
    }


def problems(rows: list[dict[str, str | bool]]) -> list[str]:
    """Return what is not as promised, a sentence each."""
    found = []
    for network, row in zip(NETWORKS, rows, strict=True):
        promised = {
            "state": "active",
            "autostart": "yes",
            "bridge_address": "none" if network.static else f"{network.host}/24",
            "host": network.reaches_host,
            "outside": network.reaches_outside,
            "neighbour": True,
        }
        found += [
            f"{network.name}: {key} is {row[key]!r}, promised is {value!r}"
            for key, value in promised.items()
            if row[key] != value
        ]
    return found


def table(rows: list[dict[str, str | bool]]) -> str:
    """Return the rows as aligned text."""
    titles = {
        "network": "network",
        "state": "state",
        "autostart": "autostart",
        "bridge": "bridge",
        "bridge_address": "bridge address",
        "guest_address": "guest's address",
        "host": "reaches host",
        "outside": "reaches outside",
        "neighbour": "reaches neighbour",
    }
    words = {True: "yes", False: "no"}
    lines = [list(titles.values())]
    lines += [[words[value] if isinstance(value := row[key], bool) else value for key in titles] for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(titles))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)


def main() -> int:
    """Boot the guests, ask them, print the table, and fail if anything is not as promised."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("host", help="a host of the lab on which the three networks are")
    host = parser.parse_args().host
    try:
        start_guests(host)
        with ThreadPoolExecutor() as pool:
            rows = list(pool.map(lambda network: examine(host, network), NETWORKS))
    except Unexpected as error:
        print(f"reachability: {error}", file=sys.stderr)
        return 1
    print(table(rows))
    found = problems(rows)
    for problem in found:
        print(f"NOT AS PROMISED  {problem}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
