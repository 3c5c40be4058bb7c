# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""What a machine has and a container lacks. The lab's own, kept apart so that the roles have to do their own work."""

from __future__ import annotations

import shutil
from pathlib import Path

from . import command
from .paths import SOURCE

FOLDER = SOURCE / "extras"


def apply_to_bare(root: Path) -> None:
    """Device nodes for macvtap, and a `tc` that passes over what the kernel was built without."""
    rules = root / "etc/udev/rules.d"
    rules.mkdir(parents=True, exist_ok=True)
    shutil.copy(FOLDER / "90-macvtap.rules", rules)
    real = _owned_path_of_tc(root)
    diverted = f"{real}.real"
    command.output(["chroot", str(root), "dpkg-divert", "--local", "--rename", "--divert", diverted, "--add", real])
    wrapper = root / real.lstrip("/")
    wrapper.write_text((FOLDER / "tc").read_text().replace("@REAL@", diverted))
    wrapper.chmod(0o755)


def apply_to_hypervisor(root: Path) -> None:
    """No AppArmor or SELinux confinement of guests, for which a container can load no profiles; no long wait for libvirtd."""
    settings = root / "etc/libvirt/qemu.conf"
    settings.write_text(settings.read_text() + "\n" + (FOLDER / "qemu.conf").read_text())
    drop_in = root / "etc/systemd/system/libvirtd.service.d"
    drop_in.mkdir(parents=True, exist_ok=True)
    shutil.copy(FOLDER / "libvirtd.conf", drop_in / "lab.conf")


def _owned_path_of_tc(root: Path) -> str:
    """/sbin/tc or /usr/sbin/tc: what the package calls it, which is what dpkg-divert goes by."""
    listing = command.output(["chroot", str(root), "dpkg", "--listfiles", "iproute2"])
    return next(line for line in listing.splitlines() if line.endswith("/sbin/tc"))
