# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What the schema of the libvirt of this host says against a NIC."""

from __future__ import annotations

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._format import document
from ansible_collections.kvmops.network.plugins.module_utils._nic.schema import check_schema
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nic.builders import on, parse
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._nic.test_definition import OTHERS

ODD = on(_rest=['<new thing="yes"></new>'])


# What is none of libvirt's, and what the schema of the oldest has not.
UNFIT = {"unknown", "passt"} | ({"ethernet", "driver"} if libvirt.getVersion() < 9_000_000 else set())


@pytest.mark.parametrize("name", [name for name in OTHERS if name not in UNFIT])
def test_documents_of_libvirts_fit(name: str) -> None:
    check_schema(None, parse(OTHERS[name]).definition, "11.3.0")


@pytest.mark.parametrize("before", [None, on()])
def test_what_does_not_fit_is_refused(before: dict[str, object] | None) -> None:
    with pytest.raises(InputError) as caught:
        check_schema(before, ODD, "9.0.0")
    assert str(caught.value).startswith("The NIC does not fit the schema of the libvirt 9.0.0 on this host: ")
    assert str(caught.value).endswith(" Correct it, see https://libvirt.org/formatdomain.html#network-interfaces.")


def test_what_did_not_fit_before_is_no_reason() -> None:
    check_schema(ODD, {**ODD, "link": "down"}, "9.0.0")


def test_where_there_is_no_schema_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "_FOLDERS", ())
    check_schema(None, ODD, "9.0.0")
