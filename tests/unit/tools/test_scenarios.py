# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import scenarios
from scenarios import Failure, Outcome

FIXTURES = Path(__file__).parent / "fixtures"


def output_of(name: str) -> str:
    return (FIXTURES / f"molecule.{name}.txt").read_text()


# --- which ones, and in which order -------------------------------------------------------------------------------------------


def test_what_takes_longest_begins_first_and_what_is_not_known_last() -> None:
    there = ["bare", "added", "change", "bookworm", "nic"]
    order = scenarios.chosen([], there)
    assert sorted(order) == sorted(there)
    assert order[-1] == "added"
    seconds = [scenarios.MEASURED[name] for name in order[:-1]]
    assert seconds == sorted(seconds, reverse=True)


def test_only_those_that_are_named() -> None:
    assert scenarios.chosen(["bare", "bare"], ["bare", "nic"]) == ["bare"]


def test_what_needs_more_runs_where_it_is_named() -> None:
    assert scenarios.chosen([], ["bare", "split"]) == ["bare"]
    assert scenarios.chosen(["split"], ["bare", "split"]) == ["split"]
    assert set(scenarios.existing(scenarios.SCENARIOS)) >= scenarios.BY_NAME


def test_one_that_is_not_there_is_refused() -> None:
    with pytest.raises(SystemExit, match=r"no scenario nci, xyz\. There are: bare, nic\."):
        scenarios.chosen(["nci", "nic", "xyz"], ["bare", "nic"])


def test_without_scenarios_nothing_passes() -> None:
    with pytest.raises(SystemExit, match=r"no scenario in extensions/molecule\."):
        scenarios.chosen([], [])


def test_those_of_the_collection() -> None:
    there = scenarios.existing(scenarios.SCENARIOS)
    assert set(scenarios.MEASURED) <= set(there)
    assert "common" not in there


# --- what failed --------------------------------------------------------------------------------------------------------------


def test_a_task_that_fails_for_an_item_on_one_host() -> None:
    """Both hosts have had another task that failed and was rescued, the other one goes on, and the hosts are removed."""
    assert scenarios.failures_in(output_of("verify"), 2) == [
        Failure(
            "verify: TASK [Each of these] on molecule-example-1",
            [
                "failed: [molecule-example-1] (item=two) =>",
                "    msg: non-zero return code",
                "    stderr: the reason is that it is two",
                "    stdout: |-",
                "        ...",
                *(f"        line {number} of two" for number in range(31, 41)),
            ],
        )
    ]


def test_a_second_run_that_changes_something() -> None:
    assert scenarios.failures_in(output_of("idempotence"), 1) == [
        Failure(
            "idempotence: molecule ended with 1",
            ["CRITICAL Idempotence test failed because of the following tasks:", *["*  => Not twice the same"] * 2],
        )
    ]


def test_a_playbook_that_does_not_begin() -> None:
    (failure,) = scenarios.failures_in(output_of("syntax"), 4)
    assert failure.what == "verify: molecule ended with 4"
    assert failure.why[0] == "[ERROR]: YAML parsing failed: While parsing a flow sequence did not find expected ',' or ']'."
    assert failure.why[1].endswith("/verify.yml:27:1")


def test_success_without_a_playbook_is_none() -> None:
    text = "INFO     [example > discovery] scenario test matrix: dependency\nINFO     nothing to do\n"
    (failure,) = scenarios.failures_in(text, 0)
    assert failure.what == "molecule ran no playbook"
    assert failure.why[-1] == "INFO     nothing to do"


def test_success() -> None:
    played = output_of("verify").partition("INFO     [example > verify]")[0]
    assert scenarios.failures_in(played, 0) == []


@pytest.mark.parametrize("text", ["", "Traceback (most recent call last):\n  ...\nOSError: no space left\n"])
def test_an_end_without_any_task(text: str) -> None:
    (failure,) = scenarios.failures_in(text, -15)
    assert failure.what == "molecule ended with -15"
    assert failure.why == text.splitlines()


def test_a_host_that_cannot_be_reached() -> None:
    text = """\
INFO     [example > verify] Executing
TASK [Look] ********************************************************************
ok: [one]
[ERROR]: Task failed: Failed to connect to the host via ssh
fatal: [two -> localhost]: UNREACHABLE! =>
    changed: false
    msg: 'Task failed: Failed to connect to the host via ssh'
    unreachable: true

PLAY RECAP *********************************************************************
one                        : ok=1    changed=0    unreachable=0    failed=0    skipped=0    rescued=0    ignored=0
two                        : ok=0    changed=0    unreachable=1    failed=0    skipped=0    rescued=0    ignored=0
"""
    (failure,) = scenarios.failures_in(text, 4)
    assert failure.what == "verify: TASK [Look] on two"
    assert failure.why[0] == "fatal: [two -> localhost]: UNREACHABLE! =>"


def test_of_a_long_message_the_assertion_and_the_beginning() -> None:
    message = [f"        {number}" for number in range(99)]
    result = ["fatal: [one]: FAILED! =>", "    assertion: a == b", "    changed: false", "    msg: |-", *message]
    clipped = scenarios.clipped(result)
    assert clipped == [*result[:2], "    msg: |-", *message[:11], "        ..."]
    assert len(clipped) == scenarios.SHOWN


def test_the_end_says_what_failed() -> None:
    failed = Failure("verify: TASK [Look] on one", ["fatal: [one]: FAILED! =>", "    msg: no"])
    text = scenarios.summary([Outcome("change", [failed], 301.4), Outcome("bare", [], 60)], 361.4)
    assert text.splitlines() == [
        "change  FAILED    301 s",
        "bare    passed     60 s",
        "2 scenarios in 361 s, 1 failed",
        "",
        "change, verify: TASK [Look] on one",
        "fatal: [one]: FAILED! =>",
        "    msg: no",
    ]


def test_large_ones_run_one_after_the_other_and_others_beside_them() -> None:
    queue = scenarios.Queue(["change", "forward", "bare"])
    assert [queue.take(), queue.take()] == ["change", "bare"]
    with ThreadPoolExecutor() as other:
        third = other.submit(queue.take)
        queue.done("bare")
        assert not third.done()
        queue.done("change")
        assert third.result() == "forward"
    assert queue.take() is None


# --- running them, with a molecule of the test's own --------------------------------------------------------------------------

MOLECULE = """\
#!/bin/sh
case $4 in
    good) echo 'one : ok=1 changed=0 unreachable=0 failed=0' ;;
    bad) echo 'OSError: no space left'; exit 3 ;;
    endless) sleep 1000 & echo $! >"$ENDLESS.new"; mv "$ENDLESS.new" "$ENDLESS"; wait ;;
esac
"""


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    program = folder / "bin/molecule"
    program.parent.mkdir()
    program.write_text(MOLECULE)
    program.chmod(0o755)
    for name in ("good", "bad", "endless"):
        (folder / "scenarios" / name).mkdir(parents=True)
        (folder / "scenarios" / name / "molecule.yml").touch()
    run = "import scenarios, sys, pathlib; scenarios.SCENARIOS, scenarios.LOGS = map(pathlib.Path, sys.argv[1:3])"
    script = f"{run}; del sys.argv[1:3]; sys.exit(scenarios.main())"
    return subprocess.Popen(
        [sys.executable, "-c", script, str(folder / "scenarios"), str(folder / "logs"), *arguments],
        env={
            **os.environ,
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(Path(scenarios.__file__).parent),
            "ENDLESS": str(folder / "endless"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_one_that_fails_keeps_no_other_from_running(tmp_path: Path) -> None:
    with start(tmp_path, "-s", "good", "-s", "bad", "--jobs", "1") as process:
        text, _none = process.communicate()
    assert process.returncode == 1
    assert text.index("=== bad: FAILED") < text.index("=== good: begins") < text.index("=== good: passed")
    assert text.endswith("\nbad, molecule ended with 3\nOSError: no space left\n")


def test_all_well(tmp_path: Path) -> None:
    with start(tmp_path, "--scenario", "good") as process:
        text, _none = process.communicate()
    assert process.returncode == 0
    assert "one : ok=1" in text
    assert text.endswith("1 scenarios in 0 s, 0 failed\n")


def runs(pid: int) -> bool:
    """Whether there is such a process; one that has ended may be there until its parent asks for it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_what_runs(tmp_path: Path, number: signal.Signals) -> None:
    with start(tmp_path, "-s", "endless", "-s", "good", "-j", "1") as process:
        seen = tmp_path / "endless"
        while not seen.exists() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(number)
        text, _none = process.communicate()
    assert process.returncode == 128 + number
    assert "=== good: begins" not in text
    while runs(int(seen.read_text())):
        time.sleep(0.01)
