# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Rules for names: of the network, of interfaces, and in DNS; and for MAC addresses."""

from __future__ import annotations

import re
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    Definition = dict[str, t.Any]

__all__ = ["ODDITIES", "RULES", "interface_problem"]

_NO_MAC = "00:00:00:00:00:00"
_LONGEST_NAME = 246  # bytes; libvirt writes NAME.xml.new, and a file's name has 255


def interface_problem(name: str) -> str | None:
    """Return why the kernel would not take this as the name of an interface, as the end of a sentence."""
    if len(name.encode()) > 15:
        return f"has {len(name.encode())} characters, and the kernel allows 15; choose a shorter name"
    if name in ("all", "default"):
        return "stands for all interfaces in the kernel's settings; choose another name"
    if not re.fullmatch(r"[A-Za-z0-9_.\\-]+", name) or name in (".", ".."):
        return "has characters that no interface name may have; use letters, digits, '-', '_' and '.'"
    return None


def _name(definition: Definition) -> Iterator[str]:
    name = definition["name"]
    if "/" in name or name.strip() != name or name in (".", ".."):
        yield f"name: '{name}' cannot name a network; leave out '/' and white space at the ends."
    if len(name.encode()) > _LONGEST_NAME:
        yield f"name: '{name[:20]}…' has {len(name.encode())} bytes; libvirt allows {_LONGEST_NAME}, choose a shorter name."


def _title(definition: Definition) -> Iterator[str]:
    if "\n" in definition.get("title", ""):
        yield "title: has a line break; say it on one line, and the rest in description."


def _interface_names(definition: Definition) -> Iterator[str]:
    forward = definition.get("forward", {})
    names = [("bridge.name", definition.get("bridge", {}).get("name")), ("forward.dev", forward.get("dev"))]
    names += [("forward.interfaces", entry["dev"]) for entry in forward.get("interfaces", [])]
    names += [("forward.pf", forward.get("pf", {}).get("dev"))]
    for option, name in names:
        problem = interface_problem(name) if name is not None else None
        if problem:
            yield f"{option}: '{name}' {problem}."
    zone = definition.get("bridge", {}).get("zone", "a")
    if not re.fullmatch(r"[A-Za-z0-9_-]+", zone):
        yield f"bridge.zone: '{zone}' is no name of a zone; use letters, digits, '-' and '_'."
    for name in (group.get("name", "a") for group in definition.get("portgroups", [])):
        # what libvirt's schema has for it
        if not re.fullmatch(r"[A-Za-z0-9_.:/\\-]+", name):
            yield f"portgroups: '{name}' cannot name a port group; use letters, digits, '-', '_', '.', ':' and '/'."


def _macs(definition: Definition) -> Iterator[str]:
    macs = [("mac", definition.get("mac")), *(("dhcp.hosts", host.get("mac")) for host in _reservations(definition))]
    for option, mac in macs:
        if mac is not None and int(mac[:2], 16) & 1:
            yield f"{option}: '{mac}' is a multicast address; the second digit of a NIC's MAC address is even."
    if definition.get("mac") == _NO_MAC:
        yield f"mac: '{_NO_MAC}' is no NIC's address; choose one such as 52:54:00:6b:3c:58."


def _macs_of_nobody(definition: Definition) -> Iterator[str]:
    if any(host.get("mac") == _NO_MAC for host in _reservations(definition)):
        yield f"dhcp.hosts: '{_NO_MAC}' is no NIC's address; choose one such as 52:54:00:6b:3c:58."


def _reservations(definition: Definition) -> list[dict[str, t.Any]]:
    return [host for entry in definition.get("ips", []) for host in entry.get("dhcp", {}).get("hosts", [])]


def _domain_names(definition: Definition) -> Iterator[str]:
    dns = definition.get("dns", {})
    names = [("domain.name", definition.get("domain", {}).get("name"))]
    names += [("dns.forwarders", entry.get("domain")) for entry in dns.get("forwarders", [])]
    names += [("dns.hosts", name) for entry in dns.get("hosts", []) for name in entry.get("hostnames", [])]
    names += [("dns.txt", entry.get("name")) for entry in dns.get("txt", [])]
    names += [("dns.srv", entry.get("domain")) for entry in dns.get("srv", [])]
    for option, name in names:
        if name is not None and not re.fullmatch(r"[A-Za-z0-9.-]+", name):
            yield f"{option}: '{name}' is not a DNS name; use letters, digits, '-' and '.'."
    for name in (host["name"] for host in _reservations(definition) if "name" in host):
        # libvirt looks at the first character alone
        if not re.match(r"[A-Za-z0-9]", name):
            yield f"dhcp.hosts: '{name}' is not a host name; use letters, digits, '-', '_' and '.', and begin with a letter."


def _host_names(definition: Definition) -> Iterator[str]:
    """Check what dnsmasq takes from its file of hosts, where commas and white space separate the fields."""
    for name in (host["name"] for host in _reservations(definition) if "name" in host):
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
            yield f"dhcp.hosts: '{name}' is not a host name; use letters, digits, '-', '_' and '.'."


RULES: tuple[t.Callable[[dict[str, t.Any]], t.Iterator[str]], ...] = (_name, _title, _interface_names, _macs, _domain_names)
ODDITIES: tuple[t.Callable[[dict[str, t.Any]], t.Iterator[str]], ...] = (_macs_of_nobody, _host_names)
