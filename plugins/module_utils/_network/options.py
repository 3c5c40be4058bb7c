# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The options of a network task. Their documentation is in plugins/modules/libvirt_network.py."""

from __future__ import annotations

import typing as t

__all__ = ["DEFINITION_OPTIONS", "NETWORKS_OPTIONS", "NETWORK_OPTIONS"]


def _list_of(options: dict[str, t.Any]) -> dict[str, t.Any]:
    return {"type": "list", "elements": "dict", "options": options}


def _group(options: dict[str, t.Any]) -> dict[str, t.Any]:
    return {"type": "dict", "options": options}


def _range_of(kind: str) -> dict[str, t.Any]:
    return {"start": {"type": kind, "required": True}, "end": {"type": kind, "required": True}}


_FORWARD = _group(
    {
        "mode": {"type": "str", "required": True, "choices": ["none", "nat", "route", "open", "bridge"]},
        "dev": {"type": "str"},
        "nat": _group(
            {
                "address": _group(_range_of("str")),
                "port": _group(_range_of("int")),
                "ipv6": {"type": "bool"},
            }
        ),
    }
)

_DNS = _group(
    {
        "enable": {"type": "bool"},
        "forward_plain_names": {"type": "bool"},
        "forwarders": _list_of({"addr": {"type": "str"}, "domain": {"type": "str"}}),
        "hosts": _list_of(
            {
                "ip": {"type": "str", "required": True},
                "hostnames": {"type": "list", "elements": "str", "required": True},
            }
        ),
    }
)

_DHCP = _group(
    {
        "ranges": _list_of(_range_of("str")),
        "hosts": _list_of({"mac": {"type": "str"}, "id": {"type": "str"}, "name": {"type": "str"}, "ip": {"type": "str"}}),
    }
)

# What says something about the definition, so that a task with one of these may create the network.
DEFINITION_OPTIONS: dict[str, t.Any] = {
    "forward": _FORWARD,
    "bridge": _group({"name": {"type": "str"}, "stp": {"type": "bool"}, "delay": {"type": "int"}}),
    "mac": {"type": "str"},
    "mtu": {"type": "int"},
    "domain": _group({"name": {"type": "str", "required": True}, "local_only": {"type": "bool"}}),
    "dns": _DNS,
    "ips": _list_of(
        {
            "address": {"type": "str"},
            "pool": {"type": "list", "elements": "str"},
            "prefix": {"type": "int"},
            "netmask": {"type": "str"},
            "dhcp": _DHCP,
        }
    ),
    "routes": _list_of(
        {
            "address": {"type": "str", "required": True},
            "prefix": {"type": "int"},
            "netmask": {"type": "str"},
            "gateway": {"type": "str", "required": True},
            "metric": {"type": "int"},
        }
    ),
}

NETWORK_OPTIONS: dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["active", "present", "inactive", "absent"], "default": "active"},
    "autostart": {"type": "bool"},
    "definition": {"type": "str", "choices": ["merge", "replace"]},
    "xml": {"type": "str"},
    "uuid": {"type": "str"},
    **DEFINITION_OPTIONS,
    "purge_hosts": {"type": "bool", "default": False},
    "allow_overlap": {"type": "list", "elements": "str", "default": []},
    "force": {"type": "bool", "default": False},
    "lock_timeout": {"type": "int", "default": 60},
}

NETWORKS_OPTIONS: dict[str, t.Any] = {
    "networks": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {name: option for name, option in NETWORK_OPTIONS.items() if name != "lock_timeout"},
    },
    "prune": {"type": "bool", "default": False},
    "protected": {"type": "list", "elements": "str", "default": ["default"]},
    "force": {"type": "bool", "default": False},
    "lock_timeout": NETWORK_OPTIONS["lock_timeout"],
}
