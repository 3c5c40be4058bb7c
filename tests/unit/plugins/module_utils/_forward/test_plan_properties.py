# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What holds for each sequence of tasks: they are done once, get free ports that stay, and leave nothing."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._errors import NetworkError
from ansible_collections.kvmops.network.plugins.module_utils._forward.files import wanted_files
from ansible_collections.kvmops.network.plugins.module_utils._forward.host import ForwardHost
from ansible_collections.kvmops.network.plugins.module_utils._forward.plan import Plan, make_plan
from ansible_collections.kvmops.network.plugins.module_utils._forward.ports import Listener
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._forward.builders import (
    PROGRAMS,
    after,
    guest,
    host,
    network,
    request,
)

NAMES = ("a", "a-8000", "web", "db")
NETWORKS = (
    network("default"),
    network("lab", "open", prefix="10.7.0", bridge="virbr7"),
    network("inside", "none", prefix="10.8.0", bridge="virbr8"),
)
PROCESSES = {"tcp": "sshd (process 7)", "udp": ""}


@st.composite
def tasks(draw: st.DrawFn) -> dict[str, t.Any]:
    """Return the options of a task, of which few ports are used, so that forwards meet."""
    if draw(st.integers(0, 4)) == 0:
        return {"name": draw(st.sampled_from(NAMES)), "state": "absent"}
    count = draw(st.sampled_from([1, 1, 1, 2, 3]))
    first, inside = draw(st.integers(8000, 8004)), draw(st.integers(20, 24))
    free = draw(st.booleans())
    where = draw(st.sampled_from(["default", "lab", "inside"]))
    prefix = {"default": "192.168.122", "lab": "10.7.0", "inside": "10.8.0"}[where]
    target: dict[str, t.Any] = {"domain": "web", "network": where}
    if draw(st.booleans()):
        target = {"domain": None, "network": where, "address": f"{prefix}.{draw(st.integers(10, 12))}"}
    elif draw(st.booleans()):
        target["address"] = f"{prefix}.{draw(st.integers(10, 12))}"
    return {
        "name": draw(st.sampled_from(NAMES)),
        **target,
        "protocols": draw(st.sampled_from([["tcp"], ["tcp"], ["udp"], ["udp", "tcp"]])),
        "host_address": draw(st.sampled_from([None, None, "0.0.0.0", "127.0.0.1", "203.0.113.4"])),
        "host_port": None if free else f"{first}-{first + count - 1}",
        "host_port_range": draw(st.sampled_from(["8000-8004", "8000-8010", "8002-8006"])),
        "guest_port": f"{inside}-{inside + count - 1}",
        "method": draw(st.sampled_from(["auto", "auto", "auto", "rules", "open", "proxy"])),
    }


@st.composite
def hosts(draw: st.DrawFn) -> ForwardHost:
    """Return a host without forwards, some of whose ports processes have."""
    found = [
        Listener(protocol, (address,), port, PROCESSES[protocol])
        for protocol, address, port in draw(
            st.lists(
                st.tuples(
                    st.sampled_from(["tcp", "udp"]),
                    st.sampled_from(["0.0.0.0", "127.0.0.1", "203.0.113.4", "::"]),
                    st.integers(8000, 8010),
                ),
                max_size=4,
            )
        )
    ]
    return host(*NETWORKS, guest=guest("default", "lab", "inside"), listeners=tuple(found))


def run(given_options: dict[str, t.Any], on: ForwardHost) -> Plan | None:
    """Return the plan, None where it is refused in a sentence."""
    domain = given_options.get("domain", "web")
    with contextlib.suppress(NetworkError):
        return make_plan(request(**given_options), on if domain else replace(on, guest=None))
    return None


def done(found: Plan, on: ForwardHost) -> ForwardHost:
    """Return the host afterwards, on which the sockets of proxies are seen as well."""
    changed = after(found, on)
    others = [each for each in on.listeners if not each.process.startswith("systemd ")]
    sockets = [
        Listener("tcp", (each.host_address or "0.0.0.0",), port, "systemd (process 1)")
        for each in changed.forwards.values()
        if not each.by_rules
        for port in range(each.host_ports.first, each.host_ports.last + 1)
    ]
    return replace(changed, listeners=(*others, *sockets))


@given(on=hosts(), sequence=st.lists(tasks(), min_size=1, max_size=4))
def test_a_sequence_of_tasks(on: ForwardHost, sequence: list[dict[str, t.Any]]) -> None:
    for task in sequence:
        found = run(task, on)
        if found is None:
            continue
        on = done(found, on)
        # what is on the disk follows from the forwards alone, however it came about
        assert on.files == {path: text.encode() for path, text in wanted_files(on.forwards, PROGRAMS).items()}
        again = run(task, on)
        assert again is not None
        assert ([str(step) for step in again.steps], again.files, again.networks) == ([], [], [])
        assert again.after == found.after
        # nobody shares a port
        for name, one in on.forwards.items():
            for other_name, other in on.forwards.items():
                if name < other_name:
                    assert not one.meets(other.protocols, other.host_address, other.host_ports, other.version)
    for name in list(on.forwards):
        gone = make_plan(request(name=name, state="absent"), on)
        assert gone.networks == []
        on = done(gone, on)
    assert on.files == {}
    assert make_plan(request(name="web", state="absent"), on).steps == []


@given(on=hosts(), wanted=tasks(), others=st.lists(tasks(), max_size=3))
def test_a_port_that_was_chosen_is_free_and_stays(
    on: ForwardHost, wanted: dict[str, t.Any], others: list[dict[str, t.Any]]
) -> None:
    wanted = {
        **wanted,
        "name": "mine",
        "state": "present",
        "host_port": None,
        "domain": "web",
        "network": "default",
        "address": None,
    }
    wanted = {"guest_port": "22", "host_port_range": "8000-8010", **wanted, "method": "auto"}
    found = run(wanted, on)
    assume(found is not None)
    assert found is not None
    assert found.after is not None
    mine = found.after
    first, _dash, last = wanted["host_port_range"].partition("-")
    assert int(first) <= mine.host_ports.first <= mine.host_ports.last <= int(last)
    for listener in on.listeners:
        meets = listener.addresses[0] in ("0.0.0.0", mine.host_address) or (
            not mine.host_address and "." in listener.addresses[0]
        )
        inside = mine.host_ports.first <= listener.port <= mine.host_ports.last
        assert not (meets and inside and listener.protocol in mine.protocols)
    on = done(found, on)
    for task in others:
        more = run(task, on)
        on = done(more, on) if more is not None else on
        again = run(wanted, on)
        assert again is not None
        assert again.after is not None
        assert again.after.host_ports == mine.host_ports
        assert on.forwards["mine"].host_ports == mine.host_ports


@given(on=hosts(), task=tasks())
def test_a_plan_changes_nothing_by_itself(on: ForwardHost, task: dict[str, t.Any]) -> None:
    files, forwards = dict(on.files), dict(on.forwards)
    run(task, on)
    assert (on.files, on.forwards) == (files, forwards)
    assert run(task, on) == run(task, on)
