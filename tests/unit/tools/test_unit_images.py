# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
from __future__ import annotations

import pytest
import unit_images

ALL = ["tests/unit/plugins/module_utils", "tests/unit/plugins/modules"]


def test_the_oldest_release_runs_all() -> None:
    assert unit_images.tests_of("bullseye", asked_for=False) == ALL


@pytest.mark.parametrize("release", ["bookworm", "trixie"])
def test_one_that_is_asked_for_runs_all(release: str) -> None:
    assert unit_images.tests_of(release, asked_for=True) == ALL


@pytest.mark.parametrize("release", ["bookworm", "trixie"])
def test_newer_ones_run_what_needs_a_host(release: str) -> None:
    tests = unit_images.tests_of(release, asked_for=False)
    assert "tests/unit/plugins/module_utils/_edge" in tests
    assert "tests/unit/plugins/modules/test_libvirt_network_documents.py" in tests
    # what runs on a lab host alone
    files = (unit_images.ROOT / unit_images.UNIT).rglob("test_*.py")
    alone = {str(file.relative_to(unit_images.ROOT)) for file in files if '"KVMOPS_UNIT_ON_A_LAB_HOST"' in file.read_text()}
    assert alone
    assert alone <= set(tests)
