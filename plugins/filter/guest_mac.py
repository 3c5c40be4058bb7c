# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter guest_mac."""

from __future__ import annotations

import re
import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.kvmops.network.plugins.module_utils._nic.mac import make_mac

DOCUMENTATION = r"""
name: guest_mac
short_description: Get the MAC address that a guest's NIC has when nobody gives one
version_added: 0.1.0
author:
  - The kvmops.network authors (@kvmops)
description:
  - Returns the address that M(kvmops.network.libvirt_domain_nic) makes for a NIC whose
    O(kvmops.network.libvirt_domain_nic#module:mac) is omitted. It depends on the host, the guest's name and the NIC alone, so
    that it is known before the guest exists.
  - Fails with a sentence if the guest's name, the machine-id or the NIC's name cannot be.
options:
  _input:
    description:
      - The guest's name, any that libvirt allows.
    type: str
    required: true
  machine_id:
    description:
      - The machine-id of the host that the guest runs on, as in C(/etc/machine-id). Gathered facts have it as
        C(ansible_facts.machine_id).
    type: str
    required: true
  alias:
    description:
      - The NIC's O(kvmops.network.libvirt_domain_nic#module:alias).
      - For a NIC without one, what it is plugged into, such as V(network default) or V(bridge br0).
    type: str
    required: true
positional: machine_id, alias
seealso:
  - ref: ansible_collections.kvmops.network.docsite.guests_from_names_guide
    description: How a guest's name leads to its address, its network and its bridge.
  - module: kvmops.network.libvirt_domain_nic
"""

EXAMPLES = r"""
- name: Show the address that a guest's NIC will have
  ansible.builtin.debug:
    msg: "{{ 'web' | kvmops.network.guest_mac(ansible_facts.machine_id, 'lan') }}"
"""

RETURN = r"""
_value:
  description: The MAC address.
  type: str
  sample: 52:54:00:14:25:51
"""


_MACHINE_ID = re.compile(r"[0-9a-f]{32}")


def guest_mac(name: object, machine_id: str, alias: str) -> str:
    """Return the MAC address that the guest's NIC has when nobody gives one."""
    identity = str(machine_id).strip()
    if not _MACHINE_ID.fullmatch(identity):
        raise AnsibleFilterError(
            f"'{identity}' is no machine-id; give the 32 hexadecimal digits that the host has in /etc/machine-id, which facts "
            "have as machine_id."
        )
    if not isinstance(alias, str) or not alias:
        raise AnsibleFilterError(f"{alias!r} is no name of a NIC; give its alias, or 'network NAME' for a NIC without one.")
    if not isinstance(name, str) or not name or "/" in name or "\n" in name:
        raise AnsibleFilterError(f"{name!r} is no name of a guest; give the one that libvirt knows it by.")
    return make_mac(machine_id=identity, domain=name, nic=alias)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters of this file by name."""
        return {"guest_mac": guest_mac}
