# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter guest_bridge_name."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._guest import names

DOCUMENTATION = r"""
name: guest_bridge_name
short_description: Get the name of the bridge of a guest's own network from the guest's name
version_added: 0.1.0
author:
  - The kvmops.network authors (@kvmops)
description:
  - Returns C(virbr) and the guest's id, for guests that have a network each. It has never more than the 15 characters that
    the kernel allows for the name of an interface.
  - Of an id that is longer than 10 characters the first 8 are taken. Two such guests can come to the same bridge, so look that
    their names differ early.
  - An id that is a number of up to three digits gets a C(-) before it, since C(virbr0), C(virbr1) and so on are the names that
    libvirt gives to bridges by itself.
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
  - plugin: kvmops.network.guest_network_name
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show the bridge of a guest's own network, virbr3332a2
  ansible.builtin.debug:
    msg: "{{ 'wso-3332a2' | kvmops.network.guest_bridge_name }}"

- name: Show that of a guest whose id is cut, virbrdatabase
  ansible.builtin.debug:
    msg: "{{ 'wso-database-of-the-shop' | kvmops.network.guest_bridge_name }}"
"""

RETURN = r"""
_value:
  description: The bridge's name.
  type: str
  sample: virbr3332a2
"""


def guest_bridge_name(name: object) -> str:
    """Return the name of the bridge of the network that is the guest's own."""
    try:
        return names.bridge_name(names.guest_id(names.check_guest_name(name)))
    except InputError as error:
        raise AnsibleFilterError(str(error)) from None


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters of this file by name."""
        return {"guest_bridge_name": guest_bridge_name}
