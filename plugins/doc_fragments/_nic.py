# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection.

"""The options that say what one NIC of a guest shall be: of a module itself, and of the entries of a list of NICs."""

from __future__ import annotations

import re
import textwrap

# Must be kept in sync with ENTRY_OPTIONS in plugins/module_utils/_nic/options.py
_NIC = r"""
domain:
  description:
    - The name of the guest. It has to be there; it may run or be off.
  type: str
  required: true
state:
  description:
    - V(present), the guest has the NIC, in its stored definition and, if it runs, plugged in.
    - V(absent), it has not. A running guest has to release the NIC, which is waited for.
  type: str
  choices: [present, absent]
  default: present
definition:
  description:
    - What an omitted option means for a NIC that is there already.
    - V(merge), it is left as it is. A list that is given is the whole list, an empty list means none.
    - V(replace), it goes back to libvirt's default. What says which NIC it is and where it is plugged in is kept in both cases
      (O(mac), O(alias), O(type), O(source)), and so are O(model), the place on the guest's bus, and elements for which
      there is no option.
  type: str
  choices: [merge, replace]
  default: merge
alias:
  description:
    - A name for the NIC, by which later tasks find it whatever its MAC address and source are then. libvirt keeps it as the user
      alias C(ua-ALIAS).
    - Where no NIC has the name, the one without a name that is plugged into O(source) gets it. Where there is none, it is
      the name of a new NIC; where there are several, give O(mac) too.
    - Letters, digits, C(-) and C(_).
    - libvirt does not change the alias of a NIC that is plugged in. Given to a NIC that runs, it is stored, which is enough to
      find the NIC.
  type: str
mac:
  description:
    - The MAC address. It says which NIC of the guest is meant. Where the guest has none with it, it is the address of a new
      NIC; or, if O(alias) is given too and there is a NIC of that name, the new address of that one.
    - When omitted, the NIC is found by O(alias), and without an alias by O(source), if one NIC alone is plugged in there.
    - When omitted for a new NIC, the address is made from the host's machine-id, the name of the guest and O(alias) (without
      alias, the source). It begins with C(52:54:00), and is the same on every run.
    - An address that another NIC, a network or an interface of the host has is refused.
  type: str
type:
  description:
    - What kind of thing the NIC is plugged into. When omitted, it follows from O(source), V(network) from O(source.network),
      V(bridge) from O(source.bridge), V(direct) from O(source.dev).
    - V(network), a virtual network of libvirt; V(bridge), a bridge that the host has; V(direct), a macvtap interface on top of an
      interface of the host; V(user), what QEMU or passt do as a user, without any interface on the host; V(ethernet), a tap
      device of its own, which with O(target.managed=false) is made outside of libvirt.
    - NICs of other types (C(hostdev), C(vdpa), C(vhostuser) and so on) are found by O(mac) and O(alias), and kept unharmed. They
      are not made by this module.
  type: str
  choices: [network, bridge, direct, user, ethernet]
source:
  description:
    - What the NIC is plugged into. Needed for a new NIC, but for O(type=user) and O(type=ethernet).
    - What is not said of a source that changes is not taken from the old one.
  type: dict
  suboptions:
    network:
      description: The network. It has to be there, and to run if the guest does.
      type: str
    portgroup:
      description: The port group of the network. When omitted, the network's default one, if it has one.
      type: str
    bridge:
      description: The bridge of the host.
      type: str
    dev:
      description:
        - With O(type=direct), the interface of the host. It cannot be a port of a bridge at the same time.
        - With O(type=user) and O(backend.type=passt), the interface through which guests go out.
      type: str
    mode:
      description:
        - What a macvtap does with frames for its neighbours. V(bridge), guests on one interface reach each other directly;
          V(vepa), the switch outside sends them back; V(private), they do not reach each other; V(passthrough), the guest has
          the interface alone.
        - When omitted for a new place, V(bridge).
      type: str
      choices: [vepa, bridge, private, passthrough]
link:
  description:
    - Whether the guest's cable is plugged in. V(down) lets the guest see no carrier.
    - When omitted for a new NIC, it is V(up).
  type: str
  choices: [up, down]
model:
  description:
    - The card that the guest sees, for example V(virtio), V(e1000e) or V(rtl8139), in small or large letters.
    - When omitted for a new NIC, V(virtio); afterwards it is kept.
  type: str
mtu:
  description:
    - The MTU of the NIC in bytes. When omitted for a new NIC, that of the network or bridge.
    - Not for O(type=direct), which has that of its interface.
  type: int
bandwidth:
  description:
    - How fast the NIC is. It takes the place of that of a port group.
  type: dict
  suboptions:
    inbound:
      description: To the guest. When omitted, as fast as it goes.
      type: dict
      suboptions:
        average: &average
          description: The average rate in kilobytes per second. V(0) is no limit.
          type: int
        peak: &peak
          description: The highest rate in kilobytes per second. libvirt ignores that of O(bandwidth.outbound).
          type: int
        burst: &burst
          description: How many kibibytes may go at the highest rate at once.
          type: int
        floor:
          description:
            - The rate in kilobytes per second that the NIC gets at least. Needs a network that has an inbound bandwidth itself.
          type: int
    outbound:
      description: From the guest. When omitted, as fast as it goes.
      type: dict
      suboptions:
        average: *average
        peak: *peak
        burst: *burst
vlan:
  description:
    - The VLANs of the NIC, which the guest does not see. For bridges of Open vSwitch (O(virtualport.type=openvswitch)), macvtap
      in mode V(passthrough), and bridges of the host, which need libvirt 11.0.
  type: dict
  suboptions:
    trunk:
      description: Whether frames keep their tag. More than one tag implies it. libvirt's default is V(false).
      type: bool
    tags:
      description: The VLANs. An empty list means none.
      type: list
      elements: dict
      required: true
      suboptions:
        id:
          description: The VLAN's number, 0 to 4095.
          type: int
          required: true
        native_mode:
          description:
            - That frames without a tag belong to this VLAN of a trunk. With V(tagged), they have a tag on the other side; with
              V(untagged), they have none.
          type: str
          choices: [tagged, untagged]
virtualport:
  description:
    - What the switch behind the NIC is told. Not for networks whose bridge libvirt makes.
  type: dict
  suboptions:
    type:
      description: The kind of switch. When omitted, that of the network; it is needed where the NIC is on none.
      type: str
      choices: [802.1Qbg, 802.1Qbh, openvswitch, midonet]
    parameters:
      description: What this kind of switch needs.
      type: dict
      suboptions:
        managerid:
          description: With O(virtualport.type=802.1Qbg), the database of types, 0 to 255.
          type: int
        typeid:
          description: With O(virtualport.type=802.1Qbg), the type, 0 to 16777215.
          type: int
        typeidversion:
          description: With O(virtualport.type=802.1Qbg), the version of the type, 0 to 255.
          type: int
        instanceid:
          description: With O(virtualport.type=802.1Qbg), the UUID of the instance.
          type: str
        profileid:
          description: With O(virtualport.type=802.1Qbh) or O(virtualport.type=openvswitch), the name of the port's profile.
          type: str
        interfaceid:
          description: With O(virtualport.type=openvswitch) or O(virtualport.type=midonet), the UUID of the port.
          type: str
port:
  description: How the NIC's port of the bridge behaves.
  type: dict
  suboptions:
    isolated:
      description:
        - Whether the guest is kept apart from the other isolated ports of the bridge; it reaches the host and what is outside.
          When omitted, what the network says; V(false) takes the NIC out of a network that isolates its guests.
        - Guests can still meet through the host where it routes between them.
      type: bool
filterref:
  description:
    - The network filter that looks at the NIC's frames, for example V(clean-traffic) against false addresses. With
      O(definition=replace), omitting it takes it away.
  type: dict
  suboptions:
    filter:
      description: The name of the filter, which libvirt has to have.
      type: str
      required: true
    parameters:
      description: Its parameters; one that is given several times has several values. An empty list means none.
      type: list
      elements: dict
      suboptions:
        name:
          description: The parameter, for example V(IP).
          type: str
          required: true
        value:
          description: Its value.
          type: str
          required: true
trust_guest_rx_filters:
  description:
    - Whether the host follows when the guest changes its MAC address or joins multicast groups; for macvtap and the model
      V(virtio). libvirt's default is V(false).
  type: bool
boot:
  description: The NIC's place in the order of what the guest boots from.
  type: dict
  suboptions:
    order:
      description:
        - A number from 1, which no other device of the guest has. Not for guests whose definition names kinds of devices
          (C(<os><boot dev=…/>)).
      type: int
target:
  description: The host's end of the NIC.
  type: dict
  suboptions:
    dev:
      description:
        - The name of the interface on the host. When omitted, libvirt chooses one such as C(vnet0), which changes each time.
        - Not a name that begins with C(vnet), C(macvtap) or C(macvlan); these are libvirt's own.
      type: str
    managed:
      description:
        - With O(type=ethernet), V(false) says that the interface O(target.dev) is made outside of libvirt. libvirt's default is
          V(true).
      type: bool
driver:
  description: Details of the model V(virtio). What is omitted is up to QEMU.
  type: dict
  suboptions:
    name:
      description: V(vhost), the kernel moves the frames; V(qemu), QEMU does.
      type: str
      choices: [vhost, qemu]
    txmode:
      description: How QEMU sends. Seldom needed.
      type: str
      choices: [iothread, timer]
    ioeventfd:
      description: Whether the guest's notifications are handled aside from its processors.
      type: bool
    event_idx:
      description: Whether the guest and the host spare each other notifications.
      type: bool
    queues:
      description: The number of queues, as many as the guest has processors at most.
      type: int
    rx_queue_size:
      description: The size of the receiving queue, a power of two from 256 to 1024.
      type: int
    tx_queue_size:
      description: The size of the sending queue, a power of two from 256 to 1024.
      type: int
    iommu:
      description: Whether the device goes through an emulated IOMMU.
      type: bool
    ats:
      description: Whether the device caches translations of addresses.
      type: bool
    packed:
      description: Whether the packed form of queues is used.
      type: bool
    page_per_vq:
      description: Whether each queue has a page of its own for notifications. Needs libvirt 7.9.
      type: bool
    rss:
      description: Whether frames are spread over the queues by a hash. Needs libvirt 8.3.
      type: bool
    rss_hash_report:
      description: Whether the guest is told the hash. Needs libvirt 8.3.
      type: bool
    host:
      description: What work the host does in place of the guest. libvirt's default for each is V(true).
      type: dict
      suboptions:
        csum:
          description: Checksums.
          type: bool
        gso:
          description: Segmentation in general.
          type: bool
        tso4:
          description: Segmentation of TCP over IPv4.
          type: bool
        tso6:
          description: Segmentation of TCP over IPv6.
          type: bool
        ecn:
          description: Segmentation of TCP with congestion notification.
          type: bool
        ufo:
          description: Fragmentation of UDP.
          type: bool
        mrg_rxbuf:
          description: Merged receive buffers.
          type: bool
    guest:
      description: What work the guest leaves to the host when it receives. libvirt's default for each is V(true).
      type: dict
      suboptions:
        csum:
          description: Checksums.
          type: bool
        tso4:
          description: Segmentation of TCP over IPv4.
          type: bool
        tso6:
          description: Segmentation of TCP over IPv6.
          type: bool
        ecn:
          description: Segmentation of TCP with congestion notification.
          type: bool
        ufo:
          description: Fragmentation of UDP.
          type: bool
rom:
  description: The card's ROM, from which the guest may boot over the network.
  type: dict
  suboptions:
    enabled:
      description: Whether it has one. libvirt's default is V(true).
      type: bool
    bar:
      description: Whether the guest sees it in the card's memory. When omitted, it is up to QEMU.
      type: bool
    file:
      description: A file on the host with the ROM, in place of QEMU's own.
      type: str
coalesce:
  description: How the host gathers frames for the guest, for networks and bridges.
  type: dict
  suboptions:
    rx:
      description: Of those that the guest receives.
      type: dict
      suboptions:
        frames:
          description: By their number.
          type: dict
          suboptions:
            max:
              description: How many frames are gathered at most. V(0) is no gathering.
              type: int
backend:
  description: With O(type=user), who plays the network.
  type: dict
  suboptions:
    type:
      description: V(default), QEMU itself; V(passt), the program passt, which needs libvirt 9.0. libvirt's default is V(default).
      type: str
      choices: [default, passt]
    log_file:
      description: A file on the host into which passt writes.
      type: str
port_forwards:
  description:
    - With O(backend.type=passt), ports of the host that lead into the guest. An empty list means none.
  type: list
  elements: dict
  suboptions:
    proto:
      description: The protocol.
      type: str
      required: true
      choices: [tcp, udp]
    address:
      description: The address of the host on which passt listens. When omitted, all.
      type: str
    dev:
      description: The interface of the host on which passt listens. When omitted, all.
      type: str
    ranges:
      description: The ports. When omitted, all.
      type: list
      elements: dict
      suboptions:
        start:
          description: The first port on the host.
          type: int
          required: true
        end:
          description: The last port on the host. When omitted, the first one.
          type: int
        to:
          description: The first port in the guest. When omitted, the same as on the host.
          type: int
        exclude:
          description: Whether these ports are left out of what is forwarded. libvirt's default is V(false).
          type: bool
ips:
  description:
    - With O(type=user), the addresses that the guest gets, one of each family at most. An empty list means none.
  type: list
  elements: dict
  suboptions:
    address:
      description: The guest's address.
      type: str
      required: true
    prefix:
      description: The length of its prefix, 4 to 27 for IPv4 and 64 for IPv6. When omitted, it is up to QEMU.
      type: int
reservation:
  description:
    - The address that the NIC's network shall keep for it, in libvirt's DHCP server. It is made before the NIC is plugged in,
      moves with the NIC when its MAC address changes, and goes with it when it leaves the network or the guest.
    - What is given is the whole reservation; an empty one (V({})) means none. When omitted, what an earlier task reserved
      stays.
    - Reservations that others made, by M(kvmops.network.libvirt_network) or by hand, are never changed. Which ones belong to
      NICs is recorded in the network's metadata.
    - A guest that has an address already keeps it until it asks the DHCP server again.
    - When a NIC leaves a network, its IPv4 lease is given back, so that its address can be reserved for another one at once.
      A warning names another client that still has the address, and until when.
    - On a NAT network, libvirt writes its firewall rules anew for each change, which stops the traffic of its guests for about
      a third of a second.
  type: dict
  suboptions:
    ipv4:
      description: The IPv4 address, in a subnet of the network.
      type: str
    ipv6:
      description: The IPv6 address, in a subnet of the network.
      type: str
    hostname:
      description: The name that the guest gets with it, and that the network's DNS server knows.
      type: str
    duid:
      description:
        - How the guest calls itself when it asks for an IPv6 address. When omitted, what a client makes from its MAC address
          alone (C(00:03:00:01:) and the MAC address).
      type: str
replug:
  description:
    - What happens to what libvirt cannot change while the NIC is plugged into a running guest, for example its MAC address,
      model, MTU, driver, port group, or the mode of a macvtap.
    - V(never), it is stored, takes effect when the guest is started anew, and is reported in RV(nic.pending) and by a warning.
    - V(always), the NIC is unplugged and plugged in again at the same place of the guest's bus. The guest loses the connection
      for a moment, and its own settings of the NIC.
  type: str
  choices: [never, always]
  default: never
wait_for_address:
  description:
    - Whether to wait until the guest has an address on the NIC, or both addresses of O(reservation), and to fail with what was
      seen if it has not after O(address_timeout) seconds.
    - DHCP leases, the guest's agent and the host's neighbour table are looked at. A lease counts when the guest answers at the
      address, as far as the host can ask it.
    - Only for guests that run. In check mode, it is not waited.
  type: bool
  default: false
"""


def _inside(options: str, scope: str) -> str:
    """Return the documentation of options that are below another one, with references to each other as they are there."""
    names = "|".join(re.findall(r"^(\w+):", options, re.MULTILINE))
    return re.sub(rf"\bO\((?=({names})\b)", f"O({scope}", options).replace("RV(nic.", "RV(nics[].nic.")


class ModuleDocFragment:
    """The options at the top level, and below C(nics)."""

    # With their types, since ansible-test's yamllint takes any other assignment in a fragment for a text that is written out.
    DOCUMENTATION: str = f"options:{textwrap.indent(_NIC, ' ' * 2)}"

    LIST: str = f"""
options:
  nics:
    description:
      - The NICs, an entry for each, of one guest or of several. Others are left as they are, unless they are pruned.
    type: list
    elements: dict
    required: true
    suboptions:{textwrap.indent(_inside(_NIC, "nics[].").replace("O(nics[].address_timeout)", "O(address_timeout)"), " " * 6)}
"""

    TIMES: str = r"""
options:
  address_timeout:
    description: How long to wait for an address, in seconds for each NIC.
    type: int
    default: 60
  detach_timeout:
    description:
      - How long to wait until a running guest releases a NIC, in seconds. A guest that boots or hangs does not. The task fails
        then; what is stored is as asked for, and the NIC goes when the guest releases it or stops.
    type: int
    default: 30
  lock_timeout:
    description:
      - How long to wait, in seconds, for another task that is changing this host's networks.
    type: int
    default: 60
"""
