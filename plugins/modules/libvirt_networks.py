#!/usr/bin/python
# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: libvirt_networks
short_description: Manage the virtual networks of a KVM/libvirt host in one task
version_added: 0.1.0
author:
  - The kvmops.network authors (@kvmops)
description:
  - Brings a list of virtual networks into the wanted state, with one connection, one reading pass and one plan over all of them.
  - Each entry has the options of M(kvmops.network.libvirt_network) and is treated as that module treats it. All entries are
    checked against the host, against the other networks, and against each other, before anything is changed; the task says at
    once what is wrong with any of them.
  - Networks may swap names of bridges and subnets. One that needs what another gives up is changed after it; those that need each
    other's are changed together.
  - A network that fails is put back as it was. Networks that need nothing of it are changed all the same, and RV(networks) says
    what became of each.
options:
  prune:
    description:
      - Remove networks that this module made and that are not in O(networks) any more.
      - Only networks that carry the module's mark in their C(<metadata>) are removed. The module marks each network that it
        creates; with O(prune=true) it also marks each network of the list that has a definition in the task. Networks that
        were made by hand, by other tools or by M(kvmops.network.libvirt_network) are never removed.
      - There is one mark for all lists of a host. Where one of them is pruned, name the networks of the others in O(protected).
      - It is refused while running guests are plugged into a network that would be removed, unless O(force=true).
    type: bool
    default: false
  protected:
    description:
      - Names of networks that are never pruned, whatever mark they carry.
    type: list
    elements: str
    default: [default]
  force:
    description:
      - Stop or remove networks even when running guests are plugged in, all of the list and those that are pruned. The guests
        lose their connection. For single networks, use O(networks[].force).
    type: bool
    default: false
  lock_timeout:
    description:
      - How long to wait, in seconds, for another task that is changing this host's networks.
    type: int
    default: 60
extends_documentation_fragment:
  - kvmops.network._network.list
  - kvmops.network._libvirt
  - kvmops.network._attributes
  - kvmops.network._attributes.libvirt
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - There is one diff for each network that changes. It shows the definition in a normal form. Values that libvirt makes up
        are shown as C((generated)).
  idempotent:
    support: full
  platform:
    platforms: linux
    support: full
seealso:
  - module: kvmops.network.libvirt_network
  - module: kvmops.network.libvirt_network_info
  - name: Network XML format
    description: libvirt's reference of what a network definition can say.
    link: https://libvirt.org/formatnetwork.html
"""

EXAMPLES = r"""
- name: The networks of this host, and no others that earlier runs made
  kvmops.network.libvirt_networks:
    prune: true
    networks:
      - name: default
        autostart: true
      - name: red_nat_lab
        definition: replace
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
      - name: red_aislada_dev
        definition: replace
        bridge:
          name: virbr102
        ips:
          - address: 192.168.102.1
            prefix: 24

- name: Each team gets a free /24, the same on every run
  kvmops.network.libvirt_networks:
    networks:
      - name: team_blue
        forward:
          mode: nat
        ips: &team
          - pool: [10.40.0.0/16]
            prefix: 24
            dhcp:
              ranges:
                - start: 0.0.0.100
                  end: 0.0.0.254
      - name: team_green
        forward:
          mode: nat
        ips: *team

- name: A network that is no longer needed goes, the others are not looked at
  kvmops.network.libvirt_networks:
    networks:
      - name: red_old
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
  description: The sentences that say with what the networks' subnets overlap, where that is the only reason to refuse the task.
  returned: failure, if subnets overlap
  type: list
  elements: str
  sample:
    - The subnet 192.168.122.0/24 overlaps with the host's address 192.168.122.17/24 on eth0. Choose another subnet, or …
networks:
  description:
    - What became of each network, in the order of O(networks); pruned ones follow.
  returned: success, or failure of one of the networks after the first change
  type: list
  elements: dict
  contains:
    name:
      description: The network's name.
      type: str
      returned: always
      sample: red_nat_lab
    status:
      description:
        - V(unchanged), it was as wanted; V(changed), it is now, or would be in check mode; V(failed), it could not be changed and
          was put back; V(untouched), it was not begun because of another one that failed.
      type: str
      returned: always
      sample: changed
    changed:
      description: Whether it was changed, or would be in check mode.
      type: bool
      returned: always
      sample: true
    msg:
      description: Why it failed or was left untouched, empty otherwise.
      type: str
      returned: always
      sample: ""
    actions:
      description: What was done, or would be done in check mode, with the reason of each step.
      type: list
      elements: str
      returned: always
      sample:
        - "define: the network does not exist"
        - "autostart on: a new network starts at boot"
        - "start: the network is not running"
    expected_outage:
      description:
        - For how many seconds guests that are plugged in may be without network by it, as measured on an idle machine; a busy
          one may take two or three times as long. V(0) where no guest feels it.
        - V(null) where guests lose their connection until somebody plugs them in again, as with
          O(networks[].state=inactive) and O(force=true).
      returned: always
      type: float
      sample: 0.6
    differences:
      description:
        - In what the wanted definition differs from the stored one and from the running network, and how each difference takes
          effect. Empty for a network that is new or goes.
      returned: always
      type: list
      elements: dict
      contains:
        option:
          description: What differs, by the names of options.
          type: str
          returned: always
          sample: mtu
        way:
          description:
            - V(live update) in the running network, V(restart) of the network by this task, or V(next start) of the network,
              whenever that is.
            - V(nothing) where the definition is stored and nothing else has to be done, as for a network that does not run.
          type: str
          returned: always
          sample: next start
        reason:
          description: Why it takes effect in this way.
          type: str
          returned: always
          sample: it is in use by guest 'web'
        outage:
          description: What this difference alone would cost, in the same way as RV(networks[].expected_outage).
          type: float
          returned: always
          sample: 0.0
    pending_restart:
      description:
        - Whether the stored definition differs from what is running, so that it takes effect only when the network is started
          anew.
      type: bool
      returned: always
      sample: false
    pending_changes:
      description:
        - What of the definition waits for that, by the names of options.
      returned: always
      type: list
      elements: str
      sample: [mtu]
    network:
      description: The network after the task; in check mode, as it would be.
      type: dict
      returned: always
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

from ansible_collections.kvmops.network.plugins.module_utils._network.options import NETWORKS_OPTIONS
from ansible_collections.kvmops.network.plugins.module_utils._network.task import run_networks_task


def main() -> t.NoReturn:
    """Bring all networks of a list into the wanted state."""
    run_networks_task(NETWORKS_OPTIONS)


if __name__ == "__main__":
    main()
