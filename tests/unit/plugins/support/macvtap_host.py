# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The real modules for macvtap interfaces on a host that is a model of the kernel, and files under a temporary folder."""

from __future__ import annotations

import copy
import functools
import glob
import grp
import json
import os
import pwd
import types
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kvmops.network.plugins.module_utils import _module
from ansible_collections.kvmops.network.plugins.module_utils._edge import files, links, lock, macvtap, networkd
from ansible_collections.kvmops.network.plugins.module_utils._errors import ApplyError
from ansible_collections.kvmops.network.plugins.module_utils._macvtap import survey, task
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.host import Node
from ansible_collections.kvmops.network.plugins.modules import macvtap_iface, macvtap_iface_info
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import Result, run_module
from ansible_collections.kvmops.network.tests.unit.plugins.support.macvtap_kernel import Kernel, Link, Refused, networkd_makes

MACHINE_ID = "0123456789abcdef0123456789abcdef"
USERS = {"root": 0, "qemu": 107}
GROUPS = {"root": 0, "kvm": 36}
_READING = ("ip -j ", "ip link help ", "systemctl is-active --quiet ", "nmcli -t ", "networkctl --version")


class MacvtapHost:
    """A host with eth1 and eth2, which ifupdown brings up, and systemd."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.kernel = Kernel()
        self.kernel.add("eth1", "192.0.2.10/24", up=True)
        self.kernel.add("eth2", up=True)
        self.settings: dict[str, int] = {}
        self.commands: list[list[str]] = []
        self.done: list[str] = []
        self.missing: set[str] = {"nmcli"}
        self.failing: dict[str, str] = {}
        self.holders: list[str] = []
        self.lacking: set[str] = set()
        self.wireless: set[str] = set()
        self.networkd = 0
        self.networkd_makes = self.networkd_settles = True
        self.managed_by_network_manager: set[str] = set()
        self.managed_by_ifupdown = {"eth1", "eth2"}
        self.additions: dict[str, str] = {}
        self.has_systemd = True
        self.has_udev = True
        self.help = "Usage: ... link macvtap [ mode MODE ] [ bcqueuelen BCQUEUELEN ] nodst"
        self.owners: dict[str, tuple[int, int]] = {}
        self.write("/etc/machine-id", f"{MACHINE_ID}\n")
        self.write("/run/lock/empty", "")
        self._move(monkeypatch)

    def _move(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have all that is read or written be the model or under the temporary folder."""
        root = str(self.root)
        monkeypatch.setattr(networkd, "_STATE", f"{root}{networkd._STATE}")
        monkeypatch.setattr(networkd, "_FOLDERS", tuple(f"{root}{folder}" for folder in networkd._FOLDERS))
        by_ifupdown = types.SimpleNamespace(manages=lambda device: device.name in self.managed_by_ifupdown)
        monkeypatch.setattr(survey, "ifupdown", by_ifupdown)
        monkeypatch.setattr(survey, "read_files", self._read_files)
        monkeypatch.setattr(survey, "_paths", self._paths)
        isdir = types.SimpleNamespace(isdir=lambda path: path == "/run/systemd/system" and self.has_systemd)
        monkeypatch.setattr(survey, "os", types.SimpleNamespace(path=isdir))
        monkeypatch.setattr(
            macvtap, "write_file", lambda path, *what, **more: self._change(path, files.write_file, *what, **more)
        )
        monkeypatch.setattr(macvtap, "remove_file", lambda path: self._change(path, files.remove_file))
        monkeypatch.setattr(macvtap, "_number", self._number)
        monkeypatch.setattr(macvtap, "_set", lambda setting: self._set(setting.path, setting.value))
        monkeypatch.setattr(macvtap, "read_node", self.node)
        monkeypatch.setattr(macvtap, "holders_of", lambda _node: list(self.holders))
        monkeypatch.setattr(macvtap, "kernel_lacks", lambda kind: kind in self.lacking)
        exists = types.SimpleNamespace(exists=lambda path: path.rpartition("/")[2] in self.kernel.links)
        monkeypatch.setattr(macvtap, "os", types.SimpleNamespace(path=exists, chown=self._chown, chmod=os.chmod))
        monkeypatch.setattr(pwd, "getpwnam", lambda name: types.SimpleNamespace(pw_uid=USERS[name]))
        monkeypatch.setattr(grp, "getgrnam", lambda name: types.SimpleNamespace(gr_gid=GROUPS[name]))
        for module, name, value in ((macvtap, "_NODE_TIMEOUT", 0.01), (task, "_SETTLING_TIME", 0.05), (task, "_POLL", 0.001)):
            monkeypatch.setattr(module, name, value)
        monkeypatch.setattr(_module, "host_lock", functools.partial(lock.host_lock, path=f"{root}/run/lock/kvmops"))
        monkeypatch.setattr(links, "_is_wireless", lambda name: name in self.wireless)
        monkeypatch.setattr(AnsibleModule, "run_command", lambda _module, command, **_more: self._run(command))

    # --- its files --------------------------------------------------------------------------------------------------------

    def write(self, path: str, text: str) -> Path:
        """Write a file of the host."""
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        return place

    @property
    def disk(self) -> dict[str, str]:
        """All files below /etc but the machine's id."""
        found = {f"/{path.relative_to(self.root)}": path for path in (self.root / "etc").rglob("*") if path.is_file()}
        return {name: path.read_text() for name, path in sorted(found.items()) if name != "/etc/machine-id"}

    def _read_files(self, paths: t.Iterable[str]) -> dict[str, bytes | None]:
        return {path: files.read_files([f"{self.root}{path}"])[f"{self.root}{path}"] for path in paths}

    def _paths(self, pattern: str) -> list[str]:
        start = str(self.root)
        return [path[len(start) :] for path in sorted(glob.glob(f"{start}{pattern}"))] if "*" in pattern else [pattern]

    def _change(self, path: str, how: t.Callable[..., None], *what: t.Any, **more: t.Any) -> None:
        self.done.append(f"{how.__name__} {path}")
        self._fail_if_asked(f"{how.__name__} {path}", lambda said: OSError(28, said))
        how(f"{self.root}{path}", *what, **more)

    # --- its links --------------------------------------------------------------------------------------------------------

    def node(self, name: str) -> Node | None:
        """Return the device node of a macvtap."""
        link = self.kernel.links.get(name)
        if link is None or link.kind != "macvtap" or not self.has_udev:
            return None
        path = self.root / f"dev/tap{link.index}"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.touch()
            path.chmod(0o600)
        owner, group = self.owners.get(str(path), (0, 0))
        return Node(str(path), owner=owner, group=group, mode=path.stat().st_mode & 0o777)

    def _chown(self, path: str, owner: int, group: int) -> None:
        self.done.append(f"chown {path.rpartition('/')[2]} {owner}:{group}")
        self._fail_if_asked("chown", lambda said: OSError(1, said))
        self.owners[path] = (owner, group)

    def state(self) -> t.Any:
        """Return all that can be changed, to be compared."""
        return copy.deepcopy((self.kernel.links, self.disk, self.owners))

    def make(self, name: str = "mv0", kind: str = "macvtap", mode: str = "bridge", parent: str = "eth1", **values: t.Any) -> Link:
        """Have an interface that somebody made."""
        link = self.kernel.add(
            name, kind=kind, mode=mode, parent=parent, **{"up": True, "all_multicast": kind == "macvtap", **values}
        )
        link.disable_ipv6, link.accept_ra = 1, 0
        return link

    def _number(self, path: str) -> int | None:
        name = path.partition("/proc/sys/")[2]
        return self.settings.get(name, self.kernel.get(name))

    def _set(self, path: str, value: str) -> None:
        self.done.append(f"set {path} {value}")
        self._fail_if_asked(f"set {path}", lambda said: ApplyError(f"The kernel did not take {path} = {value}: {said}."))
        try:
            self.kernel.set(path, value)
        except Refused as error:
            raise ApplyError(f"The kernel did not take {path} = {value}: {error}.") from None

    # --- its programs -----------------------------------------------------------------------------------------------------

    def _fail_if_asked(self, line: str, error: t.Callable[[str], Exception]) -> None:
        for start, said in self.failing.items():
            if line.startswith(start):
                raise error(said)

    def _run(self, command: list[str]) -> tuple[int, str, str]:
        line = " ".join(command)
        self.commands.append(command)
        if command[0] in self.missing:
            raise FileNotFoundError(2, "No such file or directory", command[0])
        if not line.startswith(_READING):
            self.done.append(command[3] if command[0] == "sh" else "ip -batch" if "-batch" in command else line)
        for start, said in self.failing.items():
            if self.done and self.done[-1].startswith(start) and not line.startswith(_READING):
                return 1, "", f"{said}\n"
        return self._answer(command, line)

    def _answer(self, command: list[str], line: str) -> tuple[int, str, str]:
        if line == "ip -j -d addr show":
            return 0, json.dumps(self.kernel.entries()), ""
        if line.startswith("ip -j -") and line.endswith(" route show table all"):
            return 0, json.dumps(self.kernel.route_entries(int(command[2][1]))), ""
        if line.startswith("ip link help "):
            return 255, "", self.help
        if command[:2] == ["ip", "-batch"]:
            return self._batch(command[2])
        if command[:4] == ["ip", "link", "delete", "dev"]:
            return self._one_line(f"link delete dev {command[4]}")
        if line.startswith("systemctl is-active"):
            return (0 if self.networkd else 3), "", ""
        if line == "networkctl --version":
            return 0, f"systemd {self.networkd} ({self.networkd}.1-1)\n+PAM\n", ""
        if line.startswith("nmcli -t ") and command[-1] in self.managed_by_network_manager:
            return 0, "GENERAL.STATE:100 (connected)\nGENERAL.CON-UUID:7\n", ""
        if command[0] == "sh":
            self._forget(command)
        if "networkctl reload" in line:
            self._settle()
        return 0, "", ""

    def _forget(self, command: list[str]) -> None:
        """Do what a script does to files: the two that have a manager forget an interface."""
        word, _space, rest = command[2].partition(" ")
        if word == "rm":
            for pattern in rest.splitlines()[0].split()[1:]:
                for path in glob.glob(f"{self.root}{pattern}"):
                    Path(path).unlink()
        elif command[3].startswith("NetworkManager forgets "):
            name = command[3].split()[2]
            profile = self.root / f"etc/NetworkManager/system-connections/kvmops-{name}.nmconnection"
            if profile.exists():
                profile.unlink()
            if name in self.managed_by_network_manager:
                self.managed_by_network_manager.discard(name)
                self.kernel.remove(name)

    def _settle(self) -> None:
        self._configure_parents()
        for path in self.disk:
            if path.endswith(".netdev") and self.networkd_makes:
                networkd_makes(self.kernel, path.rpartition("/0-kvmops-")[2][: -len(".netdev")], self.disk)
        for link in self.kernel.links.values() if self.networkd_settles else ():
            own = self.root / f"etc/systemd/network/0-kvmops-{link.name}.network"
            if own.exists() and "Unmanaged" not in own.read_text():
                self.manage(link, own.name)

    def _configure_parents(self) -> None:
        """Do what networkd does with a link whose file got or lost an addition: it takes away what it did not give."""
        before, self.additions = self.additions, {path: text for path, text in self.disk.items() if ".network.d/" in path}
        for path, _text in set(before.items()) ^ set(self.additions.items()):
            link = self.kernel.links[path.split("/")[-2][len("10-") : -len(".network.d")]]
            given = (self.root / f"run/systemd/network/10-{link.name}.network").read_text()
            link.addresses = [text for text in link.addresses if f"Address={text}\n" in given]
            link.routes = [route for route in link.routes if route.protocol == "static"]

    def manage(self, link: Link, file_name: str) -> None:
        """Have networkd configure a link from a file, which gives it the addresses that it has now."""
        path = f"/etc/systemd/network/{file_name}"
        if not (self.root / path.lstrip("/")).exists():
            path = f"/run/systemd/network/{file_name}"
            addresses = "".join(f"Address={text}\n" for text in link.addresses)
            self.write(path, f"[Match]\nName={link.name}\n\n[Network]\n{addresses}")
        self.write(f"/run/systemd/netif/links/{link.index}", f"ADMIN_STATE=configured\nNETWORK_FILE={self.root}{path}\n")

    def _one_line(self, line: str) -> tuple[int, str, str]:
        try:
            self._fail_if_asked(line, Refused)
            self.kernel.do(line)
        except Refused as error:
            return 2, "", f"{error}\n"
        return 0, "", ""

    def _batch(self, path: str) -> tuple[int, str, str]:
        for number, line in enumerate(Path(path).read_text().splitlines(), 1):
            self.done.append(line)
            code, _output, errors = self._one_line(line)
            if code != 0:
                return 1, "", f"{errors}Command failed {path}:{number}\n"
        return 0, "", ""

    # --- the modules ------------------------------------------------------------------------------------------------------

    def task(self, *, check: bool = False, diff: bool = True, **options: t.Any) -> Result:
        """Run macvtap_iface, whether it fails or not."""
        return self._run_main(macvtap_iface.main, {"name": "mv0", "parent": "eth1", **options}, check=check, diff=diff)

    def info(self, *, check: bool = False, **options: t.Any) -> Result:
        """Run macvtap_iface_info, whether it fails or not."""
        return self._run_main(macvtap_iface_info.main, options, check=check, diff=False)

    def _run_main(self, main: t.Callable[[], t.NoReturn], options: dict[str, t.Any], *, check: bool, diff: bool) -> Result:
        self.done.clear()
        return run_module(main, options, check=check, diff=diff)
