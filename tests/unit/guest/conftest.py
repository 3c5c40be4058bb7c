# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""A guest for its script: a network namespace with a NIC, and an /etc of its own."""

from __future__ import annotations

import json
import os
import subprocess
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest

MAC = "52:54:00:14:25:51"
HERE = "/mnt"  # where the guest sees its folder
SHELLS = ("dash", "busybox")
# All that the script has there.
APPLETS = ("awk", "cat", "cp", "grep", "id", "ifup", "ip", "ls", "mkdir", "mv", "rm", "sed", "sh")

# $1: what the test prepares; $2 and further: how the script is run
_PROGRAM = """
set -eu
ip link set dev lo up
ip link add "$NIC" type veth peer name host0
ip link set dev "$NIC" address "$MAC"
ip link set dev host0 up
mount -t sysfs sysfs /sys
mount --bind "$GUEST" "$HERE"
mount --bind "$GUEST/etc" /etc
sh -euc "$1"
shift
look() {
    ip -j addr show > "$GUEST/addresses.$1"
    ip -j -4 route show > "$GUEST/routes.$1"
    find /etc ! -path '/etc/alternatives*' -printf '%p %i %T@ %m %l\\n' | sort > "$GUEST/files.$1"
}
look 0
for run in 1 2; do
    code=0
    "$@" > "$GUEST/output.$run" 2> "$GUEST/errors.$run" < /dev/null || code=$?
    echo "$code" > "$GUEST/code.$run"
    look "$run"
done
"""


@dataclass(frozen=True)
class Run:
    """What running the script did. The kernel's own doings, IPv6 and whether a link has come up yet, are no part of it."""

    code: int
    output: str
    errors: str
    addresses: dict[str, list[str]]  # by interface
    up: frozenset[str]
    routes: list[dict[str, t.Any]]
    files: str  # with inodes and times


class Guest:
    """A place to run the script in. What the test writes to `etc` is /etc there."""

    def __init__(self, path: Path, shell: str) -> None:
        self.path, self.etc, self.shell = path, path / "etc", shell
        path.chmod(0o755)
        self.etc.mkdir()
        # Debian's awk leads there
        (self.etc / "alternatives").mkdir()
        (self.etc / "alternatives/awk").symlink_to(Path("/etc/alternatives/awk").readlink())
        (path / "applets").mkdir()
        if shell == "busybox":
            for name in APPLETS:
                (path / "applets" / name).symlink_to("/usr/bin/busybox")

    def write(self, name: str, text: str) -> Path:
        path = self.etc / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def read(self, name: str) -> str:
        return (self.etc / name).read_text()

    @property
    def command(self) -> list[str]:
        """How a shell is called; busybox has all its commands from itself."""
        if self.shell == "busybox":
            return ["env", f"PATH={HERE}/applets", "sh"]
        return ["env", f"PATH={HERE}/applets:/usr/sbin:/usr/bin:/sbin:/bin", self.shell]

    def run(self, script: str, *, before: str = ":", nic: str = "eth0", wrapper: tuple[str, ...] = ()) -> tuple[Run, Run]:
        """Run the script twice, after commands that prepare the guest."""
        (self.path / "script").write_text(script)
        environment = {**os.environ, "GUEST": str(self.path), "HERE": HERE, "NIC": nic, "MAC": MAC}
        unshare = ["unshare", "--net", "--mount", "--propagation", "private"]
        command = [*unshare, "sh", "-c", _PROGRAM, "guest", before, *wrapper, *self.command, f"{HERE}/script"]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == 0, done.stderr
        return self._result(1), self._result(2)

    def _result(self, number: int) -> Run:
        def text(name: str) -> str:
            return (self.path / f"{name}.{number}").read_text()

        links = json.loads(text("addresses"))
        return Run(
            code=int(text("code")),
            output=text("output"),
            errors=text("errors"),
            addresses={
                link["ifname"]: [f"{a['local']}/{a['prefixlen']}" for a in link["addr_info"] if a["family"] == "inet"]
                for link in links
            },
            up=frozenset(link["ifname"] for link in links if "UP" in link["flags"]),
            routes=[{key: route.get(key) for key in ("dst", "gateway", "dev", "metric")} for route in json.loads(text("routes"))],
            files=text("files"),
        )


@pytest.fixture(params=SHELLS)
def guest(request: pytest.FixtureRequest, tmp_path: Path) -> Guest:
    return Guest(tmp_path, request.param)
