# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.
"""Who does what netplan says: networkd or NetworkManager, from files that netplan writes for them at each boot."""

from __future__ import annotations

import typing as t
import uuid
from dataclasses import dataclass, field

from ansible_collections.kvmops.network.plugins.module_utils._bridge.ini import Section, render
from ansible_collections.kvmops.network.plugins.module_utils._bridge.netplan_definition import (
    addresses_of,
    asks_servers,
    definition_of,
)
from ansible_collections.kvmops.network.plugins.module_utils._bridge.network_manager import (
    BRIDGE_SECTIONS,
    NetworkManager,
    pinned4,
    pinned6,
)
from ansible_collections.kvmops.network.plugins.module_utils._bridge.network_manager_moves import Profiles, activate, prepare
from ansible_collections.kvmops.network.plugins.module_utils._bridge.networkd import Networkd
from ansible_collections.kvmops.network.plugins.module_utils._bridge.networkd_servers import (
    with_identity,
    with_token,
    without_dns_of_others,
)

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import Command, Move
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Record
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.request import Request

    Definition = dict[str, t.Any]

__all__ = ["RENDERERS", "More", "Renderer"]

_NAMESPACE = uuid.UUID("0a0c7f6e-0f2c-4f0c-8a55-6a0e3b7c41d9")
_PROFILES = "/run/NetworkManager/system-connections"

_MAKE_BRIDGE = """\
# have networkd make the bridge, by the file that netplan writes anew in a moment
file=/run/systemd/network/10-netplan-$1.netdev
[ -e "$file" ] || { mkdir -p "${file%/*}" && printf '[NetDev]\\nName=%s\\nKind=bridge\\nMACAddress=%s\\n' "$1" "$2" >"$file"; }
"""


@dataclass(frozen=True)
class More:
    """What a renderer needs beside what netplan has words for: entries of both definitions, and files of its own."""

    port: Definition = field(default_factory=dict)
    bridge: Definition = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


class Renderer(t.Protocol):
    """Who does what netplan says. Nothing here looks at the host."""

    @property
    def tools(self) -> tuple[str, ...]:
        """The programs that its commands need."""

    @property
    def takes_leases_over(self) -> bool:
        """Whether it goes on with addresses that a server gave, when they were moved for it."""

    @property
    def begins_before(self) -> bool:
        """Whether on the way to the bridge its commands come before netplan writes its files, which say too much yet."""

    def more(self, record: Record, request: Request, definition: Definition, bridge: Definition) -> More:
        """Return what it needs beside the uplink's and the bridge's definitions. Raises InputError for what it cannot be told."""

    def owned_paths(self, record: Record) -> list[str]:
        """Return the paths of the files of its own."""

    def prepare(self, move: Move) -> list[Command]:
        """Return the commands that run before links and addresses are moved."""

    def activate(self, move: Move) -> list[Command]:
        """Return the commands that make it follow the files that netplan has written."""


class _OnNetworkd:
    tools = Networkd.tools
    takes_leases_over = Networkd.takes_leases_over
    begins_before = True

    def more(self, record: Record, request: Request, _definition: Definition, bridge: Definition) -> More:
        sections = with_identity((), record.identity, asks_servers(bridge))
        sections = with_token(sections, record.identity.token)
        if request.dns.servers is not None:
            sections = without_dns_of_others(sections)
        if not sections:
            return More()
        comment = (
            "Written by the Ansible module kvmops.network.host_bridge: what netplan has no words for,\n"
            f"so that servers know {record.name} as they knew {record.uplink}."
        )
        return More(files={self.owned_paths(record)[0]: render(sections, comment=comment)})

    def owned_paths(self, record: Record) -> list[str]:
        return [f"/etc/systemd/network/10-netplan-{record.name}.network.d/kvmops.conf"]

    def prepare(self, move: Move) -> list[Command]:
        begin: list[Command] = []
        if move.to_bridge and move.fresh:
            begin = [("sh", "-c", _MAKE_BRIDGE, "make", move.record.name, move.record.mac)]
        return [*begin, *Networkd().prepare(move)]

    def activate(self, move: Move) -> list[Command]:
        return Networkd().activate(move)


class _OnNetworkManager:
    tools = NetworkManager.tools
    takes_leases_over = NetworkManager.takes_leases_over
    begins_before = False

    def more(self, record: Record, request: Request, definition: Definition, bridge: Definition) -> More:
        given = definition.get("networkmanager", {}).get("passthrough", {})
        of_bridge = {key: value for key, value in given.items() if key.partition(".")[0] in BRIDGE_SECTIONS}
        of_port = {key: value for key, value in given.items() if key not in of_bridge and not key.startswith("connection.")}
        methods = {version: "auto" if version in asks_servers(bridge) else "manual" for version in (4, 6)}
        if request.ipv6 is not None and request.ipv6.method != "static":
            # of routers alone, netplan has no word for NetworkManager; without a word the kernel hears them
            methods[6] = "link-local" if request.ipv6.method == "none" else "auto"
            of_bridge["ipv6.method"] = methods[6]
        for version, pinned in ((4, pinned4), (6, pinned6)):
            entries = pinned(Section(f"ipv{version}", (("method", methods[version]),)), record).entries
            of_bridge.update({f"ipv{version}.{key}": value for key, value in entries if key != "method"})
        profiles = self._profiles(record, definition)
        return More(
            port=_profile(f"kvmops-{record.name}-port", profiles.port, of_port),
            bridge=_profile(f"kvmops-{record.name}", profiles.bridge, of_bridge),
        )

    def owned_paths(self, _record: Record) -> list[str]:
        return []

    def prepare(self, move: Move) -> list[Command]:
        _kind, definition = definition_of(move.record.origin)
        # netplan leaves IPv6 to the kernel where it has nothing to say of it
        left = not asks_servers({"dhcp6": definition.get("dhcp6", "")}) and not any(":" in a for a in addresses_of(definition))
        return prepare(move, self._profiles(move.record, definition), kernel_hears_routers=left)

    def activate(self, move: Move) -> list[Command]:
        _kind, definition = definition_of(move.record.origin)
        return activate(move, self._profiles(move.record, definition))

    def _profiles(self, record: Record, definition: Definition) -> Profiles:
        return Profiles(
            bridge=_uuid(record, "bridge"),
            port=_uuid(record, "port"),
            origin=definition.get("networkmanager", {}).get("uuid", ""),
            bridge_path=f"{_PROFILES}/netplan-{record.name}.nmconnection",
            port_path=f"{_PROFILES}/netplan-{record.origin.name}.nmconnection",
        )


def _profile(name: str, profile: str, passthrough: dict[str, str]) -> Definition:
    more = {"passthrough": passthrough} if passthrough else {}
    return {"networkmanager": {"uuid": profile, "name": name, **more}}


def _uuid(record: Record, role: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{record.name}/{record.uplink}/{role}"))


RENDERERS: dict[str, Renderer] = {"networkd": _OnNetworkd(), "NetworkManager": _OnNetworkManager()}
