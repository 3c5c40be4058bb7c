# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Where libvirt is not there or does not answer, that is what is wrong with the host."""

from __future__ import annotations

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.daemons import Unit
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
            {"libvirtd.service": Unit("loaded", "inactive")},
            "libvirt's daemon libvirtd does not run; start it with 'systemctl start libvirtd'.",
        ),
        (
            "daemon",
            True,
            {"libvirtd.service": Unit("loaded", "failed")},
            "libvirt's daemon libvirtd has failed; see with 'journalctl -u libvirtd' why, and start it with 'systemctl start "
            "libvirtd'.",
        ),
        (
            "daemon",
            True,
            {"libvirtd.service": Unit("masked", "inactive")},
            "libvirt's daemon libvirtd does not run, and is masked; allow it again with 'systemctl unmask libvirtd', and start "
            "it with 'systemctl start libvirtd'.",
        ),
        (
            "daemon",
            True,
            {"libvirtd.service": Unit("loaded", "active")},
            "libvirt's daemon libvirtd runs, but does not answer; restart it with 'systemctl restart libvirtd', which spares the "
            "guests.",
        ),
        (
            "daemon",
            True,
            {"virtqemud.service": Unit("loaded", "active"), "virtnetworkd.service": Unit("loaded", "inactive")},
            "libvirt's daemon virtnetworkd does not run; start it with 'systemctl start virtnetworkd'.",
        ),
        (
            "daemon",
            True,
            {
                # as on a host that came with one daemon and was moved to several
                "libvirtd.service": Unit("masked", "inactive", "masked"),
                "virtqemud.service": Unit("loaded", "inactive", "enabled"),  # idle, its socket is up
                "virtqemud.socket": Unit("loaded", "active", "enabled"),
                "virtnetworkd.service": Unit("loaded", "failed", "enabled"),
                "virtnetworkd.socket": Unit("loaded", "failed", "enabled"),
            },
            "libvirt's daemon virtnetworkd has failed; see with 'journalctl -u virtnetworkd' why, and start it with 'systemctl "
            "start virtnetworkd'.",
        ),
    ],
)
def test_what_is_said(requirement: str, installed: bool, units: dict[str, Unit], sentence: str) -> None:
    finding = explain_requirement(RequirementError("x", requirement=requirement), installed=installed, units=units)
    assert finding is not None
    assert finding.sentence == sentence
    assert (finding.subject, finding.severity) == ("host", "error")


@pytest.mark.parametrize(
    "error", [RequirementError("x", requirement="permission"), RequirementError("x", requirement="uri"), RequirementError("x")]
)
def test_what_is_wrong_with_the_task_is_no_finding(error: RequirementError) -> None:
    assert explain_requirement(error, installed=True, units={}) is None


@pytest.mark.parametrize(
    ("active", "named", "daemon"),
    [
        # what is down counts more than whom libvirt named: its clients look for libvirtd where no other daemon's socket is
        (("inactive", "inactive"), "virtnetworkd", "virtnetworkd"),
        (("inactive", "inactive"), None, "virtqemud"),
        (("inactive", "active"), "virtnetworkd", "virtqemud"),
        (("active", "active"), "virtnetworkd", "virtnetworkd"),
        (("active", "active"), None, "virtqemud"),
        (("active", "active"), "virtstoraged", "virtqemud"),
    ],
)
def test_which_daemon_is_meant(active: tuple[str, str], named: str | None, daemon: str) -> None:
    units = {f"{name}.service": Unit("loaded", state) for name, state in zip(("virtqemud", "virtnetworkd"), active)}
    message = f"Failed to connect socket to '/var/run/libvirt/{named or 'libvirt'}-sock': Connection refused"
    finding = explain_requirement(RequirementError(message, requirement="daemon"), installed=True, units=units)
    assert finding is not None
    assert f"libvirt's daemon {daemon} " in finding.sentence
