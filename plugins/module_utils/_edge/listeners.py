# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Who has which port of this host. The one place that asks `ss`."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._errors import RequirementError
from ansible_collections.kvmops.network.plugins.module_utils._forward.ports import Listener

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Run

__all__ = ["read_listeners"]

_COMMAND = ["ss", "-H", "-l", "-n", "-t", "-u", "-p"]
_PROCESS = re.compile(r'users:\(\("([^"]*)",pid=([0-9]+)')
_ANY = {"*": ("::", "0.0.0.0"), "0.0.0.0": ("0.0.0.0",), "[::]": ("::",)}


def read_listeners(run: Run) -> list[Listener]:
    """Return who waits for connections or datagrams. Raises RequirementError if `ss` fails."""
    try:
        code, output, errors = run(_COMMAND)
    except OSError as error:
        code, output, errors = 1, "", error.strerror or ""
    if code != 0:
        raise RequirementError(f"'ss' failed on this host: {errors.strip().rstrip('.')}. Install iproute2.")
    return [listener for line in output.splitlines() for listener in _read(line.split(None, 6))]


def _read(words: list[str]) -> list[Listener]:
    """Return what a line says: protocol, state, two lengths of queues, the own and the other address, and the process."""
    if len(words) < 5 or words[0] not in ("tcp", "udp"):
        return []
    where, _colon, port = words[4].rpartition(":")
    if not port.isdigit():
        return []
    found = _PROCESS.search(words[6]) if len(words) > 6 else None
    process = f"{found[1]} (process {found[2]})" if found is not None else ""
    return [Listener(words[0], _addresses(where), int(port), process)]


def _addresses(where: str) -> tuple[str, ...]:
    """Return the addresses of a socket; one that belongs to an interface alone counts as on all of its addresses."""
    address = where.partition("%")[0]
    if address.startswith("["):
        address = f"{address.rstrip(']')}]"
    return _ANY[address] if address in _ANY else (str(ipaddress.ip_address(address.strip("[]"))),)
