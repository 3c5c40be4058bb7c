#!/usr/bin/python
# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_bridge_info
short_description: Read the bridges over a host's uplinks
version_added: 0.1.0
author:
  - The kvmops.network authors (@kvmops)
description:
  - Returns the bridges of a host that M(kvmops.network.host_bridge) made, as they are on the host.
options: {}
extends_documentation_fragment:
  - kvmops.network._attributes
  - kvmops.network._attributes.info_module
attributes:
  platform:
    platforms: linux
    support: full
seealso:
  - module: kvmops.network.host_bridge
"""

EXAMPLES = r"""
- name: Read the host's bridges
  kvmops.network.host_bridge_info:
  register: found

- name: Show where the host is
  ansible.builtin.debug:
    msg: "{{ item.name }} over {{ item.uplink }} has {{ item.addresses | join(', ') }}"
  loop: "{{ found.bridges }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
bridges:
  description: The bridges, by name.
  type: list
  elements: dict
  returned: success
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
"""

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._bridge.reading import run_bridge_reading


def main() -> t.NoReturn:
    """Return the bridges over a host's uplinks."""
    run_bridge_reading()


if __name__ == "__main__":
    main()
