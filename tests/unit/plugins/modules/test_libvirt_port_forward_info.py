# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""libvirt_port_forward_info: what there is, and why it does not work."""

from __future__ import annotations

import typing as t
from pathlib import Path

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.module_utils._guest.addresses import hashed_address
from ansible_collections.kvmops.network.tests.unit.plugins.support.forward_host import FOLDER, KEEPER, ForwardHost

ADDRESS = hashed_address("web", "192.168.122.0/24")
KEEPER_STOPPED = f"The unit {KEEPER} does not run, or does not at boot; run its task again."


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, driver: libvirt.virConnect) -> ForwardHost:
    return ForwardHost(tmp_path, monkeypatch, driver)


def found(host: ForwardHost, **options: t.Any) -> list[dict[str, t.Any]]:
    """Return the forwards; reading changes nothing, with check mode or without."""
    before = host.state()
    host.steps.clear()
    told, result = (host.info(check=check, **options) for check in (True, False))
    assert not result.failed, result.msg
    assert not result.changed
    assert told.data["forwards"] == result.data["forwards"]
    assert host.state() == before
    assert host.steps == []
    forwards: list[dict[str, t.Any]] = result.data["forwards"]
    return forwards


def problems(host: ForwardHost) -> list[str]:
    """Return what is wrong with the forwards."""
    return [sentence for each in found(host) for sentence in each["problems"]]


def test_none(host: ForwardHost) -> None:
    assert found(host) == []
    assert found(host, names=[]) == []


def test_what_there_is(host: ForwardHost) -> None:
    made = host.apply(host_port="80")
    host.apply(name="a", host_port="81", host_address="127.0.0.1", method="proxy")
    forwards = found(host)
    assert [each["name"] for each in forwards] == ["a", "web"]
    assert forwards[1] == {**made.data["forward"], "problems": []}
    assert forwards[0]["problems"] == []
    assert (forwards[0]["method"], forwards[0]["host_address"]) == ("proxy", "127.0.0.1")


def test_those_that_are_asked_for(host: ForwardHost) -> None:
    host.apply(host_port="80")
    host.apply(name="a", host_port="81")
    result = host.info(names=["web", "nosuch", "$(id)", "nosuch"])
    assert [each["name"] for each in result.data["forwards"]] == ["web"]
    assert result.data["missing"] == ["$(id)", "nosuch"]


def test_one_that_is_gone(host: ForwardHost) -> None:
    host.apply(host_port="80")
    host.apply(state="absent")
    assert found(host) == []


@pytest.mark.parametrize(
    ("deed", "sentences"),
    [
        (
            lambda host: host.firewall.tables.clear(),
            ["It is missing in the firewall: the table 'inet kvmops_port_forwards'; run its task again."],
        ),
        (
            lambda host: host.write("/proc/sys/net/ipv4/conf/virbr0/route_localnet", "0\n"),
            ["It is missing in the firewall: route_localnet of virbr0; run its task again."],
        ),
        (lambda host: host.active.clear(), [KEEPER_STOPPED]),
        (lambda host: host.enabled.clear(), [KEEPER_STOPPED]),
        (lambda host: host.driver.lookupByName("web").destroy(), ["The guest 'web' does not run; start it."]),
        (
            lambda host: (host.driver.lookupByName("web").destroy(), host.driver.lookupByName("web").undefine()),
            ["The guest 'web' is gone; make it again, or remove the forward."],
        ),
        (
            lambda host: host.write(f"{FOLDER}/rules.json", "no JSON"),
            [f"It is missing in the firewall: {FOLDER}/rules.json; run its task again."],
        ),
        (
            lambda host: host.missing.add("nft"),
            ["It is missing in the firewall: the program nft; run its task again."],
        ),
    ],
)
def test_problems(host: ForwardHost, deed: t.Callable[[ForwardHost], object], sentences: list[str]) -> None:
    host.apply(host_port="80")
    assert problems(host) == []
    deed(host)
    assert problems(host) == sentences


def test_the_network_is_gone(host: ForwardHost) -> None:
    host.apply(network="default", address="192.168.122.5", host_port="80")
    host.driver.lookupByName("web").destroy()
    host.driver.networkLookupByName("default").destroy()
    assert problems(host) == ["The network 'default' does not run; start it with libvirt_network."]
    host.driver.networkLookupByName("default").undefine()
    assert problems(host) == ["The network 'default' is gone; make it again, or remove the forward."]


def test_a_proxy_that_does_not_listen(host: ForwardHost) -> None:
    host.apply(method="proxy", host_port="80-81")
    host.active.discard("kvmops-port-forward-web:81.socket")
    assert problems(host) == ["The unit kvmops-port-forward-web:81.socket does not run, or does not at boot; run its task again."]


def test_a_record_that_somebody_changed(host: ForwardHost) -> None:
    host.write(f"{FOLDER}/forwards.json", "[]")
    result = host.info()
    assert result.failed
    assert result.msg.startswith(f"{FOLDER}/forwards.json cannot be understood: ")
