# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""The networks that every contestant makes: NAT with DHCP, each with a bridge and a subnet of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PREFIX = "bench"  # of their names; what is named so is the benchmark's to remove


def network(number: int) -> dict[str, Any]:
    """The options of one, as a user of the collection writes them. Numbers go from 1."""
    subnet = f"10.{200 + number // 256}.{number % 256}"
    return {
        "name": f"{PREFIX}{number:04}",
        "forward": {"mode": "nat"},
        "bridge": {"name": f"virbrb{number:04}"},
        "ips": [
            {
                "address": f"{subnet}.1",
                "prefix": 24,
                "dhcp": {"ranges": [{"start": f"{subnet}.100", "end": f"{subnet}.254"}]},
            }
        ],
    }


def networks(count: int) -> list[dict[str, Any]]:
    return [network(number) for number in range(1, count + 1)]


def write_variables(folder: Path, count: int) -> Path:
    """A file of extra variables for the playbooks, and the script's input."""
    file = folder / f"networks-{count}.json"
    file.write_text(json.dumps({"networks": networks(count)}, indent=1))
    return file
