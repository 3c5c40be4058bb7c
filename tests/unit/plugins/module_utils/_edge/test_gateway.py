# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Whether a router answers."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge import gateway
from ansible_collections.kvmops.network.plugins.module_utils._errors import RequirementError


class Neighbours:
    """A kernel that finds out who has an address when it is asked so many times."""

    def __init__(self, address: str, *, answers_after: int, device: str = "br0", known: str = "") -> None:
        self.address, self.device = address, device
        self.left = answers_after
        self.state = known
        self.asked: list[str] = []
        self.flushed: list[list[str]] = []

    def run(self, command: list[str]) -> tuple[int, str, str]:
        if command[:3] == ["ip", "neigh", "flush"]:
            self.flushed.append(command)
            if self.state not in ("PERMANENT", "NOARP"):
                self.state = ""
            return 0, "", ""
        assert command == ["ip", "-j", "neigh", "show"]
        entry = {"dst": self.address, "dev": self.device, "lladdr": "52:54:00:00:00:01", "state": [self.state]}
        return 0, json.dumps([entry] if self.state else []), ""

    def ask(self, addresses: t.Sequence[str]) -> None:
        self.asked += addresses
        self.left -= 1
        if self.left <= 0:
            self.state = "REACHABLE"


@pytest.fixture(autouse=True)
def _no_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "_POLL", 0.0)


def answers(monkeypatch: pytest.MonkeyPatch, found: Neighbours, wanted: str, timeout: float = 5) -> bool:
    monkeypatch.setattr(gateway, "ask_for", found.ask)
    return gateway.router_answers(found.run, wanted, "br0", timeout=timeout)


def test_a_router_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Neighbours("192.0.2.1", answers_after=3)
    assert answers(monkeypatch, found, "192.0.2.1")
    assert found.asked == ["192.0.2.1"] * 3
    assert found.flushed == []


def test_what_was_known_before_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Neighbours("192.0.2.1", answers_after=10**9, known="REACHABLE")
    assert not answers(monkeypatch, found, "192.0.2.1", timeout=0.05)
    assert found.flushed == [["ip", "neigh", "flush", "to", "192.0.2.1", "dev", "br0"]]


@pytest.mark.parametrize("known", ["PERMANENT", "NOARP"])
def test_a_router_that_somebody_wrote_down_is_not_asked_by_the_kernel(monkeypatch: pytest.MonkeyPatch, known: str) -> None:
    found = Neighbours("192.0.2.1", answers_after=10**9, known=known)
    assert answers(monkeypatch, found, "192.0.2.1", timeout=0.05)


def test_another_one_or_another_link_is_not_the_router(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not answers(monkeypatch, Neighbours("192.0.2.2", answers_after=1), "192.0.2.1", timeout=0.05)
    assert not answers(monkeypatch, Neighbours("192.0.2.1", answers_after=1, device="eth1"), "192.0.2.1", timeout=0.05)


@pytest.mark.parametrize(
    ("wanted", "asked"),
    [("fe80::1", "fe80::1%br0"), ("2001:db8::1", "2001:db8::1"), ("169.254.0.1", "169.254.0.1"), ("192.0.2.1", "192.0.2.1")],
)
def test_a_link_local_router_is_asked_on_its_link(monkeypatch: pytest.MonkeyPatch, wanted: str, asked: str) -> None:
    found = Neighbours(wanted, answers_after=1)
    assert answers(monkeypatch, found, wanted)
    assert found.asked == [asked]


def test_a_failure_of_ip_is_said() -> None:
    with pytest.raises(RequirementError, match="failed on this host"):
        gateway.router_answers(lambda _command: (1, "", "no"), "192.0.2.1", "br0", timeout=0)
