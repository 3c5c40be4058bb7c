# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What has to be done so that a port forward is as a task wants it. Nothing here touches a host."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, RefusedError, RequirementError
from ansible_collections.kvmops.network.plugins.module_utils._file_changes import FileChange
from ansible_collections.kvmops.network.plugins.module_utils._forward.files import KEEPER_UNIT, wanted_files
from ansible_collections.kvmops.network.plugins.module_utils._forward.forward import Forward
from ansible_collections.kvmops.network.plugins.module_utils._forward.host_ports import choose_ports
from ansible_collections.kvmops.network.plugins.module_utils._forward.target import find_target
from ansible_collections.kvmops.network.plugins.module_utils._nic.network_changes import plan_reservations

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._forward.host import ForwardHost
    from ansible_collections.kvmops.network.plugins.module_utils._forward.ports import Ports
    from ansible_collections.kvmops.network.plugins.module_utils._forward.request import ForwardRequest
    from ansible_collections.kvmops.network.plugins.module_utils._forward.target import Target
    from ansible_collections.kvmops.network.plugins.module_utils._nic.network_changes import NetworkChange

__all__ = ["Plan", "Step", "make_plan"]


@dataclass(frozen=True)
class Step:
    """One thing to do, and why."""

    action: t.Literal["reserve", "release", "add", "change", "remove", "put back", "start", "write"]
    reason: str

    def __str__(self) -> str:
        return f"{self.action}: {self.reason}"


@dataclass
class Plan:
    """The steps, and what follows from them. `reason` says why the forward is done by the method that it is done by."""

    name: str
    before: Forward | None
    after: Forward | None
    reason: str = ""
    files: list[FileChange] = field(default_factory=list)
    networks: list[NetworkChange] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def make_plan(request: ForwardRequest, host: ForwardHost) -> Plan:
    """Return what to do. Raises NetworkError for what cannot be, or would do harm."""
    before = host.forwards.get(request.name)
    plan = Plan(request.name, before, None)
    if request.state == "present":
        target = find_target(request, host)
        method, plan.reason = _choose_method(request, target, host)
        ports = choose_ports(request, before, host)
        plan.after = _forward(request, target, method, ports)
        _reserve(plan, target, host)
        _warn(plan, target, host)
    if plan.after is not None and plan.after != before:
        change = f"{plan.after}, instead of {before}" if before is not None else str(plan.after)
        plan.steps.append(Step("change" if before is not None else "add", change))
    elif plan.after is None and before is not None:
        plan.steps.append(Step("remove", str(before)))
    _plan_files(plan, host)
    return plan


def _forward(request: ForwardRequest, target: Target, method: str, ports: Ports) -> Forward:
    return Forward(
        name=request.name,
        protocols=request.protocols,
        host_address=request.host_address,
        host_ports=ports,
        domain=request.domain,
        network=target.network,
        bridge=target.bridge,
        subnet=target.subnet,
        address=target.address,
        guest_ports=request.guest_ports,
        method=method,
    )


# --- how it is done -------------------------------------------------------------------------------------------------------------


def _choose_method(request: ForwardRequest, target: Target, host: ForwardHost) -> tuple[str, str]:
    """Return the method and why it is that one."""
    isolated = target.mode == "none"
    if request.method == "auto":
        method = "proxy" if isolated else "rules"
        reason = (
            f"the network '{target.network}' is isolated, so that its guests can answer nobody but the host"
            if isolated
            else f"the network '{target.network}' is of mode {target.mode}, whose guests can answer"
        )
    else:
        method, reason = request.method, "the task says so"
    if method == "proxy":
        _check_proxy(request, target, host)
    elif isolated:
        raise InputError(
            f"method: the network '{target.network}' is isolated, and its guests can answer nobody but the host; leave method "
            "out, or set it to proxy."
        )
    if method == "open" and target.mode != "open":
        raise InputError(
            f"method: the network '{target.network}' is of mode {target.mode}, for which libvirt makes rules; give it "
            "'forward: {mode: open}' with libvirt_network first, or leave method out."
        )
    return method, reason


def _check_proxy(request: ForwardRequest, target: Target, host: ForwardHost) -> None:
    if request.method == "auto":
        if "udp" in request.protocols:
            raise InputError(
                f"protocols: the network '{target.network}' is isolated, where only a proxy can forward, and that passes TCP on "
                "alone; leave udp out, or choose a network of mode nat."
            )
        request.check_proxy()
    if not host.programs.proxy:
        raise RequirementError(
            "This host has no systemd-socket-proxyd, which is systemd's program to pass connections on (some distributions have "
            "it in a package of its own). Install it, or choose another method."
        )


# --- the guest's address --------------------------------------------------------------------------------------------------------


def _reserve(plan: Plan, target: Target, host: ForwardHost) -> None:
    if target.holding is None or host.guest is None:
        return
    macs = {mac for nic in host.guest.nics for mac in nic.macs}
    try:
        plan.networks = plan_reservations(host.networks, [target.holding], {host.guest.name: macs})
    except (InputError, RefusedError) as error:
        # said for those who have an option of that name
        cause = str(error).replace("reservation: ", "", 1)
        cause = cause.replace("leave the reservation out here", "leave address out, for the one that is reserved")
        raise type(error)(f"address: {target.address} cannot be reserved for the guest '{host.guest.name}': {cause}") from None
    for change in plan.networks:
        plan.warnings += change.warnings
        for _owner, action, reason in change.actions:
            plan.steps.append(Step("reserve" if action == "reserve" else "release", reason))


def _warn(plan: Plan, target: Target, host: ForwardHost) -> None:
    forward = plan.after
    if forward is None:
        return
    if target.now and host.guest is not None and host.guest.running:
        plan.warnings.append(
            f"The guest '{host.guest.name}' has {', '.join(target.now)} at the moment, and the forward leads to "
            f"{target.address}: it works when the guest has asked for its address anew, at the latest when it is started anew."
        )
    if target.leased_to:
        plan.warnings.append(
            f"{target.address} is leased to {target.leased_to} at the moment: the guest '{forward.domain}' does not get it, and "
            "the forward leads to the other one, until that lease has ended."
        )
    others = [each for each in host.forwards.values() if each.name != forward.name and _loses_address(each, forward)]
    if target.holding is not None and others:
        plan.warnings.append(
            f"The guest '{forward.domain}' keeps one address, {forward.address} from now on, and other forwards still lead to "
            f"{', '.join(sorted({each.address for each in others}))}: {', '.join(sorted(each.name for each in others))}. Run "
            "their tasks again, with the same address or none."
        )
    if forward.host_address and host.addresses is not None and not _has_address(forward.host_address, host.addresses):
        plan.warnings.append(
            f"host_address: the host does not have {forward.host_address} at the moment; nothing is forwarded until it does."
        )
    if forward.by_rules and host.bridged_filtered and forward != plan.before:
        setting = "net.bridge.bridge-nf-call-iptables" if forward.version == 4 else "net.bridge.bridge-nf-call-ip6tables"
        plan.warnings.append(
            f"What goes from guest to guest passes this host's firewall ({setting} is 1), and so the guest itself does not reach "
            "its own forward. If it has to, set that to 0 in /etc/sysctl.d."
        )


def _loses_address(other: Forward, forward: Forward) -> bool:
    same = (other.domain, other.network, other.version) == (forward.domain, forward.network, forward.version)
    return same and other.address != forward.address


def _has_address(address: str, addresses: frozenset[str]) -> bool:
    return address in addresses or address.startswith("127.")


# --- files and units ------------------------------------------------------------------------------------------------------------


def _plan_files(plan: Plan, host: ForwardHost) -> None:
    forwards = {name: forward for name, forward in host.forwards.items() if name != plan.name}
    if plan.after is not None:
        forwards[plan.name] = plan.after
    wanted = wanted_files(forwards, host.programs)
    for path in sorted(set(wanted) | set(host.files)):
        old, new = host.files.get(path), wanted[path].encode() if path in wanted else None
        if old != new:
            plan.files.append(FileChange(path, old, new))
    if not plan.steps:
        plan.steps += [_mend(change) for change in plan.files]
        if wanted:
            there = {path.rpartition("/")[2] for path in wanted}
            plan.steps += [Step("start", f"{unit} does not run, or does not at boot") for unit in host.idle if unit in there]
            by_rules = KEEPER_UNIT in there
            plan.steps += [Step("put back", f"{fault} is not as it was made") for fault in host.faults if by_rules]


def _mend(change: FileChange) -> Step:
    """Return what is done about a file that somebody changed, or that a run left which was killed."""
    if change.after is None:
        return Step("remove", f"{change.path} is of no forward")
    return Step("write", f"{change.path} {'is not there' if change.before is None else 'differs from what was written'}")
