#!/usr/bin/python
# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: libvirt_nwfilter_info
short_description: Read the network filters of a KVM/libvirt host
version_added: 0.1.0
author:
  - The kvmops.network authors (@kvmops)
description:
  - Returns the network filters of a host, with their rules, the filters that they are made of, and the guests' NICs that they
    look at.
options:
  names:
    description:
      - The filters to return. When omitted, all.
      - Names of which there is no filter are listed in RV(missing).
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
  - module: kvmops.network.libvirt_nwfilter
"""

EXAMPLES = r"""
- name: Read all filters of the host
  kvmops.network.libvirt_nwfilter_info:
  register: found

- name: Show which guests send no false addresses
  ansible.builtin.debug:
    msg: "{{ found.filters | selectattr('name', 'equalto', 'clean-traffic') | map(attribute='nics') | flatten }}"
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
  description: Which of O(names) there are not.
  returned: success
  type: list
  elements: str
  sample: []
filters:
  description: The filters by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      returned: always
      sample: office
    exists:
      description: Always V(true).
      type: bool
      returned: always
      sample: true
    uuid:
      description: Its UUID.
      type: str
      returned: always
      sample: fd59ad29-5bf7-4471-8b71-d9d7f3d9a1e0
    chain:
      description: The chain of ebtables that its rules are in.
      type: str
      returned: always
      sample: mac-0f9d3c62
    priority:
      description: The place of that chain among the others, the least first.
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
      description: The filter as a libvirt document in normal form.
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

from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.reading import run_filter_reading


def main() -> t.NoReturn:
    """Read the network filters of a host."""
    run_filter_reading()


if __name__ == "__main__":
    main()
