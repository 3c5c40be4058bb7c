# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""A forward, and how all those of a host are remembered on its disk. Nothing here touches a host."""

from __future__ import annotations

import ipaddress
import json
import re
import typing as t
from dataclasses import asdict, dataclass

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, RequirementError
from ansible_collections.kvmops.network.plugins.module_utils._forward.ports import Ports, addresses_meet, bracketed, in_words

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["BRIDGE_NAME", "FORWARD_NAME", "Forward", "read_record", "write_record"]

# what files, units and rules can have in them as it is
FORWARD_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", re.ASCII)
BRIDGE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,15}", re.ASCII)

_FORMAT = 1
_METHODS = ("rules", "open", "proxy")
_PROTOCOLS = (("tcp",), ("udp",), ("tcp", "udp"))


@dataclass(frozen=True)
class Forward:
    """Ports of the host that lead into a guest.

    `host_address` is "" for any address of the host, `domain` is "" where the target is an address and no guest. `bridge` and
    `subnet` are those of the network. `method` is how it is done: by rules of the firewall ("rules"), by these in a network of
    mode open, whose other rules are made as well ("open"), or by a process that passes the bytes on ("proxy").
    """

    name: str
    protocols: tuple[str, ...]
    host_address: str
    host_ports: Ports
    domain: str
    network: str
    bridge: str
    subnet: str
    address: str
    guest_ports: Ports
    method: str

    @property
    def version(self) -> int:
        """The version of IP."""
        return ipaddress.ip_address(self.address).version

    @property
    def by_rules(self) -> bool:
        """Whether it is done in the kernel."""
        return self.method != "proxy"

    @property
    def reached_by_loopback(self) -> bool:
        """Whether processes of the host reach it at 127.0.0.1, which IPv6 has no like of."""
        loopback = not self.host_address or ipaddress.ip_address(self.host_address).is_loopback
        return self.by_rules and self.version == 4 and loopback

    def meets(self, protocols: Iterable[str], address: str, ports: Ports, version: int) -> bool:
        """Say whether it has one of the host's ports on an address, "" for any one of this version of IP."""
        return (
            self.version == version
            and bool(set(self.protocols) & set(protocols))
            and self.host_ports.meets(ports)
            and (not self.host_address or not address or addresses_meet(self.host_address, address))
        )

    def __str__(self) -> str:
        host = in_words(self.protocols, self.host_address, self.host_ports)
        return f"{host} -> {bracketed(self.address)}:{self.guest_ports}"


def write_record(forwards: Iterable[Forward]) -> str:
    """Return the text that remembers forwards."""
    found = [asdict(forward) for forward in sorted(forwards, key=lambda forward: forward.name)]
    return json.dumps({"format": _FORMAT, "forwards": found}, indent=1) + "\n"


def read_record(text: str | None, *, path: str) -> dict[str, Forward]:
    """Return forwards by name. Raises RequirementError where the text cannot be understood."""
    if text is None:
        return {}
    try:
        data = json.loads(text)
        if data["format"] != _FORMAT:
            raise ValueError
        found = [_from_json(entry) for entry in data["forwards"]]
    except (ValueError, KeyError, TypeError, InputError):
        raise RequirementError(
            f"{path} cannot be understood: somebody changed it, or a newer version of this collection wrote it. Use that "
            "version, or remove the file and run the tasks of all forwards of this host again."
        ) from None
    return {forward.name: forward for forward in found}


def _from_json(entry: Mapping[str, t.Any]) -> Forward:
    """Return a forward. Raises ValueError, KeyError or TypeError for what none of our tasks wrote."""
    forward = Forward(
        **{
            **entry,
            "protocols": tuple(entry["protocols"]),
            "host_ports": Ports.from_option("host_ports", _range(entry["host_ports"])),
            "guest_ports": Ports.from_option("guest_ports", _range(entry["guest_ports"])),
        }
    )
    address = ipaddress.ip_address(str(forward.address))
    if (
        not FORWARD_NAME.fullmatch(forward.name)
        or not BRIDGE_NAME.fullmatch(forward.bridge)
        or address not in ipaddress.ip_network(str(forward.subnet))
        or (forward.host_address and ipaddress.ip_address(str(forward.host_address)).version != address.version)
        or forward.protocols not in _PROTOCOLS
        or forward.method not in _METHODS
        or len(forward.host_ports) != len(forward.guest_ports)
    ):
        raise ValueError
    return forward


def _range(ports: Mapping[str, int]) -> str:
    return f"{ports['first']:d}-{ports['last']:d}"
