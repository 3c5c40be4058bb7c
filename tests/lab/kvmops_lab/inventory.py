# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""The running hosts as an Ansible inventory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from . import ssh
from .host import Host
from .paths import Paths

Tree = Mapping[str, "Tree | str"]


def render(paths: Paths, hosts: Iterable[Host]) -> str:
    """YAML text: group `hypervisors` with all of them, and one group for each release and image."""
    variables = {}
    groups: dict[str, dict[str, dict[str, str]]] = {"hypervisors": {}}
    for host in hosts:
        record = host.known_record()
        address = host.address()
        if address is None:
            continue
        variables[host.name] = host_variables(paths, host.name, address)
        for group in ("hypervisors", f"release_{record.release}", f"image_{record.image}"):
            groups.setdefault(group, {})[host.name] = {}
    children = {name: {"hosts": members} for name, members in groups.items()}
    return to_yaml({"all": {"hosts": variables, "children": children}})


def host_variables(paths: Paths, name: str, address: str) -> dict[str, str]:
    return {
        "ansible_host": address,
        "ansible_user": "root",
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_ssh_common_args": " ".join(ssh.options(paths, name)),
        "ansible_control_path": ssh.control_path(paths, name).replace("%", "%%"),
        "lab_command": str(Path(__file__).resolve().parent.parent / "lab"),
    }


def to_yaml(tree: Tree, *, indent: str = "") -> str:
    """Mappings of mappings and texts are all that an inventory needs; a JSON text is a YAML text."""
    lines = []
    for key, value in tree.items():
        if isinstance(value, str):
            lines.append(f"{indent}{key}: {json.dumps(value)}\n")
        elif value:
            lines.append(f"{indent}{key}:\n{to_yaml(value, indent=indent + '  ')}")
        else:
            lines.append(f"{indent}{key}: {{}}\n")
    return "".join(lines)
