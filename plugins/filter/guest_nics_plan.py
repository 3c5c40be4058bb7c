# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter guest_nics_plan."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._presets.entries import Links, expand
from ansible_collections.kvmops.network.plugins.module_utils._presets.settings import read_presets

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    Options = dict[str, t.Any]

DOCUMENTATION = r"""
name: guest_nics_plan
short_description: Turn NICs in one word into what modules and roles are told
version_added: 0.1.0
author:
  - The kvmops.network authors (@kvmops)
description:
  - Returns what the role P(kvmops.network.guest_nics#role) makes for the NICs that it is given, in the words of
    P(kvmops.network.lab_networks#role), M(kvmops.network.libvirt_nwfilter) and M(kvmops.network.libvirt_domain_nics).
  - Entries whose C(type) is not V(shared), V(host), V(bridge), V(nat) or V(disconnected) are returned as they are.
  - The filter fails with a sentence for each mistake.
options:
  _input:
    description:
      - The NICs, as in O(kvmops.network.guest_nics#role:main:guest_nics_nics).
    type: list
    elements: dict
    required: true
  presets:
    description:
      - What is changed of the types' networks, as in O(kvmops.network.guest_nics#role:main:guest_nics_presets).
    type: dict
    default: {}
  facts:
    description:
      - Facts of the host about its interfaces, from which the type V(bridge) knows what its C(bridge) is.
    type: dict
    default: {}
seealso:
  - module: kvmops.network.libvirt_domain_nics
  - plugin: kvmops.network.guest_nics
    plugin_type: role
"""

EXAMPLES = r"""
- name: Show what a NIC on the shared network is in libvirt's words
  ansible.builtin.debug:
    msg: "{{ (nics | kvmops.network.guest_nics_plan).nics }}"
  vars:
    nics:
      - domain: web
        type: shared
"""

RETURN = r"""
_value:
  description: What to tell the modules and roles.
  type: dict
  contains:
    networks:
      description: The networks that are needed, for O(kvmops.network.lab_networks#role:main:lab_networks_networks).
      type: list
      elements: dict
      returned: always
      sample:
        - name: shared
          kind: nat
          bridge: virbr-shared
          address: 192.168.64.1
          prefix: 24
          dhcp: {start: 192.168.64.2, end: 192.168.64.254, lease: {expiry: 86400, unit: seconds}}
    filters:
      description: The options of M(kvmops.network.libvirt_nwfilter), one entry for each filter, in the order to make them.
      type: list
      elements: dict
      returned: always
      sample: [{name: kvmops-web-shared-6e4d9f, rules: [block in to port 22], filters: [{filter: clean-traffic}]}]
    nics:
      description: The options of M(kvmops.network.libvirt_domain_nics), one entry for each NIC.
      type: list
      elements: dict
      returned: always
      sample: [{domain: web, source: {network: shared}, filterref: {filter: kvmops-web-shared-6e4d9f}}]
"""


def guest_nics_plan(
    nics: list[Options], presets: Mapping[str, Options | None] | None = None, facts: Mapping[str, t.Any] | None = None
) -> dict[str, list[Options]]:
    """Return networks, filters and NICs. Fails with a sentence for each mistake."""
    try:
        known = read_presets(presets or {})
    except InputError as error:
        raise AnsibleFilterError(str(error)) from None
    links, problems, expansions = _links(facts or {}), [], []
    for number, entry in enumerate(nics):
        try:
            expansions.append(expand(dict(entry), known, links))
        except InputError as error:
            problems.append(f"nics[{number}]: {error}")
    filters: dict[str, Options] = {}
    for each in (each for expansion in expansions for each in expansion.filters):
        if filters.setdefault(each["name"], each) != each:
            problems.append(
                "filter_rules: two NICs of one guest are told apart by neither alias nor mac, and have different rules; give "
                f"each an alias (the filter would be '{each['name']}')."
            )
    if problems:
        raise AnsibleFilterError(" ".join(dict.fromkeys(problems)))
    needed = dict.fromkeys(expansion.network_of for expansion in expansions if expansion.network_of)
    return {
        "networks": [known[name].as_lab_network for name in needed],
        "filters": list(filters.values()),
        "nics": [expansion.nic for expansion in expansions],
    }


def _links(facts: Mapping[str, t.Any]) -> Links:
    """Return the interfaces that facts tell of. Their keys have other characters than the names, and may have a prefix."""
    plain = {key[len("ansible_") :] if key.startswith("ansible_") else key: value for key, value in facts.items()}
    kinds = {
        value["device"]: value.get("type", "")
        for key, value in plain.items()
        if isinstance(value, dict) and "device" in value and not key.startswith("default_")
    }
    return Links(kinds, (plain.get("default_ipv4") or {}).get("interface", ""))


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters of this file by name."""
        return {"guest_nics_plan": guest_nics_plan}
