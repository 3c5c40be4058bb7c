#!/usr/bin/python
# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: libvirt_domain_nic
short_description: Manage a NIC of a KVM/libvirt guest
version_added: 0.1.0
author:
  - The kvmops.network authors (@kvmops)
description:
  - Gives a guest a NIC, moves it to another network, unplugs its cable, changes it, reserves an address for it, and takes it
    away; of a guest that runs and of one that is off alike.
  - The stored definition and the running guest are both brought to what the task says. What libvirt can change while the guest
    runs is changed then. What it cannot change waits for the guest's next start, or the NIC is plugged in anew, see O(replug).
  - The NIC is found by O(mac), else by O(alias), else by O(source). A task never adds a second NIC by accident.
  - What cannot work is refused before anything is changed, in check mode too.
extends_documentation_fragment:
  - kvmops.network._nic
  - kvmops.network._nic.times
  - kvmops.network._libvirt
  - kvmops.network._attributes
  - kvmops.network._attributes.libvirt
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - The diff shows the NIC in a normal form, as it is stored, as it runs, and what the networks reserve for it.
  idempotent:
    support: full
  platform:
    platforms: linux
    support: full
seealso:
  - module: kvmops.network.libvirt_domain_nics
  - module: kvmops.network.libvirt_domain_nic_info
  - name: Domain XML format, network interfaces
    description: libvirt's reference of what a NIC's definition can say.
    link: https://libvirt.org/formatdomain.html#network-interfaces
"""

EXAMPLES = r"""
- name: The guest has a NIC on the network
  kvmops.network.libvirt_domain_nic:
    domain: web
    source:
      network: red_nat_lab

- name: A second NIC, by a name under which later tasks find it
  kvmops.network.libvirt_domain_nic:
    domain: web
    alias: backend
    source:
      network: red_aislada_dev

- name: It moves to another network, while the guest runs
  kvmops.network.libvirt_domain_nic:
    domain: web
    alias: backend
    source:
      network: red_muy_aislada

- name: Its cable is unplugged
  kvmops.network.libvirt_domain_nic:
    domain: web
    alias: backend
    link: down

- name: The guest has an address that is always the same, and the play goes on when it has it
  kvmops.network.libvirt_domain_nic:
    domain: web
    source:
      network: red_nat_lab
    reservation:
      ipv4: 192.168.101.10
      hostname: web
    wait_for_address: true
  register: nic

- name: A larger MTU, which takes the guest's connection away for a moment
  kvmops.network.libvirt_domain_nic:
    domain: web
    alias: backend
    mtu: 9000
    replug: always

- name: The NIC that virt-install made gets a name
  kvmops.network.libvirt_domain_nic:
    domain: web
    mac: 52:54:00:6b:3c:58
    alias: lan

- name: A NIC on the host's bridge, at most 8 Mbit/s, which cannot take other guests' addresses
  kvmops.network.libvirt_domain_nic:
    domain: web
    alias: lan
    source:
      bridge: br0
    bandwidth:
      inbound: {average: 1000}
      outbound: {average: 1000}
    filterref:
      filter: clean-traffic

- name: A macvtap interface on top of the host's second card
  kvmops.network.libvirt_domain_nic:
    domain: web
    alias: wan
    source:
      dev: eth1

- name: A connection without any interface on the host; port 2222 leads to the guest's SSH server
  kvmops.network.libvirt_domain_nic:
    domain: web
    alias: user
    type: user
    backend:
      type: passt
    port_forwards:
      - proto: tcp
        address: 127.0.0.1
        ranges:
          - start: 2222
            to: 22

- name: A tap device that was made outside of libvirt
  kvmops.network.libvirt_domain_nic:
    domain: web
    alias: overlay
    type: ethernet
    target:
      dev: tap-web
      managed: false

- name: The NIC goes, with its reservation
  kvmops.network.libvirt_domain_nic:
    domain: web
    alias: backend
    state: absent
"""

RETURN = r"""
requirement:
  description:
    - What is missing on the host, for playbooks that want to go on without it. V(library), a Python library; V(daemon), libvirt's
      daemon does not answer; V(permission), the user may not manage libvirt; V(uri), O(uri) cannot be.
  returned: failure, if something is missing
  type: str
  sample: daemon
missing_networks:
  description:
    - The names of networks that O(source.network) names and that do not exist, where nothing but that and
      RV(missing_filters) is a reason to refuse.
  returned: failure, if networks or filters are missing
  type: list
  elements: str
  sample: [red_nat_lab]
missing_filters:
  description:
    - The names of network filters that O(filterref.filter) names and that do not exist, likewise.
  returned: failure, if networks or filters are missing
  type: list
  elements: str
  sample: []
actions:
  description: What was done, or would be done in check mode, with the reason of each step.
  returned: success, or failure after the first change
  type: list
  elements: str
  sample:
    - "reserve: 192.168.101.10 on the network 'red_nat_lab' for 52:54:00:6b:3c:58"
    - "define: the NIC is not in the guest's definition"
    - "attach: the guest runs without the NIC"
domain:
  description: The guest.
  returned: success, or failure after the first change
  type: str
  sample: web
nic:
  description: The NIC after the task; in check mode, as it would be. V(null) where there is none.
  returned: success, or failure after the first change
  type: dict
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
"""

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._nic.options import NIC_OPTIONS
from ansible_collections.kvmops.network.plugins.module_utils._nic.task import run_nic_task


def main() -> t.NoReturn:
    """Bring one NIC of a guest into the wanted state."""
    run_nic_task(NIC_OPTIONS)


if __name__ == "__main__":
    main()
