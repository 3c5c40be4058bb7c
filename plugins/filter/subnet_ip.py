# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter subnet_ip."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: subnet_ip
short_description: Share out an IPv4 subnet between the host and its guests
version_added: 0.1.0
author:
  - The kvmops.network authors (@kvmops)
description:
  - Returns an entry of the option O(kvmops.network.libvirt_network#module:ips) in which the host has the subnet's first
    address, and DHCP hands out all others.
options:
  _input:
    description:
      - The subnet, with the length of its prefix, at most 30.
    type: str
    required: true
seealso:
  - module: kvmops.network.libvirt_network
"""

EXAMPLES = r"""
- name: A NAT network on a subnet
  kvmops.network.libvirt_network:
    name: builders
    forward:
      mode: nat
    ips:
      - "{{ '192.168.123.0/24' | kvmops.network.subnet_ip }}"
"""

RETURN = r"""
_value:
  description: The entry, with the keys C(address), C(prefix) and C(dhcp).
  type: dict
  sample:
    address: 192.168.123.1
    prefix: 24
    dhcp:
      ranges:
        - start: 192.168.123.2
          end: 192.168.123.254
"""


def subnet_ip(subnet: str) -> dict[str, t.Any]:
    """Return the entry of `ips` for a subnet."""
    try:
        network = ipaddress.IPv4Network(subnet)
    except ValueError as error:
        raise AnsibleFilterError(f"'{subnet}' is not an IPv4 subnet ({error}); write it like 192.168.123.0/24.") from None
    if network.prefixlen > 30:
        raise AnsibleFilterError(f"'{subnet}' has no room for a host and a guest; use a prefix of 30 or less.")
    return {
        "address": str(network[1]),
        "prefix": network.prefixlen,
        "dhcp": {"ranges": [{"start": str(network[2]), "end": str(network[-2])}]},
    }


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters of this file by name."""
        return {"subnet_ip": subnet_ip}
