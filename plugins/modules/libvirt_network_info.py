#!/usr/bin/python
# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: libvirt_network_info
short_description: Read the virtual networks of a KVM/libvirt host
version_added: 0.1.0
author:
  - The kvmops.network authors (@kvmops)
description:
  - Returns the networks of a host, with their definition, state, addresses, DHCP ranges and leases, the running guests that are
    plugged in, and what of the stored definition still waits for the next start.
options:
  names:
    description:
      - The networks to return. When omitted, all.
      - Names of which there is no network are listed in RV(missing).
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
  - module: kvmops.network.libvirt_network
"""

EXAMPLES = r"""
- name: Read all networks of the host
  kvmops.network.libvirt_network_info:
  register: found

- name: Show which addresses the guests of the stock network get
  ansible.builtin.debug:
    msg: >-
      The host is {{ item.addresses[0].address }}, guests get
      {{ item.dhcp_ranges[0].start }} to {{ item.dhcp_ranges[0].end }}.
  loop: "{{ found.networks | selectattr('name', 'equalto', 'default') }}"
  loop_control:
    label: "{{ item.name }}"

- name: Stop if a change still waits for a restart of a network
  ansible.builtin.assert:
    that: found.networks | selectattr('pending_restart') | length == 0
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
  description: The names in O(names) of which there is no network.
  returned: success
  type: list
  elements: str
  sample: []
networks:
  description: The networks, ordered by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      returned: always
      sample: default
    uuid:
      description: Its UUID.
      type: str
      returned: always
      sample: 1b4f0c34-3a39-4a26-a21f-6f0a3b1e0a6e
    exists:
      description: Always V(true).
      type: bool
      returned: always
      sample: true
    active:
      description: Whether it runs.
      type: bool
      returned: always
      sample: true
    persistent:
      description: Whether its definition is stored.
      type: bool
      returned: always
      sample: true
    autostart:
      description: Whether libvirt starts it at boot.
      type: bool
      returned: always
      sample: true
    bridge:
      description: The name of its bridge on the host, V(null) where it has none.
      type: str
      returned: always
      sample: virbr0
    definition:
      description:
        - Its stored definition (of a transient network, the running one) in the form of the options of
          M(kvmops.network.libvirt_network); what is libvirt's default is left out,
          but for the mode of C(forward).
      type: dict
      returned: always
      sample:
        forward: {mode: nat}
        bridge: {name: virbr0}
    xml:
      description: The same as a libvirt document in normal form.
      type: str
      returned: always
      sample: <network>...</network>
    pending_restart:
      description: Whether the stored definition differs from what is running.
      type: bool
      returned: always
      sample: false
    pending_changes:
      description: What of the definition waits for the network's next start, by the names of options.
      type: list
      elements: str
      returned: always
      sample: []
    pending_diff:
      description: What changes when the network is started anew, as the lines of a unified diff of the two definitions.
      type: list
      elements: str
      returned: always
      sample: []
    addresses:
      description: The host's addresses on the network, of the running definition where there is one.
      type: list
      elements: dict
      returned: always
      contains:
        address:
          description: The host's address, which is the guests' gateway.
          type: str
          returned: always
          sample: 192.168.124.1
        prefix:
          description: The length of the subnet's prefix.
          type: int
          returned: always
          sample: 24
        netmask:
          description: The subnet's mask, V(null) for IPv6.
          type: str
          returned: always
          sample: 255.255.255.0
        family:
          description: V(ipv4) or V(ipv6).
          type: str
          returned: always
          sample: ipv4
    dhcp_ranges:
      description: The addresses that the network hands out, of the running definition where there is one.
      type: list
      elements: dict
      returned: always
      contains:
        start:
          description: The first address.
          type: str
          returned: always
          sample: 192.168.124.2
        end:
          description: The last address.
          type: str
          returned: always
          sample: 192.168.124.254
    leases:
      description: The addresses that are handed out now. Empty for a network that does not run.
      type: list
      elements: dict
      returned: always
      contains:
        mac:
          description: The MAC address of the guest's NIC.
          type: str
          returned: always
          sample: 52:54:00:6b:3c:58
        ip:
          description: The address.
          type: str
          returned: always
          sample: 192.168.124.17
        prefix:
          description: The length of the subnet's prefix.
          type: int
          returned: always
          sample: 24
        hostname:
          description: The name that the guest gave itself, V(null) if none.
          type: str
          returned: always
          sample: builder
        client_id:
          description: The DHCP client identifier, V(null) if none.
          type: str
          returned: always
          sample: 01:52:54:00:6b:3c:58
        expires:
          description: When the lease ends, in seconds since 1970; V(0) for never.
          type: int
          returned: always
          sample: 1795000000
    guests:
      description: The NICs of running guests that are plugged in.
      type: list
      elements: dict
      returned: always
      contains:
        name:
          description: The guest.
          type: str
          returned: always
          sample: builder
        mac:
          description: The MAC address of its NIC.
          type: str
          returned: always
          sample: 52:54:00:6b:3c:58
        device:
          description: The host's end of the NIC.
          type: str
          returned: always
          sample: vnet0
"""

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._network.reading import run_network_reading


def main() -> t.NoReturn:
    """Read the networks of a host."""
    run_network_reading()


if __name__ == "__main__":
    main()
