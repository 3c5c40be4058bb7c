#!/usr/bin/python
# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: libvirt_domain_nics
short_description: Manage NICs of KVM/libvirt guests in one task
version_added: 0.1.0
author:
  - The kvmops.network authors (@kvmops)
description:
  - Brings NICs of one guest or of several into the wanted state, with one connection, one reading pass and one plan over all of
    them.
  - Each entry has the options of M(kvmops.network.libvirt_domain_nic) and is treated as that module treats it. All entries are
    checked against the host and against each other before anything is changed; the task says at once what is wrong with any of
    them.
  - Two guests may swap their reserved addresses.
  - A guest that fails is put back as it was, with all of its NICs. The others are changed all the same, and RV(nics) says what
    became of each.
options:
  prune:
    description:
      - Take away those NICs of the guests in O(nics) that are not in it. Guests that are not named are not looked at.
      - Devices of the host that are handed to guests and other NICs of types that this module does not make (C(hostdev), C(vdpa),
        C(vhostuser) and so on) are never pruned.
    type: bool
    default: false
extends_documentation_fragment:
  - kvmops.network._nic.list
  - kvmops.network._nic.times
  - kvmops.network._libvirt
  - kvmops.network._attributes
  - kvmops.network._attributes.libvirt
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - There is one diff for each NIC that changes. It shows the NIC in a normal form, as it is stored, as it runs, and what
        the networks reserve for it.
  idempotent:
    support: full
  platform:
    platforms: linux
    support: full
seealso:
  - module: kvmops.network.libvirt_domain_nic
  - module: kvmops.network.libvirt_domain_nic_info
"""

EXAMPLES = r"""
- name: The guests of this host are plugged in, with addresses that stay theirs
  kvmops.network.libvirt_domain_nics:
    nics:
      - domain: web
        alias: lan
        definition: replace
        source:
          network: red_nat_lab
        reservation:
          ipv4: 192.168.101.10
      - domain: web
        alias: backend
        definition: replace
        source:
          network: red_aislada_dev
      - domain: db
        alias: backend
        definition: replace
        source:
          network: red_aislada_dev
        reservation:
          ipv4: 192.168.102.20

- name: The guest has this NIC and no other
  kvmops.network.libvirt_domain_nics:
    prune: true
    nics:
      - domain: db
        alias: backend
        source:
          network: red_aislada_dev
"""

RETURN = r"""
requirement:
  description:
    - What is missing on the host, for playbooks that want to go on without it. V(library), a Python library; V(daemon), libvirt's
      daemon does not answer; V(permission), the user may not manage libvirt; V(uri), O(uri) cannot be.
  returned: failure, if something is missing
  type: str
  sample: daemon
missing_networks:
  description:
    - The names of networks that O(nics[].source.network) names and that do not exist, where nothing but that and
      RV(missing_filters) is a reason to refuse.
  returned: failure, if networks or filters are missing
  type: list
  elements: str
  sample: [red_nat_lab]
missing_filters:
  description:
    - The names of network filters that O(nics[].filterref.filter) names and that do not exist, likewise.
  returned: failure, if networks or filters are missing
  type: list
  elements: str
  sample: []
nics:
  description:
    - What became of each NIC, in the order of O(nics); pruned ones follow.
  returned: success, or failure of one of the guests after the first change
  type: list
  elements: dict
  contains:
    domain:
      description: The guest.
      type: str
      returned: always
      sample: web
    status:
      description:
        - V(unchanged), it was as wanted; V(changed), it is now, or would be in check mode; V(failed), it could not be changed.
      type: str
      returned: always
      sample: changed
    changed:
      description: Whether it was changed, or would be in check mode.
      type: bool
      returned: always
      sample: true
    msg:
      description: Why it failed, empty otherwise.
      type: str
      returned: always
      sample: ""
    actions:
      description: What was done, or would be done in check mode, with the reason of each step.
      type: list
      elements: str
      returned: always
      sample:
        - "define: the NIC is not in the guest's definition"
        - "attach: the guest runs without the NIC"
    nic:
      description: The NIC after the task; in check mode, as it would be. V(null) where there is none.
      type: dict
      returned: always
      contains:
        domain:
          description: The guest.
          type: str
          returned: always
          sample: web
        mac:
          description: The MAC address; of a running guest, the one that it has now.
          type: str
          returned: always
          sample: 52:54:00:6b:3c:58
        alias:
          description: The name of the NIC, V(null) where it has none.
          type: str
          returned: always
          sample: lan
        type:
          description: The kind of thing that it is plugged into.
          type: str
          returned: always
          sample: network
        source:
          description: What it is plugged into, in the form of the option C(source).
          type: dict
          returned: always
          sample: {network: red_nat_lab}
        bridge:
          description: The bridge of the host that it is plugged into now, V(null) where that is none.
          type: str
          returned: always
          sample: virbr101
        device:
          description: The host's end of the NIC, the tap device, V(null) while it is not plugged in.
          type: str
          returned: always
          sample: vnet3
        model:
          description: The card that the guest sees.
          type: str
          returned: always
          sample: virtio
        link:
          description: V(up) or V(down).
          type: str
          returned: always
          sample: up
        plugged:
          description: Whether the guest runs with the NIC.
          type: bool
          returned: always
          sample: true
        persistent:
          description: Whether the NIC is in the guest's stored definition.
          type: bool
          returned: always
          sample: true
        addresses:
          description:
            - The addresses that were seen at the NIC.
          type: list
          elements: dict
          returned: always
          contains:
            address:
              description: The address.
              type: str
              returned: always
              sample: 192.168.101.10
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
        pending:
          description: Whether something of the NIC takes effect only when the guest is started anew.
          type: bool
          returned: always
          sample: false
        pending_changes:
          description: What that is, names of options; V(place) is what the NIC is plugged into.
          type: list
          elements: str
          returned: always
          sample: [mtu]
        definition:
          description: Its stored definition in the form of the options; what is libvirt's default is left out.
          type: dict
          returned: always
          sample: {type: network, source: {network: red_nat_lab}, model: virtio}
        xml:
          description: The same as a libvirt element in normal form.
          type: str
          returned: always
          sample: <interface type="network">...</interface>
"""

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._nic.options import NICS_OPTIONS
from ansible_collections.kvmops.network.plugins.module_utils._nic.task import run_nics_task


def main() -> t.NoReturn:
    """Bring the NICs of a list into the wanted state."""
    run_nics_task(NICS_OPTIONS)


if __name__ == "__main__":
    main()
