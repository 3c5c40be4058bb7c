# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""A NIC's definition: from XML, from options, into XML, merged and in normal form. Nothing here touches a host.

The normal form is one dict in the shape of the modules' options in which two definitions are equal if, and only if, they mean the
same to libvirt. It leaves out what is libvirt's default, and of a running NIC what libvirt chose by itself. An alias is written
without the prefix that libvirt wants of users' aliases.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._format import document, tree
from ansible_collections.kvmops.network.plugins.module_utils._nic.elements import INTERFACE
from ansible_collections.kvmops.network.plugins.module_utils._nic.options import NO_OPTIONS

try:
    from lxml import etree
except ImportError:
    pass  # said by document.LXML_IMPORT_ERROR, and checked before anything here is called

if t.TYPE_CHECKING:
    from lxml.etree import _Element as Element

    Definition = dict[str, t.Any]

__all__ = [
    "GENERATED_TARGETS",
    "Nic",
    "carry_generated",
    "definition_from_options",
    "merge_definitions",
    "network_of",
    "nic_from_element",
    "nics_of_document",
    "normalise",
    "place_of",
    "render_element",
    "render_xml",
    "same_place",
    "source_text",
    "type_of",
    "without_no",
]

# How the names of taps begin that libvirt chooses: it drops them when it stores a definition.
GENERATED_TARGETS = ("vnet", "macvtap", "macvlan")

_ALIAS = "ua-"
_PLACES = {"network": "network", "bridge": "bridge", "direct": "dev"}
# The models whose names libvirt takes in any case, and how it writes them; source: virDomainNetModelTypeList in libvirt.
_MODELS = {
    name.lower(): name
    for name in (
        "netfront",
        "rtl8139",
        "virtio",
        "e1000",
        "e1000e",
        "virtio-transitional",
        "virtio-non-transitional",
        "usb-net",
        "spapr-vlan",
        "lan9118",
        "scm91c111",
        "vlance",
        "vmxnet",
        "vmxnet2",
        "vmxnet3",
        "Am79C970A",
        "Am79C973",
        "82540EM",
        "82545EM",
        "82543GC",
    )
}
# What stays with `definition: replace` where the task does not name it: who the NIC is, where it is, what the guest sees.
_CARRIED = ("mac", "alias", "type", "source", "model", tree.REST, *(name for name in NO_OPTIONS if "." not in name))
# What belongs to one type of NIC only.
_OF_A_TYPE = ("virtualport", "ips", "port_forwards", "backend", "managed", "target")


@dataclass(frozen=True)
class Nic:
    """A NIC as libvirt shows it, `definition` in normal form.

    `address` is its place on a bus of the guest, as canonical text. Of a running NIC, `device` is the host's end of it, `bridge`
    the bridge that it is plugged into, and `handle` the alias by which libvirt knows it.
    """

    definition: Definition
    address: str | None = None
    device: str | None = None
    bridge: str | None = None
    handle: str | None = None

    @property
    def mac(self) -> str:
        """Its MAC address; libvirt gives one to each NIC."""
        mac: str = self.definition.get("mac", "")
        return mac

    @property
    def alias(self) -> str | None:
        """The name that a user gave it."""
        return self.definition.get("alias")


def nics_of_document(text: str, *, running: bool) -> list[Nic]:
    """Return the NICs of a guest's document. Raises InputError if it cannot be understood."""
    root = document.parse_document(text, root="domain")
    return [nic_from_element(element, running=running) for element in root.iterfind("devices/interface")]


def nic_from_element(element: Element, *, running: bool = False) -> Nic:
    """Return a NIC from its element, which is used up. With `running`, the element is of a running guest."""
    address = element.find("address")
    place = document.canonical_text(address) if address is not None else None
    if address is not None:
        element.remove(address)
    source, target, alias = (element.find(tag) for tag in ("source", "target", "alias"))
    device = target.get("dev") if running and target is not None else None
    bridge = source.get("bridge") if running and source is not None else None
    handle = alias.get("name") if running and alias is not None else None
    if running:
        _drop_runtime(element)
    if alias is not None and not (alias.get("name") or "").startswith(_ALIAS):
        element.remove(alias)
    definition = tree.parse(INTERFACE, element)
    return Nic(_normalised(definition), address=place, device=device, bridge=bridge, handle=handle)


def _drop_runtime(element: Element) -> None:
    """Remove what libvirt shows of a running NIC beside its definition."""
    mac, source, target = (element.find(tag) for tag in ("mac", "source", "target"))
    if mac is not None:
        mac.attrib.pop("currentAddress", None)  # the guest has chosen it
    if source is not None and source.get("network") is not None:
        # the type is that of what the network is plugged into
        element.set("type", "network")
        for name in ("portid", "bridge", "dev", "mode"):
            source.attrib.pop(name, None)
    if source is not None:
        source.attrib.pop("macTableManager", None)  # the network's
    if target is not None and (target.get("dev") or "").startswith(GENERATED_TARGETS):
        del target.attrib["dev"]


def definition_from_options(options: t.Mapping[str, t.Any]) -> Definition:
    """Return what a task's typed options say, in canonical values but with defaults, ready to be merged.

    Raises InputError, which names the option, its value and what is needed.
    """
    given = tree.coerce(INTERFACE, options)
    if "alias" in given:
        given["alias"] = _without_prefix(given["alias"])
    source = given.get("source", {})
    if "type" not in given:
        kinds = [kind for kind, place in _PLACES.items() if place in source]
        if len(kinds) > 1:
            raise InputError(
                f"source: {' and '.join(_PLACES[kind] for kind in kinds)} are {len(kinds)} places to be plugged into; give "
                "one of them."
            )
        given.update({"type": kinds[0]} if kinds else {})
    return given


def merge_definitions(current: Definition | None, given: Definition, *, replace: bool) -> Definition:
    """Return the wanted definition in normal form. `current` is None for a NIC that is not there yet."""
    if current is None:
        return normalise({**({"model": "virtio"} if _has_model(given) else {}), **_with_mode(given)})
    base = tree.copied(current)
    moved = not same_place(base, given)
    if moved:
        # the rest of the old source means nothing in the new place
        base.pop("source", None)
    if moved or replace:
        given = _with_mode(given)  # as for a new NIC
    if given.get("type", type_of(base)) != type_of(base):
        for option in _OF_A_TYPE:
            base.pop(option, None)
    kind = base.get("virtualport", {}).get("type")
    if given.get("virtualport", {}).get("type", kind) != kind:
        base.pop("virtualport", None)  # each type has parameters of its own
    merged = tree.merge(INTERFACE, base, given, replace=replace)
    for option in _CARRIED:
        # a user's NIC is plugged into nothing: its source is a detail of passt's
        if option in base and (option != "source" or type_of(base) != "user"):
            merged.setdefault(option, base[option])
    return carry_generated(normalise(merged), base)


def carry_generated(definition: Definition, current: Definition) -> Definition:
    """Return the definition with the UUIDs that libvirt made up for its virtual port, where it names none itself."""
    port, old = definition.get("virtualport"), current.get("virtualport", {})
    if port is None or port.get("type") != old.get("type"):
        return definition
    made = {name: value for name, value in old.get("parameters", {}).items() if name in ("interfaceid", "instanceid")}
    if not made:
        return definition
    return {**definition, "virtualport": {**port, "parameters": {**made, **port.get("parameters", {})}}}


def _has_model(given: Definition) -> bool:
    return given.get("type") in ("network", "bridge", "direct", "user", "ethernet")


def _with_mode(given: Definition) -> Definition:
    """Say the mode of a macvtap that guests on one host need to reach each other; libvirt's own default is vepa."""
    if given.get("type") != "direct" or "mode" in given.get("source", {}):
        return given
    return {**given, "source": {**given.get("source", {}), "mode": "bridge"}}


def same_place(current: Definition, given: Definition) -> bool:
    """Say whether the given definition leaves the NIC plugged into what it is plugged into now."""
    kind = type_of(current)
    if given.get("type", kind) != kind:
        return False
    wanted = place_of({**given, "type": kind})
    return wanted is None or wanted == place_of(current)


def without_no(definition: Definition) -> Definition:
    """Return a NIC that says that it is not isolated as one that says nothing: so it is where its network does not isolate."""
    if definition.get("port") != {"isolated": False}:
        return definition
    return {option: value for option, value in definition.items() if option != "port"}


def type_of(definition: Definition) -> str:
    """Return the type of a NIC."""
    kind: str = definition.get("type", "")
    return kind


def place_of(definition: Definition) -> str | None:
    """Return the network, the bridge or the interface of the host that a NIC is plugged into."""
    kind = type_of(definition)
    if kind == "ethernet":
        place: str | None = definition.get("target", {}).get("dev")
    else:
        place = definition.get("source", {}).get(_PLACES.get(kind, ""))
    return place


def network_of(nic: Nic | None) -> str | None:
    """Return the network that a NIC is plugged into."""
    return place_of(nic.definition) if nic is not None and type_of(nic.definition) == "network" else None


def source_text(definition: Definition) -> str:
    """Return in words what a NIC is plugged into: "network default", "bridge br0", "direct eth1", or its type alone."""
    place = place_of(definition)
    return f"{type_of(definition)} {place}" if place else type_of(definition)


def render_element(definition: Definition, *, address: str | None = None) -> Element:
    """Return the definition as an element, elements and attributes always in the same order."""
    data = dict(definition)
    if "alias" in data:
        data["alias"] = _ALIAS + data["alias"]
    if "ips" in data:
        data["ips"] = [{"family": "ipv6", **entry} if ":" in entry["address"] else entry for entry in data["ips"]]
    element = tree.render(INTERFACE, data, etree.Element("interface"))
    if address is not None:
        element.append(document.parse_fragment(address))
    return element


def render_xml(definition: Definition, *, address: str | None = None) -> str:
    """Return the definition as a document."""
    return document.pretty_text(render_element(definition, address=address))


def normalise(definition: Definition) -> Definition:
    """Return the normal form of a definition."""
    return _normalised(tree.copied(definition))


def _normalised(definition: Definition) -> Definition:
    if "alias" in definition:
        definition["alias"] = _without_prefix(definition["alias"])
    if "model" in definition:
        definition["model"] = _MODELS.get(definition["model"].lower(), definition["model"])
    for entry in definition.get("ips", []):
        entry.pop("family", None)
    vlan = definition.get("vlan", {})
    if len(vlan.get("tags", [])) > 1:
        vlan.pop("trunk", None)  # implied by more than one tag
    if definition.get("type") == "direct":
        definition.setdefault("source", {}).setdefault("mode", "vepa")
    return tree.prune(INTERFACE, definition)


def _without_prefix(alias: str) -> str:
    return alias[len(_ALIAS) :] if alias.startswith(_ALIAS) else alias
