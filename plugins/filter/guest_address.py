# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter guest_address."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible.errors import AnsibleFilterError

from ansible_collections.kvmops.network.plugins.module_utils._errors import NetworkError
from ansible_collections.kvmops.network.plugins.module_utils._guest import addresses, names

DOCUMENTATION = r"""
name: guest_address
short_description: Get a guest's address from its name
version_added: 0.1.0
author:
  - The kvmops.network authors (@kvmops)
description:
  - Returns the address that a guest has in a subnet because of its name. It is known before the guest exists.
  - In the subnet's order that is the address 2 + I(n) modulo the number of addresses that guests can have, where I(n) are the
    first 8 hexadecimal digits of the name's SHA-256. In a subnet with the prefix 24 guests can have 253, from C(.2) to C(.254).
  - If that address is taken, the next free one upward is returned, and after the last one the search goes on with the first.
    A name that O(taken) has already keeps its address.
  - Fails with a sentence if no address is free, and if a name or an address cannot be.
options:
  _input:
    description:
      - The guest's name. Letters, digits, C(-) and C(.), a letter first, at most 63 characters.
    type: str
    required: true
  subnet:
    description:
      - The IPv4 subnet, with a prefix from 16 to 30.
    type: str
    required: true
  taken:
    description:
      - The addresses that are reserved already, each with the name of the guest that it is reserved for.
      - When omitted, none is.
    type: dict
  gateway:
    description:
      - The host's address in the subnet, which no guest gets.
      - When omitted, it is the subnet's first address.
    type: str
  ranges:
    description:
      - The ranges that DHCP hands out to anybody, as in O(kvmops.network.libvirt_network#module:ips[].dhcp.ranges). A guest
        gets no address of them, unless it has it already.
      - When omitted, there are none.
    type: list
    elements: dict
positional: subnet
seealso:
  - ref: ansible_collections.kvmops.network.docsite.guests_from_names_guide
    description: How a guest's name leads to its address, its network and its bridge.
  - plugin: kvmops.network.guest_mac
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show the address of a guest, 192.168.100.229
  ansible.builtin.debug:
    msg: "{{ 'wso-3332a2' | kvmops.network.guest_address('192.168.100.0/24') }}"

- name: Show the address of one that comes second, 192.168.100.23
  ansible.builtin.debug:
    msg: "{{ 'wso-test' | kvmops.network.guest_address('192.168.100.0/24', taken={'192.168.100.22': 'test-vm'}) }}"
"""

RETURN = r"""
_value:
  description: The address.
  type: str
  sample: 192.168.100.229
"""


def guest_address(name: object, subnet: str, taken: object = None, gateway: str | None = None, ranges: object = None) -> str:
    """Return the address of the guest of this name."""
    reserved = {} if taken is None else taken
    handed_out = [] if ranges is None else ranges
    if not isinstance(reserved, Mapping):
        raise AnsibleFilterError(f"taken: {taken!r} is no dictionary; give addresses with the guests' names.")
    if not isinstance(handed_out, list) or not all(isinstance(entry, Mapping) for entry in handed_out):
        raise AnsibleFilterError(f"ranges: {ranges!r} is no list of ranges with start and end.")
    try:
        return addresses.choose_address(names.check_guest_name(name), subnet, reserved, gateway=gateway, ranges=handed_out)
    except NetworkError as error:
        raise AnsibleFilterError(str(error)) from None


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters of this file by name."""
        return {"guest_address": guest_address}
