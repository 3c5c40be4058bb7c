# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Whether a router answers: the host's own reach, as far as its next hop."""

from __future__ import annotations

import ipaddress
import time
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._edge.neighbours import (
    ask_for,
    forget_neighbour,
    read_neighbours,
)

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Run
    from ansible_collections.kvmops.network.plugins.module_utils._edge.neighbours import Neighbour

__all__ = ["router_answers"]

_POLL = 0.1  # seconds


def router_answers(run: Run, gateway: str, device: str, *, timeout: float) -> bool:
    """Return whether a router tells its MAC address within so many seconds, over a link of this host.

    What the kernel remembers of it is forgotten first. Raises RequirementError if `ip` fails.
    """
    for known in _remembered(run, gateway, device):
        forget_neighbour(run, known)
    deadline = time.monotonic() + timeout
    address = ipaddress.ip_address(gateway)
    where = f"{gateway}%{device}" if address.version == 6 and address.is_link_local else gateway
    while True:
        ask_for([where])
        time.sleep(_POLL)
        if any(known.answers or known.written_down for known in _remembered(run, gateway, device)):
            return True
        if time.monotonic() > deadline:
            return False


def _remembered(run: Run, gateway: str, device: str) -> list[Neighbour]:
    return [known for known in read_neighbours(run) if known.address == gateway and known.device == device]
