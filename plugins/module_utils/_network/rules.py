# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What a network's definition must fulfil before anyone tries to use it. Nothing here touches a host.

Each rule says in a sentence what is wrong, which value, and what to do. Problems say early, in check mode too, what libvirt would
say only when the network is defined or started, and what it would drop without a word. Oddities are what libvirt takes, keeps and
starts although it can hardly be meant: its own test documents have some, so that they are no reason to refuse a document; of
options they are. Both are in topics/; what only an older libvirt does not know is in versions.py, and what depends on the host in
host_rules.py.
"""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._network.topics import addresses, dns, forward, names, nics

if t.TYPE_CHECKING:
    Definition = dict[str, t.Any]
    Find = t.Callable[[Definition], list[str]]

__all__ = ["find_new", "find_oddities", "find_problems"]

_TOPICS = (names, forward, addresses, dns, nics)


def find_problems(definition: Definition) -> list[str]:
    """Return what is wrong with a definition in normal form, a sentence each."""
    return [problem for topic in _TOPICS for rule in topic.RULES for problem in rule(definition)]


def find_new(find: Find, definition: Definition, known: Definition | None) -> list[str]:
    """Return what one of these finds in a definition and not in the one that is there, which is no reason to refuse a change."""
    found = find(definition)
    if not found or known is None:
        return found
    old = find(known)
    return [sentence for sentence in found if sentence not in old]


def find_oddities(definition: Definition) -> list[str]:
    """Return what libvirt takes and can hardly be meant in a definition in normal form, a sentence each."""
    return [oddity for topic in _TOPICS for rule in topic.ODDITIES for oddity in rule(definition)]
