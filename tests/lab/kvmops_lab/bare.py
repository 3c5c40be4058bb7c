# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""The image `bare`: a Debian host as an installer leaves it, without libvirt."""

from __future__ import annotations

import shutil
from pathlib import Path

from . import apt_sources, command, debian, extras, packages
from .layer import Layer, files_below, key_of
from .paths import SOURCE, Paths

KIND = "bare"

_INCLUDE = (
    "dbus",
    "iproute2",
    "iputils-ping",
    "kmod",
    "openssh-server",
    "procps",
    "python3",
    "sudo",
    "systemd-sysv",
    "udev",
)

_DOWNLOAD = 'APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get install --yes --no-install-recommends --download-only '
_KEEP_DOWNLOADS = f'mkdir -p "$1/{packages.FOLDER}" && mv "$1"/var/cache/apt/archives/*.deb "$1/{packages.FOLDER}/"'

# networkd names the client by a DUID that it makes from the machine-id, so each host has its own and keeps it.
_ETH0 = """\
[Match]
Name=eth0

[Network]
DHCP=ipv4
"""


def layer(release: str) -> Layer:
    texts = (release, apt_sources.machine_mirror(), *_INCLUDE, *packages.available(release))
    files = [Path(__file__), Path(packages.__file__), Path(extras.__file__), *files_below(extras.FOLDER)]
    return Layer(KIND, release, key_of(texts=texts, files=files, relative_to=SOURCE))


def build(release: str, paths: Paths, root: Path) -> None:
    """20 s or so, nearly all of it apt and dpkg."""
    options = [
        "--variant=minbase",
        f"--include={','.join(_INCLUDE)}",
        f"--customize-hook={_DOWNLOAD}{' '.join(packages.available(release))}",
        f"--customize-hook={_KEEP_DOWNLOADS}",
    ]
    debian.install(paths, root, release=release, kind=KIND, options=options)
    packages.write_index(root)
    _configure(root)
    extras.apply_to_bare(root)


def _configure(root: Path) -> None:
    (root / "etc/systemd/network").mkdir(parents=True, exist_ok=True)
    (root / "etc/systemd/network/10-eth0.network").write_text(_ETH0)
    (root / "etc/machine-id").write_text("")
    for path in root.glob("etc/ssh/ssh_host_*"):
        path.unlink()
    command.output(["chroot", str(root), "systemctl", "enable", "systemd-networkd.service"])
    command.output(["chroot", str(root), "apt-get", "update"])
    for folder in (root / "var/log/apt", root / "var/cache/apt/archives"):
        shutil.rmtree(folder, ignore_errors=True)
