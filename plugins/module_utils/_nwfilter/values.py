# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The values of attributes in libvirt's network filters, in one form each. Nothing here touches a host.

Source: how virNWFilterRuleDetailsParse() reads them and virNWFilterRuleDefDetailsFormat() writes them,
https://gitlab.com/libvirt/libvirt/-/blob/master/src/conf/nwfilter_conf.c
"""

from __future__ import annotations

import ipaddress

__all__ = ["canonical_value"]

_ETHERNET = {0x0800: "ipv4", 0x0806: "arp", 0x8035: "rarp", 0x86DD: "ipv6", 0x8100: "vlan"}
_INTERNET = {
    1: "icmp",
    2: "igmp",
    6: "tcp",
    17: "udp",
    50: "esp",
    51: "ah",
    58: "icmpv6",
    132: "sctp",
    136: "udplite",
}
_ARP = (
    "Request",
    "Reply",
    "Request_Reverse",
    "Reply_Reverse",
    "DRARP_Request",
    "DRARP_Reply",
    "DRARP_Error",
    "InARP_Request",
    "ARP_NAK",
)
_NUMBERED = {
    "protocolid": _ETHERNET,
    "encap-protocol": _ETHERNET,
    "protocol": _INTERNET,
    "opcode": dict(enumerate(_ARP, start=1)),
}
_AS_IT_IS = ("comment", "ipset", "flags")
_TRUE = ("true", "yes", "1")


def canonical_value(attribute: str, text: str) -> str:
    """Return the value of an attribute as libvirt would write it, but numbers always as decimal ones."""
    if text.startswith("$"):
        return text[: -len("[@0]")] if text.endswith("[@0]") else text
    if attribute in _AS_IT_IS:
        return text
    if attribute == "ipsetflags":
        return text.lower()
    if attribute == "gratuitous":
        return "true" if text.lower() in _TRUE else "false"
    if attribute == "state":
        return ",".join(sorted(text.upper().split(",")))
    if attribute.endswith(("macaddr", "macmask", "-address", "-address-mask")):
        return text.lower()
    if attribute.endswith(("ipaddr", "ipfrom", "ipto")):
        return _address(text)
    if attribute.endswith("ipmask"):
        return _mask(text)
    return _number(attribute, text)


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text  # libvirt's schema says so


def _mask(text: str) -> str:
    """Return the length of a prefix."""
    if text.isdigit():
        return str(int(text))
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    return str(f"{int(address):b}".count("1"))


def _number(attribute: str, text: str) -> str:
    names = _NUMBERED.get(attribute, {})
    try:
        number = int(text, 16) if text.lower().startswith("0x") else int(text)
    except ValueError:
        # names are taken in any case, and written in one
        return next((name for name in names.values() if name.lower() == text.lower()), text)
    return names.get(number, str(number))
