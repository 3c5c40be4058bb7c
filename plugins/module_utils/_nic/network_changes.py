# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What changes in the reservations of networks when guests' NICs come, go, move and change. Nothing here touches a host.

A network's reservations have several owners. Those that a NIC's task made are marked in the network's metadata (`Claim`), and
only those are changed and removed here.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._format.tree import copied
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import mode_of, normalise, owns_bridge, subnet_of
from ansible_collections.kvmops.network.plugins.module_utils._network.dhcp_hosts import home_of, key_of, places_in, plan_live
from ansible_collections.kvmops.network.plugins.module_utils._network.mark import Claim, read_claims, with_claims
from ansible_collections.kvmops.network.plugins.module_utils._network.rules import find_new, find_oddities, find_problems
from ansible_collections.kvmops.network.plugins.module_utils._nic.reservation import duid_of

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._network.dhcp_hosts import LiveChange
    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState
    from ansible_collections.kvmops.network.plugins.module_utils._nic.reservation import Reservation

    Definition = dict[str, t.Any]
    Host = dict[str, t.Any]

__all__ = ["Holding", "NetworkChange", "plan_reservations", "reserved_for"]


@dataclass(frozen=True)
class Holding:
    """A NIC that a task is about, as it is afterwards.

    `network` is where it is plugged in, None where that is no network or the NIC is gone; `running` is where it still is until
    the guest is started anew. `former` are its MAC addresses until now. `reservation` None: what it has stays with it as long as
    it is on the network.
    """

    domain: str
    mac: str
    network: str | None
    reservation: Reservation | None = None
    former: frozenset[str] = frozenset()
    running: str | None = None
    present: bool = True

    @property
    def owner(self) -> tuple[str, str]:
        """Whose it is."""
        return self.domain, self.mac

    def check(self, networks: Mapping[str, NetworkState]) -> None:
        """Refuse a reservation on what cannot have one."""
        if self.reservation is None or not self.reservation.addresses:
            return
        state = networks.get(self.network or "")
        if state is None:
            raise InputError("reservation: the NIC is on no network of libvirt's, which could reserve an address; leave it out.")
        if state.stored is None:
            raise InputError(
                f"reservation: the network '{state.name}' is not stored, so that a reservation would be lost when it stops; "
                "make the network persistent first."
            )
        if not owns_bridge(state.stored):
            raise InputError(
                f"reservation: the network '{state.name}' is of mode '{mode_of(state.stored)}', and its guests get their "
                "addresses from somebody else's DHCP server; leave the reservation out, and make it there."
            )
        for address in self.reservation.addresses:
            if home_of(state.stored, address) is None:
                subnets = ", ".join(str(subnet_of(each)) for each in state.stored.get("ips", [])) or "none"
                raise InputError(
                    f"reservation: {address} is in no subnet of the network '{state.name}', whose subnets are: {subnets}; "
                    "choose an address there."
                )


@dataclass
class NetworkChange:
    """What happens to one network. `stored` is its definition afterwards, in normal form.

    `first` has to be done before that is stored, and `then` afterwards, so that a run that is killed in between can be repeated.
    `actions` say what is done in words, each with the NIC for which it is done.
    """

    name: str
    before: NetworkState
    stored: Definition
    first: list[LiveChange] = field(default_factory=list)
    then: list[LiveChange] = field(default_factory=list)
    actions: list[tuple[tuple[str, str], str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing happens."""
        return self.stored == self.before.stored and not self.first and not self.then


def plan_reservations(
    networks: Mapping[str, NetworkState], holdings: Sequence[Holding], macs: Mapping[str, set[str]]
) -> list[NetworkChange]:
    """Return what happens to the networks, those to which something does.

    `networks` are all that are there; `macs` are all MAC addresses that the guests have afterwards to which the holdings belong.
    Raises InputError or RefusedError if an address cannot be reserved.
    """
    for holding in holdings:
        holding.check(networks)
    touched = {holding.network for holding in holdings if holding.reservation is not None}
    changes = []
    for name, state in sorted(networks.items()):
        claims = read_claims(state.stored or {})
        if state.stored is not None and (name in touched or any(claim.domain in macs for claim in claims)):
            change = _plan_network(state, state.stored, claims, holdings, macs)
            if not change.is_empty:
                changes.append(change)
    return changes


def _plan_network(
    state: NetworkState,
    stored: Definition,
    claims: list[Claim],
    holdings: Sequence[Holding],
    macs: Mapping[str, set[str]],
) -> NetworkChange:
    kept, gone, wanted = _sort_claims(state.name, claims, holdings, macs)
    wanted += [
        (holding, host)
        for holding in holdings
        if holding.network == state.name and holding.reservation is not None
        for host in holding.reservation.entries(holding.mac)
    ]
    definition = copied(stored)
    for claim, _holding in gone:
        _take_out(definition, claim)
    wanted = [(holding, {**_lease_of(claims, stored, holding, host), **host}) for holding, host in wanted]
    foreign = [host for _address, host in places_in(definition)]
    for holding, host in wanted:
        if host in foreign:
            continue  # somebody else made the very same, and it stays his
        _check_free(state.name, definition, host)
        _put_in(state.name, definition, holding, host)
        kept.append(Claim(holding.domain, holding.mac, key_of(host), host["ip"]))
    change = NetworkChange(state.name, state, normalise(with_claims(definition, kept)))
    problems = find_new(lambda each: find_problems(each) + find_oddities(each), change.stored, stored)
    if problems:
        raise InputError(f"reservation: the network '{state.name}' cannot have it. {' '.join(problems)}")
    _describe(change, stored, claims, gone, wanted)
    if state.live is not None:
        steps = plan_live(state.live, [(claim.key, claim.ip) for claim, _holding in gone], [host for _holding, host in wanted])
        for address, other in steps.clashes:
            raise RefusedError(
                f"reservation: the running network '{state.name}' has an entry in the way of {address} that is not stored "
                f"({_words(other)}); remove it with 'virsh net-update {state.name} delete ip-dhcp-host', or start the network "
                "anew."
            )
        change.first, change.then = steps.first, steps.then
        change.warnings += [
            f"The network '{state.name}' runs without the subnet of {address}: the reservation takes effect when the network "
            "is started anew."
            for address in steps.homeless
        ]
        _describe_live(change, wanted)
    return change


def _sort_claims(
    network: str, claims: list[Claim], holdings: Sequence[Holding], macs: Mapping[str, set[str]]
) -> tuple[list[Claim], list[tuple[Claim, Holding | None]], list[tuple[Holding, Host]]]:
    """Return which claims stay as they are, which go, and which entries a NIC takes along to its new MAC address."""
    kept: list[Claim] = []
    gone: list[tuple[Claim, Holding | None]] = []
    moved: list[tuple[Holding, Host]] = []
    for claim in claims:
        holding = next((each for each in holdings if each.domain == claim.domain and claim.mac in {each.mac, *each.former}), None)
        if claim.domain not in macs or (holding is None and claim.mac in macs[claim.domain]):
            kept.append(claim)
        elif holding is not None and holding.network != network and holding.running == network:
            kept.append(claim)  # until the NIC has left
        elif holding is None or holding.network != network or holding.reservation is not None:
            gone.append((claim, holding))
        elif claim.mac != holding.mac or holding.mac not in holding.former:
            # in the second case a run was killed that had taken it along in what is stored, and perhaps no further
            gone.append((claim, holding))
            moved.append((holding, _readdressed(claim, holding.mac)))
        else:
            kept.append(claim)
    return kept, gone, moved


def _readdressed(claim: Claim, mac: str) -> Host:
    if claim.key == claim.mac:
        return {"mac": mac, "ip": claim.ip}
    return {"id": duid_of(mac) if claim.key == duid_of(claim.mac) else claim.key, "ip": claim.ip}


def _lease_of(claims: list[Claim], stored: Definition, holding: Holding, host: Host) -> Host:
    """Return what the entry of the same NIC and address has beside what a task says of it: the name, where it says none."""
    for claim in claims:
        if claim.domain == holding.domain and claim.mac in {holding.mac, *holding.former} and claim.ip == host["ip"]:
            old = next((entry for _address, entry in places_in(stored) if key_of(entry) == claim.key), {})
            extra = {option: value for option, value in old.items() if option == "lease"}
            if holding.reservation is None and "name" in old:
                extra["name"] = old["name"]
            return extra
    return {}


def _take_out(definition: Definition, claim: Claim) -> None:
    for entry in definition.get("ips", []):
        hosts = entry.get("dhcp", {}).get("hosts", [])
        hosts[:] = [host for host in hosts if (key_of(host), host.get("ip")) != (claim.key, claim.ip)]


def _put_in(name: str, definition: Definition, holding: Holding, host: Host) -> None:
    entry = home_of(definition, host["ip"])
    if entry is None:
        # an address that the NIC takes along, and whose subnet the network has lost
        raise InputError(f"reservation: {host['ip']} of {holding.mac} is in no subnet of the network '{name}'; give it another.")
    entry.setdefault("dhcp", {}).setdefault("hosts", []).append(host)


def _check_free(name: str, definition: Definition, host: Host) -> None:
    for _address, other in places_in(definition):
        who = _words(other)
        same_family = (":" in other.get("ip", "")) == (":" in host["ip"])
        if other.get("ip") == host["ip"]:
            raise RefusedError(
                f"reservation: {host['ip']} is reserved for another one on the network '{name}' ({who}); choose another "
                "address, or remove that reservation."
            )
        if key_of(other) == key_of(host):
            raise RefusedError(
                f"reservation: the network '{name}' has a reservation for {key_of(host)} that no task of a NIC made ({who}); "
                "remove it there, or leave the reservation out here."
            )
        if same_family and "name" in host and other.get("name") == host["name"]:
            raise RefusedError(
                f"reservation.hostname: '{host['name']}' is the name of another reservation on the network '{name}' ({who}); "
                "choose another name."
            )


def _words(host: Host) -> str:
    return " ".join(str(host[option]) for option in ("mac", "id", "name", "ip") if option in host)


def _describe(
    change: NetworkChange,
    stored: Definition,
    claims: list[Claim],
    gone: list[tuple[Claim, Holding | None]],
    wanted: list[tuple[Holding, Host]],
) -> None:
    before = [host for _address, host in places_in(stored)]
    after = {(key_of(host), host["ip"]) for _holding, host in wanted}
    for claim, holding in gone:
        if (claim.key, claim.ip) not in after:
            if holding is None or not holding.present:
                reason = "the NIC is gone"
            else:
                reason = "the NIC leaves it" if holding.network != change.name else f"no longer for {claim.key}"
            owner = (claim.domain, claim.mac) if holding is None else holding.owner
            change.actions.append((owner, "release", f"{claim.ip} on the network '{change.name}', {reason}"))
    for holding, host in wanted:
        claim = Claim(holding.domain, holding.mac, key_of(host), host["ip"])
        if host not in before:
            change.actions.append((holding.owner, "reserve", f"{host['ip']} on the network '{change.name}' for {key_of(host)}"))
        elif claim not in claims and claim in read_claims(change.stored):
            change.actions.append((holding.owner, "reserve", f"{host['ip']} on the network '{change.name}' is this NIC's now"))


def _describe_live(change: NetworkChange, wanted: list[tuple[Holding, Host]]) -> None:
    """Say what happens to the running network alone, as after a run that was killed."""
    said = {reason for _owner, _action, reason in change.actions}
    for holding, host in wanted:
        if any(step.host == host for step in change.then) and not any(reason.startswith(f"{host['ip']} ") for reason in said):
            change.actions.append(
                (holding.owner, "reserve", f"{host['ip']} on the network '{change.name}', which runs without it")
            )


def reserved_for(definition: Definition, domain: str, mac: str) -> list[Host]:
    """Return the entries of a network's definition for a NIC: by its MAC address, and what tasks made for it."""
    keys = {claim.key for claim in read_claims(definition) if (claim.domain, claim.mac) == (domain, mac)} | {mac, duid_of(mac)}
    return [host for _address, host in places_in(definition) if key_of(host) in keys]
