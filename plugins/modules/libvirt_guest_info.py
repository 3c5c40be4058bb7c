#!/usr/bin/python
# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: libvirt_guest_info
short_description: Read what KVM/libvirt guests are and where they are
version_added: 0.1.0
author:
  - The kvmops.network authors (@kvmops)
description:
  - Returns the guests of a host, each with its state, its size, what it boots from, its disk, and the address, network and bridge
    of its NIC. Guests that M(kvmops.network.libvirt_guest) did not make are shown too.
extends_documentation_fragment:
  - kvmops.network._libvirt
  - kvmops.network._attributes
  - kvmops.network._attributes.info_module
  - kvmops.network._attributes.libvirt
options:
  names:
    description:
      - The names of the guests to return, for example V([wso-3332a2]). All guests when this is omitted.
    type: list
    elements: str
  alias:
    description:
      - The name of the NIC whose address is returned. Where a guest has no NIC of that name, it is its first one.
    type: str
    default: lan
attributes:
  platform:
    platforms: linux
    support: full
seealso:
  - module: kvmops.network.libvirt_guest
  - module: kvmops.network.libvirt_domain_nic_info
"""

EXAMPLES = r"""
- name: Learn where the guests are
  kvmops.network.libvirt_guest_info:
  register: found

- name: Show the address of each guest
  ansible.builtin.debug:
    msg: "{{ item.name }} is {{ item.state }} and has {{ item.ip_address }}"
  loop: "{{ found.guests }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
missing:
  description: Those of O(names) that do not exist.
  returned: success
  type: list
  elements: str
  sample: []
guests:
  description: The guests, in the order of their names.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The guest's name.
      type: str
      returned: always
      sample: wso-3332a2
    state:
      description: V(running) or V(stopped).
      type: str
      returned: always
      sample: running
    autostart:
      description: Whether it starts when the host boots.
      type: bool
      returned: always
      sample: false
    vcpus:
      description: The number of its processors, as it is stored.
      type: int
      returned: always
      sample: 2
    memory:
      description: Its memory in MiB, as it is stored.
      type: int
      returned: always
      sample: 2048
    os_variant:
      description: The operating system that it was made for, V(null) where the module did not make it.
      type: str
      returned: always
      sample: debian12
    iso:
      description: The file in its CD-ROM drive, V(null) where there is none.
      type: str
      returned: always
      sample: /srv/iso/debian-12.iso
    kernel:
      description: The kernel that it boots, V(null) where it boots from a drive.
      type: str
      returned: always
      sample: /srv/boot/vmlinuz
    initrd:
      description: The initial RAM disk of that kernel, V(null) where there is none.
      type: str
      returned: always
      sample: /srv/boot/initrd.img
    cmdline:
      description: The words for that kernel, V(null) where there are none.
      type: str
      returned: always
      sample: console=ttyS0
    disk:
      description: The disk that the module made for it, V(null) where there is none.
      type: dict
      returned: always
      contains:
        path:
          description: Its file.
          type: str
          returned: always
          sample: /var/lib/libvirt/images/wso-3332a2.qcow2
        format:
          description: The format of the file.
          type: str
          returned: always
          sample: qcow2
        bus:
          description: What the guest sees it on.
          type: str
          returned: always
          sample: virtio
    script:
      description: The script that configures its network from within, V(null) where there is none.
      type: str
      returned: always
      sample: /var/lib/kvmops-network/guests/wso-3332a2-netconfig.sh
    seed:
      description: The CD-ROM for cloud-init, V(null) where there is none.
      type: str
      returned: always
      sample: /var/lib/kvmops-network/guests/wso-3332a2-cidata.iso
    managed:
      description: Whether the module made it.
      type: bool
      returned: always
      sample: true
    pending_changes:
      description: The options in which the running guest differs from what is stored, until it is stopped and started.
      type: list
      elements: str
      returned: always
      sample: [memory]
    persistent:
      description: Whether it is stored, so that it is still there when it stops.
      type: bool
      returned: always
      sample: true
    ip_address:
      description: The IPv4 address that is reserved for it, V(null) where there is none.
      type: str
      returned: always
      sample: 192.168.100.229
    network_name:
      description: The network that its NIC is plugged into, V(null) where there is none.
      type: str
      returned: always
      sample: guests
    bridge_name:
      description: The bridge of that network, V(null) where there is none.
      type: str
      returned: always
      sample: virbr100
    mac:
      description: The NIC's MAC address, V(null) where there is no NIC.
      type: str
      returned: always
      sample: 52:54:00:6b:3c:58
"""

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._guest.reading import run_guest_reading


def main() -> t.NoReturn:
    """Return what guests there are."""
    run_guest_reading()


if __name__ == "__main__":
    main()
