# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""NICs, guests and networks that these tests are made from, and what libvirt shows of a NIC that runs."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

from lxml import etree

from ansible_collections.kvmops.network.plugins.module_utils._network.definition import definition_from_xml
from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState
from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import (
    Nic,
    definition_from_options,
    nics_of_document,
    normalise,
)
from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import GuestState, NicState
from ansible_collections.kvmops.network.plugins.module_utils._nic.live import inherited_from
from ansible_collections.kvmops.network.plugins.module_utils._nic.request import NicRequest

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._nic.reservation import Reservation

    Definition = dict[str, t.Any]

CAPTURED = {
    re.sub(r".*libvirt-", "", path.stem): path for path in sorted((Path(__file__).parent / "fixtures").glob("nics.libvirt-*.xml"))
}
MAC = "52:54:00:aa:00:01"
MAC2 = "52:54:00:aa:00:02"
PLACE = '<address bus="0x00" domain="0x0000" function="0x0" slot="0x02" type="pci"></address>'


def text_of(element: t.Any) -> str:
    """Return an element as text."""
    text: str = etree.tostring(element, encoding="unicode", with_tail=False)
    return text


def parse(text: str, *, running: bool = False) -> Nic:
    """Return the NIC of an element's text."""
    [nic] = nics_of_document(f"<domain><devices>{text}</devices></domain>", running=running)
    return nic


def interface(content: str = "", *, kind: str = "network", source: str = "network='default'", attributes: str = "") -> str:
    """Return the text of a NIC's element."""
    return f"<interface type='{kind}'{attributes}><mac address='{MAC}'/><source {source}/>{content}</interface>"


def define(content: str = "", **parts: t.Any) -> Definition:
    """Return the definition of a NIC's element."""
    return parse(interface(content, **parts)).definition


def wish(**options: t.Any) -> Definition:
    """Return what a task says of a definition."""
    return definition_from_options(options)


def request(
    domain: str = "web",
    *,
    state: t.Literal["present", "absent"] = "present",
    replace: bool = False,
    replug: bool = False,
    reservation: Reservation | None = None,
    wait: bool = False,
    **options: t.Any,
) -> NicRequest:
    """Return what a task asks for of one NIC."""
    return NicRequest(domain, state, wish(**options), replace, replug, reservation, wait)


def on(network: str = "default", **options: t.Any) -> Definition:
    """Return the definition of a NIC on a network."""
    return normalise({"type": "network", "mac": MAC, "model": "virtio", **options, "source": {"network": network}})


def both(definition: Definition, *, address: str | None = PLACE, device: str | None = "vnet0") -> NicState:
    """Return a NIC that is stored and runs so."""
    return NicState(stored=Nic(definition, address=address), live=Nic(definition, address=address, device=device, handle="net0"))


def stored(definition: Definition, *, address: str | None = PLACE) -> NicState:
    """Return a NIC that is stored only."""
    return NicState(stored=Nic(definition, address=address))


def live(definition: Definition, *, address: str | None = PLACE) -> NicState:
    """Return a NIC that runs only."""
    return NicState(live=Nic(definition, address=address, device="vnet0", handle="net0"))


def guest(*nics: NicState, name: str = "web", persistent: bool = True, running: bool = True, **more: t.Any) -> GuestState:
    """Return a guest with these NICs."""
    return GuestState(name, persistent, running, nics, **more)


def network(name: str, content: str = "", *, active: bool = True, attributes: str = "") -> NetworkState:
    """Return a network as it is stored, and as it runs if it does."""
    definition = definition_from_xml(f"<network{attributes}><name>{name}</name>{content}</network>")
    return NetworkState(name, stored=definition, live=definition if active else None, autostart=True)


_BRIDGED = "<forward mode='bridge'/><bridge name='br0'/>"
_GROUPS = """
<portgroup name='slow' default='yes'><bandwidth><inbound average='100' peak='200' burst='100'/></bandwidth></portgroup>
<portgroup name='fast'><bandwidth><inbound average='1000'/></bandwidth></portgroup>
<portgroup name='free'/>
"""

# One network of each kind that a NIC can meet.
NETWORKS: dict[str, NetworkState] = {
    state.name: state
    for state in (
        network("default", "<forward mode='nat'/><bridge name='virbr0'/><ip address='192.168.122.1' prefix='24'/>"),
        network("isolated", "<bridge name='virbr1'/><port isolated='yes'/><ip address='192.168.123.1' prefix='24'/>"),
        network("groups", f"<forward mode='nat'/><bridge name='virbr2'/>{_GROUPS}"),
        network("hostbridge", _BRIDGED),
        network("vlans", f"{_BRIDGED}<vlan><tag id='42'/></vlan>"),
        network(
            "switch", f"{_BRIDGED}<virtualport type='openvswitch'/><portgroup name='v'><vlan><tag id='7'/></vlan></portgroup>"
        ),
        network("macvtap", "<forward mode='bridge'><interface dev='eth1'/></forward>"),
        network("passthrough", "<forward mode='passthrough'><interface dev='eth2'/></forward>"),
        network("functions", "<forward mode='hostdev'><pf dev='eth3'/></forward>"),
    )
}
RUNNING: dict[str, Definition] = {name: state.live for name, state in NETWORKS.items() if state.live is not None}


def shown(definition: Definition) -> Definition:
    """Return what libvirt shows of a NIC that runs so: what its network gives, and what it has itself."""
    gives = inherited_from(definition, RUNNING)
    gives.pop("type", None)
    found = {**gives, **definition}
    if "virtualport" in gives and "virtualport" in definition:
        given, own = gives["virtualport"], definition["virtualport"]
        found["virtualport"] = {**given, **own, "parameters": {**given.get("parameters", {}), **own.get("parameters", {})}}
    return normalise(found)
