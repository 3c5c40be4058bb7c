# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Run the molecule scenarios beside each other, and say at the end which task failed, and why.

Each is a molecule of its own: molecule's own --workers shares one state between all, and leaves out what makes and removes the
hosts. A scenario's output is printed when it has ended, and is in .build/scenarios meanwhile; that of a single one comes at
once. What failed is what is printed last, since some see no more than the end. To be run in the lab: `tests/lab/lab run -- ...`.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import signal
import subprocess
import sys
import threading
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = ROOT / "extensions/molecule"
LOGS = ROOT / ".build/scenarios"

# Seconds that each took on two cores, with another one beside it.
# Those that take longest begin first; one that is not listed begins after them.
MEASURED = {
    "forward": 360,
    "nic": 335,
    "uplink_others": 325,
    "uplink": 285,
    "change": 280,
    "site": 265,
    "guest": 240,
    "bridged": 215,
    "macvtap": 205,
    "presets": 155,
    "types": 135,
    "verify": 125,
    "network": 80,
    "bullseye": 65,
    "bookworm": 60,
    "networks": 55,
    "default_network": 50,
    "bare": 45,
}

# Three or four hosts with guests: one of these keeps two cores busy, and two at the same time take longer than one after the
# other (change and forward took 1,089 s together, and change 327 s by itself).
LARGE = frozenset({"change", "forward", "uplink", "uplink_others", "macvtap"})

# What has to be made first takes longer than CI has time: it runs where it is named, as `make proof` does.
BY_NAME = frozenset({"split"})

SHOWN = 15  # lines of why a task failed
GIVEN = 20.0  # seconds to end when asked to

# What molecule and Ansible print without frames. Molecule says why it ends, and that there is no scenario `default`.
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
STEP = re.compile(r"^INFO +\[\S+ > (?P<step>[^\]]+)\] Executing$")
TASK = re.compile(r"^(?:TASK|RUNNING HANDLER) \[(?P<task>.*)\] \**$")
RECAP = re.compile(r"^(?P<host>\S+) +: ok=\d+ .*\bunreachable=(?P<unreachable>\d+) .*\bfailed=(?P<failed>\d+)")
FAILED = re.compile(r"^(?:fatal|failed): \[(?P<host>[^]> ]+)(?: -> [^]]+)?\]")
RESULT = re.compile(r"^(?: {4}|$)")
FIELD = re.compile(r"^ {4}(?P<name>\w+):")
MOLECULE_SAYS = re.compile(r"^(?:INFO|WARNING|ERROR|CRITICAL) ")
MOLECULE_ENDS = re.compile(r"^(?:CRITICAL|ERROR) +(?!.*glob failed)")


@dataclass(frozen=True)
class Failure:
    """What failed: a task of a host, or something that molecule says itself."""

    what: str
    why: list[str]


@dataclass(frozen=True)
class Outcome:
    name: str
    failures: list[Failure]
    seconds: float


# --- which ones, and in which order -------------------------------------------------------------------------------------------


def existing(folder: Path) -> list[str]:
    return sorted(file.parent.name for file in folder.glob("*/molecule.yml"))


def chosen(wanted: t.Sequence[str], there: t.Sequence[str]) -> list[str]:
    """Return what is to run, in the order in which it begins."""
    if not there:
        sys.exit(f"There is no scenario in {SCENARIOS.relative_to(ROOT)}.")
    unknown = sorted(set(wanted) - set(there))
    if unknown:
        sys.exit(f"There is no scenario {', '.join(unknown)}. There are: {', '.join(there)}.")
    return sorted(set(wanted) or set(there) - BY_NAME, key=lambda name: (-MEASURED.get(name, 0), name))


class Queue:
    """Scenarios that wait to be run: the first one, but not a large one beside another."""

    def __init__(self, names: t.Iterable[str]) -> None:
        self._waiting = list(names)
        self._large_runs = False
        self._changed = threading.Condition()

    def take(self) -> str | None:
        """Return the next one, when it may run; None if there is no more."""
        with self._changed:
            while self._waiting:
                name = next((name for name in self._waiting if name not in LARGE or not self._large_runs), None)
                if name is not None:
                    self._waiting.remove(name)
                    self._large_runs |= name in LARGE
                    return name
                self._changed.wait()
        return None

    def done(self, name: str) -> None:
        """Say that one has ended."""
        with self._changed:
            self._large_runs &= name not in LARGE
            self._changed.notify_all()


# --- what failed --------------------------------------------------------------------------------------------------------------


def failures_in(output: str, code: int) -> list[Failure]:
    """Return what failed in a scenario that ended with a code."""
    lines = COLOUR.sub("", output).splitlines()
    if code == 0:
        ran = any(RECAP.match(line) for line in lines)
        return [] if ran else [Failure("molecule ran no playbook", last_of(lines))]
    found = [failed_task(lines, host, until) for host, until in lost_hosts(lines)]
    return found or [said_by_molecule(lines, code)]


def lost_hosts(lines: t.Sequence[str]) -> list[tuple[str, int]]:
    """Return the hosts that the last playbook with such hosts lost, each with the line that says so.

    A task that failed may have been rescued, and playbooks that remove the hosts come after one that failed.
    """
    lost: list[tuple[str, int]] = []
    for number, line in enumerate(lines):
        if line.startswith("PLAY RECAP"):
            recap = [(found, at) for at, found in enumerate(map(RECAP.match, lines[number:]), number) if found]
            end = next((at for at, text in enumerate(lines[number:], number) if STEP.match(text)), len(lines))
            here = [(one["host"], at) for one, at in recap if at < end and (one["unreachable"] != "0" or one["failed"] != "0")]
            lost = here or lost
    return lost


def failed_task(lines: t.Sequence[str], host: str, until: int) -> Failure:
    """Return the last task that failed on a host before a line."""
    at = [number for number, line in enumerate(lines[:until]) if (found := FAILED.match(line)) and found["host"] == host]
    if not at:
        return Failure(f"{step_before(lines, until)}: on {host}", last_of(lines[:until]))
    tasks = [found["task"] for found in map(TASK.match, lines[: at[-1]]) if found]
    # after the items that failed comes a line that says no more than that some did
    items = [number for number in at if lines[number].startswith("failed:") and number > start_of_task(lines, at[-1])]
    why = clipped(block(lines, (items or at)[-1]))
    task = tasks[-1] if tasks else "before the first task"
    return Failure(f"{step_before(lines, until)}: TASK [{task}] on {host}", why)


def start_of_task(lines: t.Sequence[str], before: int) -> int:
    return max((number for number, line in enumerate(lines[:before]) if TASK.match(line)), default=0)


def step_before(lines: t.Sequence[str], before: int) -> str:
    steps = [found["step"] for found in map(STEP.match, lines[:before]) if found]
    return steps[-1] if steps else "at the beginning"


def block(lines: t.Sequence[str], first: int) -> list[str]:
    """Return a line that says that a task failed and the result below it, in which empty lines may be."""
    below = itertools.takewhile(RESULT.match, lines[first + 1 :])
    return [lines[first], *(line for line in below if line)]


def clipped(result: list[str]) -> list[str]:
    """Return what matters of a result: assertion and message, then what the program printed, whose end says most."""
    if len(result) <= SHOWN:
        return result
    fields: dict[str, list[str]] = {}
    name = ""
    for line in result[1:]:
        if found := FIELD.match(line):
            name = found["name"]
        fields.setdefault(name, []).append(line)
    shown = result[:1] + shortened(fields.get("assertion", []), 3, keep="start")
    shown += shortened(fields.get("msg", []), SHOWN - len(shown), keep="start")
    for name in ("stderr", "module_stderr", "stdout", "module_stdout"):
        shown += shortened(fields.get(name, []), SHOWN - len(shown), keep="end")
    return shown if len(shown) > 1 else result[:SHOWN]


def shortened(lines: list[str], space: int, *, keep: str) -> list[str]:
    """Return the lines, or of more than there is space for the first or the first and the last ones."""
    if len(lines) <= space:
        return lines
    if space < 3:
        return []
    if keep == "start":
        return [*lines[: space - 1], "        ..."]
    return [lines[0], "        ...", *lines[2 - space :]]


def said_by_molecule(lines: t.Sequence[str], code: int) -> Failure:
    """Return why molecule ended: that a second run changed something, or what came before a playbook that did not even begin."""
    first = next((number for number, line in enumerate(lines) if MOLECULE_ENDS.match(line)), None)
    if first is None:
        return Failure(f"molecule ended with {code}", last_of(lines))
    what = f"{step_before(lines, first)}: molecule ended with {code}"
    if "Ansible return code" in lines[first]:
        begun = max((number for number, line in enumerate(lines[:first]) if STEP.match(line)), default=0)
        return Failure(what, last_of(lines[begun + 1 : first]))
    return Failure(
        what, [lines[first], *itertools.takewhile(lambda line: not MOLECULE_SAYS.match(line), lines[first + 1 :])][:SHOWN]
    )


def last_of(lines: t.Sequence[str]) -> list[str]:
    return [line for line in lines if line.strip()][-SHOWN:]


def summary(outcomes: t.Sequence[Outcome], seconds: float) -> str:
    """Return the table, and then why those that failed did."""
    width = max(len(one.name) for one in outcomes)
    table = [f"{one.name:<{width}}  {'FAILED' if one.failures else 'passed':6}  {one.seconds:5.0f} s" for one in outcomes]
    reasons = [["", f"{one.name}, {failure.what}", *failure.why] for one in outcomes for failure in one.failures]
    total = f"{len(outcomes)} scenarios in {seconds:.0f} s, {sum(1 for one in outcomes if one.failures)} failed"
    return "\n".join([*table, total, *(line for reason in reasons for line in reason)])


# --- running them -------------------------------------------------------------------------------------------------------------


class Runner:
    """Runs scenarios, and can end those that run."""

    def __init__(self, *, live: bool) -> None:
        self._live = live
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._stopped = False

    def run(self, name: str) -> Outcome:
        began = time.monotonic()
        with self._lock:
            if self._stopped:
                return Outcome(name, [Failure("not begun", [])], 0)
            print(f"=== {name}: begins", flush=True)
            process = self._start(name)
            self._running.add(process)
        output = self._read(name, process)
        code = process.wait()
        seconds = time.monotonic() - began
        failures = failures_in(output, code)
        with self._lock:
            self._running.discard(process)
            text = "" if self._live else output
            print(f"{text}=== {name}: {'FAILED' if failures else 'passed'} after {seconds:.0f} s", flush=True)
        return Outcome(name, failures, seconds)

    def run_all(self, queue: Queue) -> list[Outcome]:
        """Run what a queue has, together with others who do so."""
        outcomes = []
        while (name := queue.take()) is not None:
            try:
                outcomes.append(self.run(name))
            finally:
                queue.done(name)
        return outcomes

    def _start(self, name: str) -> subprocess.Popen[str]:
        environment = {name: value for name, value in os.environ.items() if "COLOR" not in name}
        # a task's name is on one line only without frames
        environment |= {"NO_COLOR": "1", "ANSIBLE_NOCOLOR": "1", "MOLECULE_GLOB": "extensions/molecule/*/molecule.yml"}
        return subprocess.Popen(
            ["molecule", "test", "--no-command-borders", "--scenario-name", name],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # so that it can be ended with all that it started
        )

    def _read(self, name: str, process: subprocess.Popen[str]) -> str:
        lines = []
        with (LOGS / f"{name}.log").open("w") as log:
            for line in process.stdout or ():
                lines.append(line)
                log.write(line)
                log.flush()
                if self._live:
                    print(line, end="", flush=True)
        return "".join(lines)

    def stop(self) -> None:
        """End what runs, and begin nothing more."""
        with self._lock:
            self._stopped = True
            running = list(self._running)
        for process in running:
            end_group(process, signal.SIGTERM)
        until = time.monotonic() + GIVEN
        for process in running:
            try:
                process.wait(timeout=max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                pass
            end_group(process, signal.SIGKILL)


def end_group(process: subprocess.Popen[str], how: signal.Signals) -> None:
    try:
        os.killpg(process.pid, how)
    except ProcessLookupError:
        pass


def interrupted(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def main() -> int:
    parser = argparse.ArgumentParser(description="Run molecule scenarios, those that take longest first.")
    parser.add_argument("-s", "--scenario", action="append", default=[], help="only this one; may be repeated")
    parser.add_argument("-j", "--jobs", type=int, default=2, help="how many run at a time (default: %(default)s)")
    options = parser.parse_args()
    if options.jobs < 1:
        parser.error("--jobs is at least 1.")
    names = chosen(options.scenario, existing(SCENARIOS))
    LOGS.mkdir(parents=True, exist_ok=True)
    runner = Runner(live=len(names) == 1)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupted)
    began = time.monotonic()
    with ThreadPoolExecutor(max_workers=options.jobs) as workers:
        try:
            queue = Queue(names)
            begun = [workers.submit(runner.run_all, queue) for _worker in range(options.jobs)]
            while wait(begun, timeout=0.5).not_done:
                pass  # a signal that comes just before an endless wait would be seen at its end
        finally:
            runner.stop()
    outcomes = sorted((one for worker in begun for one in worker.result()), key=lambda one: names.index(one.name))
    print(summary(outcomes, time.monotonic() - began))
    return 1 if any(one.failures for one in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
