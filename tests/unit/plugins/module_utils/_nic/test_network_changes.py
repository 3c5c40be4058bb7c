# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What is said of changes in networks' reservations, and what is refused."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, NetworkError, RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._network.dhcp_hosts import LiveChange
from ansible_collections.kvmops.network.plugins.module_utils._network.mark import Claim, read_claims, with_claims
from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState
from ansible_collections.kvmops.network.plugins.module_utils._nic.network_changes import (
    Holding,
    NetworkChange,
    plan_reservations,
    reserved_for,
)
from ansible_collections.kvmops.network.plugins.module_utils._nic.reservation import Reservation, duid_of
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nic.builders import network

if t.TYPE_CHECKING:
    Host = dict[str, t.Any]

M1, M2, M9 = (f"52:54:00:00:00:0{number}" for number in (1, 2, 9))
CONTENT = """
<forward mode='nat'/><bridge name='virbr5'/><ip address='10.0.1.1' prefix='24'>{}</ip>
<ip family='ipv6' address='fd01::1' prefix='64'>{}</ip>
"""


def lab(v4: str = "", v6: str = "", *claims: Claim, active: bool = True) -> NetworkState:
    """Return a network with the entries of its DHCP server, and whose they are."""
    parts = (f"<dhcp>{part}</dhcp>" if part else "" for part in (v4, v6))
    state = network("lab", CONTENT.format(*parts), active=active)
    definition = with_claims(state.stored or {}, claims)
    return replace(state, stored=definition, live=definition if active else None)


def host(mac: str, end: int, name: str = "") -> str:
    return f"<host mac='{mac}' ip='10.0.1.{end}'{f' name={name!r}' if name else ''}/>"


def claim(mac: str, end: int, domain: str = "web") -> Claim:
    return Claim(domain, mac, mac, f"10.0.1.{end}")


def holding(mac: str = M1, end: int | None = None, name: str | None = None, **more: t.Any) -> Holding:
    reservation = Reservation(ipv4=f"10.0.1.{end}", hostname=name) if end is not None else None
    options = {"network": "lab", "reservation": reservation, "former": frozenset({mac}), **more}
    return Holding(options.pop("domain", "web"), mac, **options)


def plan(state: NetworkState, *holdings: Holding, macs: dict[str, set[str]] | None = None) -> NetworkChange | None:
    everybody = macs if macs is not None else {each.domain: set() for each in holdings}
    for each in holdings:
        everybody[each.domain] = everybody[each.domain] | ({each.mac} if each.present else set())
    changes = plan_reservations({"lab": state}, holdings, everybody)
    assert len(changes) <= 1
    return changes[0] if changes else None


def said(change: NetworkChange | None) -> list[str]:
    assert change is not None
    return [f"{action}: {reason}" for _owner, action, reason in change.actions]


def refusal(kind: type[NetworkError], state: NetworkState, *holdings: Holding) -> str:
    with pytest.raises(kind) as caught:
        plan(state, *holdings)
    return str(caught.value)


# --- what is said -------------------------------------------------------------------------------------------------------------

MINE = lab(host(M1, 11, "web"), "", claim(M1, 11))


@pytest.mark.parametrize(
    ("state", "wanted", "sentences"),
    [
        (lab(), holding(end=11), [f"reserve: 10.0.1.11 on the network 'lab' for {M1}"]),
        (
            MINE,
            holding(end=12),
            [
                f"release: 10.0.1.11 on the network 'lab', no longer for {M1}",
                f"reserve: 10.0.1.12 on the network 'lab' for {M1}",
            ],
        ),
        (
            MINE,
            holding(reservation=Reservation()),
            [f"release: 10.0.1.11 on the network 'lab', no longer for {M1}"],
        ),
        (MINE, holding(network=None, present=False), ["release: 10.0.1.11 on the network 'lab', the NIC is gone"]),
        (MINE, holding(network="other"), ["release: 10.0.1.11 on the network 'lab', the NIC leaves it"]),
        (MINE, holding(network=None), ["release: 10.0.1.11 on the network 'lab', the NIC leaves it"]),
        # another name of the same address
        (MINE, holding(end=11, name="db"), [f"reserve: 10.0.1.11 on the network 'lab' for {M1}"]),
        (MINE, holding(end=11), [f"reserve: 10.0.1.11 on the network 'lab' for {M1}"]),
        # it takes its address along to its new MAC address
        (
            MINE,
            holding(M2, former=frozenset({M1})),
            [
                f"release: 10.0.1.11 on the network 'lab', no longer for {M1}",
                f"reserve: 10.0.1.11 on the network 'lab' for {M2}",
            ],
        ),
        # a run that was killed stored it, and went no further
        (
            replace(MINE, live=lab().live),
            holding(end=11, name="web"),
            ["reserve: 10.0.1.11 on the network 'lab', which runs without it"],
        ),
    ],
)
def test_what_is_said(state: NetworkState, wanted: Holding, sentences: list[str]) -> None:
    change = plan(state, wanted)
    assert sorted(said(change)) == sorted(sentences)
    assert change is not None
    assert {owner for owner, _action, _reason in change.actions} == {("web", wanted.mac)}


@pytest.mark.parametrize(
    "wanted",
    [holding(), holding(end=11, name="web"), holding(network="other", running="lab"), holding(M2), holding(domain="db")],
)
def test_nothing_happens(wanted: Holding) -> None:
    assert plan(MINE, wanted, macs={"web": {M1}, "db": set()}) is None


def test_only_what_changes_is_said() -> None:
    change = plan(MINE, holding(end=11, name="web"), holding(M2, 12, domain="db"))
    assert change is not None
    assert change.actions == [(("db", M2), "reserve", f"10.0.1.12 on the network 'lab' for {M2}")]
    assert change.then == [LiveChange("add", "10.0.1.1", {"mac": M2, "ip": "10.0.1.12"})]


def test_an_address_goes_from_guest_to_guest_with_the_nics_address() -> None:
    gone = holding(domain="web", network=None, present=False)
    for holdings in ([holding(M1, 11, "web", domain="db"), gone], [gone, holding(M1, 11, "web", domain="db")]):
        change = plan(MINE, *holdings)
        assert change is not None
        assert change.actions == [(("db", M1), "reserve", "10.0.1.11 on the network 'lab' is this NIC's now")]
        assert read_claims(change.stored) == [claim(M1, 11, "db")]
        assert (change.first, change.then) == ([], [])


def test_what_stays_somebody_elses_is_not_said_to_be_the_nics() -> None:
    change = plan(lab(host(M1, 11)), holding(end=11), holding(M2, 12, domain="db"))
    assert change is not None
    assert [action[0] for action in change.actions] == [("db", M2)]


def test_a_network_that_is_not_stored_is_passed_over() -> None:
    alone = replace(network("alone", CONTENT.format("", "")), stored=None)
    changes = plan_reservations({"alone": alone, "lab": lab()}, [holding(end=11)], {"web": {M1}})
    assert [change.name for change in changes] == ["lab"]


def test_what_somebody_else_reserved_for_the_nic_stays_his() -> None:
    theirs = lab(host(M1, 11))
    assert plan(theirs, holding(end=11)) is None
    # and stays when the NIC goes
    assert plan(theirs, holding(network=None, present=False)) is None
    # another address for the same NIC would be two
    assert refusal(RefusedError, theirs, holding(end=12)) == (
        f"reservation: the network 'lab' has a reservation for {M1} that no task of a NIC made ({M1} 10.0.1.11); remove it "
        "there, or leave the reservation out here."
    )


def test_a_claim_without_an_entry_is_removed() -> None:
    state = lab(host(M1, 12), "", claim(M1, 11))
    change = plan(state, holding(network=None, present=False))
    assert change is not None
    assert read_claims(change.stored) == []
    # what somebody made of it since is his
    assert change.stored["ips"] == (state.stored or {})["ips"]
    assert (change.first, change.then) == ([], [])


def test_what_is_left_of_a_nic_that_went_unnoticed_is_removed() -> None:
    state = lab(host(M1, 11) + host(M2, 12), "", claim(M1, 11), claim(M2, 12))
    change = plan(state, holding(M1), macs={"web": {M1}})
    assert said(change) == ["release: 10.0.1.12 on the network 'lab', the NIC is gone"]


def test_the_lease_of_an_address_stays_and_the_name_where_nothing_is_said() -> None:
    state = lab(f"<host mac='{M1}' name='web' ip='10.0.1.11'><lease expiry='2' unit='hours'/></host>", "", claim(M1, 11))

    def hosts(wanted: Holding) -> list[Host]:
        change = plan(state, wanted)
        assert change is not None
        found: list[Host] = change.stored["ips"][0]["dhcp"]["hosts"]
        return found

    lease = {"lease": {"expiry": 2, "unit": "hours"}}
    assert hosts(holding(M2, former=frozenset({M1}))) == [{"mac": M2, "name": "web", "ip": "10.0.1.11", **lease}]
    assert hosts(holding(M1, 11, "db")) == [{"mac": M1, "name": "db", "ip": "10.0.1.11", **lease}]
    assert hosts(holding(M1, 11)) == [{"mac": M1, "ip": "10.0.1.11", **lease}]
    assert hosts(holding(M1, 12, "web")) == [{"mac": M1, "name": "web", "ip": "10.0.1.12"}]


def test_an_identifier_that_is_not_made_of_the_address_stays_with_the_nic() -> None:
    for before, after in ((duid_of(M1), duid_of(M2)), ("00:02:00:00:ab:11:01", "00:02:00:00:ab:11:01")):
        state = lab("", f"<host id='{before}' ip='fd01::11'/>", Claim("web", M1, before, "fd01::11"))
        change = plan(state, holding(M2, former=frozenset({M1})))
        assert change is not None
        assert change.stored["ips"][1]["dhcp"]["hosts"] == [{"id": after, "ip": "fd01::11"}]
        assert read_claims(change.stored) == [Claim("web", M2, after, "fd01::11")]


# --- what runs ----------------------------------------------------------------------------------------------------------------


def test_a_network_that_is_off_is_stored_alone() -> None:
    change = plan(lab(active=False), holding(end=11))
    assert change is not None
    assert (change.first, change.then, change.warnings) == ([], [], [])
    assert not change.is_empty


def test_what_runs_is_changed_as_what_is_stored() -> None:
    change = plan(MINE, holding(end=12))
    assert change is not None
    assert change.then == [LiveChange("modify", "10.0.1.1", {"mac": M1, "ip": "10.0.1.12"})]


def test_a_subnet_that_does_not_run_yet_is_a_warning() -> None:
    old = network("lab", "<forward mode='nat'/><bridge name='virbr5'/><ip address='10.9.9.1' prefix='24'/>")
    change = plan(replace(lab(), live=old.live), holding(end=11))
    assert change is not None
    assert change.warnings == [
        "The network 'lab' runs without the subnet of 10.0.1.11: the reservation takes effect when the network is started anew."
    ]
    assert change.then == []


def test_what_only_runs_is_not_overwritten() -> None:
    state = replace(lab(), live=lab(host(M9, 11)).stored)
    assert refusal(RefusedError, state, holding(end=11)) == (
        f"reservation: the running network 'lab' has an entry in the way of 10.0.1.11 that is not stored ({M9} 10.0.1.11); "
        "remove it with 'virsh net-update lab delete ip-dhcp-host', or start the network anew."
    )


# --- refusals -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (
            holding(end=19),
            f"reservation: 10.0.1.19 is reserved for another one on the network 'lab' ({M9} printer 10.0.1.19); choose another "
            "address, or remove that reservation.",
        ),
        (
            holding(end=11, name="printer"),
            f"reservation.hostname: 'printer' is the name of another reservation on the network 'lab' ({M9} printer 10.0.1.19); "
            "choose another name.",
        ),
    ],
)
def test_what_others_have_is_refused(wanted: Holding, message: str) -> None:
    assert refusal(RefusedError, lab(host(M9, 19, "printer")), wanted) == message


def test_what_another_nic_of_the_task_gets_is_refused() -> None:
    assert "10.0.1.11 is reserved for another one" in refusal(RefusedError, lab(), holding(M1, 11), holding(M2, 11, domain="db"))


def test_two_addresses_of_a_guest_have_one_name() -> None:
    both = Reservation(ipv4="10.0.1.11", ipv6="fd01::11", hostname="web")
    change = plan(lab(), holding(reservation=both))
    assert change is not None
    assert [step.host["name"] for step in change.then] == ["web", "web"]
    # and one of them can change
    later = replace(lab(), stored=change.stored, live=change.stored)
    change = plan(later, holding(reservation=replace(both, ipv4="10.0.1.12")))
    assert change is not None
    assert [step.verb for step in change.first + change.then] == ["modify"]


def test_an_address_whose_subnet_the_network_has_lost_is_said() -> None:
    state = lab(host(M1, 11), "", claim(M1, 11))
    stored = {**(state.stored or {}), "ips": [{"address": "10.9.9.1", "prefix": 24}]}
    assert refusal(InputError, replace(state, stored=stored, live=None), holding(M2, former=frozenset({M1}))) == (
        f"reservation: 10.0.1.11 of {M2} is in no subnet of the network 'lab'; give it another."
    )


def test_what_the_network_cannot_have_is_said() -> None:
    message = refusal(InputError, lab(), holding(end=255))
    assert message.startswith("reservation: the network 'lab' cannot have it. ")
    assert "10.0.1.255" in message


# --- whose an entry is --------------------------------------------------------------------------------------------------------


def test_what_is_reserved_for_a_nic() -> None:
    state = lab(
        host(M1, 11) + host(M9, 19),
        f"<host id='{duid_of(M1)}' ip='fd01::11'/><host id='00:02:00:00:ab:11:01' ip='fd01::12'/>",
        Claim("web", M1, "00:02:00:00:ab:11:01", "fd01::12"),
    )
    definition = state.stored or {}
    for domain, mac, reserved in (
        ("web", M1, {"10.0.1.11", "fd01::11", "fd01::12"}),
        # the claim is that of the guest
        ("db", M1, {"10.0.1.11", "fd01::11"}),
        ("web", M9, {"10.0.1.19"}),
    ):
        assert {each["ip"] for each in reserved_for(definition, domain, mac)} == reserved
    assert reserved_for({"name": "lab"}, "web", M1) == []
