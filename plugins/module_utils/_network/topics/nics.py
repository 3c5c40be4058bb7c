# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Rules for what guests' NICs are told: the switch behind them, VLANs, bandwidth, isolation; and for port groups."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._network.definition import mode_of, owns_bridge

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    Definition = dict[str, t.Any]

__all__ = ["ODDITIES", "RULES", "burst_problems", "native_problems", "rate_problems", "virtualport_problems"]

# Source: virtualPortProfile in libvirt's networkcommon.rng.
_PARAMETERS = {
    "802.1Qbg": {"managerid", "typeid", "typeidversion", "instanceid"},
    "802.1Qbh": {"profileid"},
    "openvswitch": {"profileid", "interfaceid"},
    "midonet": {"interfaceid"},
}
_LONGEST_PROFILE = 39
_LARGEST_BURST = 2**22 - 1  # kibibytes; tc counts bytes in 32 bits


def _scopes(definition: Definition) -> Iterator[tuple[str, dict[str, t.Any]]]:
    """List what may say something of NICs, each with how its options are named."""
    yield "", definition
    for group in definition.get("portgroups", []):
        yield f"portgroups '{group.get('name')}', ", group


def _virtualport(definition: Definition) -> Iterator[str]:
    for scope, holder in _scopes(definition):
        port = holder.get("virtualport")
        if port is None:
            continue
        if port.get("type") is None and not scope:
            yield f"virtualport.type: missing; give one of {', '.join(_PARAMETERS)}."
        yield from virtualport_problems(scope, port)


def virtualport_problems(scope: str, port: dict[str, t.Any]) -> Iterator[str]:
    """Return what is wrong with the parameters of a virtual port, whatever has it."""
    kind, given = port.get("type"), port.get("parameters", {})
    allowed = _PARAMETERS.get(kind) if kind is not None else None
    for name in sorted(given.keys() - allowed) if allowed is not None else ():
        yield (
            f"{scope}virtualport.parameters: {name} is none of the type '{kind}', which has "
            f"{', '.join(sorted(allowed or ()))}; leave it out."
        )
    if kind == "midonet" and "interfaceid" not in given:
        yield f"{scope}virtualport.parameters: the type 'midonet' needs interfaceid; add the UUID of the port."
    profile = given.get("profileid", "")
    if len(profile.encode()) > _LONGEST_PROFILE:
        yield (
            f"{scope}virtualport.parameters: profileid '{profile}' has {len(profile.encode())} bytes; libvirt allows "
            f"{_LONGEST_PROFILE}, choose a shorter one."
        )


def _bandwidth(definition: Definition) -> Iterator[str]:
    mode = mode_of(definition)
    shaped = owns_bridge(definition) or (mode == "bridge" and "name" in definition.get("bridge", {}))
    for scope, holder in _scopes(definition):
        bandwidth = holder.get("bandwidth")
        if not bandwidth:
            continue
        if not shaped:
            yield f"{scope}bandwidth: cannot be set with forward.mode '{mode}' without a bridge; give it to the guests' NICs."
        for direction in ("inbound", "outbound"):
            option, rate = f"{scope}bandwidth.{direction}", bandwidth.get(direction, {})
            if "floor" in rate:
                yield f"{option}: libvirt takes floor in a guest's definition only; leave it out."
            yield from rate_problems(option, rate)
            if not scope:
                yield from burst_problems(option, rate)


def rate_problems(option: str, rate: dict[str, int]) -> Iterator[str]:
    """Return what one rate says without what it needs, whatever has it."""
    for name in ("peak", "burst"):
        if name in rate and "average" not in rate:
            yield f"{option}: {name} {rate[name]} needs average; add the average rate, or leave {name} out."


def burst_problems(option: str, rate: dict[str, int]) -> Iterator[str]:
    """Return what the kernel would not take of a rate, whatever has it."""
    if rate.get("burst", 0) > _LARGEST_BURST:
        yield f"{option}: burst {rate['burst']} is more than the {_LARGEST_BURST} KiB that are possible; choose less."


def _odd_bursts(definition: Definition) -> Iterator[str]:
    """Check what libvirt tells tc only when a guest is plugged into a port group."""
    for scope, holder in _scopes(definition):
        for direction, rate in holder.get("bandwidth", {}).items() if scope else ():
            yield from burst_problems(f"{scope}bandwidth.{direction}", rate)


def _vlan(definition: Definition) -> Iterator[str]:
    """Check who has VLANs. Source: networkValidate in libvirt 11.3; what is older takes less, see versions.py."""
    mode, kind = mode_of(definition), definition.get("virtualport", {}).get("type")
    capable = mode in ("hostdev", "passthrough") or (mode == "bridge" and kind in (None, "openvswitch"))
    groups = definition.get("portgroups", [])
    everywhere = "vlan" in definition
    for scope, holder in _scopes(definition):
        vlan = holder.get("vlan")
        if vlan is not None and not vlan.get("tags"):
            yield f"{scope}vlan.tags: missing; give one VLAN at least, or leave vlan out."
            continue
        yield from native_problems(scope, vlan or {})
        if holder is definition:
            fits = capable or not everywhere or any(group.get("default") for group in groups)
        elif not everywhere and vlan is None:
            fits = True
        elif mode == "bridge" and "virtualport" in holder:
            fits = True
            if holder["virtualport"].get("type") != "openvswitch":
                yield f"{scope}virtualport.type: 'openvswitch' is needed beside a vlan; add it, or leave one of the two out."
        else:
            fits = capable and "virtualport" not in holder
        if not fits:
            yield (
                f"{scope}vlan: is for bridges of Open vSwitch (virtualport.type 'openvswitch'), bridges of the host, and virtual "
                f"functions (forward.mode 'hostdev' or 'passthrough'), and the mode is '{mode}'; leave it out."
            )


def native_problems(scope: str, vlan: dict[str, t.Any]) -> Iterator[str]:
    """Return whether more than one VLAN would get frames without a tag, whatever has it."""
    native = [entry for entry in vlan.get("tags", []) if "native_mode" in entry]
    if len(native) > 1:
        yield f"{scope}vlan.tags: {len(native)} have native_mode; frames without a tag belong to one VLAN, leave one."


def _isolation(definition: Definition) -> Iterator[str]:
    if not definition.get("port", {}).get("isolated"):
        return
    if "virtualport" in definition:
        yield "port.isolated: is for bridges of the Linux kernel, and there is a virtualport; leave one of them out."
    elif not owns_bridge(definition) and "name" not in definition.get("bridge", {}):
        yield f"port.isolated: is for networks with a bridge, and forward.mode '{mode_of(definition)}' has none; leave it out."


def _portgroups(definition: Definition) -> Iterator[str]:
    groups = definition.get("portgroups", [])
    names = [group.get("name") for group in groups]
    if None in names:
        yield "portgroups: one has no name; give each a name of its own."
    for name in sorted({str(name) for name in names if name is not None and names.count(name) > 1}):
        yield f"portgroups: '{name}' is there {names.count(name)} times; give each a name of its own."
    defaults = [str(group.get("name")) for group in groups if group.get("default")]
    if len(defaults) > 1:
        yield f"portgroups: {' and '.join(repr(name) for name in defaults)} are both the default; choose one."


RULES: tuple[t.Callable[[dict[str, t.Any]], t.Iterator[str]], ...] = (_virtualport, _bandwidth, _vlan, _portgroups)
ODDITIES: tuple[t.Callable[[dict[str, t.Any]], t.Iterator[str]], ...] = (_odd_bursts, _isolation)
