# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""One plan over all NICs of a task, refused as a whole if a part of it cannot be."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Host, Link
from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, NetworkError, RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._network.mark import Claim, read_claims, with_claims
from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState
from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import GuestState, NicState
from ansible_collections.kvmops.network.plugins.module_utils._nic.joint_plan import JointPlan, make_joint_plan
from ansible_collections.kvmops.network.plugins.module_utils._nic.mac import make_mac
from ansible_collections.kvmops.network.plugins.module_utils._nic.request import NicRequest
from ansible_collections.kvmops.network.plugins.module_utils._nic.reservation import Reservation
from ansible_collections.kvmops.network.plugins.module_utils._problems import Problems
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nic.builders import (
    NETWORKS,
    both,
    guest,
    live,
    network,
    on,
    request,
    stored,
)

if t.TYPE_CHECKING:
    Definition = dict[str, t.Any]

MACHINE = "0123456789abcdef0123456789abcdef"
M1, M2, M3, M4, M9 = (f"52:54:00:00:00:0{number}" for number in (1, 2, 3, 4, 9))
HOSTDEV = {"type": "hostdev", "mac": M4}
LAB = """
<forward mode='nat'/><bridge name='virbr5'/><mac address='52:54:00:00:00:05'/>
<ip address='10.0.1.1' prefix='24'>{}</ip><ip family='ipv6' address='fd01::1' prefix='64'/>
"""


def lab(*hosts: tuple[str, str], claims: tuple[Claim, ...] = (), name: str = "lab") -> NetworkState:
    """Return a network with reservations: MAC addresses and ends of addresses."""
    entries = "".join(f"<host mac='{mac}' ip='10.0.1.{end}'/>" for mac, end in hosts)
    state = network(name, LAB.format(f"<dhcp>{entries}</dhcp>" if entries else ""))
    assert state.stored is not None
    definition = with_claims(state.stored, claims)
    return replace(state, stored=definition, live=definition)


@dataclass
class HandMade:
    """What a survey would have read."""

    everybody: list[GuestState]
    networks: dict[str, NetworkState] = field(default_factory=lambda: dict(NETWORKS))
    host: Host | None = None
    filters: list[str] | None = None
    version: str = "11.3.0"
    machine_id: str = MACHINE
    local: bool = True
    leased: dict[str, list[Definition]] = field(default_factory=dict)

    def leases(self, network: str) -> list[Definition]:
        return self.leased.get(network, [])

    def guest(self, name: str) -> GuestState:
        found = [each for each in self.everybody if each.name == name]
        if not found:
            raise InputError(f"domain: the guest '{name}' does not exist.")
        return found[0]

    @property
    def running_networks(self) -> dict[str, Definition]:
        return {name: state.live for name, state in self.networks.items() if state.live is not None}


def plan(survey: HandMade, *requests: NicRequest, prune: bool = False) -> JointPlan:
    return make_joint_plan(t.cast("t.Any", survey), requests, Problems(alone=False), prune=prune)


def refusal(survey: HandMade, *requests: NicRequest, kind: type[NetworkError] = InputError, prune: bool = False) -> str:
    with pytest.raises(kind) as caught:
        plan(survey, *requests, prune=prune)
    return str(caught.value)


def steps(found: JointPlan) -> list[list[str]]:
    """Return the actions for each NIC, in the order of the task."""
    return [[step.action for step in found.plan_of(place).steps] for place in found.order]


def off(*nics: NicState, name: str = "web") -> GuestState:
    return guest(*nics, name=name, running=False)


# --- several NICs -------------------------------------------------------------------------------------------------------------


def test_nothing_is_asked_for() -> None:
    assert plan(HandMade([])) == JointPlan()


def test_nics_of_several_guests_in_the_order_of_the_task() -> None:
    survey = HandMade([guest(both(on(mac=M1))), off(stored(on(mac=M2)), name="db")])
    found = plan(
        survey,
        request("db", mac=M2, link="down"),
        request("web", mac=M1, link="down"),
        request("db", source={"network": "isolated"}),
        request("web", mac=M9, state="absent"),
    )
    assert found.order == [("db", 0), ("web", 0), ("db", 1), ("web", 1)]
    assert steps(found) == [["define"], ["define", "update"], ["define"], []]
    assert list(found.guests) == ["db", "web"]
    assert [nic.shown.mac for nic in found.guests["db"].nics] == [
        M2,
        make_mac(machine_id=MACHINE, domain="db", nic="network isolated"),
    ]
    assert found.networks == []


def test_a_nic_is_found_by_the_name_that_its_address_was_made_of() -> None:
    made = make_mac(machine_id=MACHINE, domain="web", nic="lan")
    survey = HandMade([off(stored(on(mac=made)))])
    found = plan(survey, request(alias="lan", source={"network": "isolated"}))
    assert found.plan_of(("web", 0)).before is survey.everybody[0].nics[0]


def test_two_entries_about_one_nic_are_refused() -> None:
    survey = HandMade([off(stored(on(mac=M1, alias="lan")))])
    message = refusal(survey, request(mac=M1, link="down"), request(alias="lan", mtu=1400))
    assert message == (
        f"The NIC 'lan' of the guest 'web': nics: two entries are about the guest's NIC {M1}; leave one, or name two NICs by mac "
        "or alias."
    )
    assert refusal(survey, request(mac=M1), request(alias="lan", state="absent")) == message


def test_two_entries_that_would_make_one_nic_are_refused() -> None:
    made = make_mac(machine_id=MACHINE, domain="web", nic="network default")
    new = request(source={"network": "default"})
    assert refusal(HandMade([off()]), new, new) == (
        f"A NIC of the guest 'web': nics: two entries are about a NIC of the guest 'web' with the address {made}; leave one."
    )
    # under two names they are two
    found = plan(
        HandMade([off()]), request(alias="a", source={"network": "default"}), request(alias="b", source={"network": "default"})
    )
    assert len(found.guests["web"].nics) == 2
    # and so in two guests
    plan(HandMade([off(), off(name="db")]), new, request("db", source={"network": "default"}))


def test_what_is_wrong_is_said_of_all_at_once_and_nothing_is_planned() -> None:
    survey = HandMade([off(stored(on(mac=M1)), stored(on("isolated", mac=M2)))])
    message = refusal(
        survey,
        request("nobody", mac=M1),
        request(mac=M1, mtu=1),
        request(mac=M2, source={"network": "nosuch"}),
        request(mac=M9),
    )
    assert message == (
        f"The NIC '{M1}' of the guest 'nobody': domain: the guest 'nobody' does not exist. "
        f"The NIC '{M9}' of the guest 'web': source: missing; the guest 'web' has no such NIC, and the task does not say what a "
        "new one is plugged into. Add source.network, source.bridge or source.dev, or correct mac or alias. "
        f"The NIC '{M1}' of the guest 'web': mtu: '1' is not possible; choose a value from 68 to 65535 bytes. "
        f"The NIC '{M2}' of the guest 'web': source.network: the network 'nosuch' does not exist on this host; correct the name, "
        f"or make it first. There are: {', '.join(sorted(NETWORKS))}."
    )


# --- pruning ------------------------------------------------------------------------------------------------------------------


def test_pruning_removes_what_is_not_in_the_list() -> None:
    survey = HandMade(
        [
            guest(both(on(mac=M1)), both(on("isolated", mac=M2)), stored(HOSTDEV), live(on("groups", mac=M3))),
            off(stored(on(mac=M9)), name="db"),
        ]
    )
    found = plan(survey, request(mac=M1), prune=True)
    # the order of the task, then that of the guest; devices that are handed to it stay, and so do guests that are not named
    assert steps(found) == [[], ["define", "detach"], ["detach"]]
    assert found.order == [("web", 0), ("web", 1), ("web", 2)]
    assert str(found.plan_of(("web", 1)).steps[0]) == "define: the NIC is not in the list"
    assert [nic.shown.mac for nic in found.guests["web"].nics] == [M1, M4]
    assert "db" not in found.guests


def test_pruning_spares_what_is_in_the_list_as_absent_too() -> None:
    survey = HandMade([off(stored(on(mac=M1)), stored(on("isolated", mac=M2)))])
    found = plan(survey, request(mac=M1, state="absent"), request(mac=M2), prune=True)
    assert steps(found) == [["define"], []]


def test_nothing_is_pruned_without_being_asked_for() -> None:
    survey = HandMade([off(stored(on(mac=M1)), stored(on("isolated", mac=M2)))])
    assert steps(plan(survey, request(mac=M1))) == [[]]


def test_pruning_gives_reservations_back() -> None:
    survey = HandMade(
        [off(stored(on("lab", mac=M1)), stored(on("lab", mac=M2)))],
        networks={"lab": lab((M2, "12"), (M9, "19"), claims=(Claim("web", M2, M2, "10.0.1.12"),))},
    )
    found = plan(survey, request(mac=M1), prune=True)
    assert [str(step) for step in found.plan_of(("web", 1)).steps] == [
        "release: 10.0.1.12 on the network 'lab', the NIC is gone",
        "define: the NIC is not in the list",
    ]
    [change] = found.networks
    assert read_claims(change.stored) == []
    assert [host["mac"] for host in change.stored["ips"][0]["dhcp"]["hosts"]] == [M9]


# --- MAC addresses ------------------------------------------------------------------------------------------------------------

ETH0 = Host({"eth0": Link("eth0", M9, "", None, False, ()), "vnet0": Link("vnet0", "fe:54:00:00:00:01", "tun", None, False, ())})
NEW = {"source": {"network": "default"}}


@pytest.mark.parametrize(
    ("mac", "whose"),
    [
        (M2, "a NIC of the guest 'db' has"),
        (M3, "a NIC of the guest 'db' has"),
        ("52:54:00:00:00:05", "the network 'lab'"),
        (M9, "'eth0' on this host"),
    ],
)
def test_an_address_that_somebody_has_is_refused(mac: str, whose: str) -> None:
    changing = NicState(stored=stored(on(mac=M2)).stored, live=live(on(mac=M3)).live)
    survey = HandMade([off(stored(on(mac=M1))), guest(changing, name="db")], networks={**NETWORKS, "lab": lab()}, host=ETH0)
    start = f"The NIC '{mac}' of the guest 'web': mac: '{mac}' is the address "
    for one in (request(mac=mac, **NEW), request(mac=mac, alias="new", **NEW)):
        message = refusal(survey, one, kind=RefusedError)
        assert message.replace("The NIC 'new'", f"The NIC '{mac}'").startswith(start)
        assert whose in message
        assert message.endswith("; give another one.")
    # the address of one's own
    plan(survey, request(mac=M1, link="down"))


def test_an_address_that_another_nic_of_the_guest_has_is_refused() -> None:
    survey = HandMade([off(stored(on(mac=M1)), stored(on("isolated", alias="lan", mac=M2)))])
    plan(survey, request(alias="lan", mac=M9))
    made = make_mac(machine_id=MACHINE, domain="web", nic="wan")
    survey = HandMade([off(stored(on(mac=made, alias="lan")))])
    assert refusal(survey, request(alias="wan", **NEW), kind=RefusedError) == (
        f"The NIC 'wan' of the guest 'web': mac: '{made}' is the address that another NIC of this guest has; give another one."
    )


def test_an_address_that_becomes_free_in_the_same_task_may_be_given() -> None:
    survey = HandMade([off(stored(on(mac=M1))), off(stored(on(mac=M2)), name="db")])
    found = plan(survey, request("db", mac=M2, state="absent"), request(mac=M2, source={"network": "isolated"}))
    assert steps(found) == [["define"], ["define"]]
    # also by pruning
    found = plan(survey, request("db", mac=M3, **NEW), request(mac=M2, source={"network": "isolated"}), prune=True)
    assert steps(found) == [["define"], ["define"], ["define"], ["define"]]


def test_addresses_can_be_swapped_between_guests_that_are_off() -> None:
    survey = HandMade([off(stored(on(mac=M1, alias="a"))), off(stored(on(mac=M2, alias="b")), name="db")])
    assert steps(plan(survey, request(alias="a", mac=M2), request("db", alias="b", mac=M1))) == [["define"], ["define"]]
    # while one runs with its old one, nobody else may have it
    survey.everybody[1] = guest(both(on(mac=M2, alias="b")), name="db")
    assert "mac: " in refusal(survey, request(alias="a", mac=M2), request("db", alias="b", mac=M1), kind=RefusedError)


def test_an_address_that_two_have_already_is_no_reason_to_refuse_something_else() -> None:
    survey = HandMade([off(stored(on(mac=M1))), off(stored(on(mac=M1)), name="db")])
    assert steps(plan(survey, request(mac=M1, link="down"))) == [["define"]]


# --- what the NICs of one guest share -----------------------------------------------------------------------------------------


def test_places_in_the_order_of_boot_can_be_swapped_and_not_shared() -> None:
    survey = HandMade([off(stored(on(mac=M1, boot={"order": 1})), stored(on("isolated", mac=M2, boot={"order": 2})))])
    plan(survey, request(mac=M1, boot={"order": 2}), request(mac=M2, boot={"order": 1}))
    assert refusal(survey, request(mac=M1, boot={"order": 2})) == (
        f"The NIC '{M1}' of the guest 'web': boot.order: 2 is the place of another device of the guest 'web'; choose another "
        "number."
    )
    plan(survey, request(mac=M1, boot={"order": 2}), request(mac=M2, state="absent"))


def test_names_are_not_shared() -> None:
    survey = HandMade([off(stored(on(mac=M1, alias="a")), stored(on("isolated", mac=M2, target={"dev": "tap0"})))])
    assert "alias: another NIC of the guest is called 'b' already" in refusal(
        survey, request(mac=M1, alias="b"), request(mac=M2, alias="b")
    )
    assert "target.dev: another NIC of the guest has 'tap0' already" in refusal(survey, request(mac=M1, target={"dev": "tap0"}))
    plan(survey, request(mac=M1, alias="b"), request(mac=M2, alias="c"))


def test_what_was_wrong_before_is_no_reason_to_refuse_something_else() -> None:
    odd = on("nosuch", mac=M1, mtu=1, filterref={"filter": "none"})
    survey = HandMade([off(stored(odd))], filters=["clean-traffic"])
    assert steps(plan(survey, request(mac=M1, link="down"))) == [["define"]]
    assert "mtu: '2'" in refusal(survey, request(mac=M1, mtu=2))


def test_what_the_hosts_libvirt_does_not_know_is_refused() -> None:
    survey = HandMade([off(stored(on(mac=M1)))], version="7.0.0")
    assert refusal(survey, request(mac=M1, driver={"rss": True})) == (
        f"The NIC '{M1}' of the guest 'web': driver.rss: needs libvirt 8.3.0 or later, and the libvirt of this host is 7.0.0; "
        "leave it out, or upgrade libvirt."
    )
    survey = HandMade([off(stored(on(mac=M1, driver={"rss": True})))], version="7.0.0")
    plan(survey, request(mac=M1, link="down"))


def test_what_keeps_a_guest_from_starting_is_a_warning() -> None:
    survey = HandMade([off()], networks={"lab": network("lab", "<bridge name='virbr5'/>", active=False)})
    assert plan(survey, request(mac=M1, source={"network": "lab"})).warnings == [
        "The network 'lab' does not run: the guest cannot start before it does."
    ]
    survey.everybody = [guest()]
    assert "does not run, and the guest does" in refusal(survey, request(mac=M1, source={"network": "lab"}))


# --- reservations -------------------------------------------------------------------------------------------------------------


def reserving(mac: str, end: int, domain: str = "web", **more: t.Any) -> NicRequest:
    return request(domain, mac=mac, reservation=Reservation(ipv4=f"10.0.1.{end}"), **more)


def test_a_reservation_is_made_before_the_nic_comes() -> None:
    survey = HandMade([guest()], networks={"lab": lab()})
    found = plan(survey, reserving(M1, 11, source={"network": "lab"}))
    assert [str(step) for step in found.plan_of(("web", 0)).steps] == [
        f"reserve: 10.0.1.11 on the network 'lab' for {M1}",
        "define: the NIC is not in the guest's definition",
        "attach: the guest runs without the NIC",
    ]
    [change] = found.networks
    assert read_claims(change.stored) == [Claim("web", M1, M1, "10.0.1.11")]


def test_who_has_a_reserved_address_is_named_unless_it_goes_with_its_nic() -> None:
    leased = {"lab": [{"mac": M2, "ip": "10.0.1.11", "expires": 0}]}
    survey = HandMade([guest(both(on("lab", mac=M2)))], networks={"lab": lab()}, leased=leased)
    wanted = reserving(M1, 11, alias="lan", source={"network": "lab"})
    [warning] = plan(survey, wanted).warnings
    assert warning.startswith(
        f"10.0.1.11 is leased to {M2} on the network 'lab' until it is taken away, and the guest 'web' does"
    )
    assert plan(survey, wanted, request(mac=M2, state="absent")).warnings == []
    assert plan(survey, wanted, prune=True).warnings == []
    # of another machine's networks nobody can have leases forgotten
    survey.local = False
    assert plan(survey, wanted, prune=True).warnings == [warning]


def test_two_guests_swap_their_addresses_in_one_task() -> None:
    claims = (Claim("web", M1, M1, "10.0.1.11"), Claim("db", M2, M2, "10.0.1.12"))
    survey = HandMade(
        [off(stored(on("lab", mac=M1))), off(stored(on("lab", mac=M2)), name="db")],
        networks={"lab": lab((M1, "11"), (M2, "12"), claims=claims)},
    )
    found = plan(survey, reserving(M1, 12), reserving(M2, 11, "db"))
    assert [[str(step) for step in found.plan_of(place).steps] for place in found.order] == [
        [
            f"reserve: 10.0.1.12 on the network 'lab' for {M1}",
            f"release: 10.0.1.11 on the network 'lab', no longer for {M1}",
        ],
        [
            f"reserve: 10.0.1.11 on the network 'lab' for {M2}",
            f"release: 10.0.1.12 on the network 'lab', no longer for {M2}",
        ],
    ]


@pytest.mark.parametrize(
    ("network_name", "problem"),
    [
        (
            "lab",
            "10.0.2.9 is in no subnet of the network 'lab', whose subnets are: 10.0.1.0/24, fd01::/64; choose an address there.",
        ),
        (
            "hostbridge",
            "the network 'hostbridge' is of mode 'bridge', and its guests get their addresses from somebody else's DHCP server; "
            "leave the reservation out, and make it there.",
        ),
    ],
)
def test_a_reservation_that_cannot_be_is_said_of_its_nic(network_name: str, problem: str) -> None:
    survey = HandMade(
        [off(stored(on("lab", mac=M1))), off(stored(on(network_name, mac=M2)), name="db")], networks={**NETWORKS, "lab": lab()}
    )
    wrong = request("db", mac=M2, reservation=Reservation(ipv4="10.0.2.9"))
    assert refusal(survey, reserving(M1, 11), wrong) == f"The NIC '{M2}' of the guest 'db': reservation: {problem}"


def test_a_reservation_without_a_network_is_refused() -> None:
    survey = HandMade([off(stored({"type": "user", "mac": M1}))])
    assert "reservation: the NIC is on no network of libvirt's" in refusal(survey, reserving(M1, 11))


def test_a_reservation_on_a_network_that_is_not_stored_is_refused() -> None:
    survey = HandMade([off(stored(on("lab", mac=M1)))], networks={"lab": replace(lab(), stored=None)})
    assert "reservation: the network 'lab' is not stored, so that a reservation would be lost" in refusal(
        survey, reserving(M1, 11)
    )


def test_an_address_of_somebody_else_is_refused() -> None:
    survey = HandMade([off(stored(on("lab", mac=M1)))], networks={"lab": lab((M9, "11"))})
    assert (
        f"reservation: 10.0.1.11 is reserved for another one on the network 'lab' ({M9} 10.0.1.11); choose another address, or "
        "remove that reservation."
    ) in refusal(survey, reserving(M1, 11), kind=RefusedError)


def test_a_nic_that_moves_gives_its_reservation_back_and_one_that_only_changes_keeps_it() -> None:
    networks = {**NETWORKS, "lab": lab((M1, "11"), claims=(Claim("web", M1, M1, "10.0.1.11"),))}
    survey = HandMade([guest(both(on("lab", mac=M1)))], networks=networks)
    assert plan(survey, request(mac=M1, link="down")).networks == []
    found = plan(survey, request(mac=M1, source={"network": "default"}))
    assert str(found.plan_of(("web", 0)).steps[0]) == "release: 10.0.1.11 on the network 'lab', the NIC leaves it"
    # until it has left, it needs it
    found = plan(survey, request(mac=M1, source={"network": "macvtap"}))
    assert found.plan_of(("web", 0)).waits == ("place",)
    assert found.networks == []


def test_a_nic_of_another_guest_keeps_what_it_has() -> None:
    claims = (Claim("web", M1, M1, "10.0.1.11"), Claim("db", M2, M2, "10.0.1.12"))
    survey = HandMade(
        [off(stored(on("lab", mac=M1))), off(stored(on("lab", mac=M2)), name="db")],
        networks={"lab": lab((M1, "11"), (M2, "12"), claims=claims)},
    )
    [change] = plan(survey, request(mac=M1, state="absent")).networks
    assert read_claims(change.stored) == [claims[1]]


# --- what is there where a NIC goes -------------------------------------------------------------------------------------------

BR0 = Host({"br0": Link("br0", None, "bridge", None, False, ())})


@pytest.mark.parametrize("owner", [guest(), guest(both(on(mac=M1))), guest(both({"type": "user", "mac": M1}))])
def test_a_nic_that_runs_goes_only_where_something_runs(owner: GuestState) -> None:
    # also where it goes at the guest's next start only: it would be a surprise then
    networks = {**NETWORKS, "off": network("off", "<bridge name='virbr5'/>", active=False)}
    survey = HandMade([owner], networks=networks, host=BR0)
    assert "source.network: the network 'off' does not run, and the guest does" in refusal(
        survey, request(mac=M1, source={"network": "off"})
    )
    assert "source.bridge: 'br1' does not exist on this host; correct the name, or make it first. There are: br0." in refusal(
        survey, request(mac=M1, source={"bridge": "br1"})
    )
    plan(survey, request(mac=M1, source={"bridge": "br0"}))
    # of another machine nothing is known
    survey.host = None
    plan(survey, request(mac=M1, source={"bridge": "br1"}))


def test_what_changes_in_a_guest_that_is_not_stored_is_checked_too() -> None:
    survey = HandMade([guest(live(on(mac=M1)), persistent=False)])
    assert "bandwidth.inbound: peak 5 needs average" in refusal(survey, request(mac=M1, bandwidth={"inbound": {"peak": 5}}))


def test_what_is_missing_is_named_for_the_playbook() -> None:
    survey = HandMade([off()], filters=["clean-traffic"])
    for options, details in (
        ({"source": {"network": "nosuch"}}, {"missing_networks": ["nosuch"], "missing_filters": []}),
        (
            {"source": {"network": "nosuch"}, "filterref": {"filter": "coming"}},
            {"missing_networks": ["nosuch"], "missing_filters": ["coming"]},
        ),
        (
            {"filterref": {"filter": "coming"}, "source": {"network": "default"}},
            {"missing_networks": [], "missing_filters": ["coming"]},
        ),
        ({"source": {"network": "groups", "portgroup": "nosuch"}}, {}),
    ):
        with pytest.raises(InputError) as caught:
            make_joint_plan(t.cast("t.Any", survey), [request(mac=M1, **options)], Problems(alone=True), prune=False)
        assert caught.value.details == details


# --- names for NICs that have none --------------------------------------------------------------------------------------------


def test_a_name_is_given_to_the_nic_that_no_other_entry_is_about() -> None:
    survey = HandMade([off(stored(on(mac=M1)), stored(on(mac=M2)))])
    named = request(alias="lan", source={"network": "default"})
    for requests in ([named, request(mac=M1, link="down")], [request(mac=M1, link="down"), named]):
        found = plan(survey, *requests)
        plans = {nic.mac: [str(step) for step in nic.steps] for nic in found.guests["web"].plans}
        assert plans == {M1: ["define: link shall change"], M2: ["define: alias shall change"]}
    assert "alias: no NIC of the guest 'web' is called 'lan', and 2 without a name are on network default" in refusal(
        survey, named
    )


def test_of_two_names_one_goes_to_the_nic_without_one_and_the_other_to_a_new_one() -> None:
    survey = HandMade([off(stored(on(mac=M1)))])
    found = plan(survey, *(request(alias=name, source={"network": "default"}) for name in ("a", "b")))
    assert [nic.shown.alias for nic in found.guests["web"].nics] == ["a", "b"]
    assert found.guests["web"].nics[0].shown.mac == M1


def test_what_shall_be_absent_under_a_name_is_no_nic_without_one() -> None:
    survey = HandMade([off(stored(on(mac=M1)))])
    assert steps(plan(survey, request(alias="lan", source={"network": "default"}, state="absent"))) == [[]]
