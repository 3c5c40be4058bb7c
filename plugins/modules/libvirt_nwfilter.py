#!/usr/bin/python
# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: libvirt_nwfilter
short_description: Manage a network filter of a KVM/libvirt host
version_added: 0.1.0
author:
  - The kvmops.network authors (@kvmops)
description:
  - Defines, changes and removes one network filter of libvirt. A filter looks at the frames of each guest's NIC that names it,
    see O(kvmops.network.libvirt_domain_nic#module:filterref).
  - A filter is given as O(rules) in plain words, as O(filters) that it is made of, as both, or as a whole document in O(xml).
    What is given is all that the filter is afterwards; rules that it had before are gone.
  - A changed filter is in force at once for the running guests whose NICs have it; libvirt sees to that, and the step in
    RV(actions) names them. Connections that the new rules let pass go on.
  - The filter is compared by meaning with what libvirt has. Its UUID, numbers and masks that are written in another way, and
    the order of what has different priorities make no difference.
  - What cannot work is refused before anything is changed, in check mode too.
options:
  name:
    description:
      - The filter.
    type: str
    required: true
  state:
    description:
      - V(present), the filter is there. Without O(rules), O(filters) and O(xml) it has to exist already, and stays as it is.
      - V(absent), it is not. This is refused while a guest's NIC, also one of a guest that is off, or another filter names it.
    type: str
    choices: [present, absent]
    default: present
  rules:
    description:
      - The rules, each a text. For each packet the first rule that matches decides; what no rule matches passes. An empty list
        lets everything pass.
      - C(pass) or C(block), then C(in) (to the guest), C(out) (from the guest) or C(any), then what the packet has to be, in any
        order. C(from) and C(to), each with an address, a subnet, C(any) or C(all), and with C(port) and a port or a range
        such as C(8000-8080); C(proto) with C(tcp), C(udp), C(sctp), C(icmp) or C(icmpv6). What is left out matches everything.
      - A port without C(from) or C(to) is the one that the packet goes to. Without C(proto), a port is one of TCP and of UDP.
      - C(block local) blocks what goes between the guest and the other guests or the host, but for DHCP and DNS of the gateways.
        C(block guests) blocks what goes between guests, also over the gateway, and lets everything to and from the gateways
        pass. C(pass local) and C(pass guests) let it pass. C(block arp) hides guests from each other, only the gateways' ARP
        passes. They need O(local). What they let pass is decided, whatever rules follow.
      - Rules are about IPv4 and IPv6, and each packet is looked at by itself. An answer needs to be let pass as well.
        ARP (without C(block arp)) and IPv6's neighbour discovery always pass, DHCP does not.
      - This is the grammar of the packet filter of Anka, with C(proto), C(guests), C(arp) and ranges of ports besides.
    type: list
    elements: str
  local:
    description:
      - What is local, for rules with C(local), C(guests) or C(arp).
    type: dict
    suboptions:
      subnets:
        description:
          - The subnets of the guests. Where none of them is of IPv6, all IPv6 is local.
        type: list
        elements: str
        required: true
      gateways:
        description:
          - The host's addresses in the subnets. When omitted, the first one of each subnet.
        type: list
        elements: str
      host_addresses:
        description:
          - Whether the host's other addresses are local too. They are those that it has when the task runs; when they change, the
            next run changes the filter.
        type: bool
        default: true
  filters:
    description:
      - Other filters that are a part of this one, for example C(clean-traffic). A packet has to get past all of them.
      - When omitted or empty, none.
    type: list
    elements: dict
    suboptions:
      filter:
        description:
          - The name of a filter that exists.
        type: str
        required: true
      parameters:
        description:
          - Values of its variables; one that is given several times has several values. How libvirt learns addresses,
            C(CTRL_IP_LEARNING) and C(DHCPSERVER), it looks for at the NIC alone, and so they are refused here.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description:
              - The variable, for example V(IP).
            type: str
            required: true
          value:
            description:
              - Its value.
            type: str
            required: true
  xml:
    description:
      - The filter as a document of libvirt's, instead of O(rules) and O(filters). Its name has to be O(name).
    type: str
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
      - The diff shows the filter as libvirt's document in a normal form.
  idempotent:
    support: full
  platform:
    platforms: linux
    support: full
notes:
  - libvirt makes rules of ebtables from the filter, which the host needs to have; libvirt's own packages bring it.
  - Rules become a chain of their own, C(mac-) and eight characters, in front of what the stock filters accept. That is why they
    can be combined with C(clean-traffic).
  - NICs on macvtap interfaces cannot have a filter.
seealso:
  - module: kvmops.network.libvirt_nwfilter_info
  - module: kvmops.network.libvirt_domain_nic
  - name: Network filters
    description: libvirt's reference of what a filter can say.
    link: https://libvirt.org/formatnwfilter.html
"""

EXAMPLES = r"""
- name: No guest with this filter talks to the resolver of somebody else, or is reached by SSH
  kvmops.network.libvirt_nwfilter:
    name: office
    rules:
      - block out to 198.51.100.53 port 53
      - block in to port 22

- name: A guest talks to one address, gets an address by DHCP, and that is all
  kvmops.network.libvirt_nwfilter:
    name: proxy-only
    rules:
      - pass out to 203.0.113.40
      - pass in from 203.0.113.40
      - pass any proto udp from port 67-68 to port 67-68
      - block any

- name: Guests of a subnet reach the host and the outside, but not each other
  kvmops.network.libvirt_nwfilter:
    name: apart
    rules:
      - block guests
    local:
      subnets: [192.168.100.0/24]
      gateways: [192.168.100.1]

- name: Guests reach neither each other nor the host, and send no false addresses
  kvmops.network.libvirt_nwfilter:
    name: not-local
    rules:
      - block arp
      - block local
    local:
      subnets: [192.168.64.0/24]
    filters:
      - filter: clean-traffic

- name: False addresses are stopped, and two are the guest's own
  kvmops.network.libvirt_nwfilter:
    name: two-addresses
    filters:
      - filter: clean-traffic
        parameters:
          - {name: IP, value: 192.168.64.17}
          - {name: IP, value: 192.168.64.18}

- name: A filter that is said in a document
  kvmops.network.libvirt_nwfilter:
    name: no-ipv6
    xml: |
      <filter name='no-ipv6' chain='root'>
        <rule action='drop' direction='inout'><ipv6/></rule>
      </filter>

- name: The filter is taken away, once no guest needs it
  kvmops.network.libvirt_nwfilter:
    name: office
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
missing_filters:
  description: The names of filters in O(filters) that do not exist, where that is the reason to refuse.
  returned: failure, if filters are missing
  type: list
  elements: str
  sample: [office]
actions:
  description: What was done, or would be done in check mode, with the reason of each step.
  returned: success
  type: list
  elements: str
  sample:
    - "define: rules differ, in force at once for web (52:54:00:6b:3c:58)"
filter:
  description:
    - The filter after the task; in check mode, as it would be.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      returned: always
      sample: office
    exists:
      description: Whether it is there.
      type: bool
      returned: always
      sample: true
    uuid:
      description: Its UUID, V(null) for one that is absent or that check mode would create.
      type: str
      returned: always
      sample: fd59ad29-5bf7-4471-8b71-d9d7f3d9a1e0
    chain:
      description: The chain of ebtables that its rules are in, V(null) where it is absent.
      type: str
      returned: always
      sample: mac-0f9d3c62
    priority:
      description: The place of that chain among the others, the least first, V(null) where it is absent.
      type: int
      returned: always
      sample: -705
    rules:
      description: Its own rules as libvirt has them, in the order in which they count.
      type: list
      elements: dict
      returned: always
      contains:
        action:
          description: What becomes of a packet; V(return) lets it go on to the next filter.
          type: str
          returned: always
          sample: drop
        direction:
          description: V(in) to the guest, V(out) from the guest, or V(inout).
          type: str
          returned: always
          sample: in
        priority:
          description: Its place among the rules of the chain, the least first.
          type: int
          returned: always
          sample: 7
        protocol:
          description: What it is about, in libvirt's words, V(null) for everything.
          type: str
          returned: always
          sample: ip
        matches:
          description: What a packet has to have.
          type: dict
          returned: always
          sample: {protocol: tcp, dstportstart: '22'}
        matches_not:
          description: What a packet must not have.
          type: dict
          returned: always
          sample: {}
    filters:
      description: The filters that are a part of it.
      type: list
      elements: dict
      returned: always
      contains:
        filter:
          description: The name of one.
          type: str
          returned: always
          sample: clean-traffic
        parameters:
          description: What it is given, each with its C(name) and C(value).
          type: list
          elements: dict
          returned: always
          sample: [{name: IP, value: 192.168.64.17}]
    xml:
      description: The filter as a libvirt document in normal form, V(null) where it is absent.
      type: str
      returned: always
      sample: <filter name="office" chain="root">...</filter>
    used_by_filters:
      description: The filters that name it.
      type: list
      elements: str
      returned: always
      sample: []
    nics:
      description: The NICs that it looks at, by itself or as a part of another filter.
      type: list
      elements: dict
      returned: always
      contains:
        domain:
          description: The guest.
          type: str
          returned: always
          sample: web
        mac:
          description: The MAC address of the NIC.
          type: str
          returned: always
          sample: 52:54:00:6b:3c:58
        device:
          description: The host's end of the NIC, V(null) where the guest is off.
          type: str
          returned: always
          sample: vnet0
        running:
          description: Whether the guest runs with it; else it will when it is started.
          type: bool
          returned: always
          sample: true
"""

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.task import run_filter_task


def main() -> t.NoReturn:
    """Bring one network filter into the wanted state."""
    run_filter_task()


if __name__ == "__main__":
    main()
