# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What keeps guests on a host's bridge from being heard: the host's own firewall, where it gets to see bridged frames."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.bridged import find_silence, silence_finding
from ansible_collections.kvmops.network.plugins.module_utils._edge.firewall import read_firewall
from ansible_collections.kvmops.network.plugins.module_utils._edge.host_state import read_bridge_filtering

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._connectivity.bridged import Silence
    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Run

__all__ = ["say_who_silences"]


def say_who_silences(run: Run, bridge: str) -> list[str]:
    """Return a sentence for each table of the firewall in which frames of guests on a bridge are lost as the host is now.

    The bridge need not be there yet. Where no firewall can be read there is nothing to say.
    """
    filters = read_bridge_filtering()
    if not any(filters.values()):
        return []
    ruleset, _reason = read_firewall(run)
    if ruleset is None:
        return []
    tables: dict[str, list[Silence]] = {}
    for silence in find_silence(ruleset, filters, bridge):
        tables.setdefault(silence.chain.table, []).append(silence)
    return [silence_finding(ruleset, table, silences).sentence for table, silences in sorted(tables.items())]
