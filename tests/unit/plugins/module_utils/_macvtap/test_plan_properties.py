# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""From anything to anything: on a model of the kernel each plan works, is enough, and can be taken back after each step."""

from __future__ import annotations

import copy
import fnmatch
import typing as t
from dataclasses import dataclass, field

import hypothesis
import pytest
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._errors import RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.commands import Removal
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.host import Host, Parent
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.interface import Interface, Ipv6
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.keeping import owned_patterns
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.plan import Plan, link_changes, make_plan
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.request import Request
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._macvtap.builders import MACHINE_ID
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._macvtap.strategies import MACS, SOURCES, options
from ansible_collections.kvmops.network.tests.unit.plugins.support.macvtap_kernel import (
    Kernel,
    KernelRoute,
    networkd_makes,
)

NAME = "mv0"
MANAGERS: list[tuple[str, ...]] = [(), ("networkd",), ("networkmanager",), ("networkd", "networkmanager")]


@dataclass
class World:
    """A host: its kernel, its files, and who manages its links."""

    kernel: Kernel
    managers: tuple[str, ...] = ()
    networkd: int = 0
    owned: bool = False
    holders: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    files: dict[str, bytes] = field(default_factory=dict)
    task: dict[str, t.Any] | None = None

    def host(self, parent: str = "eth1") -> Host:
        """Return the host as it is read, with what is known of a parent."""
        usual: dict[str, bytes | None] = {path: None for path in owned_patterns(NAME) if "*" not in path}
        return Host(
            links=self.kernel.read(),
            found=self.kernel.interface(NAME),
            parent=Parent(
                parent, self.managers, f"10-{parent}.network" if "networkd" in self.managers else "", foreign=self.foreign
            ),
            holders=self.holders,
            owned=self.owned,
            has_ipv6=self.kernel.has_ipv6,
            networkd=self.networkd,
            machine_id=MACHINE_ID,
            files={**usual, **self.files},
        )

    def plan(self, wanted: dict[str, t.Any]) -> Plan:
        """Return what a task does."""
        return make_plan(Request.from_options(wanted), self.host(wanted.get("parent", "eth1")), tap_differs=False)

    def apply(self, plan: Plan) -> None:
        """Do what is planned."""
        for command in plan.release:
            manager, _forgets, name = command[3].split()
            assert name == NAME
            lost = "/etc/NetworkManager/*" if manager == "NetworkManager" else "/etc/systemd/network/*"
            for path in [path for path in self.files if fnmatch.fnmatch(path, lost)]:
                del self.files[path]
            if manager == "NetworkManager" and self.owned:
                self.owned = False
                self.kernel.remove(NAME)
        for change in plan.files:
            self.files.pop(change.path, None)
            if change.after is not None:
                self.files[change.path] = change.after
        self._tell(plan.reload)
        self.kernel.carry_out(plan.links.actions)
        self._tell(plan.follow)

    def _tell(self, commands: t.Sequence[tuple[str, ...]]) -> None:
        if ("networkctl", "reload") in commands:
            networkd_makes(self.kernel, NAME, {path: content.decode() for path, content in self.files.items()})


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Return a host without the interface."""
    kernel = Kernel(promotes=draw(st.booleans()), shows_queue=draw(st.sampled_from([True, True, False])))
    kernel.add("eth1", mtu=draw(st.sampled_from([1500, 9000])), up=draw(st.booleans()))
    kernel.add("eth2", up=True)
    managers = draw(st.sampled_from(MANAGERS))
    version = draw(st.sampled_from([252, 257])) if "networkd" in managers else 0
    foreign = ("address replace 192.0.2.77/24 dev eth1",) if version and draw(st.integers(0, 3)) == 0 else ()
    return World(kernel, managers, version, foreign=foreign)


def possible(world: World, wanted: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the options as far as this host can do them; that others are refused is tested elsewhere."""
    parent = world.kernel.links[wanted["parent"]]
    mtu = wanted["mtu"]
    changed: dict[str, t.Any] = {"mtu": min(mtu, parent.mtu) if mtu is not None else None}
    if not world.kernel.shows_queue:
        changed["bcqueuelen"] = 1000
    return {**wanted, **changed}


def touch(draw: st.DrawFn, world: World) -> None:
    """Have somebody else change the interface."""
    link = world.kernel.links.get(NAME)
    if link is None:
        return
    if link.mode != "passthru" and draw(st.booleans()):
        mode = draw(st.sampled_from(["bridge", "vepa", "source"]))
        world.kernel.do(f"link set dev {NAME} type {link.kind} mode {mode}{draw(st.sampled_from(['', ' nodst']))}")
        if mode == "source":
            world.kernel.do(f"link set dev {NAME} type {link.kind} macaddr set {draw(st.sampled_from(SOURCES))}")
    if draw(st.booleans()):
        link.accept_ra = 1
    link.all_multicast = draw(st.booleans())
    what = draw(st.sampled_from(["", "", "down", "up", "ipv6", "address", "route", "mtu", "mac", "gone"]))
    if what in ("up", "down"):
        world.kernel.do(f"link set dev {NAME} {what}")
    elif what == "gone":
        world.kernel.remove(NAME)
    elif what == "ipv6" and world.kernel.ipv6_of(NAME) is not None:
        world.kernel.set(f"net/ipv6/conf/{NAME}/disable_ipv6", draw(st.sampled_from("01")))
    elif what == "address":
        world.kernel.do(f"address replace {draw(st.sampled_from(['192.0.2.3/24', '192.0.2.1/32']))} dev {NAME}")
    elif what == "route" and link.up and link.given(4):
        world.kernel.do(f"route replace 10.7.0.0/16 metric 3 dev {NAME}")
    elif what == "mtu":
        world.kernel.do(f"link set dev {NAME} mtu {draw(st.sampled_from([576, 1300]))}")
    elif what == "mac":
        world.kernel.do(f"link set dev {NAME} address {draw(st.sampled_from(MACS))}")


@st.composite
def used_worlds(draw: st.DrawFn) -> World:
    """Return a host that may have the interface, as a task made it and somebody changed it."""
    world = draw(worlds())
    if draw(st.integers(0, 9)):
        world.task = draw(options())
        world.apply(world.plan(possible(world, world.task)))
        touch(draw, world)
        profile = any(path.endswith(".nmconnection") for path in world.files)
        world.owned = draw(st.booleans()) and profile and NAME in world.kernel.links
    return world


@st.composite
def cases(draw: st.DrawFn) -> tuple[World, dict[str, t.Any]]:
    """Return a host and the next task."""
    world = draw(used_worlds())
    return world, possible(world, draw(options(world.task)))


def comparable(interface: Interface | None) -> dict[str, t.Any] | None:
    """Return what two interfaces have to be equal in."""
    if interface is None:
        return None
    names = ("name", "kind", "parent", "mode", "mac", "mtu", "queues", "up", "ipv6", "all_multicast")
    values = {name: getattr(interface, name) for name in names}
    shown = {"queue": interface.broadcast_queue, "flags": interface.flags_that_count, "sources": interface.source_macs}
    return {**values, **shown, "addresses": set(interface.addresses), "routes": set(interface.routes)}


def is_as_asked(found: Interface, asked: dict[str, t.Any], world: World) -> None:
    """Compare an interface with the task itself, and not with what the planner makes of it."""
    parent = world.kernel.links[asked["parent"]]
    assert (found.kind, found.parent, found.queues) == (asked["kind"], asked["parent"], (asked["queues"],) * 2)
    assert found.mode == asked["mode"].replace("passthrough", "passthru")
    assert list(found.flags_that_count) == asked["flags"]
    assert set(found.source_macs) == set(asked["source_macs"])
    assert found.mtu == (asked["mtu"] or parent.mtu)
    assert found.broadcast_queue in (asked["bcqueuelen"], None)
    assert found.up == (asked["link"] == "up")
    assert found.all_multicast == (asked["kind"] == "macvtap")
    if asked["mac"] is not None:
        assert found.mac == asked["mac"]
    if found.mode == "passthru":
        assert found.mac == parent.mac
    assert set(found.addresses) == set(asked["addresses"])
    assert {(route.destination, route.gateway or None, route.metric) for route in found.routes} == {
        (route["destination"], route["gateway"], route["metric"] or (1024 if ":" in route["destination"] else 0))
        for route in asked["routes"]
    }
    if found.mtu < 1280:
        assert found.ipv6 is None
    else:
        assert found.ipv6 == Ipv6(disabled=not any(":" in text for text in asked["addresses"]), follows_routers=False)


def may_be_made_anew(found: Interface, asked: dict[str, t.Any]) -> bool:
    """Say whether the documentation names a reason: kind, parent, queues, to or from passthru, and a flag to be taken away."""
    mode = asked["mode"].replace("passthrough", "passthru")
    ours = {"source": "nodst", "passthru": "nopromisc"}.get(mode)
    return (
        found.kind != asked["kind"]
        or found.parent != asked["parent"]
        or found.queues != (asked["queues"], asked["queues"])
        or (found.mode == "passthru") != (mode == "passthru")
        or (ours in found.flags and ours not in asked["flags"])
    )


@hypothesis.given(case=cases())
def test_from_anything_to_anything(case: tuple[World, dict[str, t.Any]]) -> None:
    world, asked = case
    found = world.kernel.interface(NAME)
    plan = world.plan(asked)
    if plan.links.recreated:
        assert found is not None
        assert may_be_made_anew(found, asked) or (world.owned and plan.backend != "networkmanager")
    elif found is not None:
        assert not may_be_made_anew(found, asked)
    world.apply(plan)
    now = world.kernel.interface(NAME)
    assert now is not None
    is_as_asked(now, asked, world)
    again = world.plan(asked)
    assert again.steps == []
    assert again.links.actions == []
    assert (again.release, again.reload, again.follow) == ((), (), ())


@hypothesis.given(world=used_worlds())
def test_from_anything_to_nothing(world: World) -> None:
    gone: dict[str, t.Any] = {"name": NAME, "state": "absent", "force": False}
    macs = {name: link.before or link.mac for name, link in world.kernel.links.items() if name != NAME}
    plan = world.plan(gone)
    assert plan.changed == (NAME in world.kernel.links or bool(world.files))
    world.apply(plan)
    assert NAME not in world.kernel.links
    assert world.files == {}
    assert {name: link.mac for name, link in world.kernel.links.items()} == macs
    assert world.plan(gone).steps == []


@hypothesis.given(case=cases(), data=st.data())
def test_after_each_step_it_can_be_taken_back(case: tuple[World, dict[str, t.Any]], data: st.DataObject) -> None:
    world, asked = case
    found = world.kernel.interface(NAME)
    actions = world.plan(asked).links.actions
    world.kernel.carry_out(actions[: data.draw(st.integers(0, len(actions)))])
    back = link_changes(world.kernel.interface(NAME), found)
    world.kernel.carry_out(back.actions)
    assert comparable(world.kernel.interface(NAME)) == comparable(found)
    assert link_changes(world.kernel.interface(NAME), found).changes == ()


def cuts_off(found: Interface, asked: dict[str, t.Any], mac: str) -> bool:
    """Say whether what has the device node of an interface that stays open is not heard any more, or hears less."""
    hears_less = found.mode != "source" or not set(found.source_macs) <= set(asked["source_macs"])
    return mac not in ("", found.mac) or (found.up and asked["link"] == "down") or (asked["mode"] == "source" and hears_less)


@hypothesis.given(case=cases(), absent=st.booleans())
def test_what_uses_it_is_never_cut_off_unless_that_is_asked_for(case: tuple[World, dict[str, t.Any]], absent: bool) -> None:
    world, wanted = case
    asked = {**wanted, **({"state": "absent"} if absent else {})}
    free = world.plan(asked)
    found = world.kernel.interface(NAME)
    world.holders = ("the guest web (process 7)",)
    deletes = Removal(NAME) in free.links.actions
    if free.links.recreated or absent:
        assert deletes == (NAME in world.kernel.links)
        with pytest.raises(RefusedError, match=r"in use by the guest web \(process 7\), which would be cut off"):
            world.plan(asked)
        assert world.plan({**asked, "force": True}).steps == free.steps
    elif found is not None and free.wanted is not None and cuts_off(found, asked, free.wanted.mac):
        with pytest.raises(RefusedError, match=r"in use by the guest web \(process 7\), which would be cut off: "):
            world.plan(asked)
        assert world.plan({**asked, "force": True}).steps == free.steps
    else:
        assert not deletes
        assert world.plan(asked).steps == free.steps


@hypothesis.given(case=cases())
def test_a_plan_changes_nothing_by_itself(case: tuple[World, dict[str, t.Any]]) -> None:
    world, asked = case
    before = copy.deepcopy((world.kernel.links, world.files))
    first = world.plan(asked)
    assert world.plan(asked) == first
    assert (world.kernel.links, world.files) == before


def test_the_model_knows_what_goes_with_an_address() -> None:
    kernel = Kernel()
    link = kernel.add(NAME, "192.0.2.1/24", "192.0.2.2/24", kind="macvlan", up=True)
    link.routes = [KernelRoute("10.0.0.0/8", "", 0)]
    kernel.do(f"address del 192.0.2.1/24 dev {NAME}")
    assert (link.addresses, link.routes) == ([], [])
