# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What a network is given in the place of its bridge. How networks are put back is tested with the modules."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._network.definition import definition_from_xml
from ansible_collections.kvmops.network.plugins.module_utils._network.rollback import parked_xml

DEFINITION: dict[str, t.Any] = {
    "name": "lab",
    "uuid": "1b4f0c34-3a39-4a26-a21f-6f0a3b1e0a6e",
    "bridge": {"name": "virbr7", "stp": False, "delay": 3, "zone": "lab"},
    "mtu": 1400,
}


def test_only_the_name_of_the_bridge_is_another() -> None:
    parked = definition_from_xml(parked_xml(DEFINITION))
    name = parked["bridge"]["name"]
    assert parked == {**DEFINITION, "bridge": {**DEFINITION["bridge"], "name": name}}
    assert name.startswith("kvmops-")
    assert len(name) <= 15  # the kernel's limit
