# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What a NIC's definition must fulfil before anyone tries to use it. Nothing here touches a host.

Each rule says in a sentence what is wrong, which value, and what to do. Some of it libvirt would say only when the guest starts,
and some it would drop without a word. What depends on the host is in host_rules.py. Source: virDomainNetDefValidate,
qemuValidateDomainDeviceDefNetwork and qemuDomainValidateActualNetDef in libvirt.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._network.topics.names import interface_problem
from ansible_collections.kvmops.network.plugins.module_utils._network.topics.nics import (
    burst_problems,
    native_problems,
    rate_problems,
    virtualport_problems,
)
from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import GENERATED_TARGETS, type_of, without_no

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    Definition = dict[str, t.Any]

__all__ = ["find_problems"]

_NO_MAC = "00:00:00:00:00:00"
_MTU = range(68, 65536)
_LAST_PORT = 65535
_MOST_QUEUES = 256  # of the kernel's taps; source: MAX_TAP_QUEUES in its drivers/net/tun.c
_VIRTIO = ("virtio", "virtio-transitional", "virtio-non-transitional")
_QUEUE_SIZE = range(256, 1025)  # what QEMU takes
# Which types of virtual port a type of NIC has, and what parameters libvirt does not make up for them.
_VIRTUALPORTS = {"bridge": ("openvswitch", "midonet"), "direct": ("802.1Qbg", "802.1Qbh")}
_NEEDED = {"802.1Qbg": ("managerid", "typeid", "typeidversion"), "802.1Qbh": ("profileid",)}
# Which types of NIC have what; what is not here has it with each type.
_TYPES_WITH = {
    "mtu": ("network", "bridge", "ethernet", "user"),
    "coalesce": ("network", "bridge"),
    "port": ("network", "bridge"),
    "filterref": ("network", "bridge", "ethernet"),
    "bandwidth": ("network", "bridge", "direct", "ethernet"),
    "vlan": ("network", "bridge", "direct"),
    "virtualport": ("network", "bridge", "direct"),
    "ips": ("user",),
    "port_forwards": ("user",),
    "backend": ("user",),
}
# Which parts of the source a type has.
_SOURCES = {
    "network": {"network", "portgroup"},
    "bridge": {"bridge"},
    "direct": {"dev", "mode"},
    "user": {"dev"},
    "ethernet": set(),
}


def _mac(definition: Definition) -> Iterator[str]:
    mac = definition.get("mac", "52:54:00:00:00:01")
    if int(mac[:2], 16) & 1:
        yield f"mac: '{mac}' is a multicast address; the second digit of a NIC's MAC address is even."
    if mac == _NO_MAC:
        yield f"mac: '{_NO_MAC}' is no NIC's address; choose one such as 52:54:00:6b:3c:58."
    if mac.startswith("fe:"):
        yield (
            f"mac: '{mac}' begins with fe, which libvirt keeps for the host's ends of NICs; choose another, such as "
            "52:54:00:6b:3c:58."
        )


def _alias(definition: Definition) -> Iterator[str]:
    alias = definition.get("alias", "a")
    if not re.fullmatch(r"[A-Za-z0-9_-]+", alias):
        yield f"alias: '{alias}' cannot be the name of a NIC; use letters, digits, '-' and '_'."


def _source(definition: Definition) -> Iterator[str]:
    kind, source = type_of(definition), definition.get("source", {})
    allowed = _SOURCES.get(kind)
    if allowed is None:
        return
    for name in sorted(source.keys() - allowed):
        if not name.startswith("_"):
            yield f"source.{name}: has no meaning for a NIC of type '{kind}'; leave it out, or correct type."
    for option in ("bridge", "dev"):
        problem = interface_problem(source[option]) if option in source else None
        if problem:
            yield f"source.{option}: '{source[option]}' {problem}."
    if kind == "user" and "dev" in source and definition.get("backend", {}).get("type") != "passt":
        yield "source.dev: says through which interface passt goes out; add backend.type 'passt', or leave it out."


def _target(definition: Definition) -> Iterator[str]:
    target, kind = definition.get("target", {}), type_of(definition)
    name = target.get("dev")
    if name is not None and name.startswith(GENERATED_TARGETS):
        if target.get("managed") is not False:
            yield (
                f"target.dev: '{name}' is a name as libvirt chooses them, and it would drop it; choose another, such as "
                "'tap-web'."
            )
    elif name is not None:
        problem = interface_problem(name)
        if problem:
            yield f"target.dev: '{name}' {problem}."
    if target.get("managed") is False and kind != "ethernet":
        yield f"target.managed: false is for NICs of type 'ethernet', and the type is '{kind}'; leave it out, or set type."
    if target.get("managed") is False and name is None:
        yield "target.dev: missing; with target.managed false, name the interface of the host that was made for the NIC."
    if kind == "user" and name is not None:
        yield "target.dev: a NIC of type 'user' has no interface on the host; leave it out."


def _fitting(definition: Definition) -> Iterator[str]:
    """Check that the type of NIC has what is said of it."""
    definition = without_no(definition)
    kind = type_of(definition)
    if kind not in _SOURCES:
        return
    for option, types in _TYPES_WITH.items():
        if option in definition and kind not in types:
            yield f"{option}: a NIC of type '{kind}' cannot have it; it is for {', '.join(types)}. Leave it out."
    passt = definition.get("backend", {}).get("type") == "passt"
    given = {**definition, **{f"backend.{option}": value for option, value in definition.get("backend", {}).items()}}
    for option in ("port_forwards", "mtu", "backend.log_file"):
        if kind == "user" and option in given and not passt:
            yield f"{option}: a NIC of type 'user' has it only through passt; add backend.type 'passt', or leave it out."
    port = definition.get("virtualport", {}).get("type")
    if port is not None:
        for option in ("filterref", "port"):
            if option in definition:
                yield f"{option}: is for bridges of the Linux kernel, and there is a virtualport; leave one of them out."
    if "vlan" in definition and not definition["vlan"].get("tags"):
        yield "vlan.tags: missing; give one VLAN at least, or leave vlan out."
    mode = definition.get("source", {}).get("mode")
    if "vlan" in definition and kind == "direct" and mode != "passthrough":
        yield f"vlan: a macvtap has it in mode passthrough only, and the mode is '{mode}'; leave it out."


def _rates(definition: Definition) -> Iterator[str]:
    for direction, rate in definition.get("bandwidth", {}).items():
        option = f"bandwidth.{direction}"
        yield from rate_problems(option, rate)
        yield from burst_problems(option, rate)
        if "floor" in rate and type_of(definition) != "network":
            yield f"{option}: floor is a share of what a network has; it is for NICs of type 'network', leave it out."
        if "floor" in rate and direction == "outbound":
            yield f"{option}: floor is for inbound only; leave it out."
    yield from virtualport_problems("", definition.get("virtualport", {}))
    yield from native_problems("", definition.get("vlan", {}))


def _virtualport(definition: Definition) -> Iterator[str]:
    """Check the virtual port of a NIC that has no network which could say more; libvirt ignores one that does not fit."""
    kind, port = type_of(definition), definition.get("virtualport")
    fitting = _VIRTUALPORTS.get(kind)
    if port is None or fitting is None:
        return
    name = port.get("type")
    if name is None:
        yield f"virtualport.type: missing for a NIC of type '{kind}'; give one of {', '.join(fitting)}."
    elif name not in fitting:
        yield f"virtualport.type: '{name}' has no meaning for a NIC of type '{kind}', which has {', '.join(fitting)}; correct it."
    else:
        for parameter in _NEEDED.get(name, ()):
            if parameter not in port.get("parameters", {}):
                yield f"virtualport.parameters: the type '{name}' needs {parameter}; add it."


def _rom(definition: Definition) -> Iterator[str]:
    rom = definition.get("rom", {})
    if rom.get("enabled") is False and len(rom) > 1:
        yield (
            "rom.enabled: false, but there is bar or file as well; leave one of them out (definition: replace drops what the "
            "NIC has already)."
        )
    for option, path in (("rom.file", rom.get("file")), ("backend.log_file", definition.get("backend", {}).get("log_file"))):
        if path is not None and not path.startswith("/"):
            yield f"{option}: '{path}' is no absolute path; begin it with '/'."


def _mtu(definition: Definition) -> Iterator[str]:
    mtu = definition.get("mtu", _MTU.start)
    if mtu not in _MTU:
        yield f"mtu: '{mtu}' is not possible; choose a value from {_MTU.start} to {_MTU.stop - 1} bytes."


def _model(definition: Definition) -> Iterator[str]:
    model = definition.get("model")
    if model is not None and not re.fullmatch(r"[A-Za-z0-9_-]+", model):
        yield f"model: '{model}' cannot name a model; use letters, digits, '-' and '_', as in virtio or e1000e."
        return
    driver = definition.get("driver", {})
    if driver and model not in _VIRTIO:
        yield f"driver: is for the model 'virtio', and the NIC has {model or 'none'}; libvirt would drop it, leave it out."
    for name in ("rx_queue_size", "tx_queue_size"):
        size = driver.get(name, _QUEUE_SIZE.start)
        if size & (size - 1) or size not in _QUEUE_SIZE:
            yield f"driver.{name}: '{size}' is not possible; choose 256, 512 or 1024."
    if driver.get("queues", 1) > _MOST_QUEUES:
        yield f"driver.queues: '{driver['queues']}' is more than the {_MOST_QUEUES} that a NIC can have; choose less."
    if driver.get("queues", 1) > 1 and type_of(definition) == "user":
        yield "driver.queues: a NIC of type 'user' has one queue; leave it out."


def _filter(definition: Definition) -> Iterator[str]:
    filterref = definition.get("filterref")
    if filterref is None:
        return
    if "filter" not in filterref:
        yield "filterref.filter: missing; name the filter, such as clean-traffic."
    elif not re.fullmatch(r"[^\W\d][\w.-]*", filterref["filter"]):
        yield f"filterref.filter: '{filterref['filter']}' cannot name a filter; use letters, digits, '_', '.' and '-'."
    for parameter in filterref.get("parameters", []):
        name, value = parameter.get("name", ""), parameter.get("value", "")
        if not re.fullmatch(r"[A-Za-z0-9_]+", name):
            yield f"filterref.parameters: '{name}' cannot name a parameter; use letters, digits and '_'."
        if not re.fullmatch(r"[A-Za-z0-9_.:]+", value):
            yield f"filterref.parameters: '{value}' cannot be the value of {name}; use letters, digits, '_', '.' and ':'."


def _user(definition: Definition) -> Iterator[str]:
    """Check the guest's address and ports where QEMU or passt are its network. Source: qemuValidateDomainDeviceDefNetwork."""
    families = [ipaddress.ip_address(entry["address"]).version for entry in definition.get("ips", []) if "address" in entry]
    for family in (4, 6):
        if families.count(family) > 1:
            yield f"ips: {families.count(family)} addresses of IPv{family}, and a NIC has one of each family; leave one."
    for entry in definition.get("ips", []):
        version, prefix = ipaddress.ip_address(entry["address"]).version, entry.get("prefix")
        if version == 4 and prefix is not None and not 4 <= prefix <= 27:
            yield f"ips {entry['address']}: prefix {prefix} is not possible; choose one from 4 to 27."
        if version == 6 and prefix not in (None, 64):
            yield f"ips {entry['address']}: prefix {prefix} is not possible; choose 64."
    for forward in definition.get("port_forwards", []):
        for part in forward.get("ranges", []):
            start, end = part["start"], part.get("end", part["start"])
            if end < start:
                yield f"port_forwards: end {end} is before start {start}; swap them."
            elif part.get("to", start) + end - start > _LAST_PORT:
                yield f"port_forwards: {start} to {end} would end behind port {_LAST_PORT} of the guest; choose a smaller 'to'."
        problem = interface_problem(forward["dev"]) if "dev" in forward else None
        if problem:
            yield f"port_forwards.dev: '{forward['dev']}' {problem}."


_RULES: tuple[t.Callable[[dict[str, t.Any]], t.Iterator[str]], ...] = (
    _mac,
    _alias,
    _source,
    _target,
    _fitting,
    _rates,
    _virtualport,
    _rom,
    _mtu,
    _model,
    _filter,
    _user,
)


def find_problems(definition: Definition) -> list[str]:
    """Return what is wrong with a definition in normal form, a sentence each."""
    return [problem for rule in _RULES for problem in rule(definition)]
