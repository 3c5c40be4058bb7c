# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's part of host_bridge: it confirms a change over a new connection, or says why that could not be done."""

from __future__ import annotations

import time
import typing as t
from contextlib import contextmanager

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.plugins.connection import ConnectionBase

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    Result = dict[str, t.Any]

__all__ = ["ActionModule", "new_connection_args", "summarize"]

_SETTLE = 1.0  # seconds until the change has begun; an attempt that it cuts off takes longer
_POLL = 0.3  # seconds between two attempts
_WAY_BACK = 45.0  # seconds that the host has for being as it was, after the time for confirming is over

# ssh takes the first value of an option that it is given. Nothing of a kept connection is used, and no attempt takes long.
_NEW_CONNECTION = (
    "-o ControlPath=none -o ControlMaster=no -o ConnectionAttempts=1 -o ServerAliveInterval=2 -o ServerAliveCountMax=2"
)
_CONNECT = 10  # seconds for a connection, if there is so much time


class ActionModule(ActionBase):
    """Run the module, which begins the change on the host; then reach the host anew and confirm it there."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        """Return the module's result, with what came of the confirmation."""
        super().run(tmp, task_vars)
        self._task_vars: Result = task_vars or {}
        confirm_host = self._task.args.get("confirm_host")
        if confirm_host and not self._is_ssh():
            return {"failed": True, "msg": f"confirm_host: '{confirm_host}' can only be reached with a connection of ssh."}
        result: Result = self._execute_module(module_name="kvmops.network.host_bridge", task_vars=self._task_vars)
        if result.get("failed") or not result.get("transaction"):
            return result
        began = time.monotonic()
        with self._new_connections(result["transaction"]["confirm_timeout"]):
            usual = self._go_to(confirm_host)
            tried = self._confirm(result["transaction"], began)
            # from here on the host is where it was reached: what else this task does, goes there
            found = None if tried is None else self._find(result["transaction"], began, [usual, confirm_host])
            if found is None or found.get("state") == "confirmed":
                result["transaction"]["confirmed_after"] = round(time.monotonic() - began, 1)
                self._read_again(result)
            else:
                result.update(_failure(result["transaction"], tried or [], found))
        # a kept connection may lead to an address that the host does not have any more
        if self._is_ssh():
            self._connection.reset()
        return result

    def _confirm(self, transaction: Result, began: float) -> list[tuple[float, str]] | None:
        """Return None when the change is confirmed, else what came of each attempt, with the seconds since it began."""
        tried: list[tuple[float, str]] = []
        time.sleep(_SETTLE)
        while time.monotonic() < began + transaction["confirm_timeout"]:
            answer = self._ask("host_bridge_transaction", {"id": transaction["id"], "state": "confirmed"})
            if not answer.get("failed"):
                return None
            if (answer.get("transaction") or {}).get("state") in ("reverting", "reverted"):
                break
            tried.append((time.monotonic() - began, answer["msg"]))
            time.sleep(_POLL)
        return tried

    def _read_again(self, result: Result) -> None:
        """Put the bridge as it is now into the result. What a change that was confirmed made is there in any case."""
        name = self._task.args.get("name", "br0")
        is_wanted = self._task.args.get("state", "present") == "present"
        for _attempt in range(3):
            found = self._ask("host_bridge_info", {})
            if not found.get("failed"):
                break
        bridges = found.get("bridges", [{**result["bridge"], "exists": True}] if is_wanted else [])
        result.pop("bridge", None)
        mine = [bridge for bridge in bridges if bridge["name"] == name]
        if mine:
            result["bridge"] = mine[0]

    def _find(self, transaction: Result, began: float, hosts: list[str | None]) -> Result:
        """Return what the host says of the change when it is decided, wherever it is then; or what became of asking it."""
        known: Result = {}
        while time.monotonic() < began + transaction["confirm_timeout"] + _WAY_BACK:
            for host in dict.fromkeys(hosts):
                self._go_to(host)
                answer = self._ask("host_bridge_transaction", {"id": transaction["id"], "state": "shown"})
                known = {"msg": answer["msg"]} if answer.get("failed") else answer["transaction"]
                if known.get("state") in ("confirmed", "reverted"):
                    return known
            time.sleep(_POLL)
        return known

    def _ask(self, module_name: str, options: Result) -> Result:
        """Return what a module says on the host, over a connection of its own."""
        self._forget_connection()
        try:
            # one connection that fails says more than four
            self._low_level_execute_command("true", sudoable=False)  # type: ignore[no-untyped-call]  # Ansible's own
            answer: Result = self._execute_module(
                module_name=f"kvmops.network.{module_name}", module_args=options, task_vars=self._task_vars
            )
        except AnsibleConnectionFailure as error:
            return {"failed": True, "msg": _last_line(str(error.message))}
        except AnsibleError as error:
            return {"failed": True, "msg": _last_line(str(error))}
        if answer.get("unreachable"):
            return {"failed": True, "msg": _last_line(str(answer.get("msg", "the host cannot be reached")))}
        return answer

    def cleanup(self, force: bool = False) -> None:
        """Remove what was put on the host for this task, if it can be reached; what is to be said was said otherwise."""
        try:
            super().cleanup(force)  # type: ignore[no-untyped-call]  # Ansible's own
        except AnsibleError:
            return

    def _forget_connection(self) -> None:
        """Have the next command make a new connection where it is not ssh's, which is told so by its arguments."""
        can_reset = type(self._connection).reset is not ConnectionBase.reset
        if can_reset and not self._is_ssh():
            self._connection.reset()

    def _is_ssh(self) -> bool:
        return str(getattr(self._connection, "transport", "")).rpartition(".")[2] == "ssh"

    @contextmanager
    def _new_connections(self, window: int) -> Iterator[None]:
        """Have ssh make a new TCP connection for each command during a with statement, for a change with so many seconds."""
        if not self._is_ssh():
            yield
            return
        patience = max(_CONNECT, int(self._connection.get_option("timeout") or 0))
        timeout = max(3, min(patience, window // 4))
        # with `piped` a file needs no other program on the host than dd, and one attempt instead of three
        wanted = {
            "ssh_args": new_connection_args(self._connection.get_option("ssh_args"), timeout),
            "ssh_transfer_method": "piped",
        }
        usual = {name: self._connection.get_option(name) for name in wanted}
        for name, value in wanted.items():
            self._connection.set_option(name, value)
        try:
            yield
        finally:
            for name, value in usual.items():
                self._connection.set_option(name, value)

    def _go_to(self, host: str | None) -> str | None:
        """Reach the host at another address from now on, where one is given, and return the one before."""
        if not host or not self._is_ssh():
            return None
        usual: str | None = self._connection.get_option("host")
        self._connection.set_option("host", host)
        return usual


def new_connection_args(usual: str | None, timeout: int) -> str:
    """Return arguments for ssh that make it use no kept connection, before those that it is given usually."""
    return f"{_NEW_CONNECTION} -o ConnectTimeout={timeout} {usual or ''}".strip()


def _failure(transaction: Result, tried: list[tuple[float, str]], found: Result) -> Result:
    """Return what a task that was not confirmed says: whether the host is back, what was tried, and what the host saw."""
    last = tried[-1][1] if tried else "nothing was tried in time"
    failed: Result = {"failed": True, "tried": summarize(tried)}
    about = f"The change was not confirmed within {transaction['confirm_timeout']} seconds. Last attempt: {last.rstrip('.')}."
    if found.get("state") != "reverted":
        known = f"it says '{found['state']}'" if "state" in found else str(found.get("msg", "it does not answer"))
        return {
            **failed,
            "msg": f"{about} The host was not seen as it was before either: {known.rstrip('.')}. It takes the change back by "
            "itself, at its next boot at the latest; its log is /var/lib/kvmops-network/transaction/log.",
        }
    if found["failure"]:
        about = f"The change could not be made, a step failed: {found['failure']}."
    failed.update(changed=False, seen=found["seen"], log=found["log"])
    if found["unfinished"]:
        return {
            **failed,
            "msg": f"{about} The host took it back by itself, but not all of it worked: {'; '.join(found['unfinished'])}. "
            "Look whether it is as it was before.",
        }
    return {**failed, "msg": f"{about} The host took it back by itself and is as it was before."}


def summarize(tried: list[tuple[float, str]]) -> list[str]:
    """Return what came of the attempts, those with the same outcome in one line."""
    lines: list[str] = []
    at = 0
    while at < len(tried):
        end = at
        while end + 1 < len(tried) and tried[end + 1][1] == tried[at][1]:
            end += 1
        when = f"{tried[at][0]:.1f} s" if end == at else f"{tried[at][0]:.1f} to {tried[end][0]:.1f} s, {end - at + 1} times"
        lines.append(f"{when}: {tried[at][1]}")
        at = end + 1
    return lines


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else text
