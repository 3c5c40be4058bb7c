#!/usr/bin/python
# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: libvirt_network
short_description: Manage a virtual network of a KVM/libvirt host
version_added: 0.1.0
author:
  - The kvmops.network authors (@kvmops)
description:
  - Defines, starts, stops, autostarts and removes one virtual network of libvirt.
  - The definition is compared by meaning with what libvirt has stored and with what is running. What libvirt adds by itself
    (UUID, MAC address, default ports and the like) or writes in another order is no difference.
  - A changed definition takes effect by the mildest way. What libvirt changes in a running network is changed there, and nobody
    is unplugged. For the rest, a network that no running guest uses is started anew; on a network in use it is stored for the
    next start, and reported in RV(pending_restart), RV(pending_changes) and by a warning that names the guests, unless
    O(restart=always), which plugs the guests in again.
  - Guests that lost their place on the network's bridge, since somebody else started the network anew, are plugged in again.
  - What cannot work is refused before anything is changed, in check mode too.
options:
  lock_timeout:
    description:
      - How long to wait, in seconds, for another task that is changing this host's networks.
    type: int
    default: 60
extends_documentation_fragment:
  - kvmops.network._network
  - kvmops.network._libvirt
  - kvmops.network._attributes
  - kvmops.network._attributes.libvirt
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - The diff shows the definition in a normal form. Values that libvirt makes up are shown as C((generated)).
  idempotent:
    support: full
  platform:
    platforms: linux
    support: full
seealso:
  - module: kvmops.network.libvirt_network_info
  - name: Network XML format
    description: libvirt's reference of what a network definition can say.
    link: https://libvirt.org/formatnetwork.html
"""

EXAMPLES = r"""
- name: Guests on the stock network have a connection, now and after a reboot
  kvmops.network.libvirt_network:
    name: default
    state: active
    autostart: true

- name: A NAT network
  kvmops.network.libvirt_network:
    name: red_nat_lab
    forward:
      mode: nat
    bridge:
      name: virbr101
    ips:
      - address: 192.168.101.1
        prefix: 24
        dhcp:
          ranges:
            - start: 192.168.101.100
              end: 192.168.101.254

- name: A very isolated network, without any address of the host
  kvmops.network.libvirt_network:
    name: red_muy_aislada
    forward:
      mode: none
    bridge:
      name: virbr103
    ips: []

- name: A reservation is added, and all that others have reserved stays
  kvmops.network.libvirt_network:
    name: red_nat_lab
    ips:
      - address: 192.168.101.1
        dhcp:
          hosts:
            - mac: 52:54:00:6b:3c:58
              ip: 192.168.101.10
              name: builder

- name: Guests together get 100 Mbit/s, and a port group for those that get 8 Mbit/s each
  kvmops.network.libvirt_network:
    name: red_nat_lab
    bandwidth:
      inbound: {average: 12500, peak: 25000, burst: 1024}
      outbound: {average: 12500}
    portgroups:
      - name: slow
        bandwidth:
          inbound: {average: 1000}
          outbound: {average: 1000}

- name: Guests get virtual functions of a network card
  kvmops.network.libvirt_network:
    name: sriov
    forward:
      mode: hostdev
      managed: true
      pf:
        dev: ens1f0

- name: Guests get these two virtual functions, in VLAN 42
  kvmops.network.libvirt_network:
    name: sriov42
    forward:
      mode: hostdev
      managed: true
      driver:
        name: vfio
      addresses:
        - {bus: '0x06', slot: '0x10', function: '0x0'}
        - {bus: '0x06', slot: '0x10', function: '0x2'}
    vlan:
      tags:
        - id: 42

- name: Port groups of an Open vSwitch bridge, one for each kind of guest
  kvmops.network.libvirt_network:
    name: office
    forward:
      mode: bridge
    bridge:
      name: ovsbr0
    virtualport:
      type: openvswitch
    portgroups:
      - name: staff
        default: true
        vlan:
          tags:
            - id: 10
      - name: routers
        vlan:
          trunk: true
          tags:
            - id: 10
              native_mode: untagged
            - id: 20

- name: Guests boot from the host, and keep their addresses for half a day
  kvmops.network.libvirt_network:
    name: install
    ips:
      - address: 192.168.110.1
        prefix: 24
        tftp:
          root: /srv/tftp
        dhcp:
          ranges:
            - start: 192.168.110.100
              end: 192.168.110.199
              lease: {expiry: 12, unit: hours}
          bootp:
            file: pxelinux.0

- name: Names in the network's own domain, with a service and a note
  kvmops.network.libvirt_network:
    name: red_nat_lab
    domain:
      name: red.example
      local_only: true
    dns:
      hosts:
        - ip: 192.168.101.10
          hostnames: [dc.red.example]
      srv:
        - service: ldap
          protocol: tcp
          target: dc.red.example
          port: 389
      txt:
        - name: note.red.example
          value: ask Ada before you change it

- name: Guests are told an NTP server, by an option that dnsmasq has and libvirt has not
  kvmops.network.libvirt_network:
    name: red_nat_lab
    dnsmasq_options:
      - dhcp-option=option:ntp-server,192.168.101.1

- name: Guests get macvtap interfaces, said in a document
  kvmops.network.libvirt_network:
    name: uplink
    xml: |
      <network>
        <name>uplink</name>
        <forward mode='bridge'>
          <interface dev='eth1'/>
        </forward>
      </network>

- name: The network is taken away, once no running guest needs it
  kvmops.network.libvirt_network:
    name: red_nat_lab
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
overlaps:
  description: The sentences that say with what the network's subnets overlap, where that is the only reason to refuse the task.
  returned: failure, if subnets overlap
  type: list
  elements: str
  sample:
    - The subnet 192.168.122.0/24 overlaps with the host's address 192.168.122.17/24 on eth0. Choose another subnet, or …
actions:
  description: What was done, or would be done in check mode, with the reason of each step.
  returned: success
  type: list
  elements: str
  sample:
    - "define: the network does not exist"
    - "autostart on: a new network starts at boot"
    - "start: the network is not running"
expected_outage:
  description:
    - For how many seconds guests that are plugged in may be without network by it, as measured on an idle machine; a busy one may
      take two or three times as long. V(0) where no guest feels it.
    - V(null) where guests lose their connection until somebody plugs them in again, as with O(state=inactive) and O(force=true).
  returned: success
  type: float
  sample: 0.6
differences:
  description:
    - In what the wanted definition differs from the stored one and from the running network, and how each difference takes
      effect. Empty for a network that is new or goes.
  returned: success
  type: list
  elements: dict
  contains:
    option:
      description: What differs, by the names of options.
      type: str
      returned: always
      sample: mtu
    way:
      description:
        - V(live update) in the running network, V(restart) of the network by this task, or V(next start) of the network, whenever
          that is.
        - V(nothing) where the definition is stored and nothing else has to be done, as for a network that does not run.
      type: str
      returned: always
      sample: next start
    reason:
      description: Why it takes effect in this way.
      type: str
      returned: always
      sample: it is in use by guest 'web'
    outage:
      description: What this difference alone would cost, in the same way as RV(expected_outage).
      type: float
      returned: always
      sample: 0.0
pending_restart:
  description:
    - Whether the stored definition differs from what is running, so that it takes effect only when the network is started anew.
  returned: success
  type: bool
  sample: false
pending_changes:
  description:
    - What of the definition waits for that, by the names of options.
  returned: success
  type: list
  elements: str
  sample: [mtu]
network:
  description:
    - The network after the task; in check mode, as it would be.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      returned: always
      sample: red_nat_lab
    uuid:
      description: Its UUID, V(null) for one that check mode would create.
      type: str
      returned: always
      sample: 1b4f0c34-3a39-4a26-a21f-6f0a3b1e0a6e
    exists:
      description: Whether it is there.
      type: bool
      returned: always
      sample: true
    active:
      description: Whether it runs.
      type: bool
      returned: always
      sample: true
    persistent:
      description: Whether its definition is stored, so that it is still there after it was stopped.
      type: bool
      returned: always
      sample: true
    autostart:
      description: Whether libvirt starts it at boot.
      type: bool
      returned: always
      sample: true
    bridge:
      description: The name of its bridge on the host, V(null) where it has none or libvirt has yet to choose one.
      type: str
      returned: always
      sample: virbr101
    definition:
      description: Its definition in the form of this module's options; what is libvirt's default is left out, but
        for the mode of C(forward).
      type: dict
      returned: always
      sample:
        forward: {mode: nat}
        bridge: {name: virbr101}
        ips:
          - address: 192.168.101.1
            prefix: 24
            dhcp: {ranges: [{start: 192.168.101.100, end: 192.168.101.254}]}
    xml:
      description: Its definition as a libvirt document in normal form, V(null) where it is absent.
      type: str
      returned: always
      sample: <network>...</network>
"""

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._network.options import NETWORK_OPTIONS
from ansible_collections.kvmops.network.plugins.module_utils._network.task import run_network_task


def main() -> t.NoReturn:
    """Bring one network into the wanted state."""
    run_network_task(NETWORK_OPTIONS)


if __name__ == "__main__":
    main()
