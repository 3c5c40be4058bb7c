# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Which of libvirt's daemons is responsible, where a host may have the files of one, of several, or of both."""

from __future__ import annotations

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.daemons import (
    UNITS,
    Unit,
    daemon_of_networks,
    daemons_in_charge,
    is_up,
)

SPLIT = ("virtqemud", "virtnetworkd")
UP = Unit("loaded", "active", "enabled")
DOWN = Unit("loaded", "inactive", "enabled")
OFF = Unit("loaded", "inactive", "disabled")
MASKED = Unit("masked", "inactive", "masked")


def units(whole: Unit | None, split: Unit | None) -> dict[str, Unit]:
    """Return the units of a host on which all of a kind are the same, None for a kind that is not there."""
    by_kind = {"libvirtd": whole, "virtqemud": split, "virtnetworkd": split}
    return {name: unit for name in UNITS for unit in [by_kind[name.partition(".")[0]]] if unit is not None}


@pytest.mark.parametrize(
    ("whole", "split", "daemons"),
    [
        (None, None, ("libvirtd",)),
        (DOWN, None, ("libvirtd",)),
        (MASKED, None, ("libvirtd",)),
        (None, DOWN, SPLIT),
        # who is up
        (UP, DOWN, ("libvirtd",)),
        (DOWN, UP, SPLIT),
        (UP, UP, SPLIT),
        # who would be up
        (OFF, DOWN, SPLIT),
        (DOWN, OFF, ("libvirtd",)),
        # who may be up
        (MASKED, OFF, SPLIT),
        (OFF, MASKED, ("libvirtd",)),
        (OFF, OFF, SPLIT),
    ],
)
def test_who_is_responsible(whole: Unit | None, split: Unit | None, daemons: tuple[str, ...]) -> None:
    assert daemons_in_charge(units(whole, split)) == daemons
    assert daemon_of_networks(units(whole, split)) == daemons[-1]


def test_a_daemon_is_up_as_long_as_its_socket_is() -> None:
    assert is_up({"virtqemud.service": OFF, "virtqemud.socket": UP}, "virtqemud")
    assert is_up({"virtqemud.service": UP}, "virtqemud")
    assert not is_up({"virtqemud.service": OFF, "virtqemud.socket": OFF}, "virtqemud")
    assert not is_up({"virtqemud.service": UP}, "virtnetworkd")


def test_guests_alone_are_not_all() -> None:
    # a host without the daemon of networks lacks it
    assert daemons_in_charge({"virtqemud.service": UP, "libvirtd.service": OFF}) == SPLIT
