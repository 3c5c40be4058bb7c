# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The files by which a guest gets its network from within. Nothing here touches a host."""

from __future__ import annotations

import ipaddress
import json
import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._guest import script
from ansible_collections.kvmops.network.plugins.module_utils._guest.names import check_guest_name
from ansible_collections.kvmops.network.plugins.module_utils._values import check_address, check_mac, without_zone

if t.TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Configuration"]

_MOST_NAMESERVERS = 3  # MAXNS of the C libraries: further ones are never asked
_CLOUD_CONFIG = "#cloud-config\n"
# Without this cloud-init configures the network at the guest's first boot alone, and another address would never get there.
_AT_EACH_BOOT = {"updates": {"network": {"when": ["boot-new-instance", "boot"]}}}


@dataclass(frozen=True)
class Configuration:
    """What a guest is told of its network. All of it is checked and in the form that commands write."""

    hostname: str
    mac: str
    interface: ipaddress.IPv4Interface
    gateway: str | None = None
    nameservers: tuple[str, ...] = ()

    @classmethod
    def read(
        cls, *, hostname: str, mac: str, address: str, gateway: str | None = None, nameservers: Iterable[str] = ()
    ) -> Configuration:
        """Return the configuration. `address` has its prefix. Raises InputError if a value cannot be."""
        interface = ipaddress.IPv4Interface(check_address("address", address, version=4))
        return cls(
            hostname=check_guest_name(hostname),
            mac=check_mac("mac", mac),
            interface=interface,
            gateway=_read_gateway(gateway, interface) if gateway is not None else None,
            nameservers=_read_nameservers(list(nameservers)),
        )

    @property
    def script(self) -> str:
        """A shell script that configures the guest when it is run there. Running it again changes nothing."""
        return script.render(
            {
                "mac": self.mac,
                "address": str(self.interface.ip),
                "prefix": str(self.interface.network.prefixlen),
                "netmask": str(self.interface.netmask),
                "gateway": self.gateway or "",
                "nameservers": " ".join(self.nameservers),
            }
        )

    def seed(self, user_data: str | None = None) -> dict[str, str]:
        """Return the files of the CD-ROM `cidata`, from which cloud-init takes the configuration.

        They are YAML of the kind that is JSON too, since no YAML library is needed to write that. `user_data` is what the guest
        shall do beside that, in any of cloud-init's formats.
        """
        return {
            "meta-data": _document(self._meta_data()),
            "network-config": _document(self._network_config()),
            "user-data": _CLOUD_CONFIG + _document({}) if user_data is None else user_data,
            "vendor-data": _CLOUD_CONFIG + _document(_AT_EACH_BOOT),
        }

    def _meta_data(self) -> dict[str, t.Any]:
        # cloud-init does what it does once for each instance-id: a disk that is copied for another guest is another instance
        identity = f"{self.hostname}-{self.mac.replace(':', '')}"
        return {"instance-id": identity, "local-hostname": self.hostname}

    def _network_config(self) -> dict[str, t.Any]:
        ethernet: dict[str, t.Any] = {
            "match": {"macaddress": self.mac},
            "dhcp4": False,
            "addresses": [str(self.interface)],
        }
        if self.gateway is not None:
            # older versions know neither "default" nor that gateway4 has had its day
            ethernet["routes"] = [{"to": "0.0.0.0/0", "via": self.gateway}]
        if self.nameservers:
            ethernet["nameservers"] = {"addresses": list(self.nameservers)}
        return {"version": 2, "ethernets": {"guest": ethernet}}


def _document(value: dict[str, t.Any]) -> str:
    return json.dumps(value, indent=2) + "\n"


def _read_gateway(text: str, interface: ipaddress.IPv4Interface) -> str:
    try:
        gateway = ipaddress.IPv4Address(text)
    except ValueError:
        raise InputError(f"gateway: '{text}' is no IPv4 address; give one such as 192.168.100.1.") from None
    network = interface.network
    if gateway not in network or gateway in (network.network_address, network.broadcast_address):
        raise InputError(
            f"gateway: {gateway} is no host's address in the guest's subnet {network}; give the host's address there."
        )
    if gateway == interface.ip:
        raise InputError(f"gateway: {gateway} is the guest's own address; give the host's address in {network}.")
    return str(gateway)


def _read_nameservers(texts: list[str]) -> tuple[str, ...]:
    servers = []
    for text in texts:
        try:
            server = ipaddress.ip_address(without_zone(text))
        except ValueError:
            raise InputError(f"nameservers: '{text}' is no IP address; give one such as 8.8.8.8.") from None
        if server.is_multicast or server.is_unspecified:
            raise InputError(f"nameservers: '{text}' is no address of a server; give one such as 8.8.8.8.")
        servers.append(str(server))
    unique = tuple(dict.fromkeys(servers))
    if len(unique) > _MOST_NAMESERVERS:
        raise InputError(
            f"nameservers: there are {len(unique)}, and guests ask the first {_MOST_NAMESERVERS} alone; leave out the others."
        )
    return unique
