# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Any definition that the typed options of libvirt_network allow, as hypothesis strategies.

What is generated fulfils the module's rules, so that a refusal of it is a failure.
"""

from __future__ import annotations

import ipaddress
import typing as t

import libvirt
from hypothesis import strategies as st

if t.TYPE_CHECKING:
    Options = dict[str, t.Any]
    Subnet = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

__all__ = ["definitions", "felt_by_running", "interface_names", "macs", "network_names", "spoiled_definitions"]

# What the libvirt of the test driver, the one of this process, knows.
_LIBVIRT = libvirt.getVersion()
_HAS_TITLES = _LIBVIRT >= 9_007_000
_HAS_REGISTER = _LIBVIRT >= 10_001_000
_HAS_DRIVER_MODELS = _LIBVIRT >= 10_000_000
_HAS_VLAN_BRIDGES = _LIBVIRT >= 11_000_000

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LABEL = st.text(_LETTERS + "0123456789", min_size=1, max_size=8).map(lambda text: f"h{text}")

interface_names = st.text(_LETTERS + "0123456789-_.", min_size=1, max_size=14).map(lambda text: f"v{text}")
network_names = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Cn", "Zl", "Zp", "Zs", "Co"), blacklist_characters="/"),
    min_size=1,
    max_size=20,
).filter(lambda name: name not in (".", ".."))
host_names = st.lists(_LABEL, min_size=1, max_size=3).map(".".join)
macs = (
    st.tuples(st.integers(0, 127), st.binary(min_size=5, max_size=5))
    .map(lambda parts: ":".join([f"{parts[0] * 2:02x}"] + [f"{byte:02x}" for byte in parts[1]]))
    .filter(lambda mac: mac != "00:00:00:00:00:00")
)
# link-layer DUIDs, one of the kinds that libvirt's schema knows
_duids = macs.map(lambda mac: f"00:03:00:01:{mac}")


@st.composite
def _written(draw: st.DrawFn, value: str) -> str:
    """Write an address or a MAC address in one of the ways that mean the same."""
    if ":" not in value:
        return value
    if "::" in value or value.count(":") != 5:
        value = draw(st.sampled_from([value, ipaddress.ip_address(value).exploded]))
    return draw(st.sampled_from([value, value.upper()]))


def _subnets(version: int) -> st.SearchStrategy[Subnet]:
    if version == 4:
        return st.builds(
            lambda second, prefix: ipaddress.ip_network((f"10.{second}.64.0", prefix)), st.integers(1, 250), st.integers(18, 28)
        )
    return st.builds(lambda part: ipaddress.ip_network((f"fd00:{part:x}::", 64)), st.integers(1, 65535))


@st.composite
def _optional(draw: st.DrawFn, **options: st.SearchStrategy[t.Any]) -> Options:
    """Return some of the options."""
    return {name: draw(strategy) for name, strategy in options.items() if draw(st.booleans())}


# --- texts and times ------------------------------------------------------------------------------------------------------------

_lines = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Cn", "Zl", "Zp", "Co")), min_size=1, max_size=12)
_uuids = st.uuids().map(str)
_leases = st.one_of(
    st.builds(lambda hours: {"expiry": hours, "unit": "hours"}, st.integers(0, 1000)),
    st.builds(lambda minutes: {"expiry": minutes, "unit": "minutes"}, st.integers(2, 5000)),
    st.builds(lambda minutes: {"expiry": minutes}, st.integers(2, 5000)),
    st.builds(lambda seconds: {"expiry": seconds, "unit": "seconds"}, st.sampled_from([0, 120, 121, 3600, 2**63])),
)


@st.composite
def _leased(draw: st.DrawFn, owner: Options) -> Options:
    return {**owner, "lease": draw(_leases)} if draw(st.integers(0, 3)) == 0 else owner


@st.composite
def _metadata(draw: st.DrawFn) -> list[str]:
    owners = draw(st.lists(st.sampled_from(["urn:a", "urn:b", "urn:c"]), max_size=3, unique=True))
    return [f"<note xmlns='{owner}' by='{draw(st.integers(0, 9))}'>text<more/> </note>" for owner in owners]


# --- addresses ------------------------------------------------------------------------------------------------------------------


@st.composite
def _host_entry(draw: st.DrawFn, version: int, address: str, number: int) -> Options:
    entry: Options = {"ip": draw(_written(address))}
    if draw(st.booleans()):
        entry["name"] = f"g{number}{draw(_LABEL)}"
    if version == 4:
        if "name" not in entry or draw(st.booleans()):
            mac = f"52:54:{number:02x}:{draw(macs)[9:]}"
            entry["mac"] = draw(_written(mac))
    elif "name" not in entry or draw(st.booleans()):
        entry["id"] = f"{draw(_duids)[:-2]}{number:02X}"
    return draw(_leased(entry))


@st.composite
def _dhcp(draw: st.DrawFn, subnet: Subnet) -> Options:
    # places in the subnet: no host's address at either end, and libvirt's limit for the length of a range
    most = min(subnet.num_addresses - 2, 60000)
    places = st.integers(1, most)
    ends = draw(st.lists(places, max_size=6, unique=True).map(sorted))
    ranges = [draw(_leased({"start": str(subnet[ends[i]]), "end": str(subnet[ends[i + 1]])})) for i in range(0, len(ends) - 1, 2)]
    taken = draw(st.lists(st.integers(2, most), max_size=3, unique=True))
    hosts = [draw(_host_entry(subnet.version, str(subnet[place]), number)) for number, place in enumerate(taken)]
    dhcp: Options = {}
    if ranges or draw(st.booleans()):
        dhcp["ranges"] = draw(st.permutations(ranges))
    if hosts or draw(st.booleans()):
        dhcp["hosts"] = draw(st.permutations(hosts))
    if subnet.version == 4 and (ranges or hosts) and draw(st.booleans()):
        dhcp["bootp"] = {"file": draw(_lines.filter(str.strip)), **draw(_optional(server=st.just("192.0.2.69")))}
    return dhcp


@st.composite
def _ip(draw: st.DrawFn, subnet: Subnet, *, dhcp: bool) -> Options:
    entry: Options = {"address": draw(_written(str(subnet[1])))}
    if subnet.version == 4 and draw(st.booleans()):
        entry["netmask"] = str(subnet.netmask)
    else:
        entry["prefix"] = subnet.prefixlen
    if dhcp:
        entry["dhcp"] = draw(_dhcp(subnet))
    if draw(st.booleans()):
        entry["local_ptr"] = subnet.prefixlen in (24, 64) and draw(st.booleans())
    if subnet.version == 4 and draw(st.integers(0, 3)) == 0:
        entry["tftp"] = {"root": draw(_lines.filter(str.strip))}
    return entry


@st.composite
def _ips(draw: st.DrawFn, least: int) -> list[Options]:
    subnets = draw(
        st.lists(
            st.integers(0, 1).flatmap(lambda index: _subnets((4, 6)[index])),
            min_size=least,
            max_size=3,
            unique_by=lambda subnet: str(subnet.network_address),
        )
    )
    served: set[int] = set()
    entries = []
    for subnet in subnets:
        dhcp = subnet.version not in served and draw(st.booleans())
        if dhcp:
            served.add(subnet.version)
        entries.append(draw(_ip(subnet, dhcp=dhcp)))
    return entries


@st.composite
def _routes(draw: st.DrawFn, ips: list[Options]) -> list[Options]:
    routes = []
    for number in range(draw(st.integers(0, 2))):
        near = ipaddress.ip_address(draw(st.sampled_from([entry["address"] for entry in ips])))
        gateway = near + 5
        far: Subnet = (
            ipaddress.ip_network((f"172.{20 + number}.0.0", draw(st.integers(16, 32))))
            if near.version == 4
            else ipaddress.ip_network((f"fc00:{number + 1}::", draw(st.integers(32, 128))))
        )
        route: Options = {"address": str(far.network_address), "gateway": draw(_written(str(gateway)))}
        if near.version == 4 and draw(st.booleans()):
            route["netmask"] = str(far.netmask)
        else:
            route["prefix"] = far.prefixlen
        if draw(st.booleans()):
            route["metric"] = draw(st.integers(1, 2**32 - 1))
        routes.append(route)
    return draw(st.permutations(routes))


_port_ranges = (
    st.tuples(st.integers(1, 65535), st.integers(1, 65535))
    .filter(lambda pair: pair[0] != pair[1])  # libvirt stores one port, and cannot start the network
    .map(lambda pair: {"start": min(pair), "end": max(pair)})
)
_nat_addresses = st.integers(1, 200).map(lambda part: {"start": f"198.51.100.{part}", "end": f"198.51.100.{part + 9}"})


@st.composite
def _srv(draw: st.DrawFn) -> Options:
    record: Options = {
        "service": draw(st.sampled_from(["ldap", "sip", "http_alt", "x-y"])),
        "protocol": draw(st.sampled_from(["tcp", "udp"])),
        **draw(_optional(domain=host_names)),
    }
    if draw(st.booleans()):
        record["target"] = draw(st.one_of(st.just("."), host_names))
        numbers = st.integers(0, 65535)
        record.update(draw(_optional(port=numbers, priority=numbers, weight=numbers)))
    return record


@st.composite
def _dns(draw: st.DrawFn) -> Options:
    dns: Options = draw(_optional(forward_plain_names=st.booleans()))
    if draw(st.integers(0, 4)) == 0:
        return {**dns, "enable": False}
    if draw(st.booleans()):
        dns["enable"] = True
    if draw(st.booleans()):
        addresses = st.sampled_from(["192.0.2.53", "2001:db8::53", "2001:DB8::54"])
        dns["forwarders"] = draw(
            st.lists(
                st.one_of(
                    st.fixed_dictionaries({"addr": addresses}),
                    st.fixed_dictionaries({"domain": host_names}),
                    st.fixed_dictionaries({"addr": addresses, "domain": host_names}),
                ),
                max_size=3,
            )
        )
    if draw(st.booleans()):
        records = st.builds(lambda name, value: {"name": name, "value": value}, host_names, st.one_of(st.just(""), _lines))
        dns["txt"] = draw(st.lists(records, max_size=3, unique_by=lambda record: (record["name"], record["value"])))
    if draw(st.booleans()):
        dns["srv"] = draw(st.lists(_srv(), max_size=3))
    if draw(st.booleans()):
        places = draw(st.lists(st.integers(1, 65535), max_size=3, unique=True))
        versions = [draw(st.sampled_from(["10.250.0.0", "fd11::"])) for _place in places]
        dns["hosts"] = [
            {
                "ip": draw(_written(str(ipaddress.ip_address(base) + place))),
                "hostnames": draw(st.lists(host_names, min_size=1, max_size=3, unique=True)),
            }
            for base, place in zip(versions, places)
        ]
    return dns


# --- guests' NICs ---------------------------------------------------------------------------------------------------------------

_rates = st.integers(1, 2**32 - 1)


@st.composite
def _rate(draw: st.DrawFn) -> Options:
    return {"average": draw(_rates), **draw(_optional(peak=st.one_of(st.just(0), _rates), burst=st.integers(0, 2**22 - 1)))}


_bandwidths = _optional(inbound=_rate(), outbound=_rate())
_profiles = st.text(_LETTERS + " ", max_size=39)


@st.composite
def _vlan(draw: st.DrawFn) -> Options:
    numbers = draw(st.lists(st.integers(0, 4095), min_size=1, max_size=3, unique=True))
    tags: list[Options] = [{"id": number} for number in numbers]
    if draw(st.booleans()):
        tags[0]["native_mode"] = draw(st.sampled_from(["tagged", "untagged"]))
    return {"tags": draw(st.permutations(tags)), **draw(_optional(trunk=st.just(True) if len(tags) > 1 else st.booleans()))}


def _virtualport(kind: str) -> st.SearchStrategy[Options]:
    numbers = st.integers(0, 255)
    parameters = {
        "802.1Qbg": _optional(managerid=numbers, typeid=st.integers(0, 2**24 - 1), typeidversion=numbers, instanceid=_uuids),
        "802.1Qbh": _optional(profileid=_profiles),
        "openvswitch": _optional(profileid=_profiles, interfaceid=_uuids),
        "midonet": st.fixed_dictionaries({"interfaceid": _uuids}),
    }
    return st.builds(lambda given: {"type": kind, "parameters": given} if given else {"type": kind}, parameters[kind])


@st.composite
def _portgroups(draw: st.DrawFn, **options: st.SearchStrategy[t.Any]) -> list[Options]:
    """Return port groups with some of the options, one of them the default at most."""
    names = draw(st.lists(_LABEL, max_size=3, unique=True))
    groups = [{"name": name, **draw(_optional(trust_guest_rx_filters=st.booleans(), **options))} for name in names]
    for number, group in enumerate(groups):
        if draw(st.booleans()):
            group["default"] = number == 0 and draw(st.booleans())
    return draw(st.permutations(groups))


# --- what is the host's ---------------------------------------------------------------------------------------------------------


@st.composite
def _devices(draw: st.DrawFn) -> Options:
    """Return interfaces of the host, in one of the ways that there are."""
    names = draw(st.lists(interface_names, min_size=1, max_size=3, unique=True))
    return draw(
        st.sampled_from([{"dev": names[0]}, {"interfaces": [{"dev": name} for name in names]}, {"pf": {"dev": names[0]}}])
    )


@st.composite
def _bus_number(draw: st.DrawFn, high: int) -> str | int:
    number = draw(st.integers(0, high))
    return draw(st.sampled_from([number, str(number), f"0x{number:x}", f"0x{number:04X}"]))


@st.composite
def _addresses(draw: st.DrawFn) -> list[Options]:
    entries: list[Options] = []
    for bus in draw(st.lists(st.integers(0, 255), min_size=1, max_size=3, unique=True)):
        rest = _optional(
            type=st.just("pci"),
            domain=_bus_number(0xFFFF),
            slot=_bus_number(31),
            function=_bus_number(7),
        )
        entries.append({"bus": draw(st.sampled_from([bus, hex(bus)])), **draw(rest)})
    return draw(st.permutations(entries))


@st.composite
def _hostdev(draw: st.DrawFn) -> Options:
    forward: Options = {"mode": "hostdev", **draw(_optional(managed=st.booleans()))}
    if draw(st.booleans()):
        forward["driver"] = {"name": draw(st.sampled_from(["kvm", "vfio"]))}
        if _HAS_DRIVER_MODELS:
            forward["driver"].update(draw(_optional(model=_LABEL)))
    if draw(st.booleans()):
        forward["addresses"] = draw(_addresses())
    else:
        forward["pf"] = {"dev": draw(interface_names)}
    return {"forward": forward, **draw(_optional(vlan=_vlan(), portgroups=_portgroups(vlan=_vlan())))}


@st.composite
def _macvtap(draw: st.DrawFn) -> Options:
    mode = draw(st.sampled_from(["bridge", "private", "vepa", "passthrough"]))
    ports = st.sampled_from(["802.1Qbg", "802.1Qbh"]).flatmap(_virtualport)
    options: Options = draw(_optional(virtualport=ports, portgroups=_portgroups(virtualport=ports)))
    if mode == "passthrough" and draw(st.booleans()):
        options = {"vlan": draw(_vlan())}
    return {"forward": {"mode": mode, **draw(_devices())}, **options}


@st.composite
def _host_bridge(draw: st.DrawFn) -> Options:
    options: Options = {
        "forward": {"mode": "bridge"},
        "bridge": {"name": draw(interface_names), **draw(_optional(mac_table_manager=st.sampled_from(["kernel", "libvirt"])))},
        **draw(_optional(bandwidth=_bandwidths)),
    }
    kind = draw(st.sampled_from(["", "openvswitch", "midonet"]))
    if kind == "openvswitch":
        port = _virtualport(kind)
        options["virtualport"] = draw(port)
        groups = _portgroups(vlan=_vlan(), bandwidth=_bandwidths, virtualport=port)
        options.update(draw(_optional(vlan=_vlan(), portgroups=groups)))
    elif kind == "midonet":
        options["virtualport"] = draw(_virtualport(kind))
    else:
        options.update(draw(_optional(port=_isolations, portgroups=_portgroups(bandwidth=_bandwidths))))
        if _HAS_VLAN_BRIDGES and draw(st.booleans()):
            options["vlan"] = draw(_vlan())
    return options


_isolations = st.builds(lambda isolated: {"isolated": isolated}, st.booleans())


@st.composite
def _domain(draw: st.DrawFn) -> Options:
    domain: Options = {"name": draw(host_names), **draw(_optional(local_only=st.booleans()))}
    if _HAS_REGISTER and draw(st.booleans()):
        domain["register"] = domain.get("local_only", False) and draw(st.booleans())
    return domain


@st.composite
def _own_bridge(draw: st.DrawFn) -> Options:
    mode = draw(st.sampled_from(["none", "nat", "route", "open"]))
    forward: Options = {"mode": mode}
    if mode in ("nat", "route"):
        forward.update(draw(_optional(dev=interface_names)))
    if mode == "nat":
        forward.update(draw(_optional(nat=_optional(address=_nat_addresses, port=_port_ranges, ipv6=st.booleans()))))
    options: Options = draw(
        _optional(
            bridge=_optional(
                name=interface_names,
                stp=st.booleans(),
                delay=st.integers(0, 30),
                zone=_LABEL,
                mac_table_manager=st.sampled_from(["kernel", "libvirt"]),
            ),
            mac=macs.flatmap(_written),
            mtu=st.integers(1280, 65535),
            domain=_domain(),
            dns=_dns(),
            bandwidth=_bandwidths,
            port=_isolations,
            portgroups=_portgroups(bandwidth=_bandwidths),
        )
    )
    if mode != "none" or draw(st.booleans()):
        options["forward"] = forward
    if mode != "none" or draw(st.booleans()):
        options["ips"] = draw(_ips(int(mode != "none")))
    if options.get("ips") and draw(st.booleans()):
        options["routes"] = draw(_routes(options["ips"]))
    return options


def felt_by_running(options: Options) -> Options:
    """Return the options without what a running network does not feel: libvirt's test driver forgets what it stores of that."""
    return {name: value for name, value in options.items() if name not in ("title", "description", "metadata")}


@st.composite
def definitions(draw: st.DrawFn) -> Options:
    """Return definition options of a new network, at least one."""
    kinds = [_own_bridge, _own_bridge, _own_bridge, _host_bridge, _macvtap, _hostdev]
    options: Options = draw(st.sampled_from(kinds).flatmap(lambda kind: kind()))
    options.update(draw(_optional(ipv6=st.booleans(), trust_guest_rx_filters=st.booleans(), metadata=_metadata())))
    if _HAS_TITLES:
        texts = st.one_of(st.just(""), _lines)
        options.update(draw(_optional(title=texts, description=st.lists(texts, max_size=3).map("\n".join))))
    return options or {"forward": {"mode": "none"}}


# --- wrong ones -----------------------------------------------------------------------------------------------------------------

_odd = st.one_of(
    st.sampled_from(
        [
            "",
            " ",
            "0",
            "..",
            "a/b",
            "a b",
            "1name",
            "1\u00b23",
            "under_score",
            "\u0007",
            "line\nbreak",
            "10.1.64.1",
            "10.1.64.0",
            "10.1.255.255",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "127.0.0.1",
            "fd00:1::",
            "fd00:1::ffff",
            "fd00:1::1:1",
            "::",
            "ff02::1",
            "::ffff:10.1.2.3",
            "fe80::1",
            "52:54:00:00:00:01",
            "01:00:5e:00:00:01",
            "00:00:00:00:00:00",
            "255.255.0.0",
            "255.0.255.0",
            "a-name-of-more-than-fifteen-characters",
            "virbr%d",
        ]
    ),
    st.text(max_size=5),
)
_odd_numbers = st.one_of(st.integers(-2, 130), st.sampled_from([1279, 1280, 65535, 65536, 2**31, 2**32 - 1, 2**32, 2**63, 2**64]))


@st.composite
def _spoiled(draw: st.DrawFn, value: t.Any) -> t.Any:
    if isinstance(value, dict) and value:
        victim = draw(st.sampled_from(sorted(value)))
        if draw(st.integers(0, 9)) == 0:
            return {name: kept for name, kept in value.items() if name != victim}
        return {**value, victim: draw(_spoiled(value[victim]))}
    if isinstance(value, list) and value:
        index = draw(st.integers(0, len(value) - 1))
        if draw(st.integers(0, 9)) == 0:
            return [*value, value[index]]
        return [*value[:index], draw(_spoiled(value[index])), *value[index + 1 :]]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return draw(_odd_numbers)
    return draw(_odd)


@st.composite
def spoiled_definitions(draw: st.DrawFn) -> Options:
    """Return options of a new network with one to three values that may be wrong."""
    options = draw(definitions())
    for _time in range(draw(st.integers(1, 3))):
        options = draw(_spoiled(options)) or {"forward": {"mode": "none"}}
    return options
