# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
from __future__ import annotations

import pytest
import unit_images

ALL = ["tests/unit/plugins/module_utils", "tests/unit/plugins/modules"]


@pytest.mark.parametrize(("release", "asked_for"), [("bullseye", False), ("bookworm", True), ("trixie", True)])
def test_the_oldest_release_and_one_that_is_asked_for_run_all(release: str, asked_for: bool) -> None:
    on_host, rest = unit_images.runs_of(release, asked_for=asked_for, pytest_arguments=[])
    assert on_host == unit_images.runs_of("bookworm", asked_for=False, pytest_arguments=[])[0]
    assert rest == [*ALL, *(f"--ignore={path}" for path in on_host)]


@pytest.mark.parametrize("release", unit_images.RELEASES)
def test_with_arguments_for_pytest_a_release_runs_all_at_once(release: str) -> None:
    assert unit_images.runs_of(release, asked_for=False, pytest_arguments=["-k", "ranges"]) == [[*ALL, "-k", "ranges"]]


@pytest.mark.parametrize("release", ["bookworm", "trixie"])
def test_newer_ones_run_what_needs_a_host(release: str) -> None:
    (tests,) = unit_images.runs_of(release, asked_for=False, pytest_arguments=[])
    assert "tests/unit/plugins/module_utils/_edge" in tests
    assert "tests/unit/plugins/modules/test_libvirt_network_documents.py" in tests
    # what runs on a lab host alone
    files = (unit_images.ROOT / unit_images.UNIT).rglob("test_*.py")
    alone = {str(file.relative_to(unit_images.ROOT)) for file in files if '"KVMOPS_UNIT_ON_A_LAB_HOST"' in file.read_text()}
    assert alone
    assert alone <= set(tests)
