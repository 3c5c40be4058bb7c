# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.


"""What of a running network can become as wanted without a start: the updates that libvirt has for it, and what has to wait.

Source: virNetworkDefUpdateSection, networkUpdate and networkSetMetadata in libvirt.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.kvmops.network.plugins.module_utils._format import document, tree
from ansible_collections.kvmops.network.plugins.module_utils._format.since import version_number
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import mode_of, normalise, owns_bridge
from ansible_collections.kvmops.network.plugins.module_utils._network.dhcp_hosts import home_of, key_of, places_in, plan_live
from ansible_collections.kvmops.network.plugins.module_utils._network.elements import DHCP_HOSTS, DNS_HOSTS, NETWORK
from ansible_collections.kvmops.network.plugins.module_utils._network.mark import RESERVATIONS

try:
    from lxml import etree
except ImportError:
    pass  # said by document.LXML_IMPORT_ERROR, and checked before anything here is called

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from ansible_collections.kvmops.network.plugins.module_utils._network.dhcp_hosts import LiveChange, LiveSteps

    Definition = dict[str, t.Any]
    Section = t.Literal[
        "dhcp host",
        "dhcp range",
        "dns host",
        "dns srv",
        "dns txt",
        "forward interface",
        "portgroup",
        "title",
        "description",
        "metadata",
    ]
    Verb = t.Literal["add", "delete", "modify"]

__all__ = ["NEWEST", "LivePlan", "Update", "differences", "plan_updates", "update_of"]

NEWEST = "999.0.0"
# The modes in which a guest has a device for itself. With an update libvirt forgets which of them are taken.
_POOLS = ("passthrough", "hostdev")
# The modes in which guests reach the outside, by rules that libvirt makes.
_THROUGH_THE_FIREWALL = ("nat", "route")
# The sections with whose change libvirt makes those rules anew.
_IN_THE_FIREWALL = ("dhcp host", "dhcp range", "forward interface")
_SHARES_NAMES = (9, 0, 0)  # from this version on several DNS records may have one name
_HAS_METADATA = (9, 7, 0)  # from this version on a network's words can be changed while it runs


@dataclass(frozen=True)
class Update:
    """One entry of a running network that comes, goes or changes, as a document; a title and a description as the text.

    `address` is the network's own address in the subnet, "" for what belongs to none. `is_costly` says that libvirt makes the
    network's firewall rules anew for it, so that guests lose some tenths of a second of their connection to the outside: where
    there are such rules, and an outside.
    """

    section: Section
    verb: Verb
    xml: str
    label: str
    address: str = ""
    is_costly: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return f"{self.verb} {self.section} {self.label}".rstrip()


@dataclass(frozen=True)
class LivePlan:
    """The updates in their order, and the definition that the network runs with after them, in normal form."""

    updates: tuple[Update, ...]
    after: Definition


def plan_updates(live: Definition, target: Definition, *, kept: Collection[str] = (), version: str = NEWEST) -> LivePlan:
    """Return what can be done, in an order in which no two entries ever collide.

    Both definitions are in normal form; `version` is the daemon's. `kept` are keys of reservations and DNS records, and
    namespaces of metadata, that stay although the target has none.
    """
    after = tree.copied(live)
    updates: list[Update] = []
    if mode_of(live) in _POOLS:
        return LivePlan((), live)
    for plan in (_plan_interfaces, _plan_dns_hosts, _plan_txt, _plan_srv, _plan_dhcp, _plan_portgroups, _plan_words):
        updates += plan(after, target, kept, version)
    if mode_of(live) in _THROUGH_THE_FIREWALL:
        updates = [replace(update, is_costly=update.section in _IN_THE_FIREWALL) for update in updates]
    return LivePlan(tuple(updates), normalise(after))


def _render(field: tree.Entries, entry: t.Any) -> str:
    element = etree.Element(field.path)
    if isinstance(field.item, tree.Value):
        raise TypeError(f"{field.option} has no fields")
    return document.pretty_text(tree.render(field.item, entry, element))


def _field(*path: str) -> tree.Entries:
    """Return the description of a list, by the options that lead there."""
    fields = NETWORK
    for option in path[:-1]:
        group = next(field for field in fields if field.option == option)
        inner = group.item if isinstance(group, tree.Entries) else getattr(group, "fields", ())
        fields = inner if isinstance(inner, tuple) else ()
    found = next(field for field in fields if field.option == path[-1])
    if not isinstance(found, tree.Entries):
        raise TypeError(f"{'.'.join(path)} is no list")
    return found


_INTERFACES = _field("forward", "interfaces")
_TXT = _field("dns", "txt")
_SRV = _field("dns", "srv")
_RANGES = _field("ips", "dhcp", "ranges")
_PORTGROUPS = _field("portgroups")


def _set(holder: Definition, option: str, entries: list[t.Any]) -> None:
    if entries:
        holder[option] = entries
    else:
        holder.pop(option, None)


# --- interfaces that a network forwards to ------------------------------------------------------------------------------------


def _devices(definition: Definition) -> list[str]:
    forward = definition.get("forward", {})
    return [forward["dev"]] if "dev" in forward else [entry["dev"] for entry in forward.get("interfaces", [])]


def _plan_interfaces(after: Definition, target: Definition, _kept: Collection[str], _version: str) -> Iterator[Update]:
    """New ones first, so that there is always one; with NAT and routing libvirt takes one alone, and the old one goes first."""
    before, wanted = _devices(after), _devices(target)
    if mode_of(after) != mode_of(target) or before == wanted or (not owns_bridge(after) and not (before and wanted)):
        return
    updates: list[tuple[Verb, str]] = [("add", name) for name in wanted if name not in before]
    updates += [("delete", name) for name in before if name not in wanted]
    for verb, name in sorted(updates, reverse=owns_bridge(after)):
        yield Update("forward interface", verb, _render(_INTERFACES, {"dev": name}), name)
    forward = after["forward"]
    forward.pop("dev", None)
    _set(forward, "interfaces", [{"dev": name} for name in wanted])


# --- DNS ----------------------------------------------------------------------------------------------------------------------


def _plan_dns_hosts(after: Definition, target: Definition, kept: Collection[str], version: str) -> Iterator[Update]:
    """libvirt before 10.6 modifies none, before 9.0 none has a name that another one has, and an address finds one record."""
    before, wanted = after.get("dns", {}).get("hosts", []), list(target.get("dns", {}).get("hosts", []))
    wanted += [host for host in before if host not in wanted and host["ip"] in kept and _is_free(host, wanted)]
    if any(len({host["ip"] for host in hosts}) < len(hosts) for hosts in (before, wanted)):
        return
    gone = [host for host in before if host not in wanted]
    new = [host for host in wanted if host not in before]
    if version_number(version) < _SHARES_NAMES and (_share_names(new, wanted) or _share_names(gone, before)):
        return
    for host in gone:
        yield Update("dns host", "delete", _render(DNS_HOSTS, {"ip": host["ip"]}), host["ip"])
    for host in new:
        yield Update("dns host", "add", _render(DNS_HOSTS, host), host["ip"])
    if before or wanted:
        _set(after.setdefault("dns", {}), "hosts", wanted)


def _share_names(hosts: list[dict[str, t.Any]], others: list[dict[str, t.Any]]) -> bool:
    return any(not _is_free(host, [other for other in others if other is not host]) for host in hosts)


def _is_free(host: dict[str, t.Any], others: list[dict[str, t.Any]]) -> bool:
    return not any(host["ip"] == other["ip"] or set(host["hostnames"]) & set(other["hostnames"]) for other in others)


def _plan_txt(after: Definition, target: Definition, _kept: Collection[str], _version: str) -> Iterator[Update]:
    """libvirt finds a record by its name alone."""
    before, wanted = after.get("dns", {}).get("txt", []), target.get("dns", {}).get("txt", [])
    if any(len({entry["name"] for entry in entries}) < len(entries) for entries in (before, wanted)):
        return
    yield from _exchange("dns txt", _TXT, before, wanted, lambda entry: entry["name"])
    if before or wanted:
        _set(after.setdefault("dns", {}), "txt", wanted)


def _plan_srv(after: Definition, target: Definition, _kept: Collection[str], _version: str) -> Iterator[Update]:
    """libvirt takes what an entry does not say for whatever another one says."""
    before, wanted = after.get("dns", {}).get("srv", []), target.get("dns", {}).get("srv", [])
    if _is_ambiguous(before, wanted) or _is_ambiguous(wanted, before):
        return
    yield from _exchange("dns srv", _SRV, before, wanted, lambda entry: f"_{entry['service']}._{entry['protocol']}")
    if before or wanted:
        _set(after.setdefault("dns", {}), "srv", wanted)


def _is_ambiguous(entries: list[dict[str, t.Any]], others: list[dict[str, t.Any]]) -> bool:
    """Say whether libvirt may take an entry that the others lack for another one, or another one for it."""
    return any(
        one is not entry and (_covers(one, entry) or _covers(entry, one))
        for one in entries
        if one not in others or entries.count(one) > 1
        for entry in entries
    )


def _covers(one: dict[str, t.Any], other: dict[str, t.Any]) -> bool:
    """Say whether libvirt may take one entry for the other: it compares no numbers."""
    return all(other.get(option) == one[option] for option in ("service", "protocol", "domain", "target") if option in one)


def _exchange(
    section: Section, field: tree.Entries, before: list[t.Any], wanted: list[t.Any], label: t.Callable[[t.Any], str]
) -> Iterator[Update]:
    for entry in before:
        if entry not in wanted:
            yield Update(section, "delete", _render(field, entry), label(entry))
    for entry in wanted:
        if entry not in before:
            yield Update(section, "add", _render(field, entry), label(entry))


# --- DHCP ---------------------------------------------------------------------------------------------------------------------


def _pairs(after: Definition, target: Definition) -> Iterator[tuple[Definition, Definition]]:
    """Yield the entries of `ips` that both have, as they run and as they are wanted."""
    wanted = {entry["address"]: entry for entry in target.get("ips", [])}
    for entry in after.get("ips", []):
        if entry["address"] in wanted:
            yield entry, wanted[entry["address"]]


def _plan_dhcp(after: Definition, target: Definition, kept: Collection[str], _version: str) -> Iterator[Update]:
    """What goes before what comes: libvirt lets one IPv4 subnet alone have DHCP, ranges or reservations, and takes none twice."""
    hosts = _plan_dhcp_hosts(after, target, kept)
    if hosts is None:
        return
    steps, places = hosts
    then = tree.copied(after)
    gone, new = [], []
    for entry, other in _pairs(then, target):
        before, wanted = entry.get("dhcp", {}).get("ranges", []), other.get("dhcp", {}).get("ranges", [])
        gone += [_range_update("delete", entry, each) for each in before if each not in wanted]
        new += [_range_update("add", entry, each) for each in wanted if each not in before]
        if before or wanted:
            _set(entry.setdefault("dhcp", {}), "ranges", wanted)
    for entry in then.get("ips", []):
        there = [host for address, host in places if address == entry["address"]]
        if there or entry.get("dhcp", {}).get("hosts"):
            _set(entry.setdefault("dhcp", {}), "hosts", there)
    if sum(":" not in entry["address"] and "dhcp" in entry for entry in normalise(then).get("ips", [])) > 1:
        return
    yield from map(update_of, steps.first)
    yield from gone
    yield from new
    yield from map(update_of, steps.then)
    after.update(then)


def _range_update(verb: Verb, entry: Definition, each: dict[str, t.Any]) -> Update:
    label = f"{each['start']} to {each['end']}"
    return Update("dhcp range", verb, _render(_RANGES, each), label, address=entry["address"])


def _plan_dhcp_hosts(
    after: Definition, target: Definition, kept: Collection[str]
) -> tuple[LiveSteps, list[tuple[str, dict[str, t.Any]]]] | None:
    """Return the changes of reservations, and those that are there afterwards with their subnets; None where it cannot be."""
    before, wanted = list(places_in(after)), list(places_in(target))
    homes = {entry["address"] for entry in after.get("ips", [])}
    if any("ip" not in host for _address, host in before + wanted):
        return None
    if any(address not in homes or (home_of(after, host["ip"]) or {}).get("address") != address for address, host in wanted):
        return None
    stay = [(key_of(host), host["ip"]) for _address, host in wanted]
    gone = [
        (key_of(host), host["ip"])
        for _address, host in before
        if (key_of(host), host["ip"]) not in stay and key_of(host) not in kept
    ]
    steps = plan_live(after, gone, [place[1] for place in wanted if place not in before])
    if steps.clashes or steps.homeless:
        return None
    return steps, wanted + [place for place in before if _stays(place[1], wanted, kept)]


def update_of(change: LiveChange) -> Update:
    """Return the update that changes a reservation."""
    label = f"{change.host['ip']} for {key_of(change.host)}"
    return Update("dhcp host", change.verb, _render(DHCP_HOSTS, change.host), label, address=change.address)


def _stays(host: dict[str, t.Any], wanted: list[tuple[str, dict[str, t.Any]]], kept: Collection[str]) -> bool:
    return key_of(host) in kept and not any(key_of(other) == key_of(host) for _address, other in wanted)


# --- port groups --------------------------------------------------------------------------------------------------------------


def _plan_portgroups(after: Definition, target: Definition, _kept: Collection[str], _version: str) -> Iterator[Update]:
    """One alone can be the default: whoever was, is no more before another one is."""
    before = {group["name"]: group for group in after.get("portgroups", [])}
    wanted = {group["name"]: group for group in target.get("portgroups", [])}
    changed = [group for name, group in wanted.items() if name in before and before[name] != group]
    updates: list[tuple[Verb, dict[str, t.Any]]] = [("delete", group) for name, group in before.items() if name not in wanted]
    updates += [("modify", group) for group in sorted(changed, key=lambda group: bool(group.get("default")))]
    updates += [("add", group) for name, group in wanted.items() if name not in before]
    for verb, group in updates:
        yield Update("portgroup", verb, _render(_PORTGROUPS, group), group["name"])
    _set(after, "portgroups", list(wanted.values()))


# --- what only people and programs read ---------------------------------------------------------------------------------------


def _plan_words(after: Definition, target: Definition, kept: Collection[str], version: str) -> Iterator[Update]:
    """Title, description and metadata. What NICs have reserved is left out: it is recorded in the stored definition."""
    if version_number(version) < _HAS_METADATA:
        return
    sections: tuple[Section, ...] = ("title", "description")
    for section in sections:
        before, wanted = after.get(section, ""), target.get(section, "")
        if before != wanted:
            yield Update(section, _verb(before, wanted), wanted, "")
            after.pop(section, None)
            after.update({section: wanted} if wanted else {})
    olds, news = ({document.namespace_of(text): text for text in each.get("metadata", [])} for each in (after, target))
    for namespace in sorted({*olds, *news} - {RESERVATIONS} - (set(kept) - set(news))):
        old, new = olds.get(namespace, ""), news.get(namespace, "")
        if old == new or (new and document.split_namespace(new) is None):
            continue
        yield Update("metadata", _verb(old, new), new, namespace)
        olds.pop(namespace, None)
        olds.update({namespace: new} if new else {})
    _set(after, "metadata", sorted(olds.values()))


def _verb(before: str, after: str) -> Verb:
    if before and after:
        return "modify"
    return "add" if after else "delete"


# --- what differs -------------------------------------------------------------------------------------------------------------


def differences(one: t.Any, other: t.Any, where: str = "") -> list[str]:
    """Return what two definitions in normal form differ in, by the names of options, such as "bridge.stp"."""
    if one == other:
        return []
    if not isinstance(one, dict) or not isinstance(other, dict):
        return [where]
    found: list[str] = []
    for option in sorted({*one, *other}):
        label = f"{where}.{option}" if where else option
        before, after = one.get(option), other.get(option)
        if option == "ips":
            found += _subnet_differences(before or [], after or [])
        elif isinstance(before, dict) and isinstance(after, dict):
            found += differences(before, after, label)
        elif before != after:
            found.append(label)
    return found


def _subnet_differences(before: list[Definition], after: list[Definition]) -> Iterator[str]:
    olds, news = ({entry["address"]: entry for entry in entries} for entries in (before, after))
    for address in sorted({*olds, *news}):
        label = f"ips {address}"
        if address in olds and address in news:
            yield from differences(olds[address], news[address], label)
        else:
            yield label
