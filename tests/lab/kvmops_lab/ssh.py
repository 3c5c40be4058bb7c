# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""SSH from the LAN into the hosts: the lab's own key, its own list of known hosts, its own place for kept connections."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

from . import command, namespace
from .errors import LabError
from .locks import lock
from .paths import Paths

_HOST_KEY = "ssh_host_ed25519_key"


def options(paths: Paths, host: str) -> list[str]:
    """A host is known by its name, so that its key stays good when its address changes."""
    return [
        f"-oIdentityFile={paths.ssh / 'id_ed25519'}",
        "-oIdentitiesOnly=yes",
        f"-oUserKnownHostsFile={paths.ssh / 'known_hosts'}",
        "-oGlobalKnownHostsFile=/dev/null",
        f"-oHostKeyAlias={host}",
        "-oStrictHostKeyChecking=yes",
        "-oConnectTimeout=10",
        "-oServerAliveInterval=5",
        "-oServerAliveCountMax=3",
    ]


def control_path(paths: Paths, host: str) -> str:
    """With the host's name in it, so that its kept connections can be found."""
    return str(paths.ssh_control / f"{host}@%h-%p-%r")


def ensure_key(paths: Paths) -> None:
    with lock(paths.locks, "ssh"):
        for folder in (paths.ssh, paths.ssh_control):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
        _ensure_key_file(paths.ssh / "id_ed25519", comment=paths.prefix)


def install_keys(paths: Paths, disk: Path, host: str) -> None:
    """Into a new host's disk: the lab's key may log in as root, and the host's own key is one that the lab knows."""
    authorized = disk / "root/.ssh/authorized_keys"
    authorized.parent.mkdir(parents=True, exist_ok=True)
    authorized.parent.chmod(0o700)
    (disk / "root").chmod(0o700)
    authorized.write_text((paths.ssh / "id_ed25519.pub").read_text())
    authorized.chmod(0o600)
    (disk / "etc/ssh").mkdir(parents=True, exist_ok=True)
    _ensure_key_file(disk / "etc/ssh" / _HOST_KEY, comment=host)


def remember_hosts(paths: Paths) -> None:
    with lock(paths.locks, "ssh"):
        lines = []
        for public in sorted(paths.hosts.glob(f"*/disk/etc/ssh/{_HOST_KEY}.pub")):
            host = public.relative_to(paths.hosts).parts[0]
            lines.append(f"{host} {' '.join(public.read_text().split()[:2])}\n")
        unfinished = paths.ssh / "known_hosts.new"
        unfinished.write_text("".join(lines))
        unfinished.rename(paths.ssh / "known_hosts")


def wait_until_answering(paths: Paths, host: str, address: str, *, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while True:
        login = ["ssh", "-F/dev/null", "-oBatchMode=yes", *options(paths, host), f"root@{address}", "true"]
        result = command.attempt([*namespace.inside(paths.lan_namespace), *login])
        if result.returncode == 0:
            return
        if time.monotonic() > deadline:
            raise LabError(f"The host {host} does not answer to SSH on {address}: {result.stderr.strip()}")
        time.sleep(0.1)


def forget_connections(paths: Paths, host: str) -> None:
    """Kept connections to a host that was stopped would hang whoever uses them next."""
    for socket in paths.ssh_control.glob(f"{host}@*"):
        command.attempt(["ssh", "-F/dev/null", f"-oControlPath={socket}", "-O", "exit", host], timeout=5)
        with suppress(FileNotFoundError):
            socket.unlink()


def _ensure_key_file(path: Path, *, comment: str) -> None:
    if not path.exists():
        command.output(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)])
