# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The mark in a network's metadata that says who made it. Nothing here touches a host."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    Definition = dict[str, t.Any]

__all__ = ["MARK", "has_mark", "with_mark"]

# Never change it: it is in the networks of every host that was managed once. libvirt keeps one element of each namespace.
MARK = '<kvmops:managed xmlns:kvmops="urn:kvmops:network:managed" by="libvirt_networks"></kvmops:managed>'


def has_mark(definition: Definition) -> bool:
    """Say whether a network belongs to what the module libvirt_networks manages."""
    return MARK in definition.get("metadata", [])


def with_mark(definition: Definition) -> Definition:
    """Return the definition with the mark."""
    return {**definition, "metadata": sorted({*definition.get("metadata", []), MARK})}
