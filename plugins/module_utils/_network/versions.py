# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What of a network's definition the libvirt of a host is too old for. Nothing here touches a host.

Which version was the first to know something is in elements.py. libvirt drops what it does not know, or says that a document does
not fit its schema.
"""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._format.since import needs_of, too_new, version_number
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import mode_of
from ansible_collections.kvmops.network.plugins.module_utils._network.elements import NETWORK

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.kvmops.network.plugins.module_utils._format.since import Need

    Definition = dict[str, t.Any]
    Refusal = tuple[str, str, str]  # what is refused, what to do, and the last version that is known to refuse it

__all__ = ["find_too_new"]


def find_too_new(definition: Definition, version: str, known: Definition | None = None) -> list[str]:
    """Return what needs a later libvirt than that of the host, a sentence each; both definitions are in normal form.

    What is in the `known` definition already is left out: libvirt keeps it.
    """
    had = set(_needs(known)) if known is not None else set()
    older = set(_refused_by_old(known)) if known is not None else set()
    return too_new((need for need in _needs(definition) if need not in had), version) + [
        f"{sentence}, which the libvirt {version} of this host refuses; {advice}."
        for sentence, advice, last in _refused_by_old(definition)
        if version_number(version)[:2] <= version_number(last) and (sentence, advice, last) not in older
    ]


def _needs(definition: Definition) -> Iterator[Need]:
    yield from needs_of(NETWORK, definition)
    if mode_of(definition) == "open" and "ips" not in definition:
        yield "forward.mode 'open' without an address in ips", "", "10.8.0"
    if mode_of(definition) == "bridge" and "virtualport" not in definition:
        # Source: networkValidate in libvirt
        for scope, holder in [
            ("", definition),
            *((f"portgroups '{one.get('name')}', ", one) for one in definition.get("portgroups", [])),
        ]:
            if "vlan" in holder and "virtualport" not in holder:
                yield f"{scope}vlan on a bridge of the host", str(holder["vlan"]), "11.0.0"


def _refused_by_old(definition: Definition) -> Iterator[Refusal]:
    """List what the old versions that this was tried on refuse: 7.0 and 9.0 each, or 7.0 alone. 11.3 takes it."""
    pairs: list[tuple[str, dict[str, str]]] = [
        ("forward.nat.address", definition.get("forward", {}).get("nat", {}).get("address", {}))
    ]
    for entry in definition.get("ips", []):
        dhcp = entry.get("dhcp", {})
        pairs += [(f"ips {entry['address']}, dhcp.ranges", pair) for pair in dhcp.get("ranges", [])]
        for name in (host.get("name", "a") for host in dhcp.get("hosts", [])):
            if name[0].isdigit():
                yield f"dhcp.hosts: '{name}' begins with a digit", "choose a name that begins with a letter", "7.0"
    for option, pair in pairs:
        if not {"start", "end"} <= set(pair) or ":" in pair["start"] or _half(pair["start"]) == _half(pair["end"]):
            continue
        what = f"{option}: {pair['start']} to {pair['end']} differ in more than their last two numbers"
        yield what, "make it smaller" if option.startswith("forward") else "make it two ranges", "9.0"


def _half(address: str) -> list[str]:
    return address.split(".")[:2]
