# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""How libvirt changes the DHCP server of a running network, as libvirt 7.0, 9.0 and 11.3 were seen to do it.

Source: virNetworkDefUpdateIPDHCPHost in libvirt, and what virNetworkUpdate did on hosts.
"""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._format.tree import copied

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._network.dhcp_hosts import LiveChange

    Definition = dict[str, t.Any]
    Host = dict[str, t.Any]

__all__ = ["UpdateError", "entries", "update"]


class UpdateError(Exception):
    """libvirt refuses the change."""


def entries(definition: Definition) -> list[tuple[str, Host]]:
    """Return all entries, each with the network's address in its subnet, in no order."""
    found = [(ip["address"], host) for ip in definition["ips"] for host in ip.get("dhcp", {}).get("hosts", [])]
    return sorted(found, key=str)


def update(definition: Definition, change: LiveChange) -> Definition:
    """Return the running network after a change. Raises UpdateError where libvirt would not do it."""
    definition = copied(definition)
    [home] = [ip for ip in definition["ips"] if ip["address"] == change.address]
    hosts: list[Host] = home.setdefault("dhcp", {}).setdefault("hosts", [])
    new = dict(change.host)
    _check(new, home)
    if change.verb == "add":
        same = [host for host in hosts if any(name in new and host.get(name) == new[name] for name in ("mac", "name", "ip"))]
        if same:
            raise UpdateError(f"there is an existing dhcp host entry that matches {new}: {same}")
        hosts.append(new)
    elif change.verb == "modify":
        index = _first(hosts, lambda host: any(name in new and host.get(name) == new[name] for name in ("mac", "ip", "name")))
        hosts[index] = new
    else:
        index = _first(
            hosts,
            lambda host: (
                ("mac" not in new or host.get("mac", new["mac"]) == new["mac"])
                and all(name not in new or host.get(name) == new[name] for name in ("ip", "name"))
            ),
        )
        del hosts[index]
    return definition


def _first(hosts: list[Host], fits: t.Callable[[Host], bool]) -> int:
    index = next((index for index, host in enumerate(hosts) if fits(host)), None)
    if index is None:
        raise UpdateError("couldn't locate a matching dhcp host entry")
    return index


def _check(host: Host, home: Definition) -> None:
    if "ip" not in host:
        raise UpdateError("Missing IP address in static host definition")
    if (":" in host["ip"]) != (":" in home["address"]):
        raise UpdateError("the address family of a host entry IP must match the address family of the dhcp element's parent")
    if ":" in host["ip"] and "mac" in host:
        raise UpdateError("Invalid to specify MAC address in IPv6 static host definition")
    if ":" not in host["ip"] and "mac" not in host and "name" not in host:
        raise UpdateError("Static host definition in IPv4 network must have mac or name attribute")
