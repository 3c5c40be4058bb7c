# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What is written into a network's metadata, through libvirt and back."""

from __future__ import annotations

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.module_utils._network.definition import definition_from_xml, render_xml
from ansible_collections.kvmops.network.plugins.module_utils._network.mark import (
    Claim,
    find_foreign_mark,
    has_mark,
    order_fragment,
    read_claims,
    read_order,
    with_claims,
    with_mark,
)

OTHERS = '<a:note xmlns:a="urn:a">theirs</a:note>'
SUBNETS = ["10.0.2.0/24", "fd00::/64"]


@pytest.mark.parametrize("name", ["lab", "a 'b' \"c\" <d> & \u00fc"])
def test_libvirt_keeps_what_is_written(driver: libvirt.virConnect, name: str) -> None:
    metadata = sorted([OTHERS, order_fragment(SUBNETS)])
    wanted = with_mark({"name": name, "metadata": metadata})
    network = driver.networkDefineXML(render_xml(wanted))
    definition = definition_from_xml(network.XMLDesc(0))
    assert has_mark(definition)
    assert read_order(definition) == SUBNETS
    assert definition["metadata"] == wanted["metadata"]
    assert len(wanted["metadata"]) == 3


def test_nothing_is_written() -> None:
    for definition in ({"name": "lab", "metadata": [OTHERS]}, {"name": "lab"}):
        assert not has_mark(definition)
        assert read_order(definition) == []


def test_a_second_mark_is_the_same() -> None:
    once = with_mark({"name": "lab"})
    assert with_mark(once) == once


def test_a_copy_is_not_marked_and_gets_a_mark_of_its_own() -> None:
    copy = {**with_mark({"name": "lab"}), "name": "copy"}
    assert not has_mark(copy)
    assert with_mark(copy) == with_mark({"name": "copy"})


def test_what_only_looks_like_a_mark_is_none() -> None:
    for text in ('<x xmlns="urn:kvmops-other"/>', '<kvmops:managed xmlns:kvmops="urn:kvmops:network:other" network="lab"/>'):
        assert not has_mark({"name": "lab", "metadata": [text]})


def test_only_the_mark_of_another_network_is_foreign() -> None:
    assert find_foreign_mark(with_mark({"name": "lab", "metadata": [OTHERS]})) is None
    [mark] = with_mark({"name": "lab"})["metadata"]
    assert find_foreign_mark({"name": "copy", "metadata": [OTHERS, mark]}) == mark


def test_no_subnets_are_recorded_as_none() -> None:
    assert read_order({"name": "lab", "metadata": [order_fragment([])]}) == []


# --- which reservations belong to NICs ------------------------------------------------------------------------------------------

WEB = Claim("web", "52:54:00:00:00:01", "52:54:00:00:00:01", "10.0.2.5")
DB = Claim("a 'b' \"c\" <d> & \u00fc", "52:54:00:00:00:02", "00:03:00:01:52:54:00:00:00:02", "fd00::5")


def test_libvirt_keeps_whose_reservations_are(driver: libvirt.virConnect) -> None:
    wanted = with_claims(with_mark({"name": "lab", "metadata": [OTHERS, order_fragment(SUBNETS)]}), [WEB, DB])
    network = driver.networkDefineXML(render_xml(wanted))
    definition = definition_from_xml(network.XMLDesc(0))
    assert definition["metadata"] == wanted["metadata"]
    assert read_claims(definition) == sorted([WEB, DB])
    assert has_mark(definition)
    assert read_order(definition) == SUBNETS


def test_the_text_of_a_claim() -> None:
    # never change it: it is in the networks of hosts
    assert with_claims({"name": "lab"}, [WEB])["metadata"] == [
        '<kvmops:reservations xmlns:kvmops="urn:kvmops:network:reservations"><kvmops:reservation domain="web" ip="10.0.2.5" '
        'key="52:54:00:00:00:01" mac="52:54:00:00:00:01"></kvmops:reservation></kvmops:reservations>'
    ]


def test_claims_are_a_set() -> None:
    lab = {"name": "lab", "metadata": [OTHERS]}
    assert with_claims(lab, [WEB, DB, WEB]) == with_claims(lab, [DB, WEB])
    assert with_claims(with_claims(lab, [WEB]), [DB]) == with_claims(lab, [DB])


def test_no_claims_leave_nothing() -> None:
    for definition in ({"name": "lab"}, {"name": "lab", "metadata": [OTHERS]}):
        assert with_claims(with_claims(definition, [WEB]), []) == definition
        assert read_claims(definition) == []


def test_claims_that_somebody_spoiled_are_read_as_far_as_they_go() -> None:
    text = (
        '<k:reservations xmlns:k="urn:kvmops:network:reservations"><k:reservation domain="web" mac="m"/><k:reservation/> text '
        "</k:reservations>"
    )
    assert read_claims({"name": "lab", "metadata": [text]}) == [Claim("web", "m", "", "")]
