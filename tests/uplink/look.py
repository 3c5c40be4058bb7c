#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""What a host's network is like, with other eyes than the collection's: files, links, addresses, routes, name servers.

look.py            all that a change may touch, and that its way back has to bring back; without lifetimes and guests' interfaces
look.py counters   what shows that nothing was touched meanwhile: numbers of links, and how often their carrier changed
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
import sys
import time
import typing as t
from pathlib import Path

_FOLDERS = (
    "/etc/NetworkManager",
    "/etc/netplan",
    "/etc/network",
    "/etc/systemd/network",
    "/etc/systemd/system",
    "/run/systemd/network",
    "/var/lib/kvmops-network/bridges",
)
_LINK_KEYS = ("ifname", "address", "mtu", "operstate", "master")
_ADDRESS_KEYS = ("local", "prefixlen", "scope", "metric", "dynamic", "noprefixroute")
_ROUTE_KEYS = ("dst", "gateway", "dev", "protocol", "scope", "prefsrc", "metric")


def files() -> list[str]:
    """Each file of those who manage the network, and each link among them."""
    lines = []
    for path in sorted(path for folder in _FOLDERS for path in Path(folder).rglob("*")):
        if path.is_symlink() or not path.is_dir():
            with contextlib.suppress(FileNotFoundError):  # an unfinished one has got its name meanwhile
                lines.append(f"{path} {_describe(path)}")
    return lines


def _describe(path: Path) -> str:
    if path.is_symlink():
        return f"-> {path.readlink()}"
    found = path.stat()
    return f"{found.st_mode:o} {found.st_uid}:{found.st_gid} {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"


def links() -> list[str]:
    """Links and their addresses, without link-local ones."""
    lines = []
    for link in _ip("address", "show"):
        if link["ifname"].startswith(("vnet", "lo")):
            continue
        lines.append(_line("link", link, _LINK_KEYS))
        addresses = [address for address in link["addr_info"] if address["scope"] != "link"]
        lines += sorted(_line(f"address {link['ifname']}", address, _ADDRESS_KEYS) for address in addresses)
    return lines


def routes() -> list[str]:
    """Routes of both families, without those of link-local addresses."""
    found = _ip("-4", "route", "show") + _ip("-6", "route", "show")
    return sorted(_line("route", route, _ROUTE_KEYS) for route in found if not route["dst"].startswith(("fe80:", "ff00:")))


def name_servers() -> list[str]:
    """Name servers and domains, as programs and networkd know them."""
    lines = [f"resolv.conf {line}" for line in _lines("/etc/resolv.conf") if not line.startswith("#")]
    return lines + [f"networkd {line}" for line in _lines("/run/systemd/netif/state") if line.startswith(("DNS=", "DOMAINS="))]


def managers() -> list[str]:
    """What who manages it thinks of eth0 and br0."""
    lines = []
    for number in _numbers(("eth0", "br0")).values():
        lines += [f"networkd {line}" for line in _lines(f"/run/systemd/netif/links/{number}") if line.startswith(_NETWORKD)]
    answer = subprocess.run(
        ["sh", "-c", "nmcli -t -f DEVICE,STATE,CONNECTION device"], capture_output=True, text=True, check=False
    )
    lines += sorted(f"nm {line}" for line in answer.stdout.splitlines() if line.startswith(("eth0:", "br0:")))
    return lines + [f"ifupdown {line}" for line in sorted(_lines("/run/network/ifstate")) if line.startswith(("eth0=", "br0="))]


_NETWORKD = ("ADMIN_STATE=", "NETWORK_FILE=")
_SETTLED_WITHIN = 15.0  # seconds; a link-local address takes two, and systemd-networkd 252 longer than 6 on a busy machine


def wait_until_settled() -> None:
    """Wait a little for those who are at work at this moment, after a boot for instance."""
    deadline = time.monotonic() + _SETTLED_WITHIN
    while time.monotonic() < deadline and any("=configuring" in line or ":connecting" in line for line in managers()):
        time.sleep(0.2)


def counters() -> list[str]:
    """For each link its number, and how often its carrier came and went."""
    return [f"{path.name} {_text(path / 'ifindex')} {_text(path / 'carrier_changes')}" for path in _net() if path.name != "lo"]


def _net() -> list[Path]:
    return sorted(Path("/sys/class/net").iterdir())


def _numbers(names: tuple[str, ...]) -> dict[str, str]:
    """Return the numbers of links; one that goes at this moment is not there."""
    found = {}
    for name in names:
        with contextlib.suppress(OSError):
            found[name] = _text(Path("/sys/class/net", name, "ifindex"))
    return found


def _ip(*arguments: str) -> list[dict[str, t.Any]]:
    answer = subprocess.run(["ip", "-j", *arguments], capture_output=True, text=True, check=True)
    found: list[dict[str, t.Any]] = json.loads(answer.stdout or "[]")
    return found


def _line(what: str, values: dict[str, t.Any], keys: tuple[str, ...]) -> str:
    return " ".join([what, *(f"{key}={values[key]}" for key in keys if key in values)])


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except FileNotFoundError:
        return []


def _text(path: Path) -> str:
    return path.read_text().strip()


if __name__ == "__main__":
    wait_until_settled()
    parts = (counters,) if sys.argv[1:] == ["counters"] else (files, links, routes, name_servers, managers)
    for part in parts:
        print("\n".join(part()))
