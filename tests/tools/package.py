# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Build the collection as a user would from this checkout; fail if a file too much or too few is packed, or if Galaxy
would find fault with it."""

from __future__ import annotations

import re
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


def build() -> Path:
    for old in BUILT.glob("*.tar.gz"):
        old.unlink()
    subprocess.check_output(["ansible-galaxy", "collection", "build", "--output-path", str(BUILT)], cwd=ROOT)
    (archive,) = BUILT.glob("*.tar.gz")
    return archive


def files_in(archive: Path) -> set[str]:
    with tarfile.open(archive) as tar:
        return {member.name for member in tar.getmembers() if not member.isdir()} - {"MANIFEST.json", "FILES.json"}


def expected() -> set[str]:
    listing = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, text=True)
    return {name for name in listing.split("\0") if name.split("/")[0] in PACKED and (ROOT / name).exists()}


def check_files(archive: Path) -> None:
    packed, wanted = files_in(archive), expected()
    problems = [f"packed, but should not be: {name}" for name in sorted(packed - wanted)]
    problems += [f"not packed, but should be: {name}" for name in sorted(wanted - packed)]
    if problems or not packed:
        sys.exit("\n".join(["The package has not the right files; see build_ignore in galaxy.yml:", *problems]))
    print(f"{len(packed)} files packed")


def check_import(archive: Path) -> None:
    command = [str(ROOT / ".build/galaxy-importer/bin/python"), "-m", "galaxy_importer.main", archive.name]
    imported = subprocess.run(command, cwd=BUILT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(imported.stdout, end="")
    if imported.returncode or re.search("^(WARNING|ERROR)", imported.stdout, re.MULTILINE):
        sys.exit("Galaxy would find fault with the package.")


if __name__ == "__main__":
    built = build()
    check_files(built)
    check_import(built)
