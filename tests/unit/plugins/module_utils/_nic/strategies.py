# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Definitions of NICs, and what tasks say of them, as hypothesis strategies: sensible or not, libvirt is not asked."""

from __future__ import annotations

import typing as t

from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import merge_definitions
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nic.builders import MAC, MAC2, wish

if t.TYPE_CHECKING:
    Definition = dict[str, t.Any]

__all__ = ["definitions", "wishes"]

_NETWORKS = ("default", "isolated", "groups", "hostbridge", "vlans", "switch", "macvtap", "passthrough")
_UUIDS = ("ea8bd0ba-cd8d-482c-b79b-b80701bb0fad", "0a83e049-8789-4c43-ab52-cf361ab8c20b")


def _some(**options: st.SearchStrategy[t.Any]) -> st.SearchStrategy[Definition]:
    """Return some of the options."""
    return st.fixed_dictionaries({}, optional=options)


_rate = st.fixed_dictionaries({"average": st.sampled_from([0, 100, 1000])}, optional={"peak": st.just(2000)})
places: st.SearchStrategy[Definition] = st.one_of(
    st.sampled_from(_NETWORKS).map(lambda name: {"source": {"network": name}}),
    st.sampled_from(["slow", "fast", "free"]).map(lambda group: {"source": {"network": "groups", "portgroup": group}}),
    st.sampled_from(["br0", "br1"]).map(lambda name: {"source": {"bridge": name}}),
    st.fixed_dictionaries({"dev": st.just("eth1")}, optional={"mode": st.sampled_from(["vepa", "bridge", "private"])}).map(
        lambda source: {"source": source}
    ),
    st.just({"type": "user"}),
    st.just({"type": "ethernet", "target": {"dev": "tap0"}}),
)
_details = _some(
    link=st.sampled_from(["up", "down"]),
    model=st.sampled_from(["virtio", "e1000e"]),
    mtu=st.sampled_from([1400, 9000]),
    bandwidth=_some(inbound=_rate, outbound=_rate),
    filterref=st.fixed_dictionaries(
        {"filter": st.sampled_from(["clean-traffic", "no-mac-spoofing"])},
        optional={"parameters": st.sampled_from([[], [{"name": "IP", "value": "10.0.0.1"}]])},
    ),
    port=_some(isolated=st.booleans()),
    vlan=_some(trunk=st.booleans(), tags=st.sampled_from([[{"id": 42}], [{"id": 2}, {"id": 1, "native_mode": "untagged"}]])),
    virtualport=_some(
        type=st.just("openvswitch"),
        parameters=_some(interfaceid=st.sampled_from(_UUIDS), profileid=st.sampled_from(["", "a"])),
    ),
    coalesce=_some(rx=st.just({"frames": {"max": 8}})),
    trust_guest_rx_filters=st.booleans(),
    boot=_some(order=st.sampled_from([1, 2])),
    driver=_some(name=st.sampled_from(["vhost", "qemu"]), queues=st.sampled_from([1, 2]), guest=_some(csum=st.booleans())),
    mac=st.sampled_from([MAC, MAC2]),
    alias=st.sampled_from(["web", "ua-web"]),
)


@st.composite
def wishes(draw: st.DrawFn, *, placed: bool = False) -> Definition:
    """Draw what a task says of a NIC; with `placed`, it says where it is plugged in."""
    place = draw(places if placed else st.one_of(st.just({}), places, st.just({"source": {}})))
    return wish(**draw(_details), **place)


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    """Draw a NIC's definition, as libvirt may show it."""
    unknown = draw(st.sampled_from([{}, {}, {"_rest": ["@colour=red", '<guest dev="eth0"></guest>']}, {"acpi": 3}]))
    return merge_definitions(None, {"mac": MAC, **draw(wishes(placed=True)), **unknown}, replace=False)
