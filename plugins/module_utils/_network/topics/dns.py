# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Rules for the network's DNS server, its records and its dnsmasq."""

from __future__ import annotations

import re
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    Definition = dict[str, t.Any]

__all__ = ["ODDITIES", "RULES"]

# dnsmasq, which runs where the network has an address, does not start with such a target.
_BREAKING = r'[,"]|[^\x00-\x7f]'
_LONGEST_SERVICE = 482  # bytes; source: DNS_RECORD_LENGTH_SRV in libvirt


def _dns(definition: Definition) -> Iterator[str]:
    dns = definition.get("dns", {})
    if dns.get("enable") is False and set(dns) - {"enable", "forward_plain_names"}:
        yield (
            "dns.enable: 'false', but there are records or forwarders as well; leave them out (purge_hosts: true removes records "
            "that the network has already), or enable DNS."
        )
    for entry in dns.get("forwarders", []):
        if "port" in entry and "addr" not in entry:
            yield f"dns.forwarders: port {entry['port']} needs addr; add the address of the server, or leave port out."
    for entry in dns.get("hosts", []):
        if not entry.get("hostnames"):
            yield f"dns.hosts: {entry.get('ip')} has no hostnames; give one at least."


def _domain(definition: Definition) -> Iterator[str]:
    domain = definition.get("domain", {})
    if domain and "name" not in domain:
        yield "domain.name: missing, and libvirt would drop the rest; give the domain's name."
    if domain.get("register") and not domain.get("local_only"):
        yield "domain.register: needs domain.local_only as well; add 'local_only: true', or leave register out."


def _srv(definition: Definition) -> Iterator[str]:
    for entry in definition.get("dns", {}).get("srv", []):
        service = entry.get("service", "")
        option = f"dns.srv '{service[:40]}'"
        if not re.fullmatch(r"[A-Za-z0-9_+/*-]*", service):
            yield f"{option}: service has characters that none has; use letters, digits, '-', '_', '+', '/' and '*'."
        elif len(service) > _LONGEST_SERVICE:
            yield f"{option}: service has {len(service)} characters; libvirt allows {_LONGEST_SERVICE}, choose a shorter one."
        target = entry.get("target")
        if target is not None and "ips" in definition and re.search(_BREAKING, target):
            yield f"{option}: {_no_target(target)}"
        for name in ("port", "priority", "weight"):
            if name in entry and target is None:
                yield f"{option}: {name} {entry[name]} needs a target; add the host that serves it, or leave {name} out."


def _no_target(target: str) -> str:
    return f"target '{target}' is not a DNS name; use letters, digits, '-', '_' and '.'."


def _odd_targets(definition: Definition) -> Iterator[str]:
    for entry in definition.get("dns", {}).get("srv", []):
        target = entry.get("target", "a")
        if re.fullmatch(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*", target) or ("ips" in definition and re.search(_BREAKING, target)):
            continue
        yield f"dns.srv '{entry.get('service', '')[:40]}': {_no_target(target)}"


RULES: tuple[t.Callable[[dict[str, t.Any]], t.Iterator[str]], ...] = (_dns, _domain, _srv)
ODDITIES: tuple[t.Callable[[dict[str, t.Any]], t.Iterator[str]], ...] = (_odd_targets,)
