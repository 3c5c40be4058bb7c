# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What a network's definition must fulfil before anyone tries to use it. Nothing here touches a host.

Each rule says in a sentence what is wrong, which value, and what to do. They say early, in check mode too, what libvirt would say
only when the network is defined or started, and what it would not say at all.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._network.definition import mode_of, owns_bridge, subnet_of

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    Definition = dict[str, t.Any]
    Address = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
    Subnet = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

__all__ = ["find_problems"]

# Source: the four kinds of DUID in libvirt's basictypes.rng.
_DUID = re.compile(
    r"00?:0?(1:00?:0?[a-f1-9](:[a-f0-9]{1,2}){10,12}|2(:[a-f0-9]{1,2}){5,128}|3:00?:0?[a-f1-9](:[a-f0-9]{1,2}){6,8}|4(:[a-f0-9]{1,2}){16})",
    re.IGNORECASE | re.ASCII,
)
_LONGEST_NAME = 246  # bytes; libvirt writes NAME.xml.new, and a file's name has 255
_LARGEST_RANGE = 65535  # addresses; source: virSocketAddrGetRange in libvirt


def find_problems(definition: Definition) -> list[str]:
    """Return what is wrong with a definition in normal form, a sentence each."""
    return [problem for rule in _RULES for problem in rule(definition)]


def interface_problem(name: str) -> str | None:
    """Return why the kernel would not take this as the name of an interface, as the end of a sentence."""
    if len(name.encode()) > 15:
        return f"has {len(name.encode())} characters, and the kernel allows 15; choose a shorter name"
    if name in ("all", "default"):
        return "stands for all interfaces in the kernel's settings; choose another name"
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", name) or name in (".", ".."):
        return "has characters that no interface name may have; use letters, digits, '-', '_' and '.'"
    return None


# --- names --------------------------------------------------------------------------------------------------------------------


def _name(definition: Definition) -> Iterator[str]:
    name = definition["name"]
    if "/" in name or name.strip() != name or name in (".", ".."):
        yield f"name: '{name}' cannot name a network; leave out '/' and white space at the ends."
    if len(name.encode()) > _LONGEST_NAME:
        yield f"name: '{name[:20]}…' has {len(name.encode())} bytes; libvirt allows {_LONGEST_NAME}, choose a shorter name."


def _interface_names(definition: Definition) -> Iterator[str]:
    forward = definition.get("forward", {})
    names = [("bridge.name", definition.get("bridge", {}).get("name")), ("forward.dev", forward.get("dev"))]
    names += [("forward.interfaces", entry["dev"]) for entry in forward.get("interfaces", [])]
    names += [("forward.pf", forward.get("pf", {}).get("dev"))]
    for option, name in names:
        problem = interface_problem(name) if name is not None else None
        if problem:
            yield f"{option}: '{name}' {problem}."


def _macs(definition: Definition) -> Iterator[str]:
    macs = [("mac", definition.get("mac"))]
    for entry in definition.get("ips", []):
        macs += [("dhcp.hosts", host.get("mac")) for host in entry.get("dhcp", {}).get("hosts", [])]
    for option, mac in macs:
        if mac is not None and int(mac[:2], 16) & 1:
            yield f"{option}: '{mac}' is a multicast address; the second digit of a NIC's MAC address is even."
        if mac == "00:00:00:00:00:00":
            yield f"{option}: '{mac}' is no NIC's address; choose one such as 52:54:00:6b:3c:58."


def _domain_names(definition: Definition) -> Iterator[str]:
    dns = definition.get("dns", {})
    names = [("domain.name", definition.get("domain", {}).get("name"))]
    names += [("dns.forwarders", entry.get("domain")) for entry in dns.get("forwarders", [])]
    names += [("dns.hosts", name) for entry in dns.get("hosts", []) for name in entry.get("hostnames", [])]
    for option, name in names:
        if name is not None and not re.fullmatch(r"[A-Za-z0-9.-]+", name):
            yield f"{option}: '{name}' is not a DNS name; use letters, digits, '-' and '.'."
    for entry in definition.get("ips", []):
        for name in (host["name"] for host in entry.get("dhcp", {}).get("hosts", []) if "name" in host):
            # what dnsmasq takes from its file of hosts, where commas and white space separate the fields
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
                yield f"dhcp.hosts: '{name}' is not a host name; use letters, digits, '-', '_' and '.'."


# --- the forward mode and what goes with it -----------------------------------------------------------------------------------


def _forward(definition: Definition) -> Iterator[str]:
    mode, forward = mode_of(definition), definition.get("forward", {})
    if "nat" in forward and mode != "nat":
        yield f"forward.nat: has a meaning with forward.mode 'nat' only, and the mode is '{mode}'; leave one of them out."
    if "dev" in forward and mode in ("none", "open"):
        yield f"forward.dev: '{forward['dev']}' cannot be enforced with forward.mode '{mode}'; leave it out, or use 'route'."
    if mode in ("nat", "route", "open") and "ips" not in definition:
        yield f"ips: missing; forward.mode '{mode}' needs an address of the host, such as 192.168.101.1 with prefix 24."
    address = forward.get("nat", {}).get("address")
    if address:
        yield from _ordered("forward.nat.address", address, version=4)
    port = forward.get("nat", {}).get("port")
    if port and port.get("start", 0) > port.get("end", 65535):
        yield f"forward.nat.port: start {port.get('start')} is after end {port.get('end')}; swap them."


def _ordered(option: str, pair: dict[str, str], *, version: int | None = None) -> Iterator[str]:
    missing = [name for name in ("start", "end") if name not in pair]
    if missing:
        yield f"{option}: {missing[0]} is missing; give both ends."
        return
    start, end = (ipaddress.ip_address(pair[name]) for name in ("start", "end"))
    if start.version != end.version or version not in (None, start.version):
        yield f"{option}: {start} to {end} is no range of IPv{version or start.version} addresses; give two of one family."
    elif int(start) > int(end):
        yield f"{option}: start {start} is after end {end}; swap them."


def _host_bridge(definition: Definition) -> Iterator[str]:
    """Check what a network may hold whose bridge or interface belongs to the host."""
    if owns_bridge(definition):
        return
    mode, forward, bridge = mode_of(definition), definition.get("forward", {}), definition.get("bridge", {})
    for option in ("ips", "routes", "dns", "domain", "mtu", "mac"):
        if option in definition:
            yield (
                f"{option}: cannot be set with forward.mode '{mode}', where the network is the host's own; leave it out, or say "
                f"definition: replace{', purge_hosts: true' if option == 'dns' else ''} if the network has it from before."
            )
    for option in ("stp", "delay"):
        if option in bridge:
            yield f"bridge.{option}: cannot be set with forward.mode '{mode}', the bridge is the host's own; leave it out."
    uplink = forward.get("dev") or forward.get("interfaces")
    if mode == "bridge" and "name" not in bridge and not uplink:
        yield "bridge.name: missing; forward.mode 'bridge' needs the name of a bridge that the host has."
    if mode == "bridge" and "name" in bridge and uplink:
        yield f"forward.dev: given beside bridge.name '{bridge['name']}'; with forward.mode 'bridge' give one of the two."


def _mtu(definition: Definition) -> Iterator[str]:
    mtu = definition.get("mtu")
    if mtu is None:
        return
    least = 1280 if any(_address(entry).version == 6 for entry in definition.get("ips", [])) else 68
    if not least <= mtu <= 65535:
        reason = " with an IPv6 address" if least == 1280 else ""
        yield f"mtu: '{mtu}' is not possible{reason}; choose a value from {least} to 65535 bytes."


# --- addresses, DHCP and routes -----------------------------------------------------------------------------------------------


def _address(entry: dict[str, t.Any]) -> Address:
    return ipaddress.ip_address(entry["address"])


def _complete(entries: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    return [entry for entry in entries if "prefix" in entry]


def _ips(definition: Definition) -> Iterator[str]:
    seen: set[str] = set()
    for entry in definition.get("ips", []):
        address = _address(entry)
        option = f"ips {address}"
        if str(address) in seen:
            yield f"{option}: is there twice; leave one."
        seen.add(str(address))
        if address.is_multicast or address.is_loopback or address.is_unspecified:
            yield f"{option}: cannot be the address of a host; choose one such as 192.168.101.1."
        if "prefix" not in entry:
            yield f"{option}: has neither prefix nor netmask; add 'prefix: {24 if address.version == 4 else 64}' or what it is."
            continue
        subnet = subnet_of(entry)
        if entry["prefix"] == 0:
            yield f"{option}: prefix 0 is the whole internet; choose the prefix of a subnet."
        elif subnet.num_addresses > 2 and address in (subnet.network_address, _last(subnet)):
            yield f"{option}: is no host's address in {subnet}; choose one from {_first_host(subnet)} to {_last_host(subnet)}."


def _last(subnet: Subnet) -> Address | None:
    """Return the broadcast address; IPv6 has none."""
    return subnet.broadcast_address if subnet.version == 4 else None


def _first_host(subnet: Subnet) -> Address:
    return subnet[1] if subnet.num_addresses > 2 else subnet[0]


def _last_host(subnet: Subnet) -> Address:
    return subnet[-2] if subnet.version == 4 and subnet.num_addresses > 2 else subnet[-1]


def _dhcp(definition: Definition) -> Iterator[str]:
    served: dict[int, str] = {}
    for entry in _complete(definition.get("ips", [])):
        dhcp = entry.get("dhcp")
        if not dhcp:
            continue
        version = _address(entry).version
        if version in served:
            yield (
                f"ips {entry['address']}: DHCP for IPv{version} is on {served[version]} already, and libvirt serves one subnet "
                "of each family; leave dhcp out of one."
            )
        served[version] = entry["address"]
        if version == 6 and entry["prefix"] < 64:
            yield f"ips {entry['address']}: DHCP for IPv6 needs a prefix of 64 or longer, and it is {entry['prefix']}; choose 64."
        for pair in dhcp.get("ranges", []):
            yield from _range(entry, pair)
        yield from _hosts(entry, dhcp.get("hosts", []))


def _range(entry: dict[str, t.Any], pair: dict[str, str]) -> Iterator[str]:
    option, subnet = f"ips {entry['address']}, dhcp.ranges", subnet_of(entry)
    disorder = list(_ordered(option, pair))
    if disorder:
        yield from disorder
        return
    start, end = (ipaddress.ip_address(pair[name]) for name in ("start", "end"))
    for address in (start, end):
        yield from _outside(option, address, subnet)
    if int(end) - int(start) >= _LARGEST_RANGE:
        yield f"{option}: {start} to {end} has more than {_LARGEST_RANGE} addresses, which libvirt refuses; choose a smaller one."
    elif subnet.version == 6 and int(start) >> 16 != int(end) >> 16:
        yield f"{option}: {start} to {end} differ in more than their last four digits, which libvirt refuses; make it two ranges."


def _outside(option: str, address: Address, subnet: Subnet) -> Iterator[str]:
    choice = f"choose one from {_first_host(subnet)} to {_last_host(subnet)}"
    if address.version != subnet.version or address not in subnet:
        yield f"{option}: {address} is outside of the subnet {subnet}; {choice}."
    elif subnet.num_addresses > 2 and address in (subnet.network_address, _last(subnet)):
        yield f"{option}: {address} is no host's address in {subnet}; {choice}."


def _hosts(entry: dict[str, t.Any], hosts: list[dict[str, t.Any]]) -> Iterator[str]:
    option, subnet = f"ips {entry['address']}, dhcp.hosts", subnet_of(entry)
    seen: dict[tuple[str, str], str] = {}
    for host in hosts:
        who = next((str(host[name]) for name in ("mac", "id", "name", "ip") if name in host), "an entry without any value")
        if "mac" in host and (subnet.version == 6 or "id" in host):
            yield f"{option}: '{who}' is given by mac; IPv6 knows guests by id, IPv4 by mac."
        if "id" in host and subnet.version == 4:
            yield f"{option}: '{who}' is given by id; IPv4 knows guests by mac."
        elif "id" in host and not _DUID.fullmatch(host["id"]):
            yield f"{option}: '{who}' is not a DHCP unique identifier; give one such as 00:03:00:01:52:54:00:6b:3c:58."
        if not {"mac", "id", "name"} & set(host):
            yield f"{option}: '{who}' is for no guest; add mac{' or id' if subnet.version == 6 else ''}."
        if "ip" not in host:
            yield f"{option}: '{who}' has no ip; add the address that it gets."
        else:
            yield from _outside(option, ipaddress.ip_address(host["ip"]), subnet)
            if host["ip"] == entry["address"]:
                yield f"{option}: {host['ip']} for '{who}' is the host's own address; choose another."
        for name in ("mac", "id", "ip", "name"):
            other = seen.setdefault((name, host[name]), who) if name in host else who
            if other is not who:
                yield (
                    f"{option}: {name} {host[name]} is reserved twice, for '{other}' and for '{who}'; change one, or remove what "
                    "the task does not mention with purge_hosts."
                )


def _dns(definition: Definition) -> Iterator[str]:
    dns = definition.get("dns", {})
    if dns.get("enable") is False and set(dns) - {"enable", "forward_plain_names"}:
        yield (
            "dns.enable: 'false', but there are records or forwarders as well; leave them out (purge_hosts: true removes records "
            "that the network has already), or enable DNS."
        )
    for entry in dns.get("hosts", []):
        if not entry.get("hostnames"):
            yield f"dns.hosts: {entry.get('ip')} has no hostnames; give one at least."


def _routes(definition: Definition) -> Iterator[str]:
    connected = [subnet_of(entry) for entry in _complete(definition.get("ips", []))]
    for entry in definition.get("routes", []):
        address = _address(entry)
        option = f"routes {address}"
        if "prefix" not in entry:
            yield f"{option}: has neither prefix nor netmask; add one."
            continue
        subnet = subnet_of(entry)
        if subnet.network_address != address:
            yield f"{option}: is a host's address in {subnet}; give the subnet's, {subnet.network_address}."
        if entry.get("metric") == 0:
            yield f"{option}: metric 0 is not possible; choose 1 or more."
        if "gateway" not in entry:
            yield f"{option}: has no gateway; give the guest's address that leads there."
            continue
        gateway = ipaddress.ip_address(entry["gateway"])
        if not any(gateway.version == near.version and gateway in near for near in connected):
            known = ", ".join(str(near) for near in connected) or "the network has no address at all"
            yield f"{option}: gateway {gateway} is in no subnet of the network ({known}); choose a guest's address."
        elif any(gateway == _address(entry) for entry in definition.get("ips", [])):
            yield f"{option}: gateway {gateway} is the host's own address; choose a guest's address."


def _portgroups(definition: Definition) -> Iterator[str]:
    groups = definition.get("portgroups", [])
    names = [group.get("name") for group in groups]
    for name in sorted({str(name) for name in names if names.count(name) > 1}):
        yield f"portgroups: '{name}' is there {names.count(name)} times; give each a name of its own."
    defaults = [str(group.get("name")) for group in groups if group.get("default")]
    if len(defaults) > 1:
        yield f"portgroups: {' and '.join(repr(name) for name in defaults)} are both the default; choose one."


_RULES: tuple[t.Callable[[dict[str, t.Any]], t.Iterator[str]], ...] = (
    _name,
    _interface_names,
    _macs,
    _domain_names,
    _forward,
    _host_bridge,
    _mtu,
    _ips,
    _dhcp,
    _dns,
    _routes,
    _portgroups,
)
