# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""What the machine must have, each with the sentence that says how to get it."""

from __future__ import annotations

import os
from pathlib import Path

from . import command
from .errors import LabError
from .paths import SOURCE

_INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
_INOTIFY_INSTANCES = 8192


def require_root() -> None:
    if os.geteuid() != 0:
        raise LabError("The lab makes network namespaces, mounts and containers: run it as root.")


def require_machine() -> None:
    """Everything that bringing up a host needs."""
    missing = missing_packages()
    if missing:
        raise LabError(
            f"Missing on this machine: {', '.join(missing)}. Run: apt-get install --no-install-recommends {' '.join(missing)}"
        )
    if not Path("/dev/net/tun").exists():
        raise LabError("There is no /dev/net/tun, which guests' NICs need. Run: modprobe tun")


def missing_packages() -> list[str]:
    return [name for name in needed_packages() if not _is_installed(name)]


def needed_packages() -> list[str]:
    lines = (SOURCE / "packages.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _is_installed(package: str) -> bool:
    result = command.attempt(["dpkg-query", "--show", "--showformat=${db:Status-Status}", package])
    return result.returncode == 0 and result.stdout == "installed"


def raise_inotify_limit() -> None:
    """The containers of one user share this limit, and dnsmasq and systemd use it up; it is raised, never lowered."""
    if int(_INOTIFY.read_text()) < _INOTIFY_INSTANCES:
        _INOTIFY.write_text(str(_INOTIFY_INSTANCES))
