# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""mmdebstrap: a Debian release into a folder, from the mirror that this machine uses."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from . import apt_sources, command
from .layer import build_group
from .paths import Paths
from .trees import remove_tree

# What a release no longer has comes from one before; apt takes the newer version of what both have. forky has no isc-dhcp-client.
_ALSO_FROM = {"forky": ("trixie",)}


def install(paths: Paths, root: Path, *, release: str, kind: str, options: Sequence[str]) -> None:
    """In a mount namespace of its own, and with its temporary files beside the folder: if killed, it leaves nothing elsewhere."""
    temporary = root.with_name(f"{root.name}.tmp")
    temporary.mkdir(mode=0o755)
    validity = '--aptopt=Acquire::Check-Valid-Until "false"'  # testing and archived releases
    work = ["mmdebstrap", validity, "--format=directory", *options, release, str(root), *sources(release)]
    program = build_group(kind, release).command(["unshare", "--mount", *work])
    command.logged(program, log=paths.logs / f"image-{kind}-{release}.log", env={**os.environ, "TMPDIR": str(temporary)})
    remove_tree(temporary)


def sources(release: str) -> list[str]:
    """What mmdebstrap installs from: an address means the release's component main, a line of sources.list itself."""
    mirror = apt_sources.machine_mirror()
    return [mirror, *(f"deb {mirror} {other} main" for other in _ALSO_FROM.get(release, ()))]
