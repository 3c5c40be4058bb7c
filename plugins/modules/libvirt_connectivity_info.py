#!/usr/bin/python
# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: libvirt_connectivity_info
short_description: Find out why guests of a KVM/libvirt host have no connection
version_added: 0.1.0
author:
  - The kvmops.network authors (@kvmops)
description:
  - Looks at the virtual networks of a host, at what passes through it, and at the guests that run, and asks these whether they
    are there. What is wrong is returned in one sentence of cause and cure each.
  - It goes from the host outwards to the guests. What is seen at a guest, such as no lease or no answer to a ping, is a finding
    of its own only where nothing that was found before brings it about.
  - It changes nothing. Pings and connections go to guests alone, over bridges of the host on which it has an address itself,
    except for O(outside).
options:
  guests:
    description:
      - The guests to look at. When omitted, all that run.
      - A guest that is named is expected to be there. That it is off is a finding then, and so are a link that is down in its
        stored definition too, and a network without DHCP on which no address of it was seen.
    type: list
    elements: str
  networks:
    description:
      - The networks to look at. When omitted, all. Leave out those that you keep stopped, or do not start at boot, on purpose.
    type: list
    elements: str
  ports:
    description:
      - TCP ports that have to be open on the guests, at one of the addresses that answer.
      - When omitted, port 22 is tried and shown, and is no finding whatever comes of it.
    type: list
    elements: int
  timeout:
    description:
      - How many seconds to wait for an answer to a ping or from a port. All are asked at the same time.
      - Who has not answered is asked for his MAC address, and has as many seconds for that.
    type: int
    default: 3
  outside:
    description:
      - An IP address beyond the host that the host itself shall reach, on which guests depend. The host pings it.
      - When omitted, nothing is sent there.
    type: str
extends_documentation_fragment:
  - kvmops.network._libvirt
  - kvmops.network._attributes
  - kvmops.network._attributes.libvirt
  - kvmops.network._attributes.info_module
attributes:
  platform:
    platforms: linux
    support: full
notes:
  - The firewall is read with C(nft) and C(iptables-save), for which the user must be root. Where neither can be run, its rules
    are not looked at, and a warning says so.
  - A rule of the firewall is a finding only where it is sure that it keeps packets from guests. Rules that ask for what is not
    known here, such as sets of addresses, are taken for harmless.
  - Without C(ping), only ports are tried, and it is seen who tells the host his MAC address.
seealso:
  - ref: ansible_collections.kvmops.network.docsite.verify_guide
    description: What is found, how it is told, and what to do about it.
  - module: kvmops.network.libvirt_network_info
  - module: kvmops.network.libvirt_domain_nic_info
"""

EXAMPLES = r"""
- name: See what is wrong with the guests' connections
  kvmops.network.libvirt_connectivity_info:
  register: seen

- name: Show it
  ansible.builtin.debug:
    msg: "{{ seen.report.splitlines() }}"

- name: Stop unless two guests are there, and answer to SSH
  kvmops.network.libvirt_connectivity_info:
    guests: [web, db]
    ports: [22]
  register: seen
  failed_when: not seen.ok

- name: See whether the host reaches the internet as well
  kvmops.network.libvirt_connectivity_info:
    outside: 192.0.2.1
"""

RETURN = r"""
requirement:
  description:
    - What the task lacks. V(permission), the user may not manage libvirt; V(uri), O(uri) cannot be.
    - A host without libvirt, or one whose daemon does not answer, is no failure but in RV(findings).
  returned: failure, if something is missing
  type: str
  sample: permission
ok:
  description: Whether nothing was found.
  returned: success
  type: bool
  sample: false
findings:
  description: What is wrong, from the host outwards to the guests.
  returned: success
  type: list
  elements: dict
  contains:
    about:
      description:
        - A word for the kind of finding, for playbooks. The guide has all of them.
      type: str
      returned: always
      sample: network_inactive
    subject:
      description: What it is about.
      type: str
      returned: always
      sample: network default
    severity:
      description: V(error), something is cut off now; V(warning), it will be, at the next boot.
      type: str
      returned: always
      sample: error
    cause:
      description: What is wrong.
      type: str
      returned: always
      sample: The network 'default' does not run
    cure:
      description: What to do about it.
      type: str
      returned: always
      sample: start it with 'virsh net-start default'
    sentence:
      description: Both in one sentence.
      type: str
      returned: always
      sample: The network 'default' does not run; start it with 'virsh net-start default'.
    guests:
      description: The guests at which it was seen.
      type: list
      elements: str
      returned: always
      sample: [web]
networks:
  description: The networks that were looked at, ordered by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      returned: always
      sample: default
    mode:
      description: How it forwards, V(none) for an isolated one.
      type: str
      returned: always
      sample: nat
    active:
      description: Whether it runs.
      type: bool
      returned: always
      sample: true
    autostart:
      description: Whether libvirt starts it at boot.
      type: bool
      returned: always
      sample: true
    persistent:
      description: Whether its definition is stored.
      type: bool
      returned: always
      sample: true
    bridge:
      description: The name of its bridge on the host, V(null) where it has none.
      type: str
      returned: always
      sample: virbr0
    addresses:
      description: The host's addresses on it by its definition.
      type: list
      elements: str
      returned: always
      sample: [192.168.122.1/24]
    bridge_addresses:
      description: The addresses that its bridge has.
      type: list
      elements: str
      returned: always
      sample: [192.168.122.1/24]
    dhcp_ranges:
      description: The addresses that it gives away.
      type: list
      elements: dict
      returned: always
      contains:
        start:
          description: The first address.
          type: str
          returned: always
          sample: 192.168.122.2
        end:
          description: The last address.
          type: str
          returned: always
          sample: 192.168.122.254
    dnsmasq:
      description: Whether its DHCP and DNS server runs, V(null) where it needs none, or cannot be seen.
      type: bool
      returned: always
      sample: true
guests:
  description: The guests that run, and those that were named, ordered by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      returned: always
      sample: web
    state:
      description: V(running), V(paused) or V(off).
      type: str
      returned: always
      sample: running
    nics:
      description: Its NICs, as it runs.
      type: list
      elements: dict
      returned: always
      contains:
        mac:
          description: Its MAC address.
          type: str
          returned: always
          sample: 52:54:00:6b:3c:58
        type:
          description: The kind of thing that it is plugged into.
          type: str
          returned: always
          sample: network
        network:
          description: The network that it is plugged into, V(null) where that is none.
          type: str
          returned: always
          sample: default
        bridge:
          description: The bridge that it is plugged into, V(null) where that is none.
          type: str
          returned: always
          sample: virbr0
        device:
          description: The host's end of it.
          type: str
          returned: always
          sample: vnet0
        link:
          description: V(up) or V(down).
          type: str
          returned: always
          sample: up
        addresses:
          description: The addresses that were seen at it, and what came of asking them.
          type: list
          elements: dict
          returned: always
          contains:
            address:
              description: The address.
              type: str
              returned: always
              sample: 192.168.122.17
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
            ping:
              description: Whether it answers a ping, V(null) where it was not asked.
              type: bool
              returned: always
              sample: true
            ports:
              description: The ports that were tried, each V(open), V(closed), which is an answer as well, or V(silent).
              type: dict
              returned: always
              sample: {"22": open}
report:
  description: All of it as a text of two tables and the sentences.
  returned: success
  type: str
  sample: |
    NETWORK  MODE  STATE   AUTOSTART  PERSISTENT  BRIDGE  HOST IS           GUESTS GET
    default  nat   active  yes        yes         virbr0  192.168.122.1/24  192.168.122.2 to 192.168.122.254

    GUEST  STATE    NIC                ON       LINK  ADDRESS         SEEN BY     PING  PORTS
    web    running  52:54:00:6b:3c:58  default  up    192.168.122.17  lease, arp  yes   22 open

    Nothing is wrong.
"""

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.reading import run_connectivity_reading


def main() -> t.NoReturn:
    """Look at the connections of guests."""
    run_connectivity_reading()


if __name__ == "__main__":
    main()
