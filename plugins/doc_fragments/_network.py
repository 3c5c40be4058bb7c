# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection.

"""The options that say what one network shall be: of a module itself, and of the entries of a list of networks."""

from __future__ import annotations

import re
import textwrap

# Must be kept in sync with ENTRY_OPTIONS in plugins/module_utils/_network/options.py
_NETWORK = r"""
name:
  description:
    - The name of the network.
  type: str
  required: true
state:
  description:
    - V(active), the network is defined and runs.
    - V(present), the network is defined; whether it runs is left as it is.
    - V(inactive), the network is defined and does not run.
    - V(absent), the network neither runs nor is defined.
    - Where nothing is said of the definition (by O(forward), O(bridge), O(ips), O(xml) or any other option of it), the network
      has to be there already, so that a mistyped name does not make a new one.
    - V(inactive) and V(absent) are refused while running guests are plugged in, unless O(force=true).
  type: str
  choices: [active, present, inactive, absent]
  default: active
autostart:
  description:
    - Whether libvirt starts the network at boot.
    - When omitted, it is turned on if the task creates the network with O(state=active) or O(state=present), and left
      as it is otherwise.
  type: bool
definition:
  description:
    - What an omitted definition option means for a network that is there already.
    - V(merge), it is left as it is. A list that is given is the whole list; its entries are matched by their natural
      key (O(ips) by address) so that what they omit is left too. An empty list means none.
    - V(replace), it goes back to libvirt's default. UUID, bridge name and bridge MAC address are kept in both cases
      unless the task names others.
    - Reservations (O(ips[].dhcp.hosts) and O(dns.hosts)) that the task does not mention stay in both cases, unless
      O(purge_hosts=true). So does what others have put into the network's O(metadata).
    - When omitted, it is V(merge) for a task with typed options, and V(replace) with O(xml), where nothing else is
      possible.
  type: str
  choices: [merge, replace]
xml:
  description:
    - The whole definition as a libvirt network document, instead of the typed options, which can say the same.
    - The document's C(<name>) must be O(name).
    - It is validated with the schema of the libvirt that is installed on the host, so that a mistyped element is refused
      and not silently dropped.
  type: str
uuid:
  description:
    - The UUID of a network that the task creates. When omitted, libvirt makes one up.
    - libvirt cannot change the UUID of an existing network, so that another one than it has is refused.
  type: str
title:
  description:
    - A short description on one line, for people; C(virsh net-list --title) shows it. An empty text takes it away.
    - Needs libvirt 9.7.
  type: str
description:
  description:
    - A description in any number of lines, for people. An empty text takes it away.
    - Needs libvirt 9.7.
  type: str
metadata:
  description:
    - Elements that programs keep with the network, each one XML element with a namespace, for example
      V(<owner xmlns='https://example.org/inventory'>team a</owner>).
    - An element replaces the one that has the same namespace, since libvirt keeps one for each. All others stay, with
      O(definition=replace) too.
  type: list
  elements: str
ipv6:
  description:
    - Whether guests may speak IPv6 with each other although the network has no IPv6 address. libvirt's default is V(false).
  type: bool
forward:
  description:
    - How guests reach what is outside of the network. When omitted for a new network, they do not, it is isolated.
  type: dict
  suboptions:
    mode:
      description:
        - V(none), not at all, the network is isolated.
        - V(nat), through the host with address translation; from outside, guests cannot be reached.
        - V(route), through the host without address translation.
        - V(open), like V(route), but libvirt writes no firewall rules. Without an address in O(ips), it needs libvirt 10.8.
        - V(bridge), the network is the existing bridge O(bridge.name) of the host; or, with O(forward.dev) or
          O(forward.interfaces), guests get macvtap interfaces in bridge mode on top of interfaces of the host.
        - V(private), V(vepa) and V(passthrough), guests get macvtap interfaces of that mode on top of O(forward.dev),
          O(forward.interfaces), or the virtual functions of O(forward.pf).
        - V(hostdev), guests get whole network devices, those of O(forward.addresses) or the virtual functions of O(forward.pf).
      type: str
      required: true
      choices: [none, nat, route, open, bridge, private, vepa, passthrough, hostdev]
    dev:
      description:
        - With O(forward.mode=nat) or O(forward.mode=route), the only interface of the host through which guests may leave. When
          omitted, every interface serves.
        - With O(forward.mode=bridge), O(forward.mode=private), O(forward.mode=vepa) or O(forward.mode=passthrough), the same as
          O(forward.interfaces) with this one.
      type: str
    managed:
      description:
        - With O(forward.mode=hostdev), whether libvirt takes a device from its driver on the host when a guest starts, and gives
          it back afterwards. libvirt's default is V(false).
      type: bool
    nat:
      description:
        - Details of the address translation, with O(forward.mode=nat).
      type: dict
      suboptions:
        address:
          description:
            - The range of the host's addresses that stand for those of the guests. When omitted, the address of the
              interface that they leave by.
          type: dict
          suboptions:
            start:
              description: The first IPv4 address.
              type: str
              required: true
            end:
              description: The last IPv4 address.
              type: str
              required: true
        port:
          description:
            - The range of ports that stand for those of the guests. When omitted, 1024 to 65535.
          type: dict
          suboptions:
            start:
              description: The first port.
              type: int
              required: true
            end:
              description: The last port.
              type: int
              required: true
        ipv6:
          description:
            - Whether IPv6 addresses are translated as well. When omitted, they are routed.
          type: bool
    driver:
      description:
        - The driver on the host through which guests get a device, with O(forward.mode=hostdev).
      type: dict
      suboptions:
        name:
          description:
            - V(vfio), the one of today. V(kvm), the one of kernels before 3.6. V(xen), that of Xen; it needs libvirt 10.0.
            - When omitted, libvirt chooses.
          type: str
          choices: [kvm, vfio, xen]
        model:
          description:
            - The kernel module that is bound to the device instead of C(vfio-pci), for example V(mlx5_vfio_pci). When omitted,
              libvirt chooses.
            - Needs libvirt 10.0.
          type: str
    pf:
      description:
        - The physical function, an SR-IOV network card, all of whose virtual functions are for guests.
      type: dict
      suboptions:
        dev:
          description: Its interface on the host, for example V(ens1f0).
          type: str
          required: true
    interfaces:
      description:
        - The interfaces of the host on which the guests' interfaces are; libvirt gives a guest the one with the fewest guests.
      type: list
      elements: dict
      suboptions:
        dev:
          description: The interface's name, for example V(eth1).
          type: str
          required: true
    addresses:
      description:
        - The virtual functions that guests get with O(forward.mode=hostdev), by their addresses.
        - Numbers are decimal, or hexadecimal with C(0x), as in libvirt's documents. What C(lspci -D) shows as C(0000:06:10.2) has
          the bus V(0x06), the slot V(0x10) and the function V(0x2).
      type: list
      elements: dict
      suboptions:
        type:
          description: The kind of address; libvirt knows only this one, and it is what is meant when omitted.
          type: str
          choices: [pci]
        domain:
          description: The domain. When omitted, V(0).
          type: str
        bus:
          description: The bus. When omitted, V(0).
          type: str
        slot:
          description: The slot, or device. When omitted, V(0).
          type: str
        function:
          description: The function. When omitted, V(0).
          type: str
bridge:
  description:
    - The bridge on the host to which the guests are plugged.
  type: dict
  suboptions:
    name:
      description:
        - Its name, at most 15 characters. When omitted, libvirt chooses the next free C(virbr) with a number.
      type: str
    stp:
      description:
        - Whether the bridge speaks the spanning tree protocol. libvirt's default is V(true).
      type: bool
    delay:
      description:
        - The bridge's forward delay in seconds. libvirt's default is V(0).
      type: int
    zone:
      description:
        - The zone of firewalld that the bridge belongs to. It has to be there, and firewalld to run, when the network starts.
          When omitted, libvirt's own zone C(libvirt), or C(libvirt-routed) with O(forward.mode=route).
        - With O(forward.mode=open), libvirt before 10.8 has no zone set, whatever is given.
      type: str
    mac_table_manager:
      description:
        - Who says behind which port a MAC address is. V(kernel), the bridge learns it. V(libvirt), libvirt tells it, from the
          guests' definitions; guests cannot change their addresses then. libvirt's default is V(kernel).
      type: str
      choices: [kernel, libvirt]
mac:
  description:
    - The MAC address of the bridge. When omitted, libvirt makes one up and keeps it.
  type: str
mtu:
  description:
    - The MTU of the bridge and of the guests' NICs, in bytes. When omitted, the default of the host's kernel (1500).
  type: int
domain:
  description:
    - The DNS domain of the guests.
  type: dict
  suboptions:
    name:
      description: The domain's name, for example V(lab.example).
      type: str
      required: true
    local_only:
      description:
        - Whether names in the domain are answered from the network's own records alone, never forwarded.
          libvirt's default is V(false).
      type: bool
    register:
      description:
        - Whether libvirt tells systemd-resolved of the domain, so that the host itself can look up its guests' names. Needs
          O(domain.local_only=true), and that systemd-resolved runs when the network starts. libvirt's default is V(false).
        - Needs libvirt 10.1.
      type: bool
dns:
  description:
    - The DNS server that libvirt runs on the network's addresses.
  type: dict
  suboptions:
    enable:
      description: Whether there is a DNS server. libvirt's default is V(true).
      type: bool
    forward_plain_names:
      description:
        - Whether names without a dot are forwarded to the host's resolvers. libvirt's default is V(true).
      type: bool
    forwarders:
      description:
        - Where queries are sent, in this order. When omitted, to the host's own resolvers.
      type: list
      elements: dict
      suboptions:
        addr:
          description: The address of the server. When omitted, the host's own resolvers, for this O(dns.forwarders[].domain).
          type: str
        port:
          description:
            - The port of the server at O(dns.forwarders[].addr). When omitted, 53.
            - Needs libvirt 12.0.
          type: int
        domain:
          description: Only queries for this domain go there. When omitted, all.
          type: str
    hosts:
      description:
        - Names that the DNS server knows. Entries are ensured by their O(dns.hosts[].ip); entries that are not mentioned
          stay, unless O(purge_hosts=true).
      type: list
      elements: dict
      suboptions:
        ip:
          description: The address.
          type: str
          required: true
        hostnames:
          description: Its names, at least one. The first is what a reverse look-up answers.
          type: list
          elements: str
          required: true
    txt:
      description:
        - TXT records that the DNS server has. An empty list means none.
      type: list
      elements: dict
      suboptions:
        name:
          description: The record's name, for example V(example.lab).
          type: str
          required: true
        value:
          description: Its text. Texts that are separated by commas are several texts of one record.
          type: str
          required: true
    srv:
      description:
        - SRV records that the DNS server has, which say where a service is. An empty list means none.
      type: list
      elements: dict
      suboptions:
        service:
          description: The service's name, for example V(ldap); without the underscore that the record has.
          type: str
          required: true
        protocol:
          description: The protocol by which it is reached.
          type: str
          required: true
          choices: [tcp, udp]
        domain:
          description: The domain whose service it is. When omitted, that of O(domain.name).
          type: str
        target:
          description: The name of the host that serves it. When omitted, the record says that there is no such service.
          type: str
        port:
          description: The port on which it is served. Needs O(dns.srv[].target).
          type: int
        priority:
          description: Which of several hosts is asked first, the one with the lowest number. Needs O(dns.srv[].target).
          type: int
        weight:
          description: How often it is asked among hosts of the same priority. Needs O(dns.srv[].target).
          type: int
ips:
  description:
    - The host's addresses on the network, at most one of each family with a DHCP server. An empty list means none, so that
      the host cannot be reached from the network.
  type: list
  elements: dict
  suboptions:
    address:
      description:
        - The host's address, IPv4 or IPv6, for example V(192.168.101.1). It is needed unless there is an O(ips[].pool).
      type: str
    pool:
      description:
        - Subnets, for example V(10.40.0.0/16), of which the first free one with the length O(ips[].prefix) is taken. When that is
          omitted, the pool's subnets are taken whole.
        - Free is what overlaps with no address or route of the host, with no other network as it is now (unless the task removes
          it), and with nothing that the task itself names. The network records the choice, also in its O(metadata). As long as
          it has an address in a subnet that fits the pool, that one is kept, so that every run gives the same.
        - All other addresses of the entry are said by their place in the subnet that is chosen, V(0.0.0.100) or V(::100).
          O(ips[].address) is the subnet's first (V(0.0.0.1)) when omitted.
      type: list
      elements: str
    prefix:
      description:
        - The length of the subnet's prefix, for example V(24). For a new address, this or O(ips[].netmask) is needed.
      type: int
    netmask:
      description: The subnet's mask instead of O(ips[].prefix), for example V(255.255.255.0).
      type: str
    local_ptr:
      description:
        - Whether reverse look-ups of the subnet's addresses are answered from the network's own records alone, never forwarded.
          The prefix of an IPv4 address is 8, 16, 24 or 32 then, that of an IPv6 address divisible by 4. libvirt's default is
          V(false).
      type: bool
    tftp:
      description:
        - A TFTP server on this address, from which guests can boot. IPv4 only.
      type: dict
      suboptions:
        root:
          description:
            - The directory on the host that it serves, for example V(/srv/tftp). It has to be there when the network starts.
          type: str
          required: true
    dhcp:
      description: The DHCP server for this address's subnet.
      type: dict
      suboptions:
        ranges:
          description: The addresses to hand out. An empty list means none.
          type: list
          elements: dict
          suboptions:
            start:
              description: The first address.
              type: str
              required: true
            end:
              description: The last address.
              type: str
              required: true
            lease: &lease
              description:
                - How long a guest may keep its address without asking again. When omitted, what dnsmasq has as its default, an
                  hour.
              type: dict
              suboptions:
                expiry:
                  description: The time, two minutes at least; V(0) is for ever.
                  type: int
                  required: true
                unit:
                  description: The unit of the time. When omitted, V(minutes).
                  type: str
                  choices: [seconds, minutes, hours]
        hosts:
          description:
            - Reservations, addresses that are handed out to one guest only. Entries are ensured by their
              O(ips[].dhcp.hosts[].mac) (or O(ips[].dhcp.hosts[].id), or O(ips[].dhcp.hosts[].name) where there is no other);
              entries that are not mentioned stay, unless O(purge_hosts=true).
          type: list
          elements: dict
          suboptions:
            mac:
              description: The MAC address of the guest's NIC. IPv4 only.
              type: str
            id:
              description: The DHCP client identifier (DUID) of the guest. IPv6 only.
              type: str
            name:
              description: The guest's host name.
              type: str
            ip:
              description: The address that it gets. Needed for a new entry.
              type: str
            lease: *lease
        bootp:
          description:
            - What guests that boot from the network are told. IPv4 only, and only beside O(ips[].dhcp.ranges) or
              O(ips[].dhcp.hosts).
          type: dict
          suboptions:
            file:
              description: The file that they load, for example V(pxelinux.0).
              type: str
              required: true
            server:
              description: The address of the TFTP server that has it. When omitted, the host, with O(ips[].tftp).
              type: str
routes:
  description:
    - Routes that the host gets to subnets behind guests of this network.
  type: list
  elements: dict
  suboptions:
    address:
      description: The address of the subnet, for example V(192.168.222.0).
      type: str
      required: true
    prefix:
      description: The length of the subnet's prefix. This or O(routes[].netmask) is needed.
      type: int
    netmask:
      description: The subnet's mask instead of O(routes[].prefix).
      type: str
    gateway:
      description: The guest's address, in one of the subnets of O(ips).
      type: str
      required: true
    metric:
      description: The route's metric. libvirt's default is V(1).
      type: int
port:
  description:
    - What holds for each port of the network's bridge that a guest is plugged into.
  type: dict
  suboptions:
    isolated:
      description:
        - Whether guests cannot reach each other over the bridge, only the host and what is behind it. For bridges of the Linux
          kernel. libvirt's default is V(false).
      type: bool
portgroups:
  description:
    - Kinds of guests' NICs; a guest's definition says which of them a NIC is. What a port group says goes before what the network
      says.
    - An empty list means none.
  type: list
  elements: dict
  suboptions:
    name:
      description: The name by which guests' definitions choose it, for example V(dmz).
      type: str
      required: true
    default:
      description: Whether NICs that name no port group are of this one. One port group at most is. libvirt's default is V(false).
      type: bool
    PORTGROUP
dnsmasq_options:
  description:
    - Lines for the configuration of the network's dnsmasq, as they are, in this order, for example
      V(dhcp-option=option:ntp-server,192.168.101.1).
    - What dnsmasq does not understand keeps the network from starting, and libvirt promises nothing for networks with such lines.
    - An empty list means none.
  type: list
  elements: str
purge_hosts:
  description:
    - Remove reservations that the task does not mention. With O(definition=merge), those of O(ips[].dhcp.hosts) only if the
      task gives O(ips), and those of O(dns.hosts) only if it gives O(dns).
    - They have other owners too, the guests' tasks, so that the default is to keep them. A task that leaves them no address
      in their subnet is refused then.
  type: bool
  default: false
allow_overlap:
  description:
    - Other virtual networks, by name, or subnets, like V(10.20.0.0/16), with which the subnets of this network may overlap,
      for networks that are never active together.
  type: list
  elements: str
  default: []
force:
  description:
    - Stop or remove the network even when running guests are plugged in. They lose their connection.
  type: bool
  default: false
restart:
  description:
    - When a running network may be started anew, for what of its definition libvirt cannot change in place. Reservations, DHCP
      ranges, DNS records, port groups and interfaces to forward to are changed in place, and need no restart.
    - With V(if_idle), if no running guest is plugged in, or if guests do not feel it, as in the modes V(bridge), V(private) and
      V(vepa). Otherwise it is stored for the next start, and there is a warning.
    - With V(always), also while guests are plugged in. They lose their connection for a second or less, and are plugged in again
      with what their NICs have, which is checked. Not if something could not be plugged in again, such as a NIC with a VLAN; then
      it waits, and the warning says so.
    - With V(never), not at all.
    - Guests that lost their place on the network's bridge, since somebody else started the network anew, are plugged in again in
      any case.
  type: str
  choices: [if_idle, always, never]
  default: if_idle
"""

# What is said of guests' NICs: of all in the network, and of those of a port group.
_NICS = r"""
trust_guest_rx_filters:
  description:
    - Whether the host follows a guest that changes the MAC address or the filters of its NIC, for NICs that are macvtap
      interfaces. libvirt's default is V(false).
  type: bool
virtualport:
  description:
    - What the switch behind the NICs is told.
  type: dict
  suboptions:
    type:
      description:
        - V(openvswitch), the bridge is one of Open vSwitch. V(midonet), NICs are bound to a port of MidoNet. V(802.1Qbg) and
          V(802.1Qbh), the hardware switch speaks these protocols.
        - It may be omitted in a port group only, where the network's or the guest's counts.
      type: str
      choices: [802.1Qbg, 802.1Qbh, openvswitch, midonet]
    parameters:
      description:
        - What belongs to the type.
      type: dict
      suboptions:
        managerid:
          description: The manager's number, 0 to 255, with O(virtualport.type=802.1Qbg).
          type: int
        typeid:
          description: The number of the type, 0 to 16777215, with O(virtualport.type=802.1Qbg).
          type: int
        typeidversion:
          description: The version of the type, 0 to 255, with O(virtualport.type=802.1Qbg).
          type: int
        instanceid:
          description: The UUID of the instance, with O(virtualport.type=802.1Qbg). When omitted, each NIC gets one of its own.
          type: str
        profileid:
          description:
            - The name of the port profile, 39 characters at most, with O(virtualport.type=802.1Qbh) or
              O(virtualport.type=openvswitch).
          type: str
        interfaceid:
          description:
            - The UUID of the port, with O(virtualport.type=openvswitch), where each NIC gets one of its own when omitted, or
              O(virtualport.type=midonet), which needs one.
          type: str
bandwidth:
  description:
    - How fast guests are. That of a network is for all of its guests together, that of a port group for each NIC.
    - Only for networks with a bridge.
  type: dict
  suboptions:
    inbound:
      description: To the guests. When omitted, as fast as it goes.
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
    outbound:
      description: From the guests. When omitted, as fast as it goes.
      type: dict
      suboptions:
        average: *average
        peak: *peak
        burst: *burst
vlan:
  description:
    - The VLANs of the NICs, which guests do not see. For bridges of Open vSwitch (O(virtualport.type=openvswitch)), for virtual
      functions (O(forward.mode=hostdev) and O(forward.mode=passthrough)), and for bridges of the host, which need libvirt 11.0.
  type: dict
  suboptions:
    trunk:
      description:
        - Whether frames keep their tag. More than one tag implies it. libvirt's default is V(false).
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
"""


def _inside(options: str, scope: str) -> str:
    """Return the documentation of options that are below another one, with references to each other as they are there."""
    names = "|".join(re.findall(r"^(\w+):", options, re.MULTILINE))
    return re.sub(rf"\bO\((?=({names})\b)", f"O({scope}", options)


_IN_PORTGROUPS = textwrap.indent(_inside(re.sub("([&*])(average|peak|burst)", r"\1group_\2", _NICS), "portgroups[]."), " " * 4)
_OPTIONS = _NETWORK.replace("    PORTGROUP\n", _IN_PORTGROUPS.lstrip("\n")) + _NICS


class ModuleDocFragment:
    """The options at the top level, and below C(networks)."""

    # With their types, since ansible-test's yamllint takes any other assignment in a fragment for a text that is written out.
    DOCUMENTATION: str = f"options:{textwrap.indent(_OPTIONS, ' ' * 2)}"

    LIST: str = f"""
options:
  networks:
    description:
      - The networks, an entry for each. Others are left as they are, unless they are pruned.
    type: list
    elements: dict
    required: true
    suboptions:{textwrap.indent(_inside(_OPTIONS, "networks[]."), " " * 6)}
"""
