# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Who uses network filters: guests' NICs, and other filters. Nothing here touches a host."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._format import document

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import GuestRecord
    from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.model import Filter

__all__ = ["Use", "filters_within", "find_uses", "referring_to", "users_of"]


@dataclass(frozen=True)
class Use:
    """A NIC that a filter looks at. `running` says that it does so now; else it will when the guest is started."""

    filter: str
    guest: str
    mac: str
    device: str | None
    running: bool

    def __str__(self) -> str:
        return f"{self.guest} ({self.mac})"


def find_uses(records: Iterable[GuestRecord]) -> list[Use]:
    """Return the NICs that have a filter, those that run first."""
    uses = []
    for record in records:
        running = list(_read(record.name, record.live_xml, running=True)) if record.live_xml is not None else []
        stored = list(_read(record.name, record.stored_xml, running=False)) if record.stored_xml is not None else []
        known = {(use.filter, use.mac) for use in running}
        uses += running + [use for use in stored if (use.filter, use.mac) not in known]
    return sorted(uses, key=lambda use: (not use.running, use.guest, use.mac, use.filter))


def _read(guest: str, xml: str, *, running: bool) -> Iterator[Use]:
    for nic in document.parse_document(xml, root="domain").iterfind("devices/interface"):
        reference, mac, target = nic.find("filterref"), nic.find("mac"), nic.find("target")
        if reference is not None:
            yield Use(
                filter=reference.get("filter", ""),
                guest=guest,
                mac=mac.get("address", "") if mac is not None else "",
                device=target.get("dev") if target is not None and running else None,
                running=running,
            )


def referring_to(name: str, filters: Mapping[str, Filter]) -> list[str]:
    """Return the filters that name this one."""
    return sorted(other for other, each in filters.items() if any(reference.filter == name for reference in each.references))


def filters_within(definition: Filter, filters: Mapping[str, Filter]) -> set[str]:
    """Return the names of the filters that a filter is made of, however deep."""
    found: set[str] = set()
    waiting = [reference.filter for reference in definition.references]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [reference.filter for reference in filters[name].references] if name in filters else []
    return found


def users_of(name: str, filters: Mapping[str, Filter], uses: Iterable[Use]) -> list[Use]:
    """Return the NICs that a filter looks at, by itself or as a part of another one."""
    above = {other for other, each in filters.items() if name in filters_within(each, filters)}
    return [use for use in uses if use.filter == name or use.filter in above]
