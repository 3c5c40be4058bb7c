# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter guest_network_name."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._guest import names

DOCUMENTATION = r"""
name: guest_network_name
short_description: Get the name of a guest's own network from the guest's name
version_added: 0.1.0
author:
  - The kvmops.network authors (@kvmops)
description:
  - Returns C(wso-net-) and the guest's id, for guests that have a network each.
  - Fails with a sentence if the name is none that libvirt, DNS and the guest itself can bear.
options:
  _input:
    description:
      - The guest's name. Letters, digits, C(-) and C(.), a letter first, at most 63 characters.
    type: str
    required: true
seealso:
  - ref: ansible_collections.kvmops.network.docsite.guests_from_names_guide
    description: How a guest's name leads to its address, its network and its bridge.
  - plugin: kvmops.network.guest_id
    plugin_type: filter
  - plugin: kvmops.network.guest_bridge_name
    plugin_type: filter
"""

EXAMPLES = r"""
- name: A network for one guest, wso-net-3332a2
  kvmops.network.libvirt_network:
    name: "{{ guest | kvmops.network.guest_network_name }}"
    forward:
      mode: nat
    bridge:
      name: "{{ guest | kvmops.network.guest_bridge_name }}"
    ips:
      - "{{ '192.168.100.0/24' | kvmops.network.subnet_ip }}"
  vars:
    guest: wso-3332a2
"""

RETURN = r"""
_value:
  description: The network's name.
  type: str
  sample: wso-net-3332a2
"""


def guest_network_name(name: object) -> str:
    """Return the name of the network that is the guest's own."""
    try:
        return names.network_name(names.guest_id(names.check_guest_name(name)))
    except InputError as error:
        raise AnsibleFilterError(str(error)) from None


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters of this file by name."""
        return {"guest_network_name": guest_network_name}
