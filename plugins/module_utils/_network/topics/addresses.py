# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Rules for the host's addresses, what its DHCP server hands out, and routes."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._network.definition import lease_seconds, subnet_of
from ansible_collections.kvmops.network.plugins.module_utils._network.topics.ranges import LARGEST_RANGE, order_problems

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    Definition = dict[str, t.Any]
    Address = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
    Subnet = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

__all__ = ["ODDITIES", "RULES", "reserved_twice"]

# Source: the four kinds of DUID in libvirt's basictypes.rng.
_DUID = re.compile(
    r"00?:0?(1:00?:0?[a-f1-9](:[a-f0-9]{1,2}){10,12}|2(:[a-f0-9]{1,2}){5,128}|3:00?:0?[a-f1-9](:[a-f0-9]{1,2}){6,8}|4(:[a-f0-9]{1,2}){16})",
    re.IGNORECASE | re.ASCII,
)
_SHORTEST_LEASE = 120  # seconds; source: virNetworkDHCPLeaseTimeDefParseXML in libvirt


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
        if address.version == 6 and _is_nobodys(address):
            yield f"{option}: cannot be the address of a host; choose one such as fd00:101::1."
        if "prefix" not in entry:
            yield f"{option}: has neither prefix nor netmask; add 'prefix: {24 if address.version == 4 else 64}' or what it is."
        elif entry["prefix"] == 0:
            yield f"{option}: prefix 0 is the whole internet; choose the prefix of a subnet."


def _is_nobodys(address: Address) -> bool:
    return address.is_multicast or address.is_loopback or address.is_unspecified


def _odd_ips(definition: Definition) -> Iterator[str]:
    """Check for addresses that the kernel takes although nobody can reach them."""
    for entry in _complete(definition.get("ips", [])):
        address, subnet = _address(entry), subnet_of(entry)
        option = f"ips {address}"
        if _is_nobodys(address):
            if address.version == 4:
                yield f"{option}: cannot be the address of a host; choose one such as 192.168.101.1."
        elif entry["prefix"] and subnet.num_addresses > 2 and address in (subnet.network_address, _last(subnet)):
            yield f"{option}: is no host's address in {subnet}; choose one from {_first_host(subnet)} to {_last_host(subnet)}."


def _apart(definition: Definition) -> Iterator[str]:
    """Check that each subnet has one address: what dnsmasq makes of a second one is not defined."""
    entries = [entry for entry in _complete(definition.get("ips", [])) if entry["prefix"]]
    for index, entry in enumerate(entries):
        for other in entries[:index]:
            first, second = subnet_of(other), subnet_of(entry)
            if entry["address"] != other["address"] and first.version == second.version and first.overlaps(second):
                yield (
                    f"ips {entry['address']}: its subnet {second} overlaps with {first} of {other['address']}; leave one "
                    "address, or choose subnets that are apart."
                )


def _last(subnet: Subnet) -> Address | None:
    """Return the broadcast address; IPv6 has none."""
    return subnet.broadcast_address if subnet.version == 4 else None


def _first_host(subnet: Subnet) -> Address:
    return subnet[1] if subnet.num_addresses > 2 else subnet[0]


def _last_host(subnet: Subnet) -> Address:
    return subnet[-2] if subnet.version == 4 and subnet.num_addresses > 2 else subnet[-1]


def _boot(definition: Definition) -> Iterator[str]:
    """Check what guests boot from."""
    for entry in definition.get("ips", []):
        option, version, dhcp = f"ips {entry['address']}", _address(entry).version, entry.get("dhcp", {})
        if "tftp" in entry and version == 6:
            yield f"{option}, tftp: libvirt has no TFTP on IPv6; give it with an IPv4 address, or leave it out."
        if "bootp" not in dhcp:
            continue
        if version == 6:
            yield f"{option}, dhcp.bootp: has a meaning for IPv4 only, and libvirt would drop it; leave it out."
        elif not dhcp.get("ranges") and not dhcp.get("hosts"):
            yield f"{option}, dhcp.bootp: has a meaning with ranges or hosts only, and libvirt would drop it; add one of them."
        server = dhcp["bootp"].get("server", "")
        if ":" in server:
            yield f"{option}, dhcp.bootp.server: {server} is no IPv4 address; guests boot over IPv4, give one."


def _local_ptr(definition: Definition) -> Iterator[str]:
    if definition.get("dns", {}).get("enable") is False:
        return  # libvirt does not look at it then
    for entry in _complete(definition.get("ips", [])):
        address = _address(entry)
        step = 8 if address.version == 4 else 4
        prefix = entry["prefix"]
        if entry.get("local_ptr") and (prefix % step or prefix in (0, address.max_prefixlen)):
            choice = "8, 16 or 24" if address.version == 4 else "a multiple of 4 below 128"
            yield (
                f"ips {address}, local_ptr: libvirt cannot say the domain of reverse look-ups for a prefix of {prefix}; choose "
                f"{choice}, or leave local_ptr out."
            )


def _lease(option: str, owner: dict[str, t.Any]) -> Iterator[str]:
    lease = owner.get("lease", {})
    if 0 < lease_seconds(lease) < _SHORTEST_LEASE:
        time = f"{lease['expiry']} {lease.get('unit', 'minutes')}"
        yield f"{option}, lease: {time} is less than two minutes; give more, or 0 for ever."


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
            yield from _lease(f"ips {entry['address']}, dhcp.ranges", pair)
        for host in dhcp.get("hosts", []):
            yield from _host(entry, host)


def _range(entry: dict[str, t.Any], pair: dict[str, str]) -> Iterator[str]:
    option, subnet = f"ips {entry['address']}, dhcp.ranges", subnet_of(entry)
    disorder = list(order_problems(option, pair))
    if disorder:
        yield from disorder
        return
    start, end = (ipaddress.ip_address(pair[name]) for name in ("start", "end"))
    for address in (start, end):
        yield from _outside(option, address, subnet)
    if int(end) - int(start) >= LARGEST_RANGE:
        yield f"{option}: {start} to {end} has more than {LARGEST_RANGE} addresses, which libvirt refuses; choose a smaller one."
    elif subnet.version == 6 and int(start) >> 16 != int(end) >> 16:
        yield f"{option}: {start} to {end} differ in more than their last four digits, which libvirt refuses; make it two ranges."


def _outside(option: str, address: Address, subnet: Subnet) -> Iterator[str]:
    choice = f"choose one from {_first_host(subnet)} to {_last_host(subnet)}"
    if address.version != subnet.version or address not in subnet:
        yield f"{option}: {address} is outside of the subnet {subnet}; {choice}."
    elif subnet.num_addresses > 2 and address in (subnet.network_address, _last(subnet)):
        yield f"{option}: {address} is no host's address in {subnet}; {choice}."


def _who(host: dict[str, t.Any]) -> str:
    return next((str(host[name]) for name in ("mac", "id", "name", "ip") if name in host), "an entry without any value")


def _host(entry: dict[str, t.Any], host: dict[str, t.Any]) -> Iterator[str]:
    option, version, who = f"ips {entry['address']}, dhcp.hosts", _address(entry).version, _who(host)
    yield from _lease(option, host)
    if "mac" in host and (version == 6 or "id" in host):
        yield f"{option}: '{who}' is given by mac; IPv6 knows guests by id, IPv4 by mac."
    if "id" in host and not _DUID.fullmatch(host["id"]):
        yield f"{option}: '{who}' is not a DHCP unique identifier; give one such as 00:03:00:01:52:54:00:6b:3c:58."
    elif "id" in host and version == 4 and "name" not in host:
        yield f"{option}: '{who}' is given by id; IPv4 knows guests by mac."
    if not {"mac", "id", "name"} & set(host):
        yield f"{option}: '{who}' is for no guest; add mac{' or id' if version == 6 else ''}."
    if "ip" not in host:
        yield f"{option}: '{who}' has no ip; add the address that it gets."


def _odd_hosts(definition: Definition) -> Iterator[str]:
    """Check for reservations that dnsmasq passes over."""
    for entry in _complete(definition.get("ips", [])):
        option, subnet = f"ips {entry['address']}, dhcp.hosts", subnet_of(entry)
        for host in entry.get("dhcp", {}).get("hosts", []):
            if "id" in host and subnet.version == 4:
                yield f"{option}: '{_who(host)}' is given by id; IPv4 knows guests by mac."
            if "ip" not in host:
                continue
            yield from _outside(option, ipaddress.ip_address(host["ip"]), subnet)
            if host["ip"] == entry["address"]:
                yield f"{option}: {host['ip']} for '{_who(host)}' is the host's own address; choose another."


def reserved_twice(definition: Definition) -> Iterator[str]:
    """Check whether two reservations say the same: dnsmasq follows one of them."""
    for entry in definition.get("ips", []):
        option = f"ips {entry['address']}, dhcp.hosts"
        seen: dict[tuple[str, str], dict[str, t.Any]] = {}
        for host in entry.get("dhcp", {}).get("hosts", []):
            for name in ("mac", "id", "ip", "name"):
                first = seen.setdefault((name, host[name]), host) if name in host else host
                if first is not host:
                    other, who = sorted((_who(first), _who(host)))
                    yield (
                        f"{option}: {name} {host[name]} is reserved twice, for '{other}' and for '{who}'; "
                        "change one, or remove what the task does not mention with purge_hosts."
                    )


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


def _odd_routes(definition: Definition) -> Iterator[str]:
    """Check for routes that lead to the host itself."""
    own = [_address(entry) for entry in definition.get("ips", [])]
    for entry in definition.get("routes", []):
        if "gateway" in entry and ipaddress.ip_address(entry["gateway"]) in own:
            yield (f"routes {_address(entry)}: gateway {entry['gateway']} is the host's own address; choose a guest's address.")


RULES: tuple[t.Callable[[dict[str, t.Any]], t.Iterator[str]], ...] = (_ips, _dhcp, _boot, _local_ptr, _routes)
ODDITIES: tuple[t.Callable[[dict[str, t.Any]], t.Iterator[str]], ...] = (
    _odd_ips,
    _apart,
    _odd_hosts,
    reserved_twice,
    _odd_routes,
)
