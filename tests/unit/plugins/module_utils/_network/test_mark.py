# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The mark in a network's metadata, through libvirt and back."""

from __future__ import annotations

import libvirt

from ansible_collections.kvmops.network.plugins.module_utils._network.definition import definition_from_xml, render_xml
from ansible_collections.kvmops.network.plugins.module_utils._network.mark import MARK, has_mark, with_mark

OTHERS = '<a:note xmlns:a="urn:a">theirs</a:note>'


def test_libvirt_keeps_the_mark(driver: libvirt.virConnect) -> None:
    network = driver.networkDefineXML(render_xml(with_mark({"name": "lab", "metadata": [OTHERS]})))
    definition = definition_from_xml(network.XMLDesc(0))
    assert has_mark(definition)
    assert definition["metadata"] == sorted([MARK, OTHERS])


def test_a_second_mark_is_the_same() -> None:
    once = with_mark({"name": "lab"})
    assert with_mark(once) == once
    assert not has_mark({"name": "lab", "metadata": [OTHERS]})
    assert not has_mark({"name": "lab"})
