# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""From a NIC in one word, such as `type: shared`, to what modules are told. Nothing here touches a host."""

from __future__ import annotations

import hashlib
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._presets.settings import TYPES

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.kvmops.network.plugins.module_utils._presets.settings import Preset

    Options = dict[str, t.Any]

__all__ = ["OWN_PREFIX", "Expansion", "Links", "expand", "is_preset"]

# The names of filters that are made here begin with it, and with nothing else's.
OWN_PREFIX = "kvmops-"
_ONLY_HERE = ("bridge", "local", "filter", "filter_rules")
_CARRIERS = ("ether", "bridge", "bonding", "team")
_AUTO = "auto"
_OFF = ("off", False)


@dataclass(frozen=True)
class Links:
    """The host's interfaces: their kinds by name, and the one of the default route, "" for none."""

    kinds: dict[str, str]
    uplink: str


@dataclass(frozen=True)
class Expansion:
    """What a NIC needs: its own options, filters in the order in which they are made, and the type whose network it is on."""

    nic: Options
    filters: tuple[Options, ...] = ()
    network_of: str = ""


def is_preset(entry: Mapping[str, t.Any]) -> bool:
    """Say whether an entry's type is one of ours; with a source, "bridge" is libvirt's own."""
    kind = entry.get("type")
    return kind in TYPES and not (kind == "bridge" and "source" in entry)


def expand(entry: Options, presets: Mapping[str, Preset], links: Links) -> Expansion:
    """Return what an entry means. Raises InputError for what cannot be."""
    if not is_preset(entry):
        for option in _ONLY_HERE:
            if option in entry:
                raise InputError(
                    f"{option}: is for the types {', '.join(TYPES)} (without source); give one of them as type, or say it in the "
                    "words of libvirt_domain_nic (source, port, filterref)."
                )
        return Expansion(entry)
    if "source" in entry:
        raise InputError(f"source: the type '{entry['type']}' says where the NIC is plugged in; leave source or type out.")
    nic = {key: value for key, value in entry.items() if key not in (*_ONLY_HERE, "type", "mac", "vlan")}
    if entry.get("mac", _AUTO) != _AUTO:
        nic["mac"] = entry["mac"]
    if entry["type"] == "bridge":
        return _on_bridge(entry, nic, links)
    if entry.get("vlan") not in (None, 0):
        raise InputError(f"vlan: is for the type bridge, and the type is '{entry['type']}'; leave it out.")
    if "bridge" in entry:
        raise InputError(f"bridge: is for the type bridge, and the type is '{entry['type']}'; leave it out.")
    if entry["type"] == "disconnected":
        if "link" in entry:
            raise InputError("link: the type disconnected says that the cable is out; leave link or type out.")
        nic["link"] = "down"
    name = "shared" if entry["type"] == "disconnected" else entry["type"]
    return _on_network(entry, nic, name, presets[name])


def _is_gone(entry: Options) -> bool:
    return bool(entry.get("state", "present") == "absent")


def _on_network(entry: Options, nic: Options, name: str, preset: Preset) -> Expansion:
    if _is_gone(entry):
        # what names the NIC is enough, and its network may be gone as well
        named = "alias" in nic or "mac" in nic
        return Expansion(nic if named else {**nic, "source": {"network": preset.network}})
    nic["source"] = {"network": preset.network}
    base = _choose_filter(entry, preset.filter)
    filters: list[Options] = []
    if not entry.get("local", True):
        nic["port"] = {**nic.get("port", {}), "isolated": True}
        base_name = f"{OWN_PREFIX}{preset.network}-not-local{'' if base == preset.filter else '-' + (base or 'alone')}"
        filters.append(
            {
                "name": base_name,
                "rules": ["block arp", "block local"],
                "local": {"subnets": [str(preset.interface.network)], "gateways": [str(preset.interface.ip)]},
                "filters": [{"filter": base}] if base else [],
            }
        )
    if entry.get("filter_rules") is not None:
        inner = filters[0]["name"] if filters else base
        filters.append(
            {
                "name": _own_name(entry),
                "rules": entry["filter_rules"],
                "filters": [{"filter": inner}] if inner else [],
                **({"local": _local(preset)} if _names_local(entry["filter_rules"]) else {}),
            }
        )
    outermost = filters[-1]["name"] if filters else base
    if outermost and "filterref" not in entry:
        nic["filterref"] = {"filter": outermost, **_parameters(entry, base)}
    return Expansion(nic, tuple(filters), name)


def _local(preset: Preset) -> Options:
    return {"subnets": [str(preset.interface.network)], "gateways": [str(preset.interface.ip)]}


def _names_local(rules: list[str]) -> bool:
    return any({"local", "guests", "arp"} & set(str(rule).lower().split()) for rule in rules)


def _parameters(entry: Options, base: str) -> Options:
    """Return what the stock filter has to know of the guest's address; libvirt learns it where nothing is said.

    It is not told to learn from DHCP (CTRL_IP_LEARNING): with that, libvirtd 11.3 passed over the lease of a guest that was moved
    while it ran, and crashed when such a NIC was updated.
    """
    fixed = (entry.get("reservation") or {}).get("ipv4")
    return {"parameters": [{"name": "IP", "value": fixed}]} if base and fixed else {}


def _on_bridge(entry: Options, nic: Options, links: Links) -> Expansion:
    name = entry.get("bridge", _AUTO)
    if name == _AUTO:
        name = links.uplink
    kind = links.kinds.get(name, "bridge")
    if _is_gone(entry) and ("alias" in nic or "mac" in nic):
        return Expansion(nic)
    if not name:
        raise InputError("bridge: auto looks for the interface of the default route, and this host has none; name one.")
    if kind not in _CARRIERS:
        raise InputError(
            f"bridge: '{name}' is of the kind '{kind}', which carries no guests; name a bridge, or a NIC for a macvtap."
        )
    if _is_gone(entry):
        return Expansion({**nic, "source": {"bridge" if kind == "bridge" else "dev": name}})
    if entry.get("vlan") not in (None, 0):
        vlan = entry["vlan"]
        nic["vlan"] = vlan if isinstance(vlan, dict) else {"tags": [{"id": vlan}]}
    if not entry.get("local", True):
        raise InputError(
            "local: a bridge does not know which addresses are the guests' and the host's; say in filter_rules what to block."
        )
    base = _choose_filter(entry, "")
    if kind != "bridge":
        given = [option for option in ("filter", "filter_rules", "filterref") if entry.get(option) not in (None, *_OFF)]
        if given:
            raise InputError(
                f"{given[0]}: '{name}' is a NIC, guests get a macvtap on it, and libvirt cannot filter that; leave it out, or "
                "make a bridge with the role kvmops.network.external_bridge."
            )
        return Expansion({**nic, "source": {"dev": name, "mode": "bridge"}})
    nic["source"] = {"bridge": name}
    if entry.get("filter_rules") is None:
        return Expansion({**nic, "filterref": {"filter": base}} if base else nic)
    if _names_local(entry["filter_rules"]):
        raise InputError(
            "filter_rules: a bridge does not know what is local; name the subnets in the rules, or use libvirt_nwfilter with its "
            "option local, and its filter's name in filter."
        )
    own = {"name": _own_name(entry), "rules": entry["filter_rules"], "filters": [{"filter": base}] if base else []}
    return Expansion({**nic, "filterref": {"filter": own["name"]}}, (own,))


def _choose_filter(entry: Options, stock: str) -> str:
    """Return the filter that a NIC has beside its own rules, "" for none."""
    if "filterref" in entry:
        for option in ("filter", "filter_rules"):
            if option in entry:
                raise InputError(f"filterref: not possible beside {option}, which makes one; leave one of them out.")
        if not entry.get("local", True):
            raise InputError("filterref: not possible beside local: false, which makes one; leave one of them out.")
        return ""
    chosen = entry.get("filter")
    if chosen is None:
        return stock
    if chosen is True:
        raise InputError("filter: 'true' is no filter; give its name, or off.")
    if chosen not in _OFF:
        return str(chosen)
    for option, given in (("filter_rules", entry.get("filter_rules") is not None), ("local", not entry.get("local", True))):
        if given:
            raise InputError(f"filter: off means none at all, and {option} needs one; leave one of them out.")
    return ""


def _own_name(entry: Options) -> str:
    """Return the name of the filter for one NIC; any text can be a guest's name, and not a filter's."""
    guest, nic = str(entry.get("domain", "")), str(entry.get("alias") or entry.get("mac") or entry["type"])
    readable = re.sub(r"[^A-Za-z0-9_.-]", "_", f"{guest}-{nic}")[:40]
    return f"{OWN_PREFIX}{readable}-{hashlib.sha256(f'{guest}/{nic}'.encode()).hexdigest()[:6]}"
