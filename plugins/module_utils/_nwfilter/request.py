# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What a task asks of a network filter, checked as far as that goes without looking at the host."""

from __future__ import annotations

import ipaddress
import re
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.model import (
    Filter,
    Reference,
    check_filter_name,
    filter_from_xml,
)
from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.translate import Local, filter_from_words

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Address = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
    Subnet = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

__all__ = ["FilterRequest", "needs_host_addresses"]

_PARAMETER_NAME = re.compile(r"[A-Za-z0-9_]+")
_PARAMETER_VALUE = re.compile(r"[A-Za-z0-9_.:]+")
# Source: virNWFilterDoInstantiate() and virNWFilterDHCPSnoopReq(), which look at what the NIC says.
_OF_THE_NIC = ("CTRL_IP_LEARNING", "DHCPSERVER")
_DEFINITION = ("rules", "filters", "xml")


@dataclass(frozen=True)
class FilterRequest:
    """A filter as a task wants it. `definition` None: as it is."""

    name: str
    state: t.Literal["present", "absent"]
    definition: Filter | None = None

    @classmethod
    def from_options(cls, options: Mapping[str, t.Any], host_addresses: Sequence[Address] = ()) -> FilterRequest:
        """Return what the options say. Raises InputError with what is wrong with them."""
        name = check_filter_name("name", options["name"])
        given = [option for option in _DEFINITION if options[option] is not None]
        if options["state"] == "absent":
            unfitting = [*given, *(["local"] if options["local"] is not None else [])]
            if unfitting:
                raise InputError(f"{', '.join(unfitting)}: says nothing of a filter that shall be absent; leave it out.")
            return cls(name, "absent")
        if options["local"] is not None and options["rules"] is None:
            raise InputError("local: it says what words of rules mean, and there are no rules; add them, or leave local out.")
        if options["xml"] is not None:
            if len(given) > 1:
                raise InputError(f"{given[0]}: not possible beside xml, which is a whole document; leave one of them out.")
            return cls(name, "present", _from_xml(name, options["xml"]))
        if not given:
            return cls(name, "present")
        local = _read_local(options["local"], host_addresses) if options["local"] is not None else None
        rules = options["rules"]
        definition = filter_from_words(name, rules, local) if rules is not None else Filter(name)
        references = _read_references(options["filters"] or [], own=name)
        return cls(name, "present", replace(definition, references=references).in_order())


def needs_host_addresses(options: Mapping[str, t.Any]) -> bool:
    """Say whether the host's own addresses matter to the rules."""
    local = options["local"]
    return bool(local and local["host_addresses"] and any("local" in text.lower().split() for text in options["rules"] or ()))


def _from_xml(name: str, text: str) -> Filter:
    try:
        definition = filter_from_xml(text)
    except InputError as error:
        raise InputError(f"xml: {error}") from None
    if definition.name != name:
        raise InputError(f"xml: the document's name is '{definition.name}', and name is '{name}'; make them equal.")
    if any(reference.filter == name for reference in definition.references):
        raise InputError(f"xml: the filter '{name}' refers to itself; remove that reference.")
    for reference in definition.references:
        _check_parameters("xml", [pair[0] for pair in reference.parameters])
    return definition


def _read_references(entries: Sequence[Mapping[str, t.Any]], *, own: str) -> tuple[Reference, ...]:
    references = []
    for number, entry in enumerate(entries):
        label = f"filters[{number}]"
        name = check_filter_name(f"{label}.filter", entry["filter"])
        if name == own:
            raise InputError(f"{label}.filter: the filter '{name}' would refer to itself; name another one.")
        _check_parameters(f"{label}.parameters", [parameter["name"] for parameter in entry["parameters"]])
        for parameter in entry["parameters"]:
            if not _PARAMETER_NAME.fullmatch(parameter["name"]):
                raise InputError(
                    f"{label}.parameters: '{parameter['name']}' cannot name a parameter; use letters, digits and '_'."
                )
            if not _PARAMETER_VALUE.fullmatch(parameter["value"]):
                raise InputError(
                    f"{label}.parameters: '{parameter['value']}' cannot be the value of {parameter['name']}; use letters, "
                    "digits, '_', '.' and ':'."
                )
        pairs = [(parameter["name"], parameter["value"]) for parameter in entry["parameters"]]
        references.append(Reference(name, tuple(sorted(pairs, key=lambda pair: pair[0]))))
    twice = sorted({reference.filter for reference in references if references.count(reference) > 1})
    if twice:
        raise InputError(f"filters: '{twice[0]}' is there twice with the same parameters; leave one.")
    return tuple(references)


def _check_parameters(label: str, names: Sequence[str]) -> None:
    for name in names:
        if name in _OF_THE_NIC:
            raise InputError(f"{label}: libvirt looks for {name} at the NIC alone; give it in filterref.parameters of the NIC.")


def _read_local(options: Mapping[str, t.Any], host_addresses: Sequence[Address]) -> Local:
    subnets = tuple(_read_subnet(number, text) for number, text in enumerate(options["subnets"]))
    if not subnets:
        raise InputError("local.subnets: it is empty; give the guests' subnets, such as 192.168.64.0/24.")
    given = options["gateways"]
    gateways = (
        tuple(_read_gateway(number, text, subnets) for number, text in enumerate(given))
        if given is not None
        else tuple(subnet[1] for subnet in subnets if subnet.num_addresses > 2)
    )
    return Local(subnets, gateways, tuple(host_addresses) if options["host_addresses"] else ())


def _read_subnet(number: int, text: str) -> Subnet:
    try:
        if "%" in text or "/" not in text:
            raise ValueError
        return ipaddress.ip_network(text)
    except ValueError:
        raise InputError(f"local.subnets[{number}]: '{text}' is no subnet; write one such as 192.168.64.0/24.") from None


def _read_gateway(number: int, text: str, subnets: Sequence[Subnet]) -> Address:
    try:
        if "%" in text:
            raise ValueError
        address = ipaddress.ip_address(text)
    except ValueError:
        raise InputError(f"local.gateways[{number}]: '{text}' is no address; write one such as 192.168.64.1.") from None
    if not any(address.version == subnet.version and address in subnet for subnet in subnets):
        raise InputError(
            f"local.gateways[{number}]: '{text}' is in none of local.subnets; give the host's address on the guests' network."
        )
    return address
