# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""One run of the module against libvirt's test driver, which lives and dies with this process.

`growth_process.py create COUNT FILE` makes networks and writes what libvirt shows of them into a file.
`growth_process.py compare COUNT FILE` gets them from that file through libvirt alone, and lets the module find nothing to do.
Both print as JSON how much processor time the module took, and the process' peak memory before and after.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import libvirt
from ansible.module_utils import _internal
from ansible.module_utils.testing import patch_module_args

from ansible_collections.kvmops.network.plugins.modules import libvirt_networks
from kvmops_benchmark.networks import networks

_URI = "test:///default"


def main() -> None:
    action, count, file = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    connection = libvirt.open(_URI)  # keeps the driver alive
    _remove_all(connection)
    if action == "compare":
        _put_in(connection, json.loads(file.read_text()))
    before = _peak_megabytes()
    milliseconds = _run_module(networks(count), changes=action == "create")
    after = _peak_megabytes()
    if action == "create":
        file.write_text(json.dumps([network.XMLDesc() for network in connection.listAllNetworks()]))
    print(json.dumps({"milliseconds": milliseconds, "before": before, "after": after}))


def _remove_all(connection: Any) -> None:
    """The driver has networks of its own."""
    for network in connection.listAllNetworks():
        network.destroy()
        network.undefine()


def _put_in(connection: Any, documents: list[str]) -> None:
    for document in documents:
        network = connection.networkDefineXML(document)
        network.setAutostart(1)
        network.create()


def _run_module(wanted: list[dict[str, Any]], *, changes: bool) -> float:
    """How many milliseconds of processor time the module's main() takes, after its imports. It waits for nothing and nobody."""
    _internal.is_controller = False  # it is not: Ansible runs each module in a process of its own
    arguments = {"uri": _URI, "networks": wanted, "_ansible_check_mode": False, "_ansible_diff": False}
    with tempfile.TemporaryFile("w+") as output:
        began = time.process_time()
        with patch_module_args(arguments), contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
            libvirt_networks.main()
        took = time.process_time() - began
        output.seek(0)
        result = json.load(output)
    if result.get("failed") or result["changed"] is not changes:
        sys.exit(f"The module did not do what it was expected to do: {json.dumps(result)[:1000]}")
    return took * 1000


def _peak_megabytes() -> float:
    """Not getrusage(): that starts with what the process had been before it became this program."""
    status = Path("/proc/self/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    if found is None:
        sys.exit("The kernel does not say how much memory this process used.")
    return int(found[1]) * 1024 / 1_000_000


if __name__ == "__main__":
    main()
