# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""libvirt's network XML format as a tree of fields, one for each element and attribute.

Source: https://libvirt.org/formatnetwork.html and libvirt's network.rng. Defaults are what libvirt assumes when the attribute is
missing, so that both are equal. What only a running network shows (connections) is not part of a definition and is dropped in
definition.py. `since` is libvirt's version, where it is later than the oldest that is managed (7.0).
"""

from __future__ import annotations

from ansible_collections.kvmops.network.plugins.module_utils._format.codecs import (
    ADDRESS,
    FILLED,
    FILLED_LINE,
    LINE,
    LINES,
    MAC,
    NETMASK,
    ON_OFF,
    UUID,
    YES_NO,
    BusNumber,
    Choice,
    Number,
)
from ansible_collections.kvmops.network.plugins.module_utils._format.shared_elements import (
    BANDWIDTH,
    TRUST_GUEST_RX_FILTERS,
    VIRTUALPORT,
    VLAN,
)
from ansible_collections.kvmops.network.plugins.module_utils._format.tree import Entries, Fields, Fragments, Group, Value

__all__ = ["DHCP_HOSTS", "DNSMASQ_NAMESPACE", "DNS_HOSTS", "IPS_ENTRY", "NETWORK"]

DNSMASQ_NAMESPACE = "http://libvirt.org/schemas/network/dnsmasq/1.0"
_DNSMASQ = f"{{{DNSMASQ_NAMESPACE}}}"

_PORT = Number(1, 65535)
_UNSIGNED_SHORT = Number(0, 65535)
_UNSIGNED_INT = Number(0, 2**32 - 1)
_LONG = Number(0, 2**63 - 1)
_UNSIGNED_LONG = Number(0, 2**64 - 1)
_PREFIX = Number(0, 128)

_ADDRESS_RANGE = (Value("start", "@start", ADDRESS, required=True), Value("end", "@end", ADDRESS, required=True))

_LEASE = Group(
    "lease",
    "lease",
    (
        Value("expiry", "@expiry", _UNSIGNED_LONG, required=True),
        Value("unit", "@unit", Choice(("seconds", "minutes", "hours")), default="minutes"),
    ),
)

_PREFIX_OR_NETMASK = (Value("prefix", "@prefix", _PREFIX), Value("netmask", "@netmask", NETMASK))

_PCI_ADDRESS = (
    Value("type", "@type", Choice(("pci",), grows=True)),
    Value("domain", "@domain", BusNumber(0xFFFF, 4)),
    Value("bus", "@bus", BusNumber(0xFF, 2)),
    Value("slot", "@slot", BusNumber(0x1F, 2)),
    Value("function", "@function", BusNumber(7, 1)),
)

_FORWARD = Group(
    "forward",
    "forward",
    (
        Value(
            "mode",
            "@mode",
            Choice(("none", "nat", "route", "open", "bridge", "private", "vepa", "passthrough", "hostdev")),
            required=True,
        ),
        Value("dev", "@dev", FILLED),
        Value("managed", "@managed", YES_NO, default=False),
        Group(
            "nat",
            "nat",
            (
                Value("ipv6", "@ipv6", YES_NO, default=False),
                Group("address", "address", _ADDRESS_RANGE),
                Group(
                    "port", "port", (Value("start", "@start", _PORT, required=True), Value("end", "@end", _PORT, required=True))
                ),
            ),
        ),
        Group(
            "driver",
            "driver",
            (
                Value("name", "@name", Choice(("kvm", "vfio", "xen"), grows=True, since=(("xen", "10.0.0"),))),
                Value("model", "@model", FILLED_LINE, since="10.0.0"),
            ),
        ),
        Group("pf", "pf", (Value("dev", "@dev", FILLED, required=True),)),
        Entries("interfaces", "interface", (Value("dev", "@dev", FILLED, required=True),), key=(("dev",),)),
        Entries("addresses", "address", _PCI_ADDRESS, key=(("domain", "bus", "slot", "function"),)),
    ),
)

_BRIDGE = Group(
    "bridge",
    "bridge",
    (
        Value("name", "@name", FILLED),
        Value("stp", "@stp", ON_OFF, default=True),
        Value("delay", "@delay", _LONG, default=0),
        Value("zone", "@zone", FILLED),
        Value("mac_table_manager", "@macTableManager", Choice(("kernel", "libvirt")), default="kernel"),
    ),
)

_DOMAIN = Group(
    "domain",
    "domain",
    (
        Value("name", "@name", FILLED, required=True),
        Value("local_only", "@localOnly", YES_NO, default=False),
        Value("register", "@register", YES_NO, default=False, since="10.1.0"),
    ),
)

# What the DNS server knows, and for whom the DHCP server reserves an address: both have other owners than the network too.
DNS_HOSTS = Entries(
    "hosts",
    "host",
    # the first name is what a reverse look-up answers
    (
        Value("ip", "@ip", ADDRESS, required=True),
        Entries("hostnames", "hostname", Value("", "", FILLED), ordered=True, required=True),
    ),
    key=(("ip",),),
    kept=True,
)

DHCP_HOSTS = Entries(
    "hosts",
    "host",
    (
        Value("mac", "@mac", MAC),
        Value("id", "@id", FILLED),
        Value("name", "@name", FILLED),
        Value("ip", "@ip", ADDRESS),
        _LEASE,
    ),
    key=(("mac",), ("id",), ("name",)),
    kept=True,
)

_DNS = Group(
    "dns",
    "dns",
    (
        Value("enable", "@enable", YES_NO, default=True),
        Value("forward_plain_names", "@forwardPlainNames", YES_NO, default=True),
        # libvirt's dnsmasq asks them strictly in this order
        Entries(
            "forwarders",
            "forwarder",
            (
                Value("addr", "@addr", ADDRESS),
                Value("port", "@port", _PORT, since="12.0.0"),
                Value("domain", "@domain", FILLED),
            ),
            ordered=True,
        ),
        DNS_HOSTS,
        Entries(
            "txt",
            "txt",
            (Value("name", "@name", FILLED, required=True), Value("value", "@value", LINE, required=True)),
            key=(("name", "value"),),
        ),
        Entries(
            "srv",
            "srv",
            (
                Value("service", "@service", FILLED_LINE, required=True),
                Value("protocol", "@protocol", Choice(("tcp", "udp"), grows=True), required=True),
                Value("domain", "@domain", FILLED),
                Value("target", "@target", FILLED_LINE),
                Value("port", "@port", _UNSIGNED_SHORT, default=0),
                Value("priority", "@priority", _UNSIGNED_SHORT, default=0),
                Value("weight", "@weight", _UNSIGNED_SHORT, default=0),
            ),
        ),
    ),
)

_DHCP = Group(
    "dhcp",
    "dhcp",
    (
        Entries(
            "ranges",
            "range",
            (*_ADDRESS_RANGE, _LEASE),
            key=(("start", "end"),),
        ),
        DHCP_HOSTS,
        Group("bootp", "bootp", (Value("file", "@file", FILLED_LINE, required=True), Value("server", "@server", ADDRESS))),
    ),
)

IPS_ENTRY: Fields = (
    Value("family", "@family", Choice(("ipv4", "ipv6"))),
    Value("address", "@address", ADDRESS),
    *_PREFIX_OR_NETMASK,
    Value("local_ptr", "@localPtr", YES_NO, default=False),
    Group("tftp", "tftp", (Value("root", "@root", FILLED_LINE, required=True),)),
    _DHCP,
)

_IPS = Entries("ips", "ip", IPS_ENTRY, key=(("address",),))

_ROUTES = Entries(
    "routes",
    "route",
    (
        Value("family", "@family", Choice(("ipv4", "ipv6"))),
        Value("address", "@address", ADDRESS, required=True),
        *_PREFIX_OR_NETMASK,
        Value("gateway", "@gateway", ADDRESS, required=True),
        Value("metric", "@metric", _UNSIGNED_INT, default=1),
    ),
    key=(("address", "prefix"), ("address",)),
)

_PORTGROUPS = Entries(
    "portgroups",
    "portgroup",
    (
        Value("name", "@name", FILLED, required=True),
        Value("default", "@default", YES_NO, default=False),
        TRUST_GUEST_RX_FILTERS,
        VIRTUALPORT,
        BANDWIDTH,
        VLAN,
    ),
    key=(("name",),),
)

NETWORK: Fields = (
    Value("name", "name", FILLED),
    Value("uuid", "uuid", UUID),
    Value("title", "title", LINES, default="", since="9.7.0"),
    Value("description", "description", LINES, default="", since="9.7.0"),
    Fragments("metadata", "metadata"),
    Value("ipv6", "@ipv6", YES_NO, default=False),
    TRUST_GUEST_RX_FILTERS,
    _FORWARD,
    _BRIDGE,
    Value("mac", "mac/@address", MAC),
    Value("mtu", "mtu/@size", _UNSIGNED_INT),
    _DOMAIN,
    _DNS,
    _IPS,
    _ROUTES,
    VIRTUALPORT,
    BANDWIDTH,
    VLAN,
    Group("port", "port", (Value("isolated", "@isolated", YES_NO, default=False),)),
    _PORTGROUPS,
    Entries("dnsmasq_options", f"{_DNSMASQ}options/{_DNSMASQ}option", Value("", "@value", LINE), ordered=True),
)
