# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""Where and with what it was measured."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

from . import hosts, play

_VERSIONS = """
import platform, libvirt, lxml
number = libvirt.getVersion()
libvirt_version = f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"
print(f"Python {platform.python_version()}, libvirt {libvirt_version}, lxml {lxml.__version__}")
"""


def describe(ansible: Path, *, rounds: int) -> list[str]:
    """Lines for the head of the report."""
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    versions = f"ansible-core {_core_version(ansible)}, Python {platform.python_version()}"
    return [
        f"{time.strftime('%Y-%m-%d %H:%M')}, {rounds} round{'s' if rounds > 1 else ''}, {versions}",
        f"{_processor()}, {os.cpu_count()} cores, {gigabytes:.0f} GB, Linux {platform.release()}",
    ]


def own_versions() -> str:
    return subprocess.check_output([sys.executable, "-c", _VERSIONS], text=True).strip()


def versions_of(host: str) -> str:
    return hosts.lab("enter", host, "--", "python3", "-c", _VERSIONS).strip()


def collection_version(ansible: Path, namespace: str, name: str) -> str:
    """Of a collection that came with the PyPI package `ansible`."""
    manifests = ansible.parent.glob(f"lib/python*/site-packages/ansible_collections/{namespace}/{name}/MANIFEST.json")
    return ", ".join(json.loads(manifest.read_text())["collection_info"]["version"] for manifest in manifests)


def _core_version(ansible: Path) -> str:
    command = [str(ansible / "ansible-playbook"), "--version"]
    printed = subprocess.check_output(command, env=play.environment(ansible), text=True)
    found = re.search(r"\[core ([^]]+)\]", printed)
    return found[1] if found else "of an unknown version"


def _processor() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()
