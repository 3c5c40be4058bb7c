# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""NICs of guests on one host over SSH: one comes and goes while its guest runs, and many have nothing to do."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from . import hosts, machine
from .figures import SECONDS, TIMES, Section, Series, Target, ratio
from .play import Stage
from .progress import say

HOST = "guests"
GUEST = "runner"
MAC = "52:54:00:be:4c:01"
NETWORK = "default"
GUESTS = 10  # paused, which is enough for libvirt to show what runs
NICS = 5  # of each

PING = "ansible.builtin.ping"
VIRSH_ATTACHES = "virsh attach-interface --live --config"
VIRSH_DETACHES = "virsh detach-interface --live --config"
OURS_ATTACHES = "kvmops.network attaches"
OURS_DETACHES = "kvmops.network detaches"
OURS_REPEATS = f"kvmops.network, nothing to do for {GUESTS * NICS} NICs of {GUESTS} running guests"
SHOWN = (PING, OURS_REPEATS, VIRSH_ATTACHES, OURS_ATTACHES, VIRSH_DETACHES, OURS_DETACHES)

_GUEST = """
<domain type="qemu">
  <name>{name}</name>
  <memory unit="MiB">16</memory>
  <os><type arch="x86_64" machine="pc">hvm</type></os>
  <features><acpi/></features>
  <devices><controller type="usb" model="none"/><memballoon model="none"/></devices>
</domain>
"""
# Timed on the host, so that neither SSH nor the lab counts.
_TIMED = """
import subprocess, sys, time
began = time.perf_counter()
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(time.perf_counter() - began)
"""


def measure(folder: Path, ansible: Path, *, rounds: int) -> Section:
    inventory = hosts.bring_up([HOST], folder)
    _virsh("net-start", NETWORK)
    hosts.lab("guest", "start", HOST, GUEST, "--network", NETWORK, "--wait")
    names = [f"bench{number:02}" for number in range(1, GUESTS + 1)]
    for name in names:
        _virsh("define", "/dev/stdin", stdin=_GUEST.format(name=name))
        _virsh("start", "--paused", name)
    one = Stage(ansible, inventory, _write(folder, "nic", {"domain": GUEST, "mac": MAC, "network": NETWORK}), (HOST,), folder)
    many = Stage(ansible, inventory, _write(folder, "nics", {"nics": _nics(names)}), (HOST,), folder)
    say(f"{GUESTS * NICS} NICs, creating them")
    many.play("nics", changes=True)
    seconds: dict[str, list[float]] = defaultdict(list)
    for number in range(1, rounds + 1):
        say(f"NICs of guests, round {number} of {rounds}")
        where = ["--domain", GUEST, "--type", "network", "--mac", MAC, "--live", "--config"]
        seconds[VIRSH_ATTACHES].append(_timed("attach-interface", *where, "--source", NETWORK, "--model", "virtio"))
        hosts.settle(HOST)  # and with it the guest, which has to know the NIC before it can release it
        seconds[VIRSH_DETACHES].append(_timed("detach-interface", *where))
        hosts.settle(HOST)
        seconds[OURS_ATTACHES].append(one.play("attach", changes=True).seconds)
        hosts.settle(HOST)
        seconds[OURS_DETACHES].append(one.play("detach", changes=True).seconds)
        hosts.settle(HOST)
        seconds[PING].append(one.play("ping", changes=False).seconds)
        seconds[OURS_REPEATS].append(many.play("nics", changes=False).seconds)
    remark = f"The host: {machine.versions_of(HOST)}"
    hosts.lab("down", HOST)
    return summarise({what: Series(what, SECONDS, tuple(values)) for what, values in seconds.items()}, remark=remark)


def _nics(names: list[str]) -> list[dict[str, Any]]:
    return [
        {"domain": name, "alias": f"nic{number}", "source": {"network": NETWORK}}
        for name in names
        for number in range(1, NICS + 1)
    ]


def _write(folder: Path, name: str, variables: dict[str, Any]) -> Path:
    file = folder / f"{name}.json"
    file.write_text(json.dumps(variables, indent=1))
    return file


def _virsh(*arguments: str, stdin: str = "") -> None:
    hosts.lab("enter", HOST, "--", "virsh", "--quiet", *arguments, stdin=stdin)


def _timed(*arguments: str) -> float:
    return float(hosts.lab("enter", HOST, "--", "python3", "-c", _TIMED, "virsh", "--quiet", *arguments))


def summarise(series: dict[str, Series], *, remark: str) -> Section:
    """What was measured beside what was to be reached."""
    return Section(
        title="One host with guests, whole runs of ansible-playbook; virsh on the host itself",
        series=tuple(series[what] for what in SHOWN),
        targets=(
            Target("nothing to do / ping", TIMES, 1.5, ratio(series[OURS_REPEATS], series[PING])),
            Target(
                "attaches / (virsh attaches + ping)",
                TIMES,
                1.2,
                ratio(series[OURS_ATTACHES], series[VIRSH_ATTACHES], series[PING]),
            ),
            Target(
                "detaches / (virsh detaches + ping)",
                TIMES,
                1.2,
                ratio(series[OURS_DETACHES], series[VIRSH_DETACHES], series[PING]),
            ),
        ),
        remarks=(remark,),
    )
