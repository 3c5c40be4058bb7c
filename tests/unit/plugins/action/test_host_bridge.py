# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The controller's part: a change is confirmed over a new connection, or what is known of it is said."""

from __future__ import annotations

import copy
import typing as t
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.plugins.connection import ConnectionBase

from ansible_collections.kvmops.network.plugins.action import host_bridge
from ansible_collections.kvmops.network.plugins.action.host_bridge import ActionModule, new_connection_args, summarize

Result = dict[str, t.Any]
Answer = t.Union[Result, Exception]

MODULE = "kvmops.network.host_bridge"
NEW_HOST = "198.51.100.7"
USUAL: dict[str, t.Any] = {
    "ssh_args": "-C -o ControlPersist=60s",
    "host": "192.0.2.10",
    "ssh_transfer_method": "smart",
    "timeout": 10,
}
STARTED: Result = {
    "changed": True,
    "bridge": {"name": "br0", "exists": False, "uplink": "eth0"},
    "transaction": {"id": "3f9a01c2", "confirm_timeout": 60},
}
CONFIRMED: Result = {"changed": True, "transaction": {"id": "3f9a01c2", "state": "confirmed"}}
WAITING: Result = {"failed": True, "msg": "The change of br0 was not confirmed: it is still being made.", "missing": ["it is"]}
UNREACHABLE = AnsibleConnectionFailure("Failed to connect to the host via ssh: \nssh: connect to host: No route to host\n")


def shown(state: str, **more: t.Any) -> Result:
    usual: Result = {"failure": "", "unfinished": [], "seen": ["br0 UP"], "log": ["a", "b"]}
    return {"transaction": {"id": "3f9a01c2", "state": state, **usual, **more}}


class Clock:
    """A clock that only sleeping and asking move on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Connection:
    """A connection with options, which notes down what is changed."""

    def __init__(self, transport: str) -> None:
        self.transport = transport
        self._shell = SimpleNamespace(tmpdir="/tmp/there")
        self.options: dict[str, t.Any] = dict(USUAL)
        self.resets: list[dict[str, t.Any]] = []

    def get_option(self, name: str) -> t.Any:
        return self.options[name]

    def set_option(self, name: str, value: t.Any) -> None:
        self.options[name] = value

    def reset(self) -> None:
        self.resets.append(dict(self.options))


class Controller:
    """An action plugin whose modules answer what a test says, each answer taking some seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, transport: str = "ssh", **args: t.Any) -> None:
        self.clock = Clock()
        self.connection = Connection(transport)
        self.args = args
        self.started: Result = STARTED
        self.confirming: t.Callable[[int], Answer] = lambda _time: CONFIRMED
        self.showing: t.Callable[[int], Answer] = lambda _time: shown("reverted")
        self.info: Answer | t.Callable[[int], Answer] = {"bridges": [{"name": "br1"}, {"name": "br0", "exists": True}]}
        self.calls: list[tuple[str, Result, dict[str, t.Any]]] = []
        self.takes = 0.5
        monkeypatch.setattr(host_bridge, "time", self.clock)
        monkeypatch.setattr(ActionModule, "_execute_module", lambda _self, **what: self._answer(**what))
        monkeypatch.setattr(ActionModule, "_low_level_execute_command", lambda _self, _command, **_more: {"rc": 0})

    def _answer(self, *, module_name: str, module_args: Result | None = None, task_vars: Result) -> Result:
        assert task_vars == {"a": 1}
        name, args = module_name.replace(MODULE, ""), module_args or {}
        self.calls.append((name, args, dict(self.connection.options)))
        self.clock.now += self.takes
        if name == "":
            assert module_args is None  # the task's own
            answer: Answer = self.started
        elif name == "_info":
            asked = sum(other == "_info" for other, _args, _options in self.calls)
            answer = self.info(asked) if callable(self.info) else self.info
        else:
            assert args["id"] == "3f9a01c2"
            done = sum(args == other for _name, other, _options in self.calls)
            answer = {"confirmed": self.confirming, "shown": self.showing}[args["state"]](done)
        if isinstance(answer, Exception):
            raise answer
        return copy.deepcopy(answer)

    @property
    def host(self) -> str:
        """Where the host is reached at this moment."""
        return str(self.connection.options["host"])

    @property
    def plugin(self) -> ActionModule:
        task = SimpleNamespace(args=self.args, async_val=0, check_mode=False, diff=False, action=MODULE, environment=None)
        surroundings: dict[str, t.Any] = {
            "task": task,
            "connection": self.connection,
            "play_context": SimpleNamespace(check_mode=False),
            "loader": None,
            "templar": None,
            "shared_loader_obj": None,
        }
        return ActionModule(**surroundings)

    def run(self) -> Result:
        return self.plugin.run(task_vars={"a": 1})

    def names(self) -> list[str]:
        return [args.get("state", name) for name, args, _options in self.calls]


@pytest.fixture
def controller(monkeypatch: pytest.MonkeyPatch) -> Controller:
    return Controller(monkeypatch)


@pytest.mark.parametrize(
    "result",
    [
        {"changed": False, "actions": []},
        {"changed": True, "actions": ["make eth0 its port"]},  # in check mode
        {"failed": True, "msg": "uplink: no.", "changed": False},
        {"unreachable": True, "failed": True},
    ],
)
def test_what_did_not_begin_is_not_confirmed(controller: Controller, result: Result) -> None:
    controller.started = result
    assert controller.run() == result
    assert controller.names() == [""]
    assert controller.connection.options == USUAL
    assert controller.connection.resets == []


class TestConfirmed:
    """The change lasts."""

    def test_at_the_first_attempt(self, controller: Controller) -> None:
        result = controller.run()
        assert result == {
            "changed": True,
            "bridge": {"name": "br0", "exists": True},
            "transaction": {"id": "3f9a01c2", "confirm_timeout": 60, "confirmed_after": 1.5},
        }
        assert controller.names() == ["", "confirmed", "_info"]

    def test_after_attempts_that_failed(self, controller: Controller) -> None:
        answers: list[Answer] = [UNREACHABLE, UNREACHABLE, {"unreachable": True, "msg": "no"}, AnsibleError("odd"), WAITING]
        controller.confirming = lambda time: answers[time - 1] if time <= len(answers) else CONFIRMED
        result = controller.run()
        assert not result.get("failed")
        assert "tried" not in result
        assert controller.names() == ["", *["confirmed"] * 6, "_info"]
        assert result["transaction"]["confirmed_after"] == pytest.approx(5.5)

    def test_another_bridge(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert Controller(monkeypatch, name="br1").run()["bridge"] == {"name": "br1"}
        assert Controller(monkeypatch, name="br1", state="absent").run()["bridge"] == {"name": "br1"}

    @pytest.mark.parametrize("state", ["present", "absent"])
    def test_a_bridge_that_is_not_there(self, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
        result = Controller(monkeypatch, name="br7", state=state).run()
        assert "bridge" not in result
        assert not result.get("failed")

    def test_the_bridge_is_read_again_until_the_host_says_it(self, controller: Controller) -> None:
        bridges = {"bridges": [{"name": "br0", "exists": True, "mtu": 1500}]}
        answers: list[Answer] = [UNREACHABLE, {"failed": True, "msg": "no"}, bridges]
        controller.info = lambda time: answers[time - 1]
        assert controller.run()["bridge"] == {"name": "br0", "exists": True, "mtu": 1500}
        assert controller.names() == ["", "confirmed", *["_info"] * 3]

    def test_a_host_that_does_not_say_it_has_what_was_planned(self, monkeypatch: pytest.MonkeyPatch) -> None:
        controller = Controller(monkeypatch)
        controller.info = UNREACHABLE
        result = controller.run()
        assert result["bridge"] == {"name": "br0", "exists": True, "uplink": "eth0"}
        assert not result.get("failed")
        assert controller.names() == ["", "confirmed", *["_info"] * 3]

    @pytest.mark.parametrize("planned", [{}, {"bridge": {"name": "br0", "exists": True}}])
    def test_a_host_that_does_not_say_it_has_no_bridge_any_more(self, monkeypatch: pytest.MonkeyPatch, planned: Result) -> None:
        controller = Controller(monkeypatch, state="absent")
        controller.started = {"changed": True, "transaction": STARTED["transaction"], **planned}
        controller.info = UNREACHABLE
        result = controller.run()
        assert "bridge" not in result
        assert not result.get("failed")

    @pytest.mark.parametrize("host", [USUAL["host"], NEW_HOST])
    def test_the_answer_was_lost(self, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
        """The host confirmed the change, and the connection ended before it could say so."""
        controller = Controller(monkeypatch, confirm_host=NEW_HOST)
        controller.confirming = lambda _time: UNREACHABLE
        controller.showing = lambda _time: shown("confirmed") if controller.host == host else UNREACHABLE
        result = controller.run()
        assert not result.get("failed")
        assert result["changed"]
        assert "tried" not in result
        assert result["bridge"] == {"name": "br0", "exists": True}
        assert result["transaction"]["confirmed_after"] > 60
        # the rest goes where it was found
        assert (controller.names()[-1], controller.calls[-1][2]["host"]) == ("_info", host)
        assert controller.connection.resets == [{**USUAL, "host": host}]


class TestConnections:
    """Each attempt has a new one."""

    def test_nothing_of_a_kept_connection_is_used(self, controller: Controller) -> None:
        controller.run()
        (_begun, _args, usual), *later = controller.calls
        assert usual == USUAL
        for _name, _args, options in later:
            words = options["ssh_args"].split()
            assert words[:4] == ["-o", "ControlPath=none", "-o", "ControlMaster=no"]
            assert options["ssh_args"].endswith(f" {USUAL['ssh_args']}")
            assert options["host"] == USUAL["host"]
        assert controller.connection.options == USUAL
        # at the end the kept one goes, at the usual address
        assert controller.connection.resets == [USUAL]

    @pytest.mark.parametrize("confirmed", [True, False])
    def test_the_host_is_reached_at_its_new_address(self, monkeypatch: pytest.MonkeyPatch, confirmed: bool) -> None:
        controller = Controller(monkeypatch, confirm_host=NEW_HOST)
        controller.confirming = lambda _time: CONFIRMED if confirmed else UNREACHABLE
        controller.run()
        hosts = {(args.get("state", name), options["host"]) for name, args, options in controller.calls}
        # whether it went back is asked where it was before
        last = ("_info", NEW_HOST) if confirmed else ("shown", "192.0.2.10")
        assert hosts == {("", "192.0.2.10"), ("confirmed", NEW_HOST), last}
        # what else the task does, goes where the host is now
        assert controller.connection.options == {**USUAL, "host": last[1]}
        assert controller.connection.resets == [{**USUAL, "host": last[1]}]

    def test_options_of_ssh_are_put_back_whatever_happens(self, controller: Controller) -> None:
        controller.confirming = lambda _time: RuntimeError("a mistake")
        with pytest.raises(RuntimeError, match="a mistake"):
            controller.run()
        assert controller.connection.options == USUAL

    @pytest.mark.parametrize("transport", ["local", "community.general.lxd", "podman"])
    def test_another_kind_of_connection_is_reset_before_each_attempt(
        self, monkeypatch: pytest.MonkeyPatch, transport: str
    ) -> None:
        controller = Controller(monkeypatch, transport)
        controller.confirming = lambda time: CONFIRMED if time == 3 else UNREACHABLE
        controller.run()
        assert all(options == USUAL for _name, _args, options in controller.calls)
        assert controller.connection.resets == [USUAL] * 4  # three attempts, and the end

    def test_a_connection_that_cannot_be_reset_is_not(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Most cannot: Ansible's own method only warns about that, each time."""
        warned: list[str] = []
        monkeypatch.setattr(ConnectionBase, "reset", lambda self: warned.append(self.transport))

        class ConnectionWithoutReset(Connection):
            reset = ConnectionBase.reset

        controller = Controller(monkeypatch, "docker")
        controller.connection = ConnectionWithoutReset("docker")
        assert not controller.run().get("failed")
        assert warned == []

    @pytest.mark.parametrize("transport", ["local", "podman"])
    def test_another_address_without_ssh(self, monkeypatch: pytest.MonkeyPatch, transport: str) -> None:
        controller = Controller(monkeypatch, transport, confirm_host=NEW_HOST)
        assert controller.run() == {
            "failed": True,
            "msg": f"confirm_host: '{NEW_HOST}' can only be reached with a connection of ssh.",
        }
        assert controller.calls == []

    def test_ssh_by_its_full_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        controller = Controller(monkeypatch, "ansible.builtin.ssh", confirm_host=NEW_HOST)
        controller.run()
        assert "ControlPath=none" in controller.calls[1][2]["ssh_args"]

    @pytest.mark.parametrize(
        ("usual", "end"),
        [(None, " -o ConnectTimeout=7"), ("", " -o ConnectTimeout=7"), ("-C", " -o ConnectTimeout=7 -C")],
    )
    def test_arguments_of_ssh(self, usual: str | None, end: str) -> None:
        found = new_connection_args(usual, 7)
        assert found.startswith("-o ControlPath=none -o ControlMaster=no -o ConnectionAttempts=1 ")
        assert found.endswith(end)
        assert found.count("ConnectTimeout") == 1

    @pytest.mark.parametrize(
        ("window", "timeout", "expected"),
        [
            (60, 10, 10),
            (60, None, 10),
            (60, 5, 10),  # a link that comes up may take that long
            (60, 30, 15),  # four attempts
            (60, "12", 12),
            (600, 30, 30),
            (30, 10, 7),
            (10, 10, 3),
            (1, 10, 3),
        ],
    )
    def test_how_long_a_connection_may_take(
        self, controller: Controller, window: int, timeout: int | str | None, expected: int
    ) -> None:
        controller.started = {**STARTED, "transaction": {"id": "3f9a01c2", "confirm_timeout": window}}
        controller.takes = 0.0
        controller.connection.options["timeout"] = timeout
        controller.run()
        [found] = {options["ssh_args"] for _name, _args, options in controller.calls[1:]}
        assert f" -o ConnectTimeout={expected} " in found

    @pytest.mark.parametrize("error", [UNREACHABLE, AnsibleError("odd")])
    def test_what_cannot_be_cleaned_up_is_left(
        self, monkeypatch: pytest.MonkeyPatch, controller: Controller, error: Exception
    ) -> None:
        asked: list[bool] = []

        def clean_up(_self: ActionBase, force: bool = False) -> None:
            asked.append(force)
            raise error

        monkeypatch.setattr(ActionBase, "cleanup", clean_up)
        controller.plugin.cleanup(force=True)
        assert asked == [True]

    def test_a_mistake_in_cleaning_up_is_none_of_the_host(self, monkeypatch: pytest.MonkeyPatch, controller: Controller) -> None:
        def clean_up(_self: ActionBase, force: bool = False) -> None:
            raise RuntimeError(force)

        monkeypatch.setattr(ActionBase, "cleanup", clean_up)
        with pytest.raises(RuntimeError):
            controller.plugin.cleanup()


class TestNotConfirmed:
    """The host takes the change back."""

    def test_the_host_could_not_be_reached(self, controller: Controller) -> None:
        controller.confirming = lambda _time: UNREACHABLE
        controller.showing = lambda time: UNREACHABLE if time < 4 else shown("reverting" if time < 6 else "reverted")
        result = controller.run()
        assert result["failed"]
        assert not result["changed"]
        assert result["msg"] == (
            "The change was not confirmed within 60 seconds. Last attempt: ssh: connect to host: No route to host. The host "
            "took it back by itself and is as it was before."
        )
        [line] = result["tried"]
        assert line.startswith("1.5 to 59.9 s, 74 times: ")
        assert line.endswith(": ssh: connect to host: No route to host")
        assert (result["seen"], result["log"]) == (["br0 UP"], ["a", "b"])
        assert controller.names().count("shown") == 6
        assert "_info" not in controller.names()

    def test_it_is_not_asked_longer_than_it_waits(self, controller: Controller) -> None:
        controller.confirming = lambda _time: WAITING
        asked_at: list[float] = []

        def show(_time: int) -> Answer:
            asked_at.append(controller.clock.now)
            return shown("reverted")

        controller.showing = show
        result = controller.run()
        assert asked_at[0] == pytest.approx(1000.5 + 60, abs=1.5)
        assert "Last attempt: The change of br0 was not confirmed: it is still being made. The host took" in result["msg"]

    @pytest.mark.parametrize("state", ["reverting", "reverted"])
    def test_a_step_failed(self, controller: Controller, state: str) -> None:
        gone = {"failed": True, "msg": "The change of br0 has been taken back (failed) and cannot be confirmed.", **shown(state)}
        controller.confirming = lambda _time: gone
        controller.showing = lambda _time: shown("reverted", failure="run networkctl reload")
        result = controller.run()
        assert result["msg"] == (
            "The change could not be made, a step failed: run networkctl reload. The host took it back by itself and is as it "
            "was before."
        )
        assert controller.names() == ["", "confirmed", "shown"]
        assert controller.clock.now < 1010

    def test_both_addresses_are_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        controller = Controller(monkeypatch, confirm_host=NEW_HOST)
        controller.confirming = lambda _time: UNREACHABLE
        controller.showing = lambda _time: shown("reverted") if controller.host == NEW_HOST else UNREACHABLE
        result = controller.run()
        assert result["msg"].endswith(" The host took it back by itself and is as it was before.")
        assert [options["host"] for _name, args, options in controller.calls if args.get("state") == "shown"] == [
            *(USUAL["host"], NEW_HOST)
        ]
        assert controller.connection.options == {**USUAL, "host": NEW_HOST}

    def test_one_address_is_asked_once_at_a_time(self, controller: Controller) -> None:
        controller.confirming = lambda _time: UNREACHABLE
        asked_at: list[float] = []

        def show(time: int) -> Answer:
            asked_at.append(controller.clock.now)
            return shown("armed" if time < 3 else "reverted")

        controller.showing = show
        assert controller.run()["failed"]
        assert [round(then - now, 1) for now, then in zip(asked_at, asked_at[1:])] == [0.8, 0.8]

    @pytest.mark.parametrize("failure", ["", "run networkctl reload"])
    def test_not_all_of_the_way_back_worked(self, controller: Controller, failure: str) -> None:
        controller.confirming = lambda _time: UNREACHABLE
        controller.showing = lambda _time: shown("reverted", failure=failure, unfinished=["run a", "run b"])
        result = controller.run()
        about = (
            f"The change could not be made, a step failed: {failure}."
            if failure
            else "The change was not confirmed within 60 seconds. Last attempt: ssh: connect to host: No route to host."
        )
        assert result["msg"] == (
            f"{about} The host took it back by itself, but not all of it worked: run a; run b. Look whether it is as it was "
            "before."
        )
        assert (result["failed"], result["changed"]) == (True, False)
        assert (result["seen"], result["log"]) == (["br0 UP"], ["a", "b"])

    @pytest.mark.parametrize(
        ("answer", "known"),
        [
            (UNREACHABLE, "ssh: connect to host: No route to host"),
            (shown("armed"), "it says 'armed'"),
            ({"failed": True, "msg": "id: there is no transaction 3f9a01c2 on this host; there was none."}, "id: there is no "),
        ],
    )
    def test_nobody_knows_what_became_of_the_host(self, controller: Controller, answer: Answer, known: str) -> None:
        controller.confirming = lambda _time: UNREACHABLE
        controller.showing = lambda _time: answer
        result = controller.run()
        assert result["failed"]
        assert result["changed"]
        assert f" The host was not seen as it was before either: {known}" in result["msg"]
        assert result["msg"].endswith("its log is /var/lib/kvmops-network/transaction/log.")
        assert "seen" not in result
        assert controller.clock.now == pytest.approx(1000.5 + 60 + 45, abs=1.5)

    def test_no_attempt_was_in_time(self, controller: Controller) -> None:
        controller.started = {**STARTED, "transaction": {"id": "3f9a01c2", "confirm_timeout": 0}}
        result = controller.run()
        assert "Last attempt: nothing was tried in time. " in result["msg"]
        assert result["tried"] == []


@pytest.mark.parametrize(
    ("tried", "lines"),
    [
        ([], []),
        ([(0.51, "a")], ["0.5 s: a"]),
        ([(0.5, "a"), (1.04, "a"), (2, "b"), (3, "a")], ["0.5 to 1.0 s, 2 times: a", "2.0 s: b", "3.0 s: a"]),
    ],
)
def test_attempts_in_few_lines(tried: list[tuple[float, str]], lines: list[str]) -> None:
    assert summarize(tried) == lines
