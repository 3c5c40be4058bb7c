# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""What guests boot: Debian's cloud kernel, and an initramfs of busybox, three modules and the scripts in guest/.

A second initramfs has QEMU's guest agent as well, so that guests without it need no memory and no time for it."""

from __future__ import annotations

import gzip
import lzma
import subprocess
from pathlib import Path

from . import cpio, debian
from .errors import LabError
from .layer import Layer, files_below, key_of
from .paths import SOURCE, Paths
from .trees import remove_tree

KIND = "guest"
KERNEL = "vmlinux"
INITRAMFS = "initramfs"
INITRAMFS_WITH_AGENT = "initramfs-agent"

_RELEASE = "trixie"
_SCRIPTS = SOURCE / "guest"
_PACKAGES = ("linux-image-cloud-amd64", "busybox-static", "qemu-guest-agent")
_MODULES = ("failover", "net_failover", "virtio_net")  # in the order of their dependencies; the rest is built in
_ZSTD = b"\x28\xb5\x2f\xfd"
_LOADER = "ld-linux-x86-64.so.2"
_LIBRARIES = (  # what `ldd` says of qemu-ga
    "libatomic.so.1",
    "libc.so.6",
    "libcap.so.2",
    "libglib-2.0.so.0",
    "libgmodule-2.0.so.0",
    "libm.so.6",
    "libnuma.so.1",
    "libpcre2-8.so.0",
    "libudev.so.1",
    "liburing.so.2",
)


def layer() -> Layer:
    texts = (_RELEASE, *_PACKAGES)
    files = [Path(__file__), Path(cpio.__file__), *files_below(_SCRIPTS)]
    return Layer(KIND, _RELEASE, key_of(texts=texts, files=files, relative_to=SOURCE))


def build(paths: Paths, folder: Path) -> None:
    """5 s or so. The packages are only unpacked: nothing of them is run here."""
    unpacked = folder / "unpacked"
    options = ["--variant=extract", f"--include={','.join(_PACKAGES)}"]
    debian.install(paths, unpacked, release=_RELEASE, kind=KIND, options=options)
    (folder / KERNEL).write_bytes(_unpacked_kernel(_only(unpacked, "boot/vmlinuz-*").read_bytes()))
    plain = _initramfs(_entries(unpacked))
    (folder / INITRAMFS).write_bytes(plain)
    (folder / INITRAMFS_WITH_AGENT).write_bytes(plain + _initramfs(_agent_entries(unpacked)))  # the kernel unpacks all there are
    remove_tree(unpacked)


def _unpacked_kernel(image: bytes) -> bytes:
    """Return what a kernel's image unpacks when it boots, which an emulated guest needs a second of processor time for.

    Reference: Documentation/arch/x86/boot.rst; behind what is compressed comes its size, in four bytes.
    """
    setup = (image[0x1F1] + 1) * 512
    offset, length = (int.from_bytes(image[at : at + 4], "little") for at in (0x248, 0x24C))
    packed = image[setup + offset : setup + offset + length - 4]
    if not packed.startswith(_ZSTD):
        raise LabError(f"Debian's kernel is not compressed with zstd any more: it begins with {packed[:6].hex()}.")
    return subprocess.run(["zstd", "--decompress"], input=packed, stdout=subprocess.PIPE, check=True).stdout


def _initramfs(entries: list[cpio.Entry]) -> bytes:
    return gzip.compress(cpio.archive(entries), mtime=0)


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


def _agent_entries(unpacked: Path) -> list[cpio.Entry]:
    libraries = unpacked / "usr/lib/x86_64-linux-gnu"
    return [
        cpio.directory("lib64"),
        cpio.program("bin/qemu-ga", _only(unpacked, "usr/sbin/qemu-ga").read_bytes()),
        cpio.program(f"lib64/{_LOADER}", _only(libraries, _LOADER).read_bytes()),
        *(cpio.program(f"lib/{name}", _only(libraries, name).read_bytes()) for name in _LIBRARIES),
    ]


def _only(folder: Path, pattern: str) -> Path:
    found = list(folder.glob(pattern))
    if len(found) != 1:
        raise LabError(f"Debian's packages {', '.join(_PACKAGES)} hold {len(found)} files like {pattern}, not one.")
    return found[0]
