# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Which of a guest's NICs a task is about. Nothing here touches a host."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import place_of, same_place, source_text, type_of

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import NicState

    Definition = dict[str, t.Any]

__all__ = ["find_nameless", "find_nic", "name_of"]


def name_of(given: Definition) -> str:
    """Return what a NIC without a MAC address is told from the guest's others by: its alias, else its source."""
    return given.get("alias") or source_text(given)


def find_nic(guest: str, nics: Sequence[NicState], given: Definition, *, made_mac: str) -> NicState | None:
    """Return the NIC, None if the guest has none such.

    By the MAC address if it is given, else by the alias, else by the source if one NIC alone has it. `made_mac` is the address
    that the NIC gets if nobody gave it one. Raises InputError if more than one NIC may be meant.
    """
    by_mac = [nic for nic in nics if given.get("mac") in nic.macs]
    by_alias = [nic for nic in nics if "alias" in given and nic.shown.alias == given["alias"]]
    if len(by_alias) > 1:
        raise InputError(f"alias: the guest '{guest}' has {len(by_alias)} NICs that are called '{given['alias']}'; give mac.")
    if by_mac and by_alias and all(nic is not by_alias[0] for nic in by_mac):
        raise InputError(
            f"mac: '{given['mac']}' and alias '{given['alias']}' are two NICs of the guest '{guest}' "
            f"({_list(by_mac + by_alias)}); name one of them."
        )
    if len(by_mac) > 1 and not by_alias:
        raise InputError(
            f"mac: the guest '{guest}' has {len(by_mac)} NICs with the address '{given['mac']}' ({_list(by_mac)}); give one "
            "of them another address with 'virsh edit'."
        )
    if by_mac or by_alias:
        return (by_alias or by_mac)[0]
    if "mac" in given:
        return None
    by_made = [nic for nic in nics if made_mac in nic.macs]
    if "alias" in given:
        # a NIC of that name whose alias was lost; one that has another name is another one
        return next((nic for nic in by_made if nic.shown.alias is None), None)
    if not type_of(given):
        raise InputError(
            f"source: missing; say by mac, alias or source which NIC of the guest '{guest}' is meant. It has {_list(nics)}."
        )
    stored = [nic for nic in nics if nic.stored is not None and same_place(nic.stored.definition, given)]
    live = [nic for nic in nics if nic.live is not None and same_place(nic.live.definition, given)]
    found = stored or live
    if len(found) > 1:
        raise InputError(
            f"source: the guest '{guest}' has {len(found)} NICs on {source_text(given)} ({_list(found)}); say by mac or alias "
            "which one is meant."
        )
    return found[0] if found else None


def find_nameless(guest: str, nics: Sequence[NicState], given: Definition) -> NicState | None:
    """Return the NIC that gets a name which no NIC has yet: the one without a name that is where the task wants it.

    So a task that names a NIC that is there already adds no second one. `nics` are those that no other part of the task is about.
    Raises InputError if there are several.
    """
    if "alias" not in given or "mac" in given or (place_of(given) is None and type_of(given) != "user"):
        return None
    found = [nic for nic in nics if nic.shown.alias is None and same_place(nic.shown.definition, given)]
    if len(found) > 1:
        raise InputError(
            f"alias: no NIC of the guest '{guest}' is called '{given['alias']}', and {len(found)} without a name are on "
            f"{source_text(given)} ({_list(found)}); give the mac of the one that is meant, or one for a new NIC."
        )
    return found[0] if found else None


def _list(nics: Sequence[NicState]) -> str:
    shown = [nic.shown for nic in nics]
    names = [f"{nic.mac} '{nic.alias}'" if nic.alias else nic.mac for nic in shown]
    return ", ".join(f"{name} on {source_text(nic.definition)}" for name, nic in zip(names, shown)) or "no NIC"
