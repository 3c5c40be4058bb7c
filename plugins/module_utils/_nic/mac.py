# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The MAC address of a NIC to which nobody gave one. Nothing here touches a host."""

from __future__ import annotations

import hashlib

__all__ = ["make_mac"]

# QEMU's own; locally administered, so that no vendor has it.
_PREFIX = "52:54:00"


def make_mac(*, machine_id: str, domain: str, nic: str) -> str:
    """Return a MAC address that depends on the host, the guest's name and the NIC's name alone.

    It is known before the guest exists, and the same on each run. `machine_id` is that of /etc/machine-id. Two hosts give guests
    of one name different addresses; of the 24 bits that are chosen, two NICs in one network may get the same by chance.
    """
    digest = hashlib.sha256(f"{machine_id}\0{domain}\0{nic}".encode()).hexdigest()
    return ":".join((_PREFIX, *(digest[at : at + 2] for at in (0, 2, 4))))
