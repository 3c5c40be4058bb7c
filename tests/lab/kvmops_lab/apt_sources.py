# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""Which Debian mirror this machine uses: images are built from the same one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from .errors import LabError

_APT = Path("/etc/apt")
_ONE_LINE = re.compile(r"^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+\S+")
_IS_DEBIAN = re.compile(r"/debian/?$")


def machine_mirror() -> str:
    """The first Debian archive in the machine's sources, or the one in KVMOPS_LAB_MIRROR."""
    override = os.environ.get("KVMOPS_LAB_MIRROR")
    if override:
        return override
    files = [_APT / "sources.list", *sorted(_APT.glob("sources.list.d/*.list")), *sorted(_APT.glob("sources.list.d/*.sources"))]
    for address in addresses(path for path in files if path.is_file()):
        if _IS_DEBIAN.search(address):
            return address.rstrip("/")
    raise LabError(
        "No Debian archive (an address that ends in /debian) is in this machine's apt sources. "
        "Name one in the environment variable KVMOPS_LAB_MIRROR."
    )


def addresses(files: Iterable[Path]) -> Iterator[str]:
    for path in files:
        text = path.read_text(errors="replace")
        yield from deb822_addresses(text) if path.suffix == ".sources" else one_line_addresses(text)


def one_line_addresses(text: str) -> Iterator[str]:
    for line in text.splitlines():
        match = _ONE_LINE.match(line.strip())
        if match:
            yield match.group(1)


def deb822_addresses(text: str) -> Iterator[str]:
    for stanza in re.split(r"\n\s*\n", text):
        fields = deb822_fields(stanza)
        if fields.get("enabled", "yes").lower() in ("no", "false", "0"):
            continue
        if "deb" in fields.get("types", "").split():
            yield from fields.get("uris", "").split()


def deb822_fields(stanza: str) -> dict[str, str]:
    """Field names in lower case; continuation lines joined; comments left out."""
    fields: dict[str, str] = {}
    name = ""
    for line in stanza.splitlines():
        if line.startswith("#"):
            continue
        if line[:1].isspace():
            fields[name] = f"{fields.get(name, '')} {line.strip()}".strip()
        elif ":" in line:
            name, value = line.split(":", 1)
            name = name.strip().lower()
            fields[name] = value.strip()
    return fields
