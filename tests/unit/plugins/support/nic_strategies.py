# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What a task can say of a NIC, as hypothesis strategies.

What `nics` generates fulfils the module's rules, so that a refusal of it is a failure; what `mixed_nics` generates may not. The
host has the networks "lab", with the port groups "fast" and "slow", and "lab2".
"""

from __future__ import annotations

import typing as t

from hypothesis import strategies as st

from ansible_collections.kvmops.network.tests.unit.plugins.support.nics import LIBVIRT
from ansible_collections.kvmops.network.tests.unit.plugins.support.strategies import interface_names, macs

if t.TYPE_CHECKING:
    Options = dict[str, t.Any]

__all__ = ["aliases", "mixed_nics", "nics", "unicast_macs"]

_HAS_PAGES = LIBVIRT >= 7_009_000
_HAS_HASHES = LIBVIRT >= 8_003_000
_HAS_VLAN_BRIDGES = LIBVIRT >= 11_000_000

aliases = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True).filter(lambda name: not name.startswith("ua-"))
unicast_macs = macs.filter(lambda mac: not mac.startswith("fe:"))
_words = st.text(st.characters(whitelist_categories=("L", "N"), whitelist_characters=" '\"<>&$();"), min_size=1, max_size=12)
_paths = _words.map(lambda word: f"/{word}")
_devices = interface_names.filter(lambda name: not name.startswith(("vnet", "vmacv")))


@st.composite
def _some(draw: st.DrawFn, **options: st.SearchStrategy[t.Any]) -> Options:
    """Return some of the options, a few of them."""
    return {name: draw(strategy) for name, strategy in options.items() if draw(st.integers(0, 2)) == 0}


_rates = st.integers(1, 2**32 - 1)
_rate = st.builds(lambda average, more: {"average": average, **more}, _rates, _some(peak=_rates, burst=st.integers(1, 2**22 - 1)))
_bandwidth = _some(inbound=_rate, outbound=_rate)


@st.composite
def _vlan(draw: st.DrawFn) -> Options:
    numbers = draw(st.lists(st.integers(0, 4095), min_size=1, max_size=3, unique=True))
    tags: list[Options] = [{"id": number} for number in numbers]
    if draw(st.booleans()):
        tags[0]["native_mode"] = draw(st.sampled_from(["tagged", "untagged"]))
    return {"tags": draw(st.permutations(tags)), **draw(_some(trunk=st.just(True) if len(tags) > 1 else st.booleans()))}


_uuids = st.uuids().map(str)
_openvswitch = st.builds(
    lambda parameters: {"type": "openvswitch", "parameters": parameters},
    _some(profileid=st.sampled_from(["", "menial", "a b"]), interfaceid=_uuids),
)
_midonet = st.builds(lambda uuid: {"type": "midonet", "parameters": {"interfaceid": uuid}}, _uuids)
_bytes = st.integers(0, 255)
_switched = st.one_of(
    st.builds(
        lambda manager, kind, version, more: {
            "type": "802.1Qbg",
            "parameters": {"managerid": manager, "typeid": kind, "typeidversion": version, **more},
        },
        _bytes,
        st.integers(0, 2**24 - 1),
        _bytes,
        _some(instanceid=_uuids),
    ),
    st.just({"type": "802.1Qbh", "parameters": {"profileid": "finance"}}),
)
_parameters = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["IP", "MAC", "ip"]), "value": st.sampled_from(["10.0.0.1", "fe80::1", "a_b"])}
    ),
    max_size=3,
    unique_by=lambda entry: (entry["name"], entry["value"]),
)
_filterref = st.builds(
    lambda name, more: {"filter": name, **more}, st.sampled_from(["clean-traffic", "a.b"]), _some(parameters=_parameters)
)
_sizes = st.sampled_from([256, 512, 1024])
_flag = st.booleans()
_driver = _some(
    name=st.sampled_from(["vhost", "qemu"]),
    txmode=st.sampled_from(["iothread", "timer"]),
    ioeventfd=_flag,
    event_idx=_flag,
    rx_queue_size=_sizes,
    tx_queue_size=_sizes,
    iommu=_flag,
    ats=_flag,
    packed=_flag,
    **({"page_per_vq": _flag} if _HAS_PAGES else {}),
    **({"rss": _flag, "rss_hash_report": _flag} if _HAS_HASHES else {}),
    host=_some(csum=_flag, gso=_flag, tso4=_flag, tso6=_flag, ecn=_flag, ufo=_flag, mrg_rxbuf=_flag),
    guest=_some(csum=_flag, tso4=_flag, tso6=_flag, ecn=_flag, ufo=_flag),
)
_queues = st.integers(1, 256).map(lambda number: {"queues": number})
_rom = st.one_of(st.just({"enabled": False}), _some(enabled=st.just(True), bar=_flag, file=_paths))
_mtus = st.integers(68, 65535)
_isolated = _some(isolated=_flag)
_coalesce = st.integers(0, 2**32 - 1).map(lambda number: {"rx": {"frames": {"max": number}}})
_ips = st.builds(
    lambda first, second: [*first, *second],
    st.lists(st.fixed_dictionaries({"address": st.just("10.0.2.9")}, optional={"prefix": st.integers(4, 27)}), max_size=1),
    st.lists(st.fixed_dictionaries({"address": st.just("FD00:0::9")}, optional={"prefix": st.just(64)}), max_size=1),
)

# What each type of NIC may have beside what all may have.
_BRIDGED = {"mtu": _mtus, "bandwidth": _bandwidth, "filterref": _filterref, "port": _isolated, "coalesce": _coalesce}


@st.composite
def _places(draw: st.DrawFn) -> tuple[Options, dict[str, st.SearchStrategy[t.Any]]]:
    """Return what a NIC is plugged into, and what it may have there."""
    kind = draw(st.sampled_from(["network", "bridge", "switch", "direct", "user", "ethernet"]))
    if kind == "network":
        group = draw(_some(portgroup=st.sampled_from(["fast", "slow"])))
        source = {"network": "lab", **group} if group else {"network": draw(st.sampled_from(["lab", "lab2"]))}
        return {"source": source}, {**_BRIDGED, "target": _some(dev=_devices), "driver": st.one_of(_driver, _queues)}
    if kind == "bridge":
        more = {"target": _some(dev=_devices, managed=st.just(True)), "driver": _driver}
        if _HAS_VLAN_BRIDGES:
            more["vlan"] = _vlan()
        return {"source": {"bridge": draw(interface_names)}}, {**_BRIDGED, **more}
    if kind == "switch":
        port = draw(st.one_of(_openvswitch, _midonet))
        more = {"mtu": _mtus, "bandwidth": _bandwidth, "coalesce": _coalesce, "vlan": _vlan()}
        return {"source": {"bridge": draw(interface_names)}, "virtualport": port}, more
    if kind == "direct":
        mode = draw(_some(mode=st.sampled_from(["vepa", "bridge", "private", "passthrough"])))
        more = {"bandwidth": _bandwidth, "virtualport": _switched, "target": _some(dev=_devices), "driver": _driver}
        if mode.get("mode") == "passthrough":
            more = {"bandwidth": _bandwidth, "vlan": _vlan()}
        return {"source": {"dev": draw(interface_names), **mode}}, more
    if kind == "user":
        return {"type": "user"}, {"ips": _ips, "driver": _driver}
    outside = st.builds(
        lambda name, managed: {"dev": name, "managed": managed}, st.one_of(_devices, st.just("vnet7")), st.just(False)
    )
    more = {"mtu": _mtus, "bandwidth": _bandwidth, "filterref": _filterref, "target": st.one_of(_some(dev=_devices), outside)}
    return {"type": "ethernet"}, more


@st.composite
def nics(draw: st.DrawFn) -> Options:
    """Return what a task says of a NIC, without who it is."""
    place, possible = draw(_places())
    options: Options = {**place, **draw(_some(**possible, **_COMMON))}
    model = options.get("model", "virtio").lower()
    if "driver" in options and not model.startswith("virtio"):
        del options["model"]
    return options


_COMMON: dict[str, st.SearchStrategy[t.Any]] = {
    "link": st.sampled_from(["up", "down"]),
    "model": st.sampled_from(["virtio", "e1000e", "rtl8139", "Virtio", "82540em", "virtio-transitional", "strange"]),
    "trust_guest_rx_filters": _flag,
    "boot": st.integers(2, 99).map(lambda order: {"order": order}),
    "rom": _rom,
}


@st.composite
def mixed_nics(draw: st.DrawFn) -> Options:
    """Return what a task says that mixes two NICs up, or lacks something, or has something that cannot be."""
    first, second = draw(nics()), draw(nics())
    options = {**first, **{option: value for option, value in second.items() if draw(st.integers(0, 2)) == 0}}
    for option in draw(st.lists(st.sampled_from(sorted(options)), max_size=2, unique=True)):
        del options[option]
    odd: dict[str, st.SearchStrategy[t.Any]] = {
        "source": st.fixed_dictionaries(
            {}, optional={"network": _words, "bridge": _words, "dev": _words, "portgroup": _words, "mode": st.just("vepa")}
        ),
        "mtu": st.integers(-1, 2**33),
        "boot": st.sampled_from([-1, 0, 1, 2, 3, 2**32]).map(lambda order: {"order": order}),
        "model": _words,
        "target": st.fixed_dictionaries({}, optional={"dev": _words, "managed": _flag}),
        "filterref": st.fixed_dictionaries({"filter": _words}),
        "bandwidth": _some(inbound=_some(average=_rates, peak=_rates, floor=_rates), outbound=_some(burst=_rates)),
        "driver": st.integers(0, 300).map(lambda number: {"queues": number, "rx_queue_size": number}),
        "ips": st.lists(st.fixed_dictionaries({"address": st.one_of(_words, st.just("10.0.0.1"))}), max_size=2),
        "vlan": st.fixed_dictionaries({"tags": st.lists(st.fixed_dictionaries({"id": st.integers(-1, 4097)}), max_size=2)}),
    }
    options.update(draw(_some(**{option: odd[option] for option in draw(st.lists(st.sampled_from(sorted(odd)), max_size=2))})))
    return options
