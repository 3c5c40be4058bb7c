# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""A host's operating system: one systemd-nspawn container, started, found, entered, stopped and cut off."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import command, namespace
from .cgroup import ControlGroup
from .errors import LabError
from .trees import remove_tree

_POWER_OFF = signal.SIGRTMIN + 4  # what systemd as init takes for it
_PROPAGATE = Path("/run/systemd/nspawn/propagate")
_START_TIME = 2.0  # after that long there are processes, unless it failed
_ENVIRONMENT = ("HOME=/root", "LANG=C.UTF-8", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")

# The root and a fresh sysfs are mounted in a namespace of the container's own: when it ends, nothing stays mounted.
# The sysfs belongs to the network namespace of whoever mounts it; without it the host's udev would see the machine's NICs.
_BOOT = """\
set -e
mount -t overlay overlay -o "$OVERLAY" "$ROOT"
mount --rbind /sys/fs/cgroup "$SCRATCH"
mount -t sysfs sysfs /sys
mount --rbind "$SCRATCH" /sys/fs/cgroup
while :; do
    code=0
    systemd-nspawn "$@" || code=$?
    # A host that reboots itself ends like this. Its network outlives the container and is put back to what a reset leaves.
    [ "$code" -eq 133 ] || exit "$code"
    chroot "$ROOT" nft flush ruleset 2>/dev/null || :
    echo 0 >/proc/sys/net/ipv4/ip_forward
    for path in /sys/class/net/*; do
        link=${path##*/}
        case $link in
            lo) ;;
            eth0 | eth1) ip address flush dev "$link" && ip link set "$link" nomaster down ;;
            *) ip link delete "$link" 2>/dev/null || : ;;
        esac
    done
done
"""


@dataclass(frozen=True)
class Container:
    """`folder` holds the host's disk. `machine` is what systemd-nspawn calls it on this machine: its name and the lab's."""

    name: str
    machine: str
    folder: Path
    group: ControlGroup
    network_namespace: str
    log: Path

    @property
    def disk(self) -> Path:
        return self.folder / "disk"

    def start(self, *, layers: Sequence[Path], read_only_binds: Sequence[tuple[Path, str]]) -> None:
        """`layers` are the images below the disk, topmost first."""
        folders = {name: self.folder / name for name in ("disk", "work", "root", "scratch")}
        for folder in folders.values():
            folder.mkdir(parents=True, exist_ok=True)
        lower = ":".join(str(layer) for layer in layers)
        environment = {
            **os.environ,
            "OVERLAY": f"lowerdir={lower},upperdir={folders['disk']},workdir={folders['work']}",
            "ROOT": str(folders["root"]),
            "SCRATCH": str(folders["scratch"]),
            "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
            "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "yes",
        }
        binds = [f"--bind-ro={source}:{target}" for source, target in read_only_binds]
        devices = [f"--bind={device}" for device in ("/dev/net/tun", "/dev/kvm") if Path(device).exists()]
        options = [
            f"--directory={folders['root']}",
            f"--machine={self.machine}",
            f"--hostname={self.name}",
            "--register=no",
            "--keep-unit",
            "--capability=all",
            "--system-call-filter=@mount bpf keyctl",
            "--resolv-conf=off",
            "--timezone=off",
            "--link-journal=no",
            "--console=pipe",
            *devices,
            *binds,
            "--boot",
        ]
        boot = ["unshare", "--mount", "sh", "-c", _BOOT, "boot", *options]
        program = [*namespace.inside(self.network_namespace), *boot]
        self.log.unlink(missing_ok=True)
        command.background(self.group.command(program), log=self.log, env=environment)

    def init(self) -> int | None:
        """The process that is number 1 inside: the child of systemd-nspawn that has a second process id."""
        for pid in self.group.processes():
            try:
                status = Path(f"/proc/{pid}/status").read_text()
                parent_is_supervisor = _name_of(_field(status, "PPid")) == "systemd-nspawn"
            except (FileNotFoundError, ProcessLookupError):
                continue
            ids = _field(status, "NSpid").split()
            if parent_is_supervisor and len(ids) > 1 and ids[-1] == "1":
                return pid
        return None

    def running_init(self) -> int:
        pid = self.init()
        if pid is None:
            raise LabError(f"The host {self.name} is not running. Start it with: lab start {self.name}")
        return pid

    def entering(self, program: Sequence[str]) -> list[str]:
        """The command that runs `program` in the host, as root in a clean environment."""
        terminal = f"TERM={os.environ.get('TERM', 'dumb')}"
        return ["nsenter", "-t", str(self.running_init()), "-a", "--", "/usr/bin/env", "-i", *_ENVIRONMENT, terminal, *program]

    def run(self, *program: str, stdin: str | None = None) -> str:
        return command.output(self.entering(program), stdin=stdin)

    def wait_until_booted(self, *, timeout: float) -> None:
        """Until systemd has done all its jobs; failed units are no reason to fail, tests make some."""
        begin = time.monotonic()
        deadline = begin + timeout
        seen = "no init process"
        while time.monotonic() < deadline:
            pid = self.init()
            if time.monotonic() > begin + _START_TIME and not self.group.processes():
                raise LabError(f"The host {self.name} did not start. The end of {self.log}:\n{self._end_of_log()}")
            if pid is not None:
                remaining = max(deadline - time.monotonic(), 0.1)
                query = self.entering(["systemctl", "is-system-running", "--wait"])
                result = command.attempt(query, timeout=remaining)
                seen = (result.stdout or result.stderr).strip() or seen
                if seen in ("running", "degraded"):
                    return
            time.sleep(0.1)
        raise LabError(
            f"The host {self.name} did not boot in {timeout:.0f} s: {seen}. See {self.log} and `lab enter {self.name}`."
        )

    def power_off(self, *, timeout: float) -> None:
        """In order; whoever does not end in time loses power."""
        pid = self.init()
        if pid is not None:
            os.kill(pid, _POWER_OFF)
            deadline = time.monotonic() + timeout
            while self.group.processes() and time.monotonic() < deadline:
                time.sleep(0.05)
        self.cut_power()

    def cut_power(self) -> None:
        self.group.kill()
        remove_tree(_PROPAGATE / self.machine)  # where /run is on a disk, systemd-nspawn leaves it behind

    def _end_of_log(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-10:]) if self.log.exists() else "(empty)"


def _field(status: str, name: str) -> str:
    return next((line.split(":", 1)[1].strip() for line in status.splitlines() if line.startswith(f"{name}:")), "")


def _name_of(pid: str) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()
