# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What has to be done for a forward, and what is refused because of others."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._errors import (
    InputError,
    NetworkError,
    RefusedError,
    RequirementError,
)
from ansible_collections.kvmops.network.plugins.module_utils._forward.files import KEEPER_UNIT, RECORD, Programs
from ansible_collections.kvmops.network.plugins.module_utils._forward.host import ForwardHost
from ansible_collections.kvmops.network.plugins.module_utils._forward.plan import Plan, make_plan
from ansible_collections.kvmops.network.plugins.module_utils._forward.ports import Listener
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._forward.builders import (
    MAC,
    MAC2,
    after,
    forward,
    guest,
    host,
    network,
    request,
    reserved,
)

KEPT = network("default", "nat", reserved("192.168.122.10"))
KEEPER = f"/etc/systemd/system/{KEEPER_UNIT}"
FREE: dict[str, t.Any] = {"host_port": None, "guest_port": "22"}


def plan(given: dict[str, t.Any] | None = None, on: ForwardHost | None = None) -> Plan:
    return make_plan(request(**(given or {})), on or host(KEPT))


def steps(found: Plan) -> list[str]:
    return [str(step) for step in found.steps]


def refused(given: dict[str, t.Any], on: ForwardHost) -> NetworkError:
    with pytest.raises(NetworkError) as caught:
        plan(given, on)
    return caught.value


# --- the steps ------------------------------------------------------------------------------------------------------------------


def test_a_new_one() -> None:
    found = plan()
    assert steps(found) == ["add: * tcp 8080 -> 192.168.122.10:8080"]
    assert found.after == forward()
    assert (found.before, found.networks, found.warnings) == (None, [], [])
    assert found.reason == "the network 'default' is of mode nat, whose guests can answer"
    assert KEEPER in [change.path for change in found.files]
    assert all(change.before is None and change.after is not None for change in found.files)


def test_the_same_again() -> None:
    found = plan(on=host(KEPT, forwards=[forward()]))
    assert (found.steps, found.files, found.networks, found.before) == ([], [], [], found.after)


def test_another() -> None:
    found = plan({"guest_port": "80"}, host(KEPT, forwards=[forward()]))
    assert steps(found) == ["change: * tcp 8080 -> 192.168.122.10:80, instead of * tcp 8080 -> 192.168.122.10:8080"]


def test_none() -> None:
    before = host(KEPT, forwards=[forward()])
    found = plan({"state": "absent"}, before)
    assert steps(found) == ["remove: * tcp 8080 -> 192.168.122.10:8080"]
    assert (found.after, found.reason) == (None, "")
    assert {change.path for change in found.files} == set(before.files)
    assert all(change.after is None for change in found.files)
    assert plan({"state": "absent"}, after(found, before)).steps == []


def test_the_last_one_by_rules_takes_the_keeper_along() -> None:
    before = host(KEPT, forwards=[forward(), forward("db", "5432", method="proxy")])
    found = plan({"state": "absent"}, before)
    assert {change.path: change.after is None for change in found.files if change.path != RECORD}[KEEPER]
    left = after(found, before)
    assert sorted(left.forwards) == ["db"]
    assert not any(path.endswith((".nft", ".iptables", "keeper.py", "rules.json")) for path in left.files)


def test_what_was_reserved_first() -> None:
    found = plan({"address": "192.168.122.10"}, host())
    assert steps(found) == [
        f"reserve: 192.168.122.10 on the network 'default' for {MAC}",
        "add: * tcp 8080 -> 192.168.122.10:8080",
    ]
    assert [change.name for change in found.networks] == ["default"]


def test_a_file_that_somebody_changed_or_removed() -> None:
    there = host(KEPT, forwards=[forward()])
    folder = RECORD.rpartition("/")[0]
    files = {**there.files, f"{folder}/rules.nft": b"flush ruleset\n", f"{folder}/more": b""}
    del files[KEEPER]
    found = plan(on=replace(there, files=files))
    assert steps(found) == [
        f"write: {KEEPER} is not there",
        f"remove: {folder}/more is of no forward",
        f"write: {folder}/rules.nft differs from what was written",
    ]
    assert after(found, there).files == there.files


def test_what_does_not_run_or_is_gone_from_the_kernel() -> None:
    table = "the table 'inet kvmops_port_forwards'"
    found = plan(on=host(KEPT, forwards=[forward()], idle=(KEEPER_UNIT,), faults=(table,)))
    assert steps(found) == [
        f"start: {KEEPER_UNIT} does not run, or does not at boot",
        f"put back: {table} is not as it was made",
    ]
    assert found.files == []


def test_units_of_nobody_are_not_started() -> None:
    assert plan({"state": "absent"}, host(KEPT, idle=(KEEPER_UNIT,), faults=("x",))).steps == []
    assert plan(on=host(KEPT, forwards=[forward()], idle=("kvmops-port-forward-old.socket",))).steps == []


def test_a_newer_keeper_is_written() -> None:
    there = host(KEPT, forwards=[forward()])
    found = plan(on=replace(there, programs=replace(there.programs, keeper="# newer\n")))
    assert steps(found) == [f"write: {RECORD.rpartition('/')[0]}/keeper.py differs from what was written"]


# --- the method -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "method", "chosen", "reason"),
    [
        ("nat", "auto", "rules", "the network 'default' is of mode nat, whose guests can answer"),
        ("route", "auto", "rules", "the network 'default' is of mode route, whose guests can answer"),
        ("open", "auto", "rules", "the network 'default' is of mode open, whose guests can answer"),
        ("none", "auto", "proxy", "the network 'default' is isolated, so that its guests can answer nobody but the host"),
        ("nat", "rules", "rules", "the task says so"),
        ("open", "open", "open", "the task says so"),
        ("nat", "proxy", "proxy", "the task says so"),
        ("none", "proxy", "proxy", "the task says so"),
    ],
)
def test_methods(mode: str, method: str, chosen: str, reason: str) -> None:
    found = plan({"method": method}, host(network("default", mode, reserved("192.168.122.10"))))
    assert found.after is not None
    assert (found.after.method, found.reason) == (chosen, reason)


ISOLATED = network("default", "none", reserved("192.168.122.10"))
NO_METHOD: dict[str, tuple[dict[str, t.Any], ForwardHost, type[NetworkError], str]] = {
    **{
        f"{method} of an isolated network": (
            {"method": method},
            host(ISOLATED),
            InputError,
            "method: the network 'default' is isolated, and its guests can answer nobody but the host; leave method out, or set "
            "it to proxy.",
        )
        for method in ("rules", "open")
    },
    "open of another network": (
        {"method": "open"},
        host(KEPT),
        InputError,
        "method: the network 'default' is of mode nat, for which libvirt makes rules; give it 'forward: {mode: open}' with "
        "libvirt_network first, or leave method out.",
    ),
    "UDP into an isolated network": (
        {"protocols": ["udp"]},
        host(ISOLATED),
        InputError,
        "protocols: the network 'default' is isolated, where only a proxy can forward, and that passes TCP on alone; leave udp "
        "out, or choose a network of mode nat.",
    ),
    "many ports into an isolated network": (
        {"host_port": "8000-8016"},
        host(ISOLATED),
        InputError,
        "guest_port: a proxy takes 16 ports at most, and '8000-8016' is 17 ports; choose another method, or several forwards.",
    ),
    "no proxy": (
        {"method": "proxy"},
        host(KEPT, programs=Programs(python="python3", proxy="", keeper="")),
        RequirementError,
        "This host has no systemd-socket-proxyd, which is systemd's program to pass connections on (some distributions have it "
        "in a package of its own). Install it, or choose another method.",
    ),
}


@pytest.mark.parametrize("kind", NO_METHOD)
def test_methods_that_cannot_be(kind: str) -> None:
    given, on, error, sentence = NO_METHOD[kind]
    found = refused(given, on)
    assert (type(found), str(found)) == (error, sentence)


# --- the host's ports -----------------------------------------------------------------------------------------------------------

SSHD = Listener("tcp", ("0.0.0.0",), 8080, "sshd (process 7)")
OTHER = forward("other", "8000-8100", domain="", address="192.168.122.11")


def test_a_port_that_a_process_has() -> None:
    found = refused({}, host(KEPT, listeners=(SSHD, SSHD)))
    assert isinstance(found, RefusedError)
    assert str(found) == (
        "host_port: 8080 is in use on this host (sshd (process 7) at 0.0.0.0 tcp 8080), which nobody would reach any more; "
        "choose another port, or give the host_address that is meant."
    )


def test_one_of_several_that_a_process_has_whose_name_nobody_sees() -> None:
    found = refused({"host_port": "8079-8081"}, host(KEPT, listeners=(replace(SSHD, process=""),)))
    assert "(a process at 0.0.0.0 tcp 8080)" in str(found)


def test_a_port_that_another_forward_has() -> None:
    found = refused({}, host(KEPT, forwards=[OTHER]))
    assert isinstance(found, RefusedError)
    assert str(found) == (
        "host_port: 8080 belongs to the forward 'other' (* tcp 8000-8100 -> 192.168.122.11:8000-8100); choose another port, "
        "leave host_port out to get a free one, or remove that forward."
    )


@pytest.mark.parametrize(
    "listener",
    [
        replace(SSHD, protocol="udp"),
        replace(SSHD, port=8081),
        replace(SSHD, addresses=("::",)),
    ],
)
def test_others_do_not_count(listener: Listener) -> None:
    assert plan(on=host(KEPT, listeners=(listener,))).steps


def test_a_process_at_another_address() -> None:
    on = host(KEPT, listeners=(replace(SSHD, addresses=("127.0.0.1",)),))
    assert plan({"host_address": "203.0.113.4"}, on).steps
    assert isinstance(refused({}, on), RefusedError)


def test_who_listens_later_does_not_matter() -> None:
    assert plan(on=host(KEPT, forwards=[forward()], listeners=(SSHD,))).steps == []


@pytest.mark.parametrize(
    "given", [{"protocols": ["tcp", "udp"]}, {"host_port": "8079-8080"}, {"host_address": "203.0.113.4"}], ids=str
)
def test_but_for_what_is_wanted_anew(given: dict[str, t.Any]) -> None:
    assert isinstance(refused(given, host(KEPT, forwards=[forward()], listeners=(SSHD,))), RefusedError)


SYSTEMD = Listener("tcp", ("0.0.0.0",), 8080, "systemd (process 1)")


@pytest.mark.parametrize(
    "given",
    [{"host_address": "203.0.113.4"}, {"host_port": "8080-8081"}, {"method": "rules", "protocols": ["tcp", "udp"]}],
    ids=str,
)
def test_its_own_proxy_is_nobody_else(given: dict[str, t.Any]) -> None:
    on = host(KEPT, forwards=[forward(method="proxy")], listeners=(SYSTEMD,))
    assert plan({"method": "proxy", **given}, on).steps
    assert isinstance(refused({"name": "web2", "method": "proxy"}, on), RefusedError)


def test_a_proxys_port_elsewhere_is_somebodys() -> None:
    on = host(KEPT, forwards=[forward(method="proxy", host_address="127.0.0.1")], listeners=(SYSTEMD,))
    assert isinstance(refused({"method": "proxy", "host_address": "203.0.113.4"}, on), RefusedError)


def test_an_address_that_cannot_be_reserved() -> None:
    found = refused({"address": "192.168.122.20"}, host(KEPT))
    assert isinstance(found, RefusedError)
    assert str(found) == (
        f"address: 192.168.122.20 cannot be reserved for the guest 'web': the network 'default' has a reservation for {MAC} that "
        f"no task of a NIC made ({MAC} 192.168.122.10); remove it there, or leave address out, for the one that is reserved."
    )
    others = host(network("default", "nat", reserved("192.168.122.20", "52:54:00:bb:00:01")))
    assert str(refused({"address": "192.168.122.20"}, others)) == (
        "address: 192.168.122.20 cannot be reserved for the guest 'web': 192.168.122.20 is reserved for another one on the "
        "network 'default' (52:54:00:bb:00:01 192.168.122.20); choose another address, or remove that reservation."
    )


# --- a free port ----------------------------------------------------------------------------------------------------------------


def chosen(given: dict[str, t.Any], on: ForwardHost) -> str:
    found = plan({**FREE, **given}, on)
    assert found.after is not None
    return str(found.after.host_ports)


def test_the_first_that_nobody_has() -> None:
    assert chosen({}, host(KEPT)) == "10000"
    at = [forward("other", "10000"), forward("more", "10002")]
    on = host(KEPT, forwards=at, listeners=(replace(SSHD, port=10001), replace(SSHD, port=10003, addresses=("127.0.0.1",))))
    assert chosen({}, on) == "10004"
    assert chosen({"protocols": ["udp"]}, on) == "10000"
    assert chosen({"guest_port": "22-23"}, on) == "10004-10005"
    assert chosen({"host_address": "203.0.113.4"}, on) == "10003"


def test_it_stays() -> None:
    mine = forward(host_ports="10003", guest_ports="22")
    on = host(KEPT, forwards=[mine], listeners=(replace(SSHD, port=10003),))
    assert chosen({}, on) == "10003"
    assert plan(FREE, on).steps == []


@pytest.mark.parametrize(
    ("given", "ports"),
    [
        ({"host_port_range": "20000-20001"}, "20000"),
        ({"guest_port": "22-23"}, "10000-10001"),
        ({"host_address": "203.0.113.4"}, "10000"),
        ({"protocols": ["tcp", "udp"]}, "10000"),
        ({"guest_port": "23"}, "10003"),
    ],
)
def test_unless_it_is_no_longer_one_that_could_be_chosen(given: dict[str, t.Any], ports: str) -> None:
    assert chosen(given, host(KEPT, forwards=[forward(host_ports="10003", guest_ports="22")])) == ports


@pytest.mark.parametrize(
    ("given", "more"), [({}, ""), ({"guest_port": "22-23"}, " that follow each other")], ids=["one", "several"]
)
def test_none_is_left(given: dict[str, t.Any], more: str) -> None:
    on = host(KEPT, forwards=[forward("other", "9001")])
    found = refused({**FREE, "host_port_range": "9000-9001" if more else "9001", **given}, on)
    assert isinstance(found, RefusedError)
    ports = "9000-9001" if more else "9001"
    assert str(found) == (
        f"host_port_range: of the ports {ports} none is left for 'web'{more}; give another range, or remove a forward."
    )


# --- warnings -------------------------------------------------------------------------------------------------------------------


def test_the_guest_still_has_another_address() -> None:
    on = host(KEPT, leases={MAC: ("192.168.122.150",)})
    sentence = (
        "The guest 'web' has 192.168.122.150 at the moment, and the forward leads to 192.168.122.10: it works when the guest has "
        "asked for its address anew, at the latest when it is started anew."
    )
    assert plan(on=on).warnings == [sentence]
    assert plan(on=replace(on, guest=guest(running=False))).warnings == []


def test_another_guest_has_the_address() -> None:
    assert plan(on=host(KEPT, leases={MAC2: ("192.168.122.10",)})).warnings == [
        f"192.168.122.10 is leased to {MAC2} at the moment: the guest 'web' does not get it, and the forward leads to the other "
        "one, until that lease has ended."
    ]


def test_the_host_does_not_have_the_address() -> None:
    on = host(KEPT, addresses=frozenset({"203.0.113.5"}))
    assert plan({"host_address": "203.0.113.4"}, on).warnings == [
        "host_address: the host does not have 203.0.113.4 at the moment; nothing is forwarded until it does."
    ]
    for address in ("203.0.113.5", "127.0.0.1", "127.8.8.8"):
        assert plan({"host_address": address}, on).warnings == []
    assert plan({"host_address": "203.0.113.4"}, host(KEPT)).warnings == []


def test_the_firewall_is_between_guests() -> None:
    on = host(KEPT, bridged_filtered=True)
    assert plan(on=on).warnings == [
        "What goes from guest to guest passes this host's firewall (net.bridge.bridge-nf-call-iptables is 1), and so the guest "
        "itself does not reach its own forward. If it has to, set that to 0 in /etc/sysctl.d."
    ]
    assert plan({"method": "proxy"}, on).warnings == []
    assert plan(on=host(KEPT, forwards=[forward()], bridged_filtered=True)).warnings == []


def test_another_forward_to_the_same_guest_loses_its_address() -> None:
    # as a task before has reserved it
    first = host()
    reserving = plan({"name": "old", "host_port": "24", "address": "192.168.122.10"}, first)
    (kept,) = after(reserving, first).networks.values()
    on = host(kept, forwards=[forward("ssh", "22"), forward("elsewhere", "23", domain="other"), forward("old", "24")])
    found = plan({"address": "192.168.122.20"}, on)
    assert found.warnings == [
        "The guest 'web' keeps one address, 192.168.122.20 from now on, and other forwards still lead to 192.168.122.10: old, "
        "ssh. Run their tasks again, with the same address or none."
    ]
    assert plan({"address": "192.168.122.10"}, on).warnings == []


def test_where_nothing_is_reserved_a_guest_may_have_several() -> None:
    on = host(network(dhcp=False), forwards=[forward()])
    assert plan({"name": "more", "host_port": "22", "address": "192.168.122.20"}, on).warnings == []
