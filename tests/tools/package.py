# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Build the collection as a user would from this checkout, and fail if something unwanted is packed or something missing."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / ".build/package"

# All that a user of the collection needs, and nothing else.
PACKED = {
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "COPYING",
    "LICENSES",
    "README.md",
    "REUSE.toml",
    "changelogs",
    "docs",
    "meta",
    "playbooks",
    "plugins",
    "roles",
}


def build() -> set[str]:
    subprocess.check_output(["ansible-galaxy", "collection", "build", "--force", "--output-path", str(BUILT)], cwd=ROOT)
    (archive,) = BUILT.glob("kvmops-network-*.tar.gz")
    with tarfile.open(archive) as tar:
        return {member.name for member in tar.getmembers() if not member.isdir()} - {"MANIFEST.json", "FILES.json"}


def expected() -> set[str]:
    listing = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, text=True)
    return {name for name in listing.split("\0") if name.split("/")[0] in PACKED and (ROOT / name).exists()}


if __name__ == "__main__":
    for old in BUILT.glob("*.tar.gz"):
        old.unlink()
    packed, wanted = build(), expected()
    problems = [f"packed, but should not be: {name}" for name in sorted(packed - wanted)]
    problems += [f"not packed, but should be: {name}" for name in sorted(wanted - packed)]
    if problems or not packed:
        sys.exit("\n".join(["The build_ignore list of galaxy.yml and the package differ:", *problems]))
    print(f"{len(packed)} files packed")
