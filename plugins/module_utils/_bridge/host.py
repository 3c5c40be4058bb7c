# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What a plan is made from: the host as it was read. Nothing here touches it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Identity

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Links
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Origin, Record

__all__ = ["Host", "Management"]


@dataclass(frozen=True)
class Management:
    """Who configures the uplink: the back end's name, the configuration in use, and by what servers know the host."""

    backend: str
    origin: Origin
    identity: Identity = field(default_factory=Identity)


@dataclass(frozen=True)
class Host:
    """The host as it was read.

    `records` are the bridges that were made here, by name. `managers` are those who manage the uplink; names that this collection
    has no back end for are among them. `files` has the bytes of each file that was asked for, None where there is none.
    `cloud_init` says that cloud-init may write the host's network configuration.
    """

    links: Links
    records: dict[str, Record] = field(default_factory=dict)
    managers: tuple[str, ...] = ()
    management: Management | None = None
    files: dict[str, bytes | None] = field(default_factory=dict)
    cloud_init: bool = False
