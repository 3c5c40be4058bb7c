# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Lists of networks, and libvirt's verbs failing for one of them."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection, LibvirtError

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import Result

Options = dict[str, t.Any]

__all__ = ["A", "B", "C", "Options", "addresses", "break_verb", "network"]


def network(name: str, number: int | None = None, bridge: str | None = None, **other: t.Any) -> Options:
    """Return an entry with a subnet and a bridge, both by a number."""
    entry: Options = {"name": name, **other}
    if number is not None:
        entry["ips"] = [{"address": f"10.0.{number}.1", "prefix": 24}]
    if number is not None or bridge is not None:
        entry["bridge"] = {"name": bridge or f"virbr{number}"}
    return entry


A, B, C = network("a", 1), network("b", 2), network("c", 3)


def break_verb(monkeypatch: pytest.MonkeyPatch, verb: str, broken: str, *, skipped: int = 0) -> None:
    """Let a verb of libvirt fail once for one network, after so many times that it works."""
    real = getattr(Connection, verb)
    calls: list[str] = []

    def broken_verb(self: Connection, subject: str, *arguments: t.Any, **options: t.Any) -> None:
        if subject == broken or f"<name>{broken}</name>" in subject:
            calls.append(subject)
            if len(calls) == skipped + 1:
                raise LibvirtError("the disk is full")
        real(self, subject, *arguments, **options)

    monkeypatch.setattr(Connection, verb, broken_verb)


def addresses(result: Result) -> dict[str, list[str]]:
    """Return the addresses of each network."""
    return {
        each["name"]: [ip["address"] for ip in each["network"]["definition"].get("ips", [])] for each in result.data["networks"]
    }
