# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The kernel's settings, and the services that virtual networks need. All of it is read only."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.daemons import Unit

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Run

__all__ = ["has_libvirt", "read_bridge_filtering", "read_forwarding", "read_units", "running_servers"]

_SYSCTL = "/proc/sys/net"
_PROCESSES = "/proc"
_FORWARDING = {4: "ipv4/ip_forward", 6: "ipv6/conf/all/forwarding"}
_BRIDGES = {4: "bridge/bridge-nf-call-iptables", 6: "bridge/bridge-nf-call-ip6tables"}
_DAEMONS = ("libvirtd", "virtqemud")
_PLACES = ("/usr/sbin", "/usr/bin", "/usr/local/sbin")


def read_forwarding() -> dict[int, bool]:
    """Return whether the host forwards packets, by the version of IP; a version that it has not is left out."""
    return _read_settings(_FORWARDING)


def read_bridge_filtering() -> dict[int, bool]:
    """Return whether frames on bridges go through the firewall; empty where the kernel cannot do that."""
    return _read_settings(_BRIDGES)


def _read_settings(names: dict[int, str]) -> dict[int, bool]:
    found = {}
    for version, name in names.items():
        try:
            with open(f"{_SYSCTL}/{name}", encoding="ascii") as file:
                found[version] = file.read().strip() != "0"
        except OSError:
            pass
    return found


def running_servers(names: Iterable[str]) -> frozenset[str]:
    """Return for which networks a dnsmasq of libvirt runs in this network namespace."""
    ends = {f"/dnsmasq/{name}.conf": name for name in names}
    own = _namespace("self")
    found = set()
    for process in filter(str.isdigit, os.listdir(_PROCESSES)):
        try:
            with open(f"{_PROCESSES}/{process}/cmdline", "rb") as file:
                words = file.read().decode(errors="replace").split("\0")
        except OSError:
            continue  # it has ended since
        if not words[0].endswith("dnsmasq") or _namespace(process) not in (own, None):
            continue
        found |= {name for end, name in ends.items() if any(word.endswith(end) for word in words[1:])}
    return frozenset(found)


def _namespace(process: str) -> str | None:
    """Return the network namespace of a process, None where that is not to be seen."""
    try:
        return os.readlink(f"{_PROCESSES}/{process}/ns/net")
    except OSError:
        return None


def has_libvirt() -> bool:
    """Say whether a libvirt daemon is installed."""
    return any(os.path.exists(f"{place}/{daemon}") for place in _PLACES for daemon in _DAEMONS)


def read_units(run: Run, units: Iterable[str]) -> dict[str, Unit]:
    """Return the state of those of systemd's units that are there."""
    try:
        _code, output, _errors = run(["systemctl", "show", "--property=Id,LoadState,ActiveState,UnitFileState", *units])
    except OSError:
        return {}
    found = {}
    for block in output.split("\n\n"):
        values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if values.get("LoadState", "not-found") != "not-found":
            state = Unit(values["LoadState"], values.get("ActiveState", ""), values.get("UnitFileState", ""))
            found[values.get("Id", "")] = state
    return found
