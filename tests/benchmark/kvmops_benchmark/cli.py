# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""The command line: which benchmarks, how many rounds, and with which Ansible."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from kvmops_lab.errors import LabError

from . import growth, guest_nics, hosts, machine, many_hosts, one_host, report
from .errors import BenchmarkError
from .figures import Section

BUILT = Path(__file__).resolve().parents[3] / ".build/benchmark"
ROUNDS = 5


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_arguments: sys.exit(1))
    try:
        text = _run(options)
    except (BenchmarkError, LabError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    file = BUILT / ("short.txt" if options.short else "report.txt")
    file.write_text(text)
    print(f"\n{text}\nAlso in {file}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench", description="Measure the collection beside other ways to do the same.")
    parser.add_argument(
        "--short", action="store_true", help="one round, on one host at a time, without community.libvirt: does it run?"
    )
    parser.add_argument(
        "--ansible", type=Path, default=Path(sys.executable).parent, metavar="FOLDER", help="where the programs of Ansible are"
    )
    return parser


def _run(options: argparse.Namespace) -> str:
    BUILT.mkdir(parents=True, exist_ok=True)
    rounds = 1 if options.short else ROUNDS
    ansible = options.ansible.resolve()
    sections: list[Section] = []
    with hosts.lab_of_its_own():
        sections.append(growth.measure(BUILT, rounds=rounds))
        sections.append(one_host.measure(BUILT, ansible, rounds=rounds, with_others=not options.short))
        sections.append(guest_nics.measure(BUILT, ansible, rounds=rounds))
        if not options.short:
            sections.append(many_hosts.measure(BUILT, ansible, rounds=rounds))
    return report.render(machine.describe(ansible, rounds=rounds), sections)
