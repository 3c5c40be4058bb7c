# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.
"""The definition of an interface in netplan's terms: what of it is about the wire and stays with the port, and what goes over.

Reference: netplan(5). All scalars are texts.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._bridge.addresses import (
    normal_address,
    normal_interface,
    version_of,
)
from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import written_mtu
from ansible_collections.kvmops.network.plugins.module_utils._bridge.netplan_text import find, parse
from ansible_collections.kvmops.network.plugins.module_utils._errors import RefusedError

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Origin, Record
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.request import Family, Request

    Definition = dict[str, t.Any]

__all__ = ["addresses_of", "asks_servers", "definition_of", "gateways_of", "make_bridge", "make_port"]

# What of a definition is about the wire. All else is about addresses and goes to the bridge.
_PORT_KEYS = (
    "auth",
    "delay-virtual-functions-rebind",
    "embedded-switch-mode",
    "emit-lldp",
    "generic-receive-offload",
    "generic-segmentation-offload",
    "id",
    "ignore-carrier",
    "infiniband-mode",
    "interfaces",
    "large-receive-offload",
    "link",
    "macaddress",
    "match",
    "parameters",
    "receive-checksum-offload",
    "renderer",
    "set-name",
    "tcp-segmentation-offload",
    "tcp6-segmentation-offload",
    "transmit-checksum-offload",
    "virtual-function-count",
    "wakeonlan",
)
_OF_BOTH = ("mtu", "networkmanager", "openvswitch")
_EVERYWHERE = {"default": (4, 6), "0.0.0.0/0": (4,), "::/0": (6,), "0/0": (4,)}
_TRUE = ("true", "on", "yes", "y")


def definition_of(origin: Origin) -> tuple[str, Definition]:
    """Return of what kind the uplink's definition is, and what it says. Raises RefusedError where there is none."""
    found = find(parse(origin.text, path=origin.path), origin.name)
    if found is None:
        raise RefusedError(f"netplan has no definition {origin.name}. Give it one, so that there is something to move.")
    return found


def make_port(record: Record, request: Request, definition: Definition) -> Definition:
    """Return the definition of the uplink as the bridge's port, which has no addresses."""
    kept = {key: value for key, value in definition.items() if key in _PORT_KEYS}
    return {**kept, **_mtu(record, request), "dhcp4": "false", "dhcp6": "false", "accept-ra": "false", "link-local": []}


def make_bridge(record: Record, request: Request, definition: Definition) -> Definition:
    """Return the definition of the bridge, with the uplink's addresses or with those that the task gives."""
    kept = {key: _over_bridge(value, record) for key, value in definition.items() if key not in (*_PORT_KEYS, *_OF_BOTH)}
    for family in (request.ipv4, request.ipv6):
        kept = kept if family is None else _with_family(kept, family)
    kept = _with_dns(kept, request)
    return {
        "renderer": definition["renderer"],
        "interfaces": [record.origin.name],
        "macaddress": record.mac,
        **_mtu(record, request),
        "parameters": {"stp": "true" if request.stp else "false", "forward-delay": str(request.forward_delay)},
        **kept,
    }


def _over_bridge(value: t.Any, record: Record) -> t.Any:
    """Return a value with the bridge's name where an address has the uplink's as its zone."""
    if isinstance(value, dict):
        return {key: _over_bridge(entry, record) for key, entry in value.items()}
    if isinstance(value, list):
        return [_over_bridge(entry, record) for entry in value]
    return re.sub(rf"%{re.escape(record.uplink)}(?![\w.-])", f"%{record.name}", value)


def _mtu(record: Record, request: Request) -> Definition:
    mtu = written_mtu(record, request)
    return {} if mtu is None else {"mtu": str(mtu)}


def _with_family(definition: Definition, family: Family) -> Definition:
    version = family.version
    kept = {key: value for key, value in definition.items() if key not in (f"dhcp{version}", f"gateway{version}")}
    if version == 6:
        kept.pop("accept-ra", None)
    addresses = [entry for entry in kept.pop("addresses", []) if version_of(_text_of(entry)) != version]
    routes = [route for route in kept.pop("routes", []) if version not in _default_versions(route)]
    addresses += family.addresses
    routes += [{"to": "0.0.0.0/0" if version == 4 else "::/0", "via": family.gateway}] if family.gateway else []
    changed: Definition = {f"dhcp{version}": "true" if family.method == "dhcp" else "false"}
    if version == 6:
        changed["accept-ra"] = "true" if family.method in ("auto", "dhcp") else "false"
    return {
        **kept,
        **changed,
        **({"addresses": addresses} if addresses else {}),
        **({"routes": routes} if routes else {}),
    }


def _with_dns(definition: Definition, request: Request) -> Definition:
    servers, search = request.dns.servers, request.dns.search
    names = dict(definition.get("nameservers", {}))
    if servers is not None:
        names["addresses"] = list(servers)
    if search is not None:
        names["search"] = list(search)
    kept = {key: value for key, value in definition.items() if key != "nameservers"}
    names = {key: value for key, value in names.items() if value}
    kept = {**kept, "nameservers": names} if names else kept
    if servers is not None:  # those that servers name are not asked then
        for version in asks_servers(kept):
            key = f"dhcp{version}-overrides"
            kept[key] = {**kept.get(key, {}), "use-dns": "false"}
    return kept


def addresses_of(definition: Definition) -> tuple[str, ...]:
    """Return the addresses of a definition, with their prefix."""
    found = [normal_interface(_text_of(entry)) for entry in definition.get("addresses", [])]
    return tuple(text for text in found if text)


def asks_servers(definition: Definition) -> tuple[int, ...]:
    """Return the IP versions for which a DHCP server is asked."""
    return tuple(version for version in (4, 6) if str(definition.get(f"dhcp{version}", "")).lower() in _TRUE)


def gateways_of(definition: Definition) -> tuple[str, ...]:
    """Return the gateways of the default routes in the main table."""
    routes = [route for route in definition.get("routes", []) if _default_versions(route)]
    texts = [definition.get(f"gateway{version}", "") for version in (4, 6)]
    texts += [route.get("via", "") for route in routes if str(route.get("table", "254")) in ("254", "main")]
    found = [normal_address(text) for text in texts]
    return tuple(dict.fromkeys(text for text in found if text))


def _default_versions(route: Definition) -> tuple[int, ...]:
    """Return the IP versions of which a route is the default one, none for another route."""
    to = _EVERYWHERE.get(str(route.get("to", "")), ())
    version = version_of(str(route.get("via", "")))
    return (version,) if version in to else to


def _text_of(entry: t.Any) -> str:
    """Return an address of a list in which some have details under them."""
    return str(next(iter(entry))) if isinstance(entry, dict) and entry else str(entry)
