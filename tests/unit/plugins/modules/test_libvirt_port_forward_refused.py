# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What libvirt_port_forward refuses, in check mode too: each time in one sentence, and nothing is changed."""

from __future__ import annotations

import typing as t
from pathlib import Path

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.modules import libvirt_port_forward_info
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import Result, run_module
from ansible_collections.kvmops.network.tests.unit.plugins.support.forward_host import FOLDER, PROXY, ForwardHost
from ansible_collections.kvmops.network.tests.unit.plugins.support.forward_inputs import WRONG_INPUTS
from ansible_collections.kvmops.network.tests.unit.plugins.support.nics import define_guest, define_network, make_nic

MAC2 = "52:54:00:00:00:02"


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, driver: libvirt.virConnect) -> ForwardHost:
    return ForwardHost(tmp_path, monkeypatch, driver)


def refused(host: ForwardHost, **options: t.Any) -> Result:
    """Run a task that has to fail the same with check mode and without, and to change nothing."""
    before = host.state()
    told, result = (host.task(check=check, **options) for check in (True, False))
    assert told.failed
    assert result.failed
    assert told.msg == result.msg
    assert host.state() == before
    assert host.steps == []
    return result


# where Ansible writes the options to the system's log, it refuses null characters before the module has a say
@pytest.mark.parametrize("kind", [kind for kind in WRONG_INPUTS if r"\x00" not in kind])
def test_wrong_input(host: ForwardHost, kind: str) -> None:
    options, sentence = WRONG_INPUTS[kind]
    # None is what is left out
    given = {name: value for name, value in {"host_port": "8080", "domain": "web", **options}.items() if value is not None}
    result = refused(host, **given) if "domain" in given else refused_without_guest(host, given)
    assert result.msg == sentence


def refused_without_guest(host: ForwardHost, given: dict[str, t.Any]) -> Result:
    return refused(host, **{**given, "domain": None})


# --- what is on the host --------------------------------------------------------------------------------------------------------


def test_no_such_guest(host: ForwardHost) -> None:
    result = refused(host, domain="$(reboot)", host_port="80")
    assert "$(reboot)" in result.msg
    assert result.msg.endswith(".")


def test_no_such_network(host: ForwardHost) -> None:
    assert refused(host, network='x"; drop', address="10.0.0.1", host_port="80", domain=None).msg == (
        "network: 'x\"; drop' does not exist. The networks of this host are: default, inside."
    )


def test_a_guest_elsewhere(host: ForwardHost) -> None:
    assert refused(host, network="inside", host_port="80").msg == (
        "domain: the guest 'web' has no NIC on the network 'inside', which is how a forward would reach it. Its NICs are: "
        "52:54:00:00:00:01 on network default."
    )


def test_a_guest_on_the_lan(host: ForwardHost) -> None:
    define_network(host.driver, "lan", "<forward mode='bridge'/><bridge name='br0'/>")
    define_guest(host.driver, "onlan", make_nic(MAC2, "network='lan'"))
    assert refused(host, domain="onlan", host_port="80").msg == (
        "network: 'lan' is of mode 'bridge', whose guests have addresses of the LAN and are reached there without a forward; "
        "name a network of mode nat, route or open, or an isolated one."
    )


def test_udp_into_an_isolated_network(host: ForwardHost) -> None:
    define_guest(host.driver, "db", make_nic(MAC2, "network='inside'"))
    assert refused(host, domain="db", host_port="53", protocols=["tcp", "udp"]).msg == (
        "protocols: the network 'inside' is isolated, where only a proxy can forward, and that passes TCP on alone; leave udp "
        "out, or choose a network of mode nat."
    )


def test_an_address_that_dhcp_gives_away(host: ForwardHost) -> None:
    assert refused(host, domain=None, network="default", address="192.168.122.150", host_port="80").msg.startswith(
        "address: DHCP may give 192.168.122.150 to any guest of the network 'default'"
    )


def test_a_choice_that_is_none(host: ForwardHost) -> None:
    for options in ({"method": "magic"}, {"protocols": ["icmp"]}, {"state": "open"}):
        assert "value of" in refused(host, host_port="80", **options).msg


@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_record_that_somebody_changed(host: ForwardHost, state: str) -> None:
    host.write(f"{FOLDER}/forwards.json", "{}")
    result = refused(host, host_port="80", state=state)
    assert result.msg == (
        f"{FOLDER}/forwards.json cannot be understood: somebody changed it, or a newer version of this collection wrote it. Use "
        "that version, or remove the file and run the tasks of all forwards of this host again."
    )


def test_no_lock_in_no_time(host: ForwardHost) -> None:
    assert refused(host, host_port="80", lock_timeout=-1).msg == (
        "lock_timeout: '-1' is less than nothing; give seconds, 0 for not waiting."
    )


# --- what the host lacks --------------------------------------------------------------------------------------------------------


def test_no_systemd(host: ForwardHost) -> None:
    (host.root / "run/systemd/system/empty").unlink()
    (host.root / "run/systemd/system").rmdir()
    assert refused(host, host_port="80").msg == "This host does not run systemd, which would make the forwards at each boot."


def test_no_nft(host: ForwardHost) -> None:
    host.missing.add("nft")
    assert refused(host, host_port="80").msg == (
        "'nft' cannot be run on this host: No such file or directory. Install the package nftables."
    )


def test_what_was_never_there_needs_nothing_to_be_absent(host: ForwardHost) -> None:
    host.missing.update({"nft", "ss"})
    assert not host.apply(state="absent", host_port="22; reboot").changed


def test_no_ss(host: ForwardHost) -> None:
    host.missing.add("ss")
    assert refused(host, host_port="80").msg == "'ss' failed on this host: No such file or directory. Install iproute2."


def test_no_proxy(host: ForwardHost) -> None:
    (host.root / PROXY[1:]).unlink()
    assert refused(host, host_port="80", method="proxy").msg.startswith("This host has no systemd-socket-proxyd, ")


@pytest.mark.parametrize("uri", ["qemu+ssh://other/system", "qemu+tls://user@other:16514/system?x=1"])
def test_a_daemon_of_another_machine(host: ForwardHost, uri: str) -> None:
    sentence = (
        f"uri: the daemon at {uri} is on another machine, and a forward is made on the guest's own host; run the task there."
    )
    assert refused(host, uri=uri, host_port="80").msg == sentence
    result = run_module(libvirt_port_forward_info.main, {"uri": uri}, check=False, diff=False)
    assert result.failed
    assert result.msg == sentence
