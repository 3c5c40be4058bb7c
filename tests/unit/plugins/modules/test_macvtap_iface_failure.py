# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""A step fails in the middle: what was done before is taken back, and where that fails as well, both reasons are said."""

from __future__ import annotations

import fcntl
import typing as t
from pathlib import Path

import pytest

from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import Result
from ansible_collections.kvmops.network.tests.unit.plugins.support.macvtap_host import MacvtapHost

SERVICE = "/etc/systemd/system/kvmops-mv0.service"
STARTS = "/etc/udev/rules.d/71-kvmops-mv0.rules"
PROFILE = "/etc/NetworkManager/system-connections/kvmops-mv0.nmconnection"
ALL_BACK = " All is as it was before."
TAP = {"owner": "qemu", "group": "kvm", "mode": "0660"}
FULL: dict[str, t.Any] = {
    "mode": "source",
    "source_macs": ["02:00:00:00:00:01"],
    "addresses": ["198.51.100.1/24", "2001:db8::1/64"],
    "routes": [{"destination": "10.0.0.0/8", "gateway": "198.51.100.9"}, {"destination": "2001:db8:1::/48"}],
    "tap": TAP,
}


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MacvtapHost:
    return MacvtapHost(tmp_path, monkeypatch)


def seen(host: MacvtapHost) -> t.Any:
    """Return all that a user sees of the host; a new number of the interface is no difference."""
    links, disk, _owners = host.state()
    interface = links.pop("mv0", None)
    if interface is None:
        return links, disk, None
    shown = {name: value for name, value in vars(interface).items() if name not in ("index", "before", "accept_ra")}
    shown["routes"] = {(route.destination, route.gateway, route.metric) for route in interface.routes}
    shown["addresses"] = set(interface.addresses)
    return links, disk, shown


def failed(result: Result) -> str:
    assert result.failed
    assert not result.changed
    assert "exception" not in result.data
    assert "Traceback" not in str(result.data)
    return result.msg


# where it fails, what the one who fails says, and the sentence
NEW = {
    f"write_file {SERVICE}": ("No space left on device", f"{SERVICE} cannot be written: No space left on device."),
    f"write_file {STARTS}": ("Read-only file system", f"{STARTS} cannot be written: Read-only file system."),
    "udevadm control --reload": ("it does not run", "'udevadm control --reload' failed: it does not run."),
    "link add name mv0": ("RTNETLINK answers: Operation not permitted", None),
    "set net/ipv6/conf/mv0/disable_ipv6": (
        "Read-only file system",
        "The kernel did not take net/ipv6/conf/mv0/disable_ipv6 = 0: Read-only file system.",
    ),
    "link set dev mv0 type macvtap macaddr": ("RTNETLINK answers: Operation not supported", None),
    "address add 2001:db8::1/64 dev mv0": ("RTNETLINK answers: Permission denied", None),
    "link set dev mv0 up": ("RTNETLINK answers: Device or resource busy", None),
    "route add 10.0.0.0/8": ("Error: Nexthop has invalid gateway.", None),
    "chown": ("Operation not permitted", "/dev/tap# cannot be given to qemu:kvm: Operation not permitted."),
}


@pytest.mark.parametrize("where", NEW)
def test_a_new_one(host: MacvtapHost, where: str) -> None:
    said, sentence = NEW[where]
    before = seen(host)
    once(host, where, said)
    message = failed(host.task(**FULL))
    if sentence is not None and "#" in sentence:
        start, _number, end = sentence.partition("#")
        assert start in message
        assert message.endswith(end + ALL_BACK)
    elif sentence is not None:
        assert message == sentence + ALL_BACK
    else:
        assert message.startswith(f"ip failed ({where}")
        assert message.endswith(f"): {said.rstrip('.')}.{ALL_BACK}")
    assert seen(host) == before


def test_systemd_does_not_read_its_files(host: MacvtapHost) -> None:
    before = seen(host)
    host.failing["systemctl daemon-reload"] = "it hangs"
    message = failed(host.task(**FULL))
    assert message == (
        "'systemctl daemon-reload' failed: it hangs. What could not be put back: 'systemctl daemon-reload' failed: it hangs."
    )
    assert seen(host) == before


def test_no_udev(host: MacvtapHost) -> None:
    before = seen(host)
    host.has_udev = False
    assert failed(host.task()) == (
        f"The kernel made mv0, and there is no device node /dev/tap… for it. Does udev run on this host?{ALL_BACK}"
    )
    assert seen(host) == before
    # a macvlan has none
    assert not host.task(kind="macvlan").failed


OTHER: dict[str, t.Any] = {
    "mode": "vepa",
    "mac": "52:54:00:7a:00:01",
    "mtu": 1400,
    "bcqueuelen": 5,
    "addresses": ["198.51.100.2/24"],
    "routes": [{"destination": "10.0.0.0/8"}],
    "tap": {"owner": "root", "group": "kvm", "mode": "0640"},
}
ANEW: dict[str, t.Any] = {**OTHER, "queues": 4}


@pytest.mark.parametrize(
    "where",
    [
        f"write_file {SERVICE}",
        "udevadm control --reload",
        "route del 2001:db8:1::/48",
        "link set dev mv0 type macvtap mode vepa",
        "link set dev mv0 address 52:54:00:7a:00:01",
        "link set dev mv0 mtu 1400",
        "link set dev mv0 type macvtap bcqueuelen 5",
        "address replace 198.51.100.2/24",
        "address del 198.51.100.1/24",
        "set net/ipv6/conf/mv0/disable_ipv6",
        "route replace 10.0.0.0/8 metric",
        "chown",
    ],
)
def test_in_place(host: MacvtapHost, where: str) -> None:
    assert not host.task(**FULL).failed
    before = seen(host)
    index = host.kernel.links["mv0"].index
    once(host, where)
    assert failed(host.task(**OTHER)).endswith(ALL_BACK)
    assert seen(host) == before
    assert host.kernel.links["mv0"].index == index
    host.failing.clear()
    assert not host.task(**FULL).changed


@pytest.mark.parametrize(
    "where", ["link delete dev mv0", "link add name mv0", "link set dev mv0 up", "route add 10.0.0.0/8", "chown"]
)
def test_made_anew(host: MacvtapHost, where: str) -> None:
    assert not host.task(**FULL).failed
    before = seen(host)
    once(host, where)
    assert failed(host.task(**ANEW)).endswith(ALL_BACK)
    assert seen(host) == before


@pytest.mark.parametrize("where", [f"remove_file {SERVICE}", "link delete dev mv0"])
def test_removed(host: MacvtapHost, where: str) -> None:
    assert not host.task(**FULL).failed
    before = seen(host)
    once(host, where)
    assert failed(host.task(state="absent")).endswith(ALL_BACK)
    assert seen(host) == before


def once(host: MacvtapHost, where: str, said: str = "it failed") -> None:
    """Have something fail the first time alone."""

    class Once(dict[str, str]):
        def items(self) -> t.Any:
            return list(super().items()) if not any(line.startswith(where) for line in host.done[:-1]) else []

    host.failing = Once({where: said})


def test_the_way_back_fails_as_well(host: MacvtapHost) -> None:
    assert not host.task(backend="none", mtu=1400).failed
    host.failing["link set dev mv0 mtu"] = "RTNETLINK answers: Device or resource busy"
    host.failing["link set dev mv0 type macvtap mode bridge"] = "RTNETLINK answers: Invalid argument"
    message = failed(host.task(backend="none", mode="vepa", mtu=1300))
    assert message == (
        "ip failed (link set dev mv0 mtu 1300): RTNETLINK answers: Device or resource busy. What could not be put back: ip "
        "failed (link set dev mv0 type macvtap mode bridge): RTNETLINK answers: Invalid argument."
    )


def test_each_step_of_the_way_back_is_tried(host: MacvtapHost) -> None:
    assert not host.task(tap=TAP).failed
    before = host.kernel.interface("mv0")
    host.failing["chown"] = "Operation not permitted"
    host.failing[f"remove_file {SERVICE}"] = "never done"
    host.failing["udevadm"] = "it does not run"
    message = failed(host.task(mtu=1400))
    assert message == (
        "'udevadm control --reload' failed: it does not run. What could not be put back: 'udevadm control --reload' failed: it "
        "does not run."
    )
    assert host.kernel.interface("mv0") == before


class TestNetworkManager:
    """A manager is told of both ways."""

    @pytest.fixture
    def managed(self, host: MacvtapHost) -> MacvtapHost:
        host.missing.clear()
        host.managed_by_network_manager.add("eth1")
        return host

    def test_it_does_not_take_the_profile(self, managed: MacvtapHost) -> None:
        before = seen(managed)
        managed.failing["nmcli connection load"] = "Error: failed to load connection"
        message = failed(managed.task())
        assert message == f"'nmcli connection load {PROFILE}' failed: Error: failed to load connection.{ALL_BACK}"
        assert seen(managed) == before

    def test_it_does_not_forget(self, managed: MacvtapHost) -> None:
        assert not managed.task().failed
        before = seen(managed)
        once(managed, "NetworkManager forgets mv0")
        message = failed(managed.task(state="absent"))
        assert message == f"'NetworkManager forgets mv0' failed: it failed.{ALL_BACK}"
        assert seen(managed) == before

    def test_a_profile_that_it_forgot_is_told_again(self, managed: MacvtapHost) -> None:
        assert not managed.task().failed
        before = seen(managed)
        once(managed, f"write_file {SERVICE}")
        assert failed(managed.task(backend="unit")).endswith(ALL_BACK)
        assert seen(managed) == before
        assert f"nmcli connection load {PROFILE}" in managed.done


class TestWhoHasJustLearnt:
    """The back end of the plan lets go of the interface first, or it would make it again."""

    def test_networkd(self, host: MacvtapHost) -> None:
        host.networkd = 257
        host.manage(host.kernel.links["eth1"], "10-eth1.network")
        before = seen(host)
        host.has_udev = False
        assert failed(host.task()).endswith(ALL_BACK)
        assert seen(host) == before
        steps = [line for line in host.done if line.startswith(("networkd forgets", "networkctl", "ip -batch", "remove_file"))]
        assert steps[:2] == ["networkctl reload", "networkd forgets mv0"]

    def test_from_a_unit_to_network_manager(self, host: MacvtapHost) -> None:
        assert not host.task(backend="unit").failed
        host.missing.clear()
        host.managed_by_network_manager.add("eth1")
        before = seen(host)
        once(host, "nmcli connection load")
        assert failed(host.task(backend="networkmanager")).endswith(ALL_BACK)
        assert seen(host) == before
        after = host.done[host.done.index(f"nmcli connection load {PROFILE}") :]
        assert after[1] == "NetworkManager forgets mv0"

    def test_not_the_one_that_kept_it(self, host: MacvtapHost) -> None:
        host.missing.clear()
        host.managed_by_network_manager.add("eth1")
        assert not host.task().failed
        before = seen(host)
        once(host, "link set dev mv0 mtu 1400")
        assert failed(host.task(mtu=1400)).endswith(ALL_BACK)
        assert seen(host) == before
        assert "NetworkManager forgets mv0" not in host.done


def test_a_lock_that_somebody_holds(host: MacvtapHost) -> None:
    path = host.root / "run/lock/kvmops"
    path.touch()
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        message = failed(host.task(lock_timeout=0))
    assert message.startswith("Another task has been changing this host's networks for 0 seconds (it holds ")
    assert host.done == []


def test_a_mistake_of_ours_is_told_with_its_place(host: MacvtapHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "_answer", lambda *_what: (0, '[{"ifindex": 1, "ifname": "eth1"}]', ""))
    result = host.task()
    assert result.failed
    assert result.msg.startswith("This should not have happened, please report it: KeyError('mtu')")
