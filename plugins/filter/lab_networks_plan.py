# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter lab_networks_plan."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import (
    definition_from_options,
    merge_definitions,
    subnets_of,
)
from ansible_collections.kvmops.network.plugins.module_utils._network.rules import find_oddities, find_problems
from ansible_collections.kvmops.network.plugins.module_utils._network.subnets import (
    Occupancy,
    Occupied,
    find_overlaps,
    read_allowed,
)

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    Network = dict[str, t.Any]

DOCUMENTATION = r"""
name: lab_networks_plan
short_description: Turn networks in plain words into what modules and roles are told
version_added: 0.1.0
author:
  - The kvmops.network authors (@kvmops)
description:
  - Returns how the role P(kvmops.network.lab_networks#role) makes or removes the networks that it is given, in the words of
    M(kvmops.network.libvirt_networks) and P(kvmops.network.host_firewall#role).
  - All networks are checked alone and against each other, so that a mistake in the last one is found before the first one is
    made. The filter fails with a sentence for each mistake.
options:
  _input:
    description:
      - The networks, as in O(kvmops.network.lab_networks#role:main:lab_networks_networks).
    type: list
    elements: dict
    required: true
seealso:
  - module: kvmops.network.libvirt_networks
  - plugin: kvmops.network.lab_networks
    plugin_type: role
"""

EXAMPLES = r"""
- name: Show how libvirt_networks is asked for an isolated network
  ansible.builtin.debug:
    msg: "{{ (networks | kvmops.network.lab_networks_plan).networks }}"
  vars:
    networks:
      - name: red_aislada_dev
        kind: isolated
        bridge: virbr102
        address: 192.168.102.1
"""

RETURN = r"""
_value:
  description: What to tell the module and the role.
  type: dict
  contains:
    networks:
      description:
        - The options of M(kvmops.network.libvirt_networks), one entry for each network. Networks to remove come first, since
          they may make room for others.
      type: list
      elements: dict
      returned: always
      sample:
        - name: red_aislada_dev
          state: active
          autostart: true
          definition: replace
          forward: {mode: none}
          bridge: {name: virbr102}
          ips: [{address: 192.168.102.1, prefix: 24}]
          purge_hosts: false
          allow_overlap: []
    bridges:
      description:
        - The networks' bridges for O(kvmops.network.host_firewall#role:main:host_firewall_bridges). Those to tell it after the
          networks are gone have V(absent) for a state.
      type: list
      elements: dict
      returned: always
      sample:
        - name: virbr102
          forward: false
          state: present
"""

_MODES = {"nat": "nat", "isolated": "none", "very_isolated": "none"}
_PREFIX = 24
_DEFINITION = ("name", "forward", "bridge", "ips")


def lab_networks_plan(networks: list[Network]) -> dict[str, list[Network]]:
    """Return what libvirt_networks and host_firewall are told, networks to remove first."""
    gone = [network for network in networks if network.get("state") == "absent"]
    there = [network for network in networks if network.get("state") != "absent"]
    problems = [*_repeated("name", gone + there), *_repeated("bridge", there)]
    for network in there:
        problems += [f"The network '{network['name']}': {problem}" for problem in _problems(network)]
    if not problems:
        problems += _overlaps(there)
    if problems:
        raise AnsibleFilterError(" ".join(problems))
    removed = [{"name": network["name"], "state": "absent", "force": network.get("force", False)} for network in gone]
    return {"networks": removed + [_options(network) for network in there], "bridges": _bridges(gone, there)}


def _bridges(gone: list[Network], there: list[Network]) -> list[Network]:
    """Return what the host's firewall is told: only where the host has an address do guests need anything of it."""
    kept = {network["bridge"] for network in there}
    served = [network for network in there if network.get("address")]
    left = dict.fromkeys(network["bridge"] for network in gone if network.get("bridge") and network["bridge"] not in kept)
    present = [{"name": network["bridge"], "forward": network["kind"] == "nat", "state": "present"} for network in served]
    return present + [{"name": bridge, "forward": False, "state": "absent"} for bridge in left]


def _options(network: Network) -> Network:
    return {
        "name": network["name"],
        "state": "active",
        "autostart": network.get("autostart", True),
        "definition": "replace",
        "forward": {"mode": _MODES[network["kind"]]},
        "bridge": {"name": network["bridge"]},
        "ips": [_ip(network)] if network.get("address") else [],
        "purge_hosts": network.get("purge_hosts", False),
        "allow_overlap": network.get("allow_overlap") or [],
    }


def _ip(network: Network) -> Network:
    prefix = network.get("prefix")
    entry = {"address": network["address"], "prefix": _PREFIX if prefix is None else prefix}
    return {**entry, "dhcp": {"ranges": [dict(network["dhcp"])]}} if network.get("dhcp") else entry


def _repeated(option: str, networks: list[Network]) -> Iterator[str]:
    values = [network.get(option) for network in networks]
    for value in dict.fromkeys(values):
        if value and values.count(value) > 1:
            yield f"{option}: '{value}' is there {values.count(value)} times; give each network a {option} of its own."


def _problems(network: Network) -> list[str]:
    """Return what is wrong with one network, first what the plain words alone tell."""
    plain = list(_plain_problems(network))
    if plain:
        return plain
    try:
        definition = _definition(network)
        # what the role has variables for is simple: what is odd there is a mistake
        return find_problems(definition) + find_oddities(definition)
    except InputError as error:
        return [str(error)]


def _plain_problems(network: Network) -> Iterator[str]:
    kind = network.get("kind")
    if kind not in _MODES:
        yield f"kind: {'missing' if kind is None else repr(kind) + ' is unknown'}; choose one of {', '.join(_MODES)}."
    if not network.get("bridge"):
        yield "bridge: missing; give the name of the bridge that libvirt shall make, such as virbr101."
    if kind == "very_isolated":
        for option in ("address", "prefix", "dhcp"):
            if network.get(option) is not None:
                yield f"{option}: cannot be given for the kind very_isolated, where the host is no part of it; use isolated."
    elif not network.get("address"):
        if kind == "nat":
            yield "address: missing; the kind nat needs the host's address, which is the guests' gateway."
        for option in ("prefix", "dhcp"):
            if network.get(option) is not None:
                yield f"{option}: means nothing without an address; add the host's address, or leave {option} out."


def _definition(network: Network) -> Network:
    options = _options(network)
    given = definition_from_options({option: options[option] for option in _DEFINITION})
    return merge_definitions(None, given, replace=True, purge_hosts=False)


def _overlaps(networks: list[Network]) -> Iterator[str]:
    """Say which of the networks cannot run together because of their subnets."""
    earlier: list[Occupied] = []
    for network in networks:
        name, subnets = network["name"], subnets_of(_definition(network))
        names, allowed = read_allowed(network.get("allow_overlap") or [])
        refused, _warned = find_overlaps(subnets, Occupancy(earlier), own=name, allowed_networks=names, allowed_subnets=allowed)
        yield from (f"The network '{name}': {sentence}" for sentence in refused)
        earlier += [Occupied(subnet, f"the network '{name}' ({subnet})", network=name) for subnet in subnets]


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters of this file by name."""
        return {"lab_networks_plan": lab_networks_plan}
