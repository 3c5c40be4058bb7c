# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""How libvirt changes a running network in place, as libvirt 7.0, 9.0 and 11.3 were seen to do it, and networks to try that on.

What one of the three refuses is refused here, "modify" before 10.6 too. Version 7.0 takes no DNS name twice, as `OLDEST` says.
Source: virNetworkDefUpdateSection in libvirt, and what virNetworkUpdate did on hosts.
"""

from __future__ import annotations

import typing as t

from lxml import etree

from ansible_collections.kvmops.network.plugins.module_utils._format.tree import copied
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import (
    definition_from_xml,
    normalise,
    owns_bridge,
)
from ansible_collections.kvmops.network.plugins.module_utils._network.dhcp_hosts import LiveChange
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nic.dhcp_model import UpdateError
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nic.dhcp_model import update as update_reservations

if t.TYPE_CHECKING:
    from random import Random

    from ansible_collections.kvmops.network.plugins.module_utils._network.live import Update

    Definition = dict[str, t.Any]
    Entry = dict[str, t.Any]

__all__ = ["BASE", "NEWEST", "OLDEST", "UpdateError", "draw_network", "draw_stranger", "perform", "update"]

OLDEST, NEWEST = "7.0.0", "11.3.0"

# What each section's document is, and how it reads as a part of a network.
_ELEMENTS = {
    "dhcp host": ("host", "<ip address='{address}'><dhcp>{xml}</dhcp></ip>"),
    "dhcp range": ("range", "<ip address='{address}'><dhcp>{xml}</dhcp></ip>"),
    "dns host": ("host", "<dns>{xml}</dns>"),
    "dns srv": ("srv", "<dns>{xml}</dns>"),
    "dns txt": ("txt", "<dns>{xml}</dns>"),
    "forward interface": ("interface", "<forward mode='vepa'>{xml}</forward>"),
    "portgroup": ("portgroup", "{xml}"),
}


def perform(definition: Definition, updates: t.Iterable[Update], version: str = OLDEST) -> Definition:
    """Return the running network after some updates, in normal form. Raises UpdateError where libvirt would not do one."""
    for one in updates:
        definition = update(definition, one, version)
    return definition


def update(definition: Definition, change: Update, version: str = OLDEST) -> Definition:
    """Return the running network after an update, in normal form. Raises UpdateError where libvirt would not do it."""
    tag, place = _ELEMENTS[change.section]
    if etree.fromstring(change.xml).tag != tag:
        raise UpdateError(f"expecting root element of '{tag}': {change.xml}")
    body = place.format(address=change.address, xml=change.xml)
    parsed = definition_from_xml(f"<network><name>update</name>{body}</network>")
    after = copied(definition)
    if change.section == "forward interface":
        _interface(after, change, parsed["forward"]["dev"])
    elif change.section == "portgroup":
        _portgroup(after.setdefault("portgroups", []), change, parsed["portgroups"][0])
    elif change.section == "dhcp host":
        after = update_reservations(after, LiveChange(change.verb, change.address, parsed["ips"][0]["dhcp"]["hosts"][0]))
    elif change.section == "dhcp range":
        [home] = [ip for ip in after["ips"] if ip["address"] == change.address]
        _range(home.setdefault("dhcp", {}).setdefault("ranges", []), change, parsed["ips"][0]["dhcp"]["ranges"][0])
    else:
        option = {"dns host": "hosts", "dns srv": "srv", "dns txt": "txt"}[change.section]
        entries, new = after.setdefault("dns", {}).setdefault(option, []), parsed["dns"][option][0]
        if option == "hosts":
            _dns_host(entries, change, new, by_name=change.verb == "delete" or version == OLDEST)
        else:
            {"srv": _srv, "txt": _txt}[option](entries, change, new)
    _check_dhcp(after)
    return normalise(after)


def _interface(definition: Definition, change: Update, name: str) -> None:
    forward = definition["forward"]
    names = [forward.pop("dev")] if "dev" in forward else [entry["dev"] for entry in forward.pop("interfaces", [])]
    _change(names, change, name, [index for index, other in enumerate(names) if other == name])
    if owns_bridge(definition) and len(names) > 1:
        raise UpdateError("multiple forwarding interfaces specified, only one is supported")
    forward["interfaces"] = [{"dev": each} for each in names]


def _portgroup(groups: list[Entry], change: Update, new: Entry) -> None:
    if change.verb != "delete" and new.get("default"):
        others = [group for group in groups if group.get("default") and group["name"] != new["name"]]
        if others:
            raise UpdateError("a different portgroup entry is already set as the default")
    _change(groups, change, new, [index for index, group in enumerate(groups) if group["name"] == new["name"]], modify=True)


def _range(ranges: list[Entry], change: Update, new: Entry) -> None:
    same = [index for index, old in enumerate(ranges) if (old["start"], old["end"]) == (new["start"], new["end"])]
    _change(ranges, change, new, same)


def _dns_host(hosts: list[Entry], change: Update, new: Entry, *, by_name: bool) -> None:
    names = set(new.get("hostnames", [])) if by_name else set()
    same = [index for index, old in enumerate(hosts) if old["ip"] == new["ip"] or names & set(old["hostnames"])]
    _change(hosts, change, new, same, alone=True)


def _txt(records: list[Entry], change: Update, new: Entry) -> None:
    _change(records, change, new, [index for index, old in enumerate(records) if old["name"] == new["name"]])


def _srv(records: list[Entry], change: Update, new: Entry) -> None:
    # what is not said matches anything, and numbers are never compared
    said = [option for option in ("service", "protocol", "domain", "target") if option in new]
    same = [index for index, old in enumerate(records) if all(old.get(option) == new[option] for option in said)]
    _change(records, change, new, same, alone=True)


def _change(
    entries: list[t.Any], change: Update, new: t.Any, same: list[int], *, modify: bool = False, alone: bool = False
) -> None:
    if change.verb == "add":
        if same:
            raise UpdateError(f"{change}: there is already one that matches")
        entries.append(new)
        return
    if not same:
        raise UpdateError(f"{change}: couldn't locate a matching one")
    if alone and len(same) > 1:
        raise UpdateError(f"{change}: there are several that match")
    if change.verb == "delete":
        del entries[same[0]]
    elif modify:
        entries[same[0]] = new
    else:
        raise UpdateError(f"{change}: cannot be modified, only added or deleted")


def _check_dhcp(definition: Definition) -> None:
    serving = [
        entry for entry in definition.get("ips", []) if entry.get("dhcp", {}).get("ranges") or entry.get("dhcp", {}).get("hosts")
    ]
    if sum(":" not in entry["address"] for entry in serving) > 1:
        raise UpdateError("dhcp is supported only for a single IPv4 address on each network")


# --- networks -----------------------------------------------------------------------------------------------------------------

BASE: Definition = {
    "name": "lab",
    "forward": {"mode": "nat", "dev": "eth0"},
    "bridge": {"name": "virbr9"},
    "ips": [
        {"address": "10.9.1.1", "prefix": 24},
        {"address": "10.9.2.1", "prefix": 24},
        {"address": "fd09::1", "prefix": 64},
    ],
}

_NAMES = ("web", "db", "mail", "cache")
_LEASES: tuple[Entry, ...] = ({}, {}, {}, {"lease": {"expiry": 2, "unit": "hours"}}, {"lease": {"expiry": 10, "unit": "minutes"}})
_RANGES = ((10, 20), (10, 21), (30, 40), (50, 60))


def draw_network(random: Random, *, simple: bool = False) -> Definition:
    """Return a definition, in normal form. Two of them differ in what libvirt may change in place, and in nothing else.

    With `simple`, there is nothing that libvirt may take for something else.
    """
    definition = copied(BASE)
    definition["forward"]["dev"] = random.choice(["eth0", "eth0", "eth1"])
    definition["dns"] = {
        "hosts": _draw_dns_hosts(random, simple=simple),
        "txt": _draw_texts(random, simple=simple),
        "srv": _draw_srv(random, simple=simple),
    }
    serving = [random.choice(definition["ips"][:2]), definition["ips"][2]]
    for entry in _some(random, serving):
        prefix = entry["address"][:-1]
        entry["dhcp"] = {
            "ranges": [
                {"start": f"{prefix}{start}", "end": f"{prefix}{end}", **random.choice(_LEASES)}
                for start, end in _some(random, random.choice([_RANGES[1:], (_RANGES[0], *_RANGES[2:])]))
            ],
            "hosts": _draw_reservations(random, prefix),
        }
    default = random.choice(["a", "b", "c", ""])
    definition["portgroups"] = [
        {"name": name, "default": name == default, **random.choice([{}, {"trust_guest_rx_filters": True}, _bandwidth(random)])}
        for name in _some(random, "abc")
    ]
    return normalise(definition)


def draw_stranger(random: Random, definition: Definition) -> Definition:
    """Return a definition that differs in other things as well, for which a network has to be started anew."""
    changed = copied(definition)
    kind = random.choice(["mtu", "mode", "ips", "dns", "dev"])
    if kind == "mtu":
        changed["mtu"] = 1400
    elif kind == "mode":
        changed["forward"] = random.choice([{"mode": "route"}, {"mode": "none"}])
    elif kind == "ips":
        changed["ips"].pop(random.choice([0, 1, 2]))
    elif kind == "dns":
        changed.setdefault("dns", {})["forward_plain_names"] = False
    else:
        changed["forward"].pop("dev")
    return normalise(changed)


def _some(random: Random, choices: t.Sequence[t.Any]) -> list[t.Any]:
    return [each for each in choices if random.choice([True, False])]


def _draw_dns_hosts(random: Random, *, simple: bool) -> list[Entry]:
    names = list(_NAMES)
    if not simple and random.choice([False, False, True]):
        names += ["web", "db"]  # in two families, say
    random.shuffle(names)
    addresses = ["10.9.1.5", "10.9.1.6", "fd09::5", "198.51.100.7"]
    hosts = [{"ip": ip, "hostnames": [names.pop() for _time in range(random.choice([1, 1, 2])) if names]} for ip in addresses]
    return [{**host, "hostnames": list(dict.fromkeys(host["hostnames"]))} for host in _some(random, hosts) if host["hostnames"]]


def _draw_texts(random: Random, *, simple: bool) -> list[Entry]:
    texts = [(name, random.choice(["", "it's <2>", "v=spf1 -all"])) for name in _some(random, "abc" if simple else "abcc")]
    return [{"name": name, "value": value} for name, value in dict.fromkeys(texts)]


def _draw_srv(random: Random, *, simple: bool) -> list[Entry]:
    records: list[Entry] = []
    for service in _some(random, ("ldap", "sip") if simple else ("ldap", "sip", "sip")):
        entry: Entry = {"service": service, "protocol": random.choice(["tcp", "udp"])}
        if random.choice([True, False, False]):
            entry["domain"] = "example.org"
        if random.choice([True, True, False]):
            entry.update(target=random.choice(["web", "db"]), port=random.choice([389, 5060]))
            entry.update(_some_options(random, priority=random.choice([0, 10]), weight=5))
        records.append(entry)
    return records


def _some_options(random: Random, **options: t.Any) -> Entry:
    return {name: value for name, value in options.items() if random.choice([True, False])}


def _draw_reservations(random: Random, prefix: str) -> list[Entry]:
    v6 = ":" in prefix
    keys = [f"00:03:00:01:52:54:00:00:00:0{number}" if v6 else f"52:54:00:00:00:0{number}" for number in (1, 2, 3)]
    ends, names = [70, 71, 72, 73], list(_NAMES)
    random.shuffle(ends)
    random.shuffle(names)
    hosts = []
    for key in _some(random, keys):
        host: Entry = {"id" if v6 else "mac": key, "ip": f"{prefix}{ends.pop()}", **random.choice(_LEASES)}
        host.update(_some_options(random, name=names.pop()))
        hosts.append(host)
    return hosts


def _bandwidth(random: Random) -> Entry:
    return {"bandwidth": {"inbound": {"average": random.choice([100, 200])}}}
