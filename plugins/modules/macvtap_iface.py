#!/usr/bin/python
# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: macvtap_iface
short_description: Manage a macvtap or macvlan interface of a KVM host
version_added: 0.1.0
author:
  - The kvmops.network authors (@kvmops)
description:
  - Makes an interface straight on one of the host's NICs, without a bridge. A macvtap is for a guest, whose NIC it becomes; a
    macvlan is for the host itself, for instance so that it reaches guests that are on macvtap interfaces of the same NIC.
  - What the task says is the whole interface. What it leaves out has the default that stands beside the option, so that two
    runs of one task always end in the same.
  - What the kernel can change in place is changed in place. For another kind, parent or number of queues, to or from
    O(mode=passthru), and to take a flag away, the interface is made anew. That never happens, and the interface is never
    removed, while a process has the device node open, which is a guest that uses it, unless O(force=true).
  - It is there again after a reboot. Whoever manages the parent, NetworkManager or systemd-networkd, gets a configuration in
    its own files; where neither does, or what the task says cannot be expressed there, a unit of systemd makes the interface
    when the parent appears. The parent's own files are not changed.
  - If a step fails, what was done before it is taken back, and the task fails.
  - The host does nothing with IPv6 on the interface unless the task gives it an IPv6 address, and never follows what routers
    say there. Otherwise it would be reachable, and might send its own traffic, over what belongs to a guest.
  - A macvtap lets all multicast in, without which a guest has no IPv6.
options:
  name:
    description:
      - The interface's name, up to 15 bytes.
    type: str
    required: true
  state:
    description:
      - With V(present), the interface is there as the task says, now and after a reboot.
      - With V(absent), it is gone, and so are its files.
    type: str
    choices: [present, absent]
    default: present
  kind:
    description:
      - V(macvtap) has a device node, C(/dev/tapN), which a guest opens. V(macvlan) has none, and is one more NIC of the host.
    type: str
    choices: [macvtap, macvlan]
    default: macvtap
  parent:
    description:
      - The interface that this one stands on, such as V(eth1); a bridge can be one as well. Needed with O(state=present).
      - If it is itself a macvlan or macvtap, the kernel takes what that one stands on.
      - A port of a bridge cannot be one; name the bridge then. Neither can a Wi-Fi interface.
    type: str
  mode:
    description:
      - How frames go between interfaces on one parent. With V(bridge), straight from one to the other. With V(vepa), out to the
        switch, which has to send them back. With V(private), not at all.
      - With V(passthru), which libvirt calls V(passthrough), the interface has the parent for itself, and its MAC address.
      - With V(source), only frames from O(source_macs) come in.
    type: str
    choices: [bridge, vepa, private, passthru, passthrough, source]
    default: bridge
  flags:
    description:
      - V(nopromisc) leaves the parent out of promiscuous mode; for O(mode=passthru).
      - V(nodst) does not pass frames on by their destination; for O(mode=source).
    type: list
    elements: str
    choices: [nopromisc, nodst]
    default: []
  mac:
    description:
      - The MAC address, such as V(52:54:00:12:34:56). The guest's NIC must have the same one.
      - When omitted, the one that the interface has; for a new one it is made from the host's machine-id and O(name), so that
        it is the same each time.
      - With O(mode=passthru) it becomes the parent's address as well, and when omitted it is the parent's.
    type: str
  source_macs:
    description:
      - From which MAC addresses frames come in; for O(mode=source). An empty list lets nothing in.
    type: list
    elements: str
    default: []
  mtu:
    description:
      - The MTU, from V(68) up to that of the parent. When omitted, the parent's.
    type: int
  queues:
    description:
      - How many queues there are to send with, and how many to receive with.
    type: int
    default: 1
  bcqueuelen:
    description:
      - How many broadcasts may wait, in packets. The kernel uses the largest value of all interfaces on a parent, which is
        RV(interface.effective_bcqueuelen). Other values than the default need iproute2 5.11 or later on the host.
    type: int
    default: 1000
  link:
    description:
      - Whether the interface is up. If the parent is down, nothing passes all the same, and there is a warning.
    type: str
    choices: [up, down]
    default: up
  addresses:
    description:
      - The host's addresses on the interface, with the length of their prefix. They are all that it has; those that are not
        in the list are taken away.
      - For a macvlan by which the host reaches guests, an address of the LAN that nobody else has, with V(/32).
    type: list
    elements: str
    default: []
  routes:
    description:
      - The routes over the interface, all of them. Each needs an address of its IP version in O(addresses).
    type: list
    elements: dict
    default: []
    suboptions:
      destination:
        description:
          - A subnet or an address, such as V(192.0.2.128/25). Not a default route.
        type: str
        required: true
      gateway:
        description:
          - The router. When omitted, the destination is reached at once.
        type: str
      metric:
        description:
          - The metric. When omitted, the kernel's own, V(0) for IPv4 and V(1024) for IPv6.
        type: int
  tap:
    description:
      - Who may open the device node of a macvtap. Its number is another one each time that the interface is made, and a rule
        of udev sees to it that this holds for each. When omitted, it is left to the host's own rules, which is root
        alone where there are none. When a task leaves it out again, the node is root's again.
      - QEMU that libvirt's system daemon starts needs nothing here, since the daemon opens the node itself.
    type: dict
    suboptions:
      owner:
        description:
          - The user, by name or number.
        type: str
        default: root
      group:
        description:
          - The group, by name or number.
        type: str
        default: root
      mode:
        description:
          - The permissions as an octal number in quotes, such as V('0660').
        type: raw
        default: '0600'
  backend:
    description:
      - What makes the interface at boot. With V(auto), what does now; for a new one whoever manages the parent, if the task
        can be expressed there, else V(unit). An interface that somebody else made is left to V(unit) where systemd-networkd
        manages the parent, since that would have to make it anew.
      - With V(networkd), files of systemd-networkd, and an addition to the parent's that names the interface. It needs version
        257 or later; those before do not follow changes, and drop the parent's leased addresses for a moment.
      - With V(networkmanager), a profile of NetworkManager. With V(unit), a unit of systemd that udev starts.
      - With V(none), nothing; it is gone after a reboot.
    type: str
    choices: [auto, networkd, networkmanager, unit, none]
    default: auto
  force:
    description:
      - Whether the interface is removed or made anew, gets another MAC address, goes down, or comes to let in frames from
        O(source_macs) alone, while a process has its device node open. A guest is cut off by that; from an interface that was
        made anew, until its NIC is plugged in again.
    type: bool
    default: false
  lock_timeout:
    description:
      - For how many seconds to wait for another task that changes networks of this host.
    type: int
    default: 60
extends_documentation_fragment:
  - kvmops.network._attributes
attributes:
  check_mode:
    support: full
    details:
      - Where a kernel's modules cannot be seen, as in containers, that it has no macvtap shows only in a real run, which then
        fails without having changed anything.
  diff_mode:
    support: full
  idempotent:
    support: full
  platform:
    platforms: linux
    support: full
notes:
  - It needs root, iproute2, and for the device nodes udev.
  - Other machines do not learn of the interface before it sends something.
  - With O(mtu) above 1500 and O(backend=unit), the unit tries again each second, for a minute, until the parent has its MTU.
seealso:
  - module: kvmops.network.macvtap_iface_info
  - module: kvmops.network.libvirt_domain_nic
  - module: kvmops.network.libvirt_network
"""

EXAMPLES = r"""
- name: A macvtap for a guest
  kvmops.network.macvtap_iface:
    name: web0
    parent: eth1
  register: made

- name: The guest's NIC is that device
  kvmops.network.libvirt_domain_nic:
    domain: web
    type: ethernet
    mac: "{{ made.interface.mac }}"
    target:
      dev: web0
      managed: false

- name: One that QEMU of an ordinary user may open
  kvmops.network.macvtap_iface:
    name: dev0
    parent: eth1
    mac: 52:54:00:7a:00:01
    tap:
      group: kvm
      mode: '0660'

- name: The host reaches guests that have macvtap NICs on eth1, and they reach the host
  kvmops.network.macvtap_iface:
    name: shim0
    kind: macvlan
    parent: eth1
    addresses:
      - 192.0.2.250/32
    routes:
      - destination: 192.0.2.128/25

- name: A NIC for one guest alone
  kvmops.network.macvtap_iface:
    name: fast0
    parent: eth2
    mode: passthrough
    queues: 4

- name: None any more
  kvmops.network.macvtap_iface:
    name: shim0
    state: absent
"""

RETURN = r"""
actions:
  description: What was done, or would be done in check mode, in this order.
  type: list
  elements: str
  returned: success
  sample: ["make the macvtap web0 on eth1, mode bridge", "write /etc/systemd/system/kvmops-web0.service"]
recreated:
  description: Whether the interface was made anew, or would be.
  type: bool
  returned: success
  sample: false
backend:
  description: What makes the interface at boot.
  type: str
  returned: success
  sample: unit
interface:
  description: The interface as it is, or in check mode as it would be, V(null) where there is none.
  type: dict
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
"""

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._macvtap.options import INTERFACE_OPTIONS
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.task import run_interface_task


def main() -> t.NoReturn:
    """Bring a macvtap or macvlan interface into the wanted state."""
    run_interface_task(INTERFACE_OPTIONS)


if __name__ == "__main__":
    main()
