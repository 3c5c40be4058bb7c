# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""libvirt_port_forward where a step does not work, and where it is killed between two: nothing is left half done."""

from __future__ import annotations

import itertools
import typing as t
from pathlib import Path

import libvirt
import pytest

from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import Result
from ansible_collections.kvmops.network.tests.unit.plugins.support.forward_host import FOLDER, KEEPER, ForwardHost, Killed
from ansible_collections.kvmops.network.tests.unit.plugins.support.nics import define_network

BACK = "Everything was put back as it was."
PROXY: dict[str, t.Any] = {"name": "db", "method": "proxy", "host_port": "5432"}

# a task, and the tasks before it
TASKS: dict[str, tuple[list[dict[str, t.Any]], dict[str, t.Any]]] = {
    "the first": ([], {"host_port": "80"}),
    "the first by a proxy": ([], PROXY),
    "another": ([{"name": "ssh", "host_port": "22"}], {"host_port": "80"}),
    "a change": ([{"host_port": "80"}], {"host_port": "80", "guest_port": "8080"}),
    "a change of a proxy": ([PROXY], {**PROXY, "guest_port": "5433"}),
    "by a proxy from now on": ([{"host_port": "80"}], {"host_port": "80", "method": "proxy"}),
    "by rules from now on": ([{"host_port": "80", "method": "proxy"}], {"host_port": "80"}),
    "one of two goes": ([{"host_port": "80"}, PROXY], {"state": "absent"}),
    "the last one goes": ([{"host_port": "80"}], {"state": "absent"}),
    "the last proxy goes": ([PROXY], {"name": "db", "state": "absent"}),
}


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, driver: libvirt.virConnect) -> ForwardHost:
    found = ForwardHost(tmp_path, monkeypatch, driver)
    found.firewall(["nft", "add table ip libvirt_network; add chain ip libvirt_network forward"])
    return found


def prepare(host: ForwardHost, kind: str) -> tuple[dict[str, t.Any], int]:
    """Do the tasks before a task. Return its options and the number of its steps, of which none has been done."""
    before, task = TASKS[kind]
    for each in before:
        host.apply(**each)
    # what it takes, found out on the way and taken back
    state = host.state()
    host.apply(**task)
    count = len(host.steps)
    name = task.get("name", "web")
    host.apply(name=name, state="absent")
    for each in before:
        host.apply(**each)
    assert {key: value for key, value in host.state().items() if key != "networks"} == {
        key: value for key, value in state.items() if key != "networks"
    }
    return task, count


@pytest.mark.parametrize("kind", TASKS)
def test_each_step_may_fail(host: ForwardHost, kind: str) -> None:
    task, count = prepare(host, kind)
    before = host.state()
    host.fails = True
    failed = 0
    for host.breaks in range(1, count + 1):
        result = host.task(**task)
        if result.failed:
            failed += 1
            verb = "removed" if task.get("state") == "absent" else "made"
            assert result.msg.startswith(f"The forward '{task.get('name', 'web')}' could not be {verb}: "), result.msg
            assert result.msg.endswith(f". {BACK}"), (host.breaks, result.msg, host.steps)
            assert host.state() == before, (host.breaks, host.steps)
        else:
            # one of those that need not work, such as to stop what does not run
            assert host.steps[host.breaks - 1].startswith(("systemctl stop", "systemctl reset-failed")), host.steps
            host.breaks = 0
            task, _count = prepare_again(host, kind)
            assert host.state() == before
    assert failed > 2


def prepare_again(host: ForwardHost, kind: str) -> tuple[dict[str, t.Any], int]:
    before, task = TASKS[kind]
    host.apply(name=task.get("name", "web"), state="absent")
    for each in before:
        host.apply(**each)
    return task, 0


@pytest.mark.parametrize("kind", TASKS)
def test_killed_before_each_step_and_repeated(host: ForwardHost, kind: str) -> None:
    task, count = prepare(host, kind)
    host.apply(**task)
    done = host.state()
    for number in range(1, count + 1):
        host.breaks = 0
        prepare_again(host, kind)
        host.breaks = number
        with pytest.raises(Killed):
            host.task(**task)
        host.breaks = 0
        # what a look makes of it is what is then done
        told = host.apply(check=True, **task)
        result = host.apply(**task)
        assert told.data == result.data
        assert host.state() == done, number
        assert not host.task(**task).changed


def refused(host: ForwardHost, *steps: str, **task: t.Any) -> Result:
    host.refused = steps
    result = host.task(**task)
    host.refused = ()
    assert result.failed
    return result


def test_both_sentences(host: ForwardHost) -> None:
    before = host.state()
    result = refused(host, "systemctl start", host_port="80")
    assert result.msg == (f"The forward 'web' could not be made: 'systemctl start {KEEPER}' failed: Job failed: start. {BACK}")
    assert host.state() == before


def test_a_disk_that_is_full(host: ForwardHost) -> None:
    before = host.state()
    for path in (f"/etc/systemd/system/{KEEPER}", f"{FOLDER}/forwards.json", f"{FOLDER}/rules.nft"):
        result = refused(host, f"write_file {path}", host_port="80")
        assert result.msg == (
            f"The forward 'web' could not be made: {path} could not be written: No space left on device. {BACK}"
        )
        assert host.state() == before


def test_what_cannot_be_put_back_is_told(host: ForwardHost) -> None:
    result = refused(host, "systemctl start", "systemctl disable", host_port="80")
    assert result.msg == (
        f"The forward 'web' could not be made: 'systemctl start {KEEPER}' failed: Job failed: start. Not everything could be put "
        f"back: its files and units ('systemctl disable --now {KEEPER}' failed: Job failed: disable)."
    )


def test_rules_that_are_not_in_force(host: ForwardHost, monkeypatch: pytest.MonkeyPatch) -> None:
    before = host.state()
    monkeypatch.setattr(host, "_start", lambda unit, _verb: host.active.add(unit))
    result = host.task(host_port="80")
    assert result.msg == (
        "The forward 'web' could not be made: it is not in force (the table 'inet kvmops_port_forwards', the "
        f"first rule of the chain 'ip libvirt_network forward', route_localnet of virbr0). {BACK}"
    )
    assert host.state() == before


def test_a_firewall_that_refuses(host: ForwardHost) -> None:
    before = host.state()
    host.firewall.failing = "nft -f"
    result = host.task(host_port="80")
    assert "the firewall is on strike" in result.msg
    assert result.msg.endswith(BACK)
    host.firewall.failing = ""
    assert host.state() == before


def test_a_reservation_that_libvirt_refuses(host: ForwardHost, monkeypatch: pytest.MonkeyPatch) -> None:
    before = host.state()

    def refuse(*_what: t.Any) -> t.NoReturn:
        raise libvirt.libvirtError("the network is on strike")

    monkeypatch.setattr(libvirt.virNetwork, "update", refuse)
    result = host.task(host_port="80")
    assert result.failed
    assert result.msg.endswith(BACK)
    assert host.steps == []
    assert host.state() == before


def test_nothing_stays_in_the_kernel_though_the_unit_cannot_take_it_away(
    host: ForwardHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the Python that the unit runs may be gone since an upgrade of the host
    host.apply(host_port="80")
    monkeypatch.setattr(host, "_stop", host.active.discard)
    host.apply(state="absent")
    assert ("inet", "kvmops_port_forwards") not in host.firewall.tables
    assert host.firewall.tables["ip", "libvirt_network"].chains == {"forward": []}
    assert host.read("/proc/sys/net/ipv4/conf/virbr0/route_localnet").strip() == "0"


@pytest.mark.parametrize("unfinished", [f"{FOLDER}/rules.nft.kvmops-new", f"/etc/systemd/system/{KEEPER}.kvmops-new"])
def test_a_file_that_was_begun_when_it_was_killed(host: ForwardHost, unfinished: str) -> None:
    before = host.state()
    host.write(unfinished, "half")
    host.step(changed=True, state="absent")
    assert host.state() == before


def test_a_unit_that_somebody_removed_while_it_runs(host: ForwardHost) -> None:
    host.apply(host_port="80")
    (host.root / f"etc/systemd/system/{KEEPER}").unlink()
    host.enabled.clear()
    host.apply(state="absent")
    assert host.active == set()
    assert ("inet", "kvmops_port_forwards") not in host.firewall.tables


@pytest.mark.parametrize("kind", ["the last one goes", "by a proxy from now on", "another network"])
def test_no_guest_reaches_the_loopback_wherever_it_is_killed(host: ForwardHost, kind: str) -> None:
    content = "<forward mode='nat'/><bridge name='virbr1'/><ip address='10.1.0.1' prefix='24'/>"
    define_network(host.driver, "lan", content, running=True)
    before, task = TASKS.get(kind, ([{"host_port": "80"}], {"host_port": "80", "network": "lan", "address": "10.1.0.9"}))
    for number in itertools.count(1):
        host.breaks = 0
        host.apply(state="absent")
        for each in before:
            host.apply(**each)
        assert is_safe(host)
        host.breaks = number
        try:
            host.task(**task)
        except Killed:
            assert is_safe(host), host.steps
            host.breaks = 0
            host.apply(**task)
            assert is_safe(host), number
        else:
            break
    assert number > 5


def is_safe(host: ForwardHost) -> bool:
    """Say whether guests on virbr0 are kept from the host's loopback addresses, by a rule or because nobody routes them."""
    table = host.firewall.tables.get(("inet", "kvmops_port_forwards"))
    rules = table.chains.get("guard", []) if table is not None else []
    routed = host.read("/proc/sys/net/ipv4/conf/virbr0/route_localnet").strip() != "0"
    return not routed or any('"virbr0"' in rule.words for rule in rules)
