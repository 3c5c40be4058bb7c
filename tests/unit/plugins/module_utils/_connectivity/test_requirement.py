# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Where libvirt is not there or does not answer, that is what is wrong with the host."""

from __future__ import annotations

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.requirement import explain_requirement
from ansible_collections.kvmops.network.plugins.module_utils._errors import RequirementError

MISSING = "This host has no libvirt; make it a hypervisor with the role kvmops.network.hypervisor."


@pytest.mark.parametrize(
    ("requirement", "installed", "units", "sentence"),
    [
        ("library", False, {}, MISSING),
        ("daemon", False, {}, MISSING),
        (
            "library",
            True,
            {},
            "This host has libvirt, but not the Python libraries libvirt and lxml by which it is asked; install python3-libvirt "
            "and python3-lxml, or run the role kvmops.network.hypervisor.",
        ),
        ("daemon", True, {}, "libvirt's daemon libvirtd does not run; start it with 'systemctl start libvirtd'."),
        (
            "daemon",
            True,
            {"libvirtd.service": ("loaded", "inactive")},
            "libvirt's daemon libvirtd does not run; start it with 'systemctl start libvirtd'.",
        ),
        (
            "daemon",
            True,
            {"libvirtd.service": ("loaded", "failed")},
            "libvirt's daemon libvirtd has failed; see with 'journalctl -u libvirtd' why, and start it with 'systemctl start "
            "libvirtd'.",
        ),
        (
            "daemon",
            True,
            {"libvirtd.service": ("masked", "inactive")},
            "libvirt's daemon libvirtd does not run, and is masked; allow it again with 'systemctl unmask libvirtd', and start "
            "it with 'systemctl start libvirtd'.",
        ),
        (
            "daemon",
            True,
            {"libvirtd.service": ("loaded", "active")},
            "libvirt's daemon libvirtd runs, but does not answer; restart it with 'systemctl restart libvirtd', which spares the "
            "guests.",
        ),
        (
            "daemon",
            True,
            {"virtqemud.service": ("loaded", "active"), "virtnetworkd.service": ("loaded", "inactive")},
            "libvirt's daemon virtnetworkd does not run; start it with 'systemctl start virtnetworkd'.",
        ),
    ],
)
def test_what_is_said(requirement: str, installed: bool, units: dict[str, tuple[str, str]], sentence: str) -> None:
    finding = explain_requirement(RequirementError("x", requirement=requirement), installed=installed, units=units)
    assert finding is not None
    assert finding.sentence == sentence
    assert (finding.subject, finding.severity) == ("host", "error")


@pytest.mark.parametrize(
    "error", [RequirementError("x", requirement="permission"), RequirementError("x", requirement="uri"), RequirementError("x")]
)
def test_what_is_wrong_with_the_task_is_no_finding(error: RequirementError) -> None:
    assert explain_requirement(error, installed=True, units={}) is None
