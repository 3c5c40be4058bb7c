# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The host as a plan about forwards needs to know it. Nothing here touches a host."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.kvmops.network.plugins.module_utils._forward.files import Programs
    from ansible_collections.kvmops.network.plugins.module_utils._forward.forward import Forward
    from ansible_collections.kvmops.network.plugins.module_utils._forward.ports import Listener
    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState
    from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import GuestState

__all__ = ["ForwardHost"]


@dataclass(frozen=True)
class ForwardHost:
    """What there is on the host.

    `forwards` are those that are remembered, and `files` all files about them. `guest` is the one that the task names, `leases`
    are the addresses that guests have got by DHCP, by MAC address. `addresses` are those of the host itself, None
    where it cannot be seen. `idle` are units that do not run or do not start at boot though they should, and `faults` what is
    missing of the rules. `bridged_filtered` says that what goes from guest to guest over a bridge passes the firewall.
    """

    networks: Mapping[str, NetworkState]
    forwards: Mapping[str, Forward]
    files: Mapping[str, bytes | None]
    listeners: tuple[Listener, ...]
    programs: Programs
    guest: GuestState | None = None
    leases: Mapping[str, tuple[str, ...]] | None = None
    addresses: frozenset[str] | None = None
    idle: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    bridged_filtered: bool = False
