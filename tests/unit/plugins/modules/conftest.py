# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The test driver, as strict as the daemon of a host."""

from __future__ import annotations

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge import daemon
from ansible_collections.kvmops.network.tests.unit.plugins.support.strict import refuse_as_the_daemon


@pytest.fixture
def driver(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> libvirt.virConnect:
    """Return a connection to the test driver. What the modules do with it is refused where a host's daemon would refuse it."""
    refuse_as_the_daemon(monkeypatch)
    # a daemon that a test lets go away does not come back
    monkeypatch.setattr(daemon, "_PATIENCE", 0.01)
    return driver
