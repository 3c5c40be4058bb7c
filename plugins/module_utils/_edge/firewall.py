# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The host's firewall rules, read only. The one place that asks `nft` and `iptables-save`."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.firewall import Ruleset
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.iptables import parse_iptables
from ansible_collections.kvmops.network.plugins.module_utils._connectivity.nftables import parse_nftables
from ansible_collections.kvmops.network.plugins.module_utils._edge.links import failure_of

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._connectivity.firewall import Chain, Family
    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Run

__all__ = ["read_backend", "read_firewall"]

_TOOLS: tuple[tuple[str, Family], ...] = (("iptables-save", "ip"), ("ip6tables-save", "ip6"))
_SETTINGS = "/etc/libvirt/network.conf"


def read_firewall(run: Run) -> tuple[Ruleset | None, str]:
    """Return all rules that can be read, None where there are none to read, and in that case why.

    `nft` shows what `iptables` has made as well, but not in full, so that for these tables iptables itself is asked.
    """
    chains: dict[tuple[str, str, str], Chain] = {}
    reasons = []
    answered = False
    nftables, reason = _ask(run, ["nft", "-j", "list", "ruleset"])
    try:
        if nftables is not None:
            chains.update((chain.place, chain) for chain in parse_nftables(json.loads(nftables or "{}")))
            answered = True
    except ValueError:
        reason = "'nft -j list ruleset' failed: its answer is no JSON"
    reasons.append(reason)
    for tool, family in _TOOLS:
        text, reason = _ask(run, [tool])
        reasons.append(reason)
        if text is None:
            continue
        answered = True
        chains.update((chain.place, chain) for chain in parse_iptables(text, family))
    return (Ruleset(chains.values()), "") if answered else (None, "; ".join(filter(None, reasons)))


def _ask(run: Run, command: list[str]) -> tuple[str | None, str]:
    """Return a command's output, or None and why there is none."""
    outputs: list[str] = []

    def remember(words: list[str]) -> tuple[int, str, str]:
        answer = run(words)
        outputs.append(answer[1])
        return answer

    failure = failure_of(remember, command)
    return (None, f"'{' '.join(command)}' failed: {failure}") if failure is not None else (outputs[0], "")


def read_backend(path: str = _SETTINGS) -> str:
    """Return the firewall that libvirt is told to use, "" where nobody has told it."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = [line.split("#")[0] for line in file]
    except OSError:
        return ""
    found = [
        value.strip().strip("\"'")
        for name, equals, value in (line.partition("=") for line in lines)
        if equals and name.strip() == "firewall_backend"
    ]
    return found[-1] if found else ""
