# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Who answers on the host's networks. Which flags of `ip` there are is known to links.py alone."""

from __future__ import annotations

import socket
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Neighbour, forget_neighbour, read_neighbours

if t.TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Neighbour", "ask_for", "forget_neighbour", "read_neighbours"]

_DISCARD = 9  # the port of the discard service


def ask_for(addresses: Sequence[str]) -> None:
    """Make the kernel look for addresses: it has to find out who has one before it can send an empty datagram there."""
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as sender:
            try:
                sender.sendto(b"", (address, _DISCARD))
            except OSError:
                pass  # there is no way there; then nobody answers either
