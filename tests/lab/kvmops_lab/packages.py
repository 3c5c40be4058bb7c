# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""The apt repository inside an image: what a host may install, as files, so that apt works there without a network."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

from . import command

FOLDER = "srv/packages"
SOURCE_LINE = f"deb [trusted=yes] file:/{FOLDER} ./\n"

# What the role `hypervisor` and the tests may install on a host, with all that it depends on.
_AVAILABLE = (
    "acl",
    "bridge-utils",
    "dhcpcd-base",
    "dnsmasq-base",
    "firewalld",
    "ifupdown",
    "iptables",
    "isc-dhcp-client",
    "libvirt-clients",
    "libvirt-daemon-system",
    "netplan.io",
    "network-manager",
    "nftables",
    "python3-apt",
    "python3-libvirt",
    "python3-lxml",
    "qemu-system-x86",
    "qemu-utils",
    "strace",
    "tcpdump",
    "ufw",
    "virtinst",
    "xorriso",
)

_NOT_YET = {"bullseye": ("dhcpcd-base",)}


def available(release: str) -> list[str]:
    """The packages of a release that its hosts may install."""
    return [name for name in _AVAILABLE if name not in _NOT_YET.get(release, ())]


def write_index(root: Path) -> None:
    """Make the packages in the image's folder a repository, and the only source of its apt."""
    folder = root / FOLDER
    index = "\n".join(_entry(package) for package in sorted(folder.glob("*.deb")))
    (folder / "Packages").write_text(index)
    (folder / "Packages.gz").write_bytes(gzip.compress(index.encode(), mtime=0))
    apt = root / "etc/apt"
    for source in (apt / "sources.list", *apt.glob("sources.list.d/*")):
        source.unlink(missing_ok=True)
    (apt / "sources.list").write_text(SOURCE_LINE)


def _entry(package: Path) -> str:
    content = package.read_bytes()
    control = command.output(["dpkg-deb", "--field", str(package)])
    digest = hashlib.sha256(content).hexdigest()
    return f"{control}Filename: ./{package.name}\nSize: {len(content)}\nSHA256: {digest}\n"
