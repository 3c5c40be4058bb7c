# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""Guests on a host: real virtual machines, defined and started by the host's own libvirt."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import acceleration, command, domain, guest_agent
from .errors import LabError
from .guest_image import INITRAMFS, INITRAMFS_WITH_AGENT, KERNEL
from .host import Host
from .lifecycle import GUEST_FILES
from .locks import lock

_BOOT_TIMEOUT = 90.0
_VIRSH = ("virsh", "--quiet", "--connect", "qemu:///system")


@dataclass(frozen=True)
class NicState:
    """A NIC as the guest sees it."""

    mac: str
    name: str
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class GuestState:
    name: str
    state: str
    nics: dict[str, str]


def start(host: Host, name: str, *, nics: Sequence[domain.Nic], memory: int, machine: str, agent: bool) -> None:
    """Define it anew when NICs are given, else take it as it is defined; start it unless it runs just so."""
    with lock(host.paths.locks, f"guest-{host.name}-{name}"):
        running = _state(host, name) == "running"
        if nics:
            kind = acceleration.accelerator(host.paths, host.container)
            guest = domain.Guest(
                host=host.name, name=name, nics=tuple(nics), memory=memory, accelerator=kind, machine=machine, agent=agent
            )
            if running and not domain.is_same(_virsh(host, "dumpxml", name), guest):
                raise LabError(
                    f"The guest {name} on {host.name} runs with other NICs, another machine, or the agent where none is wanted "
                    f"or none where it is. First: lab guest stop {host.name} {name}"
                )
            if not running:
                _define(host, guest)
        if not running:
            _virsh(host, "start", name)


def stop(host: Host, name: str) -> None:
    """Pull its plug. It stays defined."""
    with lock(host.paths.locks, f"guest-{host.name}-{name}"):
        if _state(host, name) is not None and _state(host, name) != "shut off":
            _virsh(host, "destroy", name)


def stop_all(host: Host) -> None:
    """Before the host shuts down: a guest of the lab does not listen to a power button, and would be waited for."""
    if not host.is_running():
        return
    try:
        running = [guest.name for guest in guests(host) if guest.state != "shut off"]
    except LabError as error:
        print(f"lab: {host.name} shuts down without stopping its guests: {error}", file=sys.stderr)
        return
    for name in running:
        stop(host, name)


def guests(host: Host) -> list[GuestState]:
    if not _has_libvirt(host):
        return []
    names = _virsh(host, "list", "--all", "--name").split()
    return [
        GuestState(name, _state(host, name) or "gone", domain.sources(_virsh(host, "dumpxml", name))) for name in sorted(names)
    ]


def ask(host: Host, name: str, question: str, *, timeout: float) -> guest_agent.Answer:
    with _conversation(host, name) as conversation:
        return conversation.ask(question, timeout=timeout)


def nics_inside(host: Host, name: str) -> list[NicState]:
    answer = ask(host, name, "addresses", timeout=20)
    return [NicState(mac, nic, tuple(rest)) for mac, nic, *rest in (line.split() for line in answer.output.splitlines())]


def wait_for_addresses(host: Host, name: str, *, timeout: float) -> list[NicState]:
    """Until every NIC has an IPv4 address; when the time is over, an error with what was seen."""
    wanted = set(domain.sources(_virsh(host, "dumpxml", name)))
    deadline = time.monotonic() + timeout
    while True:
        nics = nics_inside(host, name)
        if wanted <= {nic.mac for nic in nics if any("." in address for address in nic.addresses)}:
            return nics
        if time.monotonic() > deadline:
            seen = "; ".join(f"{nic.name} {nic.mac}: {' '.join(nic.addresses) or 'no address'}" for nic in nics) or "no NIC"
            raise LabError(f"The guest {name} on {host.name} has not all its addresses after {timeout:.0f} s. Seen: {seen}.")
        time.sleep(0.3)


@contextmanager
def _conversation(host: Host, name: str) -> Iterator[guest_agent.Conversation]:
    init = host.container.running_init()
    if _state(host, name) != "running":
        known = ", ".join(guest.name for guest in guests(host) if guest.state == "running") or "none"
        raise LabError(f"No guest {name} is running on {host.name}. Running: {known}.")
    port = Path(f"/proc/{init}/root{domain.port_path(name)}")
    with lock(host.paths.locks, f"port-{host.name}-{name}"), guest_agent.open_port(port) as connection:
        conversation = guest_agent.Conversation(port, connection)
        conversation.greet(timeout=_BOOT_TIMEOUT)
        yield conversation


def _define(host: Host, guest: domain.Guest) -> None:
    initramfs = INITRAMFS_WITH_AGENT if guest.agent else INITRAMFS
    text = domain.render(guest, kernel=f"{GUEST_FILES}/{KERNEL}", initramfs=f"{GUEST_FILES}/{initramfs}")
    _virsh(host, "define", "/dev/stdin", stdin=text)


def _state(host: Host, name: str) -> str | None:
    result = command.attempt(host.container.entering([*_VIRSH, "domstate", name]))
    return result.stdout.strip() if result.returncode == 0 else None


def _virsh(host: Host, *arguments: str, stdin: str | None = None) -> str:
    result = command.attempt(host.container.entering([*_VIRSH, *arguments]), stdin=stdin)
    if result.returncode != 0:
        complaint = (result.stderr or result.stdout).strip()
        raise LabError(f"`virsh {' '.join(arguments)}` on {host.name} failed: {complaint}")
    return result.stdout


def _has_libvirt(host: Host) -> bool:
    return command.attempt(host.container.entering(["sh", "-c", "command -v virsh"])).returncode == 0
