# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What is wrong with a host, each thing as one sentence of cause and cure. Nothing here touches a host."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Symptom = t.Literal["address", "reach"]
    Effect = tuple[str, Symptom]  # where, as of_network() and its like say it, and what is not there

__all__ = ["About", "Finding", "effects", "explain", "join_words", "of_bridge", "of_network", "of_nic", "say_list"]

Severity = t.Literal["error", "warning"]
# Must be kept in sync with docs/docsite/rst/verify_guide.rst
About = t.Literal[
    "libvirt_missing",
    "library_missing",
    "daemon_down",
    "network_missing",
    "network_inactive",
    "network_transient",
    "autostart_off",
    "bridge_missing",
    "bridge_down",
    "uplink_missing",
    "uplink_down",
    "address_missing",
    "subnet_taken",
    "dnsmasq_down",
    "forwarding_off",
    "firewall_rules_missing",
    "firewall_drops",
    "bridged_frames_filtered",
    "guests_unplugged",
    "guest_missing",
    "guest_off",
    "guest_paused",
    "link_down",
    "no_lease",
    "no_dhcp",
    "guest_unreachable",
    "guest_silent",
    "port_closed",
    "port_filtered",
    "forward_broken",
    "outside_unreachable",
]


@dataclass(frozen=True)
class Finding:
    """Something that is wrong. `about` is a word for playbooks, `subject` what it is about, in words.

    `cause` and `cure` make up a sentence. An "error" cuts something off now, a "warning" will do so later. `effects` are what it
    brings about at guests, who are then listed in `guests` instead of having findings of their own.
    """

    about: About
    subject: str
    cause: str
    cure: str
    severity: Severity = "error"
    effects: frozenset[Effect] = frozenset()
    guests: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The finding in one sentence."""
        return f"{self.cause}; {self.cure}."

    def describe(self) -> dict[str, t.Any]:
        """Return the finding as the module's result shows it."""
        return {
            "subject": self.subject,
            "about": self.about,
            "severity": self.severity,
            "cause": self.cause,
            "cure": self.cure,
            "sentence": self.sentence,
            "guests": list(self.guests),
        }


def of_network(name: str) -> str:
    """Return the place that all NICs on a network are in."""
    return f"network {name}"


def of_bridge(name: str) -> str:
    """Return the place that all NICs on a bridge are in."""
    return f"bridge {name}"


def of_nic(mac: str) -> str:
    """Return the place of one NIC."""
    return f"nic {mac}"


def effects(places: Iterable[str], *symptoms: Symptom) -> frozenset[Effect]:
    """Return that symptoms appear in places."""
    return frozenset((place, symptom) for place in places for symptom in symptoms)


def explain(findings: list[Finding], guest: str, seen: Iterable[Effect]) -> bool:
    """Note a guest with the findings that bring about what is seen at it. Return whether there are any."""
    wanted, explained = frozenset(seen), False
    for index, finding in enumerate(findings):
        if finding.effects & wanted:
            findings[index] = replace(finding, guests=tuple(sorted({*finding.guests, guest})))
            explained = True
    return explained


def say_list(kind: str, names: Iterable[str]) -> str:
    """Return names with what they are, such as "the guests 'a' and 'b'"."""
    quoted = [f"'{name}'" for name in sorted(set(names))]
    return f"the {kind}{'s' if len(quoted) > 1 else ''} {join_words(quoted)}"


def join_words(words: Sequence[str]) -> str:
    """Return words as they stand in a sentence, such as "a, b and c"."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
