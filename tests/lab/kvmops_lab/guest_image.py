# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""What guests boot: Debian's cloud kernel, and an initramfs of busybox, three modules and the scripts in guest/."""

from __future__ import annotations

import gzip
import lzma
import shutil
from pathlib import Path

from . import cpio, debian
from .errors import LabError
from .layer import Layer, files_below, key_of
from .paths import SOURCE, Paths
from .trees import remove_tree

KIND = "guest"
KERNEL = "vmlinuz"
INITRAMFS = "initramfs"

_RELEASE = "trixie"
_SCRIPTS = SOURCE / "guest"
_PACKAGES = ("linux-image-cloud-amd64", "busybox-static")
_MODULES = ("failover", "net_failover", "virtio_net")  # in the order of their dependencies; the rest is built in


def layer() -> Layer:
    texts = (_RELEASE, *_PACKAGES, *_MODULES)
    files = [Path(__file__), Path(cpio.__file__), *files_below(_SCRIPTS)]
    return Layer(KIND, _RELEASE, key_of(texts=texts, files=files, relative_to=SOURCE))


def build(paths: Paths, folder: Path) -> None:
    """5 s or so. The packages are only unpacked: nothing of them is run here."""
    unpacked = folder / "unpacked"
    options = ["--variant=extract", f"--include={','.join(_PACKAGES)}"]
    debian.install(paths, unpacked, release=_RELEASE, kind=KIND, options=options)
    shutil.copy(_only(unpacked, "boot/vmlinuz-*"), folder / KERNEL)
    (folder / INITRAMFS).write_bytes(gzip.compress(cpio.archive(_entries(unpacked)), mtime=0))
    remove_tree(unpacked)


def _entries(unpacked: Path) -> list[cpio.Entry]:
    folders = ("bin", "dev", "etc", "lib", "proc", "run", "sys", "tmp")
    modules = [
        cpio.program(
            f"lib/{number}-{name}.ko", lzma.decompress(_only(unpacked, f"usr/lib/modules/*/**/{name}.ko.xz").read_bytes())
        )
        for number, name in enumerate(_MODULES)
    ]
    scripts = [
        cpio.program(path.name if path.name == "init" else f"bin/{path.name}", path.read_bytes())
        for path in sorted(_SCRIPTS.iterdir())
    ]
    busybox = cpio.program("bin/busybox", _only(unpacked, "usr/bin/busybox").read_bytes())
    return [*(cpio.directory(name) for name in folders), busybox, *modules, *scripts]


def _only(folder: Path, pattern: str) -> Path:
    found = list(folder.glob(pattern))
    if len(found) != 1:
        raise LabError(f"Debian's packages {', '.join(_PACKAGES)} hold {len(found)} files like {pattern}, not one.")
    return found[0]
