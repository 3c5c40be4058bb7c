# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""macvtap interfaces at the edge: the kernel's files, device nodes and programs are fakes, files are under a temporary folder."""

from __future__ import annotations

import glob
import os
import tempfile
import types
import typing as t
from pathlib import Path

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge import macvtap
from ansible_collections.kvmops.network.plugins.module_utils._errors import ApplyError, InputError
from ansible_collections.kvmops.network.plugins.module_utils._file_changes import FileChange
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.commands import Removal, Setting
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.host import Node
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.interface import Ipv6
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.request import Tap

OFF = Ipv6(disabled=True, follows_routers=False)


class Programs:
    """What is run, and what the programs answer."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.batches: list[str] = []
        self.answers: dict[str, tuple[int, str, str]] = {}
        self.missing = False

    def __call__(self, command: list[str]) -> tuple[int, str, str]:
        if self.missing:
            raise FileNotFoundError(2, "No such file or directory", command[0])
        self.calls.append(command)
        if command[:2] == ["ip", "-batch"]:
            self.batches.append(Path(command[2]).read_text())
            code, output, errors = self.answers.get("ip -batch", (0, "", ""))
            return code, output, errors.replace("@", command[2])
        return self.answers.get(" ".join(command), (0, "", ""))


class Inside:
    """The kernel's folders and the device nodes, under a temporary folder."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = str(root)
        tests = types.SimpleNamespace(basename=os.path.basename)
        self.os = types.SimpleNamespace(path=tests)
        for name in ("exists", "isdir"):
            setattr(tests, name, self._moved(getattr(os.path, name)))
        monkeypatch.setattr(macvtap, "os", self.os)
        monkeypatch.setattr(macvtap, "glob", types.SimpleNamespace(glob=self._glob, escape=glob.escape))
        monkeypatch.setattr(macvtap, "open", self._moved(open), raising=False)

    def replace(self, name: str, function: t.Callable[..., t.Any]) -> None:
        """Have a function of os work under the folder."""
        setattr(self.os, name, self._moved(function))

    def _moved(self, function: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
        return lambda path, *what, **more: function(f"{self.root}{path}", *what, **more)

    def _glob(self, pattern: str) -> list[str]:
        return [path[len(self.root) :] for path in glob.glob(f"{self.root}{pattern}")]


@pytest.fixture
def programs() -> Programs:
    return Programs()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(macvtap, "_SETTINGS", str(tmp_path))
    return tmp_path


def put(folder: Path, **values: t.Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in values.items():
        (folder / name).write_text(f"{value}\n")


class TestIpv6:
    """read_ipv6."""

    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            ({"disable_ipv6": 1, "accept_ra": 0}, OFF),
            ({"disable_ipv6": 1, "accept_ra": 1}, OFF),
            ({"disable_ipv6": 0, "accept_ra": 0}, Ipv6(disabled=False, follows_routers=False)),
            ({"disable_ipv6": 0, "accept_ra": 1}, Ipv6(disabled=False, follows_routers=True)),
            ({"disable_ipv6": 0, "accept_ra": 2}, Ipv6(disabled=False, follows_routers=True)),
            # networkd does not turn it off; it makes no addresses
            ({"disable_ipv6": 0, "accept_ra": 0, "addr_gen_mode": 1}, OFF),
            ({"disable_ipv6": 0, "accept_ra": 1, "addr_gen_mode": 1}, Ipv6(disabled=False, follows_routers=True)),
            ({"disable_ipv6": 0, "accept_ra": 0, "addr_gen_mode": 0}, Ipv6(disabled=False, follows_routers=False)),
        ],
    )
    def test_values(self, settings: Path, values: dict[str, int], expected: Ipv6) -> None:
        put(settings / "net/ipv6/conf/mv0", **values)
        assert macvtap.read_ipv6("mv0") == expected

    def test_none(self, settings: Path) -> None:
        assert macvtap.read_ipv6("mv0") is None
        put(settings / "net/ipv6/conf/mv0", disable_ipv6="")
        assert macvtap.read_ipv6("mv0") is None


def test_arp_ignore(settings: Path) -> None:
    put(settings / "net/ipv4/conf/all", arp_ignore=1)
    put(settings / "net/ipv4/conf/mv0", arp_ignore=0)
    assert macvtap.read_arp_ignore(("all", "default", "mv0")) == {"all": 1, "mv0": 0}


class TestNode:
    """Device nodes, in the folder that the kernel has of an interface."""

    @pytest.fixture
    def devices(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Return the folder of device nodes; 7 is that of mv0."""
        (tmp_path / "dev").mkdir()
        (tmp_path / "sys/class/net/mv0/tap7").mkdir(parents=True)
        (tmp_path / "sys/class/net/mv01/tap8").mkdir(parents=True)
        (tmp_path / "sys/class/net/eth1/queues").mkdir(parents=True)
        inside = Inside(tmp_path, monkeypatch)
        inside.replace("stat", os.stat)
        inside.replace("chown", os.chown)
        inside.replace("chmod", os.chmod)
        return tmp_path / "dev"

    def make(self, devices: Path, name: str = "tap7", mode: int = 0o600) -> Path:
        path = devices / name
        path.touch()
        path.chmod(mode)
        return path

    def test_it_is_found(self, devices: Path) -> None:
        self.make(devices, mode=0o640)
        assert macvtap.read_node("mv0") == Node("/dev/tap7", owner=os.getuid(), group=os.getgid(), mode=0o640)

    def test_there_is_none(self, devices: Path) -> None:
        assert macvtap.read_node("mv0") is None  # udev has not made it yet
        self.make(devices, "tap8")
        for name in ("mv0", "eth1", "none", "mv*"):
            assert macvtap.read_node(name) is None

    def test_it_is_given(self, devices: Path) -> None:
        path = self.make(devices)
        macvtap.give_node("mv0", Tap(str(os.getuid()), str(os.getgid()), 0o660))
        assert (path.stat().st_uid, path.stat().st_gid, path.stat().st_mode & 0o777) == (os.getuid(), os.getgid(), 0o660)

    def test_it_is_left_as_it_comes(self, devices: Path) -> None:
        path = self.make(devices, mode=0o640)
        macvtap.give_node("mv0", None)
        assert path.stat().st_mode & 0o777 == 0o640

    def test_it_is_waited_for(self, devices: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        waited: list[float] = []

        def sleep(seconds: float) -> None:
            waited.append(seconds)
            if len(waited) == 3:
                self.make(devices)

        monkeypatch.setattr(macvtap, "time", types.SimpleNamespace(sleep=sleep, monotonic=lambda: 0.0))
        macvtap.give_node("mv0", None)
        assert len(waited) == 3

    @pytest.mark.usefixtures("devices")
    def test_it_does_not_come(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(macvtap, "_NODE_TIMEOUT", 0.01)
        for tap in (None, Tap()):
            with pytest.raises(ApplyError) as caught:
                macvtap.give_node("mv0", tap)
            assert str(caught.value) == (
                "The kernel made mv0, and there is no device node /dev/tap… for it. Does udev run on this host?"
            )

    def test_it_cannot_be_given(self, devices: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def chown(*_what: t.Any) -> None:
            raise PermissionError(1, "Operation not permitted")

        self.make(devices)
        monkeypatch.setattr(vars(macvtap)["os"], "chown", chown)
        with pytest.raises(ApplyError) as caught:
            macvtap.give_node("mv0", Tap("0", "36"))
        assert str(caught.value) == "/dev/tap7 cannot be given to 0:36: Operation not permitted."


class TestUsers:
    """ids_of."""

    def test_names_and_numbers(self) -> None:
        assert macvtap.ids_of(Tap()) == (0, 0)
        assert macvtap.ids_of(Tap("64055", "107")) == (64055, 107)

    def test_nobody(self) -> None:
        with pytest.raises(InputError) as caught:
            macvtap.ids_of(Tap(owner="kvmops-nobody"))
        assert str(caught.value) == "tap.owner: there is no user kvmops-nobody on this host."
        with pytest.raises(InputError) as caught:
            macvtap.ids_of(Tap(group="kvmops-nobody"))
        assert str(caught.value) == "tap.group: there is no group kvmops-nobody on this host."


class TestHolders:
    """holders_of, of processes that are files under a temporary folder."""

    @pytest.fixture
    def processes(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Return the folder of processes. A device node is a name there, and its number is that of the file."""
        (tmp_path / "dev").mkdir()
        for name in ("tap7", "tap8"):
            (tmp_path / "dev" / name).touch()
        inside = Inside(tmp_path, monkeypatch)
        inside.replace("stat", lambda path: types.SimpleNamespace(st_rdev=os.stat(path).st_ino))
        inside.replace("readlink", os.readlink)
        return tmp_path / "proc"

    def start(self, processes: Path, number: int, *words: str, holds: str = "tap7") -> None:
        (processes / str(number) / "fd").mkdir(parents=True)
        (processes / str(number) / "fd/5").symlink_to(processes.parent / "dev" / holds)
        if words:
            (processes / str(number) / "cmdline").write_bytes("".join(f"{word}\0" for word in words).encode())

    def holders(self) -> list[str]:
        return macvtap.holders_of(Node("/dev/tap7", owner=0, group=0, mode=0o600))

    def test_guests_and_others(self, processes: Path) -> None:
        self.start(processes, 1000, "/usr/bin/qemu-system-x86_64", "-name", "guest=web,debug-threads=on", "-S")
        self.start(processes, 20, "/usr/bin/qemu-system-x86_64", "-name", "dev,process=qemu:dev")
        self.start(processes, 30, "/usr/bin/cloud-hypervisor", "--net", "fd=3")
        self.start(processes, 40, "")
        self.start(processes, 50, "/usr/bin/qemu-system-x86_64", "-name", "guest=other", holds="tap8")
        assert self.holders() == [
            "the guest dev (process 20)",
            "cloud-hypervisor (process 30)",
            "a process (process 40)",
            "the guest web (process 1000)",
        ]

    def test_one_that_has_it_open_twice(self, processes: Path) -> None:
        self.start(processes, 20, "/usr/bin/qemu", "-name")
        (processes / "20/fd/6").symlink_to(processes.parent / "dev/tap7")
        assert self.holders() == ["qemu (process 20)"]

    def test_the_node_is_gone(self, processes: Path) -> None:
        self.start(processes, 20, "/usr/bin/qemu")
        assert self.holders() == ["qemu (process 20)"]
        (processes.parent / "dev/tap7").unlink()
        assert self.holders() == []

    def test_nobody(self, processes: Path) -> None:
        processes.mkdir()
        assert self.holders() == []

    def test_one_that_has_just_ended(self, processes: Path) -> None:
        self.start(processes, 20)  # without a command line
        (processes / "20/fd/6").symlink_to(processes.parent / "dev/tap9")
        assert self.holders() == []


class TestKernel:
    """kernel_lacks."""

    @pytest.fixture
    def modules(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        Inside(tmp_path, monkeypatch)
        monkeypatch.setattr(macvtap, "platform", types.SimpleNamespace(release=lambda: "6.1.0-7-amd64"))
        folder = tmp_path / "lib/modules/6.1.0-7-amd64"
        folder.mkdir(parents=True)
        return folder

    def test_modules_cannot_be_seen(self, modules: Path) -> None:
        assert not macvtap.kernel_lacks("macvtap")
        put(modules, **{"modules.builtin": "kernel/fs/ext4/ext4.ko"})
        assert not macvtap.kernel_lacks("macvtap")

    @pytest.mark.parametrize("suffix", ["", ".xz", ".zst", ".gz"])
    def test_there_is_one(self, modules: Path, suffix: str) -> None:
        text = f"kernel/drivers/net/dummy.ko:\nkernel/drivers/net/macvtap.ko{suffix}: kernel/drivers/net/macvlan.ko{suffix}"
        put(modules, **{"modules.dep": text})
        assert not macvtap.kernel_lacks("macvtap")

    def test_it_is_built_in(self, modules: Path) -> None:
        put(modules, **{"modules.dep": "", "modules.builtin": "kernel/drivers/net/macvtap.ko"})
        assert not macvtap.kernel_lacks("macvtap")

    def test_it_is_loaded(self, modules: Path) -> None:
        put(modules, **{"modules.dep": ""})
        (modules.parents[2] / "sys/module/macvtap").mkdir(parents=True)
        assert not macvtap.kernel_lacks("macvtap")
        assert macvtap.kernel_lacks("macvlan")

    def test_there_is_none(self, modules: Path) -> None:
        # another module needs one of its name, and another's name ends so
        text = "kernel/drivers/net/other.ko: kernel/drivers/net/macvtap.ko\nkernel/drivers/net/xmacvtap.ko:"
        put(modules, **{"modules.dep": text, "modules.builtin": "kernel/fs/ext4/ext4.ko"})
        assert macvtap.kernel_lacks("macvtap")


class TestWords:
    """unknown_words."""

    HELP = "Usage: ... macvlan mode MODE [flag MODE_FLAG] [ bcqueuelen BC_QUEUE_LEN ]\nMODE_FLAG: null | nopromisc | nodst\n"

    @pytest.mark.parametrize("answer", [(0, HELP, ""), (255, "", HELP)])
    def test_known(self, programs: Programs, answer: tuple[int, str, str]) -> None:
        programs.answers["ip link help macvlan"] = answer
        assert macvtap.unknown_words(programs, "macvlan", ["bcqueuelen", "nodst"]) == []

    def test_unknown(self, programs: Programs) -> None:
        programs.answers["ip link help macvtap"] = (255, "", "Usage: ... macvtap mode MODE [flag MODE_FLAG] nodst")
        assert macvtap.unknown_words(programs, "macvtap", ["bcqueuelen", "nodst"]) == ["bcqueuelen"]

    def test_nobody_asks(self, programs: Programs) -> None:
        assert macvtap.unknown_words(programs, "macvtap", []) == []
        assert programs.calls == []


class TestCarryOut:
    """carry_out: lines together, settings between them."""

    def test_order(self, settings: Path, programs: Programs) -> None:
        put(settings / "net/ipv6/conf/mv0", accept_ra=1)
        seen: list[str] = []

        def run(command: list[str]) -> tuple[int, str, str]:
            seen.append((settings / "net/ipv6/conf/mv0/accept_ra").read_text().strip())
            return programs(command)

        actions = [
            "link add a",
            "link set b",
            Setting("net/ipv6/conf/mv0/accept_ra", "0"),
            "link set up",
            Removal("mv1"),
            "route c",
        ]
        macvtap.carry_out(run, t.cast("t.Any", actions))
        assert programs.batches == ["link add a\nlink set b\n", "link set up\n", "route c\n"]
        assert [command[1] for command in programs.calls] == ["-batch", "-batch", "link", "-batch"]
        assert programs.calls[2] == ["ip", "link", "delete", "dev", "mv1"]
        assert seen == ["1", "0", "0", "0"]

    def test_nothing(self, programs: Programs) -> None:
        macvtap.carry_out(programs, [])
        assert programs.calls == []

    def test_the_lines_are_gone_then(self, programs: Programs) -> None:
        macvtap.carry_out(programs, ["link set a"])
        assert not Path(programs.calls[0][2]).exists()

    @pytest.mark.parametrize(
        ("said", "sentence"),
        [
            (
                "RTNETLINK answers: Invalid argument\nCommand failed @:2\n",
                "ip failed (link set b): RTNETLINK answers: Invalid argument.",
            ),
            (
                "Error: Nexthop has invalid gateway.\nCommand failed @:1\n",
                "ip failed (link add a): Error: Nexthop has invalid gateway.",
            ),
            ('macvtap: unknown option "bcqueuelen"?\nCommand failed @:9\n', 'ip failed: macvtap: unknown option "bcqueuelen"?.'),
            ("Segmentation fault\n", "ip failed: Segmentation fault."),
        ],
    )
    def test_the_line_that_fails_is_named(self, programs: Programs, said: str, sentence: str) -> None:
        programs.answers["ip -batch"] = (1, "", said)
        with pytest.raises(ApplyError) as caught:
            macvtap.carry_out(programs, ["link add a", "link set b"])
        assert str(caught.value) == sentence

    def test_nothing_more_is_done_then(self, programs: Programs) -> None:
        programs.answers["ip -batch"] = (1, "", "no")
        with pytest.raises(ApplyError):
            macvtap.carry_out(programs, ["link add a", Removal("mv1"), "link set b"])
        assert len(programs.calls) == 1

    def test_no_ip(self, programs: Programs) -> None:
        programs.missing = True
        with pytest.raises(ApplyError) as caught:
            macvtap.carry_out(programs, ["link add a"])
        assert str(caught.value) == "The lines for ip cannot be written or run: No such file or directory."

    def test_a_full_disk(self, programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_what: t.Any, **_more: t.Any) -> t.NoReturn:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(tempfile, "NamedTemporaryFile", full)
        with pytest.raises(ApplyError) as caught:
            macvtap.carry_out(programs, ["link add a"])
        assert str(caught.value) == "The lines for ip cannot be written or run: No space left on device."

    @pytest.mark.usefixtures("settings")
    def test_a_setting_that_is_not_there(self, programs: Programs) -> None:
        with pytest.raises(ApplyError) as caught:
            macvtap.carry_out(programs, [Setting("net/ipv6/conf/mv0/accept_ra", "0")])
        assert str(caught.value) == "The kernel did not take net/ipv6/conf/mv0/accept_ra = 0: No such file or directory."

    def test_what_a_manager_has_removed_already_is_gone(
        self, programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Inside(tmp_path, monkeypatch)
        programs.answers["ip link delete dev mv0"] = (1, "", 'Cannot find device "mv0"\n')
        macvtap.carry_out(programs, [Removal("mv0")])
        assert len(programs.calls) == 1

    def test_what_cannot_be_removed(self, programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        Inside(tmp_path, monkeypatch)
        (tmp_path / "sys/class/net/mv0").mkdir(parents=True)
        programs.answers["ip link delete dev mv0"] = (2, "", "RTNETLINK answers: Operation not\npermitted.\n")
        with pytest.raises(ApplyError) as caught:
            macvtap.carry_out(programs, [Removal("mv0")])
        assert str(caught.value) == "mv0 cannot be removed: RTNETLINK answers: Operation not permitted."


class TestRunAll:
    """run_all."""

    def test_in_order(self, programs: Programs) -> None:
        macvtap.run_all(programs, [("a", "b"), ["c"]])
        assert programs.calls == [["a", "b"], ["c"]]

    @pytest.mark.parametrize(
        ("answer", "said"),
        [((1, "out", "err\n"), "err"), ((1, "only\nout.\n", ""), "only out"), ((127, "", ""), "")],
    )
    def test_the_first_that_fails(self, programs: Programs, answer: tuple[int, str, str], said: str) -> None:
        programs.answers["a b"] = answer
        with pytest.raises(ApplyError) as caught:
            macvtap.run_all(programs, [("a", "b"), ("c",)])
        assert str(caught.value) == f"'a b' failed: {said}."
        assert programs.calls == [["a", "b"]]

    def test_of_a_script_the_name_is_said(self, programs: Programs) -> None:
        programs.answers["sh -c some lines NetworkManager forgets mv0"] = (4, "", "no")
        with pytest.raises(ApplyError) as caught:
            macvtap.run_all(programs, [("sh", "-c", "some lines", "NetworkManager forgets mv0")])
        assert str(caught.value) == "'NetworkManager forgets mv0' failed: no."

    def test_a_program_that_is_not_there(self, programs: Programs) -> None:
        programs.missing = True
        with pytest.raises(ApplyError) as caught:
            macvtap.run_all(programs, [("udevadm", "control", "--reload")])
        assert str(caught.value) == "'udevadm control --reload' failed: No such file or directory."


class TestFiles:
    """change_files."""

    def test_written_and_removed(self, tmp_path: Path) -> None:
        old = tmp_path / "old"
        old.touch()
        new = tmp_path / "folder" / "new"
        macvtap.change_files([FileChange(str(old), b"", None), FileChange(str(new), None, b"text", private=True)])
        assert not old.exists()
        assert (new.read_bytes(), new.stat().st_mode & 0o777) == (b"text", 0o600)

    def test_the_first_that_fails(self, tmp_path: Path) -> None:
        (tmp_path / "a").touch()
        path = str(tmp_path / "a" / "b")
        with pytest.raises(ApplyError) as caught:
            macvtap.change_files([FileChange(path, None, b""), FileChange(str(tmp_path / "c"), None, b"")])
        assert str(caught.value) in (f"{path} cannot be written: {said}." for said in ("Not a directory", "File exists"))
        assert not (tmp_path / "c").exists()
