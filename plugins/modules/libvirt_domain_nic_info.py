#!/usr/bin/python
# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: libvirt_domain_nic_info
short_description: Read the NICs of KVM/libvirt guests
version_added: 0.1.0
author:
  - The kvmops.network authors (@kvmops)
description:
  - Returns the NICs of guests, with what they are plugged into, their addresses and who saw them, what is reserved for them, what
    went through them, and what of the stored definition still waits for the guest's next start.
options:
  domains:
    description:
      - The guests whose NICs to return. When omitted, all.
      - Names of which there is no guest are listed in RV(missing).
    type: list
    elements: str
extends_documentation_fragment:
  - kvmops.network._libvirt
  - kvmops.network._attributes
  - kvmops.network._attributes.libvirt
  - kvmops.network._attributes.info_module
attributes:
  platform:
    platforms: linux
    support: full
seealso:
  - module: kvmops.network.libvirt_domain_nic
"""

EXAMPLES = r"""
- name: Read the NICs of all guests
  kvmops.network.libvirt_domain_nic_info:
  register: found

- name: Show which addresses the guests have
  ansible.builtin.debug:
    msg: "{{ item.domain }}: {{ item.addresses | map(attribute='address') | join(', ') }}"
  loop: "{{ found.nics }}"
  loop_control:
    label: "{{ item.mac }}"

- name: Stop if a change still waits for a restart of a guest
  ansible.builtin.assert:
    that: found.nics | selectattr('pending') | length == 0
"""

RETURN = r"""
requirement:
  description:
    - What is missing on the host, for playbooks that want to go on without it. V(library), a Python library; V(daemon), libvirt's
      daemon does not answer; V(permission), the user may not manage libvirt; V(uri), O(uri) cannot be.
  returned: failure, if something is missing
  type: str
  sample: daemon
missing:
  description: The names in O(domains) of which there is no guest.
  returned: success
  type: list
  elements: str
  sample: []
nics:
  description: The NICs, ordered by guest, and within a guest as its definition has them.
  returned: success
  type: list
  elements: dict
  contains:
    domain:
      description: The guest.
      type: str
      returned: always
      sample: web
    mac:
      description: The MAC address; of a running guest, the one that it has now.
      type: str
      returned: always
      sample: 52:54:00:6b:3c:58
    alias:
      description: The name of the NIC, V(null) where it has none.
      type: str
      returned: always
      sample: lan
    type:
      description: The kind of thing that it is plugged into.
      type: str
      returned: always
      sample: network
    source:
      description: What it is plugged into, in the form of the option C(source).
      type: dict
      returned: always
      sample: {network: red_nat_lab}
    bridge:
      description: The bridge of the host that it is plugged into now, V(null) where that is none.
      type: str
      returned: always
      sample: virbr101
    device:
      description: The host's end of the NIC, the tap device, V(null) while it is not plugged in.
      type: str
      returned: always
      sample: vnet3
    model:
      description: The card that the guest sees.
      type: str
      returned: always
      sample: virtio
    link:
      description: V(up) or V(down).
      type: str
      returned: always
      sample: up
    plugged:
      description: Whether the guest runs with the NIC.
      type: bool
      returned: always
      sample: true
    persistent:
      description: Whether the NIC is in the guest's stored definition.
      type: bool
      returned: always
      sample: true
    addresses:
      description:
        - The addresses that were seen at the NIC.
      type: list
      elements: dict
      returned: always
      contains:
        address:
          description: The address.
          type: str
          returned: always
          sample: 192.168.101.10
        prefix:
          description: The length of the prefix, V(null) where nobody knows it.
          type: int
          returned: always
          sample: 24
        origins:
          description:
            - Who saw it, V(lease), the network's DHCP server, V(agent), the guest itself, V(arp), the host's neighbour table.
          type: list
          elements: str
          returned: always
          sample: [lease, arp]
    pending:
      description: Whether something of the NIC takes effect only when the guest is started anew.
      type: bool
      returned: always
      sample: false
    pending_changes:
      description: What that is, names of options; V(place) is what the NIC is plugged into.
      type: list
      elements: str
      returned: always
      sample: [mtu]
    definition:
      description: Its stored definition in the form of the options; what is libvirt's default is left out.
      type: dict
      returned: always
      sample: {type: network, source: {network: red_nat_lab}, model: virtio}
    xml:
      description: The same as a libvirt element in normal form.
      type: str
      returned: always
      sample: <interface type="network">...</interface>
    running:
      description: Whether the guest runs.
      type: bool
      returned: always
      sample: true
    reservations:
      description: What networks reserve for the NIC, whoever made it.
      type: list
      elements: dict
      returned: always
      contains:
        network:
          description: The network.
          type: str
          returned: always
          sample: red_nat_lab
        ip:
          description: The address.
          type: str
          returned: always
          sample: 192.168.101.10
        name:
          description: The name that the guest gets.
          type: str
          returned: if there is one
          sample: web
        mac:
          description: The MAC address, of an IPv4 address.
          type: str
          returned: if there is one
          sample: 52:54:00:6b:3c:58
        id:
          description: The DHCP identifier, of an IPv6 address.
          type: str
          returned: if there is one
          sample: 00:03:00:01:52:54:00:6b:3c:58
    statistics:
      description:
        - What went through the host's end of the NIC since it was plugged in, V(null) while it is not or where nobody counts.
          What the guest sends is received there.
      type: dict
      returned: always
      sample:
        rx_bytes: 84230
        rx_packets: 1003
        rx_errors: 0
        rx_dropped: 0
        tx_bytes: 120533
        tx_packets: 1200
        tx_errors: 0
        tx_dropped: 0
"""

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._nic.reading import run_nic_reading


def main() -> t.NoReturn:
    """Read the NICs of guests."""
    run_nic_reading()


if __name__ == "__main__":
    main()
