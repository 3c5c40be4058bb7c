# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Whatever guests' NICs do, and wherever a run is killed: networks end with what is asked for, and others' entries stay."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._format.tree import copied
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import normalise
from ansible_collections.kvmops.network.plugins.module_utils._network.dhcp_hosts import key_of
from ansible_collections.kvmops.network.plugins.module_utils._network.mark import Claim, read_claims, with_claims
from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState
from ansible_collections.kvmops.network.plugins.module_utils._nic.network_changes import Holding, plan_reservations
from ansible_collections.kvmops.network.plugins.module_utils._nic.reservation import Reservation, duid_of
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nic.dhcp_model import entries, update

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._nic.network_changes import NetworkChange

    Definition = dict[str, t.Any]
    Host = dict[str, t.Any]
    Networks = dict[str, NetworkState]

# Two guests that a task is about, with two NICs and one, and one that it is not about.
NICS = {"52:54:00:00:00:01": "web", "52:54:00:00:00:02": "web", "52:54:00:00:00:03": "db", "52:54:00:00:00:04": "old"}
NEW_MACS = ("52:54:00:00:00:11", "52:54:00:00:00:12", "52:54:00:00:00:13")
FOREIGN_MACS = ("52:54:00:00:00:21", "52:54:00:00:00:22")
PREFIXES = {"one": ("10.0.1.", "fd01::"), "two": ("10.0.2.", "fd02::")}


def empty(name: str) -> Definition:
    four, six = PREFIXES[name]
    ips = [{"address": f"{four}1", "prefix": 24}, {"address": f"{six}1", "prefix": 64}]
    return {"name": name, "forward": {"mode": "nat"}, "bridge": {"name": f"virbr{name}"}, "ips": ips}


def add(definition: Definition, host: Host) -> bool:
    """Add an entry, and return whether libvirt would take it beside the others."""
    home = definition["ips"][":" in host["ip"]]
    hosts = home.setdefault("dhcp", {}).setdefault("hosts", [])
    if any(key in host and each.get(key) == host[key] for each in hosts for key in ("mac", "id", "name", "ip")):
        return False
    hosts.append(host)
    return True


@dataclass(frozen=True)
class Scenario:
    """What there is, and what a task is about."""

    networks: Networks
    holdings: tuple[Holding, ...]
    macs: dict[str, set[str]]

    def plan(self, networks: Networks | None = None) -> list[NetworkChange]:
        return plan_reservations(self.networks if networks is None else networks, self.holdings, self.macs)


_ends = st.sampled_from(["11", "12", "13", "14", "15"])
_names = st.sampled_from([None, None, "a", "b", "c"])


def named(name: str | None) -> Host:
    return {"name": name} if name is not None else {}


@st.composite
def scenarios(draw: st.DrawFn, *, drift: bool = False) -> Scenario:
    definitions = {name: empty(name) for name in PREFIXES}
    claims: dict[str, list[Claim]] = {name: [] for name in PREFIXES}
    homes: dict[str, str] = {}
    for mac, domain in NICS.items():
        network = homes[mac] = draw(st.sampled_from(sorted(PREFIXES)))
        four, six = PREFIXES[network]
        name = draw(_names)
        for has, host in (
            (draw(st.booleans()), {"mac": mac, "ip": four + draw(_ends)}),
            (
                draw(st.booleans()),
                {"id": draw(st.sampled_from([duid_of(mac), "00:02:00:00:ab:11:" + mac[-2:]])), "ip": six + draw(_ends)},
            ),
        ):
            if has and add(definitions[network], {**host, **named(name)}):
                claims[network].append(Claim(domain, mac, key_of(host), host["ip"]))
    for mac in draw(st.lists(st.sampled_from(FOREIGN_MACS), max_size=2, unique=True)):
        network = draw(st.sampled_from(sorted(PREFIXES)))
        four, six = PREFIXES[network]
        kinds = [
            {"mac": mac, "ip": four + draw(_ends)},
            {"id": duid_of(mac), "ip": six + draw(_ends)},
            {"ip": four + draw(_ends)},
        ]
        host = draw(st.sampled_from(kinds))
        add(definitions[network], {**host, **named(draw(_names) if len(host) > 1 else "plain")})
    networks = {}
    for name, definition in definitions.items():
        stored = normalise(with_claims(definition, claims[name]))
        live = copied(stored)
        if drift:
            for ip in live["ips"]:
                hosts = ip.get("dhcp", {}).get("hosts", [])
                hosts[:] = [host for host in hosts if draw(st.integers(0, 3))]
            if draw(st.booleans()):
                four, six = PREFIXES[name]
                kinds = [{"mac": "52:54:00:00:00:31", "ip": four + draw(_ends)}, {"id": "00:02:03:04", "ip": six + draw(_ends)}]
                add(live, {**draw(st.sampled_from(kinds)), **named(draw(_names))})
            live = normalise(live)
        networks[name] = NetworkState(name, stored=stored, live=live if draw(st.integers(0, 4)) or drift else None)
    holdings, macs = [], {domain: {mac for mac, each in NICS.items() if each == domain} for domain in ("web", "db")}
    for number, (mac, domain) in enumerate(NICS.items()):
        if domain == "old" or draw(st.integers(0, 3)) == 0:
            continue
        new = draw(st.sampled_from([mac, mac, NEW_MACS[number]]))
        kind = draw(st.sampled_from(["stays", "stays", "moves", "leaves", "goes"]))
        network = {"stays": homes[mac], "moves": {"one": "two", "two": "one"}[homes[mac]]}.get(kind)
        reservation = draw(reservations(network)) if network is not None else None
        present = kind != "goes"
        macs[domain] = (macs[domain] - {mac}) | ({new} if present else set())
        holdings.append(Holding(domain, new if present else mac, network, reservation, former=frozenset({mac}), present=present))
    return Scenario(networks, tuple(draw(st.permutations(holdings))), macs)


@st.composite
def reservations(draw: st.DrawFn, network: str) -> Reservation | None:
    four, six = PREFIXES[network]
    kind = draw(st.sampled_from(["none", "none", "empty", "ipv4", "ipv6", "both", "both"]))
    if kind == "none":
        return None
    ipv4 = four + draw(_ends) if kind in ("ipv4", "both") else None
    ipv6 = six + draw(_ends) if kind in ("ipv6", "both") else None
    duid = draw(st.sampled_from([None, "00:02:00:00:ab:11:ff"])) if ipv6 is not None else None
    return Reservation(ipv4, ipv6, draw(_names) if kind != "empty" else None, duid)


def attempt(scenario: Scenario) -> list[NetworkChange]:
    """Return the changes, none where something is refused."""
    try:
        return scenario.plan()
    except (InputError, RefusedError):
        return []


def carry_out(networks: Networks, changes: list[NetworkChange], *, stop: int | None = None) -> Networks:
    """Return the networks after so many steps of the changes, all of them without a number."""
    networks = dict(networks)
    left = stop if stop is not None else 1000
    for change in changes:
        for step in [*change.first, None, *change.then]:
            if left == 0:
                return networks
            left -= 1
            state = networks[change.name]
            if step is None:
                networks[change.name] = replace(state, stored=change.stored)
            else:
                assert state.live is not None
                networks[change.name] = replace(state, live=normalise(update(state.live, step)))
    return networks


def owned(definition: Definition | None, *domains: str) -> list[tuple[str, Host]]:
    """Return the entries that NICs of these guests have by a task, or with none, those that nobody's NIC has."""
    claims = read_claims(definition or {})
    mine = {(claim.key, claim.ip) for claim in claims if not domains or claim.domain in domains}
    return [each for each in entries(definition or {"ips": []}) if ((key_of(each[1]), each[1]["ip"]) in mine) == bool(domains)]


def prefixes(changes: list[NetworkChange]) -> range:
    """Return after how many steps a run can be killed."""
    return range(sum(len(change.first) + 1 + len(change.then) for change in changes) + 1)


# --- a running network that is as it is stored --------------------------------------------------------------------------------


@given(scenarios())
def test_whatever_nics_do(scenario: Scenario) -> None:
    changes = attempt(scenario)
    if changes:
        after = carry_out(scenario.networks, changes)
        check_what_runs_is_what_is_stored(after)
        check_a_second_run_does_nothing(scenario, after)
        check_a_killed_run_can_be_repeated(scenario, changes, after)
        check_entries_of_others_are_never_touched(scenario, changes)
        check_each_nic_has_what_it_is_given(scenario, after)
        check_what_is_not_mentioned_stays_with_the_nic(scenario, after)
        check_no_claim_is_left_of_a_nic_that_is_not_there(scenario, changes, after)
        check_each_change_is_said(scenario, changes)


def check_what_runs_is_what_is_stored(after: Networks) -> None:
    for state in after.values():
        if state.live is not None:
            assert entries(state.live) == entries(state.stored or {})


def check_a_second_run_does_nothing(scenario: Scenario, after: Networks) -> None:
    assert scenario.plan(after) == []
    # also when the NICs are as they shall be
    settled = replace(scenario, holdings=tuple(replace(each, former=frozenset({each.mac})) for each in scenario.holdings))
    assert settled.plan(after) == []


def check_a_killed_run_can_be_repeated(scenario: Scenario, changes: list[NetworkChange], after: Networks) -> None:
    for stop in prefixes(changes):
        killed = carry_out(scenario.networks, changes, stop=stop)
        assert carry_out(killed, scenario.plan(killed)) == after


def check_entries_of_others_are_never_touched(scenario: Scenario, changes: list[NetworkChange]) -> None:
    for stop in prefixes(changes):
        after = carry_out(scenario.networks, changes, stop=stop)
        for name, before in scenario.networks.items():
            for domains in ((), ("old",)):
                others = owned(before.stored, *domains)
                assert owned(after[name].stored, *domains) == others
                if before.live is not None:
                    assert all(each in entries(after[name].live or {}) for each in others)
            for claim in read_claims(before.stored or {}):
                assert claim.domain != "old" or claim in read_claims(after[name].stored or {})


def check_each_nic_has_what_it_is_given(scenario: Scenario, after: Networks) -> None:
    for holding in scenario.holdings:
        for name, state in after.items():
            claims = [claim for claim in read_claims(state.stored or {}) if (claim.domain, claim.mac) == holding.owner]
            hosts = [host for _address, host in entries(state.stored or {})]
            if holding.network != name:
                assert claims == []
            elif holding.reservation is not None:
                wanted = holding.reservation.entries(holding.mac)
                assert all(host in hosts for host in wanted)
                assert sorted((claim.key, claim.ip) for claim in claims) == sorted((key_of(host), host["ip"]) for host in wanted)


def check_what_is_not_mentioned_stays_with_the_nic(scenario: Scenario, after: Networks) -> None:
    for holding in scenario.holdings:
        if holding.network is None or holding.reservation is not None:
            continue
        before, now = scenario.networks[holding.network].stored, after[holding.network].stored
        had = [claim for claim in read_claims(before or {}) if claim.domain == holding.domain and claim.mac in holding.former]
        has = [claim for claim in read_claims(now or {}) if (claim.domain, claim.mac) == holding.owner]
        names = [{host["ip"]: host.get("name") for _address, host in entries(each or {})} for each in (before, now)]
        assert sorted((claim.ip, names[1][claim.ip] or "") for claim in has) == sorted(
            (claim.ip, names[0][claim.ip] or "") for claim in had
        )


def check_no_claim_is_left_of_a_nic_that_is_not_there(scenario: Scenario, changes: list[NetworkChange], after: Networks) -> None:
    for name in {change.name for change in changes}:
        there = {(key_of(host), host["ip"]) for _address, host in entries(after[name].stored or {})}
        for claim in read_claims(after[name].stored or {}):
            assert claim.domain == "old" or claim.mac in scenario.macs[claim.domain]
            assert (claim.key, claim.ip) in there


def check_each_change_is_said(scenario: Scenario, changes: list[NetworkChange]) -> None:
    for change in changes:
        before, after = entries(change.before.stored or {}), entries(change.stored)
        said = {reason.split()[0] for _owner, _action, reason in change.actions}
        assert {
            host["ip"] for address, host in before + after if ((address, host) in before) != ((address, host) in after)
        } <= said
        assert all(domain in scenario.macs for (domain, _mac), _action, _reason in change.actions)
        assert len(set(change.actions)) == len(change.actions)


# --- what is refused ----------------------------------------------------------------------------------------------------------


@given(scenarios())
def test_a_refusal_names_somebody_who_is_in_the_way(scenario: Scenario) -> None:
    message = ""
    try:
        scenario.plan()
    except (InputError, RefusedError) as error:
        message = str(error)
    if message:
        stored = [host for state in scenario.networks.values() for _address, host in entries(state.stored or {})]
        wanted = [host for each in scenario.holdings if each.reservation for host in each.reservation.entries(each.mac)]
        taken_along = {word for each in scenario.holdings for word in (each.mac, duid_of(each.mac))}
        words = message.rpartition("(")[2].partition(")")[0].split()
        assert words
        assert set(words) <= {word for host in stored + wanted for word in host.values()} | taken_along


# --- a running network that is not as it is stored ----------------------------------------------------------------------------


@given(scenarios(drift=True))
def test_whatever_ran_before(scenario: Scenario) -> None:
    changes = attempt(scenario)
    after = carry_out(scenario.networks, changes)
    if changes:
        check_a_second_run_does_nothing(scenario, after)
    for holding in scenario.holdings:
        if changes and holding.network is not None and holding.reservation is not None:
            running = [host for _address, host in entries(after[holding.network].live or {"ips": []})]
            assert all(host in running for host in holding.reservation.entries(holding.mac))
    # what runs of others goes on, at any time
    wanted = {key_of(host) for each in scenario.holdings if each.reservation for host in each.reservation.entries(each.mac)}
    for stop in prefixes(changes):
        now = carry_out(scenario.networks, changes, stop=stop)
        for name, before in scenario.networks.items():
            mine = wanted | {claim.key for claim in read_claims(before.stored or {}) if claim.domain != "old"}
            others = [each for each in entries(before.live or {}) if key_of(each[1]) not in mine]
            assert all(each in entries(now[name].live or {}) for each in others)
