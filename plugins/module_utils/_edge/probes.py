# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Asking guests whether they are there: pings, and connections that are closed at once."""

from __future__ import annotations

import socket
import struct
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.facts import Probe

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._connectivity.facts import PortAnswer
    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Run

__all__ = ["Target", "pings", "probe_targets"]

_AT_ONCE = 32
_ARP = 0x0806
_REQUEST, _REPLY = 1, 2


@dataclass(frozen=True)
class Target:
    """An address to ask, and from where: a bridge, and the host's MAC and IP address on it."""

    address: str
    bridge: str
    mac: str
    source: str


def probe_targets(run: Run, targets: Sequence[Target], ports: Sequence[int], *, timeout: int) -> dict[str, Probe]:
    """Ask addresses on the host's bridges, all at the same time."""
    if not targets:
        return {}
    addresses = [target.address for target in targets]
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        pinging = {address: pool.submit(pings, run, address, timeout=timeout) for address in addresses}
        trying = {(address, port): pool.submit(_try_port, address, port, timeout) for address in addresses for port in ports}
        answers: dict[str, dict[int, PortAnswer]] = {address: {} for address in addresses}
        for (address, port), attempt in trying.items():
            answers[address][port] = attempt.result()
        found = {address: Probe(ping=ping.result(), ports=answers[address]) for address, ping in pinging.items()}
        # the kernel takes who has answered within the last half minute for there, and so is not asked
        left = [target for target in targets if not found[target.address].answers]
        silent = {target.address: pool.submit(_tells_mac, target, timeout) for target in left}
        return {
            address: replace(probe, neighbour=silent[address].result() if address in silent else True)
            for address, probe in found.items()
        }


def pings(run: Run, address: str, *, timeout: int) -> bool | None:
    """Return whether an address answers a ping, None where the host has no ping."""
    try:
        code, _output, _errors = run(["ping", "-n", "-q", "-c", "1", "-w", str(timeout), address])
    except OSError:
        return None
    return code == 0


def _try_port(address: str, port: int, timeout: int) -> PortAnswer:
    try:
        with socket.create_connection((address, port), timeout=timeout):
            return "open"
    except ConnectionRefusedError:
        return "closed"
    except OSError:
        return "silent"


def _tells_mac(target: Target, timeout: int) -> bool | None:
    """Return whether somebody tells the MAC address of an IPv4 address, None where nobody can be asked."""
    if ":" in target.address:
        return None
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ARP)) as asking:
            asking.bind((target.bridge, 0))
            asking.send(_arp_request(target))
            return _is_answered(asking, target, timeout)
    except OSError:
        return None  # only root may


def _is_answered(asking: socket.socket, target: Target, timeout: int) -> bool:
    wanted = socket.inet_aton(target.address)
    deadline = time.monotonic() + timeout
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        asking.settimeout(left)
        try:
            frame = asking.recv(128)
        except socket.timeout:
            return False
        # after the Ethernet header: kinds and lengths of addresses, what it is, and the sender's two addresses
        if len(frame) >= 42 and frame[20:22] == struct.pack("!H", _REPLY) and frame[28:32] == wanted:
            return True


def _arp_request(target: Target) -> bytes:
    mac = bytes.fromhex(target.mac.replace(":", ""))
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, _REQUEST) + mac + socket.inet_aton(target.source)
    return b"\xff" * 6 + mac + struct.pack("!H", _ARP) + body + b"\0" * 6 + socket.inet_aton(target.address)
