# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What is missing on the host: each has its own sentence, with the cure."""

from __future__ import annotations

import getpass
import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.modules import libvirt_network, libvirt_network_info
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import network_task, run_main, snapshot

MODULES = pytest.mark.parametrize("module", [libvirt_network, libvirt_network_info], ids=lambda module: module.__name__[-12:])
MODES = pytest.mark.parametrize("check", [True, False], ids=["check", "real"])

# A Python that has not got a library, in which a module runs as Ansible runs it.
WITHOUT = """
import sys
sys.modules[{library!r}] = None
from ansible.module_utils.testing import patch_module_args
from ansible_collections.kvmops.network.plugins.modules import {module}
with patch_module_args({{"name": "lab", "uri": "test:///default"}} if {module!r} == "libvirt_network" else {{"uri": "test:///default"}}):
    {module}.main()
"""


def options_of(module: t.Any) -> dict[str, t.Any]:
    return {"name": "lab"} if module is libvirt_network else {}


@MODULES
@pytest.mark.parametrize(
    ("library", "package"),
    [
        ("libvirt", "python3-libvirt (SUSE: python3-libvirt-python)"),
        ("lxml", "python3-lxml"),
    ],
)
def test_a_missing_library(module: t.Any, library: str, package: str) -> None:
    # seed 001-1
    script = WITHOUT.format(library=library, module=module.__name__.rpartition(".")[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 1, done.stderr
    result = json.loads(done.stdout)
    assert result["msg"] == (
        f"The Python library {library} is missing on this host. Install the package {package}, or run the role "
        "kvmops.network.hypervisor."
    )
    assert result["requirement"] == "library"


@MODULES
@MODES
def test_a_stopped_daemon(module: t.Any, check: bool) -> None:
    # seed 001-3
    uri = "qemu+unix:///system?socket=/nonexistent"
    result = run_main(module.main, {**options_of(module), "uri": uri}, check=check)
    assert result.failed
    assert result.msg == (
        f"libvirt's daemon does not answer at {uri} (Failed to connect socket to '/nonexistent': No such file or "
        "directory). Start it "
        "with 'systemctl start libvirtd' (or the sockets of virtqemud and virtnetworkd where libvirt is split into "
        "several daemons), "
        "or run the role kvmops.network.hypervisor."
    )
    assert result.data["requirement"] == "daemon"
    assert "exception" not in result.data


@MODULES
@MODES
def test_a_missing_permission(monkeypatch: pytest.MonkeyPatch, module: t.Any, check: bool) -> None:
    # seed 001-2, 001-39
    said = "authentication unavailable: no polkit agent available to authenticate action 'org.libvirt.unix.manage'"

    class Refusal(libvirt.libvirtError):
        def get_error_message(self) -> str:
            return said

    def refuse(_uri: str) -> None:
        raise Refusal(said)

    monkeypatch.setattr(libvirt, "open", refuse)
    result = run_main(module.main, {**options_of(module), "uri": "qemu:///system"}, check=check)
    assert result.failed
    assert result.msg == (
        f"The user {getpass.getuser()} may not manage libvirt at qemu:///system ({said}). Run the task as root (become: "
        "true), or make "
        "the user a member of the group libvirt and log in anew."
    )
    assert result.data["requirement"] == "permission"


@MODULES
@MODES
def test_a_wrong_uri(module: t.Any, check: bool) -> None:
    result = run_main(module.main, {**options_of(module), "uri": "qemu+bogus:///system"}, check=check)
    assert result.failed
    assert result.msg.startswith("There is no libvirt at qemu+bogus:///system (")
    assert result.msg.endswith("). Correct the option uri, for example qemu:///system.")
    assert result.data["requirement"] == "uri"


def test_another_task_holds_the_lock(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "lock"
    monkeypatch.setattr(
        "ansible_collections.kvmops.network.plugins.module_utils._edge.lock.host_lock.__wrapped__.__kwdefaults__",
        {"path": str(path)},
    )
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import fcntl, sys; f = open(sys.argv[1], 'a'); fcntl.flock(f, fcntl.LOCK_EX); print(1, flush=True); "
            "sys.stdin.read()",
            str(path),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"1\n"
        result = network_task(name="lab", mtu=1400, lock_timeout=0)
        # check mode changes nothing, and so needs no lock
        assert not network_task(check=True, name="lab", mtu=1400, lock_timeout=0).failed
        holder.kill()
    assert result.failed
    assert result.msg.startswith(f"Another task has been changing this host's networks for 0 seconds (it holds {path}).")
    assert snapshot(driver) == {}
    assert network_task(name="lab", mtu=1400, lock_timeout=0).changed


def test_what_nobody_thought_of_is_to_be_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(_uri: str) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr(libvirt, "open", stumble)
    result = network_task(name="lab")
    assert result.failed
    assert result.msg.startswith("This should not have happened, please report it: KeyError('surprise') in stumble (")
    assert "test_libvirt_network_requirements.py:" in result.msg
