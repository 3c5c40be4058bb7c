#!/usr/bin/python
# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: libvirt_port_forward_info
short_description: Read which ports of a KVM host lead into guests
version_added: 0.1.0
author:
  - The kvmops.network authors (@kvmops)
description:
  - Returns the port forwards of a host that were made with M(kvmops.network.libvirt_port_forward), and for each of them why it
    does not work, if it does not.
options:
  names:
    description:
      - The forwards to return. When omitted, all.
      - Names of which there is no forward are listed in RV(missing).
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
  - module: kvmops.network.libvirt_port_forward
"""

EXAMPLES = r"""
- name: Read all port forwards of the host
  kvmops.network.libvirt_port_forward_info:
  register: found

- name: Show what is wrong with them
  ansible.builtin.debug:
    msg: "{{ found.forwards | map(attribute='problems') | flatten }}"
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
forwards:
  description: The forwards by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      returned: always
      sample: web-ssh
    exists:
      description: Always V(true).
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
      description: The guest, V(null) where the task named none.
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
    problems:
      description: Why it does not work, or may soon not; a sentence for each reason, with what to do.
      type: list
      elements: str
      returned: always
      sample:
        - The guest 'web' does not run; start it.
"""

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._forward.reading import run_forward_reading


def main() -> t.NoReturn:
    """Read the port forwards of a host."""
    run_forward_reading()


if __name__ == "__main__":
    main()
