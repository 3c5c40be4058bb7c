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
  - A changed definition takes effect at once on a network that is stopped or that no running guest uses. On a network in
    use it is stored for the next start, and reported in RV(pending_restart) and by a warning that names the guests. A task that
    says nothing of the definition never restarts a network.
  - What cannot work is refused before anything is changed, in check mode too.
options:
  name:
    description:
      - The name of the network.
    type: str
    required: true
  state:
    description:
      - V(active), the network is defined and runs.
      - V(present), the network is defined; whether it runs is left as it is.
      - V(inactive), the network is defined and does not run.
      - V(absent), the network neither runs nor is defined.
      - A task that has no definition option (O(forward), O(bridge), O(mac), O(mtu), O(domain), O(dns), O(ips), O(routes)
        or O(xml)) needs a network that is there already, so that a mistyped name does not make a new one.
      - V(inactive) and V(absent) are refused while running guests are plugged in, unless O(force=true).
    type: str
    choices: [active, present, inactive, absent]
    default: active
  autostart:
    description:
      - Whether libvirt starts the network at boot.
      - When omitted, it is turned on if the task creates the network with O(state=active) or O(state=present), and left
        as it is otherwise.
    type: bool
  definition:
    description:
      - What an omitted definition option means for a network that is there already.
      - V(merge), it is left as it is. A list that is given is the whole list; its entries are matched by their natural
        key (O(ips) by address) so that what they omit is left too. An empty list means none.
      - V(replace), it goes back to libvirt's default. UUID, bridge name and bridge MAC address are kept in both cases
        unless the task names others.
      - Reservations (O(ips[].dhcp.hosts) and O(dns.hosts)) that the task does not mention stay in both cases, unless
        O(purge_hosts=true). So does what others have put into the network's C(<metadata>).
      - When omitted, it is V(merge) for a task with typed options, and V(replace) with O(xml), where nothing else is
        possible.
    type: str
    choices: [merge, replace]
  xml:
    description:
      - The whole definition as a libvirt network document, for what has no option of its own.
      - The document's C(<name>) must be O(name).
      - It is validated with the schema of the libvirt that is installed on the host, so that a mistyped element is refused
        and not silently dropped.
    type: str
  uuid:
    description:
      - The UUID of a network that the task creates. When omitted, libvirt makes one up.
      - libvirt cannot change the UUID of an existing network, so that another one than it has is refused.
    type: str
  forward:
    description:
      - How guests reach what is outside of the network.
    type: dict
    suboptions:
      mode:
        description:
          - V(none), not at all, the network is isolated.
          - V(nat), through the host with address translation; from outside, guests cannot be reached.
          - V(route), through the host without address translation.
          - V(open), like V(route), but libvirt writes no firewall rules.
          - V(bridge), the network is the existing bridge O(bridge.name) of the host.
        type: str
        required: true
        choices: [none, nat, route, open, bridge]
      dev:
        description:
          - The only interface of the host through which guests may leave with O(forward.mode=nat) or
            O(forward.mode=route). When omitted, every interface serves.
        type: str
      nat:
        description:
          - Details of the address translation, with O(forward.mode=nat).
        type: dict
        suboptions:
          address:
            description:
              - The range of the host's addresses that stand for those of the guests. When omitted, the address of the
                interface that they leave by.
            type: dict
            suboptions:
              start:
                description: The first IPv4 address.
                type: str
                required: true
              end:
                description: The last IPv4 address.
                type: str
                required: true
          port:
            description:
              - The range of ports that stand for those of the guests. When omitted, 1024 to 65535.
            type: dict
            suboptions:
              start:
                description: The first port.
                type: int
                required: true
              end:
                description: The last port.
                type: int
                required: true
          ipv6:
            description:
              - Whether IPv6 addresses are translated as well. Needs libvirt 6.5. When omitted, they are routed.
            type: bool
  bridge:
    description:
      - The bridge on the host to which the guests are plugged.
    type: dict
    suboptions:
      name:
        description:
          - Its name, at most 15 characters. When omitted, libvirt chooses the next free C(virbr) with a number.
        type: str
      stp:
        description:
          - Whether the bridge speaks the spanning tree protocol. libvirt's default is V(true).
        type: bool
      delay:
        description:
          - The bridge's forward delay in seconds. libvirt's default is V(0).
        type: int
  mac:
    description:
      - The MAC address of the bridge. When omitted, libvirt makes one up and keeps it.
    type: str
  mtu:
    description:
      - The MTU of the bridge and of the guests' NICs, in bytes. When omitted, the default of the host's kernel (1500).
    type: int
  domain:
    description:
      - The DNS domain of the guests.
    type: dict
    suboptions:
      name:
        description: The domain's name, for example V(lab.example).
        type: str
        required: true
      local_only:
        description:
          - Whether names in the domain are answered from the network's own records alone, never forwarded.
            libvirt's default is V(false).
        type: bool
  dns:
    description:
      - The DNS server that libvirt runs on the network's addresses.
    type: dict
    suboptions:
      enable:
        description: Whether there is a DNS server. libvirt's default is V(true).
        type: bool
      forward_plain_names:
        description:
          - Whether names without a dot are forwarded to the host's resolvers. libvirt's default is V(true).
        type: bool
      forwarders:
        description:
          - Where queries are sent, in this order. When omitted, to the host's own resolvers.
        type: list
        elements: dict
        suboptions:
          addr:
            description: The address of the server. When omitted, the host's own resolvers, for this O(dns.forwarders[].domain).
            type: str
          domain:
            description: Only queries for this domain go there. When omitted, all.
            type: str
      hosts:
        description:
          - Names that the DNS server knows. Entries are ensured by their O(dns.hosts[].ip); entries that are not mentioned
            stay, unless O(purge_hosts=true).
        type: list
        elements: dict
        suboptions:
          ip:
            description: The address.
            type: str
            required: true
          hostnames:
            description: Its names, at least one. The first is what a reverse look-up answers.
            type: list
            elements: str
            required: true
  ips:
    description:
      - The host's addresses on the network, at most one of each family with a DHCP server. An empty list means none, so that
        the host cannot be reached from the network.
    type: list
    elements: dict
    suboptions:
      address:
        description: The host's address, IPv4 or IPv6, for example V(192.168.101.1).
        type: str
        required: true
      prefix:
        description:
          - The length of the subnet's prefix, for example V(24). For a new address, this or O(ips[].netmask) is needed.
        type: int
      netmask:
        description: The subnet's mask instead of O(ips[].prefix), for example V(255.255.255.0).
        type: str
      dhcp:
        description: The DHCP server for this address's subnet.
        type: dict
        suboptions:
          ranges:
            description: The addresses to hand out. An empty list means none.
            type: list
            elements: dict
            suboptions:
              start:
                description: The first address.
                type: str
                required: true
              end:
                description: The last address.
                type: str
                required: true
          hosts:
            description:
              - Reservations, addresses that are handed out to one guest only. Entries are ensured by their
                O(ips[].dhcp.hosts[].mac) (or O(ips[].dhcp.hosts[].id), or O(ips[].dhcp.hosts[].name) where there is no other);
                entries that are not mentioned stay, unless O(purge_hosts=true).
            type: list
            elements: dict
            suboptions:
              mac:
                description: The MAC address of the guest's NIC. IPv4 only.
                type: str
              id:
                description: The DHCP client identifier (DUID) of the guest. IPv6 only.
                type: str
              name:
                description: The guest's host name.
                type: str
              ip:
                description: The address that it gets. Needed for a new entry.
                type: str
  routes:
    description:
      - Routes that the host gets to subnets behind guests of this network.
    type: list
    elements: dict
    suboptions:
      address:
        description: The address of the subnet, for example V(192.168.222.0).
        type: str
        required: true
      prefix:
        description: The length of the subnet's prefix. This or O(routes[].netmask) is needed.
        type: int
      netmask:
        description: The subnet's mask instead of O(routes[].prefix).
        type: str
      gateway:
        description: The guest's address, in one of the subnets of O(ips).
        type: str
        required: true
      metric:
        description: The route's metric. libvirt's default is V(1).
        type: int
  purge_hosts:
    description:
      - Remove reservations that the task does not mention. With O(definition=merge), those of O(ips[].dhcp.hosts) only if the
        task gives O(ips), and those of O(dns.hosts) only if it gives O(dns).
      - They have other owners too, the guests' tasks, so that the default is to keep them. A task that leaves them no address
        in their subnet is refused then.
    type: bool
    default: false
  allow_overlap:
    description:
      - Other virtual networks, by name, or subnets, like V(10.20.0.0/16), with which the subnets of this network may overlap,
        for networks that are never active together.
    type: list
    elements: str
    default: []
  force:
    description:
      - Stop or remove the network even when running guests are plugged in. They lose their connection.
    type: bool
    default: false
  lock_timeout:
    description:
      - How long to wait, in seconds, for another task that is changing this host's networks.
    type: int
    default: 60
extends_documentation_fragment:
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

- name: What has no option of its own is said in XML
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
pending_restart:
  description:
    - Whether the stored definition differs from what is running, so that it takes effect only when the network is started anew.
  returned: success
  type: bool
  sample: false
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
