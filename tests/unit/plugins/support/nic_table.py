# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What happens when something of a NIC changes while its guest runs, as a table.

test_libvirt_domain_nic_daemon.py holds it against what libvirt really does on each release, test_live_table.py against the plan,
and test_guest_nics_table.py against the guide, which shows it.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

Options = dict[str, t.Any]
# "live", it changes in place; "replug", it waits for the guest's next start or the NIC is plugged in anew; "stored", it has no
# meaning for a NIC that runs; "", this libvirt does not have it.
Fate = t.Literal["live", "replug", "stored", ""]

VERSIONS = ("7.0.0", "9.0.0", "11.3.0")  # Debian 11, 12 and 13

MAC, OTHER_MAC, ALIAS = "52:54:00:00:77:01", "52:54:00:00:77:02", "row"
BRIDGE, UPLINKS = "br-unit", ("unit-up0", "unit-up1")
NAT, OTHER_NAT, GROUPS, ON_BRIDGE, MACVTAP, PRIVATE = "red", "blue", "groups", "on-bridge", "macvtap", "private"
ROM = "/var/lib/libvirt/qemu/unit.rom"  # made by the test

_RATE = "<inbound average='{0}'/><outbound average='{0}'/>"
NETWORKS: dict[str, str] = {
    NAT: "<forward mode='nat'/><bridge name='virbr-red'/><ip address='10.9.1.1' prefix='24'/>",
    OTHER_NAT: "<forward mode='nat'/><bridge name='virbr-blue'/><ip address='10.9.2.1' prefix='24'/>",
    GROUPS: (
        "<forward mode='nat'/><bridge name='virbr-groups'/>"
        f"<portgroup name='slow'><bandwidth>{_RATE.format(100)}</bandwidth></portgroup>"
        f"<portgroup name='fast'><bandwidth>{_RATE.format(900)}</bandwidth></portgroup>"
        "<portgroup name='plain'/>"
        "<ip address='10.9.3.1' prefix='24'/>"
    ),
    ON_BRIDGE: f"<forward mode='bridge'/><bridge name='{BRIDGE}'/>",
    MACVTAP: f"<forward mode='bridge'><interface dev='{UPLINKS[0]}'/></forward>",
    PRIVATE: f"<forward mode='private'><interface dev='{UPLINKS[0]}'/></forward>",
}


@dataclass(frozen=True)
class Row:
    """One change. `before` and `after` are all options but those that each NIC here has, see `options_of`.

    `shows` is what libvirt's XML says afterwards and not before, and `hides` what it says before and not afterwards, in the words
    of `facts_of`. `fates` are those with each of VERSIONS. `option` is what the result calls it while it waits, where that is not
    the option's name. `seen` says that the lab's kernel can do it at all, and `alone` that the NIC is plugged in anew for this
    row and not for several together.
    """

    name: str
    change: str
    before: Options
    after: Options
    fates: tuple[Fate, Fate, Fate]
    shows: frozenset[str] = frozenset()
    hides: frozenset[str] = frozenset()
    waits: tuple[str, ...] = ()
    seen: bool = True
    alone: bool = True

    @property
    def pending(self) -> list[str]:
        """What the result says that waits for the guest's next start."""
        return sorted(self.waits or (self.option,))

    @property
    def option(self) -> str:
        """The option at the top."""
        return self.name.partition(".")[0]

    def __str__(self) -> str:
        return f"{self.name}: {self.change}"


def options_of(options: Options) -> Options:
    """Return all options of the NIC: it is said as a whole each time, so that what a row omits is taken away."""
    base: Options = {"mac": MAC, "alias": ALIAS, "model": "virtio"}
    if "type" not in options:
        base["source"] = {"network": NAT}
    return {**base, **options}


def place(**source: str) -> Options:
    return {"source": source}


def rate(inbound: int = 0, outbound: int = 0) -> Options:
    rates = {"inbound": inbound, "outbound": outbound}
    return {"bandwidth": {direction: {"average": average} for direction, average in rates.items() if average}}


def filtered(name: str, *addresses: str) -> Options:
    return {"filterref": {"filter": name, "parameters": [{"name": "IP", "value": address} for address in addresses]}}


def merged(*several: Options) -> Options:
    """Return the options of several rows at once."""
    found: Options = {}
    for options in several:
        for name, value in options.items():
            found[name] = merged(found.get(name, {}), value) if isinstance(value, dict) else value
    return found


LIVE: tuple[Fate, Fate, Fate] = ("live", "live", "live")
REPLUG: tuple[Fate, Fate, Fate] = ("replug", "replug", "replug")


def row(
    name: str,
    change: str,
    before: Options,
    after: Options,
    fates: tuple[Fate, Fate, Fate],
    shows: str = "",
    hides: str = "",
    **rest: t.Any,
) -> Row:
    return Row(name, change, before, after, fates, frozenset(shows.split()), frozenset(hides.split()), **rest)


def driver(name: str, value: t.Any, shows: str, *, fates: tuple[Fate, Fate, Fate] = REPLUG) -> Row:
    outer, _dot, inner = name.rpartition(".")
    options: Options = {inner: value}
    after = {"driver": {outer: options} if outer else options}
    return row(f"driver.{name}", f"``{name.partition('.')[0]}``", {}, after, fates, f"driver/{shows}", alone=False)


_DIRECT = place(dev=UPLINKS[0], mode="bridge")
_EARTH = {"virtualport": {"type": "openvswitch"}}

# fmt: off
TABLE: tuple[Row, ...] = (
    # what                    from what to what
    row("link", "down", {}, {"link": "down"}, LIVE, "link/@state=down"),
    row("link", "up", {"link": "down"}, {"link": "up"}, LIVE, hides="link/@state=down"),
    row("source.network", "from a network with a bridge to another", {}, place(network=OTHER_NAT), LIVE, "source/@network=blue"),
    row("source.bridge", "from such a network to a bridge of the host", place(network=OTHER_NAT), place(bridge=BRIDGE), LIVE,
        "source/@bridge=br-unit"),
    row("source.network", "from a bridge of the host to a network", place(bridge=BRIDGE), place(network=ON_BRIDGE), LIVE,
        "source/@network=on-bridge"),
    row("source.network", "from a network of mode ``bridge`` to another", place(network=ON_BRIDGE), {}, LIVE,
        "source/@network=red"),
    row("source.network", "to a network of macvtaps", {}, place(network=MACVTAP), REPLUG, "source/@network=macvtap",
        waits=("place",)),
    row("source.network", "between networks of macvtaps", place(network=MACVTAP), place(network=PRIVATE), REPLUG,
        "source/@network=private", waits=("place",)),
    row("source.network", "from a network of macvtaps", place(network=PRIVATE), {}, REPLUG, "source/@network=red",
        waits=("place",)),
    row("source.portgroup", "another port group", place(network=GROUPS, portgroup="slow"),
        place(network=GROUPS, portgroup="fast"), ("live", "live", "replug"), "source/@portgroup=fast",
        waits=("bandwidth", "portgroup")),
    row("source.portgroup", "another network and port group", place(network=GROUPS, portgroup="fast"), {},
        # libvirt 7.0 would crash, since the port group has a bandwidth and the network has none
        ("replug", "live", "replug"), "source/@network=red", "source/@portgroup=fast",
        waits=("bandwidth", "place", "portgroup")),
    row("source.dev", "to a macvtap", {}, _DIRECT, REPLUG, "@type=direct source/@dev=unit-up0", waits=("place",)),
    row("source.mode", "the mode of a macvtap", _DIRECT, place(dev=UPLINKS[0], mode="private"), REPLUG, "source/@mode=private",
        waits=("mode",)),
    row("source.dev", "the interface of a macvtap", place(dev=UPLINKS[0], mode="private"),
        place(dev=UPLINKS[1], mode="private"), REPLUG,
        "source/@dev=unit-up1", waits=("place",)),
    row("bandwidth", "of a macvtap", _DIRECT, {**_DIRECT, **rate(1000)}, LIVE, "bandwidth/inbound/@average=1000"),
    row("link", "of a macvtap", {**_DIRECT, **rate(1000)}, {**_DIRECT, **rate(1000), "link": "down"}, LIVE, "link/@state=down"),
    row("trust_guest_rx_filters", "of a macvtap", _DIRECT, {**_DIRECT, "trust_guest_rx_filters": True},
        ("replug", "replug", "live"), "@trustGuestRxFilters=yes"),
    row("trust_guest_rx_filters", "of a tap", {}, {"trust_guest_rx_filters": True}, ("replug", "replug", "live"),
        "@trustGuestRxFilters=yes"),
    row("bandwidth", "given anew", {}, rate(1000, 2000), LIVE,
        "bandwidth/inbound/@average=1000 bandwidth/outbound/@average=2000"),
    row("bandwidth", "changed", rate(1000, 2000), rate(3000, 2000), LIVE, "bandwidth/inbound/@average=3000"),
    row("bandwidth", "one direction taken away", rate(3000, 2000), rate(3000), LIVE, hides="bandwidth/outbound/@average=2000"),
    row("bandwidth", "all of it taken away", rate(3000), {}, ("replug", "live", "live"),  # libvirt 7.0 would crash
        hides="bandwidth/inbound/@average=3000"),
    row("filterref", "given anew", {}, filtered("clean-traffic", "10.9.1.7"), LIVE, "filterref/@filter=clean-traffic"),
    row("filterref", "a parameter changed", filtered("clean-traffic", "10.9.1.7"), filtered("clean-traffic", "10.9.1.8"), LIVE,
        "filterref/parameter/@value=10.9.1.8", "filterref/parameter/@value=10.9.1.7"),
    row("filterref", "a parameter taken away, another filter", filtered("clean-traffic", "10.9.1.8"), filtered("allow-arp"),
        LIVE, "filterref/@filter=allow-arp", "filterref/parameter/@value=10.9.1.8"),
    row("filterref", "taken away", filtered("allow-arp"), {}, LIVE, hides="filterref/@filter=allow-arp"),
    row("port.isolated", "isolated", {}, {"port": {"isolated": True}}, LIVE, "port/@isolated=yes"),
    row("port.isolated", "no longer isolated", {"port": {"isolated": True}}, {}, LIVE, hides="port/@isolated=yes"),
    row("coalesce", "given anew", {}, {"coalesce": {"rx": {"frames": {"max": 5}}}}, LIVE, "coalesce/rx/frames/@max=5"),
    row("coalesce", "changed", {"coalesce": {"rx": {"frames": {"max": 5}}}}, {"coalesce": {"rx": {"frames": {"max": 7}}}}, LIVE,
        "coalesce/rx/frames/@max=7"),
    row("coalesce", "taken away", {"coalesce": {"rx": {"frames": {"max": 7}}}}, {}, LIVE, hides="coalesce/rx/frames/@max=7"),
    row("mac", "", {}, {"mac": OTHER_MAC}, REPLUG, f"mac/@address={OTHER_MAC}", f"mac/@address={MAC}"),
    row("alias", "", {}, {"alias": "other"}, ("stored", "stored", "stored"), "alias/@name=ua-other"),
    # seed 004-j
    row("model", "", {}, {"model": "e1000"}, REPLUG, "model/@type=e1000", "model/@type=virtio"),
    row("mtu", "", {}, {"mtu": 1400}, REPLUG, "mtu/@size=1400", alone=False),
    row("target.dev", "", {}, {"target": {"dev": "unit-tap"}}, REPLUG, "target/@dev=unit-tap", alone=False),
    row("boot.order", "", {}, {"boot": {"order": 7}}, REPLUG, "boot/@order=7", alone=False),
    row("rom.enabled", "``enabled``", {}, {"rom": {"enabled": False}}, REPLUG, "rom/@enabled=no"),
    row("rom.file", "``file``", {}, {"rom": {"file": ROM}}, REPLUG, f"rom/@file={ROM}", alone=False),
    # QEMU plugs no card with off into a guest that runs, see test_refused_when_it_is_plugged_in
    row("rom.bar", "``bar``", {}, {"rom": {"bar": True}}, REPLUG, "rom/@bar=on", alone=False),
    row("type", "to ``user``", {}, {"type": "user"}, REPLUG, "@type=user", waits=("place",)),
    row("ips", "", {"type": "user"}, {"type": "user", "ips": [{"address": "172.17.2.5", "prefix": 24}]}, REPLUG,
        "ip/@address=172.17.2.5"),
    row("backend", "passt", {"type": "user"}, {"type": "user", "backend": {"type": "passt"}},
        ("", "", "replug"),  # Debian 12 builds libvirt 9.0 without it; no lab host has the program itself
        "backend/@type=passt", seen=False),
    row("type", "to ``ethernet``", {}, {"type": "ethernet"}, REPLUG, "@type=ethernet", waits=("place",)),
    row("vlan", "on a bridge of the host", place(bridge=BRIDGE), {**place(bridge=BRIDGE), "vlan": {"tags": [{"id": 7}]}},
        ("", "", "live"), "vlan/tag/@id=7", seen=False),
    row("virtualport", "on a bridge of the host", place(bridge=BRIDGE), {**place(bridge=BRIDGE), **_EARTH},
        ("replug", "replug", "live"), "virtualport/@type=openvswitch", seen=False),
    driver("name", "qemu", "@name=qemu"),
    driver("txmode", "timer", "@txmode=timer"),
    driver("ioeventfd", False, "@ioeventfd=off"),
    driver("event_idx", False, "@event_idx=off"),
    driver("queues", 2, "@queues=2"),
    driver("rx_queue_size", 512, "@rx_queue_size=512"),
    driver("tx_queue_size", 256, "@tx_queue_size=256"),
    driver("iommu", True, "@iommu=on"),
    driver("ats", True, "@ats=on"),
    driver("packed", True, "@packed=on"),
    driver("page_per_vq", True, "@page_per_vq=on", fates=("", "replug", "replug")),
    driver("rss", True, "@rss=on", fates=("", "replug", "replug")),
    driver("rss_hash_report", True, "@rss_hash_report=on", fates=("", "replug", "replug")),
    *(driver(f"host.{name}", False, f"host/@{name}=off") for name in ("csum", "gso", "tso4", "tso6", "ecn", "ufo", "mrg_rxbuf")),
    # seed 004-t
    *(driver(f"guest.{name}", False, f"guest/@{name}=off") for name in ("csum", "tso4", "tso6", "ecn", "ufo")),
)
# fmt: on


def render() -> str:
    """Return the table as the guide shows it."""
    lines = [".. list-table::", "    :header-rows: 1", "    :widths: auto", ""]
    header = ("Option", "Change", *(f"libvirt {version.rpartition('.')[0]}" for version in VERSIONS))
    for cells in (header, *_lines()):
        lines += [f"    {'* - ' if number == 0 else '  - '}{cell}".rstrip() for number, cell in enumerate(cells)]
    return "\n".join(lines) + "\n"


def _lines() -> t.Iterator[tuple[str, ...]]:
    """Yield the rows of the guide's table: one for all changes of an option that have the same fate."""
    words: dict[Fate, str] = {"live": "in place", "replug": "replug", "stored": "stored", "": "\u2013"}
    groups: dict[tuple[str, tuple[Fate, Fate, Fate]], list[str]] = {}
    for each in sorted(TABLE, key=lambda row: row.option):
        groups.setdefault((each.option, each.fates), []).append(each.change)
    for (option, fates), changes in groups.items():
        cell = "; ".join(dict.fromkeys(changes)) or "any"
        yield (f":ansopt:`kvmops.network.libvirt_domain_nic#module:{option}`", cell, *(words[fate] for fate in fates))
