# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What holds for all that keep an interface over a reboot."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._file_changes import FileChange
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.backend import (
    RELOADS,
    comment_for,
    general_limits,
    is_private,
)
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.keeping import BACKENDS, owned_patterns
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.options import INTERFACE_OPTIONS
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._macvtap.builders import kept


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, []),
        ({"kind": "macvlan", "mode": "source", "addresses": ("192.0.2.1/32",)}, []),
        ({"broadcast_queue": None}, []),
        ({"flags": ("nopromisc",), "mode": "passthru"}, []),
        ({"queues": (4, 4)}, ["queues"]),
        ({"queues": (1, 2)}, ["queues"]),
        ({"broadcast_queue": 0}, ["bcqueuelen"]),
        ({"flags": ("nodst",), "mode": "source"}, ["flags: nodst"]),
        ({"up": False}, ["link: down"]),
        ({"queues": (2, 2), "broadcast_queue": 5, "up": False}, ["queues", "bcqueuelen", "link: down"]),
    ],
)
def test_limits_of_the_managers(values: dict[str, t.Any], expected: list[str]) -> None:
    assert general_limits(kept(**values)) == expected


def test_a_profile_is_for_root_alone() -> None:
    assert {
        path.rpartition(".")[2]: FileChange(path, None, b"", private=is_private(path)).mode for path in owned_patterns("mv0")
    } == {
        "nmconnection": 0o600,
        "netdev": 0o644,
        "network": 0o644,
        "conf": 0o644,
        "service": 0o644,
        "rules": 0o644,
    }


def test_each_file_is_read_by_somebody() -> None:
    profiles = "/etc/NetworkManager/system-connections/"  # by its own commands
    assert all(path.startswith((*RELOADS, profiles)) for path in owned_patterns("mv0"))


def test_the_comment_names_the_interface() -> None:
    assert comment_for("mv0").splitlines() == [
        "Written by the Ansible module kvmops.network.macvtap_iface, for the interface mv0.",
        "Changes are found and undone by its next run.",
    ]


def test_the_option_names_them_all() -> None:
    assert INTERFACE_OPTIONS["backend"]["choices"] == ["auto", *BACKENDS, "none"]
    assert [backend.name for backend in BACKENDS.values()] == list(BACKENDS)


@pytest.mark.parametrize("name", BACKENDS)
def test_what_is_written_is_known_as_its_own(name: str) -> None:
    backend = BACKENDS[name]
    written = backend.files(kept())
    patterns = backend.owned_paths("mv0")
    assert len(written) == len(patterns)
    assert [path.replace("10-eth1.network", "*.network") for path in written] == patterns
    assert all(text.startswith("# Written by the Ansible module") for text in written.values())


def test_networkd_alone_has_to_make_it_itself() -> None:
    assert {name: backend.makes_it_itself for name, backend in BACKENDS.items()} == {
        "networkd": True,
        "networkmanager": False,
        "unit": False,
    }
