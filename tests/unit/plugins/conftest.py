# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The test driver, empty at the beginning of each test."""

from __future__ import annotations

import typing as t

import libvirt
import pytest

from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import URI, clear


@pytest.fixture
def driver() -> t.Iterator[libvirt.virConnect]:
    """Return a connection that keeps the test driver's state alive, without any guest or network."""
    connection = libvirt.open(URI)
    clear(connection)
    yield connection
    clear(connection)
    connection.close()
