# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
from __future__ import annotations

import pytest
from kvmops_benchmark.play import environment, find_problem

RECAP = """\
PLAY RECAP *********************************************************************
many01                     : ok=1    changed=0    unreachable=0    failed=0    skipped=0    rescued=0    ignored=0
many02                     : ok=3    changed=2    unreachable=0    failed=0    skipped=0    rescued=0    ignored=0
many03                     : ok=1    changed=0    unreachable=0    failed=1    skipped=0    rescued=0    ignored=0
many04                     : ok=0    changed=0    unreachable=1    failed=0    skipped=0    rescued=0    ignored=0
many05                     : ok=0    changed=0    unreachable=0    failed=0    skipped=1    rescued=0    ignored=0
many06                     : ok=2    changed=0    unreachable=1    failed=0    skipped=0    rescued=0    ignored=0
"""


@pytest.mark.parametrize(("name", "changes"), [("many01", False), ("many02", True)])
def test_a_play_that_did_what_was_expected_has_no_problem(name, changes) -> None:
    assert find_problem(RECAP, names=[name], changes=changes) == ""


@pytest.mark.parametrize(("name", "changes", "count"), [("many01", True, 0), ("many02", False, 2)])
def test_the_number_of_changes_matters(name, changes, count) -> None:
    assert find_problem(RECAP, names=[name], changes=changes) == f"It reports changed={count} on {name}."


@pytest.mark.parametrize("name", ["many03", "many04", "many05", "many06", "many07"])
def test_a_host_that_failed_or_did_nothing_or_is_not_there_is_a_problem(name) -> None:
    assert find_problem(RECAP, names=["many01", name], changes=False) == f"It failed on {name}, or did nothing there."


def test_nobodys_own_settings_of_ansible_are_used(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("ANSIBLE_PIPELINING", "true")
    monkeypatch.setenv("HOME", "/home/somebody")
    settings = environment(tmp_path)
    assert "ANSIBLE_PIPELINING" not in settings
    assert settings["HOME"] == "/home/somebody"
    assert settings["ANSIBLE_CONFIG"].endswith("/tests/benchmark/ansible.cfg")
    assert settings["PATH"].startswith(f"{tmp_path}:")
