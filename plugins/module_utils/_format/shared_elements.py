# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Elements that libvirt's formats of networks and of guests' NICs have in common. Source: libvirt's networkcommon.rng."""

from __future__ import annotations

from ansible_collections.kvmops.network.plugins.module_utils._format.codecs import LINE, UUID, YES_NO, Choice, Number
from ansible_collections.kvmops.network.plugins.module_utils._format.tree import Entries, Group, Value

__all__ = ["BANDWIDTH", "TRUST_GUEST_RX_FILTERS", "VIRTUALPORT", "VLAN"]

_BYTE = Number(0, 255, any_base=True)
_SPEED = Number(0, 2**54)
_RATE = (
    Value("average", "@average", _SPEED, default=0),
    Value("peak", "@peak", _SPEED, default=0),
    Value("burst", "@burst", _SPEED, default=0),
    Value("floor", "@floor", _SPEED, default=0),
)

BANDWIDTH = Group("bandwidth", "bandwidth", (Group("inbound", "inbound", _RATE), Group("outbound", "outbound", _RATE)))

VLAN = Group(
    "vlan",
    "vlan",
    (
        Value("trunk", "@trunk", YES_NO, default=False),
        Entries(
            "tags",
            "tag",
            (
                Value("id", "@id", Number(0, 4095), required=True),
                Value("native_mode", "@nativeMode", Choice(("tagged", "untagged"))),
            ),
            key=(("id",),),
            required=True,
        ),
    ),
)

VIRTUALPORT = Group(
    "virtualport",
    "virtualport",
    (
        Value("type", "@type", Choice(("802.1Qbg", "802.1Qbh", "openvswitch", "midonet"), grows=True)),
        Group(
            "parameters",
            "parameters",
            (
                Value("managerid", "@managerid", _BYTE),
                Value("typeid", "@typeid", Number(0, 0xFFFFFF, any_base=True)),
                Value("typeidversion", "@typeidversion", _BYTE),
                Value("instanceid", "@instanceid", UUID),
                Value("profileid", "@profileid", LINE, default=""),
                Value("interfaceid", "@interfaceid", UUID),
            ),
        ),
    ),
)

TRUST_GUEST_RX_FILTERS = Value("trust_guest_rx_filters", "@trustGuestRxFilters", YES_NO, default=False)
