#!/usr/bin/python
# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: libvirt_port_forward
short_description: Lead a port of a KVM host into a guest
version_added: 0.1.0
author:
  - The kvmops.network authors (@kvmops)
description:
  - Guests on a NAT network are reached by nobody outside. This module leads ports of the host to ports of a guest, for TCP and
    UDP, and keeps that so over restarts of networks, of libvirt, of the guest and of the host, and when somebody flushes the
    firewall.
  - They are reached from the LAN, from the host itself, also at V(127.0.0.1), and from guests, at any address of the host or at
    O(host_address) alone. The guest sees the address of who asks, but for guests of the same network and for V(127.0.0.1),
    whom it sees as the host.
  - The address of a guest is reserved for it in its network, so that the forward always leads to it.
  - The rules are in a table of nftables of their own. libvirt's rules refuse what comes from outside, whether it makes them with
    iptables or with nftables, and so does a C(FORWARD) policy of drop as Docker sets it. Therefore one rule more is put in front
    of both, which lets pass what a forward leads to a guest, and nothing else.
  - A unit of systemd, C(kvmops-port-forwards.service), puts the rules there after libvirt has started and watches them. Stopping
    it closes the ports. The unit, the rules and all files are gone with the last forward.
  - What cannot work is refused before anything is changed, in check mode too.
options:
  name:
    description:
      - The forward's name, with up to 63 letters, digits, V(-), V(_) and V(.).
      - What a task says is the whole forward. A task with the name of another guest's forward changes that one.
    type: str
    required: true
  state:
    description:
      - V(present), the ports lead into the guest.
      - V(absent), they do not. A reservation that was made for the guest stays with it. Options other than O(name) do not matter
        then, so that a list of forwards can say of some that they shall be absent.
    type: str
    choices: [present, absent]
    default: present
  protocols:
    description:
      - For which protocols.
    type: list
    elements: str
    choices: [tcp, udp]
    default: [tcp]
  host_address:
    description:
      - The address of the host whose port it is, for example V(203.0.113.4), or V(127.0.0.1) for the host's own processes alone.
      - V(0.0.0.0) are all its IPv4 addresses, and V(::) all its IPv6 addresses. When omitted, all those of the version of IP that
        O(address) has, of IPv4 without one.
    type: str
  host_port:
    description:
      - The host's port such as V(8080), or ports such as V(8000-8010). Refused if a process of the host or another forward has
        one of them.
      - When omitted, free ones of O(host_port_range). They stay the same as long as the forward is there.
    type: str
  host_port_range:
    description:
      - From which ports a free one is taken. Only used without O(host_port).
    type: str
    default: 10000-19999
  domain:
    description:
      - The guest. It needs a NIC on a network for which libvirt makes the bridge.
      - Needed unless O(network) and O(address) are given.
    type: str
  network:
    description:
      - The network of O(domain) that is meant, where the guest is on several.
      - Without O(domain), the network of O(address).
    type: str
  address:
    description:
      - The guest's address. With O(domain), it is reserved for the guest unless the network gives no addresses by DHCP.
      - When omitted, the address that is reserved for the guest, else the one that it has by DHCP, else a free one that follows
        from its name. The guest gets a new one when it asks for its address again.
      - Without O(domain), DHCP must not give the address to any guest that comes along.
      - It may be of IPv6; an O(host_address) is then as well.
    type: str
  guest_port:
    description:
      - The guest's port, or as many ports as O(host_port) has.
      - When omitted, those of O(host_port).
    type: str
  method:
    description:
      - V(rules), rules of the firewall, as described above. It is for networks of mode C(nat), C(route) and C(open).
      - V(open), the same for a network of mode C(open), for which libvirt makes no rules. The rules are then all that a network
        of mode C(nat) has too. The guests reach the outside as the host, and nobody outside reaches them except by forwards, as
        long as there is a forward of this kind.
      - V(proxy), a process of the host that passes connections on (C(systemd-socket-proxyd)). It does without rules and is for
        isolated networks too, but for TCP and up to 16 ports alone, and the guest sees the host as who asks.
      - V(auto), a proxy for isolated networks, and rules for others. RV(reason) says why.
    type: str
    choices: [auto, rules, open, proxy]
    default: auto
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
      - The diff shows the forward, and the rules or the units that make it.
  idempotent:
    support: full
  platform:
    platforms: linux
    support: full
    details:
      - The host runs systemd and has C(nft) (nftables 0.9.8 or later).
notes:
  - A reservation that has to be made first is a change of the running network. On NAT networks libvirt writes the network's
    firewall rules anew for it, which guests feel for some tenths of a second.
  - So that processes of the host reach a forward at 127.0.0.1, the kernel's C(route_localnet) is set for the bridge of the
    network. Rules keep guests from the host's loopback addresses as before.
  - Where C(net.bridge.bridge-nf-call-iptables) is 1, as with Docker, a guest does not reach its own forward. The task
    warns of it.
  - What a rule of somebody else's in nftables drops is dropped. Other tables than libvirt's and that of iptables are left alone.
seealso:
  - module: kvmops.network.libvirt_port_forward_info
  - module: kvmops.network.libvirt_domain_nic
    description: Reserves addresses for guests, too.
  - module: kvmops.network.libvirt_network
"""

EXAMPLES = r"""
- name: SSH of a guest is at port 2222 of the host
  kvmops.network.libvirt_port_forward:
    name: web-ssh
    domain: web
    host_port: "2222"
    guest_port: "22"

- name: A web server, at one address of the host
  kvmops.network.libvirt_port_forward:
    name: web
    domain: web
    host_address: 203.0.113.4
    host_port: "80"

- name: Any free port for VNC
  kvmops.network.libvirt_port_forward:
    name: desktop-vnc
    domain: desktop
    guest_port: "5900"
  register: vnc

- name: Say which one it is
  ansible.builtin.debug:
    msg: "{{ inventory_hostname }}:{{ vnc.forward.host_port }}"

- name: A DNS server with an address of its own choice, for both protocols
  kvmops.network.libvirt_port_forward:
    name: dns
    network: default
    address: 192.168.122.5
    host_address: 203.0.113.4
    host_port: "53"
    protocols: [tcp, udp]

- name: A range of ports
  kvmops.network.libvirt_port_forward:
    name: voice-media
    domain: voice
    host_port: 20000-20099
    protocols: [udp]

- name: For processes of the host alone, into an isolated network
  kvmops.network.libvirt_port_forward:
    name: database
    domain: database
    host_address: 127.0.0.1
    host_port: "5432"

- name: The port is closed
  kvmops.network.libvirt_port_forward:
    name: web-ssh
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
actions:
  description: What was done, or would be done in check mode, with the reason of each step.
  returned: success
  type: list
  elements: str
  sample:
    - "reserve: 192.168.122.17 on the network 'default' for 52:54:00:6b:3c:58"
    - "add: * tcp 2222 -> 192.168.122.17:22"
reason:
  description: Why the forward is made by this method; empty for one that is absent.
  returned: success
  type: str
  sample: the network 'default' is of mode nat, whose guests can answer
forward:
  description: The forward after the task; in check mode, as it would be.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      returned: always
      sample: web-ssh
    exists:
      description: Whether it is there. If not, what follows is V(null).
      type: bool
      returned: always
      sample: true
    protocols:
      description: For which protocols it is.
      type: list
      elements: str
      returned: always
      sample: [tcp]
    host_address:
      description: The address of the host, V(null) for any.
      type: str
      returned: always
      sample: 203.0.113.4
    host_ports:
      description: The ports of the host.
      type: str
      returned: always
      sample: "2222"
    host_port:
      description: The first of them, as a number.
      type: int
      returned: always
      sample: 2222
    domain:
      description: The guest, V(null) where the task names none.
      type: str
      returned: always
      sample: web
    network:
      description: The guest's network.
      type: str
      returned: always
      sample: default
    address:
      description: The guest's address.
      type: str
      returned: always
      sample: 192.168.122.17
    guest_ports:
      description: The ports of the guest.
      type: str
      returned: always
      sample: "22"
    method:
      description: How it is done, V(rules), V(open) or V(proxy).
      type: str
      returned: always
      sample: rules
"""

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._forward.task import run_forward_task


def main() -> t.NoReturn:
    """Bring one port forward into the wanted state."""
    run_forward_task()


if __name__ == "__main__":
    main()
