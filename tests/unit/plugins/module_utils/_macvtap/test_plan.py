# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What is done, and in which order: who lets go, the files, who reads them, the interface, who follows."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._errors import RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.commands import Removal
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.host import Host, Parent
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.keeping import BACKENDS
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.plan import Plan, link_changes, make_plan
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.request import Tap
from ansible_collections.kvmops.network.plugins.module_utils._nic.mac import make_mac
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._bridge.builders import address
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._macvtap.builders import (
    ADDITION,
    HEARS,
    MAC,
    MACHINE_ID,
    MANAGER,
    NETDEV,
    NETWORK,
    NETWORKD,
    OPENS,
    OURS,
    PROFILE,
    SERVICE,
    STARTS,
    eth,
    host,
    interface,
    on_eth1,
    request,
    tap_option,
)

UDEV = ("udevadm", "control", "--reload")
SYSTEMD = ("systemctl", "daemon-reload")
NETWORKCTL = ("networkctl", "reload")
LOAD = ("nmcli", "connection", "load", PROFILE)
GUEST = ("the guest web (process 7)",)
FORGET = BACKENDS["networkmanager"].release("mv0")


def plan(there: Host, *, tap_differs: bool = False, **options: t.Any) -> Plan:
    return make_plan(request(**{"mac": MAC, **options}), there, tap_differs=tap_differs)


def done(there: Host, found: Plan, *devices: t.Any, **more: t.Any) -> Host:
    """Return the host after the plan, with the links that it then has."""
    files = {**there.files, **{change.path: change.after for change in found.files}}
    return host(*devices, files=files, parent=there.parent, networkd=there.networkd, **more)


class TestNew:
    """Nothing is there yet."""

    def test_of_a_unit(self) -> None:
        found = plan(host())
        assert found.steps == [
            "make the macvtap mv0 on eth1, mode bridge",
            f"write {SERVICE}",
            f"write {STARTS}",
        ]
        assert found.changed
        assert (found.backend, found.release, found.reload, found.follow) == ("unit", (), (UDEV,), (SYSTEMD,))
        assert found.links.recreated == ()
        assert not found.tap_differs
        assert {(change.before, change.mode) for change in found.files} == {(None, 0o644)}

    def test_of_networkd(self) -> None:
        found = plan(host(parent=NETWORKD, networkd=257))
        assert [change.path for change in found.files] == [NETDEV, NETWORK, ADDITION]
        assert (found.backend, found.release, found.reload, found.follow) == ("networkd", (), (), (NETWORKCTL,))
        # it has to make it itself
        assert found.steps[0] == "make the macvtap mv0 on eth1, mode bridge"
        assert found.links.actions == []

    def test_of_network_manager(self) -> None:
        found = plan(host(parent=MANAGER))
        assert [(change.path, change.mode) for change in found.files] == [(PROFILE, 0o600), (HEARS, 0o644)]
        # it is made by us, and known to NetworkManager then
        assert (found.backend, found.release, found.reload, found.follow) == ("networkmanager", (), (UDEV,), (LOAD,))

    def test_of_a_unit_beside_networkd(self) -> None:
        found = plan(host(networkd=257))
        assert [change.path for change in found.files] == [SERVICE, STARTS, NETWORK]
        # it shall know that it leaves the interface alone before there is one
        assert (found.reload, found.follow) == ((UDEV, NETWORKCTL), (SYSTEMD,))

    def test_of_nothing_beside_networkd(self) -> None:
        found = plan(host(networkd=257), backend="none")
        assert [change.path for change in found.files] == [NETWORK]
        assert (found.reload, found.follow) == ((NETWORKCTL,), ())

    def test_kept_by_nothing(self) -> None:
        found = plan(host(), backend="none")
        assert found.steps == ["make the macvtap mv0 on eth1, mode bridge"]
        assert (found.backend, found.files, found.reload, found.follow) == ("none", (), (), ())

    def test_who_may_open_its_device_node(self) -> None:
        found = plan(host(), backend="none", tap=tap_option("qemu", "kvm", "0660"))
        assert found.tap == Tap("qemu", "kvm", 0o660)
        assert found.steps == ["make the macvtap mv0 on eth1, mode bridge", f"write {OPENS}"]
        assert found.reload == (UDEV,)

    def test_warnings_are_handed_on(self) -> None:
        assert plan(host(eth(up=False))).warnings == ("eth1 is down, and nothing passes mv0 until it is up.",)


class TestThere:
    """The interface is there."""

    @pytest.fixture(params=["unit", "networkd", "networkmanager", "none"])
    def made(self, request: pytest.FixtureRequest) -> Host:
        """Return a host on which a back end keeps mv0."""
        parent = {"networkd": NETWORKD, "networkmanager": MANAGER}.get(request.param, Parent())
        empty = host(parent=parent, networkd=257 if request.param == "networkd" else 0)
        first = plan(empty, backend=request.param)
        return done(empty, first, on_eth1(), owned=request.param == "networkmanager")

    def backend_of(self, there: Host) -> str:
        for name, backend in BACKENDS.items():
            if there.files.get(backend.owned_paths("mv0")[0]) is not None:
                return name
        return "none"

    def test_nothing_has_to_be_done(self, made: Host) -> None:
        found = plan(made, backend=self.backend_of(made))
        assert (found.steps, found.changed, found.links.actions) == ([], False, [])
        assert (found.release, found.reload, found.follow) == ((), (), ())

    def test_what_keeps_it_stays(self, made: Host) -> None:
        if self.backend_of(made) != "none":
            assert not plan(made).changed

    def test_something_is_changed_in_place(self, made: Host) -> None:
        name = self.backend_of(made)
        found = plan(made, backend=name, mtu=1400)
        assert found.steps[0] == "change the MTU from 1500 to 1400"
        assert all(step.startswith("write ") for step in found.steps[1:])
        assert found.release == ()
        assert found.follow == {"unit": (SYSTEMD,), "networkd": (NETWORKCTL,), "networkmanager": (LOAD,), "none": ()}[name]

    def test_it_is_made_anew(self, made: Host) -> None:
        name = self.backend_of(made)
        found = plan(made, backend=name, kind="macvlan")
        reason = "it is a macvtap and not a macvlan"
        assert found.links.recreated == (reason,)
        assert found.steps[0] == f"make mv0 anew as a macvlan on eth1, mode bridge: {reason}"
        assert found.links.actions[0] == Removal("mv0")
        # NetworkManager may know a profile whose file is gone
        assert list(found.release) == [*(BACKENDS["networkd"].release("mv0") if name == "networkd" else []), *FORGET]
        # what lets go removes its files, so that all are written again
        again = {"networkd": [NETDEV, NETWORK, ADDITION], "networkmanager": [PROFILE, HEARS], "unit": [SERVICE], "none": []}
        assert [change.path for change in found.files] == again[name]

    def test_it_goes(self, made: Host) -> None:
        name = self.backend_of(made)
        found = plan(made, state="absent")
        there = [path for path, content in made.files.items() if content is not None]
        assert found.steps == ["remove the macvtap mv0", *(f"remove {path}" for path in there)]
        assert found.links.actions == [Removal("mv0")]
        assert list(found.release) == [*(BACKENDS["networkd"].release("mv0") if name == "networkd" else []), *FORGET]
        assert (found.wanted, found.backend, found.tap) == (None, "none", None)
        assert found.reload == {"unit": (UDEV,), "networkmanager": (UDEV,), "networkd": (NETWORKCTL,)}.get(name, ())
        assert found.follow == ((SYSTEMD,) if name == "unit" else ())

    def test_a_guest_holds_it(self, made: Host) -> None:
        held = Host(**{**vars(made), "holders": GUEST})
        assert plan(held, backend=self.backend_of(made), mtu=1400).changed
        for options, sentence in (
            (
                {"state": "absent"},
                "mv0 is in use by the guest web (process 7), which would be cut off. Stop that first, or set force: true.",
            ),
            (
                {
                    "kind": "macvlan",
                    "parent": "eth1",
                    "queues": 2,
                    "backend": "unit" if self.backend_of(made) == "unit" else "none",
                },
                None,
            ),
        ):
            with pytest.raises(RefusedError) as caught:
                plan(held, **options)
            if sentence is not None:
                assert str(caught.value) == sentence
            assert plan(held, **options, force=True).changed


# found, asked for, what is said
CUTS: dict[str, tuple[dict[str, t.Any], dict[str, t.Any], str]] = {
    "MAC address": ({}, {"mac": "52:54:00:7a:00:02"}, "the MAC address becomes 52:54:00:7a:00:02"),
    "link": ({}, {"link": "down"}, "the link goes down"),
    "mode source": ({}, {"mode": "source"}, "frames from some come in no more"),
    "another source": (
        {"mode": "source", "details": {"macaddr_data": ["02:00:00:00:00:01"]}},
        {"mode": "source", "source_macs": ["02:00:00:00:00:02"]},
        "frames from some come in no more",
    ),
    "all at once": (
        {},
        {"mac": "52:54:00:7a:00:02", "link": "down", "mode": "source"},
        "the MAC address becomes 52:54:00:7a:00:02, the link goes down, frames from some come in no more",
    ),
}


@pytest.mark.parametrize("name", CUTS)
def test_a_guest_is_not_cut_off(name: str) -> None:
    there, asked, said = CUTS[name]
    options = {"backend": "none", **asked}
    held = host(on_eth1(**there), holders=GUEST)
    with pytest.raises(RefusedError) as caught:
        plan(held, **options)
    assert str(caught.value) == (
        f"mv0 is in use by the guest web (process 7), which would be cut off: {said}. Stop that first, or set force: true."
    )
    forced = plan(held, force=True, **options)
    assert forced.links.recreated == ()
    assert forced.steps == plan(host(on_eth1(**there)), **options).steps


@pytest.mark.parametrize(
    ("there", "asked"),
    [
        ({}, {"mode": "vepa"}),
        ({}, {"mtu": 1400}),
        ({"up": False}, {"link": "down", "mtu": 1400}),
        ({"up": False}, {}),
        ({"mode": "source"}, {"mode": "bridge"}),
        ({"mode": "source"}, {"mode": "source", "source_macs": ["02:00:00:00:00:01"]}),
        ({"mode": "source", "details": {"macaddr_data": ["02:00:00:00:00:01"]}}, {"mode": "vepa"}),
        ({"mode": "passthru"}, {"mode": "passthru", "mac": None, "flags": ["nopromisc"]}),
    ],
)
def test_what_cuts_nobody_off(there: dict[str, t.Any], asked: dict[str, t.Any]) -> None:
    assert plan(host(on_eth1(**there), holders=GUEST), backend="none", **asked).changed


class TestFilesOfOthers:
    """Files with the names of ours that begin otherwise."""

    def test_they_are_not_overwritten(self) -> None:
        there = host(files={SERVICE: b"[Unit]\n", OPENS: b"", STARTS: OURS})
        for options in ({}, {"backend": "none"}, {"backend": "networkd"}):
            with pytest.raises(RefusedError) as caught:
                plan(there, **options)
            assert str(caught.value) == (
                f"name: {SERVICE}, {OPENS} is there already, and this module did not write it. Choose another name, or remove it."
            )

    def test_they_stay_where_the_interface_goes(self) -> None:
        there = host(on_eth1(), files={SERVICE: b"[Unit]\n", STARTS: OURS, PROFILE: b"[connection]\n"})
        assert plan(there, state="absent").steps == ["remove the macvtap mv0", f"remove {STARTS}"]

    def test_nothing_else_is_there(self) -> None:
        found = plan(host(files={NETDEV: b"[NetDev]\nName=mv0\n"}, parent=NETWORKD, networkd=257), state="absent")
        assert (found.changed, found.release, found.reload, found.follow) == (False, (), (), ())


def test_the_reasons_are_said_where_a_guest_holds_it() -> None:
    with pytest.raises(RefusedError) as caught:
        plan(host(on_eth1(), holders=(*GUEST, "qemu (process 8)")), kind="macvlan", queues=2, backend="none")
    assert str(caught.value) == (
        "mv0 has to be made anew (it is a macvtap and not a macvlan, it has 1/1 queues and not 2/2), and it is in use by the "
        "guest web (process 7), qemu (process 8), which would be cut off. Stop that first, or set force: true."
    )


class TestFromOneToTheOther:
    """Another back end takes over."""

    @pytest.mark.parametrize("first", ["unit", "none"])
    def test_networkd_has_to_make_it_itself(self, first: str) -> None:
        empty = host(parent=NETWORKD, networkd=257)
        there = done(empty, plan(empty, backend=first), on_eth1())
        found = plan(there, backend="networkd")
        assert found.links.recreated == ("networkd has to make it itself",)
        assert found.links.actions == [Removal("mv0")]
        assert found.follow[-1] == NETWORKCTL
        with pytest.raises(RefusedError, match=r"anew \(networkd has to make it itself\), and it is in use by the guest web"):
            plan(Host(**{**vars(there), "holders": GUEST}), backend="networkd")

    def test_networkd_makes_it_again_where_somebody_removed_it(self) -> None:
        empty = host(parent=NETWORKD, networkd=257)
        found = plan(done(empty, plan(empty)))
        assert list(found.release) == BACKENDS["networkd"].release("mv0")
        assert [change.path for change in found.files] == [NETDEV, NETWORK, ADDITION]
        assert found.links.actions == []

    def test_from_networkd_to_a_unit(self) -> None:
        empty = host(parent=NETWORKD, networkd=257)
        found = plan(done(empty, plan(empty), on_eth1()), backend="unit")
        assert found.links.recreated == ()
        assert list(found.release) == BACKENDS["networkd"].release("mv0")
        assert [(change.path, change.after is None) for change in found.files] == [
            (NETDEV, True),
            (NETWORK, False),
            (ADDITION, True),
            (SERVICE, False),
            (STARTS, False),
        ]
        assert (found.reload, found.follow) == ((UDEV, NETWORKCTL), (SYSTEMD,))

    def test_from_a_unit_to_network_manager(self) -> None:
        empty = host(parent=MANAGER)
        found = plan(done(empty, plan(empty, backend="unit"), on_eth1()), backend="networkmanager")
        assert found.links.actions == []
        assert found.steps == [f"remove {SERVICE}", f"remove {STARTS}", f"write {PROFILE}", f"write {HEARS}"]
        assert found.follow == (SYSTEMD, LOAD)

    def test_what_network_manager_made_goes_with_its_profile(self) -> None:
        empty = host(parent=MANAGER)
        there = done(empty, plan(empty), on_eth1(), owned=True)
        found = plan(there, backend="unit")
        assert found.links.recreated == ("networkmanager made it",)
        assert [command[3] for command in found.release] == ["NetworkManager forgets mv0"]
        with pytest.raises(RefusedError, match=r"mv0 has to be made anew \(networkmanager made it\), and it is in use by"):
            plan(Host(**{**vars(there), "holders": GUEST}), backend="unit")

    def test_what_it_only_has_a_profile_for_stays(self) -> None:
        empty = host(parent=MANAGER)
        found = plan(done(empty, plan(empty), on_eth1(), owned=False), backend="unit")
        assert found.links.changes == ()
        assert [command[3] for command in found.release] == ["NetworkManager forgets mv0"]

    def test_new_addresses_are_put_in_force(self) -> None:
        empty = host(parent=MANAGER)
        there = done(empty, plan(empty), on_eth1(), owned=True)
        found = plan(there, addresses=["192.0.2.250/32"])
        assert [command[0] for command in found.follow] == ["nmcli", "sh"]
        assert found.follow[1][3] == "NetworkManager follows mv0"

    def test_of_a_new_one_they_are_there_already(self) -> None:
        found = plan(host(parent=MANAGER), addresses=["192.0.2.250/32"])
        assert found.follow == (LOAD,)

    def test_an_address_that_somebody_took_away(self) -> None:
        empty = host(parent=MANAGER)
        there = done(empty, plan(empty, addresses=["192.0.2.250/32"]), on_eth1(), owned=True)
        found = plan(there, addresses=["192.0.2.250/32"])
        assert found.files == ()
        assert [command[0] for command in found.follow] == ["nmcli", "sh"]


class TestTap:
    """Who may open the device node."""

    def test_it_is_given(self) -> None:
        found = plan(host(on_eth1()), backend="none", tap=tap_option("qemu", "kvm", "0660"), tap_differs=True)
        assert found.steps == [f"write {OPENS}", "give the device node to qemu:kvm, mode 0660"]
        assert found.tap_differs

    def test_it_is_taken_back(self) -> None:
        found = plan(host(on_eth1(), files={OPENS: OURS}), backend="none", tap_differs=True)
        assert found.steps == [f"remove {OPENS}", "give the device node to root:root, mode 0600"]

    def test_somebody_gave_it_to_another(self) -> None:
        there = host(on_eth1())
        first = plan(there, backend="none", tap=tap_option("qemu"))
        found = plan(done(there, first, on_eth1()), backend="none", tap=tap_option("qemu"), tap_differs=True)
        assert found.steps == ["give the device node to qemu:root, mode 0600"]
        assert found.changed

    def test_of_a_new_interface_it_is_no_step_of_its_own(self) -> None:
        found = plan(host(on_eth1()), backend="none", queues=2, tap=tap_option("qemu"), tap_differs=True)
        assert [step.split()[0] for step in found.steps] == ["make", "write"]
        assert not found.tap_differs


class TestRules:
    """They are asked before anything is planned."""

    def test_the_name_is_taken(self) -> None:
        for state in ("present", "absent"):
            with pytest.raises(RefusedError, match=r"^name: mv0 is an interface of the kind bridge on this host"):
                plan(host(eth("mv0", kind="bridge")), state=state)

    def test_the_parent_cannot_be(self) -> None:
        with pytest.raises(RefusedError, match=r"^parent: eth1 is a port of br0"):
            plan(host(eth(master="br0")))

    def test_the_kernel_would_not_take_it(self) -> None:
        with pytest.raises(RefusedError, match=r"^addresses: eth2 has 192\.0\.2\.7 already"):
            plan(host(eth("eth2", address("192.0.2.7/24"))), addresses=["192.0.2.7/32"])


def test_the_parent_is_compared_with_what_really_carries_it() -> None:
    # a macvtap on a macvtap stands on the NIC
    there = host(on_eth1(), on_eth1("mv1", mac="52:54:00:7a:00:09"))
    assert plan(there, parent="mv1", backend="none").changed is False


def test_its_own_address_stays() -> None:
    made = make_mac(machine_id=MACHINE_ID, domain="", nic="mv0")
    for mac in (made, "52:54:00:7a:00:09"):
        assert plan(host(on_eth1(mac=mac)), backend="none", mac=None).changed is False


def test_with_passthru_the_parents_address_is_its_own() -> None:
    assert (
        plan(host(on_eth1(mode="passthru", mac="52:54:00:00:00:01")), backend="none", mac=None, mode="passthru").changed is False
    )


def test_another_queue_on_the_same_parent_does_not_matter() -> None:
    # the kernel uses the longest of all
    details = {"bcqueuelen": 1000, "usedbcqueuelen": 5000}
    assert plan(host(on_eth1(details=details)), backend="none").changed is False


def test_a_file_that_was_changed_is_put_right() -> None:
    there = host()
    made = done(there, plan(there), on_eth1())
    changed = Host(**{**vars(made), "files": {**made.files, SERVICE: OURS}})
    [change] = plan(changed).files
    assert (change.path, change.before) == (SERVICE, OURS)
    assert plan(changed).steps == [f"write {SERVICE}"]


class TestBack:
    """link_changes, which also brings back what was there before."""

    def test_nothing_and_nothing(self) -> None:
        assert link_changes(None, None).changes == ()

    def test_gone(self) -> None:
        assert link_changes(interface(kind="macvlan"), None).changes[0].text == "remove the macvlan mv0"

    def test_made(self) -> None:
        [change] = link_changes(None, interface()).changes
        assert change.text == "make the macvtap mv0 on eth1, mode bridge"
        assert Removal("mv0") not in change.actions

    def test_a_reason_of_the_back_end(self) -> None:
        found = link_changes(interface(), interface(), managing=["networkmanager made it"])
        assert found.recreated == ("networkmanager made it",)
        assert found.actions[0] == Removal("mv0")
