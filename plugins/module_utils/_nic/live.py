# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What of a running NIC differs from what is wanted, and what of that libvirt can change while the guest runs.

Nothing here touches a host. Source of the table: qemuDomainChangeNet in libvirt 7.0, 9.0 and 11.3, and what these did on hosts.
"""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._format import tree
from ansible_collections.kvmops.network.plugins.module_utils._format.since import version_number
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import bridge_of, mode_of, owns_bridge
from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import carry_generated, place_of, type_of, without_no
from ansible_collections.kvmops.network.plugins.module_utils._nic.elements import MADE_TYPES
from ansible_collections.kvmops.network.plugins.module_utils._nic.options import NO_OPTIONS

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    Definition = dict[str, t.Any]
    Networks = Mapping[str, Definition]

__all__ = ["changed_live", "find_differences", "inherited_from", "stored_differences"]

# What a running NIC is not compared by: what libvirt does not change of it, what tasks cannot say, and what no field describes.
_UNCOMPARED = {"alias", "type", "source", tree.REST, *(option for option in NO_OPTIONS if "." not in option)}

# The type, and the mode of a network, of devices of the host that guests are handed.
_TAKEN = "hostdev"

# What libvirt changes while the guest runs, with the first version that was seen to do it; "place" is where it is plugged in.
_LIVE = {
    "link": "7.0",
    "place": "7.0",
    "bandwidth": "7.0",
    "filterref": "7.0",
    "coalesce": "7.0",
    "port": "7.0",
    "vlan": "11.0",
    "virtualport": "11.3",
    "trust_guest_rx_filters": "11.3",
}

# What a NIC has from its network and port group where it says nothing itself.
_INHERITED = ("bandwidth", "vlan", "virtualport", "port")


def find_differences(live: Definition, wanted: Definition, inherited: Definition) -> set[str]:
    """Return the names of what differs between a running NIC and the wanted one, both in normal form.

    They are the names of options; "place" is what the NIC is plugged into, "portgroup" and "mode" are said apart from it.
    `inherited` is what the network adds to the wanted NIC, see `inherited_from`.
    """
    expected = carry_generated(_with_inherited(wanted, inherited), live)
    if "port" not in inherited:
        live, expected = without_no(live), without_no(expected)
    found = {
        option
        for option in live.keys() | expected.keys()
        if option not in _UNCOMPARED and live.get(option) != expected.get(option)
    }
    if type_of(live) == _TAKEN == inherited.get("type"):
        return found - {"driver"}  # libvirt shows the device that it took from the network, and not the network
    if (type_of(live), place_of(live)) != (type_of(wanted), place_of(wanted)):
        found.add("place")
    if type_of(live) == type_of(wanted):
        rest = ("portgroup", "mode", *(("dev",) if type_of(live) == "user" else ()))
        sources = live.get("source", {}), wanted.get("source", {})
        found |= {option for option in rest if sources[0].get(option) != sources[1].get(option)}
    return found


def stored_differences(before: Definition, after: Definition) -> list[str]:
    """Return the names of what differs between two definitions that are stored, in order."""
    found = {option for option in before.keys() | after.keys() if before.get(option) != after.get(option)}
    return sorted("other elements" if option == tree.REST else option for option in found)


def _with_inherited(wanted: Definition, inherited: Definition) -> Definition:
    expected = {**inherited, **wanted}
    if "virtualport" in inherited and "virtualport" in wanted:
        port, own = inherited["virtualport"], wanted["virtualport"]
        expected["virtualport"] = {**port, **own, "parameters": {**port.get("parameters", {}), **own.get("parameters", {})}}
    return expected


def inherited_from(wanted: Definition, networks: Networks) -> Definition:
    """Return what a running NIC has from its network and port group, and libvirt shows as if it were the NIC's own.

    `networks` are the definitions of the running networks, by name. Source: networkAllocatePort in libvirt.
    """
    network = networks.get(place_of(wanted) or "") if type_of(wanted) == "network" else None
    if network is None:
        return {}
    name = wanted["source"].get("portgroup")
    groups = network.get("portgroups", [])
    group: Definition = next((each for each in groups if (each["name"] == name if name else each.get("default"))), {})
    found: Definition = {"type": _TAKEN} if mode_of(network) == _TAKEN else {}
    for option, holders in {
        "bandwidth": (group,),
        "vlan": (group, network),
        "virtualport": (group, network),
        "port": (network,),
    }.items():
        value = next((holder[option] for holder in holders if option in holder), None)
        if value is not None:
            found[option] = value
    return found


def changed_live(differences: set[str], live: Definition, wanted: Definition, networks: Networks, version: str) -> set[str]:
    """Return those of the differences that libvirt changes while the guest runs."""
    if type_of(live) not in MADE_TYPES:
        return set()
    known = version_number(version)
    found = {option for option in differences if option in _LIVE and known >= version_number(_LIVE[option])}
    ends = _end_of(live, networks), _end_of(wanted, networks)
    if ends != ("bridge", "bridge"):
        found.discard("place")
    elif "portgroup" in differences and known < (10, 6):
        found.add("portgroup")
    elif "portgroup" in differences:
        # refused since then, and so is another network together with it
        found.discard("place")
    if known < (9, 0) and "bandwidth" in differences and "bandwidth" not in {**inherited_from(wanted, networks), **wanted}:
        found -= {"bandwidth", "place", "portgroup"}  # libvirt 7.0 crashes when all of it goes
    if "virtualport" in differences - found:
        found -= {"place", "portgroup"}  # another kind of switch
    if "place" in differences - found:
        return found & {"link"}  # the rest is meant for where the NIC will be
    if "bridge" not in ends:
        # a port of a bridge is what these belong to
        found -= {"port", "vlan", "virtualport"}
    # what the network or its port group gives comes and goes with it alone
    if "portgroup" in differences - found:
        found -= {option for option in _INHERITED if option not in wanted}
    elif found & {"place", "portgroup"}:
        had = carry_generated(inherited_from(live, networks), live)
        found |= {each for each in differences.intersection(_INHERITED) if each not in wanted and live.get(each) == had.get(each)}
    return found


def _end_of(definition: Definition, networks: Networks) -> str:
    """Return what the host's end of a NIC is: a port of a "bridge", or something else."""
    kind = type_of(definition)
    if kind != "network":
        return kind
    network = networks.get(place_of(definition) or "")
    if network is None:
        return "nothing"
    if owns_bridge(network) or (mode_of(network) == "bridge" and bridge_of(network) is not None):
        return "bridge"
    return "else"
