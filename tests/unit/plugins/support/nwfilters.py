# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Network filters for libvirt's test driver, which has none: what a daemon does with them, no more.

It keeps the documents, gives them a UUID, and refuses what virNWFilterObjListAssignDef() and nwfilterUndefine() refuse. What a
daemon makes of a document is in captured files, see module_utils/_nwfilter/test_model.py.
"""

from __future__ import annotations

import typing as t
import uuid
from xml.etree import ElementTree

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.modules import libvirt_nwfilter, libvirt_nwfilter_info
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import Result, run_main

__all__ = ["STOCK", "FakeFilters", "apply_filter", "filter_info", "filter_task", "give_filters", "predict_filter"]

STOCK = ("allow-arp", "clean-traffic")


class Refused(libvirt.libvirtError):
    """An error of a daemon that has network filters."""

    def __init__(self, message: str, code: int) -> None:
        """Make it."""
        super().__init__(message)
        self.err = (code, libvirt.VIR_FROM_NWFILTER, message, 2, "", None, None, 0, 0)


class FakeFilters:
    """The filters of a daemon. `refusal` is what it says to the next change, "" for doing it."""

    def __init__(self) -> None:
        """Begin with the stock filters, as far as tests need them."""
        self.documents: dict[str, str] = {}
        self.changes: list[str] = []
        self.refusal = ""
        for name in STOCK:
            self.define(f"<filter name='{name}' chain='root'/>")
        self.changes.clear()

    def define(self, xml: str) -> None:
        """Keep a filter's document."""
        root = ElementTree.fromstring(xml)
        name = root.attrib["name"]
        self._refuse()
        known = ElementTree.fromstring(self.documents[name]).findtext("uuid") if name in self.documents else None
        given = root.findtext("uuid")
        if known is not None and given != known:
            raise Refused(f"filter '{name}' already exists with uuid {known}", libvirt.VIR_ERR_OPERATION_FAILED)
        if given is None:
            ElementTree.SubElement(root, "uuid").text = str(uuid.uuid4())
        self.documents[name] = ElementTree.tostring(root, encoding="unicode")
        self.changes.append(f"define {name}")

    def undefine(self, name: str) -> None:
        """Forget a filter."""
        self._refuse()
        del self.documents[name]
        self.changes.append(f"undefine {name}")

    def _refuse(self) -> None:
        if self.refusal:
            raise Refused(self.refusal, libvirt.VIR_ERR_OPERATION_INVALID)


class _Found:
    def __init__(self, filters: FakeFilters, name: str) -> None:
        self._filters, self._name = filters, name

    def name(self) -> str:
        return self._name

    def XMLDesc(self, _flags: int) -> str:
        try:
            return self._filters.documents[self._name]
        except KeyError:
            raise Refused("Network filter not found", libvirt.VIR_ERR_NO_NWFILTER) from None

    def undefine(self) -> None:
        self._filters.undefine(self._name)


def give_filters(monkeypatch: pytest.MonkeyPatch) -> FakeFilters:
    """Let the driver have network filters."""
    filters = FakeFilters()

    def lookup(_handle: libvirt.virConnect, name: str) -> _Found:
        return _Found(filters, name)

    def list_all(_handle: libvirt.virConnect, _flags: int = 0) -> list[_Found]:
        return [_Found(filters, name) for name in filters.documents]

    def define(_handle: libvirt.virConnect, xml: str, _flags: int = 0) -> None:
        filters.define(xml)

    monkeypatch.setattr(libvirt.virConnect, "listAllNWFilters", list_all)
    monkeypatch.setattr(libvirt.virConnect, "nwfilterLookupByName", lookup)
    for method in ("nwfilterDefineXML", "nwfilterDefineXMLFlags"):
        if hasattr(libvirt.virConnect, method):
            monkeypatch.setattr(libvirt.virConnect, method, define)
    return filters


def filter_task(*, check: bool = False, diff: bool = True, **options: t.Any) -> Result:
    """Run the module libvirt_nwfilter, whether it fails or not."""
    return run_main(libvirt_nwfilter.main, options, check=check, diff=diff)


def apply_filter(**options: t.Any) -> Result:
    """Run a task that has to succeed."""
    result = filter_task(**options)
    assert not result.failed, result.msg
    return result


def predict_filter(**options: t.Any) -> Result:
    """Run a task that has to succeed, in check mode."""
    return apply_filter(check=True, **options)


def filter_info(**options: t.Any) -> list[dict[str, t.Any]]:
    """Run the module libvirt_nwfilter_info, and return its filters."""
    result = run_main(libvirt_nwfilter_info.main, options)
    assert not result.failed, result.msg
    assert not result.changed
    found: list[dict[str, t.Any]] = result.data["filters"]
    return found
