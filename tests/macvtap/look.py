#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""What a host's interfaces are like, with other eyes than the collection's.

Prints a JSON object. `links` has each interface by name with what may be compared over a reboot, `numbers` the numbers of them,
which may not, `nodes` who may open which device node, `files` what is written down about interfaces, and `managers` what those
who manage eth1 think of it. `lines` are all of these but the numbers.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import subprocess
import time
import typing as t
from pathlib import Path

_FOLDERS = (
    "/etc/NetworkManager",
    "/etc/systemd/network",
    "/etc/systemd/system",
    "/etc/udev/rules.d",
    "/run/systemd/network",
)
_LINK_KEYS = ("address", "mtu", "num_tx_queues", "num_rx_queues", "master", "link", "promiscuity")
_KIND_KEYS = ("mode", "nopromisc", "nodst", "bcqueuelen", "usedbcqueuelen")
_ROUTE_KEYS = ("gateway", "metric", "prefsrc", "scope")
_NETWORKD = ("ADMIN_STATE=", "NETWORK_FILE=")
_AT_WORK = ("=configuring", ":connecting")
_SETTLED_WITHIN = 6.0  # seconds


def files() -> dict[str, str]:
    """Return each file of those who make interfaces, with its permissions and a digest."""
    paths = sorted(path for folder in _FOLDERS for path in Path(folder).rglob("*"))
    found = {}
    for path in paths:
        if path.is_symlink() or not path.is_dir():
            with contextlib.suppress(FileNotFoundError):  # an unfinished one has got its name meanwhile
                found[str(path)] = _describe(path)
    return found


def _describe(path: Path) -> str:
    if path.is_symlink():
        return f"-> {path.readlink()}"
    found = path.stat()
    return f"{found.st_mode:o} {found.st_uid}:{found.st_gid} {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"


def links() -> dict[str, dict[str, t.Any]]:
    """Return each interface with its addresses and routes, without those that the kernel makes by itself."""
    found = {link["ifname"]: _link(link) for link in _ip("-d", "address", "show") if link["ifname"] != "lo"}
    for route in [*_ip("-4", "route", "show"), *_ip("-6", "route", "show")]:
        if route.get("dev") in found and route.get("protocol") != "kernel" and not route["dst"].startswith("fe80:"):
            found[route["dev"]]["routes"][route["dst"]] = {key: route[key] for key in _ROUTE_KEYS if key in route}
    return found


def _link(link: dict[str, t.Any]) -> dict[str, t.Any]:
    info = link.get("linkinfo", {})
    details = info.get("info_data", {})
    folder = Path("/proc/sys/net/ipv6/conf", link["ifname"])
    addresses = [f"{entry['local']}/{entry['prefixlen']}" for entry in link["addr_info"] if entry["scope"] != "link"]
    return {
        **{key: link[key] for key in _LINK_KEYS if key in link},
        **{key: details[key] for key in _KIND_KEYS if key in details},
        "kind": info.get("info_kind", ""),
        "up": "UP" in link["flags"],
        "multicast": "all" if "ALLMULTI" in link["flags"] else "joined",
        "ipv6": "off" if _number(folder / "disable_ipv6") or _is_silent(folder, link["addr_info"]) else "on",
        "accept_ra": _number(folder / "accept_ra"),
        **({"macaddr_data": sorted(details["macaddr_data"])} if details.get("macaddr_data") else {}),
        "addresses": sorted(addresses),
        "routes": {},
    }


def _is_silent(folder: Path, addresses: list[dict[str, t.Any]]) -> bool:
    """Say whether the host has nothing to do with IPv6 there: no address, and none that it would make by itself."""
    return not any(entry["family"] == "inet6" for entry in addresses) and _number(folder / "addr_gen_mode") == 1


def nodes() -> dict[str, str]:
    """Return who may open the device node of each macvtap."""
    found = {}
    for folder in Path("/sys/class/net").glob("*/tap*"):
        node = Path("/dev", folder.name)
        number = os.stat(node)
        there = f"{os.major(number.st_rdev)}:{os.minor(number.st_rdev)}"
        right = stat.S_ISCHR(number.st_mode) and there == (folder / "dev").read_text().strip()
        found[folder.parent.name] = f"{node.owner()}:{node.group()} {stat.S_IMODE(number.st_mode):04o}" if right else "another"
    return found


def numbers() -> dict[str, int]:
    """Return the number of each interface."""
    return {path.name: _number(path / "ifindex") for path in sorted(Path("/sys/class/net").iterdir())}


def managers() -> dict[str, str]:
    """Return what those who manage eth1 think of it."""
    file = Path("/run/systemd/netif/links", str(_number(Path("/sys/class/net/eth1/ifindex"))))
    lines = [line for line in file.read_text().splitlines() if line.startswith(_NETWORKD)] if file.exists() else []
    answer = subprocess.run(
        ["sh", "-c", "nmcli -t -f DEVICE,STATE,CONNECTION device"], capture_output=True, text=True, check=False
    )
    return {"eth1": " ".join([*lines, *(line for line in answer.stdout.splitlines() if line.startswith("eth1:"))])}


def wait_until_settled() -> None:
    """Wait a little for those who are at work at this moment, after a boot for instance."""
    deadline = time.monotonic() + _SETTLED_WITHIN
    while time.monotonic() < deadline and any(word in managers()["eth1"] for word in _AT_WORK):
        time.sleep(0.2)


def _number(path: Path) -> int:
    return int(path.read_text())


def _ip(*arguments: str) -> list[dict[str, t.Any]]:
    answer = subprocess.run(["ip", "-j", *arguments], capture_output=True, text=True, check=True)
    return t.cast("list[dict[str, t.Any]]", json.loads(answer.stdout or "[]"))


if __name__ == "__main__":
    wait_until_settled()
    parts: dict[str, dict[str, t.Any]] = {"files": files(), "links": links(), "nodes": nodes(), "managers": managers()}
    lines = [f"{part[:-1]} {name}: {value}" for part, values in parts.items() for name, value in values.items()]
    print(json.dumps({**parts, "numbers": numbers(), "lines": sorted(lines)}))
