# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What is remembered of a bridge comes back as it was, and a broken file is said."""

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Identity, Origin, Record, path_of
from ansible_collections.kvmops.network.plugins.module_utils._errors import RequirementError
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._bridge.builders import record

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
RECORDS = st.builds(
    Record,
    name=TEXTS,
    uplink=TEXTS,
    backend=TEXTS,
    mac=TEXTS,
    mtu=st.integers(68, 65535),
    origin=st.builds(Origin, name=TEXTS, path=TEXTS, text=TEXTS),
    identity=st.builds(Identity, dhcp4=TEXTS, dhcp6=TEXTS, iaid=st.none() | st.integers(0, 2**32 - 1), token=TEXTS),
    metrics=st.dictionaries(st.sampled_from(["4", "6"]), st.integers(0, 2**32 - 1)),
)


@given(found=RECORDS)
def test_it_comes_back_as_it_was(found: Record) -> None:
    text = found.to_text()
    assert Record.from_text(text, path="x") == found
    assert Record.from_text(text, path="x").to_text() == text
    text.encode()


def test_a_text_that_is_no_utf8_comes_back_as_it_was() -> None:
    # surrogates stand for bytes that were no UTF-8, in a comment of the uplink's file for instance
    odd = b"[Match]\n# caf\xe9\nName=eth0\n".decode(errors="surrogateescape")
    text = record(odd).to_text().encode().decode()
    assert Record.from_text(text, path="x").origin.text == odd


def test_the_place_and_the_format_are_kept() -> None:
    assert path_of("br0") == "/var/lib/kvmops-network/bridges/br0.json"
    values = json.loads(record().to_text())
    assert values["format"] == 1
    # the same record is the same text, or each run would find a change
    assert list(values) == sorted(values)


def changed(**values: t.Any) -> str:
    found = {**json.loads(record().to_text()), **values}
    return json.dumps({key: value for key, value in found.items() if value != "gone"})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '"br0"',
        "null",
        "{}",
        record().to_text()[:-20],
        changed(format=2),
        changed(format="gone"),
        changed(mtu="gone"),
        changed(origin="gone"),
        changed(identity="gone"),
        changed(origin=None),
        changed(origin={"name": "a"}),
        changed(identity={"dhcp4": "", "more": 1}),
        changed(colour="blue"),
        changed(name=None),
        changed(mtu="1500"),
        changed(metrics=[]),
    ],
)
def test_a_broken_file_is_said(text: str) -> None:
    with pytest.raises(RequirementError) as caught:
        Record.from_text(text, path="/var/lib/x/br0.json")
    assert str(caught.value) == (
        "The file /var/lib/x/br0.json, in which host_bridge remembers a bridge, cannot be read: it was changed, or written by "
        "another version. Put back what it was (from a backup), or take the bridge back by hand and remove the file."
    )
