# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The files on a host that make forwards, as they shall be. Nothing here touches a host.

References: systemd.service(5), systemd.socket(5), systemd-socket-proxyd(8).
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._forward.forward import write_record
from ansible_collections.kvmops.network.plugins.module_utils._forward.ports import bracketed
from ansible_collections.kvmops.network.plugins.module_utils._forward.rules import make_rules

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.kvmops.network.plugins.module_utils._forward.forward import Forward

__all__ = [
    "FOLDER",
    "KEEPER_UNIT",
    "RECORD",
    "RULES",
    "Programs",
    "keeper_unit_of",
    "owned_patterns",
    "proxy_sockets",
    "sockets_of",
    "wanted_files",
]

FOLDER = "/var/lib/kvmops-network/port-forwards"
RECORD = f"{FOLDER}/forwards.json"
RULES = f"{FOLDER}/rules.json"
KEEPER_UNIT = "kvmops-port-forwards.service"
_UNITS = "/etc/systemd/system"
_PROXY = "kvmops-port-forward-"
_HEAD = """\
# SPDX-License-Identifier: GPL-3.0-or-later
# Written by kvmops.network.libvirt_port_forward, which writes it anew: do not edit.
"""
_OTHERS = (
    "libvirtd.service virtnetworkd.service nftables.service netfilter-persistent.service firewalld.service ufw.service "
    "docker.service"
)


@dataclass(frozen=True)
class Programs:
    """Paths of programs of the host: Python, and systemd's proxy, "" where that is not there; `keeper` is the text of ours."""

    python: str
    proxy: str
    keeper: str


def owned_patterns() -> list[str]:
    """Return the paths of all files that may be there for forwards, as patterns; the last ones were begun by a killed run."""
    return [
        f"{FOLDER}/*",
        f"{_UNITS}/{KEEPER_UNIT}",
        f"{_UNITS}/{_PROXY}*.socket",
        f"{_UNITS}/{_PROXY}*.service",
        f"{_UNITS}/kvmops-port-forward*.kvmops-new",
    ]


def proxy_sockets(paths: Mapping[str, t.Any]) -> list[str]:
    """Return the names of the units among files at which proxies listen."""
    prefix = f"{_UNITS}/{_PROXY}"
    return sorted(
        path.rpartition("/")[2]
        for path, content in paths.items()
        if path.startswith(prefix) and path.endswith(".socket") and content is not None
    )


def keeper_unit_of(paths: Mapping[str, t.Any]) -> list[str]:
    """Return the name of the keeper's unit where it is among files."""
    return [KEEPER_UNIT] if paths.get(f"{_UNITS}/{KEEPER_UNIT}") is not None else []


def sockets_of(forward: Forward) -> list[str]:
    """Return the names of the units at which the proxies of a forward listen."""
    return [f"{_proxy_name(forward, port)}.socket" for port, _guest in forward.host_ports.pairs(forward.guest_ports)]


def wanted_files(forwards: Mapping[str, Forward], programs: Programs) -> dict[str, str]:
    """Return the text of each file that there shall be for forwards."""
    if not forwards:
        return {}
    files = {RECORD: write_record(forwards.values())}
    if any(forward.by_rules for forward in forwards.values()):
        rules = make_rules(forwards.values())
        files[RULES] = json.dumps(rules.to_json(), indent=1) + "\n"
        files[f"{FOLDER}/rules.nft"] = _HEAD + rules.table()
        files[f"{FOLDER}/keeper.py"] = programs.keeper
        files.update({f"{FOLDER}/{family}.iptables": _HEAD + rules.iptables(family) for family in sorted(rules.passing)})
        files[f"{_UNITS}/{KEEPER_UNIT}"] = _keeper_unit(programs)
    for forward in forwards.values():
        if not forward.by_rules:
            files.update(_proxy_units(forward, programs))
    return files


def _keeper_unit(programs: Programs) -> str:
    keeper = f"{programs.python} -I {FOLDER}/keeper.py"
    return f"""\
{_HEAD}# While it runs, ports of this host lead into guests; when it is stopped, they do not.
[Unit]
Description=Ports of this host that lead into guests
After={_OTHERS}
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={keeper} watch
ExecReload={keeper} put
# not before the keeper has ended, which would put back what is taken away
ExecStopPost={keeper} stopped
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
"""


def _proxy_units(forward: Forward, programs: Programs) -> dict[str, str]:
    """Return the units of a forward by a proxy, two for each of its ports."""
    files = {}
    for host, guest in forward.host_ports.pairs(forward.guest_ports):
        name = _proxy_name(forward, host)
        what = f"Port {host} of this host, which leads to {forward.address} port {guest} (forward {forward.name})"
        files[f"{_UNITS}/{name}.socket"] = f"""\
{_HEAD}[Unit]
Description={what}

[Socket]
ListenStream={_listen_at(forward)}:{host}
FreeBind=true
BindIPv6Only=ipv6-only

[Install]
WantedBy=sockets.target
"""
        files[f"{_UNITS}/{name}.service"] = f"""\
{_HEAD}[Unit]
Description={what}
Requires={name}.socket
After={name}.socket

[Service]
ExecStart={programs.proxy} {bracketed(forward.address)}:{guest}
DynamicUser=yes
PrivateDevices=yes
ProtectHome=yes
"""
    return files


def _proxy_name(forward: Forward, port: int) -> str:
    return f"{_PROXY}{forward.name}" if len(forward.host_ports) == 1 else f"{_PROXY}{forward.name}:{port}"


def _listen_at(forward: Forward) -> str:
    return bracketed(forward.host_address or ("0.0.0.0" if forward.version == 4 else "::"))
