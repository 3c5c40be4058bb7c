#!/usr/bin/python
# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_bridge
short_description: Move a host's uplink into a bridge, with a way back
version_added: 0.1.0
author:
  - The kvmops.network authors (@kvmops)
description:
  - Makes a bridge over the host's uplink, so that guests are in the same network as the host. Addresses, routes, name servers and
    MTU of the uplink go to the bridge, which takes the uplink's MAC address, and asks for DHCP leases with the client id that the
    host has used before, so that it keeps its lease.
  - It is written down in the configuration of whoever manages the uplink, NetworkManager, systemd-networkd, netplan on one of
    these, or ifupdown, and survives a reboot. The uplink's own configuration is not touched (in netplan's files its definition
    becomes comments), and O(state=absent) is the exact way back to it.
  - Each change is a transaction. The way back is armed, and on the disk, before anything is changed; then the change is made,
    detached from the connection of the task, which it may cut. The controller then connects anew, over a new TCP connection, and
    confirms the change if the host is as wanted and its router answers. If that does not happen within O(confirm_timeout), for
    whatever reason, the host takes the change back by itself and is as it was before. So it is when it loses power meanwhile.
  - A second run changes nothing. A port that fell out of the bridge, a setting that is not as written, a file that was edited,
    are found, shown and put right. Interfaces of guests on the bridge are left alone by all of it.
  - The options say how the bridge gets its addresses only where they are given; without them it has what the uplink had when the
    bridge was made.
options:
  name:
    description:
      - The bridge's name, up to 15 bytes.
    type: str
    default: br0
  state:
    description:
      - With V(present), the bridge is there and the uplink is its port.
      - With V(absent), the uplink has its own configuration again, and the bridge is gone. A bridge that was not made by this
        module
        is not removed.
    type: str
    choices: [present, absent]
    default: present
  uplink:
    description:
      - The interface that becomes the bridge's port, such as V(eth0).
      - With V(auto), the one that the host's best default route leads over; of a bridge that is there already, the one it has.
      - The interface must be wired, no port of something else, and carry no macvtap or macvlan device.
    type: str
    default: auto
  backend:
    description:
      - Who manages the uplink. With V(auto) this is found out.
      - With V(netplan), netplan tells NetworkManager or systemd-networkd what to do; which of them is found out in any case.
      - An interface that two manage is refused.
    type: str
    choices: [auto, ifupdown, netplan, networkd, networkmanager]
    default: auto
  mac:
    description:
      - The bridge's MAC address. When omitted, the one that the uplink had when the bridge was made.
    type: str
  mtu:
    description:
      - The MTU of bridge and uplink. When omitted, the one that the uplink had when the bridge was made.
    type: int
  stp:
    description:
      - Whether the bridge takes part in the spanning tree protocol. With it, nothing passes a new port for twice
        O(forward_delay).
    type: bool
    default: false
  forward_delay:
    description:
      - The bridge's forward delay in seconds. When omitted, V(0) without O(stp) and V(15) with it; with it from 2 to 30.
    type: int
  ipv4:
    description:
      - How the bridge gets its IPv4 addresses. When omitted, as the uplink did.
    type: dict
    suboptions:
      method:
        description:
          - V(dhcp) from a DHCP server, V(static) those in O(ipv4.addresses), V(none) none.
        type: str
        choices: [dhcp, static, none]
        required: true
      addresses:
        description:
          - Addresses with the length of their prefix, such as V(192.0.2.10/24).
        type: list
        elements: str
      gateway:
        description:
          - The router for the default route.
        type: str
  ipv6:
    description:
      - How the bridge gets its IPv6 addresses. When omitted, as the uplink did.
    type: dict
    suboptions:
      method:
        description:
          - V(auto) from what routers say, V(dhcp) from a DHCP server, V(static) those in O(ipv6.addresses), V(none) only a
            link-local
            one.
        type: str
        choices: [auto, dhcp, static, none]
        required: true
      addresses:
        description:
          - Addresses with the length of their prefix, such as V(2001:db8::10/64).
        type: list
        elements: str
      gateway:
        description:
          - The router for the default route.
        type: str
  dns:
    description:
      - Name servers and search domains of the bridge. What is omitted is as the uplink's configuration has it.
    type: dict
    suboptions:
      servers:
        description:
          - Addresses of name servers, instead of the uplink's, and of those that DHCP servers and routers name.
        type: list
        elements: str
      search:
        description:
          - Domains in which short names are looked up, instead of the uplink's.
        type: list
        elements: str
  confirm_timeout:
    description:
      - Within how many seconds the change must be confirmed, from 10 to 3600. When omitted, V(60), and V(120) with O(stp).
    type: int
  confirm_host:
    description:
      - The address or name at which the controller reaches the host after the change. When omitted, the same as before.
      - Give it when the change gives the host another address, and use it in the inventory from then on.
      - It needs a connection of SSH, which has to know the host's key under this name or address.
    type: str
  check_gateway:
    description:
      - Whether the change is confirmed only if the host's router answers it.
    type: bool
    default: true
  force:
    description:
      - Whether O(state=absent) cuts off guests that are plugged into the bridge. Without it, that is refused.
      - They stay plugged into the bridge, which has no uplink any more and is gone after the next boot.
    type: bool
    default: false
  lock_timeout:
    description:
      - How many seconds to wait for another task that is changing this host's networks.
    type: int
    default: 60
requirements:
  - systemd 247 or later
  - iproute2
  - NetworkManager 1.42 or later, or systemd-networkd, or Debian's ifupdown 0.8.41 or later
  - python3-yaml, where netplan manages the uplink
notes:
  - Where cloud-init may write netplan's files again, a warning says how to keep it from that.
  - Where the host's own firewall would silence guests on the bridge, as Docker's, ufw or firewalld may where C(br_netfilter) is
    loaded, there is a warning, also in check mode and where nothing is changed. The role P(kvmops.network.external_bridge#role)
    puts it right on request (O(kvmops.network.external_bridge#role:main:external_bridge_filtering)).
  - Of several hosts that are one another's router or name server, change one after the other (C(serial) in the play).
  - With another connection than SSH, the confirmation goes over a connection of that kind; with C(local) the host confirms
    itself,
    which shows nothing but that its router answers.
  - With ifupdown, the DHCP client is dhclient or dhcpcd, and O(dns) is refused, since ifupdown itself knows no name servers.
  - The way back can also be taken by hand, with M(kvmops.network.host_bridge_transaction), or on the host itself with
    C(sh /var/lib/kvmops-network/transaction/revert). The folder has a log.
extends_documentation_fragment:
  - kvmops.network._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - The diff shows links, addresses and routes, what happens to the host's connections, and each file.
  idempotent:
    support: full
  platform:
    platforms: linux
    support: full
seealso:
  - module: kvmops.network.host_bridge_info
  - module: kvmops.network.host_bridge_transaction
  - module: kvmops.network.libvirt_network
"""

EXAMPLES = r"""
- name: Guests can be plugged into the host's own network
  kvmops.network.host_bridge:
    name: br0

- name: The same over a certain interface, with more time for a slow switch
  kvmops.network.host_bridge:
    name: br0
    uplink: enp3s0
    confirm_timeout: 180

- name: The host gets a fixed address on this occasion
  kvmops.network.host_bridge:
    name: br0
    ipv4:
      method: static
      addresses: [192.0.2.10/24]
      gateway: 192.0.2.1
    dns:
      servers: [192.0.2.1]
    confirm_host: 192.0.2.10

- name: The uplink is as it was before there was a bridge
  kvmops.network.host_bridge:
    name: br0
    state: absent
"""

RETURN = r"""
actions:
  description: What was done, or would be done in check mode, step by step.
  type: list
  elements: str
  returned: success
  sample:
    - make the bridge br0 with the MAC address 52:54:00:12:34:56
    - make eth0 its port
    - move 192.0.2.10/24 from eth0 to br0
reasons:
  description: Why, that is, what was not as wanted.
  type: list
  elements: str
  returned: success
  sample: [br0 is not there yet]
outage:
  description: What happens to the host's connections.
  type: str
  returned: when changed
  sample: Connections stay; the addresses move in one step, within a fraction of a second.
bridge:
  description: The bridge, as it is on the host after the change; in check mode as it is.
  type: dict
  returned: when there is one, or shall be one
  contains:
    name:
      description: Its name.
      type: str
      returned: always
      sample: br0
    uplink:
      description: The interface that is its port towards the network.
      type: str
      returned: always
      sample: eth0
    backend:
      description: Who manages it.
      type: str
      returned: always
      sample: networkd
    exists:
      description: Whether it is there.
      type: bool
      returned: always
      sample: true
    mac:
      description: Its MAC address.
      type: str
      returned: always
      sample: 52:54:00:12:34:56
    mtu:
      description: Its MTU.
      type: int
      returned: always
      sample: 1500
    stp:
      description: Whether STP is on.
      type: bool
      returned: always
      sample: false
    forward_delay:
      description: Its forward delay in seconds.
      type: float
      returned: always
      sample: 0.0
    ports:
      description: All its ports, those of guests among them.
      type: list
      elements: str
      returned: always
      sample: [eth0, vnet0]
    addresses:
      description: Its addresses, without link-local ones.
      type: list
      elements: str
      returned: always
      sample: [192.0.2.10/24]
    gateway:
      description: The router of the default route over it, V(null) where there is none.
      type: str
      returned: always
      sample: 192.0.2.1
transaction:
  description: The transaction in which the change was made.
  type: dict
  returned: when changed and not in check mode
  contains:
    id:
      description: Its number.
      type: str
      returned: always
      sample: 3f9a01c2
    confirm_timeout:
      description: The seconds within which it had to be confirmed.
      type: int
      returned: always
      sample: 60
    confirmed_after:
      description: The seconds after which it was confirmed.
      type: float
      returned: when it was confirmed
      sample: 2.4
tried:
  description: What came of each attempt to confirm the change, with the seconds since it began.
  type: list
  elements: str
  returned: when the change was not confirmed
  sample: ["4.1 s: no route to host"]
log:
  description: What the host did, line by line.
  type: list
  elements: str
  returned: when the change was taken back
  sample: ["10:41:07 the change begins"]
seen:
  description: What the host saw of its links, addresses, routes and neighbours before it took the change back.
  type: list
  elements: str
  returned: when the change was taken back
  sample: ["br0              UP             192.0.2.10/24"]
"""

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._bridge.options import BRIDGE_OPTIONS
from ansible_collections.kvmops.network.plugins.module_utils._bridge.task import run_bridge_task


def main() -> t.NoReturn:
    """Bring a host's bridge into the wanted state, as far as a host can do that alone."""
    run_bridge_task(BRIDGE_OPTIONS)


if __name__ == "__main__":
    main()
