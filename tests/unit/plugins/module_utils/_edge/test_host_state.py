# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Settings and services, as the kernel and systemd show them."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge import host_state

UNITS = ["libvirtd.service", "virtqemud.service"]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(host_state, "_SYSCTL", str(tmp_path))
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_settings(settings: Path) -> None:
    write(settings / "ipv4/ip_forward", "1\n")
    write(settings / "ipv6/conf/all/forwarding", "0\n")
    write(settings / "bridge/bridge-nf-call-iptables", "1\n")
    assert host_state.read_forwarding() == {4: True, 6: False}
    assert host_state.read_bridge_filtering() == {4: True}


@pytest.mark.parametrize(("text", "filtered"), [("1\n", True), ("0\n", False), (None, False)])
def test_whether_frames_pass_the_firewall(settings: Path, text: str | None, filtered: bool) -> None:
    # the file is not there without the kernel's module
    if text is not None:
        write(settings / "bridge/bridge-nf-call-ip6tables", text)
    assert host_state.read_bridge_filtering().get(6, False) is filtered


@pytest.mark.usefixtures("settings")
def test_settings_that_the_kernel_has_not() -> None:
    assert host_state.read_forwarding() == {}
    assert host_state.read_bridge_filtering() == {}


def test_the_real_kernels_settings() -> None:
    assert 4 in host_state.read_forwarding()


@pytest.fixture
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Callable[[int, list[str], str], None]:
    """Return what makes a process, by its number, its command and its network namespace ("" for one that cannot be seen)."""
    monkeypatch.setattr(host_state, "_PROCESSES", str(tmp_path))

    def make(number: t.Any, command: list[str], namespace: str = "net:[1]") -> None:
        (tmp_path / str(number) / "ns").mkdir(parents=True)
        (tmp_path / str(number) / "cmdline").write_bytes("\0".join([*command, ""]).encode())
        if namespace:
            (tmp_path / str(number) / "ns/net").symlink_to(namespace)

    make("self", ["python3"])
    return make


def dnsmasq(name: str) -> list[str]:
    return ["/usr/sbin/dnsmasq", f"--conf-file=/var/lib/libvirt/dnsmasq/{name}.conf", "--leasefile-ro"]


def test_servers_that_run(processes: t.Callable[..., None], tmp_path: Path) -> None:
    processes(10, dnsmasq("default"))
    processes(11, dnsmasq("default"))  # each has a helper
    processes(12, dnsmasq("elsewhere"), "net:[2]")  # in a container of this host
    processes(13, dnsmasq("unseen"), "")  # of another user
    processes(14, ["vim", "/var/lib/libvirt/dnsmasq/edited.conf"])
    processes(15, [""])
    processes(16, dnsmasq("my lab's"))
    (tmp_path / "17").mkdir()  # it has just ended
    names = ["default", "elsewhere", "unseen", "edited", "my lab's", "efault", "off"]
    assert host_state.running_servers(names) == {"default", "unseen", "my lab's"}


def test_whether_libvirt_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_state, "_PLACES", (str(tmp_path / "sbin"), str(tmp_path / "bin")))
    assert not host_state.has_libvirt()
    write(tmp_path / "bin/virtqemud", "")
    assert host_state.has_libvirt()


def test_units() -> None:
    commands: list[list[str]] = []
    output = (
        "Id=libvirtd.service\nLoadState=masked\nActiveState=inactive\nUnitFileState=masked\n\n"
        "Id=virtqemud.service\nLoadState=not-found\nActiveState=inactive\n"
    )

    def run(command: list[str]) -> tuple[int, str, str]:
        commands.append(command)
        return 0, output, ""

    assert host_state.read_units(run, UNITS) == {"libvirtd.service": ("masked", "inactive", "masked")}
    assert commands == [["systemctl", "show", "--property=Id,LoadState,ActiveState,UnitFileState", *UNITS]]


def test_units_where_there_is_no_systemd() -> None:
    def missing(_command: list[str]) -> tuple[int, str, str]:
        raise FileNotFoundError

    assert host_state.read_units(missing, UNITS) == {}
    assert host_state.read_units(lambda _command: (1, "", "System has not been booted with systemd"), UNITS) == {}
