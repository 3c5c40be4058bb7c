#!/usr/bin/python
# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: macvtap_iface_info
short_description: Read the macvtap and macvlan interfaces of a KVM host
version_added: 0.1.0
author:
  - The kvmops.network authors (@kvmops)
description:
  - Returns all macvtap and macvlan interfaces of the host, also those that libvirt or somebody else made, with what makes them at
    boot and who uses them.
options:
  name:
    description:
      - The one interface to return. When omitted, all.
    type: str
extends_documentation_fragment:
  - kvmops.network._attributes
  - kvmops.network._attributes.info_module
attributes:
  platform:
    platforms: linux
    support: full
seealso:
  - module: kvmops.network.macvtap_iface
"""

EXAMPLES = r"""
- name: Read the interfaces
  kvmops.network.macvtap_iface_info:
  register: found

- name: Show who is on which NIC
  ansible.builtin.debug:
    msg: "{{ item.name }} on {{ item.parent }} ({{ item.mode }}): {{ item.used_by | join(', ') or 'nobody' }}"
  loop: "{{ found.interfaces }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
interfaces:
  description: The interfaces, by name.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: Its name.
      type: str
      returned: always
      sample: web0
    kind:
      description: V(macvtap) or V(macvlan).
      type: str
      returned: always
      sample: macvtap
    parent:
      description: What it stands on.
      type: str
      returned: always
      sample: eth1
    mode:
      description: Its mode, in the kernel's words.
      type: str
      returned: always
      sample: bridge
    flags:
      description: Its flags.
      type: list
      elements: str
      returned: always
      sample: []
    mac:
      description: Its MAC address.
      type: str
      returned: always
      sample: 52:54:00:7a:00:01
    source_macs:
      description: From which MAC addresses frames come in, with mode source.
      type: list
      elements: str
      returned: always
      sample: []
    mtu:
      description: Its MTU.
      type: int
      returned: always
      sample: 1500
    queues:
      description: How many queues it has to send with.
      type: int
      returned: always
      sample: 1
    bcqueuelen:
      description: How many broadcasts it was asked to let wait, V(null) where the host's iproute2 does not show it.
      type: int
      returned: always
      sample: 1000
    effective_bcqueuelen:
      description: How many may wait on its parent, V(null) where that is not shown, or not known before it is made.
      type: int
      returned: always
      sample: 1000
    link:
      description: V(up) or V(down).
      type: str
      returned: always
      sample: up
    addresses:
      description: The host's addresses on it.
      type: list
      elements: str
      returned: always
      sample: []
    routes:
      description: The routes over it, apart from the kernel's own.
      type: list
      elements: dict
      returned: always
      sample: []
      contains:
        destination:
          description: Where it leads.
          type: str
          returned: always
          sample: 192.0.2.128/25
        gateway:
          description: The router, V(null) without one.
          type: str
          returned: always
          sample: 192.0.2.1
        metric:
          description: The metric.
          type: int
          returned: always
          sample: 0
    ifindex:
      description: The kernel's number of it, V(null) before it is made.
      type: int
      returned: always
      sample: 7
    tap_device:
      description: The device node of a macvtap, V(null) before it is made.
      type: str
      returned: always
      sample: /dev/tap7
    tap_owner:
      description: The number of the user that the device node belongs to.
      type: int
      returned: always
      sample: 0
    tap_group:
      description: The number of its group.
      type: int
      returned: always
      sample: 0
    tap_mode:
      description: Its permissions.
      type: str
      returned: always
      sample: "0600"
    xml:
      description: The NIC of a guest that uses a macvtap, to be pasted into its definition; V(null) for a macvlan.
      type: str
      returned: always
      sample: |
        <interface type='ethernet'>
          <mac address="52:54:00:7a:00:01"/>
          <target dev="web0" managed='no'/>
          <model type='virtio'/>
        </interface>
    backend:
      description: What makes it at boot, V(none) for one that M(kvmops.network.macvtap_iface) does not keep.
      type: str
      returned: always
      sample: unit
    used_by:
      description: The processes that have its device node open.
      type: list
      elements: str
      returned: always
      sample: ["the guest web (process 4711)"]
"""

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._macvtap.reading import run_interface_reading


def main() -> t.NoReturn:
    """Return the macvtap and macvlan interfaces of a host."""
    run_interface_reading()


if __name__ == "__main__":
    main()
