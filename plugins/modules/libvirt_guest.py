#!/usr/bin/python
# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: libvirt_guest
short_description: Make, start, stop and remove a KVM/libvirt guest
version_added: 0.1.0
author:
  - The kvmops.network authors (@kvmops)
description:
  - Makes one guest with a disk, a NIC and an address that is known before it boots, starts and stops it, and removes it.
  - How the machine is made is left to C(virt-install), which knows what an operating system needs. It is only asked to print
    the definition. So check mode shows the very guest that a real run makes, and a guest can be made without being started.
  - The NIC and its reservation follow the rules of M(kvmops.network.libvirt_domain_nic), which manages it and further NICs
    later.
  - When the guest is there, what the task says is compared. Processors, memory and what it boots from change in the stored
    definition, and take effect at the guest's next start. What is settled when a guest is made is refused if it differs.
  - Of options that are omitted, nothing changes. The defaults that are named here are those of a new guest.
  - What cannot work is refused before anything is changed, in check mode too. If a step fails, what was done is taken back.
extends_documentation_fragment:
  - kvmops.network._libvirt
  - kvmops.network._attributes
  - kvmops.network._attributes.libvirt
options:
  name:
    description:
      - The guest's name, for example V(wso-3332a2). It is the guest's host name too, so that it has letters, digits, C(-) and
        C(.) only, begins with a letter, and has 63 characters at most.
    type: str
    required: true
  state:
    description:
      - V(running), the guest is there and runs. One that is paused goes on.
      - V(present), it is there; whether it runs is left alone. A new one is not started.
      - V(stopped), it is there and off. A guest that runs is asked to shut down, see O(stop_timeout).
      - V(absent), it is not there. It is stopped first. What the module made for it goes, its reservation and the files of
        O(configuration), but its disk stays, see O(remove_disk). A guest that the module did not make is refused, see O(force),
        and so is one that has snapshots.
    type: str
    choices: [running, present, stopped, absent]
    default: running
  autostart:
    description:
      - Whether the guest starts when the host boots. libvirt does not start a new guest at boot when this is omitted.
    type: bool
  vcpus:
    description:
      - How many processors the guest has, for example V(4). A new guest has V(2) when this is omitted.
    type: int
  memory:
    description:
      - How much memory the guest has, for example V(2048), which is in MiB, or V(4GiB). Units are C(KiB), C(MiB), C(GiB) and
        C(TiB), all in powers of 1024; the C(iB) can be left out. A new guest has V(2GiB) when this is omitted.
    type: str
  os_variant:
    description:
      - The operating system that the guest runs, as C(virt-install --osinfo list) names it, for example V(debian12). It decides
        which devices the machine has.
      - It is used when the guest is made; a different one is refused later. V(generic) when omitted.
    type: str
  arguments:
    description:
      - Options that are added to the call of C(virt-install), for example V(--graphics=none). They are passed on as they are,
        without a shell. Those that say how the machine is can be added; disks, NICs, name and memory have options here.
      - They are used when the guest is made; different ones are refused later. None when omitted.
    type: list
    elements: str
  iso:
    description:
      - An ISO image, for example V(/srv/iso/debian-12.iso). The guest has it in a CD-ROM drive and boots from its disk or, as
        long as there is nothing on that, from the CD-ROM. So it boots what was installed once that is done.
      - When it is changed, the CD-ROM in the stored definition is another one.
      - One of O(iso), O(image) and O(kernel) at most can be given. A new guest needs one of them, unless its disk is there.
    type: str
  image:
    description:
      - A disk image from which the guest's disk is made, for example V(/srv/images/debian-12.qcow2). See O(image_use).
      - It is used when the disk is made; a different one is refused later. An image that is itself only the difference from
        another one is refused.
    type: str
  image_use:
    description:
      - V(copy), the disk is a copy of O(image). V(backing), the disk has only what differs from O(image), which has to stay
        where it is, unchanged, as long as the guest is there.
      - It is used when the disk is made. V(copy) when omitted.
    type: str
    choices: [copy, backing]
  kernel:
    description:
      - A Linux kernel on the host, for example V(/srv/boot/vmlinuz), that the guest boots directly.
      - When it is given for a guest that is there, O(initrd) and O(cmdline) are as the task says too, none when omitted.
    type: str
  initrd:
    description:
      - The initial RAM disk for O(kernel), for example V(/srv/boot/initrd.img). None when omitted.
    type: str
  cmdline:
    description:
      - The words that O(kernel) is given, for example V(console=ttyS0 root=/dev/vda1). None when omitted.
    type: str
  disk:
    description:
      - The guest's disk. When this is omitted, a new guest has an empty one of 10 GiB, or one made from O(image).
      - Its file is C(DIRECTORY/NAME.FORMAT). When that file is there already, the guest gets it with what is on it, with a
        warning, unless it is another guest's.
    type: dict
    suboptions:
      directory:
        description:
          - The directory of the disk's file, for example V(/srv/guests), which has to be there. It is used when the guest is
            made; a different one is refused later. V(/var/lib/libvirt/images) when omitted.
        type: str
      size:
        description:
          - How large the disk is, for example V(20), which is in GiB, or V(20GiB). It is used when the disk is made; a
            different one is refused later, since the guest's file systems would have to follow.
          - V(10GiB) when omitted, or the size of O(image) where that is more.
        type: str
      format:
        description:
          - The format of the file. It is used when the guest is made; a different one is refused later. V(qcow2) when omitted.
        type: str
        choices: [qcow2, raw]
      bus:
        description:
          - What the guest sees the disk on. It is used when the guest is made; a different one is refused later. V(virtio) when
            omitted; systems without a driver for that need V(sata).
        type: str
        choices: [virtio, sata, ide]
  remove_disk:
    description:
      - With O(state=absent), whether the guest's disk is removed as well. It cannot be brought back.
      - For a guest that is gone already this is the file that O(disk) names, if no other guest has it.
    type: bool
    default: false
  network:
    description:
      - The name of the libvirt network that the guest's NIC is plugged into, for example V(guests). A new guest has no NIC when
        this is omitted; M(kvmops.network.libvirt_domain_nic) can add one.
    type: str
  alias:
    description:
      - The name of the NIC, by which it is found when its network changes.
    type: str
    default: lan
  mac:
    description:
      - The NIC's MAC address, for example V(52:54:00:6b:3c:58). When it is omitted, a new NIC gets one that depends on the
        host, the guest's name and O(alias), and is the same on each run.
    type: str
  isolated:
    description:
      - Whether the NIC's port on the network's bridge reaches no other isolated port. libvirt's default is V(false).
    type: bool
  filter:
    description:
      - A network filter for the NIC, for example V(clean-traffic), which has to be there. None when omitted.
    type: str
  address:
    description:
      - The IPv4 address that the network reserves for the guest, for example V(192.168.100.20).
      - V(auto), one that follows from O(name), C(2 + sha256(name) modulo 253) in a C(/24), or the next free one where that is
        taken; addresses of the network's DHCP ranges are left out. What is reserved for the guest once stays. A subnet without
        a free address is refused.
      - V(none), no address is reserved; a reservation that was made here is removed.
      - A new NIC has V(auto) when this is omitted, where its network has an IPv4 subnet of its own.
    type: str
  configuration:
    description:
      - Files that configure the network within the guest, for guests that do not ask by DHCP. None are written when this is
        omitted, and those that are there are left as they are.
    type: dict
    suboptions:
      directory:
        description:
          - Where the files are, for example V(/srv/guests/configuration). It is made when it is not there, and belongs to root.
            One that others can write into is refused.
        type: str
        default: /var/lib/kvmops-network/guests
      nameservers:
        description:
          - The DNS servers that the guest asks, for example V([192.168.100.1]).
        type: list
        elements: str
        default: [8.8.8.8, 8.8.4.4]
      seed:
        description:
          - Whether the guest has a CD-ROM C(NAME-cidata.iso) as well, from which cloud-init takes the same configuration. This
            needs C(xorriso) on the host. The script C(NAME-netconfig.sh) is always written.
        type: bool
        default: true
  wait_for_address:
    description:
      - Whether to wait until the guest has its address, and answers there. It needs O(state=running) and O(network).
    type: bool
    default: false
  address_timeout:
    description:
      - How long to wait for that, in seconds. The task fails then, with what was seen.
    type: int
    default: 60
  stop_timeout:
    description:
      - How long a guest that shall stop has time for it, in seconds, after its power button was pressed. The task fails then,
        unless O(force=true).
    type: int
    default: 60
  force:
    description:
      - Whether to switch off a guest that has not stopped within O(stop_timeout), and to remove with O(state=absent) a guest
        that this module did not make.
    type: bool
    default: false
  lock_timeout:
    description:
      - How long to wait for other tasks that change this host's networks and guests, in seconds.
    type: int
    default: 60
requirements:
  - virt-install (C(virtinst) on Debian and Ubuntu), to make a guest
  - qemu-img (C(qemu-utils))
  - xorriso, for the CD-ROM of O(configuration)
attributes:
  check_mode:
    support: full
    details:
      - For a guest that does not exist it needs C(virt-install), which prints what the guest would be.
  diff_mode:
    support: full
    details:
      - The diff shows the guest, its NIC and reservation, and each of its files.
  idempotent:
    support: full
  platform:
    platforms: linux
    support: full
seealso:
  - module: kvmops.network.libvirt_guest_info
  - module: kvmops.network.libvirt_domain_nic
  - module: kvmops.network.libvirt_network
  - name: virt-install
    description: The program that says how the machine is made.
    link: https://github.com/virt-manager/virt-manager/blob/main/man/virt-install.rst
"""

EXAMPLES = r"""
- name: A guest that is installed from an ISO image
  kvmops.network.libvirt_guest:
    name: vm-nat-example
    vcpus: 2
    memory: 2048
    os_variant: debian12
    iso: /srv/iso/debian-12.iso
    disk:
      size: 10
    network: red_nat_lab

- name: A guest from a cloud image, with its address and a CD-ROM for cloud-init
  kvmops.network.libvirt_guest:
    name: wso-3332a2
    memory: 4GiB
    os_variant: debian12
    image: /srv/images/debian-12-genericcloud-amd64.qcow2
    disk:
      size: 20
    network: guests
    address: auto
    configuration: {}
  register: guest

- name: Show where it is
  ansible.builtin.debug:
    msg: "{{ guest.domain_name }} has {{ guest.ip_address }} on {{ guest.bridge_name }}"

- name: A guest that boots a kernel of the host, without graphics
  kvmops.network.libvirt_guest:
    name: probe
    kernel: /srv/boot/vmlinuz
    initrd: /srv/boot/initrd.img
    cmdline: console=ttyS0
    arguments:
      - --graphics=none
    network: guests
    address: 192.168.100.20

- name: More memory, from the guest's next start on
  kvmops.network.libvirt_guest:
    name: wso-3332a2
    state: present
    memory: 8GiB

- name: The guest is off
  kvmops.network.libvirt_guest:
    name: wso-3332a2
    state: stopped

- name: The guest goes, and its disk stays
  kvmops.network.libvirt_guest:
    name: wso-3332a2
    state: absent

- name: The guest goes at once, with its disk
  kvmops.network.libvirt_guest:
    name: wso-3332a2
    state: absent
    stop_timeout: 0
    force: true
    remove_disk: true
"""

RETURN = r"""
requirement:
  description:
    - What is missing on the host, for playbooks that want to go on without it. V(library), a Python library; V(daemon),
      libvirt's daemon does not answer; V(permission), the user may not manage libvirt; V(uri), O(uri) cannot be;
      V(virt-install), V(qemu-img) and V(xorriso), programs.
  returned: failure, if something is missing
  type: str
  sample: virt-install
missing_networks:
  description:
    - The network that O(network) names and that does not exist, where that is the only reason to refuse.
  returned: failure, if the network is missing
  type: list
  elements: str
  sample: [guests]
actions:
  description: What was done, or would be done in check mode, with the reason of each step.
  returned: success
  type: list
  elements: str
  sample:
    - "make disk: /var/lib/libvirt/images/wso-3332a2.qcow2, 10 GiB, empty"
    - "reserve: 192.168.100.229 on the network 'guests' for 52:54:00:6b:3c:58"
    - "define: the guest does not exist"
    - "start: the guest shall run"
domain_name:
  description: The guest's name.
  returned: success
  type: str
  sample: wso-3332a2
ip_address:
  description: The IPv4 address that is reserved for the guest, V(null) where there is none.
  returned: success
  type: str
  sample: 192.168.100.229
network_name:
  description: The network that its NIC is plugged into, V(null) where there is none.
  returned: success
  type: str
  sample: guests
bridge_name:
  description: The bridge of that network, V(null) where there is none.
  returned: success
  type: str
  sample: virbr100
mac:
  description: The NIC's MAC address, V(null) where there is no NIC.
  returned: success
  type: str
  sample: 52:54:00:6b:3c:58
guest:
  description: The guest after the task; in check mode, as it would be. V(null) where there is none.
  returned: success
  type: dict
  contains:
    name:
      description: The guest's name.
      type: str
      returned: always
      sample: wso-3332a2
    state:
      description: V(running) or V(stopped).
      type: str
      returned: always
      sample: running
    autostart:
      description: Whether it starts when the host boots.
      type: bool
      returned: always
      sample: false
    vcpus:
      description: The number of its processors, as it is stored.
      type: int
      returned: always
      sample: 2
    memory:
      description: Its memory in MiB, as it is stored.
      type: int
      returned: always
      sample: 2048
    os_variant:
      description: The operating system that it was made for, V(null) where the module did not make it.
      type: str
      returned: always
      sample: debian12
    iso:
      description: The file in its CD-ROM drive, V(null) where there is none.
      type: str
      returned: always
      sample: /srv/iso/debian-12.iso
    kernel:
      description: The kernel that it boots, V(null) where it boots from a drive.
      type: str
      returned: always
      sample: /srv/boot/vmlinuz
    initrd:
      description: The initial RAM disk of that kernel, V(null) where there is none.
      type: str
      returned: always
      sample: /srv/boot/initrd.img
    cmdline:
      description: The words for that kernel, V(null) where there are none.
      type: str
      returned: always
      sample: console=ttyS0
    disk:
      description: The disk that the module made for it, V(null) where there is none.
      type: dict
      returned: always
      contains:
        path:
          description: Its file.
          type: str
          returned: always
          sample: /var/lib/libvirt/images/wso-3332a2.qcow2
        format:
          description: The format of the file.
          type: str
          returned: always
          sample: qcow2
        bus:
          description: What the guest sees it on.
          type: str
          returned: always
          sample: virtio
    script:
      description: The script that configures its network from within, V(null) where there is none.
      type: str
      returned: always
      sample: /var/lib/kvmops-network/guests/wso-3332a2-netconfig.sh
    seed:
      description: The CD-ROM for cloud-init, V(null) where there is none.
      type: str
      returned: always
      sample: /var/lib/kvmops-network/guests/wso-3332a2-cidata.iso
    managed:
      description: Whether the module made it.
      type: bool
      returned: always
      sample: true
    pending_changes:
      description: The options in which the running guest differs from what is stored, until it is stopped and started.
      type: list
      elements: str
      returned: always
      sample: [memory]
"""

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._guest.options import GUEST_OPTIONS
from ansible_collections.kvmops.network.plugins.module_utils._guest.task import run_guest_task


def main() -> t.NoReturn:
    """Bring one guest into the wanted state."""
    run_guest_task(GUEST_OPTIONS)


if __name__ == "__main__":
    main()
