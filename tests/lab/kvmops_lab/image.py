# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""Images that hosts are made from: which layers each consists of."""

from __future__ import annotations

from pathlib import Path

from . import bare, guest_image, hypervisor, layer
from .errors import LabError
from .host import layers_in_use
from .paths import Paths

RELEASES = ("trixie", "bookworm", "bullseye", "forky")
IMAGES = (hypervisor.KIND, bare.KIND)


def ensure(paths: Paths, *, release: str, image: str, rebuild: bool = False) -> list[Path]:
    """The layers of the image, topmost first; built where they are missing."""
    if release not in RELEASES:
        raise LabError(f"The lab knows no release {release!r}. Releases: {', '.join(RELEASES)}.")
    lowest = layer.ensure(
        bare.layer(release),
        paths,
        build=lambda root: bare.build(release, paths, root),
        in_use=lambda: layers_in_use(paths),
        rebuild=rebuild,
    )
    if image == bare.KIND:
        return [lowest]
    guest_files = ensure_guest_files(paths)
    top = layer.ensure(
        hypervisor.layer(release, lowest),
        paths,
        build=lambda root: hypervisor.build(release, paths, root, lowest=lowest, guest_files=guest_files),
        in_use=lambda: layers_in_use(paths),
        rebuild=rebuild,
    )
    return [top, lowest]


def newest(paths: Paths, *, release: str, image: str) -> list[Path]:
    """The layers that a host made now would have, built or not."""
    lowest = bare.layer(release).directory(paths)
    return [lowest] if image == bare.KIND else [hypervisor.layer(release, lowest).directory(paths), lowest]


def ensure_guest_files(paths: Paths) -> Path:
    """The folder with the guests' kernel and initramfs."""
    return layer.ensure(
        guest_image.layer(),
        paths,
        build=lambda folder: guest_image.build(paths, folder),
        in_use=lambda: layers_in_use(paths),
    )
