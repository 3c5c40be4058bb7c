# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What has to be done so that a NIC is as a task wants it, and that a second run has nothing to do."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import Nic, normalise
from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import GuestState, NicState
from ansible_collections.kvmops.network.plugins.module_utils._nic.plan import (
    Networking,
    NicPlan,
    own_part,
    plan_absent,
    plan_present,
)
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nic.builders import (
    MAC,
    PLACE,
    RUNNING,
    both,
    guest,
    live,
    on,
    request,
    shown,
    stored,
)
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nic.strategies import definitions, wishes

if t.TYPE_CHECKING:
    Definition = dict[str, t.Any]

MADE = "52:54:00:11:22:33"
OTHER = "52:54:00:aa:00:09"
SLOW = {"inbound": {"average": 100, "peak": 200, "burst": 100}}


def plan(owner: GuestState, before: NicState | None, version: str = "11.3.0", **options: t.Any) -> NicPlan:
    """Plan a NIC of a guest."""
    networking = Networking(RUNNING if owner.running else {}, version)
    return plan_present(owner, before, request(owner.name, **options), made_mac=MADE, networking=networking)


def steps(found: NicPlan) -> list[str]:
    return [str(step) for step in found.steps]


def carried_out(owner: GuestState, found: NicPlan) -> GuestState:
    """Return the guest as it is after a plan, if libvirt does what it is told."""
    after = found.after
    assert after is not None
    running = after.live
    if running is not None and found.live_action is not None:
        running = replace(running, definition=shown(running.definition))
    return replace(owner, nics=(NicState(stored=after.stored, live=running),))


# --- a NIC that comes ---------------------------------------------------------------------------------------------------------


def test_a_nic_comes_to_a_guest_that_is_off() -> None:
    found = plan(guest(running=False), None, source={"network": "default"})
    assert steps(found) == ["define: the NIC is not in the guest's definition"]
    assert found.live_action is None
    assert found.defines
    assert found.after == stored(on(mac=MADE), address=None)
    assert (found.before, found.waits, found.mac) == (None, (), MADE)


def test_a_nic_comes_to_a_guest_that_runs() -> None:
    found = plan(guest(), None, source={"network": "default"}, mac=OTHER)
    assert steps(found) == ["define: the NIC is not in the guest's definition", "attach: the guest runs without the NIC"]
    assert found.live_action == "attach"
    assert found.after == NicState(stored=Nic(on(mac=OTHER)), live=Nic(on(mac=OTHER)))


def test_a_nic_comes_to_a_guest_that_is_not_stored() -> None:
    found = plan(guest(persistent=False), None, source={"network": "default"})
    assert steps(found) == ["attach: the guest runs without the NIC"]
    assert not found.defines
    assert found.after == NicState(live=Nic(on(mac=MADE)))


def test_a_nic_that_is_stored_is_plugged_in_where_it_was() -> None:
    found = plan(guest(), stored(on()), source={"network": "default"})
    assert steps(found) == ["attach: the guest runs without the NIC"]
    assert found.after == NicState(stored=Nic(on(), address=PLACE), live=Nic(on()))


def test_a_nic_that_only_runs_is_stored_where_it_is() -> None:
    found = plan(guest(), live(on()), source={"network": "default"})
    assert steps(found) == ["define: the NIC is plugged in only until the guest stops"]
    assert found.live_action is None
    assert found.after is not None
    assert found.after.stored == Nic(on(), address=PLACE)


@pytest.mark.parametrize(("persistent", "wanted"), [(True, {"define"}), (False, set())])
def test_of_a_nic_that_only_runs_nothing_is_stored_that_its_network_gives(persistent: bool, wanted: set[str]) -> None:
    groups = on("groups")
    found = plan(guest(persistent=persistent), live({**groups, "bandwidth": SLOW}), source={"network": "groups"})
    assert {step.action for step in found.steps} == wanted
    assert found.after is not None
    assert found.after.shown.definition == (groups if persistent else {**groups, "bandwidth": SLOW})
    # and it takes nothing of it along to another network
    moved = plan(guest(persistent=persistent), live({**groups, "bandwidth": SLOW}), source={"network": "default"}, mac=MAC)
    assert moved.after is not None
    assert moved.after.live is not None
    assert moved.after.live.definition == on()


def test_what_a_nic_has_itself_stays_its_own_where_its_network_gives_the_same() -> None:
    before = both(on("groups", bandwidth=SLOW))
    found = plan(guest(), before, link="down")
    assert found.after == both(on("groups", bandwidth=SLOW, link="down"))


# --- a NIC that is there ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [both(on()), stored(on())])
@pytest.mark.parametrize("options", [{}, {"mac": MAC}, {"source": {"network": "default"}}, {"link": "up"}, {"model": "virtio"}])
def test_a_nic_that_is_as_it_shall_be(before: NicState, options: Definition) -> None:
    owner = guest(before, running=before.live is not None)
    for replaced in (False, True):
        found = plan(owner, before, replace=replaced, **options)
        assert found == NicPlan("web", before, before)
        assert not found.defines


def test_a_nic_changes_while_the_guest_is_off() -> None:
    found = plan(guest(running=False), stored(on()), mtu=1400, alias="lan")
    assert steps(found) == ["define: alias, mtu shall change"]
    assert found.after == stored(on(mtu=1400, alias="lan"))


def test_a_nic_changes_while_the_guest_runs() -> None:
    found = plan(guest(), both(on()), link="down")
    assert steps(found) == ["define: link shall change", "update: link of the running NIC differs"]
    assert found.live_action == "update"
    assert found.after == both(on(link="down"))


def test_more_than_one_thing_changes_while_the_guest_runs() -> None:
    found = plan(guest(), both(on()), link="down", filterref={"filter": "clean-traffic"})
    assert steps(found)[1] == "update: filterref, link of the running NIC differ"


def test_what_cannot_change_while_the_guest_runs_waits() -> None:
    found = plan(guest(), both(on()), model="e1000e", mtu=1400)
    assert steps(found) == ["define: model, mtu shall change"]
    assert (found.live_action, found.waits) == (None, ("model", "mtu"))
    assert found.after == NicState(stored=both(on(model="e1000e", mtu=1400)).stored, live=both(on()).live)


def test_what_can_change_does_not_wait_for_what_cannot() -> None:
    found = plan(guest(), both(on()), model="e1000e", link="down")
    assert steps(found) == ["define: link, model shall change", "update: link of the running NIC differs"]
    assert (found.live_action, found.waits) == ("update", ("model",))
    assert found.after == NicState(stored=both(on(model="e1000e", link="down")).stored, live=both(on(link="down")).live)


def test_what_waits_is_said_again_and_nothing_is_done() -> None:
    waiting = NicState(stored=both(on(model="e1000e")).stored, live=both(on()).live)
    found = plan(guest(), waiting, model="e1000e")
    assert found == NicPlan("web", waiting, waiting, waits=("model",))


def test_a_nic_is_plugged_out_and_in_where_the_task_says_so() -> None:
    found = plan(guest(), both(on()), replug=True, model="e1000e", link="down")
    assert steps(found) == [
        "define: link, model shall change",
        "replug: model cannot change while the NIC is plugged in",
    ]
    assert (found.live_action, found.waits) == ("replug", ())
    assert found.after == both(on(model="e1000e", link="down"))


def test_a_nic_is_not_plugged_out_where_it_need_not() -> None:
    found = plan(guest(), both(on()), replug=True, link="down")
    assert found.live_action == "update"


def test_nothing_waits_for_the_next_start_of_a_guest_that_has_none() -> None:
    owner = guest(persistent=False)
    with pytest.raises(RefusedError) as caught:
        plan(owner, live(on()), model="e1000e")
    assert str(caught.value) == (
        "replug: libvirt cannot change model while the NIC is plugged in, and the guest 'web' is transient, so that there is no "
        "next start to wait for; say replug: always, which takes the guest's connection away for a moment."
    )
    assert plan(owner, live(on()), model="e1000e", replug=True).live_action == "replug"
    assert steps(plan(owner, live(on()), link="down")) == ["update: link of the running NIC differs"]


def test_an_address_is_changed_by_plugging_out_and_in() -> None:
    found = plan(guest(), both(on()), mac=OTHER)
    assert (found.live_action, found.waits) == (None, ("mac",))
    assert found.after is not None
    assert found.after.macs == {MAC, OTHER}
    assert plan(guest(), both(on()), mac=OTHER, replug=True).after == both(on(mac=OTHER))


def test_an_alias_is_stored_alone() -> None:
    found = plan(guest(), both(on()), alias="lan")
    assert steps(found) == ["define: alias shall change"]
    assert found.waits == ()


def test_what_runs_is_brought_to_what_is_stored() -> None:
    before = NicState(stored=both(on(link="down")).stored, live=both(on()).live)
    found = plan(guest(), before, link="down")
    assert steps(found) == ["update: link of the running NIC differs"]
    assert found.after == both(on(link="down"))


# --- another place ------------------------------------------------------------------------------------------------------------


def test_a_nic_moves_to_another_network() -> None:
    found = plan(guest(), both(on()), source={"network": "hostbridge"})
    assert steps(found) == ["define: source shall change", "update: place of the running NIC differs"]
    assert found.after == both(on("hostbridge"))


def test_a_nic_leaves_what_its_network_gave_it() -> None:
    before = NicState(stored=both(on("groups")).stored, live=both({**on("groups"), "bandwidth": SLOW}).live)
    found = plan(guest(), before, source={"network": "default"})
    assert steps(found)[1] == "update: bandwidth, place of the running NIC differ"
    assert found.after == both(on())
    # libvirt 7.0 crashes when all of its bandwidth goes
    found = plan(guest(), before, version="7.0.0", source={"network": "default"}, link="down")
    assert (found.live_action, found.waits) == ("update", ("bandwidth", "place"))
    assert found.after is not None
    assert found.after.live is not None
    assert found.after.live.definition == on("groups", link="down")


def test_what_libvirt_is_told_of_a_nic_has_nothing_of_what_its_network_gives() -> None:
    before = NicState(stored=both(on("groups")).stored, live=both({**on("groups"), "bandwidth": SLOW}).live)
    found = plan(guest(), before, link="down")
    assert found.after is not None
    assert found.after.live is not None
    assert found.after.live.definition == on("groups", link="down")


def test_the_own_part_of_a_running_nic() -> None:
    networking = Networking(RUNNING, "11.3.0")
    running = {**on("groups", link="down"), "bandwidth": SLOW}
    assert own_part(running, on(), networking) == on("groups", link="down")
    # what is wanted of the NIC itself is its own, also where the network gives the same
    assert own_part(running, on("groups", bandwidth=SLOW), networking) == running
    # and so is what the network does not give
    own = on("groups", bandwidth={"inbound": {"average": 7}})
    assert own_part(own, on(), networking) == own
    port = {"virtualport": {"type": "openvswitch", "parameters": {"interfaceid": "ea8bd0ba-cd8d-482c-b79b-b80701bb0fad"}}}
    assert own_part({**on("switch"), **port}, on(), networking) == on("switch")


def test_to_a_macvtap_a_nic_is_moved_by_plugging_out_and_in() -> None:
    found = plan(guest(), both(on()), source={"dev": "eth1"})
    assert (found.live_action, found.waits) == (None, ("place",))
    found = plan(guest(), both(on()), source={"dev": "eth1"}, replug=True)
    assert steps(found)[1] == "replug: place cannot change while the NIC is plugged in"
    assert found.after == both(normalise({**on(), "type": "direct", "source": {"dev": "eth1", "mode": "bridge"}}))


# --- virtual ports ------------------------------------------------------------------------------------------------------------


def test_what_is_stored_and_what_is_plugged_in_is_one_virtual_port() -> None:
    found = plan(guest(), None, source={"bridge": "br0"}, virtualport={"type": "openvswitch"})
    assert found.after is not None
    assert found.after.stored is not None
    assert found.after.live is not None
    port = found.after.stored.definition["virtualport"]
    assert port == found.after.live.definition["virtualport"]
    assert set(port["parameters"]) == {"interfaceid"}


# --- a NIC that goes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "actions", "live_action"),
    [
        (None, [], None),
        (stored(on()), ["define"], None),
        (live(on()), ["detach"], "detach"),
        (both(on()), ["define", "detach"], "detach"),
    ],
)
def test_a_nic_goes(before: NicState | None, actions: list[str], live_action: str | None) -> None:
    found = plan_absent(guest(), before, "because")
    assert steps(found) == [f"{action}: because" for action in actions]
    assert (found.before, found.after, found.live_action, found.waits) == (before, None, live_action, ())
    assert found.mac == (MAC if before is not None else "")


# --- refusals -----------------------------------------------------------------------------------------------------------------


def refusal(owner: GuestState, before: NicState | None, **options: t.Any) -> str:
    with pytest.raises(InputError) as caught:
        plan(owner, before, **options)
    return str(caught.value)


def test_a_new_nic_needs_a_place() -> None:
    for options in ({"mac": OTHER}, {"alias": "lan"}, {"mac": OTHER, "source": {"portgroup": "p"}}):
        assert refusal(guest(), None, **options) == (
            "source: missing; the guest 'web' has no such NIC, and the task does not say what a new one is plugged into. Add "
            "source.network, source.bridge or source.dev, or correct mac or alias."
        )


@pytest.mark.parametrize(("kind", "option"), [("network", "network"), ("bridge", "bridge"), ("direct", "dev")])
def test_a_type_without_its_place_is_refused(kind: str, option: str) -> None:
    said = f"source.{option}: missing for a NIC of type '{kind}'; add it."
    assert refusal(guest(), None, type=kind, mac=OTHER) == said
    if kind != "network":
        assert refusal(guest(), both(on()), type=kind) == said


def test_a_made_up_address_that_another_nic_has_is_refused() -> None:
    twin = both(on("groups", mac=MADE))
    assert refusal(guest(twin), None, source={"network": "default"}) == (
        f"mac: a NIC on network default would get {MADE}, which the guest's NIC on network groups has; name the one that is "
        "meant by mac or alias."
    )
    assert plan(guest(twin), None, source={"network": "default"}, mac=OTHER).mac == OTHER


# --- any NIC, any wish --------------------------------------------------------------------------------------------------------

_versions = st.sampled_from(["7.0.0", "9.0.0", "10.6.0", "11.3.0"])


@st.composite
def guests(draw: st.DrawFn) -> GuestState:
    """Draw a guest with one NIC: stored, running, or both, and then perhaps not the same."""
    definition = draw(definitions())
    persistent, running = draw(st.sampled_from([(True, True), (True, False), (False, True)]))
    states = draw(st.sampled_from([("stored", "live"), ("stored",), ("live",)])) if persistent and running else None
    keep = states or (("stored",) if persistent else ("live",))
    runs = {
        **definition,
        **draw(st.sampled_from([{}, {"link": "down"}, {"model": "rtl8139"}, {"source": {"network": "default"}}])),
    }
    if runs.get("type") != "network":
        runs["source"] = definition.get("source", {})
    nic = NicState(
        stored=Nic(definition, address=PLACE) if "stored" in keep else None,
        live=Nic(shown(normalise(runs)), address=PLACE, device="vnet0", handle="net0") if "live" in keep else None,
    )
    return guest(nic, persistent=persistent, running=running)


def attempt(owner: GuestState, version: str, said: Definition, **more: t.Any) -> NicPlan | None:
    try:
        return plan(owner, owner.nics[0], version, **said, **more)
    except (InputError, RefusedError):
        return None


@given(guests(), wishes(), _versions, st.booleans(), st.booleans())
def test_a_second_run_does_nothing(owner: GuestState, said: Definition, version: str, replaced: bool, replug: bool) -> None:
    first = attempt(owner, version, said, replace=replaced, replug=replug)
    if first is None:
        return
    second = attempt(carried_out(owner, first), version, said, replace=replaced, replug=replug)
    assert second is not None
    assert steps(second) == []
    assert second.live_action is None
    assert second.waits == first.waits
    assert second.after == second.before


@given(guests(), wishes(), _versions, st.booleans())
def test_where_a_nic_may_be_plugged_out_and_in_nothing_waits(
    owner: GuestState, said: Definition, version: str, replaced: bool
) -> None:
    found = attempt(owner, version, said, replace=replaced, replug=True)
    if found is not None:
        assert found.waits == ()
        after = carried_out(owner, found).nics[0]
        wanted = after.stored or after.live
        assert wanted is not None
        assert after.live is None or after.live.definition.get("mac") == wanted.mac


@given(guests(), wishes(), _versions, st.booleans(), st.booleans())
def test_each_thing_that_is_done_is_a_step(
    owner: GuestState, said: Definition, version: str, replaced: bool, replug: bool
) -> None:
    found = attempt(owner, version, said, replace=replaced, replug=replug)
    if found is None:
        return
    before, after = found.before, found.after
    assert before is not None
    assert after is not None
    actions = [step.action for step in found.steps]
    assert len(actions) == len(set(actions))
    assert ("define" in actions) == (before.stored != after.stored)
    assert [action for action in actions if action != "define"] == ([found.live_action] if found.live_action else [])
    # what is not persistent is not made so, what is off is not plugged in
    assert (after.stored is not None) == owner.persistent
    assert (after.live is not None) == owner.running
    assert not (found.waits and found.live_action in ("replug", "attach"))
    assert not (found.waits and not owner.running)


@given(guests(), wishes(), _versions)
def test_in_check_mode_the_same_is_planned(owner: GuestState, said: Definition, version: str) -> None:
    text = str((owner, said))
    assert attempt(owner, version, said) == attempt(owner, version, said)
    assert str((owner, said)) == text
