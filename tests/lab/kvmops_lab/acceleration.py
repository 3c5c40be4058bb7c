# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""Whether guests can use the processor's own virtualisation. Only trying tells: /dev/kvm may be there and useless."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .container import Container
from .guest_image import INITRAMFS, KERNEL
from .lifecycle import GUEST_FILES
from .locks import lock
from .paths import Paths

_SIGN_OF_LIFE = b"lab guest is up"
_SIGN_OF_DEATH = b"KVM internal error"  # after which QEMU stays there and waits
_PATIENCE = 8


def accelerator(paths: Paths, container: Container) -> str:
    """`kvm` or `qemu` (emulation); found out once for each boot of the machine.

    A useless /dev/kvm is taken out of the host: libvirt would ask QEMU for its abilities anew each time a guest is defined or
    started, for ten seconds, since the answer says that KVM is not there and the device that it is.
    """
    kind = _find_out(paths, container)
    if kind == "qemu":
        container.run("sh", "-c", "test ! -e /dev/kvm || { umount --lazy /dev/kvm; rm -f /dev/kvm; }")
    return kind


def _find_out(paths: Paths, container: Container) -> str:
    if not Path("/dev/kvm").exists():
        return "qemu"
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    answer = paths.run / f"accelerator-{boot}"
    with lock(paths.locks, "accelerator"):
        if not answer.exists():
            answer.write_text(_probe(container))
    return answer.read_text()


def _probe(container: Container) -> str:
    # fmt: off
    machine = [
        "timeout", "-s", "KILL", str(_PATIENCE),
        "qemu-system-x86_64", "-machine", "pc,accel=kvm", "-m", "128", "-nodefaults", "-display", "none", "-no-reboot",
        "-kernel", f"{GUEST_FILES}/{KERNEL}", "-initrd", f"{GUEST_FILES}/{INITRAMFS}",
        "-append", "console=ttyS0 quiet panic=-1 lab.name=probe lab.once", "-serial", "stdio",
    ]
    # fmt: on
    with subprocess.Popen(
        container.entering(machine), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as probe:
        try:
            return "kvm" if _comes_to_life(probe) else "qemu"
        finally:
            probe.kill()


def _comes_to_life(probe: subprocess.Popen[bytes]) -> bool:
    for line in probe.stdout or ():
        if _SIGN_OF_LIFE in line or _SIGN_OF_DEATH in line:
            return _SIGN_OF_LIFE in line
    return False
