# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""libvirt's format of a guest's interface as a tree of fields, one for each element and attribute.

Source: https://libvirt.org/formatdomain.html#network-interfaces and libvirt's domaincommon.rng. Defaults are what libvirt and
QEMU assume when the attribute is missing, so that both are equal. The NIC's place on a bus of the guest (`<address>`) is no
field: it is kept beside the definition, see definition.py. `since` is libvirt's version, where it is later than the oldest that
is managed (7.0).
"""

from __future__ import annotations

from ansible_collections.kvmops.network.plugins.module_utils._format.codecs import (
    ADDRESS,
    FILLED_LINE,
    MAC,
    ON_OFF,
    YES_NO,
    Choice,
    Number,
)
from ansible_collections.kvmops.network.plugins.module_utils._format.shared_elements import (
    BANDWIDTH,
    TRUST_GUEST_RX_FILTERS,
    VIRTUALPORT,
    VLAN,
)
from ansible_collections.kvmops.network.plugins.module_utils._format.tree import Entries, Fields, Group, Value

__all__ = ["INTERFACE", "MADE_TYPES"]

# The types of NIC that a task can make. NICs of other types are kept, changed where it is asked for, and removed by their names.
MADE_TYPES = ("network", "bridge", "direct", "user", "ethernet")

_PORT = Number(1, 65535)
_UNSIGNED_INT = Number(0, 2**32 - 1)
_POSITIVE_INT = Number(1, 2**32 - 1)

_SOURCE = Group(
    "source",
    "source",
    (
        Value("network", "@network", FILLED_LINE),
        Value("portgroup", "@portgroup", FILLED_LINE),
        Value("bridge", "@bridge", FILLED_LINE),
        Value("dev", "@dev", FILLED_LINE),
        Value("mode", "@mode", Choice(("vepa", "bridge", "private", "passthrough"), grows=True)),
    ),
)


def _offloads(*names: str) -> Fields:
    return tuple(Value(name, f"@{name}", ON_OFF, default=True) for name in names)


_DRIVER = Group(
    "driver",
    "driver",
    (
        Value("name", "@name", Choice(("vhost", "qemu"), grows=True)),
        Value("txmode", "@txmode", Choice(("iothread", "timer"), grows=True)),
        Value("ioeventfd", "@ioeventfd", ON_OFF),
        Value("event_idx", "@event_idx", ON_OFF),
        Value("queues", "@queues", _POSITIVE_INT, default=1),
        Value("rx_queue_size", "@rx_queue_size", _POSITIVE_INT),
        Value("tx_queue_size", "@tx_queue_size", _POSITIVE_INT),
        Value("iommu", "@iommu", ON_OFF),
        Value("ats", "@ats", ON_OFF),
        Value("packed", "@packed", ON_OFF),
        Value("page_per_vq", "@page_per_vq", ON_OFF, since="7.9.0"),
        Value("rss", "@rss", ON_OFF, since="8.3.0"),
        Value("rss_hash_report", "@rss_hash_report", ON_OFF, since="8.3.0"),
        Group("host", "host", _offloads("csum", "gso", "tso4", "tso6", "ecn", "ufo", "mrg_rxbuf")),
        Group("guest", "guest", _offloads("csum", "tso4", "tso6", "ecn", "ufo")),
    ),
)

_BACKEND = Group(
    "backend",
    "backend",
    (
        Value("type", "@type", Choice(("default", "passt"), grows=True), default="default", since="9.0.0"),
        Value("log_file", "@logFile", FILLED_LINE, since="9.0.0"),
        Value("tap", "@tap", FILLED_LINE),
        Value("vhost", "@vhost", FILLED_LINE),
    ),
)

_PORT_FORWARDS = Entries(
    "port_forwards",
    "portForward",
    (
        Value("proto", "@proto", Choice(("tcp", "udp")), required=True),
        Value("address", "@address", ADDRESS),
        Value("dev", "@dev", FILLED_LINE),
        Entries(
            "ranges",
            "range",
            (
                Value("start", "@start", _PORT, required=True),
                Value("end", "@end", _PORT),
                Value("to", "@to", _PORT),
                Value("exclude", "@exclude", YES_NO, default=False),
            ),
            key=(("start",),),
        ),
    ),
    since="9.0.0",
)

_IPS = Entries(
    "ips",
    "ip",
    (
        Value("family", "@family", Choice(("ipv4", "ipv6"))),
        Value("address", "@address", ADDRESS, required=True),
        Value("prefix", "@prefix", Number(0, 128)),
        Value("peer", "@peer", ADDRESS),
    ),
    key=(("address",),),
)

_FILTERREF = Group(
    "filterref",
    "filterref",
    (
        Value("filter", "@filter", FILLED_LINE, required=True),
        Entries(
            "parameters",
            "parameter",
            (Value("name", "@name", FILLED_LINE, required=True), Value("value", "@value", FILLED_LINE, required=True)),
            key=(("name", "value"),),
        ),
    ),
)

INTERFACE: Fields = (
    Value("type", "@type", Choice(MADE_TYPES, grows=True)),
    Value("managed", "@managed", YES_NO),
    TRUST_GUEST_RX_FILTERS,
    Value("mac", "mac/@address", MAC),
    _SOURCE,
    _IPS,
    _PORT_FORWARDS,
    Value("script", "script/@path", FILLED_LINE),
    Value("downscript", "downscript/@path", FILLED_LINE),
    VIRTUALPORT,
    VLAN,
    Group("target", "target", (Value("dev", "@dev", FILLED_LINE), Value("managed", "@managed", YES_NO, default=True))),
    Value("model", "model/@type", FILLED_LINE),
    _DRIVER,
    _BACKEND,
    Group("boot", "boot", (Value("order", "@order", _POSITIVE_INT), Value("loadparm", "@loadparm", FILLED_LINE))),
    Group(
        "rom",
        "rom",
        (Value("enabled", "@enabled", YES_NO, default=True), Value("bar", "@bar", ON_OFF), Value("file", "@file", FILLED_LINE)),
    ),
    BANDWIDTH,
    _FILTERREF,
    Value("link", "link/@state", Choice(("up", "down")), default="up"),
    Value("mtu", "mtu/@size", _UNSIGNED_INT),
    Group("port", "port", (Value("isolated", "@isolated", YES_NO),)),  # no default: a NIC can differ from its network
    Group(
        "coalesce",
        "coalesce",
        (Group("rx", "rx", (Group("frames", "frames", (Value("max", "@max", _UNSIGNED_INT, default=0),)),)),),
    ),
    Group("tune", "tune", (Value("sndbuf", "sndbuf", _UNSIGNED_INT),)),
    Group("teaming", "teaming", (Value("type", "@type"), Value("persistent", "@persistent"))),
    Value("alias", "alias/@name", FILLED_LINE),
    Value("acpi", "acpi/@index", _POSITIVE_INT),
)
