# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""For how long guests may be without network when a running network changes. Nothing here touches a host.

Seconds, as the scenario `change` measures them on an idle machine with libvirt 9.0 and 11.3; a busy one takes two or three times
as long.
"""

from __future__ import annotations

import math
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from ansible_collections.kvmops.network.plugins.module_utils._network.live import Update

__all__ = ["FOREVER", "RESTART", "in_words", "of_updates"]

FOREVER = math.inf  # until somebody plugs the guest in again
RESTART = 0.6  # with its guests plugged in again, for everything
_UPDATE = 0.3  # one that makes the firewall rules anew, to the outside


def of_updates(updates: Iterable[Update]) -> float:
    """Return what updates of a running network cost together."""
    return round(_UPDATE * sum(update.is_costly for update in updates), 1)


def in_words(outage: float) -> str:
    """Return a number of seconds as in "for about 0.6 s"."""
    return f"about {outage:.1f} s"
