# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""One `ansible-playbook`, timed from its start to its end."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kvmops_lab import namespace, paths

from . import hosts
from .errors import BenchmarkError

_HERE = Path(__file__).resolve().parents[1]
_ROOT = _HERE.parents[1]
_RECAP = re.compile(r"^(\S+) +: ok=(\d+) +changed=(\d+) +unreachable=(\d+) +failed=(\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Took:
    """What a play took: by the clock, and of all processors of the controller and the hosts."""

    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Stage:
    """Where plays are run: with which Ansible, against which hosts, with which networks."""

    ansible: Path  # the folder with its programs
    inventory: Path
    variables: Path
    names: tuple[str, ...]
    logs: Path

    def play(self, playbook: str, *, changes: bool) -> Took:
        """Run a playbook on all hosts. Raises BenchmarkError unless it did on each what it was expected to do."""
        command = self._command(playbook)
        hosts.forget_connections(self.names)
        before = hosts.cpu_seconds(self.names)
        began = time.perf_counter()
        ended = subprocess.run(
            command,
            env=environment(self.ansible),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        took = Took(time.perf_counter() - began, hosts.cpu_seconds(self.names) - before)
        (self.logs / f"{playbook}.log").write_text(ended.stdout)
        problem = find_problem(ended.stdout, names=self.names, changes=changes)
        if ended.returncode or problem:
            raise BenchmarkError(f"{ended.stdout}\nThe play {playbook} ended with {ended.returncode}. {problem}")
        return took

    def _command(self, playbook: str) -> list[str]:
        play = [str(self.ansible / "ansible-playbook"), str(_HERE / f"playbooks/{playbook}.yml"), "-i", str(self.inventory)]
        options = ["-e", f"@{self.variables}", "--forks", str(len(self.names))]
        in_the_lan = [*namespace.inside(paths.current().lan_namespace), *play, *options]
        return hosts.controller_group().command(in_the_lan)


def environment(ansible: Path) -> dict[str, str]:
    """The machine's, with nobody's settings of Ansible but ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHON"))}
    return {
        **kept,
        "PATH": f"{ansible}:{kept.get('PATH', '/usr/bin:/bin')}",
        "ANSIBLE_CONFIG": str(_HERE / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(_ROOT / ".build/collections"),
        "ANSIBLE_FORCE_COLOR": "0",
    }


def find_problem(output: str, *, names: Sequence[str], changes: bool) -> str:
    """What is wrong with a play that printed this, "" if nothing is: each host has to take part, and change or not."""
    recap = {host: [int(count) for count in counts] for host, *counts in _RECAP.findall(output)}
    for name in names:
        ok, changed, unreachable, failed = recap.get(name, (0, 0, 0, 0))
        if unreachable or failed or not ok:
            return f"It failed on {name}, or did nothing there."
        if bool(changed) != changes:
            return f"It reports changed={changed} on {name}."
    return ""
