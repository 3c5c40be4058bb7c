# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The real modules for port forwards on a host whose systemd and firewall are models, and files under a temporary folder."""

from __future__ import annotations

import copy
import functools
import glob
import json
import os
import types
import typing as t
from pathlib import Path

import libvirt
import pytest
from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kvmops.network.plugins.module_utils import _module
from ansible_collections.kvmops.network.plugins.module_utils._edge import files, forwards, host_state, lock
from ansible_collections.kvmops.network.plugins.module_utils._forward import keeper
from ansible_collections.kvmops.network.plugins.modules import libvirt_port_forward, libvirt_port_forward_info
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import Result, run_main
from ansible_collections.kvmops.network.tests.unit.plugins.support.firewall import Firewall
from ansible_collections.kvmops.network.tests.unit.plugins.support.nics import define_guest, define_network, make_nic, world

__all__ = ["FOLDER", "KEEPER", "MAC", "ForwardHost", "Killed"]

FOLDER = "/var/lib/kvmops-network/port-forwards"
UNITS = "/etc/systemd/system"
KEEPER = "kvmops-port-forwards.service"
PROXY = "/usr/lib/systemd/systemd-socket-proxyd"
MAC = "52:54:00:00:00:01"

_NETWORK = """
<forward mode='nat'/><bridge name='virbr0'/>
<ip address='192.168.122.1' prefix='24'><dhcp><range start='192.168.122.100' end='192.168.122.199'/></dhcp></ip>
"""
_ISOLATED = (
    "<bridge name='virbr8'/><ip address='10.8.0.1' prefix='24'><dhcp><range start='10.8.0.9' end='10.8.0.99'/></dhcp></ip>"
)


class Killed(BaseException):
    """The module was killed."""


class ForwardHost:
    """A host with the guest web on the networks default and, with another NIC, inside, which is isolated.

    `steps` are those that have changed something since the last task began. The one with the number `breaks` does not happen:
    the module is killed, or, if `fails`, told that it did not work. `refused` are beginnings of steps that never work.
    """

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, driver: libvirt.virConnect) -> None:
        """Have all that is read or written be a model, or under the folder."""
        self.root, self.driver = root, driver
        self.firewall = Firewall()
        self.active: set[str] = set()
        self.enabled: set[str] = set()
        self.known: dict[str, str] = {}
        self.listeners: list[str] = []
        self.links: dict[str, str] = {}
        self.leases: list[dict[str, t.Any]] = []
        self.missing: set[str] = set()
        self.refused: tuple[str, ...] = ()
        self.steps: list[str] = []
        self.breaks = 0
        self.fails = False
        define_network(driver, "default", _NETWORK, running=True)
        define_network(driver, "inside", _ISOLATED, running=True)
        define_guest(driver, "web", make_nic(MAC, "network='default'"), running=True)
        for path, text in {
            "/proc/sys/net/bridge/bridge-nf-call-iptables": "0\n",
            "/proc/sys/net/ipv4/conf/default/route_localnet": "0\n",
            "/proc/sys/net/ipv4/conf/virbr0/route_localnet": "0\n",
            "/run/systemd/system/empty": "",
            "/run/lock/empty": "",
            PROXY: "",
            f"{UNITS}/somebodys.service": "",
            "/var/lib/somebodys": "",
        }.items():
            self.write(path, text)
        (root / PROXY[1:]).chmod(0o755)
        self._move(monkeypatch)

    def _move(self, monkeypatch: pytest.MonkeyPatch) -> None:
        moved = self._moved
        path = types.SimpleNamespace(isfile=moved(os.path.isfile), isdir=moved(os.path.isdir), dirname=os.path.dirname)
        path.realpath = lambda text: self.links.get(text, text)
        system = types.SimpleNamespace(path=path, rmdir=moved(os.rmdir), access=moved(os.access), X_OK=os.X_OK)
        monkeypatch.setattr(forwards, "os", system)
        monkeypatch.setattr(forwards, "glob", types.SimpleNamespace(glob=self._glob))
        monkeypatch.setattr(host_state, "_SYSCTL", f"{self.root}/proc/sys/net")
        monkeypatch.setattr(keeper, "open", moved(open), raising=False)
        monkeypatch.setattr(forwards, "read_files", self._read_files)
        for change in (files.write_file, files.remove_file):
            monkeypatch.setattr(forwards, change.__name__, self._changing(change))
        monkeypatch.setattr(_module, "host_lock", functools.partial(lock.host_lock, path=f"{self.root}/run/lock/kvmops"))
        monkeypatch.setattr(libvirt.virNetwork, "DHCPLeases", lambda network: self.leases if network.name() == "default" else [])
        monkeypatch.setattr(AnsibleModule, "run_command", lambda _module, command, **_more: self._run(command))

    # --- its files --------------------------------------------------------------------------------------------------------------

    def write(self, path: str, text: str) -> None:
        """Have a file."""
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def read(self, path: str) -> str:
        """Return a file's text."""
        return (self.root / path.lstrip("/")).read_text()

    def _moved(self, function: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
        return lambda path, *what, **more: function(f"{self.root}{path}", *what, **more)

    def _glob(self, pattern: str) -> list[str]:
        return [path[len(str(self.root)) :] for path in glob.glob(f"{self.root}{pattern}")]

    def _read_files(self, paths: t.Iterable[str]) -> dict[str, bytes | None]:
        return {path: files.read_files([f"{self.root}{path}"])[f"{self.root}{path}"] for path in paths}

    def _changing(self, change: t.Callable[..., None]) -> t.Callable[..., None]:
        def changing(path: str, *what: t.Any, **more: t.Any) -> None:
            if self._step(f"{change.__name__} {path}"):
                raise OSError(28, "No space left on device")
            change(f"{self.root}{path}", *what, **more)

        return changing

    @property
    def files(self) -> dict[str, str]:
        """All files that may be about forwards, with those of folders that are left."""
        found = [path for top in ("etc", "var") for path in sorted((self.root / top).rglob("*")) if (self.root / top).exists()]
        return {f"/{path.relative_to(self.root)}": path.read_text() if path.is_file() else "" for path in found}

    def state(self) -> dict[str, t.Any]:
        """Return all that a task can change."""
        rules = {
            place: {chain: [(rule.words, rule.comment) for rule in chain_rules] for chain, chain_rules in table.chains.items()}
            for place, table in self.firewall.tables.items()
        }
        localnet = self.read("/proc/sys/net/ipv4/conf/virbr0/route_localnet").strip()
        units = (sorted(self.active), sorted(self.enabled))
        return copy.deepcopy({"files": self.files, "units": units, "rules": rules, "localnet": localnet, **world(self.driver)})

    # --- its programs -----------------------------------------------------------------------------------------------------------

    def listen(self, where: str, process: str = "sshd", protocol: str = "tcp") -> None:
        """Have a process listen."""
        self.listeners.append(f'{protocol} LISTEN 0 128 {where} 0.0.0.0:* users:(("{process}",pid=7,fd=3))')

    def _step(self, step: str) -> bool:
        """Note a step. Return whether it does not work."""
        self.steps.append(step)
        if step.startswith(self.refused) if self.refused else False:
            return True
        if len(self.steps) == self.breaks:
            if not self.fails:
                raise Killed
            return True
        return False

    def _run(self, command: list[str]) -> tuple[int, str, str]:
        if command[0] in self.missing:
            raise FileNotFoundError(2, "No such file or directory", command[0])
        if command[0] == "systemctl":
            return self._systemctl(command[1], [word for word in command[2:] if not word.startswith("-")])
        if command[0] == "ss":
            return 0, "\n".join([*self.listeners, *self._sockets(), ""]), ""
        if command[0] in ("nft", "iptables", "ip6tables"):
            return self.firewall(command)
        raise AssertionError(command)

    def _sockets(self) -> list[str]:
        texts = [self.read(f"{UNITS}/{unit}") for unit in sorted(self.active) if unit.endswith(".socket")]
        at = [line.partition("=")[2] for text in texts for line in text.splitlines() if line.startswith("ListenStream=")]
        return [f'tcp LISTEN 0 4096 {where} 0.0.0.0:* users:(("systemd",pid=1,fd=9))' for where in at]

    def _systemctl(self, verb: str, units: list[str]) -> tuple[int, str, str]:
        if verb == "is-active":
            return (0, "active\n", "") if units[0] in self.active else (3, "inactive\n", "")
        if verb == "is-enabled":
            return (0, "enabled\n", "") if units[0] in self.enabled else (1, "disabled\n", "")
        if self._step(" ".join(["systemctl", verb, *units])):
            return 1, "", f"Job failed: {verb}.\n"
        for unit in units:
            answer = self._do(verb, unit)
            if answer:
                return 1, "", f"{answer}\n"
        if verb in ("daemon-reload", "enable", "disable"):
            self.known = {unit: self.read(f"{UNITS}/{unit}") for unit in os.listdir(self.root / UNITS[1:])}
        return 0, "", ""

    def _do(self, verb: str, unit: str) -> str:
        there = (self.root / UNITS[1:] / unit).exists()
        if verb in ("enable", "disable") and not there:
            return f"Failed to {verb} unit: Unit file {unit} does not exist."
        if verb == "enable":
            self.enabled.add(unit)
        elif verb == "disable":
            self.enabled.discard(unit)
            self._stop(unit)
        elif verb == "stop":
            self._stop(unit)
        elif verb in ("start", "restart", "reload"):
            return self._start(unit, verb)
        return ""

    def _start(self, unit: str, verb: str) -> str:
        if unit not in self.known:
            return f"Failed to {verb} {unit}: Unit {unit} not found."
        if self.known[unit] != self.read(f"{UNITS}/{unit}"):
            return f"Warning: The unit file of {unit} changed on disk. Run 'systemctl daemon-reload'."
        if verb == "restart":
            self._stop(unit)
        if unit == KEEPER:
            try:
                keeper.put(json.loads(self.read(f"{FOLDER}/rules.json")), f"{self.root}{FOLDER}", self.firewall)
            except OSError as error:
                return f"Job for {unit} failed: {error}."
        self.active.add(unit)
        return ""

    def _stop(self, unit: str) -> None:
        if unit == KEEPER and unit in self.active:
            keeper.remove(json.loads(self.read(f"{FOLDER}/rules.json")), self.firewall)
        self.active.discard(unit)

    # --- the modules ------------------------------------------------------------------------------------------------------------

    def task(self, *, check: bool = False, diff: bool = True, **options: t.Any) -> Result:
        """Run libvirt_port_forward, whether it fails or not."""
        self.steps.clear()
        given = {"name": "web", **options}
        if given.get("state") != "absent" and not {"network", "address"} <= given.keys():
            given = {"domain": "web", **given}
        return run_main(libvirt_port_forward.main, given, check=check, diff=diff)

    def apply(self, **options: t.Any) -> Result:
        """Run a task that has to succeed."""
        result = self.task(**options)
        assert not result.failed, result.msg
        return result

    def info(self, *, check: bool = False, **options: t.Any) -> Result:
        """Run libvirt_port_forward_info, whether it fails or not."""
        return run_main(libvirt_port_forward_info.main, options, check=check)

    def step(self, *, changed: bool, **options: t.Any) -> Result:
        """Predict and apply a task, and compare the two."""
        before = self.state()
        predicted = self.apply(check=True, **options)
        assert self.state() == before
        assert self.steps == []
        real = self.apply(**options)
        assert (predicted.changed, real.changed) == (changed, changed), real.data
        assert predicted.data == real.data
        assert predicted.warnings == real.warnings
        assert (self.state() != before) is changed
        if changed:
            done = self.state()
            again = self.apply(**options)
            assert (again.changed, again.data["actions"], self.steps) == (False, [], [])
            assert "diff" not in again.data
            assert self.state() == done
        return real
