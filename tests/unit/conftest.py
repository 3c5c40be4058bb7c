# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What holds for every unit test: hypothesis' settings, and that no test is skipped unnoticed."""

from __future__ import annotations

import os
import typing as t

import hypothesis
import pytest

# Tests that may be skipped (or expected to fail): their node id, and the reason, which every run prints.
ALLOWED_SKIPS: dict[str, str] = {
    "tests/unit/plugins/modules/test_libvirt_network_documents.py::test_documents_that_are_installed": (
        "without a libvirt daemon on the machine there are none; `make unit-images` has them"
    ),
    **{
        f"tests/unit/plugins/modules/test_libvirt_network_{name}_daemon.py": (
            "it removes the host's networks, and so runs on lab hosts alone, in `make unit-images`"
        )
        for name in ("documents", "in_place")
    },
    **{
        f"tests/unit/plugins/modules/test_libvirt_domain_nic_{name}.py": (
            "it removes the host's networks and guests, and so runs on lab hosts alone, in `make unit-images`"
        )
        for name in ("daemon", "daemon_care")
    },
    "tests/unit/plugins/module_utils/_forward/test_keeper_kernel.py": (
        "it needs root, nft and iptables, and so runs on lab hosts alone, in `make unit-images`; test_keeper.py does the same on "
        "a model"
    ),
    "tests/unit/plugins/modules/test_libvirt_nwfilter_daemon.py": (
        "it makes network filters, which libvirt's test driver has not, and so runs on lab hosts alone, in `make unit-images`"
    ),
}

skipped: set[str] = set()

hypothesis.settings.register_profile("local", deadline=None, max_examples=100)
hypothesis.settings.register_profile("ci", deadline=None, max_examples=100, derandomize=True)
# tests/tools/unit_images.py asks for this one: the same tests run on several hosts
hypothesis.settings.register_profile("images", deadline=None, max_examples=20, derandomize=bool(os.environ.get("CI")))
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # they remove the host's networks and guests, which others look at
    items.sort(key=lambda item: "_daemon" in item.path.stem and item.path.stem != "test_daemon")


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.skipped:
        skipped.add(report.nodeid)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped or hasattr(report, "wasxfail"):
        skipped.add(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if skipped - ALLOWED_SKIPS.keys():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: t.Any) -> None:
    for test, reason in ALLOWED_SKIPS.items():
        terminalreporter.line(f"May be skipped: {test} ({reason})")
    for test in sorted(skipped - ALLOWED_SKIPS.keys()):
        terminalreporter.line(f"Skipped, which no test may be that tests/unit/conftest.py does not list: {test}", red=True)
